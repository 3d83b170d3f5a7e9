/* Two readings of one page by hand: what is missed is added where it belongs, what is cut out
 * badly is replaced, and nothing else changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ocr/merge.h"

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

typedef struct line {
    const char *text; /* one word */
    double confidence;
    vl_box box;
    size_t block;
} line;

enum { MOST = 8 };

static vl_engine_reading reading_of(const line *lines) {
    vl_engine_reading r = {.lines = vl_arena_array(arena, MOST, sizeof *r.lines)};
    for (; r.line_count < MOST && lines[r.line_count].text; r.line_count++) {
        const line *from = &lines[r.line_count];
        vl_engine_line *to = &r.lines[r.line_count];
        *to = (vl_engine_line){.box = from->box, .block = from->block, .word_count = 1};
        to->words = vl_arena_array(arena, 1, sizeof *to->words);
        to->words[0] =
            (vl_word){.text = from->text, .confidence = from->confidence, .box = from->box};
    }
    return r;
}

/* "text@block by engine", one a line. */
static const char *shown(const vl_engine_reading *r, const size_t *found_by) {
    char *text = vl_arena_strdup(arena, "");
    for (size_t i = 0; i < r->line_count; i++)
        text = vl_arena_printf(arena, "%s%s%s@%zu by %zu", text, i ? ", " : "",
                               r->lines[i].words[0].text, r->lines[i].block, found_by[i]);
    return text;
}

static const struct {
    const char *what;
    line page[MOST], other[MOST];
    const char *merged;
} rows[] = {
    {"the same",
     {{"one", 0.9, {0, 0, 100, 10}, 0}},
     {{"two", 0.9, {0, 0, 100, 10}, 0}},
     "one@0 by 0"},
    {"a line between two of a block",
     {{"above", 0.9, {0, 0, 100, 10}, 3}, {"below", 0.9, {0, 30, 100, 10}, 3}},
     {{"middle", 0.9, {0, 14, 100, 10}, 0}},
     "above@3 by 0, middle@3 by 5, below@3 by 0"},
    {"a line above all",
     {{"below", 0.9, {0, 30, 100, 10}, 3}},
     {{"head", 0.9, {0, 18, 100, 10}, 0}},
     "head@3 by 5, below@3 by 0"},
    {"a line far from all is a block of its own",
     {{"above", 0.9, {0, 0, 100, 10}, 3}},
     {{"foot", 0.9, {0, 500, 100, 10}, 0}},
     "above@3 by 0, foot@4 by 5"},
    {"noise is no line",
     {{"above", 0.9, {0, 0, 100, 10}, 3}},
     {{"murmur", 0.4, {0, 14, 100, 10}, 0}, {"x", 0.9, {0, 40, 10, 10}, 0}},
     "above@3 by 0"},
    {"two lines read as one, badly",
     {{"mumble", 0.5, {0, 0, 100, 24}, 1}},
     {{"first", 0.95, {0, 0, 100, 10}, 0}, {"second", 0.95, {0, 14, 100, 10}, 0}},
     "first@0 by 5, second@0 by 5"},
    {"a line cut in two, worse",
     {{"together", 0.95, {0, 0, 100, 10}, 1}},
     {{"toge", 0.9, {0, 0, 50, 10}, 0}, {"ther", 0.5, {50, 0, 50, 10}, 0}},
     "together@1 by 0"},
    {"better by too little",
     {{"together", 0.90, {0, 0, 100, 10}, 1}},
     {{"togetner", 0.95, {0, 0, 100, 10}, 0}},
     "together@1 by 0"},
    {"boxes that hardly touch are apart",
     {{"above", 0.9, {0, 0, 100, 11}, 1}},
     {{"middle", 0.9, {0, 10, 100, 11}, 0}},
     "above@1 by 0, middle@1 by 5"},
    {"nothing on either side", {{0}}, {{0}}, ""},
    {"nothing so far", {{0}}, {{"first", 0.9, {0, 0, 100, 10}, 7}}, "first@0 by 5"},
};

