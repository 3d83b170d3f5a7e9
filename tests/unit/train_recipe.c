/* Tests of recipes: what may stand in them, and what is said when something else does. */
#include "train_toy.h"

#include "train/recipe.h"

#define TRAINING "training: {steps: 8, warmup: 2, rate: 0.001, lanes: 2, micro_batch: 2}\n"
#define GOOD TOY_HEAD TOY_ARCHITECTURE TOY_LABELS TOY_SOURCES TRAINING

static vl_status read_text(const char *text, recipe *out, vl_error *error) {
    toy_write("recipe.yaml", text, strlen(text));
    return recipe_read(toy_path("recipe.yaml"), out, error);
}

static recipe *new_recipe(void) {
    recipe *r = calloc(1, sizeof *r);
    assert_non_null(r);
    return r;
}

static void test_values_and_defaults(void **state) {
    (void)state;
    recipe *r = new_recipe();
    vl_error error = {0};
    if (read_text(GOOD, r, &error))
        fail_msg("%s", error.message);
    assert_int_equal(r->seed, 3);
    assert_int_equal(r->steps, 8);
    assert_int_equal(r->architecture.widths[2], 64);
    assert_int_equal(r->source_count, 2);
    assert_int_equal(r->held_count, 1);
    assert_string_equal(r->sources[1].path, "shard.tar");
    assert_true(r->sources[0].flip);
    assert_true(r->sources[0].weights[TASK_ASK] == 0.5);
    assert_true(r->sources[1].weights[TASK_CAPTION] == 0);
    assert_int_equal(r->architecture.head_count, 1);
    assert_int_equal(vl_seer_head_find(&r->architecture.label_heads[0], "orange"), 6);
    /* not given */
    assert_true(r->beta1 == 0.9);
    assert_true(r->max_broken == 0.01);
    assert_false(r->bf16);
    assert_int_equal(r->patience, 0);
    free(r);
}

static void test_bundled_recipes_can_be_followed(void **state) {
    (void)state;
    char folder[TOY_PATH];
    snprintf(folder, sizeof folder, "%s/models/recipes", TEST_SOURCE_DIR);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    size_t seen = 0;
    recipe *r = new_recipe();
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[TOY_PATH + 300], model[VL_TRAIN_MODEL_SIZE];
        vl_error error = {0};
        if (strncmp(entry->d_name, "seer-", 5) || strstr(entry->d_name, "tokenizer") ||
            !strstr(entry->d_name, ".yaml"))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (recipe_read(path, r, &error) || vl_train_model_of(path, model, &error))
            fail_msg("%s", error.message);
        assert_string_equal(model, "seer");
        seen++;
    }
    closedir(dir);
    free(r);
    assert_true(seen > 0);
}

