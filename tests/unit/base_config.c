/* base_config.c — configuration: precedence, provenance, and what is refused, with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cJSON.h>
#include <cmocka.h>
#include <vislang/base.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static char folder[1024], file[1100];

static int setup(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s/base-config-XXXXXX", TEST_BINARY_DIR);
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof file, "%s/c.yaml", folder);
    return chdir(folder);
}

static int teardown(void **state) {
    (void)state;
    unlink(file);
    return rmdir(folder);
}

static vl_status load_yaml(const char *yaml, const vl_setting *flags, size_t count,
                           vl_config **config, vl_error *error) {
    assert_int_equal(vl_file_write(file, yaml, strlen(yaml), NULL), VL_OK);
    return vl_config_load("c.yaml", flags, count, config, error);
}

static void test_defaults(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double number;
    } numbers[] = {{"port", 8000},
                   {"max_upload_size", 104857600},
                   {"max_concurrent_requests", 64},
                   {"request_timeout", 120},
                   {"connection_limit", 1024},
                   {"per_ip_connection_limit", 256},
                   {"connection_timeout", 30},
                   {"drain_timeout", 30},
                   {"cache_size_mb", 64},
                   {"cache_ttl", 3600},
                   {"max_pages", 20},
                   {"max_side", 20000},
                   {"max_pixels", 50000000},
                   {"decode_timeout", 20},
                   {"pdf_dpi", 200},
                   {"ocr_timeout", 60}};
    vl_config *config;
    vl_error error = {0};
    assert_int_equal(vl_config_load(NULL, NULL, 0, &config, &error), VL_OK);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        assert_true(vl_config_number(config, numbers[i].name) == numbers[i].number);
        assert_true((double)vl_config_int(config, numbers[i].name) == numbers[i].number);
    }
    assert_string_equal(vl_config_string(config, "host"), "127.0.0.1");
    assert_string_equal(vl_config_string(config, "languages"), "");
    assert_string_equal(vl_config_string(config, "ocr_engines"),
                        "tesseract,reader,tesseract-script");
    assert_true(vl_config_bool(config, "log_requests"));
    assert_int_equal(vl_config_int(config, "workers"), vl_cpu_count());
    vl_config_free(config);
    vl_config_free(NULL);
}

static cJSON *printed(const vl_config *config) {
    vl_buf out;
    vl_buf_init(&out, 1 << 20);
    vl_config_print(config, true, &out);
    cJSON *json = cJSON_Parse(out.data);
    assert_non_null(json);
    vl_buf_deinit(&out);
    return json;
}

static const char *source_of(const cJSON *json, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(json, name), "source"));
}

static void test_precedence_and_provenance(void **state) {
    (void)state;
    static const vl_setting flags[] = {{"max-pages", "4"}, {"max_side", "500"}};
    static const char yaml[] = "port: 1\n"
                               "server:\n  workers: 1\n"
                               "max_pages: 2\n"
                               "max_upload_size: 2MB\n"
                               "cache: {size_mb: 8}\n";
    vl_config *config;
    vl_error error = {0};
    setenv("VISLANG_MAX_PAGES", "3", 1);
    setenv("WORKERS", "3", 1);
    setenv("CACHE_SIZE_MB", "9", 1);
    setenv("VISLANG_CACHE_SIZE_MB", "10", 1);
    setenv("LOG_LEVEL", "", 1);
    vl_status status = load_yaml(yaml, flags, 2, &config, &error);
    unsetenv("VISLANG_MAX_PAGES");
    unsetenv("WORKERS");
    unsetenv("CACHE_SIZE_MB");
    unsetenv("VISLANG_CACHE_SIZE_MB");
    unsetenv("LOG_LEVEL");
    assert_string_equal(error.message, "");
    assert_int_equal(status, VL_OK);
    static const struct {
        const char *name;
        int64_t number;
        const char *source;
    } cases[] = {{"port", 1, "c.yaml:1"},
                 {"workers", 3, "environment WORKERS"},
                 {"max_pages", 4, "flag"},
                 {"max_side", 500, "flag"},
                 {"max_upload_size", 2097152, "c.yaml:5"},
                 {"cache_size_mb", 10, "environment VISLANG_CACHE_SIZE_MB"},
                 {"max_pixels", 50000000, "default"}};
    cJSON *json = printed(config);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(vl_config_int(config, cases[i].name), cases[i].number);
        assert_string_equal(source_of(json, cases[i].name), cases[i].source);
    }
    assert_string_equal(source_of(json, "log_level"), "default");
    cJSON_Delete(json);
    vl_buf text;
    vl_buf_init(&text, 1 << 20);
    vl_config_print(config, false, &text);
    assert_non_null(strstr(text.data, "environment WORKERS"));
    assert_non_null(strstr(text.data, "c.yaml:5"));
    vl_buf_deinit(&text);
    vl_config_free(config);
}

static void test_yaml_accepted(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *name, *value;
    } cases[] = {
        {"", "host", "127.0.0.1"},
        {"# nothing\n", "host", "127.0.0.1"},
        {"---\n...\n", "host", "127.0.0.1"},
        {"host: 0.0.0.0", "host", "0.0.0.0"},
        {"server: {host: \"::1\"}", "host", "::1"},
        {"ocr:\n  engines: [tesseract]\n", "ocr_engines", "tesseract"},
        {"ocr_engines:\n- a\n- b\n", "ocr_engines", "a,b"},
        {"allowed_hosts: ' a.example , b.example,,'", "allowed_hosts", "a.example,b.example"},
        {"security: {cors_origins: []}", "cors_origins", ""},
        {"ocr: {languages: eng+fra}", "languages", "eng+fra"},
        {"log: {level: debug}", "log_level", "debug"},
        {"log:\n  requests: off\n", "log_requests", "off"},
        {"limits: {max_pages: 7}", "max_pages", "7"},
        {"request_timeout: 1.5", "request_timeout", "1.5"},
        {"cache: {}", "cache_ttl", "3600"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        vl_config *config = NULL;
        vl_error error = {0};
        if (load_yaml(cases[i].yaml, NULL, 0, &config, &error) != VL_OK)
            fail_msg("%s: %s", cases[i].yaml, error.message);
        assert_string_equal(vl_config_string(config, cases[i].name), cases[i].value);
        vl_config_free(config);
    }
}

static void test_yaml_refused(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"host: a\nprot: 8000\n", "c.yaml:2: unknown key 'prot'; did you mean 'port'?"},
        {"zzzzzzzz: 1", "c.yaml:1: unknown key 'zzzzzzzz'"},
        {"server:\n  prt: 1", "c.yaml:2: unknown key 'server.prt'; did you mean 'port'?"},
        {"sever: {port: 1}", "c.yaml:1: unknown key 'sever'; did you mean 'server'?"},
        {"cache:\n  size: 1", "c.yaml:2: unknown key 'cache.size'"},
        {"model_cache_size: x", "c.yaml:1: 'model_cache_size' is not used by this version"},
        {"\nmodels: {a: {}}", "c.yaml:2: 'models' is not used by this version"},
        {"picture: {max_vram_gb: x}",
         "c.yaml:1: 'picture.max_vram_gb' is not used by this version"},
        {"ocr: {consensus_algorithm: x}",
         "c.yaml:1: 'ocr.consensus_algorithm' is not used by this version"},
        {"port: 1\nport: 2", "c.yaml:2: 'port' is set twice (first at c.yaml:1)"},
        {"port: 1\nserver:\n  port: 2", "c.yaml:3: 'port' is set twice (first at c.yaml:1)"},
        {"cache: {}\ncache: {}", "c.yaml:2: the section 'cache' is there twice"},
        {"port: eight", "c.yaml:1: 'port' takes a whole number, not 'eight'"},
        {"port: 1.5", "c.yaml:1: 'port' takes a whole number, not '1.5'"},
        {"port: 0x10", "c.yaml:1: 'port' takes a whole number, not '0x10'"},
        {"port: \"8000\"", "c.yaml:1: 'port' takes a whole number"},
        {"port: 65536", "c.yaml:1: 'port' is 65536; it must lie between 0 and 65535"},
        {"port: 99999999999999999999", "c.yaml:1: 'port' is 99999999999999999999; it must"},
        {"max_pages: 0", "c.yaml:1: 'max_pages' is 0; it must lie between 1 and 100000"},
        {"request_timeout: nan", "c.yaml:1: 'request_timeout' takes a number, not 'nan'"},
        {"request_timeout: 1e999", "c.yaml:1: 'request_timeout' takes a number"},
        {"port:", "c.yaml:1: 'port' has no value; it takes a whole number"},
        {"host: ~", "c.yaml:1: 'host' has no value; it takes text"},
        {"port: [1]", "c.yaml:1: 'port' takes a whole number"},
        {"host: {a: b}", "c.yaml:1: 'host' takes text"},
        {"log_requests: perhaps", "c.yaml:1: 'log_requests' takes true or false"},
        {"log_level: loud", "c.yaml:1: 'log_level': 'loud' is no log level"},
        {"max_upload_size: big", "c.yaml:1: 'max_upload_size': 'big' is not a size"},
        {"max_upload_size: 9TB", "c.yaml:1: 'max_upload_size' is 9TB; it must lie between"},
        {"ocr_engines: [[a]]", "c.yaml:1: 'ocr_engines' is a list of plain words"},
        {"ocr_engines: [\"a,b\"]", "c.yaml:1: 'ocr_engines' is a list of plain words"},
        {"server: 1", "c.yaml:1: 'server' is a section"},
        {"server:\n- 1", "c.yaml:2: 'server' is a section"},
        {"server: {cache: {ttl: 1}}", "c.yaml:1: unknown key 'server.cache'"},
        {"- 1", "c.yaml:1: a configuration is made of lines 'name: value'"},
        {"port", "c.yaml:1: a configuration is made of lines 'name: value'"},
        {"[a]: 1", "c.yaml:1: a key is the name of a setting"},
        {"port: 1\n---\nport: 2", "c.yaml:2: a configuration is one document"},
        {"host: &h a", "c.yaml:1: anchors (&name) are not read here"},
        {"host: *h", "c.yaml:1: aliases (*name) are not read here"},
        {"a: &a [x,x]\nb: &b [*a,*a]", "c.yaml:1: unknown key 'a'"},
        {"<<: *h", "c.yaml:1: unknown key '<<'"},
        {"port: !!int 5", "c.yaml:1: tags (!name) are not read here"},
        {"host: \"a\\0b\"", "c.yaml:1: 'host' takes text"},
        {"host: \"a\\nb\"", "c.yaml:1: 'host' takes at most 4096 bytes of UTF-8 on one line"},
        {"host: \"", "c.yaml:"},
        {"\tport: 1", "c.yaml:1: "},
        {"host: \xFF", "c.yaml:1: "},
        {"workers: 9\nmax_workers: 4", "'workers' is 9 (c.yaml:1) and 'max_workers' is 4"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        vl_config *config = NULL;
        vl_error error = {0};
        vl_status status = load_yaml(cases[i].yaml, NULL, 0, &config, &error);
        if (status != VL_ERR_USAGE || config)
            fail_msg("accepted: %s", cases[i].yaml);
        if (strncmp(error.message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s\n  says    %s\n  and not %s", cases[i].yaml, error.message,
                     cases[i].message);
    }
}

/* A million brackets, and a long list. */
static void test_yaml_bombs(void **state) {
    (void)state;
    static const char *const heads[] = {"ocr_engines: ", "", "port: "};
    static char yaml[1000001];
    for (size_t i = 0; i < COUNT(heads); i++) {
        memset(yaml, i == 2 ? '{' : '[', sizeof yaml - 1);
        memcpy(yaml, heads[i], strlen(heads[i]));
        vl_config *config;
        vl_error error;
        int64_t start = vl_clock_ns();
        assert_int_equal(load_yaml(yaml, NULL, 0, &config, &error), VL_ERR_USAGE);
        assert_true(vl_clock_ms_since(start) < 5000);
    }
    memset(yaml, ' ', sizeof yaml - 1);
    memcpy(yaml, "ocr_engines: [", 14);
    for (size_t i = 14; i < 20000; i += 2)
        memcpy(yaml + i, "a,", 2);
    vl_config *config;
    vl_error error;
    assert_int_equal(load_yaml(yaml, NULL, 0, &config, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "longer than 4096 bytes"));
    assert_int_equal(vl_config_load("none.yaml", NULL, 0, &config, &error), VL_ERR_INPUT);
}

