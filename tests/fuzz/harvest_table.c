/* harvest_table.c — any bytes as the rows of a source of figures in JSON (UNHCR, its portal,
 * WFP): what comes out is CSV of whole lines, as many as rows, in UTF-8. */
#include "harvest/table_json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines of CSV; aborts where a quote is open at the end or a line has another number of values.
 */
static size_t count_lines(const char *csv, size_t bytes) {
    size_t lines = 0, commas = 0, first = 0;
    bool quoted = false;
    for (size_t i = 0; i < bytes; i++) {
        if (csv[i] == '"')
            quoted = !quoted;
        commas += !quoted && csv[i] == ',';
        if (quoted || csv[i] != '\n')
            continue;
        if (!lines++)
            first = commas;
        if (commas != first || !i || csv[i - 1] != '\r')
            abort();
        commas = 0;
    }
    if (quoted || commas)
        abort();
    return lines;
}

static void check_names(const vl_table *table, const char *column) {
    const char *least, *greatest;
    vl_table_range(table, column, &least, &greatest);
    const char *all = vl_table_names(table, column, ",", VL_TABLE_NAMES);
    const char *some = vl_table_names(table, column, ", ", 3);
    if (!least != !greatest || (least && strcmp(least, greatest) > 0))
        abort();
    if (all && some && (!*all != !least || !*all != !*some))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    cJSON *root = NULL;
    const char *csv;
    size_t bytes;
    if (!arena)
        arena = vl_arena_new(8 << 20);
    vl_log_set_level(VL_LOG_ERROR);
    vl_arena_reset(arena);
    if (vl_json_parse((const char *)data, size, &root, NULL))
        return 0;
    const cJSON *items = cJSON_IsObject(root) ? vl_json_at(root, "items") : root;
    vl_table *table = vl_table_of_json(arena, items, "fuzz");
    if (table && !vl_table_csv(table, &csv, &bytes, NULL)) {
        if (count_lines(csv, bytes) != vl_table_rows(table) + 1 ||
            vl_utf8_valid_prefix(csv, bytes) != bytes)
            abort();
        check_names(table, "coa_name");
        check_names(table, "year");
    }
    cJSON_Delete(root);
    return 0;
}
