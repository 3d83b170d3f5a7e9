/* weights.c — the optimiser and what it works on (weights.h). */
#include "train/weights.h"
#include "train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROW_BYTES = 1 << 14 };

typedef struct lane {
    vl_real *gradient;
    weights_job *job;
    void *user;
    size_t number;
    vl_status status;
    vl_error error;
} lane;

struct weights {
    weights_options options;
    const recipe *recipe;
    const ranks *ranks; /* NULL: alone */
    vl_params *params;
    size_t total;
    vl_real *m, *v, *average;
    vl_real *exact;  /* training for few bits: the weights, while rounded ones are in use */
    vl_dtype format; /* they are rounded to; VL_F32: they are not */
    bool rounded;
    size_t limited; /* a parameter with a largest value; VL_NONE: none */
    vl_real most;
    uint64_t steps; /* taken */
    lane lanes[WEIGHTS_MAX_LANES];
    vl_pool *pool;
};

vl_real *weights_zeros(size_t count) {
    vl_real *x = aligned_alloc(64, (count * sizeof *x + 63) / 64 * 64);
    if (x)
        memset(x, 0, count * sizeof *x);
    return x;
}

static vl_status format_of(const char *name, vl_dtype *format, vl_error *error) {
    vl_status status = vl_dtype_parse(name, format, error);
    if (!status && *format != VL_Q8_0 && *format != VL_Q4_0 && *format != VL_Q2_0)
        status = vl_fail(error, VL_ERR_USAGE, "quantize: q8_0, q4_0 or q2_0 is needed, not %s",
                         name);
    return status;
}

static vl_status allocate(weights *w, vl_error *error) {
    const recipe *r = w->recipe;
    vl_status status = vl_params_allocate(w->params, (uint64_t)r->seed, error);
    if (status)
        return status;
    w->total = vl_params_total(w->params);
    w->m = weights_zeros(w->total);
    w->v = weights_zeros(w->total);
    w->average = weights_zeros(w->total);
    bool ok = w->m && w->v && w->average;
    if (w->format != VL_F32)
        ok = (w->exact = weights_zeros(w->total)) && ok;
    for (int64_t i = 0; i < r->lanes; i++)
        ok = (w->lanes[i].gradient = weights_zeros(w->total)) && ok;
    w->pool = vl_pool_new((size_t)r->lanes, (size_t)r->lanes * 2);
    if (!ok || !w->pool)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to train %zu weights", w->total);
    memcpy(w->average, vl_params_values(w->params), w->total * sizeof(vl_real));
    return VL_OK;
}

vl_status weights_new(const weights_options *options, weights **out, vl_error *error) {
    *out = NULL;
    weights *w = calloc(1, sizeof *w);
    if (!w) {
        vl_params_free(options->params);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for training");
    }
    w->options = *options;
    w->recipe = options->recipe;
    w->params = options->params;
    w->limited = VL_NONE;
    w->format = VL_F32;
    vl_status status = VL_OK;
    if (w->recipe->quantize[0])
        status = format_of(w->recipe->quantize, &w->format, error);
    if (!status)
        status = allocate(w, error);
    if (status)
        weights_free(w);
    else
        *out = w;
    return status;
}

void weights_free(weights *w) {
    if (!w)
        return;
    if (w->pool)
        vl_pool_free(w->pool);
    for (size_t i = 0; i < WEIGHTS_MAX_LANES; i++)
        free(w->lanes[i].gradient);
    free(w->m);
    free(w->v);
    free(w->average);
    free(w->exact);
    vl_params_free(w->params);
    free(w);
}

vl_params *weights_params(weights *w) {
    return w->params;
}

size_t weights_lanes(const weights *w) {
    return (size_t)w->recipe->lanes;
}

vl_real *weights_gradient(weights *w, size_t number) {
    return w->lanes[number].gradient;
}

const ranks *weights_ranks(const weights *w) {
    return w->ranks;
}

void weights_limit(weights *w, size_t param, double most) {
    w->limited = param;
    w->most = (vl_real)most;
}

vl_status weights_join(weights *w, const ranks *together, vl_error *error) {
    if (ranks_count(together) == 1)
        return VL_OK;
    size_t bytes = w->total * sizeof(vl_real);
    vl_status status = ranks_share(together, &w->steps, sizeof w->steps, error);
    if (!status)
        status = ranks_share(together, vl_params_values(w->params), bytes, error);
    if (!status)
        status = ranks_share(together, w->m, bytes, error);
    if (!status)
        status = ranks_share(together, w->v, bytes, error);
    if (!status)
        status = ranks_share(together, w->average, bytes, error);
    w->ranks = status ? NULL : together;
    return status;
}

