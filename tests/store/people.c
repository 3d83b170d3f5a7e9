/* Tests of users, sessions and keys: who gets in, who does not, and what stolen tokens lead to.
 */
#include "both.h"

#include "store/secrets.h"

#include <pthread.h>

#define GOOD "correct horse battery"

static void begin(vl_db *db) {
    int moved;
    need(vl_db_migrate(db, 0, &moved, &error));
}

/* ---- passwords --------------------------------------------------------------------------- */

static void test_passwords(void **state) {
    char one[PASSWORD_HASH_SIZE], two[PASSWORD_HASH_SIZE];
    (void)state;
    need(password_hash(GOOD, one, &error));
    need(password_hash(GOOD, two, &error));
    assert_true(!strncmp(one, "$argon2id$v=19$m=19456,t=2,p=1$", 31));
    assert_string_not_equal(one, two); /* salted */
    assert_true(password_is(one, GOOD));
    assert_false(password_is(one, "correct horse batterz"));
    assert_false(password_is(one, ""));
    assert_false(password_is(NULL, GOOD));
    assert_false(password_is("", GOOD));
    assert_false(password_is("$argon2id$broken", GOOD));
}

static void names_and_passwords(vl_db *db) {
    static const struct {
        const char *name, *password;
        vl_status status;
    } rows[] = {
        {"", GOOD, VL_ERR_INPUT},
        {"With Space", GOOD, VL_ERR_INPUT},
        {"UPPER", GOOD, VL_ERR_INPUT},
        {"a'; DROP TABLE users; --", GOOD, VL_ERR_INPUT},
        {"amina", "short", VL_ERR_INPUT},
        {"amina", "aaaaaaaaaaaaaaaa", VL_ERR_INPUT},
        {"amina", "Amina12345", VL_ERR_INPUT},
        {"amina", "\xFF\xFE not utf-8 at all", VL_ERR_INPUT},
        {"amina", GOOD, VL_OK},
        {"amina", GOOD, VL_ERR_USAGE},
        {"b.n-o_p@example.org", "ሰላም ለዓለም", VL_OK},
    };
    vl_user user;
    begin(db);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_status status =
            vl_user_create(db, rows[i].name, rows[i].password, VL_ROLE_VIEWER, &user, &error);
        if (status != rows[i].status)
            fail_msg("%s, %s: %s", rows[i].name, rows[i].password, vl_status_name(status));
    }
    assert_int_equal(number_of(db, "SELECT count(*) FROM users"), 2);
    assert_int_equal(number_of(db, "SELECT count(*) FROM users WHERE password_hash LIKE "
                                   "'%horse%' OR password_hash NOT LIKE '$argon2id$%'"),
                     0);
}

static void test_names_and_passwords(void **state) {
    (void)state;
    on_both(names_and_passwords);
}

/* ---- logging in -------------------------------------------------------------------------- */

static void let_time_pass(vl_db *db) {
    need(run(db, "UPDATE users SET locked_until_ms = locked_until_ms - 3700000 "
                 "WHERE locked_until_ms > 0"));
}

static void lock_out(vl_db *db) {
    vl_user user;
    double wait, last = 0;
    char said[512];
    begin(db);
    need(vl_user_create(db, "amina", GOOD, VL_ROLE_VIEWER, &user, &error));
    assert_int_equal(vl_user_login(db, "nobody", GOOD, &user, &wait, &error), VL_ERR_DENIED);
    strcpy(said, error.message);
    for (int i = 1; i <= 4; i++) {
        assert_int_equal(vl_user_login(db, "amina", "wrong", &user, &wait, &error),
                         VL_ERR_DENIED);
        assert_string_equal(error.message, said); /* who exists is not to be found out */
    }
    need(vl_user_login(db, "amina", GOOD, &user, &wait, &error)); /* and counts anew */
    assert_true(user.seen_ms > 0);
    for (int i = 1; i <= 5; i++)
        vl_user_login(db, "amina", "wrong", &user, &wait, &error);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(vl_user_login(db, "amina", GOOD, &user, &wait, &error), VL_ERR_DENIED);
        assert_string_equal(error.message, said);
        assert_true(wait > 1.5 * last);
        last = wait;
        let_time_pass(db);
        vl_user_login(db, "amina", "wrong", &user, &wait, &error); /* locked twice as long */
    }
    let_time_pass(db);
    need(vl_user_login(db, "amina", GOOD, &user, &wait, &error));
    assert_int_equal(number_of(db, "SELECT failures FROM users"), 0);
    need(vl_user_create(db, "chief", GOOD, VL_ROLE_ADMIN, &user, &error));
    need(vl_user_set_disabled(db, 1, true, &error));
    assert_int_equal(vl_user_login(db, "amina", GOOD, &user, &wait, &error), VL_ERR_DENIED);
}

static void test_lock_out(void **state) {
    (void)state;
    on_both(lock_out);
}

