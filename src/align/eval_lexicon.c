/* eval_lexicon.c — is the translation of a word the nearest word of the other language: by
 * vectors, by letters, and by chance. */
#include "align/edit_distance.h"
#include "align/eval.h"
#include "align/lookup.h"

#include <stdlib.h>
#include <string.h>

enum { SPELT_MAX = 1000 }; /* headwords that the edit distance is worked out for */

typedef struct induction {
    align_eval *eval;
    vl_lexicon *gold[2]; /* as it is, and turned round */
    const vl_embeddings *words[2];
} induction;

static vl_status make_gold(induction *d, const align_pairs *pairs) {
    vl_error *error = d->eval->error;
    vl_status status = vl_lexicon_new(&d->gold[0], error);
    if (!status)
        status = vl_lexicon_new(&d->gold[1], error);
    for (size_t i = 0; i < pairs->count && !status; i++) {
        const align_pair *p = &pairs->items[i];
        status = vl_lexicon_add(
            d->gold[0], &(vl_lexicon_pair){.source = p->src, .target = p->tgt, .confidence = 1},
            error);
        if (!status)
            status = vl_lexicon_add(
                d->gold[1],
                &(vl_lexicon_pair){.source = p->tgt, .target = p->src, .confidence = 1}, error);
    }
    return status;
}

/* ---- by vectors -------------------------------------------------------------------------- */

static void add_scores(cJSON *object, const vl_lexicon_scores scores[2]) {
    for (size_t i = 0; i < 2; i++) {
        align_eval_add_accuracy(object, i, scores[i].p1, scores[i].asked);
        cJSON_AddNumberToObject(object, i ? "accuracy_at_5_reverse" : "accuracy_at_5",
                                scores[i].p5);
    }
}

static void add_coverage(cJSON *root, const vl_lexicon_scores scores[2]) {
    static const char *const names[][2] = {{"headwords", "headwords_reverse"},
                                           {"asked", "asked_reverse"},
                                           {"coverage", "coverage_reverse"}};
    for (size_t i = 0; i < 2; i++) {
        cJSON_AddNumberToObject(root, names[0][i], (double)scores[i].headwords);
        cJSON_AddNumberToObject(root, names[1][i], (double)scores[i].asked);
        cJSON_AddNumberToObject(root, names[2][i], scores[i].coverage);
    }
}

/* Both methods, both ways; the last one is the headline. */
static vl_status score_vectors(induction *d, vl_lexicon_scores scores[2]) {
    static const vl_retrieval methods[] = {VL_RETRIEVAL_NEAREST, VL_RETRIEVAL_CSLS};
    static const char *const names[] = {"cosine", "csls"};
    align_eval *eval = d->eval;
    cJSON *out = cJSON_CreateObject(); /* after the headline */
    for (size_t m = 0; m < 2; m++) {
        vl_retrieval_options options = vl_retrieval_options_default();
        options.by = methods[m];
        for (size_t i = 0; i < 2; i++) {
            vl_status status = vl_lexicon_score(d->words[i], d->words[!i], d->gold[i], &options,
                                                &scores[i], eval->error);
            if (status) {
                cJSON_Delete(out);
                return status;
            }
        }
        add_scores(cJSON_AddObjectToObject(out, names[m]), scores);
    }
    add_coverage(eval->root, scores);
    cJSON_AddStringToObject(eval->root, "method", "csls");
    add_scores(eval->root, scores);
    cJSON_AddItemToObject(eval->root, "methods", out);
    return VL_OK;
}

/* ---- by letters -------------------------------------------------------------------------- */

/* A headword and its right translations, in the two vocabularies. */
typedef struct place {
    uint32_t from, to;
} place;

typedef struct spelling {
    const vl_embeddings *from;
    const align_spellings *spellings;
    const uint32_t *asked; /* headwords */
    uint64_t *masks;
    size_t candidates;
} spelling;

