/* embed_model.c — the tables that are trained, and their way into a vl_embeddings.
 *
 * Only buckets that n-grams of the vocabulary fall into have rows: a fraction of the two
 * million, so that the rows in use lie close together. */
#include "align/embed_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static vl_status no_memory(const char *what, vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "no memory for %s", what);
}

static float *rows_new(size_t count, size_t stride) {
    if (count > SIZE_MAX / 2 / sizeof(float) / stride)
        return NULL;
    return aligned_alloc(ALIGNMENT, count * stride * sizeof(float));
}

/* ---- n-grams ------------------------------------------------------------------------------
 */

typedef struct listing {
    embed_model *model;
    size_t count, room; /* of model->ids */
    bool failed;
} listing;

static void list_id(listing *l, uint32_t id) {
    embed_model *m = l->model;
    if (l->count == l->room) {
        size_t room = l->room ? l->room * 2 : 4096;
        uint32_t *ids = realloc(m->ids, room * sizeof *ids);
        l->failed = !ids || l->failed;
        if (!ids)
            return;
        m->ids = ids;
        l->room = room;
    }
    m->ids[l->count++] = id;
}

static void list_bucket(uint32_t bucket, void *user) {
    listing *l = user;
    embed_model *m = l->model;
    if (!m->bucket_slot[bucket])
        m->bucket_slot[bucket] = (uint32_t)++m->bucket_count;
    list_id(l, (uint32_t)m->word_count + m->bucket_slot[bucket] - 1);
}

static int compare_ids(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* How far the mean of rows moves when each moves by 1: every row its own share, but one that is
 * there m times moves m times, and counts m times. */
static float gain_of(const uint32_t *ids, size_t count, uint32_t *work) {
    double squares = 0;
    memcpy(work, ids, count * sizeof *work);
    qsort(work, count, sizeof *work, compare_ids);
    for (size_t i = 0, same; i < count; i += same) {
        for (same = 1; i + same < count && work[i + same] == work[i];)
            same++;
        squares += (double)(same * same);
    }
    return (float)(squares / (double)count);
}

static vl_status list_ngrams(embed_model *m, vl_error *error) {
    listing l = {.model = m};
    size_t longest = 0;
    if (m->options->buckets && m->options->maxn)
        m->subwords = (align_subwords){m->options->minn, m->options->maxn, m->options->buckets};
    m->start = malloc((m->word_count + 1) * sizeof *m->start);
    m->gain = malloc(m->word_count * sizeof *m->gain);
    m->bucket_slot = calloc((size_t)m->subwords.buckets + 1, sizeof *m->bucket_slot);
    if (!m->start || !m->gain || !m->bucket_slot)
        return no_memory("n-grams", error);
    for (size_t i = 0; i < m->word_count; i++) {
        const char *word = vl_embeddings_word(m->words, i);
        m->start[i] = l.count;
        list_id(&l, (uint32_t)i);
        align_subwords_each(&m->subwords, word, strlen(word), list_bucket, &l);
        longest = l.count - m->start[i] > longest ? l.count - m->start[i] : longest;
    }
    m->start[m->word_count] = l.count;
    uint32_t *work = malloc((longest + 1) * sizeof *work);
    if (!work || l.failed) {
        free(work);
        return no_memory("n-grams", error);
    }
    for (size_t i = 0; i < m->word_count; i++)
        m->gain[i] = gain_of(m->ids + m->start[i], m->start[i + 1] - m->start[i], work);
    free(work);
    return VL_OK;
}

/* ---- chances ------------------------------------------------------------------------------
 */

/* Words drawn as negative samples: by the square root of their frequency as fastText does,
 * with Walker's aliases (Walker 1977; built as in Vose 1991), one look into a table a draw. */
static vl_status fill_draws(embed_model *m, vl_error *error) {
    size_t n = m->word_count, small = 0, large = 0;
    double sum = 0, *share = malloc(n * sizeof *share);
    uint32_t *stack = malloc(n * sizeof *stack);
    m->draws = malloc(n * sizeof *m->draws);
    vl_status status =
        share && stack && m->draws ? VL_OK : no_memory("negative samples", error);
    for (size_t i = 0; i < n && !status; i++)
        sum += share[i] = sqrt((double)vl_embeddings_frequency(m->words, i));
    for (size_t i = 0; i < n && !status; i++) {
        share[i] *= (double)n / sum;
        if (share[i] < 1)
            stack[small++] = (uint32_t)i;
        else
            stack[n - ++large] = (uint32_t)i;
        m->draws[i] = (embed_draw){UINT32_MAX, (uint32_t)i};
    }
    while (!status && small && large) {
        uint32_t less = stack[--small], more = stack[n - large];
        m->draws[less] = (embed_draw){(uint32_t)(share[less] * 4294967295.0), more};
        share[more] -= 1 - share[less];
        if (share[more] < 1) {
            large--;
            stack[small++] = more;
        }
    }
    free(share);
    free(stack);
    return status;
}

/* A word of relative frequency f stays with the chance sqrt(t/f) + t/f. */
static vl_status fill_stays(embed_model *m, uint64_t seen, vl_error *error) {
    m->stays = malloc(m->word_count * sizeof *m->stays);
    if (!m->stays)
        return no_memory("the vocabulary", error);
    for (size_t i = 0; i < m->word_count; i++) {
        double f = (double)vl_embeddings_frequency(m->words, i) / (double)seen;
        double t = m->options->sample, chance = sqrt(t / f) + t / f;
        m->stays[i] = t > 0 && chance < 1 ? (uint32_t)(chance * 4294967295.0) : UINT32_MAX;
    }
    return VL_OK;
}

/* ---- tables -------------------------------------------------------------------------------
 */

static vl_status make_rows(embed_model *m, vl_error *error) {
    size_t count = m->word_count + m->bucket_count, dim = m->dim;
    m->stride = (dim + EMBED_STRIDE - 1) / EMBED_STRIDE * EMBED_STRIDE;
    m->input = rows_new(count, m->stride);
    m->output = rows_new(m->word_count, m->stride);
    if (!m->input || !m->output)
        return vl_fail(error, VL_ERR_MEMORY,
                       "no memory for %zu words and %zu n-grams of %zu dimensions",
                       m->word_count, m->bucket_count, dim);
    memset(m->output, 0, m->word_count * m->stride * sizeof *m->output);
    uint64_t random = m->options->seed;
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < m->stride; d++)
            m->input[i * m->stride + d] =
                d < dim ? (float)((vl_random_uniform(&random) * 2 - 1) / (double)dim) : 0;
    return VL_OK;
}

