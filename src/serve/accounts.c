/* accounts.c — logging in, users, keys, the audit trail, over HTTP.
 *
 * A body that holds a member its route does not know is refused, so that nothing is taken that
 * somebody believes to have set.
 *
 * What is changed and its entry of the audit trail are one transaction (with_trail), which may
 * be begun again: its function changes and notes, and decides nothing. */
#include "serve/accounts.h"
#include "serve/jwt.h"
#include "serve/service.h"
#include "serve/trail.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TEXT_MAX = 1024,
    LIST_MAX = 16 << 20, /* bytes of an answer */
    AUDIT_DEFAULT = 100,
    AUDIT_MOST = 1000,
};
static const double LONGEST_KEY_SECONDS = 36500.0 * 86400;

/* ---- bodies -------------------------------------------------------------------------- */

static bool is_among(const char *name, const char *const *names) {
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* Each among the `names`, and once: one that comes twice may be read as the one here and as the
 * other by what looks at requests in front. False: decided. */
static bool check_members(vl_request *request, const cJSON *json, const char *const *names) {
    for (const cJSON *item = json->child; item; item = item->next) {
        if (!is_among(item->string, names)) {
            vl_decide_problem(request, 400, "There is no member \"%.60s\" here.", item->string);
            return false;
        }
        for (const cJSON *other = item->next; other; other = other->next)
            if (!strcmp(item->string, other->string)) {
                vl_decide_problem(request, 400, "The member \"%s\" comes twice.", item->string);
                return false;
            }
    }
    return true;
}

/* cJSON ends a text at a NUL: what stands behind it would be taken for not there. */
static bool has_nul(const vl_buf *body) {
    return memchr(body->data, '\0', body->len) || memmem(body->data, body->len, "\\u0000", 6);
}

/* The body as an object whose members are among the `names` (NULL-terminated); NULL: decided.
 */
static cJSON *read_body(vl_request *request, const char *const *names) {
    const vl_buf *body = &request->form->json;
    cJSON *json =
        body->len && !has_nul(body) ? cJSON_ParseWithLength(body->data, body->len) : NULL;
    if (cJSON_IsObject(json) && check_members(request, json, names))
        return json;
    if (!cJSON_IsObject(json))
        vl_decide_problem(request, 400, "The body is not a JSON object, or has a NUL in it.");
    cJSON_Delete(json);
    return NULL;
}

/* NULL: decided. */
static const char *text_of(vl_request *request, const cJSON *json, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    if (text && *text && strlen(text) < TEXT_MAX)
        return text;
    vl_decide_problem(request, 400, "The member \"%s\" is a text of 1 to %d bytes.", name,
                      TEXT_MAX - 1);
    return NULL;
}

/* Of "role" or "scopes", where the least is what says nothing. False: decided. */
static bool role_of(vl_request *request, const cJSON *json, const char *name, vl_role *role) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    vl_error error;
    *role = VL_ROLE_VIEWER;
    if (!item)
        return true;
    const char *text = cJSON_GetStringValue(item);
    if (!vl_role_parse(text ? text : "", role, &error))
        return true;
    vl_decide_problem(request, 400, "%s", error.message);
    return false;
}

/* ---- answers ------------------------------------------------------------------------- */

static void decide_error(vl_request *request, const vl_error *error) {
    unsigned status = error->status == VL_ERR_USAGE ? 409 : vl_http_status(error->status);
    if (status == 503)
        request->outcome.retry_after = 5;
    if (status >= 500)
        vl_log(VL_LOG_ERROR, "accounts", VL_F_STR("reason", error->message));
    vl_decide_problem(request, status, "%s",
                      status >= 500 ? "The database does not answer as it should."
                                    : error->message);
}

/* 201, and what it is changed and removed by. */
static void decide_made(vl_request *request, cJSON *json, const char *kind, int64_t id) {
    vl_decide_json(request, json);
    if (request->outcome.status != 200)
        return;
    request->outcome.status = 201;
    snprintf(request->outcome.location, sizeof request->outcome.location, "/admin/%s/%lld",
             kind, (long long)id);
}

static vl_status with_trail(vl_request *request, vl_audit_work work, void *user,
                            vl_error *error) {
    return vl_audit_together(request->server->store.audit, work, user, error);
}

/* ---- logging in ---------------------------------------------------------------------- */

