/* write_text.c — plain text and Markdown. */
#include "ocr/writer.h"

#include <string.h>

static void put_line(vl_buf *out, const vl_line *line) {
    for (size_t i = 0; i < line->word_count; i++) {
        if (i)
            vl_buf_puts(out, " ");
        vl_buf_puts(out, line->words[i].text);
    }
}

/* Under a line whose words were voted on: each word, and who read what in its place. */
static void put_votes(vl_buf *out, const vl_line *line) {
    for (size_t i = 0; i < line->word_count; i++) {
        const vl_word *word = &line->words[i];
        if (!word->vote)
            continue;
        vl_buf_printf(out, "    %s  %.3f\n", word->text, word->vote->posterior);
        for (size_t k = 0; k < word->vote->count; k++) {
            const vl_word_said *said = &word->vote->said[k];
            vl_buf_printf(out, "        %-20s probability %.3f, weight %.2f: %s\n",
                          said->engine, said->probability, said->weight,
                          *said->text ? said->text : "-");
        }
    }
}

/* ---- text: blocks apart by an empty line, pages by a form feed
 * ------------------------------- */

static vl_status text_page(vl_ocr_writer *w, const vl_page *page, const vl_image *picture,
                           vl_error *error) {
    (void)picture;
    (void)error;
    bool first = true;
    if (w->pages)
        vl_buf_puts(&w->buf, "\f");
    for (size_t b = 0; b < page->block_count; b++) {
        const vl_block *block = &page->blocks[b];
        if (!first && vl_block_has_words(block))
            vl_buf_puts(&w->buf, "\n");
        for (size_t l = 0; l < block->line_count; l++) {
            if (!block->lines[l].word_count)
                continue;
            put_line(&w->buf, &block->lines[l]);
            vl_buf_puts(&w->buf, "\n");
            put_votes(&w->buf, &block->lines[l]);
            first = false;
        }
    }
    return VL_OK;
}

static vl_status text_bad_page(vl_ocr_writer *w, const vl_error *reason, vl_error *error) {
    (void)reason; /* plain text has no place for it that a reader would not take for text */
    (void)error;
    if (w->pages)
        vl_buf_puts(&w->buf, "\f");
    return VL_OK;
}

const vl_format_ops vl_format_text = {
    .name = "text", .extension = ".txt", .page = text_page, .bad_page = text_bad_page};

/* ---- Markdown (CommonMark, tables as GitHub writes them)
 * ------------------------------------- */

