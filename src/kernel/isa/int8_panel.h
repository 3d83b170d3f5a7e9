/* int8_panel.h — products with weights of 8 bits in panels, for int8.c.
 *
 * Packed weights are, for PANEL rows of them at a time (the last panel filled up with zeros),
 * 128 · the sum of each row, and then, four numbers of every row at a time, all rows: what one
 * VNNI instruction takes. */
#ifndef KERNEL_INT8_PANEL_H
#define KERNEL_INT8_PANEL_H

#include <stddef.h>
#include <stdint.h>

enum { VL_INT8_PANEL = 16 };

static inline size_t vl_int8_panels(size_t n) {
    return (n + VL_INT8_PANEL - 1) / VL_INT8_PANEL;
}
/* Bytes of a panel without its sums. */
static inline size_t vl_int8_panel_bytes(size_t k) {
    return (k + 3) / 4 * 4 * VL_INT8_PANEL;
}

/* y[m,n] = x[m,k] · w[n,k]ᵀ; `packed` lies at a multiple of 64. */
void vl_int8_product_vnni(int32_t *y, const int8_t *x, size_t m, const void *packed, size_t n,
                          size_t k);

#endif
