/* make_samples.c — renders the bundled sample pages from their texts and ages them.
 *
 * usage: make_samples SOURCE_DIR OUT_DIR
 *
 * A source is plain text: "# " a title, "| a | b |" a table row, "@columns 2" … "@next" …
 * "@full" two columns, any other line a paragraph. Beside each picture goes X.gt.txt, its exact
 * text in reading order, and manifest.tsv lists them. */
#include "dataset/degrade.h"

#include <vislang/ocr.h>

#include <math.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <webp/encode.h>

typedef enum ageing { CLEAN, SCAN, OLD_SCAN, FAX, PHONE, PHONE_DIM, COPY, BLED } ageing;
typedef enum container { JPG, PNG, WEBP, TIF, PDF } container;

typedef struct sample {
    const char *name;
    const char *sources[3];
    container container;
    const char *language, *script, *kind, *date, *phone;
    const char *font;
    int width, height, dpi;
    double points;
    ageing ageing;
    int rotation; /* clockwise, of the stored pixels */
    bool exif;    /* … and the file says so */
    const char *note;
} sample;

static const sample samples[] = {
    {"notice-swh",
     {"notice-swh"},
     JPG,
     "swh",
     "Latn",
     "notice",
     "2026-03-14",
     "+254711555014",
     "Noto Sans",
     1240,
     1050,
     150,
     15,
     PHONE,
     0,
     false,
     "photographed on a table, light from one side"},
    {"notice-amh",
     {"notice-amh"},
     JPG,
     "amh",
     "Ethi",
     "notice",
     "2026-03-21",
     "+251911555023",
     "Noto Serif Ethiopic",
     1240,
     1050,
     150,
     16,
     SCAN,
     0,
     false,
     "scanned; Ethiopian calendar"},
    {"notice-ara",
     {"notice-ara"},
     JPG,
     "ara",
     "Arab",
     "notice",
     "2026-04-05",
     "+963944555017",
     "Noto Naskh Arabic",
     1240,
     1050,
     150,
     17,
     SCAN,
     0,
     false,
     "scanned, a little skewed"},
    {"notice-fra",
     {"notice-fra"},
     JPG,
     "fra",
     "Latn",
     "notice",
     "2026-02-21",
     "+243810555029",
     "Noto Serif",
     1240,
     1050,
     150,
     14,
     OLD_SCAN,
     0,
     false,
     "yellowed paper, specks, a fold"},
    {"notice-spa",
     {"notice-spa"},
     PNG,
     "spa",
     "Latn",
     "notice",
     "2026-05-09",
     "+50499555031",
     "Noto Sans",
     1240,
     1000,
     150,
     14,
     FAX,
     0,
     false,
     "fax, black and white"},
    {"notice-eng",
     {"notice-eng"},
     JPG,
     "eng",
     "Latn",
     "notice",
     "2026-01-18",
     "+258845550127",
     "Noto Serif",
     1240,
     1050,
     150,
     14,
     PHONE_DIM,
     0,
     false,
     "photographed in dim light"},
    {"notice-hau",
     {"notice-hau"},
     JPG,
     "hau",
     "Latn",
     "notice",
     "2026-06-03",
     "+2348035550148",
     "Noto Sans",
     1240,
     1000,
     150,
     15,
     SCAN,
     0,
     false,
     "scanned; letters with hooks"},
    {"notice-som",
     {"notice-som"},
     JPG,
     "som",
     "Latn",
     "notice",
     "2026-04-27",
     "+252615550163",
     "Noto Sans",
     1240,
     1000,
     150,
     15,
     COPY,
     0,
     false,
     "a copy of a copy"},
    {"notice-ukr",
     {"notice-ukr"},
     WEBP,
     "ukr",
     "Cyrl",
     "notice",
     "2026-02-11",
     "+380505550171",
     "Noto Serif",
     1240,
     1000,
     150,
     15,
     PHONE,
     0,
     false,
     "photographed"},
    {"notice-mya",
     {"notice-mya"},
     JPG,
     "mya",
     "Mymr",
     "notice",
     "2026-07-08",
     "+959455550182",
     "Noto Sans Myanmar",
     1240,
     1000,
     150,
     15,
     SCAN,
     0,
     false,
     "scanned"},
    {"form-eng",
     {"form-eng"},
     JPG,
     "eng",
     "Latn",
     "form",
     "2026-03-02",
     "+254722555036",
     "Noto Sans",
     1240,
     1400,
     150,
     14,
     SCAN,
     0,
     false,
     "registration form with a table"},
    {"report-eng",
     {"report-eng"},
     PNG,
     "eng",
     "Latn",
     "report",
     "2026-08-30",
     "-",
     "Noto Serif",
     1654,
     1700,
     200,
     10.5,
     CLEAN,
     0,
     false,
     "two columns and a table"},
    {"receipt-eng",
     {"receipt-eng"},
     JPG,
     "eng",
     "Latn",
     "receipt",
     "2026-06-19",
     "-",
     "Noto Sans Mono,Noto Sans",
     800,
     900,
     150,
     13,
     PHONE_DIM,
     0,
     false,
     "crumpled receipt"},
    {"letter-fra",
     {"letter-fra-1", "letter-fra-2"},
     TIF,
     "fra",
     "Latn",
     "letter",
     "2026-04-07",
     "+23672555044",
     "Noto Serif",
     1240,
     900,
     150,
     14,
     SCAN,
     0,
     false,
     "two pages in one TIFF"},
    {"letter-fra-scan",
     {"letter-fra-1", "letter-fra-2"},
     PDF,
     "fra",
     "Latn",
     "letter",
     "2026-04-07",
     "+23672555044",
     "Noto Serif",
     1240,
     900,
     150,
     14,
     BLED,
     0,
     false,
     "the same letter as a PDF of pictures; the back shines through"},
    {"notice-eng-turned",
     {"notice-eng"},
     JPG,
     "eng",
     "Latn",
     "notice",
     "2026-01-18",
     "+258845550127",
     "Noto Sans",
     1240,
     1000,
     150,
     14,
     SCAN,
     270,
     true,
     "stored on its side, EXIF orientation 6"},
    {"notice-swh-upside-down",
     {"notice-swh"},
     JPG,
     "swh",
     "Latn",
     "notice",
     "2026-03-14",
     "+254711555014",
     "Noto Serif",
     1240,
     1000,
     150,
     14,
     SCAN,
     180,
     false,
     "scanned upside down, and the file does not say so"},
};
enum { SAMPLE_COUNT = sizeof samples / sizeof *samples, MARGIN = 70 };

