/* attention.c — scaled dot-product attention of several heads, self and cross, and back.
 *
 * Queries, keys and values stay where the linear layer wrote them: a head is a stripe of
 * columns, reached by the row step of the products. Probabilities [B,heads,Tq,Tk] are kept for
 * the way back. */
#include "nn/graph.h"

#include <math.h>
#include <string.h>

typedef struct attention_note {
    note base;
    vl_var *q, *kv; /* the same variable for self-attention */
    size_t heads;
    bool causal;
    const int32_t *lengths, *source;
    vl_real *probability;
} attention_note;

/* Where things lie: rows of q are step_q apart and begin at q, … */
typedef struct view {
    size_t batch, queries, keys, heads, width; /* width of one head */
    size_t step_q, step_kv, at_k, at_v;
    vl_real scale;
} view;

static view view_of(const attention_note *self) {
    const vl_var *q = self->q, *kv = self->kv;
    bool same = q == kv;
    size_t depth = same ? q->dims[2] / 3 : q->dims[2];
    return (view){.batch = q->dims[0],
                  .queries = q->dims[1],
                  .keys = kv->dims[1],
                  .heads = self->heads,
                  .width = depth / self->heads,
                  .step_q = q->dims[2],
                  .step_kv = kv->dims[2],
                  .at_k = same ? depth : 0,
                  .at_v = same ? 2 * depth : depth,
                  .scale = 1 / (vl_real)sqrt((double)(depth / self->heads))};
}

static size_t picture_of(const attention_note *self, size_t b) {
    return self->source ? (size_t)self->source[b] : b;
}

/* Rows of scores [queries,keys] → probabilities; what may not be seen gets 0. */
static void mask_softmax(const attention_note *self, const view *v, size_t b, vl_real *scores) {
    const vl_kernels *kernels = vl_kernels_get();
    size_t length = self->lengths ? (size_t)self->lengths[b] : v->keys;
    if (!self->causal && length == v->keys) {
        kernels->softmax(scores, v->scale, v->queries, v->keys);
        return;
    }
    for (size_t t = 0; t < v->queries; t++) {
        size_t seen = self->causal && t + 1 < length ? t + 1 : length;
        vl_real *row = scores + t * v->keys;
        kernels->softmax(row, v->scale, 1, seen ? seen : 1);
        memset(row + seen, 0, (v->keys - seen) * sizeof *row);
    }
}

static void attention_forward(const attention_note *self, vl_var *out) {
    view v = view_of(self);
    for (size_t b = 0; b < v.batch; b++)
        for (size_t h = 0; h < v.heads; h++) {
            const vl_real *q = self->q->value + b * v.queries * v.step_q + h * v.width;
            const vl_real *kv =
                self->kv->value + picture_of(self, b) * v.keys * v.step_kv + h * v.width;
            vl_real *p = self->probability + (b * v.heads + h) * v.queries * v.keys;
            vl_gemm scores = {.transpose_b = true,
                              .m = v.queries,
                              .n = v.keys,
                              .k = v.width,
                              .lda = v.step_q,
                              .ldb = v.step_kv,
                              .ldc = v.keys};
            vl_gemm_run(&scores, q, kv + v.at_k, p);
            mask_softmax(self, &v, b, p);
            vl_gemm mix = {.m = v.queries,
                           .n = v.width,
                           .k = v.keys,
                           .lda = v.keys,
                           .ldb = v.step_kv,
                           .ldc = v.heads * v.width};
            vl_gemm_run(&mix, p, kv + v.at_v,
                        out->value + b * v.queries * v.heads * v.width + h * v.width);
        }
}

static void attention_backward(vl_graph *graph, note *base) {
    attention_note *self = (attention_note *)base;
    view v = view_of(self);
    vl_real *dq = vl_var_grad(graph, self->q), *dkv = vl_var_grad(graph, self->kv);
    vl_real *dp = graph_alloc(graph, v.queries * v.keys * sizeof *dp);
    size_t depth = v.heads * v.width;
    for (size_t b = 0; dp && b < v.batch; b++)
        for (size_t h = 0; h < v.heads; h++) {
            size_t at_q = b * v.queries * v.step_q + h * v.width;
            size_t at_kv = picture_of(self, b) * v.keys * v.step_kv + h * v.width;
            const vl_real *p = self->probability + (b * v.heads + h) * v.queries * v.keys;
            const vl_real *dy = base->out->grad + b * v.queries * depth + h * v.width;
            vl_gemm back_p = {.transpose_b = true,
                              .m = v.queries,
                              .n = v.keys,
                              .k = v.width,
                              .lda = depth,
                              .ldb = v.step_kv,
                              .ldc = v.keys};
            vl_gemm_run(&back_p, dy, self->kv->value + at_kv + v.at_v, dp);
            vl_kernels_get()->softmax_backward(dp, p, v.scale, v.queries, v.keys);
            if (dkv) {
                vl_gemm back_v = {.transpose_a = true,
                                  .accumulate = true,
                                  .m = v.keys,
                                  .n = v.width,
                                  .k = v.queries,
                                  .lda = v.keys,
                                  .ldb = depth,
                                  .ldc = v.step_kv};
                vl_gemm_run(&back_v, p, dy, dkv + at_kv + v.at_v);
                vl_gemm back_k = {.transpose_a = true,
                                  .accumulate = true,
                                  .m = v.keys,
                                  .n = v.width,
                                  .k = v.queries,
                                  .lda = v.keys,
                                  .ldb = v.step_q,
                                  .ldc = v.step_kv};
                vl_gemm_run(&back_k, dp, self->q->value + at_q, dkv + at_kv + v.at_k);
            }
            if (dq) {
                vl_gemm back_q = {.accumulate = true,
                                  .m = v.queries,
                                  .n = v.width,
                                  .k = v.keys,
                                  .lda = v.keys,
                                  .ldb = v.step_kv,
                                  .ldc = v.step_q};
                vl_gemm_run(&back_q, dp, self->kv->value + at_kv + v.at_k, dq + at_q);
            }
        }
}

static vl_var *attend(vl_graph *graph, const attention_note *what, const char *layer) {
    view v = view_of(what);
    attention_note self = *what;
    vl_var *y = graph_var(graph, 3, (size_t[]){v.batch, v.queries, v.heads * v.width},
                          what->q->learns || what->kv->learns);
    self.probability =
        graph_alloc(graph, v.batch * v.heads * v.queries * v.keys * sizeof(vl_real));
    if (!y || !self.probability)
        return NULL;
    attention_forward(&self, y);
    attention_note *kept =
        y->learns ? graph_note(graph, sizeof *kept, layer, y, attention_backward) : NULL;
    if (kept) {
        self.base = kept->base;
        *kept = self;
    }
    return y;
}

vl_var *vl_nn_self_attention(vl_graph *graph, vl_var *qkv, size_t heads, bool causal,
                             const int32_t *lengths) {
    if (!qkv)
        return NULL;
    attention_note self = {
        .q = qkv, .kv = qkv, .heads = heads, .causal = causal, .lengths = lengths};
    return attend(graph, &self, "self_attention");
}

vl_var *vl_nn_cross_attention(vl_graph *graph, vl_var *q, vl_var *kv, size_t heads,
                              const int32_t *source) {
    if (!q || !kv)
        return NULL;
    attention_note self = {.q = q, .kv = kv, .heads = heads, .source = source};
    return attend(graph, &self, "cross_attention");
}
