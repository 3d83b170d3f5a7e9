/* seer_decode.c — one token at a time, for several beams at once.
 *
 * Decoding is bound by how fast weights are read, so every matrix is read once a step for all
 * beams, quantised as it lies in the file. Keys and values of positions seen are kept; those of
 * the picture are computed once a picture. */
#include "model/seer_use.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const float *values_of(const vl_seer *seer, size_t param) {
    return vl_params_values(seer->params) + vl_params_at(seer->params, param)->offset;
}

/* y[rows,n] = x[rows,k]·wᵀ + b */
static void linear(vl_seer_session *s, seer_affine a, const float *x, size_t rows, float *y) {
    const vl_seer *seer = s->seer;
    const vl_param *p = vl_params_at(seer->params, a.weight);
    size_t n = p->dims[0], k = p->dims[1];
    const float *bias = a.bias == VL_NONE ? NULL : values_of(seer, a.bias);
    const vl_tensor *packed = seer->packed[a.weight];
    if (packed) {
        vl_quant_input input = vl_quant_round(s->rounded, x, rows, k);
        vl_quant_gemv(y, &input, packed->dtype, packed->data, n, bias);
        return;
    }
    vl_gemm gemm = {
        .transpose_b = true, .m = rows, .n = n, .k = k, .lda = k, .ldb = k, .ldc = n};
    vl_gemm_run(&gemm, x, values_of(seer, a.weight), y);
    if (bias)
        vl_kernels_get()->add_bias(y, bias, rows, n);
}

static void norm(const vl_seer *seer, seer_affine a, const float *x, size_t rows, size_t n,
                 float *y) {
    float mean[SEER_MAX_BEAMS], rstd[SEER_MAX_BEAMS];
    vl_kernels_get()->layernorm(y, mean, rstd, x, values_of(seer, a.weight),
                                values_of(seer, a.bias), rows, n);
}

/* out[D] = attention of q[D] over `count` rows of kv (2D apart, keys then values). */
static void attend(const float *q, const float *kv, size_t count, size_t width, size_t heads,
                   float *out) {
    const vl_kernels *kernels = vl_kernels_get();
    size_t part = width / heads;
    float scores[4096];
    memset(out, 0, width * sizeof *out);
    for (size_t h = 0; h < heads; h++) {
        const float *k = kv + h * part, *v = k + width;
        for (size_t t = 0; t < count; t++)
            scores[t] = kernels->dot(q + h * part, k + t * 2 * width, part);
        kernels->softmax(scores, 1 / sqrtf((float)part), 1, count);
        for (size_t t = 0; t < count; t++)
            kernels->axpy(out + h * part, scores[t], v + t * 2 * width, part);
    }
}

/* One layer for `rows` beams at position `at`; x [rows,D] is changed in place. */
static void run_layer(vl_seer_session *s, const seer_layer *l, seer_cache *cache,
                      const float *cross, float *x, size_t rows, size_t at) {
    const vl_seer *seer = s->seer;
    const vl_kernels *kernels = vl_kernels_get();
    size_t width = seer->config.widths[2], heads = seer->config.text_heads;
    size_t beam = (size_t)seer->config.max_text * 2 * width;
    float *normed = s->row[1], *wide = s->row[2], *mixed = s->row[3], *out = s->row[4];
    norm(seer, l->norm1, x, rows, width, normed);
    linear(s, l->qkv, normed, rows, wide);
    for (size_t r = 0; r < rows; r++) {
        float *kv = cache->kv + r * beam;
        memcpy(kv + at * 2 * width, wide + r * 3 * width + width, 2 * width * sizeof *kv);
        attend(wide + r * 3 * width, kv, at + 1, width, heads, mixed + r * width);
    }
    linear(s, l->out, mixed, rows, out);
    kernels->add(x, out, rows * width);
    if (cross) {
        norm(seer, l->norm2, x, rows, width, normed);
        linear(s, l->query, normed, rows, wide);
        for (size_t r = 0; r < rows; r++)
            attend(wide + r * width, cross, s->places, width, heads, mixed + r * width);
        linear(s, l->cross_out, mixed, rows, out);
        kernels->add(x, out, rows * width);
    }
    norm(seer, l->norm3, x, rows, width, normed);
    linear(s, l->up, normed, rows, wide);
    kernels->gelu(s->row[5], wide, rows * 4 * width);
    linear(s, l->down, s->row[5], rows, out);
    kernels->add(x, out, rows * width);
}

/* Keys and values of the places, once a picture. */
static void prepare_cross(vl_seer_session *s) {
    const vl_seer *seer = s->seer;
    size_t width = seer->config.widths[2];
    for (size_t i = 0; i < seer->config.mixed_layers; i++) {
        seer_affine a = seer->net->mixed[i].kv;
        vl_gemm gemm = {.transpose_b = true,
                        .precision = vl_cpu_has_bf16() ? VL_PRECISION_BF16 : VL_PRECISION_F32,
                        .m = s->places,
                        .n = 2 * width,
                        .k = width,
                        .lda = width,
                        .ldb = width,
                        .ldc = 2 * width};
        vl_gemm_run(&gemm, s->place, values_of(seer, a.weight), s->cross[i]);
        vl_kernels_get()->add_bias(s->cross[i], values_of(seer, a.bias), s->places, 2 * width);
    }
    s->crossed = true;
}

