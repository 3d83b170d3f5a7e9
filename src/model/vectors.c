/* vectors.c — an index of vectors: read by mmap, checked before a byte of it is believed, and
 * searched.
 *
 * A search is bound by how fast memory is read: of 100,000 vectors of 256 values the rounded
 * part is 27 MB and all of it is read, once; the other half only for the few vectors that may
 * be among the hits. In reading order: layout and checksum, opening, one vector, the search. */
#include "model/vectors.h"

#include <vislang/kernel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct vl_vectors {
    vl_source source;
    const vectors_header *header;
    const vectors_entry *entries;
    const char *rounded, *rest, *names;
    size_t count, size, padded, row;
};

/* ---- layout and checksum ---------------------------------------------------------- */

static uint64_t aligned(uint64_t at) {
    return (at + VECTORS_ALIGNMENT - 1) / VECTORS_ALIGNMENT * VECTORS_ALIGNMENT;
}

vectors_layout vectors_layout_of(uint64_t count, uint32_t size, uint64_t name_bytes) {
    vectors_layout at = {.row = vl_dtype_row_bytes(VL_Q8_0, vectors_padded(size))};
    at.entries = sizeof(vectors_header);
    at.rounded = at.entries + count * sizeof(vectors_entry);
    at.rest = aligned(at.rounded + count * at.row);
    at.names = aligned(at.rest + count * at.row);
    at.checksum = aligned(at.names + name_bytes);
    at.end = at.checksum + VECTORS_CHECKSUM_BYTES;
    return at;
}

static inline uint64_t sum_step(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15); /* 2^64 / golden ratio, odd */
    return sum << 29 | sum >> 35;
}

vectors_sum vectors_sum_begin(void) {
    return (vectors_sum){{1, 2, 3, 4}};
}

void vectors_sum_add(vectors_sum *sum, const void *bytes, size_t count) {
    const char *at = bytes;
    for (const char *end = at + count; at < end; at += 32) {
        uint64_t word[4];
        memcpy(word, at, sizeof word);
        for (size_t i = 0; i < 4; i++)
            sum->lane[i] = sum_step(sum->lane[i], word[i]);
    }
}

uint64_t vectors_sum_end(const vectors_sum *sum) {
    uint64_t whole = 0;
    for (size_t i = 0; i < 4; i++)
        whole = sum_step(whole, sum->lane[i]);
    return whole;
}

/* ---- opening ---------------------------------------------------------------------- */

#define refuse(v, at, error, ...)                                                              \
    vl_refuse(&(v)->source, (size_t)(at), (error), VL_ERR_INPUT, __VA_ARGS__)

const char *vectors_name_fault(const char *name, size_t length) {
    if (!length)
        return "is empty";
    if (length > VL_VECTORS_MAX_NAME)
        return "is too long";
    if (memchr(name, 0, length))
        return "holds a NUL";
    if (name[0] == '/')
        return "is absolute";
    for (const char *part = name, *end = name + length; part < end;) {
        const char *slash = memchr(part, '/', (size_t)(end - part));
        size_t bytes = (size_t)((slash ? slash : end) - part);
        if (bytes == 2 && !memcmp(part, "..", 2))
            return "leads out of the folder";
        part += bytes + 1;
    }
    return NULL;
}

const char *vectors_model_fault(const char *model, size_t length) {
    if (length >= VL_VECTORS_MODEL_SIZE)
        return "is too long";
    return vl_name_fault(model, length, VL_VECTORS_MODEL_SIZE);
}

static bool all_zero(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i])
            return false;
    return true;
}

static bool is_length(float value) {
    return isfinite(value) && value >= 0;
}

