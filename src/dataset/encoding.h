/* encoding.h — bytes of text, in whatever encoding, to UTF-8.
 *
 * The encoding: a byte order mark; UTF-16 by its zeros; UTF-8 where the bytes are that; the
 * charset of `type` (a media type, may be NULL); of markup <meta> and the XML declaration; what
 * ICU thinks likely. */
#ifndef VL_DATASET_ENCODING_H
#define VL_DATASET_ENCODING_H

#include <vislang/base.h>

/* Appends to `out` (initialised by the caller) without control characters but tab and line
 * ends; what is broken becomes U+FFFD. VL_ERR_LIMIT: past the buffer's maximum. */
vl_status encoding_to_utf8(const void *bytes, size_t count, const char *type, bool markup,
                           vl_buf *out, vl_error *error);
/* Whether the bytes are text in an encoding that can be told: nothing in them is a control
 * character but white space and a last Ctrl-Z. */
bool encoding_is_text(const void *bytes, size_t count, const char *type);

#endif
