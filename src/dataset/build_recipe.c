/* build_recipe.c — reads a dataset's recipe: a table of its keys, and the few that are no
 * scalars. */
#include "dataset/build_recipe.h"

#include "base/doc.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum key_type {
    KEY_TEXT,
    KEY_PATH,
    KEY_DATE,
    KEY_LIST,
    KEY_PATHS,
    KEY_LANGUAGES,
    KEY_SEED,  /* uint64_t */
    KEY_COUNT, /* uint32_t */
    KEY_NUMBER,
    KEY_TRUTH,
    KEY_CHOICE /* int, of `choices` */
} key_type;
typedef struct key {
    const char *name;
    key_type type;
    size_t at;
    double low, high;
    const char *const *choices; /* ends with NULL */
} key;

static const char *const styles[] = {"natural", "terse", "form", NULL};
static const char *const ocr_choices[] = {"auto", "never", NULL};
static const char *const personal_choices[] = {"replace", "remove", "keep", NULL};
static const char *const formats[] = {"pdf",  "html",    "docx", "odt",
                                      "text", "picture", "data", NULL};

#define AT(member) offsetof(build_recipe, member)
static const key keys[] = {
    {"name", KEY_TEXT, AT(name), 0, 0, NULL},
    {"title", KEY_TEXT, AT(title), 0, 0, NULL},
    {"description", KEY_TEXT, AT(description), 0, 0, NULL},
    {"licence", KEY_TEXT, AT(licence), 0, 0, NULL},
    {"seed", KEY_SEED, AT(seed), 0, 9007199254740991.0, NULL},
    {"collections", KEY_PATHS, AT(collections), 0, 0, NULL},
    {"sources", KEY_LIST, AT(sources), 0, 0, NULL},
    {"formats", KEY_LIST, AT(formats), 0, 0, formats},
    {"languages", KEY_LANGUAGES, AT(languages), 0, 0, NULL},
    {"since", KEY_DATE, AT(since), 0, 0, NULL},
    {"until", KEY_DATE, AT(until), 0, 0, NULL},
    {"target_languages", KEY_LANGUAGES, AT(target_languages), 0, 0, NULL},
    {"instruction_style", KEY_TEXT, AT(instruction_style), 0, 0, styles},
    {"examples_per_item", KEY_COUNT, AT(examples_per_item), 0, 64, NULL},
    {"min_quality_score", KEY_NUMBER, AT(min_quality_score), 0, 1, NULL},
    {"min_pair_score", KEY_NUMBER, AT(min_pair_score), 0, 1, NULL},
    {"min_alignment_confidence", KEY_NUMBER, AT(min_alignment_confidence), 0, 1, NULL},
    {"passage_characters", KEY_COUNT, AT(passage_characters), 50, 100000, NULL},
    {"picture_side", KEY_COUNT, AT(picture_side), 32, 8192, NULL},
    {"min_picture_side", KEY_COUNT, AT(min_picture_side), 8, 8192, NULL},
    {"page_pictures", KEY_TRUTH, AT(page_pictures), 0, 0, NULL},
    {"picture_model", KEY_TRUTH, AT(picture_model), 0, 0, NULL},
    {"ocr", KEY_CHOICE, AT(ocr), 0, 0, ocr_choices},
    {"ocr_engines", KEY_TEXT, AT(ocr_engines), 0, 0, NULL},
    {"dpi", KEY_NUMBER, AT(dpi), 50, 600, NULL},
    {"personal_data", KEY_CHOICE, AT(personal_data), 0, 0, personal_choices},
    {"coordinate_decimals", KEY_CHOICE, AT(coordinate_decimals), -1, 8, NULL},
    {"duplicate_threshold", KEY_NUMBER, AT(duplicate_threshold), 0.1, 1, NULL},
    {"duplicate_distance", KEY_COUNT, AT(duplicate_distance), 0, 16, NULL},
    {"quality_model", KEY_PATH, AT(quality_model), 0, 0, NULL},
};
enum { KEYS = sizeof keys / sizeof *keys, KINDS = KEYS, ALIGNED, SPLITS, ALL };

typedef struct reading {
    doc *d;
    vl_arena *arena;
    const char *folder; /* of the recipe, with its "/"; "": here */
    build_recipe *out;
} reading;

