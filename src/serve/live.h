/* live.h — an answer that is told while it is made, by server-sent events (WHATWG HTML, section
 * 9.2): `page` for each page that was read, and at the end `answer` or `problem`.
 *
 * A live answer is shared by the response that sends it, on the event thread, and by who makes
 * it; each lets go of it once. While there is nothing to send the connection sleeps. */
#ifndef VISLANG_SERVE_LIVE_H
#define VISLANG_SERVE_LIVE_H

#include "serve/service.h"

typedef struct vl_live vl_live;
/* NULL: no memory. */
vl_live *vl_live_new(const vl_request *request);
/* Decides the request: its response is the stream, with status 200. Called by its handler. */
void vl_live_send(vl_live *live, vl_request *request);
/* An event; `json` is one line. Nothing follows the last one. Any thread, as all below. */
void vl_live_tell(vl_live *live, const char *event, const char *json, size_t bytes, bool last);
/* A problem document (RFC 9457), the last event. */
void vl_live_fail(vl_live *live, unsigned status, const char *detail);
/* A comment when nothing was said for a while, so that proxies see that it lives. */
void vl_live_beat(vl_live *live);
/* Whether nobody listens any more. */
bool vl_live_is_gone(vl_live *live);
void vl_live_release(vl_live *live);

#endif
