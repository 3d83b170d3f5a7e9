/* fetch.c — one document over HTTP (fetch.h), by libcurl.
 *
 *   vl_fetch_host_listed   which hosts
 *   open_socket            which addresses, at the moment of connecting
 *   take_header, take_body what comes back, within its limits
 *   vl_fetch               one answer after another, until it is no redirect */
#include "harvest/fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct vl_fetcher {
    CURL *curl;
    vl_fetch_rules rules;
};

/* One answer that arrives. */
typedef struct arrival {
    const vl_fetcher *fetcher;
    const vl_fetch_request *request;
    vl_fetch_reply *reply;
    vl_status refused; /* why it was broken off by us; VL_OK: it was not */
    vl_error *error;
} arrival;

vl_fetch_rules vl_fetch_rules_default(void) {
    return (vl_fetch_rules){.hosts = "*",
                            .agent = "vislang/" VL_VERSION,
                            .connect_seconds = 5,
                            .seconds = 30,
                            .max_bytes = 64 << 20,
                            .redirects = 5};
}

void vl_fetch_reply_init(vl_fetch_reply *reply) {
    *reply = (vl_fetch_reply){.status = 0};
    vl_buf_init(&reply->headers, VL_FETCH_HEADERS_MAX);
}

void vl_fetch_reply_deinit(vl_fetch_reply *reply) {
    vl_buf_deinit(&reply->headers);
}

bool vl_fetch_header(const vl_fetch_reply *reply, const char *name, char *value, size_t size) {
    size_t length = strlen(name);
    for (const char *line = reply->headers.data; line && *line;) {
        size_t all = strcspn(line, "\n");
        if (all > length && line[length] == ':' && !strncasecmp(line, name, length)) {
            const char *from = line + length + 1;
            from += strspn(from, " \t");
            size_t bytes = (size_t)(line + all - from);
            while (bytes && (from[bytes - 1] == ' ' || from[bytes - 1] == '\t'))
                bytes--;
            if (bytes >= size)
                return false;
            memcpy(value, from, bytes);
            value[bytes] = '\0';
            return true;
        }
        line += all + (line[all] == '\n');
    }
    return false;
}

/* ---- who may be asked ------------------------------------------------------------------- */

static bool item_matches(const char *item, size_t length, const char *host, size_t bytes) {
    if (length == 1 && *item == '*')
        return true;
    if (length > 1 && *item == '.')
        return bytes > length && !strncasecmp(host + bytes - length, item, length);
    return bytes == length && !strncasecmp(host, item, length);
}

bool vl_fetch_host_listed(const char *hosts, const char *host) {
    size_t bytes = strlen(host);
    bytes -= bytes && host[bytes - 1] == '.';
    for (const char *item = hosts; bytes && *(item += strspn(item, ", \t"));) {
        size_t length = strcspn(item, ", \t");
        if (item_matches(item, length, host, bytes))
            return true;
        item += length;
    }
    return false;
}

static vl_status check_parts(const vl_fetch_rules *rules, CURLU *url, vl_error *error) {
    char *scheme = NULL, *user = NULL, *host = NULL;
    vl_status status = VL_OK;
    curl_url_get(url, CURLUPART_USER, &user, 0);
    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) ||
        (strcmp(scheme, "http") && strcmp(scheme, "https")))
        status = vl_fail(error, VL_ERR_INPUT, "it is no http or https URL");
    else if (user)
        status = vl_fail(error, VL_ERR_INPUT, "a URL with a user name is not fetched");
    else if (!vl_fetch_host_listed(rules->hosts, host))
        status =
            vl_fail(error, VL_ERR_DENIED, "the host '%.200s' is not one to fetch from", host);
    curl_free(scheme);
    curl_free(user);
    curl_free(host);
    return status;
}

static vl_status check_url(const vl_fetch_rules *rules, const char *text, vl_error *error) {
    CURLU *url = curl_url();
    if (!url)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a URL");
    vl_status status =
        strlen(text) >= VL_FETCH_URL_SIZE || curl_url_set(url, CURLUPART_URL, text, 0)
            ? vl_fail(error, VL_ERR_INPUT, "it is no URL")
            : check_parts(rules, url, error);
    curl_url_cleanup(url);
    return status;
}

/* ---- libcurl's questions ---------------------------------------------------------------- */

