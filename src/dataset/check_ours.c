/* check_ours.c — a dataset of our own (folder.h): every item is one, its document is in
 * documents.jsonl, its base item and its picture are there. */
#include "dataset/check.h"
#include "dataset/review_apply.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static vl_status state(check *c, check_relation relation, unsigned tag, const char *place,
                       const char *key, vl_error *error) {
    check_statement s = {.key = key, .tag = tag, .place = place, .order = c->rows};
    return c->looks && *key ? check_index_add(c->index, relation, &s, error) : VL_OK;
}

/* Two records may have one content, each with a line of its own. */
static vl_status state_document(check *c, check_statement s, const char *document,
                                const char *record, vl_error *error) {
    char key[512];
    snprintf(key, sizeof key, "%.100s of %.400s", document, record);
    s.key = key;
    return c->looks && *document && *record
               ? check_index_add(c->index, RELATION_DOCUMENT, &s, error)
               : VL_OK;
}

/* ---- documents --------------------------------------------------------------------------- */

static vl_status take_document(check *c, const char *file, uint64_t number, const char *line,
                               size_t bytes, void *to, vl_error *error) {
    const char *place = check_place(c, file, number);
    vl_status status = VL_OK;
    (void)to;
    vl_arena_reset(c->arena);
    cJSON *root = check_parse(c, place, line, bytes);
    const char *document = root ? check_string(c, root, "document") : "",
               *record = root ? check_string(c, root, "record") : "";
    if (root && (!*document || !*record))
        check_found(c, FINDING_ID_MISSING, place, "there is no \"%s\"",
                    *document ? "record" : "document");
    const cJSON *from = cJSON_GetObjectItemCaseSensitive(root, "provenance");
    c->documents += root != NULL;
    if (root) {
        check_statement s = {.tag = TAG_DEFINES, .place = place, .order = number};
        const char *const said[] = {
            check_string(c, from, "url"), check_string(c, from, "licence"),
            check_string(c, from, "publisher"), check_string(c, from, "published"),
            check_string(c, from, "fetched")};
        s.says = from ? check_says(said, sizeof said / sizeof *said) : 0;
        status = state_document(c, s, document, record, error);
    }
    cJSON_Delete(root);
    return status;
}

/* ---- items ------------------------------------------------------------------------------- */

static void describe(const vl_item *item, check_row *row) {
    row->item = item;
    row->id = item->id;
    row->kind = vl_item_kind_name(item->kind);
    row->language = item->language;
    row->script = item->script;
    row->document = item->source.document;
    row->publisher = item->source.publisher;
    row->licence = item->source.licence;
    row->url = item->source.url;
    row->title = item->source.title;
    row->source = item->source.record;
    row->origin = item->origin;
    row->phrase = item->phrase;
    row->picture_kind = item->picture_kind;
    row->width = item->width;
    row->height = item->height;
}

/* The region is of the picture; source.box is of the page, which is not there. */
static vl_status add_parts(check *c, const vl_item *item, check_row *row, vl_error *error) {
    check_text text = {"text", item->text, item->language, item->script, true},
               instruction = {"instruction", item->instruction, item->instruction_language, "",
                              false};
    check_box box = {"region", item->region.x, item->region.y, item->region.width,
                     item->region.height};
    vl_status status = check_add_text(c, row, &text, error);
    if (!status && !vl_item_is_base(item->kind))
        status = check_add_text(c, row, &instruction, error);
    return status || !item->has_region ? status : check_add_box(c, row, &box, error);
}

static vl_status relate(check *c, const vl_item *item, const check_row *row, vl_error *error) {
    bool is_base = vl_item_is_base(item->kind);
    if (!*item->id)
        check_found(c, FINDING_ID_MISSING, row->place, "there is no \"id\"");
    if (!is_base && !*item->base)
        check_found(c, FINDING_BASE_MISSING, row->place, "an example names no base item");
    if (!*item->source.document || !*item->source.record)
        check_found(c, FINDING_PROVENANCE_MISSING, row->place, "\"source\" has no \"%s\"",
                    *item->source.document ? "record" : "document");
    vl_status status = state(c, RELATION_BASE, is_base ? TAG_DEFINES : TAG_REFERS, row->place,
                             is_base ? item->id : item->base, error);
    const char *const said[] = {item->source.url, item->source.licence, item->source.publisher,
                                item->source.published, item->source.fetched};
    check_statement s = {.tag = TAG_REFERS,
                         .place = row->place,
                         .order = c->rows,
                         .says = check_says(said, sizeof said / sizeof *said)};
    return status ? status
                  : state_document(c, s, item->source.document, item->source.record, error);
}

