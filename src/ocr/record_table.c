/* record_table.c — rows and calibrations in sorted arrays, and their JSON:
 *
 * {"format": "vislang-record", "version": 1,
 *  "rows": [{"voice": "reader", "script": "Ethi", "right": 812.4, "wrong": 31.9, "human": 0}],
 *  "calibrations": [{"voice": "reader", "slope": 0.8, "offset": -0.2, "base": 0.93}]}
 *
 * Unknown keys, doubled rows and numbers out of range are refused: a record that is read
 * wrongly would silently weigh every vote. */
#include "ocr/record_table.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_VERSION = 1, MAX_VOICES = 1024 };

static const double most = 1e12;

const char *const record_field_names[RECORD_FIELDS] = {"voice", "script", "language",
                                                       "degradation", "source"};

void record_counts_add(record_counts *to, const record_counts *more, double fade) {
    to->right = to->right * fade + more->right;
    to->wrong = to->wrong * fade + more->wrong;
    to->human = to->human * fade + more->human;
}

/* ---- rows ------------------------------------------------------------------------------- */

void record_table_free(record_table *table) {
    for (size_t i = 0; i < table->row_count; i++)
        free(table->rows[i].key);
    free(table->rows);
    free(table->voices);
    *table = (record_table){0};
}

/* The first row whose key is not before `key`. */
static size_t place(const record_table *table, const char *key) {
    size_t low = 0, high = table->row_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(table->rows[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

record_row *record_find(const record_table *table, const char *key) {
    size_t at = place(table, key);
    return at < table->row_count && !strcmp(table->rows[at].key, key) ? &table->rows[at] : NULL;
}

static void drop_least(record_table *table) {
    size_t least = 0;
    for (size_t i = 1; i < table->row_count; i++)
        if (table->rows[i].all.right + table->rows[i].all.wrong <
            table->rows[least].all.right + table->rows[least].all.wrong)
            least = i;
    free(table->rows[least].key);
    memmove(table->rows + least, table->rows + least + 1,
            (--table->row_count - least) * sizeof *table->rows);
}

record_row *record_touch(record_table *table, const char *key) {
    record_row *there = record_find(table, key);
    if (there)
        return there;
    if (table->row_count == VL_RECORD_MAX_ROWS)
        drop_least(table);
    if (table->row_count == table->row_capacity) {
        size_t capacity = table->row_capacity ? table->row_capacity * 2 : 64;
        record_row *rows = realloc(table->rows, capacity * sizeof *rows);
        if (!rows)
            return NULL;
        table->rows = rows;
        table->row_capacity = capacity;
    }
    char *copy = strdup(key);
    if (!copy)
        return NULL;
    size_t at = place(table, key);
    memmove(table->rows + at + 1, table->rows + at,
            (table->row_count++ - at) * sizeof *table->rows);
    table->rows[at] = (record_row){.key = copy, .fade = 1};
    return &table->rows[at];
}

record_voice *record_find_voice(const record_table *table, const char *name) {
    for (size_t i = 0; i < table->voice_count; i++)
        if (!strcmp(table->voices[i].name, name))
            return &table->voices[i];
    return NULL;
}

record_voice *record_touch_voice(record_table *table, const char *name) {
    record_voice *there = record_find_voice(table, name);
    if (there)
        return there;
    if (table->voice_count == table->voice_capacity) {
        size_t capacity = table->voice_capacity ? table->voice_capacity * 2 : 16;
        record_voice *voices = realloc(table->voices, capacity * sizeof *voices);
        if (!voices)
            return NULL;
        table->voices = voices;
        table->voice_capacity = capacity;
    }
    size_t at = 0;
    while (at < table->voice_count && strcmp(table->voices[at].name, name) < 0)
        at++;
    memmove(table->voices + at + 1, table->voices + at,
            (table->voice_count++ - at) * sizeof *table->voices);
    table->voices[at] = (record_voice){.calibration = vl_calibration_none()};
    strncpy(table->voices[at].name, name, VL_RECORD_MAX_FIELD - 1);
    return &table->voices[at];
}

/* ---- keys ------------------------------------------------------------------------------- */

static vl_status check_field(const char *name, const char *value, vl_error *error) {
    size_t bytes = strnlen(value, VL_RECORD_MAX_FIELD);
    if (bytes == VL_RECORD_MAX_FIELD)
        return vl_fail(error, VL_ERR_INPUT, "the %s '%.20s…' is longer than %d bytes", name,
                       value, VL_RECORD_MAX_FIELD - 1);
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)value[i] < ' ' || value[i] == 0x7F)
            return vl_fail(error, VL_ERR_INPUT, "the %s has a control character in it", name);
    if (vl_utf8_valid_prefix(value, bytes) != bytes)
        return vl_fail(error, VL_ERR_INPUT, "the %s is not UTF-8", name);
    return VL_OK;
}

vl_status record_key_make(const vl_record_key *key, size_t fields, char out[RECORD_KEY_BYTES],
                          vl_error *error) {
    const char *const values[RECORD_FIELDS] = {key->voice, key->script, key->language,
                                               key->degradation, key->source};
    char *to = out;
    *out = '\0';
    if (!key->voice || !*key->voice)
        return vl_fail(error, VL_ERR_INPUT, "a record is about a voice, and none is named");
    for (size_t i = 0; i < fields; i++) {
        const char *value = values[i] ? values[i] : "";
        vl_status status = check_field(record_field_names[i], value, error);
        if (status)
            return status;
        to = stpcpy(stpcpy(to, value), "\t");
    }
    return VL_OK;
}

vl_status record_calibration_check(const char *voice, const vl_vote_calibration *calibration,
                                   vl_error *error) {
    char text[RECORD_KEY_BYTES];
    vl_record_key key = {.voice = voice};
    vl_status status = record_key_make(&key, 1, text, error);
    if (!status &&
        !(calibration->slope >= 0 && calibration->slope <= 100 &&
          fabs(calibration->offset) <= 100 && calibration->base >= 0 && calibration->base <= 1))
        status =
            vl_fail(error, VL_ERR_INPUT, "a calibration of %s that is out of range", voice);
    return status;
}

/* ---- from JSON -------------------------------------------------------------------------- */

static vl_status read_number(const cJSON *from, const char *what, size_t index,
                             const char *name, double low, double *out, vl_error *error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(from, name);
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= low && value->valuedouble <= most))
        return vl_fail(error, VL_ERR_INPUT, "%s %zu has no '%s', or one out of range", what,
                       index, name);
    *out = value->valuedouble;
    return VL_OK;
}

