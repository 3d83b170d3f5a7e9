/* Any text as a page's, and its first line as the instruction: facts and answers must come out,
 * their boxes on the page. */
#include <stdlib.h>
#include <string.h>
#include "answer/reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_LINES = 64, MAX_WORDS = 64 };

static vl_page *page_of(vl_arena *arena, char *text) {
    vl_page *page = vl_arena_alloc(arena, sizeof *page);
    vl_block *block = vl_arena_alloc(arena, sizeof *block);
    *page = (vl_page){.width = 1000, .height = 1000, .blocks = block, .block_count = 1};
    block->kind = text[0] & 1 ? VL_BLOCK_PARAGRAPH : VL_BLOCK_TITLE;
    block->lines = vl_arena_array(arena, MAX_LINES, sizeof *block->lines);
    char *line_save = NULL;
    for (char *line = strtok_r(text, "\n", &line_save); line && block->line_count < MAX_LINES;
         line = strtok_r(NULL, "\n", &line_save)) {
        vl_line *l = &block->lines[block->line_count];
        char *word_save = NULL;
        l->words = vl_arena_array(arena, MAX_WORDS, sizeof *l->words);
        for (char *word = strtok_r(line, " ", &word_save); word && l->word_count < MAX_WORDS;
             word = strtok_r(NULL, " ", &word_save)) {
            int32_t x = 10 * (int32_t)l->word_count;
            l->words[l->word_count++] = (vl_word){
                .text = vl_text_nfc(arena, word), .box = {x, 0, 9, 9}, .confidence = 0.9};
        }
        l->box = (vl_box){0, 0, 640, 9};
        block->line_count += l->word_count > 0;
    }
    return page;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    static place_names *places;
    if (!arena) {
        arena = vl_arena_new(256 << 20);
        places = place_names_new(NULL);
    }
    if (size > 4096)
        return 0;
    char *text = vl_arena_strndup(arena, (const char *)data, size);
    char *instruction = vl_text_nfc(arena, vl_arena_strndup(arena, text, strcspn(text, "\n")));
    vl_page *page = page_of(arena, text);
    reading r;
    reading_make(&r, &page, 1, arena);
    r.places = places;
    find_titles(&r);
    find_dates(&r);
    find_contacts(&r);
    find_amounts(&r);
    find_fields(&r);
    find_places(&r);
    for (size_t i = 0; i < r.fact_count; i++) {
        const vl_fact *f = &r.facts[i];
        if (!f->text || f->box.x < 0 || f->box.x + f->box.width > 1000 || f->confidence > 1)
            abort();
    }
    vl_picture_look look = {.kind = VL_PICTURE_PAGE};
    vl_answer answer = {.document_pages = 1};
    answer.document_kind = guess_document_kind(&r, &look).name;
    respond(&r, instruction, &answer);
    if (!answer.response || answer.confidence > 1)
        abort();
    vl_arena_reset(arena);
    return 0;
}