static int by_place(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

/* The pairs of which both words are there, in order, each once. */
static vl_status find_places(const vl_lexicon *gold, const vl_embeddings *from,
                             const vl_embeddings *to, place **places, size_t *count,
                             vl_error *error) {
    size_t all = vl_lexicon_count(gold), kept = 0;
    vl_arena *scratch = vl_arena_new(ALIGN_LOOKUP_BYTES);
    *count = 0;
    *places = calloc(all + 1, sizeof **places);
    if (!*places || !scratch) {
        vl_arena_free(scratch);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", all);
    }
    for (size_t i = 0; i < all; i++) {
        const vl_lexicon_pair *pair = vl_lexicon_pair_at(gold, i);
        size_t a = align_lookup(from, scratch, pair->source);
        size_t b = a == SIZE_MAX ? a : align_lookup(to, scratch, pair->target);
        if (b != SIZE_MAX)
            (*places)[kept++] = (place){(uint32_t)a, (uint32_t)b};
    }
    vl_arena_free(scratch);
    qsort(*places, kept, sizeof **places, by_place);
    for (size_t i = 0; i < kept; i++)
        if (!i || by_place(&(*places)[i], &(*places)[i - 1]))
            (*places)[(*count)++] = (*places)[i];
    return VL_OK;
}

/* At most SPELT_MAX of the headwords, evenly from the first to the last, as an align_side. */
static vl_status choose_headwords(const place *places, size_t count, align_side *side,
                                  uint32_t *asked, vl_error *error) {
    size_t headwords = 0, seen = 0;
    for (size_t i = 0; i < count; i++)
        headwords += !i || places[i].from != places[i - 1].from;
    *side = (align_side){.weight = calloc(SPELT_MAX, sizeof *side->weight),
                         .from = calloc(SPELT_MAX + 1, sizeof *side->from),
                         .right = calloc(count + 1, sizeof *side->right)};
    if (!side->weight || !side->from || !side->right)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", headwords);
    bool taken = false;
    for (size_t i = 0, right = 0; i < count; i++) {
        if (!i || places[i].from != places[i - 1].from) {
            size_t due = seen++ * SPELT_MAX / (headwords > SPELT_MAX ? headwords : SPELT_MAX);
            taken = due == side->count;
            if (taken) {
                asked[side->count] = places[i].from;
                side->weight[side->count++] = 1;
            }
        }
        if (taken) {
            side->right[right++] = places[i].to;
            side->from[side->count] = right;
        }
    }
    return VL_OK;
}

static void score_spelling(void *user, size_t first, size_t rows, float *scores) {
    const spelling *s = user;
    for (size_t i = 0; i < rows; i++)
        align_spellings_score(s->spellings, vl_embeddings_word(s->from, s->asked[first + i]),
                              s->masks, scores + i * s->candidates);
}

static align_spellings *spell_words(const vl_embeddings *words) {
    size_t count = vl_embeddings_count(words);
    const char **list = malloc((count + 1) * sizeof *list);
    for (size_t i = 0; list && i < count; i++)
        list[i] = vl_embeddings_word(words, i);
    align_spellings *spellings = list ? align_spellings_new(list, count) : NULL;
    free(list);
    return spellings;
}

static vl_status rank_spelling(induction *d, size_t way, align_ranks *ranks,
                               align_ranks *chance) {
    vl_error *error = d->eval->error;
    const vl_embeddings *from = d->words[way];
    const vl_embeddings *to = d->words[!way];
    place *places = NULL;
    size_t count, candidates = vl_embeddings_count(to);
    uint32_t asked[SPELT_MAX];
    align_side side = {0};
    align_spellings *spellings = spell_words(to);
    uint64_t *masks =
        spellings ? malloc(align_spellings_masks(spellings) * sizeof *masks) : NULL;
    vl_status status = masks ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for spellings");
    if (!status)
        status = find_places(d->gold[way], from, to, &places, &count, error);
    if (!status)
        status = choose_headwords(places, count, &side, asked, error);
    if (!status) {
        spelling s = {from, spellings, asked, masks, candidates};
        status = align_rank_all(&side, candidates, score_spelling, &s, ranks, NULL, error);
    }
    *chance = (align_ranks){0};
    for (size_t i = 0; i < side.count; i++) {
        size_t right = side.from[i + 1] - side.from[i];
        align_ranks_add(chance, (align_place){0, right, candidates - right}, 1);
    }
    align_ranks_finish(chance);
    free(places);
    free(masks);
    free(side.weight);
    free(side.from);
    free(side.right);
    align_spellings_free(spellings);
    return status;
}

static vl_status score_baselines(induction *d, const vl_lexicon_scores scores[2]) {
    cJSON *out = cJSON_AddObjectToObject(d->eval->root, "baselines");
    align_ranks ranks[2], chance[2];
    vl_status status = rank_spelling(d, 0, &ranks[0], &chance[0]);
    if (!status)
        status = rank_spelling(d, 1, &ranks[1], &chance[1]);
    if (status)
        return status;
    cJSON_AddNumberToObject(d->eval->root, "chance", chance[0].at1);
    align_eval_add_ranks(cJSON_AddObjectToObject(out, "chance"), chance, false);
    cJSON *identical = cJSON_AddObjectToObject(out, "identical_strings");
    for (size_t i = 0; i < 2; i++)
        align_eval_add_accuracy(identical, i, scores[i].identical, scores[i].asked);
    cJSON *spelt = cJSON_AddObjectToObject(out, "edit_distance");
    align_eval_add_ranks(spelt, ranks, true);
    cJSON_AddNumberToObject(spelt, "headwords", (double)ranks[0].queries);
    cJSON_AddNumberToObject(spelt, "headwords_reverse", (double)ranks[1].queries);
    return VL_OK;
}

vl_status align_eval_lexicon(align_eval *eval) {
    align_pairs pairs;
    vl_lexicon_scores scores[2];
    induction d = {.eval = eval};
    vl_status status = align_eval_pairs(eval, &pairs);
    if (status)
        return status;
    for (size_t i = 0; i < 2 && !status; i++)
        status = align_source_words(eval->source, i, &d.words[i], eval->error);
    if (!status)
        status = make_gold(&d, &pairs);
    if (!status)
        status = score_vectors(&d, scores);
    if (!status)
        status = score_baselines(&d, scores);
    vl_lexicon_free(d.gold[0]);
    vl_lexicon_free(d.gold[1]);
    align_pairs_deinit(&pairs);
    return status;
}
