/* settings.h — the one table of settings, shared by config.c, config_yaml.c and the
 * documentation made from it. */
#ifndef VISLANG_BASE_SETTINGS_H
#define VISLANG_BASE_SETTINGS_H

#include <vislang/base.h>

typedef enum setting_type {
    SETTING_STRING,
    SETTING_INT,
    SETTING_NUMBER,
    SETTING_BOOL,
    SETTING_BYTES, /* "100MB"; kept as a number of bytes */
    SETTING_LIST,  /* comma-separated; a sequence in YAML */
    SETTING_LEVEL  /* a log level */
} setting_type;

typedef struct setting_def {
    const char *name;
    const char *environment; /* beside VISLANG_<NAME>; NULL: that one only */
    const char *yaml;        /* "section.key"; the plain name works at the top level too */
    setting_type type;
    const char *fallback;
    double min, max; /* numbers and sizes */
    bool secret;
    const char *help;
} setting_def;

extern const setting_def vl_settings[];
extern const size_t vl_settings_count;

/* Index of the setting called `name`, or by its "section.key"; SIZE_MAX when there is none. */
size_t vl_setting_find(const char *name);
size_t vl_setting_find_yaml(const char *section, const char *key);
bool vl_setting_is_section(const char *name);
/* A name that a later version gives a meaning and this one does not. */
bool vl_setting_is_later(const char *name);
const char *const *vl_settings_later(size_t *count);
/* "; did you mean 'port'?" or "" into `out`. `section` NULL: names and sections at top level.
 */
void vl_setting_suggest(const char *section, const char *word, char *out, size_t size);

/* ---- between config.c and config_yaml.c ------------------------------------------- */

/* Checks `text` and stores it as setting `index`, with where it came from. The message says
 * what is wrong with the value; the caller puts the place in front. */
vl_status vl_config_put(vl_config *config, size_t index, const char *text, const char *source,
                        vl_error *error);
/* Where the setting was last set: "default", "config.yaml:12", … */
const char *vl_config_source(const vl_config *config, size_t index);
/* Reads YAML in memory into `config`; `path` is for messages. */
vl_status vl_config_yaml(vl_config *config, const char *path, const char *text, size_t bytes,
                         vl_error *error);

#endif
