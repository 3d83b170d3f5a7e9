/* gutters.c — white rectangles on a coarse grid.
 *
 * The page becomes a grid of cells a quarter of a letter large. Row by row, a stack of heights
 * gives every rectangle of white cells that cannot grow (the largest rectangle under a
 * histogram); each is judged by the lines beside it.
 *
 *   grid_make        ink → cells, and how far it is to ink on either side
 *   judge            lines beside a rectangle
 *   offer            keeps the best that do not lie over each other
 *   vl_gutters_find  all maximal rectangles */
#include "ocr/gutters.h"
#include "ocr/box.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_A_LETTER = 4, CELLS_MAX = 1 << 20, LINES_LEAST = 4, LINES_TALL = 8 };
/* A line's ink is so many letters high, with what hangs below and stands above. */
static const double LINE_INK = 1.4;
/* A gutter of few lines has to be so much wider than the least. */
static const double SHORT_IS_WIDER = 1.5;

typedef struct grid {
    int32_t width, height, x, y; /* cells; where the first one lies, in pixels */
    double cell;                 /* pixels */
    uint8_t *ink;
    int16_t *before, *after; /* column of the nearest ink at or left of, right of a cell */
    int16_t *free;           /* [width + 1] white cells from this row up */
} grid;

typedef struct found {
    int32_t x0, x1, y0, y1; /* cells, x1 and y1 outside */
    double score;
} found;

static bool grid_alloc(vl_arena *arena, grid *g) {
    size_t cells = (size_t)g->width * (size_t)g->height;
    g->ink = vl_arena_array(arena, cells, sizeof *g->ink);
    g->before = vl_arena_array(arena, cells, sizeof *g->before);
    g->after = vl_arena_array(arena, cells, sizeof *g->after);
    g->free = vl_arena_array(arena, (size_t)g->width + 1, sizeof *g->free);
    return g->ink && g->before && g->after && g->free;
}

static void grid_fill(grid *g, vl_box b) {
    int32_t x0 = (int32_t)((b.x - g->x) / g->cell), y0 = (int32_t)((b.y - g->y) / g->cell);
    int32_t x1 = (int32_t)((b.x + b.width - 1 - g->x) / g->cell);
    int32_t y1 = (int32_t)((b.y + b.height - 1 - g->y) / g->cell);
    for (int32_t y = y0; y <= y1 && y < g->height; y++)
        memset(g->ink + (size_t)y * (size_t)g->width + x0, 1,
               (size_t)((x1 < g->width ? x1 : g->width - 1) - x0 + 1));
}

static void grid_measure(grid *g) {
    for (int32_t y = 0; y < g->height; y++) {
        size_t row = (size_t)y * (size_t)g->width;
        int16_t last = -1;
        for (int32_t x = 0; x < g->width; x++)
            g->before[row + (size_t)x] = last = g->ink[row + (size_t)x] ? (int16_t)x : last;
        last = -1;
        for (int32_t x = g->width - 1; x >= 0; x--)
            g->after[row + (size_t)x] = last = g->ink[row + (size_t)x] ? (int16_t)x : last;
    }
}

static bool grid_make(vl_arena *arena, const vl_box *ink, size_t count, double letter,
                      grid *g) {
    vl_box all = ink[0];
    for (size_t i = 1; i < count; i++)
        all = box_join(all, ink[i]);
    *g = (grid){.x = all.x, .y = all.y, .cell = fmax(1, letter / CELLS_A_LETTER)};
    while ((all.width / g->cell + 1) * (all.height / g->cell + 1) > CELLS_MAX ||
           fmax(all.width, all.height) / g->cell > INT16_MAX - 2)
        g->cell *= 1.5;
    g->width = (int32_t)(all.width / g->cell) + 1;
    g->height = (int32_t)(all.height / g->cell) + 1;
    if (!grid_alloc(arena, g))
        return false;
    for (size_t i = 0; i < count; i++)
        grid_fill(g, ink[i]);
    grid_measure(g);
    return true;
}

/* The lines beside it, of the side with fewer, weighed by its width; 0: no gutter. Rows without
 * ink on both sides above and below are cut off. */
