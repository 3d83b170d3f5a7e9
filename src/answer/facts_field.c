/* facts_field.c — titles, and "label: value" wherever a page has it: lines of a form, rows of a
 * table. */
#include "answer/reading.h"

#include <string.h>

enum { MAX_LABEL_WORDS = 6 };

void find_titles(reading *r) {
    for (size_t l = 0; l < r->line_count; l++) {
        const text_line *line = &r->lines[l];
        bool first_of_block = l == 0 || r->lines[l - 1].block != line->block;
        if (line->kind != VL_BLOCK_TITLE || !first_of_block || !line->count)
            continue;
        size_t last = l;
        while (last + 1 < r->line_count && r->lines[last + 1].block == line->block)
            last++;
        vl_fact *fact = add_fact(r, VL_FACT_TITLE, line, 0, line->count, NULL, 0.9);
        for (size_t i = l + 1; fact && i <= last && i < l + 3; i++) {
            const char *joined =
                vl_arena_printf(r->arena, "%s %s", fact->text, r->lines[i].text);
            fact->text = joined ? joined : fact->text;
            int32_t bottom = r->lines[i].box.y + r->lines[i].box.height;
            fact->box.height = bottom - fact->box.y;
        }
    }
}

/* Where a label ends: the index of the first word of the value, or 0. */
static size_t label_end(const text_line *line) {
    static const char *const marks[] = {":", "፦", "፡-", "፥", "：", "-", "–", "၊", NULL};
    for (size_t i = 0; i < line->count && i < MAX_LABEL_WORDS; i++) {
        const char *text = line->tokens[i].text;
        size_t length = strlen(text);
        bool ends = (length > 1 && text[length - 1] == ':') ||
                    (length > 3 &&
                     (!strcmp(text + length - 3, "፦") || !strcmp(text + length - 3, "：")));
        bool ethiopic = length > 4 &&
                        (!strcmp(text + length - 4, "፡-") || !strcmp(text + length - 4, "፦-"));
        if (ends || ethiopic)
            return i + 1;
        if (i > 0 && is_one_of(text, marks) && i + 1 < line->count)
            return i + 1;
    }
    return 0;
}

static void strip_label(char *label) {
    static const char *const tails[] = {":", "፦", "፡-", "-", "–", "：", " ", "፡", NULL};
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; tails[i]; i++) {
            size_t length = strlen(label), tail = strlen(tails[i]);
            if (length > tail && !strcmp(label + length - tail, tails[i])) {
                label[length - tail] = '\0';
                again = true;
            }
        }
    }
}

static const char *clean_label(reading *r, const char *text) {
    char *label = vl_arena_strdup(r->arena, text);
    if (label)
        strip_label(label);
    return label ? label : text;
}

static void line_field(reading *r, const text_line *line) {
    size_t value = label_end(line);
    if (!value || value >= line->count)
        return;
    vl_fact *fact = add_fact(r, VL_FACT_FIELD, line, value, line->count - value, NULL, 0.9);
    if (fact)
        fact->label = clean_label(r, line_slice(r, line, 0, value));
}

/* Tables: a cell's label is its row's first cell and its column's heading. */
static const vl_cell *cell_at(const vl_block *block, size_t row, size_t column) {
    for (size_t i = 0; i < block->cell_count; i++)
        if (block->cells[i].row == row && block->cells[i].column == column)
            return &block->cells[i];
    return NULL;
}

static void add_cell(reading *r, uint32_t page, const vl_block *block, const vl_cell *cell,
                     const char *label) {
    text_line line = {.page = page, .count = 1, .confidence = block->confidence};
    token only = {.text = cell->text, .box = cell->box, .confidence = block->confidence};
    line.tokens = &only;
    vl_fact *fact = add_fact(r, VL_FACT_FIELD, &line, 0, 1, NULL, 0.85);
    if (fact)
        fact->label = label;
}

static void table_fields(reading *r, uint32_t page, const vl_block *block) {
    for (size_t row = block->column_count > 2 ? 1 : 0; row < block->row_count; row++) {
        const vl_cell *head = cell_at(block, row, 0);
        for (size_t column = 1; head && column < block->column_count; column++) {
            const vl_cell *cell = cell_at(block, row, column);
            const vl_cell *top = block->column_count > 2 ? cell_at(block, 0, column) : NULL;
            if (!cell || !*cell->text)
                continue;
            const char *label = top && top != cell && *top->text
                                    ? vl_arena_printf(r->arena, "%s, %s", head->text, top->text)
                                    : head->text;
            add_cell(r, page, block, cell, label ? label : head->text);
        }
    }
}

void find_fields(reading *r) {
    for (size_t l = 0; l < r->line_count; l++)
        if (r->lines[l].kind != VL_BLOCK_TABLE)
            line_field(r, &r->lines[l]);
    for (size_t p = 0; p < r->page_count; p++)
        for (size_t b = 0; b < r->pages[p]->block_count; b++)
            if (r->pages[p]->blocks[b].kind == VL_BLOCK_TABLE)
                table_fields(r, (uint32_t)p, &r->pages[p]->blocks[b]);
}
