/* Tests of finding the pictures of web pages that lie in a folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <vislang/harvest.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char home[256];

static void put(const char *name, const char *text) {
    char path[512], folder[512];
    vl_error error;
    snprintf(path, sizeof path, "%s/%s", home, name);
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(vl_dir_make(folder, &error), VL_OK);
    assert_int_equal(vl_file_write(path, text, strlen(text), &error), VL_OK);
}

static int make_home(void **state) {
    const char *tmp = getenv("TMPDIR");
    (void)state;
    snprintf(home, sizeof home, "%s/vl-dir-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(home) ? 0 : -1;
}

static int remove_home(void **state) {
    char command[512];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", home);
    return system(command);
}

static vl_status take_page(const vl_holding *holding, void *to, vl_error *error) {
    (void)error;
    if (strstr(holding->key, "page.html"))
        *(int64_t *)to = holding->id;
    return VL_OK;
}

static int64_t harvest(vl_collection **collection) {
    char out[512], place[512];
    int64_t page = 0;
    vl_error error;
    vl_harvest_report report;
    vl_config *config;
    snprintf(out, sizeof out, "%s/out", home);
    snprintf(place, sizeof place, "%s/site", home);
    vl_setting settings[] = {{"harvest_dir_url", place}};
    vl_harvest_options options = vl_harvest_options_default();
    assert_int_equal(vl_config_load(NULL, settings, 1, &config, &error), VL_OK);
    options.source = "dir";
    options.config = config;
    options.min_free = 0;
    assert_int_equal(vl_collection_open(out, true, collection, &error), VL_OK);
    assert_int_equal(vl_harvest_run(*collection, &options, &report, &error), VL_OK);
    assert_int_equal(report.requests, 0);
    vl_holding_query query = {.by_record = true};
    assert_int_equal(vl_collection_holdings(*collection, &query, take_page, &page, &error),
                     VL_OK);
    assert_true(page > 0);
    vl_config_free(config);
    return page;
}

static void test_relative(void **state) {
    static const struct {
        const char *address, *content; /* NULL: there is none */
    } rows[] = {
        {"page_files/a.jpg", "\xff\xd8\xff\xe0 a"},
        {"./page_files/../page_files/a.jpg?v=1#top", "\xff\xd8\xff\xe0 a"},
        {"../top.jpg", "\xff\xd8\xff\xe0 top"},
        {"page_files/b%20%C3%A9.jpg", "\xff\xd8\xff\xe0 b"},
        {" page_files/b é.jpg", "\xff\xd8\xff\xe0 b"},
        {"../../secret.jpg", NULL},
        {"../../../../../../etc/passwd", NULL},
        {"../../site/top.jpg", NULL},
        {"/page_files/a.jpg", NULL},
        {"file:page_files/a.jpg", NULL},
        {"https://example.org/a.jpg", NULL},
        {"page_files/note.txt", NULL},
        {"page_files/%00a.jpg", NULL},
        {"page_files", NULL},
        {"", NULL},
    };
    vl_collection *collection;
    vl_error error;
    (void)state;
    put("site/2024/page.html", "<!doctype html><html><p>Words.<img src=page_files/a.jpg>"
                               "<img src=https://example.org/b.jpg></html>");
    put("site/2024/page_files/a.jpg", "\xff\xd8\xff\xe0 a");
    put("site/2024/page_files/b é.jpg", "\xff\xd8\xff\xe0 b");
    put("site/2024/page_files/note.txt", "A text.");
    put("site/top.jpg", "\xff\xd8\xff\xe0 top");
    put("site/metadata.jsonl", "{\"file_name\": \"2024/page.html\", "
                               "\"url\": \"https://example.org/page.html\"}\n");
    put("secret.jpg", "\xff\xd8\xff\xe0 secret");
    int64_t page = harvest(&collection);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char sha256[VL_SHA256_HEX_SIZE], expected[VL_SHA256_HEX_SIZE] = "";
        const char *content = rows[i].content;
        if (content)
            vl_sha256_hex(content, strlen(content), expected);
        vl_status status =
            vl_collection_find_picture(collection, page, rows[i].address, sha256, &error);
        assert_int_equal(status, content ? VL_OK : VL_ERR_MISSING);
        assert_string_equal(sha256, expected);
    }
    vl_collection_close(collection);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_relative)};
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
