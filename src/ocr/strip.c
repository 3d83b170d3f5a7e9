/* strip.c — lines cut out of pages.
 *
 *   vl_band_of_line, _of_picture    where a line is
 *   vl_strips_cut                   one picture, or several cut at gaps */
#include "ocr/strip.h"

#include <arpa/inet.h>
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

static const uint32_t *row_of(PIX *grey, int32_t y) {
    return pixGetData(grey) + (size_t)y * (size_t)pixGetWpl(grey);
}

/* Pixels from … to of a row, one byte each: in a PIX the first is the highest of a word. */
static void row_bytes(PIX *grey, int32_t y, int32_t from, int32_t to, uint8_t *out) {
    const uint32_t *row = row_of(grey, y);
    int32_t x = from;
    for (; x < to && x % 4; x++)
        *out++ = GET_DATA_BYTE(row, x);
    for (; x + 4 <= to; x += 4, out += 4) {
        uint32_t four = htonl(row[x / 4]);
        memcpy(out, &four, sizeof four);
    }
    for (; x < to; x++)
        *out++ = GET_DATA_BYTE(row, x);
}

/* The level between dark and light that sets them apart best (Otsu 1979). */
static unsigned threshold_of(PIX *grey) {
    l_int32 width = pixGetWidth(grey), height = pixGetHeight(grey);
    uint32_t histogram[256] = {0}, lanes[4][256] = {0}; /* a lane waits for none but itself */
    double all = 0, below = 0, sum_below = 0, best = -1, count = (double)width * height;
    unsigned threshold = 0;
    for (l_int32 y = 0; y < height; y++) {
        const uint32_t *row = row_of(grey, y);
        l_int32 x = 0;
        for (; x + 4 <= width; x += 4)
            for (unsigned lane = 0; lane < 4; lane++)
                lanes[lane][row[x / 4] >> 8 * lane & 255]++;
        for (; x < width; x++)
            histogram[GET_DATA_BYTE(row, x)]++;
    }
    for (unsigned level = 0; level < 256; level++)
        histogram[level] +=
            lanes[0][level] + lanes[1][level] + lanes[2][level] + lanes[3][level];
    for (unsigned level = 0; level < 256; level++)
        all += (double)level * histogram[level];
    for (unsigned level = 0; level < 255; level++) {
        below += histogram[level];
        sum_below += (double)level * histogram[level];
        double above = count - below;
        if (below <= 0 || above <= 0)
            continue;
        double apart = sum_below / below - (all - sum_below) / above;
        if (below * above * apart * apart > best) {
            best = below * above * apart * apart;
            threshold = level + 1;
        }
    }
    return threshold; /* 0: all of one level */
}

/* First and last place whose sum is above `least`. False: none is. */
static bool extent(const uint32_t *sums, int32_t count, double least, int32_t *first,
                   int32_t *last) {
    *first = *last = -1;
    for (int32_t i = 0; i < count; i++)
        if ((double)sums[i] > least) {
            *first = *first < 0 ? i : *first;
            *last = i;
        }
    return *first >= 0;
}

/* Adds a row's pixels below `threshold` to `columns`, bytes that hold at most 255; returns how
 * many they are. */
static uint32_t count_row(const uint8_t *row, size_t width, unsigned threshold,
                          uint8_t *restrict columns) {
    uint32_t dark = 0;
    uint8_t least = (uint8_t)(threshold - 1);
    for (size_t x = 0; x < width; x++)
        columns[x] = (uint8_t)(columns[x] + (row[x] <= least));
    for (size_t x = 0; x < width; x++)
        dark += row[x] <= least;
    return dark;
}

/* How many of the pixels of each row and column are ink, the fewer of dark and light ones;
 * `work` is [2·width] and zero. */
static void count_ink(PIX *grey, uint32_t *rows, uint32_t *columns, uint8_t *work) {
    l_int32 width = pixGetWidth(grey), height = pixGetHeight(grey);
    unsigned threshold = threshold_of(grey);
    uint8_t *row = work, *some = work + width; /* counts of at most 255 rows */
    uint64_t dark = 0;
    for (l_int32 y = 0; threshold && y < height; y++) {
        row_bytes(grey, y, 0, width, row);
        rows[y] = count_row(row, (size_t)width, threshold, some);
        dark += rows[y];
        for (l_int32 x = 0; (y % 255 == 254 || y + 1 == height) && x < width; x++) {
            columns[x] += some[x];
            some[x] = 0;
        }
    }
    if (2 * dark <= (uint64_t)width * (uint64_t)height)
        return;
    for (l_int32 y = 0; y < height; y++)
        rows[y] = (uint32_t)width - rows[y];
    for (l_int32 x = 0; x < width; x++)
        columns[x] = (uint32_t)height - columns[x];
}

