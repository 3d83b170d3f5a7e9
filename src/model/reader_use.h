/* reader_use.h — a reader that was read from a file, a session of it, and the search for what
 * its columns say, for the files that use them: reader_file.c, reader_session.c,
 * reader_decode.c, reader_places.c. */
#ifndef MODEL_READER_USE_H
#define MODEL_READER_USE_H

#include "model/reader_net.h"

#include <vislang/tensor.h>

struct vl_reader {
    vl_gguf *file;
    vl_reader_config config;
    vl_reader_facts facts;
    vl_params *params; /* f32 */
    vl_reader_net *net;
    vl_reader_alphabet *alphabet;
    char format[16];
};

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
