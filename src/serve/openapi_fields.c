/* openapi_fields.c — what the fields of forms may hold, as schemas: what form.c and the picture
 * model refuse is refused here too, so that a client can check before it asks. */
#include "serve/service.h"

#include <cjson/cJSON.h>

/* A sentence: something in it, and no control characters. */
#define SENTENCE                                                                               \
    "^[ \\t\\r\\n]*[^\\u0000-\\u0020][^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f]*$"

static const struct {
    size_t max; /* characters; 0: not said */
    const char *pattern, *otherwise, *description;
} facts[VL_FORM_FIELD_COUNT] = {
    [VL_FORM_INSTRUCTION] = {VL_INSTRUCTION_MAX, "^[^\\u0000]*$", NULL, NULL},
    [VL_FORM_QUESTION] = {VL_INSTRUCTION_MAX, SENTENCE, NULL, NULL},
    [VL_FORM_STATEMENT] = {VL_INSTRUCTION_MAX, SENTENCE, NULL, NULL},
    [VL_FORM_TEXT] = {0, SENTENCE, NULL, NULL},
    [VL_FORM_LANGUAGES] = {90, "^[A-Za-z0-9_+-]*$", NULL,
                           "packs joined by +, such as eng+swa; empty: found out"},
    [VL_FORM_LANGUAGE] = {0, "^[^\\u0000]*$", NULL, "ISO 639-1, such as en"},
    [VL_FORM_SET] = {0, NULL, "scene", NULL},
    [VL_FORM_K] = {0, "^0*([1-9][0-9]?|100)$", "10", NULL},
    [VL_FORM_SOURCE] = {VL_SOURCE_MAX, "^[^\\u0000-\\u001f\\u007f]*$", NULL,
                        "where the picture comes from, such as fax: engines are judged apart "
                        "for each"},
    [VL_FORM_SUBJECT] = {0, "^[A-Za-z0-9._:@-]{1,127}$", NULL, "whom it is about"},
    [VL_FORM_CONSENT] = {VL_INSTRUCTION_MAX, "^[^\\u0000]*$", NULL,
                         "what the subject agreed to"},
    [VL_FORM_STREAM] = {0, NULL, "false",
                        "true: server-sent events, page for each that was read, then answer or "
                        "problem"},
    [VL_FORM_FORMAT] = {0, NULL, "json", NULL},
};

static void add_values(cJSON *json, const char *const *values, size_t count) {
    cJSON_AddItemToObject(json, "enum", cJSON_CreateStringArray(values, (int)count));
}

static void add_file(cJSON *json, bool as_json) {
    cJSON_AddStringToObject(json, "contentMediaType", "application/octet-stream");
    if (as_json)
        cJSON_AddStringToObject(json, "contentEncoding", "base64");
    cJSON_AddNumberToObject(json, "minLength", 1);
}

/* In JSON a switch may be a boolean. */
static void add_switch(cJSON *json, bool as_json) {
    static const char *const values[] = {"true", "false"};
    add_values(json, values, 2);
    if (!as_json)
        return;
    cJSON_DeleteItemFromObject(json, "type");
    cJSON_AddItemToArray(cJSON_GetObjectItem(json, "enum"), cJSON_CreateTrue());
    cJSON_AddItemToArray(cJSON_GetObjectItem(json, "enum"), cJSON_CreateFalse());
}

static void add_formats(cJSON *json) {
    const char *names[VL_OCR_FORMAT_COUNT];
    for (int f = 0; f < VL_OCR_FORMAT_COUNT; f++)
        names[f] = vl_ocr_format_name((vl_ocr_format)f);
    add_values(json, names, VL_OCR_FORMAT_COUNT);
}

/* What the model that is loaded writes; an empty one is the default. */
static void add_languages(cJSON *json, const vl_seer *seer) {
    const vl_seer_facts *known = vl_seer_facts_of(seer);
    const char *names[VL_SEER_MAX_LANGUAGES + 1] = {""};
    for (size_t i = 0; i < known->language_count; i++)
        names[i + 1] = known->languages[i];
    add_values(json, names, known->language_count + 1);
}

static void add_sets(cJSON *json, const vl_seer *seer) {
    const char *names[VL_SEER_MAX_HEADS + 1] = {""};
    add_values(json, names, vl_picture_sets(seer, names + 1) + 1);
}

static void add_tasks(cJSON *json) {
    static const char *const tasks[] = {"ocr", "caption", "predict", "scene", "vqa"};
    add_values(json, tasks, sizeof tasks / sizeof *tasks);
}

static void add_facts(cJSON *json, vl_form_field field) {
    if (facts[field].max)
        cJSON_AddNumberToObject(json, "maxLength", (double)facts[field].max);
    if (facts[field].pattern)
        cJSON_AddStringToObject(json, "pattern", facts[field].pattern);
    if (facts[field].otherwise)
        cJSON_AddStringToObject(json, "default", facts[field].otherwise);
    if (facts[field].description)
        cJSON_AddStringToObject(json, "description", facts[field].description);
}

cJSON *vl_openapi_field(const vl_server *server, const vl_route *route, vl_form_field field,
                        bool as_json) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "type", "string");
    add_facts(json, field);
    if (field == VL_FORM_FILE)
        add_file(json, as_json);
    if (vl_form_is_switch(field))
        add_switch(json, as_json);
    if (field == VL_FORM_TASK)
        add_tasks(json);
    if (field == VL_FORM_MODEL)
        add_values(json, (const char *const[]){VL_ANSWER_MODEL, ""}, 2);
    if (field == VL_FORM_FORMAT)
        add_formats(json);
    bool captions = route->handle == vl_work_caption || route->handle == vl_handle_batch;
    if (field == VL_FORM_LANGUAGE && server->seer && captions)
        add_languages(json, server->seer);
    if (field == VL_FORM_SET && server->seer)
        add_sets(json, server->seer);
    return json;
}
