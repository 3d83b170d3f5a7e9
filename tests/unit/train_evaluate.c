/* Tests of the evaluation: scores of known texts, vectors and labels; baselines on data whose
 * answer is known; fits that recover what the data was made with; and a small seer of random
 * weights asked about pictures made here, broken and missing ones among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "train/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vislang/media.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static char folder[] = "/tmp/vislang-evaluate-XXXXXX";
static char model_path[300];

/* ---- files ------------------------------------------------------------------------------- */

static const char *in_folder(const char *name) {
    static char paths[16][300];
    static size_t slot;
    char *path = paths[slot++ % COUNT(paths)];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text) {
    assert_int_equal(vl_file_write(in_folder(name), text, strlen(text), NULL), VL_OK);
}

static vl_image *plain_picture(uint8_t r, uint8_t g, uint8_t b) {
    vl_image *image;
    assert_int_equal(vl_image_new(40, 30, 3, &image, NULL), VL_OK);
    for (size_t y = 0; y < image->height; y++)
        for (size_t x = 0; x < image->width; x++) {
            uint8_t *p = image->pixels + y * image->stride + x * 3;
            p[0] = (uint8_t)(r + x % 5);
            p[1] = (uint8_t)(g + y % 5);
            p[2] = b;
        }
    return image;
}

static void encode_picture(uint8_t r, uint8_t g, uint8_t b, vl_buf *bytes) {
    vl_image *image = plain_picture(r, g, b);
    vl_buf_init(bytes, 1 << 20);
    assert_int_equal(vl_image_encode_png(image, bytes, NULL), VL_OK);
    vl_image_free(image);
}

static void write_picture(const char *name, uint8_t r, uint8_t g, uint8_t b) {
    vl_buf bytes;
    encode_picture(r, g, b, &bytes);
    assert_int_equal(vl_file_write(in_folder(name), bytes.data, bytes.len, NULL), VL_OK);
    vl_buf_deinit(&bytes);
}

static void make_folder(const char *name) {
    assert_int_equal(vl_dir_make(in_folder(name), NULL), VL_OK);
}

/* A seer of random weights that writes English and French. */
static void write_model(const char *path) {
    vl_error error;
    vl_seer_config config = {.picture = 32,
                             .widths = {32, 32, 64},
                             .blocks = {1, 1},
                             .kernel = 3,
                             .layers = 1,
                             .heads = 2,
                             .grid = 2,
                             .vocabulary = 8192,
                             .max_text = 40,
                             .text_layers = 1,
                             .mixed_layers = 1,
                             .text_heads = 2,
                             .vector = 32,
                             .head_count = 2};
    strcpy(config.label_heads[0].name, "scene");
    vl_seer_head_add(&config.label_heads[0], "fire");
    vl_seer_head_add(&config.label_heads[0], "flood");
    vl_seer_head_add(&config.label_heads[0], "ordinary");
    strcpy(config.label_heads[1].name, "orientation");
    vl_seer_head_add(&config.label_heads[1], "0");
    vl_seer_head_add(&config.label_heads[1], "90");
    vl_params *params = vl_params_new();
    vl_seer_net *net;
    vl_bpe *bpe;
    assert_int_equal(vl_seer_net_new(&config, params, &net, &error), VL_OK);
    assert_int_equal(vl_params_allocate(params, 7, &error), VL_OK);
    assert_int_equal(vl_bpe_open(NULL, &bpe, &error), VL_OK);
    vl_seer_facts *facts = malloc(sizeof *facts);
    *facts = vl_seer_facts_default();
    strcpy(facts->languages[facts->language_count++], "fr");
    assert_int_equal(vl_seer_write(path, net, params, bpe, facts, VL_F16, &error), VL_OK);
    free(facts);
    vl_bpe_free(bpe);
    vl_seer_net_free(net);
    vl_params_free(params);
}

