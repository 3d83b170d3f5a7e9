/* limits.c — the client's address and the buckets a request takes from. */
#include "serve/limits.h"
#include "serve/service.h"
#include "serve/trail.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEYS_MAX = 65536, FORWARDED_MAX = 16, DENIALS = 1024 };

/* What Redis said of a bucket that was empty: nobody can take from it before `until_us`. */
typedef struct denial {
    char key[VL_LIMIT_KEY_SIZE];
    int64_t until_us;
    vl_limit_state state;
} denial;

struct vl_limits {
    vl_networks trusted, allowed;
    vl_limit limits[VL_BUCKET_COUNT];
    vl_limiter *limiter;
    bool is_shared;          /* there is a Redis */
    pthread_mutex_t lock;    /* of the denials */
    denial denials[DENIALS]; /* by hash; a newer one takes an older one's place */
};

const char *vl_bucket_name(vl_bucket bucket) {
    static const char *const names[VL_BUCKET_COUNT] = {"address", "all", "login", "user",
                                                       "key"};
    return names[bucket];
}

/* ---- settings ------------------------------------------------------------------------ */

static void read_limits(const vl_config *config, vl_limit limits[VL_BUCKET_COUNT]) {
    static const char *const names[VL_BUCKET_COUNT] = {
        "rate_limit_per_minute", "rate_limit_global", "login_limit_per_minute",
        "rate_limit_per_user", "rate_limit_per_key"};
    double burst = vl_config_number(config, "rate_limit_burst");
    for (int b = 0; b < VL_BUCKET_COUNT; b++) {
        bool has_own = b == VL_BUCKET_ALL || b == VL_BUCKET_LOGIN || burst < 1;
        double rate = vl_config_number(config, names[b]);
        limits[b] = (vl_limit){.per_minute = rate, .burst = fmax(has_own ? rate : burst, 1)};
    }
}

vl_status vl_limits_open(vl_server *server, const vl_config *config, vl_error *error) {
    vl_limits *limits = server->limits = calloc(1, sizeof *limits);
    if (!limits)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for limits");
    pthread_mutex_init(&limits->lock, NULL);
    if (vl_networks_parse(vl_config_string(config, "trusted_proxies"), &limits->trusted, error))
        return vl_error_prefix(error, "trusted_proxies");
    if (vl_networks_parse(vl_config_string(config, "ip_allowlist"), &limits->allowed, error))
        return vl_error_prefix(error, "ip_allowlist");
    read_limits(config, limits->limits);
    limits->limiter = vl_limiter_new(KEYS_MAX, server->store.redis);
    limits->is_shared = server->store.redis != NULL;
    return limits->limiter ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for limits");
}

void vl_limits_free(vl_limits *limits) {
    if (!limits)
        return;
    vl_limiter_free(limits->limiter);
    pthread_mutex_destroy(&limits->lock);
    free(limits);
}

bool vl_limits_trust_proxies(const vl_limits *limits) {
    return limits->trusted.count > 0;
}

/* ---- the client ---------------------------------------------------------------------- */

vl_refusal vl_limits_client(vl_request *request, const vl_header *headers, size_t count) {
    const vl_limits *limits = request->server->limits;
    const char *forwarded[FORWARDED_MAX];
    size_t forwarded_count = 0;
    if (!request->link)
        return (vl_refusal){0};
    request->client = request->link->peer;
    if (limits->trusted.count && vl_networks_hold(&limits->trusted, &request->client)) {
        for (size_t i = 0; i < count; i++) {
            if (strcasecmp(headers[i].name, "X-Forwarded-For") != 0)
                continue;
            if (forwarded_count == FORWARDED_MAX)
                return (vl_refusal){431, "X-Forwarded-For comes too often."};
            forwarded[forwarded_count++] = headers[i].value;
        }
        vl_address_client(&request->link->peer, &limits->trusted, forwarded, forwarded_count,
                          &request->client);
    }
    if (limits->allowed.count && !vl_networks_hold(&limits->allowed, &request->client)) {
        vl_trail_refused(request, VL_DENIAL_ADDRESS, "");
        return (vl_refusal){403, "This address may not call here (ip_allowlist)."};
    }
    return (vl_refusal){0};
}

/* ---- buckets ------------------------------------------------------------------------- */

static bool is_limited(const vl_request *request) {
    return request->route->access != VL_ACCESS_OPEN &&
           (vl_identity_asks(request->server->identity) ||
            !vl_address_is_loopback(&request->client));
}

bool vl_limits_wait(const vl_request *request) {
    const vl_limits *limits = request->server->limits;
    return limits->is_shared && is_limited(request) &&
           vl_redis_is_up(request->server->store.redis);
}

