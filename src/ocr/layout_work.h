/* layout_work.h — what layout.c and tables.c share while one page is laid out.
 *
 * Ownership: everything lives in the page's arena. A function that returns false or NULL found
 * the arena full. */
#ifndef VL_OCR_LAYOUT_WORK_H
#define VL_OCR_LAYOUT_WORK_H

#include "ocr/columns.h"
#include "ocr/layout.h"

typedef struct layout_work {
    const vl_ocr_picture *picture;
    const vl_engine_reading *reading;
    vl_arena *arena;
    vl_page *page;
    vl_line *lines; /* [reading->line_count] */
    bool *taken;    /* line is part of a table */
    size_t block_cap;
    double x_height; /* the page's usual */
    bool rtl;        /* most lines run from right to left */
    vl_box gutters[VL_GUTTERS_MAX];
    size_t gutter_count;
} layout_work;

/* On which side of each gutter beside it a box stands, in two bits each: 1 left, 2 right.
 * Nothing reaches from one zone into another. 0: no gutter is beside it. */
uint64_t layout_zone(const layout_work *w, vl_box box);

/* A new block at the end of the page. */
vl_block *layout_block_add(layout_work *w, vl_block_kind kind);
/* Its box and confidence from its lines. */
void layout_block_finish(vl_block *block);

/* Tables drawn with rules, then those whose cells stand in columns; their lines are taken. */
bool layout_add_grids(layout_work *w);
bool layout_find_tables(layout_work *w);
/* Parts rows of a drawn table where lines of several columns begin an entry side by side. */
bool layout_split_rows(const layout_work *w, vl_grid *grid);

/* Regions of the page, whose blocks of text and tables are there, that are pictures: by their
 * pixels (charts, emblems, bar codes, photographs) or by the engine's word. Words in them that
 * are no reading are dropped. */
bool layout_add_figures(layout_work *w);
/* The upright page in grey, dark on light; the caller destroys it. NULL: no memory. */
struct Pix *layout_grey(const vl_ocr_picture *picture);

/* An empty box joins as nothing. */
static inline vl_box layout_box_join(vl_box a, vl_box b) {
    if (a.width <= 0)
        return b;
    if (b.width <= 0)
        return a;
    int32_t x0 = a.x < b.x ? a.x : b.x, y0 = a.y < b.y ? a.y : b.y;
    int32_t x1 = a.x + a.width > b.x + b.width ? a.x + a.width : b.x + b.width;
    int32_t y1 = a.y + a.height > b.y + b.height ? a.y + a.height : b.y + b.height;
    return (vl_box){x0, y0, x1 - x0, y1 - y0};
}

/* What two spans have in common; 0: nothing. */
static inline int32_t layout_overlap(int32_t a, int32_t a_size, int32_t b, int32_t b_size) {
    int32_t low = a > b ? a : b;
    int32_t high = a + a_size < b + b_size ? a + a_size : b + b_size;
    return high > low ? high - low : 0;
}

#endif
