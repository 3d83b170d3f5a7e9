/* Tests of tables of pairs: which columns are meant, and what is said of lines that are wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static vl_error error;

static vl_status parse(const char *text, size_t bytes, const align_pairs_options *options,
                       align_pairs *pairs) {
    vl_buf buf;
    vl_buf_init(&buf, 1 << 20);
    vl_buf_append(&buf, text, bytes);
    vl_status status = align_pairs_parse("t.tsv", &buf, NULL, NULL, options, pairs, &error);
    vl_buf_deinit(&buf);
    return status;
}

/* "id|source|target;" of each pair */
static void spell(const align_pairs *pairs, char *out, size_t size) {
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < pairs->count; i++)
        used += (size_t)snprintf(out + used, size - used, "%s|%s|%s;", pairs->items[i].id,
                                 pairs->items[i].src, pairs->items[i].tgt);
}

static void test_tables(void **state) {
    static const struct {
        const char *text, *pairs;
        size_t left_out;
    } rows[] = {
        {"a\tb\n", "|a|b;", 0},
        {"a\tb", "|a|b;", 0},
        {"1\ta\tb\n2\tc\td\n", "1|a|b;2|c|d;", 0},
        {"\xEF\xBB\xBF"
         "a\tb\r\n\r\n  \r\nc d\t e \r\n",
         "|a|b;|c d|e;", 0},
        /* two columns with an empty third, all over or here and there */
        {"a\tb\t\nc\td\t\n", "|a|b;|c|d;", 0},
        {"a\tb\t \t \t\nc\td\n", "|a|b;|c|d;", 0},
        {"a\tb\nc\td\t\ne\tf\n", "|a|b;|c|d;|e|f;", 0},
        /* an id and two columns, one of them without its translation */
        {"1\ta\tb\n2\tc\t\n3\te\tf\n", "1|a|b;3|e|f;", 1},
        {"1\ta\tb\n2\tc\n3\te\tf\n", "1|a|b;3|e|f;", 1},
        {"1\ta\tb\n\tc\td\n", "1|a|b;|c|d;", 0},
        {"1\ta\tb\n2\t\td\n3\te\tf\n", "1|a|b;3|e|f;", 1},
        /* one with a comment among two columns */
        {"a\tb\nc\td\tnote\ne\tf\n", "|a|b;|e|f;", 1},
        {"a\tb\nc\td\te\tf\ng\th\n", "|a|b;|g|h;", 1},
        {"a\tb\nc\nd\te\n", "|a|b;|d|e;", 1},
        {"a\tb\n\tc\nd\te\n", "|a|b;|d|e;", 1},
        {"a\tb\nc\t\nd\te\n", "|a|b;|d|e;", 1},
        /* what broken cells leave */
        {"a\tb\t \t \"\nc\td\ne\t\"\n…\tf\n", "|a|b;|c|d;", 2},
        {"١\tሀ\n𞤢\tक\n", "|١|ሀ;|𞤢|क;", 0},
        {"a\tb\nc\xFF\td\ne\tf\n", "|a|b;|e|f;", 1},
        /* names of columns */
        {"id\ten\tsw\n1\ta\tb\n", "1|a|b;", 0},
        {"ID\tEnglish\tSwahili\n1\ta\tb\n", "1|a|b;", 0},
        {"source\ttarget\na\tb\n", "|a|b;", 0},
        {"eng\tswa\na\tb\n", "|a|b;", 0},
        {"sw\ten\na\tb\n", "|sw|en;|a|b;", 0},
        {"a\tb\nen\tsw\n", "|a|b;|en|sw;", 0},
        {"source\tb\n", "|source|b;", 0},
        /* white space that is no ASCII */
        {"\xC2\xA0"
         "a\xC2\xA0\tb\xC2\xA0\n",
         "|a|b;", 0},
    };
    static const align_pairs_options options = {.src = "en", .tgt = "sw"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        align_pairs pairs;
        char text[256];
        assert_int_equal(parse(rows[i].text, strlen(rows[i].text), &options, &pairs), VL_OK);
        spell(&pairs, text, sizeof text);
        assert_string_equal(text, rows[i].pairs);
        assert_int_equal(align_pairs_left_out(&pairs), rows[i].left_out);
        assert_int_equal(!*pairs.first_left_out, !rows[i].left_out);
        align_pairs_deinit(&pairs);
    }
}

