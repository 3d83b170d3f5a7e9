/* serve_multipart.c — forms cut at every byte give the same parts, and malformed ones an
 * error. */
#include "serve/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the callbacks saw: "name|filename<content>" for every part. */
static vl_status on_begin(void *user, const vl_form_part *part, vl_error *error) {
    (void)error;
    vl_buf_printf(user, "%s|%s<", part->name, part->filename ? part->filename : "-");
    return VL_OK;
}

static vl_status on_data(void *user, const char *bytes, size_t count, vl_error *error) {
    (void)error;
    vl_buf_append(user, bytes, count);
    return VL_OK;
}

static vl_status on_end(void *user, vl_error *error) {
    (void)error;
    vl_buf_puts(user, ">");
    return VL_OK;
}

/* Feeds `text` in pieces of `piece` bytes. */
static vl_status parse(const char *text, size_t count, size_t piece, vl_buf *out,
                       vl_error *error) {
    vl_multipart_handler handler = {on_begin, on_data, on_end, out};
    vl_multipart *parser = vl_multipart_new("B", &handler);
    assert_non_null(parser);
    vl_status status = VL_OK;
    for (size_t at = 0; at < count && !status; at += piece)
        status = vl_multipart_feed(parser, text + at, count - at < piece ? count - at : piece,
                                   error);
    if (!status)
        status = vl_multipart_finish(parser, error);
    vl_multipart_free(parser);
    return status;
}

#define PART(name) "--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"

static void test_good_forms(void **state) {
    (void)state;
    static const struct {
        const char *form, *seen;
    } cases[] = {
        {PART("a") "x\r\n--B--\r\n", "a|-<x>"},
        {PART("a") "x\r\n--B--", "a|-<x>"},
        {"\r\n" PART("a") "x\r\n--B--\r\n", "a|-<x>"},
        {PART("a") "\r\n--B--\r\n", "a|-<>"},
        {PART("a") "1\r\n" PART("b") "2\r\n--B--\r\nepilogue", "a|-<1>b|-<2>"},
        {PART("a") "\r\r\n\r\n-\r\n--\r\n--C\r\n--B--\r\n", "a|-<\r\r\n\r\n-\r\n--\r\n--C>"},
        {"--B \t\r\nContent-Disposition: form-data; name=a; filename=\"x y.png\"\r\n"
         "Content-Type: image/png\r\n\r\ndata\r\n--B--\r\n",
         "a|x y.png<data>"},
        {"--B\r\ncontent-disposition:form-data ; filename=\"q\\\"\\\\.png\"; name=\"a\"\r\n\r\n"
         "\r\n--B--\r\n",
         "a|q\"\\.png<>"},
        {"--B--\r\n", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t piece = 1; piece < 40; piece++) {
            vl_buf out;
            vl_error error = {0};
            vl_buf_init(&out, 4096);
            vl_status status = parse(cases[i].form, strlen(cases[i].form), piece, &out, &error);
            if (status)
                fail_msg("case %zu, pieces of %zu: %s", i, piece, error.message);
            assert_string_equal(out.data ? out.data : "", cases[i].seen);
            vl_buf_deinit(&out);
        }
}

static void test_bad_forms(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "--",
        "preamble\r\n--B--\r\n",
        "\r\n\r\n--B--\r\n",
        "--C\r\n",
        PART("a") "x",
        PART("a") "x\r\n--B",
        PART("a") "x\r\n--B-",
        PART("a") "x\r\n--Bx\r\n",
        PART("a") "x\r\n--B\n",
        "--B\r\n\r\nx\r\n--B--\r\n",
        "--B\r\nX: y\r\n\r\nx\r\n--B--\r\n",
        "--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--\r\n",
        "--B\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx\r\n--B--\r\n",
        "--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--B--\r\n",
        "--B\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\nx\r\n--B--\r\n",
        "--B\r\nContent-Disposition: form-data name=\"a\"\r\n\r\nx\r\n--B--\r\n",
        "--B\r\nContent-Disposition: file; name=\"a\"\r\n\r\nx\r\n--B--\r\n",
        "--B\r\nContent-Disposition : form-data; name=\"a\"\r\n\r\nx\r\n--B--\r\n",
        "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n folded: x\r\n\r\nx\r\n--B--\r\n",
        PART("a") "1\r\n--B\r\nContent-Transfer-Encoding: base64\r\n"
                  "Content-Disposition: form-data; name=\"b\"\r\n\r\nx\r\n--B--\r\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t piece = 1; piece < 9; piece++) {
            vl_buf out;
            vl_error error = {0};
            vl_buf_init(&out, 4096);
            if (parse(cases[i], strlen(cases[i]), piece, &out, &error) != VL_ERR_INPUT)
                fail_msg("case %zu was taken: %s", i, cases[i]);
            assert_true(error.message[0]);
            vl_buf_deinit(&out);
        }
}

static void test_limits(void **state) {
    (void)state;
    vl_buf form, out;
    vl_error error;
    vl_buf_init(&form, 1 << 20);
    vl_buf_init(&out, 1 << 20);
    for (int i = 0; i <= VL_MULTIPART_PARTS_MAX; i++)
        vl_buf_puts(&form, PART("a") "\r\n");
    vl_buf_puts(&form, "--B--\r\n");
    assert_int_equal(parse(form.data, form.len, 100, &out, &error), VL_ERR_LIMIT);
    vl_buf_clear(&form);
    vl_buf_puts(&form, "--B\r\nX: ");
    for (int i = 0; i < VL_MULTIPART_HEADER_MAX; i++)
        vl_buf_puts(&form, "x");
    assert_int_equal(parse(form.data, form.len, 100, &out, &error), VL_ERR_LIMIT);
    vl_buf_deinit(&form);
    vl_buf_deinit(&out);
}

static void test_boundary(void **state) {
    (void)state;
    static const struct {
        const char *type, *boundary; /* NULL: refused */
    } cases[] = {
        {"multipart/form-data; boundary=abc", "abc"},
        {"Multipart/Form-Data;charset=utf-8;BOUNDARY=\"a b:c\"", "a b:c"},
        {"multipart/form-data; boundary=", NULL},
        {"multipart/form-data; boundary=\"\"", NULL},
        {"multipart/form-data; boundary=\"a \"", NULL},
        {"multipart/form-data; boundary=a; boundary=b", NULL},
        {"multipart/form-data; boundary=a b", NULL},
        {"multipart/form-data", NULL},
        {"multipart/mixed; boundary=a", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char boundary[VL_MULTIPART_BOUNDARY_MAX + 1];
        vl_error error;
        vl_status status = vl_multipart_boundary(cases[i].type, boundary, &error);
        assert_int_equal(status, cases[i].boundary ? VL_OK : VL_ERR_INPUT);
        if (cases[i].boundary)
            assert_string_equal(boundary, cases[i].boundary);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_forms),
        cmocka_unit_test(test_bad_forms),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
