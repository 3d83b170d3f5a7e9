/* cleanup.h — clean-ups of a page picture: each makes another picture of the same page, on
 * which an engine may read better, or worse. None of them is right for every page;
 * cleanup_choose.h finds out which one is.
 *
 * A clean-up is a pure function of a grey picture (8 bits, dark on light) and the height of its
 * letters in pixels (0: not known). It returns a new picture, or NULL when it has nothing to do
 * there: the picture is too small for its windows, or what it would mend is not found. NULL
 * also stands for no memory: either way the page is read as it is. Functions keep no state, so
 * any number of threads may call them.
 *
 * The picture keeps its size, with two exceptions, which `vl_cleanup_page` tells: enlarging,
 * and straightening curved lines, which moves pixels up and down. */
#ifndef VL_OCR_CLEANUP_H
#define VL_OCR_CLEANUP_H

#include <vislang/ocr.h>

struct Pix; /* leptonica */

/* Each point against the mean and spread around it (Sauvola and Pietikäinen 2000, eq. 5): ink
 * under uneven light, stains and show-through. */
struct Pix *vl_cleanup_sauvola(struct Pix *grey, double letter_height);
/* Each tile stretched to the full range from its darkest to its lightest point, then one
 * threshold: faint ink beside strong ink. */
struct Pix *vl_cleanup_local_contrast(struct Pix *grey, double letter_height);
/* The paper made equally light everywhere, by the paper's own level in each tile: shadows and
 * yellowed edges. */
struct Pix *vl_cleanup_background(struct Pix *grey, double letter_height);
/* Each point the median of the nine around it: specks of single points. */
struct Pix *vl_cleanup_median(struct Pix *grey, double letter_height);
/* Means over neighbours that are alike (Tomasi and Manduchi 1998): grain, without blurring
 * edges. */
struct Pix *vl_cleanup_bilateral(struct Pix *grey, double letter_height);
/* Differences from the blurred picture made larger: soft focus. */
struct Pix *vl_cleanup_sharpened(struct Pix *grey, double letter_height);
/* Each point the darkest of the nine around it: thin and broken strokes. */
struct Pix *vl_cleanup_bold(struct Pix *grey, double letter_height);
/* Half as large again: small letters. */
struct Pix *vl_cleanup_enlarged(struct Pix *grey, double letter_height);
/* Ruled lines and the frames of tables painted over with the paper beside them, letters that
 * cross them kept. NULL where none is found. */
struct Pix *vl_cleanup_unruled(struct Pix *grey, double letter_height);

/* How far pixels were moved: the point (x, y) of the new picture was at (x, y − rise(x, y)) of
 * the old one. */
typedef struct vl_warp vl_warp;
/* Curved lines of text straightened (Leptonica's model of a page's vertical disparity, from the
 * mid-lines of its text: Bloomberg 2013). NULL where lines are straight or too few. The caller
 * frees `warp`. */
struct Pix *vl_cleanup_dewarped(struct Pix *grey, double letter_height, vl_warp **warp);
double vl_warp_rise(const vl_warp *warp, double x, double y);
/* The box in the old picture that holds what `box` holds in the new one. */
vl_box vl_warp_back(const vl_warp *warp, vl_box box);
void vl_warp_free(vl_warp *warp);

/* ---- by name ---------------------------------------------------------------------------- */

typedef enum vl_cleanup {
    VL_CLEANUP_SAUVOLA,
    VL_CLEANUP_LOCAL_CONTRAST,
    VL_CLEANUP_BACKGROUND,
    VL_CLEANUP_MEDIAN,
    VL_CLEANUP_BILATERAL,
    VL_CLEANUP_SHARPENED,
    VL_CLEANUP_BOLD,
    VL_CLEANUP_ENLARGED,
    VL_CLEANUP_UNRULED,
    VL_CLEANUP_DEWARPED,
    VL_CLEANUP_COUNT,
} vl_cleanup;

const char *vl_cleanup_name(vl_cleanup cleanup); /* "sauvola", "local-contrast", … */
/* VL_ERR_USAGE: no such clean-up, with the nearest name. */
vl_status vl_cleanup_parse(const char *name, vl_cleanup *cleanup, vl_error *error);

/* A cleaned page. */
typedef struct vl_cleanup_page {
    struct Pix *picture;
    double scale;  /* its pixels per pixel of the page it was made from */
    vl_warp *warp; /* NULL: nothing was moved */
} vl_cleanup_page;
/* False, and an empty page, where the clean-up has nothing to do. `picture` may have any depth.
 */
bool vl_cleanup_apply(vl_cleanup cleanup, struct Pix *picture, double letter_height,
                      vl_cleanup_page *page);
void vl_cleanup_page_deinit(vl_cleanup_page *page);

#endif
