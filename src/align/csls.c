/* csls.c — products of two spaces block by block, the best of each row and column kept.
 *
 * Workload: 10^8 to 4·10^10 products at once, of which under one in a thousand enters a list.
 * So the loop over a block only asks, for 64 products together, whether any of them passes its
 * row's or its column's threshold, which compilers turn into vector compares; the rest happens
 * rarely. Workers take every T-th panel of x, and keep lists of y of their own that are merged
 * at the end, equal values by index, so threads change nothing in the result. */
#include "align/csls.h"

#include <vislang/align.h>
#include <vislang/kernel.h>

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { X_PANEL = 256, Y_PANEL = 1024, CHUNK = 64, PART = 8, MAX_THREADS = 64 };

/* ---- lists of the best ------------------------------------------------------------ */

vl_status align_best_init(align_best *best, size_t count, size_t k, vl_error *error) {
    *best = (align_best){.count = count, .k = k};
    size_t cells = count * k;
    if (count && cells / count == k) {
        best->value = calloc(cells + 1, sizeof *best->value);
        best->index = calloc(cells + 1, sizeof *best->index);
    }
    if (!best->value || !best->index) {
        align_best_deinit(best);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the %zu nearest of %zu words", k,
                       count);
    }
    for (size_t i = 0; i < cells; i++)
        best->value[i] = -INFINITY;
    memset(best->index, 0xFF, cells * sizeof *best->index);
    return VL_OK;
}

void align_best_deinit(align_best *best) {
    free(best->value);
    free(best->index);
    *best = (align_best){0};
}

/* Puts (value, index) where it belongs; the last falls off. */
static void insert(align_best *best, size_t row, float value, uint32_t index) {
    float *values = best->value + row * best->k;
    uint32_t *indices = best->index + row * best->k;
    size_t at = best->k - 1;
    while (at > 0 &&
           (values[at - 1] < value || (values[at - 1] == value && indices[at - 1] > index))) {
        values[at] = values[at - 1];
        indices[at] = indices[at - 1];
        at--;
    }
    values[at] = value;
    indices[at] = index;
}

static float worst(const align_best *best, size_t row) {
    return best->value[row * best->k + best->k - 1];
}

static void merge(align_best *into, const align_best *from) {
    for (size_t row = 0; row < into->count; row++)
        for (size_t i = 0; i < from->k; i++) {
            float value = from->value[row * from->k + i];
            uint32_t index = from->index[row * from->k + i];
            size_t last = row * into->k + into->k - 1;
            if (index == UINT32_MAX || value < into->value[last] ||
                (value == into->value[last] && index > into->index[last]))
                break;
            insert(into, row, value, index);
        }
}

void align_best_means(const align_best *best, float *mean) {
    for (size_t row = 0; row < best->count; row++) {
        double sum = 0;
        size_t there = 0;
        for (size_t i = 0; i < best->k && best->index[row * best->k + i] != UINT32_MAX; i++) {
            sum += (double)best->value[row * best->k + i];
            there++;
        }
        mean[row] = there ? (float)(sum / (double)there) : 0;
    }
}

/* ---- one worker -------------------------------------------------------------------- */

typedef struct worker {
    const align_pass *pass;
    size_t index, workers;
    float *block;      /* [X_PANEL][Y_PANEL] */
    float *y_worst;    /* [y_count]: what the lists of y would let in */
    align_best y_best; /* of the panels of this worker */
    atomic_bool *stop; /* shared */
} worker;

/* Whether the dice of (i, j) say to look (splitmix64's finisher, see vl_random_next). */
static bool kept(const align_pass *pass, size_t i, size_t j) {
    if (pass->keep >= 1)
        return true;
    uint64_t z = pass->dice + ((uint64_t)i << 32 | (uint64_t)j) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53 < pass->keep;
}

static void offer(worker *w, size_t i, size_t j, float product, float x_offset,
                  float y_offset) {
    const align_pass *pass = w->pass;
    float of_x = product - y_offset, of_y = product - x_offset;
    bool to_x = pass->x_best && of_x > worst(pass->x_best, i);
    bool to_y = pass->y_best && of_y > w->y_worst[j];
    if (!(to_x || to_y) || !kept(pass, i, j))
        return;
    if (to_x)
        insert(pass->x_best, i, of_x, (uint32_t)j);
    if (to_y) {
        insert(&w->y_best, j, of_y, (uint32_t)i);
        w->y_worst[j] = worst(&w->y_best, j);
    }
}

/* Whether any of `n` products passes; `n` is a constant where it is called. */
static inline bool any_passes(const float *s, const float *y_offset, const float *y_worst,
                              float x_worst, float x_offset, int n) {
    int any = 0;
    if (!y_offset)
        for (int c = 0; c < n; c++)
            any |= (s[c] > x_worst) | (s[c] > y_worst[c]);
    else
        for (int c = 0; c < n; c++)
            any |= (s[c] - y_offset[c] > x_worst) | (s[c] - x_offset > y_worst[c]);
    return any != 0;
}

