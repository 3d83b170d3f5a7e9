/* columns.c — which white gutters part columns of text, and reading those columns one by one.
 *
 *   vl_columns_find   white gutters (gutters.h), without those of tables and forms
 *   look_beside       what the engine read on both sides of a gutter
 *   runs_down         whether that is text that runs down, or rows that run across
 *   vl_columns_read   columns cut apart and read, where lines ran across them */
#include "ocr/columns.h"
#include "ocr/box.h"
#include "ocr/gutters.h"
#include "ocr/layout.h"
#include "ocr/whole.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { LETTERS_LEAST = 60, PIECES_LEAST = 3, LIST_PIECES = 20, CROSSING_LEAST = 2 };
/* Narrower than so many letters, or word spaces, is no gutter. */
static const double LETTERS_WIDE = 1.2, SPACES_WIDE = 2.2;
/* Shares of the pieces beside a gutter: numbers, and labels with a colon, make rows; pieces
 * that nothing stands beside make columns. */
static const double NUMBERS = 0.5, FEW_NUMBERS = 0.2, LABELS = 0.4, UNPAIRED = 0.3;
static const double PROSE_WORDS = 3.5; /* words a piece */
static const double LEAST_WIDTH = 3;   /* letters: narrower pieces are marks of a list */
static const double SAME_ROW = 0.6;    /* letters from middle to middle */
static const double WORTH_KEPT = 0.9;  /* of the reading that columns take the place of */

typedef struct side {
    size_t pieces, words, numbers, labels, unpaired;
    double width;   /* of all pieces */
    double *middle; /* [pieces] height on the page */
} side;

typedef struct beside {
    side left, right;
    size_t crossing; /* lines on both sides */
} beside;

/* ---- gutters ---------------------------------------------------------------------------- */

static bool is_letter_like(vl_box mark, double letter) {
    return mark.height > 0.35 * letter && mark.height < 4 * letter &&
           mark.width < 12 * mark.height && mark.height < 12 * mark.width;
}

