/* detect.h — which way up a page is, in which script and language, before it is read whole. */
#ifndef VL_OCR_DETECT_H
#define VL_OCR_DETECT_H

#include "ocr/panel.h"
#include "ocr/picture.h"
#include "ocr/script.h"

/* What every step of one page's reading needs. */
typedef struct vl_ocr_job {
    const vl_engine *engine; /* finds turn, lines and script: Tesseract */
    void *state;
    vl_panel *panel;         /* reads */
    const vl_langid *langid; /* NULL: languages stay unknown, packs are chosen by script */
    const vl_script_model *scripts; /* NULL: scripts and turns are found by reading alone */
    const vl_image *image;
    bool detect_orientation;
    bool photo; /* a photograph: text is not to be expected */
    bool blank; /* nothing stands out from the ground: there is nothing to read */
    uint32_t max_side;
    int64_t deadline_ns;
    vl_arena *arena;
} vl_ocr_job;

typedef struct vl_ocr_detection {
    char packs[96]; /* "": nothing that looks like text */
    char script[5];
    double score; /* of the sample lines, 0 … 1 */
    /* The script that no installed pack reads, "" none; "Zzzz": what was read of the samples is
     * no text, and nothing says what it is. */
    char unread[5];
    double unread_probability;
} vl_ocr_detection;

/* Fills `picture`, turned the way it reads best (the caller deinits it), and says with which
 * packs. `packs` not NULL: they are given, only the turn is looked for. */
vl_status vl_ocr_detect(const vl_ocr_job *job, const char *packs, vl_ocr_picture *picture,
                        vl_ocr_detection *detection, vl_error *error);
/* VL_ERR_TIMEOUT when the job's deadline has passed, VL_ERR_CANCELLED when it is to stop. */
vl_status vl_ocr_job_check(const vl_ocr_job *job, vl_error *error);
/* The lines of a reading as one string; NULL: no memory. */
char *vl_ocr_reading_text(vl_arena *arena, const vl_engine_reading *reading);

#endif
