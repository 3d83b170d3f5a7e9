/* notes.c — an index over metadata.jsonl files (notes.h). */
#include "harvest/notes.h"

#include "harvest/json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES_MAX = 50 << 20, FILES_MAX = 1 << 16 };

typedef struct line {
    uint64_t hash; /* of the path, from the top */
    int64_t offset;
    uint32_t bytes;
} line;

typedef struct sheet {
    char *folder;
    int fd;
    line *lines; /* by hash */
    size_t count, room;
} sheet;

struct vl_notes {
    sheet *sheets;
    size_t count, room, bad;
    char *text; /* of the line in work, VL_NOTE_LINE_MAX and its end */
};

vl_status vl_notes_new(vl_notes **notes, vl_error *error) {
    vl_notes *n = calloc(1, sizeof *n);
    *notes = NULL;
    if (n)
        n->text = malloc(VL_NOTE_LINE_MAX + 1);
    if (!n || !n->text) {
        free(n);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for notes");
    }
    *notes = n;
    return VL_OK;
}

static void sheet_free(sheet *s) {
    free(s->folder);
    free(s->lines);
    if (s->fd >= 0)
        close(s->fd);
}

void vl_notes_free(vl_notes *n) {
    if (!n)
        return;
    for (size_t i = 0; i < n->count; i++)
        sheet_free(&n->sheets[i]);
    free(n->sheets);
    free(n->text);
    free(n);
}

size_t vl_notes_bad(const vl_notes *n) {
    return n->bad;
}

void vl_notes_drop(vl_notes *n, const char *folder) {
    size_t kept = 0;
    for (size_t i = 0; i < n->count; i++) {
        if (!strcmp(n->sheets[i].folder, folder))
            sheet_free(&n->sheets[i]);
        else
            n->sheets[kept++] = n->sheets[i];
    }
    n->count = kept;
}

/* ---- paths ------------------------------------------------------------------------------ */

static uint64_t hash_more(uint64_t hash, const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (uint8_t)text[i]) * UINT64_C(1099511628211); /* FNV-1a */
    return hash;
}

/* Of "folder/name" with "./" and double slashes left out. 0: it leads out of the folder. */
static uint64_t hash_path(const char *folder, const char *name) {
    uint64_t hash = hash_more(UINT64_C(14695981039346656037), folder, strlen(folder));
    bool is_first = !*folder;
    while (*name) {
        size_t bytes = strcspn(name, "/");
        if (bytes == 2 && !strncmp(name, "..", 2))
            return 0;
        if (bytes && !(bytes == 1 && *name == '.')) {
            hash = is_first ? hash : hash_more(hash, "/", 1);
            hash = hash_more(hash, name, bytes);
            is_first = false;
        }
        name += bytes + (name[bytes] == '/');
    }
    return hash;
}

/* ---- reading ---------------------------------------------------------------------------- */

/* NULL: it is no JSON. */
static cJSON *parse(const char *text, size_t bytes) {
    cJSON *json = NULL;
    return vl_json_parse(text, bytes, &json, NULL) ? NULL : json;
}

static const char *string_in(const cJSON *json, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text && *text ? text : NULL;
}

static vl_status sheet_grow(sheet *s, vl_error *error) {
    if (s->count < s->room)
        return VL_OK;
    size_t room = s->room ? s->room * 2 : 256;
    line *grown = room <= LINES_MAX ? realloc(s->lines, room * sizeof *grown) : NULL;
    if (!grown)
        return vl_fail(error, VL_ERR_LIMIT, "a metadata.jsonl has more lines than can be kept");
    s->lines = grown;
    s->room = room;
    return VL_OK;
}

static vl_status add_line(vl_notes *n, sheet *s, const char *text, size_t bytes, int64_t offset,
                          vl_error *error) {
    if (strspn(text, " \t\r") >= bytes)
        return VL_OK;
    cJSON *json = parse(text, bytes);
    const char *name = string_in(json, "file_name");
    uint64_t hash = name ? hash_path(s->folder, name) : 0;
    cJSON_Delete(json);
    n->bad += !hash;
    vl_status status = hash ? sheet_grow(s, error) : VL_OK;
    if (hash && !status)
        s->lines[s->count++] = (line){hash, offset, (uint32_t)bytes};
    return status;
}

