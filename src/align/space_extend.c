/* space_extend.c — what words mean that no list has: as words that are spelled like them, used
 * like them, or lie beside them in the hub (space_build.h). */
#include "align/space_build.h"

#include "align/rows.h"
#include "align/spelling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float BY_SPELLING = 0.6F, BY_USE = 0.3F, BY_RELATIVE = 0.5F, BY_PLACE = 0.1F;
enum { NEAREST = 3, HUB_WORDS = 12000 };
static const float LEAST_USE = 0.5F, TEMPERATURE = 0.05F;

/* Weights of many units for one word, before the heaviest are kept. */
enum { GATHER_MAX = 64 };
typedef struct gathered {
    align_meaning items[GATHER_MAX];
    size_t count;
} gathered;

static void gather(gathered *g, uint32_t unit, float weight) {
    size_t at = 0;
    while (at < g->count && g->items[at].unit != unit)
        at++;
    if (at == g->count && g->count < GATHER_MAX)
        g->items[g->count++] = (align_meaning){unit, 0};
    if (at < g->count)
        g->items[at].weight += weight;
}

static void gather_code(gathered *g, const align_meaning *code, float share) {
    for (size_t k = 0; k < ALIGN_CODE_MAX && code[k].weight > 0; k++)
        gather(g, code[k].unit, share * code[k].weight);
}

static int by_weight(const void *a, const void *b) {
    const align_meaning *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->unit < y->unit ? -1 : x->unit > y->unit;
}

static void keep_heaviest(gathered *g, align_meaning *code) {
    qsort(g->items, g->count, sizeof *g->items, by_weight);
    memset(code, 0, ALIGN_CODE_MAX * sizeof *code);
    float sum = 0;
    for (size_t k = 0; k < g->count; k++)
        sum += g->items[k].weight;
    for (size_t k = 0; k < ALIGN_CODE_MAX && k < g->count; k++)
        code[k] = (align_meaning){g->items[k].unit, g->items[k].weight / fmaxf(sum, 1)};
}

/* ---- spelled alike -------------------------------------------------------------------------
 */

static void add_spelled(gathered *g, const align_spelling *spelling, const char *word,
                        const space_meanings *meanings) {
    align_alike alike[ALIGN_ALIKE_MAX];
    size_t found = align_spelling_find(spelling, word, alike);
    float total = 0;
    for (size_t i = 0; i < found; i++)
        total += alike[i].cosine * alike[i].cosine;
    for (size_t i = 0; i < found; i++)
        gather_code(g, meanings->code[alike[i].word],
                    BY_SPELLING * alike[0].cosine * alike[i].cosine * alike[i].cosine / total);
}

/* ---- words of relatives ---------------------------------------------------------------------
 */

enum { RELATIVE_LETTERS = 3 };

static void add_relatives(gathered *g, const space_extend *with, const char *word) {
    size_t letters = 0;
    for (const char *c = word; *c; c++)
        letters += ((unsigned char)*c & 0xC0) != 0x80;
    for (size_t i = 0; letters >= RELATIVE_LETTERS && i < with->relative_count; i++) {
        uint32_t at = word_set_find(&with->relatives[i].words, word);
        if (at != UINT32_MAX) {
            gather_code(g, with->relatives[i].code[at], BY_RELATIVE);
            return;
        }
    }
}

/* ---- rows of chosen words ------------------------------------------------------------------
 */

typedef struct chosen {
    float *data;     /* unit rows [count][dim] */
    uint32_t *which; /* [count]: the caller's numbers */
    size_t count, dim;
} chosen;

static void chosen_deinit(chosen *c) {
    free(c->data);
    free(c->which);
}

/* Of `words` those that `in` has. */
static vl_status choose(const vl_embeddings *in, const char *const *words, size_t count,
                        chosen *out, vl_error *error) {
    *out = (chosen){.dim = vl_embeddings_dim(in)};
    out->data = malloc((count + 1) * out->dim * sizeof *out->data);
    out->which = malloc((count + 1) * sizeof *out->which);
    if (!out->data || !out->which)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu rows", count);
    for (size_t i = 0; i < count; i++) {
        size_t at = vl_embeddings_find(in, words[i]);
        if (at == SIZE_MAX)
            continue;
        memcpy(out->data + out->count * out->dim, vl_embeddings_row(in, at),
               out->dim * sizeof *out->data);
        out->which[out->count++] = (uint32_t)i;
    }
    align_rows_unit(out->data, out->count, out->dim);
    return VL_OK;
}

/* The NEAREST of `to` for each of `from`. */
typedef struct nearest {
    uint32_t *index;
    float *score;
} nearest;

static void nearest_deinit(nearest *n) {
    free(n->index);
    free(n->score);
}

