/* Tests of what is signed and read: AWS' published examples, places, XML. */
#include "store/s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon
 * S3 API Reference, examples: GET Object, PUT Object, GET Bucket Lifecycle, Get Bucket (List
 * Objects). */
static void test_published_signatures(void **state) {
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HOST                                                                                   \
    { "host", "examplebucket.s3.amazonaws.com" }
#define STAMP                                                                                  \
    { "x-amz-date", "20130524T000000Z" }
    static const struct {
        const char *method, *key, *query, *payload;
        s3_header headers[5];
        size_t count;
        const char *names, *signature;
    } rows[] = {
        {"GET",
         "/test.txt",
         "",
         EMPTY,
         {HOST, {"range", "bytes=0-9"}, {"x-amz-content-sha256", EMPTY}, STAMP},
         4,
         "host;range;x-amz-content-sha256;x-amz-date",
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {"PUT",
         "/test$file.text",
         "",
         "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
         {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
          HOST,
          {"x-amz-content-sha256",
           "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
          STAMP,
          {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
         5,
         "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        {"GET",
         "/",
         "lifecycle=",
         EMPTY,
         {HOST, {"x-amz-content-sha256", EMPTY}, STAMP},
         3,
         "host;x-amz-content-sha256;x-amz-date",
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"GET",
         "/",
         "max-keys=2&prefix=J",
         EMPTY,
         {HOST, {"x-amz-content-sha256", EMPTY}, STAMP},
         3,
         "host;x-amz-content-sha256;x-amz-date",
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_buf path, out;
        char expected[512];
        vl_error error;
        vl_buf_init(&path, 1024);
        vl_buf_init(&out, 1024);
        s3_encode(rows[i].key, true, &path);
        s3_signing signing = {"AKIAIOSFODNN7EXAMPLE",
                              "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                              "us-east-1",
                              rows[i].method,
                              path.data,
                              rows[i].query,
                              rows[i].headers,
                              rows[i].count,
                              rows[i].payload,
                              "20130524T000000Z"};
        assert_int_equal(s3_sign(&signing, &out, &error), VL_OK);
        snprintf(expected, sizeof expected,
                 "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                 "aws4_request,SignedHeaders=%s,Signature=%s",
                 rows[i].names, rows[i].signature);
        assert_string_equal(out.data, expected);
        vl_buf_deinit(&path);
        vl_buf_deinit(&out);
    }
}

static void test_encoding(void **state) {
    static const char *const rows[][3] = {
        {"abc-._~XYZ019", "abc-._~XYZ019", "abc-._~XYZ019"},
        {"a b/c", "a%20b%2Fc", "a%20b/c"},
        {"é=&+", "%C3%A9%3D%26%2B", "%C3%A9%3D%26%2B"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int path = 0; path < 2; path++) {
            vl_buf out;
            vl_buf_init(&out, 256);
            s3_encode(rows[i][0], path, &out);
            assert_string_equal(out.data, rows[i][1 + path]);
            vl_buf_deinit(&out);
        }
}

static void test_places(void **state) {
    static const struct {
        const char *url, *bucket, *key;
    } rows[] = {
        {"s3://copies/a/b.vldb", "copies", "a/b.vldb"},
        {"s3://copies", "copies", ""},
        {"s3://copies/", "copies", ""},
        {"s3://co.pi-es/x/", "co.pi-es", "x/"},
        {"s3://", NULL, NULL},
        {"s3://ab/c", NULL, NULL},
        {"s3://Copies/c", NULL, NULL},
        {"s3://a_b_c/d", NULL, NULL},
        {"http://copies/a", NULL, NULL},
    };
    s3_place place;
    vl_error error;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_status status = s3_place_parse(rows[i].url, &place, &error);
        assert_int_equal(status, rows[i].bucket ? VL_OK : VL_ERR_USAGE);
        if (status)
            continue;
        assert_string_equal(place.bucket, rows[i].bucket);
        assert_string_equal(place.key, rows[i].key);
    }
    assert_true(vl_s3_is_url("s3://x"));
    assert_false(vl_s3_is_url("/s3://x"));
}

static void test_xml(void **state) {
    static const char text[] = "<a><Key>one &amp; two</Key><Key>&quot;3&quot;</Key><Key>cut";
    const char *at = text;
    char out[32], small[4];
    (void)state;
    assert_true(s3_xml_text(&at, "Key", out, sizeof out));
    assert_string_equal(out, "one & two");
    assert_true(s3_xml_text(&at, "Key", out, sizeof out));
    assert_string_equal(out, "\"3\"");
    assert_false(s3_xml_text(&at, "Key", out, sizeof out));
    at = text;
    assert_false(s3_xml_text(&at, "Key", small, sizeof small)); /* not cut to fit */
}

static void test_refusals(void **state) {
    static const struct {
        vl_s3_options options;
        const char *word;
    } rows[] = {
        {{"", "us-east-1", "", "", "", 0}, "AWS_ACCESS_KEY_ID"},
        {{"ftp://x", "us-east-1", "a", "b", "", 0}, "s3_endpoint"},
        {{"https://x/path", "us-east-1", "a", "b", "", 0}, "s3_endpoint"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        s3_client *client;
        vl_error error;
        assert_int_equal(s3_open(&rows[i].options, &client, &error), VL_ERR_USAGE);
        assert_non_null(strstr(error.message, rows[i].word));
        assert_null(client);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_signatures),
        cmocka_unit_test(test_encoding),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_xml),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
