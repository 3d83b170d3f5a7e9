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
#include <vislang/tensor.h>

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

/* A window that moves over a picture by its strides. Zeros stand around the picture: pad_y rows
 * above and below it, pad_x columns on either side. No number is 0 but those of the padding. */
typedef struct vl_window {
    size_t size_y, size_x, stride_y, stride_x, pad_y, pad_x;
} vl_window;
/* A square window; `pad` on all sides. */
static inline vl_window vl_window_square(size_t size, size_t stride, size_t pad) {
    return (vl_window){size, size, stride, stride, pad, pad};
}
/* How many places it has along an axis; 0 when it is larger than the padded picture. */
static inline size_t vl_window_places(size_t extent, size_t size, size_t stride, size_t pad) {
    return extent + 2 * pad < size ? 0 : (extent + 2 * pad - size) / stride + 1;
}

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
    /* Within 5e-4 of gelu, for what is rounded to 8 bits next. */
    void (*gelu_rough)(vl_real *y, const vl_real *x, size_t n);
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
    /* One filter a channel: x [height, width, channels] → y [places_y, places_x, channels];
     * weight [size_y, size_x, channels], bias [channels]. */
    void (*depthwise)(vl_real *y, const vl_real *x, const vl_real *weight, const vl_real *bias,
                      size_t height, size_t width, size_t channels, const vl_window *window);
    void (*depthwise_backward)(vl_real *dx, vl_real *dweight, vl_real *dbias, const vl_real *dy,
                               const vl_real *x, const vl_real *weight, size_t height,
                               size_t width, size_t channels, const vl_window *window);
    void (*adamw)(vl_real *weight, vl_real *m, vl_real *v, const vl_real *gradient,
                  const vl_adamw *step, size_t n);
    void (*to_bf16)(vl_bf16 *y, const vl_real *x, size_t n); /* round to nearest even */
    void (*from_bf16)(vl_real *y, const vl_bf16 *x, size_t n);
#ifndef VL_REAL_DOUBLE
    void (*int8_round)(int8_t *q, float *scale, const float *x, size_t rows, size_t k);
    /* The same of the columns of x [rows,n], whose rows lie `step` apart: q [n,full], zero from
     * `rows` on, and a scale each; `work` [n]. */
    void (*int8_round_turned)(int8_t *q, float *scale, float *work, const float *x, size_t rows,
                              size_t step, size_t n, size_t full);
    /* In place: y = sums · x_scale[row] · w_scale + bias; y [rows,n] holds the int32 sums. */
    void (*int8_scale)(float *y, const float *x_scale, const float *w_scale, const float *bias,
                       size_t rows, size_t n);
    /* What stands between products, in one go. `sums` are int32 in the place of floats, and
     * may be written over; `scale` of the inputs becomes that of the outputs.
     *   y += sums · scale[row] · w_scale + bias
     *   y = gelu_rough(sums · scale[row] · w_scale + bias)
     *   q, scale = the same, rounded
     *   q, scale = softmax(sums · scale[row] · w_scale · factor) rounded, rows of `step`
     * numbers, those from n on zero q, scale = layernorm(x) rounded, `together` rows of n
     * numbers under one scale */
    void (*int8_scale_add)(float *y, const float *sums, const float *scale,
                           const float *w_scale, const float *bias, size_t rows, size_t n);
    void (*int8_scale_gelu)(float *y, const float *sums, const float *scale,
                            const float *w_scale, const float *bias, size_t rows, size_t n);
    void (*int8_gelu_round)(int8_t *q, float *scale, float *sums, const float *w_scale,
                            const float *bias, size_t rows, size_t n);
    void (*int8_softmax_round)(int8_t *q, float *scale, float *sums, const float *w_scale,
                               float factor, size_t rows, size_t n, size_t step);
    void (*int8_layernorm_round)(int8_t *q, float *scale, float *work, const float *x,
                                 const float *gain, const float *bias, size_t rows, size_t n,
                                 size_t together);
#endif
    const struct vl_quant_kernels *quant; /* below; NULL in the double build */
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

/* ---- convolutions ------------------------------------------------------------------- */

/* x [batch, height, width, channels] → y [batch, places_y, places_x, outputs], each place of
 * the window one row of y. weight is [outputs, size_y, size_x, channels / groups]: output o
 * sees the channels of group o / (outputs / groups) alone. With one filter a channel (groups =
 * channels = outputs) weight is [size_y, size_x, channels]. channels and outputs are multiples
 * of groups.
 *
 * Through oneDNN's convolution primitives; small problems, and any when it has no memory for
 * its objects, by plain loops: none of these fails. */
typedef struct vl_conv {
    vl_precision precision;
    size_t batch, height, width, channels, outputs, groups;
    vl_window window;
} vl_conv;
/* y = conv(x, weight) + bias; `bias` [outputs] may be NULL. */
void vl_conv_run(const vl_conv *conv, const vl_real *x, const vl_real *weight,
                 const vl_real *bias, vl_real *y);
/* dx += what dy says of x. */
void vl_conv_backward_data(const vl_conv *conv, const vl_real *dy, const vl_real *weight,
                           vl_real *dx);
/* dweight += what dy says of weight. */
void vl_conv_backward_weights(const vl_conv *conv, const vl_real *dy, const vl_real *x,
                              vl_real *dweight);

/* The same as products of matrices (groups is 1), faster where windows do not overlap:
 * patches [batch · places_y · places_x, size_y · size_x · channels] hold what the window sees
 * at each place. */
