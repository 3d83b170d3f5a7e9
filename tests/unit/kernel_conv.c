/* Tests that convolutions, forward and back, are what their definition says: summed in double
 * precision by loops that know nothing of layouts. Random odd shapes, those that oneDNN has
 * kernels of their own for, and more of them than a thread keeps; threads at the same time.
 * (The suite runs this once for each instruction set: tests/kernel.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/kernel.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- numbers ------------------------------------------------------------------------ */

static uint64_t next(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static size_t between(uint64_t *state, size_t least, size_t most) {
    return least + next(state) % (most - least + 1);
}

/* Exactly as many as asked, so that the sanitizer sees what goes past. */
static float *numbers(uint64_t *state, size_t count) {
    float *x = malloc((count ? count : 1) * sizeof *x);
    if (!x)
        abort();
    for (size_t i = 0; i < count; i++)
        x[i] = (float)((double)next(state) / (double)(UINT64_C(1) << 30) - 1);
    return x;
}

/* ---- the definition ----------------------------------------------------------------- */

enum { FORWARD, DATA, WEIGHTS, WAYS };
static const char *way_names[] = {"forward", "back to data", "back to weights"};

typedef struct sums {
    double *value, *size; /* of what is added up, and of its magnitudes */
    size_t count;
} sums;

static void add_term(sums *s, size_t at, double term) {
    s->value[at] += term;
    s->size[at] += fabs(term);
}

typedef struct arrays {
    size_t places_y, places_x, count[WAYS]; /* of y, x, w */
    float *y, *x, *w, *bias;
} arrays;

static size_t weight_at(const vl_conv *c, size_t o, size_t i, size_t ky, size_t kx) {
    const vl_window *w = &c->window;
    size_t in = c->channels / c->groups;
    if (c->groups == c->channels && c->groups == c->outputs)
        return (ky * w->size_x + kx) * c->channels + o;
    return ((o * w->size_y + ky) * w->size_x + kx) * in + i;
}

/* All products at output (b, oy, ox, o), added to where `way` says. */
static void add_place(const vl_conv *c, const arrays *a, int way, size_t b, size_t oy,
                      size_t ox, size_t o, sums *s) {
    const vl_window *w = &c->window;
    size_t in = c->channels / c->groups, out = c->outputs / c->groups;
    size_t y = ((b * a->places_y + oy) * a->places_x + ox) * c->outputs + o;
    for (size_t ky = 0; ky < w->size_y; ky++)
        for (size_t kx = 0; kx < w->size_x; kx++)
            for (size_t i = 0; i < in; i++) {
                int64_t row = (int64_t)(oy * w->stride_y + ky) - (int64_t)w->pad_y;
                int64_t column = (int64_t)(ox * w->stride_x + kx) - (int64_t)w->pad_x;
                if (row < 0 || column < 0 || row >= (int64_t)c->height ||
                    column >= (int64_t)c->width)
                    continue;
                size_t x =
                    ((b * c->height + (size_t)row) * c->width + (size_t)column) * c->channels +
                    o / out * in + i;
                size_t k = weight_at(c, o, i, ky, kx);
                if (way == FORWARD)
                    add_term(s, y, (double)a->x[x] * (double)a->w[k]);
                else if (way == DATA)
                    add_term(s, x, (double)a->y[y] * (double)a->w[k]);
                else
                    add_term(s, k, (double)a->y[y] * (double)a->x[x]);
            }
}

static void add_all(const vl_conv *c, const arrays *a, int way, sums *s) {
    for (size_t b = 0; b < c->batch; b++)
        for (size_t oy = 0; oy < a->places_y; oy++)
            for (size_t ox = 0; ox < a->places_x; ox++)
                for (size_t o = 0; o < c->outputs; o++)
                    add_place(c, a, way, b, oy, ox, o, s);
}

/* ---- one problem -------------------------------------------------------------------- */

static arrays arrays_of(const vl_conv *c, uint64_t *state) {
    const vl_window *w = &c->window;
    arrays a = {vl_window_places(c->height, w->size_y, w->stride_y, w->pad_y),
                vl_window_places(c->width, w->size_x, w->stride_x, w->pad_x),
                {0},
                NULL,
                NULL,
                NULL,
                NULL};
    a.count[FORWARD] = c->batch * a.places_y * a.places_x * c->outputs;
    a.count[DATA] = c->batch * c->height * c->width * c->channels;
    a.count[WEIGHTS] = c->outputs * w->size_y * w->size_x * (c->channels / c->groups);
    a.y = numbers(state, a.count[FORWARD]);
    a.x = numbers(state, a.count[DATA]);
    a.w = numbers(state, a.count[WEIGHTS]);
    a.bias = numbers(state, c->outputs);
    return a;
}

/* The same by the kernel on rows, where there is one filter a channel; a picture at a time. */
static void run_rows(const vl_conv *c, const arrays *a, int way, bool bias, float *got) {
    const vl_kernels *kernels = vl_kernels_get();
    size_t in = a->count[DATA] / c->batch, out = a->count[FORWARD] / c->batch;
    float *none = calloc(c->channels, sizeof *none),
          *dbias = calloc(c->channels, sizeof *dbias);
    float *sink = calloc(a->count[DATA] + a->count[WEIGHTS], sizeof *sink);
    if (!none || !dbias || !sink)
        abort();
    for (size_t b = 0; b < c->batch; b++)
        if (way == FORWARD)
            kernels->depthwise(got + b * out, a->x + b * in, a->w, bias ? a->bias : none,
                               c->height, c->width, c->channels, &c->window);
        else
            kernels->depthwise_backward(way == DATA ? got + b * in : sink,
                                        way == WEIGHTS ? got : sink + a->count[DATA], dbias,
                                        a->y + b * out, a->x + b * in, a->w, c->height,
                                        c->width, c->channels, &c->window);
    free(none), free(dbias), free(sink);
}

/* What the kernel makes of the numbers in `got` (gradients are added to them). */
static void run(const vl_conv *c, const arrays *a, int way, bool bias, float *got) {
    if (way == FORWARD)
        vl_conv_run(c, a->x, a->w, bias ? a->bias : NULL, got);
    else if (way == DATA)
        vl_conv_backward_data(c, a->y, a->w, got);
    else
        vl_conv_backward_weights(c, a->y, a->x, got);
}

typedef void run_by(const vl_conv *c, const arrays *a, int way, bool bias, float *got);

/* The worst error as a share of what rounding may do: bf16 moves each factor by 2^−8 of it at
 * most. */
static double worst_error_by(const vl_conv *c, int way, bool bias, uint64_t seed, run_by *by) {
    arrays a = arrays_of(c, &seed);
    size_t count = a.count[way];
    float *got = numbers(&seed, count);
    sums s = {calloc(count + 1, sizeof(double)), calloc(count + 1, sizeof(double)), count};
    if (!s.value || !s.size)
        abort();
    for (size_t i = 0; i < count; i++)
        if (way != FORWARD || bias)
            add_term(&s, i, (double)(way == FORWARD ? a.bias[i % c->outputs] : got[i]));
    add_all(c, &a, way, &s);
    by(c, &a, way, bias, got);
    double allowed = c->precision == VL_PRECISION_BF16 ? 8e-3 : 1e-5, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)got[i] - s.value[i]) / (allowed * s.size[i] + 1e-30);
        if (!(error <= worst))
            worst = error;
    }
    free(a.y), free(a.x), free(a.w), free(a.bias), free(got), free(s.value), free(s.size);
    return worst;
}

