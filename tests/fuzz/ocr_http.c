/* Any bytes as what an OCR service answers. */
#include <stdlib.h>
#include <string.h>
#include "ocr/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    if (!arena)
        arena = vl_arena_new(64 << 20);
    vl_engine_reading reading;
    vl_error error;
    if (!vl_http_parse_reply((const char *)data, size, 1000, 700, arena, &reading, &error)) {
        for (size_t i = 0; i < reading.line_count; i++)
            if (!reading.lines[i].word_count || reading.lines[i].confidence < 0 ||
                reading.lines[i].confidence > 1)
                abort();
    }
    vl_http_parse_problem(size ? data[0] * 4L : 0, (const char *)data, size, &error);
    vl_arena_reset(arena);
    return 0;
}
