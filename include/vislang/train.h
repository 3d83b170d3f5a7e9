/* train.h — training of the weights that are bundled. */
#ifndef VISLANG_TRAIN_H
#define VISLANG_TRAIN_H

#include <vislang/text.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Language identification from plain text (models/recipes/langid.yaml). Deterministic for the
 * recipe's seed. `progress` (may be NULL) is called after every epoch. */
typedef struct vl_langid_training {
    const char *recipe;   /* YAML file */
    const char *data_dir; /* the recipe's files are relative to it */
    void (*progress)(unsigned epoch, unsigned epochs, double loss, void *user);
    void *user;
} vl_langid_training;
/* VL_ERR_INPUT: a recipe that cannot be read; VL_ERR_MISSING: no text for a language in it. */
vl_status vl_langid_train(const vl_langid_training *training, const char *out_path,
                          vl_error *error);

/* Scores on held-out text, as accuracy over lines cut to about 20, 50 and 100 letters (and
 * whole). */
typedef struct vl_langid_score {
    char code[VL_LANG_SIZE]; /* "und": languages the model was never shown */
    uint32_t right[4], count[4];
    char mostly[VL_LANG_SIZE]; /* what wrong answers most often said; "" when none */
} vl_langid_score;
/* `scores` has room for `max`; `count` receives how many there are. */
vl_status vl_langid_evaluate(const vl_langid_training *training, const vl_langid *langid,
                             vl_langid_score *scores, size_t max, size_t *count,
                             vl_error *error);

#ifdef __cplusplus
}
#endif
#endif
