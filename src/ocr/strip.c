/* strip.c — lines cut out of pages.
 *
 *   vl_band_of_line, _of_picture    where a line is
 *   vl_strips_cut                   one picture, or several cut at gaps */
#include "ocr/strip.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_SIDE = 3 }; /* pixels; less is no line */
/* Of the height of the ink. A reader learns lines as fonts space them. */
static const double MARGIN = 0.12;
static const double STEEPEST = 0.2;    /* slope; beyond it a baseline is a mistake */
static const double WORD_GAP = 0.13;   /* of the strip's height: narrower is between letters */
static const double SEARCHED = 0.4;    /* share of a strip, its end, where it may be cut */
static const double FAINT_ROW = 0.015; /* of the ink of the fullest row: specks */

/* ---- where a line is -------------------------------------------------------------------- */

bool vl_band_of_line(const vl_engine_line *line, vl_band *band) {
    vl_box box = line->box;
    if (box.width < LEAST_SIDE || box.height < LEAST_SIDE)
        return false;
    *band = (vl_band){
        .left = box.x, .right = box.x + box.width, .top = box.y, .bottom = box.y + box.height};
    double rise = line->baseline_y1 - line->baseline_y0, slope = rise / box.width;
    /* What the tilt adds to the height is at one end above the line, at the other below it. */
    if (fabs(slope) > STEEPEST || fabs(rise) > 0.6 * box.height)
        return true;
    band->slope = slope;
    band->top -= fmin(rise, 0);
    band->bottom -= fmax(rise, 0);
    return true;
}

/* First and last place whose sum is above `least`. False: none is. */
static bool extent(NUMA *sums, double least, int32_t *first, int32_t *last) {
    int32_t count = numaGetCount(sums);
    *first = -1;
    for (int32_t i = 0; i < count; i++) {
        l_float32 sum = 0;
        numaGetFValue(sums, i, &sum);
        if ((double)sum <= least)
            continue;
        *first = *first < 0 ? i : *first;
        *last = i;
    }
    return *first >= 0;
}

/* Ink is 1, whichever of paper and ink is dark. NULL: no memory. */
static PIX *ink_of(PIX *grey) {
    PIX *binary = NULL;
    l_int32 ink = 0, width = pixGetWidth(grey), height = pixGetHeight(grey);
    if (pixOtsuAdaptiveThreshold(grey, width < 16 ? 16 : width, height < 16 ? 16 : height, 0, 0,
                                 0.1f, NULL, &binary))
        return NULL;
    if (!pixCountPixels(binary, &ink, NULL) && ink > width * height / 2)
        pixInvert(binary, binary);
    return binary;
}

bool vl_band_of_picture(PIX *grey, vl_band *band) {
    PIX *ink = ink_of(grey);
    NUMA *rows = ink ? pixCountPixelsByRow(ink, NULL) : NULL;
    NUMA *columns = ink ? pixCountPixelsByColumn(ink) : NULL;
    int32_t top = 0, bottom = 0, left = 0, right = 0;
    l_float32 most = 0;
    bool found = rows && columns && !numaGetMax(rows, &most, NULL) && most > 0 &&
                 extent(rows, FAINT_ROW * (double)most, &top, &bottom) &&
                 extent(columns, 0, &left, &right);
    *band =
        (vl_band){.left = left, .right = right + 1, .top = top, .bottom = (double)bottom + 1};
    numaDestroy(&rows);
    numaDestroy(&columns);
    pixDestroy(&ink);
    return found && band->right - band->left >= LEAST_SIDE &&
           band->bottom - band->top >= LEAST_SIDE;
}

vl_box vl_band_box(const vl_band *band, double x0, double x1) {
    double down = band->slope * ((x0 + x1) / 2 - band->left);
    int32_t left = (int32_t)floor(x0), top = (int32_t)floor(band->top + down);
    return (vl_box){left, top, (int32_t)ceil(x1) - left,
                    (int32_t)ceil(band->bottom + down) - top};
}

/* ---- cutting ---------------------------------------------------------------------------- */

/* White where nothing was counted. */
static uint8_t median(const uint64_t histogram[256]) {
    uint64_t all = 0, below = 0;
    unsigned level = 0;
    for (unsigned i = 0; i < 256; i++)
        all += histogram[i];
    while (level < 255 && (below += histogram[level]) * 2 < all)
        level++;
    return all ? (uint8_t)level : 255;
}

/* The rows of column x of the strip that are on the page: first … end. */
typedef struct span {
    int32_t top, first, end; /* row `top` of the page is the strip's first */
} span;

static span span_of(const vl_band *band, double margin, int32_t high, int32_t x, PIX *grey) {
    l_int32 height = pixGetHeight(grey);
    span s = {.top = (int32_t)lround(band->top - margin + band->slope * (x - band->left))};
    if (x < 0 || x >= pixGetWidth(grey))
        return s;
    s.first = s.top < 0 ? -s.top : 0;
    s.end = s.top + high > height ? height - s.top : high;
    return s;
}

/* Columns x0 … x1 of the page, the band's tilt undone. What lies outside is paper, the tone of
 * most of what lies inside: the page's last pixels, repeated, would draw rules out of letters
 * that touch its edge. */
