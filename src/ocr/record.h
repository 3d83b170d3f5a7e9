/* record.h — the track record of engines: how often each was right, for a script, a language,
 * a kind of degradation and a source, learned from agreement and from corrections
 * (docs/consensus.md).
 *
 * A record is a table of counts of right and wrong clusters, one row for a voice and one for
 * each more specific key; a question is answered by the most specific row with what the rows
 * above it say as a prior. Old counts fade, so that a new version of an engine is not judged by
 * the old one's mistakes.
 *
 * What was learned since the last vl_record_flush lives in memory and is then added to what the
 * store holds by then, so that several processes may learn into one database and none loses
 * what another found. Only vl_record_open, _refresh, _flush, _reset and _import wait for the
 * database; questions and learning never do, also while another thread waits there.
 *
 * Ownership: keys are copied. Thread-safety: all functions, one vl_record from any thread. */
#ifndef VL_OCR_RECORD_H
#define VL_OCR_RECORD_H

#include "ocr/vote.h"

#include <vislang/ocr.h>
#include <vislang/store.h>

enum {
    VL_RECORD_MAX_ROWS = VL_WEIGHTS_MAX,
    VL_RECORD_MAX_FIELD = 64,
    VL_RECORD_MAX_BYTES = 32 << 20
};

/* From general to specific. NULL or "": not known. At most 63 bytes each, no control
 * characters. */
typedef struct vl_record_key {
    const char *voice;       /* "tesseract", "tesseract/sauvola"; always there */
    const char *script;      /* "Latn" */
    const char *language;    /* "swa" */
    const char *degradation; /* "scan", "photo", … (kind.h) */
    const char *source;      /* "fax", "phone", a name the user gave */
} vl_record_key;
/* VL_ERR_INPUT: a field that may not stand in a key. */
vl_status vl_record_key_check(const vl_record_key *key, vl_error *error);

typedef struct vl_record_options {
    double prior;     /* accuracy of a voice nobody has seen; 0.8 */
    double strength;  /* clusters' worth of what the row above says; 40 */
    double half_life; /* clusters after which a count weighs half; 20,000 */
    double human;     /* clusters of agreement that one corrected cluster weighs; 10 */
    /* What a character model is worth as a witness between two readings: of each nat that it
     * gives one more than the other, 0.3; and nats for each code point that one has more than
     * the other, 0.8, as engines leave out more than they make up. */
    double witness, character;
} vl_record_options;
vl_record_options vl_record_options_default(void);

typedef struct vl_record vl_record;
/* What `base` knows counts as if it had been learned here, fades never and is not written;
 * calibrations are its where this one has none. It stays the caller's and must live as long. */
void vl_record_set_base(vl_record *record, const vl_record *base);
/* `db` NULL: in memory only. Else its schema is the newest, it stays the caller's and must live
 * as long. VL_ERR_INPUT: what is wrong with its rows, which stay as they are. */
vl_status vl_record_open(vl_db *db, const vl_record_options *options, vl_record **record,
                         vl_error *error);
/* What was not flushed is lost. */
void vl_record_free(vl_record *record);

/* Expected accuracy, 0 … 1: Beta means, each with the more general one as its prior.
 * `clusters` (may be NULL): how much evidence the most specific row with any has. */
double vl_record_accuracy(vl_record *record, const vl_record_key *key, double *clusters);
/* Share of that evidence that people corrected, 0 … 1. */
double vl_record_corrected(vl_record *record, const vl_record_key *key);
/* Counts by hand, 0 or more each, on every row from the voice's to the key's. */
vl_status vl_record_add(vl_record *record, const vl_record_key *key, double right, double wrong,
                        vl_error *error);

/* Learns from one vote without labels. Each voice is judged only by voices of other families,
 * and its own record plays no part in that; where there is none nothing is learned. `where`
 * is the key of all voices; its `voice` is not looked at. */
vl_status vl_record_learn(vl_record *record, const vl_vote_result *result,
                          const vl_record_key *where, vl_error *error);
/* Learns from a vote of two families. Their agreement alone cannot tell which of them is right:
 * the language model is the third witness. `witness` is vl_vote_witness of the result. Of more
 * or fewer families nothing is learned. */
vl_status vl_record_learn_two(vl_record *record, const vl_vote_result *result,
                              const double *witness, const vl_record_key *where,
                              vl_error *error);
/* Learns from what a person says the line is; each cluster weighs options.human. */
vl_status vl_record_correct(vl_record *record, const vl_vote_voice *voices, size_t count,
                            const char *truth, const vl_record_key *where, vl_error *error);

/* The calibration of a voice, kept with its record; none where there is none. */
vl_vote_calibration vl_record_calibration(vl_record *record, const char *voice);
vl_status vl_record_calibrate(vl_record *record, const char *voice,
                              const vl_vote_calibration *calibration, vl_error *error);

/* Scales rows with more evidence down to `clusters`. */
void vl_record_limit(vl_record *record, double clusters);

/* A document of docs/formats.md whose lines a person has corrected; see vl_ocr_record_correct.
 * On an error part of it may have been learned. */
vl_status vl_record_correct_document(vl_record *record, const void *json, size_t bytes,
                                     vl_buf *report, vl_error *error);
/* Takes over what others wrote to the store since it was last read, if anything, and keeps what
 * was learned. Costs a look at one row. */
vl_status vl_record_refresh(vl_record *record, vl_error *error);
/* Adds what was learned since to the store, and takes over what others added. On an error the
 * store is as it was and nothing learned is lost: call it again. (Where the connection broke
 * during the commit it may have been added, and is added twice then.) */
vl_status vl_record_flush(vl_record *record, vl_error *error);
/* Forgets a voice (and "voice/…"), or everything for NULL, in memory and in the store, and
 * with them calibrations. `removed` (may be NULL): rows and calibrations. */
vl_status vl_record_reset(vl_record *record, const char *voice, size_t *removed,
                          vl_error *error);

/* What is inside of the one that readers share. */
vl_record *vl_ocr_record_inside(vl_ocr_record *shared);

/* In memory alone, when the caller has reset it in the store (vl_weights_reset). Returns how
 * many rows and calibrations that were. */
size_t vl_record_forget(vl_record *record, const char *voice);

/* As JSON, with what was learned since. */
vl_status vl_record_export(vl_record *record, vl_buf *out, vl_error *error);
/* Replaces everything by such bytes, in the store too. VL_ERR_INPUT: what is wrong; nothing
 * changed then. */
vl_status vl_record_import(vl_record *record, const void *json, size_t bytes, vl_error *error);
/* A table for people: one row a line, most evidence first within a voice. */
void vl_record_show(vl_record *record, vl_buf *out);

#endif
