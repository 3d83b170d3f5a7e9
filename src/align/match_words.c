/* match_words.c — see match.h: baselines that need no vectors. */
#include "align/match.h"
#include "align/tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX_BYTES = 512 << 20, TOKENS_MAX_BYTES = 256 << 20 };

/* ---- bags of words ----------------------------------------------------------------------- */

typedef struct use {
    const char *word;
    uint32_t text, number; /* the text, those of tgt after those of src; the word's number */
} use;

typedef struct bags {
    vl_arena *words; /* what the uses point to */
    use *uses;
    size_t count, room;
    size_t texts, src_count;
    size_t *from; /* [texts + 1]: words of a text are ids[from[i]] …, rising */
    uint32_t *ids;
    size_t *post_from; /* [2][numbers + 1]: texts of either side that have a word */
    uint32_t *posts;
    float *weight; /* [numbers] */
    float *norm;   /* [texts] */
    size_t numbers;
} bags;

static vl_status add_text(bags *b, vl_arena *scratch, const char *text, vl_error *error) {
    align_token *tokens;
    size_t count;
    vl_arena_reset(scratch);
    vl_status status = align_tokens(scratch, text, &tokens, &count, error);
    for (size_t i = 0; i < count && !status; i++) {
        if (b->count == b->room) {
            size_t more = b->room ? b->room * 2 : 4096;
            use *grown = realloc(b->uses, more * sizeof *grown);
            if (!grown)
                return vl_fail(error, VL_ERR_MEMORY, "no memory for the words");
            b->uses = grown;
            b->room = more;
        }
        char *word = vl_arena_strdup(b->words, tokens[i].word);
        if (!word)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for the words");
        b->uses[b->count++] = (use){word, (uint32_t)b->texts, 0};
    }
    b->texts++;
    return status;
}

static int by_word(const void *a, const void *b) {
    const use *x = a, *y = b;
    int order = strcmp(x->word, y->word);
    return order ? order : (x->text > y->text) - (x->text < y->text);
}