/* set/part: four pictures that can be seen, one broken, one missing; set/statements.jsonl. */
static void write_set(void) {
    make_folder("set");
    make_folder("set/part");
    write_picture("set/part/a.png", 200, 10, 10);
    write_picture("set/part/b.png", 10, 200, 10);
    write_picture("set/part/c.png", 10, 10, 200);
    write_picture("set/part/d.png", 90, 90, 90);
    write_picture("set/part/e.png", 50, 90, 10);
    write_text("set/part/broken.png", "no picture at all");
    write_text(
        "set/part/metadata.jsonl",
        "{\"file_name\": \"a.png\", \"captions\": {\"fr\": [\"Un feu .\"], "
        "\"en\": [\"A fire burns .\", \"A big fire .\"]}, \"labels\": {\"scene\": \"fire\"}}\n"
        "{\"file_name\": \"b.png\", \"captions\": {\"en\": [\"Grass .\"], \"de\": [\"Gras "
        ".\"]}, "
        "\"labels\": {\"scene\": \"ordinary\", \"orientation\": 90}, \"aerial\": true}\n"
        "\n"
        "{\"file_name\": \"c.png\", \"captions\": {\"en\": [\"Water everywhere .\"]}, "
        "\"labels\": {\"scene\": \"flood\"}, \"aerial\": true}\n"
        "{\"file_name\": \"broken.png\", \"captions\": {\"en\": [\"Never seen .\"]}}\n"
        "{\"file_name\": \"gone.png\", \"captions\": {\"en\": [\"Not there .\"]}}\n"
        "{\"file_name\": \"d.png\", \"qa\": [{\"question\": \"what is it?\", \"answer\": "
        "[\"desk\", \"chair\"]}, {\"question\": \"what colour?\", \"answer\": \"grey\"}]}\n");
    write_text("set/statements.jsonl",
               "{\"file_name\": \"c.png\", \"split\": \"part\", \"statements\": "
               "[{\"statement\": \"It is dry .\", \"true\": false}]}\n"
               "{\"file_name\": \"e.png\", \"split\": \"part\", \"statements\": "
               "[{\"statement\": \"It is green .\", \"true\": true}, {\"statement\": \"It is "
               "pink .\", \"true\": false}]}\n"
               "{\"file_name\": \"z.png\", \"split\": \"train\", \"statements\": "
               "[{\"statement\": \"Never asked .\", \"true\": true}]}\n");
}

static int setup(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    vl_log_set_level(VL_LOG_ERROR);
    snprintf(model_path, sizeof model_path, "%s/model.gguf", folder);
    write_model(model_path);
    write_set();
    return 0;
}

static int teardown(void **state) {
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command) ? -1 : 0;
}

/* ---- answers ----------------------------------------------------------------------------- */

