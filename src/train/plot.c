/* plot.c — the curves of training runs as a picture.
 *
 * A run's log.jsonl holds two kinds of lines: {"step": …} every few steps and {"evaluation": …}
 * now and then. Each number in them is a curve; a panel shows the curves that belong together,
 * of all runs in the colours of the runs (Okabe and Ito 2008, which colour-blind eyes tell
 * apart). Of what is measured on single batches the raw curve is drawn thin and its moving
 * average thick; what is held out is dashed, with a dot for each evaluation. */
#include <vislang/train.h>

#include <cJSON.h>
#include <cairo.h>
#include <cairo-svg.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LOSSES = VL_TRAIN_TASKS + VL_TRAIN_READER_TASKS,
    PANELS = LOSSES + 4,
    COLUMNS = 3,
    PANEL_WIDTH = 420,
    PANEL_HEIGHT = 290,
    HEAD = 64, /* the legend's height */
    MARGIN = 16,
    LEFT = 52, /* of a panel: room for the numbers of its axis */
    TOP = 30,
    BOTTOM = 40,
    RIGHT = 14,
    MAX_LOG = 256 << 20,
    MAX_PICTURE = 64 << 20
};
#define PNG_SCALE 1.5

typedef struct curve {
    double *x, *y;
    size_t count, capacity;
} curve;

typedef struct plotted_run {
    char name[64]; /* its folder's last part */
    curve train[PANELS], held[PANELS], held_second[PANELS];
} plotted_run;

typedef struct panel {
    char title[64];
    const char *key, *held_key, *second_key; /* in lines of steps; in evaluations */
    bool smoothed, from_zero;
} panel;

typedef struct range {
    double low, high;
} range;

static const double colours[VL_TRAIN_MAX_PLOTTED][3] = {
    {0.00, 0.45, 0.70}, {0.84, 0.37, 0.00}, {0.00, 0.62, 0.45},
    {0.80, 0.47, 0.65}, {0.90, 0.62, 0.00}, {0.34, 0.71, 0.91},
};

static void panels_init(panel panels[PANELS]) {
    for (size_t t = 0; t < LOSSES; t++) {
        const char *name = t < VL_TRAIN_TASKS ? vl_train_task_names[t]
                                              : vl_train_reader_task_names[t - VL_TRAIN_TASKS];
        panels[t] = (panel){.key = name, .held_key = name, .smoothed = true};
        snprintf(panels[t].title, sizeof panels[t].title, "%s: loss", name);
    }
    panel *rest = panels + LOSSES;
    rest[0] = (panel){.title = "held out: total", .held_key = "total"};
    rest[1] = (panel){.title = "held out: recall at 10 (filled) and 1 (hollow)",
                      .held_key = "recall10",
                      .second_key = "recall1",
                      .from_zero = true};
    rest[2] = (panel){.title = "length of the gradient", .key = "norm", .smoothed = true};
    rest[3] = (panel){.title = "learning rate", .key = "rate", .from_zero = true};
}

/* ---- logs --------------------------------------------------------------------------- */

/* A step that comes again was done again after a kill: what stood after it is forgotten. */
static bool curve_add(curve *c, double x, double y) {
    while (c->count && c->x[c->count - 1] >= x)
        c->count--;
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? c->capacity * 2 : 256;
        double *xs = realloc(c->x, capacity * sizeof *xs);
        if (xs)
            c->x = xs;
        double *ys = realloc(c->y, capacity * sizeof *ys);
        if (ys)
            c->y = ys;
        if (!xs || !ys)
            return false;
        c->capacity = capacity;
    }
    c->x[c->count] = x;
    c->y[c->count++] = y;
    return true;
}

static bool add_value(curve *c, const cJSON *line, const char *step_key, const char *key) {
    const cJSON *step = cJSON_GetObjectItem(line, step_key);
    const cJSON *value = key ? cJSON_GetObjectItem(line, key) : NULL;
    if (!cJSON_IsNumber(step) || !cJSON_IsNumber(value) || !isfinite(value->valuedouble))
        return true;
    return curve_add(c, step->valuedouble, value->valuedouble);
}

