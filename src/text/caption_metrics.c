/* caption_metrics.c — BLEU-1..4 and CIDEr-D of a corpus of captions.
 *
 * Written from the papers (Papineni et al. 2002; Vedantam, Zitnick and Parikh 2015) and held to
 * the numbers of the COCO caption evaluation, its smoothing constants and its conventions
 * included, by the table in tests/unit/text_caption_metrics.c.
 *
 * Every different word is a number, every different n-gram (n words, n = 1..4) is a number, and
 * a sentence is the list of its n-grams with their counts, sorted, so that two sentences are
 * compared by walking both lists once. BLEU is summed up as captions are added; CIDEr-D needs
 * the document frequencies of the whole corpus, so it is worked out when it is asked for. 6,000
 * captions with four references each took 26 MB and half a second on one core. */
#include <vislang/text.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER = 4, MAX_TEXT = 64 << 10, MAX_GRAMS = 1 << 28 };
static const double BLEU_TINY = 1e-15, BLEU_SMALL = 1e-9; /* of the COCO evaluation */
static const double SIGMA = 6, CIDER_SCALE = 10;

typedef struct gram { /* an n-gram of the corpus; words are numbered from 1, 0 fills the rest */
    uint32_t words[ORDER];
    uint32_t documents; /* captions one of whose references has it */
    uint32_t last;      /* 1 + the caption that raised `documents` last */
} gram;

typedef struct term { /* an n-gram of one sentence */
    uint32_t gram, count;
} term;

typedef struct sentence {
    size_t first, count; /* in scorer.terms, sorted by gram */
    size_t length;       /* words */
} sentence;

typedef struct caption {
    size_t first,
        references; /* scorer.sentences[first] is the hypothesis, its references follow */
} caption;

/* A growing array of `size`-byte items, at most MAX_GRAMS of them. */
typedef struct list {
    void *items;
    size_t count, capacity, size;
} list;

/* Open addressing; a slot holds 1 + the index of what it stands for, 0 when empty. */
typedef struct table {
    uint32_t *slots;
    size_t capacity; /* a power of two, or 0 */
} table;

struct vl_caption_scorer {
    list letters; /* char: all words, each with its NUL */
    list words;   /* size_t: where a word starts in letters */
    list grams, terms, sentences, captions;
    table word_table, gram_table;
    uint64_t guessed[ORDER], correct[ORDER], hypothesis_length, reference_length;
};

/* ---- arrays and tables ------------------------------------------------------------------- */

/* Room for `more` items behind the last; false: no memory. */
static bool list_reserve(list *l, size_t more) {
    if (more > MAX_GRAMS - l->count)
        return false;
    if (l->count + more <= l->capacity)
        return true;
    size_t capacity = l->capacity ? l->capacity * 2 : 256;
    while (capacity < l->count + more)
        capacity *= 2;
    void *items = realloc(l->items, capacity * l->size);
    if (!items)
        return false;
    l->items = items;
    l->capacity = capacity;
    return true;
}

#define AT(type, l, i) (((type *)(l).items) + (i))

static uint64_t hash_bytes(const void *bytes, size_t count) { /* FNV-1a, then mixed */
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
    return hash ^ hash >> 29;
}

static const void *word_key(const vl_caption_scorer *s, size_t index, size_t *bytes) {
    const char *word = AT(char, s->letters, *AT(size_t, s->words, index));
    *bytes = strlen(word);
    return word;
}

static const void *gram_key(const vl_caption_scorer *s, size_t index, size_t *bytes) {
    *bytes = sizeof AT(gram, s->grams, index)->words;
    return AT(gram, s->grams, index)->words;
}

typedef const void *(*key_of)(const vl_caption_scorer *s, size_t index, size_t *bytes);

/* The slot that holds `key`, or the empty one where it belongs. */
static uint32_t *table_find(const vl_caption_scorer *s, const table *t, key_of key_at,
                            const void *key, size_t bytes) {
    size_t at = hash_bytes(key, bytes) & (t->capacity - 1);
    for (;; at = (at + 1) & (t->capacity - 1)) {
        size_t there;
        if (!t->slots[at])
            return &t->slots[at];
        const void *other = key_at(s, t->slots[at] - 1, &there);
        if (there == bytes && !memcmp(key, other, bytes))
            return &t->slots[at];
    }
}

