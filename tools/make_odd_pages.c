/* make_odd_pages.c — the pages of tests/pages: scripts that no pack may be there for, text that
 * stands on end or runs down the page, a fax, a dark band, a photographed screen.
 *
 * usage: make_odd_pages SOURCE_DIR OUT_DIR */
#include "dataset/degrade.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

typedef struct sheet {
    const char *name, *source, *font;
    int width, height;
    double size; /* of letters, pixels */
    bool down;   /* columns from top to bottom, from right to left */
    int turned;  /* clockwise, after drawing */
} sheet;

static const sheet scripts[] = {
    {"georgian", "geor", "Noto Serif Georgian", 900, 620, 24, false, 0},
    {"armenian", "armn", "Noto Sans Armenian", 900, 620, 24, false, 0},
    {"thai", "thai", "Noto Sans Thai", 900, 560, 26, false, 0},
    {"hebrew", "hebr", "Noto Serif Hebrew", 900, 560, 26, false, 0},
    {"sinhala", "sinh", "Noto Sans Sinhala", 900, 620, 24, false, 0},
    {"tibetan", "tibt", "Noto Serif Tibetan", 900, 560, 24, false, 0},
    {"cherokee", "cher", "Noto Sans Cherokee", 900, 560, 24, false, 0},
    {"tifinagh", "tfng", "Noto Sans Tifinagh", 900, 560, 24, false, 0},
    {"nko", "nkoo", "Noto Sans NKo", 900, 420, 26, false, 0},
    {"adlam", "adlm", "Noto Sans Adlam", 900, 560, 24, false, 0},
    {"mongolian", "mong", "Noto Sans Mongolian", 800, 520, 26, false, 90},
    {"japanese-vertical", "jpan", "IPAexMincho,IPAMincho,IPAGothic", 700, 620, 28, true, 0},
};

static void die(const char *what, const char *why) {
    fprintf(stderr, "make_odd_pages: %s: %s\n", what, why);
    exit(1);
}

static char *read_text(const char *folder, const char *name) {
    char path[1024];
    vl_buf text;
    vl_error error;
    vl_buf_init(&text, 1 << 16);
    snprintf(path, sizeof path, "%s/%s.txt", folder, name);
    if (vl_file_read(path, 1 << 16, &text, &error))
        die(path, error.message);
    char *copy = strndup(text.data, text.len);
    vl_buf_deinit(&text);
    return copy;
}

/* ---- drawing ------------------------------------------------------------------------------
 */

static vl_image *to_image(cairo_surface_t *surface, uint32_t channels) {
    vl_image *image;
    vl_error error;
    cairo_surface_flush(surface);
    uint32_t width = (uint32_t)cairo_image_surface_get_width(surface);
    uint32_t height = (uint32_t)cairo_image_surface_get_height(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    if (vl_image_new(width, height, channels, &image, &error))
        die("a page", error.message);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            for (uint32_t c = 0; c < channels; c++)
                image->pixels[y * image->stride + (size_t)x * channels + c] =
                    data[y * stride + 4 * (size_t)x + (channels == 3 ? 2 - c : 1)];
    return image;
}

static cairo_t *blank(int width, int height) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    cairo_t *cairo = cairo_create(surface);
    cairo_surface_destroy(surface);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    cairo_set_source_rgb(cairo, 0.05, 0.05, 0.08);
    return cairo;
}

static void write_text(cairo_t *cairo, const char *text, const char *font, double size,
                       double x, double y, double width, bool down) {
    PangoLayout *layout = pango_cairo_create_layout(cairo);
    PangoContext *context = pango_layout_get_context(layout);
    PangoFontDescription *description = pango_font_description_from_string(font);
    pango_font_description_set_absolute_size(description, size * PANGO_SCALE);
    if (down) {
        pango_context_set_base_gravity(context, PANGO_GRAVITY_EAST);
        pango_context_set_gravity_hint(context, PANGO_GRAVITY_HINT_STRONG);
    }
    pango_layout_set_font_description(layout, description);
    pango_layout_set_text(layout, text, -1);
    if (width > 0)
        pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_spacing(layout, (int)(size * 0.3 * PANGO_SCALE));
    cairo_save(cairo);
    cairo_move_to(cairo, x, y);
    if (down)
        cairo_rotate(cairo, G_PI / 2);
    pango_cairo_update_layout(cairo, layout);
    pango_cairo_show_layout(cairo, layout);
    cairo_restore(cairo);
    pango_font_description_free(description);
    g_object_unref(layout);
}

