/* trace.c — whose trace a request is part of (W3C Trace Context, section 3). */
#include "serve/service.h"

#include <string.h>
#include <strings.h>

enum { STATE_HEADERS_MAX = 8 << 10 };

/* Several are as good as none: nobody can say which one is meant. */
static const vl_header *only(const vl_header *headers, size_t count, const char *name) {
    const vl_header *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(headers[i].name, name) != 0)
            continue;
        if (found)
            return NULL;
        found = &headers[i];
    }
    return found;
}

static void read_state(const vl_header *headers, size_t count, vl_trace *trace) {
    vl_buf joined;
    vl_buf_init(&joined, STATE_HEADERS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(headers[i].name, "tracestate") != 0)
            continue;
        vl_buf_append(&joined, ",", joined.len ? 1 : 0);
        vl_buf_append(&joined, headers[i].value, headers[i].value_length);
    }
    if (joined.len && !joined.failed)
        vl_trace_read_state(joined.data, joined.len, trace);
    vl_buf_deinit(&joined);
}

void vl_request_trace(vl_request *request, const vl_header *headers, size_t count) {
    const vl_header *parent = only(headers, count, "traceparent");
    uint64_t seed = atomic_fetch_add(&request->server->next_id, 1);
    if (parent) {
        request->was_traced = true;
        if (vl_trace_read(parent->value, parent->value_length, &request->trace))
            read_state(headers, count, &request->trace);
    }
    vl_trace_begin(&request->trace, &seed);
}
