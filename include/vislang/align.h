/* align.h — one space for many languages: words and sentences found beside their counterparts
 * in other languages, without parallel text.
 *
 * Strings are UTF-8. Thread-safety: what is made or read here is read-only afterwards and may
 * be used from many threads. */
#ifndef VISLANG_ALIGN_H
#define VISLANG_ALIGN_H

#include <vislang/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- vectors of one language ---------------------------------------------------------- */

/* Words, each once, and a vector for each; with character n-grams also for words that are not
 * there (Bojanowski, Grave, Joulin and Mikolov 2017, "Enriching Word Vectors with Subword
 * Information"). Words are not empty, valid UTF-8, without control characters, without a space
 * at either end, and at most VL_EMBEDDINGS_MAX_WORD bytes. Vectors are finite. */
typedef struct vl_embeddings vl_embeddings;
enum {
    VL_EMBEDDINGS_MAX_DIM = 4096,
    VL_EMBEDDINGS_MAX_WORD = 1024,
};
/* Takes over `rows` [count][dim] (from malloc) when it returns VL_OK; copies the rest.
 * `frequencies` [count] may be NULL. VL_ERR_INPUT names the word that is none or is there
 * twice, or whose vector has a NaN or an infinity. */
vl_status vl_embeddings_new(const char *const *words, const uint64_t *frequencies, float *rows,
                            size_t count, uint32_t dim, vl_embeddings **embeddings,
                            vl_error *error);
void vl_embeddings_free(vl_embeddings *embeddings); /* NULL allowed */

size_t vl_embeddings_count(const vl_embeddings *embeddings);
uint32_t vl_embeddings_dim(const vl_embeddings *embeddings);
/* In the order they came in, which is that of falling frequency in the files we know.
 * `index` is below the count. */
const char *vl_embeddings_word(const vl_embeddings *embeddings, size_t index);
const float *vl_embeddings_row(const vl_embeddings *embeddings, size_t index); /* [dim] */
/* 0: not known. */
uint64_t vl_embeddings_frequency(const vl_embeddings *embeddings, size_t index);
/* SIZE_MAX: not there. */
size_t vl_embeddings_find(const vl_embeddings *embeddings, const char *word);
/* The vector of any word into `out` [dim]: its own, else the mean of its character n-grams as
 * fastText takes it. VL_ERR_MISSING: it is not there, and nothing is known of its n-grams. */
vl_status vl_embeddings_of(const vl_embeddings *embeddings, const char *word, float *out,
                           vl_error *error);

/* Reads the first `max_words` (0: all) of a file, by what it holds and not by its name, plain
 * or gzipped: .vec text (with its line of count and dimensions, or without as GloVe writes it).
 * Words that break the rules above, and those that were there before, are left out; a vector
 * with a NaN or an infinity is VL_ERR_INPUT, as are a file that is cut short, one whose counts
 * are not those it announces, and one without words. */
vl_status vl_embeddings_read(const char *path, size_t max_words, vl_embeddings **embeddings,
                             vl_error *error);
/* .vec text, six significant digits; whole or not at all. */
vl_status vl_embeddings_write_vec(const vl_embeddings *embeddings, const char *path,
                                  vl_error *error);

#ifdef __cplusplus
}
#endif
#endif
