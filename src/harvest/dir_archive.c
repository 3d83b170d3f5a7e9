/* dir_archive.c — a zip, tar or tar.gz, gone through by libarchive (dir.h).
 *
 * An archive comes from anybody. Nothing in it is unpacked under its own name; what comes out
 * is counted against the archive's size, also what is only skipped, so that a bomb ends soon;
 * archives in archives are not opened.
 *
 *   vl_dir_archive   opens it, collects notes in a first pass, then skips to the cursor
 *   packed_next      the next document
 *   inflate          every byte that comes out, counted */
#include "harvest/dir.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BLOCK = 64 << 10,
    MOST_ENTRIES = 10 << 20,
    MOST_LANGUAGES = 1 << 17,
    LANGUAGE_SIZE = 36,
};
/* Text is packed to a tenth, seldom to a fiftieth. */
static const uint64_t ratio_max = 200, always_allowed = UINT64_C(256) << 20,
                      notes_max = UINT64_C(256) << 20;

typedef struct stated {
    char *path; /* without ".lang" */
    char language[LANGUAGE_SIZE];
} stated;

typedef struct packed {
    vl_dir_walk walk;
    char place[VL_DIR_PATH_SIZE];
    int fd;
    struct stat info;
    char stamp[64]; /* its size and time: which archive it is */
    locale_t utf8;  /* names are converted to the locale's characters */
    struct archive *archive;
    struct archive_entry *entry;
    bool is_first_pass; /* for notes; the second one tells what is left out */
    uint64_t number;    /* of entries gone through */
    uint64_t inflated;  /* in this pass */
    bool is_at_file;    /* whose content was begun */
    uint64_t poured;    /* bytes of it that came out */
    const void *first;  /* the first of them */
    size_t first_count;
    stated *languages; /* by path */
    size_t language_count, language_room;
    vl_error failure; /* what ended the walk */
} packed;

/* ---- what comes out --------------------------------------------------------------------- */

static vl_status fail_as(packed *p, vl_status status, const char *why) {
    return vl_fail(&p->failure, status, "%.200s: %.200s", p->place, why);
}

static const char *trouble_of(packed *p) {
    const char *text = archive_error_string(p->archive);
    return text ? text : "it is damaged";
}

static uint64_t most_inflated(const packed *p) {
    uint64_t size = (uint64_t)p->info.st_size;
    return size > UINT64_MAX / ratio_max - always_allowed ? UINT64_MAX
                                                          : size * ratio_max + always_allowed;
}

/* The next piece of the entry's content; `*count` 0: its end. VL_ERR_INPUT with no failure of
 * the walk: this entry alone is damaged. */
static vl_status inflate(packed *p, const void **bytes, size_t *count, vl_error *error) {
    la_int64_t offset = 0;
    *count = 0;
    if (vl_stop_check(error))
        return VL_ERR_CANCELLED;
    int code = archive_read_data_block(p->archive, bytes, count, &offset);
    if (code == ARCHIVE_EOF) {
        *count = 0;
        return VL_OK;
    }
    if (code == ARCHIVE_FATAL)
        fail_as(p, VL_ERR_INPUT, trouble_of(p));
    if (code != ARCHIVE_OK)
        return vl_fail(error, VL_ERR_INPUT, "in the archive: %s", trouble_of(p));
    if (offset != (la_int64_t)p->poured)
        return vl_fail(error, VL_ERR_INPUT, "in the archive: it has holes");
    p->poured += *count;
    p->inflated += *count;
    if (p->inflated <= most_inflated(p))
        return VL_OK;
    fail_as(p, VL_ERR_LIMIT, "it unpacks to over 200 times its size");
    return vl_fail(error, VL_ERR_LIMIT, "%s", p->failure.message);
}

/* What is left of an entry of a tar, which has to be gone through; a zip is skipped by itself.
 */
static vl_status skip(packed *p, vl_error *error) {
    const void *bytes;
    size_t count = 1;
    vl_status status = VL_OK;
    int format = archive_format(p->archive) & ARCHIVE_FORMAT_BASE_MASK;
    if (!p->is_at_file || format != ARCHIVE_FORMAT_TAR)
        return VL_OK;
    p->is_at_file = false;
    while (!status && count)
        status = inflate(p, &bytes, &count, error);
    if (status == VL_ERR_INPUT && !p->failure.status)
        status = VL_OK; /* this one entry's trouble */
    return status;
}

/* ---- entries ---------------------------------------------------------------------------- */

static void close_archive(packed *p) {
    if (p->archive)
        archive_read_free(p->archive);
    p->archive = NULL;
    p->number = p->inflated = p->poured = 0;
    p->is_at_file = false;
}

