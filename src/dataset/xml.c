/* xml.c — see xml.h. */
#include "dataset/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void start_library(void) {
    xmlInitParser();
}

/* libxml2 says where and why; of several the first. */
static void hear(void *user, xmlErrorPtr said) {
    xml *x = user;
    if (*x->trouble || said->level < XML_ERR_ERROR || !said->message)
        return;
    x->too_deep = strstr(said->message, "depth") != NULL;
    snprintf(x->trouble, sizeof x->trouble, "%.*s in line %d",
             (int)strcspn(said->message, "\n"), said->message, said->line);
}

static int space_of(const xml *x, const xmlNs *ns) {
    if (!ns || !ns->href)
        return XML_SPACE_NONE;
    for (const xml_space *at = x->spaces; at->uri; at++)
        if (!strcmp(at->uri, (const char *)ns->href))
            return at->space;
    return XML_SPACE_OTHER;
}

static void fail_parse(xml *x) {
    x->status = x->too_deep ? vl_fail(x->error, VL_ERR_LIMIT,
                                      "%s: its elements are nested more than %u deep", x->part,
                                      xmlParserMaxDepth)
                            : vl_fail(x->error, VL_ERR_INPUT, "%s is no well-formed XML: %s",
                                      x->part, *x->trouble ? x->trouble : "it ends too early");
}

/* The next node of any kind; false at the end. */
static bool advance(xml *x, int *type) {
    if (x->status)
        return false;
    int more = xmlTextReaderRead(x->reader);
    if (more < 0)
        fail_parse(x);
    if (more <= 0)
        return false;
    *type = xmlTextReaderNodeType(x->reader);
    if (*type == XML_READER_TYPE_DOCUMENT_TYPE)
        x->status = vl_fail(x->error, VL_ERR_INPUT,
                            "%s has a document type, which documents "
                            "of its kind may not have",
                            x->part);
    if (*type == XML_READER_TYPE_ELEMENT && ++x->elements > XML_ELEMENTS_MAX)
        x->status = vl_fail(x->error, VL_ERR_LIMIT, "%s has more than %d elements", x->part,
                            XML_ELEMENTS_MAX);
    if (x->elements % 4096 == 0 && !x->status)
        x->status = vl_stop_check(x->error);
    return !x->status;
}

static void arrive(xml *x, int type) {
    const xmlNode *node = xmlTextReaderCurrentNode(x->reader);
    bool element = type == XML_READER_TYPE_ELEMENT;
    x->name = element ? (const char *)node->name : NULL;
    x->space = element ? space_of(x, node->ns) : XML_SPACE_NONE;
}

static bool is_text(int type) {
    return type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA ||
           type == XML_READER_TYPE_WHITESPACE || type == XML_READER_TYPE_SIGNIFICANT_WHITESPACE;
}

vl_status xml_open(xml *x, const vl_buf *text, const char *part, const xml_space *spaces,
                   vl_error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int type = 0;
    *x = (xml){.spaces = spaces, .part = part, .error = error};
    pthread_once(&once, start_library);
    if (text->len > INT32_MAX)
        return x->status = vl_fail(error, VL_ERR_LIMIT, "%s is too large", part);
    if (memmem(text->data ? text->data : "", text->len, "<!DOCTYPE", 9))
        return x->status = vl_fail(error, VL_ERR_INPUT,
                                   "%s has a document type, which "
                                   "documents of its kind may not have",
                                   part);
    x->reader = xmlReaderForMemory(text->data ? text->data : "", (int)text->len, NULL, NULL,
                                   XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                       XML_PARSE_COMPACT);
    if (!x->reader)
        return x->status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
    xmlTextReaderSetStructuredErrorHandler(x->reader, hear, x);
    while (advance(x, &type))
        if (type == XML_READER_TYPE_ELEMENT) {
            arrive(x, type);
            return VL_OK;
        }
    if (!x->status)
        x->status = vl_fail(error, VL_ERR_INPUT, "%s is empty", part);
    return x->status;
}

void xml_close(xml *x) {
    if (x->reader)
        xmlFreeTextReader(x->reader);
    x->reader = NULL;
}

xml_inside xml_enter(const xml *x) {
    bool empty = x->status || !x->name || xmlTextReaderIsEmptyElement(x->reader) == 1;
    return (xml_inside){empty ? -1 : xmlTextReaderDepth(x->reader)};
}

bool xml_next(xml *x, xml_inside in) {
    int type;
    while (in.depth >= 0 && advance(x, &type)) {
        int depth = xmlTextReaderDepth(x->reader);
        if (depth <= in.depth)
            return false;
        if (depth == in.depth + 1 && (type == XML_READER_TYPE_ELEMENT || is_text(type))) {
            arrive(x, type);
            return true;
        }
    }
    return false;
}

bool xml_is(const xml *x, int space, const char *name) {
    return x->name && x->space == space && !strcmp(x->name, name);
}

const char *xml_text(const xml *x) {
    if (x->name)
        return NULL;
    const char *text = (const char *)xmlTextReaderConstValue(x->reader);
    return text ? text : "";
}

const char *xml_attribute(const xml *x, int space, const char *name) {
    const xmlNode *node = x->name ? xmlTextReaderCurrentNode(x->reader) : NULL;
    for (const xmlAttr *at = node ? node->properties : NULL; at; at = at->next)
        if (!strcmp((const char *)at->name, name) && space_of(x, at->ns) == space)
            return at->children && at->children->content ? (const char *)at->children->content
                                                         : "";
    return "";
}

long xml_number(const xml *x, int space, const char *name, long otherwise) {
    const char *text = xml_attribute(x, space, name);
    char *end;
    long number = strtol(text, &end, 10);
    return end == text ? otherwise : number;
}
