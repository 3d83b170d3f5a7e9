/* Engines fitted on lines of a sample that say what they say: the counts are theirs, the file
 * can be read, the vote is no worse than the best of them; and recipes that cannot be followed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ocr/voices.h"
#include "ocr_samples.h"

#include <vislang/ocr.h>
#include <vislang/train.h>

static char folder[256];

static void path_of(char out[512], const char *name) {
    snprintf(out, 512, "%s/%s", folder, name);
}

static void write_text(const char *name, const char *text) {
    char path[512];
    path_of(path, name);
    assert_int_equal(vl_file_write(path, text, strlen(text), NULL), VL_OK);
}

static void write_line(const vl_image *page, vl_box box, const char *name) {
    char path[512];
    vl_buf png;
    uint32_t margin = 4, channels = page->channels;
    vl_image *line;
    assert_int_equal(vl_image_new((uint32_t)box.width + 2 * margin,
                                  (uint32_t)box.height + 2 * margin, channels, &line, NULL),
                     VL_OK);
    for (uint32_t row = 0; row < line->height; row++)
        memcpy(line->pixels + row * line->stride,
               page->pixels + ((uint32_t)box.y - margin + row) * page->stride +
                   ((uint32_t)box.x - margin) * channels,
               (size_t)line->width * channels);
    vl_buf_init(&png, 16 << 20);
    assert_int_equal(vl_image_encode_png(line, &png, NULL), VL_OK);
    path_of(path, name);
    assert_int_equal(vl_file_write(path, png.data, png.len, NULL), VL_OK);
    vl_buf_deinit(&png);
    vl_image_free(line);
}

/* Those lines of a notice that read as its transcript has them, as a folder of samples. */
static size_t make_lines(const char *pack, const char *language, const char *to) {
    vl_buf truth, metadata;
    char picture[64], transcript[64], name[64];
    snprintf(picture, sizeof picture, "notice-%s.jpg", pack);
    snprintf(transcript, sizeof transcript, "notice-%s.gt.txt", pack);
    char path[512];
    path_of(path, to);
    assert_int_equal(mkdir(path, 0777), 0);
    vl_image *image = sample(picture);
    vl_ocr *ocr;
    vl_page *page;
    size_t count = 0;
    vl_arena *arena = vl_arena_new((size_t)256 << 20);
    sample_bytes(transcript, &truth);
    vl_buf_init(&metadata, 1 << 20);
    assert_int_equal(vl_ocr_new(NULL, &ocr, NULL), VL_OK);
    assert_int_equal(vl_ocr_read(ocr, image, pack, arena, &page, NULL, NULL), VL_OK);
    for (size_t b = 0; b < page->block_count; b++)
        for (size_t l = 0; l < page->blocks[b].line_count; l++) {
            const vl_line *line = &page->blocks[b].lines[l];
            vl_buf text;
            vl_buf_init(&text, 1 << 16);
            for (size_t w = 0; w < line->word_count; w++)
                vl_buf_printf(&text, "%s%s", w ? " " : "", line->words[w].text);
            if (text.len > 10 && strstr(truth.data, text.data) && !strchr(text.data, '"')) {
                snprintf(name, sizeof name, "%s/%zu.png", to, count++);
                write_line(image, line->box, name);
                vl_buf_printf(&metadata,
                              "{\"file_name\":\"%s\",\"text\":\"%s\",\"language\":\"%s\"}\n",
                              strchr(name, '/') + 1, text.data, language);
            }
            vl_buf_deinit(&text);
        }
    snprintf(name, sizeof name, "%s/metadata.jsonl", to);
    write_text(name, metadata.data);
    vl_ocr_free(ocr);
    vl_image_free(image);
    vl_buf_deinit(&truth);
    vl_buf_deinit(&metadata);
    vl_arena_free(arena);
    return count;
}

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s/voices-test-XXXXXX", TEST_BINARY_DIR);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    char command[512];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void test_fitted(void **state) {
    char recipe[512], out[512];
    vl_voices_score score;
    vl_voices voices;
    vl_error error;
    (void)state;
    size_t lines = make_lines("eng", "en", "lines");
    assert_true(lines >= 5);
    write_text("voices.yaml",
               "model: voices\nengines: tesseract,ocrad\nlines: lines\nevidence: 100\n");
    path_of(recipe, "voices.yaml");
    path_of(out, "voices.json");
    vl_voices_training training = {.recipe = recipe, .data_dir = folder};
    if (vl_voices_train(&training, out, &score, &error))
        fail_msg("%s", error.message);
    assert_int_equal(score.lines, lines);
    assert_int_equal(score.engine_count, 2);
    assert_string_equal(score.engines[0].name, "tesseract");
    assert_true(score.engines[0].characters == score.characters);
    assert_true(score.engines[0].errors * 50 < score.characters);
    assert_true(score.engines[0].errors < score.engines[1].errors);
    assert_true(score.errors <= score.engines[0].errors);
    assert_true(score.words > 3 * lines);
    assert_true(score.calibration_error >= 0 && score.calibration_error < 0.3);
    for (size_t i = 0; i + 1 < VL_VOICES_THRESHOLDS; i++) {
        assert_true(score.thresholds[i].threshold < score.thresholds[i + 1].threshold);
        assert_true(score.thresholds[i].voices <= score.thresholds[i + 1].voices);
        assert_true(score.thresholds[i].voices >= 1 && score.thresholds[i].voices <= 2);
    }
    assert_int_equal(vl_voices_open(out, &voices, NULL), VL_OK);
    double evidence;
    const vl_record_key tesseract = {.voice = "tesseract", .script = "Latn", .language = "eng"},
                        ocrad = {.voice = "ocrad", .script = "Latn", .language = "eng"};
    assert_true(vl_record_accuracy(voices.record, &tesseract, &evidence) >
                vl_record_accuracy(voices.record, &ocrad, NULL));
    assert_true(evidence > 50 && evidence < 100.5);
    assert_true(vl_record_calibration(voices.record, "tesseract").base > 0.9);
    assert_true(vl_record_calibration(voices.record, "ocrad").slope == 0);
    vl_voices_deinit(&voices);
}

