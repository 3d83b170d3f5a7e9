/* parts_html.c — the parts of a web page, in the order in which it has them.
 *
 * Text gathers until an element begins or ends that stands on lines of its own, and is a
 * paragraph then. Depth is bounded by the parser (HTML_DEPTH_MAX), so recursion is. */
#include "dataset/encoding.h"
#include "dataset/html.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SMALLEST_PICTURE = 48, PLACEHOLDER_BYTES = 400, TEXT_MAX = 64 << 20 };

static const char *const blocks[] = {
    "p",   "div",     "section", "article",    "main",     "body",    "html",   "blockquote",
    "pre", "address", "center",  "form",       "fieldset", "hr",      "header", "hgroup",
    "dd",  "dt",      "li",      "figcaption", "details",  "summary", "tr",     "td",
    "th",  "tbody",   "thead",   "tfoot",      "caption",  "option",  "legend", "ul",
    "ol",  "dl",      "table",   NULL};
static const char *const lists[] = {"ul", "ol", "dl", NULL};
static const char *const headings[] = {"h1", "h2", "h3", "h4", "h5", "h6", NULL};
static const char *const items[] = {"li", "dt", "dd", NULL};

typedef struct walk {
    parts_builder *b;
    vl_buf text; /* what gathers */
    char language[VL_LANG_SIZE];
} walk;

static void visit(walk *w, xmlNode *node);

static void visit_children(walk *w, xmlNode *node) {
    for (xmlNode *child = node->children; child && !w->b->status; child = child->next)
        visit(w, child);
}

/* ---- text -------------------------------------------------------------------------------- */

/* White space of the markup is one space; only <br>, and <pre>, break lines. */
static void put_text(vl_buf *out, const char *text, bool pre) {
    while (*text) {
        size_t length = pre ? strlen(text) : strcspn(text, "\t\r\n");
        vl_buf_append(out, text, length);
        text += length;
        if (*text) {
            vl_buf_puts(out, " ");
            text++;
        }
    }
}

static bool is_pre(const xmlNode *node) {
    for (int depth = 0; node && depth < 4; node = node->parent, depth++)
        if (html_is(node, "pre"))
            return true;
    return false;
}

/* All text within, tables and lists in it a line for each of their rows. */
static void gather(vl_buf *out, const xmlNode *node) {
    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
        put_text(out, node->content ? (const char *)node->content : "", is_pre(node));
        return;
    }
    if (node->type != XML_ELEMENT_NODE)
        return;
    bool block = html_is_one_of(node, blocks) || html_is_one_of(node, headings);
    if (block || html_is(node, "br"))
        vl_buf_puts(out, "\n");
    for (const xmlNode *child = node->children; child; child = child->next)
        gather(out, child);
    if (block)
        vl_buf_puts(out, "\n");
}

static const char *text_within(walk *w, const xmlNode *node) {
    vl_buf out;
    vl_buf_init(&out, TEXT_MAX);
    gather(&out, node);
    const char *text = parts_text(w->b, out.data ? out.data : "", true);
    vl_buf_deinit(&out);
    return text ? text : "";
}

static vl_part blank(const walk *w, vl_part_kind kind) {
    vl_part part = parts_blank(kind);
    memcpy(part.declared, w->language, VL_LANG_SIZE);
    return part;
}

static size_t add_text(walk *w, vl_part_kind kind, uint32_t level, const char *text) {
    size_t index;
    vl_part part = blank(w, kind);
    part.text = text;
    part.level = level;
    parts_add(w->b, &part, &index);
    return index;
}

/* What gathered becomes a paragraph. */
static void flush(walk *w) {
    const char *text = w->text.len ? parts_text(w->b, w->text.data, true) : "";
    vl_buf_clear(&w->text);
    if (text && *text)
        add_text(w, VL_PART_PARAGRAPH, 0, text);
}

/* ---- languages --------------------------------------------------------------------------- */

