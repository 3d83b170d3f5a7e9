/* layout.c — an engine's lines as a page: blocks, titles, tables, figures, reading order.
 *
 * Lines come grouped by the engine's blocks and paragraphs. Tables are looked for first
 * (tables.c); then paragraphs are cut where the letter size changes, and large or centred short
 * ones become titles. At last blocks are put in reading order by the two rules of Breuel (High
 * Performance Document Layout Analysis, 2003): above comes before below when they share
 * columns; a column comes before the next one unless something that spans both lies between.
 *
 *   line_from_engine      boxes, baselines, x-height of one line
 *   layout_zone           columns, as gutters part them
 *   add_paragraphs        what is left, by paragraph
 *   order_blocks          reading order */
#include "ocr/layout_work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER_MAX = 1500, TITLE_LINES_MAX = 3 };
static const double TITLE_SIZE = 1.25; /* times the page's usual x-height */

static int by_number(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, size_t count) {
    if (!count)
        return 0;
    qsort(values, count, sizeof *values, by_number);
    return values[count / 2];
}

/* ---- lines ---------------------------------------------------------------------------- */

/* The lower half of letter heights is the x-height's: ascenders and capitals are the upper. */
static double x_height_of(const vl_ocr_survey *survey, vl_box box) {
    double heights[400];
    size_t n = 0;
    for (size_t i = 0; i < survey->mark_count && n < 400; i++) {
        vl_box m = survey->marks[i];
        if (m.y > box.y + box.height)
            break; /* marks come from the top */
        if (m.y < box.y - box.height / 4 || m.y + m.height > box.y + box.height * 5 / 4 ||
            m.x < box.x || m.x + m.width > box.x + box.width || m.height * 4 < box.height ||
            m.width > box.height * 4)
            continue;
        heights[n++] = m.height;
    }
    if (n < 2)
        return 0;
    qsort(heights, n, sizeof *heights, by_number);
    return heights[n * 2 / 5];
}

static bool line_from_engine(layout_work *w, size_t index) {
    const vl_engine_line *from = &w->reading->lines[index];
    vl_line *line = &w->lines[index];
    double scale = w->picture->scale;
    size_t rtl = 0, letters = 0;
    line->words = vl_arena_array(w->arena, from->word_count, sizeof *line->words);
    if (!line->words)
        return false;
    line->word_count = from->word_count;
    double sum = 0;
    for (size_t i = 0; i < from->word_count; i++) {
        line->words[i] = from->words[i];
        line->words[i].box = vl_ocr_picture_box(w->picture, from->words[i].box);
        line->box = layout_box_join(line->box, line->words[i].box);
        size_t length = strlen(from->words[i].text);
        rtl += vl_text_is_rtl(from->words[i].text) ? length : 0;
        letters += length;
        sum += from->words[i].confidence * (double)length;
    }
    line->confidence = letters ? sum / (double)letters : 0;
    line->rtl = rtl * 2 > letters;
    line->baseline_y0 = (int32_t)lround(from->baseline_y0 / scale);
    line->baseline_y1 = (int32_t)lround(from->baseline_y1 / scale);
    line->x_height = x_height_of(&w->picture->survey, line->box);
    return true;
}

static bool take_lines(layout_work *w) {
    size_t count = w->reading->line_count, rtl = 0, known = 0;
    w->lines = vl_arena_array(w->arena, count + 1, sizeof *w->lines);
    w->taken = vl_arena_array(w->arena, count + 1, sizeof *w->taken);
    double *heights = vl_arena_array(w->arena, count + 1, sizeof *heights);
    if (!w->lines || !w->taken || !heights)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!line_from_engine(w, i))
            return false;
        rtl += w->lines[i].rtl;
        if (w->lines[i].x_height > 0)
            heights[known++] = w->lines[i].x_height;
    }
    w->x_height = median(heights, known);
    w->rtl = rtl * 2 > count;
    return true;
}

vl_block *layout_block_add(layout_work *w, vl_block_kind kind) {
    vl_page *page = w->page;
    if (page->block_count == w->block_cap) {
        size_t cap = w->block_cap ? w->block_cap * 2 : 16;
        vl_block *more = vl_arena_grow(w->arena, page->blocks, w->block_cap * sizeof *more,
                                       cap * sizeof *more);
        if (!more)
            return NULL;
        page->blocks = more;
        w->block_cap = cap;
    }
    vl_block *block = &page->blocks[page->block_count++];
    memset(block, 0, sizeof *block);
    block->kind = kind;
    return block;
}

void layout_block_finish(vl_block *block) {
    double sum = 0, letters = 0;
    for (size_t i = 0; i < block->line_count; i++) {
        const vl_line *line = &block->lines[i];
        block->box = layout_box_join(block->box, line->box);
        for (size_t j = 0; j < line->word_count; j++) {
            double length = (double)strlen(line->words[j].text);
            sum += line->words[j].confidence * length;
            letters += length;
        }
    }
    block->confidence = letters > 0 ? sum / letters : 0;
}

