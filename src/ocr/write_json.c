/* write_json.c — pages as JSON objects (docs/formats.md). */
#include "ocr/writer.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
    [VL_BLOCK_PARAGRAPH] = "paragraph",
    [VL_BLOCK_TITLE] = "title",
    [VL_BLOCK_TABLE] = "table",
    [VL_BLOCK_FIGURE] = "figure",
};

/* Numbers to four places: more is noise, and makes files a third larger. */
static void add_number(cJSON *to, const char *name, double value) {
    cJSON_AddNumberToObject(to, name, round(value * 1e4) / 1e4);
}

static void add_box(cJSON *to, vl_box box) {
    int values[4] = {box.x, box.y, box.width, box.height};
    cJSON_AddItemToObject(to, "box", cJSON_CreateIntArray(values, 4));
}

static void add_text(cJSON *to, vl_arena *arena, char *(*text_of)(vl_arena *, const void *),
                     const void *of) {
    vl_arena_reset(arena);
    const char *text = text_of(arena, of);
    cJSON_AddStringToObject(to, "text", text ? text : "");
}

static char *line_text(vl_arena *arena, const void *line) {
    return vl_line_text(arena, line);
}

static char *block_text(vl_arena *arena, const void *block) {
    return vl_block_text(arena, block);
}

static void add_vote(cJSON *to, const vl_word_vote *vote) {
    add_number(to, "posterior", vote->posterior);
    cJSON *hypotheses = cJSON_AddArrayToObject(to, "hypotheses");
    for (size_t i = 0; i < vote->count; i++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "engine", vote->said[i].engine);
        cJSON_AddStringToObject(o, "text", vote->said[i].text);
        add_number(o, "probability", vote->said[i].probability);
        add_number(o, "weight", vote->said[i].weight);
        cJSON_AddItemToArray(hypotheses, o);
    }
}

static cJSON *word_json(const vl_word *word) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "text", word->text);
    add_box(o, word->box);
    add_number(o, "confidence", word->confidence);
    if (word->vote)
        add_vote(o, word->vote);
    return o;
}

static cJSON *line_json(const vl_line *line, vl_arena *arena) {
    cJSON *o = cJSON_CreateObject();
    add_text(o, arena, line_text, line);
    add_box(o, line->box);
    add_number(o, "confidence", line->confidence);
    cJSON *words = cJSON_AddArrayToObject(o, "words");
    for (size_t i = 0; i < line->word_count; i++)
        cJSON_AddItemToArray(words, word_json(&line->words[i]));
    return o;
}

static void add_table(cJSON *to, const vl_block *block) {
    cJSON *table = cJSON_AddObjectToObject(to, "table");
    cJSON_AddNumberToObject(table, "rows", (double)block->row_count);
    cJSON_AddNumberToObject(table, "columns", (double)block->column_count);
    cJSON *cells = cJSON_AddArrayToObject(table, "cells");
    for (size_t i = 0; i < block->cell_count; i++) {
        const vl_cell *cell = &block->cells[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddNumberToObject(o, "row", (double)cell->row);
        cJSON_AddNumberToObject(o, "column", (double)cell->column);
        if (cell->row_span > 1)
            cJSON_AddNumberToObject(o, "row_span", (double)cell->row_span);
        if (cell->column_span > 1)
            cJSON_AddNumberToObject(o, "column_span", (double)cell->column_span);
        add_box(o, cell->box);
        cJSON_AddStringToObject(o, "text", cell->text);
        cJSON_AddItemToArray(cells, o);
    }
}

static cJSON *block_json(const vl_block *block, vl_arena *arena) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "kind", kind_names[block->kind]);
    add_box(o, block->box);
    add_number(o, "confidence", block->confidence);
    add_text(o, arena, block_text, block);
    cJSON *lines = cJSON_AddArrayToObject(o, "lines");
    for (size_t i = 0; i < block->line_count; i++)
        cJSON_AddItemToArray(lines, line_json(&block->lines[i], arena));
    if (block->kind == VL_BLOCK_TABLE)
        add_table(o, block);
    return o;
}

static void add_languages(cJSON *to, const vl_page *page) {
    cJSON *languages = cJSON_AddArrayToObject(to, "languages");
    for (size_t i = 0; i < page->language_count; i++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "code", page->languages[i].code);
        cJSON_AddStringToObject(o, "name", vl_lang_name(page->languages[i].code));
        add_number(o, "probability", page->languages[i].probability);
        cJSON_AddItemToArray(languages, o);
    }
}

/* So that corrections of the page are recorded under the same key as its votes. */
static void add_key(cJSON *to, const vl_page_key *key) {
    const char *const parts[][2] = {{"script", key->script},
                                    {"language", key->language},
                                    {"degradation", key->degradation},
                                    {"source", key->source}};
    cJSON *o = cJSON_AddObjectToObject(to, "record");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i][1] && *parts[i][1])
            cJSON_AddStringToObject(o, parts[i][0], parts[i][1]);
}

