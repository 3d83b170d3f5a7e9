/* vote.h — one line from several readings of it: a confusion network over grapheme clusters,
 * a weighted vote in each of its slots, and how sure the outcome is (docs/consensus.md).
 *
 * A voice is one reading of the line: an engine, or one engine on one clean-up of the picture.
 * Its clusters are aligned with those of the other voices (ROVER, Fiscus 1997); each slot then
 * holds what the voices say there, and their probabilities are pooled log-linearly, each with
 * the weight that its accuracy and its likeness to other voices leave it. Close calls go to a
 * language model. No cluster is ever cut: what comes out of a slot is whole clusters that some
 * voice read or named as an alternative.
 *
 * The result depends on what the voices say and not on their order.
 *
 * Ownership: everything a function makes lives in the arena it was given, and may point into
 * its input, which must live as long. Text is NFC in logical order. Thread-safety: no state
 * but ICU's read-only tables, so any number of threads, each with its arena. */
#ifndef VL_OCR_VOTE_H
#define VL_OCR_VOTE_H

#include <vislang/text.h>

enum {
    VL_VOTE_MAX_VOICES = 32,
    VL_VOTE_MAX_CLUSTERS = 4096, /* of one reading of a line */
    VL_VOTE_MAX_CLUSTER_BYTES = 256,
    VL_VOTE_MAX_ALTERNATIVES = 8,
    VL_VOTE_MAX_STATE = 64, /* bytes of a language model's state */
};

/* ---- calibration ------------------------------------------------------------------------ */

/* From an engine's own confidence to a probability of being right (Platt 1999):
 * p = 1 / (1 + exp(-(slope·logit(confidence) + offset))). `base` is the share that was right in
 * the clusters it was fitted on, 0: not known. */
typedef struct vl_vote_calibration {
    double slope, offset, base;
} vl_vote_calibration;
vl_vote_calibration vl_calibration_none(void); /* p = confidence */
/* Newton's method on the likelihood with Platt's smoothed targets (Lin, Lin and Weng 2007).
 * slope is not negative. VL_ERR_INPUT: no item, or a confidence outside 0 … 1. */
vl_status vl_calibration_fit(const float *confidence, const bool *right, size_t n,
                             vl_vote_calibration *calibration, vl_error *error);
/* `accuracy`: the track record of this voice here, 0: not known. Where it differs from `base`,
 * the odds move by as much (Saerens, Latinne and Decaestecker 2002). Within 0.002 … 0.998. */
double vl_calibration_apply(const vl_vote_calibration *calibration, double confidence,
                            double accuracy);

/* ---- what goes in ----------------------------------------------------------------------- */

typedef struct vl_vote_choice {
    const char *text; /* whole clusters */
    double confidence;
} vl_vote_choice;

typedef struct vl_vote_cluster {
    const char *text;  /* one extended grapheme cluster, or a space */
    double confidence; /* the engine's own, 0 … 1 */
    float x0, x1;      /* pixels; x1 <= x0: not known. All voices in the same picture's. */
    const vl_vote_choice *alternatives;
    size_t alternative_count;
} vl_vote_cluster;

typedef struct vl_vote_voice {
    const char *name; /* "tesseract", "tesseract/sauvola" */
    const char
        *family;     /* voices of one family make the same mistakes; NULL: its name up to '/' */
    double accuracy; /* of its clusters, by its track record; 0: not known */
    double corrected; /* share of that record that people corrected */
    vl_vote_calibration calibration;
    const vl_vote_cluster *clusters; /* in logical order */
    size_t count;
} vl_vote_voice;

/* An engine's symbols become clusters: symbols that together make one cluster (a consonant and
 * its vowel sign) are joined, a symbol of several clusters is cut between them, everything is
 * NFC, white space is one space and none at the ends. Confidence is the least of the parts',
 * a joined cluster keeps no alternatives, an alternative that is not whole clusters is left
 * out. Empty symbols are passed over. VL_ERR_LIMIT, VL_ERR_MEMORY. */
vl_status vl_vote_clusters(vl_arena *arena, const vl_vote_cluster *symbols, size_t count,
                           const vl_vote_cluster **clusters, size_t *cluster_count,
                           vl_error *error);
/* A plain text with one confidence for all of it. */
vl_status vl_vote_clusters_of(vl_arena *arena, const char *text, double confidence,
                              const vl_vote_cluster **clusters, size_t *cluster_count,
                              vl_error *error);

/* A language model as the search sees it. A state is `state_bytes` plain bytes. */
typedef struct vl_vote_language {
    void *user;
    size_t state_bytes; /* at most VL_VOTE_MAX_STATE; two equal states have equal bytes */
    void (*begin)(void *user, void *state);
    /* Natural logarithm of P(text | from); `to` may be `from`. `text` NULL: the line ends. */
    double (*extend)(void *user, const void *from, const char *text, void *to);
} vl_vote_language;

