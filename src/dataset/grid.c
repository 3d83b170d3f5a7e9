/* grid.c — see grid.h. In reading order: cells, heads, names, numbers, extremes. */
#include "dataset/grid.h"

#include <math.h>
#include <string.h>

enum { HEAD_ROWS_MAX = 4, NUMBERS_LEAST = 2 };

typedef struct plan {
    size_t rows, columns; /* with the heads */
    const char **cells;
    bool *heading;
} plan;

/* ---- cells ------------------------------------------------------------------------------ */

static bool place_cells(const vl_part *table, vl_arena *arena, plan *p) {
    size_t count = table->row_count * table->column_count;
    p->rows = table->row_count;
    p->columns = table->column_count;
    p->cells = vl_arena_array(arena, count, sizeof *p->cells);
    p->heading = vl_arena_array(arena, count, sizeof *p->heading);
    if (!p->cells || !p->heading)
        return false;
    for (size_t i = 0; i < count; i++)
        p->cells[i] = "";
    for (size_t i = 0; i < table->cell_count; i++) {
        const vl_part_cell *cell = &table->cells[i];
        for (size_t r = cell->row; r < cell->row + cell->row_span && r < p->rows; r++)
            for (size_t c = cell->column;
                 c < cell->column + cell->column_span && c < p->columns; c++) {
                p->cells[r * p->columns + c] = cell->text ? cell->text : "";
                p->heading[r * p->columns + c] = cell->heading;
            }
    }
    return true;
}

/* ---- heads ------------------------------------------------------------------------------ */

static bool is_number_but_year(const char *text) {
    table_number number;
    return table_number_read(text, &number) && !table_year(text);
}

static bool row_is_marked(const plan *p, size_t row) {
    bool any = false;
    for (size_t c = 0; c < p->columns; c++) {
        bool heading = p->heading[row * p->columns + c];
        if (!heading && *p->cells[row * p->columns + c])
            return false;
        any |= heading;
    }
    return any;
}

/* One cell over the whole row: a title. */
static bool row_is_title(const plan *p, size_t row) {
    for (size_t c = 1; c < p->columns; c++)
        if (strcmp(p->cells[row * p->columns + c], p->cells[row * p->columns]) != 0)
            return false;
    return true;
}

/* A first row of words above columns that have numbers. */
static bool first_row_is_head(const plan *p) {
    size_t numeric = 0;
    for (size_t c = 1; c < p->columns; c++) {
        const char *head = p->cells[c];
        if (!*head || is_number_but_year(head))
            return false;
        for (size_t r = 1; r < p->rows; r++)
            if (is_number_but_year(p->cells[r * p->columns + c])) {
                numeric++;
                break;
            }
    }
    return numeric > 0;
}

/* Rows of heads; 0: it cannot be told. */
static size_t head_rows(const plan *p) {
    size_t rows = 0;
    while (rows < p->rows && row_is_marked(p, rows))
        rows++;
    if (!rows && first_row_is_head(p))
        rows = 1;
    return rows <= HEAD_ROWS_MAX && rows < p->rows ? rows : 0;
}

/* Heads over each other, each once: "2023 / Women". NULL: the arena is full. */
static const char *head_name(const plan *p, size_t rows, size_t column, vl_arena *arena) {
    const char *name = "", *above = "";
    for (size_t r = 0; r < rows && name; r++) {
        const char *more = row_is_title(p, r) ? "" : p->cells[r * p->columns + column];
        if (*more && strcmp(more, above) != 0)
            name = *name ? vl_arena_printf(arena, "%s / %s", name, more) : more;
        above = more;
    }
    return name;
}

/* ---- names ------------------------------------------------------------------------------ */

static void only_unique_heads(grid *g) {
    for (size_t i = 1; i < g->columns; i++)
        for (size_t j = i + 1; j < g->columns; j++)
            if (*g->heads[i].name && !strcmp(g->heads[i].name, g->heads[j].name)) {
                for (size_t k = j + 1; k < g->columns; k++)
                    if (!strcmp(g->heads[i].name, g->heads[k].name))
                        g->heads[k].name = "";
                g->heads[i].name = g->heads[j].name = "";
            }
}

/* A row's name is the text of its first column, unless that is a number, goes on over the row,
 * or is another row's too. */
static void name_rows(grid *g) {
    g->plain = true;
    for (size_t r = 0; r < g->rows; r++) {
        const char *name = grid_cell(g, r, 0);
        bool spans = g->columns > 1 && *name && !strcmp(name, grid_cell(g, r, 1));
        bool bad = !*name || spans || is_number_but_year(name) || table_is_missing(name);
        for (size_t other = 0; other < g->rows && !bad; other++)
            bad = other != r && !strcmp(name, grid_cell(g, other, 0));
        g->names[r] = bad ? "" : name;
        g->plain &= !bad;
    }
}

