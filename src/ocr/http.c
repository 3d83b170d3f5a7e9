/* http.c — any OCR service that speaks this project's own POST /api/v1/ocr (docs/serve.md), as
 * an engine: a sidecar that wraps another program, or another vislang.
 *
 * The picture goes as PNG in a form, the languages as pack names; the answer is our JSON, of
 * at most REPLY_MAX bytes. Nothing is sent twice: who calls decides what a failure means. No
 * redirect is followed and no proxy asked, so that a page goes where the configuration says
 * and nowhere else.
 *
 *   vl_http_parse_reply, _problem   what came back
 *   read_page                       one request
 *   vl_engine_http */
#include "ocr/http.h"
#include "ocr/reading.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <leptonica/allheaders.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPLY_MAX = 32 << 20,
    CONNECT_MS = 5000,
    LONGEST_MS = 120000,
    ADDRESS_MAX = 320,
    SIDE_MAX = 1000000,
};

typedef struct state {
    CURL *curl;
    char url[ADDRESS_MAX];
} state;

/* ---- answers ------------------------------------------------------------------------------
 */

typedef struct frame {
    int32_t width, height; /* of the picture that was sent */
    int rotation;          /* clockwise, by the service */
} frame;

/* A box of the turned page in pixels of the picture that was sent. */
static vl_box box_back(const frame *f, vl_box b) {
    switch (f->rotation) {
    case 90:
        return (vl_box){b.y, f->height - b.x - b.width, b.height, b.width};
    case 180:
        return (vl_box){f->width - b.x - b.width, f->height - b.y - b.height, b.width,
                        b.height};
    case 270:
        return (vl_box){f->width - b.y - b.height, b.x, b.height, b.width};
    default:
        return b;
    }
}

static int32_t pixels(const cJSON *array, int index) {
    const cJSON *item = cJSON_GetArrayItem(array, index);
    double value = cJSON_IsNumber(item) ? item->valuedouble : 0;
    return value >= SIDE_MAX ? SIDE_MAX : value > -SIDE_MAX ? (int32_t)value : -SIDE_MAX;
}

static vl_box box_in(const cJSON *object) {
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, "box");
    if (cJSON_GetArraySize(array) != 4)
        return (vl_box){0};
    vl_box box = {pixels(array, 0), pixels(array, 1), pixels(array, 2), pixels(array, 3)};
    if (box.width < 0 || box.height < 0)
        box.width = box.height = 0;
    return box;
}

