/* objects.c — contents as files (objects.h).
 *
 *   vl_objects_make, _sweep      the folders
 *   vl_object_writer_put         bytes to a temporary file, hashed on their way
 *   vl_object_writer_commit      synced, named by the hash */
#include "harvest/objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The disk is asked how much is left before the first byte, and every so many. */
enum { ASK_EVERY = 16 << 20, NAME_SIZE = 64 };

struct vl_object_writer {
    const char *folder;
    vl_object_rules rules;
    char temporary[VL_OBJECT_PATH_SIZE];
    int fd;
    vl_sha256 *hash;
    uint64_t bytes, asked; /* asked: of the disk at so many */
    unsigned char head[VL_CONTENT_HEAD];
    size_t head_bytes;
    bool disk_failed;
    vl_error failure; /* the first one */
};

/* ---- the folders ------------------------------------------------------------------------ */

static vl_status path_in(const char *folder, const char *name, char path[VL_OBJECT_PATH_SIZE],
                         vl_error *error) {
    int length = snprintf(path, VL_OBJECT_PATH_SIZE, "%s/%s", folder, name);
    return length < VL_OBJECT_PATH_SIZE
               ? VL_OK
               : vl_fail(error, VL_ERR_USAGE, "the folder's path is too long: %.200s", folder);
}

vl_status vl_objects_make(const char *folder, vl_error *error) {
    char path[VL_OBJECT_PATH_SIZE];
    vl_status status = path_in(folder, "objects", path, error);
    if (!status)
        status = vl_dir_make(path, error);
    if (!status)
        status = path_in(folder, "tmp", path, error);
    return status ? status : vl_dir_make(path, error);
}

static bool is_hash(const char *text) {
    return strlen(text) == VL_SHA256_HEX_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == VL_SHA256_HEX_SIZE - 1;
}

vl_status vl_object_path(const char *folder, const char *sha256, char path[VL_OBJECT_PATH_SIZE],
                         vl_error *error) {
    char name[128];
    if (!is_hash(sha256))
        return vl_fail(error, VL_ERR_INPUT, "'%.80s' is no SHA-256", sha256);
    snprintf(name, sizeof name, "objects/%.2s/%s", sha256, sha256);
    return path_in(folder, name, path, error);
}

vl_status vl_objects_sweep(const char *folder, const char *who, vl_error *error) {
    char path[VL_OBJECT_PATH_SIZE];
    size_t length = strlen(who);
    vl_status status = path_in(folder, "tmp", path, error);
    if (status)
        return status;
    DIR *dir = opendir(path);
    if (!dir)
        return vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(dir));)
        if (!strncmp(entry->d_name, who, length) && entry->d_name[length] == '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    return VL_OK;
}

/* ---- writing ---------------------------------------------------------------------------- */

static vl_status disk_trouble(vl_object_writer *w, int cause, const char *path) {
    w->disk_failed = true;
    return vl_fail(&w->failure, VL_ERR_IO, "cannot write %s: %s", path, strerror(cause));
}

static vl_status ask_disk(vl_object_writer *w) {
    struct statvfs disk;
    w->asked = w->bytes;
    if (fstatvfs(w->fd, &disk))
        return disk_trouble(w, errno, w->temporary);
    uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (left >= w->rules.min_free)
        return VL_OK;
    w->disk_failed = true;
    return vl_fail(&w->failure, VL_ERR_IO,
                   "the disk of %s has %llu MB left, and %llu MB are to stay free "
                   "(harvest_min_free); make room and run it again, it goes on from here",
                   w->folder, (unsigned long long)(left >> 20),
                   (unsigned long long)(w->rules.min_free >> 20));
}

static vl_status open_temporary(vl_object_writer *w, vl_error *error) {
    unsigned char noise[8];
    char name[NAME_SIZE + 32];
    vl_random_bytes(noise, sizeof noise);
    int used = snprintf(name, sizeof name, "tmp/%.*s.", NAME_SIZE, w->rules.who);
    for (size_t i = 0; i < sizeof noise; i++)
        used += snprintf(name + used, sizeof name - (size_t)used, "%02x", noise[i]);
    vl_status status = path_in(w->folder, name, w->temporary, error);
    if (status)
        return status;
    w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return w->fd < 0
               ? vl_fail(error, VL_ERR_IO, "cannot write %s: %s", w->temporary, strerror(errno))
               : VL_OK;
}

vl_status vl_object_writer_open(const char *folder, const vl_object_rules *rules,
                                vl_object_writer **writer, vl_error *error) {
    vl_object_writer *w = calloc(1, sizeof *w);
    *writer = NULL;
    if (!w)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to write a content");
    *w = (vl_object_writer){.folder = folder, .rules = *rules, .fd = -1};
    vl_status status = open_temporary(w, error);
    if (!status && !(w->hash = vl_sha256_new()))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory to write a content");
    if (!status && ask_disk(w))
        status = vl_fail(error, w->failure.status, "%s", w->failure.message);
    if (status) {
        vl_object_writer_abandon(w);
        return status;
    }
    *writer = w;
    return VL_OK;
}

