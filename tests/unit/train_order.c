/* Tests of the order of a pass: everything once; or labels by the root of their counts. */
#include "train_toy.h"

#include "train/order.h"

enum { COMMON = 64, RARE = 4, PICTURES = COMMON + RARE };

/* 64 pictures of a fire, 4 of a flood; the last has no label when `unlabelled`. */
static samples *the_samples(bool unlabelled) {
    static const char *const folder = "order";
    vl_error error = {0};
    vl_buf lines;
    vl_buf_init(&lines, 1 << 20);
    if (vl_dir_make(toy_path(folder), &error))
        fail_msg("%s", error.message);
    for (int i = 0; i < PICTURES; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/%d.png", folder, i);
        toy_write(name, "", 0);
        bool silent = unlabelled && i == PICTURES - 1;
        vl_buf_printf(&lines, "{\"file_name\": \"%d.png\"", i);
        if (!silent)
            vl_buf_printf(&lines, ", \"labels\": {\"scene\": \"%s\"}",
                          i < COMMON ? "fire" : "flood");
        vl_buf_printf(&lines, "}\n");
    }
    toy_write("order/metadata.jsonl", lines.data, lines.len);
    vl_buf_deinit(&lines);
    samples *set = NULL;
    if (samples_open(toy_path(folder), &set, &error))
        fail_msg("%s", error.message);
    assert_int_equal(samples_count(set), PICTURES);
    return set;
}

static order *the_order(const samples *set, const char *balance) {
    vl_error error = {0};
    order *o = NULL;
    if (order_new(set, balance, &o, &error))
        fail_msg("%s", error.message);
    return o;
}

/* How often each sample comes in a pass. */
static void count_pass(order *o, uint64_t pass, size_t times[PICTURES]) {
    memset(times, 0, PICTURES * sizeof *times);
    for (size_t place = 0; place < PICTURES; place++) {
        size_t index = order_at(o, pass, pass * 77 + 1, place);
        assert_true(index < PICTURES);
        times[index]++;
    }
}

static void test_everything_once(void **state) {
    (void)state;
    samples *set = the_samples(false);
    order *o = the_order(set, "");
    size_t times[PICTURES];
    for (uint64_t pass = 0; pass < 3; pass++) {
        count_pass(o, pass, times);
        for (size_t i = 0; i < PICTURES; i++)
            assert_int_equal(times[i], 1);
    }
    order_free(o);
    samples_free(set);
}

/* √64 : √4 is 8 : 2, so of 68 places the four floods get 14 and the 64 fires 54. */
static void test_by_the_root(void **state) {
    (void)state;
    samples *set = the_samples(false);
    order *o = the_order(set, "scene");
    size_t times[PICTURES], left_out[3] = {0}, differing = 0, first[PICTURES];
    for (uint64_t pass = 0; pass < 3; pass++) {
        size_t floods = 0;
        count_pass(o, pass, times);
        for (size_t i = 0; i < COMMON; i++) {
            assert_in_range(times[i], 0, 1);
            left_out[pass] += times[i] == 0;
        }
        for (size_t i = COMMON; i < PICTURES; i++) {
            assert_in_range(times[i], 3, 4);
            floods += times[i];
        }
        assert_int_equal(floods, 14);
        assert_int_equal(left_out[pass], COMMON - 54);
        for (size_t i = 0; i < PICTURES; i++)
            differing += pass && times[i] != first[i];
        if (!pass)
            memcpy(first, times, sizeof first);
    }
    assert_true(differing > 0); /* other fires are left out */
    order_free(o);
    samples_free(set);
}

static void test_unlabelled_are_a_label(void **state) {
    (void)state;
    samples *set = the_samples(true);
    order *o = the_order(set, "scene");
    size_t times[PICTURES];
    count_pass(o, 0, times);
    assert_in_range(times[PICTURES - 1], 6, 7); /* 68 · 1 / (8 + √3 + 1) */
    order_free(o);
    samples_free(set);
}

static void test_no_such_label(void **state) {
    (void)state;
    samples *set = the_samples(false);
    vl_error error = {0};
    order *o = NULL;
    assert_int_equal(order_new(set, "scenes", &o, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "'scenes'"));
    assert_null(o);
    samples_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_once),
        cmocka_unit_test(test_by_the_root),
        cmocka_unit_test(test_unlabelled_are_a_label),
        cmocka_unit_test(test_no_such_label),
    };
    return cmocka_run_group_tests(tests, toy_setup, toy_teardown);
}
