/* grad.c — every layer's way back against finite differences, in double precision.
 *
 * With f = Σ c_i · y_i for random c, the derivative by each number of each input and parameter
 * is measured by the five-point rule f'(x) ≈ (8 (f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h,
 * whose error is near 1e-12 here, and compared with what backward gives. Gradient arrays hold
 * other numbers before, because backward adds; and every layer goes back three times: with
 * inputs and parameters that learn, with only the one and with only the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers.h"

static const double H = 1e-3, TOLERANCE = 1e-6, BEFORE = 0.25;
enum { MAX_PROBES = 400, SEED = 7 };

/* ---- numbers ------------------------------------------------------------------------ */

static uint64_t random_state = 20240501;

static double random_real(void) { /* (−1.5, 1.5) */
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(random_state >> 11) / 9007199254740992.0 - 0.5) * 3;
}

static vl_real *random_array(size_t count) {
    vl_real *array = malloc((count ? count : 1) * sizeof *array);
    assert_non_null(array);
    for (size_t i = 0; i < count; i++)
        array[i] = random_real();
    return array;
}

/* Worst relative error of `got` against `measured`; numbers far below the largest are held to
 * a hundredth of it, because the measure is no better there. */
static double worst_error(const vl_real *got, const vl_real *measured, const bool *probed,
                          size_t count) {
    double largest = 0, worst = 0;
    for (size_t i = 0; i < count; i++)
        if (probed[i])
            largest = fmax(largest, fabs(measured[i]));
    for (size_t i = 0; i < count; i++)
        if (probed[i])
            worst = fmax(worst, fabs(got[i] - measured[i]) /
                                    fmax(fmax(fabs(measured[i]), 0.01 * largest), 1e-5));
    return worst;
}

/* All at first; of a large array those that chance picks. */
static bool probe(size_t count) {
    return count <= MAX_PROBES || (random_real() / 3 + 0.5) * (double)count < MAX_PROBES;
}

/* ---- one layer ---------------------------------------------------------------------- */

typedef struct bench {
    const layer_case *c;
    vl_params *params;
    vl_graph *graph;
    size_t leaves;
    vl_real *leaf[MAX_LEAVES], *out_weights, *gradients;
    vl_var *vars[MAX_LEAVES];
} bench;

/* One pass; inputs learn when `inputs`, parameters when `params`. */
static vl_var *forward(bench *b, bool inputs, bool params) {
    vl_graph_reset(b->graph, SEED);
    vl_graph_set_gradients(b->graph, params ? b->gradients : NULL);
    for (size_t i = 0; i < b->leaves; i++) {
        const size_t *shape = b->c->leaves[i];
        b->vars[i] =
            (inputs ? vl_nn_leaf : vl_nn_input)(b->graph, b->leaf[i], shape_rank(shape), shape);
    }
    vl_var *y = b->c->forward(b->graph, b->c, b->vars);
    assert_non_null(y);
    assert_int_equal(vl_graph_status(b->graph, NULL), VL_OK);
    return y;
}

static double value(bench *b) {
    vl_var *y = forward(b, true, true);
    double sum = 0;
    for (size_t i = 0; i < y->count; i++)
        sum += b->out_weights[i] * y->value[i];
    return sum;
}

static double slope(bench *b, vl_real *at) {
    vl_real kept = *at;
    double f[4];
    static const double steps[] = {-2, -1, 1, 2};
    for (size_t i = 0; i < 4; i++) {
        *at = kept + steps[i] * H;
        f[i] = value(b);
    }
    *at = kept;
    return (8 * (f[2] - f[1]) - (f[3] - f[0])) / (12 * H);
}

static vl_real *measure(bench *b, vl_real *array, size_t count, bool **probed) {
    vl_real *measured = calloc(count ? count : 1, sizeof *measured);
    *probed = calloc(count ? count : 1, sizeof **probed);
    assert_true(measured && *probed);
    for (size_t i = 0; i < count; i++)
        if (((*probed)[i] = probe(count)))
            measured[i] = slope(b, &array[i]);
    return measured;
}