static vl_status check_header(const vl_vectors *v, vl_error *error) {
    const vectors_header *h = (const vectors_header *)(const void *)v->source.bytes;
    size_t bytes = v->source.count;
    if (bytes < sizeof h->magic || memcmp(h->magic, VECTORS_MAGIC, sizeof h->magic) != 0)
        return refuse(v, 0, error, "this is no index of vectors");
    if (bytes < sizeof *h + VECTORS_CHECKSUM_BYTES)
        return refuse(v, bytes, error, "the file ends inside its header");
    if (h->version != VECTORS_VERSION)
        return vl_refuse(&v->source, offsetof(vectors_header, version), error,
                         h->version > VECTORS_VERSION ? VL_ERR_UNSUPPORTED : VL_ERR_INPUT,
                         "version %u; version %d is read", h->version, VECTORS_VERSION);
    if (!h->size || h->size > VL_VECTORS_MAX_SIZE)
        return refuse(v, offsetof(vectors_header, size), error,
                      "vectors of %u values; 1 to %d are read", h->size, VL_VECTORS_MAX_SIZE);
    if (h->count > VL_VECTORS_MAX_COUNT)
        return refuse(v, offsetof(vectors_header, count), error,
                      "%llu vectors; the limit is %u", (unsigned long long)h->count,
                      VL_VECTORS_MAX_COUNT);
    if (h->name_bytes > h->count * (VL_VECTORS_MAX_NAME + 1))
        return refuse(v, offsetof(vectors_header, name_bytes), error,
                      "%llu bytes of names for %llu vectors", (unsigned long long)h->name_bytes,
                      (unsigned long long)h->count);
    if (!is_length(h->longest) || !is_length(h->error))
        return refuse(v, offsetof(vectors_header, longest), error, "a length that is none");
    size_t model = strnlen(h->model, sizeof h->model);
    const char *fault = vectors_model_fault(h->model, model);
    if (fault)
        return refuse(v, offsetof(vectors_header, model), error, "the model's name %s", fault);
    if (!all_zero(h->model + model, sizeof h->model - model) ||
        !all_zero(h->zero, sizeof h->zero))
        return refuse(v, offsetof(vectors_header, model) + model, error,
                      "bytes that mean nothing are not zero");
    return VL_OK;
}

static vl_status check_sections(const vl_vectors *v, const vectors_layout *at,
                                vl_error *error) {
    const unsigned char *bytes = v->source.bytes;
    if (at->end != v->source.count)
        return refuse(v, v->source.count, error,
                      "the file ends here, and %zu vectors of %zu values end at %llu", v->count,
                      v->size, (unsigned long long)at->end);
    vectors_sum sum = vectors_sum_begin();
    vectors_sum_add(&sum, bytes, at->checksum);
    uint64_t said;
    memcpy(&said, bytes + at->checksum, sizeof said);
    if (vectors_sum_end(&sum) != said)
        return refuse(v, at->checksum, error, "the checksum is not that of the file");
    const uint64_t gaps[][2] = {{at->rounded + v->count * v->row, at->rest},
                                {at->rest + v->count * v->row, at->names},
                                {at->names + v->header->name_bytes, at->checksum}};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++)
        if (!all_zero((const char *)bytes + gaps[i][0], gaps[i][1] - gaps[i][0]))
            return refuse(v, gaps[i][0], error, "bytes between sections are not zero");
    return VL_OK;
}

static vl_status check_name(const vl_vectors *v, const vectors_layout *layout, size_t i,
                            vl_error *error) {
    const vectors_entry *entry = &v->entries[i];
    size_t at = layout->entries + i * sizeof *entry;
    uint64_t start = i ? entry[-1].name_at + entry[-1].name_length + 1 : 0;
    uint64_t room = v->header->name_bytes - start; /* entries before this one fit */
    if (entry->zero)
        return refuse(v, at, error, "entry %zu: bytes that mean nothing are not zero", i);
    if (entry->name_at != start || entry->name_length >= room)
        return refuse(v, at, error, "entry %zu: the name is not where it must be", i);
    const char *name = v->names + start;
    at = layout->names + start;
    const char *fault = vectors_name_fault(name, entry->name_length);
    if (fault)
        return refuse(v, at, error, "entry %zu: the name %s", i, fault);
    if (name[entry->name_length])
        return refuse(v, at, error, "entry %zu: the name does not end", i);
    if (i && strcmp(v->names + entry[-1].name_at, name) >= 0)
        return refuse(v, at, error, "entry %zu: the name does not follow the one before", i);
    return VL_OK;
}

/* A scale that is infinite or no number, in rows at `rows`; SIZE_MAX: none. Its bits are looked
 * at without a branch a block. */
static size_t bad_row(const vl_vectors *v, const char *rows) {
    enum { EXPONENT = 0x7C00 };
    const vl_block_q8_0 *block = (const vl_block_q8_0 *)(const void *)rows;
    size_t blocks = v->padded / VL_Q8_0_WEIGHTS;
    for (size_t i = 0; i < v->count; i++, block += blocks) {
        bool bad = false;
        for (size_t b = 0; b < blocks; b++)
            bad |= (block[b].d & EXPONENT) == EXPONENT;
        if (bad)
            return i;
    }
    return SIZE_MAX;
}

static vl_status check_content(const vl_vectors *v, const vectors_layout *at, vl_error *error) {
    for (size_t i = 0; i < v->count; i++) {
        vl_status status = check_name(v, at, i, error);
        if (status)
            return status;
    }
    const vectors_entry *last = v->count ? &v->entries[v->count - 1] : NULL;
    uint64_t used = last ? last->name_at + last->name_length + 1 : 0;
    if (used != v->header->name_bytes)
        return refuse(v, at->names + used, error, "names that belong to no vector");
    size_t bad = bad_row(v, v->rounded);
    if (bad != SIZE_MAX)
        return refuse(v, at->rounded + bad * v->row, error, "vector %zu is not finite", bad);
    bad = bad_row(v, v->rest);
    if (bad != SIZE_MAX)
        return refuse(v, at->rest + bad * v->row, error, "vector %zu is not finite", bad);
    return VL_OK;
}

