/* check_about.c — what a dataset of our own says of itself (dataset.json), against what is in
 * it; and its reviews, which everything that reads it lays over it. */
#include "dataset/check.h"
#include "dataset/review.h"
#include "dataset/review_apply.h"

#include <string.h>
#include <unistd.h>

enum { ABOUT_MAX = 16 << 20 };

static void look_at_format(check *c) {
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(c->about, "format");
    const char *name = cJSON_GetStringValue(format);
    if (format && (!name || strcmp(name, FOLDER_FORMAT) != 0))
        check_found(c, FINDING_FORMAT, FOLDER_ABOUT, "\"format\" is \"%.100s\", not \"%s\"",
                    name ? name : "", FOLDER_FORMAT);
}

/* NULL, and `why`: it is not there, or cannot be read. */
static cJSON *read_about(check *c, vl_error *why) {
    vl_buf about;
    cJSON *root = NULL;
    int fd = -1;
    vl_buf_init(&about, ABOUT_MAX);
    vl_status status = check_open(c, FOLDER_ABOUT, &fd, NULL, why);
    if (!status) {
        close(fd);
        status = folder_read(c->root, FOLDER_ABOUT, &about, why);
    }
    if (!status)
        root = check_parse(c, FOLDER_ABOUT, about.data ? about.data : "", about.len);
    if (root && !cJSON_IsObject(root)) {
        check_found(c, FINDING_ROW_NO_OBJECT, FOLDER_ABOUT, "it is no JSON object");
        cJSON_Delete(root);
        root = NULL;
    }
    vl_buf_deinit(&about);
    return root;
}

void check_about_begin(check *c) {
    vl_error why = {0};
    c->about = read_about(c, &why);
    if (why.status)
        check_found(c, FINDING_NOT_FINISHED, FOLDER_ABOUT, "%s", why.message);
    if (c->about)
        look_at_format(c);
}

/* What dataset.json does not say it is not wrong about. */
static void compare(check *c, const cJSON *in, const char *group, const char *name,
                    uint64_t count) {
    const cJSON *said = cJSON_GetObjectItemCaseSensitive(in, name);
    if (said && (!cJSON_IsNumber(said) || said->valuedouble < (double)count ||
                 said->valuedouble > (double)count))
        check_found(c, FINDING_ABOUT, FOLDER_ABOUT, "\"%s%s%s\" is %.17g; there are %llu",
                    group, *group ? "." : "", name,
                    cJSON_IsNumber(said) ? said->valuedouble : 0.0, (unsigned long long)count);
}

void check_about_end(check *c) {
    const cJSON *splits = cJSON_GetObjectItemCaseSensitive(c->about, "splits"),
                *kinds = cJSON_GetObjectItemCaseSensitive(c->about, "kinds");
    if (!c->about || c->unreadable) /* what cannot be read is said, and counts nowhere */
        return;
    compare(c, c->about, "", "items", c->rows);
    compare(c, c->about, "", "documents", c->documents);
    for (vl_split i = 0; i < VL_SPLIT_COUNT; i++)
        compare(c, splits, "splits", vl_split_name(i), c->by_split[i]);
    for (vl_item_kind i = 0; i < VL_ITEM_KIND_COUNT; i++)
        compare(c, kinds, "kinds", vl_item_kind_name(i), c->by_kind[i]);
}

vl_status check_reviews(check *c, vl_error *error) {
    review_applied *applied = NULL;
    vl_error why = {0};
    vl_status status = review_applied_read(c->root, &applied, &why);
    review_applied_free(applied);
    if (status == VL_ERR_MEMORY)
        return vl_fail(error, status, "%s", why.message);
    if (status)
        check_found(c, FINDING_REVIEWS, REVIEW_FILE, "%s", why.message);
    return VL_OK;
}
