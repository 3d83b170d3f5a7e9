/* jobs_files.c — the files of jobs, until their items are done: objects of the vault, or files
 * JOB/NUMBER in a folder. */
#include "serve/jobs_inside.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = JOB_FOLDER_MAX + 80, ORPHAN_SECONDS = 3600, INPUTS_MAX = 64 << 20 };

static void folder_of(const vl_jobs *jobs, const char *job, char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s/%s", jobs->folder, job);
}

static void path_of(const vl_jobs *jobs, const char *job, int64_t number,
                    char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s/%s/%lld", jobs->folder, job, (long long)number);
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

static vl_status make_folder(const vl_jobs *jobs, const char *job, vl_error *error) {
    char path[PATH_SIZE];
    folder_of(jobs, job, path);
    vl_status status = vl_dir_make(jobs->folder, error);
    if (!status && mkdir(path, 0700) && errno != EEXIST)
        status = vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    return status;
}

static void sync_folder(const vl_jobs *jobs, const char *job) {
    char path[PATH_SIZE];
    folder_of(jobs, job, path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

static vl_status keep_plain(vl_jobs *jobs, const vl_job_order *order, size_t number,
                            const void *bytes, size_t count, vl_error *error) {
    char path[PATH_SIZE];
    vl_status status = number ? VL_OK : make_folder(jobs, order->id, error);
    if (status)
        return status;
    path_of(jobs, order->id, (int64_t)number, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    if (write_all(fd, bytes, count) || fdatasync(fd))
        status =
            vl_fail(error, VL_ERR_IO, "a file of the job cannot be kept: %s", strerror(errno));
    close(fd);
    if (!status && number + 1 == order->count)
        sync_folder(jobs, order->id);
    return status;
}

vl_status job_file_keep(vl_jobs *jobs, const vl_job_order *order, size_t number,
                        const char *subject, const void *bytes, size_t count, cJSON *input,
                        vl_error *error) {
    vl_vault *vault = jobs->server->store.vault;
    if (!vault)
        return keep_plain(jobs, order, number, bytes, count, error);
    /* Removed when its item is done; should nobody come to that, it expires. */
    vl_object object = {.expires_ms =
                            (int64_t)time(NULL) * 1000 + (int64_t)(jobs->keep_seconds * 2000)};
    snprintf(object.kind, sizeof object.kind, "job");
    snprintf(object.subject, sizeof object.subject, "%s", subject);
    snprintf(object.media_type, sizeof object.media_type, "application/octet-stream");
    vl_status status = vl_vault_put(vault, bytes, count, &object, error);
    if (!status && !cJSON_AddStringToObject(input, "object", object.id))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a job");
    return status;
}

vl_status job_file_read(vl_jobs *jobs, const char *job, int64_t number, const cJSON *input,
                        vl_buf *out, vl_error *error) {
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(input, "object"));
    char path[PATH_SIZE];
    vl_object object;
    if (id && !jobs->server->store.vault)
        return vl_fail(error, VL_ERR_MISSING,
                       "the file is encrypted, and this process has no encryption_key");
    if (id)
        return vl_vault_get(jobs->server->store.vault, id, &object, out, error);
    path_of(jobs, job, number, path);
    return vl_file_read(path, out->max, out, error);
}

/* ---- removing ----------------------------------------------------------------------- */

void job_file_remove(vl_jobs *jobs, const char *job, int64_t number, const cJSON *input) {
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(input, "object"));
    char path[PATH_SIZE];
    if (id && jobs->server->store.vault) {
        vl_vault_delete(jobs->server->store.vault, id, NULL);
        return;
    }
    path_of(jobs, job, number, path);
    unlink(path);
    folder_of(jobs, job, path);
    rmdir(path); /* of the last one */
}

static void remove_folder(const vl_jobs *jobs, const char *job) {
    char path[PATH_SIZE];
    folder_of(jobs, job, path);
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    rmdir(path);
}

/* Numbers and inputs of items, so that nothing is removed while the database is read. */
typedef struct leftovers {
    vl_buf inputs; /* behind one another, NULs between */
    int64_t numbers[VL_JOB_ITEMS_MAX];
    size_t count;
    bool of_all; /* and not only of what is done */
} leftovers;

static vl_status note_item(const vl_job_item *item, void *to, vl_error *error) {
    leftovers *l = to;
    if (l->count == VL_JOB_ITEMS_MAX || (!l->of_all && item->state != VL_JOB_DONE))
        return VL_OK;
    l->numbers[l->count++] = item->number;
    vl_buf_append(&l->inputs, item->input, strlen(item->input) + 1);
    return vl_buf_status(&l->inputs, "the files of a job", error);
}

static void remove_items(vl_jobs *jobs, const char *job, bool of_all) {
    leftovers *l = calloc(1, sizeof *l);
    if (!l)
        return;
    l->of_all = of_all;
    vl_buf_init(&l->inputs, INPUTS_MAX);
    vl_job_items(jobs->server->store.db, job, false, -1, VL_JOB_ITEMS_MAX, note_item, l, NULL);
    const char *text = l->inputs.data;
    for (size_t i = 0; i < l->count && !l->inputs.failed; i++) {
        cJSON *input = cJSON_Parse(text);
        job_file_remove(jobs, job, l->numbers[i], input);
        cJSON_Delete(input);
        text += strlen(text) + 1;
    }
    vl_buf_deinit(&l->inputs);
    free(l);
}

void job_files_remove(vl_jobs *jobs, const char *job) {
    remove_items(jobs, job, true);
    remove_folder(jobs, job);
}

void job_files_tidy(vl_jobs *jobs, const char *job) {
    remove_items(jobs, job, false);
}

static void sweep_folder(vl_jobs *jobs, const char *job, time_t changed) {
    vl_job_info info;
    vl_status status = vl_job_get(jobs->server->store.db, job, NULL, &info, NULL, NULL);
    if (status == VL_ERR_DENIED && changed < time(NULL) - ORPHAN_SECONDS)
        remove_folder(jobs, job);
    else if (!status && info.state == VL_JOB_CANCELLED)
        job_files_remove(jobs, job);
    else if (!status)
        job_files_tidy(jobs, job);
}

void job_files_sweep(vl_jobs *jobs) {
    DIR *folder = opendir(jobs->folder);
    struct stat facts;
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (vl_job_id_is(entry->d_name) &&
            !fstatat(dirfd(folder), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW))
            sweep_folder(jobs, entry->d_name, facts.st_mtime);
    closedir(folder);
}

/* ---- results ------------------------------------------------------------------------ */

static void result_name(const char *job, int64_t number, char name[64]) {
    snprintf(name, 64, "job %s/%lld", job, (long long)number);
}

vl_status job_result_seal(vl_jobs *jobs, const vl_job_task *task, const char *text, vl_buf *out,
                          vl_error *error) {
    char name[64];
    if (!jobs->server->store.vault) {
        vl_buf_puts(out, text);
        return vl_buf_status(out, "a result", error);
    }
    result_name(task->job, task->number, name);
    return vl_vault_seal(jobs->server->store.vault, name, text, out, error);
}

/* A result is a JSON object, and what is sealed begins with no brace. */
vl_status job_result_unseal(vl_jobs *jobs, const char *job, int64_t number, const char *kept,
                            vl_buf *out, vl_error *error) {
    char name[64];
    if (*kept == '{') {
        vl_buf_puts(out, kept);
        return vl_buf_status(out, "a result", error);
    }
    if (!jobs->server->store.vault)
        return vl_fail(error, VL_ERR_MISSING,
                       "the result is encrypted, and this process has no encryption_key");
    result_name(job, number, name);
    return vl_vault_unseal(jobs->server->store.vault, name, kept, out, error);
}
