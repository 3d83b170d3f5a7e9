/* page_kinds.c — see page_kinds.h. Letters, notices, forms, reports, receipts, charts and maps,
 * each with its own furniture and with words of one text file, laid out by Pango. */
#include "page_kinds.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_TEXT = 4096 };

const char *page_kind_name(page_kind kind) {
    static const char *const names[] = {"letter",  "notice", "form", "report",
                                        "receipt", "chart",  "map"};
    return names[kind];
}

const char *page_kind_scene(page_kind kind) {
    return kind == PAGE_CHART || kind == PAGE_MAP ? "map_or_chart" : "document";
}

void page_kind_size(page_kind kind, dice *d, int *width, int *height) {
    double ratio = dice_between(d, 0.68, 0.8);
    bool wide = dice_chance(d, 0.15);
    if (kind == PAGE_RECEIPT) {
        ratio = dice_between(d, 0.4, 0.65);
        wide = false;
    } else if (kind == PAGE_CHART || kind == PAGE_MAP) {
        ratio = dice_between(d, 0.65, 1);
        wide = dice_chance(d, 0.6);
    } else if (kind == PAGE_NOTICE) {
        ratio = dice_between(d, 0.65, 1);
        wide = dice_chance(d, 0.3);
    }
    *width = wide ? 640 : (int)(640 * ratio);
    *height = wide ? (int)(640 * ratio) : 640;
}

typedef struct colour {
    double r, g, b;
} colour;

typedef struct page {
    cairo_t *cairo;
    const page_file *file;
    dice *d;
    bool rtl;
    const char *font;
    double size; /* of body text, pixels */
    double x, y, width, bottom;
    colour ink, accent;
    int missing;
} page;

static void set_colour(page *p, colour c) {
    cairo_set_source_rgb(p->cairo, c.r, c.g, c.b);
}

static colour draw_colour(dice *d, double least, double most) {
    return (colour){dice_between(d, least, most), dice_between(d, least, most),
                    dice_between(d, least, most)};
}

/* ---- words
 * ------------------------------------------------------------------------------------ */

static const char *a_line(page *p) {
    return p->file->text.items[dice_below(p->d, (int)p->file->text.count)];
}

/* Up to `count` words of a line, of at most `max` bytes; scripts without spaces are cut at a
 * character. */
static void some_words(page *p, int count, size_t max, char *out, size_t capacity) {
    const char *line = a_line(p);
    size_t length = 0;
    int words = 0;
    if (max >= capacity)
        max = capacity - 1;
    while (line[length] && length < max) {
        if (line[length] == ' ' && ++words == count)
            break;
        length++;
    }
    while (length > 0 && ((unsigned char)line[length] & 0xC0) == 0x80)
        length--;
    memcpy(out, line, length);
    out[length] = '\0';
}

/* About `bytes` of running text. */
static void a_paragraph(page *p, size_t bytes, char *out, size_t capacity) {
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < 24 && used < bytes; i++) {
        const char *line = a_line(p);
        size_t length = strlen(line);
        if (used + length + 2 > capacity)
            break;
        memcpy(out + used, line, length);
        used += length;
        out[used++] = ' ';
        out[used] = '\0';
    }
}

/* ---- setting
 * ---------------------------------------------------------------------------------- */

typedef struct style {
    double scale;
    bool bold;
    PangoAlignment align;
} style;

static PangoLayout *lay_out(page *p, const char *text, style s, double width) {
    PangoLayout *layout = pango_cairo_create_layout(p->cairo);
    PangoFontDescription *font = pango_font_description_from_string(p->font);
    pango_font_description_set_absolute_size(font, p->size * s.scale * PANGO_SCALE);
    pango_font_description_set_weight(font, s.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, text, -1);
    if (width > 0) {
        pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    }
    pango_layout_set_auto_dir(layout, TRUE);
    pango_layout_set_alignment(layout, s.align);
    pango_font_description_free(font);
    p->missing += pango_layout_get_unknown_glyphs_count(layout);
    return layout;
}

/* Sets the text with its top left corner at (x, y); returns its height. Lines below `bottom` of
 * the page are not set. */
