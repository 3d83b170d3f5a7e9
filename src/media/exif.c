/* exif.c — the one EXIF fact that matters here: which way up the picture is.
 *
 * EXIF is a TIFF structure inside a JPEG APP1 segment, a PNG eXIf chunk or a WebP EXIF chunk
 * (CIPA DC-008). Only the first directory is looked at, for tag 274; whatever is broken, loops
 * or points outside means orientation 1. */
#include "media/decode.h"

#include <string.h>

typedef struct span {
    const uint8_t *bytes;
    size_t count;
} span;

static uint32_t be32(const uint8_t *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint32_t le32(const uint8_t *b) {
    return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static uint32_t tiff16(const uint8_t *b, bool big) {
    return big ? (uint32_t)(b[0] << 8 | b[1]) : (uint32_t)(b[1] << 8 | b[0]);
}

static int tiff_orientation(span tiff) {
    enum { TAG_ORIENTATION = 274, TYPE_SHORT = 3, ENTRY_BYTES = 12 };
    if (tiff.count < 8)
        return 1;
    bool big = tiff.bytes[0] == 'M';
    if (memcmp(tiff.bytes, big ? "MM\0*" : "II*\0", 4))
        return 1;
    size_t at = big ? be32(tiff.bytes + 4) : le32(tiff.bytes + 4);
    if (at > tiff.count - 2)
        return 1;
    uint32_t entries = tiff16(tiff.bytes + at, big);
    const uint8_t *entry = tiff.bytes + at + 2;
    for (size_t left = tiff.count - at - 2; entries && left >= ENTRY_BYTES;
         entries--, left -= ENTRY_BYTES, entry += ENTRY_BYTES) {
        if (tiff16(entry, big) != TAG_ORIENTATION || tiff16(entry + 2, big) != TYPE_SHORT)
            continue;
        uint32_t value = tiff16(entry + 8, big);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

static span after_exif_header(span s) {
    if (s.count >= 6 && !memcmp(s.bytes, "Exif\0\0", 6))
        return (span){s.bytes + 6, s.count - 6};
    return s;
}

static int jpeg_orientation(span jpeg) {
    size_t at = 2;
    while (at + 4 <= jpeg.count && jpeg.bytes[at] == 0xFF) {
        uint8_t marker = jpeg.bytes[at + 1];
        if (marker == 0xFF) { /* fill byte */
            at++;
            continue;
        }
        if (marker == 0xDA || marker == 0xD9) /* scan or end: no metadata behind */
            break;
        size_t length = (size_t)jpeg.bytes[at + 2] << 8 | jpeg.bytes[at + 3];
        if (length < 2 || length > jpeg.count - at - 2)
            break;
        span segment = {jpeg.bytes + at + 4, length - 2};
        if (marker == 0xE1 && segment.count >= 6 && !memcmp(segment.bytes, "Exif\0\0", 6))
            return tiff_orientation(after_exif_header(segment));
        at += 2 + length;
    }
    return 1;
}

static int png_orientation(span png) {
    size_t at = 8;
    while (at + 12 <= png.count) {
        size_t length = be32(png.bytes + at);
        if (length > png.count - at - 12)
            break;
        if (!memcmp(png.bytes + at + 4, "eXIf", 4))
            return tiff_orientation(after_exif_header((span){png.bytes + at + 8, length}));
        at += 12 + length;
    }
    return 1;
}

static int webp_orientation(span webp) {
    size_t at = 12;
    while (at + 8 <= webp.count) {
        size_t length = le32(webp.bytes + at + 4);
        if (length > webp.count - at - 8)
            break;
        if (!memcmp(webp.bytes + at, "EXIF", 4))
            return tiff_orientation(after_exif_header((span){webp.bytes + at + 8, length}));
        at += 8 + length + (length & 1);
    }
    return 1;
}

int vl_exif_orientation(vl_media_kind kind, const void *bytes, size_t count) {
    span file = {bytes, count};
    switch (kind) {
    case VL_MEDIA_JPEG:
        return jpeg_orientation(file);
    case VL_MEDIA_PNG:
        return png_orientation(file);
    case VL_MEDIA_WEBP:
        return webp_orientation(file);
    default:
        return 1;
    }
}

static void mirror(vl_image *image) {
    size_t n = image->channels;
    for (uint32_t y = 0; y < image->height; y++) {
        uint8_t *left = image->pixels + y * image->stride;
        uint8_t *right = left + (image->width - 1) * n;
        for (; left < right; left += n, right -= n)
            for (size_t c = 0; c < n; c++) {
                uint8_t swap = left[c];
                left[c] = right[c];
                right[c] = swap;
            }
    }
}

vl_image *vl_image_orient(vl_image *image, int orientation) {
    /* The clockwise turn that undoes each orientation, after a mirror where there is one. */
    static const int turns[9] = {0, 0, 0, 180, 180, 270, 90, 90, 270};
    bool mirrored =
        orientation == 2 || orientation == 4 || orientation == 5 || orientation == 7;
    if (orientation < 2 || orientation > 8)
        return image;
    if (mirrored)
        mirror(image);
    if (!turns[orientation])
        return image;
    vl_image *turned = vl_image_rotate(image, turns[orientation]);
    vl_image_free(image);
    return turned;
}