static bool add_line(plotted_run *run, const panel *panels, const cJSON *line) {
    bool ok = true;
    for (size_t i = 0; i < PANELS && ok; i++)
        ok = add_value(&run->train[i], line, "step", panels[i].key) &&
             add_value(&run->held[i], line, "evaluation", panels[i].held_key) &&
             add_value(&run->held_second[i], line, "evaluation", panels[i].second_key);
    return ok;
}

/* "runs/first/" → "first" */
static void name_run(const char *path, char *name, size_t size) {
    size_t end = strlen(path), start;
    while (end > 1 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/';)
        start--;
    snprintf(name, size, "%.*s", (int)(end - start), path + start);
    name[vl_utf8_valid_prefix(name, strlen(name))] = '\0';
}

static vl_status run_read(plotted_run *run, const char *folder, const panel *panels,
                          vl_error *error) {
    char path[4096];
    snprintf(path, sizeof path, "%s/log.jsonl", folder);
    name_run(folder, run->name, sizeof run->name);
    if (access(path, F_OK) != 0)
        return vl_fail(error, VL_ERR_MISSING, "%s: %s", path, strerror(errno));
    vl_buf text;
    vl_buf_init(&text, MAX_LOG);
    vl_status status = vl_file_read(path, MAX_LOG, &text, error);
    for (size_t at = 0; !status && at < text.len;) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        size_t bytes = end ? (size_t)(end - text.data) - at : text.len - at;
        cJSON *line = cJSON_ParseWithLength(text.data + at, bytes); /* NULL: torn */
        if (line && !add_line(run, panels, line))
            status = vl_fail(error, VL_ERR_MEMORY, "%s: no memory for its curves", path);
        cJSON_Delete(line);
        at += bytes + 1;
    }
    if (!status && !run->train[PANELS - 1].count && !run->held[LOSSES].count)
        status = vl_fail(error, VL_ERR_INPUT, "%s: no step of a run in it", path);
    vl_buf_deinit(&text);
    return status;
}

static void run_deinit(plotted_run *run) {
    for (size_t i = 0; i < PANELS; i++) {
        curve *curves[] = {&run->train[i], &run->held[i], &run->held_second[i]};
        for (size_t k = 0; k < 3; k++) {
            free(curves[k]->x);
            free(curves[k]->y);
        }
    }
}

/* The average over about a thirtieth of the curve, what is older counting for less; unbiased at
 * the start (Kingma and Ba 2015, section 3). */
static void smooth(const curve *c, double *out) {
    double span = fmax(4, (double)c->count / 30), keep = 1 - 2 / (span + 1);
    double sum = 0, weight = 0;
    for (size_t i = 0; i < c->count; i++) {
        sum = keep * sum + (1 - keep) * c->y[i];
        weight = keep * weight + (1 - keep);
        out[i] = sum / weight;
    }
}

/* ---- axes --------------------------------------------------------------------------- */

static void widen(range *r, const curve *c) {
    for (size_t i = 0; i < c->count; i++) {
        r->low = fmin(r->low, c->y[i]);
        r->high = fmax(r->high, c->y[i]);
    }
}

