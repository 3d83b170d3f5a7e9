/* health.c — probes of what the service depends on, /health/detailed and /ready. */
#include "serve/health.h"
#include "serve/service.h"
#include "store/redis.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PROBES_MAX = 4, FOLDER_MAX = 4096, FIRST_WAIT_MS = 1000 };

typedef struct probe_result {
    vl_dependency_state state;
    char version[64], detail[256];
} probe_result;

typedef struct probe {
    vl_health *health;
    const char *name;
    bool is_vital;
    void (*run)(vl_health *health, probe_result *result);
    pthread_t thread;
    bool has_thread;
    /* Under the lock. */
    bool came_back;   /* at least once */
    int64_t begun_ns; /* 0: not under way */
    double latency_ms;
    probe_result result;
} probe;

struct vl_health {
    vl_store *store;
    char folder[FOLDER_MAX]; /* whose disk is looked at */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* stopping, or a probe came back */
    bool stopping;
    probe probes[PROBES_MAX];
    size_t count;
};

const char *vl_dependency_state_name(vl_dependency_state state) {
    static const char *const names[] = {"ok", "degraded", "down"};
    return names[state];
}

/* ---- probes --------------------------------------------------------------------------- */

static void set_failure(probe_result *result, const vl_error *error) {
    result->state = error->status == VL_ERR_BUSY ? VL_DEPENDENCY_DEGRADED : VL_DEPENDENCY_DOWN;
    snprintf(result->detail, sizeof result->detail, "%s", error->message);
}

static void probe_database(vl_health *health, probe_result *result) {
    vl_error error;
    if (vl_db_ping(health->store->db, result->version, &error))
        set_failure(result, &error);
}

/* The service goes on without it, so its loss is never worse than degraded. */
static void probe_redis(vl_health *health, probe_result *result) {
    vl_error error;
    char version[32] = "";
    if (vl_redis_version(health->store->redis, version, &error))
        set_failure(result, &error);
    else
        snprintf(result->version, sizeof result->version, "Redis %s", version);
}

/* What was sealed is opened again; keys are in memory, objects in their folder. */
static void probe_vault(vl_health *health, probe_result *result) {
    static const char what[] = "health", text[] = "vislang";
    vl_error error;
    vl_buf sealed, opened;
    vl_buf_init(&sealed, 4096);
    vl_buf_init(&opened, 4096);
    if (vl_vault_seal(health->store->vault, what, text, &sealed, &error) ||
        vl_vault_unseal(health->store->vault, what, sealed.data, &opened, &error))
        set_failure(result, &error);
    else if (strcmp(opened.data, text) != 0)
        result->state = VL_DEPENDENCY_DOWN;
    else
        snprintf(result->version, sizeof result->version, "AES-256-GCM");
    vl_buf_deinit(&sealed);
    vl_buf_deinit(&opened);
}

static void probe_disk(vl_health *health, probe_result *result) {
    struct statvfs disk;
    if (statvfs(health->folder, &disk)) {
        result->state = VL_DEPENDENCY_DOWN;
        snprintf(result->detail, sizeof result->detail, "%s: %s", health->folder,
                 strerror(errno));
        return;
    }
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    uint64_t all = (uint64_t)disk.f_blocks * disk.f_frsize;
    bool writable = !access(health->folder, W_OK);
    result->state = room < VL_DISK_FULL_BYTES || !writable ? VL_DEPENDENCY_DOWN
                    : room < VL_DISK_LOW_BYTES             ? VL_DEPENDENCY_DEGRADED
                                                           : VL_DEPENDENCY_OK;
    snprintf(result->detail, sizeof result->detail, "%.1f of %.1f GB free%s",
             (double)room / 1e9, (double)all / 1e9,
             writable ? "" : ", and the folder cannot be written to");
}

/* ---- the threads ---------------------------------------------------------------------- */

static void tell_change(const probe *p, vl_dependency_state before) {
    vl_dependency_state now = p->result.state;
    if (now != before)
        vl_log(now ? VL_LOG_WARN : VL_LOG_INFO, "dependency", VL_F_STR("name", p->name),
               VL_F_STR("state", vl_dependency_state_name(now)),
               VL_F_STR("detail", p->result.detail));
}

/* One round: probe, and keep what came of it. */
static void probe_once(probe *p) {
    vl_health *health = p->health;
    probe_result result = {.state = VL_DEPENDENCY_OK};
    int64_t start = vl_clock_ns();
    pthread_mutex_lock(&health->lock);
    p->begun_ns = start;
    pthread_mutex_unlock(&health->lock);
    p->run(health, &result);
    pthread_mutex_lock(&health->lock);
    vl_dependency_state before = p->result.state;
    p->begun_ns = 0;
    p->came_back = true;
    p->latency_ms = vl_clock_ms_since(start);
    p->result = result;
    pthread_cond_broadcast(&health->changed);
    pthread_mutex_unlock(&health->lock);
    tell_change(p, before);
}

