/* tls.h — the certificate that connections are opened with, and its replacement while the
 * service runs (TLS 1.3, RFC 8446; 1.2, RFC 5246, with AEAD ciphers and ephemeral keys alone).
 *
 * A connection takes the certificate of the moment it was accepted and keeps it to its end, so
 * that one that is replaced disturbs nobody. Thread-safety: vl_tls_reload and vl_tls_take may
 * be called by any thread. */
#ifndef VISLANG_SERVE_TLS_H
#define VISLANG_SERVE_TLS_H

#include <vislang/base.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

typedef struct vl_tls vl_tls;
typedef struct vl_tls_pair vl_tls_pair; /* a certificate with its chain, and its key */

/* As the settings tls_certificate, tls_key and tls_min_version say; `*tls` is NULL when no
 * certificate is set. VL_ERR_USAGE: one is set without the other, or no such version;
 * VL_ERR_INPUT: what the files hold is no certificate, no key, or not of one pair. */
vl_status vl_tls_open(const vl_config *config, vl_tls **tls, vl_error *error);
void vl_tls_close(vl_tls *tls); /* when every pair was given back; NULL allowed */
/* Reads both files again. On failure the pair before stays in use. */
vl_status vl_tls_reload(vl_tls *tls, vl_error *error);
/* When the certificate of now ends, in Unix seconds. */
int64_t vl_tls_expires(vl_tls *tls);
/* What protocols and ciphers are offered, in GnuTLS' words. */
const char *vl_tls_priorities(const vl_tls *tls);

/* The pair of now, to be given back. */
vl_tls_pair *vl_tls_take(vl_tls *tls);
void vl_tls_give_back(vl_tls_pair *pair); /* NULL allowed */
/* From here on the session's handshake uses `pair` (NULL: it fails). */
void vl_tls_bind(gnutls_session_t session, vl_tls_pair *pair);
/* The library's certificate callback: what vl_tls_bind said. */
gnutls_certificate_retrieve_function2 vl_tls_retrieve;

/* All of it or nothing, without waiting for room; then the end of our half (close_notify). */
bool vl_tls_send_last(gnutls_session_t session, const void *bytes, size_t count);

#endif
