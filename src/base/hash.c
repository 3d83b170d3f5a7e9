/* hash.c — SHA-256, through libcrypto.
 *
 * It can't fail for a reason a caller could act on: a libcrypto without SHA-256 is a broken
 * machine, and the process stops. */
#include <vislang/base.h>

#include <stdio.h>
#include <stdlib.h>
#include <openssl/evp.h>

static void must(bool done) {
    if (!done) {
        fputs("vislang: libcrypto cannot compute SHA-256\n", stderr);
        abort();
    }
}

static void to_hex(const unsigned char *digest, size_t bytes, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes; i++) {
        *out++ = digits[digest[i] >> 4];
        *out++ = digits[digest[i] & 15];
    }
    *out = '\0';
}

void vl_sha256_hex(const void *data, size_t bytes, char out[VL_SHA256_HEX_SIZE]) {
    vl_sha256 *hash = vl_sha256_new();
    vl_sha256_update(hash, data, bytes);
    vl_sha256_finish(hash, out);
}

/* The streaming hash is libcrypto's own context under our name. */
vl_sha256 *vl_sha256_new(void) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    return (vl_sha256 *)context;
}

void vl_sha256_update(vl_sha256 *hash, const void *data, size_t bytes) {
    must(!bytes || EVP_DigestUpdate((EVP_MD_CTX *)hash, data, bytes) == 1);
}

void vl_sha256_finish(vl_sha256 *hash, char out[VL_SHA256_HEX_SIZE]) {
    unsigned char digest[32];
    EVP_MD_CTX *context = (EVP_MD_CTX *)hash;
    must(EVP_DigestFinal_ex(context, digest, NULL) == 1);
    EVP_MD_CTX_free(context);
    to_hex(digest, sizeof digest, out);
}