void parts_declare(char out[VL_LANG_SIZE], const char *tag) {
    char primary[4] = "";
    size_t length = strcspn(tag, "-_");
    if (length != strspn(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ||
        length < 2 || length > 3)
        return;
    for (size_t i = 0; i < length; i++)
        primary[i] = (char)tolower((unsigned char)tag[i]);
    static const char *const none[] = {"zxx", "und", "mul", "mis"}; /* in particular */
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (!strcmp(primary, none[i]))
            return;
    snprintf(out, VL_LANG_SIZE, "%s", vl_lang_code(primary));
}

/* ---- pictures ---------------------------------------------------------------------------- */

static bool is_tiny(const char *length) {
    char *end;
    long pixels = strtol(length, &end, 10);
    return end > length && *end != '%' && pixels < SMALLEST_PICTURE;
}

static bool is_placeholder(const char *source) {
    return !*source || (!strncasecmp(source, "data:", 5) && strlen(source) < PLACEHOLDER_BYTES);
}

/* The address, where scripts put it late too; "" for what is there for looks. */
static const char *source_of(const xmlNode *image) {
    static const char *const late[] = {"data-src", "data-lazy-src", "data-original", NULL};
    if (is_tiny(html_attribute(image, "width")) || is_tiny(html_attribute(image, "height")) ||
        !strcasecmp(html_attribute(image, "role"), "presentation"))
        return "";
    const char *source = html_attribute(image, "src");
    for (const char *const *name = late; is_placeholder(source) && *name; name++)
        if (*html_attribute(image, *name))
            source = html_attribute(image, *name);
    return is_placeholder(source) ? "" : source;
}

static size_t add_picture(walk *w, const xmlNode *image) {
    size_t index = VL_PART_NONE;
    const char *source = source_of(image);
    vl_part part = blank(w, VL_PART_FIGURE);
    if (!*source)
        return index;
    part.text = parts_text(w->b, html_attribute(image, "alt"), false);
    part.source = vl_arena_strdup(w->b->arena, source);
    if (!part.source && !w->b->status)
        w->b->status = vl_fail(w->b->error, VL_ERR_MEMORY, "out of memory");
    if (!w->b->status)
        parts_add(w->b, &part, &index);
    return index;
}

static const xmlNode *find(const xmlNode *node, const char *name) {
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type != XML_ELEMENT_NODE)
            continue;
        const xmlNode *found = html_is(child, name) ? child : find(child, name);
        if (found)
            return found;
    }
    return NULL;
}

static void set_caption(walk *w, size_t from, size_t caption) {
    for (size_t i = from; caption != VL_PART_NONE && i < caption; i++) {
        vl_part *part = &w->b->out->parts[i];
        if (part->kind == VL_PART_TABLE || vl_part_is_picture(part->kind))
            part->caption = caption;
    }
}

/* Everything in it shares its caption. */
static void visit_figure(walk *w, xmlNode *figure) {
    const xmlNode *caption = find(figure, "figcaption");
    size_t first = w->b->out->part_count;
    flush(w);
    for (xmlNode *child = figure->children; child && !w->b->status; child = child->next)
        if (child != caption)
            visit(w, child);
    flush(w);
    if (caption)
        set_caption(w, first, add_text(w, VL_PART_CAPTION, 0, text_within(w, caption)));
}

/* Pictures within an element whose text was taken whole. */
static void visit_pictures(walk *w, const xmlNode *node) {
    for (const xmlNode *child = node->children; child && !w->b->status; child = child->next) {
        if (html_is(child, "img"))
            add_picture(w, child);
        else if (child->type == XML_ELEMENT_NODE)
            visit_pictures(w, child);
    }
}

/* ---- tables ------------------------------------------------------------------------------ */

static uint32_t span_of(const xmlNode *cell, const char *name) {
    long span = strtol(html_attribute(cell, name), NULL, 10);
    return span < 1 ? 1 : span > PARTS_ROWS_MAX ? PARTS_ROWS_MAX : (uint32_t)span;
}

