/* config.c — the effective settings: defaults < YAML file < environment < flags.
 *
 * Every value is checked for type and range where it enters, so that the accessors cannot fail,
 * and remembers where it came from. An empty environment variable counts as not set (compose
 * files write `WORKERS=`). A variable VISLANG_… that means nothing is an error, as is an
 * unknown key or flag; a variable that a later version will read is a logged warning, since it
 * may be there for another program. */
#include "base/settings.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <cJSON.h>

enum { FILE_MAX = 1 << 20, VALUE_MAX = 4096, ENV_NAME_SIZE = 96 };

extern char **environ;

typedef struct value {
    char *text, *source;
    double number;
    int64_t integer;
    bool boolean;
} value;

struct vl_config {
    size_t count;
    value values[];
};

/* Variables with our prefix that are read elsewhere. */
static const char *const other_variables[] = {"VISLANG_DATA", "VISLANG_SHARED_DATA",
                                              "VISLANG_CPU", "VISLANG_DECODER"};

/* ---- values ----------------------------------------------------------------------- */

static vl_status out_of_range(const setting_def *def, const char *text, vl_error *error) {
    if (def->type == SETTING_BYTES)
        return vl_fail(error, VL_ERR_USAGE,
                       "'%s' is %s; it must lie between %.0f and %.0f bytes", def->name, text,
                       def->min, def->max);
    return vl_fail(error, VL_ERR_USAGE, "'%s' is %s; it must lie between %.10g and %.10g",
                   def->name, text, def->min, def->max);
}

static vl_status number_check(const setting_def *def, const char *text, value *v,
                              vl_error *error) {
    char *end;
    errno = 0;
    bool whole = def->type == SETTING_INT;
    /* No hexadecimal, no "inf", no "nan", no leading space. */
    bool plain = *text && strspn(text, "+-0123456789.eE") == strlen(text);
    if (whole)
        v->integer = strtoll(text, &end, 10);
    else
        v->number = strtod(text, &end);
    if (!plain || end == text || *end || (errno && !(whole && errno == ERANGE)))
        return vl_fail(error, VL_ERR_USAGE, "'%s' takes a %snumber, not '%.80s'", def->name,
                       whole ? "whole " : "", text);
    if (whole)
        v->number = (double)v->integer;
    if (!(v->number >= def->min && v->number <= def->max))
        return out_of_range(def, text, error);
    if (!whole)
        v->integer = (int64_t)llround(v->number);
    return VL_OK;
}

static vl_status bytes_check(const setting_def *def, const char *text, value *v,
                             vl_error *error) {
    uint64_t bytes;
    vl_status status = vl_parse_bytes(text, &bytes, error);
    if (status != VL_OK)
        return vl_error_prefix(error, "'%s'", def->name);
    if ((double)bytes < def->min || (double)bytes > def->max)
        return out_of_range(def, text, error);
    v->integer = (int64_t)bytes;
    v->number = (double)bytes;
    return VL_OK;
}

static vl_status bool_check(const setting_def *def, const char *text, value *v,
                            vl_error *error) {
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < 4; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            v->boolean = strcasecmp(text, yes[i]) == 0;
            return VL_OK;
        }
    }
    return vl_fail(error, VL_ERR_USAGE, "'%s' takes true or false, not '%.80s'", def->name,
                   text);
}

static bool is_clean(const char *text) {
    size_t bytes = strlen(text);
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
            return false;
    return vl_utf8_valid_prefix(text, bytes) == bytes;
}

static vl_status value_check(const setting_def *def, const char *text, value *v,
                             vl_error *error) {
    if (strlen(text) > VALUE_MAX || !is_clean(text))
        return vl_fail(error, VL_ERR_USAGE, "'%s' takes at most %d bytes of UTF-8 on one line",
                       def->name, VALUE_MAX);
    vl_log_level level;
    switch (def->type) {
    case SETTING_INT:
    case SETTING_NUMBER:
        return number_check(def, text, v, error);
    case SETTING_BYTES:
        return bytes_check(def, text, v, error);
    case SETTING_BOOL:
        return bool_check(def, text, v, error);
    case SETTING_LEVEL:
        if (vl_log_level_parse(text, &level, error) != VL_OK)
            return vl_error_prefix(error, "'%s'", def->name);
        return VL_OK;
    case SETTING_STRING:
    case SETTING_LIST:
        return VL_OK;
    }
    return VL_OK;
}

