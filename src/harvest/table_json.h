/* table_json.h — rows out of arrays of JSON objects. */
#ifndef VL_HARVEST_TABLE_JSON_H
#define VL_HARVEST_TABLE_JSON_H

#include "harvest/json.h"
#include "harvest/table.h"

/* A row for each object of `items`, a column for each of its keys. Numbers come as numbers or
 * as strings and mean the same; null, "" and "-" (not reported) are empty. What is no object is
 * left out, and logged with the name of the source. NULL: no memory. */
vl_table *vl_table_of_json(vl_arena *arena, const cJSON *items, const char *source);

#endif
