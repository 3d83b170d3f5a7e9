/* vectors_bin.c — fastText's .bin files, version 12, as its own program reads and writes them:
 *
 *   int32    magic, version
 *   int32    dimensions, window, epochs, min count, negatives, word n-grams, loss, model,
 * buckets, minn, maxn, how often the rate is set;  float64 sample int32    entries, words,
 * labels;  int64 tokens, pruned n-grams (-1: not pruned) entries  word, NUL, int64 frequency,
 * int8 type (0: word) int8     quantised? (0);  int64 rows, columns;  float32 words' own rows,
 * then the buckets' int8     quantised? (0);  int64 rows, columns;  float32 what training
 * predicts with
 *
 * all little-endian, as are the processors we run on. A word's vector is the mean of its own
 * row and those of its n-grams. Buckets that no word of the training text filled hold noise in
 * files of fastText and zeros in ours. */
#include "align/vectors_bin.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 12,
    MODEL_CBOW = 1,
    MODEL_SKIPGRAM = 2,
    MODEL_CLASSIFIER = 3,
    LOSS_NEGATIVE = 2,
    UPDATE_RATE = 100,     /* fastText's default, which nothing of ours depends on */
    ENTRY_BYTES = 64 << 10 /* a word of a file; longer than what we keep */
};

typedef struct head {
    int32_t magic, version;
    int32_t dim, window, epochs, min_count, negative, word_ngrams, loss, model, buckets, minn,
        maxn, update_rate;
    double sample;
} head;
typedef struct counts {
    int32_t entries, words, labels;
    int64_t tokens, pruned;
} counts;

/* ---- reading -------------------------------------------------------------------------- */

typedef struct reading {
    vectors_source *source;
    vl_embeddings *embeddings;
    head head;
    counts counts;
    uint32_t *entry; /* [words kept]: which of the file's */
    size_t entry_room;
    float *row; /* [dim] */
} reading;

static vl_status broken(const reading *r, const char *what, vl_error *error) {
    return vl_fail(error, VL_ERR_INPUT, "%s contradicts itself: %s",
                   vectors_source_path(r->source), what);
}

static vl_status take(reading *r, void *out, size_t bytes, vl_error *error) {
    return vectors_source_take(r->source, out, bytes, error);
}

static vl_status unsupported(const reading *r, const char *what, vl_error *error) {
    return vl_fail(error, VL_ERR_UNSUPPORTED, "%s is %s, and these are not read",
                   vectors_source_path(r->source), what);
}

static vl_status read_head(reading *r, vl_error *error) {
    head *h = &r->head;
    vl_status status = take(r, h, offsetof(head, sample), error);
    if (!status)
        status = take(r, &h->sample, sizeof h->sample, error);
    if (status)
        return status;
    if (h->version != VERSION)
        return vl_fail(error, VL_ERR_UNSUPPORTED,
                       "%s is of version %d of fastText's format; %d is supported",
                       vectors_source_path(r->source), h->version, VERSION);
    if (h->model == MODEL_CLASSIFIER)
        return unsupported(r, "a fastText classifier and not word vectors", error);
    if (h->model != MODEL_CBOW && h->model != MODEL_SKIPGRAM)
        return broken(r, "it has neither skip-gram nor CBOW vectors", error);
    if (h->dim <= 0 || h->buckets < 0 || h->minn < 0 || h->maxn < 0 ||
        h->maxn > ALIGN_SUBWORDS_MAX_N)
        return broken(r, "dimensions or n-grams that cannot be", error);
    return VL_OK;
}

static vl_status read_counts(reading *r, vl_error *error) {
    counts *c = &r->counts;
    vl_status status = take(r, c, 3 * sizeof c->entries, error);
    if (!status)
        status = take(r, &c->tokens, 2 * sizeof c->tokens, error);
    if (status)
        return status;
    if (c->labels)
        return unsupported(r, "a fastText file with labels", error);
    if (c->pruned >= 0)
        return unsupported(r, "a pruned fastText file", error);
    if (c->words <= 0 || c->entries != c->words)
        return broken(r, "it has no words, or not as many as entries", error);
    return VL_OK;
}

