/* pnm.c — binary PGM (P5) and PPM (P6), the wire format between us and decoding children.
 *
 * The child has seen untrusted bytes, so what it says is untrusted too. */
#include "media/decode.h"

#include <string.h>

typedef struct reader {
    const uint8_t *bytes;
    size_t count, at;
} reader;

/* Skips white space and comments, then reads digits. False past the end or past `max`. */
static bool read_number(reader *r, uint64_t max, uint64_t *number) {
    while (r->at < r->count && (strchr(" \t\r\n", r->bytes[r->at]) || r->bytes[r->at] == '#')) {
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

vl_status vl_pnm_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                        vl_image **image, vl_error *error) {
    reader r = {.bytes = bytes, .count = count, .at = 2};
    uint64_t width, height, maximum;
    *image = NULL;
    if (count < 2 || r.bytes[0] != 'P' || (r.bytes[1] != '5' && r.bytes[1] != '6'))
        return vl_fail(error, VL_ERR_INPUT, "the page could not be rendered");
    uint32_t channels = r.bytes[1] == '5' ? 1 : 3;
    if (!read_number(&r, UINT32_MAX, &width) || !read_number(&r, UINT32_MAX, &height) ||
        !read_number(&r, 65535, &maximum) || maximum != 255 || r.at >= r.count)
        return vl_fail(error, VL_ERR_INPUT, "the rendered page has a broken header");
    r.at++; /* the one white space before the samples */
    vl_status status = vl_media_check_size(width, height, limits, error);
    if (status)
        return status;
    if (r.count - r.at < width * height * channels)
        return vl_fail(error, VL_ERR_INPUT, "the rendered page ends too early");
    status = vl_image_new((uint32_t)width, (uint32_t)height, channels, image, error);
    if (!status)
        memcpy((*image)->pixels, r.bytes + r.at, (size_t)(width * height * channels));
    return status;
}
