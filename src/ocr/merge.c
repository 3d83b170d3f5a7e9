/* merge.c — lines of two readings of one page: missed ones, and such as were cut out badly. */
#include "ocr/merge.h"
#include "ocr/box.h"

#include <vislang/text.h>

#include <math.h>
#include <string.h>

enum {
    LETTERS_MISSED = 4, /* letter-like marks outside of every line: less is dirt */
    MISSED_SHARE = 40,  /* … and one in so many of the page's */
};
static const double DOUBTFUL = 0.35; /* confidence of a word that is worth nothing */
static const double SURE = 0.5;      /* … that makes a line text */
static const double HALF = 0.5;      /* of a line: less is noise */
static const double TOUCHING = 0.1;  /* share of the smaller line's box that two share */
/* Another reading of the same place is better by this, and by so many characters. */
static const double BETTER = 1.1, LEAST_GAIN = 1;
static const double OTHERS_BETTER = 2; /* … of another engine, whose confidence is another's */
static const double NEAR = 1.5; /* heights of a line from middle to middle: its neighbour */

/* ---- missed letters --------------------------------------------------------------------- */

static bool is_in_a_line(vl_box mark, const vl_engine_reading *reading) {
    for (size_t i = 0; i < reading->line_count; i++)
        if (box_lies_in(mark, reading->lines[i].box))
            return true;
    return false;
}

bool vl_merge_misses_letters(const vl_ocr_picture *picture, const vl_engine_reading *reading) {
    const vl_ocr_survey *survey = &picture->survey;
    double letter = survey->letter_height, scale = picture->scale;
    size_t letters = 0, missed = 0;
    for (size_t i = 0; i < survey->mark_count; i++) {
        vl_box m = survey->marks[i];
        if (m.height < 0.6 * letter || m.height > 2 * letter || m.width > 3 * letter ||
            m.width < 0.2 * letter)
            continue;
        vl_box work = {(int32_t)(m.x * scale), (int32_t)(m.y * scale),
                       (int32_t)(m.width * scale), (int32_t)(m.height * scale)};
        letters++;
        missed += !is_in_a_line(work, reading);
    }
    return missed >= LETTERS_MISSED && missed * MISSED_SHARE >= letters;
}

/* ---- groups ----------------------------------------------------------------------------- */

/* Characters of a line that are likely right; of one that is sure of no word, or doubtful on
 * the whole, none. */
static double worth(const vl_engine_line *line) {
    double sum = 0, all = 0, characters = 0;
    bool sure = false;
    for (size_t i = 0; i < line->word_count; i++) {
        const vl_word *word = &line->words[i];
        size_t length = vl_text_grapheme_count(word->text);
        sure |= word->confidence > SURE && length > 1;
        sum += fmax(0, word->confidence - DOUBTFUL) * (double)length;
        all += word->confidence * (double)length;
        characters += (double)length;
    }
    return sure && all > HALF * characters ? sum : 0;
}

static bool touch(vl_box a, vl_box b) {
    vl_box all = box_join(a, b);
    int32_t width = a.width + b.width - all.width, height = a.height + b.height - all.height;
    double smaller = fmin((double)a.width * a.height, (double)b.width * b.height);
    return width > 0 && height > 0 && (double)width * height > TOUCHING * smaller;
}

/* Lines of both readings, the page's first. */
typedef struct groups {
    const vl_engine_line **line;
    size_t *of;            /* a line of the same group; itself for its first */
    double *mine, *theirs; /* worth of a group, at its first line */
    double *better;        /* so many times it has to be */
    size_t count, own;
} groups;

static size_t first_of(const groups *g, size_t line) {
    while (g->of[line] != line)
        line = g->of[line];
    return line;
}

