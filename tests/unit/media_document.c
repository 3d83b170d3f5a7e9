/* media_document.c — documents: what kind a file is, pages, limits with their exact status,
 * colour, transparency, and the answers of decoding children. */
#include "media/decode.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>
#include <webp/encode.h>

#include <cmocka.h>

typedef struct bytes_of {
    const char *bytes;
    size_t count;
} bytes_of;
#define BYTES(text)                                                                            \
    { text, sizeof(text) - 1 }

/* ---- kinds ------------------------------------------------------------------------------ */

static void kind_is_found_by_content(void **state) {
    (void)state;
    static const struct {
        bytes_of file;
        vl_media_kind kind;
        const char *looks_like;
    } cases[] = {
        {BYTES("\xFF\xD8\xFF\xE0"), VL_MEDIA_JPEG, "a JPEG picture"},
        {BYTES("\x89PNG\r\n\x1A\n"), VL_MEDIA_PNG, "a PNG picture"},
        {BYTES("RIFF\0\0\0\0WEBP"), VL_MEDIA_WEBP, "a WebP picture"},
        {BYTES("II*\0"), VL_MEDIA_TIFF, "a TIFF picture"},
        {BYTES("MM\0*"), VL_MEDIA_TIFF, "a TIFF picture"},
        {BYTES("II+\0"), VL_MEDIA_TIFF, "a BigTIFF picture"},
        {BYTES("%PDF-1.4"), VL_MEDIA_PDF, NULL},
        {BYTES("\n\n junk %PDF-1.4"), VL_MEDIA_PDF, NULL},
        {BYTES(""), VL_MEDIA_UNKNOWN, "an empty file"},
        {BYTES("GIF89a"), VL_MEDIA_UNKNOWN, "a GIF picture"},
        {BYTES("BM\x46\0\0\0\0\0\0\0\x36\0\0\0"), VL_MEDIA_UNKNOWN, "a BMP picture"},
        {BYTES("BMW drivers"), VL_MEDIA_UNKNOWN, "plain text"},
        {BYTES("\0\0\0\x18"
               "ftypheic"),
         VL_MEDIA_UNKNOWN, "a HEIC picture"},
        {BYTES("\0\0\0\x18"
               "ftypavif"),
         VL_MEDIA_UNKNOWN, "an AVIF picture"},
        {BYTES("\0\0\0\x18"
               "ftypisom"),
         VL_MEDIA_UNKNOWN, "a video"},
        {BYTES("  <SVG xmlns="), VL_MEDIA_UNKNOWN, "an SVG drawing"},
        {BYTES("<?xml version=\"1.0\"?>\n<svg>"), VL_MEDIA_UNKNOWN, "an SVG drawing"},
        {BYTES("<?xml version=\"1.0\"?>\n<alto>"), VL_MEDIA_UNKNOWN, "an XML document"},
        {BYTES("\xEF\xBB\xBF\n<!DOCTYPE HTML>"), VL_MEDIA_UNKNOWN, "a web page"},
        {BYTES("PK\3\4"), VL_MEDIA_UNKNOWN, "a ZIP archive"},
        {BYTES("PK\3\4....word/document.xml"), VL_MEDIA_UNKNOWN, "a Word document"},
        {BYTES("PK\3\4....xl/workbook.xml"), VL_MEDIA_UNKNOWN, "an Excel workbook"},
        {BYTES("PK\3\4...mimetypeapplication/epub+zip"), VL_MEDIA_UNKNOWN, "an EPUB book"},
        {BYTES("\xD0\xCF\x11\xE0"), VL_MEDIA_UNKNOWN,
         "an old Word, Excel or PowerPoint document"},
        {BYTES("maji safi"), VL_MEDIA_UNKNOWN, "plain text"},
        {{NULL, 0}, VL_MEDIA_UNKNOWN, "an empty file"},
        {BYTES("\xFF\xFEm\0a\0"), VL_MEDIA_UNKNOWN, "plain text"},
        {BYTES("\1\2\3\0\0\0\xFF\xFE"), VL_MEDIA_UNKNOWN, "no kind of file known here"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bytes_of *file = &cases[i].file;
        assert_int_equal(vl_media_sniff(file->bytes, file->count), cases[i].kind);
        if (cases[i].looks_like)
            assert_string_equal(vl_media_looks_like(file->bytes, file->count),
                                cases[i].looks_like);
    }
    assert_string_equal(vl_media_kind_name(VL_MEDIA_WEBP), "webp");
    assert_string_equal(vl_media_kind_type(VL_MEDIA_PDF), "application/pdf");
}

/* ---- making documents ------------------------------------------------------------------- */

static vl_status open_and_read(const vl_buf *bytes, const vl_media_limits *limits,
                               uint32_t page, uint32_t *pages, vl_image **image,
                               vl_error *error) {
    vl_document *document;
    *image = NULL;
    vl_status status = vl_document_open(bytes->data, bytes->len, limits, &document, error);
    if (status)
        return status;
    if (pages)
        *pages = vl_document_page_count(document);
    status = vl_document_page(document, page, image, error);
    vl_document_free(document);
    return status;
}

static vl_image *must_read(const vl_buf *bytes, uint32_t page, uint32_t *pages) {
    vl_image *image;
    vl_error error = {0};
    vl_media_limits limits = vl_media_limits_default();
    if (open_and_read(bytes, &limits, page, pages, &image, &error))
        fail_msg("%s", error.message);
    return image;
}

static void png_of(const void *samples, uint32_t width, uint32_t height, uint32_t format,
                   vl_buf *out) {
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = format};
    png_alloc_size_t count = 1 << 20;
    uint8_t *bytes = malloc(count);
    vl_buf_init(out, 1 << 20);
    assert_true(png_image_write_to_memory(&image, bytes, &count, 0, samples, 0, NULL));
    vl_buf_append(out, bytes, count);
    free(bytes);
}

