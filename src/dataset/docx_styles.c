/* docx_styles.c — relationships (ISO/IEC 29500-2, 8.3) and styles (ISO/IEC 29500-1, 17.7) of
 * DOCX. */
#include "dataset/docx.h"
#include "dataset/package.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { RELATIONS_MAX = 100000, RELATIONS_BYTES = 16 << 20 };

const xml_space docx_spaces[] = {
    {"http://schemas.openxmlformats.org/wordprocessingml/2006/main", DOCX_W},
    {"http://purl.oclc.org/ooxml/wordprocessingml/main", DOCX_W},
    {"http://schemas.openxmlformats.org/officeDocument/2006/relationships", DOCX_R},
    {"http://purl.oclc.org/ooxml/officeDocument/relationships", DOCX_R},
    {"http://schemas.openxmlformats.org/package/2006/relationships", DOCX_PKG},
    {"http://schemas.openxmlformats.org/markup-compatibility/2006", DOCX_MC},
    {"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing", DOCX_WP},
    {"http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing", DOCX_WP},
    {"http://schemas.openxmlformats.org/drawingml/2006/main", DOCX_A},
    {"http://purl.oclc.org/ooxml/drawingml/main", DOCX_A},
    {"http://schemas.openxmlformats.org/drawingml/2006/picture", DOCX_PIC},
    {"http://purl.oclc.org/ooxml/drawingml/picture", DOCX_PIC},
    {"http://schemas.openxmlformats.org/drawingml/2006/chart", DOCX_CHART},
    {"http://purl.oclc.org/ooxml/drawingml/chart", DOCX_CHART},
    {"urn:schemas-microsoft-com:vml", DOCX_V},
    {"http://schemas.openxmlformats.org/officeDocument/2006/math", DOCX_MATH},
    {"http://purl.oclc.org/ooxml/officeDocument/math", DOCX_MATH},
    {"http://purl.org/dc/elements/1.1/", DOCX_DC},
    {NULL, 0}};

bool docx_is_on(const xml *x) {
    static const char *const off[] = {"0", "false", "off", "none"};
    const char *value = xml_attribute(x, DOCX_W, "val");
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        if (!strcasecmp(value, off[i]))
            return false;
    return true;
}

/* ---- relationships ----------------------------------------------------------------------- */

/* "word/document.xml" → "word/_rels/document.xml.rels" */
static const char *relations_path(vl_arena *arena, const char *of) {
    const char *slash = strrchr(of, '/');
    int folder = slash ? (int)(slash - of) + 1 : 0;
    return vl_arena_printf(arena, "%.*s_rels/%s.rels", folder, of, of + folder);
}

/* The target, which is relative to the part that has the relationship, from the package's root.
 */
static const char *resolve(vl_arena *arena, const char *of, const char *target) {
    const char *slash = strrchr(of, '/');
    char *joined = *target == '/' || !slash
                       ? vl_arena_strdup(arena, target)
                       : vl_arena_printf(arena, "%.*s/%s", (int)(slash - of), of, target);
    if (!joined)
        return NULL;
    char *to = joined, *from = joined;
    while (*from) {
        size_t length = strcspn(from, "/");
        bool up = length == 2 && !memcmp(from, "..", 2);
        bool stay = !length || (length == 1 && *from == '.');
        if (up) {
            while (to > joined && to[-1] != '/')
                to--;
            to -= to > joined;
            while (to > joined && to[-1] != '/')
                to--;
        } else if (!stay) {
            memmove(to, from, length);
            to += length;
            if (from[length])
                *to++ = '/';
        }
        from += length + (from[length] == '/');
    }
    *to = '\0';
    return joined;
}

static int by_id(const void *x, const void *y) {
    return strcmp(((const docx_relation *)x)->id, ((const docx_relation *)y)->id);
}

static vl_status add_relation(parts_builder *b, const xml *x, const char *of,
                              docx_relations *out) {
    const char *type = xml_attribute(x, XML_SPACE_NONE, "Type");
    const char *target = xml_attribute(x, XML_SPACE_NONE, "Target");
    const char *word = strrchr(type, '/');
    if (out->count == RELATIONS_MAX)
        return vl_fail(b->error, VL_ERR_LIMIT, "%s has more than %d relationships", of,
                       RELATIONS_MAX);
    if (out->count == out->capacity) {
        size_t more = out->capacity ? out->capacity * 2 : 32;
        docx_relation *items = vl_arena_grow(b->arena, out->items, out->count * sizeof *items,
                                             more * sizeof *items);
        if (!items)
            return vl_fail(b->error, VL_ERR_MEMORY, "out of memory");
        out->items = items;
        out->capacity = more;
    }
    docx_relation item = {
        .id = vl_arena_strdup(b->arena, xml_attribute(x, XML_SPACE_NONE, "Id")),
        .type = vl_arena_strdup(b->arena, word ? word + 1 : type),
        .external = !strcmp(xml_attribute(x, XML_SPACE_NONE, "TargetMode"), "External")};
    item.target =
        item.external ? vl_arena_strdup(b->arena, target) : resolve(b->arena, of, target);
    if (!item.id || !item.type || !item.target)
        return vl_fail(b->error, VL_ERR_MEMORY, "out of memory");
    out->items[out->count++] = item;
    return VL_OK;
}

