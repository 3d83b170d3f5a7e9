/* make_seeds.c — writes sound files of every kind that needs a codec: JPEG, WebP and TIFF in
 * their variants. make_corpus.py breaks them; sound ones must decode to the size in seeds.tsv.
 *
 * usage: make_seeds DIRECTORY
 * DIRECTORY/seeds.tsv: file, width, height, pages. The same bytes on every run. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <tiffio.h>
#include <webp/encode.h>

enum { WIDTH = 96, HEIGHT = 64, MAX_CHANNELS = 4 };

static const char *directory;
static FILE *table;

static void require(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "make_seeds: %s failed\n", what);
    exit(1);
}

static void path_of(char path[4096], const char *name) {
    require(snprintf(path, 4096, "%s/%s", directory, name) < 4096, "a path");
}

static void note(const char *name, int width, int height, int pages) {
    fprintf(table, "%s\t%d\t%d\t%d\n", name, width, height, pages);
}

static void write_file(const char *name, const void *bytes, size_t count) {
    char path[4096];
    path_of(path, name);
    FILE *file = fopen(path, "wb");
    require(file && fwrite(bytes, 1, count, file) == count && !fclose(file), name);
}

/* A gradient with dark bars, as paper with lines on it. */
static uint8_t sample(int x, int y, int channel) {
    if (y % 8 < 3 && x % 5 < 3 && x > 8 && x < WIDTH - 8)
        return (uint8_t)(20 + 10 * channel);
    return (uint8_t)(255 - x / 4 - (channel == 2 ? y / 2 : 0));
}

static void fill(uint8_t *samples, int channels) {
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < channels; c++)
                *samples++ = sample(x, y, c);
}

/* ---- JPEG ---------------------------------------------------------------------------------
 */

typedef struct jpeg_kind {
    const char *name;
    int channels;
    J_COLOR_SPACE in, stored;
    bool progressive, arithmetic;
    int restart_rows;
} jpeg_kind;

static const jpeg_kind jpegs[] = {
    {"rgb.jpg", 3, JCS_RGB, JCS_YCbCr, false, false, 0},
    {"grey.jpg", 1, JCS_GRAYSCALE, JCS_GRAYSCALE, false, false, 0},
    {"plain-rgb.jpg", 3, JCS_RGB, JCS_RGB, false, false, 0},
    {"progressive.jpg", 3, JCS_RGB, JCS_YCbCr, true, false, 0},
    {"restarts.jpg", 3, JCS_RGB, JCS_YCbCr, false, false, 1},
    {"arithmetic.jpg", 3, JCS_RGB, JCS_YCbCr, false, true, 0},
    {"cmyk.jpg", 4, JCS_CMYK, JCS_CMYK, false, false, 0},
    {"ycck.jpg", 4, JCS_CMYK, JCS_YCCK, false, false, 0},
    {"cmyk-progressive.jpg", 4, JCS_CMYK, JCS_CMYK, true, false, 0},
};

static void make_jpeg(const jpeg_kind *kind) {
    uint8_t samples[WIDTH * HEIGHT * MAX_CHANNELS];
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long count = 0;
    fill(samples, kind->channels);
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &bytes, &count);
    info.image_width = WIDTH;
    info.image_height = HEIGHT;
    info.input_components = kind->channels;
    info.in_color_space = kind->in;
    jpeg_set_defaults(&info);
    jpeg_set_colorspace(&info, kind->stored);
    jpeg_set_quality(&info, 85, TRUE);
    info.arith_code = kind->arithmetic;
    info.restart_in_rows = kind->restart_rows;
    if (kind->progressive)
        jpeg_simple_progression(&info);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < HEIGHT) {
        JSAMPROW row = samples + info.next_scanline * (JDIMENSION)(WIDTH * kind->channels);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    write_file(kind->name, bytes, count);
    note(kind->name, WIDTH, HEIGHT, 1);
    free(bytes);
}

/* ---- WebP ---------------------------------------------------------------------------------
 */

