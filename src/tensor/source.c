/* source.c — a file's bytes by mmap, refusals that name the place, and tables of names. */
#include "tensor/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SHOWN = 160 }; /* bytes of a path that a message has room for */

/* The end of a path tells files apart, so that is what stays of a long one. Bytes that are no
 * UTF-8 would end a message. */
static char *source_name(const char *path) {
    size_t length = strlen(path);
    const char *tail = length > NAME_SHOWN ? path + length - NAME_SHOWN : path;
    while (tail > path && (*tail & 0xC0) == 0x80) /* not from inside a character */
        tail++;
    char *name = malloc(strlen(tail) + 4);
    if (!name)
        return NULL;
    strcpy(name, tail > path ? "..." : "");
    strcat(name, tail);
    for (char *at = name; *(at += vl_utf8_valid_prefix(at, strlen(at)));)
        *at = '?';
    return name;
}

static vl_status map_regular(int fd, const char *path, vl_source *source, vl_error *error) {
    struct stat info;
    if (fstat(fd, &info) != 0)
        return vl_fail(error, VL_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return vl_fail(error, VL_ERR_INPUT, "cannot read %s: not a regular file", path);
    source->name = source_name(path);
    if (!source->name)
        return vl_fail(error, VL_ERR_MEMORY, "cannot read %s: no memory", path);
    if (info.st_size == 0)
        return VL_OK;
    void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return vl_fail(error, VL_ERR_IO, "cannot map %s: %s", path, strerror(errno));
    source->bytes = bytes;
    source->count = (size_t)info.st_size;
    source->mapped = true;
    return VL_OK;
}

vl_status vl_source_open(const char *path, vl_source *source, vl_error *error) {
    *source = (vl_source){0};
    /* O_NONBLOCK: a named pipe is refused below instead of waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        bool absent = errno == ENOENT || errno == ENOTDIR;
        return vl_fail(error, absent ? VL_ERR_INPUT : VL_ERR_IO, "cannot read %s: %s", path,
                       strerror(errno));
    }
    vl_status status = map_regular(fd, path, source, error);
    close(fd);
    if (status != VL_OK)
        vl_source_close(source);
    return status;
}

vl_status vl_source_wrap(const void *bytes, size_t count, vl_source *source, vl_error *error) {
    *source = (vl_source){.bytes = bytes, .count = count};
    if ((uintptr_t)bytes % VL_GGUF_DATA_ALIGNMENT)
        return vl_fail(error, VL_ERR_USAGE, "bytes to parse lie at no multiple of %u",
                       VL_GGUF_DATA_ALIGNMENT);
    source->name = strdup("(in memory)");
    return source->name ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory to parse a file");
}

void vl_source_close(vl_source *source) {
    if (source->mapped)
        munmap((void *)(uintptr_t)source->bytes, source->count);
    free(source->name);
    *source = (vl_source){0};
}

vl_status vl_refuse_at(const vl_source *source, size_t at, vl_error *error, vl_status status,
                       const char *file, int line, const char *format, ...) {
    char what[sizeof error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return vl_error_set(error, status, file, line, "%s: byte %zu: %s", source->name, at, what);
}

/* ---- names ---------------------------------------------------------------------- */

const char *vl_name_fault(const char *name, size_t bytes, size_t max_bytes) {
    if (bytes == 0)
        return "is empty";
    if (bytes > max_bytes)
        return "is too long";
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F)
            return "holds a control character";
    }
    return vl_utf8_valid_prefix(name, bytes) == bytes ? NULL : "is not UTF-8";
}

const char *vl_name_shown(const char *name, char out[VL_NAME_SHOWN_SIZE]) {
    enum { CUT = VL_NAME_SHOWN_SIZE - 4 };
    size_t length = strlen(name), kept = length < CUT ? length : CUT;
    kept = vl_utf8_valid_prefix(name, kept);
    memcpy(out, name, kept);
    strcpy(out + kept, kept < length ? "..." : "");
    for (char *c = out; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = '?';
    }
    return out;
}

/* Equal names by index, so that a duplicate is the later one. */
static int name_order(const void *a, const void *b) {
    const vl_name *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    if (order)
        return order;
    return (left->index > right->index) - (left->index < right->index);
}

void vl_names_sort(vl_name *names, size_t count) {
    if (count)
        qsort(names, count, sizeof *names, name_order);
}

size_t vl_names_duplicate(const vl_name *names, size_t count) {
    for (size_t i = 1; i < count; i++) {
        if (strcmp(names[i - 1].name, names[i].name) == 0)
            return names[i].index;
    }
    return SIZE_MAX;
}

size_t vl_names_find(const vl_name *names, size_t count, const char *name) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, names[middle].name);
        if (order == 0)
            return names[middle].index;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}