static int by_value(const void *a, const void *b) {
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The middle one of the spaces between words, in pixels of work; 0: there are none. */
static double word_space(const vl_engine_reading *reading, vl_arena *arena) {
    size_t words = 0, count = 0;
    for (size_t i = 0; i < reading->line_count; i++)
        words += reading->lines[i].word_count;
    int32_t *spaces = vl_arena_array(arena, words + 1, sizeof *spaces);
    for (size_t i = 0; spaces && i < reading->line_count; i++) {
        const vl_engine_line *line = &reading->lines[i];
        for (size_t k = 1; k < line->word_count; k++) {
            vl_box a = line->words[k - 1].box, b = line->words[k].box;
            vl_box all = box_join(a, b);
            int32_t space = all.width - a.width - b.width;
            if (space > 0)
                spaces[count++] = space;
        }
    }
    if (!count)
        return 0;
    qsort(spaces, count, sizeof *spaces, by_value);
    return spaces[count / 2];
}

static bool white_gutters(const vl_ocr_picture *picture, const vl_engine_reading *reading,
                          vl_arena *arena, vl_box *gutters, size_t *count) {
    const vl_ocr_survey *survey = &picture->survey;
    double letter = survey->letter_height;
    double space = word_space(reading, arena) / picture->scale;
    vl_box *ink = vl_arena_array(arena, survey->mark_count + 1, sizeof *ink);
    size_t letters = 0;
    for (size_t i = 0; ink && i < survey->mark_count; i++)
        if (is_letter_like(survey->marks[i], letter))
            ink[letters++] = survey->marks[i];
    return ink && vl_gutters_find(arena, ink, letters, letter,
                                  fmax(LETTERS_WIDE * letter, SPACES_WIDE * space), gutters,
                                  VL_GUTTERS_MAX, count);
}

/* ---- what stands beside them ------------------------------------------------------------ */

/* Whether it has no more letters than digits. */
static bool is_number(const char *text) {
    size_t letters = 0, digits = 0;
    int32_t length = (int32_t)strlen(text);
    for (int32_t i = 0; i < length;) {
        UChar32 c;
        U8_NEXT((const uint8_t *)text, i, length, c);
        letters += c > 0 && u_isalpha(c);
        digits += c > 0 && u_isdigit(c);
    }
    return letters <= digits;
}

static double middle_x(vl_box b) {
    return b.x + 0.5 * b.width;
}

static double middle_y(vl_box b) {
    return b.y + 0.5 * b.height;
}

/* Whether a gutter that is not `own` parts the word from gutter `own`. */
static bool is_behind_another(const vl_box *gutters, size_t count, size_t own, vl_box word) {
    double x = middle_x(word), y = middle_y(word), at = middle_x(gutters[own]);
    for (size_t i = 0; i < count; i++) {
        double other = middle_x(gutters[i]);
        if (i != own && y >= gutters[i].y && y < gutters[i].y + gutters[i].height &&
            (other - x) * (other - at) < 0)
            return true;
    }
    return false;
}

/* Words of one line on one side of a gutter. */
typedef struct piece {
    size_t words, numbers;
    const char *last;
    vl_box box;
} piece;

static void piece_add(piece *p, const char *text, vl_box box) {
    p->box = p->words ? box_join(p->box, box) : box;
    p->numbers += is_number(text);
    p->last = text;
    p->words++;
}

static void side_add(side *s, const piece *p) {
    if (!p->words)
        return;
    size_t length = strlen(p->last);
    s->middle[s->pieces++] = middle_y(p->box);
    s->words += p->words;
    s->numbers += p->numbers * 2 > p->words;
    s->labels += length && p->last[length - 1] == ':';
    s->width += p->box.width;
}

static void count_unpaired(side *s, const side *other, double letter) {
    for (size_t i = 0; i < s->pieces; i++) {
        bool paired = false;
        for (size_t k = 0; k < other->pieces && !paired; k++)
            paired = fabs(s->middle[i] - other->middle[k]) < SAME_ROW * letter;
        s->unpaired += !paired;
    }
}

static bool look_beside(const vl_ocr_picture *picture, const vl_engine_reading *reading,
                        vl_arena *arena, const vl_box *gutters, size_t count, size_t own,
                        beside *b) {
    vl_box gutter = gutters[own];
    *b = (beside){0};
    b->left.middle = vl_arena_array(arena, reading->line_count + 1, sizeof(double));
    b->right.middle = vl_arena_array(arena, reading->line_count + 1, sizeof(double));
    if (!b->left.middle || !b->right.middle)
        return false;
    for (size_t i = 0; i < reading->line_count; i++) {
        const vl_engine_line *line = &reading->lines[i];
        piece left = {0}, right = {0};
        for (size_t k = 0; k < line->word_count; k++) {
            vl_box box = vl_ocr_picture_box(picture, line->words[k].box);
            double y = middle_y(box);
            if (y >= gutter.y && y < gutter.y + gutter.height &&
                !is_behind_another(gutters, count, own, box))
                piece_add(middle_x(box) < middle_x(gutter) ? &left : &right,
                          line->words[k].text, box);
        }
        side_add(&b->left, &left);
        side_add(&b->right, &right);
        b->crossing += left.words && right.words;
    }
    count_unpaired(&b->left, &b->right, picture->survey.letter_height);
    count_unpaired(&b->right, &b->left, picture->survey.letter_height);
    return true;
}

static double share(size_t count, const side *s) {
    return s->pieces ? (double)count / (double)s->pieces : 0;
}

static bool has_numbers(const side *s) {
    return share(s->numbers, s) > NUMBERS;
}

static bool is_text(const side *s, double letter) {
    return s->pieces >= PIECES_LEAST && s->width >= LEAST_WIDTH * letter * (double)s->pieces &&
           (double)s->labels < LABELS * (double)s->pieces;
}

/* Prose on both sides; or lines that are not on a level; or text beside which other text runs
 * on over several lines, as the glosses of a word list do. */
static bool runs_down(const beside *b, double letter) {
    const side *l = &b->left, *r = &b->right;
    if (!is_text(l, letter) || !is_text(r, letter))
        return false;
    bool prose = share(l->words, l) >= PROSE_WORDS && share(r->words, r) >= PROSE_WORDS;
    bool left = share(l->unpaired, l) > UNPAIRED, right = share(r->unpaired, r) > UNPAIRED;
    bool words = share(l->numbers, l) < FEW_NUMBERS && share(r->numbers, r) < FEW_NUMBERS;
    return prose || (left && right) ||
           ((left || right) && words && l->pieces + r->pieces >= LIST_PIECES);
}

static bool stand_beside(vl_box a, vl_box b) {
    return a.y < b.y + b.height && b.y < a.y + a.height;
}

static vl_box box_of(const vl_grid *g) {
    return (vl_box){g->x[0], g->y[0], g->x[g->columns] - g->x[0], g->y[g->rows] - g->y[0]};
}

/* Lines in a photograph and frames may look like rules: they have no words in their cells. */
static size_t drop_empty_grids(const vl_ocr_picture *picture, const vl_engine_reading *reading,
                               vl_grid *grids, size_t count) {
    size_t kept = 0;
    for (size_t g = 0; g < count; g++) {
        size_t words = 0;
        for (size_t i = 0; i < reading->line_count; i++)
            for (size_t k = 0; k < reading->lines[i].word_count; k++)
                words +=
                    box_lies_in(vl_ocr_picture_box(picture, reading->lines[i].words[k].box),
                                box_of(&grids[g]));
        if (words * 3 >= grids[g].rows * grids[g].columns)
            grids[kept++] = grids[g];
    }
    return kept;
}

/* Between cells of a table drawn with rules, even where it runs on below the table. */
static bool is_in_a_grid(const vl_grid *grids, size_t count, vl_box gutter) {
    double x = middle_x(gutter);
    for (size_t i = 0; i < count; i++) {
        vl_box rows = box_of(&grids[i]);
        if (x > rows.x && x < rows.x + rows.width && stand_beside(gutter, rows))
            return true;
    }
    return false;
}

/* Leaves the gutters of columns. One column of numbers makes rows of all that stand beside it.
 */
static bool choose(const vl_ocr_picture *picture, const vl_engine_reading *reading,
                   vl_arena *arena, vl_box *gutters, size_t *count) {
    bool rows[VL_GUTTERS_MAX] = {false}, down[VL_GUTTERS_MAX] = {false};
    size_t grid_count = 0, kept = 0;
    vl_grid *grids = NULL;
    if (!vl_ocr_find_grids(picture, arena, &grids, &grid_count))
        return false;
    grid_count = drop_empty_grids(picture, reading, grids, grid_count);
    for (size_t i = 0; i < *count; i++) {
        beside b;
        if (!look_beside(picture, reading, arena, gutters, *count, i, &b))
            return false;
        rows[i] = has_numbers(&b.left) || has_numbers(&b.right) ||
                  is_in_a_grid(grids, grid_count, gutters[i]);
        down[i] = runs_down(&b, picture->survey.letter_height);
    }
    for (size_t i = 0; i < *count; i++)
        for (size_t k = 0; k < *count; k++)
            down[i] = down[i] && !(rows[k] && stand_beside(gutters[i], gutters[k]));
    for (size_t i = 0; i < *count; i++)
        if (down[i])
            gutters[kept++] = gutters[i];
    *count = kept;
    return true;
}

bool vl_columns_find(const vl_ocr_picture *picture, const vl_engine_reading *reading,
                     vl_arena *arena, vl_box gutters[VL_GUTTERS_MAX], size_t *count) {
    *count = 0;
    if (picture->survey.single_line || picture->survey.letters < LETTERS_LEAST ||
        reading->line_count < 2 * PIECES_LEAST)
        return true;
    return white_gutters(picture, reading, arena, gutters, count) &&
           (!*count || choose(picture, reading, arena, gutters, count));
}

/* ---- columns read one by one ------------------------------------------------------------ */

static vl_box in_work(const vl_ocr_picture *picture, vl_box b) {
    double scale = picture->scale;
    return (vl_box){(int32_t)(b.x * scale), (int32_t)(b.y * scale), (int32_t)(b.width * scale),
                    (int32_t)(b.height * scale)};
}

static size_t count_crossing(const vl_engine_reading *reading, const vl_box *gutters,
                             size_t count) {
    size_t crossing = 0;
    for (size_t i = 0; i < reading->line_count; i++) {
        vl_box line = reading->lines[i].box;
        bool crosses = false;
        for (size_t k = 0; k < count && !crosses; k++)
            crosses = middle_y(line) >= gutters[k].y &&
                      middle_y(line) < gutters[k].y + gutters[k].height &&
                      line.x < gutters[k].x &&
                      line.x + line.width > gutters[k].x + gutters[k].width;
        crossing += crosses;
    }
    return crossing;
}

/* Lines put together anew; their order is the columns'. */
typedef struct gathering {
    vl_engine_line *lines;
    size_t count, cap, blocks;
} gathering;

static void gather(gathering *g, const vl_engine_reading *from) {
    size_t blocks = g->blocks;
    for (size_t i = 0; i < from->line_count && g->count < g->cap; i++) {
        vl_engine_line *line = &g->lines[g->count++];
        *line = from->lines[i];
        line->block += g->blocks;
        blocks = blocks > line->block + 1 ? blocks : line->block + 1;
    }
    g->blocks = blocks;
}

/* A stretch of the page that one or more gutters part into columns. */
typedef struct band {
    vl_box columns[VL_GUTTERS_MAX + 1], box;
    size_t count;
} band;

/* The band of gutter `first`: all those that stand beside it, or beside one of them. */
static band band_of(const vl_ocr_picture *picture, const vl_box *gutters, size_t count,
                    size_t first, bool *used) {
    band b = {.box = gutters[first]};
    double edges[VL_GUTTERS_MAX];
    size_t n = 0;
    used[first] = true;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < count; i++)
            if (!used[i] && stand_beside(b.box, gutters[i])) {
                b.box = box_join(b.box, gutters[i]);
                used[i] = more = true;
            }
    }
    for (size_t i = 0; i < count; i++)
        if (used[i] && stand_beside(b.box, gutters[i]))
            edges[n++] = middle_x(gutters[i]);
    int32_t width = pixGetWidth(picture->work), from = 0;
    for (size_t i = 0; i <= n; i++) {
        int32_t to = i < n ? (int32_t)edges[i] : width;
        if (to > from)
            b.columns[b.count++] = (vl_box){from, b.box.y, to - from, b.box.height};
        from = to > from ? to : from;
    }
    b.box.x = 0;
    b.box.width = width;
    return b;
}