static double put_at(page *p, const char *text, style s, double x, double y, double width) {
    PangoLayout *layout = lay_out(p, text, s, width);
    int height;
    pango_layout_set_height(layout, (int)(fmax(1, p->bottom - y) * PANGO_SCALE));
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_get_pixel_size(layout, NULL, &height);
    if (y + height <= p->bottom + p->size) {
        cairo_move_to(p->cairo, x, y);
        pango_cairo_show_layout(p->cairo, layout);
    }
    g_object_unref(layout);
    return height;
}

static void put(page *p, const char *text, style s, double gap) {
    if (p->y < p->bottom)
        p->y += put_at(p, text, s, p->x, p->y, p->width) + gap;
}

static void put_words(page *p, int words, size_t max, style s, double gap) {
    char text[512];
    some_words(p, words, max, text, sizeof text);
    put(p, text, s, gap);
}

static void put_paragraphs(page *p, int count, size_t least, size_t most) {
    char text[MAX_TEXT];
    for (int i = 0; i < count && p->y < p->bottom - p->size; i++) {
        a_paragraph(p, (size_t)dice_between(p->d, (double)least, (double)most), text,
                    sizeof text);
        put(p, text, (style){1, false, PANGO_ALIGN_LEFT}, p->size * 0.9);
    }
}

static void line_to(page *p, double x1, double y1, double x2, double y2, double width) {
    cairo_set_line_width(p->cairo, width);
    cairo_move_to(p->cairo, x1, y1);
    cairo_line_to(p->cairo, x2, y2);
    cairo_stroke(p->cairo);
}

static void box(page *p, double x, double y, double width, double height, double line) {
    cairo_set_line_width(p->cairo, line);
    cairo_rectangle(p->cairo, x, y, width, height);
    cairo_stroke(p->cairo);
}

/* A signature: a run of loops in blue or black ink. */
static void sign(page *p, double x, double y, double width) {
    cairo_save(p->cairo);
    if (dice_chance(p->d, 0.6))
        cairo_set_source_rgb(p->cairo, 0.1, 0.15, 0.55);
    cairo_set_line_width(p->cairo, p->size * 0.1);
    cairo_move_to(p->cairo, x, y);
    for (int i = 1; i <= 7; i++) {
        double to = x + width * i / 7, high = p->size * dice_between(p->d, 0.5, 2);
        cairo_curve_to(p->cairo, to - width / 5, y - high, to + width / 9, y + high / 2, to,
                       y + p->size * dice_between(p->d, -0.4, 0.4));
    }
    cairo_stroke(p->cairo);
    cairo_restore(p->cairo);
}

/* A rubber stamp: two rings with a word, turned a little. */
static void stamp(page *p, double x, double y, double radius) {
    char word[64];
    cairo_save(p->cairo);
    bool red = dice_chance(p->d, 0.5);
    cairo_set_source_rgba(p->cairo, red ? 0.7 : 0.15, 0.15, red ? 0.2 : 0.6, 0.7);
    cairo_translate(p->cairo, x, y);
    cairo_rotate(p->cairo, dice_between(p->d, -0.5, 0.5));
    cairo_set_line_width(p->cairo, radius * 0.06);
    for (int ring = 0; ring < 2; ring++) {
        cairo_new_sub_path(p->cairo);
        cairo_arc(p->cairo, 0, 0, radius * (ring ? 0.65 : 1), 0, 6.2832);
        cairo_stroke(p->cairo);
    }
    some_words(p, 1, 12, word, sizeof word);
    double bottom = p->bottom;
    p->bottom = 1e4;
    put_at(p, word, (style){0.8, true, PANGO_ALIGN_CENTER}, -radius, -p->size * 0.5,
           2 * radius);
    p->bottom = bottom;
    cairo_restore(p->cairo);
}

static void a_date(page *p, char *out, size_t capacity) {
    int day = 1 + dice_below(p->d, 28), month = 1 + dice_below(p->d, 12);
    int year = 1990 + dice_below(p->d, 37);
    if (dice_chance(p->d, 0.5))
        snprintf(out, capacity, "%02d/%02d/%d", day, month, year);
    else
        snprintf(out, capacity, "%d-%02d-%02d", year, month, day);
}