static vl_status no_memory(const reading *r) {
    return vl_fail(r->d->error, VL_ERR_MEMORY, "%s: no memory for the recipe", r->d->path);
}

/* ---- scalars -------------------------------------------------------------------------------
 */

static vl_status read_text(reading *r, const yaml_node_t *node, const char *name,
                           const char *before, const char **out) {
    const char *text = doc_text(node);
    if (!text || !*text)
        return doc_refuse(r->d, node, "%s: a text is needed", name);
    *out = vl_arena_printf(r->arena, "%s%s", before, text);
    return *out ? VL_OK : no_memory(r);
}

static const char *folder_before(const reading *r, const yaml_node_t *node) {
    const char *text = doc_text(node);
    return text && *text == '/' ? "" : r->folder;
}

/* "2025-01-31", or the beginning of it. */
static bool is_date(const char *text) {
    static const char shape[] = "dddd-dd-dd";
    size_t length = strlen(text);
    for (size_t i = 0; i < length && i < sizeof shape - 1; i++)
        if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    int month = length > 4 ? atoi(text + 5) : 1, day = length > 7 ? atoi(text + 8) : 1;
    return (length == 4 || length == 7 || length == 10) && month >= 1 && month <= 12 &&
           day >= 1 && day <= 31;
}

static vl_status read_choice(reading *r, const yaml_node_t *node, const key *k, int *out) {
    const char *text = doc_text(node);
    vl_buf all;
    for (int i = 0; text && k->choices[i]; i++)
        if (!strcmp(text, k->choices[i])) {
            *out = i;
            return VL_OK;
        }
    vl_buf_init(&all, 1024);
    for (int i = 0; k->choices[i]; i++)
        vl_buf_printf(&all, "%s%s", i ? ", " : "", k->choices[i]);
    vl_status status = doc_refuse(r->d, node, "%s: one of these is needed: %s", k->name,
                                  all.data ? all.data : "");
    vl_buf_deinit(&all);
    return status;
}

static vl_status read_number(reading *r, const yaml_node_t *node, const key *k, double *out) {
    vl_status status = doc_number(r->d, NULL, node, k->name, k->low, k->high, out);
    if (!status && k->type != KEY_NUMBER && *out != floor(*out))
        status = doc_refuse(r->d, node, "%s: a whole number is needed", k->name);
    return status;
}

static vl_status read_truth(reading *r, const yaml_node_t *node, const key *k, bool *out) {
    const char *text = doc_text(node);
    if (!text || (strcmp(text, "true") && strcmp(text, "false")))
        return doc_refuse(r->d, node, "%s: true or false is needed", k->name);
    *out = !strcmp(text, "true");
    return VL_OK;
}

/* ---- lists ---------------------------------------------------------------------------------
 */

static vl_status read_language(reading *r, const yaml_node_t *node, const char *name,
                               const char **out) {
    const char *text = doc_text(node), *code = text ? vl_lang_code(text) : "";
    if (strlen(code) != 3 || strspn(code, "abcdefghijklmnopqrstuvwxyz") != 3)
        return doc_refuse(r->d, node, "%s: a language is a code of ISO 639 (sw, swa), not '%s'",
                          name, text ? text : "");
    *out = vl_arena_strdup(r->arena, code);
    return *out ? VL_OK : no_memory(r);
}

static vl_status read_list(reading *r, const yaml_node_t *node, const key *k,
                           build_list *list) {
    vl_status status = VL_OK;
    if (!doc_is_list(node) || doc_count(node) > BUILD_LIST_MAX)
        return doc_refuse(r->d, node, "%s: a list of at most %d is needed", k->name,
                          BUILD_LIST_MAX);
    for (size_t i = 0; !status && i < doc_count(node); i++) {
        const yaml_node_t *item = doc_item(r->d, node, i);
        const char **to = &list->items[list->count++];
        int choice = 0;
        if (k->choices)
            status = read_choice(r, item, k, &choice);
        if (!status && k->type == KEY_LANGUAGES)
            status = read_language(r, item, k->name, to);
        else if (!status)
            status = read_text(r, item, k->name,
                               k->type == KEY_PATHS ? folder_before(r, item) : "", to);
    }
    return status;
}

