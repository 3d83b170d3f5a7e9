/* jwt.c — signing and checking access tokens. */
#include "serve/jwt.h"

#include <cJSON.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LEAST_SECRET = 32, /* bytes, RFC 7518, section 3.2 */
    MOST_SECRET = 1024,
    SIGNATURE_MAX = 64,
    LEEWAY = 5,         /* seconds that clocks may differ */
    LONGEST = 24 * 3600 /* a token that claims to live longer is none of ours */
};

struct vl_jwt_signer {
    bool is_eddsa;
    uint8_t secret[MOST_SECRET];
    size_t secret_bytes;
    EVP_PKEY *key;
    char issuer[256], audience[256];
    char header[64]; /* in base64url */
};

/* ---- the signer -------------------------------------------------------------------------- */

static vl_status take_eddsa(vl_jwt_signer *s, const char *secret, vl_error *error) {
    uint8_t seed[48];
    size_t count = 0, length = strlen(secret);
    bool ok = true;
    if (!length)
        vl_random_bytes(seed, count = 32);
    else
        ok = (length == 43 || length == 44) &&
             (vl_base64_decode(secret, length, false, seed, &count) ||
              vl_base64_decode(secret, length, true, seed, &count));
    if (ok && count == 32)
        s->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, count);
    OPENSSL_cleanse(seed, sizeof seed);
    return s->key ? VL_OK
                  : vl_fail(error, VL_ERR_USAGE,
                            "a key for EdDSA is 32 bytes in base64 (openssl rand -base64 32)");
}

static vl_status take_hs256(vl_jwt_signer *s, const char *secret, vl_error *error) {
    size_t length = strlen(secret);
    if (!length) {
        vl_random_bytes(s->secret, s->secret_bytes = LEAST_SECRET);
        return VL_OK;
    }
    if (length < LEAST_SECRET || length > MOST_SECRET)
        return vl_fail(error, VL_ERR_USAGE,
                       "a secret for HS256 has %d to %d bytes (openssl rand "
                       "-base64 32)",
                       LEAST_SECRET, MOST_SECRET);
    memcpy(s->secret, secret, s->secret_bytes = length);
    return VL_OK;
}

vl_status vl_jwt_signer_new(const char *algorithm, const char *secret, const char *issuer,
                            const char *audience, vl_jwt_signer **signer, vl_error *error) {
    char header[64];
    *signer = NULL;
    bool is_eddsa = !strcmp(algorithm, "EdDSA");
    if (!is_eddsa && strcmp(algorithm, "HS256") != 0)
        return vl_fail(error, VL_ERR_USAGE, "tokens are signed by HS256 or EdDSA, not '%.20s'",
                       algorithm);
    vl_jwt_signer *s = calloc(1, sizeof *s);
    if (!s)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a signer");
    s->is_eddsa = is_eddsa;
    snprintf(s->issuer, sizeof s->issuer, "%s", issuer);
    snprintf(s->audience, sizeof s->audience, "%s", audience);
    snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", algorithm);
    vl_base64_encode(header, strlen(header), true, s->header);
    vl_status status = is_eddsa ? take_eddsa(s, secret, error) : take_hs256(s, secret, error);
    if (status) {
        vl_jwt_signer_free(s);
        return status;
    }
    *signer = s;
    return VL_OK;
}

void vl_jwt_signer_free(vl_jwt_signer *s) {
    if (!s)
        return;
    EVP_PKEY_free(s->key);
    OPENSSL_cleanse(s->secret, sizeof s->secret);
    free(s);
}

/* ---- signatures -------------------------------------------------------------------------- */

vl_status vl_jws_sign(const vl_jwt_signer *s, const char *input, size_t count,
                      uint8_t *signature, size_t *bytes, vl_error *error) {
    bool ok;
    *bytes = SIGNATURE_MAX;
    if (s->is_eddsa) {
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        ok = c && EVP_DigestSignInit(c, NULL, NULL, NULL, s->key) == 1 &&
             EVP_DigestSign(c, signature, bytes, (const uint8_t *)input, count) == 1;
        EVP_MD_CTX_free(c);
    } else {
        unsigned made = 0;
        ok = HMAC(EVP_sha256(), s->secret, (int)s->secret_bytes, (const uint8_t *)input, count,
                  signature, &made) != NULL;
        *bytes = made;
    }
    return ok ? VL_OK : vl_fail(error, VL_ERR_INTERNAL, "a token could not be signed");
}

static bool is_signed(const vl_jwt_signer *s, const char *input, size_t count,
                      const uint8_t *signature, size_t bytes) {
    uint8_t own[SIGNATURE_MAX];
    size_t own_bytes;
    if (s->is_eddsa) {
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        bool ok = c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, s->key) == 1 &&
                  EVP_DigestVerify(c, signature, bytes, (const uint8_t *)input, count) == 1;
        EVP_MD_CTX_free(c);
        return ok;
    }
    return !vl_jws_sign(s, input, count, own, &own_bytes, NULL) && own_bytes == bytes &&
           !CRYPTO_memcmp(own, signature, bytes);
}

/* ---- issuing ----------------------------------------------------------------------------- */

