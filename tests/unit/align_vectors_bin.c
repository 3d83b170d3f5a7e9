/* Tests of fastText's .bin files: what the n-grams of a word are, files written and read back,
 * and files that lie. tests/peers/test_fasttext.py holds both directions to fastText itself. */
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

static char folder[] = "/tmp/vislang-bin-XXXXXX";
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

/* ---- n-grams -------------------------------------------------------------------------- */

static void list_bucket(uint32_t bucket, void *user) {
    sprintf((char *)user + strlen(user), " %u", bucket);
}

static void test_subwords(void **state) {
    /* Made with fasttext-wheel 0.9.2's get_subwords, the number of words taken off. */
    static const struct {
        const char *word;
        align_subwords how;
        const char *buckets;
    } rows[] = {
        {"été", {3, 6, 2000000}, " 1908133 59617 999949 187927 196363 1291535"},
        {"ab", {3, 6, 2000000}, " 209508 621742 1241756"},
        {"ሰላም", {3, 6, 2000000}, " 264916 1946536 1088162 1010738 1933028 960583"},
        {"x", {3, 6, 2000000}, " 1414917"},
        {"</s>", {3, 6, 2000000}, ""},
        {"été", {1, 2, 1000}, " 627 777 975 267 387 777 781"},
        {"ab", {1, 2, 1000}, " 750 220 946 77 561"},
        {"ሰላም", {1, 2, 1000}, " 246 84 946 597 347 787 383"},
        {"x", {1, 2, 1000}, " 513 695 91"},
        {"</s>", {1, 2, 1000}, ""},
        {"été", {2, 3, 77}, " 31 45 64 16 41 32 28"},
        {"ab", {2, 3, 77}, " 39 54 44 58 35"},
        {"ሰላም", {2, 3, 77}, " 73 11 68 63 23 48 39"},
        {"x", {2, 3, 77}, " 71 51 2"},
        {"</s>", {2, 3, 77}, ""},
        {"été", {0, 2, 50}, " 27 27 25 17 37 27 31"},
        {"ab", {0, 2, 50}, " 0 20 46 27 11"},
        {"ሰላም", {0, 2, 50}, " 46 34 46 47 47 37 33"},
        {"x", {0, 2, 50}, " 13 45 41"},
        {"</s>", {0, 2, 50}, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char got[512] = "";
        size_t count = align_subwords_each(&rows[i].how, rows[i].word, strlen(rows[i].word),
                                           list_bucket, got);
        assert_string_equal(got, rows[i].buckets);
        size_t spaces = 0;
        for (const char *c = got; *c; c++)
            spaces += *c == ' ';
        assert_int_equal(count, spaces);
    }
}

/* ---- files ---------------------------------------------------------------------------- */

/* Two words and three n-grams of random numbers, in six buckets. */
static vl_embeddings *make(void) {
    enum { DIM = 5, BUCKETS = 6 };
    static const char *const words[] = {"ab", "ሰላም"};
    static const uint64_t frequencies[] = {9, 4};
    uint64_t random = 3;
    float *rows = malloc(2 * DIM * sizeof *rows);
    vl_embeddings *e;
    for (int i = 0; i < 2 * DIM; i++)
        rows[i] = (float)vl_random_uniform(&random);
    assert_int_equal(vl_embeddings_new(words, frequencies, rows, 2, DIM, &e, NULL), VL_OK);
    e->subwords = (align_subwords){2, 3, BUCKETS};
    e->bucket_slot = calloc(BUCKETS, sizeof *e->bucket_slot);
    e->bucket_rows = malloc(3 * DIM * sizeof *e->bucket_rows);
    e->bucket_slot[1] = 1;
    e->bucket_slot[4] = 2;
    e->bucket_slot[5] = 3;
    e->bucket_count = 3;
    for (int i = 0; i < 3 * DIM; i++)
        e->bucket_rows[i] = (float)vl_random_uniform(&random) - 0.5F;
    e->training = (vectors_training){5, 3, 2, 7, 1e-3};
    return e;
}

static void test_write_and_read(void **state) {
    static const char *const asked[] = {"ab", "ሰላም", "abc", "ሰ", "new"};
    vl_embeddings *e = make(), *back;
    vl_error error = {0};
    float a[5], b[5];
    (void)state;
    assert_int_equal(vl_embeddings_write_bin(e, path, NULL), VL_OK);
    if (vl_embeddings_read(path, 0, &back, &error))
        fail_msg("%s", error.message);
    assert_int_equal(vl_embeddings_count(back), 2);
    assert_int_equal(vl_embeddings_dim(back), 5);
    assert_int_equal(vl_embeddings_frequency(back, 1), 4);
    assert_int_equal(back->bucket_count, 3);
    assert_memory_equal(&back->training, &e->training, sizeof e->training);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        vl_status status = vl_embeddings_of(e, asked[i], a, NULL);
        assert_int_equal(vl_embeddings_of(back, asked[i], b, NULL), status);
        for (int d = 0; d < 5 && !status; d++)
            assert_true(fabsf(a[d] - b[d]) < 1e-6F);
    }
    assert_int_equal(vl_embeddings_of(back, "", b, NULL), VL_ERR_MISSING);
    assert_int_equal(vl_embeddings_of(back, "</s>", b, NULL), VL_ERR_MISSING);
    vl_embeddings_free(back);

    assert_int_equal(vl_embeddings_read(path, 1, &back, NULL), VL_OK);
    assert_int_equal(vl_embeddings_count(back), 1);
    for (int d = 0; d < 5; d++)
        assert_true(fabsf(vl_embeddings_row(back, 0)[d] - vl_embeddings_row(e, 0)[d]) < 1e-6F);
    vl_embeddings_free(back);
    vl_embeddings_free(e);
}

