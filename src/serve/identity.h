/* identity.h — who calls, and whether he may.
 *
 * A caller shows an access token (Authorization: Bearer, serve/jwt.h) or an API key (X-API-Key,
 * or Bearer as well). The database knows whether the session or the key still stands; what it
 * said is remembered for a few seconds under a salted hash of what was shown, and for a minute
 * should the database be away. Everything that must ask it runs as an errand, before the body
 * of the request is taken.
 *
 * Setting `authentication`: required, off, or auto: asked for when the service listens on an
 * address that is not loopback, trusts a proxy, or knows a user. Where it is not asked for, a
 * caller who shows nothing may what an operator may; routes of admins always want one. */
#ifndef VISLANG_SERVE_IDENTITY_H
#define VISLANG_SERVE_IDENTITY_H

#include "base/address.h"

#include <vislang/store.h>

typedef struct vl_request vl_request;
typedef struct vl_server vl_server;

/* Who may call a route. */
typedef enum vl_access {
    VL_ACCESS_ADMIN, /* 0: what says nothing is closed */
    VL_ACCESS_OPERATOR,
    VL_ACCESS_ANNOTATOR,
    VL_ACCESS_VIEWER,
    VL_ACCESS_METRICS, /* viewers, and anyone on this machine who is no proxy */
    VL_ACCESS_ANYONE,
    VL_ACCESS_LOGIN, /* anyone; limited as logins are */
    VL_ACCESS_OPEN,  /* anyone, as often as he likes */
} vl_access;

vl_role vl_access_role(vl_access access); /* the least that lets in */

typedef enum vl_caller_kind {
    VL_CALLER_ANONYMOUS,
    VL_CALLER_USER, /* of a session */
    VL_CALLER_KEY,
} vl_caller_kind;
typedef struct vl_caller {
    vl_caller_kind kind;
    vl_role role;                        /* what he may */
    int64_t user, key;                   /* ids; 0: none */
    char name[VL_USER_NAME_SIZE];        /* of the user; "" anonymous */
    char key_prefix[VL_KEY_PREFIX_SIZE]; /* "vl_1a2b3c4d"; "" none */
    char family[VL_TOKEN_SIZE];          /* his session; "" none */
} vl_caller;
/* "user:amina", "key:vl_1a2b3c4d", "anonymous": the actor of entries in the audit trail. */
enum { VL_ACTOR_SIZE = 80 };
void vl_caller_actor(const vl_caller *caller, char actor[VL_ACTOR_SIZE]);

/* Why somebody was refused; the label of vislang_auth_failures_total. */
typedef enum vl_denial {
    VL_DENIAL_NONE,
    VL_DENIAL_MISSING,   /* nothing was shown */
    VL_DENIAL_MALFORMED, /* what was shown is neither a token nor a key */
    VL_DENIAL_TOKEN,     /* not signed here, expired, or of another audience */
    VL_DENIAL_SESSION,   /* it has ended, or its user may not */
    VL_DENIAL_KEY,       /* not known, expired, revoked, or its user may not */
    VL_DENIAL_ROLE,      /* known, and not allowed to */
    VL_DENIAL_ADDRESS,   /* not in ip_allowlist */
    VL_DENIAL_PASSWORD,  /* a login: wrong, locked or disabled */
    VL_DENIAL_REFRESH,   /* a refresh token that is not good */
    VL_DENIAL_REUSED,    /* one that was used before: its session has ended */
    VL_DENIAL_COUNT,
} vl_denial;
const char *vl_denial_name(vl_denial denial);

typedef struct vl_identity vl_identity;
/* When the socket is bound: reads the settings, and asks the database whether there are users.
 */
vl_status vl_identity_open(vl_server *server, const vl_config *config, vl_error *error);
void vl_identity_free(vl_identity *identity); /* NULL allowed */
/* Fills request->caller, or decides the request with 401, 403, 429 (serve/limits.h) or 503, or
 * leaves it on an errand that does so. */
void vl_identity_check(vl_request *request);
/* What was remembered of a session (by family), a key or a user (by id) is asked for anew; NULL
 * and 0 mean none. Any thread. */
void vl_identity_forget(vl_identity *identity, const char *family, int64_t key, int64_t user);
/* An access token of a session, good for VL_ACCESS_SECONDS. */
enum { VL_ACCESS_SECONDS = 900 };
vl_status vl_identity_issue(const vl_identity *identity, const vl_session *session,
                            char token[], vl_error *error);      /* of VL_JWT_SIZE */
double vl_identity_session_seconds(const vl_identity *identity); /* of a refresh token */
/* Whether callers must say who they are. */
bool vl_identity_asks(const vl_identity *identity);
/* What is due about once a minute; called more often, by the keeper. */
void vl_identity_tick(vl_server *server);

#endif
