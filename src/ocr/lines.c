/* lines.c — ridges of a page blurred along its lines (lines.h).
 *
 *   sheet_make       the page, letters LETTER pixels high: how dark, and which rules stand
 *   find_ridges      the blurred page's, where ink is near
 *   line_of          a ridge → a straight line through it, as high as its ink
 *   vl_lines_find    all of them */
#include "ocr/lines.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LETTER = 8,       /* pixels that a letter is scaled to */
    SIDE_MOST = 4000, /* of the scaled page */
    LINES_MOST = 2000,
    HALF_MOST = 10,     /* from a line's middle to where its ink may end */
    RULE = 5 * LETTER,  /* longer strokes are no letters' */
    WALL = 12 * LETTER, /* rules that part lines: broken ones are mended */
};
/* In letters. */
static const double ALONG = 1.6, ACROSS = 0.42;          /* of the blur, standard deviations */
static const double LEAST_WIDTH = 1, LEAST_HEIGHT = 0.6; /* dashes and dots are lower */
static const double GAP = 3, NEAR = 0.6;
/* Of the paper's level. */
static const float DARKEST = 0.5F, FAINT = 0.08F, INK = 0.12F, RIDGE = 0.015F;
static const double EMPTY_ROW = 0.1; /* of the ink of a line's fullest row */

typedef struct sheet {
    int32_t width, height;
    double scale; /* of its pixels to the page's */
    float *ink;   /* [height,width] how much darker than paper; rules are none */
    PIX *near;    /* at ink, and between the letters of a line */
    PIX *walls;
} sheet;

/* ---- the page, small -------------------------------------------------------------------- */

static float *floats(size_t count) {
    return calloc(count, sizeof(float));
}

/* How much darker each pixel is than the paper around it, beyond what is faint. */
static bool measure_ink(sheet *s, PIX *small) {
    PIX *light = pixDilateGray(small, 3 * LETTER + 1, 3 * LETTER + 1);
    PIX *paper = light ? pixBlockconv(light, LETTER, LETTER) : NULL;
    for (int32_t y = 0; paper && y < s->height; y++)
        for (int32_t x = 0; x < s->width; x++) {
            l_uint32 level = 0, here = 0;
            pixGetPixel(paper, x, y, &level);
            pixGetPixel(small, x, y, &here);
            float dark = ((float)level - (float)here) / fmaxf((float)level, 32) - FAINT;
            s->ink[(size_t)y * (size_t)s->width + (size_t)x] = fminf(fmaxf(dark, 0), DARKEST);
        }
    pixDestroy(&light);
    bool ok = paper != NULL;
    pixDestroy(&paper);
    return ok;
}

static PIX *darker_than(const sheet *s, float least) {
    PIX *mask = pixCreate(s->width, s->height, 1);
    for (int32_t y = 0; mask && y < s->height; y++)
        for (int32_t x = 0; x < s->width; x++)
            if (s->ink[(size_t)y * (size_t)s->width + (size_t)x] > least)
                pixSetPixel(mask, x, y, 1);
    return mask;
}

/* Upright rules, and the walls of those that are long; flat ones part nothing. */
static bool forget_rules(sheet *s) {
    PIX *mask = darker_than(s, INK - FAINT);
    PIX *tall = mask ? pixOpenBrick(NULL, mask, 1, RULE) : NULL;
    PIX *flat = mask ? pixOpenBrick(NULL, mask, RULE, 1) : NULL;
    PIX *mended = tall ? pixCloseSafeBrick(NULL, tall, 3, LETTER * 8) : NULL;
    s->walls = mended ? pixOpenBrick(NULL, mended, 1, WALL) : NULL;
    PIX *rules = tall && flat ? pixOr(NULL, tall, flat) : NULL;
    PIX *wide = rules ? pixDilateBrick(NULL, rules, 3, 3) : NULL;
    for (int32_t y = 0; wide && y < s->height; y++)
        for (int32_t x = 0; x < s->width; x++) {
            l_uint32 rule = 0;
            pixGetPixel(wide, x, y, &rule);
            if (rule)
                s->ink[(size_t)y * (size_t)s->width + (size_t)x] = 0;
        }
    bool ok = wide && s->walls;
    pixDestroy(&mask);
    pixDestroy(&tall);
    pixDestroy(&flat);
    pixDestroy(&mended);
    pixDestroy(&rules);
    pixDestroy(&wide);
    return ok;
}

static bool find_near(sheet *s) {
    PIX *mask = darker_than(s, INK);
    l_int32 reach = (l_int32)(NEAR * LETTER) * 2 + 1;
    PIX *grown = mask ? pixDilateBrick(NULL, mask, reach, reach) : NULL;
    s->near = grown ? pixCloseSafeBrick(NULL, grown, (l_int32)(GAP * LETTER), 1) : NULL;
    pixDestroy(&mask);
    pixDestroy(&grown);
    return s->near != NULL;
}

static void sheet_free(sheet *s) {
    free(s->ink);
    pixDestroy(&s->near);
    pixDestroy(&s->walls);
}

