/* Tests of what holds layers together: the store of parameters, a graph's memory, the search
 * for numbers that are none, and the optimiser. (What layers compute: tests/grad.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/nn.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void assert_near(double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%.9g is not %.9g (± %g)", got, expected, tolerance);
}

/* ---- parameters --------------------------------------------------------------------- */

static const struct {
    const char *name;
    vl_param_init init;
    double spread;
    size_t rank, dims[VL_MAX_RANK], count;
    bool decay;
} declared[] = {
    {"stem.weight", VL_INIT_NORMAL, 0.02, 4, {5, 3, 3, 3}, 135, true},
    {"stem.bias", VL_INIT_ZERO, 0, 1, {5}, 5, false},
    {"norm.gain", VL_INIT_ONE, 0, 1, {17}, 17, false},
    {"head.weight", VL_INIT_NORMAL, 0.5, 2, {33, 31}, 1023, true},
    {"head.other", VL_INIT_NORMAL, 0.5, 2, {33, 31}, 1023, true},
};

static vl_params *declare(const size_t *order, uint64_t seed) {
    vl_params *params = vl_params_new();
    assert_non_null(params);
    for (size_t i = 0; i < COUNT(declared); i++) {
        size_t d = order ? order[i] : i;
        assert_int_equal(vl_params_add(params, declared[d].name, declared[d].init,
                                       declared[d].spread, declared[d].rank, declared[d].dims),
                         i);
    }
    assert_int_equal(vl_params_allocate(params, seed, NULL), VL_OK);
    return params;
}

static const vl_real *values_of(const vl_params *params, const char *name) {
    const vl_param *item = vl_params_find(params, name);
    assert_non_null(item);
    return vl_params_values(params) + item->offset;
}

static void test_params_declared(void **state) {
    (void)state;
    vl_params *params = declare(NULL, 1);
    assert_int_equal(vl_params_count(params), COUNT(declared));
    size_t end = 0;
    for (size_t i = 0; i < COUNT(declared); i++) {
        const vl_param *item = vl_params_at(params, i);
        assert_string_equal(item->name, declared[i].name);
        assert_ptr_equal(item, vl_params_find(params, declared[i].name));
        assert_int_equal(item->rank, declared[i].rank);
        assert_int_equal(item->count, declared[i].count);
        assert_int_equal(item->decay, declared[i].decay);
        assert_memory_equal(item->dims, declared[i].dims, item->rank * sizeof(size_t));
        assert_true(item->offset >= end && item->offset % 16 == 0); /* no two overlap */
        end = item->offset + item->count;
    }
    assert_true(end <= vl_params_total(params));
    assert_int_equal((uintptr_t)vl_params_values(params) % 64, 0);
    assert_null(vl_params_find(params, "stem"));
    vl_params_free(params);
    vl_params_free(NULL);
}

static void test_params_values(void **state) {
    (void)state;
    static const size_t backwards[] = {4, 2, 0, 3, 1};
    vl_params *params = declare(NULL, 9), *again = declare(backwards, 9),
              *other = declare(NULL, 10);
    for (size_t i = 0; i < COUNT(declared); i++) {
        const char *name = declared[i].name;
        size_t bytes = declared[i].count * sizeof(vl_real);
        const vl_real *x = values_of(params, name);
        assert_memory_equal(x, values_of(again, name), bytes);
        double sum = 0, square = 0;
        for (size_t j = 0; j < declared[i].count; j++) {
            sum += (double)x[j];
            square += (double)x[j] * (double)x[j];
        }
        double n = (double)declared[i].count, spread = declared[i].spread;
        if (declared[i].init == VL_INIT_NORMAL) {
            assert_memory_not_equal(x, values_of(other, name), bytes);
            assert_near(sum / n, 0, 4 * spread / sqrt(n));
            /* cut at two deviations a normal keeps 0.8796 of its own */
            assert_near(sqrt(square / n), 0.8796 * spread, 0.12 * spread);
        } else {
            assert_near(sum, declared[i].init == VL_INIT_ONE ? n : 0, 0);
            assert_near(square, declared[i].init == VL_INIT_ONE ? n : 0, 0);
        }
    }
    assert_memory_not_equal(values_of(params, "head.weight"), values_of(params, "head.other"),
                            1023 * sizeof(vl_real));
    vl_params_free(params);
    vl_params_free(again);
    vl_params_free(other);
}

