/* Several engines on one page: no worse than the best alone, no engine asked for nothing, every
 * word explained, no record needed; and nothing of it with one engine.
 * tests/api/test_engines.py has the record, which takes three kinds of engines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ocr/panel.h"
#include "ocr_samples.h"

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new((size_t)512 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

static vl_edit_count errors_of(const vl_page *page, const char *name) {
    char transcript[256];
    vl_buf truth;
    vl_edit_count edits;
    snprintf(transcript, sizeof transcript, "%.*s.gt.txt", (int)strcspn(name, "."), name);
    sample_bytes(transcript, &truth);
    assert_int_equal(vl_text_cer(vl_page_text(arena, page), truth.data, &edits, NULL), VL_OK);
    vl_buf_deinit(&truth);
    return edits;
}

typedef struct outcome {
    vl_page *page;
    vl_ocr_engine_health health[VL_OCR_ENGINES_MAX];
} outcome;

static outcome read_sample(const char *name, const char *packs, const char *engines,
                           vl_ocr_options options) {
    outcome out = {0};
    vl_error error;
    vl_ocr *ocr = NULL;
    vl_image *image = sample(name);
    assert_int_equal(vl_ocr_engines_new(engines, &options.shared, NULL), VL_OK);
    if (vl_ocr_new(&options, &ocr, &error) ||
        vl_ocr_read(ocr, image, packs, arena, &out.page, NULL, &error))
        fail_msg("%s", error.message);
    vl_ocr_engines_health(options.shared, out.health, VL_OCR_ENGINES_MAX);
    vl_ocr_free(ocr);
    vl_ocr_engines_free(options.shared);
    vl_image_free(image);
    return out;
}

typedef void (*word_check)(const vl_word *word, const vl_line *line);

static void every_word(const vl_page *page, word_check check) {
    for (size_t b = 0; b < page->block_count; b++)
        for (size_t l = 0; l < page->blocks[b].line_count; l++)
            for (size_t w = 0; w < page->blocks[b].lines[l].word_count; w++)
                check(&page->blocks[b].lines[l].words[w], &page->blocks[b].lines[l]);
}

static void check_word(const vl_word *word, const vl_line *line) {
    assert_true(*word->text);
    assert_true(word->confidence > 0 && word->confidence <= 1);
    assert_true(word->box.width > 0 && word->box.height > 0);
    assert_true(word->box.x >= line->box.x && word->box.y >= line->box.y);
}

/* ---- errors ----------------------------------------------------------------------------- */

static void test_no_more_errors_than_tesseract(void **state) {
    static const struct {
        const char *file, *packs, *engines;
    } rows[] = {
        {"notice-eng.jpg", "eng", "tesseract,ocrad"},
        {"notice-eng.jpg", "eng", "tesseract,ocrad,gocr"},
        {"receipt-eng.jpg", "eng", "tesseract,ocrad"},
        {"notice-swh.jpg", "swa", "tesseract,tesseract-binarised,tesseract-enlarged"},
        {"notice-ara.jpg", "ara", "tesseract,tesseract-binarised"},
    };
    (void)state;
    vl_ocr_options options = vl_ocr_options_default();
    options.threshold = 1; /* everybody is asked about every line */
    bool worse = false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        outcome alone = read_sample(rows[i].file, rows[i].packs, "tesseract", options);
        outcome voted = read_sample(rows[i].file, rows[i].packs, rows[i].engines, options);
        vl_edit_count a = errors_of(alone.page, rows[i].file);
        vl_edit_count b = errors_of(voted.page, rows[i].file);
        printf("%s: %zu errors alone, %zu by %s, of %zu\n", rows[i].file, (size_t)a.edits,
               (size_t)b.edits, voted.page->engine, (size_t)b.length);
        assert_non_null(strchr(voted.page->engine, ','));
        worse |= b.edits > a.edits;
        every_word(voted.page, check_word);
    }
    assert_false(worse);
}

/* ---- lines that were missed ---------------------------------------------------------------
 */

enum { LINES_X = 100, LINES_SIZE = 24 };

/* A service that says the same of every page. */
typedef struct service {
    int socket;
    uint16_t port;
    char answer[1024];
    pthread_t thread;
} service;

static void *serve(void *arg) {
    service *s = arg;
    static char request[1 << 22];
    for (int c; (c = accept(s->socket, NULL, NULL)) >= 0; close(c)) {
        size_t have = 0, whole = sizeof request - 1;
        for (ssize_t n; have < whole && (n = read(c, request + have, whole - have)) > 0;) {
            request[have += (size_t)n] = '\0';
            const char *body = strstr(request, "\r\n\r\n");
            const char *length = strcasestr(request, "content-length:");
            if (body && length && length < body)
                whole = (size_t)(body + 4 - request) + strtoul(length + 15, NULL, 10);
        }
        dprintf(c,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                "Content-Length: %zu\r\n\r\n%s",
                strlen(s->answer), s->answer);
    }
    return NULL;
}