/* Three pages of 40×(20 + 10·page), page n of the tone 50·n. */
static void tiff_of_three(vl_buf *out) {
    char path[] = TEST_BINARY_DIR "/test-tiff-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    TIFF *tiff = TIFFFdOpen(fd, path, "w");
    for (uint32_t page = 0; page < 3; page++) {
        uint8_t row[40];
        memset(row, (int)(50 * page), sizeof row);
        TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 40);
        TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 20 + 10 * page);
        TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
        TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_LZW);
        TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 118.11);
        TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
        for (uint32_t y = 0; y < 20 + 10 * page; y++)
            assert_int_equal(TIFFWriteScanline(tiff, row, y, 0), 1);
        assert_true(TIFFWriteDirectory(tiff));
    }
    TIFFClose(tiff);
    vl_buf_init(out, 1 << 20);
    assert_int_equal(vl_file_read(path, 1 << 20, out, NULL), VL_OK);
    remove(path);
}

/* `pages` pages of 144×72 points; page n begins with a black square of n·9 points. */
static void pdf_of(unsigned pages, vl_buf *out) {
    vl_buf_init(out, 1 << 20);
    vl_buf_puts(out, "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n"
                     "<</Type/Pages/Kids[");
    for (unsigned i = 0; i < pages; i++)
        vl_buf_printf(out, "%u 0 R ", 3 + 2 * i);
    vl_buf_printf(out, "]/Count %u>>\nendobj\n", pages);
    for (unsigned i = 0; i < pages; i++) {
        char content[64];
        int length = snprintf(content, sizeof content, "0 0 %u %u re f", 9 * i, 9 * i);
        vl_buf_printf(out,
                      "%u 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 144 72]/Contents %u 0 "
                      "R>>\nendobj\n%u 0 obj\n<</Length %d>>stream\n%s\nendstream\nendobj\n",
                      3 + 2 * i, 4 + 2 * i, 4 + 2 * i, length, content);
    }
    vl_buf_printf(out, "trailer\n<</Root 1 0 R/Size %u>>\n%%%%EOF\n", 3 + 2 * pages);
}

