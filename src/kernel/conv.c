/* conv.c — convolutions over [batch, height, width, channels], through oneDNN.
 *
 * Pictures are handed over as they lie. Weights lie in memory as kernel.h says and go through a
 * reorder into the layout that the primitive prefers (and back, for their gradients), which
 * costs little: they are small beside pictures. With bf16 the pictures are rounded by our own
 * kernel, the weights by the reorder; sums are f32. oneDNN's ways back overwrite, so gradients
 * are computed in scratch memory of the thread and added from there. */
#include <vislang/kernel.h>

#include <string.h>

typedef enum direction { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS } direction;

static size_t places_y(const vl_conv *c) {
    return vl_window_places(c->height, c->window.size_y, c->window.stride_y, c->window.pad_y);
}

static size_t places_x(const vl_conv *c) {
    return vl_window_places(c->width, c->window.size_x, c->window.stride_x, c->window.pad_x);
}

static bool one_filter_a_channel(const vl_conv *c) {
    return c->groups == c->channels && c->groups == c->outputs;
}

static size_t count_y(const vl_conv *c) {
    return c->batch * places_y(c) * places_x(c) * c->outputs;
}

/* ---- plain loops ---------------------------------------------------------------------- */

/* One tap of the window at one place: x and y are the rows of the two pixels, w the tap's
 * weights of output 0. */
static void plain_tap(const vl_conv *c, direction way, vl_real *x, vl_real *y, vl_real *w) {
    size_t in = c->channels / c->groups, out = c->outputs / c->groups;
    size_t step = one_filter_a_channel(c) ? 1 : c->window.size_y * c->window.size_x * in;
    for (size_t o = 0; o < c->outputs; o++, w += step) {
        vl_real *from = x + o / out * in;
        for (size_t i = 0; i < in; i++)
            if (way == FORWARD)
                y[o] += w[i] * from[i];
            else if (way == BACKWARD_DATA)
                from[i] += w[i] * y[o];
            else
                w[i] += y[o] * from[i];
    }
}

/* Adds to y, x or w, by `way`; the other two are only read. */
static void plain(const vl_conv *c, direction way, vl_real *x, vl_real *y, vl_real *w) {
    const vl_window *window = &c->window;
    size_t in = c->channels / c->groups;
    for (size_t b = 0; b < c->batch; b++, x += c->height * c->width * c->channels)
        for (size_t oy = 0; oy < places_y(c); oy++)
            for (size_t ox = 0; ox < places_x(c); ox++, y += c->outputs)
                for (size_t ky = 0; ky < window->size_y; ky++)
                    for (size_t kx = 0; kx < window->size_x; kx++) {
                        size_t at_y = oy * window->stride_y + ky - window->pad_y;
                        size_t at_x = ox * window->stride_x + kx - window->pad_x;
                        if (at_y >= c->height || at_x >= c->width) /* below zero wraps */
                            continue;
                        size_t tap = ky * window->size_x + kx;
                        plain_tap(c, way, x + (at_y * c->width + at_x) * c->channels, y,
                                  w + tap * (one_filter_a_channel(c) ? c->channels : in));
                    }
}

static void plain_forward(const vl_conv *c, const vl_real *x, const vl_real *weight,
                          const vl_real *bias, vl_real *y) {
    memset(y, 0, count_y(c) * sizeof *y);
    if (bias)
        vl_kernels_get()->add_bias(y, bias, count_y(c) / c->outputs, c->outputs);
    plain(c, FORWARD, (vl_real *)x, y, (vl_real *)weight);
}

#ifdef VL_REAL_DOUBLE

void vl_conv_run(const vl_conv *c, const vl_real *x, const vl_real *weight, const vl_real *bias,
                 vl_real *y) {
    plain_forward(c, x, weight, bias, y);
}

void vl_conv_backward_data(const vl_conv *c, const vl_real *dy, const vl_real *weight,
                           vl_real *dx) {
    plain(c, BACKWARD_DATA, dx, (vl_real *)dy, (vl_real *)weight);
}

void vl_conv_backward_weights(const vl_conv *c, const vl_real *dy, const vl_real *x,
                              vl_real *dweight) {
    plain(c, BACKWARD_WEIGHTS, (vl_real *)x, (vl_real *)dy, dweight);
}

#else

#include "kernel/onednn.h"

enum { SMALL = 2048 }; /* multiplications */

static size_t count_x(const vl_conv *c) {
    return c->batch * c->height * c->width * c->channels;
}

