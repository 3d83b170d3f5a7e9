/* rows.c — the kernels on rows of numbers, in plain C.
 *
 * Compiled once for each instruction set (src/kernel/room.cmake) with VL_ISA naming the table
 * it fills; the loops are written so that a compiler makes vectors of them: unit stride, no
 * branches, one accumulator that may be reordered. The reference is the same text compiled
 * without vectors. */
#include <vislang/kernel.h>

#include <math.h>
#include <string.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define real vl_real
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* x + y · z, not to be reordered with what is added to it: gcc would add up the two parts of ln
 * 2 below and lose what there are two for. */
#if defined(__FMA__) || defined(__aarch64__)
#define MADD(x, y, z) __builtin_fmaf(y, z, x)
#elif __has_builtin(__builtin_assoc_barrier)
#define MADD(x, y, z) __builtin_assoc_barrier((x) + (y) * (z))
#else
#define MADD(x, y, z) ((x) + (y) * (z))
#endif

static const real EPSILON = (real)1e-5;

/* exp(x) for float: 2^n · p(r), |r| ≤ ln2/2, relative error below 2e-7 (coefficients: Cephes
 * expf). */
static inline real fast_exp(real x) {
#ifdef VL_REAL_DOUBLE
    return exp(x);
#else
    x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    float n = __builtin_nearbyintf(x * 1.44269504f);
    float r = MADD(MADD(x, n, -0.693359375f), n, 2.12194440e-4f);
    float p = 1.9875691500e-4f;
    p = MADD(1.3981999507e-3f, p, r);
    p = MADD(8.3334519073e-3f, p, r);
    p = MADD(4.1665795894e-2f, p, r);
    p = MADD(1.6666665459e-1f, p, r);
    p = MADD(5.0000001201e-1f, p, r);
    p = MADD(1.0f + r, p, r * r);
    /* 2^n: adding 1.5 · 2^23 leaves n in the lowest bits. A NaN has no integer to go by. */
    union {
        float f;
        uint32_t u;
    } power = {.f = n + 12582912.0f};
    power.u = (power.u + 127) << 23;
    return p * power.f;
#endif
}

static void add(real *restrict y, const real *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void axpy(real *restrict y, real a, const real *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

static real dot(const real *restrict x, const real *restrict y, size_t n) {
    real sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static void add_bias(real *restrict y, const real *restrict bias, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, y += n)
        for (size_t i = 0; i < n; i++)
            y[i] += bias[i];
}

static void sum_rows(real *restrict sum, const real *restrict x, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += n)
        for (size_t i = 0; i < n; i++)
            sum[i] += x[i];
}

/* ---- normalisation ------------------------------------------------------------------ */

static void layernorm(real *restrict y, real *restrict mean, real *restrict rstd,
                      const real *restrict x, const real *restrict gain,
                      const real *restrict bias, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        real sum = 0, square = 0;
        for (size_t i = 0; i < n; i++)
            sum += x[i];
        real m = sum / (real)n;
        for (size_t i = 0; i < n; i++)
            square += (x[i] - m) * (x[i] - m);
        real s = 1 / (real)sqrt((double)(square / (real)n + EPSILON));
        for (size_t i = 0; i < n; i++)
            y[i] = (x[i] - m) * s * gain[i] + bias[i];
        mean[r] = m;
        rstd[r] = s;
    }
}

static void layernorm_backward(real *restrict dx, real *restrict dgain, real *restrict dbias,
                               const real *restrict dy, const real *restrict x,
                               const real *restrict mean, const real *restrict rstd,
                               const real *restrict gain, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += n, dy += n, dx += n) {
        real m = mean[r], s = rstd[r], sum = 0, along = 0;
        for (size_t i = 0; i < n; i++) {
            real normal = (x[i] - m) * s, d = dy[i] * gain[i];
            sum += d;
            along += d * normal;
            dgain[i] += dy[i] * normal;
            dbias[i] += dy[i];
        }
        sum /= (real)n;
        along /= (real)n;
        for (size_t i = 0; i < n; i++)
            dx[i] += s * (dy[i] * gain[i] - sum - (x[i] - m) * s * along);
    }
}

static void rmsnorm(real *restrict y, real *restrict rstd, const real *restrict x,
                    const real *restrict gain, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        real square = dot(x, x, n);
        real s = 1 / (real)sqrt((double)(square / (real)n + EPSILON));
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] * s * gain[i];
        rstd[r] = s;
    }
}