static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *to) {
    arrival *a = user;
    const vl_fetch_rules *rules = &a->fetcher->rules;
    vl_address address;
    (void)purpose;
    vl_address_from_socket(&to->addr, &address);
    if (!vl_address_is_public(&address) && !vl_networks_hold(&rules->networks, &address)) {
        a->refused = vl_fail(a->error, VL_ERR_DENIED, "its host has no public address");
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static bool is_line_end(char c) {
    return c == '\r' || c == '\n';
}

static size_t take_header(char *line, size_t size, size_t count, void *user) {
    arrival *a = user;
    size_t bytes = size * count, length = bytes;
    vl_buf *headers = &a->reply->headers;
    while (length && is_line_end(line[length - 1]))
        length--;
    if (length > 4 && !strncmp(line, "HTTP/", 5)) {
        vl_buf_clear(headers);
        return bytes;
    }
    if (!length || memchr(line, '\0', length))
        return bytes;
    vl_buf_append(headers, line, length);
    vl_buf_append(headers, "\n", 1);
    if (!headers->failed)
        return bytes;
    a->refused = vl_fail(a->error, VL_ERR_LIMIT, "its headers are longer than %d bytes",
                         VL_FETCH_HEADERS_MAX);
    return 0;
}

static void keep_refusal(vl_buf *to, const char *data, size_t bytes) {
    if (to && to->len < to->max)
        vl_buf_append(to, data, bytes < to->max - to->len ? bytes : to->max - to->len);
}

static size_t take_body(char *data, size_t size, size_t count, void *user) {
    arrival *a = user;
    size_t bytes = size * count;
    long status = 0;
    uint64_t max = a->fetcher->rules.max_bytes;
    curl_easy_getinfo(a->fetcher->curl, CURLINFO_RESPONSE_CODE, &status);
    a->reply->bytes += bytes;
    if (a->reply->bytes > max)
        a->refused = vl_fail(a->error, VL_ERR_LIMIT, "it is larger than %llu bytes",
                             (unsigned long long)max);
    else if (status < 200 || status >= 300)
        keep_refusal(a->request->refusal, data, bytes);
    else if (a->request->sink)
        a->refused = a->request->sink(a->request->to, data, bytes, a->error);
    return a->refused ? 0 : bytes;
}

static int is_cancelled(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    const arrival *arrives = user;
    (void)a, (void)b, (void)c, (void)d;
    return arrives->request->cancel && atomic_load(arrives->request->cancel);
}

/* ---- one request ------------------------------------------------------------------------ */

static void set_up(CURL *curl, arrival *a, const char *url, struct curl_slist *headers,
                   double seconds) {
    const vl_fetch_rules *rules = &a->fetcher->rules;
    curl_easy_reset(curl); /* options; connections stay */
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, rules->agent);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(rules->connect_seconds * 1000));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(seconds * 1000) + 1);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)rules->max_bytes);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, a);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, a);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_cancelled);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, a);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (rules->ca)
        curl_easy_setopt(curl, CURLOPT_CAINFO, rules->ca);
    if (!a->request->body)
        return;
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)a->request->body_bytes);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, a->request->body);
}

static vl_status fail_as(CURLcode code, const arrival *a) {
    if (a->refused)
        return a->refused;
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return vl_fail(a->error, VL_ERR_TIMEOUT, "it did not come within %g s",
                       a->fetcher->rules.seconds);
    case CURLE_ABORTED_BY_CALLBACK:
        return vl_fail(a->error, VL_ERR_CANCELLED, "the fetch was cancelled");
    case CURLE_FILESIZE_EXCEEDED:
        return vl_fail(a->error, VL_ERR_LIMIT, "it is larger than %llu bytes",
                       (unsigned long long)a->fetcher->rules.max_bytes);
    case CURLE_OUT_OF_MEMORY:
        return vl_fail(a->error, VL_ERR_MEMORY, "no memory to fetch it");
    default:
        return vl_fail(a->error, VL_ERR_MISSING, "it cannot be fetched: %s",
                       curl_easy_strerror(code));
    }
}

static vl_status ask(vl_fetcher *f, arrival *a, struct curl_slist *headers, double seconds,
                     vl_error *error) {
    long http = 0;
    vl_status status = check_url(&f->rules, a->reply->url, error);
    if (status)
        return status;
    if (seconds <= 0)
        return fail_as(CURLE_OPERATION_TIMEDOUT, a);
    a->reply->bytes = 0;
    *a->reply->next = '\0';
    if (a->request->refusal)
        vl_buf_clear(a->request->refusal);
    vl_buf_clear(&a->reply->headers);
    set_up(f->curl, a, a->reply->url, headers, seconds);
    CURLcode code = curl_easy_perform(f->curl);
    if (code || a->refused)
        return fail_as(code, a);
    curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &http);
    a->reply->status = (unsigned)http;
    return VL_OK;
}

