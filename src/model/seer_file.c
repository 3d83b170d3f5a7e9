/* seer_file.c — `seer` as a GGUF file: written from a store of parameters, read back for use.
 *
 * Metadata: general.architecture "vislang-seer", seer.format 1, the configuration under seer.*,
 * labels and what is known of them under seer.labels.*, the tokenizer's file as one string.
 * Tensors have the names of the parameters. docs/model-files.md lists the keys. */
#include "model/net_file.h"
#include "model/seer_use.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = 1, KEY_SIZE = 96 };
#define ARCHITECTURE "vislang-seer"

vl_seer_facts vl_seer_facts_default(void) {
    vl_seer_facts facts = {.version = "0",
                           .licence = "research only",
                           .languages = {"en"},
                           .language_count = 1,
                           .statement = {1, 0, 0.5},
                           .caption = {0, 0, 0.1},
                           .ask = {0, 0, 0.3},
                           .labels = {1, 0, 0.5}};
    for (size_t h = 0; h < VL_SEER_MAX_HEADS; h++) {
        facts.temperature[h] = 1;
        for (size_t l = 0; l < VL_SEER_MAX_LABELS; l++)
            facts.trained[h][l] = true;
    }
    return facts;
}

/* ---- configuration ------------------------------------------------------------------ */

typedef struct number_key {
    const char *key;
    size_t offset;
} number_key;
#define AT(field) offsetof(vl_seer_config, field)
static const number_key number_keys[] = {
    {"seer.picture", AT(picture)},
    {"seer.width.0", AT(widths[0])},
    {"seer.width.1", AT(widths[1])},
    {"seer.width.2", AT(widths[2])},
    {"seer.blocks.0", AT(blocks[0])},
    {"seer.blocks.1", AT(blocks[1])},
    {"seer.kernel", AT(kernel)},
    {"seer.layers", AT(layers)},
    {"seer.heads", AT(heads)},
    {"seer.grid", AT(grid)},
    {"seer.vocabulary", AT(vocabulary)},
    {"seer.max_text", AT(max_text)},
    {"seer.text_layers", AT(text_layers)},
    {"seer.mixed_layers", AT(mixed_layers)},
    {"seer.text_heads", AT(text_heads)},
    {"seer.vector", AT(vector)},
};
static const struct calibration_key {
    const char *key;
    size_t offset;
} calibration_keys[] = {
    {"seer.calibration.caption", offsetof(vl_seer_facts, caption)},
    {"seer.calibration.ask", offsetof(vl_seer_facts, ask)},
    {"seer.calibration.statement", offsetof(vl_seer_facts, statement)},
    {"seer.calibration.labels", offsetof(vl_seer_facts, labels)},
};
#define COUNT(table) (sizeof(table) / sizeof *(table))

static void write_head(vl_gguf_writer *writer, const vl_seer_head *head, double temperature,
                       const bool *trained) {
    char key[KEY_SIZE];
    vl_gguf_string labels[VL_SEER_MAX_LABELS];
    int32_t flags[VL_SEER_MAX_LABELS];
    for (uint32_t i = 0; i < head->labels; i++) {
        labels[i] = (vl_gguf_string){head->label[i], strlen(head->label[i])};
        flags[i] = trained[i];
    }
    snprintf(key, sizeof key, "seer.labels.%s", head->name);
    vl_gguf_set_strings(writer, key, labels, head->labels);
    snprintf(key, sizeof key, "seer.trained.%s", head->name);
    vl_gguf_set_i32s(writer, key, flags, head->labels);
    snprintf(key, sizeof key, "seer.temperature.%s", head->name);
    vl_gguf_set_f32(writer, key, (float)temperature);
}