static vl_image *finish(cairo_t *cairo, uint32_t channels) {
    vl_image *image = to_image(cairo_get_target(cairo), channels);
    cairo_destroy(cairo);
    return image;
}

static vl_image *replace(vl_image *old, vl_image *made) {
    vl_image_free(old);
    if (!made)
        die("a page", "no memory");
    return made;
}

static void save(const vl_image *image, const char *folder, const char *name, bool photo) {
    char path[1024];
    vl_buf bytes;
    vl_error error;
    vl_buf_init(&bytes, 16 << 20);
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, photo ? "jpg" : "png");
    if (photo ? vl_image_encode_jpeg(image, 78, &bytes, &error)
              : vl_image_encode_png_level(image, 9, &bytes, &error))
        die(path, error.message);
    if (vl_file_write(path, bytes.data, bytes.len, &error))
        die(path, error.message);
    vl_buf_deinit(&bytes);
}

/* ---- the pages ----------------------------------------------------------------------------
 */

static void make_script(const sheet *s, const char *from, const char *to) {
    char *text = read_text(from, s->source);
    cairo_t *cairo = blank(s->width, s->height);
    if (s->down)
        write_text(cairo, text, s->font, s->size, s->width - 40, 40, s->height - 80, true);
    else
        write_text(cairo, text, s->font, s->size, 40, 40, s->width - 80, false);
    vl_image *image = finish(cairo, 1);
    degrade_soften(image, 0.4);
    degrade_noise(image, 2, 7);
    for (size_t i = 0; i < image->height * image->stride; i++)
        image->pixels[i] = (uint8_t)(image->pixels[i] | 0x0F); /* packs into a third */
    image = replace(image, vl_image_rotate(image, s->turned));
    save(image, to, s->name, false);
    vl_image_free(image);
    free(text);
}

/* Group 3, 204 × 98 dots to the inch: rows are twice as far apart as columns. */
static void make_fax(const char *text, const char *to) {
    enum { WIDTH = 1000, HEIGHT = 640 };
    char path[1024];
    cairo_t *cairo = blank(WIDTH, HEIGHT);
    write_text(cairo, text, "Noto Sans", 29, 40, 40, 0, false);
    vl_image *image = finish(cairo, 1);
    image = replace(image, vl_image_resize(image, WIDTH, HEIGHT * 98 / 204));
    degrade_noise(image, 18, 3);
    snprintf(path, sizeof path, "%s/fax.tif", to);
    TIFF *tiff = TIFFOpen(path, "w");
    if (!tiff)
        die(path, "cannot be written");
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, image->width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, image->height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, image->height);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX3);
    TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 204.0);
    TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 98.0);
    for (uint32_t y = 0; y < image->height; y++) {
        uint8_t row[WIDTH / 8] = {0};
        for (uint32_t x = 0; x < image->width; x++)
            if (image->pixels[y * image->stride + x] < 140)
                row[x / 8] |= (uint8_t)(0x80 >> x % 8);
        TIFFWriteScanline(tiff, row, y, 0);
    }
    TIFFClose(tiff);
    vl_image_free(image);
}

/* The first line light in a dark band, the others dark on light. */
static void make_band(const char *text, const char *to) {
    const char *rest = strchr(text, '\n') + 1;
    char first[128];
    cairo_t *cairo = blank(1000, 560);
    snprintf(first, sizeof first, "%.*s", (int)(rest - text - 1), text);
    cairo_set_source_rgb(cairo, 0.05, 0.1, 0.3);
    cairo_rectangle(cairo, 0, 30, 1000, 80);
    cairo_fill(cairo);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    write_text(cairo, first, "Noto Sans Bold", 34, 40, 46, 0, false);
    cairo_set_source_rgb(cairo, 0.05, 0.05, 0.08);
    write_text(cairo, rest, "Noto Sans", 27, 40, 140, 0, false);
    vl_image *image = finish(cairo, 1);
    save(image, to, "band", false);
    vl_image_free(image);
}