static int by_text(const void *a, const void *b) {
    const use *x = a, *y = b;
    if (x->text != y->text)
        return x->text < y->text ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* A word counts once in a text. */
static void number_words(bags *b) {
    size_t kept = 0;
    qsort(b->uses, b->count, sizeof *b->uses, by_word);
    for (size_t i = 0; i < b->count; i++) {
        bool other = !kept || strcmp(b->uses[i].word, b->uses[kept - 1].word) != 0;
        if (!other && b->uses[i].text == b->uses[kept - 1].text)
            continue;
        b->numbers += other;
        b->uses[kept] = b->uses[i];
        b->uses[kept++].number = (uint32_t)b->numbers - 1;
    }
    b->count = kept;
}

static void index_words(bags *b) {
    size_t n = b->numbers;
    for (size_t i = 0, k = 0; i < n; i++) { /* uses are by word, then by text */
        size_t first = k;
        b->post_from[i] = k;
        while (k < b->count && b->uses[k].number == i && b->uses[k].text < b->src_count)
            b->posts[k] = b->uses[k].text, k++;
        b->post_from[n + 1 + i] = k;
        for (; k < b->count && b->uses[k].number == i; k++)
            b->posts[k] = b->uses[k].text - (uint32_t)b->src_count;
        b->weight[i] = (float)(log((1 + (double)b->texts) / (1 + (double)(k - first))) + 1);
    }
    b->post_from[n] = b->post_from[2 * n + 1] = b->count;
    qsort(b->uses, b->count, sizeof *b->uses, by_text);
    for (size_t i = 0; i < b->count; i++) {
        const use *u = &b->uses[i];
        b->ids[i] = u->number;
        b->from[u->text + 1] = i + 1;
        b->norm[u->text] += b->weight[u->number] * b->weight[u->number];
    }
    for (size_t i = 0; i < b->texts; i++) {
        if (b->from[i + 1] < b->from[i])
            b->from[i + 1] = b->from[i];
        b->norm[i] = sqrtf(b->norm[i]);
    }
}

static void bags_free(bags *b) {
    vl_arena_free(b->words);
    free(b->uses);
    free(b->from);
    free(b->ids);
    free(b->post_from);
    free(b->posts);
    free(b->weight);
    free(b->norm);
}

static vl_status bags_make(bags *b, const align_match *match, vl_error *error) {
    vl_status status = VL_OK;
    vl_arena *scratch = vl_arena_new(TOKENS_MAX_BYTES);
    *b = (bags){.words = vl_arena_new(WORDS_MAX_BYTES), .src_count = match->src.count};
    if (!scratch || !b->words)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for the words");
    for (size_t i = 0; i < match->src.count && !status; i++)
        status = add_text(b, scratch, match->src.texts[i], error);
    for (size_t i = 0; i < match->tgt.count && !status; i++)
        status = add_text(b, scratch, match->tgt.texts[i], error);
    vl_arena_free(scratch);
    if (status)
        return status;
    number_words(b);
    b->from = calloc(b->texts + 1, sizeof *b->from);
    b->ids = calloc(b->count + 1, sizeof *b->ids);
    b->post_from = calloc(2 * (b->numbers + 1), sizeof *b->post_from);
    b->posts = calloc(b->count + 1, sizeof *b->posts);
    b->weight = calloc(b->numbers + 1, sizeof *b->weight);
    b->norm = calloc(b->texts + 1, sizeof *b->norm);
    if (!b->from || !b->ids || !b->post_from || !b->posts || !b->weight || !b->norm)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the words");
    index_words(b);
    return VL_OK;
}

/* ---- identical strings ------------------------------------------------------------------- */

typedef struct looking {
    const bags *bags;
    const align_match *match;
    bool reverse;
} looking;

/* Texts of the other side that have a word: from … to in posts. */
static void posts_of(const bags *b, uint32_t word, bool reverse, size_t *from, size_t *to) {
    size_t middle = b->post_from[b->numbers + 1 + word];
    *from = reverse ? b->post_from[word] : middle;
    *to = reverse ? middle : b->post_from[word + 1];
}

static void score_identical(void *user, size_t first, size_t rows, float *scores) {
    const looking *l = user;
    const bags *b = l->bags;
    size_t own = l->reverse ? b->src_count : 0, other = l->reverse ? 0 : b->src_count;
    size_t candidates = l->reverse ? l->match->src.count : l->match->tgt.count;
    for (size_t i = 0; i < rows; i++) {
        size_t text = own + first + i, from, to;
        float *row = scores + i * candidates;
        for (size_t k = b->from[text]; k < b->from[text + 1]; k++) {
            float weight = b->weight[b->ids[k]] * b->weight[b->ids[k]] / b->norm[text];
            posts_of(b, b->ids[k], l->reverse, &from, &to);
            for (; from < to; from++)
                row[b->posts[from]] += weight / b->norm[other + b->posts[from]];
        }
    }
}

vl_status align_rank_identical(const align_match *match, align_ranks ranks[2],
                               vl_error *error) {
    bags b;
    vl_status status = bags_make(&b, match, error);
    looking l = {&b, match, false};
    if (!status)
        status = align_rank_all(&match->src, match->tgt.count, score_identical, &l, &ranks[0],
                                NULL, error);
    l.reverse = true;
    if (!status)
        status = align_rank_all(&match->tgt, match->src.count, score_identical, &l, &ranks[1],
                                NULL, error);
    bags_free(&b);
    return status;
}

/* ---- length ------------------------------------------------------------------------------ */

/* log of the characters of each text */
static float *log_lengths(const align_side *side, double *characters) {
    float *lengths = malloc((side->count ? side->count : 1) * sizeof *lengths);
    *characters = 0;
    for (size_t i = 0; lengths && i < side->count; i++) {
        size_t count = 0;
        for (const char *c = side->texts[i]; *c; c++)
            count += ((unsigned char)*c & 0xC0) != 0x80;
        lengths[i] = logf((float)count);
        *characters += (double)count;
    }
    return lengths;
}

typedef struct lengths {
    const float *own, *other;
    size_t candidates;
    float shift; /* what a query's log length is expected to grow by */
} lengths;

static void score_length(void *user, size_t first, size_t rows, float *scores) {
    const lengths *l = user;
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < l->candidates; k++)
            scores[i * l->candidates + k] = -fabsf(l->other[k] - l->own[first + i] - l->shift);
}

vl_status align_rank_length(const align_match *match, align_ranks ranks[2], vl_error *error) {
    double sums[2];
    vl_status status = VL_OK;
    float *src = log_lengths(&match->src, &sums[0]), *tgt = log_lengths(&match->tgt, &sums[1]);
    if (!src || !tgt) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for lengths");
        goto out;
    }
    float shift =
        (float)log(sums[1] / (double)match->tgt.count * (double)match->src.count / sums[0]);
    status =
        align_rank_all(&match->src, match->tgt.count, score_length,
                       &(lengths){src, tgt, match->tgt.count, shift}, &ranks[0], NULL, error);
    if (!status)
        status = align_rank_all(&match->tgt, match->src.count, score_length,
                                &(lengths){tgt, src, match->src.count, -shift}, &ranks[1], NULL,
                                error);
out:
    free(src);
    free(tgt);
    return status;
}
