/* translation.h — which word of one document is translated by which of the other, as far as the
 * two documents say themselves: words that look alike, then words that keep company in what was
 * found to belong together (IBM model 1; Brown, Della Pietra, Della Pietra and Mercer 1993,
 * section 4.1, equations 13–14). */
#ifndef VL_ALIGN_TRANSLATION_H
#define VL_ALIGN_TRANSLATION_H

#include "align/corpus.h"

/* A sparse matrix: row r has columns column[start[r]] … column[start[r + 1] - 1]. */
typedef struct align_table {
    size_t rows;
    size_t *start; /* [rows + 1] */
    uint32_t *column;
    float *value;
} align_table;
/* Columns become rows. VL_ERR_MEMORY: the arena is full. */
vl_status align_table_turn(vl_arena *arena, const align_table *table, size_t columns,
                           align_table *turned, vl_error *error);

/* How alike words of the two look once romanised: a power of the cosine of their character
 * n-grams, weighted by rarity; pairs under a threshold are not there. Numbers are alike only
 * when equal. Rows: words of `a`. */
vl_status align_cognates(vl_arena *arena, const align_corpus *a, const align_corpus *b,
                         align_table *cognates, vl_error *error);

/* Sentences a_from … a_from+a_count-1 of one, and so of the other; never none of either here.
 */
typedef struct align_pairing {
    uint32_t a_from, b_from;
    uint16_t a_count, b_count;
    float weight; /* 0 … 1: how sure that is */
} align_pairing;
/* t(b|a) for the words of `a` from what is paired, `cognates` being a prior count; at most
 * ALIGN_TRANSLATIONS of each word, the likeliest first. No pairing: cognates alone. `held_out`:
 * to judge those pairings by, so what only one of them says does not count. */
enum { ALIGN_TRANSLATIONS = 64 };
vl_status align_translations(vl_arena *arena, const align_corpus *a, const align_corpus *b,
                             const align_table *cognates, const align_pairing *pairings,
                             size_t count, bool held_out, align_table *translations,
                             vl_error *error);

#endif
