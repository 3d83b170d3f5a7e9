/* make_pages.c — renders small pictures of pages, charts and maps to train a picture model on.
 *
 * usage: make_pages --text DIR --out DIR [--count N] [--seed S]
 *
 * Each picture is a page of one kind (page_kinds.c) with words of one text file (page_text.c),
 * aged as scanners, copiers and phones age them (degrade.c), photographed lying on something or
 * filling the frame, turned by 0, 90, 180 or 270 degrees, and stored as JPEG of at most 320
 * pixels a side.
 *
 * Writes OUT/train and OUT/dev in the imagefolder convention. A text file serves one of them
 * only. labels: scene (document, map_or_chart), kind, script, orientation — the degrees
 * clockwise by which the picture is turned from upright; turning it back by as many makes it
 * readable.
 *
 * Deterministic for a seed, a text folder and the fonts of the machine. */
#include "dataset/degrade.h"
#include "page_kinds.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LONG_SIDE = 320, MAX_JPEG = 1 << 20, MAX_COUNT = 1000000, TRIES = 20 };
static const double DEV_SHARE = 0.12;

typedef struct job {
    const char *text_folder, *out;
    long count;
    uint64_t seed;
} job;

typedef struct drawn {
    page_kind kind;
    const page_script *script;
    const page_file *file;
    int turned;
    bool dev;
} drawn;

/* ---- pictures
 * --------------------------------------------------------------------------------- */

static vl_status from_surface(cairo_surface_t *surface, vl_image **image, vl_error *error) {
    cairo_surface_flush(surface);
    uint32_t width = (uint32_t)cairo_image_surface_get_width(surface);
    uint32_t height = (uint32_t)cairo_image_surface_get_height(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    vl_status status = vl_image_new(width, height, 3, image, error);
    if (status)
        return status;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            uint32_t pixel;
            memcpy(&pixel, data + y * stride + x * 4, 4);
            uint8_t *to = (*image)->pixels + y * (*image)->stride + 3 * (size_t)x;
            to[0] = (uint8_t)(pixel >> 16);
            to[1] = (uint8_t)(pixel >> 8);
            to[2] = (uint8_t)pixel;
        }
    return VL_OK;
}

/* Draws pages until the fonts have every character of one; *image is the caller's. */
static vl_status draw_page(const page_text *text, drawn *what, dice *d, vl_image **image,
                           vl_error *error) {
    *image = NULL;
    for (int i = 0; i < TRIES; i++) {
        what->script = page_text_draw(text, what->dev, d);
        what->file = what->script ? page_script_draw(what->script, what->dev, d) : NULL;
        if (!what->file)
            return vl_fail(error, VL_ERR_INPUT, "no text for %s", what->dev ? "dev" : "train");
        int width, height;
        page_kind_size(what->kind, d, &width, &height);
        cairo_surface_t *surface =
            cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
        vl_status status = VL_OK;
        bool whole = !page_draw(surface, what->kind, what->file, what->script->rtl, d);
        if (whole)
            status = from_surface(surface, image, error);
        cairo_surface_destroy(surface);
        if (whole)
            return status;
    }
    return vl_fail(error, VL_ERR_INPUT, "no font has the characters of %s and %d other files",
                   what->file->name, TRIES - 1);
}

/* ---- where the page lies
 * ---------------------------------------------------------------------- */

