/* Tests of a space's file: what is asked of it, and what is no space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align_made_space.h"
#include <math.h>
#include <pthread.h>
#include <vislang/text.h>

enum { FILE_MAX = 4096, HEADER_BYTES = sizeof(space_header) };

/* The bytes of the made space. */
static size_t made_bytes(unsigned char bytes[FILE_MAX]) {
    char path[] = "/tmp/vislang-space-XXXXXX";
    space_draft draft = made_draft();
    close(mkstemp(path));
    assert_int_equal(align_space_write(&draft, path, NULL), VL_OK);
    FILE *file = fopen(path, "rb");
    size_t count = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    unlink(path);
    assert_in_range(count, HEADER_BYTES, FILE_MAX - 1);
    return count;
}

static vl_status open_bytes(const unsigned char *bytes, size_t count, vl_space **space) {
    char path[] = "/tmp/vislang-space-XXXXXX";
    vl_error error = {0};
    int fd = mkstemp(path);
    assert_int_equal(write(fd, bytes, count), count);
    close(fd);
    vl_status status = vl_space_open(path, space, &error);
    unlink(path);
    if (status)
        assert_null(*space);
    return status;
}

/* "word weight, word weight" in hundredths. */
static const char *glosses(const vl_space *space, const char *language, const char *word) {
    static char text[512];
    vl_gloss gloss[ALIGN_MEANING_MAX];
    size_t count = vl_space_gloss(space, language, word, gloss, ALIGN_MEANING_MAX), at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s %.0f", i ? ", " : "",
                               gloss[i].word, 100 * gloss[i].weight);
    return text;
}

static void test_languages(void **state) {
    static const struct {
        const char *name;
        bool there;
    } rows[] = {{"eng", true}, {"en", true},   {"swa", true},  {"sw", true}, {"swh", true},
                {"am", true},  {"amh", true},  {"fr", false},  {"", false},  {"xx", false},
                {NULL, false}, {"EN ", false}, {"swa2", false}};
    vl_space *space = made_space();
    (void)state;
    assert_int_equal(vl_space_count(space), 3);
    assert_string_equal(vl_space_language(space, 0), "eng");
    assert_string_equal(vl_space_language(space, 2), "amh");
    assert_string_equal(vl_space_card(space), "{\"made\":true}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(vl_space_has(space, rows[i].name), rows[i].there);
    assert_true(align_space_is_hub(space, "en"));
    assert_false(align_space_is_hub(space, "sw"));
    assert_false(align_space_is_hub(space, NULL));
    vl_space_free(space);
    vl_space_free(NULL);
}

static void test_gloss(void **state) {
    static const struct {
        const char *language, *word, *means;
    } rows[] = {
        {"sw", "maji", "water 100"},
        {"swh", "kunywa", "drink 78, water 22"},
        {"swa", "mwanafunzi", "child 40, school 40"}, /* equal ones by unit */
        {"am", "ቤት", "house 100"},
        {"en", "houses", "house 100"},
        {"sw", "", ""},
        {"sw", "zzzzqq", ""},
        {"sw", "ma", ""},
        {"fr", "maji", ""},
        {"sw", "\xFF\xFE\x80", ""},
    };
    vl_space *space = made_space();
    vl_gloss one;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(glosses(space, rows[i].language, rows[i].word), rows[i].means);
    assert_int_equal(vl_space_gloss(space, "sw", "kunywa", &one, 1), 1);
    assert_string_equal(one.word, "drink");
    assert_int_equal(vl_space_gloss(space, "sw", "kunywa", NULL, 0), 0);
    vl_space_free(space);
}

/* Words that are not there mean less surely what those mean that are spelled most alike. */
static void test_gloss_by_spelling(void **state) {
    static const char *const rows[][3] = {{"sw", "nyumbani", "house"},
                                          {"sw", "vitabu", "book"},
                                          {"sw", "wanafunzi", "child"},
                                          {"en", "schools", "school"},
                                          {"am", "ትምህርትም", "school"}};
    vl_space *space = made_space();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_gloss gloss[ALIGN_MEANING_MAX];
        float sum = 0;
        size_t count = vl_space_gloss(space, rows[i][0], rows[i][1], gloss, ALIGN_MEANING_MAX);
        assert_in_range(count, 1, ALIGN_MEANING_MAX);
        assert_string_equal(gloss[0].word, rows[i][2]);
        for (size_t k = 0; k < count; k++)
            sum += gloss[k].weight;
        assert_true(sum > 0.35F && sum < 1);
    }
    vl_space_free(space);
}