static vl_status open_archive(packed *p, vl_error *error) {
    close_archive(p);
    if (lseek(p->fd, 0, SEEK_SET) < 0)
        return vl_fail(error, VL_ERR_INPUT, "%s: %s", p->place, strerror(errno));
    p->archive = archive_read_new();
    if (!p->archive)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an archive");
    archive_read_support_filter_gzip(p->archive);
    archive_read_support_format_tar(p->archive);
    archive_read_support_format_zip(p->archive);
    if (archive_read_open_fd(p->archive, p->fd, BLOCK) != ARCHIVE_OK)
        return vl_fail(error, VL_ERR_INPUT, "%s is no zip, tar or tar.gz: %s", p->place,
                       trouble_of(p));
    return VL_OK;
}

static vl_status next_entry(packed *p, bool *more, vl_error *error) {
    *more = false;
    vl_status status = skip(p, error);
    if (status)
        return status;
    locale_t before = uselocale(p->utf8);
    int code = archive_read_next_header(p->archive, &p->entry);
    uselocale(before);
    if (code == ARCHIVE_EOF)
        return VL_OK;
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
        fail_as(p, VL_ERR_INPUT, trouble_of(p));
        return vl_fail(error, VL_ERR_INPUT, "%s", p->failure.message);
    }
    if (++p->number > MOST_ENTRIES) {
        fail_as(p, VL_ERR_LIMIT, "it has too many entries");
        return vl_fail(error, VL_ERR_LIMIT, "%s", p->failure.message);
    }
    p->poured = 0;
    p->is_at_file = *more = true;
    return VL_OK;
}

/* ".." and absolute names lead nowhere here, since no file is made; but a key that looks like
 * one may be used as a path by whoever reads it. */
static bool is_inside(const char *path) {
    if (!*path || *path == '/' || (path[1] == ':' && path[0] != '/'))
        return false;
    for (const char *part = path; *part;) {
        size_t bytes = strcspn(part, "/\\");
        if (bytes == 2 && part[0] == '.' && part[1] == '.')
            return false;
        part += bytes + (part[bytes] != '\0');
    }
    return true;
}

static bool is_hidden(const char *path) {
    return *path == '.' || strstr(path, "/.") != NULL;
}

/* The path of an entry that is a file; NULL: it is none, or not one to take. */
static const char *path_of(packed *p) {
    locale_t before = uselocale(p->utf8);
    const char *path = archive_entry_pathname(p->entry);
    if (!path)
        path = archive_entry_pathname_utf8(p->entry);
    bool is_file = archive_entry_filetype(p->entry) == AE_IFREG &&
                   !archive_entry_hardlink(p->entry) && !archive_entry_symlink(p->entry);
    uselocale(before);
    if (!path || !is_file)
        return NULL;
    while (!strncmp(path, "./", 2))
        path += 2 + strspn(path + 2, "/");
    const char *why = !is_inside(path)                   ? "its name leads out of the archive"
                      : strlen(path) >= VL_DIR_PATH_SIZE ? "its path is too long"
                      : archive_entry_is_encrypted(p->entry) ? "it is encrypted"
                                                             : NULL;
    if (!why)
        return is_hidden(path) ? NULL : path;
    if (p->is_first_pass)
        return NULL;
    vl_log(VL_LOG_WARN, "left out", VL_F_STR("archive", p->place), VL_F_STR("file", path),
           VL_F_STR("why", why));
    return NULL;
}

/* ---- notes ------------------------------------------------------------------------------ */

static vl_status spool(packed *p, int fd, vl_error *error) {
    const void *bytes;
    size_t count = 1;
    uint64_t all = 0;
    vl_status status = VL_OK;
    while (!status && count) {
        status = inflate(p, &bytes, &count, error);
        if (!status && (all += count) > notes_max)
            return vl_fail(error, VL_ERR_LIMIT, "%s: a metadata.jsonl is over 256 MB",
                           p->place);
        if (!status && write(fd, bytes, count) != (ssize_t)count)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for a metadata.jsonl");
    }
    return status;
}

static vl_status take_sheet(packed *p, const char *path, vl_error *error) {
    char folder[VL_DIR_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 0, path);
    int fd = memfd_create("metadata.jsonl", MFD_CLOEXEC);
    if (fd < 0)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a metadata.jsonl");
    vl_status status = spool(p, fd, error);
    if (!status)
        return vl_notes_add(p->walk.notes, folder, fd, error);
    close(fd);
    return status == VL_ERR_INPUT && !p->failure.status ? VL_OK : status;
}

