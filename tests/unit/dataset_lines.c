/* Tests of lines: the alphabet, what text becomes in it, catalogues, fields, fonts, rendering,
 * and lines that are the same however many processes make them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/alphabet.h"
#include "dataset/corpus.h"
#include "dataset/fields.h"
#include "dataset/fonts.h"
#include "dataset/mo.h"
#include "dataset/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define FOLDER TEST_BINARY_DIR "/dataset_lines"
#define TEXT FOLDER "/text"

static vl_arena *arena;
static alphabet letters;

static const struct {
    const char *file, *text;
} texts[] = {
    {"eng", "All human beings are born free and equal in dignity and rights."},
    {"yor", "Gbogbo ènìyàn ni a bí ní òmìnira; iyì àti ẹ̀tọ́ kọ̀ọ̀kan sì dọ́gba."},
    {"arb", "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق."},
    {"amh", "የሰው፡ልጅ፡ሁሉ፡ሲወለድ፡ነጻና፡በክብርና፡በመብትም፡እኩልነት፡ያለው፡ነው።"},
    {"ukr", "Всі люди народжуються вільними і рівними у своїй гідності та правах."},
    {"hin", "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता प्राप्त है।"},
    {"ben", "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে।"},
    {"mya", "လူတိုင်းသည် တူညီ လွတ်လပ်သော ဂုဏ်သိက္ခာဖြင့် လည်းကောင်း မွေးဖွားလာသူများ ဖြစ်သည်။"},
    {"khm", "មនុស្សទាំងអស់ កើតមកមានសេរីភាព និងសមភាព ក្នុងផ្នែកសេចក្ដីថ្លៃថ្នូរនិងសិទ្ធិ។"},
    {"tam", "மனிதப் பிறவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்."},
};
enum { TEXTS = sizeof texts / sizeof *texts };

static int prepare(void **state) {
    vl_error error = {0};
    (void)state;
    if (vl_dir_make(TEXT, &error) || !(arena = vl_arena_new(64 << 20)))
        return -1;
    for (size_t i = 0; i < TEXTS; i++) {
        char path[512];
        snprintf(path, sizeof path, TEXT "/%s.txt.gz", texts[i].file);
        gzFile file = gzopen(path, "wb");
        for (int k = 0; file && k < 12; k++)
            gzprintf(file, "%s\n", texts[i].text);
        if (!file || gzclose(file) != Z_OK)
            return -1;
    }
    return alphabet_read(TEST_SOURCE_DIR "/models/reader-alphabet.txt", &letters, &error) ? -1
                                                                                          : 0;
}

static int finish(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* ---- alphabet ------------------------------------------------------------------------------
 */

static void test_bundled_alphabet(void **state) {
    static const char *const all[] = {
        "aZ09 .,:;()-", "ẹ̀tọ́ ɓɗƙŋɛɔ ạặỹ", "سلام پچگ ٠۹ ټ", "ሀለጰፐ።", "ґєії Ёя", "क्षत्र ०९।",
        "ড়ক্ষ ০৯",       "ကျွန် ၀၉",         "ក្ខៗ ០៩",        "கௌ௦",   "₦€"};
    (void)state;
    assert_int_equal(letters.codes[0], ' ');
    assert_true(letters.count > 1000 && letters.count <= ALPHABET_MAX);
    for (size_t i = 0; i < letters.count; i++)
        assert_int_equal(alphabet_find(&letters, letters.codes[i]), i);
    assert_int_equal(alphabet_find(&letters, 0x4E00), -1);
    assert_int_equal(alphabet_find(&letters, 0x1F600), -1);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!alphabet_clean(&letters, arena, all[i]))
            fail_msg("not in the alphabet: %s", all[i]);
}

