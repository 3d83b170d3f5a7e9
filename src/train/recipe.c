/* recipe.c — reads a recipe: tables of keys, one for each kind of mapping. */
#include "train/recipe.h"

#include <vislang/train.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

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

typedef struct reading {
    const char *path;
    yaml_document_t document;
    recipe_model model;
    vl_error *error;
} reading;

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

static vl_status complain(reading *r, const yaml_node_t *node, const char *what,
                          const char *detail) {
    return vl_fail(r->error, VL_ERR_USAGE, "%s:%zu: %s%s", r->path, node->start_mark.line + 1,
                   what, detail);
}

static vl_status unknown_key(reading *r, const yaml_node_t *node, const char *name,
                             const char *const *known, size_t count) {
    const char *near = vl_nearest_name(name, known, count);
    return vl_fail(r->error, VL_ERR_USAGE, "%s:%zu: unknown key '%s'%s%s%s", r->path,
                   node->start_mark.line + 1, name, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
}

static const char *scalar(const yaml_node_t *node) {
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
                                                  : NULL;
}

static vl_status read_number(reading *r, const yaml_node_t *node, const key *k,
                             double *number) {
    const char *text = scalar(node);
    char *end = NULL;
    errno = 0;
    *number = text ? strtod(text, &end) : 0;
    if (!text || end == text || *end || errno || !(*number >= k->low && *number <= k->high))
        return vl_fail(r->error, VL_ERR_USAGE, "%s:%zu: %s: a number from %g to %g is needed",
                       r->path, node->start_mark.line + 1, k->name, k->low, k->high);
    if (k->kind != KIND_NUMBER && *number != (double)(int64_t)*number)
        return complain(r, node, k->name, ": a whole number is needed");
    return VL_OK;
}

static vl_status read_list(reading *r, const yaml_node_t *node, const key *k, uint32_t *out) {
    size_t count = (size_t)k->low;
    if (node->type != YAML_SEQUENCE_NODE ||
        (size_t)(node->data.sequence.items.top - node->data.sequence.items.start) != count)
        return vl_fail(r->error, VL_ERR_USAGE, "%s:%zu: %s: a list of %zu numbers is needed",
                       r->path, node->start_mark.line + 1, k->name, count);
    key item = *k;
    item.low = 0;
    for (size_t i = 0; i < count; i++) {
        double number;
        vl_status status = read_number(
            r, yaml_document_get_node(&r->document, node->data.sequence.items.start[i]), &item,
            &number);
        if (status)
            return status;
        out[i] = (uint32_t)number;
    }
    return VL_OK;
}

static vl_status read_value(reading *r, const yaml_node_t *node, const key *k, void *into) {
    char *at = (char *)into + k->offset;
    const char *text = scalar(node);
    double number = 0;
    switch (k->kind) {
    case KIND_TEXT:
        if (!text || !*text || strlen(text) >= (size_t)k->high)
            return complain(r, node, k->name, ": a short text is needed");
        strcpy(at, text);
        return VL_OK;
    case KIND_BOOL:
        if (!text || (strcmp(text, "true") && strcmp(text, "false")))
            return complain(r, node, k->name, ": true or false is needed");
        *(bool *)at = strcmp(text, "true") == 0;
        return VL_OK;
    case KIND_U32_LIST:
        return read_list(r, node, k, (uint32_t *)at);
    default:
        break;
    }
    vl_status status = read_number(r, node, k, &number);
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

/* A key that stands twice in its mapping: the second would win in silence. */
static vl_status refuse_twice(reading *r, const yaml_node_t *mapping) {
    const yaml_node_pair_t *start = mapping->data.mapping.pairs.start;
    for (const yaml_node_pair_t *pair = start; pair < mapping->data.mapping.pairs.top; pair++)
        for (const yaml_node_pair_t *before = start; before < pair; before++) {
            const yaml_node_t *node = yaml_document_get_node(&r->document, pair->key);
            const char *name = scalar(node);
            const char *other = scalar(yaml_document_get_node(&r->document, before->key));
            if (name && other && !strcmp(name, other))
                return complain(r, node, "given twice: ", name);
        }
    return VL_OK;
}

/* Every pair of `mapping` by the table, into the struct at `into`. */
static vl_status read_mapping(reading *r, const yaml_node_t *mapping, const key *keys,
                              size_t count, void *into) {
    if (mapping->type != YAML_MAPPING_NODE)
        return complain(r, mapping, "a mapping is needed here", "");
    const char *names[64];
    const key *known[64];
    size_t ours = 0;
    for (size_t i = 0; i < count; i++)
        if (keys[i].whose != (r->model == RECIPE_READER ? FOR_SEER : FOR_READER)) {
            known[ours] = &keys[i];
            names[ours++] = keys[i].name;
        }
    vl_status status = refuse_twice(r, mapping);
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top && !status; pair++) {
        const yaml_node_t *name = yaml_document_get_node(&r->document, pair->key);
        size_t i = 0;
        while (i < ours && scalar(name) && strcmp(names[i], scalar(name)))
            i++;
        if (!scalar(name) || i == ours)
            return unknown_key(r, name, scalar(name) ? scalar(name) : "", names, ours);
        status =
            read_value(r, yaml_document_get_node(&r->document, pair->value), known[i], into);
    }
    return status;
}

#define COUNT(table) (sizeof(table) / sizeof *(table))

static vl_status read_sources(reading *r, const yaml_node_t *list, recipe_source *sources,
                              size_t *count) {
    if (list->type != YAML_SEQUENCE_NODE)
        return complain(r, list, "a list of sources is needed", "");
    vl_status status = VL_OK;
    for (yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top && !status; item++) {
        const yaml_node_t *node = yaml_document_get_node(&r->document, *item);
        if (*count == RECIPE_MAX_SOURCES)
            return complain(r, node, "too many sources", "");
        recipe_source *source = &sources[(*count)++];
        *source = (recipe_source){.batch = 16,
                                  .picture = 192,
                                  .captions = 1,
                                  .typical = 1,
                                  .questions = 1,
                                  .statements = 1,
                                  .crop = 1};
        status = read_mapping(r, node, source_keys, COUNT(source_keys), source);
        if (!status && (!source->path[0] || !source->name[0]))
            status = complain(r, node, "a source needs a name and a path", "");
        if (!status && source->picture % 16)
            status = complain(r, node, "picture: a multiple of 16 is needed", "");
    }
    return status;
}

/* labels: {scene: [flood, fire, …]} */
static vl_status read_labels(reading *r, const yaml_node_t *mapping, vl_seer_config *config) {
    if (mapping->type != YAML_MAPPING_NODE)
        return complain(r, mapping, "labels: sets of labels by name are needed", "");
    vl_status status = refuse_twice(r, mapping);
    if (status)
        return status;
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        const char *name = scalar(yaml_document_get_node(&r->document, pair->key));
        const yaml_node_t *list = yaml_document_get_node(&r->document, pair->value);
        if (!name || strlen(name) >= VL_HEAD_NAME_SIZE || list->type != YAML_SEQUENCE_NODE ||
            config->head_count == VL_SEER_MAX_HEADS)
            return complain(r, list, "labels: a list under a short name is needed", "");
        vl_seer_head *head = &config->label_heads[config->head_count++];
        strcpy(head->name, name);
        for (yaml_node_item_t *item = list->data.sequence.items.start;
             item < list->data.sequence.items.top; item++) {
            const char *label = scalar(yaml_document_get_node(&r->document, *item));
            if (!label || !vl_seer_head_add(head, label))
                return complain(r, list, "labels: too many, too long, or twice the same in ",
                                name);
        }
    }
    return VL_OK;
}

