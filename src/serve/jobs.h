/* jobs.h — batches: many files in one request, one job, done when there is time.
 *
 * A job stands in the database (vislang/store.h), its files in the vault when there is one,
 * else in a folder that only the service reads; they are removed as their items are done. Any
 * process of the same database (and of the same vault or folder) may do the work: this one
 * takes items while fewer requests wait or are worked on than there are workers.
 *
 * Threads: one looks after the queue (takes items, beats for those in work, sweeps), one feeds
 * those who follow a job. */
#ifndef VISLANG_SERVE_JOBS_H
#define VISLANG_SERVE_JOBS_H

#include <vislang/store.h>

typedef struct vl_jobs vl_jobs;
typedef struct vl_request vl_request;
typedef struct vl_server vl_server;

typedef enum vl_jobs_mode { /* of the setting jobs */
                            VL_JOBS_ON,
                            VL_JOBS_OFF,  /* takes batches and leaves them to other processes */
                            VL_JOBS_ONLY, /* works on jobs and answers no documents */
} vl_jobs_mode;
vl_status vl_jobs_mode_parse(const char *name, vl_jobs_mode *mode, vl_error *error);

/* When the workers are there. */
vl_status vl_jobs_open(vl_server *server, const vl_config *config, vl_error *error);
/* No item is begun any more, and streams end. What is in work has job_grace seconds; then it is
 * stopped and given back to the queue. */
void vl_jobs_drain(vl_server *server);
/* Something was erased: what is in work here and was part of it ends at once. */
void vl_jobs_revoked(vl_server *server);
bool vl_jobs_busy(vl_server *server); /* items are in work here */
/* Gives back what is still in work, and ends the threads. */
void vl_jobs_stop(vl_server *server);
void vl_jobs_free(vl_jobs *jobs); /* when the workers are gone; NULL allowed */
void vl_jobs_write_metrics(vl_server *server, vl_buf *out);

void vl_handle_batch(vl_request *request);
void vl_handle_jobs(vl_request *request);
void vl_handle_job(vl_request *request);
void vl_handle_job_cancel(vl_request *request);
void vl_handle_job_retry(vl_request *request);
void vl_handle_job_events(vl_request *request);

#endif