typedef struct scan {
    worker *w;
    size_t i;
    float x_offset;
    const float *y_offset, *y_worst, *products; /* of all y; of the first column here */
} scan;

static float x_worst_of(const scan *s) {
    const align_pass *pass = s->w->pass;
    return pass->x_best ? worst(pass->x_best, s->i) : INFINITY;
}

static void offer_all(const scan *s, size_t j0, size_t from, size_t to) {
    for (size_t at = from; at < to; at++)
        offer(s->w, s->i, j0 + at, s->products[at], s->x_offset,
              s->y_offset ? s->y_offset[j0 + at] : 0);
}

/* A chunk of which some pass: eight by eight. */
static void offer_chunk(const scan *s, size_t j0, size_t from) {
    for (size_t at = from; at < from + CHUNK; at += PART) {
        const float *y_offset = s->y_offset ? s->y_offset + j0 + at : NULL;
        if (any_passes(s->products + at, y_offset, s->y_worst + j0 + at, x_worst_of(s),
                       s->x_offset, PART))
            offer_all(s, j0, at, at + PART);
    }
}

/* Row i of x with the rows of y from j0 on, `count` products. */
static void scan_row(worker *w, size_t i, size_t j0, size_t count, const float *products) {
    const align_pass *pass = w->pass;
    scan s = {.w = w,
              .i = i,
              .x_offset = pass->x_offset ? pass->x_offset[i] : 0,
              .y_offset = pass->y_offset,
              .y_worst = w->y_worst,
              .products = products};
    size_t c = 0;
    for (; c + CHUNK <= count; c += CHUNK) {
        const float *y_offset = s.y_offset ? s.y_offset + j0 + c : NULL;
        if (any_passes(products + c, y_offset, s.y_worst + j0 + c, x_worst_of(&s), s.x_offset,
                       CHUNK))
            offer_chunk(&s, j0, c);
    }
    offer_all(&s, j0, c, count);
}

static void run_panel(worker *w, size_t i0) {
    const align_pass *pass = w->pass;
    size_t rows = pass->x_count - i0 < X_PANEL ? pass->x_count - i0 : X_PANEL;
    for (size_t j0 = 0; j0 < pass->y_count && !atomic_load(w->stop); j0 += Y_PANEL) {
        size_t columns = pass->y_count - j0 < Y_PANEL ? pass->y_count - j0 : Y_PANEL;
        vl_gemm gemm = {.transpose_b = true,
                        .m = rows,
                        .n = columns,
                        .k = pass->dim,
                        .lda = pass->dim,
                        .ldb = pass->dim,
                        .ldc = Y_PANEL};
        vl_gemm_run(&gemm, pass->x + i0 * pass->dim, pass->y + j0 * pass->dim, w->block);
        for (size_t r = 0; r < rows; r++)
            scan_row(w, i0 + r, j0, columns, w->block + r * Y_PANEL);
    }
}

static void *run_worker(void *arg) {
    worker *w = arg;
    for (size_t i = w->index * X_PANEL; i < w->pass->x_count; i += w->workers * X_PANEL) {
        /* Only the thread that asked knows whether anybody still waits. */
        if (w->index == 0 && vl_stop_asked())
            atomic_store(w->stop, true);
        if (atomic_load(w->stop))
            break;
        run_panel(w, i);
    }
    return NULL;
}

static vl_status worker_init(worker *w, vl_error *error) {
    const align_pass *pass = w->pass;
    w->block = malloc(sizeof(float) * X_PANEL * Y_PANEL);
    w->y_worst = malloc(sizeof(float) * (pass->y_count + 1));
    if (!w->block || !w->y_worst)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a block of products");
    for (size_t j = 0; j < pass->y_count; j++)
        w->y_worst[j] = pass->y_best ? -INFINITY : INFINITY;
    return pass->y_best ? align_best_init(&w->y_best, pass->y_count, pass->y_best->k, error)
                        : VL_OK;
}

static void worker_deinit(worker *w) {
    free(w->block);
    free(w->y_worst);
    align_best_deinit(&w->y_best);
}

/* ---- all of them ------------------------------------------------------------------- */

static size_t thread_count(const align_pass *pass) {
    size_t threads = pass->threads ? pass->threads : vl_cpu_count();
    size_t panels = (pass->x_count + X_PANEL - 1) / X_PANEL;
    threads = threads < panels ? threads : panels;
    return threads < MAX_THREADS ? threads : MAX_THREADS;
}

/* The asking thread is worker 0; one that cannot be started is done by it, too. */
static void run_all(worker *workers, size_t count) {
    pthread_t threads[MAX_THREADS];
    bool started[MAX_THREADS] = {false};
    for (size_t t = 1; t < count; t++)
        started[t] = !pthread_create(&threads[t], NULL, run_worker, &workers[t]);
    run_worker(&workers[0]);
    for (size_t t = 1; t < count; t++) {
        if (started[t])
            pthread_join(threads[t], NULL);
        else
            run_worker(&workers[t]);
    }
}

