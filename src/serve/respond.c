/* respond.c — what was decided becomes a response: headers, problem documents, early
 * refusals. */
#include "serve/service.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LINGER_NS 3000000000 /* a refused client may go on sending this long */

/* ---- status ------------------------------------------------------------------------ */

const char *vl_reason(unsigned status) {
    const char *reason = MHD_get_reason_phrase_for(status);
    return reason ? reason : "Unknown";
}

unsigned vl_http_status(vl_status status) {
    switch (status) {
    case VL_OK:
        return 200;
    case VL_ERR_USAGE:
        return 400;
    case VL_ERR_INPUT:
        return 422;
    case VL_ERR_DENIED:
        return 403;
    case VL_ERR_UNSUPPORTED:
        return 415;
    case VL_ERR_LIMIT:
        return 413;
    case VL_ERR_MISSING:
    case VL_ERR_BUSY:
    case VL_ERR_CANCELLED:
    case VL_ERR_IO: /* a full disk has room again */
        return 503;
    case VL_ERR_TIMEOUT:
        return 504;
    case VL_ERR_MEMORY:
    case VL_ERR_INTERNAL:
        break;
    }
    return 500;
}

/* ---- deciding ---------------------------------------------------------------------- */

void vl_decide_problem(vl_request *request, unsigned status, const char *format, ...) {
    va_list args;
    request->outcome.status = status;
    request->outcome.format = format;
    va_start(args, format);
    vsnprintf(request->outcome.detail, sizeof request->outcome.detail, format, args);
    va_end(args);
    request->state = VL_REQUEST_DECIDED;
}

/* Where our files and servers are is for the log. */
static const char *said_of(const vl_error *error) {
    const char *said = error->status == VL_ERR_IO
                           ? "What is to be kept cannot be written here now; try again later."
                       : !strncmp(error->message, "the database", 12)
                           ? "The database does not answer as it should; try again later."
                           : NULL;
    if (said)
        vl_log(VL_LOG_WARN, "a request cannot be answered now",
               VL_F_STR("reason", error->message));
    return said ? said : error->message;
}

void vl_decide_failure(vl_request *request, unsigned status, const vl_error *error) {
    vl_decide_problem(request, status, "%s", said_of(error));
    if (status == 503 && !request->outcome.retry_after)
        request->outcome.retry_after = 5;
    request->outcome.format = error->format;
    request->outcome.kind = error->status;
    request->outcome.file = error->file;
    request->outcome.line = error->line;
}

void vl_decide_blob(vl_request *request, unsigned status, vl_blob *blob) {
    if (!blob) {
        vl_decide_problem(request, 500, "There is no memory for the answer.");
        return;
    }
    request->outcome.status = status;
    request->outcome.blob = blob;
    request->state = VL_REQUEST_DECIDED;
}

void vl_decide_json(vl_request *request, cJSON *json) {
    char *text = json ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    vl_decide_blob(request, 200,
                   text ? vl_blob_new("application/json", text, strlen(text)) : NULL);
    cJSON_free(text);
}

void vl_decide_text(vl_request *request, const char *type, vl_buf *text) {
    vl_decide_blob(request, 200,
                   text->failed ? NULL : vl_blob_new(type, text->data, text->len));
    vl_buf_deinit(text);
}

/* ---- problem documents (RFC 9457) --------------------------------------------------- */

void vl_problem_write(unsigned status, const char *detail, const char *instance,
                      const char *request_id, vl_buf *out) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "type", "about:blank");
    cJSON_AddStringToObject(json, "title", vl_reason(status));
    cJSON_AddNumberToObject(json, "status", status);
    cJSON_AddStringToObject(json, "detail", detail);
    if (*instance)
        cJSON_AddStringToObject(json, "instance", instance);
    cJSON_AddStringToObject(json, "request_id", request_id);
    char *text = json ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    vl_buf_puts(out, text ? text : "{}");
    cJSON_free(text);
}

static vl_blob *make_problem(const vl_request *request) {
    vl_buf text;
    vl_buf_init(&text, 16 << 10);
    vl_problem_write(request->outcome.status, request->outcome.detail, request->path,
                     request->id, &text);
    vl_blob *blob =
        text.failed ? NULL : vl_blob_new("application/problem+json", text.data, text.len);
    vl_buf_deinit(&text);
    return blob;
}

/* ---- headers ----------------------------------------------------------------------- */

typedef void (*header_sink)(void *user, const char *name, const char *value);

static void limit_headers(const vl_limit_state *limit, header_sink sink, void *user) {
    const struct {
        const char *name;
        double value;
    } rows[] = {{"RateLimit-Limit", limit->limit},
                {"RateLimit-Remaining", limit->remaining},
                {"RateLimit-Reset", ceil(limit->reset_seconds)}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char number[24];
        snprintf(number, sizeof number, "%.0f", rows[i].value);
        sink(user, rows[i].name, number);
    }
}

