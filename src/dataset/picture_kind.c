/* picture_kind.c — photographs and what is drawn (picture_kind.h).
 *
 * vl_picture_look_at tells pages from photographs, and takes a chart in many colours for one of
 * those. What is drawn has areas of one colour each: most of its pixels are as those next to
 * them, where a camera's noise leaves few that are. Of 453 photographs (flickr8k and pictures
 * of crises; not the one that looks like a page) none has over 0.66 of its pixels within EVEN
 * of their neighbours and over 0.42 the same as those; one enlarged to twice its size has 0.74
 * and 0.43. Drawn pictures that we looked at have from 0.76 and 0.53 on, and bars on a shaded
 * ground, out of JPEG, 0.71 and 0.47: there the margin is thin. */
#include "dataset/picture_kind.h"

#include <vislang/media.h>

#include <stdlib.h>

enum {
    EVEN = 2,       /* steps of a channel */
    SAMPLES = 512,  /* along the longer side */
    SIDE_LEAST = 32 /* fewer pixels tell nothing */
};
static const double EVEN_SHARE = 0.7, SAME_SHARE = 0.45;

/* The largest step to the pixels at the right and below. */
static int step_at(const vl_image *image, uint32_t x, uint32_t y) {
    const uint8_t *p = image->pixels + y * image->stride + (size_t)x * image->channels;
    int most = 0;
    for (uint32_t c = 0; c < image->channels; c++) {
        int right = abs(p[c] - p[c + image->channels]),
            below = abs(p[c] - p[c + image->stride]);
        most = right > most ? right : most;
        most = below > most ? below : most;
    }
    return most;
}

static bool is_drawn(const vl_image *image) {
    const uint32_t longer = image->width > image->height ? image->width : image->height,
                   apart = 1 + longer / SAMPLES;
    size_t even = 0, same = 0, all = 0;
    for (uint32_t y = 0; y + 1 < image->height; y += apart)
        for (uint32_t x = 0; x + 1 < image->width; x += apart) {
            int step = step_at(image, x, y);
            even += step <= EVEN;
            same += step == 0;
            all++;
        }
    return (double)even >= EVEN_SHARE * (double)all && (double)same >= SAME_SHARE * (double)all;
}

vl_part_kind picture_kind_of(const vl_image *image, vl_part_kind said) {
    vl_picture_look look;
    if (said != VL_PART_FIGURE || !image || image->width < SIDE_LEAST ||
        image->height < SIDE_LEAST || is_drawn(image) ||
        vl_picture_look_at(image, &look, NULL) || look.kind != VL_PICTURE_PHOTO)
        return said;
    return VL_PART_PHOTOGRAPH;
}
