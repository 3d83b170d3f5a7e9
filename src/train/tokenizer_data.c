/* tokenizer_data.c — the recipe of a tokenizer, and the text it names.
 *
 *     vocabulary: 8192
 *     specials: [<pad>, <bos>]
 *     sources:
 *       - {path: photos/train.jsonl, format: captions, languages: [en], weight: 10}
 *       - {path: mono/hau.txt.gz, format: text, languages: [ha], weight: 1}
 *       - {path: en-sw.tsv.gz, format: tsv, column: 3, languages: [sw], weight: 1}
 *     held:
 *       - {path: photos/dev.jsonl, format: captions, languages: [en, ar]}
 *
 * A key that is not one of these is refused, with the one that was meant. */
#include "train/tokenizer_data.h"
#include "base/doc.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    ARENA_BYTES = 16 << 20,
    MAX_SOURCES = 512,
    MAX_LINE = 1 << 20,
    HELD_ONE_IN = 10,
    MAX_COLUMN = 64,
};

const char *const bpe_format_names[BPE_FORMATS] = {"text", "tsv", "captions", "questions",
                                                   "statements"};

/* ---- the recipe --------------------------------------------------------------------- */

typedef struct reading {
    doc tree;
    bpe_recipe *recipe;
} reading;

static vl_status read_name(reading *r, const yaml_node_t *in, const yaml_node_t *node,
                           const char *key, const char **name) {
    const char *text = doc_text(node);
    if (!text || !*text)
        return doc_refuse(&r->tree, node ? node : in, "'%s' must be a name", key);
    *name = vl_arena_strdup(r->recipe->arena, text);
    return *name ? VL_OK : vl_fail(r->tree.error, VL_ERR_MEMORY, "the recipe is too large");
}

static vl_status read_names(reading *r, const yaml_node_t *in, const yaml_node_t *node,
                            const char *key, const char **names, size_t max, size_t *count) {
    vl_status status = VL_OK;
    if (!doc_is_list(node) || doc_count(node) > max)
        return doc_refuse(&r->tree, node ? node : in,
                          "'%s' must be a list of at most %zu names", key, max);
    for (*count = 0; *count < doc_count(node) && !status; ++*count)
        status = read_name(r, node, doc_item(&r->tree, node, *count), key, &names[*count]);
    return status;
}

static vl_status read_format(reading *r, const yaml_node_t *in, const yaml_node_t *node,
                             bpe_format *format) {
    const char *text = doc_text(node);
    for (*format = 0; text && *format < BPE_FORMATS; ++*format)
        if (!strcmp(text, bpe_format_names[*format]))
            return VL_OK;
    return doc_refuse(&r->tree, node ? node : in,
                      "'format' must be one of text, tsv, captions, questions, statements");
}

/* What a source must have, may have and must not have hangs on its format. */
static vl_status read_source(reading *r, const yaml_node_t *node, bool held,
                             bpe_source *source) {
    static const char *const keys[] = {"path",   "format", "languages",
                                       "column", "split",  "weight"};
    const yaml_node_t *values[6];
    double number;
    vl_status status;
    if ((status = doc_values(&r->tree, node, keys, held ? 5 : 6, values)) ||
        (status = read_name(r, node, values[0], "path", &source->path)) ||
        (status = read_format(r, node, values[1], &source->format)) ||
        (status = read_names(r, node, values[2], "languages", source->languages,
                             BPE_MAX_LANGUAGES, &source->language_count)))
        return status;
    if (!source->language_count ||
        (source->format != BPE_CAPTIONS && source->language_count != 1))
        return doc_refuse(&r->tree, values[2], "%s are of one language%s",
                          bpe_format_names[source->format],
                          source->format == BPE_CAPTIONS ? " or more" : "");
    if (!values[3] != (source->format != BPE_TSV))
        return doc_refuse(&r->tree, values[3] ? values[3] : node,
                          "'column' goes with the format tsv");
    if (values[3]) {
        if ((status = doc_number(&r->tree, node, values[3], "column", 1, MAX_COLUMN, &number)))
            return status;
        source->column = (unsigned)number;
    }
    if (values[4] && source->format != BPE_STATEMENTS)
        return doc_refuse(&r->tree, values[4], "'split' goes with the format statements");
    if (values[4] && (status = read_name(r, node, values[4], "split", &source->split)))
        return status;
    if (!held)
        status = doc_number(&r->tree, node, values[5], "weight", 1e-6, 1e6, &source->weight);
    return status;
}

