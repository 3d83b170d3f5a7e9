/* quota.c — calls of a day (quota.h): a file with a line a call, "2025-01-31 HASH", begun anew
 * by the first call of another day. Lines are appended whole or not at all, so that a killed
 * process costs one call at most. */
#include "harvest/quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY_SIZE = 32, MARK_SIZE = 64, HASH_SHOWN = 16, FILE_MAX = 16 << 20 };

void vl_quota_path(const char *setting, const char *name, char *path, size_t size) {
    const char *state = vl_state_dir();
    if (!strcmp(setting, "none") || (!*setting && !*state))
        *path = '\0';
    else if (*setting)
        snprintf(path, size, "%s", setting);
    else
        snprintf(path, size, "%s/%s", state, name);
}

static void day_of(time_t now, char day[DAY_SIZE]) {
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(day, DAY_SIZE, "%Y-%m-%d", &parts);
}

/* How many lines are `mark`; *today: whether any is of that day. */
static uint64_t count_lines(const char *text, const char *mark, const char *day, bool *today) {
    uint64_t count = 0;
    size_t length = strlen(mark), bytes = strlen(day);
    *today = false;
    while (*text) {
        size_t line = strcspn(text, "\n");
        count += line == length && !memcmp(text, mark, length);
        *today |= line > bytes && !memcmp(text, day, bytes);
        text += line + (text[line] == '\n');
    }
    return count;
}

static vl_status make_folder(const char *path, vl_error *error) {
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return VL_OK;
    char *folder = strndup(path, (size_t)(slash - path));
    vl_status status = folder ? vl_dir_make(folder, error)
                              : vl_fail(error, VL_ERR_MEMORY, "no memory for a path");
    free(folder);
    return status;
}

vl_status vl_quota_take(const char *path, const char *who, uint64_t limit, time_t now,
                        vl_error *error) {
    char day[DAY_SIZE], next[DAY_SIZE], hash[VL_SHA256_HEX_SIZE], mark[MARK_SIZE];
    bool today = true;
    uint64_t used = 0;
    vl_buf text;
    vl_status status = VL_OK;
    if (!*path)
        return VL_OK;
    day_of(now, day);
    day_of(now + 24 * 3600, next);
    vl_sha256_hex(who, strlen(who), hash);
    snprintf(mark, sizeof mark, "%s %.*s", day, HASH_SHOWN, hash);
    vl_buf_init(&text, FILE_MAX);
    if (!access(path, F_OK)) {
        status = vl_file_read(path, FILE_MAX, &text, error);
        if (status)
            goto out;
        used = count_lines(text.data ? text.data : "", mark, day, &today);
    }
    if (used >= limit) {
        status = vl_fail(error, VL_ERR_BUSY,
                         "all %llu calls of this day are used up; come back after %sT00:00:00Z",
                         (unsigned long long)limit, next);
        goto out;
    }
    if (!today)
        unlink(path); /* of another day */
    strcat(mark, "\n");
    status = make_folder(path, error);
    if (!status)
        status = vl_file_append_line(path, mark, strlen(mark), error);
out:
    vl_buf_deinit(&text);
    return status;
}
