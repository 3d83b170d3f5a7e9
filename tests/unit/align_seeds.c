/* Tests of seeds: which words of two vocabularies are taken for the same, in several scripts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <align/seeds.h>

enum { MAX = 12 };

static vl_embeddings *vocabulary(const char *const words[MAX]) {
    size_t count = 0;
    while (count < MAX && words[count])
        count++;
    float *rows = calloc(count + 1, sizeof *rows);
    vl_embeddings *made = NULL;
    assert_int_equal(vl_embeddings_new(words, NULL, rows, count, 1, &made, NULL), VL_OK);
    return made;
}

typedef vl_status (*seeds_fn)(const vl_embeddings *source, const vl_embeddings *target,
                              size_t max_words, align_seeds *seeds, vl_error *error);

/* Whether exactly the pairs "a=b c=d …" are found, in that order. */
static void check(seeds_fn find, const char *const source[MAX], const char *const target[MAX],
                  const char *expected) {
    vl_embeddings *a = vocabulary(source), *b = vocabulary(target);
    align_seeds seeds = {0};
    char found[1024] = "";
    vl_error error = {0};
    if (find(a, b, 1000, &seeds, &error))
        fail_msg("%s", error.message);
    align_seeds_settle(&seeds);
    for (size_t i = 0; i < seeds.count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s=%s", i ? " " : "",
                 vl_embeddings_word(a, seeds.items[i].source),
                 vl_embeddings_word(b, seeds.items[i].target));
    assert_string_equal(found, expected);
    align_seeds_deinit(&seeds);
    vl_embeddings_free(a);
    vl_embeddings_free(b);
}

static void test_identical(void **state) {
    static const struct {
        const char *source[MAX], *target[MAX], *expected;
    } rows[] = {
        {{"kampala", "2020", "na", "water"},
         {"2020", "maji", "kampala", "na"},
         "kampala=kampala 2020=2020"},
        {{"covid", "four", "3.5", "covid19"},
         {"covid", "four", "3.5", "covid19"},
         "covid=covid 3.5=3.5 covid19=covid19"},
        {{"ሶማሊያ", "ውሃ"}, {"ውሃ", "ሶማሊያ"}, ""}, /* four letters are too few in any script */
        {{"አዲስአበባ"}, {"አዲስአበባ"}, "አዲስአበባ=አዲስአበባ"},
        {{"a"}, {"b"}, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(align_seeds_identical, rows[i].source, rows[i].target, rows[i].expected);
}

static void test_cognates(void **state) {
    static const struct {
        const char *source[MAX], *target[MAX], *expected;
    } rows[] = {
        /* Amharic, Pashto, Ukrainian, Oromo and Somali names and loans */
        {{"university", "water", "ronaldo"},
         {"ዩኒቨርሲቲ", "ውሃ", "ሮናልዶ"},
         "university=ዩኒቨርሲቲ ronaldo=ሮናልዶ"},
        {{"wilson", "cold"}, {"ويلسن", "سوړ"}, "wilson=ويلسن"},
        {{"protein", "bread"}, {"протеїн", "хліб"}, "protein=протеїн"},
        {{"marathon", "electronics", "house"},
         {"maaraatoonii", "elektirooniksii", "mana"},
         "marathon=maaraatoonii electronics=elektirooniksii"},
        /* the nearer of two, and each once */
        {{"colombia", "columbia"}, {"kolombiya"}, "colombia=kolombiya"},
        /* numerals and short words are none; other consonants are none */
        {{"2020", "oil"}, {"2020", "oli"}, ""},
        {{"minister"}, {"militant"}, ""},
        {{"\xCC\x81\xCC\x81\xCC\x81", "…"}, {"؟؟؟", "።"}, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(align_seeds_cognates, rows[i].source, rows[i].target, rows[i].expected);
}

static void test_dictionary(void **state) {
    static const char *const source[MAX] = {"water", "fire"}, *const target[MAX] = {"maji",
                                                                                    "moto"};
    static const char text[] =
        "Water\tMAJI\nfire\tmoto\nfire\tmoto\nnext to\tkaribu na\nsky\tmoto\n";
    (void)state;
    vl_embeddings *a = vocabulary(source), *b = vocabulary(target);
    vl_lexicon *lexicon;
    align_seeds seeds = {0};
    assert_int_equal(vl_lexicon_parse(text, strlen(text), &lexicon, NULL), VL_OK);
    assert_int_equal(align_seeds_dictionary(a, b, lexicon, &seeds, NULL), VL_OK);
    assert_int_equal(seeds.count, 3);
    align_seeds_settle(&seeds);
    assert_int_equal(seeds.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(seeds.items[i].source, i);
        assert_int_equal(seeds.items[i].target, i);
    }
    align_seeds_deinit(&seeds);
    vl_lexicon_free(lexicon);
    vl_embeddings_free(a);
    vl_embeddings_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identical),
        cmocka_unit_test(test_cognates),
        cmocka_unit_test(test_dictionary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