static bool lies_in_a_band(const band *bands, size_t count, vl_box line) {
    for (size_t i = 0; i < count; i++)
        if (box_lies_in(line, bands[i].box))
            return true;
    return false;
}

/* Reads the columns of all bands. Lines of `reading` that lie in none stay before them. */
static vl_status read_bands(const vl_ocr_job *job, const vl_ocr_picture *picture,
                            const char *packs, const band *bands, size_t count, bool rtl,
                            vl_engine_reading *columns, vl_error *error) {
    vl_engine_reading parts[VL_GUTTERS_MAX * 2];
    size_t part_count = 0;
    gathering all = {0};
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < bands[i].count && part_count < VL_GUTTERS_MAX * 2; k++) {
            size_t column = rtl ? bands[i].count - 1 - k : k;
            vl_engine_reading *part = &parts[part_count++];
            vl_status status =
                vl_ocr_read_part(job, picture, packs, bands[i].columns[column], part, error);
            if (status)
                return status;
            all.cap += part->line_count;
        }
    all.lines = vl_arena_array(job->arena, all.cap + 1, sizeof *all.lines);
    if (!all.lines)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the lines of a page");
    for (size_t i = 0; i < part_count; i++)
        gather(&all, &parts[i]);
    *columns = (vl_engine_reading){.lines = all.lines, .line_count = all.count};
    vl_ocr_reading_sum_up(columns);
    return VL_OK;
}

