/* langid_data.c — the recipe for language identification, and the text it names.
 *
 * The recipe is YAML: settings, then `languages:` mapping a code to its files, then `unknown:`,
 * a folder whose other files stand for every language the model does not know. A file is
 * gzipped plain text, a line a text; "name.tsv.gz:3" takes the third column. */
#include "text/langid_model.h"
#include "base/doc.h"
#include "train/langid_data.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    ARENA_BYTES = 1 << 30,
    MAX_LINE = 1 << 16,
    MIN_LINE = 12,
    MAX_LINES_PER_FILE = 20000,
    HELD_ONE_IN = 10,
    UNKNOWN_HELD_ONE_IN = 5,
    CALIBRATE_ONE_IN = 20,
};

static uint32_t text_hash(const char *text) {
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash ^ (hash >> 16);
}

/* ---- lines ----------------------------------------------------------------------------------
 */

/* `file` is kept as it is. */
static bool add_line(vl_arena *arena, langid_lines *to, const char *text, const char *file) {
    if (to->count == to->capacity) {
        size_t capacity = to->capacity ? to->capacity * 2 : 256;
        char **items = vl_arena_grow(arena, to->items, to->count * sizeof *items,
                                     capacity * sizeof *items);
        const char **files = vl_arena_grow(arena, to->files, to->count * sizeof *files,
                                           capacity * sizeof *files);
        if (!items || !files)
            return false;
        to->items = items;
        to->files = files;
        to->capacity = capacity;
    }
    to->files[to->count] = file;
    return (to->items[to->count++] = vl_arena_strndup(arena, text, strlen(text))) != NULL;
}

/* The `column`-th (from 1) tab-separated field, or the whole line for 0. */
static char *field(char *line, unsigned column) {
    for (unsigned i = 1; line && i < column; i++) {
        line = strchr(line, '\t');
        line += line != NULL;
    }
    if (line && column)
        line[strcspn(line, "\t")] = '\0';
    return line;
}

/* Which of a file's lines are for what; TRAIN_ALL, CALIBRATE_ALL and HOLD_ALL are for one
 * thing. */
typedef enum holding { HOLD_SOME, TRAIN_ALL, CALIBRATE_ALL, HOLD_ALL } holding;

/* By its hash, so that a line that is there twice is for one thing only. */
static langid_lines *lines_for(lang_data *to, holding hold, uint32_t hash) {
    if (hold == HOLD_ALL || (hold == HOLD_SOME && hash % HELD_ONE_IN == 0))
        return &to->held;
    if (hold == CALIBRATE_ALL || (hold == HOLD_SOME && hash % CALIBRATE_ONE_IN == 1))
        return &to->calibrate;
    return &to->train;
}

static vl_status read_file(langid_recipe *r, const char *data_dir, const char *name,
                           lang_data *to, holding hold, vl_error *error) {
    char path[4096], *line = malloc(MAX_LINE);
    const char *file_name = vl_arena_strndup(r->arena, name, strlen(name));
    const char *colon = strrchr(name, ':');
    unsigned column = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
    snprintf(path, sizeof path, "%s/%.*s", data_dir,
             colon ? (int)(colon - name) : (int)strlen(name), name);
    gzFile file = gzopen(path, "rb");
    vl_status status = VL_OK;
    if (!file || !line || !file_name)
        status = vl_fail(error, VL_ERR_MISSING, "%s: %s", path, strerror(errno));
    for (size_t n = 0; !status && n < MAX_LINES_PER_FILE && gzgets(file, line, MAX_LINE); n++) {
        line[strcspn(line, "\r\n")] = '\0';
        char *text = field(line, column);
        if (!text || strlen(text) < MIN_LINE)
            continue;
        if (!add_line(r->arena, lines_for(to, hold, text_hash(text)), text, file_name))
            status = vl_fail(error, VL_ERR_MEMORY, "the text does not fit in memory");
    }
    if (file)
        gzclose(file);
    free(line);
    return status;
}

/* ---- the recipe -----------------------------------------------------------------------------
 */

typedef struct reading {
    doc tree;
    langid_recipe *recipe;
    const char *data_dir;
    langid_lines used; /* files of the unknown folder, by languages */
} reading;

static bool remember_used(reading *r, const char *name) {
    return add_line(r->recipe->arena, &r->used, name, NULL);
}

