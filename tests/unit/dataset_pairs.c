/* Tests of pairs: which text is a picture's, what is no picture of anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vl_arena *arena;
static vl_langid *langid;

static int set_up(void **state) {
    (void)state;
    arena = vl_arena_new((size_t)256 << 20);
    return arena && !vl_langid_open(NULL, &langid, NULL) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    vl_langid_free(langid);
    vl_arena_free(arena);
    return 0;
}

static vl_parts *read_page(const char *html) {
    vl_parts *parts;
    vl_error error = {0};
    vl_parts_options options = vl_parts_options_default();
    options.type = "text/html";
    options.langid = langid;
    if (vl_parts_read(html, strlen(html), &options, arena, &parts, &error))
        fail_msg("%s", error.message);
    return parts;
}

/* A picture of any page: stripes, so that it has detail; or what the row wants. */
typedef struct gallery {
    uint32_t width, height;
    bool blank, missing;
    size_t asked;
    vl_image *last;
} gallery;

static vl_status show(void *user, size_t part, const vl_image **image, vl_error *error) {
    gallery *g = user;
    (void)part;
    g->asked++;
    vl_image_free(g->last);
    g->last = NULL;
    *image = NULL;
    if (g->missing)
        return VL_OK;
    if (vl_image_new(g->width, g->height, 1, &g->last, error))
        return VL_ERR_MEMORY;
    for (uint32_t y = 0; y < g->height; y++)
        for (uint32_t x = 0; x < g->width; x++)
            g->last->pixels[y * g->last->stride + x] =
                g->blank ? 255 : (uint8_t)(x * 255 / g->width ^ y * 128 / g->height);
    *image = g->last;
    return VL_OK;
}

static void find_in(const char *html, gallery *g, pair **pairs, size_t *count) {
    pairs_options options = {.picture = g ? show : NULL, .user = g};
    vl_error error = {0};
    if (pairs_find(read_page(html), &options, arena, pairs, count, &error))
        fail_msg("%s", error.message);
    if (g)
        vl_image_free(g->last);
    if (g)
        g->last = NULL;
}

#define AROUND_A                                                                               \
    "<h1>Floods in the east of the country</h1><p>Rains since Monday have closed roads, and "  \
    "the ministry says that twelve thousand families left their homes.</p>"
#define AROUND_B                                                                               \
    "<p>Schools are used as shelters in six districts, and water has to be brought by "        \
    "trucks, says the Red Cross, which asks for help.</p>"

