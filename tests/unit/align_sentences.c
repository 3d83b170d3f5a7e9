/* Tests of two documents side by side, of lengths, bands and words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/align.h>
#include "align/band.h"
#include "align/evidence.h"
#include "align/gale_church.h"
#include "align/recursion.h"
#include "align/romanise.h"
#include "align/rows.h"

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new((size_t)1 << 30);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* ---- lengths ----------------------------------------------------------------------------- */

static void test_lengths(void **state) {
    static const float a[] = {10, 20, 30}, b[] = {12, 24, 36};
    (void)state;
    align_lengths lengths = align_lengths_of(a, 3, b, 3);
    assert_float_equal(lengths.ratio, 1.2, 1e-9);
    assert_float_equal(lengths.variance, 6.8, 1e-9);
    assert_float_equal(align_length_cost(&lengths, 10, 12), 0, 1e-9);
    /* δ² / 2 = (24 − 12)² / (2 · 6.8 · 18) */
    assert_float_equal(align_length_cost(&lengths, 10, 24), 144 / (2 * 6.8F * 18), 1e-9);
    assert_float_equal(align_length_cost(&lengths, 1, 100000), ALIGN_LENGTH_COST_MAX, 1e-9);
    assert_true(align_shape_cost(1, 1) < align_shape_cost(1, 2));
    assert_true(align_shape_cost(2, 2) < align_shape_cost(3, 3));
    assert_float_equal(align_lengths_of(a, 3, b, 0).ratio, 1, 1e-9);
}

static void test_lengths_are_learned(void **state) {
    enum { N = 40 };
    float a[N], b[N];
    align_step path[N];
    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        a[i] = (float)(20 + i);
        b[i] = 1.5F * a[i];
        path[i] = (align_step){i, i, 1, 1, 0, 1};
    }
    align_lengths lengths = {1, 6.8};
    align_lengths_fit(&lengths, a, b, path, 5);
    assert_float_equal(lengths.ratio, 1, 1e-9); /* too few to learn from */
    align_lengths_fit(&lengths, a, b, path, N);
    assert_float_equal(lengths.ratio, 1.5, 1e-5);
    assert_float_equal(lengths.variance, 1, 1e-9); /* the least there is */
}

/* ---- bands ------------------------------------------------------------------------------- */

/* Sentences 0 … 5 of one are 0, 1+2, 3, -, 5, 4 … of the other by this table of costs. */
static double table_cost(const void *user, size_t i, size_t j, size_t m, size_t n) {
    const size_t(*cheap)[4] = user;
    for (size_t k = 0; cheap[k][2]; k++)
        if (cheap[k][0] == i - m && cheap[k][1] == j - n && cheap[k][2] == m &&
            cheap[k][3] == n)
            return 0.1;
    return 5 * (double)(m * n);
}

static void test_path(void **state) {
    static const size_t cheap[][4] = {
        {0, 0, 1, 1}, {1, 1, 1, 2}, {2, 3, 2, 1}, {5, 4, 1, 3}, {0}};
    static const align_step expected[] = {{0, 0, 1, 1, 0.1F, 1},
                                          {1, 1, 1, 2, 0.1F, 1},
                                          {2, 3, 2, 1, 0.1F, 1},
                                          {4, 4, 1, 0, 1, 1},
                                          {5, 4, 1, 3, 0.1F, 1}};
    align_band band;
    align_step *path;
    size_t steps;
    (void)state;
    for (size_t radius = 1; radius < 8; radius += 3) {
        if (radius == 7)
            assert_int_equal(align_band_full(arena, 6, 7, &band, NULL), VL_OK);
        else
            assert_int_equal(align_band_around(arena, expected, 5, 6, 7, radius, &band, NULL),
                             VL_OK);
        align_costs costs = {.bead = table_cost, .user = cheap, .alone = 1, .sharpness = 8};
        assert_int_equal(align_band_path(arena, &band, &costs, &path, &steps, NULL), VL_OK);
        assert_int_equal(steps, 5);
        for (size_t k = 0; k < steps; k++) {
            assert_int_equal(path[k].a_from, expected[k].a_from);
            assert_int_equal(path[k].b_from, expected[k].b_from);
            assert_int_equal(path[k].a_count, expected[k].a_count);
            assert_int_equal(path[k].b_count, expected[k].b_count);
            assert_float_equal(path[k].cost, expected[k].cost, 1e-5);
            assert_true(path[k].posterior > 0.9F && path[k].posterior <= 1);
        }
    }
}

