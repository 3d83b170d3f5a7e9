/* pdf.c — PDF by way of poppler's programs (pdfinfo, pdftoppm) in a sandboxed child. */
#include "media/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* poppler follows what a document says, so the file comes to it as /dev/fd/3 and nothing else
 * does. */
#define PDF_FILE "/dev/fd/3"

static vl_status run_poppler(const char *const *argv, const void *bytes, size_t count,
                             const vl_media_limits *limits, vl_buf *out, vl_error *error) {
    vl_child_options options = vl_child_options_default();
    options.argv = argv;
    options.input = bytes;
    options.input_bytes = count;
    options.input_as_file = true;
    options.max_output = out->max;
    options.max_memory = limits->max_memory;
    options.max_seconds = limits->max_seconds;
    vl_status status = vl_child_run(&options, out, NULL, error);
    if (status == VL_ERR_INPUT && strstr(error ? error->message : "", "Incorrect password"))
        return vl_fail(error, VL_ERR_INPUT, "the PDF is encrypted; remove its password first");
    if (status == VL_ERR_MISSING)
        return vl_fail(error, VL_ERR_MISSING,
                       "PDF needs poppler's programs: apt-get install poppler-utils");
    return status;
}

/* The value of "Key:  value" in pdfinfo's output, or NULL. */
static const char *info_value(const vl_buf *out, const char *key) {
    const char *line = out->data ? strstr(out->data, key) : NULL;
    if (!line || (line != out->data && line[-1] != '\n'))
        return NULL;
    line += strlen(key);
    return line + strspn(line, ": ");
}

vl_status vl_pdf_page_count(const void *bytes, size_t count, const vl_media_limits *limits,
                            uint32_t *pages, vl_error *error) {
    const char *const argv[] = {"pdfinfo", PDF_FILE, NULL};
    vl_error local;
    vl_buf out;
    vl_buf_init(&out, 1 << 16);
    vl_status status = run_poppler(argv, bytes, count, limits, &out, error ? error : &local);
    const char *value = status ? NULL : info_value(&out, "Pages");
    unsigned long number = value ? strtoul(value, NULL, 10) : 0;
    if (!status && (!number || number > UINT32_MAX))
        status = vl_fail(error, VL_ERR_INPUT, "the PDF has no pages");
    *pages = (uint32_t)number;
    vl_buf_deinit(&out);
    return status;
}

/* The page's size in points, as it is shown (after /Rotate). */
static vl_status page_size(const void *bytes, size_t count, uint32_t page,
                           const vl_media_limits *limits, double *width, double *height,
                           vl_error *error) {
    char number[16];
    snprintf(number, sizeof number, "%u", page + 1);
    const char *const argv[] = {"pdfinfo", "-f", number, "-l", number, PDF_FILE, NULL};
    vl_buf out;
    vl_buf_init(&out, 1 << 16);
    vl_status status = run_poppler(argv, bytes, count, limits, &out, error);
    const char *line = out.data ? strstr(out.data, " size:") : NULL;
    if (!status && (!line || sscanf(line, " size: %lf x %lf", width, height) != 2 ||
                    !(*width > 0) || !(*height > 0)))
        status = vl_fail(error, VL_ERR_INPUT, "page %u of the PDF has no size", page + 1);
    vl_buf_deinit(&out);
    return status;
}

/* The resolution asked for, or a lower one at which the page keeps to the limits. */
static double fitting_dpi(double width, double height, const vl_media_limits *limits) {
    double dpi = limits->pdf_dpi, longest = width > height ? width : height;
    while (dpi > 1 && (longest * dpi / 72 > limits->max_side ||
                       width * height * dpi * dpi / (72 * 72) > (double)limits->max_pixels))
        dpi *= 0.9;
    return dpi;
}

vl_status vl_pdf_decode(const void *bytes, size_t count, uint32_t page,
                        const vl_media_limits *limits, vl_image **image, vl_error *error) {
    vl_error local;
    double width = 0, height = 0;
    *image = NULL;
    if (!error)
        error = &local;
    vl_status status = page_size(bytes, count, page, limits, &width, &height, error);
    if (status)
        return status;
    double dpi = fitting_dpi(width, height, limits);
    if (dpi <= 1)
        return vl_fail(error, VL_ERR_LIMIT, "page %u of the PDF is %.0f×%.0f points", page + 1,
                       width, height);
    char number[16], resolution[32];
    snprintf(number, sizeof number, "%u", page + 1);
    snprintf(resolution, sizeof resolution, "%.2f", dpi);
    const char *const argv[] = {"pdftoppm", "-q", "-f",       number,   "-l",
                                number,     "-r", resolution, PDF_FILE, NULL};
    vl_buf out;
    vl_buf_init(&out, (size_t)limits->max_pixels * 3 + 128);
    status = run_poppler(argv, bytes, count, limits, &out, error);
    if (!status)
        status = vl_pnm_decode(out.data, out.len, limits, image, error);
    if (!status)
        (*image)->dpi = dpi;
    vl_buf_deinit(&out);
    return status;
}
