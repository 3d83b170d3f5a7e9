/* html_text.c — bytes of a page to UTF-8, and UTF-8 to a tree.
 *
 * libxml2's parser is given UTF-8 only and told so, so that its own guesses, and its
 * converters, have no part in it. */
#include "dataset/html.h"

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

enum { LABEL_SIZE = 40, META_BYTES = 4096, SNIFF_BYTES = 64 << 10, CHUNK = 4096 };
enum { ATTRIBUTES_MAX = 4000 };

/* ---- which encoding ---------------------------------------------------------------------- */

/* Labels that stand for more than they say (WHATWG Encoding, 4.2). */
static const char *const aliases[][2] = {{"iso-8859-1", "windows-1252"},
                                         {"latin1", "windows-1252"},
                                         {"us-ascii", "windows-1252"},
                                         {"ascii", "windows-1252"},
                                         {"iso-8859-9", "windows-1254"},
                                         {"latin5", "windows-1254"},
                                         {"iso-8859-11", "windows-874"},
                                         {"tis-620", "windows-874"},
                                         {"gb2312", "gb18030"},
                                         {"gbk", "gb18030"},
                                         {"ks_c_5601-1987", "windows-949"},
                                         {"euc-kr", "windows-949"},
                                         {"utf8", "utf-8"},
                                         {"utf-16", "utf-16le"},
                                         {"unicode", "utf-16le"}};

static bool label_of(const char *from, size_t count, char out[LABEL_SIZE]) {
    size_t used = 0, at = 0;
    while (at < count && strchr(" \t\r\n\"'", from[at]) && from[at])
        at++;
    for (; at < count && used + 1 < LABEL_SIZE && from[at] > ' ' && !strchr("\"';>/", from[at]);
         at++)
        out[used++] = (char)(from[at] >= 'A' && from[at] <= 'Z' ? from[at] + 32 : from[at]);
    out[used] = '\0';
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (!strcmp(out, aliases[i][0]))
            strcpy(out, aliases[i][1]);
    return used && strncmp(out, "utf-7", 5) != 0;
}

static bool after_charset(const char *text, size_t count, char out[LABEL_SIZE]) {
    static const char key[] = "charset";
    for (size_t i = 0; i + sizeof key < count; i++) {
        if (strncasecmp(text + i, key, sizeof key - 1) != 0)
            continue;
        size_t at = i + sizeof key - 1;
        while (at < count && text[at] == ' ')
            at++;
        if (at < count && text[at] == '=' && label_of(text + at + 1, count - at - 1, out))
            return true;
    }
    return false;
}

/* <meta charset>, <meta http-equiv content> and the encoding of an XML declaration. What reads
 * as ASCII is not UTF-16, whatever it says. */
static bool in_meta(const char *text, size_t count, char out[LABEL_SIZE]) {
    if (count > META_BYTES)
        count = META_BYTES;
    for (size_t i = 0; i + 6 < count; i++) {
        size_t end = i;
        if (text[i] != '<' ||
            (strncasecmp(text + i, "<meta", 5) != 0 && strncmp(text + i, "<?xml", 5) != 0))
            continue;
        while (end < count && text[end] != '>')
            end++;
        const char *xml = memmem(text + i, end - i, "encoding=", 9);
        bool found = text[i + 1] == '?'
                         ? xml && label_of(xml + 9, (size_t)(text + end - xml) - 9, out)
                         : after_charset(text + i, end - i, out);
        if (found && !strncmp(out, "utf-16", 6))
            strcpy(out, "utf-8");
        if (found)
            return true;
    }
    return false;
}

/* Markup has zero bytes only in UTF-16, on one side of each pair. */
static const char *utf16_by_zeros(const unsigned char *bytes, size_t count) {
    size_t zeros[2] = {0, 0}, looked = count < 1024 ? count & ~(size_t)1 : 1024;
    for (size_t i = 0; i < looked; i++)
        zeros[i & 1] += !bytes[i];
    if (zeros[1] * 10 > looked && !zeros[0])
        return "utf-16le";
    return zeros[0] * 10 > looked && !zeros[1] ? "utf-16be" : NULL;
}

/* Whether what is not ASCII is UTF-8, but for few bytes; `any`: there is some. */
static bool is_utf8(const unsigned char *bytes, size_t count, bool *any) {
    size_t good = 0, bad = 0;
    for (size_t i = 0; i < count;) {
        UChar32 c;
        if (bytes[i] < 0x80) {
            i++;
            continue;
        }
        U8_NEXT(bytes, i, count, c);
        *(c < 0 ? &bad : &good) += 1;
    }
    *any = good > 0;
    return bad * 50 <= good;
}

