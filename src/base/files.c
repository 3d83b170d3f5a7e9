/* files.c — whole files in and out, so that a reader never sees half of one.
 *
 * Writing: a temporary beside the target is written, fsynced, renamed over it, and the
 * directory is fsynced. A crash or a full disk leaves the old content; what a killed process
 * may leave behind is a hidden ".name.XXXX.tmp". */
#include <vislang/base.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

/* A path that leads to no file is the user's input; anything else is the system's refusal. */
static vl_status open_failed(const char *path, vl_error *error) {
    vl_status status =
        errno == ENOENT || errno == ENOTDIR || errno == EISDIR ? VL_ERR_INPUT : VL_ERR_IO;
    return vl_fail(error, status, "cannot read %s: %s", path, strerror(errno));
}

static vl_status read_all(int fd, const char *path, size_t max_bytes, vl_buf *out,
                          vl_error *error) {
    char chunk[CHUNK];
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

/* ---- writing -------------------------------------------------------------------- */

struct vl_file_writer {
    int fd, cause;   /* cause: errno of the first failure */
    char *asked;     /* the path, for messages */
    char *path;      /* with symbolic links followed */
    char *temporary; /* NULL: written in place */
    size_t waiting;  /* bytes in `chunk` */
    char chunk[CHUNK];
};

/* Frees the writer. Returns what went wrong, if anything did. */
static vl_status writer_end(vl_file_writer *writer, vl_error *error) {
    int cause = writer->cause;
    vl_status status = VL_OK;
    if (cause)
        status = vl_fail(error, cause == ENOMEM ? VL_ERR_MEMORY : VL_ERR_IO,
                         "cannot write %s: %s", writer->asked, strerror(cause));
    free(writer->asked);
    free(writer->path);
    free(writer->temporary);
    free(writer);
    return status;
}

/* "dir/.name.<random>.tmp"; the name is cut so that a long one still fits with the ending.
 * NULL: no memory. */
static char *temporary_name(const char *path) {
    unsigned char noise[6];
    char *name = NULL;
    vl_random_bytes(noise, sizeof noise);
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path + 1) : 0;
    int length =
        asprintf(&name, "%.*s.%.200s.%02x%02x%02x%02x%02x%02x.tmp", folder, path, path + folder,
                 noise[0], noise[1], noise[2], noise[3], noise[4], noise[5]);
    return length < 0 ? NULL : name;
}

/* A new file, or a regular one in whose place another comes: its links and permissions stay.
 * Returns errno. */
static int open_beside(vl_file_writer *writer, const struct stat *there) {
    mode_t mode = there ? there->st_mode & (mode_t)0777 : 0666;
    writer->path = there ? realpath(writer->asked, NULL) : strdup(writer->asked);
    if (!writer->path)
        return errno;
    if (!(writer->temporary = temporary_name(writer->path)))
        return ENOMEM;
    writer->fd = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (writer->fd < 0)
        return errno;
    if (!there || fchmod(writer->fd, mode) == 0)
        return 0;
    int cause = errno;
    close(writer->fd);
    unlink(writer->temporary);
    return cause;
}

static int open_target(vl_file_writer *writer) {
    struct stat info;
    if (stat(writer->asked, &info) != 0)
        return open_beside(writer, NULL);
    if (S_ISREG(info.st_mode))
        return open_beside(writer, &info);
    if (S_ISDIR(info.st_mode))
        return EISDIR;
    writer->fd = open(writer->asked, O_WRONLY | O_CLOEXEC);
    return writer->fd < 0 ? errno : 0;
}

vl_status vl_file_writer_open(const char *path, vl_file_writer **out, vl_error *error) {
    *out = NULL;
    vl_file_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return vl_fail(error, VL_ERR_MEMORY, "cannot write %s: no memory", path);
    writer->asked = strdup(path);
    writer->cause = writer->asked ? open_target(writer) : ENOMEM;
    if (writer->cause)
        return writer_end(writer, error);
    *out = writer;
    return VL_OK;
}

static void write_out(vl_file_writer *writer, const char *at, size_t bytes) {
    while (bytes && !writer->cause) {
        ssize_t put = write(writer->fd, at, bytes);
        if (put < 0 && errno != EINTR)
            writer->cause = errno;
        if (put > 0) {
            at += put;
            bytes -= (size_t)put;
        }
    }
}

static void flush(vl_file_writer *writer) {
    write_out(writer, writer->chunk, writer->waiting);
    writer->waiting = 0;
}

vl_status vl_file_writer_put(vl_file_writer *writer, const void *bytes, size_t count,
                             vl_error *error) {
    if (count > CHUNK - writer->waiting)
        flush(writer);
    if (count > CHUNK) {
        write_out(writer, bytes, count);
    } else if (count) {
        memcpy(writer->chunk + writer->waiting, bytes, count);
        writer->waiting += count;
    }
    if (!writer->cause)
        return VL_OK;
    return vl_fail(error, VL_ERR_IO, "cannot write %s: %s", writer->asked,
                   strerror(writer->cause));
}

