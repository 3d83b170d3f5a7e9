/* vectors.h — what a vl_embeddings is made of, for those who fill one.
 *
 * It grows word by word (vectors_add) until it is handed out; from then on nobody changes it.
 */
#ifndef ALIGN_VECTORS_H
#define ALIGN_VECTORS_H

#include "align/subwords.h"

#include <vislang/align.h>

/* What a .bin file says of how it was trained, beside the vectors. */
typedef struct vectors_training {
    int32_t window, epochs, min_count, negative;
    double sample;
} vectors_training;

struct vl_embeddings {
    size_t count, room; /* words there are, words there is room for */
    uint32_t dim;
    char *text; /* the words, NUL-terminated, behind each other */
    size_t text_used, text_room;
    size_t *start;       /* [room], in `text` */
    uint64_t *frequency; /* [room] */
    float *rows;         /* [rows_room][dim] */
    size_t rows_room;
    uint32_t *slots;   /* open addressing: index + 1, or 0 */
    size_t slot_count; /* a power of two, over twice the count */

    /* Rows of n-grams; a bucket without one counts as zeros. A word's row is the mean of a row
     * of its own, which is not kept, and those of its n-grams. */
    align_subwords subwords;
    uint32_t *bucket_slot; /* [buckets]: which of bucket_rows, plus 1; 0: none */
    float *bucket_rows;    /* [bucket_count][dim] */
    size_t bucket_count;
    float *contexts; /* [count][dim]: what training predicts with; NULL: not known */
    vectors_training training;
};

/* Without words. */
vl_status vectors_begin(uint32_t dim, vl_embeddings **embeddings, vl_error *error);
/* One word more, its row not set. *index is SIZE_MAX when it was left out: no word by the rules
 * of align.h, or there before. */
vl_status vectors_add(vl_embeddings *embeddings, const char *word, size_t bytes,
                      uint64_t frequency, size_t *index, vl_error *error);
/* As vl_embeddings_find, of bytes without a NUL. */
size_t vectors_find(const vl_embeddings *embeddings, const char *word, size_t bytes);
/* Room in `rows` for so many. */
vl_status vectors_reserve_rows(vl_embeddings *embeddings, size_t count, vl_error *error);
/* Adds the rows of a word's n-grams to `sum` [dim]; returns how many n-grams there are. */
size_t vectors_add_ngrams(const vl_embeddings *embeddings, const char *word, size_t bytes,
                          float *sum);
bool vectors_is_word(const char *word, size_t bytes);
/* No number is a NaN or beyond VL_EMBEDDINGS_MAX_NUMBER. */
bool vectors_finite(const float *row, size_t n);

/* A number in decimal text, as C writes it, "nan" and "inf" included; the point is '.' in every
 * locale. Moves *at behind it. False: there is none before `end`. */
bool vectors_number_read(const char **at, const char *end, float *number);
enum { VECTORS_NUMBER_SIZE = 32 };
/* The shortest of at most six significant digits; returns its length. */
size_t vectors_number_write(float number, char out[VECTORS_NUMBER_SIZE]);

#endif