vl_status weights_agree(const weights *w, vl_status status, vl_error *error) {
    return w->ranks ? ranks_agree(w->ranks, status, error) : status;
}

/* ---- lanes -------------------------------------------------------------------------- */

static void run_lane(void *arg, size_t worker) {
    (void)worker;
    lane *at = arg;
    at->status = at->job(at->user, at->number, &at->error);
}

vl_status weights_run(weights *w, weights_job *job, void *user, vl_error *error) {
    size_t lanes = weights_lanes(w);
    for (size_t i = 0; i < lanes; i++) {
        lane *at = &w->lanes[i];
        at->job = job;
        at->user = user;
        at->number = i;
        at->status = VL_OK;
        if (vl_pool_submit_wait(w->pool, run_lane, at)) {
            vl_pool_wait(w->pool);
            return vl_fail(error, VL_ERR_INTERNAL, "a training thread is gone");
        }
    }
    vl_pool_wait(w->pool);
    for (size_t i = 0; i < lanes; i++)
        if (w->lanes[i].status) {
            if (error)
                *error = w->lanes[i].error;
            return w->lanes[i].status;
        }
    return VL_OK;
}

void weights_clear_gradients(weights *w) {
    for (size_t i = 0; i < weights_lanes(w); i++)
        memset(w->lanes[i].gradient, 0, w->total * sizeof(vl_real));
}

/* ---- training for few bits ------------------------------------------------------------ */

static vl_status round_param(weights *w, const vl_param *p, vl_error *error) {
    vl_dtype dtype = w->options.dtype_of(p, w->format);
    if (dtype == VL_F32)
        return VL_OK;
    char packed[MAX_ROW_BYTES];
    size_t width = p->dims[p->rank - 1];
    vl_real *row = vl_params_values(w->params) + p->offset;
    if (vl_dtype_row_bytes(dtype, width) > sizeof packed)
        return vl_fail(error, VL_ERR_LIMIT, "%s: its rows are too long to round", p->name);
    for (size_t at = 0; at < p->count; at += width) {
        vl_status status = vl_quantize_row(dtype, row + at, width, packed);
        if (!status)
            status = vl_dequantize_row(dtype, packed, width, row + at);
        if (status)
            return vl_fail(error, status, "%s: its weights cannot be rounded to %s", p->name,
                           vl_dtype_name(dtype));
    }
    return VL_OK;
}

static vl_status round_lane(void *user, size_t number, vl_error *error) {
    weights *w = user;
    vl_status status = VL_OK;
    for (size_t i = number; i < vl_params_count(w->params) && !status; i += weights_lanes(w))
        status = round_param(w, vl_params_at(w->params, i), error);
    return status;
}

vl_status weights_round(weights *w, vl_error *error) {
    if (w->format == VL_F32)
        return VL_OK;
    memcpy(w->exact, vl_params_values(w->params), w->total * sizeof(vl_real));
    w->rounded = true;
    return weights_run(w, round_lane, w, error);
}

void weights_put_back(weights *w) {
    if (w->rounded)
        memcpy(vl_params_values(w->params), w->exact, w->total * sizeof(vl_real));
    w->rounded = false;
}

void weights_swap_average(weights *w) {
    vl_real *values = vl_params_values(w->params);
    for (size_t i = 0; i < w->total; i++) {
        vl_real swap = values[i];
        values[i] = w->average[i];
        w->average[i] = swap;
    }
}

/* ---- numbers gone wrong --------------------------------------------------------------- */