/* Makes the rename itself durable. Some file systems cannot fsync a directory (EINVAL), and one
 * may be allowed to write to a directory without listing it (EACCES). Returns errno. */
static int directory_sync(const char *path) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? 0 : errno;
    int cause = fsync(fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
    close(fd);
    return cause;
}

vl_status vl_file_writer_commit(vl_file_writer *writer, vl_error *error) {
    flush(writer);
    if (!writer->cause && writer->temporary && fsync(writer->fd) != 0)
        writer->cause = errno;
    if (close(writer->fd) != 0 && !writer->cause)
        writer->cause = errno;
    if (!writer->temporary)
        return writer_end(writer, error);
    if (!writer->cause && rename(writer->temporary, writer->path) != 0)
        writer->cause = errno;
    if (writer->cause)
        unlink(writer->temporary);
    else
        writer->cause = directory_sync(writer->path);
    return writer_end(writer, error);
}

void vl_file_writer_abandon(vl_file_writer *writer) {
    if (!writer)
        return;
    close(writer->fd);
    if (writer->temporary)
        unlink(writer->temporary);
    writer_end(writer, NULL);
}

vl_status vl_file_write(const char *path, const void *data, size_t bytes, vl_error *error) {
    vl_file_writer *writer;
    vl_status status = vl_file_writer_open(path, &writer, error);
    if (status)
        return status;
    vl_file_writer_put(writer, data, bytes, NULL); /* a failure is kept for the commit */
    return vl_file_writer_commit(writer, error);
}

/* ---- lines ------------------------------------------------------------------------ */

/* How much of the file is whole lines; -1 with errno. */
static off_t whole_lines(int fd) {
    char chunk[CHUNK];
    struct stat info;
    if (fstat(fd, &info))
        return -1;
    for (off_t end = info.st_size; end > 0;) {
        off_t begin = end > CHUNK ? end - CHUNK : 0;
        ssize_t got = pread(fd, chunk, (size_t)(end - begin), begin);
        if (got != end - begin)
            return -1;
        const char *last = memrchr(chunk, '\n', (size_t)got);
        if (last)
            return begin + (last - chunk) + 1;
        end = begin;
    }
    return 0;
}

static vl_status append_line(int fd, const char *path, const char *line, size_t bytes,
                             vl_error *error) {
    errno = 0;
    while (flock(fd, LOCK_EX))
        if (errno != EINTR)
            return vl_fail(error, VL_ERR_IO, "cannot lock %s: %s", path, strerror(errno));
    off_t end = whole_lines(fd);
    if (end >= 0 && !ftruncate(fd, end) && pwrite(fd, line, bytes, end) == (ssize_t)bytes &&
        !fsync(fd))
        return VL_OK;
    int cause = errno ? errno : ENOSPC;
    if (end >= 0 && ftruncate(fd, end))
        cause = errno; /* the next one cuts it off */
    return vl_fail(error, VL_ERR_IO, "cannot write %s: %s", path, strerror(cause));
}

vl_status vl_file_append_line(const char *path, const char *line, size_t bytes,
                              vl_error *error) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return vl_fail(error, VL_ERR_IO, "cannot write %s: %s", path, strerror(errno));
    vl_status status = append_line(fd, path, line, bytes, error);
    close(fd); /* and gives the lock back */
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
        int why = mkdir(copy, 0777) ? errno : 0;
        if (why && stat(copy, &info) == 0) /* else why it is not there is mkdir's errno */
            why = S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
        if (why)
            return vl_fail(error, VL_ERR_IO, "cannot make directory %s: %s", copy,
                           strerror(why));
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

static char state_dir[PATH_MAX];
static pthread_once_t state_dir_once = PTHREAD_ONCE_INIT;

/* Relative paths are to be ignored, says the specification. */
static void state_dir_find(void) {
    const char *service = getenv("STATE_DIRECTORY"), *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int length = 0;
    if (service && *service == '/')
        length =
            snprintf(state_dir, sizeof state_dir, "%.*s", (int)strcspn(service, ":"), service);
    else if (state && *state == '/')
        length = snprintf(state_dir, sizeof state_dir, "%s/vislang", state);
    else if (home && *home == '/')
        length = snprintf(state_dir, sizeof state_dir, "%s/.local/state/vislang", home);
    if (length < 0 || (size_t)length >= sizeof state_dir)
        state_dir[0] = '\0';
}

const char *vl_state_dir(void) {
    pthread_once(&state_dir_once, state_dir_find);
    return state_dir;
}
