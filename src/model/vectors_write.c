/* vectors_write.c — an index of vectors on its way to a file.
 *
 * A writer holds entries in the order they came, each with its vector in two parts (vectors.h):
 * memory of its own for a new one, a view of an open index for one that is kept. Writing sorts
 * pointers to them and streams the sections through the checksum. */
#include "model/vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
    vl_vectors_picture picture; /* its name is ours */
    vectors_row row;
    vl_block_q8_0 *own; /* memory of `row`, or NULL */
    bool dropped;
} entry;

struct vl_vectors_writer {
    char model[VL_VECTORS_MODEL_SIZE];
    size_t size, padded, blocks; /* of a row */
    entry *entries;
    size_t count, capacity, dropped;
};

vl_status vl_vectors_writer_new(const char *model, size_t size, vl_vectors_writer **writer,
                                vl_error *error) {
    *writer = NULL;
    const char *fault = vectors_model_fault(model, strlen(model));
    if (fault)
        return vl_fail(error, VL_ERR_USAGE, "an index for a model whose name %s", fault);
    if (!size || size > VL_VECTORS_MAX_SIZE)
        return vl_fail(error, VL_ERR_USAGE, "an index of vectors of %zu values; 1 to %d fit it",
                       size, VL_VECTORS_MAX_SIZE);
    vl_vectors_writer *w = calloc(1, sizeof *w);
    if (!w)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an index");
    strcpy(w->model, model);
    w->size = size;
    w->padded = vectors_padded(size);
    w->blocks = w->padded / VL_Q8_0_WEIGHTS;
    *writer = w;
    return VL_OK;
}

static void entry_clear(entry *e) {
    free(e->own);
    e->own = NULL;
}

void vl_vectors_writer_free(vl_vectors_writer *writer) {
    if (!writer)
        return;
    for (size_t i = 0; i < writer->count; i++) {
        entry_clear(&writer->entries[i]);
        free((char *)(uintptr_t)writer->entries[i].picture.name);
    }
    free(writer->entries);
    free(writer);
}

size_t vl_vectors_writer_count(const vl_vectors_writer *writer) {
    return writer->count - writer->dropped;
}

/* ---- entries ---------------------------------------------------------------------- */

/* A place for `picture`, without a vector; it counts once writer->count is raised. */
static vl_status add_entry(vl_vectors_writer *w, const vl_vectors_picture *picture,
                           entry **added, vl_error *error) {
    const char *fault = vectors_name_fault(picture->name, strlen(picture->name));
    if (fault)
        return vl_fail(error, VL_ERR_USAGE, "an index cannot hold '%.200s': the name %s",
                       picture->name, fault);
    if (vl_vectors_writer_count(w) == VL_VECTORS_MAX_COUNT)
        return vl_fail(error, VL_ERR_LIMIT, "an index holds up to %u pictures",
                       VL_VECTORS_MAX_COUNT);
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 64;
        entry *grown = realloc(w->entries, capacity * sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu pictures", capacity);
        w->entries = grown;
        w->capacity = capacity;
    }
    entry *e = &w->entries[w->count];
    *e = (entry){.picture = *picture};
    e->picture.name = strdup(picture->name);
    if (!e->picture.name)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu pictures", w->count + 1);
    *added = e;
    return VL_OK;
}

/* `vector` in two parts into `own`: its rounding, and what that left out. */
static vl_status round_vector(const vl_vectors_writer *w, const float *vector,
                              vl_block_q8_0 *own) {
    enum { LONGEST = 1000 };
    float padded[VL_VECTORS_MAX_SIZE] = {0}, rounded[VL_VECTORS_MAX_SIZE];
    double square = 0;
    for (size_t i = 0; i < w->size; i++) {
        padded[i] = vector[i];
        square += (double)vector[i] * (double)vector[i];
    }
    if (!(square <= (double)LONGEST * LONGEST))
        return VL_ERR_INPUT;
    vl_status status = vl_quantize_row(VL_Q8_0, padded, w->padded, own);
    if (!status)
        status = vl_dequantize_row(VL_Q8_0, own, w->padded, rounded);
    for (size_t i = 0; i < w->padded; i++)
        padded[i] = (padded[i] - rounded[i]) * VECTORS_REST_SCALE;
    return status ? status : vl_quantize_row(VL_Q8_0, padded, w->padded, own + w->blocks);
}

