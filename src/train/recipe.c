/* recipe.c — reads a recipe: tables of keys, one for each kind of mapping. */
#include "train/recipe.h"
#include "base/doc.h"

#include <vislang/train.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const vl_train_task_names[VL_TRAIN_TASKS] = {"caption", "contrast", "ask",
                                                         "statement", "labels"};

const char *const vl_train_reader_task_names[VL_TRAIN_READER_TASKS] = {"ctc", "cer"};

const char *recipe_model_name(recipe_model model) {
    return model == RECIPE_READER ? "reader" : "seer";
}

typedef enum kind { KIND_INT, KIND_U32, KIND_NUMBER, KIND_BOOL, KIND_TEXT, KIND_U32_LIST } kind;

typedef struct key {
    const char *name;
    kind kind;
    size_t offset;
    double low, high; /* KIND_TEXT: high is the buffer's size; KIND_U32_LIST: low its length */
    enum { FOR_BOTH, FOR_SEER, FOR_READER } whose;
} key;

#define R(field) offsetof(recipe, field)
static const key training_keys[] = {
    {"steps", KIND_INT, R(steps), 1, 1e9, FOR_BOTH},
    {"warmup", KIND_INT, R(warmup), 0, 1e9, FOR_BOTH},
    {"rate", KIND_NUMBER, R(rate), 0, 1, FOR_BOTH},
    {"final_rate", KIND_NUMBER, R(final_rate), 0, 1, FOR_BOTH},
    {"decay", KIND_NUMBER, R(decay), 0, 10, FOR_BOTH},
    {"beta1", KIND_NUMBER, R(beta1), 0, 0.9999999, FOR_BOTH},
    {"beta2", KIND_NUMBER, R(beta2), 0, 0.9999999, FOR_BOTH},
    {"clip", KIND_NUMBER, R(clip), 0, 1e9, FOR_BOTH},
    {"smoothing", KIND_NUMBER, R(smoothing), 0, 0.9, FOR_SEER},
    {"dropout", KIND_NUMBER, R(dropout), 0, 0.9, FOR_BOTH},
    {"drop_path", KIND_NUMBER, R(drop_path), 0, 0.9, FOR_SEER},
    {"word_dropout", KIND_NUMBER, R(word_dropout), 0, 0.9, FOR_SEER},
    {"ema", KIND_NUMBER, R(ema), 0, 0.9999999, FOR_BOTH},
    {"bf16", KIND_BOOL, R(bf16), 0, 1, FOR_BOTH},
    {"quantize", KIND_TEXT, R(quantize), 0, 16, FOR_BOTH},
    {"lanes", KIND_INT, R(lanes), 1, 64, FOR_BOTH},
    {"micro_batch", KIND_INT, R(micro_batch), 1, 1024, FOR_BOTH},
    {"checkpoint_minutes", KIND_NUMBER, R(checkpoint_minutes), 0, 1e6, FOR_BOTH},
    {"log_every", KIND_INT, R(log_every), 1, 1e6, FOR_BOTH},
    {"evaluate_every", KIND_INT, R(evaluate_every), 0, 1e9, FOR_BOTH},
    {"patience", KIND_INT, R(patience), 0, 1e9, FOR_BOTH},
    {"max_broken", KIND_NUMBER, R(max_broken), 0, 1, FOR_BOTH},
    {"max_width", KIND_INT, R(max_width), 64, VL_READER_MAX_WIDTH, FOR_READER},
};
#define A(field) offsetof(vl_seer_config, field)
static const key architecture_keys[] = {
    {"picture", KIND_U32, A(picture), 16, 4096, FOR_BOTH},
    {"widths", KIND_U32_LIST, A(widths), VL_SEER_MAX_STAGES, 4096, FOR_BOTH},
    {"blocks", KIND_U32_LIST, A(blocks), 2, 64, FOR_BOTH},
    {"kernel", KIND_U32, A(kernel), 1, 31, FOR_BOTH},
    {"layers", KIND_U32, A(layers), 0, 64, FOR_BOTH},
    {"heads", KIND_U32, A(heads), 1, 64, FOR_BOTH},
    {"grid", KIND_U32, A(grid), 1, 64, FOR_BOTH},
    {"vocabulary", KIND_U32, A(vocabulary), 300, 1e6, FOR_BOTH},
    {"max_text", KIND_U32, A(max_text), 16, RECIPE_MAX_TEXT, FOR_BOTH},
    {"text_layers", KIND_U32, A(text_layers), 0, 64, FOR_BOTH},
    {"mixed_layers", KIND_U32, A(mixed_layers), 1, 64, FOR_BOTH},
    {"text_heads", KIND_U32, A(text_heads), 1, 64, FOR_BOTH},
    {"vector", KIND_U32, A(vector), 16, 2048, FOR_BOTH},
};
#define L(field) offsetof(vl_reader_config, field)
static const key reader_keys[] = {
    {"stem", KIND_U32_LIST, L(stem), VL_READER_STAGES, 1024, FOR_BOTH},
    {"width", KIND_U32, L(width), 32, 2048, FOR_BOTH},
    {"blocks", KIND_U32, L(blocks), 0, 24, FOR_BOTH},
    {"kernel", KIND_U32, L(kernel), 1, 63, FOR_BOTH},
    {"layers", KIND_U32, L(layers), 0, 24, FOR_BOTH},
    {"heads", KIND_U32, L(heads), 1, 64, FOR_BOTH},
    {"expand", KIND_U32, L(expand), 1, 8, FOR_BOTH},
    {"squeeze", KIND_U32, L(squeeze), 25, 100, FOR_BOTH},
};
#define S(field) offsetof(recipe_source, field)
static const key source_keys[] = {
    {"name", KIND_TEXT, S(name), 0, RECIPE_NAME, FOR_BOTH},
    {"path", KIND_TEXT, S(path), 0, RECIPE_PATH, FOR_BOTH},
    {"batch", KIND_INT, S(batch), 1, 65536, FOR_BOTH},
    {"picture", KIND_INT, S(picture), 16, 1024, FOR_SEER},
    {"captions", KIND_INT, S(captions), 0, 16, FOR_SEER},
    {"questions", KIND_INT, S(questions), 0, 16, FOR_SEER},
    {"statements", KIND_INT, S(statements), 0, 16, FOR_SEER},
    {"typical", KIND_NUMBER, S(typical), 1, 10, FOR_SEER},
    {"balance", KIND_TEXT, S(balance), 0, RECIPE_NAME, FOR_BOTH},
    {"derived", KIND_BOOL, S(derived), 0, 1, FOR_SEER},
    {"flip", KIND_BOOL, S(flip), 0, 1, FOR_SEER},
    {"crop", KIND_NUMBER, S(crop), 0.05, 1, FOR_SEER},
    {"colour", KIND_NUMBER, S(colour), 0, 1, FOR_SEER},
    {"erase", KIND_NUMBER, S(erase), 0, 1, FOR_SEER},
    {"caption", KIND_NUMBER, S(weights[TASK_CAPTION]), 0, 1000, FOR_SEER},
    {"contrast", KIND_NUMBER, S(weights[TASK_CONTRAST]), 0, 1000, FOR_SEER},
    {"ask", KIND_NUMBER, S(weights[TASK_ASK]), 0, 1000, FOR_SEER},
    {"statement", KIND_NUMBER, S(weights[TASK_STATEMENT]), 0, 1000, FOR_SEER},
    {"labels", KIND_NUMBER, S(weights[TASK_LABELS]), 0, 1000, FOR_SEER},
    {"distort", KIND_NUMBER, S(distort), 0, 1, FOR_READER},
};

