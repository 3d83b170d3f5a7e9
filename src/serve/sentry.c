/* sentry.c — events queued, made into envelopes, sent one by one.
 *
 *   vl_sentry_dsn_parse, _limit_parse, _envelope   the protocol
 *   send_one                                       one request
 *   vl_sentry_open, _capture, _close               the queue and its thread */
#include "serve/sentry.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    ENVELOPE_MAX = 64 << 10,
    REPLY_MAX = 64 << 10,
    CONNECT_MS = 3000,
    SEND_MS = 10000,
    DEFAULT_PAUSE_SECONDS = 60, /* after 429 without a word of how long */
    LONGEST_PAUSE_SECONDS = 86400,
    MINUTE_MS = 60000,
};

struct vl_sentry {
    vl_sentry_dsn dsn;
    char environment[64];
    CURL *curl;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under the lock. */
    vl_sentry_event queue[VL_SENTRY_QUEUE_MAX]; /* a ring */
    size_t first, count;
    bool closing;
    int64_t minute_ns;
    unsigned in_minute;
    /* Of the thread. */
    int64_t paused_until_ns;
    bool is_failing; /* said in the log once */
    double limit_seconds;
    atomic_int_fast64_t give_up_ns; /* 0: no end is near */
    atomic_uint_fast64_t sent, failed, dropped;
};

/* ---- DSN ------------------------------------------------------------------------------ */

static bool is_word(const char *text, size_t most) {
    size_t length = strlen(text);
    return length && length <= most &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
               length;
}

/* The parts are curl's own, to be freed by the caller. */
typedef struct url_parts {
    char *scheme, *key, *host, *port, *path, *query;
} url_parts;

static bool fill_dsn(const url_parts *p, vl_sentry_dsn *dsn) {
    bool web = p->scheme && (!strcmp(p->scheme, "https") || !strcmp(p->scheme, "http"));
    char *project = p->path ? strrchr(p->path, '/') : NULL;
    if (!web || !p->key || !is_word(p->key, sizeof dsn->key - 1) || !p->host || !project ||
        p->query || !is_word(project + 1, 64))
        return false;
    snprintf(dsn->key, sizeof dsn->key, "%s", p->key);
    int length = snprintf(dsn->url, sizeof dsn->url, "%s://%s%s%s%.*s/api/%s/envelope/",
                          p->scheme, p->host, p->port ? ":" : "", p->port ? p->port : "",
                          (int)(project - p->path), p->path, project + 1);
    return length < (int)sizeof dsn->url;
}

vl_status vl_sentry_dsn_parse(const char *text, vl_sentry_dsn *dsn, vl_error *error) {
    url_parts p = {0};
    CURLU *url = curl_url();
    bool valid = url && !curl_url_set(url, CURLUPART_URL, text, 0);
    if (valid) {
        curl_url_get(url, CURLUPART_SCHEME, &p.scheme, 0);
        curl_url_get(url, CURLUPART_USER, &p.key, 0);
        curl_url_get(url, CURLUPART_HOST, &p.host, 0);
        curl_url_get(url, CURLUPART_PORT, &p.port, 0);
        curl_url_get(url, CURLUPART_PATH, &p.path, 0);
        curl_url_get(url, CURLUPART_QUERY, &p.query, 0);
        valid = fill_dsn(&p, dsn);
    }
    char *const parts[] = {p.scheme, p.key, p.host, p.port, p.path, p.query};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        curl_free(parts[i]);
    curl_url_cleanup(url);
    return valid ? VL_OK
                 : vl_fail(error, VL_ERR_USAGE,
                           "sentry_dsn has not the form https://KEY@HOST/PROJECT");
}

/* ---- rate limits ---------------------------------------------------------------------- */