static void rmsnorm_backward(real *restrict dx, real *restrict dgain, const real *restrict dy,
                             const real *restrict x, const real *restrict rstd,
                             const real *restrict gain, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += n, dy += n, dx += n) {
        real s = rstd[r], along = 0;
        for (size_t i = 0; i < n; i++) {
            along += dy[i] * gain[i] * x[i];
            dgain[i] += dy[i] * x[i] * s;
        }
        along *= s * s / (real)n;
        for (size_t i = 0; i < n; i++)
            dx[i] += s * (dy[i] * gain[i] - x[i] * along);
    }
}

/* ---- activations -------------------------------------------------------------------- */

#define GELU_A ((real)0.7978845608028654) /* sqrt(2/π) */
#define GELU_B ((real)0.044715)

static void gelu(real *restrict y, const real *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        real u = GELU_A * (x[i] + GELU_B * x[i] * x[i] * x[i]);
        y[i] = x[i] / (1 + fast_exp(-2 * u)); /* x/2 · (1 + tanh u) */
    }
}

#ifdef VL_REAL_DOUBLE
#define ABSOLUTE(x) fabs(x)
#else
#define ABSOLUTE(x) __builtin_fabsf(x)
#endif

/* x/2 + |x| tanh(|u|)/2 with the second factor as an odd polynomial (least squares, weighted
 * until the largest error is least) up to 3.6, beyond which it is 1/2. */
static inline real rough(real x) {
    const real most = (real)3.6;
    real size = ABSOLUTE(x), t = size < most ? size : most, s = t * t;
    real p = MADD((real)2.96756743e-05, s, (real)-5.64904556e-07);
    p = MADD((real)-0.000655169675, s, p);
    p = MADD((real)0.00806822793, s, p);
    p = MADD((real)-0.0630741053, s, p);
    p = MADD((real)0.396693263, s, p);
    return MADD((real)0.5 * x, size, t * p);
}

static void gelu_rough(real *restrict y, const real *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] = rough(x[i]);
}

static void gelu_backward(real *restrict dx, const real *restrict dy, const real *restrict x,
                          size_t n) {
    for (size_t i = 0; i < n; i++) {
        real v = x[i], u = GELU_A * (v + GELU_B * v * v * v);
        real s = 1 / (1 + fast_exp(-2 * u)); /* (1 + tanh u) / 2 */
        real du = GELU_A * (1 + 3 * GELU_B * v * v);
        dx[i] += dy[i] * (s + 2 * v * s * (1 - s) * du);
    }
}

static void silu(real *restrict y, const real *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] / (1 + fast_exp(-x[i]));
}

static void silu_backward(real *restrict dx, const real *restrict dy, const real *restrict x,
                          size_t n) {
    for (size_t i = 0; i < n; i++) {
        real s = 1 / (1 + fast_exp(-x[i]));
        dx[i] += dy[i] * s * (1 + x[i] * (1 - s));
    }
}

/* ---- softmax ------------------------------------------------------------------------ */

#ifdef VL_REAL_DOUBLE
static real maximum(const real *restrict x, size_t n) {
    real most = x[0];
    for (size_t i = 1; i < n; i++)
        most = x[i] > most ? x[i] : most;
    return most;
}
#else
/* A number's bits as a whole number that sorts as it does, and back. */
static inline int32_t sortable(int32_t bits) {
    return bits ^ (int32_t)((uint32_t)(bits >> 31) >> 1);
}

/* Over whole numbers, whose order of comparisons a compiler may change. */
static float maximum(const float *restrict x, size_t n) {
    int32_t most = INT32_MIN;
    for (size_t i = 0; i < n; i++) {
        int32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits = sortable(bits);
        most = bits > most ? bits : most;
    }
    most = sortable(most);
    float value;
    memcpy(&value, &most, sizeof value);
    return value;
}
#endif

static real exp_shifted(real *y, const real *x, real shift, size_t n) {
    real sum = 0;
    for (size_t i = 0; i < n; i++) {
        y[i] = fast_exp(x[i] - shift);
        sum += y[i];
    }
    return sum;
}

static real log_sum_exp(const real *restrict x, size_t n) {
    real most = maximum(x, n), sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fast_exp(x[i] - most);
    return most + (real)log((double)sum);
}

enum { BLOCK = 16 };

/* x = exp(x · scale − most) for BLOCK numbers. */
static inline void exp_block(real *restrict x, real scale, real most) {
    for (size_t i = 0; i < BLOCK; i++)
        x[i] = fast_exp(x[i] * scale - most);
}

/* The last numbers of a row go through as a block too: one by one they take as long as the rest
 * of a short row. */