/* ---- colour and transparency ------------------------------------------------------------ */

static void transparency_lies_over_white(void **state) {
    (void)state;
    static const uint8_t rgba[] = {255, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 128};
    static const uint8_t expected[] = {255, 0, 0, 255, 255, 255, 127, 127, 127};
    vl_buf bytes;
    png_of(rgba, 3, 1, PNG_FORMAT_RGBA, &bytes);
    vl_image *image = must_read(&bytes, 0, NULL);
    assert_int_equal(image->channels, 3);
    for (size_t i = 0; i < sizeof expected; i++)
        assert_true(abs(image->pixels[i] - expected[i]) <= 1);
    vl_image_free(image);
    vl_buf_deinit(&bytes);

    static const uint8_t grey_alpha[] = {100, 255, 100, 0};
    png_of(grey_alpha, 2, 1, PNG_FORMAT_GA, &bytes);
    image = must_read(&bytes, 0, NULL);
    assert_int_equal(image->channels, 1);
    assert_int_equal(image->pixels[0], 100);
    assert_int_equal(image->pixels[1], 255);
    vl_image_free(image);
    vl_buf_deinit(&bytes);

    uint8_t *webp;
    size_t count = WebPEncodeLosslessRGBA(rgba, 3, 1, 12, &webp);
    vl_buf_init(&bytes, 1 << 20);
    vl_buf_append(&bytes, webp, count);
    WebPFree(webp);
    image = must_read(&bytes, 0, NULL);
    for (size_t i = 0; i < sizeof expected; i++)
        assert_true(abs(image->pixels[i] - expected[i]) <= 1);
    vl_image_free(image);
    vl_buf_deinit(&bytes);
}

/* A flat CMYK JPEG; `adobe`: with Adobe's marker, and so inverted. */
static void cmyk_jpeg(const uint8_t ink[4], bool adobe, vl_buf *out) {
    uint8_t row[16 * 4];
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long count = 0;
    for (size_t i = 0; i < sizeof row; i++)
        row[i] = adobe ? (uint8_t)(255 - ink[i % 4]) : ink[i % 4];
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &bytes, &count);
    info.image_width = info.image_height = 16;
    info.input_components = 4;
    info.in_color_space = JCS_CMYK;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 100, TRUE);
    info.write_Adobe_marker = adobe;
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < 16)
        jpeg_write_scanlines(&info, &(JSAMPROW){row}, 1);
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    vl_buf_init(out, 1 << 20);
    vl_buf_append(out, bytes, count);
    free(bytes);
}

