/* monitor.c — /metrics: as a route of the service, or on a port of its own (setting
 * prometheus_port) that a scraper reaches and clients do not. */
#include "serve/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char content_type[] = "text/plain; version=0.0.4; charset=utf-8";

enum { TEXT_MAX = 4 << 20, CONNECTIONS_MAX = 32, CONNECTION_SECONDS = 10 };

struct vl_monitor {
    vl_server *server;
    struct MHD_Daemon *daemon;
    int listen_fd;
    uint16_t port;
};

void vl_monitor_write(vl_server *server, vl_buf *out) {
    const char *labels[VL_METRICS_ROUTES];
    for (size_t i = 0; i < vl_route_count; i++)
        labels[i] = vl_routes[i].path;
    labels[vl_route_count] = "none";
    vl_ocr_engine_health engines[VL_OCR_ENGINES_MAX];
    vl_dependency dependencies[VL_DEPENDENCIES_MAX];
    vl_metrics_now now = {.routes = labels,
                          .route_count = vl_route_count + 1,
                          .engines = engines,
                          .engine_count = vl_handlers_engines(server, engines),
                          .dependencies = dependencies,
                          .dependency_count = vl_health_list(server, dependencies),
                          .certificate_expires = server->tls ? vl_tls_expires(server->tls) : 0,
                          .in_work = vl_work_in_flight(server),
                          .queued = vl_pool_queued(server->pool),
                          .uptime_seconds = vl_clock_ms_since(server->start_ns) / 1000};
    vl_sentry_counts error_events;
    if (server->sentry) {
        error_events = vl_sentry_count(server->sentry);
        now.error_events = &error_events;
    }
    vl_cache_size(server->cache, &now.cache_entries, &now.cache_bytes);
    vl_process_read(now.uptime_seconds, &now.process);
    vl_metrics_write(&server->metrics, &now, out);
    vl_jobs_write_metrics(server, out);
}

void vl_handle_metrics(vl_request *request) {
    vl_server *server = request->server;
    vl_buf text;
    if (!server->settings.monitoring) {
        vl_decide_problem(request, 404, "Metrics are switched off (monitoring_enabled).");
        return;
    }
    if (server->monitor) {
        vl_decide_problem(request, 404,
                          "Metrics have a port of their own here (prometheus_port).");
        return;
    }
    vl_buf_init(&text, TEXT_MAX);
    vl_monitor_write(server, &text);
    vl_decide_text(request, content_type, &text);
}

/* ---- the port of its own -------------------------------------------------------------- */

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status,
                             const char *type, const vl_buf *text) {
    struct MHD_Response *response = MHD_create_response_from_buffer(
        text->len, text->data ? text->data : (void *)"", MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* Called twice a request: before its body, which nobody wants, and at its end. */
static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **slot) {
    static char seen;
    vl_monitor *monitor = cls;
    (void)version;
    (void)data;
    if (!*slot) {
        *slot = &seen;
        return MHD_YES;
    }
    if (*size)
        return MHD_NO;
    bool asks = !strcmp(method, "GET") || !strcmp(method, "HEAD");
    bool found = asks && !strcmp(url, "/metrics");
    vl_buf text;
    vl_buf_init(&text, TEXT_MAX);
    if (found)
        vl_monitor_write(monitor->server, &text);
    else
        vl_problem_write(asks ? 404 : 405, "This port answers GET /metrics.", "", "", &text);
    enum MHD_Result result =
        text.failed ? MHD_NO
                    : reply(connection,
                            found  ? 200
                            : asks ? 404
                                   : 405,
                            found ? content_type : "application/problem+json", &text);
    vl_buf_deinit(&text);
    return result;
}

vl_status vl_monitor_open(vl_server *server, vl_monitor **out, vl_error *error) {
    const vl_serve_settings *settings = &server->settings;
    vl_monitor *monitor = calloc(1, sizeof *monitor);
    if (!monitor)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the port of /metrics");
    monitor->server = server;
    monitor->listen_fd = -1;
    vl_status status = vl_listen(settings->host, settings->monitor_port, &monitor->listen_fd,
                                 &monitor->port, error);
    if (!status) {
        monitor->daemon = MHD_start_daemon(
            MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, answer, monitor,
            MHD_OPTION_LISTEN_SOCKET, monitor->listen_fd, MHD_OPTION_CONNECTION_LIMIT,
            (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
            (unsigned)CONNECTION_SECONDS, MHD_OPTION_END);
        if (!monitor->daemon)
            status = vl_fail(error, VL_ERR_IO, "the port of /metrics did not open: %s",
                             strerror(errno));
    }
    if (status) {
        if (monitor->listen_fd >= 0)
            close(monitor->listen_fd);
        free(monitor);
        return status;
    }
    vl_log(VL_LOG_INFO, "metrics", VL_F_STR("address", settings->host),
           VL_F_INT("port", monitor->port));
    *out = monitor;
    return VL_OK;
}

void vl_monitor_close(vl_monitor *monitor) {
    if (!monitor)
        return;
    MHD_stop_daemon(monitor->daemon); /* closes the socket too */
    free(monitor);
}
