/* check.c — the request checks: framing, header grammar, target, host. */
#include "serve/check.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define REFUSE(code, text) ((vl_refusal){.status = (code), .detail = (text)})
#define PASS ((vl_refusal){0})

static bool is_token_char(unsigned char c) {
    return isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!is_token_char((unsigned char)text[i]))
            return false;
    return length > 0;
}

static bool is_field_value(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_named(const vl_header *header, const char *name) {
    return header->name_length == strlen(name) &&
           !strncasecmp(header->name, name, header->name_length);
}

/* Decimal digits alone, at most 18 of them: no sign, no list, no overflow. */
static bool parse_length(const char *text, size_t count, uint64_t *length) {
    *length = 0;
    if (!count || count > 18)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *length = *length * 10 + (uint64_t)(text[i] - '0');
    }
    return true;
}

/* host, host:port, [v6]:port — and none of the characters that would let it be read as more. */
static bool is_host(const char *host) {
    if (!*host || strlen(host) > 255)
        return false;
    for (const char *p = host; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("-._~:[]", *p))
            return false;
    return true;
}

static vl_refusal take_header(const vl_header *header, vl_framing *framing, unsigned seen[6]) {
    if (is_named(header, "Host")) {
        if (seen[0]++)
            return REFUSE(400, "Host is given twice.");
        framing->host = header->value;
    } else if (is_named(header, "Content-Length")) {
        if (seen[1]++)
            return REFUSE(400, "Content-Length is given twice.");
        if (!parse_length(header->value, header->value_length, &framing->length))
            return REFUSE(400, "Content-Length is not a number.");
        framing->has_length = true;
    } else if (is_named(header, "Transfer-Encoding")) {
        if (seen[2]++)
            return REFUSE(400, "Transfer-Encoding is given twice.");
        if (strcasecmp(header->value, "chunked"))
            return REFUSE(501, "The only transfer coding understood is chunked.");
        framing->chunked = true;
    } else if (is_named(header, "Content-Type")) {
        if (seen[3]++)
            return REFUSE(400, "Content-Type is given twice.");
    } else if (is_named(header, "Authorization")) {
        if (seen[4]++)
            return REFUSE(400, "Authorization is given twice.");
    } else if (is_named(header, "X-API-Key")) {
        if (seen[5]++)
            return REFUSE(400, "X-API-Key is given twice.");
    } else if (is_named(header, "Expect")) {
        if (strcasecmp(header->value, "100-continue"))
            return REFUSE(417, "The only expectation understood is 100-continue.");
        framing->expects_continue = true;
    }
    return PASS;
}

vl_refusal vl_check_headers(const vl_header *headers, size_t count, const char *version,
                            vl_framing *framing) {
    unsigned seen[6] = {0};
    *framing = (vl_framing){0};
    bool http_1_1 = !strcmp(version, "HTTP/1.1");
    if (!http_1_1 && strcmp(version, "HTTP/1.0"))
        return REFUSE(505, "The service speaks HTTP/1.1 (and 1.0).");
    for (size_t i = 0; i < count; i++) {
        if (!is_token(headers[i].name, headers[i].name_length))
            return REFUSE(400, "A header name holds white space or another character it may "
                               "not.");
        if (!is_field_value(headers[i].value, headers[i].value_length))
            return REFUSE(400, "A header value holds a control character.");
        vl_refusal refusal = take_header(&headers[i], framing, seen);
        if (refusal.status)
            return refusal;
    }
    if (framing->chunked && framing->has_length)
        return REFUSE(400, "Content-Length and Transfer-Encoding are both given.");
    if (framing->chunked && !http_1_1)
        return REFUSE(400, "HTTP/1.0 knows no transfer coding.");
    if (!framing->host && http_1_1)
        return REFUSE(400, "Host is missing.");
    if (framing->host && !is_host(framing->host))
        return REFUSE(400, "Host is not a host name.");
    return PASS;
}

/* ---- how the headers lie in the received bytes ----------------------------------- */

/* The library turns "name: value\r\n" into "name\0 value\0\0". */
bool vl_check_header_layout(const char *version, const vl_header *headers, size_t count,
                            const char *end) {
    const char *at = version + strlen(version) + 2;
    for (size_t i = 0; i < count; i++) {
        const vl_header *header = &headers[i];
        if (header->name != at)
            return false;
        at += header->name_length + 1;
        if (header->value < at || header->value >= end)
            return false;
        for (; at < header->value; at++)
            if (*at != ' ' && *at != '\t')
                return false;
        at += header->value_length + 2;
        if (at > end || at[-1] || at[-2])
            return false;
    }
    return at + 2 == end;
}

/* ---- target ---------------------------------------------------------------------- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool has_dot_segment(const char *path) {
    for (const char *p = path; (p = strstr(p, "/.")); p++) {
        const char *end = p + 2;
        if (*end == '.')
            end++;
        if (*end == '/' || !*end)
            return true;
    }
    return false;
}

vl_refusal vl_check_target(const char *target, char path[VL_PATH_MAX]) {
    size_t length = 0;
    path[0] = '\0';
    if (target[0] != '/')
        return REFUSE(400, "The request target is not an absolute path.");
    for (const char *p = target; *p && *p != '?'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '%') {
            int high = hex_digit(p[1]), low = high < 0 ? -1 : hex_digit(p[2]);
            if (low < 0)
                return REFUSE(400, "The path holds bad percent coding.");
            c = (unsigned char)(high << 4 | low);
            p += 2;
        } else if (c <= 0x20 || c > 0x7e) {
            return REFUSE(400, "The path holds a byte that must be percent-coded.");
        }
        if (c < 0x20 || c == 0x7f || c == '\\' || c == '#')
            return REFUSE(400, "The path holds a character it may not.");
        if (length + 1 >= VL_PATH_MAX)
            return REFUSE(414, "The path is too long.");
        path[length++] = (char)c;
    }
    path[length] = '\0';
    if (has_dot_segment(path) || strstr(path, "//"))
        return REFUSE(400, "The path holds an empty or dot segment.");
    if (vl_utf8_valid_prefix(path, length) != length)
        return REFUSE(400, "The path is not UTF-8.");
    return PASS;
}

/* ---- host and request id --------------------------------------------------------- */

/* Length of the host without its port. */
static size_t host_length(const char *host) {
    const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
    if (bracket)
        return (size_t)(bracket - host) + 1;
    return strcspn(host, ":");
}

bool vl_check_host_listed(const char *list, const char *host, bool with_port) {
    if (!*list)
        return true;
    size_t length = with_port ? strlen(host) : host_length(host);
    for (const char *p = list; *p;) {
        p += strspn(p, ", \t");
        size_t item = strcspn(p, ", \t");
        if (item == 1 && *p == '*')
            return true;
        if (item && item == length && !strncasecmp(p, host, length))
            return true;
        p += item;
    }
    return false;
}

bool vl_check_request_id(const char *id) {
    size_t length = strlen(id);
    if (!length || length > 64)
        return false;
    for (const char *p = id; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
            return false;
    return true;
}
