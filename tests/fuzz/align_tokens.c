/* Any bytes into words and sentences: places are in order and in the text, words are UTF-8. */
#include <stdlib.h>
#include <string.h>
#include "align/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tokens(const align_token *tokens, size_t count, size_t bytes) {
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(tokens[i].word);
        if (!length || vl_utf8_valid_prefix(tokens[i].word, length) != length ||
            tokens[i].from >= tokens[i].to || tokens[i].to > bytes ||
            (i && tokens[i].from < tokens[i - 1].to))
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
    align_token *tokens;
    align_span *spans;
    size_t count, bytes = strlen(text);
    if (!align_tokens(arena, text, &tokens, &count, NULL))
        check_tokens(tokens, count, bytes);
    for (int rule = ALIGN_LINES_WRAPPED; rule <= ALIGN_LINES_ONLY; rule++) {
        if (align_sentences(arena, text, (align_line_rule)rule, &spans, &count, NULL))
            continue;
        for (size_t i = 0; i < count; i++)
            if (spans[i].from >= spans[i].to || spans[i].to > bytes ||
                (i && spans[i].from < spans[i - 1].to))
                abort();
    }
    vl_arena_reset(arena);
    free(text);
    return 0;
}
