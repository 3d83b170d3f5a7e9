/* Tests of the tokenizer's trainer: merges that can be worked out by hand, and that a slow
 * trainer finds too; weights; held-out text; recipes that cannot be followed. */
#include "train_corpus.h"

#include "text/bpe_words.h"

static void write_text(const char *name, const char *text) {
    assert_int_equal(vl_file_write(in_folder(name, 0), text, strlen(text), NULL), VL_OK);
}

static int make_folder(void **state) {
    static const char *const one[] = {"ma", "ku", "ti", "waa", "nii", "aaa"}, *const two[] = {
                                                                                  "str", "eng",
                                                                                  "ow", "ith",
                                                                                  "ald"};
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    write_language("one.gz", one, 6, 600, 5);
    write_language("two.gz", two, 5, 600, 5);
    write_text("captions.jsonl",
               "{\"captions\": {\"en\": [\"xyxyxy\", \"xy\"], \"fr\": [\"qz\"]}}\n"
               "\n"
               "{\"captions\": {\"en\": [\"xy\"]}}\n");
    write_text("questions.jsonl",
               "{\"qa\": [{\"question\": \"gh\", \"answer\": [\"gh\", \"jk\"]}]}\n");
    write_text("statements.jsonl",
               "{\"split\": \"train\", \"statements\": [{\"statement\": \"vw vw\"}]}\n"
               "{\"split\": \"dev\", \"statements\": [{\"statement\": \"dd dd dd dd\"}]}\n");
    write_text("broken.jsonl", "{\"captions\": {\"en\": [\"xy\"]}}\n{\"captions\": \n");
    write_text("empty.txt", "\n\n");
    return 0;
}

static vl_status train(const char *recipe, const char *out, vl_error *error) {
    write_text("recipe.yaml", recipe);
    vl_bpe_training training = {.recipe = in_folder("recipe.yaml", 2), .data_dir = folder};
    return vl_bpe_train(&training, out, error);
}

static vl_bpe *trained(const char *recipe) {
    const char *out = in_folder("out.bpe", 1);
    vl_bpe *bpe = NULL;
    vl_error error;
    if (train(recipe, out, &error) || vl_bpe_open(out, &bpe, &error))
        fail_msg("%s", error.message);
    return bpe;
}

/* ---- what is learned ------------------------------------------------------------------ */