static void test_merged(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t none[MOST] = {0}, *found_by = none;
        vl_engine_reading page = reading_of(rows[i].page), other = reading_of(rows[i].other);
        assert_true(vl_merge_lines(arena, &page, &found_by, &other, NULL, 5));
        const char *is = shown(&page, found_by);
        if (strcmp(is, rows[i].merged) != 0)
            fail_msg("%s: %s", rows[i].what, is);
    }
}

/* Lines that only ink showed (`other`), with the page's as the same engine reads them. */
static const struct {
    const char *what;
    line page[MOST], same[MOST], other[MOST];
    const char *merged;
} judged[] = {
    {"the page's engine is modest, its line is as good",
     {{"modest", 0.4, {0, 0, 100, 10}, 1}},
     {{"modest", 0.95, {0, 0, 100, 10}, 0}},
     {{"modcst", 0.97, {0, 0, 100, 12}, 0}},
     "modest@1 by 0"},
    {"the page's engine is sure, what it cut out reads badly",
     {{"certainty", 0.95, {0, 0, 100, 30}, 1}},
     {{"cer", 0.6, {0, 0, 100, 30}, 0}},
     {{"first", 0.95, {0, 0, 100, 10}, 0}, {"second", 0.95, {0, 20, 100, 10}, 0}},
     "first@0 by 5, second@1 by 5"},
    {"ink that reads as nothing much is none",
     {{"above", 0.9, {0, 0, 100, 10}, 3}},
     {{"above", 0.9, {0, 0, 100, 10}, 0}},
     {{"dashes", 0.45, {0, 30, 100, 10}, 0}},
     "above@3 by 0"},
    {"lines over each other are worth what one is, and nothing where their engine is lost",
     {{"mumble", 0.3, {0, 0, 100, 30}, 1}, {"mumble", 0.3, {0, 2, 100, 30}, 1}},
     {{"jumbled", 0.9, {0, 0, 100, 30}, 0}, {"jumbled", 0.9, {0, 2, 100, 30}, 0}},
     {{"jumb", 0.9, {0, 0, 100, 12}, 0}, {"led", 0.9, {0, 16, 100, 12}, 0}},
     "jumb@0 by 5, led@0 by 5"},
};

static void test_judged_by_one(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof judged / sizeof *judged; i++) {
        size_t none[MOST] = {0}, *found_by = none;
        vl_engine_reading page = reading_of(judged[i].page), same = reading_of(judged[i].same),
                          other = reading_of(judged[i].other);
        assert_true(vl_merge_lines(arena, &page, &found_by, &other, &same, 5));
        const char *is = shown(&page, found_by);
        if (strcmp(is, judged[i].merged) != 0)
            fail_msg("%s: %s", judged[i].what, is);
    }
}

/* Marks of a page of 100 letters in a row, of which `in` stand in its only line. */
static bool misses(size_t in, int32_t height, double scale) {
    enum { LETTERS = 100 };
    vl_box marks[LETTERS];
    line all[MOST] = {
        {"row", 0.9, {0, 0, (int32_t)(10 * (double)in * scale), (int32_t)(20 * scale)}, 0}};
    for (size_t i = 0; i < LETTERS; i++)
        marks[i] = (vl_box){(int32_t)(10 * i), 5, 8, i < in ? 10 : height};
    vl_ocr_picture picture = {
        .scale = scale,
        .survey = {
            .letter_height = 10, .letters = LETTERS, .marks = marks, .mark_count = LETTERS}};
    vl_engine_reading reading = reading_of(all);
    return vl_merge_misses_letters(&picture, &reading);
}

static void test_missed_letters(void **state) {
    (void)state;
    assert_false(misses(100, 10, 1));
    assert_false(misses(97, 10, 1)); /* three specks */
    assert_true(misses(90, 10, 1));
    assert_true(misses(90, 10, 2.5)); /* boxes are in work pixels, marks are not */
    assert_false(misses(90, 3, 1));   /* dots */
    assert_false(misses(90, 40, 1));  /* pictures */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merged),
        cmocka_unit_test(test_judged_by_one),
        cmocka_unit_test(test_missed_letters),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
