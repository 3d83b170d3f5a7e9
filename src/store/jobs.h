/* jobs.h — between jobs.c and jobs_list.c: a job out of a row, and how an item ends. */
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
