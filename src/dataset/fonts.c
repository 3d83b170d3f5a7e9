/* fonts.c — see fonts.h. */
#include "dataset/fonts.h"

#include <hb.h>
#include <math.h>
#include <pango/pangofc-fontmap.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

/* ---- one face ----------------------------------------------------------------------- */

bool font_covers(const font_face *face, const char *text) {
    int32_t bytes = (int32_t)strlen(text);
    for (int32_t at = 0; at < bytes;) {
        UChar32 code;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, code);
        if (code != ' ' && code != 0x200C && code != 0x200D &&
            !FcCharSetHasChar(face->letters, (FcChar32)code))
            return false;
    }
    return true;
}

static const char *string_of(const FcPattern *pattern, const char *object) {
    FcChar8 *text = NULL;
    return FcPatternGetString(pattern, object, 0, &text) == FcResultMatch ? (const char *)text
                                                                          : NULL;
}

static bool flag_of(const FcPattern *pattern, const char *object) {
    FcBool flag = FcFalse;
    return FcPatternGetBool(pattern, object, 0, &flag) == FcResultMatch && flag;
}

/* Type 1 fonts are not shaped any more, colour and variable ones are not one shape. */
static bool is_usable(const FcPattern *pattern) {
    const char *format = string_of(pattern, FC_FONTFORMAT);
    return string_of(pattern, FC_FAMILY) && string_of(pattern, FC_FILE) && format &&
           (!strcmp(format, "TrueType") || !strcmp(format, "CFF")) &&
           !flag_of(pattern, FC_COLOR) && !flag_of(pattern, FC_SYMBOL) &&
           !flag_of(pattern, FC_VARIABLE);
}

static double number_of(const FcPattern *pattern, const char *object, double otherwise) {
    double number = otherwise;
    return FcPatternGetDouble(pattern, object, 0, &number) == FcResultMatch ? number
                                                                            : otherwise;
}

/* Text is mostly set upright in regular, then bold, then italic; hairlines are rare. */
static double weight_of(const FcPattern *pattern) {
    double weight = number_of(pattern, FC_WEIGHT, FC_WEIGHT_REGULAR);
    double width = number_of(pattern, FC_WIDTH, FC_WIDTH_NORMAL);
    double slant = number_of(pattern, FC_SLANT, FC_SLANT_ROMAN);
    double often = weight < FC_WEIGHT_LIGHT      ? 0.1
                   : weight == FC_WEIGHT_REGULAR ? 6
                   : weight == FC_WEIGHT_BOLD    ? 3
                                                 : 0.6;
    return often * (width == FC_WIDTH_NORMAL ? 1 : 0.25) * (slant == FC_SLANT_ROMAN ? 1 : 0.4);
}

/* Shapes `text` and says whether anything came of it but each character's own glyph. */
static bool joins(hb_font_t *font, const char *text, const char *language) {
    size_t width = strlen(text) / 3;
    bool same = !memcmp(text, text + width, width); /* one letter in its three forms */
    hb_buffer_t *buffer = hb_buffer_create();
    hb_buffer_add_utf8(buffer, text, -1, 0, -1);
    hb_buffer_set_language(buffer, hb_language_from_string(language, -1));
    hb_buffer_guess_segment_properties(buffer);
    hb_shape(font, buffer, NULL, 0);
    unsigned count = 0, alone = 0;
    const hb_glyph_info_t *glyphs = hb_buffer_get_glyph_infos(buffer, &count);
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = i + 1; k < count; k++)
            alone += glyphs[i].codepoint != glyphs[k].codepoint;
    hb_buffer_destroy(buffer);
    return count > 0 && (count < 3 || (same && alone > 0));
}

/* Fonts of before OpenType have the letters of a script and not its conjuncts. */
static void drop_unjoined(font_face *face) {
    hb_blob_t *blob = hb_blob_create_from_file(face->file);
    hb_face_t *hb_face = hb_face_create(blob, (unsigned)face->index & 0xFFFF);
    hb_font_t *font = hb_font_create(hb_face);
    for (size_t i = 0; i < VL_SCRIPT_COUNT; i++)
        if (face->scripts[i] && script_kinds[i].joint)
            face->scripts[i] = joins(font, script_kinds[i].joint, script_kinds[i].language);
    hb_font_destroy(font);
    hb_face_destroy(hb_face);
    hb_blob_destroy(blob);
}

