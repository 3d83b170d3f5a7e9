/* backup_folder.c — dated copies in a folder, and which of them stay. */
#include "store/copies.h"

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

void copy_name(time_t made, char name[COPY_NAME_SIZE]) {
    struct tm parts;
    gmtime_r(&made, &parts);
    strftime(name, COPY_NAME_SIZE, NAME_FORMAT, &parts);
}

bool copy_time(const char *name, time_t *made) {
    struct tm parts = {0};
    char again[COPY_NAME_SIZE];
    if (strlen(name) != NAME_LENGTH || !strptime(name, NAME_FORMAT, &parts))
        return false;
    *made = timegm(&parts);
    copy_name(*made, again);
    return !strcmp(again, name);
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
        if (!copy_time(entry->d_name, &made) || made >= before ||
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
    char name[COPY_NAME_SIZE];
    *report = (vl_db_folder_report){0};
    copy_name(now, name);
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
