/* redis.c — calls to Redis by way of hiredis: where to, over which connection, and what when it
 * is not there.
 *
 *   vl_redis_open     the URL
 *   node_of           which server a key is asked at: the one, a sentinel's master, a slot's
 *   call              a connection, the command, and the second try
 *   vl_redis_get, …   commands */
#include "store/redis.h"
#include "store/redis_replies.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum {
    NODES_MAX = 64,
    IDLE_MAX = 32,
    REDIRECTS_MAX = 4,
    ARGUMENTS_MAX = VL_REDIS_WORDS_MAX + 3,
    DEFAULT_PORT = 6379,
};

typedef enum kind { SINGLE, LOCAL, SENTINEL, CLUSTER } kind;

typedef struct conn {
    struct conn *next;
    redis_node node;
    redisContext *context;
    bool is_fresh; /* made for this call: a failure is the server's, not of a stale socket */
} conn;

struct vl_redis {
    kind kind;
    redis_node nodes[NODES_MAX]; /* the URL's, then those that a cluster told of */
    size_t node_count, seed_count;
    redis_node master; /* host "": to be asked for */
    char service[REDIS_HOST_SIZE], user[REDIS_HOST_SIZE], password[REDIS_HOST_SIZE];
    int database;
    double timeout, rest;
    atomic_int_fast64_t down_until_ns; /* 0: up */
    pthread_mutex_t lock;              /* of what follows, and of master and nodes */
    uint8_t slots[REDIS_SLOTS];        /* of a cluster: one more than the node, 0: not known */
    conn *idle;
    size_t idle_count;
};

/* ---- the URL ----------------------------------------------------------------------------- */

static bool take_part(const char *from, size_t length, char *out) {
    size_t used = 0;
    for (size_t i = 0; i < length && used < REDIS_HOST_SIZE - 1; i++) {
        unsigned byte;
        if (from[i] == '%' && i + 2 < length && sscanf(from + i + 1, "%2x", &byte) == 1 &&
            byte) {
            out[used++] = (char)byte;
            i += 2;
        } else {
            out[used++] = from[i];
        }
    }
    out[used] = '\0';
    return used < REDIS_HOST_SIZE - 1;
}

static bool take_node(vl_redis *r, const char *from, size_t length) {
    redis_node *n = &r->nodes[r->node_count];
    const char *colon = memrchr(from, ':', length), *bracket = memrchr(from, ']', length),
               *after = from + length;
    char *end;
    if (bracket && colon && colon < bracket)
        colon = NULL;
    size_t host = colon ? (size_t)(colon - from) : length;
    if (host > 2 && *from == '[' && from[host - 1] == ']') { /* IPv6 */
        from++;
        host -= 2;
    }
    n->port = DEFAULT_PORT;
    if (colon) {
        long port = strtol(colon + 1, &end, 10);
        if (port < 1 || port > 65535 || end != after)
            return false;
        n->port = (int)port;
    }
    if (!host || host >= REDIS_HOST_SIZE || r->node_count == NODES_MAX)
        return false;
    snprintf(n->host, sizeof n->host, "%.*s", (int)host, from);
    r->node_count++;
    return true;
}

static bool take_authority(vl_redis *r, const char *from, size_t length) {
    const char *at = memrchr(from, '@', length);
    if (at) {
        size_t credentials = (size_t)(at - from);
        const char *colon = memchr(from, ':', credentials);
        size_t user = colon ? (size_t)(colon - from) : 0;
        const char *password = colon ? colon + 1 : from;
        if (!take_part(from, user, r->user) ||
            !take_part(password, (size_t)(at - password), r->password))
            return false;
        length -= credentials + 1;
        from = at + 1;
    }
    for (const char *end = from + length; from < end;) {
        const char *comma = memchr(from, ',', (size_t)(end - from));
        size_t part = (size_t)((comma ? comma : end) - from);
        if (!take_node(r, from, part))
            return false;
        from += part + (comma ? 1 : 0);
    }
    return r->node_count > 0;
}

static bool take_path(vl_redis *r, const char *path) {
    char *end;
    if (r->kind == SENTINEL)
        return *path && take_part(path, strlen(path), r->service);
    if (!*path)
        return true;
    long database = strtol(path, &end, 10);
    r->database = (int)database;
    return !*end && database >= 0 && database < 1 << 16 && (r->kind != CLUSTER || !database);
}

