/* regions.c — figures by their pixels: what is no text, no rule and no table.
 *
 * Engines report as pictures what their own page segmentation takes for one: photographs
 * mostly, charts and emblems seldom. Here the page is reduced until a letter is four pixels
 * high, the words that were read and the tables are taken off, rules are told from masses by
 * openings (Serra 1982; Bloomberg 1991, "Multiresolution morphological approach to document
 * image analysis", finds halftones the same way), and masses close to each other become
 * regions. A chart is held together by its rules: an axis or a grid line joins what it touches,
 * unless it is much longer than that, as the rule under a letterhead is.
 *
 *   ink_of, forget_text    the reduced mask
 *   find_pieces            masses and rules as boxes
 *   join_by_rules, …       pieces → regions
 *   find_figures           regions that are figures
 *   layout_add_figures     those, and the engine's */
#include "ocr/layout_work.h"

#include <leptonica/allheaders.h>
#include <stdlib.h>
#include <string.h>

enum {
    LETTER = 4,            /* pixels that a letter is reduced to */
    INK_BELOW = 32,        /* levels under the paper's */
    PIECES_MAX = 1500,     /* more is texture */
    REGIONS_MAX = 64,      /* figures of a page */
    RULE_MIN = 4 * LETTER, /* long enough for a rule */
    AXIS_MIN = 8 * LETTER, /* and for a chart */
    TOUCH = 6,
    LABEL_TOUCH = 10,
    GRID_STEP = 5 * LETTER,
};
/* A word that was read; strokes of a drawing make short ones. */
static const double TABLE_READ = 0.6;   /* walls of a plan make cells too, which hold noise */
static const double TABLE_SURE = 0.8;   /* one that stays though a figure surrounds it */
static const double MASS_LETTERS = 3.5; /* of a figure: capitals of a title are lower */
static const double SURE = 0.6, SURE_SHORT = 0.85;

typedef struct piece {
    vl_box box;
    bool rule, gone;
    bool solid;        /* enough ink to be a figure by itself */
    size_t flat, tall; /* rules that joined it */
} piece;

typedef struct sheet {
    PIX *grey, *ink, *masses, *flat, *tall;
    int32_t reduction, paper; /* its level */
    int32_t mass;             /* the least shorter side of a figure, pixels */
    piece *pieces;
    size_t count;
} sheet;

/* ---- the reduced mask ---------------------------------------------------------------------
 */

static l_int32 paper_level(PIX *grey) {
    NUMA *histogram = pixGetGrayHistogram(grey, 4);
    l_int32 best = 255, most = 0;
    for (l_int32 level = 160; histogram && level < 256; level++) {
        l_int32 sum = 0, one = 0;
        for (l_int32 near = level - 2; near <= level + 2 && near < 256; near++) {
            numaGetIValue(histogram, near, &one);
            sum += one;
        }
        if (sum >= most) {
            most = sum;
            best = level;
        }
    }
    numaDestroy(&histogram);
    return best;
}

/* The darkest of each square keeps thin light lines, as those of a grid behind a chart. */
static bool ink_of(const vl_ocr_picture *picture, sheet *s) {
    double letter = picture->survey.letter_height;
    s->reduction = letter > LETTER ? (int32_t)(letter / LETTER + 0.5) : 1;
    s->mass = (int32_t)(MASS_LETTERS * letter / s->reduction);
    s->grey = layout_grey(picture);
    PIX *small = NULL;
    if (s->grey && s->reduction > 1)
        small = pixScaleGrayMinMax(s->grey, s->reduction, s->reduction, L_CHOOSE_MIN);
    else if (s->grey)
        small = pixClone(s->grey);
    if (small) {
        s->paper = paper_level(s->grey);
        s->ink = pixThresholdToBinary(small, s->paper - INK_BELOW);
    }
    pixDestroy(&small);
    return s->ink != NULL;
}

static vl_box reduced(const sheet *s, vl_box box) {
    int32_t f = s->reduction;
    return (vl_box){box.x / f, box.y / f, (box.width + f - 1) / f + 1,
                    (box.height + f - 1) / f + 1};
}

static void clear_box(sheet *s, vl_box upright) {
    vl_box box = reduced(s, upright);
    BOX *rect = boxCreate(box.x, box.y, box.width, box.height);
    if (rect)
        pixClearInRect(s->ink, rect);
    boxDestroy(&rect);
}

