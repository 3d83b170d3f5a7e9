/* sessions.c — refresh tokens that are good once (RFC 9700, section 4.14.2).
 *
 * A row of `sessions` is a token: its hash, its family, when it was spent. */
#include "store/people.h"
#include "store/secrets.h"

#include <stdio.h>
#include <string.h>

vl_status sessions_end_all(vl_db_conn *conn, int64_t user, vl_error *error) {
    return vl_db_run(conn,
                     &(vl_db_call){.sql = "UPDATE sessions SET revoked_ms = $1 "
                                          "WHERE user_id = $2 AND revoked_ms IS NULL",
                                   VL_DB_PARAMS(vl_db_int(vl_db_now_ms()), vl_db_int(user))},
                     error);
}

/* ---- beginning and going on
 * -------------------------------------------------------------- */

static vl_status insert_token(vl_db_conn *conn, const vl_session *session, int64_t now,
                              vl_error *error) {
    char hash[VL_SHA256_HEX_SIZE];
    token_hash(session->refresh, hash);
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "INSERT INTO sessions (user_id, family, hash, "
                             "created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5)",
                      VL_DB_PARAMS(vl_db_int(session->user.id), vl_db_text(session->family),
                                   vl_db_text(hash), vl_db_int(now),
                                   vl_db_int(session->expires_ms))},
        error);
}

static vl_status begin(vl_db_conn *conn, void *session, vl_error *error) {
    return insert_token(conn, session, vl_db_now_ms(), error);
}

vl_status vl_session_begin(vl_db *db, const vl_user *user, double seconds, vl_session *session,
                           vl_error *error) {
    *session =
        (vl_session){.user = *user, .expires_ms = vl_db_now_ms() + (int64_t)(seconds * 1000)};
    token_new(session->family);
    token_new(session->refresh);
    return vl_db_transact(db, VL_DB_READ_COMMITTED, begin, session, error);
}

typedef struct turn {
    const char *given;
    double seconds;
    vl_session *session;
    bool known, spent, over; /* of the token that was given */
} turn;

static vl_status take_token(const vl_db_value *columns, size_t count, void *user,
                            vl_error *error) {
    turn *t = user;
    const vl_db_value *own = columns + USER_COLUMN_COUNT;
    (void)count;
    (void)error;
    t->known = true;
    user_from(columns, &t->session->user);
    snprintf(t->session->family, VL_TOKEN_SIZE, "%s", vl_db_string(&own[0]));
    t->spent = own[1].type != VL_DB_NULL;
    t->over = own[2].type != VL_DB_NULL || own[3].integer <= vl_db_now_ms() ||
              t->session->user.disabled;
    return VL_OK;
}

static vl_status end_family(vl_db_conn *conn, const char *family, vl_error *error) {
    return vl_db_run(conn,
                     &(vl_db_call){.sql = "UPDATE sessions SET revoked_ms = $1 "
                                          "WHERE family = $2 AND revoked_ms IS NULL",
                                   VL_DB_PARAMS(vl_db_int(vl_db_now_ms()), vl_db_text(family))},
                     error);
}

/* Whatever it finds is a transaction that ends well: what a thief leads to is
 * written too. */
static vl_status take_turn(vl_db_conn *conn, void *user, vl_error *error) {
    turn *t = user;
    char hash[VL_SHA256_HEX_SIZE];
    int64_t now = vl_db_now_ms();
    token_hash(t->given, hash);
    t->known = t->spent = t->over = false;
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "SELECT " USER_COLUMNS ", s.family, s.spent_ms, s.revoked_ms, "
                             "s.expires_ms FROM sessions s JOIN users u ON u.id = s.user_id "
                             "WHERE s.hash = $1",
                      VL_DB_PARAMS(vl_db_text(hash)),
                      .row = take_token,
                      .user = t},
        error);
    if (status || !t->known)
        return status;
    if (t->spent)
        return end_family(conn, t->session->family, error);
    if (t->over)
        return VL_OK;
    status = vl_db_run(conn,
                       &(vl_db_call){.sql = "UPDATE sessions SET spent_ms = $1 WHERE hash = $2",
                                     VL_DB_PARAMS(vl_db_int(now), vl_db_text(hash))},
                       error);
    token_new(t->session->refresh);
    t->session->expires_ms = now + (int64_t)(t->seconds * 1000);
    return status ? status : insert_token(conn, t->session, now, error);
}

