/* layout.c — an engine's lines as a page: blocks, titles, tables, figures, reading order.
 *
 * Lines come grouped by the engine's blocks and paragraphs. Tables are looked for first, in
 * rows that run across the engine's blocks, since engines split a table into columns; then
 * paragraphs are cut where the letter size changes, and large or centred short ones become
 * titles. At last blocks are put in reading order by the two rules of Breuel (High Performance
 * Document Layout Analysis, 2003): above comes before below when they share columns; a column
 * comes before the next one unless something that spans both lies between.
 *
 *   line_from_engine      boxes, baselines, x-height of one line
 *   cut_segments, …       lines → segments (apart by wide gaps) → visual rows
 *   add_grids             tables drawn with rules: words by the cell they stand in
 *   find_tables           runs of rows whose segments stand in the same columns
 *   add_paragraphs        what is left, by paragraph
 *   order_blocks          reading order */
#include "ocr/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_ROWS_MIN = 3, COLUMNS_MAX = 24, ORDER_MAX = 1500, TITLE_LINES_MAX = 3 };
static const double TITLE_SIZE = 1.25; /* times the page's usual x-height */

typedef struct segment {
    size_t line, first, count; /* words of a line */
    vl_box box;
    size_t row, column;
} segment;

typedef struct work {
    const vl_ocr_picture *picture;
    const vl_engine_reading *reading;
    vl_arena *arena;
    vl_page *page;
    vl_line *lines; /* [reading->line_count] */
    bool *taken;    /* line is part of a table */
    size_t block_cap;
    double x_height; /* the page's usual */
    bool rtl;        /* most lines run from right to left */
} work;

/* ---- boxes ---------------------------------------------------------------------------- */

static vl_box box_join(vl_box a, vl_box b) {
    if (a.width <= 0)
        return b;
    if (b.width <= 0)
        return a;
    int32_t x0 = a.x < b.x ? a.x : b.x, y0 = a.y < b.y ? a.y : b.y;
    int32_t x1 = a.x + a.width > b.x + b.width ? a.x + a.width : b.x + b.width;
    int32_t y1 = a.y + a.height > b.y + b.height ? a.y + a.height : b.y + b.height;
    return (vl_box){x0, y0, x1 - x0, y1 - y0};
}

static int32_t overlap(int32_t a, int32_t a_size, int32_t b, int32_t b_size) {
    int32_t low = a > b ? a : b;
    int32_t high = a + a_size < b + b_size ? a + a_size : b + b_size;
    return high > low ? high - low : 0;
}

static int by_number(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, size_t count) {
    if (!count)
        return 0;
    qsort(values, count, sizeof *values, by_number);
    return values[count / 2];
}

/* ---- lines ---------------------------------------------------------------------------- */

/* The lower half of letter heights is the x-height's: ascenders and capitals are the upper. */
static double x_height_of(const vl_ocr_survey *survey, vl_box box) {
    double heights[400];
    size_t n = 0;
    for (size_t i = 0; i < survey->mark_count && n < 400; i++) {
        vl_box m = survey->marks[i];
        if (m.y > box.y + box.height)
            break; /* marks come from the top */
        if (m.y < box.y - box.height / 4 || m.y + m.height > box.y + box.height * 5 / 4 ||
            m.x < box.x || m.x + m.width > box.x + box.width || m.height * 4 < box.height ||
            m.width > box.height * 4)
            continue;
        heights[n++] = m.height;
    }
    if (n < 2)
        return 0;
    qsort(heights, n, sizeof *heights, by_number);
    return heights[n * 2 / 5];
}

