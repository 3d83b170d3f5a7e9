/* tables.c — tables of a page: cells between drawn rules, and cells that stand in columns.
 *
 * Rows run across the engine's blocks, since engines split a table into columns.
 *
 *   layout_add_grids    tables drawn with rules: words by the cell they stand in
 *   cut_segments, …     lines → segments (apart by wide gaps) → visual rows
 *   layout_find_tables  runs of rows whose segments stand in the same columns */
#include "ocr/box.h"
#include "ocr/layout_work.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_ROWS_MIN = 3, COLUMNS_MAX = 24 };

typedef struct segment {
    size_t line, first, count; /* words of a line */
    vl_box box;
    uint64_t zone; /* of columns of text: no row reaches over two */
    size_t row, column;
} segment;

/* ---- segments and rows ---------------------------------------------------------------- */

/* A gap that separates cells, not words. */
static bool is_wide_gap(const vl_line *line, const vl_word *a, const vl_word *b) {
    int32_t gap = a->box.x < b->box.x ? b->box.x - (a->box.x + a->box.width)
                                      : a->box.x - (b->box.x + b->box.width);
    double height = line->x_height > 0 ? line->x_height * 1.9 : line->box.height;
    height = height < line->box.height ? height : line->box.height;
    return gap > height * 1.3;
}

static segment *cut_segments(layout_work *w, size_t *count) {
    size_t words = 0, n = 0;
    for (size_t i = 0; i < w->reading->line_count; i++)
        words += w->lines[i].word_count;
    segment *segments = vl_arena_array(w->arena, words + 1, sizeof *segments);
    for (size_t i = 0; segments && i < w->reading->line_count; i++) {
        const vl_line *line = &w->lines[i];
        for (size_t j = 0; j < line->word_count; j++) {
            if (j == 0 || is_wide_gap(line, &line->words[j - 1], &line->words[j]))
                segments[n++] =
                    (segment){.line = i, .first = j, .zone = layout_zone(w, line->box)};
            segment *s = &segments[n - 1];
            s->box = layout_box_join(s->box, line->words[j].box);
            s->count++;
        }
    }
    *count = n;
    return segments;
}

static int by_middle(const void *a, const void *b) {
    const segment *x = a, *y = b;
    if (x->zone != y->zone)
        return x->zone < y->zone ? -1 : 1;
    return (2 * x->box.y + x->box.height) - (2 * y->box.y + y->box.height);
}

static int by_row_and_x(const void *a, const void *b) {
    const segment *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->box.x - y->box.x;
}

/* Numbers the visual rows of each zone from the top; returns how many. Segments are sorted by
 * row, then x.
 */
