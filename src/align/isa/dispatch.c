/* dispatch.c — which variant of sgns.h this processor takes: that of the kernels in use. */
#include "align/isa/sgns.h"

#include <vislang/kernel.h>

#include <string.h>

extern const embed_kernels embed_kernels_ref;
#if defined(__x86_64__)
extern const embed_kernels embed_kernels_avx2, embed_kernels_avx512;
#endif

/* The variant of the kernels of that name. */
static const embed_kernels *variant(const char *name) {
#if defined(__x86_64__)
    if (!strcmp(name, "avx512") || !strcmp(name, "amx"))
        return &embed_kernels_avx512;
    if (!strcmp(name, "avx2"))
        return &embed_kernels_avx2;
#endif
    (void)name;
    return &embed_kernels_ref; /* on ARM, NEON: four numbers at once are part of the processor
                                */
}

const embed_kernels *embed_rows(void) {
    return variant(vl_kernels_get()->name);
}

size_t embed_rows_all(const embed_kernels *tables[4]) {
    const vl_kernels *all[8];
    size_t all_count = vl_kernels_all(all), count = 0;
    for (size_t i = 0; i < all_count; i++) {
        const embed_kernels *one = variant(all[i]->name);
        if (!count || tables[count - 1] != one)
            tables[count++] = one;
    }
    return count;
}
