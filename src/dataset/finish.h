/* finish.h — the end of a build: what the chunks hold becomes the dataset. Near-duplicates are
 * found over all of it, what is not good enough is left out, the rest is split and written in
 * its order. Memory: what vl_duplicates takes, and 12 bytes a base
 * item and 16 a record.
 *
 * May be done again from its beginning after it was stopped anywhere. */
#ifndef VL_DATASET_FINISH_H
#define VL_DATASET_FINISH_H

#include "dataset/plan.h"
#include "dataset/quality.h"

/* Fills `report` but for its chunks and seconds. */
vl_status finish_build(const build_recipe *recipe, const vl_build_options *options,
                       const plan *p, const quality_model *quality, vl_build_report *report,
                       vl_error *error);

#endif
