/* chunk.h — the work of a build: the records of a chunk taken apart and made items of. What
 * comes out is a function of the records and the recipe.
 *
 * A chunk's file is .vislang-build/chunks/00000.jsonl: lines that begin with "D " are documents
 * as they will stand in documents.jsonl, with "B " base items, with "E " the examples of the
 * base item before them, both without split, duplicates and final score, and with "R " one
 * report, numbers by name to be added up. It appears whole or not at all. Pictures are put
 * under .vislang-build/pictures as they will lie under pictures. */
#ifndef VL_DATASET_CHUNK_H
#define VL_DATASET_CHUNK_H

#include "dataset/plan.h"
#include "dataset/quality.h"

/* What all workers share: models and tables. Read-only once it is there. */
typedef struct chunk_kit chunk_kit;
vl_status chunk_kit_new(const build_recipe *recipe, const vl_build_options *options,
                        chunk_kit **kit, vl_error *error);
void chunk_kit_free(chunk_kit *kit); /* NULL allowed */
const quality_model *chunk_kit_quality(const chunk_kit *kit);

/* A worker: one thread's own memory and engines. Keeps a pointer to the kit. */
typedef struct chunk_worker chunk_worker;
vl_status chunk_worker_new(const chunk_kit *kit, chunk_worker **worker, vl_error *error);
void chunk_worker_free(chunk_worker *worker); /* NULL allowed */

typedef struct chunk_counts {
    uint64_t documents, unread, items, pages, pages_ocr;
} chunk_counts;
/* Makes the chunk's file, unless it is there. */
vl_status chunk_make(chunk_worker *worker, const plan *p, size_t chunk, chunk_counts *counts,
                     vl_error *error);
vl_status chunk_path(const char *folder, size_t chunk, char path[4096], vl_error *error);

#endif