/* The character model of a language as one of these; `language` must live as long. */
vl_vote_language vl_vote_language_of(const vl_ngram_language *language);

typedef struct vl_vote_options {
    double spread; /* how many wrong readings a mistake is spread over; 4 */
    /* Correlation of mistakes, 0 … 1: between voices of one family, and between others. */
    double family_correlation, correlation; /* 0.6, 0.15 */
    /* Share of what the track record says that counts beside confidences, which fall where an
     * engine is worse than it mostly is; 0 … 1: 0.3. Of what people corrected all of it does,
     * and for an engine without confidences. */
    double record;
    double lead; /* how fast a voice's vote fades that reads a line unlike the surest; 3 */
    const vl_vote_language *language; /* NULL: no language model */
    double language_weight;           /* exponent of its probabilities; 0.4 */
    double language_bonus; /* nats a character, so that short is not likelier than long; 8 */
    double close;          /* a call is close when the best is under this posterior; 0.98 */
    size_t beam;           /* partial lines that are kept in the search; 24 */
    vl_vote_calibration words; /* from a word's posterior to its confidence; none */
    vl_vote_calibration alone; /* the same where only one voice read; none */
} vl_vote_options;
vl_vote_options vl_vote_options_default(void);

/* ---- what comes out --------------------------------------------------------------------- */

typedef struct vl_vote_candidate {
    const char *text; /* "": that nothing stands here */
    double pooled;    /* posterior by the voices alone */
    double posterior; /* with the language model too, given the winners around it */
    uint32_t voices;  /* bit i: the i-th voice read it */
} vl_vote_candidate;

/* Where voices read a different number of clusters ("rn", "m"), a slot holds them whole. A
 * space shares a slot with nothing but its absence. */
typedef struct vl_vote_slot {
    vl_vote_candidate *candidates; /* by `pooled`, then by text */
    size_t count, winner;
    size_t first_column, columns; /* of the network */
    double unseen;     /* posterior of what no voice said; with the candidates' the sum is 1 */
    const char **read; /* [voices]: what each read */
    /* [voices, count + 1]: the probability each gives to each candidate, and at the end to any
     * one reading that nobody said. */
    double *mass;
} vl_vote_slot;

typedef struct vl_vote_said {
    size_t voice;
    const char *text;   /* what it read in this word's slots */
    double weight;      /* exponent of its vote */
    double probability; /* that it is right, by its own calibrated confidence */
} vl_vote_said;

typedef struct vl_vote_word {
    const char *text;
    double posterior;  /* product over its slots, the spaces at its sides included */
    double confidence; /* the posterior after options.words */
    size_t first_slot, slot_count; /* without the spaces */
    float x0, x1;                  /* x1 <= x0: not known */
    vl_vote_said *said;            /* [voices], as many as voices; for --explain */
} vl_vote_word;

typedef struct vl_vote_result {
    const char *text;
    vl_vote_slot *slots;
    size_t slot_count;
    vl_vote_word *words;
    size_t word_count;
    const vl_vote_voice *voices;
    size_t voice_count;
    double *weights;  /* [voices]: exponents of their votes */
    double *evidence; /* [voices]: nats that a vote weighs before that: ln(a·K / (1 - a)) */
    size_t *order;    /* [voices]: the order of sums, the same however the input was ordered */
    vl_vote_options options;
    double posterior; /* mean over words; 1 when there is none */
} vl_vote_result;

/* VL_ERR_INPUT: no voice, or a cluster that is empty or a confidence that is no number.
 * VL_ERR_LIMIT: more than the limits above. VL_ERR_MEMORY: arena full. */
vl_status vl_vote(vl_arena *arena, const vl_vote_voice *voices, size_t count,
                  const vl_vote_options *options, vl_vote_result **result, vl_error *error);

/* Whether every word's confidence is at least `threshold`: no further engine is needed.
 * `weakest` (may be NULL): the lowest confidence. A line without words is settled when at
 * least two families found none. */
bool vl_vote_settled(const vl_vote_result *result, double threshold, double *weakest);

/* The posterior that `text` has in a slot by the voices that are not of `family` (and no
 * language model), so that a voice can be judged by the others. 0 when there is no other. */
double vl_vote_without(const vl_vote_result *result, size_t slot, const char *family,
                       size_t family_bytes, const char *text);
/* What a language model says of every voice's reading in every slot, [slot_count, voice_count]:
 * natural logarithms of the probability of it and of the winners after it, given those before.
 * 0 in slots where all read the same. NULL: arena full. */
double *vl_vote_witness(vl_arena *arena, const vl_vote_result *result,
                        const vl_vote_language *language);
/* Its family as the vote sees it: the name up to '/', when none is given. */
void vl_vote_family(const vl_vote_voice *voice, const char **family, size_t *bytes);
bool vl_vote_related(const vl_vote_voice *a, const vl_vote_voice *b); /* of one family */

#endif
