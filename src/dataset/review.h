/* review.h — people look at items of a dataset and say what is right: what they said, and which
 * item comes next.
 *
 * All of it is in reviews.db in the dataset's folder (SQLite, write-ahead log, every commit
 * synced), by ids of items, so that a dataset that is built anew keeps it. Nothing is ever
 * changed or removed there: a reviewer's decisions on an item are revisions 1, 2, …, of which
 * the last one holds.
 *
 * Threads: a vl_review may be used by several; several processes may review one folder. */
#ifndef VL_DATASET_REVIEW_H
#define VL_DATASET_REVIEW_H

#include <vislang/dataset.h>
#include <vislang/store.h>

#define REVIEW_FILE "reviews.db"

typedef enum review_verdict {
    REVIEW_ACCEPTED,
    REVIEW_CORRECTED, /* text, box or both */
    REVIEW_REJECTED,
    REVIEW_SKIPPED, /* no verdict: somebody else may say */
    REVIEW_UNDONE,  /* takes the revision before back: the item is to be decided again */
    REVIEW_VERDICT_COUNT,
} review_verdict;
const char *review_verdict_name(review_verdict verdict); /* "accepted", … */

/* Why an item is rejected: one of these, or words of the reviewer's own, or both. */
typedef struct review_reason {
    const char *name, *says;
} review_reason;
extern const review_reason review_reasons[]; /* ends with a NULL name */

enum {
    REVIEW_NAME_SIZE = 65,
    REVIEW_TOKEN_SIZE = 44,    /* 43 letters of base64url: 256 bits */
    REVIEW_TEXT_MAX = 1 << 20, /* bytes of a corrected text */
    REVIEW_NOTE_MAX = 2000,
};

typedef struct review_decision {
    char item[VL_ITEM_ID_SIZE];
    int64_t revision;
    review_verdict verdict;
    const char *text; /* corrected; NULL: as it was */
    bool has_box;     /* redrawn: pixels of the picture */
    vl_box box;
    const char *reason; /* of review_reasons; "" none */
    const char *note;   /* own words; "" none */
    double seconds;     /* that it took */
    int64_t decided_ms; /* by the reviewer's clock */
} review_decision;

/* ---- reviews.db ------------------------------------------------------------------------- */

/* Makes it when it is not there. VL_ERR_INPUT: it is of a newer program. */
vl_status review_db_open(const char *folder, vl_db **db, vl_error *error);
bool review_db_exists(const char *folder);

/* The reviewer's token, made when the name is new. VL_ERR_USAGE: the name is empty, longer than
 * 64 bytes, or has control characters. */
vl_status review_token(vl_db *db, const char *name, char token[REVIEW_TOKEN_SIZE],
                       vl_error *error);
/* VL_ERR_DENIED: nobody has it. */
vl_status review_reviewer_of(vl_db *db, const char *token, char name[REVIEW_NAME_SIZE],
                             vl_error *error);
/* Numbers that are kept ("port"); `*value` stays when there is none. */
vl_status review_setting(vl_db *db, const char *name, int64_t *value, vl_error *error);
vl_status review_set(vl_db *db, const char *name, int64_t value, vl_error *error);

/* What the item was when it was decided on: kept beside the decision. */
typedef struct review_facts {
    const char *language, *source, *kind;
    double quality[VL_QUALITY_PART_COUNT], score;
    bool random;     /* of the random part of the sample */
    double distance; /* of the text from what it was, 0 … 1: review_distance; negative: none */
} review_facts;
/* Edits over the longer one's length, in code points after vl_text_squeeze. */
vl_status review_distance(const char *was, const char *is, double *distance, vl_error *error);

typedef enum review_outcome {
    REVIEW_STORED,
    REVIEW_KNOWN,    /* the same was stored before */
    REVIEW_CONFLICT, /* this revision is another decision; `latest` says which is the last one
                      */
    REVIEW_UNKNOWN,  /* there is no such item, and nobody was given it */
} review_outcome;
/* On disk when it returns VL_OK. `facts` NULL: the item is not there any more; then only who
 * was given it may say something of it. */
vl_status review_store(vl_db *db, const char *reviewer, const review_decision *decision,
                       const review_facts *facts, review_outcome *outcome, int64_t *latest,
                       vl_error *error);

/* A decision as it lies there; strings live until `give` returns. */
typedef struct review_row {
    review_decision decision;
    const char *reviewer;
    review_facts facts;
    bool has_facts;
} review_row;
typedef vl_status (*review_row_fn)(const review_row *row, void *to, vl_error *error);
/* The last revision of every item and reviewer that is a verdict, by item, then by time. `item`
 * and `reviewer` may be NULL: all. */
vl_status review_verdicts(vl_db *db, const char *item, const char *reviewer, review_row_fn give,
                          void *to, vl_error *error);
