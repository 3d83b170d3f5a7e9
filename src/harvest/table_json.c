/* table_json.c — rows out of arrays of JSON objects (table.h). */
#include "harvest/table_json.h"

#include <string.h>

static void put_value(vl_table *table, vl_arena *arena, const cJSON *value) {
    const char *text = NULL;
    if (cJSON_IsBool(value))
        text = cJSON_IsTrue(value) ? "true" : "false";
    else if (cJSON_IsObject(value) || cJSON_IsArray(value))
        text = vl_json_raw(arena, value);
    else
        text = vl_json_text_of(arena, value);
    vl_table_put(table, value->string, text && strcmp(text, "-") ? text : "");
}

vl_table *vl_table_of_json(vl_arena *arena, const cJSON *items, const char *source) {
    vl_table *table = vl_table_new(arena);
    const cJSON *item, *value;
    size_t left_out = 0;
    cJSON_ArrayForEach(item, items) {
        if (!table || !cJSON_IsObject(item)) {
            left_out++;
            continue;
        }
        vl_table_row(table);
        cJSON_ArrayForEach(value, item) {
            put_value(table, arena, value);
        }
    }
    if (table && left_out)
        vl_log(VL_LOG_WARN, "rows that are no objects were left out",
               VL_F_STR("source", source), VL_F_INT("rows", (int64_t)left_out));
    return table;
}
