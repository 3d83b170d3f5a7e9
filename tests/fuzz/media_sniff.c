/* media_sniff.c — any bytes as a file of unknown kind. */
#include "media/decode.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_media_kind kind = vl_media_sniff(data, size);
    if (kind > VL_MEDIA_PDF || !*vl_media_kind_name(kind) || !*vl_media_kind_type(kind) ||
        !*vl_media_looks_like(data, size))
        abort();
    return 0;
}
