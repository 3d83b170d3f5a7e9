/* duplicates.h — which of many items are nearly the same: texts by MinHash and LSH (minhash.h),
 * pictures by a perceptual hash (phash.h) and its nearest (hamming.h).
 *
 * Two items are near when their texts are (Jaccard similarity of shingles ≥ threshold) or their
 * pictures are (hashes at most `distance` bits apart). A cluster is what hangs together by such
 * pairs, so two of its items may be less alike than a pair is.
 *
 * Items are added in any order, from any number of threads, and finished once; then they are
 * listed. What is listed is a function of the items, the seed and the numbers in the options
 * but `memory`: not of the order, the threads or the folder. Pairs of pictures are all found;
 * pairs of texts as minhash.h says. Where more than DUPLICATES_COMPARED texts share a key, each
 * is compared with that many of them alone (texts that are equal when folded count as one).
 *
 * Memory: at most `memory` bytes, of which 16 an item in the end; what does not fit is sorted
 * in temporary files without names, that vanish with the process: for each item 24 bytes,
 * 28 + `hashes` and 12 a band for a text, and 24 for a picture while it is sorted
 * (a million texts with the defaults: 432 MB). */
#ifndef VL_DATASET_DUPLICATES_H
#define VL_DATASET_DUPLICATES_H

#include <vislang/base.h>

typedef struct vl_duplicates_options {
    double threshold;   /* of texts, 0.1 … 1: 0.8 */
    unsigned distance;  /* of pictures' hashes, 0 … 16 bits: 6 */
    size_t hashes;      /* 64 … 256, a multiple of 16: 128; more of them estimate better */
    uint64_t seed;      /* 0 */
    size_t memory;      /* bytes, at least VL_DUPLICATES_LEAST_MEMORY: 256 MB */
    const char *folder; /* of temporary files; "": $TMPDIR, else /var/tmp */
} vl_duplicates_options;
vl_duplicates_options vl_duplicates_options_default(void);
enum { VL_DUPLICATES_LEAST_MEMORY = 16 << 20, DUPLICATES_COMPARED = 64 };

typedef struct vl_duplicates vl_duplicates;
/* VL_ERR_USAGE: options out of range; VL_ERR_IO: the folder. */
vl_status vl_duplicates_new(const vl_duplicates_options *options, vl_duplicates **out,
                            vl_error *error);
void vl_duplicates_free(vl_duplicates *d); /* NULL allowed */
/* How many items fit into `memory`. */
size_t vl_duplicates_most(const vl_duplicates *d);

typedef struct vl_duplicates_item {
    uint64_t id;      /* each once */
    const char *text; /* NULL, or nothing but punctuation: none, and near to none */
    bool has_picture;
    uint64_t picture; /* phash_of */
    float quality;    /* finite; of a cluster the greatest is kept */
} vl_duplicates_item;
/* Thread-safe, each thread with an arena of its own, which it is given back reset (the caller
 * has nothing in it). Nothing of the item is kept. VL_ERR_LIMIT: a text over
 * SHINGLES_MAX_BYTES, more items than vl_duplicates_most; VL_ERR_USAGE: a quality that is no
 * number; VL_ERR_IO: disk full. After VL_ERR_IO or VL_ERR_MEMORY it can only be freed. */
vl_status vl_duplicates_add(vl_duplicates *d, vl_arena *scratch, const vl_duplicates_item *item,
                            vl_error *error);

/* Finds all. VL_ERR_USAGE: an id was added twice; VL_ERR_IO, VL_ERR_MEMORY; VL_ERR_CANCELLED
 * (vl_stop_watch). After an error it can only be freed. */
vl_status vl_duplicates_finish(vl_duplicates *d, vl_error *error);

typedef struct vl_duplicates_member {
    uint64_t id;
    uint64_t cluster; /* the smallest id of its cluster; its own when it has no near one */
    bool keep;        /* the cluster's best quality, of equal ones the smallest id */
} vl_duplicates_member;
/* After finish: the members of all clusters by (cluster, id). False: that was the last, and the
 * next call begins anew. */
bool vl_duplicates_next(vl_duplicates *d, vl_duplicates_member *member);

typedef struct vl_duplicates_report {
    uint64_t items, clusters;
    uint64_t copies;   /* texts that are equal to another when folded, one of each left out */
    uint64_t compared; /* pairs of texts */
    uint64_t spilled;  /* bytes written to disk, at most at once */
} vl_duplicates_report;
/* After finish. */
vl_duplicates_report vl_duplicates_counts(const vl_duplicates *d);

#endif