static void write_facts(vl_gguf_writer *writer, const vl_seer_config *c,
                        const vl_seer_facts *facts) {
    vl_gguf_set_string(writer, "general.architecture", ARCHITECTURE);
    vl_gguf_set_string(writer, "general.name", "seer");
    vl_gguf_set_string(writer, "general.version", facts->version);
    vl_gguf_set_string(writer, "general.license", facts->licence);
    vl_gguf_set_u32(writer, "seer.format", FORMAT);
    for (size_t i = 0; i < COUNT(number_keys); i++)
        vl_gguf_set_u32(writer, number_keys[i].key,
                        *(const uint32_t *)((const char *)c + number_keys[i].offset));
    vl_gguf_string names[VL_SEER_MAX_HEADS + VL_SEER_MAX_LANGUAGES];
    for (uint32_t h = 0; h < c->head_count; h++)
        names[h] = (vl_gguf_string){c->label_heads[h].name, strlen(c->label_heads[h].name)};
    vl_gguf_set_strings(writer, "seer.label_sets", names, c->head_count);
    for (uint32_t h = 0; h < c->head_count; h++)
        write_head(writer, &c->label_heads[h], facts->temperature[h], facts->trained[h]);
    for (size_t i = 0; i < facts->language_count; i++)
        names[i] = (vl_gguf_string){facts->languages[i], strlen(facts->languages[i])};
    vl_gguf_set_strings(writer, "seer.languages", names, facts->language_count);
    for (size_t i = 0; i < COUNT(calibration_keys); i++) {
        const vl_calibration *from =
            (const vl_calibration *)((const char *)facts + calibration_keys[i].offset);
        float values[3] = {(float)from->slope, (float)from->offset, (float)from->threshold};
        vl_gguf_set_f32s(writer, calibration_keys[i].key, values, 3);
    }
}

/* ---- writing ------------------------------------------------------------------------ */

static bool is_matrix(const vl_param *p) {
    return p->rank == 2 && !strstr(p->name, ".position");
}

vl_dtype vl_seer_dtype_of(const vl_param *p, vl_dtype wanted) {
    if (wanted == VL_F32 || p->rank < 2)
        return VL_F32;
    if (!is_matrix(p) || wanted == VL_F16)
        return VL_F16;
    if (wanted == VL_Q2_0 && !strcmp(p->name, "text.words"))
        wanted = VL_Q4_0;
    if (wanted != VL_Q8_0 && (!strncmp(p->name, "head.", 5) || !strncmp(p->name, "vector.", 7)))
        wanted = VL_Q8_0;
    return vl_dtype_row_bytes(wanted, p->dims[1]) ? wanted : VL_F16;
}

vl_status vl_seer_write(const char *path, const vl_seer_net *net, const vl_params *params,
                        const vl_bpe *bpe, const vl_seer_facts *facts, vl_dtype dtype,
                        vl_error *error) {
    vl_gguf_writer *writer = vl_gguf_writer_new();
    vl_arena *arena = vl_arena_new((size_t)2 << 30);
    vl_buf tokenizer;
    vl_buf_init(&tokenizer, 16 << 20);
    vl_status status = writer && arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory");
    if (!status) {
        write_facts(writer, &net->config, facts);
        vl_gguf_set_string(writer, "seer.weights", vl_dtype_name(dtype));
        vl_bpe_serialize(bpe, &tokenizer);
        status = vl_buf_status(&tokenizer, "tokenizer", error);
    }
    if (!status)
        vl_gguf_set_string(writer, "seer.tokenizer", tokenizer.data);
    for (size_t i = 0; i < vl_params_count(params) && !status; i++) {
        const vl_param *p = vl_params_at(params, i);
        status = net_file_add(writer, p, vl_params_values(params) + p->offset,
                              vl_seer_dtype_of(p, dtype), arena, error);
    }
    if (!status)
        status = vl_gguf_write(writer, path, error);
    vl_buf_deinit(&tokenizer);
    vl_arena_free(arena);
    vl_gguf_writer_free(writer);
    return status;
}

/* ---- reading ------------------------------------------------------------------------ */