static vl_status read_sources(reading *r, const yaml_node_t *list, bool held,
                              bpe_source **sources, size_t *count) {
    vl_status status = VL_OK;
    if (!doc_is_list(list) || !doc_count(list) || doc_count(list) > MAX_SOURCES)
        return doc_refuse(&r->tree, list, "a list of 1 to %d files should stand here",
                          MAX_SOURCES);
    size_t items = doc_count(list);
    *sources = vl_arena_array(r->recipe->arena, items, sizeof **sources);
    if (!*sources)
        return vl_fail(r->tree.error, VL_ERR_MEMORY, "the recipe is too large");
    for (*count = 0; *count < items && !status; ++*count)
        status = read_source(r, doc_item(&r->tree, list, *count), held, &(*sources)[*count]);
    return status;
}

static vl_status read_recipe(reading *r, const yaml_node_t *root) {
    static const char *const keys[] = {"vocabulary", "specials", "sources", "held", "model"};
    bpe_recipe *recipe = r->recipe;
    const yaml_node_t *values[5];
    double vocabulary;
    vl_status status;
    if ((status = doc_values(&r->tree, root, keys, 5, values)) ||
        (status = doc_number(&r->tree, root, values[0], "vocabulary", 257, VL_BPE_MAX_TOKENS,
                             &vocabulary)))
        return status;
    recipe->vocabulary = (uint32_t)vocabulary;
    recipe->specials =
        vl_arena_array(recipe->arena, VL_BPE_MAX_SPECIALS, sizeof *recipe->specials);
    if (!recipe->specials)
        return vl_fail(r->tree.error, VL_ERR_MEMORY, "out of memory");
    if ((status = read_names(r, root, values[1], "specials", recipe->specials,
                             VL_BPE_MAX_SPECIALS, &recipe->special_count)))
        return status;
    if (!values[2])
        return doc_refuse(&r->tree, root, "the recipe needs 'sources'");
    status = read_sources(r, values[2], false, &recipe->sources, &recipe->source_count);
    if (!status && values[3])
        status = read_sources(r, values[3], true, &recipe->held, &recipe->held_count);
    return status;
}

vl_status bpe_recipe_load(const char *path, bpe_recipe *recipe, vl_error *error) {
    *recipe = (bpe_recipe){.arena = vl_arena_new(ARENA_BYTES)};
    reading r = {.recipe = recipe};
    if (!recipe->arena)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_status status = doc_open(&r.tree, path, VL_ERR_INPUT, error);
    if (status)
        return status;
    status = read_recipe(&r, doc_root(&r.tree));
    doc_close(&r.tree);
    return status;
}

void bpe_recipe_free(bpe_recipe *recipe) {
    vl_arena_free(recipe->arena);
    recipe->arena = NULL;
}

/* ---- the text ----------------------------------------------------------------------- */

typedef struct giving {
    const bpe_source *source;
    bpe_lines which;
    bpe_text_fn give;
    void *user;
    vl_error *error;
} giving;

static bool is_held(const char *text) {
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return (hash ^ (hash >> 16)) % HELD_ONE_IN == 0;
}

