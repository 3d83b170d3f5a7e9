/* Tests of the tokenizer: how text is cut into words, what merges do, that nothing is ever
 * lost, and files that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/text.h>

#include "text/bpe_words.h"

/* Ids: 0 <pad>, 1 <eos>, 2 … 257 the bytes, so a byte b is b + 2. */
#define HEAD "vislang-bpe 1\nspecials 2\n<pad>\n<eos>\n"
/* 258 "ab", 259 " c", 260 "abab", 261 "é" */
#define SMALL HEAD "merges 4\n99 100\n34 101\n258 258\n197 171\n"

static vl_bpe *parse(const char *content) {
    vl_bpe *bpe;
    vl_error error;
    if (vl_bpe_parse(content, strlen(content), &bpe, &error))
        fail_msg("%s", error.message);
    return bpe;
}

static void test_words(void **state) {
    static const struct {
        const char *text;
        const char *words; /* with | between */
    } rows[] = {
        {"", ""},
        {"A dog runs .", "A| dog| runs| ."},
        {"two  spaces", "two| | spaces"},
        {" a", " a"},
        {"a ", "a| "},
        {"   ", "   "},
        {"a\n\n b\tc", "a|\n\n| b|\t|c"},
        {"in 2024, 12", "in| 202|4|,| 12"},
        {"1234567", "123|456|7"},
        {"don't...stop", "don|'|t|...|stop"},
        {"e\xCC\x81t\xC3\xA9 x", "e\xCC\x81t\xC3\xA9| x"}, /* a mark after its letter */
        {"नमस्ते दुनिया", "नमस्ते| दुनिया"},
        {"می\xE2\x80\x8Cروم", "می\xE2\x80\x8Cروم"}, /* joined by ZWNJ */
        {"٢٠٢٤ سنة", "٢٠٢|٤| سنة"},
        {"ok\xFF\xFEno", "ok|\xFF\xFE|no"}, /* bytes that are no UTF-8 */
        {"👍🏽 👨‍👩‍👧", "👍🏽| 👨‍👩‍👧"},
        {"\xCC\x81"
         "a",
         "\xCC\x81"
         "a"}, /* a mark with nothing before it */
        {"a\xC2\xA0"
         "b",
         "a|\xC2\xA0|b"}, /* no-break space is white space, and leads no word */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char cut[256] = "";
        const char *text = rows[i].text;
        for (size_t at = 0, left = strlen(text); left;) {
            size_t step = vl_bpe_word(text + at, left);
            assert_in_range(step, 1, left);
            strcat(cut, at ? "|" : "");
            strncat(cut, text + at, step);
            at += step;
            left -= step;
        }
        assert_string_equal(cut, rows[i].words);
    }
}

static void test_long_words(void **state) {
    char text[400];
    (void)state;
    memset(text, 'a', sizeof text);
    assert_int_equal(vl_bpe_word(text, sizeof text), 64);
    assert_int_equal(vl_bpe_word(text, 64), 64);
    assert_int_equal(vl_bpe_word(text, 63), 63);
    memset(text, ' ', sizeof text);
    assert_int_equal(vl_bpe_word(text, sizeof text), 64);
    /* Letters of two bytes after a space: 63 bytes, never half a letter. */
    for (size_t i = 1; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "é", 2);
    assert_int_equal(vl_bpe_word(text, sizeof text - 1), 63);
    /* A letter stays with its mark: 21 of these make 63 bytes, and the next does not fit. */
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "e\xCC\x81", 3);
    assert_int_equal(vl_bpe_word(text, sizeof text), 63);
    /* Marks without end are cut between characters. */
    for (size_t i = 0; i + 2 <= sizeof text; i += 2)
        memcpy(text + i, "\xCC\x81", 2);
    assert_int_equal(vl_bpe_word(text, sizeof text), 64);
}

