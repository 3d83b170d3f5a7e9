/* migrations.h — the steps that make the schema, in order (docs/database.md describes it).
 *
 * A step that has been released is never changed: another one follows it. SQL is for both kinds
 * of database (db.h); {{pk}} stands for a primary key that counts up by itself. */
#ifndef VL_STORE_MIGRATIONS_H
#define VL_STORE_MIGRATIONS_H

#include "store/db.h"

typedef struct migration {
    const char *name, *up, *down;
} migration;
extern const migration vl_migrations[]; /* number 1 first */
extern const int vl_migration_count;

/* Tables that hold what users gave us, each after those it refers to. */
extern const char *const vl_tables[];
extern const int vl_table_count;

/* Up or down to migration `to`, inside the caller's transaction. */
vl_status vl_schema_move(vl_db_conn *conn, int to, bool down, vl_error *error);

#endif