/* Whether errors are among "a;b;c"; nothing named is everything. */
static bool names_errors(const char *list, size_t bytes) {
    const char *end = list + bytes;
    if (!bytes)
        return true;
    for (const char *at = list; at <= end;) {
        const char *stop = memchr(at, ';', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        if ((length == 5 && !memcmp(at, "error", 5)) ||
            (length == 7 && !memcmp(at, "default", 7)))
            return true;
        if (!stop)
            return false;
        at = stop + 1;
    }
    return false;
}

static double read_seconds(const char *text, size_t bytes) {
    char copy[32], *end = copy;
    if (!bytes || bytes >= sizeof copy)
        return DEFAULT_PAUSE_SECONDS;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    double seconds = strspn(copy, "0123456789.") == bytes ? strtod(copy, &end) : 0;
    if (end == copy || *end)
        return DEFAULT_PAUSE_SECONDS;
    return seconds < LONGEST_PAUSE_SECONDS ? seconds : LONGEST_PAUSE_SECONDS;
}

/* "60:error;transaction:organization, 2700::key": seconds, then categories, then what is of no
 * use to us. */
static double one_limit(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (at == end)
        return 0;
    const char *colon = memchr(at, ':', (size_t)(end - at));
    const char *list = colon ? colon + 1 : end;
    const char *list_end = list < end ? memchr(list, ':', (size_t)(end - list)) : NULL;
    if (!names_errors(list, (size_t)((list_end ? list_end : end) - list)))
        return 0;
    return read_seconds(at, (size_t)((colon ? colon : end) - at));
}

double vl_sentry_limit_parse(const char *text, size_t bytes) {
    const char *end = text + bytes;
    double longest = 0;
    for (const char *at = text; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        double seconds = one_limit(at, comma ? comma : end);
        longest = seconds > longest ? seconds : longest;
        at = comma ? comma + 1 : end;
    }
    return longest;
}

/* ---- envelopes ------------------------------------------------------------------------ */

static void make_id(char id[33]) {
    uint64_t halves[2];
    vl_random_bytes(halves, sizeof halves);
    snprintf(id, 33, "%016" PRIx64 "%016" PRIx64, halves[0], halves[1]);
}

/* Where it stands in the repository, not on the machine that it was built on. */
static const char *source_name(const char *file) {
    const char *at = NULL, *next = file;
    while ((next = strstr(next, "src/")))
        at = next++;
    return at ? at : strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
}

static void add_exception(cJSON *json, const vl_sentry_event *event) {
    cJSON *list = cJSON_AddArrayToObject(cJSON_AddObjectToObject(json, "exception"), "values");
    cJSON *one = cJSON_CreateObject();
    cJSON_AddItemToArray(list, one);
    cJSON_AddStringToObject(one, "type", vl_status_name(event->kind));
    cJSON_AddStringToObject(one, "value", event->message);
    cJSON *trace = cJSON_AddObjectToObject(one, "stacktrace");
    cJSON *frame = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(trace, "frames"), frame);
    cJSON_AddStringToObject(frame, "filename", source_name(event->file));
    cJSON_AddNumberToObject(frame, "lineno", event->line);
    cJSON_AddBoolToObject(frame, "in_app", true);
}

static void add_request(cJSON *json, const vl_sentry_event *event) {
    char text[128];
    cJSON *tags = cJSON_AddObjectToObject(json, "tags");
    if (event->file)
        cJSON_AddStringToObject(tags, "error", vl_status_name(event->kind));
    if (event->route) {
        snprintf(text, sizeof text, "%s %s", event->method, event->route);
        cJSON_AddStringToObject(json, "transaction", text);
        cJSON_AddStringToObject(tags, "route", event->route);
        snprintf(text, sizeof text, "%u", event->status);
        cJSON_AddStringToObject(tags, "status", text);
    }
    if (event->trace[0]) {
        cJSON *trace =
            cJSON_AddObjectToObject(cJSON_AddObjectToObject(json, "contexts"), "trace");
        cJSON_AddStringToObject(trace, "trace_id", event->trace);
        cJSON_AddStringToObject(trace, "span_id", event->span);
    }
}

static void add_sdk(cJSON *json) {
    cJSON *sdk = cJSON_AddObjectToObject(json, "sdk");
    cJSON_AddStringToObject(sdk, "name", "vislang");
    cJSON_AddStringToObject(sdk, "version", VL_VERSION);
}

static cJSON *make_event(const vl_sentry_event *event, const char *environment, const char *id,
                         const char *now) {
    static const char *const levels[] = {"warning", "error", "fatal"};
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "event_id", id);
    cJSON_AddStringToObject(json, "timestamp", now);
    cJSON_AddStringToObject(json, "platform", "c");
    cJSON_AddStringToObject(json, "level", levels[event->level]);
    cJSON_AddStringToObject(json, "logger", "vislang");
    cJSON_AddStringToObject(json, "release", "vislang@" VL_VERSION);
    cJSON_AddStringToObject(json, "environment", environment);
    cJSON_AddStringToObject(cJSON_AddObjectToObject(json, "logentry"), "message",
                            event->message);
    if (event->file)
        add_exception(json, event);
    add_request(json, event);
    add_sdk(json);
    return json;
}