vl_status embed_model_new(const vl_embed_options *options, embed_corpus *corpus,
                          embed_model **model, vl_error *error) {
    *model = NULL;
    embed_model *m = calloc(1, sizeof *m);
    if (!m)
        return no_memory("training", error);
    m->options = options;
    m->words = corpus->words;
    corpus->words = NULL;
    m->word_count = m->words->count;
    m->dim = options->dim;
    m->kernels = embed_rows();
    vl_status status = list_ngrams(m, error);
    if (!status)
        status = fill_draws(m, error);
    if (!status)
        status = fill_stays(m, corpus->seen, error);
    if (!status)
        status = make_rows(m, error);
    if (status)
        embed_model_free(m);
    else
        *model = m;
    return status;
}

void embed_model_free(embed_model *m) {
    if (!m)
        return;
    vl_embeddings_free(m->words);
    free(m->start);
    free(m->ids);
    free(m->gain);
    free(m->bucket_slot);
    free(m->draws);
    free(m->stays);
    free(m->input);
    free(m->output);
    free(m);
}

size_t embed_model_ngrams(const embed_model *m) {
    return m->bucket_count;
}

/* ---- finished ------------------------------------------------------------------------------
 */

/* Rows without what lies between them, in the same memory; NULL stays NULL. */
static float *pack(float *rows, size_t from, size_t count, size_t dim, size_t stride) {
    for (size_t i = 0; i < count; i++)
        memmove(rows + i * dim, rows + (from + i) * stride, dim * sizeof *rows);
    float *smaller = realloc(rows, (count * dim + 1) * sizeof *rows);
    return smaller ? smaller : rows;
}

vl_status embed_model_finish(embed_model *m, vl_embeddings **embeddings, vl_error *error) {
    vl_embeddings *e = m->words;
    float *mean = rows_new(1, m->stride);
    vl_status status =
        mean ? vectors_reserve_rows(e, m->word_count, error) : no_memory("a vector", error);
    for (size_t i = 0; i < m->word_count && !status; i++) {
        size_t from = m->start[i], count = m->start[i + 1] - from;
        m->kernels->mean(mean, 1.0F / (float)count, m->input, m->ids + from, count, m->stride);
        if (!vectors_finite(mean, m->dim))
            status = vl_fail(error, VL_ERR_INPUT,
                             "training ran out of bounds: a lower --lr is needed");
        memcpy(e->rows + i * m->dim, mean, m->dim * sizeof *mean);
    }
    free(mean);
    if (status)
        return status;
    const vl_embed_options *o = m->options;
    e->contexts = pack(m->output, 0, m->word_count, m->dim, m->stride);
    m->output = NULL;
    e->bucket_rows = pack(m->input, m->word_count, m->bucket_count, m->dim, m->stride);
    m->input = NULL;
    e->bucket_count = m->bucket_count;
    e->bucket_slot = m->bucket_slot;
    m->bucket_slot = NULL;
    e->subwords = m->subwords;
    e->training = (vectors_training){(int32_t)o->window, (int32_t)o->epochs,
                                     (int32_t)o->min_count, (int32_t)o->negative, o->sample};
    *embeddings = e;
    m->words = NULL;
    return VL_OK;
}
