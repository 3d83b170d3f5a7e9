/* ocr_document.c — vl_ocr_document: several pages into several writers; a page that cannot be
 * read keeps its place; when it fails. */
#include <vislang/ocr.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <leptonica/allheaders.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIDE = 1500 };

static vl_ocr *ocr;

static int set_up(void **state) {
    (void)state;
    vl_error error;
    if (!vl_ocr_new(NULL, &ocr, &error))
        return 0;
    fprintf(stderr, "%s\n", error.message);
    return -1;
}

static int tear_down(void **state) {
    (void)state;
    vl_ocr_free(ocr);
    return 0;
}

/* A TIFF of a page for every letter: 'p' a sample page, 'w' one wider than the limit. */
static vl_document *make_document(const char *kinds, vl_buf *bytes) {
    PIXA *pages = pixaCreate(0);
    for (const char *kind = kinds; *kind; kind++) {
        PIX *page = *kind == 'p' ? pixRead(TEST_SOURCE_DIR "/samples/notice-swh.jpg")
                                 : pixCreate(MAX_SIDE + 1, 40, 8);
        assert_non_null(page);
        PIX *grey = pixConvertTo8(page, 0);
        pixaAddPix(pages, grey, L_INSERT);
        pixDestroy(&page);
    }
    l_uint8 *data = NULL;
    size_t size = 0;
    assert_int_equal(pixaWriteMemMultipageTiff(&data, &size, pages), 0);
    pixaDestroy(&pages);
    vl_buf_init(bytes, 64 << 20);
    vl_buf_append(bytes, data, size);
    lept_free(data);
    vl_media_limits limits = vl_media_limits_default();
    limits.max_side = MAX_SIDE;
    vl_document *document = NULL;
    vl_error error;
    if (vl_document_open(bytes->data, bytes->len, &limits, &document, &error))
        fail_msg("%s", error.message);
    return document;
}

static const cJSON *page_at(const cJSON *document, int index) {
    return cJSON_GetArrayItem(cJSON_GetObjectItem(document, "pages"), index);
}

static void test_bad_page_keeps_its_place(void **state) {
    (void)state;
    vl_buf bytes, json, text;
    vl_document *document = make_document("pwp", &bytes);
    vl_ocr_writer *writers[2];
    vl_ocr_summary summary;
    vl_error error;
    vl_buf_init(&json, 1 << 22);
    vl_buf_init(&text, 1 << 20);
    vl_ocr_writer_new(VL_OCR_JSON, "a.tif", vl_sink_buf, &json, &writers[0], NULL);
    vl_ocr_writer_new(VL_OCR_TEXT, "a.tif", vl_sink_buf, &text, &writers[1], NULL);
    if (vl_ocr_document(ocr, document, "swa", writers, 2, &summary, &error))
        fail_msg("%s", error.message);
    assert_int_equal(summary.pages, 3);
    assert_int_equal(summary.bad_pages, 1);
    assert_int_equal(summary.first_bad.status, VL_ERR_LIMIT);
    assert_true(summary.words > 100);
    assert_true(summary.confidence > 0.5 && summary.confidence <= 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(vl_ocr_writer_finish(writers[i], NULL), VL_OK);
        vl_ocr_writer_free(writers[i]);
    }
    cJSON *o = cJSON_Parse(json.data);
    assert_non_null(o);
    for (int i = 0; i < 3; i++) {
        const cJSON *page = page_at(o, i);
        assert_int_equal(cJSON_GetObjectItem(page, "page")->valueint, i + 1);
        assert_int_equal(cJSON_GetObjectItem(page, "error") != NULL, i == 1);
        assert_int_equal(cJSON_GetObjectItem(page, "blocks") != NULL, i != 1);
    }
    const cJSON *problem = cJSON_GetObjectItem(page_at(o, 1), "error");
    assert_string_equal(cJSON_GetObjectItem(problem, "status")->valuestring,
                        vl_status_name(VL_ERR_LIMIT));
    const char *first = strchr(text.data, '\f'), *second = strchr(first + 1, '\f');
    assert_ptr_equal(second, first + 1); /* an empty page between the two */
    assert_null(strchr(second + 1, '\f'));
    cJSON_Delete(o);
    vl_document_free(document);
    vl_buf_deinit(&bytes);
    vl_buf_deinit(&json);
    vl_buf_deinit(&text);
}

static void test_no_page_could_be_read(void **state) {
    (void)state;
    vl_buf bytes, json;
    vl_document *document = make_document("ww", &bytes);
    vl_ocr_writer *writer;
    vl_ocr_summary summary;
    vl_error error;
    vl_buf_init(&json, 1 << 20);
    vl_ocr_writer_new(VL_OCR_JSON, "a.tif", vl_sink_buf, &json, &writer, NULL);
    assert_int_equal(vl_ocr_document(ocr, document, NULL, &writer, 1, &summary, &error),
                     VL_ERR_LIMIT);
    assert_int_equal(summary.bad_pages, 2);
    assert_string_equal(error.message, summary.first_bad.message);
    vl_ocr_writer_free(writer);
    vl_document_free(document);
    vl_buf_deinit(&bytes);
    vl_buf_deinit(&json);
}

static vl_status full(void *user, const void *bytes, size_t count, vl_error *error) {
    size_t *calls = user;
    (void)bytes;
    (void)count;
    return ++*calls > 1 ? vl_fail(error, VL_ERR_IO, "no space left on device") : VL_OK;
}

static void test_writer_that_fails_ends_it(void **state) {
    (void)state;
    vl_buf bytes;
    vl_document *document = make_document("pp", &bytes);
    vl_ocr_writer *writer;
    vl_ocr_summary summary;
    vl_error error;
    size_t calls = 0;
    vl_ocr_writer_new(VL_OCR_PDF, "a.tif", full, &calls, &writer, NULL);
    assert_int_equal(vl_ocr_document(ocr, document, "swa", &writer, 1, &summary, &error),
                     VL_ERR_IO);
    assert_int_equal(summary.pages, 1); /* the second was not read for nothing */
    assert_int_equal(summary.bad_pages, 0);
    vl_ocr_writer_free(writer);
    vl_document_free(document);
    vl_buf_deinit(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_page_keeps_its_place),
        cmocka_unit_test(test_no_page_could_be_read),
        cmocka_unit_test(test_writer_that_fails_ends_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
