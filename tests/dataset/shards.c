/* Shards of lines, read again by what training reads: folders of them, their pictures whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "train/samples.h"

#include <stdio.h>
#include <string.h>
#include <vislang/dataset.h>
#include <zlib.h>

#define FOLDER TEST_BINARY_DIR "/dataset_shards"

static void write_text(void) {
    vl_error error = {0};
    assert_int_equal(vl_dir_make(FOLDER "/text", &error), VL_OK);
    gzFile file = gzopen(FOLDER "/text/eng.txt.gz", "wb");
    assert_non_null(file);
    for (int i = 0; i < 12; i++)
        gzprintf(file, "Everyone has the right to life, liberty and security of person.\n");
    assert_int_equal(gzclose(file), Z_OK);
}

static void write_lines(const char *out) {
    vl_synth_options options = vl_synth_options_default();
    vl_synth *synth = NULL;
    vl_synth_report report;
    vl_error error = {0};
    options.text = FOLDER "/text";
    options.alphabet = TEST_SOURCE_DIR "/models/reader-alphabet.txt";
    options.system_text = false;
    assert_int_equal(vl_script_weights_parse("latin", options.weights, &error), VL_OK);
    if (vl_synth_open(&options, &synth, &error))
        fail_msg("%s", error.message);
    vl_synth_target target = {.out = out, .count = 24, .jobs = 2};
    if (vl_synth_write(synth, &target, &report, &error))
        fail_msg("%s", error.message);
    vl_synth_report_deinit(&report);
    vl_synth_free(synth);
}

static void check_picture(const samples *set, size_t index) {
    const vl_media_limits limits = vl_media_limits_default();
    vl_document *document;
    vl_image *image;
    vl_buf bytes;
    vl_buf_init(&bytes, 1 << 20);
    assert_int_equal(samples_read(set, index, &bytes, NULL), VL_OK);
    assert_int_equal(vl_document_open(bytes.data, bytes.len, &limits, &document, NULL), VL_OK);
    assert_int_equal(vl_document_page(document, 0, &image, NULL), VL_OK);
    assert_in_range(image->height, VL_SYNTH_HEIGHT_MIN, VL_SYNTH_HEIGHT_MAX);
    vl_image_free(image);
    vl_document_free(document);
    vl_buf_deinit(&bytes);
}

static void check_set(const char *path) {
    samples *set = NULL;
    vl_error error = {0};
    if (samples_open(path, &set, &error))
        fail_msg("%s", error.message);
    assert_int_equal(samples_count(set), 24);
    assert_int_equal(samples_missing(set), 0);
    for (size_t i = 0; i < 24; i++) {
        char name[16];
        snprintf(name, sizeof name, "%06zu", i + 1);
        assert_string_equal(samples_at(set, i)->name, name);
        check_picture(set, i);
    }
    samples_free(set);
}

static void test_tar(void **state) {
    (void)state;
    write_lines(FOLDER "/lines.tar");
    check_set(FOLDER "/lines.tar");
}

static void test_folder(void **state) {
    (void)state;
    remove(FOLDER "/shards/lines-00000.tar");
    write_lines(FOLDER "/shards");
    check_set(FOLDER "/shards");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tar),
        cmocka_unit_test(test_folder),
    };
    write_text();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
