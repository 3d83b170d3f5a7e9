/* config_yaml.c — settings out of a YAML file.
 *
 * What a file may hold: one mapping whose keys are names of settings (`port: 8000`) or sections
 * with the settings' short names (`server: {port: 8000}`, `cache: {size_mb: 64}`,
 * `ocr: {engines: [tesseract]}`); the table in settings.c gives both. Lists are sequences or
 * comma-separated text. Nothing else: aliases and anchors (their expansion can be exponential),
 * tags, several documents, deeper nesting, a key twice and a value of another type are refused
 * with the line they stand on.
 *
 * Read from libyaml's events, so memory stays that of one value. */
#include "base/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

enum { VALUE_MAX = 4096, KEY_SIZE = 64, MAX_SECTIONS = 32, PLACE_SIZE = 256 };

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
    vl_config *config;
    const char *path;
    size_t line; /* of the event, from 1 */
    char sections[MAX_SECTIONS][KEY_SIZE];
    size_t section_count;
    vl_error *error;
} reader;

#define refuse(r, ...) refuse_at((r), (r)->line, __VA_ARGS__)
static vl_status refuse_at(reader *r, size_t line, const char *format, ...) VL_PRINTF(3, 4);
static vl_status refuse_at(reader *r, size_t line, const char *format, ...) {
    char message[400];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return vl_fail(r->error, VL_ERR_USAGE, "%s:%zu: %s", r->path, line, message);
}

/* The next event; anchors, aliases and tags end here. */
static vl_status next(reader *r) {
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event) != 0;
    if (!r->has_event) {
        size_t line = r->parser.problem_mark.line + 1;
        if (r->parser.error == YAML_MEMORY_ERROR)
            return vl_fail(r->error, VL_ERR_MEMORY, "no memory to read %s", r->path);
        return refuse_at(r, line, "%s",
                         r->parser.problem ? r->parser.problem : "not readable as YAML");
    }
    const yaml_event_t *e = &r->event;
    r->line = e->start_mark.line + 1;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (e->type == YAML_ALIAS_EVENT)
        return refuse(r, "aliases (*name) are not read here");
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    }
    if (anchor || tag)
        return refuse(r, "%s are not read here", anchor ? "anchors (&name)" : "tags (!name)");
    return VL_OK;
}

static bool is_null(const yaml_event_t *e) {
    const char *text = (const char *)e->data.scalar.value;
    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0);
}

/* The scalar that the event holds, if it is whole text without a NUL inside. */
static const char *scalar(const reader *r) {
    const yaml_event_t *e = &r->event;
    if (e->type != YAML_SCALAR_EVENT)
        return NULL;
    const char *text = (const char *)e->data.scalar.value;
    return strlen(text) == e->data.scalar.length ? text : NULL;
}

static bool wants_plain(setting_type type) {
    return type == SETTING_INT || type == SETTING_NUMBER || type == SETTING_BOOL;
}

static const char *type_in_words(setting_type type) {
    switch (type) {
    case SETTING_INT:
        return "a whole number";
    case SETTING_NUMBER:
        return "a number";
    case SETTING_BOOL:
        return "true or false";
    case SETTING_BYTES:
        return "a size such as 100MB";
    case SETTING_LIST:
        return "a list or comma-separated text";
    case SETTING_LEVEL:
        return "a log level";
    case SETTING_STRING:
        break;
    }
    return "text";
}

/* A sequence of scalars, joined by commas. */
static vl_status sequence_read(reader *r, const setting_def *def, vl_buf *joined) {
    for (;;) {
        vl_status status = next(r);
        if (status != VL_OK)
            return status;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return VL_OK;
        const char *item = scalar(r);
        if (!item || is_null(&r->event) || !*item || strchr(item, ','))
            return refuse(r, "'%s' is a list of plain words", def->name);
        if (joined->len)
            vl_buf_puts(joined, ",");
        vl_buf_puts(joined, item);
        if (joined->failed)
            return refuse(r, "the list '%s' is longer than %d bytes", def->name, VALUE_MAX);
    }
}

static vl_status store(reader *r, size_t index, size_t line, const char *text) {
    char place[PLACE_SIZE];
    snprintf(place, sizeof place, "%s:%zu", r->path, line);
    vl_error why;
    vl_status status = vl_config_put(r->config, index, text, place, &why);
    if (status != VL_OK)
        return vl_fail(r->error, status, "%s: %s", place, why.message);
    return VL_OK;
}

