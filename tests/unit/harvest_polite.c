/* Fetching as a guest: a server on this machine that asks for things, and a clock that goes
 * only when somebody waits, so that what was waited is exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harvest/polite.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the clock --------------------------------------------------------------------------- */

#define SECOND INT64_C(1000000000)
static _Atomic int64_t time_now;
static atomic_bool cancel, cancel_in_wait;

static int64_t clock_now(void *user) {
    (void)user;
    return time_now;
}

static void clock_wait(void *user, int64_t ns) {
    (void)user;
    time_now += ns;
    if (cancel_in_wait)
        atomic_store(&cancel, true);
}

static const vl_polite_clock test_clock = {clock_now, clock_wait, NULL};

/* ---- the server: one request a connection, a thread a connection ------------------------- */

enum { SEEN_MAX = 256, ANSWER_SIZE = 32768 };
typedef struct seen {
    char host[64], path[256];
    int64_t time;
} seen;

static int listener = -1;
static uint16_t port;
static pthread_t acceptor;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static seen requests[SEEN_MAX];
static size_t request_count;
static char last[8192]; /* the last request */
static const char
    *robots_here; /* answers of /robots.txt at 127.0.0.1 and localhost; NULL: 404 */
static const char *robots_there;
static int at_once, most_at_once, open_count;

#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n"
#define X64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define X512 X64 X64 X64 X64 X64 X64 X64 X64
#define EMPTY "Content-Length: 0\r\n\r\n"
#define HELLO "Content-Length: 5\r\n\r\nhello"
#define PAGE(status, type, body) "HTTP/1.1 " status "\r\nContent-Type: " type "\r\n\r\n" body

/* The answers to the first, second, … request of a path; the last one stays. */
static const struct {
    const char *path, *answers[4];
} table[] = {
    {"/ok", {OK HELLO}},
    {"/busy", {"HTTP/1.1 429 No\r\nRetry-After: 7\r\n" EMPTY, OK HELLO}},
    {"/date",
     {"HTTP/1.1 503 No\r\nDate: Wed, 21 Oct 2015 07:28:00 GMT\r\n"
      "Retry-After: Wed, 21 Oct 2015 07:28:20 GMT\r\n" EMPTY,
      OK HELLO}},
    {"/late", {"HTTP/1.1 503 No\r\nRetry-After: 4000\r\n" EMPTY}},
    {"/never", {"HTTP/1.1 503 No\r\nRetry-After: 99999999999999999999999\r\n" EMPTY}},
    {"/shaky", {"HTTP/1.1 500 No\r\n" EMPTY, "HTTP/1.1 502 No\r\n" EMPTY, OK HELLO}},
    {"/down", {"HTTP/1.1 503 No\r\n" EMPTY}},
    {"/full", {"HTTP/1.1 429 No\r\n" EMPTY}},
    {"/cut", {OK "Content-Length: 9999\r\n\r\nhalf", OK HELLO}},
    {"/cut-late", {OK "Content-Length: 9999\r\n\r\n" X512 X512, OK HELLO}},
    {"/gone", {PAGE("410 Gone", "text/plain", "it went\n  away")}},
    {"/secret", {PAGE("403 Forbidden", "text/html", "<html><title>Not you</title></html>")}},
    {"/same", {"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"}},
    {"/to-ok", {"HTTP/1.1 302 Found\r\nLocation: ok\r\n" EMPTY}},
    {"/loop", {"HTTP/1.1 302 Found\r\nLocation: loop\r\n" EMPTY}},
    {"/api-page",
     {PAGE("200 OK", "application/json", "\n<!DOCTYPE html><title>Quota</title>")}},
    {"/api-wall",
     {PAGE("404 Not Found", "text/html", "<html><title>Wait</title><script>go()</script>")}},
    {"/wall", {"HTTP/1.1 403 No\r\ncf-mitigated: challenge\r\n" EMPTY}},
    {"/tagged", {OK "X-Robots-Tag: nofollow, noai\r\n" HELLO}},
    {"/tagged-empty", {OK "X-Robots-Tag: noindex\r\n" EMPTY}},
};