static bool take_url(vl_redis *r, const char *url) {
    static const struct {
        const char *scheme;
        kind kind;
    } schemes[] = {{"redis://", SINGLE},
                   {"redis+unix://", LOCAL},
                   {"redis+sentinel://", SENTINEL},
                   {"redis+cluster://", CLUSTER}};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t length = strlen(schemes[i].scheme);
        if (strncmp(url, schemes[i].scheme, length) != 0)
            continue;
        r->kind = schemes[i].kind;
        url += length;
        if (r->kind == LOCAL) {
            snprintf(r->nodes[0].host, REDIS_HOST_SIZE, "%s", url);
            r->node_count = 1;
            return *url == '/' && strlen(url) < REDIS_HOST_SIZE;
        }
        size_t authority = strcspn(url, "/");
        return take_authority(r, url, authority) && (r->kind != SINGLE || r->node_count == 1) &&
               take_path(r, url + authority + (url[authority] ? 1 : 0));
    }
    return false;
}

vl_status vl_redis_open(const char *url, double timeout, double rest, vl_redis **opened,
                        vl_error *error) {
    *opened = NULL;
    vl_redis *r = calloc(1, sizeof *r);
    if (!r)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for Redis");
    pthread_mutex_init(&r->lock, NULL);
    r->timeout = timeout;
    r->rest = rest;
    if (!take_url(r, url)) {
        vl_redis_close(r);
        return vl_fail(error, VL_ERR_USAGE,
                       "no URL of Redis: redis://HOST:PORT/DATABASE, redis+unix:///PATH, "
                       "redis+sentinel://HOST:PORT,…/NAME or redis+cluster://HOST:PORT,…");
    }
    r->seed_count = r->node_count;
    *opened = r;
    return VL_OK;
}

static void conn_free(conn *c) {
    redisFree(c->context);
    free(c);
}

void vl_redis_close(vl_redis *r) {
    if (!r)
        return;
    while (r->idle) {
        conn *c = r->idle;
        r->idle = c->next;
        conn_free(c);
    }
    pthread_mutex_destroy(&r->lock);
    explicit_bzero(r->password, sizeof r->password);
    free(r);
}

/* ---- up and down ------------------------------------------------------------------------- */

bool vl_redis_is_up(vl_redis *r) {
    return atomic_load(&r->down_until_ns) <= vl_clock_ns();
}

static vl_status go_down(vl_redis *r, const char *why, vl_error *error) {
    int64_t until = vl_clock_ns() + (int64_t)(r->rest * 1e9);
    if (!atomic_exchange(&r->down_until_ns, until))
        vl_log(VL_LOG_WARN, "Redis is not there; going on without it", VL_F_STR("reason", why));
    return vl_fail(error, VL_ERR_MISSING, "Redis is not there: %s", why);
}

static void come_up(vl_redis *r) {
    if (atomic_exchange(&r->down_until_ns, 0))
        vl_log(VL_LOG_INFO, "Redis is back", VL_F_BOOL("up", true));
}

/* ---- connections ------------------------------------------------------------------------- */

static bool same_node(const redis_node *a, const redis_node *b) {
    return a->port == b->port && !strcmp(a->host, b->host);
}

static bool says_ok(redisContext *context, int argc, const char **argv) {
    redisReply *reply = redisCommandArgv(context, argc, argv, NULL);
    bool ok = reply && reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    return ok;
}

static bool introduce(const vl_redis *r, redisContext *context) {
    char database[16];
    const char *both[] = {"AUTH", r->user, r->password}, *alone[] = {"AUTH", r->password},
               *choose[] = {"SELECT", database};
    snprintf(database, sizeof database, "%d", r->database);
    return (!*r->password ||
            (*r->user ? says_ok(context, 3, both) : says_ok(context, 2, alone))) &&
           (!r->database || says_ok(context, 2, choose));
}

static redisContext *connect_to(const vl_redis *r, const redis_node *n) {
    struct timeval patience = {
        .tv_sec = (time_t)r->timeout,
        .tv_usec = (suseconds_t)((r->timeout - (double)(time_t)r->timeout) * 1e6)};
    redisContext *context = r->kind == LOCAL
                                ? redisConnectUnixWithTimeout(n->host, patience)
                                : redisConnectWithTimeout(n->host, n->port, patience);
    if (context && (context->err || redisSetTimeout(context, patience) != REDIS_OK)) {
        redisFree(context);
        return NULL;
    }
    return context;
}

