/* Tests of a reader in training: a dozen lines learned by heart and read again through the
 * exported file, right-to-left ones in logical order; resuming to the same bytes; what is
 * refused. Lines are drawn from the bitmaps below, since what matters is that it learns. */
#include "train_toy.h"

#include "train/feed.h"

#include <vislang/tensor.h>

typedef struct glyph {
    uint32_t character;
    const char *rows; /* 7 of 5 */
} glyph;

/* The last four stand for Hebrew letters. */
static const glyph glyphs[] = {
    {'a', ".###.#...##...#######...##...##...#"},
    {'b', "####.#...##...#####.#...##...#####."},
    {'c', ".#####....#....#....#....#.....####"},
    {'d', "###..#..#.#...##...##...##..#.###.."},
    {'e', "######....#....####.#....#....#####"},
    {'1', "..#...##....#....#....#....#...###."},
    {'2', ".###.#...#....#...#...#...#...#####"},
    {'(', "...#...#...#....#....#.....#.....#."},
    {')', ".#.....#.....#....#....#...#...#..."},
    {0x5D0, "#...##..##.#.#...#.#.#...###...##.."},
    {0x5D1, "####....#....#....#....#....######."},
    {0x5D2, ".##....#....#....#...##..#.#.#..#.."},
    {0x5D3, "#####....#....#....#....#....#....#"},
};

static const char *const texts[] = {
    "abc",
    "cab ded",
    "a1 b2",
    "ee (dd) 12",
    "2112 e",
    "bead",
    "\u05D0\u05D1\u05D2",
    "\u05D3\u05D3 12 \u05D0",
    "\u05D1 (\u05D2) \u05D3",
    "dad 1",
    "\u05D0\u05D0\u05D1 ab \u05D2\u05D3\u05D1",
    "(e) 1 (a)",
};
enum { TEXTS = sizeof texts / sizeof *texts, SCALE = 4, HIGH = 44 };

static size_t decode(const char *text, uint32_t *out) {
    size_t count = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c >= 0xC0) /* two bytes are all that is used */
            out[count++] = (uint32_t)(*c & 0x1F) << 6 | (c[1] & 0x3F);
        else if (*c < 0x80)
            out[count++] = *c;
    return count;
}

static void draw_glyph(vl_image *image, uint32_t character, size_t left) {
    for (size_t g = 0; g < sizeof glyphs / sizeof *glyphs; g++)
        for (size_t i = 0; glyphs[g].character == character && i < 35; i++)
            for (size_t p = 0; glyphs[g].rows[i] == '#' && p < SCALE * SCALE; p++) {
                size_t y = 8 + i / 5 * SCALE + p / SCALE, x = left + i % 5 * SCALE + p % SCALE;
                image->pixels[y * image->stride + x] = 20;
            }
}

static vl_image *draw_line(const char *text) {
    uint32_t line[64] = {0}, visual[64];
    size_t from[64], count = decode(text, line);
    vl_image *image;
    assert_int_equal(vl_text_to_visual(line, count, VL_DIRECTION_TEXT, visual, from, NULL),
                     VL_OK);
    assert_int_equal(vl_image_new((uint32_t)(count * 6 * SCALE + 16), HIGH, 1, &image, NULL),
                     VL_OK);
    memset(image->pixels, 235, image->stride * HIGH);
    for (size_t i = 0; i < count; i++)
        draw_glyph(image, visual[i], 8 + i * 6 * SCALE);
    return image;
}

/* lines.tar: the lines and what they say. */
static int setup(void **state) {
    (void)state;
    vl_log_set_level(VL_LOG_ERROR);
    if (!mkdtemp(toy_root))
        return -1;
    static const char zeros[1024];
    vl_buf tar;
    vl_buf_init(&tar, 4 << 20);
    for (size_t i = 0; i < TEXTS; i++) {
        char name[32];
        vl_buf picture, line;
        vl_image *image = draw_line(texts[i]);
        vl_buf_init(&picture, 1 << 20);
        vl_buf_init(&line, 4096);
        assert_int_equal(vl_image_encode_png(image, &picture, NULL), VL_OK);
        vl_buf_printf(&line, "{\"text\": \"%s\", \"language\": \"xx\", \"font\": \"blocks\"%s}",
                      texts[i], i % 2 ? "" : ", \"script\": \"Toys\"");
        snprintf(name, sizeof name, "%03zu.png", i);
        toy_member(&tar, name, '0', picture.data, picture.len);
        snprintf(name, sizeof name, "%03zu.json", i);
        toy_member(&tar, name, '0', line.data, line.len);
        vl_image_free(image);
        vl_buf_deinit(&picture);
        vl_buf_deinit(&line);
    }
    vl_buf_append(&tar, zeros, sizeof zeros);
    toy_write("lines.tar", tar.data, tar.len);
    vl_buf_deinit(&tar);
    return 0;
}

#define HEAD                                                                                   \
    "model: reader\nseed: 5\n"                                                                 \
    "architecture: {stem: [16, 16, 32, 32], width: 64, blocks: 2, layers: 1, heads: 2,\n"      \
    "  kernel: 5, expand: 2}\n"
