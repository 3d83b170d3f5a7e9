/* collection_inside.h — between the files that make up a collection. */
#ifndef VL_HARVEST_COLLECTION_INSIDE_H
#define VL_HARVEST_COLLECTION_INSIDE_H

#include "harvest/collection.h"

struct vl_collection {
    char folder[VL_OBJECT_PATH_SIZE];
    vl_db *db;
};

/* One statement that only reads: it is in nobody's way. */
vl_status vl_collection_read(vl_collection *collection, const vl_db_call *call,
                             vl_error *error);
/* What became of a file, inside of a transaction; what is to be counted is added to `added`. */
vl_status vl_file_settle(vl_db_conn *conn, int64_t run, int64_t file, const vl_outcome *outcome,
                         vl_harvest_report *added, vl_error *error);
/* The counts of `added` onto those of the run's row. */
vl_status vl_run_count(vl_db_conn *conn, int64_t run, const vl_harvest_report *added,
                       vl_error *error);
void vl_report_add(vl_harvest_report *report, const vl_harvest_report *added);

#endif
