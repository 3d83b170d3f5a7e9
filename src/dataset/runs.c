/* runs.c — external merge sort; see spill.h.
 *
 * A record on disk is 12 bytes: the key's two halves and the item. A run is sorted by its keys'
 * bytes, the least first (a digit that all keys share is left out), between two arrays of half
 * the memory each. The merge takes the least head of all runs from a heap. */
#include "dataset/spill.h"

#include <stdlib.h>
#include <string.h>

enum { RUNS_MOST = 65536, LEAST_PIECE = 3072 };

typedef struct record {
    uint32_t high, low, item;
} record;

typedef struct run {
    uint64_t start, end;
} run;

struct runs {
    spill *file; /* NULL: nothing was written, all is in `held` */
    char *folder;
    size_t memory;
    record *held, *other; /* [capacity] */
    size_t count, capacity, next;
    run *all;
    size_t run_count;
    spill_reader *readers; /* [run_count] */
    runs_record *heads;    /* [run_count]: what each run is at */
    uint32_t *heap;        /* runs, the one with the least head first */
    size_t heap_count;
};

static uint64_t key_of(const record *r) {
    return (uint64_t)r->high << 32 | r->low;
}

vl_status runs_new(const char *folder, size_t memory, runs **out, vl_error *error) {
    *out = NULL;
    if (memory < RUNS_LEAST_MEMORY)
        return vl_fail(error, VL_ERR_USAGE, "%zu bytes are too few to sort in", memory);
    runs *r = calloc(1, sizeof *r);
    char *copy = strdup(folder ? folder : "");
    if (!r || !copy) {
        free(r);
        free(copy);
        return vl_fail(error, VL_ERR_MEMORY, "no memory to sort in");
    }
    r->folder = copy;
    r->memory = memory;
    r->capacity = memory / 2 / sizeof(record);
    *out = r;
    return VL_OK;
}

static void arrays_free(runs *r) {
    free(r->held);
    free(r->other);
    r->held = r->other = NULL;
}

void runs_free(runs *r) {
    if (!r)
        return;
    for (size_t i = 0; r->readers && i < r->run_count; i++)
        spill_reader_deinit(&r->readers[i]);
    arrays_free(r);
    spill_free(r->file);
    free(r->readers);
    free(r->heads);
    free(r->heap);
    free(r->all);
    free(r->folder);
    free(r);
}

uint64_t runs_spilled(const runs *r) {
    return r->file ? spill_size(r->file) : 0;
}

/* ---- one run ---------------------------------------------------------------------- */

static size_t digit(const record *r, int place) {
    return (place < 4 ? r->low >> (8 * place) : r->high >> (8 * (place - 4))) & 255;
}

/* By one digit, keeping the order of equal ones. False: all have the same, nothing moved. */
static bool sort_digit(const record *from, record *to, size_t count, int place) {
    size_t starts[256] = {0}, sum = 0;
    for (size_t i = 0; i < count; i++)
        starts[digit(&from[i], place)]++;
    if (starts[digit(&from[0], place)] == count)
        return false;
    for (size_t d = 0; d < 256; d++) {
        size_t n = starts[d];
        starts[d] = sum;
        sum += n;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[digit(&from[i], place)]++] = from[i];
    return true;
}

static void sort_held(runs *r) {
    for (int place = 0; place < 8 && r->count > 1; place++)
        if (sort_digit(r->held, r->other, r->count, place)) {
            record *sorted = r->other;
            r->other = r->held;
            r->held = sorted;
        }
}

static vl_status write_run(runs *r, vl_error *error) {
    vl_status status = VL_OK;
    if (r->run_count == RUNS_MOST)
        return vl_fail(error, VL_ERR_LIMIT, "too much to sort in %zu bytes of memory",
                       r->memory);
    run *grown = realloc(r->all, (r->run_count + 1) * sizeof *grown);
    if (!grown)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to sort in");
    r->all = grown;
    if (!r->file)
        status = spill_open(r->folder, &r->file, error);
    if (status)
        return status;
    sort_held(r);
    r->all[r->run_count].start = spill_size(r->file);
    status = spill_append(r->file, r->held, r->count * sizeof *r->held, error);
    r->all[r->run_count++].end = spill_size(r->file);
    r->count = 0;
    return status;
}