vl_status vl_session_refresh(vl_db *db, const char *refresh, double seconds,
                             vl_session *session, bool *was_reused, vl_error *error) {
    turn t = {.given = refresh, .seconds = seconds, .session = session};
    *session = (vl_session){0};
    *was_reused = false;
    vl_status status = vl_db_transact(db, VL_DB_SERIALIZABLE, take_turn, &t, error);
    if (status)
        return status;
    *was_reused = t.spent;
    if (t.known && !t.spent && !t.over)
        return VL_OK;
    explicit_bzero(session->refresh, sizeof session->refresh);
    return vl_fail(error, VL_ERR_DENIED, "the refresh token is not good: log in again");
}

/* ---- looking and ending
 * ------------------------------------------------------------------ */

typedef struct standing {
    vl_user *user;
    bool goes_on;
} standing;

static vl_status take_standing(const vl_db_value *columns, size_t count, void *user,
                               vl_error *error) {
    standing *s = user;
    (void)count;
    (void)error;
    user_from(columns, s->user);
    s->goes_on = !s->user->disabled;
    return VL_OK;
}

vl_status vl_session_check(vl_db *db, const char *family, vl_user *user, vl_error *error) {
    standing s = {.user = user};
    vl_status status =
        vl_db_once(db,
                   &(vl_db_call){.sql = "SELECT " USER_COLUMNS " FROM users u WHERE u.id = "
                                        "(SELECT max(s.user_id) FROM sessions s "
                                        "WHERE s.family = $1 AND s.revoked_ms IS NULL "
                                        "AND s.expires_ms > $2)",
                                 VL_DB_PARAMS(vl_db_text(family), vl_db_int(vl_db_now_ms())),
                                 .row = take_standing,
                                 .user = &s},
                   error);
    if (!status && !s.goes_on)
        status = vl_fail(error, VL_ERR_DENIED, "the session has ended: log in again");
    return status;
}

typedef struct ending {
    const char *family;
    char hash[VL_SHA256_HEX_SIZE];
    vl_session ended;
} ending;

static vl_status take_ended(const vl_db_value *columns, size_t count, void *user,
                            vl_error *error) {
    vl_session *ended = user;
    (void)count;
    (void)error;
    user_from(columns, &ended->user);
    snprintf(ended->family, sizeof ended->family, "%s",
             vl_db_string(&columns[USER_COLUMN_COUNT]));
    return VL_OK;
}

static vl_status end(vl_db_conn *conn, void *user, vl_error *error) {
    ending *e = user;
    e->ended = (vl_session){0};
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "SELECT " USER_COLUMNS ", s.family FROM sessions s "
                             "JOIN users u ON u.id = s.user_id WHERE s.revoked_ms IS NULL AND "
                             "(s.family = $1 OR s.family = "
                             "(SELECT o.family FROM sessions o WHERE o.hash = $2))",
                      VL_DB_PARAMS(vl_db_text(e->family), vl_db_text(e->hash)),
                      .row = take_ended,
                      .user = &e->ended},
        error);
    return status || !*e->ended.family ? status : end_family(conn, e->ended.family, error);
}

vl_status vl_session_end(vl_db *db, const char *family, const char *refresh, vl_session *ended,
                         vl_error *error) {
    ending e = {.family = family ? family : ""};
    if (refresh)
        token_hash(refresh, e.hash);
    vl_status status = vl_db_transact(db, VL_DB_SERIALIZABLE, end, &e, error);
    if (ended)
        *ended = e.ended;
    return status;
}

vl_status vl_session_sweep(vl_db *db, int64_t *removed, vl_error *error) {
    return vl_db_once(db,
                      &(vl_db_call){.sql = "DELETE FROM sessions WHERE expires_ms < $1",
                                    VL_DB_PARAMS(vl_db_int(vl_db_now_ms())),
                                    .changed = removed},
                      error);
}
