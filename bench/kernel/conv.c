/* conv.c — convolutions as unrolled patches and a product against oneDNN's own primitives, and
 * one filter a channel by our own kernel against the same: forward, back to the inputs, back to
 * the weights, one thread. The shapes are those of `seer` in training and of a reader of text
 * lines. Prints the time of ours over the time of the primitive: above 1 the primitive is
 * faster. README.md has the command and figures.
 *
 *   bench_kernel_conv [WORD]     only the shapes whose name contains WORD */
#include <vislang/kernel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPEATS = 5 };
static const double seconds_each = 0.01;

/* ---- shapes ------------------------------------------------------------------------- */

typedef struct shape {
    const char *name;
    size_t batch, height, width, channels, outputs; /* outputs 0: one filter a channel */
    vl_window window;
} shape;

#define SQUARE(size, stride, pad)                                                              \
    { size, size, stride, stride, pad, pad }

static const shape shapes[] = {
    {"seer 96 stem 1", 16, 96, 96, 3, 32, SQUARE(3, 2, 1)},
    {"seer 96 stem 2", 16, 48, 48, 32, 64, SQUARE(3, 2, 1)},
    {"seer 96 shrink 1", 16, 24, 24, 64, 128, SQUARE(2, 2, 0)},
    {"seer 96 shrink 2", 16, 12, 12, 128, 256, SQUARE(2, 2, 0)},
    {"seer 96 filter 64", 16, 24, 24, 64, 0, SQUARE(5, 1, 2)},
    {"seer 96 filter 128", 16, 12, 12, 128, 0, SQUARE(5, 1, 2)},
    {"seer 96 filter 256", 16, 6, 6, 256, 0, SQUARE(5, 1, 2)},
    {"seer 128 stem 1", 16, 128, 128, 3, 32, SQUARE(3, 2, 1)},
    {"seer 128 stem 2", 16, 64, 64, 32, 64, SQUARE(3, 2, 1)},
    {"seer 128 shrink 1", 16, 32, 32, 64, 128, SQUARE(2, 2, 0)},
    {"seer 128 shrink 2", 16, 16, 16, 128, 256, SQUARE(2, 2, 0)},
    {"seer 128 filter 64", 16, 32, 32, 64, 0, SQUARE(5, 1, 2)},
    {"seer 128 filter 128", 16, 16, 16, 128, 0, SQUARE(5, 1, 2)},
    {"seer 128 filter 256", 16, 8, 8, 256, 0, SQUARE(5, 1, 2)},
    {"line 256 3x3/2", 8, 48, 256, 1, 32, SQUARE(3, 2, 1)},
    {"line 1024 3x3/2", 8, 48, 1024, 1, 32, SQUARE(3, 2, 1)},
    {"line 256 3x3", 8, 24, 128, 32, 64, SQUARE(3, 1, 1)},
    {"line 1024 3x3", 8, 24, 512, 32, 64, SQUARE(3, 1, 1)},
    {"line 256 3x3/2 deep", 8, 24, 128, 64, 128, SQUARE(3, 2, 1)},
    {"line 1024 3x3/2 deep", 8, 24, 512, 64, 128, SQUARE(3, 2, 1)},
    {"line 256 3x3/(2,1)", 8, 24, 128, 64, 128, {3, 3, 2, 1, 1, 1}},
    {"line 256 3x3 deep", 8, 12, 64, 192, 192, SQUARE(3, 1, 1)},
    {"line 1024 3x3 deep", 8, 12, 256, 192, 192, SQUARE(3, 1, 1)},
    {"line 1024 1x1", 8, 12, 256, 96, 192, SQUARE(1, 1, 0)},
    {"line 256 filter 3x3", 8, 24, 128, 64, 0, SQUARE(3, 1, 1)},
    {"line 1024 filter 3x3", 8, 24, 512, 64, 0, SQUARE(3, 1, 1)},
    {"line 256 filter 3x3/(2,1)", 8, 24, 128, 96, 0, {3, 3, 2, 1, 1, 1}},
    {"line 256 filter 5x5", 8, 12, 64, 192, 0, SQUARE(5, 1, 2)},
    {"line 1024 filter 5x5", 8, 12, 256, 192, 0, SQUARE(5, 1, 2)},
    {"line 1024 filter 7x1", 8, 256, 1, 192, 0, {7, 1, 1, 1, 3, 0}},
};

/* ---- both ways to compute ----------------------------------------------------------- */

typedef struct job {
    vl_conv conv;
    vl_gemm gemm;
    size_t in, out, weights, patches, rows; /* numbers; of one picture where in and out */
    vl_real *x, *y, *w, *bias, *unrolled;
    vl_real *dx, *dy, *dw, *dbias;
} job;

typedef void step(const job *j);

static void ours_forward(const job *j) {
    vl_conv_unroll(&j->conv, j->x, j->unrolled);
    vl_gemm g = j->gemm;
    g.transpose_b = true;
    g.m = j->rows, g.n = j->conv.outputs, g.k = j->patches / j->rows;
    g.lda = g.ldb = g.k, g.ldc = g.n;
    vl_gemm_run(&g, j->unrolled, j->w, j->y);
    vl_kernels_get()->add_bias(j->y, j->bias, g.m, g.n);
}

static void ours_data(const job *j) {
    vl_gemm g = j->gemm;
    g.m = j->rows, g.n = j->patches / j->rows, g.k = j->conv.outputs;
    g.lda = g.k, g.ldb = g.ldc = g.n;
    vl_gemm_run(&g, j->dy, j->w, j->unrolled);
    vl_conv_roll(&j->conv, j->unrolled, j->dx);
}

