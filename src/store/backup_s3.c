/* backup_s3.c — copies of the database in a bucket: as backup_folder.c does in a folder.
 *
 * A copy is written to a file of its own beside the state, sent, fetched again and held against
 * its own digest, so that what is in the bucket is known to be whole; then the oldest go. The
 * file is its owner's alone and goes in the end. */
#include "store/copies.h"
#include "store/s3.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY_SECONDS = 86400 };

typedef struct workplace {
    char folder[4096], there[4096 + 16], back[4096 + 16];
} workplace;

static vl_status workplace_make(workplace *w, vl_error *error) {
    if (!*vl_state_dir())
        return vl_fail(error, VL_ERR_MISSING,
                       "no place for a copy on its way: set STATE_DIRECTORY or HOME");
    vl_status status = vl_dir_make(vl_state_dir(), error);
    if (status)
        return status;
    snprintf(w->folder, sizeof w->folder, "%s/copy-XXXXXX", vl_state_dir());
    if (!mkdtemp(w->folder))
        return vl_fail(error, VL_ERR_IO, "%s: %s", w->folder, strerror(errno));
    snprintf(w->there, sizeof w->there, "%s/there", w->folder);
    snprintf(w->back, sizeof w->back, "%s/back", w->folder);
    return VL_OK;
}

static void workplace_remove(const workplace *w) {
    unlink(w->there);
    unlink(w->back);
    rmdir(w->folder);
}

static bool is_copy(const char *key) {
    size_t length = strlen(key);
    return length > 5 && !strcmp(key + length - 5, ".vldb");
}

/* A place that names no copy is a folder of them. */
static void as_folder(s3_place *place) {
    size_t length = strlen(place->key);
    if (length && place->key[length - 1] != '/' && length + 1 < sizeof place->key)
        memcpy(place->key + length, "/", 2);
}

static vl_status check_copy(s3_client *client, const s3_place *place, const workplace *w,
                            const vl_db_copy_report *sent, vl_error *error) {
    vl_db_copy_report read;
    vl_status status = s3_get_file(client, place, w->back, error);
    if (!status)
        status = vl_db_backup_verify(w->back, &read, error);
    if (!status && strcmp(read.sha256, sent->sha256) != 0)
        status = vl_fail(error, VL_ERR_IO, "s3://%s/%s: what was sent is not what is there",
                         place->bucket, place->key);
    return status;
}

/* ---- which copies there are ---------------------------------------------------------------
 */

typedef struct survey {
    const s3_place *folder;
    time_t before; /* older ones are listed */
    vl_buf old;    /* keys, each with its NUL */
    char newest[1024];
    time_t newest_made;
} survey;

static vl_status survey_key(const char *key, void *to, vl_error *error) {
    survey *s = to;
    time_t made;
    const char *name = key + strlen(s->folder->key);
    if (!copy_time(name, &made)) /* also what lies in a folder further down */
        return VL_OK;
    if (made < s->before)
        vl_buf_append(&s->old, key, strlen(key) + 1);
    if (made >= s->newest_made) {
        s->newest_made = made;
        snprintf(s->newest, sizeof s->newest, "%s", key);
    }
    return vl_buf_status(&s->old, "a list of copies", error);
}

static vl_status sweep(s3_client *client, const s3_place *folder, time_t before,
                       size_t *removed, vl_error *error) {
    enum { LIST_MAX = 16 << 20 };
    survey s = {.folder = folder, .before = before};
    vl_buf_init(&s.old, LIST_MAX);
    vl_status status = s3_list(client, folder, survey_key, &s, error);
    for (size_t at = 0; at < s.old.len && !status; at += strlen(s.old.data + at) + 1) {
        s3_place place = *folder;
        snprintf(place.key, sizeof place.key, "%s", s.old.data + at);
        status = s3_delete(client, &place, error);
        *removed += !status;
    }
    vl_buf_deinit(&s.old);
    return status;
}

/* ---- the three of them --------------------------------------------------------------------
 */

