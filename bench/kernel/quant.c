/* quant.c — how fast products with quantised weights are: every format in every variant that
 * this processor has, in weights read and in operations, beside what one core reads from memory
 * in the same run. README.md has the command and figures. */
#include <vislang/kernel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPEATS = 7, MOST_INPUTS = 16 };
static const double seconds_each = 0.02;

/* Processor time, so that what else runs here disturbs less. */
static int64_t thread_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *room(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        exit(1);
    }
    return memory;
}

/* ---- what the machine gives ----------------------------------------------------- */

/* Sums of 64-bit words: nothing but loads and an add for each vector. */
#ifdef __x86_64__
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
static uint64_t
read_all(const uint64_t *words, size_t count) {
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (size_t i = 0; i + 32 <= count; i += 32)
        for (size_t j = 0; j < 8; j++) {
            a += words[i + j];
            b += words[i + 8 + j];
            c += words[i + 16 + j];
            d += words[i + 24 + j];
        }
    return a + b + c + d;
}

static double read_bandwidth(const void *memory, size_t bytes) {
    static volatile uint64_t sink;
    double best = 0;
    sink = sink + read_all(memory, bytes / 8);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        size_t runs = 0;
        int64_t start = thread_ns(), now;
        do {
            sink = sink + read_all(memory, bytes / 8);
            runs++;
            now = thread_ns();
        } while ((double)(now - start) < seconds_each * 1e9);
        double rate = (double)(runs * bytes) / (double)(now - start);
        best = rate > best ? rate : best;
    }
    return best;
}

/* ---- products ------------------------------------------------------------------- */

typedef struct problem {
    const vl_quant_kernels *kernels;
    vl_dtype dtype;
    size_t m, n, k;
    const void *weights;
    float *y;
    const float *x;
    vl_quant_input input;
} problem;

/* Rounding of inputs included, as a decoder pays it. */
static void run(const problem *p) {
    for (size_t i = 0; i < p->m; i++)
        p->kernels->round_row((int8_t *)p->input.q + i * p->k,
                              (float *)p->input.scale + i * (p->k / 32),
                              (int32_t *)p->input.sum + i * (p->k / 32), p->x + i * p->k, p->k);
    p->kernels->product(p->y, &p->input, p->dtype, p->weights, p->n, NULL);
}

/* Nanoseconds of one product: the best of several stretches of many. */
static double time_of(const problem *p) {
    double best = 1e300;
    run(p);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        size_t runs = 0;
        int64_t start = thread_ns(), now;
        do {
            run(p);
            runs++;
            now = thread_ns();
        } while ((double)(now - start) < seconds_each * 1e9);
        double each = (double)(now - start) / (double)runs;
        best = each < best ? each : best;
    }
    return best;
}

static size_t all_variants(const vl_quant_kernels *variants[9]) {
    const vl_kernels *tables[8];
    size_t tables_count = vl_kernels_all(tables), count = 0;
    for (size_t i = 0; i < tables_count; i++) {
#ifdef __x86_64__
        /* For processors without VNNI: in no table where that is at hand. */
        extern const vl_quant_kernels vl_quant_avx512;
        if (strcmp(tables[i]->quant->name, "avx512-vnni") == 0)
            variants[count++] = &vl_quant_avx512;
#endif
        variants[count++] = tables[i]->quant;
    }
    return count;
}

static void measure(size_t n, size_t k) {
    static const vl_dtype dtypes[] = {VL_Q8_0, VL_Q4_0, VL_Q2_0};
    static const size_t inputs[] = {1, 4, 16};
    const vl_quant_kernels *variants[9];
    size_t count = all_variants(variants);
    float *w = room(n * k * sizeof *w), *x = room(MOST_INPUTS * k * sizeof *x);
    float *y = room(MOST_INPUTS * n * sizeof *y);
    void *memory = room(vl_quant_input_bytes(MOST_INPUTS, k));
    for (size_t i = 0; i < n * k; i++)
        w[i] = (float)(int)(i * 2654435761u >> 8 & 1023) / 512.0f - 1;
    for (size_t i = 0; i < MOST_INPUTS * k; i++)
        x[i] = (float)(int)(i * 40503u >> 4 & 1023) / 512.0f - 1;
    for (size_t t = 0; t < 3; t++) {
        size_t bytes = vl_dtype_row_bytes(dtypes[t], n * k);
        void *weights = room(bytes);
        if (vl_quantize_row(dtypes[t], w, n * k, weights) != VL_OK)
            exit(1);
        double limit = read_bandwidth(weights, bytes);
        printf("%zux%zu %s: %zu kB, read at %.1f GB/s\n", n, k, vl_dtype_name(dtypes[t]),
               bytes / 1000, limit);
        for (size_t v = 0; v < count; v++)
            for (size_t m = 0; m < 3; m++) {
                problem p = {.kernels = variants[v],
                             .dtype = dtypes[t],
                             .m = inputs[m],
                             .n = n,
                             .k = k,
                             .weights = weights,
                             .y = y,
                             .x = x};
                p.input = vl_quant_round(memory, x, p.m, k);
                double ns = time_of(&p);
                printf("  %-12s m=%-2zu %9.2f us  %6.2f GB/s of weights (%5.1f %%)  %8.2f "
                       "GOP/s\n",
                       p.kernels->name, p.m, ns / 1000, (double)bytes / ns,
                       100 * (double)bytes / ns / limit, 2.0 * (double)(p.m * n * k) / ns);
            }
        free(weights);
    }
    free(w);
    free(x);
    free(y);
    free(memory);
}

int main(void) {
    enum { LARGE = 256 << 20 };
    void *large = room(LARGE);
    memset(large, 1, LARGE);
    printf("one core reads %d MiB at %.1f GB/s\n", LARGE >> 20, read_bandwidth(large, LARGE));
    free(large);
    measure(256, 1024);
    measure(8192, 256);
    return 0;
}