static size_t number_rows(segment *segments, size_t count) {
    qsort(segments, count, sizeof *segments, by_middle);
    size_t row = 0;
    vl_box band = {0};
    for (size_t i = 0; i < count; i++) {
        vl_box b = segments[i].box;
        int32_t shared = layout_overlap(band.y, band.height, b.y, b.height);
        int32_t less = band.height < b.height ? band.height : b.height;
        if (i == 0 || shared * 2 < less || segments[i].zone != segments[i - 1].zone) {
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

static bool ends_with_colon(const layout_work *w, const segment *s) {
    const char *text = w->lines[s->line].words[s->first + s->count - 1].text;
    size_t n = strlen(text);
    return n && text[n - 1] == ':';
}

/* "(a)", "12.", "VIII.", "•": what items of a list begin with. */
static bool is_enumerator(const char *word) {
    static const char *const bullets[] = {"-", "–", "—", "•", "●", "○", "▪", "■", "*", "·"};
    enum { ENUMERATOR_MAX = 7 };
    size_t n = strlen(word), inner = strcspn(word, ".)");
    for (size_t i = 0; i < sizeof bullets / sizeof *bullets; i++)
        if (strcmp(word, bullets[i]) == 0)
            return true;
    return n >= 2 && n <= ENUMERATOR_MAX && inner == n - 1;
}

static const char *first_word(const layout_work *w, const segment *s) {
    return w->lines[s->line].words[s->first].text;
}

/* Whether a word is a run of dots, whatever it was read as. */
static bool is_dots(const layout_work *w, vl_box word) {
    enum { DOTS_MIN = 4 };
    const vl_ocr_survey *survey = &w->picture->survey;
    size_t dots = 0, marks = 0;
    for (size_t i = 0; i < survey->mark_count; i++) {
        vl_box m = survey->marks[i];
        if (m.y > word.y + word.height)
            break; /* marks come from the top */
        if (!box_lies_in(m, word))
            continue;
        marks++;
        dots += m.width < survey->letter_height * 0.4 && m.height < survey->letter_height * 0.4;
    }
    return dots >= DOTS_MIN && dots * 10 >= marks * 7;
}

/* Dots that lead the eye to a page number. */
static bool has_leader(const layout_work *w, const segment *s) {
    for (size_t i = 0; i < s->count; i++) {
        const vl_word *word = &w->lines[s->line].words[s->first + i];
        if (strstr(word->text, "...") || strstr(word->text, "…") ||
            strspn(word->text, ".") > 1 || is_dots(w, word->box))
            return true;
    }
    return false;
}

/* Rows that begin as items of a list do, and those with leaders. */
static void count_items(const layout_work *w, const segment *segments, const run *r,
                        size_t *items, size_t *leaders) {
    size_t last_leader = SIZE_MAX;
    *items = *leaders = 0;
    for (size_t i = r->from; i < r->to; i++) {
        bool begins = w->rtl ? i + 1 == r->to || segments[i + 1].row != segments[i].row
                             : i == r->from || segments[i - 1].row != segments[i].row;
        *items += begins && is_enumerator(first_word(w, &segments[i]));
        if (segments[i].row != last_leader && has_leader(w, &segments[i])) {
            last_leader = segments[i].row;
            ++*leaders;
        }
    }
}

/* Rows with two cells that were read: an emblem's strokes beside a line of text are none. */
static size_t count_sure(const layout_work *w, const segment *segments, const run *r) {
    static const double SURE = 0.4;
    size_t rows = 0, sure = 0;
    for (size_t i = r->from; i < r->to; i++) {
        const segment *s = &segments[i];
        double sum = 0;
        for (size_t j = 0; j < s->count; j++)
            sum += w->lines[s->line].words[s->first + j].confidence;
        sure = i == r->from || s->row != segments[i - 1].row ? 0 : sure;
        bool read = sum >= SURE * (double)s->count;
        sure += read;
        rows += read && sure == 2;
    }
    return rows;
}

/* Two columns of prose stand side by side as cells do; their lines fill the column, a table's
 * cells mostly do not. Forms ("label: value"), lists and contents with page numbers stay lines.
 */
static bool is_table(const layout_work *w, const segment *segments, const run *r) {
    if (r->rows < TABLE_ROWS_MIN || r->columns.count < 2 ||
        count_sure(w, segments, r) < TABLE_ROWS_MIN)
        return false;
    size_t cells = r->to - r->from, full = 0, words = 0, labels = 0, items, leaders;
    for (size_t i = r->from; i < r->to; i++) {
        size_t column = column_of(&r->columns, segments[i].box);
        int32_t width = r->columns.x1[column] - r->columns.x0[column];
        full += segments[i].box.width * 10 > width * 9;
        words += segments[i].count;
        labels += ends_with_colon(w, &segments[i]);
    }
    count_items(w, segments, r, &items, &leaders);
    if (r->columns.count == 2 && (labels * 2 >= r->rows || items * 2 >= r->rows))
        return false;
    if (leaders * 3 >= r->rows)
        return false;
    double words_per_cell = (double)words / (double)cells;
    bool filled = (double)cells >= 0.6 * (double)(r->rows * r->columns.count);
    if (r->columns.count == 2)
        return filled && words_per_cell < 3.5 && full * 10 < cells * 6;
    return filled && words_per_cell < 5 && full * 10 < cells * 8;
}

static char *segment_text(const layout_work *w, const segment *s) {
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
static bool table_line(layout_work *w, const segment *segments, size_t from, size_t to,
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
            line->box = layout_box_join(line->box, word->box);
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

static bool cell_add(layout_work *w, vl_block *block, const segment *s, size_t row,
                     size_t column) {
    char *text = segment_text(w, s);
    if (!text)
        return false;
    vl_cell *last = block->cell_count ? &block->cells[block->cell_count - 1] : NULL;
    if (last && last->row == row && last->column == column) {
        last->text = vl_arena_printf(w->arena, "%s %s", last->text, text);
        last->box = layout_box_join(last->box, s->box);
        return last->text != NULL;
    }
    block->cells[block->cell_count++] = (vl_cell){row, column, s->box, text, 1, 1};
    return true;
}

static bool table_add(layout_work *w, segment *segments, const run *r) {
    vl_block *block = layout_block_add(w, VL_BLOCK_TABLE);
    if (!block)
        return false;
    block->column_count = r->columns.count;
    block->lines = vl_arena_array(w->arena, r->to - r->from, sizeof *block->lines);
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
    block->row_count = block->line_count;
    layout_block_finish(block);
    return true;
}

/* The end of the visual row that begins at `from`, and its box. */
static size_t row_end(const segment *segments, size_t count, size_t from, vl_box *box) {
    size_t end = from;
    *box = (vl_box){0};
    for (; end < count && segments[end].row == segments[from].row; end++)
        *box = layout_box_join(*box, segments[end].box);
    return end;
}

/* Whether the segment stands in one column of the run and joins none: the rest of a cell that
 * goes on over lines, or the only cell of its row. */
static bool is_single(const run *r, const segment *s) {
    gutters next = r->columns;
    size_t touched = 0;
    for (size_t i = 0; i < r->columns.count; i++)
        touched += s->box.x <= r->columns.x1[i] && s->box.x + s->box.width >= r->columns.x0[i];
    return touched == 1 && columns_add(&next, s->box) && next.count == r->columns.count;
}

/* The longest run of rows from segment `from` on that keeps at least two columns apart. Up to
 * two lines of one cell may stand between rows of more. */
static run grow_run(const segment *segments, size_t count, size_t from) {
    enum { SINGLES_MAX = 2 };
    run r = {.from = from, .to = from};
    vl_box last = {0};
    size_t singles = 0;
    for (size_t to = from; to < count;) {
        vl_box box;
        size_t end = row_end(segments, count, to, &box);
        gutters next = r.columns;
        bool fits = true;
        for (size_t i = to; i < end; i++)
            fits = fits && columns_add(&next, segments[i].box);
        bool near = r.rows == 0 || (box.y - (last.y + last.height) < 3 * last.height &&
                                    segments[to].zone == segments[from].zone);
        size_t least = r.columns.count > 2 ? r.columns.count - 1 : 2;
        bool single = end - to == 1 && r.rows && is_single(&r, &segments[to]);
        if (!fits || !near || (single ? ++singles > SINGLES_MAX : end - to < 2) ||
            next.count < least)
            break;
        to = end;
        last = box;
        if (single)
            continue;
        r.columns = next;
        r.rows++;
        r.to = end;
        singles = 0;
    }
    return r;
}

/* ---- rows of several lines ---- */

static int by_row_column_y(const void *a, const void *b) {
    const segment *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return x->box.y - y->box.y;
}

static int by_row_column_up(const void *a, const void *b) {
    const segment *x = a, *y = b;
    return x->row == y->row && x->column == y->column ? y->box.y - x->box.y
                                                      : by_row_column_y(a, b);
}

/* A line of one cell goes to the row that it stands clearly closer to. Rows are numbered anew;
 * segments are sorted by row, column and place (the rows of right-to-left pages are read
 * backwards). */
static void join_wrapped(segment *segments, const run *r, bool rtl) {
    for (size_t from = r->from, to; from < r->to; from = to) {
        vl_box box, before = {0}, after = {0};
        to = row_end(segments, r->to, from, &box);
        if (to - from > 1 || from == r->from)
            continue;
        size_t previous = segments[from - 1].row;
        for (size_t i = from; i-- > r->from && segments[i].row == previous;)
            before = layout_box_join(before, segments[i].box);
        if (to < r->to)
            row_end(segments, r->to, to, &after);
        int32_t above = box.y - (before.y + before.height);
        int32_t below = to < r->to ? after.y - (box.y + box.height) : INT32_MAX / 4;
        if (above * 4 <= below * 3)
            segments[from].row = previous;
        else if (below * 4 <= above * 3)
            segments[from].row = segments[to].row;
    }
    for (size_t i = r->from; i < r->to; i++)
        segments[i].column = column_of(&r->columns, segments[i].box);
    qsort(segments + r->from, r->to - r->from, sizeof *segments,
          rtl ? by_row_column_up : by_row_column_y);
}

bool layout_find_tables(layout_work *w) {
    size_t count = 0;
    segment *segments = cut_segments(w, &count);
    if (!segments)
        return false;
    number_rows(segments, count);
    for (size_t i = 0; i < count;) {
        run r = grow_run(segments, count, i);
        if (is_table(w, segments, &r)) {
            join_wrapped(segments, &r, w->rtl);
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
    return row < grid->rows && column < grid->columns
               ? grid->owner[row * grid->columns + column]
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
static line_place *from_the_top(const layout_work *w) {
    size_t count = w->reading->line_count;
    line_place *places = vl_arena_array(w->arena, count + 1, sizeof *places);
    for (size_t i = 0; places && i < count; i++)
        places[i] = (line_place){2 * w->lines[i].box.y + w->lines[i].box.height, i};
    if (places)
        qsort(places, count, sizeof *places, by_place);
    return places;
}

/* Puts the line's words into their cells, which have room; the others stay in the line. */
static bool take_line(layout_work *w, size_t index, const vl_grid *grid, cell_words *cells) {
    vl_line *line = &w->lines[index];
    size_t kept = 0, none = grid->rows * grid->columns;
    vl_box box = {0};
    for (size_t j = 0; j < line->word_count; j++) {
        vl_word word = line->words[j];
        size_t c = cell_of(grid, word.box);
        if (c == none) {
            line->words[kept++] = word;
            box = layout_box_join(box, word.box);
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
static bool take_cells(layout_work *w, const vl_grid *grid, const size_t *counts,
                       cell_words *cells) {
    line_place *places = from_the_top(w);
    for (size_t c = 0; places && c < grid->rows * grid->columns; c++)
        if (!(cells[c].words = vl_arena_array(w->arena, counts[c] + 1, sizeof(vl_word))))
            return false;
    for (size_t i = 0; places && i < w->reading->line_count; i++)
        if (!w->taken[places[i].line] && !take_line(w, places[i].line, grid, cells))
            return false;
    return places != NULL;
}

static char *words_text(const layout_work *w, const vl_word *words, size_t count) {
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

/* How many columns, or rows, the cell covers that begins here. */
static size_t span_of(const vl_grid *grid, size_t row, size_t column, bool across) {
    size_t first = row * grid->columns + column, step = across ? 1 : grid->columns;
    size_t left = across ? grid->columns - column : grid->rows - row, span = 1;
    while (span < left && grid->owner[first + span * step] == first)
        span++;
    return span;
}

/* A row's words, cell after cell, and its cells. */
static bool grid_row(layout_work *w, const vl_grid *grid, size_t row, const cell_words *cells,
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
            box = layout_box_join(box, cell->words[i].box);
            sum += cell->words[i].confidence * length;
            letters += length;
        }
        line->box = layout_box_join(line->box, box);
        line->baseline_y0 = line->baseline_y1 = cell->line->baseline_y0;
        line->x_height = cell->line->x_height;
        char *text = words_text(w, cell->words, cell->count);
        if (!text)
            return false;
        size_t across = span_of(grid, row, column, true);
        block->cells[block->cell_count++] =
            (vl_cell){row,  w->rtl ? k + 1 - across : k,       box,
                      text, span_of(grid, row, column, false), across};
    }
    line->rtl = w->rtl;
    line->confidence = letters > 0 ? sum / letters : 0;
    block->line_count++;
    return true;
}

/* Counts the words of each cell, and the cells with any: a form's boxes and a frame's corners
 * have few. */
static size_t count_cells(const layout_work *w, const vl_grid *grid, size_t *counts) {
    size_t none = grid->rows * grid->columns, filled = 0;
    for (size_t i = 0; i < w->reading->line_count; i++)
        for (size_t j = 0; !w->taken[i] && j < w->lines[i].word_count; j++) {
            size_t c = cell_of(grid, w->lines[i].words[j].box);
            if (c < none)
                filled += counts[c]++ == 0;
        }
    return filled;
}

bool layout_add_grids(layout_work *w) {
    vl_grid *grids = NULL;
    size_t count = 0;
    if (!w->reading->line_count)
        return true;
    if (!vl_ocr_find_grids(w->picture, w->arena, &grids, &count))
        return false;
    for (size_t g = 0; g < count; g++) {
        vl_grid *grid = &grids[g];
        if (!layout_split_rows(w, grid))
            return false;
        size_t all = grid->rows * grid->columns;
        cell_words *cells = vl_arena_array(w->arena, all, sizeof *cells);
        size_t *counts = vl_arena_array(w->arena, all, sizeof *counts);
        if (!cells || !counts)
            return false;
        size_t filled = count_cells(w, grid, counts);
        size_t own = 0;
        for (size_t c = 0; c < all; c++)
            own += grid->owner[c] == c;
        if (filled < 4 || filled * 3 < own)
            continue;
        vl_block *block = layout_block_add(w, VL_BLOCK_TABLE);
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
        layout_block_finish(block);
    }
    return true;
}
