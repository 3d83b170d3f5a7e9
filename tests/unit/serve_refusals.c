/* Tests of refusals that are added up: in quiet times each address has its entry, in an attack
 * entries are few, and no refusal is missing from their sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "serve/refusals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SECOND = 1000000000, START = 5000000000;

static vl_address address_of(uint32_t number) {
    vl_address address = {{0x20, 0x01, 0x0d, 0xb8}};
    memcpy(address.bytes + 4, &number, sizeof number);
    return address;
}

static void add(vl_refusals *refusals, uint32_t number, vl_denial denial, int64_t now) {
    vl_address owner = address_of(number);
    vl_refusals_add(refusals, &owner, denial, number ? "" : "amina", "request", now);
}

static void test_quiet(void **state) {
    vl_refusals *refusals = calloc(1, sizeof *refusals);
    vl_refusal_row due[VL_REFUSAL_ROWS];
    vl_address first = address_of(0), second = address_of(7);
    bool others;
    (void)state;
    assert_int_equal(vl_refusals_take(refusals, true, START, due, &others), 0);
    add(refusals, 0, VL_DENIAL_PASSWORD, START);
    add(refusals, 7, VL_DENIAL_KEY, START);
    add(refusals, 0, VL_DENIAL_KEY, START);
    assert_int_equal(vl_refusals_take(refusals, false, START, due, &others), 2);
    assert_false(others);
    assert_memory_equal(&due[0].owner, &first, sizeof first);
    assert_memory_equal(&due[1].owner, &second, sizeof second);
    assert_int_equal(due[0].counts[VL_DENIAL_PASSWORD], 1);
    assert_int_equal(due[0].counts[VL_DENIAL_KEY], 1);
    assert_int_equal(due[0].total, 2);
    assert_string_equal(due[0].user, "amina");
    assert_false(vl_refusals_any(refusals));
    /* Again within the minute: later, as one. */
    for (int i = 0; i < 1000; i++)
        add(refusals, 7, VL_DENIAL_KEY, START + SECOND);
    assert_int_equal(vl_refusals_take(refusals, false, START + 2 * SECOND, due, &others), 0);
    assert_true(vl_refusals_any(refusals));
    assert_int_equal(vl_refusals_take(refusals, false, START + 61 * SECOND, due, &others), 1);
    assert_int_equal(due[0].total, 1000);
    assert_false(others);
    free(refusals);
}

/* A day of it, from as many addresses as there are, or from as many as there are rows. */
static void test_attack(void **state) {
    static const uint32_t addresses[] = {1000000, 64, 2};
    (void)state;
    for (size_t a = 0; a < sizeof addresses / sizeof *addresses; a++) {
        vl_refusals *refusals = calloc(1, sizeof *refusals);
        vl_refusal_row due[VL_REFUSAL_ROWS];
        uint64_t sent = 0, summed = 0, entries = 0;
        bool others;
        for (int64_t now = START; now < START + 86400 * SECOND; now += 5 * SECOND) {
            for (int i = 0; i < 25; i++)
                add(refusals, (uint32_t)(1 + sent++ % addresses[a]), VL_DENIAL_MISSING, now);
            size_t count = vl_refusals_take(refusals, false, now, due, &others);
            for (size_t i = 0; i < count; i++)
                summed += due[i].total;
            entries += count;
        }
        size_t count = vl_refusals_take(refusals, true, START + 86400 * SECOND, due, &others);
        for (size_t i = 0; i < count; i++)
            summed += due[i].total;
        assert_int_equal(summed, sent);
        assert_in_range(entries, 2000, 3 * 1440 + VL_REFUSAL_ROWS);
        free(refusals);
    }
}

/* When it is over there is room for entries with addresses again. */
static void test_afterwards(void **state) {
    vl_refusals *refusals = calloc(1, sizeof *refusals);
    vl_refusal_row due[VL_REFUSAL_ROWS];
    bool others;
    (void)state;
    for (uint32_t i = 1; i < 5000; i++)
        add(refusals, i, VL_DENIAL_MISSING, START);
    assert_int_equal(vl_refusals_take(refusals, false, START, due, &others), VL_REFUSAL_ROWS);
    assert_true(others);
    int64_t later = START + 3600 * SECOND;
    add(refusals, 0, VL_DENIAL_PASSWORD, later);
    assert_int_equal(vl_refusals_take(refusals, false, later, due, &others), 1);
    assert_false(others);
    assert_string_equal(due[0].user, "amina");
    free(refusals);
}

/* What could not be written is there the next time. */
static void test_put_back(void **state) {
    vl_refusals *refusals = calloc(1, sizeof *refusals);
    vl_refusal_row due[VL_REFUSAL_ROWS];
    bool others;
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        add(refusals, i, VL_DENIAL_KEY, START);
    for (int turn = 0; turn < 3; turn++) {
        uint64_t summed = 0;
        size_t count = vl_refusals_take(refusals, false, START + turn * SECOND, due, &others);
        assert_int_equal(count, VL_REFUSAL_ROWS);
        assert_true(others);
        for (size_t i = 0; i < count; i++) {
            vl_refusals_put_back(refusals, &due[i], i == count - 1);
            summed += due[i].total;
        }
        assert_int_equal(summed, 100);
        assert_true(vl_refusals_any(refusals));
    }
    free(refusals);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_attack),
        cmocka_unit_test(test_afterwards),
        cmocka_unit_test(test_put_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
