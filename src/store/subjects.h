/* subjects.h — tombstones of people who were erased, between erasure.c and backup.c. */
#ifndef VL_STORE_SUBJECTS_H
#define VL_STORE_SUBJECTS_H

#include "store/db.h"

typedef struct tombstone {
    char mark[VL_SUBJECT_MARK_SIZE];
    int64_t erased_ms;
    char *receipt;
} tombstone;
typedef struct tombstones {
    tombstone *rows;
    size_t count, capacity;
} tombstones;
/* Adds those of the database. */
vl_status tombstones_read(vl_db_conn *conn, tombstones *all, vl_error *error);
/* Adds those of the file that vl_subject_erase writes; one that is not there has none.
 * VL_ERR_INPUT: a line of it is damaged. */
vl_status tombstones_read_file(const char *path, tombstones *all, vl_error *error);
/* Writes those into the database that it lacks, and removes what was there of their people
 * before they were erased. */
vl_status tombstones_apply(vl_db_conn *conn, const tombstones *all, vl_error *error);
void tombstones_free(tombstones *all);

#endif
