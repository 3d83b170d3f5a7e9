/* review_apply.c — verdicts of all reviewers together, laid over the items as they are read. */
#include "dataset/review_apply.h"
#include "dataset/review.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_ROOM = 16 << 20 };
static const size_t TEXTS_MAX = (size_t)4 << 30, ITEM_ARENA = (size_t)64 << 20;

typedef struct judged { /* an item, by all its reviewers */
    char id[VL_ITEM_ID_SIZE];
    review_verdict verdict;
    const char *text; /* NULL: as it was */
    bool has_box;
    vl_box box;
} judged;

struct review_applied {
    vl_arena *arena; /* of the texts */
    judged *items;   /* by id */
    size_t count, room;
};

/* ---- reading -------------------------------------------------------------------------------
 */

static judged *judged_of(review_applied *a, const char *id, vl_error *error) {
    if (a->count && !strcmp(a->items[a->count - 1].id, id))
        return &a->items[a->count - 1];
    if (a->count == a->room) {
        size_t room = a->room ? 2 * a->room : 256;
        judged *more = realloc(a->items, room * sizeof *more);
        if (!more) {
            vl_fail(error, VL_ERR_MEMORY, "no memory for %zu verdicts", room);
            return NULL;
        }
        a->items = more;
        a->room = room;
    }
    judged *made = &a->items[a->count++];
    *made = (judged){.verdict = REVIEW_ACCEPTED};
    memcpy(made->id, id, strlen(id) + 1);
    return made;
}

/* Rows come by item, those of an item by time. */
static vl_status take_row(const review_row *row, void *to, vl_error *error) {
    review_applied *a = to;
    const review_decision *d = &row->decision;
    judged *j = judged_of(a, d->item, error);
    if (!j)
        return VL_ERR_MEMORY;
    if (d->verdict == REVIEW_REJECTED || j->verdict == REVIEW_REJECTED) {
        j->verdict = REVIEW_REJECTED;
        return VL_OK;
    }
    if (d->verdict == REVIEW_CORRECTED)
        j->verdict = REVIEW_CORRECTED;
    if (d->text && !(j->text = vl_arena_strdup(a->arena, d->text)))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for corrected texts");
    if (d->has_box) {
        j->has_box = true;
        j->box = d->box;
    }
    return VL_OK;
}

static int by_id(const void *x, const void *y) {
    return strcmp(((const judged *)x)->id, ((const judged *)y)->id);
}

vl_status review_applied_read(const char *folder, review_applied **applied, vl_error *error) {
    vl_db *db = NULL;
    *applied = NULL;
    if (!review_db_exists(folder))
        return VL_OK;
    review_applied *a = calloc(1, sizeof *a);
    if (a)
        a->arena = vl_arena_new(TEXTS_MAX);
    vl_status status = a && a->arena ? review_db_open(folder, &db, error)
                                     : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status)
        status = review_verdicts(db, NULL, NULL, take_row, a, error);
    vl_db_close(db);
    if (!status && a->count) {
        qsort(a->items, a->count, sizeof *a->items, by_id);
        *applied = a;
    } else {
        review_applied_free(a);
    }
    return status;
}

void review_applied_free(review_applied *applied) {
    if (!applied)
        return;
    vl_arena_free(applied->arena);
    free(applied->items);
    free(applied);
}

/* ---- applying ------------------------------------------------------------------------------
 */

vl_status review_pass_begin(const review_applied *applied, review_pass *pass, vl_error *error) {
    *pass = (review_pass){.applied = applied, .arena = vl_arena_new(ITEM_ARENA)};
    vl_buf_init(&pass->was, TEXT_ROOM);
    vl_buf_init(&pass->is, TEXT_ROOM);
    return pass->arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
}

void review_pass_end(review_pass *pass) {
    vl_arena_free(pass->arena);
    vl_buf_deinit(&pass->was);
    vl_buf_deinit(&pass->is);
}

static void judge(vl_item *item, const judged *j) {
    item->review = review_verdict_name(j->verdict);
    if (j->verdict != REVIEW_CORRECTED)
        return;
    if (j->text)
        item->text = j->text;
    if (j->has_box) {
        item->has_region = true;
        item->region = j->box;
    }
}

static vl_status note_base(review_pass *pass, const vl_item *item, const char *was,
                           vl_error *error) {
    memcpy(pass->base, item->id, sizeof pass->base);
    pass->base_rejected = !strcmp(item->review, review_verdict_name(REVIEW_REJECTED));
    vl_buf_clear(&pass->was);
    vl_buf_clear(&pass->is);
    vl_buf_puts(&pass->was, was);
    vl_buf_puts(&pass->is, item->text);
    vl_status status = vl_buf_status(&pass->was, "a text", error);
    return status ? status : vl_buf_status(&pass->is, "a text", error);
}

/* What was corrected in the base item. */
static vl_status follow_base(review_pass *pass, vl_item *item, vl_error *error) {
    const char *was = pass->was.data ? pass->was.data : "";
    const char *is = pass->is.data ? pass->is.data : "";
    if (!strcmp(was, is) || item->kind == VL_ITEM_LANGUAGE || item->kind == VL_ITEM_CRISIS)
        return VL_OK;
    const char *at = *was ? strstr(item->text, was) : NULL;
    if (!at) {
        item->review = review_verdict_name(REVIEW_REJECTED);
        return VL_OK;
    }
    char *text = vl_arena_printf(pass->arena, "%.*s%s%s", (int)(at - item->text), item->text,
                                 is, at + strlen(was));
    if (!text)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an item");
    item->text = text;
    item->review = review_verdict_name(REVIEW_CORRECTED);
    return VL_OK;
}

vl_status review_pass_apply(review_pass *pass, vl_item *item, vl_error *error) {
    const review_applied *a = pass->applied;
    const char *was = item->text;
    judged key = {.verdict = REVIEW_ACCEPTED};
    memcpy(key.id, item->id, sizeof key.id);
    vl_arena_reset(pass->arena);
    const judged *j = a ? bsearch(&key, a->items, a->count, sizeof *a->items, by_id) : NULL;
    if (j)
        judge(item, j);
    if (vl_item_is_base(item->kind))
        return note_base(pass, item, was, error);
    if (strcmp(item->base, pass->base) != 0)
        return VL_OK;
    if (pass->base_rejected) {
        item->review = review_verdict_name(REVIEW_REJECTED);
        return VL_OK;
    }
    return j ? VL_OK : follow_base(pass, item, error);
}
