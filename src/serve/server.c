/* server.c — the service as a whole: settings, socket, event thread, keeper thread, drain. */
#include "serve/alignment.h"
#include "serve/service.h"
#include "serve/trail.h"
#include "serve/weights.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTION_MEMORY = 32 << 10,
    BACKLOG = 1024,
    KEEPER_TICK_MS = 100,
    SENTRY_SECONDS = 2,   /* for events that still wait at the end */
    HUSH_MS = 30,         /* connections that were half made are made */
    DRAIN_QUIET_MS = 100, /* connections taken from the backlog show up a little later */
    DRAIN_IDLE_MS = 300,  /* an idle kept-alive connection may send one more request */
};

/* ---- settings ----------------------------------------------------------------------- */

static void copy_setting(const vl_config *config, const char *name, char *out, size_t size) {
    snprintf(out, size, "%s", vl_config_string(config, name));
}

static size_t at_least(int64_t value, size_t least) {
    return value > (int64_t)least ? (size_t)value : least;
}

/* How documents are decoded and read, the same as on the command line. */
static vl_status read_answer_settings(const vl_config *config, vl_serve_settings *settings,
                                      vl_error *error) {
    vl_answer_options *answer = &settings->answer;
    vl_status status = vl_answer_options_from_config(config, answer, error);
    if (settings->request_seconds > 0 && answer->ocr.max_seconds > settings->request_seconds)
        answer->ocr.max_seconds = settings->request_seconds;
    return status;
}

static vl_status read_fetch_rules(const vl_config *config, vl_fetch_rules *rules,
                                  vl_error *error) {
    *rules = vl_fetch_rules_default();
    rules->seconds = vl_config_number(config, "fetch_timeout");
    rules->max_bytes = at_least(vl_config_int(config, "max_upload_size"), 1);
    vl_status status =
        vl_networks_parse(vl_config_string(config, "fetch_networks"), &rules->networks, error);
    return status ? vl_error_prefix(error, "fetch_networks") : VL_OK;
}

vl_status vl_serve_settings_read(const vl_config *config, vl_serve_settings *settings,
                                 vl_error *error) {
    int64_t port = vl_config_int(config, "port");
    if (port < 0 || port > UINT16_MAX)
        return vl_fail(error, VL_ERR_USAGE, "port %lld is not between 0 and 65535",
                       (long long)port);
    int64_t workers = vl_config_int(config, "workers");
    int64_t most = vl_config_int(config, "max_workers");
    if (workers <= 0)
        workers = (int64_t)vl_cpu_count();
    *settings = (vl_serve_settings){
        .port = (uint16_t)port,
        .workers = at_least(workers < most ? workers : most, 1),
        .max_in_work = at_least(vl_config_int(config, "max_concurrent_requests"), 1),
        .max_upload = at_least(vl_config_int(config, "max_upload_size"), 1),
        .request_seconds = vl_config_number(config, "request_timeout"),
        .idle_seconds = (unsigned)at_least(vl_config_int(config, "connection_timeout"), 1),
        .max_connections = (unsigned)at_least(vl_config_int(config, "connection_limit"), 1),
        .max_connections_per_ip =
            (unsigned)at_least(vl_config_int(config, "per_ip_connection_limit"), 1),
        .cache_bytes = at_least(vl_config_int(config, "cache_size_mb"), 0) << 20,
        .cache_seconds = vl_config_number(config, "cache_ttl"),
        .log_requests = vl_config_bool(config, "log_requests"),
        .monitoring = vl_config_bool(config, "monitoring_enabled"),
        .monitor_port = (uint16_t)vl_config_int(config, "prometheus_port"),
        .batch_items = (size_t)vl_config_int(config, "job_items"),
    };
    vl_status status =
        vl_jobs_mode_parse(vl_config_string(config, "jobs"), &settings->jobs, error);
    if (status)
        return status;
    copy_setting(config, "host", settings->host, sizeof settings->host);
    copy_setting(config, "environment", settings->environment, sizeof settings->environment);
    copy_setting(config, "allowed_hosts", settings->allowed_hosts,
                 sizeof settings->allowed_hosts);
    copy_setting(config, "cors_origins", settings->cors_origins, sizeof settings->cors_origins);
    copy_setting(config, "fetch_hosts", settings->fetch_hosts, sizeof settings->fetch_hosts);
    if ((status = read_fetch_rules(config, &settings->fetch, error)))
        return status;
    return read_answer_settings(config, settings, error);
}

/* ---- connections -------------------------------------------------------------------- */

