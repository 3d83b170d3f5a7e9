/* dir.h — the two things that the source `dir` walks through: folders and archives.
 *
 * A walk goes through regular files in an order that is the same every time, and can be begun
 * in the middle. Links are not followed; names that lead out of the place, and what cannot be
 * read, are logged and left out. Thread-safety: a walk belongs to one thread. */
#ifndef VL_HARVEST_DIR_H
#define VL_HARVEST_DIR_H

#include "harvest/content.h"
#include "harvest/notes.h"
#include "harvest/source.h"

enum { VL_DIR_PATH_SIZE = 4096, VL_DIR_CURSOR_SIZE = 3 * VL_DIR_PATH_SIZE };

/* A file that the walk has come to; until the next one. */
typedef struct vl_dir_item {
    char path[VL_DIR_CURSOR_SIZE];   /* inside of the place; "%XX" for bytes of no UTF-8 */
    char cursor[VL_DIR_CURSOR_SIZE]; /* begins a walk behind it */
    int64_t changed_ms;
    bool has_time;
    uint64_t bytes;
    char version[96];
    unsigned char head[VL_CONTENT_HEAD];
    size_t head_bytes;
    const char *type; /* by its head */
    const char
        *language; /* of a NAME.lang beside it or a folder above it, in the arena; NULL */
} vl_dir_item;

typedef struct vl_dir_walk vl_dir_walk;
struct vl_dir_walk {
    vl_notes *notes; /* of metadata.jsonl files */
    /* The next file that is a document; `*more` false: there are none. A walk that failed
     * fails again. */
    vl_status (*next)(vl_dir_walk *walk, vl_arena *arena, vl_dir_item *item, bool *more,
                      vl_error *error);
    /* The content of the file it has come to, once. */
    vl_status (*pour)(vl_dir_walk *walk, const vl_dir_item *item, vl_fetch_sink sink, void *to,
                      vl_error *error);
    void (*free)(vl_dir_walk *walk);
};
/* `cursor` "": from the first one. VL_ERR_INPUT: there is no such folder; it is a collection.
 */
vl_status vl_dir_folder(const char *place, const char *cursor, vl_dir_walk **walk,
                        vl_error *error);
/* VL_ERR_INPUT: it is no archive, or broken. What is unpacked is bounded by the archive's size:
 * VL_ERR_LIMIT. */
vl_status vl_dir_archive(const char *place, const char *cursor, vl_dir_walk **walk,
                         vl_error *error);

/* Whether a type is one that becomes a record: PDF, HTML, DOCX, ODT, a picture, text. */
bool vl_dir_is_document(const char *type);
/* metadata.jsonl and NAME.lang are about documents. */
bool vl_dir_is_note(const char *path);
/* UTF-8 without control characters: other bytes become "%XX", with `reversible` '%' too. False:
 * it does not fit. */
bool vl_dir_encode(const char *path, bool reversible, char *out, size_t size);
/* Of a reversible one, in its own place. */
void vl_dir_decode(char *text);

#endif
