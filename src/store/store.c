/* store.c — all that a service remembers with, opened as the configuration says. */
#include "store/redis.h"

#include <vislang/store.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_SECRET = 32 };
static const double REDIS_TIMEOUT = 0.25, REDIS_REST = 2; /* seconds */

static vl_status open_database(vl_store *store, const vl_config *config, vl_error *error) {
    int applied;
    vl_status status =
        vl_db_open(vl_config_string(config, "database_url"), NULL, &store->db, error);
    return status ? status : vl_db_migrate(store->db, 0, &applied, error);
}

static vl_status open_audit(vl_store *store, const vl_config *config, vl_error *error) {
    const char *key = vl_config_string(config, "secret_key"),
               *log = vl_config_string(config, "audit_log");
    if (*key && strlen(key) < LEAST_SECRET)
        return vl_fail(error, VL_ERR_USAGE,
                       "secret_key has %d bytes or more (openssl rand -base64 32 makes one)",
                       LEAST_SECRET);
    return vl_audit_open(store->db, key, strlen(key), *log ? log : NULL, &store->audit, error);
}

static void object_folder(const vl_config *config, char folder[4096]) {
    const char *path = vl_config_string(config, "object_path");
    snprintf(folder, 4096, "%s%s", *path ? path : vl_state_dir(), *path ? "" : "/objects");
}

void vl_erasures_path(const vl_config *config, char path[4096]) {
    char folder[4096];
    object_folder(config, folder);
    snprintf(path, 4096, "%s/erasures.jsonl", folder);
}

static void find_job_files(vl_store *store, const vl_config *config) {
    const char *path = vl_config_string(config, "job_path");
    snprintf(store->job_files, sizeof store->job_files, "%s%s", *path ? path : vl_state_dir(),
             *path ? "" : "/jobs");
}

static vl_status open_vault(vl_store *store, const vl_config *config, vl_error *error) {
    char folder[4096];
    const char *keys = vl_config_string(config, "encryption_key");
    object_folder(config, folder);
    vl_erasures_path(config, store->erasures);
    return *keys ? vl_vault_open(store->db, folder, keys, &store->vault, error) : VL_OK;
}

static vl_status keep_secret(vl_store *store, const vl_config *config, vl_error *error) {
    const char *secret = vl_config_string(config, "secret_key");
    if (*secret && !(store->secret = strdup(secret)))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a key");
    return VL_OK;
}

static vl_status open_redis(vl_store *store, const vl_config *config, vl_error *error) {
    const char *url = vl_config_string(config, "redis_url");
    return *url ? vl_redis_open(url, REDIS_TIMEOUT, REDIS_REST, &store->redis, error) : VL_OK;
}

vl_status vl_store_open(const vl_config *config, vl_store *store, vl_error *error) {
    *store = (vl_store){0};
    find_job_files(store, config);
    vl_status status = open_database(store, config, error);
    if (!status)
        status = open_audit(store, config, error);
    if (!status)
        status = open_vault(store, config, error);
    if (!status)
        status = keep_secret(store, config, error);
    if (!status)
        status = open_redis(store, config, error);
    if (status)
        vl_store_close(store);
    return status;
}

void vl_store_close(vl_store *store) {
    vl_redis_close(store->redis);
    vl_vault_close(store->vault);
    vl_audit_close(store->audit);
    vl_db_close(store->db);
    if (store->secret)
        explicit_bzero(store->secret, strlen(store->secret));
    free(store->secret);
    *store = (vl_store){0};
}
