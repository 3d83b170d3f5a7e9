/* Tests of lines cut out of real scans: what of a transcript stands in a line, by table; a page
 * and a line rendered here, written as scans are and cut again; and folders that hold something
 * else than they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/fonts.h"
#include "dataset/render.h"
#include "dataset/transcript.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER TEST_BINARY_DIR "/dataset_scans"
#define TAR FOLDER "/lines.tar"

static vl_arena *arena;

/* ---- transcripts ---------------------------------------------------------------------------
 */

enum { MAX_LINES = 6 };
typedef struct place_row {
    const char *what, *transcript, *readings[MAX_LINES], *texts[MAX_LINES];
} place_row;

#define OLIVE "The olive harvest began early"
#define RIVER "below the river, where the"
#define STONE "stone walls keep the wind away"

static const place_row rows[] = {
    {"line for line",
     OLIVE "\n" RIVER "\n" STONE,
     {OLIVE, RIVER, STONE},
     {OLIVE, RIVER, STONE}},
    {"mistakes of the reading",
     OLIVE "\n" RIVER "\n" STONE,
     {"Tne 0live harvest hegan earlv", "helow the rivcr. wliere tbe",
      "stonc vvalls keep thc wind avvay"},
     {OLIVE, RIVER, STONE}},
    {"one paragraph",
     OLIVE " " RIVER " " STONE,
     {OLIVE, "below the rivcr, whcre the", STONE},
     {OLIVE, RIVER, STONE}},
    {"other order, one missing, one of another page",
     OLIVE "\n" RIVER "\n" STONE,
     {STONE, "printed in the year 1893 by J. Adams", OLIVE},
     {STONE, NULL, OLIVE}},
    {"no better than a third", OLIVE "\n" RIVER, {"Tbc ohvc liarvcst bcgaii carlv"}, {NULL}},
    {"cut off at the end", OLIVE "\n" RIVER, {"The olive harvest be"}, {NULL}},
    {"the box has not the whole line",
     OLIVE "\n" RIVER,
     {"olive harvest began early"},
     {"olive harvest began early"}},
    {"the first letter was not read", OLIVE "\n" RIVER, {"he olive harvest began"}, {NULL}},
    {"half of a line beside another column",
     OLIVE "\n" RIVER "\n" STONE,
     {OLIVE " and 17 boxes of figs were sold at"},
     {NULL}},
    {"low lines under words",
     "_DATE _LIMITE : 1 mai\nvar_name",
     {"DATE LIMITE : 1 mai", "var_name"},
     {"DATE LIMITE : 1 mai", "var_name"}},
    {"specks at both ends", OLIVE "\n" RIVER, {"| " OLIVE " ."}, {OLIVE}},
    {"hyphens as soft ones and not signs",
     "con\xC2\xAD\nsumiu entre os poli\xC2\xAC\nticos do setor",
     {"con-", "sumiu entre os poli-", "ticos do setor"},
     {"con-", "sumiu entre os poli-", "ticos do setor"}},
    {"a word that only the page cuts",
     "the approach is from the north, therefore the usual position of the compass is inverted",
     {"the approach is from the north, there-", "fore the usual position of the com-",
      "pass is inverted"},
     {"the approach is from the north, there-", "fore the usual position of the com-",
      "pass is inverted"}},
    {"the second half of a word alone",
     "the approach is from the north, therefore the usual position",
     {"fore the usual position"},
     {NULL}},
    {"the same line twice", STONE "\n" OLIVE "\n" STONE, {STONE, STONE}, {STONE, STONE}},
    {"a line twice on the page and once in the transcript",
     STONE "\n" OLIVE,
     {STONE, STONE},
     {STONE, NULL}},
    {"two that are nearly alike",
     "Paid in cash 31.10\nPaid in cash 41.10",
     {"Paid in cash 31.10", "Paid in cash 41.10", "Paid in cash 81.10"},
     {"Paid in cash 31.10", "Paid in cash 41.10", NULL}},
    {"a short line by its breaks", "7.00\nCASH\n17.00", {"CASH", "7.00"}, {"CASH", "7.00"}},
    {"a short line that is anywhere", OLIVE, {"e"}, {NULL}},
    {"columns of a table", "SUB TOTAL\n7.00\nCASH", {"SUB TOTAL 7.00"}, {"SUB TOTAL 7.00"}},
    {"marks on other letters",
     "nyə shwal í zə bə mwân mwo̧\nbúdúmʉ́d. Mwân shwal",
     {"nya shwal i zə ba mwân mwo", "budumud. Mwân shwal"},
     {"nyə shwal í zə bə mwân mwo̧", "búdúmʉ́d. Mwân shwal"}},
    {"from right to left",
     "المسلمين بحربهم ونزل بهم\nفتحصنوا منه في الحصون",
     {"المسلمين بحريهم ونزل بهم", "فتحصنوا منه فى الحصون"},
     {"المسلمين بحربهم ونزل بهم", "فتحصنوا منه في الحصون"}},
    {"an empty transcript", "", {OLIVE}, {NULL}},
    {"a transcript of white space", " \n\n\t", {OLIVE, ""}, {NULL, NULL}},
    {"an empty reading", OLIVE, {"", "   "}, {NULL, NULL}},
};

