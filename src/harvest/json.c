/* json.c — what sources answer in JSON (json.h), by cJSON.
 *
 *   clean, measure   text that cJSON can be trusted with: UTF-8, not too deep, not too much
 *   vl_json_parse
 *   vl_json_text …   values of any of the kinds that sources give them
 *
 * cJSON takes some 64 bytes a value and calls itself a level, so both are counted first. */
#include "harvest/ask.h"
#include "harvest/json.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- documents --------------------------------------------------------------------------- */

/* The UTF-16 unit of an escape "\uXXXX" at `at`; -1: there is none. */
static long unit_at(const char *at, const char *end) {
    char digits[5] = "";
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    memcpy(digits, at + 2, 4);
    for (int i = 0; i < 4; i++)
        if (!isxdigit((unsigned char)digits[i]))
            return -1;
    return strtol(digits, NULL, 16);
}

/* Appends the escape at `at`, repaired where cJSON would refuse the document or end the string,
 * and returns its length. */
static size_t put_escape(vl_buf *out, const char *at, const char *end) {
    long unit = unit_at(at, end);
    bool high = unit >= 0xD800 && unit < 0xDC00;
    if (high) {
        long low = unit_at(at + 6, end);
        if (low >= 0xDC00 && low < 0xE000) {
            vl_buf_append(out, at, 12);
            return 12;
        }
    }
    if (unit == 0 || (unit >= 0xD800 && unit < 0xE000)) {
        vl_buf_puts(out, "\\ufffd");
        return 6;
    }
    size_t bytes = end - at >= 2 ? 2 : 1;
    vl_buf_append(out, at, bytes);
    return bytes;
}

