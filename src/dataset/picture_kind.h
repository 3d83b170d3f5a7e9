/* picture_kind.h — whether a picture that no words tell the kind of is a photograph.
 *
 * Thread-safe. */
#ifndef VL_DATASET_PICTURE_KIND_H
#define VL_DATASET_PICTURE_KIND_H

#include <vislang/dataset.h>

/* `said`, but for a FIGURE that looks like a photograph: then PHOTOGRAPH. `image` is as it was
 * decoded, before any scaling, which rounds edges and noise off; NULL: nothing to look at. */
vl_part_kind picture_kind_of(const vl_image *image, vl_part_kind said);

#endif
