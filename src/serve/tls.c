/* tls.c — certificates read, checked, counted and handed to handshakes.
 *
 * There is no session resumption, hence no ticket keys to rotate; and no OCSP response is
 * stapled. */
#include "serve/tls.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { CHAIN_MAX = 16, FILE_MAX = 1 << 20, KEY_ID_MAX = 64 };

#define ONLY_13 "SECURE128:-VERS-ALL:+VERS-TLS1.3"
/* RFC 9325, section 4.2: of TLS 1.2 only what has forward secrecy and authenticated ciphers. */
#define WITH_12                                                                                \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"           \
    "-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD"

struct vl_tls_pair {
    atomic_size_t users; /* of them one is vl_tls, while it is the pair of now */
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned count;
    gnutls_privkey_t key;
    int64_t expires; /* Unix seconds */
};

struct vl_tls {
    char *certificate, *key;
    const char *priorities;
    pthread_mutex_t lock; /* of `now` */
    vl_tls_pair *now;
};

/* ---- a pair -------------------------------------------------------------------------- */

void vl_tls_give_back(vl_tls_pair *pair) {
    if (!pair || atomic_fetch_sub(&pair->users, 1) > 1)
        return;
    for (unsigned i = 0; i < pair->count; i++)
        gnutls_pcert_deinit(&pair->chain[i]);
    if (pair->key)
        gnutls_privkey_deinit(pair->key);
    free(pair);
}

static vl_status read_pem(const char *path, const char *what, vl_buf *text, vl_error *error) {
    if (vl_file_read(path, FILE_MAX, text, error))
        return vl_error_prefix(error, "%s", what);
    return text->len ? VL_OK : vl_fail(error, VL_ERR_INPUT, "%s: %s is empty", what, path);
}

static vl_status read_chain(vl_tls_pair *pair, const char *path, vl_error *error) {
    vl_buf text;
    vl_buf_init(&text, FILE_MAX + 1);
    vl_status status = read_pem(path, "tls_certificate", &text, error);
    if (!status) {
        const gnutls_datum_t data = {(unsigned char *)text.data, (unsigned)text.len};
        unsigned count = CHAIN_MAX;
        int code = gnutls_pcert_list_import_x509_raw(
            pair->chain, &count, &data, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);
        pair->count = code < 0 ? 0 : count;
        if (code < 0 || !count)
            status = vl_fail(error, VL_ERR_INPUT,
                             "tls_certificate: %s holds no certificate in PEM: %s", path,
                             gnutls_strerror(code));
    }
    vl_buf_deinit(&text);
    return status;
}

static vl_status read_key(vl_tls_pair *pair, const char *path, vl_error *error) {
    vl_buf text;
    vl_buf_init(&text, FILE_MAX + 1);
    vl_status status = read_pem(path, "tls_key", &text, error);
    if (!status) {
        const gnutls_datum_t data = {(unsigned char *)text.data, (unsigned)text.len};
        int code = gnutls_privkey_init(&pair->key);
        if (code >= 0)
            code =
                gnutls_privkey_import_x509_raw(pair->key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
        if (code < 0)
            status = vl_fail(error, VL_ERR_INPUT,
                             "tls_key: %s holds no private key in PEM, without a password: %s",
                             path, gnutls_strerror(code));
    }
    if (text.data)
        gnutls_memset(text.data, 0, text.cap);
    vl_buf_deinit(&text);
    return status;
}

/* Of the public half: the same for a key and the certificate made for it. */
static bool key_id(gnutls_pubkey_t key, unsigned char id[KEY_ID_MAX]) {
    size_t size = KEY_ID_MAX;
    memset(id, 0, KEY_ID_MAX);
    return !gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id, &size);
}

static vl_status check_pair(const vl_tls_pair *pair, const char *certificate, const char *key,
                            vl_error *error) {
    unsigned char theirs[KEY_ID_MAX], ours[KEY_ID_MAX];
    gnutls_pubkey_t public = NULL;
    bool known = !gnutls_pubkey_init(&public) &&
                 !gnutls_pubkey_import_privkey(public, pair->key, 0, 0) &&
                 key_id(public, ours) && key_id(pair->chain[0].pubkey, theirs);
    if (public)
        gnutls_pubkey_deinit(public);
    if (!known)
        return vl_fail(error, VL_ERR_INPUT, "tls_key: the kind of key in %s is not known", key);
    if (memcmp(theirs, ours, KEY_ID_MAX) != 0)
        return vl_fail(error, VL_ERR_INPUT,
                       "tls_key: the key in %s is not that of the certificate in %s", key,
                       certificate);
    return VL_OK;
}

/* Served all the same: clients may have been told to take it, and no answer is worse. */
static void read_dates(vl_tls_pair *pair, const char *path) {
    gnutls_x509_crt_t first = NULL;
    if (gnutls_pcert_export_x509(&pair->chain[0], &first))
        return;
    time_t now = time(NULL);
    pair->expires = gnutls_x509_crt_get_expiration_time(first);
    if (pair->expires < now)
        vl_log(VL_LOG_WARN, "the TLS certificate is past its time", VL_F_STR("file", path));
    if (gnutls_x509_crt_get_activation_time(first) > now)
        vl_log(VL_LOG_WARN, "the TLS certificate is before its time", VL_F_STR("file", path));
    gnutls_x509_crt_deinit(first);
}

