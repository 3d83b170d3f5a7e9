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

/* Rundi and Xhosa are so close to Kinyarwanda and Zulu that a sentence does not tell. */
static bool may_be_taken_for(const char *code, const char *guess) {
    static const char *const near[][2] = {{"kin", "run"}, {"zul", "xho"}};
    for (size_t i = 0; i < sizeof near / sizeof *near; i++)
        if (!strcmp(code, near[i][0]) && !strcmp(guess, near[i][1]))
            return true;
    return !strcmp(code, guess);
}

static void check_language(const phrase_language *l, const char *text) {
    vl_lang_guess guess;
    assert_int_equal(vl_langid_guess(langid, text, 1, &guess), 1);
    if (!may_be_taken_for(l->code, vl_lang_code(guess.code)))
        fail_msg("%s taken for %s (%.2f): %s", l->code, guess.code, guess.probability, text);
}

enum { LONG_ENOUGH = 60 }; /* characters that tell a language */
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
    if (vl_text_grapheme_count(text) >= LONG_ENOUGH)
        check_language(l, text);
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

/* ---- filling ---------------------------------------------------------------------------- */

static void values_are_quoted(void **state) {
    static const struct {
        const char *language, *value, *quoted;
    } rows[] = {
        {"eng", "Kakuma", "“Kakuma”"},
        {"eng", "a “b”", "‘a “b”’"},
        {"fra", "eau", "«\u00A0eau\u00A0»"},
        {"fra", "« eau »", "“« eau »”"},
        {"ukr", "вода", "«вода»"},
        {"ara", "Kakuma", "”\u2068Kakuma\u2069“"},
        {"ara", "ماء", "”ماء“"},
        {"eng", "ماء 5", "“\u2068ماء 5\u2069”"},
        {"ara", "1,204", "”1,204“"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const phrase_language *l = phrases_find(served, rows[i].language);
        phrase_values values = {.values = {[PHRASE_COLUMN] = rows[i].value}};
        const char *text;
        assert_int_equal(phrases_fill(l, &l->phrasings[PHRASE_LARGEST][0].patterns[0], &values,
                                      arena, &text, NULL),
                         VL_OK);
        if (!strstr(text, rows[i].quoted))
            fail_msg("'%s' without '%s'", text, rows[i].quoted);
    }
}

static void counted_rows(void **state) {
    static const struct {
        const char *language;
        size_t count;
        const char *text;
    } rows[] = {
        {"eng", 1, "1 row"},        {"eng", 5, "5 rows"},       {"ukr", 21, "21 рядок"},
        {"ukr", 3, "3 рядки"},      {"ukr", 11, "11 рядків"},   {"ara", 2, "صفان"},
        {"ara", 3, "3 صفوف"},       {"ara", 12, "12 صفًا"},      {"ara", 100, "100 صف"},
        {"swa", 1, "safu mlalo 1"}, {"swa", 4, "safu mlalo 4"}, {"yor", 4, "ìlà 4"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text;
        assert_int_equal(phrases_fill_rows(phrases_find(served, rows[i].language),
                                           rows[i].count, arena, &text, NULL),
                         VL_OK);
        assert_string_equal(text, rows[i].text);
    }
}

static void faults_are_found(void **state) {
    static const char *const rows[][3] = {
        {"eng", "What does this map show?", NULL},
        {"eng", "What  does this map show?", "space"},
        {"eng", "What does this map show??", "punctuation"},
        {"eng", "what does this map show?", "small"},
        {"eng", "What does {this} show?", "filled"},
        {"eng", "What is in on this map?", "contracts"},
        {"fra", "Le titre de image ?", "elided"},
        {"fra", "Le titre de carte ?", NULL},
        {"spa", "¿Qué dice el título de el mapa?", "contracts"},
        {"ara", "ماذا تُظهر هذه الخريطة؟؟", "punctuation"},
        {"eng", "Fill “a  b?? {c}” here.", NULL}, /* within the value */
    };
    phrase_values values = {.values = {[PHRASE_TEXT_ARG] = "a  b?? {c}"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *fault =
            phrases_fault(phrases_find(served, rows[i][0]), rows[i][1], &values);
        if (rows[i][2] ? !fault || !strstr(fault, rows[i][2]) : fault != NULL)
            fail_msg("'%s': %s", rows[i][1], fault ? fault : "no fault");
    }
}

static void names_are_of_the_language(void **state) {
    static const char *const rows[][3] = {
        {"eng", "swa", "Swahili"},   {"fra", "ara", "arabe"}, {"swa", "eng", "Kiingereza"},
        {"ara", "swh", "السواحلية"}, {"tir", "tir", "ትግርኛ"},  {"orm", "amh", "Afaan Amaaraa"},
        {"zul", "eng", "isiNgisi"},  {"lin", "zzz", NULL},    {"kin", "hau", NULL},
        {"eng", "und", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *name =
            phrases_language_name(phrases_find(served, rows[i][0]), rows[i][1], arena);
        if (rows[i][2] ? !name || strcmp(name, rows[i][2]) != 0 : name != NULL)
            fail_msg("%s of %s: %s", rows[i][0], rows[i][1], name ? name : "none");
    }
    assert_string_equal(phrases_script_name(phrases_find(served, "fra"), "Arab", arena),
                        "arabe");
    assert_null(phrases_script_name(phrases_find(served, "lin"), "Latn", arena));
}

/* Every language knows its own name. */
static void languages_name_themselves(void **state) {
    (void)state;
    for (size_t i = 0; i < phrases_count(served); i++) {
        const phrase_language *l = phrases_language(served, i);
        assert_non_null(phrases_language_name(l, l->code, arena));
        assert_non_null(phrases_crisis_name(l, "flood"));
        assert_string_equal(phrases_find(served, l->code)->code, l->code);
    }
}

/* ---- files that are wrong --------------------------------------------------------------- */

static const char good[] =
    "language: spa\nscript: Latn\nquestion: \"?\"\nopens: \"¿\"\n"
    "stop: \".\"\ncolon: \":\"\nclasses: [m, f]\nforms: [este]\n"
    "nouns:\n"
    "  picture: {class: f, este: esta imagen}\n"
    "  photograph: {class: f, este: esta foto}\n"
    "  chart: {class: m, este: este gráfico}\n"
    "  map: {class: m, este: este mapa}\n"
    "  table: {class: f, este: esta tabla}\n"
    "  text: {class: m, este: este texto}\n"
    "\"yes\": \"Sí\"\n\"no\": \"No\"\n"
    "rows: \"{count, plural, one {# fila} many {# filas} other {# filas}}\"\n"
    "phrases:\n  question.largest:\n"
    "    natural: [\"¿Cuál es la mayor de {column}?\"]\n"
    "    terse: [\"Mayor de {column}.\"]\n"
    "    form: [\"Mayor de {column}:\"]\n";

static const struct {
    const char *from, *to, *line, *reason;
} wrong[] = {
    {"", "", NULL, NULL},
    {"spa", "es", ":1:", "ISO 639-3"},
    {"Latn", "Latin", ":2:", "ISO 15924"},
    {"stop: \".\"\n", "", ":1:", "stop is missing"},
    {"class: f, este: esta foto", "class: n, este: esta foto", ":11:", "none of the classes"},
    {"class: f, este: esta foto", "class: f", ":11:", "este is missing"},
    {"  map: {class: m, este: este mapa}\n", "", ":10:", "map is missing"},
    {" many {# filas}", "", ":18:", "plural category: many"},
    {"many {", "few {", ":18:", "plural category"},
    {"# fila}", "# fila", ":18:", ""},
    {"[\"Mayor de {column}.\"]", "[\"Mayor.\"]", ":22:", "not used: column"},
    {"[\"Mayor de {column}.\"]", "[\"Mayor de {row}, {column}.\"]", ":22:", "row"},
    {"[\"Mayor de {column}.\"]", "[\"{este} de {column}.\"]", ":22:", "este"},
    {"[\"Mayor de {column}.\"]", "[\"Mayor de {column}\"]", ":22:", "ends with"},
    {"[\"Mayor de {column}.\"]", "[\"Mayor de {column}?\"]", ":22:", "begins with"},
    {"[\"Mayor de {column}.\"]", "[\"Mayor d'{column}.\"]", ":22:", "typographic"},
    {"[\"Mayor de {column}.\"]", "[\"Mayor де {column}.\"]", ":22:", "another script"},
    {"[\"Mayor de {column}.\"]", "[\"a {column}.\", \"A {column}.\"]", ":22:", "twice"},
    {"[\"Mayor de {column}.\"]", "[\"Mayor de {column.\"]", ":22:", "neither"},
    {"[\"Mayor de {column}.\"]", "[\"Mayor de }{column}.\"]", ":22:", "braces"},
    {"[\"Mayor de {column}.\"]", "[\"{class, select, m {a}} {column}.\"]", ":22:", ""},
    {"[\"Mayor de {column}.\"]", "[]", ":22:", "list of 1"},
    {"    form: [\"Mayor de {column}:\"]\n", "", ":21:", "form is missing"},
    {"question.largest", "question.larges", ":20:", "did you mean 'question.largest'"},
    {"colon", "colour", ":6:", "unknown key"},
};

static vl_status read_changed(const char *from, const char *to, vl_error *error) {
    char text[2048], path[] = "/tmp/vislang-phrases-XXXXXX";
    const char *at = strstr(good, from);
    phrase_language language;
    assert_non_null(at);
    int length =
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, (size_t)length), length);
    close(fd);
    vl_status status = phrases_read(path, arena, &language, error);
    unlink(path);
    return status;
}

static void wrong_files_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vl_error error = {0};
        vl_arena_reset(arena);
        vl_status status = read_changed(wrong[i].from, wrong[i].to, &error);
        if (!wrong[i].reason) {
            assert_int_equal(status, VL_OK);
            continue;
        }
        assert_int_equal(status, VL_ERR_INPUT);
        if (!strstr(error.message, wrong[i].line) || !strstr(error.message, wrong[i].reason))
            fail_msg("'%s' for '%s': %s", wrong[i].to, wrong[i].from, error.message);
    }
    phrases *none;
    assert_int_equal(phrases_open("/nonexistent", &none, NULL), VL_ERR_MISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filled_phrases_are_sentences),
        cmocka_unit_test(there_are_several_of_each),
        cmocka_unit_test(languages_are_what_they_say),
        cmocka_unit_test(values_are_quoted),
        cmocka_unit_test(counted_rows),
        cmocka_unit_test(faults_are_found),
        cmocka_unit_test(names_are_of_the_language),
        cmocka_unit_test(languages_name_themselves),
        cmocka_unit_test(wrong_files_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