static vl_status read_number(doc *d, const yaml_node_t *node, const key *k, double *number) {
    vl_status status = doc_number(d, NULL, node, k->name, k->low, k->high, number);
    if (!status && k->kind != KIND_NUMBER && *number != (double)(int64_t)*number)
        status = doc_refuse(d, node, "%s: a whole number is needed", k->name);
    return status;
}

static vl_status read_list(doc *d, const yaml_node_t *node, const key *k, uint32_t *out) {
    size_t count = (size_t)k->low;
    if (!doc_is_list(node) || doc_count(node) != count)
        return doc_refuse(d, node, "%s: a list of %zu numbers is needed", k->name, count);
    key item = *k;
    item.low = 0;
    vl_status status = VL_OK;
    for (size_t i = 0; i < count && !status; i++) {
        double number;
        status = read_number(d, doc_item(d, node, i), &item, &number);
        if (!status)
            out[i] = (uint32_t)number;
    }
    return status;
}

static vl_status read_value(doc *d, const yaml_node_t *node, const key *k, void *into) {
    char *at = (char *)into + k->offset;
    const char *text = doc_text(node);
    double number = 0;
    switch (k->kind) {
    case KIND_TEXT:
        if (!text || !*text || strlen(text) >= (size_t)k->high)
            return doc_refuse(d, node, "%s: a short text is needed", k->name);
        strcpy(at, text);
        return VL_OK;
    case KIND_BOOL:
        if (!text || (strcmp(text, "true") && strcmp(text, "false")))
            return doc_refuse(d, node, "%s: true or false is needed", k->name);
        *(bool *)at = strcmp(text, "true") == 0;
        return VL_OK;
    case KIND_U32_LIST:
        return read_list(d, node, k, (uint32_t *)at);
    default:
        break;
    }
    vl_status status = read_number(d, node, k, &number);
    if (status)
        return status;
    if (k->kind == KIND_INT)
        *(int64_t *)at = (int64_t)number;
    else if (k->kind == KIND_U32)
        *(uint32_t *)at = (uint32_t)number;
    else
        *(double *)at = number;
    return VL_OK;
}