static void add_rows(walk *w, parts_table *table, const xmlNode *node) {
    for (const xmlNode *row = node->children; row && !w->b->status; row = row->next) {
        if (row->type != XML_ELEMENT_NODE)
            continue;
        if (!html_is(row, "tr")) {
            add_rows(w, table, row);
            continue;
        }
        for (const xmlNode *cell = row->children; cell && !w->b->status; cell = cell->next)
            if (html_is(cell, "td") || html_is(cell, "th"))
                parts_table_cell(table, span_of(cell, "rowspan"), span_of(cell, "colspan"),
                                 html_is(cell, "th"), text_within(w, cell));
        parts_table_row_end(table);
    }
}

static bool has_one_of(const xmlNode *node, const char *const *names) {
    for (; *names; names++)
        if (find(node, *names))
            return true;
    return false;
}

static size_t cells_of_row(const xmlNode *node, size_t *rows) {
    size_t most = 0;
    for (const xmlNode *child = node->children; child; child = child->next) {
        size_t here = 0;
        if (html_is(child, "tr")) {
            ++*rows;
            for (const xmlNode *cell = child->children; cell; cell = cell->next)
                here += html_is(cell, "td") || html_is(cell, "th");
        } else if (child->type == XML_ELEMENT_NODE) {
            here = cells_of_row(child, rows);
        }
        most = here > most ? here : most;
    }
    return most;
}

/* Tables that only place things: they hold tables, headings or lists, or are of one column. */
static bool is_layout(const xmlNode *table) {
    static const char *const whole[] = {"table", "h1", "h2", "h3", "article", NULL};
    size_t rows = 0, columns = cells_of_row(table, &rows);
    if (!strcasecmp(html_attribute(table, "role"), "presentation"))
        return true;
    if (find(table, "th") || find(table, "caption"))
        return has_one_of(table, whole) && find(table, "table");
    return columns < 2 || has_one_of(table, whole);
}

static void visit_table(walk *w, xmlNode *node) {
    flush(w);
    if (is_layout(node)) {
        visit_children(w, node);
        flush(w);
        return;
    }
    const xmlNode *caption = find(node, "caption");
    size_t above =
        caption ? add_text(w, VL_PART_CAPTION, 0, text_within(w, caption)) : VL_PART_NONE;
    parts_table *table = parts_table_new(w->b);
    vl_part part = blank(w, VL_PART_TABLE);
    part.caption = above;
    if (table)
        add_rows(w, table, node);
    if (table && parts_table_finish(table, &part))
        parts_add(w->b, &part, NULL);
    visit_pictures(w, node);
}

/* ---- lists ------------------------------------------------------------------------------- */

/* Lists of teasers, each with a heading or a table, are no lists of a text. */
static bool is_plain_list(const xmlNode *node) {
    return !has_one_of(node, headings) && !find(node, "table") && !find(node, "figure");
}

static void gather_item(vl_buf *out, const xmlNode *node) {
    if (node->type == XML_TEXT_NODE) {
        put_text(out, node->content ? (const char *)node->content : "", false);
    } else if (node->type == XML_ELEMENT_NODE) {
        bool item = html_is_one_of(node, items);
        vl_buf_puts(out, item ? "\n" : html_is_one_of(node, blocks) ? " " : "");
        for (const xmlNode *child = node->children; child; child = child->next)
            gather_item(out, child);
        vl_buf_puts(out, item ? "\n" : "");
    }
}

static void visit_list(walk *w, xmlNode *node) {
    flush(w);
    if (!is_plain_list(node)) {
        visit_children(w, node);
        flush(w);
        return;
    }
    vl_buf out;
    vl_buf_init(&out, TEXT_MAX);
    gather_item(&out, node);
    const char *text = parts_text(w->b, out.data ? out.data : "", true);
    vl_buf_deinit(&out);
    if (text)
        add_text(w, VL_PART_LIST, 0, text);
    visit_pictures(w, node);
}

/* ---- the walk ---------------------------------------------------------------------------- */