static void test_params_refused(void **state) {
    (void)state;
    char name[VL_PARAM_NAME_SIZE + 1];
    memset(name, 'x', sizeof name);
    name[VL_PARAM_NAME_SIZE] = 0;
    vl_params *params = declare(NULL, 1);
    size_t total = vl_params_total(params);
    assert_int_equal(vl_params_add(params, "norm.gain", VL_INIT_ZERO, 0, 1, (size_t[]){3}),
                     SIZE_MAX);
    assert_int_equal(vl_params_add(params, name, VL_INIT_ZERO, 0, 1, (size_t[]){3}), SIZE_MAX);
    assert_int_equal(vl_params_count(params), COUNT(declared));
    assert_int_equal(vl_params_total(params), total);
    name[VL_PARAM_NAME_SIZE - 1] = 0; /* the longest name there is */
    assert_int_equal(vl_params_add(params, name, VL_INIT_ZERO, 0, 1, (size_t[]){3}),
                     COUNT(declared));
    vl_params_free(params);
}

/* ---- graphs ------------------------------------------------------------------------- */

enum { ROWS = 12, WIDTH = 32 };
enum { WEIGHT, BIAS, GAIN, OFFSET };

typedef struct model {
    vl_params *params;
    vl_real *gradients;
    vl_real x[ROWS * WIDTH];
    int32_t targets[ROWS];
} model;

static int make_model(void **state) {
    model *m = calloc(1, sizeof *m);
    if (!m || !(m->params = vl_params_new()))
        return -1;
    vl_params_add(m->params, "weight", VL_INIT_NORMAL, 0.2, 2, (size_t[]){3 * WIDTH, WIDTH});
    vl_params_add(m->params, "bias", VL_INIT_NORMAL, 0.1, 1, (size_t[]){3 * WIDTH});
    vl_params_add(m->params, "gain", VL_INIT_ONE, 0, 1, (size_t[]){WIDTH});
    vl_params_add(m->params, "offset", VL_INIT_ZERO, 0, 1, (size_t[]){WIDTH});
    if (vl_params_allocate(m->params, 3, NULL) != VL_OK)
        return -1;
    m->gradients = calloc(vl_params_total(m->params), sizeof *m->gradients);
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        m->x[i] = (vl_real)((double)(i * 31 % 97) / 48 - 1);
    for (size_t i = 0; i < ROWS; i++)
        m->targets[i] = (int32_t)(i * 5 % WIDTH);
    *state = m;
    return m->gradients ? 0 : -1;
}

static int free_model(void **state) {
    model *m = *state;
    vl_params_free(m->params);
    free(m->gradients);
    free(m);
    return 0;
}

static vl_graph *graph_of(const model *m, bool training, size_t max_bytes) {
    vl_graph_options options = {.max_bytes = max_bytes, .training = training};
    vl_graph *graph = vl_graph_new(m->params, &options);
    assert_non_null(graph);
    vl_graph_set_gradients(graph, m->gradients);
    return graph;
}

/* A block without checks, as models are written. */
static vl_var *run(model *m, vl_graph *graph) {
    vl_var *x = vl_nn_leaf(graph, m->x, 3, (size_t[]){2, ROWS / 2, WIDTH});
    vl_var *y = vl_nn_layernorm(graph, x, GAIN, OFFSET);
    y = vl_nn_self_attention(graph, vl_nn_linear(graph, y, WEIGHT, BIAS), 4, true, NULL);
    y = vl_nn_add(graph, x, vl_nn_dropout(graph, vl_nn_gelu(graph, y), 0.1));
    y = vl_nn_reshape(graph, y, 2, (size_t[]){ROWS, WIDTH});
    return vl_nn_cross_entropy(graph, y, m->targets, NULL, 0.1, NULL);
}

/* With every amount of memory from nothing to enough. */
static void test_out_of_memory(void **state) {
    model *m = *state;
    size_t failed = 0, step = 320, bytes = 64;
    for (;; bytes += step) {
        vl_graph *graph = graph_of(m, true, bytes);
        vl_var *loss = run(m, graph);
        assert_true(loss || vl_graph_status(graph, NULL) == VL_ERR_MEMORY);
        vl_graph_backward(graph, loss, 1);
        assert_true(vl_graph_mark(graph) <= bytes);
        vl_error error;
        vl_status status = vl_graph_status(graph, &error);
        if (status != VL_OK) {
            assert_int_equal(status, VL_ERR_MEMORY);
            assert_non_null(strstr(error.message, "MB"));
            assert_null(vl_nn_gelu(graph, loss)); /* failed is failed, whatever would fit */
            vl_graph_reset(graph, 0);
            assert_int_equal(vl_graph_status(graph, NULL), VL_OK);
        }
        vl_graph_free(graph);
        if (status == VL_OK)
            break;
        failed++;
    }
    assert_true(failed > 20);
    vl_graph_free(NULL);
}

