/* batch.c — the files of a `vislang ocr` run: collecting, naming, journal, whole outputs.
 *
 * In reading order: collecting (batch_add), checking (batch_check), the journal, output files.
 */
#include "cli/batch.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_NAME ".vislang-ocr.jsonl"
enum { MAX_PATH_BYTES = 4096, MAX_JOURNAL_BYTES = 256 << 20 };

void batch_init(batch *b) {
    *b = (batch){.journal = -1};
}

void batch_deinit(batch *b) {
    for (size_t i = 0; i < b->count; i++) {
        free(b->items[i].path);
        free(b->items[i].name);
        vl_buf_deinit(&b->items[i].text);
    }
    free(b->items);
    free(b->options_key);
    if (b->journal >= 0)
        close(b->journal);
    batch_init(b);
}

/* ---- collecting ------------------------------------------------------------------- */

/* "a/b.c/scan.tar.png" → 15 (the length without ".png"); hidden names keep theirs. */
static size_t stem_length(const char *name) {
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    const char *dot = strrchr(base, '.');
    return dot && dot != base ? (size_t)(dot - name) : strlen(name);
}

static vl_status add_item(batch *b, const char *path, const char *name, bool full_names,
                          const struct stat *info, vl_error *error) {
    if (b->count == b->capacity) {
        size_t capacity = b->capacity ? b->capacity * 2 : 64;
        batch_item *grown = realloc(b->items, capacity * sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "out of memory after %zu files", b->count);
        b->items = grown;
        b->capacity = capacity;
    }
    batch_item *item = &b->items[b->count];
    *item = (batch_item){.path = strdup(path),
                         .name = strndup(name, full_names ? strlen(name) : stem_length(name))};
    if (info) {
        item->size = info->st_size;
        item->mtime_ns = info->st_mtim.tv_sec * INT64_C(1000000000) + info->st_mtim.tv_nsec;
    }
    b->count++;
    if (!item->path || !item->name)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory after %zu files", b->count);
    return VL_OK;
}

