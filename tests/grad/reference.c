/* reference.c — every layer, forward and back, against tensors that PyTorch computed in double
 * precision (make_references.py), in the float build that users run.
 *
 *   reference VARIANT REFERENCES     VARIANT: ref, avx2, avx512, neon, or bf16
 *
 * The variant must be the one in use (VISLANG_CPU chooses it); where the processor has not got
 * it, the program says so and exits with 77. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers.h"

enum { SKIPPED = 77, NAME_SIZE = 40, MAX_FILE = 1 << 20 };

/* ‖a − b‖ / ‖b‖ allowed. bf16 keeps 8 bits of each factor: 2^−9 apiece. */
static const double TOLERANCE_F32 = 1e-4, TOLERANCE_BF16 = 2e-2;

/* ---- the file ----------------------------------------------------------------------- */

typedef struct references {
    vl_buf file;
    size_t asked; /* tensors that a test took */
} references;

static const char magic[] = "VLREF1\n";

/* The tensor at *at: its name and numbers; moves *at on. False at the end. */
static bool next_tensor(const references *from, size_t *at, const char **name,
                        const char **values, uint32_t *count) {
    if (*at + NAME_SIZE + 4 > from->file.len)
        return false;
    *name = from->file.data + *at;
    memcpy(count, from->file.data + *at + NAME_SIZE, 4);
    *values = from->file.data + *at + NAME_SIZE + 4;
    *at += NAME_SIZE + 4 + *count * sizeof(float);
    return *at <= from->file.len;
}

/* The numbers of CASE/what, to be freed; exits when they are not there or not `count` many. */
static vl_real *take(references *from, const char *layer, const char *what, size_t index,
                     size_t count) {
    char wanted[NAME_SIZE] = {0};
    snprintf(wanted, sizeof wanted, index == VL_NONE ? "%s/%s" : "%s/%s%zu", layer, what,
             index);
    size_t at = sizeof magic - 1;
    const char *name, *values;
    uint32_t found;
    while (next_tensor(from, &at, &name, &values, &found))
        if (memcmp(name, wanted, NAME_SIZE) == 0 && found == count) {
            vl_real *copy = malloc((count ? count : 1) * sizeof *copy);
            if (!copy)
                break;
            memcpy(copy, values, count * sizeof *copy);
            from->asked++;
            return copy;
        }
    fprintf(stderr, "reference: %s with %zu numbers is not in the file\n", wanted, count);
    exit(1);
}

static size_t tensors_in(const references *from) {
    size_t at = sizeof magic - 1, count = 0;
    const char *name, *values;
    uint32_t numbers;
    while (next_tensor(from, &at, &name, &values, &numbers))
        count++;
    return count;
}

/* ---- comparison --------------------------------------------------------------------- */

static double worst;

/* Takes the expected numbers and compares; 1 when they are too far apart. */
static size_t differs(references *from, const char *layer, const char *what, size_t index,
                      const vl_real *got, size_t count, double tolerance) {
    vl_real *expected = take(from, layer, what, index, count);
    double apart = 0, length = 0;
    for (size_t i = 0; i < count; i++) {
        double d = (double)got[i] - (double)expected[i];
        apart += d * d;
        length += (double)expected[i] * (double)expected[i];
    }
    free(expected);
    double error = length > 0 ? sqrt(apart / length) : sqrt(apart);
    if (!(error <= worst))
        worst = error;
    if (error < tolerance)
        return 0;
    fprintf(stderr, "reference: %s/%s%zu: relative error %.3g\n", layer, what,
            index == VL_NONE ? 0 : index, error);
    return 1;
}

static size_t check_layer(const layer_case *c, references *from, vl_precision precision,
                          double tolerance) {
    vl_graph_options options = {
        .max_bytes = 32 << 20, .training = true, .precision = precision};
    vl_params *params = layer_params(c);
    vl_graph *graph = vl_graph_new(params, &options);
    vl_real *gradients = calloc(vl_params_total(params) + 1, sizeof *gradients);
    vl_real *leaf[MAX_LEAVES];
    vl_var *vars[MAX_LEAVES];
    if (!params || !graph || !gradients)
        exit(1);
    vl_graph_set_gradients(graph, gradients);
    size_t leaves = shapes_listed(c->leaves, MAX_LEAVES), failures = 0;
    for (size_t i = 0; i < leaves; i++) {
        const size_t *shape = c->leaves[i];
        leaf[i] = take(from, c->name, "x", i, shape_count(shape));
        vars[i] = vl_nn_leaf(graph, leaf[i], shape_rank(shape), shape);
    }
    for (size_t i = 0; i < vl_params_count(params); i++) {
        const vl_param *item = vl_params_at(params, i);
        vl_real *values = take(from, c->name, "p", i, item->count);
        memcpy(vl_params_values(params) + item->offset, values, item->count * sizeof *values);
        free(values);
    }
    vl_var *y = c->forward(graph, c, vars);
    vl_real *grad = vl_var_grad(graph, y);
    if (!y || !grad)
        exit(1);
    vl_real *dy = take(from, c->name, "dy", VL_NONE, y->count);
    memcpy(grad, dy, y->count * sizeof *grad);
    free(dy);
    vl_graph_backward(graph, NULL, 0);
    failures += differs(from, c->name, "y", VL_NONE, y->value, y->count, tolerance);
    for (size_t i = 0; i < leaves; i++) {
        failures += differs(from, c->name, "dx", i, vars[i]->grad, vars[i]->count, tolerance);
        free(leaf[i]);
    }
    for (size_t i = 0; i < vl_params_count(params); i++) {
        const vl_param *item = vl_params_at(params, i);
        failures +=
            differs(from, c->name, "dp", i, gradients + item->offset, item->count, tolerance);
    }
    free(gradients);
    vl_graph_free(graph);
    vl_params_free(params);
    return failures;
}