static void softmax(real *restrict x, real scale, size_t rows, size_t n) {
    size_t whole = n / BLOCK * BLOCK, left = n - whole;
    for (size_t r = 0; r < rows; r++, x += n) {
        real most = maximum(x, n) * scale, sum = 0, last[BLOCK] = {0};
        for (size_t i = 0; i < whole; i++) {
            x[i] = fast_exp(x[i] * scale - most);
            sum += x[i];
        }
        if (left) {
            memcpy(last, x + whole, left * sizeof *x);
            exp_block(last, scale, most);
            for (size_t i = 0; i < left; i++)
                sum += last[i];
            memcpy(x + whole, last, left * sizeof *x);
        }
        sum = 1 / sum;
        for (size_t i = 0; i < n; i++)
            x[i] *= sum;
    }
}

static void softmax_backward(real *restrict d, const real *restrict p, real scale, size_t rows,
                             size_t n) {
    for (size_t r = 0; r < rows; r++, d += n, p += n) {
        real along = dot(d, p, n);
        for (size_t i = 0; i < n; i++)
            d[i] = scale * p[i] * (d[i] - along);
    }
}

/* ---- one filter a channel ----------------------------------------------------------- */

#include "rows_depthwise.h"

/* ---- optimiser, conversions --------------------------------------------------------- */

static void adamw(real *restrict weight, real *restrict m, real *restrict v,
                  const real *restrict gradient, const vl_adamw *step, size_t n) {
    const vl_adamw s = *step;
    real root = 1 / (real)sqrt((double)s.correct2), rate = s.rate / s.correct1;
    for (size_t i = 0; i < n; i++) {
        real g = gradient[i] * s.gradient_scale;
        m[i] += (1 - s.beta1) * (g - m[i]);
        v[i] += (1 - s.beta2) * (g * g - v[i]);
#ifdef VL_REAL_DOUBLE
        real spread = sqrt(v[i]) * root + s.epsilon;
#else
        real spread = __builtin_sqrtf(v[i]) * root + s.epsilon;
#endif
        weight[i] -= rate * m[i] / spread + s.rate * s.decay * weight[i];
    }
}

static void to_bf16(vl_bf16 *restrict y, const real *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        union {
            float f;
            uint32_t u;
        } bits = {.f = (float)x[i]};
        y[i] = (vl_bf16)((bits.u + 0x7FFF + ((bits.u >> 16) & 1)) >> 16);
    }
}

static void from_bf16(real *restrict y, const vl_bf16 *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        union {
            uint32_t u;
            float f;
        } bits = {.u = (uint32_t)x[i] << 16};
        y[i] = bits.f;
    }
}

/* ---- 8-bit numbers ------------------------------------------------------------------ */

#ifndef VL_REAL_DOUBLE
/* Loops over bits, which any compiler turns into vectors: the largest magnitude as a whole
 * number (floats without their sign sort as their bits do), and rounding to even by adding 1.5
 * · 2^23. */
ALWAYS_INLINE uint32_t largest(const float *restrict x, size_t k) {
    uint32_t most = 0, bits;
    for (size_t i = 0; i < k; i++) {
        memcpy(&bits, &x[i], sizeof bits);
        bits &= 0x7FFFFFFF;
        most = bits > most ? bits : most;
    }
    return most;
}

static inline uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* A row under the scale that its largest magnitude, as bits, asks for; returns the scale. */
ALWAYS_INLINE float round_row(int8_t *restrict q, const float *restrict x, size_t k,
                              uint32_t bits) {
    float most;
    memcpy(&most, &bits, sizeof most);
    most = most < 1e-30f ? 0 : most;
    float inverse = most > 0 ? 127 / most : 0;
    for (size_t i = 0; i < k; i++)
        q[i] = (int8_t)(bits_of(MADD(12582912.0f, x[i], inverse)) & 0xFF);
    return most / 127;
}

static void int8_round(int8_t *restrict q, float *restrict scale, const float *restrict x,
                       size_t rows, size_t k) {
    for (size_t r = 0; r < rows; r++, q += k, x += k)
        scale[r] = k == 48
                       ? round_row(q, x, 48, largest(x, 48)) /* known, it is a few vectors */
                       : round_row(q, x, k, largest(x, k));
}

/* Largest magnitudes of all columns at once, then TURNED rows at a time: bytes are turned in
 * the first cache. */