static double even_cost(const void *user, size_t i, size_t j, size_t m, size_t n) {
    (void)user, (void)i, (void)j;
    return m == 1 && n == 1 ? 2 : ALIGN_IMPOSSIBLE;
}

/* Posteriors of two sentences and one: three ways, of which two have a bead. */
static void test_posteriors(void **state) {
    align_band band;
    align_step *path;
    size_t steps;
    (void)state;
    assert_int_equal(align_band_full(arena, 2, 1, &band, NULL), VL_OK);
    align_costs costs = {.bead = even_cost, .alone = 1, .sharpness = 1};
    assert_int_equal(align_band_path(arena, &band, &costs, &path, &steps, NULL), VL_OK);
    /* each way with a bead costs 3; the ways with none, of which there are three, 3 as well */
    for (size_t k = 0; k < steps; k++)
        if (path[k].a_count && path[k].b_count)
            assert_float_equal(path[k].posterior, 0.2, 1e-6);
    costs.one_to_one = true;
    assert_int_equal(align_band_path(arena, &band, &costs, &path, &steps, NULL), VL_OK);
    assert_true(steps == 2 || steps == 3);
}

/* A band around any path holds it, and keeps to its own rules. */
static void test_bands_hold_their_path(void **state) {
    uint64_t dice = 3;
    (void)state;
    for (size_t trial = 0; trial < 200; trial++) {
        align_step path[60];
        size_t i = 0, j = 0, steps = 1 + vl_random_below(&dice, 59);
        for (size_t k = 0; k < steps; k++) {
            size_t m = vl_random_below(&dice, 4), n = m ? vl_random_below(&dice, 4) : 1;
            path[k] = (align_step){(uint32_t)i, (uint32_t)j, (uint16_t)m, (uint16_t)n, 0, 0};
            i += m;
            j += n;
        }
        align_band band;
        assert_int_equal(align_band_around(arena, path, steps, i, j,
                                           1 + vl_random_below(&dice, 5), &band, NULL),
                         VL_OK);
        assert_int_equal(band.low[0], 0);
        assert_int_equal(band.high[i], j);
        for (size_t k = 0; k < steps; k++)
            assert_true(align_band_has(&band, path[k].a_from, path[k].b_from));
        for (size_t r = 0; r < i; r++)
            assert_true(band.low[r] <= band.low[r + 1] && band.high[r] <= band.high[r + 1] &&
                        band.low[r + 1] <= band.high[r] + 1);
        vl_arena_reset(arena);
    }
}

/* ---- vectors ----------------------------------------------------------------------------- */

enum { DIM = 32 };

static void random_row(uint64_t *dice, float *row) {
    for (size_t d = 0; d < DIM; d++)
        row[d] = (float)(vl_random_uniform(dice) - 0.5);
    align_rows_unit(row, 1, DIM);
}

/* 700 sentences; of the other document every fifth is missing. Noise on every row. */
static void test_recursion_finds_the_diagonal(void **state) {
    enum { N = 700 };
    float *a = vl_arena_array(arena, N * DIM, sizeof *a),
          *b = vl_arena_array(arena, N * DIM, 4);
    size_t of_b[N], kept = 0, right = 0, steps;
    uint64_t dice = 5;
    align_step *path;
    (void)state;
    for (size_t i = 0; i < N; i++) {
        float noise[DIM];
        random_row(&dice, a + i * DIM);
        if (i % 5 == 4)
            continue;
        random_row(&dice, noise);
        for (size_t d = 0; d < DIM; d++)
            b[kept * DIM + d] = a[i * DIM + d] + 0.5F * noise[d];
        of_b[kept++] = i;
    }
    align_rows_unit(b, kept, DIM);
    align_rows_pair rows = {.a = a, .b = b, .a_count = N, .b_count = kept, .dim = DIM};
    assert_int_equal(align_recursion(arena, &rows, &path, &steps, NULL), VL_OK);
    for (size_t k = 0; k < steps; k++)
        right += path[k].a_count && path[k].b_count && of_b[path[k].b_from] == path[k].a_from;
    assert_true(right > 95 * kept / 100);
}

