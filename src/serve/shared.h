/* shared.h — answers that other processes made: Redis behind the cache in memory.
 *
 * An answer stands there under its cache key, with its media type, for as long as `cache_ttl`
 * says. A Redis that is away costs one try every few seconds (store/redis.h) and no request
 * its answer. These calls wait for it: for workers and errands, not for the event thread.
 * Without redis_url they do nothing. */
#ifndef VISLANG_SERVE_SHARED_H
#define VISLANG_SERVE_SHARED_H

#include "serve/cache.h"

typedef struct vl_request vl_request;
typedef struct vl_server vl_server;

/* NULL: it is not there. One reference, the caller's. */
vl_blob *vl_shared_get(vl_server *server, const char *key);
/* An answer larger than a quarter of the cache in memory is not kept. */
void vl_shared_put(vl_server *server, const char *key, const vl_blob *blob);

/* POST /admin/clear_cache: what is kept in memory here, and what all share. */
void vl_handle_clear_cache(vl_request *request);

#endif
