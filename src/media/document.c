/* document.c — one file: what it is, how many pages, each page decoded and upright. */
#include "media/decode.h"

#include <stdlib.h>

struct vl_document {
    const void *bytes;
    size_t count;
    vl_media_limits limits;
    vl_media_kind kind;
    uint32_t pages;
    vl_pdf_page *pdf_pages; /* `pages` of them; NULL unless a PDF */
};

vl_media_limits vl_media_limits_default(void) {
    return (vl_media_limits){
        .max_bytes = 100u << 20,
        .max_side = 20000,
        .max_pixels = 50000000,
        .max_pages = 2000,
        .max_seconds = 20,
        .max_memory = 768u << 20,
        .pdf_dpi = 200,
    };
}

int64_t vl_media_deadline(const vl_media_limits *limits) {
    return vl_clock_ns() + (int64_t)(limits->max_seconds * 1e9);
}

vl_status vl_media_check_size(uint64_t width, uint64_t height, const vl_media_limits *limits,
                              vl_error *error) {
    unsigned long long w = width, h = height;
    if (!width || !height)
        return vl_fail(error, VL_ERR_INPUT, "a picture of %llu×%llu pixels", w, h);
    if (width > limits->max_side || height > limits->max_side)
        return vl_fail(error, VL_ERR_LIMIT,
                       "a picture of %llu×%llu pixels; the limit is %u a side (max_side)", w, h,
                       limits->max_side);
    if (width * height > limits->max_pixels)
        return vl_fail(error, VL_ERR_LIMIT,
                       "a picture of %llu×%llu pixels; the limit is %llu in all (max_pixels)",
                       w, h, (unsigned long long)limits->max_pixels);
    return VL_OK;
}

static vl_status read_headers(vl_document *d, vl_error *error) {
    d->pages = 1;
    switch (d->kind) {
    case VL_MEDIA_JPEG:
        return vl_jpeg_check(d->bytes, d->count, &d->limits, error);
    case VL_MEDIA_PNG:
        return vl_png_check(d->bytes, d->count, &d->limits, error);
    case VL_MEDIA_WEBP:
        return vl_webp_check(d->bytes, d->count, &d->limits, error);
    case VL_MEDIA_TIFF:
        return vl_tiff_page_count(d->bytes, d->count, &d->limits, &d->pages, error);
    case VL_MEDIA_PDF:
        return vl_pdf_open(d->bytes, d->count, &d->limits, &d->pdf_pages, &d->pages, error);
    case VL_MEDIA_UNKNOWN:
        break;
    }
    return vl_fail(error, VL_ERR_INTERNAL, "a document of no kind was opened");
}

vl_status vl_document_open(const void *bytes, size_t count, const vl_media_limits *limits,
                           vl_document **document, vl_error *error) {
    *document = NULL;
    if (!count)
        return vl_fail(error, VL_ERR_INPUT, "the file is empty");
    if (count > limits->max_bytes)
        return vl_fail(error, VL_ERR_LIMIT, "the file has %zu bytes; the limit is %zu", count,
                       limits->max_bytes);
    vl_media_kind kind = vl_media_sniff(bytes, count);
    if (kind == VL_MEDIA_UNKNOWN)
        return vl_fail(error, VL_ERR_UNSUPPORTED,
                       "this looks like %s; JPEG, PNG, WebP, TIFF and PDF can be read",
                       vl_media_looks_like(bytes, count));
    vl_document *d = malloc(sizeof *d);
    if (!d)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    *d = (vl_document){.bytes = bytes, .count = count, .limits = *limits, .kind = kind};
    vl_status status = read_headers(d, error);
    if (!status && d->pages > limits->max_pages)
        status = vl_fail(error, VL_ERR_LIMIT, "the document has more than %u pages",
                         limits->max_pages);
    if (status)
        vl_document_free(d);
    else
        *document = d;
    return status;
}

void vl_document_free(vl_document *document) {
    if (!document)
        return;
    free(document->pdf_pages);
    free(document);
}

vl_media_kind vl_document_kind(const vl_document *document) {
    return document->kind;
}

uint32_t vl_document_page_count(const vl_document *document) {
    return document->pages;
}

vl_status vl_document_page(vl_document *d, uint32_t index, vl_image **image, vl_error *error) {
    *image = NULL;
    if (index >= d->pages)
        return vl_fail(error, VL_ERR_USAGE, "page %u of %u", index + 1, d->pages);
    vl_status status = VL_ERR_INTERNAL;
    switch (d->kind) {
    case VL_MEDIA_JPEG:
        status = vl_jpeg_decode(d->bytes, d->count, &d->limits, image, error);
        break;
    case VL_MEDIA_PNG:
        status = vl_png_decode(d->bytes, d->count, &d->limits, image, error);
        break;
    case VL_MEDIA_WEBP:
        status = vl_webp_decode(d->bytes, d->count, &d->limits, image, error);
        break;
    case VL_MEDIA_TIFF:
        return vl_tiff_decode(d->bytes, d->count, index, &d->limits, image, error);
    case VL_MEDIA_PDF:
        return vl_pdf_decode(d->bytes, d->count, index, d->pdf_pages[index], &d->limits, image,
                             error);
    case VL_MEDIA_UNKNOWN:
        return vl_fail(error, VL_ERR_INTERNAL, "a document of no kind was opened");
    }
    if (status)
        return status;
    *image = vl_image_orient(*image, vl_exif_orientation(d->kind, d->bytes, d->count));
    return *image ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory to turn the picture");
}

vl_status vl_document_first(const void *bytes, size_t count, const vl_media_limits *limits,
                            vl_image **image, vl_error *error) {
    vl_document *document;
    *image = NULL;
    vl_status status = vl_document_open(bytes, count, limits, &document, error);
    if (!status)
        status = vl_document_page(document, 0, image, error);
    vl_document_free(document);
    return status;
}
