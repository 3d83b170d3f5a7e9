/* service.h — the inside of the HTTP service: server, request, route, and who may touch what.
 *
 * A request's way through the files: server.c takes the connection, intake.c checks it and
 * receives its body, routes.c says what it asks for, handlers.c answers from what is known,
 * work.c has a worker answer it, respond.c sends what was decided.
 *
 * Threads: the event thread (libmicrohttpd) owns every request; while a request waits for a
 * worker its connection is suspended and only work.c touches it, under `work_lock`. The keeper
 * thread cuts slow connections off and gives up on requests past their time. */
#ifndef VISLANG_SERVE_SERVICE_H
#define VISLANG_SERVE_SERVICE_H

#include "serve/cache.h"
#include "serve/check.h"
#include "serve/errand.h"
#include "serve/health.h"
#include "serve/identity.h"
#include "serve/jobs.h"
#include "serve/limits.h"
#include "serve/metrics.h"
#include "serve/multipart.h"
#include "serve/sentry.h"
#include "serve/privacy.h"
#include "serve/tls.h"
#include "serve/upload.h"

#include "harvest/fetch.h"

#include <vislang/answer.h>
#include <vislang/serve.h>
#include <vislang/store.h>

#include <microhttpd.h>
#include <pthread.h>

struct cJSON;
typedef struct vl_request vl_request;
typedef struct vl_route vl_route;
typedef struct vl_flight vl_flight;
typedef struct vl_batch vl_batch;

enum {
    VL_INSTRUCTION_MAX = 4096,
    VL_LANGUAGES_MAX = 256,
    VL_FILENAME_MAX = 256,
    VL_SMALL_FIELD_MAX = 32,
    VL_SOURCE_MAX = 63,
    VL_JSON_BODY_MAX = 8 << 20,
    VL_SMALL_BODY_MAX = 64 << 10,
    VL_FORM_OVERHEAD_MAX = 64 << 10, /* of a form beside its file */
};

/* ---- settings, read once ---------------------------------------------------------- */

typedef struct vl_serve_settings {
    char host[256];
    uint16_t port;
    size_t workers, max_in_work;
    size_t max_upload;
    double request_seconds; /* 0: no limit */
    unsigned idle_seconds;
    unsigned max_connections, max_connections_per_ip;
    size_t cache_bytes;
    double cache_seconds;
    char allowed_hosts[1024], cors_origins[1024], fetch_hosts[1024];
    vl_fetch_rules fetch; /* its hosts are fetch_hosts, its bytes max_upload */
    bool log_requests;
    bool monitoring;
    uint16_t monitor_port; /* 0: metrics are a route like others */
    char environment[64];
    vl_jobs_mode jobs;
    size_t batch_items;       /* most of a batch */
    vl_answer_options answer; /* its strings point into the configuration */
} vl_serve_settings;
vl_status vl_serve_settings_read(const vl_config *config, vl_serve_settings *settings,
                                 vl_error *error);

/* ---- connection ------------------------------------------------------------------- */

typedef struct vl_link { /* one open connection, in the server's list */
    struct vl_link *next, *previous;
    int fd;
    gnutls_session_t session; /* NULL: plain HTTP */
    vl_tls_pair *pair;        /* of the session, until the connection ends */
    vl_address peer;          /* who connected: a client, or a proxy */
    /* When the keeper may cut it off (0: never). It grows with the bytes that arrive. */
    atomic_int_fast64_t deadline_ns;
} vl_link;
/* Whether the other side has closed it. */
bool vl_link_is_gone(const vl_link *link);

/* ---- request ---------------------------------------------------------------------- */

typedef enum vl_request_state {
    VL_REQUEST_NEW,       /* the request line has been read */
    VL_REQUEST_RECEIVING, /* the body arrives */
    VL_REQUEST_REFUSED,   /* answered already; what still arrives is thrown away */
    VL_REQUEST_WAITING,   /* with a worker or on an errand, connection suspended */
    VL_REQUEST_DECIDED,   /* the outcome is known, the response is to be queued */
    VL_REQUEST_SENT,      /* queued */
} vl_request_state;