/* A screen taken by a phone: its lines against the sensor's (moiré), a lamp's reflection, seen
 * from the side. */
static void make_screen(const char *text, const char *to) {
    cairo_t *cairo = blank(1000, 600);
    write_text(cairo, text, "Noto Sans", 28, 50, 50, 0, false);
    vl_image *image = finish(cairo, 3);
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            double wave = 0.06 * sin(0.9 * x + 0.06 * y) + 0.05 * sin(1.07 * y - 0.04 * x) +
                          0.04 * sin(0.021 * x * y / 60.0);
            double lamp = exp(-(pow((x - 760.0) / 130, 2) + pow((y - 420.0) / 90, 2)));
            for (uint32_t c = 0; c < 3; c++) {
                uint8_t *p = image->pixels + y * image->stride + (size_t)x * 3 + c;
                static const double tint[3] = {0.78, 0.86, 0.96};
                double tone = (25 + 0.86 * *p) * tint[c] * (1 + wave);
                tone += 0.45 * lamp * (255 - tone);
                *p = (uint8_t)(tone < 0 ? 0 : tone > 255 ? 255 : tone);
            }
        }
    image = replace(image, degrade_perspective(image, 0.06, 0.03, 30));
    degrade_soften(image, 0.5);
    degrade_noise(image, 5, 11);
    save(image, to, "screen", true);
    vl_image_free(image);
}

/* A hill under a sky with grain, as a newspaper's photograph. */
static void draw_photo(vl_image *image, uint32_t left, uint32_t top, uint32_t width,
                       uint32_t height) {
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            double u = (double)x / width, v = (double)y / height;
            double hill = 0.45 + 0.2 * sin(5 * u + 1) + 0.05 * sin(23 * u);
            double tone = v < hill ? 205 - 70 * v : 90 - 50 * (v - hill) + 35 * sin(40 * u * v);
            image->pixels[(top + y) * image->stride + left + x] = (uint8_t)tone;
        }
    vl_image *part = degrade_crop(image, (int)left, (int)top, width, height, 255);
    degrade_noise(part, 6, left + top);
    for (uint32_t y = 0; y < height; y++)
        memcpy(image->pixels + (top + y) * image->stride + left,
               part->pixels + y * part->stride, width);
    vl_image_free(part);
}

/* Text, a figure with a caption that says so, text, one whose caption is small print. */
static void make_figures(const char *text, const char *to) {
    const char *body = strchr(text, '\n') + 1;
    cairo_t *cairo = blank(1000, 1500);
    write_text(cairo, body, "Noto Serif", 26, 60, 50, 880, false);
    write_text(cairo, "Figure 3: Water tanks behind the old market, May 2026", "Noto Serif", 24,
               160, 710, 0, false);
    write_text(cairo, body, "Noto Serif", 26, 60, 800, 880, false);
    write_text(cairo, "The river seen from the bridge", "Noto Serif", 18, 350, 1432, 0, false);
    vl_image *image = finish(cairo, 1);
    draw_photo(image, 160, 390, 680, 300);
    draw_photo(image, 260, 1140, 480, 280);
    save(image, to, "figures", true);
    vl_image_free(image);
}

/* A table drawn with rules whose cells run over several lines. */
static void make_ruled(const char *to) {
    static const char *const cells[4][3] = {
        {"District", "Damage seen by the team", "Next visit"},
        {"North Bank", "Two bridges are closed and the clinic has no roof", "Monday 4 May"},
        {"Old Harbour", "Water stands in forty houses", "Tuesday 5 May, by boat"},
        {"Hill Side", "Road open again, power lines down near the school", "Friday 8 May"}};
    static const int x[] = {60, 300, 680, 940}, y[] = {150, 210, 330, 430, 550};
    cairo_t *cairo = blank(1000, 700);
    write_text(cairo, "Situation of the week", "Noto Sans", 28, 60, 60, 0, false);
    cairo_set_line_width(cairo, 2);
    for (size_t r = 0; r < 4; r++)
        for (size_t c = 0; c < 3; c++) {
            cairo_rectangle(cairo, x[c], y[r], x[c + 1] - x[c], y[r + 1] - y[r]);
            cairo_stroke(cairo);
            write_text(cairo, cells[r][c], "Noto Sans", 25, x[c] + 12, y[r] + 8,
                       x[c + 1] - x[c] - 24, false);
        }
    write_text(cairo, "Reported by the district committee.", "Noto Sans", 25, 60, 600, 0,
               false);
    vl_image *image = finish(cairo, 1);
    save(image, to, "ruled", false);
    vl_image_free(image);
}