/* `reading` with the columns' lines in place of those that lie in the bands. */
static bool take_columns(const band *bands, size_t count, vl_arena *arena,
                         const vl_engine_reading *columns, vl_engine_reading *reading) {
    vl_engine_reading rest = *reading;
    gathering all = {.cap = reading->line_count + columns->line_count};
    all.lines = vl_arena_array(arena, all.cap + 1, sizeof *all.lines);
    if (!all.lines)
        return false;
    size_t before = 0;
    while (before < reading->line_count &&
           !lies_in_a_band(bands, count, reading->lines[before].box))
        before++;
    rest.line_count = before;
    gather(&all, &rest);
    gather(&all, columns);
    for (size_t i = before; i < reading->line_count; i++)
        if (!lies_in_a_band(bands, count, reading->lines[i].box)) {
            all.lines[all.count] = reading->lines[i];
            all.lines[all.count++].block += all.blocks;
        }
    reading->lines = all.lines;
    reading->line_count = all.count;
    vl_ocr_reading_sum_up(reading);
    return true;
}

static bool is_rtl(const vl_engine_reading *reading) {
    size_t rtl = 0, words = 0;
    for (size_t i = 0; i < reading->line_count; i++)
        for (size_t k = 0; k < reading->lines[i].word_count; k++, words++)
            rtl += vl_text_is_rtl(reading->lines[i].words[k].text);
    return rtl * 2 > words;
}

