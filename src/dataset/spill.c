/* spill.c — temporary files without a name; see spill.h. */
#include "dataset/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAITING = 256 * 1024 };

struct spill {
    int fd;
    char *folder;
    uint64_t written; /* where the next byte that waits goes */
    size_t waiting;
    char bytes[WAITING];
};

static vl_status refused(const spill *s, vl_error *error) {
    return vl_fail(error, VL_ERR_IO,
                   "cannot write a temporary file in %s (%.1f MB are in it): %s; make room, or "
                   "name another folder",
                   s->folder, (double)s->written / 1e6, strerror(errno));
}

/* A file without a name, or where the file system has none of those, one that loses it at once.
 */
static int open_nameless(const char *folder) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char *name = NULL;
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    if (asprintf(&name, "%s/.vislang.XXXXXX", folder) < 0)
        return -1;
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    free(name);
    return fd;
}

vl_status spill_open(const char *folder, spill **out, vl_error *error) {
    if (!folder || !*folder)
        folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/var/tmp";
    spill *s = malloc(sizeof *s);
    char *name = strdup(folder);
    *out = NULL;
    if (!s || !name) {
        free(s);
        free(name);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a temporary file");
    }
    s->fd = -1;
    s->folder = name;
    s->written = s->waiting = 0;
    s->fd = open_nameless(folder);
    if (s->fd < 0) {
        vl_status status = refused(s, error);
        spill_free(s);
        return status;
    }
    *out = s;
    return VL_OK;
}

void spill_free(spill *s) {
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s->folder);
    free(s);
}

static vl_status flush(spill *s, vl_error *error) {
    for (size_t done = 0; done < s->waiting;) {
        ssize_t put =
            pwrite(s->fd, s->bytes + done, s->waiting - done, (off_t)(s->written + done));
        if (put < 0 && errno != EINTR)
            return refused(s, error);
        done += put > 0 ? (size_t)put : 0;
    }
    s->written += s->waiting;
    s->waiting = 0;
    return VL_OK;
}

vl_status spill_append(spill *s, const void *bytes, size_t count, vl_error *error) {
    vl_status status = VL_OK;
    for (const char *at = bytes; count && !status;) {
        size_t part = count < WAITING - s->waiting ? count : WAITING - s->waiting;
        memcpy(s->bytes + s->waiting, at, part);
        s->waiting += part;
        at += part;
        count -= part;
        if (s->waiting == WAITING)
            status = flush(s, error);
    }
    return status;
}

vl_status spill_skip(spill *s, uint64_t offset, vl_error *error) {
    if (offset == spill_size(s))
        return VL_OK;
    if (offset < spill_size(s))
        return vl_fail(error, VL_ERR_INTERNAL, "a temporary file does not go backwards");
    vl_status status = flush(s, error);
    if (!status && ftruncate(s->fd, (off_t)offset))
        status = refused(s, error);
    if (!status)
        s->written = offset;
    return status;
}

uint64_t spill_size(const spill *s) {
    return s->written + s->waiting;
}

vl_status spill_read(spill *s, uint64_t offset, void *bytes, size_t count, vl_error *error) {
    vl_status status = s->waiting && offset + count > s->written ? flush(s, error) : VL_OK;
    for (size_t done = 0; done < count && !status;) {
        ssize_t got = pread(s->fd, (char *)bytes + done, count - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = vl_fail(error, VL_ERR_IO, "cannot read a temporary file in %s: %s",
                             s->folder, strerror(errno));
        else if (got == 0)
            status = vl_fail(error, VL_ERR_INTERNAL, "a temporary file in %s is too short",
                             s->folder);
        else
            done += (size_t)got;
    }
    return status;
}

/* ---- from beginning to end -------------------------------------------------------- */

vl_status spill_reader_init(spill_reader *r, spill *from, uint64_t start, uint64_t end,
                            size_t room, vl_error *error) {
    *r = (spill_reader){.from = from, .at = start, .end = end, .room = room};
    r->piece = malloc(room);
    return r->piece ? VL_OK
                    : vl_fail(error, VL_ERR_MEMORY, "no memory to read a temporary file");
}

void spill_reader_deinit(spill_reader *r) {
    free(r->piece);
    *r = (spill_reader){0};
}

vl_status spill_reader_next(spill_reader *r, size_t count, const void **next, vl_error *error) {
    vl_status status = VL_OK;
    *next = NULL;
    if (r->start == r->held) {
        size_t piece = r->room - r->room % count;
        if (piece > r->end - r->at)
            piece = (size_t)(r->end - r->at);
        r->start = r->held = 0;
        if (piece && !(status = spill_read(r->from, r->at, r->piece, piece, error))) {
            r->at += piece;
            r->held = piece;
        }
    }
    if (r->held - r->start >= count) {
        *next = r->piece + r->start;
        r->start += count;
    }
    return status;
}