static bool sheet_make(PIX *picture, double letter, sheet *s) {
    double longer = fmax(pixGetWidth(picture), pixGetHeight(picture));
    *s = (sheet){.scale = fmin(LETTER / letter, SIDE_MOST / longer)};
    PIX *grey = pixConvertTo8(picture, 0);
    PIX *small = grey ? pixScaleGeneral(grey, (float)s->scale, (float)s->scale, 0, 0) : NULL;
    pixDestroy(&grey);
    if (!small)
        return false;
    s->width = pixGetWidth(small);
    s->height = pixGetHeight(small);
    s->ink = floats((size_t)s->width * (size_t)s->height);
    bool ok = s->ink && measure_ink(s, small) && forget_rules(s) && find_near(s);
    pixDestroy(&small);
    if (!ok)
        sheet_free(s);
    return ok;
}

/* ---- ridges ----------------------------------------------------------------------------- */

/* A Gaussian along `count` places `step` apart; `line` is room for them. */
static void blur_line(float *at, size_t count, size_t step, const float *weights, int32_t reach,
                      float *line) {
    for (size_t i = 0; i < count; i++)
        line[i] = at[i * step];
    for (size_t i = 0; i < count; i++) {
        float sum = weights[0] * line[i];
        for (size_t k = 1; k <= (size_t)reach; k++) {
            sum += i >= k ? weights[k] * line[i - k] : 0;
            sum += i + k < count ? weights[k] * line[i + k] : 0;
        }
        at[i * step] = sum;
    }
}

enum { REACH_MOST = 6 * LETTER };

static int32_t gaussian(double deviation, float weights[REACH_MOST + 1]) {
    int32_t reach = (int32_t)ceil(3 * deviation);
    double sum = 0;
    for (int32_t k = 0; k <= reach; k++)
        sum += (k ? 2 : 1) * exp(-0.5 * k * k / (deviation * deviation));
    for (int32_t k = 0; k <= reach; k++)
        weights[k] = (float)(exp(-0.5 * k * k / (deviation * deviation)) / sum);
    return reach;
}

/* The ink, blurred; the caller frees it. NULL: no memory. */
static float *blurred(const sheet *s) {
    size_t width = (size_t)s->width, height = (size_t)s->height;
    float weights[REACH_MOST + 1];
    float *out = floats(width * height), *line = floats(width > height ? width : height);
    if (out && line) {
        memcpy(out, s->ink, width * height * sizeof *out);
        int32_t reach = gaussian(ALONG * LETTER, weights);
        for (size_t y = 0; y < height; y++)
            blur_line(out + y * width, width, 1, weights, reach, line);
        reach = gaussian(ACROSS * LETTER, weights);
        for (size_t x = 0; x < width; x++)
            blur_line(out + x, height, width, weights, reach, line);
    }
    free(line);
    if (!line) {
        free(out);
        out = NULL;
    }
    return out;
}

/* Highest places of each column, where ink is near and no wall stands. */
static PIX *find_ridges(const sheet *s) {
    float *soft = blurred(s);
    PIX *ridges = soft ? pixCreate(s->width, s->height, 1) : NULL;
    size_t width = (size_t)s->width;
    for (int32_t y = 1; ridges && y + 1 < s->height; y++)
        for (int32_t x = 0; x < s->width; x++) {
            const float *at = soft + (size_t)y * width + (size_t)x;
            l_uint32 near = 0, wall = 0;
            if (*at <= RIDGE || *at < at[-(ptrdiff_t)width] || *at <= at[width])
                continue;
            pixGetPixel(s->near, x, y, &near);
            pixGetPixel(s->walls, x, y, &wall);
            if (near && !wall)
                pixSetPixel(ridges, x, y, 1);
        }
    free(soft);
    return ridges;
}

/* ---- lines ------------------------------------------------------------------------------ */

typedef struct ridge {
    int32_t left, right;  /* columns, right outside */
    double middle, slope; /* row at `left`, and how it goes down by column */
} ridge;

/* The straight line nearest to the pixels of one ridge (least squares). */
static ridge line_through(PIX *pixels, int32_t x0, int32_t y0) {
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    int32_t width = pixGetWidth(pixels), height = pixGetHeight(pixels);
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++) {
            l_uint32 set = 0;
            pixGetPixel(pixels, x, y, &set);
            if (!set)
                continue;
            n++;
            sx += x;
            sy += y;
            sxx += (double)x * x;
            sxy += (double)x * y;
        }
    double spread = n * sxx - sx * sx;
    double slope = width > 3 * LETTER && spread > 0 ? (n * sxy - sx * sy) / spread : 0;
    double middle = n > 0 ? (sy - slope * sx) / n : 0;
    return (ridge){x0, x0 + width, y0 + middle, slope};
}