static bool line_from_engine(work *w, size_t index) {
    const vl_engine_line *from = &w->reading->lines[index];
    vl_line *line = &w->lines[index];
    double scale = w->picture->scale;
    size_t rtl = 0, letters = 0;
    line->words = vl_arena_array(w->arena, from->word_count, sizeof *line->words);
    if (!line->words)
        return false;
    line->word_count = from->word_count;
    double sum = 0;
    for (size_t i = 0; i < from->word_count; i++) {
        line->words[i] = from->words[i];
        line->words[i].box = vl_ocr_picture_box(w->picture, from->words[i].box);
        line->box = box_join(line->box, line->words[i].box);
        size_t length = strlen(from->words[i].text);
        rtl += vl_text_is_rtl(from->words[i].text) ? length : 0;
        letters += length;
        sum += from->words[i].confidence * (double)length;
    }
    line->confidence = letters ? sum / (double)letters : 0;
    line->rtl = rtl * 2 > letters;
    line->baseline_y0 = (int32_t)lround(from->baseline_y0 / scale);
    line->baseline_y1 = (int32_t)lround(from->baseline_y1 / scale);
    line->x_height = x_height_of(&w->picture->survey, line->box);
    return true;
}

static bool take_lines(work *w) {
    size_t count = w->reading->line_count, rtl = 0, known = 0;
    w->lines = vl_arena_array(w->arena, count + 1, sizeof *w->lines);
    w->taken = vl_arena_array(w->arena, count + 1, sizeof *w->taken);
    double *heights = vl_arena_array(w->arena, count + 1, sizeof *heights);
    if (!w->lines || !w->taken || !heights)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!line_from_engine(w, i))
            return false;
        rtl += w->lines[i].rtl;
        if (w->lines[i].x_height > 0)
            heights[known++] = w->lines[i].x_height;
    }
    w->x_height = median(heights, known);
    w->rtl = rtl * 2 > count;
    return true;
}

static vl_block *block_add(work *w, vl_block_kind kind) {
    vl_page *page = w->page;
    if (page->block_count == w->block_cap) {
        size_t cap = w->block_cap ? w->block_cap * 2 : 16;
        vl_block *more = vl_arena_grow(w->arena, page->blocks, w->block_cap * sizeof *more,
                                       cap * sizeof *more);
        if (!more)
            return NULL;
        page->blocks = more;
        w->block_cap = cap;
    }
    vl_block *block = &page->blocks[page->block_count++];
    memset(block, 0, sizeof *block);
    block->kind = kind;
    return block;
}

static void block_finish(vl_block *block) {
    double sum = 0, letters = 0;
    for (size_t i = 0; i < block->line_count; i++) {
        const vl_line *line = &block->lines[i];
        block->box = box_join(block->box, line->box);
        for (size_t j = 0; j < line->word_count; j++) {
            double length = (double)strlen(line->words[j].text);
            sum += line->words[j].confidence * length;
            letters += length;
        }
    }
    block->confidence = letters > 0 ? sum / letters : 0;
}

/* ---- segments and rows ---------------------------------------------------------------- */

/* A gap that separates cells, not words. */
static bool is_wide_gap(const vl_line *line, const vl_word *a, const vl_word *b) {
    int32_t gap = a->box.x < b->box.x ? b->box.x - (a->box.x + a->box.width)
                                      : a->box.x - (b->box.x + b->box.width);
    double height = line->x_height > 0 ? line->x_height * 1.9 : line->box.height;
    height = height < line->box.height ? height : line->box.height;
    return gap > height * 1.3;
}

static segment *cut_segments(work *w, size_t *count) {
    size_t words = 0, n = 0;
    for (size_t i = 0; i < w->reading->line_count; i++)
        words += w->lines[i].word_count;
    segment *segments = vl_arena_array(w->arena, words + 1, sizeof *segments);
    for (size_t i = 0; segments && i < w->reading->line_count; i++) {
        const vl_line *line = &w->lines[i];
        for (size_t j = 0; j < line->word_count; j++) {
            if (j == 0 || is_wide_gap(line, &line->words[j - 1], &line->words[j]))
                segments[n++] = (segment){.line = i, .first = j};
            segment *s = &segments[n - 1];
            s->box = box_join(s->box, line->words[j].box);
            s->count++;
        }
    }
    *count = n;
    return segments;
}

static int by_middle(const void *a, const void *b) {
    const segment *x = a, *y = b;
    return (2 * x->box.y + x->box.height) - (2 * y->box.y + y->box.height);
}