/* Distance of about `count` round numbers in a range: 1, 2 or 5 times a power of ten. */
static double tick_step(range r, double count) {
    double raw = (r.high - r.low) / count, power = pow(10, floor(log10(raw)));
    double share = raw / power;
    return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

static void print_tick(double value, double step, char out[32]) {
    if (step >= 1)
        snprintf(out, 32, "%.0f", value);
    else if (step < 1e-3)
        snprintf(out, 32, "%.3g", fabs(value) < step / 2 ? 0 : value);
    else
        snprintf(out, 32, "%.*f", (int)ceil(-log10(step) - 1e-9), value);
}

typedef struct frame {
    cairo_t *cairo;
    double x, y, width, height; /* of the curves' area */
    range across, up;
} frame;

static double frame_x(const frame *f, double value) {
    return f->x + (value - f->across.low) / (f->across.high - f->across.low) * f->width;
}

static double frame_y(const frame *f, double value) {
    return f->y + f->height - (value - f->up.low) / (f->up.high - f->up.low) * f->height;
}

/* `align`: 0 begins at x, 0.5 is centred, 1 ends there. */
static void write_text(cairo_t *cairo, double x, double y, double align, const char *text) {
    cairo_text_extents_t size;
    cairo_text_extents(cairo, text, &size);
    cairo_move_to(cairo, x - align * size.x_advance, y);
    cairo_show_text(cairo, text);
}

static void draw_axes(const frame *f, const char *title) {
    cairo_t *cairo = f->cairo;
    char text[32];
    cairo_set_line_width(cairo, 1);
    cairo_set_font_size(cairo, 11);
    double step = tick_step(f->up, 5);
    for (double v = ceil(f->up.low / step) * step; v <= f->up.high + step * 1e-6; v += step) {
        cairo_set_source_rgb(cairo, 0.88, 0.88, 0.88);
        cairo_move_to(cairo, f->x, frame_y(f, v));
        cairo_line_to(cairo, f->x + f->width, frame_y(f, v));
        cairo_stroke(cairo);
        print_tick(v, step, text);
        cairo_set_source_rgb(cairo, 0.25, 0.25, 0.25);
        write_text(cairo, f->x - 6, frame_y(f, v) + 4, 1, text);
    }
    step = fmax(1, tick_step(f->across, 5));
    for (double v = ceil(f->across.low / step) * step; v <= f->across.high; v += step) {
        cairo_set_source_rgb(cairo, 0.25, 0.25, 0.25);
        cairo_move_to(cairo, frame_x(f, v), f->y + f->height);
        cairo_rel_line_to(cairo, 0, 4);
        cairo_stroke(cairo);
        print_tick(v, step, text);
        write_text(cairo, frame_x(f, v), f->y + f->height + 16, 0.5, text);
    }
    write_text(cairo, f->x + f->width, f->y + f->height + 30, 1, "step");
    cairo_move_to(cairo, f->x, f->y);
    cairo_rel_line_to(cairo, 0, f->height);
    cairo_rel_line_to(cairo, f->width, 0);
    cairo_stroke(cairo);
    cairo_set_font_size(cairo, 13);
    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_BOLD);
    write_text(cairo, f->x, f->y - 9, 0, title);
    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
}

/* ---- curves ------------------------------------------------------------------------- */

static void draw_line(const frame *f, const double *x, const double *y, size_t count,
                      double width, double opacity, const double *colour) {
    cairo_new_path(f->cairo); /* text leaves a point behind */
    cairo_set_line_width(f->cairo, width);
    cairo_set_source_rgba(f->cairo, colour[0], colour[1], colour[2], opacity);
    for (size_t i = 0; i < count; i++)
        cairo_line_to(f->cairo, frame_x(f, x[i]), frame_y(f, y[i]));
    cairo_stroke(f->cairo);
}

static void draw_dots(const frame *f, const curve *c, const double *colour, bool filled) {
    for (size_t i = 0; i < c->count; i++) {
        cairo_new_path(f->cairo);
        cairo_arc(f->cairo, frame_x(f, c->x[i]), frame_y(f, c->y[i]), 3, 0, 6.2832);
        if (filled)
            cairo_set_source_rgb(f->cairo, colour[0], colour[1], colour[2]);
        else
            cairo_set_source_rgb(f->cairo, 1, 1, 1);
        cairo_fill_preserve(f->cairo);
        cairo_set_source_rgb(f->cairo, colour[0], colour[1], colour[2]);
        cairo_set_line_width(f->cairo, 1.2);
        cairo_stroke(f->cairo);
    }
}

static void draw_held(const frame *f, const curve *c, const double *colour, bool filled) {
    static const double dashes[] = {5, 3};
    cairo_set_dash(f->cairo, dashes, 2, 0);
    draw_line(f, c->x, c->y, c->count, 1.4, 1, colour);
    cairo_set_dash(f->cairo, NULL, 0, 0);
    draw_dots(f, c, colour, filled);
}

