/* flow.c — see flow.h. */
#include "dataset/flow.h"

#include <string.h>

/* ---- text -------------------------------------------------------------------------------- */

void flow_text_init(flow_text *t) {
    *t = (flow_text){0};
    vl_buf_init(&t->text, FLOW_TEXT_MAX);
}

void flow_text_deinit(flow_text *t) {
    vl_buf_deinit(&t->text);
}

static void speak(flow_text *t, const char *language, size_t bytes) {
    size_t i = 0;
    if (!*language)
        return;
    while (i < t->spoken_count && strcmp(t->spoken[i].language, language) != 0)
        i++;
    if (i == FLOW_LANGUAGES)
        return;
    if (i == t->spoken_count)
        memcpy(t->spoken[t->spoken_count++].language, language, VL_LANG_SIZE);
    t->spoken[i].bytes += bytes;
}

void flow_text_put(flow_text *t, const char *text, const char *language) {
    speak(t, language, strlen(text));
    while (*text) {
        size_t length = strcspn(text, "\t\r\n");
        vl_buf_append(&t->text, text, length);
        text += length;
        if (*text) {
            vl_buf_puts(&t->text, " ");
            text++;
        }
    }
}

void flow_text_break(flow_text *t) {
    vl_buf_puts(&t->text, "\n");
}

void flow_text_unbreak(flow_text *t) {
    for (size_t i = 0; i < t->text.len; i++)
        if (t->text.data[i] == '\n')
            t->text.data[i] = ' ';
}

void flow_text_language(const flow_text *t, char out[VL_LANG_SIZE]) {
    size_t best = 0;
    for (size_t i = 1; i < t->spoken_count; i++)
        if (t->spoken[i].bytes > t->spoken[best].bytes)
            best = i;
    if (t->spoken_count)
        memcpy(out, t->spoken[best].language, VL_LANG_SIZE);
}

static void add_languages(flow_text *to, const flow_text *from) {
    for (size_t i = 0; i < from->spoken_count; i++)
        speak(to, from->spoken[i].language, from->spoken[i].bytes);
}

static void move(flow_text *to, flow_text *from, const char *between) {
    if (to->text.len)
        vl_buf_puts(&to->text, between);
    vl_buf_append(&to->text, from->text.data ? from->text.data : "", from->text.len);
    to->text.failed |= from->text.failed;
    add_languages(to, from);
    vl_buf_clear(&from->text);
    from->spoken_count = 0;
}

/* NULL: it is empty, or the builder has failed. */
static const char *take(flow *f, flow_text *t) {
    const char *text = NULL;
    if (t->text.failed && !f->b->status)
        f->b->status = vl_fail(f->b->error, VL_ERR_LIMIT, "a paragraph has more than %d bytes",
                               FLOW_TEXT_MAX);
    if (t->text.len)
        text = parts_text(f->b, t->text.data, true);
    vl_buf_clear(&t->text);
    return text && *text ? text : NULL;
}

static bool is_blank(const flow_text *t) {
    return !t->text.len || strspn(t->text.data, " \t\n") == t->text.len;
}

/* ---- parts ------------------------------------------------------------------------------- */

void flow_init(flow *f, parts_builder *b) {
    *f = (flow){.b = b};
    flow_text_init(&f->items);
}

void flow_deinit(flow *f) {
    flow_text_deinit(&f->items);
}

static void defer(flow *f, const vl_part *part) {
    parts_builder *b = f->b;
    if (b->status)
        return;
    if (f->waiting_count == f->waiting_capacity) {
        size_t more = f->waiting_capacity ? f->waiting_capacity * 2 : 16;
        vl_part *parts =
            more > 2 * b->options->max_parts + 16
                ? NULL
                : vl_arena_grow(b->arena, f->waiting, f->waiting_count * sizeof *parts,
                                more * sizeof *parts);
        if (!parts) {
            b->status = vl_fail(b->error, VL_ERR_LIMIT,
                                "the document has more pictures and notes in one place than "
                                "there is memory for");
            return;
        }
        f->waiting = parts;
        f->waiting_capacity = more;
    }
    f->waiting[f->waiting_count++] = *part;
}

/* What waits is added where nothing holds it any more. */
static void settle(flow *f) {
    if (f->held || f->cell || f->list)
        return;
    for (size_t i = 0; i < f->waiting_count; i++)
        parts_add(f->b, &f->waiting[i], NULL);
    f->waiting_count = 0;
}

static void emit(flow *f, const vl_part *part) {
    if (f->held)
        defer(f, part);
    else
        parts_add(f->b, part, NULL);
}

static void emit_text(flow *f, vl_part_kind kind, uint32_t level, flow_text *t) {
    vl_part part = parts_blank(kind);
    flow_text_language(t, part.declared);
    part.level = level;
    t->spoken_count = 0;
    const char *text = take(f, t);
    if (!text)
        return;
    part.text = text;
    emit(f, &part);
}

void flow_list_end(flow *f) {
    if (!f->list)
        return;
    f->list = 0;
    emit_text(f, VL_PART_LIST, 0, &f->items);
    settle(f);
}

void flow_paragraph(flow *f, vl_part_kind kind, uint32_t level, flow_text *t) {
    if (f->cell) {
        move(f->cell, t, "\n");
        return;
    }
    if (!is_blank(t)) {
        flow_list_end(f);
        emit_text(f, kind, level, t);
    }
    settle(f);
}

