/* redact.c — personal data out of a page that was read: in its words, before any writer sees
 * them, and in its picture, whose pixels are painted over.
 *
 *   map_words      the page's text, and where in it each word stands
 *   find_all       what vl_personal_find finds in it and in the cells of tables, and the
 * columns of tables whose head is a label redact_line    words → "[phone]", one word for all
 * that a find covers on a line redact_cells   cells said anew from the words that stand in them
 *   paint          boxes of every word that was touched, a little larger, black
 *
 * A word is the smallest thing that has a box, so the whole box of a word goes black where a
 * part of its text does. What engines said of the words on a touched line goes too: another
 * reading of a number is that number. */
#include "ocr/redact.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = VL_PERSONAL_MAX };

typedef struct place { /* a word in the page's text */
    vl_line *line;
    vl_word *word;
    size_t start, end;
    vl_box box; /* as it was read */
    bool touched;
} place;

typedef struct work {
    vl_page *page;
    vl_arena *arena;
    vl_buf text;
    place *places;
    size_t place_count;
    vl_personal *finds;
    size_t find_count, find_capacity;
} work;

/* ---- text ----------------------------------------------------------------------------------
 */

static vl_status map_words(work *w, vl_error *error) {
    w->places = vl_arena_array(w->arena, vl_page_word_count(w->page) + 1, sizeof *w->places);
    if (!w->places)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to redact a page");
    for (size_t b = 0; b < w->page->block_count; b++) {
        vl_block *block = &w->page->blocks[b];
        for (size_t l = 0; l < block->line_count; l++) {
            vl_line *line = &block->lines[l];
            for (size_t i = 0; i < line->word_count; i++) {
                vl_word *word = &line->words[i];
                size_t start = w->text.len;
                vl_buf_puts(&w->text, word->text);
                w->places[w->place_count++] = (place){.line = line,
                                                      .word = word,
                                                      .start = start,
                                                      .end = w->text.len,
                                                      .box = word->box};
                vl_buf_puts(&w->text, i + 1 < line->word_count ? " " : "\n");
            }
        }
        vl_buf_puts(&w->text, "\n");
    }
    return vl_buf_status(&w->text, "a page's text", error);
}

static vl_status add_find(work *w, const vl_personal *find, vl_error *error) {
    if (w->find_count == w->find_capacity) {
        size_t capacity = w->find_capacity ? 2 * w->find_capacity : 64;
        vl_personal *grown = vl_arena_grow(w->arena, w->finds, w->find_count * sizeof *grown,
                                           capacity * sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory to redact a page");
        w->finds = grown;
        w->find_capacity = capacity;
    }
    w->finds[w->find_count++] = *find;
    return VL_OK;
}

static bool holds(vl_box outer, vl_box inner) {
    int32_t x = inner.x + inner.width / 2, y = inner.y + inner.height / 2;
    return x >= outer.x && x < outer.x + outer.width && y >= outer.y &&
           y < outer.y + outer.height;
}

static bool is_of_block(const place *p, const vl_block *block) {
    return p->line >= block->lines && p->line < block->lines + block->line_count;
}

/* The words of a cell that a find in its text covers; they stand in it one after another. */
static vl_status add_cell_find(work *w, const vl_block *block, const vl_cell *cell,
                               const vl_personal *find, vl_error *error) {
    const char *at = cell->text;
    vl_status status = VL_OK;
    for (size_t i = 0; i < w->place_count && !status; i++) {
        const place *p = &w->places[i];
        if (!is_of_block(p, block) || !holds(cell->box, p->box))
            continue;
        const char *found = strstr(at, p->word->text);
        if (!found)
            continue;
        size_t start = (size_t)(found - cell->text), bytes = p->end - p->start;
        at = found + bytes;
        if (start < find->end && start + bytes > find->start) {
            vl_personal whole = *find;
            whole.start = p->start;
            whole.end = p->end;
            status = add_find(w, &whole, error);
        }
    }
    return status;
}

/* In a cell of several lines, which the lines of the page cut. */
static vl_status find_in_cells(work *w, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t b = 0; b < w->page->block_count; b++) {
        const vl_block *block = &w->page->blocks[b];
        for (size_t c = 0; c < block->cell_count && !status; c++) {
            vl_personal *found;
            size_t count;
            status = vl_personal_find(w->arena, block->cells[c].text, &found, &count, error);
            for (size_t i = 0; i < count && !status; i++)
                status = add_cell_find(w, block, &block->cells[c], &found[i], error);
        }
    }
    return status;
}

