/* tiff_here.h — decoding TIFF in this very process: what vislang-decode runs in the sandbox. */
#ifndef VISLANG_MEDIA_TIFF_HERE_H
#define VISLANG_MEDIA_TIFF_HERE_H

#include <vislang/media.h>

/* Pages of the TIFF that can be read from `fd`, counted up to limits->max_pages + 1. */
vl_status vl_tiff_count_here(int fd, const vl_media_limits *limits, uint32_t *pages,
                             vl_error *error);
/* Page as it is stored; `orientation` as tag 274 says. */
vl_status vl_tiff_decode_here(int fd, uint32_t page, const vl_media_limits *limits,
                              vl_image **image, int *orientation, vl_error *error);

#endif
