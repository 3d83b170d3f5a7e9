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
    size_t more = VL_UPLOAD_HEAD - upload->head_size;
    more = more < count ? more : count;
    if (more)
        memcpy(upload->head + upload->head_size, bytes, more);
    upload->head_size += more;
    vl_sha256_update(upload->hash, bytes, count);
    upload->size += count;
    return VL_OK;
}

void vl_upload_next(vl_upload *upload) {
    upload->begin = upload->size;
    upload->head_size = 0;
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
    enum { PIECE = 4096 };
    for (size_t at = 0; at < length; at += PIECE) {
        uint8_t bytes[PIECE / 4 * 3];
        size_t count, letters = length - at < PIECE ? length - at : PIECE;
        /* Only the last piece may end in padding. */
        bool is_last = at + letters == length;
        if ((!is_last && text[at + letters - 1] == '=') ||
            !vl_base64_decode(text + at, letters, false, bytes, &count))
            return vl_fail(error, VL_ERR_INPUT,
                           "the text is not base64 between characters %zu and %zu", at + 1,
                           at + letters);
        vl_status status = vl_upload_append(upload, bytes, count, error);
        if (status)
            return status;
    }
    return VL_OK;
}
