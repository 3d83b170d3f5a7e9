/* harvest.c — one source into a collection (vislang/harvest.h).
 *
 * This thread asks for one page after another and keeps each, with the cursor behind it, in one
 * transaction. Meanwhile workers take files that wait, one host to a worker, so that a host
 * never gets two requests at once and many hosts are asked together; each file's content is on
 * disk before the transaction that says so. Whatever is killed is therefore a page or a file
 * that was not finished, and is begun again.
 *
 *   vl_harvest_run     in this order: prepare, work, finish
 *   page_through       pages → records
 *   give               a record of a page
 *   work               a worker: lease a host, fetch its files
 *   fetch_file         one file, and what became of it
 *   read_pages         the pictures of pages that were kept become files that wait */
#include "harvest/collection.h"

#include "base/settings.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_HOSTS = 32,
    FILES_AT_ONCE = 16, /* of a host, before another one has its turn */
    PAGE_MAX = 512 << 20,
    NEXT_MAX = 1 << 20,
    RESTING_MAX = 1 << 20,
    KEPT_HEADERS_MAX = 16 << 10,
};

typedef struct engine {
    vl_collection *collection;
    const vl_harvest_options *options;
    const vl_source *source;
    vl_harvest_query query; /* with the since of the run */
    vl_object_rules rules;
    vl_polite *net;
    vl_run run;
    int lock_file;
    /* the page in work */
    vl_arena *arena;
    vl_kept_record *records;
    size_t record_count, record_room;
    bool limited;
    /* what the threads share */
    pthread_mutex_t lock, reading; /* reading: who reads pages, one at a time */
    pthread_cond_t changed;
    bool is_paging, stopping;
    vl_error failure; /* why they stop */
    char busy[MOST_HOSTS][VL_HOST_SIZE];
    char last[VL_HOST_SIZE]; /* the host that was lent last */
    bool wants_pictures;     /* of pages; set before the threads begin */
    vl_buf resting;          /* hosts that want us to come back later, "host\n" */
} engine;

vl_harvest_options vl_harvest_options_default(void) {
    return (vl_harvest_options){.hosts = 4, .attempts = 4, .min_free = UINT64_C(256) << 20};
}

static bool is_cancelled(const engine *e) {
    return e->options->cancel && atomic_load(e->options->cancel);
}

/* ---- stopping --------------------------------------------------------------------------- */

static void stop(engine *e, const vl_error *why) {
    pthread_mutex_lock(&e->lock);
    if (!e->stopping)
        e->failure = *why;
    e->stopping = true;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

static bool is_stopping(engine *e) {
    pthread_mutex_lock(&e->lock);
    bool stopping = e->stopping;
    pthread_mutex_unlock(&e->lock);
    return stopping || is_cancelled(e);
}

static bool ask_stop(void *user) {
    return is_stopping(user);
}

/* Whether nothing else can go well after it, either. */
static bool is_fatal(vl_status status) {
    return status == VL_ERR_IO || status == VL_ERR_MEMORY || status == VL_ERR_INTERNAL;
}

static void tell(engine *e) {
    if (!e->options->progress)
        return;
    vl_polite_counts counts = vl_polite_count(e->net);
    e->run.report.requests = counts.requests;
    e->run.report.waited = counts.waited;
    e->options->progress(&e->run.report, e->options->user);
}

/* ---- hosts ------------------------------------------------------------------------------ */

static bool is_resting(const engine *e, const char *host) {
    size_t length = strlen(host);
    for (const char *line = e->resting.data; line && *line;) {
        size_t bytes = strcspn(line, "\n");
        if (bytes == length && !memcmp(line, host, length))
            return true;
        line += bytes + (line[bytes] == '\n');
    }
    return false;
}

static bool is_lent(const engine *e, const char *host) {
    for (size_t i = 0; i < MOST_HOSTS; i++)
        if (!strcmp(e->busy[i], host))
            return true;
    return false;
}

/* The next host after the last one, in their order and round; "" none. */
static vl_status next_host(engine *e, char host[VL_HOST_SIZE], vl_error *error) {
    char after[VL_HOST_SIZE], first[VL_HOST_SIZE] = "";
    bool round = false;
    snprintf(after, sizeof after, "%s", e->last);
    for (;;) {
        vl_status status = vl_queue_host(e->collection, e->source->name, after, host, error);
        if (status)
            return status;
        if (!*host) {
            if (round || !*e->last)
                return VL_OK;
            round = true;
            after[0] = '\0';
            continue;
        }
        if (round && strcmp(host, e->last) > 0) {
            host[0] = '\0';
            return VL_OK;
        }
        if (!is_lent(e, host) && !is_resting(e, host))
            return VL_OK;
        snprintf(first, sizeof first, "%s", host);
        snprintf(after, sizeof after, "%s", first);
    }
}

/* Whether more files may come: pages that are fetched now show pictures. */
static bool may_be_more(const engine *e) {
    bool any = e->is_paging;
    for (size_t i = 0; i < MOST_HOSTS && e->wants_pictures; i++)
        any |= *e->busy[i] != '\0';
    return any;
}

static void wait_a_moment(engine *e) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 200000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&e->changed, &e->lock, &until);
}