static void test_encode(void **state) {
    static const struct {
        const char *text;
        int32_t ids[8];
        size_t count;
    } rows[] = {
        {"", {0}, 0},
        {"ab", {258}, 1},
        {"abab", {260}, 1},
        {"ababab", {260, 258}, 2}, /* leftmost first */
        {"ba", {100, 99}, 2},
        {"a b", {99, 34, 100}, 3}, /* "a" and " b" are two words */
        {" cab", {259, 258}, 2},
        {"c ab", {101, 34, 258}, 3},
        {"é", {261}, 1},
        {"<pad>", {62, 114, 99, 102, 64}, 5}, /* a special's name is text like any other */
    };
    (void)state;
    vl_bpe *bpe = parse(SMALL);
    assert_int_equal(vl_bpe_size(bpe), 262);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t ids[16];
        size_t count, counted;
        const char *text = rows[i].text;
        assert_int_equal(vl_bpe_encode(bpe, text, strlen(text), ids, 16, &count, NULL), VL_OK);
        assert_int_equal(count, rows[i].count);
        assert_memory_equal(ids, rows[i].ids, count * sizeof *ids);
        assert_int_equal(vl_bpe_encode(bpe, text, strlen(text), NULL, 0, &counted, NULL),
                         VL_OK);
        assert_int_equal(counted, count);
    }
    vl_bpe_free(bpe);
}

static void test_limit(void **state) {
    int32_t ids[3] = {-1, -1, -1};
    size_t count;
    vl_error error;
    (void)state;
    vl_bpe *bpe = parse(SMALL);
    assert_int_equal(vl_bpe_encode(bpe, "ab zz", 5, ids, 2, &count, &error), VL_ERR_LIMIT);
    assert_int_equal(count, 4);
    assert_int_equal(ids[0], 258);
    assert_int_equal(ids[1], 34);
    assert_int_equal(ids[2], -1);
    vl_bpe_free(bpe);
}

static void test_ids(void **state) {
    size_t bytes;
    (void)state;
    vl_bpe *bpe = parse(SMALL);
    assert_int_equal(vl_bpe_special(bpe, "<eos>"), 1);
    assert_int_equal(vl_bpe_special(bpe, "<none>"), -1);
    assert_int_equal(vl_bpe_special_count(bpe), 2);
    assert_string_equal(vl_bpe_special_name(bpe, 0), "<pad>");
    assert_null(vl_bpe_special_name(bpe, 2));
    assert_null(vl_bpe_special_name(bpe, -1));
    assert_null(vl_bpe_token_bytes(bpe, 1, &bytes));
    assert_null(vl_bpe_token_bytes(bpe, 262, &bytes));
    assert_null(vl_bpe_token_bytes(bpe, -1, &bytes));
    assert_memory_equal(vl_bpe_token_bytes(bpe, 260, &bytes), "abab", 4);
    assert_int_equal(bytes, 4);
    vl_bpe_free(bpe);
}

static void test_decode(void **state) {
    static const int32_t ids[] = {0, 258, 259, 1, 2, 261}, wrong[][1] = {{262}, {-1}};
    vl_buf out;
    vl_error error;
    (void)state;
    vl_bpe *bpe = parse(SMALL);
    vl_buf_init(&out, 64);
    assert_int_equal(vl_bpe_decode(bpe, ids, 6, &out, &error), VL_OK);
    assert_int_equal(out.len, 7);
    assert_memory_equal(out.data, "ab c\0é", 7);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(vl_bpe_decode(bpe, wrong[i], 1, &out, &error), VL_ERR_INPUT);
    vl_buf_deinit(&out);
    vl_buf_init(&out, 2); /* what does not fit is said */
    assert_int_equal(vl_bpe_decode(bpe, ids, 6, &out, &error), VL_ERR_MEMORY);
    vl_buf_deinit(&out);
    vl_bpe_free(bpe);
}

