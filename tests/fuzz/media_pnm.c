/* media_pnm.c — any bytes as the answer of a decoding child: a rendered page, vislang-decode's
 * lines, pdfinfo's text. The first byte chooses which. */
#include "media/decode.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_image(vl_status status, vl_image *image) {
    if (status ? image != NULL : !image)
        abort();
    unsigned sum = 0;
    for (size_t i = 0; image && i < image->stride * image->height; i++)
        sum += image->pixels[i]; /* a sanitizer sees what is not there */
    volatile unsigned seen = sum;
    (void)seen;
    vl_image_free(image);
}

static void check_info(const char *info, const vl_media_limits *limits) {
    vl_pdf_page *pages;
    uint32_t count;
    vl_status status = vl_pdf_parse_info(info, limits, &pages, &count, NULL);
    if (status ? pages || count : !pages || count > limits->max_pages)
        abort();
    for (uint32_t i = 0; i < count; i++)
        if (!(pages[i].width >= 0) || !(pages[i].height >= 0))
            abort();
    free(pages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_media_limits limits = vl_media_limits_default();
    vl_buf reply;
    vl_image *image = NULL;
    vl_status status;
    uint32_t pages;
    if (!size)
        return 0;
    vl_buf_init(&reply, 1 << 22);
    vl_buf_append(&reply, data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        status = vl_pnm_take(&reply, 0, &limits, &image, NULL);
        check_image(status, image);
        break;
    case 1:
        vl_tiff_parse_count(&reply, &pages, NULL);
        status = vl_tiff_parse_page(&reply, &limits, &image, NULL);
        check_image(status, image);
        break;
    default:
        check_info(reply.data, &limits);
    }
    vl_buf_deinit(&reply);
    return 0;
}
