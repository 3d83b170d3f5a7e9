/* pdf.c — PDF by way of poppler's programs (pdfinfo, pdftoppm) in a sandboxed child.
 *
 * The file comes to them as /dev/fd/3, so a document that names other files finds none. One run
 * of pdfinfo when a document is opened tells all pages' sizes; one run of pdftoppm renders a
 * page, at a resolution computed from its size so that the limits hold. */
#include "media/pdf.h"

#include "media/decode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Below this nothing on a page can be made out. */
static const double LEAST_DPI = 8;

/* Poppler's complaints in the words of someone who wants the document read. */
static vl_status explain(vl_status status, vl_error *error) {
    if (status == VL_ERR_MISSING)
        return vl_fail(error, VL_ERR_MISSING,
                       "PDF needs poppler's programs: apt-get install poppler-utils");
    if (status != VL_ERR_INPUT)
        return status;
    char said[sizeof error->message];
    snprintf(said, sizeof said, "%s", error->message);
    if (strstr(said, "Incorrect password"))
        return vl_fail(
            error, status,
            "the PDF is encrypted and asks for a password; remove the password first");
    if (strstr(said, "Wrong page range"))
        return vl_fail(error, status, "the PDF has no pages that can be read");
    if (strstr(said, "signal"))
        return vl_fail(error, status,
                       "the PDF is broken, or needs more memory to draw than is allowed");
    const char *reason = strstr(said, "Error: ");
    return vl_fail(error, status, "broken PDF: %s", reason ? reason + 7 : said);
}

vl_status vl_pdf_run(const char *const *argv, const void *bytes, size_t count,
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
    error = error ? error : &local;
    return explain(vl_child_run(&options, out, NULL, error), error);
}

/* ---- what pdfinfo says ------------------------------------------------------------------ */

static const char *next_line(const char *line) {
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

/* "Pages:           3". The document's own title and the like stand above it and may hold
 * anything, hence the last one counts. */
static unsigned long page_count_in(const char *info) {
    unsigned long count = 0;
    for (const char *line = info; *line; line = next_line(line))
        if (!strncmp(line, "Pages:", 6))
            count = strtoul(line + 6, NULL, 10);
    return count;
}

static bool is_length(double points) {
    return isfinite(points) && points > 0 && points < 1e12;
}

/* "Page    2 size: 595.32 x 841.92 pts (A4)". A page without a usable size keeps 0×0. */
static void read_sizes(const char *info, vl_pdf_page *pages, uint32_t count) {
    for (const char *line = info; *line; line = next_line(line)) {
        unsigned number;
        vl_pdf_page page;
        if (sscanf(line, "Page %u size: %lf x %lf", &number, &page.width, &page.height) == 3 &&
            number >= 1 && number <= count && is_length(page.width) && is_length(page.height))
            pages[number - 1] = page;
    }
}

vl_status vl_pdf_parse_info(const char *info, const vl_media_limits *limits,
                            vl_pdf_page **pages, uint32_t *page_count, vl_error *error) {
    unsigned long count = page_count_in(info);
    *pages = NULL;
    *page_count = 0;
    if (!count)
        return vl_fail(error, VL_ERR_INPUT, "the PDF has no pages");
    if (count > limits->max_pages)
        return vl_fail(error, VL_ERR_LIMIT, "the PDF has %lu pages; the limit is %u", count,
                       limits->max_pages);
    *pages = calloc(count, sizeof **pages);
    if (!*pages)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    *page_count = (uint32_t)count;
    read_sizes(info, *pages, *page_count);
    return VL_OK;
}

vl_status vl_pdf_open(const void *bytes, size_t count, const vl_media_limits *limits,
                      vl_pdf_page **pages, uint32_t *page_count, vl_error *error) {
    char last[16];
    snprintf(last, sizeof last, "%u", limits->max_pages);
    const char *const argv[] = {"pdfinfo", "-f", "1", "-l", last, VL_PDF_FILE, NULL};
    vl_buf out;
    vl_buf_init(&out, (1 << 20) + (size_t)limits->max_pages * 128);
    *pages = NULL;
    vl_status status = vl_pdf_run(argv, bytes, count, limits, &out, error);
    if (!status)
        status = vl_pdf_parse_info(out.data ? out.data : "", limits, pages, page_count, error);
    vl_buf_deinit(&out);
    return status;
}

/* ---- a page ----------------------------------------------------------------------------- */

/* The resolution asked for, or the highest at which the page keeps to the limits. */
static double fitting_dpi(vl_pdf_page size, const vl_media_limits *limits) {
    const double points_per_inch = 72, rounding = 1; /* pdftoppm rounds sides up */
    double longest = fmax(size.width, size.height) / points_per_inch;
    double area = size.width * size.height / (points_per_inch * points_per_inch);
    double by_side = (limits->max_side - rounding) / longest;
    double by_area = 0.999 * sqrt((double)limits->max_pixels / area);
    return fmin(limits->pdf_dpi, fmin(by_side, by_area));
}

vl_status vl_pdf_decode(const void *bytes, size_t count, uint32_t page, vl_pdf_page size,
                        const vl_media_limits *limits, vl_image **image, vl_error *error) {
    vl_error local;
    *image = NULL;
    if (!error)
        error = &local;
    if (!is_length(size.width) || !is_length(size.height))
        return vl_fail(error, VL_ERR_INPUT, "page %u of the PDF has no size", page + 1);
    double dpi = fitting_dpi(size, limits);
    if (dpi < LEAST_DPI && dpi < limits->pdf_dpi)
        return vl_fail(error, VL_ERR_LIMIT,
                       "page %u of the PDF is %.4g×%.4g points, more than can be drawn",
                       page + 1, size.width, size.height);
    char number[16], resolution[32];
    snprintf(number, sizeof number, "%u", page + 1);
    snprintf(resolution, sizeof resolution, "%.3f", dpi);
    /* -cropbox: what pdfinfo measures and viewers show. */
    const char *const argv[] = {"pdftoppm", "-cropbox", "-f",       number,      "-l",
                                number,     "-r",       resolution, VL_PDF_FILE, NULL};
    vl_buf out;
    vl_buf_init(&out, (size_t)limits->max_pixels * 3 + 128);
    vl_status status = vl_pdf_run(argv, bytes, count, limits, &out, error);
    if (!status)
        status = vl_pnm_take(&out, 0, limits, image, error);
    if (status)
        vl_error_prefix(error, "page %u", page + 1);
    else
        (*image)->dpi = dpi;
    vl_buf_deinit(&out);
    return status;
}
