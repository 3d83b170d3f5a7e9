/* Tests of maps: a known rotation found again from every kind of seed, what is weighed, the
 * hub, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <align/learning.h>
#include <align/procrustes.h>
#include <align/rcsls.h>
#include <align/rows.h>
#include <vislang/align.h>

enum { WORDS = 400, DIM = 16 };

/* ---- spaces with a known truth --------------------------------------------------------- */

static double normal(uint64_t *dice) {
    double u = vl_random_uniform(dice) + 1e-12, v = vl_random_uniform(dice);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* What word i means: the same in every language. Words lie around a few topics, unevenly, so
 * that similarities have a shape of their own. */
static void meaning(size_t i, float *row) {
    uint64_t dice = i * 7919 + 1, topic = (i * i + 3 * i) % 9 + 1000;
    for (size_t d = 0; d < DIM; d++)
        row[d] = (float)(normal(&topic) * 0.8 + normal(&dice) / (1 + 0.3 * (double)d));
}

/* A rotation drawn by chance. */
static void rotation(uint64_t seed, float *w) {
    float noise[DIM * DIM];
    for (size_t i = 0; i < DIM * DIM; i++)
        noise[i] = (float)normal(&seed);
    assert_int_equal(align_procrustes(noise, DIM, w, NULL), VL_OK);
}

/* How word i is written: `plain` in 1 of 3, else by language. */
static void spell(size_t i, char language, char out[32]) {
    static const char *const syllables[] = {"ba", "do", "fi", "gu", "ke", "la",
                                            "mi", "no", "pe", "ra", "so", "tu"};
    char stem[24] = "";
    for (size_t left = i + 1, n = 0; n < 5; n++, left /= 6)
        strcat(stem, syllables[left % 6 + (n % 2 ? 6 : 0)]);
    if (i % 10 == 3)
        snprintf(out, 32, "%zu", 1000 + i); /* a numeral */
    else if (i % 3 == 0)
        snprintf(out, 32, "%s", stem); /* a name */
    else
        snprintf(out, 32, "%c%zu%c", language, i, language); /* nothing in common */
}

/* `noise`: of how much a vector is its language's own. */
static vl_embeddings *make_space(char language, uint64_t seed, double noise) {
    float *rows = malloc(sizeof *rows * WORDS * DIM), w[DIM * DIM], plain[WORDS * DIM];
    static char text[WORDS][32];
    const char *words[WORDS];
    rotation(seed, w);
    for (size_t i = 0; i < WORDS; i++) {
        meaning(i, plain + i * DIM);
        for (size_t d = 0; d < DIM; d++)
            plain[i * DIM + d] += (float)(noise * normal(&seed));
        spell(i, language, text[i]);
        words[i] = text[i];
    }
    align_rows_turn(plain, WORDS, DIM, w, rows);
    vl_embeddings *made = NULL;
    vl_error error = {0};
    if (vl_embeddings_new(words, NULL, rows, WORDS, DIM, &made, &error))
        fail_msg("%s", error.message);
    return made;
}

/* Word i of one language is word i of the other. */
static vl_lexicon *truth(size_t from, size_t to, char a, char b) {
    vl_lexicon *lexicon;
    assert_int_equal(vl_lexicon_new(&lexicon, NULL), VL_OK);
    for (size_t i = from; i < to; i++) {
        char source[32], target[32];
        spell(i, a, source);
        spell(i, b, target);
        vl_lexicon_pair pair = {.source = source, .target = target, .confidence = 1};
        assert_int_equal(vl_lexicon_add(lexicon, &pair, NULL), VL_OK);
    }
    return lexicon;
}

static double precision(const vl_embeddings *source, const vl_embeddings *target,
                        const vl_lexicon *gold) {
    vl_retrieval_options options = vl_retrieval_options_default();
    vl_lexicon_scores scores;
    assert_int_equal(vl_lexicon_score(source, target, gold, &options, &scores, NULL), VL_OK);
    assert_int_equal(scores.asked, vl_lexicon_count(gold));
    return scores.p1;
}

/* P@1 of a map over all words. */
static double precision_of(const vl_map *map, const vl_embeddings *source,
                           const vl_embeddings *target) {
    vl_embeddings *a, *b;
    assert_int_equal(vl_map_embeddings(map, VL_SOURCE, source, &a, NULL), VL_OK);
    assert_int_equal(vl_map_embeddings(map, VL_TARGET, target, &b, NULL), VL_OK);
    vl_lexicon *gold = truth(0, WORDS, 'q', 'x');
    double p1 = precision(a, b, gold);
    vl_lexicon_free(gold);
    vl_embeddings_free(a);
    vl_embeddings_free(b);
    return p1;
}

/* ---- matrices ------------------------------------------------------------------------------
 */

static void test_procrustes(void **state) {
    (void)state;
    float w[DIM * DIM], found[DIM * DIM], cross[DIM * DIM] = {0};
    float x[40 * DIM], y[40 * DIM];
    uint64_t dice = 5;
    rotation(9, w);
    for (size_t i = 0; i < 40 * DIM; i++)
        x[i] = (float)normal(&dice);
    align_rows_turn(x, 40, DIM, w, y);
    align_rows_cross(x, y, 40, DIM, cross);
    assert_int_equal(align_procrustes(cross, DIM, found, NULL), VL_OK);
    for (size_t i = 0; i < DIM * DIM; i++)
        assert_float_equal(found[i], w[i], 1e-5F);
    /* Nothing to go on: some rotation, and finite. */
    memset(cross, 0, sizeof cross);
    assert_int_equal(align_procrustes(cross, DIM, found, NULL), VL_OK);
    assert_true(align_rows_finite(found, DIM, DIM, NULL));
}

/* Directions that both sides share become longer beside those that they do not. */
static void test_reweigh(void **state) {
    (void)state;
    enum { N = 2000, D = 4 };
    static float x[N * D], y[N * D];
    float gram_x[D * D] = {0}, gram_y[D * D] = {0}, cross[D * D] = {0}, a[D * D], b[D * D];
    uint64_t dice = 3;
    for (size_t i = 0; i < N; i++)
        for (size_t d = 0; d < D; d++) {
            double shared = normal(&dice);
            x[i * D + d] = (float)(d < 2 ? shared : normal(&dice));
            y[i * D + d] = (float)(d < 2 ? shared : normal(&dice));
        }
    align_rows_cross(x, x, N, D, gram_x);
    align_rows_cross(y, y, N, D, gram_y);
    align_rows_cross(x, y, N, D, cross);
    assert_int_equal(align_reweigh(gram_x, gram_y, cross, D, a, b, NULL), VL_OK);
    for (size_t d = 0; d < D; d++)
        for (size_t e = 0; e < D; e++) {
            bool own = d == e && d >= 2; /* √s: 1 shared, near 0 not */
            float expected = d == e && d < 2 ? 1.0F : 0.0F, within = own ? 0.3F : 0.1F;
            assert_float_equal(b[d * D + e], expected, within);
        }
}

static void test_clip(void **state) {
    (void)state;
    float w[4] = {3, 0, 0, 0.5f};
    assert_int_equal(align_clip_spectrum(w, 2, NULL), VL_OK);
    static const float expected[4] = {1, 0, 0, 0.5f};
    for (size_t i = 0; i < 4; i++)
        assert_float_equal(w[i], expected[i], 1e-6F);
}

/* ---- rungs ---------------------------------------------------------------------------------
 */

static void test_rungs(void **state) {
    static const struct {
        vl_rung rung;
        bool keep_target, refine, rcsls;
        double noise, least;
    } rows[] = {
        {VL_RUNG_NONE, false, true, false, 0.0, 0.95},
        {VL_RUNG_IDENTICAL, false, false, false, 0.1, 0.9},
        {VL_RUNG_IDENTICAL, true, false, false, 0.1, 0.9},
        {VL_RUNG_COGNATES, false, false, false, 0.1, 0.9},
        {VL_RUNG_DICTIONARY, false, false, false, 0.1, 0.9},
        {VL_RUNG_DICTIONARY, true, false, true, 0.1, 0.9},
        {VL_RUNG_AUTO, false, true, false, 0.1, 0.9},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_embeddings *source = make_space('q', 11, rows[i].noise),
                      *target = make_space('x', 12, rows[i].noise);
        vl_lexicon *dictionary = truth(0, 200, 'q', 'x');
        vl_map_options options = vl_map_options_default();
        options.rung = rows[i].rung, options.keep_target = rows[i].keep_target;
        options.refine = rows[i].refine, options.rcsls = rows[i].rcsls, options.threads = 2;
        options.dictionary = rows[i].rung >= VL_RUNG_DICTIONARY ? dictionary : NULL;
        vl_map *map;
        vl_map_report report;
        vl_error error = {0};
        if (vl_map_learn(source, target, &options, &map, &report, &error))
            fail_msg("row %zu: %s", i, error.message);
        assert_int_equal(vl_map_dim(map), DIM);
        assert_true(report.better_than_chance);
        assert_true(report.rungs[report.rung].tried);
        if (rows[i].rung != VL_RUNG_AUTO)
            assert_int_equal(report.rung, rows[i].rung);
        if (report.rung != VL_RUNG_NONE)
            assert_true(report.rungs[report.rung].seeds >= 80);
        assert_true(report.rungs[report.rung].held_out_at10 > 0.8);
        double p1 = precision_of(map, source, target);
        if (p1 < rows[i].least)
            fail_msg("row %zu: P@1 is %.3f", i, p1);
        vl_map_free(map);
        vl_lexicon_free(dictionary);
        vl_embeddings_free(source);
        vl_embeddings_free(target);
    }
}

/* Two languages with nothing in common: the map says so. */
static void test_chance(void **state) {
    (void)state;
    vl_embeddings *source = make_space('q', 11, 50), *target = make_space('x', 12, 50);
    vl_map_options options = vl_map_options_default();
    options.threads = 1;
    vl_map *map;
    vl_map_report report;
    assert_int_equal(vl_map_learn(source, target, &options, &map, &report, NULL), VL_OK);
    assert_false(report.better_than_chance);
    assert_true(report.rungs[report.rung].held_out > 0);
    vl_map_free(map);
    vl_embeddings_free(source);
    vl_embeddings_free(target);
}

static void test_same_again(void **state) {
    (void)state;
    vl_embeddings *source = make_space('q', 11, 0.5), *target = make_space('x', 12, 0.5);
    float rows[2][4 * DIM];
    for (size_t threads = 1; threads <= 2; threads++) {
        vl_map_options options = vl_map_options_default();
        options.threads = threads;
        vl_map *map;
        vl_map_report report;
        assert_int_equal(vl_map_learn(source, target, &options, &map, &report, NULL), VL_OK);
        assert_int_equal(vl_map_apply(map, VL_SOURCE, vl_embeddings_row(source, 0), 4,
                                      rows[threads - 1], NULL),
                         VL_OK);
        vl_map_free(map);
    }
    assert_memory_equal(rows[0], rows[1], sizeof rows[0]);
    vl_embeddings_free(source);
    vl_embeddings_free(target);
}

/* ---- the hub -------------------------------------------------------------------------------
 */

static void test_hub(void **state) {
    (void)state;
    vl_embeddings *x = make_space('x', 1, 0.1), *q = make_space('q', 2, 0.1),
                  *z = make_space('z', 3, 0.1), *noise = make_space('n', 4, 60);
    vl_lexicon *x_to_q = truth(0, 200, 'x', 'q'), *q_to_z = truth(0, 200, 'q', 'z');
    vl_hub *hub;
    vl_map_report report;
    vl_map_options options = vl_map_options_default();
    options.refine = false, options.threads = 1;
    assert_int_equal(vl_hub_new("x", x, &hub, NULL), VL_OK);
    options.dictionary = x_to_q;
    assert_int_equal(vl_hub_add(hub, "q", q, &options, NULL, 0, &report, NULL), VL_OK);
    assert_true(report.better_than_chance);
    assert_int_equal(vl_hub_add(hub, "q", q, &options, NULL, 0, &report, NULL), VL_ERR_INPUT);
    /* Of z only words of q are known. */
    options.dictionary = NULL;
    vl_hub_dictionary pivot = {"q", q_to_z};
    assert_int_equal(vl_hub_add(hub, "z", z, &options, &pivot, 1, &report, NULL), VL_OK);
    assert_true(report.better_than_chance);
    assert_true(report.rungs[VL_RUNG_DICTIONARY].seeds >=
                report.rungs[VL_RUNG_IDENTICAL].seeds + 100);
    assert_int_equal(vl_hub_add(hub, "n", noise, &options, NULL, 0, &report, NULL), VL_OK);
    assert_false(report.better_than_chance);
    assert_null(vl_hub_map(hub, "n"));

    static const struct {
        const char *from, *to;
    } pairs[] = {{"x", "q"}, {"z", "x"}, {"q", "z"}};
    for (size_t i = 0; i < 3; i++) {
        vl_embeddings *a, *b;
        assert_int_equal(vl_hub_embeddings(hub, pairs[i].from, &a, NULL), VL_OK);
        assert_int_equal(vl_hub_embeddings(hub, pairs[i].to, &b, NULL), VL_OK);
        vl_lexicon *gold = truth(0, WORDS, *pairs[i].from, *pairs[i].to);
        double p1 = precision(a, b, gold);
        if (p1 < 0.9)
            fail_msg("%s-%s: P@1 is %.3f", pairs[i].from, pairs[i].to, p1);
        vl_lexicon_free(gold);
        vl_embeddings_free(a);
        vl_embeddings_free(b);
    }
    vl_embeddings *none;
    assert_int_equal(vl_hub_embeddings(hub, "n", &none, NULL), VL_ERR_MISSING);
    vl_hub_free(hub);
    vl_lexicon_free(x_to_q);
    vl_lexicon_free(q_to_z);
    vl_embeddings_free(x);
    vl_embeddings_free(q);
    vl_embeddings_free(z);
    vl_embeddings_free(noise);
}

/* ---- dictionaries --------------------------------------------------------------------------
 */

static void test_induce(void **state) {
    (void)state;
    vl_embeddings *a = make_space('q', 7, 0.05), *b = make_space('x', 7, 0.05);
    vl_induce_options options = vl_induce_options_default();
    vl_lexicon *lexicon;
    options.retrieval.top = 2;
    assert_int_equal(vl_lexicon_induce(a, b, &options, &lexicon, NULL), VL_OK);
    assert_int_equal(vl_lexicon_count(lexicon), 2 * WORDS);
    size_t right = 0, mutual = 0;
    for (size_t i = 0; i < WORDS; i++) {
        const vl_lexicon_pair *first = vl_lexicon_pair_at(lexicon, 2 * i), *second = first + 1;
        char target[32];
        spell(i, 'x', target);
        right += !strcmp(first->target, target);
        mutual += first->mutual;
        assert_true(first->confidence > 0 && first->confidence <= 1);
        assert_true(!first->mutual || first->confidence >= second->confidence);
    }
    assert_true(right > WORDS * 9 / 10 && mutual > WORDS * 9 / 10);
    vl_lexicon_free(lexicon);
    options.min_confidence = 0.999;
    assert_int_equal(vl_lexicon_induce(a, b, &options, &lexicon, NULL), VL_OK);
    assert_in_range(vl_lexicon_count(lexicon), 0, WORDS);
    vl_lexicon_free(lexicon);
    vl_embeddings_free(a);
    vl_embeddings_free(b);
}

/* ---- what is refused ------------------------------------------------------------------------
 */

static vl_embeddings *small(const char *const *words, size_t count, uint32_t dim, float first) {
    float *rows = malloc(sizeof *rows * count * dim);
    for (size_t i = 0; i < count * dim; i++)
        rows[i] = first;
    vl_embeddings *made = NULL;
    assert_int_equal(vl_embeddings_new(words, NULL, rows, count, dim, &made, NULL), VL_OK);
    return made;
}

static void test_bad(void **state) {
    static const char *const words[] = {"kampala", "nairobi", "1999", "mogadishu"};
    static const char *const others[] = {"aa", "bb", "cc", "dd"};
    (void)state;
    vl_embeddings *alike = small(words, 4, 3, 0.5f), *zeros = small(words, 4, 3, 0),
                  *one = small(words, 1, 3, 1), *wide = small(words, 4, 5, 1),
                  *strange = small(others, 4, 3, 1);
    vl_lexicon *empty;
    assert_int_equal(vl_lexicon_new(&empty, NULL), VL_OK);
    const struct {
        const vl_embeddings *source, *target;
        vl_rung rung;
        const vl_lexicon *dictionary;
        vl_status status;
        const char *says;
    } rows[] = {
        {alike, wide, VL_RUNG_AUTO, NULL, VL_ERR_INPUT, "3 numbers"},
        {alike, one, VL_RUNG_AUTO, NULL, VL_ERR_INPUT, "nothing to map"},
        {alike, alike, VL_RUNG_DICTIONARY, NULL, VL_ERR_USAGE, "no dictionary"},
        {alike, strange, VL_RUNG_DICTIONARY, empty, VL_ERR_INPUT, "dictionary"},
        {alike, strange, VL_RUNG_IDENTICAL, NULL, VL_ERR_INPUT, "identical"},
        {alike, alike, VL_RUNG_AUTO, NULL, VL_OK, NULL},
        {alike, alike, VL_RUNG_NONE, NULL, VL_OK, NULL},
        {zeros, alike, VL_RUNG_IDENTICAL, NULL, VL_OK, NULL},
        {alike, strange, VL_RUNG_AUTO, empty, VL_OK, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_map_options options = vl_map_options_default();
        options.rung = rows[i].rung, options.dictionary = rows[i].dictionary;
        vl_map *map = NULL;
        vl_map_report report;
        vl_error error = {0};
        vl_status status =
            vl_map_learn(rows[i].source, rows[i].target, &options, &map, &report, &error);
        if (status != rows[i].status)
            fail_msg("row %zu: %d %s", i, status, error.message);
        if (rows[i].says)
            assert_non_null(strstr(error.message, rows[i].says));
        if (!status) {
            assert_false(report.better_than_chance); /* all vectors are the same */
            float out[12];
            assert_int_equal(
                vl_map_apply(map, VL_SOURCE, vl_embeddings_row(alike, 0), 4, out, NULL), VL_OK);
            assert_true(align_rows_finite(out, 4, 3, NULL));
        } else {
            assert_null(map);
        }
        vl_map_free(map);
    }
    vl_lexicon_free(empty);
    vl_embeddings_free(alike);
    vl_embeddings_free(zeros);
    vl_embeddings_free(one);
    vl_embeddings_free(wide);
    vl_embeddings_free(strange);
}

static void test_bad_rows(void **state) {
    static const char *const words[] = {"kampala", "nairobi"};
    (void)state;
    vl_embeddings *two = small(words, 2, 2, 1);
    vl_map_options options = vl_map_options_default();
    vl_map *map;
    vl_map_report report;
    assert_int_equal(vl_map_learn(two, two, &options, &map, &report, NULL), VL_OK);
    float bad[4] = {1, 2, NAN, 3}, out[4];
    vl_error error;
    assert_int_equal(vl_map_apply(map, VL_SOURCE, bad, 2, out, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "row 1"));
    bad[2] = INFINITY;
    assert_int_equal(vl_map_apply(map, VL_TARGET, bad, 2, out, &error), VL_ERR_INPUT);
    vl_map_free(map);
    vl_embeddings_free(two);
}

static bool stop(void *user) {
    (void)user;
    return true;
}

static void test_stopped(void **state) {
    (void)state;
    vl_embeddings *source = make_space('q', 11, 0.1), *target = make_space('x', 12, 0.1);
    vl_map_options options = vl_map_options_default();
    vl_map *map;
    vl_map_report report;
    vl_stop_watch(stop, NULL);
    assert_int_equal(vl_map_learn(source, target, &options, &map, &report, NULL),
                     VL_ERR_CANCELLED);
    vl_stop_watch(NULL, NULL);
    assert_null(map);
    vl_embeddings_free(source);
    vl_embeddings_free(target);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_procrustes), cmocka_unit_test(test_reweigh),
        cmocka_unit_test(test_clip),       cmocka_unit_test(test_rungs),
        cmocka_unit_test(test_chance),     cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_hub),        cmocka_unit_test(test_induce),
        cmocka_unit_test(test_bad),        cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
