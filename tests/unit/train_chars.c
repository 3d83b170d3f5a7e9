/* Tests of the trainer of character models: counts that can be worked out by hand,
 * probabilities that sum to one, pruning that fits and helps, recipes that cannot be followed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vislang/train.h>
#include <zlib.h>

#include "train/chars_count.h"

/* cmocka compares as float. */
#define assert_near(a, b, by) assert_true(fabs((double)(a) - (double)(b)) <= (by))

static char folder[] = "/tmp/vislang-chars-XXXXXX";
static char recipe_path[64], model_path[64];

static const char *const syllables[] = {"ma", "ku", "ti", "waa", "nii", "se", "lo", "ha"};

/* 1,500 lines of eight words of three of the syllables, some likelier than others. */
static void write_language(void) {
    char path[64];
    uint32_t seed = 7;
    snprintf(path, sizeof path, "%s/one.gz", folder);
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    for (size_t line = 0; line < 1500; line++)
        for (size_t word = 0; word < 8; word++) {
            for (size_t i = 0, last = word; i < 3; i++) {
                seed = seed * 1664525u + 1013904223u;
                last = seed >> 30 ? (last * 3 + 1) % 8 : (seed >> 16) % 8;
                gzputs(file, syllables[last]);
            }
            gzputs(file, word == 7 ? "\n" : " ");
        }
    gzclose(file);
}

static void write_recipe(const char *text) {
    assert_int_equal(vl_file_write(recipe_path, text, strlen(text), NULL), VL_OK);
}

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(recipe_path, sizeof recipe_path, "%s/recipe.yaml", folder);
    snprintf(model_path, sizeof model_path, "%s/chars.bin", folder);
    write_language();
    return 0;
}

static int remove_folder(void **state) {
    char command[80];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* ---- counts -------------------------------------------------------------------------------
 */

static chars_text text_of(const char *lines) {
    chars_text text = {.count = strlen(lines)};
    text.points = malloc(text.count * sizeof *text.points);
    for (size_t i = 0; i < text.count; i++)
        text.points[i] = (uint32_t)lines[i];
    return text;
}

static const uint32_t *find(const chars_counts *c, const char *gram, const uint32_t *of) {
    uint64_t key = 0;
    size_t n = strlen(gram);
    for (size_t i = 0; i < n; i++)
        key = key << CHARS_BITS | chars_symbol(c, (uint32_t)gram[i]);
    size_t at = chars_find(c->levels[n - 1].keys, c->levels[n - 1].n, key);
    return at == SIZE_MAX ? NULL : of + at;
}

static void test_counts(void **state) {
    static const struct {
        const char *gram; /* '\n': the edge of a line */
        uint32_t raw, count;
    } rows[] = {
        {"a", 4, 3},   /* after the edge, b and c */
        {"b", 2, 1},   /* after a */
        {"\n", 2, 2},  /* a line ends after b and after c */
        {"ab", 2, 2},  /* the end of the line, b: different symbols before: edge, b */
        {"\na", 2, 2}, /* begins a line: as often as it is there */
        {"ca", 1, 1},   {"b\n", 1, 1},
        {"aba", 1, 1}, /* the longest: as often as they are there */
        {"\nab", 1, 1},
    };
    chars_text text = text_of("abab\nacac\n");
    chars_counts c;
    (void)state;
    assert_int_equal(chars_count(&text, 3, &c, NULL), VL_OK);
    assert_int_equal(c.symbols, 5); /* unknown, edge, a, b, c */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const chars_level *l = &c.levels[strlen(rows[i].gram) - 1];
        const uint32_t *raw = find(&c, rows[i].gram, l->raw),
                       *count = find(&c, rows[i].gram, l->count);
        assert_non_null(raw);
        if (*raw != rows[i].raw || *count != rows[i].count)
            fail_msg("'%s': %u and %u", rows[i].gram, *raw, *count);
    }
    assert_null(find(&c, "bc", c.levels[1].raw)); /* not over the end of a line */
    assert_null(find(&c, "b\na", c.levels[2].raw));
    chars_counts_free(&c);
    chars_text_free(&text);
}