static void die(const char *what, const char *why) {
    fprintf(stderr, "make_samples: %s: %s\n", what, why);
    exit(1);
}

/* ---- rendering
 * -------------------------------------------------------------------------------- */

typedef struct sheet {
    cairo_surface_t *surface;
    cairo_t *cairo;
    const sample *s;
    double x, y, width;
    double column_top, column_bottom;
    FILE *truth;
} sheet;

static PangoLayout *lay_out(const sheet *p, const char *text, double scale, bool bold,
                            double width) {
    PangoLayout *layout = pango_cairo_create_layout(p->cairo);
    PangoFontDescription *font = pango_font_description_from_string(p->s->font);
    pango_font_description_set_absolute_size(font, p->s->points * scale * p->s->dpi / 72 *
                                                       PANGO_SCALE);
    pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, text, -1);
    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD);
    pango_layout_set_auto_dir(layout, TRUE);
    pango_layout_set_spacing(layout, 4 * PANGO_SCALE);
    pango_font_description_free(font);
    return layout;
}

static double show(sheet *p, PangoLayout *layout, double x, double y) {
    int width, height;
    pango_layout_get_pixel_size(layout, &width, &height);
    cairo_move_to(p->cairo, x, y);
    pango_cairo_show_layout(p->cairo, layout);
    g_object_unref(layout);
    return height;
}

static void put_title(sheet *p, const char *text) {
    PangoLayout *layout = lay_out(p, text, 1.5, true, p->width);
    pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER);
    p->y += show(p, layout, p->x, p->y) + 18;
    fprintf(p->truth, "%s\n\n", text);
}

static void put_paragraph(sheet *p, const char *text) {
    PangoLayout *layout = lay_out(p, text, 1, false, p->width);
    pango_layout_set_justify(layout, FALSE);
    p->y += show(p, layout, p->x, p->y) + 14;
    fprintf(p->truth, "%s\n\n", text);
}

enum { MAX_CELLS = 8, MAX_ROWS = 32, CELL_PAD = 10 };

