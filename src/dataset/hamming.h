/* hamming.h — all pairs of 64-bit hashes that differ in few bits, without comparing all.
 *
 * Multi-index hashing (Norouzi, Punjani and Fleet, Fast Search in Hamming Space with
 * Multi-Index Hashing, 2012, section 3): hashes are cut into m chunks, m about 64 /
 * log2(count); where two differ in at most d = m q + a bits, either one of the first a + 1
 * chunks differs in at most q, or one of the others in at most q - 1. So the hashes that are
 * that near in a chunk are looked up, and compared: every pair is found, and the same pairs
 * whatever the memory.
 *
 * The hashes lie in a file. As many as fit into memory at once are put into a table by chunk,
 * and all are looked up in it; then come the next. */
#ifndef VL_DATASET_HAMMING_H
#define VL_DATASET_HAMMING_H

#include "dataset/spill.h"

enum { HAMMING_MOST = 16, HAMMING_LEAST_MEMORY = 2 << 20 };
typedef struct hamming_record {
    uint32_t high, low, item;
} hamming_record;
/* Called for two items whose hashes differ in 1 to `distance` bits, perhaps more than once. */
typedef void (*hamming_near)(void *user, uint32_t a, uint32_t b);
/* Whether it makes no difference if two items are near, now and ever after, and so for all that
 * are like one of them: an equivalence that only grows. Hashes that crowd together are then
 * passed over together, or their pairs would be as many as the square of them. */
typedef bool (*hamming_known)(void *user, uint32_t a, uint32_t b);
/* `hashes`: `count` of the above; each hash stands there once; ascending is fastest.
 * `known` NULL: every pair is given.
 * VL_ERR_USAGE: a distance over HAMMING_MOST, too little memory; VL_ERR_CANCELLED. */
vl_status hamming_join(spill *hashes, size_t count, unsigned distance, size_t memory,
                       hamming_near near, hamming_known known, void *user, vl_error *error);

#endif