static bool fill_face(const FcPattern *pattern, font_face *face) {
    FcCharSet *letters = NULL;
    const char *style = string_of(pattern, FC_STYLE);
    bool serves = false;
    *face = (font_face){0};
    if (!is_usable(pattern) ||
        FcPatternGetCharSet(pattern, FC_CHARSET, 0, &letters) != FcResultMatch)
        return false;
    face->letters = FcCharSetCopy(letters);
    bool joined = false;
    for (size_t i = 0; i < VL_SCRIPT_COUNT; i++) {
        face->scripts[i] = font_covers(face, script_kinds[i].core);
        joined |= face->scripts[i] && script_kinds[i].joint;
    }
    face->family = strdup(string_of(pattern, FC_FAMILY));
    face->style = strdup(style ? style : "Regular");
    face->file = strdup(string_of(pattern, FC_FILE));
    face->description =
        pango_fc_font_description_from_pattern((FcPattern *)(uintptr_t)pattern, FALSE);
    face->weight = weight_of(pattern);
    FcPatternGetInteger(pattern, FC_INDEX, 0, &face->index);
    if (joined && face->file)
        drop_unjoined(face);
    for (size_t i = 0; i < VL_SCRIPT_COUNT; i++)
        serves |= face->scripts[i];
    return serves && face->family && face->style && face->file && face->description;
}

static void face_deinit(font_face *face) {
    free(face->family);
    free(face->style);
    free(face->file);
    if (face->letters)
        FcCharSetDestroy(face->letters);
    if (face->description)
        pango_font_description_free(face->description);
    *face = (font_face){0};
}

/* ---- all of them -------------------------------------------------------------------- */

static int by_name(const void *x, const void *y) {
    const font_face *a = x, *b = y;
    int order = strcmp(a->family, b->family);
    if (!order)
        order = strcmp(a->style, b->style);
    return order ? order : strcmp(a->file, b->file);
}

