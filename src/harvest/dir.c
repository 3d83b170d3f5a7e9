/* dir.c — the source `dir`: what lies in a folder or an archive on this machine.
 *
 * Every document in it is a record, whose key is its path with the name of the place in front
 * ("scans.zip/2024/notice.pdf"). Whether one is another than before is told by its size and
 * time; only then is it read. */
#include "harvest/dir.h"

#include <vislang/text.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A page ends after so many files, or files of so many bytes. */
enum { FILES_A_PAGE = 512, BYTES_A_PAGE = 256 << 20 };

/* ---- names ------------------------------------------------------------------------------ */

static bool put(char *out, size_t size, size_t *used, const char *bytes, size_t count) {
    if (*used + count >= size)
        return false;
    memcpy(out + *used, bytes, count);
    *used += count;
    out[*used] = '\0';
    return true;
}

bool vl_dir_encode(const char *path, bool reversible, char *out, size_t size) {
    size_t used = 0, left = strlen(path);
    bool fits = size > 0;
    char code[4];
    if (fits)
        out[0] = '\0';
    while (fits && left) {
        size_t valid = vl_utf8_valid_prefix(path, left), plain = 0;
        while (plain < valid && !iscntrl((unsigned char)path[plain]) &&
               !(reversible && path[plain] == '%'))
            plain++;
        fits = put(out, size, &used, path, plain);
        path += plain;
        left -= plain;
        if (!left || !fits)
            break;
        snprintf(code, sizeof code, "%%%02X", (unsigned char)*path);
        fits = put(out, size, &used, code, 3);
        path++;
        left--;
    }
    return fits;
}

