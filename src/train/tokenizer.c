/* tokenizer.c — learns the merges of a tokenizer from the words of its recipe's text.
 *
 * Words are counted once, so what follows costs by the number of different words. A word is its
 * row of ids; of every pair of neighbouring ids the trainer knows its count and the words it is
 * in. The commonest pair (of equals the one of lower ids) becomes a token, only the words it is
 * in are rewritten, and with them the counts of the pairs they hold. A heap holds the pairs by
 * the count they had when they were put in: counts only ever fall, but for the pairs that the
 * newest token makes, so an entry that says too much is put back with what is true.
 *
 * Counts are whole numbers (those of a source are multiplied to make its weight's share of
 * MASS), so sums do not hang on their order and the same text gives the same merges everywhere.
 */
#include "text/bpe_words.h"
#include "train/tokenizer_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT_BYTES = 1 << 30, PROGRESS_EVERY = 512, BYTES = 256 };
#define MASS 1e12
#define NONE UINT32_MAX

typedef struct word {
    uint32_t start, length; /* in `text`; once training began, in `ids` */
    uint32_t hash, seen;    /* seen: in the source that is being read */
    int64_t count;
} word;

typedef struct pair {
    uint16_t left, right;
    int64_t count;
    uint32_t *words; /* that hold it, or held it once */
    uint32_t word_count, capacity;
} pair;

typedef struct entry {
    int64_t count;
    uint32_t pair;
} entry;

typedef struct trainer {
    vl_bpe *bpe;
    vl_buf text;
    word *words;
    uint32_t *word_slots, word_count, word_capacity, word_slot_count;
    uint64_t source_bytes; /* of the source that is being read */
    uint16_t *ids;
    pair *pairs;
    uint32_t *pair_slots, pair_count, pair_capacity, pair_slot_count;
    entry *heap;
    size_t heap_count, heap_capacity;
    bool failed; /* for want of memory */
} trainer;

/* Room for one more item, or NULL and `failed`. */
static void *grown(trainer *t, void *items, size_t size, size_t count, size_t *capacity) {
    if (count < *capacity)
        return items;
    size_t more = *capacity ? *capacity * 2 : 16;
    void *larger = reallocarray(items, more, size);
    if (larger)
        *capacity = more;
    else
        t->failed = true;
    return larger;
}

static void *grown32(trainer *t, void *items, size_t size, uint32_t count, uint32_t *capacity) {
    size_t wide = *capacity;
    if (count >= UINT32_MAX / 2) {
        t->failed = true;
        return NULL;
    }
    void *larger = grown(t, items, size, count, &wide);
    *capacity = (uint32_t)wide;
    return larger;
}

/* ---- counting words ------------------------------------------------------------------- */

static uint32_t hash_bytes(const char *text, size_t bytes) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    return hash ^ (hash >> 15);
}

/* A table of `slots` with nothing in it. */
static uint32_t *empty_slots(trainer *t, uint32_t slots) {
    uint32_t *table = malloc((size_t)slots * sizeof *table);
    if (table)
        memset(table, 0xFF, (size_t)slots * sizeof *table);
    else
        t->failed = true;
    return table;
}

static bool word_slots_grow(trainer *t) {
    uint32_t slots = t->word_slot_count ? t->word_slot_count * 2 : 1 << 16;
    uint32_t *table = empty_slots(t, slots);
    if (!table)
        return false;
    for (uint32_t i = 0; i < t->word_count; i++) {
        uint32_t at = t->words[i].hash & (slots - 1);
        while (table[at] != NONE)
            at = (at + 1) & (slots - 1);
        table[at] = i;
    }
    free(t->word_slots);
    t->word_slots = table;
    t->word_slot_count = slots;
    return true;
}

/* The word with this text, added when it is new; NULL: no memory. */
static word *word_get(trainer *t, const char *text, size_t bytes) {
    if (t->word_count * 2 >= t->word_slot_count && !word_slots_grow(t))
        return NULL;
    uint32_t hash = hash_bytes(text, bytes), at = hash & (t->word_slot_count - 1);
    for (; t->word_slots[at] != NONE; at = (at + 1) & (t->word_slot_count - 1)) {
        word *w = &t->words[t->word_slots[at]];
        if (w->hash == hash && w->length == bytes &&
            !memcmp(t->text.data + w->start, text, bytes))
            return w;
    }
    word *larger = grown32(t, t->words, sizeof *larger, t->word_count, &t->word_capacity);
    if (!larger)
        return NULL;
    t->words = larger;
    uint32_t start = (uint32_t)t->text.len;
    vl_buf_append(&t->text, text, bytes);
    if (t->text.failed)
        return NULL;
    t->word_slots[at] = t->word_count;
    word *w = &t->words[t->word_count++];
    *w = (word){.start = start, .length = (uint32_t)bytes, .hash = hash};
    return w;
}

