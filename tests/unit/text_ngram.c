/* Tests of the character models: the bundled file, scores piece by piece, and broken files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/text.h>

#include "text/ngram_model.h"

/* cmocka compares as float. */
#define assert_near(a, b, by) assert_true(fabs((double)(a) - (double)(b)) <= (by))

static vl_ngram *bundled;

static int open_bundled(void **state) {
    vl_error error;
    (void)state;
    if (!vl_ngram_open(NULL, &bundled, &error))
        return 0;
    print_error("%s\n", error.message);
    return -1;
}

static int close_bundled(void **state) {
    (void)state;
    vl_ngram_free(bundled);
    return 0;
}

static const vl_ngram_language *language(const char *code) {
    const vl_ngram_language *found = vl_ngram_find(bundled, code);
    assert_non_null(found);
    return found;
}

static void test_likelier(void **state) {
    static const struct {
        const char *code, *likely, *unlikely;
    } rows[] = {
        {"eng", "the water is clean", "the watcr is c1ean"},
        {"eng", "modern", "rnodern"},
        {"fra", "les enfants sont à l'école", "les enfants s0nt à l'éco1e"},
        {"spa", "los niños", "los nifios"},
        {"swh", "maji safi ya kunywa", "rnaji safi ya kunywa"},
        {"hau", "ƙasar Hausa", "kœsar Hausa"},
        {"yor", "ọmọ náà", "omo nà̧à"},
        {"amh", "በኢትዮጵያ ውስጥ", "በኢትየጵያ ውስፐ"},
        {"ara", "المياه النظيفة", "المیاه النطيقة"},
        {"hin", "के लिए", "कै लिाए"},
        {"ben", "করা হয়েছে", "করা হয়েছো"},
        {"mya", "ဖြစ်သည်။", "ဖြစ်သညု။"},
        {"tam", "என்று", "எள்று"},
        {"ukr", "і сказав", "i cказав"}, /* Latin letters in it */
        {"khm", "ប្រទេស", "ប្រទេល"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const vl_ngram_language *g = language(rows[i].code);
        double likely = vl_ngram_score(g, rows[i].likely, NULL),
               unlikely = vl_ngram_score(g, rows[i].unlikely, NULL);
        if (!(likely > unlikely))
            fail_msg("%s: '%s' %.2f, '%s' %.2f", rows[i].code, rows[i].likely, likely,
                     rows[i].unlikely, unlikely);
    }
}

/* A text is likelier in its own language than in a neighbour's. */
static void test_languages_apart(void **state) {
    static const char *const rows[][3] = {
        {"swh", "hau", "watoto wote wana haki ya kupata elimu"},
        {"hau", "swh", "kowane mutum yana da hakkin samun ilimi"},
        {"fra", "spa", "toute personne a droit à l'éducation"},
        {"spa", "por", "toda persona tiene derecho a la educación"},
        {"fas", "ara", "هر کس حق دارد که از آموزش بهره‌مند شود"},
        {"mar", "hin", "प्रत्येकाला शिक्षणाचा अधिकार आहे"},
        {"tir", "amh", "ነፍሲ ወከፍ ሰብ ናይ ትምህርቲ መሰል ኣለዎ"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(vl_ngram_score(language(rows[i][0]), rows[i][2], NULL) >
                    vl_ngram_score(language(rows[i][1]), rows[i][2], NULL));
}

/* Any way to cut a text gives the same sum and the same states. */
static void test_piece_by_piece(void **state) {
    static const char text[] = "maji safi ya kunywa ሰላም";
    const vl_ngram_language *g = language("swh");
    vl_ngram_state from, to, whole;
    size_t symbols;
    (void)state;
    double all = vl_ngram_score(g, text, &symbols);
    assert_int_equal(symbols, 24);
    vl_ngram_begin(g, &from);
    vl_ngram_extend(g, &from, text, &whole);
    for (size_t cut = 0; cut < sizeof text; cut++) {
        char head[sizeof text];
        if (((unsigned char)text[cut] & 0xC0) == 0x80)
            continue;
        memcpy(head, text, cut);
        head[cut] = '\0';
        double sum = vl_ngram_extend(g, &from, head, &to);
        sum += vl_ngram_extend(g, &to, text + cut, &to);
        assert_memory_equal(&to, &whole, sizeof to);
        assert_near(sum + vl_ngram_end(g, &to), all, 1e-9);
    }
    assert_near(vl_ngram_extend(g, &from, "", &to), 0, 0);
    assert_memory_equal(&to, &from, sizeof to);
    vl_ngram_extend(g, &from, "a", NULL); /* only asked */
}

static void test_unknown_and_broken_text(void **state) {
    const vl_ngram_language *g = language("eng");
    size_t symbols;
    (void)state;
    assert_true(vl_ngram_score(g, "\xF0\x9F\x98\x80", &symbols) < -3);
    assert_int_equal(symbols, 2);
    assert_true(isfinite(vl_ngram_score(g, "bad \xFF byte \xE1\x88", NULL)));
    assert_null(vl_ngram_find(bundled, "xxx"));
    assert_null(vl_ngram_find(bundled, ""));
    for (size_t i = 0; i < vl_ngram_count(bundled); i++)
        assert_non_null(vl_ngram_find(bundled, vl_ngram_code(bundled, i)));
}

static void test_size(void **state) {
    size_t bytes = 0;
    (void)state;
    for (size_t i = 0; i < vl_ngram_count(bundled); i++)
        bytes += vl_ngram_bytes(bundled, i);
    print_message("%zu languages, %zu bytes\n", vl_ngram_count(bundled), bytes);
    assert_true(bytes < 3000000);
}

/* ---- broken files ------------------------------------------------------------------------ */

/* Two symbols, order 2: "a" (2) after the edge (1) and after itself. */
typedef struct tiny {
    vl_ngram_header header;
    vl_ngram_entry entry;
    uint32_t points[1];
    uint32_t base[1];
    uint16_t low[4];
    uint8_t p1[3], backoff[3], last[2], p2[2], pad[2];
} tiny;

enum { TINY_BLOCK = 28, TINY_BYTES = offsetof(tiny, points) + TINY_BLOCK };

static tiny sound(void) {
    tiny t = {.header = {"VLCHARLM", VL_NGRAM_VERSION, 1, TINY_BYTES},
              .entry = {.code = "abc",
                        .order = 2,
                        .symbols = 3,
                        .id_bytes = 1,
                        .counts = {3, 2},
                        .p_scale = 0.01f,
                        .backoff_least = -1,
                        .backoff_scale = 0.01f,
                        .offset = offsetof(tiny, points),
                        .bytes = TINY_BLOCK},
              .points = {'a'},
              .base = {0},
              .low = {0, 0, 1, 2},
              .p1 = {255, 100, 50},
              .backoff = {0, 10, 20},
              .last = {2, 2},
              .p2 = {10, 70}};
    memcpy(t.header.magic, "VLCHARLM", 8);
    return t;
}

static void test_tiny_by_hand(void **state) {
    tiny t = sound();
    vl_ngram *ngram;
    vl_ngram_state s;
    vl_error error = {.message = ""};
    (void)state;
    if (vl_ngram_parse(&t, TINY_BYTES, &ngram, &error))
        fail_msg("%s", error.message);
    const vl_ngram_language *g = vl_ngram_find(ngram, "abc");
    vl_ngram_begin(g, &s);
    assert_near(vl_ngram_extend(g, &s, "a", &s), -0.10, 1e-6); /* the bigram */
    assert_near(vl_ngram_extend(g, &s, "a", &s), -0.70, 1e-6);
    assert_near(vl_ngram_extend(g, &s, "b", NULL), (-1 + 0.20) - 2.55, 1e-6); /* unknown */
    assert_near(vl_ngram_end(g, &s), (-1 + 0.20) - 1.00, 1e-6);
    vl_ngram_free(ngram);
}

static void test_broken_files(void **state) {
    vl_ngram *ngram;
    vl_error error;
    tiny t;
    (void)state;
#define REFUSED(change, what)                                                                  \
    t = sound();                                                                               \
    change;                                                                                    \
    assert_int_not_equal(vl_ngram_parse(&t, TINY_BYTES, &ngram, &error), VL_OK);               \
    assert_null(ngram);                                                                        \
    if (!strstr(error.message, what))                                                          \
    fail_msg("'%s' does not say '%s'", error.message, what)
    REFUSED(t.header.magic[0] = 'X', "no character models");
    REFUSED(t.header.version = 9, "version 9");
    REFUSED(t.header.bytes++, "should have");
    REFUSED(t.header.languages = 0, "claims 0");
    REFUSED(t.header.languages = 255, "claims 255");
    REFUSED(t.entry.order = 7, "out of range");
    REFUSED(t.entry.order = 1, "out of range");
    REFUSED(t.entry.symbols = 1, "out of range");
    REFUSED(t.entry.counts[0] = 4, "out of range");
    REFUSED(t.entry.counts[1] = 5, "should have");
    REFUSED(t.entry.counts[1] = UINT32_MAX, "out of range");
    REFUSED(t.entry.p_scale = NAN, "out of range");
    REFUSED(t.entry.backoff_least = INFINITY, "out of range");
    REFUSED(t.entry.offset = UINT64_MAX - 3, "should have");
    REFUSED(t.entry.bytes = UINT64_MAX, "should have");
    REFUSED(memset(t.entry.code, 'a', sizeof t.entry.code), "out of range");
    REFUSED(t.low[3] = 1, "do not cover");
    REFUSED(t.base[0] = 1, "do not cover");
    REFUSED(t.low[2] = 9, "broken");
    REFUSED(t.low[1] = 2; t.low[2] = 1, "broken");
    REFUSED(t.last[1] = 3, "broken");
    REFUSED(t.low[2] = 0, "broken"); /* one context with the same symbol twice */
#undef REFUSED
    t = sound();
    for (size_t bytes = 0; bytes < TINY_BYTES; bytes++)
        assert_int_not_equal(vl_ngram_parse(&t, bytes, &ngram, &error), VL_OK);
    assert_int_equal(vl_ngram_open("/nonexistent/chars.bin", &ngram, &error), VL_ERR_MISSING);
    assert_int_not_equal(vl_ngram_open("/dev/null", &ngram, &error), VL_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_likelier),       cmocka_unit_test(test_languages_apart),
        cmocka_unit_test(test_piece_by_piece), cmocka_unit_test(test_unknown_and_broken_text),
        cmocka_unit_test(test_size),           cmocka_unit_test(test_tiny_by_hand),
        cmocka_unit_test(test_broken_files),
    };
    return cmocka_run_group_tests(tests, open_bundled, close_bundled);
}