static bool is_same_part(CURLU *a, CURLU *b, CURLUPart part) {
    char *x = NULL, *y = NULL;
    bool same = !curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) &&
                !curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) && !strcasecmp(x, y);
    curl_free(x);
    curl_free(y);
    return same;
}

static bool is_same_origin(const char *one, const char *other) {
    CURLU *a = curl_url(), *b = curl_url();
    bool same = a && b && !curl_url_set(a, CURLUPART_URL, one, 0) &&
                !curl_url_set(b, CURLUPART_URL, other, 0) &&
                is_same_part(a, b, CURLUPART_SCHEME) && is_same_part(a, b, CURLUPART_HOST) &&
                is_same_part(a, b, CURLUPART_PORT);
    curl_url_cleanup(a);
    curl_url_cleanup(b);
    return same;
}

/* Where the answer sends us; NULL: it is the last one. */
static const char *redirected(CURL *curl, const vl_fetch_reply *reply) {
    char *url = NULL;
    if (reply->status != 304)
        curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &url);
    return url;
}

/* Writes down where the answer sends us, unless it may not. */
static vl_status note_redirect(arrival *a, const char *next, vl_error *error) {
    vl_fetch_reply *reply = a->reply;
    if (a->request->body)
        return vl_fail(error, VL_ERR_DENIED, "a redirect of what was sent is not followed");
    if (!strncmp(reply->url, "https:", 6) && strncmp(next, "https:", 6))
        return vl_fail(error, VL_ERR_DENIED, "it is redirected from https to http");
    if (strlen(next) >= sizeof reply->next)
        return vl_fail(error, VL_ERR_INPUT, "it is redirected to a URL of over %d bytes",
                       VL_FETCH_URL_SIZE - 1);
    strcpy(reply->next, next);
    reply->next_is_elsewhere = !is_same_origin(reply->url, next);
    return VL_OK;
}

static vl_status follow(vl_fetcher *f, arrival *a, struct curl_slist *headers,
                        vl_error *error) {
    int64_t start = vl_clock_ns();
    for (unsigned hop = 0;; hop++) {
        double left = f->rules.seconds - vl_clock_ms_since(start) / 1000;
        vl_status status = ask(f, a, headers, left, error);
        const char *next = status ? NULL : redirected(f->curl, a->reply);
        if (next)
            status = note_redirect(a, next, error);
        if (status || !next || a->request->stay)
            return status;
        if (hop == f->rules.redirects)
            return vl_fail(error, VL_ERR_LIMIT, "it is redirected more than %u times",
                           f->rules.redirects);
        if (a->reply->next_is_elsewhere)
            headers = NULL;
        memcpy(a->reply->url, a->reply->next, sizeof a->reply->url);
    }
}

vl_status vl_fetch(vl_fetcher *f, const vl_fetch_request *request, vl_fetch_reply *reply,
                   vl_error *error) {
    struct curl_slist *headers = NULL;
    vl_error local;
    arrival a = {.fetcher = f, .request = request, .reply = reply};
    a.error = error ? error : &local;
    if (strlen(request->url) >= sizeof reply->url)
        return vl_fail(error, VL_ERR_INPUT, "the URL is longer than %d bytes",
                       VL_FETCH_URL_SIZE - 1);
    strcpy(reply->url, request->url);
    reply->status = 0;
    *reply->next = '\0';
    reply->next_is_elsewhere = false;
    for (const char *const *line = request->headers; line && *line; line++) {
        struct curl_slist *more = curl_slist_append(headers, *line);
        if (!more) {
            curl_slist_free_all(headers);
            return vl_fail(error, VL_ERR_MEMORY, "no memory for headers");
        }
        headers = more;
    }
    vl_status status = follow(f, &a, headers, a.error);
    curl_slist_free_all(headers);
    return status;
}

vl_status vl_fetcher_new(const vl_fetch_rules *rules, vl_fetcher **fetcher, vl_error *error) {
    vl_fetcher *f = calloc(1, sizeof *f);
    CURL *curl = f ? curl_easy_init() : NULL;
    if (!curl) {
        free(f);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a fetcher");
    }
    *f = (vl_fetcher){.curl = curl, .rules = *rules};
    *fetcher = f;
    return VL_OK;
}

void vl_fetcher_free(vl_fetcher *f) {
    if (!f)
        return;
    curl_easy_cleanup(f->curl);
    free(f);
}