/* Rows of `columns` cells, words first and numbers after them. */
static void table(page *p, int rows, int columns, bool ruled) {
    double height = p->size * dice_between(p->d, 1.7, 2.3);
    double first = p->width * dice_between(p->d, 0.25, 0.45);
    double rest = columns > 1 ? (p->width - first) / (columns - 1) : 0;
    bool shaded = dice_chance(p->d, 0.5);
    char text[64];
    for (int r = 0; r < rows && p->y + height < p->bottom; r++, p->y += height)
        for (int c = 0; c < columns; c++) {
            double width = c ? rest : first;
            double x = p->x + (c ? first + (c - 1) * rest : 0);
            if (p->rtl)
                x = 2 * p->x + p->width - x - width;
            if (shaded && r == 0) {
                cairo_set_source_rgb(p->cairo, 0.85, 0.87, 0.9);
                cairo_rectangle(p->cairo, x, p->y, width, height);
                cairo_fill(p->cairo);
                set_colour(p, p->ink);
            }
            if (r == 0 || c == 0)
                some_words(p, 2, 18, text, sizeof text);
            else
                snprintf(text, sizeof text, "%d", dice_below(p->d, 9999));
            cairo_save(p->cairo);
            cairo_rectangle(p->cairo, x, p->y, width, height);
            cairo_clip(p->cairo);
            put_at(p, text, (style){0.9, r == 0, PANGO_ALIGN_LEFT}, x + p->size * 0.3,
                   p->y + height * 0.15, width * 3);
            cairo_restore(p->cairo);
            if (ruled)
                box(p, x, p->y, width, height, 1);
            else if (c == 0)
                line_to(p, p->x, p->y + height, p->x + p->width, p->y + height, 0.7);
        }
    p->y += p->size;
}

/* ---- kinds
 * ------------------------------------------------------------------------------------ */

static void letter_head(page *p) {
    set_colour(p, p->accent);
    if (dice_chance(p->d, 0.6)) { /* an emblem */
        double r = p->size * dice_between(p->d, 1, 2);
        double x = dice_chance(p->d, 0.5) ? p->x + r : p->x + p->width / 2;
        cairo_arc(p->cairo, x, p->y + r, r, 0, 6.2832);
        cairo_fill(p->cairo);
        p->y += 2 * r + p->size * 0.5;
    }
    PangoAlignment align = dice_chance(p->d, 0.6) ? PANGO_ALIGN_CENTER : PANGO_ALIGN_LEFT;
    put_words(p, 4, 60, (style){1.4, true, align}, p->size * 0.2);
    put_words(p, 6, 80, (style){0.8, false, align}, p->size * 0.4);
    line_to(p, p->x, p->y, p->x + p->width, p->y, 1.5);
    set_colour(p, p->ink);
    p->y += p->size;
}

static void letter(page *p) {
    char text[64];
    if (dice_chance(p->d, 0.6))
        letter_head(p);
    a_date(p, text, sizeof text);
    put(p, text, (style){1, false, p->rtl ? PANGO_ALIGN_LEFT : PANGO_ALIGN_RIGHT}, p->size);
    for (int i = dice_below(p->d, 4); i > 0; i--)
        put_words(p, 3, 40, (style){1, false, PANGO_ALIGN_LEFT}, p->size * 0.1);
    p->y += p->size;
    if (dice_chance(p->d, 0.5))
        put_words(p, 7, 90, (style){1, true, PANGO_ALIGN_LEFT}, p->size);
    put_paragraphs(p, 2 + dice_below(p->d, 4), 150, 600);
    double x = p->rtl ? p->x : p->x + p->width * 0.55;
    if (p->y + 3 * p->size < p->bottom && dice_chance(p->d, 0.8)) {
        sign(p, x, p->y + 2 * p->size, p->width * 0.3);
        p->y += 3 * p->size;
        put_words(p, 2, 30, (style){1, false, PANGO_ALIGN_LEFT}, 0);
    }
    if (dice_chance(p->d, 0.3))
        stamp(p, p->x + p->width * dice_between(p->d, 0.3, 0.9), p->bottom - p->size * 5,
              p->size * 3);
}