static void test_alphabet_round_trip(void **state) {
    static alphabet made, back;
    vl_error error = {0};
    (void)state;
    assert_int_equal(alphabet_build(TEXT, &made, &error), VL_OK);
    assert_int_equal(alphabet_write(&made, FOLDER "/alphabet.txt", &error), VL_OK);
    assert_int_equal(alphabet_read(FOLDER "/alphabet.txt", &back, &error), VL_OK);
    assert_int_equal(back.count, made.count);
    assert_memory_equal(back.codes, made.codes, made.count * sizeof *made.codes);
    assert_memory_equal(back.scripts, made.scripts, made.count * sizeof *made.scripts);
}

static void test_broken_alphabets(void **state) {
    static alphabet read;
    static const char *const rows[] = {"",          "a\n",     " \nb\na\n",
                                       " \na\na\n", " \nab\n", " \n\xFF\n",
                                       " \na",      " \n\n",   " \n\xF0\x9F\x98\x80\n"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error = {0};
        assert_int_equal(vl_file_write(FOLDER "/bad.txt", rows[i], strlen(rows[i]), &error),
                         VL_OK);
        if (alphabet_read(FOLDER "/bad.txt", &read, &error) != VL_ERR_INPUT)
            fail_msg("row %zu was read", i);
    }
}

