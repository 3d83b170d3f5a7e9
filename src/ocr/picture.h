/* picture.h — the page picture as the reading sees it: turned, deskewed, scaled, dark on light.
 *
 * Two pictures go together: `upright` is what the boxes of the page refer to; `work` is what
 * the engine gets (grey where the page is, dark on light, letters of a height the engine reads
 * well), `scale` times as large.
 *
 * Ownership: a picture owns its pixes (vl_ocr_picture_deinit). */
#ifndef VL_OCR_PICTURE_H
#define VL_OCR_PICTURE_H

#include <vislang/ocr.h>

struct Pix;

/* What the pixels say before any engine looks. Lengths in pixels of the picture surveyed. */
typedef struct vl_ocr_survey {
    double letter_height; /* median height of letter-like marks; 0: none */
    size_t letters;       /* how many */
    double skew;          /* degrees clockwise that would undo it; 0: straight or not known */
    bool light_on_dark;
    bool single_line;
    vl_box *marks; /* connected dark marks, from the top (in the arena) */
    size_t mark_count;
} vl_ocr_survey;

typedef struct vl_ocr_picture {
    struct Pix *upright, *work;
    double scale; /* work pixels per upright pixel */
    double dpi;   /* of upright; 0: not known */
    int rotation;
    double skew;
    int work_dpi;         /* what to tell the engine; 0: let it estimate */
    vl_ocr_survey survey; /* of the upright picture */
    const char *cleanup;  /* what was done to work on top of that (cleanup.h); NULL: nothing */
} vl_ocr_picture;

/* Turns `image` clockwise by `rotation` and makes it ready for an engine. With `deskew`, a
 * measured skew is undone. `max_side` > 0: work is at most that large. */
vl_status vl_ocr_picture_init(vl_ocr_picture *picture, const vl_image *image, int rotation,
                              bool deskew, uint32_t max_side, vl_arena *arena, vl_error *error);
void vl_ocr_picture_deinit(vl_ocr_picture *picture);
/* A box of `work` in pixels of `upright`. */
vl_box vl_ocr_picture_box(const vl_ocr_picture *picture, vl_box work_box);
/* The upright picture as an image (caller frees), in the colours of `original`, which it was
 * made from. */
vl_status vl_ocr_picture_image(const vl_ocr_picture *picture, const vl_image *original,
                               vl_image **image, vl_error *error);
/* Up to `max` of `lines` cut out of `work` and stacked on white, the longest text-like ones
 * first. NULL: none or no memory. The caller destroys it. */
struct Pix *vl_ocr_picture_samples(const vl_ocr_picture *picture, const vl_box *lines,
                                   size_t count, size_t max);

#endif
