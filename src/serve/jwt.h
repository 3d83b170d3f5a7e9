/* jwt.h — access tokens: JSON Web Tokens (RFC 7519) signed by HS256 or EdDSA (RFC 7518, 8037),
 * as RFC 8725 wants them: one algorithm, chosen here and never by the token; issuer, audience
 * and times always checked; nothing in the header obeyed.
 *
 * A signer is read-only once made, and then thread-safe. */
#ifndef VISLANG_SERVE_JWT_H
#define VISLANG_SERVE_JWT_H

#include <vislang/base.h>

enum { VL_JWT_SIZE = 1024, VL_JWT_ID_SIZE = 23 };
typedef struct vl_jwt_claims {
    int64_t user;            /* "sub" */
    char role[16];           /* "role" */
    char family[44];         /* "fam": the session it belongs to */
    char id[VL_JWT_ID_SIZE]; /* "jti" */
    int64_t issued, expires; /* "iat" (also "nbf") and "exp": seconds since 1970 */
} vl_jwt_claims;

typedef struct vl_jwt_signer vl_jwt_signer;
/* `algorithm`: "HS256", with a secret of 32 bytes or more, or "EdDSA", with an Ed25519 key of
 * 32 bytes in base64. `secret` "": a random one, which ends with the process. VL_ERR_USAGE. */
vl_status vl_jwt_signer_new(const char *algorithm, const char *secret, const char *issuer,
                            const char *audience, vl_jwt_signer **signer, vl_error *error);
void vl_jwt_signer_free(vl_jwt_signer *signer);
/* Signs; `id`, `issued` and `expires` (in `seconds`) are filled in. */
vl_status vl_jwt_issue(const vl_jwt_signer *signer, double seconds, vl_jwt_claims *claims,
                       char token[VL_JWT_SIZE], vl_error *error);
/* VL_ERR_DENIED says what is wrong with it, which is for the log and not for who sent it. */
vl_status vl_jwt_check(const vl_jwt_signer *signer, const char *token, int64_t now,
                       vl_jwt_claims *claims, vl_error *error);

/* The signature of any "header.payload" (RFC 7515); for tests against published vectors. */
vl_status vl_jws_sign(const vl_jwt_signer *signer, const char *input, size_t count,
                      uint8_t *signature, size_t *bytes, vl_error *error);

#endif
