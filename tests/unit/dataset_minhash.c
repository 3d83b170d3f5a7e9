/* Tests of shingles, and of MinHash against the curve that its bands have by calculation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/minhash.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new(256 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

static shingles made(const char *text) {
    shingles found;
    vl_error error = {0};
    if (shingles_of(arena, text, 1, &found, &error))
        fail_msg("%s", error.message);
    return found;
}

/* ---- shingles --------------------------------------------------------------------- */

static void test_folding(void **state) {
    static const char *const same[][2] = {
        {"Maji safi kwa wote", "MAJI  safi,\tkwa «wote»!"},
        {"Straße nach Köln", "STRASSE NACH KO\xCC\x88LN"},
        {"\xEF\xBB\xBB \xEF\xBA\xAB", "\xD9\x84\xD8\xA7 \xD8\xB0"}, /* forms of a PDF */
        {"of\xEF\xAC\x81"
         "ce",
         "office"}, /* a ligature */
        {"co\xC2\xADoperate", "cooperate"},
        {"የክትባት ዘመቻ", "የክትባት፣ ዘመቻ።"},
        {"ရေဘေး သတိပေး", "ရေဘေး၊သတိပေး"},
        {"", " ,.!\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        shingles a = made(same[i][0]), b = made(same[i][1]);
        assert_int_equal(a.count, b.count);
        assert_true(a.text == b.text);
        if (a.count)
            assert_memory_equal(a.hashes, b.hashes, a.count * sizeof *a.hashes);
    }
    assert_true(made("one two three").text != made("three two one").text);
    assert_true(made("onetwo three").text != made("one two three").text);
}

static void test_shingle_counts(void **state) {
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {
        {"", 0},
        {"... — !", 0},
        {"one", 1},
        {"one two", 1},
        {"one two three", 1},
        {"one two three four", 2},
        {"don't stop", 1},         /* don t stop */
        {"洪水警報発令", 2},       /* 6 clusters */
        {"ประกาศ", 2},             /* ป ร ะ ก า ศ */
        {"ទឹកជំនន់", 1},              /* ទឹ ក ជំ ន ន់ */
        {"ແຈ້ງ", 1},                /* shorter than a shingle */
        {"one two three 洪水", 2}, /* words and clusters apart */
        {"\xCC\x81 a", 1},         /* a mark with nothing before it */
        {"bad \xFF\xFE byte", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (made(rows[i].text).count != rows[i].count)
            fail_msg("%s: %zu shingles", rows[i].text, made(rows[i].text).count);
}

static void test_burmese_by_clusters(void **state) {
    (void)state;
    shingles whole = made("ရေဘေးသတိပေးချက်ကိုနားထောင်ပါ");
    shingles edited = made("ရေဘေးသတိပေးချက်ကိုနားထောင်ရန်");
    size_t both = 0;
    assert_true(whole.count > 6);
    for (size_t i = 0; i < whole.count && i < edited.count; i++)
        both += whole.hashes[i] == edited.hashes[i];
    assert_true(both >= 6 && both < whole.count);
}

static void test_shingles_limits(void **state) {
    (void)state;
    shingles found;
    vl_error error = {0};
    char *text = vl_arena_alloc(arena, SHINGLES_MAX_BYTES + 2);
    memset(text, 'a', SHINGLES_MAX_BYTES + 1);
    assert_int_equal(shingles_of(arena, text, 1, &found, &error), VL_ERR_LIMIT);
    text[SHINGLES_MAX_BYTES] = '\0';
    assert_int_equal(shingles_of(arena, text, 1, &found, &error), VL_OK);
    assert_int_equal(found.count, 1);
    vl_arena *small = vl_arena_new(1000);
    assert_int_equal(shingles_of(small, text, 1, &found, &error), VL_ERR_MEMORY);
    vl_arena_free(small);
}

/* ---- values ----------------------------------------------------------------------- */

static minhash functions(size_t hashes, double threshold, uint64_t seed) {
    minhash m;
    vl_error error = {0};
    if (minhash_init(&m, hashes, threshold, seed, &error))
        fail_msg("%s", error.message);
    return m;
}

static void test_bands(void **state) {
    static const struct {
        size_t hashes;
        double threshold;
        size_t bands, rows;
    } rows[] = {{128, 0.8, 21, 6}, {128, 0.5, 42, 3}, {256, 0.8, 32, 8}, {64, 0.9, 9, 7}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        minhash m = functions(rows[i].hashes, rows[i].threshold, 1);
        assert_int_equal(m.bands, rows[i].bands);
        assert_int_equal(m.rows, rows[i].rows);
        assert_true(minhash_curve(rows[i].threshold, m.rows, m.bands) >= MINHASH_RECALL);
    }
    minhash m;
    vl_error error = {0};
    assert_int_equal(minhash_init(&m, 100, 0.8, 1, &error), VL_ERR_USAGE);
    assert_int_equal(minhash_init(&m, 512, 0.8, 1, &error), VL_ERR_USAGE);
    assert_int_equal(minhash_init(&m, 128, 0.0, 1, &error), VL_ERR_USAGE);
    assert_int_equal(minhash_init(&m, 128, NAN, 1, &error), VL_ERR_USAGE);
}

enum { SET_MOST = 512, PAIRS = 400 };

/* Two random sets of `size` that have `both` members in common: J = both / (2 size - both). */
static void plant(uint64_t *seed, size_t size, size_t both, uint32_t *a, uint32_t *b) {
    for (size_t i = 0; i < size; i++) {
        a[i] = (uint32_t)vl_random_next(seed);
        b[i] = i < both ? a[i] : (uint32_t)vl_random_next(seed);
    }
}

static bool meet(const minhash *m, const uint32_t *a, const uint32_t *b) {
    for (size_t band = 0; band < m->bands; band++)
        if (minhash_band_key(m, a, band) == minhash_band_key(m, b, band))
            return true;
    return false;
}

/* Of PAIRS pairs of each similarity, the share that meets in a band is that of the curve within
 * four standard deviations (and half a pair), for sets shorter than the signature too. */
static void test_curve(void **state) {
    static const size_t sizes[] = {12, 60, 300};
    (void)state;
    uint32_t a[SET_MOST], b[SET_MOST], va[MINHASH_MOST], vb[MINHASH_MOST];
    uint64_t seed = 20;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int tenth = 2; tenth <= 10; tenth++) {
            size_t size = sizes[s];
            size_t both = (size_t)lround(2 * (double)size * tenth / (10 + tenth));
            double j = (double)both / (double)(2 * size - both), met = 0;
            for (uint64_t i = 0; i < PAIRS; i++) {
                minhash m = functions(128, 0.8, i % 40);
                plant(&seed, size, both, a, b);
                minhash_values(&m, a, size, va);
                minhash_values(&m, b, size, vb);
                met += meet(&m, va, vb);
            }
            double p = minhash_curve(j, 6, 21), share = met / PAIRS;
            if (fabs(share - p) > 4 * sqrt(p * (1 - p) / PAIRS) + 0.5 / PAIRS)
                fail_msg("sets of %zu, similarity %.3f: %.4f meet, not %.4f", size, j, share,
                         p);
        }
}

static minhash_sketch sketched(const minhash *m, const uint32_t *set, size_t count) {
    uint64_t hashes[SET_MOST];
    uint32_t values[MINHASH_MOST];
    minhash_sketch sketch;
    for (size_t i = 0; i < count; i++)
        hashes[i] = (uint64_t)set[i] << 32;
    shingles of = {.hashes = hashes, .count = count};
    assert_int_equal(minhash_of(m, arena, &of, values, &sketch, NULL), VL_OK);
    return sketch;
}

/* Long sets: an estimate without bias, with the deviation of k values (and of their 8 bits).
 * Sets of up to k/4: exact. */
static void test_similarity(void **state) {
    (void)state;
    uint32_t a[SET_MOST], b[SET_MOST];
    uint64_t seed = 5;
    minhash m = functions(128, 0.8, 3);
    for (int tenth = 0; tenth <= 10; tenth++) {
        size_t size = 200, both = (size_t)lround(2.0 * 200 * tenth / (10 + tenth));
        double j = (double)both / (double)(2 * size - both), sum = 0, square = 0;
        for (int i = 0; i < 400; i++) {
            plant(&seed, size, both, a, b);
            minhash_sketch x = sketched(&m, a, size), y = sketched(&m, b, size);
            assert_int_equal(x.members, MINHASH_MANY);
            double off = minhash_similarity(&m, &x, &y) - j;
            sum += off;
            square += off * off;
        }
        double deviation = sqrt((j * (1 - j) + 1.0 / 256) / 128);
        /* none is below 0, so around 0 the mean is above */
        assert_true(tenth == 0 || fabs(sum / 400) <= 4 * deviation / 20 + 1e-3);
        assert_true(sqrt(square / 400) <= 1.2 * deviation + 1e-9);
    }
    for (size_t both = 0; both <= 32; both++) {
        plant(&seed, 32, both, a, b);
        minhash_sketch x = sketched(&m, a, 32), y = sketched(&m, b, 32);
        assert_int_equal(x.members, 32);
        assert_true(fabs(minhash_similarity(&m, &x, &y) - (double)both / (double)(64 - both)) <
                    1e-12);
    }
    plant(&seed, 40, 30, a, b); /* a set of 30, and one of 40 that has it: 0.75 */
    minhash_sketch x = sketched(&m, a, 40), y = sketched(&m, b, 30);
    assert_true(fabs(minhash_similarity(&m, &x, &y) - 0.75) < 0.12);
    assert_true(minhash_similarity(&m, &y, &x) == minhash_similarity(&m, &x, &y));
}

static void test_repeats_are_one_member(void **state) {
    static const uint32_t once[] = {1, 2, 3}, again[] = {3, 1, 2, 3, 3, 1};
    (void)state;
    minhash m = functions(64, 0.8, 1);
    minhash_sketch x = sketched(&m, once, 3), y = sketched(&m, again, 6);
    assert_memory_equal(&x, &y, sizeof x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folding),
        cmocka_unit_test(test_shingle_counts),
        cmocka_unit_test(test_burmese_by_clusters),
        cmocka_unit_test(test_shingles_limits),
        cmocka_unit_test(test_bands),
        cmocka_unit_test(test_curve),
        cmocka_unit_test(test_similarity),
        cmocka_unit_test(test_repeats_are_one_member),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