static bool is_picture(const char *path) {
    unsigned char head[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true; /* let reading it say what is wrong */
    ssize_t count = read(fd, head, sizeof head);
    close(fd);
    return count > 0 && vl_media_sniff(head, (size_t)count) != VL_MEDIA_UNKNOWN;
}

static int by_name(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static vl_status add_folder(batch *b, const char *folder, bool full_names, vl_error *error) {
    struct stat out = {0};
    bool has_out = b->folder && !stat(b->folder, &out);
    char *roots[] = {(char *)(uintptr_t)folder, NULL}; /* fts does not write to it */
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    if (!tree)
        return vl_fail(error, VL_ERR_IO, "%s: %s", folder, strerror(errno));
    vl_status status = VL_OK;
    size_t root_length = strlen(folder);
    for (FTSENT *entry; !status && (entry = fts_read(tree));) {
        const char *name = entry->fts_path + root_length;
        name += strspn(name, "/");
        bool hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';
        bool own_output = has_out && entry->fts_info == FTS_D && entry->fts_level > 0 &&
                          entry->fts_statp->st_dev == out.st_dev &&
                          entry->fts_statp->st_ino == out.st_ino;
        if (hidden || own_output)
            fts_set(tree, entry, FTS_SKIP);
        else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
            status = vl_fail(error, VL_ERR_IO, "%s: %s", entry->fts_path,
                             strerror(entry->fts_errno));
        else if (entry->fts_info == FTS_F && is_picture(entry->fts_path))
            status = add_item(b, entry->fts_path, name, full_names, entry->fts_statp, error);
        else if (entry->fts_info == FTS_F)
            b->left_out++;
    }
    fts_close(tree);
    return status;
}

vl_status batch_add(batch *b, const char *path, bool full_names, vl_error *error) {
    struct stat info;
    if (!strcmp(path, "-"))
        return add_item(b, path, "stdin", true, NULL, error);
    if (!stat(path, &info) && S_ISDIR(info.st_mode))
        return add_folder(b, path, full_names, error);
    if (stat(path, &info))
        info = (struct stat){0}; /* it fails when it is read, and the others go on */
    const char *slash = strrchr(path, '/');
    return add_item(b, path, slash ? slash + 1 : path, full_names, &info, error);
}

/* ---- checking --------------------------------------------------------------------- */

void batch_output_path(const batch *b, const batch_item *item, vl_ocr_format format,
                       vl_buf *out) {
    vl_buf_clear(out);
    if (b->single_out)
        vl_buf_puts(out, b->single_out);
    else
        vl_buf_printf(out, "%s/%s%s", b->folder, item->name, vl_ocr_format_extension(format));
}

static int by_output_name(const void *a, const void *b) {
    return strcmp((*(const batch_item *const *)a)->name, (*(const batch_item *const *)b)->name);
}

static vl_status check_same_name(const batch *b, vl_error *error) {
    const batch_item **sorted = malloc(b->count * sizeof *sorted);
    if (!sorted)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < b->count; i++)
        sorted[i] = &b->items[i];
    qsort(sorted, b->count, sizeof *sorted, by_output_name);
    vl_status status = VL_OK;
    for (size_t i = 1; i < b->count && !status; i++)
        if (!strcmp(sorted[i - 1]->name, sorted[i]->name))
            status =
                vl_fail(error, VL_ERR_USAGE,
                        "%s and %s would both become %s/%s%s; use --full-names, or run them "
                        "into two folders",
                        sorted[i - 1]->path, sorted[i]->path, b->folder, sorted[i]->name,
                        vl_ocr_format_extension(b->formats[0]));
    free(sorted);
    return status;
}

static vl_status check_overwrite(const batch *b, const batch_item *item, vl_error *error) {
    struct stat in, out;
    if (stat(item->path, &in))
        return VL_OK;
    vl_buf path;
    vl_buf_init(&path, MAX_PATH_BYTES);
    vl_status status = VL_OK;
    for (size_t f = 0; f < b->format_count && !status; f++) {
        batch_output_path(b, item, b->formats[f], &path);
        status = vl_buf_status(&path, "an output's path", error);
        if (!status && !stat(path.data, &out) && in.st_dev == out.st_dev &&
            in.st_ino == out.st_ino)
            status = vl_fail(error, VL_ERR_USAGE,
                             "%s would be overwritten by its own output; "
                             "choose another --output",
                             item->path);
    }
    vl_buf_deinit(&path);
    return status;
}

vl_status batch_check(const batch *b, vl_error *error) {
    if (!b->folder && !b->single_out)
        return VL_OK;
    vl_status status = b->count && b->folder ? check_same_name(b, error) : VL_OK;
    for (size_t i = 0; i < b->count && !status; i++)
        status = check_overwrite(b, &b->items[i], error);
    return status;
}

/* ---- the journal ------------------------------------------------------------------ */

static bool outputs_exist(const batch *b, const batch_item *item) {
    vl_buf path;
    vl_buf_init(&path, MAX_PATH_BYTES);
    bool all = true;
    for (size_t f = 0; f < b->format_count && all; f++) {
        batch_output_path(b, item, b->formats[f], &path);
        all = !path.failed && !access(path.data, R_OK);
    }
    vl_buf_deinit(&path);
    return all;
}

static bool same_string(const cJSON *object, const char *key, const char *value) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));
    return text && !strcmp(text, value);
}

static int by_path(const void *a, const void *b) {
    return strcmp((*(batch_item *const *)a)->path, (*(batch_item *const *)b)->path);
}

/* Marks the item that a journal line is about. Lines that are cut or foreign say nothing. */
static void apply_line(const batch *b, batch_item **sorted, const char *line, size_t length) {
    cJSON *object = cJSON_ParseWithLength(line, length);
    const char *path = cJSON_GetStringValue(cJSON_GetObjectItem(object, "file"));
    batch_item key = {.path = (char *)(uintptr_t)path}, *key_pointer = &key;
    batch_item **found =
        path ? bsearch(&key_pointer, sorted, b->count, sizeof *sorted, by_path) : NULL;
    if (found) {
        batch_item *item = *found;
        char stamp[64];
        snprintf(stamp, sizeof stamp, "%lld:%lld", (long long)item->size,
                 (long long)item->mtime_ns);
        item->skipped = item->done = same_string(object, "stamp", stamp) &&
                                     same_string(object, "options", b->options_key) &&
                                     outputs_exist(b, item);
    }
    cJSON_Delete(object);
}

static vl_status read_journal(const batch *b, const char *path, vl_error *error) {
    if (access(path, F_OK))
        return VL_OK;
    vl_buf lines;
    vl_buf_init(&lines, MAX_JOURNAL_BYTES);
    batch_item **sorted = malloc((b->count + 1) * sizeof *sorted);
    vl_status status = sorted ? vl_file_read(path, MAX_JOURNAL_BYTES, &lines, error)
                              : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status && lines.len) {
        for (size_t i = 0; i < b->count; i++)
            sorted[i] = &b->items[i];
        qsort(sorted, b->count, sizeof *sorted, by_path);
        for (char *line = lines.data, *end; (end = strchr(line, '\n')); line = end + 1)
            apply_line(b, sorted, line, (size_t)(end - line));
    }
    free(sorted);
    vl_buf_deinit(&lines);
    return status;
}

