/* parts_docx.c — the parts of a DOCX document (WordprocessingML, ISO/IEC 29500-1), element by
 * element.
 *
 * Text that was deleted, field codes and hidden text are no text; lines of tables of contents
 * are left out, as menus of a web page are; headers and footers, which run over every page, and
 * comments are not read. Notes stand behind the paragraph, list or table that refers to them.
 *
 *   read_inline     runs, and what holds runs
 *   walk_drawing    pictures and text boxes
 *   read_block      paragraphs, tables, and what holds those
 *   read_package    the parts beside the text, then the text */
#include "dataset/docx.h"
#include "dataset/package.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum {
    XML_BYTES_MAX = 96 << 20, /* of a part, unpacked */
    STYLES_BYTES_MAX = 16 << 20,
    FIELDS_MAX = 64,
    NOTES_MAX = 100000,
    SMALLEST_PICTURE = 457200 /* EMU: half an inch, 48 pixels at 96 to the inch */
};

typedef struct note {
    bool end; /* an endnote */
    bool used;
    long id;
    const char *text;
    char language[VL_LANG_SIZE];
} note;

typedef struct paragraph {
    flow_text text;
    const style *style; /* NULL: none */
    style_languages languages;
    int outline;   /* of its own, or STYLE_OUTLINE_UNKNOWN */
    long list;     /* likewise */
    bool numbered; /* it has a caption's number: a field SEQ */
    bool deleted;  /* its end is: the next paragraph goes on with it */
} paragraph;

typedef struct run {
    style_languages languages;
    bool hidden, rtl;
} run;

typedef struct drawing {
    char *text;         /* what it shows, by its maker */
    long width, height; /* EMU; 0: not said */
    bool hidden;
} drawing;

typedef struct docx {
    parts_builder *b;
    xml *x;
    flow f;
    styles styles;
    style_languages usual;
    const char *standard; /* style */
    docx_relations relations;
    note *notes;
    size_t note_count, note_capacity;
    bool in_note;
    paragraph *p; /* what is being read */
    run *run;
    drawing *drawing;
    flow_text carried; /* of paragraphs whose ends were deleted */
    /* Fields may be in fields, and may end in another paragraph. */
    size_t fields, codes; /* open ones; those of them whose code is being read */
    bool in_code[FIELDS_MAX];
    vl_buf code;
} docx;

static bool is(const docx *d, const char *name) {
    return xml_is(d->x, DOCX_W, name);
}

static const char *value(const docx *d, const char *name) {
    return xml_attribute(d->x, DOCX_W, name);
}

static void read_block(docx *d);
static void read_inline(docx *d);

/* ---- alternatives ------------------------------------------------------------------------ */

static bool is_known_choice(const docx *d) {
    static const char *const known[] = {"wps", "wpg", "wpc", "wp14", "w14", "w15", "w16se"};
    const char *requires = xml_attribute(d->x, XML_SPACE_NONE, "Requires");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(requires, known[i]))
            return true;
    return false;
}

static void read_children(docx *d, void (*read)(docx *d)) {
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in))
        read(d);
}

/* mc:AlternateContent: the first choice of a kind that is read here, else the fallback (ISO/IEC
 * 29500-3, 7.5). */
static void read_alternatives(docx *d, void (*read)(docx *d)) {
    xml_inside in = xml_enter(d->x);
    bool taken = false;
    while (xml_next(d->x, in)) {
        bool choice = xml_is(d->x, DOCX_MC, "Choice") && is_known_choice(d);
        if (!taken && (choice || xml_is(d->x, DOCX_MC, "Fallback"))) {
            taken = true;
            read_children(d, read);
        }
    }
}

static bool has_alternatives(const docx *d) {
    return xml_is(d->x, DOCX_MC, "AlternateContent");
}

/* ---- pictures ---------------------------------------------------------------------------- */

static void take_description(docx *d) {
    static const char *const names[] = {"descr", "alt", "title"};
    drawing *g = d->drawing;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = xml_attribute(d->x, XML_SPACE_NONE, names[i]);
        if (*text) {
            g->text = vl_arena_strdup(d->b->arena, text);
            break;
        }
    }
    g->hidden |= *xml_attribute(d->x, XML_SPACE_NONE, "hidden") == '1';
}

