/* media_tiff.c — any bytes as a TIFF, by the functions that vislang-decode runs. */
#include "media/tiff_here.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_media_limits limits = vl_media_limits_default();
    vl_error error = {0};
    limits.max_pixels = 1 << 18;
    limits.max_pages = 20;
    limits.max_memory = 64 << 20;
    int fd = memfd_create("tiff", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    uint32_t pages = 0;
    if (vl_tiff_count_here(fd, &limits, &pages, &error) == VL_OK) {
        if (!pages || pages > limits.max_pages + 1)
            abort();
        for (uint32_t i = 0; i < pages && i < 3; i++) {
            vl_tiff_page page;
            vl_status status = vl_tiff_decode_here(fd, i, &limits, &page, &error);
            if (status ? page.samples != NULL : !page.samples)
                abort();
            vl_tiff_page_deinit(&page);
        }
    }
    close(fd);
    return 0;
}