static char *payload_of(const vl_jwt_signer *s, const vl_jwt_claims *c) {
    char user[24];
    cJSON *json = cJSON_CreateObject();
    snprintf(user, sizeof user, "%lld", (long long)c->user);
    cJSON_AddStringToObject(json, "iss", s->issuer);
    cJSON_AddStringToObject(json, "aud", s->audience);
    cJSON_AddStringToObject(json, "sub", user);
    cJSON_AddStringToObject(json, "role", c->role);
    cJSON_AddStringToObject(json, "fam", c->family);
    cJSON_AddNumberToObject(json, "iat", (double)c->issued);
    cJSON_AddNumberToObject(json, "nbf", (double)c->issued);
    cJSON_AddNumberToObject(json, "exp", (double)c->expires);
    cJSON_AddStringToObject(json, "jti", c->id);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

vl_status vl_jwt_issue(const vl_jwt_signer *s, double seconds, vl_jwt_claims *claims,
                       char token[VL_JWT_SIZE], vl_error *error) {
    uint8_t id[16], signature[SIGNATURE_MAX];
    size_t bytes;
    vl_random_bytes(id, sizeof id);
    vl_base64_encode(id, sizeof id, true, claims->id);
    claims->issued = (int64_t)time(NULL);
    claims->expires = claims->issued + (int64_t)seconds;
    char *payload = payload_of(s, claims);
    if (!payload)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a token");
    size_t length = strlen(payload), head = strlen(s->header);
    vl_status status = VL_OK;
    if (head + 2 + VL_BASE64_SIZE(length) + VL_BASE64_SIZE(SIGNATURE_MAX) > VL_JWT_SIZE) {
        status = vl_fail(error, VL_ERR_LIMIT, "a token would be too long");
    } else {
        snprintf(token, VL_JWT_SIZE, "%s.", s->header);
        vl_base64_encode(payload, length, true, token + head + 1);
        length = strlen(token);
        status = vl_jws_sign(s, token, length, signature, &bytes, error);
        token[length] = '.';
        if (!status)
            vl_base64_encode(signature, bytes, true, token + length + 1);
    }
    cJSON_free(payload);
    return status;
}

/* ---- checking ---------------------------------------------------------------------------- */

static bool is_text(const cJSON *json, const char *name, const char *wanted) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text && !strcmp(text, wanted);
}

static bool take_text(const cJSON *json, const char *name, char *out, size_t size) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text && *text && (size_t)snprintf(out, size, "%s", text) < size;
}

static bool take_time(const cJSON *json, const char *name, int64_t *out) {
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(json, name);
    if (!cJSON_IsNumber(number) || !(number->valuedouble >= 0 && number->valuedouble < 1e12))
        return false;
    *out = (int64_t)number->valuedouble;
    return true;
}

static vl_status refuse(vl_error *error, const char *why) {
    return vl_fail(error, VL_ERR_DENIED, "the token %s", why);
}

static vl_status read_claims(const vl_jwt_signer *s, const cJSON *json, int64_t now,
                             vl_jwt_claims *c, vl_error *error) {
    char user[24], *end;
    int64_t not_before;
    if (!is_text(json, "iss", s->issuer) || !is_text(json, "aud", s->audience))
        return refuse(error, "is of another issuer or for another audience");
    if (!take_time(json, "iat", &c->issued) || !take_time(json, "nbf", &not_before) ||
        !take_time(json, "exp", &c->expires))
        return refuse(error, "lacks a time");
    if (!take_text(json, "sub", user, sizeof user) ||
        !take_text(json, "role", c->role, sizeof c->role) ||
        !take_text(json, "fam", c->family, sizeof c->family) ||
        !take_text(json, "jti", c->id, sizeof c->id))
        return refuse(error, "lacks a claim");
    c->user = strtoll(user, &end, 10);
    if (*end || c->user <= 0)
        return refuse(error, "is of nobody");
    if (now >= c->expires)
        return refuse(error, "has expired");
    if (now + LEEWAY < not_before || now + LEEWAY < c->issued)
        return refuse(error, "is not good yet");
    return c->expires - c->issued > LONGEST ? refuse(error, "claims to live too long") : VL_OK;
}

vl_status vl_jwt_check(const vl_jwt_signer *s, const char *token, int64_t now,
                       vl_jwt_claims *claims, vl_error *error) {
    uint8_t signature[96], payload[VL_JWT_SIZE];
    size_t head = strlen(s->header), bytes, count, length = strnlen(token, VL_JWT_SIZE);
    *claims = (vl_jwt_claims){0};
    if (length >= VL_JWT_SIZE)
        return refuse(error, "is too long");
    /* Ours all have this very header; what another one says is not even read. */
    if (strncmp(token, s->header, head) != 0 || token[head] != '.')
        return refuse(error, "has another header");
    const char *body = token + head + 1, *dot = strchr(body, '.');
    size_t rest = dot ? strlen(dot + 1) : 0;
    if (!dot || rest > 2 * SIGNATURE_MAX ||
        !vl_base64_decode(dot + 1, rest, true, signature, &bytes))
        return refuse(error, "has no signature");
    if (!is_signed(s, token, (size_t)(dot - token), signature, bytes))
        return refuse(error, "has a wrong signature");
    if (!vl_base64_decode(body, (size_t)(dot - body), true, payload, &count))
        return refuse(error, "is no base64url");
    cJSON *json = cJSON_ParseWithLength((const char *)payload, count);
    vl_status status = cJSON_IsObject(json) ? read_claims(s, json, now, claims, error)
                                            : refuse(error, "holds no JSON");
    cJSON_Delete(json);
    return status;
}
