/* search.c — how fast an index of vectors is searched: its own part of bench/search/run.py.
 *
 * bench_search FOLDER COUNT SIZE QUERIES K: random unit vectors and queries go to FOLDER as raw
 * f32 (vectors.f32, queries.f32), so that another program can search the same; the index to
 * FOLDER/bench.idx; hits, as rows of K numbers of 32 bits, to FOLDER/hits.u32. Prints one JSON
 * object of processor times. One thread. */
#include <vislang/kernel.h>
#include <vislang/model.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static uint64_t noise = 1;

static double uniform(void) {
    noise = noise * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return ((double)(noise >> 11) + 0.5) / 9007199254740992.0;
}

static void random_unit(float *vector, size_t n) {
    double square = 0;
    for (size_t i = 0; i < n; i++) {
        double x = sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
        vector[i] = (float)x;
        square += x * x;
    }
    for (size_t i = 0; i < n; i++)
        vector[i] = (float)((double)vector[i] / sqrt(square));
}

static void give_up(const char *what) {
    fprintf(stderr, "bench_search: %s\n", what);
    exit(1);
}

static void *room(size_t bytes) {
    void *memory = malloc(bytes);
    if (!memory)
        give_up("out of memory");
    return memory;
}

static float *random_units(size_t count, size_t size) {
    float *vectors = room(count * size * sizeof *vectors);
    for (size_t i = 0; i < count; i++)
        random_unit(vectors + i * size, size);
    return vectors;
}

static void store(const char *folder, const char *name, const void *data, size_t bytes) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    vl_error error;
    if (vl_file_write(path, data, bytes, &error))
        give_up(error.message);
}

static void write_index(const char *path, const float *vectors, size_t count, size_t size) {
    vl_vectors_writer *writer;
    vl_error error;
    vl_status status = vl_vectors_writer_new("random", size, &writer, &error);
    for (size_t i = 0; !status && i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%08zu.jpg", i);
        status = vl_vectors_add(writer, &(vl_vectors_picture){.name = name}, vectors + i * size,
                                &error);
    }
    if (status || vl_vectors_write(writer, path, &error))
        give_up(error.message);
    vl_vectors_writer_free(writer);
}

/* Processor time, so that what else runs here disturbs less. */
static int64_t thread_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double ms_since(int64_t start) {
    return (double)(thread_ns() - start) / 1e6;
}

static int by_time(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 6)
        give_up("usage: bench_search FOLDER COUNT SIZE QUERIES K");
    const char *folder = argv[1];
    size_t count = strtoul(argv[2], NULL, 10), size = strtoul(argv[3], NULL, 10);
    size_t queries = strtoul(argv[4], NULL, 10), k = strtoul(argv[5], NULL, 10);
    if (!count || !size || !queries || !k || k > count)
        give_up("COUNT, SIZE, QUERIES and K are whole numbers from 1, K at most COUNT");
    char path[4096];
    snprintf(path, sizeof path, "%s/bench.idx", folder);
    float *vectors = random_units(count, size), *asked = random_units(queries, size);
    store(folder, "vectors.f32", vectors, count * size * sizeof *vectors);
    store(folder, "queries.f32", asked, queries * size * sizeof *asked);
    int64_t start = thread_ns();
    write_index(path, vectors, count, size);
    double write_ms = ms_since(start);
    free(vectors);

    vl_vectors *index;
    vl_error error;
    start = thread_ns();
    if (vl_vectors_open(path, &index, &error))
        give_up(error.message);
    double open_ms = ms_since(start);
    vl_vectors_hit *hits = room(k * sizeof *hits);
    uint32_t *found = room(queries * k * sizeof *found);
    double *times = room(queries * sizeof *times), sum = 0;
    for (size_t q = 0; q < queries; q++) {
        size_t got;
        start = thread_ns();
        if (vl_vectors_search(index, asked + q * size, k, hits, &got, &error))
            give_up(error.message);
        sum += times[q] = ms_since(start);
        for (size_t i = 0; i < k; i++)
            found[q * k + i] = (uint32_t)hits[i].index;
    }
    qsort(times, queries, sizeof *times, by_time);
    store(folder, "hits.u32", found, queries * k * sizeof *found);
    struct stat info;
    if (stat(path, &info))
        give_up("the index is not there");
    printf("{\"kernels\": \"%s\", \"p50_ms\": %.4f, \"p95_ms\": %.4f, \"mean_ms\": %.4f, "
           "\"best_ms\": %.4f, \"open_ms\": %.2f, \"write_ms\": %.1f, \"bytes\": %lld}\n",
           vl_kernels_get()->quant->name, times[queries / 2], times[queries * 95 / 100],
           sum / (double)queries, times[0], open_ms, write_ms, (long long)info.st_size);
    vl_vectors_free(index);
    free(hits);
    free(found);
    free(times);
    free(asked);
    return 0;
}
