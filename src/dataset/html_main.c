/* html_main.c — what a page is about, without what is on every page of its site.
 *
 * First what says of itself that it is no content goes: scripts, forms, navigation (HTML
 * landmarks and ARIA roles), cookie notices (by class, unless most of the page is in them).
 * Then the element that holds the rest: <main>, the one <article>, or the deepest element with
 * most of the text that is no link. Last, short runs of links within that. */
#include "dataset/html.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const never[] = {
    "script", "style",    "noscript", "template", "iframe",   "object", "embed",
    "canvas", "svg",      "math",     "button",   "select",   "input",  "textarea",
    "nav",    "footer",   "aside",    "dialog",   "menu",     "audio",  "video",
    "map",    "datalist", "link",     "meta",     "progress", NULL};
static const char *const roles[] = {"navigation", "banner",  "contentinfo", "complementary",
                                    "search",     "dialog",  "alertdialog", "menu",
                                    "menubar",    "tablist", "toolbar",     NULL};
/* In the words of a class or id. */
static const char *const signs[] = {
    "cookie",    "cookies",  "consent",    "gdpr",       "breadcrumb",    "breadcrumbs",
    "menu",      "navbar",   "nav",        "navigation", "sidebar",       "share",
    "sharing",   "social",   "footer",     "masthead",   "related",       "newsletter",
    "subscribe", "popup",    "modal",      "advert",     "advertisement", "ads",
    "sponsor",   "toolbar",  "pagination", "pager",      "comments",      "login",
    "promo",     "skiplink", "skip",       "topbar",     "offcanvas",     NULL};
static const char *const kept[] = {"html", "body", "main", "article", NULL};
static const char *const holders[] = {"div",    "section", "article", "main",
                                      "center", "form",    "span",    NULL};
static const char *const link_blocks[] = {"div", "section", "ul",    "ol", "dl",
                                          "p",   "td",      "table", NULL};

bool html_is(const xmlNode *node, const char *name) {
    return node->type == XML_ELEMENT_NODE && (node->name[0] | 0x20) == *name &&
           !strcasecmp((const char *)node->name, name);
}

bool html_is_one_of(const xmlNode *node, const char *const *names) {
    for (; *names; names++)
        if (html_is(node, *names))
            return true;
    return false;
}

const char *html_attribute(const xmlNode *node, const char *name) {
    for (const xmlAttr *at = node->properties; at; at = at->next)
        if (!strcasecmp((const char *)at->name, name))
            return at->children && at->children->content ? (const char *)at->children->content
                                                         : "";
    return "";
}

/* ---- how much text ----------------------------------------------------------------------- */

typedef struct amount {
    size_t text, linked; /* bytes that are no white space */
    size_t links;
} amount;

static size_t ink(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += (unsigned char)*text > ' ';
    return count;
}

static void measure(const xmlNode *node, bool linked, amount *sum) {
    if (node->type == XML_TEXT_NODE && node->content) {
        size_t count = ink((const char *)node->content);
        sum->text += count;
        sum->linked += linked ? count : 0;
    }
    if (node->type != XML_ELEMENT_NODE || html_is(node, "script") || html_is(node, "style"))
        return;
    bool link = html_is(node, "a");
    sum->links += link;
    for (const xmlNode *child = node->children; child; child = child->next)
        measure(child, linked || link, sum);
}

static amount amount_of(const xmlNode *node) {
    amount sum = {0};
    measure(node, false, &sum);
    return sum;
}

