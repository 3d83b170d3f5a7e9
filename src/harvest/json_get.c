/* json_get.c — answers in JSON, fetched as a guest, and what is given of them (json.h). */
#include "harvest/json.h"

vl_status vl_json_get(const vl_source_call *call, const vl_polite_request *request,
                      cJSON **root, vl_error *error) {
    vl_polite_request api = *request;
    vl_buf body;
    *root = NULL;
    api.api = true;
    vl_buf_init(&body, VL_JSON_ANSWER_MAX);
    vl_status status = vl_polite_get(call->net, &api, &body, error);
    if (!status)
        status = vl_json_parse(body.data ? body.data : "", body.len, root, error);
    vl_buf_deinit(&body);
    return status;
}

vl_status vl_json_give(const vl_source_call *call, vl_record *record, const cJSON *object,
                       vl_error *error) {
    char *raw = cJSON_PrintUnformatted(object);
    if (!raw)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a record");
    record->raw = raw;
    vl_status status = call->give(record, call->to, error);
    record->raw = NULL;
    cJSON_free(raw);
    return status;
}

vl_status vl_json_leave_out(const vl_source_call *call, const char *source, const char *key,
                            const char *why, vl_error *error) {
    if (!vl_arena_alloc(call->arena, 1))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a page of %s", source);
    vl_log(VL_LOG_WARN, "record left out", VL_F_STR("source", source),
           VL_F_STR("record", key ? key : ""), VL_F_STR("reason", why));
    return VL_OK;
}