static void test_environment_and_flags_refused(void **state) {
    (void)state;
    static const struct {
        const char *variable, *value, *message;
    } variables[] = {
        {"VISLANG_PROT", "1",
         "unknown environment variable VISLANG_PROT; did you mean VISLANG_PORT?"},
        {"VISLANG_", "1", "unknown environment variable VISLANG_"},
        {"VISLANG_PORT", "x", "environment variable VISLANG_PORT: 'port' takes a whole number"},
        {"MAX_UPLOAD_SIZE", "-1", "environment variable MAX_UPLOAD_SIZE: 'max_upload_size'"},
        {"VISLANG_HOST", "a\xFF", "environment variable VISLANG_HOST: 'host' takes"},
    };
    static const struct {
        vl_setting flag;
        const char *message;
    } flags[] = {
        {{"prot", "1"}, "unknown setting 'prot'; did you mean 'port'?"},
        {{"model-cache-size", "x"}, "'model_cache_size' is not used by this version"},
        {{"port", ""}, "'port' takes a whole number"},
        {{"port", " 1"}, "'port' takes a whole number"},
    };
    vl_config *config;
    vl_error error;
    for (size_t i = 0; i < COUNT(variables); i++) {
        setenv(variables[i].variable, variables[i].value, 1);
        vl_status status = vl_config_load(NULL, NULL, 0, &config, &error);
        unsetenv(variables[i].variable);
        assert_int_equal(status, VL_ERR_USAGE);
        assert_memory_equal(error.message, variables[i].message, strlen(variables[i].message));
    }
    for (size_t i = 0; i < COUNT(flags); i++) {
        assert_int_equal(vl_config_load(NULL, &flags[i].flag, 1, &config, &error),
                         VL_ERR_USAGE);
        assert_memory_equal(error.message, flags[i].message, strlen(flags[i].message));
    }
}

