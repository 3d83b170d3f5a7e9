/* Tests of access tokens: published signatures, and every way that RFC 8725 knows to forge one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "serve/jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECRET "a secret of more than thirty-two bytes"

static vl_error error;

static vl_jwt_signer *signer_of(const char *algorithm, const char *secret) {
    vl_jwt_signer *signer;
    if (vl_jwt_signer_new(algorithm, secret, "vislang", "api", &signer, &error))
        fail_msg("%s", error.message);
    return signer;
}

/* RFC 8037, appendix A.4: Ed25519, the key of A.1. */
static void test_published_eddsa(void **state) {
    static const char input[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    vl_jwt_signer *s = signer_of("EdDSA", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    uint8_t signature[64];
    char text[VL_BASE64_SIZE(64)];
    size_t bytes;
    (void)state;
    assert_int_equal(vl_jws_sign(s, input, strlen(input), signature, &bytes, &error), VL_OK);
    vl_base64_encode(signature, bytes, true, text);
    assert_string_equal(text, "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
                              "hVsPt9g7sVvpAr_MuM0KAg");
    vl_jwt_signer_free(s);
}

/* RFC 4231, test case 6, whose key is long enough for us. */
static void test_published_hmac(void **state) {
    char key[132];
    static const char input[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    uint8_t signature[64];
    char hex[65];
    size_t bytes;
    (void)state;
    memset(key, 0xaa, 131);
    key[131] = '\0';
    vl_jwt_signer *s = signer_of("HS256", key);
    assert_int_equal(vl_jws_sign(s, input, strlen(input), signature, &bytes, &error), VL_OK);
    assert_int_equal(bytes, 32);
    for (size_t i = 0; i < bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", signature[i]);
    assert_string_equal(hex,
                        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    vl_jwt_signer_free(s);
}

static void test_there_and_back(void **state) {
    static const char *const algorithms[] = {"HS256", "EdDSA"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        vl_jwt_signer *s = signer_of(algorithms[i], "");
        vl_jwt_claims in = {.user = 42, .role = "operator", .family = "fam"}, out;
        char token[VL_JWT_SIZE], again[VL_JWT_SIZE];
        assert_int_equal(vl_jwt_issue(s, 900, &in, token, &error), VL_OK);
        assert_int_equal(vl_jwt_check(s, token, in.issued, &out, &error), VL_OK);
        assert_int_equal(out.user, 42);
        assert_string_equal(out.role, "operator");
        assert_string_equal(out.family, "fam");
        assert_string_equal(out.id, in.id);
        assert_int_equal(out.expires - out.issued, 900);
        assert_int_equal(vl_jwt_issue(s, 900, &in, again, &error), VL_OK);
        assert_string_not_equal(again, token); /* another jti */
        assert_int_equal(vl_jwt_check(s, token, out.expires - 1, &out, &error), VL_OK);
        assert_int_equal(vl_jwt_check(s, token, out.expires, &out, &error), VL_ERR_DENIED);
        assert_int_equal(vl_jwt_check(s, token, out.issued - 60, &out, &error), VL_ERR_DENIED);
        for (char *at = token; *at; at++) { /* any letter changed */
            char was = *at;
            *at = was == 'A' ? 'B' : 'A';
            assert_int_equal(vl_jwt_check(s, token, in.issued, &out, &error), VL_ERR_DENIED);
            *at = was;
        }
        for (size_t cut = 0; cut < strlen(again); cut++) {
            char part[VL_JWT_SIZE];
            snprintf(part, sizeof part, "%.*s", (int)cut, again);
            assert_int_equal(vl_jwt_check(s, part, in.issued, &out, &error), VL_ERR_DENIED);
        }
        vl_jwt_signer_free(s);
    }
}

/* A token made by hand with the right key, so that only its claims can be refused. */
static void make(const vl_jwt_signer *s, const char *header, const char *payload, bool with,
                 char token[2048]) {
    uint8_t signature[64];
    size_t bytes;
    vl_base64_encode(header, strlen(header), true, token);
    strcat(token, ".");
    vl_base64_encode(payload, strlen(payload), true, token + strlen(token));
    assert_int_equal(vl_jws_sign(s, token, strlen(token), signature, &bytes, &error), VL_OK);
    strcat(token, ".");
    if (with)
        vl_base64_encode(signature, bytes, true, token + strlen(token));
}

#define HEAD "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CLAIMS(iss, aud, sub, iat, nbf, exp)                                                   \
    "{\"iss\":" iss ",\"aud\":" aud ",\"sub\":" sub ",\"role\":\"admin\",\"fam\":\"f\","       \
    "\"iat\":" iat ",\"nbf\":" nbf ",\"exp\":" exp ",\"jti\":\"j\"}"

static void test_forged(void **state) {
    static const struct {
        const char *what, *header, *payload;
        bool with_signature, good;
    } rows[] = {
        {"a good one", HEAD, CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1000", "1000", "1900"),
         true, true},
        {"no signature", HEAD,
         CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1000", "1000", "1900"), false, false},
        {"alg none", "{\"alg\":\"none\",\"typ\":\"JWT\"}",
         CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1000", "1000", "1900"), false, false},
        {"alg none, signed", "{\"alg\":\"none\",\"typ\":\"JWT\"}",
         CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1000", "1000", "1900"), true, false},
        {"another algorithm", "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}",
         CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1000", "1000", "1900"), true, false},
        {"its own key", "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"jwk\":{}}",
         CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1000", "1000", "1900"), true, false},
        {"crit", "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"crit\":[\"x\"]}",
         CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1000", "1000", "1900"), true, false},
        {"issuer", HEAD, CLAIMS("\"other\"", "\"api\"", "\"7\"", "1000", "1000", "1900"), true,
         false},
        {"issuer is no text", HEAD, CLAIMS("1", "\"api\"", "\"7\"", "1000", "1000", "1900"),
         true, false},
        {"audience", HEAD, CLAIMS("\"vislang\"", "\"web\"", "\"7\"", "1000", "1000", "1900"),
         true, false},
        {"audiences", HEAD, CLAIMS("\"vislang\"", "[\"api\"]", "\"7\"", "1000", "1000", "1900"),
         true, false},
        {"nobody", HEAD, CLAIMS("\"vislang\"", "\"api\"", "\"0\"", "1000", "1000", "1900"),
         true, false},
        {"a name", HEAD, CLAIMS("\"vislang\"", "\"api\"", "\"7x\"", "1000", "1000", "1900"),
         true, false},
        {"a number", HEAD, CLAIMS("\"vislang\"", "\"api\"", "7", "1000", "1000", "1900"), true,
         false},
        {"expired", HEAD, CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "100", "100", "1000"), true,
         false},
        {"no end", HEAD, CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1000", "1000", "null"),
         true, false},
        {"an end of text", HEAD,
         CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1000", "1000", "\"1900\""), true, false},
        {"an endless one", HEAD,
         CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1000", "1000", "99999999"), true, false},
        {"not yet", HEAD, CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1000", "1500", "1900"),
         true, false},
        {"issued later", HEAD,
         CLAIMS("\"vislang\"", "\"api\"", "\"7\"", "1500", "1000", "1900"), true, false},
        {"no claims", HEAD, "{}", true, false},
        {"no object", HEAD, "[]", true, false},
        {"no JSON", HEAD, "iss", true, false},
    };
    vl_jwt_signer *s = signer_of("HS256", SECRET);
    char token[2048];
    vl_jwt_claims claims;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make(s, rows[i].header, rows[i].payload, rows[i].with_signature, token);
        vl_status status = vl_jwt_check(s, token, 1200, &claims, &error);
        if (status != (rows[i].good ? VL_OK : VL_ERR_DENIED))
            fail_msg("%s: %s", rows[i].what, vl_status_name(status));
    }
    strcat(token, ".more");
    assert_int_equal(vl_jwt_check(s, token, 1200, &claims, &error), VL_ERR_DENIED);
    char *huge = calloc(1, 1 << 20);
    memset(huge, 'A', (1 << 20) - 1);
    assert_int_equal(vl_jwt_check(s, huge, 1200, &claims, &error), VL_ERR_DENIED);
    free(huge);
    /* Signed by another secret. */
    vl_jwt_signer *other = signer_of("HS256", SECRET "!");
    make(other, rows[0].header, rows[0].payload, true, token);
    assert_int_equal(vl_jwt_check(s, token, 1200, &claims, &error), VL_ERR_DENIED);
    vl_jwt_signer_free(other);
    vl_jwt_signer_free(s);
}

static void test_weak_secrets(void **state) {
    static const char *const rows[][2] = {
        {"HS256", "secret"},
        {"HS256", "0123456789012345678901234567890"}, /* 31 */
        {"EdDSA", "0123456789012345678901234567890123456789"},
        {"none", SECRET},
        {"RS256", SECRET},
        {"hs256", SECRET},
    };
    vl_jwt_signer *signer;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(vl_jwt_signer_new(rows[i][0], rows[i][1], "i", "a", &signer, &error),
                         VL_ERR_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_eddsa), cmocka_unit_test(test_published_hmac),
        cmocka_unit_test(test_there_and_back),  cmocka_unit_test(test_forged),
        cmocka_unit_test(test_weak_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
