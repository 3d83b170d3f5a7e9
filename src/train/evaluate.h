/* evaluate.h — what the files of the evaluation share: pictures with what is known of them and
 * what the model said of them.
 *
 * evaluate_data.c reads a folder, evaluate_seer.c asks the model, evaluate_scores.c compares,
 * evaluate_details.c writes it all down, evaluate_baselines.c says what needs no model,
 * evaluate_calibration.c turns scores into probabilities.
 *
 * Ownership: everything an eval_item points to lives until eval_data_deinit. */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H

#include "train/samples.h"

#include <cJSON.h>
#include <vislang/train.h>

enum {
    EVAL_MAX_PATHS = 32,
    EVAL_MAX_LANGUAGES = 32,
    EVAL_MAX_SETS = 16,
    EVAL_COLOURS = 8 * 8 * 8,
    EVAL_NAMED = 100 /* skipped pictures that are named in the report */
};

typedef struct eval_caption {
    const char *language, *text;
    float *vector; /* of the model; NULL: not asked, or the model cannot read it */
} eval_caption;

typedef struct eval_question {
    const char *text;
    const char **answers; /* all of them together are the answer */
    size_t answer_count;
    const char *said;
    double confidence;
} eval_question;

typedef struct eval_statement {
    const char *text;
    bool truth;
    double probability; /* NaN: the model cannot read it */
} eval_statement;

typedef struct eval_label {
    const char *set, *truth;
    vl_seer_guess *guesses; /* best first; labels as the model names them */
    size_t guess_count;
} eval_label;

typedef struct eval_written {
    const char *text;
    double confidence;
} eval_written;

typedef struct eval_item {
    const char *name, *path; /* `path` NULL: in a tar */
    const samples *set;      /* of tars */
    size_t index;
    eval_caption *captions;
    eval_question *questions;
    eval_statement *statements;
    eval_label *labels;
    size_t caption_count, question_count, statement_count, label_count;
    bool aerial_known, aerial;
    bool chosen, broken;
    eval_written *written; /* [languages of eval_data] */
    float *vector;         /* of the picture */
    float *colours;        /* [EVAL_COLOURS] */
} eval_item;

typedef struct eval_data {
    vl_arena *arena;
    samples *sets[EVAL_MAX_PATHS];
    size_t set_count;
    eval_item *items;
    size_t count, capacity;
    size_t missing; /* pictures that are named and not there */
    const char *missing_names[EVAL_NAMED];
    const char *languages[EVAL_MAX_LANGUAGES]; /* of captions, English first, then by code */
    size_t language_count;
    const char *label_sets[EVAL_MAX_SETS]; /* "scene" first, then by name */
    size_t label_set_count;
} eval_data;

/* Reads folders, tars and *.jsonl files into one list (docs/eval.md says what is read).
 * VL_ERR_MISSING: nothing there; VL_ERR_INPUT: a line that cannot be read. eval_data_deinit is
 * due in any case. */
vl_status eval_data_open(eval_data *data, const char *const *paths, size_t count,
                         vl_error *error);
void eval_data_deinit(eval_data *data);
/* Chooses the first `limit` (0: all) items with something for one of `tasks`. */
size_t eval_data_choose(eval_data *data, unsigned tasks, size_t limit);
/* Which tasks the chosen items serve. */
unsigned eval_data_tasks(const eval_data *data);
vl_status eval_picture(const eval_item *item, vl_image **image, vl_error *error);
/* Scored: chosen, and not broken. */
bool eval_counts(const eval_item *item);
const eval_label *eval_label_of(const eval_item *item, const char *set);

/* ---- scores: each returns an object that the caller owns, NULL when there is none -------- */

/* The captions of a picture in one language; `texts` has room for eval_most_captions. */
size_t eval_references(const eval_item *item, const char *language, const char **texts);
size_t eval_most_captions(const eval_data *data); /* of a picture */
typedef struct eval_captions {
    const char *language;
    const char *constant; /* said of every picture; NULL: what the model wrote */
} eval_captions;
vl_status eval_score_captions(const eval_data *data, eval_captions how, cJSON **out,
                              vl_error *error);
vl_status eval_score_retrieval(const eval_data *data, const char *language, size_t width,
                               cJSON **out, vl_error *error);
/* `exact`: the answers in any order, normalised; `plain`: byte for byte. */
vl_status eval_answer_right(const eval_question *question, const char *said, bool *exact,
                            bool *plain, vl_error *error);
vl_status eval_score_vqa(const eval_data *data, cJSON **out, vl_error *error);
cJSON *eval_score_statements(const eval_data *data);
typedef struct eval_answered { /* one picture sorted into labels */
    const char *truth, *said;
    float probability;
    bool aerial_known, aerial;
} eval_answered;
vl_status eval_score_labels(const eval_answered *answers, size_t n, cJSON **out,
                            vl_error *error);
/* What the model said, [data->count] long at most. */
size_t eval_collect_labels(const eval_data *data, const char *set, eval_answered *answers);

/* Every scored picture as a line of JSON (docs/eval.md). */
vl_status eval_write_details(const eval_data *data, const char *path, vl_error *error);

/* ---- baselines --------------------------------------------------------------------------- */

/* 8×8×8 RGB histogram, square roots of shares (so of length 1), into `out`. */
void eval_colours(const vl_image *image, float *out);
/* `train` NULL: only what needs none. `tasks`: those that were scored. */
vl_status eval_baselines(const eval_data *data, eval_data *train, unsigned tasks, vl_pool *pool,
                         cJSON *out, vl_error *error);

/* ---- calibration ------------------------------------------------------------------------- */

/* Platt's sigmoid of `scores` (Platt 1999, with his targets). false: fewer than ten of one
 * kind. */
bool eval_fit_platt(const double *scores, const bool *right, size_t n, vl_calibration *out);
/* Temperature T that makes softmax(logits/T) likeliest (Guo et al. 2017, 4.2). `logits`
 * [n,classes], `truth` [n]. */
double eval_fit_temperature(const double *logits, const size_t *truth, size_t n,
                            size_t classes);
/* Mean negative log-likelihood of that. */
double eval_temperature_loss(const double *logits, const size_t *truth, size_t n,
                             size_t classes, double temperature);
vl_status eval_calibrate(const eval_data *data, const vl_seer *seer, vl_seer_facts *facts,
                         cJSON *out, vl_error *error);

#endif
