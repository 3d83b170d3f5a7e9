/* feed.c — site maps, RSS and Atom (feed.h), by libxml2's reader.
 *
 *   unpack            gzip
 *   take_…            one element of each format
 *   vl_feed_read      elements by their depth */
#include "harvest/feed.h"

#include "harvest/ask.h"
#include "harvest/fetch.h"

#include <ctype.h>
#include <curl/curl.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlreader.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

typedef struct reading {
    xmlTextReaderPtr xml;
    const char *url;
    vl_arena *arena;
    vl_feed *feed;
    size_t room;        /* items */
    vl_feed_item *item; /* NULL: outside of one */
    int item_depth;
    bool link_is_guid; /* the item's URL is only its guid yet */
    bool full;         /* the arena is */
} reading;

/* ---- what the readers of XML and HTML share -----------------------------------------------
 */

static void be_silent(void *user, xmlErrorPtr error) {
    (void)user, (void)error;
}

static void start_library(void) {
    xmlInitParser();
}

void vl_xml_begin(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
    xmlSetStructuredErrorFunc(NULL, be_silent); /* of this thread */
}

const char *vl_feed_resolve(vl_arena *arena, const char *base, const char *reference) {
    char *text = NULL;
    const char *kept = NULL;
    CURLU *url = curl_url();
    reference += strspn(reference, " \t\r\n\f");
    size_t bytes = strlen(reference);
    while (bytes && strchr(" \t\r\n\f", reference[bytes - 1]))
        bytes--;
    char *trimmed = bytes < VL_FETCH_URL_SIZE ? strndup(reference, bytes) : NULL;
    if (url && trimmed && *trimmed && !curl_url_set(url, CURLUPART_URL, base, 0) &&
        !curl_url_set(url, CURLUPART_URL, trimmed, CURLU_URLENCODE) &&
        !curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) &&
        !curl_url_get(url, CURLUPART_URL, &text, 0) && strlen(text) < VL_FETCH_URL_SIZE &&
        (!strncmp(text, "http://", 7) || !strncmp(text, "https://", 8)) &&
        vl_utf8_valid_prefix(text, strlen(text)) == strlen(text))
        kept = vl_arena_strdup(arena, text);
    curl_free(text);
    free(trimmed);
    curl_url_cleanup(url);
    return kept;
}

const char *vl_feed_language(vl_arena *arena, const char *tag) {
    char code[4] = "";
    size_t bytes = 0;
    tag += strspn(tag, " \t\r\n");
    while (bytes < 3 && isalpha((unsigned char)tag[bytes])) {
        code[bytes] = (char)tolower((unsigned char)tag[bytes]);
        bytes++;
    }
    bool ends = !tag[bytes] || strchr("-_ \t\r\n", tag[bytes]);
    return bytes >= 2 && ends ? vl_arena_strdup(arena, code) : NULL;
}

/* ---- text -------------------------------------------------------------------------------- */

static const char *name_of(const reading *r) {
    return (const char *)xmlTextReaderConstLocalName(r->xml);
}

static bool is_named(const reading *r, const char *name) {
    return !strcmp(name_of(r), name);
}

/* By a part of its namespace, as versions differ. */
static bool is_of(const reading *r, const char *space) {
    const char *uri = (const char *)xmlTextReaderConstNamespaceUri(r->xml);
    return uri && strstr(uri, space);
}

/* Of the format itself: site maps have a namespace, and are found without; RSS has none, and
 * is found with one. */
static bool is_own(const reading *r) {
    const char *uri = (const char *)xmlTextReaderConstNamespaceUri(r->xml);
    return !uri || strstr(uri, "/sitemap") || strstr(uri, "backend.userland.com");
}

/* White space once, cut at a whole character; NULL for nothing. */
static const char *tidy(reading *r, const char *text) {
    char *out = vl_arena_alloc(
        r->arena, VL_FEED_TEXT_SIZE < strlen(text) + 1 ? VL_FEED_TEXT_SIZE : strlen(text) + 1);
    size_t used = 0;
    bool space = false;
    if (!out) {
        r->full = true;
        return NULL;
    }
    for (; *text && used + 2 < VL_FEED_TEXT_SIZE; text++) {
        if ((unsigned char)*text <= ' ') {
            space = used > 0;
            continue;
        }
        if (space)
            out[used++] = ' ';
        out[used++] = *text;
        space = false;
    }
    out[vl_utf8_valid_prefix(out, used)] = '\0';
    return *out ? out : NULL;
}