static void test_rare_is_unknown(void **state) {
    chars_text text = text_of("aaab\naaaa\n");
    chars_counts c;
    (void)state;
    assert_int_equal(chars_count(&text, 2, &c, NULL), VL_OK);
    assert_int_equal(c.symbols, 3);
    assert_int_equal(chars_symbol(&c, 'b'), VL_NGRAM_UNKNOWN);
    assert_int_equal(chars_symbol(&c, '\n'), VL_NGRAM_EDGE);
    chars_counts_free(&c);
    chars_text_free(&text);
}

/* With everything pruned but unigrams their counts are plain ones, with nothing pruned Kneser
 * and Ney's. */
static void test_pruned_counts(void **state) {
    chars_text text = text_of("abab\nacac\nabab\nacab\n");
    chars_counts c;
    (void)state;
    assert_int_equal(chars_count(&text, 3, &c, NULL), VL_OK);
    assert_int_equal(*find(&c, "a", c.levels[0].count), 3);
    assert_int_equal(chars_prune(&c, 1, NULL), VL_OK); /* nothing fits: only unigrams stay */
    for (size_t i = 0; i < c.levels[0].n; i++)
        assert_int_equal(c.levels[0].count[i], c.levels[0].raw[i]);
    for (size_t i = 0; i < c.levels[1].n; i++)
        assert_false(c.levels[1].kept[i]);
    chars_counts_free(&c);
    chars_text_free(&text);
}

/* ---- models -------------------------------------------------------------------------------
 */

static vl_ngram *train(unsigned order, unsigned bytes, vl_chars_score *score) {
    char text[512];
    vl_ngram *ngram = NULL;
    vl_error error = {.message = ""};
    size_t count = 0;
    snprintf(text, sizeof text,
             "model: chars\norder: %u\nline: 30\nbytes_per_language: %u\n"
             "max_characters: 100000\nlanguages:\n  one: [one.gz]\n",
             order, bytes);
    write_recipe(text);
    vl_chars_training training = {.recipe = recipe_path, .data_dir = folder};
    if (vl_chars_train(&training, model_path, &error) ||
        vl_ngram_open(model_path, &ngram, &error) ||
        vl_chars_evaluate(&training, ngram, score, 1, &count, &error))
        fail_msg("%s", error.message);
    assert_int_equal(count, 1);
    assert_int_equal(score->bytes, vl_ngram_bytes(ngram, 0));
    return ngram;
}

/* After any text the probabilities of all symbols sum to one, but for the 8 bits. */
static void check_sums(const vl_ngram *ngram) {
    static const char *const texts[] = {"", "m", "ma", "maku", "ma ku", "x", "waaniise", "zzz"};
    static const char symbols[] = " aehiklmnostuw";
    const vl_ngram_language *g = vl_ngram_find(ngram, "one");
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        vl_ngram_state s;
        vl_ngram_begin(g, &s);
        vl_ngram_extend(g, &s, texts[t], &s);
        double sum = exp(vl_ngram_end(g, &s)) + exp(vl_ngram_extend(g, &s, "?", NULL));
        for (const char *c = symbols; *c; c++)
            sum += exp(vl_ngram_extend(g, &s, (char[]){*c, '\0'}, NULL));
        if (!(fabs(sum - 1) < 0.05))
            fail_msg("after '%s' the sum is %.3f", texts[t], sum);
    }
}