static void test_clean(void **state) {
    static const char *const rows[][2] = {
        {"", ""},
        {" two  words\t", "two words"},
        {"e\xCC\x81", "é"},
        {"a&#39;b &amp;amp; &quot;c&quot;", "a'b &amp; \"c\""},
        {"soft\xC2\xADhyphen", "softhyphen"},
        {"a\xC2\xA0"
         "b",
         "a b"},
        {"سـلام", "سلام"},                          /* tatweel */
        {"می\xE2\x80\x8Cشود", "می\xE2\x80\x8Cشود"}, /* a joiner that is seen */
        {"a\xE2\x80\x8C"
         "b",
         "ab"},                       /* one that is not */
        {"\xE2\x80\x8Fسلام", "سلام"}, /* direction mark */
        {"ភ\xE2\x80\x8Bាសា", "ភាសា"}, /* zero-width space */
        {"中文", NULL},
        {"bad \xFF", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *clean = alphabet_clean(&letters, arena, rows[i][0]);
        if (rows[i][1])
            assert_string_equal(clean, rows[i][1]);
        else
            assert_null(clean);
    }
}

/* ---- text ----------------------------------------------------------------------------------
 */

static void test_languages(void **state) {
    static const char *const rows[][2] = {
        {"mono/swa.txt.gz", "sw"},
        {"x/mono/som-wiki.txt.gz", "so"},
        {"parallel/tico19-dev/en-es-LA.tsv.gz", "es"},
        {"parallel/lafand/fr-ewe.train.tsv.gz", "ee"},
        {"parallel/tatoeba/tatoeba.swh-eng.eng.gz", "en"},
        {"gamayun/gamayun_kit5k-v1_eng-tig_TIG.txt.gz", "tig"},
        {"udhr/aka_asante.txt.gz", "ak"},
        {"udhr/007.txt.gz", "und"},
        {"verses/ukr.tsv.gz", "uk"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char language[VL_LANG_SIZE];
        corpus_language(rows[i][0], language);
        assert_string_equal(language, rows[i][1]);
    }
}

static void join(const char *text, size_t bytes, void *user) {
    vl_buf_printf(user, "[%.*s]", (int)bytes, text);
}

static void test_catalogue(void **state) {
    unsigned char data[128] = {0xDE, 0x12, 0x04, 0x95};
    const uint32_t words[] = {0, 3,  28, 52, 0, 0,   /* revision, count, tables, hash */
                              0, 76, 1,  76, 1, 77,  /* originals */
                              4, 79, 5,  84, 5, 90}; /* translations */
    vl_buf seen;
    (void)state;
    memcpy(data + 4, words, sizeof words);
    memcpy(data + 76, "ab", 3);
    memcpy(data + 79, "head", 5);
    memcpy(data + 84, "texte", 6);
    memcpy(data + 90, "un\0de", 6);
    vl_buf_init(&seen, 256);
    assert_int_equal(mo_read(data, 96, join, &seen, NULL), VL_OK);
    assert_string_equal(seen.data, "[texte][un][de]");
    vl_buf_deinit(&seen);
    for (size_t bytes = 0; bytes < 95; bytes++) { /* cut anywhere it is refused, or shorter */
        vl_buf_init(&seen, 256);
        vl_status status = mo_read(data, bytes, join, &seen, NULL);
        assert_true(status == VL_ERR_INPUT);
        vl_buf_deinit(&seen);
    }
}

static void test_fields(void **state) {
    field_names names;
    size_t clean = 0, all = 0;
    (void)state;
    assert_int_equal(field_names_open(&names, NULL), VL_OK);
    for (int script = 0; script < VL_SCRIPT_COUNT; script++) {
        assert_true(names.of[script].month_count >= 12);
        for (uint64_t i = 0; i < 200; i++, all++) {
            dice d = dice_of(3, i), same = dice_of(3, i);
            vl_buf one, two;
            vl_buf_init(&one, 4096);
            vl_buf_init(&two, 4096);
            field_draw(&names, (vl_script)script, &d, &one);
            field_draw(&names, (vl_script)script, &same, &two);
            assert_false(one.failed);
            assert_true(one.len > 0 && one.len < 1000);
            assert_string_equal(one.data, two.data);
            clean += alphabet_clean(&letters, arena, one.data) != NULL;
            vl_buf_deinit(&one);
            vl_buf_deinit(&two);
        }
    }
    field_names_deinit(&names);
    assert_true(clean * 50 > all * 49); /* names of countries may hold a rare letter */
}

static void test_weights(void **state) {
    double weights[VL_SCRIPT_COUNT];
    vl_error error = {0};
    (void)state;
    assert_int_equal(vl_script_weights_parse("latin=2.5,khmer", weights, &error), VL_OK);
    assert_float_equal(weights[VL_SCRIPT_LATIN], 2.5, 0);
    assert_true(weights[VL_SCRIPT_KHMER] > 0);
    assert_float_equal(weights[VL_SCRIPT_TAMIL], 0, 0);
    assert_int_equal(vl_script_weights_parse("latn", weights, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "latin"));
    assert_int_equal(vl_script_weights_parse("latin=x", weights, &error), VL_ERR_USAGE);
    assert_int_equal(vl_script_weights_parse("latin=-1", weights, &error), VL_ERR_USAGE);
    assert_int_equal(vl_script_weights_parse("latin=0", weights, &error), VL_ERR_USAGE);
}

/* ---- fonts ---------------------------------------------------------------------------------
 */

static void test_held_fonts(void **state) {
    font_set train, held;
    (void)state;
    assert_int_equal(font_set_open(VL_SYNTH_FONTS_TRAIN, &train, NULL), VL_OK);
    assert_int_equal(font_set_open(VL_SYNTH_FONTS_HELD, &held, NULL), VL_OK);
    for (size_t s = 0; s < VL_SCRIPT_COUNT; s++) {
        size_t families = train.family_count[s] + held.family_count[s];
        assert_true(train.family_count[s] > 0);
        assert_true(families < 3 || held.family_count[s] > 0);
        for (size_t i = 0; i < train.family_count[s]; i++)
            for (size_t k = 0; k < held.family_count[s]; k++)
                assert_string_not_equal(train.faces[train.families[s][i].first].family,
                                        held.faces[held.families[s][k].first].family);
    }
    font_set_deinit(&train);
    font_set_deinit(&held);
}

static const font_face *face_called(const font_set *fonts, const char *family) {
    for (size_t i = 0; i < fonts->count; i++)
        if (!strcmp(fonts->faces[i].family, family) &&
            !strcmp(fonts->faces[i].style, "Regular"))
            return &fonts->faces[i];
    fail_msg("%s is not installed", family);
    return NULL;
}

static double ink_between(const rendered *r, int left, int right, int top, int bottom) {
    double ink = 0;
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++)
            ink += 255 - r->image->pixels[(size_t)y * r->image->stride + (size_t)x];
    return ink;
}

static void test_rendering(void **state) {
    static const struct {
        const char *family, *text;
        bool whole;
    } rows[] = {
        {"Noto Sans", "Gbogbo ènìyàn ẹ̀tọ́ kọ̀ọ̀kan", true},
        {"Noto Serif", "Всі люди, 1948", true},
        {"Noto Sans Arabic", "يولد جميع الناس ١٩٤٨", true},
        {"Noto Sans Ethiopic", "የሰው፡ልጅ", true},
        {"Noto Sans Devanagari", "मनुष्यों", true},
        {"Noto Sans Bengali", "জন্মগ্রহণ", true},
        {"Noto Sans Myanmar", "ဂုဏ်သိက္ခာ", true},
        {"Noto Sans Khmer", "សេចក្ដីថ្លៃថ្នូរ", true},
        {"Noto Sans Tamil", "கொள்ளுங்கள்", true},
        {"Noto Sans", "no አማርኛ here", false},            /* another font would step in */
        {"Noto Sans Devanagari", "\xE0\xA4\xBE", false}, /* a vowel on a dotted circle */
        {"Noto Sans", " ", false},                       /* no ink */
    };
    font_set fonts;
    (void)state;
    assert_int_equal(font_set_open(VL_SYNTH_FONTS_ALL, &fonts, NULL), VL_OK);
    renderer *r = renderer_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        render_style style = {.face = face_called(&fonts, rows[i].family), .size = 30};
        rendered out;
        bool whole = render_line(r, &style, "und", rows[i].text, 8, 4000, &out);
        if (whole != rows[i].whole)
            fail_msg("%s in %s: %s", rows[i].text, rows[i].family, whole ? "set" : "not set");
        if (!whole)
            continue;
        int width = (int)out.image->width, height = (int)out.image->height;
        assert_true(out.left >= 8 && out.right <= width - 8 && out.right - out.left > 30);
        double inside = ink_between(&out, out.left, out.right, out.ink_top, out.ink_bottom);
        assert_true(inside > 255 * 20);
        /* Smoothing may reach a pixel past the outline. */
        assert_true(inside > 0.995 * ink_between(&out, 0, width, 0, height));
        assert_in_range(out.baseline, out.ink_top, out.bottom);
        vl_image_free(out.image);
    }
    renderer_free(r);
    font_set_deinit(&fonts);
}