static void notice(page *p) {
    if (dice_chance(p->d, 0.4)) { /* a coloured band behind the title */
        cairo_save(p->cairo);
        set_colour(p, p->accent);
        cairo_rectangle(p->cairo, 0, 0, 2000, p->y + p->size * 4);
        cairo_fill(p->cairo);
        cairo_set_source_rgb(p->cairo, 1, 1, 1);
        put_words(p, 3, 40, (style){2, true, PANGO_ALIGN_CENTER}, p->size);
        cairo_restore(p->cairo);
        p->y = fmax(p->y, p->size * 6);
        set_colour(p, p->ink);
    } else {
        put_words(p, 3, 40, (style){2, true, PANGO_ALIGN_CENTER}, p->size);
    }
    if (dice_chance(p->d, 0.35))
        box(p, p->x * 0.45, p->x * 0.45, p->width + 1.1 * p->x, p->bottom - p->x * 0.2,
            p->size * 0.2);
    bool centred = dice_chance(p->d, 0.4), bullets = dice_chance(p->d, 0.4);
    int items = 2 + dice_below(p->d, 5);
    for (int i = 0; i < items && p->y < p->bottom - p->size; i++) {
        char text[600];
        size_t lead = bullets ? (size_t)snprintf(text, sizeof text, "• ") : 0;
        some_words(p, 18, 160, text + lead, sizeof text - lead);
        put(p, text,
            (style){1.1, dice_chance(p->d, 0.2),
                    centred ? PANGO_ALIGN_CENTER : PANGO_ALIGN_LEFT},
            p->size * 0.6);
    }
    char foot[128];
    snprintf(foot, sizeof foot, "+%d %03d %06d", 20 + dice_below(p->d, 940),
             dice_below(p->d, 1000), dice_below(p->d, 1000000));
    put(p, foot, (style){1.4, true, PANGO_ALIGN_CENTER}, 0);
}

static void form_field(page *p) {
    char text[128];
    double height = p->size * 1.8, label = p->width * dice_between(p->d, 0.25, 0.4);
    double x = p->rtl ? p->x + p->width - label : p->x;
    double field = p->rtl ? p->x : p->x + label;
    some_words(p, 2, 20, text, sizeof text - 2);
    strcat(text, ":");
    put_at(p, text, (style){1, false, PANGO_ALIGN_LEFT}, x, p->y, label * 1.5);
    if (dice_chance(p->d, 0.5))
        line_to(p, field, p->y + height * 0.8, field + p->width - label, p->y + height * 0.8,
                1);
    else
        box(p, field, p->y - 2, p->width - label, height * 0.85, 1);
    if (dice_chance(p->d, 0.6)) { /* filled in */
        cairo_set_source_rgb(p->cairo, 0.1, 0.15, 0.5);
        const char *font = p->font;
        p->font = "Noto Serif Italic";
        some_words(p, 3, 26, text, sizeof text);
        put_at(p, text, (style){1, false, PANGO_ALIGN_LEFT}, field + 4, p->y,
               p->width - label - 8);
        p->font = font;
        set_colour(p, p->ink);
    }
    p->y += height;
}

static void form_boxes(page *p) {
    char text[64];
    int count = 2 + dice_below(p->d, 3);
    for (int i = 0; i < count; i++) {
        double x = p->x + p->width * i / count, side = p->size * 0.9;
        box(p, x, p->y, side, side, 1);
        if (dice_chance(p->d, 0.4)) {
            line_to(p, x, p->y, x + side, p->y + side, 1.5);
            line_to(p, x + side, p->y, x, p->y + side, 1.5);
        }
        some_words(p, 1, 12, text, sizeof text);
        put_at(p, text, (style){0.9, false, PANGO_ALIGN_LEFT}, x + side * 1.5, p->y,
               p->width / count);
    }
    p->y += p->size * 2;
}

static void form(page *p) {
    put_words(p, 5, 60, (style){1.4, true, PANGO_ALIGN_CENTER}, p->size);
    if (dice_chance(p->d, 0.4)) /* a place for a photograph */
        box(p, p->rtl ? p->x : p->x + p->width - p->size * 5, p->y, p->size * 5, p->size * 6,
            1);
    while (p->y < p->bottom - 3 * p->size) {
        double what = dice_unit(p->d);
        if (what < 0.7)
            form_field(p);
        else if (what < 0.85)
            form_boxes(p);
        else if (what < 0.93)
            put_words(p, 4, 50, (style){1, true, PANGO_ALIGN_LEFT}, p->size * 0.4);
        else
            table(p, 3 + dice_below(p->d, 3), 3 + dice_below(p->d, 3), true);
    }
    if (dice_chance(p->d, 0.5))
        sign(p, p->x + p->width * 0.55, p->bottom, p->width * 0.3);
}

