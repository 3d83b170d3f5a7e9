/* check_lines.c — layouts whose rows are lines of JSON: an imagefolder (metadata.jsonl beside
 * its pictures, or pictures in folders that are their labels), and files of JSON lines. */
#include "dataset/check.h"

#include <stdio.h>
#include <string.h>

/* "train/metadata.jsonl" → "train". */
static void folder_of(const char *file, char out[FOLDER_PATH_SIZE]) {
    const char *slash = strrchr(file, '/');
    snprintf(out, FOLDER_PATH_SIZE, "%.*s", slash ? (int)(slash - file) : 0, file);
}

/* ---- a picture's names ------------------------------------------------------------------- */

typedef struct names {
    check *c;
    check_row *row;
    const char *bases[2];
    size_t count; /* pictures that were named */
} names;

static vl_status add_picture(names *n, const cJSON *value, vl_error *error) {
    const cJSON *one;
    const char *name = cJSON_GetStringValue(value);
    vl_status status = VL_OK;
    if (cJSON_IsObject(value))
        name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(value, "path"));
    if (name && *name) {
        n->count++;
        return check_row_picture(n->c, n->row, n->bases, 2, name, error);
    }
    if (cJSON_IsArray(value))
        cJSON_ArrayForEach(one, value) if (!status && !cJSON_IsArray(one)) status =
            add_picture(n, one, error);
    return status;
}

static bool is_picture_name(const cJSON *value) {
    const char *name = cJSON_GetStringValue(value);
    return !name || check_ends_in(name, CHECK_PICTURES "|.gif|.bmp|.pdf") ||
           strstr(name, "://");
}

static bool names_pictures(const char *key, const cJSON *value) {
    size_t length = strlen(key);
    if (!strcmp(key, "file_name") || !strcmp(key, "image_path") ||
        (length > 10 && !strcmp(key + length - 10, "_file_name")) ||
        (length > 11 && !strcmp(key + length - 11, "_file_names")) ||
        !strcmp(key, "file_names"))
        return true;
    return (!strcmp(key, "image") || !strcmp(key, "picture") || !strcmp(key, "img") ||
            !strcmp(key, "images") || !strcmp(key, "pictures")) &&
           is_picture_name(value);
}

static vl_status read_pictures(names *n, const cJSON *root, vl_error *error) {
    const cJSON *value;
    vl_status status = VL_OK;
    cJSON_ArrayForEach(value, root) {
        if (!status && names_pictures(value->string, value))
            status = add_picture(n, value, error);
    }
    return status;
}

/* ---- a line ------------------------------------------------------------------------------ */

static vl_status metadata(check *c, const check_row *row, const names *n, vl_error *error) {
    if (!n->count)
        check_found(c, FINDING_FILE_NAME_MISSING, row->place, "there is no \"file_name\"");
    if (!n->count || !*row->picture || !c->looks)
        return VL_OK;
    check_statement s = {.key = row->picture, .place = row->place, .order = c->rows};
    return check_index_add(c->index, RELATION_FILE_NAME, &s, error);
}

static vl_status take_row(check *c, const char *file, uint64_t number, const cJSON *root,
                          vl_error *error) {
    char folder[FOLDER_PATH_SIZE];
    check_row row;
    bool is_metadata =
        c->layout == VL_LAYOUT_IMAGEFOLDER && check_ends_in(file, "metadata.jsonl");
    check_row_init(&row, vl_arena_strdup(c->arena, check_place(c, file, number)),
                   check_split_of_path(file));
    folder_of(file, folder);
    names n = {.c = c, .row = &row, .bases = {folder, ""}};
    if (!row.place)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a row");
    if (cJSON_GetObjectItemCaseSensitive(root, "conversations") ||
        cJSON_GetObjectItemCaseSensitive(root, "messages")) {
        vl_status status = check_conversation(c, file, root, &row, error);
        return status ? status : check_row_done(c, &row, root, error);
    }
    vl_status status = check_columns(c, root, &row, error);
    if (!status)
        status = read_pictures(&n, root, error);
    if (!status && is_metadata)
        status = metadata(c, &row, &n, error);
    if (!status && !row.text_count && !is_metadata && !n.count)
        check_found(c, FINDING_TEXT_EMPTY, row.place, "the row has neither text nor picture");
    return status ? status : check_row_done(c, &row, root, error);
}