/* A body that is made while it is sent. */
typedef struct vl_stream {
    const char *type; /* media type, static; NULL: there is none */
    MHD_ContentReaderCallback read;
    void (*free)(void *self);
    void *self; /* owned */
} vl_stream;

/* What to say: a body, or why there is none. */
typedef struct vl_outcome {
    unsigned status;
    vl_blob *blob;      /* owned; NULL: a problem document is made from `detail` */
    char detail[512];   /* of a problem */
    const char *format; /* of `detail`, static; NULL: none */
    vl_status kind;     /* VL_OK: of no failure */
    const char *file;   /* where in the source the failure was, static; NULL: of none */
    int line;
    const char *cache_state;                   /* "hit", "miss", NULL */
    const char *etag, *cache_control, *policy; /* static or the server's; NULL: none */
    char object[VL_OBJECT_ID_SIZE];            /* X-Object-Id: what was kept; "" nothing */
    const char *challenge;                     /* WWW-Authenticate, static; NULL: none */
    unsigned retry_after;
    char location[96]; /* "": none */
    vl_stream stream;  /* instead of a blob */
} vl_outcome;

typedef enum vl_form_field { /* of the part that is arriving */
                             VL_FORM_NONE,
                             VL_FORM_FILE,
                             VL_FORM_INSTRUCTION,
                             VL_FORM_LANGUAGES,
                             VL_FORM_PICTURES,
                             VL_FORM_FORMAT,
                             VL_FORM_QUESTION,
                             VL_FORM_STATEMENT,
                             VL_FORM_LANGUAGE,
                             VL_FORM_SET,
                             VL_FORM_TEXT, /* may stand in for the file */
                             VL_FORM_K,
                             VL_FORM_EXPLAIN,
                             VL_FORM_SOURCE,
                             VL_FORM_REDACT,
                             VL_FORM_MODEL,
                             VL_FORM_STREAM,
                             VL_FORM_KEEP,
                             VL_FORM_CONSENT,
                             VL_FORM_SUBJECT,
                             VL_FORM_TASK, /* of a batch */
                             VL_FORM_FIELD_COUNT,
} vl_form_field;

struct vl_form { /* what a client asks to be done with a file */
    vl_upload upload;
    bool has_file;
    bool seen[VL_FORM_FIELD_COUNT];
    char filename[VL_FILENAME_MAX];
    vl_buf text[VL_FORM_FIELD_COUNT]; /* every field but the file */
    vl_buf json;                      /* the whole body of a route that takes VL_BODY_JSON */
    vl_batch *batch;                  /* of a route that takes many files; else NULL */
    char *url;                        /* where the file is to be fetched from; NULL: it came */
};

struct vl_request {
    struct vl_server *server;
    struct MHD_Connection *connection;
    vl_link *link;
    const vl_route *route; /* NULL: none matched */
    vl_request_state state;
    int64_t start_ns, waiting_ns;
    char id[65];
    vl_trace trace;
    bool was_traced; /* the client sent a traceparent header */
    char method[16];
    char *target; /* as received */
    const char *target_at;
    char path[VL_PATH_MAX];
    vl_framing framing;
    vl_caller caller;
    vl_address client;    /* behind the proxies that are trusted */
    vl_limit_state limit; /* of the bucket with the least left, if any was taken from */
    bool is_limited;
    bool unadmitted;   /* on the errand that finds out who calls */
    bool body_follows; /* as the library sees it, also when the framing is refused */
    bool
        suspended; /* a worker may be deciding it; only the event thread reads or writes this */
    bool must_close, final;
    const char *origin; /* allowed by CORS: echo it */
    uint64_t body_bytes;
    unsigned status; /* sent; 0: none yet */
    size_t sent_bytes;
    vl_outcome outcome;
    vl_form *form;
    vl_multipart *parser;
    vl_form_field field;
    unsigned field_status; /* HTTP status for what a form callback refused, 0: 400 */
    vl_buf json;
    vl_keeper_note keep;
    vl_flight *flight; /* it waits for; under work_lock */
    vl_request *next_waiter;
};

