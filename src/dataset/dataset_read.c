/* dataset_read.c — a finished dataset: what it says of itself, its items, its documents. */
#include "dataset/folder.h"
#include "dataset/review_apply.h"

#include <cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ABOUT_MAX = 16 << 20, LINE_MAX_BYTES = 16 << 20 };
static const size_t ITEM_ARENA = (size_t)64 << 20;

struct vl_dataset {
    char *folder;
    vl_buf about;
    review_applied *reviewed; /* NULL: nobody has */
};

/* One that says none is ours: so do datasets that were put together by hand. */
static vl_status check_format(const char *folder, const vl_buf *about, vl_error *error) {
    cJSON *root = cJSON_ParseWithLength(about->data ? about->data : "", about->len);
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(root, "format");
    const char *name = cJSON_GetStringValue(format);
    vl_status status = VL_OK;
    if (!cJSON_IsObject(root))
        status = vl_fail(error, VL_ERR_INPUT, "%s: " FOLDER_ABOUT " is no JSON object", folder);
    else if (format && (!name || strcmp(name, FOLDER_FORMAT) != 0))
        status = vl_fail(error, VL_ERR_INPUT,
                         "%s: its format is '%.100s'; this version of vislang reads '%s'",
                         folder, name ? name : "", FOLDER_FORMAT);
    cJSON_Delete(root);
    return status;
}

vl_status folder_about(const char *folder, vl_buf *out, vl_error *error) {
    char path[FOLDER_PATH_SIZE];
    vl_status status = folder_path(folder, FOLDER_ABOUT, path, error);
    if (!status && access(path, F_OK) != 0)
        status =
            vl_fail(error, VL_ERR_INPUT,
                    "%s: no dataset, or one that is not finished: there is no " FOLDER_ABOUT
                    " (vislang dataset build makes it, or goes on with it)",
                    folder);
    if (!status)
        status = vl_file_read(path, ABOUT_MAX, out, error);
    return status ? status : check_format(folder, out, error);
}

vl_status vl_dataset_open(const char *folder, vl_dataset **dataset, vl_error *error) {
    vl_dataset *d = calloc(1, sizeof *d);
    *dataset = NULL;
    if (!d || !(d->folder = strdup(folder))) {
        free(d);
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    vl_buf_init(&d->about, ABOUT_MAX);
    vl_status status = folder_about(folder, &d->about, error);
    if (!status)
        status = review_applied_read(folder, &d->reviewed, error);
    if (status)
        vl_dataset_close(d);
    else
        *dataset = d;
    return status;
}

void vl_dataset_close(vl_dataset *dataset) {
    if (!dataset)
        return;
    vl_buf_deinit(&dataset->about);
    review_applied_free(dataset->reviewed);
    free(dataset->folder);
    free(dataset);
}

const char *vl_dataset_folder(const vl_dataset *dataset) {
    return dataset->folder;
}

const char *vl_dataset_about(const vl_dataset *dataset) {
    return dataset->about.data ? dataset->about.data : "";
}

/* ---- lines ---------------------------------------------------------------------------------
 */

vl_status folder_lines(const char *path, vl_line_fn give, void *to, vl_error *error) {
    char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t length;
    vl_status status = VL_OK;
    FILE *file = fopen(path, "re");
    if (!file)
        return vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    while (!status && (length = getline(&line, &room, file)) > 0) {
        number++;
        if (length > LINE_MAX_BYTES)
            status = vl_fail(error, VL_ERR_LIMIT, "a line over %d bytes", LINE_MAX_BYTES);
        else if (line[length - 1] != '\n')
            status = vl_fail(error, VL_ERR_INPUT, "the last line is cut off");
        else
            status = give(line, (size_t)length - 1, to, error);
        if (status)
            vl_error_prefix(error, "%s:%zu", path, number);
    }
    if (!status && ferror(file))
        status = vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    free(line);
    fclose(file);
    return status;
}

typedef struct giving {
    vl_arena *arena;
    vl_item_fn give;
    void *to;
} giving;

static vl_status give_item(const char *json, size_t bytes, void *to, vl_error *error) {
    giving *g = to;
    vl_item item;
    vl_arena_reset(g->arena);
    vl_status status = vl_item_read(json, bytes, g->arena, &item, error);
    return status ? status : g->give(&item, g->to, error);
}

vl_status folder_items(const char *path, vl_item_fn give, void *to, vl_error *error) {
    giving g = {vl_arena_new(ITEM_ARENA), give, to};
    if (!g.arena)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_status status = folder_lines(path, give_item, &g, error);
    vl_arena_free(g.arena);
    return status;
}

/* Items as reviewers left them. */
typedef struct reviewing {
    review_pass pass;
    vl_item_fn give;
    void *to;
} reviewing;

static vl_status give_reviewed(const vl_item *item, void *to, vl_error *error) {
    reviewing *r = to;
    vl_item changed = *item;
    vl_status status = review_pass_apply(&r->pass, &changed, error);
    return status ? status : r->give(&changed, r->to, error);
}

static vl_status items_as_built(const char *folder, vl_item_fn give, void *to,
                                vl_error *error) {
    char path[FOLDER_PATH_SIZE], name[32];
    vl_status status = VL_OK;
    for (size_t i = 0; !status; i++) {
        snprintf(name, sizeof name, FOLDER_ITEMS, i);
        status = folder_path(folder, name, path, error);
        if (!status && access(path, F_OK) != 0)
            break;
        if (!status)
            status = folder_items(path, give, to, error);
    }
    return status;
}

vl_status vl_dataset_items(vl_dataset *dataset, vl_item_fn give, void *to, vl_error *error) {
    reviewing r = {.give = give, .to = to};
    if (!dataset->reviewed)
        return items_as_built(dataset->folder, give, to, error);
    vl_status status = review_pass_begin(dataset->reviewed, &r.pass, error);
    if (!status)
        status = items_as_built(dataset->folder, give_reviewed, &r, error);
    review_pass_end(&r.pass);
    return status;
}

vl_status vl_dataset_documents(vl_dataset *dataset, vl_line_fn give, void *to,
                               vl_error *error) {
    char path[FOLDER_PATH_SIZE];
    vl_status status = folder_path(dataset->folder, FOLDER_DOCUMENTS, path, error);
    return status ? status : folder_lines(path, give, to, error);
}

vl_status folder_path(const char *folder, const char *name, char path[FOLDER_PATH_SIZE],
                      vl_error *error) {
    int length = snprintf(path, FOLDER_PATH_SIZE, "%s/%s", folder, name);
    return length < FOLDER_PATH_SIZE
               ? VL_OK
               : vl_fail(error, VL_ERR_USAGE, "the path of the folder is too long: %.200s…",
                         folder);
}
