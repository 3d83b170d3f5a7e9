/* Any bytes as a caption and as an answer. */
#include <stdlib.h>
#include <string.h>
#include <vislang/text.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_well_formed(const char *tokens) {
    size_t length = strlen(tokens);
    return vl_utf8_valid_prefix(tokens, length) == length && tokens[0] != ' ' &&
           (!length || tokens[length - 1] != ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    if (!arena)
        arena = vl_arena_new(64 << 20);
    if (size > 60000)
        return 0;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    const char *tokens = vl_caption_tokenize(arena, text);
    const char *normal = vl_text_answer_normalize(arena, text);
    if (tokens && !is_well_formed(tokens))
        abort();
    if (normal && !is_well_formed(normal))
        abort();
    bool match = false;
    const char *const references[] = {text};
    if (!vl_text_answer_match(text, references, 1, &match, NULL) && !match)
        abort(); /* an answer equals itself */
    vl_caption_scorer *scorer = vl_caption_scorer_new();
    vl_caption_scores scores;
    if (vl_caption_scorer_add(scorer, text, references, 1, NULL) ||
        vl_caption_scorer_scores(scorer, &scores, NULL) || !(scores.bleu[0] <= 1))
        abort();
    vl_caption_scorer_free(scorer);
    vl_arena_reset(arena);
    free(text);
    return 0;
}
