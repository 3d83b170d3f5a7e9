/* vectors_source.c — one buffer over zlib, which hands through what is not gzipped. */
#include "align/vectors_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { BUFFER = 4 * VECTORS_SOURCE_PEEK };

struct vectors_source {
    gzFile file;
    char *path;
    char *buffer; /* [room]; what is not taken yet is at [at, filled) */
    size_t room, at, filled;
    bool ended;
};

static vl_status open_failed(const char *path, vl_error *error) {
    if (errno == ENOMEM)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to read %s", path);
    vl_status status =
        errno == ENOENT || errno == ENOTDIR || errno == EISDIR ? VL_ERR_INPUT : VL_ERR_IO;
    return vl_fail(error, status, "cannot read %s: %s", path, strerror(errno));
}

static gzFile open_file(const char *path) {
    if (strcmp(path, "-") != 0)
        return gzopen(path, "rbe");
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    gzFile file = fd < 0 ? NULL : gzdopen(fd, "rb");
    if (fd >= 0 && !file)
        close(fd);
    return file;
}

vl_status vectors_source_open(const char *path, vectors_source **source, vl_error *error) {
    *source = NULL;
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return open_failed(path, error);
    }
    vectors_source *s = calloc(1, sizeof *s);
    errno = ENOMEM;
    if (s && (s->path = strdup(path)) && (s->buffer = malloc(BUFFER))) {
        s->room = BUFFER;
        errno = ENOMEM; /* zlib's own, which sets none */
        if ((s->file = open_file(path))) {
            gzbuffer(s->file, BUFFER);
            *source = s;
            return VL_OK;
        }
    }
    vl_status status = open_failed(path, error);
    vectors_source_close(s);
    return status;
}

void vectors_source_close(vectors_source *s) {
    if (!s)
        return;
    if (s->file)
        gzclose(s->file);
    free(s->path);
    free(s->buffer);
    free(s);
}

const char *vectors_source_path(const vectors_source *s) {
    return s->path;
}

static vl_status read_failed(vectors_source *s, vl_error *error) {
    int code;
    const char *why = gzerror(s->file, &code);
    if (code == Z_ERRNO)
        return open_failed(s->path, error);
    if (code == Z_MEM_ERROR)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to read %s", s->path);
    return vl_fail(error, VL_ERR_INPUT, "%s is cut short or damaged: %s", s->path, why);
}

/* More bytes behind those that are there; the buffer must have room. */
static vl_status fill(vectors_source *s, vl_error *error) {
    size_t space = s->room - s->filled;
    int got = gzread(s->file, s->buffer + s->filled, (unsigned)space), code = Z_OK;
    if (got >= 0)
        gzerror(s->file, &code); /* a gzip file that ends too early is told so */
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
        return read_failed(s, error);
    s->filled += (size_t)got;
    s->ended = !got;
    return VL_OK;
}

static void move_down(vectors_source *s) {
    memmove(s->buffer, s->buffer + s->at, s->filled - s->at);
    s->filled -= s->at;
    s->at = 0;
}

vl_status vectors_source_peek(vectors_source *s, size_t bytes, const char **at, size_t *got,
                              vl_error *error) {
    vl_status status = VL_OK;
    if (s->room - s->at < bytes)
        move_down(s);
    while (!status && !s->ended && s->filled - s->at < bytes)
        status = fill(s, error);
    *at = s->buffer + s->at;
    *got = s->filled - s->at < bytes ? s->filled - s->at : bytes;
    return status;
}

void vectors_source_skip(vectors_source *s, size_t bytes) {
    s->at += bytes;
}

vl_status vectors_source_take(vectors_source *s, void *out, size_t bytes, vl_error *error) {
    char *to = out;
    while (bytes) {
        size_t there = s->filled - s->at, part = there < bytes ? there : bytes;
        memcpy(to, s->buffer + s->at, part);
        s->at += part;
        to += part;
        bytes -= part;
        if (!bytes)
            break;
        s->at = s->filled = 0;
        vl_status status = fill(s, error);
        if (!status && s->ended)
            status = vl_fail(error, VL_ERR_INPUT, "%s is cut short", s->path);
        if (status)
            return status;
    }
    return VL_OK;
}

/* Room for at least one byte more. */
static vl_status make_room(vectors_source *s, vl_error *error) {
    if (s->at)
        move_down(s);
    if (s->filled < s->room)
        return VL_OK;
    char *buffer = realloc(s->buffer, s->room * 2);
    if (!buffer)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to read %s", s->path);
    s->buffer = buffer;
    s->room *= 2;
    return VL_OK;
}

vl_status vectors_source_until(vectors_source *s, char stop, size_t longest, const char **at,
                               size_t *length, vl_error *error) {
    size_t seen = 0;
    *at = NULL;
    *length = 0;
    for (;;) {
        const char *begin = s->buffer + s->at, *end;
        size_t there = s->filled - s->at;
        end = there > seen ? memchr(begin + seen, stop, there - seen) : NULL;
        if ((end ? (size_t)(end - begin) : there) > longest)
            return vl_fail(error, VL_ERR_INPUT, "%s has a line or word of over %zu bytes",
                           s->path, longest);
        if (end || s->ended) {
            *length = end ? (size_t)(end - begin) : there;
            *at = *length || end ? begin : NULL;
            s->at += *length + (end != NULL);
            return VL_OK;
        }
        seen = there;
        vl_status status = make_room(s, error);
        if (!status)
            status = fill(s, error);
        if (status)
            return status;
    }
}