static vl_status read_head(const vl_gguf *file, const vl_gguf_string *name, vl_seer_head *head,
                           double *temperature, bool *trained, vl_error *error) {
    char key[KEY_SIZE];
    if (name->bytes >= VL_HEAD_NAME_SIZE)
        return vl_fail(error, VL_ERR_INPUT, "the name of a label set is too long");
    memcpy(head->name, name->data, name->bytes);
    head->name[name->bytes] = '\0';
    const vl_gguf_string *labels;
    const int32_t *flags = NULL;
    size_t count, flag_count = 0;
    float value = 1;
    snprintf(key, sizeof key, "seer.labels.%s", head->name);
    vl_status status = vl_gguf_get_strings(file, key, VL_REQUIRED, &labels, &count, error);
    for (size_t i = 0; i < count && !status; i++) {
        char label[VL_LABEL_SIZE];
        if (labels[i].bytes >= sizeof label)
            return vl_fail(error, VL_ERR_INPUT, "%s: label %zu is too long", key, i);
        memcpy(label, labels[i].data, labels[i].bytes);
        label[labels[i].bytes] = '\0';
        if (!vl_seer_head_add(head, label))
            status = vl_fail(error, VL_ERR_INPUT, "%s: too many labels, or one twice", key);
    }
    snprintf(key, sizeof key, "seer.trained.%s", head->name);
    if (!status)
        status = vl_gguf_get_i32s(file, key, VL_OPTIONAL, &flags, &flag_count, error);
    for (size_t i = 0; i < flag_count && i < head->labels; i++)
        trained[i] = flags[i] != 0;
    snprintf(key, sizeof key, "seer.temperature.%s", head->name);
    if (!status)
        status = vl_gguf_get_f32(file, key, VL_OPTIONAL, &value, error);
    if (!status && !(value > 0 && isfinite(value)))
        status = vl_fail(error, VL_ERR_INPUT, "%s: a temperature is above 0", key);
    *temperature = value;
    return status;
}

static vl_status read_facts(vl_seer *seer, vl_error *error) {
    const vl_gguf *file = seer->file;
    const char *text = "";
    vl_status status = VL_OK;
    for (size_t i = 0; i < COUNT(number_keys) && !status; i++)
        status =
            vl_gguf_get_u32(file, number_keys[i].key, VL_REQUIRED,
                            (uint32_t *)((char *)&seer->config + number_keys[i].offset), error);
    const vl_gguf_string *names = NULL;
    size_t count = 0;
    if (!status)
        status =
            vl_gguf_get_strings(file, "seer.label_sets", VL_REQUIRED, &names, &count, error);
    if (!status && count > VL_SEER_MAX_HEADS)
        status = vl_fail(error, VL_ERR_INPUT, "more than %d label sets", VL_SEER_MAX_HEADS);
    for (size_t h = 0; h < count && !status; h++)
        status =
            read_head(file, &names[h], &seer->config.label_heads[seer->config.head_count++],
                      &seer->facts.temperature[h], seer->facts.trained[h], error);
    if (!status)
        status =
            vl_gguf_get_strings(file, "seer.languages", VL_REQUIRED, &names, &count, error);
    seer->facts.language_count = 0;
    for (size_t i = 0; i < count && i < VL_SEER_MAX_LANGUAGES && !status; i++)
        if (names[i].bytes < sizeof seer->facts.languages[0])
            snprintf(seer->facts.languages[seer->facts.language_count++],
                     sizeof seer->facts.languages[0], "%.*s", (int)names[i].bytes,
                     names[i].data);
    for (size_t i = 0; i < COUNT(calibration_keys) && !status; i++) {
        const float *values = NULL;
        count = 0;
        status = vl_gguf_get_f32s(file, calibration_keys[i].key, VL_OPTIONAL, &values, &count,
                                  error);
        if (!status && count == 3)
            *(vl_calibration *)((char *)&seer->facts + calibration_keys[i].offset) =
                (vl_calibration){values[0], values[1], values[2]};
    }
    if (!status)
        status = vl_gguf_get_string(file, "general.version", VL_OPTIONAL, &text, error);
    snprintf(seer->facts.version, sizeof seer->facts.version, "%s", text);
    if (!status)
        status = vl_gguf_get_string(file, "general.license", VL_OPTIONAL, &text, error);
    snprintf(seer->facts.licence, sizeof seer->facts.licence, "%s", text);
    text = "f32";
    if (!status)
        status = vl_gguf_get_string(file, "seer.weights", VL_OPTIONAL, &text, error);
    snprintf(seer->format, sizeof seer->format, "%s", text);
    return status;
}