/* A copy in which every byte is part of UTF-8 and every escape of a character. */
static void clean(const char *text, size_t bytes, vl_buf *out) {
    const char *end = text + bytes;
    if (bytes >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
        text += 3;
    while (text < end) {
        size_t valid = vl_utf8_valid_prefix(text, (size_t)(end - text));
        const char *stop = text + valid;
        while (text < stop) {
            const char *slash = memchr(text, '\\', (size_t)(stop - text));
            vl_buf_append(out, text, (size_t)((slash ? slash : stop) - text));
            text = slash ? slash + put_escape(out, slash, stop) : stop;
        }
        if (text < end) {
            vl_buf_puts(out, "\xEF\xBF\xBD");
            text++;
        }
    }
}

static const char *past_string(const char *at) {
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

static vl_status measure(const char *text, vl_error *error) {
    size_t depth = 0, values = 1;
    while (*text) {
        if (*text == '"') {
            text = past_string(text);
            continue;
        }
        if (*text == '{' || *text == '[') {
            values++;
            if (++depth > VL_JSON_DEPTH)
                return vl_fail(error, VL_ERR_LIMIT, "the answer is deeper than %d levels",
                               VL_JSON_DEPTH);
        } else if (*text == '}' || *text == ']') {
            depth -= depth > 0;
        } else if (*text == ',' && ++values > VL_JSON_VALUES) {
            return vl_fail(error, VL_ERR_LIMIT, "the answer has more than %d values",
                           VL_JSON_VALUES);
        }
        text++;
    }
    return VL_OK;
}

vl_status vl_json_parse(const char *text, size_t bytes, cJSON **root, vl_error *error) {
    vl_buf copy;
    const char *stop = NULL;
    *root = NULL;
    vl_buf_init(&copy, bytes * 3 + 1);
    if (bytes)
        clean(text, bytes, &copy);
    vl_buf_puts(&copy, "");
    vl_status status = vl_buf_status(&copy, "an answer", error);
    if (status)
        goto out;
    const char *first = copy.data ? copy.data : "";
    first += strspn(first, " \t\r\n");
    if (*first == '<') {
        status = vl_fail(error, VL_ERR_INPUT, "a page came instead of JSON: %.120s", first);
        goto out;
    }
    status = measure(first, error);
    if (status)
        goto out;
    *root = cJSON_ParseWithOpts(first, &stop, true);
    if (!*root)
        status = vl_fail(error, VL_ERR_INPUT, "the answer is no JSON at byte %zu: %.60s",
                         stop ? (size_t)(stop - copy.data) : 0, *first ? first : "it is empty");
out:
    vl_buf_deinit(&copy);
    return status;
}

/* ---- values ------------------------------------------------------------------------------ */

const cJSON *vl_json_at(const cJSON *object, const char *path) {
    char key[64];
    while (object && *path) {
        size_t length = strcspn(path, ".");
        if (length >= sizeof key)
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        object = cJSON_GetObjectItemCaseSensitive(object, key);
        path += length + (path[length] == '.');
    }
    return object;
}

const char *vl_json_text_of(vl_arena *arena, const cJSON *value) {
    if (cJSON_IsNumber(value)) {
        double number = value->valuedouble;
        bool whole = fabs(number) < 9007199254740992.0 && number == floor(number);
        return vl_arena_printf(arena, whole ? "%.0f" : "%.15g", number);
    }
    const char *text = cJSON_GetStringValue(value);
    if (!text)
        return NULL;
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    return length ? vl_arena_strndup(arena, text, length) : NULL;
}

const char *vl_json_text(vl_arena *arena, const cJSON *object, const char *path) {
    return vl_json_text_of(arena, vl_json_at(object, path));
}

bool vl_json_number(const cJSON *object, const char *path, double *value) {
    const cJSON *item = vl_json_at(object, path);
    const char *text = cJSON_GetStringValue(item);
    char *end;
    *value = 0;
    if (cJSON_IsNumber(item)) {
        *value = item->valuedouble;
        return isfinite(*value);
    }
    if (!text || !*(text += strspn(text, " ")))
        return false;
    *value = strtod(text, &end);
    if (end == text || end[strspn(end, " ")] || !isfinite(*value)) {
        *value = 0;
        return false;
    }
    return true;
}

uint64_t vl_json_count(const cJSON *object, const char *path) {
    double value;
    return vl_json_number(object, path, &value) && value >= 1 && value < 9e15 ? (uint64_t)value
                                                                              : 0;
}

bool vl_json_true(const cJSON *object, const char *path) {
    const cJSON *item = vl_json_at(object, path);
    const char *text = cJSON_GetStringValue(item);
    if (text)
        return !strcasecmp(text, "true") || !strcmp(text, "1") || !strcasecmp(text, "yes");
    return cJSON_IsTrue(item) || (cJSON_IsNumber(item) && item->valuedouble != 0);
}

const char *vl_json_time(vl_arena *arena, const cJSON *object, const char *path) {
    char out[VL_ASK_TIME_SIZE];
    const char *text = cJSON_GetStringValue(vl_json_at(object, path));
    return text && vl_ask_time(text, false, out) ? vl_arena_strdup(arena, out) : NULL;
}

/* Whether `list` has `item` already. */
static bool holds(const char *list, const char *item) {
    size_t length = strlen(item);
    while (*list) {
        size_t bytes = strcspn(list, ",");
        if (bytes == length && !memcmp(list, item, length))
            return true;
        list += bytes + (list[bytes] == ',');
    }
    return false;
}

const char *vl_json_list(vl_arena *arena, const cJSON *array, const char *path) {
    enum { LIST_MAX = 16 << 10 };
    const cJSON *item;
    const char *list = NULL;
    vl_buf out;
    vl_buf_init(&out, LIST_MAX);
    cJSON_ArrayForEach(item, array) {
        const char *text = vl_json_text(arena, item, path);
        char *copy = text ? vl_arena_strdup(arena, text) : NULL;
        for (char *at = copy; at && (at = strchr(at, ','));)
            *at = ';';
        if (!copy || holds(out.data ? out.data : "", copy))
            continue;
        if (out.len + strlen(copy) + 1 >= LIST_MAX)
            break;
        if (out.len)
            vl_buf_puts(&out, ",");
        vl_buf_puts(&out, copy);
    }
    if (out.len && !out.failed)
        list = vl_arena_strndup(arena, out.data, out.len);
    vl_buf_deinit(&out);
    return list;
}

const char *vl_json_raw(vl_arena *arena, const cJSON *value) {
    char *text = cJSON_PrintUnformatted(value);
    const char *copy = text ? vl_arena_strdup(arena, text) : NULL;
    cJSON_free(text);
    return copy;
}