static int by_row_and_x(const void *a, const void *b) {
    const segment *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->box.x - y->box.x;
}

/* Numbers the visual rows from the top; returns how many. Segments are sorted by row, then x.
 */
static size_t number_rows(segment *segments, size_t count) {
    qsort(segments, count, sizeof *segments, by_middle);
    size_t row = 0;
    vl_box band = {0};
    for (size_t i = 0; i < count; i++) {
        vl_box b = segments[i].box;
        int32_t shared = overlap(band.y, band.height, b.y, b.height);
        int32_t less = band.height < b.height ? band.height : b.height;
        if (i == 0 || shared * 2 < less) {
            row += i > 0;
            band = b;
        }
        segments[i].row = row;
    }
    qsort(segments, count, sizeof *segments, by_row_and_x);
    return count ? row + 1 : 0;
}

/* ---- tables --------------------------------------------------------------------------- */

typedef struct gutters { /* columns of a run of rows, as spans of x */
    int32_t x0[COLUMNS_MAX], x1[COLUMNS_MAX];
    size_t count;
} gutters;

/* Joins a segment into the columns: it widens the one it touches, joins those it bridges. */
static bool columns_add(gutters *g, vl_box box) {
    int32_t x0 = box.x, x1 = box.x + box.width;
    size_t kept = 0, at = 0;
    for (size_t i = 0; i < g->count; i++) {
        if (g->x1[i] < x0 || g->x0[i] > x1) {
            if (g->x1[i] < x0)
                at = kept + 1;
            g->x0[kept] = g->x0[i];
            g->x1[kept++] = g->x1[i];
            continue;
        }
        x0 = g->x0[i] < x0 ? g->x0[i] : x0;
        x1 = g->x1[i] > x1 ? g->x1[i] : x1;
    }
    if (kept == COLUMNS_MAX)
        return false;
    for (size_t i = kept; i > at; i--) {
        g->x0[i] = g->x0[i - 1];
        g->x1[i] = g->x1[i - 1];
    }
    g->x0[at] = x0;
    g->x1[at] = x1;
    g->count = kept + 1;
    return true;
}

static size_t column_of(const gutters *g, vl_box box) {
    int32_t middle = box.x + box.width / 2;
    for (size_t i = 0; i < g->count; i++)
        if (middle >= g->x0[i] && middle <= g->x1[i])
            return i;
    return 0;
}

/* Rows [first, last] as segments [from, to). */
typedef struct run {
    size_t from, to, rows;
    gutters columns;
} run;

static bool ends_with_colon(const work *w, const segment *s) {
    const char *text = w->lines[s->line].words[s->first + s->count - 1].text;
    size_t n = strlen(text);
    return n && text[n - 1] == ':';
}

/* Two columns of prose stand side by side as cells do; their lines fill the column, a table's
 * cells mostly do not. Forms ("label: value") stay lines. */
static bool is_table(const work *w, const segment *segments, const run *r) {
    if (r->rows < TABLE_ROWS_MIN || r->columns.count < 2)
        return false;
    size_t cells = r->to - r->from, full = 0, words = 0, labels = 0;
    for (size_t i = r->from; i < r->to; i++) {
        size_t column = column_of(&r->columns, segments[i].box);
        int32_t width = r->columns.x1[column] - r->columns.x0[column];
        full += segments[i].box.width * 10 > width * 9;
        words += segments[i].count;
        labels += ends_with_colon(w, &segments[i]);
    }
    if (labels * 2 >= r->rows && r->columns.count == 2)
        return false;
    double words_per_cell = (double)words / (double)cells;
    bool filled = (double)cells >= 0.6 * (double)(r->rows * r->columns.count);
    if (r->columns.count == 2)
        return filled && words_per_cell < 3.5 && full * 10 < cells * 6;
    return filled && words_per_cell < 5 && full * 10 < cells * 8;
}

