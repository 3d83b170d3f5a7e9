/* Tests of ranks with ties, Wilson's interval, and beads against gold: answers worked out by
 * hand, or counted over every order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align/score.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vl_error error;

static void check_near(double got, double expected) {
    if (!(fabs(got - expected) < 1e-9))
        fail_msg("%.12f instead of %.12f", got, expected);
}

static void test_places(void **state) {
    static const struct {
        float scores[5];
        uint32_t right[2];
        size_t right_count;
        align_place place;
    } rows[] = {
        {{5, 1, 2, 3, 4}, {0}, 1, {0, 1, 0}},
        {{5, 1, 2, 3, 4}, {1}, 1, {4, 1, 0}},
        {{1, 1, 1, 1, 1}, {2}, 1, {0, 1, 4}},
        {{1, 1, 1, 1, 1}, {2, 4}, 2, {0, 2, 3}},
        {{5, 4, 4, 4, 1}, {1, 4}, 2, {1, 1, 2}},
        {{5, 4, 4, 4, 1}, {0, 4}, 2, {0, 1, 0}},
        {{0, 0, -1, -1, 0}, {3}, 1, {3, 1, 1}},
        {{0.5F, 0.5000001F, 0, 0, 0},
         {0},
         1,
         {0, 1, 1}}, /* the same number, summed otherwise */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        align_place got = align_place_of(rows[i].scores, 5, rows[i].right, rows[i].right_count);
        assert_int_equal(got.ahead, rows[i].place.ahead);
        assert_int_equal(got.right, rows[i].place.right);
        assert_int_equal(got.tied, rows[i].place.tied);
    }
}

static void test_ranks(void **state) {
    static const struct {
        align_place place;
        double at1, at5, reciprocal;
    } rows[] = {
        {{0, 1, 0}, 1, 1, 1},
        {{1, 1, 0}, 0, 1, 0.5},
        {{4, 1, 0}, 0, 1, 0.2},
        {{5, 1, 0}, 0, 0, 1.0 / 6},
        {{0, 1, 1}, 0.5, 1, 0.75},
        {{0, 1, 9},
         0.1,
         0.5,
         (1 + 1 / 2.0 + 1 / 3.0 + 1 / 4.0 + 1 / 5.0 + 1 / 6.0 + 1 / 7.0 + 1 / 8.0 + 1 / 9.0 +
          1 / 10.0) /
             10},
        {{0, 2, 1}, 2.0 / 3, 1, 2.0 / 3 + 1.0 / 6},
        {{4, 1, 1}, 0, 0.5, 0.5 * (1 / 5.0 + 1 / 6.0)},
        {{3, 2, 2}, 0, 1 - 2.0 / 4 * 1 / 3, 0.5 / 4 + (2.0 / 6) / 5 + (1.0 / 6) / 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        align_ranks ranks = {0};
        align_ranks_add(&ranks, rows[i].place, 3);
        align_ranks_finish(&ranks);
        check_near(ranks.at1, rows[i].at1);
        check_near(ranks.at5, rows[i].at5);
        check_near(ranks.reciprocal, rows[i].reciprocal);
        check_near(ranks.tied, rows[i].place.tied ? 1 : 0);
        assert_int_equal(ranks.queries, 3);
    }
}

/* Every order of the candidates that keeps the better before the worse, by numbering them. */
static void test_ranks_by_counting(void **state) {
    uint64_t seed = 7;
    (void)state;
    for (int round = 0; round < 40; round++) {
        enum { N = 7, ORDERS = 20000 };
        float scores[N], noisy[N];
        uint32_t right[2] = {(uint32_t)vl_random_below(&seed, 3),
                             3 + (uint32_t)vl_random_below(&seed, 4)};
        for (size_t i = 0; i < N; i++)
            scores[i] = (float)vl_random_below(&seed, 3);
        align_ranks expected = {0}, counted = {0};
        align_ranks_add(&expected, align_place_of(scores, N, right, 2), 1);
        for (int order = 0; order < ORDERS; order++) {
            for (size_t i = 0; i < N; i++)
                noisy[i] = scores[i] + (float)(0.01 + 0.9 * vl_random_uniform(&seed));
            align_ranks_add(&counted, align_place_of(noisy, N, right, 2), 1);
        }
        align_ranks_finish(&counted);
        assert_true(fabs(counted.at1 - expected.at1) < 0.02);
        assert_true(fabs(counted.at5 - expected.at5) < 0.02);
        assert_true(fabs(counted.reciprocal - expected.reciprocal) < 0.02);
    }
}

static void test_wilson(void **state) {
    /* The formula in Python. */
    static const struct {
        double share;
        size_t n;
        double low, high;
    } rows[] = {
        {0.5, 10, 0.236593090512564, 0.763406909487436},
        {0, 20, 0, 0.161125158052819},
        {1, 20, 0.838874841947181, 1},
        {0.45, 1000, 0.419415384074297, 0.480967291774259},
        {0.5, 0, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double low, high;
        align_wilson(rows[i].share, rows[i].n, &low, &high);
        assert_true(fabs(low - rows[i].low) < 1e-6);
        assert_true(fabs(high - rows[i].high) < 1e-6);
    }
}

/* "0,1:2;" of each bead */
static void spell(const align_bead *beads, size_t count, char *out, size_t size) {
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < beads[i].src_count; k++)
            used += (size_t)snprintf(out + used, size - used, "%s%u", k ? "," : "",
                                     beads[i].src[k]);
        used += (size_t)snprintf(out + used, size - used, ":");
        for (size_t k = 0; k < beads[i].tgt_count; k++)
            used += (size_t)snprintf(out + used, size - used, "%s%u", k ? "," : "",
                                     beads[i].tgt[k]);
        used += (size_t)snprintf(out + used, size - used, ";");
    }
}