static vl_status write_all(vl_object_writer *w, const char *at, size_t count) {
    while (count) {
        ssize_t put = write(w->fd, at, count);
        if (put < 0 && errno != EINTR)
            return disk_trouble(w, errno, w->temporary);
        if (put > 0) {
            at += put;
            count -= (size_t)put;
        }
    }
    return VL_OK;
}

static vl_status put(vl_object_writer *w, const void *bytes, size_t count) {
    size_t head = VL_CONTENT_HEAD - w->head_bytes;
    head = head < count ? head : count;
    if (count > w->rules.max_bytes - w->bytes)
        return vl_fail(&w->failure, VL_ERR_LIMIT, "it is larger than %llu bytes",
                       (unsigned long long)w->rules.max_bytes);
    memcpy(w->head + w->head_bytes, bytes, head);
    w->head_bytes += head;
    vl_sha256_update(w->hash, bytes, count);
    vl_status status = write_all(w, bytes, count);
    w->bytes += count;
    return status || w->bytes - w->asked < ASK_EVERY ? status : ask_disk(w);
}

vl_status vl_object_writer_put(void *writer, const void *bytes, size_t count, vl_error *error) {
    vl_object_writer *w = writer;
    if (!w->failure.status && count)
        put(w, bytes, count);
    return w->failure.status ? vl_fail(error, w->failure.status, "%s", w->failure.message)
                             : VL_OK;
}

void vl_object_writer_again(void *writer) {
    vl_object_writer *w = writer;
    char unused[VL_SHA256_HEX_SIZE];
    vl_sha256_finish(w->hash, unused);
    w->hash = vl_sha256_new();
    w->bytes = w->asked = 0;
    w->head_bytes = 0;
    w->failure = (vl_error){0};
    w->disk_failed = false;
    if (!w->hash)
        vl_fail(&w->failure, VL_ERR_MEMORY, "no memory to write a content");
    else if (ftruncate(w->fd, 0) || lseek(w->fd, 0, SEEK_SET))
        disk_trouble(w, errno, w->temporary);
}

bool vl_object_writer_disk_failed(const vl_object_writer *w) {
    return w->disk_failed;
}

void vl_object_writer_look(const vl_object_writer *w, vl_object_kept *so_far) {
    *so_far =
        (vl_object_kept){.bytes = w->bytes, .type = vl_content_type(w->head, w->head_bytes)};
}

/* ---- naming ----------------------------------------------------------------------------- */

/* Some file systems cannot sync a folder (EINVAL). */
static int sync_folder(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int cause = fsync(fd) && errno != EINVAL ? errno : 0;
    close(fd);
    return cause;
}

static int folder_of(const char *path, char folder[VL_OBJECT_PATH_SIZE]) {
    snprintf(folder, VL_OBJECT_PATH_SIZE, "%s", path);
    *strrchr(folder, '/') = '\0';
    if (!mkdir(folder, 0777)) {
        char above[VL_OBJECT_PATH_SIZE];
        snprintf(above, sizeof above, "%s", folder);
        *strrchr(above, '/') = '\0';
        return sync_folder(above);
    }
    return errno == EEXIST ? 0 : errno;
}

/* Returns errno. */
static int name_it(vl_object_writer *w, const char *path) {
    char folder[VL_OBJECT_PATH_SIZE];
    int cause = fsync(w->fd) ? errno : folder_of(path, folder);
    if (!cause && rename(w->temporary, path))
        cause = errno;
    if (cause)
        return cause;
    w->temporary[0] = '\0';
    return sync_folder(folder);
}

vl_status vl_object_writer_commit(vl_object_writer *w, vl_object_kept *kept, vl_error *error) {
    char path[VL_OBJECT_PATH_SIZE];
    struct stat there;
    vl_object_writer_look(w, kept);
    vl_status status = vl_object_writer_put(w, NULL, 0, error);
    vl_sha256_finish(w->hash, kept->sha256);
    w->hash = NULL;
    if (!status)
        status = vl_object_path(w->folder, kept->sha256, path, error);
    if (!status)
        kept->was_there = !stat(path, &there) && (uint64_t)there.st_size == kept->bytes;
    if (!status && !kept->was_there) {
        int cause = name_it(w, path);
        if (cause)
            status = vl_fail(error, VL_ERR_IO, "cannot write %s: %s", path, strerror(cause));
    }
    vl_object_writer_abandon(w);
    return status;
}

void vl_object_writer_abandon(vl_object_writer *w) {
    char unused[VL_SHA256_HEX_SIZE];
    if (!w)
        return;
    if (w->hash)
        vl_sha256_finish(w->hash, unused);
    if (w->fd >= 0) {
        close(w->fd);
        if (w->temporary[0])
            unlink(w->temporary);
    }
    free(w);
}
