/* alone.c — the checks of variants.h as a program that needs nothing but the C library, for
 * instruction sets that are only emulated where the suite runs.
 *
 *   alone            every table this processor offers, and the quantised variants beside them
 *   alone NAME       the same, and NAME must be the quantised variant that is in use
 *
 * Exit status 0: all agree; 1: one does not (it says which); 77: what is asked for needs
 * instructions that are not here. */
#include <stdio.h>
#include <stdlib.h>

#define VARIANT_FAIL(...)                                                                      \
    do {                                                                                       \
        fprintf(stderr, "FAILED: " __VA_ARGS__);                                               \
        fputc('\n', stderr);                                                                   \
        exit(1);                                                                               \
    } while (0)
#include "variants.h"

/* dispatch.c reports a choice that is not there; the log room is not linked here. */
void vl_log_write(vl_log_level level, const char *message, const vl_field *fields,
                  size_t count) {
    fprintf(stderr, "log %d: %s (%s), %zu fields\n", (int)level, message,
            fields[0].value.string, count);
}

#ifdef VL_TILES_EMULATED

extern const vl_quant_kernels vl_quant_amx;

/* Tiles are emulated (tiles.h); the AVX-512 around them is not. */
static void check_others(const vl_quant_kernels *ref) {
    if (!__builtin_cpu_supports("avx512vnni") || !__builtin_cpu_supports("avx512bw")) {
        printf("SKIPPED: this processor has no AVX-512 VNNI, which the tiles are built with\n");
        exit(77);
    }
    printf("%s, its tiles emulated\n", vl_quant_amx.name);
    check_quant(ref, &vl_quant_amx);
}

#else

static void check_others(const vl_quant_kernels *ref) {
    (void)ref;
}

#endif

int main(int argc, char **argv) {
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    const char *used = tables[count - 1]->quant->name;
    if (argc > 1 && strcmp(argv[1], used) != 0)
        VARIANT_FAIL("%s is in use, not %s", used, argv[1]);
    if (vl_kernels_get() != tables[count - 1])
        VARIANT_FAIL("the last table is not the one in use");
    check_others(tables[0]->quant);
    for (size_t i = 0; i < count; i++) {
        printf("%s, quantised: %s\n", tables[i]->name, tables[i]->quant->name);
        check_rows(tables[0], tables[i]);
        check_quant(tables[0]->quant, tables[i]->quant);
    }
    printf("all agree\n");
    return 0;
}
