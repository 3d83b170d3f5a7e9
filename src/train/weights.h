/* weights.h — the numbers of a network in training, whatever it is: weights, the optimiser's
 * moments, the running average, a gradient for each lane, and the step that joins them.
 *
 * Work on the pieces of a step is spread over lanes, a thread a lane; each adds up a gradient
 * of its own, and lanes are added in order, so the sum does not depend on who was faster. Of
 * several processes (ranks.h) the gradients are added by rank, and everyone takes the same
 * step.
 *
 * Thread-safety: one thread; a lane's gradient belongs to the lane's job while it runs. */
#ifndef TRAIN_WEIGHTS_H
#define TRAIN_WEIGHTS_H

#include "train/ranks.h"
#include "train/recipe.h"

#include <vislang/nn.h>

enum { WEIGHTS_MAX_LANES = 64 };

/* Zeros, 64-byte aligned; the caller frees them. NULL: no memory. */
vl_real *weights_zeros(size_t count);
/* Whether all are numbers. */
bool weights_finite(const vl_real *x, size_t count);

typedef struct weights weights;
typedef struct weights_options {
    const recipe *recipe; /* outlives the weights */
    vl_params *params;    /* declared, without numbers; the weights own them from here on */
    /* What a parameter is kept in, in a model file of a format: training for few bits rounds
     * to it. */
    vl_dtype (*dtype_of)(const vl_param *param, vl_dtype wanted);
} weights_options;
/* Numbers drawn from the recipe's seed. The parameters are freed also when this fails. */
vl_status weights_new(const weights_options *options, weights **weights, vl_error *error);
void weights_free(weights *weights);
vl_params *weights_params(weights *weights);
size_t weights_lanes(const weights *weights);
vl_real *weights_gradient(weights *weights, size_t lane); /* [vl_params_total] */
/* Parameter `param`, a scalar, never goes past `most`. */
void weights_limit(weights *weights, size_t param, double most);
/* NULL: alone. */
const ranks *weights_ranks(const weights *weights);
/* From now on steps are taken together: all processes have the numbers of the first. `ranks`
 * outlives the weights. Collective. */
vl_status weights_join(weights *weights, const ranks *ranks, vl_error *error);
/* `status` of this process becomes that of all. */
vl_status weights_agree(const weights *weights, vl_status status, vl_error *error);

/* Calls `job` for every lane on a thread of its own and waits; the first failure by lane is
 * everyone's. */
typedef vl_status weights_job(void *user, size_t lane, vl_error *error);
vl_status weights_run(weights *weights, weights_job *job, void *user, vl_error *error);
void weights_clear_gradients(weights *weights);

/* Training for few bits: puts rounded weights in the place of the exact ones, until put back.
 * The gradient of the rounded ones is taken as that of the exact ones (straight-through
 * estimator, Bengio, Léonard and Courville 2013). Nothing without a format in the recipe. */
vl_status weights_round(weights *weights, vl_error *error);
void weights_put_back(weights *weights);
/* Exchanges the weights with their running average, to evaluate; and back. */
void weights_swap_average(weights *weights);

/* The gradients of all lanes and processes into the first lane's; `norm` is its length.
 * VL_ERR_INPUT: it is no number (the message says in which parameter). Collective. */
vl_status weights_sum(weights *weights, uint64_t step, double *norm, vl_error *error);
/* One step of AdamW at `rate` along that sum, clipped as the recipe says. */
void weights_step(weights *weights, double rate, double norm);

/* The parameter that most likely is to blame for numbers gone wrong: one that is no number
 * (`largest` NAN), else the one with the largest weight. */
const vl_param *weights_suspect(const weights *weights, double *largest);
/* The same in words: "the largest weight is 3, in 'stem.1.weight'". */
void weights_blame(const weights *weights, char *out, size_t size);

/* ---- checkpoints -------------------------------------------------------------------- */

/* Weights, both moments and the running average as safetensors; `recipe_text` and the step go
 * beside them. VL_ERR_INPUT, and the old file stays: a weight is no number (the message names
 * it). */
vl_status weights_save(const weights *weights, const char *path, uint64_t step,
                       const char *recipe_text, vl_error *error);
/* Everything back; VL_ERR_INPUT when the file is of another network. */
vl_status weights_load(weights *weights, const char *path, uint64_t *step, vl_error *error);
/* Weights only, from the running average of a checkpoint or from a model, as far as names and
 * shapes agree (what is new begins anew); `taken` receives how many did. */
vl_status weights_init(weights *weights, const char *path, size_t *taken, vl_error *error);

#endif
