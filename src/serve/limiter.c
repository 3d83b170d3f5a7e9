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

static bool is_held(bucket *const *held, size_t count, const bucket *b) {
    while (count)
        if (held[--count] == b)
            return true;
    return false;
}

/* The bucket of the key, which may have been another's, but none of those that the same request
 * holds; these are fewer than WAYS. */
static bucket *bucket_of(bucket *set, const char *key, bucket *const *held, size_t count) {
    bucket *oldest = NULL;
    for (int i = 0; i < WAYS; i++) {
        if (!strcmp(set[i].key, key))
            return &set[i];
        if (is_held(held, count, &set[i]))
            continue;
        if (!oldest || !*set[i].key || (*oldest->key && set[i].full_us < oldest->full_us))
            oldest = &set[i];
    }
    snprintf(oldest->key, sizeof oldest->key, "%s", key);
    oldest->full_us = 0;
    return oldest;
}
_Static_assert((int)VL_LIMIT_TAKES_MAX < (int)WAYS, "a set holds all of a request's buckets");

static double emission_of(const vl_limit *limit) {
    return 60e6 / limit->per_minute;
}

static bool counts(const vl_limit_take *take) {
    return take->limit.per_minute > 0;
}

/* What `used_us`, the time until the bucket is full, says. */
static vl_limit_state state_of(const vl_limit *limit, double used_us, bool allowed) {
    double emission = emission_of(limit), capacity = limit->burst * emission;
    return (vl_limit_state){.allowed = allowed,
                            .limit = floor(limit->burst),
                            .remaining = fmax(floor((capacity - used_us) / emission + 1e-6), 0),
                            .reset_seconds = used_us / 1e6,
                            .retry_seconds =
                                allowed ? 0 : fmax(used_us + emission - capacity, 1) / 1e6};
}

/* ---- in this process ----------------------------------------------------------------- */

/* In the order of the shards, so that two who want the same ones do not wait for each other. */
static void lock_shards(vl_limiter *limiter, unsigned shards, bool lock) {
    for (int i = 0; i < SHARDS; i++) {
        if (shards & 1u << i)
            (lock ? pthread_mutex_lock : pthread_mutex_unlock)(&limiter->shards[i].lock);
    }
}

/* How long until a bucket would be full, at most as long as an empty one takes: a clock that
 * was set back, or a limit that was changed, holds nobody back for longer. */
static double used_of(const bucket *b, const vl_limit *limit, int64_t now_us) {
    return fmin(fmax((double)(b->full_us - now_us), 0), limit->burst * emission_of(limit));
}

/* Under the locks. */
static bool look(vl_limit_take *takes, size_t count, bucket *const *buckets, int64_t now_us) {
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        vl_limit_take *t = &takes[i];
        t->state = (vl_limit_state){.allowed = true};
        if (!counts(t))
            continue;
        double used = used_of(buckets[i], &t->limit, now_us), emission = emission_of(&t->limit);
        bool allowed = used + emission <= t->limit.burst * emission + 0.5;
        t->state = state_of(&t->limit, used, allowed);
        all = all && allowed;
    }
    return all;
}

static void commit(vl_limit_take *takes, size_t count, bucket *const *buckets, int64_t now_us) {
    for (size_t i = 0; i < count; i++) {
        vl_limit_take *t = &takes[i];
        if (!counts(t))
            continue;
        double used = used_of(buckets[i], &t->limit, now_us) + emission_of(&t->limit);
        buckets[i]->full_us = now_us + (int64_t)llround(used);
        t->state = state_of(&t->limit, used, true);
    }
}

bool vl_limiter_take_at(vl_limiter *limiter, vl_limit_take *takes, size_t count,
                        int64_t now_us) {
    bucket *buckets[VL_LIMIT_TAKES_MAX] = {NULL};
    uint64_t hashes[VL_LIMIT_TAKES_MAX];
    unsigned shards = 0;
    for (size_t i = 0; i < count; i++) {
        hashes[i] = hash_of(limiter, takes[i].key);
        shards |= counts(&takes[i]) ? 1u << hashes[i] % SHARDS : 0;
    }
    lock_shards(limiter, shards, true);
    for (size_t i = 0; i < count; i++) {
        size_t set = hashes[i] / SHARDS & (limiter->sets - 1);
        if (counts(&takes[i]))
            buckets[i] = bucket_of(limiter->shards[hashes[i] % SHARDS].buckets + set * WAYS,
                                   takes[i].key, buckets, i);
    }
    bool all = look(takes, count, buckets, now_us);
    if (all)
        commit(takes, count, buckets, now_us);
    lock_shards(limiter, shards, false);
    return all;
}