static void make_webps(void) {
    uint8_t samples[WIDTH * HEIGHT * MAX_CHANNELS];
    uint8_t *bytes = NULL;
    fill(samples, 3);
    size_t count = WebPEncodeRGB(samples, WIDTH, HEIGHT, WIDTH * 3, 80, &bytes);
    require(count != 0, "lossy WebP");
    write_file("lossy.webp", bytes, count);
    WebPFree(bytes);
    count = WebPEncodeLosslessRGB(samples, WIDTH, HEIGHT, WIDTH * 3, &bytes);
    require(count != 0, "lossless WebP");
    write_file("lossless.webp", bytes, count);
    WebPFree(bytes);
    fill(samples, 4);
    count = WebPEncodeRGBA(samples, WIDTH, HEIGHT, WIDTH * 4, 80, &bytes);
    require(count != 0, "WebP with alpha");
    write_file("alpha.webp", bytes, count);
    WebPFree(bytes);
    note("lossy.webp", WIDTH, HEIGHT, 1);
    note("lossless.webp", WIDTH, HEIGHT, 1);
    note("alpha.webp", WIDTH, HEIGHT, 1);
}

/* ---- TIFF ---------------------------------------------------------------------------------
 */

typedef struct tiff_kind {
    const char *name;
    int compression, photometric, bits, channels;
    bool tiled, planar;
    int pages, orientation;
    const char *mode;
} tiff_kind;

static const tiff_kind tiffs[] = {
    {"g4.tif", COMPRESSION_CCITTFAX4, PHOTOMETRIC_MINISWHITE, 1, 1, false, false, 1, 1, "w"},
    {"g3.tif", COMPRESSION_CCITTFAX3, PHOTOMETRIC_MINISWHITE, 1, 1, false, false, 1, 1, "w"},
    {"bits.tif", COMPRESSION_NONE, PHOTOMETRIC_MINISBLACK, 1, 1, false, false, 1, 1, "wb"},
    {"grey.tif", COMPRESSION_LZW, PHOTOMETRIC_MINISBLACK, 8, 1, false, false, 1, 1, "w"},
    {"grey16.tif", COMPRESSION_NONE, PHOTOMETRIC_MINISBLACK, 16, 1, false, false, 1, 1, "w"},
    {"rgb.tif", COMPRESSION_ADOBE_DEFLATE, PHOTOMETRIC_RGB, 8, 3, false, false, 1, 1, "w"},
    {"rgb16.tif", COMPRESSION_LZW, PHOTOMETRIC_RGB, 16, 3, false, false, 1, 1, "w"},
    {"tiled.tif", COMPRESSION_LZW, PHOTOMETRIC_RGB, 8, 3, true, false, 1, 1, "w"},
    {"planar.tif", COMPRESSION_PACKBITS, PHOTOMETRIC_RGB, 8, 3, false, true, 1, 1, "w"},
    {"cmyk.tif", COMPRESSION_LZW, PHOTOMETRIC_SEPARATED, 8, 4, false, false, 1, 1, "w"},
    {"palette.tif", COMPRESSION_LZW, PHOTOMETRIC_PALETTE, 8, 1, false, false, 1, 1, "w"},
    {"jpeg.tif", COMPRESSION_JPEG, PHOTOMETRIC_YCBCR, 8, 3, false, false, 1, 1, "w"},
    {"pages.tif", COMPRESSION_CCITTFAX4, PHOTOMETRIC_MINISWHITE, 1, 1, false, false, 3, 1, "w"},
    {"turned.tif", COMPRESSION_LZW, PHOTOMETRIC_MINISBLACK, 8, 1, false, false, 1, 6, "w"},
    {"big.tif", COMPRESSION_LZW, PHOTOMETRIC_RGB, 8, 3, false, false, 2, 1, "w8"},
};

/* One row as the file stores it: 1, 8 or 16 bits a sample. */
static void pack_row(const tiff_kind *kind, const uint8_t *from, int samples, uint8_t *to) {
    memset(to, 0, (size_t)samples * 2);
    for (int i = 0; i < samples; i++) {
        bool dark = from[i] < 128, white_is_zero = kind->photometric == PHOTOMETRIC_MINISWHITE;
        if (kind->bits == 1)
            to[i / 8] |= (uint8_t)((dark == white_is_zero ? 0x80 : 0) >> (i % 8));
        else if (kind->bits == 8)
            to[i] = from[i];
        else
            memcpy(to + 2 * i, &(uint16_t){(uint16_t)(from[i] * 257)}, 2);
    }
}