/* ---- primitives ----------------------------------------------------------------------- */

enum { CONVOLVE, REORDER };              /* the steps of an item */
enum { X, Y, WEIGHTS, PREFERRED, BIAS }; /* its memories; WEIGHTS as they lie */

typedef struct problem {
    const vl_conv *conv;
    direction way;
    bool bf16, bias;
} problem;

static dnnl_dim_t dim(size_t n) {
    return (dnnl_dim_t)n;
}

/* [batch, height, width, channels] as it lies; oneDNN names dimensions batch, channels, height,
 * width. */
static bool describe_picture(dnnl_memory_desc_t *desc, size_t batch, size_t height,
                             size_t width, size_t channels, dnnl_data_type_t type) {
    dnnl_dims_t dims = {dim(batch), dim(channels), dim(height), dim(width)};
    return dnnl_memory_desc_init_by_tag(desc, 4, dims, type, dnnl_nhwc) == dnnl_success;
}

/* Dimensions of weights are groups (when there are), outputs and channels of a group, height,
 * width; strides NULL: as the primitive prefers. */
static bool describe_weights(dnnl_memory_desc_t *desc, const vl_conv *c, bool as_they_lie,
                             dnnl_data_type_t type) {
    size_t in = c->channels / c->groups, out = c->outputs / c->groups;
    size_t columns = c->window.size_x, taps = c->window.size_y * columns;
    dnnl_dims_t dims = {dim(c->groups), dim(out), dim(in), dim(c->window.size_y), dim(columns)};
    dnnl_dims_t lie = {dim(out * taps * in), dim(taps * in), 1, dim(columns * in), dim(in)};
    if (one_filter_a_channel(c)) {
        lie[0] = 1;
        lie[1] = lie[2] = dim(c->channels);
        lie[3] = dim(columns * c->channels);
        lie[4] = dim(c->channels);
    }
    int skip = c->groups == 1;
    if (as_they_lie)
        return dnnl_memory_desc_init_by_strides(desc, 5 - skip, dims + skip, type,
                                                lie + skip) == dnnl_success;
    return dnnl_memory_desc_init_by_tag(desc, 5 - skip, dims + skip, type,
                                        dnnl_format_tag_any) == dnnl_success;
}

static dnnl_status_t describe_conv(dnnl_convolution_desc_t *desc, const problem *p,
                                   const dnnl_memory_desc_t *x, const dnnl_memory_desc_t *w,
                                   const dnnl_memory_desc_t *bias,
                                   const dnnl_memory_desc_t *y) {
    const vl_window *window = &p->conv->window;
    dnnl_dims_t strides = {dim(window->stride_y), dim(window->stride_x)};
    dnnl_dims_t pad = {dim(window->pad_y), dim(window->pad_x)};
    if (p->way == FORWARD)
        return dnnl_convolution_forward_desc_init(desc, dnnl_forward_training,
                                                  dnnl_convolution_direct, x, w,
                                                  p->bias ? bias : NULL, y, strides, pad, pad);
    if (p->way == BACKWARD_DATA)
        return dnnl_convolution_backward_data_desc_init(desc, dnnl_convolution_direct, x, w, y,
                                                        strides, pad, pad);
    return dnnl_convolution_backward_weights_desc_init(desc, dnnl_convolution_direct, x, w,
                                                       NULL, y, strides, pad, pad);
}

static bool make_reorder(onednn_item *item, const problem *p, const dnnl_memory_desc_t *lie,
                         const dnnl_memory_desc_t *preferred) {
    bool out = p->way == BACKWARD_WEIGHTS;
    if (!out && dnnl_memory_desc_equal(lie, preferred))
        return true;
    dnnl_primitive_attr_t attr = out ? onednn_sum_attribute() : NULL;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_engine_t engine = onednn_engine();
    bool ok = (attr || !out) &&
              dnnl_reorder_primitive_desc_create(&pd, out ? preferred : lie, engine,
                                                 out ? lie : preferred, engine,
                                                 attr) == dnnl_success &&
              dnnl_primitive_create(&item->step[REORDER], pd) == dnnl_success;
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return ok;
}

