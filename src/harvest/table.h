/* table.h — rows of named values, as sources of figures send them, made into CSV.
 *
 * Ownership: all of it lies in the arena that it was made in. Thread-safety: a table belongs to
 * one thread at a time. */
#ifndef VL_HARVEST_TABLE_H
#define VL_HARVEST_TABLE_H

#include <vislang/base.h>

/* Columns, VL_TABLE_COLUMNS of them at most, stand in the order in which they first appear.
 * What does not fit into the arena makes vl_table_csv fail, so that putting needs no checks. */
enum { VL_TABLE_COLUMNS = 512, VL_TABLE_NAMES = 512 };
typedef struct vl_table vl_table;
vl_table *vl_table_new(vl_arena *arena); /* NULL: no memory */
void vl_table_row(vl_table *table);      /* begins a row */
/* Strings are copied. The first value that a row is given for a column stays; "" is none. */
void vl_table_put(vl_table *table, const char *column, const char *value);
void vl_table_put_bytes(vl_table *table, const char *column, const char *value, size_t bytes);
size_t vl_table_rows(const vl_table *table);
/* Least and greatest value of a column by their bytes (years, dates); NULL: it has none. */
void vl_table_range(const vl_table *table, const char *column, const char **least,
                    const char **greatest);
/* The different values of a column, in order of appearance: the first `max` of them with
 * `between` between, and " and 12 more" (of VL_TABLE_NAMES at most). "": there are none; NULL:
 * no memory. */
const char *vl_table_names(const vl_table *table, const char *column, const char *between,
                           size_t max);
/* RFC 4180, with the names of the columns in the first line and lines that end in CR LF, in the
 * arena. VL_ERR_LIMIT: it is larger than a page may be. */
vl_status vl_table_csv(const vl_table *table, const char **csv, size_t *bytes, vl_error *error);

#endif