static bool is_small(const drawing *g) {
    return (g->width && g->width < SMALLEST_PICTURE) ||
           (g->height && g->height < SMALLEST_PICTURE);
}

static void add_picture(docx *d, vl_part_kind kind, const char *id) {
    const drawing *g = d->drawing;
    const docx_relation *relation = docx_relation_by_id(&d->relations, id);
    if (relation && !d->in_note && !g->hidden && !is_small(g))
        flow_picture(&d->f, kind, relation->target, g->text ? g->text : "");
}

static void read_text_box(docx *d) {
    paragraph *outer = d->p;
    run *within = d->run;
    flow_hold(&d->f);
    read_children(d, read_block);
    flow_release(&d->f);
    d->p = outer;
    d->run = within;
}

static void walk_drawing(docx *d);

/* A picture of a group, or what VML has: with a description of its own. */
static void read_shape(docx *d) {
    drawing *outer = d->drawing, inner = *outer;
    d->drawing = &inner;
    if (d->x->space == DOCX_V)
        take_description(d);
    read_children(d, walk_drawing);
    d->drawing = outer;
}

/* DrawingML and VML alike: their elements have other names. */
static void walk_drawing(docx *d) {
    xml *x = d->x;
    if (xml_is(x, DOCX_WP, "docPr") || xml_is(x, DOCX_PIC, "cNvPr")) {
        take_description(d);
    } else if (xml_is(x, DOCX_WP, "extent")) {
        d->drawing->width = xml_number(x, XML_SPACE_NONE, "cx", 0);
        d->drawing->height = xml_number(x, XML_SPACE_NONE, "cy", 0);
    } else if (xml_is(x, DOCX_A, "blip")) {
        const char *embedded = xml_attribute(x, DOCX_R, "embed");
        add_picture(d, VL_PART_FIGURE, *embedded ? embedded : xml_attribute(x, DOCX_R, "link"));
    } else if (xml_is(x, DOCX_V, "imagedata")) {
        add_picture(d, VL_PART_FIGURE, xml_attribute(x, DOCX_R, "id"));
    } else if (xml_is(x, DOCX_CHART, "chart")) {
        add_picture(d, VL_PART_CHART, xml_attribute(x, DOCX_R, "id"));
    } else if (xml_is(x, DOCX_W, "txbxContent")) {
        read_text_box(d);
    } else if (has_alternatives(d)) {
        read_alternatives(d, walk_drawing);
    } else if (x->space == DOCX_V || xml_is(x, DOCX_PIC, "pic")) {
        read_shape(d);
    } else {
        read_children(d, walk_drawing);
    }
}

static void read_drawing(docx *d) {
    drawing *outer = d->drawing, g = {0};
    d->drawing = &g;
    read_children(d, walk_drawing);
    d->drawing = outer;
}

/* ---- fields ------------------------------------------------------------------------------ */

/* w:fldChar: begin, code, separate, result, end. */
static void turn_field(docx *d) {
    const char *type = value(d, "fldCharType");
    if (!strcmp(type, "begin") && d->fields < FIELDS_MAX) {
        d->in_code[d->fields++] = true;
        d->codes++;
        vl_buf_clear(&d->code);
        return;
    }
    bool ends = !strcmp(type, "end");
    if (!d->fields || (!ends && strcmp(type, "separate") != 0))
        return;
    bool *in_code = &d->in_code[d->fields - 1];
    d->codes -= *in_code;
    *in_code = false;
    d->fields -= ends;
}

static bool is_sequence(const char *code) {
    code += strspn(code, " \t\r\n");
    return !strncasecmp(code, "SEQ", 3) && (code[3] == ' ' || code[3] == '\t');
}

static void read_code(docx *d) {
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in))
        if (xml_text(d->x))
            vl_buf_puts(&d->code, xml_text(d->x));
    if (d->p && is_sequence(d->code.data ? d->code.data : ""))
        d->p->numbered = true;
}

