/* people_json.c — users and keys as JSON: one way for the service and for the command line. */
#include "store/people.h"

#include <cJSON.h>
#include <time.h>

void vl_json_add_time(cJSON *json, const char *name, int64_t ms) {
    char text[32];
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    cJSON_AddItemToObject(json, name, ms ? cJSON_CreateString(text) : cJSON_CreateNull());
}

cJSON *vl_user_to_json(const vl_user *user) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "id", (double)user->id);
    cJSON_AddStringToObject(json, "name", user->name);
    cJSON_AddStringToObject(json, "role", vl_role_name(user->role));
    cJSON_AddBoolToObject(json, "disabled", user->disabled);
    cJSON_AddBoolToObject(json, "locked", user->locked_until_ms > vl_db_now_ms());
    vl_json_add_time(json, "created", user->created_ms);
    vl_json_add_time(json, "seen", user->seen_ms);
    return json;
}

cJSON *vl_key_to_json(const vl_key *key) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "id", (double)key->id);
    cJSON_AddStringToObject(json, "name", key->name);
    cJSON_AddStringToObject(json, "prefix", key->prefix);
    cJSON_AddStringToObject(json, "scopes", vl_role_name(key->scope));
    vl_json_add_time(json, "created", key->created_ms);
    vl_json_add_time(json, "expires", key->expires_ms);
    vl_json_add_time(json, "revoked", key->revoked_ms);
    vl_json_add_time(json, "used", key->used_ms);
    return json;
}
