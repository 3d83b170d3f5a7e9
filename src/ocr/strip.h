/* strip.h — a line of a page as pictures of its own, for an engine that reads one line at a
 * time: cut along its baseline, and in pieces where it is longer than the engine reads well.
 *
 * Ownership: strips own their images (vl_strips_free). */
#ifndef VL_OCR_STRIP_H
#define VL_OCR_STRIP_H

#include "ocr/engine.h"

enum { VL_STRIPS_MAX = 64 }; /* of a line */

/* Where the ink of a line lies: columns left … right, and rows top … bottom at column left,
 * which go down by `slope` a column. Pixels of the page. */
typedef struct vl_band {
    int32_t left, right;
    double top, bottom, slope;
} vl_band;
/* Of a line that was found on a page. False: there is nothing in it. */
bool vl_band_of_line(const vl_engine_line *line, vl_band *band);
/* Of a picture, 8 bits a pixel, that is one line: without the paper around it. False: nothing
 * stands out. */
bool vl_band_of_picture(struct Pix *grey, vl_band *band);
/* What lies in it between columns x0 and x1. */
vl_box vl_band_box(const vl_band *band, double x0, double x1);

typedef struct vl_strip {
    vl_image *image; /* grey; the band and a margin around it */
    int32_t x;       /* of its first column in the page */
    bool after_gap;  /* what was cut off on its left ends a word */
} vl_strip;
/* Cuts the band out of `grey` from left to right, in pieces at most `longest` times as wide as
 * high, between letters. VL_ERR_LIMIT: more than VL_STRIPS_MAX of them; VL_ERR_MEMORY. */
vl_status vl_strips_cut(struct Pix *grey, const vl_band *band, double longest,
                        vl_strip strips[VL_STRIPS_MAX], size_t *count, vl_error *error);
void vl_strips_free(vl_strip *strips, size_t count);

#endif