static void send_all(int fd, const char *text, size_t bytes) {
    for (ssize_t n; bytes && (n = send(fd, text, bytes, MSG_NOSIGNAL)) > 0; bytes -= (size_t)n)
        text += n;
}

static size_t hits(const char *path) {
    size_t count = 0;
    for (size_t i = 0; i < request_count; i++)
        count += !strcmp(requests[i].path, path);
    return count;
}

static const char *answer_of(const char *host, const char *path, char *made) {
    const char *robots = strncmp(host, "localhost", 9) ? robots_here : robots_there;
    if (!strcmp(path, "/robots.txt") && robots)
        return robots;
    if (!strcmp(path, "/away") || !strcmp(path, "/away-private")) {
        snprintf(made, ANSWER_SIZE,
                 "HTTP/1.1 307 Away\r\nLocation: http://localhost:%u/%s\r\n" EMPTY, port,
                 path[5] ? "private" : "ok");
        return made;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].path, path)) {
            size_t n = hits(path) - 1;
            while (n && (n > 3 || !table[i].answers[n]))
                n--;
            return table[i].answers[n];
        }
    return "HTTP/1.1 404 Not Found\r\n" EMPTY;
}

static void note(const char *text) {
    seen *s = &requests[request_count < SEEN_MAX - 1 ? request_count++ : request_count];
    const char *host = strstr(text, "Host: ");
    *s = (seen){.time = time_now};
    sscanf(text, "%*s %255s", s->path);
    if (host)
        sscanf(host, "Host: %63[^\r]", s->host);
    snprintf(last, sizeof last, "%s", text);
}

static void *serve(void *user) {
    int fd = (int)(intptr_t)user;
    char text[8192], made[ANSWER_SIZE];
    size_t used = 0;
    ssize_t n;
    while (used + 1 < sizeof text &&
           (n = recv(fd, text + used, sizeof text - 1 - used, 0)) > 0) {
        used += (size_t)n;
        text[used] = '\0';
        if (strstr(text, "\r\n\r\n"))
            break;
    }
    pthread_mutex_lock(&lock);
    at_once++;
    most_at_once = at_once > most_at_once ? at_once : most_at_once;
    note(used ? text : "? /nothing\r\n");
    const seen *s = &requests[request_count - 1];
    const char *answer = answer_of(s->host, s->path, made);
    pthread_mutex_unlock(&lock);
    usleep(1000); /* whoever does not wait for us comes now */
    pthread_mutex_lock(&lock);
    at_once--;
    pthread_mutex_unlock(&lock);
    send_all(fd, answer, strlen(answer));
    close(fd);
    pthread_mutex_lock(&lock);
    open_count--;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *accept_all(void *user) {
    pthread_t thread;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        pthread_mutex_lock(&lock);
        open_count++;
        pthread_mutex_unlock(&lock);
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
            abort();
        pthread_detach(thread);
    }
    return user;
}

static int start(void **state) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    (void)state;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 64) ||
        getsockname(listener, (struct sockaddr *)&at, &size))
        return -1;
    port = ntohs(at.sin_port);
    return pthread_create(&acceptor, NULL, accept_all, NULL);
}

static int stop(void **state) {
    (void)state;
    shutdown(listener, SHUT_RDWR);
    pthread_join(acceptor, NULL);
    close(listener);
    for (int busy = 1; busy; usleep(1000)) {
        pthread_mutex_lock(&lock);
        busy = open_count;
        pthread_mutex_unlock(&lock);
    }
    return 0;
}

static int reset(void **state) {
    (void)state;
    request_count = 0;
    robots_here = robots_there = NULL;
    most_at_once = 0;
    time_now = 1000 * SECOND;
    atomic_store(&cancel, false);
    atomic_store(&cancel_in_wait, false);
    *last = '\0';
    return 0;
}

/* ---- asking ------------------------------------------------------------------------------ */