/* A surface to lie on: wood, cloth, stone, a plain colour, or a dark room. */
static void fill_table(vl_image *table, dice *d) {
    double base[3], wave = dice_between(d, 0.02, 0.2), turn = dice_between(d, 0, 3.14);
    int look = dice_below(d, 4);
    bool wood = look == 0;
    for (int c = 0; c < 3; c++)
        base[c] = dice_between(d, 15, 220);
    if (wood || dice_chance(d, 0.4)) { /* browns are what tables are made of */
        base[0] = dice_between(d, 70, 200);
        base[1] = base[0] * dice_between(d, 0.6, 0.8);
        base[2] = base[1] * dice_between(d, 0.5, 0.85);
    }
    double strength = look == 3 ? 0 : dice_between(d, 5, 35);
    double ux = cos(turn) * wave, uy = sin(turn) * wave, phase = dice_between(d, 0, 6.28);
    for (uint32_t y = 0; y < table->height; y++)
        for (uint32_t x = 0; x < table->width; x++) {
            double along = x * ux + y * uy, across = y * ux - x * uy, grain;
            if (wood)
                grain = sin(along * 4 + 1.5 * sin(across * 0.7 + phase) + phase);
            else if (look == 1)
                grain = sin(along * 9) * sin(across * 9);
            else
                grain =
                    sin(along + phase) * sin(across * 1.7) + 0.5 * sin(along * 3.1 - across);
            for (int c = 0; c < 3; c++) {
                double tone = base[c] + strength * grain;
                table->pixels[y * table->stride + 3 * (size_t)x + (size_t)c] =
                    (uint8_t)fmin(255, fmax(0, tone));
            }
        }
}

/* The projective map (8 numbers, h33 = 1) that takes the four corners `quad` (clockwise from
 * the top left) to the unit square. Heckbert 1989, "Fundamentals of Texture Mapping",
 * section 2.2.3: the map from square to quad in closed form, then its adjoint. */
static void quad_to_square(const double quad[4][2], double h[9]) {
    double dx1 = quad[1][0] - quad[2][0], dx2 = quad[3][0] - quad[2][0];
    double dy1 = quad[1][1] - quad[2][1], dy2 = quad[3][1] - quad[2][1];
    double sx = quad[0][0] - quad[1][0] + quad[2][0] - quad[3][0];
    double sy = quad[0][1] - quad[1][1] + quad[2][1] - quad[3][1];
    double det = dx1 * dy2 - dx2 * dy1;
    double g = (sx * dy2 - dx2 * sy) / det, k = (dx1 * sy - sx * dy1) / det;
    double a = quad[1][0] - quad[0][0] + g * quad[1][0],
           b = quad[3][0] - quad[0][0] + k * quad[3][0], c = quad[0][0];
    double e = quad[1][1] - quad[0][1] + g * quad[1][1],
           f = quad[3][1] - quad[0][1] + k * quad[3][1], i = quad[0][1];
    const double adjoint[9] = {f - i * k,     c * k - b,     b * i - c * f,
                               i * g - e,     a - c * g,     c * e - a * i,
                               e * k - f * g, b * g - a * k, a * f - b * e};
    memcpy(h, adjoint, sizeof adjoint);
}

/* Lays the page on the table inside `quad`, with a soft shadow to its lower right. */
static void lay_page(vl_image *table, const vl_image *page, const double quad[4][2]) {
    double h[9];
    quad_to_square(quad, h);
    for (uint32_t y = 0; y < table->height; y++)
        for (uint32_t x = 0; x < table->width; x++) {
            uint8_t *to = table->pixels + y * table->stride + 3 * (size_t)x;
            double w = h[6] * x + h[7] * y + h[8];
            double u = (h[0] * x + h[1] * y + h[2]) / w, v = (h[3] * x + h[4] * y + h[5]) / w;
            if (u < 0 || v < 0 || u >= 1 || v >= 1) {
                bool shaded = u > -0.005 && v > -0.005 && u < 1.03 && v < 1.025;
                for (int c = 0; shaded && c < 3; c++)
                    to[c] = (uint8_t)(to[c] * 0.6);
                continue;
            }
            double px = u * (page->width - 1), py = v * (page->height - 1);
            uint32_t ix = (uint32_t)px, iy = (uint32_t)py;
            uint32_t nx = ix + 1 < page->width ? ix + 1 : ix;
            uint32_t ny = iy + 1 < page->height ? iy + 1 : iy;
            double fx = px - ix, fy = py - iy;
            for (size_t c = 0; c < 3; c++) {
                const uint8_t *top = page->pixels + iy * page->stride + c;
                const uint8_t *low = page->pixels + ny * page->stride + c;
                double tone = (top[3 * ix] * (1 - fx) + top[3 * nx] * fx) * (1 - fy) +
                              (low[3 * ix] * (1 - fx) + low[3 * nx] * fx) * fy;
                to[c] = (uint8_t)(tone + 0.5);
            }
        }
}