static void decide_limited(vl_request *request, vl_bucket bucket, double retry_seconds) {
    static const char *const of_whom[VL_BUCKET_COUNT] = {"from this address", "at this service",
                                                         "to log in from this address",
                                                         "of this user", "with this key"};
    atomic_fetch_add(&request->server->metrics.rate_limited[bucket], 1);
    request->outcome.retry_after = (unsigned)ceil(fmax(retry_seconds, 1));
    vl_decide_problem(request, 429, "Too many requests %s; the next one in %u s.",
                      of_whom[bucket], request->outcome.retry_after);
}

/* FNV-1a. Who makes two keys meet here only has to ask Redis again. */
static denial *denial_of(vl_limits *limits, const char *key) {
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (; *key; key++)
        hash = (hash ^ (uint8_t)*key) * 0x100000001b3ULL;
    return &limits->denials[hash % DENIALS];
}

static void remember_denial(vl_limits *limits, const char *key, const vl_limit_state *state) {
    denial *d = denial_of(limits, key);
    pthread_mutex_lock(&limits->lock);
    snprintf(d->key, sizeof d->key, "%s", key);
    d->state = *state;
    d->until_us = vl_clock_ns() / 1000 + (int64_t)(state->retry_seconds * 1e6);
    pthread_mutex_unlock(&limits->lock);
}

/* True: decided. */
static bool deny_again(vl_request *request, vl_bucket bucket, const char *key) {
    vl_limits *limits = request->server->limits;
    denial *d = denial_of(limits, key);
    pthread_mutex_lock(&limits->lock);
    double left = (double)(d->until_us - vl_clock_ns() / 1000) / 1e6;
    bool denied = left > 0 && !strcmp(d->key, key);
    if (denied) {
        request->limit = d->state;
        request->limit.reset_seconds -= d->state.retry_seconds - left;
    }
    pthread_mutex_unlock(&limits->lock);
    if (!denied)
        return false;
    request->is_limited = true;
    decide_limited(request, bucket, left);
    return true;
}

/* Headers speak of the bucket that has the least left. */
static bool take(vl_request *request, vl_bucket bucket, const char *key, bool may_wait) {
    vl_limits *limits = request->server->limits;
    const vl_limit *limit = &limits->limits[bucket];
    if (limit->per_minute <= 0)
        return true;
    vl_limit_state state =
        may_wait ? vl_limiter_take(limits->limiter, key, limit)
                 : vl_limiter_take_at(limits->limiter, key, limit, vl_clock_ns() / 1000);
    if (!request->is_limited || !state.allowed || state.remaining < request->limit.remaining)
        request->limit = state;
    request->is_limited = true;
    if (!state.allowed && limits->is_shared && may_wait)
        remember_denial(limits, key, &state);
    if (!state.allowed)
        decide_limited(request, bucket, state.retry_seconds);
    return state.allowed;
}

/* "ip:203.0.113.9": what a bucket of the address is called. */
static void address_key(const vl_request *request, const char *what,
                        char key[VL_LIMIT_KEY_SIZE]) {
    char text[VL_ADDRESS_TEXT_SIZE];
    vl_address owner;
    vl_address_owner(&request->client, &owner);
    vl_address_format(&owner, text);
    snprintf(key, VL_LIMIT_KEY_SIZE, "%s:%s", what, text);
}

bool vl_limits_deny(vl_request *request) {
    char key[VL_LIMIT_KEY_SIZE];
    if (!request->server->limits->is_shared || !is_limited(request))
        return false;
    address_key(request, "ip", key);
    if (deny_again(request, VL_BUCKET_ADDRESS, key) ||
        deny_again(request, VL_BUCKET_ALL, "all"))
        return true;
    address_key(request, "login", key);
    return request->route->access == VL_ACCESS_LOGIN &&
           deny_again(request, VL_BUCKET_LOGIN, key);
}

bool vl_limits_arrive(vl_request *request, bool may_wait) {
    char key[VL_LIMIT_KEY_SIZE];
    if (!is_limited(request))
        return true;
    address_key(request, "ip", key);
    if (!take(request, VL_BUCKET_ADDRESS, key, may_wait) ||
        !take(request, VL_BUCKET_ALL, "all", may_wait))
        return false;
    address_key(request, "login", key);
    return request->route->access != VL_ACCESS_LOGIN ||
           take(request, VL_BUCKET_LOGIN, key, may_wait);
}

bool vl_limits_caller(vl_request *request, bool may_wait) {
    char key[VL_LIMIT_KEY_SIZE];
    const vl_caller *caller = &request->caller;
    if (caller->kind == VL_CALLER_ANONYMOUS || !is_limited(request))
        return true;
    snprintf(key, sizeof key, "user:%lld", (long long)caller->user);
    if (!take(request, VL_BUCKET_USER, key, may_wait))
        return false;
    snprintf(key, sizeof key, "key:%lld", (long long)caller->key);
    return caller->kind != VL_CALLER_KEY || take(request, VL_BUCKET_KEY, key, may_wait);
}