/* Variables that other programs use too are a warning; ours that are read elsewhere nothing. */
static void test_environment_tolerated(void **state) {
    (void)state;
    vl_config *config;
    vl_error error;
    int log[2], saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(log), 0);
    dup2(log[1], STDERR_FILENO);
    setenv("MODEL_STORAGE_PATH", "/secret/models", 1);
    setenv("VISLANG_CPU", "avx2", 1);
    vl_status status = vl_config_load(NULL, NULL, 0, &config, &error);
    unsetenv("MODEL_STORAGE_PATH");
    unsetenv("VISLANG_CPU");
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(log[1]);
    char text[2000] = "";
    assert_true(read(log[0], text, sizeof text - 1) > 0);
    close(log[0]);
    assert_int_equal(status, VL_OK);
    assert_non_null(strstr(text, "\"variable\":\"MODEL_STORAGE_PATH\""));
    assert_null(strstr(text, "secret"));
    vl_config_free(config);
}

static void test_workers_are_bounded(void **state) {
    (void)state;
    static const vl_setting flags[] = {{"max_workers", "1"}};
    vl_config *config;
    vl_error error;
    assert_int_equal(vl_config_load(NULL, flags, 1, &config, &error), VL_OK);
    assert_int_equal(vl_config_int(config, "workers"), 1);
    vl_config_free(config);
}