static void refuse(vl_request *request, vl_denial denial, const char *user,
                   const char *detail) {
    vl_trail_refused(request, denial, user);
    request->outcome.challenge = "Bearer realm=\"vislang\"";
    vl_decide_problem(request, 401, "%s", detail);
}

static void decide_tokens(vl_request *request, vl_session *session) {
    char token[VL_JWT_SIZE];
    vl_error error;
    if (vl_identity_issue(request->server->identity, session, token, &error)) {
        decide_error(request, &error);
        return;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "access_token", token);
    cJSON_AddStringToObject(json, "token_type", "Bearer");
    cJSON_AddNumberToObject(json, "expires_in", VL_ACCESS_SECONDS);
    cJSON_AddStringToObject(json, "refresh_token", session->refresh);
    vl_json_add_time(json, "refresh_expires", session->expires_ms);
    cJSON_AddStringToObject(json, "user", session->user.name);
    cJSON_AddStringToObject(json, "role", vl_role_name(session->user.role));
    vl_decide_json(request, json);
    explicit_bzero(session->refresh, sizeof session->refresh);
    explicit_bzero(token, sizeof token);
}

/* The name for the trail: what is no user's may be a password in the wrong field. */
static void refuse_login(vl_request *request, const char *name) {
    vl_user user;
    bool is_user = !vl_user_find_name(request->server->store.db, name, &user, NULL);
    refuse(request, VL_DENIAL_PASSWORD, is_user ? user.name : "",
           "Name or password is wrong, or the user is locked for a while.");
}

typedef struct login {
    vl_request *request;
    vl_user user;
    vl_session session;
} login;

static vl_status begin_session(void *user, vl_error *error) {
    login *l = user;
    const vl_server *server = l->request->server;
    vl_status status =
        vl_session_begin(server->store.db, &l->user,
                         vl_identity_session_seconds(server->identity), &l->session, error);
    return status ? status : vl_trail_done(l->request, "login", "", NULL, error);
}

static void log_in(vl_request *request, const char *name, const char *password) {
    vl_server *server = request->server;
    login l = {.request = request};
    vl_error error;
    vl_status status = vl_user_login(server->store.db, name, password, &l.user, NULL, &error);
    if (status == VL_ERR_DENIED) {
        refuse_login(request, name);
        return;
    }
    if (!status) {
        request->caller =
            (vl_caller){.kind = VL_CALLER_USER, .role = l.user.role, .user = l.user.id};
        snprintf(request->caller.name, sizeof request->caller.name, "%s", l.user.name);
        status = with_trail(request, begin_session, &l, &error);
    }
    if (status)
        decide_error(request, &error);
    else
        decide_tokens(request, &l.session);
}

static void token_work(vl_request *request) {
    static const char *const names[] = {"username", "password", NULL};
    cJSON *json = read_body(request, names);
    const char *name = json ? text_of(request, json, "username") : NULL;
    const char *password = name ? text_of(request, json, "password") : NULL;
    if (password)
        log_in(request, name, password);
    cJSON_Delete(json);
}

/* A token that comes twice was stolen: the store has ended its session. */
static void refresh_work(vl_request *request) {
    static const char *const names[] = {"refresh_token", NULL};
    vl_server *server = request->server;
    vl_session session = {0};
    vl_error error;
    bool was_reused = false;
    cJSON *json = read_body(request, names);
    const char *token = json ? text_of(request, json, "refresh_token") : NULL;
    if (!token) {
        cJSON_Delete(json);
        return;
    }
    vl_status status = vl_session_refresh(server->store.db, token,
                                          vl_identity_session_seconds(server->identity),
                                          &session, &was_reused, &error);
    cJSON_Delete(json);
    if (was_reused)
        vl_identity_forget(server->identity, session.family, 0, 0);
    if (!status)
        decide_tokens(request, &session);
    else if (status == VL_ERR_DENIED)
        refuse(request, was_reused ? VL_DENIAL_REUSED : VL_DENIAL_REFRESH,
               was_reused ? session.user.name : "",
               "The refresh token is not good: log in again.");
    else
        decide_error(request, &error);
}

typedef struct ending {
    vl_request *request;
    const char *token;
    vl_session ended;
} ending;

/* Who shows a refresh token speaks for its user. Only a session that went on until now is an
 * entry of the trail: tokens that nobody gave out, or that ended long ago, fill nothing. */
