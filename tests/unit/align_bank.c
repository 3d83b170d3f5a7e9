/* Tests of banks of sentences: scores, margins, learning and searching. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align/bank.h"
#include "align_made_space.h"
#include <math.h>
#include <pthread.h>

enum { MOST = 128 };

static vl_space *space;

static int make_space(void **state) {
    (void)state;
    space = made_space();
    return 0;
}

static int free_space(void **state) {
    (void)state;
    vl_space_free(space);
    return 0;
}

static vl_bank *bank_of(const char *language, const char *const *sentences, size_t count) {
    vl_bank *bank;
    assert_int_equal(vl_bank_new(space, language, sentences, count, &bank, NULL), VL_OK);
    assert_int_equal(vl_bank_count(bank), count);
    return bank;
}

static float *scores_of(const vl_bank *a, const vl_bank *b) {
    float *scores = malloc((vl_bank_count(a) * vl_bank_count(b) + 1) * sizeof *scores);
    assert_int_equal(vl_bank_scores(a, b, scores, NULL), VL_OK);
    return scores;
}

static void assert_near(float a, float b) {
    if (!(fabsf(a - b) < 2e-5F))
        fail_msg("%g and %g", (double)a, (double)b);
}

static const char *const english[] = {
    "water in the school",          "the child has 3 books",    "rain",
    "a big house and a big school", "Mwangi drinks water 12.5", "houses of Mombasa 2019",
};
static const char *const swahili[] = {
    "Mwangi anakunywa maji 12.5",
    "mtoto ana vitabu 3",
    "maji shuleni",
    "nyumba kubwa na shule kubwa",
    "nyumba za Mombasa 2019",
    "",
    "habari",
};
enum { ENGLISH = sizeof english / sizeof *english, SWAHILI = sizeof swahili / sizeof *swahili };
/* Of each of `swahili` its counterpart in `english`. */
static const size_t counterparts[] = {4, 1, 0, 3, 5};
enum { COUNTERPARTS = sizeof counterparts / sizeof *counterparts };

/* ---- scores against a plain computation ---------------------------------------------------
 */

enum { DENSE = 1024 };
typedef struct dense {
    float row[MOST][DENSE];
    size_t rows;
} dense;

/* Columns of the looks, as they come. */
typedef struct columns {
    uint32_t ids[DENSE];
    size_t count;
} columns;

static size_t column_of(columns *c, uint32_t id) {
    size_t at = 0;
    while (at < c->count && c->ids[at] != id)
        at++;
    assert_in_range(at, 0, DENSE - 1);
    if (at == c->count)
        c->ids[c->count++] = id;
    return at;
}

/* Words between spaces, lower case: what the test's sentences need. */
static void count_sentence(const char *language, const char *sentence, columns *c,
                           align_romaniser *romaniser, float *meanings, float *looks) {
    char text[256], *rest = NULL;
    snprintf(text, sizeof text, "%s", sentence);
    for (char *at = text; *at; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        align_meaning meaning[ALIGN_MEANING_MAX];
        align_feature feature[ALIGN_FEATURES_MAX];
        const space_words *words = align_space_words(space, language);
        size_t count = words ? align_space_meaning(words, word, meaning) : 0;
        for (size_t i = 0; i < count; i++)
            meanings[meaning[i].unit] += meaning[i].weight;
        count = align_features(romaniser, word, feature);
        for (size_t i = 0; i < count; i++)
            looks[column_of(c, feature[i].id)] += feature[i].weight;
    }
}

static void count_sentences(const char *language, const char *const *sentences, size_t count,
                            columns *c, dense *meanings, dense *looks) {
    align_romaniser *romaniser;
    assert_int_equal(align_romaniser_new(&romaniser, NULL), VL_OK);
    memset(meanings, 0, sizeof *meanings);
    memset(looks, 0, sizeof *looks);
    meanings->rows = looks->rows = count;
    for (size_t i = 0; i < count; i++)
        count_sentence(language, sentences[i], c, romaniser, meanings->row[i], looks->row[i]);
    align_romaniser_free(romaniser);
}

/* Rows that have a column; those that have it in part count as that part when `parts`. */
static float rows_with(const dense *m, size_t column, bool parts) {
    float rows = 0;
    for (size_t i = 0; i < m->rows; i++) {
        float value = m->row[i][column];
        rows += !(value > 0) ? 0 : parts ? fminf(value, 1) : 1;
    }
    return rows;
}