static void test_long_word(void **state) {
    enum { LENGTH = 1 << 20 };
    char *word = malloc(LENGTH + 1);
    vl_space *space = made_space();
    (void)state;
    memset(word, 'n', LENGTH);
    word[LENGTH] = '\0';
    assert_string_equal(glosses(space, "sw", word), "");
    free(word);
    vl_space_free(space);
}

static void test_vectors(void **state) {
    vl_space *space = made_space();
    vl_embeddings *e;
    vl_error error = {0};
    (void)state;
    assert_int_equal(vl_space_vectors(space, "sw", &e, &error), VL_OK);
    assert_int_equal(vl_embeddings_count(e), 8);
    assert_int_equal(vl_embeddings_dim(e), MADE_DIM);
    assert_string_equal(vl_embeddings_word(e, 0), "maji"); /* the most frequent */
    assert_string_equal(vl_embeddings_word(e, 1), "mtoto");
    assert_string_equal(vl_embeddings_word(e, 7), "shule");
    const float *row = vl_embeddings_row(e, vl_embeddings_find(e, "kunywa"));
    const float drink = 200 / 255.0F, water = 55 / 255.0F;
    assert_true(fabsf(row[0] - 127 * (drink + water)) < 0.01F);
    assert_true(fabsf(row[1] + 64 * drink) < 0.01F);
    assert_true(row[2] == 0 && row[3] == 0);
    row = vl_embeddings_row(e, vl_embeddings_find(e, "kitabu")); /* a row of zeros */
    assert_true(row[0] == 0 && row[1] == 0 && row[2] == 0 && row[3] == 0);
    vl_embeddings_free(e);
    assert_int_equal(vl_space_vectors(space, "fr", &e, &error), VL_ERR_MISSING);
    assert_null(e);
    assert_non_null(strstr(error.message, "fr"));
    vl_space_free(space);
}