static size_t check_infonce(references *from, const char *name, const int32_t *owner, size_t n,
                            size_t m, size_t d) {
    vl_real *x = take(from, name, "x", 0, n * d), *y = take(from, name, "x", 1, m * d);
    vl_real *log_scale = take(from, name, "x", 2, 1), *dy = take(from, name, "dy", VL_NONE, 1);
    vl_real *gradient = calloc((n + m) * d + 1, sizeof *gradient);
    double loss = NAN;
    vl_error error;
    if (!gradient || vl_nn_infonce(x, y, owner, n, m, d, *log_scale, gradient, gradient + n * d,
                                   gradient + (n + m) * d, &loss, &error) != VL_OK)
        exit(1);
    for (size_t i = 0; i < (n + m) * d + 1; i++)
        gradient[i] *= *dy;
    size_t failures =
        differs(from, name, "y", VL_NONE, &(vl_real){(vl_real)loss}, 1, TOLERANCE_F32) +
        differs(from, name, "dx", 0, gradient, n * d, TOLERANCE_F32) +
        differs(from, name, "dx", 1, gradient + n * d, m * d, TOLERANCE_F32) +
        differs(from, name, "dx", 2, gradient + (n + m) * d, 1, TOLERANCE_F32);
    free(x);
    free(y);
    free(log_scale);
    free(dy);
    free(gradient);
    return failures;
}

/* ---- variants ----------------------------------------------------------------------- */

/* Whether the variant can be tested here; exits when it could and is not the one in use. */
static bool present(const char *variant) {
    if (strcmp(variant, "bf16") == 0)
        return vl_cpu_has_bf16();
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    for (size_t i = 0; i < count; i++)
        if (strcmp(tables[i]->name, variant) == 0) {
            if (strcmp(vl_kernels_get()->name, variant) == 0)
                return true;
            fprintf(stderr, "reference: asked for %s, in use is %s\n", variant,
                    vl_kernels_get()->name);
            exit(1);
        }
    return false;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: reference VARIANT REFERENCES\n");
        return 2;
    }
    if (!present(argv[1])) {
        printf("SKIPPED: this processor has no %s; its kernels are NOT tested here\n", argv[1]);
        return SKIPPED;
    }
    references from = {0};
    vl_error error;
    vl_buf_init(&from.file, MAX_FILE);
    if (vl_file_read(argv[2], MAX_FILE, &from.file, &error) != VL_OK ||
        from.file.len < sizeof magic - 1 ||
        memcmp(from.file.data, magic, sizeof magic - 1) != 0) {
        fprintf(stderr, "reference: %s is no file of references\n", argv[2]);
        return 1;
    }
    bool bf16 = strcmp(argv[1], "bf16") == 0;
    size_t failures = 0;
    for (size_t i = 0; i < layer_case_count; i++)
        if (!layer_cases[i].alone)
            failures +=
                check_layer(&layer_cases[i], &from, bf16 ? VL_PRECISION_BF16 : VL_PRECISION_F32,
                            bf16 ? TOLERANCE_BF16 : TOLERANCE_F32);
    static const int32_t owner[] = {2, 0, 2, 4, 2, 0};
    int32_t owner_large[16];
    for (int32_t i = 0; i < 16; i++)
        owner_large[i] = i * 5 % 12;
    failures += check_infonce(&from, "infonce", owner, 5, 6, 7);
    failures += check_infonce(&from, "infonce_large", owner_large, 12, 16, 13);
    if (from.asked != tensors_in(&from)) {
        fprintf(stderr, "reference: of %zu tensors in the file %zu were compared\n",
                tensors_in(&from), from.asked);
        failures++;
    }
    printf("%s (rows: %s): %zu tensors, worst relative error %.2g, %zu failures\n", argv[1],
           vl_kernels_get()->name, from.asked, worst, failures);
    vl_buf_deinit(&from.file);
    return failures ? 1 : 0;
}
