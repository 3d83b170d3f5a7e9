/* Examples: what is asked of captions, passages and tables, and that the answers are what the
 * document says; the same for the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataset/instruct.h"
#include "dataset/pairs.h"

#include <stdio.h>
#include <string.h>

static phrases *served;
static vl_arena *arena;
static const pair a_pair = {.origin = PAIR_CAPTION};

static int set_up(void **state) {
    vl_error error = {0};
    (void)state;
    arena = vl_arena_new((size_t)64 << 20);
    if (phrases_open(NULL, &served, &error))
        print_message("%s\n", error.message);
    return arena && served ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    phrases_free(served);
    vl_arena_free(arena);
    return 0;
}

static vl_part part_of(vl_part_kind kind, const char *text) {
    return (vl_part){.kind = kind,
                     .text = text,
                     .confidence = 1,
                     .certainty = 1,
                     .caption = VL_PART_NONE,
                     .has_box = true,
                     .box = {10, 10, 100, 100}};
}

static instruct_subject picture_of(const vl_parts *parts, const char *caption,
                                   const char *language, const char *script) {
    return (instruct_subject){.parts = parts,
                              .pair = &a_pair,
                              .text = caption,
                              .language = language,
                              .script = script,
                              .has_picture = true};
}

static size_t make(const instruct_subject *subject, const instruct_options *options,
                   example **examples) {
    size_t count;
    vl_error error = {0};
    if (instruct_examples(served, subject, options, arena, examples, &count, &error))
        fail_msg("%s", error.message);
    return count;
}

/* The first example of the topic ("question.cell"), or NULL. */
static const example *find(const example *examples, size_t count, const char *topic) {
    for (size_t i = 0; i < count; i++)
        if (strstr(examples[i].phrase, topic) == examples[i].phrase + 4)
            return &examples[i];
    return NULL;
}

static const struct {
    vl_part_kind kind;
    const char *caption, *language, *script, *topic, *phrase, *answer;
} captions[] = {
    {VL_PART_PHOTOGRAPH, "Families wait for water near the town.", "eng", "Latn",
     "describe.picture", "this photograph", "Families wait for water near the town."},
    {VL_PART_MAP, "Zones touchées par les inondations.", "fra", "Latn", "describe.picture",
     "carte", "Zones touchées par les inondations."},
    {VL_PART_CHART, "Idadi ya wakimbizi kwa mwezi.", "swa", "Latn", "describe.picture",
     "chati hii", "Idadi ya wakimbizi kwa mwezi."},
    {VL_PART_PHOTOGRAPH, "أسر تنتظر الماء قرب البلدة.", "ara", "Arab", "describe.picture",
     "الصورة الفوتوغرافية", "أسر تنتظر الماء قرب البلدة."},
    {VL_PART_PHOTOGRAPH, "Floods have displaced 12,500 people in the valley.", "eng", "Latn",
     "question.gap", "Floods have displaced ____ people in the valley.", "12,500"},
    {VL_PART_PHOTOGRAPH, "نزح ١٢٬٥٠٠ شخص بسبب الفيضانات في الوادي.", "ara", "Arab",
     "question.gap", "نزح ____ شخص", "١٢٬٥٠٠"},
};

static void captions_are_asked_about(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof captions / sizeof *captions; i++) {
        vl_part part = part_of(captions[i].kind, "");
        vl_parts parts = {.parts = &part, .part_count = 1};
        instruct_subject subject =
            picture_of(&parts, captions[i].caption, captions[i].language, captions[i].script);
        instruct_options options = instruct_options_default();
        example *examples;
        size_t count = make(&subject, &options, &examples);
        const example *found = find(examples, count, captions[i].topic);
        assert_non_null(found);
        assert_string_equal(found->instruction_language, captions[i].language);
        assert_string_equal(found->language, captions[i].language);
        assert_string_equal(found->text, captions[i].answer);
        assert_string_equal(found->origin, "document");
        if (!strstr(found->instruction, captions[i].phrase))
            fail_msg("'%s' without '%s'", found->instruction, captions[i].phrase);
    }
}

