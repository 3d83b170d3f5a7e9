/* harvest_sdmx.c — any bytes as an SDMX message: XML when they begin with '<', else CSV. What
 * was read of either is written as CSV and read again: it is the same. */
#include "harvest/sdmx.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_needed_columns(const char *csv) {
    static const char *const needed[] = {"REF_AREA", "TIME_PERIOD", "OBS_VALUE"};
    size_t line = strcspn(csv, "\r");
    for (size_t i = 0; i < 3; i++) {
        const char *at = strstr(csv, needed[i]);
        if (!at || at > csv + line)
            return false;
        bool alone = (at == csv || at[-1] == ',') && strchr(",\r", at[strlen(needed[i])]);
        if (!alone)
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    const char *text = (const char *)data, *csv, *again;
    size_t bytes, bytes_again;
    if (!arena)
        arena = vl_arena_new(16 << 20);
    vl_arena_reset(arena);
    vl_table *table = vl_table_new(arena), *second = vl_table_new(arena);
    vl_status status = size && *text == '<' ? vl_sdmx_read_xml(text, size, table, NULL)
                                            : vl_sdmx_read_csv(text, size, table, NULL);
    if (status || vl_table_csv(table, &csv, &bytes, NULL) || !has_needed_columns(csv))
        return 0;
    if (vl_sdmx_read_csv(csv, bytes, second, NULL))
        abort();
    if (vl_table_csv(second, &again, &bytes_again, NULL))
        return 0;
    if (bytes != bytes_again || memcmp(csv, again, bytes))
        abort();
    return 0;
}
