/* kernel.h — the arithmetic: what is done to rows of numbers, and products of matrices.
 *
 * Every kernel exists once as plain C (src/kernel/isa/) and is compiled for each instruction
 * set; one table, chosen at start from what the processor has, holds the variant in use. The
 * environment variable VISLANG_CPU=ref|avx2|avx512|amx|neon forces a choice. Large products go
 * to oneDNN. Arrays are row-major and may not overlap unless a comment says so.
 *
 * `vl_real` is float. A second build of kernel/ and nn/ with VL_REAL_DOUBLE is what the
 * gradient tests differentiate numerically.
 *
 * Thread-safety: everything here may be called from many threads; a product runs on the
 * thread that asks for it. */
#ifndef VISLANG_KERNEL_H
#define VISLANG_KERNEL_H

#include <vislang/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef VL_REAL_DOUBLE
typedef double vl_real;
#else
typedef float vl_real;
#endif
typedef uint16_t vl_bf16; /* the upper half of an IEEE binary32 */

/* One step of AdamW (Loshchilov and Hutter 2019, algorithm 2) on `n` weights. */
typedef struct vl_adamw {
    vl_real rate, beta1, beta2, epsilon;
    vl_real decay;              /* decoupled: weight -= rate · decay · weight */
    vl_real correct1, correct2; /* 1 − beta1^t, 1 − beta2^t */
    vl_real gradient_scale;     /* applied to the gradient first (clipping, averaging) */
} vl_adamw;

/* x, y, … are [rows, n] unless said otherwise; gradients of parameters are added to, gradients
 * of inputs are added to. */
typedef struct vl_kernels {
    const char *name;
    void (*add)(vl_real *y, const vl_real *x, size_t n);             /* y += x */
    void (*axpy)(vl_real *y, vl_real a, const vl_real *x, size_t n); /* y += a·x */
    vl_real (*dot)(const vl_real *x, const vl_real *y, size_t n);
    void (*add_bias)(vl_real *y, const vl_real *bias, size_t rows, size_t n);
    void (*sum_rows)(vl_real *sum, const vl_real *x, size_t rows, size_t n); /* sum[n] += */
    /* Ba, Kiros and Hinton 2016; mean and rstd are [rows]. */
    void (*layernorm)(vl_real *y, vl_real *mean, vl_real *rstd, const vl_real *x,
                      const vl_real *gain, const vl_real *bias, size_t rows, size_t n);
    void (*layernorm_backward)(vl_real *dx, vl_real *dgain, vl_real *dbias, const vl_real *dy,
                               const vl_real *x, const vl_real *mean, const vl_real *rstd,
                               const vl_real *gain, size_t rows, size_t n);
    /* Zhang and Sennrich 2019. */
    void (*rmsnorm)(vl_real *y, vl_real *rstd, const vl_real *x, const vl_real *gain,
                    size_t rows, size_t n);
    void (*rmsnorm_backward)(vl_real *dx, vl_real *dgain, const vl_real *dy, const vl_real *x,
                             const vl_real *rstd, const vl_real *gain, size_t rows, size_t n);
    /* Hendrycks and Gimpel 2016, the tanh form. */
    void (*gelu)(vl_real *y, const vl_real *x, size_t n);
    void (*gelu_backward)(vl_real *dx, const vl_real *dy, const vl_real *x, size_t n);
    void (*silu)(vl_real *y, const vl_real *x, size_t n);
    void (*silu_backward)(vl_real *dx, const vl_real *dy, const vl_real *x, size_t n);
    /* In place: row = softmax(scale · row). */
    void (*softmax)(vl_real *x, vl_real scale, size_t rows, size_t n);
    /* In place: d = scale · p ⊙ (d − Σ p·d), row by row. */
    void (*softmax_backward)(vl_real *d, const vl_real *p, vl_real scale, size_t rows,
                             size_t n);
    /* log Σ exp(x), its maximum taken out first. */
    vl_real (*log_sum_exp)(const vl_real *x, size_t n);
    /* y = exp(x − shift), returns the sum. */
    vl_real (*exp_shifted)(vl_real *y, const vl_real *x, vl_real shift, size_t n);
    /* x, y [height, width, channels] and [out_height, out_width, channels]; weight [size, size,
     * channels]; zero padding of size/2 (size is odd). */
    void (*depthwise)(vl_real *y, const vl_real *x, const vl_real *weight, const vl_real *bias,
                      size_t height, size_t width, size_t channels, size_t size, size_t stride);
    void (*depthwise_backward)(vl_real *dx, vl_real *dweight, vl_real *dbias, const vl_real *dy,
                               const vl_real *x, const vl_real *weight, size_t height,
                               size_t width, size_t channels, size_t size, size_t stride);
    void (*adamw)(vl_real *weight, vl_real *m, vl_real *v, const vl_real *gradient,
                  const vl_adamw *step, size_t n);
    void (*to_bf16)(vl_bf16 *y, const vl_real *x, size_t n); /* round to nearest even */
    void (*from_bf16)(vl_real *y, const vl_bf16 *x, size_t n);
} vl_kernels;

/* The table in use; can't fail. */
const vl_kernels *vl_kernels_get(void);
/* Every table this processor can run, the plain one first; for tests. */
size_t vl_kernels_all(const vl_kernels *tables[8]);

/* ---- products of matrices ----------------------------------------------------------- */

typedef enum vl_precision {
    VL_PRECISION_F32,
    VL_PRECISION_BF16, /* factors rounded to bf16, sums kept in f32 */
} vl_precision;
/* Whether the processor multiplies bf16 faster than f32. */
bool vl_cpu_has_bf16(void);

/* C[m,n] = A·B, or C += A·B when `accumulate`. A is [m,k], or [k,m] when `transpose_a`; B is
 * [k,n], or [n,k] when `transpose_b`. lda, ldb, ldc: elements from row to row as stored. Can't
 * fail: without memory for oneDNN's own objects it computes with plain loops. */
typedef struct vl_gemm {
    bool transpose_a, transpose_b, accumulate;
    vl_precision precision;
    size_t m, n, k;
    size_t lda, ldb, ldc;
} vl_gemm;
void vl_gemm_run(const vl_gemm *gemm, const vl_real *a, const vl_real *b, vl_real *c);

#ifdef __cplusplus
}
#endif
#endif
