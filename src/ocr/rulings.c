/* rulings.c — tables drawn with rules: rules by morphology, grids by the rules that touch.
 *
 * What survives an opening by a long flat element is a horizontal rule, by a tall one a
 * vertical rule (Serra 1982; letters are shorter than either). Rules that touch form one table;
 * rules of half its width or height bound its rows and columns.
 *
 *   find_edges         rules of one direction in a table → where rows or columns end
 *   vl_ocr_find_grids  every table of a page */
#include "ocr/layout_work.h"

#include <leptonica/allheaders.h>
#include <stdlib.h>
#include <string.h>

enum { GRIDS_MAX = 64, EDGES_MAX = 256, RULES_MAX = 20000 };

typedef struct edge {
    double at, length; /* its place, weighed by length; of all pieces together */
    bool held;         /* a piece runs from rule to rule */
} edge;

static int by_place(const void *a, const void *b) {
    const edge *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

PIX *layout_grey(const vl_ocr_picture *picture) {
    PIX *upright = picture->upright;
    PIX *grey = pixGetDepth(upright) == 32 ? pixConvertRGBToLuminance(upright)
                                           : pixConvertTo8(upright, 0);
    if (grey && picture->survey.light_on_dark)
        pixInvert(grey, grey);
    return grey;
}

/* Dark on light, one bit. */
static PIX *binary_of(const vl_ocr_picture *picture) {
    PIX *grey = layout_grey(picture);
    PIX *binary = NULL;
    if (grey)
        pixOtsuAdaptiveThreshold(grey, 400, 400, 0, 0, 0.1f, NULL, &binary);
    pixDestroy(&grey);
    return binary;
}

/* Whether rules that cross meet the piece at both ends: a line under words does not reach any.
 */
static bool is_held(BOXA *crossing, vl_box piece, bool flat, double tolerance) {
    bool first = false, last = false;
    int32_t at = flat ? piece.y + piece.height / 2 : piece.x + piece.width / 2;
    int32_t from = flat ? piece.x : piece.y, to = from + (flat ? piece.width : piece.height);
    for (l_int32 i = 0; i < boxaGetCount(crossing) && !(first && last); i++) {
        l_int32 x = 0, y = 0, w = 0, h = 0;
        boxaGetBoxGeometry(crossing, i, &x, &y, &w, &h);
        int32_t place = flat ? x + w / 2 : y + h / 2, start = flat ? y : x;
        if (at < start - tolerance || at > start + (flat ? h : w) + tolerance)
            continue;
        first = first || abs(place - from) <= tolerance;
        last = last || abs(place - to) <= tolerance;
    }
    return first && last;
}

static bool is_in(vl_box inner, vl_box table) {
    return inner.x >= table.x - 2 && inner.y >= table.y - 2 &&
           inner.x + inner.width <= table.x + table.width + 2 &&
           inner.y + inner.height <= table.y + table.height + 2;
}

/* Rules as pieces in `boxes`; pieces at one place are one edge. Edges of half of `extent` and
 * more, and shorter ones between rules that `crossing` holds, from the first to the last;
 * `from` and `to`, the table's own sides, are edges too. */
static size_t find_edges(BOXA *boxes, BOXA *crossing, vl_box table, bool rows, double tolerance,
                         int32_t edges[EDGES_MAX]) {
    edge found[EDGES_MAX];
    size_t count = 0, kept = 0;
    double extent = rows ? table.width : table.height;
    double from = rows ? table.y : table.x, to = from + (rows ? table.height : table.width);
    for (l_int32 i = 0; i < boxaGetCount(boxes); i++) {
        l_int32 x = 0, y = 0, w = 0, h = 0;
        boxaGetBoxGeometry(boxes, i, &x, &y, &w, &h);
        vl_box piece = {x, y, w, h};
        if (!is_in(piece, table))
            continue;
        double at = rows ? y + h / 2.0 : x + w / 2.0, length = rows ? w : h;
        size_t k = 0;
        while (k < count && (found[k].at - at > tolerance || at - found[k].at > tolerance))
            k++;
        if (k == EDGES_MAX)
            return 0;
        if (k == count)
            found[count++] = (edge){at, 0, false};
        found[k].at =
            (found[k].at * found[k].length + at * length) / (found[k].length + length);
        found[k].length += length;
        found[k].held = found[k].held || is_held(crossing, piece, rows, tolerance);
    }
    qsort(found, count, sizeof *found, by_place);
    for (size_t k = 0; k < count; k++)
        if (found[k].length * 2 >= extent || found[k].held)
            found[kept++] = found[k];
    size_t n = 0;
    if (!kept)
        return 0;
    if (found[0].at - from > 2 * tolerance)
        edges[n++] = (int32_t)from;
    for (size_t k = 0; k < kept && n < EDGES_MAX - 1; k++)
        edges[n++] = (int32_t)found[k].at;
    if (to - found[kept - 1].at > 2 * tolerance)
        edges[n++] = (int32_t)to;
    return n;
}

/* Whether rules at `at` cover most of low … high. */
static bool is_walled(BOXA *rules, bool flat, int32_t at, int32_t low, int32_t high,
                      double tolerance) {
    double covered = 0;
    for (l_int32 i = 0; i < boxaGetCount(rules); i++) {
        l_int32 x = 0, y = 0, w = 0, h = 0;
        boxaGetBoxGeometry(rules, i, &x, &y, &w, &h);
        if (abs((flat ? y + h / 2 : x + w / 2) - at) <= tolerance)
            covered += layout_overlap(flat ? x : y, flat ? w : h, low, high - low);
    }
    return covered * 2 > high - low;
}

/* Gives each field of the grid to the cell that it is part of: from the top left, a cell runs
 * right and down until there is a rule. False: arena full. */
static bool find_owners(vl_arena *arena, BOXA *flat, BOXA *tall, double tolerance,
                        vl_grid *grid) {
    size_t all = grid->rows * grid->columns;
    grid->owner = vl_arena_array(arena, all, sizeof *grid->owner);
    for (size_t i = 0; grid->owner && i < all; i++)
        grid->owner[i] = all;
    for (size_t i = 0; grid->owner && i < all; i++) {
        size_t row = i / grid->columns, column = i % grid->columns, right = column + 1,
               down = row + 1;
        if (grid->owner[i] != all)
            continue;
        while (
            right < grid->columns && grid->owner[row * grid->columns + right] == all &&
            !is_walled(tall, false, grid->x[right], grid->y[row], grid->y[row + 1], tolerance))
            right++;
        while (down < grid->rows && grid->owner[down * grid->columns + column] == all &&
               !is_walled(flat, true, grid->y[down], grid->x[column], grid->x[column + 1],
                          tolerance))
            down++;
        for (size_t r = row; r < down; r++)
            for (size_t c = column; c < right; c++)
                grid->owner[r * grid->columns + c] = i;
    }
    return grid->owner != NULL;
}

static int32_t *keep(vl_arena *arena, const int32_t *edges, size_t count) {
    int32_t *copy = vl_arena_array(arena, count, sizeof *copy);
    if (copy)
        memcpy(copy, edges, count * sizeof *copy);
    return copy;
}

static bool add_grid(vl_arena *arena, BOXA *flat, BOXA *tall, vl_box table, double letter,
                     vl_grid *grids, size_t *count) {
    int32_t x[EDGES_MAX], y[EDGES_MAX];
    double tolerance = letter * 0.5 > 5 ? letter * 0.5 : 5;
    size_t rows = find_edges(flat, tall, table, true, tolerance, y);
    size_t columns = find_edges(tall, flat, table, false, tolerance, x);
    if (rows < 3 || columns < 3 || *count == GRIDS_MAX)
        return true;
    vl_grid *grid = &grids[(*count)++];
    *grid = (vl_grid){.rows = rows - 1,
                      .columns = columns - 1,
                      .x = keep(arena, x, columns),
                      .y = keep(arena, y, rows)};
    return grid->x && grid->y && find_owners(arena, flat, tall, 2 * tolerance, grid);
}

/* The pieces of a mask; NULL: there are too many for rules. */
static BOXA *pieces(PIX *mask) {
    l_int32 count = 0;
    if (!mask || pixCountConnComp(mask, 8, &count) || count > RULES_MAX)
        return NULL;
    return pixConnCompBB(mask, 8);
}

bool vl_ocr_find_grids(const vl_ocr_picture *picture, vl_arena *arena, vl_grid **out,
                       size_t *count) {
    double letter = picture->survey.letter_height > 8 ? picture->survey.letter_height : 8;
    l_int32 length = (l_int32)(letter * 2.5 > 40 ? letter * 2.5 : 40);
    vl_grid *grids = vl_arena_array(arena, GRIDS_MAX, sizeof *grids);
    PIX *binary = binary_of(picture);
    PIX *flat = binary ? pixOpenBrick(NULL, binary, length, 1) : NULL;
    PIX *tall = binary ? pixOpenBrick(NULL, binary, 1, length) : NULL;
    /* Uneven print breaks rules, and corners do not quite meet. */
    PIX *wide_flat = flat ? pixDilateBrick(NULL, flat, 9, 3) : NULL;
    PIX *wide_tall = tall ? pixDilateBrick(NULL, tall, 3, 9) : NULL;
    PIX *both = wide_flat && wide_tall ? pixOr(NULL, wide_flat, wide_tall) : NULL;
    BOXA *flats = pieces(wide_flat), *talls = pieces(wide_tall), *tables = pieces(both);
    bool fits = grids != NULL;
    *out = grids;
    *count = 0;
    for (l_int32 i = 0; fits && flats && talls && tables && i < boxaGetCount(tables); i++) {
        l_int32 x = 0, y = 0, w = 0, h = 0;
        boxaGetBoxGeometry(tables, i, &x, &y, &w, &h);
        if (w > 8 * letter && h > 3 * letter)
            fits = add_grid(arena, flats, talls, (vl_box){x, y, w, h}, letter, grids, count);
    }
    boxaDestroy(&flats);
    boxaDestroy(&talls);
    boxaDestroy(&tables);
    pixDestroy(&binary);
    pixDestroy(&flat);
    pixDestroy(&tall);
    pixDestroy(&wide_flat);
    pixDestroy(&wide_tall);
    pixDestroy(&both);
    return fits;
}