static void each_header(const vl_request *request, header_sink sink, void *user) {
    const vl_outcome *outcome = &request->outcome;
    char number[16], allow[64];
    if (outcome->blob || outcome->stream.type)
        sink(user, "Content-Type", outcome->blob ? outcome->blob->type : outcome->stream.type);
    if (outcome->location[0])
        sink(user, "Location", outcome->location);
    if (outcome->stream.type)
        sink(user, "X-Accel-Buffering", "no"); /* nginx passes it on as it comes */
    sink(user, "X-Request-Id", request->id);
    if (request->was_traced) {
        char parent[VL_TRACE_PARENT_SIZE];
        vl_trace_write(&request->trace, parent);
        sink(user, "traceresponse", parent);
    }
    sink(user, "X-Content-Type-Options", "nosniff");
    sink(user, "Cache-Control", outcome->cache_control ? outcome->cache_control : "no-store");
    if (request->server->tls)
        sink(user, "Strict-Transport-Security", "max-age=31536000");
    if (outcome->etag)
        sink(user, "ETag", outcome->etag);
    if (outcome->policy) {
        sink(user, "Content-Security-Policy", outcome->policy);
        sink(user, "X-Frame-Options", "DENY");
        sink(user, "Referrer-Policy", "no-referrer");
    }
    if (outcome->object[0])
        sink(user, "X-Object-Id", outcome->object);
    if (outcome->cache_state)
        sink(user, "X-Cache", outcome->cache_state);
    if (outcome->retry_after) {
        snprintf(number, sizeof number, "%u", outcome->retry_after);
        sink(user, "Retry-After", number);
    }
    if (request->is_limited)
        limit_headers(&request->limit, sink, user);
    if (outcome->challenge)
        sink(user, "WWW-Authenticate", outcome->challenge);
    bool lists_methods = outcome->status == 405 || !strcmp(request->method, "OPTIONS");
    if (lists_methods && !vl_server_route(request->server, "", request->path, allow) && *allow)
        sink(user, "Allow", allow);
    if (request->server->settings.cors_origins[0])
        sink(user, "Vary", "Origin");
    if (request->origin) {
        sink(user, "Access-Control-Allow-Origin", request->origin);
        sink(user, "Access-Control-Expose-Headers",
             "X-Request-Id, X-Object-Id, X-Cache, Location, Retry-After, RateLimit-Limit, "
             "RateLimit-Remaining, "
             "RateLimit-Reset, traceresponse");
        if (!strcmp(request->method, "OPTIONS")) {
            sink(user, "Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE");
            sink(user, "Access-Control-Allow-Headers",
                 "Authorization, Content-Type, X-API-Key, X-Request-Id, traceparent, "
                 "tracestate");
            sink(user, "Access-Control-Max-Age", "600");
        }
    }
    if (request->must_close || atomic_load(&request->server->draining))
        sink(user, "Connection", "close");
}

static void sink_response(void *user, const char *name, const char *value) {
    MHD_add_response_header(user, name, value);
}

static void sink_text(void *user, const char *name, const char *value) {
    vl_buf_printf(user, "%s: %s\r\n", name, value);
}

/* ---- sending ----------------------------------------------------------------------- */

static void free_blob(void *blob) {
    vl_blob_unref(blob);
}

/* The library frees the stream from here on. */
static struct MHD_Response *stream_response(vl_request *request) {
    enum { BLOCK = 8 << 10 };
    vl_stream *stream = &request->outcome.stream;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK, stream->read, stream->self, stream->free);
    if (response)
        stream->self = NULL;
    return response;
}

static enum MHD_Result queue_stream(vl_request *request) {
    struct MHD_Response *response = stream_response(request);
    if (!response)
        return MHD_NO;
    each_header(request, sink_response, response);
    request->state = VL_REQUEST_SENT;
    enum MHD_Result result =
        MHD_queue_response(request->connection, request->outcome.status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result queue(vl_request *request) {
    vl_blob *blob = vl_blob_ref(request->outcome.blob);
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        blob->size, blob->bytes, free_blob, blob);
    if (!response) {
        vl_blob_unref(blob);
        return MHD_NO;
    }
    each_header(request, sink_response, response);
    request->state = VL_REQUEST_SENT;
    enum MHD_Result result =
        MHD_queue_response(request->connection, request->outcome.status, response);
    MHD_destroy_response(response);
    return result;
}

/* Only what goes out at once. */
static bool send_last(const vl_link *link, const char *bytes, size_t count) {
    if (link->session)
        return vl_tls_send_last(link->session, bytes, count);
    return send(link->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)count;
}

/* A response while the body is still coming. The library can queue one only before or after
 * the body; closing with unread bytes would reset the connection under the response. So it is
 * written to the socket here, that direction is shut, and intake.c swallows a bounded rest. */
static enum MHD_Result write_early(vl_request *request) {
    vl_buf text;
    vl_buf_init(&text, 32 << 10);
    request->must_close = true;
    vl_buf_printf(&text, "HTTP/1.1 %u %s\r\n", request->outcome.status,
                  vl_reason(request->outcome.status));
    each_header(request, sink_text, &text);
    vl_buf_printf(&text, "Content-Length: %zu\r\n\r\n", request->outcome.blob->size);
    vl_buf_append(&text, request->outcome.blob->bytes, request->outcome.blob->size);
    bool whole = !text.failed && send_last(request->link, text.data, text.len);
    shutdown(request->link->fd, SHUT_WR);
    atomic_store(&request->link->deadline_ns, vl_clock_ns() + LINGER_NS);
    vl_buf_deinit(&text);
    request->state = VL_REQUEST_REFUSED;
    return whole ? MHD_YES : MHD_NO;
}

enum MHD_Result vl_respond(vl_request *request) {
    vl_outcome *outcome = &request->outcome;
    if (outcome->stream.self) {
        request->status = outcome->status;
        return queue_stream(request);
    }
    if (!outcome->blob)
        outcome->blob = outcome->status == 204 || outcome->status == 304
                            ? vl_blob_new("application/json", "", 0)
                            : make_problem(request);
    if (!outcome->blob)
        return MHD_NO;
    request->status = outcome->status;
    request->sent_bytes = outcome->blob->size;
    bool body_pending = !request->final && request->body_follows;
    if (body_pending)
        request->must_close = true;
    if (request->framing.expects_continue && !request->body_bytes)
        body_pending = false; /* the client has not begun to send it */
    return body_pending && request->link ? write_early(request) : queue(request);
}
