/* identity.c — a request's way past the door: what it shows, what is remembered of that, what
 * the database says, whether the route lets it in. */
#include "serve/identity.h"
#include "serve/errand.h"
#include "serve/jwt.h"
#include "serve/service.h"
#include "serve/strict.h"
#include "serve/trail.h"

#include <netinet/in.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

enum {
    SETS = 1024,
    WAYS = 4,
    TICK_SECONDS = 60,
    SALT_BYTES = 16,
    DERIVED_SIZE = VL_BASE64_SIZE(32),
};
static const int64_t FRESH_NS = 5000000000, STANDS_NS = 60000000000, /* of a verdict */
    SWEEP_NS = 3600000000000,
                     REST_NS =
                         2000000000; /* without asking, when the database cannot be reached */

typedef struct verdict {
    char digest[VL_SHA256_HEX_SIZE]; /* of what was shown, salted; "": free */
    vl_denial denial;
    vl_caller caller;
    int64_t checked_ns;
    int64_t expires; /* of the token or the key itself: seconds since 1970; 0: never */
} verdict;

typedef enum asking { ASK_AUTO, ASK_ALWAYS, ASK_NEVER } asking;

struct vl_identity {
    asking asking;
    bool is_local; /* only callers on this machine reach it */
    atomic_bool asks;
    atomic_bool ticking;
    atomic_int_fast64_t next_tick_ns, away_until_ns;
    vl_jwt_signer *signer;
    double session_seconds;
    int64_t swept_ns;
    uint8_t salt[SALT_BYTES];
    pthread_mutex_t lock; /* of the verdicts, and of: */
    uint64_t forgotten;   /* how often something was: what was asked before is not remembered */
    verdict verdicts[SETS][WAYS];
};

/* ---- names --------------------------------------------------------------------------- */

const char *vl_denial_name(vl_denial denial) {
    static const char *const names[VL_DENIAL_COUNT] = {
        "none", "missing", "malformed", "token",   "session", "key",
        "role", "address", "password",  "refresh", "reused"};
    return names[denial];
}

vl_role vl_access_role(vl_access access) {
    static const vl_role roles[] = {[VL_ACCESS_ADMIN] = VL_ROLE_ADMIN,
                                    [VL_ACCESS_OPERATOR] = VL_ROLE_OPERATOR,
                                    [VL_ACCESS_ANNOTATOR] = VL_ROLE_ANNOTATOR};
    return access <= VL_ACCESS_ANNOTATOR ? roles[access] : VL_ROLE_VIEWER;
}

void vl_caller_actor(const vl_caller *caller, char actor[VL_ACTOR_SIZE]) {
    switch (caller->kind) {
    case VL_CALLER_USER:
        snprintf(actor, VL_ACTOR_SIZE, "user:%s", caller->name);
        return;
    case VL_CALLER_KEY:
        snprintf(actor, VL_ACTOR_SIZE, "key:%s", caller->key_prefix);
        return;
    case VL_CALLER_ANONYMOUS:
        break;
    }
    snprintf(actor, VL_ACTOR_SIZE, "anonymous");
}

/* ---- what a request shows ------------------------------------------------------------ */

typedef struct credential {
    const char *text; /* NULL: none was shown */
    bool is_key, is_malformed;
} credential;

static credential credential_of(const vl_request *request) {
    const char *key = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                  "X-API-Key"),
               *authorization = MHD_lookup_connection_value(
                   request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    credential shown = {.text = key ? key : authorization, .is_key = key != NULL};
    if (!shown.text)
        return shown;
    if (!key && !strncasecmp(authorization, "Bearer ", 7)) {
        shown.text = authorization + 7 + strspn(authorization + 7, " ");
        shown.is_key = !strncmp(shown.text, "vl_", 3);
    } else if (!key || authorization) { /* another scheme, or two that may disagree */
        shown.is_malformed = true;
    }
    size_t length = strnlen(shown.text, VL_JWT_SIZE);
    shown.is_malformed =
        shown.is_malformed || !length || length >= VL_JWT_SIZE ||
        (shown.is_key && (strncmp(shown.text, "vl_", 3) != 0 || length >= VL_KEY_SIZE));
    return shown;
}

/* ---- what is remembered -------------------------------------------------------------- */

static void digest_of(const vl_identity *identity, const char *text,
                      char digest[VL_SHA256_HEX_SIZE]) {
    uint8_t bytes[SALT_BYTES + VL_JWT_SIZE];
    size_t length = strlen(text);
    memcpy(bytes, identity->salt, SALT_BYTES);
    memcpy(bytes + SALT_BYTES, text, length);
    vl_sha256_hex(bytes, SALT_BYTES + length, digest);
    explicit_bzero(bytes, sizeof bytes);
}

