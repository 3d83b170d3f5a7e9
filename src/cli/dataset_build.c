/* dataset_build.c — `vislang dataset build`: collections, a recipe, and a dataset of them. */
#include "cli/cli.h"

#include <vislang/dataset.h>
#include <vislang/harvest.h>

#include <cJSON.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_JOBS = 256, PROGRESS_MS = 200, PATH_SIZE = 4096 };

static atomic_bool stop_asked;

static void ask_stop(int signal_number) {
    (void)signal_number;
    atomic_store(&stop_asked, true);
}

/* ---- what a collection gives ---------------------------------------------------------------
 */

typedef struct giving {
    const vl_build_query *query;
    vl_collection *collection;
    vl_build_document_fn give;
    void *to;
} giving;

/* Whether a time of RFC 3339 is at or past a date, or before its end. What has no time is of
 * no time that is asked for. */
static bool is_in_time(const vl_build_query *q, const char *published) {
    if (*q->since && strncmp(published, q->since, strlen(q->since)) < 0)
        return false;
    return !*q->until || (*published && strncmp(published, q->until, strlen(q->until)) <= 0);
}

static cJSON *provenance_json(const vl_holding *h) {
    const struct {
        const char *name, *value;
    } fields[] = {{"source", h->source},
                  {"key", h->key},
                  {"url", *h->final_url ? h->final_url : h->url},
                  {"asked_url", h->url},
                  {"page_url", h->page_url},
                  {"title", h->title},
                  {"name", h->name},
                  {"language", h->language},
                  {"publisher", h->publisher},
                  {"licence", h->licence},
                  {"terms", h->terms},
                  {"published", h->published},
                  {"changed", h->changed},
                  {"fetched", h->fetched},
                  {"countries", h->countries},
                  {"themes", h->themes},
                  {"disasters", h->disasters},
                  {"type", h->type},
                  {"type_said", h->type_said},
                  {"etag", h->etag},
                  {"last_modified", h->last_modified},
                  {"headers", h->headers}};
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].value && *fields[i].value)
            cJSON_AddStringToObject(json, fields[i].name, fields[i].value);
    cJSON_AddNumberToObject(json, "bytes", (double)h->bytes);
    if (h->status)
        cJSON_AddNumberToObject(json, "status", h->status);
    return json;
}

