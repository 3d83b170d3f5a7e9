/* voices.c — reading and writing models/voices.json. */
#include "ocr/voices.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char format[] = "vislang voices";
enum { VERSION = 1 };

/* The numbers of vl_vote_options that are fitted, and their ranges. */
typedef struct setting {
    const char *name;
    size_t offset;
    double least, most;
} setting;
#define OPTION(name, least, most)                                                              \
    { #name, offsetof(vl_vote_options, name), least, most }
static const setting settings[] = {
    OPTION(spread, 1, 1000),
    OPTION(family_correlation, 0, 1),
    OPTION(correlation, 0, 1),
    OPTION(record, 0, 1),
    OPTION(lead, 0, 100),
    OPTION(language_weight, 0, 10),
    OPTION(language_bonus, -20, 20),
    OPTION(close, 0, 1),
    OPTION(words.slope, 0, 100),
    OPTION(words.offset, -100, 100),
    OPTION(alone.slope, 0, 100),
    OPTION(alone.offset, -100, 100),
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static double *number_of(vl_vote_options *options, const setting *s) {
    return (double *)((char *)options + s->offset);
}

static vl_status read_options(const cJSON *object, vl_vote_options *options, vl_error *error) {
    const cJSON *item;
    if (!cJSON_IsObject(object))
        return vl_fail(error, VL_ERR_INPUT, "voices: no 'options'");
    cJSON_ArrayForEach(item, object) {
        const setting *s = settings;
        while (s < settings + SETTINGS && strcmp(s->name, item->string) != 0)
            s++;
        if (s == settings + SETTINGS)
            return vl_fail(error, VL_ERR_INPUT, "voices: no option '%.40s'", item->string);
        if (!cJSON_IsNumber(item) ||
            !(item->valuedouble >= s->least && item->valuedouble <= s->most))
            return vl_fail(error, VL_ERR_INPUT, "voices: %s must be %g to %g", s->name,
                           s->least, s->most);
        *number_of(options, s) = item->valuedouble;
    }
    return VL_OK;
}

static vl_status read_record(const cJSON *object, vl_voices *voices, vl_error *error) {
    vl_status status = vl_record_open(NULL, NULL, &voices->record, error);
    if (status)
        return status;
    char *json = cJSON_PrintUnformatted(object);
    status = json ? vl_record_import(voices->record, json, strlen(json), error)
                  : vl_fail(error, VL_ERR_MEMORY, "no memory for the voices");
    cJSON_free(json);
    return status;
}

vl_status vl_voices_parse(const char *json, size_t bytes, vl_voices *voices, vl_error *error) {
    *voices = (vl_voices){.options = vl_vote_options_default()};
    cJSON *root = cJSON_ParseWithLength(json, bytes);
    const char *is = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "format"));
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "version");
    vl_status status = VL_OK;
    if (!is || strcmp(is, format) != 0)
        status = vl_fail(error, VL_ERR_INPUT, "no JSON of the format '%s'", format);
    else if (!cJSON_IsNumber(version) || version->valuedouble != VERSION)
        status = vl_fail(error, VL_ERR_INPUT, "voices of another version than %d", VERSION);
    vl_vote_options options = voices->options;
    if (!status)
        status =
            read_options(cJSON_GetObjectItemCaseSensitive(root, "options"), &options, error);
    if (!status)
        status = read_record(cJSON_GetObjectItemCaseSensitive(root, "record"), voices, error);
    cJSON_Delete(root);
    if (status)
        vl_voices_deinit(voices);
    else
        voices->options = options;
    return status;
}

vl_status vl_voices_open(const char *path, vl_voices *voices, vl_error *error) {
    char bundled[4096];
    vl_buf text;
    *voices = (vl_voices){.options = vl_vote_options_default()};
    if (!path) {
        snprintf(bundled, sizeof bundled, "%s/models/voices.json", vl_data_dir());
        path = bundled;
    }
    vl_buf_init(&text, VL_RECORD_MAX_BYTES);
    vl_status status = vl_file_read(path, VL_RECORD_MAX_BYTES, &text, error);
    if (!status)
        status = vl_voices_parse(text.len ? text.data : "", text.len, voices, error);
    vl_buf_deinit(&text);
    if (status && error)
        vl_error_prefix(error, "%s", path);
    return status;
}

vl_status vl_voices_write(const vl_voices *voices, vl_buf *out, vl_error *error) {
    vl_vote_options options = voices->options;
    vl_buf record;
    vl_buf_init(&record, VL_RECORD_MAX_BYTES);
    vl_status status = vl_record_export(voices->record, &record, error);
    vl_buf_printf(out, "{\"format\": \"%s\", \"version\": %d,\n\"options\": {", format,
                  VERSION);
    for (size_t i = 0; i < SETTINGS; i++)
        vl_buf_printf(out, "%s\"%s\": %.6g", i ? ", " : "", settings[i].name,
                      *number_of(&options, &settings[i]));
    vl_buf_puts(out, "},\n\"record\": ");
    if (!status)
        vl_buf_puts(out, record.data);
    vl_buf_puts(out, "}\n");
    vl_buf_deinit(&record);
    return status ? status : vl_buf_status(out, "the voices", error);
}

void vl_voices_deinit(vl_voices *voices) {
    vl_record_free(voices->record);
    voices->record = NULL;
}
