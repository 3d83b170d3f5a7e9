/* limiter.h — how often who may ask: the generic cell rate algorithm (ITU-T I.371, annex A),
 * which is a token bucket kept as one number, the time at which it would be full again.
 *
 * Thread-safe. Buckets are counted in this process; with a Redis (store/redis.h) in that, so
 * that several processes share them. A Redis that does not answer is done without, each process
 * for itself, until it does. */
#ifndef VISLANG_SERVE_LIMITER_H
#define VISLANG_SERVE_LIMITER_H

#include "store/redis.h"

enum { VL_LIMIT_KEY_SIZE = 96 };
typedef struct vl_limit {
    double per_minute; /* 0: no limit */
    double burst;      /* at once, when the bucket is full; at least 1 */
} vl_limit;
typedef struct vl_limit_state {
    bool allowed;
    double limit, remaining; /* requests: of the bucket, and left in it */
    double reset_seconds;    /* until it is full */
    double retry_seconds;    /* when not allowed: until it is */
} vl_limit_state;

typedef struct vl_limiter vl_limiter;
/* Remembers `max_keys` of them, forgetting full buckets first. `redis` may be NULL; it is not
 * owned.
 */
vl_limiter *vl_limiter_new(size_t max_keys, vl_redis *redis); /* NULL: no memory */
void vl_limiter_free(vl_limiter *limiter);
/* One bucket that a request takes from. */
typedef struct vl_limit_take {
    char key[VL_LIMIT_KEY_SIZE]; /* "ip:203.0.113.9" */
    vl_limit limit;              /* of no per_minute: it takes nothing, and is allowed */
    vl_limit_state state;        /* filled in: as it is afterwards */
} vl_limit_take;
enum { VL_LIMIT_TAKES_MAX = 5 };
/* Takes one from each of the `count` buckets, if each holds one. False: none was taken, and
 * `state.allowed` says which of them are empty. The keys differ. */
bool vl_limiter_take(vl_limiter *limiter, vl_limit_take *takes, size_t count);
/* The same at a given time, in this process alone. */
bool vl_limiter_take_at(vl_limiter *limiter, vl_limit_take *takes, size_t count,
                        int64_t now_us);
size_t vl_limiter_count(vl_limiter *limiter); /* keys remembered */

#endif
