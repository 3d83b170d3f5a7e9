/* jobs_files.c — the files of jobs, until their items are done: objects of the vault, or files
 * JOB/NUMBER in a folder; and results as they stand in the database. */
#include "store/jobs.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH_SIZE = 4096 + 80,
    ORPHAN_SECONDS = 3600,
    INPUTS_MAX = 64 << 20,
    RESULT_MAX = 32 << 20
};

static void folder_of(const vl_store *store, const char *job, char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s/%s", store->job_files, job);
}

static void path_of(const vl_store *store, const char *job, int64_t number,
                    char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s/%s/%lld", store->job_files, job, (long long)number);
}

/* ---- keeping ------------------------------------------------------------------------ */

static vl_status write_all(int fd, const char *bytes, size_t count) {
    while (count) {
        ssize_t wrote = write(fd, bytes, count);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return VL_ERR_IO;
        bytes += wrote;
        count -= (size_t)wrote;
    }
    return VL_OK;
}

static vl_status make_folder(const vl_store *store, const char *job, vl_error *error) {
    char path[PATH_SIZE];
    folder_of(store, job, path);
    vl_status status = vl_dir_make(store->job_files, error);
    if (!status && mkdir(path, 0700) && errno != EEXIST)
        status = vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    return status;
}

static void sync_folder(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* The names of the job's files, and of its folder. */
static void sync_names(const vl_store *store, const char *job) {
    char path[PATH_SIZE];
    folder_of(store, job, path);
    sync_folder(path);
    sync_folder(store->job_files);
}

static vl_status keep_plain(vl_store *store, const vl_job_order *order, size_t number,
                            const void *bytes, size_t count, vl_error *error) {
    char path[PATH_SIZE];
    vl_status status = number ? VL_OK : make_folder(store, order->id, error);
    if (status)
        return status;
    path_of(store, order->id, (int64_t)number, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    if (write_all(fd, bytes, count) || fdatasync(fd))
        status =
            vl_fail(error, VL_ERR_IO, "a file of the job cannot be kept: %s", strerror(errno));
    close(fd);
    if (!status && number + 1 == order->count)
        sync_names(store, order->id);
    return status;
}

vl_status vl_job_file_keep(vl_store *store, const vl_job_order *order, size_t number,
                           const char *media_type, double seconds, const void *bytes,
                           size_t count, cJSON *input, vl_error *error) {
    if (!store->vault)
        return keep_plain(store, order, number, bytes, count, error);
    const char *subject = order->subjects ? order->subjects[number] : NULL;
    vl_object object = {.expires_ms = vl_db_now_ms() + (int64_t)(seconds * 1000)};
    snprintf(object.kind, sizeof object.kind, "job");
    snprintf(object.subject, sizeof object.subject, "%s", subject ? subject : "");
    snprintf(object.media_type, sizeof object.media_type, "%s", media_type);
    vl_status status = vl_vault_put(store->vault, bytes, count, &object, error);
    if (!status && !cJSON_AddStringToObject(input, "object", object.id)) {
        vl_vault_delete(store->vault, object.id, NULL);
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a job");
    }
    return status;
}

vl_status vl_job_file_read(vl_store *store, const char *job, int64_t number, const cJSON *input,
                           vl_buf *out, vl_error *error) {
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(input, "object"));
    char path[PATH_SIZE];
    vl_object object;
    if (id && !store->vault)
        return vl_fail(error, VL_ERR_MISSING,
                       "the file is encrypted, and this process has no encryption_key");
    if (id)
        return vl_vault_get(store->vault, id, &object, out, error);
    path_of(store, job, number, path);
    return vl_file_read(path, out->max, out, error);
}

/* ---- removing ----------------------------------------------------------------------- */

vl_status vl_job_file_remove(vl_store *store, const char *job, int64_t number,
                             const cJSON *input, vl_error *error) {
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(input, "object"));
    char path[PATH_SIZE];
    if (id && store->vault) {
        vl_status status = vl_vault_delete(store->vault, id, error);
        return status == VL_ERR_DENIED ? VL_OK : status;
    }
    path_of(store, job, number, path);
    if (unlink(path) && errno != ENOENT && errno != ENOTDIR)
        return vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    folder_of(store, job, path);
    rmdir(path); /* of the last one */
    return VL_OK;
}

