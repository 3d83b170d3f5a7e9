/* Tests of sets of samples: folders and tars, what is missing, what is broken and where. */
#include "train_toy.h"

#include "train/samples.h"

static samples *opened(const char *name) {
    samples *set = NULL;
    vl_error error = {0};
    if (samples_open(toy_path(name), &set, &error))
        fail_msg("%s", error.message);
    return set;
}

static void check_toy(const samples *set, const char *name_of_first) {
    assert_int_equal(samples_count(set), TOY_COLOURS);
    assert_int_equal(samples_missing(set), 0);
    assert_string_equal(samples_at(set, 0)->name, name_of_first);
    for (size_t i = 0; i < TOY_COLOURS; i++) {
        const sample *item = samples_at(set, i);
        vl_buf bytes, expected;
        vl_error error = {0};
        assert_int_equal(item->captions.count, 2);
        assert_string_equal(item->captions.items[0].language, "en");
        assert_string_equal(item->captions.items[0].text, toy_colours[i].en);
        assert_string_equal(item->captions.items[1].text, toy_colours[i].fr);
        assert_int_equal(item->questions.count, 1);
        assert_string_equal(item->questions.items[0].answer, toy_colours[i].en);
        assert_int_equal(item->statements.count, 2);
        assert_true(item->statements.items[0].truth);
        assert_false(item->statements.items[1].truth);
        assert_int_equal(item->label_count, 1);
        assert_string_equal(item->labels[0].set, "colour");
        assert_string_equal(item->labels[0].label, toy_colours[i].en);
        vl_buf_init(&bytes, 1 << 20);
        assert_int_equal(samples_read(set, i, &bytes, &error), VL_OK);
        toy_picture(i, i % 2, &expected);
        assert_int_equal(bytes.len, expected.len);
        assert_memory_equal(bytes.data, expected.data, expected.len);
        vl_buf_deinit(&bytes);
        vl_buf_deinit(&expected);
    }
}

static void test_folder(void **state) {
    (void)state;
    samples *set = opened("folder");
    check_toy(set, "0.png");
    samples_free(set);
}

static void test_tar(void **state) {
    (void)state;
    samples *set = opened("shard.tar");
    check_toy(set, "s000");
    samples_free(set);
}

/* Shards of a folder are read in the order of their names. */
static void test_folder_of_tars(void **state) {
    (void)state;
    vl_buf tar, picture;
    vl_buf_init(&tar, 1 << 20);
    toy_picture(2, false, &picture);
    toy_member(&tar, "last.png", '0', picture.data, picture.len);
    vl_dir_make(toy_path("shards"), NULL);
    toy_write("shards/b.tar", tar.data, tar.len);
    vl_buf_clear(&tar);
    toy_member(&tar, "first.png", '0', picture.data, picture.len);
    toy_member(&tar, "folder/", '5', "", 0);
    toy_member(&tar, "folder/second.v2.png", '0', picture.data, picture.len);
    toy_write("shards/a.tar", tar.data, tar.len);
    samples *set = opened("shards");
    assert_int_equal(samples_count(set), 2);
    assert_int_equal(samples_missing(set),
                     1); /* "second" has a ".v2.png", no picture's ending */
    assert_string_equal(samples_at(set, 0)->name, "first");
    assert_string_equal(samples_at(set, 1)->name, "last");
    samples_free(set);
    vl_buf_deinit(&tar);
    vl_buf_deinit(&picture);
}

static void test_missing_pictures_are_counted(void **state) {
    (void)state;
    toy_folder("holes");
    assert_int_equal(unlink(toy_path("holes/3.jpg")), 0);
    assert_int_equal(unlink(toy_path("holes/5.jpg")), 0);
    assert_int_equal(vl_dir_make(toy_path("holes/5.jpg"), NULL), VL_OK); /* no file */
    samples *set = opened("holes");
    assert_int_equal(samples_count(set), TOY_COLOURS - 2);
    assert_int_equal(samples_missing(set), 2);
    assert_string_equal(samples_at(set, 3)->name, "4.png");
    samples_free(set);
    /* A picture that goes away later is an error that names it. */
    set = opened("folder");
    vl_buf bytes;
    vl_error error = {0};
    vl_buf_init(&bytes, 1 << 20);
    assert_int_equal(rename(toy_path("folder/0.png"), toy_path("away")), 0);
    assert_int_not_equal(samples_read(set, 0, &bytes, &error), VL_OK);
    assert_non_null(strstr(error.message, "folder/0.png"));
    assert_int_equal(rename(toy_path("away"), toy_path("folder/0.png")), 0);
    vl_buf_deinit(&bytes);
    samples_free(set);
}

