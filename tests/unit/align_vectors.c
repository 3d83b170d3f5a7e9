/* Tests of words and their vectors: in memory, and as .vec text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align/vectors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char folder[] = "/tmp/vislang-vectors-XXXXXX";
static char path[64];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
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

static void put_gzipped(const char *text) {
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)strlen(text)), strlen(text));
    assert_int_equal(gzclose(file), Z_OK);
}

static float *copy_rows(const float *rows, size_t n) {
    float *copy = malloc(n * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, rows, n * sizeof *copy);
    return copy;
}

/* ---- in memory ------------------------------------------------------------------------ */

static const char *const three[] = {"የ", "le", "new york"};
static const float three_rows[] = {1, 2, -3, 4, 0, 0.5F};

static void test_new(void **state) {
    const uint64_t frequencies[] = {30, 20, 10};
    vl_embeddings *e;
    vl_error error = {0};
    (void)state;
    assert_int_equal(
        vl_embeddings_new(three, frequencies, copy_rows(three_rows, 6), 3, 2, &e, &error),
        VL_OK);
    assert_int_equal(vl_embeddings_count(e), 3);
    assert_int_equal(vl_embeddings_dim(e), 2);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(vl_embeddings_word(e, i), three[i]);
        assert_int_equal(vl_embeddings_find(e, three[i]), i);
        assert_int_equal(vl_embeddings_frequency(e, i), frequencies[i]);
        assert_memory_equal(vl_embeddings_row(e, i), three_rows + 2 * i, 8);
    }
    float out[2];
    assert_int_equal(vl_embeddings_of(e, "le", out, &error), VL_OK);
    assert_memory_equal(out, three_rows + 2, 8);
    assert_int_equal(vl_embeddings_of(e, "les", out, &error), VL_ERR_MISSING);
    assert_true(vl_embeddings_find(e, "") == SIZE_MAX);
    assert_true(vl_embeddings_find(e, "l") == SIZE_MAX);
    vl_embeddings_free(e);
}

static void test_new_refuses(void **state) {
    static char longer[VL_EMBEDDINGS_MAX_WORD + 2];
    memset(longer, 'a', sizeof longer - 1);
    const struct {
        const char *words[2];
        float number;
        size_t count;
        uint32_t dim;
        const char *says;
    } rows[] = {
        {{"a", "a"}, 1, 2, 2, "twice"},
        {{"a", ""}, 1, 2, 2, "no word"},
        {{"a", "b "}, 1, 2, 2, "no word"},
        {{"a", "b\nc"}, 1, 2, 2, "no word"},
        {{"a", "b\xFF"}, 1, 2, 2, "no word"},
        {{"a", longer}, 1, 2, 2, "no word"},
        {{"a", "b"}, NAN, 2, 2, "'b' has a NaN"},
        {{"a", "b"}, INFINITY, 2, 2, "'b' has a NaN"},
        {{"a", "b"}, 1, 0, 2, "without words"},
        {{"a", "b"}, 1, 2, 0, "0 dimensions"},
        {{"a", "b"}, 1, 2, VL_EMBEDDINGS_MAX_DIM + 1, "4097 dimensions"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        float numbers[] = {1, 2, 3, rows[i].number};
        vl_embeddings *e;
        vl_error error = {0};
        assert_int_equal(vl_embeddings_new(rows[i].words, NULL, numbers, rows[i].count,
                                           rows[i].dim, &e, &error),
                         VL_ERR_INPUT);
        assert_null(e);
        assert_non_null(strstr(error.message, rows[i].says));
    }
}

/* As many as grow every table several times. */
static void test_many(void **state) {
    enum { MANY = 20000 };
    static char names[MANY][16];
    static const char *words[MANY];
    float *rows = malloc(MANY * sizeof *rows);
    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "w%d", i * 7919);
        words[i] = names[i];
        rows[i] = (float)i;
    }
    vl_embeddings *e;
    assert_int_equal(vl_embeddings_new(words, NULL, rows, MANY, 1, &e, NULL), VL_OK);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(vl_embeddings_find(e, words[i]), i);
        assert_true(vl_embeddings_row(e, i)[0] == (float)i);
    }
    assert_true(vl_embeddings_find(e, "w1") == SIZE_MAX);
    vl_embeddings_free(e);
}

/* ---- numbers -------------------------------------------------------------------------- */

