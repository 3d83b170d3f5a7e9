/* pnm.c — binary PGM (P5) and PPM (P6), the wire format between us and decoding children.
 *
 * The child has seen untrusted bytes, so what it says is untrusted too. */
#include "media/decode.h"

#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const uint8_t *bytes;
    size_t count, at;
} reader;

static bool is_space(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Skips white space and comments, then reads digits. False past the end or past `max`. */
static bool read_number(reader *r, uint64_t max, uint64_t *number) {
    while (r->at < r->count && (is_space(r->bytes[r->at]) || r->bytes[r->at] == '#')) {
        if (r->bytes[r->at] == '#')
            while (r->at < r->count && r->bytes[r->at] != '\n')
                r->at++;
        else
            r->at++;
    }
    size_t start = r->at;
    *number = 0;
    while (r->at < r->count && r->bytes[r->at] >= '0' && r->bytes[r->at] <= '9') {
        *number = *number * 10 + (uint64_t)(r->bytes[r->at++] - '0');
        if (*number > max)
            return false;
    }
    return r->at > start;
}

vl_status vl_pnm_take(vl_buf *from, size_t head, const vl_media_limits *limits,
                      vl_image **image, vl_error *error) {
    reader r = {.bytes = (const uint8_t *)from->data, .count = from->len, .at = head + 2};
    uint64_t width, height, maximum;
    *image = NULL;
    if (!from->data || r.at > r.count || r.bytes[head] != 'P' ||
        (r.bytes[head + 1] != '5' && r.bytes[head + 1] != '6'))
        return vl_fail(error, VL_ERR_INPUT, "the page could not be rendered");
    uint32_t channels = r.bytes[head + 1] == '5' ? 1 : 3;
    if (!read_number(&r, UINT32_MAX, &width) || !read_number(&r, UINT32_MAX, &height) ||
        !read_number(&r, 65535, &maximum) || maximum != 255 || r.at >= r.count ||
        !is_space(r.bytes[r.at]))
        return vl_fail(error, VL_ERR_INPUT, "the rendered page has a broken header");
    r.at++; /* the one white space before the samples */
    vl_status status = vl_media_check_size(width, height, limits, error);
    if (status)
        return status;
    uint64_t bytes = width * height * channels;
    if (r.count - r.at < bytes)
        return vl_fail(error, VL_ERR_INPUT, "the rendered page ends too early");
    vl_image *made = malloc(sizeof *made);
    if (!made)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    memmove(from->data, r.bytes + r.at, (size_t)bytes);
    uint8_t *fitting = realloc(from->data, (size_t)bytes); /* only ever smaller */
    *made = (vl_image){.width = (uint32_t)width,
                       .height = (uint32_t)height,
                       .channels = channels,
                       .stride = (size_t)width * channels,
                       .pixels = fitting ? fitting : (uint8_t *)from->data};
    size_t max = from->max;
    vl_buf_init(from, max);
    *image = made;
    return VL_OK;
}
