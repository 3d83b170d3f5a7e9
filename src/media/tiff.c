/* tiff.c — TIFF by way of vislang-decode in a sandboxed child.
 *
 * The child answers one line and then, for a page, a PNM:
 *
 *   pages N\n
 *   page ORIENTATION DPI_X DPI_Y\n P5|P6 WIDTH HEIGHT 255\n samples…
 *   error STATUS MESSAGE\n          STATUS is a vl_status_name
 */
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
                             const vl_media_limits *limits, vl_buf *out, vl_error *error) {
    vl_error local;
    vl_child_options options = vl_child_options_default();
    options.argv = argv;
    options.input = bytes;
    options.input_bytes = count;
    options.input_as_file = true;
    options.max_output = out->max;
    options.max_memory = limits->max_memory;
    options.max_seconds = limits->max_seconds;
    if (!error)
        error = &local;
    vl_status status = vl_child_run(&options, out, NULL, error);
    if (status == VL_ERR_MISSING)
        return vl_fail(error, VL_ERR_MISSING,
                       "TIFF needs the program vislang-decode beside vislang, or its path in "
                       "VISLANG_DECODER");
    return status ? vl_error_prefix(error, "TIFF") : VL_OK;
}

/* ---- what the child says ---------------------------------------------------------------- */

/* An "error" line, or an answer that is none of ours. */
static vl_status parse_error(const vl_buf *reply, vl_error *error) {
    static const vl_status passed_on[] = {VL_ERR_LIMIT, VL_ERR_UNSUPPORTED};
    char status[32] = "", message[300] = "";
    if (!reply->data || sscanf(reply->data, "error %31s %299[^\n]", status, message) != 2)
        return vl_fail(error, VL_ERR_INPUT, "the TIFF could not be decoded");
    message[vl_utf8_valid_prefix(message, strlen(message))] = '\0';
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
        if (!strcmp(status, vl_status_name(passed_on[i])))
            return vl_fail(error, passed_on[i], "%s", message);
    return vl_fail(error, VL_ERR_INPUT, "%s", message);
}

vl_status vl_tiff_parse_count(const vl_buf *reply, uint32_t *pages, vl_error *error) {
    *pages = 0;
    if (!reply->data || sscanf(reply->data, "pages %9u", pages) != 1)
        return parse_error(reply, error);
    return *pages ? VL_OK : vl_fail(error, VL_ERR_INPUT, "the TIFF has no pages");
}

vl_status vl_tiff_parse_page(vl_buf *reply, const vl_media_limits *limits, vl_image **image,
                             vl_error *error) {
    unsigned orientation, dpi, dpi_y;
    *image = NULL;
    if (!reply->data ||
        sscanf(reply->data, "page %9u %9u %9u", &orientation, &dpi, &dpi_y) != 3)
        return parse_error(reply, error);
    size_t head = strcspn(reply->data, "\n") + 1;
    vl_status status = vl_pnm_take(reply, head, limits, image, error);
    if (status)
        return status;
    (*image)->dpi = dpi < 100000 ? dpi : 0;
    status = vl_image_square(image, (*image)->dpi, dpi_y, limits, error);
    if (status) {
        vl_image_free(*image);
        *image = NULL;
        return status;
    }
    *image = vl_image_orient(*image, orientation <= 8 ? (int)orientation : 1);
    return *image ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory to turn the picture");
}

/* ---- asking ----------------------------------------------------------------------------- */

vl_status vl_tiff_page_count(const void *bytes, size_t count, const vl_media_limits *limits,
                             uint32_t *pages, vl_error *error) {
    char path[4200], max_pages[32], memory[32];
    snprintf(max_pages, sizeof max_pages, "%u", limits->max_pages);
    snprintf(memory, sizeof memory, "%zu", limits->max_memory);
    const char *argv[] = {decoder_path(path, sizeof path), "count", max_pages, memory, NULL};
    vl_buf out;
    vl_buf_init(&out, 1024);
    *pages = 0;
    vl_status status = run_decoder(argv, bytes, count, limits, &out, error);
    if (!status)
        status = vl_tiff_parse_count(&out, pages, error);
    vl_buf_deinit(&out);
    return status;
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
    vl_buf out;
    vl_buf_init(&out, (size_t)limits->max_pixels * 3 + 1024);
    *image = NULL;
    vl_status status = run_decoder(argv, bytes, count, limits, &out, error);
    if (!status)
        status = vl_tiff_parse_page(&out, limits, image, error);
    vl_buf_deinit(&out);
    return status;
}
