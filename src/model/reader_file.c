/* reader_file.c — `reader` as a GGUF file: written from a store of parameters, read back for
 * use.
 *
 * Metadata: general.architecture "vislang-reader", reader.format 1, the configuration under
 * reader.*, the alphabet as code points in rising order. Tensors have the names of the
 * parameters. docs/model-files.md lists the keys. */
#include "model/net_file.h"
#include "model/reader_use.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = 1 };
#define ARCHITECTURE "vislang-reader"
#define COUNT(table) (sizeof(table) / sizeof *(table))

#define AT(field) offsetof(vl_reader_config, field)
static const struct number_key {
    const char *key;
    size_t offset;
} number_keys[] = {
    {"reader.stem.0", AT(stem[0])}, {"reader.stem.1", AT(stem[1])},
    {"reader.stem.2", AT(stem[2])}, {"reader.stem.3", AT(stem[3])},
    {"reader.width", AT(width)},    {"reader.blocks", AT(blocks)},
    {"reader.kernel", AT(kernel)},  {"reader.layers", AT(layers)},
    {"reader.heads", AT(heads)},    {"reader.expand", AT(expand)},
};

/* ---- writing ------------------------------------------------------------------------ */

vl_dtype vl_reader_dtype_of(const vl_param *p, vl_dtype wanted) {
    if (wanted == VL_F32 || p->rank < 2)
        return VL_F32;
    if (p->rank > 2 || strstr(p->name, ".filter.") || wanted == VL_F16)
        return VL_F16;
    return vl_dtype_row_bytes(wanted, p->dims[1]) ? wanted : VL_F16;
}

static vl_status write_facts(vl_gguf_writer *writer, const vl_reader_config *c,
                             const vl_reader_alphabet *alphabet, const vl_reader_facts *facts,
                             vl_dtype dtype, vl_error *error) {
    vl_gguf_set_string(writer, "general.architecture", ARCHITECTURE);
    vl_gguf_set_string(writer, "general.name", "reader");
    vl_gguf_set_string(writer, "general.version", facts->version);
    vl_gguf_set_string(writer, "general.license", facts->licence);
    vl_gguf_set_u32(writer, "reader.format", FORMAT);
    vl_gguf_set_string(writer, "reader.weights", vl_dtype_name(dtype));
    for (size_t i = 0; i < COUNT(number_keys); i++)
        vl_gguf_set_u32(writer, number_keys[i].key,
                        *(const uint32_t *)((const char *)c + number_keys[i].offset));
    vl_gguf_set_u32(writer, "reader.squeeze", c->squeeze);
    size_t count = vl_reader_alphabet_size(alphabet);
    if (count != c->symbols)
        return vl_fail(error, VL_ERR_USAGE, "an alphabet of %zu characters; the network has %u",
                       count, c->symbols);
    int32_t *characters = calloc(count, sizeof *characters);
    if (!characters)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an alphabet");
    for (size_t i = 0; i < count; i++)
        characters[i] = (int32_t)vl_reader_alphabet_at(alphabet, i + 1);
    vl_gguf_set_i32s(writer, "reader.alphabet", characters, count);
    free(characters);
    return VL_OK;
}

vl_status vl_reader_write(const char *path, const vl_reader_net *net, const vl_params *params,
                          const vl_reader_alphabet *alphabet, const vl_reader_facts *facts,
                          vl_dtype dtype, vl_error *error) {
    vl_gguf_writer *writer = vl_gguf_writer_new();
    vl_arena *arena = vl_arena_new((size_t)1 << 30);
    vl_status status = writer && arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory");
    if (!status)
        status = write_facts(writer, vl_reader_net_config(net), alphabet, facts, dtype, error);
    for (size_t i = 0; i < vl_params_count(params) && !status; i++) {
        const vl_param *p = vl_params_at(params, i);
        status = net_file_add(writer, p, vl_params_values(params) + p->offset,
                              vl_reader_dtype_of(p, dtype), arena, error);
    }
    if (!status)
        status = vl_gguf_write(writer, path, error);
    vl_arena_free(arena);
    vl_gguf_writer_free(writer);
    return status;
}

/* ---- reading ------------------------------------------------------------------------ */

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
        status = vl_gguf_get_u32(file, "reader.format", VL_REQUIRED, &format, error);
    if (!status && format != FORMAT)
        return vl_fail(error, VL_ERR_UNSUPPORTED,
                       "format %u of reader; this version reads %d: get the matching version",
                       format, FORMAT);
    return status;
}

static vl_status read_text(const vl_gguf *file, const char *key, char *out, size_t size,
                           vl_error *error) {
    const char *text = "";
    vl_status status = vl_gguf_get_string(file, key, VL_OPTIONAL, &text, error);
    snprintf(out, size, "%s", text);
    return status;
}