static void test_shares(void **state) {
    static const struct {
        uint64_t count, all;
        uint8_t code;
    } rows[] = {{0, 10, 255}, {5, 0, 255}, {10, 10, 0},         {20, 10, 0},
                {5, 10, 8},   {1, 4, 16},  {1, UINT64_MAX, 254}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(align_frequency_code(rows[i].count, rows[i].all), rows[i].code);
}

/* ---- what is no space ---------------------------------------------------------------------
 */

static void test_truncated(void **state) {
    unsigned char bytes[FILE_MAX];
    size_t count = made_bytes(bytes);
    vl_space *space;
    (void)state;
    for (size_t cut = 0; cut < count; cut++)
        assert_int_equal(open_bytes(bytes, cut, &space), VL_ERR_INPUT);
    bytes[count] = 0;
    assert_int_equal(open_bytes(bytes, count + 1, &space), VL_ERR_INPUT);
    assert_int_equal(open_bytes(bytes, count, &space), VL_OK);
    vl_space_free(space);
}

static void use(const vl_space *space) {
    for (size_t i = 0; i < vl_space_count(space); i++) {
        const char *language = vl_space_language(space, i);
        vl_embeddings *e;
        glosses(space, language, "maji");
        glosses(space, language, "nyumbani");
        if (!vl_space_vectors(space, language, &e, NULL))
            vl_embeddings_free(e);
    }
}

/* Every byte damaged in several ways is refused or does no harm. */
static void test_damaged(void **state) {
    static const unsigned char masks[] = {0x01, 0x80, 0xFF};
    unsigned char bytes[FILE_MAX];
    size_t count = made_bytes(bytes), refused = 0;
    (void)state;
    for (size_t at = 0; at < count; at++)
        for (size_t m = 0; m < sizeof masks; m++) {
            vl_space *space;
            bytes[at] ^= masks[m];
            vl_status status = open_bytes(bytes, count, &space);
            bytes[at] ^= masks[m];
            assert_true(status == VL_OK || status == VL_ERR_INPUT);
            refused += status != VL_OK;
            if (!status && m == 0)
                use(space);
            vl_space_free(space);
        }
    assert_in_range(refused, 3 * 28, 3 * count); /* all of the header at least */
}

static void put32(unsigned char *at, uint32_t value) {
    memcpy(at, &value, sizeof value);
}

static void test_lies(void **state) {
    static const struct {
        size_t offset;
        uint32_t values[4];
    } rows[] = {
        {offsetof(space_header, version), {0, 2, UINT32_MAX, 256}},
        {offsetof(space_header, languages), {0, 2, 4, UINT32_MAX}},
        {offsetof(space_header, units), {0, MADE_UNITS - 1, MADE_UNITS + 1, UINT32_MAX}},
        {offsetof(space_header, dim), {0, MADE_DIM - 1, MADE_DIM + 1, UINT32_MAX}},
        {offsetof(space_header, card_bytes), {0, 12, 14, UINT32_MAX}},
        {offsetof(space_header, unit_names_bytes), {0, 1, 1000, UINT32_MAX}},
    };
    unsigned char bytes[FILE_MAX], lie[FILE_MAX];
    size_t count = made_bytes(bytes);
    vl_space *space;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < 4; k++) {
            memcpy(lie, bytes, count);
            put32(lie + rows[i].offset, rows[i].values[k]);
            assert_int_equal(open_bytes(lie, count, &space), VL_ERR_INPUT);
        }
    memcpy(lie, bytes, count);
    memset(lie + offsetof(space_header, hub), 'x', ALIGN_LANGUAGE_SIZE);
    assert_int_equal(open_bytes(lie, count, &space), VL_ERR_INPUT);
}

/* Where the bytes `what` stand. */
static unsigned char *find(unsigned char *bytes, size_t count, const void *what, size_t size) {
    unsigned char *at = memmem(bytes, count, what, size);
    assert_non_null(at);
    return at;
}

