/* redis.h — a Redis that may be there or not.
 *
 * URLs: redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE], rediss:// the same over TLS is
 * refused (Debian's hiredis has none: put stunnel or a local proxy in front),
 * redis+unix:///PATH, redis+sentinel://HOST:PORT[,HOST:PORT…]/NAME (the master of that name,
 * asked for anew whenever it is lost), redis+cluster://HOST:PORT[,HOST:PORT…] (keys go where
 * their slot is; MOVED is followed).
 *
 * A call that fails, or takes longer than `timeout`, is VL_ERR_MISSING, and for the next `rest`
 * seconds every call is, at once and without a try; then one call tries again. Thread-safe:
 * each call has a connection of its own from a pool. */
#ifndef VL_STORE_REDIS_H
#define VL_STORE_REDIS_H

#include <vislang/base.h>

typedef struct vl_redis vl_redis;
/* Does not connect yet. VL_ERR_USAGE: not such a URL. */
vl_status vl_redis_open(const char *url, double timeout, double rest, vl_redis **redis,
                        vl_error *error);
void vl_redis_close(vl_redis *redis);
/* Whether calls are tried now. */
bool vl_redis_is_up(vl_redis *redis);

/* Appends the value to `out`; `*found` false: there is none. */
vl_status vl_redis_get(vl_redis *redis, const char *key, vl_buf *out, bool *found,
                       vl_error *error);
vl_status vl_redis_set(vl_redis *redis, const char *key, const void *bytes, size_t count,
                       double seconds, vl_error *error);
vl_status vl_redis_delete(vl_redis *redis, const char *key, vl_error *error);
/* Removes every key that begins with `prefix`. */
vl_status vl_redis_clear(vl_redis *redis, const char *prefix, int64_t *removed,
                         vl_error *error);
/* A script over keys, by its digest (EVALSHA; sent when the server does not know it), whose
 * answer is `count` whole numbers. In a cluster all keys are of one slot: they hold the same
 * text in braces, "{limit}:a" and "{limit}:b". At most VL_REDIS_WORDS_MAX keys and arguments.
 */
enum { VL_REDIS_WORDS_MAX = 24 };
typedef struct vl_redis_script {
    const char *text;
    const char *const *keys;
    size_t key_count; /* at least 1 */
    const char *const *arguments;
    size_t argument_count;
} vl_redis_script;
vl_status vl_redis_eval(vl_redis *redis, const vl_redis_script *script, int64_t *numbers,
                        size_t count, vl_error *error);
/* "7.0.15" */
vl_status vl_redis_version(vl_redis *redis, char version[32], vl_error *error);

#endif