static void visit_heading(walk *w, xmlNode *node) {
    flush(w);
    vl_buf out;
    vl_buf_init(&out, TEXT_MAX);
    gather(&out, node);
    const char *text = parts_text(w->b, out.data ? out.data : "", false);
    vl_buf_deinit(&out);
    if (text)
        add_text(w, VL_PART_HEADING, (uint32_t)(node->name[1] - '0'), text);
    visit_pictures(w, node);
}

static bool is_caption(const xmlNode *node) {
    const char *class = html_attribute(node, "class");
    return html_is(node, "figcaption") ||
           (strcasestr(class, "caption") && !find(node, "img") && !find(node, "figure"));
}

static void visit_block(walk *w, xmlNode *node) {
    flush(w);
    if (is_caption(node)) {
        add_text(w, VL_PART_CAPTION, 0, text_within(w, node));
        return;
    }
    visit_children(w, node);
    flush(w);
}

static void visit_element(walk *w, xmlNode *node) {
    if (html_is(node, "br"))
        vl_buf_puts(&w->text, "\n");
    else if (html_is(node, "img"))
        add_picture(w, node);
    else if (html_is_one_of(node, headings))
        visit_heading(w, node);
    else if (html_is_one_of(node, lists))
        visit_list(w, node);
    else if (html_is(node, "table"))
        visit_table(w, node);
    else if (html_is(node, "figure"))
        visit_figure(w, node);
    else if (html_is_one_of(node, blocks))
        visit_block(w, node);
    else
        visit_children(w, node);
}

static void visit(walk *w, xmlNode *node) {
    char outer[VL_LANG_SIZE];
    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
        put_text(&w->text, node->content ? (const char *)node->content : "", is_pre(node));
    if (node->type != XML_ELEMENT_NODE)
        return;
    memcpy(outer, w->language, VL_LANG_SIZE);
    parts_declare(w->language, html_attribute(node, "xml:lang"));
    parts_declare(w->language, html_attribute(node, "lang"));
    visit_element(w, node);
    memcpy(w->language, outer, VL_LANG_SIZE);
}

static bool is_within(const xmlNode *node, const xmlNode *root) {
    while (node && node != root)
        node = node->parent;
    return node != NULL;
}

/* The page's title and language, and the languages of what is around `main`. */
static void read_head(walk *w, xmlDoc *document, const xmlNode *main) {
    xmlNode *root = xmlDocGetRootElement(document);
    const xmlNode *title = find(root, "title");
    if (title && !is_within(title, main))
        w->b->out->title = text_within(w, title);
    parts_declare(w->language, html_attribute(root, "xml:lang"));
    parts_declare(w->language, html_attribute(root, "lang"));
    memcpy(w->b->out->declared, w->language, VL_LANG_SIZE);
    for (const xmlNode *up = main->parent; up && up != root; up = up->parent)
        if (*html_attribute(up, "lang")) {
            parts_declare(w->language, html_attribute(up, "lang"));
            break;
        }
}

static void visit_page(walk *w, xmlDoc *document) {
    xmlNode *main = html_main_content(document);
    if (!main)
        return;
    read_head(w, document, main);
    xmlNode *title = (xmlNode *)find(xmlDocGetRootElement(document), "h1");
    if (title && !find(main, "h1") && !is_within(title, main))
        visit_heading(w, title);
    visit(w, main);
    flush(w);
}

vl_status parts_html_read(parts_builder *b, const void *bytes, size_t count) {
    walk w = {.b = b};
    vl_buf text;
    xmlDoc *document = NULL;
    vl_buf_init(&text, HTML_BYTES_MAX);
    vl_buf_init(&w.text, TEXT_MAX);
    b->status = encoding_to_utf8(bytes, count, b->options->type, true, &text, b->error);
    if (!b->status)
        b->status = html_parse(text.data ? text.data : "", text.len, &document, b->error);
    if (!b->status)
        visit_page(&w, document);
    xmlFreeDoc(document);
    vl_buf_deinit(&text);
    vl_buf_deinit(&w.text);
    return b->status;
}