/* A host that files wait for and nobody asks; false: there is nothing left to do. */
static bool lease(engine *e, size_t worker, vl_error *error) {
    char host[VL_HOST_SIZE] = "";
    vl_status status = VL_OK;
    pthread_mutex_lock(&e->lock);
    while (!e->stopping && !is_cancelled(e)) {
        status = next_host(e, host, error);
        if (status || *host || !may_be_more(e))
            break;
        wait_a_moment(e);
    }
    bool leased = !status && *host && !e->stopping && !is_cancelled(e);
    if (leased) {
        snprintf(e->busy[worker], VL_HOST_SIZE, "%s", host);
        snprintf(e->last, VL_HOST_SIZE, "%s", host);
    }
    pthread_mutex_unlock(&e->lock);
    if (status)
        stop(e, error);
    return leased;
}

static void give_back(engine *e, size_t worker, bool rests) {
    pthread_mutex_lock(&e->lock);
    if (rests)
        vl_buf_printf(&e->resting, "%s\n", e->busy[worker]);
    e->busy[worker][0] = '\0';
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

/* ---- a file ----------------------------------------------------------------------------- */

/* Of the answer's headers those that say something of the document, its rights or its age. */
static void keep_headers(const vl_fetch_reply *reply, vl_buf *out) {
    static const char *const names[] = {"content-type",
                                        "content-length",
                                        "content-language",
                                        "content-disposition",
                                        "last-modified",
                                        "etag",
                                        "date",
                                        "cache-control",
                                        "expires",
                                        "link",
                                        "license",
                                        "x-robots-tag",
                                        "tdm-reservation",
                                        "tdm-policy"};
    char value[2048];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (vl_fetch_header(reply, names[i], value, sizeof value) &&
            vl_utf8_valid_prefix(value, strlen(value)) == strlen(value))
            vl_buf_printf(out, "%s: %s\n", names[i], value);
}

typedef struct fetched {
    vl_outcome outcome;
    vl_fetch_reply reply;
    vl_buf headers;
    char etag[512], modified[128], type[256];
} fetched;

static void describe(fetched *f) {
    keep_headers(&f->reply, &f->headers);
    vl_outcome *o = &f->outcome;
    o->status = f->reply.status;
    o->final_url = f->reply.url;
    o->headers = f->headers.data;
    if (vl_fetch_header(&f->reply, "etag", f->etag, sizeof f->etag))
        o->etag = f->etag;
    if (vl_fetch_header(&f->reply, "last-modified", f->modified, sizeof f->modified))
        o->modified = f->modified;
    if (vl_fetch_header(&f->reply, "content-type", f->type, sizeof f->type))
        o->type_said = f->type;
}

/* The content that came: kept, or left when it is of none of the formats. `said`: what type
 * the server, or else the source says; `url`: whose it is. Both may be NULL. */
static vl_status take_content(vl_object_writer *writer, const char *formats, const char *said,
                              const char *url, vl_outcome *outcome, vl_error *error) {
    vl_object_writer_look(writer, &outcome->content);
    outcome->content.type = vl_content_table(outcome->content.type, said, url);
    bool is_empty = !outcome->content.bytes;
    outcome->kind = VL_OUTCOME_LEFT;
    if (is_empty || !vl_list_has(formats, vl_content_format(outcome->content.type))) {
        vl_object_writer_abandon(writer);
        if (!is_empty)
            return VL_OK;
        vl_fail(error, VL_ERR_INPUT, "it is empty");
        vl_outcome_fail(outcome, error, 0);
        return VL_OK;
    }
    outcome->kind = VL_OUTCOME_FETCHED;
    vl_status status = vl_object_writer_commit(writer, &outcome->content, error);
    outcome->content.type = vl_content_table(outcome->content.type, said, url);
    return status;
}

static vl_status take_answer(engine *e, const vl_waiting *file, vl_object_writer *writer,
                             fetched *f, vl_error *error) {
    unsigned http = f->reply.status;
    if (http >= 200 && http < 300) {
        describe(f);
        /* What waits for another harvest is kept, whatever it is: that one may want it. */
        const char *formats = file->is_shown                    ? "picture"
                              : file->harvest == e->run.harvest ? e->query.formats
                                                                : NULL;
        return take_content(writer, formats, f->outcome.type_said, file->url, &f->outcome,
                            error);
    }
    vl_object_writer_abandon(writer);
    if (http == 304 && (*file->etag || *file->modified)) {
        f->outcome = (vl_outcome){.kind = VL_OUTCOME_UNCHANGED, .status = http};
        return VL_OK;
    }
    vl_fail(error, VL_ERR_INPUT, "%.200s answers %u", f->reply.url, http);
    vl_outcome_fail(&f->outcome, error, http);
    return VL_OK;
}

/* VL_OK: `outcome` says what became of it. Otherwise it waits on. */
static vl_status ask_for(engine *e, const vl_waiting *file, fetched *f, vl_error *error) {
    vl_object_writer *writer;
    vl_status status =
        vl_object_writer_open(vl_collection_folder(e->collection), &e->rules, &writer, error);
    if (status)
        return status;
    vl_polite_request request = {.url = file->url,
                                 .etag = *file->etag ? file->etag : NULL,
                                 .modified = *file->modified ? file->modified : NULL,
                                 .sink = vl_object_writer_put,
                                 .again = vl_object_writer_again,
                                 .to = writer};
    status = vl_polite_fetch(e->net, &request, &f->reply, error);
    if (!status)
        return take_answer(e, file, writer, f, error);
    bool disk_failed = vl_object_writer_disk_failed(writer);
    vl_object_writer_abandon(writer);
    if (disk_failed || status == VL_ERR_BUSY || status == VL_ERR_CANCELLED ||
        status == VL_ERR_MEMORY || status == VL_ERR_INTERNAL)
        return status;
    vl_outcome_fail(&f->outcome, error, 0);
    return VL_OK;
}

static vl_status fetch_file(engine *e, const vl_waiting *file, vl_error *error) {
    fetched f = {.outcome = {.kind = VL_OUTCOME_NONE}};
    vl_fetch_reply_init(&f.reply);
    vl_buf_init(&f.headers, KEPT_HEADERS_MAX);
    vl_status status = ask_for(e, file, &f, error);
    if (!status) {
        pthread_mutex_lock(&e->lock);
        status = vl_file_done(e->collection, &e->run, file->id, &f.outcome, error);
        if (!status)
            tell(e);
        pthread_mutex_unlock(&e->lock);
        status = status == VL_ERR_BUSY ? VL_ERR_IO : status; /* of the database, not the host */
    }
    vl_fetch_reply_deinit(&f.reply);
    vl_buf_deinit(&f.headers);
    return status;
}

/* Some files of one host. VL_ERR_BUSY: it wants no more for now. */
static vl_status fetch_some(engine *e, const char *host, vl_error *error) {
    vl_waiting *files = calloc(FILES_AT_ONCE, sizeof *files);
    size_t count = 0;
    if (!files)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a queue");
    vl_status status = vl_queue_take(e->collection, e->source->name, host, files, FILES_AT_ONCE,
                                     &count, error);
    for (size_t i = 0; !status && i < count && !is_stopping(e); i++)
        status = fetch_file(e, &files[i], error);
    free(files);
    return status;
}

/* ---- pictures of pages --------------------------------------------------------------------
 */

/* A page that cannot be read shows none. */
static vl_status see_pictures(const engine *e, const vl_unread *page, vl_arena *arena,
                              vl_html_picture **pictures, size_t *count, vl_error *error) {
    char path[VL_OBJECT_PATH_SIZE];
    const char *text;
    size_t bytes;
    vl_buf content;
    *count = 0;
    if (!*page->url || e->source->local)
        return VL_OK;
    vl_buf_init(&content, VL_HTML_BYTES);
    vl_status status =
        vl_object_path(vl_collection_folder(e->collection), page->sha256, path, error);
    if (!status)
        status = vl_file_read(path, VL_HTML_BYTES, &content, error);
    if (!status)
        status = vl_html_to_utf8(content.data ? content.data : "", content.len, page->type,
                                 arena, &text, &bytes, error);
    if (!status)
        status =
            vl_html_pictures(text, bytes, page->url, "vislang", arena, pictures, count, error);
    vl_buf_deinit(&content);
    if (status == VL_ERR_INPUT || status == VL_ERR_LIMIT)
        status = VL_OK;
    *count = status ? 0 : *count;
    return status;
}

static vl_status read_some(engine *e, vl_arena *arena, size_t *count, vl_error *error) {
    enum { PAGES_AT_ONCE = 8 };
    vl_unread *pages = calloc(PAGES_AT_ONCE, sizeof *pages);
    if (!pages)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for pages");
    vl_status status =
        vl_pages_unread(e->collection, &e->run, pages, PAGES_AT_ONCE, count, error);
    for (size_t i = 0; !status && i < *count; i++) {
        vl_html_picture *pictures;
        size_t found;
        vl_arena_reset(arena);
        status = see_pictures(e, &pages[i], arena, &pictures, &found, error);
        if (status)
            break;
        pthread_mutex_lock(&e->lock);
        status = vl_page_read(e->collection, &e->run, pages[i].id, pictures, found, error);
        pthread_cond_broadcast(&e->changed);
        pthread_mutex_unlock(&e->lock);
    }
    free(pages);
    return status;
}

/* All pages of this run that were kept and not read: those of a run that was killed, too. */
static vl_status read_pages(engine *e, vl_error *error) {
    enum { ARENA_MAX = 64 << 20 };
    size_t count = 1;
    vl_arena *arena = e->wants_pictures ? vl_arena_new(ARENA_MAX) : NULL;
    if (!e->wants_pictures)
        return VL_OK;
    vl_status status = arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for pages");
    pthread_mutex_lock(&e->reading);
    while (!status && count && !is_stopping(e))
        status = read_some(e, arena, &count, error);
    pthread_mutex_unlock(&e->reading);
    vl_arena_free(arena);
    return status == VL_ERR_BUSY ? VL_ERR_IO : status; /* of the database, not the host */
}

typedef struct worker {
    engine *engine;
    size_t number;
    pthread_t thread;
} worker;

static void *work(void *arg) {
    const worker *w = arg;
    engine *e = w->engine;
    vl_error error;
    vl_stop_watch(ask_stop, e);
    while (lease(e, w->number, &error)) {
        vl_status status = fetch_some(e, e->busy[w->number], &error);
        bool rests = status == VL_ERR_BUSY;
        if (rests)
            vl_log(VL_LOG_WARN, "a host is left alone for now",
                   VL_F_STR("host", e->busy[w->number]), VL_F_STR("why", error.message));
        if (!status || rests)
            status = read_pages(e, &error);
        give_back(e, w->number, rests);
        if (status && status != VL_ERR_CANCELLED)
            stop(e, &error);
    }
    return NULL;
}

/* ---- pages ------------------------------------------------------------------------------ */

static const char *header_of(engine *e, const vl_fetch_reply *reply, const char *name) {
    char value[512];
    return vl_fetch_header(reply, name, value, sizeof value) ? vl_arena_strdup(e->arena, value)
                                                             : NULL;
}

/* As `describe`, of an answer that the adapter had, for as long as the page. */
static void describe_answer(engine *e, const vl_fetch_reply *reply, vl_outcome *o) {
    vl_buf headers;
    vl_buf_init(&headers, KEPT_HEADERS_MAX);
    keep_headers(reply, &headers);
    o->status = reply->status;
    o->final_url = vl_arena_strdup(e->arena, reply->url);
    o->headers = headers.data ? vl_arena_strdup(e->arena, headers.data) : NULL;
    o->etag = header_of(e, reply, "etag");
    o->modified = header_of(e, reply, "last-modified");
    o->type_said = header_of(e, reply, "content-type");
    vl_buf_deinit(&headers);
}

/* An answer that is no document. */
static void fail_answer(const vl_record_file *file, vl_outcome *outcome) {
    vl_error error;
    vl_fail(&error, VL_ERR_INPUT, "%.200s answers %u", file->answer->url, file->answer->status);
    vl_outcome_fail(outcome, &error, file->answer->status);
}

static bool is_document(const vl_fetch_reply *reply) {
    return reply->status >= 200 && reply->status < 300;
}

static vl_status put_content(engine *e, const vl_record_file *file, vl_outcome *outcome,
                             vl_error *error) {
    vl_object_writer *writer;
    vl_status status =
        vl_object_writer_open(vl_collection_folder(e->collection), &e->rules, &writer, error);
    if (status)
        return status;
    status = file->pour ? file->pour(file, vl_object_writer_put, writer, error)
                        : vl_object_writer_put(writer, file->body, file->body_bytes, error);
    if (!status) {
        if (file->answer)
            describe_answer(e, file->answer, outcome);
        return take_content(writer, e->query.formats, file->type, file->url, outcome, error);
    }
    bool disk_failed = vl_object_writer_disk_failed(writer);
    vl_object_writer_abandon(writer);
    if (disk_failed || status == VL_ERR_MEMORY || status == VL_ERR_CANCELLED)
        return status;
    vl_outcome_fail(outcome, error, 0);
    return VL_OK;
}

static vl_status put_contents(engine *e, const vl_record *record, vl_outcome *outcomes,
                              vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < record->file_count; i++) {
        const vl_record_file *file = &record->files[i];
        bool kept = false;
        const char *format = vl_content_format(file->type);
        if (file->answer && !is_document(file->answer))
            fail_answer(file, &outcomes[i]);
        if ((file->url && !file->answer) || (!file->body && !file->pour) ||
            (*format && !vl_list_has(e->query.formats, format)))
            continue;
        status =
            vl_file_is_kept(e->collection, e->source->name, record->key, file, i, &kept, error);
        if (!status && !kept)
            status = put_content(e, file, &outcomes[i], error);
    }
    return status;
}

