/* check.c — a dataset is gone through and what is wrong is said: finds the layout, walks, and
 * finishes what needed all rows. */
#include "dataset/check.h"
#include "dataset/shingles.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    ROW_MEMORY = 256 << 20,
    LANGUAGES_MAX = 64 << 10,
    NEAR_MEMORY = 192 << 20,
    NEAR_LEAST_BYTES = 60, /* shorter texts are alike by chance */
    PLACE_MOST = 400
};
/* Stricter than a build's 0.8, so that what it keeps apart is not found here. */
static const double near_threshold = 0.9;

static const char *const layouts[VL_LAYOUT_COUNT] = {
    "auto", "dataset", "imagefolder", "jsonl", "webdataset", "coco", "vqa", "llava"};

const char *vl_layout_name(vl_check_layout layout) {
    return layouts[layout];
}

vl_status vl_layout_parse(const char *name, vl_check_layout *layout, vl_error *error) {
    for (size_t i = 0; i < VL_LAYOUT_COUNT; i++)
        if (!strcmp(name, layouts[i])) {
            *layout = (vl_check_layout)i;
            return VL_OK;
        }
    const char *nearest = vl_nearest_name(name, layouts, VL_LAYOUT_COUNT);
    return nearest ? vl_fail(error, VL_ERR_USAGE, "no layout '%s'; did you mean '%s'?", name,
                             nearest)
                   : vl_fail(error, VL_ERR_USAGE,
                             "no layout '%s'; there are auto, dataset, imagefolder, jsonl, "
                             "webdataset, coco, vqa and llava",
                             name);
}

vl_check_options vl_check_options_default(void) {
    return (vl_check_options){.limit = 10, .limits = vl_media_limits_default(), .folder = ""};
}

#define LINES ".jsonl|.ndjson|.jsonl.gz|.ndjson.gz"

/* ---- which layout ------------------------------------------------------------------------ */

/* A file that is named is followed wherever it leads: its folder is then the dataset's. */
static vl_status find_root(check *c, const char *path, vl_error *error) {
    char real[PATH_MAX];
    struct stat info;
    if (strlen(path) >= sizeof c->root - 1)
        return vl_fail(error, VL_ERR_USAGE, "the path is too long");
    if (stat(path, &info) || !realpath(path, real))
        return vl_fail(error, VL_ERR_INPUT, "%s: there is no such file or folder", path);
    if (S_ISDIR(info.st_mode)) {
        snprintf(c->root, sizeof c->root, "%s", path);
        return VL_OK;
    }
    if (!S_ISREG(info.st_mode))
        return vl_fail(error, VL_ERR_INPUT, "%s is no folder and no file", path);
    char *slash = strrchr(real, '/');
    snprintf(c->only, sizeof c->only, "%s", slash + 1);
    slash[slash == real] = '\0';
    snprintf(c->root, sizeof c->root, "%s", real);
    return VL_OK;
}

static bool has_file(const check *c, const char *name) {
    char full[FOLDER_PATH_SIZE];
    struct stat info;
    return !*c->only && !folder_path(c->root, name, full, NULL) && !stat(full, &info) &&
           S_ISREG(info.st_mode);
}

/* Of a file's first 64 KB: which layout its keys are of. */
static vl_check_layout layout_of_json(const check *c, const char *name) {
    static const size_t head = 64 << 10;
    char *text = calloc(1, head + 1);
    vl_check_layout layout = VL_LAYOUT_AUTO;
    int fd = -1;
    gzFile file = text && !check_open(c, name, &fd, NULL, NULL) ? gzdopen(fd, "rb") : NULL;
    bool is_lines = check_ends_in(name, LINES);
    if (file && gzread(file, text, (unsigned)head) > 0) {
        if (strstr(text, "\"conversations\"") || strstr(text, "\"messages\""))
            layout = VL_LAYOUT_LLAVA;
        else if (is_lines)
            layout = VL_LAYOUT_JSONL;
        else if (strstr(text, "\"question_id\""))
            layout = VL_LAYOUT_VQA;
        else if ((strstr(text, "\"annotations\"") || strstr(text, "\"images\"")) &&
                 !strstr(text, "\"@context\""))
            layout = VL_LAYOUT_COCO;
    }
    if (file)
        gzclose(file);
    else if (fd >= 0)
        close(fd);
    free(text);
    return layout;
}

