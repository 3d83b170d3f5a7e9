/* trail.c — entries of the audit trail, and refusals added up for it. */
#include "serve/trail.h"
#include "serve/refusals.h"
#include "serve/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DETAIL_SIZE = 512 };
static const int64_t LOOK_NS = 5000000000;

struct vl_trail {
    pthread_mutex_t lock; /* of the refusals */
    atomic_int_fast64_t looked_ns;
    atomic_bool pending;
    vl_refusals refusals;
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

void vl_trail_refused(vl_request *request, vl_denial denial, const char *user) {
    vl_trail *trail = request->server->trail;
    vl_address owner;
    atomic_fetch_add(&request->server->metrics.auth_failures[denial], 1);
    vl_address_owner(&request->client, VL_CUSTOMER_BITS, &owner);
    pthread_mutex_lock(&trail->lock);
    vl_refusals_add(&trail->refusals, &owner, denial, user, request->id, vl_clock_ns());
    pthread_mutex_unlock(&trail->lock);
    atomic_store(&trail->pending, true);
}

bool vl_trail_is_due(vl_trail *trail) {
    return atomic_load(&trail->pending) &&
           vl_clock_ns() - atomic_load(&trail->looked_ns) > LOOK_NS;
}

static vl_status write_row(vl_server *server, const vl_refusal_row *r, bool is_others,
                           vl_error *error) {
    char address[VL_ADDRESS_TEXT_SIZE] = "", subject[VL_ACTOR_SIZE] = "", detail[DETAIL_SIZE];
    size_t length = 0;
    for (int d = VL_DENIAL_NONE + 1; d < VL_DENIAL_COUNT; d++)
        if (r->counts[d])
            length += (size_t)snprintf(detail + length, sizeof detail - length,
                                       "%c\"%s\":%" PRIu64, length ? ',' : '{',
                                       vl_denial_name((vl_denial)d), r->counts[d]);
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

void vl_trail_flush(vl_server *server, bool all) {
    vl_trail *trail = server->trail;
    vl_refusal_row due[VL_REFUSAL_ROWS];
    bool others;
    vl_error error;
    atomic_store(&trail->looked_ns, vl_clock_ns());
    pthread_mutex_lock(&trail->lock);
    size_t count = vl_refusals_take(&trail->refusals, all, vl_clock_ns(), due, &others);
    pthread_mutex_unlock(&trail->lock);
    for (size_t i = 0; i < count; i++) {
        bool is_others = others && i == count - 1;
        if (!write_row(server, &due[i], is_others, &error))
            continue;
        vl_log(VL_LOG_WARN, "the audit trail cannot be written",
               VL_F_STR("action", "auth.refused"), VL_F_STR("reason", error.message));
        pthread_mutex_lock(&trail->lock);
        vl_refusals_put_back(&trail->refusals, &due[i], is_others);
        pthread_mutex_unlock(&trail->lock);
    }
    pthread_mutex_lock(&trail->lock);
    atomic_store(&trail->pending, vl_refusals_any(&trail->refusals));
    pthread_mutex_unlock(&trail->lock);
}
