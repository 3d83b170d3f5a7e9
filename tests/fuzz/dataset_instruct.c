/* Any text as a passage, a caption or a table, beside an older state of it: instructions and
 * responses are UTF-8 and not empty, and the same twice. */
#include <stdlib.h>
#include <string.h>

#include "dataset/instruct.h"
#include "dataset/pairs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 4096, PARTS_MAX = 32, CELLS_MAX = 256 };

static void check_text(const char *text) {
    size_t length = strlen(text);
    if (!length || vl_utf8_valid_prefix(text, length) != length)
        abort();
}

static void ask(const phrases *served, const instruct_subject *subject, vl_arena *arena) {
    static const char *const targets[] = {"ara", "ukr"};
    instruct_options options = instruct_options_default();
    example *examples, *again;
    size_t count, count_again;
    options.target_languages = targets;
    options.target_count = 2;
    options.most = 40;
    if (instruct_examples(served, subject, &options, arena, &examples, &count, NULL) ||
        instruct_examples(served, subject, &options, arena, &again, &count_again, NULL))
        return; /* the arena is full */
    if (count != count_again)
        abort();
    for (size_t i = 0; i < count; i++) {
        check_text(examples[i].instruction);
        check_text(examples[i].text);
        if (strcmp(examples[i].instruction, again[i].instruction) != 0)
            abort();
    }
}

/* A line is a paragraph; a line with tabs a row of the table that is the last part. */
static size_t cut_up(char *text, vl_part *parts, vl_part_cell *cells) {
    size_t count = 0;
    vl_part table = {
        .kind = VL_PART_TABLE, .text = "", .cells = cells, .caption = VL_PART_NONE};
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (!strchr(line, '\t') && count + 1 < PARTS_MAX) {
            parts[count++] =
                (vl_part){.kind = VL_PART_PARAGRAPH, .text = line, .caption = VL_PART_NONE};
            continue;
        }
        uint32_t column = 0;
        for (char *cell = line; cell && table.cell_count < CELLS_MAX; column++) {
            char *end = strchr(cell, '\t');
            if (end)
                *end++ = '\0';
            cells[table.cell_count++] = (vl_part_cell){(uint32_t)table.row_count, column, 1, 1,
                                                       table.row_count == 0,      cell};
            cell = end;
        }
        table.row_count++;
        table.column_count = column > table.column_count ? column : table.column_count;
    }
    parts[count++] = table;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const languages[] = {"eng", "fra", "ara", "amh", "mya", "swa", "wol"};
    static vl_arena *arena;
    static phrases *served;
    static const pair captioned = {.origin = PAIR_CAPTION};
    vl_part now[PARTS_MAX], before[PARTS_MAX];
    vl_part_cell cells[CELLS_MAX], old_cells[CELLS_MAX];
    if (!arena)
        arena = vl_arena_new(64 << 20);
    if (!served && phrases_open(NULL, &served, NULL))
        abort();
    if (size < 2 || size > TEXT_MAX)
        return 0;
    vl_arena_reset(arena);
    char *raw = vl_arena_strndup(arena, (const char *)data + 1, size - 1);
    char *text = vl_text_nfc(arena, raw), *other = vl_text_nfc(arena, raw);
    if (!text || !other)
        return 0;
    vl_parts parts = {.parts = now, .part_count = cut_up(text, now, cells)};
    memmove(other, other + strcspn(other, "\n"), strlen(other + strcspn(other, "\n")) + 1);
    vl_parts older = {.parts = before, .part_count = cut_up(other, before, old_cells)};
    for (size_t i = 0; i < parts.part_count; i++) {
        instruct_subject subject = {.parts = &parts,
                                    .part = i,
                                    .text = now[i].text,
                                    .language = languages[data[0] % 7],
                                    .script = "Latn",
                                    .older = &older,
                                    .has_picture = true,
                                    .has_region = true,
                                    .crisis = "FL"};
        ask(served, &subject, arena);
        now[i].kind = now[i].kind == VL_PART_TABLE ? VL_PART_TABLE : VL_PART_CHART;
        subject.pair = &captioned;
        subject.has_picture = data[0] & 64;
        ask(served, &subject, arena);
        now[i].kind = now[i].kind == VL_PART_CHART ? VL_PART_PARAGRAPH : VL_PART_TABLE;
    }
    return 0;
}