/* The event is the value of setting `index`, whose key stood on `line`. */
static vl_status value_read(reader *r, size_t index, size_t line) {
    const setting_def *def = &vl_settings[index];
    const char *before = vl_config_source(r->config, index);
    if (strcmp(before, "default") != 0)
        return refuse_at(r, line, "'%s' is set twice (first at %s)", def->name, before);
    if (r->event.type == YAML_SEQUENCE_START_EVENT && def->type == SETTING_LIST) {
        vl_buf joined;
        vl_buf_init(&joined, VALUE_MAX);
        vl_status status = sequence_read(r, def, &joined);
        if (status == VL_OK)
            status = store(r, index, line, joined.data ? joined.data : "");
        vl_buf_deinit(&joined);
        return status;
    }
    const char *text = scalar(r);
    bool quoted = text && r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!text || (quoted && wants_plain(def->type)))
        return refuse(r, "'%s' takes %s", def->name, type_in_words(def->type));
    if (is_null(&r->event))
        return refuse(r, "'%s' has no value; it takes %s", def->name, type_in_words(def->type));
    return store(r, index, line, text);
}

static vl_status unknown_key(reader *r, const char *section, const char *key) {
    char suggestion[128];
    char whole[2 * KEY_SIZE];
    snprintf(whole, sizeof whole, "%s%s%s", section ? section : "", section ? "." : "", key);
    if (vl_setting_is_later(key))
        return refuse(r, "'%s' is not used by this version", whole);
    vl_setting_suggest(section, key, suggestion, sizeof suggestion);
    return refuse(r, "unknown key '%s'%s", whole, suggestion);
}

static vl_status section_enter(reader *r, const char *name) {
    for (size_t i = 0; i < r->section_count; i++)
        if (strcmp(r->sections[i], name) == 0)
            return refuse(r, "the section '%s' is there twice", name);
    snprintf(r->sections[r->section_count++], KEY_SIZE, "%s", name);
    return VL_OK;
}

/* Copies the key that the event holds. */
static vl_status key_read(reader *r, char key[KEY_SIZE]) {
    const char *text = scalar(r);
    if (!text || strlen(text) >= KEY_SIZE)
        return refuse(r, "a key is the name of a setting");
    snprintf(key, KEY_SIZE, "%s", text);
    return VL_OK;
}

/* Pairs of a mapping whose start was the last event. `section` NULL: the top level. */
static vl_status mapping_read(reader *r, const char *section) {
    for (;;) {
        char key[KEY_SIZE];
        vl_status status = next(r);
        if (status != VL_OK || r->event.type == YAML_MAPPING_END_EVENT)
            return status;
        size_t line = r->line;
        if ((status = key_read(r, key)) != VL_OK)
            return status;
        size_t index = section ? vl_setting_find_yaml(section, key) : vl_setting_find(key);
        bool enters = !section && index == SIZE_MAX && vl_setting_is_section(key);
        if (index == SIZE_MAX && !enters)
            return unknown_key(r, section, key);
        if ((status = next(r)) != VL_OK)
            return status;
        if (!enters)
            status = value_read(r, index, line);
        else if (r->event.type != YAML_MAPPING_START_EVENT)
            status = refuse(r, "'%s' is a section: its settings stand below it", key);
        else if ((status = section_enter(r, key)) == VL_OK)
            status = mapping_read(r, key);
        if (status != VL_OK)
            return status;
    }
}

static vl_status document_read(reader *r) {
    vl_status status = next(r); /* stream start */
    if (status == VL_OK)
        status = next(r);
    if (status != VL_OK || r->event.type == YAML_STREAM_END_EVENT)
        return status;
    if ((status = next(r)) != VL_OK)
        return status;
    if (r->event.type == YAML_MAPPING_START_EVENT)
        status = mapping_read(r, NULL);
    else if (r->event.type != YAML_SCALAR_EVENT || !is_null(&r->event))
        status = refuse(r, "a configuration is made of lines 'name: value'");
    if (status == VL_OK)
        status = next(r); /* document end */
    if (status == VL_OK)
        status = next(r);
    if (status == VL_OK && r->event.type != YAML_STREAM_END_EVENT)
        status = refuse(r, "a configuration is one document");
    return status;
}

vl_status vl_config_yaml(vl_config *config, const char *path, const char *text, size_t bytes,
                         vl_error *error) {
    reader *r = calloc(1, sizeof *r);
    if (!r || !yaml_parser_initialize(&r->parser)) {
        free(r);
        return vl_fail(error, VL_ERR_MEMORY, "no memory to read %s", path);
    }
    r->config = config;
    r->path = path;
    r->error = error;
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, bytes);
    vl_status status = document_read(r);
    if (r->has_event)
        yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
    free(r);
    return status;
}