static vl_status make_room(engine *e, vl_error *error) {
    if (e->record_count < e->record_room)
        return VL_OK;
    size_t room = e->record_room ? e->record_room * 2 : 256;
    vl_kept_record *grown = realloc(e->records, room * sizeof *grown);
    if (!grown)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the records of a page");
    e->records = grown;
    e->record_room = room;
    return VL_OK;
}

static vl_status give(const vl_record *record, void *to, vl_error *error) {
    engine *e = to;
    uint64_t limit = e->query.limit;
    if (!record->key || !*record->key)
        return vl_fail(error, VL_ERR_INTERNAL, "the source %s gave a record without a key",
                       e->source->name);
    if (limit && e->run.given + e->record_count >= limit) {
        e->limited = true;
        return VL_OK;
    }
    vl_status status = is_stopping(e)
                           ? vl_fail(error, VL_ERR_CANCELLED, "the harvest was stopped")
                           : make_room(e, error);
    if (!status)
        status = vl_kept_record_copy(e->arena, record, &e->records[e->record_count], error);
    if (!status)
        status = put_contents(e, record, e->records[e->record_count].outcomes, error);
    e->record_count += !status;
    return status;
}

static vl_status keep_page(engine *e, const char *next, vl_error *error) {
    vl_page page = {e->records, e->record_count, next, e->limited, e->query.formats};
    pthread_mutex_lock(&e->lock);
    vl_status status = vl_run_keep_page(e->collection, &e->run, &page, error);
    if (!status)
        tell(e);
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    return status;
}

