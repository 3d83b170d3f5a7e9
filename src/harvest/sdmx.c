/* sdmx.c — SDMX 2.1 messages in XML and CSV (sdmx.h); the XML by libxml2, as a stream of
 * events, so that no tree is built of it. */
#include "harvest/sdmx.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 24, ATTRIBUTES_MAX = 256, CHUNK_BYTES = 64 << 10, SAYS_BYTES = 200 };

/* ---- XML -----------------------------------------------------------------------------------
 */

typedef struct attribute {
    char *name, *value; /* ours: libxml2's strings go with the event */
} attribute;

typedef struct reader {
    xmlParserCtxt *parser;
    vl_table *table;
    attribute series[ATTRIBUTES_MAX]; /* of the series we are in */
    size_t series_count;
    unsigned depth;
    bool is_message, is_error; /* what the root says it is */
    bool in_text;              /* of an error message */
    char says[SAYS_BYTES];
    size_t said;
    const char *refused; /* why we stopped */
} reader;

static void stop(reader *r, const char *why) {
    if (!r->refused)
        r->refused = why;
    xmlStopParser(r->parser);
}

static void forget_series(reader *r) {
    for (size_t i = 0; i < r->series_count; i++) {
        xmlFree(r->series[i].name);
        xmlFree(r->series[i].value);
    }
    r->series_count = 0;
}

/* libxml2 gives five strings an attribute: name, prefix, namespace, and where its value begins
 * and ends. Those with a prefix (xsi:type) are about the message and no data. */
static bool is_data(const xmlChar **one) {
    return !one[1];
}

static void begin_series(reader *r, int count, const xmlChar **attributes) {
    forget_series(r);
    for (int i = 0; i < count; i++) {
        const xmlChar **one = attributes + (ptrdiff_t)5 * i;
        if (!is_data(one))
            continue;
        if (r->series_count == ATTRIBUTES_MAX) {
            stop(r, "a series with too many attributes");
            return;
        }
        attribute *a = &r->series[r->series_count];
        a->name = (char *)xmlStrdup(one[0]);
        a->value = (char *)xmlStrndup(one[3], (int)(one[4] - one[3]));
        r->series_count++;
        if (!a->name || !a->value) {
            stop(r, "no memory");
            return;
        }
    }
}

static void put_observation(reader *r, int count, const xmlChar **attributes) {
    vl_table_row(r->table);
    for (size_t i = 0; i < r->series_count; i++)
        vl_table_put(r->table, r->series[i].name, r->series[i].value);
    for (int i = 0; i < count; i++) {
        const xmlChar **one = attributes + (ptrdiff_t)5 * i;
        if (is_data(one))
            vl_table_put_bytes(r->table, (const char *)one[0], (const char *)one[3],
                               (size_t)(one[4] - one[3]));
    }
}

static bool is_named(const xmlChar *name, const char *what) {
    return !strcmp((const char *)name, what);
}

static void begin_element(void *user, const xmlChar *name, const xmlChar *prefix,
                          const xmlChar *space, int space_count, const xmlChar **spaces,
                          int count, int defaulted, const xmlChar **attributes) {
    reader *r = user;
    (void)prefix, (void)space, (void)space_count, (void)spaces, (void)defaulted;
    if (r->refused)
        return;
    if (++r->depth > DEPTH_MAX) {
        stop(r, "it is deeper than 24 levels");
    } else if (r->depth == 1) {
        r->is_message = is_named(name, "StructureSpecificData") ||
                        is_named(name, "StructureSpecificTimeSeriesData");
        r->is_error = is_named(name, "Error");
        if (!r->is_message && !r->is_error)
            stop(r, "it is no StructureSpecificData");
    } else if (r->is_error) {
        r->in_text = is_named(name, "Text");
    } else if (is_named(name, "Series")) {
        begin_series(r, count, attributes);
    } else if (is_named(name, "Obs")) {
        put_observation(r, count, attributes);
    }
}

static void end_element(void *user, const xmlChar *name, const xmlChar *prefix,
                        const xmlChar *space) {
    reader *r = user;
    (void)prefix, (void)space;
    r->depth -= r->depth > 0;
    r->in_text = false;
    if (is_named(name, "Series"))
        forget_series(r);
}

static void take_text(void *user, const xmlChar *text, int bytes) {
    reader *r = user;
    size_t room = SAYS_BYTES - 1 - r->said;
    size_t count = (size_t)bytes < room ? (size_t)bytes : room;
    if (!r->in_text)
        return;
    memcpy(r->says + r->said, text, count);
    r->said += count;
    r->says[vl_utf8_valid_prefix(r->says, r->said)] = '\0';
}

static void refuse_doctype(void *user, const xmlChar *name, const xmlChar *public_id,
                           const xmlChar *system_id) {
    (void)name, (void)public_id, (void)system_id;
    stop(user, "it declares a document type");
}

static xmlEntityPtr no_entity(void *user, const xmlChar *name) {
    (void)user, (void)name;
    return NULL;
}

static void say_nothing(void *user, const char *message, ...) {
    (void)user, (void)message;
}

static void say_nothing_either(void *user, xmlErrorPtr error) {
    (void)user, (void)error;
}

static void make_handler(xmlSAXHandler *handler) {
    *handler = (xmlSAXHandler){.internalSubset = refuse_doctype,
                               .getEntity = no_entity,
                               .getParameterEntity = no_entity,
                               .characters = take_text,
                               .cdataBlock = take_text,
                               .startElementNs = begin_element,
                               .endElementNs = end_element,
                               .warning = say_nothing,
                               .error = say_nothing,
                               .fatalError = say_nothing,
                               .serror = say_nothing_either,
                               .initialized = XML_SAX2_MAGIC};
}

