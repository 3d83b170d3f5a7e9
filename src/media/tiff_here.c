/* tiff_here.c — TIFF through libtiff, in the sandboxed child.
 *
 * libtiff turns every photometric, depth, layout and compression into 32-bit pixels, which are
 * narrowed where they stand; single allocations are limited, and directories that loop are cut
 * off by counting. A page with a broken strip is refused. */
#include "media/tiff_here.h"
#include "media/decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

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
    TIFFOpenOptions *options = lseek(fd, 0, SEEK_SET) == 0 ? TIFFOpenOptionsAlloc() : NULL;
    if (!options)
        return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)(limits->max_memory / 2));
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, said);
    TIFFOpenOptionsSetWarningHandlerExtR(options, drop_warning, NULL);
    TIFF *tiff = TIFFFdOpenExt(fd, "file", "r", options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

/* TIFFClose would close the caller's descriptor as well. */
static void close_tiff(TIFF *tiff) {
    TIFFCleanup(tiff);
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
    close_tiff(tiff);
    return VL_OK;
}

static double density(TIFF *tiff, uint32_t tag) {
    float dots = 0;
    uint16_t unit = RESUNIT_INCH;
    if (!TIFFGetField(tiff, tag, &dots) || !(dots > 0 && dots < 10000))
        return 0;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
    return unit == RESUNIT_INCH         ? (double)dots
           : unit == RESUNIT_CENTIMETER ? (double)dots * 2.54
                                        : 0;
}

/* From 32-bit pixels to 1 or 3 bytes each, in place: what is written never overtakes what is
 * read. libtiff's colours come multiplied by alpha; white shows through the rest. */
static void narrow(uint32_t *raster, size_t pixels, uint32_t channels) {
    uint8_t *out = (uint8_t *)raster;
    for (size_t i = 0; i < pixels; i++) {
        uint32_t p = raster[i], paper = 255 - TIFFGetA(p);
        uint32_t rgb[3] = {TIFFGetR(p) + paper, TIFFGetG(p) + paper, TIFFGetB(p) + paper};
        for (uint32_t c = 0; c < channels; c++)
            *out++ = (uint8_t)(rgb[c] > 255 ? 255 : rgb[c]);
    }
}

static vl_status read_page(TIFF *tiff, const vl_media_limits *limits, const complaint *said,
                           vl_tiff_page *page, vl_error *error) {
    uint32_t width = 0, height = 0;
    uint16_t turn = ORIENTATION_TOPLEFT, photometric = PHOTOMETRIC_RGB;
    char reason[1024] = "";
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &turn);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    vl_status status = vl_media_check_size(width, height, limits, error);
    if (status)
        return status;
    if (!TIFFRGBAImageOK(tiff, reason))
        return vl_fail(error, VL_ERR_UNSUPPORTED, "a TIFF of a kind not read here: %.200s",
                       reason);
    if (turn < 1 || turn > 8)
        turn = ORIENTATION_TOPLEFT;
    size_t pixels = (size_t)width * height;
    uint32_t *raster = _TIFFmalloc((tmsize_t)(pixels * sizeof *raster));
    if (!raster)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %u×%u pixels", width, height);
    memset(raster, 0xFF, pixels * sizeof *raster);
    /* Asked for as it is stored: turning is the parent's. */
    if (!TIFFReadRGBAImageOriented(tiff, width, height, raster, turn, 1)) {
        _TIFFfree(raster);
        return broken(said, error);
    }
    bool grey = photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
    *page = (vl_tiff_page){.width = width,
                           .height = height,
                           .channels = grey ? 1 : 3,
                           .orientation = turn,
                           .dpi = density(tiff, TIFFTAG_XRESOLUTION),
                           .dpi_y = density(tiff, TIFFTAG_YRESOLUTION),
                           .samples = (uint8_t *)raster};
    narrow(raster, pixels, page->channels);
    return VL_OK;
}

void vl_tiff_page_deinit(vl_tiff_page *page) {
    _TIFFfree(page->samples);
    *page = (vl_tiff_page){0};
}

vl_status vl_tiff_decode_here(int fd, uint32_t index, const vl_media_limits *limits,
                              vl_tiff_page *page, vl_error *error) {
    complaint said = {""};
    *page = (vl_tiff_page){0};
    TIFF *tiff = open_tiff(fd, limits, &said);
    if (!tiff)
        return broken(&said, error);
    vl_status status = VL_OK;
    for (uint32_t i = 0; i < index && !status; i++)
        if (!TIFFReadDirectory(tiff))
            status = broken(&said, error);
    if (!status)
        status = read_page(tiff, limits, &said, page, error);
    close_tiff(tiff);
    return status;
}
