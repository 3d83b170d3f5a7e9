/* word_set.h — words numbered in the order they first come. One thread at a time. */
#ifndef VL_ALIGN_WORD_SET_H
#define VL_ALIGN_WORD_SET_H

#include <vislang/base.h>

typedef struct word_set {
    vl_arena *arena; /* not owned: the words */
    const char **words;
    size_t count, room, slot_count;
    uint32_t *slots; /* number + 1; 0 empty */
} word_set;
/* A set of zeros with an arena is empty. */
void word_set_deinit(word_set *set);
/* UINT32_MAX: no memory. */
uint32_t word_set_add(word_set *set, const char *word);
/* UINT32_MAX: not there. */
uint32_t word_set_find(const word_set *set, const char *word);

#endif
