/* check_tar.c — WebDataset: tars (ustar, pax and GNU names, packed by gzip or not, read by
 * libarchive) whose members with one name up to the first dot are one sample, next to each
 * other. A tar comes from anybody: nothing is unpacked, what comes out is counted against the
 * tar's size, and no member is larger than a picture may be. */
#include "dataset/check.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { BLOCK = 256 << 10, NAME_MOST = 512, ENDINGS_MOST = 512, JSON_MOST = 16 << 20 };
/* Text is packed to a tenth, seldom to a fiftieth. */
static const uint64_t ratio_max = 200, always_allowed = UINT64_C(256) << 20;

typedef struct shard {
    check *c;
    const char *file;
    struct archive *archive;
    uint64_t size, inflated;
    locale_t utf8;
    bool is_over; /* nothing more can be read */
    /* the sample that its members are read of */
    char key[NAME_MOST], endings[ENDINGS_MOST];
    vl_buf json, text, picture;
    char json_name[NAME_MOST], picture_name[NAME_MOST];
    size_t pictures;
    bool too_large;
    char *first_endings; /* of the first sample in the folder */
} shard;

/* ---- a member's content ------------------------------------------------------------------ */

static void stop(shard *s, finding kind, const char *why) {
    check_found(s->c, kind, s->file, "%s; the rest was not read", why);
    s->is_over = true;
}

static const char *trouble(const shard *s) {
    const char *text = archive_error_string(s->archive);
    return text ? text : "it is damaged";
}

/* Into `out`, which may fail: the member is then too large; NULL: it is passed over. */
static void pour(shard *s, vl_buf *out) {
    const void *bytes;
    size_t count;
    la_int64_t offset;
    uint64_t poured = 0;
    for (;;) {
        int code = archive_read_data_block(s->archive, &bytes, &count, &offset);
        if (code == ARCHIVE_EOF)
            return;
        if (code != ARCHIVE_OK) {
            stop(s, FINDING_ARCHIVE_BROKEN, trouble(s));
            return;
        }
        if (offset != (la_int64_t)poured) {
            stop(s, FINDING_ARCHIVE_BOMB, "a member has holes");
            return;
        }
        poured += count;
        s->inflated += count;
        if (s->inflated > always_allowed && s->inflated / ratio_max > s->size) {
            stop(s, FINDING_ARCHIVE_BOMB, "it unpacks to over 200 times its size");
            return;
        }
        if (out)
            vl_buf_append(out, bytes, count);
    }
}

/* ---- a sample ---------------------------------------------------------------------------- */

static void empty(shard *s) {
    const vl_buf old[] = {s->json, s->text, s->picture};
    *s->key = *s->endings = '\0';
    s->pictures = 0;
    s->too_large = false;
    for (size_t i = 0; i < 3; i++) {
        vl_buf one = old[i];
        if (one.failed) {
            vl_buf_deinit(&one);
            vl_buf_init(&one, old[i].max);
        }
        vl_buf_clear(&one);
        *(i == 0 ? &s->json : i == 1 ? &s->text : &s->picture) = one;
    }
}

static const char *place_of(shard *s, const char *member) {
    return vl_arena_printf(s->c->arena, "%s:%s", s->file, member);
}