/* What stands in a cell under the head of a column that says what it is. */
static vl_status find_under(work *w, const vl_block *block, const vl_cell *head,
                            vl_personal_kind kind, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t c = 0; c < block->cell_count; c++) {
        const vl_cell *cell = &block->cells[c];
        if (cell->column != head->column || cell->row <= head->row)
            continue;
        vl_personal find = {.kind = kind, .ground = VL_PERSONAL_LABELLED, .rule = "column"};
        bool any = false;
        for (size_t i = 0; i < w->place_count && !status; i++) {
            const place *p = &w->places[i];
            if (!is_of_block(p, block) || !holds(cell->box, p->box))
                continue;
            bool follows = any && p[-1].end == find.end && p[-1].line == p->line;
            if (any && !follows)
                status = add_find(w, &find, error);
            find.start = follows ? find.start : p->start;
            find.end = p->end;
            any = true;
        }
        if (any && !status)
            status = add_find(w, &find, error);
    }
    return status;
}

static vl_status find_in_columns(work *w, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t b = 0; b < w->page->block_count; b++) {
        const vl_block *block = &w->page->blocks[b];
        for (size_t c = 0; c < block->cell_count && !status; c++) {
            vl_personal_kind kind;
            if (block->cells[c].row == 0 &&
                vl_personal_label(w->arena, block->cells[c].text, &kind))
                status = find_under(w, block, &block->cells[c], kind, error);
        }
    }
    return status;
}

static int by_start(const void *a, const void *b) {
    const vl_personal *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static void merge_finds(work *w) {
    size_t kept = 0;
    if (w->find_count)
        qsort(w->finds, w->find_count, sizeof *w->finds, by_start);
    for (size_t i = 0; i < w->find_count; i++) {
        vl_personal *last = kept ? &w->finds[kept - 1] : NULL;
        if (last && w->finds[i].start < last->end)
            last->end = w->finds[i].end > last->end ? w->finds[i].end : last->end;
        else
            w->finds[kept++] = w->finds[i];
    }
    w->find_count = kept;
}

static vl_status find_all(work *w, vl_error *error) {
    vl_personal *found;
    size_t count;
    vl_status status =
        vl_personal_find(w->arena, w->text.data ? w->text.data : "", &found, &count, error);
    for (size_t i = 0; i < count && !status; i++)
        status = add_find(w, &found[i], error);
    if (!status)
        status = find_in_cells(w, error);
    if (!status)
        status = find_in_columns(w, error);
    merge_finds(w);
    return status;
}

/* ---- words ---------------------------------------------------------------------------------
 */

static vl_box around(vl_box a, vl_box b) {
    int32_t x = a.x < b.x ? a.x : b.x, y = a.y < b.y ? a.y : b.y;
    int32_t right = a.x + a.width > b.x + b.width ? a.x + a.width : b.x + b.width;
    int32_t bottom = a.y + a.height > b.y + b.height ? a.y + a.height : b.y + b.height;
    return (vl_box){x, y, right - x, bottom - y};
}

/* The word's text less what finds cover, with the kind in the place of each that begins on
 * this line here. `*said` counts how many finds the line has named already. `*joined`: the word
 * begins inside of a find that a word before it on the line holds. */
static void rewrite(const work *w, const place *p, size_t line_start, size_t *said, vl_buf *out,
                    bool *joined, bool *touched) {
    size_t at = p->start;
    *joined = *touched = false;
    for (size_t f = 0; f < w->find_count && w->finds[f].start < p->end; f++) {
        const vl_personal *find = &w->finds[f];
        if (find->end <= p->start)
            continue;
        *touched = true;
        bool named = f < *said;
        if (named && find->start < p->start)
            *joined = find->start >= line_start || p->start > line_start;
        size_t from = find->start > at ? find->start : at;
        vl_buf_append(out, w->text.data + at, from - at);
        if (!named)
            vl_buf_printf(out, "[%s]", vl_personal_kind_name(find->kind));
        *said = f + 1 > *said ? f + 1 : *said;
        at = find->end < p->end ? find->end : p->end;
    }
    vl_buf_append(out, w->text.data + at, p->end - at);
}

/* A find that goes on from the line before is named again on this one. */
static size_t finds_before(const work *w, size_t start) {
    size_t f = 0;
    while (f < w->find_count && w->finds[f].end <= start)
        f++;
    return f;
}

static vl_status redact_line(work *w, vl_line *line, place *places, size_t count,
                             vl_error *error) {
    vl_buf text;
    size_t kept = 0, said = count ? finds_before(w, places[0].start) : 0;
    bool any = false, failed = false;
    vl_buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < count && !failed; i++) {
        bool joined, touched;
        vl_word *word = places[i].word;
        vl_buf_clear(&text);
        rewrite(w, &places[i], places[0].start, &said, &text, &joined, &touched);
        places[i].touched = touched;
        any |= touched;
        if (touched && joined && kept) {
            vl_word *holder = &line->words[kept - 1];
            holder->text =
                vl_arena_printf(w->arena, "%s%s", holder->text, text.data ? text.data : "");
            holder->box = around(holder->box, word->box);
            failed = !holder->text || text.failed;
            continue;
        }
        line->words[kept] = *word;
        if (touched)
            line->words[kept].text = vl_arena_strdup(w->arena, text.data ? text.data : "");
        failed = !line->words[kept].text || text.failed;
        kept++;
    }
    for (size_t i = 0; i < kept && any; i++)
        line->words[i].vote = NULL;
    if (any)
        line->word_count = kept;
    vl_buf_deinit(&text);
    return failed ? vl_fail(error, VL_ERR_MEMORY, "no memory to redact a page") : VL_OK;
}

