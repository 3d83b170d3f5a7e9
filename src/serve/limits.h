/* limits.h — from where a request comes, whether that place may call at all, and how often.
 *
 * Buckets (serve/limiter.h): one for each client address (an IPv6 customer's /64), one for all
 * requests, one for each user and each key, and a small one for logins from an address (an
 * IPv6 site's /48: who has one has 65536 of the others, and logs in seldom). With a Redis they
 * are shared by all processes that use it. A take there is a round trip (about 0.1 ms on one
 * machine, and a quarter of a second when it hangs), so it is done on an errand; without Redis,
 * or while it is away, buckets are taken from on the event thread.
 *
 * A request takes from its buckets at once, from all or from none. Only who has to be looked up
 * first takes from his own ones after those of his address: a stranger is turned away before
 * the database is asked for him.
 *
 * Not limited: routes of VL_ACCESS_OPEN, and callers on this machine while nobody is asked who
 * he is. */
#ifndef VISLANG_SERVE_LIMITS_H
#define VISLANG_SERVE_LIMITS_H

#include "serve/check.h"
#include "serve/identity.h"
#include "serve/limiter.h"

typedef struct vl_request vl_request;
typedef struct vl_server vl_server;

typedef enum vl_bucket { /* the label of vislang_rate_limited_total */
                         VL_BUCKET_ADDRESS,
                         VL_BUCKET_ALL,
                         VL_BUCKET_LOGIN,
                         VL_BUCKET_USER,
                         VL_BUCKET_KEY,
                         VL_BUCKET_COUNT,
} vl_bucket;
const char *vl_bucket_name(vl_bucket bucket);

typedef struct vl_limits vl_limits;
vl_status vl_limits_open(vl_server *server, const vl_config *config, vl_error *error);
void vl_limits_free(vl_limits *limits); /* NULL allowed */
/* Fills request->client. A refusal with 403 when ip_allowlist does not hold it. */
vl_refusal vl_limits_client(vl_request *request, const vl_header *headers, size_t count);
/* With Redis: decides the request with 429 when a bucket it would take from is known to be
 * empty still, so that who floods the service does not flood Redis. `caller` NULL: not known
 * yet, or nobody. */
bool vl_limits_deny(vl_request *request, const vl_caller *caller);
/* Whether taking for this request may wait for Redis. */
bool vl_limits_wait(const vl_request *request);
/* Takes from the buckets that do not depend on who calls, and from the caller's, if he is known
 * (not NULL), at once; `may_wait`: not on the event thread. False: decided with 429. */
bool vl_limits_arrive(vl_request *request, const vl_caller *caller, bool may_wait);
/* Takes from the caller's alone, when he was not known before. */
bool vl_limits_caller(vl_request *request, bool may_wait);
/* Whether proxies are trusted to say who calls. */
bool vl_limits_trust_proxies(const vl_limits *limits);

#endif
