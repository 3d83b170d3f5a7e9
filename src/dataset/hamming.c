/* hamming.c — see hamming.h. */
#include "dataset/hamming.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHUNKS_MOST = 16,
    CHUNK_BITS_MOST = 22,
    PIECE = 192 * 1024,
    ASK_EVERY = 4096,
    CROWDED = 16
};

typedef struct chunk {
    unsigned shift, bits, radius;
    bool used; /* false: its radius is below 0 */
} chunk;

typedef struct join {
    spill *hashes;
    unsigned distance;
    hamming_near near;
    hamming_known known;
    void *user;
    size_t first, count;     /* the part that is in the table */
    uint32_t *starts;        /* [2^bits + 1]: where each value's entries begin */
    uint32_t *together;      /* [2^bits]: of a value's entries the first so many are known */
    hamming_record *entries; /* [count], by the chunk's value */
} join;

static uint64_t hash_of(const hamming_record *r) {
    return (uint64_t)r->high << 32 | r->low;
}

static uint32_t value_of(uint64_t hash, const chunk *c) {
    return (uint32_t)(hash >> c->shift & ((UINT64_C(1) << c->bits) - 1));
}

/* ---- chunks ----------------------------------------------------------------------- */

/* m: 64 / log2(count), rounded, but no chunk of more than CHUNK_BITS_MOST. */
static unsigned chunks_for(size_t count) {
    unsigned bits = 4;
    while (bits < CHUNK_BITS_MOST && count >> bits)
        bits++;
    unsigned m = (64 + bits / 2) / bits;
    while ((64 + m - 1) / m > CHUNK_BITS_MOST)
        m++;
    return m < CHUNKS_MOST ? m : CHUNKS_MOST;
}

/* From the top: hashes that come in their order look up their widest neighbourhoods near where
 * the one before did, in the processor's cache. */
static void chunks_make(chunk chunks[CHUNKS_MOST], unsigned m, unsigned distance) {
    unsigned q = distance / m, a = distance % m;
    for (unsigned i = 0, shift = 64; i < m; i++) {
        unsigned bits = 64 / m + (i < 64 % m);
        bool wide = i <= a;
        shift -= bits;
        chunks[i] = (chunk){shift, bits, wide ? q : q - 1, wide || q > 0};
    }
}

/* ---- the table of a part ---------------------------------------------------------- */

static vl_status each(join *j, size_t first, size_t count, spill_reader *reader,
                      vl_error *error) {
    return spill_reader_init(reader, j->hashes, first * sizeof(hamming_record),
                             (first + count) * sizeof(hamming_record), PIECE, error);
}

static vl_status table_pass(join *j, const chunk *c, bool placing, vl_error *error) {
    spill_reader reader;
    const void *bytes;
    vl_status status = each(j, j->first, j->count, &reader, error);
    while (!status &&
           !(status = spill_reader_next(&reader, sizeof(hamming_record), &bytes, error)) &&
           bytes) {
        hamming_record record;
        memcpy(&record, bytes, sizeof record);
        uint32_t value = value_of(hash_of(&record), c);
        if (placing)
            j->entries[--j->starts[value + 1]] = record;
        else
            j->starts[value + 1]++;
    }
    spill_reader_deinit(&reader);
    return status;
}

/* Counting sort: starts[v + 1] is the end of v's entries, and comes down to their start. */
static vl_status table_make(join *j, const chunk *c, vl_error *error) {
    size_t values = (size_t)1 << c->bits;
    memset(j->starts, 0, (values + 2) * sizeof *j->starts);
    memset(j->together, 0, values * sizeof *j->together);
    vl_status status = table_pass(j, c, false, error);
    for (size_t v = 0; v < values; v++)
        j->starts[v + 1] += j->starts[v];
    j->starts[values + 1] = (uint32_t)j->count;
    return status ? status : table_pass(j, c, true, error);
}

/* ---- looking up ------------------------------------------------------------------- */

typedef struct probe {
    const join *join;
    const chunk *chunk;
    uint64_t hash;
    uint32_t item;
} probe;

static unsigned differing(uint64_t x) {
    x -= x >> 1 & UINT64_C(0x5555555555555555); /* Warren, Hacker's Delight, section 5-1 */
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (unsigned)(x * UINT64_C(0x0101010101010101) >> 56);
}

