/* trainable.h — what the trainer drives: a network with its data and its losses.
 *
 * trainer.c knows steps, logs, evaluations, checkpoints and processes; a trainable knows what a
 * step is made of. There is one for each model of a recipe: seer (trainable_seer.c) and reader
 * (trainable_reader.c).
 *
 * Thread-safety: one thread, the trainer's. */
#ifndef TRAIN_TRAINABLE_H
#define TRAIN_TRAINABLE_H

#include "train/weights.h"

#include <vislang/train.h>

/* Sums of a step or of an evaluation, by task; `right` where a task counts what is right. */
typedef struct tally {
    double loss[VL_TRAIN_TASKS], right[VL_TRAIN_TASKS], count[VL_TRAIN_TASKS];
} tally;

typedef struct trainable_options {
    const recipe *recipe; /* outlives the trainable, as do the texts */
    const char *data_dir, *out_dir;
    size_t feed_threads;
} trainable_options;

/* One evaluation: sums, the number that runs are compared by (less is better), keys for the
 * log (",\"name\":1"), and words for who watches. */
typedef struct trainable_score {
    tally sums;
    double total;
    vl_buf keys;
    char words[128];
} trainable_score;

typedef struct trainable {
    const char *const *tasks; /* names of the losses, as logged */
    size_t task_count;
    void *self;
    weights *weights; /* of `self` */
    const struct trainable_kind *kind;
} trainable;

typedef struct trainable_kind {
    /* A network as the recipe draws it, numbers from its seed; no data yet but what the network
     * depends on. Sets all of `out` but `kind`. */
    vl_status (*open)(const trainable_options *options, trainable *out, vl_error *error);
    void (*free)(void *self); /* may be NULL inside */
    /* Once the run's folder is ours, in the first process: writes beside the checkpoint what it
     * needs to be used. May be NULL. */
    vl_status (*keep)(void *self, const char *out_dir, vl_error *error);
    /* Sources of this process, and, in the first, those held out. */
    vl_status (*open_data)(void *self, size_t rank, size_t ranks, vl_error *error);
    /* Waits until the numbers of step `number` are there; `release` lets go of them. */
    vl_status (*take)(void *self, uint64_t number, vl_error *error);
    void (*release)(void *self);
    /* One step of AdamW at `rate` on what was taken. VL_ERR_INPUT: a loss or a gradient that is
     * no number any more; nothing was changed then. Collective. */
    vl_status (*step)(void *self, double rate, tally *sums, double *norm, vl_error *error);
    /* What the averaged weights do on all that is held out. */
    vl_status (*evaluate)(void *self, trainable_score *score, vl_error *error);
} trainable_kind;

extern const trainable_kind trainable_seer, trainable_reader;

#endif