vl_status vl_db_backup_s3(vl_db *db, const vl_s3_options *options, const char *url,
                          int keep_days, vl_db_folder_report *report, vl_error *error) {
    s3_place place, folder;
    s3_client *client = NULL;
    workplace w;
    time_t now = time(NULL);
    *report = (vl_db_folder_report){0};
    vl_status status = s3_place_parse(url, &place, error);
    if (!status)
        status = s3_open(options, &client, error);
    if (status || (status = workplace_make(&w, error))) {
        s3_close(client);
        return status;
    }
    bool dated = !is_copy(place.key);
    if (dated) {
        char name[COPY_NAME_SIZE];
        as_folder(&place);
        folder = place;
        copy_name(now, name);
        size_t length = strlen(place.key);
        snprintf(place.key + length, sizeof place.key - length, "%s", name);
    }
    snprintf(report->path, sizeof report->path, "s3://%s/%s", place.bucket, place.key);
    status = vl_db_backup(db, w.there, &report->copy, error);
    if (!status)
        status = s3_put_file(client, &place, w.there, error);
    if (!status)
        status = check_copy(client, &place, &w, &report->copy, error);
    if (!status && dated && keep_days)
        status = sweep(client, &folder, now - (time_t)keep_days * DAY_SECONDS, &report->removed,
                       error);
    workplace_remove(&w);
    s3_close(client);
    return status;
}

/* The copy that `url` names, or the newest one below it. */
static vl_status find_copy(s3_client *client, s3_place *place, vl_error *error) {
    if (is_copy(place->key))
        return VL_OK;
    as_folder(place);
    survey s = {.folder = place};
    vl_buf_init(&s.old, 1);
    vl_status status = s3_list(client, place, survey_key, &s, error);
    if (!status && !*s.newest)
        status = vl_fail(error, VL_ERR_INPUT, "s3://%s/%s: there is no copy", place->bucket,
                         place->key);
    if (!status)
        snprintf(place->key, sizeof place->key, "%s", s.newest);
    vl_buf_deinit(&s.old);
    return status;
}

typedef vl_status (*with_copy)(const char *path, void *user, vl_db_copy_report *report,
                               vl_error *error);

static vl_status fetch(const vl_s3_options *options, const char *url, with_copy use, void *user,
                       vl_db_folder_report *report, vl_error *error) {
    s3_place place;
    s3_client *client = NULL;
    workplace w;
    *report = (vl_db_folder_report){0};
    vl_status status = s3_place_parse(url, &place, error);
    if (!status)
        status = s3_open(options, &client, error);
    if (status || (status = workplace_make(&w, error))) {
        s3_close(client);
        return status;
    }
    status = find_copy(client, &place, error);
    if (!status)
        status = s3_get_file(client, &place, w.back, error);
    snprintf(report->path, sizeof report->path, "s3://%s/%s", place.bucket, place.key);
    if (!status && (status = use(w.back, user, &report->copy, error)))
        vl_error_prefix(error, "%s", report->path);
    workplace_remove(&w);
    s3_close(client);
    return status;
}

static vl_status verify(const char *path, void *user, vl_db_copy_report *report,
                        vl_error *error) {
    (void)user;
    return vl_db_backup_verify(path, report, error);
}

vl_status vl_db_verify_s3(const vl_s3_options *options, const char *url,
                          vl_db_folder_report *report, vl_error *error) {
    return fetch(options, url, verify, NULL, report, error);
}

typedef struct restoring {
    vl_db *db;
    bool replace;
    const char *erasures;
} restoring;

static vl_status restore(const char *path, void *user, vl_db_copy_report *report,
                         vl_error *error) {
    const restoring *r = user;
    return vl_db_restore_obeying(r->db, path, r->replace, r->erasures, report, error);
}

vl_status vl_db_restore_s3(vl_db *db, const vl_s3_options *options, const char *url,
                           bool replace, const char *erasures, vl_db_folder_report *report,
                           vl_error *error) {
    restoring r = {db, replace, erasures};
    return fetch(options, url, restore, &r, report, error);
}