/* A list without white space around its items and without empty items. */
static void list_tidy(char *text) {
    char *to = text;
    for (const char *at = text; *at;) {
        at += strspn(at, ", \t");
        size_t bytes = strcspn(at, ",");
        size_t kept = bytes;
        while (kept && (at[kept - 1] == ' ' || at[kept - 1] == '\t'))
            kept--;
        if (kept && to != text)
            *to++ = ',';
        memmove(to, at, kept);
        to += kept;
        at += bytes;
    }
    *to = '\0';
}

vl_status vl_config_put(vl_config *config, size_t index, const char *text, const char *source,
                        vl_error *error) {
    const setting_def *def = &vl_settings[index];
    value v = {0};
    vl_status status = value_check(def, text, &v, error);
    if (status != VL_OK)
        return status;
    v.text = strdup(text);
    v.source = strdup(source);
    if (!v.text || !v.source) {
        free(v.text);
        free(v.source);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the configuration");
    }
    if (def->type == SETTING_LIST)
        list_tidy(v.text);
    free(config->values[index].text);
    free(config->values[index].source);
    config->values[index] = v;
    return VL_OK;
}

const char *vl_config_source(const vl_config *config, size_t index) {
    return config->values[index].source;
}

/* ---- sources ---------------------------------------------------------------------- */

static vl_status defaults_load(vl_config *config, vl_error *error) {
    for (size_t i = 0; i < vl_settings_count; i++) {
        vl_status status = vl_config_put(config, i, vl_settings[i].fallback, "default", error);
        if (status != VL_OK)
            return status;
    }
    return VL_OK;
}

static vl_status file_load(vl_config *config, const char *path, vl_error *error) {
    vl_buf text;
    vl_buf_init(&text, FILE_MAX);
    vl_status status = vl_file_read(path, FILE_MAX, &text, error);
    if (status == VL_OK)
        status = vl_config_yaml(config, path, text.data ? text.data : "", text.len, error);
    vl_buf_deinit(&text);
    return status;
}

/* "VISLANG_PORT" of "port". */
static void variable_name(const char *name, char out[ENV_NAME_SIZE]) {
    int used = snprintf(out, ENV_NAME_SIZE, "VISLANG_%s", name);
    for (int i = 0; i < used && i < ENV_NAME_SIZE - 1; i++)
        out[i] = (char)toupper((unsigned char)out[i]);
}

/* "port" of "VISLANG_PORT=8000"; false when it is too long to be one of ours. */
static bool setting_name(const char *entry, char out[ENV_NAME_SIZE]) {
    size_t bytes = strcspn(entry, "=");
    if (bytes >= ENV_NAME_SIZE)
        return false;
    size_t skip = strlen("VISLANG_");
    for (size_t i = skip; i < bytes; i++)
        out[i - skip] = (char)tolower((unsigned char)entry[i]);
    out[bytes - skip] = '\0';
    return true;
}

static bool is_other_variable(const char *entry) {
    for (size_t i = 0; i < sizeof other_variables / sizeof other_variables[0]; i++) {
        size_t bytes = strlen(other_variables[i]);
        if (strncmp(entry, other_variables[i], bytes) == 0 && entry[bytes] == '=')
            return true;
    }
    return false;
}

static vl_status unknown_variable(const char *entry, const char *name, vl_error *error) {
    const char *candidates[64];
    size_t count = 0;
    for (; count < vl_settings_count && count < 64; count++)
        candidates[count] = vl_settings[count].name;
    const char *nearest = name ? vl_nearest_name(name, candidates, count) : NULL;
    char variable[ENV_NAME_SIZE] = "";
    if (nearest)
        variable_name(nearest, variable);
    return vl_fail(error, VL_ERR_USAGE, "unknown environment variable %.*s%s%s%s",
                   (int)strcspn(entry, "="), entry, nearest ? "; did you mean " : "", variable,
                   nearest ? "?" : "");
}

/* Everything called VISLANG_… must mean something. */
static vl_status prefixed_check(vl_error *error) {
    for (char **entry = environ; entry && *entry; entry++) {
        char name[ENV_NAME_SIZE];
        if (strncmp(*entry, "VISLANG_", 8) != 0 || is_other_variable(*entry))
            continue;
        if (!setting_name(*entry, name))
            return unknown_variable(*entry, NULL, error);
        if (vl_setting_find(name) == SIZE_MAX && !vl_setting_is_later(name))
            return unknown_variable(*entry, name, error);
    }
    return VL_OK;
}