static bool draw_train(const frame *f, const panel *p, const curve *c, const double *colour) {
    if (!p->smoothed) {
        draw_line(f, c->x, c->y, c->count, 1.8, 1, colour);
        return true;
    }
    double *average = malloc((c->count + 1) * sizeof *average);
    if (!average)
        return false;
    smooth(c, average);
    draw_line(f, c->x, c->y, c->count, 0.8, 0.35, colour);
    draw_line(f, c->x, average, c->count, 2, 1, colour);
    free(average);
    return true;
}

static range across_all(const plotted_run *runs, size_t count) {
    range r = {0, 1};
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < PANELS; i++) {
            const curve *curves[] = {&runs[k].train[i], &runs[k].held[i]};
            for (size_t c = 0; c < 2; c++)
                if (curves[c]->count)
                    r.high = fmax(r.high, curves[c]->x[curves[c]->count - 1]);
        }
    return r;
}

/* False: none of the runs has anything for it. */
static bool panel_range(const panel *p, size_t index, const plotted_run *runs, size_t count,
                        range *up) {
    *up = (range){INFINITY, -INFINITY};
    for (size_t k = 0; k < count; k++) {
        widen(up, &runs[k].train[index]);
        widen(up, &runs[k].held[index]);
        widen(up, &runs[k].held_second[index]);
    }
    if (up->low > up->high)
        return false;
    if (p->from_zero)
        up->low = 0;
    double room = (up->high - up->low) * 0.05;
    if (room <= 0)
        room = fmax(fabs(up->high) * 0.05, 1e-6);
    up->high += room;
    if (!p->from_zero)
        up->low -= room;
    return true;
}

static bool draw_panel(frame *f, const panel *p, size_t index, const plotted_run *runs,
                       size_t count) {
    draw_axes(f, p->title);
    bool ok = true;
    cairo_save(f->cairo);
    cairo_set_line_join(f->cairo, CAIRO_LINE_JOIN_ROUND);
    for (size_t k = 0; k < count && ok; k++) {
        ok = draw_train(f, p, &runs[k].train[index], colours[k]);
        draw_held(f, &runs[k].held_second[index], colours[k], false);
        draw_held(f, &runs[k].held[index], colours[k], true);
    }
    cairo_restore(f->cairo);
    return ok;
}

static void draw_key(cairo_t *cairo, double x, double y, double width, double opacity,
                     bool dashed, const char *text) {
    static const double dashes[] = {5, 3};
    cairo_set_source_rgba(cairo, 0.25, 0.25, 0.25, opacity);
    cairo_set_line_width(cairo, width);
    cairo_set_dash(cairo, dashes, dashed ? 2 : 0, 0);
    cairo_move_to(cairo, x, y - 4);
    cairo_rel_line_to(cairo, 28, 0);
    cairo_stroke(cairo);
    cairo_set_dash(cairo, NULL, 0, 0);
    cairo_set_source_rgb(cairo, 0.25, 0.25, 0.25);
    write_text(cairo, x + 34, y, 0, text);
}

static void draw_legend(cairo_t *cairo, const plotted_run *runs, size_t count) {
    double x = MARGIN + 8;
    cairo_set_font_size(cairo, 14);
    for (size_t k = 0; k < count; k++) {
        cairo_text_extents_t size;
        cairo_set_source_rgb(cairo, colours[k][0], colours[k][1], colours[k][2]);
        cairo_new_path(cairo);
        cairo_rectangle(cairo, x, 17, 14, 14);
        cairo_fill(cairo);
        cairo_set_source_rgb(cairo, 0.1, 0.1, 0.1);
        write_text(cairo, x + 20, 29, 0, runs[k].name);
        cairo_text_extents(cairo, runs[k].name, &size);
        x += size.x_advance + 48;
    }
    cairo_set_font_size(cairo, 12);
    draw_key(cairo, MARGIN + 8, 54, 0.8, 0.5, false, "training, as logged");
    draw_key(cairo, MARGIN + 198, 54, 2, 1, false, "training, smoothed");
    draw_key(cairo, MARGIN + 388, 54, 1.4, 1, true, "held out");
}

