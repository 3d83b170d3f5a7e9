/* spelling.c — an inverted index of character n-grams (spelling.h). */
#include "align/spelling.h"

#include "align/features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct posting {
    uint32_t gram, word;
} posting;

struct align_spelling {
    posting *postings; /* by gram, then word */
    size_t posting_count, word_count;
    float *norms; /* [word_count] */
};

static const float LEAST_COSINE = 0.5F;
enum { LEAST_CHARACTERS = 4 };

static int by_gram(const void *a, const void *b) {
    const posting *x = a, *y = b;
    if (x->gram != y->gram)
        return x->gram < y->gram ? -1 : 1;
    return x->word < y->word ? -1 : x->word > y->word;
}

/* The postings of a gram: from *from, how many. */
static size_t run_of(const align_spelling *s, uint32_t gram, size_t *from) {
    size_t low = 0, high = s->posting_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->postings[middle].gram < gram)
            low = middle + 1;
        else
            high = middle;
    }
    *from = low;
    while (high < s->posting_count && s->postings[high].gram == gram)
        high++;
    return high - low;
}

static float weight_of(const align_spelling *s, size_t words_with_it) {
    return logf(1 + (float)s->word_count / (float)(words_with_it ? words_with_it : 1));
}

static void measure(align_spelling *s) {
    for (size_t i = 0, end; i < s->posting_count; i = end) {
        for (end = i; end < s->posting_count && s->postings[end].gram == s->postings[i].gram;)
            end++;
        float weight = weight_of(s, end - i);
        for (size_t k = i; k < end; k++)
            s->norms[s->postings[k].word] += weight * weight;
    }
    for (size_t i = 0; i < s->word_count; i++)
        s->norms[i] = sqrtf(s->norms[i]);
}

vl_status align_spelling_new(const char *const *words, size_t count, align_spelling **out,
                             vl_error *error) {
    uint32_t grams[ALIGN_WORD_GRAMS_MAX];
    size_t room = 0;
    *out = NULL;
    for (size_t i = 0; i < count; i++)
        room += align_word_grams(words[i], grams);
    align_spelling *s = calloc(1, sizeof *s);
    if (s) {
        s->postings = malloc((room + 1) * sizeof *s->postings);
        s->norms = calloc(count + 1, sizeof *s->norms);
        s->word_count = count;
    }
    if (!s || !s->postings || !s->norms) {
        align_spelling_free(s);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the spelling of %zu words", count);
    }
    for (size_t i = 0; i < count; i++) {
        size_t found = align_word_grams(words[i], grams);
        for (size_t k = 0; k < found; k++)
            s->postings[s->posting_count++] = (posting){grams[k], (uint32_t)i};
    }
    qsort(s->postings, s->posting_count, sizeof *s->postings, by_gram);
    measure(s);
    *out = s;
    return VL_OK;
}

void align_spelling_free(align_spelling *spelling) {
    if (!spelling)
        return;
    free(spelling->postings);
    free(spelling->norms);
    free(spelling);
}

static void keep_best(align_alike *best, size_t *count, align_alike one) {
    size_t at = *count < ALIGN_ALIKE_MAX ? (*count)++ : ALIGN_ALIKE_MAX;
    while (at && best[at - 1].cosine < one.cosine) {
        if (at < ALIGN_ALIKE_MAX)
            best[at] = best[at - 1];
        at--;
    }
    if (at < ALIGN_ALIKE_MAX)
        best[at] = one;
}

static size_t characters(const char *word) {
    size_t count = 0;
    for (; *word; word++)
        count += ((unsigned char)*word & 0xC0) != 0x80;
    return count;
}

size_t align_spelling_find(const align_spelling *s, const char *word,
                           align_alike out[ALIGN_ALIKE_MAX]) {
    uint32_t grams[ALIGN_WORD_GRAMS_MAX];
    size_t from, count = 0;
    float norm = 0;
    float *sums =
        characters(word) < LEAST_CHARACTERS ? NULL : calloc(s->word_count, sizeof *sums);
    if (!sums)
        return 0;
    size_t found = align_word_grams(word, grams);
    for (size_t k = 0; k < found; k++) {
        size_t run = run_of(s, grams[k], &from);
        float weight = weight_of(s, run);
        norm += weight * weight;
        for (size_t i = from; i < from + run; i++)
            sums[s->postings[i].word] += weight * weight;
    }
    norm = sqrtf(norm);
    for (size_t i = 0; i < s->word_count; i++)
        if (sums[i] > LEAST_COSINE * norm * s->norms[i])
            keep_best(out, &count, (align_alike){i, sums[i] / (norm * s->norms[i])});
    free(sums);
    return count;
}