static void later_warn(void) {
    size_t count;
    const char *const *names = vl_settings_later(&count);
    for (size_t i = 0; i < count; i++) {
        char prefixed[ENV_NAME_SIZE];
        variable_name(names[i], prefixed);
        const char *variables[] = {prefixed, prefixed + strlen("VISLANG_")};
        for (size_t j = 0; j < 2; j++) {
            const char *set = getenv(variables[j]);
            if (set && *set)
                vl_log(VL_LOG_WARN, "this environment variable is not used by this version",
                       VL_F_STR("variable", variables[j]));
        }
    }
}

/* VISLANG_NAME before the name without prefix. */
static vl_status environment_load(vl_config *config, vl_error *error) {
    vl_status status = prefixed_check(error);
    for (size_t i = 0; status == VL_OK && i < vl_settings_count; i++) {
        char prefixed[ENV_NAME_SIZE], source[ENV_NAME_SIZE + 16];
        variable_name(vl_settings[i].name, prefixed);
        const char *variable = prefixed, *text = getenv(prefixed);
        if ((!text || !*text) && vl_settings[i].environment) {
            variable = vl_settings[i].environment;
            text = getenv(variable);
        }
        if (!text || !*text)
            continue;
        snprintf(source, sizeof source, "environment %s", variable);
        status = vl_config_put(config, i, text, source, error);
        if (status != VL_OK)
            return vl_error_prefix(error, "environment variable %s", variable);
    }
    if (status == VL_OK)
        later_warn();
    return status;
}

static vl_status flag_load(vl_config *config, const vl_setting *flag, vl_error *error) {
    char name[ENV_NAME_SIZE], suggestion[128];
    snprintf(name, sizeof name, "%s", flag->name);
    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    size_t index = vl_setting_find(name);
    if (index == SIZE_MAX && vl_setting_is_later(name))
        return vl_fail(error, VL_ERR_USAGE, "'%s' is not used by this version", name);
    if (index == SIZE_MAX) {
        const char *candidates[64];
        size_t count = 0;
        for (; count < vl_settings_count && count < 64; count++)
            candidates[count] = vl_settings[count].name;
        const char *nearest = vl_nearest_name(name, candidates, count);
        snprintf(suggestion, sizeof suggestion, "%s%s%s", nearest ? "; did you mean '" : "",
                 nearest ? nearest : "", nearest ? "'?" : "");
        return vl_fail(error, VL_ERR_USAGE, "unknown setting '%s'%s", name, suggestion);
    }
    return vl_config_put(config, index, flag->value, "flag", error);
}

/* Workers as they will be: 0 becomes one per processor, and max_workers bounds both. */
static vl_status workers_resolve(vl_config *config, vl_error *error) {
    value *workers = &config->values[vl_setting_find("workers")];
    const value *most = &config->values[vl_setting_find("max_workers")];
    if (workers->integer > most->integer)
        return vl_fail(error, VL_ERR_USAGE,
                       "'workers' is %lld (%s) and 'max_workers' is %lld (%s)",
                       (long long)workers->integer, workers->source, (long long)most->integer,
                       most->source);
    if (workers->integer != 0)
        return VL_OK;
    int64_t cpus = (int64_t)vl_cpu_count();
    char text[32], source[160];
    snprintf(text, sizeof text, "%lld",
             (long long)(cpus < most->integer ? cpus : most->integer));
    snprintf(source, sizeof source, "%.100s: one per processor", workers->source);
    return vl_config_put(config, vl_setting_find("workers"), text, source, error);
}

vl_status vl_config_load(const char *path, const vl_setting *flags, size_t flag_count,
                         vl_config **config, vl_error *error) {
    *config = NULL;
    vl_config *made = calloc(1, sizeof *made + vl_settings_count * sizeof made->values[0]);
    if (!made)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the configuration");
    made->count = vl_settings_count;
    vl_status status = defaults_load(made, error);
    if (status == VL_OK && path)
        status = file_load(made, path, error);
    if (status == VL_OK)
        status = environment_load(made, error);
    for (size_t i = 0; status == VL_OK && i < flag_count; i++)
        status = flag_load(made, &flags[i], error);
    if (status == VL_OK)
        status = workers_resolve(made, error);
    if (status == VL_OK)
        *config = made;
    else
        vl_config_free(made);
    return status;
}

void vl_config_free(vl_config *config) {
    if (!config)
        return;
    for (size_t i = 0; i < config->count; i++) {
        free(config->values[i].text);
        free(config->values[i].source);
    }
    free(config);
}

/* ---- reading ---------------------------------------------------------------------- */

