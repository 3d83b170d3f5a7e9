/* check_coco.c — COCO's files ({"images", "annotations", "categories"}, Lin et al. 2014) and
 * those of VQA (questions, and annotations with answers, Antol et al. 2015): read list by list,
 * whatever their size; what refers to what is joined in the end. */
#include "dataset/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MOST = 600 };

/* ---- shared ------------------------------------------------------------------------------ */

/* Of one file: where its pictures may lie. */
typedef struct source {
    check *c;
    const char *file;
    char folder[FOLDER_PATH_SIZE], stem[128], beside[FOLDER_PATH_SIZE];
    unsigned split;
    char subtype[64]; /* VQA's "data_subtype": "train2014" */
} source;

/* "annotations/captions_train2017.json": in "train2017" or "images" of the root or beside it.
 */
static void find_source(check *c, const char *file, source *s) {
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    *s = (source){.c = c, .file = file, .split = check_split_of_path(file)};
    snprintf(s->folder, sizeof s->folder, "%.*s", slash ? (int)(slash - file) : 0, file);
    snprintf(s->beside, sizeof s->beside, "%.*simages", slash ? (int)(slash - file) + 1 : 0,
             file);
    const char *last = name;
    for (const char *at = name; *at && *at != '.'; at++)
        last = *at == '_' || *at == '-' ? at + 1 : last;
    snprintf(s->stem, sizeof s->stem, "%.*s", (int)strcspn(last, "."), last);
}

static vl_status add_picture(source *s, check_row *row, const char *name, vl_error *error) {
    char in_images[160];
    snprintf(in_images, sizeof in_images, "images/%s", s->stem);
    const char *bases[] = {s->folder, "", "images", s->stem, in_images, s->beside, "pictures"};
    return check_row_picture(s->c, row, bases, sizeof bases / sizeof *bases, name, error);
}

/* Ids are those of a file, or of all files of a split: `scope`. */
static vl_status state(source *s, check_relation relation, unsigned tag, const char *scope,
                       const check_row *row, const char *id, const check_box *box,
                       vl_error *error) {
    char key[KEY_MOST];
    snprintf(key, sizeof key, "%.400s\n%.180s", scope, id);
    check_statement statement = {
        .key = key, .shown = id, .tag = tag, .place = row->place, .order = s->c->rows};
    if (box) {
        statement.right = box->x + box->width;
        statement.bottom = box->y + box->height;
    }
    return s->c->looks && *id ? check_index_add(s->c->index, relation, &statement, error)
                              : VL_OK;
}

/* Questions and answers are in two files of a split. */
static const char *scope_of(const source *s) {
    return s->split == CHECK_NO_SPLIT ? "" : vl_split_name((vl_split)s->split);
}

static void missing(source *s, const check_row *row, const char *key, const char *value) {
    if (!*value)
        check_found(s->c, FINDING_ID_MISSING, row->place, "there is no \"%s\"", key);
}

typedef vl_status (*take_fn)(source *s, const char *key, const cJSON *root, check_row *row,
                             vl_error *error);

static vl_status parse(source *s, const json_piece *piece, take_fn take, vl_error *error) {
    check *c = s->c;
    check_row row;
    vl_status status = VL_OK;
    vl_arena_reset(c->arena);
    const char *place = check_piece_place(c, s->file, piece);
    if (!place)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a row");
    cJSON *root = check_parse(c, place, piece->text, piece->bytes);
    check_row_init(&row, place, s->split);
    if (root && !piece->is_element)
        snprintf(s->subtype, sizeof s->subtype, "%s",
                 !strcmp(piece->key, "data_subtype") && root->valuestring ? root->valuestring
                                                                          : s->subtype);
    else if (root && !cJSON_IsObject(root))
        check_lost(c, FINDING_ROW_NO_OBJECT, place, "it is no object: %.40s", piece->text);
    else if (root)
        status = take(s, piece->key, root, &row, error);
    cJSON_Delete(root);
    return status;
}

/* ---- COCO -------------------------------------------------------------------------------- */

static vl_status take_image(source *s, const cJSON *root, check_row *row, vl_error *error) {
    const char *id = check_string(s->c, root, "id"),
               *name = check_string(s->c, root, "file_name");
    row->width = check_number(root, "width");
    row->height = check_number(root, "height");
    check_box size = {.width = row->width, .height = row->height};
    missing(s, row, "id", id);
    check_origin(s->c, root, row);
    if (!*name)
        check_found(s->c, FINDING_FILE_NAME_MISSING, row->place, "there is no \"file_name\"");
    vl_status status = state(s, RELATION_IMAGE, TAG_DEFINES, s->file, row, id, &size, error);
    if (!status && *name)
        status = add_picture(s, row, name, error);
    if (!status && *row->picture)
        status =
            state(s, RELATION_FILE_NAME, TAG_DEFINES, s->file, row, row->picture, NULL, error);
    if (!status)
        status =
            state(s, RELATION_QUESTION_IMAGE, TAG_DEFINES, scope_of(s), row, id, NULL, error);
    return status ? status : check_row_done(s->c, row, root, error);
}

static vl_status take_box(source *s, const cJSON *root, check_row *row, check_box *box,
                          bool *found, vl_error *error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(root, "bbox");
    *found = value && check_read_box(value, box);
    if (value && !*found && !(cJSON_IsArray(value) && !cJSON_GetArraySize(value)))
        check_found(s->c, FINDING_BOX_OUTSIDE, row->place, "\"bbox\" is no list of 4 numbers");
    box->column = "bbox";
    return *found ? check_add_box(s->c, row, box, error) : VL_OK;
}

