/* synth.c — one line from its number: script, words, font, then what ageing.c does to it.
 *
 * Eight neighbouring lines are of one sheet: they share script and font, because opening a font
 * costs more than a line in it. Everything is drawn from the seed and the numbers of the sheet
 * and of the line, nothing is remembered from line to line. */
#include "dataset/synth.h"

#include "dataset/ageing.h"
#include "dataset/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* MAX_WIDTH leaves room for the margins of a crop. */
enum { SHEET = 8, TRIES = 60, PATIENCE = 8, MAX_WIDTH = 1480, MAX_ARENA = 8 << 20 };
/* Streams of one seed. */
static const uint64_t OF_SHEETS = UINT64_C(0x5EED0001), OF_LINES = UINT64_C(0x5EED0002);

struct vl_synth {
    vl_synth_options options;
    alphabet alphabet;
    words words;
    font_set fonts;
};

struct vl_synth_painter {
    const vl_synth *synth;
    renderer *renderer;
    vl_arena *arena;
};

/* ---- opening ------------------------------------------------------------------------ */

vl_synth_options vl_synth_options_default(void) {
    vl_synth_options options = {.seed = 1, .fonts = VL_SYNTH_FONTS_TRAIN, .system_text = true};
    for (size_t i = 0; i < VL_SCRIPT_COUNT; i++)
        options.weights[i] = script_kinds[i].weight;
    return options;
}

static vl_status open_alphabet(const vl_synth_options *options, alphabet *a, vl_error *error) {
    char path[4096];
    if (options->alphabet)
        return alphabet_read(options->alphabet, a, error);
    snprintf(path, sizeof path, "%s/models/reader-alphabet.txt", vl_data_dir());
    return alphabet_read(path, a, error);
}

vl_status vl_synth_open(const vl_synth_options *options, vl_synth **synth, vl_error *error) {
    vl_synth *s = calloc(1, sizeof *s);
    *synth = NULL;
    if (!s)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for lines");
    s->options = *options;
    vl_status status = open_alphabet(options, &s->alphabet, error);
    if (!status)
        status = font_set_open(options->fonts, &s->fonts, error);
    for (size_t i = 0; i < VL_SCRIPT_COUNT && !status; i++)
        if (options->weights[i] > 0 && !s->fonts.family_count[i])
            status = vl_fail(error, VL_ERR_MISSING,
                             "no font for the script %s among those asked for: install some "
                             "(scripts/deps.sh --train), or leave it out with --scripts",
                             script_kinds[i].name);
    if (!status)
        status = words_open(options->text, options->system_text, &s->alphabet, options->weights,
                            &s->words, error);
    if (status)
        vl_synth_free(s);
    else
        *synth = s;
    return status;
}

void vl_synth_free(vl_synth *synth) {
    if (!synth)
        return;
    words_deinit(&synth->words);
    font_set_deinit(&synth->fonts);
    free(synth);
}

const alphabet *vl_synth_alphabet(const vl_synth *synth) {
    return &synth->alphabet;
}

vl_synth_painter *vl_synth_painter_new(const vl_synth *synth) {
    vl_synth_painter *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->synth = synth;
    p->renderer = renderer_new();
    p->arena = vl_arena_new(MAX_ARENA);
    if (!p->renderer || !p->arena) {
        vl_synth_painter_free(p);
        return NULL;
    }
    return p;
}

void vl_synth_painter_free(vl_synth_painter *painter) {
    if (!painter)
        return;
    renderer_free(painter->renderer);
    vl_arena_free(painter->arena);
    free(painter);
}

void vl_synth_line_deinit(vl_synth_line *line) {
    vl_image_free(line->image);
    free(line->text);
    *line = (vl_synth_line){0};
}

/* ---- one line ----------------------------------------------------------------------- */

typedef struct sheet {
    vl_script script;
    render_style style;
} sheet;

/* Type of 24 to 40 pixels an em is what lines of 32 to 64 pixels hold. */
static sheet sheet_of(const vl_synth *s, uint64_t number) {
    dice d = dice_of(s->options.seed ^ OF_SHEETS, number);
    sheet made = {.script = (vl_script)dice_weighted(&d, s->options.weights, VL_SCRIPT_COUNT)};
    made.style.face = font_draw(&s->fonts, made.script, &d);
    made.style.size = 22 + 2 * dice_below(&d, 10);
    made.style.hinting = dice_below(&d, 3);
    made.style.rtl = script_kinds[made.script].rtl;
    if (!script_kinds[made.script].joins && dice_chance(&d, 0.15))
        made.style.spacing = dice_between(&d, -0.6, 2.5);
    return made;
}