static verdict *set_of(vl_identity *identity, const char *digest) {
    char head[9];
    snprintf(head, sizeof head, "%.8s", digest);
    return identity->verdicts[strtoul(head, NULL, 16) % SETS];
}

static bool recall(vl_identity *identity, const char *digest, verdict *out) {
    bool known = false;
    pthread_mutex_lock(&identity->lock);
    const verdict *set = set_of(identity, digest);
    for (int i = 0; i < WAYS && !known; i++)
        if ((known = !strcmp(set[i].digest, digest)))
            *out = set[i];
    pthread_mutex_unlock(&identity->lock);
    return known;
}

static uint64_t times_forgotten(vl_identity *identity) {
    pthread_mutex_lock(&identity->lock);
    uint64_t forgotten = identity->forgotten;
    pthread_mutex_unlock(&identity->lock);
    return forgotten;
}

/* Unless something was forgotten since the database was asked: it may have been this. A flood
 * of refusals pushes out no one who was let in while there is a refusal to push out. */
static void remember(vl_identity *identity, const verdict *v, uint64_t forgotten) {
    pthread_mutex_lock(&identity->lock);
    if (identity->forgotten != forgotten) {
        pthread_mutex_unlock(&identity->lock);
        return;
    }
    verdict *set = set_of(identity, v->digest), *place = set;
    for (int i = 0; i < WAYS; i++) {
        if (!strcmp(set[i].digest, v->digest)) {
            place = &set[i];
            break;
        }
        bool is_refusal = set[i].denial != VL_DENIAL_NONE || !*set[i].digest,
             placed_refusal = place->denial != VL_DENIAL_NONE || !*place->digest;
        if (is_refusal != placed_refusal ? is_refusal : set[i].checked_ns < place->checked_ns)
            place = &set[i];
    }
    *place = *v;
    pthread_mutex_unlock(&identity->lock);
}

void vl_identity_forget(vl_identity *identity, const char *family, int64_t key, int64_t user) {
    pthread_mutex_lock(&identity->lock);
    identity->forgotten++;
    for (int s = 0; s < SETS; s++)
        for (int i = 0; i < WAYS; i++) {
            verdict *v = &identity->verdicts[s][i];
            bool is_meant = (family && !strcmp(v->caller.family, family)) ||
                            (key && v->caller.key == key) || (user && v->caller.user == user);
            if (*v->digest && is_meant)
                *v = (verdict){0};
        }
    pthread_mutex_unlock(&identity->lock);
}

/* ---- what the database says ---------------------------------------------------------- */

static void take_user(const vl_user *user, verdict *v) {
    v->caller.user = user->id;
    snprintf(v->caller.name, sizeof v->caller.name, "%s", user->name);
}

static vl_status ask_key(vl_server *server, const char *text, verdict *v, vl_error *error) {
    vl_key key;
    vl_status status = vl_key_check(server->store.db, text, &key, &v->caller.role, error);
    if (status)
        return status;
    take_user(&key.user, v);
    v->caller.kind = VL_CALLER_KEY;
    v->caller.key = key.id;
    snprintf(v->caller.key_prefix, sizeof v->caller.key_prefix, "%s", key.prefix);
    v->expires = key.expires_ms / 1000;
    return VL_OK;
}

static vl_status ask_session(vl_server *server, const char *text, verdict *v, vl_error *error) {
    vl_jwt_claims claims;
    vl_user user;
    v->denial = VL_DENIAL_TOKEN;
    vl_status status =
        vl_jwt_check(server->identity->signer, text, (int64_t)time(NULL), &claims, error);
    if (status)
        return status;
    v->denial = VL_DENIAL_SESSION;
    status = vl_session_check(server->store.db, claims.family, &user, error);
    if (!status && user.id != claims.user)
        status = vl_fail(error, VL_ERR_DENIED, "the session is of another user");
    if (status)
        return status;
    take_user(&user, v);
    v->caller.kind = VL_CALLER_USER;
    v->caller.role = user.role;
    v->expires = claims.expires;
    snprintf(v->caller.family, sizeof v->caller.family, "%s", claims.family);
    return VL_OK;
}

