/* Tests of the file that says what engines are worth: what is refused, that it reads as it was
 * written, and that a machine's own record is added to what ships. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ocr/voices.h"

/* cmocka compares as float. */
#define assert_near(a, b, by) assert_true(fabs((double)(a) - (double)(b)) <= (by))
#define RECORD(rows, calibrations)                                                             \
    "{\"format\":\"vislang-record\",\"version\":1,\"rows\":[" rows                             \
    "],\"calibrations\":[" calibrations "]}"
#define VOICES(options, record)                                                                \
    "{\"format\":\"vislang voices\",\"version\":1,\"options\":{" options                       \
    "},\"record\":" record "}"

static void test_refused(void **state) {
    static const char *const rows[][2] = {
        {"", "format"},
        {"[]", "format"},
        {"{\"format\":\"vislang-record\",\"version\":1}", "format"},
        {"{\"format\":\"vislang voices\",\"version\":2}", "version"},
        {"{\"format\":\"vislang voices\",\"version\":1}", "options"},
        {VOICES("\"spread\":0.5", RECORD("", "")), "spread must be 1 to 1000"},
        {VOICES("\"spread\":\"4\"", RECORD("", "")), "spread"},
        {VOICES("\"words\":1", RECORD("", "")), "no option 'words'"},
        {VOICES("", "{}"), "record"},
        {VOICES("", RECORD("{\"voice\":\"a\",\"right\":-1,\"wrong\":0}", "")), "row"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_voices voices;
        vl_error error;
        assert_int_equal(vl_voices_parse(rows[i][0], strlen(rows[i][0]), &voices, &error),
                         VL_ERR_INPUT);
        if (!strstr(error.message, rows[i][1]))
            fail_msg("row %zu: %s", i, error.message);
        assert_null(voices.record);
        assert_near(voices.options.spread, vl_vote_options_default().spread, 0);
        vl_voices_deinit(&voices);
    }
}

static const char known[] =
    VOICES("\"spread\":8,\"words.slope\":0.7",
           RECORD("{\"voice\":\"a\",\"right\":90,\"wrong\":10,\"human\":0},"
                  "{\"voice\":\"a\",\"script\":\"Ethi\",\"right\":30,\"wrong\":70,\"human\":0}",
                  "{\"voice\":\"a\",\"slope\":0.5,\"offset\":0.25,\"base\":0.75}"));

static void test_written_as_read(void **state) {
    vl_voices voices, again;
    vl_buf once, twice;
    (void)state;
    vl_buf_init(&once, 1 << 20);
    vl_buf_init(&twice, 1 << 20);
    assert_int_equal(vl_voices_parse(known, strlen(known), &voices, NULL), VL_OK);
    assert_near(voices.options.spread, 8, 0);
    assert_near(voices.options.words.slope, 0.7, 1e-9);
    assert_int_equal(vl_voices_write(&voices, &once, NULL), VL_OK);
    assert_int_equal(vl_voices_parse(once.data, once.len, &again, NULL), VL_OK);
    assert_int_equal(vl_voices_write(&again, &twice, NULL), VL_OK);
    assert_string_equal(once.data, twice.data);
    vl_voices_deinit(&voices);
    vl_voices_deinit(&again);
    vl_buf_deinit(&once);
    vl_buf_deinit(&twice);
}

/* An own record begins where the shipped one stands, moves with what it learns, and returns
 * there when it is reset. */
static void test_base_of_a_record(void **state) {
    const vl_record_key ethiopic = {.voice = "a", .script = "Ethi"},
                        latin = {.voice = "a", .script = "Latn"};
    const vl_vote_calibration own = {.slope = 2, .offset = 0, .base = 0.5};
    vl_voices voices;
    vl_record *record;
    (void)state;
    assert_int_equal(vl_voices_parse(known, strlen(known), &voices, NULL), VL_OK);
    assert_int_equal(vl_record_open(NULL, NULL, &record, NULL), VL_OK);
    assert_near(vl_record_accuracy(record, &ethiopic, NULL), 0.8, 1e-9);
    vl_record_set_base(record, voices.record);
    double begin = vl_record_accuracy(record, &ethiopic, NULL);
    /* 90 of 100 with a prior of 40 at 0.8, then 30 of 100 with 40 of that */
    double a = (90 + 40 * 0.8) / 140;
    assert_near(begin, (30 + 40 * a) / 140, 1e-9);
    assert_near(vl_record_accuracy(record, &latin, NULL), a, 1e-9);
    assert_near(vl_record_calibration(record, "a").slope, 0.5, 0);
    assert_int_equal(vl_record_add(record, &ethiopic, 1000, 0, NULL), VL_OK);
    assert_true(vl_record_accuracy(record, &ethiopic, NULL) > 0.9);
    assert_int_equal(vl_record_calibrate(record, "a", &own, NULL), VL_OK);
    assert_near(vl_record_calibration(record, "a").slope, 2, 0);
    assert_int_equal(vl_record_reset(record, NULL, NULL, NULL), VL_OK);
    assert_near(vl_record_accuracy(record, &ethiopic, NULL), begin, 1e-9);
    assert_near(vl_record_calibration(record, "a").slope, 0.5, 0);
    vl_record_free(record);
    vl_voices_deinit(&voices);
}

static void test_limit(void **state) {
    const vl_record_key key = {.voice = "a"};
    double clusters;
    vl_record *record;
    (void)state;
    assert_int_equal(vl_record_open(NULL, NULL, &record, NULL), VL_OK);
    assert_int_equal(vl_record_add(record, &key, 9000, 1000, NULL), VL_OK);
    vl_record_limit(record, 500);
    assert_near(vl_record_accuracy(record, &key, &clusters), (450 + 40 * 0.8) / 540, 1e-9);
    assert_near(clusters, 500, 1e-6);
    vl_record_free(record);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_written_as_read),
        cmocka_unit_test(test_base_of_a_record),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
