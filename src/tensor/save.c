/* save.c — a large file streamed to disk so that it appears whole or not at all.
 *
 * vl_file_write of the room base does the same for bytes that are in memory; checkpoints are
 * hundreds of megabytes that lie in many tensors, so here they go through one stream. A process
 * killed at any instant leaves the old file, and perhaps a hidden ".name.XXXX.tmp". */
#include "tensor/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static vl_status save_failed(vl_save *save, const char *path, int cause, vl_error *error) {
    free(save->path);
    free(save->temporary);
    *save = (vl_save){0};
    return vl_fail(error, cause == ENOMEM ? VL_ERR_MEMORY : VL_ERR_IO, "cannot write %s: %s",
                   path, strerror(cause));
}

/* Where the bytes go, and the mode they get: a link stays a link, a file keeps its permissions.
 * Returns errno. */
static int find_target(vl_save *save, const char *path, mode_t *mode, bool *keep_mode) {
    struct stat info;
    *mode = 0666;
    *keep_mode = stat(path, &info) == 0;
    if (!*keep_mode) {
        save->path = strdup(path);
        return save->path ? 0 : ENOMEM;
    }
    if (!S_ISREG(info.st_mode))
        return S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    *mode = info.st_mode & (mode_t)0777;
    save->path = realpath(path, NULL);
    return save->path ? 0 : errno;
}

/* "dir/.name.<random>.tmp"; the name is cut so that a long one still fits with the ending. */
static int name_temporary(vl_save *save) {
    unsigned char noise[6];
    vl_random_bytes(noise, sizeof noise);
    const char *slash = strrchr(save->path, '/');
    int folder = slash ? (int)(slash - save->path + 1) : 0;
    size_t room = strlen(save->path) + 32;
    save->temporary = malloc(room);
    if (!save->temporary)
        return ENOMEM;
    snprintf(save->temporary, room, "%.*s.%.200s.%02x%02x%02x%02x%02x%02x.tmp", folder,
             save->path, save->path + folder, noise[0], noise[1], noise[2], noise[3], noise[4],
             noise[5]);
    return 0;
}

vl_status vl_save_open(vl_save *save, const char *path, vl_error *error) {
    mode_t mode;
    bool keep_mode;
    *save = (vl_save){0};
    int cause = find_target(save, path, &mode, &keep_mode);
    if (!cause)
        cause = name_temporary(save);
    if (cause)
        return save_failed(save, path, cause, error);
    int fd = open(save->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return save_failed(save, path, errno, error);
    if ((keep_mode && fchmod(fd, mode) != 0) || !(save->file = fdopen(fd, "wb"))) {
        cause = errno;
        close(fd);
        unlink(save->temporary);
        return save_failed(save, path, cause, error);
    }
    return VL_OK;
}

void vl_save_put(vl_save *save, const void *bytes, size_t count) {
    if (save->cause || count == 0)
        return;
    if (fwrite(bytes, 1, count, save->file) != count)
        save->cause = errno ? errno : EIO;
    else
        save->written += count;
}

void vl_save_zeros(vl_save *save, size_t count) {
    static const unsigned char zeros[VL_GGUF_MAX_ALIGNMENT];
    vl_save_put(save, zeros, count);
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

vl_status vl_save_close(vl_save *save, vl_error *error) {
    if (!save->cause && (fflush(save->file) != 0 || fsync(fileno(save->file)) != 0))
        save->cause = errno;
    if (fclose(save->file) != 0 && !save->cause)
        save->cause = errno;
    if (!save->cause && rename(save->temporary, save->path) != 0)
        save->cause = errno;
    if (save->cause)
        unlink(save->temporary);
    else
        save->cause = directory_sync(save->path);
    char *path = save->path;
    save->path = NULL;
    vl_status status = VL_OK;
    if (save->cause)
        status = save_failed(save, path, save->cause, error);
    free(save->temporary);
    free(path);
    *save = (vl_save){0};
    return status;
}

vl_status vl_save_refuse(const char *path, const vl_error *kept, vl_error *error) {
    return vl_error_set(error, kept->status, kept->file, kept->line, "cannot write %s: %s",
                        path, kept->message);
}
