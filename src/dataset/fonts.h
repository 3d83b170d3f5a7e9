/* fonts.h — the fonts of the machine that serve a script, and which of them are held out.
 *
 * Found through fontconfig; read-only once made, so it may be shared by threads. */
#ifndef VL_DATASET_FONTS_H
#define VL_DATASET_FONTS_H

#include "dataset/dice.h"
#include "dataset/script.h"

#include <fontconfig/fontconfig.h>
#include <pango/pango.h>

typedef struct font_face {
    char *family, *style, *file;
    int index; /* of the face in its file */
    FcCharSet *letters;
    PangoFontDescription *description; /* without a size */
    double weight;                     /* how often it is drawn within its family */
    bool held;
    bool scripts[VL_SCRIPT_COUNT];
} font_face;

typedef struct font_family {
    size_t first, count; /* of font_set.faces */
} font_family;

typedef struct font_set {
    font_face *faces; /* by family, style and file */
    size_t count;
    font_family *families[VL_SCRIPT_COUNT]; /* those that may be drawn */
    double *family_weights[VL_SCRIPT_COUNT];
    size_t family_count[VL_SCRIPT_COUNT];
} font_set;

/* VL_ERR_MISSING: fontconfig knows no font at all. */
vl_status font_set_open(vl_synth_fonts which, font_set *set, vl_error *error);
void font_set_deinit(font_set *set);
/* A family that serves the script, then a face of it; NULL when there is none. */
const font_face *font_draw(const font_set *set, vl_script script, dice *d);
/* Every character but white space and joiners has a glyph. */
bool font_covers(const font_face *face, const char *text);

#endif
