/* reader_use.h — a reader that was read from a file, a session of it, and the search for what
 * its columns say, for the files that use them: reader_file.c, reader_session.c,
 * reader_decode.c, reader_places.c. */
#ifndef MODEL_READER_USE_H
#define MODEL_READER_USE_H

#include "model/reader_net.h"

#include <vislang/tensor.h>

/* The weights of a linear layer as 8-bit numbers: [n,k], one scale a row. */
typedef struct reader_matrix {
    int8_t *q;
    void *packed; /* the same for vl_int8_packed_product */
    float *scale;
    size_t n, k; /* 0: the parameter is no such weight */
} reader_matrix;
/* Room for n rows of k; what is there is undefined. False: no memory. */
bool reader_matrix_init(reader_matrix *m, size_t n, size_t k);
void reader_matrix_deinit(reader_matrix *m);

struct vl_reader {
    vl_gguf *file;
    vl_reader_config config;
    vl_reader_facts facts;
    vl_params *params; /* f32 */
    vl_reader_net *net;
    vl_reader_alphabet *alphabet;
    reader_matrix *matrix; /* by parameter; NULL: this processor multiplies floats faster */
    char format[16];
};

/* Fills reader->matrix from its parameters. */
vl_status reader_round_weights(vl_reader *reader, vl_error *error);
void reader_free_weights(vl_reader *reader);

/* Working memory, grown as it is needed; free(bytes) at the end. */
typedef struct reader_memory {
    char *bytes;
    size_t size;
} reader_memory;
/* The part of the alphabet that a prior leaves, and the rows of the last layer for it. */
typedef struct reader_choice {
    vl_reader_alphabet *alphabet; /* NULL: no choice was made, all of it is there */
    float *prior;                 /* [the reader's symbols + 1] */
    int32_t *from;                /* [its size + 1]: the reader's own labels */
    float *shift;                 /* [its size + 1]: log prior */
    reader_matrix matrix;
    float *bias; /* with `shift` */
} reader_choice;
/* VL_ERR_USAGE: a prior that leaves no character, or no blank. */
vl_status reader_choice_make(const vl_reader *reader, const float *prior, reader_choice *choice,
                             vl_error *error);
void reader_choice_free(reader_choice *choice);

/* The logits [N,symbols + 1] of vl_reader_look with products of 8-bit numbers (matrix is
 * there), those of `choice` alone where one was made, in `memory` until the next call. NULL: no
 * memory.
 */
float *reader_forward(const vl_reader *reader, const reader_choice *choice,
                      reader_memory *memory, const float *pixels, const int32_t *starts,
                      size_t lines);

/* What the columns of one line say: probabilities [steps,symbols]; symbol 0 is the blank. */
typedef struct reader_columns {
    const float *p;
    size_t steps, symbols;
} reader_columns;

/* The labels of the likeliest path (Graves et al. 2006, section 3.2), into `labels` [steps];
 * returns how many. */
size_t reader_best_path(const reader_columns *columns, int32_t *labels);

typedef struct reader_search {
    size_t beams;
    const vl_reader_language *language; /* NULL: none */
    const vl_reader_alphabet *alphabet; /* for `language` */
    bool backwards;                     /* from the right, as right-to-left lines are read */
} reader_search;
/* Prefix beam search (Hannun et al. 2014, algorithm 1) over logarithms: the labels that are
 * likeliest over all their paths, as far as `beams` prefixes show, into `labels` [steps] from
 * left to right. `score` (may be NULL) receives log p(labels) + the language's part. */
vl_status reader_search_labels(const reader_columns *columns, const reader_search *how,
                               int32_t *labels, size_t *count, double *score, vl_error *error);

/* A label's place in the line, and what else may stand there. */
typedef struct reader_other {
    int32_t label; /* 0: nothing */
    double share;
} reader_other;
typedef struct reader_place {
    double share;       /* of this label, of all that may stand here, the others as they are */
    double first, last; /* positions: expected begin and end of what was read */
    size_t other_count;
    reader_other other[VL_READER_MAX_ALTERNATIVES];
} reader_place;
/* Fills places [count] for `labels` by the forward and backward variables of CTC; `others` at
 * most VL_READER_MAX_ALTERNATIVES. `log_p` receives log p(labels); −∞ when the columns cannot
 * say them, and places are then zero. */
vl_status reader_find_places(const reader_columns *columns, const int32_t *labels, size_t count,
                             size_t others, reader_place *places, double *log_p,
                             vl_error *error);

/* Writes a character as UTF-8 (at most 4 bytes); returns the end. */
char *reader_put_utf8(char *out, uint32_t character);
/* NULL: a character that may not be in an alphabet, one twice or out of order, or too many. */
vl_reader_alphabet *reader_alphabet_of(const uint32_t *characters, size_t count);

#endif