static double evidence_of(const char *file, const char *script) {
    char path[512];
    vl_voices voices;
    double evidence;
    const vl_record_key key = {.voice = "tesseract", .script = script};
    path_of(path, file);
    assert_int_equal(vl_voices_open(path, &voices, NULL), VL_OK);
    vl_record_accuracy(voices.record, &key, &evidence);
    vl_voices_deinit(&voices);
    return evidence;
}

/* Rendered lines are counted for a script without real ones, and for no other. */
static void test_rendered(void **state) {
    static const char *const recipes[] = {
        "model: voices\nengines: tesseract\nlines: lines\nevidence: 1e4\n",
        "model: voices\nengines: tesseract\nlines: lines\nrendered: lines\nevidence: 1e4\n",
        "model: voices\nengines: tesseract\nlines: lines\nrendered: amharic\nevidence: 1e4\n",
    };
    static const char *const files[] = {"real.json", "same.json", "both.json"};
    vl_voices_score scores[3];
    vl_error error;
    (void)state;
    assert_true(make_lines("amh", "am", "amharic") >= 3);
    for (size_t i = 0; i < 3; i++) {
        char recipe[512], out[512];
        write_text("rendered.yaml", recipes[i]);
        path_of(recipe, "rendered.yaml");
        path_of(out, files[i]);
        vl_voices_training training = {.recipe = recipe, .data_dir = folder};
        if (vl_voices_train(&training, out, &scores[i], &error))
            fail_msg("%s", error.message);
        assert_int_equal(scores[i].lines, scores[0].lines);
        assert_int_equal(scores[i].errors, scores[0].errors);
    }
    assert_true(evidence_of("real.json", "Latn") > 50);
    assert_true(evidence_of("same.json", "Latn") == evidence_of("real.json", "Latn"));
    assert_true(evidence_of("both.json", "Latn") == evidence_of("real.json", "Latn"));
    assert_true(evidence_of("real.json", "Ethi") == evidence_of("real.json", NULL));
    assert_true(evidence_of("both.json", "Ethi") < evidence_of("both.json", NULL));
    assert_true(evidence_of("both.json", "Ethi") > 20);
}

static void test_recipes(void **state) {
    static const struct {
        const char *text;
        vl_status status;
        const char *says;
    } rows[] = {
        {"model: chars\nengines: tesseract\nlines: x\nevidence: 1\n", VL_ERR_USAGE, "voices"},
        {"model: voices\nlines: x\nevidence: 1\n", VL_ERR_USAGE, "'engines' is needed"},
        {"model: voices\nengines: tesseract\nlines: x\nevidence: -1\n", VL_ERR_USAGE,
         "evidence"},
        {"model: voices\nengines: tesserakt\nlines: lines\nevidence: 1\n", VL_ERR_USAGE,
         "did you mean 'tesseract'"},
        {"model: voices\nengines: tesseract\nlines: nowhere.tar\nevidence: 1\n", VL_ERR_MISSING,
         "nowhere.tar"},
        {"model: voices\nengines: tesseract\nlines: lines\nrendered: none.tar\nevidence: 1\n",
         VL_ERR_MISSING, "none.tar"},
    };
    char recipe[512], out[512];
    vl_voices_score score;
    (void)state;
    path_of(recipe, "other.yaml");
    path_of(out, "other.json");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error;
        vl_voices_training training = {.recipe = recipe, .data_dir = folder};
        write_text("other.yaml", rows[i].text);
        assert_int_equal(vl_voices_train(&training, out, &score, &error), rows[i].status);
        if (!strstr(error.message, rows[i].says))
            fail_msg("row %zu: %s", i, error.message);
        assert_int_equal(access(out, F_OK), -1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fitted),
        cmocka_unit_test(test_rendered),
        cmocka_unit_test(test_recipes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
