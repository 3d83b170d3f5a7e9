/* Texts and tables out of which personal data is taken: the first byte says how, a 0x1F parts
 * cells and a 0x1E rows. What is left is UTF-8, no longer than placeholders make it, and a
 * table's text is that of its cells. */
#include "dataset/privacy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CELLS_MAX = 64, GROWTH = 16 };

static size_t cut(char *text, vl_part_cell *cells, vl_part *part) {
    uint32_t row = 0, column = 0;
    size_t count = 0;
    for (char *at = text; count < CELLS_MAX; at++) {
        size_t bytes = strcspn(at, "\x1e\x1f");
        char end = at[bytes];
        at[bytes] = '\0';
        bool heading = *at == '*';
        cells[count++] = (vl_part_cell){row, column++, 1, 1, heading, at + heading};
        part->column_count = column > part->column_count ? column : part->column_count;
        row += end == '\x1e';
        column = end == '\x1e' ? 0 : column;
        at += bytes;
        if (!end)
            break;
    }
    part->row_count = row + 1;
    return count;
}

static void check_text(const char *text, size_t most) {
    if (strlen(text) > most || vl_utf8_valid_prefix(text, strlen(text)) != strlen(text))
        abort();
}

static void check_table(const vl_part *part) {
    const char *at = part->text;
    for (size_t i = 0; i < part->cell_count; i++) {
        size_t bytes = strlen(part->cells[i].text);
        if (strncmp(at, part->cells[i].text, bytes) != 0)
            abort();
        at += bytes;
        at += *at != '\0';
    }
    if (*at)
        abort();
}

static void clean(char *text, uint8_t how, vl_arena *arena) {
    privacy_options options = {(privacy_action)(how % PRIVACY_ACTION_COUNT), how / 4 % 11 - 1};
    size_t most = (strlen(text) + 1) * GROWTH;
    vl_part_cell cells[CELLS_MAX];
    vl_part list[2] = {{.kind = VL_PART_PARAGRAPH, .language = "eng"},
                       {.kind = VL_PART_TABLE, .text = "", .language = "und", .cells = cells}};
    vl_parts parts = {.title = "Tel:", .parts = list, .part_count = 2};
    privacy_tally *tally = privacy_tally_new();
    privacy_found *found;
    vl_buf json;
    vl_buf_init(&json, 1 << 20);
    list[0].text = vl_arena_strdup(arena, text);
    list[1].cell_count = cut(text, cells, &list[1]);
    if (list[0].text && tally &&
        !privacy_clean_parts(&parts, &options, tally, arena, &found, NULL)) {
        check_text(list[0].text, most);
        for (size_t i = 0; i < list[1].cell_count; i++)
            check_text(cells[i].text, most);
        if (found[1].changed)
            check_table(&list[1]);
        privacy_tally_json(tally, &json);
        if (privacy_tally_read(tally, json.data, json.len, NULL))
            abort();
    }
    vl_buf_deinit(&json);
    privacy_tally_free(tally);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_arena *arena = vl_arena_new(64 << 20);
    char *text = size ? vl_arena_strndup(arena, (const char *)data + 1, size - 1) : NULL;
    if (text && vl_utf8_valid_prefix(text, strlen(text)) == strlen(text))
        clean(text, data[0], arena);
    vl_arena_free(arena);
    return 0;
}
