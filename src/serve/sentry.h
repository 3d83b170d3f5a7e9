/* sentry.h — error events sent to a service that speaks Sentry's protocol (setting sentry_dsn;
 * https://develop.sentry.dev/sdk/foundations/transport/envelopes/, …/rate-limiting/).
 *
 * An event says which of our sentences was about to be said, where in the source, on which
 * route, in which trace: all of it from this program. What was put into the sentence (names,
 * paths, texts), bodies, headers and addresses never leave. Events wait in a bounded queue for
 * a thread of their own; without room, past MAX_PER_MINUTE, or while the service has asked for
 * a pause they are dropped and counted, and a request never waits for them.
 *
 * Thread-safety: vl_sentry_capture and vl_sentry_count by any thread. */
#ifndef VISLANG_SERVE_SENTRY_H
#define VISLANG_SERVE_SENTRY_H

#include <vislang/base.h>

enum {
    VL_SENTRY_QUEUE_MAX = 64,
    VL_SENTRY_PER_MINUTE = 120,
    VL_SENTRY_URL_SIZE = 512,
    VL_SENTRY_KEY_SIZE = 129,
};

typedef enum vl_sentry_level {
    VL_SENTRY_WARNING,
    VL_SENTRY_ERROR,
    VL_SENTRY_FATAL,
} vl_sentry_level;

/* Strings are static but for `method`, which is copied. */
typedef struct vl_sentry_event {
    vl_sentry_level level;
    vl_status kind;
    const char *message; /* a format, without what fills it */
    const char *file;    /* of the source; NULL: not known */
    int line;
    char method[16];
    const char *route; /* NULL: of no request */
    unsigned status;
    char trace[VL_TRACE_ID_SIZE], span[VL_SPAN_ID_SIZE]; /* "" none */
} vl_sentry_event;

typedef struct vl_sentry vl_sentry;
/* `dsn` "": `*sentry` is NULL. VL_ERR_USAGE: it is none. */
vl_status vl_sentry_open(const char *dsn, const char *environment, vl_sentry **sentry,
                         vl_error *error);
/* Sends what waits, at most for `seconds`, then frees; NULL allowed. */
void vl_sentry_close(vl_sentry *sentry, double seconds);
/* Never waits and never fails; `sentry` NULL: nothing happens. */
void vl_sentry_capture(vl_sentry *sentry, const vl_sentry_event *event);
typedef struct vl_sentry_counts {
    uint64_t sent, failed, dropped; /* dropped: without room, too many, or asked to pause */
} vl_sentry_counts;
vl_sentry_counts vl_sentry_count(const vl_sentry *sentry);

/* ---- the protocol's parts, for tests ---------------------------------------------------- */

typedef struct vl_sentry_dsn {
    char url[VL_SENTRY_URL_SIZE]; /* where envelopes go */
    char key[VL_SENTRY_KEY_SIZE]; /* the public one */
} vl_sentry_dsn;
/* "https://KEY@HOST/PROJECT". The message of an error does not repeat it. */
vl_status vl_sentry_dsn_parse(const char *text, vl_sentry_dsn *dsn, vl_error *error);
/* How many seconds no error may be sent, from a header X-Sentry-Rate-Limits; 0: they may. */
double vl_sentry_limit_parse(const char *text, size_t bytes);
/* One envelope with one event. */
void vl_sentry_envelope(const vl_sentry_event *event, const char *environment, vl_buf *out);

#endif
