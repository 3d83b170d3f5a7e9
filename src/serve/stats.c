/* stats.c — GET /stats: the counters of /metrics summed up, for people and small scripts. */
#include "serve/service.h"

#include <cjson/cJSON.h>
#include <math.h>

static double count_of(const atomic_uint_fast64_t *counter) {
    return (double)atomic_load_explicit(counter, memory_order_relaxed);
}

static double rounded(double value, double unit) {
    return round(value / unit) * unit;
}

static void add_requests(const vl_metrics *metrics, cJSON *json) {
    static const char *const classes[] = {"2xx", "3xx", "4xx", "5xx"};
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}};
    cJSON_AddNumberToObject(json, "requests", (double)vl_metrics_request_count(metrics));
    cJSON *by_class = cJSON_AddObjectToObject(json, "requests_by_class");
    for (unsigned i = 0; i < 4; i++)
        cJSON_AddNumberToObject(by_class, classes[i],
                                (double)vl_metrics_class_count(metrics, i + 2));
    cJSON *latency = cJSON_AddObjectToObject(json, "latency_ms");
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        cJSON_AddNumberToObject(
            latency, quantiles[i].name,
            rounded(vl_metrics_quantile(metrics, quantiles[i].share) * 1000, 0.001));
}

static void add_cache(vl_server *server, cJSON *json) {
    size_t entries, bytes;
    vl_cache_size(server->cache, &entries, &bytes);
    double hits = count_of(&server->metrics.cache_hits);
    double misses = count_of(&server->metrics.cache_misses);
    cJSON *cache = cJSON_AddObjectToObject(json, "cache");
    cJSON_AddNumberToObject(cache, "hits", hits);
    cJSON_AddNumberToObject(cache, "misses", misses);
    cJSON_AddNumberToObject(cache, "shared_hits", count_of(&server->metrics.shared_hits));
    cJSON_AddNumberToObject(cache, "hit_rate",
                            hits > 0 ? rounded(hits / (hits + misses), 0.0001) : 0);
    cJSON_AddNumberToObject(cache, "entries", (double)entries);
    cJSON_AddNumberToObject(cache, "bytes", (double)bytes);
    cJSON_AddNumberToObject(cache, "max_bytes", (double)server->settings.cache_bytes);
}

static void add_work(cJSON *json, const char *name, const atomic_uint_fast64_t *requests,
                     const atomic_uint_fast64_t *failures,
                     const atomic_uint_fast64_t *microseconds) {
    cJSON *work = cJSON_AddObjectToObject(json, name);
    cJSON_AddNumberToObject(work, "requests", count_of(requests));
    cJSON_AddNumberToObject(work, "failures", count_of(failures));
    cJSON_AddNumberToObject(work, "seconds", rounded(count_of(microseconds) / 1e6, 0.001));
}

static void add_process(double uptime, cJSON *json) {
    vl_process process;
    vl_process_read(uptime, &process);
    cJSON *object = cJSON_AddObjectToObject(json, "process");
    cJSON_AddNumberToObject(object, "resident_bytes", (double)process.resident_bytes);
    cJSON_AddNumberToObject(object, "open_files", (double)process.open_files);
    cJSON_AddNumberToObject(object, "threads", (double)process.threads);
    cJSON_AddNumberToObject(object, "cpu_seconds", rounded(process.cpu_seconds, 0.001));
}

void vl_handle_stats(vl_request *request) {
    vl_server *server = request->server;
    const vl_metrics *metrics = &server->metrics;
    double uptime = vl_clock_ms_since(server->start_ns) / 1000;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "version", VL_VERSION);
    cJSON_AddStringToObject(json, "environment", server->settings.environment);
    cJSON_AddNumberToObject(json, "uptime_seconds", uptime);
    add_requests(metrics, json);
    const struct {
        const char *name;
        double value;
    } rows[] = {
        {"documents", count_of(&metrics->documents)},
        {"pages", count_of(&metrics->pages)},
        {"in_work", (double)vl_work_in_flight(server)},
        {"queued", (double)vl_pool_queued(server->pool)},
        {"max_in_work", (double)server->settings.max_in_work},
        {"workers", (double)server->settings.workers},
        {"connections", count_of(&metrics->connections)},
        {"refused_busy", count_of(&metrics->refused_busy)},
        {"timeouts", count_of(&metrics->timeouts)},
        {"clients_gone", count_of(&metrics->clients_gone)},
        {"shared_answers", count_of(&metrics->shared_answers)},
        {"upload_bytes", count_of(&metrics->upload_bytes)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cJSON_AddNumberToObject(json, rows[i].name, rows[i].value);
    add_cache(server, json);
    add_work(json, "reading", &metrics->ocr_requests, &metrics->ocr_failures,
             &metrics->ocr_microseconds);
    add_work(json, "picture_model", &metrics->picture_requests, &metrics->picture_failures,
             &metrics->picture_microseconds);
    add_process(uptime, json);
    vl_decide_json(request, json);
}
