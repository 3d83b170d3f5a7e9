/* columns.h — white gutters between columns of text, and a page read column by column.
 *
 * A gutter is a white rectangle, taller than a few lines and wider than the page's word spaces,
 * with lines of text on both of its sides (Breuel, Two Geometric Algorithms for Layout
 * Analysis, 2002). Rows of a table have gutters, too: whether text runs down beside one or
 * across it is told by what stands there. */
#ifndef VL_OCR_COLUMNS_H
#define VL_OCR_COLUMNS_H

#include "ocr/detect.h"

enum { VL_GUTTERS_MAX = 16 };

/* Gutters that text runs down beside, from the left, in pixels of the upright page; those
 * between the cells of a table and the labels and values of a form are left out. Returns how
 * many. False: no memory. */
bool vl_columns_find(const vl_ocr_picture *picture, const vl_engine_reading *reading,
                     vl_arena *arena, vl_box gutters[VL_GUTTERS_MAX], size_t *count);

/* Where lines of `reading` run across gutters, the columns are cut apart and read one by one,
 * by the engine that read the page; that takes the lines' place unless it is worth clearly
 * less. An engine that fails leaves what there is. VL_ERR_MEMORY. */
vl_status vl_columns_read(const vl_ocr_job *job, const vl_ocr_picture *picture,
                          const char *packs, vl_engine_reading *reading, vl_error *error);

#endif