static vl_status take_line(check *c, const char *file, uint64_t number, const char *line,
                           size_t bytes, void *to, vl_error *error) {
    (void)to;
    vl_arena_reset(c->arena);
    c->row_bytes = bytes + 1;
    cJSON *root = check_parse(c, check_place(c, file, number), line, bytes);
    vl_status status = VL_OK;
    if (root && !cJSON_IsObject(root))
        check_lost(c, FINDING_ROW_NO_OBJECT, check_place(c, file, number),
                   "the line is no object: %.40s", line);
    else if (root)
        status = take_row(c, file, number, root, error);
    cJSON_Delete(root);
    return status;
}

/* ---- files ------------------------------------------------------------------------------- */

/* Those that are metadata, or those that are not. Train comes first, as it does for those who
 * load it: what it has is what the others are held against. */
static vl_status take_files(check *c, const char *endings, bool metadata, size_t *count,
                            vl_error *error) {
    check_names files;
    vl_status status = check_files(c, endings, &files, error);
    for (size_t k = 0; k < files.count * (CHECK_NO_SPLIT + 1) && !status; k++) {
        const char *name = files.names[k % files.count];
        bool is_metadata = check_ends_in(name, "metadata.jsonl");
        if (check_split_of_path(name) != k / files.count ||
            (c->layout == VL_LAYOUT_IMAGEFOLDER && is_metadata != metadata))
            continue;
        status = check_lines(c, name, take_line, NULL, error);
        ++*count;
    }
    check_names_deinit(&files);
    return status;
}

#define LINES ".jsonl|.ndjson|.jsonl.gz|.ndjson.gz"
vl_status check_walk_jsonl(check *c, vl_error *error) {
    size_t count = 0;
    return take_files(c, LINES, false, &count, error);
}

/* A picture in a folder that is its label. */
static vl_status take_picture(check *c, const char *path, vl_error *error) {
    static const char *const root[] = {""};
    check_row row;
    vl_arena_reset(c->arena);
    check_row_init(&row, path, check_split_of_path(path));
    vl_status status = check_row_picture(c, &row, root, 1, path, error);
    return status ? status : check_row_done(c, &row, NULL, error);
}

/* Rows without pictures may lie beside (text.jsonl of our exports), with columns of their own.
 */
static vl_status take_metadata(check *c, size_t *count, vl_error *error) {
    size_t texts = 0;
    vl_status status = take_files(c, "metadata.jsonl", true, count, error);
    if (status || !*count)
        return status;
    check_schema_begin(c);
    return take_files(c, LINES, false, &texts, error);
}

static vl_status leave_file(const char *path, void *to, vl_error *error) {
    check *c = to;
    (void)error;
    check_found(c, FINDING_FILE_NOT_READ, path, "its rows were not looked at");
    return VL_OK;
}

vl_status check_walk_imagefolder(check *c, vl_error *error) {
    check_names pictures;
    size_t count = 0;
    vl_status status =
        *c->only ? VL_OK
                 : check_each_file(c, "metadata.csv|metadata.parquet", leave_file, c, error);
    if (!status)
        status = take_metadata(c, &count, error);
    if (status || count)
        return status ? status : check_unused_pictures(c, error);
    status = check_files(c, CHECK_PICTURES, &pictures, error);
    for (size_t i = 0; i < pictures.count && !status; i++)
        status = take_picture(c, pictures.names[i], error);
    check_names_deinit(&pictures);
    return status;
}
