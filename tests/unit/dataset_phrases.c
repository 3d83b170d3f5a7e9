/* The phrases of every language: that the files are right, that what is filled is a sentence,
 * and how many there are; and that files that are wrong are refused with the reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataset/phrases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static phrases *served;
static vl_arena *arena;
static vl_langid *langid;

static int set_up(void **state) {
    (void)state;
    vl_error error = {0};
    arena = vl_arena_new((size_t)256 << 20);
    if (phrases_open(NULL, &served, &error) || vl_langid_open(NULL, &langid, &error))
        print_message("%s\n", error.message);
    return arena && served && langid ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    phrases_free(served);
    vl_langid_free(langid);
    vl_arena_free(arena);
    return 0;
}

static const phrase_values samples = {
    .noun = PHRASE_PICTURE,
    .values = {[PHRASE_ROW] = "7",
               [PHRASE_COLUMN] = "2023",
               [PHRASE_VALUE] = "1 204",
               [PHRASE_TEXT_ARG] = "34 – 56",
               [PHRASE_BEFORE] = "12",
               [PHRASE_AFTER] = "13",
               [PHRASE_FROM] = "2022",
               [PHRASE_TO] = "2024",
               [PHRASE_LANGUAGE] = "8"},
};

typedef void (*visit)(const phrase_language *l, phrase_topic topic, phrase_style style,
                      const phrase_pattern *pattern);

static void each(const phrase_language *l, visit look) {
    for (int t = 0; t < PHRASE_TOPIC_COUNT; t++)
        for (int s = 0; s < PHRASE_STYLE_COUNT; s++)
            for (size_t i = 0; i < l->phrasings[t][s].count; i++)
                look(l, (phrase_topic)t, (phrase_style)s, &l->phrasings[t][s].patterns[i]);
}

/* With every noun. */
static void check_filled(const phrase_language *l, phrase_topic topic, phrase_style style,
                         const phrase_pattern *pattern) {
    (void)style;
    for (int n = 0; n < PHRASE_NOUN_COUNT; n++) {
        phrase_values values = samples;
        vl_error error = {0};
        const char *text;
        values.noun = (phrase_noun)n;
        vl_arena_reset(arena);
        if (phrases_fill(l, pattern, &values, arena, &text, &error))
            fail_msg("%s", error.message);
        const char *fault = phrases_fault(l, text, &values);
        if (fault)
            fail_msg("%s %s: %s: %s", l->code, phrase_topic_name(topic), fault, text);
        double share = 0;
        assert_string_equal(vl_text_script(text, &share), l->script);
    }
}

static void filled_phrases_are_sentences(void **state) {
    (void)state;
    for (size_t i = 0; i < phrases_count(served); i++)
        each(phrases_language(served, i), check_filled);
}

enum { NATURAL_LEAST = 4, OTHER_LEAST = 2 };

static void there_are_several_of_each(void **state) {
    (void)state;
    print_message("phrasings        natural terse form, by kind\n");
    for (size_t i = 0; i < phrases_count(served); i++) {
        const phrase_language *l = phrases_language(served, i);
        size_t counts[VL_ITEM_KIND_COUNT][PHRASE_STYLE_COUNT] = {{0}}, all = 0;
        for (int t = 0; t < PHRASE_TOPIC_COUNT; t++)
            for (int s = 0; s < PHRASE_STYLE_COUNT; s++) {
                size_t count = l->phrasings[t][s].count;
                counts[phrase_topic_kind((phrase_topic)t)][s] += count;
                all += count;
            }
        print_message("%s %4zu:", l->code, all);
        for (int k = 0; k < VL_ITEM_KIND_COUNT; k++) {
            if (vl_item_is_base((vl_item_kind)k))
                continue;
            print_message(" %s %zu/%zu/%zu", vl_item_kind_name((vl_item_kind)k), counts[k][0],
                          counts[k][1], counts[k][2]);
            for (int s = 0; s < PHRASE_STYLE_COUNT; s++)
                assert_true(counts[k][s] >= (s ? OTHER_LEAST : NATURAL_LEAST));
        }
        print_message("\n");
    }
}

static vl_buf all_text;
static void gather(const phrase_language *l, phrase_topic topic, phrase_style style,
                   const phrase_pattern *pattern) {
    const char *text;
    (void)topic;
    if (style != PHRASE_NATURAL)
        return;
    phrase_values values = samples;
    assert_int_equal(phrases_fill(l, pattern, &values, arena, &text, NULL), VL_OK);
    vl_buf_printf(&all_text, "%s ", text);
    vl_lang_guess guess;
    if (vl_text_grapheme_count(text) >= 60 && vl_langid_guess(langid, text, 1, &guess) &&
        strcmp(vl_lang_code(guess.code), l->code) && getenv("SHOW_LANGID"))
        print_message("%s taken for %s (%.2f): %s\n", l->code, guess.code, guess.probability,
                      text);
}

static void languages_are_what_they_say(void **state) {
    (void)state;
    for (size_t i = 0; i < phrases_count(served); i++) {
        const phrase_language *l = phrases_language(served, i);
        vl_lang_guess guess;
        vl_arena_reset(arena);
        vl_buf_init(&all_text, 1 << 20);
        each(l, gather);
        assert_int_equal(vl_langid_guess(langid, all_text.data, 1, &guess), 1);
        assert_string_equal(vl_lang_code(guess.code), l->code);
        assert_true(guess.probability > 0.9);
        vl_buf_deinit(&all_text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filled_phrases_are_sentences),
        cmocka_unit_test(there_are_several_of_each),
        cmocka_unit_test(languages_are_what_they_say),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
