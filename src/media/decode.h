/* decode.h — one decoder per format, inside media/.
 *
 * Every decoder checks the size its header claims (vl_media_check_size) before anything is
 * allocated for pixels, and gives up past `limits->max_seconds`. Images belong to the caller.
 */
#ifndef VISLANG_MEDIA_DECODE_H
#define VISLANG_MEDIA_DECODE_H

#include <vislang/media.h>

vl_status vl_media_check_size(uint64_t width, uint64_t height, const vl_media_limits *limits,
                              vl_error *error);
/* When decoding of one page must be over (vl_clock_ns). */
int64_t vl_media_deadline(const vl_media_limits *limits);

vl_status vl_jpeg_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                         vl_image **image, vl_error *error);
vl_status vl_png_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                        vl_image **image, vl_error *error);
vl_status vl_webp_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                         vl_image **image, vl_error *error);
/* In a sandboxed child. `pages` may be NULL. */
vl_status vl_tiff_page_count(const void *bytes, size_t count, const vl_media_limits *limits,
                             uint32_t *pages, vl_error *error);
vl_status vl_tiff_decode(const void *bytes, size_t count, uint32_t page,
                         const vl_media_limits *limits, vl_image **image, vl_error *error);
vl_status vl_pdf_page_count(const void *bytes, size_t count, const vl_media_limits *limits,
                            uint32_t *pages, vl_error *error);
vl_status vl_pdf_decode(const void *bytes, size_t count, uint32_t page,
                        const vl_media_limits *limits, vl_image **image, vl_error *error);
/* Binary PGM or PPM with a maximum value of 255, as poppler writes it and vislang-decode does.
 */
vl_status vl_pnm_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                        vl_image **image, vl_error *error);

/* EXIF orientation 1 … 8 (TIFF 6.0 tag 274) of a JPEG, PNG or WebP; 1 when it has none. */
int vl_exif_orientation(vl_media_kind kind, const void *bytes, size_t count);
/* The picture as it is meant to be seen; takes `image`, may return it. NULL: no memory. */
vl_image *vl_image_orient(vl_image *image, int orientation);

/* What unknown bytes look like ("a GIF picture", "plain text", "a ZIP archive (or a Word
 * document)"); static storage. */
const char *vl_media_looks_like(const void *bytes, size_t count);

#endif
