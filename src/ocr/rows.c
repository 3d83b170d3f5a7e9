/* rows.c — rows of a drawn table that no rule parts: registers and lists are ruled from top to
 * bottom, and only the lines that stand beside each other tell one entry from the next.
 *
 * Where lines of a third of the columns and more stand at one height, an entry begins. Entries
 * lie wider apart than lines: cells with wrapped text, whose lines stand beside each other too,
 * stay whole. One that some dirt or a wrapped line began right beside another is none.
 *
 *   column_lines       where the lines of one cell are
 *   find_entries       heights at which entries begin
 *   layout_split_rows  a grid whose rows are those */
#include "ocr/layout_work.h"

#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS_LEAST = 3,
    LINES_LEAST = 3,
    ENTRIES_LEAST = 3,
    STRAY = 6, /* one in so many is dirt */
};
/* In heights of a word. */
static const double SAME_LINE = 0.5, APART = 1.9, ABOVE = 0.6;

typedef struct place {
    int32_t middle;
    size_t column;
} place;

typedef struct row_text {
    place *words, *lines; /* by height */
    size_t word_count, line_count;
    int32_t *heights; /* of words */
    size_t columns;   /* with LINES_LEAST and more */
    double height;    /* the usual one */
} row_text;

static int by_height(const void *a, const void *b) {
    const place *x = a, *y = b;
    return (x->middle > y->middle) - (x->middle < y->middle);
}

static int by_column(const void *a, const void *b) {
    const place *x = a, *y = b;
    return x->column != y->column ? (x->column > y->column) - (x->column < y->column)
                                  : by_height(a, b);
}

static int by_value(const void *a, const void *b) {
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The column of the row's cells that the word stands in; `grid->columns`: none. */
static size_t column_of(const vl_grid *grid, size_t row, vl_box word) {
    int32_t x = word.x + word.width / 2, y = word.y + word.height / 2;
    if (y < grid->y[row] || y >= grid->y[row + 1])
        return grid->columns;
    for (size_t c = 0; c < grid->columns; c++)
        if (x >= grid->x[c] && x < grid->x[c + 1])
            return grid->owner[row * grid->columns + c] % grid->columns;
    return grid->columns;
}

/* Words of one column at one height are a line. */
static void column_lines(row_text *t) {
    size_t in_column = 0;
    qsort(t->words, t->word_count, sizeof *t->words, by_column);
    for (size_t i = 0; i < t->word_count; i++) {
        const place *word = &t->words[i], *last = i ? word - 1 : NULL;
        bool other = !last || last->column != word->column;
        if (!other && word->middle - last->middle <= SAME_LINE * t->height)
            continue;
        in_column = other ? 1 : in_column + 1;
        t->columns += in_column == LINES_LEAST;
        t->lines[t->line_count++] = *word;
    }
    qsort(t->lines, t->line_count, sizeof *t->lines, by_height);
}

static bool read_row(const layout_work *w, const vl_grid *grid, size_t row, row_text *t) {
    size_t all = 0;
    for (size_t i = 0; i < w->reading->line_count; i++)
        all += w->taken[i] ? 0 : w->lines[i].word_count;
    *t = (row_text){.words = vl_arena_array(w->arena, all + 1, sizeof *t->words),
                    .lines = vl_arena_array(w->arena, all + 1, sizeof *t->lines),
                    .heights = vl_arena_array(w->arena, all + 1, sizeof *t->heights)};
    if (!t->words || !t->lines || !t->heights)
        return false;
    for (size_t i = 0; i < w->reading->line_count; i++)
        for (size_t k = 0; !w->taken[i] && k < w->lines[i].word_count; k++) {
            vl_box box = w->lines[i].words[k].box;
            size_t column = column_of(grid, row, box);
            if (column == grid->columns)
                continue;
            t->heights[t->word_count] = box.height;
            t->words[t->word_count++] = (place){box.y + box.height / 2, column};
        }
    qsort(t->heights, t->word_count, sizeof *t->heights, by_value);
    t->height = t->word_count ? t->heights[t->word_count / 2] : 0;
    column_lines(t);
    return true;
}

static bool is_entry(int32_t middle, const int32_t *entries, size_t count, double near) {
    for (size_t i = 0; i < count; i++)
        if (abs(middle - entries[i]) <= near)
            return true;
    return false;
}

/* Columns that have a line where entries begin, and nowhere else. */
static size_t columns_of_one_line(const row_text *t, const int32_t *entries, size_t count) {
    size_t columns = 0;
    qsort(t->lines, t->line_count, sizeof *t->lines, by_column);
    for (size_t i = 0, end, others; i < t->line_count; i = end) {
        others = 0;
        for (end = i; end < t->line_count && t->lines[end].column == t->lines[i].column; end++)
            others += !is_entry(t->lines[end].middle, entries, count, SAME_LINE * t->height);
        columns += others * STRAY < end - i;
    }
    return columns;
}

/* Whether the column that a row is read from, the first with any lines, names most entries: the
 * rest of a wrapped cell has none. */
static bool has_key(const row_text *t, bool rtl, const int32_t *entries, size_t count) {
    const place *side = &t->lines[0];
    size_t named = 0;
    for (size_t i = 1; i < t->line_count; i++)
        if (rtl ? t->lines[i].column > side->column : t->lines[i].column < side->column)
            side = &t->lines[i];
    size_t key = side->column;
    for (size_t i = 0; i < t->line_count; i++)
        named += t->lines[i].column == key &&
                 is_entry(t->lines[i].middle, entries, count, SAME_LINE * t->height);
    return named * 4 >= count * 3;
}

/* Where `needed` columns and more have a line at one height; `lines` [count]: how many. */
static size_t find_common(const row_text *t, size_t needed, int32_t *entries, size_t *lines) {
    size_t count = 0;
    for (size_t i = 0, end; i < t->line_count; i = end) {
        for (end = i + 1; end < t->line_count &&
                          t->lines[end].middle - t->lines[i].middle <= SAME_LINE * t->height;)
            end++;
        if (end - i < needed || end - i < 2)
            continue;
        lines[count] = end - i;
        entries[count++] = t->lines[i + (end - i) / 2].middle;
    }
    return count;
}

/* Of entries that lie no further apart than lines do, the one of more columns stays. Returns
 * how many do; 0: so many would go that these are lines. */
static size_t drop_stray(double height, int32_t *entries, size_t *lines, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool near = kept && entries[i] - entries[kept - 1] < APART * height;
        if (near && lines[i] <= lines[kept - 1])
            continue;
        kept -= near;
        lines[kept] = lines[i];
        entries[kept++] = entries[i];
    }
    return (count - kept) * STRAY <= count ? kept : 0;
}

