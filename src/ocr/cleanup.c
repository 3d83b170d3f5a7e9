/* cleanup.c — other pictures of the same page.
 *
 *   sauvola, local_contrast                black and white
 *   background, sharpened, bold            grey
 *   median, bilateral                      noise
 *   enlarged
 *   unruled                                rulings found by their length, filled from beside
 *   dewarped, vl_warp_*                    curved lines, and the way back
 *   vl_cleanup_apply                       any of them by name
 *
 * Leptonica's filters want a picture larger than their windows and complain otherwise, so that
 * every function looks at the size first. Windows follow the height of the letters where it is
 * known. */
#include "ocr/cleanup.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int least_side(PIX *pix) {
    return pixGetWidth(pix) < pixGetHeight(pix) ? pixGetWidth(pix) : pixGetHeight(pix);
}

static int between(double value, int least, int most) {
    return value < least ? least : value > most ? most : (int)value;
}

static int letter_or(double letter_height, int otherwise) {
    return letter_height > 0 ? between(letter_height, 4, 200) : otherwise;
}

/* ---- black and white -------------------------------------------------------------------- */

PIX *vl_cleanup_sauvola(PIX *grey, double letter_height) {
    enum { LEAST = 4, MOST = 20 };
    (void)
        letter_height; /* a window about the line's height serves letters of 10 to 70 pixels */
    int half = between(least_side(grey) / 2 - 2, 0, MOST);
    PIX *out = NULL;
    if (half < LEAST || pixSauvolaBinarize(grey, half, 0.34F, 1, NULL, NULL, NULL, &out))
        return NULL;
    return out;
}

PIX *vl_cleanup_local_contrast(PIX *grey, double letter_height) {
    enum { TILE_LEAST = 8, TILE_MOST = 80, SPREAD_LEAST = 40, SMOOTH = 2 };
    int tile = between(1.5 * letter_or(letter_height, 24), TILE_LEAST, TILE_MOST);
    PIX *even = NULL, *out = NULL;
    if (least_side(grey) < 2 * TILE_LEAST)
        return NULL;
    if (tile * 2 > least_side(grey))
        tile = least_side(grey) / 2;
    /* Tiles of paper alone have next to no spread: they take that of their neighbours. */
    even = pixContrastNorm(NULL, grey, tile, tile, SPREAD_LEAST, SMOOTH, SMOOTH);
    if (even && pixOtsuAdaptiveThreshold(even, pixGetWidth(even), pixGetHeight(even), 0, 0,
                                         0.1F, NULL, &out))
        out = NULL;
    pixDestroy(&even);
    return out;
}

/* ---- grey ------------------------------------------------------------------------------- */

PIX *vl_cleanup_background(PIX *grey, double letter_height) {
    enum { TILE_LEAST = 4, TILE_MOST = 60, TILES = 6, PAPER = 230, SMOOTH = 2 };
    int tile = between(letter_or(letter_height, 20), 10, TILE_MOST);
    /* The map of the background needs at least five tiles each way. */
    tile = tile * TILES > least_side(grey) ? least_side(grey) / TILES : tile;
    if (tile < TILE_LEAST)
        return NULL;
    l_float32 paper = 255; /* the usual level; points much darker are ink */
    if (pixGetRankValueMasked(grey, NULL, 0, 0, 4, 0.6F, &paper, NULL))
        return NULL;
    return pixBackgroundNorm(grey, NULL, NULL, tile, tile, (l_int32)(paper * 0.45F),
                             tile * tile / 4, PAPER, SMOOTH, SMOOTH);
}

PIX *vl_cleanup_sharpened(PIX *grey, double letter_height) {
    enum { LEAST = 16 };
    (void)letter_height;
    return least_side(grey) < LEAST ? NULL : pixUnsharpMaskingGray(grey, 2, 0.6F);
}

PIX *vl_cleanup_bold(PIX *grey, double letter_height) {
    enum { LEAST = 8, LETTER_LEAST = 14 };
    /* Smaller letters would run together. */
    if (least_side(grey) < LEAST || (letter_height > 0 && letter_height < LETTER_LEAST))
        return NULL;
    return pixErodeGray(grey, 3, 3);
}

