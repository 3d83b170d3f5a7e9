/* Fetching: lists of hosts, headers, and answers of a server on this machine that behaves
 * badly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harvest/fetch.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a server that answers one request a connection, by its path --------------------------
 */

static int listener = -1;
static uint16_t port;
static pthread_t thread;
static char last[4096]; /* the last request */

static void answer(int fd, const char *path) {
    char head[8192] = "";
    if (!strcmp(path, "/ok"))
        strcpy(head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\nhello");
    else if (!strcmp(path, "/gone"))
        strcpy(head, "HTTP/1.1 410 Gone\r\nContent-Length: 4\r\nRetry-After:  7 \r\n\r\nnope");
    else if (!strcmp(path, "/cut"))
        strcpy(head, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello");
    else if (!strcmp(path, "/loop"))
        strcpy(head, "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
    else if (!strcmp(path, "/long"))
        strcpy(head, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
    else if (!strcmp(path, "/to-ok"))
        strcpy(head,
               "HTTP/1.1 301 Moved\r\nLocation: ok\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n");
    else if (!strcmp(path, "/away"))
        snprintf(head, sizeof head,
                 "HTTP/1.1 302 Found\r\nLocation: http://localhost:%u/ok\r\n"
                 "Content-Length: 0\r\n\r\n",
                 port);
    else if (!strcmp(path, "/noise"))
        strcpy(head, "\x16\x03\x01 what is this\r\n\r\n");
    if (!strcmp(path, "/headers")) {
        char line[1024];
        memset(line, 'x', sizeof line);
        send(fd, "HTTP/1.1 200 OK\r\n", 17, MSG_NOSIGNAL);
        for (int i = 0; i < 100; i++) {
            snprintf(line, sizeof line, "X-%d:", i);
            line[strlen(line)] = ' ';
            memcpy(line + sizeof line - 2, "\r\n", 2);
            send(fd, line, sizeof line, MSG_NOSIGNAL);
        }
        strcpy(head, "Content-Length: 0\r\n\r\n");
    }
    send(fd, head, strlen(head), MSG_NOSIGNAL);
}

static void *serve(void *user) {
    char path[256];
    (void)user;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
        size_t used = 0;
        ssize_t n;
        while (used + 1 < sizeof last &&
               (n = recv(fd, last + used, sizeof last - 1 - used, 0)) > 0) {
            used += (size_t)n;
            last[used] = '\0';
            if (strstr(last, "\r\n\r\n"))
                break;
        }
        if (used && sscanf(last, "%*s %255s", path) == 1)
            answer(fd, path);
    }
    return NULL;
}

static int start(void **state) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    (void)state;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 8) ||
        getsockname(listener, (struct sockaddr *)&at, &size))
        return -1;
    port = ntohs(at.sin_port);
    return pthread_create(&thread, NULL, serve, NULL);
}

static int stop(void **state) {
    (void)state;
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    return 0;
}

/* ---- asking -------------------------------------------------------------------------------
 */

static vl_fetch_rules rules_here(void) {
    vl_fetch_rules rules = vl_fetch_rules_default();
    rules.seconds = 5;
    rules.max_bytes = 1 << 16;
    assert_int_equal(vl_networks_parse("127.0.0.0/8, ::1", &rules.networks, NULL), VL_OK);
    return rules;
}

static vl_status keep(void *to, const void *bytes, size_t count, vl_error *error) {
    vl_buf_append(to, bytes, count);
    return vl_buf_status(to, "a body", error);
}

static vl_status get(const vl_fetch_rules *rules, const char *path, const char *const *headers,
                     vl_buf *body, vl_fetch_reply *reply, vl_error *error) {
    char url[512];
    vl_fetcher *fetcher;
    if (*path == '/')
        snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, path);
    else
        snprintf(url, sizeof url, "%s", path);
    assert_int_equal(vl_fetcher_new(rules, &fetcher, NULL), VL_OK);
    vl_fetch_request request = {.url = url, .headers = headers, .sink = keep, .to = body};
    vl_status status = vl_fetch(fetcher, &request, reply, error);
    vl_fetcher_free(fetcher);
    return status;
}