/* kinds: [pair, describe, …] */
static vl_status read_kinds(reading *r, const yaml_node_t *node) {
    static const char *names[VL_ITEM_KIND_COUNT + 1];
    for (int i = 0; i < VL_ITEM_KIND_COUNT; i++)
        names[i] = vl_item_kind_name((vl_item_kind)i);
    key k = {.name = "kinds", .choices = names};
    vl_status status = VL_OK;
    if (!doc_is_list(node) || !doc_count(node))
        return doc_refuse(r->d, node, "kinds: a list is needed");
    r->out->kinds = 0;
    for (size_t i = 0; !status && i < doc_count(node); i++) {
        int kind = 0;
        status = read_choice(r, doc_item(r->d, node, i), &k, &kind);
        r->out->kinds |= 1U << kind;
    }
    if (!status && !build_recipe_wants(r->out, VL_ITEM_PAIR) &&
        !build_recipe_wants(r->out, VL_ITEM_TEXT))
        status = doc_refuse(
            r->d, node, "kinds: examples are made of pairs and texts; name pair, text or both");
    return status;
}

/* aligned: [{path: captions.tsv, languages: [eng, swa]}] */
static vl_status read_aligned(reading *r, const yaml_node_t *node) {
    static const char *const names[] = {"path", "languages"};
    vl_status status = VL_OK;
    if (!doc_is_list(node) || doc_count(node) > BUILD_LIST_MAX)
        return doc_refuse(r->d, node, "aligned: a list of at most %d is needed",
                          BUILD_LIST_MAX);
    for (size_t i = 0; !status && i < doc_count(node); i++) {
        const yaml_node_t *item = doc_item(r->d, node, i), *values[2];
        build_aligned *to = &r->out->aligned[r->out->aligned_count++];
        status = doc_values(r->d, item, names, 2, values);
        if (!status)
            status = read_text(r, values[0] ? values[0] : item, "path",
                               folder_before(r, values[0]), &to->path);
        if (!status && (!doc_is_list(values[1]) || doc_count(values[1]) != 2))
            status = doc_refuse(r->d, values[1] ? values[1] : item,
                                "languages: two are needed, one of each column");
        if (!status)
            status = read_language(r, doc_item(r->d, values[1], 0), "languages", &to->first);
        if (!status)
            status = read_language(r, doc_item(r->d, values[1], 1), "languages", &to->second);
    }
    return status;
}

/* splits: {train: 0.9, validation: 0.05, test: 0.05} */
static vl_status read_splits(reading *r, const yaml_node_t *node) {
    const char *names[VL_SPLIT_COUNT];
    const yaml_node_t *values[VL_SPLIT_COUNT];
    double sum = 0;
    for (int i = 0; i < VL_SPLIT_COUNT; i++)
        names[i] = vl_split_name((vl_split)i);
    vl_status status = doc_values(r->d, node, names, VL_SPLIT_COUNT, values);
    for (int i = 0; !status && i < VL_SPLIT_COUNT; i++) {
        r->out->splits[i] = 0;
        if (values[i])
            status = doc_number(r->d, NULL, values[i], names[i], 0, 1e6, &r->out->splits[i]);
        sum += r->out->splits[i];
    }
    if (!status && !(sum > 0))
        status = doc_refuse(r->d, node, "splits: one share at least is above 0");
    return status;
}

/* ---- the whole -----------------------------------------------------------------------------
 */

static vl_status read_scalar(reading *r, const yaml_node_t *node, const key *k) {
    void *at = (char *)r->out + k->at;
    int choice = 0;
    double number = 0;
    vl_status status = VL_OK;
    switch (k->type) {
    case KEY_TEXT:
        if (k->choices && (status = read_choice(r, node, k, &choice)))
            return status;
        return read_text(r, node, k->name, "", at);
    case KEY_PATH:
        return read_text(r, node, k->name, folder_before(r, node), at);
    case KEY_DATE:
        if (!doc_text(node) || !is_date(doc_text(node)))
            return doc_refuse(r->d, node, "%s: a date is needed, as 2025-01-31", k->name);
        return read_text(r, node, k->name, "", at);
    case KEY_LIST:
    case KEY_PATHS:
    case KEY_LANGUAGES:
        return read_list(r, node, k, at);
    case KEY_TRUTH:
        return read_truth(r, node, k, at);
    case KEY_CHOICE:
        if (k->choices)
            return read_choice(r, node, k, at);
        break;
    default:
        break;
    }
    status = read_number(r, node, k, &number);
    if (status)
        return status;
    if (k->type == KEY_SEED)
        *(uint64_t *)at = (uint64_t)number;
    else if (k->type == KEY_COUNT)
        *(uint32_t *)at = (uint32_t)number;
    else if (k->type == KEY_CHOICE)
        *(int *)at = (int)number;
    else
        *(double *)at = number;
    return VL_OK;
}