static double judge(const grid *g, double letter, double least_width, found *f) {
    int32_t left = 0, right = 0, first = -1, last = -1;
    double width = (f->x1 - f->x0) * g->cell, line = LINE_INK * letter / g->cell;
    if (f->x0 == 0 || f->x1 == g->width || width < least_width)
        return 0;
    for (int32_t y = f->y0; y < f->y1; y++) {
        size_t row = (size_t)y * (size_t)g->width;
        bool l = g->before[row + (size_t)f->x0 - 1] >= 0;
        bool r = g->after[row + (size_t)f->x1] >= 0;
        left += l;
        right += r;
        first = first < 0 && (l || r) ? y : first;
        last = l || r ? y : last;
    }
    double lines = (left < right ? left : right) / line;
    if (lines < LINES_LEAST || (lines < LINES_TALL && width < SHORT_IS_WIDER * least_width))
        return 0;
    f->y0 = first;
    f->y1 = last + 1;
    return lines * (1 + fmin(width / letter, 4) / 8);
}

static bool overlap(const found *a, const found *b) {
    return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

/* Keeps it unless it lies over a better one; worse ones that it lies over go. */
static void offer(found *kept, size_t max, size_t *count, const found *next) {
    size_t n = 0, worst = 0;
    for (size_t i = 0; i < *count; i++)
        if (overlap(&kept[i], next) && kept[i].score >= next->score)
            return;
    for (size_t i = 0; i < *count; i++)
        if (!overlap(&kept[i], next))
            kept[n++] = kept[i];
    for (size_t i = 1; i < n; i++)
        worst = kept[i].score < kept[worst].score ? i : worst;
    if (n < max)
        kept[n++] = *next;
    else if (kept[worst].score < next->score)
        kept[worst] = *next;
    *count = n;
}

typedef struct search {
    const grid *grid;
    double letter, least_width;
    found *kept;
    size_t max, count;
} search;

static void consider(search *s, found f) {
    if ((f.y1 - f.y0) * s->grid->cell >= LINES_LEAST * s->letter &&
        (f.score = judge(s->grid, s->letter, s->least_width, &f)) > 0)
        offer(s->kept, s->max, &s->count, &f);
}

/* Every rectangle that ends in row `y` and cannot grow to the left, to the right or up; those
 * that could grow down are met again in the next row. */
static void search_row(search *s, int32_t y, int16_t *stack) {
    const grid *g = s->grid;
    size_t depth = 0, below = (size_t)(y + 1) * (size_t)g->width;
    for (int32_t x = 0; x <= g->width; x++) {
        int16_t height = x < g->width ? g->free[x] : 0;
        while (depth && g->free[stack[depth - 1]] >= height) {
            int16_t tall = g->free[stack[--depth]];
            int32_t x0 = depth ? stack[depth - 1] + 1 : 0;
            bool grows = y + 1 < g->height;
            if (grows) {
                int16_t ink = g->after[below + (size_t)x0];
                grows = ink < 0 || ink >= x;
            }
            if (tall > height && !grows)
                consider(s, (found){x0, x, y + 1 - tall, y + 1, 0});
        }
        stack[depth++] = (int16_t)x;
    }
}

static int by_x(const void *a, const void *b) {
    const vl_box *p = a, *q = b;
    return p->x != q->x ? (p->x > q->x) - (p->x < q->x) : (p->y > q->y) - (p->y < q->y);
}

bool vl_gutters_find(vl_arena *arena, const vl_box *ink, size_t ink_count, double letter,
                     double least_width, vl_box *gutters, size_t max, size_t *count) {
    grid g;
    *count = 0;
    if (ink_count < 2 || letter <= 0 || max == 0)
        return true;
    if (!grid_make(arena, ink, ink_count, letter, &g))
        return false;
    if (g.cell > letter) /* marks too far apart for any page */
        return true;
    int16_t *stack = vl_arena_array(arena, (size_t)g.width + 1, sizeof *stack);
    search s = {.grid = &g, .letter = letter, .least_width = least_width, .max = max};
    s.kept = vl_arena_array(arena, max, sizeof *s.kept);
    if (!stack || !s.kept)
        return false;
    for (int32_t y = 0; y < g.height; y++) {
        for (int32_t x = 0; x < g.width; x++)
            g.free[x] =
                g.ink[(size_t)y * (size_t)g.width + (size_t)x] ? 0 : (int16_t)(g.free[x] + 1);
        search_row(&s, y, stack);
    }
    for (size_t i = 0; i < s.count; i++) {
        const found *f = &s.kept[i];
        gutters[i] =
            (vl_box){g.x + (int32_t)(f->x0 * g.cell), g.y + (int32_t)(f->y0 * g.cell),
                     (int32_t)((f->x1 - f->x0) * g.cell), (int32_t)((f->y1 - f->y0) * g.cell)};
    }
    *count = s.count;
    qsort(gutters, *count, sizeof *gutters, by_x);
    return true;
}
