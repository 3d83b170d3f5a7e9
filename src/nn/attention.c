/* attention.c — scaled dot-product attention of several heads, self and cross, and back.
 *
 * Queries, keys and values stay where the linear layer wrote them: a head is a stripe of
 * columns, reached by the row step of the products. Sequences are of one length ([B,T,…]) or
 * lie behind each other without padding ([N,…], sequence b in rows starts[b] … starts[b+1]).
 * Probabilities [heads,Tq,Tk] of each sequence are kept for the way back. */
#include "nn/graph.h"

#include <math.h>
#include <string.h>

typedef struct attention_note {
    note base;
    vl_var *q, *kv; /* the same variable for self-attention */
    size_t heads, batch;
    bool causal;
    const int32_t *starts;  /* of sequences without padding; NULL: all of one length */
    const int32_t *lengths; /* how much of each sequence is there; NULL: all */
    const int32_t *source;
    vl_real *probability;
} attention_note;

/* What all sequences share. */
typedef struct view {
    size_t heads, width; /* of one head */
    size_t step_q, step_kv, at_k, at_v;
    vl_real scale;
} view;

/* One sequence: where its queries, keys and probabilities begin, in numbers, and how many. */
typedef struct span {
    size_t queries, keys, seen; /* seen: keys that are there */
    size_t at_q, at_kv, at_p;
} span;

static view view_of(const attention_note *self) {
    bool same = self->q == self->kv;
    size_t step_q = var_width(self->q), depth = same ? step_q / 3 : step_q;
    return (view){.heads = self->heads,
                  .width = depth / self->heads,
                  .step_q = step_q,
                  .step_kv = var_width(self->kv),
                  .at_k = same ? depth : 0,
                  .at_v = same ? 2 * depth : depth,
                  .scale = 1 / (vl_real)sqrt((double)(depth / self->heads))};
}

/* The sequence after `before` (NULL: the first), which is number b. */
static span next_span(const attention_note *self, const view *v, size_t b, const span *before) {
    bool same = self->q == self->kv;
    size_t first = self->starts ? (size_t)self->starts[b] : b * self->q->dims[1];
    span s = {.queries = self->starts ? (size_t)self->starts[b + 1] - first : self->q->dims[1]};
    size_t picture = self->source ? (size_t)self->source[b] : b;
    s.keys = same ? s.queries : self->kv->dims[1];
    s.seen = self->lengths ? (size_t)self->lengths[b] : s.keys;
    s.at_q = first * v->step_q;
    s.at_kv = same ? s.at_q : picture * s.keys * v->step_kv;
    s.at_p = before ? before->at_p + v->heads * before->queries * before->keys : 0;
    return s;
}

/* Rows of scores [queries,keys] → probabilities; what may not be seen gets 0. */
static void mask_softmax(bool causal, const view *v, const span *s, vl_real *scores) {
    const vl_kernels *kernels = vl_kernels_get();
    if (!causal && s->seen == s->keys) {
        kernels->softmax(scores, v->scale, s->queries, s->keys);
        return;
    }
    for (size_t t = 0; t < s->queries; t++) {
        size_t seen = causal && t + 1 < s->seen ? t + 1 : s->seen;
        vl_real *row = scores + t * s->keys;
        kernels->softmax(row, v->scale, 1, seen ? seen : 1);
        memset(row + seen, 0, (s->keys - seen) * sizeof *row);
    }
}

static void attention_forward(const attention_note *self, vl_var *out) {
    view v = view_of(self);
    size_t depth = v.heads * v.width;
    span s;
    for (size_t b = 0; b < self->batch; b++) {
        s = next_span(self, &v, b, b ? &s : NULL);
        for (size_t h = 0; h < v.heads && s.queries; h++) {
            const vl_real *q = self->q->value + s.at_q + h * v.width;
            const vl_real *kv = self->kv->value + s.at_kv + h * v.width;
            vl_real *p = self->probability + s.at_p + h * s.queries * s.keys;
            vl_gemm scores = {.transpose_b = true,
                              .m = s.queries,
                              .n = s.keys,
                              .k = v.width,
                              .lda = v.step_q,
                              .ldb = v.step_kv,
                              .ldc = s.keys};
            vl_gemm_run(&scores, q, kv + v.at_k, p);
            mask_softmax(self->causal, &v, &s, p);
            vl_gemm mix = {.m = s.queries,
                           .n = v.width,
                           .k = s.keys,
                           .lda = s.keys,
                           .ldb = v.step_kv,
                           .ldc = depth};
            vl_gemm_run(&mix, p, kv + v.at_v,
                        out->value + s.at_q / v.step_q * depth + h * v.width);
        }
    }
}

