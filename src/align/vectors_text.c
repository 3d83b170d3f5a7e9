/* vectors_text.c — .vec files: a line "COUNT DIMENSIONS", then a line a word, its numbers
 * behind it. GloVe's files lack the first line; some have words with spaces inside, so numbers
 * are counted from the end of a line. */
#include "align/vectors_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 1 << 20 };

typedef struct reading {
    vectors_source *source;
    vl_embeddings *embeddings;
    float *row;         /* [dim] */
    uint64_t announced; /* words; UINT64_MAX: no header */
    uint64_t lines, words;
} reading;

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static size_t trim(const char *line, size_t length) {
    while (length && is_blank(line[length - 1]))
        length--;
    return length;
}

/* The beginning of the last `count` pieces of a trimmed line; NULL: it has fewer. */
static const char *last_pieces(const char *line, size_t length, size_t count) {
    const char *at = line + length;
    for (size_t i = 0; i < count; i++) {
        if (i)
            at = line + trim(line, (size_t)(at - line));
        if (at == line)
            return NULL;
        while (at > line && !is_blank(at[-1]))
            at--;
    }
    return at;
}

static size_t count_pieces(const char *line, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += !is_blank(line[i]) && (!i || is_blank(line[i - 1]));
    return count;
}

static bool is_number(const char *at, const char *end) {
    float number;
    return vectors_number_read(&at, end, &number) && at == end;
}

/* "COUNT DIMENSIONS" */
static bool read_header(const char *line, size_t length, uint64_t *count, uint64_t *dim) {
    uint64_t *const parts[] = {count, dim};
    const char *at = line, *end = line + length;
    for (int i = 0; i < 2; i++) {
        const char *begin = at;
        for (*parts[i] = 0; at < end && *at >= '0' && *at <= '9' && at - begin < 18; at++)
            *parts[i] = *parts[i] * 10 + (uint64_t)(*at - '0');
        if (at == begin || (!i && (at == end || !is_blank(*at))))
            return false;
        while (!i && at < end && is_blank(*at))
            at++;
    }
    return at == end;
}

static vl_status wrong_line(const reading *r, const char *what, vl_error *error) {
    return vl_fail(error, VL_ERR_INPUT, "%s, line %" PRIu64 ": %s",
                   vectors_source_path(r->source), r->lines, what);
}

/* The numbers of a line into r->row; *word is what stands before them. */
static vl_status read_row(reading *r, const char *line, size_t length, size_t *word,
                          vl_error *error) {
    uint32_t dim = r->embeddings->dim;
    char what[96];
    const char *end = line + length, *at = last_pieces(line, length, dim);
    if (!at || at == line) {
        snprintf(what, sizeof what, "%zu numbers, not %u", count_pieces(line, length) - 1, dim);
        return wrong_line(r, what, error);
    }
    *word = trim(line, (size_t)(at - line));
    const char *before = last_pieces(line, *word, 1);
    if (before && before > line && is_number(before, line + *word)) {
        snprintf(what, sizeof what, "more than %u numbers", dim);
        return wrong_line(r, what, error);
    }
    for (uint32_t i = 0; i < dim; i++) {
        while (at < end && is_blank(*at))
            at++;
        if (!vectors_number_read(&at, end, &r->row[i]) || (at < end && !is_blank(*at))) {
            snprintf(what, sizeof what, "number %u of %u is none", i + 1, dim);
            return wrong_line(r, what, error);
        }
    }
    return vectors_finite(r->row, dim)
               ? VL_OK
               : wrong_line(r, "a NaN or a number beyond all bounds", error);
}

static vl_status read_word(reading *r, const char *line, size_t length, vl_error *error) {
    vl_embeddings *e = r->embeddings;
    size_t word = 0, index = SIZE_MAX;
    vl_status status = read_row(r, line, length, &word, error);
    if (!status)
        status = vectors_add(e, line, word, 0, &index, error);
    if (status || index == SIZE_MAX)
        return status;
    if (!(status = vectors_reserve_rows(e, e->count, error)))
        memcpy(e->rows + index * e->dim, r->row, e->dim * sizeof *r->row);
    return status;
}

