/* grouping.h — which records must be in one split: those that tell the same. Of near-duplicates
 * only one item stays, so a paragraph that many documents share does not tie them together; a
 * report that was published twice must not be in two splits, though, and neither must a picture
 * that stays in two languages.
 *
 * Records are one group when a quarter of the items of the smaller one, at least, have
 * near-duplicates in the other (clusters over more than GROUPING_WIDEST records are what every
 * document of a kind has, and say nothing), or when they have a picture in common; and whatever
 * hangs together so. 4 bytes an item and 16 a record are kept; shared items are sorted on disk.
 * One thread at a time. */
#ifndef VL_DATASET_GROUPING_H
#define VL_DATASET_GROUPING_H

#include <vislang/base.h>

enum { GROUPING_WIDEST = 8 };

typedef struct grouping grouping;
vl_status grouping_new(grouping **out, vl_error *error);
void grouping_free(grouping *g); /* NULL allowed */
/* The next item is of that record. Items of a record come together. */
vl_status grouping_add(grouping *g, const char *record, vl_error *error);
/* An item, by its number, is one of the present cluster; `picture`: by its picture alone. */
void grouping_member(grouping *g, size_t item, bool picture);
/* The next members are of another cluster. */
vl_status grouping_end_cluster(grouping *g, vl_error *error);
/* That was the last cluster. */
vl_status grouping_finish(grouping *g, vl_error *error);
/* A number for the group of an item: of the first of its records, whatever else there is. */
uint64_t grouping_of(grouping *g, size_t item);

#endif
