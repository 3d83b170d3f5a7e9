/* Tests of training runs on a toy problem: it learns, it resumes to the same bytes, it stops
 * when told, when nothing gets better, and when numbers go wrong; what is refused. */
#include "train_toy.h"

#include <math.h>
#include <signal.h>
#include <vislang/tensor.h>

#define TRAINING                                                                               \
    "training: {steps: 8, warmup: 2, rate: 0.002, final_rate: 0.0002, smoothing: 0.1,\n"       \
    "  dropout: 0.1, drop_path: 0.1, word_dropout: 0.2, lanes: 2, micro_batch: 2,\n"           \
    "  log_every: 2, evaluate_every: 4, checkpoint_minutes: 1000}\n"
#define BASE TOY_HEAD TOY_ARCHITECTURE TOY_LABELS TOY_SOURCES TRAINING

typedef struct watch {
    uint64_t raise_at; /* SIGTERM to ourselves after this step */
    uint64_t steps, lines, events, last;
    double loss[VL_TRAIN_TASKS];
    char event[128];
} watch;

static void look(const vl_train_progress *p, void *user) {
    watch *w = user;
    w->steps += !p->event;
    w->lines += p->line;
    w->events += p->event != NULL;
    if (p->event)
        snprintf(w->event, sizeof w->event, "%s", p->event);
    if (p->line)
        memcpy(w->loss, p->loss, sizeof w->loss);
    w->last = p->step;
    if (w->raise_at && p->step == w->raise_at)
        raise(SIGTERM);
}

typedef struct how {
    const char *recipe, *out;
    uint64_t max_steps;
    size_t feed_threads;
    watch *watch;
} how;

static vl_status train(how h, vl_error *error) {
    char path[64];
    snprintf(path, sizeof path, "%s.yaml", h.out);
    toy_write(path, h.recipe, strlen(h.recipe));
    char recipe_path[TOY_PATH], out_path[TOY_PATH];
    snprintf(recipe_path, sizeof recipe_path, "%s", toy_path(path));
    snprintf(out_path, sizeof out_path, "%s", toy_path(h.out));
    vl_training training = {.recipe = recipe_path,
                            .data_dir = toy_root,
                            .out_dir = out_path,
                            .max_steps = h.max_steps,
                            .feed_threads = h.feed_threads,
                            .progress = h.watch ? look : NULL,
                            .user = h.watch};
    return vl_train(&training, error);
}

