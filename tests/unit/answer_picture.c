/* Photographs: what the picture model adds to an answer, when the text comes first, what is
 * said below the threshold, and the model's abilities one by one. The model has random weights
 * (tools/tiny_seer.h): tests hold what is done with its words, never the words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../tools/tiny_seer.h"
#include "answer/picture.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SURE_FILE TEST_BINARY_DIR "/answer_picture_sure.gguf"
#define UNSURE_FILE TEST_BINARY_DIR "/answer_picture_unsure.gguf"

static vl_arena *arena;
static place_names *places;
static vl_seer *sure, *unsure;
static vl_image *photograph;

static vl_image *make_photograph(void) {
    vl_image *image;
    uint32_t noise = 1;
    assert_int_equal(vl_image_new(96, 64, 3, &image, NULL), VL_OK);
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width * 3; x++) {
            noise = noise * 1664525 + 1013904223;
            image->pixels[y * image->stride + x] = (uint8_t)(x / 2 + y + noise % 32);
        }
    return image;
}

static int set_up(void **state) {
    (void)state;
    setenv("VISLANG_DATA", TEST_SOURCE_DIR, 1);
    arena = vl_arena_new(256 << 20);
    places = place_names_new(NULL);
    photograph = make_photograph();
    return arena && places && !tiny_seer_write(SURE_FILE, 0, NULL) &&
                   !tiny_seer_write(UNSURE_FILE, 2, NULL) &&
                   !vl_seer_open(SURE_FILE, &sure, NULL) &&
                   !vl_seer_open(UNSURE_FILE, &unsure, NULL)
               ? 0
               : -1;
}

static int tear_down(void **state) {
    (void)state;
    vl_seer_free(sure);
    vl_seer_free(unsure);
    vl_image_free(photograph);
    place_names_free(places);
    vl_arena_free(arena);
    unlink(SURE_FILE);
    unlink(UNSURE_FILE);
    return 0;
}

/* A page whose lines are those of `text`, each word as confident as given. */
static vl_page *page_of(const char *text, double confidence) {
    vl_page *page = vl_arena_alloc(arena, sizeof *page);
    *page = (vl_page){.width = 400, .height = 300, .confidence = confidence};
    page->blocks = vl_arena_array(arena, 1, sizeof *page->blocks);
    vl_block *block = &page->blocks[0];
    *block = (vl_block){.kind = VL_BLOCK_PARAGRAPH, .confidence = confidence};
    block->lines = vl_arena_array(arena, 16, sizeof *block->lines);
    char *copy = vl_arena_strdup(arena, text), *at = copy;
    for (int32_t y = 10; at && *at && block->line_count < 16; y += 30) {
        char *end = strchr(at, '\n'), *save = NULL;
        if (end)
            *end = '\0';
        vl_line *line = &block->lines[block->line_count++];
        *line = (vl_line){.box = {10, y, 300, 20}, .confidence = confidence};
        line->words = vl_arena_array(arena, 64, sizeof *line->words);
        int32_t x = 10;
        for (char *word = strtok_r(at, " ", &save); word && line->word_count < 64;
             word = strtok_r(NULL, " ", &save), x += 40)
            line->words[line->word_count++] =
                (vl_word){.text = word, .box = {x, y, 35, 20}, .confidence = confidence};
        at = end ? end + 1 : NULL;
    }
    page->block_count = block->line_count ? 1 : 0;
    return page;
}

static reading read_text(const char *text, double confidence) {
    reading r;
    vl_page **pages = vl_arena_array(arena, 1, sizeof *pages);
    pages[0] = page_of(text, confidence);
    reading_make(&r, pages, 1, arena);
    r.places = places;
    find_titles(&r);
    find_dates(&r);
    find_contacts(&r);
    find_amounts(&r);
    find_fields(&r);
    find_places(&r);
    return r;
}

/* What is answered about a photograph with this text in it. */
static vl_answer ask(const vl_seer *seer, const char *text, double confidence,
                     const char *instruction) {
    picture_view view = {.seer = seer};
    vl_picture_look look = {.kind = VL_PICTURE_PHOTO};
    vl_answer answer = {.document_kind = "photograph", .document_pages = 1};
    reading r = read_text(text, confidence);
    assert_int_equal(picture_look(&view, photograph, &look, NULL), VL_OK);
    assert_true(picture_is_photograph(&view, &r));
    assert_int_equal(picture_see(&view, arena, &answer, NULL), VL_OK);
    r.view = &view;
    if (*instruction)
        respond(&r, instruction, &answer);
    else
        describe(&r, &answer);
    assert_false(r.full);
    assert_non_null(answer.response);
    picture_view_deinit(&view);
    return answer;
}

/* ---- answers ------------------------------------------------------------------------ */

#define SHOWS "A photograph. It shows: "
static const char sign[] = "Clinic hours\nTel: +254 711 555 014\nOpened 14 March 2026";

