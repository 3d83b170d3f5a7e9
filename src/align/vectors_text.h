/* vectors_text.h — reading .vec text (vectors_text.c). */
#ifndef ALIGN_VECTORS_TEXT_H
#define ALIGN_VECTORS_TEXT_H

#include "align/vectors.h"
#include "align/vectors_source.h"

/* The first `max_words` (SIZE_MAX: all) of a source at its beginning. */
vl_status vectors_text_read(vectors_source *source, size_t max_words,
                            vl_embeddings **embeddings, vl_error *error);

#endif
