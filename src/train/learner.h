/* learner.h — `seer` being trained: the network, its optimiser's state, and one step of both.
 */
#ifndef TRAIN_LEARNER_H
#define TRAIN_LEARNER_H

#include "train/feed.h"
#include "train/ranks.h"

/* Sums of a step or of an evaluation, by task. */
typedef struct tally {
    double loss[TASK_COUNT], right[TASK_COUNT], count[TASK_COUNT];
} tally;

typedef struct learner learner;
/* A network as the recipe draws it, numbers from its seed. */
vl_status learner_new(const recipe *r, learner **learner, vl_error *error);
void learner_free(learner *learner);
/* From now on steps are taken together: all processes have the numbers of the first, and each
 * brings its pieces of a step. `ranks` outlives the learner. Collective, as learner_step is
 * then: what fails in one process fails in all. */
vl_status learner_join(learner *learner, const ranks *ranks, vl_error *error);
const vl_seer_net *learner_net(const learner *learner);
vl_params *learner_params(const learner *learner);
/* One step of AdamW at `rate`. VL_ERR_INPUT: the loss or the gradient is no number any more;
 * the message says in which layers that began, and which weight is the largest. Nothing was
 * changed then. `norm` receives the gradient's length before clipping. `sums` are those of this
 * process's pieces; the loss of matching is that of all, and stands in the first process's. */
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
 * beside them. VL_ERR_INPUT, and the old file stays: a weight is no number (the message names
 * it). */
vl_status learner_save(const learner *learner, const char *path, uint64_t step,
                       const char *recipe_text, vl_error *error);
/* Everything back; VL_ERR_INPUT when the file is of another network. */
vl_status learner_load(learner *learner, const char *path, uint64_t *step, vl_error *error);
/* Weights only, from the running average of a checkpoint or from a model, as far as names and
 * shapes agree (a new label head begins anew); `taken` receives how many did. */
vl_status learner_init(learner *learner, const char *path, size_t *taken, vl_error *error);

#endif
