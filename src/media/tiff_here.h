/* tiff_here.h — decoding TIFF in this very process: what vislang-decode runs in the sandbox. */
#ifndef VISLANG_MEDIA_TIFF_HERE_H
#define VISLANG_MEDIA_TIFF_HERE_H

#include <vislang/media.h>

/* A page as it is stored: packed rows of 1 or 3 channels; `orientation` as tag 274 says. */
typedef struct vl_tiff_page {
    uint32_t width, height, channels;
    int orientation;
    double dpi, dpi_y; /* along a row, along a column; 0: not known */
    uint8_t *samples;
} vl_tiff_page;
void vl_tiff_page_deinit(vl_tiff_page *page);

/* Pages of the TIFF that can be read from `fd` (closed by neither), counted up to
 * limits->max_pages + 1. */
vl_status vl_tiff_count_here(int fd, const vl_media_limits *limits, uint32_t *pages,
                             vl_error *error);
vl_status vl_tiff_decode_here(int fd, uint32_t index, const vl_media_limits *limits,
                              vl_tiff_page *page, vl_error *error);

#endif