static size_t split_row(char *line, char *cells[MAX_CELLS]) {
    size_t count = 0;
    char *save = NULL;
    for (char *cell = strtok_r(line, "|", &save); cell && count < MAX_CELLS;
         cell = strtok_r(NULL, "|", &save)) {
        while (*cell == ' ')
            cell++;
        char *end = cell + strlen(cell);
        while (end > cell && end[-1] == ' ')
            *--end = '\0';
        if (*cell)
            cells[count++] = cell;
    }
    return count;
}

static void put_table(sheet *p, char *rows[], size_t count) {
    char *cells[MAX_ROWS][MAX_CELLS];
    size_t columns = 0;
    for (size_t r = 0; r < count; r++) {
        size_t n = split_row(rows[r], cells[r]);
        columns = n > columns ? n : columns;
    }
    double column_width = p->width / (double)columns;
    bool ruled = strcmp(p->s->kind, "receipt") != 0;
    cairo_set_line_width(p->cairo, 2);
    for (size_t r = 0; r < count; r++) {
        double row_height = 0;
        for (size_t c = 0; c < columns; c++) {
            PangoLayout *layout =
                lay_out(p, cells[r][c], 1, r == 0, column_width - 2 * CELL_PAD);
            double height =
                show(p, layout, p->x + (double)c * column_width + CELL_PAD, p->y + CELL_PAD);
            row_height = fmax(row_height, height + 2 * CELL_PAD);
            fprintf(p->truth, "%s%s", c ? " " : "", cells[r][c]);
        }
        fprintf(p->truth, "\n");
        for (size_t c = 0; ruled && c < columns; c++) {
            cairo_rectangle(p->cairo, p->x + (double)c * column_width, p->y, column_width,
                            row_height);
            cairo_stroke(p->cairo);
        }
        p->y += row_height;
    }
    fprintf(p->truth, "\n");
    p->y += 18;
}

static void change_columns(sheet *p, const char *directive) {
    double full = p->s->width - 2.0 * MARGIN, half = full / 2 - 20;
    if (!strcmp(directive, "@columns 2")) {
        p->column_top = p->y;
        p->width = half;
    } else if (!strcmp(directive, "@next")) {
        p->column_bottom = p->y;
        p->y = p->column_top;
        p->x = MARGIN + half + 40;
    } else if (!strcmp(directive, "@full")) {
        p->y = (p->column_bottom > p->y ? p->column_bottom : p->y) + 10;
        p->x = MARGIN;
        p->width = full;
    } else {
        die(directive, "no such directive");
    }
}

static void put_source(sheet *p, char *text) {
    char *lines[256], *save = NULL;
    size_t count = 0;
    for (char *line = strtok_r(text, "\n", &save); line && count < 256;
         line = strtok_r(NULL, "\n", &save))
        lines[count++] = line;
    for (size_t i = 0; i < count;) {
        size_t rows = 0;
        while (i + rows < count && lines[i + rows][0] == '|')
            rows++;
        if (rows)
            put_table(p, lines + i, rows);
        else if (!strncmp(lines[i], "# ", 2))
            put_title(p, lines[i] + 2);
        else if (lines[i][0] == '@')
            change_columns(p, lines[i]);
        else
            put_paragraph(p, lines[i]);
        i += rows ? rows : 1;
    }
}

static vl_image *from_surface(cairo_surface_t *surface, int dpi) {
    cairo_surface_flush(surface);
    vl_error error;
    vl_image *image;
    uint32_t width = (uint32_t)cairo_image_surface_get_width(surface);
    uint32_t height = (uint32_t)cairo_image_surface_get_height(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    if (vl_image_new(width, height, 3, &image, &error))
        die("image", error.message);
    image->dpi = dpi;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            uint32_t pixel;
            memcpy(&pixel, data + y * stride + x * 4, 4);
            uint8_t *to = image->pixels + y * image->stride + 3 * (size_t)x;
            to[0] = (uint8_t)(pixel >> 16);
            to[1] = (uint8_t)(pixel >> 8);
            to[2] = (uint8_t)pixel;
        }
    return image;
}

