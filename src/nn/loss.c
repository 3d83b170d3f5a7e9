/* loss.c — softmax cross-entropy and InfoNCE, and back. */
#include "nn/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- cross-entropy ------------------------------------------------------------------ */

typedef struct entropy_note {
    note base;
    vl_var *logits;
    const int32_t *targets;
    const vl_real *weights;
    vl_real smoothing;
    vl_real *log_sums;
} entropy_note;

static vl_real weight_of(const vl_real *weights, size_t row) {
    return weights ? weights[row] : 1;
}

static void entropy_backward(vl_graph *graph, note *base) {
    entropy_note *self = (entropy_note *)base;
    vl_var *logits = self->logits;
    size_t rows = var_rows(logits), n = var_width(logits);
    vl_real *grad = vl_var_grad(graph, logits), seed = base->out->grad[0];
    vl_real *p = graph_alloc(graph, n * sizeof *p);
    for (size_t r = 0; grad && p && r < rows; r++) {
        vl_real weight = seed * weight_of(self->weights, r);
        if (weight == 0)
            continue;
        vl_kernels_get()->exp_shifted(p, logits->value + r * n, self->log_sums[r], n);
        vl_real *row = grad + r * n, spread = weight * self->smoothing / (vl_real)n;
        for (size_t i = 0; i < n; i++)
            row[i] += weight * p[i] - spread;
        row[self->targets[r]] -= weight * (1 - self->smoothing);
    }
}

vl_var *vl_nn_cross_entropy(vl_graph *graph, vl_var *logits, const int32_t *targets,
                            const vl_real *weights, double smoothing, vl_real *losses) {
    if (!logits)
        return NULL;
    size_t rows = var_rows(logits), n = var_width(logits);
    vl_var *loss = graph_var(graph, 1, (size_t[]){1}, logits->learns);
    vl_real *log_sums = graph_alloc(graph, rows * sizeof *log_sums);
    if (!loss || !log_sums)
        return NULL;
    vl_real smooth = (vl_real)smoothing;
    double total = 0;
    for (size_t r = 0; r < rows; r++) {
        const vl_real *row = logits->value + r * n;
        vl_real weight = weight_of(weights, r);
        if (losses)
            losses[r] = 0;
        if (weight == 0)
            continue;
        log_sums[r] = vl_kernels_get()->log_sum_exp(row, n);
        double sum = 0;
        if (smooth > 0)
            for (size_t i = 0; i < n; i++)
                sum += row[i];
        vl_real value =
            log_sums[r] - (1 - smooth) * row[targets[r]] - smooth * (vl_real)(sum / (double)n);
        if (losses)
            losses[r] = value;
        total += (double)weight * value;
    }
    loss->value[0] = (vl_real)total;
    entropy_note *self =
        loss->learns ? graph_note(graph, sizeof *self, "cross_entropy", loss, entropy_backward)
                     : NULL;
    if (self) {
        self->logits = logits;
        self->targets = targets;
        self->weights = weights;
        self->smoothing = smooth;
        self->log_sums = log_sums;
    }
    return loss;
}

/* ---- InfoNCE ------------------------------------------------------------------------ */

/* Loss of rows of x against all y: −mean over a row's own y of log softmax, averaged over the
 * rows that own any. d (the gradient by the logits) is added to. */
static double rows_to_columns(const vl_real *logits, const int32_t *owner, size_t n, size_t m,
                              vl_real *scratch, vl_real *d) {
    size_t *owned = calloc(n, sizeof *owned), rows = 0;
    if (!owned)
        return NAN;
    for (size_t j = 0; j < m; j++)
        rows += owned[owner[j]]++ == 0;
    double loss = 0;
    vl_real share = rows ? (vl_real)0.5 / (vl_real)rows : 0;
    for (size_t i = 0; i < n; i++) {
        if (!owned[i])
            continue;
        vl_real log_sum = vl_kernels_get()->log_sum_exp(logits + i * m, m);
        vl_kernels_get()->exp_shifted(scratch, logits + i * m, log_sum, m);
        vl_kernels_get()->axpy(d + i * m, share, scratch, m);
        for (size_t j = 0; j < m; j++)
            if ((size_t)owner[j] == i) {
                loss += (double)(share * (log_sum - logits[i * m + j]) / (vl_real)owned[i]);
                d[i * m + j] -= share / (vl_real)owned[i];
            }
    }
    free(owned);
    return loss;
}

/* Loss of each y against all x. */
static double columns_to_rows(const vl_real *logits, const int32_t *owner, size_t n, size_t m,
                              vl_real *scratch, vl_real *d) {
    double loss = 0;
    vl_real share = (vl_real)0.5 / (vl_real)m;
    for (size_t j = 0; j < m; j++) {
        for (size_t i = 0; i < n; i++)
            scratch[i] = logits[i * m + j];
        vl_real log_sum = vl_kernels_get()->log_sum_exp(scratch, n);
        loss += (double)(share * (log_sum - scratch[owner[j]]));
        vl_kernels_get()->exp_shifted(scratch, scratch, log_sum, n);
        for (size_t i = 0; i < n; i++)
            d[i * m + j] += share * scratch[i];
        d[(size_t)owner[j] * m + j] -= share;
    }
    return loss;
}

vl_status vl_nn_infonce(const vl_real *x, const vl_real *y, const int32_t *owner, size_t n,
                        size_t m, size_t d, vl_real log_scale, vl_real *dx, vl_real *dy,
                        vl_real *dlog_scale, double *loss, vl_error *error) {
    *loss = 0;
    if (!n || !m)
        return VL_OK;
    vl_real *logits = malloc(n * m * sizeof *logits), *dlogits = calloc(n * m, sizeof *dlogits);
    vl_real *scratch = malloc((n > m ? n : m) * sizeof *scratch);
    vl_status status = VL_OK;
    if (!logits || !dlogits || !scratch) {
        status =
            vl_fail(error, VL_ERR_MEMORY, "no memory for a batch of %zu × %zu pairs", n, m);
        goto out;
    }
    vl_real scale = (vl_real)exp((double)log_scale);
    vl_gemm gemm = {.transpose_b = true, .m = n, .n = m, .k = d, .lda = d, .ldb = d, .ldc = m};
    vl_gemm_run(&gemm, x, y, logits);
    for (size_t i = 0; i < n * m; i++)
        logits[i] *= scale;
    *loss = rows_to_columns(logits, owner, n, m, scratch, dlogits) +
            columns_to_rows(logits, owner, n, m, scratch, dlogits);
    if (isnan(*loss) && isfinite(vl_kernels_get()->dot(logits, logits, n * m))) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory to match %zu pictures", n);
        goto out;
    }
    *dlog_scale += vl_kernels_get()->dot(logits, dlogits, n * m);
    for (size_t i = 0; i < n * m; i++)
        dlogits[i] *= scale;
    gemm = (vl_gemm){.accumulate = true, .m = n, .n = d, .k = m, .lda = m, .ldb = d, .ldc = d};
    vl_gemm_run(&gemm, dlogits, y, dx);
    gemm = (vl_gemm){.transpose_a = true,
                     .accumulate = true,
                     .m = m,
                     .n = d,
                     .k = n,
                     .lda = m,
                     .ldb = d,
                     .ldc = d};
    vl_gemm_run(&gemm, dlogits, x, dy);
out:
    free(logits);
    free(dlogits);
    free(scratch);
    return status;
}