static void test_null_goes_through(void **state) {
    model *m = *state;
    vl_graph *graph = graph_of(m, true, 1 << 20);
    int32_t zero[] = {0};
    size_t none[] = {0, 0}, one[] = {1};
    vl_var *x = vl_nn_leaf(graph, m->x, 1, (size_t[]){WIDTH});
    assert_null(vl_nn_reshape(graph, NULL, 1, one));
    assert_null(vl_nn_linear(graph, NULL, WEIGHT, BIAS));
    assert_null(vl_nn_conv2d(graph, NULL, WEIGHT, BIAS, 3, 1));
    assert_null(vl_nn_depthwise(graph, NULL, WEIGHT, BIAS, 3, 1));
    assert_null(vl_nn_layernorm(graph, NULL, GAIN, OFFSET));
    assert_null(vl_nn_rmsnorm(graph, NULL, GAIN));
    assert_null(vl_nn_gelu(graph, NULL));
    assert_null(vl_nn_silu(graph, NULL));
    assert_null(vl_nn_self_attention(graph, NULL, 1, false, NULL));
    assert_null(vl_nn_cross_attention(graph, NULL, x, 1, NULL));
    assert_null(vl_nn_cross_attention(graph, x, NULL, 1, NULL));
    assert_null(vl_nn_add(graph, NULL, x));
    assert_null(vl_nn_add(graph, x, NULL));
    assert_null(vl_nn_add_broadcast(graph, x, NULL));
    assert_null(vl_nn_scale_channels(graph, NULL, GAIN));
    assert_null(vl_nn_dropout(graph, NULL, 0.5));
    assert_null(vl_nn_drop_path(graph, NULL, 0.5));
    assert_null(vl_nn_mean_pool(graph, NULL));
    assert_null(vl_nn_gather(graph, NULL, zero, 1));
    assert_null(vl_nn_normalize(graph, NULL));
    assert_null(vl_nn_cross_entropy(graph, NULL, zero, NULL, 0, NULL));
    assert_null(vl_nn_ctc(graph, NULL, NULL, zero, none, NULL));
    assert_null(vl_var_grad(graph, NULL));
    vl_graph_backward(graph, NULL, 1);
    assert_int_equal(vl_graph_status(graph, NULL), VL_OK);
    vl_graph_free(graph);
}

static void test_reset(void **state) {
    model *m = *state;
    size_t bytes = vl_params_total(m->params) * sizeof(vl_real);
    vl_real *first_gradients = malloc(bytes);
    assert_non_null(first_gradients);
    vl_graph *graph = graph_of(m, true, 1 << 20);
    size_t used = 0;
    vl_real first_loss = 0;
    for (int pass = 0; pass < 3; pass++) {
        vl_graph_reset(graph, pass < 2 ? 5 : 6);
        assert_int_equal(vl_graph_mark(graph), 0);
        memset(m->gradients, 0, bytes);
        vl_var *loss = run(m, graph);
        assert_non_null(loss);
        vl_graph_backward(graph, loss, 1);
        if (pass == 0) {
            used = vl_graph_mark(graph);
            first_loss = loss->value[0];
            memcpy(first_gradients, m->gradients, bytes);
        }
        assert_int_equal(vl_graph_mark(graph), used);
        /* the seed is that of dropout: the same numbers with the same, others with another */
        assert_int_equal(loss->value[0] == first_loss, pass < 2);
        assert_int_equal(memcmp(m->gradients, first_gradients, bytes) == 0, pass < 2);
    }
    free(first_gradients);
    vl_graph_free(graph);
}

static void test_inference(void **state) {
    model *m = *state;
    vl_graph *graph = graph_of(m, false, 1 << 20);
    size_t at_start = vl_graph_mark(graph);
    vl_var *loss = run(m, graph);
    assert_non_null(loss);
    assert_false(loss->learns);
    assert_null(vl_var_grad(graph, loss));
    vl_real first = loss->value[0];
    vl_graph_backward(graph, loss, 1); /* does nothing */
    vl_graph_rewind(graph, at_start);
    assert_int_equal(vl_graph_mark(graph), at_start);
    vl_var *again = run(m, graph);
    assert_ptr_equal(again, loss); /* in the same memory */
    assert_near((double)again->value[0], (double)first, 0);
    vl_var *x = vl_nn_input(graph, m->x, 2, (size_t[]){ROWS, WIDTH});
    assert_ptr_equal(vl_nn_dropout(graph, x, 0.5), x);
    assert_ptr_equal(vl_nn_drop_path(graph, x, 0.5), x);
    vl_graph_free(graph);

    graph = graph_of(m, true, 1 << 20);
    run(m, graph);
    size_t used = vl_graph_mark(graph);
    vl_graph_rewind(graph, 0); /* backward still needs it */
    assert_int_equal(vl_graph_mark(graph), used);
    vl_graph_free(graph);
}

