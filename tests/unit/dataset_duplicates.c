/* Tests of near-duplicate clusters and of splits: planted pairs, any order and any number of
 * threads, identical items, temporary files after a kill and on a full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/duplicates.h"
#include "dataset/spill.h"
#include "dataset/split.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER TEST_BINARY_DIR "/dataset_duplicates"
enum { TEXT_ROOM = 8192 };

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new(64 << 20);
    return arena && !vl_dir_make(FOLDER, NULL) ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* ---- items ------------------------------------------------------------------------ */

static vl_duplicates *opened(const vl_duplicates_options *options) {
    vl_duplicates *d;
    vl_error error = {0};
    if (vl_duplicates_new(options, &d, &error))
        fail_msg("%s", error.message);
    return d;
}

static vl_duplicates_options small_options(void) {
    vl_duplicates_options options = vl_duplicates_options_default();
    options.memory = VL_DUPLICATES_LEAST_MEMORY;
    options.folder = FOLDER;
    return options;
}

static void add(vl_duplicates *d, vl_duplicates_item item) {
    vl_error error = {0};
    if (vl_duplicates_add(d, arena, &item, &error))
        fail_msg("%s", error.message);
}

static void finish(vl_duplicates *d) {
    vl_error error = {0};
    if (vl_duplicates_finish(d, &error))
        fail_msg("%s", error.message);
}

/* "ID CLUSTER k" a line: what runs are compared by, byte for byte. */
static void list(vl_duplicates *d, vl_buf *out) {
    vl_duplicates_member m;
    vl_buf_init(out, 64 << 20);
    while (vl_duplicates_next(d, &m))
        vl_buf_printf(out, "%llu %llu %d\n", (unsigned long long)m.id,
                      (unsigned long long)m.cluster, m.keep);
    assert_false(out->failed);
}

static void expect_list(vl_duplicates *d, const char *expected) {
    vl_buf got;
    finish(d);
    list(d, &got);
    assert_string_equal(got.data ? got.data : "", expected);
    vl_buf_deinit(&got);
    list(d, &got); /* it begins anew */
    assert_string_equal(got.data ? got.data : "", expected);
    vl_buf_deinit(&got);
    vl_duplicates_free(d);
}

/* `count` random words; every one of `each` differs from what the same seed gives otherwise. */
static const char *words(char *out, uint64_t seed, size_t count, size_t each) {
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t word = vl_random_next(&seed) % 100000;
        bool other = each && i % each == each / 2;
        at += (size_t)snprintf(out + at, TEXT_ROOM - at, "%sw%llu ", other ? "x" : "",
                               (unsigned long long)word);
    }
    return out;
}

/* ---- what is near ----------------------------------------------------------------- */

#define ALERT "The river rose by two metres in the night and families moved to the school."

static void test_texts(void **state) {
    static const char *const texts[] = {
        ALERT,
        "THE RIVER rose by two metres in the night — and families moved to the school",
        "Vaccination of children under five begins on Monday in all districts of the north.",
        "Vaccination of children under five begins on Monday in all districts of the south.",
        "Something else.",
        "",
        "...",
        NULL,
        "something, else",
        "ရေဘေးသတိပေးချက်ကိုနားထောင်ပါ မြို့နယ်အားလုံး",
        "ရေဘေးသတိပေးချက်ကိုနားထောင်ပါ၊ မြို့နယ်အားလုံး။",
        "ရေဘေး",
    };
    (void)state;
    vl_duplicates_options options = small_options();
    vl_duplicates *d = opened(&options);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        add(d, (vl_duplicates_item){.id = 10 + i, .text = texts[i]});
    expect_list(d, "10 10 1\n11 10 0\n12 12 1\n13 12 0\n14 14 1\n18 14 0\n"
                   "15 15 1\n16 16 1\n17 17 1\n19 19 1\n20 19 0\n21 21 1\n");
}

