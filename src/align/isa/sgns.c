/* sgns.c — sgns.h for one instruction set (EMBED_ISA names it): as many numbers at once as its
 * registers hold, by GNU's vector types. Groups of rows are taken together so that x is loaded
 * once for all of them and sums do not wait for each other. */
#include "align/isa/sgns.h"

#include <string.h>

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef float lanes __attribute__((vector_size(4 * LANES)));

#define ALWAYS static inline __attribute__((always_inline))

ALWAYS lanes load(const float *at) {
    return *(const lanes *)__builtin_assume_aligned(at, sizeof(lanes));
}

ALWAYS void store(float *at, lanes value) {
    *(lanes *)__builtin_assume_aligned(at, sizeof(lanes)) = value;
}

ALWAYS float sum_lanes(lanes value) {
    float parts[LANES];
    memcpy(parts, &value, sizeof parts);
    for (int width = LANES / 2; width; width /= 2)
        for (int i = 0; i < width; i++)
            parts[i] += parts[i + width];
    return parts[0];
}

/* ---- over rows of a table -----------------------------------------------------------------
 */

ALWAYS void sum_some(float *out, const float *const *rows, const int count, size_t stride) {
    for (size_t d = 0; d < stride; d += LANES) {
        lanes sum = load(out + d);
        for (int i = 0; i < count; i++)
            sum += load(rows[i] + d);
        store(out + d, sum);
    }
}

static void mean(float *out, float scale, const float *table, const uint32_t *ids, size_t count,
                 size_t stride) {
    size_t i = 0;
    memset(out, 0, stride * sizeof *out);
    for (; i + 4 <= count; i += 4) {
        const float *rows[4];
        for (int k = 0; k < 4; k++)
            rows[k] = table + ids[i + (size_t)k] * stride;
        sum_some(out, rows, 4, stride);
    }
    for (; i < count; i++) {
        const float *row = table + ids[i] * stride;
        sum_some(out, &row, 1, stride);
    }
    for (size_t d = 0; d < stride; d += LANES)
        store(out + d, load(out + d) * scale);
}

static void add(float *table, const uint32_t *ids, size_t count, const float *x,
                size_t stride) {
    for (size_t i = 0; i < count; i++) {
        float *row = table + ids[i] * stride;
        for (size_t d = 0; d < stride; d += LANES)
            store(row + d, load(row + d) + load(x + d));
    }
}

/* ---- over rows here and there -------------------------------------------------------------
 */

ALWAYS void dot_some(float *dots, const float *x, float *const *rows, const int count,
                     size_t stride) {
    lanes sums[8];
    for (int i = 0; i < count; i++)
        sums[i] = load(x) * load(rows[i]);
    for (size_t d = LANES; d < stride; d += LANES) {
        lanes part = load(x + d);
        for (int i = 0; i < count; i++)
            sums[i] += part * load(rows[i] + d);
    }
    for (int i = 0; i < count; i++)
        dots[i] = sum_lanes(sums[i]);
}

static void dots(float *out, const float *x, float *const *rows, size_t count, size_t stride) {
    size_t i = 0;
    for (; i + 6 <= count; i += 6)
        dot_some(out + i, x, rows + i, 6, stride);
    for (; i + 2 <= count; i += 2)
        dot_some(out + i, x, rows + i, 2, stride);
    if (i < count)
        dot_some(out + i, x, rows + i, 1, stride);
}

/* x stays as it was until all groups are done: its change goes to `change`. */
ALWAYS void step_some(const float *x, float *change, float *const *rows, const float *g,
                      const int count, size_t stride) {
    for (size_t d = 0; d < stride; d += LANES) {
        lanes part = load(x + d), sum = load(change + d);
        for (int i = 0; i < count; i++) {
            lanes row = load(rows[i] + d);
            sum += row * g[i];
            store(rows[i] + d, row + part * g[i]);
        }
        store(change + d, sum);
    }
}

enum { MAX_STRIDE = 4096 };

static void step(float *x, float *total, float gain, float *const *rows, const float *g,
                 size_t count, size_t stride) {
    float change[MAX_STRIDE] __attribute__((aligned(64)));
    size_t i = 0;
    memset(change, 0, stride * sizeof *change);
    for (; i + 6 <= count; i += 6)
        step_some(x, change, rows + i, g + i, 6, stride);
    for (; i + 2 <= count; i += 2)
        step_some(x, change, rows + i, g + i, 2, stride);
    if (i < count)
        step_some(x, change, rows + i, g + i, 1, stride);
    for (size_t d = 0; d < stride; d += LANES) {
        lanes sum = load(change + d);
        store(total + d, load(total + d) + sum);
        store(x + d, load(x + d) + sum * gain);
    }
}

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
extern const embed_kernels JOIN(embed_kernels_, EMBED_ISA);
const embed_kernels JOIN(embed_kernels_, EMBED_ISA) = {TEXT(EMBED_ISA), mean, add, dots, step};
