/* main.c — vislang-decode: decodes TIFF from descriptor 3, inside the sandbox that
 * vl_child_run makes.
 *
 *   vislang-decode count MAX_PAGES MAX_MEMORY
 *   vislang-decode page N MAX_SIDE MAX_PIXELS MAX_MEMORY
 *
 * What it answers on standard output stands in tiff.c. What is wrong with the file is an answer
 * too; the exit code is 0 unless nothing could be answered. */
#include "media/tiff_here.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT = 3 };

static uint64_t number(const char *text) {
    return strtoull(text, NULL, 10);
}

static int finish(void) {
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}

static int print_error(vl_error *error) {
    for (char *c = error->message; *c; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    /* What does not fit into the memory the parent allows is a limit to the parent. */
    vl_status status = error->status == VL_ERR_MEMORY ? VL_ERR_LIMIT : error->status;
    printf("error %s %s\n", vl_status_name(status), error->message);
    return finish();
}

static int print_count(char **argv) {
    vl_error error;
    vl_media_limits limits = vl_media_limits_default();
    uint32_t pages;
    limits.max_pages = (uint32_t)number(argv[2]);
    limits.max_memory = (size_t)number(argv[3]);
    if (vl_tiff_count_here(INPUT, &limits, &pages, &error))
        return print_error(&error);
    printf("pages %u\n", pages);
    return finish();
}

static int print_page(char **argv) {
    vl_error error;
    vl_media_limits limits = vl_media_limits_default();
    vl_tiff_page page;
    limits.max_side = (uint32_t)number(argv[3]);
    limits.max_pixels = number(argv[4]);
    limits.max_memory = (size_t)number(argv[5]);
    if (vl_tiff_decode_here(INPUT, (uint32_t)number(argv[2]), &limits, &page, &error))
        return print_error(&error);
    printf("page %d %d %d\nP%c %u %u 255\n", page.orientation, (int)(page.dpi + 0.5),
           (int)(page.dpi_y + 0.5), page.channels == 1 ? '5' : '6', page.width, page.height);
    fwrite(page.samples, (size_t)page.width * page.channels, page.height, stdout);
    vl_tiff_page_deinit(&page);
    return finish();
}

int main(int argc, char **argv) {
    if (argc == 4 && !strcmp(argv[1], "count"))
        return print_count(argv);
    if (argc == 6 && !strcmp(argv[1], "page"))
        return print_page(argv);
    fprintf(stderr, "vislang-decode is run by vislang, not by hand\n");
    return 2;
}
