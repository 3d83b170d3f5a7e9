/* dataset_tables.h — tables for tests, written as text. */
#ifndef TESTS_DATASET_TABLES_H
#define TESTS_DATASET_TABLES_H

#include <vislang/dataset.h>

#include <stdio.h>
#include <string.h>

enum { CELLS_MAX = 64 };
typedef struct small_table {
    vl_part part;
    vl_part_cell cells[CELLS_MAX];
    char text[1024];
} small_table;

/* "a|b\nc|d": rows and cells; the first `heads` rows are marked as heads. */
static inline void table_fill(small_table *t, const char *rows, uint32_t heads) {
    char *at = t->text, *line_end;
    memset(&t->part, 0, sizeof t->part);
    snprintf(t->text, sizeof t->text, "%s", rows);
    t->part = (vl_part){.kind = VL_PART_TABLE, .cells = t->cells};
    for (uint32_t row = 0; at; row++, at = line_end) {
        line_end = strchr(at, '\n');
        if (line_end)
            *line_end++ = '\0';
        uint32_t column = 0;
        for (char *cell = at; cell; column++) {
            char *end = strchr(cell, '|');
            if (end)
                *end++ = '\0';
            t->cells[t->part.cell_count++] =
                (vl_part_cell){row, column, 1, 1, row < heads, cell};
            cell = end;
        }
        t->part.row_count = row + 1;
        if (column > t->part.column_count)
            t->part.column_count = column;
    }
}

#endif