static vl_status photograph(vl_image **image, dice *d, vl_error *error) {
    vl_image *table;
    double ratio = dice_chance(d, 0.5) ? 0.75 : dice_between(d, 0.6, 1);
    bool wide = (*image)->width > (*image)->height;
    uint32_t width = wide ? 640 : (uint32_t)(640 * ratio);
    uint32_t height = wide ? (uint32_t)(640 * ratio) : 640;
    vl_status status = vl_image_new(width, height, 3, &table, error);
    if (status)
        return status;
    fill_table(table, d);
    double fill = dice_between(d, 0.65, 1.1), angle = dice_between(d, -0.2, 0.2);
    double scale =
        fill * fmin((double)width / (*image)->width, (double)height / (*image)->height);
    double half_x = (*image)->width * scale / 2, half_y = (*image)->height * scale / 2;
    double cx = width / 2.0 + dice_between(d, -0.06, 0.06) * width;
    double cy = height / 2.0 + dice_between(d, -0.06, 0.06) * height;
    double quad[4][2];
    for (int i = 0; i < 4; i++) {
        double x = i == 0 || i == 3 ? -half_x : half_x, y = i < 2 ? -half_y : half_y;
        x *= dice_between(d, 0.86, 1.04);
        y *= dice_between(d, 0.86, 1.04);
        quad[i][0] = cx + x * cos(angle) - y * sin(angle);
        quad[i][1] = cy + x * sin(angle) + y * cos(angle);
    }
    lay_page(table, *image, (const double(*)[2])quad);
    vl_image_free(*image);
    *image = table;
    return VL_OK;
}

/* ---- ageing
 * ----------------------------------------------------------------------------------- */

static vl_status replace(vl_image **image, vl_image *new_one, vl_error *error) {
    if (!new_one)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a picture");
    vl_image_free(*image);
    *image = new_one;
    return VL_OK;
}

static void age_paper(vl_image *page, dice *d) {
    if (dice_chance(d, 0.3))
        degrade_fade(page, dice_between(d, 0.5, 0.9), (uint64_t)dice_below(d, 1 << 30));
    if (dice_chance(d, 0.2))
        degrade_fold(page, dice_between(d, 0.2, 0.8));
    if (dice_chance(d, 0.2)) {
        vl_image *back = vl_image_copy(page);
        if (back)
            degrade_bleed(page, back, dice_between(d, 0.05, 0.2));
        vl_image_free(back);
    }
    if (dice_chance(d, 0.4)) {
        double yellow = dice_between(d, 0.6, 1);
        degrade_tint(page, dice_between(d, 0.9, 1), 0.85 + 0.15 * yellow, 0.6 + 0.4 * yellow);
    } else if (dice_chance(d, 0.15)) { /* coloured paper */
        degrade_tint(page, dice_between(d, 0.6, 1), dice_between(d, 0.6, 1),
                     dice_between(d, 0.6, 1));
    }
}