static void report(page *p) {
    put_words(p, 6, 80, (style){1.5, true, PANGO_ALIGN_LEFT}, p->size * 0.8);
    if (dice_chance(p->d, 0.5))
        put_paragraphs(p, 1, 100, 300);
    bool two = dice_chance(p->d, 0.45);
    double full = p->width, top = p->y, left = p->x;
    for (int column = 0; column < (two ? 2 : 1); column++) {
        p->width = two ? full / 2 - p->size * 0.7 : full;
        p->x = left + column * (full / 2 + p->size * 0.7);
        p->y = top;
        while (p->y < p->bottom - 2 * p->size) {
            if (dice_chance(p->d, 0.4))
                put_words(p, 4, 50, (style){1.15, true, PANGO_ALIGN_LEFT}, p->size * 0.4);
            if (dice_chance(p->d, 0.3))
                table(p, 3 + dice_below(p->d, 6), two ? 3 : 3 + dice_below(p->d, 4),
                      dice_chance(p->d, 0.6));
            put_paragraphs(p, 1, 200, 700);
        }
    }
}

static void bar_code(page *p) {
    double x = p->x + p->width * 0.1, height = p->size * 3;
    while (x < p->x + p->width * 0.9) {
        double width = p->size * dice_between(p->d, 0.05, 0.25);
        cairo_rectangle(p->cairo, x, p->y, width, height);
        cairo_fill(p->cairo);
        x += width + p->size * dice_between(p->d, 0.05, 0.25);
    }
    p->y += height + p->size;
}

static void receipt_row(page *p, const char *item, const char *price, bool bold) {
    style left = {1, bold, PANGO_ALIGN_LEFT}, right = {1, bold, PANGO_ALIGN_RIGHT};
    double third = p->width * 0.35;
    double item_x = p->rtl ? p->x + third : p->x;
    double price_x = p->rtl ? p->x : p->x + p->width - third;
    put_at(p, item, left, item_x, p->y, p->width - third);
    p->y += put_at(p, price, p->rtl ? left : right, price_x, p->y, third);
}

static void receipt(page *p) {
    char item[64], price[32];
    put_words(p, 3, 36, (style){1.3, true, PANGO_ALIGN_CENTER}, 2);
    put_words(p, 4, 40, (style){0.9, false, PANGO_ALIGN_CENTER}, 2);
    a_date(p, item, sizeof item);
    put(p, item, (style){0.9, false, PANGO_ALIGN_CENTER}, p->size);
    cairo_set_dash(p->cairo, (const double[]){4, 3}, 2, 0);
    line_to(p, p->x, p->y, p->x + p->width, p->y, 1);
    p->y += p->size * 0.6;
    int rows = 4 + dice_below(p->d, 14), total = 0;
    for (int i = 0; i < rows && p->y < p->bottom - 7 * p->size; i++) {
        int cents = 50 + dice_below(p->d, 9000);
        total += cents;
        some_words(p, 2, 20, item, sizeof item);
        snprintf(price, sizeof price, "%d.%02d", cents / 100, cents % 100);
        receipt_row(p, item, price, false);
    }
    p->y += p->size * 0.3;
    line_to(p, p->x, p->y, p->x + p->width, p->y, 1);
    cairo_set_dash(p->cairo, NULL, 0, 0);
    p->y += p->size * 0.4;
    some_words(p, 1, 14, item, sizeof item);
    snprintf(price, sizeof price, "%d.%02d", total / 100, total % 100);
    p->size *= 1.3;
    receipt_row(p, item, price, true);
    p->size /= 1.3;
    p->y += p->size;
    if (dice_chance(p->d, 0.5) && p->y + 4 * p->size < p->bottom)
        bar_code(p);
    put_words(p, 5, 40, (style){0.9, false, PANGO_ALIGN_CENTER}, 0);
}