/* "&amp;", "&#39;": what a reader of Markdown would turn into another character. */
static bool is_reference(const char *text) {
    size_t name = strspn(text + 1, "#0123456789abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return name > 0 && text[1 + name] == ';';
}

static void put_escaped(vl_buf *out, const char *text, bool in_table) {
    for (const char *c = text; *c; c++) {
        if (*c == '\n') {
            vl_buf_puts(out, in_table ? " " : "\n");
            continue;
        }
        if (strchr("\\`*_[]<>~", *c) || (*c == '&' && is_reference(c)) ||
            (in_table && *c == '|'))
            vl_buf_puts(out, "\\");
        vl_buf_append(out, c, 1);
    }
}

/* Marks that mean something only where a line begins: lists, headings, quotes, rules. */
static bool begins_like_markup(const char *word) {
    size_t digits = strspn(word, "0123456789");
    bool numbered = digits && (word[digits] == '.' || word[digits] == ')') && !word[digits + 1];
    bool dashes = strspn(word, "-=") == strlen(word);
    bool single = word[0] && !word[1] && strchr("-+#", word[0]);
    return numbered || dashes || single || strspn(word, "#") == strlen(word);
}

static void put_markdown_line(vl_buf *out, const vl_line *line) {
    for (size_t i = 0; i < line->word_count; i++) {
        const char *word = line->words[i].text;
        if (i)
            vl_buf_puts(out, " ");
        if (i == 0 && begins_like_markup(word)) {
            size_t digits = strspn(word, "0123456789");
            vl_buf_append(out, word, digits);
            vl_buf_puts(out, "\\");
            vl_buf_puts(out, word + digits);
        } else {
            put_escaped(out, word, false);
        }
    }
}

static void put_table(vl_buf *out, const vl_block *block) {
    size_t at = 0;
    for (size_t row = 0; row < block->row_count; row++) {
        vl_buf_puts(out, "|");
        for (size_t column = 0; column < block->column_count; column++) {
            vl_buf_puts(out, " ");
            for (; at < block->cell_count && block->cells[at].row == row &&
                   block->cells[at].column <= column;
                 at++)
                put_escaped(out, block->cells[at].text, true);
            vl_buf_puts(out, " |");
        }
        vl_buf_puts(out, "\n");
        if (row == 0) {
            vl_buf_puts(out, "|");
            for (size_t column = 0; column < block->column_count; column++)
                vl_buf_puts(out, " --- |");
            vl_buf_puts(out, "\n");
        }
    }
}

/* A heading is one line; a paragraph keeps its lines, which read on as one text. */
static void put_markdown_block(vl_buf *out, const vl_block *block) {
    bool title = block->kind == VL_BLOCK_TITLE, begun = false;
    if (title)
        vl_buf_puts(out, "# ");
    for (size_t l = 0; l < block->line_count; l++) {
        if (!block->lines[l].word_count)
            continue;
        if (begun)
            vl_buf_puts(out, title ? " " : "\n");
        put_markdown_line(out, &block->lines[l]);
        begun = true;
    }
    vl_buf_puts(out, "\n");
}

static void put_figure(vl_ocr_writer *w, const vl_block *block, size_t number) {
    vl_buf_puts(&w->buf, "![");
    for (size_t l = 0; l < block->line_count; l++) {
        vl_buf_puts(&w->buf, l ? " " : "");
        put_markdown_line(&w->buf, &block->lines[l]);
    }
    vl_buf_printf(&w->buf, "](<%s-%u-%zu.png>)\n", w->figures, w->pages + 1, number);
}

static vl_status markdown_page(vl_ocr_writer *w, const vl_page *page, const vl_image *picture,
                               vl_error *error) {
    (void)picture;
    (void)error;
    bool first = true;
    if (w->pages)
        vl_buf_puts(&w->buf, "\n---\n\n");
    if (page->unread) {
        vl_buf_puts(&w->buf, "*Not read: ");
        put_escaped(&w->buf, page->unread->message, false);
        vl_buf_puts(&w->buf, "*\n");
        first = false;
    }
    size_t figure = 0;
    for (size_t b = 0; b < page->block_count; b++) {
        const vl_block *block = &page->blocks[b];
        bool link = block->kind == VL_BLOCK_FIGURE && w->figures;
        figure += block->kind == VL_BLOCK_FIGURE;
        bool table = block->kind == VL_BLOCK_TABLE && block->cell_count;
        if (!table && !link && !vl_block_has_words(block))
            continue;
        if (!first)
            vl_buf_puts(&w->buf, "\n");
        first = false;
        if (link)
            put_figure(w, block, figure);
        else if (table)
            put_table(&w->buf, block);
        else
            put_markdown_block(&w->buf, block);
    }
    return VL_OK;
}

static vl_status markdown_bad_page(vl_ocr_writer *w, const vl_error *reason, vl_error *error) {
    (void)error;
    if (w->pages)
        vl_buf_puts(&w->buf, "\n---\n\n");
    vl_buf_puts(&w->buf, "*This page could not be read: ");
    put_escaped(&w->buf, reason->message, false);
    vl_buf_puts(&w->buf, "*\n");
    return VL_OK;
}

const vl_format_ops vl_format_markdown = {.name = "markdown",
                                          .extension = ".md",
                                          .page = markdown_page,
                                          .bad_page = markdown_bad_page};