static vl_status read_language(reading *r, const yaml_node_t *key, const yaml_node_t *files) {
    langid_recipe *recipe = r->recipe;
    const char *code = doc_text(key);
    lang_data *to = &recipe->languages[recipe->language_count++];
    snprintf(to->code, sizeof to->code, "%s", code);
    if (!doc_is_list(files))
        return doc_refuse(&r->tree, files, "%s: a list of files is needed", code);
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < doc_count(files); i++) {
        const char *name = doc_text(doc_item(&r->tree, files, i));
        bool all_held = name && !strncmp(name, "held ", 5);
        if (!name)
            return doc_refuse(&r->tree, files, "%s: a file has no name", code);
        if (!remember_used(r, name))
            return vl_fail(r->tree.error, VL_ERR_MEMORY, "the recipe is too large");
        status = read_file(recipe, r->data_dir, all_held ? name + 5 : name, to,
                           all_held ? HOLD_ALL : HOLD_SOME, r->tree.error);
    }
    if (!status && !to->train.count)
        status =
            vl_fail(r->tree.error, VL_ERR_MISSING, "there is no text to train %s on", code);
    return status;
}

static bool is_used(const reading *r, const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (size_t i = 0; i < r->used.count; i++)
        if (!strcmp(r->used.items[i], path))
            return true;
    return false;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Every file of the folder that no language uses, and whose language no language has
 * ("aka_fante" stays out when there is an "aka"). */
static bool is_relative(const reading *r, const char *name) {
    for (size_t i = 0; i < r->recipe->language_count; i++) {
        const char *code = r->recipe->languages[i].code;
        size_t length = strlen(code);
        if (!strncmp(name, code, length) && (name[length] == '_' || name[length] == '.'))
            return true;
    }
    return false;
}

static bool is_excepted(reading *r, const char *name, const yaml_node_t *except) {
    for (size_t i = 0; i < doc_count(except); i++) {
        const char *text = doc_text(doc_item(&r->tree, except, i));
        if (text && !strncmp(text, name, strlen(text)))
            return true;
    }
    return false;
}

/* Makes the files' lines the training text of "und", a group of relatives a label. */
static vl_status group_unknown(reading *r, langid_lines *files, size_t count, lang_data *to) {
    langid_recipe *recipe = r->recipe;
    uint32_t *group = vl_arena_array(recipe->arena, count + 1, sizeof *group);
    if (!group)
        return vl_fail(r->tree.error, VL_ERR_MEMORY, "out of memory");
    vl_status status = langid_group(files, count, recipe->unknown_groups, group, r->tree.error);
    for (size_t i = 0; i < count && !status; i++)
        for (size_t j = 0; j < files[i].count && !status; j++)
            if (!add_line(recipe->arena, &to[group[i]].train, files[i].items[j],
                          files[i].files[j]))
                status =
                    vl_fail(r->tree.error, VL_ERR_MEMORY, "the text does not fit in memory");
    for (uint32_t g = 0; g < recipe->unknown_groups && !status; g++)
        if (!to[g].train.count)
            status =
                vl_fail(r->tree.error, VL_ERR_INPUT, "a group of unknown languages is empty");
    return status;
}

/* One language in five is held out whole and one in twenty calibrates (all such in the first
 * group's `held` and `calibrate`). */
static vl_status read_unknown(reading *r, const char *folder, const yaml_node_t *except) {
    char path[4096];
    struct dirent **entries;
    snprintf(path, sizeof path, "%s/%s", r->data_dir, folder);
    int count = scandir(path, &entries, NULL, by_name);
    if (count < 0)
        return vl_fail(r->tree.error, VL_ERR_MISSING, "%s: %s", path, strerror(errno));
    langid_recipe *recipe = r->recipe;
    lang_data *to = &recipe->languages[recipe->language_count], file;
    langid_lines *files = vl_arena_array(recipe->arena, (size_t)count + 1, sizeof *files);
    size_t used = 0;
    vl_status status = files ? VL_OK : vl_fail(r->tree.error, VL_ERR_MEMORY, "out of memory");
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (!status && name[0] != '.' && !is_excepted(r, name, except) &&
            !is_used(r, folder, name) && !is_relative(r, name)) {
            uint32_t hash = text_hash(name);
            file = (lang_data){.held = to->held, .calibrate = to->calibrate};
            status = read_file(recipe, r->data_dir, path, &file,
                               hash % UNKNOWN_HELD_ONE_IN == 0 ? HOLD_ALL
                               : hash % CALIBRATE_ONE_IN == 1  ? CALIBRATE_ALL
                                                               : TRAIN_ALL,
                               r->tree.error);
            to->held = file.held;
            to->calibrate = file.calibrate;
            if (file.train.count)
                files[used++] = file.train;
        }
        free(entries[i]);
    }
    free(entries);
    for (uint32_t g = 0; g < recipe->unknown_groups; g++)
        snprintf(to[g].code, sizeof to[g].code, "und");
    recipe->language_count += recipe->unknown_groups;
    return status ? status : group_unknown(r, files, used, to);
}