/* A code that does not end in its paragraph is a broken field: what follows is text again. */
static void close_codes(docx *d) {
    for (size_t i = 0; d->codes && i < d->fields; i++)
        d->in_code[i] = false;
    d->codes = 0;
}

/* ---- runs -------------------------------------------------------------------------------- */

static void put(docx *d, const char *text) {
    const run *r = d->run;
    if (!d->codes && !r->hidden && d->p)
        flow_text_put(&d->p->text, text, style_language_of(&r->languages, text, r->rtl));
}

static void put_break(docx *d) {
    if (!d->codes && !d->run->hidden)
        flow_text_break(&d->p->text);
}

static void put_within(docx *d) {
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in))
        if (xml_text(d->x))
            put(d, xml_text(d->x));
}

/* A character of a font of symbols is text only where Unicode has it. */
static void put_symbol(docx *d) {
    uint8_t text[U8_MAX_LENGTH + 1] = {0};
    long c = strtol(value(d, "char"), NULL, 16);
    int32_t used = 0;
    if (c < ' ' || c > 0xFFFF || U_IS_SURROGATE(c) ||
        u_charType((UChar32)c) == U_PRIVATE_USE_CHAR)
        return;
    U8_APPEND_UNSAFE(text, used, (uint32_t)c);
    put(d, (const char *)text);
}

static void put_note(docx *d, bool end) {
    long id = xml_number(d->x, DOCX_W, "id", -1);
    for (size_t i = 0; i < d->note_count && !d->in_note; i++)
        if (d->notes[i].id == id && d->notes[i].end == end && !d->notes[i].used) {
            d->notes[i].used = true;
            flow_note(&d->f, d->notes[i].text, d->notes[i].language);
            return;
        }
}

static void read_run_properties(docx *d) {
    run *r = d->run;
    xml_inside in = xml_enter(d->x);
    style_languages own = {0};
    while (xml_next(d->x, in)) {
        if (is(d, "rStyle")) {
            const style *s = styles_find(&d->styles, value(d, "val"));
            if (s) {
                style_languages_put(&r->languages, &s->languages);
                r->hidden |= s->hidden;
            }
        } else if (is(d, "lang")) {
            docx_languages(d->x, &own);
        } else if (is(d, "vanish")) {
            r->hidden = docx_is_on(d->x);
        } else if (is(d, "rtl")) {
            r->rtl = docx_is_on(d->x);
        }
    }
    style_languages_put(&r->languages, &own);
}

static void read_run(docx *d);

/* The base of a ruby, without what stands above it. */
static void read_ruby(docx *d) {
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in)) {
        xml_inside base = is(d, "rubyBase") ? xml_enter(d->x) : (xml_inside){-1};
        while (xml_next(d->x, base))
            if (is(d, "r"))
                read_run(d);
    }
}