static void inks_become_light(void **state) {
    (void)state;
    static const struct {
        uint8_t ink[4], rgb[3];
    } cases[] = {
        {{0, 0, 0, 0}, {255, 255, 255}},   {{0, 0, 0, 255}, {0, 0, 0}},
        {{255, 0, 0, 0}, {0, 255, 255}},   {{0, 255, 0, 0}, {255, 0, 255}},
        {{0, 0, 255, 128}, {127, 127, 0}}, {{100, 50, 0, 0}, {155, 205, 255}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int adobe = 0; adobe < 2; adobe++) {
            vl_buf bytes;
            cmyk_jpeg(cases[i].ink, adobe, &bytes);
            vl_image *image = must_read(&bytes, 0, NULL);
            for (size_t c = 0; c < 3; c++)
                assert_true(abs(image->pixels[c] - cases[i].rgb[c]) <= 2);
            vl_image_free(image);
            vl_buf_deinit(&bytes);
        }
}

/* ---- pages ------------------------------------------------------------------------------ */

static void tiff_has_its_pages(void **state) {
    (void)state;
    vl_buf bytes;
    tiff_of_three(&bytes);
    for (uint32_t page = 0; page < 3; page++) {
        uint32_t pages;
        vl_image *image = must_read(&bytes, page, &pages);
        assert_int_equal(pages, 3);
        assert_int_equal(image->width, 40);
        assert_int_equal(image->height, 20 + 10 * page);
        assert_int_equal(image->channels, 1);
        assert_int_equal(image->pixels[0], 50 * page);
        assert_true(image->dpi == 300);
        vl_image_free(image);
    }
    vl_buf_deinit(&bytes);
}

static void pdf_has_its_pages(void **state) {
    (void)state;
    vl_buf bytes;
    pdf_of(3, &bytes);
    for (uint32_t page = 0; page < 3; page++) {
        uint32_t pages;
        vl_image *image = must_read(&bytes, page, &pages);
        assert_int_equal(pages, 3);
        assert_int_equal(image->width, 400);
        assert_int_equal(image->height, 200);
        assert_true(image->dpi == 200);
        size_t dark = 0;
        for (uint32_t x = 0; x < image->width; x++)
            dark +=
                image->pixels[(image->height - 2) * image->stride + x * image->channels] < 128;
        assert_int_equal(dark, 25 * page);
        vl_image_free(image);
    }
    vl_buf_deinit(&bytes);
}

/* ---- limits ----------------------------------------------------------------------------- */

static void set_side(vl_media_limits *limits) {
    limits->max_side = 30;
}
static void set_pixels(vl_media_limits *limits) {
    limits->max_pixels = 100;
}
static void set_bytes(vl_media_limits *limits) {
    limits->max_bytes = 10;
}
static void set_pages(vl_media_limits *limits) {
    limits->max_pages = 2;
}
static void set_no_time(vl_media_limits *limits) {
    limits->max_seconds = 0;
}

static void make_png(vl_buf *out) {
    uint8_t samples[40 * 20] = {0};
    png_of(samples, 40, 20, PNG_FORMAT_GRAY, out);
}
static void make_jpeg(vl_buf *out) {
    vl_image *image;
    assert_int_equal(vl_image_new(40, 20, 1, &image, NULL), VL_OK);
    memset(image->pixels, 99, 800);
    vl_buf_init(out, 1 << 20);
    assert_int_equal(vl_image_encode_jpeg(image, 90, out, NULL), VL_OK);
    vl_image_free(image);
}
static void make_webp(vl_buf *out) {
    uint8_t samples[40 * 20 * 3] = {0}, *webp;
    size_t count = WebPEncodeLosslessRGB(samples, 40, 20, 120, &webp);
    vl_buf_init(out, 1 << 20);
    vl_buf_append(out, webp, count);
    WebPFree(webp);
}
static void make_pdf(vl_buf *out) {
    pdf_of(3, out);
}

static void limits_hold_with_their_status(void **state) {
    (void)state;
    static const struct {
        void (*make)(vl_buf *);
        void (*set)(vl_media_limits *);
        vl_status opened, read;
        const char *says;
    } cases[] = {
        {make_png, set_side, VL_ERR_LIMIT, VL_OK, "max_side"},
        {make_jpeg, set_side, VL_ERR_LIMIT, VL_OK, "max_side"},
        {make_webp, set_side, VL_ERR_LIMIT, VL_OK, "max_side"},
        {make_png, set_pixels, VL_ERR_LIMIT, VL_OK, "max_pixels"},
        {make_jpeg, set_pixels, VL_ERR_LIMIT, VL_OK, "max_pixels"},
        {make_webp, set_pixels, VL_ERR_LIMIT, VL_OK, "max_pixels"},
        {tiff_of_three, set_pixels, VL_OK, VL_ERR_LIMIT, "max_pixels"},
        {tiff_of_three, set_side, VL_OK, VL_ERR_LIMIT, "max_side"},
        {make_png, set_bytes, VL_ERR_LIMIT, VL_OK, "10"},
        {make_pdf, set_bytes, VL_ERR_LIMIT, VL_OK, "10"},
        {tiff_of_three, set_pages, VL_ERR_LIMIT, VL_OK, "2 pages"},
        {make_pdf, set_pages, VL_ERR_LIMIT, VL_OK, "3 pages"},
        {make_png, set_no_time, VL_OK, VL_ERR_TIMEOUT, "too long"},
        {make_jpeg, set_no_time, VL_OK, VL_ERR_TIMEOUT, "too long"},
        {make_pdf, set_no_time, VL_ERR_TIMEOUT, VL_OK, "longer"},
        {tiff_of_three, set_no_time, VL_ERR_TIMEOUT, VL_OK, "longer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_buf bytes;
        vl_document *document;
        vl_image *image = NULL;
        vl_error error = {0};
        vl_media_limits limits = vl_media_limits_default();
        cases[i].make(&bytes);
        cases[i].set(&limits);
        vl_status status = vl_document_open(bytes.data, bytes.len, &limits, &document, &error);
        if (status != cases[i].opened)
            fail_msg("case %zu opened with %s: %s", i, vl_status_name(status), error.message);
        if (!status)
            assert_int_equal(vl_document_page(document, 0, &image, &error), cases[i].read);
        assert_null(image);
        assert_int_equal(vl_document_first(bytes.data, bytes.len, &limits, &image, NULL),
                         status ? status : cases[i].read);
        assert_null(image);
        if (!strstr(error.message, cases[i].says))
            fail_msg("case %zu says: %s", i, error.message);
        vl_document_free(document);
        vl_buf_deinit(&bytes);
    }
}

/* A PDF page too large for the limits is drawn more coarsely instead. */
static void pdf_resolution_yields_to_limits(void **state) {
    (void)state;
    vl_buf bytes;
    vl_image *image;
    vl_media_limits limits = vl_media_limits_default();
    pdf_of(1, &bytes);
    limits.max_side = 100;
    assert_int_equal(open_and_read(&bytes, &limits, 0, NULL, &image, NULL), VL_OK);
    assert_true(image->width <= 100 && image->width >= 97);
    assert_true(fabs(image->dpi - 49.5) < 1);
    vl_image_free(image);
    limits = vl_media_limits_default();
    limits.max_pixels = 20000;
    assert_int_equal(open_and_read(&bytes, &limits, 0, NULL, &image, NULL), VL_OK);
    assert_true((uint64_t)image->width * image->height <= 20000 && image->width >= 190);
    vl_image_free(image);
    vl_buf_deinit(&bytes);
}

static void bad_input_is_said_to_be_bad(void **state) {
    (void)state;
    static const struct {
        bytes_of file;
        vl_status status;
        const char *says;
    } cases[] = {
        {BYTES(""), VL_ERR_INPUT, "empty"},
        {BYTES("hello there"), VL_ERR_UNSUPPORTED, "plain text"},
        {BYTES("GIF89a...."), VL_ERR_UNSUPPORTED, "GIF"},
        {BYTES("\xFF\xD8\xFF"), VL_ERR_INPUT, "JPEG"},
        {BYTES("\x89PNG\r\n\x1A\n"), VL_ERR_INPUT, "PNG"},
        {BYTES("RIFF\0\0\0\0WEBP"), VL_ERR_INPUT, "WebP"},
        {BYTES("II*\0\x08\0\0\0"), VL_ERR_INPUT, "TIFF"},
        {BYTES("%PDF-1.4\n"), VL_ERR_INPUT, "PDF"},
    };
    vl_media_limits limits = vl_media_limits_default();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_document *document;
        vl_error error = {0};
        assert_int_equal(vl_document_open(cases[i].file.bytes, cases[i].file.count, &limits,
                                          &document, &error),
                         cases[i].status);
        assert_null(document);
        assert_int_equal(error.status, cases[i].status);
        if (!strstr(error.message, cases[i].says))
            fail_msg("case %zu says: %s", i, error.message);
    }
}

/* A JPEG with less than half of its rows is refused, one with more is shown. */
static void jpeg_cut_short(void **state) {
    (void)state;
    vl_image *noise;
    vl_buf bytes;
    uint32_t random = 1;
    assert_int_equal(vl_image_new(256, 256, 1, &noise, NULL), VL_OK);
    for (size_t i = 0; i < 256 * 256; i++)
        noise->pixels[i] = (uint8_t)((random = random * 1664525u + 1013904223u) >> 24);
    vl_buf_init(&bytes, 1 << 20);
    assert_int_equal(vl_image_encode_jpeg(noise, 90, &bytes, NULL), VL_OK);
    for (size_t percent = 10; percent < 100; percent += 10) {
        vl_image *image;
        vl_error error = {0};
        vl_media_limits limits = vl_media_limits_default();
        vl_buf cut = {.data = bytes.data, .len = bytes.len * percent / 100};
        vl_status status = open_and_read(&cut, &limits, 0, NULL, &image, &error);
        if (percent != 50) /* too near the line */
            assert_int_equal(status, percent < 50 ? VL_ERR_INPUT : VL_OK);
        assert_true(status ? strstr(error.message, "of 256 rows") != NULL
                           : image->height == 256);
        vl_image_free(image);
    }
    vl_image_free(noise);
    vl_buf_deinit(&bytes);
}

static void a_page_that_is_not_there(void **state) {
    (void)state;
    vl_buf bytes;
    vl_image *image;
    vl_media_limits limits = vl_media_limits_default();
    make_png(&bytes);
    assert_int_equal(open_and_read(&bytes, &limits, 1, NULL, &image, NULL), VL_ERR_USAGE);
    vl_buf_deinit(&bytes);
}

/* ---- what children answer --------------------------------------------------------------- */

static void rendered_pages_are_checked(void **state) {
    (void)state;
    static const struct {
        bytes_of reply;
        vl_status status;
    } cases[] = {
        {BYTES("P5 2 2 255\n\1\2\3\4"), VL_OK},
        {BYTES("P5\n# poppler\n2 2\n255\n\1\2\3\4"), VL_OK},
        {BYTES("P6 1 1 255 \1\2\3"), VL_OK},
        {BYTES("P5 2 2 255\n\1\2\3"), VL_ERR_INPUT},
        {BYTES("P5 2 2 65535\n\1\2\3\4\5\6\7\10"), VL_ERR_INPUT},
        {BYTES("P4 8 1\n\1"), VL_ERR_INPUT},
        {BYTES("P5 0 2 255\n"), VL_ERR_INPUT},
        {BYTES("P5 99999 1 255\n\1"), VL_ERR_LIMIT},
        {BYTES("P5 18446744073709551617 1 255\n\1"), VL_ERR_INPUT},
        {BYTES("P5 -1 1 255\n\1"), VL_ERR_INPUT},
        {BYTES("P5 2 2 255"), VL_ERR_INPUT},
        {BYTES("P"), VL_ERR_INPUT},
        {BYTES(""), VL_ERR_INPUT},
    };
    vl_media_limits limits = vl_media_limits_default();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_buf reply;
        vl_image *image;
        vl_buf_init(&reply, 1 << 10);
        vl_buf_append(&reply, cases[i].reply.bytes, cases[i].reply.count);
        assert_int_equal(vl_pnm_take(&reply, 0, &limits, &image, NULL), cases[i].status);
        if (!cases[i].status)
            assert_int_equal(image->pixels[0], 1);
        vl_image_free(image);
        vl_buf_deinit(&reply);
    }
}