static void test_places(void **state) {
    transcript_rules rules = transcript_rules_default();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const place_row *row = &rows[i];
        transcript_line lines[MAX_LINES];
        size_t count = 0;
        for (; count < MAX_LINES && row->readings[count]; count++)
            lines[count].reading = row->readings[count];
        vl_arena_reset(arena);
        assert_int_equal(transcript_place(arena, row->transcript, &rules, lines, count, NULL),
                         VL_OK);
        for (size_t k = 0; k < count; k++) {
            const char *want = row->texts[k], *is = lines[k].text;
            if ((!want != !is) || (want && strcmp(want, is) != 0))
                fail_msg("%s, line %zu: '%s', not '%s' (%.2f wrong)", row->what, k,
                         is ? is : "nothing", want ? want : "nothing", lines[k].cer);
        }
    }
}

static void test_case_of_reading(void **state) {
    transcript_rules rules = transcript_rules_default();
    transcript_line lines[] = {{.reading = "Grand Tota1 Incl. GST"}, {.reading = "2ty(s) : 1"}};
    (void)state;
    rules.has_case = false;
    vl_arena_reset(arena);
    assert_int_equal(
        transcript_place(arena, "GRAND TOTAL INCL. GST\nQTY(S) : 1", &rules, lines, 2, NULL),
        VL_OK);
    assert_string_equal(lines[0].text, "Grand Total Incl. GST");
    assert_string_equal(lines[1].text, "Qty(s) : 1");
}

static void test_no_memory(void **state) {
    transcript_rules rules = transcript_rules_default();
    transcript_line line = {.reading = OLIVE};
    vl_arena *small = vl_arena_new(256);
    (void)state;
    assert_int_equal(transcript_place(small, OLIVE, &rules, &line, 1, NULL), VL_ERR_MEMORY);
    vl_arena_free(small);
}

/* ---- a page made here
 * ------------------------------------------------------------------------
 */

static const char *const page[] = {
    "Seven villages along the lower Tana received seed and tools",
    "before the long rains. In Garsen the market opened again on",
    "Thursday, and two boats now carry passengers to the clinic at",
    "Witu. The committee asks for 340 more sheets of corrugated",
    "iron, which the district engineer promised in February.",
};
enum { PAGE_LINES = sizeof page / sizeof *page, PAGE_WIDTH = 1400, PITCH = 62, MARGIN = 120 };

static void lay(vl_image *onto, const rendered *line, int x, int y) {
    for (uint32_t row = 0; row < line->image->height; row++)
        for (uint32_t i = 0; i < line->image->width; i++) {
            uint8_t *to = onto->pixels + ((uint32_t)y + row) * onto->stride + (uint32_t)x + i;
            uint8_t ink = line->image->pixels[row * line->image->stride + i];
            *to = ink < *to ? ink : *to;
        }
}

static void save(const vl_image *image, const char *name) {
    char path[512];
    vl_buf png;
    vl_buf_init(&png, 16 << 20);
    snprintf(path, sizeof path, FOLDER "/%s", name);
    assert_int_equal(vl_image_encode_png(image, &png, NULL), VL_OK);
    assert_int_equal(vl_file_write(path, png.data, png.len, NULL), VL_OK);
    vl_buf_deinit(&png);
}

static void write_text(const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, FOLDER "/%s", name);
    assert_int_equal(vl_file_write(path, text, strlen(text), NULL), VL_OK);
}

