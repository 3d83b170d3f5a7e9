/* export_place.c — where an export is written: a folder beside the one that is asked for, which
 * takes its name once it is whole. What a killed process left there is cleared away by the
 * next; two at once are kept apart by a lock on that folder. */
#include "dataset/export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TREE_FILES = 16, CHUNK = 1 << 16 };
static const size_t MAX_PICTURE = (size_t)256 << 20;

/* ---- the folder ----------------------------------------------------------------------------
 */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    return at->level ? remove(path) : 0;
}

/* What is in a folder, but not the folder. */
static bool clear_folder(const char *path) {
    return nftw(path, remove_one, TREE_FILES, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0;
}

static bool is_empty(DIR *folder) {
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    return true;
}

static vl_status check_out(const char *out, vl_error *error) {
    DIR *folder = opendir(out);
    if (!folder)
        return errno == ENOENT ? VL_OK
                               : vl_fail(error, VL_ERR_USAGE, "%s: %s", out, strerror(errno));
    bool empty = is_empty(folder);
    closedir(folder);
    return empty
               ? VL_OK
               : vl_fail(error, VL_ERR_USAGE,
                         "%s holds something already: name a new folder, or an empty one", out);
}

/* The folder's name in `out`, which may end in slashes. */
static size_t name_at(const char *out, size_t *end) {
    *end = strlen(out);
    while (*end > 1 && out[*end - 1] == '/')
        --*end;
    size_t at = *end;
    while (at > 0 && out[at - 1] != '/')
        at--;
    return at;
}

static vl_status name_work(export *e, vl_error *error) {
    size_t end, at = name_at(e->out, &end);
    if (at == end || !strcmp(e->out + at, ".") || !strcmp(e->out + at, ".."))
        return vl_fail(error, VL_ERR_USAGE, "'%s' is no name for a new folder", e->out);
    int length = snprintf(e->work, sizeof e->work, "%.*s.%.*s.vislang-export", (int)at, e->out,
                          (int)(end - at), e->out + at);
    if (length >= (int)sizeof e->work)
        return vl_fail(error, VL_ERR_USAGE, "the path is too long: %.200s…", e->out);
    char parent[EXPORT_PATH];
    snprintf(parent, sizeof parent, "%.*s", (int)at, e->out);
    return at ? vl_dir_make(parent, error) : VL_OK;
}

/* Whoever ended meanwhile took the folder that was opened away with him. */
static bool is_the_same(int fd, const char *path) {
    struct stat ours, there;
    return !fstat(fd, &ours) && !stat(path, &there) && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

static vl_status lock_work(export *e, vl_error *error) {
    for (;;) {
        if (mkdir(e->work, 0777) && errno != EEXIST)
            return vl_fail(error, VL_ERR_IO, "cannot make %s: %s", e->work, strerror(errno));
        e->lock = open(e->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (e->lock < 0 && errno == ENOENT)
            continue;
        if (e->lock < 0)
            return vl_fail(error, VL_ERR_IO, "%s: %s", e->work, strerror(errno));
        if (flock(e->lock, LOCK_EX | LOCK_NB)) {
            close(e->lock);
            e->lock = -1;
            return vl_fail(error, VL_ERR_BUSY, "another process is exporting to %s", e->out);
        }
        if (is_the_same(e->lock, e->work))
            return VL_OK;
        close(e->lock);
    }
}

vl_status export_begin(export *e, vl_error *error) {
    vl_status status = check_out(e->out, error);
    if (!status)
        status = name_work(e, error);
    if (!status)
        status = lock_work(e, error);
    if (!status && !clear_folder(e->work))
        status = vl_fail(error, VL_ERR_IO, "cannot clear %s: %s", e->work, strerror(errno));
    return status;
}

/* So that the name is there after a power cut, too. */
static void sync_parent(const export *e) {
    char parent[EXPORT_PATH];
    const char *slash = strrchr(e->work, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - e->work + 1) : 1,
             slash ? e->work : ".");
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

vl_status export_finish(export *e, vl_error *error) {
    /* Pictures that were copied are not synced one by one. */
    if (e->copied && syncfs(e->lock))
        return vl_fail(error, VL_ERR_IO, "cannot write %s: %s", e->work, strerror(errno));
    vl_status status = check_out(e->out, error);
    if (!status && rename(e->work, e->out))
        status = vl_fail(error, VL_ERR_IO, "cannot name %s %s: %s", e->work, e->out,
                         strerror(errno));
    if (!status) {
        sync_parent(e);
        close(e->lock);
        e->lock = -1;
    }
    return status;
}

void export_abandon(export *e) {
    if (e->lock < 0)
        return;
    clear_folder(e->work);
    rmdir(e->work);
    close(e->lock);
    e->lock = -1;
}

/* ---- files ---------------------------------------------------------------------------------
 */

vl_status export_path(const export *e, const char *name, char path[EXPORT_PATH],
                      vl_error *error) {
    return folder_path(e->work, name, path, error);
}

/* The folder that a file is to be in. */
static vl_status make_parent(const char *path, vl_error *error) {
    char parent[EXPORT_PATH];
    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
    return vl_dir_make(parent, error);
}

vl_status export_open(export *e, const char *name, vl_file_writer **file, vl_error *error) {
    char path[EXPORT_PATH];
    vl_status status = export_path(e, name, path, error);
    if (!status)
        status = make_parent(path, error);
    return status ? status : vl_file_writer_open(path, file, error);
}

static vl_status hash_file(const char *path, export_file *file, vl_error *error) {
    char chunk[CHUNK];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    vl_sha256 *hash = fd < 0 ? NULL : vl_sha256_new();
    ssize_t got = hash ? 0 : -1;
    vl_status status = VL_OK;
    while (hash && !status && (got = read(fd, chunk, sizeof chunk)) > 0) {
        vl_sha256_update(hash, chunk, (size_t)got);
        file->bytes += (uint64_t)got;
        status = vl_stop_check(error);
    }
    if (got < 0)
        status = vl_fail(error, VL_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    if (hash)
        vl_sha256_finish(hash, file->sha256);
    if (fd >= 0)
        close(fd);
    return status;
}

vl_status export_register(export *e, const char *name, const char *type, vl_split split,
                          bool texts, vl_error *error) {
    char path[EXPORT_PATH];
    if (e->file_count == e->file_room) {
        size_t room = e->file_room ? e->file_room * 2 : 16;
        export_file *files = realloc(e->files, room * sizeof *files);
        if (!files)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for an export");
        e->files = files;
        e->file_room = room;
    }
    export_file *file = &e->files[e->file_count];
    *file = (export_file){.name = strdup(name), .type = type, .split = split, .texts = texts};
    if (!file->name)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an export");
    e->file_count++;
    vl_status status = export_path(e, name, path, error);
    if (!status)
        status = hash_file(path, file, error);
    e->report->files++;
    e->report->bytes += file->bytes;
    return status;
}

/* ---- pictures ------------------------------------------------------------------------------
 */

const char *export_extension(const vl_item *item) {
    static const char *const known[] = {".png", ".jpg", ".webp"};
    size_t length = strlen(item->picture);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (length > strlen(known[i]) &&
            !strcmp(item->picture + length - strlen(known[i]), known[i]))
            return known[i];
    return ".jpg"; /* ".jpeg" */
}

void export_picture_name(const vl_item *base, char name[64]) {
    snprintf(name, 64, "%s/%.2s/%s%s", vl_split_name(base->split), base->id, base->id,
             export_extension(base));
}

static vl_status write_picture(const vl_buf *bytes, const char *to, vl_error *error) {
    FILE *file = fopen(to, "wxe");
    bool whole = file && fwrite(bytes->data, 1, bytes->len, file) == bytes->len;
    int cause = whole ? 0 : errno;
    if (file && fclose(file) && whole) {
        cause = errno;
        whole = false;
    }
    return whole ? VL_OK
                 : vl_fail(error, VL_ERR_IO, "cannot write %s: %s", to, strerror(cause));
}

static vl_status copy_picture(int fd, const char *name, const char *to, vl_error *error) {
    vl_buf bytes;
    vl_buf_init(&bytes, MAX_PICTURE);
    vl_status status = folder_picture_read(fd, name, &bytes, error);
    if (!status)
        status = write_picture(&bytes, to, error);
    vl_buf_deinit(&bytes);
    return status;
}

/* errno, or 0. The file that was opened, whatever has its name by now. */
static int link_picture(int fd, const char *to) {
    char from[32];
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) ? errno : 0;
}

static vl_status place(export *e, int fd, const vl_item *item, const char *to, bool again,
                       vl_error *error) {
    vl_status status = VL_OK;
    int failed = link_picture(fd, to);
    if (failed == ENOENT) { /* the folder */
        status = make_parent(to, error);
        failed = link_picture(fd, to);
    }
    if (status || !failed || (failed == EEXIST && again))
        return status;
    if (failed == EEXIST)
        return vl_fail(error, VL_ERR_INPUT, "item %s is there twice in the dataset", item->id);
    if (failed == ENOSPC || failed == EDQUOT || failed == EROFS)
        return vl_fail(error, VL_ERR_IO, "cannot write %s: %s", to, strerror(failed));
    e->copied = true; /* another file system, or one without links */
    return copy_picture(fd, item->picture, to, error);
}

vl_status export_picture_open(const export *e, const vl_item *item, int *fd, vl_error *error) {
    vl_status status =
        folder_picture_open(vl_dataset_folder(e->dataset), item->picture, fd, error);
    if (status == VL_ERR_MISSING)
        return vl_fail(error, VL_ERR_INPUT, "item %s: its picture %s is missing", item->id,
                       item->picture);
    return status ? vl_error_prefix(error, "item %s", item->id) : VL_OK;
}

vl_status export_place(export *e, const vl_item *item, const char *name, bool again,
                       vl_error *error) {
    char to[EXPORT_PATH];
    int fd = -1;
    vl_status status = export_path(e, name, to, error);
    if (!status)
        status = export_picture_open(e, item, &fd, error);
    if (!status)
        status = place(e, fd, item, to, again, error);
    if (!status)
        e->report->pictures++;
    if (fd >= 0)
        close(fd);
    return status;
}