static void test_pictures_and_qualities(void **state) {
    static const vl_duplicates_item items[] = {
        {.id = 5, .has_picture = true, .picture = 0xFFFF0000FFFF0000, .quality = 1},
        {.id = 3, .has_picture = true, .picture = 0xFFFF0000FFFF003F, .quality = 2}, /* 6 */
        {.id = 9, .has_picture = true, .picture = 0xFFFF0000FFFFFF00, .quality = 9}, /* 8 */
        {.id = 8, .has_picture = true, .picture = 0, .quality = 0},
        {.id = 7, .has_picture = true, .picture = 0, .quality = 0},
        {.id = 1, .has_picture = false, .picture = 0},
        {.id = 2, .text = ALERT, .has_picture = true, .picture = ~0ull},
        {.id = 4, .text = ALERT, .quality = 0.5f},
    };
    (void)state;
    vl_duplicates_options options = small_options();
    vl_duplicates *d = opened(&options);
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        add(d, items[i]);
    expect_list(d, "1 1 1\n2 2 0\n4 2 1\n3 3 1\n5 3 0\n7 7 1\n8 7 0\n9 9 1\n");
}

static void test_nothing(void **state) {
    (void)state;
    vl_duplicates_options options = small_options();
    expect_list(opened(&options), "");
}

/* Pairs of 64 words, of which some were exchanged: by their true similarity they are found or
 * not. Sets of 62 shingles, so estimated with a deviation below 0.045. */
static void test_planted_pairs(void **state) {
    static const struct {
        size_t each;
        double least, most;
    } rows[] = {{0, 1, 1}, {64, 0.97, 1}, {32, 0.6, 1}, {16, 0, 0.1}, {6, 0, 0}, {2, 0, 0}};
    enum { PAIRS = 300 };
    (void)state;
    char text[TEXT_ROOM];
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        vl_duplicates_options options = small_options();
        vl_duplicates *d = opened(&options);
        vl_duplicates_member m;
        size_t found = 0;
        for (uint64_t i = 0; i < PAIRS; i++) {
            words(text, i, 64, 0);
            add(d, (vl_duplicates_item){.id = 2 * i, .text = text});
            words(text, i, 64, rows[row].each);
            add(d, (vl_duplicates_item){.id = 2 * i + 1, .text = text});
        }
        finish(d);
        while (vl_duplicates_next(d, &m)) {
            found += m.id % 2 && m.cluster == m.id - 1;
            assert_true(m.cluster / 2 == m.id / 2); /* none with another's */
        }
        vl_duplicates_free(d);
        if ((double)found < rows[row].least * PAIRS || (double)found > rows[row].most * PAIRS)
            fail_msg("one word of %zu exchanged: %zu of %d found", rows[row].each, found,
                     PAIRS);
    }
}

/* ---- always the same -------------------------------------------------------------- */

enum { MIXED = 6000 };

static void mixed_item(uint64_t i, char *text, vl_duplicates_item *item) {
    uint64_t seed = i;
    *item =
        (vl_duplicates_item){.id = i * UINT64_C(0x9E3779B97F4A7C15), .quality = (float)(i % 7)};
    if (i % 5)
        item->text = words(text, i / 4, 20 + i % 4, i % 4 == 3 ? 19 : 0);
    if (i % 3 == 0) {
        item->has_picture = true;
        item->picture = vl_random_next(&seed) & (i % 2 ? 0xFFFFF : 0xFFFF00000);
    }
}

typedef struct adding {
    vl_duplicates *d;
    uint64_t first, step, factor;
} adding;

static void add_part(void *arg, size_t worker) {
    const adding *part = arg;
    vl_arena *own = vl_arena_new(16 << 20);
    char text[TEXT_ROOM];
    vl_duplicates_item item;
    (void)worker;
    for (uint64_t i = part->first; i < MIXED; i += part->step) {
        mixed_item(i * part->factor % MIXED, text, &item);
        if (vl_duplicates_add(part->d, own, &item, NULL))
            abort();
    }
    vl_arena_free(own);
}

static void run_mixed(uint64_t factor, size_t threads, size_t memory, uint64_t seed,
                      vl_buf *out, vl_duplicates_report *report) {
    vl_duplicates_options options = small_options();
    options.memory = memory;
    options.seed = seed;
    vl_duplicates *d = opened(&options);
    adding parts[8];
    vl_pool *pool = vl_pool_new(threads, 8);
    assert_non_null(pool);
    for (size_t i = 0; i < threads; i++) {
        parts[i] = (adding){d, i, threads, factor};
        assert_int_equal(vl_pool_submit_wait(pool, add_part, &parts[i]), VL_OK);
    }
    vl_pool_free(pool);
    finish(d);
    list(d, out);
    *report = vl_duplicates_counts(d);
    vl_duplicates_free(d);
}

