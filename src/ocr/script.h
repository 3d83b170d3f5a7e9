/* script.h — which script a page is in and which way up it lies, from the shapes of its marks:
 * also for scripts that no engine here reads, and for pages of a few letters.
 *
 * Windows three marks wide are cut out around connected marks, each is described by its edges
 * (histograms of gradient directions in a grid of cells: Dalal and Triggs 2005, without their
 * overlapping blocks) and by its ink, and a network of one hidden layer says how likely each
 * pair of script and turn is. The windows of a page vote with their logarithms. The network
 * is small enough (models/script.md) for its cost to be that of surveying the page.
 *
 * Ownership: the model is the caller's. Thread-safety: read-only once open. */
#ifndef VL_OCR_SCRIPT_H
#define VL_OCR_SCRIPT_H

#include "ocr/picture.h"

enum {
    VL_SCRIPT_VERSION = 1,
    VL_SCRIPT_SIDE = 24, /* cells of a window's side */
    VL_SCRIPT_TURNS = 4, /* 0, 90, 180, 270 degrees clockwise that make it upright */
    VL_SCRIPT_CELLS = 6, /* of the grid of directions */
    VL_SCRIPT_DIRECTIONS = 8,
    VL_SCRIPT_INK = 8, /* cells of the grid of ink */
    VL_SCRIPT_FEATURES = VL_SCRIPT_CELLS * VL_SCRIPT_CELLS * VL_SCRIPT_DIRECTIONS +
                         VL_SCRIPT_INK * VL_SCRIPT_INK,
    VL_SCRIPT_HIDDEN_MAX = 512,
    VL_SCRIPT_LABELS_MAX = 96,
    VL_SCRIPT_WINDOWS_MAX = 240, /* of a page */
};

/* File, little endian: vl_script_header; char [labels][4], ISO 15924, "Zxxx" for what is no
 * text; float [hidden] scales and [hidden] biases; int8 [hidden][VL_SCRIPT_FEATURES]; then of
 * the outputs, labels × VL_SCRIPT_TURNS, float scales, float biases and int8 [outputs][hidden]:
 * weight = scale × int8. Hidden units are max(0, x). */
typedef struct vl_script_header {
    char magic[8]; /* "VLSCRIPT" */
    uint32_t version, labels, hidden;
    float trust; /* how far windows of one page count as if apart from each other: 0 … 1 */
} vl_script_header;

typedef struct vl_script_model vl_script_model;
/* `path` NULL: the bundled model. VL_ERR_INPUT: no such model, or a broken one. */
vl_status vl_script_model_open(const char *path, vl_script_model **model, vl_error *error);
/* The same from bytes, which are copied. */
vl_status vl_script_model_parse(const void *bytes, size_t count, vl_script_model **model,
                                vl_error *error);
void vl_script_model_free(vl_script_model *model);

typedef struct vl_script_guess {
    char script[5]; /* ISO 15924; "Hani" for Chinese, however written; "Zxxx": no text */
    double probability;
    int rotation; /* the likeliest turn of this script: clockwise degrees that undo it */
} vl_script_guess;
typedef struct vl_script_verdict {
    vl_script_guess guesses[5]; /* likeliest first */
    size_t count;               /* 0: nothing to go by */
    int rotation;               /* over all scripts */
    double rotation_probability;
    size_t windows;
} vl_script_verdict;
void vl_script_judge(const vl_script_model *model, const vl_ocr_picture *picture,
                     vl_script_verdict *verdict);

/* ---- for training ----------------------------------------------------------------------- */

/* Where windows stand in `picture`'s work pixels; at most `max`, evenly over the page. `side`
 * receives their side. Returns how many. */
typedef struct vl_script_anchor {
    float x, y; /* the middle */
} vl_script_anchor;
size_t vl_script_anchors(const vl_ocr_picture *picture, vl_script_anchor *anchors, size_t max,
                         double *side);
/* The window around `anchor` as `cells` × `cells` means, 0 … 255 as in the picture. */
void vl_script_window(const vl_ocr_picture *picture, vl_script_anchor anchor, double side,
                      size_t cells, uint8_t *window);
/* False: nothing stands out in the window [VL_SCRIPT_SIDE²]. */
bool vl_script_features(const uint8_t *window, float features[VL_SCRIPT_FEATURES]);
/* Logarithms of the probabilities [labels × VL_SCRIPT_TURNS]. */
void vl_script_score(const vl_script_model *model, const float features[VL_SCRIPT_FEATURES],
                     float *outputs);

#endif
