/* metrics.h — what the service counts, in Prometheus' text format (version 0.0.4).
 *
 * Counting is a relaxed atomic add. Thread-safety: all functions may be called by any
 * thread. */
#ifndef VISLANG_SERVE_METRICS_H
#define VISLANG_SERVE_METRICS_H

#include "serve/health.h"
#include "serve/identity.h"
#include "serve/sentry.h"
#include "serve/limits.h"

#include <vislang/ocr.h>

#include <stdatomic.h>

enum {
    VL_METRICS_ROUTES = 64, /* the last one is what matched no route */
    VL_METRICS_METHODS = 6, /* GET HEAD POST OPTIONS PUT+DELETE+PATCH other */
    VL_METRICS_STATUSES = 32,
    VL_METRICS_BUCKETS = 20,
};

typedef struct vl_metrics {
    atomic_uint_fast64_t requests[VL_METRICS_ROUTES][VL_METRICS_METHODS][VL_METRICS_STATUSES];
    atomic_uint_fast64_t buckets[VL_METRICS_ROUTES][VL_METRICS_BUCKETS + 1];
    atomic_uint_fast64_t microseconds[VL_METRICS_ROUTES];
    atomic_uint_fast64_t documents, pages, cache_hits, cache_misses, shared_answers;
    atomic_uint_fast64_t shared_hits; /* of the misses: found in Redis */
    atomic_uint_fast64_t refused_busy, timeouts, clients_gone, upload_bytes;
    atomic_uint_fast64_t ocr_requests, ocr_failures, ocr_microseconds;
    atomic_uint_fast64_t picture_requests, picture_failures, picture_microseconds;
    atomic_uint_fast64_t alignment_requests, alignment_failures, alignment_unknown;
    atomic_uint_fast64_t alignment_microseconds;
    atomic_uint_fast64_t auth_failures[VL_DENIAL_COUNT], rate_limited[VL_BUCKET_COUNT];
    atomic_uint_fast64_t connections; /* open now */
    atomic_uint_fast64_t active;      /* requests between first byte of target and response */
} vl_metrics;

/* Counts one finished request; `route` below VL_METRICS_ROUTES. */
void vl_metrics_request(vl_metrics *metrics, size_t route, const char *method, unsigned status,
                        double seconds);
uint64_t vl_metrics_request_count(const vl_metrics *metrics);

/* The answer time below which `share` (0…1) of all requests lie, in seconds: by linear
 * interpolation in the bucket, as Prometheus' histogram_quantile does. 0: no request yet. */
double vl_metrics_quantile(const vl_metrics *metrics, double share);
/* Requests answered with `class`00 to `class`99. */
uint64_t vl_metrics_class_count(const vl_metrics *metrics, unsigned class);

/* What the kernel says of this process. */
typedef struct vl_process {
    uint64_t resident_bytes, virtual_bytes, open_files, most_files, threads;
    double cpu_seconds;
    double start_seconds; /* Unix time */
} vl_process;
void vl_process_read(double uptime_seconds, vl_process *process);

/* What is true at the moment of writing. */
typedef struct vl_metrics_now {
    const char *const *routes; /* [route_count] label of each route */
    size_t route_count;
    const vl_ocr_engine_health *engines; /* [engine_count] */
    size_t engine_count;
    size_t in_work, queued, cache_entries, cache_bytes;
    double uptime_seconds;
    const vl_dependency *dependencies; /* [dependency_count] */
    size_t dependency_count;
    int64_t certificate_expires; /* Unix seconds; 0: no TLS */
    vl_process process;
    const vl_sentry_counts *error_events; /* NULL: none are sent */
} vl_metrics_now;
void vl_metrics_write(const vl_metrics *metrics, const vl_metrics_now *now, vl_buf *out);

#endif
