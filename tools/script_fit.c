/* script_fit.c — fits the network of src/ocr/script.h to windows that script_pages made.
 *
 * usage: script_fit WINDOWS MODEL [--steps N] [--hidden N] [--seed S]
 *
 * A step takes 64 windows, scripts drawn by how common they are and turns alike, each shifted
 * and scaled a little; the cross-entropy is minimised by Adam (Kingma and Ba 2015) with a rate
 * that falls along a cosine. Then weights go to 8 bits, `trust` is chosen on the pages of
 * held-out fonts, and how often script and turn are right is printed for pages, and for as few
 * windows as a word has.
 */
#include "dataset/dice.h"
#include "script_window.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64, OUTPUTS = SCRIPT_COUNT * VL_SCRIPT_TURNS, FEATURES = VL_SCRIPT_FEATURES };

typedef struct layer {
    size_t in, out;
    float *w, *b;           /* [in][out], [out] */
    float *gw, *gb;         /* gradients */
    float *m, *v, *mb, *vb; /* Adam's moments */
} layer;

typedef struct data {
    script_window *windows;
    size_t count;
    size_t *of_label[SCRIPT_COUNT], label_count[SCRIPT_COUNT]; /* drawn from, not held */
} data;

static void *need(void *memory) {
    if (!memory) {
        fprintf(stderr, "script_fit: no memory\n");
        exit(1);
    }
    return memory;
}

/* ---- windows ------------------------------------------------------------------------------
 */

static void load(const char *path, data *d) {
    FILE *file = fopen(path, "rb");
    size_t cap = 1 << 16;
    if (!file) {
        fprintf(stderr, "script_fit: %s cannot be read\n", path);
        exit(1);
    }
    d->windows = need(malloc(cap * sizeof *d->windows));
    while (fread(&d->windows[d->count], sizeof *d->windows, 1, file) == 1)
        if (d->windows[d->count].label < SCRIPT_COUNT && ++d->count == cap)
            d->windows = need(realloc(d->windows, (cap *= 2) * sizeof *d->windows));
    fclose(file);
    for (size_t s = 0; s < SCRIPT_COUNT; s++)
        d->of_label[s] = need(malloc((d->count + 1) * sizeof(size_t)));
    for (size_t i = 0; i < d->count; i++)
        if (!d->windows[i].held)
            d->of_label[d->windows[i].label][d->label_count[d->windows[i].label]++] = i;
}

/* The middle of the window, `scale` times as wide, shifted, turned clockwise by quarters. */
static void crop(const script_window *from, double scale, double dx, double dy, int quarters,
                 uint8_t *to) {
    enum { SIDE = VL_SCRIPT_SIDE, WIDE = SCRIPT_WINDOW_SIDE };
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double u = x + 0.5 - SIDE / 2.0, v = y + 0.5 - SIDE / 2.0, swap;
            for (int q = 0; q < quarters; q++) {
                swap = u;
                u = v;
                v = -swap;
            }
            double px = WIDE / 2.0 + dx + u * scale - 0.5,
                   py = WIDE / 2.0 + dy + v * scale - 0.5;
            px = fmax(0, fmin(WIDE - 1.001, px));
            py = fmax(0, fmin(WIDE - 1.001, py));
            int ix = (int)px, iy = (int)py;
            double fx = px - ix, fy = py - iy;
            const uint8_t *p = from->tones + iy * WIDE + ix;
            double tone = (p[0] * (1 - fx) + p[1] * fx) * (1 - fy) +
                          (p[WIDE] * (1 - fx) + p[WIDE + 1] * fx) * fy;
            to[y * SIDE + x] = (uint8_t)(tone + 0.5);
        }
}

/* Scripts that pages come in more often than others, and that look alike in few letters. */
static size_t draw_label(dice *die) {
    static const struct {
        const char *label;
        double weight;
    } common[] = {{"Latn", 3}, {"Cyrl", 2}, {"Grek", 1.5}, {"Arab", 2},   {"Deva", 2},
                  {"Hani", 2}, {"Jpan", 2}, {"Kore", 1.5}, {"Ethi", 1.5}, {"Zxxx", 2}};
    double all[SCRIPT_COUNT];
    for (size_t s = 0; s < SCRIPT_COUNT; s++) {
        all[s] = 1;
        for (size_t i = 0; i < sizeof common / sizeof *common; i++)
            if (!strcmp(common[i].label, script_labels[s]))
                all[s] = common[i].weight;
    }
    return dice_weighted(die, all, SCRIPT_COUNT);
}

