/* privacy.h — uploads that are kept with consent, what is past its time, and what a person may
 * ask for: all of it, or its end (docs/privacy.md).
 *
 * An answer to a kept upload is never in a cache, so that erasing a subject leaves none there.
 */
#ifndef VISLANG_SERVE_PRIVACY_H
#define VISLANG_SERVE_PRIVACY_H

#include "serve/identity.h"

#include <vislang/store.h>

#include <stdatomic.h>

typedef struct vl_form vl_form;

/* Who asked for an upload to be kept. */
typedef struct vl_keeper_note {
    bool keeps;
    char actor[VL_ACTOR_SIZE], request_id[65], address[VL_ADDRESS_TEXT_SIZE];
} vl_keeper_note;

typedef struct vl_retention { /* settings and state of the sweeper */
    double upload_seconds, job_seconds, interval;
    atomic_int_fast64_t next_ns;
    atomic_bool sweeping;
} vl_retention;

/* Event thread. Whether the form asks for its upload to be kept; a form that asks in part, or
 * for what is not to be had here, is decided with 400 or 409 (false). */
bool vl_privacy_admit(vl_request *request, vl_keeper_note *note);
/* A worker. `id` receives the object's. */
vl_status vl_privacy_keep(vl_server *server, const vl_form *form, const vl_keeper_note *note,
                          char id[VL_OBJECT_ID_SIZE], vl_error *error);
void vl_retention_read(const vl_config *config, vl_retention *retention);
/* Called often, by the keeper: posts an errand when it is time. */
void vl_privacy_tick(vl_server *server);

void vl_handle_subject_export(vl_request *request); /* GET /admin/subjects/{id} */
void vl_handle_subject_erase(vl_request *request);  /* DELETE */

#endif
