/* audit_log.h — the audit trail's file: every entry of the table once and in order, a line of
 * JSON each.
 *
 * The table is what counts, the file follows it: whoever follows adds, under the file's lock,
 * all that the table has beyond the last line, also what other processes wrote, and that for
 * which there was no room before. Thread-safe. */
#ifndef VL_STORE_AUDIT_LOG_H
#define VL_STORE_AUDIT_LOG_H

#include <vislang/store.h>

typedef struct audit_log audit_log;
/* VL_ERR_IO: it cannot be opened for writing. */
vl_status audit_log_open(const char *path, audit_log **log, vl_error *error);
void audit_log_close(audit_log *log); /* NULL allowed */
/* An empty file begins after entry `first`. VL_ERR_IO: the file ends as it did, or further on
 * with whole lines; what is missing comes with the next time. */
vl_status audit_log_follow(audit_log *log, vl_audit *audit, int64_t first, vl_error *error);

#endif
