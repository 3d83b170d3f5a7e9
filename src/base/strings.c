/* strings.c — the few string jobs every room shares. */
#include <vislang/base.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 63 };

static size_t min_size(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Damerau–Levenshtein distance (optimal string alignment), case-blind. */
static size_t name_distance(const char *a, const char *b) {
    size_t rows[3][NAME_MAX_BYTES + 1];
    size_t la = min_size(strlen(a), NAME_MAX_BYTES), lb = min_size(strlen(b), NAME_MAX_BYTES);
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            size_t best = min_size(above[j] + 1, row[j - 1] + 1);
            best = min_size(best, above[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
                cb == tolower((unsigned char)a[i - 2]))
                best = min_size(best, two_above[j - 2] + 1);
            row[j] = best;
        }
    }
    return rows[la % 3][lb];
}

const char *vl_nearest_name(const char *word, const char *const *candidates, size_t count) {
    const char *nearest = NULL;
    size_t best = strlen(word) / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        size_t distance = name_distance(word, candidates[i]);
        if (distance <= best && (!nearest || distance < best)) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

vl_status vl_parse_bytes(const char *text, uint64_t *bytes, vl_error *error) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (end == text || errno || strchr(text, '-'))
        return vl_fail(error, VL_ERR_USAGE,
                       "'%s' is not a size (write 1048576, 512KB, 100MB, 2GB)", text);
    while (*end == ' ')
        end++;
    static const char units[] = "KMGT";
    unsigned shift = 0;
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        end++;
    }
    if (*end == 'i' && unit)
        end++;
    if (*end == 'B' || *end == 'b')
        end++;
    if (*end || (shift && number > (UINT64_MAX >> shift)))
        return vl_fail(error, VL_ERR_USAGE,
                       "'%s' is not a size (write 1048576, 512KB, 100MB, 2GB)", text);
    *bytes = (uint64_t)number << shift;
    return VL_OK;
}

/* Bytes of the character at `s`, or 0 when it is not well-formed UTF-8 (RFC 3629). */
static size_t utf8_char_bytes(const unsigned char *s, size_t left) {
    if (s[0] < 0x80)
        return 1;
    size_t count = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || left < count)
        return 0;
    for (size_t i = 1; i < count; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xED && s[1] > 0x9F;
    bool too_large = s[0] == 0xF4 && s[1] > 0x8F;
    return overlong || surrogate || too_large ? 0 : count;
}

size_t vl_utf8_valid_prefix(const char *text, size_t bytes) {
    size_t at = 0;
    while (at < bytes) {
        size_t count = utf8_char_bytes((const unsigned char *)text + at, bytes - at);
        if (!count)
            break;
        at += count;
    }
    return at;
}
