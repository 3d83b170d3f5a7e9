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

#endif
