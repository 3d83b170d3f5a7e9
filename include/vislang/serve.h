/* serve.h — the HTTP service and the browser page.
 *
 * One event thread (libmicrohttpd) takes requests in; a pool of workers answers them; past
 * `max_concurrent_requests` a request gets 503 with Retry-After. */
#ifndef VISLANG_SERVE_H
#define VISLANG_SERVE_H

#include <vislang/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vl_server vl_server;
/* Binds and starts. `config` must outlive the server. Keys used: host, port, workers,
 * max_upload_size, max_concurrent_requests, cache_size_mb, cache_ttl, …
 * (docs/configuration.md). */
vl_status vl_server_start(const vl_config *config, vl_server **server, vl_error *error);
/* The review of a dataset (docs/dataset.md), and nothing else: it needs no database and no
 * models. Who may call it is who shows the token of one of the `reviewers` (review_token), as
 * Authorization: Bearer. `review` outlives the server. */
struct vl_review;
vl_status vl_server_start_review(const vl_config *config, struct vl_review *review,
                                 const char *const *reviewers, size_t count, vl_server **server,
                                 vl_error *error);
uint16_t vl_server_port(const vl_server *server); /* the bound one (port 0 picks a free one) */
/* Reads again what may change while it runs, the TLS certificate: open connections go on, new
 * ones get the new one. On failure everything stays as it was. */
bool vl_server_can_reload(const vl_server *server);
vl_status vl_server_reload(vl_server *server, vl_error *error);
/* Refuses new connections, lets every accepted request finish (at most `max_seconds`), then
 * stops and frees. */
void vl_server_drain(vl_server *server, double max_seconds);

#ifdef __cplusplus
}
#endif
#endif