static void test_formats(void **state) {
    static const struct {
        const char *recipe;
        const char *tokens[3]; /* that were learned, in order */
    } rows[] = {
        /* In xyxyxy, xy, xy the pair "xy" is there five times, "yx" twice; then "xyxy" twice.
         */
        {"vocabulary: 258\nspecials: []\nsources:\n"
         "  - {path: captions.jsonl, format: captions, languages: [en], weight: 1}\n",
         {"xy", "xyxy"}},
        {"vocabulary: 257\nspecials: []\nsources:\n"
         "  - {path: captions.jsonl, format: captions, languages: [fr], weight: 1}\n",
         {"qz"}},
        {"vocabulary: 258\nspecials: []\nsources:\n"
         "  - {path: questions.jsonl, format: questions, languages: [en], weight: 1}\n",
         {"gh", "jk"}},
        /* "vw" twice, then "vw" with its space. */
        {"vocabulary: 258\nspecials: []\nsources:\n"
         "  - {path: statements.jsonl, format: statements, split: train, languages: [en], "
         "weight: 1}\n",
         {"vw", " vw"}},
        {"vocabulary: 257\nspecials: []\nsources:\n"
         "  - {path: statements.jsonl, format: statements, languages: [en], weight: 1}\n",
         {"dd"}},
        /* The weight, not the number of lines, says what counts. */
        {"vocabulary: 258\nspecials: []\nsources:\n"
         "  - {path: captions.jsonl, format: captions, languages: [en], weight: 1}\n"
         "  - {path: captions.jsonl, format: captions, languages: [fr], weight: 9}\n",
         {"qz", "xy"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_bpe *bpe = trained(rows[i].recipe);
        for (size_t j = 0; j < 3 && rows[i].tokens[j]; j++) {
            size_t bytes;
            const char *text = vl_bpe_token_bytes(bpe, (int32_t)(256 + j), &bytes);
            assert_non_null(text);
            assert_int_equal(bytes, strlen(rows[i].tokens[j]));
            assert_memory_equal(text, rows[i].tokens[j], bytes);
        }
        vl_bpe_free(bpe);
    }
}

/* Sennrich et al.'s algorithm 1 as it stands there: every pair is counted again for every
 * merge. Words of one.gz, one an item, ids 0 … 255 the bytes. */
enum { SLOW_WORDS = 4000, SLOW_LENGTH = 16, SLOW_IDS = 320 };
static struct {
    int32_t ids[SLOW_WORDS][SLOW_LENGTH];
    size_t lengths[SLOW_WORDS], count;
    uint32_t pairs[SLOW_IDS][SLOW_IDS];
} slow;

static bool slow_line_held(const char *text) {
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return (hash ^ (hash >> 16)) % 10 == 0;
}

static void slow_read(void) {
    char line[256];
    gzFile file = gzopen(in_folder("one.gz", 0), "rb");
    while (gzgets(file, line, sizeof line)) {
        line[strcspn(line, "\n")] = '\0';
        for (size_t at = 0, step, n = strlen(line); at < n && !slow_line_held(line);
             at += step) {
            step = vl_bpe_word(line + at, n - at);
            assert_true(slow.count < SLOW_WORDS && step <= SLOW_LENGTH);
            for (size_t i = 0; i < step; i++)
                slow.ids[slow.count][i] = (uint8_t)line[at + i];
            slow.lengths[slow.count++] = step;
        }
    }
    gzclose(file);
}

static void slow_merge(int32_t token, int32_t *left, int32_t *right) {
    memset(slow.pairs, 0, sizeof slow.pairs);
    for (size_t w = 0; w < slow.count; w++)
        for (size_t i = 0; i + 1 < slow.lengths[w]; i++)
            slow.pairs[slow.ids[w][i]][slow.ids[w][i + 1]]++;
    *left = *right = 0;
    for (int32_t a = 0; a < token; a++)
        for (int32_t b = 0; b < token; b++)
            if (slow.pairs[a][b] > slow.pairs[*left][*right]) {
                *left = a;
                *right = b;
            }
    for (size_t w = 0; w < slow.count; w++) {
        int32_t *ids = slow.ids[w];
        for (size_t i = 0; i + 1 < slow.lengths[w]; i++)
            if (ids[i] == *left && ids[i + 1] == *right) {
                ids[i] = token;
                slow.lengths[w]--;
                memmove(ids + i + 1, ids + i + 2, (slow.lengths[w] - i - 1) * sizeof *ids);
            }
    }
}

static void test_against_slow_trainer(void **state) {
    vl_buf file;
    (void)state;
    vl_bpe *bpe = trained("vocabulary: 300\nspecials: []\nsources:\n"
                          "  - {path: one.gz, format: text, languages: [one], weight: 1}\n");
    vl_buf_init(&file, 1 << 16);
    vl_bpe_serialize(bpe, &file);
    const char *line = strchr(strstr(file.data, "merges "), '\n') + 1;
    slow_read();
    for (int32_t token = 256; token < 300; token++) {
        int32_t left, right, l, r;
        slow_merge(token, &left, &right);
        assert_int_equal(sscanf(line, "%d %d", &l, &r), 2);
        assert_int_equal(l, left);
        assert_int_equal(r, right);
        line = strchr(line, '\n') + 1;
    }
    vl_buf_deinit(&file);
    vl_bpe_free(bpe);
}

static void count_calls(size_t tokens, size_t vocabulary, void *user) {
    assert_true(tokens <= vocabulary);
    ++*(int *)user;
}

#define TWO                                                                                    \
    "  - {path: one.gz, format: text, languages: [aa], weight: 1}\n"                           \
    "  - {path: two.gz, format: text, languages: [bb], weight: 2}\n"

static void test_same_again(void **state) {
    static const char recipe[] =
        "vocabulary: 560\nspecials: [<pad>, <eos>]\nsources:\n" TWO "held:\n"
        "  - {path: captions.jsonl, format: captions, languages: [en, fr]}\n";
    vl_error error;
    vl_buf first, again;
    int calls = 0;
    (void)state;
    vl_bpe *bpe = trained(recipe);
    assert_int_equal(vl_bpe_special(bpe, "<eos>"), 1);
    vl_bpe_training training = {.recipe = in_folder("recipe.yaml", 2),
                                .data_dir = folder,
                                .progress = count_calls,
                                .user = &calls};
    assert_int_equal(vl_bpe_train(&training, in_folder("again.bpe", 3), &error), VL_OK);
    assert_int_equal(calls, 1);
    vl_buf_init(&first, 1 << 20);
    vl_buf_init(&again, 1 << 20);
    vl_bpe_serialize(bpe, &first);
    assert_int_equal(vl_file_read(in_folder("again.bpe", 3), 1 << 20, &again, &error), VL_OK);
    assert_int_equal(first.len, again.len);
    assert_memory_equal(first.data, again.data, first.len);
    vl_buf_deinit(&first);
    vl_buf_deinit(&again);

    static const char *const labels[] = {"en captions", "fr captions", "aa text", "bb text"};
    vl_bpe_score scores[4];
    size_t count;
    assert_int_equal(vl_bpe_evaluate(&training, bpe, scores, 4, &count, &error), VL_OK);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(scores[i].label, labels[i]);
    assert_int_equal(scores[0].lines, 3);
    assert_int_equal(scores[0].bytes, 10);
    assert_int_equal(scores[0].words, 3);
    for (size_t i = 2; i < 4; i++) { /* lines it has not seen, of syllables that it has */
        assert_in_range(scores[i].lines, 30, 100);
        assert_int_equal(scores[i].words, scores[i].lines * 5);
        assert_true(scores[i].tokens * 2 < scores[i].bytes);
    }
    assert_int_equal(vl_bpe_evaluate(&training, bpe, scores, 3, &count, &error), VL_ERR_LIMIT);
    vl_bpe_free(bpe);
}

/* ---- recipes -------------------------------------------------------------------------- */

#define CAPTIONS "{path: captions.jsonl, format: captions, languages: [en], weight: 1}"
#define RECIPE(sources) "vocabulary: 257\nspecials: [<pad>]\nsources:\n" sources

static void test_recipes_refused(void **state) {
    static const refused rows[] = {
        {"sources: [", VL_ERR_INPUT, "recipe.yaml:2"},
        {"just words", VL_ERR_INPUT, "a mapping is needed"},
        {"vocabulary: 257\n", VL_ERR_INPUT, "'specials' must be"},
        {"vocabulary: 257\nspecials: [<pad>]\n", VL_ERR_INPUT, "needs 'sources'"},
        {"vocabulary: many\n", VL_ERR_INPUT, "recipe.yaml:1: vocabulary: a number from"},
        {"vocabulary: 65537\n", VL_ERR_INPUT, "vocabulary: a number from"},
        {"vocabluary: 300\n", VL_ERR_INPUT, "did you mean 'vocabulary'?"},
        {"vocabulary: 300\nvocabulary: 300\n", VL_ERR_INPUT, ":2: given twice: vocabulary"},
        {"vocabulary: 257\nspecials: [a, b]\nsources: [" CAPTIONS "]\n", VL_ERR_INPUT,
         "2 specials and 256 bytes"},
        {"vocabulary: 300\nspecials: [a, a]\nsources: [" CAPTIONS "]\n", VL_ERR_INPUT,
         "'a' is there twice"},
        {"vocabulary: 300\nspecials: [a b]\nsources: [" CAPTIONS "]\n", VL_ERR_INPUT,
         "without spaces"},
        {RECIPE("  []\n"), VL_ERR_INPUT, "a list of 1 to"},
        {RECIPE("  - one.gz\n"), VL_ERR_INPUT, ":4: a mapping is needed"},
        {RECIPE("  - {format: text}\n"), VL_ERR_INPUT, "'path' must be a name"},
        {RECIPE("  - {path: one.gz, format: words}\n"), VL_ERR_INPUT,
         "'format' must be one of"},
        {RECIPE("  - {path: one.gz, format: text, wieght: 1}\n"), VL_ERR_INPUT,
         "did you mean 'weight'?"},
        {RECIPE("  - {path: one.gz, format: text, languages: [a, b], weight: 1}\n"),
         VL_ERR_INPUT, "text are of one language"},
        {RECIPE("  - {path: one.gz, format: text, languages: [a], weight: 0}\n"), VL_ERR_INPUT,
         "weight: a number from"},
        {RECIPE("  - {path: one.gz, format: text, languages: [a]}\n"), VL_ERR_INPUT,
         "weight: a number from"},
        {RECIPE("  - {path: one.gz, format: tsv, languages: [a], weight: 1}\n"), VL_ERR_INPUT,
         "'column' goes with the format tsv"},
        {RECIPE("  - {path: a, format: text, column: 2, languages: [a], weight: 1}\n"),
         VL_ERR_INPUT, "'column' goes with the format tsv"},
        {RECIPE("  - {path: a, format: text, split: dev, languages: [a], weight: 1}\n"),
         VL_ERR_INPUT, "'split' goes with"},
        {RECIPE("  - " CAPTIONS "\nheld:\n  - " CAPTIONS "\n"), VL_ERR_INPUT,
         "unknown key 'weight'"},
        {"vocabulary: 300\nspecials: []\nsources:\n"
         "  - {path: none.gz, format: text, languages: [a], weight: 1}\n",
         VL_ERR_MISSING, "none.gz"},
        {"vocabulary: 300\nspecials: []\nsources:\n"
         "  - {path: empty.txt, format: text, languages: [a], weight: 1}\n",
         VL_ERR_MISSING, "empty.txt"},
        {"vocabulary: 300\nspecials: []\nsources:\n"
         "  - {path: captions.jsonl, format: captions, languages: [es], weight: 1}\n",
         VL_ERR_MISSING, "no text"},
        {"vocabulary: 300\nspecials: []\nsources:\n"
         "  - {path: broken.jsonl, format: captions, languages: [en], weight: 1}\n",
         VL_ERR_INPUT, "broken.jsonl:2: not a line of JSON"},
        {"vocabulary: 300\nspecials: []\nsources: [" CAPTIONS "]\n", VL_ERR_INPUT,
         "too short for 300 tokens: it makes 259"},
    };
    (void)state;
    check_refused(rows, sizeof rows / sizeof *rows, train);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_against_slow_trainer),
        cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_recipes_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