bool weights_finite(const vl_real *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

const vl_param *weights_suspect(const weights *w, double *largest) {
    const vl_param *worst = NULL;
    *largest = -1;
    for (size_t i = 0; i < vl_params_count(w->params); i++) {
        const vl_param *p = vl_params_at(w->params, i);
        const vl_real *x = vl_params_values(w->params) + p->offset;
        if (!weights_finite(x, p->count)) {
            *largest = NAN;
            return p;
        }
        for (size_t k = 0; k < p->count; k++)
            if (fabs((double)x[k]) > *largest) {
                *largest = fabs((double)x[k]);
                worst = p;
            }
    }
    return worst;
}

void weights_blame(const weights *w, char *out, size_t size) {
    double largest;
    const vl_param *p = weights_suspect(w, &largest);
    if (isnan(largest))
        snprintf(out, size, "the weights '%s' are no numbers", p->name);
    else
        snprintf(out, size, "the largest weight is %.3g, in '%s'", largest, p ? p->name : "");
}

/* What is wrong on the way back began where it began first: near the loss, at the end. */
static vl_status fail_gradient(const weights *w, uint64_t step, vl_error *error) {
    const char *name = "all of them together";
    for (size_t i = 0; i < vl_params_count(w->params); i++) {
        const vl_param *p = vl_params_at(w->params, i);
        if (!weights_finite(w->lanes[0].gradient + p->offset, p->count))
            name = p->name;
    }
    return vl_fail(error, VL_ERR_INPUT,
                   "the gradient of step %llu is not a number any more, in '%s'",
                   (unsigned long long)step, name);
}

/* ---- the optimiser ------------------------------------------------------------------ */

vl_status weights_sum(weights *w, uint64_t step, double *norm, vl_error *error) {
    vl_real *sum = w->lanes[0].gradient;
    for (size_t i = 1; i < weights_lanes(w); i++)
        vl_kernels_get()->add(sum, w->lanes[i].gradient, w->total);
    vl_status status = w->ranks ? ranks_sum_reals(w->ranks, sum, w->total, error) : VL_OK;
    if (status)
        return status;
    *norm = vl_gradient_norm(sum, w->total);
    return isfinite(*norm) ? VL_OK : fail_gradient(w, step, error);
}

void weights_step(weights *w, double rate, double norm) {
    const recipe *r = w->recipe;
    const vl_kernels *kernels = vl_kernels_get();
    vl_real *values = vl_params_values(w->params);
    double t = (double)++w->steps, scale = r->clip > 0 && norm > r->clip ? r->clip / norm : 1;
    /* The average of few steps follows quickly. */
    vl_real keep = (vl_real)fmin(r->ema, (1 + t) / (10 + t));
    for (size_t i = 0; i < vl_params_count(w->params); i++) {
        const vl_param *p = vl_params_at(w->params, i);
        vl_adamw step = {.rate = (vl_real)rate,
                         .beta1 = (vl_real)r->beta1,
                         .beta2 = (vl_real)r->beta2,
                         .epsilon = (vl_real)1e-8,
                         .decay = p->decay ? (vl_real)r->decay : 0,
                         .correct1 = (vl_real)(1 - pow(r->beta1, t)),
                         .correct2 = (vl_real)(1 - pow(r->beta2, t)),
                         .gradient_scale = (vl_real)scale};
        kernels->adamw(values + p->offset, w->m + p->offset, w->v + p->offset,
                       w->lanes[0].gradient + p->offset, &step, p->count);
    }
    if (w->limited != VL_NONE) {
        vl_real *limited = values + vl_params_at(w->params, w->limited)->offset;
        *limited = *limited > w->most ? w->most : *limited;
    }
    for (size_t i = 0; i < w->total; i++)
        w->average[i] = values[i] + keep * (w->average[i] - values[i]);
}

/* ---- checkpoints -------------------------------------------------------------------- */

vl_status weights_save(const weights *w, const char *path, uint64_t step,
                       const char *recipe_text, vl_error *error) {
    vl_real *arrays[CHECKPOINT_ARRAYS] = {vl_params_values(w->params), w->m, w->v, w->average};
    double largest;
    const vl_param *p = weights_suspect(w, &largest);
    if (isnan(largest))
        return vl_fail(error, VL_ERR_INPUT,
                       "the weights '%s' are no numbers any more after step %llu; %s stays as "
                       "it was",
                       p->name, (unsigned long long)step, path);
    checkpoint about = {recipe_model_name(w->recipe->model), step, recipe_text};
    return checkpoint_write(path, w->params, arrays, &about, error);
}

vl_status weights_load(weights *w, const char *path, uint64_t *step, vl_error *error) {
    vl_real *arrays[CHECKPOINT_ARRAYS] = {vl_params_values(w->params), w->m, w->v, w->average};
    vl_status status = checkpoint_read(path, recipe_model_name(w->recipe->model), w->params,
                                       arrays, step, error);
    w->steps = status ? 0 : *step;
    return status;
}

vl_status weights_init(weights *w, const char *path, size_t *taken, vl_error *error) {
    vl_real *values = vl_params_values(w->params);
    vl_status status = checkpoint_take(path, w->params, values, taken, error);
    memcpy(w->average, values, w->total * sizeof *values);
    return status;
}
