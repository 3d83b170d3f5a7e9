/* csls.c — CSLS retrieval between two spaces of many words beside the machine's rate for
 * products of matrices, measured before and after in the same run.
 *
 *   bench_csls [WORDS [DIM [THREADS]]]      default 200000 300 and one thread a processor
 *
 * Rows are drawn by chance. Each word's best of the other side by CSLS takes every product
 * twice: once for the ten nearest of either side, once for the best. Prints operations a second
 * of both, by the clock and by processor time (which others on the machine do not take from),
 * their ratio, and the largest memory held. */
#include <align/rows.h>
#include <cblas.h>
#include <vislang/align.h>
#include <vislang/kernel.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { MAX_THREADS = 64, ROUNDS = 3 };

static void *room(size_t bytes) {
    void *memory = malloc(bytes);
    if (!memory)
        abort();
    return memory;
}

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static float *draw(size_t count, size_t dim, uint64_t seed) {
    float *rows = room(sizeof *rows * count * dim);
    for (size_t i = 0; i < count * dim; i++) {
        double sum = 0; /* near enough to normal */
        for (int t = 0; t < 4; t++)
            sum += vl_random_uniform(&seed) - 0.5;
        rows[i] = (float)sum;
    }
    align_rows_unit(rows, count, dim);
    return rows;
}

/* ---- the machine's rate -------------------------------------------------------------- */

typedef struct load {
    size_t m, n, k, times;
    bool blas;
} load;

static void *multiply(void *arg) {
    const load *l = arg;
    uint64_t seed = 1;
    float *a = draw(l->m, l->k, seed), *b = draw(l->n, l->k, seed + 1),
          *c = room(sizeof *c * l->m * l->n);
    vl_gemm gemm = {.transpose_b = true,
                    .m = l->m,
                    .n = l->n,
                    .k = l->k,
                    .lda = l->k,
                    .ldb = l->k,
                    .ldc = l->n};
    for (size_t t = 0; t < l->times; t++) {
        if (l->blas)
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)l->m, (int)l->n,
                        (int)l->k, 1, a, (int)l->k, b, (int)l->k, 0, c, (int)l->n);
        else
            vl_gemm_run(&gemm, a, b, c);
    }
    free(a);
    free(b);
    free(c);
    return NULL;
}

typedef struct rate {
    double clock, cpu; /* 10^9 operations a second */
} rate;

static void keep_better(rate *best, rate now) {
    best->clock = now.clock > best->clock ? now.clock : best->clock;
    best->cpu = now.cpu > best->cpu ? now.cpu : best->cpu;
}

static rate time_products(size_t threads, const load *l) {
    pthread_t ids[MAX_THREADS];
    load none = *l;
    none.times = 0;
    rate best = {0};
    for (int round = 0; round < ROUNDS; round++) {
        double cpu[3] = {cpu_seconds()};
        int64_t start = vl_clock_ns();
        for (int empty = 1; empty >= 0; empty--) { /* what drawing takes is taken off */
            start = vl_clock_ns();
            for (size_t t = 0; t < threads; t++)
                if (pthread_create(&ids[t], NULL, multiply, (void *)(empty ? &none : l)))
                    abort();
            for (size_t t = 0; t < threads; t++)
                pthread_join(ids[t], NULL);
            cpu[2 - empty] = cpu_seconds();
        }
        double work = 2e-9 * (double)(l->m * l->n * l->k) * (double)(l->times * threads);
        double busy = (cpu[2] - cpu[1]) - (cpu[1] - cpu[0]);
        keep_better(&best, (rate){work / (vl_clock_ms_since(start) / 1e3), work / busy});
    }
    return best;
}

/* The best of both libraries over blocks of several sizes. */
static rate machine_rate(size_t threads, size_t dim) {
    static const size_t sides[][2] = {{256, 1024}, {512, 512}, {1024, 1024}, {2048, 2048}};
    rate best = {0};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        for (int blas = 0; blas < 2; blas++) {
            load l = {.m = sides[i][0], .n = sides[i][1], .k = dim, .blas = blas};
            l.times = 1 + 40000000000 / (2 * l.m * l.n * l.k);
            keep_better(&best, time_products(threads, &l));
        }
    return best;
}

/* ---- retrieval ------------------------------------------------------------------------- */

static rate time_retrieval(size_t count, size_t dim, size_t threads) {
    float *x = draw(count, dim, 11), *y = draw(count, dim, 12);
    uint32_t *index = room(sizeof *index * count);
    float *score = room(sizeof *score * count);
    vl_rows source = {x, count, dim}, target = {y, count, dim};
    vl_retrieval_options options = vl_retrieval_options_default();
    vl_error error;
    options.threads = threads;
    double cpu = cpu_seconds();
    int64_t start = vl_clock_ns();
    if (vl_rows_retrieve(&source, &target, &options, index, score, &error)) {
        fprintf(stderr, "bench_csls: %s\n", error.message);
        exit(1);
    }
    double seconds = vl_clock_ms_since(start) / 1e3, busy = cpu_seconds() - cpu;
    double work = 2 * 2e-9 * (double)count * (double)count * (double)dim;
    printf("CSLS of %zu x %zu words, %zu dimensions, %zu threads: %.1f s, %.1f s of "
           "processors\n",
           count, count, dim, threads, seconds, busy);
    free(x);
    free(y);
    free(index);
    free(score);
    return (rate){work / seconds, work / busy};
}

int main(int argc, char **argv) {
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
    size_t dim = argc > 2 ? strtoul(argv[2], NULL, 10) : 300;
    size_t threads = argc > 3 ? strtoul(argv[3], NULL, 10) : vl_cpu_count();
    if (!count || !dim || !threads || threads > MAX_THREADS) {
        fprintf(stderr, "usage: bench_csls [WORDS [DIM [THREADS]]]\n");
        return 2;
    }
    openblas_set_num_threads(1);
    rate before = machine_rate(threads, dim), ours = time_retrieval(count, dim, threads);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    rate after = machine_rate(threads, dim), best = before;
    keep_better(&best, after);
    printf("products alone: %.1f GF/s by the clock, %.1f by processor time a processor\n",
           best.clock, best.cpu);
    printf("CSLS:           %.1f GF/s by the clock, %.1f by processor time a processor\n",
           ours.clock, ours.cpu);
    printf("ratio %.2f by the clock, %.2f by processor time; %.0f MB at most\n",
           ours.clock / best.clock, ours.cpu / best.cpu, (double)usage.ru_maxrss / 1024);
    return 0;
}