static char *segment_text(const work *w, const segment *s) {
    vl_buf out;
    vl_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < s->count; i++) {
        vl_buf_puts(&out, i ? " " : "");
        vl_buf_puts(&out, w->lines[s->line].words[s->first + i].text);
    }
    char *text = out.failed ? NULL : vl_arena_strndup(w->arena, out.data, out.len);
    vl_buf_deinit(&out);
    return text;
}

/* One row of a table: its segments' words, in reading order, as one line. */
static bool table_line(work *w, const segment *segments, size_t from, size_t to,
                       vl_line *line) {
    size_t words = 0;
    for (size_t i = from; i < to; i++)
        words += segments[i].count;
    line->words = vl_arena_array(w->arena, words, sizeof *line->words);
    if (!line->words)
        return false;
    double sum = 0, letters = 0;
    for (size_t k = from; k < to; k++) {
        const segment *s = &segments[w->rtl ? to - 1 - (k - from) : k];
        const vl_line *source = &w->lines[s->line];
        for (size_t j = 0; j < s->count; j++) {
            const vl_word *word = &source->words[s->first + j];
            double length = (double)strlen(word->text);
            line->words[line->word_count++] = *word;
            line->box = box_join(line->box, word->box);
            sum += word->confidence * length;
            letters += length;
        }
        line->baseline_y0 = line->baseline_y1 = source->baseline_y0;
        line->x_height = source->x_height;
    }
    line->rtl = w->rtl;
    line->confidence = letters > 0 ? sum / letters : 0;
    return true;
}

static bool cell_add(work *w, vl_block *block, const segment *s, size_t row, size_t column) {
    char *text = segment_text(w, s);
    if (!text)
        return false;
    vl_cell *last = block->cell_count ? &block->cells[block->cell_count - 1] : NULL;
    if (last && last->row == row && last->column == column) {
        last->text = vl_arena_printf(w->arena, "%s %s", last->text, text);
        last->box = box_join(last->box, s->box);
        return last->text != NULL;
    }
    block->cells[block->cell_count++] = (vl_cell){row, column, s->box, text};
    return true;
}

static bool table_add(work *w, segment *segments, const run *r) {
    vl_block *block = block_add(w, VL_BLOCK_TABLE);
    if (!block)
        return false;
    block->row_count = r->rows;
    block->column_count = r->columns.count;
    block->lines = vl_arena_array(w->arena, r->rows, sizeof *block->lines);
    block->cells = vl_arena_array(w->arena, r->to - r->from, sizeof *block->cells);
    if (!block->lines || !block->cells)
        return false;
    for (size_t from = r->from, to = from; from < r->to; from = to) {
        while (to < r->to && segments[to].row == segments[from].row)
            to++;
        if (!table_line(w, segments, from, to, &block->lines[block->line_count]))
            return false;
        for (size_t k = from; k < to; k++) {
            const segment *s = &segments[w->rtl ? to - 1 - (k - from) : k];
            size_t column = column_of(&r->columns, s->box);
            if (w->rtl)
                column = r->columns.count - 1 - column;
            if (!cell_add(w, block, s, block->line_count, column))
                return false;
            w->taken[s->line] = true;
        }
        block->line_count++;
    }
    block_finish(block);
    return true;
}

/* The longest run of rows from segment `from` on that keeps at least two columns apart. */
static run grow_run(const segment *segments, size_t count, size_t from) {
    run r = {.from = from, .to = from};
    vl_box last = {0};
    for (size_t to = from; to < count;) {
        size_t end = to;
        gutters next = r.columns;
        vl_box box = {0};
        bool fits = true;
        for (; end < count && segments[end].row == segments[to].row; end++) {
            fits = fits && columns_add(&next, segments[end].box);
            box = box_join(box, segments[end].box);
        }
        bool near = r.rows == 0 || box.y - (last.y + last.height) < 3 * last.height;
        size_t least = r.columns.count > 2 ? r.columns.count - 1 : 2;
        if (!fits || !near || end - to < 2 || next.count < least)
            break;
        r.columns = next;
        r.rows++;
        r.to = to = end;
        last = box;
    }
    return r;
}

