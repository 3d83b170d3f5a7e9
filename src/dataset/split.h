/* split.h — which part of a dataset a row goes to: train, validation or test.
 *
 * What must not be in two parts has one group, and a group is drawn as one: its part is a
 * function of its number, the seed and the shares and of nothing else, so it is the same
 * whatever else the dataset holds, and stays when rows are added. Thread-safe. */
#ifndef VL_DATASET_SPLIT_H
#define VL_DATASET_SPLIT_H

#include <vislang/dataset.h>

/* `group`: grouping_of (grouping.h). `shares` are of groups, and need not sum to 1; one that
 * is not above 0 is none, and without any all is train. */
vl_split vl_split_of(uint64_t group, uint64_t seed, const double shares[VL_SPLIT_COUNT]);

#endif
