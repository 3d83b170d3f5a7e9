/* seer.c — how fast the bundled picture model describes, decodes and trains, on one core.
 *   bench_seer caption MODEL PICTURE…   a picture file to its caption, in one warm session
 *   bench_seer decode MODEL PICTURE     greedy tokens, beside what memory can deliver
 *   bench_seer train SIDE               a training step, beside its products alone in oneDNN
 * Prints one JSON object. */
#include "model/seer_use.h"

#include <vislang/model.h>

#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int fail(const char *what, const vl_error *error) {
    fprintf(stderr, "bench_seer: %s: %s\n", what, error->message);
    return 1;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double peak_mb(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static vl_status describe(vl_seer_session *session, const char *path, vl_arena *arena,
                          vl_seer_text *text, vl_error *error) {
    vl_buf bytes;
    vl_buf_init(&bytes, 64 << 20);
    vl_media_limits limits = vl_media_limits_default();
    vl_image *image = NULL;
    vl_status status = vl_file_read(path, 64 << 20, &bytes, error);
    if (!status)
        status = vl_document_first(bytes.data, bytes.len, &limits, &image, error);
    if (!status)
        status = vl_seer_session_look(session, image, error);
    vl_seer_writing how = vl_seer_writing_default();
    if (!status)
        status = vl_seer_caption(session, "en", &how, arena, text, error);
    vl_image_free(image);
    vl_buf_deinit(&bytes);
    return status;
}

/* ---- caption ------------------------------------------------------------------------ */

enum { MOST = 4000 };

static int bench_caption(const char *model, char **pictures, size_t count) {
    vl_error error;
    vl_seer *seer;
    int64_t start = vl_clock_ns();
    if (vl_seer_open(model, &seer, &error))
        return fail(model, &error);
    double opened = vl_clock_ms_since(start), first = 0;
    vl_seer_session *session = vl_seer_session_new(seer);
    vl_arena *arena = vl_arena_new(1 << 24);
    static double times[MOST];
    size_t done = 0, tokens = 0;
    size_t rounds = count < 100 ? 200 / count + 1 : 1;
    for (size_t r = 0; r < rounds; r++)
        for (size_t i = 0; i < count && done < MOST; i++) {
            vl_seer_text text;
            int64_t begun = vl_clock_ns();
            if (describe(session, pictures[i], arena, &text, &error))
                return fail(pictures[i], &error);
            double spent = vl_clock_ms_since(begun);
            if (!r && !i)
                first = spent;
            else
                times[done++] = spent, tokens += text.tokens;
            vl_arena_reset(arena);
        }
    qsort(times, done, sizeof *times, by_value);
    printf("{\"format\":\"%s\",\"pictures\":%zu,\"open_ms\":%.1f,\"first_ms\":%.1f,"
           "\"p50_ms\":%.2f,\"p95_ms\":%.2f,\"tokens\":%.1f,\"peak_mb\":%.0f}\n",
           vl_seer_format(seer), done, opened, first, times[done / 2], times[done * 95 / 100],
           (double)tokens / (double)done, peak_mb());
    vl_seer_session_free(session);
    vl_seer_free(seer);
    vl_arena_free(arena);
    return 0;
}

/* ---- decode ------------------------------------------------------------------------- */

/* Bytes a second of reading 256 MB from memory. */
static double read_bandwidth(void) {
    size_t count = (size_t)64 << 20;
    float *x = malloc(count * sizeof *x);
    if (!x)
        return NAN;
    for (size_t i = 0; i < count; i++)
        x[i] = (float)i;
    volatile float sink = vl_kernels_get()->dot(x, x, count);
    int64_t start = vl_clock_ns();
    sink = vl_kernels_get()->dot(x, x, count);
    (void)sink;
    double seconds = vl_clock_ms_since(start) / 1000;
    free(x);
    return (double)count * sizeof *x / seconds;
}

static size_t decoder_bytes(const vl_seer *seer) {
    size_t bytes = 0;
    for (size_t i = 0; i < vl_params_count(seer->params); i++) {
        const vl_param *p = vl_params_at(seer->params, i);
        bool decoder = !strncmp(p->name, "text.", 5) || !strncmp(p->name, "mixed.", 6);
        if (!decoder || strstr(p->name, ".kv.") || strstr(p->name, "position"))
            continue;
        bytes += seer->packed[i] ? seer->packed[i]->bytes : p->count * sizeof(float);
    }
    return bytes;
}

static int bench_decode(const char *model, const char *picture) {
    vl_error error;
    vl_seer *seer;
    if (vl_seer_open(model, &seer, &error))
        return fail(model, &error);
    vl_seer_session *session = vl_seer_session_new(seer);
    vl_arena *arena = vl_arena_new(1 << 20);
    vl_seer_text text;
    if (describe(session, picture, arena, &text, &error))
        return fail(picture, &error);
    size_t length = seer->config.max_text, rounds = 40;
    double best = INFINITY;
    for (size_t r = 0; r < rounds; r++) {
        int64_t start = vl_clock_ns();
        for (size_t t = 0; t < length; t++)
            seer_decode(session, (int32_t[]){(int32_t)(300 + t)}, 1, t, true);
        best = fmin(best, vl_clock_ms_since(start) / (double)length);
    }
    double bandwidth = read_bandwidth(), bytes = (double)decoder_bytes(seer);
    printf("{\"format\":\"%s\",\"ms_per_token\":%.3f,\"tokens_per_second\":%.0f,"
           "\"weights_mb\":%.2f,\"weights_gb_per_second\":%.2f,\"memory_gb_per_second\":%.2f,"
           "\"share\":%.2f}\n",
           vl_seer_format(seer), best, 1000 / best, bytes / 1e6, bytes / best / 1e6,
           bandwidth / 1e9, bytes / best / 1e6 / (bandwidth / 1e9));
    vl_seer_session_free(session);
    vl_seer_free(seer);
    vl_arena_free(arena);
    return 0;
}

/* ---- train -------------------------------------------------------------------------- */

enum { MAX_PRODUCTS = 8192 };
static struct {
    vl_gemm items[MAX_PRODUCTS];
    size_t count;
    bool on;
} recorded;

void __real_vl_gemm_run(const vl_gemm *gemm, const vl_real *a, const vl_real *b, vl_real *c);
void __wrap_vl_gemm_run(const vl_gemm *gemm, const vl_real *a, const vl_real *b, vl_real *c);
void __wrap_vl_gemm_run(const vl_gemm *gemm, const vl_real *a, const vl_real *b, vl_real *c) {
    if (recorded.on && recorded.count < MAX_PRODUCTS)
        recorded.items[recorded.count++] = *gemm;
    __real_vl_gemm_run(gemm, a, b, c);
}

/* Seconds oneDNN alone takes for a product whose factors are packed already. */
static double onednn_seconds(const vl_gemm *g, bool bf16) {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_engine_create(&engine, dnnl_cpu, 0);
    dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    dnnl_data_type_t type = bf16 ? dnnl_bf16 : dnnl_f32;
    dnnl_dim_t m = (dnnl_dim_t)g->m, n = (dnnl_dim_t)g->n, k = (dnnl_dim_t)g->k;
    dnnl_memory_desc_t a, b, c;
    dnnl_memory_desc_init_by_tag(&a, 2, (dnnl_dims_t){m, k}, type,
                                 g->transpose_a ? dnnl_ba : dnnl_ab);
    dnnl_memory_desc_init_by_tag(&b, 2, (dnnl_dims_t){k, n}, type,
                                 g->transpose_b ? dnnl_ba : dnnl_ab);
    dnnl_memory_desc_init_by_tag(&c, 2, (dnnl_dims_t){m, n}, dnnl_f32, dnnl_ab);
    dnnl_matmul_desc_t desc;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    dnnl_matmul_desc_init(&desc, &a, &b, NULL, &c);
    if (dnnl_primitive_desc_create(&pd, &desc, NULL, engine, NULL) != dnnl_success ||
        dnnl_primitive_create(&primitive, pd) != dnnl_success)
        return NAN;
    void *x = calloc(g->m * g->k, 4), *y = calloc(g->k * g->n, 4), *z = calloc(g->m * g->n, 4);
    dnnl_memory_t ma, mb, mc;
    dnnl_memory_create(&ma, &a, engine, x);
    dnnl_memory_create(&mb, &b, engine, y);
    dnnl_memory_create(&mc, &c, engine, z);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, ma}, {DNNL_ARG_WEIGHTS, mb}, {DNNL_ARG_DST, mc}};
    dnnl_primitive_execute(primitive, stream, 3, args);
    double best = INFINITY;
    for (int i = 0; i < 3; i++) {
        int64_t start = vl_clock_ns();
        dnnl_primitive_execute(primitive, stream, 3, args);
        dnnl_stream_wait(stream);
        best = fmin(best, vl_clock_ms_since(start) / 1000);
    }
    free(x);
    free(y);
    free(z);
    dnnl_memory_destroy(ma);
    dnnl_memory_destroy(mb);
    dnnl_memory_destroy(mc);
    dnnl_primitive_destroy(primitive);
    dnnl_primitive_desc_destroy(pd);
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
    return best;
}