static void decoder_answers_are_checked(void **state) {
    (void)state;
    static const struct {
        bytes_of reply;
        vl_status status;
        uint32_t width;
        double dpi;
    } cases[] = {
        {BYTES("page 1 300 300\nP5 2 1 255\n\1\2"), VL_OK, 2, 300},
        {BYTES("page 6 0 0\nP5 2 1 255\n\1\2"), VL_OK, 1, 0},
        {BYTES("page 77 0 0\nP5 2 1 255\n\1\2"), VL_OK, 2, 0},
        {BYTES("page 1 999999 999999\nP5 2 1 255\n\1\2"), VL_OK, 2, 0},
        {BYTES("page 1 98 196\nP5 2 1 255\n\1\2"), VL_OK, 4, 196},
        {BYTES("page 1 204 98\nP5 2 1 255\n\1\2"), VL_OK, 2, 204},
        {BYTES("page 1 300 1\nP5 2 1 255\n\1\2"), VL_OK, 2, 300},
        {BYTES("page 1 300"), VL_ERR_INPUT, 0, 0},
        {BYTES("page 1 300\n"), VL_ERR_INPUT, 0, 0},
        {BYTES("error limit too large"), VL_ERR_LIMIT, 0, 0},
        {BYTES("error unsupported odd"), VL_ERR_UNSUPPORTED, 0, 0},
        {BYTES("error internal odd"), VL_ERR_INPUT, 0, 0},
        {BYTES("error"), VL_ERR_INPUT, 0, 0},
        {BYTES(""), VL_ERR_INPUT, 0, 0},
    };
    vl_media_limits limits = vl_media_limits_default();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_buf reply;
        vl_image *image;
        vl_buf_init(&reply, 1 << 10);
        vl_buf_append(&reply, cases[i].reply.bytes, cases[i].reply.count);
        assert_int_equal(vl_tiff_parse_page(&reply, &limits, &image, NULL), cases[i].status);
        if (!cases[i].status) {
            assert_int_equal(image->width, cases[i].width);
            assert_true(image->dpi == cases[i].dpi);
        }
        vl_image_free(image);
        vl_buf_deinit(&reply);
    }
}