static bool groups_make(vl_arena *arena, const vl_engine_reading *page, const size_t *found_by,
                        const vl_engine_reading *other, size_t engine, groups *g) {
    *g = (groups){.count = page->line_count + other->line_count, .own = page->line_count};
    g->line = vl_arena_array(arena, g->count + 1, sizeof *g->line);
    g->of = vl_arena_array(arena, g->count + 1, sizeof *g->of);
    g->mine = vl_arena_array(arena, g->count + 1, sizeof *g->mine);
    g->theirs = vl_arena_array(arena, g->count + 1, sizeof *g->theirs);
    g->better = vl_arena_array(arena, g->count + 1, sizeof *g->better);
    if (!g->line || !g->of || !g->mine || !g->theirs || !g->better)
        return false;
    for (size_t i = 0; i < g->count; i++) {
        g->line[i] = i < g->own ? &page->lines[i] : &other->lines[i - g->own];
        g->of[i] = i;
        g->mine[i] = g->theirs[i] = 0;
        g->better[i] = BETTER;
    }
    for (size_t i = 0; i < g->own; i++)
        for (size_t k = g->own; k < g->count; k++)
            if (touch(g->line[i]->box, g->line[k]->box)) {
                size_t a = first_of(g, i), b = first_of(g, k);
                g->of[a > b ? a : b] = a > b ? b : a;
            }
    for (size_t i = 0; i < g->count; i++) {
        double *whose = i < g->own ? g->mine : g->theirs;
        whose[first_of(g, i)] += worth(g->line[i]);
        if (i < g->own && found_by[i] != engine)
            g->better[first_of(g, i)] = OTHERS_BETTER;
    }
    return true;
}

static bool is_better(const groups *g, size_t line) {
    size_t group = first_of(g, line);
    return g->theirs[group] > g->mine[group] * g->better[group] + LEAST_GAIN;
}

/* ---- lines ------------------------------------------------------------------------------ */

/* Where a line that another engine found belongs: behind the line right above it, or before the
 * one right below, as part of their block; else at the end, as a block of its own. */
static size_t place_for(vl_engine_line *line, const vl_engine_reading *page) {
    const vl_engine_line *beside = NULL;
    double nearest = NEAR;
    size_t place = page->line_count;
    line->block = line->paragraph = 0;
    for (size_t i = 0; i < page->line_count; i++) {
        const vl_engine_line *other = &page->lines[i];
        vl_box a = line->box, b = other->box, all = box_join(a, b);
        double away = fabs(a.y + 0.5 * a.height - b.y - 0.5 * b.height) / fmax(1, a.height);
        line->block = line->block > other->block ? line->block : other->block + 1;
        if (a.width + b.width <= all.width || away >= nearest)
            continue;
        nearest = away;
        beside = other;
        place = i + (a.y > b.y);
    }
    if (beside) {
        line->block = beside->block;
        line->paragraph = beside->paragraph;
    }
    return place;
}

bool vl_merge_lines(vl_arena *arena, vl_engine_reading *page, size_t **found_by,
                    const vl_engine_reading *other, size_t engine) {
    groups g;
    size_t count = 0;
    if (!groups_make(arena, page, *found_by, other, engine, &g))
        return false;
    vl_engine_line *lines = vl_arena_array(arena, g.count + 1, sizeof *lines);
    size_t *by = vl_arena_array(arena, g.count + 1, sizeof *by);
    if (!lines || !by)
        return false;
    for (size_t i = 0; i < g.own; i++)
        if (!is_better(&g, i)) {
            by[count] = (*found_by)[i];
            lines[count++] = *g.line[i];
        }
    page->lines = lines;
    page->line_count = count;
    *found_by = by;
    for (size_t i = g.own; i < g.count; i++) {
        vl_engine_line line = *g.line[i];
        if (!is_better(&g, i) || worth(&line) == 0)
            continue;
        size_t place = place_for(&line, page), behind = page->line_count - place;
        memmove(&lines[place + 1], &lines[place], behind * sizeof *lines);
        memmove(&by[place + 1], &by[place], behind * sizeof *by);
        lines[place] = line;
        by[place] = engine;
        page->line_count++;
    }
    return true;
}