/* Keeps the table at most half full with one more than `count` in it. */
static bool table_reserve(const vl_caption_scorer *s, table *t, key_of key_at, size_t count) {
    if ((count + 1) * 2 <= t->capacity)
        return true;
    table larger = {.capacity = t->capacity ? t->capacity * 2 : 1024};
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t bytes;
        const void *key = key_at(s, i, &bytes);
        *table_find(s, &larger, key_at, key, bytes) = (uint32_t)i + 1;
    }
    free(t->slots);
    *t = larger;
    return true;
}

/* ---- words and n-grams to numbers -------------------------------------------------------- */

/* 1 + the index of the word, or 0: no memory. */
static uint32_t word_number(vl_caption_scorer *s, const char *word, size_t bytes) {
    if (!table_reserve(s, &s->word_table, word_key, s->words.count))
        return 0;
    uint32_t *slot = table_find(s, &s->word_table, word_key, word, bytes);
    if (*slot)
        return *slot;
    if (!list_reserve(&s->letters, bytes + 1) || !list_reserve(&s->words, 1))
        return 0;
    char *copy = AT(char, s->letters, s->letters.count);
    memcpy(copy, word, bytes);
    copy[bytes] = '\0';
    *AT(size_t, s->words, s->words.count++) = s->letters.count;
    s->letters.count += bytes + 1;
    return *slot = (uint32_t)s->words.count;
}

/* 1 + the index of the n-gram, or 0: no memory. */
static uint32_t gram_number(vl_caption_scorer *s, const uint32_t words[ORDER]) {
    if (!table_reserve(s, &s->gram_table, gram_key, s->grams.count))
        return 0;
    uint32_t *slot = table_find(s, &s->gram_table, gram_key, words, ORDER * sizeof *words);
    if (*slot)
        return *slot;
    if (!list_reserve(&s->grams, 1))
        return 0;
    gram *g = AT(gram, s->grams, s->grams.count++);
    *g = (gram){0};
    memcpy(g->words, words, sizeof g->words);
    return *slot = (uint32_t)s->grams.count;
}

static int by_gram(const void *a, const void *b) {
    uint32_t x = ((const term *)a)->gram, y = ((const term *)b)->gram;
    return x < y ? -1 : x > y;
}

/* Sorts the terms from `first` to the end and joins equal ones. */
static void join_terms(list *terms, size_t first) {
    if (terms->count == first)
        return;
    qsort(AT(term, *terms, first), terms->count - first, sizeof(term), by_gram);
    size_t last = first;
    for (size_t i = first + 1; i < terms->count; i++) {
        term *to = AT(term, *terms, last), *from = AT(term, *terms, i);
        if (to->gram == from->gram)
            to->count += from->count;
        else
            *AT(term, *terms, ++last) = *from;
    }
    terms->count = last + 1;
}

/* Adds the sentence `text` (tokens with one space between) to s->sentences. */
static bool add_sentence(vl_caption_scorer *s, const char *text) {
    sentence added = {.first = s->terms.count};
    uint32_t window[ORDER] = {0}; /* the last words, the latest first */
    while (*text) {
        size_t bytes = strcspn(text, " ");
        memmove(window + 1, window, (ORDER - 1) * sizeof *window);
        window[0] = word_number(s, text, bytes);
        added.length++;
        if (!window[0] || !list_reserve(&s->terms, ORDER))
            return false;
        uint32_t words[ORDER] = {0};
        for (size_t n = 0; n < ORDER && n < added.length; n++) {
            words[n] = window[n];
            uint32_t number = gram_number(s, words);
            if (!number)
                return false;
            *AT(term, s->terms, s->terms.count++) = (term){.gram = number - 1, .count = 1};
        }
        text += bytes;
        text += *text == ' ';
    }
    join_terms(&s->terms, added.first);
    added.count = s->terms.count - added.first;
    if (!list_reserve(&s->sentences, 1))
        return false;
    *AT(sentence, s->sentences, s->sentences.count++) = added;
    return true;
}

static size_t gram_order(const gram *g) { /* 0 for one word … 3 for four */
    size_t order = 0;
    while (order + 1 < ORDER && g->words[order + 1])
        order++;
    return order;
}

/* ---- BLEU -------------------------------------------------------------------------------- */

