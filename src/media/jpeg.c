/* jpeg.c — JPEG in and out, through libjpeg-turbo.
 *
 * Decoded straight into the picture. A file that ends early is accepted when at least half of
 * its rows came: the rest is grey, as every viewer shows it. Of a progressive file the first
 * scan counts, which holds the whole picture coarsely.
 *
 * Progressive files may hold thousands of scans of nearly no bytes, each costing a pass over
 * the picture: scans and time are limited, as are warnings, each of which is damage found. */
#include "media/decode.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

enum { MAX_SCANS = 200, MAX_WARNINGS = 1000, MARKER_END = 0xD9 };
static const JDIMENSION NOT_ENDED = UINT32_MAX;

typedef struct codec {
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    vl_status status;
    vl_error *error;
    int64_t deadline_ns;
    JDIMENSION rows_at_end; /* rows that had come when the data ended too early */
} codec;

static void give_up(codec *c, vl_status status, const char *message) {
    c->status = vl_fail(c->error, status, "%s", message);
    longjmp(c->escape, 1);
}

/* What libjpeg has no code for, as against what is wrong with the file. */
static vl_status status_of(int message_code) {
    switch (message_code) {
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_NOTIMPL:
        return VL_ERR_UNSUPPORTED;
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE:
    case JERR_IMAGE_TOO_BIG:
        return VL_ERR_LIMIT;
    default:
        return VL_ERR_INPUT;
    }
}

static void on_error(j_common_ptr info) {
    codec *c = (codec *)info->err;
    char message[JMSG_LENGTH_MAX], whole[JMSG_LENGTH_MAX + 16];
    info->err->format_message(info, message);
    snprintf(whole, sizeof whole, "JPEG: %s", message);
    give_up(c, status_of(info->err->msg_code), whole);
}

/* Rows of the first scan that have been read; all of them once a later scan has begun. */
static JDIMENSION rows_read(j_decompress_ptr info) {
    if (info->input_scan_number > 1)
        return info->image_height;
    JDIMENSION rows = info->input_iMCU_row * (JDIMENSION)(info->max_v_samp_factor * DCTSIZE);
    return rows < info->image_height ? rows : info->image_height;
}

/* The data stops, or a marker stands where rows should be: the rest of the scan is lost unless
 * the decoder can find its place again at a restart marker. */
static bool ends_here(j_decompress_ptr info) {
    int code = info->err->msg_code;
    return code == JWRN_JPEG_EOF ||
           (code == JWRN_HIT_MARKER &&
            (!info->restart_interval || info->unread_marker == MARKER_END));
}

static void on_message(j_common_ptr info, int level) {
    codec *c = (codec *)info->err;
    if (level >= 0)
        return;
    if (++info->err->num_warnings > MAX_WARNINGS)
        give_up(c, VL_ERR_INPUT, "the JPEG is too damaged to be read");
    if (info->is_decompressor && c->rows_at_end == NOT_ENDED &&
        ends_here((j_decompress_ptr)info))
        c->rows_at_end = rows_read((j_decompress_ptr)info);
}

static void on_progress(j_common_ptr info) {
    codec *c = (codec *)info->err;
    if (info->is_decompressor && ((j_decompress_ptr)info)->input_scan_number > MAX_SCANS)
        give_up(c, VL_ERR_LIMIT, "the JPEG has too many scans");
    if (vl_clock_ns() > c->deadline_ns)
        give_up(c, VL_ERR_TIMEOUT, "decoding the JPEG took too long");
}

static void codec_init(codec *c, vl_error *error) {
    *c = (codec){.error = error, .deadline_ns = INT64_MAX, .rows_at_end = NOT_ENDED};
    jpeg_std_error(&c->manager);
    c->manager.error_exit = on_error;
    c->manager.emit_message = on_message;
    c->progress.progress_monitor = on_progress;
}

/* Adobe's CMYK is stored inverted; without its marker the values are taken as ink. */
static void cmyk_to_rgb(const uint8_t *in, uint8_t *out, uint32_t width, bool inverted) {
    for (uint32_t x = 0; x < width; x++, in += 4, out += 3)
        for (int c = 0; c < 3; c++) {
            unsigned light = inverted ? in[c] : 255u - in[c];
            unsigned key = inverted ? in[3] : 255u - in[3];
            out[c] = (uint8_t)((light * key + 127) / 255);
        }
}

static double density(const struct jpeg_decompress_struct *info) {
    if (info->density_unit == 1)
        return info->X_density;
    return info->density_unit == 2 ? info->X_density * 2.54 : 0;
}

static bool four_inks(const struct jpeg_decompress_struct *info) {
    return info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
}

/* Up to a row of blocks a call. */
static void read_rows(j_decompress_ptr info, vl_image *image) {
    enum { AT_ONCE = 16 };
    JSAMPROW rows[AT_ONCE];
    while (info->output_scanline < info->output_height) {
        JDIMENSION left = info->output_height - info->output_scanline;
        JDIMENSION count = left < AT_ONCE ? left : AT_ONCE;
        for (JDIMENSION i = 0; i < count; i++)
            rows[i] = image->pixels + (info->output_scanline + i) * image->stride;
        jpeg_read_scanlines(info, rows, count);
    }
}

