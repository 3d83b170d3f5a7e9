/* write_png.c — the upright picture of a page, as its boxes are measured on it; with
 * options.redact what was found is painted over. A PNG is one picture, so a document has one
 * page. */
#include "ocr/writer.h"

static vl_status png_page(vl_ocr_writer *w, const vl_page *page, const vl_image *picture,
                          vl_error *error) {
    (void)page;
    if (!picture)
        return vl_fail(error, VL_ERR_INTERNAL, "a picture is written from a picture");
    if (w->pages)
        return vl_fail(error, VL_ERR_UNSUPPORTED,
                       "a PNG holds one page, and the document has more: ask for pdf");
    return vl_image_encode_png_level(picture, 1, &w->buf, error);
}

static vl_status png_bad_page(vl_ocr_writer *w, const vl_error *reason, vl_error *error) {
    (void)w;
    return vl_fail(error, reason->status, "%s", reason->message);
}

const vl_format_ops vl_format_png = {
    .name = "png", .extension = ".page.png", .page = png_page, .bad_page = png_bad_page};