/* Ink of the row `below` the line's middle. */
static double row_ink(const sheet *s, const ridge *r, int32_t below) {
    double sum = 0;
    for (int32_t x = r->left; x < r->right; x++) {
        int32_t y = (int32_t)lround(r->middle + r->slope * (x - r->left)) + below;
        if (y >= 0 && y < s->height)
            sum += (double)s->ink[(size_t)y * (size_t)s->width + (size_t)x];
    }
    return sum;
}

/* How far the line's ink goes from its middle, up (−1) or down (1): to the first row next to
 * empty, else to the emptiest. */
static int32_t extent_of(const sheet *s, const ridge *r, int32_t way) {
    double most = row_ink(s, r, 0), least = INFINITY;
    int32_t end = HALF_MOST;
    for (int32_t i = 1; i <= HALF_MOST; i++) {
        double ink = row_ink(s, r, way * i);
        most = fmax(most, ink);
        if (ink < EMPTY_ROW * most)
            return i;
        if (i > LETTER / 2 && ink < least) {
            least = ink;
            end = i;
        }
    }
    return end;
}

static bool has_ink(const sheet *s, const ridge *r, int32_t x, int32_t up, int32_t down) {
    int32_t middle = (int32_t)lround(r->middle + r->slope * (x - r->left));
    int32_t from = middle > up ? middle - up : 0, to = middle + down;
    for (int32_t y = from; y <= to && y < s->height; y++)
        if (s->ink[(size_t)y * (size_t)s->width + (size_t)x] > INK - FAINT)
            return true;
    return false;
}

/* Ridges run on a little after the last letter. */
static void trim(const sheet *s, ridge *r, int32_t up, int32_t down) {
    int32_t left = r->left, right = r->right;
    while (left < right && !has_ink(s, r, left, up, down))
        left++;
    while (right > left && !has_ink(s, r, right - 1, up, down))
        right--;
    r->middle += r->slope * (left - r->left);
    r->left = left;
    r->right = right;
}

static vl_engine_line line_of(const sheet *s, ridge *r) {
    int32_t up = extent_of(s, r, -1), down = extent_of(s, r, 1);
    trim(s, r, up, down);
    double rise = r->slope * (r->right - r->left);
    double top = r->middle + fmin(rise, 0) - up;
    double bottom = r->middle + fmax(rise, 0) + down;
    double foot = r->middle + 0.5 * LETTER;
    vl_engine_line line = {.box = {(int32_t)(r->left / s->scale),
                                   (int32_t)fmax(0, top / s->scale),
                                   (int32_t)((r->right - r->left) / s->scale),
                                   (int32_t)((bottom - fmax(0, top) + 1) / s->scale)},
                           .baseline_y0 = (int32_t)(foot / s->scale),
                           .baseline_y1 = (int32_t)((foot + rise) / s->scale)};
    return line;
}

/* Pixels of ridges one row apart belong together. */
static bool lines_of(const sheet *s, PIX *ridges, vl_arena *arena, vl_engine_reading *out) {
    PIX *joined = pixDilateBrick(NULL, ridges, 1, 3);
    PIXA *parts = NULL;
    BOXA *boxes = joined ? pixConnComp(joined, &parts, 8) : NULL;
    l_int32 count = boxes ? boxaGetCount(boxes) : 0;
    count = count < LINES_MOST ? count : LINES_MOST;
    out->lines = vl_arena_array(arena, (size_t)count + 1, sizeof *out->lines);
    bool ok = boxes && out->lines;
    for (l_int32 i = 0; ok && i < count; i++) {
        l_int32 x = 0, y = 0, width = 0, height = 0;
        boxaGetBoxGeometry(boxes, i, &x, &y, &width, &height);
        PIX *part = width < LEAST_WIDTH * LETTER ? NULL : pixaGetPix(parts, i, L_CLONE);
        if (!part)
            continue;
        ridge r = line_through(part, x, y);
        pixDestroy(&part);
        vl_engine_line line = line_of(s, &r);
        line.block = out->line_count;
        if (line.box.height * s->scale >= LEAST_HEIGHT * LETTER &&
            line.box.width * s->scale >= LEAST_WIDTH * LETTER)
            out->lines[out->line_count++] = line;
    }
    pixDestroy(&joined);
    boxaDestroy(&boxes);
    pixaDestroy(&parts);
    return ok;
}

static int by_place(const void *a, const void *b) {
    const vl_engine_line *x = a, *y = b;
    return x->box.y != y->box.y ? (x->box.y > y->box.y) - (x->box.y < y->box.y)
                                : (x->box.x > y->box.x) - (x->box.x < y->box.x);
}

bool vl_lines_find(PIX *picture, double letter, vl_arena *arena, vl_engine_reading *lines) {
    sheet s;
    memset(lines, 0, sizeof *lines);
    if (letter <= 0)
        return true;
    if (!sheet_make(picture, letter, &s))
        return false;
    PIX *ridges = find_ridges(&s);
    bool ok = ridges && lines_of(&s, ridges, arena, lines);
    pixDestroy(&ridges);
    sheet_free(&s);
    if (ok)
        qsort(lines->lines, lines->line_count, sizeof *lines->lines, by_place);
    return ok;
}