static void draw_line(cairo_t *cairo, double x0, double y0, double x1, double y1,
                      double width) {
    cairo_set_line_width(cairo, width);
    cairo_move_to(cairo, x0, y0);
    cairo_line_to(cairo, x1, y1);
    cairo_stroke(cairo);
}

/* Bars over grid lines of light grey, with numbers and names at the axes; its title above,
 * where its data are from below. */
static void make_chart(const char *text, const char *to) {
    static const char *const names[] = {"North Bank", "Old Harbour", "Hill Side"};
    static const int tops[3][2] = {{620, 540}, {500, 450}, {670, 590}};
    const char *body = strchr(text, '\n') + 1;
    cairo_t *cairo = blank(1000, 1300);
    write_text(cairo, body, "Noto Serif", 26, 60, 40, 880, false);
    write_text(cairo, "People who fetch water on foot, by district", "Noto Serif Bold", 24, 100,
               372, 0, false);
    for (int i = 0; i <= 5; i++) {
        char number[8];
        int y = 780 - i * 70;
        cairo_set_source_rgb(cairo, 0.78, 0.78, 0.78);
        draw_line(cairo, 170, y, 860, y, 2);
        cairo_set_source_rgb(cairo, 0.05, 0.05, 0.08);
        snprintf(number, sizeof number, "%d", 50 + 10 * i);
        write_text(cairo, number, "Noto Sans", 20, 120, y - 14, 0, false);
    }
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 2; k++) {
            double tone = k ? 0.3 : 0.6;
            cairo_set_source_rgb(cairo, tone, tone, tone);
            cairo_rectangle(cairo, 230 + i * 220 + k * 60, tops[i][k], 60, 780 - tops[i][k]);
            cairo_fill(cairo);
        }
        cairo_set_source_rgb(cairo, 0.05, 0.05, 0.08);
        write_text(cairo, names[i], "Noto Sans", 20, 235 + i * 220, 790, 0, false);
    }
    write_text(cairo, "Source: district survey, May 2026", "Noto Serif Italic", 22, 100, 845, 0,
               false);
    write_text(cairo, body, "Noto Serif", 26, 60, 930, 880, false);
    vl_image *image = finish(cairo, 1);
    save(image, to, "chart", false);
    vl_image_free(image);
}

/* A round sign of thin strokes, as a coat of arms. */
static void draw_emblem(cairo_t *cairo, double x, double y, double radius) {
    cairo_set_line_width(cairo, 2);
    for (int ring = 1; ring <= 4; ring++) {
        cairo_arc(cairo, x, y, radius * ring / 4, 0, 2 * G_PI);
        cairo_stroke(cairo);
    }
    for (int spoke = 0; spoke < 24; spoke++) {
        double angle = spoke * G_PI / 12;
        draw_line(cairo, x, y, x + radius * cos(angle), y + radius * sin(angle), 2);
    }
}

/* Squares as a matrix code has them. */
static void draw_code(cairo_t *cairo, double x, double y, int modules, double side) {
    uint32_t random = 11;
    for (int row = 0; row < modules; row++)
        for (int column = 0; column < modules; column++) {
            random = random * 1664525u + 1013904223u;
            bool corner =
                (row < 7 || row >= modules - 7) && (column < 7 || column >= modules - 7);
            int u = row < 7 ? row : row - modules + 7,
                v = column < 7 ? column : column - modules + 7;
            int ring = u < v ? u : v, other = 6 - (u > v ? u : v);
            ring = ring < other ? ring : other;
            if (corner ? ring != 1 : random >> 31)
                cairo_rectangle(cairo, x + column * side, y + row * side, side, side);
        }
    cairo_fill(cairo);
}

/* What stands in columns and is no table: a letterhead, contents, a list of items; with an
 * emblem and a code to be cut out. */