/* Every pair of `mapping` by those keys of the table that the model has, into the struct at
 * `into`. */
static vl_status read_mapping(doc *d, recipe_model model, const yaml_node_t *mapping,
                              const key *keys, size_t count, void *into) {
    const char *names[64];
    const key *known[64];
    const yaml_node_t *values[64];
    size_t ours = 0;
    for (size_t i = 0; i < count; i++)
        if (keys[i].whose != (model == RECIPE_READER ? FOR_SEER : FOR_READER)) {
            known[ours] = &keys[i];
            names[ours++] = keys[i].name;
        }
    vl_status status = doc_values(d, mapping, names, ours, values);
    for (size_t i = 0; i < ours && !status; i++)
        if (values[i])
            status = read_value(d, values[i], known[i], into);
    return status;
}

#define COUNT(table) (sizeof(table) / sizeof *(table))

static vl_status read_sources(doc *d, recipe_model model, const yaml_node_t *list,
                              recipe_source *sources, size_t *count) {
    if (!doc_is_list(list))
        return doc_refuse(d, list, "a list of sources is needed");
    vl_status status = VL_OK;
    for (size_t i = 0; i < doc_count(list) && !status; i++) {
        const yaml_node_t *node = doc_item(d, list, i);
        if (*count == RECIPE_MAX_SOURCES)
            return doc_refuse(d, node, "too many sources");
        recipe_source *source = &sources[(*count)++];
        *source = (recipe_source){.batch = 16,
                                  .picture = 192,
                                  .captions = 1,
                                  .typical = 1,
                                  .questions = 1,
                                  .statements = 1,
                                  .crop = 1};
        status = read_mapping(d, model, node, source_keys, COUNT(source_keys), source);
        if (!status && (!source->path[0] || !source->name[0]))
            status = doc_refuse(d, node, "a source needs a name and a path");
        if (!status && source->picture % 16)
            status = doc_refuse(d, node, "picture: a multiple of 16 is needed");
    }
    return status;
}

/* labels: {scene: [flood, fire, …]} */
static vl_status read_labels(doc *d, const yaml_node_t *mapping, vl_seer_config *config) {
    vl_status status = doc_check_keys(d, mapping, NULL, 0);
    for (size_t i = 0; i < doc_count(mapping) && !status; i++) {
        const char *name = doc_text(doc_key(d, mapping, i));
        const yaml_node_t *list = doc_value(d, mapping, i);
        if (strlen(name) >= VL_HEAD_NAME_SIZE || !doc_is_list(list) ||
            config->head_count == VL_SEER_MAX_HEADS)
            return doc_refuse(d, list, "labels: a list under a short name is needed");
        vl_seer_head *head = &config->label_heads[config->head_count++];
        strcpy(head->name, name);
        for (size_t l = 0; l < doc_count(list); l++) {
            const char *label = doc_text(doc_item(d, list, l));
            if (!label || !vl_seer_head_add(head, label))
                return doc_refuse(d, list,
                                  "labels: too many, too long, or twice the same in %s", name);
        }
    }
    return status;
}

/* The model comes first: what else may stand in a recipe depends on it. */
static vl_status read_model(doc *d, const yaml_node_t *node, recipe_model *model) {
    const char *text = doc_text(node);
    if (!text || (strcmp(text, "seer") && strcmp(text, "reader")))
        return doc_refuse(d, node, "model: only 'seer' and 'reader' can be trained so");
    *model = strcmp(text, "reader") ? RECIPE_SEER : RECIPE_READER;
    return VL_OK;
}

