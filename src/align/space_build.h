/* space_build.h — the pieces of making a space: the hub's units, weighted lists of words, and
 * the codes of one language's words. */
#ifndef VL_ALIGN_SPACE_BUILD_H
#define VL_ALIGN_SPACE_BUILD_H

#include "align/space.h"
#include "align/word_set.h"

/* ---- units: stems of the hub's language (Snowball) ----------------------------------------
 */

typedef struct space_units {
    word_set stems;    /* number: the unit */
    uint64_t *tokens;  /* [count]: how often its forms come in the text */
    const char **name; /* [count]: its most frequent form */
    uint64_t *named;   /* how often that one comes */
    size_t room;
    struct sb_stemmer *stemmer;
} space_units;
/* VL_ERR_UNSUPPORTED: Snowball has no stemmer for the language. */
vl_status space_units_init(space_units *units, const char *language, vl_arena *arena,
                           vl_error *error);
void space_units_deinit(space_units *units);
/* The unit of a form, made when `add` and there is room for it (SPACE_STEMS_MAX); UINT32_MAX:
 * none. */
enum { SPACE_STEMS_MAX = 1 << 20 };
uint32_t space_units_of(space_units *units, const char *form, uint64_t times, bool add);

/* ---- lists of words ------------------------------------------------------------------------
 */

/* Meanings of words: of each word of a language up to ALIGN_CODE_MAX units. */
typedef struct space_meanings {
    word_set words;
    align_meaning (*code)[ALIGN_CODE_MAX]; /* heaviest first, weight 0: no more; sum 1 */
    size_t room;
    size_t pairs; /* lines that were taken */
} space_meanings;
/* Lines "hub word TAB word [TAB weight …]", each side of up to three words, plain or gzipped.
 * Words of the hub that are no unit become one. */
vl_status space_meanings_read(const char *path, space_units *units, vl_arena *arena,
                              space_meanings *out, vl_error *error);
void space_meanings_deinit(space_meanings *meanings);

/* ---- codes --------------------------------------------------------------------------------
 */

typedef struct space_extend {
    const vl_embeddings *own;   /* of the language, in its own coordinates */
    const vl_embeddings *inhub; /* the same words in the hub's coordinates; NULL: not mapped */
    const vl_embeddings *hub;   /* of the hub's language, in its coordinates */
    space_units *units;
    const space_meanings *relatives; /* lists of related languages */
    size_t relative_count;
} space_extend;
/* Codes of words without meanings: [count], weights up to 1 in all. From the words with
 * meanings that are spelled most alike (0.6), that are used most alike (0.3: nearest vectors of
 * the same language), from words of related languages that are spelled the same (0.5), and from
 * the hub's words that lie nearest after mapping (0.1: CSLS). */
vl_status space_extend_codes(const space_extend *with, const space_meanings *meanings,
                             const char *const *words, size_t count,
                             align_meaning (*codes)[ALIGN_CODE_MAX], vl_error *error);

#endif
