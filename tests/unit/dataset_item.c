/* Items as lines of JSON: what is written is read again, and what is no item is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vislang/dataset.h>

#include <cJSON.h>

static vl_item an_item(void) {
    vl_item item = {.id = "00112233445566aa",
                    .base = "ffeeddccbbaa9988",
                    .kind = VL_ITEM_QUESTION,
                    .split = VL_SPLIT_TEST,
                    .picture = "pictures/ab/abcd.png",
                    .width = 640,
                    .height = 480,
                    .picture_kind = "chart",
                    .has_phash = true,
                    .phash = UINT64_MAX - 1,
                    .instruction = "Je, grafu inaonyesha nini?",
                    .text = "Watu \"waliohamishwa\"\n\xE1\x8A\xA0",
                    .instruction_language = "swa",
                    .language = "swa",
                    .script = "Latn",
                    .origin = "document",
                    .phrase = "swa.question.natural.1",
                    .has_region = true,
                    .region = {1, 2, 3, 4},
                    .score = 0.5,
                    .review = ""};
    item.source.document = "aa";
    item.source.record = "dir/notice.html";
    item.source.url = item.source.title = item.source.licence = "";
    item.source.publisher = item.source.published = item.source.fetched = "";
    item.source.page = 7;
    item.source.part = 12;
    item.source.text_part = 13;
    item.source.dpi = 150;
    item.source.ocr = true;
    item.quality[VL_QUALITY_OCR] = 0.9731;
    item.quality[VL_QUALITY_DUPLICATES] = 1;
    item.personal[VL_PERSONAL_PHONE] = 2;
    item.personal[VL_ITEM_COORDINATES] = 1;
    return item;
}

static void written_is_read(void **state) {
    vl_item item = an_item(), again;
    vl_arena *arena = vl_arena_new(1 << 20);
    vl_error error = {0};
    vl_buf line, line_again;
    (void)state;
    vl_buf_init(&line, 1 << 16);
    vl_buf_init(&line_again, 1 << 16);
    assert_int_equal(vl_item_write(&item, &line, &error), VL_OK);
    assert_int_equal(vl_item_read(line.data, line.len - 1, arena, &again, &error), VL_OK);
    assert_int_equal(vl_item_write(&again, &line_again, &error), VL_OK);
    assert_string_equal(line.data, line_again.data);
    assert_string_equal(again.text, item.text);
    assert_string_equal(again.source.title, "");
    assert_int_equal(again.kind, VL_ITEM_QUESTION);
    assert_int_equal(again.split, VL_SPLIT_TEST);
    assert_true(again.phash == item.phash);
    assert_false(again.source.has_box);
    assert_int_equal(again.region.height, 4);
    assert_int_equal(again.personal[VL_ITEM_COORDINATES], 1);
    vl_buf_deinit(&line);
    vl_buf_deinit(&line_again);
    vl_arena_free(arena);
}

/* The line has the text and the number as cJSON writes them, and nothing of the buffer before.
 */
static void as_another_writer_writes(void **state) {
    static const char *const texts[] = {"a", "\"\\/\b\f\n\r\t\x01\x1F\x7F|", "\\",
                                        "\xE1\x8A\xA0\"", "\n"};
    static const double reals[] = {0,      0.5, 1,       72,       150.5, 0.1234,      99.9999,
                                   0.0001, 3.2, 1.0 / 3, 71.99999, 1e9,   1e9 - 0.5,   1e17,
                                   1e-7,   -2,  -0.25,   2e22,     1e300, 4294967296.0};
    (void)state;
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        vl_item item = an_item();
        vl_buf line;
        char expected[512];
        cJSON *json = cJSON_CreateObject();
        item.text = texts[i % (sizeof texts / sizeof *texts)];
        item.source.dpi = reals[i];
        cJSON_AddStringToObject(json, "text", item.text);
        cJSON_AddNumberToObject(json, "dpi", reals[i]);
        char *said = cJSON_PrintUnformatted(json), *dpi = strstr(said, ",\"dpi\":");
        vl_buf_init(&line, 1 << 16);
        vl_buf_puts(&line, "B ");
        assert_int_equal(vl_item_write(&item, &line, NULL), VL_OK);
        assert_ptr_equal(strstr(line.data, "B {\"kind\":\"question\",\"split\":"), line.data);
        snprintf(expected, sizeof expected, "%.*s,\"instruction_language\"",
                 (int)(dpi - said - 1), said + 1);
        assert_non_null(strstr(line.data, expected));
        snprintf(expected, sizeof expected, "%.*s,\"ocr\":true", (int)strlen(dpi) - 1, dpi);
        if (!strstr(line.data, expected))
            fail_msg("%s is not in %s", expected, line.data);
        cJSON_free(said);
        cJSON_Delete(json);
        vl_buf_deinit(&line);
    }
}

static void a_full_buffer_is_an_error(void **state) {
    vl_item item = an_item();
    (void)state;
    for (size_t room = 1; room < 600; room += 7) {
        vl_error error = {0};
        vl_buf line;
        vl_buf_init(&line, room);
        assert_int_equal(vl_item_write(&item, &line, &error), VL_ERR_MEMORY);
        vl_buf_deinit(&line);
    }
}

static void what_is_no_item_is_refused(void **state) {
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"", "no JSON"},
        {"[]", "no JSON object"},
        {"{}", "\"kind\""},
        {"{\"kind\":\"pear\",\"split\":\"train\"}", "\"kind\""},
        {"{\"kind\":\"pair\",\"split\":\"exam\"}", "\"split\""},
        {"{\"kind\":\"pair\",\"split\":\"train\",\"text\":7}", "\"text\""},
        {"{\"kind\":\"pair\",\"split\":\"train\",\"width\":-1}", "\"width\""},
        {"{\"kind\":\"pair\",\"split\":\"train\",\"width\":1e300}", "\"width\""},
        {"{\"kind\":\"pair\",\"split\":\"train\",\"id\":\"00112233445566778\"}", "\"id\""},
        {"{\"kind\":\"pair\",\"split\":\"train\",\"region\":[1,2,3]}", "\"region\""},
        {"{\"kind\":\"pair\",\"split\":\"train\",\"region\":[1,2,3,1e99]}", "\"region\""},
        {"{\"kind\":\"pair\",\"split\":\"train\",\"phash\":\"xyz\"}", "\"phash\""},
        {"{\"kind\":\"pair\",\"split\":\"train\",\"quality\":{\"ocr\":\"good\"}}", "\"ocr\""},
        {"{\"kind\":\"pair\",\"split\":\"train\",\"source\":{\"page\":1.5}}", "\"page\""},
        {"{\"kind\":\"pair\",\"split\":\"train\",\"text\":\"\xFF\"}", "UTF-8"},
    };
    vl_arena *arena = vl_arena_new(1 << 20);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_error error = {0};
        vl_item item;
        assert_int_equal(
            vl_item_read(cases[i].json, strlen(cases[i].json), arena, &item, &error),
            VL_ERR_INPUT);
        assert_non_null(strstr(error.message, cases[i].says));
    }
    vl_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_read),
        cmocka_unit_test(as_another_writer_writes),
        cmocka_unit_test(a_full_buffer_is_an_error),
        cmocka_unit_test(what_is_no_item_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
