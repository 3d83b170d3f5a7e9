/* identical.c — see identical.h. Words of both documents are numbered together; the bag of
 * every span of up to three sentences is made once, so that a cosine is one walk along two
 * lists. */
#include "align/identical.h"
#include "align/corpus.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double ALONE = 0.51, SPARE = 0.1;
enum { WHOLE_CELLS = 4 << 20, RADIUS = 200 };

/* Words of a span: numbers, rising, each once. */
typedef struct bag {
    const uint32_t *words;
    uint32_t count;
    float norm;
} bag;

typedef struct bags {
    bag *of[2]; /* [sentences][ALIGN_IDENTICAL_SPAN]: spans that begin there */
    size_t counts[2];
    float *weight; /* [vocabulary], squared */
} bags;

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool make_bag(vl_arena *arena, const align_corpus *corpus, size_t first, size_t count,
                     const float *weight, bag *out) {
    size_t from = corpus->start[first], all = corpus->start[first + count] - from, kept = 0;
    uint32_t *words = vl_arena_array(arena, all + 1, sizeof *words);
    double sum = 0;
    if (!words)
        return false;
    if (all)
        memcpy(words, corpus->words + from, all * sizeof *words);
    qsort(words, all, sizeof *words, by_value);
    for (size_t i = 0; i < all; i++)
        if (!kept || words[i] != words[kept - 1])
            words[kept++] = words[i];
    for (size_t i = 0; i < kept; i++)
        sum += (double)weight[words[i]];
    *out = (bag){words, (uint32_t)kept, (float)sqrt(sum)};
    return true;
}

/* log((1 + sentences) / (1 + sentences with it)) + 1, squared */
static bool weigh(vl_arena *arena, const align_corpus *corpus, float **weight) {
    uint32_t *last = vl_arena_array(arena, corpus->vocabulary + 1, sizeof *last);
    *weight = vl_arena_array(arena, corpus->vocabulary + 1, sizeof **weight);
    if (!last || !*weight)
        return false;
    for (size_t s = 0; s < corpus->count; s++)
        for (size_t i = corpus->start[s]; i < corpus->start[s + 1]; i++) {
            uint32_t word = corpus->words[i];
            (*weight)[word] += last[word] != s + 1;
            last[word] = (uint32_t)s + 1;
        }
    for (size_t i = 0; i < corpus->vocabulary; i++) {
        double idf = log((1 + (double)corpus->count) / (1 + (double)(*weight)[i])) + 1;
        (*weight)[i] = (float)(idf * idf);
    }
    return true;
}

static vl_status make_bags(vl_arena *arena, const vl_sentences *a, const vl_sentences *b,
                           bags *out, vl_error *error) {
    align_corpus corpus;
    const vl_sentences *sides[] = {a, b};
    const char **texts = vl_arena_array(arena, a->count + b->count + 1, sizeof *texts);
    bool fits = texts;
    for (size_t i = 0, all = 0; fits && i < 2; i++)
        for (size_t k = 0; k < sides[i]->count; k++)
            texts[all++] = sides[i]->texts[k];
    vl_status status =
        fits ? align_corpus_read(arena, texts, a->count + b->count, &corpus, error) : VL_OK;
    if (status)
        return status;
    fits = fits && weigh(arena, &corpus, &out->weight);
    for (size_t side = 0; fits && side < 2; side++) {
        size_t count = out->counts[side] = sides[side]->count, first = side ? a->count : 0;
        out->of[side] =
            vl_arena_array(arena, count * ALIGN_IDENTICAL_SPAN + 1, sizeof *out->of[side]);
        fits = out->of[side];
        for (size_t i = 0; fits && i < count; i++)
            for (size_t n = 1; fits && n <= ALIGN_IDENTICAL_SPAN && i + n <= count; n++)
                fits = make_bag(arena, &corpus, first + i, n, out->weight,
                                &out->of[side][i * ALIGN_IDENTICAL_SPAN + n - 1]);
    }
    return fits ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for the documents' words");
}

static double cosine(const bags *b, const bag *x, const bag *y) {
    double sum = 0;
    for (uint32_t i = 0, k = 0; i < x->count && k < y->count;) {
        uint32_t one = x->words[i], other = y->words[k];
        if (one == other)
            sum += (double)b->weight[one];
        i += one <= other;
        k += other <= one;
    }
    return sum > 0 ? sum / ((double)x->norm * (double)y->norm) : 0;
}

static double bead_cost(const void *user, size_t i, size_t j, size_t m, size_t n) {
    const bags *b = user;
    if (m > ALIGN_IDENTICAL_SPAN || n > ALIGN_IDENTICAL_SPAN ||
        m + n > ALIGN_IDENTICAL_SPAN + 1)
        return ALIGN_IMPOSSIBLE;
    const bag *x = &b->of[0][(i - m) * ALIGN_IDENTICAL_SPAN + m - 1];
    const bag *y = &b->of[1][(j - n) * ALIGN_IDENTICAL_SPAN + n - 1];
    double sentences = (double)(m + n);
    return (1 - cosine(b, x, y)) * sentences / 2 + SPARE * (sentences - 2);
}

/* A way along the diagonal, one sentence at a time. */
static align_step *diagonal(vl_arena *arena, size_t a, size_t b, size_t *steps) {
    align_step *path = vl_arena_array(arena, a + b + 1, sizeof *path);
    size_t i = 0, j = 0;
    *steps = 0;
    while (path && (i < a || j < b)) {
        bool down = i < a && (j == b || (i + 1) * b <= (j + 1) * a);
        bool along = j < b && (i == a || (j + 1) * a <= (i + 1) * b);
        path[(*steps)++] = (align_step){
            .a_from = (uint32_t)i, .b_from = (uint32_t)j, .a_count = down, .b_count = along};
        i += down;
        j += along;
    }
    return path;
}

vl_status align_band_wide(vl_arena *arena, size_t a_count, size_t b_count, align_band *band,
                          vl_error *error) {
    if ((a_count + 1) * (b_count + 1) <= WHOLE_CELLS)
        return align_band_full(arena, a_count, b_count, band, error);
    size_t along;
    align_step *way = diagonal(arena, a_count, b_count, &along);
    return way ? align_band_around(arena, way, along, a_count, b_count, RADIUS, band, error)
               : vl_fail(error, VL_ERR_MEMORY, "no memory for the documents");
}

vl_status align_identical_path(vl_arena *arena, const vl_sentences *a, const vl_sentences *b,
                               align_step **path, size_t *steps, vl_error *error) {
    bags words = {0};
    align_band band;
    align_costs costs = {.bead = bead_cost, .user = &words, .alone = ALONE};
    vl_status status = make_bags(arena, a, b, &words, error);
    if (!status)
        status = align_band_wide(arena, a->count, b->count, &band, error);
    return status ? status : align_band_path(arena, &band, &costs, path, steps, error);
}
