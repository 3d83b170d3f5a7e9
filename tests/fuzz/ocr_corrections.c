/* Any bytes as corrections of people: refused, or learned into a record that is sound. */
#include <stdlib.h>

#include "ocr/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_record *record;
    vl_buf report, json;
    vl_error error;
    if (vl_record_open(NULL, NULL, &record, &error))
        return 0;
    vl_buf_init(&report, 1 << 20);
    vl_buf_init(&json, VL_RECORD_MAX_BYTES);
    vl_status status = vl_record_correct_document(record, data, size, &report, &error);
    if (vl_record_export(record, &json, &error) ||
        vl_record_import(record, json.data, json.len, &error) || (!status && !report.len))
        abort();
    vl_buf_deinit(&json);
    vl_buf_deinit(&report);
    vl_record_free(record);
    return 0;
}
