/* item.c — an item as a line of JSON, and back: tables say where each key lies in the struct.
 */
#include <vislang/dataset.h>

#include <cJSON.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---------------------------------------------------------------------------------
 */

static const char *const kinds[VL_ITEM_KIND_COUNT] = {
    "pair", "text", "describe", "question", "read", "language", "change", "crisis"};
static const char *const parts[VL_QUALITY_PART_COUNT] = {"ocr",    "alignment",  "language",
                                                         "length", "duplicates", "readability"};

const char *vl_item_kind_name(vl_item_kind kind) {
    return kinds[kind];
}

bool vl_item_is_base(vl_item_kind kind) {
    return kind == VL_ITEM_PAIR || kind == VL_ITEM_TEXT;
}

const char *vl_quality_part_name(vl_quality_part part) {
    return parts[part];
}

const char *vl_item_personal_name(size_t kind) {
    return kind == VL_ITEM_COORDINATES ? "coordinates"
                                       : vl_personal_kind_name((vl_personal_kind)kind);
}

/* ---- where the keys lie --------------------------------------------------------------------
 */

typedef enum field_type {
    FIELD_TEXT,  /* const char * */
    FIELD_CHARS, /* char [size] */
    FIELD_COUNT, /* uint32_t */
    FIELD_REAL,  /* double */
    FIELD_TRUTH  /* bool */
} field_type;
typedef struct field {
    const char *key;
    field_type type;
    size_t at, size;
} field;

#define TEXT(key, member)                                                                      \
    { key, FIELD_TEXT, offsetof(vl_item, member), 0 }
#define CHARS(key, member)                                                                     \
    { key, FIELD_CHARS, offsetof(vl_item, member), sizeof((vl_item *)NULL)->member }
#define COUNT(key, member)                                                                     \
    { key, FIELD_COUNT, offsetof(vl_item, member), 0 }
#define REAL(key, member)                                                                      \
    { key, FIELD_REAL, offsetof(vl_item, member), 0 }
#define TRUTH(key, member)                                                                     \
    { key, FIELD_TRUTH, offsetof(vl_item, member), 0 }

static const field top[] = {
    CHARS("id", id),
    CHARS("base", base),
    TEXT("picture", picture),
    COUNT("width", width),
    COUNT("height", height),
    TEXT("picture_kind", picture_kind),
    TEXT("instruction", instruction),
    TEXT("text", text),
    CHARS("instruction_language", instruction_language),
    CHARS("language", language),
    CHARS("script", script),
    TEXT("origin", origin),
    TEXT("phrase", phrase),
    REAL("score", score),
    TEXT("review", review),
};
static const field source[] = {
    TEXT("document", source.document),
    TEXT("record", source.record),
    TEXT("url", source.url),
    TEXT("title", source.title),
    TEXT("licence", source.licence),
    TEXT("publisher", source.publisher),
    TEXT("published", source.published),
    TEXT("fetched", source.fetched),
    COUNT("page", source.page),
    COUNT("part", source.part),
    COUNT("text_part", source.text_part),
    REAL("dpi", source.dpi),
    TRUTH("ocr", source.ocr),
};
enum { TOP = sizeof top / sizeof *top, SOURCE = sizeof source / sizeof *source };

/* ---- writing -------------------------------------------------------------------------------
 */

static void *of(const vl_item *item, const field *f) {
    return (char *)(uintptr_t)item + f->at;
}

/* What says nothing is left out. */
static void add_field(cJSON *to, const vl_item *item, const field *f) {
    const void *at = of(item, f);
    const char *text = f->type == FIELD_TEXT    ? *(const char *const *)at
                       : f->type == FIELD_CHARS ? (const char *)at
                                                : "";
    if (text && *text)
        cJSON_AddStringToObject(to, f->key, text);
    else if (f->type == FIELD_COUNT)
        cJSON_AddNumberToObject(to, f->key, *(const uint32_t *)at);
    else if (f->type == FIELD_REAL)
        cJSON_AddNumberToObject(to, f->key, *(const double *)at);
    else if (f->type == FIELD_TRUTH)
        cJSON_AddBoolToObject(to, f->key, *(const bool *)at);
}

static void add_box(cJSON *to, const char *key, bool there, vl_box box) {
    const double values[] = {box.x, box.y, box.width, box.height};
    if (there)
        cJSON_AddItemToObject(to, key, cJSON_CreateDoubleArray(values, 4));
}

