/* refusals.c — rows of refusals, and how many of them may be written. */
#include "serve/refusals.h"

#include <stdio.h>
#include <string.h>

enum { BURST = VL_REFUSAL_OTHERS };
static const int64_t APART_NS = 60000000000, EACH_NS = 30000000000;

/* The row of the address; one that has been idle becomes its; else that of all others. */
static vl_refusal_row *row_of(vl_refusals *refusals, const vl_address *owner, int64_t now_ns) {
    vl_refusal_row *place = &refusals->rows[VL_REFUSAL_OTHERS];
    for (int i = VL_REFUSAL_OTHERS - 1; i >= 0; i--) {
        vl_refusal_row *r = &refusals->rows[i];
        bool is_used = r->total || r->written_ns;
        if (is_used && !memcmp(&r->owner, owner, sizeof *owner))
            return r;
        if (!r->total && (!r->written_ns || now_ns - r->written_ns > APART_NS))
            place = r;
    }
    if (place != &refusals->rows[VL_REFUSAL_OTHERS])
        *place = (vl_refusal_row){.owner = *owner};
    return place;
}

void vl_refusals_add(vl_refusals *refusals, const vl_address *owner, vl_denial denial,
                     const char *user, const char *request_id, int64_t now_ns) {
    vl_refusal_row *r = row_of(refusals, owner, now_ns);
    r->counts[denial]++;
    r->total++;
    snprintf(r->user, sizeof r->user, "%s", user);
    snprintf(r->request_id, sizeof r->request_id, "%s", request_id);
}

/* The bucket, as the generic cell rate algorithm keeps it (serve/limiter.h). */
static bool take_one(vl_refusals *refusals, int64_t now_ns) {
    int64_t from = refusals->full_ns > now_ns ? refusals->full_ns : now_ns;
    if (from + EACH_NS - now_ns > BURST * EACH_NS)
        return false;
    refusals->full_ns = from + EACH_NS;
    return true;
}

static void add_up(vl_refusal_row *to, const vl_refusal_row *r) {
    for (int d = 0; d < VL_DENIAL_COUNT; d++)
        to->counts[d] += r->counts[d];
    to->total += r->total;
    if (!*to->request_id) {
        memcpy(to->user, r->user, sizeof to->user);
        memcpy(to->request_id, r->request_id, sizeof to->request_id);
    }
}

size_t vl_refusals_take(vl_refusals *refusals, bool all, int64_t now_ns,
                        vl_refusal_row due[VL_REFUSAL_ROWS], bool *others) {
    size_t count = 0;
    *others = false;
    for (int i = 0; i < VL_REFUSAL_ROWS; i++) {
        vl_refusal_row *r = &refusals->rows[i];
        if (!r->total || (!all && r->written_ns && now_ns - r->written_ns <= APART_NS))
            continue;
        *others = i == VL_REFUSAL_OTHERS;
        if (*others || take_one(refusals, now_ns))
            due[count++] = *r;
        else
            add_up(&refusals->rows[VL_REFUSAL_OTHERS], r);
        *r = (vl_refusal_row){.owner = r->owner, .written_ns = now_ns};
    }
    return count;
}

void vl_refusals_put_back(vl_refusals *refusals, const vl_refusal_row *due, bool is_others) {
    vl_refusal_row *place = &refusals->rows[VL_REFUSAL_OTHERS];
    for (int i = 0; !is_others && i < VL_REFUSAL_OTHERS; i++)
        if (!memcmp(&refusals->rows[i].owner, &due->owner, sizeof due->owner) &&
            refusals->rows[i].written_ns)
            place = &refusals->rows[i];
    add_up(place, due);
    place->written_ns = due->written_ns;
    if (!is_others)
        refusals->full_ns -= EACH_NS;
}

bool vl_refusals_any(const vl_refusals *refusals) {
    for (int i = 0; i < VL_REFUSAL_ROWS; i++)
        if (refusals->rows[i].total)
            return true;
    return false;
}