static vl_status redact_lines(work *w, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0, end; i < w->place_count && !status; i = end) {
        for (end = i; end < w->place_count && w->places[end].line == w->places[i].line;)
            end++;
        status = redact_line(w, w->places[i].line, &w->places[i], end - i, error);
    }
    return status;
}

/* ---- cells ---------------------------------------------------------------------------------
 */

static bool is_touched(const work *w, const vl_block *block, const vl_cell *cell) {
    for (size_t i = 0; i < w->place_count; i++)
        if (w->places[i].touched && is_of_block(&w->places[i], block) &&
            holds(cell->box, w->places[i].box))
            return true;
    return false;
}

static vl_status redact_cells(work *w, vl_block *block, vl_error *error) {
    for (size_t c = 0; c < block->cell_count; c++) {
        vl_cell *cell = &block->cells[c];
        vl_buf text;
        if (!is_touched(w, block, cell))
            continue;
        vl_buf_init(&text, TEXT_MAX);
        for (size_t l = 0; l < block->line_count; l++)
            for (size_t i = 0; i < block->lines[l].word_count; i++) {
                const vl_word *word = &block->lines[l].words[i];
                if (holds(cell->box, word->box))
                    vl_buf_printf(&text, "%s%s", text.len ? " " : "", word->text);
            }
        cell->text = text.failed ? NULL : vl_arena_strdup(w->arena, text.data ? text.data : "");
        vl_buf_deinit(&text);
        if (!cell->text)
            return vl_fail(error, VL_ERR_MEMORY, "no memory to redact a table");
    }
    return VL_OK;
}

/* ---- picture -------------------------------------------------------------------------------
 */

/* Boxes end at the ink an engine saw: a fifth of the height more, and two pixels. */
static void paint(vl_image *image, vl_box box) {
    int64_t grow = box.height / 5 + 2;
    int64_t x0 = box.x - grow, y0 = box.y - grow;
    int64_t x1 = (int64_t)box.x + box.width + grow, y1 = (int64_t)box.y + box.height + grow;
    x0 = x0 < 0 ? 0 : x0;
    y0 = y0 < 0 ? 0 : y0;
    x1 = x1 > image->width ? image->width : x1;
    y1 = y1 > image->height ? image->height : y1;
    for (int64_t y = y0; y < y1 && x0 < x1; y++)
        memset(image->pixels + (size_t)y * image->stride + (size_t)x0 * image->channels, 0,
               (size_t)(x1 - x0) * image->channels);
}

/* Also what lies between two words of one find. */
static void paint_all(const work *w, vl_image *image) {
    for (size_t i = 0; i < w->place_count; i++) {
        const place *p = &w->places[i];
        if (!p->touched)
            continue;
        paint(image, p->box);
        bool next = i + 1 < w->place_count && p[1].touched && p[1].line == p->line;
        for (size_t f = 0; f < w->find_count && next; f++)
            if (w->finds[f].start < p->end && w->finds[f].end > p[1].start)
                paint(image, around(p->box, p[1].box));
    }
}

vl_status vl_page_redact(vl_page *page, vl_image *picture, vl_arena *arena, vl_error *error) {
    work w = {.page = page, .arena = arena};
    vl_buf_init(&w.text, TEXT_MAX);
    vl_status status = map_words(&w, error);
    if (!status)
        status = find_all(&w, error);
    if (!status && w.find_count)
        status = redact_lines(&w, error);
    for (size_t b = 0; b < page->block_count && !status && w.find_count; b++)
        status = redact_cells(&w, &page->blocks[b], error);
    if (!status && picture)
        paint_all(&w, picture);
    page->redacted = true;
    page->redactions = w.find_count;
    vl_buf_deinit(&w.text);
    return status;
}
