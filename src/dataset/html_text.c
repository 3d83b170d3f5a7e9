/* html_text.c — UTF-8 to a tree.
 *
 * libxml2's parser is given UTF-8 only (encoding.h) and told so, so that its own guesses, and
 * its converters, have no part in it. */
#include "dataset/html.h"

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ATTRIBUTES_MAX = 4000 };

/* ---- to a tree --------------------------------------------------------------------------- */

typedef struct watch {
    startElementSAXFunc start;
    size_t elements;
    bool too_many, too_deep;
} watch;

static void start_element(void *user, const xmlChar *name, const xmlChar **attributes) {
    htmlParserCtxt *parser = user;
    watch *w = parser->_private;
    w->too_many = w->too_many || ++w->elements > HTML_ELEMENTS_MAX;
    w->too_deep = w->too_deep || parser->nodeNr > HTML_DEPTH_MAX;
    if (w->too_many || w->too_deep)
        xmlStopParser(parser);
    else
        w->start(user, name, attributes);
}

static void start_library(void) {
    xmlInitParser();
}

/* Of `text` from '<' on: how long the tag is, and how many attributes it has at most. */
static size_t measure_tag(const char *text, size_t count, size_t *attributes) {
    size_t i = 1;
    char quote = 0, before = 0;
    *attributes = 0;
    for (; i < count; i++) {
        char c = text[i];
        if (quote) {
            quote = c == quote ? 0 : quote;
            continue;
        }
        if (c == '>')
            break;
        bool space = strchr(" \t\r\n", c) && c;
        if (before == '=' && (c == '"' || c == '\''))
            quote = c;
        *attributes += c == '=' || (space && !strchr(" \t\r\n=", before));
        before = space && before == '=' ? before : c;
    }
    return i;
}

static size_t skip_raw(const char *text, size_t count, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 1; i + length + 2 < count; i++)
        if (text[i] == '<' && text[i + 1] == '/' && !strncasecmp(text + i + 2, name, length))
            return i;
    return count;
}

vl_status html_check_tags(const char *text, size_t count, vl_error *error) {
    for (size_t i = 0; i < count; i++) {
        size_t attributes;
        if (text[i] != '<' || i + 1 >= count || strchr("!?/ \t\r\n", text[i + 1]))
            continue;
        bool script = count - i > 7 && !strncasecmp(text + i, "<script", 7);
        bool style = count - i > 6 && !strncasecmp(text + i, "<style", 6);
        size_t length = measure_tag(text + i, count - i, &attributes);
        if (attributes > ATTRIBUTES_MAX)
            return vl_fail(error, VL_ERR_LIMIT, "a tag at byte %zu has more than %d attributes",
                           i, ATTRIBUTES_MAX);
        i += length;
        if ((script || style) && i < count)
            i += skip_raw(text + i, count - i, script ? "script" : "style") - 1;
    }
    return VL_OK;
}

vl_status html_parse(const char *text, size_t count, xmlDoc **document, vl_error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    watch w = {0};
    *document = NULL;
    if (count > HTML_BYTES_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "the page has %zu bytes; the limit is %d", count,
                       HTML_BYTES_MAX);
    vl_status status = html_check_tags(text, count, error);
    if (status)
        return status;
    pthread_once(&once, start_library);
    htmlParserCtxt *parser = htmlNewParserCtxt();
    if (!parser)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    w.start = parser->sax->startElement;
    parser->sax->startElement = start_element;
    parser->_private = &w;
    *document =
        htmlCtxtReadMemory(parser, text, (int)count, NULL, "UTF-8",
                           HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                               HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC | HTML_PARSE_COMPACT);
    htmlFreeParserCtxt(parser);
    if (w.too_deep || w.too_many) {
        xmlFreeDoc(*document);
        *document = NULL;
        return w.too_deep
                   ? vl_fail(error, VL_ERR_LIMIT,
                             "the page's elements are nested more than %d deep", HTML_DEPTH_MAX)
                   : vl_fail(error, VL_ERR_LIMIT, "the page has more than %d elements",
                             HTML_ELEMENTS_MAX);
    }
    return *document ? VL_OK : vl_fail(error, VL_ERR_INPUT, "the page has no text");
}
