/* metrics.c — counters and histograms, and their text. */
#include "serve/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Upper bounds in seconds: from /health to a document of many pages (request_timeout is 120 by
 * default). */
static const double bounds[VL_METRICS_BUCKETS] = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
    0.25,   0.5,     1,      2.5,   5,      10,    30,   60,    120,  300};
static const char *const methods[VL_METRICS_METHODS] = {"GET",     "HEAD",  "POST",
                                                        "OPTIONS", "WRITE", "OTHER"};
/* The last one stands for every status that is not listed. */
static const uint16_t statuses[VL_METRICS_STATUSES] = {
    200, 204, 206, 301, 304, 400, 401, 403, 404, 405, 408, 409, 411, 412, 413, 414,
    415, 417, 421, 422, 429, 431, 499, 500, 501, 502, 503, 504, 505, 507, 302, 0};

static size_t method_index(const char *method) {
    for (size_t i = 0; i < 4; i++)
        if (!strcmp(method, methods[i]))
            return i;
    bool writes =
        !strcmp(method, "PUT") || !strcmp(method, "DELETE") || !strcmp(method, "PATCH");
    return writes ? 4 : 5;
}

static size_t status_index(unsigned status) {
    size_t i = 0;
    while (i < VL_METRICS_STATUSES - 1 && statuses[i] != status)
        i++;
    return i;
}

