/* embed_train.c — the epochs: threads take chunks of the text in an order drawn for each epoch,
 * and train on each of its words.
 *
 * A word's vector is the mean of many rows, and all words of its window are learned from before
 * those rows are written: the mean is moved along as they would move it, which is the same but
 * for rounding (with one thread) and reads and writes them once and not once a window's word.
 * Everything drawn by chance depends on the seed and the chunk alone. */
#include "align/embed_model.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TABLE = 1024,      /* of the logistic function */
    MAX_SAMPLES = 101, /* a word of the window and its negatives */
    TRIES = 16,        /* to draw a negative that is not the word itself */
    PROGRESS_MS = 200,
};
#define TABLE_END 8.0F /* beyond ±8 it is 0 or 1, as in fastText */

typedef struct training {
    embed_model *model;
    const embed_corpus *corpus;
    uint32_t *order; /* [epochs][chunks] */
    size_t steps;    /* epochs · chunks */
    float sigmoid[TABLE], loss[TABLE];
    atomic_size_t next, words; /* the next step; words trained on */
    atomic_bool stopped;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t ended;
    size_t running;
    double loss_sum;
    uint64_t loss_count;
} training;

/* One thread's. */
typedef struct worker {
    training *t;
    uint64_t random;
    float rate;
    float *mean, *total; /* [stride] */
    double loss_sum;
    uint64_t loss_count;
    uint32_t sentence[EMBED_MAX_SENTENCE];
} worker;

/* ---- one word ------------------------------------------------------------------------------
 */

