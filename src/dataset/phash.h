/* phash.h — a picture in 64 bits that stay almost the same when it is scaled, compressed,
 * brightened or a little cropped.
 *
 * The hash of the discrete cosine transform (Zauner, Implementation and Benchmarking of
 * Perceptual Image Hash Functions, 2010, section 3.2.1): 32 by 32 pixels of grey, its DCT-II,
 * of which the 8 by 8 lowest frequencies without those of 0; a bit says whether a coefficient
 * is above their median. From the 32 by 32 pixels on in whole numbers, so nothing is rounded
 * otherwise on another machine.
 *
 * Two unrelated pictures differ in 32 bits on average; how far alike ones are apart is measured
 * in docs/dataset.md. Thread-safe. */
#ifndef VL_DATASET_PHASH_H
#define VL_DATASET_PHASH_H

#include <vislang/media.h>

/* Of an upright picture, as vl_document_page gives them. *found false: it has no detail to go
 * by (blank, or nearly), so that its hash would be noise. VL_ERR_MEMORY. */
vl_status phash_of(const vl_image *image, uint64_t *hash, bool *found, vl_error *error);
/* In how many bits they differ (Hamming). */
unsigned phash_distance(uint64_t a, uint64_t b);

#endif