typedef struct step {
    vl_params *params;
    vl_seer_net *net;
    vl_graph *graph;
    float *pixels;
    size_t pictures, side;
} step;

/* Eight pictures with three texts of twenty tokens each: forward and back. */
static double run_step(step *s) {
    enum { ROWS = 24, LENGTH = 20 };
    static int32_t ids[ROWS * LENGTH], targets[ROWS * LENGTH], at[ROWS * LENGTH];
    int32_t starts[ROWS + 1] = {0}, source[ROWS];
    for (int32_t i = 0; i < ROWS * LENGTH; i++) {
        ids[i] = i * 131 % 8000;
        targets[i] = i * 197 % 8000;
        at[i] = i;
    }
    for (int32_t i = 0; i < ROWS; i++) {
        starts[i + 1] = (i + 1) * LENGTH;
        source[i] = i / 3;
    }
    vl_seer_rates rates = {0};
    int64_t start = vl_clock_ns();
    vl_graph *g = s->graph;
    vl_graph_reset(g, 1);
    vl_var *x = vl_nn_input(g, s->pixels, 4, (size_t[]){s->pictures, s->side, s->side, 3});
    vl_var *places = vl_seer_look(s->net, g, x, rates);
    vl_var *text = vl_seer_read(s->net, g, ids, starts, ROWS, rates);
    vl_var *mixed = vl_seer_mix(s->net, g, text, places, source, starts, ROWS, rates);
    vl_var *logits = vl_seer_words(s->net, g, mixed, at, ROWS * LENGTH);
    vl_var *loss = vl_nn_cross_entropy(g, logits, targets, NULL, 0.1, NULL);
    vl_graph_backward(g, loss, 1);
    return vl_clock_ms_since(start) / 1000;
}