/* The model comes first: what else may stand in a recipe depends on it. */
static vl_status read_model(reading *r, const yaml_node_t *root, recipe *out) {
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        const char *name = scalar(yaml_document_get_node(&r->document, pair->key));
        const yaml_node_t *node = yaml_document_get_node(&r->document, pair->value);
        if (!name || strcmp(name, "model"))
            continue;
        const char *text = scalar(node);
        if (!text || (strcmp(text, "seer") && strcmp(text, "reader")))
            return complain(r, node, "model: only 'seer' and 'reader' can be trained so", "");
        out->model = strcmp(text, "reader") ? RECIPE_SEER : RECIPE_READER;
    }
    r->model = out->model;
    return VL_OK;
}

static vl_status read_root(reading *r, recipe *out) {
    static const char *const seer_names[] = {"model",   "seed",         "tokenizer",
                                             "init",    "architecture", "labels",
                                             "sources", "held_out",     "training"};
    static const char *const reader_names[] = {
        "model", "seed", "alphabet", "init", "architecture", "sources", "held_out", "training"};
    const yaml_node_t *root = yaml_document_get_root_node(&r->document);
    if (!root || root->type != YAML_MAPPING_NODE)
        return vl_fail(r->error, VL_ERR_USAGE, "%s: not a recipe (a YAML mapping)", r->path);
    vl_status status = refuse_twice(r, root);
    if (!status)
        status = read_model(r, root, out);
    bool reader = out->model == RECIPE_READER;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top && !status; pair++) {
        const yaml_node_t *key_node = yaml_document_get_node(&r->document, pair->key);
        const yaml_node_t *node = yaml_document_get_node(&r->document, pair->value);
        const char *name = scalar(key_node) ? scalar(key_node) : "";
        if (!strcmp(name, "model")) { /* read before */
        } else if (!strcmp(name, "seed")) {
            status =
                read_value(r, node, &(key){"seed", KIND_INT, R(seed), 0, 1e15, FOR_BOTH}, out);
        } else if (!strcmp(name, "alphabet") && reader) {
            status = read_value(
                r, node, &(key){"alphabet", KIND_TEXT, R(alphabet), 0, RECIPE_PATH, FOR_BOTH},
                out);
        } else if (!strcmp(name, "tokenizer") && !reader) {
            status = read_value(
                r, node, &(key){"tokenizer", KIND_TEXT, R(tokenizer), 0, RECIPE_PATH, FOR_BOTH},
                out);
        } else if (!strcmp(name, "init")) {
            status = read_value(
                r, node, &(key){"init", KIND_TEXT, R(init), 0, RECIPE_PATH, FOR_BOTH}, out);
        } else if (!strcmp(name, "architecture") && reader) {
            status = read_mapping(r, node, reader_keys, COUNT(reader_keys), &out->reader);
        } else if (!strcmp(name, "architecture")) {
            status = read_mapping(r, node, architecture_keys, COUNT(architecture_keys),
                                  &out->architecture);
        } else if (!strcmp(name, "labels") && !reader) {
            status = read_labels(r, node, &out->architecture);
        } else if (!strcmp(name, "sources")) {
            status = read_sources(r, node, out->sources, &out->source_count);
        } else if (!strcmp(name, "held_out")) {
            status = read_sources(r, node, out->held, &out->held_count);
        } else if (!strcmp(name, "training")) {
            status = read_mapping(r, node, training_keys, COUNT(training_keys), out);
        } else {
            status = reader ? unknown_key(r, key_node, name, reader_names, COUNT(reader_names))
                            : unknown_key(r, key_node, name, seer_names, COUNT(seer_names));
        }
    }
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

