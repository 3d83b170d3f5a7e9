/* webp.c — WebP in, through libwebp; of an animation, the first frame. */
#include "media/decode.h"

#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

static void over_white(const uint8_t *rgba, vl_image *image) {
    for (size_t i = 0; i < (size_t)image->width * image->height; i++) {
        unsigned alpha = rgba[4 * i + 3];
        for (size_t c = 0; c < 3; c++)
            image->pixels[3 * i + c] =
                (uint8_t)((rgba[4 * i + c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
}

static vl_status decode_still(const uint8_t *bytes, size_t count, vl_image *image,
                              vl_error *error) {
    size_t size = image->stride * image->height;
    if (WebPDecodeRGBInto(bytes, count, image->pixels, size, (int)image->stride))
        return VL_OK;
    return vl_fail(error, VL_ERR_INPUT, "broken or truncated WebP");
}

static vl_status decode_with_alpha(const uint8_t *bytes, size_t count, vl_image *image,
                                   vl_error *error) {
    int width, height;
    uint8_t *rgba = WebPDecodeRGBA(bytes, count, &width, &height);
    if (!rgba)
        return vl_fail(error, VL_ERR_INPUT, "broken or truncated WebP");
    bool same = (uint32_t)width == image->width && (uint32_t)height == image->height;
    if (same)
        over_white(rgba, image);
    WebPFree(rgba);
    return same ? VL_OK : vl_fail(error, VL_ERR_INPUT, "WebP whose sizes disagree");
}

/* Narrows (bytes, count) to the first frame of an animation. */
static vl_status first_frame(WebPDemuxer *demuxer, const uint8_t **bytes, size_t *count,
                             vl_error *error) {
    WebPIterator frame;
    if (!demuxer || !WebPDemuxGetFrame(demuxer, 1, &frame))
        return vl_fail(error, VL_ERR_INPUT, "WebP animation without a first frame");
    *bytes = frame.fragment.bytes;
    *count = frame.fragment.size;
    WebPDemuxReleaseIterator(&frame);
    return VL_OK;
}

vl_status vl_webp_decode(const void *data, size_t count, const vl_media_limits *limits,
                         vl_image **image, vl_error *error) {
    const uint8_t *bytes = data;
    WebPBitstreamFeatures features;
    WebPDemuxer *demuxer = NULL;
    vl_image *made = NULL;
    *image = NULL;
    if (WebPGetFeatures(bytes, count, &features) != VP8_STATUS_OK)
        return vl_fail(error, VL_ERR_INPUT, "broken or truncated WebP header");
    vl_status status =
        vl_media_check_size((uint64_t)features.width, (uint64_t)features.height, limits, error);
    if (!status && features.has_animation) {
        WebPData all = {.bytes = bytes, .size = count};
        demuxer = WebPDemux(&all);
        status = first_frame(demuxer, &bytes, &count, error);
        if (!status && WebPGetFeatures(bytes, count, &features) != VP8_STATUS_OK)
            status = vl_fail(error, VL_ERR_INPUT, "broken WebP frame");
        if (!status)
            status = vl_media_check_size((uint64_t)features.width, (uint64_t)features.height,
                                         limits, error);
    }
    if (!status)
        status =
            vl_image_new((uint32_t)features.width, (uint32_t)features.height, 3, &made, error);
    if (!status)
        status = features.has_alpha ? decode_with_alpha(bytes, count, made, error)
                                    : decode_still(bytes, count, made, error);
    WebPDemuxDelete(demuxer);
    if (status)
        vl_image_free(made);
    else
        *image = made;
    return status;
}
