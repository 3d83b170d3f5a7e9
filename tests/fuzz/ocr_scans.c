/* Any bytes as the manifest of a folder of scans. */
#include <stdlib.h>
#include "ocr/scans.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    if (!arena)
        arena = vl_arena_new(64 << 20);
    vl_scan *scans = NULL;
    size_t count = 0;
    if (!vl_scans_parse(arena, (const char *)data, size, &scans, &count, NULL)) {
        for (size_t i = 0; i < count; i++) {
            if (!scans[i].set || !scans[i].document || scans[i].truth)
                abort();
            vl_scan_comparable(arena, &scans[i], scans[i].id);
        }
    }
    vl_arena_reset(arena);
    return 0;
}
