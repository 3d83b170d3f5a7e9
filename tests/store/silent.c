/* Tests of a PostgreSQL that is silent: one that takes a connection and never says a word, and
 * one that falls silent in the middle, behind a relay that stops passing anything on. In both
 * no one waits for ever, and when it speaks again it is used again. */
#include "both.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

/* ---- a relay from a port to the server's socket --------------------------------------------
 */

enum { PAIRS_MAX = 64 };
typedef struct relay {
    int listener;
    uint16_t port;
    char server[108];
    atomic_bool frozen, stops;
    pthread_t thread;
    int pairs[PAIRS_MAX][2];
    size_t count;
} relay;

static int listen_on(uint16_t *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, PAIRS_MAX), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void take_pair(relay *r) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int client = accept(r->listener, NULL, NULL), server = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", r->server);
    if (client < 0 || server < 0 || r->count == PAIRS_MAX ||
        connect(server, (struct sockaddr *)&at, sizeof at)) {
        close(client);
        close(server);
        return;
    }
    r->pairs[r->count][0] = client;
    r->pairs[r->count++][1] = server;
}

/* Passes on what has come; a side that ends ends the other. */
static void pass_on(int from, int to) {
    char bytes[4096];
    ssize_t count = recv(from, bytes, sizeof bytes, 0);
    if (count <= 0)
        shutdown(to, SHUT_WR);
    else
        send(to, bytes, (size_t)count, MSG_NOSIGNAL);
}

static void *run_relay(void *arg) {
    relay *r = arg;
    while (!r->stops) {
        struct pollfd fds[1 + 2 * PAIRS_MAX] = {{.fd = r->listener, .events = POLLIN}};
        size_t count = r->count;
        for (size_t i = 0; i < 2 * count; i++)
            fds[1 + i] = (struct pollfd){.fd = r->pairs[i / 2][i % 2], .events = POLLIN};
        /* Frozen, it holds what it has, and the kernel takes more for it. */
        if (r->frozen || poll(fds, 1 + 2 * count, 10) <= 0) {
            usleep(1000);
            continue;
        }
        if (fds[0].revents)
            take_pair(r);
        for (size_t i = 0; i < 2 * count; i++)
            if (fds[1 + i].revents)
                pass_on(r->pairs[i / 2][i % 2], r->pairs[i / 2][1 - i % 2]);
    }
    return NULL;
}

static void relay_start(relay *r) {
    const char *host = strstr(getenv("VISLANG_TEST_POSTGRES"), "host=");
    *r = (relay){.listener = -1};
    assert_non_null(host);
    snprintf(r->server, sizeof r->server, "%s/.s.PGSQL.5432", host + 5);
    r->listener = listen_on(&r->port);
    assert_int_equal(pthread_create(&r->thread, NULL, run_relay, r), 0);
}

static void relay_stop(relay *r) {
    r->stops = true;
    pthread_join(r->thread, NULL);
    for (size_t i = 0; i < 2 * r->count; i++)
        close(r->pairs[i / 2][i % 2]);
    close(r->listener);
}

/* ---- tests
 * ----------------------------------------------------------------------------------- */

static void test_no_word(void **state) {
    char url[160];
    uint16_t port;
    vl_db *db;
    int listener = listen_on(&port);
    (void)state;
    snprintf(url, sizeof url, "postgresql://vislang@127.0.0.1:%u/postgres?connect_timeout=2",
             port);
    assert_int_equal(vl_db_open(url, NULL, &db, &error), VL_ERR_MISSING);
    assert_null(db);
    close(listener);
}

static vl_status ask(vl_db *db, const char *sql, int64_t *number) {
    return vl_db_once(db, &(vl_db_call){.sql = sql, .row = vl_db_take_int, .user = number},
                      &error);
}

static void test_falls_silent(void **state) {
    relay r;
    char url[200];
    vl_db *db;
    int64_t number = 0;
    (void)state;
    relay_start(&r);
    snprintf(url, sizeof url,
             "postgresql://vislang@127.0.0.1:%u/"
             "postgres?connect_timeout=2&tcp_user_timeout=500&sslmode=disable",
             r.port);
    need(vl_db_open(url, NULL, &db, &error));
    need(ask(db, "SELECT 42", &number));
    assert_int_equal(number, 42);
    /* One that takes longer than that is waited for, while the server is alive. */
    need(ask(db, "SELECT 43 FROM pg_sleep(1.7)", &number));
    assert_int_equal(number, 43);
    r.frozen = true;
    assert_int_equal(ask(db, "SELECT 44", &number), VL_ERR_MISSING);
    assert_int_equal(ask(db, "SELECT 44", &number), VL_ERR_MISSING);
    assert_int_equal(number, 43);
    r.frozen = false;
    need(ask(db, "SELECT 45", &number));
    assert_int_equal(number, 45);
    vl_db_close(db);
    relay_stop(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_word),
        cmocka_unit_test(test_falls_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
