/* Any bytes as what HAPI answers. */
#include "harvest_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const vl_hapi_place place = {"climate/rainfall", "SDN", 10000};
    const vl_source_call *call = fuzz_call();
    cJSON *root;
    vl_error error;
    size_t rows;
    if (vl_json_parse((const char *)data, size, &root, &error))
        return 0;
    vl_hapi_read(call, root, &place, &rows, &error);
    cJSON_Delete(root);
    return 0;
}