static vl_status own_vector(const vl_vectors_writer *w, const char *name, const float *vector,
                            vl_block_q8_0 **own, vl_error *error) {
    *own = malloc(2 * w->blocks * sizeof **own);
    if (!*own)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the vector of %.200s", name);
    vl_status status = round_vector(w, vector, *own);
    if (!status)
        return VL_OK;
    free(*own);
    return vl_fail(error, status, "%.200s: its vector is not finite, or too long", name);
}

vl_status vl_vectors_add(vl_vectors_writer *w, const vl_vectors_picture *picture,
                         const float *vector, vl_error *error) {
    entry *e;
    vl_block_q8_0 *own;
    vl_status status = own_vector(w, picture->name, vector, &own, error);
    if (status)
        return status;
    status = add_entry(w, picture, &e, error);
    if (status) {
        free(own);
        return status;
    }
    e->own = own;
    e->row = (vectors_row){own, own + w->blocks};
    w->count++;
    return VL_OK;
}

vl_status vl_vectors_keep(vl_vectors_writer *w, const vl_vectors_picture *picture,
                          const vl_vectors *from, size_t index, vl_error *error) {
    if (vl_vectors_size(from) != w->size || index >= vl_vectors_count(from))
        return vl_fail(error, VL_ERR_USAGE, "%.200s: no vector of another size can be kept",
                       picture->name);
    entry *e;
    vl_status status = add_entry(w, picture, &e, error);
    if (status)
        return status;
    e->row = vectors_row_at(from, index);
    w->count++;
    return VL_OK;
}

void vectors_writer_describe(vl_vectors_writer *w, size_t at,
                             const vl_vectors_picture *picture) {
    entry *e = &w->entries[at];
    const char *name = e->picture.name;
    e->picture = *picture;
    e->picture.name = name;
}

vl_status vectors_writer_replace(vl_vectors_writer *w, size_t at,
                                 const vl_vectors_picture *picture, const float *vector,
                                 vl_error *error) {
    vl_block_q8_0 *own;
    vl_status status = own_vector(w, picture->name, vector, &own, error);
    if (status)
        return status;
    entry *e = &w->entries[at];
    entry_clear(e);
    e->own = own;
    e->row = (vectors_row){own, own + w->blocks};
    vectors_writer_describe(w, at, picture);
    return VL_OK;
}

void vectors_writer_replace_kept(vl_vectors_writer *w, size_t at,
                                 const vl_vectors_picture *picture, const vl_vectors *from,
                                 size_t index) {
    entry_clear(&w->entries[at]);
    w->entries[at].row = vectors_row_at(from, index);
    vectors_writer_describe(w, at, picture);
}

void vectors_writer_drop(vl_vectors_writer *w, size_t at) {
    w->dropped += !w->entries[at].dropped;
    w->entries[at].dropped = true;
}

/* ---- the file --------------------------------------------------------------------- */

/* Bytes on their way through the checksum, which takes whole groups of 32. */
typedef struct stream {
    vl_file_writer *file;
    vectors_sum sum;
    uint64_t written;
    size_t waiting;
    char bytes[1 << 16];
} stream;

static void flush(stream *s) {
    vectors_sum_add(&s->sum, s->bytes, s->waiting);
    vl_file_writer_put(s->file, s->bytes, s->waiting, NULL); /* the commit tells of failures */
    s->waiting = 0;
}

static void put(stream *s, const void *bytes, size_t count) {
    const char *at = bytes;
    s->written += count;
    while (count) {
        size_t room = sizeof s->bytes - s->waiting, part = count < room ? count : room;
        memcpy(s->bytes + s->waiting, at, part);
        s->waiting += part;
        at += part;
        count -= part;
        if (s->waiting == sizeof s->bytes)
            flush(s);
    }
}

static void align(stream *s) {
    static const char zeros[VECTORS_ALIGNMENT];
    put(s, zeros, (VECTORS_ALIGNMENT - s->written % VECTORS_ALIGNMENT) % VECTORS_ALIGNMENT);
}