static int digit(char c) {
    return isdigit((unsigned char)c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void vl_dir_decode(char *text) {
    char *to = text;
    while (*text) {
        if (*text == '%' && digit(text[1]) >= 0 && digit(text[2]) >= 0) {
            *to++ = (char)(digit(text[1]) * 16 + digit(text[2]));
            text += 3;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
}

bool vl_dir_is_note(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strlen(name);
    return !strcmp(name, "metadata.jsonl") ||
           (length > 5 && !strcmp(name + length - 5, ".lang"));
}

bool vl_dir_is_document(const char *type) {
    const char *format = vl_content_format(type);
    return *format && strcmp(format, "data") != 0;
}

/* ---- records ---------------------------------------------------------------------------- */

typedef struct kept {
    vl_dir_walk *walk;
    char at[VL_DIR_CURSOR_SIZE]; /* the cursor that it stands behind */
    char name[256];              /* of the place */
} kept;

/* What pour is given. */
typedef struct pouring {
    vl_dir_walk *walk;
    const vl_dir_item *item;
} pouring;

static vl_status pour(const vl_record_file *file, vl_fetch_sink sink, void *to,
                      vl_error *error) {
    const pouring *p = file->of;
    return p->walk->pour(p->walk, p->item, sink, to, error);
}

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_in_time(const vl_harvest_query *q, const vl_dir_item *item) {
    int64_t ms;
    if (!item->has_time)
        return true;
    if (q->since && vl_when_parse(q->since, &ms) && item->changed_ms < ms)
        return false;
    if (!q->until || !vl_when_parse(q->until, &ms))
        return true;
    bool is_day = strlen(q->until) == 10; /* the whole of it */
    return item->changed_ms <= (is_day ? ms + 86400 * INT64_C(1000) - 1 : ms);
}

/* "sw", "swa" and "swh" are one, and "pt-BR" is "pt". */
static bool is_language_asked_for(const char *list, const char *language) {
    char base[4];
    if (!list || !*list)
        return true;
    if (!language)
        return false;
    snprintf(base, sizeof base, "%.*s", (int)strcspn(language, "-"), language);
    return vl_list_has(list, language) || vl_list_has(list, base) ||
           vl_list_has(list, vl_lang_code(base)) || vl_list_has(list, vl_lang_short(base));
}

static vl_status give(const vl_source_call *call, const kept *k, const vl_dir_item *item,
                      vl_error *error) {
    vl_note note;
    char changed[VL_RFC3339_SIZE] = "";
    vl_notes_find(k->walk->notes, item->path, call->arena, &note);
    const char *language = note.language ? note.language : item->language;
    if (!is_in_time(call->query, item) ||
        !is_language_asked_for(call->query->languages, language))
        return VL_OK;
    if (item->has_time)
        vl_when_format(item->changed_ms, changed);
    pouring p = {k->walk, item};
    vl_record_file file = {.name = file_name(item->path),
                           .type = item->type,
                           .version = item->version,
                           .bytes = item->bytes,
                           .pour = pour,
                           .of = &p};
    vl_record record = {.key = vl_arena_printf(call->arena, "%s/%s", k->name, item->path),
                        .title = note.title ? note.title : file_name(item->path),
                        .url = note.url,
                        .language = language,
                        .published = note.published,
                        .changed = *changed ? changed : NULL,
                        .licence = note.licence,
                        .publisher = note.publisher,
                        .raw = note.raw,
                        .files = &file,
                        .file_count = 1};
    if (!record.key)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a record");
    return call->give(&record, call->to, error);
}

/* ---- the source ------------------------------------------------------------------------- */

static const char *place_of(const vl_source_call *call) {
    return vl_config_string(call->config, "harvest_dir_url");
}

static vl_status dir_check(const vl_source_call *call, vl_error *error) {
    const vl_harvest_query *q = call->query;
    const char *const unknown[][2] = {
        {"country", q->countries}, {"theme", q->themes}, {"query", q->words}};
    struct stat info;
    for (size_t i = 0; i < 3; i++)
        if (unknown[i][1] && *unknown[i][1])
            return vl_fail(error, VL_ERR_USAGE,
                           "files in a folder say nothing of that: the source dir takes no "
                           "--%s",
                           unknown[i][0]);
    if (!*place_of(call))
        return vl_fail(error, VL_ERR_USAGE,
                       "name a folder or an archive (or set harvest_dir_url)");
    if (stat(place_of(call), &info))
        return vl_fail(error, VL_ERR_INPUT, "there is no %s", place_of(call));
    return VL_OK;
}

static void dir_forget(void *what) {
    kept *k = what;
    if (k->walk)
        k->walk->free(k->walk);
    free(k);
}

/* "/a/b/" is b, and "." is what it stands for. */
static void name_of(const char *place, char name[256]) {
    char *whole = realpath(place, NULL);
    const char *slash = whole ? strrchr(whole, '/') : NULL;
    const char *last = slash && slash[1] ? slash + 1 : "root";
    if (!vl_dir_encode(last, false, name, 256))
        snprintf(name, 256, "place");
    free(whole);
}

static vl_status begin(const vl_source_call *call, const char *cursor, kept **begun,
                       vl_error *error) {
    struct stat info;
    const char *place = place_of(call);
    kept *k = *call->kept;
    if (k && !strcmp(k->at, cursor)) {
        *begun = k;
        return VL_OK;
    }
    if (k)
        dir_forget(k);
    *call->kept = *begun = k = calloc(1, sizeof *k);
    if (!k)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a folder");
    if (stat(place, &info))
        return vl_fail(error, VL_ERR_INPUT, "there is no %s", place);
    name_of(place, k->name);
    snprintf(k->at, sizeof k->at, "%s", cursor);
    vl_status status = S_ISDIR(info.st_mode) ? vl_dir_folder(place, cursor, &k->walk, error)
                                             : vl_dir_archive(place, cursor, &k->walk, error);
    if (status) {
        dir_forget(k);
        *call->kept = NULL;
    }
    return status;
}

/* What came before a trouble is a page of its own, so that it is kept. */
static vl_status dir_page(const vl_source_call *call, const char *cursor, vl_buf *next,
                          vl_error *error) {
    kept *k;
    bool more = true;
    uint64_t bytes = 0;
    vl_status status = begin(call, cursor, &k, error);
    vl_dir_item *item = status ? NULL : malloc(sizeof *item);
    if (!status && !item)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a folder");
    size_t count = 0;
    for (; !status && count < FILES_A_PAGE && bytes < BYTES_A_PAGE; count++) {
        status = k->walk->next(k->walk, call->arena, item, &more, error);
        if (status && count) {
            status = VL_OK;
            more = true;
            break;
        }
        if (status || !more)
            break;
        status = give(call, k, item, error);
        bytes += item->bytes;
        snprintf(k->at, sizeof k->at, "%s", item->cursor);
    }
    if (!status && more)
        vl_buf_puts(next, k->at);
    free(item);
    return status;
}

const vl_source vl_source_dir = {
    .name = "dir",
    .title = "A folder or an archive on this machine",
    .summary = "PDF, HTML, DOCX, ODT, pictures and text of a folder, zip, tar or tar.gz; needs "
               "its path",
    .check = dir_check,
    .page = dir_page,
    .forget = dir_forget,
    .whole = true,
    .local = true,
};