static bool same(const vl_gemm *x, const vl_gemm *y) {
    return x->m == y->m && x->n == y->n && x->k == y->k && x->transpose_a == y->transpose_a &&
           x->transpose_b == y->transpose_b && x->precision == y->precision;
}

static int bench_train(size_t side) {
    vl_error error;
    vl_seer_config config = vl_seer_config_default();
    step s = {.params = vl_params_new(), .pictures = 8, .side = side};
    if (vl_seer_net_new(&config, s.params, &s.net, &error) ||
        vl_params_allocate(s.params, 1, &error))
        return fail("network", &error);
    bool bf16 = vl_cpu_has_bf16();
    vl_graph_options options = {.max_bytes = (size_t)8 << 30,
                                .training = true,
                                .precision = bf16 ? VL_PRECISION_BF16 : VL_PRECISION_F32};
    s.graph = vl_graph_new(s.params, &options);
    vl_real *gradient = calloc(vl_params_total(s.params), sizeof *gradient);
    vl_graph_set_gradients(s.graph, gradient);
    s.pixels = calloc(s.pictures * side * side * 3, sizeof(float));
    for (size_t i = 0; i < s.pictures * side * side * 3; i++)
        s.pixels[i] = (float)(i * 7919 % 1000) / 500.0f - 1;
    run_step(&s);
    recorded.on = true;
    run_step(&s);
    recorded.on = false;
    double best = INFINITY, alone = 0, operations = 0;
    for (int i = 0; i < 7; i++)
        best = fmin(best, run_step(&s));
    static double known[MAX_PRODUCTS];
    for (size_t i = 0; i < recorded.count; i++) {
        const vl_gemm *g = &recorded.items[i];
        size_t j = 0;
        while (!same(&recorded.items[j], g))
            j++;
        known[i] = j < i ? known[j] : onednn_seconds(g, bf16);
        alone += known[i];
        operations += 2.0 * (double)g->m * (double)g->n * (double)g->k;
    }
    printf("{\"precision\":\"%s\",\"side\":%zu,\"step_ms\":%.1f,\"pictures_per_second\":%.1f,"
           "\"gflop\":%.1f,\"gflops\":%.0f,\"onednn_alone_ms\":%.1f,\"onednn_gflops\":%.0f,"
           "\"share\":%.2f}\n",
           bf16 ? "bf16" : "f32", side, best * 1000, (double)s.pictures / best,
           operations / 1e9, operations / best / 1e9, alone * 1000, operations / alone / 1e9,
           alone / best);
    return 0;
}

int main(int argc, char **argv) {
    if (argc >= 4 && !strcmp(argv[1], "caption"))
        return bench_caption(argv[2], argv + 3, (size_t)argc - 3);
    if (argc == 4 && !strcmp(argv[1], "decode"))
        return bench_decode(argv[2], argv[3]);
    if (argc == 3 && !strcmp(argv[1], "train"))
        return bench_train(strtoul(argv[2], NULL, 10));
    fprintf(stderr, "bench_seer caption MODEL PICTURE… | decode MODEL PICTURE | train SIDE\n");
    return 2;
}
