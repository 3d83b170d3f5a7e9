/* backup_folder.c — dated copies in a folder, and which of them stay. */
#include <vislang/store.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME_FORMAT "vislang-%Y%m%dT%H%M%SZ.vldb"
enum { NAME_LENGTH = sizeof "vislang-20261121T093000Z.vldb" - 1, DAY_SECONDS = 86400 };

/* When the copy of that name was made. False: no copy's name. */
static bool time_of(const char *name, time_t *made) {
    struct tm parts = {0};
    char again[64];
    if (strlen(name) != NAME_LENGTH || !strptime(name, NAME_FORMAT, &parts))
        return false;
    *made = timegm(&parts);
    return strftime(again, sizeof again, NAME_FORMAT, &parts) && !strcmp(again, name);
}

/* Removes copies older than `before`, and nothing else. */
static vl_status sweep(const char *folder, time_t before, size_t *removed, vl_error *error) {
    DIR *open = opendir(folder);
    struct dirent *entry;
    vl_status status = VL_OK;
    if (!open)
        return vl_fail(error, VL_ERR_IO, "%s: %s", folder, strerror(errno));
    while (!status && (entry = readdir(open))) {
        char path[4096];
        time_t made;
        if (!time_of(entry->d_name, &made) || made >= before ||
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path)
            continue;
        if (unlink(path))
            status = vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
        else
            ++*removed;
    }
    closedir(open);
    return status;
}

vl_status vl_db_backup_folder(vl_db *db, const char *folder, int keep_days,
                              vl_db_folder_report *report, vl_error *error) {
    time_t now = time(NULL);
    struct tm parts;
    char name[64];
    *report = (vl_db_folder_report){0};
    gmtime_r(&now, &parts);
    strftime(name, sizeof name, NAME_FORMAT, &parts);
    size_t length = strlen(folder);
    if (snprintf(report->path, sizeof report->path, "%s%s%s", folder,
                 length && folder[length - 1] == '/' ? "" : "/",
                 name) >= (int)sizeof report->path)
        return vl_fail(error, VL_ERR_INPUT, "%s: too long a path", folder);
    vl_db_copy_report read;
    vl_status status = vl_dir_make(folder, error);
    if (!status)
        status = vl_db_backup(db, report->path, &report->copy, error);
    if (!status)
        status = vl_db_backup_verify(report->path, &read, error);
    if (!status && strcmp(read.sha256, report->copy.sha256) != 0)
        status = vl_fail(error, VL_ERR_IO, "%s: what was written is not what is there",
                         report->path);
    if (!status && keep_days)
        status = sweep(folder, now - (time_t)keep_days * DAY_SECONDS, &report->removed, error);
    return status;
}