static void pdfinfo_answers_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *info;
        vl_status status;
        uint32_t pages;
        double width;
    } cases[] = {
        {"Pages:           1\nPage    1 size: 595.32 x 841.92 pts (A4)\n", VL_OK, 1, 595.32},
        {"Title: x\nPages: 9\nPages:           2\nPage    2 size: 1 x 1 pts\n", VL_OK, 2, 0},
        {"Pages: 1\nPage 1 size: inf x nan pts\n", VL_OK, 1, 0},
        {"Pages: 1\nPage 1 size: -5 x 5 pts\nPage 9 size: 5 x 5 pts\n", VL_OK, 1, 0},
        {"Pages: 0\n", VL_ERR_INPUT, 0, 0},
        {"Pages: -1\n", VL_ERR_LIMIT, 0, 0},
        {"Pages: 2001\n", VL_ERR_LIMIT, 0, 0},
        {"", VL_ERR_INPUT, 0, 0},
    };
    vl_media_limits limits = vl_media_limits_default();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_pdf_page *pages;
        uint32_t count;
        assert_int_equal(vl_pdf_parse_info(cases[i].info, &limits, &pages, &count, NULL),
                         cases[i].status);
        assert_int_equal(count, cases[i].pages);
        if (!cases[i].status)
            assert_true(pages[0].width == cases[i].width);
        free(pages);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kind_is_found_by_content),
        cmocka_unit_test(transparency_lies_over_white),
        cmocka_unit_test(inks_become_light),
        cmocka_unit_test(tiff_has_its_pages),
        cmocka_unit_test(pdf_has_its_pages),
        cmocka_unit_test(limits_hold_with_their_status),
        cmocka_unit_test(pdf_resolution_yields_to_limits),
        cmocka_unit_test(bad_input_is_said_to_be_bad),
        cmocka_unit_test(jpeg_cut_short),
        cmocka_unit_test(a_page_that_is_not_there),
        cmocka_unit_test(rendered_pages_are_checked),
        cmocka_unit_test(decoder_answers_are_checked),
        cmocka_unit_test(pdfinfo_answers_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
