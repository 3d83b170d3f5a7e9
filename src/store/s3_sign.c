/* s3_sign.c — AWS Signature Version 4: canonical request, string to sign, signing key. */
#include "store/s3.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { CANONICAL_MAX = 64 << 10 };

void s3_encode(const char *text, bool path, vl_buf *out) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~";
    for (; *text; text++)
        if (strchr(plain, *text) || (path && *text == '/'))
            vl_buf_append(out, text, 1);
        else
            vl_buf_printf(out, "%%%02X", (unsigned char)*text);
}

static bool mac(const void *key, size_t key_bytes, const char *text, uint8_t out[32]) {
    unsigned count = 0;
    return HMAC(EVP_sha256(), key, (int)key_bytes, (const uint8_t *)text, strlen(text), out,
                &count) != NULL;
}

static void put_header_names(const s3_signing *s, vl_buf *out) {
    for (size_t i = 0; i < s->header_count; i++)
        vl_buf_printf(out, "%s%s", i ? ";" : "", s->headers[i].name);
}

/* Task 1: the request as both sides write it. */
static void put_canonical(const s3_signing *s, vl_buf *out) {
    vl_buf_printf(out, "%s\n%s\n%s\n", s->method, s->path, s->query);
    for (size_t i = 0; i < s->header_count; i++)
        vl_buf_printf(out, "%s:%s\n", s->headers[i].name, s->headers[i].value);
    vl_buf_puts(out, "\n");
    put_header_names(s, out);
    vl_buf_printf(out, "\n%s", s->payload_sha256);
}

/* Task 3: a key for the day, the region and the service. */
static bool signing_key(const s3_signing *s, uint8_t key[32]) {
    char first[256], day[16];
    snprintf(day, sizeof day, "%.8s", s->time);
    int length = snprintf(first, sizeof first, "AWS4%s", s->secret_key);
    return length > 0 && length < (int)sizeof first && mac(first, (size_t)length, day, key) &&
           mac(key, 32, s->region, key) && mac(key, 32, "s3", key) &&
           mac(key, 32, "aws4_request", key);
}

vl_status s3_sign(const s3_signing *s, vl_buf *out, vl_error *error) {
    char digest[VL_SHA256_HEX_SIZE];
    uint8_t key[32], signature[32];
    vl_buf canonical, text;
    vl_buf_init(&canonical, CANONICAL_MAX);
    vl_buf_init(&text, CANONICAL_MAX);
    put_canonical(s, &canonical);
    vl_status status = vl_buf_status(&canonical, "a request to sign", error);
    if (!status) {
        vl_sha256_hex(canonical.data, canonical.len, digest);
        vl_buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/s3/aws4_request\n%s", s->time,
                      s->time, s->region, digest);
        status = vl_buf_status(&text, "a request to sign", error);
    }
    if (!status && (!signing_key(s, key) || !mac(key, 32, text.data, signature)))
        status = vl_fail(error, VL_ERR_INTERNAL, "HMAC-SHA256 is not to be had");
    if (!status) {
        vl_buf_printf(out,
                      "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/s3/aws4_request,SignedHeaders=",
                      s->access_key, s->time, s->region);
        put_header_names(s, out);
        vl_buf_puts(out, ",Signature=");
        for (size_t i = 0; i < sizeof signature; i++)
            vl_buf_printf(out, "%02x", signature[i]);
        status = vl_buf_status(out, "a signature", error);
    }
    vl_buf_deinit(&canonical);
    vl_buf_deinit(&text);
    return status;
}
