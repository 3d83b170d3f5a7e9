/* engine.h — what every text engine promises, so that more than one can read a page.
 *
 * An engine is a table of functions over a state of its own. The picture it is given is ready:
 * upright, dark text on light, text of a height it reads well; the boxes it returns are in that
 * picture's pixels, and the caller maps them back. Tesseract is the first engine (tesseract.c).
 *
 * Ownership: a reading lives in the arena of its request. Thread-safety: one state per thread.
 */
#ifndef VL_OCR_ENGINE_H
#define VL_OCR_ENGINE_H

#include <vislang/ocr.h>

struct Pix; /* leptonica */

typedef enum vl_engine_mode {
    VL_ENGINE_PAGE,   /* find columns, blocks and lines */
    VL_ENGINE_BLOCK,  /* one block of lines */
    VL_ENGINE_LINE,   /* one line of text */
    VL_ENGINE_SPARSE, /* words anywhere, as on a sign */
} vl_engine_mode;

typedef struct vl_engine_request {
    struct Pix *picture; /* 1, 8 or 32 bits a pixel; stays the caller's */
    int dpi;             /* 0: the engine estimates it */
    const char *packs;   /* "eng+fra" */
    vl_engine_mode mode;
    bool sampling;       /* a few lines to find out what they are: no dictionary is needed */
    bool dark_on_light;  /* measured: no line needs a second, inverted look */
    int64_t deadline_ns; /* vl_clock_ns() past which it gives up; 0: none */
    vl_arena *arena;
} vl_engine_request;

typedef struct vl_engine_line {
    vl_box box;
    double confidence;                /* mean over characters */
    int32_t baseline_y0, baseline_y1; /* at the left and right edge of the box */
    vl_word *words;                   /* logical order, never empty */
    size_t word_count;
    size_t block, paragraph; /* running numbers over the page */
} vl_engine_line;

typedef struct vl_engine_reading {
    vl_engine_line *lines; /* in the engine's reading order */
    size_t line_count;
    vl_box *figures;
    size_t figure_count;
    double confidence; /* mean over characters */
    size_t characters;
} vl_engine_reading;

typedef struct vl_engine_orientation {
    int clockwise;            /* the turn that makes the page upright */
    double confidence;        /* the engine's own scale: above 2 is likely, above 10 is sure */
    char script[32];          /* "Latin", "Arabic", … as the engine names it; "" not known */
    double script_confidence; /* the engine's own scale: above 2 is likely */
} vl_engine_orientation;

typedef struct vl_engine {
    const char *name;
    const char *(*version)(void);
    vl_status (*open)(const char *data_dir, void **state, vl_error *error);
    void (*close)(void *state);
    bool (*can_read)(void *state, const char *pack);
    vl_status (*read)(void *state, const vl_engine_request *request, vl_engine_reading *reading,
                      vl_error *error);
    /* Boxes of text lines, without reading them. */
    vl_status (*find_lines)(void *state, const vl_engine_request *request, vl_box **lines,
                            size_t *count, vl_error *error);
    /* VL_ERR_MISSING when it can't tell at all (no data for it, too little text). */
    vl_status (*orient)(void *state, const vl_engine_request *request,
                        vl_engine_orientation *orientation, vl_error *error);
} vl_engine;

extern const vl_engine vl_engine_tesseract;

#endif