static vl_status check_names(const cJSON *object, const char *what, size_t index,
                             const char *const *names, size_t count, vl_error *error) {
    if (!cJSON_IsObject(object))
        return vl_fail(error, VL_ERR_INPUT, "%s %zu is no object", what, index);
    for (const cJSON *item = object->child; item; item = item->next) {
        size_t i = 0;
        while (i < count && strcmp(names[i], item->string))
            i++;
        if (i == count)
            return vl_fail(error, VL_ERR_INPUT, "%s %zu has an unknown key '%.40s'", what,
                           index, item->string);
    }
    return VL_OK;
}

static vl_status read_text(const cJSON *from, const char *what, size_t index, const char *name,
                           const char **out, vl_error *error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(from, name);
    *out = value ? cJSON_GetStringValue(value) : "";
    if (!*out)
        return vl_fail(error, VL_ERR_INPUT, "%s %zu: '%s' is no text", what, index, name);
    return VL_OK;
}

static vl_status read_row(const cJSON *object, size_t index, record_table *table,
                          vl_error *error) {
    static const char *const names[] = {"voice",  "script", "language", "degradation",
                                        "source", "right",  "wrong",    "human"};
    const char *fields[RECORD_FIELDS];
    char text[RECORD_KEY_BYTES];
    record_counts counts;
    vl_status status = check_names(object, "row", index, names, 8, error);
    for (size_t i = 0; i < RECORD_FIELDS && !status; i++)
        status = read_text(object, "row", index, record_field_names[i], &fields[i], error);
    if (status ||
        (status = read_number(object, "row", index, "right", 0, &counts.right, error)) ||
        (status = read_number(object, "row", index, "wrong", 0, &counts.wrong, error)) ||
        (status = read_number(object, "row", index, "human", 0, &counts.human, error)))
        return status;
    vl_record_key key = {fields[0], fields[1], fields[2], fields[3], fields[4]};
    if ((status = record_key_make(&key, RECORD_FIELDS, text, error)))
        return vl_error_prefix(error, "row %zu", index);
    if (table->row_count == VL_RECORD_MAX_ROWS)
        return vl_fail(error, VL_ERR_INPUT, "it has more than %d rows", VL_RECORD_MAX_ROWS);
    if (record_find(table, text))
        return vl_fail(error, VL_ERR_INPUT, "row %zu is there twice", index);
    record_row *row = record_touch(table, text);
    if (!row)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    row->all = counts;
    return VL_OK;
}

static vl_status read_calibration(const cJSON *object, size_t index, record_table *table,
                                  vl_error *error) {
    static const char *const names[] = {"voice", "slope", "offset", "base"};
    static const char what[] = "calibration";
    vl_record_key key = {0};
    char text[RECORD_KEY_BYTES];
    vl_vote_calibration c;
    vl_status status = check_names(object, what, index, names, 4, error);
    if (status || (status = read_text(object, what, index, "voice", &key.voice, error)) ||
        (status = read_number(object, what, index, "slope", 0, &c.slope, error)) ||
        (status = read_number(object, what, index, "offset", -most, &c.offset, error)) ||
        (status = read_number(object, what, index, "base", 0, &c.base, error)))
        return status;
    if (c.slope > 100 || fabs(c.offset) > 100 || c.base > 1)
        return vl_fail(error, VL_ERR_INPUT, "calibration %zu is out of range", index);
    if ((status = record_key_make(&key, 1, text, error)))
        return vl_error_prefix(error, "calibration %zu", index);
    if (table->voice_count == MAX_VOICES || record_find_voice(table, key.voice))
        return vl_fail(error, VL_ERR_INPUT, "calibration %zu is there twice, or one too many",
                       index);
    record_voice *voice = record_touch_voice(table, key.voice);
    if (!voice)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    voice->calibration = c;
    return VL_OK;
}