/* A passage that answers a question is longer than answers that are put together may be. */
static void test_one_long_answer(void **state) {
    (void)state;
    char line[1200], answer[801];
    vl_buf picture;
    memset(answer, 'a', sizeof answer - 1);
    answer[sizeof answer - 1] = '\0';
    vl_dir_make(toy_path("long"), NULL);
    toy_picture(2, false, &picture);
    toy_write("long/a.png", picture.data, picture.len);
    int length = snprintf(line, sizeof line,
                          "{\"file_name\": \"a.png\", \"qa\": [{\"question\": \"what?\", "
                          "\"answer\": [\"%s\"]}]}\n",
                          answer);
    toy_write("long/metadata.jsonl", line, (size_t)length);
    samples *set = opened("long");
    assert_int_equal(samples_at(set, 0)->questions.count, 1);
    assert_string_equal(samples_at(set, 0)->questions.items[0].answer, answer);
    samples_free(set);
    vl_buf_deinit(&picture);
}

/* The message names file and line. */
static void test_broken_metadata(void **state) {
    (void)state;
    static const struct {
        const char *line;
        vl_status status;
        const char *words;
    } rows[] = {
        {"{\"file_name\": \"0.png\", ", VL_ERR_INPUT, "metadata.jsonl:2: not JSON"},
        {"nothing", VL_ERR_INPUT, "metadata.jsonl:2: not JSON"},
        {"[1]", VL_ERR_INPUT, "metadata.jsonl:2: not a JSON object"},
        {"{}", VL_ERR_INPUT, "metadata.jsonl:2: \"file_name\" is missing"},
        {"{\"file_name\": 3}", VL_ERR_INPUT, "metadata.jsonl:2: \"file_name\""},
        {"{\"file_name\": \"../x.png\"}", VL_ERR_INPUT, "leaves the folder"},
        {"{\"file_name\": \"/etc/passwd\"}", VL_ERR_INPUT, "leaves the folder"},
        {"{\"file_name\": \"0.png\", \"captions\": [\"a\"]}", VL_ERR_INPUT, ":2: \"captions\""},
        {"{\"file_name\": \"0.png\", \"captions\": {\"en\": \"a\"}}", VL_ERR_INPUT,
         ":2: \"captions\""},
        {"{\"file_name\": \"0.png\", \"labels\": [\"a\"]}", VL_ERR_INPUT, ":2: \"labels\""},
        {"{\"file_name\": \"0.png\", \"qa\": {\"a\": 1}}", VL_ERR_INPUT, ":2: \"qa\""},
        {"   \t\r", VL_OK, NULL},
        {"", VL_OK, NULL},
        {"{\"file_name\": \"0.png\", \"captions\": {\"en\": [3, null, [\"x\"]]}, \"labels\": "
         "{\"turn\": 90, \"none\": null}, \"qa\": [7, {\"question\": \"q\"}], \"other\": {}}",
         VL_OK, NULL},
    };
    toy_folder("lines");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_buf text;
        samples *set = NULL;
        vl_error error = {0};
        vl_buf_init(&text, 1 << 16);
        vl_buf_printf(&text, "{\"file_name\": \"1.jpg\"}\n%s\n{\"file_name\": \"2.png\"}",
                      rows[i].line);
        toy_write("lines/metadata.jsonl", text.data, text.len);
        assert_int_equal(samples_open(toy_path("lines"), &set, &error), rows[i].status);
        if (rows[i].words && !strstr(error.message, rows[i].words))
            fail_msg("%zu: '%s' lacks '%s'", i, error.message, rows[i].words);
        if (!rows[i].status)
            assert_int_equal(samples_count(set), rows[i].line[0] == '{' ? 3 : 2);
        samples_free(set);
        vl_buf_deinit(&text);
    }
}

static void write_number(vl_buf *tar, size_t at, const char *text) {
    memcpy(tar->data + at, text, strlen(text));
}

