/* onednn.h — what a thread keeps of oneDNN: a stream, the primitives it has made, and scratch
 * memory. Not part of the VL_REAL_DOUBLE build.
 *
 * Making a primitive costs far more than running a small one, so each thread keeps those it
 * made under a key that says all there is to say about the problem (a network has a few dozen).
 * oneDNN would spread a product over OpenMP threads; parallelism here is one picture or one
 * shard a thread, so its threads are switched off on every thread that comes by. */
#ifndef KERNEL_ONEDNN_H
#define KERNEL_ONEDNN_H

#include <vislang/kernel.h>

#include <oneapi/dnnl/dnnl.h>

enum { ONEDNN_KEY = 20, ONEDNN_STEPS = 2, ONEDNN_MEMORIES = 5 };

/* The first number of a key: whose problem it is. */
enum { ONEDNN_GEMM = 1, ONEDNN_CONV };

/* Primitives for one problem. Memories have no data until a run sets it. */
typedef struct onednn_item {
    size_t key[ONEDNN_KEY];
    dnnl_primitive_t step[ONEDNN_STEPS]; /* NULL: not needed */
    dnnl_memory_t memory[ONEDNN_MEMORIES];
} onednn_item;

typedef struct onednn_thread onednn_thread;

/* Of the calling thread; NULL without oneDNN's engine or without memory. */
onednn_thread *onednn_thread_get(void);
dnnl_engine_t onednn_engine(void);

/* What `make` filled in for `key`, now or earlier; NULL when it returned false (what it had put
 * into the item is destroyed then). Valid until the next call. */
onednn_item *onednn_find(onednn_thread *thread, const size_t key[ONEDNN_KEY],
                         bool (*make)(onednn_item *item, const void *problem),
                         const void *problem);
/* A memory without data in the place `index` of the item. */
bool onednn_add_memory(onednn_item *item, size_t index, const dnnl_memory_desc_t *desc);
/* An attribute that adds to what is in the destination; NULL without memory. */
dnnl_primitive_attr_t onednn_sum_attribute(void);

/* At least `bytes` at a multiple of 64, valid until the next call; NULL without. */
void *onednn_scratch(onednn_thread *thread, size_t bytes);

/* Runs a primitive and waits. */
bool onednn_run(onednn_thread *thread, dnnl_primitive_t primitive, int count,
                const dnnl_exec_arg_t *args);

#endif
