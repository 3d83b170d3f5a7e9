/* html.h — HTML as a tree that holds what a page is about (used by parts_html.c). */
#ifndef VL_DATASET_HTML_H
#define VL_DATASET_HTML_H

#include "dataset/parts.h"

#include <libxml/tree.h>

enum { HTML_BYTES_MAX = 48 << 20, HTML_ELEMENTS_MAX = 1000000, HTML_DEPTH_MAX = 250 };

/* Nothing is fetched. VL_ERR_LIMIT: past the limits above. The caller frees with xmlFreeDoc. */
vl_status html_parse(const char *text, size_t count, xmlDoc **document, vl_error *error);
/* VL_ERR_LIMIT: a tag with thousands of attributes, which the parser compares each with all. */
vl_status html_check_tags(const char *text, size_t count, vl_error *error);

/* Takes out of the tree what is on every page of a site, and returns the element that the rest
 * is in; never NULL for a document with a root. */
xmlNode *html_main_content(xmlDoc *document);

bool html_is(const xmlNode *node, const char *name); /* an element of that name */
bool html_is_one_of(const xmlNode *node, const char *const *names); /* ends with NULL */
/* Attribute's value as it stands in the tree, "" without one; valid until the tree changes. */
const char *html_attribute(const xmlNode *node, const char *name);

#endif