vl_status batch_open_journal(batch *b, bool resume, vl_error *error) {
    vl_buf path;
    vl_buf_init(&path, MAX_PATH_BYTES);
    vl_buf_printf(&path, "%s/" JOURNAL_NAME, b->folder);
    vl_status status = vl_buf_status(&path, "the journal's path", error);
    if (!status && resume)
        status = read_journal(b, path.data, error);
    if (!status) {
        b->journal = open(path.data, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (b->journal < 0)
            status = vl_fail(error, VL_ERR_IO, "%s: %s", path.data, strerror(errno));
    }
    /* A line that a kill cut short must not swallow the next one. */
    char last = '\n';
    off_t end = b->journal >= 0 ? lseek(b->journal, 0, SEEK_END) : 0;
    if (!status && end > 0 && pread(b->journal, &last, 1, end - 1) == 1 && last != '\n' &&
        write(b->journal, "\n", 1) != 1)
        status = vl_fail(error, VL_ERR_IO, "%s: %s", path.data, strerror(errno));
    vl_buf_deinit(&path);
    return status;
}

vl_status batch_record(const batch *b, const batch_item *item, vl_error *error) {
    if (b->journal < 0)
        return VL_OK;
    char stamp[64];
    snprintf(stamp, sizeof stamp, "%lld:%lld", (long long)item->size,
             (long long)item->mtime_ns);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "file", item->path);
    cJSON_AddStringToObject(object, "stamp", stamp);
    cJSON_AddStringToObject(object, "options", b->options_key);
    cJSON_AddNumberToObject(object, "pages", item->summary.pages);
    cJSON_AddNumberToObject(object, "bad_pages", item->summary.bad_pages);
    char *line = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    if (!line)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_buf text;
    vl_buf_init(&text, 1 << 16);
    vl_buf_printf(&text, "%s\n", line);
    cJSON_free(line);
    vl_status status = vl_buf_status(&text, "a journal line", error);
    if (!status &&
        (write(b->journal, text.data, text.len) != (ssize_t)text.len || fdatasync(b->journal)))
        status =
            vl_fail(error, VL_ERR_IO, "the journal could not be written: %s", strerror(errno));
    vl_buf_deinit(&text);
    return status;
}

/* ---- output files ----------------------------------------------------------------- */

struct output_file {
    FILE *stream;
    char *path, *part;
};

static void output_free(output_file *file) {
    if (file->stream)
        fclose(file->stream);
    free(file->path);
    free(file->part);
    free(file);
}

static vl_status make_parent(const char *path, vl_error *error) {
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return VL_OK;
    char *parent = strndup(path, (size_t)(slash - path));
    if (!parent)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_status status = vl_dir_make(parent, error);
    free(parent);
    return status;
}

vl_status output_open(const char *path, output_file **file, vl_error *error) {
    vl_status status = make_parent(path, error);
    if (status)
        return status;
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash + 1 - path) : 0;
    output_file *f = calloc(1, sizeof *f);
    if (!f || !(f->path = strdup(path)) ||
        asprintf(&f->part, "%.*s.%s.part", (int)folder, path, path + folder) < 0) {
        if (f)
            output_free(f);
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    f->stream = fopen(f->part, "wbe");
    if (!f->stream) {
        status = vl_fail(error, VL_ERR_IO, "%s: %s", f->part, strerror(errno));
        output_free(f);
        return status;
    }
    *file = f;
    return VL_OK;
}

vl_status output_sink(void *user, const void *bytes, size_t count, vl_error *error) {
    output_file *file = user;
    if (fwrite(bytes, 1, count, file->stream) == count)
        return VL_OK;
    return vl_fail(error, VL_ERR_IO, "%s: %s", file->part, strerror(errno));
}

vl_status output_commit(output_file *file, vl_error *error) {
    if (fflush(file->stream) || fsync(fileno(file->stream)) || rename(file->part, file->path)) {
        vl_status status = vl_fail(error, VL_ERR_IO, "%s: %s", file->path, strerror(errno));
        output_abandon(file);
        return status;
    }
    output_free(file);
    return VL_OK;
}

void output_abandon(output_file *file) {
    if (!file)
        return;
    unlink(file->part);
    output_free(file);
}