/* The page as page.png, and its first line with much paper around it as line.png. */
static void draw_page(void) {
    font_set fonts;
    vl_image *whole = NULL, *line = NULL;
    assert_int_equal(font_set_open(VL_SYNTH_FONTS_ALL, &fonts, NULL), VL_OK);
    render_style style = {.size = 34};
    for (size_t i = 0; i < fonts.count; i++)
        if (!strcmp(fonts.faces[i].family, "DejaVu Serif") ||
            (!style.face && fonts.faces[i].scripts[VL_SCRIPT_LATIN]))
            style.face = &fonts.faces[i];
    assert_non_null(style.face);
    renderer *r = renderer_new();
    assert_int_equal(vl_image_new(PAGE_WIDTH, 2 * MARGIN + PAGE_LINES * PITCH, 1, &whole, NULL),
                     VL_OK);
    assert_int_equal(vl_image_new(PAGE_WIDTH, 300, 1, &line, NULL), VL_OK);
    memset(whole->pixels, 255, whole->stride * whole->height);
    memset(line->pixels, 255, line->stride * line->height);
    for (size_t i = 0; i < PAGE_LINES; i++) {
        rendered out;
        assert_true(render_line(r, &style, "en", page[i], 4, PAGE_WIDTH - MARGIN - 8, &out));
        lay(whole, &out, MARGIN, MARGIN + (int)i * PITCH);
        if (i == 0)
            lay(line, &out, MARGIN, MARGIN);
        vl_image_free(out.image);
    }
    whole->dpi = line->dpi = 250;
    save(whole, "page.png");
    save(line, "line.png");
    vl_image_free(whole);
    vl_image_free(line);
    renderer_free(r);
    font_set_deinit(&fonts);
}

static int prepare(void **state) {
    (void)state;
    if (vl_dir_make(FOLDER, NULL) || !(arena = vl_arena_new((size_t)256 << 20)))
        return -1;
    draw_page();
    return 0;
}

static int finish(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* ---- cutting it
 * ------------------------------------------------------------------------------
 */

#define HEAD "set\tid\timage\tdoc\ttesseract_lang\tunit\n"

static vl_status run(const char *manifest, vl_scan_half half, vl_scan_lines_report *report,
                     vl_error *error) {
    vl_scan_lines_options options = vl_scan_lines_options_default();
    write_text("MANIFEST.tsv", manifest);
    remove(TAR);
    options.folder = FOLDER;
    options.out = TAR;
    options.alphabet = TEST_SOURCE_DIR "/models/reader-alphabet.txt";
    options.half = half;
    return vl_scan_lines_write(&options, report, error);
}

static bool has_tar(void) {
    FILE *file = fopen(TAR, "rb");
    if (file)
        fclose(file);
    return file != NULL;
}

/* Calls `see` with every line of the tar, picture and text. */
static size_t each_line(void (*see)(size_t number, const vl_image *image, const cJSON *about)) {
    vl_buf tar;
    size_t count = 0, at = 0;
    vl_media_limits limits = vl_media_limits_default();
    vl_image *image = NULL;
    vl_buf_init(&tar, 64 << 20);
    assert_int_equal(vl_file_read(TAR, 64 << 20, &tar, NULL), VL_OK);
    while (at + 512 <= tar.len && tar.data[at]) {
        size_t bytes = strtoul(tar.data + at + 124, NULL, 8);
        const char *name = tar.data + at, *body = tar.data + at + 512;
        assert_true(at + 512 + bytes <= tar.len);
        if (strstr(name, ".png")) {
            assert_null(image);
            assert_int_equal(vl_document_first(body, bytes, &limits, &image, NULL), VL_OK);
        } else {
            cJSON *about = cJSON_ParseWithLength(body, bytes);
            assert_non_null(about);
            assert_non_null(image);
            see(count++, image, about);
            cJSON_Delete(about);
            vl_image_free(image);
            image = NULL;
        }
        at += 512 + (bytes + 511) / 512 * 512;
    }
    vl_buf_deinit(&tar);
    return count;
}

static void see_page(size_t number, const vl_image *image, const cJSON *about) {
    static const char *const keys[] = {"text", "script", "language", "source"};
    const char *values[] = {page[number], "latin", "en", "made/page"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(about, keys[i])),
                            values[i]);
    assert_in_range(image->height, VL_SYNTH_HEIGHT_MIN, VL_SYNTH_HEIGHT_MAX);
    assert_in_range(image->width, 15 * image->height, VL_SYNTH_WIDTH_MAX);
    assert_int_equal(image->channels, 1);
}

