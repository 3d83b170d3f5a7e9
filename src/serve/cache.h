/* cache.h — answers that were made before, kept in memory up to a number of bytes.
 *
 * A blob is one response body that never changes once made; it is counted, so that a response
 * on its way to a slow client outlives its eviction. Lookups far outnumber inserts.
 *
 * Thread-safety: blobs and caches may be used by several threads. */
#ifndef VISLANG_SERVE_CACHE_H
#define VISLANG_SERVE_CACHE_H

#include <vislang/base.h>

#include <stdatomic.h>

typedef struct vl_blob {
    atomic_uint references;
    const char *type; /* media type, static */
    size_t size;
    char bytes[]; /* NUL-terminated; the NUL is not counted */
} vl_blob;
/* One reference, the caller's. NULL: no memory. */
vl_blob *vl_blob_new(const char *type, const void *bytes, size_t size);
vl_blob *vl_blob_ref(vl_blob *blob);
void vl_blob_unref(vl_blob *blob); /* NULL is allowed */

#define VL_CACHE_KEY_SIZE VL_SHA256_HEX_SIZE /* a SHA-256, in hexadecimal */

typedef struct vl_cache vl_cache;
/* `max_bytes` 0: keeps nothing. `max_age_seconds` 0: keeps until evicted. NULL: no memory. */
vl_cache *vl_cache_new(size_t max_bytes, double max_age_seconds);
void vl_cache_free(vl_cache *cache);
/* A reference for the caller, or NULL. */
vl_blob *vl_cache_get(vl_cache *cache, const char *key);
/* Keeps its own reference; evicts the least recently used to make room. A blob larger than a
 * quarter of the cache is not kept. */
void vl_cache_put(vl_cache *cache, const char *key, vl_blob *blob);
/* Forgets everything; `entries` and `bytes` are what there was. */
void vl_cache_clear(vl_cache *cache, size_t *entries, size_t *bytes);
void vl_cache_size(vl_cache *cache, size_t *entries, size_t *bytes);

#endif