static const char *sign_of(const docx *d) {
    static const char *const signs[][2] = {
        {"tab", " "}, {"ptab", " "}, {"noBreakHyphen", "\xE2\x80\x91"}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (is(d, signs[i][0]))
            return signs[i][1];
    return NULL;
}

static void read_run_content(docx *d) {
    const char *sign = sign_of(d);
    if (sign)
        put(d, sign);
    else if (is(d, "br") || is(d, "cr"))
        put_break(d);
    else if (is(d, "t"))
        put_within(d);
    else if (is(d, "rPr"))
        read_run_properties(d);
    else if (is(d, "sym"))
        put_symbol(d);
    else if (is(d, "fldChar"))
        turn_field(d);
    else if (is(d, "instrText"))
        read_code(d);
    else if (is(d, "footnoteReference") || is(d, "endnoteReference"))
        put_note(d, is(d, "endnoteReference"));
    else if ((is(d, "drawing") || is(d, "pict") || is(d, "object")) && !d->run->hidden)
        read_drawing(d);
    else if (is(d, "ruby"))
        read_ruby(d);
    else if (has_alternatives(d))
        read_alternatives(d, read_run_content);
}

static void read_run(docx *d) {
    run *outer = d->run, r = {.languages = d->p->languages};
    d->run = &r;
    read_children(d, read_run_content);
    d->run = outer;
}

/* The characters of a formula, in their order. */
static void walk_math(docx *d) {
    if (xml_is(d->x, DOCX_MATH, "t"))
        put_within(d);
    else
        read_children(d, walk_math);
}

static void read_math(docx *d) {
    run *outer = d->run, r = {0};
    d->run = &r;
    read_children(d, walk_math);
    d->run = outer;
}

static bool holds_runs(const docx *d) {
    static const char *const names[] = {"hyperlink", "smartTag", "sdt",       "sdtContent",
                                        "ins",       "moveTo",   "fldSimple", "dir",
                                        "bdo",       "customXml"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(d, names[i]))
            return true;
    return false;
}

static void read_inline(docx *d) {
    if (is(d, "r")) {
        read_run(d);
    } else if (holds_runs(d)) {
        if (is(d, "fldSimple") && is_sequence(value(d, "instr")) && d->p)
            d->p->numbered = true;
        read_children(d, read_inline);
    } else if (xml_is(d->x, DOCX_MATH, "oMath") || xml_is(d->x, DOCX_MATH, "oMathPara")) {
        read_math(d);
    } else if (has_alternatives(d)) {
        read_alternatives(d, read_inline);
    }
}

/* ---- paragraphs -------------------------------------------------------------------------- */

static void take_style(docx *d, paragraph *p, const char *id) {
    const style *s = styles_find(&d->styles, id);
    p->style = s;
    p->languages = d->usual;
    if (s)
        style_languages_put(&p->languages, &s->languages);
}

static void read_numbering(docx *d, paragraph *p) {
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in))
        if (is(d, "numId"))
            p->list = xml_number(d->x, DOCX_W, "val", 0);
}

static void read_mark(docx *d, paragraph *p) {
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in))
        p->deleted |= is(d, "del") || is(d, "moveFrom");
}

static void read_paragraph_properties(docx *d, paragraph *p) {
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in)) {
        if (is(d, "pStyle")) {
            take_style(d, p, value(d, "val"));
        } else if (is(d, "outlineLvl")) {
            long level = xml_number(d->x, DOCX_W, "val", 9);
            p->outline = level >= 0 && level < 9 ? (int)level : STYLE_OUTLINE_NONE;
        } else if (is(d, "numPr")) {
            read_numbering(d, p);
        } else if (is(d, "rPr")) {
            read_mark(d, p);
        }
    }
}

static void add_heading(docx *d, paragraph *p, uint32_t level) {
    vl_parts *out = d->b->out;
    if (level == 0 && !*out->title && !d->f.cell) {
        const char *title = parts_text(d->b, p->text.text.data ? p->text.text.data : "", false);
        out->title = title ? title : "";
    }
    flow_text_unbreak(&p->text);
    flow_paragraph(&d->f, VL_PART_HEADING, level ? level : 1, &p->text);
}

static void add_paragraph(docx *d, paragraph *p) {
    style_kind kind = p->style ? p->style->kind : STYLE_PLAIN;
    int outline = p->outline;
    long list = p->list;
    if (outline == STYLE_OUTLINE_UNKNOWN && p->style)
        outline = p->style->outline;
    if (list == STYLE_LIST_UNKNOWN)
        list = p->style && p->style->list > 0 ? p->style->list : 0;
    if (kind == STYLE_INDEX)
        vl_buf_clear(&p->text.text);
    if (kind == STYLE_CAPTION || p->numbered)
        flow_paragraph(&d->f, VL_PART_CAPTION, 0, &p->text);
    else if (kind == STYLE_TITLE)
        add_heading(d, p, 0);
    else if (kind == STYLE_SUBTITLE)
        add_heading(d, p, 2);
    else if (outline >= 0)
        add_heading(d, p, outline < 6 ? (uint32_t)outline + 1 : 6);
    else if (list)
        flow_item(&d->f, list, true, &p->text);
    else
        flow_paragraph(&d->f, VL_PART_PARAGRAPH, 0, &p->text);
}

/* What earlier paragraphs left that have no end any more. */
static void take_carried(docx *d, paragraph *p) {
    p->text = d->carried;
    flow_text_init(&d->carried);
}