static void add_ms(struct timespec *time, long ms) {
    time->tv_sec += ms / 1000;
    time->tv_nsec += ms % 1000 * 1000000;
    if (time->tv_nsec >= 1000000000) {
        time->tv_sec++;
        time->tv_nsec -= 1000000000;
    }
}

static struct timespec after_ms(long ms) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    add_ms(&time, ms);
    return time;
}

static void *probe_on(void *arg) {
    probe *p = arg;
    vl_health *health = p->health;
    bool stopping = false;
    while (!stopping) {
        probe_once(p);
        struct timespec until = after_ms(VL_PROBE_EVERY_MS);
        pthread_mutex_lock(&health->lock);
        while (!health->stopping &&
               !pthread_cond_timedwait(&health->changed, &health->lock, &until))
            ;
        stopping = health->stopping;
        pthread_mutex_unlock(&health->lock);
    }
    return NULL;
}

static void add_probe(vl_health *health, const char *name, bool is_vital,
                      void (*run)(vl_health *health, probe_result *result)) {
    health->probes[health->count++] =
        (probe){.health = health, .name = name, .is_vital = is_vital, .run = run};
}

/* The folder of the database's file, or else of what is kept beside it. */
static void find_folder(vl_health *health, const char *database, const char *objects) {
    const char *path = strncmp(database, "sqlite:", 7) ? objects : database + 7;
    snprintf(health->folder, sizeof health->folder, "%s", *path ? path : vl_state_dir());
    char *slash = path == database + 7 && *path ? strrchr(health->folder, '/') : NULL;
    if (slash)
        slash[slash == health->folder] = '\0';
    else if (path == database + 7 && *path)
        snprintf(health->folder, sizeof health->folder, ".");
}

static bool have_all_come_back(const vl_health *health) {
    for (size_t i = 0; i < health->count; i++)
        if (!health->probes[i].came_back)
            return false;
    return true;
}

/* So that the first answers know something; a slow one is not waited for. */
static void wait_for_first(vl_health *health) {
    struct timespec until = after_ms(FIRST_WAIT_MS);
    pthread_mutex_lock(&health->lock);
    while (!have_all_come_back(health) &&
           !pthread_cond_timedwait(&health->changed, &health->lock, &until))
        ;
    pthread_mutex_unlock(&health->lock);
}

static void init_condition(pthread_cond_t *condition) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

vl_status vl_health_open(vl_server *server, const vl_config *config, vl_health **out,
                         vl_error *error) {
    vl_health *health = calloc(1, sizeof *health);
    if (!health)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to watch over dependencies");
    pthread_mutex_init(&health->lock, NULL);
    init_condition(&health->changed);
    health->store = &server->store;
    find_folder(health, vl_config_string(config, "database_url"),
                vl_config_string(config, "object_path"));
    add_probe(health, "database", true, probe_database);
    if (server->store.redis)
        add_probe(health, "redis", false, probe_redis);
    if (server->store.vault)
        add_probe(health, "vault", false, probe_vault);
    add_probe(health, "disk", false, probe_disk);
    *out = health;
    for (size_t i = 0; i < health->count; i++) {
        probe *p = &health->probes[i];
        p->has_thread = !pthread_create(&p->thread, NULL, probe_on, p);
        if (!p->has_thread)
            return vl_fail(error, VL_ERR_MEMORY, "no thread to watch over the %s", p->name);
    }
    wait_for_first(health);
    return VL_OK;
}

void vl_health_free(vl_health *health) {
    if (!health)
        return;
    pthread_mutex_lock(&health->lock);
    health->stopping = true;
    pthread_cond_broadcast(&health->changed);
    pthread_mutex_unlock(&health->lock);
    for (size_t i = 0; i < health->count; i++)
        if (health->probes[i].has_thread)
            pthread_join(health->probes[i].thread, NULL);
    pthread_cond_destroy(&health->changed);
    pthread_mutex_destroy(&health->lock);
    free(health);
}

/* ---- what is known -------------------------------------------------------------------- */

/* Under the lock. One under way for too long is worse than it was. */
static vl_dependency read_probe(const probe *p) {
    vl_dependency d = {.state = p->result.state, .is_vital = p->is_vital};
    snprintf(d.name, sizeof d.name, "%s", p->name);
    snprintf(d.version, sizeof d.version, "%s", p->result.version);
    snprintf(d.detail, sizeof d.detail, "%s", p->result.detail);
    d.latency_ms = p->latency_ms;
    double waited = p->begun_ns ? vl_clock_ms_since(p->begun_ns) : 0;
    if (waited > VL_PROBE_SLOW_MS) {
        d.state = waited > VL_PROBE_LOST_MS || d.state == VL_DEPENDENCY_DOWN
                      ? VL_DEPENDENCY_DOWN
                      : VL_DEPENDENCY_DEGRADED;
        d.latency_ms = waited;
        snprintf(d.detail, sizeof d.detail, "no answer for %.0f seconds", waited / 1000);
    }
    if (d.state == VL_DEPENDENCY_DOWN && !strcmp(p->name, "redis"))
        d.state = VL_DEPENDENCY_DEGRADED;
    return d;
}

