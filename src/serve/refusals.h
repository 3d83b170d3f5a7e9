/* refusals.h — refusals added up by address until they are written down.
 *
 * Each of a few addresses has a row, all others share one. A row is due a minute after it was
 * last; and of rows with an address no more are due than a bucket of 64 gives that two a minute
 * flow into: past it they are added to the shared one. So an attack from any number of
 * addresses, for however long, comes to three entries a minute, and none of its refusals is
 * missing from the sums. Not thread-safe. */
#ifndef VISLANG_SERVE_REFUSALS_H
#define VISLANG_SERVE_REFUSALS_H

#include "serve/identity.h"

enum { VL_REFUSAL_ROWS = 65, VL_REFUSAL_OTHERS = VL_REFUSAL_ROWS - 1 };
typedef struct vl_refusal_row { /* of one address; the last one, of all others */
    vl_address owner;
    uint64_t counts[VL_DENIAL_COUNT], total;
    int64_t written_ns;                           /* 0: never */
    char user[VL_USER_NAME_SIZE], request_id[65]; /* of the last one */
} vl_refusal_row;
typedef struct vl_refusals { /* all zero: none */
    vl_refusal_row rows[VL_REFUSAL_ROWS];
    int64_t full_ns; /* when the bucket is full again */
} vl_refusals;

/* `user`: the name of one that exists; "" none. */
void vl_refusals_add(vl_refusals *refusals, const vl_address *owner, vl_denial denial,
                     const char *user, const char *request_id, int64_t now_ns);
/* Fills `due` with what is to be written now (`all`: everything) and clears it; returns how
 * many.
 * `*others`: the last of them is of all others. */
size_t vl_refusals_take(vl_refusals *refusals, bool all, int64_t now_ns,
                        vl_refusal_row due[VL_REFUSAL_ROWS], bool *others);
/* What could not be written is counted with what comes, and costs nothing of the bucket. */
void vl_refusals_put_back(vl_refusals *refusals, const vl_refusal_row *due, bool is_others);
/* Whether there is anything to be written, now or later. */
bool vl_refusals_any(const vl_refusals *refusals);

#endif
