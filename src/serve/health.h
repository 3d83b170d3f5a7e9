/* health.h — what the service depends on, and whether it is there: probed all the time by
 * threads of their own, so that asking costs nothing and waits for nobody.
 *
 * Each dependency has a thread that probes it, and does so again PROBE_EVERY_MS after it came
 * back. A probe that has not come back is degraded after PROBE_SLOW_MS and down after
 * PROBE_LOST_MS, whatever it waits for. Thread-safety: all functions but _open and _free may be
 * called by any thread. */
#ifndef VISLANG_SERVE_HEALTH_H
#define VISLANG_SERVE_HEALTH_H

#include <vislang/base.h>

typedef struct vl_server vl_server;
typedef struct vl_health vl_health;

enum {
    VL_PROBE_EVERY_MS = 1000,
    VL_PROBE_SLOW_MS = 2000,
    VL_PROBE_LOST_MS = 5000,
    VL_DEPENDENCIES_MAX = 24,
    VL_DEPENDENCY_NAME_SIZE = 48,
};
/* Room on the disk below which the state is degraded, and down. */
#define VL_DISK_LOW_BYTES (UINT64_C(1) << 30)
#define VL_DISK_FULL_BYTES (UINT64_C(64) << 20)

typedef enum vl_dependency_state {
    VL_DEPENDENCY_OK,
    VL_DEPENDENCY_DEGRADED, /* slow, or soon to fail */
    VL_DEPENDENCY_DOWN,
} vl_dependency_state;
const char *vl_dependency_state_name(vl_dependency_state state); /* "ok" */

typedef struct vl_dependency {
    char name[VL_DEPENDENCY_NAME_SIZE]; /* "database", "ocr:tesseract", … */
    vl_dependency_state state;
    bool is_vital;     /* without it the service cannot answer */
    double latency_ms; /* of the last probe; of an engine's calls, their mean */
    char version[64];  /* "" not known, or none */
    char detail[256];  /* why it is not ok, or what it has; "" */
} vl_dependency;

/* Begins to probe what is configured: database, redis, vault, disk. */
vl_status vl_health_open(vl_server *server, const vl_config *config, vl_health **health,
                         vl_error *error);
/* Waits for the probes under way; NULL allowed. */
void vl_health_free(vl_health *health);
/* What is probed, the OCR engines and the picture model, as they are now; returns how many. */
size_t vl_health_list(const vl_server *server, vl_dependency list[VL_DEPENDENCIES_MAX]);
/* Whether the database answers. */
bool vl_health_has_database(const vl_health *health);

#endif
