/* dispatch.c — which variant of the kernels this process uses. */
#include <vislang/kernel.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

/* The tables of isa/rows.c and isa/quant_*.c. What is handed out are copies that hold both. */
extern const vl_kernels vl_kernels_ref;
#if !defined(VL_REAL_DOUBLE) && defined(__x86_64__)
extern const vl_kernels vl_kernels_avx2, vl_kernels_avx512;
#elif !defined(VL_REAL_DOUBLE) && defined(__aarch64__)
extern const vl_kernels vl_kernels_neon;
#endif
#ifndef VL_REAL_DOUBLE
extern const vl_quant_kernels vl_quant_ref;
#endif
#ifdef __x86_64__
extern const vl_quant_kernels vl_quant_avx2, vl_quant_avx512, vl_quant_avx512_vnni,
    vl_quant_amx;
#elif defined(__aarch64__)
extern const vl_quant_kernels vl_quant_neon, vl_quant_neon_dot;
#endif

static vl_kernels offered[8];
static size_t offered_count;

static void offer(const char *name, const vl_kernels *rows, const vl_quant_kernels *quant) {
    vl_kernels *table = &offered[offered_count++];
    *table = *rows;
    table->name = name;
    table->quant = quant;
}

#if !defined(VL_REAL_DOUBLE) && defined(__x86_64__)

/* Whether tiles of bytes may be used: the processor has them, the system saves them, and this
 * process asked for them. (Intel SDM volume 1, section 18.3; Linux Documentation/arch/x86/
 * xstate.rst.) */
static bool may_use_tiles(void) {
    enum { AMX_TILE = 1u << 24, AMX_INT8 = 1u << 25, OSXSAVE = 1u << 27 };
    enum { TILE_CONFIG_AND_DATA = 3u << 17, TILE_DATA = 18, REQUEST_PERMISSION = 0x1023 };
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE))
        return false;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & AMX_TILE) || !(d & AMX_INT8))
        return false;
    unsigned enabled, upper;
    __asm__("xgetbv" : "=a"(enabled), "=d"(upper) : "c"(0));
    if ((enabled & TILE_CONFIG_AND_DATA) != TILE_CONFIG_AND_DATA)
        return false;
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

static void offer_x86(void) {
    /* Every processor with AVX2 has F16C. */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        offer("avx2", &vl_kernels_avx2, &vl_quant_avx2);
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq"))
        return;
    bool vnni = __builtin_cpu_supports("avx512vnni");
    offer("avx512", &vl_kernels_avx512, vnni ? &vl_quant_avx512_vnni : &vl_quant_avx512);
    if (vnni && may_use_tiles()) /* rows have no tile form */
        offer("amx", &vl_kernels_avx512, &vl_quant_amx);
}

#endif

static void fill(void) {
#ifdef VL_REAL_DOUBLE
    offer("ref", &vl_kernels_ref, NULL);
#else
    offer("ref", &vl_kernels_ref, &vl_quant_ref);
#endif
#if !defined(VL_REAL_DOUBLE) && defined(__x86_64__)
    offer_x86();
#elif !defined(VL_REAL_DOUBLE) && defined(__aarch64__)
    bool dot = getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
    offer("neon", &vl_kernels_neon, dot ? &vl_quant_neon_dot : &vl_quant_neon);
#endif
}

size_t vl_kernels_all(const vl_kernels *tables[8]) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
    for (size_t i = 0; i < offered_count; i++)
        tables[i] = &offered[i];
    return offered_count;
}

static const vl_kernels *chosen;

static void choose(void) {
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    chosen = tables[count - 1];
    const char *wanted = getenv("VISLANG_CPU");
    if (!wanted || !*wanted)
        return;
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