static vl_status count_words(const char *language, const char *text, void *user,
                             vl_error *error) {
    trainer *t = user;
    size_t bytes = strlen(text);
    (void)language;
    for (size_t at = 0, step; at < bytes; at += step) {
        step = vl_bpe_word(text + at, bytes - at);
        word *w = word_get(t, text + at, step);
        if (!w)
            return vl_fail(error, VL_ERR_MEMORY, "the words do not fit in memory");
        w->seen++;
    }
    t->source_bytes += bytes;
    return VL_OK;
}

/* Counts every source's words, each scaled to its share of the weights. */
static vl_status read_words(trainer *t, const bpe_recipe *recipe, const char *data_dir,
                            vl_error *error) {
    double weights = 0;
    for (size_t i = 0; i < recipe->source_count; i++)
        weights += recipe->sources[i].weight;
    for (size_t i = 0; i < recipe->source_count; i++) {
        const bpe_source *source = &recipe->sources[i];
        t->source_bytes = 0;
        vl_status status =
            bpe_source_read(source, data_dir, BPE_LINES_TRAIN, count_words, t, error);
        if (status)
            return status;
        if (!t->source_bytes)
            return vl_fail(error, VL_ERR_MISSING, "%s: no text for the recipe in it",
                           source->path);
        int64_t scale = llround(MASS * source->weight / weights / (double)t->source_bytes);
        scale = scale ? scale : 1;
        for (uint32_t w = 0; w < t->word_count; w++) {
            t->words[w].count += scale * t->words[w].seen;
            t->words[w].seen = 0;
        }
    }
    return VL_OK;
}

/* ---- pairs ---------------------------------------------------------------------------- */

static uint32_t pair_hash(uint32_t left, uint32_t right) {
    uint32_t hash = (left << 16 | right) * 0x9E3779B1u;
    return hash ^ (hash >> 15);
}

static bool pair_slots_grow(trainer *t) {
    uint32_t slots = t->pair_slot_count ? t->pair_slot_count * 2 : 1 << 16;
    uint32_t *table = empty_slots(t, slots);
    if (!table)
        return false;
    for (uint32_t i = 0; i < t->pair_count; i++) {
        uint32_t at = pair_hash(t->pairs[i].left, t->pairs[i].right) & (slots - 1);
        while (table[at] != NONE)
            at = (at + 1) & (slots - 1);
        table[at] = i;
    }
    free(t->pair_slots);
    t->pair_slots = table;
    t->pair_slot_count = slots;
    return true;
}

/* The pair, added when it is new; NULL: no memory. */
static pair *pair_get(trainer *t, uint16_t left, uint16_t right) {
    if (t->pair_count * 2 >= t->pair_slot_count && !pair_slots_grow(t))
        return NULL;
    uint32_t at = pair_hash(left, right) & (t->pair_slot_count - 1);
    for (; t->pair_slots[at] != NONE; at = (at + 1) & (t->pair_slot_count - 1)) {
        pair *p = &t->pairs[t->pair_slots[at]];
        if (p->left == left && p->right == right)
            return p;
    }
    pair *larger = grown32(t, t->pairs, sizeof *larger, t->pair_count, &t->pair_capacity);
    if (!larger)
        return NULL;
    t->pairs = larger;
    t->pair_slots[at] = t->pair_count;
    pair *p = &t->pairs[t->pair_count++];
    *p = (pair){.left = left, .right = right};
    return p;
}

/* Adds `count` to every pair of the word's. Pairs with `token` in them (or all, for NONE) learn
 * that this word holds them; the others know. */
static void count_pairs(trainer *t, uint32_t index, int64_t count, uint32_t token) {
    const word *w = &t->words[index];
    const uint16_t *ids = t->ids + w->start;
    for (uint32_t i = 0; i + 1 < w->length; i++) {
        pair *p = pair_get(t, ids[i], ids[i + 1]);
        if (!p)
            return;
        p->count += count;
        if (token != NONE && ids[i] != token && ids[i + 1] != token)
            continue;
        if (p->word_count && p->words[p->word_count - 1] == index)
            continue;
        uint32_t *larger = grown32(t, p->words, sizeof *larger, p->word_count, &p->capacity);
        if (!larger)
            return;
        p->words = larger;
        p->words[p->word_count++] = index;
    }
}

/* ---- heap ----------------------------------------------------------------------------- */