/* eq. 2 by hand, on two sentences of either document. */
static void test_distances(void **state) {
    static const float a[] = {1, 0, 0, 1}, b[] = {1, 0, 0.6F, 0.8F};
    align_rows_pair rows = {.a = a, .b = b, .a_count = 2, .b_count = 2, .dim = 2};
    align_distances *d;
    (void)state;
    assert_int_equal(align_distances_new(arena, &rows, &d, NULL), VL_OK);
    assert_float_equal(align_distances_cosine(d, 1, 1, 1, 1), 1, 1e-6);
    assert_float_equal(align_distances_cosine(d, 2, 2, 1, 1), 0.8, 1e-6);
    assert_float_equal(align_distances_cost(d, 1, 1, 1, 1), 0, 1e-6);
    /* mean of b is (0.8, 0.4), of a (0.5, 0.5): distances 0.6 and 0.3 */
    assert_float_equal(align_distances_cost(d, 2, 2, 1, 1), 0.2F / 0.45F, 1e-5);
    /* (1,1)·(1.6,0.8) over the lengths √2 and √3.2 */
    assert_float_equal(align_distances_cosine(d, 2, 2, 2, 2), 2.4F / sqrtf(6.4F), 1e-6);
    assert_true(align_distances_percentile(d, 0) <= align_distances_percentile(d, 1));
}

/* ---- documents --------------------------------------------------------------------------- */

/* Two made-up languages word by word; every seventh sentence of the first has no counterpart
 * and every tenth is cut in two in the second. */
typedef struct toy {
    const char *a[400], *b[800];
    size_t a_count, b_count, first[400], pieces[400];
} toy;

static char *toy_sentence(uint64_t seed, size_t words, const char *const *roots, size_t count,
                          const char *tail) {
    char *text = vl_arena_alloc(arena, 1024);
    for (size_t k = 0; k < words; k++) {
        size_t r = vl_random_below(&seed, count), s = vl_random_below(&seed, 40);
        char letters[] = {(char)('a' + s % 20), (char)("aeiou"[s % 5]), '\0'};
        snprintf(text + strlen(text), 1024 - strlen(text), "%s%s%s%s", k ? " " : "", roots[r],
                 letters, tail);
    }
    return text;
}

static void make_toy(toy *t) {
    static const char *const here[] = {"ka", "lu", "mo", "ni", "pa", "re", "so", "ti"};
    static const char *const there[] = {"shev", "zhor", "brin", "dwel",
                                        "fosk", "gurt", "hymp", "jaxt"};
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < 400; i++) {
        size_t words = 4 + i % 9;
        t->a[t->a_count++] = toy_sentence(i, 2 * words, here, 8, "");
        t->first[i] = t->b_count;
        if (i % 7 == 6)
            continue;
        char *whole = toy_sentence(i, 2 * words, there, 8, "");
        if (i % 10 == 3) {
            char *middle = whole + strlen(whole) / 2;
            while (*middle != ' ')
                middle++;
            *middle = '\0';
            t->b[t->b_count++] = whole;
            whole = middle + 1;
        }
        t->b[t->b_count++] = whole;
        t->pieces[i] = t->b_count - t->first[i];
    }
}

static void test_documents(void **state) {
    static toy t;
    vl_alignment_options options = vl_alignment_options_default();
    vl_alignment *alignment;
    size_t count, right = 0, a = 0, b = 0, wanted = 0;
    (void)state;
    make_toy(&t);
    vl_sentences source = {.texts = t.a, .count = t.a_count};
    vl_sentences target = {.texts = t.b, .count = t.b_count};
    assert_int_equal(vl_alignment_new(&source, &target, &options, &alignment, NULL), VL_OK);
    const vl_bead *beads = vl_alignment_beads(alignment, &count);
    for (size_t k = 0; k < count; k++) {
        assert_int_equal(beads[k].source, a); /* each sentence is in one bead, in order */
        assert_int_equal(beads[k].target, b);
        a += beads[k].source_count;
        b += beads[k].target_count;
        assert_true(beads[k].confidence >= 0 && beads[k].confidence <= 1);
        assert_true(isfinite(beads[k].score));
        right += beads[k].source_count == 1 && beads[k].target_count &&
                 t.pieces[beads[k].source] == beads[k].target_count &&
                 t.first[beads[k].source] == beads[k].target;
    }
    assert_int_equal(a, t.a_count);
    assert_int_equal(b, t.b_count);
    for (size_t i = 0; i < t.a_count; i++)
        wanted += t.pieces[i] > 0;
    assert_true(right > 95 * wanted / 100);
    vl_alignment_free(alignment);
}

