/* Tests of the feed: what a step holds follows from the recipe and its number alone, however
 * many threads decode and machines share it; pictures that cannot be decoded. */
#include "train_toy.h"

#include "train/feed.h"

#define TRAINING "training: {steps: 8, word_dropout: 0.3, micro_batch: 4, max_broken: %s}\n"

static recipe the_recipe;
static vl_bpe *bpe;

static void read_recipe(const char *sources, const char *max_broken) {
    vl_buf text;
    vl_error error = {0};
    vl_buf_init(&text, 1 << 16);
    vl_buf_printf(&text, "%s%s" TRAINING, TOY_HEAD TOY_ARCHITECTURE TOY_LABELS, sources,
                  max_broken);
    toy_write("recipe.yaml", text.data, text.len);
    vl_buf_deinit(&text);
    if (recipe_read(toy_path("recipe.yaml"), &the_recipe, &error))
        fail_msg("%s", error.message);
}

static vl_status try_feed(size_t threads, size_t rank, size_t ranks, bool held, feed **out,
                          vl_error *error) {
    feed_options options = {.recipe = &the_recipe,
                            .data_dir = toy_root,
                            .bpe = bpe,
                            .threads = threads,
                            .rank = rank,
                            .ranks = ranks,
                            .held = held};
    return feed_new(&options, out, error);
}

static feed *new_feed(size_t threads, size_t rank, size_t ranks, bool held) {
    feed *f = NULL;
    vl_error error = {0};
    if (try_feed(threads, rank, ranks, held, &f, &error))
        fail_msg("%s", error.message);
    return f;
}

static feed_step *take(feed *f, uint64_t number) {
    feed_step *step = NULL;
    vl_error error = {0};
    if (feed_take(f, number, &step, &error))
        fail_msg("%s", error.message);
    assert_int_equal(step->number, number);
    return step;
}

static void same_numbers(const void *a, const void *b, size_t count, size_t size) {
    if (count)
        assert_memory_equal(a, b, count * size);
}

static void same_piece(const piece *a, const piece *b) {
    assert_ptr_equal(a->source, b->source);
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->pictures, b->pictures);
    assert_int_equal(a->side, b->side);
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->targets, b->targets);
    assert_int_equal(a->vectors, b->vectors);
    same_numbers(a->pixels, b->pixels, a->pictures * a->side * a->side * 3, sizeof(float));
    same_numbers(a->sample, b->sample, a->pictures, sizeof(size_t));
    same_numbers(a->starts, b->starts, a->rows + 1, sizeof(int32_t));
    same_numbers(a->ids, b->ids, (size_t)a->starts[a->rows], sizeof(int32_t));
    same_numbers(a->owner, b->owner, a->rows, sizeof(int32_t));
    same_numbers(a->at, b->at, a->targets, sizeof(int32_t));
    same_numbers(a->target, b->target, a->targets, sizeof(int32_t));
    same_numbers(a->task, b->task, a->targets, 1);
    same_numbers(a->vector_at, b->vector_at, a->vectors, sizeof(int32_t));
    same_numbers(a->vector_owner, b->vector_owner, a->vectors, sizeof(int32_t));
    same_numbers(a->labels, b->labels, a->pictures, sizeof(int32_t));
}

static void test_any_number_of_threads(void **state) {
    (void)state;
    read_recipe(TOY_SOURCES, "0");
    feed *one = new_feed(1, 0, 1, false), *three = new_feed(3, 0, 1, false);
    for (uint64_t i = 0; i < 6; i++) {
        feed_step *a = take(one, i), *b = take(three, i);
        assert_int_equal(a->count, 3); /* 6 and 4 pictures, at most 4 a piece */
        assert_int_equal(b->count, 3);
        for (size_t p = 0; p < a->count; p++)
            same_piece(&a->pieces[p], &b->pieces[p]);
        feed_release(one, a);
        feed_release(three, b);
    }
    feed_free(one);
    feed_free(three);
}

/* Beginning at step 3 gives what step 3 was for those who began at 0. */
static void test_any_beginning(void **state) {
    (void)state;
    read_recipe(TOY_SOURCES, "0");
    feed *all = new_feed(2, 0, 1, false), *late = new_feed(2, 0, 1, false);
    for (uint64_t i = 0; i < 5; i++) {
        feed_step *a = take(all, i);
        if (i >= 3) {
            feed_step *b = take(late, i);
            for (size_t p = 0; p < a->count; p++)
                same_piece(&a->pieces[p], &b->pieces[p]);
            feed_release(late, b);
        }
        feed_release(all, a);
    }
    feed_free(all);
    feed_free(late);
}

