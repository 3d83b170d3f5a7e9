/* review_json.h — a decision as JSON (docs/dataset.md, Review). */
#ifndef VL_DATASET_REVIEW_JSON_H
#define VL_DATASET_REVIEW_JSON_H

#include "dataset/review.h"

struct cJSON;
/* Its texts live as long as `json`. VL_ERR_INPUT says which member is wrong; whether the
 * decision has a meaning is review_check's to say. */
vl_status review_decision_read(const struct cJSON *json, review_decision *decision,
                               vl_error *error);
struct cJSON *review_decision_json(const review_decision *decision); /* caller deletes */

#endif
