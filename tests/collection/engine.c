/* The engine of `vislang harvest` with one source of its own, whose pages are JSON of this
 * shape: {"next": "2", "records": [{"key", "title", "url", "changed", "language", "licence",
 * "files":
 * [{"url", "type", "version", "name", "body"}]}]}.
 *
 *   harvest_engine run OUT URL [NAME=VALUE…]   settings, and limit, formats, since, languages
 *   harvest_engine picture OUT ID ADDRESS      the content that a page shows
 *   harvest_engine list OUT [after=ID] [old=1] [formats=LIST] [records=N] [behind=KEY]
 *
 * This file stands in the place of the table of sources. */
#include "harvest/json.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *address;
static atomic_bool stop_asked;

/* ---- the source -------------------------------------------------------------------------- */

static vl_status paged_check(const vl_source_call *call, vl_error *error) {
    return call->query->words
               ? vl_fail(error, VL_ERR_USAGE, "the source paged has nothing to search in")
               : VL_OK;
}

static void read_file(vl_arena *arena, const cJSON *json, vl_record_file *file) {
    *file = (vl_record_file){.url = vl_json_text(arena, json, "url"),
                             .type = vl_json_text(arena, json, "type"),
                             .version = vl_json_text(arena, json, "version"),
                             .name = vl_json_text(arena, json, "name"),
                             .body = vl_json_text(arena, json, "body")};
    file->body_bytes = file->body ? strlen(file->body) : 0;
}

static vl_status give(const vl_source_call *call, const cJSON *json, vl_error *error) {
    const cJSON *list = vl_json_at(json, "files"), *item;
    size_t count = (size_t)cJSON_GetArraySize(list), i = 0;
    vl_record_file *files = vl_arena_array(call->arena, count + 1, sizeof *files);
    if (!files)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for files");
    cJSON_ArrayForEach(item, list) read_file(call->arena, item, &files[i++]);
    vl_record record = {.key = vl_json_text(call->arena, json, "key"),
                        .title = vl_json_text(call->arena, json, "title"),
                        .url = vl_json_text(call->arena, json, "url"),
                        .changed = vl_json_time(call->arena, json, "changed"),
                        .language = vl_json_text(call->arena, json, "language"),
                        .licence = vl_json_text(call->arena, json, "licence"),
                        .raw = vl_json_raw(call->arena, json),
                        .files = files,
                        .file_count = count};
    return call->give(&record, call->to, error);
}

static vl_status paged_page(const vl_source_call *call, const char *cursor, vl_buf *next,
                            vl_error *error) {
    cJSON *root = NULL;
    const cJSON *item;
    vl_polite_request request = {
        .url = vl_arena_printf(call->arena, "%s/page?cursor=%s&since=%s", address, cursor,
                               call->query->since ? call->query->since : ""),
        .api = true};
    vl_status status = request.url ? vl_json_get(call, &request, &root, error)
                                   : vl_fail(error, VL_ERR_MEMORY, "no memory for a URL");
    if (!status)
        cJSON_ArrayForEach(item, vl_json_at(root, "records")) {
            status = give(call, item, error);
            if (status)
                break;
        }
    const char *behind = status ? NULL : vl_json_text(call->arena, root, "next");
    if (behind)
        vl_buf_puts(next, behind);
    cJSON_Delete(root);
    return status;
}

static const vl_source paged = {.name = "paged",
                                .title = "Pages of JSON",
                                .summary = "for tests",
                                .check = paged_check,
                                .page = paged_page};
const vl_source *const vl_sources[] = {&paged, NULL};

vl_status vl_source_find(const char *name, const vl_source **source, vl_error *error) {
    *source = &paged;
    return strcmp(name, "paged") ? vl_fail(error, VL_ERR_USAGE, "no source %s", name) : VL_OK;
}

/* ---- run --------------------------------------------------------------------------------- */

static void ask_stop(int signal_number) {
    (void)signal_number;
    atomic_store(&stop_asked, true);
}

/* "limit=5" and the like are of the query; everything else is a setting. */
static bool take_word(vl_harvest_query *query, const char *name, const char *value) {
    const struct {
        const char *name, **to;
    } words[] = {{"formats", &query->formats},
                 {"since", &query->since},
                 {"languages", &query->languages},
                 {"words", &query->words}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i].name, name)) {
            *words[i].to = value;
            return true;
        }
    if (strcmp(name, "limit") != 0)
        return false;
    query->limit = strtoull(value, NULL, 10);
    return true;
}

static vl_status configure(int count, char **words, vl_harvest_options *options,
                           vl_config **config, vl_error *error) {
    enum { MOST = 32 };
    vl_setting settings[MOST] = {{"harvest_networks", "127.0.0.0/8"},
                                 {"harvest_interval", "0"},
                                 {"harvest_tries", "1"},
                                 {"harvest_min_free", "0"}};
    size_t used = 4;
    for (int i = 0; i < count && used < MOST; i++) {
        char *equals = strchr(words[i], '=');
        if (!equals)
            return vl_fail(error, VL_ERR_USAGE, "NAME=VALUE, not %s", words[i]);
        *equals = '\0';
        if (!take_word(&options->query, words[i], equals + 1))
            settings[used++] = (vl_setting){words[i], equals + 1};
    }
    vl_status status = vl_config_load(NULL, settings, used, config, error);
    if (!status)
        options->min_free = (uint64_t)vl_config_int(*config, "harvest_min_free");
    options->config = *config;
    return status;
}