static void weigh(dense *m, const float *weights) {
    for (size_t i = 0; i < m->rows; i++) {
        float square = 0;
        for (size_t c = 0; c < DENSE; c++) {
            m->row[i][c] = sqrtf(m->row[i][c]) * weights[c];
            square += m->row[i][c] * m->row[i][c];
        }
        for (size_t c = 0; c < DENSE && square > 0; c++)
            m->row[i][c] /= sqrtf(square);
    }
}

static float dot(const float *a, const float *b) {
    float sum = 0;
    for (size_t c = 0; c < DENSE; c++)
        sum += a[c] * b[c];
    return sum;
}

/* As align.h says it, for an anchor `a` and another bank. */
static void plain_scores(const char *of_a, const char *const *a, size_t a_count,
                         const char *of_b, const char *const *b, size_t b_count,
                         float *scores) {
    static dense meanings_a, meanings_b, looks_a, looks_b;
    float unit_weights[DENSE] = {0}, look_weights[DENSE] = {0};
    columns c = {.count = 0};
    count_sentences(of_a, a, a_count, &c, &meanings_a, &looks_a);
    count_sentences(of_b, b, b_count, &c, &meanings_b, &looks_b);
    for (size_t i = 0; i < MADE_UNITS; i++) {
        float with_a = rows_with(&meanings_a, i, true);
        float most = fmaxf(fmaxf(with_a, rows_with(&meanings_b, i, true)), 0.5F);
        unit_weights[i] = with_a > 0 ? logf(1 + (float)a_count / most) : 0;
    }
    for (size_t i = 0; i < c.count; i++)
        look_weights[i] = logf((float)(a_count + b_count + 1) /
                               (rows_with(&looks_a, i, false) + rows_with(&looks_b, i, false)));
    weigh(&meanings_a, unit_weights);
    weigh(&meanings_b, unit_weights);
    weigh(&looks_a, look_weights);
    weigh(&looks_b, look_weights);
    for (size_t i = 0; i < a_count; i++)
        for (size_t k = 0; k < b_count; k++)
            scores[i * b_count + k] = (dot(meanings_a.row[i], meanings_b.row[k]) +
                                       2.5F * dot(looks_a.row[i], looks_b.row[k])) /
                                      3.5F;
}

static void test_scores(void **state) {
    static const struct {
        const char *of_a, *of_b;
    } rows[] = {{"en", "sw"}, {"en", "fr"}, {"sw", "fr"}, {"fr", "und"}, {"en", "en"}};
    float plain[MOST * MOST];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_bank *a = bank_of(rows[i].of_a, english, ENGLISH);
        vl_bank *b = bank_of(rows[i].of_b, swahili, SWAHILI);
        float *scores = scores_of(a, b), *turned = scores_of(b, a);
        plain_scores(rows[i].of_a, english, ENGLISH, rows[i].of_b, swahili, SWAHILI, plain);
        for (size_t r = 0; r < ENGLISH; r++)
            for (size_t c = 0; c < SWAHILI; c++) {
                assert_near(scores[r * SWAHILI + c], plain[r * SWAHILI + c]);
                assert_near(turned[c * ENGLISH + r], plain[r * SWAHILI + c]);
            }
        free(scores);
        free(turned);
        vl_bank_free(a);
        vl_bank_free(b);
    }
}

static size_t greatest(const float *row, size_t count) {
    size_t at = 0;
    for (size_t i = 1; i < count; i++)
        if (row[i] > row[at])
            at = i;
    return at;
}

static void test_counterparts(void **state) {
    vl_bank *a = bank_of("en", english, ENGLISH), *b = bank_of("sw", swahili, SWAHILI);
    float *scores = scores_of(b, a);
    (void)state;
    for (size_t i = 0; i < COUNTERPARTS; i++)
        assert_int_equal(greatest(scores + i * ENGLISH, ENGLISH), counterparts[i]);
    for (size_t k = 0; k < ENGLISH; k++)
        assert_true(scores[5 * ENGLISH + k] == 0); /* the empty one */
    free(scores);
    vl_bank_free(a);
    vl_bank_free(b);
}

/* ---- margins -------------------------------------------------------------------------------
 */

static int falling(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x > y ? -1 : x < y;
}

