/* sgns.h — the inner loops of skip-gram with negative samples over rows of a table, one variant
 * for each instruction set; embed_rows() gives the one that this processor's kernels are of.
 *
 * Rows begin at multiples of 64 bytes, `stride` numbers after each other (a multiple of 16);
 * what is behind a row's own numbers is zero and stays so. Rows may be the same. Other threads
 * may write to the same rows at the same time, and then some of what is added is lost (Recht,
 * Ré, Wright and Niu 2011, "Hogwild!"). */
#ifndef ALIGN_ISA_SGNS_H
#define ALIGN_ISA_SGNS_H

#include <stddef.h>
#include <stdint.h>

enum { EMBED_STRIDE = 16 };

typedef struct embed_kernels {
    const char *name;
    /* out = scale · Σ table[ids[i]] */
    void (*mean)(float *out, float scale, const float *table, const uint32_t *ids, size_t count,
                 size_t stride);
    /* table[ids[i]] += x */
    void (*add)(float *table, const uint32_t *ids, size_t count, const float *x, size_t stride);
    /* dots[i] = x · rows[i] */
    void (*dots)(float *dots, const float *x, float *const *rows, size_t count, size_t stride);
    /* With s = Σ g[i] · rows[i]: total += s, rows[i] += g[i] · x, and then x += gain · s. */
    void (*step)(float *x, float *total, float gain, float *const *rows, const float *g,
                 size_t count, size_t stride);
} embed_kernels;
const embed_kernels *embed_rows(void);
/* All that this processor can run, the plain one first; for tests. */
size_t embed_rows_all(const embed_kernels *tables[4]);

#endif