static void read_paragraph(docx *d) {
    paragraph *outer = d->p;
    paragraph p = {.outline = STYLE_OUTLINE_UNKNOWN, .list = STYLE_LIST_UNKNOWN};
    take_carried(d, &p);
    take_style(d, &p, d->standard);
    d->p = &p;
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in)) {
        if (is(d, "pPr"))
            read_paragraph_properties(d, &p);
        else
            read_inline(d);
    }
    close_codes(d);
    if (p.deleted) {
        flow_text_deinit(&d->carried);
        d->carried = p.text;
    } else {
        add_paragraph(d, &p);
        flow_text_deinit(&p.text);
    }
    d->p = outer;
}

/* ---- tables ------------------------------------------------------------------------------ */

typedef struct table {
    flow_table *t; /* NULL: it only places things, or is in a cell */
    uint32_t row, column;
    long columns; /* that it says it has */
    bool heading, deleted;
} table;

static void read_row_properties(docx *d, table *t) {
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in)) {
        if (is(d, "tblHeader"))
            t->heading = docx_is_on(d->x);
        else if (is(d, "del"))
            t->deleted = true;
        else if (is(d, "gridBefore")) {
            long before = xml_number(d->x, DOCX_W, "val", 0);
            t->column = before > 0 && before < PARTS_COLUMNS_MAX ? (uint32_t)before : 0;
        }
    }
}

typedef struct cell {
    long span;
    bool goes_on; /* the one above does */
} cell;

static void read_cell_properties(docx *d, cell *c) {
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in)) {
        if (is(d, "gridSpan"))
            c->span = xml_number(d->x, DOCX_W, "val", 1);
        else if (is(d, "vMerge"))
            c->goes_on = strcmp(value(d, "val"), "restart") != 0;
    }
}

static void read_cell(docx *d, table *t) {
    cell c = {.span = 1};
    paragraph *outer = d->p;
    xml_inside in = xml_enter(d->x);
    if (t->t)
        flow_cell_begin(&d->f, t->t);
    while (xml_next(d->x, in)) {
        if (is(d, "tcPr"))
            read_cell_properties(d, &c);
        else
            read_block(d);
    }
    d->p = outer;
    if (!t->t)
        return;
    uint32_t span = c.span < 1                   ? 1
                    : c.span > PARTS_COLUMNS_MAX ? PARTS_COLUMNS_MAX
                                                 : (uint32_t)c.span;
    if (c.goes_on && flow_cell_merge(t->t, t->row, t->column))
        flow_cell_drop(&d->f, t->t);
    else
        flow_cell_end(&d->f, t->t, (vl_part_cell){t->row, t->column, 1, span, t->heading, ""},
                      1);
    t->column += span;
}

/* Rows and cells may be in controls, or in custom XML. */
static void read_cells(docx *d, table *t) {
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in)) {
        if (is(d, "trPr"))
            read_row_properties(d, t);
        else if (t->deleted)
            continue;
        else if (is(d, "tc"))
            read_cell(d, t);
        else if (is(d, "sdt") || is(d, "sdtContent") || is(d, "customXml"))
            read_cells(d, t);
    }
}

static long count_columns(docx *d) {
    xml_inside in = xml_enter(d->x);
    long count = 0;
    while (xml_next(d->x, in))
        count += is(d, "gridCol");
    return count;
}

static void read_rows(docx *d, table *t, bool nested) {
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in)) {
        if (is(d, "tblGrid")) {
            t->columns = count_columns(d);
        } else if (is(d, "tr")) {
            if (!t->t && !nested && t->columns != 1)
                t->t = flow_table_begin(&d->f);
            t->column = 0;
            t->heading = t->deleted = false;
            read_cells(d, t);
            t->row += !t->deleted;
        } else if (is(d, "sdt") || is(d, "sdtContent") || is(d, "customXml")) {
            read_rows(d, t, nested);
        }
    }
}

static void read_table(docx *d) {
    table t = {0};
    read_rows(d, &t, d->f.cell != NULL);
    if (t.t)
        flow_table_end(&d->f, t.t);
}

/* ---- blocks ------------------------------------------------------------------------------ */

/* Whether the control's properties, that the reader is at, say that it is a table of contents.
 */
