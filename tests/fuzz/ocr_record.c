/* Any bytes as a track record: refused, or written out so that they read the same. */
#include <stdlib.h>
#include <string.h>

#include "ocr/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_record *record;
    vl_error error;
    if (vl_record_open(NULL, NULL, &record, &error))
        return 0;
    if (!vl_record_import(record, data, size, &error)) {
        vl_buf once, twice;
        vl_buf_init(&once, VL_RECORD_MAX_BYTES);
        vl_buf_init(&twice, VL_RECORD_MAX_BYTES);
        double accuracy = vl_record_accuracy(
            record, &(vl_record_key){"reader", "Ethi", "amh", "blur", "fax"}, NULL);
        if (!(accuracy >= 0 && accuracy <= 1))
            abort();
        vl_record_show(record, &twice);
        vl_buf_clear(&twice);
        if (vl_record_export(record, &once, &error) ||
            vl_record_import(record, once.data, once.len, &error) ||
            vl_record_export(record, &twice, &error) || once.len != twice.len ||
            memcmp(once.data, twice.data, once.len) != 0)
            abort();
        vl_buf_deinit(&once);
        vl_buf_deinit(&twice);
    }
    vl_record_free(record);
    return 0;
}
