/* seer_use.h — a seer that was read from a file, and a session of it, for the files that use
 * them: seer_file.c, seer_session.c, seer_decode.c, seer_write.c. */
#ifndef MODEL_SEER_USE_H
#define MODEL_SEER_USE_H

#include "model/seer_net.h"

#include <vislang/tensor.h>

enum { SEER_MAX_BEAMS = 16 };

typedef struct seer_tokens {
    int32_t caption, ask, answer, statement, eos, yes, no, unknown;
} seer_tokens;

struct vl_seer {
    vl_gguf *file;
    vl_seer_config config;
    vl_seer_facts facts;
    vl_params *params; /* f32, but for the matrices that are used as they lie in the file */
    vl_seer_net *net;
    const vl_tensor **packed; /* by parameter: the quantised matrix, or NULL: use params */
    vl_bpe *bpe;
    seer_tokens tokens;
    char format[16];
};

/* Keys and values of one layer: [2·beams][position][2D]; half are room to move the others. */
typedef struct seer_cache {
    float *kv;
} seer_cache;

struct vl_seer_session {
    const vl_seer *seer;
    vl_graph *graph;
    bool looked;
    size_t places;                 /* how many */
    float *place;                  /* [places,D] */
    float *pooled;                 /* [D] */
    float *picture;                /* [vector] */
    float *cross[SEER_MAX_LAYERS]; /* keys and values of the places: [places,2D] */
    bool crossed;
    seer_cache text[SEER_MAX_LAYERS], mixed[SEER_MAX_LAYERS];
    size_t beams;  /* there is room for in the caches and in what follows; 0: none yet */
    float *row[6]; /* [beams, 4D] each: working rows */
    float *logits; /* [beams, vocabulary] */
    void *rounded; /* for vl_quant_round */
    float *pixels; /* [side,side,3] */
};

/* Room for `beams` (at most SEER_MAX_BEAMS) beside each other; what was decoded is lost where
 * it has to grow. VL_ERR_MEMORY: there is as much as before. */
vl_status seer_session_reserve(vl_seer_session *session, size_t beams, vl_error *error);
/* One token more for each of `rows` beams (reserved), all at position `at`. With `mixed` the
 * picture is looked at and logits are left in session->logits; without, the text layers' output
 * [rows,D] is left in session->row[0]. */
void seer_decode(vl_seer_session *session, const int32_t *ids, size_t rows, size_t at,
                 bool mixed);
/* What captions would be that ended here: dot products of their unit vectors with the
 * picture's, for `rows` beams that have seen `at` positions. What the beams have seen stays. */
void seer_decode_likeness(vl_seer_session *session, size_t rows, size_t at, float *likeness);
/* Beam `to` goes on from what beam `from` has seen in `length` positions. */
void seer_decode_copy(vl_seer_session *session, size_t from, size_t to, size_t length);

#endif