/* One line of plain text, or its column. */
static vl_status give_line(const giving *g, char *line) {
    for (unsigned i = 1; line && i < g->source->column; i++) {
        line = strchr(line, '\t');
        line += line != NULL;
    }
    if (line && g->source->column)
        line[strcspn(line, "\t")] = '\0';
    if (!line || !*line)
        return VL_OK;
    if (g->which != BPE_LINES_ALL && is_held(line) != (g->which == BPE_LINES_HELD))
        return VL_OK;
    return g->give(g->source->languages[0], line, g->user, g->error);
}

/* A string, or every string of a list. */
static vl_status give_strings(const giving *g, const char *language, const cJSON *texts) {
    vl_status status = VL_OK;
    const cJSON *text;
    if (cJSON_IsString(texts))
        return g->give(language, texts->valuestring, g->user, g->error);
    cJSON_ArrayForEach(text, texts) {
        if (!status && cJSON_IsString(text))
            status = g->give(language, text->valuestring, g->user, g->error);
    }
    return status;
}

static vl_status give_captions(const giving *g, const cJSON *picture) {
    const cJSON *captions = cJSON_GetObjectItemCaseSensitive(picture, "captions");
    vl_status status = VL_OK;
    for (size_t i = 0; i < g->source->language_count && !status; i++) {
        const char *language = g->source->languages[i];
        status =
            give_strings(g, language, cJSON_GetObjectItemCaseSensitive(captions, language));
    }
    return status;
}

/* The members called `one` and `two` (may be NULL) of every object in the list. */
static vl_status give_members(const giving *g, const cJSON *list, const char *one,
                              const char *two) {
    const char *language = g->source->languages[0];
    vl_status status = VL_OK;
    const cJSON *object;
    cJSON_ArrayForEach(object, list) {
        if (!status)
            status = give_strings(g, language, cJSON_GetObjectItemCaseSensitive(object, one));
        if (!status && two)
            status = give_strings(g, language, cJSON_GetObjectItemCaseSensitive(object, two));
    }
    return status;
}

static vl_status give_json(const giving *g, const char *line) {
    cJSON *picture = cJSON_Parse(line);
    if (!cJSON_IsObject(picture)) {
        cJSON_Delete(picture);
        return vl_fail(g->error, VL_ERR_INPUT, "not a line of JSON");
    }
    vl_status status = VL_OK;
    const char *split =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(picture, "split"));
    if (g->source->format == BPE_CAPTIONS)
        status = give_captions(g, picture);
    else if (g->source->format == BPE_QUESTIONS)
        status = give_members(g, cJSON_GetObjectItemCaseSensitive(picture, "qa"), "question",
                              "answer");
    else if (!g->source->split || (split && !strcmp(split, g->source->split)))
        status = give_members(g, cJSON_GetObjectItemCaseSensitive(picture, "statements"),
                              "statement", NULL);
    cJSON_Delete(picture);
    return status;
}

vl_status bpe_source_read(const bpe_source *source, const char *data_dir, bpe_lines which,
                          bpe_text_fn give, void *user, vl_error *error) {
    giving g = {source, which, give, user, error};
    bool plain = source->format == BPE_TEXT || source->format == BPE_TSV;
    char path[4096], *line = malloc(MAX_LINE);
    snprintf(path, sizeof path, "%s/%s", data_dir, source->path);
    gzFile file = line ? gzopen(path, "rb") : NULL;
    vl_status status = VL_OK;
    int problem;
    if (!file)
        status = line ? vl_fail(error, VL_ERR_MISSING, "%s: %s", path, strerror(errno))
                      : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t n = 1; !status && gzgets(file, line, MAX_LINE); n++) {
        line[strcspn(line, "\r\n")] = '\0';
        if (!*line)
            continue;
        status = plain ? give_line(&g, line) : give_json(&g, line);
        if (status)
            vl_error_prefix(error, "%s:%zu", path, n);
    }
    if (!status) {
        gzerror(file, &problem);
        if (problem != Z_OK && problem != Z_STREAM_END)
            status = vl_fail(error, VL_ERR_INPUT, "%s: cannot be read to its end", path);
    }
    if (file)
        gzclose(file);
    free(line);
    return status;
}