/* ---- server ----------------------------------------------------------------------- */

typedef struct vl_worker { /* one per pool thread; only that thread touches it */
    vl_answerer *answerer;
    vl_ocr *ocr;
    vl_seer_session *session;
} vl_worker;

typedef struct vl_index vl_index;
typedef struct vl_reviewing vl_reviewing;
typedef struct vl_monitor vl_monitor;

struct vl_server {
    vl_serve_settings settings;
    struct MHD_Daemon *daemon;
    vl_tls *tls; /* NULL: plain HTTP */
    int listen_fd;
    uint16_t port;
    int64_t start_ns;
    atomic_bool draining, stopping;
    atomic_uint_fast64_t next_id;
    atomic_uint_fast64_t spooled; /* bytes of uploads beyond memory */
    atomic_uint_fast64_t taught;  /* corrections taken: what was read before is no answer now */
    vl_metrics metrics;
    vl_store store;
    vl_errands *errands;
    vl_retention retention;
    vl_identity *identity;
    vl_limits *limits;
    struct vl_trail *trail;
    struct vl_alignment *alignment; /* NULL: of a review */
    vl_health *health;
    vl_sentry *sentry;   /* NULL: error events are not sent */
    vl_monitor *monitor; /* NULL: metrics have no port of their own */
    vl_cache *cache;
    vl_pool *pool;
    vl_worker *workers;
    vl_jobs *jobs;
    vl_seer *seer;           /* NULL: photographs are not described */
    vl_index *index;         /* of retrieve.c; NULL: none is configured */
    vl_reviewing *reviewing; /* NULL: this is the whole service, else only a review */
    pthread_mutex_t work_lock;
    vl_flight *flights; /* in work or queued; under work_lock */
    size_t flight_count;
    pthread_mutex_t links_lock;
    vl_link *links;
    pthread_t keeper;
    bool keeper_runs;
    vl_blob *openapi, *models;
    char openapi_etag[24];
    vl_ocr_engines *engines;
    vl_ocr_record *record;   /* NULL: the setting ocr_record is none */
    atomic_bool tends;       /* an errand looks after it */
    struct cJSON *ocr_packs; /* array of names */
    bool ocr_ready;
    char ocr_trouble[256]; /* why it is not */
    char version_tag[192]; /* of programs, engine and model, part of every cache key */
};

/* ---- routes.c --------------------------------------------------------------------- */

typedef enum vl_body_kind {
    VL_BODY_NONE,
    VL_BODY_FORM,         /* multipart/form-data */
    VL_BODY_FORM_OR_JSON, /* or application/json */
    VL_BODY_JSON,         /* application/json, as it is */
    VL_BODY_SMALL_JSON,   /* the same, at most VL_SMALL_BODY_MAX */
} vl_body_kind;

struct vl_route {
    /* A path that ends in "/" matches what lies below it; "{id}" matches one segment. */
    const char *method, *path;
    const char *id, *summary;
    vl_body_kind body;
    unsigned fields;      /* bit 1 << vl_form_field: which fields the form may have */
    const char *produces; /* media type of the 200 answer; NULL: several */
    const char *schema;   /* of the 200 answer, in schemas.json; NULL: not JSON */
    const char *takes;    /* schema of a VL_BODY_JSON */
    /* Answers at once (no body), or starts the work; fills request->outcome or leaves the
     * request waiting. */
    void (*handle)(vl_request *request);
    vl_access access; /* who may call it */
};
typedef struct vl_route_more {
    const char *query; /* names of its parameters, with blanks; NULL: none */
    unsigned status;   /* of success */
    bool many;         /* several files make a batch */
} vl_route_more;
const vl_route_more *vl_route_more_of(const vl_route *route);
extern const vl_route vl_routes[];
extern const size_t vl_route_count;
/* What a path that this version does not answer yet will be, and which version brings it; NULL:
 * it is not planned. */
const char *vl_route_planned(const char *path);
/* The route, or NULL with `*allow` ("GET, HEAD") when the path is known under other methods,
 * "" when it is not. */