static void test_answers(void **state) {
    (void)state;
    static const struct {
        const char *answers[4], *said;
        bool exact, plain;
    } rows[] = {
        {{"desk"}, "desk", true, true},
        {{"desk"}, "the Desk.", true, false},
        {{"2"}, "two", true, false},
        {{"desk"}, "desks", false, false},
        {{"desk"}, "", false, false},
        {{"desk"}, NULL, false, false},
        {{"the"}, "a", false, false}, /* nothing is left of either */
        {{"book", "lamp"}, "book, lamp", true, true},
        {{"book", "lamp"}, "lamp, book", true, false},
        {{"book", "lamp"}, "lamp,book", true, false},
        {{"book", "lamp"}, "book", false, false},
        {{"book", "lamp"}, "book, lamp, chair", false, false},
        {{"book", "lamp"}, "book, book", false, false},
        {{"book", "lamp"}, "book, book, lamp", false, false},
        {{"tape dispenser", "a book"}, "Book, tape dispenser", true, false},
        {{"1,000"}, "1000", true, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *answers[4];
        eval_question question = {.answers = answers};
        for (; question.answer_count < 4 && rows[i].answers[question.answer_count];
             question.answer_count++)
            answers[question.answer_count] = rows[i].answers[question.answer_count];
        bool exact, plain;
        assert_int_equal(eval_answer_right(&question, rows[i].said, &exact, &plain, NULL),
                         VL_OK);
        if (exact != rows[i].exact || plain != rows[i].plain)
            fail_msg("row %zu: \"%s\" is %s and %s", i, rows[i].said ? rows[i].said : "(none)",
                     exact ? "exact" : "not exact", plain ? "plain" : "not plain");
    }
}

/* ---- scores of what is known ------------------------------------------------------------- */

static double number(const cJSON *root, const char *a, const char *b, const char *c) {
    const cJSON *at = root;
    const char *names[] = {a, b, c};
    for (size_t i = 0; i < 3 && names[i]; i++)
        at = cJSON_GetObjectItem(at, names[i]);
    return cJSON_IsNumber(at) ? at->valuedouble : NAN;
}

static void check(double value, double expected) {
    if (!(fabs(value - expected) < 1e-9))
        fail_msg("%.12g is not %.12g", value, expected);
}

/* Pictures lie on two axes. English: the first finds its picture, the second is as near to
 * both, the third was refused. French is asked on its own. */
static void test_retrieval(void **state) {
    (void)state;
    float x[] = {1, 0}, y[] = {0, 1}, between[] = {0.7f, 0.7f};
    eval_caption first[] = {{"en", "a", x}, {"en", "b", between}, {"fr", "c", y}};
    eval_caption second[] = {{"en", "d", NULL}};
    eval_item items[] = {
        {.name = "1", .captions = first, .caption_count = 3, .chosen = true, .vector = x},
        {.name = "2", .captions = second, .caption_count = 1, .chosen = true, .vector = y},
        {.name = "3", .captions = second, .caption_count = 1, .chosen = true, .broken = true},
    };
    eval_data data = {.items = items, .count = 3};
    cJSON *scores;
    assert_int_equal(eval_score_retrieval(&data, "en", 2, &scores, NULL), VL_OK);
    check(number(scores, "r1", NULL, NULL), 1.0 / 3);
    check(number(scores, "r5", NULL, NULL), 1);
    check(number(scores, "n", NULL, NULL), 3);
    check(number(scores, "pictures", NULL, NULL), 2);
    check(number(scores, "picture_to_text", "n", NULL), 2);
    check(number(scores, "picture_to_text", "r1", NULL), 0.5);
    cJSON_Delete(scores);
    assert_int_equal(eval_score_retrieval(&data, "fr", 2, &scores, NULL), VL_OK);
    check(number(scores, "r1", NULL, NULL), 0);
    check(number(scores, "n", NULL, NULL), 1);
    check(number(scores, "picture_to_text", "n", NULL), 1);
    check(number(scores, "picture_to_text", "r1", NULL), 1);
    cJSON_Delete(scores);
    assert_int_equal(eval_score_retrieval(&data, "de", 2, &scores, NULL), VL_OK);
    assert_null(scores);
}

static void test_statements(void **state) {
    (void)state;
    eval_statement all[] = {{"right", true, 0.9}, {"wrong", true, 0.2}, {"right", false, 0.1},
                            {"even", true, 0.5},  {"even", false, 0.5}, {"none", true, NAN},
                            {"none", false, NAN}, {"wrong", false, 0.7}};
    eval_item item = {.statements = all, .statement_count = COUNT(all), .chosen = true};
    eval_data data = {.items = &item, .count = 1};
    cJSON *scores = eval_score_statements(&data);
    check(number(scores, "accuracy", NULL, NULL), 2.0 / 8);
    check(number(scores, "n", NULL, NULL), 8);
    cJSON_Delete(scores);
    item.chosen = false;
    assert_null(eval_score_statements(&data));
}

/* fire: 2 of 3 found, both right; flood: none; ordinary: 1 found, 1 of 3 right; map: only said.
 */
static void test_labels(void **state) {
    (void)state;
    static const eval_answered all[] = {
        {"fire", "fire", 1, false, false},          {"fire", "fire", 1, false, false},
        {"fire", "ordinary", 1, false, false},      {"flood", "ordinary", 1, true, true},
        {"ordinary", "ordinary", 0.5f, true, true}, {"ordinary", "map", 0.5f, true, true},
        {"ordinary", "map", 1, true, false},
    };
    cJSON *scores;
    assert_int_equal(eval_score_labels(all, COUNT(all), &scores, NULL), VL_OK);
    double fire = 2 * 2.0 / 5, ordinary = 2 * 1.0 / 6;
    check(number(scores, "macro_f1", NULL, NULL), (fire + ordinary) / 4);
    check(number(scores, "accuracy", NULL, NULL), 3.0 / 7);
    check(number(scores, "n", NULL, NULL), 7);
    /* Five sure ones of which two are right, two at one half of which one is. */
    check(number(scores, "ece", NULL, NULL), 3.0 / 7);
    check(number(scores, "per_class", "fire", "precision"), 1);
    check(number(scores, "per_class", "fire", "recall"), 2.0 / 3);
    check(number(scores, "per_class", "map", "f1"), 0);
    check(number(scores, "per_class", "ordinary", "n"), 3);
    check(number(scores, "aerial_false_alarms", NULL, NULL), 0.5);
    check(number(scores, "aerial_n", NULL, NULL), 2);
    cJSON_Delete(scores);
}

/* ---- fits -------------------------------------------------------------------------------- */

static double uniform(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / 9007199254740992.0;
}

static void test_platt(void **state) {
    (void)state;
    enum { N = 20000 };
    static double scores[N];
    static bool right[N];
    uint64_t random = 5;
    for (size_t i = 0; i < N; i++) {
        scores[i] = 6 * uniform(&random) - 4;
        right[i] = uniform(&random) < 1 / (1 + exp(-(1.5 * scores[i] + 0.7)));
    }
    vl_calibration fitted;
    assert_true(eval_fit_platt(scores, right, N, &fitted));
    assert_true(fabs(fitted.slope - 1.5) < 0.08 && fabs(fitted.offset - 0.7) < 0.08);
    check(fitted.threshold, 0.5);
    for (size_t i = 0; i < N; i++) /* the opposite of what the score says */
        right[i] = !right[i];
    assert_true(eval_fit_platt(scores, right, N, &fitted));
    assert_true(fitted.slope > 0 && fitted.slope < 1e-3);
    for (size_t i = 0; i < 100; i++) { /* told apart without a fault: still finite */
        scores[i] = (double)i;
        right[i] = i >= 50;
    }
    assert_true(eval_fit_platt(scores, right, 100, &fitted));
    assert_true(isfinite(fitted.slope) && isfinite(fitted.offset) && fitted.slope > 0);
    memset(right, 1, sizeof right);
    assert_false(eval_fit_platt(scores, right, N, &fitted));
}

/* Labels drawn from softmax(z); given logits of 2.5 z, the temperature is 2.5. */
static void test_temperature(void **state) {
    (void)state;
    enum { N = 20000, CLASSES = 4 };
    static double logits[N * CLASSES];
    static size_t truth[N];
    uint64_t random = 9;
    for (size_t i = 0; i < N; i++) {
        double z[CLASSES], sum = 0, at;
        for (size_t c = 0; c < CLASSES; c++)
            sum += exp(z[c] = 4 * uniform(&random) - 2);
        at = uniform(&random) * sum;
        for (truth[i] = 0; truth[i] + 1 < CLASSES && (at -= exp(z[truth[i]])) >= 0; truth[i]++)
            ;
        for (size_t c = 0; c < CLASSES; c++)
            logits[i * CLASSES + c] = 2.5 * z[c];
    }
    double best = eval_fit_temperature(logits, truth, N, CLASSES);
    assert_true(fabs(best - 2.5) < 0.1);
    double loss = eval_temperature_loss(logits, truth, N, CLASSES, best);
    assert_true(loss < eval_temperature_loss(logits, truth, N, CLASSES, best * 1.05));
    assert_true(loss < eval_temperature_loss(logits, truth, N, CLASSES, best / 1.05));
}

/* ---- the whole of it --------------------------------------------------------------------- */

static vl_status evaluate(vl_seer_evaluation how, const char *path, cJSON **out,
                          vl_error *error) {
    const char *paths[] = {path};
    vl_buf json;
    vl_buf_init(&json, 1 << 20);
    if (!how.path_count) {
        how.paths = paths;
        how.path_count = 1;
    }
    if (!how.model)
        how.model = model_path;
    vl_status status = vl_seer_evaluate(&how, &json, error);
    *out = status ? NULL : cJSON_Parse(json.data);
    assert_true(status || *out);
    vl_buf_deinit(&json);
    return status;
}

static void test_counts(void **state) {
    (void)state;
    vl_error error;
    cJSON *out;
    if (evaluate((vl_seer_evaluation){.threads = 2}, in_folder("set/part"), &out, &error))
        fail_msg("%s", error.message);
    assert_string_equal(cJSON_GetObjectItem(out, "model")->valuestring, "seer");
    assert_string_equal(cJSON_GetObjectItem(out, "format")->valuestring, "f16");
    static const struct {
        const char *a, *b, *c;
        double value;
    } rows[] = {
        {"pictures", NULL, NULL, 5},
        {"missing", NULL, NULL, 1},
        {"broken", NULL, NULL, 1},
        {"caption", "n", NULL, 3},
        {"retrieval", "n", NULL, 4},
        {"retrieval", "pictures", NULL, 3},
        {"retrieval", "r5", NULL, 1}, /* of three pictures */
        {"retrieval", "picture_to_text", "n", 3},
        {"vqa", "n", NULL, 2},
        {"statements", "n", NULL, 3},
        {"scene", "n", NULL, 3},
        {"scene", "aerial_n", NULL, 1},
        {"orientation", "n", NULL, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (number(out, rows[i].a, rows[i].b, rows[i].c) != rows[i].value)
            fail_msg("%s %s %s is %g, not %g", rows[i].a, rows[i].b ? rows[i].b : "",
                     rows[i].c ? rows[i].c : "", number(out, rows[i].a, rows[i].b, rows[i].c),
                     rows[i].value);
    const cJSON *caption = cJSON_GetObjectItem(out, "caption");
    const cJSON *languages = cJSON_GetObjectItem(caption, "by_language");
    check(number(languages, "en", "n", NULL), 3);
    check(number(languages, "fr", "n", NULL), 1);
    assert_null(cJSON_GetObjectItem(languages, "de")); /* the model does not write it */
    assert_string_equal(
        cJSON_GetArrayItem(cJSON_GetObjectItem(caption, "not_written"), 0)->valuestring, "de");
    check(number(cJSON_GetObjectItem(out, "retrieval"), "by_language", "de", "n"), 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(out, "skipped")), 2);
    cJSON_Delete(out);
}

static void test_details(void **state) {
    (void)state;
    vl_error error;
    vl_buf text;
    cJSON *out;
    vl_seer_evaluation how = {.details = in_folder("details.jsonl")};
    assert_int_equal(evaluate(how, in_folder("set/part"), &out, &error), VL_OK);
    cJSON_Delete(out);
    vl_buf_init(&text, 1 << 20);
    assert_int_equal(vl_file_read(how.details, 1 << 20, &text, &error), VL_OK);
    size_t lines = 0;
    char *next = NULL;
    for (char *line = strtok_r(text.data, "\n", &next); line;
         line = strtok_r(NULL, "\n", &next)) {
        static const char *const names[] = {"a.png", "b.png", "c.png", "d.png", "e.png"};
        cJSON *one = cJSON_Parse(line);
        assert_true(lines < COUNT(names));
        assert_string_equal(cJSON_GetObjectItem(one, "file_name")->valuestring, names[lines]);
        if (lines == 0) {
            const cJSON *written = cJSON_GetObjectItem(one, "written");
            assert_non_null(cJSON_GetObjectItem(cJSON_GetObjectItem(written, "fr"), "text"));
            const cJSON *captions = cJSON_GetObjectItem(one, "captions");
            assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(captions, "en")), 2);
        }
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(one, "qa")),
                         lines == 3 ? 2 : 0);
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(one, "statements")),
                         lines == 4 ? 2 : lines == 2);
        cJSON_Delete(one);
        lines++;
    }
    assert_int_equal(lines, 5);
    vl_buf_deinit(&text);
}