void flow_item(flow *f, long list, bool item, flow_text *t) {
    if (f->cell) {
        move(f->cell, t, "\n");
        return;
    }
    if (is_blank(t))
        return;
    if (f->list != list)
        flow_list_end(f);
    f->list = list;
    flow_text_unbreak(t); /* a line is an item */
    move(&f->items, t, item ? "\n" : " ");
}

void flow_picture(flow *f, vl_part_kind kind, const char *source, const char *text) {
    parts_builder *b = f->b;
    vl_part part = parts_blank(kind);
    part.text = parts_text(b, text, false);
    part.source = *source ? vl_arena_strdup(b->arena, source) : NULL;
    if (*source && !part.source && !b->status)
        b->status = vl_fail(b->error, VL_ERR_MEMORY, "out of memory");
    if (b->status)
        return;
    if (f->list || f->cell)
        defer(f, &part);
    else
        emit(f, &part);
}

void flow_note(flow *f, const char *text, const char *language) {
    vl_part part = parts_blank(VL_PART_PARAGRAPH);
    memcpy(part.declared, language, VL_LANG_SIZE);
    part.text = text;
    defer(f, &part);
}

void flow_hold(flow *f) {
    if (!f->cell)
        flow_list_end(f);
    f->held++;
}

void flow_release(flow *f) {
    if (!f->cell)
        flow_list_end(f);
    f->held--;
}

/* What most of the text says that it is in, unless the document said so of itself. */
static void declare_document(vl_parts *out) {
    flow_text all = {0};
    for (size_t i = 0; i < out->part_count; i++)
        speak(&all, out->parts[i].declared, strlen(out->parts[i].text));
    if (!*out->declared)
        flow_text_language(&all, out->declared);
}

void flow_end(flow *f) {
    flow_list_end(f);
    settle(f);
    declare_document(f->b->out);
}

/* ---- tables ------------------------------------------------------------------------------ */

flow_table *flow_table_begin(flow *f) {
    flow_list_end(f);
    flow_table *t = vl_arena_alloc(f->b->arena, sizeof *t);
    if (t)
        t->table = parts_table_new(f->b);
    else if (!f->b->status)
        f->b->status = vl_fail(f->b->error, VL_ERR_MEMORY, "out of memory");
    if (!t || !t->table)
        return NULL;
    flow_text_init(&t->cell);
    flow_text_init(&t->all);
    return t;
}

void flow_table_end(flow *f, flow_table *t) {
    vl_part part = parts_blank(VL_PART_TABLE);
    flow_text_language(&t->all, part.declared);
    if (parts_table_finish(t->table, &part))
        emit(f, &part);
    flow_text_deinit(&t->cell);
    flow_text_deinit(&t->all);
    settle(f);
}

void flow_cell_begin(flow *f, flow_table *t) {
    f->cell = &t->cell;
}

static void place(flow *f, flow_table *t, vl_part_cell at) {
    parts_builder *b = f->b;
    size_t before = t->table->count;
    if ((at.row >= PARTS_ROWS_MAX || at.column >= PARTS_COLUMNS_MAX) && !b->status)
        b->status =
            vl_fail(b->error, VL_ERR_LIMIT, "a table has more than %d rows or %d columns",
                    PARTS_ROWS_MAX, PARTS_COLUMNS_MAX);
    if (b->status || parts_table_cell_at(t->table, at) || t->table->count == before)
        return;
    const vl_part_cell *cell = &t->table->cells[before];
    if (!before || cell[-1].row != cell->row)
        t->row_start = before;
    for (uint32_t i = 0; i < cell->column_span; i++)
        t->above[cell->column + i] = before + 1;
}

void flow_cell_end(flow *f, flow_table *t, vl_part_cell at, uint32_t times) {
    f->cell = NULL;
    add_languages(&t->all, &t->cell);
    t->cell.spoken_count = 0;
    const char *text = take(f, &t->cell);
    at.text = text ? text : "";
    for (uint32_t i = 0; i < times && !f->b->status; i++, at.column++)
        place(f, t, at);
}

bool flow_cell_is_empty(const flow_table *t) {
    return is_blank(&t->cell);
}

void flow_cell_drop(flow *f, flow_table *t) {
    f->cell = NULL;
    vl_buf_clear(&t->cell.text);
    t->cell.spoken_count = 0;
}

bool flow_cell_merge(flow_table *t, uint32_t row, uint32_t column) {
    if (column >= PARTS_COLUMNS_MAX || !t->above[column])
        return false;
    vl_part_cell *cell = &t->table->cells[t->above[column] - 1];
    if (row != cell->row + cell->row_span)
        return row < cell->row + cell->row_span && row > cell->row;
    if (cell->row_span < PARTS_ROWS_MAX)
        cell->row_span++;
    return true;
}

uint32_t flow_row_repeat(flow *f, flow_table *t, uint32_t row, uint32_t times) {
    size_t from = t->row_start, to = t->table->count;
    bool any = false;
    for (size_t i = from; i < to; i++)
        any |= *t->table->cells[i].text && t->table->cells[i].row + 1 == row;
    if (!any)
        return 0;
    for (uint32_t k = 0; k < times && !f->b->status; k++)
        for (size_t i = from; i < to && !f->b->status; i++) {
            vl_part_cell cell = t->table->cells[i];
            cell.row = row + k;
            place(f, t, cell);
        }
    return times;
}
