/* romanise.c — ICU's transliteration, and character n-grams of what it gives. */
#include "align/romanise.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

enum { WIDE = 256 };

struct align_romaniser {
    UTransliterator *latin;
    const UNormalizer2 *nfd;
};

vl_status align_romaniser_new(align_romaniser **romaniser, vl_error *error) {
    static const UChar id[] = u"Any-Latin";
    UErrorCode code = U_ZERO_ERROR;
    align_romaniser *r = calloc(1, sizeof *r);
    if (!r)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    r->latin = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &code);
    r->nfd = unorm2_getNFDInstance(&code);
    *romaniser = r;
    if (U_SUCCESS(code))
        return VL_OK;
    align_romaniser_free(r);
    *romaniser = NULL;
    return vl_fail(error, VL_ERR_MISSING, "ICU has no transliteration Any-Latin");
}

void align_romaniser_free(align_romaniser *romaniser) {
    if (!romaniser)
        return;
    if (romaniser->latin)
        utrans_close(romaniser->latin);
    free(romaniser);
}

/* Letters that have no decomposition. */
static char plain_letter(UChar32 c) {
    static const struct {
        UChar32 c;
        char letter;
    } rows[] = {{0x131, 'i'}, {0x142, 'l'}, {0x111, 'd'}, {0xF8, 'o'},  {0x253, 'b'},
                {0x257, 'd'}, {0x199, 'k'}, {0x1B4, 'y'}, {0x14B, 'n'}, {0x25B, 'e'},
                {0x254, 'o'}, {0x259, 'e'}, {0xE6, 'e'},  {0x153, 'e'}, {0xF0, 'd'},
                {0xFE, 't'},  {0x1DD, 'e'}, {0x26B, 'l'}, {0x127, 'h'}};
    if (c < 0x80)
        return u_isalnum(c) ? (char)u_tolower(c) : 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].c == c)
            return rows[i].letter;
    return 0;
}

static bool is_latin(const UChar *wide, int32_t length) {
    for (int32_t i = 0; i < length; i++)
        if (wide[i] >= 0x370 && !(wide[i] >= 0x1E00 && wide[i] < 0x1F00))
            return false;
    return true;
}

size_t align_romanise(align_romaniser *romaniser, const char *word,
                      char out[ALIGN_ROMAN_SIZE]) {
    UChar wide[WIDE], apart[2 * WIDE];
    UErrorCode code = U_ZERO_ERROR;
    int32_t length = 0;
    size_t n = 0;
    u_strFromUTF8WithSub(wide, WIDE, &length, word, -1, 0xFFFD, NULL, &code);
    if (code == U_BUFFER_OVERFLOW_ERROR || length > WIDE)
        length = WIDE;
    code = U_ZERO_ERROR;
    if (!is_latin(wide, length)) {
        int32_t limit = length;
        utrans_transUChars(romaniser->latin, wide, &length, WIDE, 0, &limit, &code);
        if (U_FAILURE(code) || length > WIDE)
            length = 0;
        code = U_ZERO_ERROR;
    }
    int32_t count = unorm2_normalize(romaniser->nfd, wide, length, apart, 2 * WIDE, &code);
    if (U_FAILURE(code))
        count = 0;
    for (int32_t i = 0; i < count && n + 1 < ALIGN_ROMAN_SIZE; i++) {
        char letter = plain_letter(apart[i]);
        if (letter)
            out[n++] = letter;
    }
    out[n] = '\0';
    return n;
}

static uint64_t hash_gram(const char *at, size_t length) {
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        h = (h ^ (uint8_t)at[i]) * 1099511628211u;
    h = (h ^ (h >> 33)) *
        0xFF51AFD7ED558CCDu; /* MurmurHash3's finaliser, for all bits of short ones */
    h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53u;
    return h ^ (h >> 33);
}

size_t align_grams(const char *roman, size_t length, uint64_t grams[ALIGN_GRAMS_MAX]) {
    char framed[ALIGN_ROMAN_SIZE + 2];
    size_t count = 0, digits = strspn(roman, "0123456789");
    if (!length || length >= ALIGN_ROMAN_SIZE)
        return 0;
    if (digits == length) {
        grams[0] = hash_gram(roman, length);
        return 1;
    }
    framed[0] = '<';
    memcpy(framed + 1, roman, length);
    framed[length + 1] = '>';
    for (size_t n = 2; n <= 4; n++)
        for (size_t i = 0; i + n <= length + 2; i++)
            grams[count++] = hash_gram(framed + i, n);
    return count;
}