/* ---- in Redis ------------------------------------------------------------------------ */

/* The same by Redis's clock. Returns {allowed, microseconds until it is full} of each key;
 * what is no number, or is too far ahead, is a bucket that is full or empty. */
static const char script[] =
    "redis.replicate_commands() "
    "local t = redis.call('TIME') "
    "local now = t[1] * 1000000 + t[2] "
    "local was = redis.call('MGET', unpack(KEYS)) "
    "local used, answer, all = {}, {}, true "
    "for i = 1, #KEYS do "
    "  local emission, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i]) "
    "  used[i] = math.max((tonumber(was[i] or '') or 0) - now, 0) "
    "  used[i] = math.min(used[i], burst * emission) "
    "  answer[2 * i - 1] = 1 "
    "  if used[i] + emission > burst * emission + 0.5 then "
    "    answer[2 * i - 1] = 0 all = false "
    "  end "
    "end "
    "for i = 1, #KEYS do "
    "  if all then "
    "    used[i] = used[i] + tonumber(ARGV[2 * i - 1]) "
    "    redis.call('SET', KEYS[i], string.format('%.0f', now + used[i]), 'PX', "
    "      math.ceil(used[i] / 1000) + 1000) "
    "  end "
    "  answer[2 * i] = string.format('%.0f', used[i]) "
    "end "
    "return answer";

enum { NAME_SIZE = VL_LIMIT_KEY_SIZE + 24, NUMBER_SIZE = 32 };

/* The words of a call, which its script points into. */
typedef struct words {
    char names[VL_LIMIT_TAKES_MAX][NAME_SIZE];
    char numbers[2 * VL_LIMIT_TAKES_MAX][NUMBER_SIZE];
    const char *keys[VL_LIMIT_TAKES_MAX], *arguments[2 * VL_LIMIT_TAKES_MAX];
    size_t count;
} words;

static void add_words(words *w, const vl_limit_take *take) {
    size_t i = w->count++;
    snprintf(w->names[i], NAME_SIZE, "{vislang:limit}:%s", take->key);
    snprintf(w->numbers[2 * i], NUMBER_SIZE, "%.3f", emission_of(&take->limit));
    snprintf(w->numbers[2 * i + 1], NUMBER_SIZE, "%.3f", take->limit.burst);
    w->keys[i] = w->names[i];
    w->arguments[2 * i] = w->numbers[2 * i];
    w->arguments[2 * i + 1] = w->numbers[2 * i + 1];
}

/* False: Redis does not say. */
static bool take_in_redis(vl_redis *redis, vl_limit_take *takes, size_t count, bool *all) {
    words w = {.count = 0};
    int64_t numbers[2 * VL_LIMIT_TAKES_MAX];
    for (size_t i = 0; i < count; i++)
        if (counts(&takes[i]))
            add_words(&w, &takes[i]);
    vl_redis_script call = {script, w.keys, w.count, w.arguments, 2 * w.count};
    if (w.count && vl_redis_eval(redis, &call, numbers, 2 * w.count, NULL))
        return false;
    *all = true;
    for (size_t i = 0, k = 0; i < count; i++) {
        takes[i].state = (vl_limit_state){.allowed = true};
        if (!counts(&takes[i]))
            continue;
        bool allowed = numbers[2 * k] != 0;
        takes[i].state = state_of(&takes[i].limit, (double)numbers[2 * k + 1], allowed);
        *all = *all && allowed;
        k++;
    }
    return true;
}

bool vl_limiter_take(vl_limiter *limiter, vl_limit_take *takes, size_t count) {
    bool all;
    if (limiter->redis && take_in_redis(limiter->redis, takes, count, &all))
        return all;
    return vl_limiter_take_at(limiter, takes, count, vl_clock_ns() / 1000);
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
