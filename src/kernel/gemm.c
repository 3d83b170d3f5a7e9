/* gemm.c — products of matrices, through oneDNN.
 *
 * f32 products call its sgemm; bf16 products round both factors into scratch memory of the
 * thread and run a matmul primitive that the thread keeps (onednn.h). */
#include <vislang/kernel.h>

#include <string.h>

/* Small and odd work, and the double build. */
static void gemm_plain(const vl_gemm *g, const vl_real *a, const vl_real *b, vl_real *c) {
    size_t step_a = g->transpose_a ? g->lda : 1, row_a = g->transpose_a ? 1 : g->lda;
    for (size_t i = 0; i < g->m; i++) {
        vl_real *out = c + i * g->ldc;
        if (!g->accumulate)
            memset(out, 0, g->n * sizeof *out);
        for (size_t l = 0; l < g->k; l++) {
            vl_real factor = a[i * row_a + l * step_a];
            if (g->transpose_b)
                for (size_t j = 0; j < g->n; j++)
                    out[j] += factor * b[j * g->ldb + l];
            else
                for (size_t j = 0; j < g->n; j++)
                    out[j] += factor * b[l * g->ldb + j];
        }
    }
}

#ifdef VL_REAL_DOUBLE

void vl_gemm_run(const vl_gemm *gemm, const vl_real *a, const vl_real *b, vl_real *c) {
    gemm_plain(gemm, a, b, c);
}

bool vl_cpu_has_bf16(void) {
    return false;
}

#else

#include "kernel/onednn.h"

enum { SMALL = 2048 };
enum { FACTOR_A, FACTOR_B, RESULT }; /* the memories of an item */

static bool describe(dnnl_memory_desc_t *desc, size_t rows, size_t columns, size_t row_step,
                     size_t column_step, dnnl_data_type_t type) {
    dnnl_dims_t dims = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
    dnnl_dims_t strides = {(dnnl_dim_t)row_step, (dnnl_dim_t)column_step};
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides) == dnnl_success;
}

/* The bf16 product with packed factors (row step = columns as stored). C += A·B is a sum after
 * the product. */
static bool make(onednn_item *item, const void *problem) {
    const vl_gemm *g = problem;
    dnnl_memory_desc_t a, b, c;
    dnnl_matmul_desc_t desc;
    if (!describe(&a, g->m, g->k, g->transpose_a ? 1 : g->k, g->transpose_a ? g->m : 1,
                  dnnl_bf16) ||
        !describe(&b, g->k, g->n, g->transpose_b ? 1 : g->n, g->transpose_b ? g->k : 1,
                  dnnl_bf16) ||
        !describe(&c, g->m, g->n, g->ldc, 1, dnnl_f32) ||
        dnnl_matmul_desc_init(&desc, &a, &b, NULL, &c) != dnnl_success)
        return false;
    dnnl_primitive_attr_t attr = g->accumulate ? onednn_sum_attribute() : NULL;
    dnnl_primitive_desc_t pd = NULL;
    bool ok =
        (attr || !g->accumulate) &&
        dnnl_primitive_desc_create(&pd, &desc, attr, onednn_engine(), NULL) == dnnl_success &&
        dnnl_primitive_create(&item->step[0], pd) == dnnl_success;
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return ok && onednn_add_memory(item, FACTOR_A, &a) &&
           onednn_add_memory(item, FACTOR_B, &b) && onednn_add_memory(item, RESULT, &c);
}

static void pack(vl_bf16 *out, const vl_real *x, size_t rows, size_t columns, size_t ld) {
    const vl_kernels *kernels = vl_kernels_get();
    if (ld == columns)
        kernels->to_bf16(out, x, rows * columns);
    else
        for (size_t r = 0; r < rows; r++)
            kernels->to_bf16(out + r * columns, x + r * ld, columns);
}

static bool gemm_bf16(onednn_thread *thread, const vl_gemm *g, const vl_real *a,
                      const vl_real *b, vl_real *c) {
    size_t key[ONEDNN_KEY] = {ONEDNN_GEMM, g->m,           g->n,           g->k,
                              g->ldc,      g->transpose_a, g->transpose_b, g->accumulate};
    size_t count_a = (g->m * g->k + 31) / 32 * 32, count_b = g->k * g->n;
    vl_bf16 *packed = onednn_scratch(thread, (count_a + count_b) * sizeof *packed);
    onednn_item *item = packed ? onednn_find(thread, key, make, g) : NULL;
    if (!item)
        return false;
    pack(packed, a, g->transpose_a ? g->k : g->m, g->transpose_a ? g->m : g->k, g->lda);
    pack(packed + count_a, b, g->transpose_b ? g->n : g->k, g->transpose_b ? g->k : g->n,
         g->ldb);
    dnnl_memory_set_data_handle(item->memory[FACTOR_A], packed);
    dnnl_memory_set_data_handle(item->memory[FACTOR_B], packed + count_a);
    dnnl_memory_set_data_handle(item->memory[RESULT], c);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, item->memory[FACTOR_A]},
                              {DNNL_ARG_WEIGHTS, item->memory[FACTOR_B]},
                              {DNNL_ARG_DST, item->memory[RESULT]}};
    return onednn_run(thread, item->step[0], 3, args);
}

void vl_gemm_run(const vl_gemm *g, const vl_real *a, const vl_real *b, vl_real *c) {
    if (!g->m || !g->n)
        return;
    onednn_thread *thread = g->m * g->n * g->k > SMALL ? onednn_thread_get() : NULL;
    if (thread && g->precision == VL_PRECISION_BF16 && vl_cpu_has_bf16() &&
        gemm_bf16(thread, g, a, b, c))
        return;
    if (!thread ||
        dnnl_sgemm(g->transpose_a ? 'T' : 'N', g->transpose_b ? 'T' : 'N', (dnnl_dim_t)g->m,
                   (dnnl_dim_t)g->n, (dnnl_dim_t)g->k, 1.0f, a, (dnnl_dim_t)g->lda, b,
                   (dnnl_dim_t)g->ldb, g->accumulate ? 1.0f : 0.0f, c,
                   (dnnl_dim_t)g->ldc) != dnnl_success)
        gemm_plain(g, a, b, c);
}

#endif