/* The first letters are tall and stand at the right: above the middle there is more ink. */
static void test_right_to_left(void **state) {
    font_set fonts;
    (void)state;
    assert_int_equal(font_set_open(VL_SYNTH_FONTS_ALL, &fonts, NULL), VL_OK);
    renderer *r = renderer_new();
    render_style style = {
        .face = face_called(&fonts, "Noto Sans Arabic"), .size = 30, .rtl = true};
    rendered out;
    assert_true(render_line(r, &style, "ar", "اااا 12 ددد", 8, 4000, &out));
    int half = (out.left + out.right) / 2, high = out.ink_top + 8;
    assert_true(ink_between(&out, half, out.right, out.ink_top, high) >
                10 * (1 + ink_between(&out, out.left, out.left + 20, out.ink_top, high)));
    vl_image_free(out.image);
    renderer_free(r);
    font_set_deinit(&fonts);
}

static int width_of(renderer *r, const render_style *style, const char *text) {
    rendered out;
    assert_true(render_line(r, style, "und", text, 8, 4000, &out));
    int width = out.right - out.left;
    vl_image_free(out.image);
    return width;
}

/* Every space is wider by as much as is asked for, one of them by more, letters by nothing. */
static void test_spaces(void **state) {
    static const struct {
        const char *family, *text;
        bool rtl;
        int spaces;
    } lines[] = {{"Noto Sans", "Wide words in a line", false, 4},
                 {"Noto Sans Arabic", "سلام على الناس", true, 2},
                 {"Noto Sans Devanagari", "सभी मनुष्यों को गौरव", false, 3},
                 {"Noto Sans", "alone", false, 0}};
    font_set fonts;
    (void)state;
    assert_int_equal(font_set_open(VL_SYNTH_FONTS_ALL, &fonts, NULL), VL_OK);
    renderer *r = renderer_new();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        render_style style = {
            .face = face_called(&fonts, lines[i].family), .size = 30, .rtl = lines[i].rtl};
        int plain = width_of(r, &style, lines[i].text), n = lines[i].spaces;
        style.word_spacing = 10;
        assert_in_range(width_of(r, &style, lines[i].text), plain + 10 * n - 2,
                        plain + 10 * n + 2);
        style.gap = 100;
        style.gap_at = 1;
        assert_in_range(width_of(r, &style, lines[i].text), plain + 10 * n + 100 * (n > 1) - 2,
                        plain + 10 * n + 100 * (n > 1) + 2);
        style.word_spacing = style.gap = 0; /* nothing is left of it */
        assert_int_equal(width_of(r, &style, lines[i].text), plain);
    }
    renderer_free(r);
    font_set_deinit(&fonts);
}

