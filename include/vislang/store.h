/* store.h — what a service remembers: one database, SQLite or PostgreSQL.
 *
 * A database is named by a URL: "sqlite:///absolute/path", "sqlite:relative/path", "sqlite:"
 * for vislang.db in the state directory (vl_state_dir), or "postgresql://user@host/name".
 * Writes that were acknowledged survive a killed process, and a machine that loses power.
 *
 * Errors: VL_ERR_MISSING: the database cannot be reached; VL_ERR_BUSY: others were in the way
 * for too long; VL_ERR_IO: it cannot write. */
#ifndef VISLANG_STORE_H
#define VISLANG_STORE_H

#include <vislang/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vl_db vl_db; /* thread-safe: a pool of connections */
typedef struct vl_db_options {
    size_t max_connections; /* 8 */
    double wait_seconds;    /* for a free connection, then VL_ERR_BUSY: 10 */
} vl_db_options;
vl_db_options vl_db_options_default(void);
/* Connects once, so that a wrong URL is told at once. `options` NULL: the default ones. */
vl_status vl_db_open(const char *url, const vl_db_options *options, vl_db **db,
                     vl_error *error);
void vl_db_close(vl_db *db); /* when no thread uses it any more; NULL allowed */
/* "sqlite" or "postgresql". */
const char *vl_db_kind(const vl_db *db);
/* Whether it answers, and what it is ("SQLite 3.40.1"). */
vl_status vl_db_ping(vl_db *db, char version[64], vl_error *error);

/* ---- the schema -------------------------------------------------------------------------- */

/* Numbered migrations, each in a transaction of its own with its row in schema_migrations. Two
 * that migrate at once do so one after the other. */
typedef struct vl_migration_state {
    int number;
    const char *name;   /* static */
    int64_t applied_ms; /* 0: not applied */
} vl_migration_state;
int vl_db_schema_newest(void); /* that this program knows */
/* Up to migration `to` (0: the newest). `*applied` counts those that were done now.
 * VL_ERR_INPUT: the database is of a newer program, or was migrated by other text than this
 * program's. */
vl_status vl_db_migrate(vl_db *db, int to, int *applied, vl_error *error);
/* Down to migration `to` (the last one to stay; 0: none stays). */
vl_status vl_db_rollback(vl_db *db, int to, int *undone, vl_error *error);
/* Fills `states`, at least vl_db_schema_newest() long. */
vl_status vl_db_schema_status(vl_db *db, vl_migration_state *states, size_t *count,
                              vl_error *error);

/* ---- copies ------------------------------------------------------------------------------ */

/* All rows of one moment, while others read and write, as a compressed file that either kind of
 * database can be restored from (docs/database.md gives the format). The file is there whole or
 * not at all. */
typedef struct vl_db_copy_report {
    uint64_t rows, bytes; /* in all tables; of the file */
    int schema;
    char sha256[VL_SHA256_HEX_SIZE]; /* of the rows */
} vl_db_copy_report;
vl_status vl_db_backup(vl_db *db, const char *path, vl_db_copy_report *report, vl_error *error);
/* A copy named by the time (UTC), verified, in a folder that is made; when it is good, copies
 * there that are older than `keep_days` go (0: none does). */
typedef struct vl_db_folder_report {
    vl_db_copy_report copy;
    char path[4096];
    size_t removed;
} vl_db_folder_report;
vl_status vl_db_backup_folder(vl_db *db, const char *folder, int keep_days,
                              vl_db_folder_report *report, vl_error *error);
/* Reads the whole file and holds its counts and its digest against its rows, without a
 * database. VL_ERR_INPUT: it is damaged, cut short, or no copy. */
vl_status vl_db_backup_verify(const char *path, vl_db_copy_report *report, vl_error *error);
/* Verifies, migrates to the copy's schema, replaces all rows in one transaction, and migrates
 * to the newest. A database that holds rows is refused (VL_ERR_USAGE) without `replace`. */
vl_status vl_db_restore(vl_db *db, const char *path, bool replace, vl_db_copy_report *report,
                        vl_error *error);

#ifdef __cplusplus
}
#endif
#endif
