/* evaluate_consensus.c — CIDEr-D of each caption apart (Vedantam, Zitnick and Parikh 2015; n 1
 * to 4, sigma 6, as the COCO evaluation computes it).
 *
 * vl_caption_scorer gives the mean of a corpus; what calibration asks is whether one caption is
 * good. The mean of these is that mean, which the tests hold this file to. An n-gram is its
 * 64-bit hash: among the 10^6 n-grams of a corpus two share one with a chance of 10^-7. */
#include "train/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER = 4, MAX_TEXT = 64 << 10 };
static const double SIGMA = 6;

typedef struct gram {
    uint64_t hash;
    uint32_t count; /* in a sentence; of captions that have it, in the list of documents */
    uint32_t order;
} gram;

typedef struct sentence {
    gram *grams; /* sorted by hash */
    size_t count, length;
    double norm[ORDER];
} sentence;

typedef struct corpus {
    vl_arena *arena, *scratch;
    gram *documents; /* sorted by hash; count: captions one of whose references has it */
    size_t document_count;
    double log_captions;
} corpus;

static int by_hash(const void *a, const void *b) {
    uint64_t x = ((const gram *)a)->hash, y = ((const gram *)b)->hash;
    return x < y ? -1 : x > y;
}

/* Equal ones become one with the sum of their counts. */
static size_t merge(gram *grams, size_t count) {
    if (count)
        qsort(grams, count, sizeof *grams, by_hash);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept && grams[kept - 1].hash == grams[i].hash)
            grams[kept - 1].count += grams[i].count;
        else
            grams[kept++] = grams[i];
    return kept;
}

/* FNV-1a, then mixed so that near n-grams are not near numbers. */
static uint64_t hash_of(uint64_t before, const char *word, size_t bytes) {
    uint64_t hash = (before ^ 0x20) * UINT64_C(0x100000001B3);
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)word[i]) * UINT64_C(0x100000001B3);
    return hash ^ (hash >> 29);
}

static bool read_sentence(corpus *c, const char *text, sentence *out) {
    vl_arena_reset(c->scratch);
    const char *tokens = vl_caption_tokenize(c->scratch, text);
    if (!tokens)
        return false;
    size_t words = 0, bytes = strlen(tokens);
    const char **word = vl_arena_array(c->scratch, bytes + 1, sizeof *word);
    gram *grams = vl_arena_array(c->scratch, ORDER * (bytes + 1), sizeof *grams);
    if (!word || !grams)
        return false;
    for (const char *at = tokens; *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (*at)
            word[words++] = at;
    }
    size_t count = 0;
    for (size_t i = 0; i < words; i++) {
        uint64_t hash = UINT64_C(0xCBF29CE484222325);
        for (size_t n = 0; n < ORDER && i + n < words; n++) {
            hash = hash_of(hash, word[i + n], strcspn(word[i + n], " "));
            grams[count++] = (gram){.hash = hash, .count = 1, .order = (uint32_t)n};
        }
    }
    out->length = words;
    out->count = merge(grams, count);
    out->grams = vl_arena_array(c->arena, out->count + 1, sizeof *grams);
    if (out->grams)
        memcpy(out->grams, grams, out->count * sizeof *grams);
    return out->grams;
}

/* The n-grams of a caption's references, each once, appended to the documents. */
static bool add_documents(corpus *c, const sentence *references, size_t count) {
    size_t total = c->document_count, first = total;
    for (size_t r = 0; r < count; r++)
        total += references[r].count;
    gram *all = realloc(c->documents, (total + 1) * sizeof *all);
    if (!all)
        return false;
    c->documents = all;
    size_t at = first;
    for (size_t r = 0; r < count; r++) {
        memcpy(all + at, references[r].grams, references[r].count * sizeof *all);
        at += references[r].count;
    }
    c->document_count = first + merge(all + first, total - first);
    for (size_t i = first; i < c->document_count; i++)
        all[i].count = 1;
    return true;
}

