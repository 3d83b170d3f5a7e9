/* figures.c — what stands under a figure as its caption, and figures cut out into files.
 *
 *   vl_ocr_take_captions       blocks beside figures become their lines
 *   vl_ocr_figures_writer_new  a writer that keeps the pictures instead of the text */
#include "ocr/layout.h"
#include "ocr/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPTION_LINES_MAX = 6, PLAIN_LINES_MAX = 3, NAME_MAX_BYTES = 4096 };

/* ---- captions -----------------------------------------------------------------------------
 */

/* Words that captions begin with, case-folded: figure, photo, map, chart, image, source. */
static const char *const cues[] = {
    "figure",  "fig",       "photo",   "photograph", "map",          "chart",      "graph",
    "diagram", "image",     "picture", "plate",      "illustration", "source",     "credit",
    "carte",   "graphique", "schéma",  "figura",     "foto",         "fotografía", "fotografia",
    "mapa",    "gráfico",   "imagen",  "imagem",     "fuente",       "fonte",      "abbildung",
    "abb",     "bild",      "karte",   "quelle",     "kielelezo",    "picha",      "ramani",
    "chanzo",  "hoto",      "taswira", "sawir",      "sawirka",      "aworan",     "рис",
    "рисунок", "фото",      "карта",   "источник",   "мал",          "малюнок",    "джерело",
    "شكل",     "الشكل",     "صورة",    "الصورة",     "خريطة",        "الخريطة",    "المصدر",
    "تصویر",   "عکس",       "نقشه",    "चित्र",       "फोटो",         "मानचित्र",    "स्रोत",
    "ছবি",     "চিত্র",      "মানচিত্র", "ምስል",        "ፎቶ",           "ካርታ",        "ምንጭ",
    "ပုံ",       "រូបភាព",     "படம்"};