/* ---- numbers ---------------------------------------------------------------------------- */

static void read_numbers(grid *g) {
    for (size_t c = 1; c < g->columns; c++) {
        size_t numbers = 0;
        bool others = false, first = true;
        for (size_t r = 0; r < g->rows; r++) {
            const char *text = grid_cell(g, r, c);
            table_number *number = &g->numbers[r * g->columns + c];
            if (!table_number_read(text, number)) {
                *number = (table_number){.unit = 0};
                others |= !table_is_missing(text);
                continue;
            }
            numbers++;
            others |= !first && number->unit != g->heads[c].unit;
            g->heads[c].unit = number->unit;
            first = false;
        }
        g->heads[c].numeric = numbers >= NUMBERS_LEAST && !others;
    }
}

/* The mark that all numbers of the table can be read with; where both will do, the language's,
 * if with it the commas or points of "1,234" or "1.234" group, as nearly all do. */
static int find_decimal(const grid *g, int language) {
    bool can[DECIMAL_MARK_COUNT] = {true, true}, ambiguous = false;
    for (size_t i = 0; i < g->rows * g->columns; i++) {
        const table_number *n = &g->numbers[i];
        if (!n->reads[0] && !n->reads[1])
            continue;
        can[0] &= n->reads[0];
        can[1] &= n->reads[1];
        bool differs = n->reads[0] && n->reads[1] && fabs(n->value[0] - n->value[1]) > 0;
        ambiguous |= differs;
        if (differs && language != GRID_NONE &&
            fabs(n->value[language]) < fabs(n->value[!language]))
            language = GRID_NONE;
    }
    if (can[0] != can[1])
        return can[0] ? DECIMAL_POINT : DECIMAL_COMMA;
    if (!can[0])
        return GRID_NONE;
    return ambiguous ? language : DECIMAL_POINT;
}

/* ---- making ----------------------------------------------------------------------------- */

static bool allocate(grid *g, vl_arena *arena) {
    g->numbers = vl_arena_array(arena, g->rows * g->columns, sizeof *g->numbers);
    g->names = vl_arena_array(arena, g->rows, sizeof *g->names);
    g->totals = vl_arena_array(arena, g->rows, sizeof *g->totals);
    g->heads = vl_arena_array(arena, g->columns, sizeof *g->heads);
    return g->numbers && g->names && g->totals && g->heads;
}

vl_status grid_make(const vl_part *table, grid_total_fn is_total, const void *user,
                    int language_decimal, vl_arena *arena, grid *out, bool *made,
                    vl_error *error) {
    plan p;
    *made = false;
    *out = (grid){0};
    if (table->row_count < 2 || table->column_count < 2 ||
        table->column_count > GRID_CELLS_MAX ||
        table->row_count > GRID_CELLS_MAX / table->column_count)
        return VL_OK;
    if (!place_cells(table, arena, &p))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a table");
    size_t heads = head_rows(&p);
    if (!heads)
        return VL_OK;
    out->rows = p.rows - heads;
    out->columns = p.columns;
    out->cells = p.cells + heads * p.columns;
    if (!allocate(out, arena))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a table");
    for (size_t c = 0; c < out->columns; c++) {
        out->heads[c].name = head_name(&p, heads, c, arena);
        if (!out->heads[c].name)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for a table");
        out->heads[c].year = table_year(out->heads[c].name);
    }
    only_unique_heads(out);
    name_rows(out);
    for (size_t r = 0; r < out->rows; r++) {
        out->totals[r] = is_total(grid_cell(out, r, 0), user);
        out->has_totals |= out->totals[r];
    }
    read_numbers(out);
    out->decimal = find_decimal(out, language_decimal);
    *made = true;
    return VL_OK;
}

/* ---- extremes --------------------------------------------------------------------------- */

static int extreme_as(const grid *g, size_t column, bool largest, int decimal) {
    int best = GRID_NONE;
    bool tied = false;
    double most = 0;
    for (size_t r = 0; r < g->rows; r++) {
        const table_number *n = grid_number(g, r, column);
        if (!n->reads[0] && !n->reads[1])
            continue;
        if (!n->reads[decimal])
            return GRID_NONE;
        double value = largest ? n->value[decimal] : -n->value[decimal];
        if (best == GRID_NONE || value > most) {
            best = (int)r;
            most = value;
            tied = false;
        } else if (value >= most) {
            tied = true;
        }
    }
    return tied ? GRID_NONE : best;
}

int grid_extreme(const grid *g, size_t column, bool largest) {
    if (!g->heads[column].numeric)
        return GRID_NONE;
    int row = extreme_as(g, column, largest, g->decimal == GRID_NONE ? 0 : g->decimal);
    if (g->decimal == GRID_NONE && row != extreme_as(g, column, largest, 1))
        return GRID_NONE;
    return row != GRID_NONE && *g->names[row] ? row : GRID_NONE;
}