static vl_status layout_of_files(check *c, const char *endings, vl_check_layout *layout,
                                 vl_error *error) {
    check_names names;
    vl_status status = check_files(c, endings, &names, error);
    for (size_t i = 0; !status && i < names.count && *layout == VL_LAYOUT_AUTO; i++)
        *layout = layout_of_json(c, names.names[i]);
    check_names_deinit(&names);
    return status;
}

/* One is enough. */
static vl_status found_one(const char *path, void *to, vl_error *error) {
    (void)path;
    *(bool *)to = true;
    return vl_fail(error, VL_ERR_CANCELLED, "found");
}

static vl_status any_file(check *c, const char *endings, vl_check_layout layout,
                          vl_error *error) {
    vl_error why = {0};
    bool found = false;
    if (*c->only && !check_ends_in(c->only, endings))
        return VL_OK;
    vl_status status = check_each_file(c, endings, found_one, &found, &why);
    if (found)
        c->layout = layout;
    return status && !found ? vl_fail(error, status, "%s", why.message) : VL_OK;
}

static vl_status find_layout(check *c, vl_error *error) {
    c->layout = c->options->layout;
    vl_status status = VL_OK;
    if (c->layout != VL_LAYOUT_AUTO)
        return VL_OK;
    if (has_file(c, FOLDER_ABOUT) || has_file(c, FOLDER_DOCUMENTS) ||
        has_file(c, "items-00000.jsonl") || has_file(c, FOLDER_PLAN))
        c->layout = VL_LAYOUT_DATASET;
    if (c->layout == VL_LAYOUT_AUTO)
        status = any_file(c, ".tar|.tar.gz|.tgz", VL_LAYOUT_WEBDATASET, error);
    if (!status && c->layout == VL_LAYOUT_AUTO)
        status = any_file(c, "metadata.jsonl", VL_LAYOUT_IMAGEFOLDER, error);
    if (!status && c->layout == VL_LAYOUT_AUTO && *c->only)
        c->layout = layout_of_json(c, c->only);
    if (!status && c->layout == VL_LAYOUT_AUTO && !*c->only)
        status = layout_of_files(c, LINES, &c->layout, error);
    if (!status && c->layout == VL_LAYOUT_AUTO && !*c->only)
        status = layout_of_files(c, ".json|.json.gz", &c->layout, error);
    if (!status && c->layout == VL_LAYOUT_AUTO && !*c->only)
        status = any_file(c, ".jpg|.jpeg|.png|.webp|.tif|.tiff", VL_LAYOUT_IMAGEFOLDER, error);
    if (!status && c->layout == VL_LAYOUT_AUTO)
        status = vl_fail(error, VL_ERR_INPUT,
                         "%s: nothing here looks like a dataset; --layout names what it is",
                         c->root);
    return status;
}

/* ---- a row ------------------------------------------------------------------------------- */

static bool is_near_candidate(const check_row *row, const check_text *text) {
    bool is_ours = strcmp(row->origin, "template") != 0 && strcmp(row->origin, "label") != 0;
    return text->is_own && is_ours && (!row->item || vl_item_is_base(row->item->kind)) &&
           strlen(text->text) >= NEAR_LEAST_BYTES;
}