static vl_status take_annotation(source *s, const cJSON *root, check_row *row,
                                 vl_error *error) {
    check *c = s->c;
    const char *id = check_string(c, root, "id"), *image = check_string(c, root, "image_id"),
               *category = check_string(c, root, "category_id"),
               *caption =
                   cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "caption"));
    check_box box = {0};
    bool has_box = false;
    missing(s, row, "id", id);
    missing(s, row, "image_id", image);
    row->language = check_string(c, root, "language");
    row->script = check_string(c, root, "script");
    check_text text = {"caption", caption, row->language, row->script, true};
    vl_status status = caption ? check_add_text(c, row, &text, error) : VL_OK;
    if (!status)
        status = take_box(s, root, row, &box, &has_box, error);
    if (!status)
        status = state(s, RELATION_IMAGE, has_box ? TAG_REFERS_WITH_BOX : TAG_REFERS, s->file,
                       row, image, has_box ? &box : NULL, error);
    if (!status)
        status = state(s, RELATION_CATEGORY, TAG_REFERS, s->file, row, category, NULL, error);
    if (!status)
        status = state(s, RELATION_ID, TAG_DEFINES, s->file, row, id, NULL, error);
    return status ? status : check_row_done(c, row, root, error);
}

/* ---- VQA --------------------------------------------------------------------------------- */

static vl_status take_question(source *s, const cJSON *root, check_row *row, vl_error *error) {
    check *c = s->c;
    const char *id = check_string(c, root, "question_id"),
               *image = check_string(c, root, "image_id"),
               *name = check_string(c, root, "image");
    char made[128];
    missing(s, row, "question_id", id);
    missing(s, row, "image_id", image);
    vl_status status = check_columns(c, root, row, error);
    if (!status)
        status = state(s, RELATION_QUESTION, TAG_DEFINES, scope_of(s), row, id, NULL, error);
    if (!status)
        status =
            state(s, RELATION_QUESTION_IMAGE, TAG_REFERS, scope_of(s), row, image, NULL, error);
    /* Pictures of VQA are COCO's, by their names there: of 2014 and 2015. */
    if (!*name && strstr(s->subtype, "201") && *image &&
        strspn(image, "0123456789") == strlen(image)) {
        snprintf(made, sizeof made, "COCO_%s_%012llu.jpg", s->subtype,
                 strtoull(image, NULL, 10));
        name = made;
    }
    if (!status && *name)
        status = add_picture(s, row, name, error);
    return status ? status : check_row_done(c, row, root, error);
}

static vl_status take_answer(source *s, const cJSON *root, check_row *row, vl_error *error) {
    check *c = s->c;
    const char *id = check_string(c, root, "question_id");
    missing(s, row, "question_id", id);
    vl_status status = check_columns(c, root, row, error);
    if (!status && !row->text_count)
        check_found(c, FINDING_TEXT_EMPTY, row->place, "there are no \"answers\"");
    if (!status)
        status = state(s, RELATION_QUESTION, TAG_REFERS, scope_of(s), row, id, NULL, error);
    return status ? status : check_row_done(c, row, root, error);
}

/* ---- files ------------------------------------------------------------------------------- */

static vl_status take_category(source *s, const cJSON *root, check_row *row, vl_error *error) {
    const char *id = check_string(s->c, root, "id");
    missing(s, row, "id", id);
    return state(s, RELATION_CATEGORY, TAG_DEFINES, s->file, row, id, NULL, error);
}

/* Both may lie in one folder; an annotation with a "question_id" is of VQA. */
static vl_status take_element(source *s, const char *key, const cJSON *root, check_row *row,
                              vl_error *error) {
    if (!strcmp(key, "images"))
        return take_image(s, root, row, error);
    if (!strcmp(key, "questions"))
        return take_question(s, root, row, error);
    if (!strcmp(key, "categories"))
        return take_category(s, root, row, error);
    if (strcmp(key, "annotations") != 0)
        return VL_OK;
    return cJSON_GetObjectItemCaseSensitive(root, "question_id")
               ? take_answer(s, root, row, error)
               : take_annotation(s, root, row, error);
}

static bool is_ours(const char *key) {
    return !strcmp(key, "images") || !strcmp(key, "questions") || !strcmp(key, "categories") ||
           !strcmp(key, "annotations");
}

/* Lists of other files (croissant.json, package.json) are not of the dataset. */
static vl_status take_piece(check *c, const char *file, const json_piece *piece, void *to,
                            vl_error *error) {
    (void)c;
    (void)file;
    return piece->is_element && !is_ours(piece->key) ? VL_OK
                                                     : parse(to, piece, take_element, error);
}

static vl_status take_files(check *c, vl_error *error) {
    check_names files;
    source s;
    vl_status status = check_files(c, ".json|.json.gz", &files, error);
    for (size_t i = 0; i < files.count && !status; i++) {
        find_source(c, files.names[i], &s);
        status = check_json_file(c, files.names[i], take_piece, &s, error);
    }
    check_names_deinit(&files);
    return status ? status : check_unused_pictures(c, error);
}

vl_status check_walk_coco(check *c, vl_error *error) {
    return take_files(c, error);
}

vl_status check_walk_vqa(check *c, vl_error *error) {
    return take_files(c, error);
}
