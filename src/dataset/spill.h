/* spill.h — a temporary file that has no name, so that it is gone with the process however that
 * ends, and numbers sorted in one: what does not fit into memory.
 *
 * Whatever the system refuses is VL_ERR_IO with the folder, how much was written and what to
 * do. One thread at a time. */
#ifndef VL_DATASET_SPILL_H
#define VL_DATASET_SPILL_H

#include <vislang/base.h>

/* ---- bytes ------------------------------------------------------------------------ */

typedef struct spill spill;
/* `folder` "": $TMPDIR, else /var/tmp (and not /tmp, which may be memory). */
vl_status spill_open(const char *folder, spill **out, vl_error *error);
void spill_free(spill *s); /* NULL allowed */
vl_status spill_append(spill *s, const void *bytes, size_t count, vl_error *error);
/* Goes on at `offset`, which is not before the end; what lies between reads as zeros. */
vl_status spill_skip(spill *s, uint64_t offset, vl_error *error);
/* Bytes appended so far. */
uint64_t spill_size(const spill *s);
/* Exactly that many; past the end is VL_ERR_INTERNAL. */
vl_status spill_read(spill *s, uint64_t offset, void *bytes, size_t count, vl_error *error);

/* Reads a part from its beginning to its end, in pieces. */
typedef struct spill_reader {
    spill *from;
    uint64_t at, end; /* the next piece, and where the part ends */
    char *piece;
    size_t room, start, held; /* of `piece`; of what is in it */
} spill_reader;
/* `room`: bytes of a piece. VL_ERR_MEMORY. */
vl_status spill_reader_init(spill_reader *r, spill *from, uint64_t start, uint64_t end,
                            size_t room, vl_error *error);
void spill_reader_deinit(spill_reader *r);
/* The next `count` bytes, which belong to the reader until the next call; *next NULL: no more.
 * `count` is the same at each call, and at most `room`. */
vl_status spill_reader_next(spill_reader *r, size_t count, const void **next, vl_error *error);

/* ---- sorted numbers --------------------------------------------------------------- */

/* External merge sort (Knuth, The Art of Computer Programming 3, section 5.4): runs that fit
 * into memory are sorted by their digits, and written; then all are merged at once. */
typedef struct runs runs;
/* `memory`: bytes, both while adding and while merging, at least RUNS_LEAST_MEMORY; its square
 * over 12 KB is what can be sorted (VL_ERR_MEMORY past it). */
enum { RUNS_LEAST_MEMORY = 1 << 20 };
vl_status runs_new(const char *folder, size_t memory, runs **out, vl_error *error);
void runs_free(runs *r); /* NULL allowed */
vl_status runs_add(runs *r, uint64_t key, uint32_t item, vl_error *error);
/* Writes what is in memory, and gives the memory back until the next call. */
vl_status runs_rest(runs *r, vl_error *error);
/* Nothing is added after. Takes half of the memory from here on. */
vl_status runs_merge(runs *r, vl_error *error);
typedef struct runs_record {
    uint64_t key;
    uint32_t item;
} runs_record;
/* By key; of equal keys in any order, but the same for the same calls of runs_add. *more false:
 * there was none. */
vl_status runs_next(runs *r, runs_record *record, bool *more, vl_error *error);
/* Bytes written to disk. */
uint64_t runs_spilled(const runs *r);

#endif
