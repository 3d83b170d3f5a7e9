/* quality.h — how good an item is to train on: parts with names (vl_quality_part), 0 … 1 each,
 * and one score of all of them.
 *
 * The score is a logistic function of the parts. Its default weights are chosen, not fitted, by
 * a rule (quality.c); people's verdicts fit them anew, and a model can be kept in a file.
 * Everything here is a function of its arguments alone, and thread-safe. */
#ifndef VL_DATASET_QUALITY_H
#define VL_DATASET_QUALITY_H

#include <vislang/dataset.h>

/* ---- parts --------------------------------------------------------------------------------
 */

/* Sets the parts of `text` that can be seen from it: OCR and LANGUAGE from what `part` says of
 * the reading and the language (part->text is not looked at, so that a passage of several parts
 * is asked with one that says what they have in common); LENGTH; READABILITY. ALIGNMENT and
 * DUPLICATES are set to 1: the caller knows them. `text` is NFC, as parts are. `ngram` may be
 * NULL: readability is then judged without a model of the language. */
void quality_of_text(const vl_part *part, const char *text, const vl_ngram *ngram,
                     double quality[VL_QUALITY_PART_COUNT]);

/* LENGTH alone: 0 for nothing, 1 from about a line of text to about two pages of it, falling
 * slowly after. Length is counted in letters and digits, weighted by how much of them scripts
 * need for the same text. */
double quality_length(const char *text);

/* ---- the score ----------------------------------------------------------------------------
 */

typedef struct quality_model {
    double weight[VL_QUALITY_PART_COUNT]; /* 0 or more: no part does harm by being better */
    double offset;
    uint64_t cases; /* verdicts that it was fitted to; 0: the default */
} quality_model;
quality_model quality_model_default(void);
/* 1 / (1 + exp(-(weight · quality + offset))) */
double quality_score(const quality_model *model, const double quality[VL_QUALITY_PART_COUNT]);

/* What a person said of an item. */
typedef struct quality_case {
    double quality[VL_QUALITY_PART_COUNT];
    double verdict; /* 1 accepted, 0 rejected, corrected in between */
} quality_case;
enum { QUALITY_CASES_LEAST = 20 };
typedef struct quality_fit {
    size_t cases;
    double before, after; /* mean log loss of verdicts that were left out of the fit (10 parts),
                             under the default and under models fitted to the others */
    bool taken;           /* after < before; else the default stays */
} quality_fit;
/* Fits the model to verdicts, held to the default by a normal prior, so that few cases change
 * little. `fit` may be NULL. The order of the cases makes no difference to the model beyond
 * rounding. VL_ERR_INPUT: fewer than QUALITY_CASES_LEAST cases, or a number outside 0 … 1; the
 * message says how many there are, and `model` is then the default. VL_ERR_MEMORY. */
vl_status quality_model_fit(const quality_case *cases, size_t count, quality_model *model,
                            quality_fit *fit, vl_error *error);

/* {"vislang_quality": 1, "offset": …, "weights": {"ocr": …, …}, "cases": …}. A file that lacks
 * a part or has one more, or a number that has no meaning, is VL_ERR_INPUT. */
vl_status quality_model_read(const char *path, quality_model *model, vl_error *error);
vl_status quality_model_write(const quality_model *model, const char *path, vl_error *error);
/* The same from a string of JSON. */
vl_status quality_model_parse(const char *json, size_t bytes, quality_model *model,
                              vl_error *error);

#endif
