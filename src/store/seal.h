/* seal.h — AES-256-GCM (NIST SP 800-38D) and the master keys.
 *
 * Sealed bytes are a random nonce of 12 bytes, the ciphertext, and a tag of 16. What they are
 * bound to (`about`) is not in them: unsealing with other words fails. */
#ifndef VL_STORE_SEAL_H
#define VL_STORE_SEAL_H

#include <vislang/store.h>

enum { SEAL_EXTRA = 12 + 16, KEY_ID_SIZE = 17 };

typedef struct master_key {
    uint8_t bytes[VL_MASTER_KEY_BYTES];
    char id[KEY_ID_SIZE]; /* of its digest: the same key has the same name everywhere */
} master_key;
/* VL_ERR_MISSING: the list is empty; VL_ERR_USAGE: an item is no key of 32 bytes, or there are
 * too many, or the first is a weak one (all bytes alike). */
vl_status master_keys_read(const char *list, master_key keys[VL_MASTER_KEYS_MAX], size_t *count,
                           vl_error *error);

/* `out` has room for `count` + SEAL_EXTRA bytes. */
vl_status seal(const uint8_t key[32], const char *about, const void *bytes, size_t count,
               uint8_t *out, vl_error *error);
/* `out` has room for `count` - SEAL_EXTRA bytes, and nothing in it counts when this fails.
 * VL_ERR_INPUT: changed, or bound to something else. */
vl_status unseal(const uint8_t key[32], const char *about, const void *sealed, size_t count,
                 uint8_t *out, vl_error *error);

#endif