#define SOURCES(distort)                                                                       \
    "sources:\n  - {name: lines, path: lines.tar, batch: 12, distort: " distort "}\n"          \
    "held_out:\n  - {name: lines, path: lines.tar, batch: 5}\n"

static vl_status train(const char *text, const char *out, uint64_t max_steps,
                       size_t feed_threads, vl_error *error) {
    char path[64], recipe_path[TOY_PATH], out_path[TOY_PATH];
    snprintf(path, sizeof path, "%s.yaml", out);
    toy_write(path, text, strlen(text));
    snprintf(recipe_path, sizeof recipe_path, "%s", toy_path(path));
    snprintf(out_path, sizeof out_path, "%s", toy_path(out));
    vl_training training = {.recipe = recipe_path,
                            .data_dir = toy_root,
                            .out_dir = out_path,
                            .max_steps = max_steps,
                            .feed_threads = feed_threads};
    return vl_train(&training, error);
}

static void must_train(const char *text, const char *out, uint64_t max_steps,
                       size_t feed_threads) {
    vl_error error = {0};
    if (train(text, out, max_steps, feed_threads, &error))
        fail_msg("%s", error.message);
}

static void same_file(const char *a, const char *b) {
    vl_buf x, y;
    toy_read(a, &x);
    toy_read(b, &y);
    assert_int_equal(x.len, y.len);
    assert_true(memcmp(x.data, y.data, x.len) == 0);
    vl_buf_deinit(&x);
    vl_buf_deinit(&y);
}

/* ---- learning ------------------------------------------------------------------------- */

static void read_all(const char *path, uint32_t beams) {
    vl_reader *reader;
    vl_error error = {0};
    if (vl_reader_open(path, &reader, &error))
        fail_msg("%s", error.message);
    vl_reader_session *session = vl_reader_session_new(reader);
    vl_arena *arena = vl_arena_new(16 << 20);
    vl_image *images[TEXTS];
    vl_reader_line told[TEXTS];
    for (size_t i = 0; i < TEXTS; i++)
        images[i] = draw_line(texts[i]);
    vl_reader_how how = {.beams = beams, .alternatives = 3};
    assert_int_equal(vl_reader_read(session, (const vl_image *const *)images, TEXTS, &how,
                                    arena, told, &error),
                     VL_OK);
    for (size_t i = 0; i < TEXTS; i++) {
        assert_string_equal(told[i].text, texts[i]);
        assert_true(told[i].confidence > 0.5);
        assert_int_equal(told[i].rtl, i >= 6 && i <= 10 && i != 9);
        uint32_t logical[64] = {0}, visual[64];
        size_t from[64], count = decode(texts[i], logical);
        vl_text_to_visual(logical, count, VL_DIRECTION_TEXT, visual, from, NULL);
        for (size_t v = 0; v < count; v++) { /* where each was drawn */
            const vl_reader_character *c = &told[i].characters[from[v]];
            double middle = 8 + ((double)v * 6 + 2.5) * SCALE;
            if (logical[from[v]] != ' ' && fabs((double)(c->left + c->right) / 2 - middle) > 16)
                fail_msg("'%s', character %zu: %g … %g, not about %g", texts[i], v,
                         (double)c->left, (double)c->right, middle);
        }
        vl_image_free(images[i]);
    }
    vl_arena_free(arena);
    vl_reader_session_free(session);
    vl_reader_free(reader);
}

static void test_it_learns_and_is_exported(void **state) {
    (void)state;
    static const char learning[] = HEAD SOURCES(
        "0.2") "training: {steps: 220, warmup: 10, rate: 0.004, final_rate: 0.0005, decay: 0, "
               "ema: "
               "0.9,\n  lanes: 2, micro_batch: 4, log_every: 20, evaluate_every: 220, "
               "checkpoint_minutes: 1000}\n";
    must_train(learning, "learned", 0, 1);
    vl_buf log;
    toy_read("learned/log.jsonl", &log);
    if (!strstr(log.data, "\"total\":0,"))
        fail_msg("lines are not learned by heart: %s", log.data);
    assert_non_null(strstr(log.data, "\"cer_by_script\":{"));
    assert_non_null(strstr(log.data, "\"Toys\":0.00000"));
    vl_buf_deinit(&log);
    static const struct {
        vl_dtype dtype;
        const char *name;
    } formats[] = {{VL_F32, "f32.gguf"}, {VL_Q8_0, "q8.gguf"}};
    for (size_t i = 0; i < 2; i++) {
        char run[TOY_PATH];
        vl_error error = {0};
        snprintf(run, sizeof run, "%s", toy_path("learned"));
        vl_reader_exporting what = {.run_dir = run, .best = i, .dtype = formats[i].dtype};
        if (vl_reader_export(&what, toy_path(formats[i].name), &error))
            fail_msg("%s", error.message);
        read_all(toy_path(formats[i].name), i ? 8 : 1);
    }
}

/* ---- the same bytes ------------------------------------------------------------------- */