/* Dates and countries are asked for where the text is a caption and names one. */
static void captions_name_things(void **state) {
    static const struct {
        pair_origin origin;
        const char *caption, *topic, *answer;
    } rows[] = {
        {PAIR_CAPTION, "A school in Kenya, 14 March 2026.", "question.date", "14 March 2026"},
        {PAIR_CAPTION, "A school in Kenya, 14 March 2026.", "question.country", "Kenya"},
        {PAIR_BESIDE, "A school in Kenya, 14 March 2026.", "question.country", NULL},
        {PAIR_CAPTION, "From 2023 to 2024.", "question.date", NULL},
        {PAIR_CELLS, "A school in Kenya.", "describe.picture", NULL},
        {PAIR_CAPTION, "Chart 2. Rain by month", "question.title", "Rain by month"},
        {PAIR_CAPTION, "Rain by month", "question.title", NULL},
    };
    vl_part part = part_of(VL_PART_CHART, "");
    vl_parts parts = {.parts = &part, .part_count = 1};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pair p = {.origin = rows[i].origin};
        instruct_subject subject = picture_of(&parts, rows[i].caption, "eng", "Latn");
        instruct_options options = instruct_options_default();
        example *examples;
        subject.pair = &p;
        size_t count = make(&subject, &options, &examples);
        const example *found = find(examples, count, rows[i].topic);
        if (!rows[i].answer) {
            assert_null(found);
            continue;
        }
        assert_non_null(found);
        assert_string_equal(found->text, rows[i].answer);
    }
}

/* A gap is left for what the text counts: not where a figure has its number, nor in a telephone
 * number or that of an identity card. */
static void gaps_are_of_counts(void **state) {
    static const struct {
        const char *language, *caption, *answer;
    } rows[] = {
        {"ara", "ويبين الشكل ١٢٣ طوابير الناس عند نقطة المياه.", NULL},
        {"eng", "As Figure 101 shows, water was brought by trucks.", NULL},
        {"eng", "As Figure 101 shows, 250 trucks brought water.", "250"},
        {"eng", "See tables 101, 102 and 103 for what was brought.", NULL},
        {"eng", "The office answers at 251 911 555 023 every day.", NULL},
        {"eng", "The office answers at + 251 every day of the week.", NULL},
        {"eng", "The office answers at 0722345678 every day.", NULL},
        {"swa", "Namba ya kitambulisho ya mratibu ni 23456789 tu.", NULL},
        {"eng", "The camp has 12,500 people (13% of them children).", "12,500"},
        {"eng", "The camp received 1,250,000 litres of clean water.", "1,250,000"},
    };
    vl_part part = part_of(VL_PART_PHOTOGRAPH, "");
    vl_parts parts = {.parts = &part, .part_count = 1};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        instruct_subject subject =
            picture_of(&parts, rows[i].caption, rows[i].language, "Latn");
        instruct_options options = instruct_options_default();
        example *examples;
        size_t count = make(&subject, &options, &examples), asked = 0;
        for (size_t e = 0; e < count; e++) {
            if (!strstr(examples[e].phrase, "question.gap"))
                continue;
            asked += !rows[i].answer || !strcmp(examples[e].text, rows[i].answer);
        }
        if ((asked > 0) != (rows[i].answer != NULL))
            fail_msg("%s", rows[i].caption);
    }
}

/* What a picture shows, without its label and without who took it. */
static void descriptions_are_bare(void **state) {
    static const struct {
        const char *language, *caption, *answer;
    } rows[] = {
        {"swa", "Kielelezo 1: Watu wanachota maji. (Picha: Juma Otieno)",
         "Watu wanachota maji."},
        {"eng", "Figure 3. Families wait for water. Photo: Jane Doe",
         "Families wait for water."},
        {"eng", "Families wait for water © UNICEF/UN0123/Doe", "Families wait for water"},
        {"eng", "Families wait for water – Photo by Jane Doe.", "Families wait for water"},
        {"eng", "Families wait for water (left). Source: OCHA",
         "Families wait for water (left)."},
        {"ara", "الشكل ٣: أسر تنتظر الماء. تصوير: محمد", "أسر تنتظر الماء."},
        {"eng", "Figure 3 shows families that wait.", "Figure 3 shows families that wait."},
        {"eng", "A photo by the gate (a source of joy) hangs there.",
         "A photo by the gate (a source of joy) hangs there."},
        {"eng", "Figure 3: “Water” is written on the wall.", "“Water” is written on the wall."},
        {"eng", "Figure 3.", NULL},
    };
    vl_part part = part_of(VL_PART_PHOTOGRAPH, "");
    vl_parts parts = {.parts = &part, .part_count = 1};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        instruct_subject subject =
            picture_of(&parts, rows[i].caption, rows[i].language, "Latn");
        instruct_options options = instruct_options_default();
        example *examples;
        size_t count = make(&subject, &options, &examples);
        const example *found = find(examples, count, "describe.picture");
        assert_int_equal(found != NULL, rows[i].answer != NULL);
        if (found)
            assert_string_equal(found->text, rows[i].answer);
    }
}