static void bars(page *p, double x, double y, double width, double height) {
    int count = 3 + dice_below(p->d, 8), series = 1 + dice_below(p->d, 3);
    bool lying = dice_chance(p->d, 0.25);
    char text[32];
    colour colours[3];
    for (int s = 0; s < series; s++)
        colours[s] = draw_colour(p->d, 0.1, 0.85);
    for (int i = 0; i < count; i++) {
        double slot = (lying ? height : width) / count, thick = slot * 0.7 / series;
        for (int s = 0; s < series; s++) {
            double value = dice_between(p->d, 0.08, 0.95), at = slot * (i + 0.15) + s * thick;
            set_colour(p, colours[s]);
            if (lying)
                cairo_rectangle(p->cairo, x, y + at, width * value, thick);
            else
                cairo_rectangle(p->cairo, x + at, y + height * (1 - value), thick,
                                height * value);
            cairo_fill(p->cairo);
        }
        set_colour(p, p->ink);
        if (!lying && slot > p->size * 1.5) {
            some_words(p, 1, 9, text, sizeof text);
            put_at(p, text, (style){0.7, false, PANGO_ALIGN_LEFT}, x + slot * (i + 0.1),
                   y + height + 3, slot * 1.2);
        }
    }
}

static void curves(page *p, double x, double y, double width, double height) {
    int series = 1 + dice_below(p->d, 4), points = 5 + dice_below(p->d, 20);
    for (int s = 0; s < series; s++) {
        double value = dice_between(p->d, 0.2, 0.8);
        bool filled = s == 0 && dice_chance(p->d, 0.25);
        set_colour(p, draw_colour(p->d, 0, 0.75));
        cairo_set_line_width(p->cairo, dice_between(p->d, 1.5, 4));
        for (int i = 0; i < points; i++) {
            value = fmin(0.97, fmax(0.03, value + dice_between(p->d, -0.16, 0.17)));
            cairo_line_to(p->cairo, x + width * i / (points - 1), y + height * (1 - value));
        }
        if (filled) {
            cairo_line_to(p->cairo, x + width, y + height);
            cairo_line_to(p->cairo, x, y + height);
            cairo_fill(p->cairo);
        } else {
            cairo_stroke(p->cairo);
        }
    }
    set_colour(p, p->ink);
}

static void slices(page *p, double x, double y, double width, double height) {
    double radius = fmin(width, height) * 0.45, from = dice_between(p->d, 0, 6.28);
    int count = 3 + dice_below(p->d, 5);
    double left = 6.2832, cx = x + width * 0.4, cy = y + height / 2;
    char text[32];
    for (int i = 0; i < count; i++) {
        double share = i == count - 1 ? left : left * dice_between(p->d, 0.15, 0.5);
        colour own = draw_colour(p->d, 0.15, 0.9);
        set_colour(p, own);
        cairo_move_to(p->cairo, cx, cy);
        cairo_arc(p->cairo, cx, cy, radius, from, from + share);
        cairo_close_path(p->cairo);
        cairo_fill(p->cairo);
        double ly = y + i * p->size * 1.6;
        cairo_rectangle(p->cairo, x + width * 0.4 + radius * 1.15, ly, p->size, p->size);
        set_colour(p, own);
        cairo_fill(p->cairo);
        set_colour(p, p->ink);
        some_words(p, 1, 10, text, sizeof text);
        put_at(p, text, (style){0.8, false, PANGO_ALIGN_LEFT},
               x + width * 0.4 + radius * 1.15 + p->size * 1.4, ly, width * 0.3);
        from += share;
        left -= share;
    }
    if (dice_chance(p->d, 0.3)) { /* a ring */
        cairo_set_source_rgb(p->cairo, 1, 1, 1);
        cairo_arc(p->cairo, cx, cy, radius * 0.5, 0, 6.2832);
        cairo_fill(p->cairo);
        set_colour(p, p->ink);
    }
}

static void axes(page *p, double x, double y, double width, double height) {
    char text[32];
    int steps = 3 + dice_below(p->d, 5), scale = (1 + dice_below(p->d, 9)) * 5;
    bool grid = dice_chance(p->d, 0.6);
    for (int i = 0; i <= steps; i++) {
        double at = y + height * (1 - (double)i / steps);
        snprintf(text, sizeof text, "%d", i * scale);
        put_at(p, text, (style){0.7, false, PANGO_ALIGN_RIGHT}, x - p->size * 3.2,
               at - p->size * 0.5, p->size * 3);
        if (grid) {
            cairo_set_source_rgb(p->cairo, 0.8, 0.8, 0.8);
            line_to(p, x, at, x + width, at, 1);
            set_colour(p, p->ink);
        }
    }
    line_to(p, x, y, x, y + height, 2);
    line_to(p, x, y + height, x + width, y + height, 2);
}

