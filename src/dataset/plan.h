/* plan.h — what a build is to do, written down before it begins, so that every process and
 * every run does the same: the records with their documents, a line of JSON each, and where
 * each line begins. A chunk is a run of records, the unit of work.
 *
 * The plan stands in .vislang-build/plan.jsonl and plan.index of the dataset's folder; the
 * index comes last. A plan that is open is read-only, and thread-safe. */
#ifndef VL_DATASET_PLAN_H
#define VL_DATASET_PLAN_H

#include "dataset/build_recipe.h"

/* A chunk has so many bytes of documents, or so many records, and more where there would be
 * over PLAN_CHUNKS_MAX chunks. */
enum { PLAN_CHUNK_BYTES = 128 << 10, PLAN_CHUNK_RECORDS = 200, PLAN_CHUNKS_MAX = 8000 };

typedef struct plan plan;
/* Asks for the documents and writes the plan. */
vl_status plan_make(const build_recipe *recipe, const vl_build_options *options,
                    vl_error *error);
bool plan_is_there(const char *folder);
vl_status plan_open(const char *folder, plan **out, vl_error *error);
void plan_close(plan *p); /* NULL allowed */
uint64_t plan_records(const plan *p);
uint64_t plan_documents(const plan *p);
size_t plan_chunks(const plan *p);

typedef struct plan_record {
    const char *record, *collection;
    vl_build_document *documents;
    size_t count;
} plan_record;
/* The records of a chunk, one after another; `give` has the arena, which is reset before each.
 */
typedef vl_status (*plan_record_fn)(const plan_record *record, vl_arena *arena, void *to,
                                    vl_error *error);
vl_status plan_chunk(const plan *p, size_t chunk, vl_arena *arena, plan_record_fn give,
                     void *to, vl_error *error);

#endif
