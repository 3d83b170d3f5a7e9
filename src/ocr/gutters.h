/* gutters.h — tall white rectangles between marks: what may part columns of text.
 *
 * Of all maximal white rectangles those are kept that have several lines on both sides, the
 * ones with most lines first, none over another (after Breuel, Two Geometric Algorithms for
 * Layout Analysis, 2002, section 3). What the marks say is not looked at here. */
#ifndef VL_OCR_GUTTERS_H
#define VL_OCR_GUTTERS_H

#include <vislang/ocr.h>

/* `ink`: boxes of letters. `letter`: their usual height. `least_width`: nothing narrower is a
 * gutter. At most `max` into `gutters`, from the left; returns false without memory. All in
 * pixels of one picture; the arena keeps some bytes a letter. */
bool vl_gutters_find(vl_arena *arena, const vl_box *ink, size_t ink_count, double letter,
                     double least_width, vl_box *gutters, size_t max, size_t *count);

#endif