static void chart(page *p) {
    put_words(p, 6, 70, (style){1.3, true, PANGO_ALIGN_CENTER}, p->size);
    double x = p->x + p->size * 3, y = p->y, width = p->width - p->size * 3;
    double height = p->bottom - p->y - p->size * 3;
    bool text_below = dice_chance(p->d, 0.3);
    if (text_below)
        height *= 0.65;
    p->bottom += p->size * 3;
    double what = dice_unit(p->d);
    if (what < 0.8)
        axes(p, x, y, width, height);
    if (what < 0.45)
        bars(p, x, y, width, height);
    else if (what < 0.8)
        curves(p, x, y, width, height);
    else
        slices(p, p->x, y, p->width, height);
    p->bottom -= p->size * 3;
    p->y = y + height + p->size * 2;
    if (text_below)
        put_paragraphs(p, 2, 150, 400);
}

/* A closed wobbly outline around (cx, cy). */
static void blob(page *p, double cx, double cy, double radius, double wobble) {
    enum { POINTS = 24 };
    double phase[4];
    for (int k = 0; k < 4; k++)
        phase[k] = dice_between(p->d, 0, 6.28);
    for (int i = 0; i < POINTS; i++) {
        double a = 6.2832 * i / POINTS, r = radius;
        for (int k = 0; k < 4; k++)
            r += radius * wobble * sin((k + 2) * a + phase[k]) / (k + 1.5);
        cairo_line_to(p->cairo, cx + r * cos(a), cy + r * sin(a));
    }
    cairo_close_path(p->cairo);
}

static void way(page *p, double width, double height, double thick, bool winding) {
    double x = dice_between(p->d, 0, width), y = 0;
    double drift = dice_between(p->d, -0.5, 0.5) * width;
    bool across = dice_chance(p->d, 0.5);
    cairo_set_line_width(p->cairo, thick);
    for (int i = 0; i <= 12; i++) {
        y = height * i / 12;
        double sway = winding ? dice_between(p->d, -0.06, 0.06) * width : 0;
        double at = x + drift * i / 12 + sway;
        if (across)
            cairo_line_to(p->cairo, y * width / height, at * height / width);
        else
            cairo_line_to(p->cairo, at, y);
    }
    cairo_stroke(p->cairo);
}

static void places(page *p, double width, double height) {
    char text[48];
    int count = 4 + dice_below(p->d, 14);
    for (int i = 0; i < count; i++) {
        double x = dice_between(p->d, 0.05, 0.85) * width;
        double y = dice_between(p->d, 0.05, 0.92) * height;
        bool big = dice_chance(p->d, 0.3);
        if (dice_chance(p->d, 0.4)) { /* a sign for what happened there */
            cairo_set_source_rgb(p->cairo, 0.85, 0.15, 0.1);
            cairo_arc(p->cairo, x, y, p->size * dice_between(p->d, 0.4, 1.3), 0, 6.2832);
            cairo_fill(p->cairo);
        }
        set_colour(p, p->ink);
        cairo_arc(p->cairo, x, y, p->size * 0.18, 0, 6.2832);
        cairo_fill(p->cairo);
        some_words(p, 1, 14, text, sizeof text);
        put_at(p, text, (style){big ? 1.1 : 0.75, big, PANGO_ALIGN_LEFT}, x + p->size * 0.4,
               y - p->size * 0.5, width);
    }
}

