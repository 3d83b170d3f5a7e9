/* Any bytes as a web page: what comes out is well formed, and every index is one of a part. */
#include <stdlib.h>
#include <string.h>
#include <vislang/dataset.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const vl_parts *parts) {
    for (size_t i = 0; i < parts->part_count; i++) {
        const vl_part *part = &parts->parts[i];
        size_t length = strlen(part->text);
        if (vl_utf8_valid_prefix(part->text, length) != length)
            abort();
        if (part->caption != VL_PART_NONE && part->caption >= parts->part_count)
            abort();
        for (size_t j = 0; j < part->mention_count; j++)
            if (part->mentions[j] >= parts->part_count)
                abort();
        for (size_t j = 0; j < part->cell_count; j++)
            if (part->cells[j].row + part->cells[j].row_span > part->row_count ||
                part->cells[j].column + part->cells[j].column_span > part->column_count)
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    if (!arena)
        arena = vl_arena_new(64 << 20);
    vl_parts_options options = vl_parts_options_default();
    options.type = "text/html";
    vl_parts *parts;
    if (!vl_parts_read(data, size, &options, arena, &parts, NULL))
        check(parts);
    vl_arena_reset(arena);
    return 0;
}
