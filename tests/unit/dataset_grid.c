/* Numbers of tables in every script and with every country's separators; tables as named rows
 * and columns. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataset/grid.h"
#include "dataset_tables.h"

#include <stdio.h>
#include <string.h>

#define NO NAN
static const struct {
    const char *text;
    double point, comma; /* NO: it is none with that mark */
} numbers[] = {
    {"7", 7, 7},
    {"1204", 1204, 1204},
    {"1,204", 1204, 1.204},
    {"1.204", 1.204, 1204},
    {"1,204.5", 1204.5, NO},
    {"1.204,5", NO, 1204.5},
    {"12.5", 12.5, NO},
    {"12,5", NO, 12.5},
    {"1,204,000", 1204000, NO},
    {"12,34,567", 1234567, NO},
    {"1,2,3", NO, NO},
    {"1 204", 1204, 1204},
    {"1\u202F204,5", NO, 1204.5},
    {"1\u2019204", 1204, 1204},
    {"-3.25", -3.25, NO},
    {"\u221212", -12, -12},
    {"45%", 45, 45},
    {"45 %", 45, 45},
    {"$ 1,500.00", 1500, NO},
    {"١٬٢٠٤٫٥", 1204.5, 1204.5},
    {"۱۲۳", 123, 123},
    {"१२,३४,५६७", 1234567, NO},
    {"၁၂၃", 123, 123},
    {"১,২০৪", 1204, 1.204},
    {"12a", NO, NO},
    {"", NO, NO},
    {"1-2", NO, NO},
    {"12/05", NO, NO},
    {"1٢", NO, NO},
    {"about 5", NO, NO},
    {"12345678901234567890", NO, NO},
    {"5,", NO, NO},
    {"(5)", NO, NO},
};

static void numbers_are_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        table_number n;
        bool any = table_number_read(numbers[i].text, &n);
        const double expected[] = {numbers[i].point, numbers[i].comma};
        bool expects = false;
        for (int d = 0; d < 2; d++) {
            bool wants = !isnan(expected[d]);
            expects |= wants;
            if ((any && n.reads[d]) != wants ||
                (wants && fabs(n.value[d] - expected[d]) > 1e-9))
                fail_msg("'%s' with %s: %d %g", numbers[i].text, d ? "comma" : "point",
                         any && n.reads[d], n.value[d]);
        }
        assert_int_equal(any, expects);
    }
    assert_int_equal(table_year("2023"), 2023);
    assert_int_equal(table_year("٢٠٢٣"), 2023);
    assert_int_equal(table_year("2,023"), 0);
    assert_int_equal(table_year("1203"), 0);
}

/* ---- tables ----------------------------------------------------------------------------- */

static bool is_sum(const char *name, const void *user) {
    (void)user;
    return !strcmp(name, "Total");
}

static const struct {
    const char *rows;
    uint32_t heads;
    int decimal;               /* of the language */
    int largest, smallest;     /* rows of the second column */
    bool made, plain, has_sum; /* what the grid is */
} tables[] = {
    {"Place|People\nA|1,204\nB|999\nC|5,000", 1, DECIMAL_POINT, 2, 1, true, true, false},
    {"Place|People\nA|1,204\nB|999\nC|5,000", 0, DECIMAL_POINT, 2, 1, true, true, false},
    /* 1.204 or 1,204? */
    {"Place|People\nA|1,204\nB|999\nC|5,000", 1, GRID_NONE, -1, -1, true, true, false},
    {"Place|People\nA|1,204\nB|999\nC|5,000", 1, DECIMAL_COMMA, -1, -1, true, true, false},
    {"Place|People\nA|1.204\nB|999\nC|5.000", 1, DECIMAL_COMMA, 2, 1, true, true, false},
    {"Place|People\nA|1,204\nB|999\nC|12,204.5", 1, GRID_NONE, 2, 1, true, true, false},
    {"Place|People\nA|1,204\nB|2,999\nC|5,000", 1, GRID_NONE, 2, 0, true, true, false},
    {"Place|People\nA|7\nB|7\nC|5", 1, GRID_NONE, -1, 2, true, true, false},
    {"Place|People\nA|7\nB|–\nC|5", 1, GRID_NONE, 0, 2, true, true, false},
    {"Place|People\nA|7\nB|some\nC|5", 1, GRID_NONE, -1, -1, true, true, false},
    {"Place|People\nA|7\nB|9 %\nC|5", 1, GRID_NONE, -1, -1, true, true, false},
    {"Place|People\nA|7\nA|9\nC|5", 1, GRID_NONE, -1, 2, true, false, false},
    {"Place|People\nA|7\nB|9\nTotal|16", 1, GRID_NONE, 2, 0, true, true, true},
    {"Place|People\nA|٧\nB|٩\nC|٥", 1, GRID_NONE, 1, 2, true, true, false},
    {"a|b\nc|d\ne|f", 0, GRID_NONE, -1, -1, false, false, false},
    {"1|2\n3|4\n5|6", 0, GRID_NONE, -1, -1, false, false, false},
};

