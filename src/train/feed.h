/* feed.h — from sets of samples to the numbers of a training step, ahead of time.
 *
 * What step s holds follows from the recipe's seed and s alone: each source is shuffled anew
 * for every pass over it, and every random choice has a seed of its own. So a resumed run sees
 * what the first would have seen, however many threads decode and however many machines share
 * the step.
 *
 * A step is a list of pieces (micro-batches): pictures of one source at one size, with the
 * texts that belong to them; or, for `reader`, pictures of lines and nothing else that stands
 * here but `lines`. Machine r of n builds pieces r, r+n, … */
#ifndef TRAIN_FEED_H
#define TRAIN_FEED_H

#include "train/lines.h"
#include "train/recipe.h"
#include "train/samples.h"

typedef struct piece {
    const recipe_source *source;
    size_t number; /* among the pieces of all machines */
    size_t pictures, side;
    float *pixels;  /* [pictures,side,side,3] */
    size_t *sample; /* [pictures]: index in the source's set */
    /* texts, one behind the other: row r is ids[starts[r]] … ids[starts[r+1]] */
    size_t rows;
    int32_t *ids, *starts; /* [starts[rows]], [rows+1] */
    int32_t *owner;        /* [rows]: picture in this piece */
    /* tokens to predict */
    size_t targets;
    int32_t *at, *target; /* place among the ids; token */
    uint8_t *task;        /* TASK_CAPTION, TASK_ASK or TASK_STATEMENT */
    /* texts matched with pictures */
    size_t vectors;
    int32_t *vector_at, *vector_owner;
    int32_t *labels; /* [heads,pictures]; −1: not known */
    line_set *lines; /* reader's: the pictures as lines */
    vl_arena *arena;
} piece;

typedef struct feed_step {
    uint64_t number;
    piece *pieces; /* this machine's */
    size_t count;
} feed_step;

typedef struct feed feed;
typedef struct feed_options {
    const recipe *recipe;
    const char *data_dir;
    const vl_bpe *bpe;                  /* seer's */
    const vl_reader_alphabet *alphabet; /* reader's */
    size_t threads, rank, ranks;
    bool held; /* the recipe's held-out sources, nothing random, one pass */
} feed_options;
/* Opens the sources. VL_ERR_INPUT: a label that the recipe does not list, a language the
 * tokenizer has no token for, a line without its text; VL_ERR_MISSING: no data. */
vl_status feed_new(const feed_options *options, feed **feed, vl_error *error);
void feed_free(feed *feed);
/* Steps are taken in order; the first call says where to begin, and steps ahead are prepared in
 * the background from then on. The step is the caller's until feed_release.
 * VL_ERR_INPUT: more broken pictures than the recipe allows. */
vl_status feed_take(feed *feed, uint64_t number, feed_step **step, vl_error *error);
void feed_release(feed *feed, feed_step *step);
size_t feed_held_steps(const feed *feed); /* steps that make one pass over held sources */
size_t feed_broken(const feed *feed);     /* pictures that could not be decoded so far */
const samples *feed_samples(const feed *feed, size_t source);
/* Token ids of a prompt; −1 when the tokenizer lacks it. */
int32_t feed_language_token(const vl_bpe *bpe, const char *language);

#endif
