/* chars_data.c — reads the recipe of the character models and its text.
 *
 * The recipe is YAML: four settings, then `languages:` mapping a code to its files, as in
 * langid.yaml: "name.tsv.gz:3" takes the third column, "held name" is only scored on. Files are
 * read by tokenizer_data.c, which also says which line in ten is held out. */
#include "train/chars_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>
#include <yaml.h>

enum { ARENA_BYTES = 16 << 20, LINE_ARENA_BYTES = 64 << 20 };

typedef struct reading {
    const char *path;
    yaml_document_t document;
    chars_recipe *recipe;
    vl_error *error;
} reading;

static const char *scalar(const yaml_node_t *node) {
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
                                                  : NULL;
}

static vl_status complain(const reading *r, const yaml_node_t *node, const char *what) {
    return vl_fail(r->error, VL_ERR_USAGE, "%s:%zu: %s", r->path, node->start_mark.line + 1,
                   what);
}

/* ---- settings --------------------------------------------------------------------------- */

static const struct key {
    const char *name;
    double low, high;
} keys[] = {{"order", 2, VL_NGRAM_MAX_ORDER},
            {"line", 8, 100000},
            {"bytes_per_language", 2000, VL_NGRAM_MAX_BYTES},
            {"max_characters", 1000, 20000000}};
enum { KEYS = sizeof keys / sizeof *keys };

static vl_status read_setting(const reading *r, const yaml_node_t *node, const struct key *key,
                              double *out) {
    const char *text = scalar(node);
    char *end = NULL;
    *out = text ? strtod(text, &end) : 0;
    if (!text || end == text || *end || !(*out >= key->low && *out <= key->high) ||
        *out != (double)(uint32_t)*out)
        return vl_fail(r->error, VL_ERR_USAGE,
                       "%s:%zu: %s: a whole number from %.0f to %.0f is needed", r->path,
                       node->start_mark.line + 1, key->name, key->low, key->high);
    return VL_OK;
}

/* ---- languages -------------------------------------------------------------------------- */

static vl_status read_source(const reading *r, const yaml_node_t *node, const char *code,
                             chars_source *to) {
    const char *text = scalar(node);
    if (!text || !*text)
        return complain(r, node, "a file is needed");
    to->held = !strncmp(text, "held ", 5);
    char *path = vl_arena_strdup(r->recipe->arena, to->held ? text + 5 : text);
    if (!path)
        return vl_fail(r->error, VL_ERR_MEMORY, "out of memory");
    char *colon = strrchr(path, ':');
    to->source = (bpe_source){.path = path,
                              .format = colon ? BPE_TSV : BPE_TEXT,
                              .languages = {code},
                              .language_count = 1,
                              .weight = 1};
    if (!colon)
        return VL_OK;
    *colon = '\0';
    unsigned long column = strtoul(colon + 1, &colon, 10);
    to->source.column = (unsigned)column;
    return *colon || column < 1 || column > 100
               ? complain(r, node, "after the colon: a column, from 1")
               : VL_OK;
}

static vl_status read_language(const reading *r, const yaml_node_t *key,
                               const yaml_node_t *files, chars_language *to) {
    const char *code = scalar(key);
    if (!code || !*code || strlen(code) >= sizeof to->code)
        return complain(r, key, "a language's code is needed");
    if (!files || files->type != YAML_SEQUENCE_NODE)
        return complain(r, key, "a list of files is needed");
    strcpy(to->code, code);
    yaml_node_item_t *first = files->data.sequence.items.start;
    to->source_count = (size_t)(files->data.sequence.items.top - first);
    to->sources = vl_arena_array(r->recipe->arena, to->source_count + 1, sizeof *to->sources);
    vl_status status = to->sources ? VL_OK : vl_fail(r->error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < to->source_count && !status; i++)
        status =
            read_source(r, yaml_document_get_node((yaml_document_t *)&r->document, first[i]),
                        to->code, &to->sources[i]);
    return status;
}

static int by_code(const void *a, const void *b) {
    return strcmp(((const chars_language *)a)->code, ((const chars_language *)b)->code);
}

static vl_status read_languages(reading *r, const yaml_node_t *node) {
    chars_recipe *recipe = r->recipe;
    if (node->type != YAML_MAPPING_NODE)
        return complain(r, node, "languages: a mapping from codes to files is needed");
    yaml_node_pair_t *first = node->data.mapping.pairs.start;
    size_t count = (size_t)(node->data.mapping.pairs.top - first);
    if (!count || count > VL_NGRAM_MAX_LANGUAGES)
        return complain(r, node, "languages: from 1 to 256 of them");
    recipe->languages = vl_arena_array(recipe->arena, count, sizeof *recipe->languages);
    vl_status status =
        recipe->languages ? VL_OK : vl_fail(r->error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count && !status; i++)
        status = read_language(r, yaml_document_get_node(&r->document, first[i].key),
                               yaml_document_get_node(&r->document, first[i].value),
                               &recipe->languages[recipe->language_count++]);
    if (!status)
        qsort(recipe->languages, count, sizeof *recipe->languages, by_code);
    for (size_t i = 1; i < count && !status; i++)
        if (!strcmp(recipe->languages[i - 1].code, recipe->languages[i].code))
            status = vl_fail(r->error, VL_ERR_USAGE, "%s: %s is there twice", r->path,
                             recipe->languages[i].code);
    return status;
}

