/* errand.h — work that waits for others (the database, Redis, a password's hash), away from the
 * event thread and from the workers that read.
 *
 * A request on an errand has its connection suspended and belongs to the errand's thread alone,
 * until the event thread has it back; its headers may be read there. Errands are short, or end
 * soon after server->stopping: there is no giving up on them, and a service that stops waits.
 */
#ifndef VISLANG_SERVE_ERRAND_H
#define VISLANG_SERVE_ERRAND_H

#include <stdbool.h>

typedef struct vl_request vl_request;
typedef struct vl_server vl_server;

typedef enum vl_desk {
    VL_DESK_QUICK, /* a row or two: who is this, may he go on? Every request may wait here. */
    VL_DESK_SLOW,  /* passwords, lists, files */
    VL_DESK_WORDS, /* some milliseconds of work on a text */
    VL_DESK_FETCH, /* pictures from elsewhere, for as long as fetch_timeout lets them */
    VL_DESK_COUNT,
} vl_desk;

typedef struct vl_errands vl_errands;
vl_errands *vl_errands_new(void); /* NULL: no memory or threads */
/* Takes no more, and waits for those under way. */
void vl_errands_close(vl_errands *errands);
void vl_errands_free(vl_errands *errands); /* NULL allowed */

/* Called by the event thread, from a route's handler: runs `work` for the request, which
 * decides it (vl_decide_…); the answer is sent afterwards. Without room the request is decided
 * with 503. */
void vl_errand_start(vl_request *request, vl_desk desk, void (*work)(vl_request *request));
/* For no request. False: there is no room. Any thread. */
bool vl_errand_post(vl_server *server, vl_desk desk, void (*work)(vl_server *server));

#endif