static vl_status verdict(const reader *r, int code, vl_error *error) {
    if (r->refused)
        return vl_fail(error, VL_ERR_INPUT, "the SDMX message is not read: %s", r->refused);
    if (code || !r->parser->wellFormed)
        return vl_fail(error, VL_ERR_INPUT, "the SDMX message is broken XML in line %d",
                       r->parser->input ? r->parser->input->line : 0);
    if (r->is_error)
        return vl_fail(error, VL_ERR_INPUT, "SDMX error: %s", *r->says ? r->says : "no reason");
    return VL_OK;
}

vl_status vl_sdmx_read_xml(const char *text, size_t bytes, vl_table *table, vl_error *error) {
    reader r = {.table = table};
    xmlSAXHandler handler;
    int code = 0;
    make_handler(&handler);
    r.parser = xmlCreatePushParserCtxt(&handler, &r, NULL, 0, NULL);
    if (!r.parser)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a parser of XML");
    /* NOENT is for &amp; in attributes; other entities there are none. */
    xmlCtxtUseOptions(r.parser, XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_NOERROR |
                                    XML_PARSE_NOWARNING);
    for (size_t at = 0; at < bytes && !code && !r.refused; at += CHUNK_BYTES) {
        size_t count = bytes - at < CHUNK_BYTES ? bytes - at : CHUNK_BYTES;
        code = xmlParseChunk(r.parser, text + at, (int)count, 0);
    }
    if (!code && !r.refused)
        code = xmlParseChunk(r.parser, NULL, 0, 1);
    vl_status status = verdict(&r, code, error);
    forget_series(&r);
    xmlDoc *document = r.parser->myDoc;
    xmlFreeParserCtxt(r.parser);
    xmlFreeDoc(document);
    return status;
}

/* ---- CSV -----------------------------------------------------------------------------------
 */

/* The value at *at into `out` without quotes, *at behind it and `*ended` whether it was the
 * last of its line. False: a quote that is not closed, or something behind a closed one. */
static bool read_value(const char **at, const char *end, vl_buf *out, bool *ended) {
    const char *c = *at;
    vl_buf_clear(out);
    if (c < end && *c == '"') {
        for (c++;; c++) {
            const char *quote = memchr(c, '"', (size_t)(end - c));
            if (!quote)
                return false;
            vl_buf_append(out, c, (size_t)(quote - c));
            c = quote + 1;
            if (c >= end || *c != '"')
                break;
            vl_buf_puts(out, "\"");
        }
    } else {
        const char *from = c;
        while (c < end && *c != ',' && *c != '\r' && *c != '\n')
            c++;
        vl_buf_append(out, from, (size_t)(c - from));
    }
    *ended = c >= end || *c != ',';
    bool fine = c >= end || *c == ',' || *c == '\r' || *c == '\n';
    if (c < end && *c == '\r')
        c++;
    if (c < end && (*c == '\n' || *c == ','))
        c++;
    *at = c;
    return fine;
}

enum { VALUE_BYTES = 64 << 10 };

static vl_status read_names(const char **at, const char *end, vl_buf *value, char **names,
                            size_t *count, vl_error *error) {
    static const char *const needed[] = {"REF_AREA", "TIME_PERIOD", "OBS_VALUE"};
    unsigned found = 0;
    for (bool ended = false; !ended;) {
        if (*count == VL_TABLE_COLUMNS || !read_value(at, end, value, &ended) || value->failed)
            return vl_fail(error, VL_ERR_INPUT, "the first line is not that of SDMX-CSV");
        names[*count] = strdup(value->data ? value->data : "");
        if (!names[*count])
            return vl_fail(error, VL_ERR_MEMORY, "no memory for names of columns");
        for (size_t i = 0; i < 3; i++)
            if (!strcmp(names[*count], needed[i]))
                found |= 1U << i;
        ++*count;
    }
    if (found != 7)
        return vl_fail(error, VL_ERR_INPUT,
                       "the first line names no REF_AREA, TIME_PERIOD and OBS_VALUE");
    return VL_OK;
}

static vl_status read_line(const char **at, const char *end, vl_buf *value, char *const *names,
                           size_t count, vl_table *table, vl_error *error) {
    size_t column = 0;
    vl_table_row(table);
    for (bool ended = false; !ended; column++) {
        if (!read_value(at, end, value, &ended) || column >= count)
            return vl_fail(error, VL_ERR_INPUT, "row %zu of the CSV is broken",
                           vl_table_rows(table));
        if (value->failed)
            return vl_fail(error, VL_ERR_LIMIT, "a value of over %d bytes", VALUE_BYTES);
        vl_table_put_bytes(table, names[column], value->data ? value->data : "", value->len);
    }
    return VL_OK;
}

vl_status vl_sdmx_read_csv(const char *text, size_t bytes, vl_table *table, vl_error *error) {
    const char *at = text, *end = text + bytes;
    char *names[VL_TABLE_COLUMNS];
    size_t count = 0;
    vl_buf value;
    vl_buf_init(&value, VALUE_BYTES);
    if (bytes >= 3 && !memcmp(at, "\xEF\xBB\xBF", 3))
        at += 3;
    vl_status status = memchr(text, '\0', bytes) || vl_utf8_valid_prefix(text, bytes) != bytes
                           ? vl_fail(error, VL_ERR_INPUT, "the CSV is no UTF-8 text")
                           : read_names(&at, end, &value, names, &count, error);
    while (!status && at < end) {
        if (*at == '\r' || *at == '\n') {
            at++;
            continue;
        }
        status = read_line(&at, end, &value, names, count, table, error);
    }
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    vl_buf_deinit(&value);
    return status;
}
