/* dispatch.c — which variant of the kernels this process uses. */
#include <vislang/kernel.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

extern const vl_kernels vl_kernels_ref;
#if !defined(VL_REAL_DOUBLE) && defined(__x86_64__)
extern const vl_kernels vl_kernels_avx2, vl_kernels_avx512;
#elif !defined(VL_REAL_DOUBLE) && defined(__aarch64__)
extern const vl_kernels vl_kernels_neon;
#endif

size_t vl_kernels_all(const vl_kernels *tables[8]) {
    size_t count = 0;
    tables[count++] = &vl_kernels_ref;
#if !defined(VL_REAL_DOUBLE) && defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        tables[count++] = &vl_kernels_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        tables[count++] = &vl_kernels_avx512;
#elif !defined(VL_REAL_DOUBLE) && defined(__aarch64__)
    tables[count++] = &vl_kernels_neon;
#endif
    return count;
}

static const vl_kernels *chosen;

static void choose(void) {
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    chosen = tables[count - 1];
    const char *wanted = getenv("VISLANG_CPU");
    if (!wanted || !*wanted)
        return;
    if (strcmp(wanted, "amx") == 0) /* rows have no tile form; products do */
        wanted = "avx512";
    for (size_t i = 0; i < count; i++)
        if (strcmp(tables[i]->name, wanted) == 0) {
            chosen = tables[i];
            return;
        }
    vl_log(VL_LOG_WARN, "VISLANG_CPU names nothing this processor has; ignored",
           VL_F_STR("wanted", wanted), VL_F_STR("using", chosen->name));
}

const vl_kernels *vl_kernels_get(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    return chosen;
}
