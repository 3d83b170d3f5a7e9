/* tokens.h — words and sentences of a text as all of align/ sees them.
 *
 * Both take any bytes: what is no UTF-8 counts as U+FFFD and reading goes on. Results lie in
 * the arena; places are bytes of the source text. Thread-safe (an arena belongs to one thread).
 */
#ifndef VL_ALIGN_TOKENS_H
#define VL_ALIGN_TOKENS_H

#include <vislang/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A longer word is cut into pieces of so many characters. */
enum { ALIGN_TOKEN_MAX = 64 };

typedef struct align_token {
    const char *word; /* folded, NUL-terminated */
    size_t from, to;  /* where it stands, bytes */
} align_token;
/* The words of `text` in their order: word boundaries of UAX #29 (with ICU's dictionaries for
 * Burmese, Khmer, Lao, Thai, Chinese and Japanese), what has neither letter nor number left
 * out. Two departures: an elided French or Italian article is a word of its own ("l'",
 * "homme"), and words over ALIGN_TOKEN_MAX characters are cut. Folding: NFKC and full case
 * folding with invisible characters out (Unicode's NFKC_Casefold), vowel marks and tatweel of
 * Arabic and points of Hebrew out, kaf, yeh and gaf as Persian writes them, apostrophes to ',
 * digits of every script to 0-9. Of a number, marks between groups of three digits are out and
 * the decimal one is a point: 1,000 and 1.000 are "1000", 3,5 is "3.5". VL_ERR_MEMORY: the
 * arena is full. */
vl_status align_tokens(vl_arena *arena, const char *text, align_token **tokens, size_t *count,
                       vl_error *error);

typedef enum align_line_rule {
    ALIGN_LINES_WRAPPED, /* a paragraph goes on in the next line and ends at an empty one */
    ALIGN_LINES_BREAK,   /* a sentence ends with its line */
    ALIGN_LINES_ONLY,    /* each line that is not empty is one */
} align_line_rule;
typedef struct align_span {
    size_t from, to; /* bytes, without the white space around it */
} align_span;
/* The sentences of `text` in their order: boundaries of UAX #29, which knows the marks of every
 * script (። ፧ । ။ ។ ۔ ؟ …), but none after an initial, a short number or a common abbreviation
 * ("J. Mwangi", "am 3. Oktober", "Dr. Sow").
 * VL_ERR_MEMORY: the arena is full. */
vl_status align_sentences(vl_arena *arena, const char *text, align_line_rule rule,
                          align_span **spans, size_t *count, vl_error *error);

#ifdef __cplusplus
}
#endif
#endif