/* Goes back once; the gradients of inputs stay in their variables, those of parameters in
 * b->gradients, both with BEFORE added. */
static void backward(bench *b, bool inputs, bool params) {
    for (size_t i = 0; i < vl_params_total(b->params); i++)
        b->gradients[i] = BEFORE;
    vl_var *y = forward(b, inputs, params);
    for (size_t i = 0; inputs && i < b->leaves; i++) {
        vl_real *grad = vl_var_grad(b->graph, b->vars[i]);
        assert_non_null(grad);
        for (size_t j = 0; j < b->vars[i]->count; j++)
            grad[j] = BEFORE;
    }
    vl_real *grad = vl_var_grad(b->graph, y);
    if (!grad) /* nothing upstream learns */
        return;
    if (y->count == 1) {
        vl_graph_backward(b->graph, y, b->out_weights[0]);
    } else {
        memcpy(grad, b->out_weights, y->count * sizeof *grad);
        vl_graph_backward(b->graph, NULL, 0);
    }
    assert_int_equal(vl_graph_status(b->graph, NULL), VL_OK);
}

static size_t complain(const bench *b, const char *what, size_t index, const char *mode,
                       double error) {
    if (error < TOLERANCE)
        return 0;
    print_error("%s: gradient of %s %zu (%s): relative error %.3g\n", b->c->name, what, index,
                mode, error);
    return 1;
}

static size_t compare(const bench *b, const vl_real *with_before, const vl_real *measured,
                      const bool *probed, size_t count, const char *what, size_t index,
                      const char *mode) {
    vl_real *got = malloc(count * sizeof *got);
    assert_non_null(got);
    for (size_t i = 0; i < count; i++)
        got[i] = with_before[i] - BEFORE;
    double error = worst_error(got, measured, probed, count);
    free(got);
    return complain(b, what, index, mode, error);
}

/* What lies between the parameters of a store is nobody's: backward must leave it alone. */
static size_t padding_touched(const bench *b) {
    size_t touched = 0;
    for (size_t p = 0; p < vl_params_count(b->params); p++) {
        const vl_param *item = vl_params_at(b->params, p);
        size_t end = p + 1 < vl_params_count(b->params) ? vl_params_at(b->params, p + 1)->offset
                                                        : vl_params_total(b->params);
        for (size_t i = item->offset + item->count; i < end; i++)
            touched += b->gradients[i] != BEFORE;
    }
    if (touched)
        print_error("%s: gradients written beside a parameter\n", b->c->name);
    return touched;
}

