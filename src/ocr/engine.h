/* engine.h — what every text engine promises, so that more than one can read a page.
 *
 * An engine is a table of functions over a state of its own. The picture it is given is ready:
 * upright, dark text on light, text of a height it reads well; the boxes it returns are in that
 * picture's pixels, and the caller maps them back. What is to be read is said in the names of
 * Tesseract's packs, which name languages and scripts alike (packs.h has both): "eng+fra".
 * Tesseract (tesseract.c) is also the one that finds lines and turns; the others only read,
 * reader (reader.c) the lines that it is told.
 * Who calls them, counts their failures and keeps them to their time is panel.h.
 *
 * Ownership: a reading lives in the arena of its request. Thread-safety: one state per thread,
 * unless the engine says `thread_safe`. */
#ifndef VL_OCR_ENGINE_H
#define VL_OCR_ENGINE_H

#include <vislang/ocr.h>

struct Pix; /* leptonica */

typedef enum vl_engine_mode {
    VL_ENGINE_PAGE,   /* find columns, blocks and lines */
    VL_ENGINE_COLUMN, /* one column, of lines of any size */
    VL_ENGINE_BLOCK,  /* one block of lines */
    VL_ENGINE_LINE,   /* one line of text */
    VL_ENGINE_SPARSE, /* words anywhere, as on a sign */
} vl_engine_mode;

typedef struct vl_engine_request {
    struct Pix *picture; /* 1, 8 or 32 bits a pixel; stays the caller's */
    int dpi;             /* 0: the engine estimates it */
    const char *packs;   /* "eng+fra" */
    vl_engine_mode mode;
    bool sampling;      /* a few lines to find out what they are: no dictionary is needed */
    bool dark_on_light; /* measured: no line needs a second, inverted look */
    bool symbols;       /* characters one by one, as far as the engine knows them */
    /* vl_clock_ns() past which it gives up with VL_ERR_TIMEOUT; 0: none. Asked to stop
     * (vl_stop_watch), it gives up with VL_ERR_CANCELLED. */
    int64_t deadline_ns;
    /* For who needs_lines: the lines to be read, as find_lines found them; NULL: `mode` is
     * VL_ENGINE_LINE, and the whole picture is one. */
    const struct vl_engine_reading *layout;
    vl_arena *arena;
} vl_engine_request;

/* Something that could stand where a character was read, the character itself included. */
typedef struct vl_engine_choice {
    const char *text;
    double confidence;
} vl_engine_choice;

typedef struct vl_engine_symbol {
    const char *text; /* a character with its marks, or a ligature's letters; NFC */
    vl_box box;
    double confidence;
    size_t word;               /* index of its word in the line */
    vl_engine_choice *choices; /* best first */
    size_t choice_count;       /* 0: the engine knows no others */
} vl_engine_symbol;

typedef struct vl_engine_line {
    vl_box box;
    double confidence;                /* mean over characters */
    int32_t baseline_y0, baseline_y1; /* at the left and right edge of the box */
    vl_word *words;                   /* logical order, never empty once it was read */
    size_t word_count;
    vl_engine_symbol *symbols; /* logical order; none unless asked for and known */
    size_t symbol_count;
    size_t block, paragraph; /* running numbers over the page */
} vl_engine_line;

typedef struct vl_engine_reading {
    vl_engine_line *lines; /* in the engine's reading order */
    size_t line_count;
    vl_box *figures;
    size_t figure_count;
    vl_box *gutters; /* white between columns of text, from the left; no engine says them */
    size_t gutter_count;
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
    /* Engines of one family make the same mistakes: "tesseract" whatever clean-up it reads,
     * "shapes" for those that compare single letters' shapes and know no words. NULL: its
     * name. */
    const char *family;
    const char *scripts;   /* what it reads, ISO 15924: "Latn"; NULL: what its packs are for */
    bool thread_safe;      /* one state may read for several threads at once */
    bool knows_confidence; /* its confidences tell right from wrong; else they are a count of
                              guesses or a likeness of shapes, and only its record counts in a
                              vote */
    bool outside;          /* another process reads: it is kept to a time of its own */
    bool remote;           /* … that may be away: it rests after failing again and again */
    bool needs_lines;      /* it reads line by line, and is told where they are */
    double cost; /* processor time of a page beside Tesseract's, before any call was timed */
    const char *(*version)(void);
    /* `where`: Tesseract's data directory, the address of a service, reader's model file (NULL
     * or "": the bundled one). VL_ERR_MISSING says what to install, make or start. */
    vl_status (*open)(const char *where, void **state, vl_error *error);
    void (*close)(void *state);
    bool (*can_read)(void *state, const char *pack);
    vl_status (*read)(void *state, const vl_engine_request *request, vl_engine_reading *reading,
                      vl_error *error);
    /* Lines with their places but without words, and figures, as far as can be told without
     * reading; may be NULL. */
    vl_status (*find_lines)(void *state, const vl_engine_request *request,
                            vl_engine_reading *layout, vl_error *error);
    /* VL_ERR_MISSING when it can't tell at all (no data for it, too little text); may be NULL.
     */
    vl_status (*orient)(void *state, const vl_engine_request *request,
                        vl_engine_orientation *orientation, vl_error *error);
} vl_engine;

extern const vl_engine vl_engine_tesseract, vl_engine_tesseract_binarised,
    vl_engine_tesseract_enlarged, vl_engine_tesseract_script; /* share one state */
extern const vl_engine vl_engine_reader, vl_engine_ocrad, vl_engine_gocr, vl_engine_http;

#endif
