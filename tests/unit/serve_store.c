/* serve_store.c — the answer cache and the upload buffer. */
#include "serve/cache.h"
#include "serve/upload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void put(vl_cache *cache, const char *key, size_t size) {
    char *bytes = calloc(1, size);
    assert_non_null(bytes);
    snprintf(bytes, size, "%s", key);
    vl_blob *blob = vl_blob_new("text/plain", bytes, size);
    free(bytes);
    vl_cache_put(cache, key, blob);
    vl_blob_unref(blob);
}

static bool has(vl_cache *cache, const char *key) {
    vl_blob *blob = vl_cache_get(cache, key);
    bool found = blob && !strcmp(blob->bytes, key);
    vl_blob_unref(blob);
    return found;
}

static void test_least_recently_used_goes_first(void **state) {
    (void)state;
    vl_cache *cache = vl_cache_new(10000, 0);
    put(cache, "a", 2000);
    put(cache, "b", 2000);
    put(cache, "c", 2000);
    assert_true(has(cache, "a"));
    put(cache, "d", 2000);
    put(cache, "e", 2000);
    assert_true(has(cache, "a"));
    assert_false(has(cache, "b"));
    assert_true(has(cache, "d") && has(cache, "e"));
    put(cache, "large", 2600);
    assert_false(has(cache, "large"));
    size_t entries, bytes;
    vl_cache_size(cache, &entries, &bytes);
    assert_true(bytes <= 10000 && entries == 4);
    vl_cache_free(cache);
}

static void test_a_blob_outlives_its_entry(void **state) {
    (void)state;
    vl_cache *cache = vl_cache_new(10000, 0);
    put(cache, "a", 2000);
    vl_blob *held = vl_cache_get(cache, "a");
    put(cache, "a", 100);
    vl_cache_free(cache);
    assert_int_equal(held->size, 2000);
    assert_string_equal(held->bytes, "a");
    vl_blob_unref(held);
}

static void test_age(void **state) {
    (void)state;
    vl_cache *cache = vl_cache_new(10000, 0.02);
    put(cache, "a", 100);
    assert_true(has(cache, "a"));
    usleep(30000);
    assert_false(has(cache, "a"));
    vl_cache_free(cache);
    cache = vl_cache_new(0, 0);
    put(cache, "a", 100);
    assert_false(has(cache, "a"));
    vl_cache_free(cache);
}

/* Small, at the edge of memory and beyond it: the same bytes and hash come out. */
static void test_upload(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 1000, VL_UPLOAD_MEMORY_MAX, VL_UPLOAD_MEMORY_MAX + 1,
                                   3 * VL_UPLOAD_MEMORY_MAX};
    static const size_t piece = 30000;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        vl_upload upload;
        vl_error error;
        char digest[VL_SHA256_HEX_SIZE];
        uint8_t *bytes = malloc(sizes[i]);
        assert_non_null(bytes);
        vl_random_bytes(bytes, sizes[i]);
        assert_int_equal(vl_upload_init(&upload, sizes[i], &error), VL_OK);
        for (size_t at = 0; at < sizes[i]; at += piece)
            assert_int_equal(vl_upload_append(&upload, bytes + at,
                                              sizes[i] - at < piece ? sizes[i] - at : piece,
                                              &error),
                             VL_OK);
        assert_int_equal(vl_upload_append(&upload, "x", 1, &error), VL_ERR_LIMIT);
        assert_int_equal(vl_upload_finish(&upload, &error), VL_OK);
        assert_int_equal(upload.fd >= 0, sizes[i] > VL_UPLOAD_MEMORY_MAX);
        assert_memory_equal(vl_upload_bytes(&upload), bytes, sizes[i]);
        vl_sha256_hex(bytes, sizes[i], digest);
        assert_string_equal(upload.digest, digest);
        vl_upload_deinit(&upload);
        free(bytes);
    }
}

static void test_base64(void **state) {
    (void)state;
    static const struct {
        const char *text, *bytes; /* NULL: refused */
    } cases[] = {
        {"", ""},         {"Zg==", "f"},        {"Zm8=", "fo"},
        {"Zm9v", "foo"},  {"Zm9vYg==", "foob"}, {"data:image/png;base64,Zm9v", "foo"},
        {"Zg=", NULL},    {"Zg", NULL},         {"Z===", NULL},
        {"Zh==", NULL},   {"Zm9=", NULL},       {"Zg==Zg==", NULL},
        {"Zm9v\n", NULL}, {"Zm-_", NULL},       {"data:text/plain,Zm9v", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_upload upload;
        vl_error error;
        assert_int_equal(vl_upload_init(&upload, 100, &error), VL_OK);
        vl_status status = vl_upload_append_base64(&upload, cases[i].text, &error);
        if ((status == VL_OK) != (cases[i].bytes != NULL))
            fail_msg("'%s' gave %d", cases[i].text, (int)status);
        if (cases[i].bytes) {
            assert_int_equal(upload.size, strlen(cases[i].bytes));
            if (upload.size)
                assert_memory_equal(upload.memory.data, cases[i].bytes, upload.size);
        }
        vl_upload_deinit(&upload);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least_recently_used_goes_first),
        cmocka_unit_test(test_a_blob_outlives_its_entry),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_upload),
        cmocka_unit_test(test_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
