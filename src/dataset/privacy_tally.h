/* privacy_tally.h — one find into a tally (privacy.h has the rest). */
#ifndef VL_DATASET_PRIVACY_TALLY_H
#define VL_DATASET_PRIVACY_TALLY_H

#include "dataset/privacy.h"

typedef struct privacy_tally_entry {
    size_t kind; /* below VL_ITEM_PERSONAL */
    privacy_action action;
    const char *rule, *language;
} privacy_tally_entry;
/* `text`: what was found, `bytes` of it; only its shape is kept. */
void privacy_tally_find(privacy_tally *tally, const privacy_tally_entry *entry,
                        const char *text, size_t bytes);
bool privacy_tally_failed(const privacy_tally *tally); /* there was no memory for a find */

#endif
