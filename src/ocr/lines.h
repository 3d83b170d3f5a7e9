/* lines.h — where lines of text lie, by the ink alone.
 *
 * Engines find lines as their own page segmentation has them, and lose those of ruled forms and
 * of handwriting. Here a page is blurred along its lines far more than across them; the ridges
 * of what comes out run through the middles of lines (Bukhari, Shafait and Breuel, Ridges Based
 * Curled Textline Region Detection, 2011), and end where a rule stands or ink is far. */
#ifndef VL_OCR_LINES_H
#define VL_OCR_LINES_H

#include "ocr/engine.h"

/* Lines of `picture` (upright, 8 bits, dark on light), from the top, without words, for a
 * request's layout; a line's box is as high as its ink. `letter` is the usual height of letters
 * in pixels. What lines are is not looked at: dirt has ridges too. False: no memory. */
bool vl_lines_find(struct Pix *picture, double letter, vl_arena *arena,
                   vl_engine_reading *lines);

#endif