/* A word that is not there has the mean of its n-grams; those in empty buckets count too. */
static void test_unknown_word(void **state) {
    vl_embeddings *e = make();
    float sum[5] = {0}, out[5];
    (void)state;
    size_t ngrams = vectors_add_ngrams(e, "abba", 4, sum);
    assert_int_equal(ngrams, 5 + 4); /* of <abba>: five of two characters, four of three */
    assert_int_equal(vl_embeddings_of(e, "abba", out, NULL), VL_OK);
    for (int d = 0; d < 5; d++)
        assert_true(fabsf(out[d] - sum[d] / 9) < 1e-6F);
    vl_embeddings_free(e);
}

/* Vectors of .vec become a .bin without n-grams. */
static void test_without_ngrams(void **state) {
    static const char *const words[] = {"a", "b"};
    float *rows = calloc(4, sizeof *rows), out[2];
    vl_embeddings *e, *back;
    (void)state;
    rows[0] = 2;
    rows[3] = -1.5F;
    assert_int_equal(vl_embeddings_new(words, NULL, rows, 2, 2, &e, NULL), VL_OK);
    assert_int_equal(vl_embeddings_write_bin(e, path, NULL), VL_OK);
    assert_int_equal(vl_embeddings_read(path, 0, &back, NULL), VL_OK);
    assert_memory_equal(vl_embeddings_row(back, 0), vl_embeddings_row(e, 0), 4 * sizeof *rows);
    assert_int_equal(vl_embeddings_of(back, "ab", out, NULL), VL_ERR_MISSING);
    vl_embeddings_free(back);
    vl_embeddings_free(e);
}

/* ---- files that lie ------------------------------------------------------------------- */

static size_t read_bytes(unsigned char *bytes, size_t room) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t count = fread(bytes, 1, room, file);
    fclose(file);
    return count;
}

static void test_refused(void **state) {
    enum { BUCKETS_AT = 40, WORDS_AT = 68 };
    static const struct {
        size_t at; /* a number of 32 bits */
        int32_t value;
        vl_status status;
        const char *says;
    } rows[] = {
        {4, 13, VL_ERR_UNSUPPORTED, "version 13"},
        {4, 11, VL_ERR_UNSUPPORTED, "version 11"},
        {8, 0, VL_ERR_INPUT, "cannot be"},
        {8, -5, VL_ERR_INPUT, "cannot be"},
        {8, 1 << 30, VL_ERR_INPUT, "1073741824 dimensions"},
        {8, 6, VL_ERR_INPUT, "another shape"},
        {36, 3, VL_ERR_UNSUPPORTED, "classifier"},
        {36, 9, VL_ERR_INPUT, "neither"},
        {BUCKETS_AT, 7, VL_ERR_INPUT, "another shape"},
        {BUCKETS_AT, -1, VL_ERR_INPUT, "cannot be"},
        {48, 1 << 20, VL_ERR_INPUT, "cannot be"},
        {64, 3, VL_ERR_INPUT, "as many as entries"},
        {WORDS_AT, 0, VL_ERR_INPUT, "no words"},
        {72, 1, VL_ERR_UNSUPPORTED, "labels"},
        {88, 0, VL_ERR_UNSUPPORTED, "pruned"}, /* the upper half of its -1 */
    };
    unsigned char bytes[2048];
    vl_embeddings *e = make();
    (void)state;
    assert_int_equal(vl_embeddings_write_bin(e, path, NULL), VL_OK);
    vl_embeddings_free(e);
    size_t count = read_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char copy[sizeof bytes];
        vl_error error = {0};
        memcpy(copy, bytes, count);
        memcpy(copy + rows[i].at, &rows[i].value, 4);
        assert_int_equal(vl_file_write(path, copy, count, NULL), VL_OK);
        vl_status status = vl_embeddings_read(path, 0, &e, &error);
        if (status != rows[i].status || !strstr(error.message, rows[i].says))
            fail_msg("row %zu: %s %s", i, vl_status_name(status), error.message);
        assert_null(e);
    }
    for (size_t cut = 4; cut < count; cut += cut < 120 ? 1 : 17) {
        vl_error error = {0};
        assert_int_equal(vl_file_write(path, bytes, cut, NULL), VL_OK);
        assert_int_equal(vl_embeddings_read(path, 0, &e, &error), VL_ERR_INPUT);
        assert_non_null(strstr(error.message, "cut short"));
    }
    memcpy(bytes + count - 1 - 8 - 8 - 2 * 20 - 20, "\0\0\xC0\x7F", 4); /* of the last bucket */
    assert_int_equal(vl_file_write(path, bytes, count, NULL), VL_OK);
    assert_int_equal(vl_embeddings_read(path, 0, &e, NULL), VL_ERR_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subwords),     cmocka_unit_test(test_write_and_read),
        cmocka_unit_test(test_unknown_word), cmocka_unit_test(test_without_ngrams),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
