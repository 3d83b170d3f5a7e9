/* layout.h — an engine's lines as a page: blocks, titles, tables, figures, reading order. */
#ifndef VL_OCR_LAYOUT_H
#define VL_OCR_LAYOUT_H

#include "ocr/engine.h"
#include "ocr/picture.h"

/* Fills blocks, block_count and confidence of `page` from `reading`, whose boxes are in
 * `picture`'s work pixels; everything lives in `arena`. */
vl_status vl_ocr_layout(const vl_ocr_picture *picture, const vl_engine_reading *reading,
                        vl_arena *arena, vl_page *page, vl_error *error);

/* A table drawn with rules: where its rows and columns begin and end, in pixels of the upright
 * page. */
typedef struct vl_grid {
    int32_t *x, *y; /* [columns + 1], [rows + 1] */
    size_t columns, rows;
    size_t *owner; /* [rows × columns]: fields without a rule between them are one cell, whose
                      first field, from the top left, this names; most name themselves */
} vl_grid;
/* The page's, at least two rows and two columns each, in the arena. False: arena full. */
bool vl_ocr_find_grids(const vl_ocr_picture *picture, vl_arena *arena, vl_grid **grids,
                       size_t *count);

/* Text that belongs to a figure as its caption (by its words or by its place and size) becomes
 * the figure's lines, and is no block of its own any more. `x_height`: the page's usual. */
void vl_ocr_take_captions(vl_arena *arena, vl_page *page, double x_height);

/* Whether the block's first word is one that captions begin with: Figure, Map, Source. */
bool vl_ocr_begins_caption(vl_arena *arena, const vl_block *block);

#endif