static vl_status cut(PIX *grey, const vl_band *band, int32_t x0, int32_t x1, vl_image **out,
                     vl_error *error) {
    double margin = MARGIN * (band->bottom - band->top) + 1;
    int32_t high = (int32_t)lround(band->bottom - band->top + 2 * margin);
    uint64_t histogram[256] = {0};
    vl_status status = vl_image_new((uint32_t)(x1 - x0), (uint32_t)high, 1, out, error);
    if (status)
        return status;
    size_t words = (size_t)pixGetWpl(grey), stride = (*out)->stride;
    for (int32_t x = x0; x < x1; x++) {
        span s = span_of(band, margin, high, x, grey);
        for (int32_t i = s.first; i < s.end; i++) {
            const l_uint32 *row = pixGetData(grey) + (size_t)(s.top + i) * words;
            uint8_t value = GET_DATA_BYTE(row, x);
            (*out)->pixels[(size_t)i * stride + (size_t)(x - x0)] = value;
            histogram[value]++;
        }
    }
    uint8_t paper = median(histogram);
    for (int32_t x = x0; x < x1; x++) {
        span s = span_of(band, margin, high, x, grey);
        for (int32_t i = 0; i < high; i++)
            if (i < s.first || i >= s.end)
                (*out)->pixels[(size_t)i * stride + (size_t)(x - x0)] = paper;
    }
    return VL_OK;
}

/* How much of each column stands out from the paper, [width]. NULL: no memory. */
static uint32_t *ink_by_column(const vl_image *strip) {
    uint32_t *ink = calloc(strip->width, sizeof *ink);
    uint8_t least = 255, most = 0;
    uint64_t sum = 0;
    for (uint32_t y = 0; y < strip->height; y++)
        for (uint32_t x = 0; x < strip->width; x++) {
            uint8_t value = strip->pixels[y * strip->stride + x];
            least = value < least ? value : least;
            most = value > most ? value : most;
            sum += y == 0 || y + 1 == strip->height ? value : 0; /* the margin: paper */
        }
    int middle = (least + most) / 2;
    bool light = sum / (2 * (uint64_t)strip->width) >= (uint64_t)middle;
    for (uint32_t y = 0; ink && y < strip->height; y++)
        for (uint32_t x = 0; x < strip->width; x++)
            ink[x] += (strip->pixels[y * strip->stride + x] < middle) == light;
    return ink;
}

typedef struct gap {
    uint32_t first, width, ink; /* of each of its columns */
} gap;

/* The widest run of columns with the least ink between `from` and `to`. */
static gap find_gap(const uint32_t *ink, uint32_t from, uint32_t to) {
    uint32_t least = UINT32_MAX;
    for (uint32_t x = from; x < to; x++)
        least = ink[x] < least ? ink[x] : least;
    gap best = {from, 0, least};
    for (uint32_t x = from; x < to; x++) {
        uint32_t first = x;
        while (x < to && ink[x] == least)
            x++;
        if (x - first >= best.width)
            best = (gap){first, x - first, least};
    }
    return best;
}

/* The columns first … end of a strip as a picture of its own. */
static vl_image *part(const vl_image *strip, uint32_t first, uint32_t end) {
    vl_image *out;
    if (vl_image_new(end - first, strip->height, 1, &out, NULL))
        return NULL;
    for (uint32_t y = 0; y < strip->height; y++)
        memcpy(out->pixels + y * out->stride, strip->pixels + y * strip->stride + first,
               end - first);
    return out;
}

static vl_status cut_pieces(const vl_image *whole, int32_t x, uint32_t most,
                            vl_strip strips[VL_STRIPS_MAX], size_t *count, vl_error *error) {
    uint32_t *ink = ink_by_column(whole), first = 0;
    bool after_gap = true;
    vl_status status = ink ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a line");
    while (!status && first < whole->width) {
        gap next = {whole->width, 0, 0};
        if (whole->width - first > most)
            next = find_gap(ink, first + (uint32_t)((1 - SEARCHED) * most) + 1, first + most);
        uint32_t end = next.first + next.width / 2;
        if (*count == VL_STRIPS_MAX)
            status = vl_fail(error, VL_ERR_LIMIT, "a line of %u by %u pixels is too long",
                             whole->width, whole->height);
        vl_image *piece = status ? NULL : part(whole, first, end);
        if (piece)
            strips[(*count)++] = (vl_strip){piece, x + (int32_t)first, after_gap};
        else if (!status)
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for a line");
        /* An underline may run on below. */
        after_gap = next.width >= WORD_GAP * whole->height && next.ink <= whole->height / 8;
        first = end;
    }
    free(ink);
    return status;
}

vl_status vl_strips_cut(PIX *grey, const vl_band *band, double longest,
                        vl_strip strips[VL_STRIPS_MAX], size_t *count, vl_error *error) {
    vl_image *whole = NULL;
    *count = 0;
    double side = 2 * MARGIN * (band->bottom - band->top) + 1;
    int32_t x0 = band->left - (int32_t)side, x1 = band->right + (int32_t)side;
    vl_status status = cut(grey, band, x0, x1, &whole, error);
    if (status)
        return status;
    uint32_t most = (uint32_t)(longest * whole->height);
    if (whole->width <= most) {
        strips[(*count)++] = (vl_strip){whole, x0, true};
        return VL_OK;
    }
    status = cut_pieces(whole, x0, most, strips, count, error);
    vl_image_free(whole);
    if (status)
        vl_strips_free(strips, *count);
    return status;
}

void vl_strips_free(vl_strip *strips, size_t count) {
    for (size_t i = 0; i < count; i++)
        vl_image_free(strips[i].image);
}