static bool find_tables(work *w) {
    size_t count = 0;
    segment *segments = cut_segments(w, &count);
    if (!segments)
        return false;
    number_rows(segments, count);
    for (size_t i = 0; i < count;) {
        run r = grow_run(segments, count, i);
        if (is_table(w, segments, &r)) {
            if (!table_add(w, segments, &r))
                return false;
            i = r.to;
            continue;
        }
        size_t row = segments[i].row;
        while (i < count && segments[i].row == row)
            i++;
    }
    return true;
}

/* ---- tables drawn with rules ------------------------------------------------------------ */

/* Words of one cell, in the order they were read: line by line inside the cell. */
typedef struct cell_words {
    vl_word *words;
    size_t count;
    const vl_line *line; /* the first word's */
} cell_words;

static size_t interval_of(const int32_t *edges, size_t intervals, int32_t at) {
    for (size_t i = 0; i < intervals; i++)
        if (at >= edges[i] && at < edges[i + 1])
            return i;
    return intervals;
}

/* The cell that a word's middle stands in; rows × columns: none. */
static size_t cell_of(const vl_grid *grid, vl_box word) {
    size_t row = interval_of(grid->y, grid->rows, word.y + word.height / 2);
    size_t column = interval_of(grid->x, grid->columns, word.x + word.width / 2);
    return row < grid->rows && column < grid->columns ? row * grid->columns + column
                                                      : grid->rows * grid->columns;
}

/* What is left of a word when the rules beside it, read as bars, are taken off; "": nothing.
 * NULL: arena full. */
static const char *without_bars(vl_arena *arena, const char *text) {
    text += strspn(text, "|");
    size_t length = strlen(text), whole = length;
    while (length && text[length - 1] == '|')
        length--;
    return length == whole ? text : vl_arena_strndup(arena, text, length);
}

typedef struct line_place {
    int32_t middle;
    size_t line;
} line_place;

static int by_place(const void *a, const void *b) {
    const line_place *x = a, *y = b;
    return x->middle != y->middle ? (x->middle > y->middle) - (x->middle < y->middle)
                                  : (x->line > y->line) - (x->line < y->line);
}

/* Lines from the top of the page, so that those of a cell stand in order. NULL: arena full. */
static line_place *from_the_top(const work *w) {
    size_t count = w->reading->line_count;
    line_place *places = vl_arena_array(w->arena, count + 1, sizeof *places);
    for (size_t i = 0; places && i < count; i++)
        places[i] = (line_place){2 * w->lines[i].box.y + w->lines[i].box.height, i};
    if (places)
        qsort(places, count, sizeof *places, by_place);
    return places;
}

/* Puts the line's words into their cells, which have room; the others stay in the line. */
static bool take_line(work *w, size_t index, const vl_grid *grid, cell_words *cells) {
    vl_line *line = &w->lines[index];
    size_t kept = 0, none = grid->rows * grid->columns;
    vl_box box = {0};
    for (size_t j = 0; j < line->word_count; j++) {
        vl_word word = line->words[j];
        size_t c = cell_of(grid, word.box);
        if (c == none) {
            line->words[kept++] = word;
            box = box_join(box, word.box);
            continue;
        }
        if (!(word.text = without_bars(w->arena, word.text)))
            return false;
        cells[c].line = cells[c].count ? cells[c].line : line;
        cells[c].words[cells[c].count] = word;
        cells[c].count += *word.text != 0;
    }
    if (kept < line->word_count) {
        line->word_count = kept;
        line->box = kept ? box : line->box;
        w->taken[index] = kept == 0;
    }
    return true;
}

/* Takes the words in the grid out of their lines; `counts` are how many each cell gets. */
static bool take_cells(work *w, const vl_grid *grid, const size_t *counts, cell_words *cells) {
    line_place *places = from_the_top(w);
    for (size_t c = 0; places && c < grid->rows * grid->columns; c++)
        if (!(cells[c].words = vl_arena_array(w->arena, counts[c] + 1, sizeof(vl_word))))
            return false;
    for (size_t i = 0; places && i < w->reading->line_count; i++)
        if (!w->taken[places[i].line] && !take_line(w, places[i].line, grid, cells))
            return false;
    return places != NULL;
}

