/* gloss.c — see gloss.h. */
#include "serve/gloss.h"

#include "align/tokens.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS_MAX = 12, CANDIDATES_MAX = 512, OF_UNIT_MAX = 64 };

/* That a word of the language means a unit of the hub, to some degree. */
typedef struct sense {
    const char *unit; /* living as long as the space */
    uint32_t word;    /* of the vectors, which are by falling frequency */
    float weight;
} sense;

typedef struct turned { /* a language, from its units to its words */
    char language[VL_LANG_SIZE];
    char **words; /* [word_count], copies */
    size_t word_count;
    sense *senses; /* by unit, the heaviest first */
    size_t count;
} turned;

struct vl_glosses {
    const vl_space *space;
    pthread_mutex_t lock; /* while one is made, and over the list */
    turned **languages;   /* [language_count] NULL: not made yet */
    size_t language_count;
};

vl_glosses *vl_glosses_new(const vl_space *space) {
    vl_glosses *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    pthread_mutex_init(&g->lock, NULL);
    g->space = space;
    g->language_count = vl_space_count(space);
    g->languages = calloc(g->language_count + 1, sizeof(turned *));
    if (g->languages)
        return g;
    vl_glosses_free(g);
    return NULL;
}

static void turned_free(turned *t) {
    if (!t)
        return;
    for (size_t i = 0; t->words && i < t->word_count; i++)
        free(t->words[i]);
    free(t->words);
    free(t->senses);
    free(t);
}

void vl_glosses_free(vl_glosses *g) {
    if (!g)
        return;
    for (size_t i = 0; g->languages && i < g->language_count; i++)
        turned_free(g->languages[i]);
    pthread_mutex_destroy(&g->lock);
    free(g->languages);
    free(g);
}

/* ---- a language turned round ----------------------------------------------------------- */

static int by_unit(const void *x, const void *y) {
    const sense *a = x, *b = y;
    int order = strcmp(a->unit, b->unit);
    if (order)
        return order;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    return (a->word > b->word) - (a->word < b->word);
}

static vl_status take_senses(turned *t, const vl_space *space, const vl_embeddings *vectors,
                             vl_error *error) {
    size_t count = vl_embeddings_count(vectors);
    t->words = calloc(count + 1, sizeof *t->words);
    t->senses = calloc(count * UNITS_MAX + 1, sizeof *t->senses);
    if (!t->words || !t->senses)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a dictionary");
    for (; t->word_count < count; t->word_count++) {
        vl_gloss units[UNITS_MAX];
        const char *word = vl_embeddings_word(vectors, t->word_count);
        if (!(t->words[t->word_count] = strdup(word)))
            return vl_fail(error, VL_ERR_MEMORY, "no memory for a dictionary");
        size_t found = vl_space_gloss(space, t->language, word, units, UNITS_MAX);
        for (size_t i = 0; i < found; i++)
            t->senses[t->count++] =
                (sense){units[i].word, (uint32_t)t->word_count, units[i].weight};
    }
    qsort(t->senses, t->count, sizeof *t->senses, by_unit);
    return VL_OK;
}

static vl_status turn(const vl_space *space, const char *language, turned **out,
                      vl_error *error) {
    vl_embeddings *vectors = NULL;
    turned *t = calloc(1, sizeof *t);
    if (!t)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a dictionary");
    snprintf(t->language, sizeof t->language, "%s", language);
    vl_status status = vl_space_vectors(space, language, &vectors, error);
    if (!status)
        status = take_senses(t, space, vectors, error);
    vl_embeddings_free(vectors);
    if (status)
        turned_free(t);
    else
        *out = t;
    return status;
}

/* NULL without an error: the space has not got it. */
static vl_status find_turned(vl_glosses *g, const char *language, const turned **out,
                             vl_error *error) {
    vl_status status = VL_OK;
    *out = NULL;
    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < g->language_count && !status; i++) {
        if (strcmp(vl_lang_code(vl_space_language(g->space, i)), language) != 0)
            continue;
        if (!g->languages[i])
            status = turn(g->space, language, &g->languages[i], error);
        *out = g->languages[i];
        break;
    }
    pthread_mutex_unlock(&g->lock);
    return status;
}

