/* upload.c — receives a file of unknown length without holding it all in memory. */
#include "serve/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

vl_status vl_upload_init(vl_upload *upload, size_t max, vl_error *error) {
    *upload = (vl_upload){.fd = -1, .max = max};
    vl_buf_init(&upload->memory, VL_UPLOAD_MEMORY_MAX);
    upload->hash = vl_sha256_new();
    return upload->hash ? VL_OK
                        : vl_fail(error, VL_ERR_MEMORY, "no memory for an upload's hash");
}

void vl_upload_deinit(vl_upload *upload) {
    char unused[VL_SHA256_HEX_SIZE];
    if (upload->hash)
        vl_sha256_finish(upload->hash, unused);
    if (upload->mapped)
        munmap(upload->mapped, upload->size);
    if (upload->fd >= 0)
        close(upload->fd);
    vl_buf_deinit(&upload->memory);
    *upload = (vl_upload){.fd = -1};
}

static vl_status open_file(vl_upload *upload, vl_error *error) {
    const char *dir = getenv("TMPDIR");
    if (!dir || !*dir)
        dir = "/tmp";
    upload->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (upload->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
        upload->fd = memfd_create("upload", MFD_CLOEXEC);
    if (upload->fd < 0)
        return vl_fail(error, VL_ERR_IO, "no temporary file can be made in %s: %s", dir,
                       strerror(errno));
    return VL_OK;
}

static vl_status write_all(int fd, const char *bytes, size_t count, vl_error *error) {
    while (count) {
        ssize_t wrote = write(fd, bytes, count);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return vl_fail(error, VL_ERR_IO, "the upload cannot be kept: %s", strerror(errno));
        bytes += wrote;
        count -= (size_t)wrote;
    }
    return VL_OK;
}

vl_status vl_upload_append(vl_upload *upload, const void *bytes, size_t count,
                           vl_error *error) {
    if (count > upload->max - upload->size)
        return vl_fail(error, VL_ERR_LIMIT, "the file is larger than the limit of %zu bytes",
                       upload->max);
    vl_status status = VL_OK;
    if (upload->fd < 0 && upload->size + count > VL_UPLOAD_MEMORY_MAX) {
        if ((status = open_file(upload, error)) ||
            (status = write_all(upload->fd, upload->memory.data, upload->memory.len, error)))
            return status;
        vl_buf_deinit(&upload->memory);
    }
    if (upload->fd >= 0)
        status = write_all(upload->fd, bytes, count, error);
    else {
        vl_buf_append(&upload->memory, bytes, count);
        status = vl_buf_status(&upload->memory, "the upload", error);
    }
    if (status)
        return status;
    vl_sha256_update(upload->hash, bytes, count);
    upload->size += count;
    return VL_OK;
}

vl_status vl_upload_finish(vl_upload *upload, vl_error *error) {
    vl_sha256_finish(upload->hash, upload->digest);
    upload->hash = NULL;
    if (upload->fd < 0)
        return VL_OK;
    void *mapped = mmap(NULL, upload->size, PROT_READ, MAP_PRIVATE, upload->fd, 0);
    if (mapped == MAP_FAILED)
        return vl_fail(error, VL_ERR_IO, "the upload cannot be mapped: %s", strerror(errno));
    upload->mapped = mapped;
    return VL_OK;
}

const void *vl_upload_bytes(const vl_upload *upload) {
    return upload->mapped ? upload->mapped : upload->memory.data;
}

/* ---- base64 ---------------------------------------------------------------------- */

static int sextet(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters to one, two or three bytes; 0 when they are not base64. */
static size_t decode_quad(const char *quad, bool last, uint8_t out[3]) {
    size_t padding = 0;
    if (last && quad[3] == '=')
        padding = quad[2] == '=' ? 2 : 1;
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? sextet(quad[i]) : 0;
        if (value < 0)
            return 0;
        bits = bits << 6 | (uint32_t)value;
    }
    if ((padding == 2 && (bits & 0xffff)) || (padding == 1 && (bits & 0xff)))
        return 0; /* bits that no byte carries must be zero */
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    return 3 - padding;
}

vl_status vl_upload_append_base64(vl_upload *upload, const char *text, vl_error *error) {
    if (!strncmp(text, "data:", 5)) {
        const char *marker = strstr(text, ";base64,");
        if (!marker)
            return vl_fail(error, VL_ERR_INPUT, "the data URI is not base64");
        text = marker + 8;
    }
    size_t length = strlen(text);
    if (length % 4)
        return vl_fail(error, VL_ERR_INPUT,
                       "the base64 text's length is no multiple of four (padding is needed)");
    uint8_t chunk[3072];
    size_t filled = 0;
    for (size_t at = 0; at < length; at += 4) {
        size_t got = decode_quad(text + at, at + 4 == length, chunk + filled);
        if (!got)
            return vl_fail(error, VL_ERR_INPUT, "the text is not base64 near character %zu",
                           at + 1);
        filled += got;
        if (filled > sizeof chunk - 3 || at + 4 == length) {
            vl_status status = vl_upload_append(upload, chunk, filled, error);
            if (status)
                return status;
            filled = 0;
        }
    }
    return VL_OK;
}
