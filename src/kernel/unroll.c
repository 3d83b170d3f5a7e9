/* unroll.c — pictures as rows of patches and back, for convolutions as products of matrices. */
#include <vislang/kernel.h>

#include <string.h>

/* Calls for each run of `channels` numbers: where it lies in the picture (NULL: padding) and in
 * the unrolled patches. */
static void walk(const vl_conv *c, vl_real *picture, vl_real *patches, bool back) {
    const vl_kernels *kernels = vl_kernels_get();
    const vl_window *w = &c->window;
    size_t places_y = vl_window_places(c->height, w->size_y, w->stride_y, w->pad_y);
    size_t places_x = vl_window_places(c->width, w->size_x, w->stride_x, w->pad_x);
    for (size_t oy = 0; oy < places_y; oy++)
        for (size_t ox = 0; ox < places_x; ox++)
            for (size_t ky = 0; ky < w->size_y; ky++)
                for (size_t kx = 0; kx < w->size_x; kx++, patches += c->channels) {
                    size_t y = oy * w->stride_y + ky - w->pad_y;
                    size_t x = ox * w->stride_x + kx - w->pad_x;
                    bool inside = y < c->height && x < c->width; /* below zero wraps */
                    vl_real *at = inside ? picture + (y * c->width + x) * c->channels : NULL;
                    if (back && inside)
                        kernels->add(at, patches, c->channels);
                    else if (!back && inside)
                        memcpy(patches, at, c->channels * sizeof *patches);
                    else if (!back)
                        memset(patches, 0, c->channels * sizeof *patches);
                }
}

static void walk_all(const vl_conv *c, vl_real *x, vl_real *patches, bool back) {
    size_t picture = c->height * c->width * c->channels,
           count = c->batch ? vl_conv_patches(c) / c->batch : 0;
    for (size_t b = 0; b < c->batch; b++)
        walk(c, x + b * picture, patches + b * count, back);
}

size_t vl_conv_patches(const vl_conv *c) {
    const vl_window *w = &c->window;
    return c->batch * vl_window_places(c->height, w->size_y, w->stride_y, w->pad_y) *
           vl_window_places(c->width, w->size_x, w->stride_x, w->pad_x) * w->size_y *
           w->size_x * c->channels;
}

void vl_conv_unroll(const vl_conv *c, const vl_real *x, vl_real *patches) {
    walk_all(c, (vl_real *)x, patches, false);
}

void vl_conv_roll(const vl_conv *c, const vl_real *patches, vl_real *dx) {
    walk_all(c, dx, (vl_real *)patches, true);
}
