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

/* Lines are written without a tree of what they say: that took as long as all else at the end
 * of a build. */

/* Of U+0000 … U+001F those that JSON has a letter for. */
static const char letters[32] = {
    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

static void put_text(vl_buf *out, const char *text) {
    vl_buf_puts(out, "\"");
    for (const char *run = text;; run = ++text) {
        while ((unsigned char)*text >= 0x20 && *text != '"' && *text != '\\')
            text++;
        vl_buf_append(out, run, (size_t)(text - run));
        const unsigned char c = (unsigned char)*text;
        if (!c)
            break;
        if (c >= 0x20 || letters[c])
            vl_buf_append(out, (const char[]){'\\', c >= 0x20 ? *text : letters[c]}, 2);
        else
            vl_buf_printf(out, "\\u%04x", c);
    }
    vl_buf_puts(out, "\"");
}

static void put_count(vl_buf *out, uint64_t count) {
    char digits[20], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + count % 10);
    while (count /= 10);
    vl_buf_append(out, at, (size_t)(digits + sizeof digits - at));
}

/* With the fewest digits that say it; most have at most four after the point. */
static void put_real(vl_buf *out, double value) {
    static const double most = 1e9;
    uint64_t whole = value >= 0 && value < most ? (uint64_t)llround(value * 1e4) : 0;
    char text[32];
    if (value >= 0 && value < most && (double)whole / 1e4 == value) {
        uint64_t rest = whole % 10000;
        put_count(out, whole / 10000);
        for (size_t i = 0; rest; rest = rest * 10 % 10000, i++) {
            text[0] = '.';
            text[1] = (char)('0' + rest / 1000);
            vl_buf_append(out, text + (i > 0), i > 0 ? 1 : 2);
        }
        return;
    }
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    vl_buf_puts(out, isfinite(value) ? text : "null");
}

static void put_key(vl_buf *out, const char *key) {
    vl_buf_puts(out, out->data[out->len - 1] == '{' ? "\"" : ",\"");
    vl_buf_puts(out, key);
    vl_buf_puts(out, "\":");
}

static void put_named(vl_buf *out, const char *key, const char *text) {
    put_key(out, key);
    put_text(out, text);
}

/* What says nothing is left out. */
static void put_field(vl_buf *out, const vl_item *item, const field *f) {
    const void *at = of(item, f);
    const char *text = f->type == FIELD_TEXT    ? *(const char *const *)at
                       : f->type == FIELD_CHARS ? (const char *)at
                                                : NULL;
    if (text && *text)
        put_named(out, f->key, text);
    if (f->type == FIELD_TEXT || f->type == FIELD_CHARS)
        return;
    put_key(out, f->key);
    if (f->type == FIELD_COUNT)
        put_count(out, *(const uint32_t *)at);
    else if (f->type == FIELD_REAL)
        put_real(out, *(const double *)at);
    else
        vl_buf_puts(out, *(const bool *)at ? "true" : "false");
}

static void put_box(vl_buf *out, const char *key, bool there, vl_box box) {
    if (!there)
        return;
    put_key(out, key);
    vl_buf_printf(out, "[%d,%d,%d,%d]", (int)box.x, (int)box.y, (int)box.width,
                  (int)box.height);
}

/* To four places: what is less is noise, and lines are shorter. */
static double rounded(double value) {
    return round(value * 1e4) / 1e4;
}

static void put_source(vl_buf *out, const vl_item *item) {
    put_key(out, "source");
    vl_buf_puts(out, "{");
    for (size_t i = 0; i < SOURCE; i++)
        put_field(out, item, &source[i]);
    put_box(out, "box", item->source.has_box, item->source.box);
    vl_buf_puts(out, "}");
}

static void put_numbers(vl_buf *out, const vl_item *item) {
    put_key(out, "quality");
    vl_buf_puts(out, "{");
    for (size_t i = 0; i < VL_QUALITY_PART_COUNT; i++) {
        put_key(out, parts[i]);
        put_real(out, rounded(item->quality[i]));
    }
    vl_buf_puts(out, "}");
    put_key(out, "personal");
    vl_buf_puts(out, "{");
    for (size_t i = 0; i < VL_ITEM_PERSONAL; i++)
        if (item->personal[i]) {
            put_key(out, vl_item_personal_name(i));
            put_count(out, item->personal[i]);
        }
    vl_buf_puts(out, "}");
}

vl_status vl_item_write(const vl_item *item, vl_buf *out, vl_error *error) {
    char phash[VL_ITEM_ID_SIZE];
    vl_item copy = *item;
    copy.score = rounded(item->score);
    vl_buf_puts(out, "{");
    vl_status status = vl_buf_status(out, "an item", error);
    if (status)
        return status; /* put_key looks at what is there */
    put_named(out, "kind", kinds[item->kind]);
    put_named(out, "split", vl_split_name(item->split));
    for (size_t i = 0; i < TOP; i++)
        put_field(out, &copy, &top[i]);
    put_box(out, "region", item->has_region, item->region);
    snprintf(phash, sizeof phash, "%016llx", (unsigned long long)item->phash);
    if (item->has_phash)
        put_named(out, "phash", phash);
    put_source(out, item);
    put_numbers(out, item);
    vl_buf_puts(out, "}\n");
    return vl_buf_status(out, "an item", error);
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
