/* Any bytes as what WHO answers. */
#include "harvest_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_page(vl_who_read, data, size);
    return 0;
}
