/* corpus.h — a document's sentences as numbers: what its alignment is computed from. */
#ifndef VL_ALIGN_CORPUS_H
#define VL_ALIGN_CORPUS_H

#include <vislang/base.h>

/* Of a longer sentence the words behind these are not looked at. */
enum { ALIGN_SENTENCE_WORDS = 1024 };

typedef struct align_corpus {
    size_t count;          /* sentences */
    size_t *start;         /* [count + 1]: where the words of each begin in `words` */
    uint32_t *words;       /* ids, 0 … vocabulary-1 in the order they were first seen */
    float *letters;        /* [count]: characters that are no white space */
    size_t vocabulary;     /* different words */
    const char **spelling; /* [vocabulary]: folded, as align_tokens gives them */
    uint32_t *frequency;   /* [vocabulary] */
    uint32_t *places;      /* the dictionary: see align_corpus_find */
    size_t places_count;
} align_corpus;
/* The number of a folded word, UINT32_MAX when no sentence has it. Thread-safe. */
uint32_t align_corpus_find(const align_corpus *corpus, const char *word);
/* All in the arena. VL_ERR_MEMORY: it is full. */
vl_status align_corpus_read(vl_arena *arena, const char *const *sentences, size_t count,
                            align_corpus *corpus, vl_error *error);

#endif
