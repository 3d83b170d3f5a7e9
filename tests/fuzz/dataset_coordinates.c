/* Texts with whatever in them that may be a place: finds lie in order inside of the text, and
 * what is rounded is UTF-8 again. */
#include "dataset/coordinates.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_find(const coordinate *c, const char *text, size_t bytes, size_t *last) {
    if (c->start < *last || c->end <= c->start || c->end > bytes)
        abort();
    *last = c->end;
    size_t at = c->start;
    for (size_t i = 0; i < c->number_count; i++) {
        if (c->numbers[i].start < at || c->numbers[i].end > c->end ||
            c->numbers[i].end <= c->numbers[i].start)
            abort();
        at = c->numbers[i].end;
    }
    for (int decimals = 0; decimals <= COORDINATE_DECIMALS_MAX; decimals++) {
        vl_buf out;
        vl_buf_init(&out, 1 << 20);
        if (coordinate_reduce(c, text, decimals, &out) &&
            vl_utf8_valid_prefix(out.data, out.len) != out.len)
            abort();
        vl_buf_deinit(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { ARENA_MAX = 64 << 20 };
    vl_arena *arena = vl_arena_new(ARENA_MAX);
    char *text = vl_arena_strndup(arena, (const char *)data, size);
    if (text && vl_utf8_valid_prefix(text, strlen(text)) == strlen(text)) {
        coordinate *found;
        size_t count, last = 0;
        coordinate_axis axis = coordinates_label(arena, text);
        if (!coordinates_find_in_field(arena, text, axis, &found, &count, NULL))
            for (size_t i = 0; i < count; i++)
                check_find(&found[i], text, strlen(text), &last);
    }
    vl_arena_free(arena);
    return 0;
}