/* Every revision, in the order in which they came. */
vl_status review_history(vl_db *db, const char *item, review_row_fn give, void *to,
                         vl_error *error);

/* Of any kind; 0: none. */
vl_status review_latest(vl_db *db, const char *item, const char *reviewer, int64_t *revision,
                        vl_error *error);

typedef struct review_counts {
    int64_t by_verdict[REVIEW_VERDICT_COUNT]; /* last revisions; undone ones count for none */
    double seconds;                           /* of verdicts */
} review_counts;
/* `reviewer` NULL: of all. */
vl_status review_count(vl_db *db, const char *reviewer, review_counts *counts, vl_error *error);

/* Corrections that the engines' record has learned from, so that it does so once. */
vl_status review_was_taught(vl_db *db, const char *item, const char *reviewer, int64_t revision,
                            bool *was, vl_error *error);
vl_status review_note_taught(vl_db *db, const char *item, const char *reviewer,
                             int64_t revision, vl_error *error);

typedef struct review_merged {
    size_t taken, known; /* decisions; those that were here */
    size_t conflicts;    /* … and whose revision is another decision here, which stays */
} review_merged;
/* All that was decided in the reviews.db of `folder`: another build of the dataset, or a copy
 * on another machine. All or nothing. VL_ERR_INPUT: it has none. */
vl_status review_merge(vl_db *db, const char *folder, review_merged *merged, vl_error *error);

/* ---- a dataset under review ----------------------------------------------------------------
 */

typedef struct vl_review vl_review;
typedef struct review_options {
    double overlap; /* share of items that two reviewers see: 0.2 */
    double random;  /* share that is drawn by chance: review_sample.h; 0.2 */
    uint64_t seed;
    const char *language; /* only items of this language; NULL: all */
    size_t limit;         /* only the first so many of the order; 0: all */
} review_options;
review_options review_options_default(void);
/* Reads where the items lie. Of more than REVIEW_MOST the order has a random part of that
 * size. VL_ERR_INPUT: no dataset. VL_ERR_USAGE: it has no item of that language. */
enum { REVIEW_MOST = 1000000 };
vl_status review_open(const char *folder, const review_options *options, vl_review **review,
                      vl_error *error);
void review_close(vl_review *review); /* NULL allowed */
vl_db *review_db(vl_review *review);
const char *review_folder(const vl_review *review);
const char *
review_built(const vl_review *review);       /* SHA-256 of its items: it tells builds apart */
size_t review_size(const vl_review *review); /* items that are in the order */

typedef struct review_given {
    vl_item item;     /* as it was built; strings in the arena */
    const char *json; /* its line, without the line end */
    bool random, overlap;
} review_given;
/* VL_ERR_MISSING: there is no such item. */
vl_status review_find(vl_review *review, const char *id, vl_arena *arena, review_given *given,
                      vl_error *error);
/* The file of its picture, below pictures/ whatever the item says. VL_ERR_MISSING: it has none,
 * or it is not there. */
vl_status review_picture(const vl_review *review, const vl_item *item, vl_buf *bytes,
                         vl_error *error);
/* Up to `most` items that the reviewer is to decide on next, without those whose ids he has
 * already (`have`); they are his from then on, and two reviewers get the same one only where it
 * is one of those that two are to see. One that was not decided on for REVIEW_LEASE_MS may go
 * to another. The same for the same seed, verdicts and order of calls. */
#define REVIEW_LEASE_MS (12 * 3600 * 1000LL)
vl_status review_next(vl_review *review, const char *reviewer, const char *const *have,
                      size_t have_count, size_t most, vl_arena *arena, review_given *given,
                      size_t *count, vl_error *error);
/* What can be said of a decision without its item. VL_ERR_INPUT: it has no meaning (a
 * correction of nothing, a rejection without a reason, …). */
vl_status review_check(const review_decision *decision, vl_error *error);
/* review_store, with the facts of the item. VL_ERR_INPUT: the decision has no meaning, or a box
 * outside of the picture. */
vl_status review_decide(vl_review *review, const char *reviewer,
                        const review_decision *decision, review_outcome *outcome,
                        int64_t *latest, vl_error *error);

/* ---- agreement --------------------------------------------------------------------------- */

/* JSON: {"overall": {…}, "languages": {CODE: {…}}}, each {"verdicts": A, "texts": A}, A being
 * {"alpha", "low", "high", "units", "values"} (null: not defined): nominal on verdicts; on
 * texts, the interval metric on their distance from what was built. Beside them "estimate", of
 * the whole dataset from its random part: {"items", "accepted", "low", "high", "corrected",
 * "rejected"}, shares by the rule of review_apply.h, with the 95 % interval of "accepted"
 * (null: no item of that part was decided on). */
vl_status review_agreement(vl_db *db, vl_buf *json, vl_error *error);

#endif