static vl_status state_language(packed *p, const char *path, const char *language,
                                vl_error *error) {
    if (p->language_count == p->language_room) {
        size_t room = p->language_room ? p->language_room * 2 : 64;
        stated *grown =
            room <= MOST_LANGUAGES ? realloc(p->languages, room * sizeof *grown) : NULL;
        if (!grown)
            return vl_fail(error, VL_ERR_LIMIT, "%s: too many .lang files", p->place);
        p->languages = grown;
        p->language_room = room;
    }
    stated *s = &p->languages[p->language_count];
    s->path = strndup(path, strlen(path) - strlen(".lang"));
    if (!s->path)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for notes");
    snprintf(s->language, sizeof s->language, "%s", language);
    p->language_count++;
    return VL_OK;
}

static vl_status take_language(packed *p, const char *path, vl_error *error) {
    const void *bytes;
    size_t count;
    vl_arena *arena = vl_arena_new(256);
    vl_status status = arena ? inflate(p, &bytes, &count, error)
                             : vl_fail(error, VL_ERR_MEMORY, "no memory for notes");
    const char *language =
        !status && count && count <= 64 ? vl_note_language(arena, bytes, count) : NULL;
    if (language)
        status = state_language(p, path, language, error);
    else if (status == VL_ERR_INPUT && !p->failure.status)
        status = VL_OK;
    vl_arena_free(arena);
    return status;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const stated *)a)->path, ((const stated *)b)->path);
}

static vl_status take_notes(packed *p, vl_error *error) {
    bool more = true;
    vl_status status = VL_OK;
    for (;;) {
        status = next_entry(p, &more, error);
        if (status || !more)
            break;
        const char *path = path_of(p);
        if (!path || !vl_dir_is_note(path))
            continue;
        size_t length = strlen(path);
        status = !strcmp(path + length - 5, ".lang") ? take_language(p, path, error)
                                                     : take_sheet(p, path, error);
        if (status)
            break;
    }
    if (p->language_count)
        qsort(p->languages, p->language_count, sizeof *p->languages, by_path);
    /* What is damaged, or a bomb, may lie behind many a document: the second pass comes to it.
     */
    if (status && p->failure.status && p->number)
        status = VL_OK;
    if (!status)
        p->failure = (vl_error){0};
    return status;
}

static const char *language_of(const packed *p, char *path) {
    stated key = {.path = path};
    const stated *found =
        p->language_count ? bsearch(&key, p->languages, p->language_count, sizeof key, by_path)
                          : NULL;
    return found ? found->language : NULL;
}

/* Beside the file, with or without its ending; else beside a folder above it. */
static const char *find_language(const packed *p, const char *path, vl_arena *arena) {
    char name[VL_DIR_PATH_SIZE];
    snprintf(name, sizeof name, "%s", path);
    const char *language = language_of(p, name);
    char *dot = strrchr(name, '.'), *slash = strrchr(name, '/');
    if (!language && dot && (!slash || dot > slash)) {
        *dot = '\0';
        language = language_of(p, name);
    }
    while (!language && (slash = strrchr(name, '/'))) {
        *slash = '\0';
        language = language_of(p, name);
    }
    return language ? vl_arena_strdup(arena, language) : NULL;
}

/* ---- the walk --------------------------------------------------------------------------- */

/* The first block, which stays where it is until the next one is asked for. */
static vl_status read_head(packed *p, vl_dir_item *item, vl_error *error) {
    vl_status status = inflate(p, &p->first, &p->first_count, error);
    if (status)
        return status;
    item->head_bytes = p->first_count < sizeof item->head ? p->first_count : sizeof item->head;
    if (item->head_bytes)
        memcpy(item->head, p->first, item->head_bytes);
    item->type = vl_content_type(item->head, item->head_bytes);
    return VL_OK;
}

static void describe(const packed *p, vl_dir_item *item) {
    struct archive_entry *e = p->entry;
    item->has_time = archive_entry_mtime_is_set(e) != 0;
    int64_t seconds = item->has_time ? (int64_t)archive_entry_mtime(e) : 0;
    item->changed_ms = seconds * 1000;
    item->bytes = archive_entry_size_is_set(e) && archive_entry_size(e) > 0
                      ? (uint64_t)archive_entry_size(e)
                      : 0;
    /* A member's own time says little of one that was packed anew. */
    snprintf(item->version, sizeof item->version, "%.60s-%" PRIu64 "-%" PRId64, p->stamp,
             item->bytes, seconds);
    snprintf(item->cursor, sizeof item->cursor, "%" PRIu64 " %.60s", p->number, p->stamp);
}

