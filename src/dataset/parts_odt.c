/* parts_odt.c — the parts of an OpenDocument text (OASIS OpenDocument 1.2 and 1.3, part 3),
 * element by element.
 *
 * What was deleted stands apart (text:tracked-changes) and is not read, nor are tables of
 * contents and other indexes, comments, headers and footers. Notes stand behind the paragraph,
 * list or table that refers to them.
 *
 *   read_inline    text, spans, fields, notes
 *   read_shape     pictures, text boxes
 *   read_block     paragraphs, lists, tables, sections
 *   read_package   styles.xml and meta.xml, then content.xml */
#include "dataset/flow.h"
#include "dataset/package.h"
#include "dataset/xml.h"

#include <stdlib.h>
#include <string.h>

enum {
    XML_BYTES_MAX = 96 << 20, /* of a part, unpacked */
    STYLES_BYTES_MAX = 16 << 20,
    EMPTY_CELLS_MAX = 50, /* repeated more often, they fill a sheet up */
};
static const double SMALLEST_INCHES = 0.5; /* 48 pixels at 96 to the inch */

enum { OFFICE = 1, TEXT, TABLE, DRAW, STYLE, FO, SVG, XLINK, DC };
static const xml_space spaces[] = {
    {"urn:oasis:names:tc:opendocument:xmlns:office:1.0", OFFICE},
    {"urn:oasis:names:tc:opendocument:xmlns:text:1.0", TEXT},
    {"urn:oasis:names:tc:opendocument:xmlns:table:1.0", TABLE},
    {"urn:oasis:names:tc:opendocument:xmlns:drawing:1.0", DRAW},
    {"urn:oasis:names:tc:opendocument:xmlns:style:1.0", STYLE},
    {"urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0", FO},
    {"urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0", SVG},
    {"http://www.w3.org/1999/xlink", XLINK},
    {"http://purl.org/dc/elements/1.1/", DC},
    {NULL, 0}};

typedef struct span {
    style_languages languages;
    bool hidden;
} span;

typedef struct paragraph {
    flow_text text;
    bool numbered; /* it has a caption's number: text:sequence */
} paragraph;

typedef struct shape {
    const char *source; /* of its first picture; NULL: none */
    const char *text;   /* what it shows, by its maker */
} shape;

typedef struct odt {
    parts_builder *b;
    xml *x;
    flow f;
    styles styles;
    paragraph *p; /* what is being read; NULL: none */
    span *span;
    shape *shape;
    long lists, list; /* so far; the one that is being read, 0 none */
    size_t list_depth;
    bool item; /* the next paragraph begins one */
} odt;

static void read_block(odt *o);
static void read_inline(odt *o);
static void read_shape(odt *o);

static void read_children(odt *o, void (*read)(odt *o)) {
    xml_inside in = xml_enter(o->x);
    while (xml_next(o->x, in))
        read(o);
}

static bool is_one_of(const odt *o, int space, const char *const *names) {
    for (; *names; names++)
        if (xml_is(o->x, space, *names))
            return true;
    return false;
}

/* ---- styles ------------------------------------------------------------------------------ */

/* Families have names of their own: "p:Standard", "t:Emphasis". */
static const char *style_id(odt *o, char family, const char *name) {
    const char *id = vl_arena_printf(o->b->arena, "%c:%s", family, name);
    if (!id && !o->b->status)
        o->b->status = vl_fail(o->b->error, VL_ERR_MEMORY, "out of memory");
    return id ? id : "";
}

static void read_style_properties(odt *o, style *s) {
    const xml *x = o->x;
    parts_declare(s->languages.western, xml_attribute(x, FO, "language"));
    parts_declare(s->languages.asian, xml_attribute(x, STYLE, "language-asian"));
    parts_declare(s->languages.complex, xml_attribute(x, STYLE, "language-complex"));
    s->hidden = !strcmp(xml_attribute(x, TEXT, "display"), "none");
}

/* "Illustration_20_Index" → "Illustration Index" */
static style_kind kind_of(const char *name) {
    char plain[80];
    size_t used = 0;
    for (; *name && used + 1 < sizeof plain; name++) {
        bool space = !strncmp(name, "_20_", 4);
        plain[used++] = space ? ' ' : *name;
        name += space ? 3 : 0;
    }
    plain[used] = '\0';
    return style_kind_of(plain);
}

