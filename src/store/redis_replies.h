/* redis_replies.h — what an answer of Redis says, whatever it is: a server that is not what its
 * URL promises may answer anything.
 *
 * Pure functions over hiredis' replies. Each returns false, or NULL, when the answer is not of
 * the form that its command has (Redis protocol specification, RESP2), and then has written
 * nothing. */
#ifndef VL_STORE_REDIS_REPLIES_H
#define VL_STORE_REDIS_REPLIES_H

#include <vislang/base.h>

#include <hiredis/hiredis.h>

enum {
    REDIS_HOST_SIZE = 256,
    REDIS_SLOTS = 16384,
    REDIS_CURSOR_SIZE = 24, /* of 64 bits in decimal */
    REDIS_VERSION_SIZE = 32,
};

typedef struct redis_node {
    char host[REDIS_HOST_SIZE]; /* of a local socket: its path */
    int port;
} redis_node;
/* Of SENTINEL get-master-addr-by-name. */
bool redis_reply_master(const redisReply *reply, redis_node *master);
/* An error "MOVED 3999 127.0.0.1:6381" or "ASK …" (Redis cluster specification). */
typedef struct redis_redirect {
    redis_node node; /* host "": the one that was asked */
    unsigned slot;   /* below REDIS_SLOTS */
    bool moved;      /* for good; else for this command */
} redis_redirect;
bool redis_reply_redirect(const redisReply *reply, redis_redirect *to);
/* Of SCAN: the keys, each a text, and where to go on. */
const redisReply *redis_reply_page(const redisReply *reply, char cursor[REDIS_CURSOR_SIZE]);
/* Of a script: so many whole numbers. */
bool redis_reply_numbers(const redisReply *reply, int64_t *numbers, size_t count);
/* Of INFO server: "7.0.15". */
bool redis_reply_version(const redisReply *reply, char version[REDIS_VERSION_SIZE]);

#endif