static const value *value_of(const vl_config *config, const char *name, bool numeric) {
    size_t index = vl_setting_find(name);
    bool fits = index != SIZE_MAX;
    if (fits && numeric)
        fits = vl_settings[index].type == SETTING_INT ||
               vl_settings[index].type == SETTING_NUMBER ||
               vl_settings[index].type == SETTING_BYTES;
    if (!fits) {
        fprintf(stderr, "vislang: there is no %ssetting '%s'\n", numeric ? "numeric " : "",
                name);
        abort();
    }
    return &config->values[index];
}

const char *vl_config_string(const vl_config *config, const char *name) {
    return value_of(config, name, false)->text;
}

int64_t vl_config_int(const vl_config *config, const char *name) {
    return value_of(config, name, true)->integer;
}

double vl_config_number(const vl_config *config, const char *name) {
    return value_of(config, name, true)->number;
}

bool vl_config_bool(const vl_config *config, const char *name) {
    return value_of(config, name, false)->boolean;
}

/* ---- printing --------------------------------------------------------------------- */

static const char *shown(const setting_def *def, const value *v) {
    return def->secret && *v->text ? "********" : v->text;
}

static void print_text(const vl_config *config, vl_buf *out) {
    for (size_t i = 0; i < config->count; i++) {
        const value *v = &config->values[i];
        const char *text = shown(&vl_settings[i], v);
        vl_buf_printf(out, "%-24s %-16s (%s)\n", vl_settings[i].name, *text ? text : "\"\"",
                      v->source);
    }
}

static cJSON *json_value(const setting_def *def, const value *v) {
    switch (def->type) {
    case SETTING_INT:
    case SETTING_BYTES:
    case SETTING_NUMBER:
        return cJSON_CreateNumber(v->number);
    case SETTING_BOOL:
        return cJSON_CreateBool(v->boolean);
    case SETTING_STRING:
    case SETTING_LIST:
    case SETTING_LEVEL:
        break;
    }
    return cJSON_CreateString(shown(def, v));
}

static void print_json(const vl_config *config, vl_buf *out) {
    cJSON *all = cJSON_CreateObject();
    for (size_t i = 0; i < config->count; i++) {
        cJSON *one = cJSON_AddObjectToObject(all, vl_settings[i].name);
        cJSON_AddItemToObject(one, "value", json_value(&vl_settings[i], &config->values[i]));
        cJSON_AddStringToObject(one, "source", config->values[i].source);
    }
    char *text = cJSON_Print(all);
    if (text)
        vl_buf_printf(out, "%s\n", text);
    else
        out->failed = true;
    free(text);
    cJSON_Delete(all);
}

void vl_config_print(const vl_config *config, bool json, vl_buf *out) {
    if (json)
        print_json(config, out);
    else
        print_text(config, out);
}

static void describe_range(const setting_def *def, vl_buf *out) {
    static const char *const names[] = {
        [SETTING_STRING] = "text",   [SETTING_INT] = "whole number",
        [SETTING_NUMBER] = "number", [SETTING_BOOL] = "true/false",
        [SETTING_BYTES] = "size",    [SETTING_LIST] = "list",
        [SETTING_LEVEL] = "level"};
    vl_buf_puts(out, names[def->type]);
    if (def->max > def->min)
        vl_buf_printf(out, ", %.10g–%.10g", def->min, def->max);
}

void vl_config_describe(vl_buf *markdown) {
    vl_buf_puts(markdown,
                "| setting | in YAML | environment | value | default | what it does |\n"
                "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < vl_settings_count; i++) {
        const setting_def *def = &vl_settings[i];
        char variable[ENV_NAME_SIZE];
        variable_name(def->name, variable);
        vl_buf_printf(markdown, "| `%s` | `%s` | `%s`%s%s%s | ", def->name, def->yaml, variable,
                      def->environment ? ", `" : "", def->environment ? def->environment : "",
                      def->environment ? "`" : "");
        describe_range(def, markdown);
        vl_buf_printf(markdown, " | %s%s%s | %s |\n", *def->fallback ? "`" : "", def->fallback,
                      *def->fallback ? "`" : "", def->help);
    }
    size_t count;
    const char *const *names = vl_settings_later(&count);
    vl_buf_puts(markdown, "\nNames that this version refuses because nothing obeys them yet:");
    for (size_t i = 0; i < count; i++)
        vl_buf_printf(markdown, "%s `%s`", i ? "," : "", names[i]);
    vl_buf_puts(markdown, ".\n");
}
