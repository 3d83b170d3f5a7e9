/* Lines found by ink alone, and rows of a table that no rule parts: pages drawn by hand, where
 * every line is a row of bars as high as letters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <leptonica/allheaders.h>
#include <math.h>
#include <stdlib.h>

#include "ocr/layout_work.h"
#include "ocr/lines.h"

enum { LETTER = 20, PAPER = 230, INK = 40 };

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new(16 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* ---- lines ------------------------------------------------------------------------------- */

static PIX *page_of(l_int32 width, l_int32 height) {
    PIX *page = pixCreate(width, height, 8);
    assert_non_null(page);
    pixSetAllArbitrary(page, PAPER);
    return page;
}

static void bar(PIX *page, l_int32 x, l_int32 y, l_int32 width, l_int32 height) {
    BOX *box = boxCreate(x, y, width, height);
    pixSetInRectArbitrary(page, box, INK);
    boxDestroy(&box);
}

/* Words of five letters from x to `end`; every third letter stands up, every fourth hangs, from
 * the `phase`-th on. */
static void text(PIX *page, l_int32 x, l_int32 end, double y, double slope, l_int32 phase) {
    for (l_int32 i = phase, start = x; x + LETTER <= end;
         i++, x += LETTER / 2 + (i % 5 ? 4 : 14)) {
        l_int32 top = (l_int32)lround(y + slope * (x - start));
        bar(page, x, i % 3 ? top : top - LETTER / 2, LETTER / 4,
            LETTER + (i % 3 ? 0 : LETTER / 2) + (i % 4 ? 0 : LETTER / 3));
    }
}

/* How many found lines have their middle in the box and lie in it from side to side. */
static size_t lines_in(const vl_engine_reading *found, vl_box box) {
    size_t count = 0;
    for (size_t i = 0; i < found->line_count; i++) {
        vl_box b = found->lines[i].box;
        int32_t middle = b.y + b.height / 2;
        count += middle > box.y && middle < box.y + box.height && b.x > box.x - LETTER &&
                 b.x + b.width < box.x + box.width + LETTER && b.width * 10 > box.width * 8;
    }
    return count;
}

static const struct {
    const char *what;
    double pitch, slope;
    l_int32 columns;
    bool ruled;
} pages[] = {
    {"prose", 45, 0, 1, false},
    {"tight lines", 36, 0, 1, false},
    {"a tilt that deskewing left", 60, 0.01, 1, false},
    {"columns with a gutter", 45, 0, 2, false},
    {"a register: rules between columns", 60, 0, 4, true},
};

static void test_lines(void **state) {
    (void)state;
    enum { WIDTH = 1200, LINES = 12 };
    for (size_t p = 0; p < sizeof pages / sizeof *pages; p++) {
        PIX *page = page_of(WIDTH, 120 + (l_int32)(LINES * pages[p].pitch));
        l_int32 wide = (WIDTH - 40) / pages[p].columns, gap = pages[p].ruled ? 16 : 80;
        for (l_int32 c = 0; c < pages[p].columns; c++) {
            for (l_int32 i = 0; i < LINES; i++)
                text(page, 20 + c * wide, (c + 1) * wide - gap, 60 + i * pages[p].pitch,
                     pages[p].slope, i);
            if (pages[p].ruled)
                bar(page, 20 + (c + 1) * wide - 10, 20, 3, pixGetHeight(page) - 40);
        }
        vl_engine_reading found;
        assert_true(vl_lines_find(page, LETTER, arena, &found));
        if (found.line_count != (size_t)(LINES * pages[p].columns))
            fail_msg("%s: %zu lines", pages[p].what, found.line_count);
        for (l_int32 c = 0; c < pages[p].columns; c++)
            for (l_int32 i = 0; i < LINES; i++) {
                vl_box box = {20 + c * wide, 60 + (int32_t)(i * pages[p].pitch) - 5,
                              wide - gap - 20, LETTER + 20};
                if (lines_in(&found, box) != 1)
                    fail_msg("%s: line %d of column %d", pages[p].what, i, c);
            }
        for (size_t i = 1; i < found.line_count; i++)
            assert_true(found.lines[i].box.y >= found.lines[i - 1].box.y);
        double rise = found.lines[0].baseline_y1 - found.lines[0].baseline_y0;
        assert_true(fabs(rise - pages[p].slope * found.lines[0].box.width) < 4);
        pixDestroy(&page);
        vl_arena_reset(arena);
    }
}

/* Dashes that part paragraphs, paper, and what has no letters give no lines. */
static void test_no_lines(void **state) {
    (void)state;
    vl_engine_reading found;
    PIX *page = page_of(800, 400);
    assert_true(vl_lines_find(page, LETTER, arena, &found));
    assert_int_equal(found.line_count, 0);
    for (l_int32 x = 40; x < 760; x += 14)
        bar(page, x, 200, 8, 3);
    assert_true(vl_lines_find(page, LETTER, arena, &found));
    assert_int_equal(found.line_count, 0);
    assert_true(vl_lines_find(page, 0, arena, &found));
    assert_int_equal(found.line_count, 0);
    pixDestroy(&page);
}

