/* media_png.c — any bytes as a PNG: header and picture, under small limits. */
#include "media/decode.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_media_limits limits = vl_media_limits_default();
    vl_image *image;
    vl_error error = {0};
    limits.max_pixels = 1 << 18;
    limits.max_seconds = 2;
    vl_status opened = vl_png_check(data, size, &limits, &error);
    vl_status status = vl_png_decode(data, size, &limits, &image, &error);
    /* What the header forbids is never decoded; a failure leaves no picture and says why. */
    if ((opened && !status) || (status ? image || !*error.message : !image))
        abort();
    vl_image_free(image);
    return 0;
}
