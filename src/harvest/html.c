/* html.c — pages of HTML (html.h).
 *
 *   charset_of       how a body is written
 *   vl_html_to_utf8  by iconv
 *   see              one element
 *   vl_html_read     all of them, without recursion */
#include "harvest/html.h"

#include "harvest/ask.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHARSET_SIZE = 48, META_BYTES = 1024, TEXT_SIZE = 1024 };

/* ---- how it is written ------------------------------------------------------------------- */

static bool take_charset(const char *text, size_t bytes, char out[CHARSET_SIZE]) {
    static const char name[] = "charset";
    for (size_t i = 0; i + sizeof name <= bytes; i++) {
        if (strncasecmp(text + i, name, sizeof name - 1))
            continue;
        size_t at = i + sizeof name - 1, used = 0;
        while (at < bytes && strchr(" \t\r\n='\"", text[at]) && text[at])
            at++;
        while (at < bytes && used + 1 < CHARSET_SIZE &&
               (isalnum((unsigned char)text[at]) || strchr("-_:.", text[at])) && text[at])
            out[used++] = text[at++];
        out[used] = '\0';
        return used > 0;
    }
    return false;
}

static void charset_of(const char *bytes, size_t count, const char *type,
                       char out[CHARSET_SIZE]) {
    if (count >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
        strcpy(out, "utf-8");
    else if (count >= 2 && !memcmp(bytes, "\xff\xfe", 2))
        strcpy(out, "utf-16le");
    else if (count >= 2 && !memcmp(bytes, "\xfe\xff", 2))
        strcpy(out, "utf-16be");
    else if (!(type && take_charset(type, strlen(type), out)) &&
             !take_charset(bytes, count < META_BYTES ? count : META_BYTES, out))
        strcpy(out, "utf-8");
    if (!strcasecmp(out, "iso-8859-1") || !strcasecmp(out, "us-ascii"))
        strcpy(out, "windows-1252"); /* Encoding Standard, section 4.2 */
}

/* Those of the Encoding Standard that iconv knows by the same name, and no others: the rest of
 * iconv's are not met on the web and would be code that strangers choose to run. */
static bool is_known(const char *charset) {
    static const char *const exact[] = {
        "utf-8",  "utf8",   "utf-16",    "utf-16le", "utf-16be", "koi8-r",
        "koi8-u", "gbk",    "gb2312",    "gb18030",  "big5",     "shift_jis",
        "euc-jp", "euc-kr", "macintosh", "ibm866",   "tis-620"};
    static const char *const families[] = {"windows-125", "windows-874", "iso-8859-"};
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (!strcasecmp(charset, exact[i]))
            return true;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (!strncasecmp(charset, families[i], strlen(families[i])))
            return true;
    return false;
}

static vl_status convert(iconv_t how, const char *bytes, size_t count, vl_buf *out) {
    char *in = (char *)(uintptr_t)bytes, piece[4096];
    size_t left = count;
    while (left && !out->failed) {
        char *to = piece;
        size_t room = sizeof piece;
        bool stuck = iconv(how, &in, &left, &to, &room) == (size_t)-1 && errno != E2BIG;
        vl_buf_append(out, piece, sizeof piece - room);
        if (stuck)
            return VL_ERR_INPUT;
    }
    return out->failed ? VL_ERR_LIMIT : VL_OK;
}

/* iconv takes code points past U+10FFFF for UTF-8, which nobody else does. */
static void put_valid(const char *text, size_t count, vl_buf *out) {
    while (count) {
        size_t good = vl_utf8_valid_prefix(text, count);
        vl_buf_append(out, text, good);
        if (good < count) {
            vl_buf_puts(out, "\xef\xbf\xbd");
            good++;
        }
        text += good;
        count -= good;
    }
}

vl_status vl_html_to_utf8(const char *bytes, size_t count, const char *type, vl_arena *arena,
                          const char **text, size_t *text_bytes, vl_error *error) {
    char charset[CHARSET_SIZE];
    charset_of(bytes, count, type, charset);
    *text = bytes;
    *text_bytes = count;
    if (vl_utf8_valid_prefix(bytes, count) == count && strncasecmp(charset, "utf-16", 6) &&
        (!strcasecmp(charset, "utf-8") || !strcasecmp(charset, "utf8")))
        return VL_OK;
    vl_buf out;
    vl_buf_init(&out, 3 * (size_t)VL_HTML_BYTES);
    iconv_t how = is_known(charset) ? iconv_open("UTF-8", charset) : (iconv_t)-1;
    vl_status status = how == (iconv_t)-1 ? VL_ERR_INPUT : VL_OK;
    if (!status) {
        vl_buf_puts(&out, "\xef\xbb\xbf");
        size_t mark = !strncasecmp(charset, "utf-16", 6) && charset[6] ? 2 : 0;
        mark = mark && count >= 2 && ((bytes[0] == '\xff') != (bytes[1] == '\xff')) ? mark : 0;
        status = convert(how, bytes + mark, count - mark, &out);
        iconv_close(how);
    }
    if (!status && vl_utf8_valid_prefix(out.data, out.len) != out.len) {
        vl_buf valid;
        vl_buf_init(&valid, 3 * (size_t)VL_HTML_BYTES);
        put_valid(out.data, out.len, &valid);
        vl_buf_deinit(&out);
        out = valid;
        status = out.failed ? VL_ERR_LIMIT : VL_OK;
    }
    char *copy = status ? NULL : vl_arena_alloc(arena, out.len + 1);
    if (copy)
        *text = memcpy(copy, out.data, out.len);
    else if (!status)
        status = VL_ERR_MEMORY;
    *text_bytes = out.len;
    vl_buf_deinit(&out);
    return status ? vl_fail(error, status, "it is not written in %s", charset) : VL_OK;
}

/* ---- elements ---------------------------------------------------------------------------- */

typedef struct seeing {
    const char *base, *agent;
    vl_arena *arena;
    vl_html *html;
    bool based; /* a <base> was seen */
} seeing;

static bool is_element(const xmlNode *node, const char *name) {
    return !strcasecmp((const char *)node->name, name);
}

static char *get(const xmlNode *node, const char *name) {
    return (char *)xmlGetProp((xmlNode *)(uintptr_t)node, (const xmlChar *)name);
}

/* Whether a list of words with spaces has this one. */
static bool has_word(const char *list, const char *word) {
    size_t bytes = strlen(word);
    while (list && *(list += strspn(list, " \t\r\n"))) {
        size_t length = strcspn(list, " \t\r\n");
        if (length == bytes && !strncasecmp(list, word, bytes))
            return true;
        list += length;
    }
    return false;
}

static void add_link(seeing *s, vl_feed_link **list, size_t *count, const char *url,
                     const char *type) {
    for (size_t i = 0; i < *count; i++)
        if (!strcmp((*list)[i].url, url))
            return;
    if (*count == VL_HTML_LINKS)
        return;
    if (!*list)
        *list = vl_arena_array(s->arena, VL_HTML_LINKS, sizeof **list);
    if (*list)
        (*list)[(*count)++] =
            (vl_feed_link){.url = url, .type = type ? vl_arena_strdup(s->arena, type) : NULL};
}

static void see_anchor(seeing *s, const xmlNode *node, const char *href, const char *rel) {
    char *type = get(node, "type");
    const char *url = vl_feed_resolve(s->arena, s->base, href);
    const char *kind = vl_ask_kind(type && *type ? type : NULL, url);
    if (url && has_word(rel, "license") && !s->html->licence)
        s->html->licence = url;
    else if (url && (!strcmp(kind, "pdf") || !strcmp(kind, "docx") || !strcmp(kind, "odt")))
        add_link(s, &s->html->documents, &s->html->document_count, url, NULL);
    xmlFree(type);
}

static void see_link(seeing *s, const xmlNode *node, const char *href, const char *rel) {
    char *type = get(node, "type");
    const char *url = vl_feed_resolve(s->arena, s->base, href);
    bool is_feed = type && (!strncasecmp(type, "application/rss+xml", 19) ||
                            !strncasecmp(type, "application/atom+xml", 20));
    if (url && has_word(rel, "license") && !s->html->licence)
        s->html->licence = url;
    else if (url && ((has_word(rel, "alternate") && is_feed) || has_word(rel, "sitemap")))
        add_link(s, &s->html->feeds, &s->html->feed_count, url, type);
    xmlFree(type);
}

static void see_meta(seeing *s, const xmlNode *node) {
    char *name = get(node, "name"), *content = get(node, "content");
    vl_html *html = s->html;
    if (name && content && strlen(content) < TEXT_SIZE &&
        (!html->robots || strlen(html->robots) < TEXT_SIZE) &&
        (!strcasecmp(name, "robots") || !strcasecmp(name, s->agent)))
        html->robots = html->robots ? vl_arena_printf(s->arena, "%s, %s", html->robots, content)
                                    : vl_arena_strdup(s->arena, content);
    xmlFree(name);
    xmlFree(content);
}

static void see_title(seeing *s, xmlNode *node) {
    char *text = (char *)xmlNodeGetContent(node), *to = text;
    bool space = false;
    for (const char *from = text; from && *from; from++) {
        if ((unsigned char)*from <= ' ') {
            space = to > text;
            continue;
        }
        if (space)
            *to++ = ' ';
        *to++ = *from;
        space = false;
    }
    size_t bytes = text ? vl_utf8_valid_prefix(text, to - text < TEXT_SIZE ? (size_t)(to - text)
                                                                           : TEXT_SIZE)
                        : 0;
    if (bytes)
        s->html->title = vl_arena_strndup(s->arena, text, bytes);
    xmlFree(text);
}

static void see_base(seeing *s, const char *href) {
    const char *base = s->based ? NULL : vl_feed_resolve(s->arena, s->base, href);
    if (base)
        s->base = base;
    s->based = true;
}

static void see(seeing *s, xmlNode *node) {
    char *href = get(node, "href"), *rel = get(node, "rel");
    if (is_element(node, "a") && href)
        see_anchor(s, node, href, rel);
    else if (is_element(node, "link") && href)
        see_link(s, node, href, rel);
    else if (is_element(node, "base") && href)
        see_base(s, href);
    else if (is_element(node, "meta"))
        see_meta(s, node);
    else if (is_element(node, "title") && !s->html->title)
        see_title(s, node);
    else if (is_element(node, "html") && !s->html->language) {
        char *lang = get(node, "lang");
        s->html->language = lang ? vl_feed_language(s->arena, lang) : NULL;
        xmlFree(lang);
    }
    xmlFree(href);
    xmlFree(rel);
}

/* The node behind this one in the order of the text. */
static xmlNode *following(xmlNode *node) {
    if (node->children && node->type == XML_ELEMENT_NODE)
        return node->children;
    while (node && !node->next)
        node = node->parent && node->parent->type == XML_ELEMENT_NODE ? node->parent : NULL;
    return node ? node->next : NULL;
}

vl_status vl_html_read(const char *text, size_t bytes, const char *url, const char *agent,
                       vl_arena *arena, vl_html *html, vl_error *error) {
    seeing s = {.base = url, .agent = agent, .arena = arena, .html = html};
    *html = (vl_html){.title = NULL};
    if (bytes > VL_HTML_BYTES)
        return vl_fail(error, VL_ERR_LIMIT, "it is larger than %d bytes", VL_HTML_BYTES);
    vl_xml_begin();
    htmlDocPtr page = htmlReadMemory(text, (int)bytes, url, "UTF-8",
                                     HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                         HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    for (xmlNode *node = page ? xmlDocGetRootElement(page) : NULL; node; node = following(node))
        if (node->type == XML_ELEMENT_NODE)
            see(&s, node);
    xmlFreeDoc(page);
    return VL_OK;
}
