/* trail.h — what the service writes into the audit trail (vl_audit of store.h).
 *
 * What is done is an entry each. What is refused is added up by address (serve/refusals.h) and
 * written now and then: whoever is refused a million times a minute, from a million addresses,
 * fills neither the trail nor the disk. */
#ifndef VISLANG_SERVE_TRAIL_H
#define VISLANG_SERVE_TRAIL_H

#include "serve/identity.h"

typedef struct vl_trail vl_trail;
vl_trail *vl_trail_new(void); /* NULL: no memory */
void vl_trail_free(vl_trail *trail);
/* An entry by the request's caller. Waits for the database: on an errand, not on the event
 * thread. What is done in the database is to be done with it in one vl_audit_together, so that
 * nothing is done that is not written down. `detail`: a JSON object; NULL: none. */
vl_status vl_trail_done(vl_request *request, const char *action, const char *subject,
                        const char *detail, vl_error *error);
/* Counts a refusal (vislang_auth_failures_total) and keeps it for the trail; any thread.
 * `user`: the name of a user that exists; "" none. */
void vl_trail_refused(vl_request *request, vl_denial denial, const char *user);
/* Writes what is due (`all`: everything); not on the event thread. */
void vl_trail_flush(vl_server *server, bool all);
/* Whether something may be due. Any thread. */
bool vl_trail_is_due(vl_trail *trail);

#endif