/* ---- columns ---------------------------------------------------------------------------- */

static void take_gutters(layout_work *w) {
    const vl_engine_reading *reading = w->reading;
    for (size_t i = 0; i < reading->gutter_count && i < VL_GUTTERS_MAX; i++)
        w->gutters[w->gutter_count++] = vl_ocr_picture_box(w->picture, reading->gutters[i]);
}

uint64_t layout_zone(const layout_work *w, vl_box box) {
    uint64_t zone = 0;
    int32_t x = 2 * box.x + box.width, y = 2 * box.y + box.height;
    for (size_t i = 0; i < w->gutter_count; i++) {
        vl_box g = w->gutters[i];
        if (y >= 2 * g.y && y < 2 * (g.y + g.height))
            zone |= (x < 2 * g.x + g.width ? UINT64_C(1) : UINT64_C(2)) << (2 * i);
    }
    return zone;
}

/* ---- paragraphs and titles ------------------------------------------------------------ */

static bool same_size(const vl_line *a, const vl_line *b) {
    if (a->x_height <= 0 || b->x_height <= 0)
        return true;
    double ratio = a->x_height / b->x_height;
    return ratio < 1.3 && ratio > 1 / 1.3;
}

static bool add_paragraphs(layout_work *w) {
    const vl_engine_line *from = w->reading->lines;
    size_t count = w->reading->line_count;
    for (size_t i = 0; i < count;) {
        if (w->taken[i]) {
            i++;
            continue;
        }
        size_t end = i + 1;
        uint64_t zone = layout_zone(w, w->lines[i].box);
        while (end < count && !w->taken[end] && from[end].block == from[i].block &&
               from[end].paragraph == from[i].paragraph &&
               layout_zone(w, w->lines[end].box) == zone &&
               same_size(&w->lines[end - 1], &w->lines[end]))
            end++;
        vl_block *block = layout_block_add(w, VL_BLOCK_PARAGRAPH);
        if (!block)
            return false;
        block->lines = &w->lines[i];
        block->line_count = end - i;
        layout_block_finish(block);
        i = end;
    }
    return true;
}

static bool ends_sentence(const vl_block *block) {
    const vl_line *line = &block->lines[block->line_count - 1];
    const char *text = line->words[line->word_count - 1].text;
    size_t n = strlen(text);
    return n && strchr(".,;:", text[n - 1]) != NULL;
}

/* Large; or, at the top, short and centred over a body of longer lines. */
static bool is_title(const layout_work *w, const vl_block *block, const vl_block *top,
                     vl_box text_box) {
    if (block->kind != VL_BLOCK_PARAGRAPH || block->line_count > TITLE_LINES_MAX ||
        w->reading->line_count < 3)
        return false;
    double size = 0;
    size_t letters = 0;
    for (size_t i = 0; i < block->line_count; i++) {
        size += block->lines[i].x_height / (double)block->line_count;
        for (size_t j = 0; j < block->lines[i].word_count; j++)
            letters += strlen(block->lines[i].words[j].text);
    }
    if (letters < 3)
        return false;
    if (w->x_height > 0 && size >= TITLE_SIZE * w->x_height)
        return true;
    int32_t left = block->box.x - text_box.x;
    int32_t right = text_box.x + text_box.width - (block->box.x + block->box.width);
    bool centred = abs(left - right) < text_box.width / 10 && left > text_box.width / 12;
    return block == top && centred && block->box.width * 10 < text_box.width * 7 &&
           !ends_sentence(block);
}

static void mark_titles(layout_work *w) {
    vl_page *page = w->page;
    vl_box text_box = {0};
    const vl_block *top = NULL;
    for (size_t i = 0; i < page->block_count; i++) {
        const vl_block *block = &page->blocks[i];
        text_box = layout_box_join(text_box, block->box);
        if (!top || block->box.y < top->box.y)
            top = block;
    }
    for (size_t i = 0; i < page->block_count; i++)
        if (is_title(w, &page->blocks[i], top, text_box))
            page->blocks[i].kind = VL_BLOCK_TITLE;
}

/* ---- reading order -------------------------------------------------------------------- */

static bool shares_columns(vl_box a, vl_box b) {
    int32_t less = a.width < b.width ? a.width : b.width;
    return layout_overlap(a.x, a.width, b.x, b.width) * 10 > less;
}

/* True when `p` and `q`, apart both ways, stand in columns beside each other: something in the
 * column of one lies beside the other. A short title over a date at the margin has none. */
static bool in_columns(const vl_page *page, vl_box p, vl_box q) {
    if (layout_overlap(p.y, p.height, q.y, q.height) > 0)
        return true;
    for (size_t c = 0; c < page->block_count; c++) {
        vl_box r = page->blocks[c].box;
        bool with_p = shares_columns(r, p), with_q = shares_columns(r, q);
        if (with_p != with_q &&
            layout_overlap(r.y, r.height, with_p ? q.y : p.y, with_p ? q.height : p.height) > 0)
            return true;
    }
    return false;
}

