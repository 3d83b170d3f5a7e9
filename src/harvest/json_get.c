/* json_get.c — one answer in JSON, fetched as a guest (json.h). */
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
