/* folder.h — the files of a dataset's folder (docs/dataset.md), and reading them line by line.
 */
#ifndef VL_DATASET_FOLDER_H
#define VL_DATASET_FOLDER_H

#include <vislang/dataset.h>

#define FOLDER_ABOUT "dataset.json"       /* written last */
#define FOLDER_FORMAT "vislang dataset 1" /* "format" in it */
#define FOLDER_DOCUMENTS "documents.jsonl"
#define FOLDER_ITEMS "items-%05zu.jsonl" /* from 0, FOLDER_SHARD items each */
#define FOLDER_PICTURES "pictures"
#define FOLDER_REPORT "report.json"
#define FOLDER_WORK ".vislang-build" /* of a build that is not finished */
#define FOLDER_PLAN FOLDER_WORK "/plan.jsonl"
enum { FOLDER_SHARD = 10000, FOLDER_PATH_SIZE = 4096 };

vl_status folder_path(const char *folder, const char *name, char path[FOLDER_PATH_SIZE],
                      vl_error *error);
/* Opens a regular file below the folder for reading, by a path on which nothing is a link.
 * VL_ERR_MISSING: it is not there; VL_ERR_INPUT: it is a link or no regular file, or leads out.
 * `fd` is -1 after an error. Thread-safe, as all of these are. */
vl_status folder_open(const char *folder, const char *name, int *fd, vl_error *error);
/* … and its bytes, at most as many as `out`, which the caller inits and deinits, may have. */
vl_status folder_read(const char *folder, const char *name, vl_buf *out, vl_error *error);
/* The SHA-256 that names a picture's file; false, and "": it is named otherwise. */
bool folder_picture_hash(const char *name, char hash[VL_SHA256_HEX_SIZE]);
/* folder_open of what is named as pictures are and begins as a PNG, JPEG or WebP does; and the
 * bytes from there on, which have the hash of the name. */
vl_status folder_picture_open(const char *folder, const char *name, int *fd, vl_error *error);
vl_status folder_picture_read(int fd, const char *name, vl_buf *out, vl_error *error);
/* dataset.json into `out`, as folder_read. VL_ERR_INPUT: the dataset is not finished, or of a
 * format that is not ours. */
vl_status folder_about(const char *folder, vl_buf *out, vl_error *error);
/* The lines of a file, with what is wrong said of its line. VL_ERR_INPUT: it ends within one.
 */
vl_status folder_lines(const char *path, vl_line_fn give, void *to, vl_error *error);
vl_status folder_items(const char *path, vl_item_fn give, void *to, vl_error *error);

#endif