static char *element_text(const reading *r) {
    return (char *)xmlTextReaderReadString(r->xml); /* NULL: empty; xmlFree */
}

static const char *tidy_element(reading *r) {
    char *text = element_text(r);
    const char *kept = text ? tidy(r, text) : NULL;
    xmlFree(text);
    return kept;
}

static char *attribute(const reading *r, const char *name) {
    return (char *)xmlTextReaderGetAttribute(r->xml, (const xmlChar *)name);
}

static const char *resolve_copy(const reading *r, char *text) {
    const char *url = text ? vl_feed_resolve(r->arena, r->url, text) : NULL;
    xmlFree(text);
    return url;
}

/* A date of RFC 3339 or, in RSS, RFC 822; NULL: neither. */
static const char *date(const reading *r) {
    char *text = element_text(r), out[VL_ASK_TIME_SIZE];
    struct tm parts;
    bool read = text && vl_ask_time(text, false, out);
    if (text && !read) {
        time_t at = curl_getdate(text, NULL);
        read = at > 0 && gmtime_r(&at, &parts) && parts.tm_year <= 8099 &&
               strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &parts);
    }
    xmlFree(text);
    return read ? vl_arena_strdup(r->arena, out) : NULL;
}

static const char *language_attribute(const reading *r, const char *name) {
    char *tag = attribute(r, name);
    const char *language = tag ? vl_feed_language(r->arena, tag) : NULL;
    xmlFree(tag);
    return language;
}

/* ---- items ------------------------------------------------------------------------------- */

static void begin_item(reading *r, int depth) {
    vl_feed *feed = r->feed;
    r->item = NULL;
    if (feed->count == VL_FEED_ITEMS) {
        feed->dropped++;
        return;
    }
    if (feed->count == r->room) {
        size_t room = r->room ? r->room * 2 : 64;
        vl_feed_item *grown =
            vl_arena_grow(r->arena, feed->items, r->room * sizeof *grown, room * sizeof *grown);
        if (!grown) {
            r->full = true;
            return;
        }
        feed->items = grown;
        r->room = room;
    }
    r->item = &feed->items[feed->count];
    *r->item = (vl_feed_item){.url = NULL};
    r->item_depth = depth;
    r->link_is_guid = false;
    r->item->language = language_attribute(r, "xml:lang");
}

static void end_item(reading *r) {
    if (r->item && r->item->url)
        r->feed->count++;
    else if (r->item)
        r->feed->dropped++;
    r->item = NULL;
}

static void add_file(reading *r, const char *url, const char *type, const char *bytes) {
    vl_feed_item *item = r->item;
    if (!url || item->file_count == VL_FEED_LINKS)
        return;
    if (!item->files)
        item->files = vl_arena_array(r->arena, VL_FEED_LINKS, sizeof *item->files);
    if (!item->files) {
        r->full = true;
        return;
    }
    item->files[item->file_count++] = (vl_feed_link){
        .url = url,
        .type = type ? tidy(r, type) : NULL,
        .bytes = bytes && isdigit((unsigned char)*bytes) ? strtoull(bytes, NULL, 10) : 0};
}

/* An element that names a file by an attribute. */
static void take_enclosure(reading *r, const char *address) {
    char *type = attribute(r, "type"), *bytes = attribute(r, "length");
    add_file(r, resolve_copy(r, attribute(r, address)), type, bytes);
    xmlFree(type);
    xmlFree(bytes);
}

/* ---- formats ----------------------------------------------------------------------------- */

/* A translation that is the page itself says what language that is in. */
static void take_translation(reading *r) {
    const char *language = language_attribute(r, "hreflang");
    const char *url = resolve_copy(r, attribute(r, "href"));
    if (language && url && r->item->url && !strcmp(url, r->item->url))
        r->item->language = language;
}

static void take_map(reading *r) {
    if (is_named(r, "loc") && is_own(r))
        r->item->url = resolve_copy(r, element_text(r));
    else if (is_named(r, "lastmod") && is_own(r))
        r->item->changed = date(r);
    else if (is_named(r, "link") && is_of(r, "xhtml"))
        take_translation(r);
}

