/* batch.h — many files through `vislang ocr`: which, to where, and what is already done.
 *
 * An output appears under its name only when it is whole (written beside, fsynced, renamed),
 * and then one line goes to the journal (".vislang-ocr.jsonl" in the output folder), so a run
 * that is killed at any instant loses nothing that was finished and --resume goes on from
 * there. */
#ifndef VISLANG_CLI_BATCH_H
#define VISLANG_CLI_BATCH_H

#include <vislang/ocr.h>

typedef struct batch_item {
    char *path; /* of the input */
    char *name; /* output's path inside the output folder, without extension */
    int64_t size, mtime_ns;
    bool done, skipped;
    vl_status status;
    vl_error error;
    vl_ocr_summary summary;
    double milliseconds;
    vl_buf text; /* standard-output mode: what to print */
} batch_item;

typedef struct batch {
    batch_item *items;
    size_t count, capacity;
    size_t left_out; /* files in folders that are no pictures */
    vl_ocr_format formats[VL_OCR_FORMAT_COUNT];
    size_t format_count;
    const char *folder;     /* NULL: standard output or one file */
    const char *single_out; /* NULL, or the one output's path */
    char *options_key;      /* what the outputs depend on beside the input */
    int journal;            /* file descriptor, -1: none */
} batch;

void batch_init(batch *b);
void batch_deinit(batch *b);
/* A file as it is; a folder with every picture below it, in order of name. */
vl_status batch_add(batch *b, const char *path, bool full_names, vl_error *error);
/* Two inputs with one output, or an output that would overwrite an input, are refused. */
vl_status batch_check(const batch *b, vl_error *error);
/* Opens the journal; with `resume`, marks what it says is finished (same file, same options,
 * outputs still there) as done and skipped. */
vl_status batch_open_journal(batch *b, bool resume, vl_error *error);
/* Path of an item's output, in `out`. */
void batch_output_path(const batch *b, const batch_item *item, vl_ocr_format format,
                       vl_buf *out);
vl_status batch_record(const batch *b, const batch_item *item, vl_error *error);

/* An output file that appears whole or not at all. */
typedef struct output_file output_file;
vl_status output_open(const char *path, output_file **file, vl_error *error);
vl_status output_sink(void *file, const void *bytes, size_t count, vl_error *error);
vl_status output_commit(output_file *file, vl_error *error); /* frees */
void output_abandon(output_file *file);                      /* frees; NULL allowed */

#endif