/* To four places: what is less is noise, and lines are shorter. */
static double rounded(double value) {
    return round(value * 1e4) / 1e4;
}

static cJSON *item_json(const vl_item *item) {
    cJSON *root = cJSON_CreateObject(), *from = cJSON_CreateObject(),
          *quality = cJSON_CreateObject(), *personal = cJSON_CreateObject();
    char phash[VL_ITEM_ID_SIZE];
    vl_item copy = *item;
    copy.score = rounded(item->score);
    cJSON_AddStringToObject(root, "kind", kinds[item->kind]);
    cJSON_AddStringToObject(root, "split", vl_split_name(item->split));
    for (size_t i = 0; i < TOP; i++)
        add_field(root, &copy, &top[i]);
    add_box(root, "region", item->has_region, item->region);
    snprintf(phash, sizeof phash, "%016llx", (unsigned long long)item->phash);
    if (item->has_phash)
        cJSON_AddStringToObject(root, "phash", phash);
    for (size_t i = 0; i < SOURCE; i++)
        add_field(from, item, &source[i]);
    add_box(from, "box", item->source.has_box, item->source.box);
    for (size_t i = 0; i < VL_QUALITY_PART_COUNT; i++)
        cJSON_AddNumberToObject(quality, parts[i], rounded(item->quality[i]));
    for (size_t i = 0; i < VL_ITEM_PERSONAL; i++)
        if (item->personal[i])
            cJSON_AddNumberToObject(personal, vl_item_personal_name(i), item->personal[i]);
    cJSON_AddItemToObject(root, "source", from);
    cJSON_AddItemToObject(root, "quality", quality);
    cJSON_AddItemToObject(root, "personal", personal);
    return root;
}

vl_status vl_item_write(const vl_item *item, vl_buf *out, vl_error *error) {
    cJSON *root = item_json(item);
    char *text = cJSON_PrintUnformatted(root);
    if (text) {
        vl_buf_puts(out, text);
        vl_buf_puts(out, "\n");
    }
    cJSON_free(text);
    cJSON_Delete(root);
    return text ? vl_buf_status(out, "an item", error)
                : vl_fail(error, VL_ERR_MEMORY, "no memory for an item");
}

/* ---- reading -------------------------------------------------------------------------------
 */

static vl_status wrong(const char *key, const char *is_not, vl_error *error) {
    return vl_fail(error, VL_ERR_INPUT, "\"%s\" of an item is %s", key, is_not);
}

static vl_status read_text(const field *f, const char *text, vl_arena *arena, void *at,
                           vl_error *error) {
    if (f->type == FIELD_CHARS) {
        if (strlen(text) >= f->size)
            return wrong(f->key, "too long", error);
        memcpy(at, text, strlen(text) + 1);
        return VL_OK;
    }
    const char *copy = *text ? vl_arena_strdup(arena, text) : "";
    *(const char **)at = copy;
    return copy ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for an item");
}

static bool is_count(const cJSON *value) {
    return cJSON_IsNumber(value) && value->valuedouble >= 0 &&
           value->valuedouble <= UINT32_MAX && floor(value->valuedouble) == value->valuedouble;
}

static vl_status read_field(const cJSON *object, const field *f, vl_arena *arena, vl_item *item,
                            vl_error *error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, f->key);
    void *at = of(item, f);
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_CHARS:
        if (value && !cJSON_IsString(value))
            return wrong(f->key, "no string", error);
        return read_text(f, value ? value->valuestring : "", arena, at, error);
    case FIELD_COUNT:
        if (value && !is_count(value))
            return wrong(f->key, "no whole number", error);
        *(uint32_t *)at = value ? (uint32_t)value->valuedouble : 0;
        return VL_OK;
    case FIELD_REAL:
        if (value && !cJSON_IsNumber(value))
            return wrong(f->key, "no number", error);
        *(double *)at = value ? value->valuedouble : 0;
        return VL_OK;
    case FIELD_TRUTH:
        if (value && !cJSON_IsBool(value))
            return wrong(f->key, "neither true nor false", error);
        *(bool *)at = cJSON_IsTrue(value);
        return VL_OK;
    }
    return VL_OK;
}

