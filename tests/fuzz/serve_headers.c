/* serve_headers.c — header sections of any bytes, taken apart as libmicrohttpd does: a lone
 * line feed ends a line, a line that begins with white space goes on with the one before. What
 * both checks let pass must be what a strict reader of the same bytes sees. */
#include "serve/check.h"

#include <stdlib.h>
#include <string.h>

enum { SECTION_MAX = 4096, HEADERS_MAX = 64 };
static const char version[] = "HTTP/1.1";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct section {
    char bytes[sizeof version + 1 + SECTION_MAX + 4]; /* "HTTP/1.1\0\n" and what was received */
    vl_header headers[HEADERS_MAX];
    size_t count;
    const char *end;
} section;

/* As the library leaves it: "name\0 value\0\0". */
static bool take_line(section *s, char *line, char *end) {
    char *colon = memchr(line, ':', (size_t)(end - line));
    if (!colon || *line == ' ' || *line == '\t' || s->count == HEADERS_MAX)
        return false;
    *colon = '\0';
    char *value = colon + 1;
    while (*value == ' ' || *value == '\t')
        value++;
    s->headers[s->count++] = (vl_header){line, value, strlen(line), strlen(value)};
    return true;
}

/* False: the library would not hand this over. */
static bool take_apart(section *s, const uint8_t *data, size_t size) {
    memcpy(s->bytes, version, sizeof version);
    s->bytes[sizeof version] = '\n';
    char *at = s->bytes + sizeof version + 1, *stop = at + size;
    memcpy(at, data, size);
    memset(stop, 0, 4);
    while (at < stop) {
        char *line = at, *feed = memchr(at, '\n', (size_t)(stop - at));
        if (!feed)
            return false;
        at = feed + 1;
        char *end = feed;
        *feed = '\0';
        if (end > line && end[-1] == '\r')
            *--end = '\0';
        s->end = at;
        if (end == line)
            return true;
        if (!take_line(s, line, end))
            return false;
    }
    return false;
}

/* RFC 9112, section 5, with nothing left to judgement. */
static bool is_strict(const uint8_t *data, size_t size, size_t lines) {
    const char *at = (const char *)data, *stop = at + size;
    for (size_t i = 0; i < lines; i++) {
        const char *end = memmem(at, (size_t)(stop - at), "\r\n", 2);
        const char *colon = end ? memchr(at, ':', (size_t)(end - at)) : NULL;
        if (!colon || colon == at || memchr(at, '\n', (size_t)(end - at)) ||
            memchr(at, '\0', (size_t)(end - at)))
            return false;
        for (; at < colon; at++)
            if (*at <= ' ' || *at >= 0x7f)
                return false;
        at = end + 2;
    }
    return stop - at >= 2 && !memcmp(at, "\r\n", 2);
}

/* The library writes NUL over the ends of lines: one that came there cannot be told apart. */
static bool ends_a_line_in_nul(const uint8_t *data, size_t size) {
    return memmem(data, size, "\0\n", 2) || memmem(data, size, "\0\r", 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static section s;
    vl_framing framing;
    if (size > SECTION_MAX)
        return 0;
    s.count = 0;
    if (!take_apart(&s, data, size))
        return 0;
    vl_refusal refusal = vl_check_headers(s.headers, s.count, version, &framing);
    if (vl_check_header_layout(s.bytes, s.headers, s.count, s.end) && !refusal.status &&
        !ends_a_line_in_nul(data, size) && !is_strict(data, size, s.count))
        abort();
    if (!refusal.status && (!framing.host || (framing.chunked && framing.has_length) ||
                            framing.length > 999999999999999999u))
        abort();
    return 0;
}