static vl_status end_session(void *user, vl_error *error) {
    ending *e = user;
    vl_caller *caller = &e->request->caller;
    vl_status status =
        vl_session_end(e->request->server->store.db, NULL, e->token, &e->ended, error);
    if (status || !*e->ended.family)
        return status;
    *caller = (vl_caller){
        .kind = VL_CALLER_USER, .role = e->ended.user.role, .user = e->ended.user.id};
    snprintf(caller->name, sizeof caller->name, "%s", e->ended.user.name);
    return vl_trail_done(e->request, "logout", "", NULL, error);
}

/* As RFC 7009, section 2.2: an unknown token is no error. */
static void revoke_work(vl_request *request) {
    static const char *const names[] = {"refresh_token", NULL};
    vl_error error;
    ending e = {.request = request};
    cJSON *json = read_body(request, names);
    e.token = json ? text_of(request, json, "refresh_token") : NULL;
    vl_status status = e.token ? with_trail(request, end_session, &e, &error) : VL_OK;
    if (*e.ended.family) /* also when nobody can say whether it was done */
        vl_identity_forget(request->server->identity, e.ended.family, 0, 0);
    if (status) {
        decide_error(request, &error);
    } else if (e.token) {
        cJSON *answer = cJSON_CreateObject();
        cJSON_AddBoolToObject(answer, "revoked", true);
        vl_decide_json(request, answer);
    }
    cJSON_Delete(json);
}

/* ---- users --------------------------------------------------------------------------- */

static vl_status add_user(const vl_user *user, void *list, vl_error *error) {
    (void)error;
    cJSON_AddItemToArray(list, vl_user_to_json(user));
    return VL_OK;
}

static void users_work(vl_request *request) {
    vl_error error;
    cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "users");
    if (!vl_user_list(request->server->store.db, add_user, list, &error)) {
        vl_decide_json(request, json);
        return;
    }
    cJSON_Delete(json);
    decide_error(request, &error);
}

static vl_status note_user(vl_request *request, const char *action, const vl_user *user,
                           vl_error *error) {
    char subject[VL_ACTOR_SIZE], detail[64];
    snprintf(subject, sizeof subject, "user:%s", user->name);
    snprintf(detail, sizeof detail, "{\"role\":\"%s\"}", vl_role_name(user->role));
    return vl_trail_done(request, action, subject, detail, error);
}

typedef struct making {
    vl_request *request;
    const char *name, *password;
    vl_role role;
    vl_user made;
} making;

static vl_status make_user(void *user, vl_error *error) {
    making *m = user;
    vl_status status = vl_user_create(m->request->server->store.db, m->name, m->password,
                                      m->role, &m->made, error);
    return status ? status : note_user(m->request, "user.create", &m->made, error);
}

static void user_create_work(vl_request *request) {
    static const char *const names[] = {"name", "password", "role", NULL};
    vl_error error;
    making m = {.request = request};
    cJSON *json = read_body(request, names);
    m.name = json ? text_of(request, json, "name") : NULL;
    m.password = m.name ? text_of(request, json, "password") : NULL;
    if (m.password && role_of(request, json, "role", &m.role)) {
        if (with_trail(request, make_user, &m, &error))
            decide_error(request, &error);
        else
            decide_made(request, vl_user_to_json(&m.made), "users", m.made.id);
    }
    cJSON_Delete(json);
}

/* The user the path names. False: decided. */
static bool find_user(vl_request *request, vl_user *user) {
    int64_t id;
    vl_error error;
    if (!vl_route_id(request, "id", &id)) {
        vl_decide_problem(request, 404, "There is no such user.");
        return false;
    }
    vl_status status = vl_user_find(request->server->store.db, id, user, &error);
    if (status == VL_ERR_INPUT)
        vl_decide_problem(request, 404, "There is no such user.");
    else if (status)
        decide_error(request, &error);
    return !status;
}

typedef struct change {
    vl_request *request;
    vl_user user;                  /* as he is afterwards */
    const char *action, *password; /* NULL: that is not changed */
    vl_role role;
} change;

static vl_status change_user(void *user, vl_error *error) {
    change *c = user;
    vl_db *db = c->request->server->store.db;
    vl_status status;
    if (c->password)
        status = vl_user_set_password(db, c->user.id, c->password, error);
    else if (!strcmp(c->action, "user.role"))
        status = vl_user_set_role(db, c->user.id, c->role, error);
    else
        status =
            vl_user_set_disabled(db, c->user.id, !strcmp(c->action, "user.disable"), error);
    if (!status)
        status = vl_user_find(db, c->user.id, &c->user, error);
    return status ? status : note_user(c->request, c->action, &c->user, error);
}