#define SHORT                                                                                  \
    HEAD SOURCES("0.8") "training: {steps: 6, warmup: 2, rate: 0.002, dropout: 0.1, lanes: "   \
                        "2, micro_batch: 5,\n"                                                 \
                        "  log_every: 2, evaluate_every: 3, checkpoint_minutes: 1000}\n"

static void test_resuming_is_exact(void **state) {
    (void)state;
    must_train(SHORT, "whole", 0, 2);
    must_train(SHORT, "cut", 2, 1);
    must_train(SHORT, "cut", 1, 2);
    must_train(SHORT, "cut", 0, 1);
    same_file("whole/checkpoint.safetensors", "cut/checkpoint.safetensors");
    same_file("whole/best.safetensors", "cut/best.safetensors");
    same_file("whole/alphabet.txt", "cut/alphabet.txt");
}

/* ---- what is refused ------------------------------------------------------------------ */

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *recipe;
        vl_status status;
        const char *words;
    } rows[] = {
        {HEAD "sources:\n  - {name: a, path: lines.tar, flip: true}\n", VL_ERR_USAGE, "'flip'"},
        {HEAD "tokenizer: x\n" SOURCES("0"), VL_ERR_USAGE, "'tokenizer'"},
        {HEAD SOURCES("0") "training: {smoothing: 0.1}\n", VL_ERR_USAGE, "'smoothing'"},
        {HEAD SOURCES("2"), VL_ERR_USAGE, "distort"},
        {"model: reader\narchitecture: {width: 48}\n" SOURCES("0"), VL_ERR_USAGE,
         "width of 48"},
        {HEAD "sources:\n  - {name: a, path: none.tar}\n", VL_ERR_MISSING, "none.tar"},
        {HEAD "alphabet: nowhere.txt\n" SOURCES("0"), VL_ERR_INPUT, "nowhere.txt"},
        {HEAD SOURCES("0") "training: {quantize: f16}\n", VL_ERR_USAGE, "quantize"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[32];
        vl_error error = {0};
        snprintf(out, sizeof out, "refused-%zu", i);
        vl_status status = train(rows[i].recipe, out, 1, 1, &error);
        if (status != rows[i].status || !strstr(error.message, rows[i].words))
            fail_msg("%zu: %s: %s", i, vl_status_name(status), error.message);
    }
    /* A seer's pictures are no lines. */
    toy_folder("folder");
    vl_error error = {0};
    assert_int_equal(train(HEAD "sources:\n  - {name: a, path: folder, batch: 2}\n", "pictures",
                           1, 1, &error),
                     VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "without its \"text\""));
    /* Nor is a reader's checkpoint one of another alphabet. */
    toy_write("few.txt", "abc", 3);
    must_train(SHORT, "owned", 1, 1);
    must_train(HEAD "alphabet: few.txt\n" SOURCES("0"), "other", 1, 1);
    vl_buf bytes;
    toy_read("owned/checkpoint.safetensors", &bytes);
    toy_write("other/checkpoint.safetensors", bytes.data, bytes.len);
    vl_buf_deinit(&bytes);
    assert_int_equal(train(HEAD "alphabet: few.txt\n" SOURCES("0"), "other", 1, 1, &error),
                     VL_ERR_INPUT);
}

/* ---- lines ------------------------------------------------------------------------------ */

/* Nearly all that a piece computes is lines, and each is as wide as its picture. */
static void test_pieces_hold_little_paper(void **state) {
    (void)state;
    static recipe r;
    vl_error error = {0};
    vl_reader_alphabet *alphabet;
    feed *f;
    feed_step *step;
    toy_write("feed.yaml", SHORT, strlen(SHORT));
    assert_int_equal(recipe_read(toy_path("feed.yaml"), &r, &error), VL_OK);
    r.micro_batch = 12;
    assert_int_equal(vl_reader_alphabet_new("abcde", 5, &alphabet, &error), VL_OK);
    feed_options options = {.recipe = &r,
                            .data_dir = toy_root,
                            .alphabet = alphabet,
                            .threads = 1,
                            .ranks = 1,
                            .held = true};
    if (feed_new(&options, &f, &error))
        fail_msg("%s", error.message);
    assert_int_equal(feed_take(f, 0, &step, &error), VL_OK);
    const line_set *l = step->pieces[0].lines;
    assert_int_equal(l->count, 5);
    for (size_t i = 0; i < l->count; i++) {
        vl_image *image = draw_line(texts[i]);
        size_t width = (size_t)lround(image->width * 48.0 / HIGH);
        assert_int_equal(l->starts[i + 1] - l->starts[i], (width + 3) / 4);
        vl_image_free(image);
    }
    assert_int_equal(l->starts[l->sequences] % 128, 0);
    assert_int_equal(l->label_starts[1], 3);
    assert_string_equal(l->script[0], "Toys");
    assert_string_equal(l->script[1], "Latn");
    feed_release(f, step);
    feed_free(f);
    vl_reader_alphabet_free(alphabet);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_learns_and_is_exported),
        cmocka_unit_test(test_resuming_is_exact),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_pieces_hold_little_paper),
    };
    return cmocka_run_group_tests(tests, setup, toy_teardown);
}