static void test_number_read(void **state) {
    static const struct {
        const char *text;
        float number;
        size_t used; /* 0: none */
    } rows[] = {
        {"0", 0, 1},
        {"-0.5", -0.5F, 4},
        {"+2", 2, 2},
        {"1e-3", 0.001F, 4},
        {"1E+2x", 100, 4},
        {"12e", 12, 2},
        {".25", 0.25F, 3},
        {"7.", 7, 2},
        {"0.1234567890123456789012345", 0.12345679F, 27},
        {"123456789012345678901234567890", 1.2345679e29F, 30},
        {"0.00000000000000000000000000000000000000000012", 1e-43F, 46},
        {"1e-400", 0, 6},
        {"3.4028235e38", 3.4028235e38F, 12},
        {"1e99999999999", INFINITY, 13},
        {"-inf", -INFINITY, 4},
        {"", 0, 0},
        {"-", 0, 0},
        {".", 0, 0},
        {"e5", 0, 0},
        {"0x10", 0, 0},
        {" 1", 0, 0},
        {"abc", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *at = rows[i].text;
        float number = 0;
        bool any = vectors_number_read(&at, at + strlen(at), &number);
        assert_int_equal(any, rows[i].used != 0);
        assert_int_equal(at - rows[i].text, rows[i].used);
        if (any && isfinite(rows[i].number))
            assert_true(fabsf(number - rows[i].number) <= 1e-7F * fabsf(rows[i].number) ||
                        fabsf(number - rows[i].number) < 1e-44F * 100);
        else if (any)
            assert_true(number == rows[i].number);
    }
    const char *at = "nan";
    float number;
    assert_true(vectors_number_read(&at, at + 3, &number) && isnan(number));
    at = "1.25";
    assert_true(vectors_number_read(&at, at + 3, &number)); /* ends where it is told */
    assert_true(number == 1.2F);
}

static void test_number_write(void **state) {
    static const struct {
        float number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0F, "0"},
        {1, "1"},
        {-1.5F, "-1.5"},
        {10, "10"},
        {100000, "100000"},
        {999999, "999999"},
        {1e6F, "1.00000e+06"},
        {0.1F, "0.1"},
        {0.0001F, "0.0001"},
        {0.00012345678F, "0.000123457"},
        {9.9999999F, "10"},
        {-0.33333333F, "-0.333333"},
        {2e-7F, "2.00000e-07"},
    };
    char out[VECTORS_NUMBER_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = vectors_number_write(rows[i].number, out);
        assert_int_equal(length, strlen(rows[i].text));
        assert_memory_equal(out, rows[i].text, length);
    }
    uint64_t random = 1;
    for (int i = 0; i < 20000; i++) {
        float number = (float)((vl_random_uniform(&random) - 0.5) *
                               pow(10, vl_random_uniform(&random) * 20 - 10));
        float back;
        const char *at = out;
        size_t length = vectors_number_write(number, out);
        assert_true(length < sizeof out);
        assert_true(vectors_number_read(&at, out + length, &back) && at == out + length);
        assert_true(fabsf(back - number) <= 5.1e-6F * fabsf(number));
    }
}

/* ---- text ----------------------------------------------------------------------------- */

static void test_text_read(void **state) {
    static const struct {
        const char *text;
        size_t count;
        uint32_t dim;
        const char *words; /* with '|' between */
    } rows[] = {
        {"2 3\na 1 2 3\nb 4 5 6\n", 2, 3, "a|b"},
        {"2 3\r\na 1 2 3 \r\nb\t4 5 6 \r\n\r\n", 2, 3, "a|b"},
        {"\xEF\xBB\xBF"
         "1 1\nሰላም -0.5",
         1, 1, "ሰላም"},
        {"a 1 2\nb 3 4\n", 2, 2, "a|b"},               /* GloVe */
        {"a 1 2\n. . . 3 4\n", 2, 2, "a|. . ."},       /* and its words with spaces */
        {"4 1\na 1\n\xFF 2\na 3\nb 4\n", 2, 1, "a|b"}, /* no UTF-8, there before */
        {"2 1\n 1\nb 2\n", 1, 1, "b"},                 /* an empty word */
        {"3 1\n1 1\n2 2\n\xE2\x80\x89 3\n", 3, 1, "1|2|\xE2\x80\x89"}, /* numbers as words */
    };
    (void)state;
    for (int gzipped = 0; gzipped < 2; gzipped++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            vl_embeddings *e;
            vl_error error = {0};
            if (gzipped)
                put_gzipped(rows[i].text);
            else
                put(rows[i].text, strlen(rows[i].text));
            if (vl_embeddings_read(path, 0, &e, &error))
                fail_msg("row %zu: %s", i, error.message);
            assert_int_equal(vl_embeddings_count(e), rows[i].count);
            assert_int_equal(vl_embeddings_dim(e), rows[i].dim);
            char words[64] = "";
            for (size_t w = 0; w < rows[i].count; w++)
                sprintf(words + strlen(words), "%s%s", w ? "|" : "", vl_embeddings_word(e, w));
            assert_string_equal(words, rows[i].words);
            vl_embeddings_free(e);
        }
}

