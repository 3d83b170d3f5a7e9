/* Any bytes as a text with personal data: finds lie in it, in order, between characters. */
#include <stdlib.h>
#include <string.h>
#include <vislang/text.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    vl_personal *found;
    size_t count, before = 0;
    vl_error error;
    if (!arena)
        arena = vl_arena_new(64 << 20);
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    size_t length = strlen(text);
    if (!vl_personal_find(arena, text, &found, &count, &error))
        for (size_t i = 0; i < count; i++) {
            if (found[i].start < before || found[i].end <= found[i].start ||
                found[i].end > length || found[i].kind >= VL_PERSONAL_KIND_COUNT)
                abort();
            before = found[i].end;
        }
    vl_arena_reset(arena);
    free(text);
    return 0;
}