static conn *take_idle(vl_redis *r, const redis_node *n) {
    conn *found = NULL;
    pthread_mutex_lock(&r->lock);
    for (conn **at = &r->idle; *at && !found; at = &(*at)->next)
        if (same_node(&(*at)->node, n)) {
            found = *at;
            *at = found->next;
            r->idle_count--;
            break;
        }
    pthread_mutex_unlock(&r->lock);
    if (found)
        found->is_fresh = false;
    return found;
}

static conn *borrow(vl_redis *r, const redis_node *n, bool anew) {
    conn *c = anew ? NULL : take_idle(r, n);
    if (c)
        return c;
    c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->node = *n;
    c->is_fresh = true;
    c->context = connect_to(r, n);
    if (c->context && introduce(r, c->context))
        return c;
    if (c->context)
        redisFree(c->context);
    free(c);
    return NULL;
}

static void give_back(vl_redis *r, conn *c) {
    pthread_mutex_lock(&r->lock);
    bool keep = !c->context->err && r->idle_count < IDLE_MAX;
    if (keep) {
        c->next = r->idle;
        r->idle = c;
        r->idle_count++;
    }
    pthread_mutex_unlock(&r->lock);
    if (!keep)
        conn_free(c);
}

/* ---- which server ------------------------------------------------------------------------ */

/* CRC-16/XMODEM of the key, or of what its braces hold (Redis cluster specification). */
static unsigned slot_of(const char *key) {
    const char *open = strchr(key, '{'), *close = open ? strchr(open, '}') : NULL;
    size_t length = strlen(key);
    unsigned crc = 0;
    if (close && close > open + 1) {
        key = open + 1;
        length = (size_t)(close - key);
    }
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned)(uint8_t)key[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
    return crc % REDIS_SLOTS;
}

/* Asks one sentinel after the other. */
static bool ask_sentinels(vl_redis *r, redis_node *master) {
    const char *argv[] = {"SENTINEL", "get-master-addr-by-name", r->service};
    bool found = false;
    for (size_t i = 0; i < r->seed_count && !found; i++) {
        redisContext *context = connect_to(r, &r->nodes[i]);
        redisReply *reply = context ? redisCommandArgv(context, 3, argv, NULL) : NULL;
        found = reply && redis_reply_master(reply, master);
        freeReplyObject(reply);
        if (context)
            redisFree(context);
    }
    return found;
}

static bool node_of(vl_redis *r, const char *key, redis_node *out) {
    pthread_mutex_lock(&r->lock);
    size_t known = r->kind == CLUSTER ? r->slots[slot_of(key)] : 0;
    *out = r->kind == SENTINEL ? r->master : r->nodes[known ? known - 1 : 0];
    pthread_mutex_unlock(&r->lock);
    if (r->kind != SENTINEL || *out->host)
        return true;
    if (!ask_sentinels(r, out))
        return false;
    pthread_mutex_lock(&r->lock);
    r->master = *out;
    pthread_mutex_unlock(&r->lock);
    return true;
}

static void forget_master(vl_redis *r) {
    pthread_mutex_lock(&r->lock);
    r->master = (redis_node){0};
    pthread_mutex_unlock(&r->lock);
}

/* Remembers who has the slot. False: the answer sends nowhere. */
static bool follow(vl_redis *r, const redisReply *reply, redis_node *out) {
    redis_redirect to;
    if (!redis_reply_redirect(reply, &to))
        return false;
    if (*to.node.host)
        *out = to.node;
    else /* the one that was asked, on another port */
        out->port = to.node.port;
    pthread_mutex_lock(&r->lock);
    size_t i = 0;
    while (i < r->node_count && !same_node(&r->nodes[i], out))
        i++;
    if (i == r->node_count && i < NODES_MAX)
        r->nodes[r->node_count++] = *out;
    if (to.moved && i < NODES_MAX)
        r->slots[to.slot] = (uint8_t)(i + 1);
    pthread_mutex_unlock(&r->lock);
    return true;
}

/* ---- a call ------------------------------------------------------------------------------ */