/* VL_OK when the database said yes or no. */
static vl_status ask(vl_server *server, const credential *shown, const char *digest, verdict *v,
                     vl_error *error) {
    vl_identity *identity = server->identity;
    *v = (verdict){.denial = VL_DENIAL_KEY, .checked_ns = vl_clock_ns()};
    memcpy(v->digest, digest, sizeof v->digest);
    if (v->checked_ns < atomic_load(&identity->away_until_ns))
        return vl_fail(error, VL_ERR_MISSING, "the database did not answer a moment ago");
    uint64_t forgotten = times_forgotten(identity);
    vl_status status = shown->is_key ? ask_key(server, shown->text, v, error)
                                     : ask_session(server, shown->text, v, error);
    if (status && status != VL_ERR_DENIED) {
        /* A database that answers, if not as it should, may answer the next caller. */
        if (status == VL_ERR_MISSING)
            atomic_store(&identity->away_until_ns, vl_clock_ns() + REST_NS);
        vl_log(VL_LOG_WARN, "callers cannot be checked", VL_F_STR("reason", error->message));
        return status;
    }
    if (!status)
        v->denial = VL_DENIAL_NONE;
    remember(identity, v, forgotten);
    return VL_OK;
}

/* ---- refusing ------------------------------------------------------------------------ */

static void refuse(vl_request *request, vl_denial denial) {
    vl_trail_refused(request, denial, request->caller.name);
    if (denial == VL_DENIAL_ROLE) {
        vl_decide_problem(request, 403, "This is for the role %s; you are %s.",
                          vl_role_name(vl_access_role(request->route->access)),
                          vl_role_name(request->caller.role));
        return;
    }
    bool missing = denial == VL_DENIAL_MISSING;
    request->outcome.challenge = missing ? "Bearer realm=\"vislang\""
                                         : "Bearer realm=\"vislang\", error=\"invalid_token\"";
    vl_decide_problem(request, 401, "%s",
                      missing ? "Say who you are: Authorization: Bearer with a token of POST "
                                "/auth/token, or X-API-Key."
                              : "The token or key is not good, or not any more.");
}

static void admit(vl_request *request, const vl_caller *caller) {
    request->caller = *caller;
    if (caller->role < vl_access_role(request->route->access))
        refuse(request, VL_DENIAL_ROLE);
}

static void admit_verdict(vl_request *request, const verdict *v) {
    if (v->denial)
        refuse(request, v->denial);
    else if (v->expires && v->expires <= (int64_t)time(NULL))
        refuse(request, v->caller.kind == VL_CALLER_KEY ? VL_DENIAL_KEY : VL_DENIAL_TOKEN);
    else
        admit(request, &v->caller);
}

/* ---- the check ----------------------------------------------------------------------- */

/* May wait for the database. What it said a minute ago stands while it is away. */
static void admit_asked(vl_request *request, const credential *shown, const char *digest,
                        const verdict *before) {
    verdict now;
    vl_error error;
    if (!ask(request->server, shown, digest, &now, &error)) {
        admit_verdict(request, &now);
    } else if (before && vl_clock_ns() - before->checked_ns < STANDS_NS) {
        admit_verdict(request, before);
    } else {
        request->outcome.retry_after = 5;
        vl_decide_problem(request, 503, "It cannot be checked now who you are.");
    }
}

/* Prometheus on the same machine asks itself; a proxy on it asks for others, and says so. */
static bool is_local_scrape(const vl_request *request) {
    static const char *const of_proxies[] = {"X-Forwarded-For", "Forwarded", "X-Real-IP",
                                             "Via"};
    if (request->route->access != VL_ACCESS_METRICS || !request->link ||
        !vl_address_is_loopback(&request->link->peer))
        return false;
    for (size_t i = 0; i < sizeof of_proxies / sizeof *of_proxies; i++)
        if (MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, of_proxies[i]))
            return false;
    return true;
}

static void check_anonymous(vl_request *request) {
    bool asked = vl_identity_asks(request->server->identity);
    vl_caller nobody = {.role = VL_ROLE_OPERATOR};
    bool lets_in = !asked && request->route->access != VL_ACCESS_ADMIN;
    if (lets_in || is_local_scrape(request))
        request->caller = nobody;
    else
        refuse(request, VL_DENIAL_MISSING);
}

/* `fresh`: what is remembered; NULL: nothing is, and the database may be asked, or nothing was
 * shown that it could be asked about. */
static void identify(vl_request *request, const credential *shown, const char *digest,
                     const verdict *fresh) {
    verdict before;
    if (!shown->text) {
        check_anonymous(request);
    } else if (shown->is_malformed) {
        refuse(request, VL_DENIAL_MALFORMED);
    } else if (fresh) {
        admit_verdict(request, fresh);
    } else {
        bool known = recall(request->server->identity, digest, &before);
        admit_asked(request, shown, digest, known ? &before : NULL);
    }
}