/* Takes over v->source. */
static vl_status read_index(vl_vectors *v, vl_error *error) {
    vl_status status = check_header(v, error);
    if (status)
        return status;
    const char *bytes = (const char *)v->source.bytes;
    v->header = (const vectors_header *)(const void *)bytes;
    v->count = (size_t)v->header->count;
    v->size = v->header->size;
    v->padded = vectors_padded(v->size);
    vectors_layout at = vectors_layout_of(v->count, v->header->size, v->header->name_bytes);
    v->row = at.row;
    status = check_sections(v, &at, error);
    if (status)
        return status;
    v->entries = (const vectors_entry *)(const void *)(bytes + at.entries);
    v->rounded = bytes + at.rounded;
    v->rest = bytes + at.rest;
    v->names = bytes + at.names;
    return check_content(v, &at, error);
}

static vl_status open_source(vl_vectors *v, vl_status status, vl_vectors **vectors,
                             vl_error *error) {
    if (!status)
        status = read_index(v, error);
    if (status)
        vl_vectors_free(v);
    else
        *vectors = v;
    return status;
}

vl_status vl_vectors_open(const char *path, vl_vectors **vectors, vl_error *error) {
    *vectors = NULL;
    vl_vectors *v = calloc(1, sizeof *v);
    if (!v)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to open %s", path);
    return open_source(v, vl_source_open(path, &v->source, error), vectors, error);
}

vl_status vl_vectors_parse(const void *bytes, size_t count, vl_vectors **vectors,
                           vl_error *error) {
    *vectors = NULL;
    vl_vectors *v = calloc(1, sizeof *v);
    if (!v)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to open an index");
    return open_source(v, vl_source_wrap(bytes, count, &v->source, error), vectors, error);
}

void vl_vectors_free(vl_vectors *vectors) {
    if (!vectors)
        return;
    vl_source_close(&vectors->source);
    free(vectors);
}

/* ---- one vector ------------------------------------------------------------------- */

size_t vl_vectors_count(const vl_vectors *vectors) {
    return vectors->count;
}

size_t vl_vectors_size(const vl_vectors *vectors) {
    return vectors->size;
}

const char *vl_vectors_model(const vl_vectors *vectors) {
    return vectors->header->model;
}

const char *vl_vectors_name(const vl_vectors *vectors, size_t index) {
    return index < vectors->count ? vectors->names + vectors->entries[index].name_at : NULL;
}

bool vl_vectors_at(const vl_vectors *vectors, size_t index, vl_vectors_picture *picture) {
    if (index >= vectors->count)
        return false;
    const vectors_entry *entry = &vectors->entries[index];
    *picture = (vl_vectors_picture){.name = vectors->names + entry->name_at,
                                    .bytes = entry->bytes,
                                    .mtime_ns = entry->mtime_ns};
    memcpy(picture->hash, entry->hash, sizeof picture->hash);
    return true;
}

size_t vl_vectors_find(const vl_vectors *vectors, const char *name) {
    size_t low = 0, high = vectors->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, vectors->names + vectors->entries[middle].name_at);
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}

vectors_row vectors_row_at(const vl_vectors *v, size_t index) {
    size_t at = index * v->row;
    return (vectors_row){(const vl_block_q8_0 *)(const void *)(v->rounded + at),
                         (const vl_block_q8_0 *)(const void *)(v->rest + at)};
}

void vectors_row_unpack(vectors_row row, size_t padded, float *vector) {
    float rest[VL_Q8_0_WEIGHTS];
    for (size_t i = 0; i < padded / VL_Q8_0_WEIGHTS; i++, vector += VL_Q8_0_WEIGHTS) {
        vl_quant_to_f32(vector, VL_Q8_0, row.rounded + i, VL_Q8_0_WEIGHTS);
        vl_quant_to_f32(rest, VL_Q8_0, row.rest + i, VL_Q8_0_WEIGHTS);
        for (size_t j = 0; j < VL_Q8_0_WEIGHTS; j++)
            vector[j] += rest[j] * (1 / VECTORS_REST_SCALE);
    }
}

void vl_vectors_get(const vl_vectors *vectors, size_t index, float *vector) {
    float padded[VL_VECTORS_MAX_SIZE];
    vectors_row_unpack(vectors_row_at(vectors, index), vectors->padded, padded);
    memcpy(vector, padded, vectors->size * sizeof *vector);
}

