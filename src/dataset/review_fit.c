/* review_fit.c — verdicts as cases of the quality model. */
#include "dataset/review_fit.h"
#include "dataset/folder.h"
#include "dataset/review.h"

#include <stdlib.h>
#include <string.h>

static const double corrected_most = 0.75;

typedef struct cases {
    quality_case *list;
    size_t count, room;
    char item[VL_ITEM_ID_SIZE]; /* of the last one */
    double verdicts;            /* … how many */
} cases;

static bool is_about_quality(const review_row *row) {
    static const char *const other[] = {"wrong_answer", "personal_data", "harmful",
                                        "duplicate"};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (!strcmp(row->decision.reason, other[i]))
            return false;
    return row->has_facts;
}

static double verdict_of(const review_row *row) {
    switch (row->decision.verdict) {
    case REVIEW_ACCEPTED:
        return 1;
    case REVIEW_CORRECTED:
        return corrected_most * (1 - (row->facts.distance > 0 ? row->facts.distance : 0));
    default:
        return 0;
    }
}

/* Rows come by item. */
static vl_status take_case(const review_row *row, void *to, vl_error *error) {
    cases *c = to;
    if (!is_about_quality(row))
        return VL_OK;
    if (c->count && !strcmp(c->item, row->decision.item)) {
        quality_case *last = &c->list[c->count - 1];
        c->verdicts++;
        last->verdict += (verdict_of(row) - last->verdict) / c->verdicts;
        return VL_OK;
    }
    if (c->count == c->room) {
        size_t room = c->room ? 2 * c->room : 256;
        quality_case *more = realloc(c->list, room * sizeof *more);
        if (!more)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu verdicts", room);
        c->list = more;
        c->room = room;
    }
    quality_case *one = &c->list[c->count++];
    one->verdict = verdict_of(row);
    memcpy(one->quality, row->facts.quality, sizeof one->quality);
    memcpy(c->item, row->decision.item, sizeof c->item);
    c->verdicts = 1;
    return VL_OK;
}

vl_status review_fit(const char *folder, vl_db *db, quality_fit *fit, quality_model *model,
                     vl_error *error) {
    char path[FOLDER_PATH_SIZE];
    cases c = {0};
    vl_status status = review_verdicts(db, NULL, NULL, take_case, &c, error);
    if (!status)
        status = quality_model_fit(c.list, c.count, model, fit, error);
    if (!status && fit->taken)
        status = folder_path(folder, REVIEW_QUALITY_FILE, path, error);
    if (!status && fit->taken)
        status = quality_model_write(model, path, error);
    free(c.list);
    return status;
}
