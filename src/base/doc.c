/* doc.c — recipes as trees of YAML nodes (doc.h). */
#include "base/doc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

vl_status doc_file_text(const char *path, vl_buf *text, vl_error *error) {
    vl_buf_init(text, DOC_MAX_BYTES);
    return vl_file_read(path, DOC_MAX_BYTES, text, error);
}

vl_status doc_open(doc *d, const char *path, vl_status refusal, vl_error *error) {
    *d = (doc){.path = path, .refusal = refusal, .error = error};
    vl_buf text;
    yaml_parser_t parser;
    vl_status status = doc_file_text(path, &text, error);
    if (!status && !yaml_parser_initialize(&parser))
        status = vl_fail(error, VL_ERR_MEMORY, "%s: no memory", path);
    if (!status) {
        const char *bytes = text.len ? text.data : ""; /* an empty file leaves no data */
        yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, text.len);
        if (!yaml_parser_load(&parser, &d->tree))
            status = vl_fail(error, refusal, "%s:%zu: %s", path, parser.problem_mark.line + 1,
                             parser.problem ? parser.problem : "not YAML");
        yaml_parser_delete(&parser);
    }
    vl_buf_deinit(&text);
    return status;
}

void doc_close(doc *d) {
    yaml_document_delete(&d->tree);
}

const yaml_node_t *doc_root(doc *d) {
    return yaml_document_get_root_node(&d->tree);
}

const char *doc_text(const yaml_node_t *node) {
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
                                                  : NULL;
}

bool doc_is_list(const yaml_node_t *node) {
    return node && node->type == YAML_SEQUENCE_NODE;
}

bool doc_is_mapping(const yaml_node_t *node) {
    return node && node->type == YAML_MAPPING_NODE;
}

size_t doc_count(const yaml_node_t *node) {
    if (doc_is_list(node))
        return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (doc_is_mapping(node))
        return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    return 0;
}

const yaml_node_t *doc_item(doc *d, const yaml_node_t *list, size_t i) {
    return yaml_document_get_node(&d->tree, list->data.sequence.items.start[i]);
}

const yaml_node_t *doc_key(doc *d, const yaml_node_t *mapping, size_t i) {
    return yaml_document_get_node(&d->tree, mapping->data.mapping.pairs.start[i].key);
}

const yaml_node_t *doc_value(doc *d, const yaml_node_t *mapping, size_t i) {
    return yaml_document_get_node(&d->tree, mapping->data.mapping.pairs.start[i].value);
}

const yaml_node_t *doc_find(doc *d, const yaml_node_t *mapping, const char *key) {
    for (size_t i = 0; i < doc_count(mapping); i++) {
        const char *name = doc_text(doc_key(d, mapping, i));
        if (name && !strcmp(name, key))
            return doc_value(d, mapping, i);
    }
    return NULL;
}

vl_status doc_refuse_at(doc *d, const yaml_node_t *node, const char *file, int line,
                        const char *format, ...) {
    char message[300];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return vl_error_set(d->error, d->refusal, file, line, "%s:%zu: %s", d->path,
                        node ? node->start_mark.line + 1 : 1, message);
}

/* Where `name` stands among `count` names; `count`: nowhere. */
static size_t find(const char *name, const char *const *names, size_t count) {
    size_t i = 0;
    while (i < count && strcmp(name, names[i]))
        i++;
    return i;
}

static vl_status check_key(doc *d, const yaml_node_t *mapping, size_t i,
                           const char *const *known, size_t count) {
    const yaml_node_t *key = doc_key(d, mapping, i);
    const char *name = doc_text(key);
    if (!name)
        return doc_refuse(d, key, "a key is a name");
    for (size_t before = 0; before < i; before++)
        if (!strcmp(doc_text(doc_key(d, mapping, before)), name))
            return doc_refuse(d, key, "given twice: %s", name);
    if (!known || find(name, known, count) < count)
        return VL_OK;
    const char *near = vl_nearest_name(name, known, count);
    return doc_refuse(d, key, "unknown key '%s'%s%s%s", name, near ? "; did you mean '" : "",
                      near ? near : "", near ? "'?" : "");
}

vl_status doc_check_keys(doc *d, const yaml_node_t *mapping, const char *const *known,
                         size_t count) {
    if (!doc_is_mapping(mapping))
        return doc_refuse(d, mapping, "a mapping is needed here");
    vl_status status = VL_OK;
    for (size_t i = 0; i < doc_count(mapping) && !status; i++)
        status = check_key(d, mapping, i, known, count);
    return status;
}

vl_status doc_values(doc *d, const yaml_node_t *mapping, const char *const *keys, size_t count,
                     const yaml_node_t **values) {
    memset(values, 0, count * sizeof *values);
    vl_status status = doc_check_keys(d, mapping, keys, count);
    for (size_t i = 0; !status && i < doc_count(mapping); i++)
        values[find(doc_text(doc_key(d, mapping, i)), keys, count)] = doc_value(d, mapping, i);
    return status;
}

vl_status doc_number(doc *d, const yaml_node_t *in, const yaml_node_t *node, const char *key,
                     double low, double high, double *number) {
    const char *text = doc_text(node);
    char *end = NULL;
    errno = 0;
    *number = text ? strtod(text, &end) : 0;
    if (!text || end == text || *end || errno || !(*number >= low && *number <= high))
        return doc_refuse(d, node ? node : in, "%s: a number from %g to %g is needed", key, low,
                          high);
    return VL_OK;
}