static void test_orders_threads_and_memory(void **state) {
    static const struct {
        uint64_t factor; /* no divisor in common with MIXED */
        size_t threads, memory;
    } rows[] = {{1, 1, 16 << 20}, {7, 1, 16 << 20},    {MIXED - 1, 1, 256 << 20},
                {1, 2, 16 << 20}, {1237, 8, 64 << 20}, {1, 8, 16 << 20}};
    (void)state;
    vl_buf first, other;
    vl_duplicates_report report, again;
    run_mixed(1, 1, 32 << 20, 0, &first, &report);
    assert_int_equal(report.items, MIXED);
    assert_true(report.clusters < MIXED * 3 / 4 && report.clusters > MIXED / 8);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run_mixed(rows[i].factor, rows[i].threads, rows[i].memory, 0, &other, &again);
        assert_int_equal(other.len, first.len);
        assert_memory_equal(other.data, first.data, first.len);
        assert_int_equal(again.compared, report.compared);
        vl_buf_deinit(&other);
    }
    vl_buf_deinit(&first);
}

/* ---- much alike ------------------------------------------------------------------- */

static void test_identical_items(void **state) {
    enum { MANY = 10000 };
    (void)state;
    vl_duplicates_options options = small_options();
    vl_duplicates *d = opened(&options);
    vl_duplicates_member m;
    for (uint64_t i = 0; i < MANY; i++)
        add(d, (vl_duplicates_item){
                   .id = i, .text = ALERT, .has_picture = true, .picture = 0x123456789ABCDEF});
    finish(d);
    vl_duplicates_report report = vl_duplicates_counts(d);
    assert_int_equal(report.clusters, 1);
    assert_int_equal(report.copies, MANY - 1);
    assert_int_equal(report.compared, 0);
    assert_true(vl_duplicates_next(d, &m) && m.keep);
    assert_true(vl_duplicates_next(d, &m) && !m.keep && m.cluster == 0);
    vl_duplicates_free(d);
}

/* Every one a little different: the same form, filled in with another number at its end. */
static void test_one_form(void **state) {
    enum { MANY = 5000 };
    (void)state;
    char text[TEXT_ROOM];
    vl_duplicates_options options = small_options();
    vl_duplicates *d = opened(&options);
    for (uint64_t i = 0; i < MANY; i++) {
        words(text, 1, 60, 0);
        snprintf(text + strlen(text), 64, "%llu", (unsigned long long)i);
        add(d, (vl_duplicates_item){.id = i, .text = text});
    }
    finish(d);
    vl_duplicates_report report = vl_duplicates_counts(d);
    assert_int_equal(report.clusters, 1);
    assert_true(report.compared < 20 * MANY);
    vl_duplicates_free(d);
}

/* Pictures that crowd around one, each some bits from it, beside others that are near to none:
 * the same clusters as by comparing all with all. */
static void test_crowded_pictures(void **state) {
    enum { MANY = 3000 };
    (void)state;
    static uint64_t hashes[MANY], parent[MANY];
    uint64_t seed = 8;
    vl_duplicates_options options = small_options();
    vl_duplicates *d = opened(&options);
    vl_duplicates_member m;
    for (uint64_t i = 0; i < MANY; i++) {
        hashes[i] = UINT64_C(0x0123456789ABCDEF) + i % 3 * UINT64_C(0x1111);
        for (size_t flips = i % 8 ? 2 + i % 9 : 64; flips; flips--)
            hashes[i] ^= UINT64_C(1) << vl_random_below(&seed, 64);
        add(d, (vl_duplicates_item){.id = i, .has_picture = true, .picture = hashes[i]});
        parent[i] = i;
    }
    for (uint64_t a = 0; a < MANY; a++)
        for (uint64_t b = 0; b < a; b++)
            if (__builtin_popcountll(hashes[a] ^ hashes[b]) <= 6 && parent[a] != parent[b]) {
                uint64_t from = parent[a] > parent[b] ? parent[a] : parent[b];
                uint64_t to = parent[a] + parent[b] - from;
                for (uint64_t i = 0; i < MANY; i++)
                    parent[i] = parent[i] == from ? to : parent[i];
            }
    finish(d);
    while (vl_duplicates_next(d, &m))
        assert_int_equal(m.cluster, parent[m.id]);
    assert_in_range(vl_duplicates_counts(d).clusters, MANY / 8, MANY / 2);
    vl_duplicates_free(d);
}