/* Is `a` to be merged before `b`? */
static bool is_before(const trainer *t, entry a, entry b) {
    const pair *p = &t->pairs[a.pair], *q = &t->pairs[b.pair];
    if (a.count != b.count)
        return a.count > b.count;
    return p->left != q->left ? p->left < q->left : p->right < q->right;
}

static void heap_push(trainer *t, uint32_t index) {
    entry *larger = grown(t, t->heap, sizeof *larger, t->heap_count, &t->heap_capacity);
    if (!larger)
        return;
    t->heap = larger;
    entry added = {t->pairs[index].count, index};
    size_t at = t->heap_count++;
    for (; at && is_before(t, added, t->heap[(at - 1) / 2]); at = (at - 1) / 2)
        t->heap[at] = t->heap[(at - 1) / 2];
    t->heap[at] = added;
}

static entry heap_pop(trainer *t) {
    entry top = t->heap[0], last = t->heap[--t->heap_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < t->heap_count; at = child) {
        if (child + 1 < t->heap_count && is_before(t, t->heap[child + 1], t->heap[child]))
            child++;
        if (!is_before(t, t->heap[child], last))
            break;
        t->heap[at] = t->heap[child];
    }
    t->heap[at] = last;
    return top;
}

/* ---- merging -------------------------------------------------------------------------- */

/* Words as ids, their pairs counted, the heap filled. */
static void begin(trainer *t) {
    uint32_t specials = (uint32_t)vl_bpe_special_count(t->bpe);
    t->ids = malloc((t->text.len + 1) * sizeof *t->ids);
    if (!t->ids) {
        t->failed = true;
        return;
    }
    for (size_t i = 0; i < t->text.len; i++)
        t->ids[i] = (uint16_t)(specials + (uint8_t)t->text.data[i]);
    for (uint32_t w = 0; w < t->word_count && !t->failed; w++)
        count_pairs(t, w, t->words[w].count, NONE);
    for (uint32_t p = 0; p < t->pair_count && !t->failed; p++)
        heap_push(t, p);
}

/* The commonest pair that may become a token, or NONE. */
static uint32_t best_pair(trainer *t) {
    while (t->heap_count && !t->failed) {
        entry top = heap_pop(t);
        const pair *p = &t->pairs[top.pair];
        if (p->count <= 0)
            continue;
        if (p->count < top.count)
            heap_push(t, top.pair);
        else if (!vl_bpe_check(t->bpe, p->left, p->right, NULL))
            return top.pair;
        /* else it makes a text that is a token already, and stays two ids */
    }
    return NONE;
}

/* Rewrites the pair as `token` in a word; false when it is not in there any more. */
static bool rewrite(trainer *t, word *w, uint16_t left, uint16_t right, uint16_t token) {
    uint16_t *ids = t->ids + w->start;
    uint32_t to = 0;
    for (uint32_t from = 0; from < w->length; to++) {
        if (from + 1 < w->length && ids[from] == left && ids[from + 1] == right) {
            ids[to] = token;
            from += 2;
        } else {
            ids[to] = ids[from++];
        }
    }
    bool changed = to < w->length;
    w->length = to;
    return changed;
}

static bool holds(const trainer *t, const word *w, uint16_t left, uint16_t right) {
    const uint16_t *ids = t->ids + w->start;
    for (uint32_t i = 0; i + 1 < w->length; i++)
        if (ids[i] == left && ids[i + 1] == right)
            return true;
    return false;
}

static void apply(trainer *t, uint32_t index, uint16_t token) {
    uint16_t left = t->pairs[index].left, right = t->pairs[index].right;
    uint32_t *words = t->pairs[index].words, count = t->pairs[index].word_count;
    uint32_t first_new = t->pair_count;
    t->pairs[index].words = NULL;
    t->pairs[index].word_count = t->pairs[index].capacity = 0;
    for (uint32_t i = 0; i < count && !t->failed; i++) {
        word *w = &t->words[words[i]];
        if (!holds(t, w, left, right))
            continue;
        count_pairs(t, words[i], -w->count, token);
        rewrite(t, w, left, right, token);
        count_pairs(t, words[i], w->count, token);
    }
    free(words);
    for (uint32_t p = first_new; p < t->pair_count && !t->failed; p++)
        heap_push(t, p);
}

