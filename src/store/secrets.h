/* secrets.h — passwords and tokens: what is stored can be held against them and not turned
 * back.
 *
 * Passwords are hashed by argon2id (RFC 9106) with 19 MiB, two passes and one lane (OWASP
 * Password Storage Cheat Sheet), about 20 ms; tokens are 256 random bits, of which SHA-256 is
 * kept. */
#ifndef VL_STORE_SECRETS_H
#define VL_STORE_SECRETS_H

#include <vislang/store.h>

enum { PASSWORD_HASH_SIZE = 128 };
/* "$argon2id$v=19$m=…". VL_ERR_MEMORY. */
vl_status password_hash(const char *password, char hash[PASSWORD_HASH_SIZE], vl_error *error);
/* Takes as long for a hash of NULL, which no password has. */
bool password_is(const char *hash, const char *password);
/* VL_ERR_INPUT: too short, too long, no text, or the name again. */
vl_status password_check(const char *name, const char *password, vl_error *error);

void token_new(char token[VL_TOKEN_SIZE]);
void token_hash(const char *token, char hash[VL_SHA256_HEX_SIZE]);

#endif