static void bind_session(vl_server *server, struct MHD_Connection *connection, vl_link *link) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info && !link)
        vl_tls_bind(info->tls_session, NULL);
    if (!info || !link)
        return;
    link->session = info->tls_session;
    link->pair = vl_tls_take(server->tls);
    vl_tls_bind(link->session, link->pair);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what) {
    vl_server *server = cls;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        vl_link *link = calloc(1, sizeof *link);
        if (server->tls)
            bind_session(server, connection, link);
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (!link || !info) {
            if (link)
                vl_tls_give_back(link->pair);
            free(link);
            return;
        }
        link->fd = info->connect_fd;
        info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        vl_address_from_socket(info ? info->client_addr : NULL, &link->peer);
        atomic_init(&link->deadline_ns,
                    vl_clock_ns() + (int64_t)server->settings.idle_seconds * 1000000000);
        pthread_mutex_lock(&server->links_lock);
        link->next = server->links;
        if (link->next)
            link->next->previous = link;
        server->links = link;
        pthread_mutex_unlock(&server->links_lock);
        atomic_fetch_add(&server->metrics.connections, 1);
        *slot = link;
        return;
    }
    vl_link *link = *slot;
    if (!link)
        return;
    pthread_mutex_lock(&server->links_lock);
    *(link->previous ? &link->previous->next : &server->links) = link->next;
    if (link->next)
        link->next->previous = link->previous;
    pthread_mutex_unlock(&server->links_lock);
    atomic_fetch_sub(&server->metrics.connections, 1);
    vl_tls_give_back(link->pair);
    free(link);
    *slot = NULL;
}

static void log_request(const vl_request *request, double seconds) {
    char client[VL_ADDRESS_TEXT_SIZE], caller[VL_ACTOR_SIZE];
    vl_address_format(&request->client, client);
    vl_caller_actor(&request->caller, caller);
    vl_log_set_request_id(request->id);
    vl_trace_set(request->trace.id[0] ? &request->trace : NULL);
    vl_log(VL_LOG_INFO, "request", VL_F_STR("client", client), VL_F_STR("caller", caller),
           VL_F_STR("method", request->method), VL_F_STR("path", request->path),
           VL_F_INT("status", (int64_t)request->status),
           VL_F_NUM("milliseconds", seconds * 1000),
           VL_F_INT("received", (int64_t)request->body_bytes),
           VL_F_INT("sent", (int64_t)request->sent_bytes));
    vl_trace_set(NULL);
    vl_log_set_request_id(NULL);
}

/* What the service could not do; that it is busy, stops or cannot yet is no error of its. */
static void report_failure(const vl_request *request) {
    const vl_outcome *outcome = &request->outcome;
    bool is_error = outcome->status >= 500 && outcome->status != 501 && outcome->format &&
                    outcome->kind != VL_ERR_CANCELLED && outcome->kind != VL_ERR_BUSY;
    if (!is_error || (outcome->status == 503 && outcome->retry_after && !outcome->kind))
        return;
    vl_sentry_event event = {.level =
                                 outcome->status >= 503 ? VL_SENTRY_WARNING : VL_SENTRY_ERROR,
                             .kind = outcome->kind,
                             .message = outcome->format,
                             .file = outcome->file,
                             .line = outcome->line,
                             .route = request->route ? request->route->path : "none",
                             .status = outcome->status};
    memcpy(event.method, request->method, sizeof event.method);
    memcpy(event.trace, request->trace.id, sizeof event.trace);
    memcpy(event.span, request->trace.span, sizeof event.span);
    vl_sentry_capture(request->server->sentry, &event);
}

static void report_start(vl_server *server, const vl_error *error) {
    vl_sentry_capture(server->sentry, &(vl_sentry_event){.level = VL_SENTRY_FATAL,
                                                         .kind = error->status,
                                                         .message = error->format,
                                                         .file = error->file,
                                                         .line = error->line});
}

/* No response of ours went out: the library refused the bytes, or the connection ended. */
static unsigned unanswered_status(enum MHD_RequestTerminationCode code) {
    if (code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED)
        return 408;
    bool gone = code == MHD_REQUEST_TERMINATED_CLIENT_ABORT ||
                code == MHD_REQUEST_TERMINATED_READ_ERROR;
    return gone ? 499 : 400;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode code) {
    vl_server *server = cls;
    vl_request *request = *slot;
    (void)connection;
    if (!request)
        return;
    double seconds = vl_clock_ms_since(request->start_ns) / 1000;
    if (!request->status)
        request->status = unanswered_status(code);
    vl_metrics_request(&server->metrics, vl_route_index(request->route), request->method,
                       request->status, seconds);
    if (server->settings.log_requests)
        log_request(request, seconds);
    if (server->sentry)
        report_failure(request);
    if (request->link && request->state != VL_REQUEST_REFUSED)
        atomic_store(&request->link->deadline_ns,
                     vl_clock_ns() + (int64_t)server->settings.idle_seconds * 1000000000);
    vl_request_free(request);
    atomic_fetch_sub(&server->metrics.active, 1);
    *slot = NULL;
}

