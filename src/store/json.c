/* json.c — JSON on one line. */
#include "store/json.h"

#include <cJSON.h>
#include <time.h>

void json_put(cJSON *json, vl_buf *out) {
    char *text = cJSON_PrintUnformatted(json);
    if (text)
        vl_buf_puts(out, text);
    else
        out->failed = true;
    cJSON_free(text);
    cJSON_Delete(json);
}

void json_add_time(cJSON *to, const char *name, int64_t ms) {
    char text[32];
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    cJSON_AddItemToObject(to, name, ms ? cJSON_CreateString(text) : cJSON_CreateNull());
}