/* ---- lines ---------------------------------------------------------------------------------
 */

static vl_synth *open_lines(bool clean) {
    vl_synth_options options = vl_synth_options_default();
    vl_synth *synth = NULL;
    vl_error error = {0};
    options.text = TEXT;
    options.alphabet = TEST_SOURCE_DIR "/models/reader-alphabet.txt";
    options.system_text = false;
    options.clean = clean;
    options.seed = 11;
    if (vl_synth_open(&options, &synth, &error))
        fail_msg("%s", error.message);
    return synth;
}

static void check_line(const vl_synth_line *line, bool clean) {
    assert_in_range(line->image->height, VL_SYNTH_HEIGHT_MIN, VL_SYNTH_HEIGHT_MAX);
    assert_in_range(line->image->width, 4, VL_SYNTH_WIDTH_MAX);
    assert_int_equal(line->image->channels, 1);
    assert_string_equal(alphabet_clean(&letters, arena, line->text), line->text);
    assert_true(*line->text && *line->font);
    uint8_t low = 255, high = 0;
    for (uint32_t y = 0; y < line->image->height; y++)
        for (uint32_t x = 0; x < line->image->width; x++) {
            uint8_t tone = line->image->pixels[y * line->image->stride + x];
            low = tone < low ? tone : low;
            high = tone > high ? tone : high;
        }
    assert_true(high - low > (clean ? 200 : 20));
}

static void test_lines(void **state) {
    vl_error error = {0};
    (void)state;
    for (int clean = 0; clean < 2; clean++) {
        vl_synth *synth = open_lines(clean);
        vl_synth_painter *painter = vl_synth_painter_new(synth);
        vl_synth_painter *other = vl_synth_painter_new(synth);
        for (uint64_t i = 0; i < 48; i++) {
            vl_synth_line line, again;
            if (vl_synth_paint(painter, i, &line, &error))
                fail_msg("%s", error.message);
            check_line(&line, clean);
            if (i % 8 == 5) { /* nothing is left over from the lines before */
                assert_int_equal(vl_synth_paint(other, i, &again, &error), VL_OK);
                assert_string_equal(again.text, line.text);
                assert_string_equal(again.font, line.font);
                assert_memory_equal(again.image->pixels, line.image->pixels, line.image->width);
                vl_synth_line_deinit(&again);
            }
            vl_synth_line_deinit(&line);
        }
        vl_synth_painter_free(painter);
        vl_synth_painter_free(other);
        vl_synth_free(synth);
    }
}