/* What was read inside of a chart's box. */
static void words_of_charts(void **state) {
    vl_part part[] = {part_of(VL_PART_CHART, ""), part_of(VL_PART_PARAGRAPH, "Rain in mm"),
                      part_of(VL_PART_PARAGRAPH, "May"), part_of(VL_PART_PARAGRAPH, "Outside")};
    vl_parts parts = {.parts = part, .part_count = 4};
    instruct_subject subject = picture_of(&parts, "Rain by month", "eng", "Latn");
    instruct_options options = instruct_options_default();
    example *examples;
    (void)state;
    part[1].box = part[2].box = (vl_box){20, 20, 30, 10};
    part[3].box = (vl_box){90, 20, 30, 10};
    size_t count = make(&subject, &options, &examples);
    const example *found = find(examples, count, "question.words");
    assert_non_null(found);
    assert_string_equal(found->text, "Rain in mm\nMay");
    part[2].ocr = true;
    part[2].confidence = 0.6;
    count = make(&subject, &options, &examples);
    assert_null(find(examples, count, "question.words"));
}

/* Few words are a menu's; what OCR was in doubt of, in any part of the passage, is no answer.
 */
static void reading_has_a_bar(void **state) {
    static const struct {
        const char *language, *text;
        bool ocr;
        double first, second;
        bool asked;
    } rows[] = {
        {"swa", "Mwanzo Habari", false, 1, 1, false},
        {"swa", "Maji safi yanapatikana kisimani", false, 1, 1, true},
        {"swa", "Maji safi yanapatikana kisimani", true, 0.95, 0.9, true},
        {"swa", "Maji safi yanapatikana kisimani", true, 0.95, 0.85, false},
        {"swa", "Maji safi yanapatikana kisimani", true, 0.5, 0.95, false},
        {"swa", "Maji safi yanapatikana kisimani", false, 0.5, 0.5, true},
        {"mya", "သန့်ရှင်းသောရေကိုရွာ၏ရေတွင်းမှရနိုင်သည်", false, 1, 1, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_part part[] = {part_of(VL_PART_PARAGRAPH, rows[i].text),
                          part_of(VL_PART_PARAGRAPH, rows[i].text)};
        vl_parts parts = {.parts = part, .part_count = 2};
        instruct_subject subject = picture_of(&parts, rows[i].text, rows[i].language, "Latn");
        instruct_options options = instruct_options_default();
        example *examples;
        part[0].ocr = part[1].ocr = rows[i].ocr;
        part[0].confidence = rows[i].first;
        part[1].confidence = rows[i].second;
        subject.pair = NULL;
        subject.end = 2;
        subject.has_region = true;
        size_t count = make(&subject, &options, &examples);
        if ((find(examples, count, "read.region") != NULL) != rows[i].asked)
            fail_msg("row %zu", i);
    }
}

static void regions_are_read(void **state) {
    static const char text[] = "Maji safi yanapatikana kwenye kisima cha kijiji.";
    vl_part part = part_of(VL_PART_PARAGRAPH, text);
    vl_parts parts = {.parts = &part, .part_count = 1};
    instruct_subject subject = picture_of(&parts, text, "swa", "Latn");
    instruct_options options = instruct_options_default();
    example *examples;
    (void)state;
    subject.pair = NULL;
    subject.has_region = true;
    subject.region = part.box;
    size_t count = make(&subject, &options, &examples);
    const example *read = find(examples, count, "read.region"),
                  *language = find(examples, count, "language.language");
    assert_non_null(read);
    assert_string_equal(read->text, text);
    assert_true(read->has_region);
    assert_int_equal(read->region.width, part.box.width);
    assert_int_equal(read->kind, VL_ITEM_READ);
    assert_non_null(language);
    assert_string_equal(language->text, "Kiswahili");
    assert_string_equal(language->origin, "label");
}

/* The language is asked for where it is certain: by the text, or because the document says it.
 */
static void languages_are_certain(void **state) {
    static const struct {
        double certainty;
        const char *declared;
        vl_part_kind kind;
        const char *text;
        bool asked;
    } rows[] = {
        {0.95, "", VL_PART_PARAGRAPH, "Maji safi yanapatikana kwenye kisima.", true},
        {0.5, "swa", VL_PART_PARAGRAPH, "Maji safi yanapatikana kwenye kisima.", true},
        {0.5, "", VL_PART_PARAGRAPH, "Maji safi yanapatikana kwenye kisima.", false},
        {0.5, "eng", VL_PART_PARAGRAPH, "Maji safi yanapatikana kwenye kisima.", false},
        {0.95, "", VL_PART_PARAGRAPH, "Maji safi 2024", false},
        {0.95, "", VL_PART_TABLE, "Turkana Garissa Wajir Mandera Marsabit", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_part part = part_of(rows[i].kind, rows[i].text);
        vl_parts parts = {.parts = &part, .part_count = 1};
        instruct_subject subject = picture_of(&parts, rows[i].text, "swa", "Latn");
        instruct_options options = instruct_options_default();
        example *examples;
        subject.pair = NULL;
        part.certainty = rows[i].certainty;
        snprintf(part.declared, sizeof part.declared, "%s", rows[i].declared);
        size_t count = make(&subject, &options, &examples);
        if ((find(examples, count, "language.language") != NULL) != rows[i].asked)
            fail_msg("row %zu", i);
    }
}

static void aligned_text_is_asked_for(void **state) {
    vl_part part = part_of(VL_PART_PHOTOGRAPH, "");
    vl_parts parts = {.parts = &part, .part_count = 1};
    instruct_subject subject = picture_of(&parts, "People fetch water.", "eng", "Latn");
    const char *text[] = {"Watu wanachota maji."}, *language[] = {"swa"},
               *origin[] = {"aligned:table"};
    subject.aligned = text;
    subject.aligned_languages = language;
    subject.aligned_origins = origin;
    subject.aligned_count = 1;
    instruct_options options = instruct_options_default();
    example *examples;
    bool in_swahili = false, in_english = false;
    (void)state;
    for (int targets = 0; targets < 2; targets++) {
        options.target_languages = language;
        options.target_count = (size_t)targets;
        size_t count = make(&subject, &options, &examples);
        in_swahili = in_english = false;
        for (size_t i = 0; i < count; i++) {
            if (strcmp(examples[i].language, "swa") != 0)
                continue;
            assert_string_equal(examples[i].text, text[0]);
            assert_string_equal(examples[i].origin, origin[0]);
            in_swahili |= !strcmp(examples[i].instruction_language, "swa");
            in_english |= strstr(examples[i].instruction, "in Swahili") ||
                          strstr(examples[i].instruction, "in Swahili.");
        }
        assert_int_equal(in_swahili, targets);
        assert_int_equal(in_english, targets);
    }
}

static void the_same_seed_gives_the_same(void **state) {
    vl_part part = part_of(VL_PART_PHOTOGRAPH, "");
    vl_parts parts = {.parts = &part, .part_count = 1};
    instruct_options options = instruct_options_default();
    example *first, *again;
    size_t of_phrasing[5] = {0};
    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        char caption[64];
        snprintf(caption, sizeof caption, "A school in camp %c%u", 'a' + (int)(i % 26), i);
        vl_arena_reset(arena);
        instruct_subject subject = picture_of(&parts, caption, "eng", "Latn");
        size_t count = make(&subject, &options, &first);
        assert_int_equal(make(&subject, &options, &again), count);
        for (size_t j = 0; j < count; j++) {
            assert_string_equal(first[j].instruction, again[j].instruction);
            assert_string_equal(first[j].phrase, again[j].phrase);
        }
        const example *describe = find(first, count, "describe.picture");
        assert_non_null(describe);
        of_phrasing[strrchr(describe->phrase, '.')[1] - '0']++;
    }
    for (size_t i = 1; i <= 4; i++) /* 100 each; the deviation is 8.7 */
        assert_in_range(of_phrasing[i], 65, 135);
}

static void options_are_followed(void **state) {
    vl_part part = part_of(VL_PART_PHOTOGRAPH, "");
    vl_parts parts = {.parts = &part, .part_count = 1};
    instruct_subject subject =
        picture_of(&parts, "The river rose by 25 metres within 3 days.", "eng", "Latn");
    instruct_options options = instruct_options_default();
    example *examples;
    size_t count;
    vl_error error = {0};
    (void)state;
    options.style = "form";
    options.kinds = 1u << VL_ITEM_QUESTION;
    count = make(&subject, &options, &examples);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(examples[i].kind, VL_ITEM_QUESTION);
        assert_string_equal(strrchr(examples[i].instruction, ':'), ":");
    }
    options.most = 1;
    assert_int_equal(make(&subject, &options, &examples), 1);
    options.style = "chatty";
    assert_int_equal(
        instruct_examples(served, &subject, &options, arena, &examples, &count, &error),
        VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "chatty"));
    subject.language = "wol"; /* not served, and no target language */
    options = instruct_options_default();
    assert_int_equal(make(&subject, &options, &examples), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captions_are_asked_about),
        cmocka_unit_test(captions_name_things),
        cmocka_unit_test(gaps_are_of_counts),
        cmocka_unit_test(descriptions_are_bare),
        cmocka_unit_test(words_of_charts),
        cmocka_unit_test(reading_has_a_bar),
        cmocka_unit_test(regions_are_read),
        cmocka_unit_test(languages_are_certain),
        cmocka_unit_test(aligned_text_is_asked_for),
        cmocka_unit_test(the_same_seed_gives_the_same),
        cmocka_unit_test(options_are_followed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