/* ---- rows -------------------------------------------------------------------------------- */

enum { COLUMNS = 4, WORDS_MOST = 200, WORD_HIGH = 20 };

typedef struct table {
    vl_word words[WORDS_MOST];
    vl_line line;
    vl_engine_line found;
    vl_engine_reading reading;
    bool taken;
    layout_work work;
    int32_t x[COLUMNS + 1], y[3];
    size_t owner[2 * COLUMNS];
    vl_grid grid;
} table;

static void word(table *t, size_t column, int32_t y) {
    t->words[t->line.word_count++] = (vl_word){
        .text = "word", .confidence = 0.9, .box = {t->x[column] + 10, y, 60, WORD_HIGH}};
}

/* A heading's row and one below it, whose text the caller adds. */
static table *table_new(void) {
    table *t = vl_arena_array(arena, 1, sizeof *t);
    assert_non_null(t);
    *t = (table){.x = {0, 100, 200, 300, 700}, .y = {0, 50, 1000}};
    for (size_t i = 0; i < 2 * COLUMNS; i++)
        t->owner[i] = i;
    t->line.words = t->words;
    t->reading = (vl_engine_reading){.lines = &t->found, .line_count = 1};
    t->work = (layout_work){
        .arena = arena, .reading = &t->reading, .lines = &t->line, .taken = &t->taken};
    t->grid = (vl_grid){.x = t->x, .y = t->y, .columns = COLUMNS, .rows = 2, .owner = t->owner};
    for (size_t c = 0; c < COLUMNS; c++)
        word(t, c, 15);
    return t;
}

/* Entries 80 apart, whose last column has three lines each; a word is missing here and there,
 * and (`dirt`) one stands beside a wrapped line. */
static void check_register(bool dirt) {
    enum { ENTRIES = 6, APART = 80 };
    table *t = table_new();
    if (dirt)
        word(t, 1, 70 + 2 * APART + 26);
    for (int32_t i = 0; i < ENTRIES; i++) {
        int32_t y = 70 + i * APART;
        for (size_t c = 0; c + 1 < COLUMNS; c++)
            if (!c || (size_t)i % 3 != c)
                word(t, c, y + (int32_t)c);
        for (int32_t k = 0; k < 3; k++)
            word(t, COLUMNS - 1, y + k * 26);
    }
    assert_true(layout_split_rows(&t->work, &t->grid));
    assert_int_equal(t->grid.rows, 1 + ENTRIES);
    assert_int_equal(t->grid.columns, COLUMNS);
    for (size_t i = 1; i <= ENTRIES; i++) {
        int32_t first = 70 + (int32_t)(i - 1) * APART;
        assert_true(t->grid.y[i] <= first + WORD_HIGH / 2);
        assert_true(t->grid.y[i + 1] > first + 2 * 26 + WORD_HIGH / 2);
    }
    for (size_t i = 0; i < t->grid.rows * COLUMNS; i++)
        assert_int_equal(t->grid.owner[i], i);
}

static void test_register(void **state) {
    (void)state;
    check_register(false);
    check_register(true);
}

/* The rule under the heading is not drawn through: a cell that reaches down ends there. */
static void test_cell_from_above(void **state) {
    (void)state;
    table *t = table_new();
    t->owner[2 * COLUMNS - 1] = COLUMNS - 1;
    for (int32_t i = 0; i < 4; i++)
        for (size_t c = 0; c < COLUMNS; c++)
            word(t, c, 70 + i * 80);
    assert_true(layout_split_rows(&t->work, &t->grid));
    assert_int_equal(t->grid.rows, 5);
    for (size_t i = 0; i < t->grid.rows * COLUMNS; i++)
        assert_int_equal(t->grid.owner[i], i);
}

/* Wrapped text stands side by side as well, but its lines are close, if only by twos; two
 * columns may be prose; entries of one column alone are no rows, and what the first column does
 * not name is none. */
static void test_rows_that_stay(void **state) {
    (void)state;
    for (int32_t kind = 0; kind < 5; kind++) {
        table *t = table_new();
        for (int32_t i = 0; i < 5; i++)
            for (size_t c = 0; c < COLUMNS; c++)
                if (kind == 0)
                    word(t, c, 70 + i * 26);
                else if (kind == 4)
                    word(t, c, 70 + i / 2 * 80 + i % 2 * 26);
                else if (kind == 1 ? c < 2 : kind == 2 ? c == 0 || i == 0 : c > 0 || i == 0)
                    word(t, c, 70 + i * 80);
        assert_true(layout_split_rows(&t->work, &t->grid));
        assert_int_equal(t->grid.rows, 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_no_lines, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_register, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_cell_from_above, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_rows_that_stay, make_arena, free_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
