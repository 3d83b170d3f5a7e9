/* reader_alphabet.c — the characters a reader knows, and lines of text as labels. */
#include "model/reader_use.h"

#include <stdlib.h>
#include <string.h>

/* Sorted by number, so that a label is found by halving. */
struct vl_reader_alphabet {
    size_t count;
    uint32_t *characters;
};

enum { CODE_POINTS = 0x110000 };

/* The next code point of valid UTF-8. */
static uint32_t next_character(const char *text, size_t *at) {
    const unsigned char *c = (const unsigned char *)text + *at;
    size_t bytes = c[0] < 0x80 ? 1 : c[0] < 0xE0 ? 2 : c[0] < 0xF0 ? 3 : 4;
    uint32_t value = bytes == 1 ? c[0] : c[0] & (0xFFu >> (bytes + 1));
    for (size_t i = 1; i < bytes; i++)
        value = value << 6 | (c[i] & 0x3F);
    *at += bytes;
    return value;
}

char *reader_put_utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    *out++ = (char)(lead[more] | c >> (6 * more));
    while (more--)
        *out++ = (char)(0x80 | (c >> (6 * more) & 0x3F));
    return out;
}

/* Whether a line may hold it: no control, no surrogate, nothing that only steers. */
static bool may_be_read(uint32_t c) {
    return c >= 0x20 && c < CODE_POINTS && !(c >= 0x7F && c < 0xA0) &&
           !(c >= 0xD800 && c < 0xE000) && c != 0xFFFD && c != 0x2028 && c != 0x2029 &&
           !vl_text_steers(c);
}

vl_reader_alphabet *reader_alphabet_of(const uint32_t *characters, size_t count) {
    if (!count || count > VL_READER_MAX_SYMBOLS)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (!may_be_read(characters[i]) || (i && characters[i] <= characters[i - 1]))
            return NULL;
    vl_reader_alphabet *a = calloc(1, sizeof *a);
    uint32_t *kept = malloc(count * sizeof *kept);
    if (!a || !kept) {
        free(a);
        free(kept);
        return NULL;
    }
    memcpy(kept, characters, count * sizeof *kept);
    *a = (vl_reader_alphabet){.count = count, .characters = kept};
    return a;
}

vl_status vl_reader_alphabet_new(const char *text, size_t bytes, vl_reader_alphabet **out,
                                 vl_error *error) {
    *out = NULL;
    if (vl_utf8_valid_prefix(text, bytes) != bytes)
        return vl_fail(error, VL_ERR_INPUT, "an alphabet is UTF-8; byte %zu is not",
                       vl_utf8_valid_prefix(text, bytes));
    uint8_t *seen = calloc(CODE_POINTS, 1);
    uint32_t *list = calloc(VL_READER_MAX_SYMBOLS, sizeof *list);
    vl_status status =
        seen && list ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for an alphabet");
    size_t count = 0;
    for (size_t at = 0; !status && at < bytes;)
        seen[next_character(text, &at)] = 1;
    if (!status)
        seen[' '] = 1;
    for (uint32_t c = 0; !status && c < CODE_POINTS; c++) {
        if (!seen[c] || !may_be_read(c))
            continue;
        if (count == VL_READER_MAX_SYMBOLS)
            status = vl_fail(error, VL_ERR_LIMIT, "an alphabet of more than %d characters",
                             VL_READER_MAX_SYMBOLS);
        else
            list[count++] = c;
    }
    if (!status && !(*out = reader_alphabet_of(list, count)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for an alphabet");
    free(seen);
    free(list);
    return status;
}

void vl_reader_alphabet_free(vl_reader_alphabet *a) {
    if (!a)
        return;
    free(a->characters);
    free(a);
}

void vl_reader_alphabet_write(const vl_reader_alphabet *a, vl_buf *out) {
    for (size_t i = 0; i < a->count; i++) {
        char text[4];
        vl_buf_append(out, text, (size_t)(reader_put_utf8(text, a->characters[i]) - text));
    }
}

size_t vl_reader_alphabet_size(const vl_reader_alphabet *a) {
    return a->count;
}

uint32_t vl_reader_alphabet_at(const vl_reader_alphabet *a, size_t label) {
    return label && label <= a->count ? a->characters[label - 1] : 0;
}

int32_t vl_reader_alphabet_label(const vl_reader_alphabet *a, uint32_t character) {
    size_t low = 0, high = a->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (a->characters[middle] < character)
            low = middle + 1;
        else
            high = middle;
    }
    return low < a->count && a->characters[low] == character ? (int32_t)low + 1 : 0;
}

vl_status vl_reader_targets(const vl_reader_alphabet *a, const char *text, vl_arena *arena,
                            int32_t **labels, size_t *count, size_t *unknown, vl_error *error) {
    *count = *unknown = 0;
    char *line = vl_text_squeeze(arena, text);
    size_t bytes = line ? strlen(line) : 0, characters = 0;
    uint32_t *logical = vl_arena_array(arena, bytes + 1, sizeof *logical);
    uint32_t *visual = vl_arena_array(arena, bytes + 1, sizeof *visual);
    size_t *from = vl_arena_array(arena, bytes + 1, sizeof *from);
    *labels = vl_arena_array(arena, bytes + 1, sizeof **labels);
    if (!line || !logical || !visual || !from || !*labels)
        return vl_fail(error, VL_ERR_LIMIT, "a line of text is too long for its arena");
    for (size_t at = 0; at < bytes;) {
        uint32_t c = next_character(line, &at);
        if (!vl_text_steers(c))
            logical[characters++] = c;
    }
    vl_status status =
        vl_text_to_visual(logical, characters, VL_DIRECTION_TEXT, visual, from, error);
    for (size_t i = 0; i < characters && !status; i++) {
        int32_t label = vl_reader_alphabet_label(a, visual[i]);
        if (label)
            (*labels)[(*count)++] = label;
        else
            ++*unknown;
    }
    return status;
}