static bool is_index(docx *d) {
    bool index = false;
    xml_inside in = xml_enter(d->x);
    while (xml_next(d->x, in)) {
        index |= is(d, "docPartGallery") && !strcmp(value(d, "val"), "Table of Contents");
        if (is(d, "docPartObj"))
            index |= is_index(d);
    }
    return index;
}

static void read_control(docx *d) {
    xml_inside in = xml_enter(d->x);
    bool index = false;
    while (xml_next(d->x, in)) {
        if (is(d, "sdtPr"))
            index = is_index(d);
        else if (is(d, "sdtContent") && !index)
            read_children(d, read_block);
    }
}

static void read_block(docx *d) {
    if (is(d, "p"))
        read_paragraph(d);
    else if (is(d, "tbl"))
        read_table(d);
    else if (is(d, "sdt"))
        read_control(d);
    else if (is(d, "customXml") || is(d, "ins") || is(d, "moveTo"))
        read_children(d, read_block);
    else if (has_alternatives(d))
        read_alternatives(d, read_block);
}

/* ---- the parts beside the text ----------------------------------------------------------- */

static vl_status read_part(const docx *d, const char *name, size_t most, vl_buf *text) {
    const struct vl_parts_source *from = d->b->out->from;
    vl_buf_init(text, most);
    return package_read(from->bytes, from->count, name, text, d->b->error);
}

static vl_status add_note(docx *d, const note *item) {
    if (d->note_count == NOTES_MAX)
        return vl_fail(d->b->error, VL_ERR_LIMIT, "the document has more than %d notes",
                       NOTES_MAX);
    if (d->note_count == d->note_capacity) {
        size_t more = d->note_capacity ? d->note_capacity * 2 : 32;
        note *notes = vl_arena_grow(d->b->arena, d->notes, d->note_count * sizeof *notes,
                                    more * sizeof *notes);
        if (!notes)
            return vl_fail(d->b->error, VL_ERR_MEMORY, "out of memory");
        d->notes = notes;
        d->note_capacity = more;
    }
    d->notes[d->note_count++] = *item;
    return VL_OK;
}

/* Its paragraphs are lines, as those of a cell are. Separators have a type. */
static vl_status read_note(docx *d, bool end) {
    flow_text text;
    note item = {.end = end, .id = xml_number(d->x, DOCX_W, "id", -1)};
    const char *type = value(d, "type");
    if (*type && strcmp(type, "normal") != 0)
        return VL_OK;
    flow_text_init(&text);
    d->f.cell = &text;
    read_children(d, read_block);
    d->f.cell = NULL;
    flow_text_language(&text, item.language);
    item.text = parts_text(d->b, text.text.data ? text.text.data : "", true);
    flow_text_deinit(&text);
    if (d->b->status || !*item.text)
        return d->b->status;
    return add_note(d, &item);
}

static vl_status read_notes(docx *d, const char *type) {
    const docx_relation *relation = docx_relation_by_type(&d->relations, type);
    xml x = {0};
    vl_buf text;
    if (!relation || relation->external)
        return VL_OK;
    vl_status status = read_part(d, relation->target, XML_BYTES_MAX, &text);
    if (!status)
        status = xml_open(&x, &text, relation->target, docx_spaces, d->b->error);
    d->x = &x;
    d->in_note = true;
    xml_inside in = xml_enter(&x);
    while (!status && xml_next(&x, in))
        if (is(d, "footnote") || is(d, "endnote"))
            status = read_note(d, is(d, "endnote"));
    d->in_note = false;
    d->x = NULL;
    status = status ? status : x.status;
    xml_close(&x);
    vl_buf_deinit(&text);
    return status == VL_ERR_MISSING ? VL_OK : status;
}

static vl_status read_styles(docx *d) {
    const docx_relation *relation = docx_relation_by_type(&d->relations, "styles");
    vl_buf text;
    if (!relation || relation->external)
        return VL_OK;
    vl_status status = read_part(d, relation->target, STYLES_BYTES_MAX, &text);
    if (!status)
        status = docx_styles_read(d->b, &text, &d->styles, &d->usual, &d->standard);
    vl_buf_deinit(&text);
    return status == VL_ERR_MISSING ? VL_OK : status;
}