static void changes(vl_db *db) {
    vl_user admin, user;
    vl_session session;
    begin(db);
    need(vl_user_create(db, "chief", GOOD, VL_ROLE_ADMIN, &admin, &error));
    need(vl_user_create(db, "amina", GOOD, VL_ROLE_VIEWER, &user, &error));
    assert_int_equal(vl_user_delete(db, admin.id, &error), VL_ERR_USAGE); /* the last one */
    assert_int_equal(vl_user_set_disabled(db, admin.id, true, &error), VL_ERR_USAGE);
    assert_int_equal(vl_user_set_role(db, admin.id, VL_ROLE_OPERATOR, &error), VL_ERR_USAGE);
    need(vl_session_begin(db, &user, 60, &session, &error));
    need(vl_session_check(db, session.family, &user, &error));
    need(vl_user_set_role(db, user.id, VL_ROLE_ADMIN, &error));
    assert_int_equal(vl_session_check(db, session.family, &user, &error), VL_ERR_DENIED);
    need(vl_user_find_name(db, "amina", &user, &error));
    assert_int_equal(user.role, VL_ROLE_ADMIN);
    need(vl_user_delete(db, admin.id, &error)); /* there is another now */
    assert_int_equal(vl_user_find(db, admin.id, &user, &error), VL_ERR_INPUT);
    assert_int_equal(vl_user_delete(db, 77, &error), VL_ERR_INPUT);
    need(vl_user_find_name(db, "amina", &user, &error));
    need(vl_session_begin(db, &user, 60, &session, &error));
    need(vl_user_set_password(db, user.id, "another passphrase", &error));
    assert_int_equal(vl_session_check(db, session.family, &user, &error), VL_ERR_DENIED);
    assert_int_equal(vl_user_login(db, "amina", GOOD, &user, NULL, &error), VL_ERR_DENIED);
    need(vl_user_login(db, "amina", "another passphrase", &user, NULL, &error));
}

static void test_changes(void **state) {
    (void)state;
    on_both(changes);
}

/* ---- sessions ---------------------------------------------------------------------------- */

static void stolen(vl_db *db) {
    vl_user user;
    vl_session first, second, third, other, thief;
    bool reused;
    begin(db);
    need(vl_user_create(db, "amina", GOOD, VL_ROLE_VIEWER, &user, &error));
    need(vl_session_begin(db, &user, 60, &first, &error));
    need(vl_session_begin(db, &user, 60, &other, &error));
    need(vl_session_refresh(db, first.refresh, 60, &second, &reused, &error));
    assert_string_equal(second.family, first.family);
    assert_string_not_equal(second.refresh, first.refresh);
    need(vl_session_refresh(db, second.refresh, 60, &third, &reused, &error));
    assert_false(reused);
    need(vl_session_check(db, third.family, &user, &error));
    /* The first one again: the whole family ends, the other login goes on. */
    assert_int_equal(vl_session_refresh(db, first.refresh, 60, &thief, &reused, &error),
                     VL_ERR_DENIED);
    assert_true(reused);
    assert_string_equal(thief.refresh, "");
    assert_int_equal(vl_session_refresh(db, third.refresh, 60, &thief, &reused, &error),
                     VL_ERR_DENIED);
    assert_int_equal(vl_session_check(db, third.family, &user, &error), VL_ERR_DENIED);
    need(vl_session_check(db, other.family, &user, &error));
    assert_int_equal(vl_session_refresh(db, "never given", 60, &thief, &reused, &error),
                     VL_ERR_DENIED);
    assert_false(reused);
    need(vl_session_end(db, NULL, other.refresh, &thief, &error));
    assert_string_equal(thief.family, other.family);
    assert_string_equal(thief.user.name, "amina");
    need(vl_session_end(db, NULL, other.refresh, &thief, &error)); /* it had ended */
    assert_string_equal(thief.family, "");
    assert_int_equal(vl_session_check(db, other.family, &user, &error), VL_ERR_DENIED);
    need(vl_session_end(db, "no such family", NULL, NULL, &error));
    char sql[160];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM sessions WHERE hash = '%s'", other.refresh);
    assert_int_equal(number_of(db, sql), 0); /* only its digest is kept */
}

static void test_stolen(void **state) {
    (void)state;
    on_both(stolen);
}

static void expiry(vl_db *db) {
    vl_user user;
    vl_session session, next;
    bool reused;
    int64_t removed = 0;
    begin(db);
    need(vl_user_create(db, "amina", GOOD, VL_ROLE_VIEWER, &user, &error));
    need(vl_session_begin(db, &user, -1, &session, &error));
    assert_int_equal(vl_session_check(db, session.family, &user, &error), VL_ERR_DENIED);
    assert_int_equal(vl_session_refresh(db, session.refresh, 60, &next, &reused, &error),
                     VL_ERR_DENIED);
    need(vl_session_begin(db, &user, 60, &session, &error));
    need(vl_session_sweep(db, &removed, &error));
    assert_int_equal(removed, 1);
    need(vl_session_check(db, session.family, &user, &error));
}