static double worst_error(const vl_conv *c, int way, bool bias, uint64_t seed) {
    return worst_error_by(c, way, bias, seed, run);
}

static void check(vl_conv c, uint64_t seed) {
    for (int precision = 0; precision < 2; precision++)
        for (int way = 0; way < WAYS; way++)
            for (int bias = 0; bias < (way == FORWARD ? 2 : 1); bias++) {
                c.precision = precision ? VL_PRECISION_BF16 : VL_PRECISION_F32;
                double error = worst_error(&c, way, bias, seed);
                const vl_window *w = &c.window;
                if (!(error <= 1))
                    fail_msg("%s, %s: [%zu,%zu,%zu,%zu] to %zu in %zu groups, window %zux%zu "
                             "by (%zu,%zu) with (%zu,%zu) around: %g times what is allowed",
                             way_names[way], precision ? "bf16" : "f32", c.batch, c.height,
                             c.width, c.channels, c.outputs, c.groups, w->size_y, w->size_x,
                             w->stride_y, w->stride_x, w->pad_y, w->pad_x, error);
            }
}

/* ---- tests -------------------------------------------------------------------------- */

/* Chance; a third has one filter a channel, a third groups. */
static vl_conv random_conv(uint64_t *state, size_t kind) {
    vl_conv c = {.batch = between(state, 1, 3),
                 .height = between(state, 1, 9),
                 .width = between(state, 1, 13),
                 .groups = 1,
                 .window = {between(state, 1, 5), between(state, 1, 5), between(state, 1, 3),
                            between(state, 1, 3), between(state, 0, 3), between(state, 0, 3)}};
    if (kind == 0) {
        c.groups = c.channels = c.outputs = between(state, 1, 70);
        return c;
    }
    if (kind == 1)
        c.groups = between(state, 2, 4);
    c.channels = c.groups * between(state, 1, 20);
    c.outputs = c.groups * between(state, 1, 20);
    return c;
}