static void test_who_answers(void **state) {
    static const struct {
        const char *text, *instruction, *expected; /* NULL: what the model answered */
        bool asked, used, refused;
    } rows[] = {
        {"", "", SHOWS, false, true, false},
        {"", "describe it", SHOWS, false, true, false},
        {"", "What is this?", SHOWS, false, true, false},
        {"", "what do you see in the picture", SHOWS, false, true, false},
        {"", "What is happening here?", SHOWS, false, true, false},
        {"", "summarise", SHOWS, false, true, false},
        {"", "what is the man doing?", NULL, true, true, false},
        {"", "how many dogs are there?", NULL, true, true, false},
        {"", "which phone number?", NULL, true, true, false},
        {"", "where is the dog?", NULL, true, true, false},
        {"", "what does it say?", "no text", false, false, false},
        {"", "which language?", "too little text", false, false, false},
        {"", "translate it", "can't translate", false, false, true},
        {sign, "", "Text in it: \"Clinic hours / ", false, true, false},
        {sign, "which phone number?", "+254 711 555 014", false, false, false},
        {sign, "what is the date?", "14 March 2026", false, false, false},
        {sign, "what does it say?", "Clinic hours", false, false, false},
        {sign, "what is it about?", NULL, true, true, false},
        {sign, "what colour is the wall?", NULL, true, true, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_answer a = ask(sure, rows[i].text, 0.9, rows[i].instruction);
        const char *expected = rows[i].expected ? rows[i].expected : a.seen->answer.text;
        if (!expected || !strstr(a.response, expected))
            fail_msg("%s: %s", rows[i].instruction, a.response);
        assert_int_equal(a.seen->question != NULL, rows[i].asked);
        assert_int_equal(a.seen->used, rows[i].used);
        assert_int_equal(a.refused, rows[i].refused);
        if (rows[i].asked)
            assert_float_equal(a.confidence, a.seen->answer.confidence, 1e-9);
        vl_arena_reset(arena);
    }
}

static void test_unsure_is_said(void **state) {
    (void)state;
    vl_answer a = ask(unsure, "", 0.9, "");
    assert_non_null(
        strstr(a.response, "I can't tell for certain what it shows; my best guess"));
    assert_null(strstr(a.response, "Scene:"));
    assert_float_equal(a.confidence, a.seen->caption.confidence, 1e-9);
    a = ask(unsure, "", 0.9, "is it raining?");
    assert_non_null(strstr(a.response, "I can't tell from this picture."));
    assert_non_null(strstr(a.response, a.seen->answer.text));
    vl_arena_reset(arena);
}

static void test_words_that_the_engine_doubts_are_not_quoted(void **state) {
    (void)state;
    assert_null(strstr(ask(sure, "iil wvw", 0.3, "").response, "Text in it"));
    vl_answer a = ask(sure, "STOP", 0.9, "");
    assert_non_null(strstr(a.response, "Text in it: \"STOP\"."));
    assert_int_equal(a.evidence_count, 1);
    vl_arena_reset(arena);
}

static void test_a_question_too_long_is_refused(void **state) {
    char question[1200];
    (void)state;
    for (size_t i = 0; i + 1 < sizeof question; i++)
        question[i] = i % 6 == 5 ? ' ' : (char)('a' + i * 7 % 26);
    question[sizeof question - 1] = '\0';
    vl_answer a = ask(sure, "", 0.9, question);
    assert_true(a.refused);
    assert_non_null(strstr(a.response, "tokens"));
    assert_float_equal(a.confidence, 0, 0);
    vl_arena_reset(arena);
}

static void test_pages_are_not_looked_at(void **state) {
    (void)state;
    picture_view view = {.seer = sure}, nobody = {0};
    vl_picture_look page = {.kind = VL_PICTURE_PAGE}, photo = {.kind = VL_PICTURE_PHOTO};
    reading few = read_text("STOP", 0.9), many = read_text("", 0.9);
    assert_int_equal(picture_look(&view, photograph, &page, NULL), VL_OK);
    assert_false(picture_is_photograph(&view, &few));
    assert_int_equal(picture_look(&nobody, photograph, &photo, NULL), VL_OK);
    assert_false(picture_is_photograph(&nobody, &few));
    assert_int_equal(picture_look(&view, photograph, &photo, NULL), VL_OK);
    assert_true(picture_is_photograph(&view, &few));
    many = read_text("one two three four five six seven eight nine ten eleven\n"
                     "one two three four five six seven eight nine ten eleven\n"
                     "one two three four five six seven eight nine ten eleven",
                     0.9);
    assert_false(picture_is_photograph(&view, &many));
    picture_view_deinit(&view);
    vl_arena_reset(arena);
}

/* ---- abilities ---------------------------------------------------------------------- */

static void test_requests_are_checked(void **state) {
    static const struct {
        vl_picture_request request;
        vl_status status;
        const char *words;
    } rows[] = {
        {{.task = VL_PICTURE_CAPTION}, VL_OK, ""},
        {{.task = VL_PICTURE_CAPTION, .language = "fr"}, VL_OK, ""},
        {{.task = VL_PICTURE_CAPTION, .language = "xx"}, VL_ERR_USAGE, "en, fr"},
        {{.task = VL_PICTURE_LABELS}, VL_OK, ""},
        {{.task = VL_PICTURE_LABELS, .set = "kind"}, VL_OK, ""},
        {{.task = VL_PICTURE_LABELS, .set = "mood"}, VL_ERR_USAGE, "scene, kind"},
        {{.task = VL_PICTURE_LABELS, .set = "untaught"}, VL_ERR_USAGE, "scene, kind"},
        {{.task = VL_PICTURE_ASK, .text = "what is it?"}, VL_OK, ""},
        {{.task = VL_PICTURE_ASK}, VL_ERR_USAGE, "the question is empty"},
        {{.task = VL_PICTURE_STATEMENT, .text = " \n"}, VL_ERR_USAGE, "the statement is empty"},
        {{.task = VL_PICTURE_ASK, .text = "\xff"}, VL_ERR_INPUT, "UTF-8"},
        {{.task = VL_PICTURE_ASK, .text = "a\x1b[2J"}, VL_ERR_INPUT, "control"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error = {0};
        assert_int_equal(vl_picture_request_check(sure, &rows[i].request, &error),
                         rows[i].status);
        if (!strstr(error.message, rows[i].words))
            fail_msg("row %zu: %s", i, error.message);
    }
}

static bool has(const cJSON *object, const char *names) {
    char copy[256], *save = NULL;
    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save))
        if (!cJSON_HasObjectItem(object, name))
            return false;
    return true;
}

