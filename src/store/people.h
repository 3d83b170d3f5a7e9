/* people.h — between users.c, sessions.c and keys.c: a user out of a row. */
#ifndef VL_STORE_PEOPLE_H
#define VL_STORE_PEOPLE_H

#include "store/db.h"

/* Of "users u". */
#define USER_COLUMNS                                                                           \
    "u.id, u.name, u.role, u.disabled, u.failures, u.locked_until_ms, u.created_ms, "          \
    "coalesce(u.seen_ms, 0)"
enum { USER_COLUMN_COUNT = 8 };
void user_from(const vl_db_value *columns, vl_user *user);
/* A name for people and keys: VL_ERR_INPUT says what it may hold. */
vl_status name_check(const char *name, const char *of_what, vl_error *error);
/* Ends the user's sessions. */
vl_status sessions_end_all(vl_db_conn *conn, int64_t user, vl_error *error);

#endif
