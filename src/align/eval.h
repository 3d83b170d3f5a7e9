/* eval.h — one measurement: what was asked, the two languages' vectors, and the report that
 * grows. One thread at a time. */
#ifndef VISLANG_ALIGN_EVAL_H
#define VISLANG_ALIGN_EVAL_H

#include "align/match.h"

#include <vislang/align.h>

#include <cjson/cJSON.h>

enum {
    ALIGN_EVAL_SEED = 1, /* of the order of candidates, which no figure depends on */
    ALIGN_EVAL_FILES_MAX = 32,
};

/* Where vectors come from: a space, or a file for each language. */
typedef struct align_source align_source;

typedef struct align_eval {
    const vl_align_evaluation *how;
    align_source *source; /* NULL: none was asked for, and the task needs none */
    cJSON *root;          /* the report */
    vl_error *error;
} align_eval;

/* ---- where vectors come from (eval_source.c) ----------------------------------------------
 */

/* Opens what `how` names and adds "space" to the report. A language that is not there is
 * VL_ERR_MISSING, with "missing" and "languages" in the report; with `spare` (a task that needs
 * no vectors) it is no failure, and neither is that there is no space: then eval->source stays
 * NULL. */
vl_status align_source_open(align_eval *eval, bool spare);
void align_source_free(align_source *source); /* NULL allowed */
/* NULL: the vectors are two files'. */
const vl_space *align_source_space(const align_source *source);
size_t align_source_width(const align_source *source);
/* `out` [count][width]: unit rows, or zeros where nothing is known. `side`: 0 src, 1 tgt. */
vl_status align_source_encode(const align_source *source, size_t side, const char *const *texts,
                              size_t count, float *out, vl_error *error);
/* Made when they are asked for first; they live as long as the source. */
vl_status align_source_words(align_source *source, size_t side, const vl_embeddings **words,
                             vl_error *error);

/* ---- tasks --------------------------------------------------------------------------------
 */

vl_status align_eval_retrieval(align_eval *eval);
vl_status align_eval_lexicon(align_eval *eval);
vl_status align_eval_document(align_eval *eval);

/* Reads how->paths (one, or two files line by line) and adds "pairs" and "left_out". */
vl_status align_eval_pairs(align_eval *eval, align_pairs *pairs);
/* Adds "accuracy", "accuracy_at_5" and "mean_reciprocal_rank" of ranks[0] to `object`, with
 * `interval` "accuracy_low" and "accuracy_high" (95 %), and of ranks[1] the same with
 * "_reverse".
 */
void align_eval_add_ranks(cJSON *object, const align_ranks ranks[2], bool interval);
/* Only accuracy and its interval of `n` asked; `names` are "accuracy" or "accuracy_reverse" and
 * so on by `back`. */
void align_eval_add_accuracy(cJSON *object, bool back, double accuracy, size_t n);
#endif