static vl_status keep_entry(reading *r, size_t index, uint32_t entry, vl_error *error) {
    if (index >= r->entry_room) {
        size_t room = r->entry_room ? r->entry_room * 2 : 1024;
        uint32_t *larger = realloc(r->entry, room * sizeof *larger);
        if (!larger)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", room);
        r->entry = larger;
        r->entry_room = room;
    }
    r->entry[index] = entry;
    return VL_OK;
}

static vl_status read_entry(reading *r, uint32_t entry, size_t max_words, vl_error *error) {
    struct {
        int64_t frequency;
        int8_t type;
    } about;
    const char *word;
    size_t bytes, index = SIZE_MAX;
    vl_status status = vectors_source_until(r->source, '\0', ENTRY_BYTES, &word, &bytes, error);
    if (!status && !word)
        status =
            vl_fail(error, VL_ERR_INPUT, "%s is cut short", vectors_source_path(r->source));
    if (status)
        return status;
    if (r->embeddings->count < max_words)
        status = vectors_add(r->embeddings, word, bytes, 0, &index, error);
    if (!status)
        status = take(r, &about.frequency, sizeof about.frequency, error);
    if (!status)
        status = take(r, &about.type, sizeof about.type, error);
    if (!status && about.type)
        status = unsupported(r, "a fastText file with labels", error);
    if (status || index == SIZE_MAX)
        return status;
    if (about.frequency > 0)
        r->embeddings->frequency[index] = (uint64_t)about.frequency;
    return keep_entry(r, index, entry, error);
}

/* The line before a matrix: that it is one of `rows` by dim, not quantised. */
static vl_status read_shape(reading *r, int64_t rows, vl_error *error) {
    int8_t quantised;
    int64_t shape[2];
    vl_status status = take(r, &quantised, sizeof quantised, error);
    if (!status && quantised)
        return unsupported(r, "a quantised fastText file", error);
    if (!status)
        status = take(r, shape, sizeof shape, error);
    if (!status && (shape[0] != rows || shape[1] != r->head.dim))
        status = broken(r, "a matrix of another shape than words and dimensions say", error);
    return status;
}

static vl_status read_row(reading *r, vl_error *error) {
    uint32_t dim = r->embeddings->dim;
    vl_status status = take(r, r->row, dim * sizeof *r->row, error);
    if (!status && !vectors_finite(r->row, dim))
        status = vl_fail(error, VL_ERR_INPUT, "%s has a NaN or a number beyond all bounds",
                         vectors_source_path(r->source));
    return status;
}

static vl_status read_words(reading *r, vl_error *error) {
    vl_embeddings *e = r->embeddings;
    vl_status status = VL_OK;
    size_t kept = 0;
    for (int32_t i = 0; i < r->counts.words && !status; i++) {
        status = read_row(r, error);
        if (status || kept == e->count || r->entry[kept] != (uint32_t)i)
            continue;
        if (!(status = vectors_reserve_rows(e, kept + 1, error)))
            memcpy(e->rows + kept++ * e->dim, r->row, e->dim * sizeof *r->row);
    }
    return status;
}

typedef struct bucket_room {
    size_t slots, rows;
} bucket_room;

static vl_status reserve_bucket(vl_embeddings *e, size_t bucket, bucket_room *room,
                                vl_error *error) {
    if (bucket == room->slots) {
        size_t larger = room->slots ? room->slots * 2 : 4096;
        uint32_t *slot = realloc(e->bucket_slot, larger * sizeof *slot);
        if (!slot)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu n-grams", larger);
        e->bucket_slot = slot;
        room->slots = larger;
    }
    if (e->bucket_count == room->rows) {
        size_t larger = room->rows ? room->rows * 2 : 256;
        float *rows = realloc(e->bucket_rows, larger * e->dim * sizeof *rows);
        if (!rows)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu vectors of n-grams",
                           larger);
        e->bucket_rows = rows;
        room->rows = larger;
    }
    return VL_OK;
}