static char *words_text(const work *w, const vl_word *words, size_t count) {
    vl_buf out;
    vl_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        vl_buf_puts(&out, i ? " " : "");
        vl_buf_puts(&out, words[i].text);
    }
    char *text = out.failed ? NULL : vl_arena_strndup(w->arena, out.data, out.len);
    vl_buf_deinit(&out);
    return text;
}

/* A row's words, cell after cell, and its cells. */
static bool grid_row(work *w, const vl_grid *grid, size_t row, const cell_words *cells,
                     vl_block *block) {
    vl_line *line = &block->lines[block->line_count];
    size_t words = 0;
    double sum = 0, letters = 0;
    for (size_t c = 0; c < grid->columns; c++)
        words += cells[row * grid->columns + c].count;
    line->words = vl_arena_array(w->arena, words + 1, sizeof *line->words);
    if (!line->words)
        return false;
    for (size_t k = 0; k < grid->columns; k++) {
        size_t column = w->rtl ? grid->columns - 1 - k : k;
        const cell_words *cell = &cells[row * grid->columns + column];
        if (!cell->count)
            continue;
        vl_box box = {0};
        for (size_t i = 0; i < cell->count; i++) {
            double length = (double)strlen(cell->words[i].text);
            line->words[line->word_count++] = cell->words[i];
            box = box_join(box, cell->words[i].box);
            sum += cell->words[i].confidence * length;
            letters += length;
        }
        line->box = box_join(line->box, box);
        line->baseline_y0 = line->baseline_y1 = cell->line->baseline_y0;
        line->x_height = cell->line->x_height;
        char *text = words_text(w, cell->words, cell->count);
        if (!text)
            return false;
        block->cells[block->cell_count++] = (vl_cell){row, k, box, text};
    }
    line->rtl = w->rtl;
    line->confidence = letters > 0 ? sum / letters : 0;
    block->line_count++;
    return true;
}

/* Counts the words of each cell, and the cells with any: a form's boxes and a frame's corners
 * have few. */
static size_t count_cells(const work *w, const vl_grid *grid, size_t *counts) {
    size_t none = grid->rows * grid->columns, filled = 0;
    for (size_t i = 0; i < w->reading->line_count; i++)
        for (size_t j = 0; !w->taken[i] && j < w->lines[i].word_count; j++) {
            size_t c = cell_of(grid, w->lines[i].words[j].box);
            if (c < none)
                filled += counts[c]++ == 0;
        }
    return filled;
}

static bool add_grids(work *w) {
    vl_grid *grids = NULL;
    size_t count = 0;
    if (!w->reading->line_count)
        return true;
    if (!vl_ocr_find_grids(w->picture, w->arena, &grids, &count))
        return false;
    for (size_t g = 0; g < count; g++) {
        const vl_grid *grid = &grids[g];
        size_t all = grid->rows * grid->columns;
        cell_words *cells = vl_arena_array(w->arena, all, sizeof *cells);
        size_t *counts = vl_arena_array(w->arena, all, sizeof *counts);
        if (!cells || !counts)
            return false;
        size_t filled = count_cells(w, grid, counts);
        if (filled < 4 || filled * 3 < all)
            continue;
        vl_block *block = block_add(w, VL_BLOCK_TABLE);
        if (!block || !take_cells(w, grid, counts, cells))
            return false;
        block->row_count = grid->rows;
        block->column_count = grid->columns;
        block->lines = vl_arena_array(w->arena, grid->rows, sizeof *block->lines);
        block->cells = vl_arena_array(w->arena, all, sizeof *block->cells);
        if (!block->lines || !block->cells)
            return false;
        for (size_t row = 0; row < grid->rows; row++)
            if (!grid_row(w, grid, row, cells, block))
                return false;
        block_finish(block);
    }
    return true;
}

