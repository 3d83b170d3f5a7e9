/* dataset_shingles.c — any bytes as a text: its shingles, its sketch, and what is like itself.
 */
#include "dataset/minhash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const minhash *m, vl_arena *arena, const shingles *found) {
    uint32_t values[MINHASH_MOST];
    minhash_sketch sketch;
    if (minhash_of(m, arena, found, values, &sketch, NULL))
        abort();
    if (minhash_similarity(m, &sketch, &sketch) < 1)
        abort();
    if (sketch.members == 0 ||
        (sketch.members > m->hashes / 4 && sketch.members != MINHASH_MANY))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    static minhash m;
    if (!arena) {
        arena = vl_arena_new(64 << 20);
        if (minhash_init(&m, 64, 0.8, 1, NULL))
            abort();
    }
    if (size > 64 << 10)
        return 0;
    char *text = malloc(size + 1), *cased = malloc(2 * size + 3);
    memcpy(text, data, size);
    text[size] = '\0';
    snprintf(cased, 2 * size + 3, " %s.", text);
    shingles found, again;
    if (shingles_of(arena, text, 7, &found, NULL) || shingles_of(arena, cased, 7, &again, NULL))
        abort();
    if (found.count != again.count || found.text != again.text)
        abort(); /* white space and punctuation around it change nothing */
    if (found.count)
        check(&m, arena, &found);
    vl_arena_reset(arena);
    free(text);
    free(cased);
    return 0;
}
