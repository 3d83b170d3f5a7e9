/* alignment.h — POST /research/alignment: the sentences of a bank that say what a sentence of
 * another language says, and a gloss of its words. */
#ifndef VISLANG_SERVE_ALIGNMENT_H
#define VISLANG_SERVE_ALIGNMENT_H

#include <vislang/base.h>

typedef struct vl_request vl_request;
typedef struct vl_server vl_server;
typedef struct vl_alignment vl_alignment;

/* Opens the space and the banks, as the settings alignment_space and alignment_bank_path say.
 * A bundled space that is not there is logged, and the route answers 503; everything else that
 * cannot be used is an error. */
vl_status vl_alignment_open(vl_server *server, const vl_config *config, vl_error *error);
void vl_alignment_close(vl_server *server);
/* Called often, by the keeper: posts an errand when it is time to look for changed banks. */
void vl_alignment_tick(vl_server *server);

void vl_handle_alignment(vl_request *request);

#endif