static vl_status read_languages(reading *r, const yaml_node_t *languages) {
    langid_recipe *recipe = r->recipe;
    size_t count = doc_count(languages);
    vl_status status = doc_check_keys(&r->tree, languages, NULL, 0);
    if (status)
        return status;
    if (!count || count + recipe->unknown_groups > VL_LANGID_MAX_LABELS)
        return vl_fail(r->tree.error, VL_ERR_LIMIT, "the recipe has %zu languages", count);
    recipe->languages = vl_arena_array(recipe->arena, count + recipe->unknown_groups,
                                       sizeof *recipe->languages);
    if (!recipe->languages)
        return vl_fail(r->tree.error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count && !status; i++)
        status = read_language(r, doc_key(&r->tree, languages, i),
                               doc_value(&r->tree, languages, i));
    return status;
}

static vl_status read_recipe(reading *r, const yaml_node_t *root) {
    static const struct {
        const char *name;
        double low, high;
    } numbers[] = {{"seed", 0, 1e15},
                   {"buckets", 256, 1 << 18},
                   {"epochs", 1, 1000},
                   {"samples_per_language", 1, 1e7},
                   {"unknown_groups", 1, 256},
                   {"unknown_share", 0, 0.5},
                   {"learning_rate", 1e-6, 100},
                   {"width", 8, 256},
                   {"dropout", 0, 0.9},
                   {"unknown_wrong", 0, 0.5}};
    enum { WIDTH = 7, NUMBERS = 10, LANGUAGES = NUMBERS, UNKNOWN, EXCEPT, MODEL, KEYS };
    static const char *const names[KEYS] = {
        "seed",           "buckets",       "epochs",        "samples_per_language",
        "unknown_groups", "unknown_share", "learning_rate", "width",
        "dropout",        "unknown_wrong", "languages",     "unknown",
        "unknown_except", "model"};
    langid_recipe *recipe = r->recipe;
    const yaml_node_t *at[KEYS];
    double number[NUMBERS];
    vl_status status = doc_values(&r->tree, root, names, KEYS, at);
    for (size_t i = 0; i < NUMBERS && !status; i++)
        status = doc_number(&r->tree, root, at[i], numbers[i].name, numbers[i].low,
                            numbers[i].high, &number[i]);
    if (status)
        return status;
    recipe->seed = (uint64_t)number[0];
    recipe->buckets = (uint32_t)number[1];
    recipe->epochs = (uint32_t)number[2];
    recipe->samples_per_language = (uint32_t)number[3];
    recipe->unknown_groups = (uint32_t)number[4];
    recipe->unknown_share = number[5];
    recipe->learning_rate = number[6];
    recipe->width = (uint32_t)number[7];
    recipe->dropout = number[8];
    recipe->unknown_wrong = number[9];
    if (recipe->width % VL_LANGID_STEP)
        return doc_refuse(&r->tree, at[WIDTH], "width: a multiple of %d is needed",
                          VL_LANGID_STEP);
    const char *unknown = doc_text(at[UNKNOWN]);
    if (!at[LANGUAGES] || !unknown)
        return doc_refuse(&r->tree, root, "the recipe needs 'languages' and 'unknown'");
    if (at[EXCEPT] && !doc_is_list(at[EXCEPT]))
        return doc_refuse(&r->tree, at[EXCEPT], "unknown_except: a list of names is needed");
    status = read_languages(r, at[LANGUAGES]);
    return status ? status : read_unknown(r, unknown, at[EXCEPT]);
}

vl_status langid_recipe_load(const char *path, const char *data_dir, langid_recipe *recipe,
                             vl_error *error) {
    *recipe = (langid_recipe){.arena = vl_arena_new(ARENA_BYTES)};
    reading r = {.recipe = recipe, .data_dir = data_dir};
    if (!recipe->arena)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_status status = doc_open(&r.tree, path, VL_ERR_INPUT, error);
    if (status)
        return status;
    status = read_recipe(&r, doc_root(&r.tree));
    doc_close(&r.tree);
    return status;
}

void langid_recipe_free(langid_recipe *recipe) {
    vl_arena_free(recipe->arena);
    recipe->arena = NULL;
}