/* ---- what goes wrong -------------------------------------------------------------- */

static void test_refusals(void **state) {
    (void)state;
    vl_duplicates *d;
    vl_error error = {0};
    vl_duplicates_options options = small_options();
    options.memory = 1 << 20;
    assert_int_equal(vl_duplicates_new(&options, &d, &error), VL_ERR_USAGE);
    assert_null(d);
    options = small_options();
    options.distance = 40;
    assert_int_equal(vl_duplicates_new(&options, &d, &error), VL_ERR_USAGE);
    options = small_options();
    options.threshold = 1.5;
    assert_int_equal(vl_duplicates_new(&options, &d, &error), VL_ERR_USAGE);
    options = small_options();
    options.folder = FOLDER "/nowhere";
    assert_int_equal(vl_duplicates_new(&options, &d, &error), VL_ERR_IO);
    assert_non_null(strstr(error.message, FOLDER "/nowhere"));

    options = small_options();
    d = opened(&options);
    vl_duplicates_item item = {.id = 1, .quality = NAN};
    assert_int_equal(vl_duplicates_add(d, arena, &item, &error), VL_ERR_USAGE);
    add(d, (vl_duplicates_item){.id = 77, .text = "a"});
    add(d, (vl_duplicates_item){.id = 77, .text = "b"});
    assert_int_equal(vl_duplicates_finish(d, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "77"));
    vl_duplicates_free(d);
    vl_duplicates_free(NULL);
}

static void test_more_than_fits(void **state) {
    (void)state;
    vl_error error = {0};
    vl_duplicates_options options = small_options();
    vl_duplicates *d = opened(&options);
    size_t most = vl_duplicates_most(d);
    assert_in_range(most, 700000, 800000);
    for (uint64_t i = 0; i < most; i++)
        add(d, (vl_duplicates_item){.id = i});
    vl_duplicates_item item = {.id = most};
    assert_int_equal(vl_duplicates_add(d, arena, &item, &error), VL_ERR_LIMIT);
    finish(d); /* with those that do */
    assert_int_equal(vl_duplicates_counts(d).clusters, most);
    vl_duplicates_free(d);
}

static bool stop(void *user) {
    (void)user;
    return true;
}

static void test_asked_to_stop(void **state) {
    (void)state;
    vl_error error = {0};
    vl_duplicates_options options = small_options();
    vl_duplicates *d = opened(&options);
    for (uint64_t i = 0; i < 70000; i++)
        add(d, (vl_duplicates_item){.id = i});
    vl_stop_watch(stop, NULL);
    vl_status status = vl_duplicates_finish(d, &error);
    vl_stop_watch(NULL, NULL);
    assert_int_equal(status, VL_ERR_CANCELLED);
    vl_duplicates_free(d);
}

