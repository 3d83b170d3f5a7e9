/* xml.h — XML element by element, in memory that does not grow with the document.
 *
 * Readers descend as the elements do:
 *
 *     xml_inside in = xml_enter(x);
 *     while (xml_next(x, in))
 *         if (xml_is(x, SPACE_W, "p"))
 *             read_paragraph(x);
 *
 * xml_next gives the children (elements and text) one after the other; what a child holds is
 * skipped where its reader did not enter it, or left it early. Nothing is fetched; a document
 * type, and with it every entity of the document's own, is refused. Elements are at most 256
 * deep (libxml2's limit), so that readers may recurse. */
#ifndef VL_DATASET_XML_H
#define VL_DATASET_XML_H

#include <vislang/base.h>

#include <libxml/xmlreader.h>

/* Namespaces that a reader knows, by their URIs; its own numbers, from 1 on. */
typedef struct xml_space {
    const char *uri; /* NULL ends the table */
    int space;
} xml_space;
enum { XML_SPACE_NONE = 0, XML_SPACE_OTHER = -1, XML_ELEMENTS_MAX = 5000000 };

typedef struct xml {
    xmlTextReaderPtr reader;
    const xml_space *spaces;
    const char *part; /* for messages */
    const char *name; /* of the element that the reader is at, without prefix; NULL: text */
    int space;
    size_t elements;
    char trouble[200]; /* what libxml2 says */
    bool too_deep;
    vl_status status; /* the first failure; every later call does nothing */
    vl_error *error;  /* never NULL */
} xml;

/* Goes to the root element. `text` must outlive it, and `x` stay where it is. VL_ERR_INPUT,
 * VL_ERR_LIMIT. */
vl_status xml_open(xml *x, const vl_buf *text, const char *part, const xml_space *spaces,
                   vl_error *error);
void xml_close(xml *x); /* of a zeroed one too */

typedef struct xml_inside {
    int depth; /* of the element that was entered; -1: it has no content */
} xml_inside;
xml_inside xml_enter(const xml *x);
bool xml_next(xml *x, xml_inside in); /* false: no more, or a failure */

bool xml_is(const xml *x, int space, const char *name);
const char *xml_text(const xml *x); /* NULL: this is an element. Valid until xml_next */
/* "" where the element has no such attribute. Valid until xml_next. */
const char *xml_attribute(const xml *x, int space, const char *name);
/* The attribute's whole number, or `otherwise`. */
long xml_number(const xml *x, int space, const char *name, long otherwise);

#endif