static vl_polite_options options_here(void) {
    vl_polite_options options = vl_polite_options_default();
    options.rules.seconds = 20;
    options.contact = "mailto:data@example.org";
    options.clock = &test_clock;
    options.cancel = &cancel;
    options.tries = 3;
    assert_int_equal(vl_networks_parse("127.0.0.0/8, ::1", &options.rules.networks, NULL),
                     VL_OK);
    return options;
}

static vl_polite *polite_here(const vl_polite_options *options) {
    vl_polite_options usual = options_here();
    vl_polite *polite;
    assert_int_equal(vl_polite_new(options ? options : &usual, &polite, NULL), VL_OK);
    return polite;
}

static vl_status keep(void *to, const void *bytes, size_t count, vl_error *error) {
    vl_buf_append(to, bytes, count);
    return vl_buf_status(to, "a body", error);
}

static void again(void *to) {
    vl_buf_clear(to);
}

typedef struct got {
    vl_status status;
    vl_error error;
    unsigned http;
    char body[64], url[256];
} got;

static got get(vl_polite *polite, const char *path, vl_polite_request request) {
    char url[512];
    vl_buf body;
    vl_fetch_reply reply;
    got g = {.status = VL_OK};
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, path);
    vl_buf_init(&body, 1 << 20);
    vl_fetch_reply_init(&reply);
    request.url = url;
    request.sink = keep;
    request.to = &body;
    g.status = vl_polite_fetch(polite, &request, &reply, &g.error);
    g.http = reply.status;
    snprintf(g.body, sizeof g.body, "%s", body.data ? body.data : "");
    snprintf(g.url, sizeof g.url, "%s", reply.url);
    vl_fetch_reply_deinit(&reply);
    vl_buf_deinit(&body);
    return g;
}

static got get_plain(vl_polite *polite, const char *path) {
    return get(polite, path, (vl_polite_request){.again = again});
}

static got get_api(vl_polite *polite, const char *path) {
    return get(polite, path, (vl_polite_request){.api = true, .again = again});
}

static void assert_says(const got *g, vl_status status, const char *words) {
    if (g->status != status || !strstr(g->error.message, words))
        fail_msg("%d: %s", g->status, g->status ? g->error.message : "no error");
}

static int64_t gap(size_t i) {
    return requests[i].time - requests[i - 1].time;
}

/* ---- robots.txt -------------------------------------------------------------------------- */

static void test_robots(void **state) {
    (void)state;
    vl_polite *p = polite_here(NULL);
    robots_here =
        OK "\r\nuser-agent: *\ndisallow: /\n\nuser-agent: VISLANG\ndisallow: /private\n";
    got g = get_plain(p, "/private/x");
    assert_says(&g, VL_ERR_DENIED, "robots.txt of 127.0.0.1");
    assert_int_equal(request_count, 1);
    g = get_plain(p, "/ok");
    assert_int_equal(g.status, VL_OK);
    assert_int_equal(g.http, 200);
    assert_string_equal(g.body, "hello");
    assert_int_equal(request_count, 2); /* robots.txt is remembered */
    assert_non_null(
        strstr(last, "User-Agent: vislang/" VL_VERSION " (+mailto:data@example.org)\r\n"));
    robots_here = OK "\r\nuser-agent: *\ndisallow: /ok\n";
    time_now += 24 * 3600 * SECOND - 10 * SECOND;
    assert_int_equal(get_plain(p, "/ok").status, VL_OK);
    time_now += 20 * SECOND; /* for a day */
    assert_int_equal(get_plain(p, "/ok").status, VL_ERR_DENIED);
    assert_int_equal(hits("/robots.txt"), 2);
    robots_here = "HTTP/1.1 500 No\r\n" EMPTY; /* the old one goes on */
    time_now += 25 * 3600 * SECOND;
    assert_int_equal(get_plain(p, "/ok").status, VL_ERR_DENIED);
    assert_int_equal(get_api(p, "/ok").status, VL_OK); /* interfaces are for programs */
    assert_int_equal(vl_polite_count(p).refused, 3);
    vl_polite_free(p);
}

