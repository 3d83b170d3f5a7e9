/* whole.h — one page read whole: in the mode its picture asks for, and where that reads poorly,
 * on cleaned pictures of it.
 *
 * How good a reading is can be told without a transcript: by how sure the engine is of its
 * characters, and by how many of the picture's letter-like marks lie in a word that was read.
 * The product of both is a reading's quality. */
#ifndef VL_OCR_WHOLE_H
#define VL_OCR_WHOLE_H

#include "ocr/cleanup.h"
#include "ocr/detect.h"

/* The setting `preprocessing`. */
typedef struct vl_preprocessing {
    enum {
        VL_PREPROCESSING_AUTO, /* pages that read poorly are tried on cleaned pictures */
        VL_PREPROCESSING_NONE,
        VL_PREPROCESSING_ALWAYS, /* `cleanup`, on every page that it has something to do on */
    } kind;
    vl_cleanup cleanup;
} vl_preprocessing;
/* "auto", "none" or a clean-up's name; NULL and "" are auto. VL_ERR_USAGE. */
vl_status vl_preprocessing_parse(const char *text, vl_preprocessing *preprocessing,
                                 vl_error *error);

/* Reads `picture` with `packs`. Where a clean-up is to be used always, picture->work becomes
 * the cleaned picture; boxes are in the pixels of picture->work, as it is then. */
vl_status vl_ocr_read_whole(const vl_ocr_job *job, const vl_preprocessing *preprocessing,
                            const char *packs, vl_ocr_picture *picture,
                            vl_engine_reading *reading, vl_error *error);
/* Reads what lies in `part` of picture->work as one column of lines, with the engine that read
 * the page. */
vl_status vl_ocr_read_part(const vl_ocr_job *job, const vl_ocr_picture *picture,
                           const char *packs, vl_box part, vl_engine_reading *reading,
                           vl_error *error);
/* Reads the page again on cleaned pictures that its traits call for, where `reading`, of the
 * picture as it is, is poor; keeps a picture and its reading only for a clear gain in quality.
 * `spent_ns`: the page took so long until now; it is left alone when that is not twice there
 * any more. Running out of time or an engine that fails on a cleaned picture leaves what there
 * is. */
vl_status vl_ocr_read_better(const vl_ocr_job *job, const char *packs, int64_t spent_ns,
                             vl_ocr_picture *picture, vl_engine_reading *reading,
                             vl_error *error);

/* How much was read, and how surely: to compare turns and modes. */
double vl_ocr_reading_worth(const vl_engine_reading *reading);
/* Counts the reading's characters, and what it is worth in the mean, after lines were changed.
 */
void vl_ocr_reading_sum_up(vl_engine_reading *reading);
/* Confidence times the share of letter-like marks that were read, 0 … 1. `reading` has boxes in
 * picture->work. */
double vl_ocr_reading_quality(const vl_ocr_picture *picture, const vl_engine_reading *reading);

#endif
