/* Any bytes as plain text: what comes out is well formed and never empty. */
#include <stdlib.h>
#include <string.h>
#include <vislang/dataset.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    if (!arena)
        arena = vl_arena_new(64 << 20);
    vl_parts_options options = vl_parts_options_default();
    options.type = "text/plain";
    vl_parts *parts;
    if (!vl_parts_read(data, size, &options, arena, &parts, NULL))
        for (size_t i = 0; i < parts->part_count && !strcmp(parts->format, "text"); i++) {
            const char *text = parts->parts[i].text;
            if (!*text || vl_utf8_valid_prefix(text, strlen(text)) != strlen(text))
                abort();
        }
    vl_arena_reset(arena);
    return 0;
}
