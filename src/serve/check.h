/* check.h — what a request must satisfy before anything acts on it (RFC 9110, RFC 9112).
 *
 * libmicrohttpd 0.9.75 is lenient where two readers of one byte stream may disagree: it takes
 * Content-Length beside Transfer-Encoding, doubled headers, white space in names, bare line
 * feeds, NUL bytes, and it appends a folded line to the header's name. These checks refuse all
 * of it. They are pure functions over what the library parsed, so that tests reach them. */
#ifndef VISLANG_SERVE_CHECK_H
#define VISLANG_SERVE_CHECK_H

#include <vislang/base.h>

enum { VL_PATH_MAX = 1024 };

typedef struct vl_header {
    const char *name;
    const char *value;
    size_t name_length, value_length;
} vl_header;

/* Why a request is refused: an HTTP status and one sentence. status 0: it is not. */
typedef struct vl_refusal {
    unsigned status;
    const char *detail; /* static */
} vl_refusal;

typedef struct vl_framing { /* how the body is delimited */
    bool chunked;
    bool has_length;
    uint64_t length;
    bool expects_continue;
    const char *host;
} vl_framing;

/* Names are tokens, values hold no control character, Host, Content-Length, Content-Type,
 * Transfer-Encoding, Authorization and X-API-Key come at most once, and one way of delimiting
 * the body. */
vl_refusal vl_check_headers(const vl_header *headers, size_t count, const char *version,
                            vl_framing *framing);
/* True when the headers lie in the received bytes exactly as `name: value CRLF` one behind the
 * other, from the end of the request line (`version`) to the empty line: nothing was folded, no
 * line ended in a bare LF, no NUL byte hides what follows (one beside a line's end is taken for
 * a part of it: the library writes NUL over both). `end` is one behind the last byte of the
 * header section. Reads only the bytes between the given pointers. */
bool vl_check_header_layout(const char *version, const vl_header *headers, size_t count,
                            const char *end);
/* The path of a request target, percent-decoded: "/a%20b?x=1" → "/a b". Refuses what is not an
 * absolute path, bad percent coding, control characters, NUL, "..", "//", back slashes and
 * invalid UTF-8. */
vl_refusal vl_check_target(const char *target, char path[VL_PATH_MAX]);
/* `list` is comma-separated; "*" or an empty list allows all; the port is not compared unless
 * `with_port`. Names compare without case. */
bool vl_check_host_listed(const char *list, const char *host, bool with_port);
/* The client's own request id is taken when it is 1 to 64 of [A-Za-z0-9._-]. */
bool vl_check_request_id(const char *id);

#endif
