/* grid.h — a table as rows and columns with names: what its heads are, which columns are
 * numbers, and which way those are written.
 *
 * A name is one only where nothing else in the table has it, so that a row's and a column's
 * name together mean one cell. Everything is in the arena it was made in. */
#ifndef VL_DATASET_GRID_H
#define VL_DATASET_GRID_H

#include "dataset/table_number.h"

#include <vislang/dataset.h>

enum { GRID_CELLS_MAX = 8000, GRID_NONE = -1 };

typedef struct grid_column {
    const char *name; /* of its head; "" where it has none of its own */
    bool numeric;     /* two numbers or more, and nothing else but what is missing */
    int32_t unit;
    int year; /* the year that its name is; 0: none */
} grid_column;

typedef struct grid {
    size_t rows, columns;   /* below the heads; all of them */
    const char **cells;     /* [rows][columns], "" where there is none */
    table_number *numbers;  /* [rows][columns]; `reads` false where it is none */
    const char **names;     /* [rows]: of the first column; "" where it has none of its own */
    bool *totals;           /* [rows]: its name says that it sums others */
    bool has_totals, plain; /* plain: every row has a name of its own */
    grid_column *heads;     /* [columns] */
    int decimal;            /* a decimal_mark, or GRID_NONE: not known */
} grid;

/* False: it has no heads that can be told from its cells, or is too large.
 * `is_total` (with `user`) says whether a row's name means a sum; `language_decimal`: the mark
 * that the table's language writes, or GRID_NONE. VL_ERR_MEMORY. */
typedef bool (*grid_total_fn)(const char *name, const void *user);
vl_status grid_make(const vl_part *table, grid_total_fn is_total, const void *user,
                    int language_decimal, vl_arena *arena, grid *out, bool *made,
                    vl_error *error);
static inline const char *grid_cell(const grid *g, size_t row, size_t column) {
    return g->cells[row * g->columns + column];
}
static inline const table_number *grid_number(const grid *g, size_t row, size_t column) {
    return &g->numbers[row * g->columns + column];
}
/* The row with the largest (or smallest) number of a numeric column; GRID_NONE: two have it, a
 * row has no name, or the numbers can be read in two ways that do not agree. */
int grid_extreme(const grid *g, size_t column, bool largest);

#endif