static vl_status check_collections(reading *r, const yaml_node_t *node) {
    const build_list *list = &r->out->collections;
    for (size_t i = 0; i < list->count; i++)
        for (size_t k = 0; k < i; k++)
            if (!strcmp(list->items[i], list->items[k]))
                return doc_refuse(r->d, node, "collections: %s is named twice", list->items[i]);
    return VL_OK;
}

static vl_status read_root(reading *r) {
    const yaml_node_t *root = doc_root(r->d), *values[ALL];
    const char *names[ALL] = {[KINDS] = "kinds", [ALIGNED] = "aligned", [SPLITS] = "splits"};
    for (size_t i = 0; i < KEYS; i++)
        names[i] = keys[i].name;
    if (!root)
        return vl_fail(r->d->error, VL_ERR_USAGE, "%s: an empty recipe", r->d->path);
    vl_status status = doc_values(r->d, root, names, ALL, values);
    for (size_t i = 0; !status && i < KEYS; i++)
        if (values[i])
            status = read_scalar(r, values[i], &keys[i]);
    if (!status && values[KINDS])
        status = read_kinds(r, values[KINDS]);
    if (!status && values[ALIGNED])
        status = read_aligned(r, values[ALIGNED]);
    if (!status && values[SPLITS])
        status = read_splits(r, values[SPLITS]);
    if (!status && !*r->out->name)
        status = doc_refuse(r->d, root, "name: the dataset needs one");
    if (!status && !r->out->collections.count)
        status = doc_refuse(r->d, root,
                            "collections: what is it made of? folders that 'vislang harvest' "
                            "filled");
    return status ? status : check_collections(r, root);
}

static build_recipe usual(void) {
    return (build_recipe){.name = "",
                          .title = "",
                          .description = "",
                          .licence = "",
                          .seed = 1,
                          .since = "",
                          .until = "",
                          .kinds = (1U << VL_ITEM_KIND_COUNT) - 1,
                          .instruction_style = "natural",
                          .examples_per_item = 4,
                          .min_quality_score = 0.3,
                          .min_pair_score = 0.5,
                          .min_alignment_confidence = 0.9,
                          .passage_characters = 1200,
                          .picture_side = 768,
                          .min_picture_side = 64,
                          .page_pictures = true,
                          .picture_model = true,
                          .ocr = BUILD_OCR_AUTO,
                          .ocr_engines = "",
                          .dpi = 150,
                          .personal_data = BUILD_PERSONAL_REPLACE,
                          .coordinate_decimals = 1,
                          .duplicate_threshold = 0.8,
                          .duplicate_distance = 6,
                          .splits = {0.9, 0.05, 0.05},
                          .quality_model = ""};
}

vl_status build_recipe_read(const char *path, vl_arena *arena, build_recipe *out,
                            vl_error *error) {
    doc d;
    vl_buf text;
    const char *slash = strrchr(path, '/');
    reading r = {.d = &d, .arena = arena, .out = out};
    *out = usual();
    r.folder = slash ? vl_arena_strndup(arena, path, (size_t)(slash - path) + 1) : "";
    vl_status status = doc_file_text(path, &text, error);
    if (!status && vl_utf8_valid_prefix(text.data ? text.data : "", text.len) != text.len)
        status = vl_fail(error, VL_ERR_USAGE, "%s: not UTF-8", path);
    out->text = status ? "" : vl_arena_strndup(arena, text.data ? text.data : "", text.len);
    vl_buf_deinit(&text);
    if (status)
        return status;
    status = doc_open(&d, path, VL_ERR_USAGE, error);
    if (status)
        return status;
    status = r.folder && out->text ? read_root(&r) : no_memory(&r);
    doc_close(&d);
    if (!*out->title)
        out->title = out->name;
    return status;
}

bool build_recipe_wants(const build_recipe *r, vl_item_kind kind) {
    return (r->kinds >> kind & 1) != 0;
}

bool build_list_has(const build_list *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i], text))
            return true;
    return list->count == 0;
}
