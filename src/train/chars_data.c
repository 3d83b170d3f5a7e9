/* chars_data.c — reads the recipe of the character models and its text.
 *
 * The recipe is YAML: four settings, then `languages:` mapping a code to its files, as in
 * langid.yaml: "name.tsv.gz:3" takes the third column, "held name" is only scored on. Files are
 * read by tokenizer_data.c, which also says which line in ten is held out. */
#include "train/chars_data.h"
#include "base/doc.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

enum { ARENA_BYTES = 16 << 20, LINE_ARENA_BYTES = 64 << 20, MAX_COLUMN = 100 };

/* ---- the recipe ---------------------------------------------------------------------- */

static vl_status read_source(doc *d, chars_recipe *recipe, const yaml_node_t *node,
                             const char *code, chars_source *to) {
    const char *text = doc_text(node);
    if (!text || !*text)
        return doc_refuse(d, node, "a file is needed");
    to->held = !strncmp(text, "held ", 5);
    char *path = vl_arena_strdup(recipe->arena, to->held ? text + 5 : text);
    if (!path)
        return vl_fail(d->error, VL_ERR_MEMORY, "out of memory");
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
    return *colon || column < 1 || column > MAX_COLUMN
               ? doc_refuse(d, node, "after the colon: a column, from 1 to %d", MAX_COLUMN)
               : VL_OK;
}

static vl_status read_language(doc *d, chars_recipe *recipe, const yaml_node_t *key,
                               const yaml_node_t *files, chars_language *to) {
    const char *code = doc_text(key);
    if (!*code || strlen(code) >= sizeof to->code)
        return doc_refuse(d, key, "a language's code is needed");
    if (!doc_is_list(files))
        return doc_refuse(d, key, "a list of files is needed");
    strcpy(to->code, code);
    to->source_count = doc_count(files);
    to->sources = vl_arena_array(recipe->arena, to->source_count + 1, sizeof *to->sources);
    vl_status status = to->sources ? VL_OK : vl_fail(d->error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < to->source_count && !status; i++)
        status = read_source(d, recipe, doc_item(d, files, i), to->code, &to->sources[i]);
    return status;
}

static int by_code(const void *a, const void *b) {
    return strcmp(((const chars_language *)a)->code, ((const chars_language *)b)->code);
}

static vl_status read_languages(doc *d, chars_recipe *recipe, const yaml_node_t *root,
                                const yaml_node_t *node) {
    size_t count = doc_count(node);
    if (!doc_is_mapping(node) || !count || count > VL_NGRAM_MAX_LANGUAGES)
        return doc_refuse(d, node ? node : root,
                          "'languages' maps 1 to %d codes to their files",
                          VL_NGRAM_MAX_LANGUAGES);
    recipe->languages = vl_arena_array(recipe->arena, count, sizeof *recipe->languages);
    if (!recipe->languages)
        return vl_fail(d->error, VL_ERR_MEMORY, "out of memory");
    vl_status status = doc_check_keys(d, node, NULL, 0);
    for (size_t i = 0; i < count && !status; i++)
        status = read_language(d, recipe, doc_key(d, node, i), doc_value(d, node, i),
                               &recipe->languages[recipe->language_count++]);
    if (!status)
        qsort(recipe->languages, count, sizeof *recipe->languages, by_code);
    return status;
}

static vl_status read_root(doc *d, chars_recipe *recipe) {
    enum { NUMBERS = 4, MODEL = NUMBERS, LANGUAGES, KEYS };
    static const char *const keys[KEYS] = {"order",          "line",  "bytes_per_language",
                                           "max_characters", "model", "languages"};
    static const double low[NUMBERS] = {2, 8, 2000, 1000},
                        high[NUMBERS] = {VL_NGRAM_MAX_ORDER, 100000, VL_NGRAM_MAX_BYTES,
                                         20000000};
    const yaml_node_t *root = doc_root(d), *values[KEYS];
    double numbers[NUMBERS] = {0};
    vl_status status = doc_values(d, root, keys, KEYS, values);
    for (size_t i = 0; i < NUMBERS && !status; i++)
        status = doc_number(d, root, values[i], keys[i], low[i], high[i], &numbers[i]);
    if (!status && values[MODEL] &&
        (!doc_text(values[MODEL]) || strcmp(doc_text(values[MODEL]), "chars")))
        status = doc_refuse(d, values[MODEL], "this recipe is of another model than chars");
    if (!status)
        status = read_languages(d, recipe, root, values[LANGUAGES]);
    recipe->order = (uint32_t)numbers[0];
    recipe->line = (uint32_t)numbers[1];
    recipe->bytes_per_language = (size_t)numbers[2];
    recipe->max_characters = (size_t)numbers[3];
    return status;
}

vl_status chars_recipe_load(const char *path, chars_recipe *recipe, vl_error *error) {
    *recipe = (chars_recipe){.arena = vl_arena_new(ARENA_BYTES)};
    doc d;
    if (!recipe->arena)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_status status = doc_open(&d, path, VL_ERR_USAGE, error);
    if (status)
        return status;
    status = read_root(&d, recipe);
    doc_close(&d);
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
