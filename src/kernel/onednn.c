/* onednn.c — oneDNN's engine and what each thread keeps of it (onednn.h). */
#include "kernel/onednn.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITEMS = 512 };

struct onednn_thread {
    dnnl_stream_t stream;
    onednn_item items[MAX_ITEMS];
    size_t count;
    void *scratch;
    size_t scratch_bytes;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;
static dnnl_engine_t engine;
static bool has_bf16;
static void (*set_threads)(int); /* of the OpenMP runtime that oneDNN is linked with */

/* ---- the process ---------------------------------------------------------------------- */

/* VISLANG_CPU binds oneDNN as well, as far as its own instruction sets go. */
static void bind_instructions(const char *wanted) {
    static const struct {
        const char *name;
        dnnl_cpu_isa_t isa;
    } bounds[] = {{"ref", dnnl_cpu_isa_sse41},
                  {"avx2", dnnl_cpu_isa_avx2},
                  {"avx512", dnnl_cpu_isa_avx512_core_bf16}};
    for (size_t i = 0; wanted && i < sizeof bounds / sizeof *bounds; i++)
        if (!strcmp(wanted, bounds[i].name))
            dnnl_set_max_cpu_isa(bounds[i].isa);
}

static void forget(onednn_item *item) {
    for (size_t i = 0; i < ONEDNN_STEPS; i++)
        if (item->step[i])
            dnnl_primitive_destroy(item->step[i]);
    for (size_t i = 0; i < ONEDNN_MEMORIES; i++)
        if (item->memory[i])
            dnnl_memory_destroy(item->memory[i]);
}

static void thread_free(void *memory) {
    onednn_thread *thread = memory;
    for (size_t i = 0; i < thread->count; i++)
        forget(&thread->items[i]);
    dnnl_stream_destroy(thread->stream);
    free(thread->scratch);
    free(thread);
}

static void start(void) {
    pthread_key_create(&thread_key, thread_free);
    bind_instructions(getenv("VISLANG_CPU"));
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
        engine = NULL;
    *(void **)&set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    const char *wanted = getenv("VISLANG_CPU");
    bool forced_plain = wanted && (!strcmp(wanted, "ref") || !strcmp(wanted, "avx2"));
#ifdef __x86_64__
    has_bf16 = !forced_plain && __builtin_cpu_supports("avx512bf16");
#endif
}

bool vl_cpu_has_bf16(void) {
    pthread_once(&once, start);
    return has_bf16;
}

dnnl_engine_t onednn_engine(void) {
    return engine;
}

/* ---- the thread ----------------------------------------------------------------------- */

onednn_thread *onednn_thread_get(void) {
    pthread_once(&once, start);
    onednn_thread *thread = pthread_getspecific(thread_key);
    if (thread || !engine)
        return thread;
    thread = calloc(1, sizeof *thread);
    if (!thread)
        return NULL;
    if (dnnl_stream_create(&thread->stream, engine, dnnl_stream_default_flags) !=
        dnnl_success) {
        free(thread);
        return NULL;
    }
    if (set_threads)
        set_threads(1);
    pthread_setspecific(thread_key, thread);
    return thread;
}

onednn_item *onednn_find(onednn_thread *thread, const size_t key[ONEDNN_KEY],
                         bool (*make)(onednn_item *, const void *), const void *problem) {
    for (size_t i = 0; i < thread->count; i++)
        if (!memcmp(thread->items[i].key, key, sizeof thread->items[i].key))
            return &thread->items[i];
    if (thread->count == MAX_ITEMS) { /* shapes that vary without end: start over */
        for (size_t i = 0; i < thread->count; i++)
            forget(&thread->items[i]);
        thread->count = 0;
    }
    onednn_item *item = &thread->items[thread->count];
    memset(item, 0, sizeof *item);
    if (!make(item, problem)) {
        forget(item);
        return NULL;
    }
    memcpy(item->key, key, sizeof item->key);
    thread->count++;
    return item;
}

bool onednn_add_memory(onednn_item *item, size_t index, const dnnl_memory_desc_t *desc) {
    return dnnl_memory_create(&item->memory[index], desc, engine, DNNL_MEMORY_NONE) ==
           dnnl_success;
}

dnnl_primitive_attr_t onednn_sum_attribute(void) {
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t sum = NULL;
    if (dnnl_primitive_attr_create(&attr) != dnnl_success)
        return NULL;
    bool ok = dnnl_post_ops_create(&sum) == dnnl_success &&
              dnnl_post_ops_append_sum(sum, 1.0f) == dnnl_success &&
              dnnl_primitive_attr_set_post_ops(attr, sum) == dnnl_success;
    if (sum)
        dnnl_post_ops_destroy(sum);
    if (ok)
        return attr;
    dnnl_primitive_attr_destroy(attr);
    return NULL;
}

void *onednn_scratch(onednn_thread *thread, size_t bytes) {
    if (thread->scratch_bytes < bytes) {
        free(thread->scratch);
        thread->scratch = aligned_alloc(64, (bytes + 63) / 64 * 64);
        thread->scratch_bytes = thread->scratch ? bytes : 0;
    }
    return thread->scratch;
}

bool onednn_run(onednn_thread *thread, dnnl_primitive_t primitive, int count,
                const dnnl_exec_arg_t *args) {
    return dnnl_primitive_execute(primitive, thread->stream, count, args) == dnnl_success &&
           dnnl_stream_wait(thread->stream) == dnnl_success;
}