static void int8_round_turned(int8_t *restrict q, float *restrict scale, float *restrict work,
                              const float *restrict x, size_t rows, size_t step, size_t n,
                              size_t full) {
    enum { TURNED = 16, MOST_COLUMNS = 256 };
    int8_t block[TURNED * MOST_COLUMNS];
    for (size_t from = 0, some; from < n; from += some, x += some, q += some * full) {
        some = n - from < MOST_COLUMNS ? n - from : MOST_COLUMNS;
        for (size_t i = 0; i < some; i++)
            work[i] = 0;
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < some; i++) {
                uint32_t bits = bits_of(x[r * step + i]) & 0x7FFFFFFF, most = bits_of(work[i]);
                most = bits > most ? bits : most;
                memcpy(&work[i], &most, sizeof most);
            }
        for (size_t i = 0; i < some; i++) {
            float most = work[i] < 1e-30f ? 0 : work[i];
            scale[from + i] = most / 127;
            work[i] = most > 0 ? 127 / most : 0;
        }
        for (size_t r = 0; r < full; r += TURNED) {
            for (size_t t = 0; t < TURNED; t++)
                for (size_t i = 0; i < some; i++)
                    block[t * some + i] =
                        r + t < rows ? (int8_t)(bits_of(MADD(12582912.0f, x[(r + t) * step + i],
                                                             work[i])) &
                                                0xFF)
                                     : 0;
            for (size_t i = 0; i < some; i++)
                for (size_t t = 0; t < TURNED && r + t < full; t++)
                    q[i * full + r + t] = block[t * some + i];
        }
    }
}

static void int8_scale(float *restrict y, const float *restrict x_scale,
                       const float *restrict w_scale, const float *restrict bias, size_t rows,
                       size_t n) {
    for (size_t r = 0; r < rows; r++, y += n) {
        float scale = x_scale[r];
        for (size_t j = 0; j < n; j++) {
            int32_t sum;
            memcpy(&sum, &y[j], sizeof sum);
            y[j] = (float)sum * scale * w_scale[j];
        }
        for (size_t j = 0; bias && j < n; j++)
            y[j] += bias[j];
    }
}

static inline float scaled(float sum, float scale, float w_scale, float bias) {
    return MADD(bias, (float)(int32_t)bits_of(sum), scale * w_scale);
}

/* exp(x − the largest) is at most 1, so its scale as 8-bit numbers is 1/127 and that of the
 * shares 1/(127 Σ exp). */
static void int8_softmax_round(int8_t *restrict q, float *restrict scale, float *restrict sums,
                               const float *restrict w_scale, float factor, size_t rows,
                               size_t n, size_t step) {
    for (size_t r = 0; r < rows; r++, sums += step, q += step) {
        float own = scale[r] * factor, sum = 0, most;
        int32_t largest_bits = INT32_MIN;
        for (size_t j = 0; j < step; j++) {
            sums[j] = (float)(int32_t)bits_of(sums[j]) * (own * w_scale[j]);
            int32_t bits = sortable((int32_t)bits_of(sums[j]));
            largest_bits = bits > largest_bits ? bits : largest_bits;
        }
        largest_bits = sortable(largest_bits);
        memcpy(&most, &largest_bits, sizeof most);
        for (size_t j = n; j < step; j++)
            sums[j] = most - 100;
        for (size_t j = 0; j < step; j++) {
            float share = fast_exp(sums[j] - most);
            sum += share;
            q[j] = (int8_t)(bits_of(MADD(12582912.0f, share, 127.0f)) & 0xFF);
        }
        scale[r] = 1 / (127 * sum);
    }
}

static void int8_scale_add(float *restrict y, const float *restrict sums,
                           const float *restrict scale, const float *restrict w_scale,
                           const float *restrict bias, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, y += n, sums += n)
        for (size_t j = 0; j < n; j++)
            y[j] += scaled(sums[j], scale[r], w_scale[j], bias[j]);
}

static void int8_scale_gelu(float *restrict y, const float *restrict sums,
                            const float *restrict scale, const float *restrict w_scale,
                            const float *restrict bias, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, y += n, sums += n) {
        for (size_t j = 0; j < n; j++)
            y[j] = rough(scaled(sums[j], scale[r], w_scale[j], bias[j]));
    }
}

static void int8_gelu_round(int8_t *restrict q, float *restrict scale, float *restrict sums,
                            const float *restrict w_scale, const float *restrict bias,
                            size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, q += n, sums += n) {
        uint32_t most = 0;
        float own = scale[r];
        for (size_t j = 0; j < n; j++) {
            float y = rough(scaled(sums[j], own, w_scale[j], bias[j]));
            uint32_t bits = bits_of(y) & 0x7FFFFFFF;
            most = bits > most ? bits : most;
            sums[j] = y;
        }
        scale[r] = round_row(q, sums, n, most);
    }
}

enum { NORMS = 32 }; /* rows whose moments are found before the first is used */

/* Mean and 1/σ of at most NORMS rows, none waiting for another. Sums are of differences from
 * the row's first number, small where all of a row is far from zero. */