/* A scan or a copy: the sheet fills the frame. */
static vl_status scan(vl_image **image, dice *d, vl_error *error) {
    vl_status status = VL_OK;
    if (dice_chance(d, 0.7))
        status = replace(image, degrade_skew(*image, dice_between(d, -4, 4), 250), error);
    if (!status && dice_chance(d, 0.4)) {
        vl_image *grey = vl_image_to_grey(*image);
        for (uint32_t y = 0; grey && y < grey->height; y++)
            for (uint32_t x = 0; x < grey->width; x++)
                memset((*image)->pixels + y * (*image)->stride + 3 * (size_t)x,
                       grey->pixels[y * grey->stride + x], 3);
        vl_image_free(grey);
    }
    if (!status && dice_chance(d, 0.4))
        degrade_specks(*image, (unsigned)dice_between(d, 20, 400),
                       (uint64_t)dice_below(d, 1 << 30));
    return status;
}

static void light_and_lens(vl_image *image, dice *d) {
    if (dice_chance(d, 0.7))
        degrade_light(image, (unsigned)dice_below(d, 4), dice_between(d, 0.3, 0.95));
    if (dice_chance(d, 0.6)) { /* lamps and white balance, often too dark */
        double level = dice_between(d, 0.5, 1);
        degrade_tint(image, level * dice_between(d, 0.9, 1.05),
                     level * dice_between(d, 0.88, 1.02), level * dice_between(d, 0.75, 1.05));
    }
    if (dice_chance(d, 0.4))
        degrade_blur(image, 1 + (unsigned)dice_below(d, 2));
}

static vl_status finish(vl_image **image, const drawn *what, dice *d, vl_error *error) {
    uint32_t longest = (*image)->width > (*image)->height ? (*image)->width : (*image)->height;
    uint32_t side = dice_chance(d, 0.7) ? LONG_SIDE : (uint32_t)dice_between(d, 192, LONG_SIDE);
    vl_status status = replace(image,
                               vl_image_resize(*image, (*image)->width * side / longest,
                                               (*image)->height * side / longest),
                               error);
    if (status)
        return status;
    degrade_noise(*image, dice_between(d, 0, 9), (uint64_t)dice_below(d, 1 << 30));
    return what->turned ? replace(image, vl_image_rotate(*image, what->turned), error) : VL_OK;
}

static vl_status make_picture(const page_text *text, const job *j, long index, drawn *what,
                              vl_buf *jpeg, vl_error *error) {
    dice d = dice_of(j->seed, (uint64_t)index);
    vl_image *image = NULL;
    what->dev = dice_chance(&d, DEV_SHARE);
    what->kind = (page_kind)dice_below(&d, PAGE_KIND_COUNT);
    what->turned = 90 * dice_below(&d, 4);
    vl_status status = draw_page(text, what, &d, &image, error);
    if (status)
        goto out;
    age_paper(image, &d);
    bool photo = dice_chance(&d, 0.6);
    status = photo ? photograph(&image, &d, error) : scan(&image, &d, error);
    if (status)
        goto out;
    if (photo || dice_chance(&d, 0.3))
        light_and_lens(image, &d);
    if ((status = finish(&image, what, &d, error)))
        goto out;
    vl_buf_clear(jpeg);
    status = vl_image_encode_jpeg(image, 55 + dice_below(&d, 40), jpeg, error);
out:
    vl_image_free(image);
    return status;
}

/* ---- writing
 * ---------------------------------------------------------------------------------- */

static vl_status make_folder(const char *path, vl_error *error) {
    if (mkdir(path, 0777) && errno != EEXIST)
        return vl_fail(error, VL_ERR_INPUT, "%s: %s", path, strerror(errno));
    return VL_OK;
}

static vl_status open_parts(const char *out, FILE *parts[2], vl_error *error) {
    static const char *const names[] = {"train", "dev"};
    char path[4096];
    vl_status status = make_folder(out, error);
    for (int i = 0; i < 2 && !status; i++) {
        snprintf(path, sizeof path, "%s/%s", out, names[i]);
        if ((status = make_folder(path, error)))
            break;
        snprintf(path, sizeof path, "%s/%s/metadata.jsonl", out, names[i]);
        parts[i] = fopen(path, "w");
        if (!parts[i])
            status = vl_fail(error, VL_ERR_INPUT, "%s: %s", path, strerror(errno));
    }
    return status;
}