/* ---- paragraphs and titles ------------------------------------------------------------ */

static bool same_size(const vl_line *a, const vl_line *b) {
    if (a->x_height <= 0 || b->x_height <= 0)
        return true;
    double ratio = a->x_height / b->x_height;
    return ratio < 1.3 && ratio > 1 / 1.3;
}

static bool add_paragraphs(work *w) {
    const vl_engine_line *from = w->reading->lines;
    size_t count = w->reading->line_count;
    for (size_t i = 0; i < count;) {
        if (w->taken[i]) {
            i++;
            continue;
        }
        size_t end = i + 1;
        while (end < count && !w->taken[end] && from[end].block == from[i].block &&
               from[end].paragraph == from[i].paragraph &&
               same_size(&w->lines[end - 1], &w->lines[end]))
            end++;
        vl_block *block = block_add(w, VL_BLOCK_PARAGRAPH);
        if (!block)
            return false;
        block->lines = &w->lines[i];
        block->line_count = end - i;
        block_finish(block);
        i = end;
    }
    return true;
}

static bool ends_sentence(const vl_block *block) {
    const vl_line *line = &block->lines[block->line_count - 1];
    const char *text = line->words[line->word_count - 1].text;
    size_t n = strlen(text);
    return n && strchr(".,;:", text[n - 1]) != NULL;
}

/* Large; or, at the top, short and centred over a body of longer lines. */
static bool is_title(const work *w, const vl_block *block, const vl_block *top,
                     vl_box text_box) {
    if (block->kind != VL_BLOCK_PARAGRAPH || block->line_count > TITLE_LINES_MAX ||
        w->reading->line_count < 3)
        return false;
    double size = 0;
    size_t letters = 0;
    for (size_t i = 0; i < block->line_count; i++) {
        size += block->lines[i].x_height / (double)block->line_count;
        for (size_t j = 0; j < block->lines[i].word_count; j++)
            letters += strlen(block->lines[i].words[j].text);
    }
    if (letters < 3)
        return false;
    if (w->x_height > 0 && size >= TITLE_SIZE * w->x_height)
        return true;
    int32_t left = block->box.x - text_box.x;
    int32_t right = text_box.x + text_box.width - (block->box.x + block->box.width);
    bool centred = abs(left - right) < text_box.width / 10 && left > text_box.width / 12;
    return block == top && centred && block->box.width * 10 < text_box.width * 7 &&
           !ends_sentence(block);
}

static void mark_titles(work *w) {
    vl_page *page = w->page;
    vl_box text_box = {0};
    const vl_block *top = NULL;
    for (size_t i = 0; i < page->block_count; i++) {
        const vl_block *block = &page->blocks[i];
        text_box = box_join(text_box, block->box);
        if (!top || block->box.y < top->box.y)
            top = block;
    }
    for (size_t i = 0; i < page->block_count; i++)
        if (is_title(w, &page->blocks[i], top, text_box))
            page->blocks[i].kind = VL_BLOCK_TITLE;
}

static bool add_figures(work *w) {
    double page_area = (double)w->page->width * w->page->height;
    for (size_t i = 0; i < w->reading->figure_count; i++) {
        vl_box box = vl_ocr_picture_box(w->picture, w->reading->figures[i]);
        /* Specks and the frame around the whole page are no figures. */
        double area = (double)box.width * box.height;
        if (area < page_area * 0.005 || area > page_area * 0.95)
            continue;
        vl_block *block = block_add(w, VL_BLOCK_FIGURE);
        if (!block)
            return false;
        block->box = box;
    }
    return true;
}

/* ---- reading order -------------------------------------------------------------------- */

static bool shares_columns(vl_box a, vl_box b) {
    int32_t less = a.width < b.width ? a.width : b.width;
    return overlap(a.x, a.width, b.x, b.width) * 10 > less;
}

/* True when `p` and `q`, apart both ways, stand in columns beside each other: something in the
 * column of one lies beside the other. A short title over a date at the margin has none. */
