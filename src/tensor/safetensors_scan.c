/* safetensors_scan.c — the JSON header of a safetensors file before it is parsed.
 *
 * A general JSON parser accepts what this format has no use for: numbers as 1e3 or 01 or past
 * 2^53, a NUL inside a name, nesting a thousand deep, millions of values. Two readers that
 * differ in any of these see two different files, so all of it is refused here, with its place.
 */
#include "tensor/safetensors.h"

#include <stdlib.h>

enum {
    MAX_DEPTH = 3,           /* header, tensor, shape */
    MAX_DIGITS = 15,         /* exact as a double, and past any file */
    TOKENS_PER_TENSOR = 40,  /* one of rank 4 has 36, brackets and commas among them */
    TOKENS_AT_LEAST = 65536, /* for the metadata */
};

static const struct {
    const char *name;
    vl_dtype dtype;
} dtypes[] = {
    {"F64", VL_F64}, {"F32", VL_F32}, {"F16", VL_F16}, {"BF16", VL_BF16}, {"I64", VL_I64},
    {"I32", VL_I32}, {"I16", VL_I16}, {"I8", VL_I8},   {"U8", VL_U8},
};
enum { DTYPE_COUNT = sizeof dtypes / sizeof *dtypes };

const char *safetensors_dtype_name(vl_dtype dtype) {
    for (size_t i = 0; i < DTYPE_COUNT; i++) {
        if (dtypes[i].dtype == dtype)
            return dtypes[i].name;
    }
    return NULL;
}

bool safetensors_dtype_parse(const char *name, vl_dtype *dtype) {
    for (size_t i = 0; i < DTYPE_COUNT; i++) {
        if (strcmp(dtypes[i].name, name) == 0) {
            *dtype = dtypes[i].dtype;
            return true;
        }
    }
    return false;
}

typedef struct scan {
    const vl_source *source;
    size_t at, end;
    size_t depth, tokens;
    safetensors_places *places;
    size_t room; /* of places->at */
    vl_error *error;
} scan;

#define refuse(s, place, status, ...)                                                          \
    vl_refuse((s)->source, (place), (s)->error, (status), __VA_ARGS__)

static vl_status note_place(scan *s) {
    safetensors_places *places = s->places;
    if (places->count > VL_SAFETENSORS_MAX_TENSORS) /* one more for the metadata */
        return refuse(s, s->at, VL_ERR_LIMIT, "more than %u tensors",
                      VL_SAFETENSORS_MAX_TENSORS);
    if (places->count == s->room) {
        size_t room = s->room ? s->room * 2 : 64;
        size_t *grown = realloc(places->at, room * sizeof *grown);
        if (!grown)
            return refuse(s, s->at, VL_ERR_MEMORY, "no memory to read the header");
        places->at = grown;
        s->room = room;
    }
    places->at[places->count++] = s->at;
    return VL_OK;
}

/* From a quotation mark to past the next one. */
static vl_status scan_string(scan *s) {
    const unsigned char *bytes = s->source->bytes;
    size_t from = s->at++;
    for (; s->at < s->end; s->at++) {
        unsigned char c = bytes[s->at];
        if (c == '"') {
            s->at++;
            return VL_OK;
        }
        if (c < 0x20)
            return refuse(s, s->at, VL_ERR_INPUT,
                          "a control character in a string of the header");
        if (c != '\\')
            continue;
        if (s->end - s->at >= 6 && memcmp(bytes + s->at, "\\u0000", 6) == 0)
            return refuse(s, s->at, VL_ERR_INPUT, "a NUL in a string of the header");
        s->at++;
    }
    return refuse(s, from, VL_ERR_INPUT, "a string without end in the header");
}

static vl_status scan_number(scan *s) {
    const unsigned char *bytes = s->source->bytes;
    size_t from = s->at;
    while (s->at < s->end && bytes[s->at] >= '0' && bytes[s->at] <= '9')
        s->at++;
    if (s->at - from > 1 && bytes[from] == '0')
        return refuse(s, from, VL_ERR_INPUT, "a number that begins with 0 in the header");
    if (s->at - from > MAX_DIGITS)
        return refuse(s, from, VL_ERR_INPUT, "a number of %zu digits in the header",
                      s->at - from);
    return VL_OK;
}

static vl_status scan_structure(scan *s, unsigned char c) {
    if (c == '{' || c == '[') {
        if (s->depth == MAX_DEPTH)
            return refuse(s, s->at, VL_ERR_INPUT, "the header is nested deeper than %d levels",
                          MAX_DEPTH);
        s->depth++;
    } else if (c == '}' || c == ']') {
        if (s->depth == 0)
            return refuse(s, s->at, VL_ERR_INPUT, "a '%c' too many in the header", c);
        s->depth--;
    }
    s->at++;
    return VL_OK;
}

static vl_status scan_token(scan *s, unsigned char c) {
    if (strchr(" \t\r\n", c)) {
        s->at++;
        return VL_OK;
    }
    if (strchr("{}[]:,", c))
        return scan_structure(s, c);
    if (c == '"') {
        /* Values of the header's own object are objects, so strings there are names. */
        vl_status status = s->depth == 1 ? note_place(s) : VL_OK;
        return status == VL_OK ? scan_string(s) : status;
    }
    if (c >= '0' && c <= '9')
        return scan_number(s);
    return refuse(s, s->at, VL_ERR_INPUT,
                  "byte 0x%02x in the header, which holds objects, arrays, strings and whole "
                  "numbers",
                  c);
}

vl_status safetensors_scan(const vl_source *source, size_t from, size_t bytes,
                           safetensors_places *places, vl_error *error) {
    scan s = {
        .source = source, .at = from, .end = from + bytes, .places = places, .error = error};
    const size_t max_tokens =
        TOKENS_AT_LEAST + (size_t)TOKENS_PER_TENSOR * VL_SAFETENSORS_MAX_TENSORS;
    *places = (safetensors_places){0};
    if (source->bytes[from] != '{')
        return refuse(&s, from, VL_ERR_INPUT,
                      "not a safetensors file: the header begins with "
                      "0x%02x, not with '{'",
                      source->bytes[from]);
    size_t valid = vl_utf8_valid_prefix((const char *)source->bytes + from, bytes);
    if (valid != bytes)
        return refuse(&s, from + valid, VL_ERR_INPUT, "the header is not UTF-8");
    while (s.at < s.end) {
        unsigned char c = source->bytes[s.at];
        if (c > ' ' && ++s.tokens > max_tokens)
            return refuse(&s, s.at, VL_ERR_LIMIT, "the header has more than %zu tokens",
                          max_tokens);
        vl_status status =
            c ? scan_token(&s, c) : refuse(&s, s.at, VL_ERR_INPUT, "a NUL byte in the header");
        if (status != VL_OK)
            return status;
    }
    if (s.depth)
        return refuse(&s, s.end, VL_ERR_INPUT, "the header ends inside %zu brackets", s.depth);
    return VL_OK;
}
