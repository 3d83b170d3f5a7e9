/* vectors.h — what a vl_embeddings is made of, for those who fill one.
 *
 * It grows word by word (vectors_add) until it is handed out; from then on nobody changes it.
 */
#ifndef ALIGN_VECTORS_H
#define ALIGN_VECTORS_H

#include <vislang/align.h>

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
};

/* Without words. */
vl_status vectors_begin(uint32_t dim, vl_embeddings **embeddings, vl_error *error);
/* One word more, its row not set. *index is SIZE_MAX when it was left out: no word by the rules
 * of align.h, or there before. */
vl_status vectors_add(vl_embeddings *embeddings, const char *word, size_t bytes,
                      uint64_t frequency, size_t *index, vl_error *error);
/* Room for `rows` of words that are there or come. */
vl_status vectors_reserve_rows(vl_embeddings *embeddings, vl_error *error);
bool vectors_is_word(const char *word, size_t bytes);
/* All numbers are finite. */
bool vectors_finite(const float *row, size_t n);

/* A number in decimal text, as C writes it, "nan" and "inf" included; the point is '.' in every
 * locale. Moves *at behind it. False: there is none before `end`. */
bool vectors_number_read(const char **at, const char *end, float *number);
enum { VECTORS_NUMBER_SIZE = 32 };
/* The shortest of at most six significant digits; returns its length. */
size_t vectors_number_write(float number, char out[VECTORS_NUMBER_SIZE]);

#endif
