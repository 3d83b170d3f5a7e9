/* build_folder.h — the folder that a dataset is built in: whether it may be, by whom, and by
 * which recipe.
 *
 * A build takes a folder that is not there or empty, or that has a build of the same recipe in
 * it. What it makes before the end lies in FOLDER_WORK there, and nothing else is ever removed.
 * Whoever comes first says the recipe, also where several processes come at once. */
#ifndef VL_DATASET_BUILD_FOLDER_H
#define VL_DATASET_BUILD_FOLDER_H

#include "dataset/build_recipe.h"

typedef struct build_folder {
    const char *path;
    bool shared;   /* with other processes, through a queue */
    bool finished; /* there is the dataset of this recipe already */
    int lock;      /* of the folder itself; -1: none */
} build_folder;
/* VL_ERR_USAGE: it holds something else, or what another recipe began or made; VL_ERR_BUSY:
 * another process is building there. */
vl_status build_folder_enter(const build_recipe *recipe, const char *path, bool shared,
                             build_folder *folder, vl_error *error);
/* Whether the dataset is whole. */
bool build_folder_is_finished(const char *path);
/* Removes what was only needed for building. What cannot be is left there, and logged. */
void build_folder_clear(const char *path);
/* Gives it back; of a build without a plan nothing is left. */
void build_folder_leave(build_folder *folder);

#endif
