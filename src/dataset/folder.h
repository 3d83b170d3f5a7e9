/* folder.h — the files of a dataset's folder (docs/dataset.md), and reading them line by line.
 */
#ifndef VL_DATASET_FOLDER_H
#define VL_DATASET_FOLDER_H

#include <vislang/dataset.h>

#define FOLDER_ABOUT "dataset.json" /* written last */
#define FOLDER_DOCUMENTS "documents.jsonl"
#define FOLDER_ITEMS "items-%05zu.jsonl" /* from 0, FOLDER_SHARD items each */
#define FOLDER_PICTURES "pictures"
#define FOLDER_REPORT "report.json"
#define FOLDER_WORK "work" /* of a build that is not finished */
enum { FOLDER_SHARD = 10000, FOLDER_PATH_SIZE = 4096 };

vl_status folder_path(const char *folder, const char *name, char path[FOLDER_PATH_SIZE],
                      vl_error *error);
/* The lines of a file, with what is wrong said of its line. VL_ERR_INPUT: it ends within one.
 */
vl_status folder_lines(const char *path, vl_line_fn give, void *to, vl_error *error);
vl_status folder_items(const char *path, vl_item_fn give, void *to, vl_error *error);

#endif
