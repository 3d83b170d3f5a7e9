/* rows_depthwise.h — the part of rows.c with one filter a channel.
 *
 * Sums stay in registers: of PLACES places beside each other and VECTORS vectors of channels at
 * once, so that a weight that was read serves several places. Inputs are gathered on the way
 * forth (a place from its taps) and on the way back (an input from the places that saw it) by
 * the same loop, `gather`; only the steps differ. The order in which an element's terms are
 * added is that of the plain loops over places and taps. Included by rows.c alone. */

/* Numbers in a register, by variant; the reference has no vectors. */
#define LANES_ref 1
#define LANES_neon 4
#define LANES_avx2 8
#define LANES_avx512 16
#define LANES JOIN(LANES_, VL_ISA)

#if LANES > 1
typedef real lanes __attribute__((vector_size(LANES * sizeof(real))));
#else
typedef real lanes;
#endif
enum { PLACES = 4, TAPS = 5, VECTORS = 2 };
#define INLINE static inline __attribute__((always_inline))

INLINE lanes load(const real *at) {
    lanes v;
    memcpy(&v, at, sizeof v);
    return v;
}

INLINE void store(real *at, lanes v) {
    memcpy(at, &v, sizeof v);
}

/* ---- gathering ------------------------------------------------------------------------ */

/* What one sum goes over: rows × taps products of an input and a weight. Steps are in numbers
 * and may be negative. */
typedef struct terms {
    size_t rows, taps;
    ptrdiff_t in_row, in_tap, weight_row, weight_tap;
    ptrdiff_t in_place, start_place, out_place; /* from a place to the one beside it */
} terms;

/* out = start + Σ in · weight, for `places` places and `vectors` vectors of channels: constants
 * where it is inlined. */
INLINE void gather(real *out, const real *start, const real *in, const real *weight,
                   const terms *t, size_t places, size_t vectors) {
    lanes sum[PLACES][VECTORS];
    for (size_t p = 0; p < places; p++)
        for (size_t v = 0; v < vectors; v++)
            sum[p][v] = load(start + (ptrdiff_t)p * t->start_place + v * LANES);
    for (size_t row = 0; row < t->rows; row++, in += t->in_row, weight += t->weight_row) {
        const real *from = in, *by = weight;
        for (size_t tap = 0; tap < t->taps; tap++, from += t->in_tap, by += t->weight_tap)
            for (size_t v = 0; v < vectors; v++) {
                lanes w = load(by + v * LANES);
                for (size_t p = 0; p < places; p++)
                    sum[p][v] += load(from + (ptrdiff_t)p * t->in_place + v * LANES) * w;
            }
    }
    for (size_t p = 0; p < places; p++)
        for (size_t v = 0; v < vectors; v++)
            store(out + (ptrdiff_t)p * t->out_place + v * LANES, sum[p][v]);
}

/* One channel, for what is left of a vector. */
static void gather_one(real *out, const real *start, const real *in, const real *weight,
                       const terms *t) {
    real sum = *start;
    for (size_t row = 0; row < t->rows; row++, in += t->in_row, weight += t->weight_row)
        for (size_t tap = 0; tap < t->taps; tap++)
            sum += in[(ptrdiff_t)tap * t->in_tap] * weight[(ptrdiff_t)tap * t->weight_tap];
    *out = sum;
}

/* PLACES places, or one. */
INLINE void gather_channels(real *out, const real *start, const real *in, const real *weight,
                            const terms *t, size_t channels, size_t places) {
    size_t c = 0;
    for (; c + VECTORS * LANES <= channels; c += VECTORS * LANES)
        gather(out + c, start + c, in + c, weight + c, t, places, VECTORS);
    for (; c + LANES <= channels; c += LANES)
        gather(out + c, start + c, in + c, weight + c, t, places, 1);
    for (; c < channels; c++)
        for (size_t p = 0; p < places; p++)
            gather_one(out + (ptrdiff_t)p * t->out_place + c,
                       start + (ptrdiff_t)p * t->start_place + c,
                       in + (ptrdiff_t)p * t->in_place + c, weight + c, t);
}