PIX *vl_cleanup_enlarged(PIX *grey, double letter_height) {
    enum { PIXELS_MOST = 40000000, SIDE_MOST = 32000 };
    const float factor = 1.5F;
    double width = pixGetWidth(grey), height = pixGetHeight(grey);
    (void)letter_height;
    if (width * height * 2.25 > PIXELS_MOST || fmax(width, height) * 1.5 > SIDE_MOST)
        return NULL;
    return pixScale(grey, factor, factor);
}

/* ---- noise ------------------------------------------------------------------------------ */

PIX *vl_cleanup_median(PIX *grey, double letter_height) {
    enum { LEAST = 8 };
    (void)letter_height;
    return least_side(grey) < LEAST ? NULL : pixMedianFilter(grey, 3, 3);
}

PIX *vl_cleanup_bilateral(PIX *grey, double letter_height) {
    enum { LEAST = 32, LEVELS = 10 };
    const float near = 2.0F, alike = 30.0F; /* standard deviations: points, grey levels */
    (void)letter_height;
    return least_side(grey) < LEAST ? NULL : pixBilateralGray(grey, near, alike, LEVELS, 1);
}

/* ---- rulings ---------------------------------------------------------------------------- */

/* Runs of ink of at least `length` in one direction that are no thicker than `thick`. */
static PIX *long_thin(PIX *ink, int length, int thick, bool across) {
    PIX *runs =
        across ? pixOpenBrick(NULL, ink, length, 1) : pixOpenBrick(NULL, ink, 1, length);
    PIX *solid = runs ? (across ? pixOpenBrick(NULL, runs, 1, thick + 1)
                                : pixOpenBrick(NULL, runs, thick + 1, 1))
                      : NULL;
    if (solid)
        pixSubtract(runs, runs, solid);
    else
        pixDestroy(&runs);
    pixDestroy(&solid);
    return runs;
}

/* Where strokes pass through a ruling: ink that goes on across it for longer than it is
 * thick. */
static PIX *crossings(PIX *ink, int thick, bool across) {
    return across ? pixOpenBrick(NULL, ink, 1, thick + 3)
                  : pixOpenBrick(NULL, ink, thick + 3, 1);
}

/* The rulings of one direction painted over in `grey`, in place, by the lightest points a
 * ruling's thickness away. Returns how many points were ruling; −1: no memory. */
static int paint_over(PIX *grey, PIX *ink, int length, int thick, bool across) {
    l_int32 points = 0;
    PIX *rulings = long_thin(ink, length, thick, across), *through = NULL, *paper = NULL;
    int reach = 2 * thick + 5;
    bool whole = rulings && !pixCountPixels(rulings, &points, NULL);
    if (whole && points > 0) {
        through = crossings(ink, thick, across);
        paper = across ? pixCloseGray(grey, 1, reach) : pixCloseGray(grey, reach, 1);
        whole = through && paper;
        if (whole) {
            /* Their blurred edges are not as dark as the threshold. */
            pixDilateBrick(rulings, rulings, across ? 1 : 3, across ? 3 : 1);
            pixSubtract(rulings, rulings, through);
            pixCombineMasked(grey, paper, rulings);
        }
    }
    pixDestroy(&rulings);
    pixDestroy(&through);
    pixDestroy(&paper);
    return whole ? points : -1;
}

PIX *vl_cleanup_unruled(PIX *grey, double letter_height) {
    enum { LEAST = 24, LENGTH_LEAST = 60 };
    int letter = letter_or(letter_height, 24);
    /* No stroke of a letter runs straight for eight letters' height. */
    int length = letter * 8 > LENGTH_LEAST ? letter * 8 : LENGTH_LEAST;
    int thick = between(letter / 3.0, 3, 12), across = 0, down = 0;
    PIX *ink = NULL, *out = NULL;
    if (pixGetWidth(grey) < LEAST || pixGetHeight(grey) < LEAST)
        return NULL;
    if (!pixOtsuAdaptiveThreshold(grey, 400, 400, 0, 0, 0.1F, NULL, &ink) && ink)
        out = pixCopy(NULL, grey);
    if (out) {
        across = paint_over(out, ink, length, thick, true);
        down = paint_over(out, ink, length, thick, false);
    }
    pixDestroy(&ink);
    if (across < 0 || down < 0 || across + down == 0)
        pixDestroy(&out);
    return out;
}