static void test_same_on_any_threads(void **state) {
    (void)state;
    vl_error error;
    vl_buf one, four;
    vl_buf_init(&one, 1 << 20);
    vl_buf_init(&four, 1 << 20);
    const char *path = in_folder("set/part");
    vl_seer_evaluation how = {
        .paths = &path, .path_count = 1, .model = model_path, .threads = 1};
    assert_int_equal(vl_seer_evaluate(&how, &one, &error), VL_OK);
    how.threads = 4;
    assert_int_equal(vl_seer_evaluate(&how, &four, &error), VL_OK);
    assert_string_equal(one.data, four.data);
    vl_buf_deinit(&one);
    vl_buf_deinit(&four);
}

static void test_tasks_and_limits(void **state) {
    (void)state;
    vl_error error;
    cJSON *out;
    vl_seer_evaluation how = {.tasks = VL_EVAL_STATEMENTS, .threads = 1, .limit = 1};
    assert_int_equal(evaluate(how, in_folder("set/part"), &out, &error), VL_OK);
    check(number(out, "pictures", NULL, NULL), 1); /* the first that has statements */
    check(number(out, "statements", "n", NULL), 1);
    assert_null(cJSON_GetObjectItem(out, "caption"));
    cJSON_Delete(out);
    how = (vl_seer_evaluation){.tasks = VL_EVAL_SCENE, .threads = 1};
    assert_int_equal(evaluate(how, in_folder("set/part"), &out, &error), VL_OK);
    assert_non_null(cJSON_GetObjectItem(out, "scene"));
    assert_null(cJSON_GetObjectItem(out, "orientation"));
    cJSON_Delete(out);
    assert_int_equal(vl_eval_task("vqa", NULL), VL_EVAL_VQA);
    assert_int_equal(vl_eval_task("captions", &error), 0);
    assert_non_null(strstr(error.message, "did you mean 'caption'"));
}

