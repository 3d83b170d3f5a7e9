/* page.c — a page's text as one string. */
#include <vislang/ocr.h>

enum { PAGE_TEXT_MAX = 64 * 1024 * 1024 };

static void append_line(vl_buf *out, const vl_line *line) {
    for (size_t i = 0; i < line->word_count; i++) {
        if (i)
            vl_buf_puts(out, " ");
        vl_buf_puts(out, line->words[i].text);
    }
}

static void append_block(vl_buf *out, const vl_block *block) {
    for (size_t i = 0; i < block->line_count; i++) {
        if (i)
            vl_buf_puts(out, "\n");
        append_line(out, &block->lines[i]);
    }
}

static char *finish(vl_arena *arena, vl_buf *out) {
    char *text =
        out->failed ? NULL : vl_arena_strndup(arena, out->data ? out->data : "", out->len);
    vl_buf_deinit(out);
    return text;
}

char *vl_page_text(vl_arena *arena, const vl_page *page) {
    vl_buf out;
    vl_buf_init(&out, PAGE_TEXT_MAX);
    for (size_t i = 0; i < page->block_count; i++) {
        if (page->blocks[i].line_count == 0)
            continue;
        if (out.len)
            vl_buf_puts(&out, "\n\n");
        append_block(&out, &page->blocks[i]);
    }
    return finish(arena, &out);
}

char *vl_block_text(vl_arena *arena, const vl_block *block) {
    vl_buf out;
    vl_buf_init(&out, PAGE_TEXT_MAX);
    append_block(&out, block);
    return finish(arena, &out);
}

char *vl_line_text(vl_arena *arena, const vl_line *line) {
    vl_buf out;
    vl_buf_init(&out, PAGE_TEXT_MAX);
    append_line(&out, line);
    return finish(arena, &out);
}

size_t vl_page_word_count(const vl_page *page) {
    size_t count = 0;
    for (size_t i = 0; i < page->block_count; i++)
        for (size_t j = 0; j < page->blocks[i].line_count; j++)
            count += page->blocks[i].lines[j].word_count;
    return count;
}