static void make_letterhead(const char *to) {
    static const char *const contents[] = {
        "I.",   "Opening of the session", "3",  "II.", "Water and sanitation",   "5",
        "III.", "Roads and bridges",      "12", "IV.", "Closing of the session", "19"};
    static const char *const items[] = {"Houses that can be lived in again;",
                                        "Schools and clinics;", "Wells and pumps;",
                                        "Boats for the old harbour;", "Other matters."};
    cairo_t *cairo = blank(1000, 1300);
    write_text(cairo, "District Council", "Noto Serif", 24, 230, 50, 0, false);
    write_text(cairo, "DC/2026/114", "Noto Serif", 24, 760, 50, 0, false);
    draw_line(cairo, 60, 100, 940, 100, 2);
    draw_emblem(cairo, 130, 180, 62);
    write_text(cairo, "Relief Committee", "Noto Serif Bold", 36, 230, 120, 0, false);
    write_text(cairo, "Distr.: General", "Noto Serif", 20, 760, 130, 0, false);
    write_text(cairo, "11 May 2026", "Noto Serif", 20, 760, 165, 0, false);
    write_text(cairo, "Original: English", "Noto Serif", 20, 760, 220, 0, false);
    draw_line(cairo, 60, 290, 940, 290, 4);
    write_text(cairo, "Contents", "Noto Serif", 26, 100, 340, 0, false);
    for (size_t i = 0; i < 4; i++) {
        double y = 400 + 50 * (double)i;
        write_text(cairo, contents[3 * i], "Noto Serif", 24, 100, y, 0, false);
        write_text(cairo, contents[3 * i + 1], "Noto Serif", 24, 180, y, 0, false);
        for (double x = 480; x < 800; x += 14) {
            cairo_arc(cairo, x, y + 26, 1.6, 0, 2 * G_PI);
            cairo_fill(cairo);
        }
        write_text(cairo, contents[3 * i + 2], "Noto Serif", 24, 830, y, 0, false);
    }
    write_text(cairo, "The committee asks the council to look at:", "Noto Serif", 24, 100, 640,
               0, false);
    for (size_t i = 0; i < 5; i++) {
        char mark[8];
        snprintf(mark, sizeof mark, "(%c)", 'a' + (int)i);
        write_text(cairo, mark, "Noto Serif", 24, 140, 700 + 50 * (double)i, 0, false);
        write_text(cairo, items[i], "Noto Serif", 24, 240, 700 + 50 * (double)i, 0, false);
    }
    draw_code(cairo, 760, 1080, 29, 5);
    vl_image *image = finish(cairo, 1);
    save(image, to, "letterhead", false);
    vl_image_free(image);
}

/* A table whose heading spans columns and whose first column spans rows. */
static void make_spanned(const char *to) {
    static const struct {
        int column, row, columns, rows;
        const char *text;
    } cells[] = {{0, 0, 1, 2, "District"},
                 {1, 0, 2, 1, "Houses damaged in May"},
                 {3, 0, 1, 2, "People"},
                 {1, 1, 1, 1, "In part"},
                 {2, 1, 1, 1, "Wholly"},
                 {0, 2, 1, 2, "North Bank"},
                 {1, 2, 1, 1, "214"},
                 {2, 2, 1, 1, "37"},
                 {3, 2, 1, 1, "1,120"},
                 {1, 3, 1, 1, "86"},
                 {2, 3, 1, 1, "12"},
                 {3, 3, 1, 1, "455"},
                 {0, 4, 1, 1, "Hill Side"},
                 {1, 4, 1, 1, "9"},
                 {2, 4, 1, 1, "2"},
                 {3, 4, 1, 1, "61"},
                 {0, 5, 4, 1, "Counted by two teams, from house to house"}};
    static const int x[] = {60, 300, 520, 720, 940}, y[] = {150, 215, 280, 345, 410, 475, 540};
    cairo_t *cairo = blank(1000, 700);
    write_text(cairo, "Table 2: damage by district", "Noto Sans", 28, 60, 60, 0, false);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        int x0 = x[cells[i].column], x1 = x[cells[i].column + cells[i].columns];
        int y0 = y[cells[i].row], y1 = y[cells[i].row + cells[i].rows];
        cairo_set_line_width(cairo, 2);
        cairo_rectangle(cairo, x0, y0, x1 - x0, y1 - y0);
        cairo_stroke(cairo);
        write_text(cairo, cells[i].text, "Noto Sans", 25, x0 + 14, (y0 + y1) / 2 - 19, 0,
                   false);
    }
    write_text(cairo, "Reported by the district committee.", "Noto Sans", 25, 60, 600, 0,
               false);
    vl_image *image = finish(cairo, 1);
    save(image, to, "spanned", false);
    vl_image_free(image);
}

