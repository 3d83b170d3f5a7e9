/* oauth.h — an access token for a program's own credentials (OAuth 2.0, RFC 6749, section 4.4),
 * sent as a bearer token (RFC 6750).
 *
 * A token is kept in memory only, which is wiped when it is no longer used; it stands in no
 * message and no log, nor does the secret, whatever a server answers.
 *
 * Thread-safety: a token belongs to one thread at a time. */
#ifndef VL_HARVEST_OAUTH_H
#define VL_HARVEST_OAUTH_H

#include "harvest/polite.h"

enum { VL_TOKEN_SIZE = 8192 };

typedef struct vl_oauth_client {
    const char *url; /* of the token endpoint */
    const char *id, *secret;
    const char *scope; /* "": as the server gives by default */
    const char *who;   /* "wfp": for messages */
} vl_oauth_client;
/* Whether secrets may be sent there: by https, or to this machine. */
bool vl_oauth_is_safe(const char *url);

typedef struct vl_oauth vl_oauth;
vl_oauth *vl_oauth_new(void); /* NULL: no memory */
void vl_oauth_free(vl_oauth *oauth);
/* "Authorization: Bearer …", which lasts until the next call or drop. A token is asked for when
 * there is none, or when it is about to end. VL_ERR_DENIED: the server knows no such client;
 * VL_ERR_INPUT: it answers no token; and what vl_polite_fetch returns. */
vl_status vl_oauth_header(vl_oauth *oauth, const vl_oauth_client *client, vl_polite *net,
                          const char **header, vl_error *error);
/* The token was refused: the next header has another. */
void vl_oauth_drop(vl_oauth *oauth);

/* The token of an answer (section 5.1), and for how many seconds it is good; negative: that is
 * not said. VL_ERR_INPUT: there is none that a header can have. */
vl_status vl_oauth_read(const char *answer, size_t bytes, char token[VL_TOKEN_SIZE],
                        double *seconds, vl_error *error);

#endif