static vl_status take_read(check *c, const vl_item *item, const char *place, vl_error *error) {
    static const char *const root[] = {""};
    check_row row;
    check_row_init(&row, place, item->split);
    describe(item, &row);
    vl_status status = add_parts(c, item, &row, error);
    if (!status && *item->picture)
        status = check_row_picture(c, &row, root, 1, item->picture, error);
    c->by_split[item->split]++;
    c->by_kind[item->kind]++;
    if (!status && c->looks)
        status = relate(c, item, &row, error);
    if (item->kind == VL_ITEM_PAIR && !*item->picture)
        check_found(c, FINDING_PICTURE_MISSING, place, "a pair has no picture");
    return status ? status : check_row_done(c, &row, NULL, error);
}

/* `to`: a review_pass, where items are wanted as reviewers left them; or NULL. */
static vl_status take_item(check *c, const char *file, uint64_t number, const char *line,
                           size_t bytes, void *to, vl_error *error) {
    vl_item item;
    vl_error why = {0};
    vl_arena_reset(c->arena);
    const char *place = vl_arena_strdup(c->arena, check_place(c, file, number));
    if (!place)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an item");
    cJSON *root = check_parse(c, place, line, bytes);
    if (!root)
        return VL_OK;
    cJSON_Delete(root);
    vl_status status = vl_item_read(line, bytes, c->arena, &item, &why);
    if (status == VL_ERR_MEMORY)
        return vl_fail(error, status, "%s", why.message);
    if (status) {
        check_lost(c, FINDING_ITEM, place, "%s", why.message);
        return VL_OK;
    }
    if (to)
        status = review_pass_apply(to, &item, error);
    return status ? status : take_read(c, &item, place, error);
}

/* What lies in the files is checked as it is there, and counted as reviewers left it. */
static vl_status walk_items(check *c, const check_names *files, vl_error *error) {
    review_applied *applied = NULL;
    review_pass pass = {.arena = NULL};
    vl_status status = c->looks ? VL_OK : review_applied_read(c->root, &applied, error);
    if (!status && applied)
        status = review_pass_begin(applied, &pass, error);
    for (size_t i = 0; i < files->count && !status; i++)
        if (!strncmp(files->names[i], "items-", 6))
            status = check_lines(c, files->names[i], take_item, applied ? &pass : NULL, error);
    if (applied)
        review_pass_end(&pass);
    review_applied_free(applied);
    return status;
}

/* Who counts takes only a whole one. */
static vl_status must_be_whole(const check *c, vl_error *error) {
    vl_buf about;
    vl_buf_init(&about, 16 << 20);
    vl_status status = folder_about(c->root, &about, error);
    vl_buf_deinit(&about);
    return status;
}

/* A build that has not come to its end has neither documents nor items yet, which the missing
 * dataset.json says. */
static bool is_begun(const check *c) {
    char path[FOLDER_PATH_SIZE];
    return !c->about && !folder_path(c->root, FOLDER_PLAN, path, NULL) && !access(path, F_OK) &&
           !folder_path(c->root, FOLDER_DOCUMENTS, path, NULL) && access(path, F_OK) != 0;
}

static vl_status walk_files(check *c, vl_error *error) {
    check_names files = {0};
    vl_status status = VL_OK;
    if (c->looks)
        status = check_lines(c, FOLDER_DOCUMENTS, take_document, NULL, error);
    if (!status)
        status = check_files(c, ".jsonl", &files, error);
    if (!status)
        status = walk_items(c, &files, error);
    check_names_deinit(&files);
    return status ? status : check_unused_pictures(c, error);
}

vl_status check_walk_ours(check *c, vl_error *error) {
    if (*c->only)
        return vl_fail(error, VL_ERR_USAGE, "name the dataset's folder, not a file");
    if (!c->looks) {
        vl_status status = must_be_whole(c, error);
        return status ? status : walk_files(c, error);
    }
    check_about_begin(c);
    if (is_begun(c))
        return VL_OK;
    vl_status status = walk_files(c, error);
    if (!status)
        status = check_reviews(c, error);
    check_about_end(c);
    return status;
}
