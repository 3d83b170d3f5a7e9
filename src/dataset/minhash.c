/* minhash.c — see minhash.h. */
#include "dataset/minhash.h"

#include <math.h>
#include <string.h>

static uint64_t mixed(uint64_t state) {
    return vl_random_next(&state);
}

/* ---- bands ------------------------------------------------------------------------ */

double minhash_curve(double similarity, size_t rows, size_t bands) {
    return 1 - pow(1 - pow(similarity, (double)rows), (double)bands);
}

static size_t bands_of(size_t hashes, size_t rows) {
    size_t bands = hashes / rows;
    return bands < MINHASH_BANDS_MOST ? bands : MINHASH_BANDS_MOST;
}

vl_status minhash_init(minhash *m, size_t hashes, double threshold, uint64_t seed,
                       vl_error *error) {
    if (hashes < MINHASH_LEAST || hashes > MINHASH_MOST || hashes % 16)
        return vl_fail(error, VL_ERR_USAGE,
                       "%d to %d hash functions, a multiple of 16, not %zu", MINHASH_LEAST,
                       MINHASH_MOST, hashes);
    if (!(threshold >= 0.1 && threshold <= 1))
        return vl_fail(error, VL_ERR_USAGE,
                       "texts are near duplicates from a similarity of 0.1 to 1, not %g",
                       threshold);
    size_t rows = 1;
    while (rows < hashes / 4 &&
           minhash_curve(threshold, rows + 1, bands_of(hashes, rows + 1)) >= MINHASH_RECALL)
        rows++;
    *m = (minhash){
        .hashes = hashes, .rows = rows, .bands = bands_of(hashes, rows), .seed = seed};
    for (size_t i = 0; i < hashes; i++) {
        m->factors[i] = (uint32_t)vl_random_next(&seed) | 1;
        m->addends[i] = (uint32_t)vl_random_next(&seed);
    }
    return VL_OK;
}

uint64_t minhash_band_key(const minhash *m, const uint32_t *values, size_t band) {
    uint64_t hash = m->seed ^ band;
    for (size_t row = 0; row < m->rows; row++)
        hash = mixed(hash ^ values[band * m->rows + row]);
    return (uint64_t)(band + 1) << 58 | hash >> 6;
}

/* ---- values ----------------------------------------------------------------------- */

/* One plain loop, compiled twice: what every x86-64 has knows neither a product nor a minimum
 * of 32 bits (22 and 3 µs for 280 shingles and 128 functions). Sixteen functions at a time,
 * whose minima stay in registers. */
static inline __attribute__((always_inline)) void lower(const minhash *m, const uint32_t *set,
                                                        size_t count, uint32_t *values) {
    for (size_t first = 0; first < m->hashes; first += 16) {
        uint32_t least[16];
        memset(least, 0xFF, sizeof least);
        for (size_t s = 0; s < count; s++)
            for (size_t i = 0; i < 16; i++) {
                uint32_t value = set[s] * m->factors[first + i] + m->addends[first + i];
                least[i] = value < least[i] ? value : least[i];
            }
        memcpy(values + first, least, sizeof least);
    }
}

#if defined(__x86_64__)
static __attribute__((target("avx2"))) void lower_avx2(const minhash *m, const uint32_t *set,
                                                       size_t count, uint32_t *values) {
    lower(m, set, count, values);
}
#endif

void minhash_values(const minhash *m, const uint32_t *set, size_t count, uint32_t *values) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        lower_avx2(m, set, count, values);
        return;
    }
#endif
    lower(m, set, count, values);
}

/* ---- sketches --------------------------------------------------------------------- */

size_t minhash_sketch_bytes(const minhash *m) {
    return offsetof(minhash_sketch, body) + m->hashes;
}

/* The top bits after a product that every bit has a part in. */
static uint8_t bits_of(uint32_t value) {
    return (uint8_t)(value * UINT32_C(0x9E3779B1) >> 24);
}

/* `set` without repeats, ascending, into `kept` [most]; MINHASH_MANY when there are more. */
static uint32_t members_of(const uint32_t *set, size_t count, uint32_t *kept, size_t most) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = n;
        while (at && kept[at - 1] > set[i])
            at--;
        if (at && kept[at - 1] == set[i])
            continue;
        if (n == most)
            return MINHASH_MANY;
        memmove(kept + at + 1, kept + at, (n - at) * sizeof *kept);
        kept[at] = set[i];
        n++;
    }
    return (uint32_t)n;
}

vl_status minhash_of(const minhash *m, vl_arena *arena, const shingles *of, uint32_t *values,
                     minhash_sketch *sketch, vl_error *error) {
    uint32_t *set = vl_arena_array(arena, of->count, sizeof *set);
    if (!set)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu shingles", of->count);
    for (size_t i = 0; i < of->count; i++)
        set[i] = (uint32_t)(of->hashes[i] >> 32);
    minhash_values(m, set, of->count, values);
    memset(sketch, 0, sizeof *sketch);
    sketch->text = of->text;
    sketch->members = members_of(set, of->count, sketch->body.set, m->hashes / 4);
    if (sketch->members == MINHASH_MANY)
        for (size_t i = 0; i < m->hashes; i++)
            sketch->body.bits[i] = bits_of(values[i]);
    return VL_OK;
}

static double exact(const minhash_sketch *a, const minhash_sketch *b) {
    size_t i = 0, j = 0, both = 0;
    while (i < a->members && j < b->members) {
        uint32_t x = a->body.set[i], y = b->body.set[j];
        both += x == y;
        i += x <= y;
        j += y <= x;
    }
    size_t either = a->members + b->members - both;
    return either ? (double)both / (double)either : 0;
}

/* The bits that a sketch holds, or those of the set that it holds. */
static const uint8_t *bits(const minhash *m, const minhash_sketch *sketch, uint8_t *room) {
    uint32_t values[MINHASH_MOST];
    if (sketch->members == MINHASH_MANY)
        return sketch->body.bits;
    minhash_values(m, sketch->body.set, sketch->members, values);
    for (size_t i = 0; i < m->hashes; i++)
        room[i] = bits_of(values[i]);
    return room;
}

double minhash_similarity(const minhash *m, const minhash_sketch *a, const minhash_sketch *b) {
    uint8_t rooms[2][MINHASH_MOST];
    if (a->members != MINHASH_MANY && b->members != MINHASH_MANY)
        return exact(a, b);
    const uint8_t *x = bits(m, a, rooms[0]), *y = bits(m, b, rooms[1]);
    size_t equal = 0;
    for (size_t i = 0; i < m->hashes; i++)
        equal += x[i] == y[i];
    double chance = 1.0 / 256, share = (double)equal / (double)m->hashes;
    return share > chance ? (share - chance) / (1 - chance) : 0;
}