static vl_status read_style(odt *o) {
    bool usual = xml_is(o->x, STYLE, "default-style");
    const char *family = xml_attribute(o->x, STYLE, "family");
    const char *name = usual ? "" : xml_attribute(o->x, STYLE, "name");
    if (strcmp(family, "paragraph") != 0 && strcmp(family, "text") != 0)
        return VL_OK;
    style s = {
        .id = style_id(o, *family, name),
        .parent = usual || (*family == 't' && !*xml_attribute(o->x, STYLE, "parent-style-name"))
                      ? ""
                      : style_id(o, *family, xml_attribute(o->x, STYLE, "parent-style-name")),
        .kind = kind_of(name),
        .outline = STYLE_OUTLINE_UNKNOWN,
        .list = STYLE_LIST_UNKNOWN};
    xml_inside in = xml_enter(o->x);
    while (xml_next(o->x, in))
        if (xml_is(o->x, STYLE, "text-properties"))
            read_style_properties(o, &s);
    return o->b->status ? o->b->status : styles_add(&o->styles, &s, o->b->error);
}

/* office:styles, or office:automatic-styles of content.xml. */
static void read_styles(odt *o) {
    xml_inside in = xml_enter(o->x);
    while (!o->b->status && xml_next(o->x, in))
        if (xml_is(o->x, STYLE, "style") || xml_is(o->x, STYLE, "default-style"))
            o->b->status = read_style(o);
    styles_settle(&o->styles);
}

static const style *find_style(odt *o, char family, const char *name) {
    char id[300];
    size_t length = strlen(name);
    if (length + 3 > sizeof id)
        return NULL;
    id[0] = family;
    id[1] = ':';
    memcpy(id + 2, name, length + 1);
    return styles_find(&o->styles, id);
}

/* ---- pictures ---------------------------------------------------------------------------- */