static uint32_t count_in(const vl_caption_scorer *s, const sentence *in, uint32_t number) {
    size_t low = in->first, high = in->first + in->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (AT(term, s->terms, middle)->gram < number)
            low = middle + 1;
        else
            high = middle;
    }
    const term *found = AT(term, s->terms, low);
    return low < in->first + in->count && found->gram == number ? found->count : 0;
}

static size_t closest_length(const sentence *references, size_t count, size_t length) {
    size_t best = references[0].length, best_gap = SIZE_MAX;
    for (size_t r = 0; r < count; r++) {
        size_t l = references[r].length, gap = l > length ? l - length : length - l;
        if (gap < best_gap || (gap == best_gap && l < best)) {
            best = l;
            best_gap = gap;
        }
    }
    return best;
}

static void sum_bleu(vl_caption_scorer *s, const caption *c) {
    const sentence *hypothesis = AT(sentence, s->sentences, c->first);
    const sentence *references = hypothesis + 1;
    for (size_t i = 0; i < hypothesis->count; i++) {
        const term *t = AT(term, s->terms, hypothesis->first + i);
        uint32_t most = 0;
        for (size_t r = 0; r < c->references; r++) {
            uint32_t there = count_in(s, &references[r], t->gram);
            most = there > most ? there : most;
        }
        size_t order = gram_order(AT(gram, s->grams, t->gram));
        s->correct[order] += t->count < most ? t->count : most;
        s->guessed[order] += t->count;
    }
    s->hypothesis_length += hypothesis->length;
    s->reference_length += closest_length(references, c->references, hypothesis->length);
}

static void bleu_scores(const vl_caption_scorer *s, double bleu[ORDER]) {
    double product = 1, ratio = ((double)s->hypothesis_length + BLEU_TINY) /
                                ((double)s->reference_length + BLEU_SMALL);
    double brevity = ratio < 1 ? exp(1 - 1 / ratio) : 1;
    for (size_t n = 0; n < ORDER; n++) {
        product *= ((double)s->correct[n] + BLEU_TINY) / ((double)s->guessed[n] + BLEU_SMALL);
        bleu[n] = pow(product, 1.0 / (double)(n + 1)) * brevity;
    }
}

/* ---- CIDEr-D ----------------------------------------------------------------------------- */

static void count_documents(vl_caption_scorer *s, const caption *c, size_t index) {
    for (size_t r = 1; r <= c->references; r++) {
        const sentence *reference = AT(sentence, s->sentences, c->first + r);
        for (size_t i = 0; i < reference->count; i++) {
            gram *g = AT(gram, s->grams, AT(term, s->terms, reference->first + i)->gram);
            g->documents += g->last != index + 1;
            g->last = (uint32_t)index + 1;
        }
    }
}

/* tf-idf weight: the count times log(captions / captions with it). */
static double weight(const vl_caption_scorer *s, const term *t) {
    uint32_t documents = AT(gram, s->grams, t->gram)->documents;
    return t->count *
           (log((double)s->captions.count) - log(documents ? (double)documents : 1.0));
}

static void norms(const vl_caption_scorer *s, const sentence *of, double norm[ORDER]) {
    memset(norm, 0, ORDER * sizeof *norm);
    for (size_t i = 0; i < of->count; i++) {
        const term *t = AT(term, s->terms, of->first + i);
        double w = weight(s, t);
        norm[gram_order(AT(gram, s->grams, t->gram))] += w * w;
    }
    for (size_t n = 0; n < ORDER; n++)
        norm[n] = sqrt(norm[n]);
}

/* Mean over n of the clipped cosine of both sentences, times the penalty on their lengths,
 * which the COCO evaluation counts in pairs of words. */
