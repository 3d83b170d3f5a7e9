/* Tests of dictionaries: what a table may hold, and the scores of a space against one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vislang/align.h>
#include <zlib.h>

static void test_parse(void **state) {
    static const struct {
        const char *text;
        vl_status status;
        size_t count;
        const char *source, *target; /* of the last pair */
    } rows[] = {
        {"", VL_OK, 0, NULL, NULL},
        {"\n# a comment\n\n", VL_OK, 0, NULL, NULL},
        {"water\tmaji\n", VL_OK, 1, "water", "maji"},
        {"water\tmaji", VL_OK, 1, "water", "maji"},
        {"water maji\r\nfire moto\r\n", VL_OK, 2, "fire", "moto"},
        {"next to\titti aanee\textra\tcolumns\n", VL_OK, 1, "next to", "itti aanee"},
        {" a \t b \n", VL_OK, 1, "a", "b"},
        {"ሰላም\tpeace\n", VL_OK, 1, "ሰላም", "peace"},
        {"alone\n", VL_ERR_INPUT, 0, NULL, NULL},
        {"water\t\tx\n", VL_ERR_INPUT, 0, NULL, NULL},
        {"wat\xFF\tmaji\n", VL_ERR_INPUT, 0, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_lexicon *lexicon = NULL;
        vl_error error;
        assert_int_equal(vl_lexicon_parse(rows[i].text, strlen(rows[i].text), &lexicon, &error),
                         rows[i].status);
        if (rows[i].status) {
            assert_null(lexicon);
            continue;
        }
        assert_int_equal(vl_lexicon_count(lexicon), rows[i].count);
        if (rows[i].count) {
            const vl_lexicon_pair *last = vl_lexicon_pair_at(lexicon, rows[i].count - 1);
            assert_string_equal(last->source, rows[i].source);
            assert_string_equal(last->target, rows[i].target);
            assert_float_equal(last->confidence, 1, 0);
        }
        vl_lexicon_free(lexicon);
    }
}

static void test_parse_long(void **state) {
    (void)state;
    char *text = malloc(70000);
    memset(text, 'a', 70000);
    text[10] = '\t';
    vl_lexicon *lexicon;
    assert_int_equal(vl_lexicon_parse(text, 70000, &lexicon, NULL), VL_ERR_INPUT);
    assert_int_equal(vl_lexicon_parse("a\tb\0c\n", 6, &lexicon, NULL), VL_ERR_INPUT);
    free(text);
}

static void write_file(const char *path, const char *mode, const char *text) {
    gzFile out = gzopen(path, mode);
    assert_non_null(out);
    assert_int_equal(gzputs(out, text), (int)strlen(text));
    assert_int_equal(gzclose(out), Z_OK);
}

static void test_read(void **state) {
    static const char path[] = TEST_BINARY_DIR "/align_lexicon.tsv";
    vl_lexicon *lexicon;
    vl_error error;
    (void)state;
    static const char *const modes[] = {"wbT", "wb9"}; /* plain, gzipped */
    for (int i = 0; i < 2; i++) {
        write_file(path, modes[i], "water\tmaji\nfire\tmoto\n");
        assert_int_equal(vl_lexicon_read(path, &lexicon, &error), VL_OK);
        assert_int_equal(vl_lexicon_count(lexicon), 2);
        assert_string_equal(vl_lexicon_pair_at(lexicon, 1)->target, "moto");
        vl_lexicon_free(lexicon);
    }
    assert_int_equal(truncate(path, 20), 0); /* of the gzipped one */
    assert_int_equal(vl_lexicon_read(path, &lexicon, &error), VL_ERR_INPUT);
    assert_null(lexicon);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(vl_lexicon_read(path, &lexicon, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, path));
}

/* ---- scores ------------------------------------------------------------------------- */

static vl_embeddings *space(const char *const *words, const float *rows, size_t count,
                            uint32_t dim) {
    float *copy = malloc(sizeof *copy * count * dim);
    memcpy(copy, rows, sizeof *copy * count * dim);
    vl_embeddings *made = NULL;
    assert_int_equal(vl_embeddings_new(words, NULL, copy, count, dim, &made, NULL), VL_OK);
    return made;
}

static void test_score(void **state) {
    static const char *const en[] = {"water", "fire", "2020", "house"};
    static const char *const sw[] = {"maji", "moto", "2020", "nyumba"};
    static const float en_rows[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, .6f, .6f, .1f};
    static const float sw_rows[] = {1, .1f, 0, 0, 1, .1f, 0, .1f, 1, .5f, .1f, .5f};
    static const char gold[] = "water\tmaji\nwater\tfire water\nfire\tmoto\nhouse\tnyumba\n"
                               "2020\t2020\nunknown\tmaji\nFire\tmoto\nwater\tmissing\n";
    (void)state;
    vl_embeddings *source = space(en, en_rows, 4, 3), *target = space(sw, sw_rows, 4, 3);
    vl_lexicon *lexicon;
    vl_lexicon_scores scores;
    assert_int_equal(vl_lexicon_parse(gold, strlen(gold), &lexicon, NULL), VL_OK);
    vl_retrieval_options options = {.by = VL_RETRIEVAL_NEAREST, .k = 1};
    assert_int_equal(vl_lexicon_score(source, target, lexicon, &options, &scores, NULL), VL_OK);
    assert_int_equal(scores.headwords, 6); /* "Fire" is one of its own, and found as "fire" */
    assert_int_equal(scores.asked, 4);
    assert_float_equal(scores.coverage, 4.0 / 6, 1e-9);
    assert_float_equal(scores.p1, 0.75, 1e-9); /* house is nearer to moto or maji */
    assert_float_equal(scores.p5, 1, 1e-9);
    assert_float_equal(scores.identical, 0.25, 1e-9);
    vl_lexicon_free(lexicon);

    assert_int_equal(vl_lexicon_parse("a\tb\n", 4, &lexicon, NULL), VL_OK);
    vl_error error;
    assert_int_equal(vl_lexicon_score(source, target, lexicon, &options, &scores, &error),
                     VL_ERR_INPUT);
    vl_embeddings *flat = space(sw, sw_rows, 4, 2);
    assert_int_equal(vl_lexicon_score(source, flat, lexicon, &options, &scores, &error),
                     VL_ERR_INPUT);
    vl_lexicon_free(lexicon);
    vl_embeddings_free(source);
    vl_embeddings_free(target);
    vl_embeddings_free(flat);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_long),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