/* The row's longest text; where in the file of places its place is is its id. */
static vl_status add_near(check *c, const check_row *row, vl_error *error) {
    const check_text *longest = NULL;
    vl_duplicates_options options = vl_duplicates_options_default();
    for (size_t i = 0; i < row->text_count; i++)
        if (is_near_candidate(row, &row->texts[i]) &&
            (!longest || strlen(row->texts[i].text) > strlen(longest->text)))
            longest = &row->texts[i];
    if (!longest || row->split == CHECK_NO_SPLIT)
        return VL_OK;
    options.threshold = near_threshold;
    options.memory = NEAR_MEMORY;
    options.folder = c->options->folder ? c->options->folder : "";
    vl_status status = c->texts ? VL_OK : vl_duplicates_new(&options, &c->texts, error);
    if (!status && !c->places)
        status = spill_open(c->options->folder, &c->places, error);
    if (status || strlen(longest->text) > SHINGLES_MAX_BYTES)
        return status;
    if (c->texts_compared >= vl_duplicates_most(c->texts)) {
        c->texts_left_out++;
        return VL_OK;
    }
    uint64_t at = spill_size(c->places);
    size_t length = strnlen(row->place, PLACE_MOST);
    status = spill_append(c->places, row->place, length, error);
    if (!status)
        status = spill_append(c->places, "", 1, error);
    vl_duplicates_item item = {.id = at << 2 | row->split, .text = longest->text};
    c->texts_compared++;
    return status ? status : vl_duplicates_add(c->texts, c->scratch, &item, error);
}

static vl_status state(check *c, check_relation relation, unsigned tag, const check_row *row,
                       const char *key, vl_error *error) {
    check_statement s = {.key = key, .tag = tag, .place = row->place, .order = c->rows};
    return check_index_add(c->index, relation, &s, error);
}

static void look_at_boxes(check *c, const check_row *row) {
    for (size_t i = 0; i < row->box_count; i++) {
        const check_box *b = &row->boxes[i];
        bool says = row->width > 0 && row->height > 0;
        if (b->x < 0 || b->y < 0 || b->width < 0 || b->height < 0 ||
            (says &&
             (b->x + b->width > row->width + 0.5 || b->y + b->height > row->height + 0.5)))
            check_found(c, FINDING_BOX_OUTSIDE, row->place,
                        "\"%s\" is %.10g, %.10g, %.10g by %.10g; the picture is %.10g by %.10g",
                        b->column, b->x, b->y, b->width, b->height, row->width, row->height);
    }
}

static vl_status look(check *c, const check_row *row, const cJSON *root, vl_error *error) {
    vl_status status = VL_OK;
    bool has_columns = c->layout == VL_LAYOUT_IMAGEFOLDER || c->layout == VL_LAYOUT_JSONL ||
                       c->layout == VL_LAYOUT_LLAVA || c->layout == VL_LAYOUT_WEBDATASET;
    if (root && has_columns)
        check_schema_row(c, row->place, root);
    for (size_t i = 0; i < row->text_count; i++)
        check_look_at_text(c, row, &row->texts[i]);
    look_at_boxes(c, row);
    if (*row->id && c->layout != VL_LAYOUT_COCO && c->layout != VL_LAYOUT_VQA)
        status = state(c, RELATION_ID, TAG_DEFINES, row, row->id, error);
    if (!status && *row->document && row->split != CHECK_NO_SPLIT)
        status = state(c, RELATION_DOCUMENT_SPLITS, row->split, row, row->document, error);
    return status ? status : add_near(c, row, error);
}

vl_status check_row_done(check *c, check_row *row, const cJSON *root, vl_error *error) {
    vl_status status = c->looks ? look(c, row, root, error) : VL_OK;
    if (!status && c->give)
        status = c->give(c, row, c->to, error);
    c->rows++;
    return status;
}

/* ---- all of it --------------------------------------------------------------------------- */

bool check_is_new_split(const vl_duplicates_member *member, uint64_t *cluster, unsigned *said) {
    unsigned split = 1U << (member->id & 3);
    if (member->cluster != *cluster)
        *said = 1U << (member->cluster & 3);
    *cluster = member->cluster;
    bool is_new = !(*said & split);
    *said |= split;
    return is_new;
}

