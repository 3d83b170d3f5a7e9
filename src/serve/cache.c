/* cache.c — least recently used out first: a hash table whose entries are also a list. */
#include "serve/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

vl_blob *vl_blob_new(const char *type, const void *bytes, size_t size) {
    vl_blob *blob = malloc(sizeof *blob + size + 1);
    if (!blob)
        return NULL;
    atomic_init(&blob->references, 1);
    blob->type = type;
    blob->size = size;
    if (size)
        memcpy(blob->bytes, bytes, size);
    blob->bytes[size] = '\0';
    return blob;
}

vl_blob *vl_blob_ref(vl_blob *blob) {
    atomic_fetch_add_explicit(&blob->references, 1, memory_order_relaxed);
    return blob;
}

void vl_blob_unref(vl_blob *blob) {
    if (blob && atomic_fetch_sub_explicit(&blob->references, 1, memory_order_acq_rel) == 1)
        free(blob);
}

/* ---- the table ------------------------------------------------------------------- */

enum { BUCKETS = 4096 };

typedef struct entry {
    char key[VL_CACHE_KEY_SIZE];
    vl_blob *blob;
    int64_t made_ns;
    struct entry *bucket_next;
    struct entry *newer, *older;
} entry;

struct vl_cache {
    pthread_mutex_t lock;
    size_t max_bytes, bytes, entries;
    double max_age_seconds;
    entry *newest, *oldest;
    entry *buckets[BUCKETS];
};

vl_cache *vl_cache_new(size_t max_bytes, double max_age_seconds) {
    vl_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    pthread_mutex_init(&cache->lock, NULL);
    cache->max_bytes = max_bytes;
    cache->max_age_seconds = max_age_seconds;
    return cache;
}

static size_t entry_size(const entry *e) {
    return sizeof *e + sizeof *e->blob + e->blob->size;
}

/* FNV-1a over the first 16 digits: a SHA-256's digits are spread evenly already. */
static entry **bucket_of(vl_cache *cache, const char *key) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < 16 && key[i]; i++)
        hash = (hash ^ (uint8_t)key[i]) * 16777619u;
    return &cache->buckets[hash % BUCKETS];
}

static entry *find(vl_cache *cache, const char *key) {
    for (entry *e = *bucket_of(cache, key); e; e = e->bucket_next)
        if (!strcmp(e->key, key))
            return e;
    return NULL;
}

static void unlink_age(vl_cache *cache, entry *e) {
    *(e->newer ? &e->newer->older : &cache->newest) = e->older;
    *(e->older ? &e->older->newer : &cache->oldest) = e->newer;
}

static void link_newest(vl_cache *cache, entry *e) {
    e->newer = NULL;
    e->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = e;
    cache->newest = e;
}

static void drop(vl_cache *cache, entry *e) {
    entry **link = bucket_of(cache, e->key);
    while (*link != e)
        link = &(*link)->bucket_next;
    *link = e->bucket_next;
    unlink_age(cache, e);
    cache->bytes -= entry_size(e);
    cache->entries--;
    vl_blob_unref(e->blob);
    free(e);
}

void vl_cache_free(vl_cache *cache) {
    if (!cache)
        return;
    while (cache->oldest)
        drop(cache, cache->oldest);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static bool is_stale(const vl_cache *cache, const entry *e) {
    return cache->max_age_seconds > 0 &&
           vl_clock_ms_since(e->made_ns) > cache->max_age_seconds * 1000;
}

vl_blob *vl_cache_get(vl_cache *cache, const char *key) {
    vl_blob *blob = NULL;
    pthread_mutex_lock(&cache->lock);
    entry *e = find(cache, key);
    if (e && is_stale(cache, e)) {
        drop(cache, e);
    } else if (e) {
        unlink_age(cache, e);
        link_newest(cache, e);
        blob = vl_blob_ref(e->blob);
    }
    pthread_mutex_unlock(&cache->lock);
    return blob;
}

void vl_cache_put(vl_cache *cache, const char *key, vl_blob *blob) {
    if (strlen(key) >= VL_CACHE_KEY_SIZE || blob->size > cache->max_bytes / 4)
        return;
    entry *e = calloc(1, sizeof *e);
    if (!e)
        return;
    memcpy(e->key, key, strlen(key) + 1);
    e->blob = vl_blob_ref(blob);
    e->made_ns = vl_clock_ns();
    pthread_mutex_lock(&cache->lock);
    entry *old = find(cache, key);
    if (old)
        drop(cache, old);
    while (cache->oldest && cache->bytes + entry_size(e) > cache->max_bytes)
        drop(cache, cache->oldest);
    entry **bucket = bucket_of(cache, key);
    e->bucket_next = *bucket;
    *bucket = e;
    link_newest(cache, e);
    cache->bytes += entry_size(e);
    cache->entries++;
    pthread_mutex_unlock(&cache->lock);
}

void vl_cache_clear(vl_cache *cache, size_t *entries, size_t *bytes) {
    pthread_mutex_lock(&cache->lock);
    *entries = cache->entries;
    *bytes = cache->bytes;
    while (cache->oldest)
        drop(cache, cache->oldest);
    pthread_mutex_unlock(&cache->lock);
}

void vl_cache_size(vl_cache *cache, size_t *entries, size_t *bytes) {
    pthread_mutex_lock(&cache->lock);
    *entries = cache->entries;
    *bytes = cache->bytes;
    pthread_mutex_unlock(&cache->lock);
}
