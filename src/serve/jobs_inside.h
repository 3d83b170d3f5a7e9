/* jobs_inside.h — between the files of jobs: jobs.c (what is asked over HTTP), jobs_work.c (the
 * work), jobs_events.c (those who follow). */
#ifndef VISLANG_SERVE_JOBS_INSIDE_H
#define VISLANG_SERVE_JOBS_INSIDE_H

#include "serve/batch.h"
#include "serve/service.h"
#include "store/jobs.h"

enum {
    JOB_RESULT_MAX = 16 << 20, /* of one item */
    JOB_BUCKETS = 10,
};

typedef struct job_run job_run;   /* an item in work here */
typedef struct listener listener; /* someone who follows a job */

struct vl_jobs {
    vl_server *server;
    double lease_seconds, keep_seconds, grace_seconds;
    uint64_t storage_max;
    int64_t owner_items_max;
    int attempts;
    size_t listeners_max;

    pthread_mutex_t lock; /* of all below but the counters */
    pthread_cond_t wake;  /* work was ordered or ended, or it is to stop */
    bool ordered, draining, stopping;
    bool check_all;   /* some of what is in work here may be wanted by nobody now */
    int64_t drain_ns; /* since when it drains */
    job_run *runs;
    size_t run_count;
    pthread_t keeper;
    bool keeper_runs;

    pthread_cond_t changed; /* a job has: those who follow want to know */
    uint64_t changes;
    listener *listeners;
    size_t listener_count;
    pthread_t teller;
    bool teller_runs;

    atomic_uint_fast64_t by_state[VL_JOB_STATE_COUNT]; /* ordered, and ended here */
    atomic_uint_fast64_t items_done, items_failed, items_retried, items_lost, items_given_back;
    atomic_uint_fast64_t buckets[JOB_BUCKETS + 1], microseconds;
    atomic_int_fast64_t depth, lent; /* of the whole queue, when it was last looked at */
};

/* ---- jobs.c ------------------------------------------------------------------------- */

/* Why an item failed, as JSON text that cJSON_free frees. */
char *job_problem_text(const char *problem);
/* The name of the file in an item's input; "" none. */
void job_item_name(const char *input, char name[VL_FILENAME_MAX]);

/* ---- jobs_work.c -------------------------------------------------------------------- */

void *job_keeper(void *jobs);
void job_ordered(vl_jobs *jobs); /* something new is in the queue */
/* Something was cancelled or erased: what is in work here and was part of it ends at once. */
void job_revoked(vl_jobs *jobs);
/* Gives back all that is in work. */
void job_give_back_all(vl_jobs *jobs);

/* ---- jobs_events.c ------------------------------------------------------------------ */

void *job_teller(void *jobs);
void job_changed(vl_jobs *jobs);
/* Decides the request with the stream of the job's events, or with 503. */
void job_follow(vl_request *request, const char *job);
/* Streams end; those that are suspended go on. Under no lock. */
void job_streams_end(vl_jobs *jobs);

#endif
