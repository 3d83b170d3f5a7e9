/* Tests of the trainer: two invented languages told apart, the same weights from the same seed,
 * and recipes that cannot be followed. */
#include "train/langid_data.h"
#include "train_corpus.h"

static int make_folder(void **state) {
    static const char *const one[] = {"ma", "ku", "ti", "wa", "ni"},
                             *const two[] = {"str", "eng", "ow", "ith", "ald"},
                             *const other[] = {"qxe", "zzu", "xou", "vvi"},
                             *const more[] = {"yyb", "jjo", "hhe", "ccu"};
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    write_language("one.gz", one, 5, 200, 9);
    write_language("two.gz", two, 5, 200, 9);
    vl_dir_make(in_folder("rest", 1), NULL);
    for (int i = 0; i < 8; i++) { /* enough that some are held out and some are not */
        char name[32];
        snprintf(name, sizeof name, "rest/u%d.gz", i);
        write_language(name, i % 2 ? other : more, 4, 200, 9);
    }
    return 0;
}

#define SETTINGS                                                                               \
    "seed: 3\nbuckets: 1024\nwidth: 16\nepochs: 2\nsamples_per_language: 300\n"                \
    "learning_rate: 0.3\ndropout: 0.1\nunknown_wrong: 0.01\nunknown: rest\nunknown_groups: "   \
    "2\nunknown_share: 0.3\n"

static vl_status train(const char *recipe, const char *out, vl_error *error) {
    const char *path = in_folder("recipe.yaml", 2);
    assert_int_equal(vl_file_write(path, recipe, strlen(recipe), NULL), VL_OK);
    vl_langid_training training = {.recipe = path, .data_dir = folder};
    return vl_langid_train(&training, out, error);
}

static void test_two_languages(void **state) {
    static const char recipe[] = SETTINGS "languages:\n  one: [one.gz]\n  two: [two.gz]\n";
    vl_error error;
    vl_buf first, again;
    (void)state;
    const char *out = in_folder("a.bin", 1), *out_again = in_folder("b.bin", 3);
    assert_int_equal(train(recipe, out, &error), VL_OK);
    assert_int_equal(train(recipe, out_again, &error), VL_OK);
    vl_buf_init(&first, 1 << 20);
    vl_buf_init(&again, 1 << 20);
    assert_int_equal(vl_file_read(out, 1 << 20, &first, &error), VL_OK);
    assert_int_equal(vl_file_read(out_again, 1 << 20, &again, &error), VL_OK);
    assert_int_equal(first.len, again.len);
    assert_memory_equal(first.data, again.data, first.len);
    vl_buf_deinit(&first);
    vl_buf_deinit(&again);

    vl_langid *langid;
    assert_int_equal(vl_langid_open(out, &langid, &error), VL_OK);
    static const char *const rows[][2] = {{"makuti waniku timawa", "one"},
                                          {"strengow ithaldow engithald", "two"},
                                          {"qxezzuxou vviqxezzu xouvviqxe", "und"}};
    for (size_t i = 0; i < 3; i++) {
        vl_lang_guess guess;
        assert_int_equal(vl_langid_guess(langid, rows[i][0], 1, &guess), 1);
        assert_string_equal(guess.code, rows[i][1]);
    }
    vl_langid_training training = {.recipe = in_folder("recipe.yaml", 2), .data_dir = folder};
    vl_langid_score scores[8];
    size_t count;
    assert_int_equal(vl_langid_evaluate(&training, langid, scores, 8, &count, &error), VL_OK);
    assert_int_equal(count, 3); /* the groups of "und" are one score */
    assert_string_equal(scores[2].code, "und");
    for (size_t i = 0; i < 2; i++) {
        assert_true(scores[i].count[1] > 5);
        assert_true(scores[i].right[1] * 10 >= scores[i].count[1] * 9);
    }
    vl_langid_free(langid);
}

/* What is written for others is what is scored, and none of it was trained on. */
static void test_held_out(void **state) {
    static const char recipe[] = SETTINGS "languages:\n  one: [one.gz]\n  two: [two.gz]\n";
    const char *path = in_folder("held.yaml", 2), *out = in_folder("held.tsv", 1);
    vl_langid_training training = {.recipe = path, .data_dir = folder};
    langid_recipe r;
    vl_error error;
    vl_buf file;
    (void)state;
    assert_int_equal(vl_file_write(path, recipe, strlen(recipe), &error), VL_OK);
    assert_int_equal(vl_langid_write_held_out(&training, out, &error), VL_OK);
    assert_int_equal(langid_recipe_load(path, folder, &r, &error), VL_OK);
    vl_buf_init(&file, 1 << 22);
    assert_int_equal(vl_file_read(out, 1 << 22, &file, &error), VL_OK);
    vl_buf_append(&file, "", 1);
    size_t cuts = 0;
    for (char *at = file.data, *end; (end = strchr(at, '\n')); at = end + 1, cuts++) {
        *end = '\0';
        const char *code = strsep(&at, "\t"), *name = strsep(&at, "\t"),
                   *length = strsep(&at, "\t");
        assert_non_null(at);
        size_t l = !strcmp(code, "one") ? 0 : !strcmp(code, "two") ? 1 : 2;
        static const char *const files[] = {"one.gz", "two.gz", "rest/"};
        assert_int_equal(strncmp(name, files[l], strlen(files[l])), 0);
        for (size_t g = l; g < (l < 2 ? l + 1 : r.language_count) && atoi(length) == 400; g++)
            for (size_t i = 0; i < r.languages[g].train.count; i++)
                assert_string_not_equal(r.languages[g].train.items[i], at);
    }
    size_t held =
        r.languages[0].held.count + r.languages[1].held.count + r.languages[2].held.count;
    assert_int_equal(cuts, 4 * held);
    vl_buf_deinit(&file);
    langid_recipe_free(&r);
}

static void test_recipes_refused(void **state) {
    static const refused rows[] = {
        {"languages: [", VL_ERR_INPUT, "recipe.yaml:2: "},
        {"seed: 3\n", VL_ERR_INPUT, "buckets"},
        {"just words", VL_ERR_INPUT, "a mapping is needed"},
        {"seed: 3\nbukets: 300\n", VL_ERR_INPUT,
         ":2: unknown key 'bukets'; did you mean 'buckets'?"},
        {SETTINGS "languages:\n  one: [one.gz]\n  one: [one.gz]\n", VL_ERR_INPUT,
         "given twice: one"},
        {SETTINGS, VL_ERR_INPUT, "languages"},
        {"width: 20\nseed: 3\nbuckets: 1024\nepochs: 2\nsamples_per_language: 300\n"
         "learning_rate: 0.3\ndropout: 0.1\nunknown_wrong: 0.01\nunknown_groups: "
         "2\nunknown_share: 0.3\n",
         VL_ERR_INPUT, "width: a multiple of 16 is needed"},
        {SETTINGS "languages: {}\n", VL_ERR_LIMIT, "0 languages"},
        {SETTINGS "languages:\n  one: one.gz\n", VL_ERR_INPUT, "list"},
        {SETTINGS "languages:\n  one: [absent.gz]\n", VL_ERR_MISSING, "absent.gz"},
        {SETTINGS "languages:\n  one: [held one.gz]\n", VL_ERR_MISSING, "one"},
        {SETTINGS "languages:\n  one: []\n", VL_ERR_MISSING, "one"},
    };
    (void)state;
    check_refused(rows, sizeof rows / sizeof *rows, train);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_languages),
        cmocka_unit_test(test_held_out),
        cmocka_unit_test(test_recipes_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
