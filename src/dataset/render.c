/* render.c — see render.h. */
#include "dataset/render.h"

#include <pango/pangocairo.h>
#include <pango/pangofc-font.h>
#include <pango/pangofc-fontmap.h>
#include <hb.h>
#include <stdlib.h>
#include <string.h>

/* One font, opened: a font map of its own that knows this file and no other. Choosing among all
 * the machine's fonts costs fontconfig more than the line costs, at every new size again. */
typedef struct opened {
    const font_face *face;
    uint64_t used; /* when */
    PangoFontMap *map;
    PangoContext *context;
    PangoLayout *layout;
    render_style style; /* that the layout is set up for, spaces apart */
} opened;

enum { OPENED = 4 };
struct renderer {
    opened fonts[OPENED];
    uint64_t clock;
    cairo_font_options_t *options;
};

renderer *renderer_new(void) {
    renderer *r = calloc(1, sizeof *r);
    if (r)
        r->options = cairo_font_options_create();
    return r;
}

static void close_font(opened *o) {
    g_clear_object(&o->layout);
    g_clear_object(&o->context);
    if (o->map) /* or Pango 1.50 would keep the configuration for ever */
        pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(o->map), NULL);
    g_clear_object(&o->map);
    o->face = NULL;
}

void renderer_free(renderer *r) {
    if (!r)
        return;
    for (size_t i = 0; i < OPENED; i++)
        close_font(&r->fonts[i]);
    cairo_font_options_destroy(r->options);
    free(r);
}

/* ---- opening a font ----------------------------------------------------------------- */

/* The folder's cache is read and all but one file refused, so nothing is scanned. */
static FcConfig *config_of(const font_face *face) {
    FcConfig *config = FcConfigCreate();
    char *file = g_markup_escape_text(face->file, -1), *folder = g_path_get_dirname(file);
    char *text = g_strdup_printf("<fontconfig><dir>%s</dir>"
                                 "<cachedir>/var/cache/fontconfig</cachedir>"
                                 "<cachedir prefix=\"xdg\">fontconfig</cachedir><selectfont>"
                                 "<acceptfont><glob>%s</glob></acceptfont>"
                                 "<rejectfont><glob>*</glob></rejectfont>"
                                 "</selectfont></fontconfig>",
                                 folder, file);
    bool built = config &&
                 FcConfigParseAndLoadFromMemory(config, (const FcChar8 *)text, FcFalse) &&
                 FcConfigBuildFonts(config);
    g_free(text);
    g_free(folder);
    g_free(file);
    if (!built && config)
        FcConfigDestroy(config);
    return built ? config : NULL;
}

static bool open_font(opened *o, const font_face *face) {
    FcConfig *config = config_of(face);
    *o = (opened){.face = face};
    if (!config)
        return false;
    o->map = pango_cairo_font_map_new();
    pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(o->map), config);
    FcConfigDestroy(config); /* the map keeps its own reference */
    o->context = pango_font_map_create_context(o->map);
    pango_cairo_context_set_resolution(o->context, 72);
    o->layout = pango_layout_new(o->context);
    pango_layout_set_single_paragraph_mode(o->layout, TRUE);
    pango_layout_set_auto_dir(o->layout, FALSE);
    return true;
}

/* The face where it is open, or in the place of what was longest not used. */
static opened *font_of(renderer *r, const font_face *face) {
    opened *oldest = &r->fonts[0];
    r->clock++;
    for (size_t i = 0; i < OPENED; i++) {
        if (r->fonts[i].face == face && r->fonts[i].map) {
            r->fonts[i].used = r->clock;
            return &r->fonts[i];
        }
        if (r->fonts[i].used < oldest->used)
            oldest = &r->fonts[i];
    }
    close_font(oldest);
    if (!open_font(oldest, face))
        return NULL;
    oldest->used = r->clock;
    return oldest;
}

/* ---- setting up --------------------------------------------------------------------- */

static void set_hinting(const renderer *r, const opened *o, int hinting) {
    static const cairo_hint_style_t styles[] = {CAIRO_HINT_STYLE_NONE, CAIRO_HINT_STYLE_SLIGHT,
                                                CAIRO_HINT_STYLE_FULL};
    cairo_font_options_set_antialias(r->options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(r->options, styles[hinting]);
    cairo_font_options_set_hint_metrics(r->options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(o->context, r->options);
}

static bool is_same(const render_style *a, const render_style *b) {
    return a->face == b->face && a->size == b->size && a->hinting == b->hinting &&
           a->rtl == b->rtl;
}

static void set_style(const renderer *r, opened *o, const render_style *style) {
    if (is_same(&o->style, style))
        return;
    PangoFontDescription *font = pango_font_description_copy(style->face->description);
    set_hinting(r, o, style->hinting);
    pango_context_set_base_dir(o->context,
                               style->rtl ? PANGO_DIRECTION_RTL : PANGO_DIRECTION_LTR);
    pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
    pango_layout_set_font_description(o->layout, font);
    pango_layout_context_changed(o->layout);
    pango_font_description_free(font);
    o->style = *style;
}

static void space_out(PangoAttrList *list, double pixels, size_t first, size_t end) {
    PangoAttribute *attribute = pango_attr_letter_spacing_new((int)(pixels * PANGO_SCALE));
    attribute->start_index = (guint)first;
    attribute->end_index = (guint)end;
    pango_attr_list_change(list, attribute);
}

/* No other font, and letters and words apart as the style says: a space is a letter with room
 * of its own after it. */
static void set_spaces(const opened *o, const render_style *style, const char *text) {
    PangoAttrList *list = pango_attr_list_new();
    size_t count = 0, bytes = strlen(text);
    pango_attr_list_insert(list, pango_attr_fallback_new(FALSE));
    if (style->spacing != 0)
        space_out(list, style->spacing, 0, bytes);
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] != ' ')
            continue;
        double more = style->word_spacing + (count++ == style->gap_at ? style->gap : 0);
        if (more > 0)
            space_out(list, style->spacing + more, i, i + 1);
    }
    pango_layout_set_attributes(o->layout, list);
    pango_attr_list_unref(list);
}