static void test_dropout(void **state) {
    model *m = *state;
    enum { MANY = 4000, GROUPS = 400, EACH = MANY / GROUPS };
    static vl_real ones[MANY];
    for (size_t i = 0; i < MANY; i++)
        ones[i] = 1;
    vl_graph *graph = graph_of(m, true, 1 << 20);
    vl_var *x = vl_nn_leaf(graph, ones, 2, (size_t[]){GROUPS, EACH});
    vl_var *single = vl_nn_dropout(graph, x, 0.2), *whole = vl_nn_drop_path(graph, x, 0.2);
    assert_true(single && whole);
    size_t dropped = 0, groups = 0;
    for (size_t i = 0; i < MANY; i++) {
        assert_true(single->value[i] == 0 || fabs((double)single->value[i] - 1.25) < 1e-6);
        dropped += single->value[i] == 0;
        groups += whole->value[i] == 0;
        assert_true(whole->value[i] == whole->value[i / EACH * EACH]);
    }
    assert_near((double)dropped, 0.2 * MANY, 5 * sqrt(0.16 * MANY));
    assert_near((double)groups / EACH, 0.2 * GROUPS, 5 * sqrt(0.16 * GROUPS));
    vl_graph_free(graph);
}

static void test_find_nonfinite(void **state) {
    model *m = *state;
    static const struct {
        const char *where; /* parameter or "x" */
        vl_real value;
        const char *layer;
    } rows[] = {
        {NULL, 0, NULL},
        {"x", NAN, "leaf"},
        {"x", INFINITY, "leaf"},
        {"gain", NAN, "layernorm"},
        {"weight", -INFINITY, "linear"},
        {"bias", NAN, "linear"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        vl_graph *graph = graph_of(m, true, 1 << 20);
        vl_real *at = !rows[i].where ? NULL
                      : strcmp(rows[i].where, "x") == 0
                          ? m->x
                          : (vl_real *)(uintptr_t)values_of(m->params, rows[i].where);
        vl_real kept = at ? *at : 0;
        if (at)
            *at = rows[i].value;
        vl_var *loss = run(m, graph);
        assert_non_null(loss);
        const char *layer = vl_graph_find_nonfinite(graph);
        if (rows[i].layer) {
            assert_non_null(layer);
            assert_string_equal(layer, rows[i].layer);
            /* and what came after it did not become a number again */
            assert_true(!isfinite(loss->value[0]));
        } else {
            assert_null(layer);
        }
        vl_graph_reset(graph, 0);
        assert_null(vl_graph_find_nonfinite(graph));
        if (at)
            *at = kept;
        vl_graph_free(graph);
    }
}

/* ---- kernels ------------------------------------------------------------------------ */

/* torch.optim.AdamW (2.x, double precision) of 0.5 · g_t with lr 0.01, betas (0.9, 0.95), eps
 * 1e-8 and weight decay 0.1, ten steps of g_t[i] = (((7t + 5i) mod 11) − 5) / 8. */
static void test_adamw(void **state) {
    (void)state;
    static const size_t PERIOD = 5;
    enum { N = 43 };
    static const double start[] = {0.5, -1.25, 2.0, 0.03125, -0.75},
                        weights[] = {0.463210686, -1.213972276, 1.978169706, 0.044390116,
                                     -0.721533471},
                        means[] = {0.013436013, 0.013937486, -0.027271585, 0.009766457,
                                   -0.012291682},
                        squares[] = {0.013155143, 0.017259850, 0.013419015, 0.016719317,
                                     0.014878790};
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    for (size_t table = 0; table < count; table++) {
        vl_real w[N], m[N] = {0}, v[N] = {0}, g[N];
        for (size_t i = 0; i < N; i++)
            w[i] = (vl_real)start[i % PERIOD];
        for (size_t t = 1; t <= 10; t++) {
            for (size_t i = 0; i < N; i++)
                g[i] = (vl_real)(((double)((t * 7 + i % PERIOD * 5) % 11) - 5) / 8);
            vl_adamw step = {.rate = (vl_real)0.01,
                             .beta1 = (vl_real)0.9,
                             .beta2 = (vl_real)0.95,
                             .epsilon = (vl_real)1e-8,
                             .decay = (vl_real)0.1,
                             .correct1 = (vl_real)(1 - pow(0.9, (double)t)),
                             .correct2 = (vl_real)(1 - pow(0.95, (double)t)),
                             .gradient_scale = (vl_real)0.5};
            tables[table]->adamw(w, m, v, g, &step, N);
        }
        for (size_t i = 0; i < N; i++) {
            assert_near((double)w[i], weights[i % PERIOD], 1e-6);
            assert_near((double)m[i], means[i % PERIOD], 1e-7);
            assert_near((double)v[i], squares[i % PERIOD], 1e-7);
        }
    }
}

static void test_bf16(void **state) {
    (void)state;
    static const struct {
        uint32_t bits;
        vl_bf16 rounded;
    } rows[] = {
        {0x3F800000, 0x3F80}, {0x3F808000, 0x3F80}, /* ties go to even */
        {0x3F818000, 0x3F82}, {0x3F808001, 0x3F81}, {0x3F807FFF, 0x3F80},
        {0xBF80FFFF, 0xBF81}, {0x00000000, 0x0000}, {0x80000000, 0x8000},
        {0x7F800000, 0x7F80}, {0x7F7FFFFF, 0x7F80}, /* the largest float: infinity */
    };
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    enum { N = 35 };
    for (size_t t = 0; t < count; t++) {
        vl_real x[N], back[N];
        vl_bf16 y[N];
        for (size_t i = 0; i < N; i++)
            memcpy(&x[i], &rows[i % COUNT(rows)].bits, 4);
        tables[t]->to_bf16(y, x, N);
        tables[t]->from_bf16(back, y, N);
        for (size_t i = 0; i < N; i++) {
            uint32_t bits;
            memcpy(&bits, &back[i], 4);
            assert_int_equal(y[i], rows[i % COUNT(rows)].rounded);
            assert_int_equal(bits, (uint32_t)y[i] << 16);
        }
    }
}

/* ---- optimiser ---------------------------------------------------------------------- */

static void test_schedule(void **state) {
    (void)state;
    static const struct {
        vl_schedule schedule;
        uint64_t step;
        double rate;
    } rows[] = {
        {{1e-3, 1e-4, 10, 110}, 0, 1e-4},
        {{1e-3, 1e-4, 10, 110}, 4, 5e-4},
        {{1e-3, 1e-4, 10, 110}, 9, 1e-3},
        {{1e-3, 1e-4, 10, 110}, 10, 1e-3},
        {{1e-3, 1e-4, 10, 110}, 35, 8.681980515e-4}, /* 1e-4 + 9e-4 · (1 + √½) / 2 */
        {{1e-3, 1e-4, 10, 110}, 60, 5.5e-4},
        {{1e-3, 1e-4, 10, 110}, 110, 1e-4},
        {{1e-3, 1e-4, 10, 110}, UINT64_MAX, 1e-4},
        {{1e-3, 0, 0, 4}, 0, 1e-3},
        {{1e-3, 0, 0, 4}, 2, 5e-4},
        {{1e-3, 1e-5, 8, 8}, 7, 1e-3},
        {{1e-3, 1e-5, 8, 8}, 8, 1e-5},
        {{1e-3, 1e-5, 0, 0}, 0, 1e-5},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_near(vl_schedule_rate(&rows[i].schedule, rows[i].step), rows[i].rate, 1e-12);
}

static void test_gradient_norm(void **state) {
    (void)state;
    enum { MANY = 10007 };
    static vl_real x[MANY];
    assert_near(vl_gradient_norm(x, MANY), 0, 0);
    assert_near(vl_gradient_norm(NULL, 0), 0, 0);
    x[0] = 3, x[MANY - 1] = -4; /* across the chunks */
    assert_near(vl_gradient_norm(x, MANY), 5, 1e-6);
    for (size_t i = 0; i < MANY; i++)
        x[i] = (vl_real)0.5;
    assert_near(vl_gradient_norm(x, MANY), 0.5 * sqrt(MANY), 1e-4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_params_declared),
        cmocka_unit_test(test_params_values),
        cmocka_unit_test(test_params_refused),
        cmocka_unit_test_setup_teardown(test_out_of_memory, make_model, free_model),
        cmocka_unit_test_setup_teardown(test_null_goes_through, make_model, free_model),
        cmocka_unit_test_setup_teardown(test_reset, make_model, free_model),
        cmocka_unit_test_setup_teardown(test_inference, make_model, free_model),
        cmocka_unit_test_setup_teardown(test_dropout, make_model, free_model),
        cmocka_unit_test_setup_teardown(test_find_nonfinite, make_model, free_model),
        cmocka_unit_test(test_adamw),
        cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_gradient_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
