/* media_exif.c — any bytes as the metadata of a picture; the first byte chooses its kind. */
#include "media/decode.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const vl_media_kind kinds[] = {VL_MEDIA_JPEG, VL_MEDIA_PNG, VL_MEDIA_WEBP,
                                          VL_MEDIA_TIFF};
    if (!size)
        return 0;
    int orientation = vl_exif_orientation(kinds[data[0] % 4], data + 1, size - 1);
    if (orientation < 1 || orientation > 8)
        abort();
    return 0;
}