static inline uint64_t dice(worker *w) { /* splitmix64, as vl_random_next */
    uint64_t z = w->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static inline uint32_t draw_negative(worker *w) {
    const embed_model *m = w->t->model;
    uint64_t thrown = dice(w);
    uint32_t at = (uint32_t)((thrown >> 32) * m->word_count >> 32);
    return (uint32_t)thrown <= m->draws[at].below ? at : m->draws[at].other;
}

/* The rows of a word and of its negatives; returns how many. */
static size_t gather(worker *w, uint32_t word, float **rows) {
    const embed_model *m = w->t->model;
    size_t count = 0;
    rows[count++] = m->output + word * m->stride;
    for (uint32_t i = 0; i < m->options->negative; i++) {
        uint32_t other = word;
        for (int tries = 0; other == word && tries < TRIES; tries++)
            other = draw_negative(w);
        if (other != word)
            rows[count++] = m->output + other * m->stride;
    }
    return count;
}

/* The logistic loss of a score and how far to move, by a table. */
static inline float table_at(const float *table, float score) {
    float place = (score + TABLE_END) * (TABLE / (2 * TABLE_END));
    int at = place > 0 ? (int)place : 0; /* NaN goes to 0 */
    return table[at < TABLE ? at : TABLE - 1];
}

/* Moves the mean of `centre` towards `word` and away from others. */
static void train_pair(worker *w, uint32_t centre, uint32_t word) {
    const training *t = w->t;
    const embed_model *m = t->model;
    float *rows[MAX_SAMPLES], g[MAX_SAMPLES];
    size_t count = gather(w, word, rows);
    m->kernels->dots(g, w->mean, rows, count, m->stride);
    for (size_t i = 0; i < count; i++) {
        float score = i ? -g[i] : g[i]; /* of being right */
        w->loss_sum += (double)table_at(t->loss, score);
        float wrong = 1 - table_at(t->sigmoid, score);
        g[i] = w->rate * (i ? -wrong : wrong);
    }
    w->loss_count += count;
    m->kernels->step(w->mean, w->total, m->gain[centre], rows, g, count, m->stride);
}

static void train_word(worker *w, size_t at, size_t count) {
    const embed_model *m = w->t->model;
    uint32_t centre = w->sentence[at];
    const uint32_t *ids = m->ids + m->start[centre];
    size_t id_count = m->start[centre + 1] - m->start[centre];
    size_t reach = 1 + (size_t)((dice(w) >> 32) * m->options->window >> 32);
    size_t first = at > reach ? at - reach : 0;
    size_t last = at + reach < count ? at + reach : count - 1;
    m->kernels->mean(w->mean, 1.0F / (float)id_count, m->input, ids, id_count, m->stride);
    memset(w->total, 0, m->stride * sizeof *w->total);
    for (size_t i = first; i <= last; i++)
        if (i != at)
            train_pair(w, centre, w->sentence[i]);
    m->kernels->add(m->input, ids, id_count, w->total, m->stride);
}

/* ---- chunks --------------------------------------------------------------------------------
 */

/* A sentence at ids[at] without the words that the dice take out. Returns where it ends. */
static size_t read_sentence(worker *w, size_t at, size_t *count) {
    const embed_corpus *c = w->t->corpus;
    const uint32_t *stays = w->t->model->stays;
    for (*count = 0; c->ids[at] != EMBED_END; at++) {
        uint32_t word = c->ids[at];
        if (stays[word] == UINT32_MAX || (uint32_t)(dice(w) >> 32) <= stays[word])
            w->sentence[(*count)++] = word;
    }
    return at;
}

static void train_chunk(worker *w, size_t step) {
    training *t = w->t;
    const embed_corpus *c = t->corpus;
    size_t chunk = t->order[step], begin = c->chunks[chunk], end = c->chunks[chunk + 1];
    size_t words = 0;
    w->random = t->model->options->seed + (step + 1) * UINT64_C(0xD1342543DE82EF95);
    w->random = dice(w);
    for (size_t at = begin, count; at < end; at++) {
        double done =
            ((double)step + (double)(at - begin) / (double)(end - begin)) / (double)t->steps;
        size_t from = at;
        w->rate = (float)(t->model->options->rate * (1 - done));
        at = read_sentence(w, at, &count);
        for (size_t i = 0; i < count && count > 1; i++)
            train_word(w, i, count);
        words += at - from;
    }
    atomic_fetch_add_explicit(&t->words, words, memory_order_relaxed);
}

static void leave(worker *w) {
    training *t = w->t;
    pthread_mutex_lock(&t->lock);
    t->loss_sum += w->loss_sum;
    t->loss_count += w->loss_count;
    t->running--;
    pthread_cond_signal(&t->ended);
    pthread_mutex_unlock(&t->lock);
}

static void work(void *arg, size_t number) {
    worker *w = arg;
    training *t = w->t;
    size_t last_epoch = t->steps - t->corpus->chunk_count;
    (void)number;
    while (!atomic_load_explicit(&t->stopped, memory_order_relaxed)) {
        size_t step = atomic_fetch_add_explicit(&t->next, 1, memory_order_relaxed);
        if (step >= t->steps)
            break;
        double loss_sum = w->loss_sum;
        uint64_t loss_count = w->loss_count;
        train_chunk(w, step);
        if (step < last_epoch) {
            w->loss_sum = loss_sum;
            w->loss_count = loss_count;
        }
    }
    leave(w);
}

/* ---- all epochs ----------------------------------------------------------------------------
 */

static void fill_tables(training *t) {
    for (int i = 0; i < TABLE; i++) {
        double score = ((i + 0.5) / TABLE * 2 - 1) * (double)TABLE_END;
        t->sigmoid[i] = (float)(1 / (1 + exp(-score)));
        t->loss[i] = (float)log1p(exp(-score));
    }
    t->sigmoid[0] = 0;
    t->sigmoid[TABLE - 1] = 1;
}

/* Fisher and Yates, for each epoch. */
static vl_status fill_order(training *t, vl_error *error) {
    size_t chunks = t->corpus->chunk_count;
    uint64_t random = t->model->options->seed ^ UINT64_C(0xA0761D6478BD642F);
    t->order = malloc(t->steps * sizeof *t->order);
    if (!t->order)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the order of the text");
    for (size_t step = 0; step < t->steps; step++) {
        size_t i = step % chunks, other = vl_random_below(&random, i + 1);
        uint32_t *epoch = t->order + (step - i);
        if (other != i)
            epoch[i] = epoch[other];
        epoch[other] = (uint32_t)i;
    }
    return VL_OK;
}

static void show(const training *t) {
    const vl_embed_options *o = t->model->options;
    size_t step = atomic_load(&t->next);
    double done = step < t->steps ? (double)step / (double)t->steps : 1;
    vl_embed_progress now = {.training = true,
                             .done = done,
                             .bytes = t->corpus->bytes,
                             .words = atomic_load(&t->words),
                             .rate = o->rate * (1 - done)};
    if (o->progress)
        o->progress(&now, o->user);
}

/* Until all workers have left; asks meanwhile whether to stop. */
static void wait_for_workers(training *t) {
    pthread_mutex_lock(&t->lock);
    while (t->running) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PROGRESS_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        if (pthread_cond_timedwait(&t->ended, &t->lock, &until) != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&t->lock);
        if (vl_stop_asked())
            atomic_store(&t->stopped, true);
        show(t);
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
}

static worker *worker_new(training *t) {
    size_t stride = t->model->stride;
    worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->t = t;
    w->mean = aligned_alloc(64, 2 * stride * sizeof *w->mean);
    w->total = w->mean ? w->mean + stride : NULL;
    return w;
}

static void worker_free(worker *w) {
    if (w)
        free(w->mean);
    free(w);
}

static vl_status run(training *t, size_t threads, vl_error *error) {
    vl_status status = VL_OK;
    worker **workers = calloc(threads, sizeof *workers);
    vl_pool *pool = vl_pool_new(threads, threads);
    if (!workers || !pool)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu threads", threads);
    for (size_t i = 0; i < threads && !status; i++) {
        workers[i] = worker_new(t);
        if (!workers[i] || !workers[i]->mean)
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu threads", threads);
    }
    t->running = status ? 0 : threads;
    for (size_t i = 0; i < threads && !status; i++)
        if (vl_pool_submit_wait(pool, work, workers[i])) {
            pthread_mutex_lock(&t->lock);
            t->running -= threads - i;
            pthread_mutex_unlock(&t->lock);
            atomic_store(&t->stopped, true);
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu threads", threads);
        }
    wait_for_workers(t);
    if (pool)
        vl_pool_free(pool);
    for (size_t i = 0; i < threads && workers; i++)
        worker_free(workers[i]);
    free(workers);
    return status ? status : vl_stop_check(error);
}

vl_status embed_model_train(embed_model *m, const embed_corpus *corpus, double *loss,
                            vl_error *error) {
    size_t threads = m->options->threads;
    training t = {.model = m,
                  .corpus = corpus,
                  .steps = m->options->epochs * corpus->chunk_count,
                  .lock = PTHREAD_MUTEX_INITIALIZER,
                  .ended = PTHREAD_COND_INITIALIZER};
    if (threads > corpus->chunk_count)
        threads = corpus->chunk_count;
    fill_tables(&t);
    vl_status status = fill_order(&t, error);
    if (!status)
        status = run(&t, threads, error);
    if (!status)
        show(&t);
    *loss = t.loss_count ? t.loss_sum / (double)t.loss_count : 0;
    free(t.order);
    return status;
}