static void add_unread(cJSON *to, const vl_unread *unread) {
    cJSON *o = cJSON_AddObjectToObject(to, "unread");
    cJSON_AddStringToObject(o, "script", unread->script);
    add_number(o, "probability", unread->probability);
    cJSON_AddStringToObject(o, "message", unread->message);
}

cJSON *vl_page_to_json(const vl_page *page) {
    enum { LINE_ARENA_BYTES = 64 << 20 };
    vl_arena *arena = vl_arena_new(LINE_ARENA_BYTES);
    cJSON *o = arena ? cJSON_CreateObject() : NULL;
    if (!o) {
        vl_arena_free(arena);
        return NULL;
    }
    cJSON_AddNumberToObject(o, "width", page->width);
    cJSON_AddNumberToObject(o, "height", page->height);
    add_number(o, "dpi", page->dpi);
    cJSON_AddNumberToObject(o, "rotation", page->rotation);
    add_number(o, "skew", page->skew);
    add_number(o, "confidence", page->confidence);
    cJSON_AddStringToObject(o, "script", page->script);
    add_languages(o, page);
    if (page->redacted)
        cJSON_AddNumberToObject(o, "redacted", (double)page->redactions);
    if (page->unread)
        add_unread(o, page->unread);
    cJSON_AddStringToObject(o, "engine", page->engine ? page->engine : "");
    add_number(o, "milliseconds", round(page->milliseconds * 10) / 10);
    if (page->key)
        add_key(o, page->key);
    cJSON *blocks = cJSON_AddArrayToObject(o, "blocks");
    for (size_t i = 0; i < page->block_count; i++)
        cJSON_AddItemToArray(blocks, block_json(&page->blocks[i], arena));
    vl_arena_free(arena);
    return o;
}

/* ---- the document, a page at a time
 * ---------------------------------------------------------- */

static vl_status put_json(vl_ocr_writer *w, cJSON *o, vl_error *error) {
    char *text = o ? cJSON_PrintUnformatted(o) : NULL;
    cJSON_Delete(o);
    if (!text)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a page of JSON");
    vl_buf_puts(&w->buf, text);
    cJSON_free(text);
    return VL_OK;
}

static vl_status json_begin(vl_ocr_writer *w, vl_error *error) {
    vl_buf_puts(&w->buf, "{\"source\":");
    vl_status status = put_json(w, cJSON_CreateString(w->source), error);
    vl_buf_puts(&w->buf, ",\"pages\":[");
    return status;
}

/* {"page":N, …the object's own members}. */
static vl_status put_page(vl_ocr_writer *w, cJSON *members, vl_error *error) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "page", w->pages + 1);
    for (cJSON *item; members && (item = cJSON_DetachItemFromArray(members, 0));)
        cJSON_AddItemToObject(o, item->string, item);
    bool whole = members != NULL;
    cJSON_Delete(members);
    if (!whole) {
        cJSON_Delete(o);
        o = NULL;
    }
    vl_buf_puts(&w->buf, w->pages ? ",\n" : "\n");
    return put_json(w, o, error);
}

/* "file" of each figure, in their order on the page. */
static void link_figures(const vl_ocr_writer *w, cJSON *page) {
    char path[4200];
    size_t number = 0;
    cJSON *block;
    cJSON_ArrayForEach(block, cJSON_GetObjectItem(page, "blocks")) {
        const char *kind = cJSON_GetStringValue(cJSON_GetObjectItem(block, "kind"));
        if (!kind || strcmp(kind, kind_names[VL_BLOCK_FIGURE]) != 0)
            continue;
        snprintf(path, sizeof path, "%s-%u-%zu.png", w->figures, w->pages + 1, ++number);
        cJSON_AddStringToObject(block, "file", path);
    }
}

static vl_status json_page(vl_ocr_writer *w, const vl_page *page, const vl_image *picture,
                           vl_error *error) {
    (void)picture;
    cJSON *object = vl_page_to_json(page);
    if (object && w->figures)
        link_figures(w, object);
    return put_page(w, object, error);
}

static vl_status json_bad_page(vl_ocr_writer *w, const vl_error *reason, vl_error *error) {
    cJSON *o = cJSON_CreateObject();
    cJSON *problem = cJSON_AddObjectToObject(o, "error");
    cJSON_AddStringToObject(problem, "status", vl_status_name(reason->status));
    cJSON_AddStringToObject(problem, "message", reason->message);
    return put_page(w, o, error);
}

static vl_status json_end(vl_ocr_writer *w, vl_error *error) {
    (void)error;
    vl_buf_puts(&w->buf, "\n]}\n");
    return VL_OK;
}

const vl_format_ops vl_format_json = {.name = "json",
                                      .extension = ".json",
                                      .begin = json_begin,
                                      .page = json_page,
                                      .bad_page = json_bad_page,
                                      .end = json_end};