static float mean_of_best(const float *at, size_t count, size_t step) {
    float all[MOST], sum = 0;
    size_t most = count < VL_BANK_NEAREST ? count : VL_BANK_NEAREST;
    for (size_t i = 0; i < count; i++)
        all[i] = at[i * step];
    qsort(all, count, sizeof *all, falling);
    for (size_t i = 0; i < most; i++)
        sum += all[i];
    return sum / (float)most;
}

static void test_margins(void **state) {
    static const size_t sizes[][2] = {{1, 1}, {1, 7}, {3, 2}, {9, 5}, {20, 21}};
    float scores[MOST * 4], margins[MOST * 4], none = 0;
    uint64_t seed = 1;
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t rows = sizes[s][0], cols = sizes[s][1];
        for (size_t i = 0; i < rows * cols; i++)
            margins[i] = scores[i] = (float)(vl_random_next(&seed) >> 40) / (1 << 24);
        assert_int_equal(vl_bank_margins(margins, rows, cols, NULL), VL_OK);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < cols; c++) {
                float mean = (mean_of_best(scores + r * cols, cols, 1) +
                              mean_of_best(scores + c, rows, cols)) /
                             2;
                assert_near(margins[r * cols + c], scores[r * cols + c] / mean);
            }
    }
    memset(margins, 0, sizeof margins);
    assert_int_equal(vl_bank_margins(margins, 4, 4, NULL), VL_OK);
    for (size_t i = 0; i < 16; i++)
        assert_true(margins[i] == 0);
    assert_int_equal(vl_bank_margins(&none, 0, 5, NULL), VL_OK);
    assert_int_equal(vl_bank_margins(&none, 5, 0, NULL), VL_OK);
}

/* ---- learning ------------------------------------------------------------------------------
 */

/* Eight words that all come beside each other leave some doubt which means which. */
enum {
    WORDS = 8,
    WITH_NUMBER = 80,
    WITHOUT = 20,
    PAIRS = WITH_NUMBER + WITHOUT,
    MOST_FOUND = 18
};
static const char *const listed[WORDS] = {"water", "drink",  "house", "big",
                                          "child", "school", "book",  "rain"};
static const char *const unlisted[WORDS] = {"finger", "market", "soldier", "garden",
                                            "window", "candle", "ladder",  "pepper"};
static const char *const invented[WORDS] = {"gobi", "zulo", "tepo", "kadu",
                                            "miwe", "fola", "nuji", "xeba"};

/* Sentences of three words. Most have a number that both sides write; the others, which come
 * first, have only words to be found by, in sets of three that no other sentence has. Side b
 * stands in another order: b[order[i]] says what a[i] says. */
typedef struct made_pairs {
    char text_a[PAIRS][64], text_b[PAIRS][64];
    const char *a[PAIRS], *b[PAIRS];
    size_t order[PAIRS];
} made_pairs;

/* The sets of three of eight words: 56. */
static size_t all_sets(size_t sets[56][3]) {
    size_t count = 0;
    for (size_t x = 0; x < WORDS; x++)
        for (size_t y = x + 1; y < WORDS; y++)
            for (size_t z = y + 1; z < WORDS; z++, count++) {
                sets[count][0] = x;
                sets[count][1] = y;
                sets[count][2] = z;
            }
    return count;
}

static void make_pairs(made_pairs *p, const char *const *words, size_t step) {
    size_t sets[56][3];
    assert_int_equal(all_sets(sets), 56);
    for (size_t i = 0; i < PAIRS; i++) {
        char number[8] = "";
        size_t k = i - WITHOUT;
        if (i >= WITHOUT)
            snprintf(number, sizeof number, "%zu", 1000 + i);
        /* Even ones under 40 are those without a number. */
        const size_t *set = i < WITHOUT   ? sets[2 * i]
                            : k % 36 < 20 ? sets[2 * (k % 36) + 1]
                                          : sets[20 + k % 36];
        snprintf(p->text_a[i], sizeof *p->text_a, "%s %s %s %s", words[set[0]], words[set[1]],
                 words[set[2]], number);
        p->order[i] = (i * step + 11) % PAIRS;
        snprintf(p->text_b[p->order[i]], sizeof *p->text_b, "%s %s %s %s", number,
                 invented[set[2]], invented[set[0]], invented[set[1]]);
        p->a[i] = p->text_a[i];
        p->b[i] = p->text_b[i];
    }
}

/* How many of those without a number score best with their counterpart, and over zero. */
static size_t found_without(const vl_bank *a, const vl_bank *b, const made_pairs *p) {
    float *scores = scores_of(a, b);
    size_t right = 0;
    for (size_t i = 0; i < WITHOUT; i++) {
        const float *row = scores + i * PAIRS;
        right += row[p->order[i]] > 0 && greatest(row, PAIRS) == p->order[i];
    }
    free(scores);
    return right;
}