static void warn_of_readers(const char *path) {
    struct stat info;
    if (!stat(path, &info) && info.st_mode & S_IROTH)
        vl_log(VL_LOG_WARN, "everybody on this machine may read the TLS key",
               VL_F_STR("file", path));
}

static vl_status read_pair(const char *certificate, const char *key, vl_tls_pair **out,
                           vl_error *error) {
    vl_tls_pair *pair = calloc(1, sizeof *pair);
    if (!pair)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the TLS certificate");
    atomic_init(&pair->users, 1);
    vl_status status = read_chain(pair, certificate, error);
    if (status || (status = read_key(pair, key, error)) ||
        (status = check_pair(pair, certificate, key, error))) {
        vl_tls_give_back(pair);
        return status;
    }
    read_dates(pair, certificate);
    warn_of_readers(key);
    *out = pair;
    return VL_OK;
}

/* ---- the pair of now ------------------------------------------------------------------ */

static vl_status read_version(const char *version, const char **priorities, vl_error *error) {
    bool known = !strcmp(version, "1.3") || !strcmp(version, "1.2");
    *priorities = strcmp(version, "1.2") ? ONLY_13 : WITH_12;
    return known ? VL_OK
                 : vl_fail(error, VL_ERR_USAGE, "tls_min_version '%s' is neither 1.3 nor 1.2",
                           version);
}

vl_status vl_tls_open(const vl_config *config, vl_tls **out, vl_error *error) {
    const char *certificate = vl_config_string(config, "tls_certificate");
    const char *key = vl_config_string(config, "tls_key"), *priorities;
    *out = NULL;
    vl_status status =
        read_version(vl_config_string(config, "tls_min_version"), &priorities, error);
    if (status || (!*certificate && !*key))
        return status;
    if (!*certificate || !*key)
        return vl_fail(error, VL_ERR_USAGE, "%s is set without %s",
                       *key ? "tls_key" : "tls_certificate",
                       *key ? "tls_certificate" : "tls_key");
    vl_tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for TLS");
    pthread_mutex_init(&tls->lock, NULL);
    tls->priorities = priorities;
    tls->certificate = strdup(certificate);
    tls->key = strdup(key);
    if (!tls->certificate || !tls->key)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for TLS");
    else
        status = read_pair(certificate, key, &tls->now, error);
    if (status)
        vl_tls_close(tls);
    else
        *out = tls;
    return status;
}

void vl_tls_close(vl_tls *tls) {
    if (!tls)
        return;
    vl_tls_give_back(tls->now);
    pthread_mutex_destroy(&tls->lock);
    free(tls->certificate);
    free(tls->key);
    free(tls);
}

vl_status vl_tls_reload(vl_tls *tls, vl_error *error) {
    vl_tls_pair *pair;
    vl_status status = read_pair(tls->certificate, tls->key, &pair, error);
    if (status)
        return status;
    pthread_mutex_lock(&tls->lock);
    vl_tls_pair *before = tls->now;
    tls->now = pair;
    pthread_mutex_unlock(&tls->lock);
    vl_tls_give_back(before);
    return VL_OK;
}

int64_t vl_tls_expires(vl_tls *tls) {
    pthread_mutex_lock(&tls->lock);
    int64_t expires = tls->now->expires;
    pthread_mutex_unlock(&tls->lock);
    return expires;
}

const char *vl_tls_priorities(const vl_tls *tls) {
    return tls->priorities;
}

vl_tls_pair *vl_tls_take(vl_tls *tls) {
    pthread_mutex_lock(&tls->lock);
    vl_tls_pair *pair = tls->now;
    atomic_fetch_add(&pair->users, 1);
    pthread_mutex_unlock(&tls->lock);
    return pair;
}

/* ---- a session ------------------------------------------------------------------------ */

void vl_tls_bind(gnutls_session_t session, vl_tls_pair *pair) {
    gnutls_session_set_ptr(session, pair);
}

int vl_tls_retrieve(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count,
                    const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                    gnutls_pcert_st **chain, unsigned *count, gnutls_privkey_t *key) {
    vl_tls_pair *pair = gnutls_session_get_ptr(session);
    (void)issuers;
    (void)issuer_count;
    (void)algorithms;
    (void)algorithm_count;
    if (!pair)
        return -1;
    *chain = pair->chain;
    *count = pair->count;
    *key = pair->key;
    return 0;
}

bool vl_tls_send_last(gnutls_session_t session, const void *bytes, size_t count) {
    const char *at = bytes;
    while (count) {
        ssize_t sent = gnutls_record_send(session, at, count);
        if (sent == GNUTLS_E_INTERRUPTED)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        count -= (size_t)sent;
    }
    return !gnutls_bye(session, GNUTLS_SHUT_WR);
}