static void test_bad_tables(void **state) {
    static const struct {
        const char *text, *says;
        size_t bytes;
        bool strict;
    } rows[] = {
        {"", "holds no pairs", 0, false},
        {"\n \n\n", "holds no pairs", 4, false},
        {"en\tsw\n", "holds no pairs", 6, false},
        {"one\ntwo\n", "line 1: 1 column where two", 8, false},
        {"a\tb\tc\td\n", "line 1: 4 columns where two", 8, false},
        {"\ta\n", "the first side is empty", 3, false},
        {"a\t\nb\t\nc\td\n", "only 1 of 3 lines can be used", 10, false},
        {"\xFF\xFE"
         "a\0\t\0",
         "UTF-16", 6, false},
        {"a\0b\tc\n", "line 1: not UTF-8", 6, false},
        {"a\tb\nc\nd\te\n", "line 2: 1 column where two", 10, true},
        {"1\ta\tb\n2\tc\n3\td\te\n", "line 2: 2 columns where an id and two", 16, true},
        {"a\tb\nc\t\n", "line 2: the second side is empty", 7, true},
        {"a\tb\n\xE1\tc\n", "line 2: not UTF-8", 8, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        align_pairs pairs;
        const align_pairs_options options = {
            .src = "en", .tgt = "sw", .strict = rows[i].strict};
        assert_int_equal(parse(rows[i].text, rows[i].bytes, &options, &pairs), VL_ERR_INPUT);
        if (!strstr(error.message, rows[i].says))
            fail_msg("'%s' does not say '%s'", error.message, rows[i].says);
    }
}

static void test_limit(void **state) {
    align_pairs pairs;
    (void)state;
    assert_int_equal(
        parse("a\tb\nc\td\ne\tf\n", 12, &(align_pairs_options){.limit = 2}, &pairs), VL_OK);
    assert_int_equal(pairs.count, 2);
    assert_int_equal(pairs.items[1].line, 2);
    align_pairs_deinit(&pairs);
}

static vl_status parse_two(const char *a, const char *b, align_pairs *pairs) {
    vl_buf bufs[2];
    for (size_t i = 0; i < 2; i++) {
        vl_buf_init(&bufs[i], 1 << 20);
        vl_buf_puts(&bufs[i], i ? b : a);
    }
    vl_status status = align_pairs_parse("a.txt", &bufs[0], "b.txt", &bufs[1],
                                         &(align_pairs_options){0}, pairs, &error);
    vl_buf_deinit(&bufs[0]);
    vl_buf_deinit(&bufs[1]);
    return status;
}

static void test_two_files(void **state) {
    align_pairs pairs;
    char text[64];
    (void)state;
    assert_int_equal(parse_two("a\tx\nb\n\nc\n", "1\r\n2\n\n3", &pairs), VL_OK);
    spell(&pairs, text, sizeof text);
    assert_string_equal(text, "|a\tx|1;|b|2;|c|3;");
    align_pairs_deinit(&pairs);
    assert_int_equal(parse_two("a\nb\nc\n", "1\n\n3\n", &pairs), VL_OK);
    assert_string_equal(pairs.first_left_out, "b.txt: line 2: this side is empty");
    assert_int_equal(pairs.count, 2);
    align_pairs_deinit(&pairs);
    assert_int_equal(parse_two("a\nb\n", "1\n", &pairs), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "b.txt has 1 lines and a.txt has more"));
    assert_int_equal(parse_two("", "", &pairs), VL_ERR_INPUT);
}

static void put_file(const char *path, const void *bytes, size_t count) {
    assert_int_equal(vl_file_write(path, bytes, count, NULL), VL_OK);
}

static void test_files(void **state) {
    char path[] = "/tmp/align-pairs-XXXXXX";
    align_pairs pairs;
    unsigned char packed[4096];
    (void)state;
    close(mkstemp(path));
    gzFile out = gzopen(path, "wb");
    for (int i = 0; i < 500; i++)
        gzprintf(out, "%d\tsource %d\ttarget %d\n", i, i * 7919, i * 104729);
    gzclose(out);
    assert_int_equal(align_pairs_read(path, NULL, &(align_pairs_options){0}, &pairs, &error),
                     VL_OK);
    assert_int_equal(pairs.count, 500);
    align_pairs_deinit(&pairs);

    FILE *whole = fopen(path, "rb");
    size_t bytes = fread(packed, 1, sizeof packed, whole);
    fclose(whole);
    put_file(path, packed, bytes / 2);
    assert_int_equal(align_pairs_read(path, NULL, &(align_pairs_options){0}, &pairs, &error),
                     VL_ERR_INPUT);
    assert_non_null(strstr(error.message, path));
    put_file(path, "a\tb\n", 4);
    assert_int_equal(align_pairs_read(path, path, &(align_pairs_options){0}, &pairs, &error),
                     VL_OK);
    assert_string_equal(pairs.items[0].tgt, "a\tb");
    align_pairs_deinit(&pairs);
    unlink(path);
    assert_int_equal(align_pairs_read(path, NULL, &(align_pairs_options){0}, &pairs, &error),
                     VL_ERR_INPUT);
    assert_int_equal(align_pairs_read("/tmp", NULL, &(align_pairs_options){0}, &pairs, &error),
                     VL_ERR_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables), cmocka_unit_test(test_bad_tables),
        cmocka_unit_test(test_limit),  cmocka_unit_test(test_two_files),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
