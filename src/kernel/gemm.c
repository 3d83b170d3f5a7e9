/* gemm.c — products of matrices, through oneDNN.
 *
 * f32 products call its sgemm; bf16 products round both factors into scratch memory of the
 * thread and run a matmul primitive. Making a primitive costs far more than running a small
 * one, so each thread keeps those it made (a network has a few dozen shapes). oneDNN would
 * spread a product over OpenMP threads; parallelism here is one picture or one shard a thread,
 * so its threads are switched off on every thread that comes by. */
#include <vislang/kernel.h>

#include <stdlib.h>
#include <string.h>

/* Small and odd work, and the double build. */
static void gemm_plain(const vl_gemm *g, const vl_real *a, const vl_real *b, vl_real *c) {
    size_t step_a = g->transpose_a ? g->lda : 1, row_a = g->transpose_a ? 1 : g->lda;
    for (size_t i = 0; i < g->m; i++) {
        vl_real *out = c + i * g->ldc;
        if (!g->accumulate)
            memset(out, 0, g->n * sizeof *out);
        for (size_t l = 0; l < g->k; l++) {
            vl_real factor = a[i * row_a + l * step_a];
            if (g->transpose_b)
                for (size_t j = 0; j < g->n; j++)
                    out[j] += factor * b[j * g->ldb + l];
            else
                for (size_t j = 0; j < g->n; j++)
                    out[j] += factor * b[l * g->ldb + j];
        }
    }
}

#ifdef VL_REAL_DOUBLE

void vl_gemm_run(const vl_gemm *gemm, const vl_real *a, const vl_real *b, vl_real *c) {
    gemm_plain(gemm, a, b, c);
}

bool vl_cpu_has_bf16(void) {
    return false;
}

#else

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>

enum { MAX_PRIMITIVES = 512, SMALL = 2048 };

typedef struct cached {
    vl_gemm key;
    dnnl_primitive_t primitive;
    dnnl_memory_t a, b, c;
} cached;

typedef struct thread_state {
    dnnl_stream_t stream;
    cached items[MAX_PRIMITIVES];
    size_t count;
    vl_bf16 *scratch;
    size_t scratch_count;
} thread_state;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t state_key;
static dnnl_engine_t engine;
static bool has_bf16;
static void (*set_threads)(int); /* of the OpenMP runtime that oneDNN is linked with */

static void forget(cached *item) {
    if (item->primitive)
        dnnl_primitive_destroy(item->primitive);
    if (item->a)
        dnnl_memory_destroy(item->a);
    if (item->b)
        dnnl_memory_destroy(item->b);
    if (item->c)
        dnnl_memory_destroy(item->c);
}

static void state_free(void *memory) {
    thread_state *state = memory;
    for (size_t i = 0; i < state->count; i++)
        forget(&state->items[i]);
    dnnl_stream_destroy(state->stream);
    free(state->scratch);
    free(state);
}

/* VISLANG_CPU binds oneDNN as well, as far as its own instruction sets go. */
static void bind_instructions(const char *wanted) {
    static const struct {
        const char *name;
        dnnl_cpu_isa_t isa;
    } bounds[] = {{"ref", dnnl_cpu_isa_sse41},
                  {"avx2", dnnl_cpu_isa_avx2},
                  {"avx512", dnnl_cpu_isa_avx512_core_bf16}};
    for (size_t i = 0; wanted && i < sizeof bounds / sizeof *bounds; i++)
        if (!strcmp(wanted, bounds[i].name))
            dnnl_set_max_cpu_isa(bounds[i].isa);
}

static void start(void) {
    pthread_key_create(&state_key, state_free);
    bind_instructions(getenv("VISLANG_CPU"));
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
        engine = NULL;
    *(void **)&set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    const char *wanted = getenv("VISLANG_CPU");
    bool forced_plain = wanted && (!strcmp(wanted, "ref") || !strcmp(wanted, "avx2"));
#ifdef __x86_64__
    has_bf16 = !forced_plain && __builtin_cpu_supports("avx512bf16");
#endif
}

bool vl_cpu_has_bf16(void) {
    pthread_once(&once, start);
    return has_bf16;
}

static thread_state *state_get(void) {
    pthread_once(&once, start);
    thread_state *state = pthread_getspecific(state_key);
    if (state || !engine)
        return state;
    state = calloc(1, sizeof *state);
    if (!state)
        return NULL;
    if (dnnl_stream_create(&state->stream, engine, dnnl_stream_default_flags) != dnnl_success) {
        free(state);
        return NULL;
    }
    if (set_threads)
        set_threads(1);
    pthread_setspecific(state_key, state);
    return state;
}

static bool same(const vl_gemm *x, const vl_gemm *y) {
    return x->m == y->m && x->n == y->n && x->k == y->k && x->ldc == y->ldc &&
           x->transpose_a == y->transpose_a && x->transpose_b == y->transpose_b &&
           x->accumulate == y->accumulate;
}

static bool describe(dnnl_memory_desc_t *desc, size_t rows, size_t columns, size_t row_step,
                     size_t column_step, dnnl_data_type_t type) {
    dnnl_dims_t dims = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
    dnnl_dims_t strides = {(dnnl_dim_t)row_step, (dnnl_dim_t)column_step};
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides) == dnnl_success;
}