static vl_status read_root(const cJSON *root, record_table *table, vl_error *error) {
    static const char *const names[] = {"format", "version", "rows", "calibrations"};
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(root, "format"),
                *rows = cJSON_GetObjectItemCaseSensitive(root, "rows"),
                *calibrations = cJSON_GetObjectItemCaseSensitive(root, "calibrations");
    double version = 0;
    size_t index = 0;
    if (!cJSON_IsString(format) || strcmp(format->valuestring, "vislang-record"))
        return vl_fail(error, VL_ERR_INPUT, "it is no track record of engines");
    vl_status status = check_names(root, "part", 0, names, 4, error);
    if (!status)
        status = read_number(root, "part", 0, "version", 0, &version, error);
    if (!status && version != FORMAT_VERSION)
        status = vl_fail(error, VL_ERR_UNSUPPORTED, "it has version %g; this program reads %d",
                         version, FORMAT_VERSION);
    if (!status && (!cJSON_IsArray(rows) || !cJSON_IsArray(calibrations)))
        status = vl_fail(error, VL_ERR_INPUT, "'rows' and 'calibrations' must be lists");
    for (const cJSON *item = status ? NULL : rows->child; item && !status; item = item->next)
        status = read_row(item, index++, table, error);
    index = 0;
    for (const cJSON *item = status ? NULL : calibrations->child; item && !status;
         item = item->next)
        status = read_calibration(item, index++, table, error);
    return status;
}

vl_status record_table_parse(const void *json, size_t bytes, record_table *table,
                             vl_error *error) {
    const char *end = NULL;
    *table = (record_table){0};
    cJSON *root = cJSON_ParseWithLengthOpts(json, bytes, &end, false);
    size_t read = root ? (size_t)(end - (const char *)json) : 0;
    while (root && read < bytes && memchr(" \t\r\n", ((const char *)json)[read], 4))
        read++;
    vl_status status = root && read == bytes
                           ? read_root(root, table, error)
                           : vl_fail(error, VL_ERR_INPUT, "it is not JSON, or cut short");
    cJSON_Delete(root);
    if (status)
        record_table_free(table);
    return status;
}

/* ---- to JSON ---------------------------------------------------------------------------- */

static void write_string(vl_buf *out, const char *text, size_t bytes) {
    vl_buf_puts(out, "\"");
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '"' || text[i] == '\\') /* keys have no control characters */
            vl_buf_puts(out, "\\");
        vl_buf_append(out, text + i, 1);
    }
    vl_buf_puts(out, "\"");
}

static void write_row(const record_row *row, vl_buf *out) {
    const char *at = row->key;
    vl_buf_puts(out, "{");
    for (size_t i = 0; i < RECORD_FIELDS && *at; i++) {
        size_t bytes = strcspn(at, "\t");
        if (bytes) {
            vl_buf_printf(out, "%s\"%s\": ", i ? ", " : "", record_field_names[i]);
            write_string(out, at, bytes);
        }
        at += bytes + 1;
    }
    vl_buf_printf(out, ", \"right\": %.10g, \"wrong\": %.10g, \"human\": %.10g}",
                  row->all.right, row->all.wrong, row->all.human);
}

vl_status record_table_write(const record_table *table, vl_buf *out, vl_error *error) {
    vl_buf_printf(out, "{\"format\": \"vislang-record\", \"version\": %d,\n\"rows\": [",
                  FORMAT_VERSION);
    for (size_t i = 0; i < table->row_count; i++) {
        vl_buf_puts(out, i ? ",\n" : "\n");
        write_row(&table->rows[i], out);
    }
    vl_buf_puts(out, "],\n\"calibrations\": [");
    for (size_t i = 0; i < table->voice_count; i++) {
        const record_voice *v = &table->voices[i];
        vl_buf_puts(out, i ? ",\n{\"voice\": " : "\n{\"voice\": ");
        write_string(out, v->name, strlen(v->name));
        vl_buf_printf(out, ", \"slope\": %.10g, \"offset\": %.10g, \"base\": %.10g}",
                      v->calibration.slope, v->calibration.offset, v->calibration.base);
    }
    vl_buf_puts(out, "]}\n");
    return vl_buf_status(out, "the track record", error);
}