/* One damage at a place of the file that is known, each VL_ERR_INPUT. */
static void test_damage_that_is_known(void **state) {
    static const float scales[] = {NAN, INFINITY, -INFINITY, 1e30F};
    unsigned char bytes[FILE_MAX], bad[FILE_MAX];
    size_t count = made_bytes(bytes), rows = HEADER_BYTES + strlen("{\"made\":true}");
    vl_space *space;
    (void)state;
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        memcpy(bad, bytes, count);
        memcpy(bad + rows, &scales[i], sizeof scales[i]);
        assert_int_equal(open_bytes(bad, count, &space), VL_ERR_INPUT);
    }
    static const struct {
        const char *what;
        size_t bytes;
        const char *becomes;
    } swaps[] = {
        {"kitabu\0kubwa", 12, "kubwa\0kitabu"}, /* not in order */
        {"shule", 5, "nyumb"},                  /* nor here */
        {"maji\0mtoto", 10, "maji\0maji\0"},    /* twice, and a name too many */
        {"maji", 4, "\xFF\xFEji"},              /* no UTF-8 */
        {"water\0drink", 11, "waterXdrink"},    /* a name too few */
        {"swa\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "swaxxxxxxxxxxxxx"},
        {"swa\0", 4, "\0\0\0\0"}, /* a language without a name */
        {"swa\0", 4, "eng\0"},    /* a language twice */
        {"swa\0", 4, "\xE1\x80\0\0"},
        {"VLSPACE", 7, "VLSPICE"},
    };
    for (size_t i = 0; i < sizeof swaps / sizeof *swaps; i++) {
        memcpy(bad, bytes, count);
        memcpy(find(bad, count, swaps[i].what, swaps[i].bytes), swaps[i].becomes,
               swaps[i].bytes);
        assert_int_equal(open_bytes(bad, count, &space), VL_ERR_INPUT);
    }
    static const struct {
        uint32_t words, names_bytes;
    } heads[] = {{0, 55}, {1, 55}, {7, 55}, {9, 55},        {1U << 31, 55},
                 {8, 0},  {8, 54}, {8, 56}, {8, UINT32_MAX}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        memcpy(bad, bytes, count);
        unsigned char *at = find(bad, count, "swa\0\0\0\0", 7);
        put32(at + 16, heads[i].words);
        put32(at + 20, heads[i].names_bytes);
        assert_int_equal(open_bytes(bad, count, &space), VL_ERR_INPUT);
    }
    /* The last code of the file, whose unit is WATER, means a unit that is not there. */
    memcpy(bad, bytes, count);
    unsigned char *code = bad + count - (3 * ALIGN_CODE_MAX + 1);
    code[0] = MADE_UNITS;
    assert_int_equal(open_bytes(bad, count, &space), VL_ERR_INPUT);
    code[0] = WATER;
    code[2 * (ALIGN_CODE_MAX - 1) + 1] = 0xFF; /* of no weight: not looked at */
    assert_int_equal(open_bytes(bad, count, &space), VL_OK);
    vl_space_free(space);
}

static void test_no_file(void **state) {
    vl_space *space;
    vl_error error = {0};
    (void)state;
    assert_int_equal(vl_space_open("/nowhere/align.bin", &space, &error), VL_ERR_MISSING);
    assert_null(space);
    assert_non_null(strstr(error.message, "/nowhere/align.bin"));
    assert_int_not_equal(vl_space_open("/tmp", &space, &error), VL_OK);
    assert_null(space);
}

/* ---- writing ------------------------------------------------------------------------------
 */

static void test_written_limits(void **state) {
    char path[] = "/tmp/vislang-space-XXXXXX";
    space_draft_language none = {"swa", made_swahili, 0};
    space_draft drafts[5];
    (void)state;
    close(mkstemp(path));
    unlink(path);
    for (size_t i = 0; i < 5; i++)
        drafts[i] = made_draft();
    drafts[0].unit_count = 0;
    drafts[1].unit_count = ALIGN_SPACE_UNITS + 1;
    drafts[2].dim = ALIGN_SPACE_DIM + 1;
    drafts[3].language_count = 0;
    drafts[4].languages = &none;
    drafts[4].language_count = 1;
    for (size_t i = 0; i < 5; i++) {
        vl_error error = {0};
        assert_int_equal(align_space_write(&drafts[i], path, &error), VL_ERR_LIMIT);
        assert_int_not_equal(access(path, F_OK), 0);
    }
}

/* ---- threads -------------------------------------------------------------------------------
 */

static void *gloss_often(void *space) {
    vl_gloss gloss[ALIGN_MEANING_MAX];
    for (int i = 0; i < 50; i++)
        if (!vl_space_gloss(space, "sw", "nyumbani", gloss, ALIGN_MEANING_MAX) ||
            strcmp(gloss[0].word, "house") != 0)
            return space;
    return NULL;
}

static void test_threads(void **state) {
    pthread_t threads[4];
    vl_space *space = made_space();
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, gloss_often, space), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    vl_space_free(space);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_gloss),
        cmocka_unit_test(test_gloss_by_spelling),
        cmocka_unit_test(test_long_word),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_damage_that_is_known),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_written_limits),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
