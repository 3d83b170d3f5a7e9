/* build_folder.c — see build_folder.h. */
#include "dataset/build_folder.h"

#include "dataset/folder.h"
#include "dataset/plan.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define RECIPE FOLDER_WORK "/recipe.yaml"
enum { OPEN_FOLDERS = 16, RECIPE_MAX = 1 << 20 };

static bool is_there(const char *folder, const char *name) {
    char path[FOLDER_PATH_SIZE];
    vl_error ignored;
    return !folder_path(folder, name, path, &ignored) && !access(path, F_OK);
}

bool build_folder_is_finished(const char *path) {
    return is_there(path, FOLDER_ABOUT);
}

/* ---- clearing ------------------------------------------------------------------------------
 */

static int remove_entry(const char *path, const struct stat *about, int type,
                        struct FTW *where) {
    (void)about;
    (void)type;
    (void)where;
    return remove(path);
}

void build_folder_clear(const char *path) {
    char work[FOLDER_PATH_SIZE];
    vl_error error;
    if (is_there(path, FOLDER_WORK) && !folder_path(path, FOLDER_WORK, work, &error) &&
        nftw(work, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        vl_log(VL_LOG_WARN, "what was needed for building is left", VL_F_STR("folder", work),
               VL_F_STR("reason", strerror(errno)));
}

/* ---- entering ------------------------------------------------------------------------------
 */

static bool is_empty(const char *path) {
    DIR *folder = opendir(path);
    bool empty = true;
    for (const struct dirent *entry; folder && empty && (entry = readdir(folder));)
        empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    if (folder)
        closedir(folder);
    return empty;
}

/* By the folder itself, so that it goes with no file. */
static vl_status lock_folder(build_folder *folder, vl_error *error) {
    folder->lock = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->lock < 0)
        return vl_fail(error, VL_ERR_IO, "%s: %s", folder->path, strerror(errno));
    if (flock(folder->lock, LOCK_EX | LOCK_NB) == 0)
        return VL_OK;
    close(folder->lock);
    folder->lock = -1;
    return vl_fail(error, VL_ERR_BUSY, "%s: another process is building there", folder->path);
}

static vl_status refuse(const char *path, vl_error *error) {
    return vl_fail(error, VL_ERR_USAGE,
                   "%s: what is there was built by another recipe; remove the folder, or build "
                   "into another",
                   path);
}

static vl_status check_finished(const build_recipe *recipe, const char *path, vl_error *error) {
    vl_dataset *dataset = NULL;
    vl_status status = vl_dataset_open(path, &dataset, error);
    cJSON *about = status ? NULL : cJSON_Parse(vl_dataset_about(dataset));
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(about, "recipe"));
    if (!status && (!text || strcmp(text, recipe->text) != 0))
        status = refuse(path, error);
    cJSON_Delete(about);
    vl_dataset_close(dataset);
    return status;
}

static vl_status make_folders(const char *path, vl_error *error) {
    static const char *const names[] = {FOLDER_WORK "/pictures", FOLDER_WORK "/chunks"};
    char made[FOLDER_PATH_SIZE];
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < sizeof names / sizeof *names; i++) {
        status = folder_path(path, names[i], made, error);
        if (!status)
            status = vl_dir_make(made, error);
    }
    return status;
}

/* A link appears whole, and only where there is none: of several at once one is the first. */
static vl_status say_recipe(const build_recipe *recipe, const char *path, vl_error *error) {
    char own[FOLDER_PATH_SIZE + 64];
    snprintf(own, sizeof own, "%s.%016llx", path, (unsigned long long)vl_clock_ns());
    vl_status status = vl_file_write(own, recipe->text, strlen(recipe->text), error);
    if (!status && link(own, path) != 0 && errno != EEXIST)
        status = vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    unlink(own);
    return status;
}

static vl_status agree_on_recipe(const build_recipe *recipe, const build_folder *folder,
                                 vl_error *error) {
    char path[FOLDER_PATH_SIZE];
    vl_buf there;
    vl_buf_init(&there, RECIPE_MAX);
    vl_status status = folder_path(folder->path, RECIPE, path, error);
    if (!status)
        status = say_recipe(recipe, path, error);
    if (!status)
        status = vl_file_read(path, RECIPE_MAX, &there, error);
    bool same = !status && !strcmp(there.data ? there.data : "", recipe->text);
    if (!status && !same && (folder->shared || plan_is_there(folder->path)))
        status = refuse(folder->path, error);
    else if (!status && !same) /* nothing was done by the other one */
        status = vl_file_write(path, recipe->text, strlen(recipe->text), error);
    vl_buf_deinit(&there);
    return status;
}

static vl_status enter(const build_recipe *recipe, build_folder *folder, vl_error *error) {
    vl_status status = VL_OK;
    if (!build_folder_is_finished(folder->path) && !is_there(folder->path, FOLDER_WORK) &&
        !is_empty(folder->path))
        return vl_fail(error, VL_ERR_USAGE,
                       "%s holds something already: name a new folder, or an empty one",
                       folder->path);
    if (!folder->shared)
        status = lock_folder(folder, error);
    if (!status && build_folder_is_finished(folder->path)) {
        folder->finished = true;
        return check_finished(recipe, folder->path, error);
    }
    if (!status)
        status = make_folders(folder->path, error);
    return status ? status : agree_on_recipe(recipe, folder, error);
}

vl_status build_folder_enter(const build_recipe *recipe, const char *path, bool shared,
                             build_folder *folder, vl_error *error) {
    *folder = (build_folder){.path = path, .shared = shared, .lock = -1};
    vl_status status = vl_dir_make(path, error);
    return status ? status : enter(recipe, folder, error);
}

void build_folder_leave(build_folder *folder) {
    bool ours = folder->lock >= 0;
    if (ours && !build_folder_is_finished(folder->path) && !plan_is_there(folder->path)) {
        build_folder_clear(folder->path);
        rmdir(folder->path); /* if it is empty */
    }
    if (ours)
        close(folder->lock);
    folder->lock = -1;
}