static void test_learning(void **state) {
    static const struct {
        const char *const *words;
        size_t step;
        const char *of_a, *of_b;
        bool learner_first;
    } rows[] = {{unlisted, 1, "en", "xx", false},  {unlisted, 37, "en", "xx", false},
                {unlisted, 63, "en", "xx", true},  {listed, 37, "en", "xx", false},
                {unlisted, 37, "yy", "xx", false}, {unlisted, 37, "yy", "xx", true},
                {unlisted, 37, "en", "en", false}, {unlisted, 37, "sw", "am", true}};
    static made_pairs p;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make_pairs(&p, rows[i].words, rows[i].step);
        vl_bank *a = bank_of(rows[i].of_a, p.a, PAIRS), *b = bank_of(rows[i].of_b, p.b, PAIRS);
        assert_int_equal(found_without(a, b, &p), 0);
        assert_int_equal(rows[i].learner_first ? vl_bank_learn(b, a, 5, NULL)
                                               : vl_bank_learn(a, b, 5, NULL),
                         VL_OK);
        assert_in_range(found_without(a, b, &p), MOST_FOUND, WITHOUT);
        float *scores = scores_of(a, b), *turned = scores_of(b, a);
        for (size_t r = 0; r < PAIRS; r++)
            for (size_t c = 0; c < PAIRS; c++)
                assert_near(scores[r * PAIRS + c], turned[c * PAIRS + r]);
        free(scores);
        free(turned);
        vl_bank_free(a);
        vl_bank_free(b);
    }
}

/* Words that were learned to mean units of the hub are found by searching, too. */
static void test_learned_search(void **state) {
    static made_pairs p;
    vl_bank_hit hits[3];
    size_t count;
    make_pairs(&p, listed, 37);
    vl_bank *a = bank_of("en", p.a, PAIRS), *b = bank_of("xx", p.b, PAIRS);
    (void)state;
    assert_int_equal(vl_bank_search(b, "en", p.a[3], 3, hits, &count, NULL), VL_OK);
    assert_int_equal(count, 0);
    assert_int_equal(vl_bank_learn(a, b, 5, NULL), VL_OK);
    size_t right = 0;
    for (size_t i = 0; i < WITHOUT; i++) {
        assert_int_equal(vl_bank_search(b, "en", p.a[i], 3, hits, &count, NULL), VL_OK);
        assert_int_equal(count, 3);
        for (size_t k = 0; k < count; k++)
            right += hits[k].sentence == p.order[i];
    }
    assert_in_range(right, MOST_FOUND, WITHOUT);
    vl_bank_free(a);
    vl_bank_free(b);
}

/* What was learned from a bank is its own: another bank, even in the same memory, has other
 * words. */
static void test_other_than_teacher(void **state) {
    static made_pairs p;
    static const char *const few[] = {"finger", "water 1042"};
    make_pairs(&p, unlisted, 37);
    vl_bank *a = bank_of("en", p.a, PAIRS), *b = bank_of("xx", p.b, PAIRS);
    (void)state;
    assert_int_equal(vl_bank_learn(a, b, 3, NULL), VL_OK);
    vl_bank_free(a);
    for (int again = 0; again < 50; again++) {
        vl_bank *c = bank_of("en", few, 2);
        float *scores = scores_of(c, b);
        for (size_t i = 0; i < PAIRS; i++) {
            assert_true(scores[i] == 0);
            bool has_number = strstr(p.b[i], "1042");
            assert_int_equal(scores[PAIRS + i] > 0, has_number);
        }
        free(scores);
        vl_bank_free(c);
    }
    make_pairs(&p, listed, 37);
    a = bank_of("en", p.a, PAIRS);
    assert_int_equal(vl_bank_learn(a, b, 5, NULL), VL_OK); /* from another one anew */
    assert_in_range(found_without(a, b, &p), MOST_FOUND, WITHOUT);
    vl_bank_free(a);
    vl_bank_free(b);
}

