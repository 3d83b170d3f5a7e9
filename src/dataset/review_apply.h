/* review_apply.h — items as reviewers left them.
 *
 * Of several reviewers' verdicts on an item: one who rejects it is enough (a row that is lost
 * costs less than one that is wrong); else of corrections the last one, text and box each;
 * else it is accepted. `review` of the item says which.
 *
 * An example follows its base item. Of a rejected one it is rejected. Of one whose text was
 * corrected: where that text stands in it whole, the corrected one takes its place; one that is
 * a label (of a language, a crisis) stays; any other may quote what was wrong, and is rejected.
 * What was said of the example itself comes before all of that, unless the base is rejected. */
#ifndef VL_DATASET_REVIEW_APPLY_H
#define VL_DATASET_REVIEW_APPLY_H

#include <vislang/dataset.h>

typedef struct review_applied review_applied; /* read-only, then thread-safe */
/* NULL: nobody has reviewed it. */
vl_status review_applied_read(const char *folder, review_applied **applied, vl_error *error);
void review_applied_free(review_applied *applied); /* NULL allowed */

/* One pass over the items, in their order. */
typedef struct review_pass {
    const review_applied *applied;
    vl_arena *arena; /* of the item that was applied last */
    vl_buf was, is;  /* text of the last base item; it was corrected if they differ */
    char base[VL_ITEM_ID_SIZE];
    bool base_rejected;
} review_pass;
vl_status review_pass_begin(const review_applied *applied, review_pass *pass, vl_error *error);
/* Strings it changes are the pass's, until the next call. */
vl_status review_pass_apply(review_pass *pass, vl_item *item, vl_error *error);
void review_pass_end(review_pass *pass);

#endif