static size_t check_layer(const layer_case *c) {
    bench b = {.c = c, .params = layer_params(c)};
    vl_graph_options options = {.max_bytes = 32 << 20, .training = true};
    b.graph = vl_graph_new(b.params, &options);
    assert_true(b.params && b.graph);
    size_t params = vl_params_count(b.params);
    b.gradients = calloc(vl_params_total(b.params) + 1, sizeof *b.gradients);
    b.leaves = shapes_listed(c->leaves, MAX_LEAVES);
    for (size_t i = 0; i < b.leaves; i++)
        b.leaf[i] = random_array(shape_count(c->leaves[i]));
    for (size_t i = 0; i < params; i++)
        for (size_t j = 0; j < vl_params_at(b.params, i)->count; j++)
            vl_params_values(b.params)[vl_params_at(b.params, i)->offset + j] = random_real();
    b.out_weights = random_array(forward(&b, true, true)->count);

    vl_real *measured[MAX_LEAVES + MAX_PARAMS];
    bool *probed[MAX_LEAVES + MAX_PARAMS];
    for (size_t i = 0; i < b.leaves; i++)
        measured[i] = measure(&b, b.leaf[i], shape_count(c->leaves[i]), &probed[i]);
    for (size_t i = 0; i < params; i++) {
        const vl_param *item = vl_params_at(b.params, i);
        measured[MAX_LEAVES + i] = measure(&b, vl_params_values(b.params) + item->offset,
                                           item->count, &probed[MAX_LEAVES + i]);
    }
    static const struct {
        const char *name;
        bool inputs, params;
    } modes[] = {{"all learn", true, true}, {"inputs", true, false}, {"params", false, true}};
    size_t failures = 0;
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
        backward(&b, modes[m].inputs, modes[m].params);
        for (size_t i = 0; modes[m].inputs && i < b.leaves; i++)
            failures += compare(&b, b.vars[i]->grad, measured[i], probed[i], b.vars[i]->count,
                                "input", i, modes[m].name);
        for (size_t i = 0; modes[m].params && i < params; i++)
            failures +=
                compare(&b, b.gradients + vl_params_at(b.params, i)->offset,
                        measured[MAX_LEAVES + i], probed[MAX_LEAVES + i],
                        vl_params_at(b.params, i)->count, "parameter", i, modes[m].name);
        failures += padding_touched(&b);
    }
    for (size_t i = 0; i < b.leaves; i++) {
        free(measured[i]);
        free(probed[i]);
        free(b.leaf[i]);
    }
    for (size_t i = 0; i < params; i++) {
        free(measured[MAX_LEAVES + i]);
        free(probed[MAX_LEAVES + i]);
    }
    free(b.out_weights);
    free(b.gradients);
    vl_graph_free(b.graph);
    vl_params_free(b.params);
    return failures;
}

static void test_layers(void **state) {
    (void)state;
    size_t failures = 0;
    for (size_t i = 0; i < layer_case_count; i++)
        failures += check_layer(&layer_cases[i]);
    assert_int_equal(failures, 0);
}

/* ---- too little memory -------------------------------------------------------------- */

/* A pass over `b` in a graph of `bytes`; how much of it was used. What fails must fail as
 * VL_ERR_MEMORY, on the way there or on the way back, and touch nothing it has not got. */
static vl_status pass_within(bench *b, size_t bytes, size_t *used) {
    vl_graph_options options = {.max_bytes = bytes, .training = true};
    vl_graph *graph = vl_graph_new(b->params, &options);
    assert_non_null(graph);
    vl_graph_set_gradients(graph, b->gradients);
    for (size_t i = 0; i < b->leaves; i++)
        b->vars[i] =
            vl_nn_leaf(graph, b->leaf[i], shape_rank(b->c->leaves[i]), b->c->leaves[i]);
    vl_var *y = b->c->forward(graph, b->c, b->vars);
    assert_true(y || vl_graph_status(graph, NULL) == VL_ERR_MEMORY);
    vl_real *grad = vl_var_grad(graph, y);
    for (size_t i = 0; grad && i < y->count; i++)
        grad[i] = 1;
    vl_graph_backward(graph, NULL, 0);
    *used = vl_graph_mark(graph);
    assert_true(*used <= bytes);
    vl_status status = vl_graph_status(graph, NULL);
    assert_true(status == VL_OK || status == VL_ERR_MEMORY);
    vl_graph_free(graph);
    return status;
}

/* With every amount of memory up to enough, in steps of what allocations are rounded to (or of
 * a hundredth, for the large). */
static void test_out_of_memory(void **state) {
    (void)state;
    enum { LEAST = 64, PLENTY = 32 << 20 };
    for (size_t i = 0; i < layer_case_count; i++) {
        const layer_case *c = &layer_cases[i];
        bench b = {.c = c, .params = layer_params(c)};
        assert_non_null(b.params);
        b.gradients = calloc(vl_params_total(b.params) + 1, sizeof *b.gradients);
        b.leaves = shapes_listed(c->leaves, MAX_LEAVES);
        for (size_t l = 0; l < b.leaves; l++)
            b.leaf[l] = random_array(shape_count(c->leaves[l]));
        size_t needed, used, step = LEAST;
        assert_int_equal(pass_within(&b, PLENTY, &needed), VL_OK);
        while (needed / step > 100)
            step += LEAST;
        for (size_t bytes = LEAST; bytes < needed; bytes += step)
            assert_int_equal(pass_within(&b, bytes, &used), VL_ERR_MEMORY);
        assert_int_equal(pass_within(&b, needed, &used), VL_OK);
        for (size_t l = 0; l < b.leaves; l++)
            free(b.leaf[l]);
        free(b.gradients);
        vl_params_free(b.params);
    }
}