static void service_start(service *s) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    s->socket = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->socket, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(s->socket, 4), 0);
    assert_int_equal(getsockname(s->socket, (struct sockaddr *)&address, &size), 0);
    s->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void service_stop(service *s) {
    shutdown(s->socket, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->socket);
}

/* Letter-sized blocks on the lower margin, that Tesseract sees no text in. */
static void draw_blocks(vl_image *image, uint32_t y) {
    for (uint32_t i = 0; i < 16; i++)
        for (uint32_t row = y; row < y + LINES_SIZE; row++) {
            uint32_t bytes = image->channels, x = LINES_X + i * 2 * LINES_SIZE;
            memset(image->pixels + row * image->stride + x * bytes, 0,
                   (size_t)LINES_SIZE * bytes);
        }
}

/* What a second engine reads where the first found no line is there; what it reads where the
 * first did find one is a vote, never a second line. */
static void test_missed_lines(void **state) {
    (void)state;
    service other = {0};
    char engines[64];
    vl_error error;
    vl_ocr *ocr = NULL;
    vl_page *page = NULL;
    vl_image *image = sample("notice-eng.jpg");
    uint32_t y = image->height - 2 * LINES_SIZE;
    draw_blocks(image, y);
    snprintf(
        other.answer, sizeof other.answer,
        "{\"pages\":[{\"page\":1,\"blocks\":[{\"lines\":[{\"words\":[{\"text\":\"margin\","
        "\"box\":[%d,%u,%d,%d],\"confidence\":0.9}]},{\"words\":[{\"text\":\"over\",\"box\":"
        "[%u,%u,%u,%u],\"confidence\":0.9}]}]}]}]}",
        LINES_X, y, 31 * LINES_SIZE, LINES_SIZE, image->width / 4, image->height / 4,
        image->width / 2, image->height / 4);
    service_start(&other);
    snprintf(engines, sizeof engines, "tesseract,other=http://127.0.0.1:%u", other.port);
    vl_ocr_options options = vl_ocr_options_default();
    options.threshold = 0.01; /* nobody has to be asked about any line */
    assert_int_equal(vl_ocr_engines_new(engines, &options.shared, NULL), VL_OK);
    if (vl_ocr_new(&options, &ocr, &error) ||
        vl_ocr_read(ocr, image, "eng", arena, &page, NULL, &error))
        fail_msg("%s", error.message);
    const char *text = vl_page_text(arena, page), *found = strstr(text, "margin");
    assert_non_null(found);
    assert_null(strstr(found + 1, "margin"));
    assert_null(strstr(text, "over\n"));
    assert_non_null(strstr(page->engine, "other"));
    vl_ocr_free(ocr);
    vl_ocr_engines_free(options.shared);
    vl_image_free(image);
    service_stop(&other);
}

/* ---- who is asked ----------------------------------------------------------------------- */