/* ---- forth ---------------------------------------------------------------------------- */

/* The taps of place `o` that fall inside [0, extent): first tap and one past the last (which is
 * not above the first when there are none). */
static inline void taps(size_t o, size_t stride, size_t size, size_t pad, size_t extent,
                        size_t *first, size_t *end) {
    size_t at = o * stride, inside = at < extent + pad ? extent + pad - at : 0;
    *first = at < pad ? pad - at : 0;
    *end = inside < size ? inside : size;
}

static inline size_t span(size_t first, size_t end) {
    return end > first ? end - first : 0;
}

/* A column of pixels lies in memory as a row does, and rows are what places are grouped in. */
static void lay_down(size_t *height, size_t *width, vl_window *w) {
    if (*width != 1 || w->size_x != 1 || w->stride_x != 1 || w->pad_x != 0)
        return;
    *width = *height;
    *height = 1;
    *w = (vl_window){1, w->size_y, 1, w->stride_y, 0, w->pad_y};
}

static void depthwise(real *restrict y, const real *restrict x, const real *restrict weight,
                      const real *restrict bias, size_t height, size_t width, size_t channels,
                      const vl_window *window) {
    vl_window w = *window;
    lay_down(&height, &width, &w);
    size_t places_y = vl_window_places(height, w.size_y, w.stride_y, w.pad_y);
    size_t places_x = vl_window_places(width, w.size_x, w.stride_x, w.pad_x);
    terms t = {.in_row = (ptrdiff_t)(width * channels),
               .in_tap = (ptrdiff_t)channels,
               .weight_row = (ptrdiff_t)(w.size_x * channels),
               .weight_tap = (ptrdiff_t)channels,
               .in_place = (ptrdiff_t)(w.stride_x * channels),
               .out_place = (ptrdiff_t)channels};
    for (size_t oy = 0; oy < places_y; oy++) {
        size_t y0, y1, x0, x1, last0, last1;
        taps(oy, w.stride_y, w.size_y, w.pad_y, height, &y0, &y1);
        t.rows = span(y0, y1);
        for (size_t ox = 0, places; ox < places_x; ox += places, y += places * channels) {
            taps(ox, w.stride_x, w.size_x, w.pad_x, width, &x0, &x1);
            taps(ox + PLACES - 1, w.stride_x, w.size_x, w.pad_x, width, &last0, &last1);
            t.taps = span(x0, x1);
            bool some = t.rows && t.taps;
            bool whole = some && x0 == last0 && x1 == last1 && ox + PLACES <= places_x;
            places = whole ? PLACES : 1;
            if (!some) { /* nothing but zeros */
                memcpy(y, bias, channels * sizeof *y);
                continue;
            }
            const real *in = x + ((oy * w.stride_y + y0 - w.pad_y) * width +
                                  (ox * w.stride_x + x0 - w.pad_x)) *
                                     channels;
            const real *from = weight + (y0 * w.size_x + x0) * channels;
            if (whole)
                gather_channels(y, bias, in, from, &t, channels, PLACES);
            else
                gather_channels(y, bias, in, from, &t, channels, 1);
        }
    }
}

/* ---- back to the inputs --------------------------------------------------------------- */

/* The places whose window covers position `at` of the picture: first and one past the last. */
static inline void places_over(size_t at, size_t stride, size_t size, size_t pad, size_t places,
                               size_t *first, size_t *end) {
    size_t edge = at + pad; /* the place p has it as tap edge − p · stride */
    *first = edge < size ? 0 : (edge - size) / stride + 1;
    *end = edge / stride + 1 < places ? edge / stride + 1 : places;
}

/* The row of inputs dx, which the rows y0 … y0 + t->rows of places saw, the first of them with
 * the weights of row `weight`. Inputs a stride apart are seen by places beside each other. */
