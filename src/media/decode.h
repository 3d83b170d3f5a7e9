/* decode.h — one decoder per format, inside media/.
 *
 * Every decoder checks the size its header claims (vl_media_check_size) before anything is
 * allocated for pixels, and gives up past `limits->max_seconds`. Images belong to the caller.
 *
 * What is cut short: a JPEG of which at least half came is shown (the rest grey); PNG, WebP and
 * TIFF are refused, since they are checksummed, coded as a whole, or cut into strips that a
 * writer never leaves half-written. */
#ifndef VISLANG_MEDIA_DECODE_H
#define VISLANG_MEDIA_DECODE_H

#include <vislang/media.h>

vl_status vl_media_check_size(uint64_t width, uint64_t height, const vl_media_limits *limits,
                              vl_error *error);
/* When decoding of one page must be over (vl_clock_ns). */
int64_t vl_media_deadline(const vl_media_limits *limits);

/* ..._check reads the header alone: sound, and within the limits. */
vl_status vl_jpeg_check(const void *bytes, size_t count, const vl_media_limits *limits,
                        vl_error *error);
vl_status vl_jpeg_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                         vl_image **image, vl_error *error);
vl_status vl_png_check(const void *bytes, size_t count, const vl_media_limits *limits,
                       vl_error *error);
vl_status vl_png_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                        vl_image **image, vl_error *error);
vl_status vl_webp_check(const void *bytes, size_t count, const vl_media_limits *limits,
                        vl_error *error);
vl_status vl_webp_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                         vl_image **image, vl_error *error);

/* In a sandboxed child (tiff.c says what it answers). */
vl_status vl_tiff_page_count(const void *bytes, size_t count, const vl_media_limits *limits,
                             uint32_t *pages, vl_error *error);
vl_status vl_tiff_decode(const void *bytes, size_t count, uint32_t page,
                         const vl_media_limits *limits, vl_image **image, vl_error *error);
/* The child's answers, which are as little trusted as the file was. A page takes over the
 * memory of `reply`. */
vl_status vl_tiff_parse_count(const vl_buf *reply, uint32_t *pages, vl_error *error);
vl_status vl_tiff_parse_page(vl_buf *reply, const vl_media_limits *limits, vl_image **image,
                             vl_error *error);

/* A page's size in points, before /Rotate. */
typedef struct vl_pdf_page {
    double width, height;
} vl_pdf_page;
/* All pages and their sizes, by one run of pdfinfo; the caller frees `*pages`. More pages than
 * the limit allows are VL_ERR_LIMIT. */
vl_status vl_pdf_open(const void *bytes, size_t count, const vl_media_limits *limits,
                      vl_pdf_page **pages, uint32_t *page_count, vl_error *error);
vl_status vl_pdf_parse_info(const char *info, const vl_media_limits *limits,
                            vl_pdf_page **pages, uint32_t *page_count, vl_error *error);
vl_status vl_pdf_decode(const void *bytes, size_t count, uint32_t page, vl_pdf_page size,
                        const vl_media_limits *limits, vl_image **image, vl_error *error);

/* Binary PGM or PPM with a maximum value of 255, as poppler and vislang-decode write it, from
 * byte `head` of `from` on. The picture takes over the memory of `from`, so that a large page
 * is not in memory twice. */
vl_status vl_pnm_take(vl_buf *from, size_t head, const vl_media_limits *limits,
                      vl_image **image, vl_error *error);

/* EXIF orientation 1 … 8 (TIFF 6.0 tag 274) of a JPEG, PNG or WebP; 1 when it has none. */
int vl_exif_orientation(vl_media_kind kind, const void *bytes, size_t count);
/* Pixels that are not square become so: of a fax with 204 × 98 dots to the inch the rows are
 * enlarged, of a picture at the limits the columns are made fewer. Takes `*image`. Ratios that
 * no scanner has (under 1.05, over 4), and resolutions of 0, change nothing. */
vl_status vl_image_square(vl_image **image, double dpi_x, double dpi_y,
                          const vl_media_limits *limits, vl_error *error);
/* The picture as it is meant to be seen; takes `image`, may return it. NULL: no memory. */
vl_image *vl_image_orient(vl_image *image, int orientation);

/* What unknown bytes look like ("a GIF picture", "plain text", "a Word document"); static
 * storage. */
const char *vl_media_looks_like(const void *bytes, size_t count);

#endif
