/* augment.h — a picture as a training step sees it: cropped, mirrored, recoloured. */
#ifndef TRAIN_AUGMENT_H
#define TRAIN_AUGMENT_H

#include <vislang/media.h>

typedef struct augmentation {
    bool flip;     /* mirror it (decided by the caller, who knows the text) */
    double crop;   /* least share of the area a crop keeps; 1: the whole picture */
    double colour; /* strength of brightness, contrast, saturation changes */
    bool erase;    /* grey out a rectangle */
} augmentation;

/* RGB picture → out [side,side,3], (value/255 − 0.5)/0.25. `random` is the state of splitmix64,
 * moved on. VL_ERR_MEMORY. */
vl_status augment_picture(const vl_image *image, const augmentation *how, size_t side,
                          uint64_t *random, float *out, vl_error *error);

/* A line as it might have been cut, held and printed: drawn wider or narrower, moved and scaled
 * in its height, slanted; what lies outside is the nearest pixel. `strength` 0 … 1; the caller
 * frees `out`. */
vl_status augment_line(const vl_image *line, double strength, uint64_t *random, vl_image **out,
                       vl_error *error);
/* And as it might have been seen: contrast, paler or darker ink, blur, noise. `columns`
 * [width,48] as vl_reader_prepare makes them. */
void augment_ink(float *columns, size_t width, double strength, uint64_t *random);

#endif
