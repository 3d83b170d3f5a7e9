/* review_json.c — a decision as the page of the review sends it. */
#include "dataset/review_json.h"

#include <cJSON.h>
#include <math.h>
#include <string.h>

/* ---- writing ----------------------------------------------------------------------------- */

cJSON *review_decision_json(const review_decision *d) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "item", d->item);
    cJSON_AddNumberToObject(json, "revision", (double)d->revision);
    cJSON_AddStringToObject(json, "verdict", review_verdict_name(d->verdict));
    if (d->text)
        cJSON_AddStringToObject(json, "text", d->text);
    if (d->has_box) {
        const double box[] = {d->box.x, d->box.y, d->box.width, d->box.height};
        cJSON_AddItemToObject(json, "box", cJSON_CreateDoubleArray(box, 4));
    }
    if (*d->reason)
        cJSON_AddStringToObject(json, "reason", d->reason);
    if (*d->note)
        cJSON_AddStringToObject(json, "note", d->note);
    cJSON_AddNumberToObject(json, "seconds", d->seconds);
    cJSON_AddNumberToObject(json, "decided_ms", (double)d->decided_ms);
    return json;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* A whole number from `low` to `high`. */
static bool whole(const cJSON *value, double low, double high, int64_t *number) {
    bool good = cJSON_IsNumber(value) && value->valuedouble >= low &&
                value->valuedouble <= high && floor(value->valuedouble) == value->valuedouble;
    if (good)
        *number = (int64_t)value->valuedouble;
    return good;
}

static bool read_box(const cJSON *list, vl_box *box) {
    int64_t v[4];
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != 4)
        return false;
    for (int i = 0; i < 4; i++)
        if (!whole(cJSON_GetArrayItem(list, i), 0, INT32_MAX, &v[i]))
            return false;
    *box = (vl_box){(int32_t)v[0], (int32_t)v[1], (int32_t)v[2], (int32_t)v[3]};
    return true;
}

static bool read_verdict(const char *name, review_verdict *verdict) {
    for (int v = 0; name && v < REVIEW_VERDICT_COUNT; v++)
        if (!strcmp(name, review_verdict_name((review_verdict)v))) {
            *verdict = (review_verdict)v;
            return true;
        }
    return false;
}

/* Texts; "" where there is none. */
static bool read_text(const cJSON *json, const char *name, const char **text) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);
    *text = value ? cJSON_GetStringValue(value) : "";
    return *text != NULL;
}

vl_status review_decision_read(const cJSON *json, review_decision *d, vl_error *error) {
    static const char *const known[] = {"item",   "revision", "verdict", "text",      "box",
                                        "reason", "note",     "seconds", "decided_ms"};
    const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(json, "seconds");
    const cJSON *box = cJSON_GetObjectItemCaseSensitive(json, "box");
    const char *item = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "item"));
    *d = (review_decision){0};
    for (const cJSON *m = json->child; m; m = m->next) {
        size_t k = 0;
        while (k < sizeof known / sizeof *known && strcmp(known[k], m->string) != 0)
            k++;
        if (k == sizeof known / sizeof *known)
            return vl_fail(error, VL_ERR_INPUT, "a decision has no member \"%.60s\"",
                           m->string);
    }
    if (!item || strlen(item) != VL_ITEM_ID_SIZE - 1 ||
        strspn(item, "0123456789abcdef") != VL_ITEM_ID_SIZE - 1)
        return vl_fail(error, VL_ERR_INPUT, "\"item\" is no id");
    memcpy(d->item, item, VL_ITEM_ID_SIZE);
    if (!whole(cJSON_GetObjectItemCaseSensitive(json, "revision"), 1, INT32_MAX, &d->revision))
        return vl_fail(error, VL_ERR_INPUT, "\"revision\" is a whole number, 1 or more");
    if (!read_verdict(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "verdict")),
                      &d->verdict))
        return vl_fail(error, VL_ERR_INPUT,
                       "\"verdict\" is accepted, corrected, rejected, skipped or undone");
    d->has_box = box && !cJSON_IsNull(box);
    if (d->has_box && !read_box(box, &d->box))
        return vl_fail(error, VL_ERR_INPUT, "\"box\" is a list of four whole numbers");
    if (!read_text(json, "text", &d->text) || !read_text(json, "reason", &d->reason) ||
        !read_text(json, "note", &d->note))
        return vl_fail(error, VL_ERR_INPUT, "\"text\", \"reason\" and \"note\" are texts");
    if (!cJSON_HasObjectItem(json, "text"))
        d->text = NULL;
    if (!cJSON_IsNumber(seconds) ||
        !whole(cJSON_GetObjectItemCaseSensitive(json, "decided_ms"), 0, 1e15, &d->decided_ms))
        return vl_fail(error, VL_ERR_INPUT, "\"seconds\" and \"decided_ms\" are numbers");
    d->seconds = seconds->valuedouble;
    return VL_OK;
}