static vl_status run(const job *j, vl_error *error) {
    page_text text = {0};
    FILE *parts[2] = {NULL, NULL};
    long counts[2] = {0, 0}, kinds[PAGE_KIND_COUNT] = {0}, turns[4] = {0};
    long scripts[PAGE_MAX_SCRIPTS] = {0};
    vl_buf jpeg;
    vl_buf_init(&jpeg, MAX_JPEG);
    vl_status status = page_text_open(j->text_folder, &text, error);
    if (!status)
        status = open_parts(j->out, parts, error);
    for (long i = 0; i < j->count && !status; i++) {
        drawn what = {0};
        char path[4096];
        if ((status = make_picture(&text, j, i, &what, &jpeg, error)))
            break;
        snprintf(path, sizeof path, "%s/%s/page%06ld.jpg", j->out, what.dev ? "dev" : "train",
                 i);
        status = vl_file_write(path, jpeg.data, jpeg.len, error);
        fprintf(parts[what.dev],
                "{\"file_name\": \"page%06ld.jpg\", \"labels\": {\"scene\": \"%s\", \"kind\": "
                "\"%s\", \"script\": \"%s\", \"orientation\": \"%d\"}, \"text\": \"%s\"}\n",
                i, page_kind_scene(what.kind), page_kind_name(what.kind), what.script->name,
                what.turned, what.file->name);
        counts[what.dev]++;
        kinds[what.kind]++;
        turns[what.turned / 90]++;
        scripts[what.script - text.scripts]++;
    }
    for (int i = 0; i < 2; i++)
        if (parts[i] && fclose(parts[i]) && !status)
            status =
                vl_fail(error, VL_ERR_INPUT, "%s: metadata.jsonl: %s", j->out, strerror(errno));
    if (!status) {
        printf("train %ld, dev %ld\n", counts[0], counts[1]);
        for (int i = 0; i < PAGE_KIND_COUNT; i++)
            printf("kind %-12s %6ld\n", page_kind_name((page_kind)i), kinds[i]);
        for (int i = 0; i < 4; i++)
            printf("orientation %-5d %6ld\n", 90 * i, turns[i]);
        for (size_t i = 0; i < text.script_count; i++)
            printf("script %-10s %6ld (%zu files)\n", text.scripts[i].name, scripts[i],
                   text.scripts[i].file_count);
    }
    vl_buf_deinit(&jpeg);
    page_text_deinit(&text);
    return status;
}

static int usage(const char *what) {
    fprintf(stderr,
            "make_pages: %s\nusage: make_pages --text DIR --out DIR [--count N] [--seed S]\n",
            what);
    return 2;
}

static bool to_number(const char *text, long least, long most, long *number) {
    char *end;
    errno = 0;
    *number = strtol(text, &end, 10);
    return !errno && end != text && !*end && *number >= least && *number <= most;
}

int main(int argc, char **argv) {
    job j = {.count = 3000, .seed = 1};
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        long number;
        if (!value)
            return usage("an option without its value");
        if (!strcmp(argv[i], "--text")) {
            j.text_folder = value;
        } else if (!strcmp(argv[i], "--out")) {
            j.out = value;
        } else if (!strcmp(argv[i], "--count")) {
            if (!to_number(value, 1, MAX_COUNT, &j.count))
                return usage("--count is a number from 1");
        } else if (!strcmp(argv[i], "--seed")) {
            if (!to_number(value, 0, INT32_MAX, &number))
                return usage("--seed is a number");
            j.seed = (uint64_t)number;
        } else {
            return usage("no such option");
        }
    }
    if (!j.text_folder || !j.out)
        return usage("--text and --out are needed");
    vl_error error;
    if (run(&j, &error)) {
        fprintf(stderr, "make_pages: %s\n", error.message);
        return 1;
    }
    return 0;
}
