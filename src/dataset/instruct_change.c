/* instruct_change.c — what is different from an older state of the document: values of a table
 * that changed, and paragraphs that were changed, added or removed.
 *
 * Only what is certain: a table is compared with the one older table that has its heads, and a
 * paragraph is looked for between neighbours that stand unchanged, once, in both states. */
#include "dataset/instruct_make.h"

#include "dataset/grid.h"

#include <string.h>

enum {
    VALUES_MOST = 4,
    PASSAGE_BYTES = 700, /* of a paragraph that is quoted */
    TABLES_MOST = 64,
    GRAM = 4,
    BUCKETS = 4096,
};
#define ROWS_SHARED 0.6 /* of a table's rows, to be the same table */
#define SIMILAR 0.5     /* of two paragraphs, to be two states of one */

/* ---- tables ----------------------------------------------------------------------------- */

static bool same_heads(const grid *a, const grid *b) {
    if (a->columns != b->columns)
        return false;
    for (size_t i = 1; i < a->columns; i++)
        if (strcmp(a->heads[i].name, b->heads[i].name) != 0)
            return false;
    return true;
}

/* The row of that name; GRID_NONE: there is none. */
static int row_of(const grid *g, const char *name) {
    for (size_t r = 0; *name && r < g->rows; r++)
        if (!strcmp(g->names[r], name))
            return (int)r;
    return GRID_NONE;
}

static bool same_table(const grid *now, const grid *before) {
    size_t shared = 0, named = 0;
    if (!same_heads(now, before))
        return false;
    for (size_t r = 0; r < now->rows; r++) {
        named += *now->names[r] != '\0';
        shared += row_of(before, now->names[r]) != GRID_NONE;
    }
    return named && (double)shared >= ROWS_SHARED * (double)named;
}

static const char *caption_of(const vl_parts *parts, const vl_part *part) {
    return part->caption < parts->part_count ? parts->parts[part->caption].text : "";
}

/* The one older table that this is a later state of; where several have its heads, the one with
 * its caption. */
static bool older_table(candidates *c, const vl_part *table, const grid *now, grid *before) {
    const vl_parts *older = c->subject->older;
    const char *caption = caption_of(c->subject->parts, table);
    size_t alike = 0, captioned = 0, tables = 0;
    grid other, with_caption = {0};
    for (size_t i = 0; i < older->part_count && tables < TABLES_MOST; i++) {
        const vl_part *part = &older->parts[i];
        if (part->kind != VL_PART_TABLE || part->column_count != table->column_count)
            continue;
        tables++;
        if (!candidates_grid(c, part, &other) || !same_table(now, &other))
            continue;
        *before = other;
        alike++;
        if (*caption && !strcmp(caption, caption_of(older, part))) {
            with_caption = other;
            captioned++;
        }
    }
    if (captioned == 1)
        *before = with_caption;
    return alike == 1 || captioned == 1;
}

static bool quotable(const char *text, size_t most) {
    return *text && strlen(text) <= most && !strpbrk(text, "\n\t");
}

static void values(candidates *c, const vl_part *table) {
    grid now, before = {0};
    size_t made = 0;
    if (!candidates_grid(c, table, &now) || !older_table(c, table, &now, &before))
        return;
    size_t count = now.rows * now.columns, from = vl_random_below(&c->random, count);
    for (size_t i = 0; i < count && made < VALUES_MOST; i++) {
        size_t row = (from + i) % count / now.columns, column = (from + i) % now.columns;
        int old_row = column ? row_of(&before, now.names[row]) : GRID_NONE;
        const char *text = grid_cell(&now, row, column);
        if (old_row == GRID_NONE || !quotable(now.heads[column].name, PASSAGE_BYTES) ||
            !quotable(text, PASSAGE_BYTES))
            continue;
        const char *old = grid_cell(&before, (size_t)old_row, column);
        if (!cells_differ(text, old) || !quotable(old, PASSAGE_BYTES))
            continue;
        candidate item = candidate_of(c, PHRASE_CHANGE_VALUE, text);
        const table_number *number = grid_number(&now, row, column);
        item.values.values[PHRASE_ROW] = now.names[row];
        item.values.values[PHRASE_COLUMN] = now.heads[column].name;
        item.values.values[PHRASE_VALUE] = old;
        item.neutral = number->reads[0] || number->reads[1];
        candidates_add(c, &item);
        made++;
    }
}

/* ---- paragraphs ------------------------------------------------------------------------- */

static bool is_passage(const vl_part *part) {
    return *part->text && (part->kind == VL_PART_PARAGRAPH || part->kind == VL_PART_HEADING ||
                           part->kind == VL_PART_LIST);
}

/* The passage after `index`, or before it; VL_PART_NONE. */
static size_t beside(const vl_parts *parts, size_t index, bool after) {
    while (after ? ++index < parts->part_count : index-- > 0)
        if (is_passage(&parts->parts[index]))
            return index;
    return VL_PART_NONE;
}