/* Numbers and inputs of items, so that nothing is removed while the database is read. */
typedef struct inputs {
    vl_buf texts; /* behind one another, NULs between */
    int64_t numbers[VL_JOB_ITEMS_MAX];
    bool wanted[VL_JOB_ITEMS_MAX]; /* somebody may still read its file */
    size_t count;
} inputs;

static vl_status note_item(const vl_job_item *item, void *to, vl_error *error) {
    inputs *all = to;
    if (all->count == VL_JOB_ITEMS_MAX)
        return VL_OK;
    all->wanted[all->count] = item->state != VL_JOB_DONE && item->state != VL_JOB_CANCELLED;
    all->numbers[all->count++] = item->number;
    vl_buf_append(&all->texts, item->input, strlen(item->input) + 1);
    return vl_buf_status(&all->texts, "the files of a job", error);
}

/* NULL: they cannot be read now. The caller frees. */
static inputs *inputs_read(vl_store *store, const char *job) {
    inputs *all = calloc(1, sizeof *all);
    if (!all)
        return NULL;
    vl_buf_init(&all->texts, INPUTS_MAX);
    if (!vl_job_items(store->db, job, false, -1, VL_JOB_ITEMS_MAX, note_item, all, NULL))
        return all;
    vl_buf_deinit(&all->texts);
    free(all);
    return NULL;
}

static void inputs_free(inputs *all) {
    if (all)
        vl_buf_deinit(&all->texts);
    free(all);
}

static void remove_inputs(vl_store *store, const char *job, const inputs *all, bool unwanted) {
    const char *text = all->texts.data;
    for (size_t i = 0; i < all->count; i++) {
        cJSON *input = unwanted && all->wanted[i] ? NULL : cJSON_Parse(text);
        if (input)
            vl_job_file_remove(store, job, all->numbers[i], input, NULL);
        cJSON_Delete(input);
        text += strlen(text) + 1;
    }
}

static bool is_wanted(const inputs *all, const char *name) {
    char number[24];
    for (size_t i = 0; all && i < all->count; i++) {
        snprintf(number, sizeof number, "%lld", (long long)all->numbers[i]);
        if (all->wanted[i] && !strcmp(number, name))
            return true;
    }
    return false;
}

/* Of the job's folder all but what is wanted of `all` (NULL: nothing is). */
static void clear_folder(const vl_store *store, const char *job, const inputs *all) {
    char path[PATH_SIZE];
    folder_of(store, job, path);
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.' && !is_wanted(all, entry->d_name))
            unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    rmdir(path); /* if it is empty */
}

void vl_job_files_remove(vl_store *store, const char *job) {
    inputs *all = inputs_read(store, job);
    if (all)
        remove_inputs(store, job, all, false);
    inputs_free(all);
    clear_folder(store, job, NULL);
}

void vl_job_files_tidy(vl_store *store, const char *job) {
    inputs *all = inputs_read(store, job);
    if (all) {
        remove_inputs(store, job, all, true);
        clear_folder(store, job, all);
    }
    inputs_free(all);
}

static void sweep_folder(vl_store *store, const char *job, time_t changed) {
    vl_job_info info;
    vl_status status = vl_job_get(store->db, job, NULL, &info, NULL, NULL);
    if (status == VL_ERR_DENIED && changed < time(NULL) - ORPHAN_SECONDS)
        clear_folder(store, job, NULL);
    else if (!status)
        vl_job_files_tidy(store, job);
}

void vl_job_files_sweep(vl_store *store) {
    DIR *folder = opendir(store->job_files);
    struct stat facts;
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (vl_job_id_is(entry->d_name) &&
            !fstatat(dirfd(folder), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW))
            sweep_folder(store, entry->d_name, facts.st_mtime);
    closedir(folder);
}

/* Files of a job that goes: after its rows, so that a try again finds them whole. */
typedef struct leaving {
    vl_store *store;
    inputs *all;
} leaving;

static vl_status before_it_goes(const char *job, void *to) {
    leaving *l = to;
    inputs_free(l->all);
    l->all = inputs_read(l->store, job);
    return l->all ? VL_OK : VL_ERR_BUSY;
}

static void when_it_is_gone(const char *job, void *to) {
    leaving *l = to;
    remove_inputs(l->store, job, l->all, false);
    clear_folder(l->store, job, NULL);
}