ALWAYS_INLINE void moments(float *restrict mean, float *restrict by, const float *restrict x,
                           size_t rows, size_t n) {
    float share = 1 / (float)n;
    for (size_t r = 0; r < rows; r++) {
        const float *row = x + r * n;
        float sum = 0, square = 0, first = row[0];
        for (size_t i = 0; i < n; i++) {
            float d = row[i] - first;
            sum += d;
            square += d * d;
        }
        mean[r] = sum;
        by[r] = square;
    }
    for (size_t r = 0; r < rows; r++) {
        float apart = mean[r] * share, variance = by[r] * share - apart * apart;
        mean[r] = apart;
        by[r] = 1 / __builtin_sqrtf((variance > 0 ? variance : 0) + EPSILON);
    }
    for (size_t r = 0; r < rows; r++)
        mean[r] += x[r * n];
}

/* The bits of the largest magnitude. */
ALWAYS_INLINE uint32_t normalise(float *restrict y, const float *restrict x, float mean,
                                 float by, const float *restrict gain,
                                 const float *restrict bias, size_t n) {
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        y[i] = MADD(bias[i], (x[i] - mean) * by, gain[i]);
        uint32_t bits = bits_of(y[i]) & 0x7FFFFFFF;
        most = bits > most ? bits : most;
    }
    return most;
}

/* `n` and `together` are constants where it is inlined. */
ALWAYS_INLINE void norm_rows(int8_t *restrict q, float *restrict scale, float *restrict work,
                             const float *restrict x, const float *restrict gain,
                             const float *restrict bias, size_t rows, size_t n,
                             size_t together) {
    float mean[NORMS], by[NORMS];
    uint32_t most = 0;
    for (size_t r = 0, at = NORMS, part = 0; r < rows; r++, at++, x += n) {
        if (at == NORMS) {
            moments(mean, by, x, rows - r < NORMS ? rows - r : NORMS, n);
            at = 0;
        }
        uint32_t bits = normalise(work + part * n, x, mean[at], by[at], gain, bias, n);
        most = part && most > bits ? most : bits;
        if (++part == together) {
            part = 0;
            *scale++ = round_row(q, work, together * n, most);
            q += together * n;
        }
    }
}

/* Rows as short as those of the reader take twice as long where their width is not known. */
static void int8_layernorm_round(int8_t *restrict q, float *restrict scale,
                                 float *restrict work, const float *restrict x,
                                 const float *restrict gain, const float *restrict bias,
                                 size_t rows, size_t n, size_t together) {
    if (n == 32 && together == 1)
        norm_rows(q, scale, work, x, gain, bias, rows, 32, 1);
    else if (n == 48 && together == 2)
        norm_rows(q, scale, work, x, gain, bias, rows, 48, 2);
    else if (n == 96 && together == 2)
        norm_rows(q, scale, work, x, gain, bias, rows, 96, 2);
    else if (n == 192 && together == 1)
        norm_rows(q, scale, work, x, gain, bias, rows, 192, 1);
    else
        norm_rows(q, scale, work, x, gain, bias, rows, n, together);
}
#endif

extern const vl_kernels JOIN(vl_kernels_, VL_ISA);
#define NAME_(isa) #isa
#define NAME(isa) NAME_(isa)
const vl_kernels JOIN(vl_kernels_, VL_ISA) = {
    .name = NAME(VL_ISA),
    .add = add,
    .axpy = axpy,
    .dot = dot,
    .add_bias = add_bias,
    .sum_rows = sum_rows,
    .layernorm = layernorm,
    .layernorm_backward = layernorm_backward,
    .rmsnorm = rmsnorm,
    .rmsnorm_backward = rmsnorm_backward,
    .gelu = gelu,
    .gelu_rough = gelu_rough,
    .gelu_backward = gelu_backward,
    .silu = silu,
    .silu_backward = silu_backward,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .log_sum_exp = log_sum_exp,
    .exp_shifted = exp_shifted,
    .depthwise = depthwise,
    .depthwise_backward = depthwise_backward,
    .adamw = adamw,
    .to_bf16 = to_bf16,
    .from_bf16 = from_bf16,
#ifndef VL_REAL_DOUBLE
    .int8_round = int8_round,
    .int8_round_turned = int8_round_turned,
    .int8_scale = int8_scale,
    .int8_scale_add = int8_scale_add,
    .int8_softmax_round = int8_softmax_round,
    .int8_scale_gelu = int8_scale_gelu,
    .int8_gelu_round = int8_gelu_round,
    .int8_layernorm_round = int8_layernorm_round,
#endif
};