static void must_train(how h) {
    vl_error error = {0};
    if (train(h, &error))
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

static const char *checkpoint_of(const char *run) {
    static char names[4][128];
    static size_t next;
    char *name = names[next++ % 4];
    snprintf(name, 128, "%s/checkpoint.safetensors", run);
    return name;
}

static uint64_t step_of(const char *run) {
    vl_safetensors *file = NULL;
    vl_error error = {0};
    if (vl_safetensors_open(toy_path(checkpoint_of(run)), &file, &error))
        fail_msg("%s", error.message);
    uint64_t step = strtoull(vl_safetensors_value(file, "step"), NULL, 10);
    vl_safetensors_free(file);
    return step;
}

/* The log with its speeds left out: they alone differ from run to run. */
static void read_log(const char *run, vl_buf *out) {
    char name[64];
    vl_buf log;
    snprintf(name, sizeof name, "%s/log.jsonl", run);
    toy_read(name, &log);
    vl_buf_init(out, 1 << 20);
    for (const char *at = log.data; at && *at;) {
        const char *speed = strstr(at, "\"pictures_per_second\"");
        vl_buf_append(out, at, speed ? (size_t)(speed - at) : strlen(at));
        at = speed ? strchr(speed, ',') : NULL;
    }
    vl_buf_deinit(&log);
}

static void same_log(const char *a, const char *b) {
    vl_buf x, y;
    read_log(a, &x);
    read_log(b, &y);
    assert_string_equal(x.data, y.data);
    vl_buf_deinit(&x);
    vl_buf_deinit(&y);
}

/* ---- the same bytes ------------------------------------------------------------------- */

static void test_resuming_is_exact(void **state) {
    (void)state;
    watch w = {0};
    must_train((how){.recipe = BASE, .out = "whole", .watch = &w});
    assert_int_equal(w.steps, 8);
    assert_int_equal(w.lines, 4);
    assert_int_equal(w.events, 2);
    assert_int_equal(step_of("whole"), 8);
    must_train((how){.recipe = BASE, .out = "halves", .max_steps = 4});
    assert_int_equal(step_of("halves"), 4);
    must_train((how){.recipe = BASE, .out = "halves", .max_steps = 4});
    same_file(checkpoint_of("whole"), checkpoint_of("halves"));
    same_file("whole/best.safetensors", "halves/best.safetensors");
    same_log("whole", "halves");
    /* Odd cuts, and a run that is done has nothing to do. */
    for (int i = 0; i < 4; i++)
        must_train((how){.recipe = BASE, .out = "thirds", .max_steps = 3});
    same_file(checkpoint_of("whole"), checkpoint_of("thirds"));
}

static void test_feed_threads_do_not_matter(void **state) {
    (void)state;
    must_train((how){.recipe = BASE, .out = "one-thread", .feed_threads = 1});
    must_train((how){.recipe = BASE, .out = "two-threads", .feed_threads = 2});
    same_file(checkpoint_of("one-thread"), checkpoint_of("two-threads"));
    same_log("one-thread", "two-threads");
}

/* What a log holds past its checkpoint, or half of a line, goes when the run goes on; the best
 * evaluation is remembered. */
static void test_log_goes_back_with_the_checkpoint(void **state) {
    (void)state;
    must_train((how){.recipe = BASE, .out = "logged", .max_steps = 4});
    vl_buf log;
    toy_read("logged/log.jsonl", &log);
    vl_buf_puts(&log, "{\"step\":6,\"rate\":1}\n{\"evaluation\":8,\"total\":0.001}\n{\"st");
    toy_write("logged/log.jsonl", log.data, log.len);
    toy_write("logged/.checkpoint.safetensors.0123456789ab.tmp", "half", 4);
    vl_buf_deinit(&log);
    must_train((how){.recipe = BASE, .out = "logged"});
    must_train((how){.recipe = BASE, .out = "unharmed"});
    same_log("logged", "unharmed");
    same_file("logged/best.safetensors", "unharmed/best.safetensors");
    assert_int_not_equal(
        access(toy_path("logged/.checkpoint.safetensors.0123456789ab.tmp"), F_OK), 0);
}

/* ---- stopping ------------------------------------------------------------------------- */

static void test_signal_leaves_a_checkpoint(void **state) {
    (void)state;
    watch w = {.raise_at = 3};
    vl_error error = {0};
    assert_int_equal(train((how){.recipe = BASE, .out = "stopped", .watch = &w}, &error),
                     VL_ERR_CANCELLED);
    assert_non_null(strstr(error.message, "stopped at step 3, with a checkpoint"));
    assert_int_equal(step_of("stopped"), 3);
    must_train((how){.recipe = BASE, .out = "stopped"});
    must_train((how){.recipe = BASE, .out = "unstopped"});
    same_file(checkpoint_of("stopped"), checkpoint_of("unstopped"));
}

/* With a rate of nothing no evaluation is better than the first. */
static void test_early_stop(void **state) {
    (void)state;
    static const char patient[] = TOY_HEAD TOY_ARCHITECTURE TOY_LABELS TOY_SOURCES
        "training: {steps: 50, warmup: 0, rate: 0, final_rate: 0, lanes: 1, micro_batch: 4,\n"
        "  log_every: 2, evaluate_every: 2, patience: 5, checkpoint_minutes: 1000}\n";
    watch w = {0}, again = {0};
    must_train((how){.recipe = patient, .out = "patient", .watch = &w});
    /* The first evaluation, at 2, is the best; 2 + 5 steps are waited for. */
    assert_int_equal(step_of("patient"), 8);
    assert_non_null(strstr(w.event, "patience"));
    must_train((how){.recipe = patient, .out = "patient", .watch = &again});
    assert_int_equal(step_of("patient"), 8); /* also when asked again */
    assert_int_equal(again.steps, 0);
    assert_int_equal(access(toy_path("patient/best.safetensors"), F_OK), 0);
}

/* ---- numbers that go wrong ------------------------------------------------------------ */

/* A checkpoint of "poison" after two steps with one weight overwritten, as what to begin from.
 */
static void poison(const char *name, const char *weight, float value) {
    vl_safetensors *file = NULL;
    vl_buf bytes;
    vl_error error = {0};
    if (access(toy_path("poison"), F_OK) != 0)
        must_train((how){.recipe = BASE, .out = "poison", .max_steps = 2});
    toy_read(checkpoint_of("poison"), &bytes);
    if (vl_safetensors_open(toy_path(checkpoint_of("poison")), &file, &error))
        fail_msg("%s", error.message);
    const char *begin = (const char *)vl_safetensors_find(file, "stem.1.weight")->data;
    /* the mapped file and its copy have the same layout: find the place by the first tensor */
    const char *prefixes[] = {"", "average/"};
    for (size_t i = 0; i < 2; i++) {
        char full[96];
        snprintf(full, sizeof full, "%s%s", prefixes[i], weight);
        const vl_tensor *tensor = vl_safetensors_find(file, full);
        assert_non_null(tensor);
        const char *anchor = memmem(bytes.data, bytes.len, begin, 256);
        assert_non_null(anchor);
        ptrdiff_t shift = (const char *)tensor->data - begin;
        memcpy((char *)(uintptr_t)anchor + shift, &value, sizeof value);
    }
    toy_write(name, bytes.data, bytes.len);
    vl_safetensors_free(file);
    vl_buf_deinit(&bytes);
}

static void test_losses_that_are_no_numbers(void **state) {
    (void)state;
    static const struct {
        const char *weight;
        float value;
        const char *words[2];
    } rows[] = {
        {"stem.2.weight", NAN, {"the picture's layers", "'stem.2.weight' are no numbers"}},
        {"text.0.up.weight", INFINITY, {"the text's layers", "'text.0.up.weight' are no"}},
        {"mixed.0.kv.weight", NAN, {"both picture and text", "'mixed.0.kv.weight' are no"}},
        {"vision.0.up.weight", 3e38f, {"is not a number any more", "vision.0.up.weight"}},
        {"vector.text", NAN, {"of matching in step 0", "not a number"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char recipe[4096], out[32];
        vl_error error = {0};
        poison("bad.safetensors", rows[i].weight, rows[i].value);
        snprintf(recipe, sizeof recipe, "init: %s\n%s", toy_path("bad.safetensors"), BASE);
        snprintf(out, sizeof out, "wrong-%zu", i);
        assert_int_equal(train((how){.recipe = recipe, .out = out}, &error), VL_ERR_INPUT);
        for (size_t k = 0; k < 2; k++)
            if (!strstr(error.message, rows[i].words[k]))
                fail_msg("%zu: '%s' lacks '%s'", i, error.message, rows[i].words[k]);
        assert_int_not_equal(access(toy_path(checkpoint_of(out)), F_OK), 0);
    }
}

/* The checkpoint of before stays, loads, and the failure comes again at the same step. */
static void test_last_good_checkpoint_stays(void **state) {
    (void)state;
    vl_buf before;
    vl_error error = {0};
    must_train((how){.recipe = BASE, .out = "diverging", .max_steps = 2});
    toy_read(checkpoint_of("diverging"), &before);
    /* A moment that is no number makes weights that are none, at the next step. */
    vl_buf broken = before;
    vl_buf_init(&broken, 64 << 20);
    vl_buf_append(&broken, before.data, before.len);
    vl_safetensors *file = NULL;
    assert_int_equal(vl_safetensors_open(toy_path(checkpoint_of("diverging")), &file, &error),
                     VL_OK);
    const vl_tensor *m = vl_safetensors_find(file, "m/stem.2.weight");
    const char *at = memmem(broken.data, broken.len, m->data, 256);
    const float nan_value = NAN;
    assert_non_null(at);
    memcpy((char *)(uintptr_t)at, &nan_value, sizeof nan_value);
    vl_safetensors_free(file);
    toy_write(checkpoint_of("diverging"), broken.data, broken.len);
    /* one step, then a checkpoint would be due: it is refused */
    assert_int_equal(train((how){.recipe = BASE, .out = "diverging", .max_steps = 1}, &error),
                     VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "'stem.2.weight' are no numbers any more"));
    vl_buf after;
    toy_read(checkpoint_of("diverging"), &after);
    assert_int_equal(after.len, broken.len);
    assert_memory_equal(after.data, broken.data, broken.len);
    /* and with the good one back, the run goes on */
    toy_write(checkpoint_of("diverging"), before.data, before.len);
    must_train((how){.recipe = BASE, .out = "diverging"});
    assert_int_equal(step_of("diverging"), 8);
    vl_buf_deinit(&before);
    vl_buf_deinit(&broken);
    vl_buf_deinit(&after);
}

/* ---- what is refused ------------------------------------------------------------------ */

static void test_other_recipes_and_networks(void **state) {
    (void)state;
    static const char other_seed[] =
        "model: seer\nseed: 4\ntokenizer: models/seer-tokenizer.bpe\n" TOY_ARCHITECTURE
            TOY_LABELS TOY_SOURCES TRAINING;
    static const char wider[] = TOY_HEAD
        "architecture: {picture: 32, widths: [16, 32, 96], blocks: [1, 1], kernel: 3, layers: "
        "1, heads: 2, grid: 2, vocabulary: 8192, max_text: 16, text_layers: 1, mixed_layers: "
        "1, text_heads: 2, vector: 16}\n" TOY_LABELS TOY_SOURCES TRAINING;
    vl_error error = {0};
    must_train((how){.recipe = BASE, .out = "owned", .max_steps = 1});
    assert_int_equal(train((how){.recipe = other_seed, .out = "owned"}, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "begun with another recipe"));
    /* The checkpoint of another network, put into a run's folder. */
    must_train((how){.recipe = wider, .out = "wide", .max_steps = 1});
    vl_buf bytes;
    toy_read(checkpoint_of("owned"), &bytes);
    toy_write(checkpoint_of("wide"), bytes.data, bytes.len);
    assert_int_equal(train((how){.recipe = wider, .out = "wide"}, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "checkpoint.safetensors"));
    toy_write(checkpoint_of("wide"), bytes.data, bytes.len / 2);
    assert_int_equal(train((how){.recipe = wider, .out = "wide"}, &error), VL_ERR_INPUT);
    toy_write(checkpoint_of("wide"), "", 0);
    assert_int_equal(train((how){.recipe = wider, .out = "wide"}, &error), VL_ERR_INPUT);
    vl_buf_deinit(&bytes);
}

typedef struct rival {
    vl_status status;
    vl_error error;
} rival;

static void begin_rival(const vl_train_progress *p, void *user) {
    rival *r = user;
    if (p->step != 1 || p->event)
        return;
    char recipe[TOY_PATH], out[TOY_PATH];
    snprintf(recipe, sizeof recipe, "%s", toy_path("locked.yaml"));
    snprintf(out, sizeof out, "%s", toy_path("locked"));
    vl_training training = {.recipe = recipe, .data_dir = toy_root, .out_dir = out};
    r->status = vl_train(&training, &r->error);
}

static void test_one_run_a_folder(void **state) {
    (void)state;
    rival r = {0};
    vl_error error = {0};
    char recipe[TOY_PATH], out[TOY_PATH];
    toy_write("locked.yaml", BASE, strlen(BASE));
    snprintf(recipe, sizeof recipe, "%s", toy_path("locked.yaml"));
    snprintf(out, sizeof out, "%s", toy_path("locked"));
    vl_training training = {.recipe = recipe,
                            .data_dir = toy_root,
                            .out_dir = out,
                            .max_steps = 2,
                            .progress = begin_rival,
                            .user = &r};
    assert_int_equal(vl_train(&training, &error), VL_OK);
    assert_int_equal(r.status, VL_ERR_BUSY);
    assert_non_null(strstr(r.error.message, "another process is training"));
}

/* ---- learning ------------------------------------------------------------------------- */

/* Eight pictures of plain colours and the words for them: learned by heart. */
/* The network computes with rounded weights; the checkpoint holds the exact ones, so a resumed
 * run goes on to the same bytes, and another format gives other weights. */
static void test_training_for_few_bits(void **state) {
    (void)state;
#define FEW_BITS(format)                                                                       \
    TOY_HEAD TOY_ARCHITECTURE TOY_LABELS TOY_SOURCES                                           \
        "training: {steps: 6, warmup: 2, rate: 0.002, lanes: 2, micro_batch: 2, "              \
        "checkpoint_minutes: 1000, quantize: " format "}\n"
    must_train((how){.recipe = FEW_BITS("q2_0"), .out = "two", .max_steps = 6});
    must_train((how){.recipe = FEW_BITS("q2_0"), .out = "two-halves", .max_steps = 2});
    must_train((how){.recipe = FEW_BITS("q2_0"), .out = "two-halves", .max_steps = 4});
    same_file(checkpoint_of("two"), checkpoint_of("two-halves"));
    must_train((how){.recipe = FEW_BITS("q8_0"), .out = "eight", .max_steps = 6});
    vl_buf two, eight;
    toy_read(checkpoint_of("two"), &two);
    toy_read(checkpoint_of("eight"), &eight);
    size_t most = two.len < eight.len ? two.len : eight.len;
    assert_true(memcmp(two.data + most / 2, eight.data + most / 2, most / 4) != 0);
    vl_buf_deinit(&two);
    vl_buf_deinit(&eight);
    vl_error error = {0};
    assert_int_equal(train((how){.recipe = FEW_BITS("i8"), .out = "i8"}, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "q2_0"));
}

static void test_it_learns(void **state) {
    (void)state;
    static const char toy[] = TOY_HEAD TOY_ARCHITECTURE TOY_LABELS
        "sources:\n"
        "  - {name: folder, path: folder, batch: 8, picture: 32, captions: 1, questions: 1,\n"
        "     statements: 2, caption: 1, contrast: 1, ask: 0.5, statement: 1, labels: 0.5}\n"
        "held_out:\n"
        "  - {name: folder, path: folder, batch: 8, picture: 32, captions: 1, caption: 1,\n"
        "     contrast: 1, labels: 1}\n"
        "training: {steps: 200, warmup: 10, rate: 0.003, final_rate: 0.0005, decay: 0, ema: "
        "0.9,\n"
        "  lanes: 1, micro_batch: 4, log_every: 10, evaluate_every: 200, checkpoint_minutes: "
        "1000}\n";
    watch w = {0};
    must_train((how){.recipe = toy, .out = "learned", .watch = &w});
    assert_true(w.loss[0] < 0.1);  /* captions; ln 8192 = 9.0 at the start */
    assert_true(w.loss[1] < 0.25); /* matching; ln 8 = 2.1 */
    assert_true(w.loss[2] < 0.1);
    assert_true(w.loss[3] < 0.3); /* ln 2 = 0.69 without looking */
    assert_true(w.loss[4] < 0.1);
    /* all eight found by their captions, with the averaged weights */
    assert_non_null(strstr(w.event, "R@1 1.000"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resuming_is_exact),
        cmocka_unit_test(test_feed_threads_do_not_matter),
        cmocka_unit_test(test_log_goes_back_with_the_checkpoint),
        cmocka_unit_test(test_signal_leaves_a_checkpoint),
        cmocka_unit_test(test_early_stop),
        cmocka_unit_test(test_losses_that_are_no_numbers),
        cmocka_unit_test(test_last_good_checkpoint_stays),
        cmocka_unit_test(test_other_recipes_and_networks),
        cmocka_unit_test(test_one_run_a_folder),
        cmocka_unit_test(test_training_for_few_bits),
        cmocka_unit_test(test_it_learns),
    };
    return cmocka_run_group_tests(tests, toy_setup, toy_teardown);
}