static void set_fields(TIFF *tiff, const tiff_kind *kind) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, HEIGHT);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, kind->bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, kind->channels);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, kind->compression);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, kind->photometric);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG,
                 kind->planar ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_ORIENTATION, kind->orientation);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 204.0);
    TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 196.0);
    TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
    if (kind->photometric == PHOTOMETRIC_SEPARATED)
        TIFFSetField(tiff, TIFFTAG_INKSET, INKSET_CMYK);
    if (kind->compression == COMPRESSION_JPEG)
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    if (kind->photometric == PHOTOMETRIC_PALETTE) {
        uint16_t map[256];
        for (int i = 0; i < 256; i++)
            map[i] = (uint16_t)(i * 257);
        TIFFSetField(tiff, TIFFTAG_COLORMAP, map, map, map);
    }
    if (kind->tiled) {
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 32);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, 32);
    } else {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 16);
    }
}

static void write_tiles(TIFF *tiff, const uint8_t *samples, int channels) {
    uint8_t tile[32 * 32 * MAX_CHANNELS];
    for (int ty = 0; ty < HEIGHT; ty += 32)
        for (int tx = 0; tx < WIDTH; tx += 32) {
            for (int y = 0; y < 32; y++)
                memcpy(tile + y * 32 * channels, samples + ((ty + y) * WIDTH + tx) * channels,
                       (size_t)(32 * channels));
            require(TIFFWriteTile(tiff, tile, (uint32_t)tx, (uint32_t)ty, 0, 0) > 0, "a tile");
        }
}

static void write_rows(TIFF *tiff, const tiff_kind *kind, const uint8_t *samples) {
    uint8_t row[WIDTH * MAX_CHANNELS * 2], plane[WIDTH];
    int planes = kind->planar ? kind->channels : 1;
    for (int p = 0; p < planes; p++)
        for (int y = 0; y < HEIGHT; y++) {
            const uint8_t *from = samples + y * WIDTH * kind->channels;
            for (int x = 0; x < WIDTH; x++)
                plane[x] = from[x * kind->channels + p];
            if (kind->planar)
                pack_row(kind, plane, WIDTH, row);
            else
                pack_row(kind, from, WIDTH * kind->channels, row);
            require(TIFFWriteScanline(tiff, row, (uint32_t)y, (uint16_t)p) > 0, "a row");
        }
}

static void make_tiff(const tiff_kind *kind) {
    char path[4096];
    uint8_t samples[WIDTH * HEIGHT * MAX_CHANNELS];
    path_of(path, kind->name);
    fill(samples, kind->channels);
    TIFF *tiff = TIFFOpen(path, kind->mode);
    require(tiff != NULL, kind->name);
    for (int page = 0; page < kind->pages; page++) {
        set_fields(tiff, kind);
        if (kind->tiled)
            write_tiles(tiff, samples, kind->channels);
        else
            write_rows(tiff, kind, samples);
        require(TIFFWriteDirectory(tiff), kind->name);
    }
    TIFFClose(tiff);
    bool swapped = kind->orientation >= 5;
    note(kind->name, swapped ? HEIGHT : WIDTH, swapped ? WIDTH : HEIGHT, kind->pages);
}

int main(int argc, char **argv) {
    char path[4096];
    if (argc != 2) {
        fprintf(stderr, "usage: make_seeds DIRECTORY\n");
        return 2;
    }
    directory = argv[1];
    path_of(path, "seeds.tsv");
    table = fopen(path, "w");
    require(table != NULL, path);
    for (size_t i = 0; i < sizeof jpegs / sizeof *jpegs; i++)
        make_jpeg(&jpegs[i]);
    make_webps();
    for (size_t i = 0; i < sizeof tiffs / sizeof *tiffs; i++)
        make_tiff(&tiffs[i]);
    require(!fclose(table), "seeds.tsv");
    return 0;
}
