/* Tests of the quality of texts: its named parts, readability, the score, verdicts and files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/logistic.h"
#include "dataset/quality.h"
#include "dataset/readability.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static vl_ngram *ngram;

static int set_up(void **state) {
    (void)state;
    return vl_ngram_open(NULL, &ngram, NULL) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    vl_ngram_free(ngram);
    return 0;
}

/* ---- readability ---------------------------------------------------------------------------
 */

static const struct reading {
    const char *language, *text;
    bool readable;
} readings[] = {
    {"eng",
     "Heavy rains have displaced more than 12,000 families in the east of the country "
     "since Monday, the ministry said. Roads to Bunia are closed.",
     true},
    {"eng", "Figure 3. Families displaced by floods, January to June 2024", true},
    {"fra", "Les pluies ont déplacé plus de 12 000 familles dans l'est du pays.", true},
    {"swa",
     "Mvua kubwa imesababisha mafuriko katika kaunti ya Tana River, na familia nyingi "
     "zimehama makazi yao.",
     true},
    {"amh", "በጎርፍ ምክንያት ከ12,000 በላይ ቤተሰቦች ተፈናቅለዋል። መንገዶችም ተዘግተዋል።", true},
    {"ara", "أدت الأمطار الغزيرة إلى نزوح أكثر من اثني عشر ألف أسرة في شرق البلاد.", true},
    {"mya", "ဒေသခံများသည် ရေကြီးမှုကြောင့် နေရပ်စွန့်ခွာခဲ့ရသည်။", true},
    {"zho", "暴雨造成该国东部一万多个家庭流离失所。", true},
    {"und", "Ngaahi fale lahi kuo maumau he afa pea kuo hiki 'a e kakai.", true},
    {"eng", "Home | About us | Contact | News | Donate | Privacy | Terms of use | Share",
     false},
    {"eng", "He^vy r~ins h4ve d|spl@c3d m0re th^n |2,O00 f~m|l1es 1n th= e^st", false},
    {"eng", "vHaye nrasi evha sdipcalde rmoe hnat nfiaemilsa ni eth stea fo teh ynctouro",
     false},
    {"eng",
     "flood, relief, aid, flood, help, donate, flood, relief, water, aid, flood, help, "
     "donate, aid, relief, flood, water",
     false},
    {"fra", "Les pluies ont dÃ©placÃ© des familles Ã  l'est; rÃ©gion touchÃ©e, prÃ©vue", false},
    {"eng", "12 443 9,112 34 5.5 998 12% 33% 44.1 2019 2020 2021 18 220 77 3,443", false},
    {"und", "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h", false},
    {"und", "\xEF\xBF\xBD\xEF\xBF\xBD q\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBDz", false},
    {"eng", "", false},
    {"eng", " \n\t ", false},
    {"eng", "2024", false},
};

static double readability_of(const char *language, const char *text) {
    double quality[VL_QUALITY_PART_COUNT];
    vl_part part = {.confidence = 1, .certainty = 1};
    snprintf(part.language, sizeof part.language, "%s", language);
    quality_of_text(&part, text, ngram, quality);
    return quality[VL_QUALITY_READABILITY];
}

static void test_readability(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        double score = readability_of(readings[i].language, readings[i].text);
        if ((score >= 0.5) != readings[i].readable)
            fail_msg("%.3f: %s", score, readings[i].text);
    }
}

/* What is taken for another language without much reason is not held against a text. */
static void test_uncertain_language(void **state) {
    static const char text[] = "Source: survey team, preliminary data";
    double quality[VL_QUALITY_PART_COUNT], certain;
    vl_part part = {.language = "som", .certainty = 1, .confidence = 1};
    (void)state;
    quality_of_text(&part, text, ngram, quality);
    certain = quality[VL_QUALITY_READABILITY];
    part.certainty = 0.3;
    quality_of_text(&part, text, ngram, quality);
    assert_true(quality[VL_QUALITY_READABILITY] > certain + 0.3);
    part.certainty = 1;
    memcpy(part.language, "eng", 4);
    quality_of_text(&part, text, ngram, quality);
    assert_true(quality[VL_QUALITY_READABILITY] > 0.7);
}