static vl_status read_alphabet(vl_reader *reader, vl_error *error) {
    const int32_t *characters;
    size_t count;
    vl_status status = vl_gguf_get_i32s(reader->file, "reader.alphabet", VL_REQUIRED,
                                        &characters, &count, error);
    if (!status &&
        !(reader->alphabet = reader_alphabet_of((const uint32_t *)characters, count)))
        status = vl_fail(error, VL_ERR_INPUT,
                         "reader.alphabet: 1 to %d characters in rising order are needed",
                         VL_READER_MAX_SYMBOLS);
    reader->config.symbols = status ? 0 : (uint32_t)count;
    return status;
}

static vl_status read_facts(vl_reader *reader, vl_error *error) {
    const vl_gguf *file = reader->file;
    vl_status status = VL_OK;
    for (size_t i = 0; i < COUNT(number_keys) && !status; i++)
        status = vl_gguf_get_u32(file, number_keys[i].key, VL_REQUIRED,
                                 (uint32_t *)((char *)&reader->config + number_keys[i].offset),
                                 error);
    reader->config.squeeze = 100; /* of files older than the key */
    if (!status)
        status = vl_gguf_get_u32(file, "reader.squeeze", VL_OPTIONAL, &reader->config.squeeze,
                                 error);
    if (!status)
        status = read_alphabet(reader, error);
    if (!status)
        status = read_text(file, "general.version", reader->facts.version,
                           sizeof reader->facts.version, error);
    if (!status)
        status = read_text(file, "general.license", reader->facts.licence,
                           sizeof reader->facts.licence, error);
    if (!status)
        status =
            read_text(file, "reader.weights", reader->format, sizeof reader->format, error);
    return status;
}

static bool is_finite(const float *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* Lines bring many columns at once, so weights are kept as f32 whatever the file holds. */
static vl_status read_tensors(vl_reader *reader, vl_error *error) {
    vl_status status = vl_params_reserve(reader->params, error);
    for (size_t i = 0; i < vl_params_count(reader->params) && !status; i++) {
        const vl_param *p = vl_params_at(reader->params, i);
        float *values = vl_params_values(reader->params) + p->offset;
        const vl_tensor *tensor;
        status = vl_gguf_require(reader->file, p->name, p->rank, p->dims, &tensor, error);
        if (status)
            break;
        if (tensor->dtype == VL_Q8_0 || tensor->dtype == VL_Q4_0 || tensor->dtype == VL_Q2_0)
            vl_quant_to_f32(values, tensor->dtype, tensor->data, vl_tensor_elements(tensor));
        else
            vl_tensor_to_f32(tensor, values);
        if (!is_finite(values, p->count))
            status =
                vl_fail(error, VL_ERR_INPUT, "tensor '%s' holds what is no number", p->name);
    }
    return status;
}

/* The file is the reader's from here on, also when this fails. */
static vl_status open_file(vl_gguf *file, vl_reader **out, vl_error *error) {
    *out = NULL;
    vl_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        vl_gguf_free(file);
        return vl_fail(error, VL_ERR_MEMORY, "no memory");
    }
    reader->file = file;
    vl_status status = check_architecture(file, error);
    if (!status)
        status = read_facts(reader, error);
    if (!status && !(reader->params = vl_params_new()))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory");
    if (!status)
        status = vl_reader_net_new(&reader->config, reader->params, &reader->net, error);
    if (!status)
        status = read_tensors(reader, error);
    if (!status && vl_cpu_has_int8())
        status = reader_round_weights(reader, error);
    vl_gguf_free(reader->file); /* everything was taken over */
    reader->file = NULL;
    if (status)
        vl_reader_free(reader);
    else
        *out = reader;
    return status;
}

vl_status vl_reader_parse(const void *bytes, size_t count, vl_reader **out, vl_error *error) {
    *out = NULL;
    vl_gguf *file = NULL;
    vl_status status = vl_gguf_parse(bytes, count, &file, error);
    return status ? status : open_file(file, out, error);
}

vl_status vl_reader_open(const char *path, vl_reader **out, vl_error *error) {
    *out = NULL;
    char bundled[4096];
    if (!path) {
        snprintf(bundled, sizeof bundled, "%s/models/reader.gguf", vl_data_dir());
        path = bundled;
    }
    if (access(path, F_OK) != 0)
        return vl_fail(error, VL_ERR_MISSING, "%s: no such model file", path);
    vl_gguf *file = NULL;
    vl_status status = vl_gguf_open(path, &file, error);
    if (status)
        return status;
    status = open_file(file, out, error);
    return status && error ? vl_error_prefix(error, "%s", path) : status;
}

void vl_reader_free(vl_reader *reader) {
    if (!reader)
        return;
    reader_free_weights(reader);
    vl_reader_net_free(reader->net);
    vl_params_free(reader->params);
    vl_reader_alphabet_free(reader->alphabet);
    vl_gguf_free(reader->file);
    free(reader);
}

const vl_reader_config *vl_reader_config_of(const vl_reader *reader) {
    return &reader->config;
}

const vl_reader_alphabet *vl_reader_alphabet_of(const vl_reader *reader) {
    return reader->alphabet;
}

const char *vl_reader_version(const vl_reader *reader) {
    return reader->facts.version;
}

const char *vl_reader_format(const vl_reader *reader) {
    return reader->format;
}
