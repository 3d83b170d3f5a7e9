/* media.h — untrusted bytes in, upright pictures out.
 *
 * A document is what one file holds: one picture (JPEG, PNG, WebP), or pages (TIFF, PDF). Its
 * kind is found by content, never by name. Every dimension is checked against the limits before
 * anything is allocated for it; TIFF and PDF are decoded in a sandboxed child.
 *
 * Ownership: a document keeps a reference to the caller's bytes (they must outlive it); an
 * image owns its pixels (vl_image_free). Thread-safety: one thread per document at a time. */
#ifndef VISLANG_MEDIA_H
#define VISLANG_MEDIA_H

#include <vislang/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 8-bit samples, rows from the top, `stride` bytes from row to row, channels interleaved. */
typedef struct vl_image {
    uint32_t width, height;
    uint32_t channels; /* 1 grey, 3 RGB (alpha was laid over white) */
    size_t stride;
    double dpi; /* 0: not known */
    uint8_t *pixels;
} vl_image;

vl_status vl_image_new(uint32_t width, uint32_t height, uint32_t channels, vl_image **image,
                       vl_error *error);
void vl_image_free(vl_image *image);
vl_image *vl_image_copy(const vl_image *image);    /* NULL: no memory */
vl_image *vl_image_to_grey(const vl_image *image); /* ITU-R BT.601 luma; NULL: no memory */
/* Turned clockwise by 0, 90, 180 or 270 degrees. */
vl_image *vl_image_rotate(const vl_image *image, int degrees_clockwise);
/* Box-filtered when smaller, bilinear when larger. */
vl_image *vl_image_resize(const vl_image *image, uint32_t width, uint32_t height);
vl_status vl_image_encode_png(const vl_image *image, vl_buf *out, vl_error *error);
/* `level` of zlib: 1 fast (several times as fast as 6, which the above uses) … 9 small */
vl_status vl_image_encode_png_level(const vl_image *image, int level, vl_buf *out,
                                    vl_error *error);
/* quality 1 … 100 */
vl_status vl_image_encode_jpeg(const vl_image *image, int quality, vl_buf *out,
                               vl_error *error);

typedef struct vl_media_limits {
    size_t max_bytes;    /* of the file */
    uint32_t max_side;   /* pixels, width or height */
    uint64_t max_pixels; /* of one page */
    uint32_t max_pages;
    double max_seconds; /* to decode one page */
    size_t max_memory;  /* of a decoding child */
    double pdf_dpi;     /* resolution PDF pages are rendered at */
} vl_media_limits;
/* 100 MB, 20000, 50 M, 2000 pages, 20 s, 768 MB, 200 dpi */
vl_media_limits vl_media_limits_default(void);

typedef enum vl_media_kind {
    VL_MEDIA_UNKNOWN,
    VL_MEDIA_JPEG,
    VL_MEDIA_PNG,
    VL_MEDIA_WEBP,
    VL_MEDIA_TIFF,
    VL_MEDIA_PDF,
} vl_media_kind;
vl_media_kind vl_media_sniff(const void *bytes, size_t count);
const char *vl_media_kind_name(vl_media_kind kind); /* "jpeg", … */
const char *vl_media_kind_type(vl_media_kind kind); /* "image/jpeg", … */

typedef struct vl_document vl_document;
/* Reads headers only. VL_ERR_UNSUPPORTED: not a kind we read (the message says what it looks
 * like); VL_ERR_LIMIT, VL_ERR_INPUT (empty, truncated header, encrypted PDF, …). */
vl_status vl_document_open(const void *bytes, size_t count, const vl_media_limits *limits,
                           vl_document **document, vl_error *error);
void vl_document_free(vl_document *document);
vl_media_kind vl_document_kind(const vl_document *document);
uint32_t vl_document_page_count(const vl_document *document);
/* Page `index` (from 0), decoded, EXIF orientation applied. */
vl_status vl_document_page(vl_document *document, uint32_t index, vl_image **image,
                           vl_error *error);
/* The first page of a document that nothing else is asked of. */
vl_status vl_document_first(const void *bytes, size_t count, const vl_media_limits *limits,
                            vl_image **image, vl_error *error);

/* What a picture is, from its pixels alone. */
typedef enum vl_picture_kind {
    VL_PICTURE_PAGE,
    VL_PICTURE_PHOTO,
    VL_PICTURE_BLANK
} vl_picture_kind;
typedef struct vl_picture_look {
    vl_picture_kind kind;
    double page_probability; /* 0 … 1 */
    double brightness, contrast, colourfulness, sharpness;
    struct {
        char name[16]; /* "white", "dark blue", … */
        double share;
    } colours[5]; /* largest first */
    size_t colour_count;
} vl_picture_look;
vl_status vl_picture_look_at(const vl_image *image, vl_picture_look *look, vl_error *error);

#ifdef __cplusplus
}
#endif
#endif