static vl_status one_page(engine *e, const vl_source_call *call, vl_arena *answer, vl_buf *next,
                          vl_error *error) {
    const char *cursor = e->run.cursor.data ? e->run.cursor.data : "";
    vl_buf_clear(next);
    vl_arena_reset(e->arena);
    vl_arena_reset(answer);
    e->record_count = 0;
    vl_status status = e->source->page(call, cursor, next, error);
    if (!status)
        status = vl_buf_status(next, "a cursor", error);
    if (status)
        return status;
    if (next->len && !strcmp(next->data, cursor))
        return vl_fail(error, VL_ERR_INPUT, "%s: the next page is the same page again",
                       e->source->title);
    return keep_page(e, next->len ? next->data : "", error);
}

static bool has_enough(const engine *e) {
    return e->limited || (e->query.limit && e->run.given >= e->query.limit && !e->run.paged);
}

static vl_status page_through(engine *e, vl_error *error) {
    void *kept = NULL;
    vl_buf next;
    vl_arena *answer = vl_arena_new(PAGE_MAX);
    vl_source_call call = {.query = &e->query,
                           .config = e->options->config,
                           .net = e->net,
                           .arena = answer,
                           .give = give,
                           .to = e,
                           .kept = &kept};
    vl_status status =
        answer ? read_pages(e, error) : vl_fail(error, VL_ERR_MEMORY, "no memory for a page");
    vl_buf_init(&next, NEXT_MAX);
    while (!status && !e->run.paged && !has_enough(e)) {
        status = is_stopping(e) ? vl_fail(error, VL_ERR_CANCELLED, "the harvest was stopped")
                                : one_page(e, &call, answer, &next, error);
        if (!status)
            status = read_pages(e, error);
    }
    if (kept && e->source->forget)
        e->source->forget(kept);
    vl_buf_deinit(&next);
    vl_arena_free(answer);
    return status;
}