void vl_sentry_envelope(const vl_sentry_event *event, const char *environment, vl_buf *out) {
    char id[33], now[VL_RFC3339_SIZE];
    make_id(id);
    vl_time_rfc3339(now);
    cJSON *header = cJSON_CreateObject(), *json = make_event(event, environment, id, now);
    cJSON_AddStringToObject(header, "event_id", id);
    cJSON_AddStringToObject(header, "sent_at", now);
    add_sdk(header);
    char *head = cJSON_PrintUnformatted(header), *text = cJSON_PrintUnformatted(json);
    if (head && text)
        vl_buf_printf(out,
                      "%s\n{\"type\":\"event\",\"content_type\":\"application/json\","
                      "\"length\":%zu}\n%s\n",
                      head, strlen(text), text);
    else
        out->failed = true;
    cJSON_free(head);
    cJSON_free(text);
    cJSON_Delete(header);
    cJSON_Delete(json);
}

/* ---- sending -------------------------------------------------------------------------- */

static size_t swallow(char *bytes, size_t size, size_t count, void *user) {
    size_t *got = user;
    (void)bytes;
    *got += size * count;
    return *got > REPLY_MAX ? 0 : size * count;
}

static size_t take_header(char *line, size_t size, size_t count, void *user) {
    static const char name[] = "X-Sentry-Rate-Limits:";
    vl_sentry *sentry = user;
    size_t bytes = size * count, skip = sizeof name - 1;
    if (bytes > skip && !strncasecmp(line, name, skip)) {
        while (bytes > skip && (line[bytes - 1] == '\r' || line[bytes - 1] == '\n'))
            bytes--;
        sentry->limit_seconds = vl_sentry_limit_parse(line + skip, bytes - skip);
    }
    return size * count;
}

static int is_given_up(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    const vl_sentry *sentry = user;
    (void)a, (void)b, (void)c, (void)d;
    int64_t end = atomic_load(&sentry->give_up_ns);
    return end && vl_clock_ns() > end;
}

static struct curl_slist *make_headers(const vl_sentry *sentry) {
    char auth[VL_SENTRY_KEY_SIZE + 128];
    snprintf(auth, sizeof auth,
             "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=vislang/" VL_VERSION
             ", sentry_key=%s",
             sentry->dsn.key);
    struct curl_slist *list = curl_slist_append(NULL, auth);
    struct curl_slist *longer =
        list ? curl_slist_append(list, "Content-Type: application/x-sentry-envelope") : NULL;
    if (!longer)
        curl_slist_free_all(list);
    return longer;
}

static CURLcode post(vl_sentry *sentry, const vl_buf *body, struct curl_slist *headers,
                     long *status) {
    CURL *curl = sentry->curl;
    size_t got = 0;
    curl_easy_reset(curl); /* options; the connection stays */
    curl_easy_setopt(curl, CURLOPT_URL, sentry->dsn.url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "vislang/" VL_VERSION);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)SEND_MS);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->len);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &got);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, sentry);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_given_up);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, sentry);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    return code;
}

/* What the answer says of pauses: its own header before the general one. */
static void obey(vl_sentry *sentry, long status) {
    curl_off_t after = 0;
    curl_easy_getinfo(sentry->curl, CURLINFO_RETRY_AFTER, &after);
    double seconds = sentry->limit_seconds;
    if (seconds < 0)
        seconds = status != 429 ? 0 : after > 0 ? (double)after : DEFAULT_PAUSE_SECONDS;
    if (seconds > LONGEST_PAUSE_SECONDS)
        seconds = LONGEST_PAUSE_SECONDS;
    if (seconds > 0)
        sentry->paused_until_ns = vl_clock_ns() + (int64_t)(seconds * 1e9);
}

static void tell_failure(vl_sentry *sentry, bool failed, CURLcode code, long status) {
    if (failed && !sentry->is_failing)
        vl_log(VL_LOG_WARN, "error events are not taken",
               VL_F_STR("reason", code ? curl_easy_strerror(code) : "the service refuses"),
               VL_F_INT("status", status));
    sentry->is_failing = failed;
}

/* Sent once, and not again: an event that is not taken is not worth a second try. */
static void send_one(vl_sentry *sentry, const vl_sentry_event *event) {
    if (vl_clock_ns() < sentry->paused_until_ns) {
        atomic_fetch_add(&sentry->dropped, 1);
        return;
    }
    vl_buf body;
    long status = 0;
    vl_buf_init(&body, ENVELOPE_MAX);
    vl_sentry_envelope(event, sentry->environment, &body);
    struct curl_slist *headers = make_headers(sentry);
    CURLcode code = CURLE_OUT_OF_MEMORY;
    sentry->limit_seconds = -1;
    if (!body.failed && headers)
        code = post(sentry, &body, headers, &status);
    bool taken = !code && status >= 200 && status < 300;
    if (!code)
        obey(sentry, status);
    tell_failure(sentry, !taken && status != 429, code, status);
    atomic_fetch_add(taken ? &sentry->sent : &sentry->failed, 1);
    curl_slist_free_all(headers);
    vl_buf_deinit(&body);
}

