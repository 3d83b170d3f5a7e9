/* dir_folder.c — a folder, walked through by name (dir.h).
 *
 *   vl_dir_folder     opens it
 *   folder_next       the next document; notes are read when a folder is entered
 *   is_behind         where an earlier walk came to */
#include "harvest/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEEPEST = 200, LANGUAGE_SIZE = 36, CHUNK = 64 << 10 };

typedef struct folder {
    vl_dir_walk walk;
    FTS *tree;
    size_t root;                   /* bytes of the place's path in front of others */
    char from[VL_DIR_CURSOR_SIZE]; /* walk on behind this path; "" all */
    char languages[DEEPEST + 2][LANGUAGE_SIZE]; /* by level, of the folder and those above */
    int fd;                                     /* of the file it has come to; -1 */
} folder;

/* ---- order ------------------------------------------------------------------------------ */

static int by_name(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* The order of the walk: names of each level by strcmp, so '/' comes before every byte. */
static int compare_paths(const char *a, const char *b) {
    for (; *a && *a == *b; a++, b++) {
    }
    int x = *a == '/' ? 1 : (unsigned char)*a + (*a ? 1 : 0);
    int y = *b == '/' ? 1 : (unsigned char)*b + (*b ? 1 : 0);
    return x - y;
}

/* Whether an earlier walk went through it, a folder with all that is in it. */
static bool is_behind(const folder *f, const char *path, bool is_folder) {
    size_t length = strlen(path);
    if (!*f->from || !length)
        return false;
    if (is_folder && !strncmp(f->from, path, length) && f->from[length] == '/')
        return false;
    return compare_paths(path, f->from) <= 0;
}

/* ---- notes ------------------------------------------------------------------------------ */

/* NULL: there is no such file, or no language in it. */
static const char *language_in(const char *path, vl_arena *arena) {
    char text[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        close(fd);
    const char *language = got > 0 ? vl_note_language(arena, text, (size_t)got) : NULL;
    if (got >= 0 && !language)
        vl_log(VL_LOG_WARN, "no language code in it", VL_F_STR("file", path));
    return language;
}

/* "notice.pdf.lang", or "notice.lang". */
static const char *language_beside(const char *path, vl_arena *arena) {
    char name[VL_DIR_PATH_SIZE + 8];
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    snprintf(name, sizeof name, "%s.lang", path);
    const char *language = language_in(name, arena);
    if (language || !dot || (slash && dot < slash))
        return language;
    snprintf(name, sizeof name, "%.*s.lang", (int)(dot - path), path);
    return language_in(name, arena);
}

static const char *path_inside(const folder *f, const FTSENT *entry) {
    const char *path = entry->fts_path + f->root;
    return path + strspn(path, "/");
}

static vl_status enter(folder *f, const FTSENT *entry, vl_arena *arena, vl_error *error) {
    char name[VL_DIR_PATH_SIZE + 32];
    int level = entry->fts_level;
    const char *language = level ? language_beside(entry->fts_path, arena) : NULL;
    snprintf(f->languages[level], LANGUAGE_SIZE, "%s",
             language ? language
             : level  ? f->languages[level - 1]
                      : "");
    snprintf(name, sizeof name, "%s/metadata.jsonl", entry->fts_path);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return VL_OK;
    size_t bad = vl_notes_bad(f->walk.notes);
    vl_status status = vl_notes_add(f->walk.notes, path_inside(f, entry), fd, error);
    if (status)
        return vl_error_prefix(error, "%s", name);
    if (vl_notes_bad(f->walk.notes) > bad)
        vl_log(VL_LOG_WARN, "lines that say nothing of a file", VL_F_STR("file", name),
               VL_F_INT("lines", (int64_t)(vl_notes_bad(f->walk.notes) - bad)));
    return VL_OK;
}

static bool is_collection(const FTSENT *entry) {
    char name[VL_DIR_PATH_SIZE + 32];
    snprintf(name, sizeof name, "%s/collection.db", entry->fts_path);
    return !access(name, F_OK);
}

/* ---- files ------------------------------------------------------------------------------ */

static bool leave_out(const char *path, const char *why) {
    vl_log(VL_LOG_WARN, "left out", VL_F_STR("file", path), VL_F_STR("why", why));
    return false;
}

/* A link or a pipe in the place of the file that was there is not opened. */
static bool open_file(folder *f, const char *path, struct stat *info, vl_dir_item *item) {
    f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (f->fd < 0)
        return leave_out(path, strerror(errno));
    if (fstat(f->fd, info) || !S_ISREG(info->st_mode))
        return leave_out(path, "it is no file");
    ssize_t got = pread(f->fd, item->head, sizeof item->head, 0);
    if (got < 0)
        return leave_out(path, strerror(errno));
    item->head_bytes = (size_t)got;
    item->type = vl_content_type(item->head, item->head_bytes);
    return vl_dir_is_document(item->type);
}

static void close_file(folder *f) {
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

static bool take_file(folder *f, const FTSENT *entry, vl_arena *arena, vl_dir_item *item) {
    struct stat info;
    const char *path = path_inside(f, entry);
    if (vl_dir_is_note(path) || is_behind(f, path, false) ||
        !open_file(f, entry->fts_path, &info, item))
        return false;
    if (!vl_dir_encode(path, false, item->path, sizeof item->path) ||
        !vl_dir_encode(path, true, item->cursor, sizeof item->cursor))
        return leave_out(entry->fts_path, "its path is too long");
    item->changed_ms = (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
    item->has_time = true;
    item->bytes = (uint64_t)info.st_size;
    snprintf(item->version, sizeof item->version, "%" PRIu64 "-%lld.%09ld", item->bytes,
             (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    const char *inherited = f->languages[entry->fts_level - 1];
    item->language = language_beside(entry->fts_path, arena);
    if (!item->language && *inherited)
        item->language = vl_arena_strdup(arena, inherited);
    return true;
}

static vl_status step(folder *f, FTSENT *entry, vl_arena *arena, vl_dir_item *item, bool *found,
                      vl_error *error) {
    const char *path = path_inside(f, entry);
    bool is_hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';
    *found = false;
    switch (entry->fts_info) {
    case FTS_D:
        if (!is_hidden && entry->fts_level <= DEEPEST && !is_behind(f, path, true) &&
            entry->fts_pathlen < VL_DIR_PATH_SIZE && !is_collection(entry))
            return enter(f, entry, arena, error);
        fts_set(f->tree, entry, FTS_SKIP);
        return VL_OK;
    case FTS_DP:
        vl_notes_drop(f->walk.notes, path);
        return VL_OK;
    case FTS_F:
        *found = !is_hidden && entry->fts_pathlen < VL_DIR_PATH_SIZE &&
                 take_file(f, entry, arena, item);
        return VL_OK;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        if (!entry->fts_level)
            return vl_fail(error, VL_ERR_IO, "%s: %s", entry->fts_path,
                           strerror(entry->fts_errno));
        leave_out(entry->fts_path, strerror(entry->fts_errno));
        return VL_OK;
    default: /* links, devices, folders that lead back */
        return VL_OK;
    }
}

static vl_status folder_next(vl_dir_walk *walk, vl_arena *arena, vl_dir_item *item, bool *more,
                             vl_error *error) {
    folder *f = (folder *)walk;
    *more = false;
    for (;;) {
        vl_status status = vl_stop_check(error);
        close_file(f);
        errno = 0;
        FTSENT *entry = status ? NULL : fts_read(f->tree);
        if (!entry)
            return status || !errno
                       ? status
                       : vl_fail(error, VL_ERR_IO, "the folder: %s", strerror(errno));
        status = step(f, entry, arena, item, more, error);
        if (status || *more)
            return status;
    }
}

static vl_status folder_pour(vl_dir_walk *walk, const vl_dir_item *item, vl_fetch_sink sink,
                             void *to, vl_error *error) {
    const folder *f = (const folder *)walk;
    char chunk[CHUNK];
    off_t at = 0;
    for (;;) {
        ssize_t got = pread(f->fd, chunk, sizeof chunk, at);
        if (got < 0)
            return vl_fail(error, VL_ERR_INPUT, "%s: %s", item->path, strerror(errno));
        if (!got)
            return VL_OK;
        vl_status status = sink(to, chunk, (size_t)got, error);
        if (status)
            return status;
        at += got;
    }
}

static void folder_free(vl_dir_walk *walk) {
    folder *f = (folder *)walk;
    close_file(f);
    if (f->tree)
        fts_close(f->tree);
    vl_notes_free(f->walk.notes);
    free(f);
}

vl_status vl_dir_folder(const char *place, const char *cursor, vl_dir_walk **walk,
                        vl_error *error) {
    char path[VL_DIR_PATH_SIZE], test[VL_DIR_PATH_SIZE + 32];
    folder *f = calloc(1, sizeof *f);
    *walk = NULL;
    if (!f)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a folder");
    f->fd = -1;
    f->walk.next = folder_next;
    f->walk.pour = folder_pour;
    f->walk.free = folder_free;
    snprintf(f->from, sizeof f->from, "%s", cursor);
    vl_dir_decode(f->from);
    /* "place/" is a folder although "place" is a link to one */
    int length = snprintf(path, sizeof path, "%s/", place);
    snprintf(test, sizeof test, "%s/collection.db", place);
    f->root = (size_t)length;
    char *roots[] = {path, NULL};
    vl_status status = vl_notes_new(&f->walk.notes, error);
    if (!status && length >= VL_DIR_PATH_SIZE)
        status = vl_fail(error, VL_ERR_USAGE, "the path of the folder is too long");
    if (!status && !access(test, F_OK))
        status = vl_fail(error, VL_ERR_INPUT, "%s is a collection itself", place);
    if (!status && !(f->tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name)))
        status = vl_fail(error, VL_ERR_IO, "%s: %s", place, strerror(errno));
    if (status) {
        folder_free(&f->walk);
        return status;
    }
    *walk = &f->walk;
    return VL_OK;
}