static size_t count_spaces(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += *text == ' ';
    return count;
}

/* Lines of justified paragraphs have wider spaces, each line its own; tables and receipts have
 * one that is a gap between columns. Odds and widths are those of real lines
 * (docs/reader-data.md). */
static void draw_spaces(const char *text, dice *d, render_style *style) {
    size_t spaces = count_spaces(text);
    if (dice_chance(d, 0.65))
        style->word_spacing =
            (dice_chance(d, 0.1) ? 1.2 : 0.6) * pow(dice_unit(d), 1.6) * style->size;
    if (!dice_chance(d, 0.07) || !spaces)
        return;
    style->gap = dice_between(d, 0.8, 9) * style->size;
    style->gap_at = (size_t)dice_below(d, (int)spaces);
}

static word_kind draw_kind(dice *d) {
    return (word_kind)dice_weighted(d, (double[]){7, 1.6, 1.4}, 3);
}

/* A text, and the style it can be set in: the sheet's, or with rare characters, and when the
 * sheet's font lacks too much, the first drawn font that has them all. */
static bool try_line(vl_synth_painter *p, sheet *on, word_kind kind, bool other_font, dice *d,
                     vl_synth_line *line, char **text, rendered *out) {
    const vl_synth *s = p->synth;
    *text = words_draw(&s->words, on->script, kind, d, p->arena, line->language);
    if (!*text || !**text)
        return false;
    if (other_font && kind != WORDS_RARE)
        on->style.face = font_draw(&s->fonts, on->script, d);
    for (int i = 0; other_font && i < TRIES && !font_covers(on->style.face, *text); i++)
        on->style.face = font_draw(&s->fonts, on->script, d);
    if (!font_covers(on->style.face, *text))
        return false;
    draw_spaces(*text, d, &on->style);
    return render_line(p->renderer, &on->style, line->language, *text, AGEING_PAD, MAX_WIDTH,
                       out);
}

static bool draw_around(vl_synth_painter *p, const sheet *on, dice *d, rendered *out) {
    char language[VL_LANG_SIZE];
    *out = (rendered){0};
    char *text = words_draw(&p->synth->words, on->script, WORDS_TEXT, d, p->arena, language);
    return text && *text && font_covers(on->style.face, text) &&
           render_line(p->renderer, &on->style, language, text, AGEING_PAD, 4000, out);
}

static void draw_page(vl_synth_painter *p, const sheet *on, dice *d, page_around *around) {
    *around = (page_around){0};
    if (p->synth->options.clean)
        return;
    if (dice_chance(d, 0.16))
        draw_around(p, on, d, &around->above);
    if (dice_chance(d, 0.16))
        draw_around(p, on, d, &around->below);
    if (dice_chance(d, 0.06))
        draw_around(p, on, d, &around->behind);
}

static void say_font(const font_face *face, vl_synth_line *line) {
    snprintf(line->font, sizeof line->font, "%s %s", face->family, face->style);
}

vl_status vl_synth_paint(vl_synth_painter *p, uint64_t index, vl_synth_line *line,
                         vl_error *error) {
    dice d = dice_of(p->synth->options.seed ^ OF_LINES, index);
    sheet on = sheet_of(p->synth, index / SHEET), as = on;
    word_kind kind = draw_kind(&d);
    rendered whole = {0};
    page_around around;
    ageing done = {0};
    char *text = NULL;
    *line = (vl_synth_line){.script = on.script};
    vl_arena_reset(p->arena);
    for (int i = 0; i < TRIES && !whole.image; i++) {
        as = on;
        if (i == PATIENCE)
            kind = WORDS_TEXT;
        if (!try_line(p, &as, kind, kind == WORDS_RARE || i >= PATIENCE, &d, line, &text,
                      &whole))
            whole.image = NULL;
    }
    if (!whole.image)
        return vl_fail(error, VL_ERR_INPUT, "line %llu: no text in %s that a font can set",
                       (unsigned long long)index, script_kinds[on.script].name);
    draw_page(p, &as, &d, &around);
    vl_status status =
        age_line(&whole, &around, p->synth->options.clean, &d, &done, &line->image, error);
    line->text = strdup(text);
    if (!status && !line->text)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a line");
    say_font(as.style.face, line);
    line->degradation_count = done.count;
    memcpy(line->degradations, done.names, sizeof line->degradations);
    vl_image_free(whole.image);
    vl_image_free(around.above.image);
    vl_image_free(around.below.image);
    vl_image_free(around.behind.image);
    if (status)
        vl_synth_line_deinit(line);
    return status;
}