/* ---- is it whole -------------------------------------------------------------------- */

static bool is_face(PangoFont *font, const font_face *face) {
    const FcPattern *pattern =
        PANGO_IS_FC_FONT(font) ? pango_fc_font_get_pattern(PANGO_FC_FONT(font)) : NULL;
    FcChar8 *file = NULL;
    int index = 0;
    return pattern && FcPatternGetString(pattern, FC_FILE, 0, &file) == FcResultMatch &&
           FcPatternGetInteger(pattern, FC_INDEX, 0, &index) == FcResultMatch &&
           index == face->index && !strcmp((const char *)file, face->file);
}

/* HarfBuzz puts a dotted circle where a mark has no letter it can stand on. */
static hb_codepoint_t dotted_circle(PangoFont *font) {
    hb_codepoint_t glyph = 0;
    hb_font_t *hb = pango_font_get_hb_font(font);
    return hb && hb_font_get_nominal_glyph(hb, 0x25CC, &glyph) ? glyph : PANGO_GLYPH_EMPTY;
}

static bool is_whole(const PangoGlyphItem *run, const font_face *face) {
    PangoFont *font = run->item->analysis.font;
    if (!font || !is_face(font, face))
        return false;
    hb_codepoint_t circle = dotted_circle(font);
    for (int i = 0; i < run->glyphs->num_glyphs; i++) {
        PangoGlyph glyph = run->glyphs->glyphs[i].glyph;
        if (glyph == PANGO_GLYPH_EMPTY)
            continue;
        if (glyph == 0 || glyph == circle || (glyph & PANGO_GLYPH_UNKNOWN_FLAG))
            return false;
    }
    return true;
}

static bool layout_is_whole(PangoLayout *layout, const font_face *face) {
    if (pango_layout_get_line_count(layout) != 1)
        return false;
    const PangoLayoutLine *line = pango_layout_get_line_readonly(layout, 0);
    for (const GSList *at = line->runs; at; at = at->next)
        if (!is_whole(at->data, face))
            return false;
    return line->runs != NULL;
}

/* ---- drawing ------------------------------------------------------------------------ */

static vl_image *to_image(cairo_surface_t *surface) {
    vl_image *image = NULL;
    cairo_surface_flush(surface);
    uint32_t width = (uint32_t)cairo_image_surface_get_width(surface);
    uint32_t height = (uint32_t)cairo_image_surface_get_height(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    if (!data || vl_image_new(width, height, 1, &image, NULL))
        return NULL;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            image->pixels[y * image->stride + x] = (uint8_t)(255 - data[y * stride + x]);
    return image;
}

static vl_image *draw(PangoLayout *layout, int width, int height, int x, int y) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, width, height);
    cairo_t *cairo = cairo_create(surface);
    cairo_move_to(cairo, x, y);
    pango_cairo_show_layout(cairo, layout);
    vl_image *image = cairo_status(cairo) == CAIRO_STATUS_SUCCESS ? to_image(surface) : NULL;
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return image;
}

static int least(int a, int b) {
    return a < b ? a : b;
}

static int most(int a, int b) {
    return a > b ? a : b;
}

bool render_line(renderer *r, const render_style *style, const char *language, const char *text,
                 int pad, int max_width, rendered *out) {
    PangoRectangle ink, logical;
    opened *o = font_of(r, style->face);
    if (!o)
        return false;
    set_style(r, o, style);
    pango_context_set_language(o->context, pango_language_from_string(language));
    pango_layout_set_text(o->layout, text, -1);
    set_spaces(o, style, text);
    pango_layout_get_pixel_extents(o->layout, &ink, &logical);
    int left = least(ink.x, logical.x), top = least(ink.y, logical.y);
    int right = most(ink.x + ink.width, logical.x + logical.width);
    int bottom = most(ink.y + ink.height, logical.y + logical.height);
    if (ink.width <= 0 || ink.height <= 0 || right - left > max_width ||
        bottom - top > 8 * style->size || !layout_is_whole(o->layout, style->face))
        return false;
    int x = pad - left, y = pad - top;
    *out = (rendered){
        .image = draw(o->layout, right - left + 2 * pad, bottom - top + 2 * pad, x, y),
        .left = x + ink.x,
        .right = x + ink.x + ink.width,
        .ink_top = y + ink.y,
        .ink_bottom = y + ink.y + ink.height,
        .top = y + logical.y,
        .bottom = y + logical.y + logical.height,
        .baseline = y + PANGO_PIXELS(pango_layout_get_baseline(o->layout)),
    };
    return out->image != NULL;
}
