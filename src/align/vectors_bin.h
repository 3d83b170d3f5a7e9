/* vectors_bin.h — reading fastText's .bin files (vectors_bin.c says what is in them). */
#ifndef ALIGN_VECTORS_BIN_H
#define ALIGN_VECTORS_BIN_H

#include "align/vectors.h"
#include "align/vectors_source.h"

#define VECTORS_BIN_MAGIC "\xBA\x16\x4F\x2F" /* 793712314, little-endian */
enum { VECTORS_BIN_MAGIC_SIZE = 4 };
/* The first `max_words` (SIZE_MAX: all) of a source at its beginning. */
vl_status vectors_bin_read(vectors_source *source, size_t max_words, vl_embeddings **embeddings,
                           vl_error *error);

#endif
