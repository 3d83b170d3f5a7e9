/* secrets.c — passwords and tokens. */
#include "store/secrets.h"

#include <argon2.h>
#include <string.h>
#include <strings.h>

enum {
    MEMORY_KIB = 19456,
    PASSES = 2,
    LANES = 1,
    SALT_BYTES = 16,
    HASH_BYTES = 32,
    SHORTEST = 10,
    LONGEST = 256,
};

vl_status password_hash(const char *password, char hash[PASSWORD_HASH_SIZE], vl_error *error) {
    uint8_t salt[SALT_BYTES];
    vl_random_bytes(salt, sizeof salt);
    int code = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password, strlen(password),
                                     salt, sizeof salt, HASH_BYTES, hash, PASSWORD_HASH_SIZE);
    return code == ARGON2_OK ? VL_OK
                             : vl_fail(error, VL_ERR_MEMORY, "the password's hash: %s",
                                       argon2_error_message(code));
}

bool password_is(const char *hash, const char *password) {
    /* Of a password that nobody knows. */
    static const char *const nobody = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                                      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    int code = argon2id_verify(hash ? hash : nobody, password, strlen(password));
    return hash && code == ARGON2_OK;
}

vl_status password_check(const char *name, const char *password, vl_error *error) {
    size_t length = strlen(password);
    if (length < SHORTEST || length > LONGEST)
        return vl_fail(error, VL_ERR_INPUT, "a password has %d to %d bytes", SHORTEST, LONGEST);
    if (vl_utf8_valid_prefix(password, length) != length)
        return vl_fail(error, VL_ERR_INPUT, "a password is UTF-8");
    if (strcasestr(password, name) && length < strlen(name) + SHORTEST)
        return vl_fail(error, VL_ERR_INPUT,
                       "a password is not the name with a few letters more");
    if (strspn(password, (char[]){password[0], '\0'}) == length)
        return vl_fail(error, VL_ERR_INPUT, "a password is not one letter over and over");
    return VL_OK;
}

void token_new(char token[VL_TOKEN_SIZE]) {
    uint8_t bytes[32];
    vl_random_bytes(bytes, sizeof bytes);
    vl_base64_encode(bytes, sizeof bytes, true, token);
    explicit_bzero(bytes, sizeof bytes);
}

void token_hash(const char *token, char hash[VL_SHA256_HEX_SIZE]) {
    vl_sha256_hex(token, strlen(token), hash);
}
