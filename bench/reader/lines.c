/* lines.c — what line pictures look like to a reader, file beside file:
 * `line_stats SCRIPT A.tar B.tar …` prints, for each simple statistic of a picture, which share
 * of a file's lines lies between which limits. Files as `vislang dataset` writes them; SCRIPT
 * is as in their JSON ("latin"), or "all". Lines of less than MIN_SPACES + 1 words are left
 * out.
 *
 * All but the contrast is measured on what vl_reader_prepare gives: 48 rows, paper 0, ink 1. */
#include <vislang/media.h>
#include <vislang/model.h>

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS = VL_READER_HEIGHT,
    LIMITS = 7,
    MIN_SPACES = 2,
    MAX_TAR = 1 << 30,
    MAX_GAPS = 8192
};

typedef enum what {
    X_HEIGHT,
    CONTRAST,
    STROKE,
    NOISE,
    SHARPNESS,
    GAP,
    WIDEST,
    EDGES,
    COUNT
} what;
static const struct {
    const char *name;
    double limits[LIMITS];
} kinds[COUNT] = {
    {"x-height, of the picture's height", {0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}},
    {"contrast, of the scale", {0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 0.95}},
    {"stroke, in pixels at a height of 48", {1.5, 2, 2.5, 3, 3.5, 4, 5}},
    {"noise of the paper, of the contrast", {0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1}},
    {"step at edges of ink, of the contrast", {0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75}},
    {"gaps between words, in x-heights", {0.4, 0.6, 0.8, 1, 1.25, 1.5, 2}},
    {"widest gap, in x-heights", {0.6, 0.8, 1, 1.25, 1.5, 2, 4}},
    {"ink in the outer twelfths, of their area", {0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4}},
};

typedef struct tally {
    size_t lines, in[COUNT][LIMITS + 1];
} tally;

/* ---- one line -------------------------------------------------------------------------------
 */

typedef struct view {
    const float *ink; /* [width,48] */
    size_t width;
    size_t rows[ROWS]; /* dark pixels */
    int top, bottom;   /* of the letters without ascenders */
} view;

static bool dark(const view *v, size_t x, int y) {
    return v->ink[x * ROWS + (size_t)y] > 0.5f;
}

static int larger_first(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x < y) - (x > y);
}

/* Rows with two fifths of the ink of a full one. False: no line. */
static bool find_rows(view *v) {
    size_t sorted[ROWS];
    v->top = -1;
    for (int y = 0; y < ROWS; y++) {
        v->rows[y] = 0;
        for (size_t x = 0; x < v->width; x++)
            v->rows[y] += dark(v, x, y);
    }
    memcpy(sorted, v->rows, sizeof sorted);
    qsort(sorted, ROWS, sizeof *sorted, larger_first);
    for (int y = 0; y < ROWS; y++)
        if (v->rows[y] * 5 > sorted[4] * 2) {
            v->top = v->top < 0 ? y : v->top;
            v->bottom = y + 1;
        }
    return sorted[4] > 4;
}

static void measure_edges(const view *v, double out[COUNT]) {
    size_t area = 0, border = 0, steps = 0;
    double step = 0;
    for (size_t x = 0; x + 1 < v->width; x++)
        for (int y = 0; y + 1 < ROWS; y++) {
            bool here = dark(v, x, y), right = dark(v, x + 1, y);
            area += here;
            border += here != dark(v, x, y + 1);
            if (here == right)
                continue;
            border++;
            steps++;
            step += fabs((double)v->ink[x * ROWS + (size_t)y] -
                         (double)v->ink[(x + 1) * ROWS + (size_t)y]);
        }
    out[STROKE] = border ? 2.0 * (double)area / (double)border : 0;
    out[SHARPNESS] = steps ? step / (double)steps : 0;
}

static bool is_paper(const view *v, size_t x, int y) {
    return !dark(v, x, y) && !dark(v, x - 2, y) && !dark(v, x + 2, y) && !dark(v, x, y - 2) &&
           !dark(v, x, y + 2);
}

static void measure_noise(const view *v, double out[COUNT]) {
    double sum = 0, squares = 0, n = 0;
    for (size_t x = 3; x + 3 < v->width; x++)
        for (int y = 2; y + 2 < ROWS; y++)
            if (is_paper(v, x, y)) {
                double value = (double)v->ink[x * ROWS + (size_t)y];
                sum += value;
                squares += value * value;
                n++;
            }
    out[NOISE] = n > 1 ? sqrt(fmax(squares / n - sum * sum / n / n, 0)) : 0;
}

/* Columns of a line without ink, runs of them, widest first; the `spaces` widest are taken for
 * those between words. */
static bool measure_gaps(const view *v, size_t spaces, double out[COUNT]) {
    size_t runs[MAX_GAPS], count = 0, run = 0;
    bool begun = false;
    int high = v->bottom - v->top, top = v->top - high / 2, bottom = v->bottom + high / 4;
    top = top < 0 ? 0 : top;
    bottom = bottom > ROWS ? ROWS : bottom;
    for (size_t x = 0; x < v->width && count < MAX_GAPS; x++) {
        bool ink = false;
        for (int y = top; y < bottom && !ink; y++)
            ink = dark(v, x, y);
        if (ink && run && begun)
            runs[count++] = run;
        begun = begun || ink;
        run = ink ? 0 : run + 1;
    }
    if (count < spaces)
        return false;
    qsort(runs, count, sizeof *runs, larger_first);
    out[GAP] = (double)runs[spaces / 2] / high;
    out[WIDEST] = (double)runs[0] / high;
    return true;
}