/* By lengths alone, in documents too long to be looked at whole. */
static void test_long_documents_by_lengths(void **state) {
    enum { N = 1200 };
    static const char *texts[2][N];
    vl_alignment_options options = {.method = VL_ALIGNMENT_LENGTHS};
    vl_alignment *alignment;
    size_t count, right = 0, kept = 0;
    uint64_t dice = 9;
    (void)state;
    static size_t of_target[N];
    for (size_t i = 0; i < N; i++) {
        size_t letters = 10 + vl_random_below(&dice, 190);
        char *text = vl_arena_alloc(arena, letters + 1);
        memset(text, 'a', letters);
        texts[0][i] = text;
        if (i % 50 == 49)
            continue;
        of_target[kept] = i;
        texts[1][kept++] = text;
    }
    vl_sentences source = {.texts = texts[0], .count = N},
                 target = {.texts = texts[1], .count = kept};
    assert_int_equal(vl_alignment_new(&source, &target, &options, &alignment, NULL), VL_OK);
    const vl_bead *beads = vl_alignment_beads(alignment, &count);
    for (size_t k = 0; k < count; k++)
        right += beads[k].source_count == 1 && beads[k].target_count == 1 &&
                 of_target[beads[k].target] == beads[k].source;
    assert_true(right > 9 * kept / 10);
    vl_alignment_free(alignment);
}

/* What a person may give by mistake: each ends with beads that cover both sides. */
static void test_odd_documents(void **state) {
    static const char *const none[1], *const one[] = {"The dam broke on 3 May 2021."};
    static const char *const same[] = {"again", "again", "again", "again", "again", "again"};
    static const char *const empty[] = {"", "", " ", "!"};
    static const char *const broken[] = {"\xFF\xFE", "cut \xE1\x88", "\xF0\x9F\x98\x80",
                                         "a\x01"};
    static const char *const amharic[] = {"ግድቡ ተሰበረ።", "ሰዎች ሸሹ።", "እርዳታ መጣ።"};
    static const struct {
        const char *const *texts;
        size_t count;
    } sides[] = {{none, 0}, {one, 1}, {same, 6}, {empty, 4}, {broken, 4}, {amharic, 3}};
    enum { SIDES = sizeof sides / sizeof *sides };
    (void)state;
    for (size_t i = 0; i < SIDES * SIDES; i++) {
        vl_sentences source = {.texts = sides[i / SIDES].texts,
                               .count = sides[i / SIDES].count};
        vl_sentences target = {.texts = sides[i % SIDES].texts,
                               .count = sides[i % SIDES].count};
        vl_alignment_options options = vl_alignment_options_default();
        vl_alignment *alignment;
        size_t count, a = 0, b = 0;
        if (i % 2)
            options.method = VL_ALIGNMENT_LENGTHS;
        assert_int_equal(vl_alignment_new(&source, &target, &options, &alignment, NULL), VL_OK);
        const vl_bead *beads = vl_alignment_beads(alignment, &count);
        for (size_t k = 0; k < count; k++) {
            a += beads[k].source_count;
            b += beads[k].target_count;
            assert_true(beads[k].confidence >= 0 && beads[k].confidence <= 1);
        }
        assert_int_equal(a, source.count);
        assert_int_equal(b, target.count);
        vl_alignment_free(alignment);
    }
}

static void test_a_megabyte_in_one_sentence(void **state) {
    char *text = malloc((1 << 20) + 1);
    const char *const other[] = {"short", "ones"};
    const char *one[1];
    vl_alignment *alignment;
    size_t count;
    (void)state;
    for (size_t i = 0; i < 1 << 20; i++)
        text[i] = i % 7 ? (char)('a' + (i * 31 + i / 7) % 26) : ' ';
    text[1 << 20] = '\0';
    one[0] = text;
    vl_sentences source = {.texts = one, .count = 1}, target = {.texts = other, .count = 2};
    vl_alignment_options options = vl_alignment_options_default();
    assert_int_equal(vl_alignment_new(&source, &target, &options, &alignment, NULL), VL_OK);
    assert_non_null(vl_alignment_beads(alignment, &count));
    assert_in_range(count, 1, 3);
    vl_alignment_free(alignment);
    free(text);
}

