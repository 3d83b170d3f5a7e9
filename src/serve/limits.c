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

/* ---- which buckets ------------------------------------------------------------------- */

/* What a request takes from, and which bucket each of them is. */
typedef struct takes {
    vl_limit_take list[VL_LIMIT_TAKES_MAX];
    vl_bucket buckets[VL_LIMIT_TAKES_MAX];
    size_t count;
} takes;

/* The key's room; NULL: there is no such limit. */
static char *add_take(takes *t, const vl_limits *limits, vl_bucket bucket) {
    if (limits->limits[bucket].per_minute <= 0)
        return NULL;
    t->buckets[t->count] = bucket;
    t->list[t->count] = (vl_limit_take){.limit = limits->limits[bucket]};
    return t->list[t->count++].key;
}

/* "ip:203.0.113.9": what a bucket of the address is called. */
static void add_address(takes *t, const vl_request *request, vl_bucket bucket, const char *what,
                        unsigned bits) {
    char *key = add_take(t, request->server->limits, bucket), text[VL_ADDRESS_TEXT_SIZE];
    vl_address owner;
    if (!key)
        return;
    vl_address_owner(&request->client, bits, &owner);
    vl_address_format(&owner, text);
    snprintf(key, VL_LIMIT_KEY_SIZE, "%s:%s", what, text);
}

static void add_number(takes *t, const vl_request *request, vl_bucket bucket, const char *what,
                       int64_t id) {
    char *key = add_take(t, request->server->limits, bucket);
    if (key)
        snprintf(key, VL_LIMIT_KEY_SIZE, "%s:%lld", what, (long long)id);
}

static void add_arrival(takes *t, const vl_request *request) {
    char *key;
    add_address(t, request, VL_BUCKET_ADDRESS, "ip", VL_CUSTOMER_BITS);
    if ((key = add_take(t, request->server->limits, VL_BUCKET_ALL)))
        snprintf(key, VL_LIMIT_KEY_SIZE, "all");
    if (request->route->access == VL_ACCESS_LOGIN)
        add_address(t, request, VL_BUCKET_LOGIN, "login", VL_SITE_BITS);
}

static void add_caller(takes *t, const vl_request *request, const vl_caller *caller) {
    if (caller->kind == VL_CALLER_ANONYMOUS)
        return;
    add_number(t, request, VL_BUCKET_USER, "user", caller->user);
    if (caller->kind == VL_CALLER_KEY)
        add_number(t, request, VL_BUCKET_KEY, "key", caller->key);
}

/* ---- taking -------------------------------------------------------------------------- */

/* Headers speak of the bucket that has the least left, or that is empty for the longest. */
static bool is_nearer(const vl_limit_state *a, const vl_limit_state *b) {
    if (a->allowed != b->allowed)
        return !a->allowed;
    return a->allowed ? a->remaining < b->remaining : a->retry_seconds > b->retry_seconds;
}

static bool take(vl_request *request, takes *t, bool may_wait) {
    vl_limits *limits = request->server->limits;
    bool all = true;
    size_t nearest = 0;
    if (!t->count)
        return true;
    all = may_wait
              ? vl_limiter_take(limits->limiter, t->list, t->count)
              : vl_limiter_take_at(limits->limiter, t->list, t->count, vl_clock_ns() / 1000);
    for (size_t i = 0; i < t->count; i++) {
        const vl_limit_state *state = &t->list[i].state;
        if (!state->allowed && limits->is_shared && may_wait)
            remember_denial(limits, t->list[i].key, state);
        if (is_nearer(state, &t->list[nearest].state))
            nearest = i;
    }
    if (!request->is_limited || is_nearer(&t->list[nearest].state, &request->limit))
        request->limit = t->list[nearest].state;
    request->is_limited = true;
    if (!all)
        decide_limited(request, t->buckets[nearest], request->limit.retry_seconds);
    return all;
}

bool vl_limits_deny(vl_request *request, const vl_caller *caller) {
    takes t = {.count = 0};
    if (!request->server->limits->is_shared || !is_limited(request))
        return false;
    add_arrival(&t, request);
    if (caller)
        add_caller(&t, request, caller);
    for (size_t i = 0; i < t.count; i++)
        if (deny_again(request, t.buckets[i], t.list[i].key))
            return true;
    return false;
}

bool vl_limits_arrive(vl_request *request, const vl_caller *caller, bool may_wait) {
    takes t = {.count = 0};
    if (!is_limited(request))
        return true;
    add_arrival(&t, request);
    if (caller)
        add_caller(&t, request, caller);
    return take(request, &t, may_wait);
}

bool vl_limits_caller(vl_request *request, bool may_wait) {
    takes t = {.count = 0};
    if (!is_limited(request))
        return true;
    add_caller(&t, request, &request->caller);
    return take(request, &t, may_wait);
}