static void ours_weights(const job *j) {
    vl_gemm g = j->gemm;
    g.transpose_a = g.accumulate = true;
    g.m = j->conv.outputs, g.n = j->patches / j->rows, g.k = j->rows;
    g.lda = g.m, g.ldb = g.ldc = g.n;
    vl_gemm_run(&g, j->dy, j->unrolled, j->dw);
}

static void filter_forward(const job *j) {
    const vl_conv *c = &j->conv;
    for (size_t b = 0; b < c->batch; b++)
        vl_kernels_get()->depthwise(j->y + b * j->out, j->x + b * j->in, j->w, j->bias,
                                    c->height, c->width, c->channels, &c->window);
}

static void filter_back(const job *j) {
    const vl_conv *c = &j->conv;
    for (size_t b = 0; b < c->batch; b++)
        vl_kernels_get()->depthwise_backward(j->dx + b * j->in, j->dw, j->dbias,
                                             j->dy + b * j->out, j->x + b * j->in, j->w,
                                             c->height, c->width, c->channels, &c->window);
}

static void primitive_forward(const job *j) {
    vl_conv_run(&j->conv, j->x, j->w, j->bias, j->y);
}

static void primitive_data(const job *j) {
    vl_conv_backward_data(&j->conv, j->dy, j->w, j->dx);
}

static void primitive_weights(const job *j) {
    vl_conv_backward_weights(&j->conv, j->dy, j->x, j->dw);
}

static void primitive_back(const job *j) {
    primitive_data(j);
    primitive_weights(j);
    vl_kernels_get()->sum_rows(j->dbias, j->dy, j->rows, j->conv.outputs);
}

/* ---- time --------------------------------------------------------------------------- */

/* Processor time, so that what else runs here disturbs less. */
static int64_t thread_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double stretch(step *run, const job *j) {
    size_t runs = 0;
    int64_t start = thread_ns(), now;
    do {
        run(j);
        runs++;
        now = thread_ns();
    } while ((double)(now - start) < seconds_each * 1e9);
    return (double)(now - start) / (double)runs;
}

/* The best of several stretches of each, in turns. */
static void compare(const char *what, step *ours, step *primitive, const job *j) {
    double best[2] = {1e300, 1e300};
    ours(j);
    primitive(j);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double a = stretch(ours, j), b = stretch(primitive, j);
        best[0] = a < best[0] ? a : best[0];
        best[1] = b < best[1] ? b : best[1];
    }
    printf(" %s %8.0f /%8.0f us = %5.2f |", what, best[0] / 1000, best[1] / 1000,
           best[0] / best[1]);
}

/* ---- jobs --------------------------------------------------------------------------- */

static vl_real *numbers(size_t count) {
    vl_real *x = aligned_alloc(64, (count * sizeof *x + 63) / 64 * 64);
    if (!x) {
        fprintf(stderr, "no memory for %zu numbers\n", count);
        exit(1);
    }
    for (size_t i = 0; i < count; i++)
        x[i] = (vl_real)(int)(i * 2654435761u >> 8 & 1023) / 512.0f - 1;
    return x;
}

static void measure(const shape *s, vl_precision precision) {
    bool filter = !s->outputs;
    job j = {.conv = {.precision = precision,
                      .batch = s->batch,
                      .height = s->height,
                      .width = s->width,
                      .channels = s->channels,
                      .outputs = filter ? s->channels : s->outputs,
                      .groups = filter ? s->channels : 1,
                      .window = s->window},
             .gemm = {.precision = precision}};
    const vl_window *w = &s->window;
    j.in = s->height * s->width * s->channels;
    j.patches = filter ? 1 : vl_conv_patches(&j.conv);
    j.rows = s->batch * vl_window_places(s->height, w->size_y, w->stride_y, w->pad_y) *
             vl_window_places(s->width, w->size_x, w->stride_x, w->pad_x);
    j.out = j.rows / s->batch * j.conv.outputs;
    j.weights = w->size_y * w->size_x * s->channels * (filter ? 1 : s->outputs);
    j.x = numbers(s->batch * j.in), j.dx = numbers(s->batch * j.in);
    j.y = numbers(s->batch * j.out), j.dy = numbers(s->batch * j.out);
    j.w = numbers(j.weights), j.dw = numbers(j.weights);
    j.bias = numbers(j.conv.outputs), j.dbias = numbers(j.conv.outputs);
    j.unrolled = numbers(j.patches);
    printf("%-26s %s |", s->name, precision == VL_PRECISION_BF16 ? "bf16" : "f32 ");
    if (filter) {
        compare("forward", filter_forward, primitive_forward, &j);
        compare("back", filter_back, primitive_back, &j);
    } else {
        compare("forward", ours_forward, primitive_forward, &j);
        compare("data", ours_data, primitive_data, &j);
        compare("weights", ours_weights, primitive_weights, &j);
    }
    putchar('\n');
    fflush(stdout);
    free(j.x), free(j.dx), free(j.y), free(j.dy), free(j.w), free(j.dw);
    free(j.bias), free(j.dbias), free(j.unrolled);
}

int main(int argc, char **argv) {
    printf("time of ours / time of the primitive = ratio; rows: %s\n", vl_kernels_get()->name);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (argc > 1 && !strstr(shapes[i].name, argv[1]))
            continue;
        measure(&shapes[i], VL_PRECISION_F32);
        if (vl_cpu_has_bf16())
            measure(&shapes[i], VL_PRECISION_BF16);
    }
    return 0;
}
