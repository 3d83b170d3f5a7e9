/* What files are by their first bytes, formats, times, hosts; contents as objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harvest/collection.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/vl-content-XXXXXX";

static void test_types(void **state) {
    static const struct {
        const char *bytes;
        size_t count;
        const char *type, *format;
    } rows[] = {
        {"%PDF-1.7", 8, "application/pdf", "pdf"},
        {"\xFF\xD8\xFF\xE0", 4, "image/jpeg", "picture"},
        {"<!doctype HTML><p>", 18, "text/html", "html"},
        {"<?xml version=\"1.0\"?><html>", 27, "application/xhtml+xml", "html"},
        {"<?xml version=\"1.0\"?><rss>", 26, "application/xml", "data"},
        {" {\"a\": 1}", 9, "application/json", "data"},
        {"[1, 2]", 6, "application/json", "data"},
        {"[see below]", 11, "text/plain", "text"},
        {"Habari", 6, "text/plain", "text"},
        {"PK\3\4....word/document.xml", 25,
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
        {"PK\3\4....mimetypeapplication/vnd.oasis.opendocument.text", 55,
         "application/vnd.oasis.opendocument.text", "odt"},
        {"GIF89a", 6, "image/gif", ""},
        {"", 0, "application/x-empty", ""},
        {"\0\1\2\3", 4, "application/octet-stream", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *type = vl_content_type(rows[i].bytes, rows[i].count);
        assert_string_equal(type, rows[i].type);
        assert_string_equal(vl_content_format(type), rows[i].format);
    }
    assert_string_equal(vl_content_format("Text/HTML; charset=utf-8"), "html");
    assert_string_equal(vl_content_format(NULL), "");
    static const struct {
        const char *type, *said, *name, *want;
    } tables[] = {
        {"text/plain", "Text/CSV; header=present", NULL, "text/csv"},
        {"text/plain", "text/tab-separated-values", NULL, "text/tab-separated-values"},
        {"text/plain", "text/plain", "https://e.org/d/a.CSV?x=1.txt", "text/csv"},
        {"text/plain", NULL, "https://e.org/a.tsv", "text/tab-separated-values"},
        {"text/plain", "text/plain", "https://e.org/a.txt", "text/plain"},
        {"text/plain", NULL, "https://e.org/csv", "text/plain"},
        {"text/plain", NULL, NULL, "text/plain"},
        {"text/html", "text/csv", "https://e.org/a.csv", "text/html"},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        assert_string_equal(vl_content_table(tables[i].type, tables[i].said, tables[i].name),
                            tables[i].want);
}

static void test_names_and_lists(void **state) {
    static const struct {
        const char *name, *format;
    } names[] = {
        {"https://example.org/a.PDF?v=1.txt", "pdf"},
        {"b.docx", "docx"},
        {"c.tar.gz", "data"},
        {"https://example.org/pdf", ""},
        {"https://e.org/", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(vl_content_format_by_name(names[i].name), names[i].format);
    assert_true(vl_list_has("pdf, HTML ,odt", "html"));
    assert_false(vl_list_has("pdf,html", "htm"));
    assert_true(vl_list_has("", "x"));
    assert_true(vl_list_has(NULL, "x"));
    vl_error error;
    assert_int_equal(vl_content_formats_check("pdf,picture", &error), VL_OK);
    assert_int_equal(vl_content_formats_check(NULL, &error), VL_OK);
    assert_int_equal(vl_content_formats_check("pdf,pictur", &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "did you mean 'picture'"));
}

static void test_times(void **state) {
    static const struct {
        const char *text, *back; /* NULL: it is none */
    } rows[] = {
        {"2025-01-31", "2025-01-31T00:00:00Z"},
        {"2025-01-31T12:30:00Z", "2025-01-31T12:30:00Z"},
        {"2025-01-31T12:30:00.5+02:00", "2025-01-31T10:30:00.500Z"},
        {"2025-01-31T12:30:00-0330", "2025-01-31T16:00:00Z"},
        {"2019-10-22T08:11:12.520687", "2019-10-22T08:11:12.520Z"},
        {"2025-01-31 12:30", "2025-01-31T12:30:00Z"},
        {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
        {"2025-13-01", NULL},
        {"2025-01-32", NULL},
        {"31.01.2025", NULL},
        {"2025-01-31T", NULL},
        {"2025-01-31T12:30:00Z ", NULL},
        {"2025", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    char back[VL_RFC3339_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms;
        assert_int_equal(vl_when_parse(rows[i].text, &ms), rows[i].back != NULL);
        if (!rows[i].back)
            continue;
        vl_when_format(ms, back);
        assert_string_equal(back, rows[i].back);
    }
}

static void test_hosts(void **state) {
    static const struct {
        const char *url, *host;
    } rows[] = {
        {"HTTPS://Example.ORG:8080/a", "example.org"},
        {"http://a.org?b@c", "a.org"},
        {"http://user:word@b.org/", "b.org"},
        {"http://[2001:db8::1]:80/", "[2001:db8::1]"},
        {"no url", ""},
        {"http://", ""},
        {NULL, ""},
    };
    char host[VL_HOST_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_host_of(rows[i].url, host);
        assert_string_equal(host, rows[i].host);
    }
}

/* ---- objects ---------------------------------------------------------------------------- */

static const vl_object_rules rules = {.who = "test", .max_bytes = 1000};

static size_t left_behind(void) {
    char path[VL_OBJECT_PATH_SIZE];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/tmp", folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void keep(const char *text, vl_object_kept *kept) {
    vl_object_writer *writer;
    vl_error error;
    assert_int_equal(vl_object_writer_open(folder, &rules, &writer, &error), VL_OK);
    assert_int_equal(vl_object_writer_put(writer, "thrown away", 11, &error), VL_OK);
    vl_object_writer_again(writer);
    for (; *text; text++)
        assert_int_equal(vl_object_writer_put(writer, text, 1, &error), VL_OK);
    assert_int_equal(vl_object_writer_commit(writer, kept, &error), VL_OK);
}

static void test_objects(void **state) {
    vl_object_kept kept, again;
    vl_buf content;
    char path[VL_OBJECT_PATH_SIZE];
    (void)state;
    keep("abc", &kept);
    /* FIPS 180-2, appendix B.1 */
    assert_string_equal(kept.sha256,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_false(kept.was_there);
    assert_int_equal(kept.bytes, 3);
    keep("abc", &again);
    assert_true(again.was_there);
    assert_int_equal(left_behind(), 0);
    assert_int_equal(vl_object_path(folder, kept.sha256, path, NULL), VL_OK);
    vl_buf_init(&content, 100);
    assert_int_equal(vl_file_read(path, 100, &content, NULL), VL_OK);
    assert_string_equal(content.data, "abc");
    vl_buf_deinit(&content);
    assert_int_equal(vl_object_path(folder, "../../etc/passwd", path, NULL), VL_ERR_INPUT);
}

static void test_limits_and_leavings(void **state) {
    vl_object_writer *writer;
    vl_object_kept kept;
    vl_error error;
    char big[600] = {'x'};
    vl_object_rules full = rules;
    (void)state;
    assert_int_equal(vl_object_writer_open(folder, &rules, &writer, &error), VL_OK);
    assert_int_equal(vl_object_writer_put(writer, big, sizeof big, &error), VL_OK);
    assert_int_equal(vl_object_writer_put(writer, big, sizeof big, &error), VL_ERR_LIMIT);
    assert_int_equal(vl_object_writer_put(writer, big, 1, &error), VL_ERR_LIMIT);
    assert_false(vl_object_writer_disk_failed(writer));
    assert_int_equal(vl_object_writer_commit(writer, &kept, &error), VL_ERR_LIMIT);
    assert_int_equal(left_behind(), 0);
    full.min_free = UINT64_MAX;
    assert_int_equal(vl_object_writer_open(folder, &full, &writer, &error), VL_ERR_IO);
    assert_int_equal(left_behind(), 0);
    char path[VL_OBJECT_PATH_SIZE];
    snprintf(path, sizeof path, "%s/tmp/test.0123", folder);
    assert_int_equal(vl_file_write(path, "x", 1, NULL), VL_OK);
    snprintf(path, sizeof path, "%s/tmp/tester.0123", folder);
    assert_int_equal(vl_file_write(path, "x", 1, NULL), VL_OK);
    assert_int_equal(vl_objects_sweep(folder, "test", &error), VL_OK);
    assert_int_equal(left_behind(), 1); /* another source's */
}

static int set_up(void **state) {
    (void)state;
    return !mkdtemp(folder) || vl_objects_make(folder, NULL);
}

static int tear_down(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),   cmocka_unit_test(test_names_and_lists),
        cmocka_unit_test(test_times),   cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_objects), cmocka_unit_test(test_limits_and_leavings),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
