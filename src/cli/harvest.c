/* harvest.c — `vislang harvest`: from a source into a collection; what a collection holds. */
#include "cli/cli.h"

#include <vislang/harvest.h>

#include <cJSON.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_RECORDS = 1000000000, TEXT_MAX = 64 << 20, PROGRESS_MS = 200, ADDRESS_SIZE = 4200 };

static atomic_bool stop_asked;

static void ask_stop(int signal_number) {
    (void)signal_number;
    atomic_store(&stop_asked, true);
}

/* ---- sources ----------------------------------------------------------------------------- */

static void print_source(const char *name, const char *title, const char *summary, void *to) {
    (void)to;
    printf("%-14s %s\n               %s\n", name, title, summary);
}

static void add_source(const char *name, const char *title, const char *summary, void *to) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", name);
    cJSON_AddStringToObject(item, "title", title);
    cJSON_AddStringToObject(item, "summary", summary);
    cJSON_AddItemToArray(to, item);
}

static int list_sources(const cli_args *args) {
    if (!cli_has(args, "json")) {
        vl_harvest_sources(print_source, NULL);
        return cli_finish_stdout(args, 0);
    }
    cJSON *list = cJSON_CreateArray();
    vl_harvest_sources(add_source, list);
    char *text = cJSON_PrintUnformatted(list);
    puts(text ? text : "[]");
    cJSON_free(text);
    cJSON_Delete(list);
    return cli_finish_stdout(args, 0);
}

/* ---- what a collection holds ------------------------------------------------------------- */

static const char *text_of(const cJSON *row, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(row, name));
    return text && *text ? text : "-";
}

static double number_of(const cJSON *row, const char *name) {
    const cJSON *item = cJSON_GetObjectItem(row, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static void print_rows(const cJSON *all, const char *list, const char *what) {
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(all, list))
        printf("  %-14s %-40s %10.0f %12.0f bytes\n", text_of(row, "source"),
               text_of(row, what), number_of(row, "documents"), number_of(row, "bytes"));
}

static void print_status(const cJSON *all) {
    const cJSON *row;
    printf("%.0f documents, %.0f contents, %.0f bytes\n", number_of(all, "documents"),
           number_of(all, "contents"), number_of(all, "bytes"));
    puts("records");
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(all, "sources"))
        printf("  %-14s %10.0f\n", text_of(row, "source"), number_of(row, "records"));
    puts("files");
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(all, "files"))
        printf("  %-14s %-40s %10.0f\n", text_of(row, "source"), text_of(row, "state"),
               number_of(row, "files"));
    puts("languages, as stated");
    print_rows(all, "languages", "language");
    puts("types, by content");
    print_rows(all, "types", "type");
    if (cJSON_GetArraySize(cJSON_GetObjectItem(all, "failures")))
        puts("failures");
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(all, "failures"))
        printf("  %-14s %-16s %6.0f  %s\n", text_of(row, "source"), text_of(row, "reason"),
               number_of(row, "files"), text_of(row, "example"));
    puts("last runs");
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(all, "harvests"))
        printf("  %-14s %-9s %s  %s\n", text_of(row, "source"), text_of(row, "state"),
               text_of(row, "started"), text_of(row, "query"));
}

static int show_status(const cli_args *args, const char *folder) {
    vl_error error;
    vl_collection *collection;
    vl_buf json;
    vl_buf_init(&json, TEXT_MAX);
    vl_status status = vl_collection_open(folder, false, &collection, &error);
    if (!status)
        status = vl_collection_status(collection, &json, &error);
    if (!status)
        status = vl_buf_status(&json, "what a collection holds", &error);
    if (!status && cli_has(args, "json")) {
        puts(json.data);
    } else if (!status) {
        cJSON *all = cJSON_Parse(json.data);
        print_status(all);
        cJSON_Delete(all);
    }
    vl_collection_close(collection);
    vl_buf_deinit(&json);
    return status ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
}

/* ---- progress ---------------------------------------------------------------------------- */

typedef struct progress {
    int64_t last_ns;
    bool shown;
} progress;

static void show_progress(const vl_harvest_report *r, void *user) {
    progress *p = user;
    if (p->shown && vl_clock_ms_since(p->last_ns) < PROGRESS_MS)
        return;
    p->shown = true;
    p->last_ns = vl_clock_ns();
    fprintf(stderr,
            "\r\033[K%s: %" PRIu64 " records, %" PRIu64 " files fetched, %" PRIu64
            " unchanged, %" PRIu64 " failed, %.1f MB",
            r->source, r->records_new + r->records_changed + r->records_same, r->files_fetched,
            r->files_unchanged, r->files_failed, (double)r->bytes / (1 << 20));
    fflush(stderr);
}