bool vl_band_of_picture(PIX *grey, vl_band *band) {
    l_int32 width = pixGetWidth(grey), height = pixGetHeight(grey);
    uint32_t *rows = calloc((size_t)width + (size_t)height, sizeof *rows), most = 0;
    int32_t top = 0, bottom = 0, left = 0, right = 0;
    uint8_t *work = calloc((size_t)width, 2);
    bool found = rows && work;
    if (found)
        count_ink(grey, rows, rows + height, work);
    for (l_int32 y = 0; found && y < height; y++)
        most = rows[y] > most ? rows[y] : most;
    found = found && extent(rows, height, FAINT_ROW * most, &top, &bottom) &&
            extent(rows + height, width, 0, &left, &right);
    free(rows);
    free(work);
    *band =
        (vl_band){.left = left, .right = right + 1, .top = top, .bottom = (double)bottom + 1};
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

/* Columns first … end of the strip, of which row `top` of the page is the first. */
typedef struct stretch {
    int32_t first, end, top;
} stretch;

/* As many columns from `x` on as have one first row. */
static stretch stretch_at(const vl_band *band, double margin, int32_t x, int32_t end) {
    stretch s = {x, end, (int32_t)lround(band->top - margin + band->slope * (x - band->left))};
    if (band->slope == 0)
        return s;
    for (s.end = x + 1; s.end < end; s.end++)
        if ((int32_t)lround(band->top - margin + band->slope * (s.end - band->left)) != s.top)
            break;
    return s;
}

/* Copies what lies on the page, `x0` being the strip's first column; what does not becomes
 * `paper`. */
static void copy_stretch(PIX *grey, const stretch *s, int32_t x0, uint8_t paper,
                         vl_image *out) {
    l_int32 width = pixGetWidth(grey), height = pixGetHeight(grey);
    int32_t from = s->first < 0 ? (s->end < 0 ? s->end : 0) : s->first;
    int32_t to = s->end > width ? (s->first > width ? s->first : width) : s->end;
    for (uint32_t i = 0; i < out->height; i++) {
        int32_t y = s->top + (int32_t)i;
        uint8_t *row = out->pixels + i * out->stride + (s->first - x0);
        bool there = y >= 0 && y < height && from < to;
        memset(row, paper, (size_t)(s->end - s->first));
        if (there)
            row_bytes(grey, y, from, to, row + (from - s->first));
    }
}

/* The tone of most of what lies in the strip on the page. */
static uint8_t paper_of(PIX *grey, int32_t x0, int32_t x1, int32_t y0, int32_t y1) {
    enum { EVERY = 3 }; /* row and column is looked at */
    l_int32 width = pixGetWidth(grey), height = pixGetHeight(grey);
    uint64_t histogram[256] = {0};
    for (int32_t y = y0 > 0 ? y0 : 0; y < y1 && y < height; y += EVERY) {
        const l_uint32 *row = row_of(grey, y);
        for (int32_t x = x0 > 0 ? x0 : 0; x < x1 && x < width; x += EVERY)
            histogram[GET_DATA_BYTE(row, x)]++;
    }
    return median(histogram);
}

/* Columns x0 … x1 of the page, the band's tilt undone. What lies outside is paper: the page's
 * last pixels, repeated, would draw rules out of letters that touch its edge. */
static vl_status cut(PIX *grey, const vl_band *band, int32_t x0, int32_t x1, vl_image **out,
                     vl_error *error) {
    double margin = MARGIN * (band->bottom - band->top) + 1, slope = band->slope;
    int32_t high = (int32_t)lround(band->bottom - band->top + 2 * margin);
    vl_status status = vl_image_new((uint32_t)(x1 - x0), (uint32_t)high, 1, out, error);
    if (status)
        return status;
    double left = band->top - margin + slope * (x0 - band->left);
    double right = band->top - margin + slope * (x1 - band->left);
    int32_t y0 = (int32_t)lround(fmin(left, right)) - 1;
    int32_t y1 = (int32_t)lround(fmax(left, right)) + high + 1;
    bool inside = x0 >= 0 && x1 <= pixGetWidth(grey) && y0 >= 0 && y1 <= pixGetHeight(grey);
    uint8_t paper = inside ? 255 : paper_of(grey, x0, x1, y0, y1);
    for (int32_t x = x0; x < x1;) {
        stretch s = stretch_at(band, margin, x, x1);
        copy_stretch(grey, &s, x0, paper, *out);
        x = s.end;
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
    double side = MARGIN * (band->bottom - band->top) + 2;
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
