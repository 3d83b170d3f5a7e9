/* strict.c — what strict mode looks at. */
#include "serve/strict.h"

#include "serve/check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LEAST_BYTES = 32, LEAST_DISTINCT = 8 };

/* ---- secrets ------------------------------------------------------------------------- */

static bool holds_word(const char *secret) {
    static const char *const words[] = {"change",   "secret",   "password", "passw0rd",
                                        "default",  "example",  "your-",    "your_",
                                        "insecure", "letmein",  "qwerty",   "vislang",
                                        "replace",  "12345678", "deadbeef", "abcdef"};
    for (const char *p = secret; *p; p++)
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (!strncasecmp(p, words[i], strlen(words[i])))
                return true;
    return false;
}

static size_t distinct_bytes(const void *bytes, size_t length) {
    bool seen[256] = {false};
    size_t count = 0;
    for (const uint8_t *p = bytes; length--; p++) {
        count += !seen[*p];
        seen[*p] = true;
    }
    return count;
}

/* Also when it is base64 of few different bytes. */
static bool has_few(const char *secret, size_t length) {
    uint8_t bytes[1024];
    size_t count;
    bool is_base64 =
        length < sizeof bytes && vl_base64_decode(secret, length, false, bytes, &count);
    bool has = distinct_bytes(secret, length) < LEAST_DISTINCT ||
               (is_base64 && distinct_bytes(bytes, count) < LEAST_DISTINCT);
    explicit_bzero(bytes, sizeof bytes);
    return has;
}

/* A piece of at most half its length again and again. */
static bool repeats(const char *secret, size_t length) {
    for (size_t period = 1; period <= length / 2; period++)
        if (!memcmp(secret, secret + period, length - period))
            return true;
    return false;
}

static bool counts(const char *secret, size_t length) {
    size_t up = 0, down = 0;
    for (size_t i = 1; i < length; i++) {
        up += secret[i] == secret[i - 1] + 1;
        down += secret[i] == secret[i - 1] - 1;
    }
    return up * 2 > length || down * 2 > length;
}

const char *vl_secret_weakness(const char *secret) {
    size_t length = strlen(secret);
    if (length < LEAST_BYTES)
        return length ? "is shorter than 32 bytes" : "is not set";
    if (has_few(secret, length))
        return "has few different characters";
    if (repeats(secret, length))
        return "is one piece again and again";
    if (counts(secret, length))
        return "counts up or down";
    return holds_word(secret) ? "holds a word that people write where a secret should be"
                              : NULL;
}

/* ---- the check ----------------------------------------------------------------------- */

static void add_fault(vl_buf *faults, const char *name, const char *what) {
    vl_log(VL_LOG_ERROR, "refused by security_strict_mode", VL_F_STR("setting", name),
           VL_F_STR("reason", what));
    vl_buf_printf(faults, "%s%s %s", faults->len ? "; " : "", name, what);
}

static void check_secret(const vl_config *config, const char *name, bool needed,
                         vl_buf *faults) {
    const char *secret = vl_config_string(config, name);
    const char *weakness = *secret || needed ? vl_secret_weakness(secret) : NULL;
    if (weakness)
        add_fault(faults, name, weakness);
}

/* Each of the keys, one behind another. */
static void check_encryption_keys(const vl_config *config, vl_buf *faults) {
    char key[256];
    for (const char *p = vl_config_string(config, "encryption_key"); *(p += strspn(p, ", "));) {
        size_t length = strcspn(p, ", ");
        snprintf(key, sizeof key, "%.*s", (int)(length < 255 ? length : 255), p);
        const char *weakness = vl_secret_weakness(key);
        if (weakness)
            add_fault(faults, "encryption_key", weakness);
        p += length;
    }
    explicit_bzero(key, sizeof key);
}

vl_status vl_strict_check(const vl_config *config, bool is_local, vl_error *error) {
    vl_buf faults;
    vl_status status = VL_OK;
    if (!vl_config_bool(config, "security_strict_mode"))
        return VL_OK;
    vl_buf_init(&faults, 4096);
    check_secret(config, "secret_key", true, &faults);
    check_secret(config, "jwt_secret_key", false, &faults);
    check_encryption_keys(config, &faults);
    if (!strcmp(vl_config_string(config, "authentication"), "off"))
        add_fault(&faults, "authentication", "is off");
    if (!is_local && !*vl_config_string(config, "tls_certificate") &&
        !*vl_config_string(config, "trusted_proxies"))
        add_fault(&faults, "host",
                  "is public and speaks plain HTTP (set tls_certificate and tls_key, or "
                  "trusted_proxies when a proxy in front speaks TLS)");
    const char *origins = vl_config_string(config, "cors_origins");
    if (*origins && vl_check_host_listed(origins, "any.invalid", true))
        add_fault(&faults, "cors_origins", "allows every origin");
    if (faults.len)
        status = vl_fail(error, VL_ERR_USAGE, "security_strict_mode: %s", faults.data);
    vl_buf_deinit(&faults);
    return status;
}
