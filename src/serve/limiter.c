/* limiter.c — buckets in a table, or in Redis. */
#include "serve/limiter.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 16, WAYS = 8 };

typedef struct bucket {
    char key[VL_LIMIT_KEY_SIZE]; /* "": free */
    int64_t full_us;             /* when it is full again: the theoretical arrival time */
} bucket;

/* A set holds WAYS buckets; a new key takes the place of the one that is full the soonest, so
 * that a flood of new addresses pushes out nobody who is being held back for longer. */
typedef struct shard {
    pthread_mutex_t lock;
    bucket *buckets;
} shard;

struct vl_limiter {
    shard shards[SHARDS];
    size_t sets; /* a shard; a power of two */
    uint64_t seed;
    vl_redis *redis;
};

vl_limiter *vl_limiter_new(size_t max_keys, vl_redis *redis) {
    vl_limiter *limiter = calloc(1, sizeof *limiter);
    if (!limiter)
        return NULL;
    limiter->redis = redis;
    vl_random_bytes(&limiter->seed, sizeof limiter->seed);
    for (limiter->sets = 1; limiter->sets * SHARDS * WAYS < max_keys;)
        limiter->sets *= 2;
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&limiter->shards[i].lock, NULL);
        limiter->shards[i].buckets = calloc(limiter->sets * WAYS, sizeof(bucket));
    }
    for (int i = 0; i < SHARDS; i++)
        if (!limiter->shards[i].buckets) {
            vl_limiter_free(limiter);
            return NULL;
        }
    return limiter;
}

void vl_limiter_free(vl_limiter *limiter) {
    if (!limiter)
        return;
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&limiter->shards[i].lock);
        free(limiter->shards[i].buckets);
    }
    free(limiter);
}

/* FNV-1a with a seed that nobody knows, mixed (Steele, Lea and Flood 2014). */
static uint64_t hash_of(const vl_limiter *limiter, const char *key) {
    uint64_t hash = 0xcbf29ce484222325ULL ^ limiter->seed;
    for (; *key; key++)
        hash = (hash ^ (uint8_t)*key) * 0x100000001b3ULL;
    return vl_random_next(&hash);
}

/* The bucket of the key, which may have been another's. */
static bucket *bucket_of(bucket *set, const char *key) {
    bucket *oldest = set;
    for (int i = 0; i < WAYS; i++) {
        if (!strcmp(set[i].key, key))
            return &set[i];
        if (!*set[i].key || (*oldest->key && set[i].full_us < oldest->full_us))
            oldest = &set[i];
    }
    snprintf(oldest->key, sizeof oldest->key, "%s", key);
    oldest->full_us = 0;
    return oldest;
}

/* What the time `full_us`, after this request if it was allowed, says. */
static vl_limit_state state_of(const vl_limit *limit, double emission_us, int64_t full_us,
                               int64_t now_us, bool allowed) {
    double capacity = limit->burst * emission_us, used = fmax((double)(full_us - now_us), 0);
    return (vl_limit_state){.allowed = allowed,
                            .limit = floor(limit->burst),
                            .remaining = fmax(floor((capacity - used) / emission_us + 1e-6), 0),
                            .reset_seconds = used / 1e6,
                            .retry_seconds =
                                allowed ? 0 : fmax(used + emission_us - capacity, 1) / 1e6};
}

vl_limit_state vl_limiter_take_at(vl_limiter *limiter, const char *key, const vl_limit *limit,
                                  int64_t now_us) {
    uint64_t hash = hash_of(limiter, key);
    shard *s = &limiter->shards[hash % SHARDS];
    double emission = 60e6 / limit->per_minute;
    pthread_mutex_lock(&s->lock);
    bucket *b = bucket_of(s->buckets + (hash / SHARDS & (limiter->sets - 1)) * WAYS, key);
    int64_t from = b->full_us > now_us ? b->full_us : now_us;
    double next = (double)from + emission;
    bool allowed = next - (double)now_us <= limit->burst * emission + 0.5;
    if (allowed)
        b->full_us = (int64_t)llround(next);
    vl_limit_state state = state_of(limit, emission, b->full_us, now_us, allowed);
    pthread_mutex_unlock(&s->lock);
    return state;
}

/* The same in Redis, by Redis's clock. Returns {allowed, microseconds until it is full}. */
static const char script[] =
    "redis.replicate_commands() "
    "local t = redis.call('TIME') "
    "local now = t[1] * 1000000 + t[2] "
    "local emission, burst = tonumber(ARGV[1]), tonumber(ARGV[2]) "
    "local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) "
    "local allowed = 0 "
    "if full + emission - now <= burst * emission + 0.5 then "
    "  allowed = 1 full = full + emission "
    "  redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', "
    "    math.ceil((full - now) / 1000) + 1000) "
    "end "
    "return {allowed, string.format('%.0f', full - now)}";

static bool take_in_redis(vl_redis *redis, const char *key, const vl_limit *limit,
                          vl_limit_state *state) {
    char name[VL_LIMIT_KEY_SIZE + 16], emission_text[32], burst_text[32];
    double emission = 60e6 / limit->per_minute;
    int64_t numbers[2];
    snprintf(name, sizeof name, "vislang:limit:%s", key);
    snprintf(emission_text, sizeof emission_text, "%.3f", emission);
    snprintf(burst_text, sizeof burst_text, "%.3f", limit->burst);
    const char *arguments[] = {emission_text, burst_text};
    if (vl_redis_eval(redis, script, name, arguments, 2, numbers, 2, NULL))
        return false;
    *state = state_of(limit, emission, numbers[1], 0, numbers[0] != 0);
    return true;
}

vl_limit_state vl_limiter_take(vl_limiter *limiter, const char *key, const vl_limit *limit) {
    vl_limit_state state = {.allowed = true};
    if (limit->per_minute <= 0)
        return state;
    if (limiter->redis && take_in_redis(limiter->redis, key, limit, &state))
        return state;
    return vl_limiter_take_at(limiter, key, limit, vl_clock_ns() / 1000);
}

size_t vl_limiter_count(vl_limiter *limiter) {
    size_t count = 0;
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&limiter->shards[i].lock);
        for (size_t k = 0; k < limiter->sets * WAYS; k++)
            count += *limiter->shards[i].buckets[k].key != '\0';
        pthread_mutex_unlock(&limiter->shards[i].lock);
    }
    return count;
}
