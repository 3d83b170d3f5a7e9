/* serve_multipart.c — form bodies: the first byte says how the rest is cut into pieces; cut
 * otherwise, the result must be the same. */
#include "serve/multipart.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static vl_status on_begin(void *user, const vl_form_part *part, vl_error *error) {
    (void)error;
    vl_buf_printf(user, "%s|%s<", part->name, part->filename ? part->filename : "-");
    return VL_OK;
}

static vl_status on_data(void *user, const char *bytes, size_t count, vl_error *error) {
    (void)error;
    vl_buf_append(user, bytes, count);
    return VL_OK;
}

static vl_status on_end(void *user, vl_error *error) {
    (void)error;
    vl_buf_puts(user, ">");
    return VL_OK;
}

static vl_status parse(const char *text, size_t count, size_t piece, vl_buf *out) {
    vl_error error;
    vl_multipart_handler handler = {on_begin, on_data, on_end, out};
    vl_multipart *parser = vl_multipart_new("B", &handler);
    if (!parser)
        abort();
    vl_status status = VL_OK;
    for (size_t at = 0; at < count && !status; at += piece)
        status = vl_multipart_feed(parser, text + at, count - at < piece ? count - at : piece,
                                   &error);
    if (!status)
        status = vl_multipart_finish(parser, &error);
    vl_multipart_free(parser);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size)
        return 0;
    vl_buf whole, cut;
    vl_buf_init(&whole, 4 << 20);
    vl_buf_init(&cut, 4 << 20);
    const char *text = (const char *)data + 1;
    vl_status a = parse(text, size - 1, size, &whole);
    vl_status b = parse(text, size - 1, (size_t)data[0] % 64 + 1, &cut);
    if (a != b ||
        (!a && (whole.len != cut.len || (whole.len && memcmp(whole.data, cut.data, cut.len)))))
        if (a != b || whole.len)
            abort();
    char boundary[VL_MULTIPART_BOUNDARY_MAX + 1];
    char *type = strndup(text, size - 1);
    vl_multipart_boundary(type, boundary, NULL);
    free(type);
    vl_buf_deinit(&whole);
    vl_buf_deinit(&cut);
    return 0;
}
