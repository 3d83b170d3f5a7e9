/* intake.c — a request from its first line to the moment its handler is called.
 *
 * libmicrohttpd calls vl_intake_begin with the raw target, then vl_intake once with the
 * headers (twice when it takes an errand to find out who calls), once per piece of the body,
 * and once at the end; after a file was fetched, and after a worker's answer, it calls it
 * again. */
#include "serve/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    HEADERS_MAX = 100,
    LINGER_BYTES = 4 << 20, /* swallowed after an early refusal, before the connection closes */
    SLOWEST_BYTES_PER_SECOND = 16 << 10,
};

void *vl_intake_begin(void *cls, const char *target, struct MHD_Connection *connection) {
    vl_server *server = cls;
    vl_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->server = server;
    request->connection = connection;
    request->start_ns = vl_clock_ns();
    request->target = strdup(target ? target : "");
    request->target_at = target;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    request->link = info ? info->socket_context : NULL;
    /* An id needs to be unique, not secret; vl_random_next gives no number twice. */
    uint64_t state = atomic_fetch_add(&server->next_id, 1);
    snprintf(request->id, sizeof request->id, "%016" PRIx64, vl_random_next(&state));
    atomic_fetch_add(&server->metrics.active, 1);
    return request;
}

void vl_request_free(vl_request *request) {
    vl_blob_unref(request->outcome.blob);
    if (request->outcome.stream.self)
        request->outcome.stream.free(request->outcome.stream.self);
    vl_multipart_free(request->parser);
    vl_form_free(request->server, request->form);
    vl_buf_deinit(&request->json);
    free(request->target);
    free(request);
}

/* ---- the checks of the first call -------------------------------------------------- */

typedef struct header_list {
    vl_header headers[HEADERS_MAX];
    size_t count;
    bool too_many;
} header_list;

static enum MHD_Result take_header(void *user, enum MHD_ValueKind kind, const char *name,
                                   size_t name_length, const char *value, size_t value_length) {
    header_list *list = user;
    (void)kind;
    if (list->count == HEADERS_MAX) {
        list->too_many = true;
        return MHD_NO;
    }
    list->headers[list->count++] =
        (vl_header){name, value ? value : "", name_length, value ? value_length : 0};
    return MHD_YES;
}

/* False when bytes hide between what the library parsed. It is known to keep headers in place
 * in this version alone; later ones refuse such requests themselves. */
static bool is_laid_out(const vl_request *request, const header_list *list, const char *method,
                        const char *version) {
    if (strcmp(MHD_get_version(), "0.9.75"))
        return true;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (!info || !request->target_at ||
        request->target_at + strlen(request->target) + 1 != version)
        return false;
    return vl_check_header_layout(version, list->headers, list->count,
                                  method + info->header_size);
}

static vl_refusal check_origin(vl_request *request) {
    const vl_serve_settings *settings = &request->server->settings;
    const char *host = request->framing.host;
    if (!vl_check_host_listed(settings->allowed_hosts, host ? host : "-", false))
        return (vl_refusal){421, "This host name is not served here (allowed_hosts)."};
    const char *origin =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Origin");
    if (!origin)
        return (vl_refusal){0};
    if (settings->cors_origins[0] &&
        vl_check_host_listed(settings->cors_origins, origin, true)) {
        request->origin = origin;
        return (vl_refusal){0};
    }
    const char *authority = strstr(origin, "://");
    bool same = authority && host && !strcasecmp(authority + 3, host);
    bool reads = !strcmp(request->method, "GET") || !strcmp(request->method, "HEAD");
    if (!same && (!reads || request->server->reviewing))
        return (vl_refusal){403, "Pages of this origin may not send requests here "
                                 "(cors_origins)."};
    return (vl_refusal){0};
}

/* Of a route that takes one. */
static uint64_t body_max(const vl_request *request) {
    return request->route->body == VL_BODY_SMALL_JSON
               ? VL_SMALL_BODY_MAX
               : (uint64_t)request->server->settings.max_upload + VL_FORM_OVERHEAD_MAX;
}

