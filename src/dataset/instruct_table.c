/* instruct_table.c — questions that a table answers: what a cell says, which row has the most
 * or the least, how many rows there are, totals that it states, statements that are true or
 * false, and how values went from one year to another.
 *
 * Nothing is reckoned but which number is larger, and that only where the table can be read in
 * one way (grid.h). */
#include "dataset/instruct_make.h"

#include "dataset/grid.h"

#include <math.h>
#include <string.h>

enum {
    NAME_BYTES = 160, /* of a row or column that is quoted */
    CELL_BYTES = 240,
    TRIES = 12,
    CELLS_MOST = 6,
    CHECKS_MOST = 4,
    OF_TOPIC_MOST = 2,
    EXTREME_ROWS = 3, /* fewer need no asking */
};

/* ---- the grid --------------------------------------------------------------------------- */

/* "Total" and its like, in the table's language and in English. */
static bool is_total(const char *name, const void *user) {
    const candidates *c = user;
    const phrase_language *languages[] = {c->language, phrases_find(c->phrases, "eng")};
    const char *folded = vl_text_casefold(c->arena, name);
    for (size_t i = 0; folded && i < 2; i++)
        for (size_t t = 0; languages[i] && t < languages[i]->total_count; t++) {
            const char *word = vl_text_casefold(c->arena, languages[i]->totals[t]);
            const char *at = word ? strstr(folded, word) : NULL;
            bool begins = at && (at == folded || at[-1] == ' ' || at[-1] == '(');
            char after = at ? at[strlen(word)] : 'a';
            if (begins && (!after || strchr(" :,().-", after)))
                return true;
        }
    return false;
}

bool candidates_grid(candidates *c, const vl_part *table, grid *out) {
    bool made = false;
    int mark = c->language && c->language->decimal == '.'   ? DECIMAL_POINT
               : c->language && c->language->decimal == ',' ? DECIMAL_COMMA
                                                            : GRID_NONE;
    c->no_memory |= grid_make(table, is_total, c, mark, c->arena, out, &made, NULL) != VL_OK;
    return made;
}

bool cells_differ(const char *a, const char *b) {
    table_number x, y;
    if (!strcmp(a, b) || table_is_missing(a) || table_is_missing(b))
        return false;
    bool numbers = table_number_read(a, &x), other = table_number_read(b, &y);
    if (numbers != other)
        return false;
    for (int i = 0; numbers && i < DECIMAL_MARK_COUNT; i++)
        for (int j = 0; j < DECIMAL_MARK_COUNT; j++)
            if (x.reads[i] && y.reads[j] && fabs(x.value[i] - y.value[j]) <= 0)
                return false;
    return true;
}

/* ---- cells ------------------------------------------------------------------------------ */

static bool fits(const char *name) {
    return *name && strlen(name) <= NAME_BYTES && !strpbrk(name, "\n\t");
}

/* A cell that its row's and column's names mean. */
static bool can_ask(const grid *g, size_t row, size_t column) {
    const char *text = grid_cell(g, row, column);
    return fits(g->names[row]) && fits(g->heads[column].name) && !table_is_missing(text) &&
           strlen(text) <= CELL_BYTES && !strpbrk(text, "\n\t");
}

static bool draw_cell(candidates *c, const grid *g, size_t *row, size_t *column) {
    *row = vl_random_below(&c->random, g->rows);
    *column = 1 + vl_random_below(&c->random, g->columns - 1);
    return can_ask(g, *row, *column);
}

static candidate of_cell(const candidates *c, const grid *g, phrase_topic topic, size_t row,
                         size_t column) {
    candidate item = candidate_of(c, topic, grid_cell(g, row, column));
    const table_number *number = grid_number(g, row, column);
    item.values.values[PHRASE_ROW] = g->names[row];
    item.values.values[PHRASE_COLUMN] = g->heads[column].name;
    item.neutral = number->reads[0] || number->reads[1];
    return item;
}

static bool has_cell(const candidates *c, const candidate *item) {
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].topic == item->topic &&
            c->items[i].values.values[PHRASE_ROW] == item->values.values[PHRASE_ROW] &&
            c->items[i].values.values[PHRASE_COLUMN] == item->values.values[PHRASE_COLUMN])
            return true;
    return false;
}

static void cells(candidates *c, const grid *g) {
    size_t row, column, made = 0;
    for (int i = 0; i < TRIES && made < CELLS_MOST; i++) {
        if (!draw_cell(c, g, &row, &column))
            continue;
        candidate item = of_cell(c, g, PHRASE_CELL, row, column);
        if (has_cell(c, &item))
            continue;
        candidates_add(c, &item);
        made++;
    }
}

/* ---- statements ------------------------------------------------------------------------- */

/* The value of another row of the column, which is certainly not that of this one. NULL: none.
 */
static const char *other_value(candidates *c, const grid *g, size_t row, size_t column) {
    for (int i = 0; i < TRIES; i++) {
        size_t other = vl_random_below(&c->random, g->rows);
        const char *text = grid_cell(g, other, column);
        if (cells_differ(text, grid_cell(g, row, column)) && strlen(text) <= CELL_BYTES &&
            !strpbrk(text, "\n\t"))
            return text;
    }
    return NULL;
}

