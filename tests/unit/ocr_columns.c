/* Columns: white gutters between boxes drawn by hand; and pages of tests/pages
 * (tools/make_odd_pages.c) whose columns are read one after the other, however they lie, from
 * the left or from the right, with a figure between them. */
#include <vislang/ocr.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ocr/gutters.h"

typedef struct fixture {
    vl_ocr *ocr;
    vl_arena *arena;
} fixture;

static int set_up(void **state) {
    static fixture f;
    vl_error error;
    vl_ocr_options options = vl_ocr_options_default();
    options.max_seconds = 240; /* sanitizers are slow */
    if (vl_ocr_new(&options, &f.ocr, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return -1;
    }
    f.arena = vl_arena_new((size_t)512 << 20);
    *state = &f;
    return f.arena ? 0 : -1;
}

static int tear_down(void **state) {
    fixture *f = *state;
    vl_ocr_free(f->ocr);
    vl_arena_free(f->arena);
    return 0;
}

/* ---- gutters by hand ----------------------------------------------------------------------
 */

enum { LETTER = 10, PITCH = 20, MOST = 4 };

/* A column of lines, as bars of letters' height. */
typedef struct column {
    int32_t x, y, width, lines;
} column;

static const struct {
    const char *what;
    column columns[MOST];
    double least_width;
    vl_box gutters[MOST];
} drawn[] = {
    {"one column", {{0, 0, 300, 12}}, 15, {{0}}},
    {"two columns", {{0, 0, 200, 12}, {240, 0, 200, 12}}, 15, {{200, 0, 40, 230}}},
    {"one that begins lower and ends later",
     {{0, 0, 200, 12}, {240, 55, 200, 14}},
     15,
     {{200, 0, 40, 325}}},
    {"too narrow", {{0, 0, 200, 12}, {212, 0, 200, 12}}, 15, {{0}}},
    {"too few lines", {{0, 0, 200, 3}, {240, 0, 200, 12}}, 15, {{0}}},
    {"three columns",
     {{0, 0, 100, 12}, {140, 0, 100, 12}, {280, 0, 100, 12}},
     15,
     {{100, 0, 40, 230}, {240, 0, 40, 230}}},
    {"a line above that spans both",
     {{0, 0, 440, 1}, {0, 40, 200, 12}, {240, 40, 200, 12}},
     15,
     {{200, 40, 40, 230}}},
    {"in the middle of a page",
     {{0, 0, 440, 6}, {0, 140, 200, 10}, {240, 140, 200, 10}, {0, 360, 440, 6}},
     15,
     {{200, 140, 40, 190}}},
};

static size_t draw(const column columns[MOST], vl_box *ink) {
    size_t count = 0;
    for (size_t i = 0; i < MOST; i++)
        for (int32_t line = 0; line < columns[i].lines; line++)
            for (int32_t x = 0; x < columns[i].width; x += LETTER)
                ink[count++] =
                    (vl_box){columns[i].x + x, columns[i].y + line * PITCH, LETTER, LETTER};
    return count;
}

static void gutters_are_found(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++) {
        static vl_box ink[4096];
        vl_box found[MOST];
        size_t expected = 0, count = 0, letters = draw(drawn[i].columns, ink);
        while (expected < MOST && drawn[i].gutters[expected].width)
            expected++;
        assert_true(vl_gutters_find(f->arena, ink, letters, LETTER, drawn[i].least_width, found,
                                    MOST, &count));
        printf("  %-38s %zu gutters\n", drawn[i].what, count);
        assert_int_equal(count, expected);
        for (size_t k = 0; k < count; k++) {
            vl_box a = found[k], b = drawn[i].gutters[k];
            assert_in_range(a.x, b.x, b.x + LETTER / 2);
            assert_in_range(a.x + a.width, b.x + b.width - LETTER / 2, b.x + b.width);
            assert_true(abs(a.y - b.y) <= PITCH);
            assert_true(abs(a.y + a.height - b.y - b.height) <= PITCH);
        }
        vl_arena_reset(f->arena);
    }
}

static void nothing_has_no_gutters(void **state) {
    fixture *f = *state;
    vl_box one = {5, 5, 10, 10}, found[1], far[2] = {{0, 0, 1, 1}, {2000000000, 9, 1, 1}};
    size_t count = 7;
    assert_true(vl_gutters_find(f->arena, NULL, 0, LETTER, 15, found, 1, &count));
    assert_int_equal(count, 0);
    assert_true(vl_gutters_find(f->arena, &one, 1, LETTER, 15, found, 1, &count));
    assert_int_equal(count, 0);
    assert_true(vl_gutters_find(f->arena, far, 2, LETTER, 15, found, 1, &count));
    assert_int_equal(count, 0);
    vl_arena_reset(f->arena);
}