static size_t find_bands(const vl_ocr_picture *picture, const vl_box *gutters, size_t count,
                         band *bands) {
    bool used[VL_GUTTERS_MAX] = {false};
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!used[i])
            bands[n++] = band_of(picture, gutters, count, i, used);
    return n;
}

/* Leaves `reading` as it is where the columns are worth clearly less. */
static vl_status read_apart(const vl_ocr_job *job, const vl_ocr_picture *picture,
                            const char *packs, const vl_box *gutters, size_t count,
                            vl_engine_reading *reading, bool *taken, vl_error *error) {
    vl_error trouble;
    vl_engine_reading columns, whole = *reading;
    band *bands = vl_arena_array(job->arena, count, sizeof *bands);
    if (!bands)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the columns of a page");
    size_t n = find_bands(picture, gutters, count, bands);
    vl_status status =
        read_bands(job, picture, packs, bands, n, is_rtl(reading), &columns, &trouble);
    if (status && status != VL_ERR_MEMORY)
        return VL_OK;
    if (status || !take_columns(bands, n, job->arena, &columns, &whole))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the lines of a page");
    *taken = vl_ocr_reading_worth(&whole) >= WORTH_KEPT * vl_ocr_reading_worth(reading);
    if (*taken)
        *reading = whole;
    return VL_OK;
}

vl_status vl_columns_read(const vl_ocr_job *job, const vl_ocr_picture *picture,
                          const char *packs, vl_engine_reading *reading, vl_error *error) {
    vl_box *gutters = vl_arena_array(job->arena, VL_GUTTERS_MAX, sizeof *gutters);
    size_t count = 0;
    bool apart = true;
    if (job->photo || job->blank)
        return VL_OK;
    if (!gutters || !vl_columns_find(picture, reading, job->arena, gutters, &count))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the columns of a page");
    for (size_t i = 0; i < count; i++)
        gutters[i] = in_work(picture, gutters[i]);
    if (count && count_crossing(reading, gutters, count) >= CROSSING_LEAST) {
        vl_status status =
            read_apart(job, picture, packs, gutters, count, reading, &apart, error);
        if (status)
            return status;
    }
    reading->gutters = gutters;
    reading->gutter_count = apart ? count : 0;
    return VL_OK;
}