static void test_vectors_that_are_none(void **state) {
    static const char *const texts[] = {"one", "two"};
    static const float good[] = {1, 0, 0, 1}, zero[4], bad[] = {1, 0, NAN, 0},
                       endless[] = {1, 0, 0, INFINITY};
    static const struct {
        const float *source, *target;
        vl_alignment_method method;
        vl_status expected;
    } rows[] = {
        {good, good, VL_ALIGNMENT_ALL, VL_OK},
        {zero, zero, VL_ALIGNMENT_ALL, VL_OK},
        {zero, zero, VL_ALIGNMENT_VECTORS, VL_OK},
        {good, good, VL_ALIGNMENT_VECTORS, VL_OK},
        {bad, good, VL_ALIGNMENT_ALL, VL_ERR_INPUT},
        {good, endless, VL_ALIGNMENT_VECTORS, VL_ERR_INPUT},
        {good, NULL, VL_ALIGNMENT_ALL, VL_OK},
        {good, NULL, VL_ALIGNMENT_VECTORS, VL_ERR_USAGE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_sentences source = {.texts = texts, .count = 2, .rows = rows[i].source};
        vl_sentences target = {.texts = texts, .count = 2, .rows = rows[i].target};
        vl_alignment_options options = {.method = rows[i].method, .width = 2};
        vl_error error = {0};
        vl_alignment *alignment;
        assert_int_equal(vl_alignment_new(&source, &target, &options, &alignment, &error),
                         rows[i].expected);
        assert_true(!rows[i].expected == !!alignment);
        vl_alignment_free(alignment);
    }
    vl_sentences many = {.texts = texts, .count = VL_SENTENCES_MAX + 1};
    vl_alignment_options options = vl_alignment_options_default();
    vl_alignment *alignment;
    assert_int_equal(vl_alignment_new(&many, &many, &options, &alignment, NULL), VL_ERR_LIMIT);
    assert_null(alignment);
}

/* ---- words ------------------------------------------------------------------------------- */

static void test_words(void **state) {
    static const char *const en[] = {"the house is red", "the car is red", "the house is big",
                                     "a big car", "Nairobi is big"};
    static const char *const sw[] = {"nyumba ni nyekundu", "gari ni jekundu nyekundu",
                                     "nyumba ni kubwa", "gari kubwa", "Nairobi ni kubwa"};
    static const struct {
        const char *source, *target;
    } expected[] = {{"house", "nyumba"}, {"is", "ni"}, {"big", "kubwa"}};
    vl_sentences source = {.texts = en, .count = 5}, target = {.texts = sw, .count = 5};
    vl_alignment *alignment;
    vl_word_link *links;
    size_t count;
    (void)state;
    assert_int_equal(vl_alignment_of_pairs(&source, &target, &alignment, NULL), VL_OK);
    assert_int_equal(vl_alignment_words(alignment, arena, en[2], sw[2], &links, &count, NULL),
                     VL_OK);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(en[2] + links[i].source_from, expected[i].source,
                            links[i].source_to - links[i].source_from);
        assert_memory_equal(sw[2] + links[i].target_from, expected[i].target,
                            links[i].target_to - links[i].target_from);
        assert_true(links[i].confidence > 0 && links[i].confidence <= 1);
    }
    /* words that were never seen are linked by their spelling, and nothing to nothing */
    assert_int_equal(vl_alignment_words(alignment, arena, "In Kisumu 2021.", "2021 — Kisumu",
                                        &links, &count, NULL),
                     VL_OK);
    assert_int_equal(count, 2);
    assert_int_equal(vl_alignment_words(alignment, arena, "", "\xFF", &links, &count, NULL),
                     VL_OK);
    assert_int_equal(count, 0);
    vl_alignment_free(alignment);
    target.count = 4;
    assert_int_equal(vl_alignment_of_pairs(&source, &target, &alignment, NULL), VL_ERR_INPUT);
}