static bool detected(const char *bytes, size_t count, const char *declared,
                     char out[LABEL_SIZE]) {
    UErrorCode code = U_ZERO_ERROR;
    UCharsetDetector *detector = ucsdet_open(&code);
    int32_t length = (int32_t)(count < SNIFF_BYTES ? count : SNIFF_BYTES);
    bool found = false;
    ucsdet_setText(detector, bytes, length, &code);
    if (*declared)
        ucsdet_setDeclaredEncoding(detector, declared, -1, &code);
    ucsdet_enableInputFilter(detector, true); /* without markup */
    const UCharsetMatch *match = ucsdet_detect(detector, &code);
    const char *name = match && U_SUCCESS(code) ? ucsdet_getName(match, &code) : NULL;
    if (name && U_SUCCESS(code))
        found = label_of(name, strlen(name), out);
    ucsdet_close(detector);
    return found;
}

static void find_encoding(const char *bytes, size_t count, const char *type, size_t *skip,
                          char out[LABEL_SIZE]) {
    const char *wide = NULL;
    bool any;
    *skip = 0;
    if (count >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3)) {
        *skip = 3;
        strcpy(out, "utf-8");
    } else if (count >= 2 && (!memcmp(bytes, "\xFF\xFE", 2) || !memcmp(bytes, "\xFE\xFF", 2))) {
        *skip = 2;
        strcpy(out, bytes[0] == '\xFF' ? "utf-16le" : "utf-16be");
    } else if ((wide = utf16_by_zeros((const unsigned char *)bytes, count))) {
        strcpy(out, wide);
    } else {
        bool utf8 = is_utf8((const unsigned char *)bytes, count, &any);
        bool declared =
            (type && after_charset(type, strlen(type), out)) || in_meta(bytes, count, out);
        if (utf8 && (any || !declared))
            strcpy(out, "utf-8");
        else if ((!declared || !strcmp(out, "utf-8")) &&
                 !detected(bytes, count, declared ? "" : "windows-1252", out))
            strcpy(out, "windows-1252");
    }
}

/* ---- to UTF-8 ---------------------------------------------------------------------------- */

/* A NUL would end the text for the parser; other control characters say nothing. */
static uint32_t harmless(uint32_t c) {
    if (c == '\t' || c == '\n' || c == '\r')
        return c;
    return c < 0x20 || (c >= 0x7F && c < 0xA0) ? ' ' : c;
}

static void put_utf16(vl_buf *out, const UChar *text, int32_t length, UChar *high) {
    for (int32_t i = 0; i < length; i++) {
        uint8_t bytes[U8_MAX_LENGTH];
        int32_t used = 0;
        uint32_t c = text[i];
        if (U16_IS_LEAD(c)) {
            *high = text[i];
            continue;
        }
        if (U16_IS_TRAIL(c))
            c = *high ? (uint32_t)U16_GET_SUPPLEMENTARY(*high, c) : 0xFFFD;
        *high = 0;
        c = harmless(c);
        U8_APPEND_UNSAFE(bytes, used, c);
        vl_buf_append(out, bytes, (size_t)used);
    }
}

static vl_status convert(const char *bytes, size_t count, const char *encoding, vl_buf *out,
                         vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(encoding, &code);
    if (U_FAILURE(code)) {
        code = U_ZERO_ERROR;
        converter = ucnv_open("windows-1252", &code);
    }
    if (U_FAILURE(code))
        return vl_fail(error, VL_ERR_MEMORY, "no converter for %s", encoding);
    const char *at = bytes, *end = bytes + count;
    UChar high = 0;
    do {
        UChar chunk[CHUNK], *to = chunk;
        code = U_ZERO_ERROR;
        ucnv_toUnicode(converter, &to, chunk + CHUNK, &at, end, NULL, true, &code);
        put_utf16(out, chunk, (int32_t)(to - chunk), &high);
    } while (code == U_BUFFER_OVERFLOW_ERROR && !out->failed);
    ucnv_close(converter);
    if (U_FAILURE(code) && code != U_BUFFER_OVERFLOW_ERROR)
        return vl_fail(error, VL_ERR_INPUT, "the page is not in %s, which it claims", encoding);
    return out->failed ? vl_fail(error, VL_ERR_LIMIT, "the page is larger than %d bytes",
                                 HTML_BYTES_MAX)
                       : VL_OK;
}

vl_status html_to_utf8(const void *bytes, size_t count, const char *type, vl_buf *out,
                       vl_error *error) {
    char encoding[LABEL_SIZE] = "";
    size_t skip;
    find_encoding(bytes, count, type, &skip, encoding);
    return convert((const char *)bytes + skip, count - skip, encoding, out, error);
}

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