/* UTF-8 that ends within a character, and bytes that are none. */
static void test_broken_bytes(void **state) {
    static const char *const texts[] = {"\xE1", "abc \xF0\x9F", "\xC0\x80 \xFF\xFE word word",
                                        "\xED\xA0\x80"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double score = readability_of("eng", texts[i]);
        assert_true(score >= 0 && score <= 1);
    }
}

static void test_long_text(void **state) {
    size_t bytes = 1 << 20;
    char *text = malloc(bytes + 1);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < bytes; i++)
        text[i] = "many words stand here. "[i % 23];
    text[bytes] = '\0';
    readability out;
    readability_measure(text, NULL, &out);
    assert_true(out.characters > 0 && out.characters <= 16 << 10);
    assert_true(quality_length(text) < 0.01);
    free(text);
}

/* ---- parts ---------------------------------------------------------------------------------
 */

static void test_length(void **state) {
    static const struct {
        const char *text;
        double least, most;
    } rows[] = {
        {"", 0, 0},
        {" .,!?\n", 0, 0},
        {"Map", 0, 0.05},
        {"A family", 0.05, 0.3},
        {"A family waits for water at the well of their village near the river", 0.85, 1},
        {"暴雨造成该国东部一万多个家庭流离失所。", 0.85, 1},
        {"ကျေးရွာ", 0, 0.1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double length = quality_length(rows[i].text);
        if (length < rows[i].least || length > rows[i].most)
            fail_msg("%.3f: %s", length, rows[i].text);
    }
}

static void test_parts(void **state) {
    static const char text[] = "Rains displaced many families in the east of the country.";
    static const struct {
        vl_part part;
        double ocr, language;
    } rows[] = {
        {{.language = "eng", .certainty = 0.9, .confidence = 1}, 1, 0.9},
        {{.language = "eng", .certainty = 0.9, .confidence = 0.4}, 1, 0.9},
        {{.language = "eng", .certainty = 0.9, .confidence = 0.4, .ocr = true}, 0.4, 0.9},
        {{.language = "eng", .confidence = 1}, 1, 0.5}, /* only declared */
        {{.language = "und", .certainty = 0.9, .confidence = 1}, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double quality[VL_QUALITY_PART_COUNT];
        quality_of_text(&rows[i].part, text, NULL, quality);
        assert_float_equal(quality[VL_QUALITY_OCR], rows[i].ocr, 1e-9);
        assert_float_equal(quality[VL_QUALITY_LANGUAGE], rows[i].language, 1e-9);
        assert_float_equal(quality[VL_QUALITY_ALIGNMENT], 1, 0);
        assert_float_equal(quality[VL_QUALITY_DUPLICATES], 1, 0);
    }
}

/* ---- the score -----------------------------------------------------------------------------
 */

static void test_default_score(void **state) {
    static const struct {
        double quality[VL_QUALITY_PART_COUNT]; /* ocr alignment language length duplicates
                                                  readability */
        double score;
    } rows[] = {
        {{1, 1, 1, 1, 1, 1}, 0.95},     {{0.5, 1, 1, 1, 1, 1}, 0.5},
        {{1, 0.5, 1, 1, 1, 1}, 0.5},    {{1, 1, 1, 1, 1, 0.5}, 0.5},
        {{1, 0, 1, 1, 1, 1}, 0.05},     {{1, 1, 1, 0, 1, 1}, 0.5},
        {{1, 1, 0, 1, 1, 1}, 0.676145}, {{0, 0, 0, 0, 0, 0}, 0.0000000},
    };
    quality_model model = quality_model_default();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_float_equal(quality_score(&model, rows[i].quality), rows[i].score, 1e-5);
}

/* ---- verdicts ------------------------------------------------------------------------------
 */

enum { CASES = 400 };

/* People of whom `part` alone decides: accepted when it is above one half. */
static void make_cases(quality_case *cases, size_t count, vl_quality_part part) {
    uint64_t state = 7;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < VL_QUALITY_PART_COUNT; k++)
            cases[i].quality[k] = vl_random_uniform(&state);
        cases[i].verdict = cases[i].quality[part] > 0.5;
    }
}