/* A link of Atom, in any format. */
static void take_link(reading *r) {
    char *relation = attribute(r, "rel");
    const char *rel = relation ? relation : "alternate";
    if (r->item && !strcmp(rel, "enclosure"))
        take_enclosure(r, "href");
    else if (r->item && !strcmp(rel, "alternate") && !r->item->url)
        r->item->url = resolve_copy(r, attribute(r, "href"));
    else if (!strcmp(rel, "license")) /* RFC 4946 */
        *(r->item ? &r->item->licence : &r->feed->licence) =
            resolve_copy(r, attribute(r, "href"));
    else if (!r->item && !strcmp(rel, "next"))
        r->feed->next = resolve_copy(r, attribute(r, "href"));
    xmlFree(relation);
}

/* The permalink, unless there is a link; a guid that is none of HTTP resolves to nothing that
 * is meant as an address. */
static void take_guid(reading *r) {
    char *permanent = attribute(r, "isPermaLink"), *text = element_text(r);
    bool is_link = !(permanent && !strcmp(permanent, "false")) && text &&
                   (strstr(text, "http://") || strstr(text, "https://"));
    if (is_link && !r->item->url) {
        r->item->url = vl_feed_resolve(r->arena, r->url, text);
        r->link_is_guid = true;
    }
    xmlFree(permanent);
    xmlFree(text);
}

static void take_rss_item(reading *r) {
    vl_feed_item *item = r->item;
    if (is_named(r, "link") && is_of(r, "Atom"))
        take_link(r);
    else if (is_named(r, "link") && is_own(r)) {
        const char *url = resolve_copy(r, element_text(r));
        if (url && (!item->url || r->link_is_guid))
            item->url = url;
    } else if (is_named(r, "guid"))
        take_guid(r);
    else if (is_named(r, "title") && is_own(r))
        item->title = tidy_element(r);
    else if (is_named(r, "pubDate") || (is_named(r, "date") && is_of(r, "purl.org/dc")))
        item->published = item->changed = date(r);
    else if (is_named(r, "enclosure"))
        take_enclosure(r, "url");
    else if (is_named(r, "language") && is_of(r, "purl.org/dc")) {
        char *tag = element_text(r);
        item->language = tag ? vl_feed_language(r->arena, tag) : NULL;
        xmlFree(tag);
    } else if (is_named(r, "rights") || is_named(r, "license") || is_named(r, "copyright"))
        item->licence = tidy_element(r);
}

static void take_rss_channel(reading *r) {
    vl_feed *feed = r->feed;
    if (is_named(r, "link") && is_of(r, "Atom"))
        take_link(r);
    else if (is_named(r, "title") && is_own(r))
        feed->title = tidy_element(r);
    else if (is_named(r, "language")) {
        char *tag = element_text(r);
        feed->language = tag ? vl_feed_language(r->arena, tag) : NULL;
        xmlFree(tag);
    } else if (is_named(r, "copyright") || is_named(r, "license") || is_named(r, "rights"))
        feed->licence = tidy_element(r);
}

static void take_atom(reading *r) {
    vl_feed_item *item = r->item;
    if (is_named(r, "link"))
        take_link(r);
    else if (is_named(r, "title"))
        *(item ? &item->title : &r->feed->title) = tidy_element(r);
    else if (is_named(r, "rights")) {
        const char **licence = item ? &item->licence : &r->feed->licence;
        *licence = *licence ? *licence : tidy_element(r);
    } else if (item && is_named(r, "updated"))
        item->changed = date(r);
    else if (item && is_named(r, "published"))
        item->published = date(r);
}

/* ---- the document ------------------------------------------------------------------------ */

static vl_status take_root(reading *r, vl_error *error) {
    static const struct {
        const char *name;
        vl_feed_kind kind;
    } roots[] = {
        {"sitemapindex", VL_FEED_INDEX},
        {"urlset", VL_FEED_MAP},
        {"rss", VL_FEED_RSS},
        {"feed", VL_FEED_ATOM},
    };
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (is_named(r, roots[i].name) &&
            (roots[i].kind == VL_FEED_ATOM ? is_of(r, "Atom") : is_own(r))) {
            r->feed->kind = roots[i].kind;
            r->feed->language = language_attribute(r, "xml:lang");
            return VL_OK;
        }
    return vl_fail(error, VL_ERR_UNSUPPORTED, "<%.60s> is no site map, RSS or Atom",
                   name_of(r));
}

