/* look.h — what is measured of a picture before it is called a page or a photograph. */
#ifndef VISLANG_MEDIA_LOOK_H
#define VISLANG_MEDIA_LOOK_H

#include <vislang/media.h>

/* All from 0 to about 1; doubles only, so that the features can be read as a vector. */
typedef struct vl_picture_features {
    double brightness, contrast;
    double main_tone_share; /* pixels within 16 tones of the commonest */
    double entropy;         /* of the tones, of 8 bits */
    double sharpness;       /* spread of the Laplacian */
    double strong_edge_share, flat_share;
    double stroked_tile_share; /* tiles that are light with thin dark strokes */
    double even_share;         /* pixels near their tile's paper tone */
    double ink_share;          /* dark pixels in stroked tiles */
    double colour_spread, colourfulness;
} vl_picture_features;

enum { VL_PICTURE_FEATURES = sizeof(vl_picture_features) / sizeof(double) };

/* `look` may be NULL; only its colours are filled. */
vl_status vl_picture_measure(const vl_image *image, vl_picture_features *features,
                             vl_picture_look *look, vl_error *error);

#endif