static void test_fit(void **state) {
    quality_case cases[CASES];
    quality_model model, again;
    quality_fit fit;
    vl_error error;
    (void)state;
    make_cases(cases, CASES, VL_QUALITY_LENGTH);
    assert_int_equal(quality_model_fit(cases, CASES, &model, &fit, &error), VL_OK);
    assert_true(fit.taken && fit.after < fit.before && model.cases == CASES);
    for (size_t k = 0; k < VL_QUALITY_PART_COUNT; k++)
        assert_true(
            model.weight[k] >= 0 &&
            (k == VL_QUALITY_LENGTH || model.weight[k] < model.weight[VL_QUALITY_LENGTH]));
    for (size_t i = 0; i < CASES / 2; i++) { /* another order */
        quality_case kept = cases[i];
        cases[i] = cases[CASES - 1 - i];
        cases[CASES - 1 - i] = kept;
    }
    assert_int_equal(quality_model_fit(cases, CASES, &again, NULL, &error), VL_OK);
    assert_memory_equal(&model, &again, sizeof model);
}

static double moved(size_t count) {
    quality_case cases[CASES];
    quality_model model, start = quality_model_default();
    double sum = 0;
    make_cases(cases, count, VL_QUALITY_LENGTH);
    assert_int_equal(quality_model_fit(cases, count, &model, NULL, NULL), VL_OK);
    for (size_t k = 0; k < VL_QUALITY_PART_COUNT; k++)
        sum += fabs(model.weight[k] - start.weight[k]);
    return sum;
}

static void test_few_verdicts_change_less(void **state) {
    (void)state;
    assert_true(moved(QUALITY_CASES_LEAST) < 0.8 * moved(CASES));
}

/* No part does harm by being better, whatever people say. */
static void test_contrary_verdicts(void **state) {
    quality_case cases[CASES];
    quality_model model;
    uint64_t seed = 3;
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        for (size_t k = 0; k < VL_QUALITY_PART_COUNT; k++)
            cases[i].quality[k] = vl_random_uniform(&seed);
        cases[i].verdict = cases[i].quality[VL_QUALITY_OCR] < 0.5; /* the worse the better */
    }
    assert_int_equal(quality_model_fit(cases, CASES, &model, NULL, NULL), VL_OK);
    assert_true(model.weight[VL_QUALITY_OCR] == 0);
}

static void test_bad_verdicts(void **state) {
    quality_case cases[CASES];
    quality_model model, start = quality_model_default();
    vl_error error;
    (void)state;
    make_cases(cases, CASES, VL_QUALITY_OCR);
    assert_int_equal(quality_model_fit(cases, 3, &model, NULL, &error), VL_ERR_INPUT);
    assert_string_equal(error.message,
                        "3 verdicts are too few to weigh quality by: 20 are needed");
    assert_memory_equal(&model, &start, sizeof model);
    cases[5].verdict = 1.5;
    assert_int_equal(quality_model_fit(cases, CASES, &model, NULL, &error), VL_ERR_INPUT);
    cases[5].verdict = (double)NAN;
    assert_int_equal(quality_model_fit(cases, CASES, &model, NULL, &error), VL_ERR_INPUT);
}

/* ---- files ---------------------------------------------------------------------------------
 */

