/* objects.h — the folder of contents, each once under its SHA-256 (FIPS 180-4).
 *
 * A content is written beside the others, synced, and given its name, so that a name stands for
 * the whole content or is not there; what a killed process left lies in `tmp` and goes with the
 * next one. Thread-safety: a writer belongs to one thread; several may write the same content.
 */
#ifndef VL_HARVEST_OBJECTS_H
#define VL_HARVEST_OBJECTS_H

#include "harvest/content.h"

#include <stdio.h>

enum { VL_OBJECT_PATH_SIZE = 4096 };

/* Makes FOLDER/objects and FOLDER/tmp. */
vl_status vl_objects_make(const char *folder, vl_error *error);
/* VL_ERR_INPUT: `sha256` is none. */
vl_status vl_object_path(const char *folder, const char *sha256, char path[VL_OBJECT_PATH_SIZE],
                         vl_error *error);
/* Removes what writers named `who` left behind when they were killed. */
vl_status vl_objects_sweep(const char *folder, const char *who, vl_error *error);

typedef struct vl_object_rules {
    const char *who;    /* harvests of other sources keep their hands off */
    uint64_t max_bytes; /* of one content: VL_ERR_LIMIT */
    uint64_t min_free;  /* of the disk: VL_ERR_IO when less would be left */
} vl_object_rules;
typedef struct vl_object_writer vl_object_writer;
/* `folder` and `rules` stay the caller's. */
vl_status vl_object_writer_open(const char *folder, const vl_object_rules *rules,
                                vl_object_writer **writer, vl_error *error);
/* A vl_fetch_sink. Returns the first failure, then and ever after. */
vl_status vl_object_writer_put(void *writer, const void *bytes, size_t count, vl_error *error);
/* Back to nothing, for another try. */
void vl_object_writer_again(void *writer);
/* Whether something that is wrong with the disk, and not with the content, stopped it. */
bool vl_object_writer_disk_failed(const vl_object_writer *writer);

typedef struct vl_object_kept {
    char sha256[VL_SHA256_HEX_SIZE];
    uint64_t bytes;
    const char *type; /* by its first bytes; static storage */
    bool was_there;   /* the same content was kept before */
} vl_object_kept;
/* What the content is so far: its type and size. */
void vl_object_writer_look(const vl_object_writer *writer, vl_object_kept *so_far);
/* Both free the writer. */
vl_status vl_object_writer_commit(vl_object_writer *writer, vl_object_kept *kept,
                                  vl_error *error);
void vl_object_writer_abandon(vl_object_writer *writer); /* NULL allowed */

#endif
