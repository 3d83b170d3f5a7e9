/* arena.c — a region of memory that is freed at once.
 *
 * Blocks of at least 64 KB are chained; an allocation moves a pointer. Reset keeps the first
 * block, so that a request-sized arena allocates from the system once. */
#include <vislang/base.h>

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct block {
    struct block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
} block;

struct vl_arena {
    block *first, *current;
    size_t used, max;
};

enum { BLOCK_BYTES = 64 * 1024 };

static size_t aligned(size_t bytes) {
    size_t mask = alignof(max_align_t) - 1;
    return (bytes + mask) & ~mask;
}

vl_arena *vl_arena_new(size_t max_bytes) {
    vl_arena *arena = calloc(1, sizeof *arena);
    if (arena)
        arena->max = max_bytes;
    return arena;
}

static void blocks_free(block *head) {
    while (head) {
        block *next = head->next;
        free(head);
        head = next;
    }
}

void vl_arena_free(vl_arena *arena) {
    if (!arena)
        return;
    blocks_free(arena->first);
    free(arena);
}

void vl_arena_reset(vl_arena *arena) {
    arena->used = 0;
    arena->current = arena->first;
    if (!arena->first)
        return;
    blocks_free(arena->first->next);
    arena->first->next = NULL;
    arena->first->used = 0;
}

static block *block_add(vl_arena *arena, size_t bytes) {
    size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    block *added = malloc(sizeof *added + size);
    if (!added)
        return NULL;
    *added = (block){.size = size};
    if (arena->current)
        arena->current->next = added;
    else
        arena->first = added;
    arena->current = added;
    return added;
}

void *vl_arena_alloc(vl_arena *arena, size_t bytes) {
    if (bytes > arena->max || arena->used > arena->max - bytes)
        return NULL;
    size_t size = aligned(bytes ? bytes : 1);
    block *b = arena->current;
    if (!b || b->size - b->used < size)
        b = block_add(arena, size);
    if (!b)
        return NULL;
    void *memory = b->bytes + b->used;
    b->used += size;
    arena->used += size;
    return memset(memory, 0, size);
}

void *vl_arena_array(vl_arena *arena, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return vl_arena_alloc(arena, bytes);
}

void *vl_arena_grow(vl_arena *arena, const void *old, size_t old_bytes, size_t new_bytes) {
    void *grown = vl_arena_alloc(arena, new_bytes);
    if (grown && old_bytes)
        memcpy(grown, old, old_bytes < new_bytes ? old_bytes : new_bytes);
    return grown;
}

char *vl_arena_strndup(vl_arena *arena, const char *text, size_t bytes) {
    char *copy = vl_arena_alloc(arena, bytes + 1);
    if (copy)
        memcpy(copy, text, bytes);
    return copy;
}

char *vl_arena_strdup(vl_arena *arena, const char *text) {
    return vl_arena_strndup(arena, text, strlen(text));
}

char *vl_arena_printf(vl_arena *arena, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : vl_arena_alloc(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

size_t vl_arena_used(const vl_arena *arena) {
    return arena->used;
}