static void test_beads(void **state) {
    static const struct {
        const char *text, *beads; /* NULL: an error */
    } rows[] = {
        {"[0]:[0]\n[1, 2]:[1]\n[]:[2]\n", "0:0;1,2:1;:2;"},
        {"[0]:[0]:0.31\r\n\r\n[1]:[]:0.000000\r\n", "0:0;1:;"},
        {" [0] : [0,1] \n", "0:0,1;"},
        {"# gold\n0\t0\n1,2\t1\n\t2\n3\t-\n", "0:0;1,2:1;:2;3:;"},
        {"source\ttarget\n0\t0\tsome\ttext\n", "0:0;"},
        {"[]:[]\n[0]:[0]\n", "0:0;"},
        {"", NULL},
        {"[0][0]\n", NULL},
        {"[0]:[0\n", NULL},
        {"[0]:[0]x\n", NULL},
        {"[a]:[0]\n", NULL},
        {"[1, 1]:[0]\n", NULL},
        {"[2, 1]:[0]\n", NULL},
        {"[1,]:[0]\n", NULL},
        {"[-1]:[0]\n", NULL},
        {"[0]:[0]\n[0]:[1]\n", NULL},
        {"[0]:[0]\n[1]:[0]\n", NULL},
        {"[99999999999999999999]:[0]\n", NULL},
        {"[1000000]:[0]\n", NULL},
        {"[0]:[0]\nsource\ttarget\n", NULL},
    };
    vl_arena *arena = vl_arena_new(64 << 20);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        align_bead *beads;
        size_t count;
        char text[128];
        vl_arena_reset(arena);
        vl_status status =
            align_beads_parse(arena, "gold", rows[i].text, &beads, &count, &error);
        if (!rows[i].beads) {
            assert_int_equal(status, VL_ERR_INPUT);
            continue;
        }
        assert_int_equal(status, VL_OK);
        spell(beads, count, text, sizeof text);
        assert_string_equal(text, rows[i].beads);
    }
    vl_arena_free(arena);
}

static void test_agreement(void **state) {
    /* Worked out from the definition; the fourth is Vecalign's rule that nulls count for
     * precision alone. */
    static const struct {
        const char *gold, *found;
        double strict[3], lax[3]; /* precision, recall, F1 */
    } rows[] = {
        {"[0]:[0]\n[1]:[1]\n", "[0]:[0]\n[1]:[1]\n", {1, 1, 1}, {1, 1, 1}},
        {"[0]:[0]\n[1]:[1]\n", "[0]:[1]\n[1]:[0]\n", {0, 0, 0}, {0, 0, 0}},
        {"[0, 1]:[0]\n[2]:[1]\n",
         "[0]:[0]\n[1]:[]\n[2]:[1]\n",
         {1.0 / 3, 0.5, 0.4},
         {2.0 / 3, 1, 0.8}},
        {"[0]:[0]\n[1]:[]\n[]:[1]\n", "[0]:[0]\n[1]:[]\n[]:[1]\n", {1, 1, 1}, {1, 1, 1}},
        {"[0]:[0]\n[1]:[]\n", "[0]:[0]\n[1]:[1]\n", {0.5, 1, 2.0 / 3}, {0.5, 1, 2.0 / 3}},
        {"[0]:[0]\n[7]:[9]\n", "[0]:[0]\n", {1, 0.5, 2.0 / 3}, {1, 0.5, 2.0 / 3}},
        {"[0]:[0]\n", "[0]:[0]\n[7]:[9]\n", {0.5, 1, 2.0 / 3}, {0.5, 1, 2.0 / 3}},
    };
    vl_arena *arena = vl_arena_new(64 << 20);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        align_bead *gold, *found;
        size_t gold_count, found_count;
        align_agreement strict, lax;
        vl_arena_reset(arena);
        assert_int_equal(
            align_beads_parse(arena, "gold", rows[i].gold, &gold, &gold_count, &error), VL_OK);
        assert_int_equal(
            align_beads_parse(arena, "found", rows[i].found, &found, &found_count, &error),
            VL_OK);
        assert_int_equal(
            align_beads_score(gold, gold_count, found, found_count, &strict, &lax, &error),
            VL_OK);
        check_near(strict.precision, rows[i].strict[0]);
        check_near(strict.recall, rows[i].strict[1]);
        check_near(strict.f1, rows[i].strict[2]);
        check_near(lax.precision, rows[i].lax[0]);
        check_near(lax.recall, rows[i].lax[1]);
        check_near(lax.f1, rows[i].lax[2]);
    }
    vl_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_ranks_by_counting),
        cmocka_unit_test(test_wilson),
        cmocka_unit_test(test_beads),
        cmocka_unit_test(test_agreement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
