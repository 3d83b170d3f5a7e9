/* embed_corpus.c — one pass over the text: words get numbers as they come and are counted; the
 * text goes as numbers into a file without a name. Then the vocabulary is put in order, and
 * the numbers in the file are replaced by those of that order.
 *
 * When the table of words is full, the rarest are dropped (as word2vec does); one that comes
 * again gets another number and is counted from there. Numbers are therefore given by `serial`
 * and not by the table. */
#include "align/embed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BUFFER = 64 << 10 };

typedef struct counting {
    const vl_embed_options *options;
    embed_corpus *corpus;
    size_t max_words;
    vl_embeddings *table; /* at most max_words */
    uint32_t *serial;     /* [room]: the number of each word of the table */
    size_t serial_room;
    uint32_t next_serial;
    uint64_t dropped_below;    /* words seen no more often were dropped so far */
    uint32_t *buffer;          /* [BUFFER + 1] on its way to the file */
    size_t buffered, sentence; /* words since the last end */
    embed_text text;
} counting;

/* ---- the file of numbers ------------------------------------------------------------------
 */

static vl_status open_file(int *file, vl_error *error) {
    const char *folder = getenv("TMPDIR");
    char path[4096];
    if (!folder || !*folder)
        folder = "/var/tmp"; /* what is for large files, where /tmp may be memory */
    snprintf(path, sizeof path, "%s/vislang-embed-XXXXXX", folder);
    *file = mkostemp(path, O_CLOEXEC);
    if (*file < 0)
        return vl_fail(error, VL_ERR_IO, "cannot make a temporary file in %s: %s (set TMPDIR)",
                       folder, strerror(errno));
    unlink(path);
    return VL_OK;
}

static vl_status write_ids(int file, const uint32_t *ids, size_t count, off_t at,
                           vl_error *error) {
    const char *bytes = (const char *)ids;
    size_t left = count * sizeof *ids;
    while (left) {
        ssize_t put = pwrite(file, bytes, left, at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return vl_fail(error, VL_ERR_IO,
                           "cannot write the temporary file of words: %s (set TMPDIR)",
                           strerror(put ? errno : ENOSPC));
        bytes += put;
        left -= (size_t)put;
        at += put;
    }
    return VL_OK;
}

static vl_status read_ids(int file, uint32_t *ids, size_t count, off_t at, vl_error *error) {
    char *bytes = (char *)ids;
    size_t left = count * sizeof *ids;
    while (left) {
        ssize_t got = pread(file, bytes, left, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return vl_fail(error, VL_ERR_IO, "cannot read the temporary file of words: %s",
                           strerror(got ? errno : EIO));
        bytes += got;
        left -= (size_t)got;
        at += got;
    }
    return VL_OK;
}

/* ---- counting ------------------------------------------------------------------------------
 */

static vl_status flush(counting *c, vl_error *error) {
    vl_status status = write_ids(c->corpus->file, c->buffer, c->buffered,
                                 (off_t)(c->corpus->count * sizeof *c->buffer), error);
    c->corpus->count += c->buffered;
    c->buffered = 0;
    return status;
}

static vl_status put_id(counting *c, uint32_t id, vl_error *error) {
    c->sentence = id == EMBED_END ? 0 : c->sentence + 1;
    c->buffer[c->buffered++] = id;
    if (c->sentence == EMBED_MAX_SENTENCE) {
        c->buffer[c->buffered++] = EMBED_END;
        c->sentence = 0;
    }
    return c->buffered < BUFFER ? VL_OK : flush(c, error);
}

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "no memory for the words of the text");
}

static vl_status reserve_serial(counting *c, vl_error *error) {
    if (c->table->count < c->serial_room)
        return VL_OK;
    size_t room = c->serial_room ? c->serial_room * 2 : 4096;
    uint32_t *serial = realloc(c->serial, room * sizeof *serial);
    if (!serial)
        return no_memory(error);
    c->serial = serial;
    c->serial_room = room;
    return VL_OK;
}

/* Drops words until a quarter of the table is free. */
static vl_status drop_rare(counting *c, vl_error *error) {
    vl_embeddings *old = c->table, *kept = NULL;
    uint64_t below = c->dropped_below;
    for (size_t left = old->count; left > c->max_words / 4 * 3;) {
        left = 0;
        below++;
        for (size_t i = 0; i < old->count; i++)
            left += old->frequency[i] > below;
    }
    vl_status status = vectors_begin(1, &kept, error);
    for (size_t i = 0; i < old->count && !status; i++) {
        const char *word = vl_embeddings_word(old, i);
        size_t index;
        if (old->frequency[i] <= below)
            continue;
        status = vectors_add(kept, word, strlen(word), old->frequency[i], &index, error);
        if (!status)
            c->serial[index] = c->serial[i]; /* index is at most i */
    }
    if (status) {
        vl_embeddings_free(kept);
        return status;
    }
    c->table = kept;
    c->dropped_below = below;
    vl_embeddings_free(old);
    return VL_OK;
}