static vl_status read_tokenizer(vl_seer *seer, vl_error *error) {
    const char *text;
    vl_status status =
        vl_gguf_get_string(seer->file, "seer.tokenizer", VL_REQUIRED, &text, error);
    if (!status)
        status = vl_bpe_parse(text, strlen(text), &seer->bpe, error);
    if (!status && vl_bpe_size(seer->bpe) > seer->config.vocabulary)
        status = vl_fail(error, VL_ERR_INPUT, "its tokenizer has %zu tokens, its network %u",
                         vl_bpe_size(seer->bpe), seer->config.vocabulary);
    const struct {
        const char *name;
        int32_t *id;
    } tokens[] = {
        {"<caption>", &seer->tokens.caption}, {"<ask>", &seer->tokens.ask},
        {"<answer>", &seer->tokens.answer},   {"<statement>", &seer->tokens.statement},
        {"<eos>", &seer->tokens.eos},         {"<yes>", &seer->tokens.yes},
        {"<no>", &seer->tokens.no},           {"<xx>", &seer->tokens.unknown},
    };
    for (size_t i = 0; i < COUNT(tokens) && !status; i++)
        if ((*tokens[i].id = vl_bpe_special(seer->bpe, tokens[i].name)) < 0)
            status =
                vl_fail(error, VL_ERR_INPUT, "its tokenizer has no token %s", tokens[i].name);
    return status;
}

/* Matrices that decoding reads row by row stay as they lie in the file, where they are
 * quantised; what meets many rows at once becomes f32. */
static bool stays_packed(const vl_param *p, vl_dtype dtype) {
    bool decoder = !strncmp(p->name, "text.", 5) || !strncmp(p->name, "mixed.", 6);
    bool blocks = dtype == VL_Q8_0 || dtype == VL_Q4_0 || dtype == VL_Q2_0;
    return decoder && blocks && is_matrix(p) && !strstr(p->name, ".kv.");
}

static void unpack_tensor(const vl_tensor *tensor, float *out) {
    bool blocks =
        tensor->dtype == VL_Q8_0 || tensor->dtype == VL_Q4_0 || tensor->dtype == VL_Q2_0;
    if (blocks)
        vl_quant_to_f32(out, tensor->dtype, tensor->data, vl_tensor_elements(tensor));
    else
        vl_tensor_to_f32(tensor, out);
}

static vl_status read_tensors(vl_seer *seer, vl_error *error) {
    size_t count = vl_params_count(seer->params);
    seer->packed = calloc(count, sizeof *seer->packed);
    vl_status status = seer->packed ? vl_params_reserve(seer->params, error)
                                    : vl_fail(error, VL_ERR_MEMORY, "no memory");
    for (size_t i = 0; i < count && !status; i++) {
        const vl_param *p = vl_params_at(seer->params, i);
        const vl_tensor *tensor;
        status = vl_gguf_require(seer->file, p->name, p->rank, p->dims, &tensor, error);
        if (status)
            break;
        if (stays_packed(p, tensor->dtype))
            seer->packed[i] = tensor;
        else
            unpack_tensor(tensor, vl_params_values(seer->params) + p->offset);
    }
    return status;
}