const vl_route *vl_route_find(const char *method, const char *path, char allow[64]);
/* The segment of the request's path where its route has "{name}". False: it has none, or it
 * does not fit. */
bool vl_route_segment(const vl_request *request, const char *name, char *out, size_t size);
/* The same as a number, 1 or more. */
bool vl_route_id(const vl_request *request, const char *name, int64_t *id);
/* The same among others than those of the table above. */
const vl_route *vl_route_find_among(const vl_route *routes, size_t count, const char *method,
                                    const char *path, char allow[64]);
size_t vl_route_index(const vl_route *route); /* NULL: the last metrics slot in use */
const char *vl_form_field_name(vl_form_field field);

/* ---- intake.c --------------------------------------------------------------------- */

void *vl_intake_begin(void *server, const char *target, struct MHD_Connection *connection);
enum MHD_Result vl_intake(void *server, struct MHD_Connection *connection, const char *url,
                          const char *method, const char *version, const char *data,
                          size_t *size, void **request);
void vl_request_free(vl_request *request);

/* ---- trace.c ---------------------------------------------------------------------- */

/* The caller's trace, or one of our own, and a span in it. */
void vl_request_trace(vl_request *request, const vl_header *headers, size_t count);

/* ---- form.c ----------------------------------------------------------------------- */

vl_status vl_form_new(vl_request *request, vl_error *error);
void vl_form_free(vl_server *server, vl_form *form);
/* "true" or "false", in JSON a boolean too. */
bool vl_form_is_switch(vl_form_field field);
/* One that came with no request, and is freed with no server. NULL: no memory. */
vl_form *vl_form_blank(size_t max_upload, vl_error *error);
/* A field of it. VL_ERR_INPUT: it may not hold this. */
vl_status vl_form_set(vl_form *form, vl_form_field field, const char *value, vl_error *error);
/* One piece of the body. On failure `*http` is the status to answer with. */
vl_status vl_form_feed(vl_request *request, const char *bytes, size_t count, unsigned *http,
                       vl_error *error);
/* All of the body is there; a file that it names by a URL is not. */
vl_status vl_form_finish(vl_request *request, unsigned *http, vl_error *error);
/* Fetches that file, on the thread of an errand. */
vl_status vl_form_fetch(vl_request *request, unsigned *http, vl_error *error);

/* ---- respond.c -------------------------------------------------------------------- */

unsigned vl_http_status(vl_status status);
void vl_decide_problem(vl_request *request, unsigned status, const char *format, ...)
    VL_PRINTF(3, 4);
/* The same of a failure: its message, and where it was. */
void vl_decide_failure(vl_request *request, unsigned status, const vl_error *error);
/* Takes the caller's reference of `blob` (NULL: no memory, becomes a 500). */
void vl_decide_blob(vl_request *request, unsigned status, vl_blob *blob);
void vl_decide_json(vl_request *request, struct cJSON *json);             /* deletes `json` */
void vl_decide_text(vl_request *request, const char *type, vl_buf *text); /* deinits `text` */
/* Queues what was decided, or writes it straight to the socket when a body is still coming
 * that nobody will read. MHD_NO: close. */
enum MHD_Result vl_respond(vl_request *request);
void vl_problem_write(unsigned status, const char *detail, const char *instance,
                      const char *request_id, vl_buf *out);
const char *vl_reason(unsigned status);

/* ---- work.c ----------------------------------------------------------------------- */

void vl_work_predict(vl_request *request);
void vl_work_ocr(vl_request *request);
void vl_work_corrections(vl_request *request);
void vl_work_caption(vl_request *request);
void vl_work_vqa(vl_request *request);
void vl_work_scene(vl_request *request);
void vl_work_retrieve(vl_request *request);
/* The media type of pages in that format; static. */
const char *vl_work_format_type(vl_ocr_format format);
/* Gives up on requests past their time (`all`: on every one). */
void vl_work_expire(vl_server *server, bool all);
/* For those who have a form and a worker's thread, and no request: what can be refused without
 * looking at the file, and the answer, from the cache or made. */