static void read_ink_rows(j_decompress_ptr info, vl_image *image, uint8_t *inks) {
    while (info->output_scanline < info->output_height) {
        uint8_t *row = image->pixels + info->output_scanline * image->stride;
        JSAMPROW to = inks;
        jpeg_read_scanlines(info, &to, 1);
        cmyk_to_rgb(inks, row, image->width, info->saw_Adobe_marker);
    }
}

/* What must be freed however decoding ends; reached through a pointer, because libjpeg jumps
 * over the frames that fill it. */
typedef struct result {
    struct jpeg_decompress_struct info;
    vl_image *made;
    uint8_t *inks;
} result;

static vl_status read_header(codec *c, j_decompress_ptr info, const void *bytes, size_t count,
                             const vl_media_limits *limits) {
    info->progress = &c->progress;
    info->mem->max_memory_to_use = (long)limits->max_memory;
    jpeg_mem_src(info, bytes, count);
    jpeg_read_header(info, TRUE);
    return c->status =
               vl_media_check_size(info->image_width, info->image_height, limits, c->error);
}

static void read_picture(codec *c, result *r) {
    j_decompress_ptr info = &r->info;
    bool grey = info->jpeg_color_space == JCS_GRAYSCALE, inks = four_inks(info);
    info->out_color_space = inks ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(info);
    c->status =
        vl_image_new(info->output_width, info->output_height, grey ? 1 : 3, &r->made, c->error);
    if (c->status)
        return;
    r->made->dpi = density(info);
    if (inks && !(r->inks = malloc((size_t)info->output_width * 4)))
        give_up(c, VL_ERR_MEMORY, "out of memory");
    if (inks)
        read_ink_rows(info, r->made, r->inks);
    else
        read_rows(info, r->made);
    if (c->rows_at_end < info->output_height / 2)
        c->status = vl_fail(c->error, VL_ERR_INPUT, "the JPEG ends after %u of %u rows",
                            c->rows_at_end, info->output_height);
}

static void decode_or_jump(codec *c, result *r, const void *bytes, size_t count,
                           const vl_media_limits *limits, bool header_only) {
    if (setjmp(c->escape))
        return;
    jpeg_create_decompress(&r->info);
    if (!read_header(c, &r->info, bytes, count, limits) && !header_only)
        read_picture(c, r);
}

vl_status vl_jpeg_check(const void *bytes, size_t count, const vl_media_limits *limits,
                        vl_error *error) {
    codec c;
    result r = {.info.err = &c.manager};
    codec_init(&c, error);
    decode_or_jump(&c, &r, bytes, count, limits, true);
    jpeg_destroy_decompress(&r.info);
    return c.status;
}

vl_status vl_jpeg_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                         vl_image **image, vl_error *error) {
    codec c;
    result r = {.info.err = &c.manager};
    codec_init(&c, error);
    c.deadline_ns = vl_media_deadline(limits);
    decode_or_jump(&c, &r, bytes, count, limits, false);
    jpeg_destroy_decompress(&r.info);
    free(r.inks);
    if (c.status) {
        vl_image_free(r.made);
        r.made = NULL;
    }
    *image = r.made;
    return c.status;
}

/* ---- out ------------------------------------------------------------------------------ */

typedef struct encoder {
    struct jpeg_compress_struct info;
    unsigned char *bytes;
    unsigned long count;
} encoder;

static void encode_or_jump(codec *c, encoder *e, const vl_image *image, int quality) {
    struct jpeg_compress_struct *info = &e->info;
    if (setjmp(c->escape))
        return;
    jpeg_create_compress(info);
    jpeg_mem_dest(info, &e->bytes, &e->count);
    info->image_width = image->width;
    info->image_height = image->height;
    info->input_components = (int)image->channels;
    info->in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(info);
    jpeg_set_quality(info, quality, TRUE);
    if (image->dpi >= 1 && image->dpi < 65535) {
        info->density_unit = 1;
        info->X_density = info->Y_density = (UINT16)(image->dpi + 0.5);
    }
    jpeg_start_compress(info, TRUE);
    while (info->next_scanline < info->image_height) {
        JSAMPROW row = image->pixels + info->next_scanline * image->stride;
        jpeg_write_scanlines(info, &row, 1);
    }
    jpeg_finish_compress(info);
}

vl_status vl_image_encode_jpeg(const vl_image *image, int quality, vl_buf *out,
                               vl_error *error) {
    codec c;
    encoder e = {.info.err = &c.manager};
    if (quality < 1 || quality > 100)
        return vl_fail(error, VL_ERR_USAGE, "a JPEG quality of %d; it is 1 to 100", quality);
    if (image->width > JPEG_MAX_DIMENSION || image->height > JPEG_MAX_DIMENSION)
        return vl_fail(error, VL_ERR_LIMIT, "%u×%u pixels do not fit into a JPEG", image->width,
                       image->height);
    codec_init(&c, error);
    encode_or_jump(&c, &e, image, quality);
    jpeg_destroy_compress(&e.info);
    if (!c.status) {
        vl_buf_append(out, e.bytes, e.count);
        c.status = vl_buf_status(out, "the JPEG", error);
    }
    free(e.bytes);
    return c.status;
}