/* The way the method is defined: every merge of the file in turn, over the whole word. */
static size_t encode_plainly(const char *file, const char *text, size_t bytes, int32_t *ids) {
    int32_t first = 0, left, right;
    size_t total = 0;
    sscanf(file, "vislang-bpe 1 specials %d", &first);
    for (size_t at = 0, step; at < bytes; at += step) {
        int32_t *word = ids + total, id = first + 256;
        size_t count = step = vl_bpe_word(text + at, bytes - at);
        for (size_t i = 0; i < step; i++)
            word[i] = first + (uint8_t)text[at + i];
        const char *line = strchr(strstr(file, "merges "), '\n') + 1;
        for (; sscanf(line, "%d %d", &left, &right) == 2; line = strchr(line, '\n') + 1, id++)
            for (size_t i = 0; i + 1 < count; i++)
                if (word[i] == left && word[i + 1] == right) {
                    word[i] = id;
                    memmove(word + i + 1, word + i + 2, (count - i - 2) * sizeof *word);
                    count--;
                }
        total += count;
    }
    return total;
}

static uint32_t random_next(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Pieces of many scripts, and of no script at all. */
static size_t random_text(uint32_t *seed, char *text, size_t max) {
    static const char *const pieces[] = {
        "a dog ",       "Ein Mädchen ", "dřevěného",      "طفلة صغيرة",
        "गुलाबी पोशाक",  "የክትባት ዘመቻ",    "ရေဘေး",          "สวัสดี",
        "通知",         "한국어",       "🏳️‍🌈", "e\xCC\x81\xCC\x81",
        "\xE2\x80\x8D", "\xE1\x88",     "\xF0\x9F",       "\xC0\x80",
        "\xED\xA0\x80", "   ",          "\r\n",           "1234567",
        "?!...",        "\xE2\x80\xA8"};
    size_t bytes = 0, limit = random_next(seed) % max;
    while (bytes < limit) {
        if (random_next(seed) % 3 == 0) {
            text[bytes++] = (char)random_next(seed);
            continue;
        }
        const char *piece = pieces[random_next(seed) % (sizeof pieces / sizeof *pieces)];
        size_t length = strlen(piece);
        if (bytes + length > limit)
            break;
        memcpy(text + bytes, piece, length);
        bytes += length;
    }
    return bytes;
}

/* What is encoded comes back, byte for byte, and no special comes out of text. */
static void check_lossless(const vl_bpe *bpe, const char *text, size_t bytes) {
    int32_t *ids = malloc((bytes + 1) * sizeof *ids);
    size_t count;
    vl_buf out;
    vl_buf_init(&out, bytes + 1);
    assert_int_equal(vl_bpe_encode(bpe, text, bytes, ids, bytes, &count, NULL), VL_OK);
    assert_true(count <= bytes);
    for (size_t i = 0; i < count; i++)
        assert_true(ids[i] >= (int32_t)vl_bpe_special_count(bpe));
    assert_int_equal(vl_bpe_decode(bpe, ids, count, &out, NULL), VL_OK);
    assert_int_equal(out.len, bytes);
    if (bytes)
        assert_memory_equal(out.data, text, bytes);
    vl_buf_deinit(&out);
    free(ids);
}

static void test_lossless(void **state) {
    char text[2000];
    uint32_t seed = 5;
    (void)state;
    vl_bpe *small = parse(SMALL), *bundled;
    vl_error error;
    if (vl_bpe_open(TEST_SOURCE_DIR "/models/seer-tokenizer.bpe", &bundled, &error))
        fail_msg("%s", error.message);
    for (size_t i = 0; i < 2000; i++) {
        size_t bytes = random_text(&seed, text, i % 100 ? 60 : sizeof text);
        check_lossless(small, text, bytes);
        check_lossless(bundled, text, bytes);
    }
    vl_bpe_free(small);
    vl_bpe_free(bundled);
}

static void test_against_reference(void **state) {
    static const char file[] = /* merges that overlap and get in each other's way */
        HEAD "merges 12\n99 99\n99 100\n258 100\n100 258\n34 99\n262 99\n259 259\n"
             "100 100\n265 258\n261 260\n99 260\n263 264\n";
    static const char letters[] = "aaabb ";
    char text[90];
    int32_t ids[90], plain[90];
    uint32_t seed = 9;
    size_t count;
    (void)state;
    vl_bpe *bpe = parse(file);
    for (size_t i = 0; i < 3000; i++) {
        size_t bytes = random_next(&seed) % sizeof text;
        for (size_t j = 0; j < bytes; j++)
            text[j] = letters[random_next(&seed) % 6];
        assert_int_equal(vl_bpe_encode(bpe, text, bytes, ids, 90, &count, NULL), VL_OK);
        assert_int_equal(encode_plainly(file, text, bytes, plain), count);
        assert_memory_equal(ids, plain, count * sizeof *ids);
    }
    vl_bpe_free(bpe);
}

/* The same of the bundled file, on text it was made for. */
static void test_bundled_against_reference(void **state) {
    static const char *const rows[] = {"A brown dog is running through the grass .",
                                       "Ein kleines Mädchen klettert",
                                       "طفلة صغيرة تتسلق إلى مسرح خشبي",
                                       "गुलाबी पोशाक में बच्चा",
                                       "Malá dívka leze do dřevěného domu.",
                                       "what is on the left of the table?"};
    vl_bpe *bpe;
    vl_buf file;
    vl_error error;
    (void)state;
    if (vl_bpe_open(TEST_SOURCE_DIR "/models/seer-tokenizer.bpe", &bpe, &error))
        fail_msg("%s", error.message);
    vl_buf_init(&file, 1 << 20);
    vl_bpe_serialize(bpe, &file);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t ids[128], plain[128];
        size_t count, bytes = strlen(rows[i]);
        assert_int_equal(vl_bpe_encode(bpe, rows[i], bytes, ids, 128, &count, NULL), VL_OK);
        assert_int_equal(encode_plainly(file.data, rows[i], bytes, plain), count);
        assert_memory_equal(ids, plain, count * sizeof *ids);
    }
    vl_buf_deinit(&file);
    vl_bpe_free(bpe);
}