static bool leave_out(const packed *p, const vl_dir_item *item, const char *why) {
    vl_log(VL_LOG_WARN, "left out", VL_F_STR("archive", p->place), VL_F_STR("file", item->path),
           VL_F_STR("why", why));
    return false;
}

static vl_status take_entry(packed *p, vl_arena *arena, vl_dir_item *item, bool *found,
                            vl_error *error) {
    const char *path = path_of(p);
    *found = false;
    if (!path || vl_dir_is_note(path))
        return VL_OK;
    if (!vl_dir_encode(path, false, item->path, sizeof item->path)) {
        leave_out(p, item, "its path is too long");
        return VL_OK;
    }
    describe(p, item);
    item->language = find_language(p, path, arena);
    vl_status status = read_head(p, item, error);
    if (status == VL_ERR_INPUT && !p->failure.status) {
        leave_out(p, item, error->message);
        return VL_OK;
    }
    *found = !status && vl_dir_is_document(item->type);
    return status;
}

static vl_status packed_next(vl_dir_walk *walk, vl_arena *arena, vl_dir_item *item, bool *more,
                             vl_error *error) {
    packed *p = (packed *)walk;
    vl_error local;
    bool found = false;
    vl_status status = VL_OK;
    error = error ? error : &local;
    *more = false;
    if (p->failure.status)
        return vl_fail(error, p->failure.status, "%s", p->failure.message);
    do {
        status = next_entry(p, more, error);
        if (!status && *more)
            status = take_entry(p, arena, item, &found, error);
    } while (!status && *more && !found);
    return p->failure.status ? vl_fail(error, p->failure.status, "%s", p->failure.message)
                             : status;
}

static vl_status packed_pour(vl_dir_walk *walk, const vl_dir_item *item, vl_fetch_sink sink,
                             void *to, vl_error *error) {
    packed *p = (packed *)walk;
    const void *bytes = p->first;
    size_t count = p->first_count;
    vl_status status = VL_OK;
    (void)item;
    while (!status && count) {
        status = sink(to, bytes, count, error);
        if (!status)
            status = inflate(p, &bytes, &count, error);
    }
    return status;
}

static void packed_free(vl_dir_walk *walk) {
    packed *p = (packed *)walk;
    close_archive(p);
    if (p->fd >= 0)
        close(p->fd);
    if (p->utf8)
        freelocale(p->utf8);
    for (size_t i = 0; i < p->language_count; i++)
        free(p->languages[i].path);
    free(p->languages);
    vl_notes_free(p->walk.notes);
    free(p);
}

/* The cursor of another archive under the same name leads to its begin. */
static vl_status skip_to(packed *p, const char *cursor, vl_error *error) {
    const char *stamp = strchr(cursor, ' ');
    uint64_t from = stamp && !strcmp(stamp + 1, p->stamp) ? strtoull(cursor, NULL, 10) : 0;
    bool more = true;
    vl_status status = VL_OK;
    while (!status && more && p->number < from)
        status = next_entry(p, &more, error);
    return status;
}

static vl_status open_file(packed *p, vl_error *error) {
    p->fd = open(p->place, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (p->fd < 0 || fstat(p->fd, &p->info))
        return vl_fail(error, VL_ERR_INPUT, "%s: %s", p->place, strerror(errno));
    if (!S_ISREG(p->info.st_mode))
        return vl_fail(error, VL_ERR_INPUT, "%s is no folder and no file", p->place);
    snprintf(p->stamp, sizeof p->stamp, "%lld-%lld.%09ld", (long long)p->info.st_size,
             (long long)p->info.st_mtim.tv_sec, p->info.st_mtim.tv_nsec);
    return VL_OK;
}

vl_status vl_dir_archive(const char *place, const char *cursor, vl_dir_walk **walk,
                         vl_error *error) {
    packed *p = calloc(1, sizeof *p);
    *walk = NULL;
    if (!p)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an archive");
    p->fd = -1;
    p->walk.next = packed_next;
    p->walk.pour = packed_pour;
    p->walk.free = packed_free;
    p->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    vl_status status = vl_notes_new(&p->walk.notes, error);
    if (!status && snprintf(p->place, sizeof p->place, "%s", place) >= VL_DIR_PATH_SIZE)
        status = vl_fail(error, VL_ERR_USAGE, "the path of the archive is too long");
    if (!status)
        status = open_file(p, error);
    if (!status)
        status = open_archive(p, error);
    p->is_first_pass = true;
    if (!status)
        status = take_notes(p, error);
    p->is_first_pass = false;
    if (!status)
        status = open_archive(p, error);
    if (!status)
        status = skip_to(p, cursor, error);
    if (status) {
        packed_free(&p->walk);
        return status;
    }
    *walk = &p->walk;
    return VL_OK;
}