static vl_status merge_all(trainer *t, const vl_bpe_training *training, size_t vocabulary,
                           vl_error *error) {
    begin(t);
    while (!t->failed && vl_bpe_size(t->bpe) < vocabulary) {
        uint32_t best = best_pair(t);
        if (t->failed)
            break;
        uint16_t token = (uint16_t)vl_bpe_size(t->bpe);
        if (best == NONE)
            return vl_fail(error, VL_ERR_INPUT,
                           "the text is too short for %zu tokens: it makes %u", vocabulary,
                           token);
        vl_status status = vl_bpe_add(t->bpe, t->pairs[best].left, t->pairs[best].right, error);
        if (status)
            return status;
        apply(t, best, token);
        if (training->progress && (token + 1u) % PROGRESS_EVERY == 0)
            training->progress(token + 1u, vocabulary, training->user);
    }
    return t->failed ? vl_fail(error, VL_ERR_MEMORY, "out of memory") : VL_OK;
}

static void trainer_deinit(trainer *t) {
    vl_bpe_free(t->bpe);
    vl_buf_deinit(&t->text);
    for (uint32_t i = 0; i < t->pair_count; i++)
        free(t->pairs[i].words);
    free(t->words);
    free(t->word_slots);
    free(t->ids);
    free(t->pairs);
    free(t->pair_slots);
    free(t->heap);
}

vl_status vl_bpe_train(const vl_bpe_training *training, const char *out_path, vl_error *error) {
    bpe_recipe recipe;
    trainer t = {0};
    vl_buf out;
    vl_buf_init(&t.text, MAX_TEXT_BYTES);
    vl_buf_init(&out, MAX_TEXT_BYTES);
    vl_status status = bpe_recipe_load(training->recipe, &recipe, error);
    if (status)
        goto out;
    if (recipe.vocabulary < recipe.special_count + BYTES) {
        status = vl_fail(error, VL_ERR_INPUT,
                         "%s: a vocabulary of %u, with %zu specials and %d bytes",
                         training->recipe, recipe.vocabulary, recipe.special_count, BYTES);
        goto out;
    }
    if ((status = vl_bpe_new(recipe.specials, recipe.special_count, &t.bpe, error))) {
        vl_error_prefix(error, "%s", training->recipe);
        goto out;
    }
    if ((status = read_words(&t, &recipe, training->data_dir, error)) ||
        (status = merge_all(&t, training, recipe.vocabulary, error)))
        goto out;
    vl_bpe_serialize(t.bpe, &out);
    if (!(status = vl_buf_status(&out, "the tokenizer", error)))
        status = vl_file_write(out_path, out.data, out.len, error);
out:
    vl_buf_deinit(&out);
    trainer_deinit(&t);
    bpe_recipe_free(&recipe);
    return status;
}

/* ---- scores --------------------------------------------------------------------------- */

typedef struct scoring {
    const vl_bpe *bpe;
    bpe_format format;
    vl_bpe_score *scores;
    size_t max, count;
} scoring;

static size_t count_spaced(const char *text) {
    size_t words = 0;
    for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
        text += strcspn(text, " \t");
        words++;
    }
    return words;
}

static vl_status score_text(const char *language, const char *text, void *user,
                            vl_error *error) {
    scoring *s = user;
    char label[sizeof s->scores->label];
    size_t i = 0, tokens, bytes = strlen(text);
    snprintf(label, sizeof label, "%.8s %s", language, bpe_format_names[s->format]);
    while (i < s->count && strcmp(s->scores[i].label, label))
        i++;
    if (i == s->max)
        return vl_fail(error, VL_ERR_LIMIT, "more than %zu scores", s->max);
    vl_bpe_score *score = &s->scores[i];
    if (i == s->count) {
        *score = (vl_bpe_score){0};
        memcpy(score->label, label, sizeof label);
        s->count++;
    }
    vl_status status = vl_bpe_encode(s->bpe, text, bytes, NULL, 0, &tokens, error);
    score->lines++;
    score->words += count_spaced(text);
    score->bytes += bytes;
    score->tokens += tokens;
    return status;
}

vl_status vl_bpe_evaluate(const vl_bpe_training *training, const vl_bpe *bpe,
                          vl_bpe_score *scores, size_t max, size_t *count, vl_error *error) {
    scoring s = {.bpe = bpe, .scores = scores, .max = max};
    bpe_recipe recipe;
    vl_status status = bpe_recipe_load(training->recipe, &recipe, error);
    for (size_t i = 0; i < recipe.held_count && !status; i++) {
        s.format = recipe.held[i].format;
        status = bpe_source_read(&recipe.held[i], training->data_dir, BPE_LINES_ALL, score_text,
                                 &s, error);
    }
    for (size_t i = 0; i < recipe.source_count && !status; i++) {
        s.format = recipe.sources[i].format;
        if (s.format == BPE_TEXT || s.format == BPE_TSV)
            status = bpe_source_read(&recipe.sources[i], training->data_dir, BPE_LINES_HELD,
                                     score_text, &s, error);
    }
    bpe_recipe_free(&recipe);
    *count = s.count;
    return status;
}
