/* bpe_words.c — cutting text into the words that tokens stay inside of.
 *
 * A word is bounded, so encoding is linear in the text whatever the text is: a page of one
 * letter, or of a script that writes no spaces, costs what any other page costs. */
#include "text/bpe_words.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

typedef enum kind {
    KIND_NONE, /* the end of the text */
    KIND_LETTER,
    KIND_DIGIT,
    KIND_OTHER,
    KIND_SPACE,
    KIND_MARK, /* goes with what is before it */
} kind;

enum { MAX_DIGITS = 3 };

static kind ascii_kind(uint8_t c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return KIND_LETTER;
    if (c >= '0' && c <= '9')
        return KIND_DIGIT;
    return c == ' ' || (c >= '\t' && c <= '\r') ? KIND_SPACE : KIND_OTHER;
}

/* Kind of the character at `at`, and its length. Bytes that are no UTF-8 are other symbols. */
static kind kind_at(const char *text, size_t bytes, size_t at, size_t *length) {
    const uint8_t *s = (const uint8_t *)text + at;
    *length = 0;
    if (at >= bytes)
        return KIND_NONE;
    *length = 1;
    if (*s < 0x80)
        return ascii_kind(*s);
    int32_t next = 0, left = bytes - at < 4 ? (int32_t)(bytes - at) : 4;
    UChar32 c;
    U8_NEXT(s, next, left, c);
    *length = (size_t)next;
    if (c < 0)
        return KIND_OTHER;
    if (c == 0x200C || c == 0x200D) /* joiners: inside words of Persian, Hindi, emoji */
        return KIND_MARK;
    uint32_t category = U_GET_GC_MASK(c);
    if (category & U_GC_M_MASK)
        return KIND_MARK;
    if (category & U_GC_L_MASK)
        return KIND_LETTER;
    if (category & U_GC_ND_MASK)
        return KIND_DIGIT;
    return u_isUWhiteSpace(c) ? KIND_SPACE : KIND_OTHER;
}

/* White space from the start, less a last U+0020 that the next word takes. */
static size_t space_word(const char *text, size_t bytes) {
    size_t at = 0, before = 0, length;
    kind k;
    while ((k = kind_at(text, bytes, at, &length)) == KIND_SPACE) {
        if (at + length > VL_BPE_WORD_BYTES)
            return at;
        before = at;
        at += length;
    }
    bool gives = k != KIND_NONE && before > 0 && text[before] == ' ';
    return gives ? before : at;
}

size_t vl_bpe_word(const char *text, size_t bytes) {
    size_t length, digits = 0, cut = 0;
    size_t at = bytes && text[0] == ' '; /* the space that may lead */
    kind first = kind_at(text, bytes, at, &length);
    if (first == KIND_NONE)
        return at;
    if (first == KIND_SPACE)
        return space_word(text, bytes);
    if (first == KIND_MARK)
        first = KIND_LETTER;
    for (kind k = first; k == first || k == KIND_MARK; k = kind_at(text, bytes, at, &length)) {
        if (k != KIND_MARK) {
            if (k == KIND_DIGIT && digits++ == MAX_DIGITS)
                break;
            cut = at; /* a character with its marks begins here */
        }
        if (at + length > VL_BPE_WORD_BYTES)
            return cut > 1 ? cut : at;
        at += length;
    }
    return at;
}