vl_status align_pass_run(const align_pass *pass, vl_error *error) {
    if (!pass->x_count || !pass->y_count || !pass->dim)
        return VL_OK;
    size_t count = thread_count(pass);
    atomic_bool stop = false;
    worker workers[MAX_THREADS] = {0};
    vl_status status = VL_OK;
    for (size_t t = 0; t < count && !status; t++) {
        workers[t] = (worker){.pass = pass, .index = t, .workers = count, .stop = &stop};
        status = worker_init(&workers[t], error);
    }
    if (!status)
        run_all(workers, count);
    for (size_t t = 0; t < count; t++) {
        if (!status && pass->y_best)
            merge(pass->y_best, &workers[t].y_best);
        worker_deinit(&workers[t]);
    }
    return status ? status : vl_stop_check(error);
}

vl_status align_local_init(align_local *local, const align_pass *spaces, size_t k,
                           vl_error *error) {
    *local = (align_local){0};
    align_best x = {0}, y = {0};
    vl_status status = align_best_init(&x, spaces->x_count, k, error);
    if (!status)
        status = align_best_init(&y, spaces->y_count, k, error);
    align_pass pass = *spaces;
    pass.x_best = &x, pass.y_best = &y, pass.x_offset = pass.y_offset = NULL, pass.keep = 1;
    if (!status)
        status = align_pass_run(&pass, error);
    if (!status) {
        local->x = malloc(sizeof(float) * x.count);
        local->y = malloc(sizeof(float) * y.count);
        if (!local->x || !local->y)
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", x.count);
    }
    if (!status) {
        align_best_means(&x, local->x);
        align_best_means(&y, local->y);
        double sum_x = 0, sum_y = 0;
        for (size_t i = 0; i < x.count; i++, local->x[i - 1] /= 2)
            sum_x += (double)x.value[i * k];
        for (size_t j = 0; j < y.count; j++, local->y[j - 1] /= 2)
            sum_y += (double)y.value[j * k];
        local->nearest = (sum_x / (double)x.count + sum_y / (double)y.count) / 2;
    }
    if (status)
        align_local_deinit(local);
    align_best_deinit(&x);
    align_best_deinit(&y);
    return status;
}

void align_local_deinit(align_local *local) {
    free(local->x);
    free(local->y);
    *local = (align_local){0};
}

/* ---- retrieval --------------------------------------------------------------------- */

vl_retrieval_options vl_retrieval_options_default(void) {
    return (vl_retrieval_options){.by = VL_RETRIEVAL_CSLS, .k = 10, .top = 1};
}

static vl_status check_retrieval(const vl_rows *source, const vl_rows *target,
                                 const vl_retrieval_options *options, vl_error *error) {
    if (source->dim != target->dim || !source->dim)
        return vl_fail(error, VL_ERR_INPUT,
                       "vectors of %zu numbers cannot be compared with vectors of %zu",
                       source->dim, target->dim);
    if (source->count >= UINT32_MAX || target->count >= UINT32_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "more than 2^32 rows");
    if (!options->k || options->k > 1000 || !options->top || options->top > 1000)
        return vl_fail(error, VL_ERR_USAGE, "k and top are from 1 to 1000, not %zu and %zu",
                       options->k, options->top);
    return VL_OK;
}

/* 2·(x·y − ry/2) − rx of what the second pass kept. */
static void to_csls(const align_best *best, const align_local *local, float *score) {
    for (size_t i = 0; i < best->count; i++)
        for (size_t t = 0; t < best->k; t++) {
            size_t cell = i * best->k + t;
            score[cell] = 2 * (best->value[cell] - local->x[i]);
        }
}

vl_status vl_rows_retrieve(const vl_rows *source, const vl_rows *target,
                           const vl_retrieval_options *options, uint32_t *index, float *score,
                           vl_error *error) {
    vl_status status = check_retrieval(source, target, options, error);
    if (status || !source->count)
        return status;
    align_best best = {0};
    align_local local = {0};
    align_pass pass = {.x = source->data,
                       .x_count = source->count,
                       .y = target->data,
                       .y_count = target->count,
                       .dim = source->dim,
                       .keep = 1,
                       .threads = options->threads};
    bool csls = options->by == VL_RETRIEVAL_CSLS && target->count;
    if (csls)
        status = align_local_init(&local, &pass, options->k, error);
    if (!status)
        status = align_best_init(&best, source->count, options->top, error);
    pass.x_best = &best, pass.y_offset = local.y;
    if (!status)
        status = align_pass_run(&pass, error);
    if (!status) {
        size_t cells = source->count * options->top;
        memcpy(index, best.index, cells * sizeof *index);
        if (csls)
            to_csls(&best, &local, score);
        else
            memcpy(score, best.value, cells * sizeof *score);
    }
    align_local_deinit(&local);
    align_best_deinit(&best);
    return status;
}