static vl_status run(const char *folder, int count, char **words, vl_error *error) {
    vl_collection *collection = NULL;
    vl_config *config = NULL;
    vl_harvest_report report = {.resumed = false};
    vl_harvest_options options = vl_harvest_options_default();
    struct sigaction action = {.sa_handler = ask_stop};
    vl_buf text;
    vl_buf_init(&text, 1 << 20);
    sigaction(SIGTERM, &action, NULL);
    options.source = "paged";
    options.cancel = &stop_asked;
    vl_status status = configure(count, words, &options, &config, error);
    if (!status)
        status = vl_collection_open(folder, true, &collection, error);
    if (!status)
        status = vl_harvest_run(collection, &options, &report, error);
    vl_harvest_report_json(&report, &text);
    puts(text.data ? text.data : "");
    vl_buf_deinit(&text);
    vl_collection_close(collection);
    vl_config_free(config);
    return status;
}

/* ---- list -------------------------------------------------------------------------------- */

static vl_status print_holding(const vl_holding *h, void *to, vl_error *error) {
    (void)error;
    cJSON *json = cJSON_CreateObject();
    const struct {
        const char *name, *value;
    } words[] = {{"source", h->source},
                 {"key", h->key},
                 {"title", h->title},
                 {"language", h->language},
                 {"licence", h->licence},
                 {"url", h->url},
                 {"final_url", h->final_url},
                 {"type", h->type},
                 {"type_said", h->type_said},
                 {"etag", h->etag},
                 {"last_modified", h->last_modified},
                 {"headers", h->headers},
                 {"fetched", h->fetched},
                 {"sha256", h->sha256},
                 {"raw", h->raw}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        cJSON_AddStringToObject(json, words[i].name, words[i].value);
    cJSON_AddNumberToObject(json, "id", (double)h->id);
    cJSON_AddNumberToObject(json, "bytes", (double)h->bytes);
    cJSON_AddNumberToObject(json, "status", h->status);
    cJSON_AddBoolToObject(json, "current", h->current);
    cJSON_AddBoolToObject(json, "shown", h->shown);
    char *text = cJSON_PrintUnformatted(json);
    puts(text);
    cJSON_free(text);
    cJSON_Delete(json);
    ++*(size_t *)to;
    return VL_OK;
}

/* "records=0" and "behind=KEY" list by record. */
static void ask(const char *word, vl_holding_query *query) {
    if (!strncmp(word, "after=", 6)) {
        query->after = strtoll(word + 6, NULL, 10);
    } else if (!strncmp(word, "formats=", 8)) {
        query->formats = word + 8;
    } else if (!strncmp(word, "records=", 8)) {
        query->by_record = true;
        query->records = strtoull(word + 8, NULL, 10);
    } else if (!strncmp(word, "behind=", 7)) {
        query->by_record = true;
        query->after_source = paged.name;
        query->after_key = word + 7;
    } else {
        query->with_old = !strcmp(word, "old=1");
    }
}

static vl_status list(const char *folder, int count, char **words, vl_error *error) {
    vl_collection *collection;
    vl_holding_query query = {.after = 0};
    size_t given = 0;
    for (int i = 0; i < count; i++)
        ask(words[i], &query);
    vl_status status = vl_collection_open(folder, false, &collection, error);
    if (!status)
        status = vl_collection_holdings(collection, &query, print_holding, &given, error);
    vl_collection_close(collection);
    return status;
}

static vl_status picture(const char *folder, const char *id, const char *shown,
                         vl_error *error) {
    vl_collection *collection;
    char sha256[VL_SHA256_HEX_SIZE];
    vl_status status = vl_collection_open(folder, false, &collection, error);
    if (!status)
        status =
            vl_collection_find_picture(collection, strtoll(id, NULL, 10), shown, sha256, error);
    if (!status)
        puts(sha256);
    vl_collection_close(collection);
    return status;
}

int main(int argc, char **argv) {
    vl_error error;
    vl_status status = VL_ERR_USAGE;
    vl_fail(&error, VL_ERR_USAGE, "run OUT URL [NAME=VALUE…] | list OUT [after=ID]");
    if (argc > 3 && !strcmp(argv[1], "run")) {
        address = argv[3];
        status = run(argv[2], argc - 4, argv + 4, &error);
    } else if (argc > 2 && !strcmp(argv[1], "list")) {
        status = list(argv[2], argc - 3, argv + 3, &error);
    } else if (argc == 5 && !strcmp(argv[1], "picture")) {
        status = picture(argv[2], argv[3], argv[4], &error);
    }
    if (status)
        fprintf(stderr, "%s: %s\n", vl_status_name(status), error.message);
    return vl_status_exit_code(status);
}