static bool make(onednn_item *item, const void *of) {
    const problem *p = of;
    const vl_conv *c = p->conv;
    dnnl_data_type_t type = p->bf16 ? dnnl_bf16 : dnnl_f32;
    dnnl_memory_desc_t x, y, w, lie, bias;
    dnnl_convolution_desc_t desc;
    if (!describe_picture(&x, c->batch, c->height, c->width, c->channels,
                          p->way == BACKWARD_DATA ? dnnl_f32 : type) ||
        !describe_picture(&y, c->batch, places_y(c), places_x(c), c->outputs,
                          p->way == FORWARD ? dnnl_f32 : type) ||
        !describe_weights(&w, c, false, p->way == BACKWARD_WEIGHTS ? dnnl_f32 : type) ||
        !describe_weights(&lie, c, true, dnnl_f32) ||
        dnnl_memory_desc_init_by_tag(&bias, 1, (dnnl_dims_t){dim(c->outputs)}, dnnl_f32,
                                     dnnl_x) != dnnl_success ||
        describe_conv(&desc, p, &x, &w, &bias, &y) != dnnl_success)
        return false;
    dnnl_primitive_desc_t pd = NULL;
    bool ok =
        dnnl_primitive_desc_create(&pd, &desc, NULL, onednn_engine(), NULL) == dnnl_success &&
        dnnl_primitive_create(&item->step[CONVOLVE], pd) == dnnl_success;
    if (ok)
        w = *dnnl_primitive_desc_query_md(
            pd, p->way == BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md,
            0);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return ok && make_reorder(item, p, &lie, &w) && onednn_add_memory(item, X, &x) &&
           onednn_add_memory(item, Y, &y) && onednn_add_memory(item, WEIGHTS, &lie) &&
           onednn_add_memory(item, PREFERRED, &w) && onednn_add_memory(item, BIAS, &bias);
}

static onednn_item *item_of(onednn_thread *thread, const problem *p) {
    const vl_conv *c = p->conv;
    const vl_window *w = &c->window;
    size_t key[ONEDNN_KEY] = {ONEDNN_CONV, (size_t)p->way, p->bf16,   p->bias,
                              c->batch,    c->height,      c->width,  c->channels,
                              c->outputs,  c->groups,      w->size_y, w->size_x,
                              w->stride_y, w->stride_x,    w->pad_y,  w->pad_x};
    return onednn_find(thread, key, make, p);
}

static size_t bytes_of(const onednn_item *item, size_t memory) {
    const dnnl_memory_desc_t *desc = NULL;
    if (dnnl_memory_get_memory_desc(item->memory[memory], &desc) != dnnl_success)
        return 0;
    return (dnnl_memory_desc_get_size(desc) + 63) / 64 * 64;
}

/* ---- runs ----------------------------------------------------------------------------- */

static bool reorder(onednn_thread *thread, const onednn_item *item, size_t from, size_t to) {
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, item->memory[from]},
                              {DNNL_ARG_TO, item->memory[to]}};
    return onednn_run(thread, item->step[REORDER], 2, args);
}

/* A picture for a primitive: itself, or rounded into `room`. */
static void set_picture(const onednn_item *item, size_t memory, bool bf16, const vl_real *x,
                        size_t count, void *room) {
    if (bf16)
        vl_kernels_get()->to_bf16(room, x, count);
    dnnl_memory_set_data_handle(item->memory[memory], bf16 ? room : (void *)x);
}

/* The weights for a primitive: as they lie, or reordered into `room`. */
static bool set_weights(onednn_thread *thread, const onednn_item *item, const vl_real *weight,
                        void *room) {
    bool as_they_lie = !item->step[REORDER];
    dnnl_memory_set_data_handle(item->memory[WEIGHTS], (void *)weight);
    dnnl_memory_set_data_handle(item->memory[PREFERRED], as_they_lie ? (void *)weight : room);
    return as_they_lie || reorder(thread, item, WEIGHTS, PREFERRED);
}

static bool forward(onednn_thread *thread, const problem *p, const vl_real *x,
                    const vl_real *weight, const vl_real *bias, vl_real *y) {
    onednn_item *item = item_of(thread, p);
    size_t weights = item ? bytes_of(item, PREFERRED) : 0;
    char *room =
        item ? onednn_scratch(thread, weights + (p->bf16 ? bytes_of(item, X) : 0)) : NULL;
    if (!room)
        return false;
    set_picture(item, X, p->bf16, x, count_x(p->conv), room + weights);
    dnnl_memory_set_data_handle(item->memory[BIAS], (void *)bias);
    dnnl_memory_set_data_handle(item->memory[Y], y);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, item->memory[X]},
                              {DNNL_ARG_WEIGHTS, item->memory[PREFERRED]},
                              {DNNL_ARG_DST, item->memory[Y]},
                              {DNNL_ARG_BIAS, item->memory[BIAS]}};
    return set_weights(thread, item, weight, room) &&
           onednn_run(thread, item->step[CONVOLVE], p->bias ? 4 : 3, args);
}

