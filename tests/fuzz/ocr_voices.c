/* Any bytes as what engines are worth: refused, or written out so that they read the same. */
#include <stdlib.h>
#include <string.h>

#include "ocr/voices.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_voices voices, again;
    vl_error error;
    if (vl_voices_parse((const char *)data, size, &voices, &error))
        return 0;
    vl_buf once, twice;
    vl_buf_init(&once, VL_RECORD_MAX_BYTES);
    vl_buf_init(&twice, VL_RECORD_MAX_BYTES);
    if (vl_voices_write(&voices, &once, &error) ||
        vl_voices_parse(once.data, once.len, &again, &error) ||
        vl_voices_write(&again, &twice, &error) || once.len != twice.len ||
        memcmp(once.data, twice.data, once.len) != 0)
        abort();
    vl_voices_deinit(&voices);
    vl_voices_deinit(&again);
    vl_buf_deinit(&once);
    vl_buf_deinit(&twice);
    return 0;
}
