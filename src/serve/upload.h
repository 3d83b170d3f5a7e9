/* upload.h — a file that is being received: in memory while small, then in a file without a
 * name, hashed on the way, and in the end one stretch of bytes whichever way it came.
 *
 * Thread-safety: one thread at a time. */
#ifndef VISLANG_SERVE_UPLOAD_H
#define VISLANG_SERVE_UPLOAD_H

#include <vislang/base.h>

enum { VL_UPLOAD_MEMORY_MAX = 1 << 20, VL_UPLOAD_HEAD = 16 };

typedef struct vl_upload {
    vl_buf memory;
    int fd;       /* -1 until the content outgrows memory */
    void *mapped; /* after finish, when it lies in the file */
    size_t size, max;
    vl_sha256 *hash;
    char digest[VL_SHA256_HEX_SIZE]; /* after finish */
    size_t begin;              /* of the file that arrives: 0, or where the last one ended */
    char head[VL_UPLOAD_HEAD]; /* its first bytes */
    size_t head_size;
} vl_upload;

vl_status vl_upload_init(vl_upload *upload, size_t max, vl_error *error);
void vl_upload_deinit(vl_upload *upload);
/* VL_ERR_LIMIT past `max`; VL_ERR_IO when the temporary file cannot be written. */
vl_status vl_upload_append(vl_upload *upload, const void *bytes, size_t count, vl_error *error);
/* What is appended from here on is another file, behind the one before. */
void vl_upload_next(vl_upload *upload);
/* Nothing may be appended afterwards. */
vl_status vl_upload_finish(vl_upload *upload, vl_error *error);
/* The content, after finish; valid until deinit. */
const void *vl_upload_bytes(const vl_upload *upload);

/* Standard base64 (RFC 4648 §4) with padding, no white space; a "data:…;base64," prefix is
 * skipped. VL_ERR_INPUT when it is not. */
vl_status vl_upload_append_base64(vl_upload *upload, const char *text, vl_error *error);

#endif