static vl_refusal check_body(const vl_request *request) {
    const vl_framing *framing = &request->framing;
    bool has_body = framing->chunked || framing->length;
    if (!request->route || request->route->body == VL_BODY_NONE)
        return has_body ? (vl_refusal){413, "This route takes no body."} : (vl_refusal){0};
    if (!framing->chunked && !framing->has_length)
        return (vl_refusal){411, "Content-Length is missing."};
    if (framing->length > body_max(request))
        return (vl_refusal){413, "The body is larger than the upload limit."};
    if (!has_body)
        return (vl_refusal){400, "The body is empty."};
    return (vl_refusal){0};
}

static vl_refusal check_request(vl_request *request, const header_list *list,
                                const char *method, const char *version) {
    if (list->too_many)
        return (vl_refusal){431, "The request has more than 100 headers."};
    vl_refusal refusal =
        vl_check_headers(list->headers, list->count, version, &request->framing);
    if (refusal.status)
        return refusal;
    if (!is_laid_out(request, list, method, version))
        return (vl_refusal){400, "The header section holds folded lines, bare line ends or NUL "
                                 "bytes."};
    if (!request->target)
        return (vl_refusal){500, "There is no memory for the request."};
    refusal = vl_check_target(request->target, request->path);
    if (refusal.status)
        request->path[0] = '\0';
    return refusal.status ? refusal : check_origin(request);
}

/* Route, method and body. Leaves the request decided when it is refused or answered. */
static void find_route(vl_request *request) {
    char allow[64];
    request->route = vl_server_route(request->server, request->method, request->path, allow);
    if (!request->route && *allow && !strcmp(request->method, "OPTIONS")) {
        vl_decide_blob(request, 204, vl_blob_new("application/json", "", 0));
        return;
    }
    if (!request->route && *allow) {
        vl_decide_problem(request, 405, "This route answers %s, not %s.", allow,
                          request->method);
        return;
    }
    bool whole = !request->server->reviewing;
    const char *planned = request->route || !whole ? NULL : vl_route_planned(request->path);
    if (planned) {
        vl_decide_problem(request, 501, "%s", planned);
        return;
    }
    if (!request->route) {
        vl_decide_problem(request, 404,
                          whole ? "There is nothing here; GET /openapi.json lists what "
                                  "there is."
                                : "There is nothing here.");
        return;
    }
    vl_refusal refusal = check_body(request);
    if (refusal.status)
        vl_decide_problem(request, refusal.status, "%s", refusal.detail);
}

static void begin_body(vl_request *request) {
    vl_error error;
    vl_status status = vl_form_new(request, &error);
    if (status)
        vl_decide_problem(request, status == VL_ERR_INPUT ? 415 : vl_http_status(status), "%s",
                          error.message);
}

/* Once it is known who calls: the body may come, or the refusal goes out before it does. */
static enum MHD_Result admit(vl_request *request) {
    request->unadmitted = request->suspended = false;
    if (request->state == VL_REQUEST_RECEIVING && request->route->body)
        begin_body(request);
    /* Without a body the last call follows at once, and a response queued there lets the
     * connection live on. */
    if (request->state != VL_REQUEST_DECIDED || !request->body_follows)
        return MHD_YES;
    return vl_respond(request);
}

static bool announces_body(const header_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        const vl_header *header = &list->headers[i];
        if (!strcasecmp(header->name, "Transfer-Encoding") ||
            (!strcasecmp(header->name, "Content-Length") && strcmp(header->value, "0")))
            return true;
    }
    return list->too_many;
}

static enum MHD_Result first_call(vl_request *request, const char *method,
                                  const char *version) {
    snprintf(request->method, sizeof request->method, "%s", method);
    header_list list = {.count = 0};
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, take_header, &list);
    request->body_follows = announces_body(&list);
    const char *id =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "X-Request-Id");
    if (id && vl_check_request_id(id))
        memcpy(request->id, id, strlen(id) + 1);
    vl_request_trace(request, list.headers, list.count);
    request->state = VL_REQUEST_RECEIVING;
    vl_refusal from = vl_limits_client(request, list.headers, list.count);
    vl_refusal refusal = check_request(request, &list, method, version);
    if (!refusal.status)
        refusal = from;
    if (refusal.status) {
        /* What follows on this connection can't be trusted to be a request. */
        request->must_close = true;
        vl_decide_problem(request, refusal.status, "%s", refusal.detail);
    } else {
        find_route(request);
    }
    if (request->state == VL_REQUEST_RECEIVING && request->server->reviewing)
        vl_reviewing_admit(request);
    else if (request->state == VL_REQUEST_RECEIVING)
        vl_identity_check(request);
    request->unadmitted = request->suspended;
    return request->suspended ? MHD_YES : admit(request);
}

