/* vectors_read.c — which kind of file of vectors this is. */
#include "align/vectors_text.h"

vl_status vl_embeddings_read(const char *path, size_t max_words, vl_embeddings **embeddings,
                             vl_error *error) {
    vectors_source *source;
    *embeddings = NULL;
    vl_status status = vectors_source_open(path, &source, error);
    if (!status)
        status = vectors_text_read(source, max_words ? max_words : SIZE_MAX, embeddings, error);
    vectors_source_close(source);
    return status;
}