/* One change each, so that it is made or not. False: decided. */
static bool read_change(vl_request *request, const cJSON *json, change *c) {
    const cJSON *item = json->child;
    if (!item || item->next) {
        vl_decide_problem(request, 400, "Change one of role, disabled and password at once.");
        return false;
    }
    if (!strcmp(item->string, "role")) {
        c->action = "user.role";
        return role_of(request, json, "role", &c->role);
    }
    if (!strcmp(item->string, "password")) {
        c->action = "user.password";
        return (c->password = text_of(request, json, "password")) != NULL;
    }
    c->action = cJSON_IsTrue(item) ? "user.disable" : "user.enable";
    if (!cJSON_IsBool(item))
        vl_decide_problem(request, 400, "The member \"disabled\" is true or false.");
    return cJSON_IsBool(item);
}

static void user_change_work(vl_request *request) {
    static const char *const names[] = {"role", "disabled", "password", NULL};
    vl_error error;
    change c = {.request = request};
    cJSON *json = read_body(request, names);
    if (json && find_user(request, &c.user) && read_change(request, json, &c)) {
        vl_status status = with_trail(request, change_user, &c, &error);
        /* Also when nobody can say whether it was done. */
        vl_identity_forget(request->server->identity, NULL, 0, c.user.id);
        if (status)
            decide_error(request, &error);
        else
            vl_decide_json(request, vl_user_to_json(&c.user));
    }
    cJSON_Delete(json);
}

static void decide_gone(vl_request *request, int64_t id) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "id", (double)id);
    cJSON_AddBoolToObject(json, "gone", true);
    vl_decide_json(request, json);
}

static vl_status delete_user(void *user, vl_error *error) {
    const change *c = user;
    vl_status status = vl_user_delete(c->request->server->store.db, c->user.id, error);
    return status ? status : note_user(c->request, c->action, &c->user, error);
}

static void user_delete_work(vl_request *request) {
    change c = {.request = request, .action = "user.delete"};
    vl_error error;
    if (!find_user(request, &c.user))
        return;
    vl_status status = with_trail(request, delete_user, &c, &error);
    vl_identity_forget(request->server->identity, NULL, 0, c.user.id);
    if (status)
        decide_error(request, &error);
    else
        decide_gone(request, c.user.id);
}

/* ---- keys ---------------------------------------------------------------------------- */

static vl_status add_key(const vl_key *key, void *list, vl_error *error) {
    (void)error;
    cJSON_AddItemToArray(list, vl_key_to_json(key));
    return VL_OK;
}

static void keys_work(vl_request *request) {
    vl_user user;
    vl_error error;
    if (!find_user(request, &user))
        return;
    cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "keys");
    if (!vl_key_list(request->server->store.db, user.id, add_key, list, &error)) {
        vl_decide_json(request, json);
        return;
    }
    cJSON_Delete(json);
    decide_error(request, &error);
}

/* Seconds that a key is good for; 0: it does not expire. False: decided. */
static bool seconds_of(vl_request *request, const cJSON *json, double *seconds) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "expires_in");
    *seconds = item ? item->valuedouble : 0;
    if (!item || (cJSON_IsNumber(item) && *seconds >= 1 && *seconds <= LONGEST_KEY_SECONDS))
        return true;
    vl_decide_problem(request, 400, "\"expires_in\" is a number of seconds, 1 to %.0f.",
                      LONGEST_KEY_SECONDS);
    return false;
}

typedef struct cutting { /* of a key */
    vl_request *request;
    vl_user user;
    const char *name;
    vl_role scope;
    double seconds;
    char key[VL_KEY_SIZE];
    vl_key made;
} cutting;

static vl_status make_key(void *user, vl_error *error) {
    cutting *c = user;
    char subject[VL_ACTOR_SIZE];
    vl_status status = vl_key_create(c->request->server->store.db, c->user.id, c->name,
                                     c->scope, c->seconds, c->key, &c->made, error);
    snprintf(subject, sizeof subject, "key:%s", status ? "" : c->made.prefix);
    return status ? status : vl_trail_done(c->request, "apikey.create", subject, NULL, error);
}