/* A table without upright rules; two of its names run over two lines. */
static void make_open(const char *to) {
    static const char *const rows[][4] = {{"District", "In part", "Wholly", "People"},
                                          {"North Bank and the", "", "", ""},
                                          {"islands", "214", "37", "1,120"},
                                          {"Old Harbour", "58", "9", "301"},
                                          {"Hill Side", "9", "2", "61"},
                                          {"Camps along the new", "", "", ""},
                                          {"road", "340", "112", "2,044"},
                                          {"Total", "621", "160", "3,526"}};
    static const double x[] = {60, 420, 600, 780},
                        y[] = {160, 225, 260, 310, 360, 410, 445, 510};
    cairo_t *cairo = blank(1000, 700);
    write_text(cairo, "Table 3: damage by district", "Noto Sans", 28, 60, 60, 0, false);
    draw_line(cairo, 60, 150, 940, 150, 2);
    draw_line(cairo, 60, 210, 940, 210, 2);
    draw_line(cairo, 60, 500, 940, 500, 2);
    draw_line(cairo, 60, 560, 940, 560, 2);
    for (size_t r = 0; r < 8; r++)
        for (size_t c = 0; c < 4; c++)
            if (*rows[r][c])
                write_text(cairo, rows[r][c], "Noto Sans", 25, x[c], y[r], 0, false);
    write_text(cairo, "Reported by the district committee.", "Noto Sans", 25, 60, 600, 0,
               false);
    vl_image *image = finish(cairo, 1);
    save(image, to, "open", false);
    vl_image_free(image);
}

/* ---- columns ------------------------------------------------------------------------------
 */

static const char *const market[] = {
    "The market opens when the river is low and boats can land beside the stone wall. Farmers "
    "bring maize, beans and dried fish, and most of them are sold before noon. A basket costs "
    "less at the end of the day, but by then only the small ones are left.",
    "Three roads lead to the hospital. The first follows the coast and is often flooded. The "
    "second crosses the hills, where trucks need a whole day. The third was built last year "
    "and "
    "has two bridges that are guarded at night."};
static const char *const arabic[] = {
    "تعلن لجنة الإغاثة عن توزيع سلال غذائية على الأسر النازحة المسجلة لديها. تحصل كل أسرة على "
    "سلة واحدة تكفي لمدة شهر.",
    "يرجى إحضار بطاقة التسجيل والهوية الشخصية. يبدأ التوزيع في الساعة التاسعة صباحا وينتهي في "
    "الثالثة بعد الظهر."};

/* Prose in two columns under a heading, from the left or from the right; lines of the second
 * stand half a line lower. */
static vl_image *draw_columns(const char *heading, const char *const text[2], const char *font,
                              double width, bool rtl) {
    cairo_t *cairo = blank(1000, 860);
    write_text(cairo, heading, font, 32, 240, 100, 520, false);
    write_text(cairo, text[0], font, 26, rtl ? 940 - width : 60, 190, width, false);
    write_text(cairo, text[1], font, 26, rtl ? 60 : 940 - width, 210, width, false);
    return finish(cairo, 1);
}

/* Lines of a poem in two columns that stand on no common level. */
static void make_poem(const char *to) {
    static const char *const left = "Evening comes\nover the water\nand the nets are drying\n"
                                    "Nobody calls\nthe boats home\nbefore the moon\n"
                                    "Old songs\ncarry far\nover quiet sand";
    static const char *const right = "Morning waits\nbehind the hill\nwith empty hands\n"
                                     "Who will count\nthe broken shells\nand name the waves\n"
                                     "Tell the wind\nwe are ready";
    cairo_t *cairo = blank(900, 640);
    write_text(cairo, "Two shores of one river", "Noto Serif Bold", 30, 240, 40, 0, false);
    write_text(cairo, left, "Noto Serif Italic", 28, 60, 150, 0, false);
    write_text(cairo, right, "Noto Serif Italic", 28, 470, 172, 0, false);
    vl_image *image = finish(cairo, 1);
    save(image, to, "poem", false);
    vl_image_free(image);
}

