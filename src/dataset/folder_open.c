/* folder_open.c — files that items name: what is below the dataset's folder, and nothing that a
 * link on the way leads to, so that a dataset from elsewhere shows nobody another file. */
#include "dataset/folder.h"

#include <vislang/media.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE = 256, CHUNK = 1 << 16, HEAD = 64 };

static vl_status fail_open(const char *name, int why, vl_error *error) {
    if (why == ENOENT)
        return vl_fail(error, VL_ERR_MISSING, "%s is missing", name);
    if (why == ELOOP || why == ENOTDIR) /* of a link that is to be a folder: ENOTDIR */
        return vl_fail(error, VL_ERR_INPUT,
                       "%s is a link, or behind one, which is not followed out of the dataset",
                       name);
    return vl_fail(error, VL_ERR_INPUT, "%s: %s", name, strerror(why));
}

/* The next part of a path; false: it is none that stays inside. */
static bool next_part(const char **path, char part[NAME_SIZE]) {
    size_t length = strcspn(*path, "/");
    if (!length || length >= NAME_SIZE)
        return false;
    memcpy(part, *path, length);
    part[length] = '\0';
    *path += length + ((*path)[length] == '/');
    return strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
}

/* -1 and errno. Takes over `at`. */
static int open_below(int at, const char *path) {
    char part[NAME_SIZE];
    while (at >= 0) {
        bool stays = next_part(&path, part);
        int flags =
            O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (*path ? O_DIRECTORY : O_NONBLOCK | O_NOCTTY);
        int inner = stays ? openat(at, part, flags) : -1;
        int why = stays ? errno : EINVAL;
        close(at);
        errno = why;
        if (inner < 0 || !*path)
            return inner;
        at = inner;
    }
    return -1;
}

vl_status folder_open(const char *folder, const char *name, int *fd, vl_error *error) {
    struct stat info;
    *fd = open_below(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), name);
    if (*fd < 0)
        return fail_open(name, errno, error);
    if (!fstat(*fd, &info) && S_ISREG(info.st_mode))
        return VL_OK;
    close(*fd);
    *fd = -1;
    return vl_fail(error, VL_ERR_INPUT, "%s is no regular file", name);
}

static vl_status read_all(int fd, const char *name, vl_buf *out, vl_error *error) {
    char chunk[CHUNK];
    ssize_t got = 0;
    while (!out->failed && (got = read(fd, chunk, sizeof chunk)) > 0)
        vl_buf_append(out, chunk, (size_t)got);
    return got < 0 ? vl_fail(error, VL_ERR_IO, "%s: %s", name, strerror(errno))
                   : vl_buf_status(out, name, error);
}

vl_status folder_read(const char *folder, const char *name, vl_buf *out, vl_error *error) {
    int fd;
    vl_status status = folder_open(folder, name, &fd, error);
    if (!status)
        status = read_all(fd, name, out, error);
    if (fd >= 0)
        close(fd);
    return status;
}

/* ---- pictures ------------------------------------------------------------------------------
 */

bool folder_picture_hash(const char *name, char hash[VL_SHA256_HEX_SIZE]) {
    const char *slash = strrchr(name, '/'), *file = slash ? slash + 1 : name;
    bool is_hash = strspn(file, "0123456789abcdef") == VL_SHA256_HEX_SIZE - 1;
    snprintf(hash, VL_SHA256_HEX_SIZE, "%.64s", is_hash ? file : "");
    return is_hash;
}

static bool is_picture(int fd) {
    char head[HEAD];
    ssize_t got = pread(fd, head, sizeof head, 0);
    vl_media_kind kind = got > 0 ? vl_media_sniff(head, (size_t)got) : VL_MEDIA_UNKNOWN;
    return kind == VL_MEDIA_JPEG || kind == VL_MEDIA_PNG || kind == VL_MEDIA_WEBP;
}

vl_status folder_picture_open(const char *folder, const char *name, int *fd, vl_error *error) {
    char hash[VL_SHA256_HEX_SIZE];
    *fd = -1;
    if (!folder_picture_hash(name, hash))
        return vl_fail(error, VL_ERR_INPUT, "%s is not named by the SHA-256 of a picture",
                       name);
    vl_status status = folder_open(folder, name, fd, error);
    if (status || is_picture(*fd))
        return status;
    close(*fd);
    *fd = -1;
    return vl_fail(error, VL_ERR_INPUT, "%s is no PNG, JPEG or WebP", name);
}

vl_status folder_picture_read(int fd, const char *name, vl_buf *out, vl_error *error) {
    char hash[VL_SHA256_HEX_SIZE], found[VL_SHA256_HEX_SIZE];
    vl_status status = read_all(fd, name, out, error);
    if (status)
        return status;
    vl_sha256_hex(out->data, out->len, found);
    return folder_picture_hash(name, hash) && !strcmp(found, hash)
               ? VL_OK
               : vl_fail(error, VL_ERR_INPUT,
                         "%s is not the picture of its name: its SHA-256 is %s", name, found);
}
