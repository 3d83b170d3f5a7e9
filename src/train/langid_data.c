/* langid_data.c — the recipe for language identification, and the text it names.
 *
 * The recipe is YAML: settings, then `languages:` mapping a code to its files, then `unknown:`,
 * a folder whose other files stand for every language the model does not know. A file is
 * gzipped plain text, a line a text; "name.tsv.gz:3" takes the third column. */
#include "text/langid_model.h"
#include "train/langid_data.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include <zlib.h>

enum {
    ARENA_BYTES = 1 << 30,
    MAX_LINE = 1 << 16,
    MIN_LINE = 12,
    MAX_LINES_PER_FILE = 20000,
    HELD_ONE_IN = 10,
    UNKNOWN_HELD_ONE_IN = 5,
};

static uint32_t text_hash(const char *text) {
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash ^ (hash >> 16);
}

/* ---- lines ----------------------------------------------------------------------------------
 */

static bool add_line(vl_arena *arena, lines *to, const char *text, size_t bytes) {
    if (to->count == to->capacity) {
        size_t capacity = to->capacity ? to->capacity * 2 : 256;
        char **grown = vl_arena_grow(arena, to->items, to->count * sizeof *grown,
                                     capacity * sizeof *grown);
        if (!grown)
            return false;
        to->items = grown;
        to->capacity = capacity;
    }
    return (to->items[to->count++] = vl_arena_strndup(arena, text, bytes)) != NULL;
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

typedef enum holding { HOLD_SOME, HOLD_ALL, HOLD_NONE } holding;

static vl_status read_file(langid_recipe *r, const char *data_dir, const char *name,
                           lang_data *to, holding hold, vl_error *error) {
    char path[4096], *line = malloc(MAX_LINE);
    const char *colon = strrchr(name, ':');
    unsigned column = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
    snprintf(path, sizeof path, "%s/%.*s", data_dir,
             colon ? (int)(colon - name) : (int)strlen(name), name);
    gzFile file = gzopen(path, "rb");
    vl_status status = VL_OK;
    if (!file || !line)
        status = vl_fail(error, VL_ERR_MISSING, "%s: %s", path, strerror(errno));
    for (size_t n = 0; !status && n < MAX_LINES_PER_FILE && gzgets(file, line, MAX_LINE); n++) {
        line[strcspn(line, "\r\n")] = '\0';
        char *text = field(line, column);
        if (!text || strlen(text) < MIN_LINE)
            continue;
        bool held =
            hold == HOLD_ALL || (hold == HOLD_SOME && text_hash(text) % HELD_ONE_IN == 0);
        if (!add_line(r->arena, held ? &to->held : &to->train, text, strlen(text)))
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
    yaml_document_t document;
    langid_recipe *recipe;
    const char *data_dir;
    char **used_files; /* of the unknown folder, by languages */
    size_t used_count, used_capacity;
    vl_error *error;
} reading;

static const char *scalar(const yaml_node_t *node) {
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
                                                  : NULL;
}

static yaml_node_t *value_of(reading *r, yaml_node_t *mapping, const char *key) {
    if (!mapping || mapping->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        const char *name = scalar(yaml_document_get_node(&r->document, pair->key));
        if (name && !strcmp(name, key))
            return yaml_document_get_node(&r->document, pair->value);
    }
    return NULL;
}

static vl_status read_number(reading *r, yaml_node_t *root, const char *key, double low,
                             double high, double *number) {
    const char *text = scalar(value_of(r, root, key));
    char *end = NULL;
    *number = text ? strtod(text, &end) : 0;
    if (!text || *end || !(*number >= low && *number <= high))
        return vl_fail(r->error, VL_ERR_INPUT,
                       "the recipe's '%s' must be a number from %g to %g", key, low, high);
    return VL_OK;
}

static bool remember_used(reading *r, const char *name) {
    lines used = {r->used_files, r->used_count, r->used_capacity};
    bool ok = add_line(r->recipe->arena, &used, name, strlen(name));
    r->used_files = used.items;
    r->used_count = used.count;
    r->used_capacity = used.capacity;
    return ok;
}

static vl_status read_language(reading *r, const char *code, yaml_node_t *files) {
    langid_recipe *recipe = r->recipe;
    lang_data *to = &recipe->languages[recipe->language_count++];
    snprintf(to->code, sizeof to->code, "%s", code);
    if (!files || files->type != YAML_SEQUENCE_NODE)
        return vl_fail(r->error, VL_ERR_INPUT, "the recipe's %s needs a list of files", code);
    vl_status status = VL_OK;
    for (yaml_node_item_t *item = files->data.sequence.items.start;
         !status && item < files->data.sequence.items.top; item++) {
        const char *name = scalar(yaml_document_get_node(&r->document, *item));
        bool all_held = name && !strncmp(name, "held ", 5);
        if (!name || !remember_used(r, name))
            return vl_fail(r->error, VL_ERR_INPUT, "the recipe's %s has a file without a name",
                           code);
        status = read_file(recipe, r->data_dir, all_held ? name + 5 : name, to,
                           all_held ? HOLD_ALL : HOLD_SOME, r->error);
    }
    if (!status && !to->train.count)
        status = vl_fail(r->error, VL_ERR_MISSING, "there is no text to train %s on", code);
    return status;
}

static bool is_used(const reading *r, const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (size_t i = 0; i < r->used_count; i++)
        if (!strcmp(r->used_files[i], path))
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

static bool is_excepted(reading *r, const char *name, yaml_node_t *except) {
    if (except)
        for (yaml_node_item_t *item = except->data.sequence.items.start;
             item < except->data.sequence.items.top; item++) {
            const char *text = scalar(yaml_document_get_node(&r->document, *item));
            if (text && !strncmp(text, name, strlen(text)))
                return true;
        }
    return false;
}

/* Makes the files' lines the training text of "und", a group of relatives a label. */
static vl_status group_unknown(reading *r, lines *files, size_t count, lang_data *to) {
    langid_recipe *recipe = r->recipe;
    uint32_t *group = vl_arena_array(recipe->arena, count + 1, sizeof *group);
    if (!group)
        return vl_fail(r->error, VL_ERR_MEMORY, "out of memory");
    vl_status status = langid_group(files, count, recipe->unknown_groups, group, r->error);
    for (size_t i = 0; i < count && !status; i++)
        for (size_t j = 0; j < files[i].count && !status; j++)
            if (!add_line(recipe->arena, &to[group[i]].train, files[i].items[j],
                          strlen(files[i].items[j])))
                status = vl_fail(r->error, VL_ERR_MEMORY, "the text does not fit in memory");
    for (uint32_t g = 0; g < recipe->unknown_groups && !status; g++)
        if (!to[g].train.count)
            status = vl_fail(r->error, VL_ERR_INPUT, "a group of unknown languages is empty");
    return status;
}

/* One language in five is held out whole (all such in the first group's `held`). */
static vl_status read_unknown(reading *r, const char *folder, yaml_node_t *except) {
    char path[4096];
    struct dirent **entries;
    snprintf(path, sizeof path, "%s/%s", r->data_dir, folder);
    int count = scandir(path, &entries, NULL, by_name);
    if (count < 0)
        return vl_fail(r->error, VL_ERR_MISSING, "%s: %s", path, strerror(errno));
    langid_recipe *recipe = r->recipe;
    lang_data *to = &recipe->languages[recipe->language_count], file;
    lines *files = vl_arena_array(recipe->arena, (size_t)count + 1, sizeof *files);
    size_t used = 0;
    vl_status status = files ? VL_OK : vl_fail(r->error, VL_ERR_MEMORY, "out of memory");
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (!status && name[0] != '.' && !is_excepted(r, name, except) &&
            !is_used(r, folder, name) && !is_relative(r, name)) {
            bool held = text_hash(name) % UNKNOWN_HELD_ONE_IN == 0;
            file = (lang_data){.held = to->held};
            status = read_file(recipe, r->data_dir, path, &file, held ? HOLD_ALL : HOLD_NONE,
                               r->error);
            to->held = file.held;
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

static vl_status read_recipe(reading *r, yaml_node_t *root) {
    langid_recipe *recipe = r->recipe;
    double seed, buckets, epochs, samples, groups;
    vl_status status;
    if ((status = read_number(r, root, "seed", 0, 1e15, &seed)) ||
        (status = read_number(r, root, "buckets", 256, 1 << 18, &buckets)) ||
        (status = read_number(r, root, "epochs", 1, 1000, &epochs)) ||
        (status = read_number(r, root, "samples_per_language", 1, 1e7, &samples)) ||
        (status = read_number(r, root, "unknown_groups", 1, 64, &groups)) ||
        (status = read_number(r, root, "unknown_share", 0, 0.5, &recipe->unknown_share)) ||
        (status = read_number(r, root, "learning_rate", 1e-6, 100, &recipe->learning_rate)))
        return status;
    recipe->seed = (uint64_t)seed;
    recipe->buckets = (uint32_t)buckets;
    recipe->epochs = (uint32_t)epochs;
    recipe->unknown_groups = (uint32_t)groups;
    recipe->samples_per_language = (uint32_t)samples;
    yaml_node_t *languages = value_of(r, root, "languages");
    const char *unknown = scalar(value_of(r, root, "unknown"));
    yaml_node_t *except = value_of(r, root, "unknown_except");
    if (!languages || languages->type != YAML_MAPPING_NODE || !unknown ||
        (except && except->type != YAML_SEQUENCE_NODE))
        return vl_fail(r->error, VL_ERR_INPUT, "the recipe needs 'languages' and 'unknown'");
    yaml_node_pair_t *first = languages->data.mapping.pairs.start,
                     *end = languages->data.mapping.pairs.top;
    size_t count = (size_t)(end - first);
    recipe->languages = vl_arena_array(recipe->arena, count + recipe->unknown_groups,
                                       sizeof *recipe->languages);
    if (!recipe->languages || !count || count + recipe->unknown_groups > VL_LANGID_MAX_LABELS)
        return vl_fail(r->error, VL_ERR_LIMIT, "the recipe has %zu languages", count);
    for (yaml_node_pair_t *pair = first; pair < end && !status; pair++) {
        const char *code = scalar(yaml_document_get_node(&r->document, pair->key));
        status = read_language(r, code ? code : "?",
                               yaml_document_get_node(&r->document, pair->value));
    }
    return status ? status : read_unknown(r, unknown, except);
}

vl_status langid_recipe_load(const char *path, const char *data_dir, langid_recipe *recipe,
                             vl_error *error) {
    *recipe = (langid_recipe){.arena = vl_arena_new(ARENA_BYTES)};
    reading r = {.recipe = recipe, .data_dir = data_dir, .error = error};
    yaml_parser_t parser;
    FILE *file = fopen(path, "rb");
    if (!file)
        return vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    vl_status status;
    if (!recipe->arena || !yaml_parser_initialize(&parser)) {
        fclose(file);
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    yaml_parser_set_input_file(&parser, file);
    if (!yaml_parser_load(&parser, &r.document)) {
        status =
            vl_fail(error, VL_ERR_INPUT, "%s, line %zu: %s", path, parser.problem_mark.line + 1,
                    parser.problem ? parser.problem : "not YAML");
    } else {
        status = read_recipe(&r, yaml_document_get_root_node(&r.document));
        yaml_document_delete(&r.document);
    }
    yaml_parser_delete(&parser);
    fclose(file);
    return status;
}

void langid_recipe_free(langid_recipe *recipe) {
    vl_arena_free(recipe->arena);
    recipe->arena = NULL;
}