static void test_machines_share_a_step(void **state) {
    (void)state;
    read_recipe(TOY_SOURCES, "0");
    feed *all = new_feed(2, 0, 1, false);
    feed *parts[2] = {new_feed(1, 0, 2, false), new_feed(1, 1, 2, false)};
    for (uint64_t i = 0; i < 4; i++) {
        feed_step *whole = take(all, i);
        feed_step *share[2] = {take(parts[0], i), take(parts[1], i)};
        assert_int_equal(share[0]->count + share[1]->count, whole->count);
        for (size_t p = 0; p < whole->count; p++) {
            assert_int_equal(whole->pieces[p].number, p);
            same_piece(&whole->pieces[p], &share[p % 2]->pieces[p / 2]);
        }
        feed_release(all, whole);
        feed_release(parts[0], share[0]);
        feed_release(parts[1], share[1]);
    }
    feed_free(all);
    feed_free(parts[0]);
    feed_free(parts[1]);
}

/* 8 samples in steps of 4: every pass holds each of them once, in an order of its own. */
static void test_passes(void **state) {
    (void)state;
    read_recipe(
        "sources:\n  - {name: tar, path: shard.tar, batch: 4, picture: 32, captions: 0, "
        "labels: 1}\n",
        "0");
    feed *f = new_feed(2, 0, 1, false);
    size_t first[8], differing = 0;
    for (uint64_t pass = 0; pass < 4; pass++) {
        unsigned seen = 0;
        for (uint64_t half = 0; half < 2; half++) {
            feed_step *step = take(f, pass * 2 + half);
            assert_int_equal(step->count, 1);
            for (size_t i = 0; i < 4; i++) {
                const piece *p = &step->pieces[0];
                seen |= 1u << p->sample[i];
                assert_int_equal(p->labels[i], p->sample[i]); /* toy labels are in order */
                if (pass == 0)
                    first[half * 4 + i] = p->sample[i];
                else
                    differing += first[half * 4 + i] != p->sample[i];
            }
            feed_release(f, step);
        }
        assert_int_equal(seen, 0xFF);
    }
    assert_true(differing > 8);
    feed_free(f);
}

/* A held-out set goes by once, in order, with nothing changed. */
static void test_held_out(void **state) {
    (void)state;
    read_recipe(TOY_SOURCES, "0");
    feed *f = new_feed(2, 0, 1, true);
    assert_int_equal(feed_held_steps(f), 1);
    feed_step *step = take(f, 0);
    size_t next = 0;
    for (size_t p = 0; p < step->count; p++)
        for (size_t i = 0; i < step->pieces[p].pictures; i++) {
            const piece *at = &step->pieces[p];
            assert_int_equal(at->sample[i], next);
            const float *pixel = at->pixels + i * at->side * at->side * 3;
            for (size_t c = 0; c < 3; c++) {
                double expected = (toy_colours[next].rgb[c] / 255.0 - 0.5) / 0.25;
                assert_true(fabs((double)pixel[c] - expected) < 0.1); /* JPEG */
            }
            next++;
        }
    assert_int_equal(next, TOY_COLOURS);
    feed_release(f, step);
    feed_free(f);
}

/* Prompts, targets and what is matched, of a caption and a question. */
static void test_rows(void **state) {
    (void)state;
    read_recipe("sources:\n  - {name: f, path: folder, batch: 1, picture: 32}\nheld_out:\n"
                "  - {name: f, path: folder, batch: 8, picture: 32, captions: 1, caption: 1, "
                "contrast: 1, ask: 1, statement: 1}\n",
                "0");
    feed *f = new_feed(1, 0, 1, true);
    feed_step *step = take(f, 0);
    const piece *p = &step->pieces[0];
    const int32_t caption = vl_bpe_special(bpe, "<caption>"), en = vl_bpe_special(bpe, "<en>"),
                  eos = vl_bpe_special(bpe, "<eos>"), ask = vl_bpe_special(bpe, "<ask>"),
                  yes = vl_bpe_special(bpe, "<yes>");
    const int32_t *row = p->ids;
    assert_int_equal(row[0], caption);
    assert_int_equal(row[1], en);
    assert_int_equal(row[p->starts[1] - 1], eos);
    assert_int_equal(p->at[0], 1); /* the language's place predicts the first word */
    assert_int_equal(p->target[0], row[2]);
    assert_int_equal(p->target[p->starts[1] - 3], eos);
    assert_int_equal(p->vector_at[0], p->starts[1] - 1);
    assert_int_equal(p->ids[p->starts[1]], ask);
    assert_int_equal(p->ids[p->starts[3] - 1], yes);
    size_t of_statements = 0;
    for (size_t t = 0; t < p->targets; t++)
        of_statements += p->task[t] == TASK_STATEMENT;
    assert_int_equal(of_statements, p->pictures);
    feed_release(f, step);
    feed_free(f);
}