vl_status vl_work_check(const vl_server *server, const vl_route *route, const vl_form *form,
                        vl_error *error);
vl_status vl_work_answer(vl_server *server, size_t worker, const vl_route *route, vl_form *form,
                         vl_blob **blob, vl_error *error);
size_t vl_work_in_flight(vl_server *server);

/* ---- retrieve.c -------------------------------------------------------------------- */

/* Opens the index of the setting retrieve_index, if there is one and a model. VL_ERR_INPUT: it
 * is broken, or of another model. When the file is replaced, the next search is in the new one;
 * one that cannot be used is logged, and the one before stays in use. */
vl_status vl_retrieve_open(vl_server *server, const vl_config *config, vl_error *error);
void vl_retrieve_close(vl_server *server);
/* What the file of the index is now ("": none, or not there): answers are cached by it. */
enum { VL_RETRIEVE_TAG_SIZE = 96 };
void vl_retrieve_tag(const vl_server *server, char tag[VL_RETRIEVE_TAG_SIZE]);
typedef struct vl_retrieve_request {
    const char *text;     /* NULL: a picture */
    const char *language; /* of the text; NULL: not said */
    const void *bytes;
    size_t count;
    size_t most; /* results; 0: 10 */
} vl_retrieve_request;
/* The response into `text`, which the caller frees with cJSON_free. Thread-safe. */
vl_status vl_retrieve(const vl_server *server, vl_seer_session *session,
                      const vl_retrieve_request *request, char **text, vl_error *error);

/* ---- monitor.c -------------------------------------------------------------------- */

/* All metrics in Prometheus' text format, as they are now. Any thread. */
void vl_monitor_write(vl_server *server, vl_buf *out);
/* Serves GET /metrics on a port of its own, without asking who calls. */
vl_status vl_monitor_open(vl_server *server, vl_monitor **monitor, vl_error *error);
void vl_monitor_close(vl_monitor *monitor); /* NULL allowed */

/* ---- review.c --------------------------------------------------------------------- */

vl_status vl_reviewing_open(vl_server *server, struct vl_review *review,
                            const char *const *reviewers, size_t count, vl_error *error);
void vl_reviewing_free(vl_reviewing *reviewing); /* NULL allowed */
/* Instead of vl_identity_check: fills request->caller, or decides the request with 401. */
void vl_reviewing_admit(vl_request *request);
extern const vl_route vl_review_routes[];
extern const size_t vl_review_route_count;

/* ---- server.c --------------------------------------------------------------------- */

/* A listening socket on `host` ("" every interface); `port` 0 picks one. `*bound` is the port
 * it has. */
vl_status vl_listen(const char *host, uint16_t port, int *fd, uint16_t *bound, vl_error *error);

/* ---- handlers.c, health.c, stats.c, openapi.c ---
 * ----------------------------------------------------- */

void vl_handle_health(vl_request *request);
void vl_handle_health_detailed(vl_request *request);
void vl_handle_health_ocr(vl_request *request);
void vl_handle_ready(vl_request *request);
void vl_handle_metrics(vl_request *request);
void vl_handle_openapi(vl_request *request);
void vl_handle_models(vl_request *request);
void vl_handle_stats(vl_request *request);
void vl_handle_asset(vl_request *request);
/* Their state, and whether there is anything to read with; returns how many. Any thread. */
size_t vl_handlers_engines(const vl_server *server,
                           vl_ocr_engine_health health[VL_OCR_ENGINES_MAX]);
/* What the files of the page need. */
void vl_handlers_prepare_assets(void);
/* Among the routes that this server has. */
const vl_route *vl_server_route(const vl_server *server, const char *method, const char *path,
                                char allow[64]);
vl_status vl_handlers_prepare(vl_server *server, vl_error *error);
vl_blob *vl_openapi_make(const vl_server *server); /* NULL: no memory */
/* The schema of a field of the route's form, or of its JSON body. */
struct cJSON *vl_openapi_field(const vl_server *server, const vl_route *route,
                               vl_form_field field, bool as_json);

#endif