static void tables_have_names(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        vl_arena *arena = vl_arena_new(1 << 20);
        small_table t;
        grid g;
        bool made;
        vl_error error = {0};
        table_fill(&t, tables[i].rows, tables[i].heads);
        assert_int_equal(
            grid_make(&t.part, is_sum, NULL, tables[i].decimal, arena, &g, &made, &error),
            VL_OK);
        assert_int_equal(made, tables[i].made);
        if (made) {
            assert_int_equal(g.rows, 3);
            assert_string_equal(g.heads[1].name, "People");
            assert_int_equal(g.plain, tables[i].plain);
            assert_int_equal(g.has_totals, tables[i].has_sum);
            if (grid_extreme(&g, 1, true) != tables[i].largest ||
                grid_extreme(&g, 1, false) != tables[i].smallest)
                fail_msg("table %zu: %d %d", i, grid_extreme(&g, 1, true),
                         grid_extreme(&g, 1, false));
        }
        vl_arena_free(arena);
    }
}

static void heads_over_heads(void **state) {
    vl_arena *arena = vl_arena_new(1 << 20);
    vl_part_cell cells[] = {{0, 0, 1, 4, true, "People in need"},
                            {1, 0, 2, 1, true, "Place"},
                            {1, 1, 1, 2, true, "2023"},
                            {1, 3, 2, 1, true, "2024"},
                            {2, 1, 1, 1, true, "Women"},
                            {2, 2, 1, 1, true, "Men"},
                            {3, 0, 1, 1, true, "A"},
                            {3, 1, 1, 1, false, "1"},
                            {3, 2, 1, 1, false, "2"},
                            {3, 3, 1, 1, false, "3"},
                            {4, 0, 1, 4, false, "North"},
                            {5, 0, 1, 1, true, "B"},
                            {5, 1, 1, 1, false, "4"},
                            {5, 2, 1, 1, false, "5"},
                            {5, 3, 1, 1, false, "6"}};
    vl_part part = {.kind = VL_PART_TABLE,
                    .cells = cells,
                    .cell_count = sizeof cells / sizeof *cells,
                    .row_count = 6,
                    .column_count = 4};
    grid g;
    bool made;
    (void)state;
    assert_int_equal(grid_make(&part, is_sum, NULL, GRID_NONE, arena, &g, &made, NULL), VL_OK);
    assert_true(made);
    assert_int_equal(g.rows, 3);
    assert_string_equal(g.heads[1].name, "2023 / Women");
    assert_string_equal(g.heads[3].name, "2024");
    assert_int_equal(g.heads[3].year, 2024);
    assert_string_equal(g.names[0], "A");
    assert_string_equal(g.names[1], ""); /* a heading within the table */
    assert_string_equal(grid_cell(&g, 2, 2), "5");
    assert_false(g.plain);
    vl_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(tables_have_names),
        cmocka_unit_test(heads_over_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