static bool in_columns(const vl_page *page, vl_box p, vl_box q) {
    if (overlap(p.y, p.height, q.y, q.height) > 0)
        return true;
    for (size_t c = 0; c < page->block_count; c++) {
        vl_box r = page->blocks[c].box;
        bool with_p = shares_columns(r, p), with_q = shares_columns(r, q);
        if (with_p != with_q &&
            overlap(r.y, r.height, with_p ? q.y : p.y, with_p ? q.height : p.height) > 0)
            return true;
    }
    return false;
}

static bool comes_before(const work *w, size_t a, size_t b) {
    const vl_block *blocks = w->page->blocks;
    vl_box p = blocks[a].box, q = blocks[b].box;
    int32_t p_middle = 2 * p.y + p.height, q_middle = 2 * q.y + q.height;
    if (shares_columns(p, q) || !in_columns(w->page, p, q))
        return p_middle < q_middle;
    bool first = w->rtl ? p.x > q.x : p.x < q.x;
    if (!first)
        return false;
    for (size_t c = 0; c < w->page->block_count; c++) {
        vl_box r = blocks[c].box;
        int32_t middle = 2 * r.y + r.height;
        bool between = (middle > p_middle && middle < q_middle) ||
                       (middle < p_middle && middle > q_middle);
        if (c != a && c != b && between && shares_columns(r, p) && shares_columns(r, q))
            return p_middle < q_middle;
    }
    return true;
}

/* Takes, again and again, the first block in the engine's order that nothing left precedes. */
static bool order_blocks(work *w) {
    size_t count = w->page->block_count, done = 0;
    if (count < 2 || count > ORDER_MAX)
        return true;
    vl_block *ordered = vl_arena_array(w->arena, count, sizeof *ordered);
    bool *used = vl_arena_array(w->arena, count, sizeof *used);
    uint16_t *waits = vl_arena_array(w->arena, count, sizeof *waits);
    uint8_t *before = vl_arena_array(w->arena, count * count, sizeof *before);
    if (!ordered || !used || !waits || !before)
        return false;
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < count; b++)
            if (a != b && comes_before(w, a, b)) {
                before[a * count + b] = 1;
                waits[b]++;
            }
    while (done < count) {
        size_t best = count;
        for (size_t i = 0; i < count; i++)
            if (!used[i] && (best == count || waits[i] < waits[best]))
                best = i;
        used[best] = true;
        ordered[done++] = w->page->blocks[best];
        for (size_t b = 0; b < count; b++)
            waits[b] = (uint16_t)(waits[b] - before[best * count + b]);
    }
    memcpy(w->page->blocks, ordered, count * sizeof *ordered);
    return true;
}

static double mean_confidence(const vl_page *page) {
    double sum = 0, letters = 0;
    for (size_t i = 0; i < page->block_count; i++)
        for (size_t j = 0; j < page->blocks[i].line_count; j++)
            for (size_t k = 0; k < page->blocks[i].lines[j].word_count; k++) {
                const vl_word *word = &page->blocks[i].lines[j].words[k];
                double length = (double)strlen(word->text);
                sum += word->confidence * length;
                letters += length;
            }
    return letters > 0 ? sum / letters : 0;
}

vl_status vl_ocr_layout(const vl_ocr_picture *picture, const vl_engine_reading *reading,
                        vl_arena *arena, vl_page *page, vl_error *error) {
    work w = {.picture = picture, .reading = reading, .arena = arena, .page = page};
    if (!take_lines(&w) || !add_grids(&w) || !find_tables(&w) || !add_paragraphs(&w))
        return vl_fail(error, VL_ERR_MEMORY, "the page holds more text than its limit");
    mark_titles(&w);
    bool fits = add_figures(&w);
    if (fits)
        vl_ocr_take_captions(arena, page, w.x_height);
    if (!fits || !order_blocks(&w))
        return vl_fail(error, VL_ERR_MEMORY, "the page holds more text than its limit");
    page->confidence = mean_confidence(page);
    return VL_OK;
}
