/* degrade.h — what printers, scanners, phones and time do to a page or a line.
 *
 * Every function is deterministic: what is random comes from its seed. They work in place on
 * 8-bit pictures of one or three channels and keep the size, unless they return a new picture
 * (the caller's; NULL: no memory). Tones are 0 black … 255 white.
 *
 * In degrade.c: ink and paper, light, lens and sensor, files. In degrade_shape.c: geometry. */
#ifndef VL_DATASET_DEGRADE_H
#define VL_DATASET_DEGRADE_H

#include <vislang/media.h>

/* ---- ink and paper ------------------------------------------------------------------ */

/* Ink pressed unevenly: darkness scaled by slow noise down to `least`. */
void degrade_fade(vl_image *image, double least, uint64_t seed);
/* Ink runs, or wears off: each pixel goes `share` (0 … 1) of the way to the darkest, or the
 * lightest, of the nine around it. */
void degrade_thicken(vl_image *image, double share);
void degrade_thin(vl_image *image, double share);
/* Paper colour: each channel times its share; of a grey picture the first. */
void degrade_tint(vl_image *image, double red, double green, double blue);
/* Fibres and stains: light varies by at most `strength` tones, slowly and from pixel to pixel.
 */
void degrade_paper(vl_image *image, double strength, uint64_t seed);
/* Tones pressed together: white becomes `white`, black `black`. */
void degrade_contrast(vl_image *image, uint8_t black, uint8_t white);
/* White on black. */
void degrade_invert(vl_image *image);
/* The other side of the sheet shining through, mirrored, with `strength` of its darkness. */
void degrade_bleed(vl_image *image, const vl_image *other_side, double strength);
/* What else is printed there, its left top corner at (x, y): the darker tone stays. */
void degrade_overlay(vl_image *image, const vl_image *other, int x, int y);
/* A vertical fold at `share` of the width: a dark line with light around it. */
void degrade_fold(vl_image *image, double share);
/* A ruled line or an underline at height `y`, `thickness` pixels, from `left` to `right`,
 * `rise` pixels higher at its end. `dash` pixels drawn and left out in turn; 0: unbroken. */
typedef struct degrade_ruler {
    double left, right, y, thickness, rise, dash;
    uint8_t tone;
} degrade_ruler;
void degrade_rule(vl_image *image, const degrade_ruler *ruler);
/* Part of a rubber stamp: a ring and bars in `tone`, uneven, over the text. */
void degrade_stamp(vl_image *image, uint8_t tone, uint64_t seed);
/* A thumb's or a drop's mark: soft spots up to `strength` tones darker. */
void degrade_smudge(vl_image *image, double strength, uint64_t seed);
/* `per_million` specks of dark or light, one or two pixels wide. */
void degrade_specks(vl_image *image, unsigned per_million, uint64_t seed);

/* ---- light, lens and sensor --------------------------------------------------------- */

/* Light falling off from one corner (0 … 3) to `darkest` of full at the other. */
void degrade_light(vl_image *image, unsigned corner, double darkest);
/* Three box blurs of `radius` pixels: close to a Gaussian of variance radius² + radius. */
void degrade_blur(vl_image *image, unsigned radius);
/* Half-pixel blur: each pixel `share` (0 … 1) of the way to the mean of the nine around it. */
void degrade_soften(vl_image *image, double share);
/* A hand that moved: the mean along a line of `length` pixels at `degrees`. */
void degrade_motion(vl_image *image, double length, double degrees);
/* Sensor noise of standard deviation `sigma` (tones). */
void degrade_noise(vl_image *image, double sigma, uint64_t seed);
/* A `share` of the pixels black or white: salt and pepper. */
void degrade_salt(vl_image *image, double share, uint64_t seed);
/* Taken with 1 / `factor` of the pixels, and enlarged again. */
vl_status degrade_resolution(vl_image *image, double factor, vl_error *error);

/* ---- files -------------------------------------------------------------------------- */

/* 1 bit a pixel: a tone under `threshold` is black, any other white. */
void degrade_fax(vl_image *image, uint8_t threshold);
/* Through JPEG of quality 1 … 100 and back. */
vl_status degrade_jpeg(vl_image *image, int quality, vl_error *error);

/* ---- geometry ----------------------------------------------------------------------- */

/* Turned clockwise by a few degrees on paper of `paper` tone. */
vl_image *degrade_skew(const vl_image *image, double degrees, uint8_t paper);
/* Seen from an angle: the top edge narrowed by `top` of the width, the left by `left` of the
 * height (negative: the bottom edge, the right), on a table of `table` tone. */
vl_image *degrade_perspective(const vl_image *image, double top, double left, uint8_t table);
/* The baseline bent: rows shifted by `height` pixels along `waves` of a sine from `phase` of a
 * turn on. Half a wave is the belly of an open book. */
vl_image *degrade_curve(const vl_image *image, double height, double waves, double phase,
                        uint8_t paper);
/* Letters leaning by `degrees`, to the right when positive; the middle row stays. */
vl_image *degrade_slant(const vl_image *image, double degrees, uint8_t paper);
/* The part from (left, top) on; what lies outside is of `paper` tone. */
vl_image *degrade_crop(const vl_image *image, int left, int top, uint32_t width,
                       uint32_t height, uint8_t paper);

#endif
