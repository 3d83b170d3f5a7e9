/* html_pictures.c — the pictures that a page of HTML is about (html.h).
 *
 *   measure          how much text each element holds, in one walk
 *   is_aside         what is on every page of a site
 *   find_main        the element that the rest is in
 *   see_picture      one <img>: its sizes, and the best of them
 *   vl_html_pictures
 *
 * No function here calls itself: elements can be nested as deep as the page is long. */
#include "harvest/html.h"

#include "harvest/content.h"
#include "harvest/refusal.h"

#include <ctype.h>
#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    SMALLEST = 48,       /* pixels; what is smaller is an icon */
    WIDEST = 2560,       /* more than that is of no use */
    ADDRESS_SIZE = 2000, /* longer ones are data */
    SIZES = VL_HTML_ADDRESSES,
};

/* ---- the tree ------------------------------------------------------------------------------
 */

static bool is_element(const xmlNode *node, const char *name) {
    return node->type == XML_ELEMENT_NODE && !strcasecmp((const char *)node->name, name);
}

static bool is_one_of(const xmlNode *node, const char *const *names) {
    for (; *names; names++)
        if (is_element(node, *names))
            return true;
    return false;
}

/* Its value as it stands in the tree; "" without one. */
static const char *attribute(const xmlNode *node, const char *name) {
    for (const xmlAttr *at = node->properties; at; at = at->next)
        if (!strcasecmp((const char *)at->name, name))
            return at->children && at->children->content ? (const char *)at->children->content
                                                         : "";
    return "";
}

static bool has_attribute(const xmlNode *node, const char *name) {
    for (const xmlAttr *at = node->properties; at; at = at->next)
        if (!strcasecmp((const char *)at->name, name))
            return true;
    return false;
}

/* Text in an element, in bytes that are no white space, lies where libxml2 leaves room. */
static size_t amount_of(const xmlNode *node) {
    return (size_t)(uintptr_t)node->_private;
}

static void set_amount(xmlNode *node, size_t amount) {
    node->_private = (void *)(uintptr_t)amount;
}

static size_t ink(const xmlNode *text) {
    size_t count = 0;
    const char *at = text->type == XML_TEXT_NODE ? (const char *)text->content : NULL;
    for (; at && *at; at++)
        count += (unsigned char)*at > ' ';
    return count;
}

/* The node behind `node` within `root`, or NULL; `into`: its children come first. */
static xmlNode *following(xmlNode *node, const xmlNode *root, bool into) {
    if (into && node->type == XML_ELEMENT_NODE && node->children)
        return node->children;
    while (node != root && !node->next)
        node = node->parent;
    return node == root ? NULL : node->next;
}

/* Sets the amount of every element: the sum so far when it begins, and what came since when it
 * ends. */
static void measure(xmlNode *root) {
    size_t sum = 0;
    xmlNode *node = root;
    for (;;) {
        bool enters = node->type == XML_ELEMENT_NODE && node->children &&
                      !is_element(node, "script") && !is_element(node, "style");
        sum += ink(node);
        if (node->type == XML_ELEMENT_NODE)
            set_amount(node, enters ? sum : 0);
        if (enters) {
            node = node->children;
            continue;
        }
        while (node != root && !node->next) {
            node = node->parent;
            set_amount(node, sum - amount_of(node));
        }
        if (node == root)
            return;
        node = node->next;
    }
}

/* ---- what a page is not about ---------------------------------------------------------------
 */

static bool is_word_of(const char *text, size_t length, const char *const *words) {
    for (; *words; words++)
        if (strlen(*words) == length && !strncasecmp(*words, text, length))
            return true;
    return false;
}

static bool has_word_of(const char *text, const char *const *words) {
    while (*text) {
        size_t length = 0;
        while (isalnum((unsigned char)text[length]))
            length++;
        if (length && is_word_of(text, length, words))
            return true;
        text += length + !length;
    }
    return false;
}

static bool is_hidden(const xmlNode *node) {
    const char *style = attribute(node, "style");
    return has_attribute(node, "hidden") ||
           !strcasecmp(attribute(node, "aria-hidden"), "true") ||
           strcasestr(style, "display:none") || strcasestr(style, "display: none");
}

