/* box.h — boxes of words and lines: joined, and one in another. */
#ifndef VL_OCR_BOX_H
#define VL_OCR_BOX_H

#include <vislang/ocr.h>

static inline vl_box box_join(vl_box a, vl_box b) {
    int32_t x0 = a.x < b.x ? a.x : b.x, y0 = a.y < b.y ? a.y : b.y;
    int32_t x1 = a.x + a.width > b.x + b.width ? a.x + a.width : b.x + b.width;
    int32_t y1 = a.y + a.height > b.y + b.height ? a.y + a.height : b.y + b.height;
    return (vl_box){x0, y0, x1 - x0, y1 - y0};
}

/* The area that two boxes share. */
static inline double box_common(vl_box a, vl_box b) {
    vl_box all = box_join(a, b);
    int32_t width = a.width + b.width - all.width, height = a.height + b.height - all.height;
    return width > 0 && height > 0 ? (double)width * height : 0;
}

/* Whether the middle of `inner` is in `outer`. */
static inline bool box_lies_in(vl_box inner, vl_box outer) {
    int32_t x = 2 * inner.x + inner.width, y = 2 * inner.y + inner.height;
    return x >= 2 * outer.x && x <= 2 * (outer.x + outer.width) && y >= 2 * outer.y &&
           y <= 2 * (outer.y + outer.height);
}

#endif