static vl_status count_word(const char *word, size_t bytes, void *user, vl_error *error) {
    counting *c = user;
    if (!word)
        return put_id(c, EMBED_END, error);
    size_t index = vectors_find(c->table, word, bytes);
    if (index == SIZE_MAX) {
        vl_status status = c->table->count < c->max_words ? VL_OK : drop_rare(c, error);
        if (!status)
            status = reserve_serial(c, error);
        if (!status && c->next_serial == EMBED_END)
            status = vl_fail(error, VL_ERR_LIMIT, "the text has too many different words");
        if (!status)
            status = vectors_add(c->table, word, bytes, 0, &index, error);
        if (status || index == SIZE_MAX) /* what is no word of a file of vectors */
            return status;
        c->serial[index] = c->next_serial++;
    }
    c->table->frequency[index]++;
    c->corpus->seen++;
    return put_id(c, c->serial[index], error);
}

static void show_counting(uint64_t bytes, void *user) {
    const counting *c = user;
    vl_embed_progress now = {.bytes = bytes, .words = c->corpus->seen};
    c->options->progress(&now, c->options->user);
}

/* ---- in order ------------------------------------------------------------------------------
 */

typedef struct ranked {
    uint64_t frequency;
    uint32_t index, serial;
} ranked;

static int by_frequency(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->frequency != y->frequency)
        return x->frequency > y->frequency ? -1 : 1;
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static size_t rank(const counting *c, ranked *words) {
    size_t count = 0;
    for (size_t i = 0; i < c->table->count; i++)
        if (c->table->frequency[i] >= c->options->min_count)
            words[count++] = (ranked){c->table->frequency[i], (uint32_t)i, c->serial[i]};
    qsort(words, count, sizeof *words, by_frequency);
    return count;
}

/* The vocabulary, and map[serial] into it (EMBED_END: not in it). */
static vl_status put_in_order(counting *c, uint32_t *map, vl_error *error) {
    ranked *words = malloc((c->table->count + 1) * sizeof *words);
    if (!words)
        return no_memory(error);
    size_t count = rank(c, words), index;
    memset(map, 0xFF, c->next_serial * sizeof *map);
    vl_status status = vectors_begin(c->options->dim, &c->corpus->words, error);
    if (!status && count < 2)
        status = vl_fail(error, VL_ERR_INPUT,
                         "the text has %zu words that come %u times (--min-count); at least 2 "
                         "are needed",
                         count, c->options->min_count);
    for (size_t i = 0; i < count && !status; i++) {
        const char *word = vl_embeddings_word(c->table, words[i].index);
        status = vectors_add(c->corpus->words, word, strlen(word), words[i].frequency, &index,
                             error);
        map[words[i].serial] = (uint32_t)i;
    }
    free(words);
    return status;
}

/* ---- numbers replaced ----------------------------------------------------------------------
 */

typedef struct replacing {
    embed_corpus *corpus;
    const uint32_t *map;
    uint32_t *out;           /* [BUFFER + EMBED_MAX_SENTENCE] */
    size_t filled, sentence; /* the last `sentence` of the filled are one that goes on */
    size_t written;
    size_t chunk_room;
} replacing;

static vl_status add_chunk(replacing *r, size_t at, vl_error *error) {
    embed_corpus *c = r->corpus;
    if (c->chunk_count + 1 >= r->chunk_room) {
        size_t room = r->chunk_room ? r->chunk_room * 2 : 256;
        size_t *chunks = realloc(c->chunks, room * sizeof *chunks);
        if (!chunks)
            return no_memory(error);
        c->chunks = chunks;
        r->chunk_room = room;
    }
    c->chunks[++c->chunk_count] = at;
    return VL_OK;
}

static vl_status end_sentence(replacing *r, vl_error *error) {
    embed_corpus *c = r->corpus;
    size_t words = r->sentence;
    r->sentence = 0;
    if (words < 2) {
        r->filled -= words;
        return VL_OK;
    }
    c->kept += words;
    r->out[r->filled++] = EMBED_END;
    size_t at = r->written + r->filled;
    if (at - c->chunks[c->chunk_count] >= EMBED_CHUNK)
        return add_chunk(r, at, error);
    return VL_OK;
}

static vl_status write_out(replacing *r, vl_error *error) {
    size_t whole = r->filled - r->sentence;
    vl_status status =
        write_ids(r->corpus->file, r->out, whole, (off_t)(r->written * sizeof *r->out), error);
    memmove(r->out, r->out + whole, r->sentence * sizeof *r->out);
    r->written += whole;
    r->filled = r->sentence;
    return status;
}

