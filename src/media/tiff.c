/* tiff.c — TIFF by way of vislang-decode in a sandboxed child. */
#include "media/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beside the running program, one folder above it, or where this was built. */
static const char *decoder_path(char *path, size_t bytes) {
    const char *chosen = getenv("VISLANG_DECODER");
    if (chosen && *chosen)
        return chosen;
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = length > 0 ? (self[length] = '\0', strrchr(self, '/')) : NULL;
    static const char *const beside[] = {"", "/.."};
    for (size_t i = 0; slash && i < 2; i++) {
        snprintf(path, bytes, "%.*s%s/vislang-decode", (int)(slash - self), self, beside[i]);
        if (!access(path, X_OK))
            return path;
    }
    return VISLANG_DECODER_PATH;
}

static vl_status run_decoder(const char *const *argv, const void *bytes, size_t count,
                             const vl_media_limits *limits, size_t max_output, vl_buf *out,
                             vl_error *error) {
    vl_child_options options = vl_child_options_default();
    options.argv = argv;
    options.input = bytes;
    options.input_bytes = count;
    options.input_as_file = true;
    options.max_output = max_output;
    options.max_memory = limits->max_memory;
    options.max_seconds = limits->max_seconds;
    return vl_child_run(&options, out, NULL, error);
}

vl_status vl_tiff_page_count(const void *bytes, size_t count, const vl_media_limits *limits,
                             uint32_t *pages, vl_error *error) {
    char path[4200], max_pages[32], memory[32];
    snprintf(max_pages, sizeof max_pages, "%u", limits->max_pages);
    snprintf(memory, sizeof memory, "%zu", limits->max_memory);
    const char *argv[] = {decoder_path(path, sizeof path), "count", max_pages, memory, NULL};
    vl_buf out;
    vl_buf_init(&out, 64);
    vl_status status = run_decoder(argv, bytes, count, limits, 64, &out, error);
    unsigned long number = !status && out.data ? strtoul(out.data, NULL, 10) : 0;
    if (!status && (!number || number > UINT32_MAX))
        status = vl_fail(error, VL_ERR_INPUT, "the TIFF has no pages");
    *pages = (uint32_t)number;
    vl_buf_deinit(&out);
    return status;
}

/* "ORIENTATION DPI\n", then a PNM. */
static vl_status parse_page(const vl_buf *out, const vl_media_limits *limits, vl_image **image,
                            vl_error *error) {
    char *line_end = out->data ? memchr(out->data, '\n', out->len) : NULL;
    int orientation, dpi;
    if (!line_end || sscanf(out->data, "%d %d", &orientation, &dpi) != 2)
        return vl_fail(error, VL_ERR_INPUT, "the TIFF page could not be decoded");
    size_t head = (size_t)(line_end + 1 - out->data);
    vl_status status = vl_pnm_decode(out->data + head, out->len - head, limits, image, error);
    if (status)
        return status;
    (*image)->dpi = dpi > 0 && dpi < 100000 ? dpi : 0;
    *image = vl_image_orient(*image, orientation);
    return *image ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory to turn the picture");
}

vl_status vl_tiff_decode(const void *bytes, size_t count, uint32_t page,
                         const vl_media_limits *limits, vl_image **image, vl_error *error) {
    char path[4200], index[32], side[32], pixels[32], memory[32];
    snprintf(index, sizeof index, "%u", page);
    snprintf(side, sizeof side, "%u", limits->max_side);
    snprintf(pixels, sizeof pixels, "%llu", (unsigned long long)limits->max_pixels);
    snprintf(memory, sizeof memory, "%zu", limits->max_memory);
    const char *argv[] = {
        decoder_path(path, sizeof path), "page", index, side, pixels, memory, NULL};
    size_t max_output = (size_t)limits->max_pixels * 3 + 128;
    vl_buf out;
    vl_buf_init(&out, max_output);
    *image = NULL;
    vl_status status = run_decoder(argv, bytes, count, limits, max_output, &out, error);
    if (!status)
        status = parse_page(&out, limits, image, error);
    vl_buf_deinit(&out);
    return status;
}