static void test_robots_statuses(void **state) {
    static char redirect[256], moved[256], huge[600 << 10];
    snprintf(redirect, sizeof redirect,
             "HTTP/1.1 301 Moved\r\nLocation: http://localhost:%u/robots.txt\r\n" EMPTY, port);
    snprintf(moved, sizeof moved,
             "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:%u/robots.txt\r\n" EMPTY, port);
    memset(huge, '#', sizeof huge - 1);
    memcpy(huge, OK "\r\nuser-agent:*\ndisallow:/\n", strlen(OK) + 27);
    huge[strlen(OK) + 27] = '#';
    const struct {
        const char *here, *there;
        vl_status status;
        size_t asked;
        const char *says;
    } rows[] = {
        {NULL, NULL, VL_OK, 1, NULL}, /* 404 */
        {"HTTP/1.1 403 No\r\n" EMPTY, NULL, VL_OK, 1, NULL},
        {"HTTP/1.1 501 No\r\n" EMPTY, NULL, VL_ERR_MISSING, 1, "forbids everything"},
        {"HTTP/1.1 503 No\r\n" EMPTY, NULL, VL_ERR_MISSING, 3, "forbids everything"},
        {OK "Content-Length: 900\r\n\r\nuser", NULL, VL_ERR_MISSING, 3, "forbids everything"},
        {"HTTP/1.1 429 No\r\n" EMPTY, NULL, VL_ERR_BUSY, 3, "429"},
        {OK "\r\n<html>user-agent: *\ndisallow: /\n", NULL, VL_OK, 1, NULL}, /* in no group */
        {redirect, OK "\r\nuser-agent: *\ndisallow: /ok\n", VL_ERR_DENIED, 2,
         "robots.txt of 127.0.0.1"},
        {redirect, moved, VL_OK, 6, NULL}, /* five redirects, and no more */
        {huge, NULL, VL_ERR_DENIED, 1, "robots.txt of"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reset(state);
        vl_polite *p = polite_here(NULL);
        robots_here = rows[i].here;
        robots_there = rows[i].there;
        got g = get_plain(p, "/ok");
        if (g.status != rows[i].status || hits("/robots.txt") != rows[i].asked)
            fail_msg("row %zu: %d after %zu: %s", i, g.status, hits("/robots.txt"),
                     g.status ? g.error.message : "");
        if (rows[i].says)
            assert_non_null(strstr(g.error.message, rows[i].says));
        assert_int_equal(hits("/ok"), g.status ? 0 : 1);
        if (g.status == VL_ERR_MISSING) {
            assert_int_equal(get_plain(p, "/ok").status, VL_ERR_MISSING);
            assert_int_equal(hits("/robots.txt"), rows[i].asked); /* not at once again */
            robots_here = NULL;
            time_now += 601 * SECOND;
            assert_int_equal(get_plain(p, "/ok").status, VL_OK);
        }
        vl_polite_free(p);
    }
}

static void test_sitemaps(void **state) {
    char url[128];
    vl_buf lines;
    (void)state;
    vl_polite *p = polite_here(NULL);
    robots_here =
        OK "\r\nSitemap: http://a/1\nuser-agent: *\ndisallow: /\nsitemap: http://a/2\n";
    snprintf(url, sizeof url, "http://127.0.0.1:%u/any", port);
    vl_buf_init(&lines, 1000);
    assert_int_equal(vl_polite_sitemaps(p, url, &lines, NULL), VL_OK);
    assert_string_equal(lines.data, "http://a/1\nhttp://a/2\n");
    vl_buf_deinit(&lines);
    vl_polite_free(p);
}

/* ---- pace -------------------------------------------------------------------------------- */

static void test_pace(void **state) {
    static const struct {
        const char *robots;
        double interval; /* of the request */
        bool api;
        double gap;
    } rows[] = {
        {NULL, 0, false, 1},
        {NULL, 2.5, false, 2.5},
        {OK "\r\nuser-agent: *\ncrawl-delay: 7\n", 0, false, 7},
        {OK "\r\nuser-agent: *\ncrawl-delay: 7\n", 9, false, 9},
        {OK "\r\nuser-agent: *\ncrawl-delay: 7000\n", 0, false, 60}, /* longest_delay */
        {OK "\r\nuser-agent: *\ncrawl-delay: 7\n", 0, true, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reset(state);
        vl_polite *p = polite_here(NULL);
        robots_here = rows[i].robots;
        vl_polite_request request = {.interval = rows[i].interval, .api = rows[i].api};
        for (int n = 0; n < 3; n++)
            assert_int_equal(get(p, "/ok", request).status, VL_OK);
        assert_int_equal(request_count, rows[i].api ? 3 : 4);
        for (size_t n = 1; n < request_count; n++)
            assert_true(gap(n) == (int64_t)(rows[i].gap * 1e9));
        assert_true(vl_polite_count(p).waited == (double)(request_count - 1) * rows[i].gap);
        vl_polite_free(p);
    }
}

static void test_retry_after(void **state) {
    static const struct {
        const char *path;
        double gap;
    } rows[] = {{"/busy", 7}, {"/date", 20}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reset(state);
        vl_polite *p = polite_here(NULL);
        got g = get_api(p, rows[i].path);
        assert_int_equal(g.status, VL_OK);
        assert_string_equal(g.body, "hello");
        assert_int_equal(request_count, 2);
        assert_true(gap(1) == (int64_t)(rows[i].gap * 1e9));
        assert_int_equal(vl_polite_count(p).retries, 1);
        assert_int_equal(vl_polite_count(p).requests, 2);
        vl_polite_free(p);
    }
    reset(state);
    vl_polite *p = polite_here(NULL);
    got g = get_api(p, "/late");
    assert_says(&g, VL_ERR_BUSY, "4000 s");
    time_now += 100 * SECOND;
    g = get_api(p, "/ok"); /* the whole host is left alone */
    assert_says(&g, VL_ERR_BUSY, "3900 s");
    assert_int_equal(request_count, 1);
    time_now += 3700 * SECOND;
    assert_int_equal(get_api(p, "/ok").status, VL_OK);
    assert_true(gap(1) == 4000 * SECOND);
    assert_int_equal(get_api(p, "/never").status, VL_ERR_BUSY);
    time_now += 20 * 365 * 24 * 3600 * SECOND;
    assert_int_equal(get_api(p, "/ok").status, VL_ERR_BUSY);
    vl_polite_free(p);
}

static void test_back_off(void **state) {
    (void)state;
    vl_polite *p = polite_here(NULL);
    got g = get_api(p, "/shaky");
    assert_int_equal(g.status, VL_OK);
    assert_string_equal(g.body, "hello");
    assert_true(gap(1) >= SECOND && gap(1) <= 2 * SECOND); /* the upper half of 2, then of 4 */
    assert_true(gap(2) >= 2 * SECOND && gap(2) <= 4 * SECOND);
    g = get_api(p, "/down");
    assert_says(&g, VL_ERR_MISSING, "503");
    assert_int_equal(hits("/down"), 3);
    g = get_api(p, "/full");
    assert_says(&g, VL_ERR_BUSY, "429");
    g = get_plain(p, "/cut");
    assert_int_equal(g.status, VL_OK);
    assert_string_equal(g.body, "hello"); /* and not "halfhello" */
    assert_int_equal(hits("/cut"), 2);
    vl_polite_free(p);
    reset(state);
    p = polite_here(NULL);
    assert_int_equal(get(p, "/cut", (vl_polite_request){.again = NULL}).status,
                     VL_OK); /* so little is held back until it is whole */
    g = get(p, "/cut-late", (vl_polite_request){.again = NULL});
    assert_says(&g, VL_ERR_MISSING, "cannot be fetched"); /* some was given */
    assert_int_equal(hits("/cut-late"), 1);
    vl_polite_free(p);
    reset(state);
    p = polite_here(NULL);
    g = get_plain(p, "/cut-late");
    assert_string_equal(g.body, "hello");
    assert_int_equal(hits("/cut-late"), 2);
    vl_polite_free(p);
}

static void test_nobody(void **state) {
    char url[64];
    vl_error error;
    vl_buf out;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    (void)state;
    int bound = socket(AF_INET, SOCK_STREAM, 0); /* a port at which nobody listens */
    assert_int_equal(bind(bound, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(bound, (struct sockaddr *)&at, &size), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", ntohs(at.sin_port));
    vl_polite *p = polite_here(NULL);
    vl_buf_init(&out, 100);
    vl_polite_request request = {.url = url, .api = true};
    assert_int_equal(vl_polite_get(p, &request, &out, &error), VL_ERR_MISSING);
    assert_non_null(strstr(error.message, "after 3 tries"));
    vl_buf_deinit(&out);
    vl_polite_free(p);
    close(bound);
}

static void test_cancel(void **state) {
    (void)state;
    vl_polite *p = polite_here(NULL);
    assert_int_equal(get_api(p, "/ok").status, VL_OK);
    atomic_store(&cancel_in_wait, true);
    assert_int_equal(get_api(p, "/ok").status, VL_ERR_CANCELLED);
    assert_int_equal(hits("/ok"), 1);
    assert_int_equal(get_plain(p, "/ok").status, VL_ERR_CANCELLED);
    atomic_store(&cancel_in_wait, false);
    atomic_store(&cancel, false);
    assert_int_equal(get_plain(p, "/ok").status, VL_OK); /* it was robots.txt's no */
    vl_polite_free(p);
}

/* ---- answers ----------------------------------------------------------------------------- */

static void test_answers(void **state) {
    (void)state;
    vl_polite_options options = options_here();
    options.interval = 0;
    vl_polite *p = polite_here(&options);
    vl_polite_request request = {.etag = "\"x\"", .modified = "Wed, 21 Oct 2015 07:28:00 GMT"};
    got g = get(p, "/same", request);
    assert_int_equal(g.http, 304);
    assert_non_null(strstr(last, "If-None-Match: \"x\"\r\n"));
    assert_non_null(strstr(last, "If-Modified-Since: Wed, 21 Oct 2015 07:28:00 GMT\r\n"));
    request.etag = "\"x\"\r\nX-More: 1";
    g = get(p, "/same", request);
    assert_int_equal(g.status, VL_ERR_INPUT);
    g = get_plain(p, "/gone");
    assert_int_equal(g.http, 410);
    g = get_plain(p, "/api-wall"); /* a site's page that is not there */
    assert_int_equal(g.http, 404);
    g = get_api(p, "/api-wall");
    assert_says(&g, VL_ERR_DENIED,
                "blocked: a page for people came in place of an answer "
                "(\"Wait\")");
    g = get_api(p, "/api-page");
    assert_says(&g, VL_ERR_DENIED, "(\"Quota\")");
    assert_string_equal(g.body, "");
    g = get_plain(p, "/wall");
    assert_says(&g, VL_ERR_DENIED, "blocked");
    g = get_plain(p, "/tagged");
    assert_says(&g, VL_ERR_DENIED, "X-Robots-Tag says noai");
    assert_string_equal(g.body, "");
    g = get_plain(p, "/tagged-empty");
    assert_says(&g, VL_ERR_DENIED, "X-Robots-Tag says noindex");
    g = get(p, "/tagged", (vl_polite_request){.ignore_tags = true});
    assert_string_equal(g.body, "hello");
    assert_int_equal(hits("/api-page") + hits("/tagged-empty"), 2); /* none was tried again */
    vl_polite_free(p);
}

static void test_redirects(void **state) {
    static const char *const secret[] = {"Authorization: Bearer 123", NULL};
    (void)state;
    vl_polite_options options = options_here();
    options.interval = 0;
    vl_polite *p = polite_here(&options);
    robots_there = OK "\r\nuser-agent: vislang\ndisallow: /private\n";
    got g = get(p, "/to-ok", (vl_polite_request){.headers = secret});
    assert_string_equal(g.body, "hello");
    assert_non_null(strstr(last, "Bearer 123"));
    g = get(p, "/away", (vl_polite_request){.headers = secret, .api = true});
    assert_string_equal(g.body, "hello");
    assert_null(strstr(last, "Bearer 123"));
    assert_non_null(strstr(g.url, "//localhost:"));
    g = get_api(p, "/away-private");
    assert_says(&g, VL_ERR_DENIED, "robots.txt of localhost");
    assert_int_equal(hits("/private"), 0);
    g = get_plain(p, "/loop");
    assert_says(&g, VL_ERR_LIMIT, "more than 5 times");
    assert_int_equal(hits("/loop"), 6);
    g = get(p, "/to-ok", (vl_polite_request){.body = "{}", .body_bytes = 2, .api = true});
    assert_int_equal(g.status, VL_ERR_DENIED);
    vl_polite_free(p);
}

static void test_get(void **state) {
    static const struct {
        const char *path;
        vl_status status;
        const char *says;
    } rows[] = {
        {"/ok", VL_OK, "hello"},
        {"/cut", VL_OK, "hello"},
        {"/gone", VL_ERR_INPUT, "answers 410: it went away"},
        {"/secret", VL_ERR_DENIED, "answers 403: Not you"},
        {"/same", VL_ERR_INPUT, "304"},
        {"/api-page", VL_ERR_LIMIT, "larger than 16 bytes"},
    };
    char url[128];
    (void)state;
    vl_polite *p = polite_here(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_buf out;
        vl_error error;
        vl_buf_init(&out, 16);
        snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, rows[i].path);
        vl_polite_request request = {.url = url};
        assert_int_equal(vl_polite_get(p, &request, &out, &error), rows[i].status);
        if (rows[i].status)
            assert_non_null(strstr(error.message, rows[i].says));
        else
            assert_string_equal(out.data, rows[i].says);
        vl_buf_deinit(&out);
    }
    vl_polite_free(p);
}

static void test_contact(void **state) {
    static const char *const bad[] = {"a b", "x\r\nHost: y", "(", "caf\xc3\xa9"};
    (void)state;
    vl_polite_options options = options_here();
    vl_polite *p;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        options.contact = bad[i];
        assert_int_equal(vl_polite_new(&options, &p, NULL), VL_ERR_USAGE);
    }
    options.contact = "";
    p = polite_here(&options);
    assert_int_equal(get_api(p, "/ok").status, VL_OK);
    assert_non_null(strstr(last, "User-Agent: vislang/" VL_VERSION "\r\n"));
    vl_polite_free(p);
}

/* ---- threads ----------------------------------------------------------------------------- */

enum { THREADS = 6, EACH = 4 };

static void *work(void *user) {
    static const char *const paths[] = {"/ok", "/to-ok", "/busy", "/gone"};
    size_t answers = 0;
    for (int i = 0; i < EACH; i++)
        answers += get_plain(user, paths[i]).status == VL_OK;
    return (void *)answers;
}

static void test_threads(void **state) {
    pthread_t threads[THREADS];
    size_t answers = 0;
    void *some;
    (void)state;
    vl_polite *p = polite_here(NULL);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, p), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &some);
        answers += (size_t)some;
    }
    assert_int_equal(answers, THREADS * EACH);
    assert_int_equal(most_at_once, 1);
    assert_int_equal(hits("/robots.txt"), 1);
    assert_int_equal(vl_polite_count(p).requests, request_count);
    for (size_t n = 1; n < request_count; n++)
        assert_true(gap(n) >= SECOND);
    vl_polite_free(p);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_robots),      TEST(test_robots_statuses),
        TEST(test_sitemaps),    TEST(test_pace),
        TEST(test_retry_after), TEST(test_back_off),
        TEST(test_nobody),      TEST(test_cancel),
        TEST(test_answers),     TEST(test_redirects),
        TEST(test_get),         TEST(test_contact),
        TEST(test_threads),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
