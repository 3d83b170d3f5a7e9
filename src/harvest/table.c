/* table.c — rows of named values (table.h). Cells are kept one after another, in the order in
 * which they came; a page of a source has some hundred thousand of them. Most columns have the
 * same value in many rows on end (a country, a unit), which is kept once for all of them. */
#include "harvest/table.h"

#include <string.h>

enum { FIRST_CELLS = 1024 };

typedef struct cell {
    uint32_t row, column;
    const char *value;
} cell;

struct vl_table {
    vl_arena *arena;
    const char *columns[VL_TABLE_COLUMNS];
    const char *newest[VL_TABLE_COLUMNS]; /* the last value of each; NULL: it had none */
    size_t column_count, last_column;
    cell *cells;
    size_t cell_count, cell_room;
    size_t rows, row_start; /* where the cells of the last row begin */
    bool failed;
};

vl_table *vl_table_new(vl_arena *arena) {
    vl_table *table = vl_arena_alloc(arena, sizeof *table);
    if (table)
        table->arena = arena;
    return table;
}

void vl_table_row(vl_table *table) {
    table->failed |= table->rows == UINT32_MAX;
    table->rows++;
    table->row_start = table->cell_count;
    table->last_column = SIZE_MAX;
}

size_t vl_table_rows(const vl_table *table) {
    return table->rows;
}

/* Rows have their values in the same order, so the column is mostly the one after the last. */
static size_t find_column(const vl_table *table, const char *name) {
    size_t next = table->last_column + 1;
    if (next < table->column_count && !strcmp(table->columns[next], name))
        return next;
    for (size_t i = 0; i < table->column_count; i++)
        if (!strcmp(table->columns[i], name))
            return i;
    return SIZE_MAX;
}

static size_t add_column(vl_table *table, const char *name) {
    char *copy =
        table->column_count < VL_TABLE_COLUMNS ? vl_arena_strdup(table->arena, name) : NULL;
    if (!copy)
        return SIZE_MAX;
    table->columns[table->column_count] = copy;
    return table->column_count++;
}

static bool has_room(vl_table *table) {
    if (table->cell_count < table->cell_room)
        return true;
    size_t room = table->cell_room ? 2 * table->cell_room : FIRST_CELLS;
    cell *grown =
        vl_arena_grow(table->arena, table->cells, table->cell_room * sizeof *table->cells,
                      room * sizeof *table->cells);
    if (!grown)
        return false;
    table->cells = grown;
    table->cell_room = room;
    return true;
}

static bool row_has(const vl_table *table, size_t column) {
    for (size_t i = table->row_start; i < table->cell_count; i++)
        if (table->cells[i].column == column)
            return true;
    return false;
}

/* The value in the arena; that of the row before where it is the same. NULL: no memory. */
static const char *keep(vl_table *table, size_t column, const char *value, size_t bytes) {
    const char *before = table->newest[column];
    if (before && !strncmp(before, value, bytes) && !before[bytes])
        return before;
    return table->newest[column] = vl_arena_strndup(table->arena, value, bytes);
}

void vl_table_put_bytes(vl_table *table, const char *column, const char *value, size_t bytes) {
    if (table->failed || !table->rows)
        return;
    size_t at = find_column(table, column);
    if (at == SIZE_MAX)
        at = add_column(table, column);
    if (at == SIZE_MAX) {
        table->failed = true;
        return;
    }
    table->last_column = at;
    if (!bytes || row_has(table, at))
        return;
    const char *kept = keep(table, at, value, bytes);
    if (kept && has_room(table))
        table->cells[table->cell_count++] =
            (cell){(uint32_t)(table->rows - 1), (uint32_t)at, kept};
    else
        table->failed = true;
}

void vl_table_put(vl_table *table, const char *column, const char *value) {
    vl_table_put_bytes(table, column, value, strlen(value));
}

/* ---- looking at columns --------------------------------------------------------------------
 */

static size_t named(const vl_table *table, const char *column) {
    for (size_t i = 0; i < table->column_count; i++)
        if (!strcmp(table->columns[i], column))
            return i;
    return SIZE_MAX;
}

void vl_table_range(const vl_table *table, const char *column, const char **least,
                    const char **greatest) {
    size_t at = named(table, column);
    *least = *greatest = NULL;
    for (size_t i = 0; at != SIZE_MAX && i < table->cell_count; i++) {
        const cell *c = &table->cells[i];
        if (c->column != at)
            continue;
        if (!*least || strcmp(c->value, *least) < 0)
            *least = c->value;
        if (!*greatest || strcmp(c->value, *greatest) > 0)
            *greatest = c->value;
    }
}

static bool is_new(const char *const *names, size_t count, const char *value) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], value))
            return false;
    return true;
}

const char *vl_table_names(const vl_table *table, const char *column, const char *between,
                           size_t max) {
    const char *names[VL_TABLE_NAMES];
    size_t at = named(table, column), count = 0;
    for (size_t i = 0; at != SIZE_MAX && i < table->cell_count && count < VL_TABLE_NAMES; i++)
        if (table->cells[i].column == at && is_new(names, count, table->cells[i].value))
            names[count++] = table->cells[i].value;
    const char *joined = "";
    size_t shown = count < max ? count : max;
    for (size_t i = 0; joined && i < shown; i++)
        joined = vl_arena_printf(table->arena, "%s%s%s", joined, i ? between : "", names[i]);
    if (joined && count > shown)
        joined = vl_arena_printf(table->arena, "%s and %zu more", joined, count - shown);
    return joined;
}

/* ---- CSV -----------------------------------------------------------------------------------
 */

/* A byte order mark is quoted too: as the first of a file it would be read as none of its text.
 */
static bool needs_quotes(const char *text) {
    return strpbrk(text, ",\"\r\n") || !strncmp(text, "\xEF\xBB\xBF", 3);
}

static void put_field(vl_buf *out, const char *text) {
    if (!needs_quotes(text)) {
        vl_buf_puts(out, text);
        return;
    }
    vl_buf_puts(out, "\"");
    for (; *text; text++) {
        vl_buf_append(out, "\"\"", *text == '"' ? 1 : 0);
        vl_buf_append(out, text, 1);
    }
    vl_buf_puts(out, "\"");
}

static void put_line(vl_buf *out, const char *const *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i)
            vl_buf_puts(out, ",");
        put_field(out, values[i] ? values[i] : "");
    }
    vl_buf_puts(out, "\r\n");
}

static void put_rows(const vl_table *table, vl_buf *out) {
    const char *values[VL_TABLE_COLUMNS];
    size_t at = 0;
    for (size_t row = 0; row < table->rows && !out->failed; row++) {
        memset(values, 0, sizeof values);
        for (; at < table->cell_count && table->cells[at].row == row; at++)
            values[table->cells[at].column] = table->cells[at].value;
        put_line(out, values, table->column_count);
    }
}

vl_status vl_table_csv(const vl_table *table, const char **csv, size_t *bytes,
                       vl_error *error) {
    vl_buf out;
    char *copy = NULL;
    vl_buf_init(&out, SIZE_MAX / 4);
    if (!table->failed) {
        put_line(&out, table->columns, table->column_count);
        put_rows(table, &out);
        copy = out.failed ? NULL : vl_arena_strndup(table->arena, out.data, out.len);
    }
    *csv = copy;
    *bytes = out.len;
    vl_buf_deinit(&out);
    if (!copy)
        return vl_fail(error, VL_ERR_LIMIT,
                       "its table of %zu rows is larger than the memory for a page",
                       table->rows);
    return VL_OK;
}