/* A page of a dictionary: words and their glosses, twice, the halves parted by a rule. */
static void make_word_list(const char *to) {
    static const char *const rows[2][9][2] = {
        {{"kalamo (3)", "finish ;\ncomplete ;\nbring home"},
         {"kalune ma-", "cat (sp)"},
         {"kamire (5)", "watch ; look\nback at the\nhouse"},
         {"kanote (14)", "rub ; paint"},
         {"karula ba-", "spirit ; soul\nof a house"},
         {"kasime", "ant (sp)"},
         {"katore (12)", "hesitate ; fish\nwith a basket\nin a stream"},
         {"kavule ma-", "star"},
         {"kawine", "chair ; long\nbench"}},
        {{"lamiro ma-", "waterfall"},
         {"latune (4)", "flow ; run over\nthe bank"},
         {"lavore (11)", "have a\nheadache ;\nbe tired"},
         {"lemina", "gift (sp)"},
         {"lenoka ma-", "tree with white\nleaves"},
         {"leruso ma-", "small stool"},
         {"lesoma (14)", "give a present\nto a guest who\nleaves early"},
         {"lotine (14)", "wet ; soak"},
         {"lovune", "climbing plant"}}};
    cairo_t *cairo = blank(1000, 860);
    for (size_t half = 0; half < 2; half++) {
        double y = 60;
        for (size_t i = 0; i < 9; i++) {
            const char *gloss = rows[half][i][1];
            size_t lines = 1;
            for (const char *at = gloss; (at = strchr(at, '\n')); at++)
                lines++;
            write_text(cairo, rows[half][i][0], "Noto Serif Bold", 22, half ? 520 : 60, y, 0,
                       false);
            write_text(cairo, gloss, "Noto Serif", 22, half ? 730 : 270, y, 0, false);
            y += 36.5 * (double)lines + 6;
        }
    }
    cairo_rectangle(cairo, 498, 60, 2, 740);
    cairo_fill(cairo);
    vl_image *image = finish(cairo, 1);
    save(image, to, "word-list", false);
    vl_image_free(image);
}

static void make_columns(const char *to) {
    static const struct {
        const char *name;
        double degrees;
    } tilts[] = {{"columns", 0}, {"columns-tilted-left", -10}, {"columns-tilted-right", 10}};
    static const char *const heading = "News from the coast and the hills";
    vl_image *image = draw_columns(heading, market, "Noto Serif", 410, false);
    for (size_t i = 0; i < sizeof tilts / sizeof *tilts; i++) {
        vl_image *tilted = degrade_skew(image, tilts[i].degrees, 255);
        if (!tilted)
            die(tilts[i].name, "no memory");
        save(tilted, to, tilts[i].name, false);
        vl_image_free(tilted);
    }
    /* Text up to the edge, and letters too small to be measured at a quarter of their size. */
    vl_image narrow = *image;
    narrow.pixels += 70 * image->stride;
    narrow.height = 520;
    image = replace(image, degrade_skew(&narrow, -10, 255));
    save(image, to, "columns-tilted-edge", false);
    image = replace(image, draw_columns(heading, market, "Noto Serif", 310, false));
    draw_photo(image, 400, 280, 200, 250);
    save(image, to, "columns-figure", false);
    image = replace(image, draw_columns("إعلان عن توزيع المساعدات", arabic, "Noto Naskh Arabic",
                                        410, true));
    save(image, to, "columns-arabic", false);
    vl_image_free(image);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: make_odd_pages SOURCE_DIR OUT_DIR\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        make_script(&scripts[i], argv[1], argv[2]);
    char *text = read_text(argv[1], "english");
    make_fax(text, argv[2]);
    make_band(text, argv[2]);
    make_screen(text, argv[2]);
    make_figures(text, argv[2]);
    make_ruled(argv[2]);
    make_chart(text, argv[2]);
    make_letterhead(argv[2]);
    make_spanned(argv[2]);
    make_open(argv[2]);
    make_columns(argv[2]);
    make_poem(argv[2]);
    make_word_list(argv[2]);
    free(text);
    return 0;
}
