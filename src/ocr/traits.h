/* traits.h — what is wrong with a page picture, by its pixels: which clean-ups are worth a try.
 *
 * Measured only where a first reading was poor; a page of 2 megapixels takes some milliseconds.
 */
#ifndef VL_OCR_TRAITS_H
#define VL_OCR_TRAITS_H

#include "ocr/cleanup.h"
#include "ocr/engine.h"
#include "ocr/picture.h"

typedef struct vl_ocr_traits {
    bool bitonal;         /* next to no point is neither black nor white */
    double contrast;      /* grey levels between paper and ink, 0 … 255 */
    double noise;         /* standard deviation of the noise, grey levels */
    double unevenness;    /* how far the paper's level differs over the page, over `contrast` */
    double softness;      /* points from paper to ink at the edges of strokes; 1: sharp */
    double letter_height; /* pixels of the picture that is read */
    double specks;        /* the share of marks too small for letters */
    bool ruled;           /* marks as long and thin as rulings, or as large as frames */
    double bend; /* how far the middle of lines hangs below their ends, in letters' heights */
} vl_ocr_traits;

/* `reading` (may be NULL: no bend) has boxes in the picture's work pixels. */
vl_ocr_traits vl_ocr_traits_of(const vl_ocr_picture *picture, const vl_engine_reading *reading);
/* Clean-ups that fit the traits, the most promising first; at most `max`. Returns how many. */
size_t vl_ocr_traits_cleanups(const vl_ocr_traits *traits, vl_cleanup *cleanups, size_t max);

#endif