static void test_random(void **state) {
    (void)state;
    uint64_t seed = 20240501;
    for (size_t i = 0; i < 150; i++)
        check(random_conv(&seed, i % 3), i);
}

/* Our own kernel for one filter a channel: chance, and sequences, which lie down in it. */
static void test_rows(void **state) {
    (void)state;
    uint64_t seed = 3;
    for (size_t i = 0; i < 150; i++) {
        vl_conv c = random_conv(&seed, 0);
        if (i % 4 == 0) {
            c.height = between(&seed, 1, 40), c.width = 1;
            c.window.size_x = c.window.stride_x = 1, c.window.pad_x = 0;
        }
        for (int way = 0; way < WAYS; way++) {
            double error = worst_error_by(&c, way, i % 2, i, run_rows);
            const vl_window *w = &c.window;
            if (!(error <= 1))
                fail_msg("%s, rows: [%zu,%zu,%zu,%zu], window %zux%zu by (%zu,%zu) with "
                         "(%zu,%zu) around: %g times what is allowed",
                         way_names[way], c.batch, c.height, c.width, c.channels, w->size_y,
                         w->size_x, w->stride_y, w->stride_x, w->pad_y, w->pad_x, error);
        }
    }
}

/* Whole vectors of channels, as networks have them. */
static void test_regular(void **state) {
    (void)state;
    static const vl_conv table[] = {
        {0, 2, 12, 10, 3, 32, 1, {3, 3, 2, 2, 1, 1}},
        {0, 2, 12, 16, 1, 32, 1, {3, 3, 2, 1, 1, 1}},
        {0, 2, 8, 9, 32, 64, 1, {3, 3, 1, 1, 1, 1}},
        {0, 1, 8, 8, 64, 128, 1, {2, 2, 2, 2, 0, 0}},
        {0, 2, 6, 7, 48, 48, 1, {1, 1, 1, 1, 0, 0}},
        {0, 1, 6, 20, 16, 16, 1, {5, 7, 1, 1, 2, 3}},
        {0, 2, 7, 9, 64, 64, 64, {5, 5, 1, 1, 2, 2}},
        {0, 2, 9, 16, 96, 96, 96, {3, 3, 2, 1, 1, 1}},
        {0, 1, 6, 6, 64, 32, 2, {3, 3, 1, 1, 1, 1}},
        {0, 1, 4, 4, 64, 64, 1, {3, 3, 1, 1, 1, 1}},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        check(table[i], i);
}

/* A window that does not fit has no places: nothing is read or written. */
static void test_no_places(void **state) {
    (void)state;
    vl_conv c = {.batch = 2,
                 .height = 4,
                 .width = 40,
                 .channels = 16,
                 .outputs = 16,
                 .groups = 1,
                 .window = {7, 3, 1, 1, 1, 1}};
    assert_int_equal(vl_window_places(4, 7, 1, 1), 0);
    assert_int_equal(vl_window_places(4, 6, 1, 1), 1);
    assert_int_equal(vl_window_places(5, 3, 2, 1), 3);
    check(c, 1);
}

/* Patches hold what the window sees; rolled back, each number is added once for each window
 * that saw it. */
static void test_unroll(void **state) {
    (void)state;
    uint64_t seed = 7;
    for (size_t n = 0; n < 40; n++) {
        vl_conv c = random_conv(&seed, 2);
        const vl_window *w = &c.window;
        arrays a = arrays_of(&c, &seed);
        size_t count = vl_conv_patches(&c), k = w->size_y * w->size_x * c.channels;
        assert_int_equal(count, a.count[FORWARD] / c.outputs * k);
        float *patches = numbers(&seed, count), *back = calloc(a.count[DATA], sizeof *back);
        assert_non_null(back);
        vl_conv_unroll(&c, a.x, patches);
        double seen = 0, product = 0, after = 0;
        for (size_t i = 0; i < count; i++)
            seen += (double)patches[i] * (double)patches[i];
        vl_conv_roll(&c, patches, back); /* Σ x · roll(unroll(x)) = Σ unroll(x)² */
        for (size_t i = 0; i < a.count[DATA]; i++)
            product += (double)a.x[i] * (double)back[i];
        assert_true(fabs(seen - product) <= 1e-5 * (1 + seen));
        for (size_t i = 0; i < a.count[FORWARD]; i++) { /* one product of matrices by hand */
            double sum = 0;
            for (size_t j = 0; j < k; j++)
                sum +=
                    (double)patches[i / c.outputs * k + j] * (double)a.w[i % c.outputs * k + j];
            a.y[i] = (float)sum;
        }
        float *y = numbers(&seed, a.count[FORWARD]);
        vl_conv_run(&c, a.x, a.w, NULL, y);
        for (size_t i = 0; i < a.count[FORWARD]; i++)
            after += fabs((double)y[i] - (double)a.y[i]);
        assert_true(after <= 1e-4 * (double)(a.count[FORWARD] + 1));
        free(a.y), free(a.x), free(a.w), free(a.bias), free(patches), free(back), free(y);
    }
}

static void test_many_shapes(void **state) {
    (void)state;
    for (size_t i = 0; i < 600; i++) {
        vl_conv c = {.batch = 1,
                     .height = 5 + i % 20,
                     .width = 5 + i / 20,
                     .channels = 7,
                     .outputs = 9,
                     .groups = 1,
                     .window = {3, 3, 1, 1, 1, 1}};
        assert_true(worst_error(&c, (int)(i % WAYS), false, i) <= 1);
    }
}

typedef struct worker {
    pthread_t thread;
    size_t seed;
    double worst;
} worker;

static void *many(void *argument) {
    worker *self = argument;
    uint64_t seed = self->seed;
    for (size_t i = 0; i < 30; i++) {
        vl_conv c = random_conv(&seed, i % 3);
        c.precision = i % 2 ? VL_PRECISION_BF16 : VL_PRECISION_F32;
        double error = worst_error(&c, (int)(i % WAYS), true, i);
        if (!(error <= self->worst))
            self->worst = error;
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    worker workers[4] = {{0}};
    for (size_t i = 0; i < COUNT(workers); i++) {
        workers[i].seed = i;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, many, &workers[i]), 0);
    }
    for (size_t i = 0; i < COUNT(workers); i++) {
        pthread_join(workers[i].thread, NULL);
        assert_true(workers[i].worst <= 1);
    }
}

/* With a name: says SKIPPED unless it is the variant in use. */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),  cmocka_unit_test(test_rows),
        cmocka_unit_test(test_regular), cmocka_unit_test(test_no_places),
        cmocka_unit_test(test_unroll),  cmocka_unit_test(test_many_shapes),
        cmocka_unit_test(test_threads),
    };
    if (argc > 1 && strcmp(argv[1], vl_kernels_get()->name) != 0) {
        printf("SKIPPED: this processor has no %s; convolutions are NOT tested on it here\n",
               argv[1]);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
