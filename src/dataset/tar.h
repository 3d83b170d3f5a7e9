/* tar.h — writes WebDataset shards: POSIX.1-1988 ustar, members in the order they are given,
 * the same bytes for the same content. A shard appears under its name when it is whole. */
#ifndef VL_DATASET_TAR_H
#define VL_DATASET_TAR_H

#include <vislang/base.h>

typedef struct tar tar;
vl_status tar_create(const char *path, tar **t, vl_error *error);
/* `name` at most 99 bytes. */
vl_status tar_add(tar *t, const char *name, const void *data, size_t bytes, vl_error *error);
/* Ends, syncs and renames the shard, and frees `t` whatever the status is. */
vl_status tar_finish(tar *t, vl_error *error);
/* Removes what was written, and frees `t` (may be NULL). */
void tar_abandon(tar *t);

#endif