static vl_status compare_key(shard *s, const check_row *row, vl_error *error) {
    check *c = s->c;
    char key[2 * NAME_MOST];
    check_statement one = {.key = s->key, .place = row->place, .order = c->rows};
    if (!c->looks)
        return VL_OK;
    vl_status status = check_index_add(c->index, RELATION_KEY, &one, error);
    snprintf(key, sizeof key, "%.500s\n%.500s", s->file, s->key);
    one.key = key;
    one.shown = s->key;
    return status ? status : check_index_add(c->index, RELATION_MEMBERS, &one, error);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* " json png", sorted. */
static void sort_endings(char *endings) {
    char *list[64], copy[ENDINGS_MOST], *at = copy, *rest = NULL;
    size_t count = 0, used = 0;
    snprintf(copy, sizeof copy, "%s", endings);
    for (char *one = strtok_r(at, " ", &rest); one && count < 64;
         one = strtok_r(NULL, " ", &rest))
        list[count++] = one;
    if (count)
        qsort(list, count, sizeof *list, by_name);
    *endings = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(endings + used, ENDINGS_MOST - used, " %s", list[i]);
}

/* A picture is a picture, of whichever kind. */
static void name_kinds(const char *endings, char kinds[ENDINGS_MOST + 16]) {
    char copy[ENDINGS_MOST], *rest = NULL;
    size_t used = 0;
    snprintf(copy, sizeof copy, "%s", endings);
    *kinds = '\0';
    for (char *one = strtok_r(copy, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
        char name[128];
        snprintf(name, sizeof name, ".%s", one);
        bool is_picture = check_ends_in(name, CHECK_PICTURES) && !strchr(one, '.');
        used += (size_t)snprintf(kinds + used, ENDINGS_MOST + 16 - used, " %.80s",
                                 is_picture ? "(picture)" : one);
        if (used >= ENDINGS_MOST)
            break;
    }
}

static vl_status compare_endings(shard *s, const check_row *row, vl_error *error) {
    char kinds[ENDINGS_MOST + 16];
    name_kinds(s->endings, kinds);
    sort_endings(kinds);
    if (!s->first_endings)
        s->first_endings = strdup(kinds);
    if (!s->first_endings)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (strcmp(kinds, s->first_endings) != 0)
        check_found(s->c, FINDING_SAMPLE_INCOMPLETE, row->place,
                    "it has%s; the first sample has%s", kinds, s->first_endings);
    return VL_OK;
}

static vl_status add_text(shard *s, check_row *row, vl_error *error) {
    check_text text = {"txt", s->text.data ? s->text.data : "", row->language, row->script,
                       true};
    size_t valid = vl_utf8_valid_prefix(text.text, s->text.len);
    if (!strstr(s->endings, " txt") && !strstr(s->endings, " caption"))
        return VL_OK;
    if (valid != s->text.len) {
        check_found(s->c, FINDING_UTF8, row->place, "byte %zu of its text is no UTF-8",
                    valid + 1);
        return VL_OK;
    }
    return check_add_text(s->c, row, &text, error);
}

static vl_status add_picture(shard *s, check_row *row, vl_error *error) {
    check_row at = *row;
    if (!s->pictures)
        return VL_OK;
    row->picture = place_of(s, s->picture_name);
    at.place = row->picture;
    if (s->picture.failed) {
        check_found(s->c, FINDING_PICTURE_LARGE, at.place ? at.place : s->file,
                    "the member is larger than the limit");
        return VL_OK;
    }
    if (!at.place)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a sample");
    return s->c->looks ? check_picture_given(s->c, &at, s->picture.data ? s->picture.data : "",
                                             s->picture.len, error)
                       : VL_OK;
}

static vl_status take_sample(shard *s, cJSON *root, check_row *row, vl_error *error) {
    vl_status status = VL_OK;
    if (root && !cJSON_IsObject(root))
        check_found(s->c, FINDING_ROW_NO_OBJECT, row->place, "its json is no object");
    else if (root)
        status = check_columns(s->c, root, row, error);
    if (!status)
        status = add_text(s, row, error);
    if (!status)
        status = compare_endings(s, row, error);
    if (!status)
        status = compare_key(s, row, error);
    if (!status)
        status = add_picture(s, row, error);
    return status ? status
                  : check_row_done(s->c, row, cJSON_IsObject(root) ? root : NULL, error);
}

static vl_status end_sample(shard *s, vl_error *error) {
    check *c = s->c;
    check_row row;
    cJSON *root = NULL;
    if (!*s->key)
        return VL_OK;
    vl_arena_reset(c->arena);
    const char *place = place_of(s, s->key);
    if (!place)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a sample");
    check_row_init(&row, place, check_split_of_path(s->file));
    const char *json_place = place_of(s, s->json_name);
    if (s->json.failed)
        check_found(c, FINDING_LINE_LONG, json_place ? json_place : place,
                    "its json is over %d MB", JSON_MOST >> 20);
    else if (strstr(s->endings, " json"))
        root = check_parse(c, json_place ? json_place : place, s->json.data ? s->json.data : "",
                           s->json.len);
    vl_status status = take_sample(s, root, &row, error);
    cJSON_Delete(root);
    empty(s);
    return status;
}

/* ---- members ----------------------------------------------------------------------------- */

static void odd(shard *s, const char *name, const char *why) {
    char place[FOLDER_PATH_SIZE + NAME_MOST];
    snprintf(place, sizeof place, "%s:%s", s->file, name);
    check_found(s->c, FINDING_MEMBER_ODD, place, "%s", why);
}

static bool take_ending(shard *s, const char *ending) {
    char all[ENDINGS_MOST + 2], one[80];
    snprintf(all, sizeof all, "%s ", s->endings);
    snprintf(one, sizeof one, " %.70s ", ending);
    if (strstr(all, one))
        return false;
    size_t used = strlen(s->endings);
    snprintf(s->endings + used, sizeof s->endings - used, " %.70s", ending);
    return true;
}

static vl_buf *buffer_of(shard *s, const char *name, const char *ending) {
    if (!strcasecmp(ending, "json") && !s->json.len) {
        snprintf(s->json_name, sizeof s->json_name, "%s", name);
        return &s->json;
    }
    if ((!strcasecmp(ending, "txt") || !strcasecmp(ending, "caption")) && !s->text.len)
        return &s->text;
    if (check_ends_in(name, CHECK_PICTURES) && !s->pictures++) {
        snprintf(s->picture_name, sizeof s->picture_name, "%s", name);
        return &s->picture;
    }
    return NULL;
}

static vl_status take_member(shard *s, const char *name, vl_error *error) {
    char place[FOLDER_PATH_SIZE + NAME_MOST];
    const char *base = strrchr(name, '/'), *dot = strchr(base ? base + 1 : name, '.');
    size_t length = dot ? (size_t)(dot - name) : 0;
    vl_status status = VL_OK;
    if (!dot || dot == (base ? base + 1 : name) || !dot[1] || strlen(name) >= NAME_MOST) {
        odd(s, name, strlen(name) >= NAME_MOST ? "its name is too long" : "it has no ending");
        pour(s, NULL);
        return VL_OK;
    }
    if (strlen(s->key) != length || strncmp(s->key, name, length) != 0) {
        status = end_sample(s, error);
        snprintf(s->key, sizeof s->key, "%.*s", (int)length, name);
    }
    if (status)
        return status;
    if (!take_ending(s, dot + 1)) {
        snprintf(place, sizeof place, "%s:%s", s->file, name);
        check_found(s->c, FINDING_MEMBER_TWICE, place, "the sample has .%.60s already",
                    dot + 1);
        pour(s, NULL);
        return VL_OK;
    }
    pour(s, buffer_of(s, name, dot + 1));
    return VL_OK;
}

static vl_status take_entry(shard *s, struct archive_entry *entry, vl_error *error) {
    const char *name = archive_entry_pathname(entry);
    char place[FOLDER_PATH_SIZE + NAME_MOST];
    if (!name)
        name = archive_entry_pathname_utf8(entry);
    if (!name || vl_utf8_valid_prefix(name, strlen(name)) != strlen(name)) {
        odd(s, name ? name : "?", "its name is no UTF-8");
        return VL_OK;
    }
    while (!strncmp(name, "./", 2))
        name += 2 + strspn(name + 2, "/");
    if (archive_entry_filetype(entry) == AE_IFDIR || !*name)
        return VL_OK;
    if (!check_is_inside(name)) {
        snprintf(place, sizeof place, "%s:%.400s", s->file, name);
        check_found(s->c, FINDING_PATH_OUTSIDE, place, "its name leads out of the archive");
        return VL_OK;
    }
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry)) {
        odd(s, name, "it is no file, and readers pass over it");
        return VL_OK;
    }
    /* Names that begin with "__" are notes to readers of WebDataset. */
    if (!strncmp(name, "__", 2)) {
        pour(s, NULL);
        return VL_OK;
    }
    return take_member(s, name, error);
}