/* ---- harvesting -------------------------------------------------------------------------- */

/* The operand is the address of the source; without --source it also says which one it is. */
static const char *source_of(const cli_args *args) {
    const char *named = cli_value(args, "source");
    if (named || !args->operand_count)
        return named;
    const char *place = args->operands[0];
    return !strncmp(place, "http://", 7) || !strncmp(place, "https://", 8) ? "site" : "dir";
}

static vl_status check_usage(const cli_args *args, vl_error *error) {
    if (args->operand_count > 1)
        return vl_fail(error, VL_ERR_USAGE, "one folder, archive or site at a time");
    if (!cli_value(args, "out"))
        return vl_fail(error, VL_ERR_USAGE, "name the collection's folder: --out DIR");
    if (cli_has(args, "status") || source_of(args))
        return VL_OK;
    return vl_fail(error, VL_ERR_USAGE,
                   "name a source: --source NAME (--list-sources), or a folder or archive");
}

/* Settings, with the operand as the source's address in front of what --set says. */
static vl_status load_config(const cli_args *args, vl_config **config, vl_error *error) {
    static const cli_flag set = {.name = "set"};
    char address[ADDRESS_SIZE];
    cli_args with = *args;
    if (!args->operand_count)
        return cli_config(args, config, error);
    if (args->given_count == CLI_MAX_FLAGS ||
        snprintf(address, sizeof address, "harvest_%s_url=%s", source_of(args),
                 args->operands[0]) >= (int)sizeof address)
        return vl_fail(error, VL_ERR_USAGE, "the address is too long");
    for (char *c = address; (c = strchr(c, '-')) && c < strchr(address, '=');)
        *c = '_';
    memmove(with.given + 1, with.given, args->given_count * sizeof with.given[0]);
    with.given[0].flag = &set;
    with.given[0].value = address;
    with.given_count++;
    return cli_config(&with, config, error);
}

static vl_status fill_options(const cli_args *args, const vl_config *config,
                              vl_harvest_options *o, vl_error *error) {
    long limit = 0;
    *o = vl_harvest_options_default();
    o->source = source_of(args);
    o->config = config;
    o->cancel = &stop_asked;
    o->min_free = (uint64_t)vl_config_int(config, "harvest_min_free");
    o->query = (vl_harvest_query){.languages = cli_value(args, "lang"),
                                  .countries = cli_value(args, "country"),
                                  .themes = cli_value(args, "theme"),
                                  .formats = cli_value(args, "formats"),
                                  .words = cli_value(args, "query"),
                                  .since = cli_value(args, "since"),
                                  .until = cli_value(args, "until")};
    vl_status status = cli_value_int(args, "limit", 1, MOST_RECORDS, &limit, error);
    o->query.limit = (uint64_t)limit;
    return status;
}

static void print_report(const cli_args *args, const vl_harvest_report *report) {
    vl_buf text;
    vl_buf_init(&text, TEXT_MAX);
    if (cli_has(args, "json")) {
        vl_harvest_report_json(report, &text);
        vl_buf_puts(&text, "\n");
    } else {
        vl_harvest_report_text(report, &text);
    }
    if (text.data)
        fputs(text.data, stdout);
    vl_buf_deinit(&text);
}

/* What was kept is told also when it ended badly. */
static int harvest(const cli_args *args, const vl_config *config, vl_error *error) {
    vl_harvest_options options;
    vl_harvest_report report = {.resumed = false};
    vl_collection *collection = NULL;
    progress shown = {.shown = false};
    struct sigaction action = {.sa_handler = ask_stop};
    vl_status status = fill_options(args, config, &options, error);
    if (isatty(STDERR_FILENO) && !cli_has(args, "quiet")) {
        options.progress = show_progress;
        options.user = &shown;
    }
    if (!status)
        status = vl_collection_open(cli_value(args, "out"), true, &collection, error);
    if (!status) {
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        status = vl_harvest_run(collection, &options, &report, error);
    }
    if (shown.shown)
        fputs("\r\033[K", stderr);
    if (report.pages || report.resumed || !status)
        print_report(args, &report);
    vl_collection_close(collection);
    return status ? cli_fail(args, error) : cli_finish_stdout(args, 0);
}

int cli_harvest(const cli_args *args) {
    vl_error error;
    vl_config *config = NULL;
    if (cli_has(args, "list-sources"))
        return list_sources(args);
    vl_status status = check_usage(args, &error);
    if (!status && cli_has(args, "status"))
        return show_status(args, cli_value(args, "out"));
    if (!status)
        status = load_config(args, &config, &error);
    int code = status ? cli_fail(args, &error) : harvest(args, config, &error);
    vl_config_free(config);
    return code;
}