/* A window by script and turn; returns its output. */
static size_t draw(const data *d, dice *die, float *features) {
    uint8_t window[VL_SCRIPT_SIDE * VL_SCRIPT_SIDE];
    for (;;) {
        size_t label = draw_label(die);
        if (!d->label_count[label])
            continue;
        const script_window *w =
            &d->windows[d->of_label[label][dice_index(die, d->label_count[label])]];
        int quarters = dice_below(die, 4);
        double scale = dice_between(die, 0.8, 1.25), dx = dice_between(die, -1.5, 1.5);
        double dy = dice_between(die, -1.5, 1.5);
        crop(w, scale, dx, dy, quarters, window);
        if (vl_script_features(window, features))
            return label * VL_SCRIPT_TURNS + (size_t)((4 - quarters) % 4);
    }
}

/* ---- layers -------------------------------------------------------------------------------
 */

static layer layer_new(size_t in, size_t out, dice *die) {
    layer l = {.in = in, .out = out};
    l.w = need(calloc(in * out * 4, sizeof(float)));
    l.b = need(calloc(out * 4, sizeof(float)));
    l.gw = l.w + in * out;
    l.m = l.gw + in * out;
    l.v = l.m + in * out;
    l.gb = l.b + out;
    l.mb = l.gb + out;
    l.vb = l.mb + out;
    double spread = sqrt(2.0 / (double)in);
    for (size_t i = 0; i < in * out; i++)
        l.w[i] = (float)(dice_normal(die) * spread);
    return l;
}

static void forward(const layer *l, const float *x, float *y) {
    memcpy(y, l->b, l->out * sizeof *y);
    for (size_t i = 0; i < l->in; i++) {
        const float *w = l->w + i * l->out, value = x[i];
        for (size_t j = 0; value != 0 && j < l->out; j++)
            y[j] += value * w[j];
    }
}

/* Adds to the gradients; `dx` NULL: not asked for. */
static void backward(layer *l, const float *x, const float *dy, float *dx) {
    for (size_t j = 0; j < l->out; j++)
        l->gb[j] += dy[j];
    for (size_t i = 0; i < l->in; i++) {
        float *g = l->gw + i * l->out, value = x[i];
        const float *w = l->w + i * l->out;
        for (size_t j = 0; value != 0 && j < l->out; j++)
            g[j] += value * dy[j];
        if (!dx)
            continue;
        float sums[8] = {0};
        for (size_t j = 0; j + 8 <= l->out; j += 8)
            for (size_t k = 0; k < 8; k++)
                sums[k] += w[j + k] * dy[j + k];
        for (size_t j = l->out & ~(size_t)7; j < l->out; j++)
            sums[0] += w[j] * dy[j];
        dx[i] = value > 0 ? ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
                                ((sums[4] + sums[5]) + (sums[6] + sums[7]))
                          : 0;
    }
}

static void adam(float *w, float *g, float *m, float *v, size_t count, float rate, float c1,
                 float c2) {
    for (size_t i = 0; i < count; i++) {
        float gradient = g[i] / BATCH + 1e-5f * w[i];
        m[i] += 0.1f * (gradient - m[i]);
        v[i] += 0.001f * (gradient * gradient - v[i]);
        w[i] -= rate * (m[i] / c1) / (sqrtf(v[i] / c2) + 1e-8f);
        g[i] = 0;
    }
}

static double step(layer *one, layer *two, const data *d, dice *die) {
    double loss = 0;
    float x[FEATURES], h[VL_SCRIPT_HIDDEN_MAX], dh[VL_SCRIPT_HIDDEN_MAX], y[OUTPUTS];
    for (size_t n = 0; n < BATCH; n++) {
        size_t right = draw(d, die, x);
        forward(one, x, h);
        for (size_t j = 0; j < one->out; j++)
            h[j] = h[j] > 0 ? h[j] : 0;
        forward(two, h, y);
        float top = y[0], sum = 0;
        for (size_t k = 1; k < OUTPUTS; k++)
            top = y[k] > top ? y[k] : top;
        for (size_t k = 0; k < OUTPUTS; k++)
            sum += y[k] = expf(y[k] - top);
        for (size_t k = 0; k < OUTPUTS; k++)
            y[k] /= sum;
        loss -= log((double)y[right] + 1e-12);
        y[right] -= 1;
        backward(two, h, y, dh);
        backward(one, x, dh, NULL);
    }
    return loss / BATCH;
}

