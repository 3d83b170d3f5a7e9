/* checkpoint.h — the numbers of a training run in a file. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include <vislang/nn.h>
#include <vislang/tensor.h>

enum { CHECKPOINT_ARRAYS = 4 }; /* weights, first moments, second moments, running average */

/* What stands beside the numbers. */
typedef struct checkpoint {
    const char *model; /* "seer" */
    uint64_t step;
    const char *recipe_text;
} checkpoint;

/* Old or new, never half: written beside, fsynced, renamed. */
vl_status checkpoint_write(const char *path, const vl_params *params,
                           vl_real *const arrays[CHECKPOINT_ARRAYS], const checkpoint *about,
                           vl_error *error);
/* VL_ERR_INPUT: of another network, or no checkpoint; `arrays` may then be half filled. */
vl_status checkpoint_read(const char *path, const char *model, const vl_params *params,
                          vl_real *const arrays[CHECKPOINT_ARRAYS], uint64_t *step,
                          vl_error *error);
/* Weights by name, the running average where there is one; parameters that the file lacks, or
 * has in another shape, stay. VL_ERR_INPUT when none fits. */
vl_status checkpoint_take(const char *path, const vl_params *params, vl_real *values,
                          size_t *taken, vl_error *error);

#endif