static vl_status list_faces(font_set *set, vl_error *error) {
    FcPattern *pattern = FcPatternBuild(NULL, FC_SCALABLE, FcTypeBool, FcTrue, (char *)NULL);
    FcObjectSet *objects = FcObjectSetBuild(FC_FAMILY, FC_STYLE, FC_FILE, FC_INDEX, FC_CHARSET,
                                            FC_FONTFORMAT, FC_COLOR, FC_SYMBOL, FC_VARIABLE,
                                            FC_WEIGHT, FC_WIDTH, FC_SLANT, (char *)NULL);
    FcFontSet *found = pattern && objects ? FcFontList(NULL, pattern, objects) : NULL;
    vl_status status = VL_OK;
    if (!found || !found->nfont)
        status = vl_fail(error, VL_ERR_MISSING,
                         "fontconfig knows no fonts: install some (scripts/deps.sh --train)");
    else if (!(set->faces = calloc((size_t)found->nfont, sizeof *set->faces)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for the fonts");
    for (int i = 0; !status && i < found->nfont; i++)
        if (fill_face(found->fonts[i], &set->faces[set->count]))
            set->count++;
        else
            face_deinit(&set->faces[set->count]);
    if (found)
        FcFontSetDestroy(found);
    if (objects)
        FcObjectSetDestroy(objects);
    if (pattern)
        FcPatternDestroy(pattern);
    if (!status)
        qsort(set->faces, set->count, sizeof *set->faces, by_name);
    return status;
}

static size_t family_end(const font_set *set, size_t first) {
    size_t end = first + 1;
    while (end < set->count && !strcmp(set->faces[end].family, set->faces[first].family))
        end++;
    return end;
}

/* "Noto Sans Khmer UI" is "Noto Sans Khmer" with other line gaps: both or neither are held. */
static uint64_t family_hash(const char *family) {
    char name[256];
    size_t length = strnlen(family, sizeof name - 1);
    if (length > 3 && !strcmp(family + length - 3, " UI"))
        length -= 3;
    memcpy(name, family, length);
    name[length] = '\0';
    return dice_hash(name);
}

static bool family_serves(const font_set *set, size_t first, size_t end, size_t script) {
    for (size_t i = first; i < end; i++)
        if (set->faces[i].scripts[script])
            return true;
    return false;
}

static void hold(font_set *set, uint64_t hash) {
    for (size_t i = 0; i < set->count; i++)
        set->faces[i].held |= family_hash(set->faces[i].family) == hash;
}

/* Of a script that has three families and none held: that of the lowest hash. */
static void hold_one(font_set *set, size_t script) {
    uint64_t lowest = UINT64_MAX;
    size_t families = 0;
    bool held = false;
    for (size_t at = 0, end; at < set->count; at = end) {
        end = family_end(set, at);
        if (!family_serves(set, at, end, script))
            continue;
        uint64_t hash = family_hash(set->faces[at].family);
        lowest = hash < lowest ? hash : lowest;
        held |= set->faces[at].held;
        families++;
    }
    if (families >= 3 && !held)
        hold(set, lowest);
}

static bool is_wanted(const font_face *face, vl_synth_fonts which) {
    return which == VL_SYNTH_FONTS_ALL || face->held == (which == VL_SYNTH_FONTS_HELD);
}

/* "Noto Sans Mono" and "Noto Serif" come from one house. */
static bool same_house(const char *a, const char *b) {
    size_t length = strcspn(a, " ");
    return length == strcspn(b, " ") && !strncmp(a, b, length);
}

/* A house of many families counts as the root of their number; families of a fuller set of
 * letters are those that books and newspapers are set in. */
static void weigh_families(font_set *set, size_t script) {
    const char *fuller = script_kinds[script].fuller;
    for (size_t i = 0; i < set->family_count[script]; i++) {
        const font_face *face = &set->faces[set->families[script][i].first];
        double house = 0;
        for (size_t k = 0; k < set->family_count[script]; k++)
            house +=
                same_house(face->family, set->faces[set->families[script][k].first].family);
        set->family_weights[script][i] =
            1 / sqrt(house) * (fuller && font_covers(face, fuller) ? 3 : 1);
    }
}

static vl_status list_families(font_set *set, size_t script, vl_synth_fonts which,
                               vl_error *error) {
    set->families[script] = calloc(set->count + 1, sizeof *set->families[script]);
    set->family_weights[script] = calloc(set->count + 1, sizeof *set->family_weights[script]);
    if (!set->families[script] || !set->family_weights[script])
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the fonts");
    for (size_t at = 0, end; at < set->count; at = end) {
        end = family_end(set, at);
        if (family_serves(set, at, end, script) && is_wanted(&set->faces[at], which))
            set->families[script][set->family_count[script]++] = (font_family){at, end - at};
    }
    weigh_families(set, script);
    return VL_OK;
}

vl_status font_set_open(vl_synth_fonts which, font_set *set, vl_error *error) {
    *set = (font_set){0};
    vl_status status = list_faces(set, error);
    for (size_t i = 0; i < set->count; i++)
        set->faces[i].held = family_hash(set->faces[i].family) % 10 == 0;
    for (size_t i = 0; i < VL_SCRIPT_COUNT && !status; i++)
        hold_one(set, i);
    for (size_t i = 0; i < VL_SCRIPT_COUNT && !status; i++)
        status = list_families(set, i, which, error);
    if (status)
        font_set_deinit(set);
    return status;
}

void font_set_deinit(font_set *set) {
    for (size_t i = 0; i < set->count; i++)
        face_deinit(&set->faces[i]);
    for (size_t i = 0; i < VL_SCRIPT_COUNT; i++) {
        free(set->families[i]);
        free(set->family_weights[i]);
    }
    free(set->faces);
    *set = (font_set){0};
}

const font_face *font_draw(const font_set *set, vl_script script, dice *d) {
    enum { MAX_FACES = 256 };
    double weights[MAX_FACES];
    if (!set->family_count[script])
        return NULL;
    const font_family *family = &set->families[script][dice_weighted(
        d, set->family_weights[script], set->family_count[script])];
    size_t count = family->count < MAX_FACES ? family->count : MAX_FACES;
    for (size_t i = 0; i < count; i++) {
        const font_face *face = &set->faces[family->first + i];
        weights[i] = face->scripts[script] ? face->weight : 0;
    }
    return &set->faces[family->first + dice_weighted(d, weights, count)];
}

vl_status vl_synth_fonts_list(vl_synth_font_fn give, void *user, vl_error *error) {
    font_set set;
    vl_status status = font_set_open(VL_SYNTH_FONTS_ALL, &set, error);
    if (status)
        return status;
    for (size_t i = 0; i < set.count; i++) {
        const font_face *face = &set.faces[i];
        vl_synth_font font = {face->family, face->style, face->file, face->held, {0}};
        memcpy(font.scripts, face->scripts, sizeof font.scripts);
        give(&font, user);
    }
    font_set_deinit(&set);
    return VL_OK;
}
