/* band.h — the cheapest way through two documents, sought in a band around a way that is known
 * already: beads of up to ALIGN_BEAD_SIDE sentences of either side, and sentences alone.
 *
 * A node (i, j) stands behind the first i sentences of one document and the first j of the
 * other. The band holds the nodes low[i] … high[i] of each i; low and high never fall, low[0]
 * is 0, high of the last is the other document's length, and low[i+1] <= high[i] + 1. */
#ifndef VL_ALIGN_BAND_H
#define VL_ALIGN_BAND_H

#include <vislang/base.h>

enum {
    ALIGN_BEAD_SIDE = 5, /* sentences of one side in a bead */
    ALIGN_BEAD_BOTH = 7, /* of both */
};
#define ALIGN_IMPOSSIBLE 1e30

typedef struct align_step {
    uint32_t a_from, b_from;
    uint16_t a_count, b_count; /* one of them may be 0, then the other is 1 */
    float cost;
    float posterior; /* of this bead among all ways through the band */
} align_step;

typedef struct align_band {
    size_t a_count, b_count;
    uint32_t *low, *high; /* [a_count + 1] */
    size_t *start;        /* [a_count + 2]: where the nodes of each i begin */
} align_band;
/* Every node. VL_ERR_MEMORY: the arena is full. */
vl_status align_band_full(vl_arena *arena, size_t a_count, size_t b_count, align_band *band,
                          vl_error *error);
/* Nodes at most `radius` sentences, either way, from a node of `path` (all beads of both
 * documents in their order). */
vl_status align_band_around(vl_arena *arena, const align_step *path, size_t steps,
                            size_t a_count, size_t b_count, size_t radius, align_band *band,
                            vl_error *error);
static inline bool align_band_has(const align_band *band, size_t i, size_t j) {
    return i <= band->a_count && j >= band->low[i] && j <= band->high[i];
}

/* What a bead costs that ends at node (i, j) and has m and n sentences, both at least 1. */
typedef double (*align_cost_fn)(const void *user, size_t i, size_t j, size_t m, size_t n);
typedef struct align_costs {
    align_cost_fn bead;
    const void *user;
    double alone;     /* a sentence that has no counterpart */
    bool one_to_one;  /* no other beads */
    double sharpness; /* of posteriors: costs are multiplied by it; 0: no posteriors wanted */
} align_costs;
/* The cheapest way, in order, in the arena; there are at most a_count + b_count steps.
 * VL_ERR_MEMORY. */
vl_status align_band_path(vl_arena *arena, const align_band *band, const align_costs *costs,
                          align_step **path, size_t *steps, vl_error *error);

#endif
