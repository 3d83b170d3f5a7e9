/* Tests of training word vectors: text into numbers, the inner loops, and what is learned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align/embed.h"
#include "align/isa/sgns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char folder[] = "/tmp/vislang-embed-XXXXXX";
static char path[64];
static const char *const paths[] = {path};

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/text", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void put(const void *bytes, size_t count) {
    assert_int_equal(vl_file_write(path, bytes, count, NULL), VL_OK);
}

/* ---- text into numbers ------------------------------------------------------------------- */

/* The words of all sentences that are kept, ends as '.'. */
static void show(const embed_corpus *c, char *out, size_t room) {
    *out = '\0';
    for (size_t i = 0; i < c->count; i++) {
        size_t used = strlen(out);
        snprintf(out + used, room - used, "%s%s", used ? " " : "",
                 c->ids[i] == EMBED_END ? "." : vl_embeddings_word(c->words, c->ids[i]));
    }
}

static void test_corpus(void **state) {
    static const struct {
        const char *text;
        vl_embed_tokens tokens;
        uint32_t min_count;
        const char *words; /* by frequency */
        const char *kept;
        uint64_t seen, lines, damaged;
    } rows[] = {
        {"b a\na c a\n", VL_EMBED_SPACES, 1, "a b c", "b a . a c a .", 5, 2, 0},
        {"b a\n\n\n  a c\ta\r\nd", VL_EMBED_SPACES, 1, "a b c d", "b a . a c a .", 6, 4, 0},
        {"b a b\na c a d\n", VL_EMBED_SPACES, 2, "a b", "b a b . a a .", 7, 2, 0},
        {"A, a! x\n", VL_EMBED_SPACES, 1, "A, a! x", "A, a! x .", 3, 1, 0},
        {"A, a! x\n", VL_EMBED_WORDS, 1, "a x", "a a x .", 3, 1, 0},
        {"ሰላም ለዓለም። ሰላም\nLe camp", VL_EMBED_WORDS, 1, "ሰላም ለዓለም le camp",
         "ሰላም ለዓለም ሰላም . le camp .", 5, 1, 0},
        {"a b \xFF c\n", VL_EMBED_SPACES, 1, "a b c", "a b c .", 3, 1, 1},
        {"a b \xFF c\n", VL_EMBED_WORDS, 1, "a b c", "a b c .", 3, 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_embed_options options = vl_embed_options_default();
        embed_corpus c;
        vl_error error = {0};
        char text[256];
        options.tokens = rows[i].tokens;
        options.min_count = rows[i].min_count;
        put(rows[i].text, strlen(rows[i].text));
        if (embed_corpus_read(&options, paths, 1, EMBED_MAX_WORDS, &c, &error))
            fail_msg("row %zu: %s", i, error.message);
        show(&c, text, sizeof text);
        assert_string_equal(text, rows[i].kept);
        *text = '\0';
        for (size_t w = 0; w < vl_embeddings_count(c.words); w++)
            sprintf(text + strlen(text), "%s%s", w ? " " : "", vl_embeddings_word(c.words, w));
        assert_string_equal(text, rows[i].words);
        assert_int_equal(c.seen, rows[i].seen);
        assert_int_equal(c.lines, rows[i].lines);
        assert_int_equal(c.damaged, rows[i].damaged);
        embed_corpus_deinit(&c);
    }
}

static void test_corpus_refuses(void **state) {
    static const struct {
        const char *text;
        size_t bytes;
        const char *says;
    } rows[] = {
        {"", 0, "no words"},
        {" \n\n\t", 4, "no words"},
        {"a b\0c", 5, "NUL bytes"},
        {"\x7F"
         "ELF\2\1\1\0\0\0",
         10, "NUL bytes"},
        {"a a a a a", 9, "1 words that come 2 times"},
        {"a b c d e", 9, "0 words that come 2 times"},
        {"a\nb\na\nb\n", 8, "no line with two words"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_embed_options options = vl_embed_options_default();
        embed_corpus c;
        vl_error error = {0};
        options.min_count = 2;
        put(rows[i].text, rows[i].bytes);
        assert_int_equal(embed_corpus_read(&options, paths, 1, EMBED_MAX_WORDS, &c, &error),
                         VL_ERR_INPUT);
        if (!strstr(error.message, rows[i].says))
            fail_msg("row %zu says: %s", i, error.message);
    }
    const char *none[] = {"/nonexistent/text"};
    vl_embed_options options = vl_embed_options_default();
    embed_corpus c;
    assert_int_equal(embed_corpus_read(&options, none, 1, EMBED_MAX_WORDS, &c, NULL),
                     VL_ERR_INPUT);
}

/* A line of three megabytes, with and without spaces, gzipped; words are cut nowhere. */
static void test_long_lines(void **state) {
    enum { BYTES = 3 << 20 };
    char *text = malloc(BYTES);
    (void)state;
    for (size_t i = 0; i < BYTES; i++)
        text[i] = i % 4 == 3 ? ' ' : (char)('a' + (i / 4) % 7);
    for (int tokens = VL_EMBED_WORDS; tokens <= VL_EMBED_SPACES; tokens++) {
        vl_embed_options options = vl_embed_options_default();
        embed_corpus c;
        options.tokens = (vl_embed_tokens)tokens;
        gzFile file = gzopen(path, "wb1");
        assert_int_equal(gzwrite(file, text, BYTES), BYTES);
        gzclose(file);
        assert_int_equal(embed_corpus_read(&options, paths, 1, EMBED_MAX_WORDS, &c, NULL),
                         VL_OK);
        assert_int_equal(c.seen, BYTES / 4);
        assert_int_equal(c.kept, c.seen);
        assert_int_equal(vl_embeddings_count(c.words), 7);
        size_t longest = 0;
        for (size_t i = 0, length = 0; i < c.count; i++) {
            length = c.ids[i] == EMBED_END ? 0 : length + 1;
            longest = length > longest ? length : longest;
        }
        assert_int_equal(longest, EMBED_MAX_SENTENCE);
        assert_int_equal(c.chunks[0], 0);
        assert_int_equal(c.chunks[c.chunk_count], c.count);
        for (size_t i = 0; i < c.chunk_count; i++) {
            assert_true(c.chunks[i] < c.chunks[i + 1]);
            assert_int_equal(c.ids[c.chunks[i + 1] - 1], EMBED_END);
        }
        embed_corpus_deinit(&c);
    }
    memset(text, 'x', BYTES); /* no word of a file of vectors */
    memcpy(text, "a b a b a b a b a b\n", 20);
    put(text, BYTES);
    free(text);
    vl_embed_options options = vl_embed_options_default();
    embed_corpus c;
    options.tokens = VL_EMBED_SPACES;
    assert_int_equal(embed_corpus_read(&options, paths, 1, EMBED_MAX_WORDS, &c, NULL), VL_OK);
    assert_int_equal(c.seen, 10);
    embed_corpus_deinit(&c);
}

/* More words than the table holds: the frequent ones are there in the end, with their counts.
 */
static void test_full_table(void **state) {
    vl_buf text;
    vl_embed_options options = vl_embed_options_default();
    embed_corpus c;
    (void)state;
    vl_buf_init(&text, 1 << 20);
    for (int i = 0; i < 3000; i++)
        vl_buf_printf(&text, "the camp rare%d %s\n", i, i % 2 ? "water" : "food");
    put(text.data, text.len);
    vl_buf_deinit(&text);
    options.tokens = VL_EMBED_SPACES;
    assert_int_equal(embed_corpus_read(&options, paths, 1, 64, &c, NULL), VL_OK);
    static const char *const words[] = {"the", "camp", "food", "water"};
    static const uint64_t counts[] = {3000, 3000, 1500, 1500};
    assert_int_equal(vl_embeddings_count(c.words), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(vl_embeddings_word(c.words, i), words[i]);
        assert_int_equal(vl_embeddings_frequency(c.words, i), counts[i]);
    }
    assert_int_equal(c.seen, 12000);
    assert_int_equal(c.kept, 9000);
    embed_corpus_deinit(&c);
}

/* ---- the inner loops --------------------------------------------------------------------- */

enum { STRIDE = 48, ROWS = 9 };

static float *make_table(uint64_t seed) {
    float *table = aligned_alloc(64, ROWS * STRIDE * sizeof *table);
    for (size_t i = 0; i < ROWS * STRIDE; i++)
        table[i] = (float)vl_random_uniform(&seed) - 0.5F;
    return table;
}

static void same(const float *got, const double *expected, size_t n) {
    for (size_t i = 0; i < n; i++)
        assert_true(fabs((double)got[i] - expected[i]) < 1e-5);
}

static void check_table_loops(const embed_kernels *k, size_t count) {
    static const uint32_t ids[] = {3, 0, 3, 8, 1, 1, 7, 2, 5, 4, 6};
    float *table = make_table(5), *out = make_table(6), *x = make_table(7);
    double expected[STRIDE] = {0}, after[ROWS * STRIDE];
    for (size_t i = 0; i < ROWS * STRIDE; i++)
        after[i] = (double)table[i];
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < STRIDE; d++) {
            expected[d] += (double)table[ids[i] * STRIDE + d] * 0.25;
            after[ids[i] * STRIDE + d] += (double)x[d];
        }
    k->mean(out, 0.25F, table, ids, count, STRIDE);
    same(out, expected, STRIDE);
    k->add(table, ids, count, x, STRIDE);
    same(table, after, ROWS * STRIDE);
    free(table);
    free(out);
    free(x);
}

/* One row comes twice: what the first adds is there for the second. */
static void check_row_loops(const embed_kernels *k, size_t count) {
    static const size_t ids[] = {3, 0, 3, 8, 1, 7, 2, 5, 4, 6};
    float *table = make_table(8), *x = make_table(9), *total = make_table(10);
    float *rows[10], g[10], dots[10];
    double after[ROWS * STRIDE], moved[STRIDE] = {0}, sums[STRIDE], xs[STRIDE];
    for (size_t i = 0; i < ROWS * STRIDE; i++)
        after[i] = (double)table[i];
    for (size_t i = 0; i < count; i++) {
        double dot = 0;
        rows[i] = table + ids[i] * STRIDE;
        g[i] = (float)i * 0.1F - 0.3F;
        for (size_t d = 0; d < STRIDE; d++) {
            dot += (double)x[d] * (double)table[ids[i] * STRIDE + d];
            moved[d] += (double)g[i] * after[ids[i] * STRIDE + d];
            after[ids[i] * STRIDE + d] += (double)g[i] * (double)x[d];
        }
        dots[i] = 0;
        sums[i] = dot;
    }
    k->dots(dots, x, rows, count, STRIDE);
    same(dots, sums, count);
    for (size_t d = 0; d < STRIDE; d++) {
        sums[d] = (double)total[d] + moved[d];
        xs[d] = (double)x[d] + moved[d] * 0.5;
    }
    k->step(x, total, 0.5F, rows, g, count, STRIDE);
    same(table, after, ROWS * STRIDE);
    same(total, sums, STRIDE);
    same(x, xs, STRIDE);
    free(table);
    free(x);
    free(total);
}

static void test_loops(void **state) {
    const embed_kernels *tables[4];
    size_t count = embed_rows_all(tables);
    (void)state;
    assert_true(count > 0);
    for (size_t t = 0; t < count; t++) {
        for (size_t n = 0; n <= 11; n++)
            check_table_loops(tables[t], n);
        for (size_t n = 1; n <= 10; n++)
            check_row_loops(tables[t], n);
    }
}

/* ---- what is learned --------------------------------------------------------------------- */

/* Lines about water, and lines about school: words of one kind share no line with the other. */
static void put_topics(int lines) {
    static const char *const topics[2][6] = {
        {"water", "well", "river", "pump", "rain", "bucket"},
        {"school", "teacher", "pupil", "lesson", "book", "exam"}};
    uint64_t random = 11;
    vl_buf text;
    vl_buf_init(&text, 4 << 20);
    for (int i = 0; i < lines; i++)
        for (int w = 0; w < 8; w++)
            vl_buf_printf(&text, "%s%c", topics[i % 2][vl_random_below(&random, 6)],
                          w < 7 ? ' ' : '\n');
    put(text.data, text.len);
    vl_buf_deinit(&text);
}

static vl_embed_options small(void) {
    vl_embed_options options = vl_embed_options_default();
    options.dim = 20;
    options.epochs = 3;
    options.buckets = 5000;
    options.sample = 0;
    return options;
}

static double cosine(const vl_embeddings *e, const char *a, const char *b) {
    float x[64], y[64];
    double xy = 0, xx = 0, yy = 0;
    assert_int_equal(vl_embeddings_of(e, a, x, NULL), VL_OK);
    assert_int_equal(vl_embeddings_of(e, b, y, NULL), VL_OK);
    for (uint32_t i = 0; i < vl_embeddings_dim(e); i++) {
        xy += (double)x[i] * (double)y[i];
        xx += (double)x[i] * (double)x[i];
        yy += (double)y[i] * (double)y[i];
    }
    return xy / sqrt(xx * yy);
}

static void test_learns(void **state) {
    (void)state;
    put_topics(3000);
    for (size_t threads = 1; threads <= 3; threads += 2)
        for (int plain = 0; plain < 2; plain++) {
            vl_embed_options options = small();
            vl_embeddings *e;
            vl_embed_report report;
            vl_error error = {0};
            options.threads = threads;
            options.maxn = plain ? 0 : 6;
            if (vl_embed_train(&options, paths, 1, &e, &report, &error))
                fail_msg("%s", error.message);
            assert_int_equal(report.words, 24000);
            assert_int_equal(report.kept, 24000);
            assert_int_equal(report.vocabulary, 12);
            assert_int_equal(report.ngrams > 0, !plain);
            assert_true(report.loss > 0 && report.loss < 0.69);
            assert_true(cosine(e, "water", "pump") > 0.6);
            assert_true(cosine(e, "school", "exam") > 0.6);
            assert_true(cosine(e, "water", "exam") < 0.4);
            if (!plain)
                assert_true(cosine(e, "teachers", "teacher") > 0.6);
            vl_embeddings_free(e);
        }
}

static void test_repeats(void **state) {
    vl_embeddings *e[4];
    vl_embed_options options = small();
    (void)state;
    put_topics(1500);
    for (int i = 0; i < 4; i++) {
        options.seed = i == 3 ? 2 : 1;
        options.sample = i == 2 ? 1e-2 : 0; /* another use of the dice */
        assert_int_equal(vl_embed_train(&options, paths, 1, &e[i], NULL, NULL), VL_OK);
    }
    size_t bytes = vl_embeddings_count(e[0]) * options.dim * sizeof(float);
    assert_memory_equal(vl_embeddings_row(e[0], 0), vl_embeddings_row(e[1], 0), bytes);
    assert_memory_not_equal(vl_embeddings_row(e[0], 0), vl_embeddings_row(e[2], 0), bytes);
    assert_memory_not_equal(vl_embeddings_row(e[0], 0), vl_embeddings_row(e[3], 0), bytes);
    for (int i = 0; i < 4; i++)
        vl_embeddings_free(e[i]);
}

static bool stop_at_once(void *user) {
    ++*(int *)user;
    return true;
}

static void test_stopped(void **state) {
    vl_embed_options options = small();
    vl_embeddings *e;
    int asked = 0;
    (void)state;
    put_topics(1500);
    vl_stop_watch(stop_at_once, &asked);
    vl_status status = vl_embed_train(&options, paths, 1, &e, NULL, NULL);
    vl_stop_watch(NULL, NULL);
    assert_int_equal(status, VL_ERR_CANCELLED);
    assert_null(e);
    assert_true(asked > 0);
}

static void test_options(void **state) {
    static const char *const says[] = {"dimensions", "dimensions", "epochs",  "least count",
                                       "window",     "negative",   "threads", "rate",
                                       "rate",       "sample",     "n-grams", "longest"};
    (void)state;
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        vl_embed_options o = small();
        vl_embeddings *e;
        vl_error error = {0};
        o.dim = i == 0 ? 0 : i == 1 ? VL_EMBEDDINGS_MAX_DIM + 1 : o.dim;
        o.epochs = i == 2 ? 0 : 1;
        o.min_count = i == 3 ? 0 : 1;
        o.window = i == 4 ? 0 : 5;
        o.negative = i == 5 ? 101 : 5;
        o.threads = i == 6 ? 0 : 1;
        o.rate = i == 7 ? NAN : i == 8 ? 0 : 0.05;
        o.sample = i == 9 ? -1 : 0;
        o.minn = i == 10 ? 7 : 3;
        o.maxn = i == 11 ? 65 : 6;
        assert_int_equal(vl_embed_train(&o, paths, 1, &e, NULL, &error), VL_ERR_USAGE);
        assert_non_null(strstr(error.message, says[i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),     cmocka_unit_test(test_corpus_refuses),
        cmocka_unit_test(test_long_lines), cmocka_unit_test(test_full_table),
        cmocka_unit_test(test_loops),      cmocka_unit_test(test_learns),
        cmocka_unit_test(test_repeats),    cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