static vl_status give_holding(const vl_holding *holding, void *to, vl_error *error) {
    const giving *g = to;
    char path[PATH_SIZE], *record = NULL;
    if (holding->shown || !is_in_time(g->query, holding->published))
        return VL_OK;
    vl_status status =
        vl_collection_path(g->collection, holding->sha256, path, sizeof path, error);
    if (status)
        return status;
    cJSON *json = provenance_json(holding);
    char *provenance = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    if (asprintf(&record, "%s/%s", holding->source, holding->key) < 0)
        record = NULL;
    if (!provenance || !record) {
        cJSON_free(provenance);
        free(record);
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    vl_build_document document = {.id = holding->id,
                                  .record = record,
                                  .file = *holding->url ? holding->url : holding->name,
                                  .sha256 = holding->sha256,
                                  .path = path,
                                  .type = holding->type,
                                  .language = holding->language,
                                  .disaster = holding->disasters,
                                  .provenance = provenance,
                                  .current = holding->current};
    status = g->give(&document, g->to, error);
    cJSON_free(provenance);
    free(record);
    return status;
}

static vl_status documents(const vl_build_query *query, vl_build_document_fn give, void *to,
                           void *user, vl_error *error) {
    giving g = {.query = query, .give = give, .to = to};
    vl_holding_query asked = {.sources = query->sources,
                              .formats = query->formats,
                              .with_old = true,
                              .by_record = true};
    (void)user;
    vl_status status = vl_collection_open(query->collection, false, &g.collection, error);
    if (!status)
        status = vl_collection_holdings(g.collection, &asked, give_holding, &g, error);
    if (status)
        vl_error_prefix(error, "%s", query->collection);
    vl_collection_close(g.collection);
    return status;
}

/* Collections that pictures are asked of stay open. */
enum { COLLECTIONS_MAX = 64 };
typedef struct shelf {
    pthread_mutex_t mutex;
    struct {
        char path[PATH_SIZE];
        vl_collection *collection;
    } open[COLLECTIONS_MAX];
    size_t count;
} shelf;
/* What a build's callbacks know. */
typedef struct context {
    shelf shelf;
    int64_t shown_ns; /* when progress was, last; 0: never */
} context;

static vl_status find_open(shelf *s, const char *path, vl_collection **collection,
                           vl_error *error) {
    size_t i = 0;
    while (i < s->count && strcmp(s->open[i].path, path) != 0)
        i++;
    if (i == COLLECTIONS_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "more than %d collections", COLLECTIONS_MAX);
    if (i == s->count) {
        vl_status status = vl_collection_open(path, false, &s->open[i].collection, error);
        if (status)
            return status;
        snprintf(s->open[i].path, sizeof s->open[i].path, "%s", path);
        s->count++;
    }
    *collection = s->open[i].collection;
    return VL_OK;
}

static vl_status find_picture(const vl_build_document *document, const char *path,
                              const char *url, char *file, size_t size, void *user,
                              vl_error *error) {
    context *c = user;
    char sha256[VL_SHA256_HEX_SIZE];
    vl_collection *collection = NULL;
    *file = '\0';
    pthread_mutex_lock(&c->shelf.mutex);
    vl_status status = find_open(&c->shelf, path, &collection, error);
    pthread_mutex_unlock(&c->shelf.mutex);
    if (!status)
        status = vl_collection_find_picture(collection, document->id, url, sha256, error);
    if (!status)
        status = vl_collection_path(collection, sha256, file, size, error);
    return status == VL_ERR_MISSING ? VL_OK : status;
}

/* ---- what is said --------------------------------------------------------------------------
 */

static void show_progress(const vl_build_report *r, void *user) {
    context *c = user;
    if (c->shown_ns && r->chunks_done < r->chunks &&
        vl_clock_ms_since(c->shown_ns) < PROGRESS_MS)
        return;
    c->shown_ns = vl_clock_ns();
    fprintf(stderr,
            "\r\033[K%" PRIu64 " of %" PRIu64 " chunks, %" PRIu64 " documents, %" PRIu64
            " items",
            r->chunks_done, r->chunks, r->documents, r->made);
    fflush(stderr);
}

/* What a reader of the numbers might overlook. */
static void print_notes(const vl_build_report *r, const char *folder) {
    if (r->was_finished)
        fprintf(
            stderr,
            "vislang dataset: %s was finished before: nothing was done. What its collections "
            "hold since goes into another folder.\n",
            folder);
    for (int i = 0; i < VL_SPLIT_COUNT; i++)
        if (r->kept && !r->by_split[i])
            fprintf(
                stderr,
                "vislang dataset: nothing is in %s: documents go to splits whole, by chance, "
                "and these are few (the recipe's splits, seed)\n",
                vl_split_name((vl_split)i));
}

static void print_report(const vl_build_report *r, const char *folder) {
    printf("%s: %" PRIu64 " items of %" PRIu64 " documents in %.1f s\n", folder, r->kept,
           r->documents, r->seconds);
    for (int i = 0; i < VL_SPLIT_COUNT; i++)
        printf("  %-11s %10" PRIu64 "\n", vl_split_name((vl_split)i), r->by_split[i]);
    for (int i = 0; i < VL_ITEM_KIND_COUNT; i++)
        if (r->by_kind[i])
            printf("  %-11s %10" PRIu64 "\n", vl_item_kind_name((vl_item_kind)i),
                   r->by_kind[i]);
    printf("left out: %" PRIu64 " near-duplicates, %" PRIu64 " below min_quality_score\n",
           r->duplicates, r->poor);
    if (r->unread)
        printf("%" PRIu64 " documents could not be read:\n", r->unread);
    for (size_t i = 0; i < r->reason_count; i++)
        printf("  %6" PRIu64 "  %s\n", r->reasons[i].documents, r->reasons[i].reason);
}

static void print_json(const vl_build_report *r) {
    vl_buf json;
    vl_buf_init(&json, 1 << 20);
    vl_build_report_json(r, &json);
    puts(json.data ? json.data : "{}");
    vl_buf_deinit(&json);
}

/* ---- the command ---------------------------------------------------------------------------
 */

static vl_status build(const cli_args *args, const vl_config *config, context *c,
                       vl_error *error) {
    vl_build_options options = vl_build_options_default();
    vl_build_report report;
    long jobs = 0;
    options.recipe = cli_value(args, "recipe");
    options.folder = cli_value(args, "out");
    options.tessdata = vl_config_string(config, "tessdata");
    options.ocr_engines = vl_config_string(config, "ocr_engines");
    options.queue = cli_value(args, "queue") ? cli_value(args, "queue") : "";
    options.lease_seconds = vl_config_number(config, "job_lease");
    options.documents = documents;
    options.picture = find_picture;
    options.user = c;
    options.cancel = &stop_asked;
    if (!options.recipe || !options.folder)
        return vl_fail(error, VL_ERR_USAGE,
                       "vislang dataset build --recipe RECIPE.yaml --out FOLDER");
    vl_status status = cli_value_int(args, "jobs", 1, MAX_JOBS, &jobs, error);
    options.jobs = (size_t)jobs;
    if (isatty(STDERR_FILENO))
        options.progress = show_progress;
    struct sigaction action = {.sa_handler = ask_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!status)
        status = vl_dataset_build(&options, &report, error);
    if (c->shown_ns)
        fputc('\n', stderr);
    if (!status)
        print_notes(&report, options.folder);
    if (!status && cli_has(args, "json"))
        print_json(&report);
    else if (!status)
        print_report(&report, options.folder);
    return status;
}

int cli_dataset_build(const cli_args *args) {
    vl_error error = {0};
    vl_config *config = NULL;
    context *c = calloc(1, sizeof *c);
    vl_status status =
        c ? cli_config(args, &config, &error) : vl_fail(&error, VL_ERR_MEMORY, "out of memory");
    if (!status) {
        pthread_mutex_init(&c->shelf.mutex, NULL);
        status = build(args, config, c, &error);
    }
    for (size_t i = 0; c && i < c->shelf.count; i++)
        vl_collection_close(c->shelf.open[i].collection);
    free(c);
    vl_config_free(config);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