/* ---- pages --------------------------------------------------------------------------------
 */

static vl_image *load(const char *name) {
    char path[1024];
    vl_buf bytes;
    vl_image *image = NULL;
    vl_media_limits limits = vl_media_limits_default();
    snprintf(path, sizeof path, TEST_SOURCE_DIR "/tests/pages/%s", name);
    vl_buf_init(&bytes, 16 << 20);
    assert_int_equal(vl_file_read(path, 16 << 20, &bytes, NULL), VL_OK);
    assert_int_equal(vl_document_first(bytes.data, bytes.len, &limits, &image, NULL), VL_OK);
    vl_buf_deinit(&bytes);
    return image;
}

static const struct {
    const char *file, *languages;
    double skew;
    size_t figures;
    const char *order[12]; /* stands in the text in this order */
} pages[] = {
    {"columns.png",
     "eng",
     0,
     0,
     {"News from the coast", "The market opens", "beside the stone wall", "before noon",
      "only the small ones are left", "Three roads lead", "often flooded", "built last year",
      "night."}},
    {"columns-tilted-left.png",
     "eng",
     10,
     0,
     {"News from the coast", "The market opens", "beside the stone wall", "before noon",
      "only the small ones are left", "Three roads lead", "often flooded", "built last year",
      "night."}},
    {"columns-tilted-right.png",
     "eng",
     -10,
     0,
     {"News from the coast", "The market opens", "beside the stone wall", "before noon",
      "only the small ones are left", "Three roads lead", "often flooded", "built last year",
      "night."}},
    {"columns-tilted-edge.png",
     "eng",
     10,
     0,
     {"News from the coast", "The market opens", "beside the stone wall", "before noon",
      "small ones are left", "Three roads lead", "often flooded", "built last year", "night."}},
    {"columns-figure.png",
     "eng",
     0,
     1,
     {"News from the coast", "The market opens", "the stone wall", "before", "ones are left",
      "Three roads lead", "often flooded", "was built last year", "guarded at night"}},
    {"poem.png",
     "eng",
     0,
     0,
     {"Two shores of one river", "Evening comes", "nets are drying", "boats home", "Old songs",
      "over quiet sand", "Morning waits", "with empty hands", "Who will count",
      "name the waves", "we are ready"}},
    {"word-list.png",
     "eng",
     0,
     0,
     {"kalamo", "kamire", "kanote", "kawine", "finish", "hesitate", "bench", "lamiro", "lotine",
      "lovune", "waterfall", "climbing plant"}},
    {"columns-arabic.png",
     "ara",
     0,
     0,
     {"إعلان عن توزيع المساعدات", "تعلن لجنة", "الأسر النازحة", "تكف", "يرجى إحضار",
      "يبدأ التوزيع", "بعد الظهر"}},
};

static void columns_are_read_one_after_another(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        vl_image *image = load(pages[i].file);
        vl_page *page = NULL;
        size_t figures = 0;
        assert_int_equal(
            vl_ocr_read(f->ocr, image, pages[i].languages, f->arena, &page, NULL, NULL), VL_OK);
        const char *text = vl_page_text(f->arena, page), *at = text;
        for (size_t k = 0; k < 12 && pages[i].order[k]; k++) {
            const char *found = strstr(at, pages[i].order[k]);
            if (!found)
                printf("%s: '%s' is not where it should be in\n%s\n", pages[i].file,
                       pages[i].order[k], text);
            assert_non_null(found);
            at = found;
        }
        for (size_t k = 0; k < page->block_count; k++) {
            figures += page->blocks[k].kind == VL_BLOCK_FIGURE;
            assert_true(page->blocks[k].kind != VL_BLOCK_TABLE);
        }
        assert_int_equal(figures, pages[i].figures);
        assert_true(page->skew > pages[i].skew - 0.5 && page->skew < pages[i].skew + 0.5);
        printf("  %s\n", pages[i].file);
        vl_image_free(image);
        vl_arena_reset(f->arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gutters_are_found),
        cmocka_unit_test(nothing_has_no_gutters),
        cmocka_unit_test(columns_are_read_one_after_another),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
