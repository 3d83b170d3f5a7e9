/* Any bytes as a table of pairs, as two files, and as beads of gold. */
#include "align/pairs.h"
#include "align/score.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(align_pairs *pairs) {
    for (size_t i = 0; i < pairs->count; i++) {
        const align_pair *p = &pairs->items[i];
        if (!*p->src || !*p->tgt || !p->line ||
            vl_utf8_valid_prefix(p->src, strlen(p->src)) != strlen(p->src) ||
            vl_utf8_valid_prefix(p->tgt, strlen(p->tgt)) != strlen(p->tgt))
            abort();
    }
    align_pairs_deinit(pairs);
}

static void as_beads(const char *text) {
    static vl_arena *arena;
    align_bead *beads;
    size_t count;
    align_agreement strict, lax;
    if (!arena)
        arena = vl_arena_new(64 << 20);
    vl_arena_reset(arena);
    if (align_beads_parse(arena, "beads", text, &beads, &count, NULL))
        return;
    if (align_beads_score(beads, count, beads, count, &strict, &lax, NULL) ||
        strict.precision != 1 || lax.precision != 1)
        abort(); /* gold agrees with itself */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const align_pairs_options options = {.src = "en", .tgt = "sw"},
                                     strict = {.src = "fr", .tgt = "ln", .strict = true};
    align_pairs pairs;
    vl_buf bytes, half;
    vl_buf_init(&bytes, 1 << 20);
    vl_buf_init(&half, 1 << 20);
    vl_buf_append(&bytes, data, size);
    vl_buf_append(&half, data, size / 2);
    if (!align_pairs_parse("t", &bytes, NULL, NULL, &options, &pairs, NULL))
        check(&pairs);
    if (!align_pairs_parse("t", &bytes, NULL, NULL, &strict, &pairs, NULL))
        check(&pairs);
    if (!align_pairs_parse("t", &bytes, "h", &half, &options, &pairs, NULL))
        check(&pairs);
    as_beads(bytes.data);
    vl_buf_deinit(&bytes);
    vl_buf_deinit(&half);
    return 0;
}
