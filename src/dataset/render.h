/* render.h — one line of text in one font, by Pango, HarfBuzz and cairo.
 *
 * No other font ever steps in: a line that the font cannot set whole is refused. A renderer
 * belongs to one thread. */
#ifndef VL_DATASET_RENDER_H
#define VL_DATASET_RENDER_H

#include "dataset/fonts.h"

typedef struct render_style {
    const font_face *face;
    double size;         /* of the em, in pixels */
    double spacing;      /* between letters, in pixels */
    double word_spacing; /* more between words, in pixels */
    double gap;          /* more at one space, as between columns */
    size_t gap_at;       /* which, from 0 */
    int hinting;         /* 0 none, 1 slight, 2 full */
    bool rtl;            /* of the paragraph the line stands in */
} render_style;

/* Ink on white, with `pad` pixels around it; edges are given in pixels of the image. */
typedef struct rendered {
    vl_image *image; /* grey; the caller's */
    int left, right; /* of the ink */
    int ink_top, ink_bottom;
    int top, bottom; /* of the line as the font spaces it */
    int baseline;
} rendered;

typedef struct renderer renderer;
renderer *renderer_new(void); /* NULL: no memory */
void renderer_free(renderer *r);
/* False, and nothing to free, when the font lacks a glyph or cannot join what the text joins,
 * when there is no ink, or past `max_width`. `language` as in vl_synth_line. */
bool render_line(renderer *r, const render_style *style, const char *language, const char *text,
                 int pad, int max_width, rendered *out);

#endif