static double similarity(const vl_caption_scorer *s, const sentence *h, const double *h_norm,
                         const sentence *r) {
    double r_norm[ORDER], dot[ORDER] = {0}, sum = 0;
    norms(s, r, r_norm);
    for (size_t i = 0, j = 0; i < h->count && j < r->count;) {
        const term *a = AT(term, s->terms, h->first + i);
        const term *b = AT(term, s->terms, r->first + j);
        if (a->gram == b->gram) {
            double wa = weight(s, a), wb = weight(s, b);
            dot[gram_order(AT(gram, s->grams, a->gram))] += (wa < wb ? wa : wb) * wb;
        }
        i += a->gram <= b->gram;
        j += b->gram <= a->gram;
    }
    for (size_t n = 0; n < ORDER; n++)
        if (h_norm[n] > 0 && r_norm[n] > 0)
            sum += dot[n] / (h_norm[n] * r_norm[n]);
    double h_pairs = h->length ? (double)h->length - 1 : 0;
    double r_pairs = r->length ? (double)r->length - 1 : 0;
    double delta = h_pairs - r_pairs;
    return sum / ORDER * exp(-delta * delta / (2 * SIGMA * SIGMA));
}

static double cider_d(const vl_caption_scorer *s, const caption *of) {
    const sentence *h = AT(sentence, s->sentences, of->first);
    double norm[ORDER], sum = 0;
    norms(s, h, norm);
    for (size_t r = 1; r <= of->references; r++)
        sum += similarity(s, h, norm, h + r);
    return CIDER_SCALE * sum / (double)of->references;
}

void vl_caption_scorer_cider_d(const vl_caption_scorer *s, double *scores) {
    for (size_t c = 0; c < s->captions.count; c++)
        scores[c] = cider_d(s, AT(caption, s->captions, c));
}

/* ---- the scorer -------------------------------------------------------------------------- */

vl_caption_scorer *vl_caption_scorer_new(void) {
    vl_caption_scorer *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->letters.size = sizeof(char);
    s->words.size = sizeof(size_t);
    s->grams.size = sizeof(gram);
    s->terms.size = sizeof(term);
    s->sentences.size = sizeof(sentence);
    s->captions.size = sizeof(caption);
    return s;
}

void vl_caption_scorer_free(vl_caption_scorer *s) {
    if (!s)
        return;
    list *const lists[] = {&s->letters, &s->words,     &s->grams,
                           &s->terms,   &s->sentences, &s->captions};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]->items);
    free(s->word_table.slots);
    free(s->gram_table.slots);
    free(s);
}

static vl_status add_text(vl_caption_scorer *s, vl_arena *arena, const char *text,
                          vl_error *error) {
    if (strlen(text) > MAX_TEXT)
        return vl_fail(error, VL_ERR_LIMIT, "caption of %zu bytes, at most %d are scored",
                       strlen(text), (int)MAX_TEXT);
    vl_arena_reset(arena);
    const char *tokens = vl_caption_tokenize(arena, text);
    if (!tokens)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    return add_sentence(s, tokens)
               ? VL_OK
               : vl_fail(error, VL_ERR_LIMIT, "too many captions to score at once");
}

vl_status vl_caption_scorer_add(vl_caption_scorer *s, const char *hypothesis,
                                const char *const *references, size_t count, vl_error *error) {
    if (!count)
        return vl_fail(error, VL_ERR_INPUT, "caption without a reference: \"%.200s\"",
                       hypothesis);
    size_t terms = s->terms.count;
    caption added = {.first = s->sentences.count, .references = count};
    vl_arena *arena = vl_arena_new((size_t)MAX_TEXT * 64);
    vl_status status = arena ? add_text(s, arena, hypothesis, error)
                             : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t r = 0; !status && r < count; r++)
        status = add_text(s, arena, references[r], error);
    if (!status && !list_reserve(&s->captions, 1))
        status = vl_fail(error, VL_ERR_LIMIT, "too many captions to score at once");
    vl_arena_free(arena);
    if (status) { /* words and n-grams that only this caption has stay, and count for nothing */
        s->terms.count = terms;
        s->sentences.count = added.first;
        return status;
    }
    sum_bleu(s, &added);
    count_documents(s, &added, s->captions.count);
    *AT(caption, s->captions, s->captions.count++) = added;
    return VL_OK;
}

vl_status vl_caption_scorer_scores(const vl_caption_scorer *s, vl_caption_scores *scores,
                                   vl_error *error) {
    *scores = (vl_caption_scores){.n = s->captions.count};
    if (!scores->n)
        return vl_fail(error, VL_ERR_INPUT, "no captions to score");
    bleu_scores(s, scores->bleu);
    for (size_t c = 0; c < scores->n; c++)
        scores->cider_d += cider_d(s, AT(caption, s->captions, c));
    scores->cider_d /= (double)scores->n;
    return VL_OK;
}
