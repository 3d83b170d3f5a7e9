/* jobs.h — between the files of jobs, and for serve/: a job out of a row, how an item ends, its
 * file and result, and whom it is about. */
#ifndef VL_STORE_JOBS_H
#define VL_STORE_JOBS_H

#include "store/db.h"

/* Of jobs. */
#define JOB_COLUMNS                                                                            \
    "id, kind, owner, state, total, done, failed, ended, created_ms, "                         \
    "coalesce(finished_ms, 0)"
enum { JOB_COLUMN_COUNT = 10 };
void job_from(const vl_db_value *columns, vl_job_info *job);
vl_job_state job_state_of(const char *name);
/* What there is of it, in the caller's transaction; VL_ERR_DENIED: there is none, or it is not
 * `owner`'s (NULL: anyone's). */
vl_status job_read(vl_db_conn *conn, const char *id, const char *owner, vl_job_info *job,
                   vl_buf *options, vl_error *error);

/* ---- jobs_files.c ------------------------------------------------------------------------ */

struct cJSON;
/* Keeps one item's file, on disk when it returns VL_OK, and notes in `input` where. Should
 * nobody come to it, it expires after `seconds` where there is a vault. */
vl_status vl_job_file_keep(vl_store *store, const vl_job_order *order, size_t number,
                           const char *media_type, double seconds, const void *bytes,
                           size_t count, struct cJSON *input, vl_error *error);
vl_status vl_job_file_read(vl_store *store, const char *job, int64_t number,
                           const struct cJSON *input, vl_buf *out, vl_error *error);
/* VL_OK also when it is gone already. What cannot be removed now goes with a sweep. */
vl_status vl_job_file_remove(vl_store *store, const char *job, int64_t number,
                             const struct cJSON *input, vl_error *error);
/* All that are left of a job's. */
void vl_job_files_remove(vl_store *store, const char *job);
/* Those of items that are done or gone, whose worker was killed before he could remove them. */
void vl_job_files_tidy(vl_store *store, const char *job);
/* The same for all jobs, and folders that no job, or a cancelled one, speaks of. */
void vl_job_files_sweep(vl_store *store);
/* vl_job_sweep, and what is left of the files of the jobs that go. */
vl_status vl_jobs_sweep(vl_store *store, double keep_seconds, vl_job_swept *swept,
                        vl_error *error);
/* A result as it stands in the database, and back: sealed when there is a vault. Both append to
 * `out`. */
vl_status vl_job_result_seal(vl_store *store, const char *job, int64_t number, const char *text,
                             vl_buf *out, vl_error *error);
vl_status vl_job_result_unseal(vl_store *store, const char *job, int64_t number,
                               const char *kept, vl_buf *out, vl_error *error);

/* ---- jobs_subjects.c ----------------------------------------------------------------------
 */

/* Items that are no more, so that their files can follow. */
typedef struct gone_item {
    char job[VL_JOB_ID_SIZE];
    int64_t number;
    vl_job_state state;
    size_t input; /* where it begins in `inputs`, a NUL behind it */
} gone_item;
typedef struct gone_items {
    gone_item *items;
    size_t count, room;
    vl_buf inputs;
} gone_items;
void gone_items_init(gone_items *gone);
void gone_items_deinit(gone_items *gone);
/* Takes the items of jobs that were made until then and are about the subject out of their
 * jobs, which end if nothing else is left to do, and go if nothing is left at all. `gone` is
 * filled anew. */
vl_status job_items_erase(vl_db_conn *conn, const char *subject, int64_t until_ms,
                          gone_items *gone, vl_error *error);
struct zip_writer;
/* Adds what there is about the subject to `list`, its results and (without a vault) its files
 * to the archive. */
vl_status job_items_export(vl_store *store, const char *subject, struct cJSON *list,
                           struct zip_writer *zip, vl_error *error);

/* ---- jobs.c ------------------------------------------------------------------------------ */

/* An item as its worker leaves it. Everyone locks items first and then their job, so that no
 * two wait for each other. */
typedef struct item_end {
    const char *job;
    int64_t number;
    const char *lease;            /* that must be good … */
    int64_t expired_ms;           /* … and past its time by then; INT64_MAX: any */
    vl_job_state state;           /* done or failed */
    const char *result, *problem; /* NULL: none */
    int64_t ended;                /* afterwards: how many have, of the job … */
    vl_job_state left;            /* … and its state */
} item_end;
/* VL_ERR_CANCELLED: the lease is not good. */
vl_status item_finish(vl_db_conn *conn, item_end *end, vl_error *error);
/* To the queue again, at `ready_ms`. Its last attempt counts, or does not. */
vl_status item_requeue(vl_db_conn *conn, const item_end *end, int64_t ready_ms, bool counts,
                       vl_error *error);

#endif