static size_t files_in(const char *folder) {
    size_t count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

/* In a process of its own: adds until much is on disk, then is killed there and then. */
static void fill_and_die(void) {
    vl_duplicates_options options = small_options();
    vl_duplicates *d;
    char text[TEXT_ROOM];
    if (vl_duplicates_new(&options, &d, NULL))
        _exit(1);
    for (uint64_t i = 0; i < 30000; i++) {
        vl_duplicates_item item = {.id = i, .text = words(text, i, 8, 0)};
        if (vl_duplicates_add(d, arena, &item, NULL))
            _exit(2);
    }
    kill(getpid(), SIGKILL);
    _exit(3);
}

static void test_nothing_is_left_after_a_kill(void **state) {
    int ended;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        fill_and_die();
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
    assert_int_equal(files_in(FOLDER), 0);
}

/* In a process whose files may not grow past `most` bytes: the write that a full disk refuses
 * is refused. The exit code says where it failed and that it was said well. */
static void fill_up(rlim_t most) {
    struct rlimit limit = {most, most};
    vl_duplicates_options options = small_options();
    vl_duplicates *d;
    vl_error error = {0};
    vl_status status = VL_OK;
    char text[TEXT_ROOM];
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    if (vl_duplicates_new(&options, &d, &error))
        _exit(1);
    for (uint64_t i = 0; i < 20000 && !status; i++) {
        vl_duplicates_item item = {.id = i, .text = words(text, i, 8, 0)};
        status = vl_duplicates_add(d, arena, &item, &error);
    }
    bool early = status != VL_OK;
    vl_duplicates_item item = {.id = 99999};
    if (early && vl_duplicates_add(d, arena, &item, NULL) != VL_ERR_IO)
        _exit(2);
    if (!status)
        status = vl_duplicates_finish(d, &error);
    if (status != VL_ERR_IO || !strstr(error.message, FOLDER) ||
        !strstr(error.message, "make room") || vl_duplicates_finish(d, NULL) == VL_OK)
        _exit(3);
    vl_duplicates_free(d);
    _exit(early ? 10 : 11);
}

static void test_full_disk(void **state) {
    static const struct {
        rlim_t most;
        int code;
    } rows[] = {{100000, 10}, {1 << 20, 10}, {5 << 20, 11}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int ended;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            fill_up(rows[i].most);
        assert_int_equal(waitpid(child, &ended, 0), child);
        assert_true(WIFEXITED(ended));
        assert_int_equal(WEXITSTATUS(ended), rows[i].code);
    }
}

/* ---- numbers sorted on disk ------------------------------------------------------- */

static void check_sorted(size_t count, uint64_t mask) {
    runs *r;
    runs_record record, last = {0};
    bool more;
    uint64_t seed = count, sum = 0, want = 0;
    uint8_t *seen = calloc(count + 1, 1);
    assert_non_null(seen);
    assert_int_equal(runs_new(FOLDER, RUNS_LEAST_MEMORY, &r, NULL), VL_OK);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t key = vl_random_next(&seed) & mask;
        want += key ^ i;
        assert_int_equal(runs_add(r, key, i, NULL), VL_OK);
        if (i == count / 3)
            assert_int_equal(runs_rest(r, NULL), VL_OK);
    }
    assert_int_equal(runs_merge(r, NULL), VL_OK);
    for (size_t i = 0;; i++, last = record) {
        assert_int_equal(runs_next(r, &record, &more, NULL), VL_OK);
        assert_true(more == (i < count));
        if (!more)
            break;
        assert_true(record.key >= last.key);
        assert_int_equal(seen[record.item]++, 0);
        sum += record.key ^ record.item;
    }
    assert_true(sum == want);
    runs_free(r);
    free(seen);
}

static void test_runs(void **state) {
    static const size_t counts[] = {0, 1, 2, 1000, 43690, 43691, 200000};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        check_sorted(counts[i], ~UINT64_C(0));
        check_sorted(counts[i], UINT64_C(0xFF00000000000F));
    }
}

/* ---- splits ----------------------------------------------------------------------- */

static void test_split_shares(void **state) {
    static const double shares[][VL_SPLIT_COUNT] = {
        {0.8, 0.1, 0.1}, {8, 1, 1}, {1, 0, 0}, {0, 0, 2}, {0, 0, 0}, {-1, NAN, 0}, {1, 1, 1}};
    (void)state;
    for (size_t row = 0; row < sizeof shares / sizeof *shares; row++) {
        double counts[VL_SPLIT_COUNT] = {0}, sum = 0;
        for (size_t i = 0; i < VL_SPLIT_COUNT; i++)
            sum += shares[row][i] > 0 ? shares[row][i] : 0;
        for (uint64_t group = 0; group < 10000; group++)
            counts[vl_split_of(group, 5, shares[row])]++;
        for (size_t i = 0; i < VL_SPLIT_COUNT; i++) {
            double p = sum > 0 ? (shares[row][i] > 0 ? shares[row][i] / sum : 0) : i == 0;
            assert_true(fabs(counts[i] / 10000 - p) <= 4 * sqrt(p * (1 - p) / 10000));
        }
    }
    assert_string_equal(vl_split_name(VL_SPLIT_VALIDATION), "validation");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_pictures_and_qualities),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_planted_pairs),
        cmocka_unit_test(test_orders_threads_and_memory),
        cmocka_unit_test(test_identical_items),
        cmocka_unit_test(test_one_form),
        cmocka_unit_test(test_crowded_pictures),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_more_than_fits),
        cmocka_unit_test(test_asked_to_stop),
        cmocka_unit_test(test_nothing_is_left_after_a_kill),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_split_shares),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