static void back_row(real *restrict dx, const real *restrict dy, const real *restrict weight,
                     size_t width, size_t channels, size_t places_x, terms t,
                     const vl_window *w) {
    size_t stride = w->stride_x, apart = (PLACES - 1) * stride;
    for (size_t phase = 0; phase < stride; phase++)
        for (size_t ix = phase, places; ix < width; ix += places * stride) {
            size_t x0, x1, last0, last1;
            places_over(ix, stride, w->size_x, w->pad_x, places_x, &x0, &x1);
            places_over(ix + apart, stride, w->size_x, w->pad_x, places_x, &last0, &last1);
            bool whole =
                last0 == x0 + PLACES - 1 && last1 == x1 + PLACES - 1 && ix + apart < width;
            places = whole ? PLACES : 1;
            t.taps = span(x0, x1);
            if (!t.taps)
                continue;
            real *to = dx + ix * channels;
            const real *in = dy + x0 * channels;
            const real *from = weight + (ix + w->pad_x - x0 * stride) * channels;
            if (whole)
                gather_channels(to, to, in, from, &t, channels, PLACES);
            else
                gather_channels(to, to, in, from, &t, channels, 1);
        }
}

static void depthwise_back_x(real *restrict dx, const real *restrict dy,
                             const real *restrict weight, size_t height, size_t width,
                             size_t channels, const vl_window *window) {
    const vl_window w = *window;
    size_t places_y = vl_window_places(height, w.size_y, w.stride_y, w.pad_y);
    size_t places_x = vl_window_places(width, w.size_x, w.stride_x, w.pad_x);
    terms t = {.in_row = (ptrdiff_t)(places_x * channels),
               .in_tap = (ptrdiff_t)channels,
               .weight_row = -(ptrdiff_t)(w.stride_y * w.size_x * channels),
               .weight_tap = -(ptrdiff_t)(w.stride_x * channels),
               .in_place = (ptrdiff_t)channels,
               .start_place = (ptrdiff_t)(w.stride_x * channels),
               .out_place = (ptrdiff_t)(w.stride_x * channels)};
    for (size_t iy = 0; iy < height; iy++, dx += width * channels) {
        size_t y0, y1;
        places_over(iy, w.stride_y, w.size_y, w.pad_y, places_y, &y0, &y1);
        t.rows = span(y0, y1);
        if (t.rows)
            back_row(dx, dy + y0 * places_x * channels,
                     weight + (iy + w.pad_y - y0 * w.stride_y) * w.size_x * channels, width,
                     channels, places_x, t, window);
    }
}

/* ---- back to the weights -------------------------------------------------------------- */

/* Adds dy · x over `places` places to `count` taps beside each other, whose inputs lie
 * `channels` apart. */
INLINE void tap_sums(real *dweight, const real *dy, const real *x, size_t x_step, size_t places,
                     size_t channels, size_t count, size_t vectors) {
    lanes sum[TAPS][VECTORS];
    for (size_t k = 0; k < count; k++)
        for (size_t v = 0; v < vectors; v++)
            sum[k][v] = load(dweight + k * channels + v * LANES);
    for (size_t p = 0; p < places; p++, dy += channels, x += x_step)
        for (size_t v = 0; v < vectors; v++) {
            lanes d = load(dy + v * LANES);
            for (size_t k = 0; k < count; k++)
                sum[k][v] += d * load(x + k * channels + v * LANES);
        }
    for (size_t k = 0; k < count; k++)
        for (size_t v = 0; v < vectors; v++)
            store(dweight + k * channels + v * LANES, sum[k][v]);
}

INLINE void tap_channels(real *dweight, const real *dy, const real *x, size_t x_step,
                         size_t places, size_t channels, size_t count) {
    size_t c = 0;
    for (; c + VECTORS * LANES <= channels; c += VECTORS * LANES)
        tap_sums(dweight + c, dy + c, x + c, x_step, places, channels, count, VECTORS);
    for (; c + LANES <= channels; c += LANES)
        tap_sums(dweight + c, dy + c, x + c, x_step, places, channels, count, 1);
    for (size_t k = 0; k < count; k++)
        for (size_t p = 0; p < places; p++)
            for (size_t i = c; i < channels; i++)
                dweight[k * channels + i] +=
                    dy[p * channels + i] * x[p * x_step + k * channels + i];
}