static void test_broken_tars(void **state) {
    (void)state;
    static const struct {
        size_t at; /* what is written over the second member's header (0: cut there) */
        const char *bytes;
        vl_status status;
        const char *words;
    } rows[] = {
        {257, "mstar", VL_ERR_INPUT, "broken tar header at byte"},
        {124, "99999999999", VL_ERR_INPUT, "broken tar header at byte"},
        {124, "\x80\x01", VL_ERR_INPUT, "broken tar header at byte"},
        {0, "x", VL_ERR_INPUT, "broken tar header at byte"}, /* the checksum tells */
        {148, "xxxxxx", VL_ERR_INPUT, "broken tar header at byte"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_buf tar, picture;
        samples *set = NULL;
        vl_error error = {0};
        toy_tar(&tar);
        toy_picture(0, false, &picture);
        size_t second = 512 + (picture.len + 511) / 512 * 512;
        write_number(&tar, second + rows[i].at, rows[i].bytes);
        toy_write("broken.tar", tar.data, tar.len);
        assert_int_equal(samples_open(toy_path("broken.tar"), &set, &error), rows[i].status);
        char words[128];
        snprintf(words, sizeof words, "broken.tar: %s %zu", rows[i].words, second);
        if (!strstr(error.message, words))
            fail_msg("%zu: '%s' lacks '%s'", i, error.message, words);
        vl_buf_deinit(&tar);
        vl_buf_deinit(&picture);
    }
}

static void test_other_tars(void **state) {
    (void)state;
    static const char pax[] = "30 path=a/very/long/name.jpg\n",
                      times[] = "20 mtime=1234.5678\n";
    vl_buf tar, picture;
    samples *set = NULL;
    vl_error error = {0};
    vl_buf_init(&tar, 1 << 20);
    toy_picture(0, false, &picture);
    /* cut in the middle of a member */
    toy_member(&tar, "a.png", '0', picture.data, picture.len);
    toy_write("broken.tar", tar.data, 512 + picture.len / 2);
    assert_int_equal(samples_open(toy_path("broken.tar"), &set, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "at byte 0"));
    /* long names, as GNU and as POSIX write them */
    vl_buf_clear(&tar);
    toy_member(&tar, "././@LongLink", 'L', "name", 5);
    toy_write("broken.tar", tar.data, tar.len);
    assert_int_equal(samples_open(toy_path("broken.tar"), &set, &error), VL_ERR_UNSUPPORTED);
    vl_buf_clear(&tar);
    toy_member(&tar, "pax", 'x', pax, sizeof pax - 1);
    toy_write("broken.tar", tar.data, tar.len);
    assert_int_equal(samples_open(toy_path("broken.tar"), &set, &error), VL_ERR_UNSUPPORTED);
    /* times in a pax header are nothing to us; JSON that is none is named */
    vl_buf_clear(&tar);
    toy_member(&tar, "pax", 'x', times, sizeof times - 1);
    toy_member(&tar, "a.png", '0', picture.data, picture.len);
    toy_write("broken.tar", tar.data, tar.len);
    assert_int_equal(samples_open(toy_path("broken.tar"), &set, &error), VL_OK);
    assert_int_equal(samples_count(set), 1);
    samples_free(set);
    toy_member(&tar, "a.json", '0', "{\"captions\"", 11);
    toy_write("broken.tar", tar.data, tar.len);
    assert_int_equal(samples_open(toy_path("broken.tar"), &set, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "a.json"));
    assert_non_null(strstr(error.message, "not JSON"));
    vl_buf_deinit(&tar);
    vl_buf_deinit(&picture);
}

static void test_nothing_there(void **state) {
    (void)state;
    samples *set = NULL;
    vl_error error = {0};
    vl_dir_make(toy_path("empty"), NULL);
    assert_int_equal(samples_open(toy_path("none"), &set, &error), VL_ERR_MISSING);
    assert_int_equal(samples_open(toy_path("empty"), &set, &error), VL_ERR_MISSING);
    assert_non_null(strstr(error.message, "neither metadata.jsonl nor .tar files"));
    toy_write("empty/metadata.jsonl", "", 0);
    assert_int_equal(samples_open(toy_path("empty"), &set, &error), VL_ERR_MISSING);
    assert_non_null(strstr(error.message, "no picture in it"));
    toy_write("empty.tar", "", 0);
    assert_int_equal(samples_open(toy_path("empty.tar"), &set, &error), VL_ERR_INPUT);
    assert_null(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_tar),
        cmocka_unit_test(test_folder_of_tars),
        cmocka_unit_test(test_missing_pictures_are_counted),
        cmocka_unit_test(test_one_long_answer),
        cmocka_unit_test(test_broken_metadata),
        cmocka_unit_test(test_broken_tars),
        cmocka_unit_test(test_other_tars),
        cmocka_unit_test(test_nothing_there),
    };
    return cmocka_run_group_tests(tests, toy_setup, toy_teardown);
}
