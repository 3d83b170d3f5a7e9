/* review_fit.h — what reviewers said teaches the quality model of the next build. */
#ifndef VL_DATASET_REVIEW_FIT_H
#define VL_DATASET_REVIEW_FIT_H

#include "dataset/quality.h"

#include <vislang/store.h>

#define REVIEW_QUALITY_FILE "quality.json"

/* Fits the model to the verdicts of reviews.db and writes it to quality.json in the folder, if
 * it does better on verdicts that were left out (fit->taken); else the folder stays as it is.
 *
 * An item is one case, the mean of its reviewers: 1 where it was accepted, 0 where it was
 * rejected, 0.75 (1 - d) where it was corrected, d being how far the text was changed.
 * Rejections whose reason says nothing about quality (a wrong answer, personal data, harm, a
 * duplicate) are no cases. VL_ERR_INPUT: fewer than QUALITY_CASES_LEAST cases. */
vl_status review_fit(const char *folder, vl_db *db, quality_fit *fit, quality_model *model,
                     vl_error *error);

#endif