static void test_expiry(void **state) {
    (void)state;
    on_both(expiry);
}

typedef struct race {
    vl_db *db;
    const char *refresh;
    bool won;
} race;

static void *run_race(void *arg) {
    race *r = arg;
    vl_session session;
    bool reused;
    r->won = !vl_session_refresh(r->db, r->refresh, 60, &session, &reused, NULL);
    return NULL;
}

/* One token presented several times at the same moment is good once at most. */
static void at_once(vl_db *db) {
    vl_user user;
    begin(db);
    need(vl_user_create(db, "amina", GOOD, VL_ROLE_VIEWER, &user, &error));
    for (int round = 0; round < 5; round++) {
        vl_session session;
        pthread_t threads[4];
        race races[4];
        int won = 0;
        need(vl_session_begin(db, &user, 60, &session, &error));
        for (int i = 0; i < 4; i++) {
            races[i] = (race){db, session.refresh, false};
            pthread_create(&threads[i], NULL, run_race, &races[i]);
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            won += races[i].won;
        }
        assert_int_equal(won, 1);
        assert_int_equal(vl_session_check(db, session.family, &user, &error), VL_ERR_DENIED);
    }
}

static void test_at_once(void **state) {
    (void)state;
    on_both(at_once);
}

/* ---- keys -------------------------------------------------------------------------------- */

static vl_status count_key(const vl_key *key, void *to, vl_error *why) {
    (void)why;
    assert_int_equal(strlen(key->prefix), VL_KEY_PREFIX_SIZE - 1);
    ++*(int *)to;
    return VL_OK;
}

static void keys(vl_db *db) {
    vl_user user, other;
    vl_key made, seen;
    vl_role role;
    char key[VL_KEY_SIZE], brief[VL_KEY_SIZE];
    int count = 0;
    begin(db);
    need(vl_user_create(db, "amina", GOOD, VL_ROLE_OPERATOR, &user, &error));
    need(vl_user_create(db, "bashir", GOOD, VL_ROLE_ADMIN, &other, &error));
    assert_int_equal(vl_key_create(db, user.id, "ci", VL_ROLE_ADMIN, 0, key, &made, &error),
                     VL_ERR_USAGE);
    assert_int_equal(vl_key_create(db, 99, "ci", VL_ROLE_VIEWER, 0, key, &made, &error),
                     VL_ERR_INPUT);
    assert_int_equal(vl_key_create(db, user.id, "", VL_ROLE_VIEWER, 0, key, &made, &error),
                     VL_ERR_INPUT);
    need(vl_key_create(db, user.id, "ci", VL_ROLE_OPERATOR, 0, key, &made, &error));
    assert_memory_equal(key, made.prefix, strlen(made.prefix));
    need(vl_key_check(db, key, &seen, &role, &error));
    assert_int_equal(role, VL_ROLE_OPERATOR);
    assert_string_equal(seen.user.name, "amina");
    assert_true(number_of(db, "SELECT used_ms FROM api_keys") > 0);
    need(vl_user_set_role(db, user.id, VL_ROLE_VIEWER, &error)); /* takes from the key too */
    need(vl_key_check(db, key, &seen, &role, &error));
    assert_int_equal(role, VL_ROLE_VIEWER);
    need(vl_key_create(db, user.id, "brief", VL_ROLE_VIEWER, 0.001, brief, &made, &error));
    usleep(5000);
    assert_int_equal(vl_key_check(db, brief, &seen, &role, &error), VL_ERR_DENIED);
    need(vl_key_list(db, user.id, count_key, &count, &error));
    assert_int_equal(count, 2);
    assert_int_equal(vl_key_revoke(db, other.id, made.id, NULL, &error),
                     VL_ERR_INPUT); /* not his */
    assert_int_equal(vl_key_check(db, "vl_00000000_guessed", &seen, &role, &error),
                     VL_ERR_DENIED);
    need(vl_user_set_disabled(db, user.id, true, &error));
    assert_int_equal(vl_key_check(db, key, &seen, &role, &error), VL_ERR_DENIED);
    need(vl_user_set_disabled(db, user.id, false, &error));
    need(vl_key_check(db, key, &seen, &role, &error));
    need(vl_key_revoke(db, 0, seen.id, &made, &error));
    assert_string_equal(made.prefix, seen.prefix);
    assert_true(made.revoked_ms > 0);
    assert_int_equal(vl_key_check(db, key, &seen, &role, &error), VL_ERR_DENIED);
    need(vl_user_delete(db, user.id, &error));
    assert_int_equal(number_of(db, "SELECT count(*) FROM api_keys"), 0);
}

static void test_keys(void **state) {
    (void)state;
    on_both(keys);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passwords), cmocka_unit_test(test_names_and_passwords),
        cmocka_unit_test(test_lock_out),  cmocka_unit_test(test_changes),
        cmocka_unit_test(test_stolen),    cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_at_once),   cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
