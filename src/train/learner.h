/* learner.h — `seer` being trained: the network, its optimiser's state, and one step of both.
 */
#ifndef TRAIN_LEARNER_H
#define TRAIN_LEARNER_H

#include "train/feed.h"

/* Sums of a step or of an evaluation, by task. */
typedef struct tally {
    double loss[TASK_COUNT], right[TASK_COUNT], count[TASK_COUNT];
} tally;

typedef struct learner learner;
/* A network as the recipe draws it, numbers from its seed. */
vl_status learner_new(const recipe *r, learner **learner, vl_error *error);
void learner_free(learner *learner);
const vl_seer_net *learner_net(const learner *learner);
vl_params *learner_params(const learner *learner);
/* One step of AdamW at `rate`. VL_ERR_INPUT: the loss or the gradient is no number any more;
 * the message says which layer's output was the first that is not finite. Nothing was changed
 * then. `norm` receives the gradient's length before clipping. */
vl_status learner_step(learner *learner, const feed_step *step, double rate, tally *sums,
                       double *norm, vl_error *error);
/* Adds to `sums` what the averaged weights do on a held step, and keeps the vectors of what is
 * matched for learner_recall. */
vl_status learner_evaluate(learner *learner, const feed_step *step, tally *sums,
                           vl_error *error);
/* Shares of texts whose picture is the nearest, and among the ten nearest, over the vectors
 * kept since the last call (which forgets them); NAN without any. */
void learner_recall(learner *learner, double recall[2]);

/* ---- checkpoints -------------------------------------------------------------------- */

/* Weights, both moments and the running average as safetensors; `recipe_text` and the step go
 * beside them. */
vl_status learner_save(const learner *learner, const char *path, uint64_t step,
                       const char *recipe_text, vl_error *error);
/* Everything back; VL_ERR_INPUT when the file is of another network. */
vl_status learner_load(learner *learner, const char *path, uint64_t *step, vl_error *error);
/* Weights only, from the running average of a checkpoint or from a model, as far as names and
 * shapes agree (a new label head begins anew); `taken` receives how many did. */
vl_status learner_init(learner *learner, const char *path, size_t *taken, vl_error *error);

#endif