static vl_status replace_id(replacing *r, uint32_t serial, vl_error *error) {
    if (serial == EMBED_END)
        return end_sentence(r, error);
    uint32_t id = r->map[serial];
    if (id == EMBED_END)
        return VL_OK;
    r->out[r->filled++] = id;
    r->sentence++;
    return VL_OK;
}

/* In place: a sentence never gets longer, so what is written never passes what was read. */
static vl_status replace_all(replacing *r, uint32_t *in, vl_error *error) {
    size_t count = r->corpus->count;
    vl_status status = VL_OK;
    for (size_t at = 0; at < count && !status; at += BUFFER) {
        size_t part = count - at < BUFFER ? count - at : BUFFER;
        status = read_ids(r->corpus->file, in, part, (off_t)(at * sizeof *in), error);
        for (size_t i = 0; i < part && !status; i++)
            status = replace_id(r, in[i], error);
        if (!status)
            status = write_out(r, error);
        if (!status)
            status = vl_stop_check(error);
    }
    return status;
}

static vl_status replace(counting *c, const uint32_t *map, vl_error *error) {
    embed_corpus *corpus = c->corpus;
    replacing r = {.corpus = corpus, .map = map};
    r.out = malloc((BUFFER + EMBED_MAX_SENTENCE) * sizeof *r.out);
    vl_status status = r.out ? VL_OK : no_memory(error);
    corpus->chunk_count = 0;
    if (!status && !(corpus->chunks = malloc((r.chunk_room = 256) * sizeof *corpus->chunks)))
        status = no_memory(error);
    if (!status) {
        corpus->chunks[0] = 0;
        status = replace_all(&r, c->buffer, error);
    }
    if (!status && r.written > corpus->chunks[corpus->chunk_count])
        status = add_chunk(&r, r.written, error);
    free(r.out);
    corpus->count = r.written;
    if (!status && !r.written)
        status = vl_fail(error, VL_ERR_INPUT,
                         "the text has no line with two words of the vocabulary");
    return status;
}

static vl_status map_file(embed_corpus *c, vl_error *error) {
    size_t bytes = c->count * sizeof *c->ids;
    void *at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, c->file, 0);
    if (at == MAP_FAILED)
        return vl_fail(error, VL_ERR_MEMORY, "cannot map the temporary file of words: %s",
                       strerror(errno));
    c->ids = at;
    return VL_OK;
}

/* ---- all of it -----------------------------------------------------------------------------
 */

static vl_status count_all(counting *c, const char *const *paths, size_t path_count,
                           vl_error *error) {
    embed_corpus *corpus = c->corpus;
    c->text = (embed_text){.tokens = c->options->tokens,
                           .word = count_word,
                           .progress = c->options->progress ? show_counting : NULL,
                           .user = c};
    vl_status status = open_file(&corpus->file, error);
    if (!status)
        status = vectors_begin(1, &c->table, error);
    if (!status && !(c->buffer = malloc((BUFFER + 1) * sizeof *c->buffer)))
        status = no_memory(error);
    for (size_t i = 0; i < path_count && !status; i++)
        status = embed_text_read(&c->text, paths[i], error);
    if (!status)
        status = flush(c, error);
    corpus->lines = c->text.lines;
    corpus->bytes = c->text.bytes;
    corpus->damaged = c->text.damaged;
    if (!status && !corpus->seen)
        status = vl_fail(error, VL_ERR_INPUT, "there are no words in %s%s",
                         path_count ? paths[0] : "no text", path_count > 1 ? ", …" : "");
    return status;
}

vl_status embed_corpus_read(const vl_embed_options *options, const char *const *paths,
                            size_t path_count, size_t max_words, embed_corpus *corpus,
                            vl_error *error) {
    counting c = {.options = options, .corpus = corpus, .max_words = max_words};
    uint32_t *map = NULL;
    *corpus = (embed_corpus){.file = -1};
    vl_status status = count_all(&c, paths, path_count, error);
    if (!status && !(map = malloc((c.next_serial + 1) * sizeof *map)))
        status = no_memory(error);
    if (!status)
        status = put_in_order(&c, map, error);
    if (!status)
        status = replace(&c, map, error);
    if (!status)
        status = map_file(corpus, error);
    vl_embeddings_free(c.table);
    free(c.serial);
    free(c.buffer);
    free(map);
    if (status)
        embed_corpus_deinit(corpus);
    return status;
}

void embed_corpus_deinit(embed_corpus *c) {
    if (c->ids)
        munmap((void *)(uintptr_t)c->ids, c->count * sizeof *c->ids);
    if (c->file >= 0)
        close(c->file);
    vl_embeddings_free(c->words);
    free(c->chunks);
    *c = (embed_corpus){.file = -1};
}
