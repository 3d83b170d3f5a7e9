/* base_trace.c — trace headers: the first line is a traceparent, the rest a tracestate. What is
 * taken must be taken again as it is passed on. */
#include <vislang/base.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data, *line = size ? memchr(text, '\n', size) : NULL;
    size_t first = line ? (size_t)(line - text) : size;
    vl_trace trace, again;
    uint64_t seed = size;
    bool taken = vl_trace_read(text, first, &trace);
    if (line)
        vl_trace_read_state(line + 1, size - first - 1, &trace);
    vl_trace_begin(&trace, &seed);
    char parent[VL_TRACE_PARENT_SIZE];
    vl_trace_write(&trace, parent);
    if (!vl_trace_read(parent, strlen(parent), &again) || strcmp(again.id, trace.id) ||
        strcmp(again.caller, trace.span) || again.flags != trace.flags ||
        taken != (trace.caller[0] != '\0'))
        abort();
    vl_trace_read_state(trace.state, strlen(trace.state), &again);
    if (strcmp(again.state, trace.state))
        abort();
    return 0;
}