/* Where exactly that text stands; VL_PART_NONE: nowhere, or more than once. */
static size_t find_once(const vl_parts *parts, const char *text) {
    size_t found = VL_PART_NONE;
    for (size_t i = 0; i < parts->part_count; i++) {
        if (!is_passage(&parts->parts[i]) || strcmp(parts->parts[i].text, text) != 0)
            continue;
        if (found != VL_PART_NONE)
            return VL_PART_NONE;
        found = i;
    }
    return found;
}

static bool is_anywhere(const vl_parts *parts, const char *text) {
    for (size_t i = 0; i < parts->part_count; i++)
        if (!strcmp(parts->parts[i].text, text))
            return true;
    return false;
}

static size_t count_grams(const char *text, uint16_t counts[BUCKETS]) {
    size_t bytes = strlen(text), grams = bytes < GRAM ? 0 : bytes - GRAM + 1;
    for (size_t i = 0; i < grams && i < UINT16_MAX; i++) {
        uint32_t gram;
        memcpy(&gram, text + i, sizeof gram);
        counts[(gram * 2654435761u) >> 20]++;
    }
    return grams;
}

/* Dice's coefficient of runs of four bytes. */
static double similarity(const char *a, const char *b) {
    uint16_t of_a[BUCKETS] = {0}, of_b[BUCKETS] = {0};
    size_t all = count_grams(a, of_a) + count_grams(b, of_b), shared = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        shared += of_a[i] < of_b[i] ? of_a[i] : of_b[i];
    return all ? 2.0 * (double)shared / (double)all : 0;
}

/* A passage that is not in the older state, between two that are: it was added where those
 * stood together, and changed where one passage like it stood between them. */
static void new_passage(candidates *c, size_t index) {
    const vl_parts *now = c->subject->parts, *before = c->subject->older;
    size_t above = beside(now, index, false), below = beside(now, index, true);
    if (above == VL_PART_NONE || below == VL_PART_NONE)
        return;
    const char *first = now->parts[above].text, *last = now->parts[below].text;
    const char *text = now->parts[index].text;
    size_t old_above = find_once(before, first), old_below = find_once(before, last);
    if (old_above == VL_PART_NONE || old_below == VL_PART_NONE)
        return;
    size_t between = beside(before, old_above, true);
    if (between == old_below && quotable(first, PASSAGE_BYTES) &&
        quotable(last, PASSAGE_BYTES)) {
        candidate item = candidate_of(c, PHRASE_CHANGE_ADDED, text);
        item.values.values[PHRASE_BEFORE] = first;
        item.values.values[PHRASE_AFTER] = last;
        candidates_add(c, &item);
    } else if (between != VL_PART_NONE && beside(before, between, true) == old_below) {
        const char *old = before->parts[between].text;
        if (!quotable(old, PASSAGE_BYTES) || is_anywhere(now, old) ||
            similarity(old, text) < SIMILAR)
            return;
        candidate item = candidate_of(c, PHRASE_CHANGE_TEXT, text);
        item.values.values[PHRASE_TEXT_ARG] = old;
        candidates_add(c, &item);
    }
}

/* A passage that was there before, with one after it that is gone, while the next is there. */
static void kept_passage(candidates *c, size_t index, size_t old_index) {
    const vl_parts *now = c->subject->parts, *before = c->subject->older;
    size_t next = beside(now, index, true), gone = beside(before, old_index, true);
    size_t old_next = next == VL_PART_NONE ? next : find_once(before, now->parts[next].text);
    if (old_next == VL_PART_NONE || gone == VL_PART_NONE ||
        beside(before, gone, true) != old_next || is_anywhere(now, before->parts[gone].text))
        return;
    const char *kept = now->parts[index].text, *removed = before->parts[gone].text;
    if (!quotable(kept, PASSAGE_BYTES) || !quotable(removed, PASSAGE_BYTES))
        return;
    candidate item = candidate_of(c, PHRASE_CHANGE_REMOVED, removed);
    item.values.values[PHRASE_TEXT_ARG] = vl_arena_printf(c->arena, "%s %s", kept, removed);
    c->no_memory |= !item.values.values[PHRASE_TEXT_ARG];
    candidates_add(c, &item);
}

static void passage(candidates *c, size_t index) {
    const vl_part *part = &c->subject->parts->parts[index];
    size_t old = find_once(c->subject->older, part->text);
    if (old != VL_PART_NONE)
        kept_passage(c, index, old);
    else if (!is_anywhere(c->subject->older, part->text))
        new_passage(c, index);
}

void make_of_changes(candidates *c) {
    const instruct_subject *s = c->subject;
    const vl_part *part = subject_part(s);
    if (!s->older || !part || !(c->options->kinds >> VL_ITEM_CHANGE & 1))
        return;
    if (part->kind == VL_PART_TABLE)
        values(c, part);
    for (size_t i = s->part; !s->pair && i < (s->end ? s->end : s->part + 1); i++)
        if (is_passage(&s->parts->parts[i]))
            passage(c, i);
}
