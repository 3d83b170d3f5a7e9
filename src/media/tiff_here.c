/* tiff_here.c — TIFF through libtiff, in the sandboxed child.
 *
 * libtiff turns every photometric, depth, layout and compression into 32-bit pixels; single
 * allocations are limited, and directories that loop are cut off by counting. */
#include "media/tiff_here.h"
#include "media/decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>

typedef struct complaint {
    char text[200];
} complaint;

/* The last thing libtiff complained about, for the message. */
static int keep_error(TIFF *tiff, void *user, const char *module, const char *format,
                      va_list args) {
    (void)tiff;
    (void)module;
    vsnprintf(((complaint *)user)->text, sizeof((complaint *)user)->text, format, args);
    return 1;
}

static int drop_warning(TIFF *tiff, void *user, const char *module, const char *format,
                        va_list args) {
    (void)tiff;
    (void)user;
    (void)module;
    (void)format;
    (void)args;
    return 1;
}

static TIFF *open_tiff(int fd, const vl_media_limits *limits, complaint *said) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options)
        return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)(limits->max_memory / 2));
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, said);
    TIFFOpenOptionsSetWarningHandlerExtR(options, drop_warning, NULL);
    TIFF *tiff = TIFFFdOpenExt(fd, "file", "r", options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

static vl_status broken(const complaint *said, vl_error *error) {
    return vl_fail(error, VL_ERR_INPUT, "broken TIFF: %s",
                   *said->text ? said->text : "no directory can be read");
}

vl_status vl_tiff_count_here(int fd, const vl_media_limits *limits, uint32_t *pages,
                             vl_error *error) {
    complaint said = {""};
    TIFF *tiff = open_tiff(fd, limits, &said);
    if (!tiff)
        return broken(&said, error);
    *pages = 0;
    do
        ++*pages;
    while (*pages <= limits->max_pages && TIFFReadDirectory(tiff));
    TIFFClose(tiff);
    return VL_OK;
}

static double density(TIFF *tiff) {
    float x = 0;
    uint16_t unit = RESUNIT_INCH;
    if (!TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &x) || !(x > 0 && x < 100000))
        return 0;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
    return unit == RESUNIT_INCH ? (double)x : unit == RESUNIT_CENTIMETER ? (double)x * 2.54 : 0;
}

/* libtiff's pixels carry colours multiplied by alpha; white shows through the rest. */
static void unpack(const uint32_t *raster, vl_image *image) {
    uint32_t channels = image->channels;
    for (size_t i = 0; i < (size_t)image->width * image->height; i++) {
        uint32_t p = raster[i], paper = 255 - TIFFGetA(p);
        uint32_t rgb[3] = {TIFFGetR(p) + paper, TIFFGetG(p) + paper, TIFFGetB(p) + paper};
        for (uint32_t c = 0; c < channels; c++)
            image->pixels[i * channels + c] = (uint8_t)(rgb[c] > 255 ? 255 : rgb[c]);
    }
}

static vl_status read_page(TIFF *tiff, const vl_media_limits *limits, const complaint *said,
                           vl_image **image, int *orientation, vl_error *error) {
    uint32_t width = 0, height = 0;
    uint16_t turn = ORIENTATION_TOPLEFT, photometric = PHOTOMETRIC_RGB;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &turn);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    vl_status status = vl_media_check_size(width, height, limits, error);
    if (status)
        return status;
    *orientation = turn;
    bool grey = photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
    uint32_t *raster = _TIFFmalloc((tmsize_t)width * height * 4);
    if (!raster)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %u×%u pixels", width, height);
    memset(raster, 0xFF, (size_t)width * height * 4);
    /* Asked for as it is stored: turning is the caller's. A page that breaks off in the middle
     * is an error only when nothing of it came. */
    int whole = TIFFReadRGBAImageOriented(tiff, width, height, raster, turn, 1);
    if (!whole)
        status = broken(said, error);
    if (!status)
        status = vl_image_new(width, height, grey ? 1 : 3, image, error);
    if (!status) {
        unpack(raster, *image);
        (*image)->dpi = density(tiff);
    }
    _TIFFfree(raster);
    return status;
}

vl_status vl_tiff_decode_here(int fd, uint32_t page, const vl_media_limits *limits,
                              vl_image **image, int *orientation, vl_error *error) {
    complaint said = {""};
    *image = NULL;
    TIFF *tiff = open_tiff(fd, limits, &said);
    if (!tiff)
        return broken(&said, error);
    vl_status status = VL_OK;
    for (uint32_t i = 0; i < page && !status; i++)
        if (!TIFFReadDirectory(tiff))
            status = broken(&said, error);
    if (!status)
        status = read_page(tiff, limits, &said, image, orientation, error);
    TIFFClose(tiff);
    return status;
}