static void embed(const vl_seer *seer, int32_t id, float *x, size_t width) {
    size_t words = seer->net->words;
    const vl_tensor *packed = seer->packed[words];
    if (packed) {
        size_t bytes = vl_dtype_row_bytes(packed->dtype, width);
        vl_quant_to_f32(x, packed->dtype, (const char *)packed->data + (size_t)id * bytes,
                        width);
    } else {
        memcpy(x, values_of(seer, words) + (size_t)id * width, width * sizeof *x);
    }
}

void seer_decode(vl_seer_session *s, const int32_t *ids, size_t rows, size_t at, bool mixed) {
    const vl_seer *seer = s->seer;
    const vl_seer_net *net = seer->net;
    size_t width = seer->config.widths[2];
    float *x = s->row[0];
    const float *position = values_of(seer, net->text_position) + at * width;
    for (size_t r = 0; r < rows; r++) {
        embed(seer, ids[r], x + r * width, width);
        vl_kernels_get()->add(x + r * width, position, width);
    }
    for (size_t i = 0; i < seer->config.text_layers; i++)
        run_layer(s, &net->text[i], &s->text[i], NULL, x, rows, at);
    if (!mixed)
        return;
    if (!s->crossed)
        prepare_cross(s);
    for (size_t i = 0; i < seer->config.mixed_layers; i++)
        run_layer(s, &net->mixed[i], &s->mixed[i], s->cross[i], x, rows, at);
    norm(seer, net->mixed_norm, x, rows, width, s->row[1]);
    linear(s, (seer_affine){net->words, VL_NONE}, s->row[1], rows, s->logits);
}

void seer_decode_copy(vl_seer_session *s, size_t from, size_t to, size_t length) {
    size_t width = s->seer->config.widths[2];
    size_t beam = (size_t)s->seer->config.max_text * 2 * width;
    size_t bytes = length * 2 * width * sizeof(float);
    for (size_t i = 0; i < s->seer->config.text_layers; i++)
        memcpy(s->text[i].kv + to * beam, s->text[i].kv + from * beam, bytes);
    for (size_t i = 0; i < s->seer->config.mixed_layers; i++)
        memcpy(s->mixed[i].kv + to * beam, s->mixed[i].kv + from * beam, bytes);
}

/* Unit vector of the text whose last token, <eos>, was just run in `row`. */
static void text_vector(vl_seer_session *s, size_t row, float *vector) {
    const vl_seer *seer = s->seer;
    size_t width = seer->config.widths[2], size = seer->config.vector;
    norm(seer, seer->net->text_norm, s->row[0] + row * width, 1, width, s->row[1]);
    linear(s, (seer_affine){seer->net->text_vector, VL_NONE}, s->row[1], 1, vector);
    float length = sqrtf(vl_kernels_get()->dot(vector, vector, size) + 1e-12f);
    for (size_t i = 0; i < size; i++)
        vector[i] /= length;
}

vl_status vl_seer_text_embedding(vl_seer_session *s, const char *text, const char *language,
                                 float *vector, vl_error *error) {
    const vl_seer *seer = s->seer;
    size_t most = seer->config.max_text, count = 0;
    int32_t ids[4096];
    char name[16];
    snprintf(name, sizeof name, "<%s>", language ? language : "xx");
    int32_t spoken = vl_bpe_special(seer->bpe, name);
    ids[0] = seer->tokens.caption;
    ids[1] = spoken >= 0 ? spoken : seer->tokens.unknown;
    vl_status status =
        vl_bpe_encode(seer->bpe, text, strlen(text), ids + 2, most - 3, &count, error);
    if (status && status != VL_ERR_LIMIT) /* a long text is matched by how it begins */
        return status;
    if (!count)
        return vl_fail(error, VL_ERR_USAGE, "an empty text matches nothing");
    count = (count < most - 3 ? count : most - 3) + 2;
    ids[count++] = seer->tokens.eos;
    for (size_t t = 0; t < count; t++)
        seer_decode(s, &ids[t], 1, t, false);
    text_vector(s, 0, vector);
    return VL_OK;
}

void seer_decode_likeness(vl_seer_session *s, size_t rows, size_t at, float *likeness) {
    int32_t ids[SEER_MAX_BEAMS] = {0};
    float vector[SEER_MAX_VECTOR];
    for (size_t r = 0; r < rows; r++)
        ids[r] = s->seer->tokens.eos;
    seer_decode(s, ids, rows, at, false);
    for (size_t r = 0; r < rows; r++) {
        text_vector(s, r, vector);
        likeness[r] = vl_kernels_get()->dot(vector, s->picture, s->seer->config.vector);
    }
}
