/* json.c — JSON on one line. */
#include "store/json.h"

#include <cJSON.h>

void json_put(cJSON *json, vl_buf *out) {
    char *text = cJSON_PrintUnformatted(json);
    if (text)
        vl_buf_puts(out, text);
    else
        out->failed = true;
    cJSON_free(text);
    cJSON_Delete(json);
}
