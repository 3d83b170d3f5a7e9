/* main.c — vislang-decode: decodes TIFF from descriptor 3, inside the sandbox that
 * vl_child_run makes.
 *
 *   vislang-decode count MAX_PAGES MAX_MEMORY            prints the number of pages
 *   vislang-decode page N MAX_SIDE MAX_PIXELS MAX_MEMORY  prints "ORIENTATION DPI\n" and a PNM
 *
 * What is wrong with the file goes to standard error; exit 3. */
#include "media/tiff_here.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT = 3 };

static uint64_t number(const char *text) {
    return strtoull(text, NULL, 10);
}

static int fail(const vl_error *error) {
    fprintf(stderr, "%s\n", error->message);
    return error->status == VL_ERR_LIMIT ? 5 : 3;
}

static int print_count(char **argv) {
    vl_error error;
    vl_media_limits limits = vl_media_limits_default();
    uint32_t pages;
    limits.max_pages = (uint32_t)number(argv[2]);
    limits.max_memory = (size_t)number(argv[3]);
    if (vl_tiff_count_here(INPUT, &limits, &pages, &error))
        return fail(&error);
    printf("%u\n", pages);
    return fflush(stdout) ? 1 : 0;
}

static int print_page(char **argv) {
    vl_error error;
    vl_media_limits limits = vl_media_limits_default();
    vl_image *image;
    int orientation;
    limits.max_side = (uint32_t)number(argv[3]);
    limits.max_pixels = number(argv[4]);
    limits.max_memory = (size_t)number(argv[5]);
    if (vl_tiff_decode_here(INPUT, (uint32_t)number(argv[2]), &limits, &image, &orientation,
                            &error))
        return fail(&error);
    printf("%d %d\nP%c %u %u 255\n", orientation, (int)(image->dpi + 0.5),
           image->channels == 1 ? '5' : '6', image->width, image->height);
    fwrite(image->pixels, image->stride, image->height, stdout);
    vl_image_free(image);
    return fflush(stdout) ? 1 : 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && !strcmp(argv[1], "count"))
        return print_count(argv);
    if (argc == 6 && !strcmp(argv[1], "page"))
        return print_page(argv);
    fprintf(stderr, "vislang-decode is run by vislang, not by hand\n");
    return 2;
}