/* ---- the search ------------------------------------------------------------------- */

static bool worse(vl_vectors_hit a, vl_vectors_hit b) {
    return a.score < b.score || (a.score == b.score && a.index > b.index);
}

/* hits[at] moves down a heap of `count` whose root is the worst. */
static void sift(vl_vectors_hit *hits, size_t count, size_t at) {
    vl_vectors_hit moved = hits[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && worse(hits[child + 1], hits[child]))
            child++;
        if (!worse(hits[child], moved))
            break;
        hits[at] = hits[child];
    }
    hits[at] = moved;
}

/* Keeps the best `k` of what it is offered. */
static inline void offer(vl_vectors_hit *hits, size_t *count, size_t k, vl_vectors_hit hit) {
    if (*count == k) {
        if (!worse(hits[0], hit))
            return;
        hits[0] = hit;
        sift(hits, k, 0);
        return;
    }
    hits[(*count)++] = hit;
    if (*count == k)
        for (size_t i = k / 2; i-- > 0;)
            sift(hits, k, i);
}

/* A heap of `count` becomes a list, best first. */
static void sort_hits(vl_vectors_hit *hits, size_t count) {
    for (size_t left = count; left > 1;) {
        vl_vectors_hit last = hits[--left];
        hits[left] = hits[0];
        hits[0] = last;
        sift(hits, left, 0);
    }
}

static double length_of(const float *x, size_t n) {
    double square = 0;
    for (size_t i = 0; i < n; i++)
        square += (double)x[i] * (double)x[i];
    return sqrt(square);
}

/* How far q·v can be from the product of what both were rounded to. By Cauchy and Schwarz:
 * |q·v − q'·v'| ≤ |q|·|v − v'| + |q − q'|·|v'|; and the floats of the product have 24 bits. */
static double error_bound(const vl_vectors *v, const float *query, double length,
                          const vl_quant_input *rounded) {
    double square = 0;
    for (size_t i = 0; i < v->padded; i++) {
        double error =
            (double)query[i] - (double)rounded->scale[i / VL_QUANT_BLOCK] * rounded->q[i];
        square += error * error;
    }
    double longest = (double)v->header->longest;
    return length * (double)v->header->error + sqrt(square) * longest + 1e-5 * length * longest;
}

static float exact_score(const vl_vectors *v, const float *query, size_t index) {
    float vector[VL_VECTORS_MAX_SIZE];
    double sum = 0;
    vectors_row_unpack(vectors_row_at(v, index), v->padded, vector);
    for (size_t i = 0; i < v->padded; i++)
        sum += (double)query[i] * (double)vector[i];
    return (float)sum;
}

/* `query` is padded with zeros; `memory` has room for it rounded, `scores` for all vectors. */
static size_t best(const vl_vectors *v, const float *query, double length, void *memory,
                   float *scores, size_t k, vl_vectors_hit *hits) {
    vl_quant_input rounded = vl_quant_round(memory, query, 1, v->padded);
    vl_quant_gemv(scores, &rounded, VL_Q8_0, v->rounded, v->count, NULL);
    size_t count = 0;
    for (size_t i = 0; i < v->count; i++)
        offer(hits, &count, k, (vl_vectors_hit){i, scores[i]});
    double lowest = (double)hits[0].score - 2 * error_bound(v, query, length, &rounded);
    count = 0;
    for (size_t i = 0; i < v->count; i++)
        if ((double)scores[i] >= lowest)
            offer(hits, &count, k, (vl_vectors_hit){i, exact_score(v, query, i)});
    sort_hits(hits, count);
    return count;
}

vl_status vl_vectors_search(const vl_vectors *v, const float *query, size_t k,
                            vl_vectors_hit *hits, size_t *count, vl_error *error) {
    enum { LONGEST_QUERY = 1000000 };
    *count = 0;
    double length = length_of(query, v->size);
    if (!(length <= LONGEST_QUERY))
        return vl_fail(error, VL_ERR_USAGE,
                       "the vector to search for is not finite, or has a "
                       "length over %d",
                       LONGEST_QUERY);
    k = k < v->count ? k : v->count;
    if (!k)
        return VL_OK;
    size_t rounded = vl_quant_input_bytes(1, v->padded), padded = v->padded * sizeof(float);
    char *memory = NULL;
    if (posix_memalign((void **)&memory, 64, rounded + padded + v->count * sizeof(float)) != 0)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to search %zu vectors", v->count);
    float *copy = (float *)(void *)(memory + rounded);
    memset(copy, 0, padded);
    memcpy(copy, query, v->size * sizeof *query);
    *count = best(v, copy, length, memory, copy + v->padded, k, hits);
    free(memory);
    return VL_OK;
}
