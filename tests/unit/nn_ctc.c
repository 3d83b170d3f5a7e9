/* Tests of CTC against its definition: the sum over every path that reads as the labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>
#include <vislang/nn.h>

enum { POSITIONS = 5, SYMBOLS = 3, ROWS = 9 };

static const struct {
    size_t length, count;
    int32_t labels[6];
} rows[ROWS] = {
    {5, 2, {1, 2}},       {5, 2, {1, 1}}, {4, 3, {2, 1, 2}},
    {5, 0, {0}},    /* nothing but blanks */
    {3, 2, {2, 2}}, /* just fits */
    {2, 2, {2, 2}}, /* does not: a blank is needed between */
    {3, 4, {1, 2, 1, 2}}, {0, 0, {0}},    {1, 1, {2}},
};

/* Whether `path` without repeats and blanks reads as row `r`. */
static bool reads(const size_t *path, size_t r) {
    size_t read = 0, before = 0;
    for (size_t t = 0; t < rows[r].length; t++) {
        if (path[t] && path[t] != before) {
            if (read == rows[r].count || (size_t)rows[r].labels[read] != path[t])
                return false;
            read++;
        }
        before = path[t];
    }
    return read == rows[r].count;
}

static double by_definition(const vl_real *logits, size_t r) {
    size_t paths = 1, path[POSITIONS];
    for (size_t t = 0; t < rows[r].length; t++)
        paths *= SYMBOLS;
    double sum = 0;
    for (size_t number = 0; number < paths; number++) {
        double p = 1;
        size_t rest = number;
        for (size_t t = 0; t < rows[r].length; t++, rest /= SYMBOLS) {
            const vl_real *row = logits + t * SYMBOLS;
            path[t] = rest % SYMBOLS;
            double all = 0;
            for (size_t v = 0; v < SYMBOLS; v++)
                all += exp((double)row[v]);
            p *= exp((double)row[path[t]]) / all;
        }
        if (reads(path, r))
            sum += p;
    }
    return -log(sum);
}

static void test_definition(void **state) {
    (void)state;
    vl_params *params = vl_params_new();
    assert_int_equal(vl_params_allocate(params, 1, NULL), VL_OK);
    vl_graph_options options = {.max_bytes = 1 << 20, .training = true};
    vl_graph *graph = vl_graph_new(params, &options);
    vl_real logits[ROWS * POSITIONS * SYMBOLS], losses[ROWS];
    int32_t labels[ROWS * 6], lengths[ROWS];
    size_t starts[ROWS + 1] = {0};
    for (size_t i = 0; i < sizeof logits / sizeof *logits; i++)
        logits[i] = (vl_real)((double)(i * 7919 % 101) / 25 - 2);
    for (size_t r = 0; r < ROWS; r++) {
        memcpy(labels + starts[r], rows[r].labels, rows[r].count * sizeof *labels);
        starts[r + 1] = starts[r] + rows[r].count;
        lengths[r] = (int32_t)rows[r].length;
    }
    vl_var *x = vl_nn_leaf(graph, logits, 3, (size_t[]){ROWS, POSITIONS, SYMBOLS});
    vl_var *loss = vl_nn_ctc(graph, x, lengths, labels, starts, losses);
    assert_non_null(loss);
    double total = 0;
    for (size_t r = 0; r < ROWS; r++) {
        double expected = by_definition(logits + r * POSITIONS * SYMBOLS, r);
        if (isinf(expected)) /* no path: adds nothing */
            expected = 0;
        assert_true(fabs(losses[r] - expected) < 1e-5);
        total += expected;
    }
    assert_true(fabs(loss->value[0] - total) < 1e-4);

    vl_graph_backward(graph, loss, 1);
    for (size_t r = 0; r < ROWS; r++) { /* softmax less shares: each position's sum is 0 */
        bool learns = false;
        for (size_t t = 0; t < POSITIONS; t++) {
            const vl_real *row = x->grad + (r * POSITIONS + t) * SYMBOLS;
            vl_real sum = 0;
            for (size_t v = 0; v < SYMBOLS; v++) {
                sum += row[v];
                learns = learns || row[v] != 0;
                assert_true(t < rows[r].length || row[v] == 0);
            }
            assert_true(fabs((double)sum) < 1e-6);
        }
        assert_int_equal(learns, losses[r] != 0);
    }
    vl_graph_free(graph);
    vl_params_free(params);
}

/* Probabilities far below the smallest float, and labels that are none. */
static void test_extremes(void **state) {
    (void)state;
    enum { LONG = 400, LABELS = 150 };
    static vl_real logits[2 * LONG * SYMBOLS], losses[2];
    static int32_t labels[LABELS + 1];
    vl_params *params = vl_params_new();
    assert_int_equal(vl_params_allocate(params, 1, NULL), VL_OK);
    vl_graph_options options = {.max_bytes = 8 << 20, .training = true};
    vl_graph *graph = vl_graph_new(params, &options);
    for (size_t i = 0; i < LONG; i++) /* all but certain of symbol 2, which is not asked for */
        for (size_t v = 0; v < SYMBOLS; v++)
            logits[i * SYMBOLS + v] = v == 2 ? 30 : 0;
    for (size_t i = 0; i < LABELS; i++)
        labels[i] = 1;
    labels[LABELS] = SYMBOLS; /* outside of the alphabet: its row adds nothing */
    vl_var *x = vl_nn_leaf(graph, logits, 3, (size_t[]){2, LONG, SYMBOLS});
    vl_var *loss = vl_nn_ctc(graph, x, NULL, labels, (size_t[]){0, LABELS, LABELS + 1}, losses);
    assert_non_null(loss);
    vl_graph_backward(graph, loss, 1);
    /* Every position costs 30, and paths of two symbols are no more than 2^400. */
    assert_true(losses[0] > LONG * 30 - 400 * 0.6931472 && losses[0] <= LONG * 30);
    assert_true(losses[1] == 0);
    for (size_t i = 0; i < LONG * SYMBOLS; i++) {
        assert_true(isfinite(x->grad[i]) && fabs((double)x->grad[i]) <= 1.001);
        assert_true(x->grad[LONG * SYMBOLS + i] == 0);
    }
    vl_graph_free(graph);
    vl_params_free(params);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