/* ---- the queue ------------------------------------------------------------------------ */

static bool is_late(const vl_sentry *sentry) {
    return is_given_up((void *)sentry, 0, 0, 0, 0);
}

static void *send_all(void *user) {
    vl_sentry *sentry = user;
    pthread_mutex_lock(&sentry->lock);
    for (;;) {
        while (!sentry->count && !sentry->closing)
            pthread_cond_wait(&sentry->changed, &sentry->lock);
        if (!sentry->count || is_late(sentry))
            break;
        vl_sentry_event event = sentry->queue[sentry->first];
        sentry->first = (sentry->first + 1) % VL_SENTRY_QUEUE_MAX;
        sentry->count--;
        pthread_mutex_unlock(&sentry->lock);
        send_one(sentry, &event);
        pthread_mutex_lock(&sentry->lock);
    }
    pthread_mutex_unlock(&sentry->lock);
    return NULL;
}

static bool may_come(vl_sentry *sentry) {
    int64_t now = vl_clock_ns();
    if (now - sentry->minute_ns > (int64_t)MINUTE_MS * 1000000) {
        sentry->minute_ns = now;
        sentry->in_minute = 0;
    }
    return sentry->count < VL_SENTRY_QUEUE_MAX && !sentry->closing &&
           sentry->in_minute++ < VL_SENTRY_PER_MINUTE;
}

void vl_sentry_capture(vl_sentry *sentry, const vl_sentry_event *event) {
    if (!sentry)
        return;
    pthread_mutex_lock(&sentry->lock);
    bool comes = may_come(sentry);
    if (comes) {
        sentry->queue[(sentry->first + sentry->count) % VL_SENTRY_QUEUE_MAX] = *event;
        sentry->count++;
        pthread_cond_signal(&sentry->changed);
    }
    pthread_mutex_unlock(&sentry->lock);
    if (!comes)
        atomic_fetch_add(&sentry->dropped, 1);
}

static void free_sentry(vl_sentry *sentry) {
    if (sentry->curl)
        curl_easy_cleanup(sentry->curl);
    pthread_cond_destroy(&sentry->changed);
    pthread_mutex_destroy(&sentry->lock);
    free(sentry);
    curl_global_cleanup();
}

/* Signals are for the program's own threads. */
static bool start_thread(vl_sentry *sentry) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    bool runs = !pthread_create(&sentry->thread, NULL, send_all, sentry);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return runs;
}

vl_status vl_sentry_open(const char *dsn, const char *environment, vl_sentry **out,
                         vl_error *error) {
    *out = NULL;
    if (!*dsn)
        return VL_OK;
    vl_sentry_dsn parsed;
    vl_status status = vl_sentry_dsn_parse(dsn, &parsed, error);
    vl_sentry *sentry = status ? NULL : calloc(1, sizeof *sentry);
    if (status)
        return status;
    if (!sentry)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for error events");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    sentry->dsn = parsed;
    snprintf(sentry->environment, sizeof sentry->environment, "%s", environment);
    pthread_mutex_init(&sentry->lock, NULL);
    pthread_cond_init(&sentry->changed, NULL);
    sentry->curl = curl_easy_init();
    if (!sentry->curl || !start_thread(sentry)) {
        free_sentry(sentry);
        return vl_fail(error, VL_ERR_MEMORY, "no thread for error events");
    }
    *out = sentry;
    return VL_OK;
}

void vl_sentry_close(vl_sentry *sentry, double seconds) {
    if (!sentry)
        return;
    atomic_store(&sentry->give_up_ns, vl_clock_ns() + (int64_t)(seconds * 1e9));
    pthread_mutex_lock(&sentry->lock);
    sentry->closing = true;
    pthread_cond_signal(&sentry->changed);
    pthread_mutex_unlock(&sentry->lock);
    pthread_join(sentry->thread, NULL);
    free_sentry(sentry);
}

vl_sentry_counts vl_sentry_count(const vl_sentry *sentry) {
    return (vl_sentry_counts){.sent = atomic_load(&sentry->sent),
                              .failed = atomic_load(&sentry->failed),
                              .dropped = atomic_load(&sentry->dropped)};
}
