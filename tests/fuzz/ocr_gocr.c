/* Any bytes as what gocr prints. */
#include <stdlib.h>
#include <string.h>
#include "ocr/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const vl_engine_reading *reading) {
    for (size_t i = 0; i < reading->line_count; i++) {
        const vl_engine_line *line = &reading->lines[i];
        if (!line->word_count || line->confidence < 0 || line->confidence > 1)
            abort();
        for (size_t j = 0; j < line->symbol_count; j++)
            if (!*line->symbols[j].text || line->symbols[j].word >= line->word_count)
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    if (!arena)
        arena = vl_arena_new(64 << 20);
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    vl_engine_reading reading;
    if (!vl_gocr_parse(text, size, arena, true, &reading, NULL))
        check(&reading);
    vl_arena_reset(arena);
    free(text);
    return 0;
}
