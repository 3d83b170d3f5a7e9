/* file.h — what both file formats share: mapped bytes, refusals that name the place, names, and
 * what is to be written. */
#ifndef VISLANG_TENSOR_FILE_H
#define VISLANG_TENSOR_FILE_H

#include <vislang/tensor.h>

#include <stdio.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are read in place, and files are little-endian"
#endif

/* ---- a file's bytes ------------------------------------------------------------- */

typedef struct vl_source {
    const unsigned char *bytes;
    size_t count;
    char *name;  /* for messages: the path (its end, when it is long), or "(in memory)" */
    bool mapped; /* bytes are ours to unmap */
} vl_source;

/* Maps a regular file read-only. An empty one has count 0. */
vl_status vl_source_open(const char *path, vl_source *source, vl_error *error);
/* The caller's bytes, which must lie at a multiple of VL_GGUF_DATA_ALIGNMENT. */
vl_status vl_source_wrap(const void *bytes, size_t count, vl_source *source, vl_error *error);
void vl_source_close(vl_source *source);

/* "model.gguf: byte 24: …" */
#define vl_refuse(source, at, error, status, ...)                                              \
    vl_refuse_at((source), (at), (error), (status), __FILE__, __LINE__, __VA_ARGS__)
vl_status vl_refuse_at(const vl_source *source, size_t at, vl_error *error, vl_status status,
                       const char *file, int line, const char *format, ...) VL_PRINTF(7, 8);

/* ---- names ---------------------------------------------------------------------- */

/* What is wrong with a name of a tensor or a key ("is empty", "is not UTF-8", …), or NULL. A
 * control character is: names are printed. */
const char *vl_name_fault(const char *name, size_t bytes, size_t max_bytes);
/* The first 60 bytes or so of a name, for a message; returns `out`. */
#define VL_NAME_SHOWN_SIZE 72
const char *vl_name_shown(const char *name, char out[VL_NAME_SHOWN_SIZE]);

/* Names in order, to look one up and to see that none comes twice. */
typedef struct vl_name {
    const char *name;
    size_t index;
} vl_name;
void vl_names_sort(vl_name *names, size_t count);
/* Index of the later of two equal names in a sorted table, or SIZE_MAX. */
size_t vl_names_duplicate(const vl_name *names, size_t count);
/* SIZE_MAX: not there. */
size_t vl_names_find(const vl_name *names, size_t count, const char *name);

/* ---- writing -------------------------------------------------------------------- */

/* What a writer of either format holds: the tensors to come, and the first failure. After it
 * every call does nothing, and the call that writes the file says what it was. */
typedef struct vl_saving {
    vl_error failure; /* status VL_OK: none */
    vl_arena *arena;  /* names, metadata */
    vl_tensor *tensors;
    size_t tensor_count, tensor_room;
} vl_saving;
bool vl_saving_init(vl_saving *saving, size_t max_bytes); /* false: no memory */
void vl_saving_deinit(vl_saving *saving);
/* `items`, or a larger table when `count` fills `*room`; NULL: the failure is kept. */
void *vl_saving_room(vl_saving *saving, void *items, size_t count, size_t *room, size_t size,
                     size_t max, const char *what);
/* Whether a tensor's name can be printed and its bytes are those of its shape; false: the
 * failure is kept. */
bool vl_saving_check(vl_saving *saving, const vl_tensor *tensor, size_t max_name_bytes);
/* Its data must live until the file is written. */
void vl_saving_add(vl_saving *saving, const vl_tensor *tensor, size_t max);
/* VL_ERR_USAGE: a name came twice. */
vl_status vl_saving_check_names(const vl_saving *saving, vl_error *error);
/* The message of a writer whose first failure is `kept`: "cannot write PATH: …". */
vl_status vl_saving_refuse(const char *path, const vl_error *kept, vl_error *error);

#endif