static vl_status find_nearest(const chosen *from, const chosen *to, vl_retrieval by,
                              nearest *out, vl_error *error) {
    vl_retrieval_options options = vl_retrieval_options_default();
    vl_rows source = {from->data, from->count, from->dim};
    vl_rows target = {to->data, to->count, to->dim};
    options.by = by;
    options.top = NEAREST;
    out->index = malloc((from->count + 1) * NEAREST * sizeof *out->index);
    out->score = malloc((from->count + 1) * NEAREST * sizeof *out->score);
    if (!out->index || !out->score)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for neighbours");
    return from->count && to->count
               ? vl_rows_retrieve(&source, &target, &options, out->index, out->score, error)
               : VL_OK;
}

/* ---- used alike ----------------------------------------------------------------------------
 */

static void add_used(gathered *g, const uint32_t *index, const float *score,
                     const chosen *with_meaning, const space_meanings *meanings) {
    float total = 0;
    for (size_t k = 0; k < NEAREST; k++)
        if (index[k] != UINT32_MAX && score[k] > LEAST_USE)
            total += powf(score[k], 4);
    for (size_t k = 0; k < NEAREST; k++)
        if (index[k] != UINT32_MAX && score[k] > LEAST_USE)
            gather_code(g, meanings->code[with_meaning->which[index[k]]],
                        BY_USE * powf(score[k], 4) / total);
}

static vl_status add_all_used(const space_extend *with, const space_meanings *meanings,
                              const char *const *words, size_t count, gathered *all,
                              vl_error *error) {
    chosen known = {0}, asked = {0};
    nearest near = {0};
    vl_status status = choose(with->own, words, count, &asked, error);
    if (!status)
        status = choose(with->own, meanings->words.words, meanings->words.count, &known, error);
    if (!status)
        status = find_nearest(&asked, &known, VL_RETRIEVAL_NEAREST, &near, error);
    for (size_t i = 0; !status && known.count && i < asked.count; i++)
        add_used(&all[asked.which[i]], near.index + i * NEAREST, near.score + i * NEAREST,
                 &known, meanings);
    chosen_deinit(&known);
    chosen_deinit(&asked);
    nearest_deinit(&near);
    return status;
}

/* ---- beside them in the hub ----------------------------------------------------------------
 */

static void add_placed(gathered *g, const uint32_t *index, const float *score,
                       const space_extend *with, const chosen *hub) {
    float shares[NEAREST], total = 0;
    if (index[0] == UINT32_MAX || score[0] < 0)
        return;
    for (size_t k = 0; k < NEAREST; k++) {
        bool there = index[k] != UINT32_MAX;
        shares[k] = there ? expf((score[k] - score[0]) / TEMPERATURE) : 0;
        total += shares[k];
    }
    for (size_t k = 0; k < NEAREST; k++) {
        if (shares[k] <= 0)
            continue;
        const char *word = vl_embeddings_word(with->hub, hub->which[index[k]]);
        uint32_t unit = space_units_of(with->units, word, 0, false);
        if (unit != UINT32_MAX)
            gather(g, unit, BY_PLACE * shares[k] / total);
    }
}

static vl_status add_all_placed(const space_extend *with, const char *const *words,
                                size_t count, gathered *all, vl_error *error) {
    chosen asked = {0}, hub = {0};
    nearest near = {0};
    size_t hub_count = vl_embeddings_count(with->hub);
    if (hub_count > HUB_WORDS)
        hub_count = HUB_WORDS;
    const char **hub_words = malloc((hub_count + 1) * sizeof *hub_words);
    vl_status status = hub_words ? choose(with->inhub, words, count, &asked, error)
                                 : vl_fail(error, VL_ERR_MEMORY, "no memory for words");
    for (size_t i = 0; !status && i < hub_count; i++)
        hub_words[i] = vl_embeddings_word(with->hub, i);
    if (!status)
        status = choose(with->hub, hub_words, hub_count, &hub, error);
    if (!status)
        status = find_nearest(&asked, &hub, VL_RETRIEVAL_CSLS, &near, error);
    for (size_t i = 0; !status && hub.count && i < asked.count; i++)
        add_placed(&all[asked.which[i]], near.index + i * NEAREST, near.score + i * NEAREST,
                   with, &hub);
    free(hub_words);
    chosen_deinit(&asked);
    chosen_deinit(&hub);
    nearest_deinit(&near);
    return status;
}

vl_status space_extend_codes(const space_extend *with, const space_meanings *meanings,
                             const char *const *words, size_t count,
                             align_meaning (*codes)[ALIGN_CODE_MAX], vl_error *error) {
    align_spelling *spelling = NULL;
    gathered *all = calloc(count + 1, sizeof *all);
    vl_status status =
        all ? align_spelling_new(meanings->words.words, meanings->words.count, &spelling, error)
            : vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", count);
    for (size_t i = 0; !status && i < count; i++)
        add_spelled(&all[i], spelling, words[i], meanings);
    for (size_t i = 0; !status && i < count; i++)
        add_relatives(&all[i], with, words[i]);
    if (!status)
        status = add_all_used(with, meanings, words, count, all, error);
    if (!status && with->inhub)
        status = add_all_placed(with, words, count, all, error);
    for (size_t i = 0; !status && i < count; i++)
        keep_heaviest(&all[i], codes[i]);
    align_spelling_free(spelling);
    free(all);
    return status;
}