/* ---- curved lines ----------------------------------------------------------------------- */

struct vl_warp {
    int columns, rows; /* points of the grid, `step` pixels apart */
    int step, width, height;
    float rise[];
};

/* The model's field, taken every few pixels: it is smooth, and whole it would be four bytes a
 * pixel. NULL: no memory. */
static vl_warp *warp_from(FPIX *field, int width, int height) {
    enum { STEP = 16 };
    int columns = width / STEP + 2, rows = height / STEP + 2;
    vl_warp *warp = calloc(1, sizeof *warp + (size_t)columns * (size_t)rows * sizeof(float));
    if (!warp)
        return NULL;
    warp->columns = columns;
    warp->rows = rows;
    warp->step = STEP;
    warp->width = width;
    warp->height = height;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            l_float32 value = 0;
            int x = c * STEP < width ? c * STEP : width - 1;
            int y = r * STEP < height ? r * STEP : height - 1;
            fpixGetPixel(field, x, y, &value);
            warp->rise[r * columns + c] = value;
        }
    return warp;
}

double vl_warp_rise(const vl_warp *warp, double x, double y) {
    double column = fmin(fmax(x, 0), warp->width - 1) / warp->step;
    double row = fmin(fmax(y, 0), warp->height - 1) / warp->step;
    int c = (int)column, r = (int)row;
    double right = column - c, below = row - r;
    const float *at = warp->rise + r * warp->columns + c;
    return (1 - below) * ((1 - right) * at[0] + right * at[1]) +
           below * ((1 - right) * at[warp->columns] + right * at[warp->columns + 1]);
}

/* The four corners and the middles of the upper and lower edge, moved. */
vl_box vl_warp_back(const vl_warp *warp, vl_box box) {
    double top = INFINITY, bottom = -INFINITY;
    for (int i = 0; i <= 2; i++) {
        double x = box.x + box.width * i / 2.0;
        top = fmin(top, box.y - vl_warp_rise(warp, x, box.y));
        bottom = fmax(bottom, box.y + box.height - vl_warp_rise(warp, x, box.y + box.height));
    }
    int y0 = between(floor(top), 0, warp->height), y1 = between(ceil(bottom), 0, warp->height);
    return (vl_box){box.x, y0, box.width, y1 > y0 ? y1 - y0 : 0};
}

void vl_warp_free(vl_warp *warp) {
    free(warp);
}

/* Whether the model holds, and bends enough to be worth it: a line of text off a straight one
 * by a sixth of a letter and more reads as well as before. */
static bool bends(FPIX *field, double letter) {
    l_int32 width, height;
    float least = INFINITY, most = -INFINITY, value;
    fpixGetDimensions(field, &width, &height);
    for (int x = 0; x < width; x += 1 + width / 64) {
        fpixGetPixel(field, x, height / 2, &value);
        least = fminf(least, value);
        most = fmaxf(most, value);
    }
    return (double)(most - least) > letter / 4;
}

static PIX *apply_model(L_DEWARPA *models, L_DEWARP *model, PIX *grey, double letter,
                        vl_warp **warp) {
    enum { PAPER = 255 };
    PIX *out = NULL;
    /* Applying the model drops its field; filling it once more costs a hundredth of finding
     * the lines. */
    if (dewarpBuildPageModel(model, NULL) || !model->vsuccess ||
        dewarpPopulateFullRes(model, grey, 0, 0) || !model->fullvdispar ||
        !bends(model->fullvdispar, letter) ||
        !(*warp = warp_from(model->fullvdispar, pixGetWidth(grey), pixGetHeight(grey))))
        return NULL;
    if (dewarpaApplyDisparity(models, model->pageno, grey, PAPER, 0, 0, &out, NULL) ||
        !model->vvalid) {
        pixDestroy(&out);
        vl_warp_free(*warp);
        *warp = NULL;
    }
    return out;
}