static void test_learning_from_little(void **state) {
    static const char *const empty[] = {"", " ", "!"}, *const same[] = {"maji 5", "maji 5"};
    static const struct {
        const char *const *a;
        size_t a_count;
        const char *const *b;
        size_t b_count;
    } rows[] = {{empty, 0, empty, 0}, {empty, 0, same, 2}, {same, 2, empty, 0},
                {empty, 3, empty, 3}, {empty, 3, same, 2}, {same, 1, same, 1},
                {same, 2, same, 2},   {same, 2, same, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_bank *a = bank_of("sw", rows[i].a, rows[i].a_count);
        vl_bank *b = bank_of("fr", rows[i].b, rows[i].b_count);
        assert_int_equal(vl_bank_learn(a, b, 3, NULL), VL_OK);
        assert_int_equal(vl_bank_learn(a, b, 0, NULL), VL_OK);
        assert_int_equal(vl_bank_learn(a, a, 2, NULL), VL_OK); /* from itself */
        float *scores = scores_of(a, b);
        for (size_t k = 0; k < rows[i].a_count * rows[i].b_count; k++)
            assert_true(scores[k] >= 0 && scores[k] < 1.0001F);
        free(scores);
        vl_bank_free(a);
        vl_bank_free(b);
    }
}

static void test_limits(void **state) {
    enum { MANY = 12000 };
    const char **empty = malloc(MANY * sizeof *empty);
    vl_bank *bank, *many;
    vl_error error = {0};
    (void)state;
    assert_int_equal(vl_bank_new(space, "sw", NULL, VL_BANK_MAX + 1, &bank, &error),
                     VL_ERR_LIMIT);
    assert_null(bank);
    for (size_t i = 0; i < MANY; i++)
        empty[i] = "";
    many = bank_of("sw", empty, MANY);
    assert_int_equal(vl_bank_learn(many, many, 1, &error), VL_ERR_LIMIT);
    vl_bank_free(many);
    vl_space *other = made_space();
    float score;
    bank = bank_of("sw", swahili, 1);
    assert_int_equal(vl_bank_new(other, "en", english, 1, &many, NULL), VL_OK);
    assert_int_equal(vl_bank_scores(bank, many, &score, &error), VL_ERR_USAGE);
    assert_int_equal(vl_bank_learn(bank, many, 1, &error), VL_ERR_USAGE);
    vl_bank_free(bank);
    vl_bank_free(many);
    vl_bank_free(NULL);
    vl_space_free(other);
    free(empty);
}

static bool stop_now(void *user) {
    (void)user;
    return true;
}

static void test_stopped(void **state) {
    vl_bank *bank, *a = bank_of("en", english, ENGLISH), *b = bank_of("sw", swahili, SWAHILI);
    float scores[ENGLISH * SWAHILI];
    (void)state;
    vl_stop_watch(stop_now, NULL);
    vl_status made = vl_bank_new(space, "sw", swahili, SWAHILI, &bank, NULL);
    vl_status scored = vl_bank_scores(a, b, scores, NULL);
    vl_status learned = vl_bank_learn(a, b, 2, NULL);
    vl_stop_watch(NULL, NULL);
    assert_int_equal(made, VL_ERR_CANCELLED);
    assert_null(bank);
    assert_int_equal(scored, VL_ERR_CANCELLED);
    assert_int_equal(learned, VL_ERR_CANCELLED);
    vl_bank_free(a);
    vl_bank_free(b);
}

/* ---- searching -----------------------------------------------------------------------------
 */

static void assert_hits(const vl_bank_hit *hits, size_t count, size_t sentences) {
    for (size_t i = 0; i < count; i++) {
        assert_true(hits[i].sentence < sentences);
        assert_true(hits[i].score > 0 && hits[i].score < 1.0001F);
        assert_true(hits[i].margin > 0 && hits[i].margin <= VL_BANK_NEAREST + 0.001F);
        assert_true(hits[i].confidence >= 0 && hits[i].confidence <= 1);
        assert_true(!i || hits[i].score <= hits[i - 1].score);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(hits[i].sentence, hits[k].sentence);
    }
}

static void test_search(void **state) {
    vl_bank *bank = bank_of("en", english, ENGLISH);
    vl_bank_hit hits[2 * ENGLISH], first;
    size_t count;
    (void)state;
    for (size_t i = 0; i < COUNTERPARTS; i++) {
        assert_int_equal(
            vl_bank_search(bank, "sw", swahili[i], 2 * ENGLISH, hits, &count, NULL), VL_OK);
        assert_in_range(count, 1, ENGLISH);
        assert_hits(hits, count, ENGLISH);
        assert_int_equal(hits[0].sentence, counterparts[i]);
        assert_int_equal(vl_bank_search(bank, "swh", swahili[i], 1, &first, &count, NULL),
                         VL_OK);
        assert_int_equal(count, 1);
        assert_memory_equal(&first, hits, sizeof first);
    }
    for (size_t i = 0; i < ENGLISH; i++) { /* itself */
        assert_int_equal(vl_bank_search(bank, "en", english[i], 3, hits, &count, NULL), VL_OK);
        assert_int_equal(hits[0].sentence, i);
        assert_near(hits[0].score, 1);
        assert_true(hits[0].confidence > 0.5F);
    }
    vl_bank_free(bank);
}

static void test_search_of_nothing(void **state) {
    static const char *const nothing[] = {"", "   ", "?!", "\xFF\xC0\x80", "zzzzqq", "ክክክክ"};
    vl_bank *bank = bank_of("en", english, ENGLISH), *empty = bank_of("en", english, 0);
    vl_bank_hit hits[2];
    size_t count;
    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        assert_int_equal(vl_bank_search(bank, "sw", nothing[i], 2, hits, &count, NULL), VL_OK);
        assert_int_equal(count, 0);
    }
    assert_int_equal(vl_bank_search(bank, "sw", swahili[0], 0, hits, &count, NULL), VL_OK);
    assert_int_equal(count, 0);
    assert_int_equal(vl_bank_search(empty, "sw", swahili[0], 2, hits, &count, NULL), VL_OK);
    assert_int_equal(count, 0);
    vl_bank_free(bank);
    vl_bank_free(empty);
}