static void fit(layer *one, layer *two, const data *d, long steps, dice *die) {
    double mean = 0;
    for (long s = 1; s <= steps; s++) {
        double loss = step(one, two, d, die);
        float rate = (float)(2e-3 * 0.5 * (1 + cos(3.14159265 * (double)s / (double)steps)));
        float c1 = (float)(1 - pow(0.9, (double)s)), c2 = (float)(1 - pow(0.999, (double)s));
        adam(one->w, one->gw, one->m, one->v, one->in * one->out, rate, c1, c2);
        adam(one->b, one->gb, one->mb, one->vb, one->out, rate, c1, c2);
        adam(two->w, two->gw, two->m, two->v, two->in * two->out, rate, c1, c2);
        adam(two->b, two->gb, two->mb, two->vb, two->out, rate, c1, c2);
        mean += (loss - mean) * (s == 1 ? 1 : 0.01);
        if (s % 500 == 0) {
            printf("step %ld loss %.4f\n", s, mean);
            fflush(stdout);
        }
    }
}

/* ---- the file -----------------------------------------------------------------------------
 */

/* Scales, biases, then weights by output, as script.h says. */
static void put_layer(const layer *l, vl_buf *out) {
    float *scales = need(malloc(l->out * sizeof *scales));
    int8_t *row = need(malloc(l->in));
    for (size_t j = 0; j < l->out; j++) {
        float most = 1e-9f;
        for (size_t i = 0; i < l->in; i++)
            most = fmaxf(most, fabsf(l->w[i * l->out + j]));
        scales[j] = most / 127;
    }
    vl_buf_append(out, scales, l->out * sizeof *scales);
    vl_buf_append(out, l->b, l->out * sizeof *l->b);
    for (size_t j = 0; j < l->out; j++) {
        for (size_t i = 0; i < l->in; i++)
            row[i] = (int8_t)lrintf(l->w[i * l->out + j] / scales[j]);
        vl_buf_append(out, row, l->in);
    }
    free(scales);
    free(row);
}

static void put_model(const layer *one, const layer *two, float trust, vl_buf *out) {
    vl_script_header header = {.magic = "VLSCRIPT",
                               .version = VL_SCRIPT_VERSION,
                               .labels = SCRIPT_COUNT,
                               .hidden = (uint32_t)one->out,
                               .trust = trust};
    vl_buf_clear(out);
    vl_buf_append(out, &header, sizeof header);
    for (size_t s = 0; s < SCRIPT_COUNT; s++)
        vl_buf_append(out, script_labels[s], 4);
    put_layer(one, out);
    put_layer(two, out);
}

/* ---- scores -------------------------------------------------------------------------------
 */

typedef struct tally {
    size_t pages, script, turn;
    double loss;
} tally;

static void judge(const double *sums, double weight, size_t right, tally *t) {
    double p[OUTPUTS], scripts[SCRIPT_COUNT] = {0}, turns[4] = {0}, top = -1e300, sum = 0;
    size_t script = 0, turn = 0;
    for (size_t k = 0; k < OUTPUTS; k++)
        top = fmax(top, sums[k] * weight);
    for (size_t k = 0; k < OUTPUTS; k++)
        sum += p[k] = exp(sums[k] * weight - top);
    for (size_t k = 0; k < OUTPUTS; k++) {
        scripts[k / 4] += p[k] / sum;
        turns[k % 4] += p[k] / sum;
    }
    for (size_t s = 1; s < SCRIPT_COUNT; s++)
        script = scripts[s] > scripts[script] ? s : script;
    for (size_t q = 1; q < 4; q++)
        turn = turns[q] > turns[turn] ? q : turn;
    t->pages++;
    t->script += script == right;
    t->turn += turn == 0;
    t->loss -= log(scripts[right] + 1e-12);
}

/* What the model says of every held window: [OUTPUTS] each, NAN first where there is nothing.
 */