static void test_romanise(void **state) {
    static const char *const rows[][2] = {
        {"москва", "moskva"}, {"été", "ete"},      {"ƙasa", "kasa"}, {"اسلام", "aslam"},
        {"नई", "nai"},        {"αθήνα", "athena"}, {"", ""},         {"2021", "2021"},
        {"ọmọ", "omo"},       {"𝒳", ""},
    };
    align_romaniser *romaniser;
    char out[ALIGN_ROMAN_SIZE];
    uint64_t grams[ALIGN_GRAMS_MAX];
    (void)state;
    assert_int_equal(align_romaniser_new(&romaniser, NULL), VL_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(align_romanise(romaniser, rows[i][0], out), strlen(rows[i][1]));
        assert_string_equal(out, rows[i][1]);
    }
    align_romaniser_free(romaniser);
    assert_int_equal(align_grams("2021", 4, grams), 1);
    assert_int_equal(align_grams("ab", 2, grams), 3 + 2 + 1); /* of <ab> */
    assert_int_equal(align_grams("", 0, grams), 0);
}

static void test_lexical(void **state) {
    static const char *const texts[] = {"Kiongozi wa Nairobi 1998", "Мэр Найроби 1998 года",
                                        "a different matter", "", "?!"};
    float rows[5 * 128];
    (void)state;
    assert_int_equal(vl_lexical_encode(texts, 5, 128, rows, NULL), VL_OK);
    double same = 0, other = 0, empty = 0;
    for (size_t d = 0; d < 128; d++) {
        same += (double)rows[d] * (double)rows[128 + d];
        other += (double)rows[d] * (double)rows[256 + d];
        empty += fabs((double)rows[384 + d]) + fabs((double)rows[512 + d]);
    }
    assert_true(same > 0.15);
    assert_true(fabs(other) < 0.2);
    assert_float_equal(empty, 0, 1e-9);
    assert_int_equal(vl_lexical_encode(texts, 5, 0, rows, NULL), VL_ERR_USAGE);
}

/* Weights of Arora et al. by hand: frequencies 900 and 100, so that a word weighs 0.001 / 0.901
 * or 0.001 / 0.101. */
static void test_sif(void **state) {
    static const char *const words[] = {"the", "water"};
    static const uint64_t frequencies[] = {900, 100};
    static const char *const texts[] = {"The water!", "the the", "unknown", ""};
    float *rows = malloc(4 * sizeof *rows), out[8];
    vl_embeddings *embeddings;
    (void)state;
    rows[0] = 1, rows[1] = 0, rows[2] = 0, rows[3] = 1;
    assert_int_equal(vl_embeddings_new(words, frequencies, rows, 2, 2, &embeddings, NULL),
                     VL_OK);
    assert_int_equal(vl_sif_encode(embeddings, texts, 4, out, NULL), VL_OK);
    assert_float_equal(out[1] / out[0], 0.901F / 0.101F, 1e-3);
    assert_float_equal(out[0] * out[0] + out[1] * out[1], 1, 1e-6);
    assert_float_equal(out[2], 1, 1e-6);
    for (size_t k = 4; k < 8; k++)
        assert_float_equal(out[k], 0, 1e-9);
    vl_embeddings_free(embeddings);
}

/* What all sentences share is taken out, so that what is left differs. */
static void test_sif_common_component(void **state) {
    enum { N = 30 };
    static const char *const words[] = {"a", "b", "c"};
    const char *texts[N];
    float *rows = calloc(9, sizeof *rows), out[3 * N];
    vl_embeddings *embeddings;
    (void)state;
    for (size_t i = 0; i < 3; i++) { /* nearly the same direction */
        rows[3 * i] = 10;
        rows[3 * i + i] += 1;
    }
    for (size_t i = 0; i < N; i++)
        texts[i] = words[i % 3];
    assert_int_equal(vl_embeddings_new(words, NULL, rows, 3, 3, &embeddings, NULL), VL_OK);
    assert_int_equal(vl_sif_encode(embeddings, texts, N, out, NULL), VL_OK);
    for (size_t k = 0; k < 3; k++) {
        const float *x = out + 3 * k, *y = out + 3 * ((k + 1) % 3);
        assert_true(x[0] * y[0] + x[1] * y[1] + x[2] * y[2] < 0.1F);
    }
    vl_embeddings_free(embeddings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_lengths_are_learned),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_posteriors),
        cmocka_unit_test(test_bands_hold_their_path),
        cmocka_unit_test(test_recursion_finds_the_diagonal),
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_long_documents_by_lengths),
        cmocka_unit_test(test_odd_documents),
        cmocka_unit_test(test_a_megabyte_in_one_sentence),
        cmocka_unit_test(test_vectors_that_are_none),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_romanise),
        cmocka_unit_test(test_lexical),
        cmocka_unit_test(test_sif),
        cmocka_unit_test(test_sif_common_component),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