static vl_status compare_texts(check *c, vl_error *error) {
    vl_duplicates_member member;
    char early[PLACE_MOST + 1], late[PLACE_MOST + 1];
    uint64_t cluster = UINT64_MAX;
    unsigned said = 0;
    vl_status status = vl_duplicates_finish(c->texts, error);
    while (!status && vl_duplicates_next(c->texts, &member)) {
        uint64_t size = spill_size(c->places), at = member.id >> 2, first = member.cluster >> 2;
        if (!check_is_new_split(&member, &cluster, &said))
            continue;
        early[PLACE_MOST] = late[PLACE_MOST] = '\0';
        status = spill_read(c->places, first, early,
                            size - first < PLACE_MOST ? size - first : PLACE_MOST, error);
        if (!status)
            status = spill_read(c->places, at, late,
                                size - at < PLACE_MOST ? size - at : PLACE_MOST, error);
        if (!status)
            findings_add(c->findings, FINDING_LEAK_NEAR_TEXT, at, late,
                         "nearly the same text is in %s, at %s",
                         vl_split_name((vl_split)(member.cluster & 3)), early);
    }
    if (!status && c->texts_left_out)
        findings_add(c->findings, FINDING_UNCOMPARED, c->rows, c->root,
                     "%llu texts were not compared across splits: more than fit into memory",
                     (unsigned long long)c->texts_left_out);
    return status;
}

static vl_status walk(check *c, vl_error *error) {
    switch (c->layout) {
    case VL_LAYOUT_DATASET:
        return check_walk_ours(c, error);
    case VL_LAYOUT_IMAGEFOLDER:
        return check_walk_imagefolder(c, error);
    case VL_LAYOUT_WEBDATASET:
        return check_walk_webdataset(c, error);
    case VL_LAYOUT_COCO:
        return check_walk_coco(c, error);
    case VL_LAYOUT_VQA:
        return check_walk_vqa(c, error);
    case VL_LAYOUT_LLAVA:
        return check_walk_llava(c, error);
    default:
        return check_walk_jsonl(c, error);
    }
}

vl_status check_walk(check *c, const char *path, vl_error *error) {
    c->arena = vl_arena_new(ROW_MEMORY);
    c->scratch = vl_arena_new(ROW_MEMORY);
    vl_buf_init(&c->languages, LANGUAGES_MAX);
    vl_status status = c->arena && c->scratch ? find_root(c, path, error)
                                              : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status)
        status = find_layout(c, error);
    if (!status)
        status = walk(c, error);
    return status;
}

static vl_status finish(check *c, vl_error *error) {
    if (!c->rows)
        findings_add(c->findings, FINDING_NO_ROWS, 0, c->root, "there is not one row");
    check_schema_end(c);
    vl_status status = check_pictures_finish(c, error);
    if (!status)
        status = check_index_finish(c->index, c->findings, error);
    return status || !c->texts ? status : compare_texts(c, error);
}

void check_deinit(check *c) {
    check_pictures_free(c->pictures);
    check_index_free(c->index);
    check_schema_free(c->schema);
    findings_free(c->findings);
    vl_duplicates_free(c->texts);
    spill_free(c->places);
    vl_arena_free(c->arena);
    vl_arena_free(c->scratch);
    cJSON_Delete(c->about);
    vl_buf_deinit(&c->languages);
}

vl_status vl_dataset_check(const char *path, const vl_check_options *options,
                           vl_check_report *report, vl_error *error) {
    check *c = calloc(1, sizeof *c);
    *report = (vl_check_report){0};
    if (!c)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    c->options = options;
    c->looks = true;
    c->findings = findings_new(options->limit);
    c->index = check_index_new(options->folder);
    c->schema = check_schema_new();
    c->pictures = check_pictures_new(c, error);
    vl_status status = c->findings && c->index && c->schema && c->pictures
                           ? check_walk(c, path, error)
                           : vl_fail(error, VL_ERR_MEMORY, "no memory to check a dataset");
    if (!status)
        status = finish(c, error);
    if (!status)
        status = findings_report(c->findings, report, error);
    report->layout = c->layout;
    report->rows = c->rows;
    report->pictures = c->pictures ? check_pictures_count(c->pictures) : 0;
    if (status)
        vl_check_report_deinit(report);
    check_deinit(c);
    free(c);
    return status;
}
