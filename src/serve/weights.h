/* weights.h — the engines' track record in the service (vl_ocr_record): one for all workers,
 * looked after on errands, so that no page waits for the database. */
#ifndef VISLANG_SERVE_WEIGHTS_H
#define VISLANG_SERVE_WEIGHTS_H

#include <vislang/base.h>

#include <stdbool.h>

typedef struct vl_request vl_request;
typedef struct vl_server vl_server;

/* In the server's store, which is open; none when the setting ocr_record says so. */
vl_status vl_weights_open(vl_server *server, const vl_config *config, vl_error *error);
void vl_weights_close(vl_server *server); /* writes what was learned; before the store closes */
/* Called often, by the keeper: posts an errand when it is time. */
void vl_weights_tick(vl_server *server);
/* Whether there is a record; without one the request is decided with 503. */
bool vl_weights_admit(vl_request *request);

void vl_weights_show(vl_request *request);       /* GET /admin/ocr/weights */
void vl_weights_reset_them(vl_request *request); /* DELETE, of one ?engine=NAME or of all */

#endif
