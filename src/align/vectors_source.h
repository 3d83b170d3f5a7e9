/* vectors_source.h — a file of vectors read from its beginning to its end, gunzipped on the
 * way where it is gzipped. */
#ifndef ALIGN_VECTORS_SOURCE_H
#define ALIGN_VECTORS_SOURCE_H

#include <vislang/base.h>

typedef struct vectors_source vectors_source;
/* "-" is standard input. */
vl_status vectors_source_open(const char *path, vectors_source **source, vl_error *error);
void vectors_source_close(vectors_source *source); /* NULL allowed */
const char *vectors_source_path(const vectors_source *source);
/* The next `bytes` (at most VECTORS_SOURCE_PEEK) without taking them; fewer at the end of the
 * file. Valid until the next call. */
enum { VECTORS_SOURCE_PEEK = 64 << 10 };
vl_status vectors_source_peek(vectors_source *source, size_t bytes, const char **at,
                              size_t *got, vl_error *error);
/* Takes what was seen by a peek. */
void vectors_source_skip(vectors_source *source, size_t bytes);
/* Exactly `bytes`; VL_ERR_INPUT where the file ends before. */
vl_status vectors_source_take(vectors_source *source, void *out, size_t bytes, vl_error *error);
/* Up to `stop`, which is taken and not part of it; *at NULL: the file is at its end. Valid
 * until the next call. VL_ERR_INPUT: longer than `longest`. */
vl_status vectors_source_until(vectors_source *source, char stop, size_t longest,
                               const char **at, size_t *length, vl_error *error);

#endif