static vl_status read_box(const cJSON *object, const char *key, bool *there, vl_box *box,
                          vl_error *error) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, key);
    double values[4];
    *there = list != NULL;
    if (!list)
        return VL_OK;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != 4)
        return wrong(key, "no list of four numbers", error);
    for (int i = 0; i < 4; i++) {
        const cJSON *value = cJSON_GetArrayItem(list, i);
        if (!cJSON_IsNumber(value) || !(fabs(value->valuedouble) <= INT32_MAX))
            return wrong(key, "no list of four numbers", error);
        values[i] = value->valuedouble;
    }
    *box = (vl_box){.x = (int32_t)values[0],
                    .y = (int32_t)values[1],
                    .width = (int32_t)values[2],
                    .height = (int32_t)values[3]};
    return VL_OK;
}

static vl_status read_name(const cJSON *object, const char *key, const char *const *names,
                           size_t count, size_t *index, vl_error *error) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    for (size_t i = 0; text && i < count; i++)
        if (!strcmp(text, names[i])) {
            *index = i;
            return VL_OK;
        }
    return wrong(key, text ? "none that there is" : "missing", error);
}

static vl_status read_phash(const cJSON *root, vl_item *item, vl_error *error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(root, "phash");
    item->has_phash = value != NULL;
    if (!value)
        return VL_OK;
    const char *text = cJSON_GetStringValue(value);
    if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return wrong("phash", "no 16 hexadecimal digits", error);
    item->phash = strtoull(text, NULL, 16);
    return VL_OK;
}

static vl_status read_numbers(const cJSON *root, vl_item *item, vl_error *error) {
    const cJSON *quality = cJSON_GetObjectItemCaseSensitive(root, "quality"),
                *personal = cJSON_GetObjectItemCaseSensitive(root, "personal");
    for (size_t i = 0; i < VL_QUALITY_PART_COUNT; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(quality, parts[i]);
        if (value && !cJSON_IsNumber(value))
            return wrong(parts[i], "no number", error);
        item->quality[i] = value ? value->valuedouble : 0;
    }
    for (size_t i = 0; i < VL_ITEM_PERSONAL; i++) {
        const cJSON *value =
            cJSON_GetObjectItemCaseSensitive(personal, vl_item_personal_name(i));
        if (value && !is_count(value))
            return wrong(vl_item_personal_name(i), "no whole number", error);
        item->personal[i] = value ? (uint32_t)value->valuedouble : 0;
    }
    return VL_OK;
}

static vl_status read_root(const cJSON *root, vl_arena *arena, vl_item *item, vl_error *error) {
    static const char *const splits[] = {"train", "validation", "test"};
    const cJSON *from = cJSON_GetObjectItemCaseSensitive(root, "source");
    size_t kind = 0, split = 0;
    *item = (vl_item){0};
    if (!cJSON_IsObject(root))
        return vl_fail(error, VL_ERR_INPUT, "a line of items is no JSON object");
    vl_status status = read_name(root, "kind", kinds, VL_ITEM_KIND_COUNT, &kind, error);
    if (!status)
        status = read_name(root, "split", splits, VL_SPLIT_COUNT, &split, error);
    item->kind = (vl_item_kind)kind;
    item->split = (vl_split)split;
    for (size_t i = 0; !status && i < TOP; i++)
        status = read_field(root, &top[i], arena, item, error);
    for (size_t i = 0; !status && i < SOURCE; i++)
        status = read_field(from, &source[i], arena, item, error);
    if (!status)
        status = read_box(root, "region", &item->has_region, &item->region, error);
    if (!status)
        status = read_box(from, "box", &item->source.has_box, &item->source.box, error);
    if (!status)
        status = read_phash(root, item, error);
    return status ? status : read_numbers(root, item, error);
}

vl_status vl_item_read(const char *json, size_t bytes, vl_arena *arena, vl_item *item,
                       vl_error *error) {
    if (vl_utf8_valid_prefix(json, bytes) != bytes)
        return vl_fail(error, VL_ERR_INPUT, "a line of items is not UTF-8");
    cJSON *root = cJSON_ParseWithLength(json, bytes);
    vl_status status = root ? read_root(root, arena, item, error)
                            : vl_fail(error, VL_ERR_INPUT, "a line of items is no JSON");
    cJSON_Delete(root);
    return status;
}
