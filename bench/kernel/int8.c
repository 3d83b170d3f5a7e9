/* int8.c — products of 8-bit numbers through oneDNN beside its bf16 products, one thread.
 *
 *   build/bench/bench_kernel_int8
 *
 * A line a shape [m,k]·[n,k]ᵀ: microseconds of each (inputs are rounded anew every time,
 * weights of 8 bits once), and the time of bf16 over that of int8. */
#include <stdio.h>
#include <stdlib.h>
#include <vislang/kernel.h>

enum { ROUNDS = 9 };

typedef struct product {
    size_t m, n, k;
    float *x, *w, *y, *x_scale, *w_scale;
    int8_t *qx, *qw;
} product;

static void run_bf16(product *p) {
    vl_gemm gemm = {.transpose_b = true,
                    .precision = VL_PRECISION_BF16,
                    .m = p->m,
                    .n = p->n,
                    .k = p->k,
                    .lda = p->k,
                    .ldb = p->k,
                    .ldc = p->n};
    vl_gemm_run(&gemm, p->x, p->w, p->y);
}

static void run_int8(product *p) {
    vl_int8_round(p->qx, p->x_scale, p->x, p->m, p->k);
    vl_int8_linear(p->y, p->qx, p->x_scale, p->m, p->qw, p->w_scale, p->n, p->k, NULL);
}

/* Microseconds, the best of ROUNDS. */
static double measure(product *p, void (*run)(product *)) {
    double best = 1e30;
    size_t times = 1 + 400000000 / (p->m * p->n * p->k);
    run(p);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = vl_clock_ns();
        for (size_t i = 0; i < times; i++)
            run(p);
        double each = (double)(vl_clock_ns() - start) / 1e3 / (double)times;
        best = each < best ? each : best;
    }
    return best;
}

static void *room(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory)
        abort();
    return memory;
}

int main(void) {
    static const size_t shapes[][3] = {
        {64, 768, 256}, {64, 1024, 256}, {64, 256, 1024}, {256, 256, 256}, {1024, 1024, 256}};
    uint64_t random = 1;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        product p = {.m = shapes[s][0], .n = shapes[s][1], .k = shapes[s][2]};
        p.x = room(p.m * p.k, sizeof(float));
        p.w = room(p.n * p.k, sizeof(float));
        p.y = room(p.m * p.n, sizeof(float));
        p.x_scale = room(p.m, sizeof(float));
        p.w_scale = room(p.n, sizeof(float));
        p.qx = room(p.m * p.k, 1);
        p.qw = room(p.n * p.k, 1);
        for (size_t i = 0; i < p.m * p.k; i++)
            p.x[i] = (float)vl_random_uniform(&random) - 0.5f;
        for (size_t i = 0; i < p.n * p.k; i++)
            p.w[i] = (float)vl_random_uniform(&random) - 0.5f;
        vl_int8_round(p.qw, p.w_scale, p.w, p.n, p.k);
        double bf16 = measure(&p, run_bf16), int8 = measure(&p, run_int8);
        printf("%4zu x %4zu x %4zu  bf16 %8.1f us  int8 %8.1f us  ratio %.2f  %.0f GOP/s\n",
               p.m, p.n, p.k, bf16, int8, bf16 / int8,
               2 * (double)(p.m * p.n * p.k) / int8 / 1e3);
        free(p.x), free(p.w), free(p.y), free(p.x_scale), free(p.w_scale), free(p.qx),
            free(p.qw);
    }
    return 0;
}
