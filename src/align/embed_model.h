/* embed_model.h — what is trained: shared by all threads, which write to `input` and `output`
 * without locks; everything else stays as it was made. */
#ifndef ALIGN_EMBED_MODEL_H
#define ALIGN_EMBED_MODEL_H

#include "align/embed.h"
#include "align/isa/sgns.h"

/* One place of an alias table: the place itself where the dice show at most `below`. */
typedef struct embed_draw {
    uint32_t below, other;
} embed_draw;

struct embed_model {
    const vl_embed_options *options;
    const embed_kernels *kernels;
    vl_embeddings *words; /* without rows until the end */
    size_t word_count, bucket_count, dim, stride;
    align_subwords subwords;
    uint32_t *bucket_slot; /* [buckets]: as in vl_embeddings */
    size_t *start;         /* [word_count + 1]: where a word's rows begin in `ids` */
    uint32_t *ids;         /* rows of `input`: a word's own, then those of its n-grams */
    float *gain;       /* [word_count]: how far the mean moves when all its rows move by 1 */
    embed_draw *draws; /* [word_count] */
    uint32_t *stays;   /* [word_count]: kept where the dice show at most this */
    float *input;      /* [word_count + bucket_count][stride] */
    float *output;     /* [word_count][stride] */
};
size_t embed_model_ngrams(const embed_model *model);

#endif
