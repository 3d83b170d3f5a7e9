/* learner.h — `seer` being trained: the network, its optimiser's state, and one step of both.
 */
#ifndef TRAIN_LEARNER_H
#define TRAIN_LEARNER_H

#include "train/feed.h"
#include "train/trainable.h"

typedef struct learner learner;
/* A network as the recipe draws it, numbers from its seed. */
vl_status learner_new(const recipe *r, learner **learner, vl_error *error);
void learner_free(learner *learner);
const vl_seer_net *learner_net(const learner *learner);
/* Its numbers: joined with those of other processes, saved and loaded there. */
weights *learner_weights(learner *learner);
/* One step of AdamW at `rate`; collective once the weights are joined. VL_ERR_INPUT: the loss
 * or the gradient is no number any more; the message says in which layers that began, and which
 * weight is the largest. Nothing was changed then. `norm` receives the gradient's length before
 * clipping. `sums` are those of this process's pieces; the loss of matching is that of all, and
 * stands in the first process's. */
vl_status learner_step(learner *learner, const feed_step *step, double rate, tally *sums,
                       double *norm, vl_error *error);
/* Adds to `sums` what the averaged weights do on a held step, and keeps the vectors of what is
 * matched for learner_recall. */
vl_status learner_evaluate(learner *learner, const feed_step *step, tally *sums,
                           vl_error *error);
/* Shares of texts whose picture is the nearest, and among the ten nearest, over the vectors
 * kept since the last call (which forgets them); NAN without any. */
void learner_recall(learner *learner, double recall[2]);

#endif