static float *look(const vl_script_model *m, const data *d) {
    uint8_t window[VL_SCRIPT_SIDE * VL_SCRIPT_SIDE];
    float x[FEATURES], *said = need(malloc((d->count + 1) * OUTPUTS * sizeof *said));
    for (size_t i = 0; i < d->count; i++) {
        said[i * OUTPUTS] = NAN;
        if (!d->windows[i].held)
            continue;
        crop(&d->windows[i], 1, 0, 0, 0, window);
        if (vl_script_features(window, x))
            vl_script_score(m, x, said + i * OUTPUTS);
        for (size_t k = 0; !isnan(said[i * OUTPUTS]) && k < OUTPUTS; k++)
            said[i * OUTPUTS + k] = logf(expf(said[i * OUTPUTS + k]) + 1e-4f);
    }
    return said;
}

/* Runs of `most` windows of a held page, as script.c has them vote. */
static tally score(const float *said, const data *d, size_t most, float trust, bool by_label) {
    tally all = {0}, one = {0};
    double sums[OUTPUTS] = {0};
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++) {
        const script_window *w = &d->windows[i], *next = w + 1;
        if (w->held && !isnan(said[i * OUTPUTS])) {
            for (size_t k = 0; k < OUTPUTS; k++)
                sums[k] += (double)said[i * OUTPUTS + k];
            n++;
        }
        bool end = i + 1 == d->count || next->label != w->label;
        if (n && (end || next->page != w->page || n == most)) {
            tally before = all;
            double as = n <= 4 ? (double)n : 4 + (double)(n - 4) * (double)trust;
            judge(sums, as / (double)n, w->label, &all);
            one.pages++;
            one.script += all.script - before.script;
            one.turn += all.turn - before.turn;
            memset(sums, 0, sizeof sums);
            n = 0;
        }
        if (by_label && one.pages && end) {
            printf("| %s | %zu | %.3f | %.3f |\n", script_labels[w->label], one.pages,
                   (double)one.script / (double)one.pages,
                   (double)one.turn / (double)one.pages);
            one = (tally){0};
        }
    }
    return all;
}

static float choose_trust(const float *said, const data *d) {
    static const float trusts[] = {0, 0.02f, 0.05f, 0.1f, 0.2f, 0.5f, 1};
    float best = 0;
    double least = 1e300;
    for (size_t i = 0; i < sizeof trusts / sizeof *trusts; i++) {
        tally t = score(said, d, 1000, trusts[i], false);
        printf("trust %.2f: loss %.4f\n", (double)trusts[i], t.loss / (double)t.pages);
        if (t.loss < least) {
            least = t.loss;
            best = trusts[i];
        }
    }
    return best;
}

int main(int argc, char **argv) {
    static const size_t runs[] = {1, 3, 6, 12, 1000};
    long steps = 6000, hidden = 128, seed = 1;
    data d = {0};
    vl_error error;
    vl_buf file;
    vl_script_model *model;
    for (int i = 3; i + 1 < argc; i += 2) {
        long value = strtol(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--steps"))
            steps = value;
        else if (!strcmp(argv[i], "--hidden"))
            hidden = value;
        else if (!strcmp(argv[i], "--seed"))
            seed = value;
    }
    if (argc < 3 || steps < 1 || hidden < 1 || hidden > VL_SCRIPT_HIDDEN_MAX) {
        fprintf(stderr,
                "usage: script_fit WINDOWS MODEL [--steps N] [--hidden N] [--seed S]\n");
        return 2;
    }
    load(argv[1], &d);
    dice die = dice_of((uint64_t)seed, 0);
    layer one = layer_new(FEATURES, (size_t)hidden, &die);
    layer two = layer_new((size_t)hidden, OUTPUTS, &die);
    fit(&one, &two, &d, steps, &die);
    vl_buf_init(&file, 8 << 20);
    put_model(&one, &two, 0, &file);
    if (vl_script_model_parse(file.data, file.len, &model, &error)) {
        fprintf(stderr, "script_fit: %s\n", error.message);
        return 1;
    }
    float *said = look(model, &d);
    float trust = choose_trust(said, &d);
    put_model(&one, &two, trust, &file);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        tally t = score(said, &d, runs[i], trust, runs[i] == 1000);
        printf("%zu windows: script %.3f, turn %.3f of %zu\n", runs[i],
               (double)t.script / (double)t.pages, (double)t.turn / (double)t.pages, t.pages);
    }
    free(said);
    vl_script_model_free(model);
    if (vl_file_write(argv[2], file.data, file.len, &error)) {
        fprintf(stderr, "script_fit: %s\n", error.message);
        return 1;
    }
    vl_buf_deinit(&file);
    return 0;
}
