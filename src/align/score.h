/* score.h — how well a ranking finds what is right, and how well beads of two documents agree
 * with gold. Plain arithmetic over arrays; thread-safe.
 *
 * Ranks: a query has a score for every candidate, and one or more candidates that are right.
 * Candidates that are exactly as good stand in no order, so each figure is what is expected of
 * a random one: neither the order of lines nor a constant score can help. */
#ifndef VISLANG_ALIGN_SCORE_H
#define VISLANG_ALIGN_SCORE_H

#include <vislang/base.h>

/* ---- ranks ------------------------------------------------------------------------------- */

/* Scores nearer to each other than this are the same one, summed in another order. */
#define ALIGN_SCORE_TIE 2e-6F

/* Where the best right candidate of one query stands. */
typedef struct align_place {
    size_t ahead; /* wrong ones that are better */
    size_t right; /* right ones that are as good as the best right one; at least 1 */
    size_t tied;  /* wrong ones that are */
} align_place;
/* `scores` [candidates], no NaN; `right` [right_count] are candidates, at least one. */
align_place align_place_of(const float *scores, size_t candidates, const uint32_t *right,
                           size_t right_count);

typedef struct align_ranks {
    double at1, at5;   /* share of queries whose first (first five) hold a right one */
    double reciprocal; /* mean of 1 / place of the first right one */
    double tied;       /* share of queries where a wrong one is as good as the best right one */
    size_t queries;
} align_ranks;
/* Sums; then once align_ranks_finish. `weight`: how many queries this one stands for. */
void align_ranks_add(align_ranks *ranks, align_place place, size_t weight);
void align_ranks_finish(align_ranks *ranks);

/* Wilson's interval (1927) of a share of `n`, at 95 %; 0 and 1 for an `n` of 0. */
void align_wilson(double share, size_t n, double *low, double *high);

/* ---- beads ------------------------------------------------------------------------------- */

/* Sentences that belong together: numbers from 0, rising, in either document. */
typedef struct align_bead {
    uint32_t *src, *tgt;
    size_t src_count, tgt_count;
} align_bead;
enum { ALIGN_BEADS_MAX = 1000000, ALIGN_BEAD_SPAN_MAX = 1024 };

/* Beads of gold: a line each, `[0]:[0, 1]` as Vecalign and Bleualign write them, or two columns
 * with a tab between them and numbers with commas (`0<TAB>0,1`), other columns after them being
 * ignored; an empty side is `[]`, nothing, or `-`. Blank lines, lines that begin with # and a
 * first line of column names are skipped. In the arena. VL_ERR_INPUT with the line: not a
 * bead, a sentence that is in two beads of the text, or a number over the maximum. */
vl_status align_beads_parse(vl_arena *arena, const char *name, const char *text,
                            align_bead **beads, size_t *count, vl_error *error);
/* The largest sentence number of either side, plus one. */
void align_beads_extent(const align_bead *beads, size_t count, size_t *src, size_t *tgt);

typedef struct align_agreement {
    double precision, recall, f1;
} align_agreement;
/* Of Thompson and Koehn (2019), section 4.2, after Sennrich and Volk (2011). Strict: a bead is
 * right when gold has the same one. Lax: when at least one pair of its sentences is in one bead
 * of gold. Precision is over all beads, those with an empty side included; recall over the
 * beads of gold that have both sides. VL_ERR_MEMORY. */
vl_status align_beads_score(const align_bead *gold, size_t gold_count, const align_bead *found,
                            size_t found_count, align_agreement *strict, align_agreement *lax,
                            vl_error *error);

#endif