typedef struct command {
    const char *key; /* decides the server in a cluster */
    const char *argv[ARGUMENTS_MAX];
    size_t lengths[ARGUMENTS_MAX];
    int argc;
} command;

static void put(command *c, const char *text) {
    c->argv[c->argc] = text;
    c->lengths[c->argc++] = strlen(text);
}

/* One exchange with one server; a connection that had been idle may have gone stale, and is
 * tried anew. NULL: the server is not there. */
static redisReply *exchange(vl_redis *r, const redis_node *n, const command *c, bool asking) {
    for (int anew = 0; anew < 2; anew++) {
        conn *connection = borrow(r, n, anew);
        if (!connection)
            return NULL;
        if (asking)
            freeReplyObject(redisCommand(connection->context, "ASKING"));
        redisReply *reply = redisCommandArgv(connection->context, c->argc,
                                             (const char **)(uintptr_t)c->argv, c->lengths);
        bool was_fresh = connection->is_fresh;
        if (reply) {
            give_back(r, connection);
            return reply;
        }
        conn_free(connection);
        if (was_fresh)
            return NULL;
    }
    return NULL;
}

/* The reply, which the caller frees; never one that says another server is to be asked. */
static vl_status call(vl_redis *r, const command *c, redisReply **reply, vl_error *error) {
    redis_node n;
    bool asking = false;
    *reply = NULL;
    if (!vl_redis_is_up(r))
        return vl_fail(error, VL_ERR_MISSING, "Redis is not there");
    if (!node_of(r, c->key, &n))
        return go_down(r, "no sentinel knows the master", error);
    for (int i = 0; i <= REDIRECTS_MAX; i++) {
        *reply = exchange(r, &n, c, asking);
        if (!*reply) {
            forget_master(r);
            return go_down(r, "no answer", error);
        }
        const char *said = (*reply)->type == REDIS_REPLY_ERROR ? (*reply)->str : "";
        asking = !strncmp(said, "ASK ", 4);
        if (r->kind == CLUSTER && follow(r, *reply, &n)) {
            ; /* there */
        } else if (r->kind == SENTINEL && !strncmp(said, "READONLY", 8)) {
            forget_master(r);
            if (!node_of(r, c->key, &n))
                break;
        } else {
            come_up(r);
            return VL_OK;
        }
        freeReplyObject(*reply);
        *reply = NULL;
    }
    freeReplyObject(*reply);
    *reply = NULL;
    return go_down(r, "sent from one server to the next", error);
}

static vl_status unexpected(const redisReply *reply, vl_error *error) {
    return vl_fail(error, VL_ERR_INTERNAL, "Redis answers: %.200s",
                   reply->type == REDIS_REPLY_ERROR ? reply->str : "something else");
}

/* ---- commands ---------------------------------------------------------------------------- */

vl_status vl_redis_get(vl_redis *r, const char *key, vl_buf *out, bool *found,
                       vl_error *error) {
    command c = {.key = key};
    redisReply *reply;
    *found = false;
    put(&c, "GET");
    put(&c, key);
    vl_status status = call(r, &c, &reply, error);
    if (status)
        return status;
    if (reply->type == REDIS_REPLY_STRING) {
        *found = true;
        vl_buf_append(out, reply->str, reply->len);
        status = vl_buf_status(out, "a value of Redis", error);
    } else if (reply->type != REDIS_REPLY_NIL) {
        status = unexpected(reply, error);
    }
    freeReplyObject(reply);
    return status;
}

vl_status vl_redis_set(vl_redis *r, const char *key, const void *bytes, size_t count,
                       double seconds, vl_error *error) {
    char ms[32];
    command c = {.key = key};
    redisReply *reply;
    snprintf(ms, sizeof ms, "%.0f", seconds * 1000 < 1 ? 1 : seconds * 1000);
    put(&c, "SET");
    put(&c, key);
    c.argv[c.argc] = bytes;
    c.lengths[c.argc++] = count;
    put(&c, "PX");
    put(&c, ms);
    vl_status status = call(r, &c, &reply, error);
    if (status)
        return status;
    if (reply->type != REDIS_REPLY_STATUS)
        status = unexpected(reply, error);
    freeReplyObject(reply);
    return status;
}

vl_status vl_redis_delete(vl_redis *r, const char *key, vl_error *error) {
    command c = {.key = key};
    redisReply *reply;
    put(&c, "DEL");
    put(&c, key);
    vl_status status = call(r, &c, &reply, error);
    freeReplyObject(reply);
    return status;
}