/* Who calls, when that is remembered and lets him in; else NULL. */
static const vl_caller *caller_of(const vl_request *request, const credential *shown,
                                  const verdict *fresh) {
    bool is_good = shown->text && !shown->is_malformed && fresh && !fresh->denial &&
                   (!fresh->expires || fresh->expires > (int64_t)time(NULL)) &&
                   fresh->caller.role >= vl_access_role(request->route->access);
    return is_good ? &fresh->caller : NULL;
}

static void check(vl_request *request, const credential *shown, const char *digest,
                  const verdict *fresh, bool may_wait) {
    const vl_caller *known = caller_of(request, shown, fresh);
    if (!vl_limits_arrive(request, known, may_wait) ||
        request->route->access >= VL_ACCESS_ANYONE)
        return;
    identify(request, shown, digest, fresh);
    if (request->state == VL_REQUEST_RECEIVING && !known)
        vl_limits_caller(request, may_wait);
}

/* What is remembered of it and is fresh still. */
static bool recall_fresh(vl_identity *identity, const char *digest, verdict *v) {
    return recall(identity, digest, v) && vl_clock_ns() - v->checked_ns < FRESH_NS;
}

static void check_on_errand(vl_request *request) {
    char digest[VL_SHA256_HEX_SIZE] = "";
    credential shown = {0};
    verdict v;
    bool knows = false;
    if (request->route->access < VL_ACCESS_ANYONE)
        shown = credential_of(request);
    if (shown.text && !shown.is_malformed) {
        digest_of(request->server->identity, shown.text, digest);
        knows = recall_fresh(request->server->identity, digest, &v);
    }
    request->state = VL_REQUEST_RECEIVING;
    check(request, &shown, digest, knows ? &v : NULL, true);
}

void vl_identity_check(vl_request *request) {
    vl_access access = request->route->access;
    char digest[VL_SHA256_HEX_SIZE] = "";
    verdict v;
    credential shown = {0};
    bool knows = false, asks = false;
    if (access == VL_ACCESS_OPEN)
        return;
    if (access < VL_ACCESS_ANYONE)
        shown = credential_of(request);
    if (shown.text && !shown.is_malformed) {
        digest_of(request->server->identity, shown.text, digest);
        knows = recall_fresh(request->server->identity, digest, &v);
        asks = !knows;
    }
    const verdict *fresh = knows ? &v : NULL;
    if (vl_limits_deny(request, caller_of(request, &shown, fresh)))
        return;
    if (asks || vl_limits_wait(request))
        vl_errand_start(request, VL_DESK_QUICK, check_on_errand);
    else
        check(request, &shown, digest, fresh, false);
}

/* ---- whether to ask ------------------------------------------------------------------ */

static vl_status found_one(const vl_user *user, void *any, vl_error *error) {
    (void)user;
    *(bool *)any = true;
    return vl_fail(error, VL_ERR_CANCELLED, "one is enough");
}

static vl_status any_user(vl_server *server, bool *any, vl_error *error) {
    *any = false;
    vl_status status = vl_user_list(server->store.db, found_one, any, error);
    return *any ? VL_OK : status;
}

static vl_status decide_asking(vl_server *server, vl_error *error) {
    vl_identity *identity = server->identity;
    bool any = true;
    vl_status status = VL_OK;
    if (identity->asking == ASK_AUTO && identity->is_local)
        status = any_user(server, &any, error);
    if (!status)
        atomic_store(&identity->asks, identity->asking != ASK_NEVER && any);
    return status;
}

bool vl_identity_asks(const vl_identity *identity) {
    return atomic_load(&identity->asks);
}

static void sweep_sessions(vl_server *server) {
    int64_t removed;
    vl_error error;
    if (vl_session_sweep(server->store.db, &removed, &error))
        vl_log(VL_LOG_WARN, "old sessions stay", VL_F_STR("reason", error.message));
}

static void tick(vl_server *server) {
    vl_error error;
    vl_identity *identity = server->identity;
    int64_t now = vl_clock_ns();
    if (now - identity->swept_ns > SWEEP_NS) {
        identity->swept_ns = now;
        sweep_sessions(server);
    }
    if (decide_asking(server, &error))
        vl_log(VL_LOG_WARN, "users cannot be looked for", VL_F_STR("reason", error.message));
    atomic_store(&server->identity->ticking, false);
}

static void flush_trail(vl_server *server) {
    vl_trail_flush(server, false);
}

