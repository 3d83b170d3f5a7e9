/* ocr_samples.h — the bundled pictures (samples/) for tests that read them. */
#ifndef TEST_OCR_SAMPLES_H
#define TEST_OCR_SAMPLES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include <vislang/base.h>
#include <vislang/media.h>

/* The caller calls vl_buf_deinit. */
static inline void sample_bytes(const char *name, vl_buf *bytes) {
    char path[512];
    vl_buf_init(bytes, 64 << 20);
    snprintf(path, sizeof path, "%s/samples/%s", TEST_SOURCE_DIR, name);
    assert_int_equal(vl_file_read(path, 64 << 20, bytes, NULL), VL_OK);
}

/* The caller frees it. */
static inline vl_image *sample(const char *name) {
    vl_buf bytes;
    vl_image *image = NULL;
    vl_media_limits limits = vl_media_limits_default();
    sample_bytes(name, &bytes);
    assert_int_equal(vl_document_first(bytes.data, bytes.len, &limits, &image, NULL), VL_OK);
    vl_buf_deinit(&bytes);
    return image;
}

#endif