static vl_status read_root(doc *d, recipe *out) {
    static const key plain[] = {
        {"seed", KIND_INT, R(seed), 0, 1e15, FOR_BOTH},
        {"init", KIND_TEXT, R(init), 0, RECIPE_PATH, FOR_BOTH},
        {"tokenizer", KIND_TEXT, R(tokenizer), 0, RECIPE_PATH, FOR_SEER},
        {"alphabet", KIND_TEXT, R(alphabet), 0, RECIPE_PATH, FOR_READER}};
    enum {
        SEED,
        INIT,
        FILE_OF,
        MODEL,
        ARCHITECTURE,
        SOURCES,
        HELD_OUT,
        TRAINING,
        LABELS,
        KEYS
    };
    static const char *const names[][KEYS] = {
        {"seed", "init", "tokenizer", "model", "architecture", "sources", "held_out",
         "training", "labels"},
        {"seed", "init", "alphabet", "model", "architecture", "sources", "held_out",
         "training"}};
    const yaml_node_t *root = doc_root(d), *at[KEYS] = {NULL};
    if (!doc_is_mapping(root))
        return vl_fail(d->error, VL_ERR_USAGE, "%s: not a recipe (a YAML mapping)", d->path);
    vl_status status = doc_check_keys(d, root, NULL, 0);
    const yaml_node_t *model = status ? NULL : doc_find(d, root, "model");
    if (model)
        status = read_model(d, model, &out->model);
    bool reader = out->model == RECIPE_READER;
    if (!status)
        status = doc_values(d, root, names[reader], reader ? LABELS : KEYS, at);
    if (!status && at[SEED])
        status = read_value(d, at[SEED], &plain[0], out);
    if (!status && at[INIT])
        status = read_value(d, at[INIT], &plain[1], out);
    if (!status && at[FILE_OF])
        status = read_value(d, at[FILE_OF], &plain[reader ? 3 : 2], out);
    if (!status && at[ARCHITECTURE])
        status = reader ? read_mapping(d, out->model, at[ARCHITECTURE], reader_keys,
                                       COUNT(reader_keys), &out->reader)
                        : read_mapping(d, out->model, at[ARCHITECTURE], architecture_keys,
                                       COUNT(architecture_keys), &out->architecture);
    if (!status && at[LABELS])
        status = read_labels(d, at[LABELS], &out->architecture);
    if (!status && at[SOURCES])
        status = read_sources(d, out->model, at[SOURCES], out->sources, &out->source_count);
    if (!status && at[HELD_OUT])
        status = read_sources(d, out->model, at[HELD_OUT], out->held, &out->held_count);
    if (!status && at[TRAINING])
        status =
            read_mapping(d, out->model, at[TRAINING], training_keys, COUNT(training_keys), out);
    return status;
}

static recipe recipe_default(void) {
    return (recipe){.seed = 1,
                    .architecture = vl_seer_config_default(),
                    .reader = vl_reader_config_default(),
                    .max_width = 1600,
                    .steps = 1000,
                    .warmup = 100,
                    .rate = 1e-3,
                    .final_rate = 1e-5,
                    .decay = 0.05,
                    .beta1 = 0.9,
                    .beta2 = 0.98,
                    .clip = 1,
                    .ema = 0.999,
                    .lanes = 2,
                    .micro_batch = 8,
                    .log_every = 20,
                    .checkpoint_minutes = 10,
                    .max_broken = 0.01};
}

static vl_status check(const char *path, const recipe *r, vl_error *error) {
    if (!r->source_count)
        return vl_fail(error, VL_ERR_USAGE, "%s: no sources to train on", path);
    vl_error why;
    if (r->model == RECIPE_READER) {
        vl_reader_config config = r->reader;
        config.symbols = 1; /* the alphabet is not known yet */
        if (vl_reader_config_check(&config, &why))
            return vl_fail(error, VL_ERR_USAGE, "%s: architecture: %s", path, why.message);
        return VL_OK;
    }
    if (!r->tokenizer[0])
        return vl_fail(error, VL_ERR_USAGE, "%s: no tokenizer is named", path);
    if (vl_seer_config_check(&r->architecture, &why))
        return vl_fail(error, VL_ERR_USAGE, "%s: architecture: %s", path, why.message);
    return VL_OK;
}

vl_status recipe_read(const char *path, recipe *out, vl_error *error) {
    *out = recipe_default();
    doc d;
    vl_status status = doc_open(&d, path, VL_ERR_USAGE, error);
    if (status)
        return status;
    status = read_root(&d, out);
    doc_close(&d);
    return status ? status : check(path, out, error);
}

vl_status vl_train_model_of(const char *path, char model[VL_TRAIN_MODEL_SIZE],
                            vl_error *error) {
    doc d;
    vl_status status = doc_open(&d, path, VL_ERR_USAGE, error);
    if (status)
        return status;
    const yaml_node_t *root = doc_root(&d);
    const char *name = doc_is_mapping(root) ? doc_text(doc_find(&d, root, "model")) : NULL;
    if (name && strlen(name) < VL_TRAIN_MODEL_SIZE)
        strcpy(model, name);
    else
        status = vl_fail(error, VL_ERR_USAGE,
                         "%s: it does not say which model it is for ('model: seer')", path);
    doc_close(&d);
    return status;
}
