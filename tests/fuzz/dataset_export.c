/* Any item that can be read becomes rows that are JSON, on one line however lines are cut, with
 * its text in them. */
#include "dataset/export.h"

#include <stdlib.h>
#include <string.h>

static void check_row(const char *row, const char *text) {
    cJSON *json = cJSON_Parse(row);
    const char *said = card_about(json, "text");
    size_t length = strlen(text);
    if (!json || strncmp(said, text, length) != 0 ||
        (said[length] && strcmp(said + length, " ") != 0))
        abort();
    if (strpbrk(row, "\n\r\v\f\x1c\x1d\x1e") || strstr(row, "\xE2\x80\xA8") ||
        strstr(row, "\xE2\x80\xA9") || strstr(row, "\xC2\x85"))
        abort();
    cJSON_Delete(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_arena *arena = vl_arena_new(1 << 22);
    vl_item item;
    vl_buf row;
    vl_buf_init(&row, 1 << 24);
    if (vl_item_read((const char *)data, size, arena, &item, NULL) == VL_OK) {
        export_group group = {.base = &item, .examples = &item, .count = size % 2};
        for (export_which which = EXPORT_ALL; which <= EXPORT_OWN; which++) {
            vl_buf_clear(&row);
            vl_buf_puts(&row, "{");
            export_put_columns(&row, &item, item.picture, which);
            vl_buf_puts(&row, ", ");
            export_put_examples(&row, &group);
            vl_buf_puts(&row, "}");
            if (!row.failed)
                check_row(row.data, item.text);
        }
        card_licence(item.source.licence);
    }
    vl_buf_deinit(&row);
    vl_arena_free(arena);
    return 0;
}
