/* trail.c — entries of the audit trail, and refusals added up for it. */
#include "serve/trail.h"
#include "serve/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 64, DETAIL_SIZE = 512 };
static const int64_t LOOK_NS = 5000000000, APART_NS = 60000000000;

typedef struct row { /* of one address; the last one, of all others */
    vl_address owner;
    unsigned counts[VL_DENIAL_COUNT], total;
    int64_t written_ns;                           /* 0: never */
    char user[VL_USER_NAME_SIZE], request_id[65]; /* of the last one */
} row;

struct vl_trail {
    pthread_mutex_t lock;
    atomic_int_fast64_t looked_ns;
    atomic_bool pending;
    row rows[ROWS + 1];
};

vl_trail *vl_trail_new(void) {
    vl_trail *trail = calloc(1, sizeof *trail);
    if (trail)
        pthread_mutex_init(&trail->lock, NULL);
    return trail;
}

void vl_trail_free(vl_trail *trail) {
    if (!trail)
        return;
    pthread_mutex_destroy(&trail->lock);
    free(trail);
}

vl_status vl_trail_done(vl_request *request, const char *action, const char *subject,
                        const char *detail, vl_error *error) {
    char actor[VL_ACTOR_SIZE], address[VL_ADDRESS_TEXT_SIZE];
    vl_caller_actor(&request->caller, actor);
    vl_address_format(&request->client, address);
    return vl_audit_append(request->server->store.audit,
                           &(vl_audit_entry){.actor = actor,
                                             .action = action,
                                             .subject = subject,
                                             .outcome = "done",
                                             .detail = detail ? detail : "{}",
                                             .request_id = request->id,
                                             .address = address},
                           error);
}

/* ---- refusals ------------------------------------------------------------------------ */

/* Under the lock. */
static row *row_of(vl_trail *trail, const vl_address *owner) {
    int64_t now = vl_clock_ns();
    row *place = &trail->rows[ROWS];
    for (int i = ROWS - 1; i >= 0; i--) {
        row *r = &trail->rows[i];
        if (!memcmp(&r->owner, owner, sizeof *owner))
            return r;
        if (!r->total && (!r->written_ns || now - r->written_ns > APART_NS))
            place = r;
    }
    if (place != &trail->rows[ROWS])
        *place = (row){.owner = *owner};
    return place;
}

void vl_trail_refused(vl_request *request, vl_denial denial, const char *user) {
    vl_trail *trail = request->server->trail;
    vl_address owner;
    atomic_fetch_add(&request->server->metrics.auth_failures[denial], 1);
    vl_address_owner(&request->client, &owner);
    pthread_mutex_lock(&trail->lock);
    row *r = row_of(trail, &owner);
    r->counts[denial]++;
    r->total++;
    snprintf(r->user, sizeof r->user, "%s", user);
    snprintf(r->request_id, sizeof r->request_id, "%s", request->id);
    pthread_mutex_unlock(&trail->lock);
    atomic_store(&trail->pending, true);
}

bool vl_trail_is_due(vl_trail *trail) {
    return atomic_load(&trail->pending) &&
           vl_clock_ns() - atomic_load(&trail->looked_ns) > LOOK_NS;
}

static vl_status write_row(vl_server *server, const row *r, bool is_others, vl_error *error) {
    char address[VL_ADDRESS_TEXT_SIZE] = "", subject[VL_ACTOR_SIZE] = "", detail[DETAIL_SIZE];
    size_t length = 0;
    for (int d = VL_DENIAL_NONE + 1; d < VL_DENIAL_COUNT; d++)
        if (r->counts[d])
            length += (size_t)snprintf(detail + length, sizeof detail - length, "%c\"%s\":%u",
                                       length ? ',' : '{', vl_denial_name((vl_denial)d),
                                       r->counts[d]);
    snprintf(detail + length, sizeof detail - length, "}");
    if (!is_others)
        vl_address_format(&r->owner, address);
    if (*r->user)
        snprintf(subject, sizeof subject, "user:%s", r->user);
    return vl_audit_append(server->store.audit,
                           &(vl_audit_entry){.actor = "anonymous",
                                             .action = "auth.refused",
                                             .subject = subject,
                                             .outcome = "refused",
                                             .detail = detail,
                                             .request_id = r->request_id,
                                             .address = is_others ? "others" : address},
                           error);
}

/* What could not be written is counted with what comes. */
static void put_back(vl_trail *trail, row *r, const row *due) {
    pthread_mutex_lock(&trail->lock);
    if (!memcmp(&r->owner, &due->owner, sizeof r->owner)) {
        for (int d = 0; d < VL_DENIAL_COUNT; d++)
            r->counts[d] += due->counts[d];
        r->total += due->total;
        r->written_ns = due->written_ns;
        if (!*r->request_id) {
            memcpy(r->user, due->user, sizeof r->user);
            memcpy(r->request_id, due->request_id, sizeof r->request_id);
        }
    }
    pthread_mutex_unlock(&trail->lock);
}

void vl_trail_flush(vl_server *server, bool all) {
    vl_trail *trail = server->trail;
    bool waits = false;
    vl_error error;
    atomic_store(&trail->looked_ns, vl_clock_ns());
    atomic_store(&trail->pending, false);
    for (int i = 0; i <= ROWS; i++) {
        row *r = &trail->rows[i], due = {0};
        int64_t now = vl_clock_ns();
        pthread_mutex_lock(&trail->lock);
        if (r->total && (all || !r->written_ns || now - r->written_ns > APART_NS)) {
            due = *r;
            *r = (row){.owner = r->owner, .written_ns = now};
        }
        waits = waits || r->total;
        pthread_mutex_unlock(&trail->lock);
        if (due.total && write_row(server, &due, i == ROWS, &error)) {
            vl_log(VL_LOG_WARN, "the audit trail cannot be written",
                   VL_F_STR("action", "auth.refused"), VL_F_STR("reason", error.message));
            put_back(trail, r, &due);
            waits = true;
        }
    }
    if (waits)
        atomic_store(&trail->pending, true);
}