/* The transcript has its first line's number in front, lines in another order, and one
 * paragraph for two of them. */
static void test_page(void **state) {
    char truth[1024];
    vl_scan_lines_report report;
    vl_error error = {0};
    (void)state;
    snprintf(truth, sizeof truth, "%s\n%s\n\n%s\n%s %s\n", page[4], page[2], page[0], page[1],
             page[3]);
    write_text("page.gt.txt", truth);
    vl_status status =
        run(HEAD "made\tpage\tpage.png\t\teng\tpage\n", VL_SCANS_ALL, &report, &error);
    if (status)
        fail_msg("%s", error.message);
    assert_int_equal(report.lines, PAGE_LINES);
    assert_int_equal(report.by_script[VL_SCRIPT_LATIN], PAGE_LINES);
    assert_int_equal(report.set_count, 1);
    assert_int_equal(report.sets[0].found, PAGE_LINES);
    assert_int_equal(each_line(see_page), PAGE_LINES);
    vl_scan_lines_report_deinit(&report);
}

/* Boxes as a person draws them, with a margin; the last holds no ink, and one before it is
 * none. */
static void write_boxes(void) {
    char json[2048];
    size_t used = 0;
    for (size_t i = 0; i < PAGE_LINES; i++)
        used += (size_t)snprintf(json + used, sizeof json - used,
                                 "%s{\"text\":\"%s\",\"box\":[%d,%d,%d,%d]}", i ? "," : "[",
                                 page[i], MARGIN - 10, MARGIN + (int)i * PITCH - 2,
                                 PAGE_WIDTH - 20, MARGIN + (int)(i + 1) * PITCH - 6);
    snprintf(json + used, sizeof json - used,
             ",{\"text\":\"lost\",\"box\":[5,\"x\",9,9]},{\"box\":[1,1,9,9]},"
             "{\"text\":\"paper\",\"box\":[0,0,1e9,40]}]");
    write_text("page.boxes.json", json);
}

/* The boxes say which line is where; nothing is read, so that a transcript of other words does
 * no harm. What is a line of the other half too is left to it. */
static void test_boxes(void **state) {
    static const char *const halves =
        HEAD "made\tpage\tpage.png\ta\teng\tpage\nmade\tline\tline.png\tb\teng\tline\n";
    vl_scan_lines_report all, adapt, score;
    (void)state;
    write_text("page.gt.txt", "1895, at the registrar's");
    write_text("line.gt.txt", page[3]);
    write_boxes();
    assert_int_equal(run(HEAD "made\tpage\tpage.png\t\teng\tpage\n", VL_SCANS_ALL, &all, NULL),
                     VL_OK);
    assert_int_equal(all.sets[0].found, PAGE_LINES + 3);
    assert_int_equal(all.sets[0].unfit, 3);
    assert_int_equal(all.lines, PAGE_LINES);
    assert_int_equal(each_line(see_page), PAGE_LINES);
    assert_int_equal(run(halves, VL_SCANS_ADAPT, &adapt, NULL), VL_OK);
    assert_int_equal(run(halves, VL_SCANS_SCORE, &score, NULL), VL_OK);
    const vl_scan_lines_set *boxed = adapt.sets[0].found > 1 ? adapt.sets : score.sets;
    assert_int_equal(boxed->of_other_half, 1);
    assert_int_equal(boxed->lines, PAGE_LINES - 1);
    assert_int_equal(adapt.lines + score.lines, PAGE_LINES);
    write_text("page.boxes.json", "{\"no\": \"array\"}");
    vl_scan_lines_report_deinit(&all);
    assert_int_equal(run(HEAD "made\tpage\tpage.png\t\teng\tpage\n", VL_SCANS_ALL, &all, NULL),
                     VL_ERR_INPUT);
    assert_int_equal(all.sets[0].found, PAGE_LINES); /* by Tesseract */
    remove(FOLDER "/page.boxes.json");
    vl_scan_lines_report_deinit(&all);
    vl_scan_lines_report_deinit(&adapt);
    vl_scan_lines_report_deinit(&score);
}

