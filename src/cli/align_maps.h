/* align_maps.h — what `align map` and `align lexicon` share: how a map is asked for, and how
 * its report is said. */
#ifndef CLI_ALIGN_MAPS_H
#define CLI_ALIGN_MAPS_H

#include "cli/cli.h"

#include <vislang/align.h>

#include <cJSON.h>

/* SIGINT and SIGTERM end the work in order: nothing is left behind. */
void align_stop_on_signals(void);
/* --seeds, --words, --rcsls, --no-refine, --threads and --seed. `dictionary` is the caller's to
 * free; NULL when --seeds names a rung, or a folder and `folder` is allowed. */
vl_status align_map_options(const cli_args *args, bool folder, vl_map_options *options,
                            vl_lexicon **dictionary, vl_error *error);
cJSON *align_report_json(const vl_map_report *report);
void align_report_print(const vl_map_report *report);
/* "swa" of "data/swa.vec.gz", at most `size` - 1 bytes. */
void align_stem(const char *path, char *stem, size_t size);
vl_status align_vectors_read(const char *path, vl_embeddings **vectors, vl_error *error);
/* Prints and frees it. */
void align_print_json(cJSON *root);

#endif