static vl_image *render(const sample *s, char *text, FILE *truth) {
    sheet p = {
        .s = s, .x = MARGIN, .y = MARGIN, .width = s->width - 2.0 * MARGIN, .truth = truth};
    p.surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, s->width, s->height);
    p.cairo = cairo_create(p.surface);
    cairo_set_source_rgb(p.cairo, 1, 1, 1);
    cairo_paint(p.cairo);
    cairo_set_source_rgb(p.cairo, 0.08, 0.08, 0.1);
    put_source(&p, text);
    if (p.y > s->height - 10)
        die(s->name, "the text does not fit on its page");
    vl_image *image = from_surface(p.surface, s->dpi);
    cairo_destroy(p.cairo);
    cairo_surface_destroy(p.surface);
    return image;
}

/* ---- ageing
 * ----------------------------------------------------------------------------------- */

static vl_image *replace(vl_image *old, vl_image *new_one) {
    vl_image_free(old);
    if (!new_one)
        die("ageing", "no memory");
    return new_one;
}

static vl_image *to_two_tones(vl_image *image) {
    image = replace(image, vl_image_to_grey(image));
    for (size_t i = 0; i < (size_t)image->width * image->height; i++)
        image->pixels[i] = image->pixels[i] < 140 ? 0 : 255;
    return image;
}

static vl_image *age(vl_image *image, const sample *s, uint64_t seed) {
    vl_image *back = s->ageing == BLED ? vl_image_copy(image) : NULL;
    switch (s->ageing) {
    case CLEAN:
        break;
    case SCAN:
        image = replace(image, degrade_skew(image, 0.8, 250));
        degrade_blur(image, 1);
        degrade_noise(image, 5, seed);
        image = replace(image, vl_image_to_grey(image));
        break;
    case OLD_SCAN:
        degrade_fade(image, 0.7, seed);
        degrade_fold(image, 0.37);
        image = replace(image, degrade_skew(image, -0.6, 250));
        degrade_tint(image, 0.96, 0.89, 0.74);
        degrade_specks(image, 60, seed);
        degrade_noise(image, 6, seed);
        break;
    case FAX:
        degrade_noise(image, 12, seed);
        degrade_specks(image, 40, seed);
        image = to_two_tones(image);
        break;
    case PHONE:
        image = replace(image, degrade_perspective(image, 0.05, 0.03, 90));
        degrade_tint(image, 0.97, 0.93, 0.85);
        degrade_light(image, 0, 0.6);
        degrade_blur(image, 1);
        degrade_noise(image, 6, seed);
        break;
    case PHONE_DIM:
        image = replace(image, degrade_perspective(image, 0.03, 0.02, 60));
        degrade_tint(image, 0.72, 0.66, 0.56);
        degrade_light(image, 3, 0.55);
        degrade_noise(image, 9, seed);
        break;
    case COPY:
        degrade_blur(image, 1);
        degrade_fade(image, 0.75, seed);
        degrade_specks(image, 90, seed);
        image = replace(image, vl_image_to_grey(image));
        break;
    case BLED:
        degrade_bleed(image, back, 0.13);
        degrade_tint(image, 0.98, 0.95, 0.88);
        degrade_blur(image, 1);
        degrade_noise(image, 5, seed);
        break;
    }
    vl_image_free(back);
    return s->rotation ? replace(image, vl_image_rotate(image, s->rotation)) : image;
}

/* ---- writing
 * ---------------------------------------------------------------------------------- */

/* An APP1 segment that says: orientation 6. */
static void add_exif(vl_buf *jpeg) {
    static const char segment[] =
        "\xFF\xE1\x00\x22"
        "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
        "\0\0\0\0";
    vl_buf with;
    vl_buf_init(&with, jpeg->max);
    vl_buf_append(&with, jpeg->data, 2);
    vl_buf_append(&with, segment, sizeof segment - 1);
    vl_buf_append(&with, jpeg->data + 2, jpeg->len - 2);
    vl_buf_deinit(jpeg);
    *jpeg = with;
}

static void write_tiff(const char *path, vl_image **pages, size_t count) {
    TIFF *tiff = TIFFOpen(path, "w");
    for (size_t i = 0; tiff && i < count; i++) {
        const vl_image *page = pages[i];
        TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, page->width);
        TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, page->height);
        TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
        TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, page->channels);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
                     page->channels == 1 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_YCBCR);
        TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_JPEG);
        TIFFSetField(tiff, TIFFTAG_JPEGQUALITY, 70);
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, page->height);
        TIFFSetField(tiff, TIFFTAG_XRESOLUTION, page->dpi);
        TIFFSetField(tiff, TIFFTAG_YRESOLUTION, page->dpi);
        TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
        for (uint32_t y = 0; y < page->height; y++)
            TIFFWriteScanline(tiff, page->pixels + y * page->stride, y, 0);
        TIFFWriteDirectory(tiff);
    }
    if (!tiff)
        die(path, "cannot be written");
    TIFFClose(tiff);
}