static void test_abilities(void **state) {
    static const struct {
        vl_picture_request request;
        const char *names;
    } rows[] = {
        {{.task = VL_PICTURE_CAPTION, .language = "fr"},
         "caption language confidence sure processing_time_ms model_info"},
        {{.task = VL_PICTURE_ASK, .text = "what is it?"},
         "question answer confidence sure processing_time_ms model_info"},
        {{.task = VL_PICTURE_STATEMENT, .text = "There is a dog."},
         "statement answer probability confidence sure processing_time_ms model_info"},
        {{.task = VL_PICTURE_LABELS}, "set labels processing_time_ms model_info"},
    };
    vl_media_limits limits = vl_media_limits_default();
    vl_seer_session *session = vl_seer_session_new(sure);
    vl_buf png;
    (void)state;
    vl_buf_init(&png, 1 << 20);
    assert_non_null(session);
    assert_int_equal(vl_image_encode_png(photograph, &png, NULL), VL_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error = {0};
        vl_picture_reply *reply;
        vl_picture_request request = rows[i].request;
        request.bytes = png.data;
        request.count = png.len;
        request.writing = vl_seer_writing_default();
        assert_int_equal(
            vl_picture_answer(sure, session, &limits, &request, arena, &reply, &error), VL_OK);
        assert_string_equal(reply->version, "tiny-1");
        cJSON *json = vl_picture_reply_to_json(reply);
        assert_true(has(json, rows[i].names));
        cJSON_Delete(json);
        request.page = 1;
        assert_int_equal(
            vl_picture_answer(sure, session, &limits, &request, arena, &reply, &error),
            VL_ERR_INPUT);
        assert_null(reply);
        assert_non_null(strstr(error.message, "no page 2"));
        request.bytes = "plain text, no picture";
        request.count = strlen(request.bytes);
        assert_int_equal(
            vl_picture_answer(sure, session, &limits, &request, arena, &reply, &error),
            VL_ERR_UNSUPPORTED);
    }
    vl_buf_deinit(&png);
    vl_seer_session_free(session);
    vl_arena_reset(arena);
}

static void test_a_model_that_is_not_there(void **state) {
    vl_error error = {0};
    vl_config *config;
    vl_seer *seer;
    vl_setting nowhere = {"model_path", "/nonexistent/seer.gguf"},
               here = {"model_path", SURE_FILE};
    (void)state;
    assert_int_equal(vl_config_load(NULL, &nowhere, 1, &config, &error), VL_OK);
    assert_int_equal(vl_picture_model_open(config, &seer, &error), VL_ERR_MISSING);
    assert_null(seer);
    assert_non_null(strstr(error.message, "/nonexistent/seer.gguf"));
    vl_config_free(config);
    assert_int_equal(vl_config_load(NULL, &here, 1, &config, &error), VL_OK);
    assert_int_equal(vl_picture_model_open(config, &seer, &error), VL_OK);
    assert_string_equal(vl_seer_name(seer), "seer");
    vl_seer_free(seer);
    vl_config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_answers),
        cmocka_unit_test(test_unsure_is_said),
        cmocka_unit_test(test_words_that_the_engine_doubts_are_not_quoted),
        cmocka_unit_test(test_a_question_too_long_is_refused),
        cmocka_unit_test(test_pages_are_not_looked_at),
        cmocka_unit_test(test_requests_are_checked),
        cmocka_unit_test(test_abilities),
        cmocka_unit_test(test_a_model_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