static void test_answers(void **state) {
    static const struct {
        const char *path;
        vl_status status;
        unsigned http;
        const char *body, *says;
    } rows[] = {
        {"/ok", VL_OK, 200, "hello", NULL},
        {"/to-ok", VL_OK, 200, "hello", NULL},
        {"/gone", VL_OK, 410, "", NULL}, /* what is not asked for is not given */
        {"/cut", VL_ERR_MISSING, 0, NULL, "cannot be fetched"},
        {"/nothing", VL_ERR_MISSING, 0, NULL, "cannot be fetched"},
        {"/noise", VL_ERR_MISSING, 0, NULL, "cannot be fetched"},
        {"/loop", VL_ERR_LIMIT, 0, NULL, "more than 5 times"},
        {"/long", VL_ERR_LIMIT, 0, NULL, "larger than 65536 bytes"},
        {"/headers", VL_ERR_LIMIT, 0, NULL, "headers are longer"},
        {"file:///etc/passwd", VL_ERR_INPUT, 0, NULL, "no http"},
        {"ftp://127.0.0.1/a", VL_ERR_INPUT, 0, NULL, "no http"},
        {"http://", VL_ERR_INPUT, 0, NULL, "no URL"},
        {"http://a:b@127.0.0.1/", VL_ERR_INPUT, 0, NULL, "user name"},
        {"http://169.254.169.254/", VL_ERR_DENIED, 0, NULL, "no public address"},
        {"http://[fd00::1]/", VL_ERR_DENIED, 0, NULL, "no public address"},
    };
    (void)state;
    vl_fetch_rules rules = rules_here();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error;
        vl_fetch_reply reply;
        vl_buf body;
        vl_buf_init(&body, 1 << 20);
        vl_fetch_reply_init(&reply);
        vl_status status = get(&rules, rows[i].path, NULL, &body, &reply, &error);
        if (status != rows[i].status)
            fail_msg("%s: status %d", rows[i].path, status);
        if (!status) {
            assert_int_equal(reply.status, rows[i].http);
            assert_string_equal(body.data ? body.data : "", rows[i].body);
        } else if (!strstr(error.message, rows[i].says)) {
            fail_msg("%s: %s", rows[i].path, error.message);
        }
        vl_fetch_reply_deinit(&reply);
        vl_buf_deinit(&body);
    }
}

static void test_headers(void **state) {
    static const char *const secret[] = {"Authorization: Bearer 123", "If-None-Match: \"a\"",
                                         NULL};
    char value[64];
    vl_buf body;
    vl_fetch_reply reply;
    (void)state;
    vl_fetch_rules rules = rules_here();
    vl_buf_init(&body, 1 << 20);
    vl_fetch_reply_init(&reply);
    assert_int_equal(get(&rules, "/to-ok", secret, &body, &reply, NULL), VL_OK);
    assert_non_null(strstr(last, "Bearer 123"));
    assert_non_null(strstr(last, "If-None-Match: \"a\""));
    assert_true(vl_fetch_header(&reply, "etag", value, sizeof value));
    assert_string_equal(value, "\"a\"");
    assert_false(
        vl_fetch_header(&reply, "X-Hop", value, sizeof value)); /* of the answer before */
    assert_false(vl_fetch_header(&reply, "ETa", value, sizeof value));
    assert_false(vl_fetch_header(&reply, "ETag", value, 3));
    assert_int_equal(get(&rules, "/away", secret, &body, &reply, NULL), VL_OK);
    assert_null(strstr(last, "Bearer 123")); /* another host is told nothing */
    assert_non_null(strstr(reply.url, "//localhost:"));
    assert_int_equal(get(&rules, "/gone", NULL, &body, &reply, NULL), VL_OK);
    assert_true(vl_fetch_header(&reply, "Retry-After", value, sizeof value));
    assert_string_equal(value, "7");
    vl_fetch_reply_deinit(&reply);
    vl_buf_deinit(&body);
}

static void test_rules(void **state) {
    vl_buf body;
    vl_fetch_reply reply;
    vl_error error;
    (void)state;
    vl_buf_init(&body, 1 << 20);
    vl_fetch_reply_init(&reply);
    vl_fetch_rules rules = rules_here();
    rules.hosts = "127.0.0.1";
    assert_int_equal(get(&rules, "/ok", NULL, &body, &reply, NULL), VL_OK);
    assert_int_equal(get(&rules, "/away", NULL, &body, &reply, &error), VL_ERR_DENIED);
    assert_non_null(strstr(error.message, "localhost"));
    rules = rules_here();
    rules.networks.count = 0;
    *last = '\0';
    assert_int_equal(get(&rules, "/ok", NULL, &body, &reply, NULL), VL_ERR_DENIED);
    assert_string_equal(last, ""); /* nobody came */
    vl_fetch_reply_deinit(&reply);
    vl_buf_deinit(&body);
}

static void test_hosts(void **state) {
    static const struct {
        const char *hosts, *host;
        bool is_listed;
    } rows[] = {
        {"example.org", "example.org", true},
        {"example.org", "EXAMPLE.org.", true},
        {"example.org", "a.example.org", false},
        {"example.org", "example.org.evil", false},
        {".example.org", "a.example.org", true},
        {".example.org", "a.b.example.org", true},
        {".example.org", "example.org", false},
        {".example.org", ".example.org", false},
        {".example.org", "xexample.org", false},
        {"a, b\t c", "b", true},
        {"a, b\t c", "c", true},
        {"a, b\t c", "", false},
        {"*", "anything", true},
        {"*", "", false},
        {"", "a", false},
        {".", "a", false},
        {"*.example.org", "a.example.org", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (vl_fetch_host_listed(rows[i].hosts, rows[i].host) != rows[i].is_listed)
            fail_msg("'%s' in '%s'", rows[i].host, rows[i].hosts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_hosts),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