static void test_settled_lines_cost_one_engine(void **state) {
    static const struct {
        double threshold;
        unsigned ocrad; /* calls: it reads the page once, however many lines ask for it */
    } rows[] = {{0.3, 0}, {1, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_ocr_options options = vl_ocr_options_default();
        options.threshold = rows[i].threshold;
        outcome out = read_sample("notice-eng.jpg", "eng", "ocrad,tesseract", options);
        assert_string_equal(out.health[0].name, "ocrad");
        assert_int_equal(out.health[0].calls, rows[i].ocrad);
        assert_int_equal(out.health[1].calls, 1);
        assert_int_equal(strstr(out.page->engine, "ocrad") != NULL, rows[i].ocrad);
    }
}

static void test_order(void **state) {
    static const struct {
        const char *list, *packs;
        bool one_line;
        const char *order;
    } rows[] = {
        {"gocr,ocrad,tesseract", "eng", false, "tesseract ocrad gocr"},
        {"gocr,ocrad,tesseract", "eng", true, "ocrad gocr tesseract"},
        {"tesseract,reader", "eng", false, "tesseract reader"},
        {"tesseract,reader", "eng", true, "reader tesseract"},
        {"gocr,tesseract-enlarged,tesseract-binarised,ocrad", "eng", false,
         "tesseract-binarised ocrad gocr tesseract-enlarged"},
        {"ocrad,tesseract", "ara", true, "tesseract"},
        {"ocrad,gocr", "eng", false, "ocrad gocr"},
        {"ocrad,gocr", "ara", false, ""},
    };
    (void)state;
    void *tesseract = NULL;
    const char *data = "/usr/share/tesseract-ocr/5/tessdata";
    assert_int_equal(vl_engine_tesseract.open(data, &tesseract, NULL), VL_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_panel panel;
        size_t order[VL_PANEL_MAX];
        char names[256] = "";
        vl_ocr_options options = vl_ocr_options_default();
        options.engines = rows[i].list;
        assert_int_equal(vl_panel_init(&panel, &options, data, tesseract, NULL), VL_OK);
        size_t count = vl_panel_order(&panel, rows[i].packs, rows[i].one_line, order);
        for (size_t k = 0; k < count; k++) {
            strcat(names, k ? " " : "");
            strcat(names, vl_panel_name(&panel, order[k]));
        }
        assert_string_equal(names, rows[i].order);
        vl_panel_deinit(&panel);
    }
    vl_engine_tesseract.close(tesseract);
}

/* ---- one engine ------------------------------------------------------------------------- */

static void check_unvoted(const vl_word *word, const vl_line *line) {
    (void)line;
    assert_null(word->vote);
}

/* No vote, no record, whatever the options say. */
static void test_one_engine_has_no_consensus(void **state) {
    vl_buf learned;
    vl_ocr_record *record;
    (void)state;
    vl_ocr_options options = vl_ocr_options_default();
    outcome plain = read_sample("notice-eng.jpg", "eng", "tesseract", options);
    assert_int_equal(vl_ocr_record_open(NULL, &record, NULL), VL_OK);
    options.threshold = 1;
    options.explain = true;
    options.record = record;
    outcome asked = read_sample("notice-eng.jpg", "eng", "tesseract", options);
    every_word(asked.page, check_unvoted);
    assert_string_equal(vl_page_text(arena, plain.page), vl_page_text(arena, asked.page));
    assert_true(plain.page->confidence == asked.page->confidence);
    vl_buf_init(&learned, 1 << 20);
    assert_int_equal(vl_ocr_record_export(record, &learned, NULL), VL_OK);
    assert_null(strstr(learned.data, "\"voice\""));
    vl_buf_deinit(&learned);
    vl_ocr_record_close(record);
}

/* ---- who said what ---------------------------------------------------------------------- */

static size_t words_with_two;

static void check_explained(const vl_word *word, const vl_line *line) {
    (void)line;
    bool supported = false;
    assert_non_null(word->vote);
    assert_true(word->vote->posterior > 0 && word->vote->posterior <= 1);
    assert_true(word->vote->count >= 1 && word->vote->count <= 2);
    assert_string_equal(word->vote->said[0].engine, "tesseract");
    for (size_t i = 0; i < word->vote->count; i++) {
        const vl_word_said *said = &word->vote->said[i];
        assert_true(said->weight >= 0 && said->weight <= 1);
        assert_true(said->probability >= 0 && said->probability <= 1);
        supported |= strstr(word->text, said->text) != NULL && *said->text;
    }
    words_with_two += word->vote->count == 2;
    assert_true(supported);
}

static void test_explained(void **state) {
    (void)state;
    vl_ocr_options options = vl_ocr_options_default();
    options.threshold = 1;
    options.explain = true;
    outcome out = read_sample("notice-eng.jpg", "eng", "tesseract,ocrad", options);
    words_with_two = 0;
    every_word(out.page, check_explained);
    assert_true(words_with_two * 10 > vl_page_word_count(out.page) * 9);
}

/* ---- the record ------------------------------------------------------------------------- */

/* Readers learn into the one that they share, and a page reads as it does with a record of its
 * reader's own. */
static void test_a_shared_record(void **state) {
    vl_buf learned;
    vl_ocr_record *record;
    (void)state;
    vl_ocr_options options = vl_ocr_options_default();
    options.threshold = 1;
    outcome alone = read_sample("notice-eng.jpg", "eng", "tesseract,ocrad", options);
    assert_int_equal(vl_ocr_record_open(NULL, &record, NULL), VL_OK);
    options.record = record;
    outcome shared = read_sample("notice-eng.jpg", "eng", "tesseract,ocrad", options);
    assert_non_null(strstr(shared.page->engine, "ocrad"));
    assert_string_equal(vl_page_text(arena, alone.page), vl_page_text(arena, shared.page));
    assert_true(alone.page->confidence == shared.page->confidence);
    vl_buf_init(&learned, 1 << 20);
    assert_int_equal(vl_ocr_record_export(record, &learned, NULL), VL_OK);
    assert_non_null(strstr(learned.data, "{\"voice\": \"ocrad\", \"script\": \"Latn\", "
                                         "\"language\": \"eng\""));
    vl_buf_deinit(&learned);
    vl_ocr_record_close(record);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_more_errors_than_tesseract),
        cmocka_unit_test(test_missed_lines),
        cmocka_unit_test(test_settled_lines_cost_one_engine),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_one_engine_has_no_consensus),
        cmocka_unit_test(test_explained),
        cmocka_unit_test(test_a_shared_record),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