void vl_glosses_warm(vl_glosses *g, const atomic_bool *stop) {
    const turned *made;
    for (size_t i = 0; i < g->language_count && !atomic_load(stop); i++)
        find_turned(g, vl_lang_code(vl_space_language(g->space, i)), &made, NULL);
}

/* ---- a word ---------------------------------------------------------------------------- */

typedef struct candidate {
    uint32_t word;
    float score;
} candidate;

/* The first sense of the unit, or where it would be. */
static size_t first_of(const turned *t, const char *unit) {
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(t->senses[middle].unit, unit) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t add_score(candidate *list, size_t count, uint32_t word, float score) {
    for (size_t i = 0; i < count; i++)
        if (list[i].word == word) {
            list[i].score += score;
            return count;
        }
    if (count < CANDIDATES_MAX)
        list[count++] = (candidate){word, score};
    return count;
}

/* The better, of equals the more frequent. */
static bool is_better(const candidate *a, const candidate *b) {
    return a->score > b->score || (!(a->score < b->score) && a->word < b->word);
}

static void take_best(vl_gloss_word *w, const turned *t, candidate *list, size_t count) {
    for (w->count = 0; w->count < VL_GLOSS_MEANINGS && w->count < count; w->count++) {
        size_t best = w->count;
        for (size_t i = best + 1; i < count; i++)
            if (is_better(&list[i], &list[best]))
                best = i;
        candidate swap = list[best];
        list[best] = list[w->count];
        list[w->count] = swap;
        w->meanings[w->count].word = t->words[swap.word];
        w->meanings[w->count].weight = swap.score > 1 ? 1 : swap.score;
    }
}

static void to_target(vl_gloss_word *w, const turned *t, const vl_gloss *units, size_t count) {
    candidate list[CANDIDATES_MAX];
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = first_of(t, units[i].word), seen = 0;
             k < t->count && seen < OF_UNIT_MAX && !strcmp(t->senses[k].unit, units[i].word);
             k++, seen++)
            found = add_score(list, found, t->senses[k].word,
                              units[i].weight * t->senses[k].weight);
    take_best(w, t, list, found);
    snprintf(w->language, sizeof w->language, "%s", t->language);
}

static void to_hub(vl_gloss_word *w, const vl_gloss *units, size_t count) {
    for (w->count = 0; w->count < VL_GLOSS_MEANINGS && w->count < count; w->count++) {
        w->meanings[w->count].word = units[w->count].word;
        w->meanings[w->count].weight = units[w->count].weight;
    }
    snprintf(w->language, sizeof w->language, VL_GLOSS_HUB);
}

static void gloss_word(const vl_glosses *g, const char *source, const turned *target,
                       const align_token *token, vl_gloss_word *w) {
    vl_gloss units[UNITS_MAX];
    *w = (vl_gloss_word){.from = token->from, .to = token->to};
    w->is_number = strspn(token->word, "0123456789.") == strlen(token->word);
    if (w->is_number) {
        w->meanings[0].word = token->word;
        w->meanings[0].weight = w->confidence = 1;
        w->known = true;
        w->count = 1;
        snprintf(w->language, sizeof w->language, "%s",
                 target ? target->language : VL_GLOSS_HUB);
        return;
    }
    size_t count = vl_space_gloss(g->space, source, token->word, units, UNITS_MAX);
    if (count && target)
        to_target(w, target, units, count);
    if (count && !w->count)
        to_hub(w, units, count);
    w->known = w->count > 0;
    w->confidence = w->known ? w->meanings[0].weight : 0;
}

vl_status vl_glosses_make(vl_glosses *g, const char *source, const char *target,
                          const char *sentence, vl_arena *arena, vl_gloss_word **words,
                          size_t *count, vl_error *error) {
    align_token *tokens = NULL;
    const turned *to = NULL;
    *words = NULL;
    *count = 0;
    vl_status status = align_tokens(arena, sentence, &tokens, count, error);
    if (!status && strcmp(target, VL_GLOSS_HUB) != 0)
        status = find_turned(g, target, &to, error);
    if (!status && !(*words = vl_arena_array(arena, *count + 1, sizeof **words)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a gloss");
    for (size_t i = 0; !status && i < *count; i++)
        gloss_word(g, source, to, &tokens[i], &(*words)[i]);
    return status;
}
