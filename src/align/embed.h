/* embed.h — the pieces of training word vectors: text that was counted, what is trained, and
 * what is common to both. The order of work: embed_corpus_read, embed_model_new,
 * embed_model_train, embed_model_finish. */
#ifndef ALIGN_EMBED_H
#define ALIGN_EMBED_H

#include "align/vectors.h"

#include <vislang/align.h>

/* ---- text, counted -------------------------------------------------------------------- */

/* The words of a text as numbers, in a file without a name that is mapped: so memory does not
 * grow with the text, and no epoch reads or cuts it again. Only words that are in the
 * vocabulary; sentences of at least two, and at most EMBED_MAX_SENTENCE (the rest is another),
 * each with EMBED_END behind it. */
enum { EMBED_MAX_SENTENCE = 1024 };
#define EMBED_END UINT32_MAX
typedef struct embed_corpus {
    vl_embeddings *words; /* by falling frequency; without rows */
    uint64_t seen;        /* words that were read */
    uint64_t kept;        /* words in `ids` */
    uint64_t lines, bytes, damaged;
    const uint32_t *ids;
    size_t count;   /* of ids, ends included */
    size_t *chunks; /* [chunk_count + 1]: where each begins; about EMBED_CHUNK ids of whole
                       sentences */
    size_t chunk_count;
    int file; /* -1: none */
} embed_corpus;
enum { EMBED_CHUNK = 4096 };

/* `max_words`: how many different ones are counted at once, at least 16. */
enum { EMBED_MAX_WORDS = 4 << 20 };
vl_status embed_corpus_read(const vl_embed_options *options, const char *const *paths,
                            size_t path_count, size_t max_words, embed_corpus *corpus,
                            vl_error *error);
void embed_corpus_deinit(embed_corpus *corpus);

/* ---- text, cut ------------------------------------------------------------------------ */

/* A word of text, or the end of a sentence (NULL). */
typedef vl_status (*embed_word_fn)(const char *word, size_t bytes, void *user, vl_error *error);
typedef struct embed_text {
    vl_embed_tokens tokens;
    embed_word_fn word;
    void (*progress)(uint64_t bytes, void *user); /* now and then */
    void *user;
    uint64_t lines, bytes, damaged; /* added to; damaged: places that are no UTF-8 */
} embed_text;
/* A file, plain or gzipped. VL_ERR_INPUT: it is not there, or holds NUL bytes and so no text.
 */
vl_status embed_text_read(embed_text *text, const char *path, vl_error *error);

/* ---- what is trained ------------------------------------------------------------------ */

typedef struct embed_model embed_model;
/* Takes the words out of the corpus. */
vl_status embed_model_new(const vl_embed_options *options, embed_corpus *corpus,
                          embed_model **model, vl_error *error);
void embed_model_free(embed_model *model);
/* All epochs. *loss: of the last one, by word and sample. */
vl_status embed_model_train(embed_model *model, const embed_corpus *corpus, double *loss,
                            vl_error *error);
/* The vectors, out of the model. */
vl_status embed_model_finish(embed_model *model, vl_embeddings **embeddings, vl_error *error);

#endif