static bool is_zero(const float *row, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (row[i] != 0)
            return false;
    return true;
}

static vl_status read_buckets(reading *r, size_t buckets, vl_error *error) {
    vl_embeddings *e = r->embeddings;
    bucket_room room = {0};
    vl_status status = VL_OK;
    for (size_t i = 0; i < buckets && !status; i++) {
        if ((status = read_row(r, error)) || (status = reserve_bucket(e, i, &room, error)))
            break;
        e->bucket_slot[i] = 0;
        if (!is_zero(r->row, e->dim)) {
            memcpy(e->bucket_rows + e->bucket_count * e->dim, r->row, e->dim * sizeof *r->row);
            e->bucket_slot[i] = (uint32_t)++e->bucket_count;
        }
        if (i % 4096 == 0)
            status = vl_stop_check(error);
    }
    return status;
}

/* From a word's own row to its vector. */
static void add_ngrams(vl_embeddings *e) {
    for (size_t i = 0; i < e->count; i++) {
        const char *word = vl_embeddings_word(e, i);
        float *row = e->rows + i * e->dim;
        float parts = 1 + (float)vectors_add_ngrams(e, word, strlen(word), row);
        for (uint32_t d = 0; d < e->dim; d++)
            row[d] /= parts;
    }
}

static vl_status read_matrices(reading *r, vl_error *error) {
    vl_embeddings *e = r->embeddings;
    const head *h = &r->head;
    size_t buckets = (size_t)h->buckets;
    vl_status status = read_shape(r, (int64_t)r->counts.words + (int64_t)buckets, error);
    if (!status)
        status = read_words(r, error);
    if (!status)
        status = read_buckets(r, buckets, error);
    if (!status)
        status = read_shape(r, r->counts.words, error);
    for (int32_t i = 0; i < r->counts.words && !status; i++)
        status = take(r, r->row, e->dim * sizeof *r->row, error);
    if (status)
        return status;
    e->subwords = (align_subwords){(uint32_t)h->minn, (uint32_t)h->maxn, (uint32_t)buckets};
    add_ngrams(e);
    return VL_OK;
}