static double length_of(const float *x, size_t n) {
    double square = 0;
    for (size_t i = 0; i < n; i++)
        square += (double)x[i] * (double)x[i];
    return sqrt(square);
}

static float longer(float than, double length) {
    return length > (double)than ? nextafterf((float)length, INFINITY) : than;
}

static vectors_header header_of(const vl_vectors_writer *w, const entry *const *sorted,
                                size_t count) {
    vectors_header h = {.magic = VECTORS_MAGIC,
                        .version = VECTORS_VERSION,
                        .size = (uint32_t)w->size,
                        .count = count};
    strcpy(h.model, w->model);
    for (size_t i = 0; i < count; i++) {
        float part[VL_VECTORS_MAX_SIZE];
        h.name_bytes += strlen(sorted[i]->picture.name) + 1;
        vl_dequantize_row(VL_Q8_0, sorted[i]->row.rounded, w->padded, part);
        h.longest = longer(h.longest, length_of(part, w->padded));
        vl_dequantize_row(VL_Q8_0, sorted[i]->row.rest, w->padded, part);
        h.error = longer(h.error, length_of(part, w->padded) / (double)VECTORS_REST_SCALE);
    }
    return h;
}

static void put_entries(stream *s, const entry *const *sorted, size_t count) {
    uint64_t name_at = 0;
    for (size_t i = 0; i < count; i++) {
        const vl_vectors_picture *p = &sorted[i]->picture;
        vectors_entry e = {.name_at = name_at,
                           .name_length = (uint32_t)strlen(p->name),
                           .bytes = p->bytes,
                           .mtime_ns = p->mtime_ns};
        memcpy(e.hash, p->hash, sizeof e.hash);
        put(s, &e, sizeof e);
        name_at += e.name_length + 1;
    }
}

static void put_sections(stream *s, const vl_vectors_writer *w, const entry *const *sorted,
                         size_t count) {
    size_t row = w->blocks * sizeof(vl_block_q8_0);
    vectors_header header = header_of(w, sorted, count);
    put(s, &header, sizeof header);
    put_entries(s, sorted, count);
    for (size_t i = 0; i < count; i++)
        put(s, sorted[i]->row.rounded, row);
    align(s);
    for (size_t i = 0; i < count; i++)
        put(s, sorted[i]->row.rest, row);
    align(s);
    for (size_t i = 0; i < count; i++)
        put(s, sorted[i]->picture.name, strlen(sorted[i]->picture.name) + 1);
    align(s);
    flush(s);
    uint64_t sum = vectors_sum_end(&s->sum);
    vl_file_writer_put(s->file, &sum, sizeof sum, NULL);
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(const entry *const *)a)->picture.name,
                  (*(const entry *const *)b)->picture.name);
}

static vl_status sort_entries(const vl_vectors_writer *w, const entry ***sorted, size_t *count,
                              vl_error *error) {
    *count = 0;
    *sorted = malloc((w->count + 1) * sizeof **sorted);
    if (!*sorted)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to write %zu pictures", w->count);
    for (size_t i = 0; i < w->count; i++)
        if (!w->entries[i].dropped)
            (*sorted)[(*count)++] = &w->entries[i];
    qsort(*sorted, *count, sizeof **sorted, by_name);
    for (size_t i = 1; i < *count; i++)
        if (by_name(*sorted + i - 1, *sorted + i) == 0)
            return vl_fail(error, VL_ERR_USAGE, "the name %.200s came twice",
                           (*sorted)[i]->picture.name);
    return VL_OK;
}

vl_status vl_vectors_write(vl_vectors_writer *w, const char *path, vl_error *error) {
    const entry **sorted;
    size_t count;
    stream *s = NULL;
    vl_status status = sort_entries(w, &sorted, &count, error);
    if (!status && !(s = calloc(1, sizeof *s)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory to write %s", path);
    if (!status)
        status = vl_file_writer_open(path, &s->file, error);
    if (!status) {
        s->sum = vectors_sum_begin();
        put_sections(s, w, sorted, count);
        status = vl_file_writer_commit(s->file, error);
    }
    free(s);
    free(sorted);
    return status;
}