static bool has_alnum(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80 || (*text >= '0' && *text <= '9') ||
            (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z'))
            return true;
    return false;
}

static bool is_read(const layout_work *w, const vl_word *word) {
    double high = w->picture->survey.letter_height * 8;
    double least = strlen(word->text) > 2 ? SURE : SURE_SHORT;
    return word->confidence >= least && has_alnum(word->text) && word->box.height < high;
}

/* Takes off the words that were read and, where most of a line was, those beside them of about
 * their size: a name in large letters that came out wrong is no picture. */
static void forget_line(const layout_work *w, sheet *s, const vl_line *line) {
    int32_t high = 0;
    size_t read = 0;
    for (size_t k = 0; k < line->word_count; k++)
        if (is_read(w, &line->words[k])) {
            read++;
            high = line->words[k].box.height > high ? line->words[k].box.height : high;
        }
    high = read * 2 >= line->word_count ? high : 0;
    for (size_t k = 0; k < line->word_count; k++)
        if (is_read(w, &line->words[k]) || line->words[k].box.height < 2 * high)
            clear_box(s, line->words[k].box);
}

static void forget_text(const layout_work *w, sheet *s) {
    for (size_t i = 0; i < w->page->block_count; i++) {
        const vl_block *block = &w->page->blocks[i];
        bool table = block->kind == VL_BLOCK_TABLE && block->confidence >= TABLE_READ;
        if (table)
            clear_box(s, block->box);
        for (size_t j = 0; !table && j < block->line_count; j++)
            forget_line(w, s, &block->lines[j]);
    }
}

/* ---- masses and rules ---------------------------------------------------------------------
 */

static bool split_rules(sheet *s) {
    PIX *core = pixOpenBrick(NULL, s->ink, LETTER, LETTER);
    PIX *thick = core ? pixDilateBrick(NULL, core, 3, 3) : NULL;
    PIX *flat = pixOpenBrick(NULL, s->ink, RULE_MIN, 1);
    PIX *tall = pixOpenBrick(NULL, s->ink, 1, RULE_MIN);
    if (thick && flat && tall) {
        s->flat = pixSubtract(NULL, flat, thick);
        s->tall = pixSubtract(NULL, tall, thick);
    }
    PIX *rules = s->flat && s->tall ? pixOr(NULL, s->flat, s->tall) : NULL;
    PIX *wide = rules ? pixDilateBrick(NULL, rules, 3, 3) : NULL;
    PIX *thin = wide ? pixSubtract(NULL, wide, thick) : NULL;
    s->masses = thin ? pixSubtract(NULL, s->ink, thin) : NULL;
    pixDestroy(&core);
    pixDestroy(&thick);
    pixDestroy(&flat);
    pixDestroy(&tall);
    pixDestroy(&rules);
    pixDestroy(&wide);
    pixDestroy(&thin);
    return s->masses != NULL;
}

static l_int32 ink_in(PIX *mask, vl_box box) {
    BOX *rect = boxCreate(box.x, box.y, box.width, box.height);
    l_int32 count = 0;
    if (rect)
        pixCountPixelsInRect(mask, rect, &count, NULL);
    boxDestroy(&rect);
    return count;
}

static bool is_solid(const sheet *s, vl_box box) {
    return box.width >= s->mass && box.height >= s->mass &&
           ink_in(s->masses, box) * 8.0 >= (double)box.width * box.height;
}

static void add_pieces(sheet *s, PIX *mask, bool rule, size_t flat, size_t tall) {
    BOXA *boxes = mask ? pixConnCompBB(mask, 8) : NULL;
    for (l_int32 i = 0; boxes && i < boxaGetCount(boxes) && s->count < PIECES_MAX; i++) {
        l_int32 x = 0, y = 0, width = 0, height = 0;
        boxaGetBoxGeometry(boxes, i, &x, &y, &width, &height);
        vl_box box = {x, y, width, height};
        if (rule && width < RULE_MIN && height < RULE_MIN)
            continue;
        s->pieces[s->count++] = (piece){.box = box,
                                        .rule = rule,
                                        .flat = flat,
                                        .tall = tall,
                                        .solid = !rule && is_solid(s, box)};
    }
    boxaDestroy(&boxes);
}

static bool lies_within(vl_box inner, vl_box outer, int32_t reach) {
    return inner.x >= outer.x - reach && inner.y >= outer.y - reach &&
           inner.x + inner.width <= outer.x + outer.width + reach &&
           inner.y + inner.height <= outer.y + outer.height + reach;
}

/* A mass is the middle of a drawing where connected strokes go around it, as the rings of an
 * emblem do. */
static void grow_to_strokes(sheet *s) {
    BOXA *boxes = pixConnCompBB(s->ink, 8);
    for (size_t p = 0; p < s->count; p++)
        for (l_int32 i = 0; s->pieces[p].solid && boxes && i < boxaGetCount(boxes); i++) {
            l_int32 x = 0, y = 0, width = 0, height = 0;
            vl_box mass = s->pieces[p].box;
            boxaGetBoxGeometry(boxes, i, &x, &y, &width, &height);
            if (lies_within(mass, (vl_box){x, y, width, height}, 1) &&
                width * height < 4 * mass.width * mass.height)
                s->pieces[p].box = layout_box_join(mass, (vl_box){x, y, width, height});
        }
    boxaDestroy(&boxes);
}

/* What an opening leaves is a mass; what it takes away are bits, so that a sign that stands
 * close to a picture does not become a part of it. */
static void find_pieces(sheet *s) {
    l_int32 core = s->mass * 2 / 3 > 1 ? s->mass * 2 / 3 : 1;
    PIX *closed = pixCloseSafeBrick(NULL, s->masses, LETTER, LETTER);
    PIX *masses = closed ? pixOpenBrick(NULL, closed, core, core) : NULL;
    PIX *bits = masses ? pixSubtract(NULL, closed, masses) : NULL;
    add_pieces(s, masses, false, 0, 0);
    grow_to_strokes(s);
    add_pieces(s, bits, false, 0, 0);
    add_pieces(s, s->flat, true, 1, 0);
    add_pieces(s, s->tall, true, 0, 1);
    pixDestroy(&closed);
    pixDestroy(&masses);
    pixDestroy(&bits);
}

/* ---- pieces to regions --------------------------------------------------------------------
 */

static bool is_near(vl_box a, vl_box b, int32_t reach) {
    return a.x <= b.x + b.width + reach && b.x <= a.x + a.width + reach &&
           a.y <= b.y + b.height + reach && b.y <= a.y + a.height + reach;
}

static void absorb(piece *into, piece *other) {
    into->box = layout_box_join(into->box, other->box);
    into->solid = into->solid || other->solid;
    /* The lines of a square code, or of a drawing, are no axes. */
    bool short_rule =
        other->rule && other->box.width < AXIS_MIN && other->box.height < AXIS_MIN;
    into->flat += short_rule ? 0 : other->flat;
    into->tall += short_rule ? 0 : other->tall;
    other->gone = true;
}

static bool is_chart(const piece *p) {
    return !p->rule && p->flat + p->tall >= 2;
}

/* Large enough to be what a rule belongs to: a mass, or a curve. */
static bool can_hold(const sheet *s, const piece *p) {
    return !p->rule && !p->gone &&
           (p->solid || is_chart(p) || p->box.width >= 2 * s->mass ||
            p->box.height >= 2 * s->mass);
}

/* Whether a rule is near enough to belong to the mass: a chart's grid lines lie apart, but
 * none runs past its sides. */
static bool reaches(const piece *p, const piece *rule) {
    if (is_near(p->box, rule->box, TOUCH))
        return true;
    bool beside = rule->flat
                      ? rule->box.x >= p->box.x - TOUCH &&
                            rule->box.x + rule->box.width <= p->box.x + p->box.width + TOUCH
                      : rule->box.y >= p->box.y - TOUCH &&
                            rule->box.y + rule->box.height <= p->box.y + p->box.height + TOUCH;
    return is_chart(p) && beside && is_near(p->box, rule->box, GRID_STEP);
}

/* A rule joins the masses that it touches unless it is much longer than they are together, or
 * runs free for the most part. */
static bool join_by_rule(sheet *s, piece *rule) {
    vl_box all = {0};
    piece *first = NULL;
    int32_t held = 0;
    for (size_t i = 0; i < s->count; i++)
        if (can_hold(s, &s->pieces[i]) && reaches(&s->pieces[i], rule)) {
            all = layout_box_join(all, s->pieces[i].box);
            held += rule->flat ? s->pieces[i].box.width : s->pieces[i].box.height;
        }
    int32_t length = rule->flat ? rule->box.width : rule->box.height;
    int32_t extent = rule->flat ? all.width : all.height;
    if (!all.width || (length < AXIS_MIN && !lies_within(rule->box, all, 1)) ||
        held * 4 < length || length > extent * 8 / 5 + TOUCH * LETTER)
        return false;
    for (size_t i = 0; i < s->count; i++) {
        piece *p = &s->pieces[i];
        if (!can_hold(s, p) || !reaches(p, rule))
            continue;
        if (first)
            absorb(first, p);
        else
            first = p;
    }
    absorb(first, rule);
    return true;
}

/* Regions that meet, and the bits beside a chart: its ticks, its legend, text on end. */
static bool join_touching(sheet *s) {
    bool changed = false;
    for (size_t i = 0; i < s->count; i++) {
        piece *p = &s->pieces[i];
        for (size_t j = 0; j < s->count && !p->gone && !p->rule; j++) {
            piece *q = &s->pieces[j];
            if (i == j || q->gone || q->rule)
                continue;
            bool edge = p->solid && lies_within(q->box, p->box, LETTER);
            bool meet = is_near(p->box, q->box, 0) && (p->solid || is_chart(p)) &&
                        (q->solid || is_chart(q));
            bool bit = is_chart(p) && q->box.width < p->box.width &&
                       q->box.height < p->box.height && is_near(p->box, q->box, LABEL_TOUCH);
            if (edge || meet || bit) {
                absorb(p, q);
                changed = true;
            }
        }
    }
    return changed;
}

static void join_pieces(sheet *s) {
    bool changed = true;
    for (int round = 0; round < 12 && changed; round++) {
        changed = false;
        for (size_t i = 0; i < s->count; i++)
            if (s->pieces[i].rule && !s->pieces[i].gone)
                changed = join_by_rule(s, &s->pieces[i]) || changed;
        changed = join_touching(s) || changed;
    }
}

/* ---- labels -------------------------------------------------------------------------------
 */

/* Words along a chart's sides belong to it: numbers on axes, names under bars. */
static void take_labels(const layout_work *w, const sheet *s, piece *chart) {
    enum { LABEL_WORDS = 8 };
    vl_box grown = chart->box;
    for (size_t i = 0; i < w->page->block_count; i++) {
        const vl_block *block = &w->page->blocks[i];
        bool text = block->kind == VL_BLOCK_PARAGRAPH || block->kind == VL_BLOCK_TITLE;
        for (size_t j = 0; text && block->line_count <= 2 && j < block->line_count; j++) {
            vl_box box = reduced(s, block->lines[j].box);
            if (block->lines[j].word_count <= LABEL_WORDS &&
                !vl_ocr_begins_caption(w->arena, block) &&
                lies_within(box, chart->box, 3 * LETTER))
                grown = layout_box_join(grown, box);
        }
    }
    chart->box = grown;
}

/* Whether a line of text runs along both, close above or below: two charts under one title. */
static bool share_title(const layout_work *w, const sheet *s, vl_box a, vl_box b) {
    vl_box both = layout_box_join(a, b);
    for (size_t i = 0; i < w->page->block_count; i++) {
        const vl_block *block = &w->page->blocks[i];
        vl_box box = reduced(s, block->box);
        bool text = block->kind == VL_BLOCK_PARAGRAPH || block->kind == VL_BLOCK_TITLE;
        if (text && block->line_count <= 3 && is_near(box, both, 3 * LETTER) &&
            layout_overlap(box.y, box.height, both.y, both.height) * 2 < box.height &&
            layout_overlap(box.x, box.width, a.x, a.width) * 2 > a.width &&
            layout_overlap(box.x, box.width, b.x, b.width) * 2 > b.width)
            return true;
    }
    return false;
}

static void join_beside(const layout_work *w, sheet *s) {
    for (size_t i = 0; i < s->count; i++)
        for (size_t j = 0; j < s->count; j++) {
            piece *p = &s->pieces[i], *q = &s->pieces[j];
            if (i == j || p->gone || q->gone || !is_chart(p) || !is_chart(q))
                continue;
            int32_t less = p->box.height < q->box.height ? p->box.height : q->box.height;
            if (layout_overlap(p->box.y, p->box.height, q->box.y, q->box.height) * 10 >
                    less * 7 &&
                is_near(p->box, q->box, 12 * LETTER) && share_title(w, s, p->box, q->box))
                absorb(p, q);
        }
}

/* ---- what is a figure ---------------------------------------------------------------------
 */

/* A patch of one dark tone, under text or a bar: no picture. */
static bool is_plain(const sheet *s, vl_box upright) {
    enum { TONE = 16 };
    BOX *rect = boxCreate(upright.x, upright.y, upright.width, upright.height);
    PIX *part = rect ? pixClipRectangle(s->grey, rect, NULL) : NULL;
    NUMA *histogram = part ? pixGetGrayHistogram(part, 2) : NULL;
    l_float32 all = 0, most = 0;
    if (histogram)
        numaGetSum(histogram, &all);
    for (l_int32 level = 0; histogram && level + TONE < s->paper - INK_BELOW; level++) {
        l_float32 sum = 0, one = 0;
        for (l_int32 near = level; near < level + TONE; near++) {
            numaGetFValue(histogram, near, &one);
            sum += one;
        }
        most = sum > most ? sum : most;
    }
    boxDestroy(&rect);
    pixDestroy(&part);
    numaDestroy(&histogram);
    return most > all * 0.8f;
}

static double text_share(const layout_work *w, vl_box figure) {
    double area = 0;
    for (size_t i = 0; i < w->page->block_count; i++)
        for (size_t j = 0; j < w->page->blocks[i].line_count; j++) {
            const vl_line *line = &w->page->blocks[i].lines[j];
            for (size_t k = 0; k < line->word_count; k++) {
                vl_box b = line->words[k].box;
                if (is_read(w, &line->words[k]))
                    area += (double)layout_overlap(b.x, b.width, figure.x, figure.width) *
                            layout_overlap(b.y, b.height, figure.y, figure.height);
            }
        }
    return area / ((double)figure.width * figure.height);
}

static vl_box enlarged(const layout_work *w, const sheet *s, vl_box box) {
    int32_t f = s->reduction, width = (int32_t)w->page->width,
            height = (int32_t)w->page->height;
    vl_box out = {box.x * f, box.y * f, box.width * f, box.height * f};
    out.width = out.x + out.width > width ? width - out.x : out.width;
    out.height = out.y + out.height > height ? height - out.y : out.height;
    return out;
}

/* What lies at the edge of a page is a binding's shadow or the table under it. */
static bool is_figure(const layout_work *w, const sheet *s, const piece *p, vl_box box) {
    int32_t width = (int32_t)w->page->width, height = (int32_t)w->page->height;
    int32_t margin = (width < height ? width : height) / 100;
    double page = (double)width * height, area = (double)box.width * box.height;
    bool sparse = !p->solid && !(p->flat && p->tall && p->flat + p->tall >= 3);
    if (p->gone || p->rule || sparse || area < 0.002 * page || area > 0.9 * page)
        return false;
    if (box.x <= margin || box.y <= margin || box.x + box.width >= width - margin ||
        box.y + box.height >= height - margin)
        return false;
    return text_share(w, box) < (is_chart(p) ? 0.3 : 0.15) && !is_plain(s, box);
}

/* Whether what was read is text enough to tell the rest by it: most of its characters are, for
 * a drawing gives many short lines of noise. */
static bool knows_text(const layout_work *w) {
    double sum = 0, count = 0;
    for (size_t i = 0; i < w->reading->line_count; i++)
        for (size_t k = 0; k < w->lines[i].word_count; k++) {
            const vl_word *word = &w->lines[i].words[k];
            double length = (double)strlen(word->text);
            sum += word->confidence * length;
            count += length;
        }
    return w->reading->line_count >= 3 && count > 0 && sum / count >= SURE &&
           !w->picture->survey.single_line && w->picture->survey.letter_height > 0;
}

static bool find_figures(const layout_work *w, vl_box **figures, size_t *count) {
    sheet s = {0};
    *count = 0;
    *figures = vl_arena_array(w->arena, REGIONS_MAX, sizeof **figures);
    s.pieces = calloc(PIECES_MAX, sizeof *s.pieces);
    bool fits = *figures && s.pieces;
    if (!fits || !knows_text(w) || !ink_of(w->picture, &s))
        goto out;
    forget_text(w, &s);
    if (!split_rules(&s))
        goto out;
    find_pieces(&s);
    if (s.count == PIECES_MAX)
        goto out;
    join_pieces(&s);
    for (size_t i = 0; i < s.count; i++)
        if (!s.pieces[i].gone && is_chart(&s.pieces[i]))
            take_labels(w, &s, &s.pieces[i]);
    join_beside(w, &s);
    for (size_t i = 0; i < s.count && *count < REGIONS_MAX; i++) {
        vl_box box = enlarged(w, &s, s.pieces[i].box);
        if (is_figure(w, &s, &s.pieces[i], box))
            (*figures)[(*count)++] = box;
    }
out:
    free(s.pieces);
    pixDestroy(&s.grey);
    pixDestroy(&s.ink);
    pixDestroy(&s.masses);
    pixDestroy(&s.flat);
    pixDestroy(&s.tall);
    return fits;
}

/* ---- the page's figures -------------------------------------------------------------------
 */

static double area_of(vl_box box) {
    return (double)box.width * box.height;
}

static double common_area(vl_box a, vl_box b) {
    return (double)layout_overlap(a.x, a.width, b.x, b.width) *
           layout_overlap(a.y, a.height, b.y, b.height);
}

/* The engine's box around a region of ours is as a rule drawn too large, and one inside it too
 * small. */
static bool is_known(vl_box box, const vl_box *figures, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (common_area(box, figures[i]) * 2 > area_of(figures[i]) ||
            common_area(box, figures[i]) * 2 > area_of(box))
            return true;
    return false;
}

static bool add_figure(layout_work *w, vl_box box) {
    vl_block *block = layout_block_add(w, VL_BLOCK_FIGURE);
    if (block)
        block->box = box;
    return block != NULL;
}

/* Labels of a plan that happen to stand in columns are no table. */
static void dissolve_table(vl_block *block) {
    block->kind = VL_BLOCK_PARAGRAPH;
    block->cells = NULL;
    block->cell_count = block->row_count = block->column_count = 0;
}

/* Axes, grid lines and stripes read as letters are dropped; words that were read stay. */
static void drop_noise(layout_work *w, vl_box figure) {
    size_t kept_blocks = 0;
    for (size_t i = 0; i < w->page->block_count; i++) {
        vl_block *block = &w->page->blocks[i];
        bool inside = block->kind != VL_BLOCK_FIGURE &&
                      (block->kind != VL_BLOCK_TABLE || block->confidence < TABLE_SURE) &&
                      common_area(block->box, figure) * 10 >= area_of(block->box) * 9;
        size_t kept = 0;
        for (size_t j = 0; inside && j < block->line_count; j++) {
            vl_line *line = &block->lines[j];
            size_t words = 0;
            for (size_t k = 0; k < line->word_count; k++)
                if (is_read(w, &line->words[k]))
                    line->words[words++] = line->words[k];
            line->word_count = words;
            if (words)
                block->lines[kept++] = *line;
        }
        if (inside) {
            dissolve_table(block);
            block->line_count = kept;
        }
        if (!inside || kept)
            w->page->blocks[kept_blocks++] = *block;
    }
    w->page->block_count = kept_blocks;
}

/* Lines in the figure become a block apart from those of their block that stand outside, which
 * may be its caption. */
static bool part_labels(layout_work *w, vl_box figure) {
    for (size_t i = 0, count = w->page->block_count; i < count; i++) {
        vl_block *block = &w->page->blocks[i];
        if ((block->kind != VL_BLOCK_PARAGRAPH && block->kind != VL_BLOCK_TITLE) ||
            common_area(block->box, figure) == 0)
            continue;
        size_t outside = 0;
        for (size_t j = 0; j < block->line_count; j++) {
            vl_line line = block->lines[j];
            if (common_area(line.box, figure) * 2 > area_of(line.box))
                continue;
            memmove(block->lines + outside + 1, block->lines + outside,
                    (j - outside) * sizeof line);
            block->lines[outside++] = line;
        }
        if (!outside || outside == block->line_count)
            continue;
        vl_block *labels = layout_block_add(w, VL_BLOCK_PARAGRAPH);
        if (!labels)
            return false;
        block = &w->page->blocks[i];
        labels->lines = block->lines + outside;
        labels->line_count = block->line_count - outside;
        block->line_count = outside;
        block->box = (vl_box){0};
        layout_block_finish(block);
        layout_block_finish(labels);
    }
    return true;
}

bool layout_add_figures(layout_work *w) {
    vl_box *figures = NULL;
    size_t count = 0;
    if (!find_figures(w, &figures, &count))
        return false;
    double page_area = (double)w->page->width * w->page->height;
    for (size_t i = 0; i < w->reading->figure_count; i++) {
        vl_box box = vl_ocr_picture_box(w->picture, w->reading->figures[i]);
        /* Specks and the frame around the whole page are no figures. */
        double area = area_of(box);
        if (area < page_area * 0.005 || area > page_area * 0.95 ||
            is_known(box, figures, count))
            continue;
        if (!add_figure(w, box))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool parted = part_labels(w, figures[i]);
        drop_noise(w, figures[i]);
        if (!parted || !add_figure(w, figures[i]))
            return false;
    }
    return true;
}
