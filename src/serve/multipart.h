/* multipart.h — multipart/form-data (RFC 7578, RFC 2046 §5.1.1) as it arrives, piece by piece.
 *
 * The parser keeps at most one part's header section and one partly matched delimiter; part
 * content goes straight to the caller. It is stricter than the RFC where leniency only helps
 * attackers: no preamble, no folded headers, every part has a name, a delimiter is followed
 * by nothing but padding.
 *
 * Ownership: the strings of a vl_form_part live until the callback returns. */
#ifndef VISLANG_SERVE_MULTIPART_H
#define VISLANG_SERVE_MULTIPART_H

#include <vislang/base.h>

enum {
    VL_MULTIPART_BOUNDARY_MAX = 70, /* RFC 2046 §5.1.1 */
    VL_MULTIPART_HEADER_MAX = 4096, /* one part's header section */
    VL_MULTIPART_PARTS_MAX = 32,
};

typedef struct vl_form_part {
    const char *name;
    const char *filename; /* NULL: not a file */
} vl_form_part;

/* A callback that returns other than VL_OK stops the parser with that status. */
typedef struct vl_multipart_handler {
    vl_status (*begin)(void *user, const vl_form_part *part, vl_error *error);
    vl_status (*data)(void *user, const char *bytes, size_t count, vl_error *error);
    vl_status (*end)(void *user, vl_error *error);
    void *user;
} vl_multipart_handler;

typedef struct vl_multipart vl_multipart;
/* The boundary parameter of a Content-Type value; VL_ERR_INPUT when it is missing or not one.
 */
vl_status vl_multipart_boundary(const char *content_type,
                                char boundary[VL_MULTIPART_BOUNDARY_MAX + 1], vl_error *error);
/* NULL: no memory. */
vl_multipart *vl_multipart_new(const char *boundary, const vl_multipart_handler *handler);
void vl_multipart_free(vl_multipart *parser);
/* Instead of VL_MULTIPART_PARTS_MAX. */
void vl_multipart_allow(vl_multipart *parser, size_t parts);
/* VL_ERR_INPUT: not well formed; VL_ERR_LIMIT: too many parts or too long a part header. After
 * an error the parser takes nothing more and returns the same status. */
vl_status vl_multipart_feed(vl_multipart *parser, const char *bytes, size_t count,
                            vl_error *error);
/* VL_ERR_INPUT when the closing delimiter has not been seen. */
vl_status vl_multipart_finish(vl_multipart *parser, vl_error *error);

#endif