vl_status runs_add(runs *r, uint64_t key, uint32_t item, vl_error *error) {
    if (!r->held) {
        r->held = malloc(r->capacity * sizeof *r->held);
        r->other = malloc(r->capacity * sizeof *r->other);
        if (!r->held || !r->other)
            return vl_fail(error, VL_ERR_MEMORY, "no %zu bytes to sort in", r->memory);
    }
    vl_status status = r->count == r->capacity ? write_run(r, error) : VL_OK;
    if (!status)
        r->held[r->count++] = (record){(uint32_t)(key >> 32), (uint32_t)key, item};
    return status;
}

/* ---- merging ---------------------------------------------------------------------- */

/* Of equal keys the earlier run's first. */
static bool before(const runs *r, uint32_t a, uint32_t b) {
    return r->heads[a].key < r->heads[b].key || (r->heads[a].key == r->heads[b].key && a < b);
}

static void sift_down(runs *r, size_t at) {
    for (size_t child; (child = 2 * at + 1) < r->heap_count; at = child) {
        if (child + 1 < r->heap_count && before(r, r->heap[child + 1], r->heap[child]))
            child++;
        if (!before(r, r->heap[child], r->heap[at]))
            return;
        uint32_t lower = r->heap[child];
        r->heap[child] = r->heap[at];
        r->heap[at] = lower;
    }
}

static vl_status take_head(runs *r, size_t i, bool *more, vl_error *error) {
    const void *bytes;
    record next;
    vl_status status = spill_reader_next(&r->readers[i], sizeof next, &bytes, error);
    *more = !status && bytes;
    if (*more) {
        memcpy(&next, bytes, sizeof next);
        r->heads[i] = (runs_record){key_of(&next), next.item};
    }
    return status;
}

static vl_status open_runs(runs *r, vl_error *error) {
    size_t piece = r->memory / 2 / r->run_count;
    vl_status status = VL_OK;
    r->readers = calloc(r->run_count, sizeof *r->readers);
    r->heads = calloc(r->run_count, sizeof *r->heads);
    r->heap = calloc(r->run_count, sizeof *r->heap);
    if (!r->readers || !r->heads || !r->heap || piece < LEAST_PIECE)
        return vl_fail(error, VL_ERR_MEMORY, "%zu bytes are too few to merge %zu runs in",
                       r->memory, r->run_count);
    for (size_t i = 0; i < r->run_count && !status; i++) {
        bool more = false;
        status = spill_reader_init(&r->readers[i], r->file, r->all[i].start, r->all[i].end,
                                   piece, error);
        if (!status)
            status = take_head(r, i, &more, error);
        if (more)
            r->heap[r->heap_count++] = (uint32_t)i;
    }
    for (size_t i = r->heap_count; i-- > 0;)
        sift_down(r, i);
    return status;
}

vl_status runs_rest(runs *r, vl_error *error) {
    vl_status status = r->count ? write_run(r, error) : VL_OK;
    arrays_free(r);
    return status;
}

vl_status runs_merge(runs *r, vl_error *error) {
    if (!r->file) {
        sort_held(r);
        return VL_OK;
    }
    vl_status status = runs_rest(r, error);
    return status ? status : open_runs(r, error);
}

vl_status runs_next(runs *r, runs_record *out, bool *more, vl_error *error) {
    vl_status status = VL_OK;
    if (!r->file) {
        *more = r->next < r->count;
        if (*more) {
            *out = (runs_record){key_of(&r->held[r->next]), r->held[r->next].item};
            r->next++;
        }
        return VL_OK;
    }
    *more = r->heap_count > 0;
    if (!*more)
        return VL_OK;
    uint32_t least = r->heap[0];
    bool goes_on;
    *out = r->heads[least];
    status = take_head(r, least, &goes_on, error);
    if (!goes_on)
        r->heap[0] = r->heap[--r->heap_count];
    sift_down(r, 0);
    return status;
}
