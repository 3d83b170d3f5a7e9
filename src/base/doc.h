/* doc.h — a recipe as a tree of YAML nodes, and refusals that name the line.
 *
 * Nodes belong to the document and live until doc_close. */
#ifndef BASE_DOC_H
#define BASE_DOC_H

#include <vislang/base.h>

#include <yaml.h>

typedef struct doc {
    const char *path;  /* the caller's */
    vl_status refusal; /* what a recipe that cannot be followed is */
    vl_error *error;
    yaml_document_t tree;
} doc;

enum { DOC_MAX_BYTES = 1 << 20 };
/* The file as it stands; the caller deinits `text`, also after a failure. */
vl_status doc_file_text(const char *path, vl_buf *text, vl_error *error);
/* Reads the whole file. `refusal`: when it is no YAML. */
vl_status doc_open(doc *d, const char *path, vl_status refusal, vl_error *error);
void doc_close(doc *d);
const yaml_node_t *doc_root(doc *d); /* NULL: an empty file */

/* Text of a scalar; NULL for anything else, NULL included. */
const char *doc_text(const yaml_node_t *node);
bool doc_is_list(const yaml_node_t *node);
bool doc_is_mapping(const yaml_node_t *node);
/* Items of a list or pairs of a mapping; 0 for anything else. */
size_t doc_count(const yaml_node_t *node);
const yaml_node_t *doc_item(doc *d, const yaml_node_t *list, size_t i);
const yaml_node_t *doc_key(doc *d, const yaml_node_t *mapping, size_t i);
const yaml_node_t *doc_value(doc *d, const yaml_node_t *mapping, size_t i);
/* The value of a key; NULL: it is not given. */
const yaml_node_t *doc_find(doc *d, const yaml_node_t *mapping, const char *key);

/* "recipe.yaml:12: …", with the status of refusals. `node` NULL: the first line. */
#define doc_refuse(d, node, ...) doc_refuse_at((d), (node), __FILE__, __LINE__, __VA_ARGS__)
vl_status doc_refuse_at(doc *d, const yaml_node_t *node, const char *file, int line,
                        const char *format, ...) VL_PRINTF(5, 6);
/* Refuses what is no mapping, a key that comes twice, and, unless `known` is NULL, one that is
 * none of them, with the one that was meant. */
vl_status doc_check_keys(doc *d, const yaml_node_t *mapping, const char *const *known,
                         size_t count);
/* After that check, the values of the keys in their order; NULL where one is not given. */
vl_status doc_values(doc *d, const yaml_node_t *mapping, const char *const *keys, size_t count,
                     const yaml_node_t **values);
/* The number at `node`; `in` is where it would stand if `node` is NULL. */
vl_status doc_number(doc *d, const yaml_node_t *in, const yaml_node_t *node, const char *key,
                     double low, double high, double *number);

#endif