/* statements.jsonl itself: pictures lie in the folders its splits name. */
static void test_layouts(void **state) {
    (void)state;
    vl_error error;
    eval_data data;
    const char *path = in_folder("set/statements.jsonl");
    assert_int_equal(eval_data_open(&data, &path, 1, &error), VL_OK);
    assert_int_equal(data.count, 2);
    assert_int_equal(data.missing, 1);
    assert_int_equal(data.items[1].statement_count, 2);
    eval_data_deinit(&data);

    make_folder("crisis");
    make_folder("crisis/x");
    write_picture("crisis/x/a.png", 1, 2, 3);
    static const struct {
        const char *line, *scene;
        bool aerial_known, aerial;
    } rows[] = {
        {"\"label\": \"fire\"", "fire", true, false},
        {"\"label\": \"flood\"", "flood", true, true},
        {"\"label\": \"storm_damage_satellite\"", "storm_damage", true, true},
        {"\"label\": \"no_damage_satellite\"", "ordinary", true, true},
        {"\"label\": \"forest_no_fire\"", "ordinary", true, false},
        {"\"label\": \"landslide\"", "landslide", false, false},
        {"\"label\": \"fire\", \"aerial\": true", "fire", true, true},
        {"\"label\": \"fire\", \"labels\": {\"scene\": \"flood\"}", "flood", true, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char line[256];
        snprintf(line, sizeof line, "{\"file_name\": \"x/a.png\", %s}\n", rows[i].line);
        write_text("crisis/metadata.jsonl", line);
        path = in_folder("crisis");
        assert_int_equal(eval_data_open(&data, &path, 1, &error), VL_OK);
        assert_int_equal(data.count, 1);
        assert_string_equal(eval_label_of(&data.items[0], "scene")->truth, rows[i].scene);
        assert_int_equal(data.items[0].aerial_known, rows[i].aerial_known);
        assert_int_equal(data.items[0].aerial, rows[i].aerial);
        eval_data_deinit(&data);
    }
}

static void add_member(vl_buf *tar, const char *name, const void *bytes, size_t count) {
    char header[512] = {0};
    static const char zeros[512];
    unsigned sum = 0;
    snprintf(header, 100, "%s", name);
    snprintf(header + 124, 12, "%011o", (unsigned)count);
    memset(header + 148, ' ', 8);
    header[156] = '0';
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    vl_buf_append(tar, header, sizeof header);
    vl_buf_append(tar, bytes, count);
    vl_buf_append(tar, zeros, (512 - count % 512) % 512);
}

static void test_tars(void **state) {
    (void)state;
    static const char known[] =
        "{\"captions\": {\"en\": [\"Red .\"]}, \"labels\": {\"scene\": \"fire\"}, \"qa\": "
        "[{\"question\": \"what?\", \"answer\": [\"a cup\", \"tea\"]}]}";
    vl_buf picture, tar;
    encode_picture(200, 0, 0, &picture);
    vl_buf_init(&tar, 1 << 20);
    add_member(&tar, "one.png", picture.data, picture.len);
    add_member(&tar, "one.json", known, strlen(known));
    add_member(&tar, "two.json", known, strlen(known)); /* no picture */
    vl_buf_append(&tar, (char[1024]){0}, 1024);
    make_folder("tars");
    assert_int_equal(vl_file_write(in_folder("tars/s-0.tar"), tar.data, tar.len, NULL), VL_OK);
    const char *paths[] = {in_folder("tars"), in_folder("tars/s-0.tar"), in_folder("set/part")};
    vl_error error;
    eval_data data;
    assert_int_equal(eval_data_open(&data, paths, 2, &error), VL_OK);
    assert_int_equal(data.count, 2);
    assert_int_equal(data.missing, 2);
    assert_int_equal(data.items[0].questions[0].answer_count, 2);
    assert_string_equal(data.items[0].questions[0].answers[1], "tea");
    eval_data_deinit(&data);
    cJSON *out;
    vl_seer_evaluation how = {.paths = paths, .path_count = 3, .model = model_path};
    assert_int_equal(evaluate(how, NULL, &out, &error), VL_OK);
    check(number(out, "caption", "n", NULL), 5);
    check(number(out, "vqa", "n", NULL), 4);
    cJSON_Delete(out);
    vl_buf_deinit(&picture);
    vl_buf_deinit(&tar);
}

static void test_refusals(void **state) {
    (void)state;
    make_folder("empty");
    make_folder("bad");
    make_folder("unseen");
    make_folder("dumb");
    write_picture("dumb/a.png", 5, 5, 5);
    write_text("dumb/metadata.jsonl", "{\"file_name\": \"a.png\"}\n");
    write_picture("bad/a.png", 5, 5, 5);
    write_text("bad/metadata.jsonl", "{\"file_name\": \"a.png\"}\n{\"file_name\": \n");
    write_text("unseen/a.png", "nothing");
    write_text("unseen/metadata.jsonl",
               "{\"file_name\": \"a.png\", \"captions\": {\"en\": [\"A .\"]}}\n");
    write_text("away.jsonl", "{\"file_name\": \"../model.gguf\", \"captions\": {}}\n");
    const struct {
        const char *path;
        unsigned tasks;
        const char *model;
        vl_status status;
        const char *says;
    } rows[] = {
        {in_folder("nowhere"), 0, NULL, VL_ERR_MISSING, "nowhere"},
        {in_folder("empty"), 0, NULL, VL_ERR_MISSING, "no metadata.jsonl"},
        {in_folder("bad"), 0, NULL, VL_ERR_INPUT, "metadata.jsonl:2"},
        {in_folder("away.jsonl"), 0, NULL, VL_ERR_INPUT, "leaves the folder"},
        {in_folder("unseen"), 0, NULL, VL_ERR_INPUT, "none of its 1 pictures"},
        {in_folder("dumb"), 0, NULL, VL_ERR_MISSING, "no captions, qa, statements or labels"},
        {in_folder("unseen"), VL_EVAL_VQA, NULL, VL_ERR_MISSING, "\"qa\""},
        {in_folder("set/part"), 0, in_folder("none.gguf"), VL_ERR_MISSING, "none.gguf"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        vl_error error;
        cJSON *out;
        vl_seer_evaluation how = {.tasks = rows[i].tasks, .model = rows[i].model};
        vl_status status = evaluate(how, rows[i].path, &out, &error);
        if (status != rows[i].status || !strstr(error.message, rows[i].says))
            fail_msg("row %zu: %s: %s", i, vl_status_name(status),
                     status ? error.message : "scored");
    }
}

/* ---- baselines --------------------------------------------------------------------------- */

static void write_colours(const char *name, unsigned seed) {
    char line[256], path[64];
    vl_buf metadata;
    vl_buf_init(&metadata, 1 << 16);
    make_folder(name);
    for (unsigned i = 0; i < 12; i++) {
        uint8_t shade = (uint8_t)((i * 37 + seed * 11) % 100);
        bool fire = i % 3 == 0;
        snprintf(path, sizeof path, "%s/%u.png", name, i);
        write_picture(path, fire ? (uint8_t)(150 + shade) : shade, 20,
                      fire ? shade : (uint8_t)(150 + shade));
        snprintf(line, sizeof line,
                 "{\"file_name\": \"%u.png\", \"labels\": {\"scene\": \"%s\"}, \"captions\": "
                 "{\"en\": [\"%s\"]}, \"qa\": [{\"question\": \"%s\", \"answer\": [\"%s\"]}], "
                 "\"statements\": [{\"statement\": \"So .\", \"true\": %s}]}\n",
                 i, fire ? "fire" : "flood", fire ? "Fire ." : "the  Water !",
                 fire ? "What colour is it?" : "how many are there?", fire ? "red" : "Two",
                 fire ? "true" : "false");
        vl_buf_puts(&metadata, line);
    }
    snprintf(path, sizeof path, "%s/metadata.jsonl", name);
    write_text(path, metadata.data);
    vl_buf_deinit(&metadata);
}

static void test_baselines(void **state) {
    (void)state;
    vl_error error;
    cJSON *out;
    write_colours("colours-train", 1);
    write_colours("colours-dev", 2);
    const char *train = in_folder("colours-train");
    vl_seer_evaluation how = {.baselines = true, .train_paths = &train, .train_count = 1};
    if (evaluate(how, in_folder("colours-dev"), &out, &error))
        fail_msg("%s", error.message);
    const cJSON *base = cJSON_GetObjectItem(out, "baselines");
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(base, "caption"), "text")->valuestring,
        "the  Water !");
    check(number(base, "vqa", "commonest", "exact"), 8.0 / 12);
    check(number(base, "vqa", "by_question_type", "exact"), 1);
    check(number(base, "statements", "accuracy", NULL), 8.0 / 12);
    check(number(base, "scene", "commonest", "accuracy"), 8.0 / 12);
    check(number(base, "scene", "commonest", "macro_f1"), 0.8 / 2);
    check(number(base, "scene", "colour_histogram", "macro_f1"), 1);
    check(number(base, "retrieval", "r1", NULL), 1.0 / 12);
    check(number(base, "retrieval", "r10", NULL), 10.0 / 12);
    check(number(base, "retrieval", "picture_to_text", "r5"), 5.0 / 12);
    cJSON_Delete(out);
    how = (vl_seer_evaluation){.baselines = true, .tasks = VL_EVAL_RETRIEVAL};
    assert_int_equal(evaluate(how, in_folder("colours-dev"), &out, &error), VL_OK);
    base = cJSON_GetObjectItem(out, "baselines");
    assert_non_null(cJSON_GetObjectItem(base, "retrieval"));
    assert_int_equal(cJSON_GetArraySize(base), 1);
    cJSON_Delete(out);
}

