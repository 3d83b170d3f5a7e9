/* pages.c — asks one source for pages and prints what its adapter gives, as JSON lines:
 *
 *   pages SOURCE [--cursor C] [--pages N] [--interval SECONDS] [--set SETTING=VALUE]…
 *         [--languages L] [--countries C] [--themes T] [--formats F] [--words W]
 *         [--since D] [--until D] [--limit N]
 *
 * {"record":{…}} for each record, {"next":"CURSOR"} after each page ("": there are no more), at
 * the end {"error":…,"message":…} where there was one and {"requests":N,"waited":SECONDS}.
 * Waits are counted and not waited. The source may lie on this machine, and robots.txt is no
 * matter of interfaces. */
#include "harvest/json.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETTINGS_MAX = 32, ARENA_MAX = 256 << 20 };

static _Atomic int64_t skipped; /* nanoseconds that nobody waited */

static int64_t clock_now(void *user) {
    (void)user;
    return 1 + skipped;
}
static void clock_wait(void *user, int64_t ns) {
    (void)user;
    skipped += ns;
}
static const vl_polite_clock quick = {clock_now, clock_wait, NULL};

/* ---- what is printed --------------------------------------------------------------------- */

static void put(cJSON *to, const char *name, const char *text) {
    if (text)
        cJSON_AddStringToObject(to, name, text);
}

static void print(cJSON *line) {
    char *text = cJSON_PrintUnformatted(line);
    printf("%s\n", text);
    cJSON_free(text);
    cJSON_Delete(line);
}

static cJSON *file_as_json(const vl_record_file *f) {
    cJSON *file = cJSON_CreateObject();
    put(file, "url", f->url);
    put(file, "type", f->type);
    put(file, "name", f->name);
    put(file, "language", f->language);
    put(file, "version", f->version);
    if (f->body && vl_utf8_valid_prefix(f->body, f->body_bytes) == f->body_bytes) {
        char *body = strndup(f->body, f->body_bytes);
        put(file, "body", body);
        free(body);
    } else if (f->body) {
        cJSON_AddNumberToObject(file, "body_bytes", (double)f->body_bytes);
    }
    if (f->answer)
        cJSON_AddNumberToObject(file, "status", f->answer->status);
    if (f->bytes)
        cJSON_AddNumberToObject(file, "bytes", (double)f->bytes);
    return file;
}

static vl_status give(const vl_record *r, void *to, vl_error *error) {
    cJSON *line = cJSON_CreateObject(), *record = cJSON_AddObjectToObject(line, "record");
    const struct {
        const char *name, *value;
    } rows[] = {
        {"key", r->key},
        {"title", r->title},
        {"url", r->url},
        {"language", r->language},
        {"published", r->published},
        {"changed", r->changed},
        {"licence", r->licence},
        {"terms", r->terms},
        {"publisher", r->publisher},
        {"countries", r->countries},
        {"themes", r->themes},
        {"disasters", r->disasters},
        {"raw", r->raw},
    };
    (void)to, (void)error;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put(record, rows[i].name, rows[i].value);
    cJSON *files = cJSON_AddArrayToObject(record, "files");
    for (size_t i = 0; i < r->file_count; i++)
        cJSON_AddItemToArray(files, file_as_json(&r->files[i]));
    print(line);
    return VL_OK;
}

/* ---- what is asked ----------------------------------------------------------------------- */

typedef struct asked {
    vl_harvest_query query;
    vl_setting settings[SETTINGS_MAX];
    size_t setting_count;
    const char *cursor;
    long pages;
    double interval; /* between two requests */
} asked;

static void take_setting(asked *a, char *text) {
    char *sign = strchr(text, '=');
    if (!sign || a->setting_count == SETTINGS_MAX)
        exit(2);
    *sign = '\0';
    a->settings[a->setting_count++] = (vl_setting){text, sign + 1};
}

static void take_option(asked *a, const char *name, char *value) {
    const struct {
        const char *name, **to;
    } rows[] = {
        {"--languages", &a->query.languages}, {"--countries", &a->query.countries},
        {"--themes", &a->query.themes},       {"--formats", &a->query.formats},
        {"--words", &a->query.words},         {"--since", &a->query.since},
        {"--until", &a->query.until},         {"--cursor", &a->cursor},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, name)) {
            *rows[i].to = value;
            return;
        }
    if (!strcmp(name, "--set"))
        take_setting(a, value);
    else if (!strcmp(name, "--pages"))
        a->pages = atol(value);
    else if (!strcmp(name, "--limit"))
        a->query.limit = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--interval"))
        a->interval = strtod(value, NULL);
    else
        exit(2);
}

static vl_status open_net(double interval, vl_polite **net, vl_error *error) {
    vl_polite_options options = vl_polite_options_default();
    options.clock = &quick;
    options.interval = interval;
    options.rules.seconds = 10;
    vl_status status = vl_networks_parse("127.0.0.0/8, ::1", &options.rules.networks, error);
    return status ? status : vl_polite_new(&options, net, error);
}

static vl_status fetch_pages(const vl_source *source, const vl_source_call *call,
                             const asked *a, vl_error *error) {
    vl_buf next;
    char *cursor = strdup(a->cursor);
    vl_status status = source->check(call, error);
    vl_buf_init(&next, 4096);
    for (long page = 0; !status && page < a->pages; page++) {
        vl_arena_reset(call->arena);
        vl_buf_clear(&next);
        status = source->page(call, cursor, &next, error);
        if (status)
            break;
        cJSON *line = cJSON_CreateObject();
        put(line, "next", next.data ? next.data : "");
        print(line);
        free(cursor);
        cursor = strdup(next.data ? next.data : "");
        if (!*cursor)
            break;
    }
    free(cursor);
    vl_buf_deinit(&next);
    return status;
}

static void print_end(vl_polite *net, vl_status status, const vl_error *error) {
    if (status) {
        cJSON *line = cJSON_CreateObject();
        put(line, "error", vl_status_name(status));
        put(line, "message", error->message);
        print(line);
    }
    if (net) {
        vl_polite_counts counts = vl_polite_count(net);
        cJSON *line = cJSON_CreateObject();
        cJSON_AddNumberToObject(line, "requests", (double)counts.requests);
        cJSON_AddNumberToObject(line, "waited", counts.waited);
        print(line);
    }
}

int main(int argc, char **argv) {
    asked a = {
        .query = {"", "", "", "", "", "", "", 0}, .cursor = "", .pages = 1000, .interval = 1};
    const vl_source *source = NULL;
    vl_config *config = NULL;
    vl_polite *net = NULL;
    void *kept = NULL;
    vl_error error;
    vl_arena *arena = vl_arena_new(ARENA_MAX);
    if (argc % 2)
        return 2;
    for (int i = 2; i < argc; i += 2)
        take_option(&a, argv[i], argv[i + 1]);
    vl_status status = vl_source_find(argv[1], &source, &error);
    if (!status)
        status = vl_config_load(NULL, a.settings, a.setting_count, &config, &error);
    if (!status)
        status = open_net(a.interval, &net, &error);
    if (!status) {
        vl_source_call call = {&a.query, config, net, arena, give, NULL, &kept};
        status = fetch_pages(source, &call, &a, &error);
        if (kept && source->forget)
            source->forget(kept);
    }
    print_end(net, status, &error);
    vl_polite_free(net);
    vl_config_free(config);
    vl_arena_free(arena);
    return vl_status_exit_code(status);
}
