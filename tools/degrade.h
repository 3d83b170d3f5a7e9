/* degrade.h — what scanners, phones and time do to a page; every function is deterministic for
 * its seed. All work in place on 8-bit pictures unless they return a new one (caller frees). */
#ifndef DEGRADE_H
#define DEGRADE_H

#include <vislang/media.h>

/* Three box blurs of `radius` pixels: close to a Gaussian. */
void degrade_blur(vl_image *image, unsigned radius);
/* Sensor noise of standard deviation `sigma` (tones of 255). */
void degrade_noise(vl_image *image, double sigma, uint64_t seed);
/* Paper colour: each channel times its share. Needs RGB. */
void degrade_tint(vl_image *image, double red, double green, double blue);
/* Light falling off from one corner (0 … 3) to `darkest` of full at the other. */
void degrade_light(vl_image *image, unsigned corner, double darkest);
/* `per_million` specks of dark or light, one or two pixels wide. */
void degrade_specks(vl_image *image, unsigned per_million, uint64_t seed);
/* The other side of the sheet shining through, mirrored, with `strength` of its darkness. */
void degrade_bleed(vl_image *image, const vl_image *other_side, double strength);
/* A vertical fold at `share` of the width: a dark line with light around it. */
void degrade_fold(vl_image *image, double share);
/* Ink pressed unevenly: darkness scaled by slow noise down to `least`. */
void degrade_fade(vl_image *image, double least, uint64_t seed);
/* Turned clockwise by a few degrees on paper of `paper` tone. */
vl_image *degrade_skew(const vl_image *image, double degrees, uint8_t paper);
/* Seen from an angle: the top edge narrowed by `top` of the width, the left by `left` of the
 * height, on a table of `table` tone. */
vl_image *degrade_perspective(const vl_image *image, double top, double left, uint8_t table);

#endif
