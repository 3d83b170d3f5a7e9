/* traits.c — what the pixels of a poorly read page say.
 *
 *   levels, noise_of, evenness, softness_of   grey levels
 *   is_ruled, bend_of                         marks and lines
 *   vl_ocr_traits_cleanups                    what follows
 *
 * The thresholds were set on the adapting half of the scans behind docs/benchmarks.md. They
 * only decide what is tried; what is kept, a reading decides. */
#include "ocr/traits.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 256, STEP = 3 /* every third row is looked at */ };

typedef struct histogram {
    size_t counts[LEVELS], total;
} histogram;

static void count_level(histogram *h, int level) {
    h->counts[level]++;
    h->total++;
}

/* The level below which `share` of the points lie. */
static int rank(const histogram *h, double share) {
    double before = 0, wanted = share * (double)h->total;
    for (int i = 0; i < LEVELS; i++)
        if ((before += (double)h->counts[i]) > wanted)
            return i;
    return LEVELS - 1;
}

static void levels(PIX *grey, vl_ocr_traits *traits) {
    enum { NEAR = 24, PERCENT = 2 };
    histogram h = {0};
    int width = pixGetWidth(grey), height = pixGetHeight(grey);
    for (int y = 0; y < height; y += STEP) {
        const l_uint32 *line = pixGetData(grey) + (size_t)y * (size_t)pixGetWpl(grey);
        for (int x = 0; x < width; x++)
            count_level(&h, GET_DATA_BYTE(line, x));
    }
    int ink = rank(&h, 0.02), paper = rank(&h, 0.8);
    size_t between = 0;
    for (int i = rank(&h, 0) + NEAR; i < rank(&h, 1) - NEAR; i++)
        between += h.counts[i];
    traits->contrast = paper > ink ? paper - ink : 0;
    traits->bitonal = between * 100 <= h.total * PERCENT;
}

/* Immerkær 1996 (Fast noise variance estimation): a mask that edges and slopes do not answer
 * to; the median of its answers instead of their mean, since text is mostly edges. */
static double noise_of(PIX *grey) {
    histogram h = {0};
    int width = pixGetWidth(grey), height = pixGetHeight(grey);
    size_t words = (size_t)pixGetWpl(grey);
    for (int y = 1; y + 1 < height; y += STEP) {
        const l_uint32 *at = pixGetData(grey) + (size_t)y * words;
        const l_uint32 *above = at - words, *below = at + words;
        for (int x = 1; x + 1 < width; x++) {
            int sum = 4 * GET_DATA_BYTE(at, x) -
                      2 * (GET_DATA_BYTE(at, x - 1) + GET_DATA_BYTE(at, x + 1) +
                           GET_DATA_BYTE(above, x) + GET_DATA_BYTE(below, x)) +
                      GET_DATA_BYTE(above, x - 1) + GET_DATA_BYTE(above, x + 1) +
                      GET_DATA_BYTE(below, x - 1) + GET_DATA_BYTE(below, x + 1);
            int size = abs(sum);
            count_level(&h, size < LEVELS ? size : LEVELS - 1);
        }
    }
    /* The mask's answer to noise of deviation 1 has deviation 6; 0.6745 is the median of the
     * size of a normal variable. */
    return h.total ? rank(&h, 0.5) / (6 * 0.6745) : 0;
}

/* The paper's level in each of 8 × 8 parts of the page: its range without the two parts at
 * either end. */
static double unevenness_of(PIX *grey, double contrast) {
    enum { PARTS = 8, LEAST = 64 };
    histogram papers = {0};
    int width = pixGetWidth(grey), height = pixGetHeight(grey);
    if (width < LEAST || height < LEAST || contrast <= 0)
        return 0;
    for (int part = 0; part < PARTS * PARTS; part++) {
        histogram h = {0};
        int x0 = part % PARTS * width / PARTS, x1 = (part % PARTS + 1) * width / PARTS;
        int y0 = part / PARTS * height / PARTS, y1 = (part / PARTS + 1) * height / PARTS;
        for (int y = y0; y < y1; y += STEP) {
            const l_uint32 *line = pixGetData(grey) + (size_t)y * (size_t)pixGetWpl(grey);
            for (int x = x0; x < x1; x += STEP)
                count_level(&h, GET_DATA_BYTE(line, x));
        }
        count_level(&papers, rank(&h, 0.8));
    }
    return (rank(&papers, 0.96) - rank(&papers, 0.04)) / contrast;
}

/* Contrast over the steepest steps from point to point. */
static double softness_of(PIX *grey, double contrast) {
    histogram h = {0};
    int width = pixGetWidth(grey), height = pixGetHeight(grey);
    for (int y = 0; y < height; y += STEP) {
        const l_uint32 *line = pixGetData(grey) + (size_t)y * (size_t)pixGetWpl(grey);
        for (int x = 1; x < width; x++) {
            int step = abs((int)GET_DATA_BYTE(line, x) - (int)GET_DATA_BYTE(line, x - 1));
            if (step > 8) /* paper says nothing */
                count_level(&h, step);
        }
    }
    int steep = h.total ? rank(&h, 0.9) : 0;
    return steep > 0 ? fmax(contrast / steep, 1) : 1;
}