static void key_create_work(vl_request *request) {
    static const char *const names[] = {"name", "scopes", "expires_in", NULL};
    vl_error error;
    cutting c = {.request = request};
    cJSON *json = read_body(request, names);
    c.name = json ? text_of(request, json, "name") : NULL;
    if (c.name && role_of(request, json, "scopes", &c.scope) &&
        seconds_of(request, json, &c.seconds) && find_user(request, &c.user)) {
        if (with_trail(request, make_key, &c, &error)) {
            decide_error(request, &error);
        } else {
            cJSON *answer = vl_key_to_json(&c.made);
            cJSON_AddStringToObject(answer, "key", c.key);
            decide_made(request, answer, "keys", c.made.id);
        }
    }
    cJSON_Delete(json);
    explicit_bzero(c.key, sizeof c.key);
}

typedef struct revoking {
    vl_request *request;
    int64_t id;
} revoking;

static vl_status revoke_key(void *user, vl_error *error) {
    const revoking *r = user;
    char subject[VL_ACTOR_SIZE];
    vl_key key = {0};
    vl_status status = vl_key_revoke(r->request->server->store.db, 0, r->id, &key, error);
    snprintf(subject, sizeof subject, "key:%s", key.prefix);
    return status ? status : vl_trail_done(r->request, "apikey.revoke", subject, NULL, error);
}

static void key_revoke_work(vl_request *request) {
    revoking r = {.request = request};
    vl_error error = {0};
    vl_status status = vl_route_id(request, "id", &r.id)
                           ? with_trail(request, revoke_key, &r, &error)
                           : VL_ERR_INPUT;
    if (status != VL_ERR_INPUT)
        vl_identity_forget(request->server->identity, NULL, r.id, 0);
    if (status == VL_ERR_INPUT)
        vl_decide_problem(request, 404, "There is no such key.");
    else if (status)
        decide_error(request, &error);
    else
        decide_gone(request, r.id);
}

/* ---- the audit trail ----------------------------------------------------------------- */

/* A whole number of the query. False: decided. */
static bool number_of(vl_request *request, const char *name, int64_t fallback, int64_t most,
                      int64_t *number) {
    const char *text =
        MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
    *number = fallback;
    if (!text)
        return true;
    size_t length = strlen(text);
    if (length && length < 19 && strspn(text, "0123456789") == length &&
        (*number = strtoll(text, NULL, 10)) <= most)
        return true;
    vl_decide_problem(request, 400, "\"%s\" is a whole number up to %lld.", name,
                      (long long)most);
    return false;
}

typedef struct entries {
    vl_buf text;
    int64_t last;
} entries;

static vl_status add_entry(const vl_audit_entry *entry, void *to, vl_error *error) {
    entries *e = to;
    (void)error;
    if (e->last)
        vl_buf_puts(&e->text, ",");
    vl_audit_json(entry, &e->text);
    e->last = entry->number;
    return VL_OK;
}

static void audit_work(vl_request *request) {
    int64_t after, most;
    vl_error error;
    entries e = {.last = 0};
    if (!number_of(request, "after", 0, INT64_MAX, &after) ||
        !number_of(request, "limit", AUDIT_DEFAULT, AUDIT_MOST, &most))
        return;
    vl_buf_init(&e.text, LIST_MAX);
    vl_buf_puts(&e.text, "{\"entries\":[");
    vl_status status =
        most ? vl_audit_list(request->server->store.audit, after, most, add_entry, &e, &error)
             : VL_OK;
    vl_buf_printf(&e.text, "],\"next\":%lld}", (long long)(e.last ? e.last : after));
    if (!status) {
        vl_decide_text(request, "application/json", &e.text);
        return;
    }
    vl_buf_deinit(&e.text);
    decide_error(request, &error);
}

/* ---- the routes ---------------------------------------------------------------------- */

void vl_account_token(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, token_work);
}

void vl_account_refresh(vl_request *request) {
    vl_errand_start(request, VL_DESK_QUICK, refresh_work);
}

void vl_account_revoke(vl_request *request) {
    vl_errand_start(request, VL_DESK_QUICK, revoke_work);
}

void vl_account_users(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, users_work);
}

void vl_account_user_create(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, user_create_work);
}

void vl_account_user_change(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, user_change_work);
}

void vl_account_user_delete(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, user_delete_work);
}

void vl_account_keys(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, keys_work);
}

void vl_account_key_create(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, key_create_work);
}

void vl_account_key_revoke(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, key_revoke_work);
}

void vl_account_audit(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, audit_work);
}