static void test_models(void **state) {
    static const struct {
        unsigned order, bytes;
    } rows[] = {{2, 1000000}, {3, 1000000}, {6, 4000000}, {6, 6000}, {5, 3000}};
    vl_chars_score scores[5];
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        vl_ngram *ngram = train(rows[i].order, rows[i].bytes, &scores[i]);
        print_message("order %u, %zu bytes: %.3f bits a symbol, unigrams %.3f\n", rows[i].order,
                      scores[i].bytes, scores[i].bits, scores[i].unigram_bits);
        assert_true(scores[i].bytes <= rows[i].bytes);
        assert_true(scores[i].lines > 100);
        check_sums(ngram);
        vl_ngram_free(ngram);
    }
    assert_true(scores[0].bits < scores[0].unigram_bits);
    assert_true(scores[1].bits < scores[0].bits);
    assert_true(scores[2].bits < scores[1].bits);
    assert_true(scores[3].bits < scores[1].bits); /* 6,000 bytes well spent */
    assert_true(scores[4].bits < scores[0].bits);
    for (size_t i = 1; i < 5; i++) /* the baseline has nothing to do with the model */
        assert_near(scores[i].unigram_bits, scores[0].unigram_bits, 1e-9);
}

/* The same text gives the same file. */
static void test_same_again(void **state) {
    vl_chars_score score;
    vl_buf first, second;
    (void)state;
    vl_buf_init(&first, 1 << 24);
    vl_buf_init(&second, 1 << 24);
    vl_ngram_free(train(5, 5000, &score));
    assert_int_equal(vl_file_read(model_path, 1 << 24, &first, NULL), VL_OK);
    vl_ngram_free(train(5, 5000, &score));
    assert_int_equal(vl_file_read(model_path, 1 << 24, &second, NULL), VL_OK);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    vl_buf_deinit(&first);
    vl_buf_deinit(&second);
}

/* ---- recipes ------------------------------------------------------------------------------
 */

static void test_bad_recipes(void **state) {
#define GOOD "order: 3\nline: 60\nbytes_per_language: 9000\nmax_characters: 9000\n"
    static const struct {
        const char *recipe, *says;
        vl_status status;
    } rows[] = {
        {"- 1\n", "a mapping is needed", VL_ERR_USAGE},
        {"order: 3\n", "line: a number", VL_ERR_USAGE},
        {GOOD, "'languages' maps", VL_ERR_USAGE},
        {GOOD "languages: {}\n", "'languages' maps 1 to 256", VL_ERR_USAGE},
        {GOOD "languages:\n  one: one.gz\n", ":6: a list of files", VL_ERR_USAGE},
        {GOOD "languages:\n  one: [one.gz]\n  one: [one.gz]\n", "given twice", VL_ERR_USAGE},
        {GOOD "languages:\n  one: [\"one.gz:x\"]\n", "column", VL_ERR_USAGE},
        {GOOD "languages:\n  one: [two.gz]\n", "two.gz", VL_ERR_MISSING},
        {GOOD "languages:\n  one: [\"held one.gz\"]\n", "no text to train one", VL_ERR_MISSING},
        {GOOD "languages:\n  a_code_that_is_long: [one.gz]\n", "code is needed", VL_ERR_USAGE},
        {"ordre: 3\n", "did you mean 'order'", VL_ERR_USAGE},
        {"order: 7\n", "from 2 to 6", VL_ERR_USAGE},
        {"order: three\n", "from 2 to 6", VL_ERR_USAGE},
        {"model: seer\n" GOOD, "another model", VL_ERR_USAGE},
        {"order: [\n", "recipe.yaml:", VL_ERR_USAGE},
    };
    vl_chars_training training = {.recipe = recipe_path, .data_dir = folder};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error = {.message = ""};
        write_recipe(rows[i].recipe);
        assert_int_equal(vl_chars_train(&training, model_path, &error), rows[i].status);
        if (!strstr(error.message, rows[i].says))
            fail_msg("row %zu: '%s'", i, error.message);
    }
    training.recipe = "/nonexistent/recipe.yaml";
    assert_int_not_equal(vl_chars_train(&training, model_path, NULL), VL_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),        cmocka_unit_test(test_rare_is_unknown),
        cmocka_unit_test(test_pruned_counts), cmocka_unit_test(test_models),
        cmocka_unit_test(test_same_again),    cmocka_unit_test(test_bad_recipes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
