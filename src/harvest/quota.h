/* quota.h — how often a source may be called in a day, counted over all processes that share
 * a file. A day is one of UTC.
 *
 * Thread-safety: from any thread and process. Two that ask for the last call at once may both
 * get it. */
#ifndef VL_HARVEST_QUOTA_H
#define VL_HARVEST_QUOTA_H

#include <vislang/base.h>

#include <time.h>

/* Where the count is kept by the setting: "none" nowhere, "" in `name` of the state directory,
 * else at that path. `path` [size]; "" for nowhere. */
void vl_quota_path(const char *setting, const char *name, char *path, size_t size);
/* Takes one of `limit` calls of the day of `now`. `who`: whose they are (several share a file);
 * only a hash of it is kept. VL_ERR_BUSY: none is left, with when there will be. A `path` of ""
 * counts nothing. */
vl_status vl_quota_take(const char *path, const char *who, uint64_t limit, time_t now,
                        vl_error *error);

#endif