static xmlNode *find(xmlNode *node, const char *name) {
    if (html_is(node, name))
        return node;
    for (xmlNode *child = node->children; child; child = child->next) {
        xmlNode *found = child->type == XML_ELEMENT_NODE ? find(child, name) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

/* ---- what says of itself that it is no content ---------------------------------------------
 */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has_sign(const char *text) {
    while (*text) {
        size_t length = 0;
        while (is_letter(text[length]))
            length++;
        for (const char *const *sign = signs; length && *sign; sign++)
            if (strlen(*sign) == length && !strncasecmp(*sign, text, length))
                return true;
        text += length + !length;
    }
    return false;
}

static bool is_role(const xmlNode *node) {
    const char *role = html_attribute(node, "role");
    for (const char *const *at = roles; *role && *at; at++)
        if (!strcasecmp(*at, role))
            return true;
    return false;
}

static bool is_hidden(const xmlNode *node) {
    const char *style = html_attribute(node, "style");
    for (const xmlAttr *at = node->properties; at; at = at->next)
        if (!strcasecmp((const char *)at->name, "hidden"))
            return true;
    return !strcasecmp(html_attribute(node, "aria-hidden"), "true") ||
           strcasestr(style, "display:none") || strcasestr(style, "display: none");
}

typedef struct pruning {
    size_t total;   /* text of the page */
    bool landmarks; /* it has a <main> or an <article> */
} pruning;

/* A page's head, not an article's. */
static bool is_site_header(const pruning *p, xmlNode *node) {
    if (!html_is(node, "header"))
        return false;
    for (const xmlNode *up = node->parent; up; up = up->parent)
        if (html_is(up, "main") || html_is(up, "article"))
            return false;
    return p->landmarks || find(node, "nav") || !find(node, "h1");
}

static bool is_boilerplate(const pruning *p, xmlNode *node) {
    if (html_is_one_of(node, kept))
        return false;
    if (html_is_one_of(node, never) || is_role(node) || is_site_header(p, node))
        return true;
    if (!is_hidden(node) && !has_sign(html_attribute(node, "class")) &&
        !has_sign(html_attribute(node, "id")))
        return false;
    return amount_of(node).text * 2 < p->total;
}

static void drop(xmlNode *node) {
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

static void prune(const pruning *p, xmlNode *node) {
    for (xmlNode *child = node->children, *next; child; child = next) {
        next = child->next;
        if (child->type == XML_COMMENT_NODE || child->type == XML_PI_NODE)
            drop(child);
        else if (child->type != XML_ELEMENT_NODE)
            continue;
        else if (is_boilerplate(p, child))
            drop(child);
        else
            prune(p, child);
    }
}

/* Menus that do not say so: short links and little else. */
static void prune_links(xmlNode *node) {
    enum { LEAST_LINKS = 3, LINK_BYTES = 60 };
    for (xmlNode *child = node->children, *next; child; child = next) {
        next = child->next;
        if (child->type != XML_ELEMENT_NODE)
            continue;
        amount sum = html_is_one_of(child, link_blocks) ? amount_of(child) : (amount){0};
        if (sum.links >= LEAST_LINKS && sum.linked * 10 > sum.text * 7 &&
            sum.linked < sum.links * LINK_BYTES && !find(child, "img"))
            drop(child);
        else
            prune_links(child);
    }
}

/* ---- where the rest is ------------------------------------------------------------------- */

static void find_largest(xmlNode *node, const char *name, const char *role, xmlNode **best,
                         size_t *most) {
    if (html_is(node, name) || (*role && !strcasecmp(html_attribute(node, "role"), role))) {
        size_t text = amount_of(node).text;
        if (text > *most) {
            *most = text;
            *best = node;
        }
        return;
    }
    for (xmlNode *child = node->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            find_largest(child, name, role, best, most);
}

static xmlNode *descend(xmlNode *node) {
    for (;;) {
        amount all = amount_of(node);
        xmlNode *into = NULL;
        for (xmlNode *child = node->children; child; child = child->next) {
            if (child->type != XML_ELEMENT_NODE || !html_is_one_of(child, holders))
                continue;
            amount sum = amount_of(child);
            if ((sum.text - sum.linked) * 4 >= (all.text - all.linked) * 3 &&
                sum.text > sum.linked)
                into = child;
        }
        if (!into)
            return node;
        node = into;
    }
}

xmlNode *html_main_content(xmlDoc *document) {
    xmlNode *root = xmlDocGetRootElement(document);
    if (!root)
        return NULL;
    xmlNode *body = find(root, "body");
    body = body ? body : root;
    pruning p = {amount_of(body).text, find(body, "main") || find(body, "article")};
    prune(&p, body);
    size_t rest = amount_of(body).text, most = 0;
    xmlNode *best = NULL;
    find_largest(body, "main", "main", &best, &most);
    if (!best || most * 4 < rest) {
        best = NULL;
        most = 0;
        find_largest(body, "article", "article", &best, &most);
        if (most * 2 < rest)
            best = NULL;
    }
    best = best ? best : descend(body);
    prune_links(best);
    return best;
}
