/* lookup.h — words of a dictionary in a space, and the rows of a space as they are compared. */
#ifndef VL_ALIGN_LOOKUP_H
#define VL_ALIGN_LOOKUP_H

#include <vislang/align.h>

/* Where a dictionary's word stands in a space: as it is written, else as align_tokens folds it;
 * SIZE_MAX: not there, or it is several words. `scratch` is reset. */
size_t align_lookup(const vl_embeddings *embeddings, vl_arena *scratch, const char *word);

/* A copy of the first `max` rows, of length 1; the caller frees it. VL_ERR_INPUT: a row with
 * numbers that are not finite. */
vl_status align_unit_rows(const vl_embeddings *embeddings, size_t max, vl_rows *rows,
                          vl_error *error);

enum { ALIGN_LOOKUP_BYTES = 1 << 22 };

#endif
