/* pairs.h — pairs of texts to measure on: tables of two columns, or of an id and two columns,
 * with tabs between them; or two files, line by line. Plain or gzip, told by content.
 *
 * Lines that cannot be used (another count of columns, an empty side, invalid UTF-8) are left
 * out and counted, with the first one named; when they are more than the others, or the reader
 * is strict, that is an error. One thread at a time. */
#ifndef VISLANG_ALIGN_PAIRS_H
#define VISLANG_ALIGN_PAIRS_H

#include <vislang/base.h>

enum { ALIGN_PAIRS_MAX_BYTES = 256 << 20, ALIGN_PAIRS_MAX = 1000000 };

typedef struct align_pair {
    const char *id;        /* "" none */
    const char *src, *tgt; /* UTF-8, no white space around them, not empty */
    size_t line;           /* from 1 */
} align_pair;

typedef enum align_pair_fault {
    ALIGN_PAIR_COLUMNS, /* not as many as the other lines */
    ALIGN_PAIR_EMPTY,   /* one side is, or has neither letter nor digit */
    ALIGN_PAIR_UTF8,    /* invalid UTF-8, or a NUL */
    ALIGN_PAIR_FAULTS,
} align_pair_fault;
const char *align_pair_fault_name(align_pair_fault fault); /* "columns", "empty", "utf8" */

typedef struct align_pairs {
    align_pair *items;
    size_t count;
    bool with_id, header;
    size_t left_out[ALIGN_PAIR_FAULTS];
    char first_left_out[256];  /* "pairs.tsv: line 7: …"; "" none */
    vl_buf bytes, other_bytes; /* what the items point into */
} align_pairs;

typedef struct align_pairs_options {
    const char *src, *tgt; /* languages: a first line that names them is a header; or NULL */
    bool strict;           /* a line that cannot be used is an error */
    size_t limit;          /* only the first so many pairs; 0: all */
} align_pairs_options;

/* `other` NULL: `path` is a table. Else line i of `path` and line i of `other` are a pair, and
 * another number of lines is an error. VL_ERR_INPUT with the file and line; VL_ERR_LIMIT. Of a
 * failed read nothing has to be freed. */
vl_status align_pairs_read(const char *path, const char *other,
                           const align_pairs_options *options, align_pairs *pairs,
                           vl_error *error);
/* The same of bytes; `bytes` (and `other`, or NULL) are copied, the names are for messages. */
vl_status align_pairs_parse(const char *name, const vl_buf *bytes, const char *other_name,
                            const vl_buf *other, const align_pairs_options *options,
                            align_pairs *pairs, vl_error *error);
void align_pairs_deinit(align_pairs *pairs);
size_t align_pairs_left_out(const align_pairs *pairs); /* of all kinds */

/* A whole file, plain or gzip ("-" is standard input). `out` is initialised by the caller. */
vl_status align_file_read(const char *path, vl_buf *out, vl_error *error);

#endif