/* "3.5cm" in inches; 0: not said, or a share of the page. */
static double inches_of(const char *length) {
    static const struct {
        const char *unit;
        double inches;
    } units[] = {{"cm", 1 / 2.54}, {"mm", 1 / 25.4}, {"in", 1},
                 {"pt", 1 / 72.0}, {"pc", 1 / 6.0},  {"px", 1 / 96.0}};
    char *end;
    double number = strtod(length, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (end > length && !strcmp(end, units[i].unit))
            return number * units[i].inches;
    return 0;
}

static bool is_small(const odt *o) {
    static const char *const sides[] = {"width", "height"};
    for (size_t i = 0; i < 2; i++) {
        double inches = inches_of(xml_attribute(o->x, SVG, sides[i]));
        if (inches > 0 && inches < SMALLEST_INCHES)
            return true;
    }
    return false;
}

static const char *text_within(odt *o) {
    vl_buf out;
    vl_buf_init(&out, 1 << 20);
    xml_inside in = xml_enter(o->x);
    while (xml_next(o->x, in))
        vl_buf_puts(&out, xml_text(o->x) ? xml_text(o->x) : "");
    const char *text = parts_text(o->b, out.len ? out.data : "", false);
    vl_buf_deinit(&out);
    return text ? text : "";
}

/* Paragraphs that stand in something else than the one that is being read. */
static void read_box(odt *o, void (*read)(odt *o), bool children) {
    odt outer = *o;
    o->list = 0;
    o->list_depth = 0;
    flow_hold(&o->f);
    if (children)
        read_children(o, read);
    else
        read(o);
    flow_release(&o->f);
    o->p = outer.p;
    o->span = outer.span;
    o->shape = outer.shape;
    o->list = outer.list;
    o->list_depth = outer.list_depth;
    o->item = outer.item;
}

static void take_picture(odt *o) {
    const char *source = xml_attribute(o->x, XLINK, "href");
    if (!strncmp(source, "./", 2))
        source += 2;
    if (!o->shape || o->shape->source || !*source)
        return;
    o->shape->source = vl_arena_strdup(o->b->arena, source);
}

static void read_within_shape(odt *o) {
    static const char *const blocks[] = {"p", "h", "list", NULL};
    if (xml_is(o->x, DRAW, "image"))
        take_picture(o);
    else if (xml_is(o->x, SVG, "desc") || (xml_is(o->x, SVG, "title") && !*o->shape->text))
        o->shape->text = text_within(o);
    else if (xml_is(o->x, DRAW, "text-box"))
        read_box(o, read_block, true);
    else if (is_one_of(o, TEXT, blocks) || xml_is(o->x, TABLE, "table"))
        read_box(o, read_block, false);
    else if (o->x->name && o->x->space == DRAW && !xml_is(o->x, DRAW, "object"))
        read_shape(o);
}

/* A frame shows the first of its contents that can be shown, so one picture. Its description
 * stands behind them. */
static void read_shape(odt *o) {
    shape *outer = o->shape, s = {.text = ""};
    bool small = is_small(o);
    o->shape = &s;
    read_children(o, read_within_shape);
    o->shape = outer;
    if (s.source && !small)
        flow_picture(&o->f, VL_PART_FIGURE, s.source, s.text);
}

/* ---- text -------------------------------------------------------------------------------- */

static void put(odt *o, const char *text) {
    if (o->p && o->span && !o->span->hidden)
        flow_text_put(&o->p->text, text, style_language_of(&o->span->languages, text, false));
}

static void read_span(odt *o) {
    const style *s = find_style(o, 't', xml_attribute(o->x, TEXT, "style-name"));
    span *outer = o->span, inner = *outer;
    if (s) {
        style_languages_put(&inner.languages, &s->languages);
        inner.hidden |= s->hidden;
    }
    o->span = &inner;
    read_children(o, read_inline);
    o->span = outer;
}

/* Its paragraphs are lines, as those of a cell are. */
static void read_note(odt *o) {
    flow_text text, *cell = o->f.cell;
    odt outer = *o;
    char language[VL_LANG_SIZE] = "";
    flow_text_init(&text);
    o->f.cell = &text;
    o->list = 0;
    o->list_depth = 0;
    xml_inside in = xml_enter(o->x);
    while (xml_next(o->x, in))
        if (xml_is(o->x, TEXT, "note-body"))
            read_children(o, read_block);
    o->f.cell = cell;
    o->p = outer.p;
    o->span = outer.span;
    o->list = outer.list;
    o->list_depth = outer.list_depth;
    o->item = outer.item;
    flow_text_language(&text, language);
    const char *clean = parts_text(o->b, text.text.len ? text.text.data : "", true);
    flow_text_deinit(&text);
    if (clean && *clean)
        flow_note(&o->f, clean, language);
}

static void read_inline(odt *o) {
    static const char *const not_text[] = {"ruby-text",   "note-citation", "tracked-changes",
                                           "hidden-text", "script",        NULL};
    const char *text = xml_text(o->x);
    if (text)
        put(o, text);
    else if (xml_is(o->x, TEXT, "span"))
        read_span(o);
    else if (xml_is(o->x, TEXT, "s") || xml_is(o->x, TEXT, "tab"))
        put(o, " ");
    else if (xml_is(o->x, TEXT, "line-break"))
        flow_text_break(&o->p->text);
    else if (xml_is(o->x, TEXT, "note"))
        read_note(o);
    else if (o->x->space == DRAW)
        read_shape(o);
    else if (o->x->space == TEXT && !is_one_of(o, TEXT, not_text)) {
        o->p->numbered |= xml_is(o->x, TEXT, "sequence");
        read_children(o, read_inline); /* links, fields */
    }
}

/* ---- paragraphs and lists ---------------------------------------------------------------- */

static void add_heading(odt *o, paragraph *p, uint32_t level) {
    vl_parts *out = o->b->out;
    if (!level && !*out->title && !o->f.cell) {
        const char *title = parts_text(o->b, p->text.text.len ? p->text.text.data : "", false);
        out->title = title ? title : "";
    }
    flow_text_unbreak(&p->text);
    flow_paragraph(&o->f, VL_PART_HEADING, level ? level : 1, &p->text);
}

static void add_paragraph(odt *o, paragraph *p, style_kind kind, long level) {
    if (level > 0)
        add_heading(o, p, level < 6 ? (uint32_t)level : 6);
    else if (kind == STYLE_TITLE)
        add_heading(o, p, 0);
    else if (kind == STYLE_SUBTITLE)
        add_heading(o, p, 2);
    else if (kind == STYLE_CAPTION || p->numbered)
        flow_paragraph(&o->f, VL_PART_CAPTION, 0, &p->text);
    else if (o->list)
        flow_item(&o->f, o->list, o->item, &p->text);
    else
        flow_paragraph(&o->f, VL_PART_PARAGRAPH, 0, &p->text);
    o->item = false;
}

static void read_paragraph(odt *o) {
    const style *s = find_style(o, 'p', xml_attribute(o->x, TEXT, "style-name"));
    long level = xml_is(o->x, TEXT, "h") ? xml_number(o->x, TEXT, "outline-level", 1) : 0;
    paragraph *outer = o->p, p = {.numbered = false};
    span *around = o->span, all = {.hidden = s && s->hidden};
    s = s ? s : find_style(o, 'p', "");
    if (s)
        all.languages = s->languages;
    flow_text_init(&p.text);
    o->p = &p;
    o->span = &all;
    read_children(o, read_inline);
    add_paragraph(o, &p, s ? s->kind : STYLE_PLAIN, level < 0 ? 1 : level);
    flow_text_deinit(&p.text);
    o->p = outer;
    o->span = around;
}

/* Lists in lists are one, an item a line. */
static void read_list(odt *o) {
    xml_inside in = xml_enter(o->x);
    if (!o->list_depth++)
        o->list = ++o->lists;
    while (xml_next(o->x, in)) {
        if (!xml_is(o->x, TEXT, "list-item") && !xml_is(o->x, TEXT, "list-header"))
            continue;
        o->item = true;
        read_children(o, read_block);
    }
    if (--o->list_depth)
        return;
    o->list = 0;
    if (!o->f.cell)
        flow_list_end(&o->f);
}

/* ---- tables ------------------------------------------------------------------------------ */

typedef struct table {
    flow_table *t; /* NULL: it only places things, or is in a cell */
    uint32_t row, column;
    long columns; /* that it says it has */
    bool heading;
} table;

static uint32_t count_of(const odt *o, const char *name, uint32_t most) {
    long number = xml_number(o->x, TABLE, name, 1);
    return number < 1 ? 1 : number > (long)most ? most : (uint32_t)number;
}

static void read_cell(odt *o, table *t) {
    bool covered = xml_is(o->x, TABLE, "covered-table-cell");
    uint32_t times = count_of(o, "number-columns-repeated", PARTS_COLUMNS_MAX);
    vl_part_cell at = {.row = t->row,
                       .column = t->column,
                       .row_span = count_of(o, "number-rows-spanned", PARTS_ROWS_MAX),
                       .column_span = count_of(o, "number-columns-spanned", PARTS_COLUMNS_MAX),
                       .heading = t->heading};
    t->column += times;
    if (covered)
        return;
    if (t->t)
        flow_cell_begin(&o->f, t->t);
    read_children(o, read_block);
    if (!t->t)
        return;
    if (times > EMPTY_CELLS_MAX && flow_cell_is_empty(t->t))
        flow_cell_drop(&o->f, t->t);
    else
        flow_cell_end(&o->f, t->t, at, times);
}

static void read_row(odt *o, table *t, bool nested) {
    uint32_t times = count_of(o, "number-rows-repeated", UINT32_MAX / 2);
    xml_inside in = xml_enter(o->x);
    if (!t->t && !nested && t->columns != 1)
        t->t = flow_table_begin(&o->f);
    t->column = 0;
    while (xml_next(o->x, in))
        if (xml_is(o->x, TABLE, "table-cell") || xml_is(o->x, TABLE, "covered-table-cell"))
            read_cell(o, t);
    t->row++;
    if (t->t && times > 1)
        t->row += flow_row_repeat(&o->f, t->t, t->row, times - 1);
}

static void read_rows(odt *o, table *t, bool nested) {
    static const char *const groups[] = {"table-header-rows",
                                         "table-rows",
                                         "table-row-group",
                                         "table-columns",
                                         "table-header-columns",
                                         "table-column-group",
                                         NULL};
    xml_inside in = xml_enter(o->x);
    while (xml_next(o->x, in)) {
        bool outer = t->heading;
        if (xml_is(o->x, TABLE, "table-column")) {
            t->columns += count_of(o, "number-columns-repeated", PARTS_COLUMNS_MAX);
        } else if (xml_is(o->x, TABLE, "table-row")) {
            read_row(o, t, nested);
        } else if (is_one_of(o, TABLE, groups)) {
            t->heading |= xml_is(o->x, TABLE, "table-header-rows");
            read_rows(o, t, nested);
            t->heading = outer;
        }
    }
}

static void read_table(odt *o) {
    table t = {0};
    long list = o->list; /* cells are no items of a list that the table stands in */
    size_t depth = o->list_depth;
    o->list = 0;
    o->list_depth = 0;
    read_rows(o, &t, o->f.cell != NULL);
    o->list = list;
    o->list_depth = depth;
    if (t.t)
        flow_table_end(&o->f, t.t);
}

/* ---- blocks ------------------------------------------------------------------------------ */

static void read_block(odt *o) {
    if (xml_is(o->x, TEXT, "p") || xml_is(o->x, TEXT, "h"))
        read_paragraph(o);
    else if (xml_is(o->x, TEXT, "list"))
        read_list(o);
    else if (xml_is(o->x, TABLE, "table"))
        read_table(o);
    else if (xml_is(o->x, TEXT, "section")) {
        if (strcmp(xml_attribute(o->x, TEXT, "display"), "none") != 0)
            read_children(o, read_block);
    } else if (xml_is(o->x, TEXT, "numbered-paragraph")) {
        o->list = ++o->lists;
        o->item = true;
        read_children(o, read_block);
        o->list = 0;
    } else if (o->x->name && o->x->space == DRAW) {
        read_shape(o);
    }
}

static void read_body(odt *o) {
    if (xml_is(o->x, OFFICE, "text"))
        read_children(o, read_block);
}

static void read_content(odt *o) {
    if (xml_is(o->x, OFFICE, "automatic-styles"))
        read_styles(o);
    else if (xml_is(o->x, OFFICE, "body"))
        read_children(o, read_body);
}

static void read_common_styles(odt *o) {
    if (xml_is(o->x, OFFICE, "styles"))
        read_styles(o);
}

static void read_meta(odt *o) {
    if (xml_is(o->x, DC, "title"))
        o->b->out->title = text_within(o);
    else if (xml_is(o->x, DC, "language"))
        parts_declare(o->b->out->declared, text_within(o));
    else if (xml_is(o->x, OFFICE, "meta"))
        read_children(o, read_meta);
}

/* ---- the package ------------------------------------------------------------------------- */

/* Reads the children of the root of the part `name` with `read`. */
static vl_status read_part(odt *o, const char *name, size_t most, void (*read)(odt *o)) {
    const struct vl_parts_source *from = o->b->out->from;
    xml x = {0};
    vl_buf text;
    vl_buf_init(&text, most);
    vl_status status = package_read(from->bytes, from->count, name, &text, o->b->error);
    if (!status)
        status = xml_open(&x, &text, name, spaces, o->b->error);
    o->x = &x;
    if (!status)
        read_children(o, read);
    status = status ? status : x.status ? x.status : o->b->status;
    o->x = NULL;
    xml_close(&x);
    vl_buf_deinit(&text);
    return status;
}

/* Whether its parts are encrypted, which the list of them says (part 2, 4.8). */
static bool is_encrypted(const struct vl_parts_source *from) {
    vl_buf list;
    vl_buf_init(&list, STYLES_BYTES_MAX);
    bool found =
        !package_read(from->bytes, from->count, "META-INF/manifest.xml", &list, NULL) &&
        list.len && memmem(list.data, list.len, "encryption-data", 15);
    vl_buf_deinit(&list);
    return found;
}

static vl_status read_package(odt *o) {
    vl_status status = read_part(o, "styles.xml", STYLES_BYTES_MAX, read_common_styles);
    if (!status || status == VL_ERR_MISSING)
        status = read_part(o, "meta.xml", STYLES_BYTES_MAX, read_meta);
    if (!status || status == VL_ERR_MISSING)
        status = read_part(o, "content.xml", XML_BYTES_MAX, read_content);
    if (status == VL_ERR_INPUT && is_encrypted(o->b->out->from))
        return vl_fail(o->b->error, VL_ERR_UNSUPPORTED, "the document is encrypted");
    return status == VL_ERR_MISSING
               ? vl_fail(o->b->error, VL_ERR_INPUT, "the document has no part content.xml")
               : status;
}

vl_status parts_odt_read(parts_builder *b, const void *bytes, size_t count) {
    odt o = {.b = b, .styles.arena = b->arena};
    (void)bytes, (void)count; /* the builder's source has them */
    b->out->from->package = true;
    flow_init(&o.f, b);
    vl_status status = read_package(&o);
    if (!status)
        flow_end(&o.f);
    flow_deinit(&o.f);
    return b->status = b->status ? b->status : status;
}