/* The library's own timeout begins anew with every byte; this one does not. */
static void cut_slow_connections(vl_server *server) {
    int64_t now = vl_clock_ns();
    pthread_mutex_lock(&server->links_lock);
    for (const vl_link *link = server->links; link; link = link->next) {
        int64_t deadline = atomic_load(&link->deadline_ns);
        if (deadline && now > deadline)
            shutdown(link->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->links_lock);
}

static void sleep_ms(long ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void *keep(void *cls) {
    vl_server *server = cls;
    while (!atomic_load(&server->stopping)) {
        cut_slow_connections(server);
        vl_work_expire(server, false);
        if (!server->reviewing) {
            vl_identity_tick(server);
            vl_privacy_tick(server);
            vl_weights_tick(server);
            vl_alignment_tick(server);
        }
        sleep_ms(KEEPER_TICK_MS);
    }
    return NULL;
}

const vl_route *vl_server_route(const vl_server *server, const char *method, const char *path,
                                char allow[64]) {
    return server->reviewing ? vl_route_find_among(vl_review_routes, vl_review_route_count,
                                                   method, path, allow)
                             : vl_route_find(method, path, allow);
}

/* ---- socket ------------------------------------------------------------------------- */

static int bind_one(const struct addrinfo *address, bool shared) {
    int on = 1;
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (!bind(fd, address->ai_addr, address->ai_addrlen) && !listen(fd, BACKLOG))
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* The port may be shared with an instance that is being replaced (SO_REUSEPORT, same user): a
 * first try without sharing tells the two cases apart, so that it is never silent. */
static int bind_address(const struct addrinfo *address, const char *host, uint16_t port) {
    int fd = bind_one(address, false);
    if (fd >= 0) {
        close(fd);
    } else if (errno == EADDRINUSE) {
        fd = bind_one(address, true);
        if (fd >= 0)
            vl_log(VL_LOG_WARN, "another instance listens on this port; sharing it",
                   VL_F_STR("address", host), VL_F_INT("port", port));
        return fd;
    } else {
        return -1;
    }
    return bind_one(address, true);
}

static uint16_t bound_port(int fd) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size))
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

vl_status vl_listen(const char *host, uint16_t port, int *fd, uint16_t *bound,
                    vl_error *error) {
    char text[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    snprintf(text, sizeof text, "%u", port);
    int code = getaddrinfo(*host ? host : NULL, text, &hints, &found);
    if (code)
        return vl_fail(error, VL_ERR_USAGE, "host '%s' is no address: %s", host,
                       gai_strerror(code));
    *fd = bind_address(found, host, port);
    int reason = errno;
    freeaddrinfo(found);
    if (*fd < 0)
        return vl_fail(error, VL_ERR_IO, "can't listen on %s port %s: %s%s", host, text,
                       strerror(reason),
                       reason == EADDRINUSE ? " (choose another with --port)" : "");
    *bound = bound_port(*fd);
    return VL_OK;
}

static vl_status open_socket(vl_server *server, vl_error *error) {
    const vl_serve_settings *settings = &server->settings;
    return vl_listen(settings->host, settings->port, &server->listen_fd, &server->port, error);
}

/* ---- start -------------------------------------------------------------------------- */

static void log_library(void *cls, const char *format, va_list args) {
    char text[256];
    (void)cls;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    vl_log(VL_LOG_DEBUG, "http", VL_F_STR("detail", text));
}

/* STRICT_FOR_CLIENT would add two checks, for a missing Host and for blanks in the target.
 * 0.9.75 answers the first with its status line twice, and check.c makes both. */
static vl_status start_daemon(vl_server *server, vl_error *error) {
    const vl_serve_settings *settings = &server->settings;
    struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)vl_tls_retrieve},
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         server->tls ? (char *)vl_tls_priorities(server->tls) : NULL},
        {MHD_OPTION_END, 0, NULL}};
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
            MHD_USE_ERROR_LOG | (server->tls ? MHD_USE_TLS : MHD_NO_FLAG),
        0, NULL, NULL, vl_intake, server, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
        MHD_OPTION_ARRAY, server->tls ? secure : secure + 2, MHD_OPTION_LISTEN_SOCKET,
        server->listen_fd, MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_CONNECTION_LIMIT,
        settings->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        settings->max_connections_per_ip, MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_URI_LOG_CALLBACK, vl_intake_begin, server, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_END);
    return server->daemon ? VL_OK
                          : vl_fail(error, VL_ERR_IO, "the HTTP library did not start: %s",
                                    strerror(errno));
}