void vl_identity_tick(vl_server *server) {
    vl_identity *identity = server->identity;
    int64_t now = vl_clock_ns();
    if (vl_trail_is_due(server->trail))
        vl_errand_post(server, VL_DESK_SLOW, flush_trail);
    if (now < atomic_load(&identity->next_tick_ns) || atomic_exchange(&identity->ticking, true))
        return;
    atomic_store(&identity->next_tick_ns, now + (int64_t)TICK_SECONDS * 1000000000);
    if (!vl_errand_post(server, VL_DESK_SLOW, tick))
        atomic_store(&identity->ticking, false);
}

/* ---- tokens -------------------------------------------------------------------------- */

double vl_identity_session_seconds(const vl_identity *identity) {
    return identity->session_seconds;
}

vl_status vl_identity_issue(const vl_identity *identity, const vl_session *session,
                            char token[], vl_error *error) {
    vl_jwt_claims claims = {.user = session->user.id};
    snprintf(claims.role, sizeof claims.role, "%s", vl_role_name(session->user.role));
    snprintf(claims.family, sizeof claims.family, "%s", session->family);
    return vl_jwt_issue(identity->signer, VL_ACCESS_SECONDS, &claims, token, error);
}

/* ---- opening ------------------------------------------------------------------------- */

static vl_status read_asking(vl_identity *identity, const vl_config *config, vl_error *error) {
    static const char *const names[] = {"auto", "required", "off"};
    const char *name = vl_config_string(config, "authentication");
    for (int i = ASK_AUTO; i <= ASK_NEVER; i++)
        if (!strcmp(name, names[i])) {
            bool strict = vl_config_bool(config, "security_strict_mode");
            identity->asking = i == ASK_AUTO && strict ? ASK_ALWAYS : (asking)i;
            return VL_OK;
        }
    return vl_fail(error, VL_ERR_USAGE, "authentication is auto, required or off, not '%.40s'",
                   name);
}

static bool listens_on_loopback(int fd) {
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    vl_address address;
    if (getsockname(fd, (struct sockaddr *)&bound, &size))
        return false;
    vl_address_from_socket((struct sockaddr *)&bound, &address);
    return vl_address_is_loopback(&address);
}

/* A secret of its own for each use of secret_key (HMAC as a pseudo-random function). */
static void derive(const char *secret_key, char out[DERIVED_SIZE]) {
    static const uint8_t label[] = "vislang access tokens";
    uint8_t mac[32];
    unsigned size = sizeof mac;
    HMAC(EVP_sha256(), secret_key, (int)strlen(secret_key), label, sizeof label - 1, mac,
         &size);
    vl_base64_encode(mac, sizeof mac, false, out);
    explicit_bzero(mac, sizeof mac);
}

static vl_status open_signer(vl_identity *identity, const vl_config *config, vl_error *error) {
    char derived[DERIVED_SIZE] = "";
    const char *secret = vl_config_string(config, "jwt_secret_key"),
               *secret_key = vl_config_string(config, "secret_key");
    if (!*secret && *secret_key)
        derive(secret_key, derived);
    vl_status status =
        vl_jwt_signer_new(vl_config_string(config, "jwt_algorithm"), *secret ? secret : derived,
                          vl_config_string(config, "jwt_issuer"),
                          vl_config_string(config, "jwt_audience"), &identity->signer, error);
    if (!status && !*secret && !*secret_key && vl_identity_asks(identity))
        vl_log(VL_LOG_WARN, "access tokens end with this process",
               VL_F_STR("reason", "neither jwt_secret_key nor secret_key is set"));
    explicit_bzero(derived, sizeof derived);
    return status;
}

vl_status vl_identity_open(vl_server *server, const vl_config *config, vl_error *error) {
    vl_identity *identity = calloc(1, sizeof *identity);
    if (!identity)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the callers");
    server->identity = identity;
    pthread_mutex_init(&identity->lock, NULL);
    vl_random_bytes(identity->salt, sizeof identity->salt);
    identity->session_seconds = vl_config_number(config, "session_lifetime");
    /* A proxy that is trusted brings strangers to loopback too. */
    identity->is_local =
        listens_on_loopback(server->listen_fd) && !*vl_config_string(config, "trusted_proxies");
    vl_status status = vl_strict_check(config, identity->is_local, error);
    if (!status)
        status = read_asking(identity, config, error);
    if (!status)
        status = decide_asking(server, error);
    if (!status)
        status = open_signer(identity, config, error);
    return status;
}

void vl_identity_free(vl_identity *identity) {
    if (!identity)
        return;
    vl_jwt_signer_free(identity->signer);
    pthread_mutex_destroy(&identity->lock);
    free(identity);
}