/* ---- marks and lines -------------------------------------------------------------------- */

static bool is_ruled(const vl_ocr_survey *survey) {
    double letter = survey->letter_height;
    for (size_t i = 0; letter > 0 && i < survey->mark_count; i++) {
        double width = survey->marks[i].width, height = survey->marks[i].height;
        if ((width > 10 * letter && height < letter / 2) ||
            (height > 10 * letter && width < letter / 2) ||
            (width > 10 * letter && height > 3 * letter))
            return true;
    }
    return false;
}

/* How far the lower edges in the middle third of a line lie below the straight line between
 * the means of its outer thirds. Descenders fall on all three alike. */
static bool sag(const vl_engine_line *line, double *out) {
    enum { WORDS_LEAST = 6 };
    double sums[3] = {0}, count[3] = {0};
    if (line->word_count < WORDS_LEAST)
        return false;
    for (size_t i = 0; i < line->word_count; i++) {
        vl_box b = line->words[i].box;
        double at = (b.x + b.width / 2.0 - line->box.x) * 3 / (line->box.width + 1.0);
        size_t third = at < 1 ? 0 : at < 2 ? 1 : 2;
        sums[third] += b.y + b.height;
        count[third]++;
    }
    if (count[0] == 0 || count[1] == 0 || count[2] == 0)
        return false;
    *out = sums[1] / count[1] - (sums[0] / count[0] + sums[2] / count[2]) / 2;
    return true;
}

static double bend_of(const vl_engine_reading *reading, double letter) {
    enum { LINES_LEAST = 5 };
    double sum = 0, one;
    size_t count = 0;
    for (size_t i = 0; reading && i < reading->line_count; i++)
        if (sag(&reading->lines[i], &one)) {
            sum += one;
            count++;
        }
    return count >= LINES_LEAST && letter > 0 ? sum / (double)count / letter : 0;
}

vl_ocr_traits vl_ocr_traits_of(const vl_ocr_picture *picture,
                               const vl_engine_reading *reading) {
    const vl_ocr_survey *survey = &picture->survey;
    vl_ocr_traits traits = {.letter_height = survey->letter_height * picture->scale};
    PIX *grey = pixConvertTo8(picture->work, 0);
    if (!grey)
        return traits;
    levels(grey, &traits);
    traits.noise = noise_of(grey);
    traits.unevenness = unevenness_of(grey, traits.contrast);
    traits.softness = softness_of(grey, traits.contrast);
    pixDestroy(&grey);
    if (survey->mark_count)
        traits.specks = 1 - (double)survey->letters / (double)survey->mark_count;
    traits.ruled = is_ruled(survey);
    traits.bend = bend_of(reading, traits.letter_height);
    return traits;
}

/* ---- what follows ----------------------------------------------------------------------- */

/* A page that is black and white already has no paper to even out and no soft edges. */
static bool fits(vl_cleanup cleanup, const vl_ocr_traits *t) {
    bool grey = !t->bitonal;
    switch (cleanup) {
    case VL_CLEANUP_DEWARPED:
        return fabs(t->bend) >= 0.3;
    case VL_CLEANUP_MEDIAN:
        return grey || t->specks >= 0.2;
    case VL_CLEANUP_BOLD:
        return t->letter_height >= 14 && t->specks >= 0.25;
    case VL_CLEANUP_ENLARGED:
        return t->letter_height <= 25;
    case VL_CLEANUP_UNRULED:
        return t->ruled;
    case VL_CLEANUP_BACKGROUND:
        return grey && t->unevenness >= 0.15;
    case VL_CLEANUP_SHARPENED:
        return grey && t->softness >= 1.9;
    case VL_CLEANUP_LOCAL_CONTRAST:
        return grey && t->contrast < 100;
    case VL_CLEANUP_SAUVOLA:
        return grey && t->unevenness >= 0.3;
    case VL_CLEANUP_BILATERAL:
        return grey && t->noise >= 2; /* as slow as reading the page once more */
    case VL_CLEANUP_COUNT:
        break;
    }
    return false;
}

size_t vl_ocr_traits_cleanups(const vl_ocr_traits *traits, vl_cleanup *cleanups, size_t max) {
    /* By how many characters each won on the adapting half, where it fits. */
    static const vl_cleanup order[] = {
        VL_CLEANUP_DEWARPED,  VL_CLEANUP_MEDIAN,         VL_CLEANUP_BOLD,
        VL_CLEANUP_ENLARGED,  VL_CLEANUP_UNRULED,        VL_CLEANUP_BACKGROUND,
        VL_CLEANUP_SHARPENED, VL_CLEANUP_LOCAL_CONTRAST, VL_CLEANUP_SAUVOLA,
        VL_CLEANUP_BILATERAL,
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof order / sizeof *order && count < max; i++)
        if (fits(order[i], traits))
            cleanups[count++] = order[i];
    return count;
}