static double contrast_of(const vl_image *image) {
    size_t histogram[256] = {0}, all = 0, below = 0;
    int low = -1, high = 255;
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++, all++)
            histogram[image->pixels[y * image->stride + x]]++;
    for (int i = 0; i < 256; i++) {
        below += histogram[i];
        if (low < 0 && below * 100 >= all)
            low = i;
        if (below * 100 >= all * 99) {
            high = i;
            break;
        }
    }
    return (high - low) / 255.0;
}

static bool measure(const vl_image *image, size_t spaces, vl_arena *arena, double out[COUNT]) {
    vl_reader_pixels pixels;
    if (vl_reader_prepare(image, 100, arena, &pixels, NULL))
        return false;
    view v = {.ink = pixels.columns, .width = pixels.width};
    if (!find_rows(&v))
        return false;
    size_t outer = 0;
    for (int i = 0; i < ROWS / 12; i++)
        outer += v.rows[i] + v.rows[ROWS - 1 - i];
    out[X_HEIGHT] = (double)(v.bottom - v.top) / ROWS;
    out[CONTRAST] = contrast_of(image);
    out[EDGES] = (double)outer / (double)(v.width * 2 * (ROWS / 12));
    measure_edges(&v, out);
    measure_noise(&v, out);
    return measure_gaps(&v, spaces, out);
}

/* ---- a file
 * ----------------------------------------------------------------------------------- */

static void add(tally *t, const double values[COUNT]) {
    t->lines++;
    for (size_t k = 0; k < COUNT; k++) {
        size_t bin = 0;
        while (bin < LIMITS && values[k] >= kinds[k].limits[bin])
            bin++;
        t->in[k][bin]++;
    }
}

static size_t count_spaces(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += *text == ' ';
    return count;
}

/* A picture with what is said of it. */
static void take(const char *png, size_t png_bytes, const cJSON *about, const char *script,
                 vl_arena *arena, tally *t) {
    double values[COUNT] = {0};
    vl_image *image = NULL;
    vl_media_limits limits = vl_media_limits_default();
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(about, "text"));
    const char *written = cJSON_GetStringValue(cJSON_GetObjectItem(about, "script"));
    size_t spaces = text ? count_spaces(text) : 0;
    if (!png || !written || spaces < MIN_SPACES ||
        (strcmp(script, "all") && strcmp(script, written)))
        return;
    vl_arena_reset(arena);
    if (!vl_document_first(png, png_bytes, &limits, &image, NULL) && image->channels == 1 &&
        measure(image, spaces, arena, values))
        add(t, values);
    vl_image_free(image);
}

/* Members of a tar: 512 bytes of header (the size in octal at 124), then the content. */
static void take_all(const vl_buf *tar, const char *script, vl_arena *arena, tally *t) {
    const char *png = NULL;
    size_t png_bytes = 0;
    for (size_t at = 0; at + 512 <= tar->len && tar->data[at];) {
        const char *name = tar->data + at, *body = name + 512;
        size_t bytes = strtoul(name + 124, NULL, 8), length = strnlen(name, 100);
        if (bytes > tar->len - at - 512)
            break;
        if (length > 4 && !memcmp(name + length - 4, ".png", 4)) {
            png = body;
            png_bytes = bytes;
        } else if (length > 5 && !memcmp(name + length - 5, ".json", 5)) {
            cJSON *about = cJSON_ParseWithLength(body, bytes);
            take(png, png_bytes, about, script, arena, t);
            cJSON_Delete(about);
            png = NULL;
        }
        at += 512 + (bytes + 511) / 512 * 512;
    }
}

static void print_kind(size_t kind, char **names, const tally *tallies, size_t count) {
    printf("| %s |", kinds[kind].name);
    for (size_t i = 0; i < LIMITS; i++)
        printf(" < %g |", kinds[kind].limits[i]);
    printf(" more |\n");
    for (size_t f = 0; f < count; f++) {
        printf("| %s |", names[f]);
        for (size_t i = 0; i <= LIMITS; i++)
            printf(" %.0f |", 100.0 * (double)tallies[f].in[kind][i] /
                                  (double)(tallies[f].lines ? tallies[f].lines : 1));
        printf("\n");
    }
}

int main(int argc, char **argv) {
    vl_error error = {0};
    vl_arena *arena = vl_arena_new(64 << 20);
    tally *tallies = calloc((size_t)argc + 1, sizeof *tallies);
    if (argc < 3 || !arena || !tallies) {
        fprintf(stderr, "line_stats SCRIPT FILE.tar…\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        vl_buf tar;
        vl_buf_init(&tar, MAX_TAR);
        if (vl_file_read(argv[i], MAX_TAR, &tar, &error)) {
            fprintf(stderr, "%s\n", error.message);
            return 1;
        }
        take_all(&tar, argv[1], arena, &tallies[i - 2]);
        printf("%s: %zu lines\n", argv[i], tallies[i - 2].lines);
        vl_buf_deinit(&tar);
    }
    for (size_t k = 0; k < COUNT; k++)
        print_kind(k, argv + 2, tallies, (size_t)argc - 2);
    free(tallies);
    vl_arena_free(arena);
    return 0;
}