/* The document of a file; the caller deletes it. */
static vl_status load(reading *r) {
    vl_buf text;
    vl_status status = recipe_text(r->path, &text, r->error);
    yaml_parser_t parser;
    if (!status && !yaml_parser_initialize(&parser))
        status = vl_fail(r->error, VL_ERR_MEMORY, "%s: no memory", r->path);
    if (!status) {
        /* An empty file leaves no data. */
        const char *data = text.len ? text.data : "";
        yaml_parser_set_input_string(&parser, (const unsigned char *)data, text.len);
        if (!yaml_parser_load(&parser, &r->document))
            status = vl_fail(r->error, VL_ERR_USAGE, "%s:%zu: %s", r->path,
                             parser.problem_mark.line + 1,
                             parser.problem ? parser.problem : "not YAML");
        yaml_parser_delete(&parser);
    }
    vl_buf_deinit(&text);
    return status;
}

vl_status recipe_read(const char *path, recipe *out, vl_error *error) {
    *out = recipe_default();
    reading r = {.path = path, .error = error};
    vl_status status = load(&r);
    if (status)
        return status;
    status = read_root(&r, out);
    yaml_document_delete(&r.document);
    return status ? status : check(path, out, error);
}

vl_status vl_train_model_of(const char *path, char model[VL_TRAIN_MODEL_SIZE],
                            vl_error *error) {
    reading r = {.path = path, .error = error};
    vl_status status = load(&r);
    if (status)
        return status;
    const yaml_node_t *root = yaml_document_get_root_node(&r.document);
    const char *name = NULL;
    if (root && root->type == YAML_MAPPING_NODE)
        for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
             pair < root->data.mapping.pairs.top; pair++) {
            const char *key_name = scalar(yaml_document_get_node(&r.document, pair->key));
            if (key_name && !strcmp(key_name, "model"))
                name = scalar(yaml_document_get_node(&r.document, pair->value));
        }
    if (name && strlen(name) < VL_TRAIN_MODEL_SIZE)
        strcpy(model, name);
    else
        status = vl_fail(error, VL_ERR_USAGE,
                         "%s: it does not say which model it is for ('model: seer')", path);
    yaml_document_delete(&r.document);
    return status;
}

vl_status recipe_text(const char *path, vl_buf *text, vl_error *error) {
    vl_buf_init(text, 1 << 20);
    return vl_file_read(path, 1 << 20, text, error);
}
