/* files.c — whole files in and out, so that a reader never sees half of one.
 *
 * Writing: a temporary beside the target is written, fsynced, renamed over it, and the
 * directory is fsynced. A crash or a full disk leaves the old content; what a killed process
 * may leave behind is a hidden ".name.XXXX.tmp". What is no regular file (a terminal, a pipe,
 * /dev/null) is written in place, and a symbolic link stays a link. */
#include <vislang/base.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_CHUNK = 64 * 1024 };

/* A path that leads to no file is the user's input; anything else is the system's refusal. */
static vl_status open_failed(const char *path, vl_error *error) {
    vl_status status =
        errno == ENOENT || errno == ENOTDIR || errno == EISDIR ? VL_ERR_INPUT : VL_ERR_IO;
    return vl_fail(error, status, "cannot read %s: %s", path, strerror(errno));
}

static vl_status read_all(int fd, const char *path, size_t max_bytes, vl_buf *out,
                          vl_error *error) {
    char chunk[READ_CHUNK];
    size_t total = 0;
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return open_failed(path, error);
        if (got == 0)
            return vl_buf_status(out, path, error);
        total += (size_t)got;
        if (total > max_bytes)
            return vl_fail(error, VL_ERR_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
        vl_buf_append(out, chunk, (size_t)got);
        if (out->failed)
            return vl_buf_status(out, path, error);
    }
}

vl_status vl_file_read(const char *path, size_t max_bytes, vl_buf *out, vl_error *error) {
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, "standard input", max_bytes, out, error);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return open_failed(path, error);
    struct stat info;
    vl_status status;
    /* Refused before the first byte is read where the size is known. */
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size > max_bytes)
        status = vl_fail(error, VL_ERR_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
    else
        status = read_all(fd, path, max_bytes, out, error);
    close(fd);
    return status;
}

static vl_status write_failed(const char *path, vl_error *error) {
    return vl_fail(error, VL_ERR_IO, "cannot write %s: %s", path, strerror(errno));
}

static bool write_all(int fd, const void *data, size_t bytes) {
    const char *at = data;
    while (bytes) {
        ssize_t put = write(fd, at, bytes);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        at += put;
        bytes -= (size_t)put;
    }
    return true;
}

static vl_status write_in_place(const char *path, const void *data, size_t bytes,
                                vl_error *error) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return write_failed(path, error);
    vl_status status = write_all(fd, data, bytes) ? VL_OK : write_failed(path, error);
    if (close(fd) != 0 && status == VL_OK)
        status = write_failed(path, error);
    return status;
}

/* Makes the rename itself durable. Some file systems cannot fsync a directory (EINVAL). */
static bool directory_sync(const char *path) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES; /* a directory one may write to and not list */
    bool synced = fsync(fd) == 0 || errno == EINVAL || errno == EROFS;
    close(fd);
    return synced;
}

/* "dir/.name.<random>.tmp" beside `path`; false when the name would be too long. */
static bool temporary_name(const char *path, char out[PATH_MAX]) {
    unsigned char noise[6];
    vl_random_bytes(noise, sizeof noise);
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path + 1) : 0;
    /* The name is cut so that a long one still fits NAME_MAX with the ending. */
    int length =
        snprintf(out, PATH_MAX, "%.*s.%.200s.%02x%02x%02x%02x%02x%02x.tmp", folder, path,
                 path + folder, noise[0], noise[1], noise[2], noise[3], noise[4], noise[5]);
    return length > 0 && length < PATH_MAX;
}

static vl_status write_beside(const char *path, const void *data, size_t bytes, mode_t mode,
                              bool keep_mode, vl_error *error) {
    char temporary[PATH_MAX];
    if (!temporary_name(path, temporary)) {
        errno = ENAMETOOLONG;
        return write_failed(path, error);
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return write_failed(path, error);
    bool written =
        write_all(fd, data, bytes) && (!keep_mode || fchmod(fd, mode) == 0) && fsync(fd) == 0;
    int cause = errno;
    if (close(fd) != 0 && written) {
        written = false;
        cause = errno;
    }
    if (written && rename(temporary, path) != 0) {
        written = false;
        cause = errno;
    }
    if (!written) {
        unlink(temporary);
        errno = cause;
        return write_failed(path, error);
    }
    return directory_sync(path) ? VL_OK : write_failed(path, error);
}

vl_status vl_file_write(const char *path, const void *data, size_t bytes, vl_error *error) {
    struct stat info;
    if (stat(path, &info) != 0)
        return write_beside(path, data, bytes, 0666, false, error);
    if (S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return write_failed(path, error);
    }
    if (!S_ISREG(info.st_mode))
        return write_in_place(path, data, bytes, error);
    char *real = realpath(path, NULL);
    if (!real)
        return write_failed(path, error);
    vl_status status =
        write_beside(real, data, bytes, info.st_mode & (mode_t)0777, true, error);
    free(real);
    return status;
}

vl_status vl_dir_make(const char *path, vl_error *error) {
    char copy[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof copy)
        return vl_fail(error, VL_ERR_IO, "cannot make directory '%s': %s", path,
                       strerror(length ? ENAMETOOLONG : ENOENT));
    memcpy(copy, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (copy[i] != '/' && copy[i] != '\0')
            continue;
        copy[i] = '\0';
        struct stat info;
        bool there =
            mkdir(copy, 0777) == 0 || (stat(copy, &info) == 0 && S_ISDIR(info.st_mode));
        if (!there)
            return vl_fail(error, VL_ERR_IO, "cannot make directory %s: %s", copy,
                           strerror(errno ? errno : ENOTDIR));
        if (i < length)
            copy[i] = '/';
    }
    return VL_OK;
}

static char data_dir[PATH_MAX];
static pthread_once_t data_dir_once = PTHREAD_ONCE_INIT;

static void data_dir_find(void) {
    const char *named = getenv("VISLANG_DATA");
    const char *chosen = VISLANG_SOURCE_DIR;
    if (named && *named)
        chosen = named;
    else if (access(VISLANG_INSTALL_DATA, R_OK | X_OK) == 0)
        chosen = VISLANG_INSTALL_DATA;
    snprintf(data_dir, sizeof data_dir, "%s", chosen);
}

const char *vl_data_dir(void) {
    pthread_once(&data_dir_once, data_dir_find);
    return data_dir;
}