static vl_status take_entries(shard *s, vl_error *error) {
    struct archive_entry *entry;
    vl_status status = VL_OK;
    uint64_t count = 0;
    while (!status && !s->is_over) {
        locale_t before = uselocale(s->utf8);
        int code = archive_read_next_header(s->archive, &entry);
        if (code == ARCHIVE_EOF) {
            uselocale(before);
            break;
        }
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
            stop(s, FINDING_ARCHIVE_BROKEN, trouble(s));
        else
            status = take_entry(s, entry, error);
        uselocale(before);
        if (!status && !(++count & 255))
            status = vl_stop_check(error);
    }
    return status ? status : end_sample(s, error);
}

static vl_status take_shard(shard *s, vl_error *error) {
    vl_error why = {0};
    int fd;
    s->c->files++;
    vl_status status = check_open(s->c, s->file, &fd, &s->size, &why);
    if (status) {
        check_found(s->c,
                    status == VL_ERR_DENIED ? FINDING_PATH_OUTSIDE : FINDING_FILE_UNREADABLE,
                    s->file, "%s", why.message);
        return VL_OK;
    }
    s->archive = archive_read_new();
    if (!s->archive) {
        close(fd);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an archive");
    }
    archive_read_support_filter_gzip(s->archive);
    archive_read_support_format_tar(s->archive);
    if (archive_read_open_fd(s->archive, fd, BLOCK) != ARCHIVE_OK)
        stop(s, FINDING_ARCHIVE_BROKEN, trouble(s));
    else
        status = take_entries(s, error);
    archive_read_free(s->archive);
    close(fd);
    return status;
}

/* In one folder: samples with pictures and those without may lie in two. */
static bool is_beside(const char *a, const char *b) {
    const char *x = strrchr(a, '/'), *y = strrchr(b, '/');
    size_t length = x ? (size_t)(x - a) : 0;
    return length == (y ? (size_t)(y - b) : 0) && !strncmp(a, b, length);
}

vl_status check_walk_webdataset(check *c, vl_error *error) {
    check_names files;
    shard *s = calloc(1, sizeof *s);
    if (!s)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_buf_init(&s->json, JSON_MOST);
    vl_buf_init(&s->text, JSON_MOST);
    vl_buf_init(&s->picture, c->options->limits.max_bytes);
    s->c = c;
    s->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    vl_status status = check_files(c, ".tar|.tar.gz|.tgz", &files, error);
    for (size_t i = 0; i < files.count && !status; i++) {
        if (s->file && !is_beside(s->file, files.names[i])) {
            free(s->first_endings);
            s->first_endings = NULL;
        }
        s->file = files.names[i];
        s->inflated = 0;
        s->is_over = false;
        status = take_shard(s, error);
    }
    check_names_deinit(&files);
    vl_buf_deinit(&s->json);
    vl_buf_deinit(&s->text);
    vl_buf_deinit(&s->picture);
    if (s->utf8)
        freelocale(s->utf8);
    free(s->first_endings);
    free(s);
    return status;
}