static vl_status read_title(docx *d, const char *name) {
    xml x = {0};
    vl_buf text, title;
    vl_status status = read_part(d, name, STYLES_BYTES_MAX, &text);
    vl_buf_init(&title, STYLES_BYTES_MAX);
    if (!status)
        status = xml_open(&x, &text, name, docx_spaces, d->b->error);
    xml_inside in = xml_enter(&x);
    while (!status && xml_next(&x, in)) {
        if (!xml_is(&x, DOCX_DC, "title"))
            continue;
        xml_inside element = xml_enter(&x);
        while (xml_next(&x, element))
            vl_buf_puts(&title, xml_text(&x) ? xml_text(&x) : "");
    }
    status = status ? status : x.status;
    if (!status && title.len)
        d->b->out->title = parts_text(d->b, title.data, false);
    if (!status && !d->b->out->title)
        status = d->b->status;
    xml_close(&x);
    vl_buf_deinit(&title);
    vl_buf_deinit(&text);
    return status == VL_ERR_MISSING ? VL_OK : status;
}

/* ---- the document ------------------------------------------------------------------------ */

static void read_body(docx *d) {
    if (is(d, "body"))
        read_children(d, read_block);
}

static void add_rest(docx *d) {
    if (d->carried.text.len)
        flow_paragraph(&d->f, VL_PART_PARAGRAPH, 0, &d->carried);
    for (size_t i = 0; i < d->note_count; i++)
        if (!d->notes[i].used)
            flow_note(&d->f, d->notes[i].text, d->notes[i].language);
    flow_end(&d->f);
}

static vl_status read_text(docx *d, const vl_buf *text, const char *name) {
    xml x = {0};
    vl_status status = xml_open(&x, text, name, docx_spaces, d->b->error);
    d->x = &x;
    if (!status && !is(d, "document"))
        status = vl_fail(d->b->error, VL_ERR_UNSUPPORTED,
                         "%s is no document of WordprocessingML but <%.60s>", name, x.name);
    if (!status)
        read_children(d, read_body);
    status = status ? status : x.status;
    if (!status)
        add_rest(d);
    d->x = NULL;
    xml_close(&x);
    return status ? status : d->b->status;
}

static vl_status read_package(docx *d) {
    parts_builder *b = d->b;
    const struct vl_parts_source *from = b->out->from;
    docx_relations roots = {0};
    vl_buf text;
    vl_status status = docx_relations_read(b, from->bytes, from->count, "", &roots);
    if (status)
        return status;
    const docx_relation *main = docx_relation_by_type(&roots, "officeDocument");
    const docx_relation *core = docx_relation_by_type(&roots, "core-properties");
    if (!main || main->external)
        return vl_fail(b->error, VL_ERR_UNSUPPORTED,
                       "the archive is no document: nothing in it says which part is");
    status = read_part(d, main->target, XML_BYTES_MAX, &text);
    if (!status)
        status = docx_relations_read(b, from->bytes, from->count, main->target, &d->relations);
    if (!status && core && !core->external)
        status = read_title(d, core->target);
    if (!status)
        status = read_styles(d);
    if (!status)
        status = read_notes(d, "footnotes");
    if (!status)
        status = read_notes(d, "endnotes");
    if (!status)
        status = read_text(d, &text, main->target);
    vl_buf_deinit(&text);
    return status;
}

vl_status parts_docx_read(parts_builder *b, const void *bytes, size_t count) {
    docx d = {.b = b, .styles.arena = b->arena, .standard = ""};
    (void)bytes, (void)count; /* the builder's source has them */
    b->out->from->package = true;
    flow_init(&d.f, b);
    flow_text_init(&d.carried);
    vl_buf_init(&d.code, 1 << 20);
    vl_status status = read_package(&d);
    if (status == VL_ERR_MISSING) /* a part that another names: the package is broken */
        status = b->error->status = VL_ERR_INPUT;
    vl_buf_deinit(&d.code);
    flow_text_deinit(&d.carried);
    flow_deinit(&d.f);
    return b->status = b->status ? b->status : status;
}