size_t vl_conv_patches(const vl_conv *conv); /* numbers in all of them */
void vl_conv_unroll(const vl_conv *conv, const vl_real *x, vl_real *patches);
/* dx += the gradients of patches, each where its number came from. */
void vl_conv_roll(const vl_conv *conv, const vl_real *patches, vl_real *dx);

#ifndef VL_REAL_DOUBLE
/* ---- large products of 8-bit numbers ------------------------------------------------- */

/* For many rows against weights of 8 bits under one scale a row: whole numbers multiplied by
 * oneDNN and summed exactly in 32 bits (with VNNI or tiles; plain loops elsewhere). `k` is at
 * most VL_INT8_MAX_K, so that no sum can overflow. Can't fail. */
#define VL_INT8_MAX_K 131071
/* Whether oneDNN does it, and faster than products of floats. */
bool vl_cpu_has_int8(void);
/* y[m,n] = x[m,k] · w[n,k]ᵀ */
void vl_int8_product(int32_t *y, const int8_t *x, const int8_t *w, size_t m, size_t n,
                     size_t k);
/* The same with weights that were packed once for the instructions of this process: `packed`
 * has vl_int8_packed_bytes, at a multiple of 64. */
size_t vl_int8_packed_bytes(size_t n, size_t k);
void vl_int8_pack(void *packed, const int8_t *w, size_t n, size_t k);
void vl_int8_packed_product(int32_t *y, const int8_t *x, size_t m, const void *packed, size_t n,
                            size_t k);
/* Rows of x [rows,k], finite, as int8 with scale[row] = max|x| / 127 (symmetric: Jacob et al.
 * 2018, section 2.1 with a zero point of 0); a row below 1e-30 counts as zero. */
void vl_int8_round(int8_t *q, float *scale, const float *x, size_t rows, size_t k);
/* y[m,n] = (x · x_scale)(w · w_scale)ᵀ + bias; `bias` [n] may be NULL. */
void vl_int8_linear(float *y, const int8_t *x, const float *x_scale, size_t m, const int8_t *w,
                    const float *w_scale, size_t n, size_t k, const float *bias);
#endif

/* ---- products with quantised weights ------------------------------------------------ */

/* For decoding: a few rows of inputs times a matrix of weights in the blocks of
 * <vislang/tensor.h>. What bounds it is how fast weights are read, so they are read once for
 * all rows of inputs. Inputs are rounded to 8 bits on the way: each 32 values of a row become
 * int8 with one f32 scale, max|x| / 127 (the q8_0 scheme of ggml, with an f32 scale). Inside
 * 32 weights the product is whole numbers and exact; variants differ only in the order in
 * which they add the blocks' floats.
 *
 * A block of inputs that holds a NaN or an infinity makes the row's results NaN. One whose
 * largest magnitude is below 1e-30 counts as zero. `k` is a multiple of vl_dtype_block(dtype),
 * and at least that: who loads weights checks it (vl_dtype_row_bytes is 0 otherwise); here
 * anything else aborts, as does a type that is not quantised. Not part of the
 * VL_REAL_DOUBLE build. */

#define VL_QUANT_BLOCK 32 /* inputs under one scale */

/* A view of rounded inputs; it owns nothing. */
typedef struct vl_quant_input {
    size_t m, k;        /* rows, values of a row */
    const int8_t *q;    /* [m, k], -127 … 127 */
    const float *scale; /* [m, k / 32] */
    const int32_t *sum; /* [m, k / 32], of q: what a constant offset of the weights adds */
} vl_quant_input;

typedef struct vl_quant_kernels {
    const char *name; /* "avx512-vnni", …: the instructions, finer than the table's name */
    /* `k` values, a multiple of 32. */
    void (*round_row)(int8_t *q, float *scale, int32_t *sum, const float *x, size_t k);
    /* y[m,n] = x · Wᵀ + bias, W is [n, k]; `bias` [n] may be NULL. */
    void (*product)(float *y, const vl_quant_input *x, vl_dtype dtype, const void *weights,
                    size_t n, const float *bias);
    /* `k` weights, whole blocks. The same bits as vl_dequantize_row and its rounding. */
    void (*to_f32)(float *y, vl_dtype dtype, const void *blocks, size_t k);
    void (*to_bf16)(vl_bf16 *y, vl_dtype dtype, const void *blocks, size_t k);
} vl_quant_kernels;

/* Bytes that vl_quant_round needs for m rows of k values; 0 when that is more than memory can
 * hold. A multiple of 64. */
size_t vl_quant_input_bytes(size_t m, size_t k);
/* Rounds x [m, k] into `memory`, which lies at a multiple of 64 and must outlive the view. One
 * view may go into several products (query, key and value of one input). Can't fail. */
vl_quant_input vl_quant_round(void *memory, const float *x, size_t m, size_t k);
/* y[m,n] = x · Wᵀ + bias. W is [n, k] in `dtype`; `bias` [n] may be NULL. Any m and n; made for
 * m up to 16. Can't fail. */
void vl_quant_gemv(float *y, const vl_quant_input *x, vl_dtype dtype, const void *weights,
                   size_t n, const float *bias);
/* `k` weights as floats, for products with many rows. For a matrix k may be rows · columns. */
void vl_quant_to_f32(float *y, vl_dtype dtype, const void *blocks, size_t k);
void vl_quant_to_bf16(vl_bf16 *y, vl_dtype dtype, const void *blocks, size_t k);

#ifdef __cplusplus
}
#endif
#endif