static bool is_word_byte(unsigned char c) {
    return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool vl_ocr_begins_caption(vl_arena *arena, const vl_block *block) {
    if (!block->line_count || !block->lines[0].word_count)
        return false;
    const char *word = block->lines[0].words[0].text;
    word += strspn(word, "([*");
    if (strncmp(word, "©", strlen("©")) == 0)
        return true;
    const char *folded = vl_text_casefold(arena, word);
    for (size_t i = 0; folded && i < sizeof cues / sizeof *cues; i++) {
        size_t length = strlen(cues[i]);
        if (strncmp(folded, cues[i], length) == 0 &&
            !is_word_byte((unsigned char)folded[length]))
            return true;
    }
    return false;
}

static double size_of(const vl_block *block) {
    double sum = 0;
    for (size_t i = 0; i < block->line_count; i++)
        sum += block->lines[i].x_height / (double)block->line_count;
    return sum;
}

static int32_t common(int32_t a, int32_t a_size, int32_t b, int32_t b_size) {
    int32_t low = a > b ? a : b, high = a + a_size < b + b_size ? a + a_size : b + b_size;
    return high - low;
}

/* Whether it stands in the figure: a label of it. */
static bool is_inside(vl_box figure, vl_box text) {
    return common(figure.y, figure.height, text.y, text.height) * 2 > text.height &&
           common(figure.x, figure.width, text.x, text.width) * 2 > text.width;
}

/* How well `block` serves as the caption of `figure`, 0 not at all. A cue word is enough; text
 * without one has to be short, close below, and smaller than the page's or centred. */
static double fits(vl_arena *arena, const vl_block *figure, const vl_block *block,
                   double x_height) {
    vl_box f = figure->box, b = block->box;
    if (block->kind != VL_BLOCK_PARAGRAPH && block->kind != VL_BLOCK_TITLE)
        return 0;
    if (!block->line_count || block->line_count > CAPTION_LINES_MAX || is_inside(f, b))
        return 0;
    double line = (double)b.height / (double)block->line_count;
    bool below = 2 * b.y + b.height > 2 * f.y + f.height;
    double gap = below ? b.y - (f.y + f.height) : f.y - (b.y + b.height);
    if (common(f.x, f.width, b.x, b.width) * 10 < 6 * b.width || gap > 3 * line || gap < -line)
        return 0;
    if (vl_ocr_begins_caption(arena, block))
        return below ? 4 - gap / line : 3.5 - gap / line;
    bool centred =
        abs(2 * f.x + f.width - 2 * b.x - b.width) * 10 < f.width && b.width * 10 < f.width * 9;
    bool small = x_height > 0 && size_of(block) > 0 && size_of(block) < 0.9 * x_height;
    if (!below || gap > 1.5 * line || block->line_count > PLAIN_LINES_MAX ||
        b.width > f.width * 11 / 10 || !(small || centred))
        return 0;
    return 1.5 - gap / line / 2;
}

/* A title stands right above, as wide as the figure at most, and ends no sentence: text that
 * goes on around a figure does. */
static bool is_title_above(const vl_block *figure, const vl_block *block) {
    vl_box f = figure->box, b = block->box;
    if ((block->kind != VL_BLOCK_PARAGRAPH && block->kind != VL_BLOCK_TITLE) ||
        !block->line_count || block->line_count > PLAIN_LINES_MAX || is_inside(f, b))
        return false;
    double line = (double)b.height / (double)block->line_count;
    const vl_line *last = &block->lines[block->line_count - 1];
    const char *word = last->word_count ? last->words[last->word_count - 1].text : ".";
    char end = word[strlen(word) - 1];
    int32_t gap = f.y - (b.y + b.height);
    return gap > -line && gap < 2.5 * line && !strchr(".,;:-", end) &&
           b.width * 10 < f.width * 11 &&
           common(f.x, f.width, b.x, b.width) * 10 >= 9 * b.width;
}

/* The block that serves best; block_count: none does. */
static size_t best_caption(vl_arena *arena, const vl_page *page, size_t figure,
                           double x_height) {
    size_t best = page->block_count;
    double most = 0;
    for (size_t i = 0; i < page->block_count; i++) {
        double fit = fits(arena, &page->blocks[figure], &page->blocks[i], x_height);
        if (fit > most) {
            most = fit;
            best = i;
        }
    }
    return best;
}

/* Where the caption only says whence a figure is, or nothing is below, its title is above. */
static size_t title_above(const vl_page *page, size_t figure) {
    size_t best = page->block_count;
    for (size_t i = 0; i < page->block_count; i++)
        if (is_title_above(&page->blocks[figure], &page->blocks[i]) &&
            (best == page->block_count || page->blocks[i].box.y > page->blocks[best].box.y))
            best = i;
    return best;
}

/* Lines of `block` become the figure's, before those it has when it stands above them. */
static bool give_lines(vl_arena *arena, vl_block *figure, const vl_block *block) {
    size_t count = figure->line_count + block->line_count;
    vl_line *lines = vl_arena_array(arena, count, sizeof *lines);
    if (!lines)
        return false;
    bool first = !figure->line_count || block->box.y < figure->lines[0].box.y;
    memcpy(lines + (first ? 0 : figure->line_count), block->lines,
           block->line_count * sizeof *lines);
    if (figure->line_count)
        memcpy(lines + (first ? block->line_count : 0), figure->lines,
               figure->line_count * sizeof *lines);
    figure->confidence = (figure->confidence * (double)figure->line_count +
                          block->confidence * (double)block->line_count) /
                         (double)count;
    figure->lines = lines;
    figure->line_count = count;
    return true;
}

/* Takes block `from` off the page; the figure's place after that. */
static size_t take_block(vl_arena *arena, vl_page *page, size_t figure, size_t from) {
    if (!give_lines(arena, &page->blocks[figure], &page->blocks[from]))
        return figure;
    memmove(page->blocks + from, page->blocks + from + 1,
            (page->block_count - from - 1) * sizeof *page->blocks);
    page->block_count--;
    return figure - (from < figure);
}

void vl_ocr_take_captions(vl_arena *arena, vl_page *page, double x_height) {
    for (size_t f = 0; f < page->block_count; f++) {
        if (page->blocks[f].kind != VL_BLOCK_FIGURE)
            continue;
        size_t best = best_caption(arena, page, f, x_height);
        if (best == page->block_count)
            continue;
        bool below = page->blocks[best].box.y > page->blocks[f].box.y;
        bool source = vl_ocr_begins_caption(arena, &page->blocks[best]);
        f = take_block(arena, page, f, best);
        /* Under a title above there may be a source below, and the other way round. */
        size_t other = page->block_count;
        if (source && below)
            other = title_above(page, f);
        else if (!below)
            other = best_caption(arena, page, f, x_height);
        if (other < page->block_count &&
            (page->blocks[other].box.y > page->blocks[f].box.y) != below)
            f = take_block(arena, page, f, other);
    }
}

/* ---- into files ---------------------------------------------------------------------------
 */

typedef struct cutter {
    char prefix[NAME_MAX_BYTES];
} cutter;

static vl_status cut(const vl_image *page, vl_box box, vl_image **out, vl_error *error) {
    int32_t width = common(box.x, box.width, 0, (int32_t)page->width);
    int32_t height = common(box.y, box.height, 0, (int32_t)page->height);
    int32_t x = box.x > 0 ? box.x : 0, y = box.y > 0 ? box.y : 0;
    *out = NULL;
    if (width < 1 || height < 1)
        return vl_fail(error, VL_ERR_INTERNAL, "a figure lies outside of its page");
    vl_status status =
        vl_image_new((uint32_t)width, (uint32_t)height, page->channels, out, error);
    for (int32_t row = 0; !status && row < height; row++)
        memcpy((*out)->pixels + (size_t)row * (*out)->stride,
               page->pixels + (size_t)(y + row) * page->stride + (size_t)x * page->channels,
               (size_t)width * page->channels);
    if (!status)
        (*out)->dpi = page->dpi;
    return status;
}

static vl_status save(const vl_image *page, vl_box box, const char *path, vl_error *error) {
    enum { FIGURE_BYTES_MAX = 256 << 20 };
    vl_image *figure = NULL;
    vl_buf png;
    vl_buf_init(&png, FIGURE_BYTES_MAX);
    vl_status status = cut(page, box, &figure, error);
    if (!status)
        status = vl_image_encode_png(figure, &png, error);
    if (!status)
        status = vl_file_write(path, png.data, png.len, error);
    vl_buf_deinit(&png);
    vl_image_free(figure);
    return status;
}

static vl_status figures_page(vl_ocr_writer *w, const vl_page *page, const vl_image *picture,
                              vl_error *error) {
    const cutter *c = w->state;
    size_t number = 0;
    vl_status status = VL_OK;
    for (size_t i = 0; picture && i < page->block_count && !status; i++) {
        char path[NAME_MAX_BYTES + 64];
        if (page->blocks[i].kind != VL_BLOCK_FIGURE)
            continue;
        snprintf(path, sizeof path, "%s-%u-%zu.png", c->prefix, w->pages + 1, ++number);
        status = save(picture, page->blocks[i].box, path, error);
    }
    return status;
}

static vl_status figures_bad_page(vl_ocr_writer *w, const vl_error *reason, vl_error *error) {
    (void)w;
    (void)reason;
    (void)error;
    return VL_OK;
}

static vl_status no_sink(void *user, const void *bytes, size_t count, vl_error *error) {
    (void)user;
    (void)bytes;
    (void)count;
    (void)error;
    return VL_OK;
}

vl_status vl_ocr_figures_writer_new(const char *prefix, vl_ocr_writer **writer,
                                    vl_error *error) {
    static const vl_format_ops ops = {.name = "figures",
                                      .extension = ".png",
                                      .state_bytes = sizeof(cutter),
                                      .page = figures_page,
                                      .bad_page = figures_bad_page};
    *writer = NULL;
    if (strlen(prefix) >= NAME_MAX_BYTES)
        return vl_fail(error, VL_ERR_USAGE, "the path of the figures is too long");
    vl_status status = vl_writer_new(&ops, "", no_sink, NULL, writer, error);
    if (!status)
        snprintf(((cutter *)(*writer)->state)->prefix, NAME_MAX_BYTES, "%s", prefix);
    return status;
}

void vl_ocr_writer_link_figures(vl_ocr_writer *writer, const char *prefix) {
    free(writer->figures);
    writer->figures = strdup(prefix);
}