static void read_whole(const char *path, vl_buf *out) {
    vl_error error = {0};
    vl_buf_init(out, 64 << 20);
    if (vl_file_read(path, 64 << 20, out, &error))
        fail_msg("%s", error.message);
}

static void test_same_for_all_jobs(void **state) {
    static const size_t jobs[] = {1, 2, 7};
    static const char *const paths[] = {FOLDER "/one.tar", FOLDER "/two.tar",
                                        FOLDER "/seven.tar"};
    vl_buf one, other;
    vl_error error = {0};
    (void)state;
    vl_synth *synth = open_lines(false);
    for (int i = 0; i < 3; i++) {
        vl_synth_target target = {.out = paths[i], .count = 44, .jobs = jobs[i]};
        vl_synth_report report;
        uint64_t letters_seen = 0;
        if (vl_synth_write(synth, &target, &report, &error))
            fail_msg("%s", error.message);
        assert_int_equal(report.lines, 44);
        for (size_t k = 0; k < report.alphabet_count; k++)
            letters_seen += report.seen[k];
        assert_true(letters_seen > 40);
        vl_synth_report_deinit(&report);
    }
    read_whole(paths[0], &one);
    for (int i = 1; i < 3; i++) {
        read_whole(paths[i], &other);
        assert_int_equal(other.len, one.len);
        assert_memory_equal(other.data, one.data, one.len);
        vl_buf_deinit(&other);
    }
    vl_buf_deinit(&one);
    vl_synth_free(synth);
}

/* What is left out is what is too wide, and nothing else. */
static void test_longest(void **state) {
    enum { COUNT = 40, LONGEST = 400 };
    vl_synth_target target = {
        .out = FOLDER "/short.tar", .count = COUNT, .longest = LONGEST, .jobs = 2};
    vl_synth_report report;
    vl_error error = {0};
    uint64_t narrow = 0;
    (void)state;
    vl_synth *synth = open_lines(false);
    if (vl_synth_write(synth, &target, &report, &error))
        fail_msg("%s", error.message);
    vl_synth_painter *painter = vl_synth_painter_new(synth);
    for (uint64_t i = 0; i < COUNT; i++) {
        vl_synth_line line;
        assert_int_equal(vl_synth_paint(painter, i, &line, &error), VL_OK);
        narrow += line.image->width * VL_SYNTH_HEIGHT <= LONGEST * line.image->height;
        vl_synth_line_deinit(&line);
    }
    assert_true(narrow > 0 && narrow < COUNT);
    assert_int_equal(report.lines, narrow);
    vl_synth_report_deinit(&report);
    vl_synth_painter_free(painter);
    vl_synth_free(synth);
}

static void test_refusals(void **state) {
    vl_synth_options options = vl_synth_options_default();
    vl_synth *synth = NULL;
    vl_error error = {0};
    (void)state;
    options.text = FOLDER "/nothing-here";
    assert_int_equal(vl_synth_open(&options, &synth, &error), VL_ERR_INPUT);
    assert_null(synth);
    options.text = TEXT;
    options.alphabet = FOLDER "/no-alphabet";
    assert_true(vl_synth_open(&options, &synth, &error) != VL_OK);
    synth = open_lines(true);
    vl_synth_target target = {.out = FOLDER, .count = 1, .jobs = 1}; /* holds one.tar */
    vl_synth_report report;
    assert_int_equal(vl_synth_write(synth, &target, &report, &error), VL_ERR_USAGE);
    vl_synth_report_deinit(&report);
    vl_synth_free(synth);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bundled_alphabet),
        cmocka_unit_test(test_alphabet_round_trip),
        cmocka_unit_test(test_broken_alphabets),
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_catalogue),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_held_fonts),
        cmocka_unit_test(test_rendering),
        cmocka_unit_test(test_right_to_left),
        cmocka_unit_test(test_spaces),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_same_for_all_jobs),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
