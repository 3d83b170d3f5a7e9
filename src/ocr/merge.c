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
static const double HALF = 0.5;      /* of a line that only its ink showed: less is noise */
static const double TOUCHING = 0.1;  /* share of the smaller line's box that two share */
/* Another reading of the same place is better by this, and by so many characters. */
static const double BETTER = 1.1, LEAST_GAIN = 1;
/* A group lies over itself when less of its worth is left than ALONE; its engine makes nothing
 * of it when it says less than DISOWNED of what the judge does; ENOUGH then takes its place. */
static const double ALONE = 0.75, DISOWNED = 0.25, ENOUGH = 0.7;
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

const vl_engine_line *vl_merge_line_at(const vl_engine_reading *reading, vl_box box) {
    const vl_engine_line *best = NULL;
    double most = 0;
    for (size_t i = 0; i < reading->line_count; i++) {
        vl_box b = reading->lines[i].box;
        double common = box_common(box, b);
        /* What was read stands within its line: less is a neighbour's edge. */
        if (common > most && 2 * common > (double)b.width * b.height) {
            most = common;
            best = &reading->lines[i];
        }
    }
    return best;
}

/* Characters of a line that are likely right; of one that is sure of no word, or of less than
 * `least` of its characters, none. */
static double worth(const vl_engine_line *line, double least) {
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
    return sure && all >= least * characters ? sum : 0;
}

static bool touch(vl_box a, vl_box b) {
    double smaller = fmin((double)a.width * a.height, (double)b.width * b.height);
    return box_common(a, b) > TOUCHING * smaller;
}

/* Of lines that touch, at their first: what the page's lines are worth, and the other's. */
typedef struct group {
    double mine, theirs;
    /* The page's lines as their own engine has them, and as the judge has, without regard to
     * lines that lie over each other. */
    double sworn, judged;
} group;

typedef struct candidate {
    const vl_engine_line *line;
    size_t of; /* a line of the same group; itself for its first */
    double worth;
    group group;
} candidate;

/* Lines of both readings, the page's first. */
typedef struct groups {
    candidate *lines;
    size_t count, own;
} groups;

static size_t first_of(const groups *g, size_t line) {
    while (g->lines[line].of != line)
        line = g->lines[line].of;
    return line;
}

/* A line's worth; of the page's, as the other engine reads it where that is known, so that one
 * engine is the judge of both. */
static double judge(const groups *g, size_t line, const vl_engine_reading *same) {
    const vl_engine_line *seen = g->lines[line].line;
    if (!same)
        return worth(seen, 0);
    if (line >= g->own)
        return worth(seen, HALF);
    seen = vl_merge_line_at(same, seen->box);
    return seen ? worth(seen, 0) : 0;
}

/* How much of the line no other line of the same reading lies over: ink that is read twice is
 * worth no more. */
static double share_alone(const groups *g, size_t line) {
    vl_box a = g->lines[line].line->box;
    double area = fmax(1, (double)a.width * a.height), shared = 0;
    size_t from = line < g->own ? 0 : g->own, to = line < g->own ? g->own : g->count;
    for (size_t i = from; i < to; i++)
        shared += i == line ? 0 : box_common(a, g->lines[i].line->box);
    return 1 / (1 + shared / area);
}

static void join_touching(groups *g) {
    for (size_t i = 0; i < g->own; i++)
        for (size_t k = g->own; k < g->count; k++)
            if (touch(g->lines[i].line->box, g->lines[k].line->box)) {
                size_t a = first_of(g, i), b = first_of(g, k);
                g->lines[a > b ? a : b].of = a > b ? b : a;
            }
}

static void weigh(groups *g, size_t line, const vl_engine_reading *same) {
    candidate *c = &g->lines[line];
    group *to = &g->lines[first_of(g, line)].group;
    c->worth = judge(g, line, same);
    double alone = c->worth * (same ? share_alone(g, line) : 1);
    if (line >= g->own) {
        to->theirs += alone;
        return;
    }
    to->mine += alone;
    to->sworn += worth(c->line, 0);
    to->judged += c->worth;
}

static bool groups_make(vl_arena *arena, const vl_engine_reading *page,
                        const vl_engine_reading *other, const vl_engine_reading *same,
                        groups *g) {
    *g = (groups){.count = page->line_count + other->line_count, .own = page->line_count};
    g->lines = vl_arena_array(arena, g->count + 1, sizeof *g->lines);
    if (!g->lines)
        return false;
    for (size_t i = 0; i < g->count; i++)
        g->lines[i] = (candidate){
            .line = i < g->own ? &page->lines[i] : &other->lines[i - g->own], .of = i};
    join_touching(g);
    for (size_t i = 0; i < g->count; i++)
        weigh(g, i, same);
    return true;
}

static bool is_better(const groups *g, size_t line) {
    const group *all = &g->lines[first_of(g, line)].group;
    /* Lines that lie over each other, and that their own engine makes nothing of, were cut out
     * badly. */
    if (all->mine < ALONE * all->judged && all->sworn < DISOWNED * all->judged)
        return all->theirs > all->mine * ENOUGH;
    return all->theirs > all->mine * BETTER + LEAST_GAIN;
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
                    const vl_engine_reading *other, const vl_engine_reading *same,
                    size_t engine) {
    groups g;
    size_t count = 0;
    if (!groups_make(arena, page, other, same, &g))
        return false;
    vl_engine_line *lines = vl_arena_array(arena, g.count + 1, sizeof *lines);
    size_t *by = vl_arena_array(arena, g.count + 1, sizeof *by);
    if (!lines || !by)
        return false;
    for (size_t i = 0; i < g.own; i++)
        if (!is_better(&g, i)) {
            by[count] = (*found_by)[i];
            lines[count++] = *g.lines[i].line;
        }
    page->lines = lines;
    page->line_count = count;
    *found_by = by;
    for (size_t i = g.own; i < g.count; i++) {
        vl_engine_line line = *g.lines[i].line;
        if (!is_better(&g, i) || g.lines[i].worth == 0)
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
