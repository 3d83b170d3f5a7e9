/* multipart.c — a form's parts out of a byte stream that is cut anywhere.
 *
 * The delimiter is "\r\n--" boundary. A boundary holds no CR, so a partial match that fails
 * can only begin again at the byte that broke it: no look-back beyond the matched prefix. */
#include "serve/multipart.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum state {
    STATE_OPENING,   /* the first delimiter, which may lack its CRLF */
    STATE_DELIMITER, /* right behind a delimiter: "--" or padding and CRLF */
    STATE_CLOSING,   /* one '-' seen */
    STATE_PADDING,   /* white space until CRLF */
    STATE_NEWLINE,   /* CR seen, LF must follow */
    STATE_HEADERS,
    STATE_CONTENT,
    STATE_EPILOGUE,
    STATE_FAILED,
} state;

struct vl_multipart {
    vl_multipart_handler handler;
    state state;
    vl_status failed;
    size_t parts, parts_max;
    size_t matched; /* bytes of the delimiter seen */
    bool begun;     /* a byte has been seen */
    size_t delimiter_length;
    char delimiter[4 + VL_MULTIPART_BOUNDARY_MAX + 1];
    size_t header_length;
    char header[VL_MULTIPART_HEADER_MAX + 1];
};

/* ---- parameters of a header value ------------------------------------------------ */