static void free_server(vl_server *server) {
    vl_monitor_close(server->monitor);
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    if (server->keeper_runs) {
        atomic_store(&server->stopping, true);
        pthread_join(server->keeper, NULL);
    }
    vl_jobs_stop(server);
    if (server->pool)
        vl_pool_free(server->pool);
    vl_jobs_free(server->jobs);
    vl_errands_free(server->errands);
    vl_identity_free(server->identity);
    vl_limits_free(server->limits);
    vl_trail_free(server->trail);
    for (size_t i = 0; server->workers && i < server->settings.workers; i++) {
        vl_answerer_free(server->workers[i].answerer);
        vl_ocr_free(server->workers[i].ocr);
        vl_seer_session_free(server->workers[i].session);
    }
    free(server->workers);
    vl_retrieve_close(server);
    vl_alignment_close(server);
    vl_seer_free(server->seer);
    vl_cache_free(server->cache);
    vl_blob_unref(server->openapi);
    vl_blob_unref(server->models);
    cJSON_Delete(server->ocr_packs);
    vl_ocr_engines_free(server->engines);
    vl_health_free(server->health);
    vl_weights_close(server);
    vl_store_close(&server->store);
    vl_tls_close(server->tls);
    vl_sentry_close(server->sentry, SENTRY_SECONDS);
    vl_reviewing_free(server->reviewing);
    pthread_mutex_destroy(&server->work_lock);
    pthread_mutex_destroy(&server->links_lock);
    free(server);
}

/* One for all workers, so that /health/ocr has the counts of all. */
static vl_status open_engines(vl_server *server, vl_error *error) {
    vl_ocr_options *options = &server->settings.answer.ocr;
    vl_status status = vl_ocr_engines_new(options->engines, &server->engines, error);
    options->shared = server->engines;
    return status;
}

/* Opened once and shared by all workers. The service reads pages without it. */
static void open_seer(vl_server *server, const vl_config *config) {
    vl_error error;
    if (!vl_picture_model_open(config, &server->seer, &error)) {
        server->settings.answer.seer = server->seer;
        return;
    }
    vl_log(VL_LOG_WARN, "photographs are not described", VL_F_STR("reason", error.message));
}

static vl_status start_threads(vl_server *server, vl_error *error) {
    const vl_serve_settings *settings = &server->settings;
    server->cache = vl_cache_new(settings->cache_bytes, settings->cache_seconds);
    server->workers = calloc(settings->workers, sizeof *server->workers);
    server->pool = vl_pool_new(settings->workers, settings->max_in_work);
    server->errands = vl_errands_new();
    server->trail = vl_trail_new();
    if (!server->cache || !server->workers || !server->pool || !server->errands ||
        !server->trail)
        return vl_fail(error, VL_ERR_MEMORY, "no memory or threads for %zu workers",
                       settings->workers);
    if (pthread_create(&server->keeper, NULL, keep, server))
        return vl_fail(error, VL_ERR_MEMORY, "no thread to watch over connections");
    server->keeper_runs = true;
    return VL_OK;
}

static vl_status open_monitor(vl_server *server, vl_error *error) {
    const vl_serve_settings *settings = &server->settings;
    return settings->monitoring && settings->monitor_port
               ? vl_monitor_open(server, &server->monitor, error)
               : VL_OK;
}

static vl_server *new_server(vl_error *error) {
    vl_server *server = calloc(1, sizeof *server);
    if (!server) {
        vl_fail(error, VL_ERR_MEMORY, "no memory for the service");
        return NULL;
    }
    server->listen_fd = -1;
    server->start_ns = vl_clock_ns();
    pthread_mutex_init(&server->work_lock, NULL);
    pthread_mutex_init(&server->links_lock, NULL);
    uint64_t seed;
    vl_random_bytes(&seed, sizeof seed);
    atomic_init(&server->next_id, seed);
    return server;
}