vl_status vl_jobs_sweep(vl_store *store, double keep_seconds, vl_job_swept *swept,
                        vl_error *error) {
    leaving l = {.store = store};
    const vl_job_leave leave = {before_it_goes, when_it_is_gone, &l};
    vl_status status = vl_job_sweep(store->db, keep_seconds, &leave, swept, error);
    inputs_free(l.all);
    return status;
}

/* ---- results ------------------------------------------------------------------------ */

static void result_name(const char *job, int64_t number, char name[64]) {
    snprintf(name, 64, "job %s/%lld", job, (long long)number);
}

vl_status vl_job_result_seal(vl_store *store, const char *job, int64_t number, const char *text,
                             vl_buf *out, vl_error *error) {
    char name[64];
    if (!store->vault) {
        vl_buf_puts(out, text);
        return vl_buf_status(out, "a result", error);
    }
    result_name(job, number, name);
    return vl_vault_seal(store->vault, name, text, out, error);
}

/* A result is a JSON object, and what is sealed begins with no brace. */
vl_status vl_job_result_unseal(vl_store *store, const char *job, int64_t number,
                               const char *kept, vl_buf *out, vl_error *error) {
    char name[64];
    if (*kept == '{') {
        vl_buf_puts(out, kept);
        return vl_buf_status(out, "a result", error);
    }
    if (!store->vault)
        return vl_fail(error, VL_ERR_MISSING,
                       "the result is encrypted, and this process has no encryption_key");
    result_name(job, number, name);
    return vl_vault_unseal(store->vault, name, kept, out, error);
}

/* ---- another master key --------------------------------------------------------------- */

typedef struct sealed_result {
    char job[VL_JOB_ID_SIZE];
    int64_t number;
    vl_buf kept;
    bool found;
} sealed_result;

static vl_status take_sealed(const vl_db_value *columns, size_t count, void *user,
                             vl_error *error) {
    sealed_result *r = user;
    (void)count;
    snprintf(r->job, sizeof r->job, "%s", vl_db_string(&columns[0]));
    r->number = columns[1].integer;
    r->found = true;
    vl_buf_puts(&r->kept, vl_db_string(&columns[2]));
    return vl_buf_status(&r->kept, "a result", error);
}

static vl_status next_of_other_key(vl_store *store, sealed_result *r, vl_error *error) {
    char current[80];
    snprintf(current, sizeof current, "%s:%%", vl_vault_key_id(store->vault));
    r->found = false;
    vl_buf_clear(&r->kept);
    return vl_db_once(store->db,
                      &(vl_db_call){.sql = "SELECT job_id, number, result FROM job_items "
                                           "WHERE result IS NOT NULL AND result NOT LIKE '{%' "
                                           "AND result NOT LIKE $1 LIMIT 1",
                                    VL_DB_PARAMS(vl_db_text(current)),
                                    .row = take_sealed,
                                    .user = r},
                      error);
}

static vl_status reseal(vl_store *store, const sealed_result *r, int64_t *changed,
                        vl_error *error) {
    vl_buf text, sealed;
    vl_buf_init(&text, RESULT_MAX);
    vl_buf_init(&sealed, 2 * RESULT_MAX);
    vl_status status =
        vl_job_result_unseal(store, r->job, r->number, r->kept.data, &text, error);
    if (!status)
        status = vl_job_result_seal(store, r->job, r->number, text.data, &sealed, error);
    if (!status)
        status = vl_db_once(
            store->db,
            &(vl_db_call){.sql = "UPDATE job_items SET result = $1 WHERE job_id = $2 "
                                 "AND number = $3 AND result = $4",
                          VL_DB_PARAMS(vl_db_text(sealed.data), vl_db_text(r->job),
                                       vl_db_int(r->number), vl_db_text(r->kept.data)),
                          .changed = changed},
            error);
    vl_buf_deinit(&text);
    vl_buf_deinit(&sealed);
    return status;
}

vl_status vl_job_results_rotate(vl_store *store, int64_t *resealed, vl_error *error) {
    sealed_result r = {.found = true};
    vl_status status = VL_OK;
    *resealed = 0;
    vl_buf_init(&r.kept, 2 * RESULT_MAX);
    while (r.found && !status) {
        int64_t changed = 0;
        status = next_of_other_key(store, &r, error);
        if (!status && r.found)
            status = reseal(store, &r, &changed, error);
        *resealed += changed;
    }
    vl_buf_deinit(&r.kept);
    return status;
}