static bool is_token_char(char c) {
    return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Copies the token or quoted string at `*at` to `out`; false when it is neither or too long. */
static bool read_value(const char **at, char *out, size_t size) {
    const char *p = *at;
    size_t length = 0;
    if (*p == '"') {
        for (p++; *p && *p != '"'; p++) {
            if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
                p++;
            if (length + 1 >= size)
                return false;
            out[length++] = *p;
        }
        if (*p++ != '"')
            return false;
    } else {
        for (; is_token_char(*p); p++) {
            if (length + 1 >= size)
                return false;
            out[length++] = *p;
        }
        if (!length)
            return false;
    }
    out[length] = '\0';
    *at = p;
    return true;
}

static const char *skip_blank(const char *p) {
    return p + strspn(p, " \t");
}

/* Finds parameter `name` in "; a=b; c="d"". 1: found, 0: not there, -1: malformed, or twice. */
static int find_parameter(const char *parameters, const char *name, char *out, size_t size) {
    char key[32], value[VL_MULTIPART_HEADER_MAX];
    int found = 0;
    for (const char *p = skip_blank(parameters); *p; p = skip_blank(p)) {
        if (*p++ != ';')
            return -1;
        p = skip_blank(p);
        if (!*p)
            break;
        size_t length = 0;
        for (; is_token_char(*p); p++)
            if (length + 1 < sizeof key)
                key[length++] = *p;
        key[length] = '\0';
        if (!length || *p++ != '=' || !read_value(&p, value, sizeof value))
            return -1;
        if (strcasecmp(key, name))
            continue;
        if (found || strlen(value) >= size)
            return -1;
        memcpy(out, value, strlen(value) + 1);
        found = 1;
    }
    return found;
}

vl_status vl_multipart_boundary(const char *content_type,
                                char boundary[VL_MULTIPART_BOUNDARY_MAX + 1], vl_error *error) {
    static const char type[] = "multipart/form-data";
    size_t length = sizeof type - 1;
    if (!content_type || strncasecmp(content_type, type, length))
        return vl_fail(error, VL_ERR_INPUT, "the content type is not multipart/form-data");
    if (find_parameter(content_type + length, "boundary", boundary,
                       VL_MULTIPART_BOUNDARY_MAX + 1) != 1)
        return vl_fail(error, VL_ERR_INPUT,
                       "the content type needs one boundary parameter of at most %d characters",
                       VL_MULTIPART_BOUNDARY_MAX);
    for (const char *p = boundary; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("'()+_,-./:=? ", *p))
            return vl_fail(error, VL_ERR_INPUT, "the boundary holds a character it may not");
    if (!*boundary || boundary[strlen(boundary) - 1] == ' ')
        return vl_fail(error, VL_ERR_INPUT, "the boundary is empty or ends in a space");
    return VL_OK;
}

/* ---- one part's header section --------------------------------------------------- */

typedef struct part_header {
    bool disposition, has_filename;
    char name[256];
    char filename[1024];
} part_header;

static vl_status take_disposition(const char *value, part_header *header, vl_error *error) {
    static const char kind[] = "form-data";
    if (header->disposition)
        return vl_fail(error, VL_ERR_INPUT, "a part has two Content-Disposition headers");
    header->disposition = true;
    if (strncasecmp(value, kind, sizeof kind - 1))
        return vl_fail(error, VL_ERR_INPUT, "a part's Content-Disposition is not form-data");
    value += sizeof kind - 1;
    if (find_parameter(value, "name", header->name, sizeof header->name) != 1 ||
        !header->name[0])
        return vl_fail(error, VL_ERR_INPUT, "a part has no name (or a name over 255 bytes)");
    int found = find_parameter(value, "filename", header->filename, sizeof header->filename);
    if (found < 0)
        return vl_fail(error, VL_ERR_INPUT, "a part's file name is malformed or too long");
    header->has_filename = found == 1;
    return VL_OK;
}

static vl_status take_header_line(char *line, part_header *header, vl_error *error) {
    char *colon = strchr(line, ':');
    if (!colon || colon == line)
        return vl_fail(error, VL_ERR_INPUT, "a part's header line has no name");
    for (const char *p = line; p < colon; p++)
        if (!is_token_char(*p))
            return vl_fail(error, VL_ERR_INPUT,
                           "a part's header name holds a character it may not");
    *colon = '\0';
    const char *value = skip_blank(colon + 1);
    if (!strcasecmp(line, "Content-Disposition"))
        return take_disposition(value, header, error);
    if (!strcasecmp(line, "Content-Transfer-Encoding") && strcasecmp(value, "binary") &&
        strcasecmp(value, "8bit") && strcasecmp(value, "7bit"))
        return vl_fail(error, VL_ERR_INPUT,
                       "a part is encoded as \"%.40s\"; send it as it is (RFC 7578 §4.7)",
                       value);
    return VL_OK;
}

/* `parser->header` holds the lines, each with its CRLF, without the empty line at the end. */
static vl_status begin_part(vl_multipart *parser, vl_error *error) {
    part_header header = {0};
    if (memchr(parser->header, '\0', parser->header_length))
        return vl_fail(error, VL_ERR_INPUT, "a part's header holds a NUL byte");
    parser->header[parser->header_length] = '\0';
    for (char *line = parser->header; *line;) {
        char *end = strstr(line, "\r\n");
        if (!end)
            return vl_fail(error, VL_ERR_INPUT, "a part's header line has no end");
        *end = '\0';
        vl_status status = take_header_line(line, &header, error);
        if (status)
            return status;
        line = end + 2;
    }
    if (!header.disposition)
        return vl_fail(error, VL_ERR_INPUT, "a part has no Content-Disposition header");
    if (++parser->parts > parser->parts_max)
        return vl_fail(error, VL_ERR_LIMIT, "the form has more than %zu parts",
                       parser->parts_max);
    vl_form_part part = {.name = header.name,
                         .filename = header.has_filename ? header.filename : NULL};
    return parser->handler.begin(parser->handler.user, &part, error);
}

/* ---- the stream ------------------------------------------------------------------ */

vl_multipart *vl_multipart_new(const char *boundary, const vl_multipart_handler *handler) {
    vl_multipart *parser = calloc(1, sizeof *parser);
    if (!parser)
        return NULL;
    size_t length = strnlen(boundary, VL_MULTIPART_BOUNDARY_MAX);
    memcpy(parser->delimiter, "\r\n--", 4);
    memcpy(parser->delimiter + 4, boundary, length);
    parser->delimiter_length = 4 + length;
    parser->handler = *handler;
    parser->matched = 2;
    parser->parts_max = VL_MULTIPART_PARTS_MAX;
    return parser;
}

void vl_multipart_allow(vl_multipart *parser, size_t parts) {
    parser->parts_max = parts;
}

void vl_multipart_free(vl_multipart *parser) {
    free(parser);
}

static vl_status give(vl_multipart *parser, const char *bytes, size_t count, vl_error *error) {
    return count ? parser->handler.data(parser->handler.user, bytes, count, error) : VL_OK;
}

/* Content up to the next delimiter, or all there is. Returns how much was taken. */
static size_t feed_content(vl_multipart *parser, const char *bytes, size_t count,
                           vl_status *status, vl_error *error) {
    size_t at = 0;
    while (at < count && !*status) {
        if (!parser->matched) {
            const char *cr = memchr(bytes + at, '\r', count - at);
            size_t plain = cr ? (size_t)(cr - bytes) - at : count - at;
            *status = give(parser, bytes + at, plain, error);
            at += plain;
            if (cr) {
                parser->matched = 1;
                at++;
            }
        } else if (bytes[at] == parser->delimiter[parser->matched]) {
            at++;
            if (++parser->matched == parser->delimiter_length) {
                parser->matched = 0;
                parser->state = STATE_DELIMITER;
                *status = parser->handler.end(parser->handler.user, error);
                return at;
            }
        } else {
            *status = give(parser, parser->delimiter, parser->matched, error);
            parser->matched = 0;
        }
    }
    return at;
}

static vl_status feed_header_byte(vl_multipart *parser, char c, vl_error *error) {
    if (parser->header_length == VL_MULTIPART_HEADER_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "a part's header is longer than %d bytes",
                       VL_MULTIPART_HEADER_MAX);
    parser->header[parser->header_length++] = c;
    size_t length = parser->header_length;
    bool empty_line = length == 2
                          ? !memcmp(parser->header, "\r\n", 2)
                          : length > 3 && !memcmp(parser->header + length - 4, "\r\n\r\n", 4);
    if (!empty_line)
        return VL_OK;
    parser->header_length = length - 2;
    parser->state = STATE_CONTENT;
    parser->matched = 0;
    vl_status status = begin_part(parser, error);
    parser->header_length = 0;
    return status;
}

static vl_status feed_opening_byte(vl_multipart *parser, char c, vl_error *error) {
    bool first = !parser->begun;
    parser->begun = true;
    if (first && c == '\r')
        parser->matched = 1; /* a CRLF in front of the first delimiter is allowed, once */
    else if (c == parser->delimiter[parser->matched])
        parser->matched++;
    else
        return vl_fail(error, VL_ERR_INPUT,
                       "the body does not begin with the boundary its content type names");
    if (parser->matched == parser->delimiter_length) {
        parser->matched = 0;
        parser->state = STATE_DELIMITER;
    }
    return VL_OK;
}

static vl_status feed_delimiter_byte(vl_multipart *parser, char c, vl_error *error) {
    state from = parser->state;
    if (from == STATE_DELIMITER && c == '-')
        parser->state = STATE_CLOSING;
    else if (from == STATE_CLOSING && c == '-')
        parser->state = STATE_EPILOGUE;
    else if ((from == STATE_DELIMITER || from == STATE_PADDING) && (c == ' ' || c == '\t'))
        parser->state = STATE_PADDING;
    else if ((from == STATE_DELIMITER || from == STATE_PADDING) && c == '\r')
        parser->state = STATE_NEWLINE;
    else if (from == STATE_NEWLINE && c == '\n')
        parser->state = STATE_HEADERS;
    else
        return vl_fail(error, VL_ERR_INPUT, "a boundary is not followed by a line end");
    return VL_OK;
}

vl_status vl_multipart_feed(vl_multipart *parser, const char *bytes, size_t count,
                            vl_error *error) {
    vl_status status = VL_OK;
    if (parser->state == STATE_FAILED)
        return vl_fail(error, parser->failed, "the form was malformed before this point");
    for (size_t at = 0; at < count && !status;) {
        switch (parser->state) {
        case STATE_CONTENT:
            at += feed_content(parser, bytes + at, count - at, &status, error);
            break;
        case STATE_HEADERS:
            status = feed_header_byte(parser, bytes[at++], error);
            break;
        case STATE_OPENING:
            status = feed_opening_byte(parser, bytes[at++], error);
            break;
        case STATE_EPILOGUE:
            at = count; /* RFC 2046 §5.1.1: to be ignored */
            break;
        default:
            status = feed_delimiter_byte(parser, bytes[at++], error);
            break;
        }
    }
    if (status) {
        parser->state = STATE_FAILED;
        parser->failed = status;
    }
    return status;
}

vl_status vl_multipart_finish(vl_multipart *parser, vl_error *error) {
    if (parser->state == STATE_EPILOGUE)
        return VL_OK;
    if (parser->state == STATE_FAILED)
        return vl_fail(error, parser->failed, "the form was malformed");
    return vl_fail(error, VL_ERR_INPUT, "the form ends before its closing boundary");
}