/* ---- body and end ------------------------------------------------------------------ */

/* The longer a body flows at a bearable rate, the longer it may. */
static void extend_deadline(vl_request *request) {
    if (!request->link)
        return;
    int64_t bearable = (int64_t)request->body_bytes * 1000000000 / SLOWEST_BYTES_PER_SECOND;
    atomic_store(&request->link->deadline_ns,
                 request->start_ns +
                     (int64_t)request->server->settings.idle_seconds * 1000000000 + bearable);
}

static enum MHD_Result take_piece(vl_request *request, const char *data, size_t *size) {
    size_t count = *size;
    *size = 0;
    request->body_bytes += count;
    if (request->state == VL_REQUEST_REFUSED)
        return request->body_bytes > LINGER_BYTES ? MHD_NO : MHD_YES;
    extend_deadline(request);
    vl_error error;
    unsigned http = 0;
    if (request->body_bytes > body_max(request))
        vl_decide_problem(request, 413, "The body is larger than the upload limit.");
    else if (vl_form_feed(request, data, count, &http, &error))
        vl_decide_problem(request, http, "%s", error.message);
    if (request->state != VL_REQUEST_DECIDED)
        return MHD_YES;
    if (request->outcome.status == 503)
        request->outcome.retry_after = 1;
    request->body_bytes = 0; /* from here it counts what is swallowed */
    request->framing.expects_continue = false;
    return vl_respond(request);
}

/* For a file that the body names by its URL. */
static void fetch_work(vl_request *request) {
    vl_error error;
    unsigned http = 0;
    if (vl_form_fetch(request, &http, &error))
        vl_decide_problem(request, http, "%s", error.message);
    else
        request->state = VL_REQUEST_RECEIVING; /* now it has all */
}

static void take_whole(vl_request *request) {
    vl_error error;
    unsigned http = 0;
    atomic_fetch_add(&request->server->metrics.upload_bytes, request->body_bytes);
    if (request->link)
        atomic_store(&request->link->deadline_ns, 0);
    if (request->form && vl_form_finish(request, &http, &error))
        vl_decide_problem(request, http, "%s", error.message);
    else if (request->form && request->form->url)
        vl_errand_start(request, VL_DESK_FETCH, fetch_work);
    else
        request->route->handle(request);
}

static enum MHD_Result last_call(vl_request *request) {
    bool is_back = request->final; /* from an errand or a worker */
    request->final = true;
    request->suspended = false;
    if (request->state == VL_REQUEST_REFUSED)
        return MHD_NO; /* answered; all was read, so the close is clean */
    if (request->state == VL_REQUEST_RECEIVING && is_back)
        request->route->handle(request);
    else if (request->state == VL_REQUEST_RECEIVING)
        take_whole(request);
    if (request->suspended)
        return MHD_YES; /* another thread's until the library calls again */
    if (request->state == VL_REQUEST_DECIDED)
        return vl_respond(request);
    return MHD_YES;
}

enum MHD_Result vl_intake(void *cls, struct MHD_Connection *connection, const char *url,
                          const char *method, const char *version, const char *data,
                          size_t *size, void **slot) {
    (void)cls;
    (void)connection;
    (void)url;
    vl_request *request = *slot;
    if (!request)
        return MHD_NO;
    if (request->state == VL_REQUEST_NEW)
        return first_call(request, method, version);
    if (request->unadmitted) /* resumed: the library makes its first call again */
        return admit(request);
    if (*size)
        return take_piece(request, data, size);
    return last_call(request);
}