/* Its paper is gone: the ink is 1,000 pixels and more by 40 or so. */
static void see_line(size_t number, const vl_image *image, const cJSON *about) {
    assert_int_equal(number, 0);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(about, "text")), page[0]);
    assert_in_range(image->height, VL_SYNTH_HEIGHT_MIN, VL_SYNTH_HEIGHT_MAX);
    assert_in_range(image->width, 15 * image->height, 40 * image->height);
}

static void test_line(void **state) {
    vl_scan_lines_report report;
    vl_error error = {0};
    (void)state;
    write_text("line.gt.txt", page[0]);
    vl_status status =
        run(HEAD "made\tline\tline.png\t\teng\tline\n", VL_SCANS_ALL, &report, &error);
    if (status)
        fail_msg("%s", error.message);
    assert_int_equal(each_line(see_line), 1);
    vl_scan_lines_report_deinit(&report);
}

/* Two documents, one for each half; training sees what is not for the score. */
static void test_halves(void **state) {
    static const char *const manifest =
        HEAD "made\tpage\tpage.png\ta\teng\tpage\nmade\tline\tline.png\tb\teng\tline\n";
    vl_scan_lines_report adapt, score;
    (void)state;
    write_text("line.gt.txt", page[0]);
    write_text("page.gt.txt", page[2]);
    assert_int_equal(vl_scan_lines_options_default().half, VL_SCANS_ADAPT);
    assert_int_equal(run(manifest, VL_SCANS_ADAPT, &adapt, NULL), VL_OK);
    assert_int_equal(run(manifest, VL_SCANS_SCORE, &score, NULL), VL_OK);
    assert_int_equal(adapt.sets[0].items, 1);
    assert_int_equal(score.sets[0].items, 1);
    assert_int_equal(adapt.sets[0].found + score.sets[0].found, PAGE_LINES + 1);
    vl_scan_lines_report_deinit(&adapt);
    vl_scan_lines_report_deinit(&score);
}

/* What cannot be used yields nothing, and no file. */
static void test_useless(void **state) {
    static const struct {
        const char *what, *manifest, *transcript;
        vl_status status;
    } bad[] = {
        {"empty transcript", HEAD "m\tp\tpage.png\t\teng\tpage\n", "", VL_ERR_INPUT},
        {"another page's transcript", HEAD "m\tp\tpage.png\t\teng\tpage\n",
         "It is a truth universally acknowledged, that a single man in possession\n"
         "of a good fortune, must be in want of a wife. However little known the\n"
         "feelings or views of such a man may be on his first entering a neighbourhood\n",
         VL_ERR_INPUT},
        {"another script's", HEAD "m\tp\tline.png\t\teng\tline\n", "中文", VL_ERR_INPUT},
        {"missing picture", HEAD "m\tp\tnowhere.png\t\teng\tpage\n", "text", VL_ERR_INPUT},
        {"a picture that is text", HEAD "m\tp\tpage.gt.txt\t\teng\tpage\n", "text",
         VL_ERR_INPUT},
        {"outside the folder", HEAD "m\tp\t../page.png\t\teng\tpage\n", "text", VL_ERR_INPUT},
        {"unknown pack", HEAD "m\tp\tpage.png\t\tklingon\tpage\n", "text", VL_ERR_USAGE},
        {"no manifest's columns", "a\tb\n", "text", VL_ERR_INPUT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        vl_scan_lines_report report;
        vl_error error = {0};
        write_text("page.gt.txt", bad[i].transcript);
        write_text("line.gt.txt", bad[i].transcript);
        write_text("nowhere.gt.txt", bad[i].transcript);
        vl_status status = run(bad[i].manifest, VL_SCANS_ALL, &report, &error);
        if (status != bad[i].status || !*error.message || has_tar())
            fail_msg("%s: %s (%s)", bad[i].what, vl_status_name(status), error.message);
        vl_scan_lines_report_deinit(&report);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),    cmocka_unit_test(test_case_of_reading),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_page),
        cmocka_unit_test(test_line),      cmocka_unit_test(test_halves),
        cmocka_unit_test(test_boxes),     cmocka_unit_test(test_useless),
    };
    vl_log_set_level(VL_LOG_ERROR);
    return cmocka_run_group_tests(tests, prepare, finish);
}