static void test_files(void **state) {
    char path[] = "/tmp/vl-quality-XXXXXX";
    int fd = mkstemp(path);
    quality_model model = quality_model_default(), read;
    vl_error error;
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    model.weight[VL_QUALITY_OCR] = 1.0 / 3;
    model.cases = 42;
    assert_int_equal(quality_model_write(&model, path, &error), VL_OK);
    assert_int_equal(quality_model_read(path, &read, &error), VL_OK);
    assert_memory_equal(&model, &read, sizeof model);
    unlink(path);
    assert_int_not_equal(quality_model_read(path, &read, &error), VL_OK);
}

static void test_broken_files(void **state) {
    static const char weights[] = "\"weights\":{\"ocr\":1,\"alignment\":1,\"language\":1,"
                                  "\"length\":1,\"duplicates\":1,\"readability\":";
    static const struct {
        const char *head, *value, *tail;
        bool sound;
    } rows[] = {
        {"{\"vislang_quality\":1,\"offset\":-3,\"cases\":0,", "2", "}}", true},
        {"{\"vislang_quality\":2,\"offset\":-3,\"cases\":0,", "2", "}}", false},
        {"{\"offset\":-3,\"cases\":0,", "2", "}}", false},
        {"{\"vislang_quality\":1,\"cases\":0,", "2", "}}", false},
        {"{\"vislang_quality\":1,\"offset\":-3,\"cases\":-1,", "2", "}}", false},
        {"{\"vislang_quality\":1,\"offset\":-3,\"cases\":0,", "-2", "}}", false},
        {"{\"vislang_quality\":1,\"offset\":-3,\"cases\":0,", "\"2\"", "}}", false},
        {"{\"vislang_quality\":1,\"offset\":-3,\"cases\":0,", "1e400", "}}", false},
        {"{\"vislang_quality\":1,\"offset\":-3,\"cases\":0,", "2", ",\"more\":1}}", false},
        {"{\"vislang_quality\":1,\"offset\":-3,\"cases\":0,", "2", "}", false},
        {"", "", "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char json[512];
        quality_model model = quality_model_default(), before = model;
        int bytes = snprintf(json, sizeof json, "%s%s%s%s", rows[i].head, weights,
                             rows[i].value, rows[i].tail);
        vl_status status = quality_model_parse(json, (size_t)bytes, &model, NULL);
        assert_int_equal(status, rows[i].sound ? VL_OK : VL_ERR_INPUT);
        if (status)
            assert_memory_equal(&model, &before, sizeof model);
    }
}

/* ---- logistic regression -------------------------------------------------------------------
 */

/* One feature, four rows and a prior: the gradient of the posterior is 0 at what is found. */
static void test_logistic(void **state) {
    static const double x[] = {0, 1, 2, 3}, t[] = {0, 0.2, 0.9, 1}, prior[] = {0.5, -1},
                        precision[] = {0.1, 0.2};
    logistic_data data = {x, t, NULL, 4, 1};
    double w[2], slope = 0, offset = 0, huge = (double)INFINITY;
    (void)state;
    assert_int_equal(logistic_fit(&data, prior, precision, w, NULL), VL_OK);
    for (size_t i = 0; i < 4; i++) {
        double p = logistic_of(w, x + i, 1);
        slope += (p - t[i]) * x[i];
        offset += p - t[i];
    }
    assert_true(fabs(slope + 0.1 * (w[0] - 0.5)) < 1e-6);
    assert_true(fabs(offset + 0.2 * (w[1] + 1)) < 1e-6);
    data.features = &huge;
    data.count = 1;
    assert_int_equal(logistic_fit(&data, prior, precision, w, NULL), VL_ERR_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readability),
        cmocka_unit_test(test_uncertain_language),
        cmocka_unit_test(test_broken_bytes),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_default_score),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_few_verdicts_change_less),
        cmocka_unit_test(test_contrary_verdicts),
        cmocka_unit_test(test_bad_verdicts),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_broken_files),
        cmocka_unit_test(test_logistic),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