/* A PDF of pictures is what the searchable PDF's writer makes of pages without words. */
static void make_pdf(const char *name, vl_image **pages, size_t count, vl_buf *out) {
    vl_error error;
    vl_ocr_writer *writer;
    if (vl_ocr_writer_new(VL_OCR_PDF, name, vl_sink_buf, out, &writer, &error))
        die(name, error.message);
    for (size_t i = 0; i < count; i++) {
        vl_page page = {
            .width = pages[i]->width, .height = pages[i]->height, .dpi = pages[i]->dpi};
        if (vl_ocr_writer_page(writer, &page, pages[i], &error))
            die(name, error.message);
    }
    if (vl_ocr_writer_finish(writer, &error))
        die(name, error.message);
    vl_ocr_writer_free(writer);
}

static const char *const extensions[] = {"jpg", "png", "webp", "tif", "pdf"};

static void write_sample(const sample *s, vl_image **pages, size_t count, const char *path) {
    vl_error error;
    vl_buf out;
    vl_status status = VL_OK;
    uint8_t *webp = NULL;
    vl_buf_init(&out, 64 << 20);
    switch (s->container) {
    case JPG:
        status = vl_image_encode_jpeg(pages[0], 70, &out, &error);
        if (s->exif)
            add_exif(&out);
        break;
    case PNG:
        status = vl_image_encode_png(pages[0], &out, &error);
        break;
    case WEBP:
        vl_buf_append(&out, "", 0);
        size_t bytes = WebPEncodeRGB(pages[0]->pixels, (int)pages[0]->width,
                                     (int)pages[0]->height, (int)pages[0]->stride, 60, &webp);
        vl_buf_append(&out, webp, bytes);
        WebPFree(webp);
        break;
    case TIF:
        write_tiff(path, pages, count);
        vl_buf_deinit(&out);
        return;
    case PDF:
        make_pdf(s->name, pages, count, &out);
        break;
    }
    if (!status)
        status = vl_file_write(path, out.data, out.len, &error);
    if (status)
        die(path, error.message);
    vl_buf_deinit(&out);
}

static void make(const sample *s, const char *from, const char *to, uint64_t seed) {
    char path[4096];
    vl_error error;
    vl_image *pages[3] = {NULL};
    size_t count = 0;
    snprintf(path, sizeof path, "%s/%s.gt.txt", to, s->name);
    FILE *truth = fopen(path, "w");
    if (!truth)
        die(path, "cannot be written");
    for (; count < 3 && s->sources[count]; count++) {
        vl_buf text;
        vl_buf_init(&text, 1 << 20);
        snprintf(path, sizeof path, "%s/%s.txt", from, s->sources[count]);
        if (vl_file_read(path, text.max, &text, &error))
            die(path, error.message);
        pages[count] = age(render(s, text.data, truth), s, seed + count);
        vl_buf_deinit(&text);
    }
    fclose(truth);
    snprintf(path, sizeof path, "%s/%s.%s", to, s->name, extensions[s->container]);
    write_sample(s, pages, count, path);
    for (size_t i = 0; i < count; i++)
        vl_image_free(pages[i]);
}

int main(int argc, char **argv) {
    char path[4096];
    if (argc != 3) {
        fprintf(stderr, "usage: make_samples SOURCE_DIR OUT_DIR\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/manifest.tsv", argv[2]);
    FILE *manifest = fopen(path, "w");
    if (!manifest)
        die(path, "cannot be written");
    fprintf(manifest, "file\tlanguage\tscript\tkind\tdate\tphone\tnote\n");
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        const sample *s = &samples[i];
        make(s, argv[1], argv[2], 1000 * (i + 1));
        fprintf(manifest, "%s.%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s->name, extensions[s->container],
                s->language, s->script, s->kind, s->date, s->phone, s->note);
    }
    fclose(manifest);
    return 0;
}