vl_status docx_relations_read(parts_builder *b, const void *bytes, size_t count, const char *of,
                              docx_relations *out) {
    xml x = {0};
    vl_buf text;
    const char *path = relations_path(b->arena, of);
    if (!path)
        return vl_fail(b->error, VL_ERR_MEMORY, "out of memory");
    vl_buf_init(&text, RELATIONS_BYTES);
    vl_status status = package_read(bytes, count, path, &text, b->error);
    if (status == VL_ERR_MISSING) {
        vl_buf_deinit(&text);
        return VL_OK;
    }
    if (!status)
        status = xml_open(&x, &text, path, docx_spaces, b->error);
    xml_inside in = xml_enter(&x);
    while (!status && xml_next(&x, in))
        if (xml_is(&x, DOCX_PKG, "Relationship"))
            status = add_relation(b, &x, of, out);
    status = status ? status : x.status;
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_id);
    xml_close(&x);
    vl_buf_deinit(&text);
    return status;
}

const docx_relation *docx_relation_by_id(const docx_relations *all, const char *id) {
    docx_relation key = {.id = id};
    return all->count ? bsearch(&key, all->items, all->count, sizeof key, by_id) : NULL;
}

const docx_relation *docx_relation_by_type(const docx_relations *all, const char *type) {
    for (size_t i = 0; i < all->count; i++)
        if (!strcmp(all->items[i].type, type))
            return &all->items[i];
    return NULL;
}

/* ---- styles ------------------------------------------------------------------------------ */

void docx_languages(const xml *x, style_languages *languages) {
    parts_declare(languages->western, xml_attribute(x, DOCX_W, "val"));
    parts_declare(languages->asian, xml_attribute(x, DOCX_W, "eastAsia"));
    parts_declare(languages->complex, xml_attribute(x, DOCX_W, "bidi"));
}

static void read_run_properties(xml *x, style *s) {
    xml_inside in = xml_enter(x);
    while (xml_next(x, in))
        if (xml_is(x, DOCX_W, "lang"))
            docx_languages(x, &s->languages);
        else if (xml_is(x, DOCX_W, "vanish"))
            s->hidden = docx_is_on(x);
}

static void read_paragraph_properties(xml *x, style *s) {
    xml_inside in = xml_enter(x);
    while (xml_next(x, in)) {
        if (xml_is(x, DOCX_W, "outlineLvl")) {
            long level = xml_number(x, DOCX_W, "val", 9);
            s->outline = level >= 0 && level < 9 ? (int)level : STYLE_OUTLINE_NONE;
        } else if (xml_is(x, DOCX_W, "numPr")) {
            xml_inside numbering = xml_enter(x);
            while (xml_next(x, numbering))
                if (xml_is(x, DOCX_W, "numId"))
                    s->list = xml_number(x, DOCX_W, "val", 0);
        }
    }
}

static const char *copied(vl_arena *arena, const char *text) {
    return vl_arena_strdup(arena, text);
}

static void take_name(style *s, const char *name) {
    s->kind = style_kind_of(name);
    if (!strncasecmp(name, "heading ", 8) && name[8] >= '1' && name[8] <= '9' && !name[9] &&
        s->outline == STYLE_OUTLINE_UNKNOWN)
        s->outline = name[8] - '1';
}

static vl_status read_style(parts_builder *b, xml *x, styles *all, const char **standard) {
    style s = {.id = copied(b->arena, xml_attribute(x, DOCX_W, "styleId")),
               .parent = "",
               .outline = STYLE_OUTLINE_UNKNOWN,
               .list = STYLE_LIST_UNKNOWN};
    bool usual = *xml_attribute(x, DOCX_W, "default") == '1' ||
                 *xml_attribute(x, DOCX_W, "default") == 't';
    if (usual && !strcmp(xml_attribute(x, DOCX_W, "type"), "paragraph"))
        *standard = s.id;
    xml_inside in = xml_enter(x);
    while (xml_next(x, in)) {
        if (xml_is(x, DOCX_W, "name"))
            take_name(&s, xml_attribute(x, DOCX_W, "val"));
        else if (xml_is(x, DOCX_W, "basedOn"))
            s.parent = copied(b->arena, xml_attribute(x, DOCX_W, "val"));
        else if (xml_is(x, DOCX_W, "rPr"))
            read_run_properties(x, &s);
        else if (xml_is(x, DOCX_W, "pPr"))
            read_paragraph_properties(x, &s);
    }
    if (!s.id || !s.parent)
        return vl_fail(b->error, VL_ERR_MEMORY, "out of memory");
    return styles_add(all, &s, b->error);
}

static void read_defaults(xml *x, style_languages *usual) {
    xml_inside in = xml_enter(x);
    while (xml_next(x, in)) {
        if (xml_is(x, DOCX_W, "lang"))
            docx_languages(x, usual);
        else if (xml_is(x, DOCX_W, "rPrDefault") || xml_is(x, DOCX_W, "rPr"))
            read_defaults(x, usual);
    }
}

vl_status docx_styles_read(parts_builder *b, const vl_buf *text, styles *all,
                           style_languages *usual, const char **standard) {
    xml x = {0};
    vl_status status = xml_open(&x, text, "the part of styles", docx_spaces, b->error);
    xml_inside in = xml_enter(&x);
    while (!status && xml_next(&x, in)) {
        if (xml_is(&x, DOCX_W, "style"))
            status = read_style(b, &x, all, standard);
        else if (xml_is(&x, DOCX_W, "docDefaults"))
            read_defaults(&x, usual);
    }
    status = status ? status : x.status;
    if (!status)
        styles_settle(all);
    xml_close(&x);
    return status;
}