static vl_status check_architecture(const vl_gguf *file, vl_error *error) {
    const char *architecture = "";
    uint32_t format = 0;
    vl_status status =
        vl_gguf_get_string(file, "general.architecture", VL_REQUIRED, &architecture, error);
    if (!status && strcmp(architecture, ARCHITECTURE) != 0)
        return vl_fail(error, VL_ERR_UNSUPPORTED,
                       "a model of architecture '%s'; a '" ARCHITECTURE "' is needed",
                       architecture);
    if (!status)
        status = vl_gguf_get_u32(file, "seer.format", VL_REQUIRED, &format, error);
    if (!status && format != FORMAT)
        return vl_fail(error, VL_ERR_UNSUPPORTED,
                       "format %u of seer; this version reads %d: get the matching version",
                       format, FORMAT);
    return status;
}

vl_status vl_seer_open(const char *path, vl_seer **out, vl_error *error) {
    *out = NULL;
    char bundled[4096];
    if (!path) {
        snprintf(bundled, sizeof bundled, "%s/models/seer.gguf", vl_data_dir());
        path = bundled;
    }
    if (access(path, F_OK) != 0)
        return vl_fail(error, VL_ERR_MISSING, "%s: no such model file", path);
    vl_seer *seer = calloc(1, sizeof *seer);
    if (!seer)
        return vl_fail(error, VL_ERR_MEMORY, "%s: no memory", path);
    seer->facts = vl_seer_facts_default();
    vl_status status = vl_gguf_open(path, &seer->file, error);
    if (status) {
        vl_seer_free(seer);
        return status;
    }
    status = check_architecture(seer->file, error);
    if (!status)
        status = read_facts(seer, error);
    if (!status)
        status = read_tokenizer(seer, error);
    if (!status && !(seer->params = vl_params_new()))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory");
    if (!status)
        status = vl_seer_net_new(&seer->config, seer->params, &seer->net, error);
    if (!status)
        status = read_tensors(seer, error);
    if (status) {
        vl_seer_free(seer);
        return error ? vl_error_prefix(error, "%s", path) : status;
    }
    *out = seer;
    return VL_OK;
}

void vl_seer_free(vl_seer *seer) {
    if (!seer)
        return;
    vl_seer_net_free(seer->net);
    vl_params_free(seer->params);
    vl_bpe_free(seer->bpe);
    vl_gguf_free(seer->file);
    free(seer->packed);
    free(seer);
}

vl_status vl_seer_unpack(const vl_seer *seer, vl_seer_net **net, vl_params **params,
                         vl_error *error) {
    *net = NULL;
    *params = vl_params_new();
    vl_status status = *params ? vl_seer_net_new(&seer->config, *params, net, error)
                               : vl_fail(error, VL_ERR_MEMORY, "no memory");
    if (!status)
        status = vl_params_reserve(*params, error);
    for (size_t i = 0; !status && i < vl_params_count(*params); i++) {
        const vl_param *p = vl_params_at(*params, i);
        const vl_tensor *tensor;
        status = vl_gguf_require(seer->file, p->name, p->rank, p->dims, &tensor, error);
        if (!status)
            unpack_tensor(tensor, vl_params_values(*params) + p->offset);
    }
    if (status) {
        vl_seer_net_free(*net);
        vl_params_free(*params);
        *net = NULL;
        *params = NULL;
    }
    return status;
}

const vl_seer_config *vl_seer_config_of(const vl_seer *seer) {
    return &seer->config;
}

const vl_seer_facts *vl_seer_facts_of(const vl_seer *seer) {
    return &seer->facts;
}

const vl_bpe *vl_seer_tokenizer(const vl_seer *seer) {
    return seer->bpe;
}

const char *vl_seer_name(const vl_seer *seer) {
    (void)seer;
    return "seer";
}

const char *vl_seer_version(const vl_seer *seer) {
    return seer->facts.version;
}

const char *vl_seer_format(const vl_seer *seer) {
    return seer->format;
}

size_t vl_seer_vector_size(const vl_seer *seer) {
    return seer->config.vector;
}