/* Taps k … k + count of a row over its places from … to; dweight, dy and x are the rows. */
static void tap_group(real *dweight, const real *dy, const real *x, size_t k, size_t count,
                      size_t from, size_t to, size_t channels, const vl_window *w) {
    if (from >= to)
        return;
    size_t step = w->stride_x * channels, places = to - from;
    dweight += k * channels;
    dy += from * channels;
    x += (from * w->stride_x + k - w->pad_x) * channels;
    if (count == 5)
        tap_channels(dweight, dy, x, step, places, channels, 5);
    else if (count == 4)
        tap_channels(dweight, dy, x, step, places, channels, 4);
    else if (count == 3)
        tap_channels(dweight, dy, x, step, places, channels, 3);
    else if (count == 2)
        tap_channels(dweight, dy, x, step, places, channels, 2);
    else
        tap_channels(dweight, dy, x, step, places, channels, 1);
}

/* Where tap k lies inside the row: the first of `places` places and one past the last. */
static inline void places_of(size_t k, const vl_window *w, size_t width, size_t places,
                             size_t *first, size_t *end) {
    size_t most = width + w->pad_x;
    *first = k < w->pad_x ? (w->pad_x - k + w->stride_x - 1) / w->stride_x : 0;
    *end = k < most ? (most - k - 1) / w->stride_x + 1 : 0;
    *end = *end < places ? *end : places;
}

/* One row of taps over one row of places; x is the row of the picture. Taps go in groups over
 * the places that all of them have; earlier taps have more on the right, later ones on the
 * left. */
static void back_taps(real *restrict dweight, const real *restrict dy, const real *restrict x,
                      size_t width, size_t places, size_t channels, const vl_window *w) {
    for (size_t k = 0, count; k < w->size_x; k += count) {
        count = w->size_x - k < TAPS ? w->size_x - k : TAPS;
        size_t from, to, first, end;
        places_of(k, w, width, places, &from, &end);
        places_of(k + count - 1, w, width, places, &first, &to);
        if (from >= to) /* none in common: each by itself */
            from = to = places;
        for (size_t tap = k; tap < k + count; tap++) {
            places_of(tap, w, width, places, &first, &end);
            tap_group(dweight, dy, x, tap, 1, first, from < end ? from : end, channels, w);
        }
        tap_group(dweight, dy, x, k, count, from, to, channels, w);
        for (size_t tap = k; tap < k + count; tap++) {
            places_of(tap, w, width, places, &first, &end);
            tap_group(dweight, dy, x, tap, 1, to, end, channels, w);
        }
    }
}

static void depthwise_backward(real *restrict dx, real *restrict dweight, real *restrict dbias,
                               const real *restrict dy, const real *restrict x,
                               const real *restrict weight, size_t height, size_t width,
                               size_t channels, const vl_window *window) {
    vl_window w = *window;
    lay_down(&height, &width, &w);
    size_t places_y = vl_window_places(height, w.size_y, w.stride_y, w.pad_y);
    size_t places_x = vl_window_places(width, w.size_x, w.stride_x, w.pad_x);
    depthwise_back_x(dx, dy, weight, height, width, channels, &w);
    sum_rows(dbias, dy, places_y * places_x, channels);
    for (size_t oy = 0; oy < places_y; oy++, dy += places_x * channels) {
        size_t y0, y1;
        taps(oy, w.stride_y, w.size_y, w.pad_y, height, &y0, &y1);
        for (size_t ky = y0; ky < y1; ky++)
            back_taps(dweight + ky * w.size_x * channels, dy,
                      x + (oy * w.stride_y + ky - w.pad_y) * width * channels, width, places_x,
                      channels, &w);
    }
}