static void legend(page *p, double width, double height) {
    char text[48];
    int rows = 2 + dice_below(p->d, 4);
    double w = width * 0.28, h = p->size * (1.5 * rows + 1);
    double x = dice_chance(p->d, 0.5) ? p->size : width - w - p->size;
    double y = height - h - p->size;
    cairo_set_source_rgb(p->cairo, 1, 1, 1);
    cairo_rectangle(p->cairo, x, y, w, h);
    cairo_fill(p->cairo);
    set_colour(p, p->ink);
    box(p, x, y, w, h, 1);
    for (int i = 0; i < rows; i++) {
        double ry = y + p->size * (0.5 + 1.5 * i);
        set_colour(p, draw_colour(p->d, 0.2, 0.9));
        cairo_rectangle(p->cairo, x + p->size * 0.5, ry, p->size * 1.4, p->size);
        cairo_fill(p->cairo);
        set_colour(p, p->ink);
        some_words(p, 1, 12, text, sizeof text);
        put_at(p, text, (style){0.75, false, PANGO_ALIGN_LEFT}, x + p->size * 2.3, ry,
               w - p->size * 2.5);
    }
}

static void map(page *p) {
    double width = p->width + 2 * p->x, height = p->bottom + p->x;
    p->bottom = height;
    colour land = draw_colour(p->d, 0.8, 0.97), water = {0.65, 0.8, 0.92};
    bool plain = dice_chance(p->d, 0.2); /* a street plan without colours */
    if (plain)
        land = (colour){1, 1, 1};
    set_colour(p, dice_chance(p->d, 0.4) ? water : land);
    cairo_paint(p->cairo);
    int regions = 2 + dice_below(p->d, 8);
    for (int i = 0; i < regions; i++) {
        blob(p, dice_between(p->d, 0, width), dice_between(p->d, 0, height),
             width * dice_between(p->d, 0.15, 0.45), 0.15);
        set_colour(p, plain ? land : draw_colour(p->d, 0.65, 0.98));
        cairo_fill_preserve(p->cairo);
        cairo_set_source_rgb(p->cairo, 0.45, 0.45, 0.45);
        cairo_set_line_width(p->cairo, dice_between(p->d, 0.8, 2));
        if (dice_chance(p->d, 0.4))
            cairo_set_dash(p->cairo, (const double[]){6, 4}, 2, 0);
        cairo_stroke(p->cairo);
        cairo_set_dash(p->cairo, NULL, 0, 0);
    }
    set_colour(p, (colour){0.4, 0.6, 0.85});
    for (int i = dice_below(p->d, 4); i > 0; i--)
        way(p, width, height, dice_between(p->d, 1.5, 6), true);
    for (int i = plain ? 8 + dice_below(p->d, 10) : dice_below(p->d, 8); i > 0; i--) {
        set_colour(p, (colour){0.35, 0.3, 0.3});
        double thick = dice_between(p->d, 1, 6);
        way(p, width, height, thick, false);
    }
    places(p, width, height);
    if (dice_chance(p->d, 0.6))
        legend(p, width, height);
    if (dice_chance(p->d, 0.9)) {
        p->y = p->size;
        put_words(p, 5, 60, (style){1.5, true, PANGO_ALIGN_CENTER}, 0);
    }
    if (dice_chance(p->d, 0.5)) /* a frame */
        box(p, p->size * 0.4, p->size * 0.4, width - p->size * 0.8, height - p->size * 0.8, 2);
}

int page_draw(cairo_surface_t *surface, page_kind kind, const page_file *file, bool rtl,
              dice *d) {
    static const char *const fonts[] = {"Noto Sans", "Noto Serif", "DejaVu Sans",
                                        "DejaVu Serif", "Noto Sans Mono"};
    static void (*const kinds[])(page *) = {letter, notice, form, report, receipt, chart, map};
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    double margin = width * dice_between(d, 0.05, 0.12);
    /* from a poster's few words to the small print of a whole page */
    double size = exp(dice_between(d, log(10), log(kind == PAGE_NOTICE ? 44 : 30)));
    page p = {.cairo = cairo_create(surface),
              .file = file,
              .d = d,
              .rtl = rtl,
              .font = fonts[kind == PAGE_RECEIPT && dice_chance(d, 0.7) ? 4 : dice_below(d, 4)],
              .size = size,
              .x = margin,
              .y = margin,
              .width = width - 2 * margin,
              .bottom = height - margin};
    p.ink = draw_colour(d, 0, 0.2);
    p.accent = draw_colour(d, 0.05, 0.6);
    cairo_set_source_rgb(p.cairo, 1, 1, 1);
    cairo_paint(p.cairo);
    set_colour(&p, p.ink);
    kinds[kind](&p);
    cairo_destroy(p.cairo);
    return p.missing;
}