static void add(atomic_uint_fast64_t *counter, uint64_t count) {
    atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static uint64_t read_counter(const atomic_uint_fast64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void vl_metrics_request(vl_metrics *metrics, size_t route, const char *method, unsigned status,
                        double seconds) {
    size_t bucket = 0;
    while (bucket < VL_METRICS_BUCKETS && seconds > bounds[bucket])
        bucket++;
    add(&metrics->requests[route][method_index(method)][status_index(status)], 1);
    add(&metrics->buckets[route][bucket], 1);
    add(&metrics->microseconds[route], (uint64_t)(seconds * 1e6));
}

uint64_t vl_metrics_request_count(const vl_metrics *metrics) {
    uint64_t sum = 0;
    for (size_t r = 0; r < VL_METRICS_ROUTES; r++)
        for (size_t b = 0; b <= VL_METRICS_BUCKETS; b++)
            sum += read_counter(&metrics->buckets[r][b]);
    return sum;
}

double vl_metrics_quantile(const vl_metrics *metrics, double share) {
    uint64_t counts[VL_METRICS_BUCKETS + 1] = {0}, sum = 0, below = 0;
    for (size_t b = 0; b <= VL_METRICS_BUCKETS; b++) {
        for (size_t r = 0; r < VL_METRICS_ROUTES; r++)
            counts[b] += read_counter(&metrics->buckets[r][b]);
        sum += counts[b];
    }
    double wanted = share * (double)sum;
    for (size_t b = 0; sum && b < VL_METRICS_BUCKETS; b++) {
        double low = b ? bounds[b - 1] : 0;
        if (counts[b] && (double)(below + counts[b]) >= wanted)
            return low + (bounds[b] - low) * (wanted - (double)below) / (double)counts[b];
        below += counts[b];
    }
    return sum ? bounds[VL_METRICS_BUCKETS - 1] : 0;
}

uint64_t vl_metrics_class_count(const vl_metrics *metrics, unsigned class) {
    uint64_t sum = 0;
    for (size_t r = 0; r < VL_METRICS_ROUTES; r++)
        for (size_t m = 0; m < VL_METRICS_METHODS; m++)
            for (size_t s = 0; s < VL_METRICS_STATUSES; s++)
                if (statuses[s] / 100 == class)
                    sum += read_counter(&metrics->requests[r][m][s]);
    return sum;
}

static void write_head(vl_buf *out, const char *name, const char *type, const char *help) {
    vl_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_value(vl_buf *out, const char *name, const char *type, const char *help,
                        uint64_t value) {
    write_head(out, name, type, help);
    vl_buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void write_requests(const vl_metrics *metrics, const vl_metrics_now *now, vl_buf *out) {
    write_head(out, "http_requests_total", "counter", "Requests answered.");
    for (size_t r = 0; r < now->route_count; r++)
        for (size_t m = 0; m < VL_METRICS_METHODS; m++)
            for (size_t s = 0; s < VL_METRICS_STATUSES; s++) {
                uint64_t count = read_counter(&metrics->requests[r][m][s]);
                char status[8] = "other";
                if (statuses[s])
                    snprintf(status, sizeof status, "%u", statuses[s]);
                if (count)
                    vl_buf_printf(out,
                                  "http_requests_total{method=\"%s\",route=\"%s\","
                                  "status=\"%s\"} %" PRIu64 "\n",
                                  methods[m], now->routes[r], status, count);
            }
}

static void write_durations(const vl_metrics *metrics, const vl_metrics_now *now, vl_buf *out) {
    static const char name[] = "http_request_duration_seconds";
    write_head(out, name, "histogram",
               "From the request line's arrival to the response's last byte.");
    for (size_t r = 0; r < now->route_count; r++) {
        uint64_t sum = 0;
        for (size_t b = 0; b <= VL_METRICS_BUCKETS; b++)
            sum += read_counter(&metrics->buckets[r][b]);
        if (!sum)
            continue;
        uint64_t below = 0;
        for (size_t b = 0; b < VL_METRICS_BUCKETS; b++) {
            below += read_counter(&metrics->buckets[r][b]);
            vl_buf_printf(out, "%s_bucket{route=\"%s\",le=\"%g\"} %" PRIu64 "\n", name,
                          now->routes[r], bounds[b], below);
        }
        vl_buf_printf(out, "%s_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name,
                      now->routes[r], sum);
        vl_buf_printf(out, "%s_sum{route=\"%s\"} %.6f\n%s_count{route=\"%s\"} %" PRIu64 "\n",
                      name, now->routes[r],
                      (double)read_counter(&metrics->microseconds[r]) / 1e6, name,
                      now->routes[r], sum);
    }
}

/* Of the routes that read: whole documents, whichever engines they went to. */
static void write_reading(const vl_metrics *metrics, vl_buf *out) {
    write_value(out, "vislang_ocr_documents_total", "counter",
                "Documents given to the engines.", read_counter(&metrics->ocr_requests));
    write_value(out, "vislang_ocr_document_failures_total", "counter",
                "Documents that could not be read.", read_counter(&metrics->ocr_failures));
    write_head(out, "vislang_ocr_document_seconds_total", "counter",
               "Time spent reading and answering.");
    vl_buf_printf(out, "vislang_ocr_document_seconds_total %.6f\n",
                  (double)read_counter(&metrics->ocr_microseconds) / 1e6);
}

/* Names of engines are small letters, digits, - and _: nothing in a label is escaped. */
static void write_engines(const vl_metrics_now *now, vl_buf *out) {
    enum { COUNTERS = 5 };
    static const char *const heads[COUNTERS][2] = {
        {"vislang_ocr_engine_requests_total", "Calls to the engine, a page or a line each."},
        {"vislang_ocr_engine_failures_total", "Calls that failed, timeouts included."},
        {"vislang_ocr_engine_timeouts_total", "Calls that took too long."},
        {"vislang_ocr_engine_votes_total", "Lines it voted on beside other engines."},
        {"vislang_ocr_engine_votes_won_total",
         "Lines that came out of a vote as it read them."},
    };
    for (size_t c = 0; c < COUNTERS; c++) {
        write_head(out, heads[c][0], "counter", heads[c][1]);
        for (size_t i = 0; i < now->engine_count; i++) {
            const vl_ocr_engine_health *e = &now->engines[i];
            const uint64_t values[COUNTERS] = {e->calls, e->failures, e->timeouts, e->votes,
                                               e->votes_won};
            vl_buf_printf(out, "%s{engine=\"%s\"} %" PRIu64 "\n", heads[c][0], e->name,
                          values[c]);
        }
    }
    write_head(out, "vislang_ocr_engine_seconds_total", "counter", "Time its calls took.");
    for (size_t i = 0; i < now->engine_count; i++)
        vl_buf_printf(out, "vislang_ocr_engine_seconds_total{engine=\"%s\"} %.6f\n",
                      now->engines[i].name, now->engines[i].seconds);
    write_head(out, "vislang_ocr_engine_available", "gauge",
               "1: it is there and does not rest after failing.");
    for (size_t i = 0; i < now->engine_count; i++)
        vl_buf_printf(out, "vislang_ocr_engine_available{engine=\"%s\"} %d\n",
                      now->engines[i].name, now->engines[i].available);
}

/* Of the routes that ask the picture model alone; /predict counts as the engine's. */
static void write_picture_model(const vl_metrics *metrics, vl_buf *out) {
    write_value(out, "vislang_picture_model_requests_total", "counter",
                "Pictures given to the picture model.",
                read_counter(&metrics->picture_requests));
    write_value(out, "vislang_picture_model_failures_total", "counter",
                "Pictures it could not be asked about.",
                read_counter(&metrics->picture_failures));
    write_head(out, "vislang_picture_model_seconds_total", "counter",
               "Time spent decoding and looking at them.");
    vl_buf_printf(out, "vislang_picture_model_seconds_total %.6f\n",
                  (double)read_counter(&metrics->picture_microseconds) / 1e6);
}

static void write_alignment(const vl_metrics *metrics, vl_buf *out) {
    write_value(out, "vislang_alignment_requests_total", "counter",
                "Sentences looked for in other languages.",
                read_counter(&metrics->alignment_requests));
    write_value(out, "vislang_alignment_failures_total", "counter",
                "Of those, requests that had no meaning.",
                read_counter(&metrics->alignment_failures));
    write_value(out, "vislang_alignment_unknown_total", "counter",
                "Of those, answers that say that they do not know.",
                read_counter(&metrics->alignment_unknown));
    write_head(out, "vislang_alignment_seconds_total", "counter", "Time spent looking.");
    vl_buf_printf(out, "vislang_alignment_seconds_total %.6f\n",
                  (double)read_counter(&metrics->alignment_microseconds) / 1e6);
}

static void write_refusals(const vl_metrics *metrics, vl_buf *out) {
    static const char name[] = "vislang_auth_failures_total";
    write_head(out, name, "counter", "Requests refused for who called.");
    for (int d = VL_DENIAL_NONE + 1; d < VL_DENIAL_COUNT; d++)
        vl_buf_printf(out, "%s{reason=\"%s\"} %" PRIu64 "\n", name,
                      vl_denial_name((vl_denial)d), read_counter(&metrics->auth_failures[d]));
    write_head(out, "vislang_rate_limited_total", "counter", "Requests answered with 429.");
    for (int b = 0; b < VL_BUCKET_COUNT; b++)
        vl_buf_printf(out, "vislang_rate_limited_total{bucket=\"%s\"} %" PRIu64 "\n",
                      vl_bucket_name((vl_bucket)b), read_counter(&metrics->rate_limited[b]));
}

/* Names as the client library guidelines of Prometheus have them. */
static void write_process(const vl_process *process, vl_buf *out) {
    write_head(out, "process_cpu_seconds_total", "counter", "User and system time.");
    vl_buf_printf(out, "process_cpu_seconds_total %.3f\n", process->cpu_seconds);
    write_head(out, "process_start_time_seconds", "gauge", "When it began, in Unix time.");
    vl_buf_printf(out, "process_start_time_seconds %.3f\n", process->start_seconds);
    write_value(out, "process_resident_memory_bytes", "gauge", "Memory in use.",
                process->resident_bytes);
    write_value(out, "process_virtual_memory_bytes", "gauge", "Addresses in use.",
                process->virtual_bytes);
    write_value(out, "process_open_fds", "gauge", "Open file descriptors.",
                process->open_files);
    write_value(out, "process_max_fds", "gauge", "The most there may be.", process->most_files);
}

static void write_error_events(const vl_sentry_counts *events, vl_buf *out) {
    static const char name[] = "vislang_error_events_total";
    const struct {
        const char *result;
        uint64_t count;
    } rows[] = {
        {"sent", events->sent}, {"failed", events->failed}, {"dropped", events->dropped}};
    write_head(out, name, "counter", "Error events for the service of sentry_dsn.");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        vl_buf_printf(out, "%s{result=\"%s\"} %" PRIu64 "\n", name, rows[i].result,
                      rows[i].count);
}

static void write_dependencies(const vl_metrics_now *now, vl_buf *out) {
    static const char up[] = "vislang_dependency_up",
                      seconds[] = "vislang_dependency_latency_seconds";
    write_head(out, up, "gauge",
               "1: it is there, 0.5: it is slow or soon to fail, 0: it is not.");
    for (size_t i = 0; i < now->dependency_count; i++) {
        const vl_dependency *d = &now->dependencies[i];
        vl_buf_printf(out, "%s{dependency=\"%s\"} %s\n", up, d->name,
                      d->state == VL_DEPENDENCY_OK         ? "1"
                      : d->state == VL_DEPENDENCY_DEGRADED ? "0.5"
                                                           : "0");
    }
    write_head(out, seconds, "gauge",
               "How long its last probe took; of engines, the mean call.");
    for (size_t i = 0; i < now->dependency_count; i++)
        vl_buf_printf(out, "%s{dependency=\"%s\"} %.6f\n", seconds, now->dependencies[i].name,
                      now->dependencies[i].latency_ms / 1000);
}

void vl_metrics_write(const vl_metrics *metrics, const vl_metrics_now *now, vl_buf *out) {
    write_requests(metrics, now, out);
    write_durations(metrics, now, out);
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } rows[] = {
        {"vislang_documents_processed_total", "counter", "Documents answered by a worker.",
         read_counter(&metrics->documents)},
        {"vislang_pages_processed_total", "counter", "Pages read.",
         read_counter(&metrics->pages)},
        {"vislang_cache_hits_total", "counter", "Answers taken from the cache.",
         read_counter(&metrics->cache_hits)},
        {"vislang_cache_misses_total", "counter", "Answers that were not in this cache.",
         read_counter(&metrics->cache_misses)},
        {"vislang_shared_cache_hits_total", "counter",
         "Of those, answers that were in the cache of all processes.",
         read_counter(&metrics->shared_hits)},
        {"vislang_shared_answers_total", "counter",
         "Requests that waited for an identical one in work.",
         read_counter(&metrics->shared_answers)},
        {"vislang_cache_entries", "gauge", "Answers in the cache.", now->cache_entries},
        {"vislang_cache_bytes", "gauge", "Bytes in the cache.", now->cache_bytes},
        {"vislang_queue_depth", "gauge", "Documents waiting for a worker.", now->queued},
        {"vislang_documents_in_work", "gauge", "Documents waiting or with a worker.",
         now->in_work},
        {"vislang_requests_refused_busy_total", "counter", "Requests answered with 503.",
         read_counter(&metrics->refused_busy)},
        {"vislang_request_timeouts_total", "counter", "Requests answered with 504.",
         read_counter(&metrics->timeouts)},
        {"vislang_clients_gone_total", "counter",
         "Documents not read because every client had gone.",
         read_counter(&metrics->clients_gone)},
        {"vislang_upload_bytes_total", "counter", "Body bytes received.",
         read_counter(&metrics->upload_bytes)},
        {"vislang_connections", "gauge", "Open connections.",
         read_counter(&metrics->connections)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        write_value(out, rows[i].name, rows[i].type, rows[i].help, rows[i].value);
    write_reading(metrics, out);
    write_engines(now, out);
    write_picture_model(metrics, out);
    write_alignment(metrics, out);
    write_refusals(metrics, out);
    write_dependencies(now, out);
    write_process(&now->process, out);
    if (now->error_events)
        write_error_events(now->error_events, out);
    if (now->certificate_expires)
        write_value(out, "vislang_tls_certificate_expiry_timestamp_seconds", "gauge",
                    "When the certificate in use ends, in Unix time.",
                    (uint64_t)now->certificate_expires);
    write_head(out, "vislang_uptime_seconds", "gauge", "Since the service started.");
    vl_buf_printf(out, "vislang_uptime_seconds %.3f\n", now->uptime_seconds);
    write_head(out, "vislang_build_info", "gauge", "Version of the program.");
    vl_buf_printf(out, "vislang_build_info{version=\"%s\"} 1\n", VL_VERSION);
}