/* Each recipe breaks at the line that is named, with these words in the message. */
static void test_what_cannot_be_followed(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int line;
        const char *words;
    } rows[] = {
        {"sead: 1\n", 1, "unknown key 'sead'; did you mean 'seed'?"},
        {"seed: 1\nxyzzy: 1\n", 2, "unknown key 'xyzzy'"},
        {"seed: -1\n", 1, "seed: a number from 0"},
        {"seed: 1.5\n", 1, "seed: a whole number is needed"},
        {"seed: many\n", 1, "seed: a number from 0"},
        {"seed: [1]\n", 1, "seed: a number from 0"},
        {"seed: 1\nseed: 2\n", 2, "given twice: seed"},
        {"model: parrot\n", 1, "only 'seer'"},
        {"tokenizer: ''\n", 1, "tokenizer: a short text is needed"},
        {"training:\n  steps: 5\n  warmpu: 3\n", 3, "did you mean 'warmup'?"},
        {"training: {steps: 0}\n", 1, "steps: a number from 1 to 1e+09"},
        {"training: {steps: 10.5}\n", 1, "steps: a whole number is needed"},
        {"training:\n  rate: 1e30\n", 2, "rate: a number from 0 to 1 "},
        {"training:\n  rate: nan\n", 2, "rate: a number from 0 to 1 "},
        {"training:\n  rate: 1e-3x\n", 2, "rate: a number from 0 to 1 "},
        {"training:\n  rate: 0.1\n  bf16: yes\n", 3, "bf16: true or false is needed"},
        {"training:\n  dropout: 0.95\n", 2, "dropout: a number from 0 to 0.9"},
        {"training:\n  lanes: 65\n", 2, "lanes: a number from 1 to 64"},
        {"training: [1, 2]\n", 1, "a mapping is needed here"},
        {"training:\n  rate: 0.1\n  rate: 0.2\n", 3, "given twice: rate"},
        {"architecture:\n  width: [64, 128, 256]\n", 2, "did you mean 'widths'?"},
        {"architecture:\n  widths: [64, 128]\n", 2, "widths: a list of 3 numbers is needed"},
        {"architecture:\n  widths: [64, 128, x]\n", 2, "widths: a number from"},
        {"architecture:\n  widths: [64, 128, 70.5]\n", 2, "widths: a whole number is needed"},
        {"architecture:\n  widths: 64\n", 2, "widths: a list of 3 numbers is needed"},
        {"architecture:\n  max_text: 8\n", 2, "max_text: a number from 16 to 512"},
        {"sources: 3\n", 1, "a list of sources is needed"},
        {"sources:\n  - {name: a, path: b}\n  - {name: a}\n", 3, "a name and a path"},
        {"sources:\n  - {name: a, path: b, batch: 0}\n", 2, "batch: a number from 1 to 65536"},
        {"sources:\n  - {name: a, path: b, pictures: 64}\n", 2, "did you mean 'picture'?"},
        {"sources:\n  - {name: a, path: b, picture: 70}\n", 2, "a multiple of 16"},
        {"sources:\n  - {name: a, path: b, crop: 0}\n", 2, "crop: a number from 0.05 to 1"},
        {"held_out:\n  - {name: a, path: b, capttion: 1}\n", 2, "did you mean 'caption'?"},
        {"labels:\n  colour: red\n", 2, "a list under a short name"},
        {"labels:\n  colour: [red, red]\n", 2, "twice the same in colour"},
        {"labels:\n  c: [a, b]\n  c: [a, b]\n", 3, "given twice: c"},
        {"seed: 1\n  steps: 3\n", 2, "mapping values"},
        {"- seed\n", 0, "not a recipe"},
        {"", 0, "not a recipe"},
        {"seed: 1\n", 0, "no sources"},
        {"sources:\n  - {name: a, path: b}\n", 0, "no tokenizer"},
        {TOY_HEAD "architecture: {widths: [16, 32, 70]}\nsources:\n  - {name: a, path: b}\n", 0,
         "architecture: seer: widths[2] is 70"},
        {TOY_HEAD "architecture: {kernel: 4}\nsources:\n  - {name: a, path: b}\n", 0,
         "kernel 4; odd"},
    };
    recipe *r = new_recipe();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error = {0};
        char where[TOY_PATH + 32];
        assert_int_equal(read_text(rows[i].text, r, &error), VL_ERR_USAGE);
        if (rows[i].line)
            snprintf(where, sizeof where, "%s:%d: ", toy_path("recipe.yaml"), rows[i].line);
        else
            snprintf(where, sizeof where, "%s: ", toy_path("recipe.yaml"));
        if (strncmp(error.message, where, strlen(where)) ||
            !strstr(error.message, rows[i].words))
            fail_msg("%zu: '%s' does not say '%s%s'", i, error.message, where, rows[i].words);
    }
    free(r);
}

static void test_too_many_sources(void **state) {
    (void)state;
    vl_buf text;
    vl_buf_init(&text, 1 << 16);
    vl_buf_puts(&text, "sources:\n");
    for (int i = 0; i <= RECIPE_MAX_SOURCES; i++)
        vl_buf_puts(&text, "  - {name: a, path: b}\n");
    recipe *r = new_recipe();
    vl_error error = {0};
    assert_int_equal(read_text(text.data, r, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, ":18: too many sources"));
    vl_buf_deinit(&text);
    free(r);
}

static void test_missing_file_and_model(void **state) {
    (void)state;
    recipe *r = new_recipe();
    vl_error error = {0};
    char model[VL_TRAIN_MODEL_SIZE];
    assert_int_not_equal(recipe_read(toy_path("none.yaml"), r, &error), VL_OK);
    assert_non_null(strstr(error.message, "none.yaml"));
    toy_write("recipe.yaml", "model: langid\nseed: 2\n", 22);
    assert_int_equal(vl_train_model_of(toy_path("recipe.yaml"), model, &error), VL_OK);
    assert_string_equal(model, "langid");
    toy_write("recipe.yaml", "seed: 2\n", 8);
    assert_int_equal(vl_train_model_of(toy_path("recipe.yaml"), model, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "model: seer"));
    free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_defaults),
        cmocka_unit_test(test_bundled_recipes_can_be_followed),
        cmocka_unit_test(test_what_cannot_be_followed),
        cmocka_unit_test(test_too_many_sources),
        cmocka_unit_test(test_missing_file_and_model),
    };
    return cmocka_run_group_tests(tests, toy_setup, toy_teardown);
}