/* Puts those that are known to be like the probe first; returns where they end. */
static uint32_t gather(const probe *p, uint32_t first, uint32_t end) {
    const join *j = p->join;
    for (uint32_t i = first; i < end; i++)
        if (j->known(j->user, p->item, j->entries[i].item)) {
            hamming_record like = j->entries[i];
            j->entries[i] = j->entries[first];
            j->entries[first++] = like;
        }
    return first;
}

/* Of many entries of a value: all before the returned one are known to be like the probe. The
 * greater part that is alike stays in front, so that most probes find it there. */
static uint32_t pass_over(const probe *p, uint32_t value, uint32_t first, uint32_t end) {
    const join *j = p->join;
    uint32_t *together = &j->together[value], at = first;
    if (*together && j->known(j->user, p->item, j->entries[first].item))
        at = gather(p, first + *together, end);
    else if (*together < (end - first) / 4)
        at = gather(p, first, end);
    if (at > first)
        *together = at - first;
    return at;
}

/* A pair is given from its greater hash alone; in a crowd from both, so that it soon is known.
 */
static void look_up(const probe *p, uint32_t value) {
    const join *j = p->join;
    uint32_t first = j->starts[value + 1], end = j->starts[value + 2];
    bool crowded = j->known && end - first >= CROWDED;
    if (crowded)
        first = pass_over(p, value, first, end);
    for (uint32_t i = first; i < end; i++) {
        uint64_t other = hash_of(&j->entries[i]);
        if ((crowded ? other != p->hash : other < p->hash) &&
            differing(other ^ p->hash) <= j->distance)
            j->near(j->user, p->item, j->entries[i].item);
    }
}

/* All values that differ from `value` in up to `left` of the bits from `bit` on. */
static void look_around(const probe *p, uint32_t value, unsigned bit, unsigned left) {
    look_up(p, value);
    for (; left && bit < p->chunk->bits; bit++)
        look_around(p, value ^ UINT32_C(1) << bit, bit + 1, left - 1);
}

static vl_status look_up_all(join *j, const chunk *c, size_t total, vl_error *error) {
    spill_reader reader;
    const void *bytes;
    size_t asked = 0;
    vl_status status = each(j, 0, total, &reader, error);
    while (!status &&
           !(status = spill_reader_next(&reader, sizeof(hamming_record), &bytes, error)) &&
           bytes) {
        hamming_record record;
        memcpy(&record, bytes, sizeof record);
        probe p = {j, c, hash_of(&record), record.item};
        look_around(&p, value_of(p.hash, c), 0, c->radius);
        if (++asked % ASK_EVERY == 0)
            status = vl_stop_check(error);
    }
    spill_reader_deinit(&reader);
    return status;
}

vl_status hamming_join(spill *hashes, size_t count, unsigned distance, size_t memory,
                       hamming_near near, hamming_known known, void *user, vl_error *error) {
    chunk chunks[CHUNKS_MOST];
    if (distance > HAMMING_MOST)
        return vl_fail(error, VL_ERR_USAGE, "hashes are near up to %d bits apart, not %u",
                       HAMMING_MOST, distance);
    if (memory < HAMMING_LEAST_MEMORY)
        return vl_fail(error, VL_ERR_USAGE, "%zu bytes are too few to look hashes up in",
                       memory);
    /* A table's starts may take half of the memory. */
    size_t most = count;
    while (most > 256 && (2 * sizeof(uint32_t) << ((64 / chunks_for(most)) + 1)) > memory / 2)
        most /= 2;
    unsigned m = chunks_for(most);
    chunks_make(chunks, m, distance);
    size_t values = (size_t)1 << chunks[0].bits;
    size_t part = (memory - 2 * (values + 2) * sizeof(uint32_t)) / sizeof(hamming_record);
    join j = {
        .hashes = hashes, .distance = distance, .near = near, .known = known, .user = user};
    part = part < count ? part : count;
    j.starts = malloc((values + 2) * sizeof *j.starts);
    j.together = malloc(values * sizeof *j.together);
    j.entries = malloc((part ? part : 1) * sizeof *j.entries);
    vl_status status = VL_OK;
    if (!j.starts || !j.together || !j.entries)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory to look up %zu hashes", count);
    for (j.first = 0; j.first < count && !status; j.first += part) {
        j.count = part < count - j.first ? part : count - j.first;
        for (unsigned i = 0; i < m && !status; i++) {
            if (!chunks[i].used)
                continue;
            status = table_make(&j, &chunks[i], error);
            if (!status)
                status = look_up_all(&j, &chunks[i], count, error);
        }
    }
    free(j.starts);
    free(j.together);
    free(j.entries);
    return status;
}
