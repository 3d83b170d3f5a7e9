/* Any bytes as a file of phrases: it is refused, or every phrasing of it can be filled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataset/phrases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(const phrase_language *l, vl_arena *arena) {
    const phrase_values values = {
        .values = {"7", "7", "x", "a\xE2\x80\x9C", "b", "c", "2022", "2023", "d"}};
    const char *text;
    for (int t = 0; t < PHRASE_TOPIC_COUNT; t++)
        for (int s = 0; s < PHRASE_STYLE_COUNT; s++)
            for (size_t i = 0; i < l->phrasings[t][s].count; i++) {
                if (phrases_fill(l, &l->phrasings[t][s].patterns[i], &values, arena, &text,
                                 NULL) == VL_ERR_INTERNAL)
                    abort();
                phrases_fault(l, text, &values);
            }
    if (phrases_fill_rows(l, 3, arena, &text, NULL) == VL_ERR_INTERNAL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    phrase_language language;
    char path[64];
    if (!arena)
        arena = vl_arena_new(64 << 20);
    if (size > 64 << 10)
        return 0;
    int fd = memfd_create("phrases", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    if (!phrases_read(path, arena, &language, NULL))
        fill(&language, arena);
    close(fd);
    vl_arena_reset(arena);
    return 0;
}