/* One head of one sequence; dp [queries,keys] is scratch. */
static void head_backward(const attention_note *self, const view *v, const span *s, size_t h,
                          vl_real *dq, vl_real *dkv, vl_real *dp) {
    size_t depth = v->heads * v->width, at_q = s->at_q + h * v->width;
    size_t at_kv = s->at_kv + h * v->width;
    const vl_real *p = self->probability + s->at_p + h * s->queries * s->keys;
    const vl_real *dy = self->base.out->grad + s->at_q / v->step_q * depth + h * v->width;
    vl_gemm back_p = {.transpose_b = true,
                      .m = s->queries,
                      .n = s->keys,
                      .k = v->width,
                      .lda = depth,
                      .ldb = v->step_kv,
                      .ldc = s->keys};
    vl_gemm_run(&back_p, dy, self->kv->value + at_kv + v->at_v, dp);
    vl_kernels_get()->softmax_backward(dp, p, v->scale, s->queries, s->keys);
    vl_gemm back = {.accumulate = true,
                    .n = v->width,
                    .lda = s->keys}; /* p or dp is the left factor of all that follows */
    if (dkv) {
        back.transpose_a = true;
        back.m = s->keys, back.k = s->queries, back.ldc = v->step_kv;
        back.ldb = depth;
        vl_gemm_run(&back, p, dy, dkv + at_kv + v->at_v);
        back.ldb = v->step_q;
        vl_gemm_run(&back, dp, self->q->value + at_q, dkv + at_kv + v->at_k);
    }
    if (dq) {
        back.transpose_a = false;
        back.m = s->queries, back.k = s->keys, back.ldb = v->step_kv, back.ldc = v->step_q;
        vl_gemm_run(&back, dp, self->kv->value + at_kv + v->at_k, dq + at_q);
    }
}

static size_t most_scores(const attention_note *self, const view *v, size_t *all) {
    size_t most = 0;
    span s;
    *all = 0;
    for (size_t b = 0; b < self->batch; b++) {
        s = next_span(self, v, b, b ? &s : NULL);
        most = s.queries * s.keys > most ? s.queries * s.keys : most;
        *all = s.at_p + v->heads * s.queries * s.keys;
    }
    return most;
}

static void attention_backward(vl_graph *graph, note *base) {
    attention_note *self = (attention_note *)base;
    view v = view_of(self);
    size_t all;
    vl_real *dq = vl_var_grad(graph, self->q), *dkv = vl_var_grad(graph, self->kv);
    vl_real *dp = graph_alloc(graph, most_scores(self, &v, &all) * sizeof *dp);
    span s;
    for (size_t b = 0; dp && b < self->batch; b++) {
        s = next_span(self, &v, b, b ? &s : NULL);
        for (size_t h = 0; h < v.heads && s.queries; h++)
            head_backward(self, &v, &s, h, dq, dkv, dp);
    }
}

static vl_var *attend(vl_graph *graph, const attention_note *what, const char *layer) {
    attention_note self = *what;
    view v = view_of(&self);
    size_t dims[VL_MAX_RANK], all;
    memcpy(dims, self.q->dims, sizeof dims);
    dims[self.q->rank - 1] = v.heads * v.width;
    vl_var *y = graph_var(graph, self.q->rank, dims, self.q->learns || self.kv->learns);
    most_scores(&self, &v, &all);
    self.probability = graph_alloc(graph, all * sizeof(vl_real));
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
    attention_note self = {.q = qkv,
                           .kv = qkv,
                           .batch = qkv->dims[0],
                           .heads = heads,
                           .causal = causal,
                           .lengths = lengths};
    return attend(graph, &self, "self_attention");
}

vl_var *vl_nn_self_attention_packed(vl_graph *graph, vl_var *qkv, size_t heads, bool causal,
                                    const int32_t *starts, size_t count) {
    if (!qkv)
        return NULL;
    attention_note self = {.q = qkv,
                           .kv = qkv,
                           .batch = count,
                           .heads = heads,
                           .causal = causal,
                           .starts = starts};
    return attend(graph, &self, "self_attention");
}

vl_var *vl_nn_cross_attention(vl_graph *graph, vl_var *q, vl_var *kv, size_t heads,
                              const int32_t *source) {
    if (!q || !kv)
        return NULL;
    attention_note self = {
        .q = q, .kv = kv, .batch = q->dims[0], .heads = heads, .source = source};
    return attend(graph, &self, "cross_attention");
}

vl_var *vl_nn_cross_attention_packed(vl_graph *graph, vl_var *q, vl_var *kv, size_t heads,
                                     const int32_t *source, const int32_t *starts,
                                     size_t count) {
    if (!q || !kv)
        return NULL;
    attention_note self = {
        .q = q, .kv = kv, .batch = count, .heads = heads, .source = source, .starts = starts};
    return attend(graph, &self, "cross_attention");
}