vl_status vl_server_start(const vl_config *config, vl_server **out, vl_error *error) {
    vl_server *server = new_server(error);
    if (!server)
        return VL_ERR_MEMORY;
    vl_status status = vl_serve_settings_read(config, &server->settings, error);
    vl_retention_read(config, &server->retention);
    if (!status)
        status = vl_sentry_open(vl_config_string(config, "sentry_dsn"),
                                server->settings.environment, &server->sentry, error);
    if (!status)
        status = vl_tls_open(config, &server->tls, error);
    if (!status)
        status = vl_store_open(config, &server->store, error);
    if (!status)
        open_seer(server, config);
    if (status || (status = open_engines(server, error)) ||
        (status = vl_weights_open(server, config, error)) ||
        (status = vl_retrieve_open(server, config, error)) ||
        (status = vl_alignment_open(server, config, error)) ||
        (status = vl_handlers_prepare(server, error)) ||
        (status = open_socket(server, error)) ||
        (status = vl_identity_open(server, config, error)) ||
        (status = vl_limits_open(server, config, error)) ||
        (status = start_threads(server, error)) ||
        (status = vl_health_open(server, config, &server->health, error)) ||
        (status = vl_jobs_open(server, config, error)) ||
        (status = open_monitor(server, error)) || (status = start_daemon(server, error))) {
        report_start(server, error);
        free_server(server);
        return status;
    }
    *out = server;
    return VL_OK;
}

/* The same transport, without what answers need. */
vl_status vl_server_start_review(const vl_config *config, struct vl_review *review,
                                 const char *const *reviewers, size_t count, vl_server **out,
                                 vl_error *error) {
    vl_server *server = new_server(error);
    if (!server)
        return VL_ERR_MEMORY;
    vl_handlers_prepare_assets();
    vl_status status = vl_serve_settings_read(config, &server->settings, error);
    if (status || (status = vl_reviewing_open(server, review, reviewers, count, error)) ||
        (status = vl_tls_open(config, &server->tls, error)) ||
        (status = open_socket(server, error)) ||
        (status = vl_limits_open(server, config, error)) ||
        (status = start_threads(server, error)) || (status = start_daemon(server, error))) {
        free_server(server);
        return status;
    }
    *out = server;
    return VL_OK;
}

bool vl_server_can_reload(const vl_server *server) {
    return server->tls;
}

vl_status vl_server_reload(vl_server *server, vl_error *error) {
    return server->tls ? vl_tls_reload(server->tls, error) : VL_OK;
}

uint16_t vl_server_port(const vl_server *server) {
    return server->port;
}

/* ---- drain -------------------------------------------------------------------------- */

/* From here on who begins to connect is not heard: he tries again within a second, and then
 * finds the instance that took over, where a connection of this socket would be reset with it.
 */
static void hush_listener(int fd) {
    enum { TCP_FLAGS = 13, SYN = 2 };
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* Connections the kernel accepted for us but nobody took yet would be reset with the listening
 * socket: they are taken over before it closes. */
static void take_backlog(vl_server *server) {
    struct sockaddr_storage address;
    for (;;) {
        socklen_t size = sizeof address;
        int fd = accept4(server->listen_fd, (struct sockaddr *)&address, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        MHD_add_connection(server->daemon, fd, (struct sockaddr *)&address, size);
    }
}

static bool is_idle(vl_server *server) {
    return !atomic_load(&server->metrics.active) && !vl_work_in_flight(server) &&
           !(server->jobs && vl_jobs_busy(server));
}

void vl_server_drain(vl_server *server, double max_seconds) {
    int64_t start = vl_clock_ns(), idle_since = start;
    atomic_store(&server->draining, true);
    if (server->jobs)
        vl_jobs_drain(server);
    MHD_quiesce_daemon(server->daemon);
    hush_listener(server->listen_fd);
    take_backlog(server);
    sleep_ms(HUSH_MS);
    take_backlog(server);
    close(server->listen_fd);
    server->listen_fd = -1;
    while (vl_clock_ms_since(start) < max_seconds * 1000) {
        double wait_ms =
            atomic_load(&server->metrics.connections) ? DRAIN_IDLE_MS : DRAIN_QUIET_MS;
        if (!is_idle(server))
            idle_since = vl_clock_ns();
        else if (vl_clock_ms_since(idle_since) > wait_ms)
            break;
        sleep_ms(5);
    }
    atomic_store(&server->stopping, true); /* from here nothing new goes to a worker */
    vl_work_expire(server, true);
    vl_errands_close(server->errands);
    if (!server->reviewing)
        vl_trail_flush(server, true);
    vl_jobs_stop(server);
    for (int i = 0; i < 100 && atomic_load(&server->metrics.active); i++)
        sleep_ms(5);
    MHD_stop_daemon(server->daemon);
    free_server(server);
}