static vl_status unknown_key(const reading *r, const yaml_node_t *node, const char *name) {
    static const char *const known[] = {"order",          "line",  "bytes_per_language",
                                        "max_characters", "model", "languages"};
    const char *near = vl_nearest_name(name, known, sizeof known / sizeof *known);
    return vl_fail(r->error, VL_ERR_USAGE, "%s:%zu: unknown key '%.60s'%s%s%s", r->path,
                   node->start_mark.line + 1, name, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
}

static vl_status read_root(reading *r, const yaml_node_t *root) {
    double values[KEYS] = {0};
    if (!root || root->type != YAML_MAPPING_NODE)
        return vl_fail(r->error, VL_ERR_USAGE, "%s: it is no recipe", r->path);
    vl_status status = VL_OK;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top && !status; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&r->document, pair->key),
                          *value = yaml_document_get_node(&r->document, pair->value);
        const char *name = scalar(key) ? scalar(key) : "";
        size_t i = 0;
        while (i < KEYS && strcmp(keys[i].name, name))
            i++;
        if (i < KEYS)
            status = read_setting(r, value, &keys[i], &values[i]);
        else if (!strcmp(name, "languages"))
            status = read_languages(r, value);
        else if (strcmp(name, "model"))
            status = unknown_key(r, key, name);
        else if (!scalar(value) || strcmp(scalar(value), "chars"))
            status = complain(r, value, "this recipe is of another model than chars");
    }
    for (size_t i = 0; i < KEYS && !status; i++)
        if (!(values[i] > 0))
            status =
                vl_fail(r->error, VL_ERR_USAGE, "%s: '%s' is missing", r->path, keys[i].name);
    if (!status && !r->recipe->language_count)
        status = vl_fail(r->error, VL_ERR_USAGE, "%s: 'languages' is missing", r->path);
    r->recipe->order = (uint32_t)values[0];
    r->recipe->line = (uint32_t)values[1];
    r->recipe->bytes_per_language = (size_t)values[2];
    r->recipe->max_characters = (size_t)values[3];
    return status;
}

vl_status chars_recipe_load(const char *path, chars_recipe *recipe, vl_error *error) {
    *recipe = (chars_recipe){.arena = vl_arena_new(ARENA_BYTES)};
    reading r = {.path = path, .recipe = recipe, .error = error};
    yaml_parser_t parser;
    FILE *file = fopen(path, "rb");
    if (!file)
        return vl_fail(error, VL_ERR_MISSING, "%s: %s", path, strerror(errno));
    if (!recipe->arena || !yaml_parser_initialize(&parser)) {
        fclose(file);
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    vl_status status;
    yaml_parser_set_input_file(&parser, file);
    if (!yaml_parser_load(&parser, &r.document)) {
        status = vl_fail(error, VL_ERR_USAGE, "%s:%zu: %s", path, parser.problem_mark.line + 1,
                         parser.problem ? parser.problem : "not YAML");
    } else {
        status = read_root(&r, yaml_document_get_root_node(&r.document));
        yaml_document_delete(&r.document);
    }
    yaml_parser_delete(&parser);
    fclose(file);
    return status;
}

void chars_recipe_free(chars_recipe *recipe) {
    vl_arena_free(recipe->arena);
    *recipe = (chars_recipe){0};
}

/* ---- text ------------------------------------------------------------------------------- */

typedef struct filling {
    chars_text *text;
    vl_arena *arena;
    size_t line; /* characters */
} filling;

static bool add_point(chars_text *t, uint32_t point) {
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 65536;
        uint32_t *points = realloc(t->points, capacity * sizeof *points);
        if (!points)
            return false;
        t->points = points;
        t->capacity = capacity;
    }
    t->points[t->count++] = point;
    return true;
}

/* At the first space after `line` characters the line ends; a text without spaces stays one. */
static vl_status add_text(const char *language, const char *text, void *user, vl_error *error) {
    filling *f = user;
    (void)language;
    if (f->text->count >= f->text->max)
        return VL_OK;
    vl_arena_reset(f->arena);
    const char *clean = vl_text_squeeze(f->arena, text);
    size_t since = 0;
    bool ok = clean != NULL;
    for (size_t at = 0, bytes = ok ? strlen(clean) : 0; at < bytes && ok;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)clean, at, bytes, c);
        bool ends = c == ' ' && since >= f->line;
        ok = add_point(f->text, ends ? '\n' : (uint32_t)c);
        since = ends ? 0 : since + 1;
    }
    if (ok && since)
        ok = add_point(f->text, '\n');
    return ok ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "the text does not fit in memory");
}

vl_status chars_read(const chars_recipe *recipe, const chars_language *language,
                     const char *data_dir, bool held, chars_text *text, vl_error *error) {
    filling f = {text, vl_arena_new(LINE_ARENA_BYTES), recipe->line};
    vl_status status = f.arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < language->source_count && !status; i++) {
        const chars_source *s = &language->sources[i];
        if (s->held && !held)
            continue;
        status = bpe_source_read(&s->source, data_dir,
                                 s->held ? BPE_LINES_ALL
                                 : held  ? BPE_LINES_HELD
                                         : BPE_LINES_TRAIN,
                                 add_text, &f, error);
    }
    vl_arena_free(f.arena);
    if (!status && !held && text->count < 100)
        status =
            vl_fail(error, VL_ERR_MISSING, "there is no text to train %s on", language->code);
    return status;
}

void chars_text_free(chars_text *text) {
    free(text->points);
    *text = (chars_text){0};
}
