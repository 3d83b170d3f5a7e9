/* embed_text.c — files into words: block by block, so that memory is bounded whatever the lines
 * are. A block ends with a line where it can, else between words, else between characters. */
#include "align/embed.h"
#include "align/tokens.h"
#include "align/vectors_source.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = VECTORS_SOURCE_PEEK, ARENA = 64 << 20 };

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* How much of a block is handled at once; `whole`: nothing comes behind it. */
static size_t block_end(const char *block, size_t bytes, bool whole) {
    if (whole)
        return bytes;
    const char *line = memrchr(block, '\n', bytes);
    if (line)
        return (size_t)(line - block) + 1;
    for (size_t end = bytes; end > bytes / 2; end--)
        if (is_space(block[end - 1]))
            return end;
    size_t end = bytes;
    while (end > bytes - 4 && ((unsigned char)block[end - 1] & 0xC0) == 0x80)
        end--;
    return end > 1 && (unsigned char)block[end - 1] >= 0xC0 ? end - 1 : bytes;
}

static vl_status cut_spaces(embed_text *t, const char *block, size_t bytes, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t at = 0; at < bytes && !status;) {
        if (is_space(block[at])) {
            if (block[at++] == '\n')
                status = t->word(NULL, 0, t->user, error);
            continue;
        }
        size_t begin = at;
        while (at < bytes && !is_space(block[at]))
            at++;
        if (vectors_is_word(block + begin, at - begin))
            status = t->word(block + begin, at - begin, t->user, error);
        else
            t->damaged += vl_utf8_valid_prefix(block + begin, at - begin) < at - begin;
    }
    return status;
}

static vl_status cut_words(embed_text *t, vl_arena *arena, const char *block, size_t bytes,
                           vl_error *error) {
    align_token *tokens;
    size_t count, at = 0;
    char *text = vl_arena_strndup(arena, block, bytes);
    if (!text)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for text");
    vl_status status = align_tokens(arena, text, &tokens, &count, error);
    for (size_t i = 0; i < count && !status; i++) {
        if (memchr(text + at, '\n', tokens[i].from - at))
            status = t->word(NULL, 0, t->user, error);
        if (!status)
            status = t->word(tokens[i].word, strlen(tokens[i].word), t->user, error);
        at = tokens[i].to;
    }
    if (!status && memchr(text + at, '\n', bytes - at))
        status = t->word(NULL, 0, t->user, error);
    for (size_t from = 0; from < bytes; from++) {
        from += vl_utf8_valid_prefix(text + from, bytes - from);
        t->damaged += from < bytes;
    }
    return status;
}

static uint64_t count_lines(const char *block, size_t bytes) {
    uint64_t lines = 0;
    for (size_t i = 0; i < bytes; i++)
        lines += block[i] == '\n';
    return lines;
}

static vl_status read_block(embed_text *t, vectors_source *source, vl_arena *arena, bool *ended,
                            vl_error *error) {
    const char *block;
    size_t bytes;
    vl_status status = vectors_source_peek(source, BLOCK, &block, &bytes, error);
    *ended = !status && !bytes;
    if (status || !bytes)
        return status;
    if (memchr(block, '\0', bytes))
        return vl_fail(error, VL_ERR_INPUT, "%s is no text: it holds NUL bytes",
                       vectors_source_path(source));
    bytes = block_end(block, bytes, bytes < BLOCK);
    status = t->tokens == VL_EMBED_SPACES ? cut_spaces(t, block, bytes, error)
                                          : cut_words(t, arena, block, bytes, error);
    vl_arena_reset(arena);
    t->lines += count_lines(block, bytes);
    t->bytes += bytes;
    vectors_source_skip(source, bytes);
    if (t->progress)
        t->progress(t->bytes, t->user);
    return status ? status : vl_stop_check(error);
}

vl_status embed_text_read(embed_text *t, const char *path, vl_error *error) {
    vectors_source *source = NULL;
    bool ended = false;
    vl_arena *arena = vl_arena_new(ARENA);
    vl_status status = arena ? vectors_source_open(path, &source, error)
                             : vl_fail(error, VL_ERR_MEMORY, "no memory for text");
    while (!status && !ended)
        status = read_block(t, source, arena, &ended, error);
    if (!status)
        status = t->word(NULL, 0, t->user, error);
    vectors_source_close(source);
    vl_arena_free(arena);
    return status;
}