static void test_text_of(void **state) {
    static const struct {
        const char *html, *text; /* of the one pair; NULL: there is none */
        pair_origin origin;
    } rows[] = {
        {AROUND_A "<figure><img src=a.jpg><figcaption>A woman carries water in Bunia"
                  "</figcaption></figure>" AROUND_B,
         "A woman carries water in Bunia", PAIR_CAPTION},
        {AROUND_A "<img src=a.jpg alt='A woman carries water in Bunia'>" AROUND_B,
         "A woman carries water in Bunia", PAIR_DESCRIPTION},
        {AROUND_A "<figure><img src=a.jpg alt='IMG_2034.jpg'><figcaption>A woman carries water "
                  "in Bunia</figcaption></figure>" AROUND_B,
         "A woman carries water in Bunia", PAIR_CAPTION},
        {AROUND_A "<img src=/theme/logo.png alt='Ministry of Health'>" AROUND_B, NULL, 0},
        {AROUND_A "<img src=a.png alt='Logo'>" AROUND_B, NULL, 0},
        {AROUND_A "<img src=https://x.org/t/pixel.gif>" AROUND_B, NULL, 0},
        {AROUND_A "<img src=/2024/iconic-bridge.jpg alt='The bridge of Beira, seen from the "
                  "river'>" AROUND_B,
         "The bridge of Beira, seen from the river", PAIR_DESCRIPTION},
        {AROUND_A AROUND_B, NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pair *pairs;
        size_t count;
        find_in(rows[i].html, NULL, &pairs, &count);
        assert_int_equal(count, rows[i].text != NULL);
        if (!count)
            continue;
        assert_string_equal(pairs[0].text, rows[i].text);
        assert_int_equal(pairs[0].origin, rows[i].origin);
        assert_true(pairs[0].score > 0.5 && pairs[0].score <= 1);
    }
}

static void test_pictures(void **state) {
    static const struct {
        gallery of;
        size_t pairs;
    } rows[] = {
        {{.width = 640, .height = 480}, 1},   {{.width = 640, .height = 480, .blank = true}, 0},
        {{.width = 63, .height = 480}, 0},    {{.width = 64, .height = 64}, 1},
        {{.width = 600, .height = 100}, 0},   {{.width = 599, .height = 100}, 1},
        {{.width = 640, .missing = true}, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gallery g = rows[i].of;
        pair *pairs;
        size_t count;
        find_in(AROUND_A "<img src=a.jpg alt='A woman carries water in Bunia'>", &g, &pairs,
                &count);
        assert_int_equal(count, rows[i].pairs);
        assert_int_equal(g.asked, 1);
        if (count) {
            assert_int_equal(pairs[0].width, g.width);
            assert_int_equal(pairs[0].height, g.height);
            assert_true(pairs[0].has_phash);
        }
    }
}

/* Caption and every paragraph that speaks of the picture, each once. */
static void test_texts(void **state) {
    pair *pairs;
    size_t count;
    (void)state;
    find_in("<p>Figure 1 shows what fell. As Figure 1 has it, June was dry.</p>"
            "<figure><img src=1.png><figcaption>Figure 1. Rain by month in Garissa"
            "</figcaption></figure><p>Nothing.</p><ul><li>See Figure 1</ul>",
            NULL, &pairs, &count);
    assert_int_equal(count, 1);
    assert_int_equal(pairs[0].picture, 1);
    assert_int_equal(pairs[0].text_part, 2);
    assert_int_equal(pairs[0].text_count, 3);
    assert_int_equal(pairs[0].texts[0], 2);
    assert_int_equal(pairs[0].texts[1], 0);
    assert_int_equal(pairs[0].texts[2], 4);
    assert_true(pairs[0].evidence[PAIR_LABEL] == 1 && pairs[0].evidence[PAIR_MENTION] == 1);
}

static void test_other_language(void **state) {
    pair *pairs;
    size_t count;
    (void)state;
    find_in(AROUND_A "<figure><img src=a.jpg><figcaption>Des familles attendent de l'eau dans "
                     "le village de Bunia, après les pluies.</figcaption></figure>" AROUND_B,
            NULL, &pairs, &count);
    assert_int_equal(count, 1);
    assert_int_equal(pairs[0].origin, PAIR_CAPTION);
    assert_true(pairs[0].evidence[PAIR_LANGUAGE] == 0 && pairs[0].score > 0.5);
}

static void test_decoration(void **state) {
    static const struct {
        const char *source, *text;
        bool decoration;
    } rows[] = {
        {"https://logo.org/2024/well.jpg", "", false},
        {"/img/UNHCR-logo-blue.png", "", true},
        {"/img/icons/mail.svg", "", true},
        {"/img/biologo.png", "", false},
        {"/a/b/c.png?size=icon", "", false},
        {"data:image/png;base64,iVBORlogoo", "", false},
        {"a.jpg", "Company logo", true},
        {"a.jpg",
         "Shelter with the logo of UNHCR on its roof, after the storm of last night "
         "in Beira",
         false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_part part = {.kind = VL_PART_FIGURE, .source = rows[i].source, .text = rows[i].text};
        if (pairs_is_decoration(&part) != rows[i].decoration)
            fail_msg("%s %s", rows[i].source, rows[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_of),    cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_texts),      cmocka_unit_test(test_other_language),
        cmocka_unit_test(test_decoration),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