/* Only cells that could be asked about either way are, for a table that has few values to be
 * wrong about would else answer yes to most; which way comes first is drawn, then they take
 * turns. */
static void checks(candidates *c, const grid *g) {
    size_t row, column, made = 0;
    bool truth = vl_random_below(&c->random, 2);
    for (int i = 0; i < TRIES && made < CHECKS_MOST; i++) {
        if (!draw_cell(c, g, &row, &column))
            continue;
        candidate item = of_cell(c, g, PHRASE_CHECK, row, column);
        const char *other = other_value(c, g, row, column);
        if (!other || has_cell(c, &item))
            continue;
        item.values.values[PHRASE_VALUE] = truth ? item.text : other;
        item.reply = truth ? REPLY_YES : REPLY_NO;
        item.neutral = true;
        candidates_add(c, &item);
        truth = !truth;
        made++;
    }
}

/* ---- columns ---------------------------------------------------------------------------- */

static size_t count_numbers(const grid *g, size_t column) {
    size_t count = 0;
    for (size_t r = 0; r < g->rows; r++) {
        const table_number *n = grid_number(g, r, column);
        count += n->reads[0] || n->reads[1];
    }
    return count;
}

/* A table that states totals is not asked: its total would be the largest. */
static void extremes(candidates *c, const grid *g) {
    size_t made = 0;
    size_t from = vl_random_below(&c->random, g->columns);
    for (size_t i = 0; i < g->columns && made < OF_TOPIC_MOST && !g->has_totals; i++) {
        size_t column = (from + i) % g->columns;
        if (!column || !fits(g->heads[column].name) || !g->heads[column].numeric ||
            count_numbers(g, column) < EXTREME_ROWS || !g->plain)
            continue;
        for (int largest = 0; largest < 2; largest++) {
            int row = grid_extreme(g, column, largest);
            if (row == GRID_NONE || !fits(g->names[row]))
                continue;
            candidate item =
                candidate_of(c, largest ? PHRASE_LARGEST : PHRASE_SMALLEST, g->names[row]);
            item.values.values[PHRASE_COLUMN] = g->heads[column].name;
            candidates_add(c, &item);
        }
        made++;
    }
}

static void totals(candidates *c, const grid *g) {
    size_t row = 0, rows = 0, made = 0;
    for (size_t r = 0; r < g->rows; r++)
        if (g->totals[r]) {
            row = r;
            rows++;
        }
    size_t from = vl_random_below(&c->random, g->columns);
    for (size_t i = 0; rows == 1 && i < g->columns && made < OF_TOPIC_MOST; i++) {
        size_t column = (from + i) % g->columns;
        if (!column || !g->heads[column].numeric || !can_ask(g, row, column))
            continue;
        candidate item = of_cell(c, g, PHRASE_TOTAL, row, column);
        candidates_add(c, &item);
        made++;
    }
}

static void rows(candidates *c, const grid *g) {
    candidate item = candidate_of(c, PHRASE_ROWS, NULL);
    if (!g->plain || g->rows < 2)
        return;
    item.reply = REPLY_ROWS;
    item.count = g->rows;
    item.neutral = true;
    item.zero = '0';
    for (size_t i = 0; i < g->rows * g->columns; i++)
        if (g->numbers[i].reads[0] || g->numbers[i].reads[1]) {
            item.zero = (UChar32)g->numbers[i].zero;
            break;
        }
    candidates_add(c, &item);
}

/* ---- years ------------------------------------------------------------------------------ */

static bool is_value(const grid *g, size_t row, size_t column) {
    const table_number *n = grid_number(g, row, column);
    return (n->reads[0] || n->reads[1]) && can_ask(g, row, column);
}

static void years(candidates *c, const grid *g) {
    bool rtl = c->language ? c->language->rtl : vl_text_is_rtl(g->cells[0]);
    size_t made = 0;
    for (int i = 0; i < TRIES && made < OF_TOPIC_MOST; i++) {
        size_t row = vl_random_below(&c->random, g->rows);
        size_t from = 1 + vl_random_below(&c->random, g->columns - 1);
        size_t to = 1 + vl_random_below(&c->random, g->columns - 1);
        if (!g->heads[from].year || g->heads[from].year >= g->heads[to].year ||
            !is_value(g, row, from) || !is_value(g, row, to))
            continue;
        const char *text = candidates_print(c, "%s %s %s", grid_cell(g, row, from),
                                            rtl ? "←" : "→", grid_cell(g, row, to));
        if (!text)
            continue;
        candidate item = candidate_of(c, PHRASE_CHANGE_YEARS, text);
        item.values.values[PHRASE_ROW] = g->names[row];
        item.values.values[PHRASE_FROM] = g->heads[from].name;
        item.values.values[PHRASE_TO] = g->heads[to].name;
        item.origin = "template";
        item.neutral = true;
        candidates_add(c, &item);
        made++;
    }
}

void make_of_table(candidates *c) {
    const vl_part *part = subject_part(c->subject);
    grid g;
    if (!part || part->kind != VL_PART_TABLE || !candidates_grid(c, part, &g))
        return;
    cells(c, &g);
    checks(c, &g);
    extremes(c, &g);
    totals(c, &g);
    rows(c, &g);
    years(c, &g);
}