bool vl_health_has_database(const vl_health *health) {
    vl_health *h = (vl_health *)health;
    pthread_mutex_lock(&h->lock);
    bool has = read_probe(&h->probes[0]).state != VL_DEPENDENCY_DOWN;
    pthread_mutex_unlock(&h->lock);
    return has;
}

static vl_dependency read_engine(const vl_ocr_engine_health *engine) {
    vl_dependency d = {.state = engine->available ? VL_DEPENDENCY_OK : VL_DEPENDENCY_DOWN};
    snprintf(d.name, sizeof d.name, "ocr:%s", engine->name);
    snprintf(d.version, sizeof d.version, "%s", engine->version);
    snprintf(d.detail, sizeof d.detail, "%s", engine->available ? "" : engine->last_error);
    d.latency_ms = engine->mean_ms;
    return d;
}

static vl_dependency read_picture_model(const vl_server *server) {
    vl_dependency d = {.state = server->seer ? VL_DEPENDENCY_OK : VL_DEPENDENCY_DOWN};
    snprintf(d.name, sizeof d.name, "picture_model");
    snprintf(d.version, sizeof d.version, "%s",
             server->seer ? vl_seer_version(server->seer) : "");
    snprintf(d.detail, sizeof d.detail, "%s",
             server->seer ? "" : "photographs are not described");
    return d;
}

size_t vl_health_list(const vl_server *server, vl_dependency list[VL_DEPENDENCIES_MAX]) {
    vl_health *health = server->health;
    size_t count = 0;
    pthread_mutex_lock(&health->lock);
    for (; count < health->count; count++)
        list[count] = read_probe(&health->probes[count]);
    pthread_mutex_unlock(&health->lock);
    vl_ocr_engine_health engines[VL_OCR_ENGINES_MAX];
    size_t engine_count = vl_handlers_engines(server, engines);
    for (size_t i = 0; i < engine_count && count + 1 < VL_DEPENDENCIES_MAX; i++)
        list[count++] = read_engine(&engines[i]);
    list[count++] = read_picture_model(server);
    return count;
}

/* ---- routes --------------------------------------------------------------------------- */

static const char *sum_up(const vl_server *server, const vl_dependency *list, size_t count) {
    vl_dependency_state worst = server->ocr_ready ? VL_DEPENDENCY_OK : VL_DEPENDENCY_DOWN;
    for (size_t i = 0; i < count; i++) {
        vl_dependency_state state = list[i].state;
        if (state == VL_DEPENDENCY_DOWN && !list[i].is_vital)
            state = VL_DEPENDENCY_DEGRADED;
        worst = state > worst ? state : worst;
    }
    return vl_dependency_state_name(worst);
}

static cJSON *dependency_to_json(const vl_dependency *d) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", d->name);
    cJSON_AddStringToObject(json, "state", vl_dependency_state_name(d->state));
    cJSON_AddNumberToObject(json, "latency_ms", round(d->latency_ms * 1000) / 1000);
    cJSON_AddStringToObject(json, "version", d->version);
    cJSON_AddStringToObject(json, "detail", d->detail);
    return json;
}

void vl_handle_health_detailed(vl_request *request) {
    vl_server *server = request->server;
    vl_dependency list[VL_DEPENDENCIES_MAX];
    size_t count = vl_health_list(server, list);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "status", sum_up(server, list, count));
    cJSON_AddStringToObject(json, "version", VL_VERSION);
    cJSON_AddNumberToObject(json, "uptime_seconds", vl_clock_ms_since(server->start_ns) / 1000);
    cJSON *array = cJSON_AddArrayToObject(json, "dependencies");
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(array, dependency_to_json(&list[i]));
    vl_decide_json(request, json);
}

void vl_handle_ready(vl_request *request) {
    static const char ready[] = "{\"status\":\"ready\"}";
    vl_server *server = request->server;
    if (atomic_load(&server->draining)) {
        request->outcome.retry_after = 1;
        vl_decide_problem(request, 503, "The service is draining and will stop.");
    } else if (!server->ocr_ready) {
        request->outcome.retry_after = 30;
        vl_decide_problem(request, 503, "No reading engine is there; see /health/ocr.");
    } else if (!vl_health_has_database(server->health)) {
        request->outcome.retry_after = 5;
        vl_decide_problem(request, 503, "The database is away; see /health/detailed.");
    } else {
        vl_decide_blob(request, 200, vl_blob_new("application/json", ready, sizeof ready - 1));
    }
}