static vl_status delete_all(vl_redis *r, const redisReply *keys, int64_t *removed,
                            vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < keys->elements && !status; i++) {
        status = vl_redis_delete(r, keys->element[i]->str, error);
        *removed += !status;
    }
    return status;
}

/* SCAN goes on while others write, and gives each key that stays at least once. */
static vl_status clear_node(vl_redis *r, const redis_node *n, const char *prefix,
                            int64_t *removed, vl_error *error) {
    char cursor[REDIS_CURSOR_SIZE] = "0", pattern[REDIS_HOST_SIZE];
    vl_status status = VL_OK;
    snprintf(pattern, sizeof pattern, "%s*", prefix);
    do {
        command c = {.key = ""};
        put(&c, "SCAN");
        put(&c, cursor);
        put(&c, "MATCH");
        put(&c, pattern);
        put(&c, "COUNT");
        put(&c, "500");
        redisReply *reply = exchange(r, n, &c, false);
        if (!reply)
            return go_down(r, "no answer", error);
        const redisReply *keys = redis_reply_page(reply, cursor);
        status = keys ? delete_all(r, keys, removed, error) : unexpected(reply, error);
        freeReplyObject(reply);
    } while (!status && strcmp(cursor, "0") != 0);
    return status;
}

vl_status vl_redis_clear(vl_redis *r, const char *prefix, int64_t *removed, vl_error *error) {
    redis_node n;
    vl_status status = VL_OK;
    *removed = 0;
    if (!vl_redis_is_up(r))
        return vl_fail(error, VL_ERR_MISSING, "Redis is not there");
    if (r->kind != CLUSTER)
        return node_of(r, "", &n) ? clear_node(r, &n, prefix, removed, error)
                                  : go_down(r, "no sentinel knows the master", error);
    for (size_t i = 0; i < r->node_count && !status; i++)
        status = clear_node(r, &r->nodes[i], prefix, removed, error);
    return status;
}

static void sha1_hex(const char *text, char out[41]) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    EVP_Digest(text, strlen(text), digest, &count, EVP_sha1(), NULL);
    for (unsigned i = 0; i < count && i < 20; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* `text`: the script or its digest, as the verb wants it. */
static vl_status run_script(vl_redis *r, const char *verb, const char *text,
                            const vl_redis_script *script, redisReply **reply,
                            vl_error *error) {
    char keys[8];
    command c = {.key = script->keys[0]};
    snprintf(keys, sizeof keys, "%zu", script->key_count);
    put(&c, verb);
    put(&c, text);
    put(&c, keys);
    for (size_t i = 0; i < script->key_count; i++)
        put(&c, script->keys[i]);
    for (size_t i = 0; i < script->argument_count; i++)
        put(&c, script->arguments[i]);
    return call(r, &c, reply, error);
}

vl_status vl_redis_eval(vl_redis *r, const vl_redis_script *script, int64_t *numbers,
                        size_t count, vl_error *error) {
    char digest[41];
    redisReply *reply;
    if (!script->key_count || script->key_count + script->argument_count > VL_REDIS_WORDS_MAX)
        return vl_fail(error, VL_ERR_INTERNAL, "a script of Redis takes 1 to %d words",
                       VL_REDIS_WORDS_MAX);
    sha1_hex(script->text, digest);
    vl_status status = run_script(r, "EVALSHA", digest, script, &reply, error);
    if (!status && reply->type == REDIS_REPLY_ERROR && !strncmp(reply->str, "NOSCRIPT", 8)) {
        freeReplyObject(reply);
        status = run_script(r, "EVAL", script->text, script, &reply, error);
    }
    if (status)
        return status;
    if (!redis_reply_numbers(reply, numbers, count))
        status = unexpected(reply, error);
    freeReplyObject(reply);
    return status;
}

vl_status vl_redis_version(vl_redis *r, char version[32], vl_error *error) {
    command c = {.key = ""};
    redisReply *reply;
    put(&c, "INFO");
    put(&c, "server");
    vl_status status = call(r, &c, &reply, error);
    if (status)
        return status;
    if (!redis_reply_version(reply, version))
        status = unexpected(reply, error);
    freeReplyObject(reply);
    return status;
}
