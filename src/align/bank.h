/* bank.h — sentences as two sparse rows each: meanings (units of the hub) and looks (features
 * of romanised words). How rows are weighed depends on what they are compared with, so raw
 * counts are kept here and weighed copies are made (bank_rows.c). */
#ifndef VL_ALIGN_BANK_H
#define VL_ALIGN_BANK_H

#include "align/features.h"
#include "align/space.h"
#include "align/sparse.h"

#include <pthread.h>

/* A word of the bank, each once. */
typedef struct bank_type {
    const char *word;
    uint32_t meaning_from, meaning_count; /* in `meanings` */
    uint32_t learned_from, learned_count; /* in `learned` */
    uint32_t feature_from, feature_count; /* in `features` */
} bank_type;
typedef struct bank_token {
    uint32_t type, times;
} bank_token;

struct vl_bank {
    const vl_space *space;
    const space_words *words; /* NULL: the space has not got the language */
    bool is_hub;
    vl_arena *arena; /* the words */
    bank_type *types;
    size_t type_count;
    align_meaning *meanings;
    align_meaning *learned;  /* units of the other side: bank_learn.c */
    align_feature *features; /* `id` is a column of `looks` */
    uint32_t *feature_ids;   /* [feature_id_count], rising: the hash of each column */
    size_t feature_id_count;
    size_t count, *from; /* [count + 1] into `tokens` */
    bank_token *tokens;
    sparse looks;
    pthread_mutex_t lock;
    uint64_t serial,
        teacher; /* of this bank, and of the one whose words were learned (0: none):
                    a number, as another bank may come to lie where it lay */
    struct bank_index *index; /* for searching, made at the first search */
};

/* Each word of a bank also has a unit of its own, behind those of the hub. */
static inline uint32_t bank_own_unit(const vl_bank *bank, size_t type) {
    return (uint32_t)(align_space_units(bank->space) + type);
}
/* The unit that learning ties words of the other side to: the stem of a hub's word, else the
 * word's own. */
uint32_t bank_anchor(const vl_bank *bank, size_t type);

/* Counts of meanings, [count][units of the space + words of `anchor`]: with units of their own
 * for the words of `anchor`, when that is the bank itself or the one it learned from; NULL:
 * with none. */
vl_status bank_meanings(const vl_bank *bank, const vl_bank *anchor, sparse *out,
                        vl_error *error);
size_t bank_columns(const vl_space *space, const vl_bank *anchor);

/* The share of looks in a score: score = (meanings + LOOKS·looks) / (1 + LOOKS). */
extern const float BANK_LOOKS;

/* Whether the units are those of the second bank: those of the hub's bank, else of the bank
 * that was made first, whichever way round the two are asked. */
bool bank_is_second_anchor(const vl_bank *a, const vl_bank *b);

void bank_index_free(struct bank_index *index); /* NULL allowed */

#endif