static vl_status draw(cairo_t *cairo, const panel *panels, const plotted_run *runs,
                      size_t count, vl_error *error) {
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
    draw_legend(cairo, runs, count);
    size_t place = 0;
    bool ok = true;
    frame f = {.cairo = cairo,
               .width = PANEL_WIDTH - LEFT - RIGHT,
               .height = PANEL_HEIGHT - TOP - BOTTOM,
               .across = across_all(runs, count)};
    for (size_t i = 0; i < PANELS && ok; i++) {
        if (!panel_range(&panels[i], i, runs, count, &f.up))
            continue;
        f.x = MARGIN + (double)(place % COLUMNS) * PANEL_WIDTH + LEFT;
        f.y = HEAD + (double)(place / COLUMNS) * PANEL_HEIGHT + TOP;
        ok = draw_panel(&f, &panels[i], i, runs, count);
        place++;
    }
    if (!ok || cairo_status(cairo) != CAIRO_STATUS_SUCCESS)
        return vl_fail(error, VL_ERR_MEMORY, "the curves could not be drawn: %s",
                       ok ? cairo_status_to_string(cairo_status(cairo)) : "no memory");
    return VL_OK;
}

/* ---- files -------------------------------------------------------------------------- */

static cairo_status_t append(void *closure, const unsigned char *bytes, unsigned count) {
    vl_buf *out = closure;
    vl_buf_append(out, bytes, count);
    return out->failed ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static size_t panels_used(const panel *panels, const plotted_run *runs, size_t count) {
    size_t used = 0;
    range up;
    for (size_t i = 0; i < PANELS; i++)
        used += panel_range(&panels[i], i, runs, count, &up);
    return used;
}

static vl_status render(const panel *panels, const plotted_run *runs, size_t count, bool svg,
                        vl_buf *out, vl_error *error) {
    size_t used = panels_used(panels, runs, count);
    size_t columns = used < COLUMNS ? used : COLUMNS;
    double width = 2 * MARGIN + (double)columns * PANEL_WIDTH;
    double height = HEAD + MARGIN + (double)((used + COLUMNS - 1) / COLUMNS) * PANEL_HEIGHT;
    double scale = svg ? 1 : PNG_SCALE;
    width = fmax(width, MARGIN * 2 + 520); /* the legend's */
    cairo_surface_t *surface =
        svg ? cairo_svg_surface_create_for_stream(append, out, width, height)
            : cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * scale),
                                         (int)(height * scale));
    cairo_t *cairo = cairo_create(surface);
    cairo_scale(cairo, scale, scale);
    vl_status status = draw(cairo, panels, runs, count, error);
    cairo_destroy(cairo);
    if (!status && !svg)
        cairo_surface_write_to_png_stream(surface, append, out);
    cairo_surface_finish(surface); /* an SVG is written now */
    cairo_surface_destroy(surface);
    return status ? status : vl_buf_status(out, "the curves", error);
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

vl_status vl_train_plot(const char *const *out_dirs, size_t count, const char *out_path,
                        vl_error *error) {
    bool svg = ends_with(out_path, ".svg");
    if (!svg && !ends_with(out_path, ".png"))
        return vl_fail(error, VL_ERR_USAGE, "%s: curves are drawn to .png or .svg", out_path);
    if (!count || count > VL_TRAIN_MAX_PLOTTED)
        return vl_fail(error, VL_ERR_USAGE, "%zu runs; 1 to %d are drawn over each other",
                       count, VL_TRAIN_MAX_PLOTTED);
    panel panels[PANELS];
    panels_init(panels);
    plotted_run *runs = calloc(count, sizeof *runs);
    vl_buf out;
    vl_buf_init(&out, MAX_PICTURE);
    vl_status status = runs ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory to draw");
    for (size_t k = 0; k < count && !status; k++)
        status = run_read(&runs[k], out_dirs[k], panels, error);
    if (!status)
        status = render(panels, runs, count, svg, &out, error);
    if (!status)
        status = vl_file_write(out_path, out.data, out.len, error);
    for (size_t k = 0; runs && k < count; k++)
        run_deinit(&runs[k]);
    free(runs);
    vl_buf_deinit(&out);
    return status;
}