/* The bundled tokenizer is what the picture model's code relies on. */
static void test_bundled(void **state) {
    static const char *const first[] = {"<pad>", "<bos>", "<eos>", "<caption>", "<ask>"};
    vl_bpe *bpe;
    vl_error error;
    size_t count, bytes;
    (void)state;
    if (vl_bpe_open(TEST_SOURCE_DIR "/models/seer-tokenizer.bpe", &bpe, &error))
        fail_msg("%s", error.message);
    assert_int_equal(vl_bpe_size(bpe), 8192);
    assert_int_equal(vl_bpe_special_count(bpe), 46);
    for (int32_t i = 0; i < 5; i++)
        assert_int_equal(vl_bpe_special(bpe, first[i]), i);
    static const char caption[] = "A brown dog is running through the grass .";
    assert_int_equal(vl_bpe_encode(bpe, caption, strlen(caption), NULL, 0, &count, &error),
                     VL_OK);
    assert_int_equal(count, 9); /* a common word is one token */
    for (int32_t id = 46; id < 8192; id++) {
        assert_non_null(vl_bpe_token_bytes(bpe, id, &bytes));
        assert_in_range(bytes, 1, VL_BPE_WORD_BYTES);
    }
    vl_bpe_free(bpe);
}

static void test_file_again(void **state) {
    vl_buf out;
    (void)state;
    vl_bpe *bpe = parse(SMALL);
    vl_buf_init(&out, 4096);
    vl_bpe_serialize(bpe, &out);
    assert_string_equal(out.data, SMALL);
    vl_buf_deinit(&out);
    vl_bpe_free(bpe);
}