/* docs/configuration.md holds the table as it is. */
static void test_documentation(void **state) {
    (void)state;
    vl_buf table, page;
    vl_buf_init(&table, 1 << 20);
    vl_buf_init(&page, 1 << 20);
    vl_config_describe(&table);
    assert_int_equal(vl_buf_status(&table, "table", NULL), VL_OK);
    assert_non_null(strstr(table.data, "| `cache_size_mb` | `cache.size_mb` | "
                                       "`VISLANG_CACHE_SIZE_MB`, `CACHE_SIZE_MB` | "));
    vl_status status =
        vl_file_read(TEST_SOURCE_DIR "/docs/configuration.md", 1 << 20, &page, NULL);
    assert_int_equal(status, VL_OK);
    if (!strstr(page.data, table.data))
        fail_msg("docs/configuration.md does not hold the table of settings, which is:\n%s",
                 table.data);
    vl_buf_deinit(&table);
    vl_buf_deinit(&page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_precedence_and_provenance),
        cmocka_unit_test(test_yaml_accepted),
        cmocka_unit_test(test_yaml_refused),
        cmocka_unit_test(test_yaml_bombs),
        cmocka_unit_test(test_environment_and_flags_refused),
        cmocka_unit_test(test_environment_tolerated),
        cmocka_unit_test(test_workers_are_bounded),
        cmocka_unit_test(test_documentation),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
