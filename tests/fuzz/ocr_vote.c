/* Any bytes as readings of one line, a line a voice, and what must hold of the vote. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ocr/vote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void begin(void *user, void *state) {
    (void)user;
    *(char *)state = 0;
}

static double extend(void *user, const void *from, const char *text, void *to) {
    (void)user;
    double log_p = text && *text == *(const char *)from ? -0.5 : -3;
    *(char *)to = text ? *text : 0;
    return log_p;
}

static void check(const vl_vote_result *r) {
    for (size_t s = 0; s < r->slot_count; s++) {
        double sum = r->slots[s].unseen;
        for (size_t c = 0; c < r->slots[s].count; c++)
            sum += r->slots[s].candidates[c].posterior;
        if (!(fabs(sum - 1) < 1e-6))
            abort();
    }
    if (vl_utf8_valid_prefix(r->text, strlen(r->text)) != strlen(r->text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    static const vl_vote_language language = {NULL, 1, begin, extend};
    vl_vote_voice voices[8];
    size_t count = 0;
    if (size > 4096)
        return 0;
    if (!arena)
        arena = vl_arena_new(256 << 20);
    char *text = calloc(1, size + 1);
    memcpy(text, data, size);
    for (char *line = text, *next; line && count < 8; line = next) {
        if ((next = strchr(line, '\n')))
            *next++ = '\0';
        vl_vote_voice voice = {.name = count % 3 ? "b/x" : "a",
                               .accuracy = (double)(unsigned char)*line / 255,
                               .calibration = vl_calibration_none()};
        double confidence = (double)(strlen(line) % 7) / 6;
        if (!vl_vote_clusters_of(arena, line, confidence, &voice.clusters, &voice.count, NULL))
            voices[count++] = voice;
    }
    vl_vote_options options = vl_vote_options_default();
    options.language = size % 2 ? &language : NULL;
    vl_vote_result *result;
    if (!vl_vote(arena, voices, count, &options, &result, NULL)) {
        check(result);
        for (size_t s = 0; s < result->slot_count; s++)
            if (!(vl_vote_without(result, s, "a", 1, result->slots[s].read[0]) <= 1))
                abort();
    }
    vl_arena_reset(arena);
    free(text);
    return 0;
}