/* Fitting again with the fitted file finds the same. */
static void test_calibration(void **state) {
    (void)state;
    vl_error error;
    vl_buf json;
    enum { EACH = 40 };
    make_folder("many");
    vl_buf metadata;
    vl_buf_init(&metadata, 1 << 20);
    for (unsigned i = 0; i < EACH; i++) {
        char line[300], path[64];
        snprintf(path, sizeof path, "many/%u.png", i);
        write_picture(path, (uint8_t)(i * 6), (uint8_t)(250 - i * 5), (uint8_t)(i * 29));
        snprintf(line, sizeof line,
                 "{\"file_name\": \"%u.png\", \"labels\": {\"scene\": \"%s\"}, \"statements\": "
                 "[{\"statement\": \"It is number %u .\", \"true\": %s}]}\n",
                 i, i % 3 ? "fire" : "flood", i, i % 2 ? "true" : "false");
        vl_buf_puts(&metadata, line);
    }
    write_text("many/metadata.jsonl", metadata.data);
    vl_buf_deinit(&metadata);
    const char *path = in_folder("many");
    vl_seer_facts *facts = malloc(sizeof *facts), *again = malloc(sizeof *again);
    *facts = vl_seer_facts_default();
    vl_seer_evaluation how = {.paths = &path, .path_count = 1, .model = model_path};
    vl_buf_init(&json, 1 << 20);
    assert_int_equal(vl_seer_calibrate(&how, facts, &json, &error), VL_OK);
    cJSON *out = cJSON_Parse(json.data);
    check(number(out, "fit", "statement", "n"), EACH);
    check(number(out, "fit", "scene", "n"), EACH);
    check(number(out, "temperature", "scene", NULL), facts->temperature[0]);
    check(number(out, "statement", "slope", NULL), facts->statement.slope);
    assert_true(number(out, "fit", "scene", "nll_after") <=
                number(out, "fit", "scene", "nll_before"));
    assert_null(cJSON_GetObjectItem(out, "ask")); /* nothing was asked */
    cJSON_Delete(out);

    vl_seer *seer;
    vl_seer_net *net;
    vl_params *params;
    assert_int_equal(vl_seer_open(model_path, &seer, &error), VL_OK);
    assert_int_equal(vl_seer_unpack(seer, &net, &params, &error), VL_OK);
    const char *fitted = in_folder("fitted.gguf");
    assert_int_equal(
        vl_seer_write(fitted, net, params, vl_seer_tokenizer(seer), facts, VL_F16, &error),
        VL_OK);
    vl_seer_net_free(net);
    vl_params_free(params);
    vl_seer_free(seer);
    how.model = fitted;
    *again = vl_seer_facts_default();
    assert_int_equal(vl_seer_calibrate(&how, again, NULL, &error), VL_OK);
    assert_true(fabs(again->temperature[0] / facts->temperature[0] - 1) < 1e-3);
    assert_true(fabs(again->statement.slope - facts->statement.slope) <
                1e-3 * (1 + fabs(facts->statement.slope)));
    assert_true(fabs(again->statement.offset - facts->statement.offset) < 1e-3);

    path = in_folder("set/part"); /* too little of everything */
    how.model = model_path;
    assert_int_equal(vl_seer_calibrate(&how, again, NULL, &error), VL_ERR_MISSING);
    vl_buf_deinit(&json);
    free(facts);
    free(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_retrieval),
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_platt),
        cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_same_on_any_threads),
        cmocka_unit_test(test_tasks_and_limits),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_tars),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_baselines),
        cmocka_unit_test(test_calibration),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