static vl_status next_line(reading *r, const char **line, size_t *length, vl_error *error) {
    do {
        vl_status status = vectors_source_until(r->source, '\n', MAX_LINE, line, length, error);
        if (status || !*line)
            return status;
        r->lines++;
        *length = trim(*line, *length);
    } while (!*length);
    return VL_OK;
}

/* Makes r->embeddings; where the first line is a word already, it is read. */
static vl_status begin(reading *r, vl_error *error) {
    const char *line;
    size_t length;
    uint64_t dim;
    vl_status status = next_line(r, &line, &length, error);
    if (status)
        return status;
    if (!line)
        return vl_fail(error, VL_ERR_INPUT, "%s is empty", vectors_source_path(r->source));
    if (r->lines == 1 && length >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3)) {
        line += 3;
        length -= 3;
    }
    bool header = read_header(line, length, &r->announced, &dim);
    size_t pieces = count_pieces(line, length);
    if (!header) {
        r->announced = UINT64_MAX;
        dim = pieces ? pieces - 1 : 0;
    }
    if (!dim || dim > VL_EMBEDDINGS_MAX_DIM)
        return wrong_line(r, "this is no file of word vectors", error);
    if (!(status = vectors_begin((uint32_t)dim, &r->embeddings, error)) &&
        !(r->row = malloc(dim * sizeof *r->row)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a vector");
    if (status || header)
        return status;
    r->words = 1;
    return read_word(r, line, length, error);
}

static vl_status read_words(reading *r, size_t max_words, vl_error *error) {
    const char *line;
    size_t length;
    vl_status status = VL_OK;
    while (!status && r->embeddings->count < max_words) {
        status = next_line(r, &line, &length, error);
        if (status || !line)
            break;
        if (r->words++ == r->announced)
            return wrong_line(r, "more words than the first line announces", error);
        status = read_word(r, line, length, error);
    }
    if (!status && r->announced != UINT64_MAX && r->words < r->announced &&
        r->embeddings->count < max_words)
        status = vl_fail(error, VL_ERR_INPUT,
                         "%s announces %" PRIu64 " words and has %" PRIu64 ": is it cut short?",
                         vectors_source_path(r->source), r->announced, r->words);
    return status;
}

vl_status vectors_text_read(vectors_source *source, size_t max_words,
                            vl_embeddings **embeddings, vl_error *error) {
    reading r = {.source = source};
    *embeddings = NULL;
    vl_status status = begin(&r, error);
    if (!status)
        status = read_words(&r, max_words, error);
    if (!status && !r.embeddings->count)
        status = vl_fail(error, VL_ERR_INPUT, "%s has no words", vectors_source_path(source));
    free(r.row);
    if (status)
        vl_embeddings_free(r.embeddings);
    else
        *embeddings = r.embeddings;
    return status;
}

/* ---- writing -------------------------------------------------------------------------- */

static void put_row(vl_file_writer *writer, const char *word, const float *row, uint32_t dim) {
    char number[VECTORS_NUMBER_SIZE + 1];
    vl_file_writer_put(writer, word, strlen(word), NULL);
    for (uint32_t i = 0; i < dim; i++) {
        number[0] = ' ';
        size_t length = vectors_number_write(row[i], number + 1);
        vl_file_writer_put(writer, number, length + 1, NULL);
    }
    vl_file_writer_put(writer, "\n", 1, NULL);
}

vl_status vl_embeddings_write_vec(const vl_embeddings *e, const char *path, vl_error *error) {
    vl_file_writer *writer;
    char header[64];
    vl_status status = vl_file_writer_open(path, &writer, error);
    if (status)
        return status;
    int length = snprintf(header, sizeof header, "%zu %u\n", e->count, e->dim);
    vl_file_writer_put(writer, header, (size_t)length, NULL); /* failures wait for the commit */
    for (size_t i = 0; i < e->count && !status; i++) {
        put_row(writer, vl_embeddings_word(e, i), vl_embeddings_row(e, i), e->dim);
        if (i % 1024 == 0)
            status = vl_stop_check(error);
    }
    if (!status)
        return vl_file_writer_commit(writer, error);
    vl_file_writer_abandon(writer);
    return status;
}