static void test_text_refuses(void **state) {
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"", "is empty"},
        {"\n\n \n", "is empty"},
        {"hello\n", "no file of word vectors"},
        {"0 3\n", "has no words"},
        {"1 0\na\n", "no file of word vectors"},
        {"1 99999999999\na 1\n", "no file of word vectors"},
        {"3 2\na 1 2\nb 3 4\n", "announces 3 words and has 2"},
        {"99999999999 2\na 1 2\n", "announces 99999999999 words and has 1"},
        {"1 2\na 1 2\nb 3 4\n", "line 3: more words"},
        {"1 3\na 1 2\n", "line 2: 2 numbers, not 3"},
        {"1 2\na 1 2 3\n", "line 2: more than 2 numbers"},
        {"1 2\na 1 x\n", "line 2: number 2 of 2"},
        {"1 2\na 1,5 2\n", "line 2: number 1 of 2"},
        {"1 2\na nan 2\n", "line 2: a NaN"},
        {"1 2\na 1e39 2\n", "line 2: a NaN or a number beyond"},
        {"1 1\n\xFF 2\n", "has no words"},
        {"a 1 2\nb 1\n", "line 2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_embeddings *e;
        vl_error error = {0};
        put(rows[i].text, strlen(rows[i].text));
        assert_int_equal(vl_embeddings_read(path, 0, &e, &error), VL_ERR_INPUT);
        assert_null(e);
        if (!strstr(error.message, rows[i].says))
            fail_msg("row %zu says: %s", i, error.message);
    }
}

static void test_text_limits(void **state) {
    vl_embeddings *e;
    vl_error error = {0};
    (void)state;
    put("9 1\na 1\na 2\nb 3\nc", 18); /* what is not asked for is not looked at */
    assert_int_equal(vl_embeddings_read(path, 2, &e, &error), VL_OK);
    assert_int_equal(vl_embeddings_count(e), 2);
    vl_embeddings_free(e);

    char *line = malloc(3 << 20);
    memset(line, 'x', 3 << 20);
    put(line, 3 << 20);
    free(line);
    assert_int_equal(vl_embeddings_read(path, 0, &e, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "line or word of over"));

    assert_int_equal(vl_embeddings_read("/nonexistent/x.vec", 0, &e, &error), VL_ERR_INPUT);
    assert_int_equal(vl_embeddings_read(folder, 0, &e, &error), VL_ERR_INPUT);
}

static void test_gzip_cut_short(void **state) {
    char text[4096] = "300 1\n", bytes[4096];
    for (int i = 0; i < 300; i++)
        sprintf(text + strlen(text), "w%d %d\n", i * i, i);
    (void)state;
    put_gzipped(text);
    FILE *file = fopen(path, "rb");
    size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t cut = 1; cut < 12; cut++) {
        vl_embeddings *e;
        vl_error error = {0};
        put(bytes, count * cut / 12);
        assert_int_equal(vl_embeddings_read(path, 0, &e, &error), VL_ERR_INPUT);
    }
}

static void test_text_write(void **state) {
    vl_embeddings *e, *back;
    (void)state;
    assert_int_equal(vl_embeddings_new(three, NULL, copy_rows(three_rows, 6), 3, 2, &e, NULL),
                     VL_OK);
    assert_int_equal(vl_embeddings_write_vec(e, path, NULL), VL_OK);
    char bytes[128] = "";
    FILE *file = fopen(path, "rb");
    assert_true(fread(bytes, 1, sizeof bytes - 1, file) > 0);
    fclose(file);
    assert_string_equal(bytes, "3 2\nየ 1 2\nle -3 4\nnew york 0 0.5\n");
    assert_int_equal(vl_embeddings_read(path, 0, &back, NULL), VL_OK);
    assert_string_equal(vl_embeddings_word(back, 2), "new york");
    assert_memory_equal(vl_embeddings_row(back, 0), three_rows, sizeof three_rows);
    vl_embeddings_free(back);
    assert_int_equal(vl_embeddings_write_vec(e, "/nonexistent/x.vec", NULL), VL_ERR_IO);
    vl_embeddings_free(e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new),
        cmocka_unit_test(test_new_refuses),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_number_read),
        cmocka_unit_test(test_number_write),
        cmocka_unit_test(test_text_read),
        cmocka_unit_test(test_text_refuses),
        cmocka_unit_test(test_text_limits),
        cmocka_unit_test(test_gzip_cut_short),
        cmocka_unit_test(test_text_write),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
