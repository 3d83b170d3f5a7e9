/* statistics.h — what is asked of sources of figures: they have no documents but tables, by
 * country and period (table.h makes files of them).
 *
 * Thread-safety: all functions, on different values. */
#ifndef VL_HARVEST_STATISTICS_H
#define VL_HARVEST_STATISTICS_H

#include "harvest/source.h"

/* Whether a source of tables can answer this. VL_ERR_USAGE: languages or words are asked for,
 * something of `refused` (VL_ASK_…), formats without "data", a country that is no ISO 3166-1
 * alpha-3 code, or a date that is none. */
vl_status vl_statistics_check(const vl_harvest_query *query, const char *title,
                              unsigned refused, vl_error *error);

enum { VL_COUNTRIES_MAX = 256, VL_COUNTRY_SIZE = 4 };
typedef struct vl_country_list {
    char codes[VL_COUNTRIES_MAX][VL_COUNTRY_SIZE]; /* upper case, sorted, each once */
    size_t count;
} vl_country_list;
/* VL_ERR_USAGE: one is no alpha-3 code, or there are too many. */
vl_status vl_country_list_read(const char *text, vl_country_list *list, vl_error *error);
void vl_country_list_put(const vl_country_list *list, const char *between, vl_buf *out);
/* "Kenya" (ICU's English name), or the code itself where nothing is known by it, in the arena;
 * NULL: no memory. */
const char *vl_country_name(const char *code, vl_arena *arena);

/* Year of a date of a query that was checked; `fallback` when it is "" or NULL. */
int vl_statistics_year(const char *date, int fallback);
int vl_statistics_this_year(void); /* UTC */

/* A place in what a source is asked for one after another: "item year page" of a cursor, of
 * which the first page begins at 1. An item is a name without white space. */
enum { VL_ITEM_SIZE = 192 };
typedef struct vl_statistics_place {
    char item[VL_ITEM_SIZE];
    int year;
    unsigned page;
} vl_statistics_place;
/* VL_ERR_INPUT: the cursor is no such place. */
vl_status vl_statistics_place_read(const char *cursor, vl_statistics_place *place,
                                   vl_error *error);
void vl_statistics_place_write(const vl_statistics_place *place, vl_buf *cursor);

/* Asks for a body that is kept in memory. As vl_polite_fetch: an answer of any status is one,
 * and `reply` (initialised by the caller) says which. */
vl_status vl_statistics_fetch(const vl_source_call *call, const vl_polite_request *request,
                              vl_buf *body, vl_fetch_reply *reply, vl_error *error);
/* Of an answer that is no JSON: {"url":…,"rows":…} as JSON, in the arena; NULL: no memory. */
const char *vl_statistics_raw(vl_arena *arena, const char *url, size_t rows);
/* Gives a record whose one file is this table, named by source and key; title and raw are set,
 * or NULL where the arena was full. */
vl_status vl_statistics_give(const vl_source_call *call, const char *source, vl_record *record,
                             const char *csv, size_t bytes, vl_error *error);

#endif
