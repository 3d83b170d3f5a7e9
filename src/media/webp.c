/* webp.c — WebP in, through libwebp; of an animation, the first frame on its canvas.
 *
 * Decoding is bounded by the size in the header (at most 16383 a side), which is checked
 * first. */
#include "media/decode.h"

#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

/* The part of the file that holds the picture, and where it lies. */
typedef struct frame {
    WebPData data;
    WebPBitstreamFeatures features;
    uint32_t x, y, canvas_width, canvas_height;
} frame;

static vl_status read_features(frame *f, vl_error *error) {
    VP8StatusCode code = WebPGetFeatures(f->data.bytes, f->data.size, &f->features);
    if (code == VP8_STATUS_OK)
        return VL_OK;
    if (code == VP8_STATUS_UNSUPPORTED_FEATURE)
        return vl_fail(error, VL_ERR_UNSUPPORTED, "WebP of a kind not read here");
    return vl_fail(error, VL_ERR_INPUT, "broken or truncated WebP header");
}

/* The first frame of an animation; the rest of the file may be missing. */
static vl_status find_first_frame(frame *f, vl_error *error) {
    WebPDemuxState state;
    WebPIterator first;
    WebPDemuxer *demuxer = WebPDemuxPartial(&f->data, &state);
    bool found = demuxer && WebPDemuxGetFrame(demuxer, 1, &first);
    if (found) {
        f->data = first.fragment;
        f->x = (uint32_t)first.x_offset;
        f->y = (uint32_t)first.y_offset;
        WebPDemuxReleaseIterator(&first);
    }
    WebPDemuxDelete(demuxer);
    return found ? read_features(f, error)
                 : vl_fail(error, VL_ERR_INPUT, "WebP animation without a first frame");
}

static vl_status open_frame(const void *bytes, size_t count, const vl_media_limits *limits,
                            frame *f, vl_error *error) {
    *f = (frame){.data = {.bytes = bytes, .size = count}};
    vl_status status = read_features(f, error);
    if (status)
        return status;
    f->canvas_width = (uint32_t)f->features.width;
    f->canvas_height = (uint32_t)f->features.height;
    status = vl_media_check_size(f->canvas_width, f->canvas_height, limits, error);
    if (!status && f->features.has_animation)
        status = find_first_frame(f, error);
    uint64_t right = (uint64_t)f->x + (uint64_t)f->features.width;
    uint64_t bottom = (uint64_t)f->y + (uint64_t)f->features.height;
    if (!status && (right > f->canvas_width || bottom > f->canvas_height))
        return vl_fail(error, VL_ERR_INPUT, "WebP frame that lies outside its canvas");
    return status;
}

vl_status vl_webp_check(const void *bytes, size_t count, const vl_media_limits *limits,
                        vl_error *error) {
    frame f;
    return open_frame(bytes, count, limits, &f, error);
}

/* `rgba` with colours already multiplied by alpha: white shows through the rest. */
static void over_white(const uint8_t *rgba, uint8_t *rgb, size_t pixels) {
    for (size_t i = 0; i < pixels; i++, rgba += 4, rgb += 3) {
        unsigned paper = 255u - rgba[3];
        for (size_t c = 0; c < 3; c++) {
            unsigned sum = rgba[c] + paper;
            rgb[c] = (uint8_t)(sum > 255 ? 255 : sum);
        }
    }
}

static bool decode_with_alpha(WebPDecoderConfig *config, const frame *f, uint8_t *rgb,
                              size_t stride) {
    config->output.colorspace = MODE_rgbA;
    if (WebPDecode(f->data.bytes, f->data.size, config) != VP8_STATUS_OK)
        return false;
    const WebPRGBABuffer *from = &config->output.u.RGBA;
    size_t width = (size_t)config->output.width;
    for (int y = 0; y < config->output.height; y++)
        over_white(from->rgba + (size_t)y * (size_t)from->stride, rgb + (size_t)y * stride,
                   width);
    return true;
}

static bool decode_opaque(WebPDecoderConfig *config, const frame *f, vl_image *image,
                          uint8_t *rgb) {
    config->output.colorspace = MODE_RGB;
    config->output.is_external_memory = 1;
    config->output.u.RGBA.rgba = rgb;
    config->output.u.RGBA.stride = (int)image->stride;
    config->output.u.RGBA.size = (size_t)(image->pixels + image->stride * image->height - rgb);
    return WebPDecode(f->data.bytes, f->data.size, config) == VP8_STATUS_OK;
}

vl_status vl_webp_decode(const void *bytes, size_t count, const vl_media_limits *limits,
                         vl_image **image, vl_error *error) {
    frame f;
    vl_image *made = NULL;
    WebPDecoderConfig config;
    *image = NULL;
    vl_status status = open_frame(bytes, count, limits, &f, error);
    if (!status)
        status = vl_image_new(f.canvas_width, f.canvas_height, 3, &made, error);
    if (status)
        return status;
    if (!WebPInitDecoderConfig(&config)) {
        vl_image_free(made);
        return vl_fail(error, VL_ERR_INTERNAL,
                       "libwebp is of another version than its headers");
    }
    if (f.features.has_animation || f.x || f.y || made->width != (uint32_t)f.features.width ||
        made->height != (uint32_t)f.features.height)
        memset(made->pixels, 255, made->stride * made->height);
    uint8_t *corner = made->pixels + f.y * made->stride + (size_t)f.x * 3;
    bool ok = f.features.has_alpha ? decode_with_alpha(&config, &f, corner, made->stride)
                                   : decode_opaque(&config, &f, made, corner);
    WebPFreeDecBuffer(&config.output);
    if (ok) {
        *image = made;
        return VL_OK;
    }
    vl_image_free(made);
    return vl_fail(error, VL_ERR_INPUT, "broken or truncated WebP");
}