static const char *text_in(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static double number_in(const cJSON *object, const char *name, double fallback) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

/* Words of a line that was sent whole, each with the share of the box its bytes have. */
static void add_cut_line(vl_reading_builder *b, const frame *f, const cJSON *line) {
    const char *text = text_in(line, "text");
    vl_box box = box_in(line);
    double confidence = number_in(line, "confidence", 0);
    size_t total = strlen(text);
    for (size_t at = strspn(text, " \t\n"); at < total;) {
        size_t length = strcspn(text + at, " \t\n");
        char word[1024];
        vl_box part = box;
        part.x += (int32_t)((double)box.width * (double)at / (double)total);
        part.width = (int32_t)((double)box.width * (double)length / (double)total);
        snprintf(word, sizeof word, "%.*s", (int)(length < 1023 ? length : 1023), text + at);
        vl_reading_word(b, word, box_back(f, part), confidence);
        at += length + strspn(text + at + length, " \t\n");
    }
}

static void add_line(vl_reading_builder *b, const frame *f, const cJSON *line) {
    const cJSON *words = cJSON_GetObjectItemCaseSensitive(line, "words"), *word;
    double confidence = number_in(line, "confidence", 0);
    vl_reading_line(b);
    if (!cJSON_GetArraySize(words))
        add_cut_line(b, f, line);
    cJSON_ArrayForEach(word, words)
        vl_reading_word(b, text_in(word, "text"), box_back(f, box_in(word)),
                        number_in(word, "confidence", confidence));
}

static vl_status read_pages(const cJSON *root, frame f, vl_arena *arena,
                            vl_engine_reading *reading, vl_error *error) {
    const cJSON *pages = cJSON_GetObjectItemCaseSensitive(root, "pages");
    const cJSON *page = cJSON_GetArrayItem(pages, 0), *block, *line;
    const cJSON *trouble = cJSON_GetObjectItemCaseSensitive(page, "error");
    const cJSON *blocks = cJSON_GetObjectItemCaseSensitive(page, "blocks");
    vl_reading_builder b;
    vl_reading_init(&b, arena, false, reading);
    if (trouble)
        return vl_fail(error, VL_ERR_INPUT, "the service could not read the page: %.200s",
                       text_in(trouble, "message"));
    if (!cJSON_IsArray(blocks))
        return vl_fail(error, VL_ERR_INPUT,
                       "the service's answer has no pages[0].blocks (docs/formats.md)");
    double turned = number_in(page, "rotation", 0);
    f.rotation = turned == 90 ? 90 : turned == 180 ? 180 : turned == 270 ? 270 : 0;
    cJSON_ArrayForEach(block, blocks) {
        vl_reading_block(&b);
        cJSON_ArrayForEach(line, cJSON_GetObjectItemCaseSensitive(block, "lines"))
            add_line(&b, &f, line);
    }
    return vl_reading_finish(&b, error);
}

vl_status vl_http_parse_reply(const char *text, size_t bytes, int32_t width, int32_t height,
                              vl_arena *arena, vl_engine_reading *reading, vl_error *error) {
    cJSON *root = cJSON_ParseWithLength(text, bytes);
    memset(reading, 0, sizeof *reading);
    vl_status status = root ? read_pages(root, (frame){width, height, 0}, arena, reading, error)
                            : vl_fail(error, VL_ERR_INPUT, "the service's answer is no JSON");
    cJSON_Delete(root);
    return status;
}

vl_status vl_http_parse_problem(long status, const char *text, size_t bytes, vl_error *error) {
    cJSON *root = cJSON_ParseWithLength(text, bytes);
    const char *detail = text_in(root, "detail");
    vl_status kind = status == 503 || status == 429   ? VL_ERR_BUSY
                     : status == 504 || status == 408 ? VL_ERR_TIMEOUT
                     : status == 415                  ? VL_ERR_UNSUPPORTED
                     : status >= 400 && status < 500  ? VL_ERR_INPUT
                                                      : VL_ERR_IO;
    vl_fail(error, kind, "the service answered %ld%s%.300s", status, *detail ? ": " : "",
            detail);
    cJSON_Delete(root);
    return kind;
}

/* ---- a request ------------------------------------------------------------------------------
 */

static size_t receive(char *bytes, size_t size, size_t count, void *user) {
    vl_buf *out = user;
    vl_buf_append(out, bytes, size * count);
    return out->failed ? 0 : size * count;
}

static bool add_part(curl_mime *form, const char *name, const char *text) {
    curl_mimepart *part = form ? curl_mime_addpart(form) : NULL;
    return part && !curl_mime_name(part, name) &&
           !curl_mime_data(part, text, CURL_ZERO_TERMINATED);
}

static bool add_picture(curl_mime *form, const void *png, size_t bytes) {
    curl_mimepart *part = form ? curl_mime_addpart(form) : NULL;
    return part && !curl_mime_name(part, "file") && !curl_mime_filename(part, "page.png") &&
           !curl_mime_type(part, "image/png") && !curl_mime_data(part, png, bytes);
}

static long milliseconds_left(const vl_engine_request *request) {
    if (request->deadline_ns <= 0)
        return LONGEST_MS;
    int64_t left = (request->deadline_ns - vl_clock_ns()) / 1000000;
    return left > LONGEST_MS ? LONGEST_MS : (long)left;
}

static int on_progress(void *user, curl_off_t d, curl_off_t dn, curl_off_t u, curl_off_t un) {
    (void)user, (void)d, (void)dn, (void)u, (void)un;
    return vl_stop_asked();
}

static vl_status explain(CURLcode code, const state *s, const char *detail, const vl_buf *reply,
                         vl_error *error) {
    if (!*detail)
        detail = curl_easy_strerror(code);
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return vl_fail(error, VL_ERR_TIMEOUT, "%s did not answer in time: %s", s->url, detail);
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return vl_fail(error, VL_ERR_MISSING, "nobody answers at %s: %s", s->url, detail);
    case CURLE_WRITE_ERROR:
        if (reply->failed)
            return vl_fail(error, VL_ERR_LIMIT, "the answer of %s is larger than %d bytes",
                           s->url, REPLY_MAX);
        break;
    case CURLE_ABORTED_BY_CALLBACK:
        return vl_stop_check(error);
    default:
        break;
    }
    return vl_fail(error, VL_ERR_IO, "%s could not be asked: %s", s->url, detail);
}

/* `list` with one header more; NULL, and `list` freed, without memory. */
static struct curl_slist *add_header(struct curl_slist *list, const char *name,
                                     const char *value) {
    char line[VL_TRACE_STATE_SIZE + 16];
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(list, line);
    if (!longer)
        curl_slist_free_all(list);
    return longer;
}

