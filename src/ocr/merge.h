/* merge.h — one page, cut into lines in two ways: which lines are kept.
 *
 * Lines of the two that touch are one group, and each group stays as it is or becomes as the
 * other reading has it, whichever is worth more: characters that are likely right. So lines
 * that were missed are added, and such as were cut out badly are replaced, and a reading that
 * is better in one corner does not spoil the rest. */
#ifndef VL_OCR_MERGE_H
#define VL_OCR_MERGE_H

#include "ocr/engine.h"
#include "ocr/picture.h"

/* Whether letter-like marks stand where no line is. Boxes of the reading are in work pixels. */
bool vl_merge_misses_letters(const vl_ocr_picture *picture, const vl_engine_reading *reading);

/* Of lines that were read where the page's are, the one that covers most of `box`; NULL: none
 * does. */
const vl_engine_line *vl_merge_line_at(const vl_engine_reading *reading, vl_box box);

/* Takes what is better from `other`. `*found_by` [lines] says which engine found each line of
 * `page`; lines of `other` get `engine`. `same`: the page's lines as that engine reads them, to
 * judge them by where it is another's confidence (`other` are lines that only ink showed);
 * NULL: as they are. A line that is taken joins the block of the one right above it or below.
 * Both arrays are made anew in the arena; false: no memory, and `page` is as it was. */
bool vl_merge_lines(vl_arena *arena, vl_engine_reading *page, size_t **found_by,
                    const vl_engine_reading *other, const vl_engine_reading *same,
                    size_t engine);

#endif
