/* Tests of pairs: which text is a picture's, what is no picture of anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../pairs/truth.h"
#include "dataset/pairs_evidence.h"

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

/* Captions above all pictures of a page, as WHO has them; and a sentence that begins as a
 * caption.
 */
static void test_captions_above(void **state) {
    pair *pairs;
    size_t count;
    (void)state;
    find_in(AROUND_A "<p><b>Figure 1. Cases by district</b></p><p><img src=1.png></p>"
                     "<p><b>Figure 2. Cases by week</b></p><p><img src=2.png></p>" AROUND_B,
            NULL, &pairs, &count);
    assert_int_equal(count, 2);
    assert_string_equal(pairs[0].text, "Figure 1. Cases by district");
    assert_string_equal(pairs[1].text, "Figure 2. Cases by week");
    find_in(AROUND_A "<p>Figure 1. Cases by district</p><img src=1.png>"
                     "<p>Figure 1 shows that the north has most of them.</p>",
            NULL, &pairs, &count);
    assert_int_equal(count, 1);
    assert_string_equal(pairs[0].text, "Figure 1. Cases by district");
    assert_int_equal(pairs[0].origin, PAIR_CAPTION);
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

/* ---- pages with boxes ----------------------------------------------------------------------
 */

enum { DPI = 200 };

static vl_part box_part(vl_part_kind kind, vl_box box, const char *text) {
    vl_part part = {.kind = kind,
                    .has_box = true,
                    .box = box,
                    .text = text,
                    .confidence = 0.9,
                    .certainty = 0.9,
                    .ocr = true,
                    .caption = VL_PART_NONE};
    memcpy(part.language, "eng", 4);
    return part;
}

/* A page of a report: an emblem, a code, a figure with its caption, a photograph between
 * paragraphs, a table without a caption, a rule, and footnotes that look like a table. */
static void test_page(void **state) {
    static const char running[] =
        "The committee met in Geneva in the spring and took note of the report of its chair, "
        "which had been sent to all members in six languages before the meeting.";
    vl_parts_page page = {.width = 1700, .height = 2200, .dpi = DPI};
    vl_part parts[] = {
        box_part(VL_PART_FIGURE, (vl_box){170, 196, 270, 225}, ""),
        box_part(VL_PART_PARAGRAPH, (vl_box){170, 450, 1360, 100}, running),
        box_part(VL_PART_FIGURE, (vl_box){170, 600, 1360, 400}, ""),
        box_part(VL_PART_CAPTION, (vl_box){170, 1010, 1200, 30},
                 "Figure 1. Share of people without work, by region"),
        box_part(VL_PART_PARAGRAPH, (vl_box){170, 1060, 1360, 100}, running),
        box_part(VL_PART_TABLE, (vl_box){170, 1300, 1360, 300}, "Region\tShare\nAfrica\t7.1"),
        box_part(VL_PART_FIGURE, (vl_box){170, 1650, 1360, 20}, ""),
        box_part(VL_PART_FIGURE, (vl_box){1380, 1968, 162, 162}, ""),
        box_part(VL_PART_TABLE, (vl_box){170, 1900, 1360, 200}, "4\tIbid.\n5\tA/80/81"),
    };
    vl_part_cell notes[] = {
        {0, 0, 1, 1, false, "4"},        {0, 1, 1, 1, false, "Ibid., annex I."},
        {1, 0, 1, 1, false, "5"},        {1, 1, 1, 1, false, "A/80/81, of the"},
        {2, 1, 1, 1, false, "Council."}, {3, 0, 1, 1, false, "25-13050"},
        {3, 2, 1, 1, false, "3/21"}};
    vl_parts all = {.format = "pdf",
                    .title = "",
                    .pages = &page,
                    .page_count = 1,
                    .parts = parts,
                    .part_count = sizeof parts / sizeof *parts};
    pairs_options options = {0};
    pair *pairs;
    size_t count;
    (void)state;
    parts[2].caption = 3;
    parts[2].label = "Figure 1";
    parts[8].cells = notes;
    parts[8].cell_count = sizeof notes / sizeof *notes;
    assert_int_equal(pairs_find(&all, &options, arena, &pairs, &count, NULL), VL_OK);
    assert_int_equal(count, 2);
    assert_int_equal(pairs[0].picture, 2);
    assert_int_equal(pairs[0].text_part, 3);
    assert_true(pairs[0].score > 0.8);
    assert_int_equal(pairs[1].picture, 5);
    assert_int_equal(pairs[1].origin, PAIR_CELLS);
    assert_true(pairs[1].score <= 0.9);
}

/* Of a full arena, and of a picture that cannot be decoded, the error comes back. */
static vl_status fail_to_show(void *user, size_t part, const vl_image **image,
                              vl_error *error) {
    (void)user;
    (void)image;
    return vl_fail(error, VL_ERR_IO, "picture %zu cannot be read", part);
}

static void test_errors(void **state) {
    const vl_parts *parts =
        read_page(AROUND_A "<img src=a.jpg alt='A woman carries water in Bunia'>");
    pairs_options options = {.picture = fail_to_show};
    vl_arena *small = vl_arena_new(64);
    vl_error error;
    pair *pairs;
    size_t count;
    (void)state;
    assert_int_equal(pairs_find(parts, &options, arena, &pairs, &count, &error), VL_ERR_IO);
    assert_string_equal(error.message, "picture 2 cannot be read");
    assert_int_equal(pairs_find(parts, &options, small, &pairs, &count, &error), VL_ERR_MEMORY);
    vl_arena_free(small);
}

/* ---- what seer sees ------------------------------------------------------------------------
 */

#define PHOTOS TEST_SOURCE_DIR "/../shared/data/photos/flickr8k/dev"
enum { PHOTOS_SEEN = 60 };

static vl_image *photo_of(const char *line) {
    vl_media_limits limits = vl_media_limits_default();
    vl_document *document = NULL;
    vl_image *image = NULL;
    vl_buf content;
    char path[4096];
    int length = (int)strcspn(line + 15, "\"");
    snprintf(path, sizeof path, PHOTOS "/%.*s", length, line + 15);
    vl_buf_init(&content, 1 << 20);
    assert_int_equal(vl_file_read(path, 1 << 20, &content, NULL), VL_OK);
    assert_int_equal(vl_document_open(content.data, content.len, &limits, &document, NULL),
                     VL_OK);
    assert_int_equal(vl_document_page(document, 0, &image, NULL), VL_OK);
    vl_document_free(document);
    vl_buf_deinit(&content);
    return image;
}

/* The first English caption of each of the first lines: {"file_name": "…", "captions": {"en":
 * ["…", … */
static void test_sight(void **state) {
    vl_buf lines;
    vl_seer *seer = NULL;
    const char *photos[PHOTOS_SEEN], *captions[PHOTOS_SEEN];
    float vectors[4096];
    size_t nearer = 0, weighed = 0;
    (void)state;
    vl_buf_init(&lines, 16 << 20);
    if (vl_file_read(PHOTOS "/metadata.jsonl", 16 << 20, &lines, NULL)) {
        print_message("SKIPPED: no photographs in %s\n", PHOTOS);
        vl_buf_deinit(&lines);
        skip();
    }
    assert_int_equal(vl_seer_open(NULL, &seer, NULL), VL_OK);
    vl_seer_session *session = vl_seer_session_new(seer);
    assert_non_null(session);
    char *rest = lines.data;
    for (size_t i = 0; i < PHOTOS_SEEN; i++) {
        photos[i] = strsep(&rest, "\n");
        const char *caption = strstr(photos[i], "\"en\": [\"");
        assert_non_null(caption);
        captions[i] = vl_arena_strndup(arena, caption + 8, strcspn(caption + 8, "\""));
    }
    for (size_t i = 0; i < PHOTOS_SEEN; i++) {
        double right, wrong;
        pair_sight sight;
        vl_image *image = photo_of(photos[i]);
        assert_int_equal(pairs_sight_of(seer, session, image, vectors, &sight, NULL), VL_OK);
        vl_image_free(image);
        assert_int_equal(pairs_sight_fits(&sight, captions[i], "eng", &right, NULL), VL_OK);
        assert_int_equal(
            pairs_sight_fits(&sight, captions[(i + 7) % PHOTOS_SEEN], "eng", &wrong, NULL),
            VL_OK);
        assert_true(right > 0 && right < 1 && wrong > 0 && wrong < 1);
        weighed += sight.vector != NULL;
        nearer += sight.vector && right > wrong;
        assert_int_equal(pairs_sight_fits(&sight, captions[i], "lin", &right, NULL), VL_OK);
        assert_true(right == 0.5); /* not a language of seer's */
    }
    assert_true(weighed > PHOTOS_SEEN / 2 && nearer * 100 > weighed * 75);
    vl_seer_session_free(session);
    vl_seer_free(seer);
    vl_buf_deinit(&lines);
}

/* ---- labelled pages ------------------------------------------------------------------------
 */

enum { TRUTHS = 200 };

/* The pair of a labelled picture, or NULL. */
static const pair *pair_of(const truth *t) {
    pairs_options options = {0};
    pair *pairs;
    size_t count;
    assert_int_equal(pairs_find(t->parts, &options, arena, &pairs, &count, NULL), VL_OK);
    for (size_t i = 0; i < count; i++)
        if (pairs[i].picture == t->picture)
            return &pairs[i];
    return NULL;
}

static void test_labelled_pages(void **state) {
    static truth truths[TRUTHS];
    size_t count = truth_read(TEST_SOURCE_DIR "/tests/pairs", langid, arena, truths, TRUTHS);
    size_t have = 0, right = 0, without = 0, doubted = 0;
    (void)state;
    assert_true(count > 100);
    for (size_t i = 0; i < count; i++) {
        const pair *found = pair_of(&truths[i]);
        if (truths[i].decoration && found)
            fail_msg("%s: %s is for looks", truths[i].page,
                     truths[i].parts->parts[truths[i].picture].source);
        if (truths[i].decoration)
            continue;
        have += *truths[i].right != '\0';
        right += *truths[i].right && found && truth_is_right(&truths[i], found->text);
        without += !*truths[i].right;
        doubted += !*truths[i].right && (!found || found->score < 0.5);
    }
    print_message(
        "right text chosen for %zu of %zu pictures; without one, %zu of %zu doubted\n", right,
        have, doubted, without);
    assert_true(right * 100 >= have * 95);
    assert_true(doubted * 100 >= without * 90);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_of),        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_texts),          cmocka_unit_test(test_other_language),
        cmocka_unit_test(test_captions_above), cmocka_unit_test(test_decoration),
        cmocka_unit_test(test_labelled_pages), cmocka_unit_test(test_page),
        cmocka_unit_test(test_errors),         cmocka_unit_test(test_sight),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