static void test_files_that_lie(void **state) {
    static const struct {
        const char *content;
        vl_status status;
        const char *says;
    } rows[] = {
        {"", VL_ERR_INPUT, "line 1: not a tokenizer"},
        {"#version: 0.2\n", VL_ERR_INPUT, "line 1: not a tokenizer"},
        {"vislang-bpe 2\nspecials 0\n", VL_ERR_UNSUPPORTED, "reads 'vislang-bpe 1'"},
        {"vislang-bpe 1\n", VL_ERR_INPUT, "line 2: the file ends"},
        {"vislang-bpe 1\nmerges 0\n", VL_ERR_INPUT, "line 2: this should say 'specials'"},
        {"vislang-bpe 1\nspecials\n", VL_ERR_INPUT, "line 2: this should say 'specials'"},
        {"vislang-bpe 1\nspecials 2000\n", VL_ERR_INPUT, "line 2: 2000 specials"},
        {"vislang-bpe 1\nspecials 02\n<a>\n<b>\nmerges 0\n", VL_ERR_INPUT, "line 2"},
        {"vislang-bpe 1\nspecials 2\n<a>\n<a>\nmerges 0\n", VL_ERR_INPUT,
         "'<a>' is there twice"},
        {"vislang-bpe 1\nspecials 1\n\nmerges 0\n", VL_ERR_INPUT, "1 to 32"},
        {"vislang-bpe 1\nspecials 1\na b\nmerges 0\n", VL_ERR_INPUT, "without spaces"},
        {"vislang-bpe 1\nspecials 1\n<a>\r\nmerges 0\n", VL_ERR_INPUT, "plain ASCII"},
        {HEAD, VL_ERR_INPUT, "line 5: the file ends"},
        {HEAD "merges 1\n", VL_ERR_INPUT, "line 6: the file ends"},
        {HEAD "merges 1\n99 100", VL_ERR_INPUT, "line 6: the file ends"},
        {HEAD "merges 1\n99  100\n", VL_ERR_INPUT, "line 6: a merge is two ids"},
        {HEAD "merges 1\n99 -1\n", VL_ERR_INPUT, "line 6: a merge is two ids"},
        {HEAD "merges 1\n99 100 101\n", VL_ERR_INPUT, "line 6: a merge is two ids"},
        {HEAD "merges 1\n99 4294967395\n", VL_ERR_INPUT, "line 6: a merge is two ids"},
        {HEAD "merges 1\n99 258\n", VL_ERR_INPUT, "line 6: a merge of 99 and 258"},
        {HEAD "merges 1\n1 99\n", VL_ERR_INPUT, "first 2 are specials"},
        {HEAD "merges 2\n99 100\n99 100\n", VL_ERR_INPUT, "line 7: a merge of 99 and 100"},
        {HEAD "merges 3\n99 99\n258 99\n99 258\n", VL_ERR_INPUT, "same text as id 259"},
        {HEAD "merges 1\n99 100\n1 2\n", VL_ERR_INPUT, "line 7: more follows"},
        {HEAD "merges 70000\n", VL_ERR_INPUT, "line 5: 70000 merges"},
        {HEAD "merges 7\n99 99\n258 258\n259 259\n260 260\n261 261\n262 262\n263 263\n",
         VL_ERR_INPUT, "line 12: a token of 263 and 263 is longer"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_bpe *bpe = (vl_bpe *)1;
        vl_error error = {0};
        vl_status status = vl_bpe_parse(rows[i].content, strlen(rows[i].content), &bpe, &error);
        if (status != rows[i].status || !strstr(error.message, rows[i].says))
            print_error("%s → %s: %s\n", rows[i].content, vl_status_name(status),
                        error.message);
        assert_int_equal(status, rows[i].status);
        assert_non_null(strstr(error.message, rows[i].says));
        assert_null(bpe);
    }
    vl_bpe *bpe;
    vl_error error;
    assert_int_not_equal(vl_bpe_open("/nonexistent/x.bpe", &bpe, &error), VL_OK);
    assert_non_null(strstr(error.message, "/nonexistent/x.bpe"));
    static const char nul[] = HEAD "merges 1\n99\0 100\n";
    assert_int_equal(vl_bpe_parse(nul, sizeof nul - 1, &bpe, &error), VL_ERR_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_lossless),
        cmocka_unit_test(test_against_reference),
        cmocka_unit_test(test_bundled_against_reference),
        cmocka_unit_test(test_bundled),
        cmocka_unit_test(test_file_again),
        cmocka_unit_test(test_files_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