/* ---- InfoNCE ------------------------------------------------------------------------ */

typedef struct pairs {
    size_t n, m, d;
    const int32_t *owner;
    vl_real *x, *y, log_scale;
} pairs;

static double pairs_loss(const pairs *p, vl_real *dx, vl_real *dy, vl_real *dlog_scale) {
    double loss = NAN;
    assert_int_equal(vl_nn_infonce(p->x, p->y, p->owner, p->n, p->m, p->d, p->log_scale, dx, dy,
                                   dlog_scale, &loss, NULL),
                     VL_OK);
    return loss;
}

static size_t check_pairs_array(pairs *p, vl_real *array, const vl_real *gradient, size_t count,
                                vl_real *sink, const char *what) {
    bool *probed = malloc(count);
    vl_real *measured = malloc(count * sizeof *measured), *got = malloc(count * sizeof *got);
    assert_true(probed && measured && got);
    memset(probed, 1, count);
    for (size_t i = 0; i < count; i++) {
        static const double steps[] = {-2, -1, 1, 2};
        double f[4];
        vl_real kept = array[i];
        for (size_t s = 0; s < 4; s++) {
            array[i] = kept + steps[s] * H;
            f[s] = pairs_loss(p, sink, sink + p->n * p->d, sink + (p->n + p->m) * p->d);
        }
        array[i] = kept;
        measured[i] = (8 * (f[2] - f[1]) - (f[3] - f[0])) / (12 * H);
        got[i] = gradient[i] - BEFORE;
    }
    double error = worst_error(got, measured, probed, count);
    if (error >= TOLERANCE)
        print_error("infonce: gradient of %s: relative error %.3g\n", what, error);
    free(probed);
    free(measured);
    free(got);
    return error >= TOLERANCE;
}

static void test_infonce(void **state) {
    (void)state;
    static const int32_t one_each[] = {0, 1, 2, 3}, shared[] = {2, 0, 2, 4, 2, 0}, one[] = {0};
    static const struct {
        size_t n, m, d;
        const int32_t *owner;
        double log_scale;
    } rows[] = {{4, 4, 3, one_each, 1.2},
                {5, 6, 7, shared, 2.0},
                {1, 1, 3, one, 0.5},
                {3, 1, 4, one, 0.0}};
    size_t failures = 0;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        pairs p = {rows[r].n, rows[r].m, rows[r].d,        rows[r].owner,
                   NULL,      NULL,      rows[r].log_scale};
        p.x = random_array(p.n * p.d);
        p.y = random_array(p.m * p.d);
        size_t count = (p.n + p.m) * p.d + 1;
        vl_real *gradient = malloc(count * sizeof *gradient), *sink = random_array(count);
        assert_non_null(gradient);
        for (size_t i = 0; i < count; i++)
            gradient[i] = BEFORE;
        pairs_loss(&p, gradient, gradient + p.n * p.d, gradient + count - 1);
        failures += check_pairs_array(&p, p.x, gradient, p.n * p.d, sink, "x");
        failures += check_pairs_array(&p, p.y, gradient + p.n * p.d, p.m * p.d, sink, "y");
        failures +=
            check_pairs_array(&p, &p.log_scale, gradient + count - 1, 1, sink, "log_scale");
        free(p.x);
        free(p.y);
        free(gradient);
        free(sink);
    }
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_infonce),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