/* Texts longer than the network's are cut, also those past any buffer. */
static void test_long_texts(void **state) {
    (void)state;
    static char long_text[20000];
    for (size_t i = 0; i + 1 < sizeof long_text; i++)
        long_text[i] = "qxzjkvw "[i * 7 % 8];
    vl_buf line;
    vl_buf_init(&line, 1 << 20);
    toy_folder("long");
    vl_buf_printf(&line,
                  "{\"file_name\": \"0.png\", \"captions\": {\"en\": [\"%s\"]}, \"qa\": "
                  "[{\"question\": \"%s\", \"answer\": [\"a\"]}, {\"question\": \"?\", "
                  "\"answer\": \"%s\"}], \"statements\": [{\"statement\": \"%s\", \"true\": "
                  "true}]}\n",
                  long_text, long_text, long_text, long_text);
    toy_write("long/metadata.jsonl", line.data, line.len);
    vl_buf_deinit(&line);
    read_recipe("sources:\n  - {name: long, path: long, batch: 4, picture: 32, questions: 3, "
                "statements: 2, caption: 1, contrast: 1, ask: 1, statement: 1}\n",
                "0");
    feed *f = new_feed(1, 0, 1, false);
    feed_step *step = take(f, 0);
    const piece *p = &step->pieces[0];
    assert_int_equal(p->rows, 4 * 6);
    const int32_t caption = vl_bpe_special(bpe, "<caption>"),
                  statement = vl_bpe_special(bpe, "<statement>"),
                  hidden = vl_bpe_special(bpe, "<s0>"); /* word_dropout */
    int32_t first[16];
    size_t all, cut = 0;
    assert_int_equal(vl_bpe_encode(bpe, long_text, strlen(long_text), first, 16, &all, NULL),
                     VL_ERR_LIMIT);
    for (size_t r = 0; r < p->rows; r++) {
        const int32_t *row = p->ids + p->starts[r];
        int32_t length = p->starts[r + 1] - p->starts[r];
        assert_in_range(length, 2, 16); /* max_text */
        if (row[0] != caption && row[0] != statement)
            continue;
        /* What fits between the two tokens before and after it, no less. */
        assert_int_equal(length, 16);
        for (size_t i = 0, at = row[0] == caption ? 2 : 1; i < 13; i++)
            assert_true(row[at + i] == first[i] || (at == 2 && row[at + i] == hidden));
        cut++;
    }
    assert_int_equal(cut, 4 * 3);
    feed_release(f, step);
    feed_free(f);
}

/* ---- what is broken ------------------------------------------------------------------ */

/* The first `broken` of 40 pictures are none: empty, or something else. */
static void write_broken(size_t broken) {
    vl_buf lines, picture;
    vl_buf_init(&lines, 1 << 20);
    toy_picture(1, true, &picture);
    vl_dir_make(toy_path("partly"), NULL);
    for (size_t i = 0; i < 40; i++) {
        char path[64];
        snprintf(path, sizeof path, "partly/%02zu.jpg", i);
        if (i >= broken)
            toy_write(path, picture.data, picture.len);
        else
            toy_write(path, i % 2 ? "no picture" : "", i % 2 ? 10 : 0);
        vl_buf_printf(&lines,
                      "{\"file_name\": \"%02zu.jpg\", \"labels\": {\"colour\": "
                      "\"green\"}}\n",
                      i);
    }
    toy_write("partly/metadata.jsonl", lines.data, lines.len);
    vl_buf_deinit(&lines);
    vl_buf_deinit(&picture);
}

#define PARTLY                                                                                 \
    "sources:\n  - {name: p, path: partly, batch: 8, picture: 32, captions: 0, labels: 1}\n"

static void test_broken_pictures_are_skipped(void **state) {
    (void)state;
    write_broken(3);
    read_recipe(PARTLY, "0.5");
    feed *f = new_feed(2, 0, 1, false), *again = new_feed(1, 0, 1, false);
    for (uint64_t i = 0; i < 5; i++) { /* one pass */
        feed_step *a = take(f, i), *b = take(again, i);
        for (size_t p = 0; p < a->count; p++) {
            same_piece(&a->pieces[p], &b->pieces[p]); /* what comes instead is fixed too */
            for (size_t k = 0; k < a->pieces[p].pictures; k++)
                assert_true(a->pieces[p].sample[k] >= 3);
        }
        feed_release(f, a);
        feed_release(again, b);
    }
    assert_true(feed_broken(f) >= 3);
    feed_free(f);
    feed_free(again);
}

static void test_too_many_broken_are_refused(void **state) {
    (void)state;
    write_broken(20);
    read_recipe(PARTLY, "0.05");
    feed *f = new_feed(2, 0, 1, false);
    vl_error error = {0};
    vl_status status = VL_OK;
    for (uint64_t i = 0; i < 5 && !status; i++) {
        feed_step *step = NULL;
        status = feed_take(f, i, &step, &error);
        if (!status)
            feed_release(f, step);
    }
    assert_int_equal(status, VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "max_broken"));
    assert_non_null(strstr(error.message, ".jpg"));
    feed_free(f);
}