/* One sentence, the same over and over, long ones, ones that are no text: nothing breaks. */
static void test_strange_sentences(void **state) {
    enum { LONG = 1 << 20 };
    char *word = malloc(LONG + 1), *words = malloc(LONG + 1);
    (void)state;
    memset(word, 'b', LONG);
    for (size_t i = 0; i < LONG; i++)
        words[i] = i % 6 == 5 ? ' ' : (char)('a' + (i / 6 * 7 + i % 6 * (i / 36)) % 26);
    word[LONG] = words[LONG] = '\0';
    const char *const rows[] = {
        word, words,      "maji",         "maji",     "maji",
        "",   "\xFF\xFE", "maji\xE1\x88", "\x01\x02", "maji \xED\xA0\x80 12"};
    enum { ROWS = sizeof rows / sizeof *rows };
    for (size_t count = 1; count <= ROWS; count += ROWS - 1)
        for (int hub = 0; hub < 2; hub++) {
            vl_bank *a = bank_of(hub ? "en" : "fr", rows, count),
                    *b = bank_of("sw", rows, count);
            vl_bank_hit hits[ROWS];
            size_t found;
            float *scores = scores_of(a, b);
            for (size_t i = 0; i < count * count; i++)
                assert_true(scores[i] >= 0 && scores[i] < 1.0001F);
            assert_int_equal(vl_bank_learn(a, b, 2, NULL), VL_OK);
            assert_int_equal(vl_bank_search(a, "sw", words, ROWS, hits, &found, NULL), VL_OK);
            assert_hits(hits, found, count);
            assert_int_equal(vl_bank_search(b, "fr", "maji", ROWS, hits, &found, NULL), VL_OK);
            assert_hits(hits, found, count);
            assert_int_equal(found, count == 1 ? 0 : 5); /* all with that word */
            free(scores);
            vl_bank_free(a);
            vl_bank_free(b);
        }
    free(word);
    free(words);
}

static void *search_often(void *bank) {
    for (size_t i = 0; i < 10 * COUNTERPARTS; i++) {
        vl_bank_hit hit;
        size_t count;
        if (vl_bank_search(bank, "sw", swahili[i % COUNTERPARTS], 1, &hit, &count, NULL) ||
            count != 1 || hit.sentence != counterparts[i % COUNTERPARTS])
            return bank;
    }
    return NULL;
}

static void test_threads(void **state) {
    pthread_t threads[4];
    vl_bank *bank = bank_of("en", english, ENGLISH);
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, search_often, bank), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    vl_bank_free(bank);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_counterparts),
        cmocka_unit_test(test_margins),
        cmocka_unit_test(test_learning),
        cmocka_unit_test(test_learned_search),
        cmocka_unit_test(test_other_than_teacher),
        cmocka_unit_test(test_learning_from_little),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_search_of_nothing),
        cmocka_unit_test(test_strange_sentences),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, make_space, free_space);
}
