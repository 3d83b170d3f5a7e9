/* jpeg.c — JPEG in and out, through libjpeg-turbo.
 *
 * Decoded straight into the picture. A file that ends early is accepted when at least half of
 * its rows are there (the rest is grey, as every viewer shows it). Progressive files may hold
 * thousands of scans of nearly no bytes, each costing a pass over the picture: scans and time
 * are limited. */
#include "media/decode.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>

enum { MAX_SCANS = 200 };

typedef struct decoder {
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    vl_status status;
    vl_error *error;
    int64_t deadline_ns;
    JDIMENSION rows_before_end; /* rows read when the data ended; UINT_MAX: it did not */
    struct jpeg_decompress_struct *info;
} decoder;

static void on_error(j_common_ptr info) {
    decoder *d = (decoder *)info->err;
    char message[JMSG_LENGTH_MAX];
    info->err->format_message(info, message);
    d->status = vl_fail(d->error, VL_ERR_INPUT, "broken JPEG: %s", message);
    longjmp(d->escape, 1);
}

/* Warnings: only the early end of the data matters. */
static void on_message(j_common_ptr info, int level) {
    decoder *d = (decoder *)info->err;
    if (level < 0)
        info->err->num_warnings++;
    bool ended = level < 0 && d->info && d->info->src && d->info->src->bytes_in_buffer <= 2;
    if (ended && d->rows_before_end == UINT32_MAX)
        d->rows_before_end = d->info->output_scanline;
}

static void on_progress(j_common_ptr info) {
    decoder *d = (decoder *)info->err;
    if (info->is_decompressor && ((j_decompress_ptr)info)->input_scan_number > MAX_SCANS)
        d->status = vl_fail(d->error, VL_ERR_LIMIT, "JPEG with more than %d scans", MAX_SCANS);
    else if (vl_clock_ns() > d->deadline_ns)
        d->status = vl_fail(d->error, VL_ERR_TIMEOUT, "decoding the JPEG took too long");
    else
        return;
    longjmp(d->escape, 1);
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

static void read_rows(struct jpeg_decompress_struct *info, vl_image *image, uint8_t *inks) {
    while (info->output_scanline < info->output_height) {
        uint8_t *row = image->pixels + info->output_scanline * image->stride;
        JSAMPROW to = inks ? inks : row;
        jpeg_read_scanlines(info, &to, 1);
        if (inks)
            cmyk_to_rgb(inks, row, image->width, info->saw_Adobe_marker);
    }
}

vl_status vl_jpeg_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                         vl_image **image, vl_error *error) {
    struct jpeg_decompress_struct info = {0};
    decoder d = {.error = error,
                 .deadline_ns = vl_media_deadline(limits),
                 .rows_before_end = UINT32_MAX,
                 .info = &info};
    vl_image *volatile made = NULL;
    uint8_t *volatile inks = NULL;
    info.err = jpeg_std_error(&d.manager);
    d.manager.error_exit = on_error;
    d.manager.emit_message = on_message;
    d.progress.progress_monitor = on_progress;
    if (setjmp(d.escape))
        goto out;
    jpeg_create_decompress(&info);
    info.progress = &d.progress;
    info.mem->max_memory_to_use = (long)limits->max_memory;
    jpeg_mem_src(&info, bytes, count);
    jpeg_read_header(&info, TRUE);
    d.status = vl_media_check_size(info.image_width, info.image_height, limits, error);
    if (d.status)
        goto out;
    bool grey = info.jpeg_color_space == JCS_GRAYSCALE;
    info.out_color_space = four_inks(&info) ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&info);
    vl_image *fresh;
    d.status = vl_image_new(info.output_width, info.output_height, grey ? 1 : 3, &fresh, error);
    made = fresh;
    if (!d.status && four_inks(&info) && !(inks = malloc((size_t)info.output_width * 4)))
        d.status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (d.status)
        goto out;
    made->dpi = density(&info);
    read_rows(&info, made, inks);
    if (d.rows_before_end < info.output_height / 2)
        d.status = vl_fail(error, VL_ERR_INPUT, "the JPEG ends after %u of %u rows",
                           d.rows_before_end, info.output_height);
    else
        jpeg_finish_decompress(&info);
out:
    jpeg_destroy_decompress(&info);
    free(inks);
    if (d.status)
        vl_image_free(made);
    *image = d.status ? NULL : made;
    return d.status;
}

/* ---- out ------------------------------------------------------------------------------ */

vl_status vl_image_encode_jpeg(const vl_image *image, int quality, vl_buf *out,
                               vl_error *error) {
    struct jpeg_compress_struct info = {0};
    decoder d = {.error = error, .rows_before_end = UINT32_MAX};
    unsigned char *volatile encoded = NULL;
    unsigned char *buffer = NULL;
    unsigned long length = 0;
    info.err = jpeg_std_error(&d.manager);
    d.manager.error_exit = on_error;
    if (setjmp(d.escape))
        goto out;
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &buffer, &length);
    info.image_width = image->width;
    info.image_height = image->height;
    info.input_components = (int)image->channels;
    info.in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    if (image->dpi > 0 && image->dpi < 65535) {
        info.density_unit = 1;
        info.X_density = info.Y_density = (UINT16)(image->dpi + 0.5);
    }
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
        JSAMPROW row = image->pixels + info.next_scanline * image->stride;
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    encoded = buffer;
    vl_buf_append(out, encoded, length);
    d.status = vl_buf_status(out, "the JPEG", error);
out:
    jpeg_destroy_compress(&info);
    free(encoded);
    return d.status;
}