/* ---- preparing -------------------------------------------------------------------------- */

static void add_word(cJSON *json, const char *name, const char *value) {
    if (value && *value)
        cJSON_AddStringToObject(json, name, value);
}

/* What tells this harvest from another one of the same source. */
static char *identity_of(const engine *e) {
    char name[64];
    const vl_harvest_query *q = &e->query;
    cJSON *json = cJSON_CreateObject();
    snprintf(name, sizeof name, "harvest_%s_url", e->source->name);
    for (char *c = name; (c = strchr(c, '-'));)
        *c = '_';
    if (vl_setting_find(name) != SIZE_MAX)
        add_word(json, "place", vl_config_string(e->options->config, name));
    add_word(json, "languages", q->languages);
    add_word(json, "countries", q->countries);
    add_word(json, "themes", q->themes);
    add_word(json, "formats", q->formats);
    add_word(json, "words", q->words);
    add_word(json, "since", q->since);
    add_word(json, "until", q->until);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

static vl_status check_times(const vl_harvest_query *q, vl_error *error) {
    const char *const times[] = {q->since, q->until};
    int64_t ms;
    for (size_t i = 0; i < 2; i++)
        if (times[i] && *times[i] && !vl_when_parse(times[i], &ms))
            return vl_fail(error, VL_ERR_USAGE,
                           "'%.60s' is no date: 2025-01-31, or 2025-01-31T12:00:00Z", times[i]);
    return VL_OK;
}

static vl_status check(engine *e, vl_error *error) {
    vl_source_call call = {.query = &e->query, .config = e->options->config, .net = e->net};
    vl_status status = check_times(&e->query, error);
    if (!status)
        status = vl_content_formats_check(e->query.formats, error);
    return status ? status : e->source->check(&call, error);
}

/* One process at a time; what a killed one left behind goes. */
static vl_status lock_source(engine *e, vl_error *error) {
    char path[VL_OBJECT_PATH_SIZE + 64];
    const char *folder = vl_collection_folder(e->collection);
    snprintf(path, sizeof path, "%s/.%s.lock", folder, e->source->name);
    e->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (e->lock_file < 0)
        return vl_fail(error, VL_ERR_IO, "cannot write %s: %s", path, strerror(errno));
    if (flock(e->lock_file, LOCK_EX | LOCK_NB))
        return vl_fail(error, VL_ERR_BUSY,
                       "another process is harvesting %s into %s; wait for it, or stop it",
                       e->source->name, folder);
    return vl_objects_sweep(folder, e->source->name, error);
}

static vl_status make_net(engine *e, vl_error *error) {
    const vl_config *config = e->options->config;
    vl_polite_options o = vl_polite_options_default();
    o.contact = vl_config_string(config, "harvest_contact");
    o.interval = vl_config_number(config, "harvest_interval");
    o.tries = (unsigned)vl_config_int(config, "harvest_tries");
    o.longest_wait = vl_config_number(config, "harvest_longest_wait");
    o.cancel = e->options->cancel;
    o.rules.seconds = vl_config_number(config, "harvest_timeout");
    o.rules.max_bytes = e->rules.max_bytes;
    vl_status status = vl_networks_parse(vl_config_string(config, "harvest_networks"),
                                         &o.rules.networks, error);
    return status ? status : vl_polite_new(&o, &e->net, error);
}

static vl_status begin_run(engine *e, vl_error *error) {
    char *identity = identity_of(e);
    if (!identity)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a query");
    vl_run_wish wish = {.source = e->source->name,
                        .query = identity,
                        .since = e->query.since ? e->query.since : "",
                        .whole = e->source->whole,
                        .attempts = e->options->attempts};
    vl_status status = vl_run_begin(e->collection, &wish, &e->run, error);
    e->query.since = e->run.report.since;
    cJSON_free(identity);
    return status;
}

static vl_status prepare(engine *e, vl_error *error) {
    e->rules = (vl_object_rules){
        .who = e->source->name,
        .max_bytes = (uint64_t)vl_config_int(e->options->config, "harvest_max_file"),
        .min_free = e->options->min_free};
    vl_status status = make_net(e, error);
    if (!status)
        status = check(e, error);
    if (!status)
        status = lock_source(e, error);
    if (!status)
        status = begin_run(e, error);
    if (!status && !(e->arena = vl_arena_new(PAGE_MAX)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a page");
    return status;
}

/* ---- all of it -------------------------------------------------------------------------- */

static vl_status start_workers(engine *e, worker *workers, size_t *count, vl_error *error) {
    size_t wanted = e->options->hosts ? e->options->hosts : 1;
    wanted = wanted < MOST_HOSTS ? wanted : MOST_HOSTS;
    for (*count = 0; *count < wanted; ++*count) {
        workers[*count] = (worker){.engine = e, .number = *count};
        if (pthread_create(&workers[*count].thread, NULL, work, &workers[*count]))
            return *count ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no thread can be made");
    }
    return VL_OK;
}

/* Pages on this thread, files on the others; a page that fails lets them finish what waits. */
static vl_status run_all(engine *e, vl_error *error) {
    worker workers[MOST_HOSTS];
    size_t count;
    e->is_paging = true;
    vl_status status = start_workers(e, workers, &count, error);
    if (!status)
        status = page_through(e, error);
    if (is_fatal(status) || status == VL_ERR_CANCELLED)
        stop(e, error);
    pthread_mutex_lock(&e->lock);
    e->is_paging = false;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    for (size_t i = 0; i < count; i++)
        pthread_join(workers[i].thread, NULL);
    if (e->stopping && e->failure.status != VL_ERR_CANCELLED)
        return vl_fail(error, e->failure.status, "%s", e->failure.message);
    if (!status && is_cancelled(e))
        status = vl_fail(error, VL_ERR_CANCELLED,
                         "the harvest was stopped; the next run goes "
                         "on from here");
    return status;
}

/* A run whose cursor the source does not understand would fail for ever. */
static vl_status finish(engine *e, vl_status worked, vl_error *error) {
    vl_error later;
    vl_status status = VL_OK;
    if (!worked)
        status = vl_run_end(e->collection, &e->run,
                            e->run.paged ? VL_RUN_COMPLETE : VL_RUN_LIMITED, &later);
    else if (worked == VL_ERR_INPUT || worked == VL_ERR_LIMIT)
        status = vl_run_end(e->collection, &e->run, VL_RUN_BROKEN, &later);
    if (!status)
        status = vl_run_look(e->collection, &e->run, &later);
    vl_polite_counts counts = vl_polite_count(e->net);
    e->run.report.requests = counts.requests;
    e->run.report.waited = counts.waited;
    return worked || !status ? worked : vl_fail(error, later.status, "%s", later.message);
}

static void engine_init(engine *e, vl_collection *collection, const vl_harvest_options *options,
                        const vl_source *source) {
    *e = (engine){.collection = collection,
                  .options = options,
                  .source = source,
                  .query = options->query,
                  .lock_file = -1};
    e->wants_pictures = vl_list_has(options->query.formats, "picture") &&
                        vl_list_has(options->query.formats, "html");
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->reading, NULL);
    pthread_cond_init(&e->changed, NULL);
    vl_buf_init(&e->resting, RESTING_MAX);
    vl_buf_init(&e->run.cursor, NEXT_MAX);
}

static void engine_deinit(engine *e) {
    vl_polite_free(e->net);
    vl_arena_free(e->arena);
    free(e->records);
    vl_buf_deinit(&e->run.cursor);
    vl_buf_deinit(&e->resting);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
    pthread_mutex_destroy(&e->reading);
    if (e->lock_file >= 0)
        close(e->lock_file);
}

vl_status vl_harvest_run(vl_collection *collection, const vl_harvest_options *options,
                         vl_harvest_report *report, vl_error *error) {
    vl_error local;
    const vl_source *source;
    int64_t start = vl_clock_ns();
    *report = (vl_harvest_report){.resumed = false};
    error = error ? error : &local;
    vl_status status = vl_source_find(options->source, &source, error);
    if (status)
        return status;
    engine *e = calloc(1, sizeof *e);
    if (!e)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a harvest");
    engine_init(e, collection, options, source);
    status = prepare(e, error);
    if (!status)
        status = finish(e, run_all(e, error), error);
    *report = e->run.report;
    report->seconds = vl_clock_ms_since(start) / 1000;
    engine_deinit(e);
    free(e);
    return status;
}

void vl_harvest_sources(vl_harvest_source_fn give_source, void *to) {
    for (const vl_source *const *source = vl_sources; *source; source++)
        give_source((*source)->name, (*source)->title, (*source)->summary, to);
}
