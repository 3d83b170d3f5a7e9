/* kind.h — what kind of picture a page is, as far as it bears on who reads it well: one of a
 * handful of names, a key of the track record (record.h). */
#ifndef VL_OCR_KIND_H
#define VL_OCR_KIND_H

#include "ocr/picture.h"

/* What the pixels say; grey levels 0 … 255. */
typedef struct vl_kind_measures {
    double extremes; /* share of pixels that are nearly black or nearly white */
    double ground;   /* median over the page of what is behind the text */
    double uneven;   /* how far that differs from place to place */
    double depth;    /* from it down to the ink */
    double
        noise; /* standard deviation of the grain (Immerkaer 1996), where the page is empty */
    double letters; /* median height of letter-like marks, pixels; 0: none */
} vl_kind_measures;
/* `survey` is of the same picture at the same size. Looks at a grid of patches, so that it
 * costs the same for any size. VL_ERR_MEMORY. */
vl_status vl_kind_measure(const vl_image *image, const vl_ocr_survey *survey,
                          vl_kind_measures *measures, vl_error *error);
/* The first that holds: "bitonal" (two tones: a fax), "low-resolution" (letters of a few
 * pixels), "photo" (uneven light), "noisy" (grain), "low-contrast" (faint ink), "scan" (none of
 * these). */
const char *vl_kind_name(const vl_kind_measures *measures);

#endif
