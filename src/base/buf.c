/* buf.c — bytes that grow up to a maximum named by their creator. */
#include <vislang/base.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void vl_buf_init(vl_buf *buf, size_t max) {
    *buf = (vl_buf){.max = max};
}

void vl_buf_deinit(vl_buf *buf) {
    free(buf->data);
    *buf = (vl_buf){.max = buf->max};
}

void vl_buf_clear(vl_buf *buf) {
    buf->len = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

/* Room for `count` more bytes and the NUL. */
static bool reserve(vl_buf *buf, size_t count) {
    if (buf->failed || count > buf->max || buf->len > buf->max - count)
        return false;
    size_t need = buf->len + count + 1;
    if (need <= buf->cap)
        return true;
    size_t cap = buf->cap ? buf->cap : 256;
    while (cap < need)
        cap += cap / 2;
    char *grown = realloc(buf->data, cap);
    if (!grown)
        return false;
    buf->data = grown;
    buf->cap = cap;
    return true;
}

void vl_buf_append(vl_buf *buf, const void *bytes, size_t count) {
    if (!reserve(buf, count)) {
        buf->failed = true;
        return;
    }
    if (count)
        memcpy(buf->data + buf->len, bytes, count);
    buf->len += count;
    buf->data[buf->len] = '\0';
}

void vl_buf_puts(vl_buf *buf, const char *text) {
    vl_buf_append(buf, text, strlen(text));
}

void vl_buf_printf(vl_buf *buf, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !reserve(buf, (size_t)length)) {
        buf->failed = true;
    } else {
        vsnprintf(buf->data + buf->len, (size_t)length + 1, format, again);
        buf->len += (size_t)length;
    }
    va_end(again);
}

vl_status vl_buf_status(const vl_buf *buf, const char *what, vl_error *error) {
    if (!buf->failed)
        return VL_OK;
    return vl_fail(error, VL_ERR_MEMORY, "%s does not fit into %zu bytes", what, buf->max);
}