static int by_hash(const void *a, const void *b) {
    const line *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* A line longer than the buffer is bad, and skipped to its end. */
static vl_status read_lines(vl_notes *n, sheet *s, vl_error *error) {
    size_t have = 0;
    int64_t at = 0; /* where the buffer begins in the file */
    bool skipping = false;
    vl_status status = VL_OK;
    for (;;) {
        ssize_t got = pread(s->fd, n->text + have, VL_NOTE_LINE_MAX - have, at + (int64_t)have);
        if (got < 0)
            return vl_fail(error, VL_ERR_IO, "a metadata.jsonl cannot be read");
        have += (size_t)got;
        n->text[have] = '\0';
        size_t from = 0;
        for (char *end; !status && (end = memchr(n->text + from, '\n', have - from));) {
            size_t bytes = (size_t)(end - n->text) - from;
            if (!skipping)
                status = add_line(n, s, n->text + from, bytes, at + (int64_t)from, error);
            skipping = false;
            from += bytes + 1;
        }
        if (status)
            return status;
        if (!got)
            return have > from && !skipping
                       ? add_line(n, s, n->text + from, have - from, at + (int64_t)from, error)
                       : VL_OK;
        if (!from && have == VL_NOTE_LINE_MAX) {
            n->bad += !skipping;
            skipping = true;
            from = have;
        }
        memmove(n->text, n->text + from, have - from);
        have -= from;
        at += (int64_t)from;
    }
}

static vl_status make_room(vl_notes *n, vl_error *error) {
    if (n->count < n->room)
        return VL_OK;
    size_t room = n->room ? n->room * 2 : 16;
    sheet *grown = room <= FILES_MAX ? realloc(n->sheets, room * sizeof *grown) : NULL;
    if (!grown)
        return vl_fail(error, VL_ERR_LIMIT, "more metadata.jsonl than can be kept");
    n->sheets = grown;
    n->room = room;
    return VL_OK;
}

vl_status vl_notes_add(vl_notes *n, const char *folder, int fd, vl_error *error) {
    sheet s = {.folder = strdup(folder), .fd = fd};
    vl_status status =
        s.folder ? make_room(n, error) : vl_fail(error, VL_ERR_MEMORY, "no memory for notes");
    if (!status)
        status = read_lines(n, &s, error);
    if (status) {
        sheet_free(&s);
        return status;
    }
    if (s.count)
        qsort(s.lines, s.count, sizeof *s.lines, by_hash);
    n->sheets[n->count++] = s;
    return VL_OK;
}

/* ---- finding ---------------------------------------------------------------------------- */

static char *copy_of(vl_arena *arena, const cJSON *json, const char *name, const char *other) {
    const char *text = string_in(json, name);
    if (!text && other)
        text = string_in(json, other);
    return text ? vl_arena_strdup(arena, text) : NULL;
}

static void fill(vl_arena *arena, const cJSON *json, const char *text, size_t bytes,
                 vl_note *note) {
    const char *language = string_in(json, "language");
    language = language ? language : string_in(json, "lang");
    note->language = language ? vl_note_language(arena, language, strlen(language)) : NULL;
    note->licence = copy_of(arena, json, "licence", "license");
    note->title = copy_of(arena, json, "title", NULL);
    note->url = copy_of(arena, json, "url", NULL);
    note->publisher = copy_of(arena, json, "publisher", NULL);
    note->published = copy_of(arena, json, "published", "date");
    note->raw = vl_arena_strndup(arena, text, bytes);
}

static bool read_line(vl_notes *n, const sheet *s, const line *l, uint64_t hash,
                      vl_arena *arena, vl_note *note) {
    if (pread(s->fd, n->text, l->bytes, l->offset) != (ssize_t)l->bytes)
        return false;
    size_t bytes = l->bytes;
    cJSON *json = parse(n->text, bytes);
    const char *name = string_in(json, "file_name");
    bool is_it = name && hash_path(s->folder, name) == hash;
    while (bytes && strchr(" \t\r", n->text[bytes - 1]))
        bytes--;
    if (is_it)
        fill(arena, json, n->text, bytes, note);
    cJSON_Delete(json);
    return is_it;
}

static const line *first_of(const sheet *s, uint64_t hash) {
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->lines[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->count && s->lines[low].hash == hash ? &s->lines[low] : NULL;
}

/* The sheet that lies deepest says most of what is in it. */
bool vl_notes_find(vl_notes *n, const char *path, vl_arena *arena, vl_note *note) {
    uint64_t hash = hash_path("", path);
    const sheet *best = NULL;
    *note = (vl_note){.language = NULL};
    for (size_t i = 0; i < n->count; i++)
        if (first_of(&n->sheets[i], hash) &&
            (!best || strlen(n->sheets[i].folder) > strlen(best->folder)))
            best = &n->sheets[i];
    return best && read_line(n, best, first_of(best, hash), hash, arena, note);
}

const char *vl_note_language(vl_arena *arena, const char *text, size_t bytes) {
    size_t from = 0, length = 0;
    while (from < bytes && isspace((unsigned char)text[from]))
        from++;
    while (from + length < bytes &&
           (isalnum((unsigned char)text[from + length]) || text[from + length] == '-'))
        length++;
    size_t end = from + length, letters = 0;
    while (end < bytes && isspace((unsigned char)text[end]))
        end++;
    while (letters < length && isalpha((unsigned char)text[from + letters]))
        letters++;
    /* BCP 47: a language of two or three letters, and perhaps more behind a hyphen. */
    bool is_language = end == bytes && (letters == 2 || letters == 3) && length <= 35 &&
                       (letters == length || text[from + letters] == '-');
    return is_language ? vl_arena_strndup(arena, text + from, length) : NULL;
}