static void test_too_many_missing_are_refused(void **state) {
    (void)state;
    write_broken(0);
    for (size_t i = 0; i < 8; i++) {
        char path[64];
        snprintf(path, sizeof path, "partly/%02zu.jpg", i);
        unlink(toy_path(path));
    }
    feed *f = NULL;
    vl_error error = {0};
    read_recipe(PARTLY, "0.1");
    assert_int_equal(try_feed(1, 0, 1, false, &f, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "8 of 40 pictures are missing"));
    read_recipe(PARTLY, "0.2");
    assert_int_equal(try_feed(1, 0, 1, false, &f, &error), VL_OK);
    feed_free(f);
}

static void test_labels_must_be_listed(void **state) {
    (void)state;
    static const char line[] =
        "{\"file_name\": \"0.png\", \"labels\": {\"colour\": \"mauve\", \"other\": \"x\"}}";
    feed *f = NULL;
    vl_error error = {0};
    toy_folder("odd");
    toy_write("odd/metadata.jsonl", line, strlen(line));
    read_recipe("sources:\n  - {name: odd, path: odd, batch: 1, picture: 32, labels: 1}\n",
                "0");
    assert_int_equal(try_feed(1, 0, 1, false, &f, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "'mauve' is not in the recipe's list 'colour'"));
    read_recipe("sources:\n  - {name: no, path: nowhere, batch: 1, picture: 32, labels: 1}\n",
                "0");
    assert_int_equal(try_feed(1, 0, 1, false, &f, &error), VL_ERR_MISSING);
}

static int setup(void **state) {
    vl_error error;
    if (toy_setup(state) || vl_bpe_open(NULL, &bpe, &error))
        return -1;
    return 0;
}

static int teardown(void **state) {
    vl_bpe_free(bpe);
    return toy_teardown(state);
}

/* Of four captions the first is drawn 0.25^(1/typical) of the time: 25 %, or 71 % at 4. */
static void test_typical_captions(void **state) {
    (void)state;
    static const char metadata[] =
        "{\"file_name\": \"0.png\", \"captions\": {\"en\": [\"red\", \"green\", "
        "\"blue\", \"yellow\"]}}\n";
    static const struct {
        const char *sources;
        double share;
    } cases[] = {
        {"sources:\n  - {name: a, path: many, batch: 4, picture: 32, caption: 1}\n", 0.25},
        {"sources:\n  - {name: a, path: many, batch: 4, picture: 32, caption: 1, typical: 4}\n",
         0.707},
    };
    enum { STEPS = 100 };
    vl_buf picture;
    toy_picture(0, false, &picture);
    assert_int_equal(vl_dir_make(toy_path("many"), NULL), VL_OK);
    toy_write("many/0.png", picture.data, picture.len);
    toy_write("many/metadata.jsonl", metadata, strlen(metadata));
    vl_buf_deinit(&picture);
    static const char *const words[] = {"red", "green", "blue", "yellow"};
    int32_t first[4];
    for (size_t i = 0; i < 4; i++) {
        int32_t ids[8];
        size_t tokens;
        assert_int_equal(vl_bpe_encode(bpe, words[i], strlen(words[i]), ids, 8, &tokens, NULL),
                         VL_OK);
        first[i] = ids[0];
    }
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        read_recipe(cases[c].sources, "0");
        feed *f = new_feed(1, 0, 1, false);
        size_t drawn[4] = {0}, all = 0;
        for (uint64_t n = 0; n < STEPS; n++) {
            feed_step *step = take(f, n);
            const piece *p = &step->pieces[0];
            for (size_t t = 0; t < p->targets; t++)
                for (size_t i = 0; i < 4; i++) {
                    drawn[i] += p->target[t] == first[i];
                    all += p->target[t] == first[i];
                }
            feed_release(f, step);
        }
        assert_true(all > STEPS);
        assert_true(fabs((double)drawn[0] / (double)all - cases[c].share) < 0.1);
        assert_true(drawn[3] > 0);
        feed_free(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_number_of_threads),
        cmocka_unit_test(test_any_beginning),
        cmocka_unit_test(test_machines_share_a_step),
        cmocka_unit_test(test_passes),
        cmocka_unit_test(test_held_out),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_typical_captions),
        cmocka_unit_test(test_broken_pictures_are_skipped),
        cmocka_unit_test(test_too_many_broken_are_refused),
        cmocka_unit_test(test_too_many_missing_are_refused),
        cmocka_unit_test(test_labels_must_be_listed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