/* What the gutters say: -1, `p` comes first; 1, `q` does; 0, nothing. What reaches across a
 * gutter above or below it comes before or after all that it parts. */
static int parted(const layout_work *w, vl_box p, vl_box q) {
    uint64_t p_zone = layout_zone(w, p), q_zone = layout_zone(w, q);
    for (size_t i = 0; i < w->gutter_count; i++) {
        unsigned p_side = p_zone >> (2 * i) & 3, q_side = q_zone >> (2 * i) & 3;
        if (p_side && q_side && p_side != q_side)
            return (p_side < q_side) != w->rtl ? -1 : 1;
    }
    for (size_t i = 0; i < w->gutter_count; i++) {
        vl_box g = w->gutters[i];
        bool p_beside = p_zone >> (2 * i) & 3, q_beside = q_zone >> (2 * i) & 3;
        vl_box other = p_beside ? q : p;
        if (p_beside != q_beside && other.x < g.x && other.x + other.width > g.x + g.width)
            return 2 * p.y + p.height < 2 * q.y + q.height ? -1 : 1;
    }
    return 0;
}

static bool comes_before(const layout_work *w, size_t a, size_t b) {
    const vl_block *blocks = w->page->blocks;
    vl_box p = blocks[a].box, q = blocks[b].box;
    int32_t p_middle = 2 * p.y + p.height, q_middle = 2 * q.y + q.height;
    int side = parted(w, p, q);
    if (side)
        return side < 0;
    if (shares_columns(p, q) || !in_columns(w->page, p, q))
        return p_middle < q_middle;
    bool first = w->rtl ? p.x > q.x : p.x < q.x;
    if (!first)
        return false;
    for (size_t c = 0; c < w->page->block_count; c++) {
        vl_box r = blocks[c].box;
        int32_t middle = 2 * r.y + r.height;
        bool between = (middle > p_middle && middle < q_middle) ||
                       (middle < p_middle && middle > q_middle);
        if (c != a && c != b && between && shares_columns(r, p) && shares_columns(r, q))
            return p_middle < q_middle;
    }
    return true;
}

/* Takes, again and again, the first block in the engine's order that nothing left precedes. */
static bool order_blocks(layout_work *w) {
    size_t count = w->page->block_count, done = 0;
    if (count < 2 || count > ORDER_MAX)
        return true;
    vl_block *ordered = vl_arena_array(w->arena, count, sizeof *ordered);
    bool *used = vl_arena_array(w->arena, count, sizeof *used);
    uint16_t *waits = vl_arena_array(w->arena, count, sizeof *waits);
    uint8_t *before = vl_arena_array(w->arena, count * count, sizeof *before);
    if (!ordered || !used || !waits || !before)
        return false;
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < count; b++)
            if (a != b && comes_before(w, a, b)) {
                before[a * count + b] = 1;
                waits[b]++;
            }
    while (done < count) {
        size_t best = count;
        for (size_t i = 0; i < count; i++)
            if (!used[i] && (best == count || waits[i] < waits[best]))
                best = i;
        used[best] = true;
        ordered[done++] = w->page->blocks[best];
        for (size_t b = 0; b < count; b++)
            waits[b] = (uint16_t)(waits[b] - before[best * count + b]);
    }
    memcpy(w->page->blocks, ordered, count * sizeof *ordered);
    return true;
}

static double mean_confidence(const vl_page *page) {
    double sum = 0, letters = 0;
    for (size_t i = 0; i < page->block_count; i++)
        for (size_t j = 0; j < page->blocks[i].line_count; j++)
            for (size_t k = 0; k < page->blocks[i].lines[j].word_count; k++) {
                const vl_word *word = &page->blocks[i].lines[j].words[k];
                double length = (double)strlen(word->text);
                sum += word->confidence * length;
                letters += length;
            }
    return letters > 0 ? sum / letters : 0;
}

vl_status vl_ocr_layout(const vl_ocr_picture *picture, const vl_engine_reading *reading,
                        vl_arena *arena, vl_page *page, vl_error *error) {
    layout_work w = {.picture = picture, .reading = reading, .arena = arena, .page = page};
    take_gutters(&w);
    if (!take_lines(&w) || !layout_add_grids(&w) || !layout_find_tables(&w) ||
        !add_paragraphs(&w))
        return vl_fail(error, VL_ERR_MEMORY, "the page holds more text than its limit");
    mark_titles(&w);
    bool fits = layout_add_figures(&w);
    if (fits)
        vl_ocr_take_captions(arena, page, w.x_height);
    if (!fits || !order_blocks(&w))
        return vl_fail(error, VL_ERR_MEMORY, "the page holds more text than its limit");
    page->confidence = mean_confidence(page);
    return VL_OK;
}
