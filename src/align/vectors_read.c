/* vectors_read.c — which kind of file of vectors this is. */
#include "align/vectors_bin.h"
#include "align/vectors_text.h"

#include <string.h>

static vl_status read_any(vectors_source *source, size_t max_words, vl_embeddings **embeddings,
                          vl_error *error) {
    const char *head;
    size_t got;
    vl_status status = vectors_source_peek(source, VECTORS_BIN_MAGIC_SIZE, &head, &got, error);
    if (status)
        return status;
    if (got == VECTORS_BIN_MAGIC_SIZE && !memcmp(head, VECTORS_BIN_MAGIC, got))
        return vectors_bin_read(source, max_words, embeddings, error);
    return vectors_text_read(source, max_words, embeddings, error);
}

vl_status vl_embeddings_read(const char *path, size_t max_words, vl_embeddings **embeddings,
                             vl_error *error) {
    vectors_source *source;
    *embeddings = NULL;
    vl_status status = vectors_source_open(path, &source, error);
    if (!status)
        status = read_any(source, max_words ? max_words : SIZE_MAX, embeddings, error);
    vectors_source_close(source);
    return status;
}
