/* An archive from who knows where: gone through to its end, or refused; names of what comes out
 * are UTF-8 and lead nowhere. */
#include "harvest/dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20 };

static vl_status take(void *to, const void *bytes, size_t count, vl_error *error) {
    size_t *all = to;
    (void)bytes;
    *all += count;
    return *all > MOST ? vl_fail(error, VL_ERR_LIMIT, "enough") : VL_OK;
}

static void walk_through(const char *place) {
    vl_dir_walk *walk;
    vl_error error;
    vl_note note;
    bool more = true;
    size_t all = 0;
    vl_dir_item *item = malloc(sizeof *item);
    vl_arena *arena = vl_arena_new(16 << 20);
    if (item && arena && !vl_dir_archive(place, "", &walk, &error)) {
        for (int i = 0; i < 100 && !walk->next(walk, arena, item, &more, &error) && more; i++) {
            size_t length = strlen(item->path);
            if (vl_utf8_valid_prefix(item->path, length) != length || *item->path == '/')
                abort();
            vl_notes_find(walk->notes, item->path, arena, &note);
            if (i % 2)
                walk->pour(walk, item, take, &all, &error);
        }
        walk->free(walk);
    }
    vl_arena_free(arena);
    free(item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char place[64];
    int fd = memfd_create("archive", MFD_CLOEXEC);
    vl_log_set_level(VL_LOG_ERROR);
    if (fd < 0)
        return 0;
    snprintf(place, sizeof place, "/proc/self/fd/%d", fd);
    if (write(fd, data, size) == (ssize_t)size)
        walk_through(place);
    close(fd);
    return 0;
}
