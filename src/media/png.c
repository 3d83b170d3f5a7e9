/* png.c — PNG in and out, through libpng.
 *
 * Everything becomes 8-bit grey or RGB; transparency is laid over white, as paper is. Chunks
 * that say nothing of the pixels (text, profiles) are skipped unread, so compressed-text bombs
 * are not unpacked. */
#include "media/decode.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* Of the chunks that are read (palette, transparency, resolution) none is larger. */
enum { MAX_CHUNK_BYTES = 1 << 20 };

typedef struct codec {
    const uint8_t *bytes; /* reading */
    size_t left;
    vl_buf *out; /* writing */
    int64_t deadline_ns;
    const vl_media_limits *limits;
    vl_status status;
    vl_error *error;
} codec;

static void on_error(png_structp png, png_const_charp message) {
    codec *c = png_get_error_ptr(png);
    if (!c->status)
        c->status = vl_fail(c->error, VL_ERR_INPUT, "broken PNG: %s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void read_bytes(png_structp png, png_bytep to, size_t count) {
    codec *c = png_get_io_ptr(png);
    if (count > c->left)
        png_error(png, "it ends too early");
    memcpy(to, c->bytes, count);
    c->bytes += count;
    c->left -= count;
}

/* 8 bits a sample, grey or RGB, no alpha; the number of channels that come out. */
static uint32_t ask_for_plain_samples(png_structp png, png_infop info) {
    int type = png_get_color_type(png, info), depth = png_get_bit_depth(png, info);
    if (depth == 16)
        png_set_scale_16(png);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(png);
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    bool has_key = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
    if (has_key)
        png_set_tRNS_to_alpha(png);
    if (has_key || type & PNG_COLOR_MASK_ALPHA) {
        png_color_16 white = {.red = 255, .green = 255, .blue = 255, .gray = 255};
        png_set_background_fixed(png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 100000);
    }
    return type & PNG_COLOR_MASK_COLOR ? 3 : 1;
}

/* False: not known. */
static bool density(png_structp png, png_infop info, double *dpi_x, double *dpi_y) {
    png_uint_32 x, y;
    int unit;
    if (!png_get_pHYs(png, info, &x, &y, &unit) || unit != PNG_RESOLUTION_METER)
        return false;
    *dpi_x = x * 0.0254;
    *dpi_y = y * 0.0254;
    return true;
}

static void read_rows(png_structp png, codec *c, vl_image *image, int passes) {
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < image->height; y++) {
            if (!(y & 63) && vl_clock_ns() > c->deadline_ns) {
                c->status = vl_fail(c->error, VL_ERR_TIMEOUT, "decoding the PNG took too long");
                return;
            }
            png_read_row(png, image->pixels + y * image->stride, NULL);
        }
}

static void read_picture(png_structp png, png_infop info, codec *c, vl_image **made) {
    uint32_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    uint32_t channels = ask_for_plain_samples(png, info);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    c->status = vl_image_new(width, height, channels, made, c->error);
    if (c->status)
        return;
    if (png_get_rowbytes(png, info) != (*made)->stride) {
        c->status = vl_fail(c->error, VL_ERR_INTERNAL, "PNG rows of an unexpected size");
        return;
    }
    double dpi_y = 0;
    density(png, info, &(*made)->dpi, &dpi_y);
    read_rows(png, c, *made, passes); /* what stands behind the pixels does not matter */
    if (!c->status)
        c->status = vl_image_square(made, (*made)->dpi, dpi_y, c->limits, c->error);
}

static void set_limits(png_structp png) {
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours say more */
    png_set_chunk_malloc_max(png, MAX_CHUNK_BYTES);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep) "pHYs", 1);
}

/* Apart from its caller, because libpng jumps. */
static void read_or_jump(png_structp png, png_infop info, codec *c,
                         const vl_media_limits *limits, vl_image **made, bool header_only) {
    if (setjmp(png_jmpbuf(png)))
        return;
    png_set_read_fn(png, c, read_bytes);
    set_limits(png);
    png_read_info(png, info);
    c->status = vl_media_check_size(png_get_image_width(png, info),
                                    png_get_image_height(png, info), limits, c->error);
    if (!c->status && !header_only)
        read_picture(png, info, c, made);
}

static vl_status run(const void *bytes, size_t count, const vl_media_limits *limits,
                     vl_image **image, bool header_only, vl_error *error) {
    codec c = {.bytes = bytes,
               .left = count,
               .error = error,
               .deadline_ns = vl_media_deadline(limits),
               .limits = limits};
    *image = NULL;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_read_struct(&png, NULL, NULL);
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    read_or_jump(png, info, &c, limits, image, header_only);
    png_destroy_read_struct(&png, &info, NULL);
    if (c.status) {
        vl_image_free(*image);
        *image = NULL;
    }
    return c.status;
}

vl_status vl_png_check(const void *bytes, size_t count, const vl_media_limits *limits,
                       vl_error *error) {
    vl_image *none;
    return run(bytes, count, limits, &none, true, error);
}

vl_status vl_png_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                        vl_image **image, vl_error *error) {
    return run(bytes, count, limits, image, false, error);
}

/* ---- out ------------------------------------------------------------------------------ */

static void write_bytes(png_structp png, png_bytep from, size_t count) {
    codec *c = png_get_io_ptr(png);
    vl_buf_append(c->out, from, count);
    c->status = vl_buf_status(c->out, "the PNG", c->error);
    if (c->status)
        png_error(png, "full");
}

static void flush_nothing(png_structp png) {
    (void)png;
}

vl_status vl_image_encode_png(const vl_image *image, vl_buf *out, vl_error *error) {
    return vl_image_encode_png_level(image, 6, out, error);
}

vl_status vl_image_encode_png_level(const vl_image *image, int level, vl_buf *out,
                                    vl_error *error) {
    codec c = {.out = out, .error = error};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    if (!setjmp(png_jmpbuf(png))) {
        png_set_write_fn(png, &c, write_bytes, flush_nothing);
        png_set_IHDR(png, info, image->width, image->height, 8,
                     image->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        if (image->dpi > 0)
            png_set_pHYs(png, info, (png_uint_32)(image->dpi / 0.0254 + 0.5),
                         (png_uint_32)(image->dpi / 0.0254 + 0.5), PNG_RESOLUTION_METER);
        png_set_compression_level(png, level);
        if (level < 3) /* one filter that suits pictures; choosing costs more than packing */
            png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
        png_write_info(png, info);
        for (uint32_t y = 0; y < image->height; y++)
            png_write_row(png, image->pixels + y * image->stride);
        png_write_end(png, info);
    }
    png_destroy_write_struct(&png, &info);
    return c.status;
}
