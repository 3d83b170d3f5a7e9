/* langid_data.h — the lines that language identification is trained and scored on. */
#ifndef VISLANG_TRAIN_LANGID_DATA_H
#define VISLANG_TRAIN_LANGID_DATA_H

#include <vislang/train.h>

typedef struct langid_lines {
    char **items;
    const char **files; /* which file of the recipe each is from */
    size_t count, capacity;
} langid_lines;

typedef struct lang_data {
    char code[VL_LANG_SIZE];
    langid_lines train, calibrate, held;
} lang_data;

typedef struct langid_recipe {
    uint64_t seed;
    uint32_t buckets, width, epochs, samples_per_language, unknown_groups;
    double learning_rate, unknown_share, unknown_wrong, dropout;
    lang_data *languages; /* the last `unknown_groups` are "und", one group of relatives each */
    size_t language_count;
    vl_arena *arena;
} langid_recipe;

/* Reads the recipe and every file it names. One line in ten of each training file is held out,
 * and the files listed as `held` whole; of the languages behind "und", one in five is held out
 * whole, so that the score is over languages never seen. One line, and one such language, in
 * twenty is for calibration. */
vl_status langid_recipe_load(const char *path, const char *data_dir, langid_recipe *recipe,
                             vl_error *error);
/* Which of `groups` each of the files belongs to, by what n-grams they are made of (spherical
 * k-means; deterministic). VL_ERR_MEMORY. */
vl_status langid_group(const langid_lines *files, size_t count, uint32_t groups,
                       uint32_t *group, vl_error *error);
void langid_recipe_free(langid_recipe *recipe);

#endif