/* C += A·B as a "sum" after the product; NULL where C is overwritten, or without memory. */
static dnnl_primitive_attr_t sum_attribute(void) {
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t sum = NULL;
    if (dnnl_primitive_attr_create(&attr) != dnnl_success)
        return NULL;
    bool ok = dnnl_post_ops_create(&sum) == dnnl_success &&
              dnnl_post_ops_append_sum(sum, 1.0f) == dnnl_success &&
              dnnl_primitive_attr_set_post_ops(attr, sum) == dnnl_success;
    if (sum)
        dnnl_post_ops_destroy(sum);
    if (ok)
        return attr;
    dnnl_primitive_attr_destroy(attr);
    return NULL;
}

/* The bf16 product with packed factors (row step = columns as stored). After false the caller
 * forgets what there is of `item`. */
static bool make(const vl_gemm *g, cached *item) {
    dnnl_memory_desc_t a, b, c;
    dnnl_matmul_desc_t desc;
    if (!describe(&a, g->m, g->k, g->transpose_a ? 1 : g->k, g->transpose_a ? g->m : 1,
                  dnnl_bf16) ||
        !describe(&b, g->k, g->n, g->transpose_b ? 1 : g->n, g->transpose_b ? g->k : 1,
                  dnnl_bf16) ||
        !describe(&c, g->m, g->n, g->ldc, 1, dnnl_f32) ||
        dnnl_matmul_desc_init(&desc, &a, &b, NULL, &c) != dnnl_success)
        return false;
    dnnl_primitive_attr_t attr = g->accumulate ? sum_attribute() : NULL;
    dnnl_primitive_desc_t pd = NULL;
    bool ok = (attr || !g->accumulate) &&
              dnnl_primitive_desc_create(&pd, &desc, attr, engine, NULL) == dnnl_success &&
              dnnl_primitive_create(&item->primitive, pd) == dnnl_success;
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    item->key = *g;
    return ok && dnnl_memory_create(&item->a, &a, engine, DNNL_MEMORY_NONE) == dnnl_success &&
           dnnl_memory_create(&item->b, &b, engine, DNNL_MEMORY_NONE) == dnnl_success &&
           dnnl_memory_create(&item->c, &c, engine, DNNL_MEMORY_NONE) == dnnl_success;
}

static cached *find(thread_state *state, const vl_gemm *g) {
    for (size_t i = 0; i < state->count; i++)
        if (same(&state->items[i].key, g))
            return &state->items[i];
    if (state->count == MAX_PRIMITIVES) { /* shapes that vary without end: start over */
        for (size_t i = 0; i < state->count; i++)
            forget(&state->items[i]);
        state->count = 0;
    }
    cached *item = &state->items[state->count];
    memset(item, 0, sizeof *item);
    if (!make(g, item)) {
        forget(item);
        return NULL;
    }
    state->count++;
    return item;
}

static vl_bf16 *scratch(thread_state *state, size_t count) {
    if (state->scratch_count < count) {
        free(state->scratch);
        state->scratch = aligned_alloc(64, (count * sizeof(vl_bf16) + 63) / 64 * 64);
        state->scratch_count = state->scratch ? count : 0;
    }
    return state->scratch;
}

static void pack(vl_bf16 *out, const vl_real *x, size_t rows, size_t columns, size_t ld) {
    const vl_kernels *kernels = vl_kernels_get();
    if (ld == columns)
        kernels->to_bf16(out, x, rows * columns);
    else
        for (size_t r = 0; r < rows; r++)
            kernels->to_bf16(out + r * columns, x + r * ld, columns);
}

static bool gemm_bf16(thread_state *state, const vl_gemm *g, const vl_real *a, const vl_real *b,
                      vl_real *c) {
    size_t count_a = (g->m * g->k + 31) / 32 * 32, count_b = g->k * g->n;
    vl_bf16 *packed = scratch(state, count_a + count_b);
    cached *item = packed ? find(state, g) : NULL;
    if (!item)
        return false;
    pack(packed, a, g->transpose_a ? g->k : g->m, g->transpose_a ? g->m : g->k, g->lda);
    pack(packed + count_a, b, g->transpose_b ? g->n : g->k, g->transpose_b ? g->k : g->n,
         g->ldb);
    dnnl_memory_set_data_handle(item->a, packed);
    dnnl_memory_set_data_handle(item->b, packed + count_a);
    dnnl_memory_set_data_handle(item->c, c);
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, item->a}, {DNNL_ARG_WEIGHTS, item->b}, {DNNL_ARG_DST, item->c}};
    return dnnl_primitive_execute(item->primitive, state->stream, 3, args) == dnnl_success &&
           dnnl_stream_wait(state->stream) == dnnl_success;
}

void vl_gemm_run(const vl_gemm *g, const vl_real *a, const vl_real *b, vl_real *c) {
    if (!g->m || !g->n)
        return;
    thread_state *state = g->m * g->n * g->k > SMALL ? state_get() : NULL;
    if (state && g->precision == VL_PRECISION_BF16 && has_bf16 && gemm_bf16(state, g, a, b, c))
        return;
    if (!state ||
        dnnl_sgemm(g->transpose_a ? 'T' : 'N', g->transpose_b ? 'T' : 'N', (dnnl_dim_t)g->m,
                   (dnnl_dim_t)g->n, (dnnl_dim_t)g->k, 1.0f, a, (dnnl_dim_t)g->lda, b,
                   (dnnl_dim_t)g->ldb, g->accumulate ? 1.0f : 0.0f, c,
                   (dnnl_dim_t)g->ldc) != dnnl_success)
        gemm_plain(g, a, b, c);
}

#endif