/* A head of the page, not of an article. */
static bool is_site_header(const xmlNode *node) {
    if (!is_element(node, "header"))
        return false;
    for (const xmlNode *up = node->parent; up; up = up->parent)
        if (is_element(up, "main") || is_element(up, "article"))
            return false;
    return true;
}

/* `total`: text of the page. What holds most of it is no aside, whatever its name. */
static bool is_aside(const xmlNode *node, size_t total) {
    static const char *const kept[] = {"html", "body", "main", "article", NULL};
    static const char *const never[] = {"script", "style",  "noscript", "template", "iframe",
                                        "object", "svg",    "button",   "select",   "textarea",
                                        "nav",    "footer", "aside",    "dialog",   "menu",
                                        "head",   NULL};
    static const char *const roles[] = {"navigation", "banner",  "contentinfo", "complementary",
                                        "search",     "dialog",  "alertdialog", "menu",
                                        "menubar",    "toolbar", NULL};
    static const char *const signs[] = {
        "cookie",      "cookies",  "consent", "gdpr",       "breadcrumb",    "breadcrumbs",
        "menu",        "navbar",   "nav",     "navigation", "sidebar",       "share",
        "sharing",     "social",   "footer",  "masthead",   "related",       "newsletter",
        "subscribe",   "popup",    "modal",   "advert",     "advertisement", "ads",
        "sponsor",     "sponsors", "toolbar", "pagination", "pager",         "comments",
        "login",       "promo",    "topbar",  "offcanvas",  "avatar",        "author",
        "recommended", NULL};
    if (node->type != XML_ELEMENT_NODE || is_one_of(node, kept))
        return false;
    if (is_one_of(node, never) || is_site_header(node) ||
        has_word_of(attribute(node, "role"), roles))
        return true;
    if (!is_hidden(node) && !has_word_of(attribute(node, "class"), signs) &&
        !has_word_of(attribute(node, "id"), signs))
        return false;
    return amount_of(node) * 2 < total || !total;
}

/* The <main>, else the <article>, that holds half of the text or more; else all of it. */
static xmlNode *find_main(xmlNode *root) {
    static const char *const names[] = {"main", "article"};
    for (size_t i = 0; i < 2; i++) {
        xmlNode *best = NULL;
        for (xmlNode *node = root; node; node = following(node, root, true))
            if ((is_element(node, names[i]) ||
                 (node->type == XML_ELEMENT_NODE &&
                  !strcasecmp(attribute(node, "role"), names[i]))) &&
                (!best || amount_of(node) > amount_of(best)))
                best = node;
        if (best && amount_of(best) * 2 >= amount_of(root))
            return best;
    }
    return root;
}

/* ---- one picture
 * ----------------------------------------------------------------------------- */

typedef struct size {
    const char *address;
    double width; /* pixels; 0: not said */
} size;

typedef struct sizes {
    vl_arena *arena;
    size list[SIZES];
    size_t count;
} sizes;

static void add_size(sizes *s, const char *address, size_t bytes, double width) {
    while (bytes && (unsigned char)*address <= ' ') {
        address++;
        bytes--;
    }
    while (bytes && (unsigned char)address[bytes - 1] <= ' ')
        bytes--;
    if (!bytes || bytes > ADDRESS_SIZE || s->count == SIZES ||
        (bytes > 5 && !strncasecmp(address, "data:", 5)))
        return;
    const char *copy = vl_arena_strndup(s->arena, address, bytes);
    for (size_t i = 0; copy && i < s->count; i++)
        if (!strcmp(s->list[i].address, copy)) {
            s->list[i].width = s->list[i].width > width ? s->list[i].width : width;
            return;
        }
    if (copy)
        s->list[s->count++] = (size){copy, width};
}

/* "large.jpg 1200w, small.jpg 600w" or "one.jpg, two.jpg 2x" (HTML, section 4.8.4.2.2); a
 * picture of 2x is taken to be 1,200 pixels wide. */