PIX *vl_cleanup_dewarped(PIX *grey, double letter_height, vl_warp **warp) {
    enum { LEAST = 300, LINES_LEAST = 6, REDUCTION = 2, REACH = -1, SAME = -1 };
    enum { CURVATURE_MOST = 400 }; /* millionths a point of the reduced page: an open book */
    PIX *ink = NULL, *half = NULL, *out = NULL;
    *warp = NULL;
    if (pixGetWidth(grey) < LEAST || pixGetHeight(grey) < LEAST)
        return NULL;
    if (!pixOtsuAdaptiveThreshold(grey, 400, 400, 0, 0, 0.1F, NULL, &ink) && ink)
        half = pixReduceRankBinary2(ink, 2, NULL);
    L_DEWARPA *models = half ? dewarpaCreate(1, 0, REDUCTION, LINES_LEAST, REACH) : NULL;
    L_DEWARP *model = models ? dewarpCreate(half, 0) : NULL;
    if (model && dewarpaInsertDewarp(models, model))
        dewarpDestroy(&model);
    else if (model && !dewarpaUseBothArrays(models, 0) &&
             !dewarpaSetCurvatures(models, CURVATURE_MOST, SAME, CURVATURE_MOST, SAME, SAME,
                                   SAME))
        out = apply_model(models, model, grey, letter_or(letter_height, 24), warp);
    dewarpaDestroy(&models);
    pixDestroy(&ink);
    pixDestroy(&half);
    return out;
}

/* ---- by name ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    PIX *(*apply)(PIX *grey, double letter_height);
} cleanups[VL_CLEANUP_COUNT] = {
    [VL_CLEANUP_SAUVOLA] = {"sauvola", vl_cleanup_sauvola},
    [VL_CLEANUP_LOCAL_CONTRAST] = {"local-contrast", vl_cleanup_local_contrast},
    [VL_CLEANUP_BACKGROUND] = {"background", vl_cleanup_background},
    [VL_CLEANUP_MEDIAN] = {"median", vl_cleanup_median},
    [VL_CLEANUP_BILATERAL] = {"bilateral", vl_cleanup_bilateral},
    [VL_CLEANUP_SHARPENED] = {"sharpened", vl_cleanup_sharpened},
    [VL_CLEANUP_BOLD] = {"bold", vl_cleanup_bold},
    [VL_CLEANUP_ENLARGED] = {"enlarged", vl_cleanup_enlarged},
    [VL_CLEANUP_UNRULED] = {"unruled", vl_cleanup_unruled},
    [VL_CLEANUP_DEWARPED] = {"dewarped", NULL},
};

const char *vl_cleanup_name(vl_cleanup cleanup) {
    return cleanups[cleanup].name;
}

vl_status vl_cleanup_parse(const char *name, vl_cleanup *cleanup, vl_error *error) {
    const char *names[VL_CLEANUP_COUNT];
    char list[200] = "";
    for (size_t i = 0; i < VL_CLEANUP_COUNT; i++) {
        names[i] = cleanups[i].name;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
        if (!strcmp(name, names[i])) {
            *cleanup = (vl_cleanup)i;
            return VL_OK;
        }
    }
    const char *nearest = vl_nearest_name(name, names, VL_CLEANUP_COUNT);
    if (nearest)
        return vl_fail(error, VL_ERR_USAGE, "no clean-up '%s'; did you mean '%s'?", name,
                       nearest);
    return vl_fail(error, VL_ERR_USAGE, "no clean-up '%s'; there are: auto, none, %s", name,
                   list);
}

bool vl_cleanup_apply(vl_cleanup cleanup, PIX *picture, double letter_height,
                      vl_cleanup_page *page) {
    *page = (vl_cleanup_page){.scale = 1};
    PIX *grey = pixConvertTo8(picture, 0);
    if (grey && cleanups[cleanup].apply)
        page->picture = cleanups[cleanup].apply(grey, letter_height);
    else if (grey)
        page->picture = vl_cleanup_dewarped(grey, letter_height, &page->warp);
    pixDestroy(&grey);
    if (!page->picture)
        return false;
    page->scale = (double)pixGetWidth(page->picture) / pixGetWidth(picture);
    pixSetResolution(page->picture, (l_int32)(pixGetXRes(picture) * page->scale + 0.5),
                     (l_int32)(pixGetYRes(picture) * page->scale + 0.5));
    return true;
}

void vl_cleanup_page_deinit(vl_cleanup_page *page) {
    pixDestroy(&page->picture);
    vl_warp_free(page->warp);
    page->warp = NULL;
}