/* Heights at which a third of the columns have a line, into `entries`; returns how many. 0: the
 * row is one. `lines`: as many numbers. */
static size_t find_entries(const row_text *t, bool rtl, int32_t *entries, size_t *lines) {
    if (t->columns < COLUMNS_LEAST)
        return 0;
    size_t count = find_common(t, (t->columns + 2) / 3, entries, lines);
    count = drop_stray(t->height, entries, lines, count);
    bool named = count >= ENTRIES_LEAST &&
                 columns_of_one_line(t, entries, count) * 2 >= t->columns &&
                 has_key(t, rtl, entries, count);
    return named ? count : 0;
}

/* Whether cells of the row go on below it. */
static bool goes_on(const vl_grid *grid, size_t row) {
    for (size_t c = 0; row + 1 < grid->rows && c < grid->columns; c++)
        if (grid->owner[(row + 1) * grid->columns + c] < (row + 1) * grid->columns)
            return true;
    return false;
}

/* Cells that reach into the row from above end there: the rule between is not drawn through. */
static void begin_row(vl_grid *grid, size_t row) {
    for (size_t c = 0; c < grid->columns; c++) {
        size_t *owner = &grid->owner[row * grid->columns + c];
        *owner = row * grid->columns + *owner % grid->columns;
    }
}

/* Room for one row more behind `row`, whose cells it has; it begins at `y`. */
static bool insert_row(vl_arena *arena, vl_grid *grid, size_t row, int32_t y) {
    size_t columns = grid->columns, first = (row + 1) * columns;
    int32_t *edges = vl_arena_array(arena, grid->rows + 2, sizeof *edges);
    size_t *owner = vl_arena_array(arena, (grid->rows + 1) * columns, sizeof *owner);
    if (!edges || !owner)
        return false;
    memcpy(edges, grid->y, (row + 1) * sizeof *edges);
    edges[row + 1] = y;
    memcpy(edges + row + 2, grid->y + row + 1, (grid->rows - row) * sizeof *edges);
    for (size_t i = 0; i < (grid->rows + 1) * columns; i++) {
        size_t from = i < first ? i : i - columns;
        size_t owned = grid->owner[from];
        owner[i] = i < first ? owned : owned + columns;
    }
    grid->y = edges;
    grid->owner = owner;
    grid->rows++;
    return true;
}

bool layout_split_rows(const layout_work *w, vl_grid *grid) {
    for (size_t row = 0; row < grid->rows; row++) {
        row_text text;
        if (goes_on(grid, row))
            continue;
        if (!read_row(w, grid, row, &text))
            return false;
        int32_t *entries = vl_arena_array(w->arena, text.line_count + 1, sizeof *entries);
        size_t *lines = vl_arena_array(w->arena, text.line_count + 1, sizeof *lines);
        if (!entries || !lines)
            return false;
        size_t count = find_entries(&text, w->rtl, entries, lines);
        if (count)
            begin_row(grid, row);
        for (size_t i = 1; i < count; i++, row++)
            if (!insert_row(w->arena, grid, row, entries[i] - (int32_t)(ABOVE * text.height)))
                return false;
    }
    return true;
}