static void add_srcset(sizes *s, const char *set) {
    enum { PIXELS_OF_ONE = 600 };
    while (*set) {
        set += strspn(set, " \t\r\n\f,");
        size_t bytes = strcspn(set, " \t\r\n\f");
        const char *address = set;
        set += bytes;
        bool ends = bytes && address[bytes - 1] == ',';
        while (bytes && address[bytes - 1] == ',')
            bytes--;
        double width = 0;
        if (!ends) {
            char *end;
            set += strspn(set, " \t\r\n\f");
            double number = strtod(set, &end);
            if (end > set && number > 0 && number < 1e5)
                width = *end == 'w' ? number : *end == 'x' ? number * PIXELS_OF_ONE : 0;
            set += strcspn(set, ",");
        }
        add_size(s, address, bytes, width);
    }
}

static bool is_known_type(const char *type) {
    return !*type || !strcmp(vl_content_format(type), "picture");
}

/* What its name says that nobody here can read: "map.svg?v=3". */
static bool is_unread(const char *address) {
    static const char *const endings[] = {".svg", ".gif", ".ico", ".avif", ".bmp", ".heic"};
    size_t bytes = strcspn(address, "?#");
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t length = strlen(endings[i]);
        if (bytes > length && !strncasecmp(address + bytes - length, endings[i], length))
            return true;
    }
    return false;
}

static void add_source(sizes *s, const xmlNode *node) {
    if (is_element(node, "source") && is_known_type(attribute(node, "type"))) {
        add_srcset(s, attribute(node, "srcset"));
        add_srcset(s, attribute(node, "data-srcset"));
    }
}

/* Those of the <picture> that it is in; returns what that is in. libxml2 knows no <source>,
 * and takes what comes after one to be inside of it. */
static const xmlNode *add_sources(sizes *s, const xmlNode *image) {
    const xmlNode *up = image->parent;
    for (; up && is_element(up, "source"); up = up->parent)
        add_source(s, up);
    if (!up || !is_element(up, "picture"))
        return up;
    for (const xmlNode *node = up->children; node; node = node->next)
        add_source(s, node);
    return up->parent;
}

static double number_of(const xmlNode *node, const char *name) {
    const char *text = attribute(node, name);
    char *end;
    double number = strtod(text, &end);
    return end > text && *end != '%' && number >= 0 ? number : -1;
}

static void add_all(sizes *s, const xmlNode *image) {
    static const char *const single[] = {"data-src",  "data-lazy-src", "data-original",
                                         "data-lazy", "data-full-src", "src"};
    static const char *const several[] = {"srcset", "data-srcset", "data-lazy-srcset"};
    double width = number_of(image, "width");
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        add_size(s, attribute(image, single[i]), strlen(attribute(image, single[i])),
                 width > 0 ? width : 0);
    for (size_t i = 0; i < sizeof several / sizeof *several; i++)
        add_srcset(s, attribute(image, several[i]));
    const xmlNode *up = add_sources(s, image);
    /* A small one that leads to the same picture, large. */
    const char *link = up && is_element(up, "a") ? attribute(up, "href") : "";
    if (!strcmp(vl_content_format_by_name(link), "picture"))
        add_size(s, link, strlen(link), WIDEST);
}

/* The widest up to WIDEST, else the narrowest; of equal ones the first, which is what scripts
 * would show in the place of an empty one. */
static const char *best_of(const sizes *s) {
    const size *best = NULL;
    for (size_t i = 0; i < s->count; i++) {
        const size *one = &s->list[i];
        if (is_unread(one->address))
            continue;
        bool fits = one->width <= WIDEST, best_fits = best && best->width <= WIDEST;
        if (!best || (fits && !best_fits) || (fits && one->width > best->width) ||
            (!fits && !best_fits && one->width < best->width))
            best = one;
    }
    return best ? best->address : NULL;
}