static bool backward_data(onednn_thread *thread, const problem *p, const vl_real *dy,
                          const vl_real *weight, vl_real *dx) {
    onednn_item *item = item_of(thread, p);
    size_t weights = item ? bytes_of(item, PREFERRED) : 0, into = item ? bytes_of(item, X) : 0;
    char *room =
        item ? onednn_scratch(thread, weights + into + (p->bf16 ? bytes_of(item, Y) : 0))
             : NULL;
    if (!room)
        return false;
    vl_real *sums = (vl_real *)(room + weights);
    set_picture(item, Y, p->bf16, dy, count_y(p->conv), room + weights + into);
    dnnl_memory_set_data_handle(item->memory[X], sums);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_SRC, item->memory[X]},
                              {DNNL_ARG_WEIGHTS, item->memory[PREFERRED]},
                              {DNNL_ARG_DIFF_DST, item->memory[Y]}};
    if (!set_weights(thread, item, weight, room) ||
        !onednn_run(thread, item->step[CONVOLVE], 3, args))
        return false;
    vl_kernels_get()->add(dx, sums, count_x(p->conv));
    return true;
}

static bool backward_weights(onednn_thread *thread, const problem *p, const vl_real *dy,
                             const vl_real *x, vl_real *dweight) {
    onednn_item *item = item_of(thread, p);
    size_t weights = item ? bytes_of(item, PREFERRED) : 0;
    size_t picture = item && p->bf16 ? bytes_of(item, X) : 0;
    char *room =
        item ? onednn_scratch(thread, weights + picture + (p->bf16 ? bytes_of(item, Y) : 0))
             : NULL;
    if (!room)
        return false;
    set_picture(item, X, p->bf16, x, count_x(p->conv), room + weights);
    set_picture(item, Y, p->bf16, dy, count_y(p->conv), room + weights + picture);
    dnnl_memory_set_data_handle(item->memory[PREFERRED], room);
    dnnl_memory_set_data_handle(item->memory[WEIGHTS], dweight);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, item->memory[X]},
                              {DNNL_ARG_DIFF_WEIGHTS, item->memory[PREFERRED]},
                              {DNNL_ARG_DIFF_DST, item->memory[Y]}};
    return onednn_run(thread, item->step[CONVOLVE], 3, args) &&
           reorder(thread, item, PREFERRED, WEIGHTS);
}

static problem problem_of(const vl_conv *c, direction way, bool bias) {
    bool bf16 = c->precision == VL_PRECISION_BF16 && vl_cpu_has_bf16();
    return (problem){.conv = c, .way = way, .bf16 = bf16, .bias = bias};
}

static onednn_thread *thread_for(const vl_conv *c) {
    size_t each = c->window.size_y * c->window.size_x * (c->channels / c->groups);
    bool small = count_y(c) * each <= SMALL;
    return small ? NULL : onednn_thread_get();
}

void vl_conv_run(const vl_conv *c, const vl_real *x, const vl_real *weight, const vl_real *bias,
                 vl_real *y) {
    problem p = problem_of(c, FORWARD, bias != NULL);
    onednn_thread *thread = thread_for(c);
    if (!thread || !forward(thread, &p, x, weight, bias, y))
        plain_forward(c, x, weight, bias, y);
}

void vl_conv_backward_data(const vl_conv *c, const vl_real *dy, const vl_real *weight,
                           vl_real *dx) {
    problem p = problem_of(c, BACKWARD_DATA, false);
    onednn_thread *thread = thread_for(c);
    if (!thread || !backward_data(thread, &p, dy, weight, dx))
        plain(c, BACKWARD_DATA, dx, (vl_real *)dy, (vl_real *)weight);
}

void vl_conv_backward_weights(const vl_conv *c, const vl_real *dy, const vl_real *x,
                              vl_real *dweight) {
    problem p = problem_of(c, BACKWARD_WEIGHTS, false);
    onednn_thread *thread = thread_for(c);
    if (!thread || !backward_weights(thread, &p, dy, x, dweight))
        plain(c, BACKWARD_WEIGHTS, (vl_real *)x, (vl_real *)dy, dweight);
}

#endif