/* The trace that this is work of (W3C Trace Context); NULL: none. */
static struct curl_slist *trace_headers(void) {
    char parent[VL_TRACE_PARENT_SIZE];
    const vl_trace *trace = vl_trace_now();
    if (!trace)
        return NULL;
    vl_trace_write(trace, parent);
    struct curl_slist *headers = add_header(NULL, "traceparent", parent);
    return headers && trace->state[0] ? add_header(headers, "tracestate", trace->state)
                                      : headers;
}

static vl_status post(state *s, curl_mime *form, long timeout_ms, vl_buf *reply,
                      vl_error *error) {
    struct curl_slist *headers = trace_headers();
    char detail[CURL_ERROR_SIZE] = "";
    long status = 0;
    curl_easy_reset(s->curl); /* options; the connection stays */
    curl_easy_setopt(s->curl, CURLOPT_URL, s->url);
    curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(s->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(s->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(s->curl, CURLOPT_USERAGENT, "vislang/" VL_VERSION);
    curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT_MS,
                     timeout_ms < CONNECT_MS ? timeout_ms : (long)CONNECT_MS);
    curl_easy_setopt(s->curl, CURLOPT_MIMEPOST, form);
    curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(s->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(s->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, detail);
    CURLcode code = curl_easy_perform(s->curl);
    curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (code)
        return explain(code, s, detail, reply, error);
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    return status == 200 ? VL_OK
                         : vl_http_parse_problem(status, reply->data ? reply->data : "",
                                                 reply->len, error);
}

static vl_status read_page(void *opaque, const vl_engine_request *request,
                           vl_engine_reading *reading, vl_error *error) {
    state *s = opaque;
    l_uint8 *png = NULL;
    size_t bytes = 0;
    curl_mime *form = NULL;
    vl_status status;
    vl_buf reply;
    vl_buf_init(&reply, REPLY_MAX);
    long left = milliseconds_left(request);
    if (left <= 0) {
        status = vl_fail(error, VL_ERR_TIMEOUT, "no time was left for %s", s->url);
        goto out;
    }
    form = curl_mime_init(s->curl);
    if (pixWriteMemPng(&png, &bytes, request->picture, 0) || !add_picture(form, png, bytes) ||
        !add_part(form, "languages", request->packs) || !add_part(form, "format", "json")) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for the picture that is sent");
        goto out;
    }
    status = post(s, form, left, &reply, error);
    if (!status)
        status = vl_http_parse_reply(
            reply.data ? reply.data : "", reply.len, pixGetWidth(request->picture),
            pixGetHeight(request->picture), request->arena, reading, error);
out:
    curl_mime_free(form);
    lept_free(png);
    vl_buf_deinit(&reply);
    return status;
}

/* ---- the engine
 * ------------------------------------------------------------------------------ */

vl_status vl_http_check_address(const char *address, vl_error *error) {
    vl_status status = VL_ERR_USAGE;
    char *host = NULL, *user = NULL;
    CURLU *url = curl_url();
    if (url && (!strncmp(address, "http://", 7) || !strncmp(address, "https://", 8)) &&
        strlen(address) < VL_OCR_ENGINE_ADDRESS &&
        !curl_url_set(url, CURLUPART_URL, address, 0) &&
        !curl_url_get(url, CURLUPART_HOST, &host, 0) && *host &&
        curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_NO_USER &&
        !strpbrk(address, "?#"))
        status = VL_OK;
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(url);
    return status
               ? vl_fail(error, status,
                         "'%.200s' is no address of a service: write http://host:port", address)
               : VL_OK;
}

static const char *version(void) {
    return "";
}

static void start_curl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static vl_status engine_open(const char *where, void **out, vl_error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    vl_status status = vl_http_check_address(where, error);
    if (status)
        return status;
    pthread_once(&once, start_curl);
    state *s = calloc(1, sizeof *s);
    if (s && !(s->curl = curl_easy_init())) {
        free(s);
        s = NULL;
    }
    if (!s)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the service %s", where);
    size_t length = strlen(where);
    while (length && where[length - 1] == '/')
        length--;
    snprintf(s->url, sizeof s->url, "%.*s/api/v1/ocr", (int)length, where);
    *out = s;
    return VL_OK;
}

static void engine_close(void *opaque) {
    state *s = opaque;
    if (!s)
        return;
    curl_easy_cleanup(s->curl);
    free(s);
}

/* The service says itself what it cannot read. */
static bool can_read(void *opaque, const char *pack) {
    (void)opaque;
    return *pack;
}

const vl_engine vl_engine_http = {
    .name = "http",
    .knows_confidence = true,
    .outside = true,
    .remote = true,
    .cost = 1, /* not ours to know before it was called */
    .version = version,
    .open = engine_open,
    .close = engine_close,
    .can_read = can_read,
    .read = read_page,
};