/* Words of its class or its file's name. */
static bool is_for_looks(const xmlNode *image, const char *address) {
    static const char *const signs[] = {
        "icon",        "icons", "logo",        "logos",    "avatar", "emoji", "sprite",
        "spacer",      "pixel", "tracking",    "tracker",  "beacon", "badge", "favicon",
        "placeholder", "blank", "transparent", "gravatar", NULL};
    const char *name = strrchr(address, '/');
    char end[256];
    snprintf(end, sizeof end, "%s", name ? name + 1 : address);
    end[strcspn(end, "?#")] = '\0';
    return !strcasecmp(attribute(image, "role"), "presentation") ||
           has_word_of(attribute(image, "class"), signs) || has_word_of(end, signs);
}

static bool is_small(const xmlNode *image) {
    double width = number_of(image, "width"), height = number_of(image, "height");
    return (width >= 0 && width < SMALLEST) || (height >= 0 && height < SMALLEST);
}

/* ---- all of them
 * ------------------------------------------------------------------------------ */

typedef struct seeing {
    const char *base;
    vl_arena *arena;
    vl_html_picture *list;
    size_t count;
    bool full; /* the arena */
} seeing;

static void see_picture(seeing *s, const xmlNode *image) {
    sizes found = {.arena = s->arena};
    add_all(&found, image);
    const char *address = best_of(&found);
    if (!address || is_small(image) || is_hidden(image) || is_for_looks(image, address))
        return;
    const char *url = vl_feed_resolve(s->arena, s->base, address);
    for (size_t i = 0; url && i < s->count; i++)
        if (!strcmp(s->list[i].url, url))
            return;
    if (!url || s->count == VL_HTML_PICTURES)
        return;
    const char **addresses = vl_arena_array(s->arena, found.count, sizeof *addresses);
    s->full |= !addresses;
    if (!addresses)
        return;
    for (size_t i = 0; i < found.count; i++)
        addresses[i] = found.list[i].address;
    s->list[s->count++] = (vl_html_picture){url, addresses, found.count};
}

static const char *base_of(xmlNode *root, const char *url, vl_arena *arena) {
    for (xmlNode *node = root; node; node = following(node, root, true))
        if (is_element(node, "base") && has_attribute(node, "href")) {
            const char *base = vl_feed_resolve(arena, url, attribute(node, "href"));
            return base ? base : url;
        }
    return url;
}

/* Whether it asks programs, or us, to leave its pictures alone. */
static bool is_forbidden(xmlNode *root, const char *agent) {
    for (xmlNode *node = root; node; node = following(node, root, true)) {
        const char *name = is_element(node, "meta") ? attribute(node, "name") : "";
        const char *content = *name ? attribute(node, "content") : "";
        if ((!strcasecmp(name, "robots") || !strcasecmp(name, agent)) &&
            vl_robots_directive(content, strlen(content), agent, false))
            return true;
    }
    return false;
}

static void see_all(seeing *s, xmlNode *root) {
    measure(root);
    size_t total = amount_of(root);
    xmlNode *main = find_main(root);
    for (xmlNode *node = main, *next; node; node = next) {
        bool aside = node != main && is_aside(node, total);
        if (!aside && is_element(node, "img"))
            see_picture(s, node);
        next = following(node, main, !aside);
    }
}

vl_status vl_html_pictures(const char *text, size_t bytes, const char *url, const char *agent,
                           vl_arena *arena, vl_html_picture **pictures, size_t *count,
                           vl_error *error) {
    seeing s = {.arena = arena,
                .list = vl_arena_array(arena, VL_HTML_PICTURES, sizeof *s.list)};
    *pictures = s.list;
    *count = 0;
    if (bytes > VL_HTML_BYTES)
        return vl_fail(error, VL_ERR_LIMIT, "it is larger than %d bytes", VL_HTML_BYTES);
    if (!s.list)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a page's pictures");
    vl_xml_begin();
    htmlDocPtr page = htmlReadMemory(text, (int)bytes, url, "UTF-8",
                                     HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                         HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    xmlNode *root = page ? xmlDocGetRootElement(page) : NULL;
    if (root && !is_forbidden(root, agent)) {
        s.base = base_of(root, url, arena);
        see_all(&s, root);
    }
    xmlFreeDoc(page);
    *count = s.count;
    return s.full ? vl_fail(error, VL_ERR_MEMORY, "no memory for a page's pictures") : VL_OK;
}