static double weight(const corpus *c, const gram *g) {
    const gram *found = bsearch(g, c->documents, c->document_count, sizeof *g, by_hash);
    return g->count * (c->log_captions - log(found ? (double)found->count : 1.0));
}

static void find_norms(const corpus *c, sentence *s) {
    for (size_t i = 0; i < s->count; i++) {
        double w = weight(c, &s->grams[i]);
        s->norm[s->grams[i].order] += w * w;
    }
    for (size_t n = 0; n < ORDER; n++)
        s->norm[n] = sqrt(s->norm[n]);
}

static double similarity(const corpus *c, const sentence *h, const sentence *r) {
    double dot[ORDER] = {0}, sum = 0;
    for (size_t i = 0, j = 0; i < h->count && j < r->count;) {
        const gram *a = &h->grams[i], *b = &r->grams[j];
        if (a->hash == b->hash) {
            double x = weight(c, a), y = weight(c, b);
            dot[a->order] += (x < y ? x : y) * y;
        }
        i += a->hash <= b->hash;
        j += b->hash <= a->hash;
    }
    for (size_t n = 0; n < ORDER; n++)
        if (h->norm[n] > 0 && r->norm[n] > 0)
            sum += dot[n] / (h->norm[n] * r->norm[n]);
    /* The evaluation counts lengths in pairs of words. */
    double delta =
        (h->length ? (double)h->length - 1 : 0) - (r->length ? (double)r->length - 1 : 0);
    return sum / ORDER * exp(-delta * delta / (2 * SIGMA * SIGMA));
}

static double score(const corpus *c, sentence *all, size_t references) {
    double sum = 0;
    for (size_t r = 0; r <= references; r++)
        find_norms(c, &all[r]);
    for (size_t r = 1; r <= references; r++)
        sum += similarity(c, &all[0], &all[r]);
    return 10 * sum / (double)references;
}

static vl_status read_caption(corpus *c, const eval_consensus *caption, sentence *out,
                              vl_error *error) {
    if (!caption->reference_count)
        return vl_fail(error, VL_ERR_INPUT, "caption without a reference");
    for (size_t r = 0; r <= caption->reference_count; r++) {
        const char *text = r ? caption->references[r - 1] : caption->hypothesis;
        if (strlen(text) > MAX_TEXT)
            return vl_fail(error, VL_ERR_LIMIT, "caption of %zu bytes, at most %d are scored",
                           strlen(text), (int)MAX_TEXT);
        if (!read_sentence(c, text, &out[r]))
            return vl_fail(error, VL_ERR_MEMORY, "no memory to score captions");
    }
    return add_documents(c, out + 1, caption->reference_count)
               ? VL_OK
               : vl_fail(error, VL_ERR_MEMORY, "no memory to score captions");
}

vl_status eval_consensus_score(eval_consensus *captions, size_t count, vl_error *error) {
    corpus c = {.arena = vl_arena_new((size_t)4 << 30),
                .scratch = vl_arena_new((size_t)MAX_TEXT * 256),
                .log_captions = log((double)(count ? count : 1))};
    size_t total = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        total += captions[i].reference_count + 1;
    sentence *all = calloc(total + 1, sizeof *all);
    vl_status status = c.arena && c.scratch && all
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "no memory to score captions");
    for (size_t i = 0; i < count && !status; i++) {
        status = read_caption(&c, &captions[i], all + at, error);
        at += captions[i].reference_count + 1;
    }
    if (!status)
        c.document_count = merge(c.documents, c.document_count);
    at = 0;
    for (size_t i = 0; i < count && !status; i++) {
        captions[i].cider_d = score(&c, all + at, captions[i].reference_count);
        at += captions[i].reference_count + 1;
    }
    free(all);
    free(c.documents);
    vl_arena_free(c.arena);
    vl_arena_free(c.scratch);
    return status;
}
