/* seal.c — sealing bytes, and reading master keys. */
#include "store/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { NONCE = 12, TAG = 16, PIECE = 1 << 30 };

/* ---- master keys ------------------------------------------------------------------------- */

static bool from_hex(const char *text, size_t length, uint8_t *out) {
    if (length != 2 * VL_MASTER_KEY_BYTES)
        return false;
    for (size_t i = 0; i < VL_MASTER_KEY_BYTES; i++) {
        unsigned byte;
        if (strspn(text + 2 * i, "0123456789abcdefABCDEF") < 2 ||
            sscanf(text + 2 * i, "%2x", &byte) != 1)
            return false;
        out[i] = (uint8_t)byte;
    }
    return true;
}

static bool from_base64(const char *text, size_t length, uint8_t *out) {
    uint8_t bytes[48];
    size_t count = 0;
    bool ok = (length == 43 || length == 44) &&
              (vl_base64_decode(text, length, false, bytes, &count) ||
               vl_base64_decode(text, length, true, bytes, &count)) &&
              count == VL_MASTER_KEY_BYTES;
    if (ok)
        memcpy(out, bytes, VL_MASTER_KEY_BYTES);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return ok;
}

static bool is_weak(const uint8_t *bytes) {
    for (size_t i = 1; i < VL_MASTER_KEY_BYTES; i++)
        if (bytes[i] != bytes[0])
            return false;
    return true;
}

vl_status master_keys_read(const char *list, master_key keys[VL_MASTER_KEYS_MAX], size_t *count,
                           vl_error *error) {
    *count = 0;
    for (const char *at = list; *at; at += *at == ',') {
        char digest[VL_SHA256_HEX_SIZE];
        size_t length = strcspn(at, ",");
        if (*count == VL_MASTER_KEYS_MAX)
            return vl_fail(error, VL_ERR_USAGE, "over %d master keys", VL_MASTER_KEYS_MAX);
        master_key *key = &keys[*count];
        if (!from_hex(at, length, key->bytes) && !from_base64(at, length, key->bytes))
            return vl_fail(error, VL_ERR_USAGE,
                           "master key %zu is not 32 bytes in hexadecimal or base64 (openssl "
                           "rand -base64 32 makes one)",
                           *count + 1);
        if (is_weak(key->bytes))
            return vl_fail(error, VL_ERR_USAGE, "master key %zu is one byte over and over",
                           *count + 1);
        vl_sha256_hex(key->bytes, sizeof key->bytes, digest);
        snprintf(key->id, sizeof key->id, "%s", digest);
        ++*count;
        at += length;
    }
    return *count
               ? VL_OK
               : vl_fail(error, VL_ERR_MISSING,
                         "there is no master key: set ENCRYPTION_KEY (openssl rand -base64 32 "
                         "makes one)");
}

/* ---- sealing ----------------------------------------------------------------------------- */

static bool begin(EVP_CIPHER_CTX *c, bool sealing, const uint8_t *key, const uint8_t *nonce,
                  const char *about) {
    int done;
    return EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, sealing) == 1 &&
           EVP_CipherUpdate(c, NULL, &done, (const uint8_t *)about, (int)strlen(about)) == 1;
}

static bool update(EVP_CIPHER_CTX *c, const uint8_t *from, size_t count, uint8_t *to) {
    for (size_t at = 0; at < count; at += PIECE) {
        int done, piece = (int)(count - at < PIECE ? count - at : PIECE);
        if (EVP_CipherUpdate(c, to + at, &done, from + at, piece) != 1 || done != piece)
            return false;
    }
    return true;
}

vl_status seal(const uint8_t key[32], const char *about, const void *bytes, size_t count,
               uint8_t *out, vl_error *error) {
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t none[16];
    int done;
    vl_random_bytes(out, NONCE);
    bool ok = c && begin(c, true, key, out, about) && update(c, bytes, count, out + NONCE) &&
              EVP_CipherFinal_ex(c, none, &done) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE + count) == 1;
    EVP_CIPHER_CTX_free(c);
    return ok ? VL_OK : vl_fail(error, VL_ERR_INTERNAL, "AES-256-GCM is not to be had");
}

vl_status unseal(const uint8_t key[32], const char *about, const void *sealed, size_t count,
                 uint8_t *out, vl_error *error) {
    const uint8_t *from = sealed;
    uint8_t none[16];
    int done;
    if (count < SEAL_EXTRA)
        return vl_fail(error, VL_ERR_INPUT, "what was sealed is cut short");
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    size_t inside = count - SEAL_EXTRA;
    bool ok = c && begin(c, false, key, from, about) && update(c, from + NONCE, inside, out) &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG,
                                  (void *)(uintptr_t)(from + NONCE + inside)) == 1 &&
              EVP_CipherFinal_ex(c, none, &done) == 1;
    EVP_CIPHER_CTX_free(c);
    return ok ? VL_OK : vl_fail(error, VL_ERR_INPUT, "what was sealed has been changed");
}