static vl_status read_all(reading *r, size_t max_words, vl_error *error) {
    const head *h = &r->head;
    vl_status status = read_head(r, error);
    if (!status)
        status = read_counts(r, error);
    if (!status)
        status = vectors_begin((uint32_t)h->dim, &r->embeddings, error);
    if (!status && !(r->row = malloc((size_t)h->dim * sizeof *r->row)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a vector");
    for (int32_t i = 0; i < r->counts.words && !status; i++)
        status = read_entry(r, (uint32_t)i, max_words, error);
    if (!status && !r->embeddings->count)
        status =
            vl_fail(error, VL_ERR_INPUT, "%s has no words", vectors_source_path(r->source));
    if (status)
        return status;
    r->embeddings->training =
        (vectors_training){h->window, h->epochs, h->min_count, h->negative, h->sample};
    return read_matrices(r, error);
}

vl_status vectors_bin_read(vectors_source *source, size_t max_words, vl_embeddings **embeddings,
                           vl_error *error) {
    reading r = {.source = source};
    vl_status status = read_all(&r, max_words, error);
    free(r.row);
    free(r.entry);
    if (status)
        vl_embeddings_free(r.embeddings);
    *embeddings = status ? NULL : r.embeddings;
    return status;
}

/* ---- writing -------------------------------------------------------------------------- */

/* Failures of the writer wait for its commit. */
static void put(vl_file_writer *writer, const void *bytes, size_t count) {
    vl_file_writer_put(writer, bytes, count, NULL);
}

static void put_head(vl_file_writer *writer, const vl_embeddings *e) {
    const vectors_training *t = &e->training;
    head h = {.version = VERSION,
              .dim = (int32_t)e->dim,
              .window = t->window,
              .epochs = t->epochs,
              .min_count = t->min_count,
              .negative = t->negative,
              .word_ngrams = 1,
              .loss = LOSS_NEGATIVE,
              .model = MODEL_SKIPGRAM,
              .buckets = (int32_t)e->subwords.buckets,
              .minn = (int32_t)e->subwords.minn,
              .maxn = (int32_t)e->subwords.maxn,
              .update_rate = UPDATE_RATE,
              .sample = t->sample};
    memcpy(&h.magic, VECTORS_BIN_MAGIC, sizeof h.magic);
    put(writer, &h, offsetof(head, sample));
    put(writer, &h.sample, sizeof h.sample);
}

static void put_words(vl_file_writer *writer, const vl_embeddings *e) {
    counts c = {.entries = (int32_t)e->count, .words = (int32_t)e->count, .pruned = -1};
    const int8_t type = 0;
    for (size_t i = 0; i < e->count; i++)
        c.tokens += (int64_t)(e->frequency[i] ? e->frequency[i] : 1);
    put(writer, &c, 3 * sizeof c.entries);
    put(writer, &c.tokens, 2 * sizeof c.tokens);
    for (size_t i = 0; i < e->count; i++) {
        /* Not known is written as once: fastText divides by their sum. */
        int64_t frequency = (int64_t)(e->frequency[i] ? e->frequency[i] : 1);
        const char *word = vl_embeddings_word(e, i);
        put(writer, word, strlen(word) + 1);
        put(writer, &frequency, sizeof frequency);
        put(writer, &type, sizeof type);
    }
}

static void put_shape(vl_file_writer *writer, const vl_embeddings *e, size_t rows) {
    const int8_t quantised = 0;
    const int64_t shape[] = {(int64_t)rows, e->dim};
    put(writer, &quantised, sizeof quantised);
    put(writer, shape, sizeof shape);
}

/* The row of its own that a word has beside those of its n-grams. */
static void own_row(const vl_embeddings *e, size_t index, float *own, float *ngrams) {
    const char *word = vl_embeddings_word(e, index);
    const float *row = vl_embeddings_row(e, index);
    memset(ngrams, 0, e->dim * sizeof *ngrams);
    float parts = 1 + (float)vectors_add_ngrams(e, word, strlen(word), ngrams);
    for (uint32_t i = 0; i < e->dim; i++)
        own[i] = row[i] * parts - ngrams[i];
}

/* `work` [2][dim] */
static vl_status put_matrices(vl_file_writer *writer, const vl_embeddings *e, float *work,
                              vl_error *error) {
    size_t bytes = e->dim * sizeof *work;
    float *zeros = work + e->dim;
    vl_status status = VL_OK;
    put_shape(writer, e, e->count + e->subwords.buckets);
    for (size_t i = 0; i < e->count; i++) {
        own_row(e, i, work, work + e->dim);
        put(writer, work, bytes);
    }
    memset(zeros, 0, bytes);
    for (size_t i = 0; i < e->subwords.buckets && !status; i++) {
        uint32_t slot = e->bucket_slot[i];
        put(writer, slot ? e->bucket_rows + (size_t)(slot - 1) * e->dim : zeros, bytes);
        if (i % 4096 == 0)
            status = vl_stop_check(error);
    }
    put_shape(writer, e, e->count);
    for (size_t i = 0; i < e->count; i++)
        put(writer, e->contexts ? e->contexts + i * e->dim : zeros, bytes);
    return status;
}

vl_status vl_embeddings_write_bin(const vl_embeddings *e, const char *path, vl_error *error) {
    vl_file_writer *writer;
    if (e->count > INT32_MAX || e->subwords.buckets > INT32_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "%s: fastText's format has room for %d words", path,
                       INT32_MAX);
    float *work = malloc(2 * e->dim * sizeof *work);
    if (!work)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to write %s", path);
    vl_status status = vl_file_writer_open(path, &writer, error);
    if (status)
        goto out;
    put_head(writer, e);
    put_words(writer, e);
    if ((status = put_matrices(writer, e, work, error)))
        vl_file_writer_abandon(writer);
    else
        status = vl_file_writer_commit(writer, error);
out:
    free(work);
    return status;
}