static void take_element(reading *r, int depth) {
    static const char *const items[] = {
        [VL_FEED_INDEX] = "sitemap",
        [VL_FEED_MAP] = "url",
        [VL_FEED_RSS] = "item",
        [VL_FEED_ATOM] = "entry",
    };
    vl_feed_kind kind = r->feed->kind;
    int level = kind == VL_FEED_RSS ? 2 : 1; /* at which items stand */
    if (depth == level && is_named(r, items[kind]))
        begin_item(r, depth);
    else if (depth == level + 1 && r->item)
        kind == VL_FEED_RSS    ? take_rss_item(r)
        : kind == VL_FEED_ATOM ? take_atom(r)
                               : take_map(r);
    else if (depth == level && !r->item && kind == VL_FEED_RSS)
        take_rss_channel(r);
    else if (depth == level && !r->item && kind == VL_FEED_ATOM)
        take_atom(r);
    if (depth == level && xmlTextReaderIsEmptyElement(r->xml))
        end_item(r);
}

static vl_status take_node(reading *r, vl_error *error) {
    int depth = xmlTextReaderDepth(r->xml);
    switch (xmlTextReaderNodeType(r->xml)) {
    case XML_READER_TYPE_DOCUMENT_TYPE:
        return vl_fail(error, VL_ERR_INPUT, "a document type in it is not read");
    case XML_READER_TYPE_ELEMENT:
        if (!depth)
            return take_root(r, error);
        take_element(r, depth);
        break;
    case XML_READER_TYPE_END_ELEMENT:
        if (r->item && depth == r->item_depth)
            end_item(r);
        break;
    default:
        break;
    }
    return r->full ? vl_fail(error, VL_ERR_MEMORY, "no memory for a list of pages") : VL_OK;
}

static vl_status read_xml(reading *r, const char *bytes, size_t count, vl_error *error) {
    vl_xml_begin();
    r->xml = xmlReaderForMemory(bytes, (int)count, r->url, NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                    XML_PARSE_COMPACT);
    if (!r->xml)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for XML");
    int more;
    vl_status status = VL_OK;
    while ((more = xmlTextReaderRead(r->xml)) == 1 && !(status = take_node(r, error)))
        ;
    xmlFreeTextReader(r->xml);
    return status || more == 0 ? status
                               : vl_fail(error, VL_ERR_INPUT, "it is no well-formed XML");
}

static bool is_gzip(const char *bytes, size_t count) {
    return count > 2 && !memcmp(bytes, "\x1f\x8b", 2);
}

bool vl_feed_looks_like(const char *bytes, size_t count) {
    if (is_gzip(bytes, count))
        return true;
    size_t at = count >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (at < count && isspace((unsigned char)bytes[at]))
        at++;
    static const char *const openings[] = {"<?xml", "<urlset", "<sitemapindex", "<rss",
                                           "<feed"};
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
        if (count - at >= strlen(openings[i]) &&
            !memcmp(bytes + at, openings[i], strlen(openings[i])))
            return true;
    return false;
}

/* RFC 1952. */
static vl_status unpack(const char *bytes, size_t count, vl_buf *out, vl_error *error) {
    static const int gzip_only = 15 + 16;
    unsigned char piece[16384];
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)bytes, .avail_in = (unsigned)count};
    int code = inflateInit2(&z, gzip_only);
    if (code != Z_OK)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to unpack it");
    while (code == Z_OK && !out->failed) {
        z.next_out = piece;
        z.avail_out = sizeof piece;
        code = inflate(&z, Z_NO_FLUSH);
        vl_buf_append(out, piece, sizeof piece - z.avail_out);
    }
    inflateEnd(&z);
    if (out->failed)
        return vl_fail(error, VL_ERR_LIMIT, "it is larger than %d bytes, unpacked",
                       VL_FEED_BYTES);
    return code == Z_STREAM_END
               ? VL_OK
               : vl_fail(error, VL_ERR_INPUT, "its compression is broken or cut off");
}

vl_status vl_feed_read(const char *bytes, size_t count, const char *url, vl_arena *arena,
                       vl_feed *feed, vl_error *error) {
    reading r = {.url = url, .arena = arena, .feed = feed};
    vl_status status = VL_OK;
    vl_buf plain;
    *feed = (vl_feed){.items = NULL};
    vl_buf_init(&plain, VL_FEED_BYTES);
    if (count > VL_FEED_BYTES)
        status = vl_fail(error, VL_ERR_LIMIT, "it is larger than %d bytes", VL_FEED_BYTES);
    else if (is_gzip(bytes, count))
        status = unpack(bytes, count, &plain, error);
    if (!status && is_gzip(bytes, count))
        status = read_xml(&r, plain.data ? plain.data : "", plain.len, error);
    else if (!status)
        status = read_xml(&r, bytes, count, error);
    vl_buf_deinit(&plain);
    return status;
}
