/* Reviews of a dataset: agreement, the order of items, who gets which, what is kept, and what
 * it makes of the items. */
#include <setjmp.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataset/review.h"
#include "dataset/review_alpha.h"
#include "dataset/review_apply.h"
#include "dataset/review_sample.h"
#include "dataset/review_teach.h"

#define CHECKED(call) assert_int_equal_message((call), VL_OK, &error)
#define assert_int_equal_message(is, wanted, e)                                                \
    do {                                                                                       \
        vl_status got_ = (is);                                                                 \
        if (got_ != (wanted))                                                                  \
            print_error("%s\n", (e)->message);                                                 \
        assert_int_equal(got_, (wanted));                                                      \
    } while (0)

#define assert_near(is, wanted, within) assert_true(fabs((is) - (wanted)) <= (within))

static const double NO = -1;

/* ---- alpha ------------------------------------------------------------------------------- */

enum { UNITS_MAX = 12 };
typedef struct alpha_case {
    const char *name;
    alpha_metric metric;
    size_t observers, units;
    double values[4][UNITS_MAX];
    double alpha; /* to three places */
    size_t pairable;
} alpha_case;

/* Krippendorff 2011: the examples of sections A, B and C, the latter with the metrics of D. */
static const alpha_case alphas[] = {
    {"A: binary, two observers",
     ALPHA_NOMINAL,
     2,
     10,
     {{0, 1, 0, 0, 0, 0, 0, 0, 1, 0}, {1, 1, 1, 0, 0, 1, 0, 0, 0, 0}},
     0.095,
     20},
    {"B: nominal, two observers",
     ALPHA_NOMINAL,
     2,
     12,
     {{0, 0, 1, 1, 3, 2, 2, 2, 4, 3, 3, 0}, {1, 0, 1, 1, 1, 2, 2, 2, 4, 3, 3, 3}},
     0.692,
     24},
    {"C: nominal, four observers, values missing",
     ALPHA_NOMINAL,
     4,
     12,
     {{1, 2, 3, 3, 2, 1, 4, 1, 2, -1, -1, -1},
      {1, 2, 3, 3, 2, 2, 4, 1, 2, 5, -1, 3},
      {-1, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, -1},
      {1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, -1}},
     0.743,
     40},
    {"D: the same, interval",
     ALPHA_INTERVAL,
     4,
     12,
     {{1, 2, 3, 3, 2, 1, 4, 1, 2, -1, -1, -1},
      {1, 2, 3, 3, 2, 2, 4, 1, 2, 5, -1, 3},
      {-1, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, -1},
      {1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, -1}},
     0.849,
     40},
};

static size_t ratings_of(const alpha_case *c, alpha_rating *ratings) {
    size_t count = 0;
    for (size_t o = 0; o < c->observers; o++)
        for (size_t u = 0; u < c->units; u++)
            if (c->values[o][u] != NO)
                ratings[count++] = (alpha_rating){u, c->values[o][u]};
    return count;
}

static void alpha_is_the_papers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof alphas / sizeof *alphas; i++) {
        alpha_rating ratings[4 * UNITS_MAX];
        alpha_result result;
        vl_error error = {0};
        size_t count = ratings_of(&alphas[i], ratings);
        CHECKED(alpha_of(alphas[i].metric, ratings, count, 1, &result, &error));
        print_message("%s: %.4f\n", alphas[i].name, result.alpha);
        assert_true(result.defined);
        assert_near(result.alpha, alphas[i].alpha, 0.0005);
        assert_int_equal(result.values, alphas[i].pairable);
        assert_true(result.has_interval);
        assert_true(result.low <= result.alpha && result.alpha <= result.high);
    }
}

static void alpha_at_its_ends(void **state) {
    alpha_rating same[] = {{1, 0}, {1, 0}, {2, 1}, {2, 1}};
    alpha_rating one_value[] = {{1, 2}, {1, 2}, {2, 2}, {2, 2}};
    alpha_rating alone[] = {{1, 0}, {2, 1}, {3, 2}};
    alpha_rating wrong[] = {{1, 0}, {1, 9}};
    alpha_result result;
    vl_error error = {0};
    (void)state;
    CHECKED(alpha_of(ALPHA_NOMINAL, same, 4, 1, &result, &error));
    assert_true(result.defined && result.alpha == 1);
    CHECKED(alpha_of(ALPHA_INTERVAL, one_value, 4, 1, &result, &error));
    assert_false(result.defined);
    CHECKED(alpha_of(ALPHA_NOMINAL, alone, 3, 1, &result, &error));
    assert_false(result.defined);
    assert_int_equal(result.units, 0);
    CHECKED(alpha_of(ALPHA_NOMINAL, NULL, 0, 1, &result, &error));
    assert_false(result.defined);
    assert_int_equal(alpha_of(ALPHA_NOMINAL, wrong, 2, 1, &result, &error), VL_ERR_USAGE);
}

/* ---- the order ----------------------------------------------------------------------------
 */

enum { MANY = 6000 };

static review_candidate *many_candidates(void) {
    review_candidate *c = calloc(MANY, sizeof *c);
    uint64_t state = 7;
    assert_non_null(c);
    for (size_t i = 0; i < MANY; i++) {
        c[i].id = vl_random_next(&state);
        c[i].base = i % 3 ? c[i - i % 3].id : c[i].id; /* two examples of each base */
        c[i].score = i % 3 ? c[i - i % 3].score : (float)vl_random_uniform(&state);
        c[i].language = i % 60 < 54 ? 0 : i % 60 < 57 ? 1 : 2; /* nine in ten are of one */
        c[i].source = c[i].language * 10 + (uint32_t)(i / 60 % 4);
    }
    return c;
}

static void every_item_comes_once(void **state) {
    review_candidate *c = many_candidates();
    review_place *places = calloc(MANY, sizeof *places), *again = calloc(MANY, sizeof *again);
    bool *seen = calloc(MANY, sizeof *seen);
    vl_error error = {0};
    (void)state;
    CHECKED(review_order(c, MANY, 0.3, 5, places, &error));
    CHECKED(review_order(c, MANY, 0.3, 5, again, &error));
    assert_memory_equal(places, again, MANY * sizeof *places);
    for (size_t i = 0; i < MANY; i++) {
        assert_false(seen[places[i].candidate]);
        seen[places[i].candidate] = true;
    }
    CHECKED(review_order(c, MANY, 0.3, 6, again, &error));
    assert_memory_not_equal(places, again, MANY * sizeof *places);
    free(c);
    free(places);
    free(again);
    free(seen);
}

static void the_unsure_come_first_in_all_languages(void **state) {
    review_candidate *c = many_candidates();
    review_place *places = calloc(MANY, sizeof *places);
    size_t by_language[3] = {0}, by_source[40] = {0}, bases = 0;
    double distance = 0;
    vl_error error = {0};
    (void)state;
    CHECKED(review_order(c, MANY, 0, 5, places, &error));
    for (size_t i = 0; i < 120; i++) {
        const review_candidate *one = &c[places[i].candidate];
        double from_half = (double)one->score - 0.5;
        by_language[one->language]++;
        by_source[one->source]++;
        distance += from_half < 0 ? -from_half : from_half;
        assert_false(places[i].random);
        size_t j = 0;
        while (j < i && c[places[j].candidate].base != one->base)
            j++;
        bases += j == i;
    }
    for (size_t l = 0; l < 3; l++) {
        assert_int_equal(by_language[l], 40);
        for (size_t s = 0; s < 4; s++)
            assert_int_equal(by_source[l * 10 + s], 10);
    }
    assert_true(distance / 120 < 0.08); /* by chance it would be 0.25 */
    assert_true(bases > 100);
    free(c);
    free(places);
}

/* The random part is a simple random sample: its languages are those of the whole. */
static void the_random_part_is_fair(void **state) {
    review_candidate *c = many_candidates();
    review_place *places = calloc(MANY, sizeof *places);
    size_t random = 0, of_first = 0;
    double scores = 0;
    vl_error error = {0};
    (void)state;
    CHECKED(review_order(c, MANY, 0.5, 5, places, &error));
    for (size_t i = 0; i < 2000; i++)
        if (places[i].random) {
            random++;
            of_first += c[places[i].candidate].language == 0;
            scores += (double)c[places[i].candidate].score;
        }
    assert_true(random > 920 && random < 1080);
    assert_near((double)of_first / (double)random, 0.9, 0.04);
    assert_near(scores / (double)random, 0.5, 0.05);
    free(c);
    free(places);
}

/* ---- a dataset ----------------------------------------------------------------------------
 */

static char folder[64];

static void put_file(const char *name, const char *text, size_t bytes) {
    char path[128];
    vl_error error = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECKED(vl_file_write(path, text, bytes, &error));
}

static vl_item item_of(size_t number, size_t base, vl_item_kind kind, const char *text) {
    vl_item item = {.kind = kind,
                    .picture = "pictures/ab/ab.png",
                    .width = 200,
                    .height = 100,
                    .picture_kind = "page",
                    .instruction = kind == VL_ITEM_TEXT ? "" : "What is written there?",
                    .text = text,
                    .origin = "document",
                    .phrase = "",
                    .has_region = true,
                    .region = {10, 10, 50, 20},
                    .score = 0.4 + 0.01 * (double)(number % 7),
                    .review = ""};
    snprintf(item.id, sizeof item.id, "%016zx", number);
    if (base)
        snprintf(item.base, sizeof item.base, "%016zx", base);
    strcpy(item.language, number % 2 ? "swa" : "ara");
    strcpy(item.instruction_language, "eng");
    strcpy(item.script, "Latn");
    item.source.document = item.source.url = item.source.title = item.source.licence = "";
    item.source.publisher = item.source.published = item.source.fetched = "";
    item.source.record = number % 3 ? "dir/a" : "who/b";
    item.quality[VL_QUALITY_OCR] = 0.5;
    return item;
}

/* Eight passages, numbers 16, 32 …; each with an example that quotes it, one that quotes half
 * of it and one that says its language. */
enum { BASES = 8 };
static void make_dataset(void) {
    vl_buf lines;
    vl_error error = {0};
    strcpy(folder, "/tmp/vislang-review-XXXXXX");
    assert_non_null(mkdtemp(folder));
    vl_buf_init(&lines, 1 << 20);
    for (size_t b = 1; b <= BASES; b++) {
        char text[64], quoted[96];
        snprintf(text, sizeof text, "Tangazo la maji nambari %zu.", b);
        snprintf(quoted, sizeof quoted, "It says: %s", text);
        const vl_item items[] = {item_of(16 * b, 0, VL_ITEM_TEXT, text),
                                 item_of(16 * b + 1, 16 * b, VL_ITEM_READ, quoted),
                                 item_of(16 * b + 2, 16 * b, VL_ITEM_QUESTION, "la maji"),
                                 item_of(16 * b + 3, 16 * b, VL_ITEM_LANGUAGE, "Swahili")};
        for (size_t i = 0; i < 4; i++)
            CHECKED(vl_item_write(&items[i], &lines, &error));
    }
    put_file("items-00000.jsonl", lines.data, lines.len);
    put_file("dataset.json", "{}", 2);
    put_file("documents.jsonl", "", 0);
    vl_buf_deinit(&lines);
}

static int remove_dataset(void **state) {
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return *folder ? system(command) : 0;
}

static int with_dataset(void **state) {
    (void)state;
    make_dataset();
    return 0;
}

static vl_review *opened(double overlap) {
    review_options options = review_options_default();
    vl_review *review;
    vl_error error = {0};
    options.overlap = overlap;
    CHECKED(review_open(folder, &options, &review, &error));
    return review;
}

static review_decision decision_of(size_t number, int64_t revision, review_verdict verdict) {
    review_decision d = {.revision = revision,
                         .verdict = verdict,
                         .reason = verdict == REVIEW_REJECTED ? "boilerplate" : "",
                         .note = "",
                         .seconds = 2.5,
                         .decided_ms = 1000 + revision};
    snprintf(d.item, sizeof d.item, "%016zx", number);
    return d;
}

static review_outcome decide(vl_review *review, const char *who, review_decision d) {
    review_outcome outcome;
    int64_t latest;
    vl_error error = {0};
    CHECKED(review_decide(review, who, &d, &outcome, &latest, &error));
    return outcome;
}

static size_t next(vl_review *review, const char *who, const char *const *have,
                   size_t have_count, size_t most, char ids[][VL_ITEM_ID_SIZE]) {
    vl_arena *arena = vl_arena_new(1 << 22);
    review_given given[64];
    size_t count;
    vl_error error = {0};
    CHECKED(review_next(review, who, have, have_count, most, arena, given, &count, &error));
    for (size_t i = 0; i < count; i++) {
        memcpy(ids[i], given[i].item.id, VL_ITEM_ID_SIZE);
        assert_non_null(strstr(given[i].json, given[i].item.id));
    }
    vl_arena_free(arena);
    return count;
}

static void two_reviewers_share_only_the_overlap(void **state) {
    char a[64][VL_ITEM_ID_SIZE], b[64][VL_ITEM_ID_SIZE];
    size_t shared = 0;
    (void)state;
    vl_review *review = opened(0.3);
    assert_int_equal(review_size(review), 4 * BASES);
    assert_int_equal(next(review, "amina", NULL, 0, 10, a), 10);
    size_t of_b = next(review, "jonas", NULL, 0, 64, b);
    size_t of_a =
        10 + next(review, "amina",
                  (const char *[]){a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]},
                  10, 50, a + 10);
    for (size_t i = 0; i < of_a; i++)
        for (size_t j = 0; j < of_b; j++)
            if (!strcmp(a[i], b[j])) {
                uint64_t id = strtoull(a[i], NULL, 16);
                assert_true(review_share_of(1, id, REVIEW_FOR_OVERLAP) < 0.3);
                shared++;
            }
    assert_true(shared > 2);
    assert_int_equal(of_a + of_b - shared, 4 * BASES);
    /* Whoever asks again, and has none of them, gets what is his. */
    char again[64][VL_ITEM_ID_SIZE];
    assert_int_equal(next(review, "jonas", NULL, 0, 64, again), of_b);
    assert_memory_equal(again, b, of_b * sizeof *b);
    /* A third one gets nothing: two places are the most. */
    assert_int_equal(next(review, "carla", NULL, 0, 64, again), 0);
    review_close(review);
}

static void what_is_decided_does_not_come_again(void **state) {
    char ids[64][VL_ITEM_ID_SIZE], later[64][VL_ITEM_ID_SIZE];
    (void)state;
    vl_review *review = opened(0);
    assert_int_equal(next(review, "amina", NULL, 0, 3, ids), 3);
    review_decision d = decision_of(strtoull(ids[0], NULL, 16), 1, REVIEW_ACCEPTED);
    assert_int_equal(decide(review, "amina", d), REVIEW_STORED);
    d = decision_of(strtoull(ids[1], NULL, 16), 1, REVIEW_SKIPPED);
    assert_int_equal(decide(review, "amina", d), REVIEW_STORED);
    assert_int_equal(next(review, "amina", NULL, 0, 1, later), 1);
    assert_string_equal(later[0], ids[2]);
    /* What she skipped is somebody else's to say; what she accepted is not. */
    size_t count = next(review, "jonas", NULL, 0, 64, later);
    assert_int_equal(count, 4 * BASES - 2);
    bool skipped_is_there = false;
    for (size_t i = 0; i < count; i++) {
        assert_string_not_equal(later[i], ids[0]);
        skipped_is_there |= !strcmp(later[i], ids[1]);
    }
    assert_true(skipped_is_there);
    /* What is taken back comes again. */
    d = decision_of(strtoull(ids[0], NULL, 16), 2, REVIEW_UNDONE);
    assert_int_equal(decide(review, "amina", d), REVIEW_STORED);
    assert_int_equal(next(review, "amina", NULL, 0, 1, later), 1);
    assert_string_equal(later[0], ids[0]);
    review_close(review);
}

static vl_status count_rows(const review_row *row, void *to, vl_error *error) {
    (void)row;
    (void)error;
    ++*(size_t *)to;
    return VL_OK;
}

static void a_decision_is_stored_once(void **state) {
    size_t rows = 0;
    review_counts counts;
    vl_error error = {0};
    (void)state;
    vl_review *review = opened(0);
    review_decision d = decision_of(32, 1, REVIEW_CORRECTED);
    d.text = "Tangazo la maji nambari mbili.";
    assert_int_equal(decide(review, "amina", d), REVIEW_STORED);
    assert_int_equal(decide(review, "amina", d), REVIEW_KNOWN);
    d.text = "Other";
    assert_int_equal(decide(review, "amina", d), REVIEW_CONFLICT);
    assert_int_equal(decide(review, "jonas", d), REVIEW_STORED);
    d.revision = 2;
    assert_int_equal(decide(review, "amina", d), REVIEW_STORED);
    assert_int_equal(decide(review, "amina", decision_of(999, 1, REVIEW_ACCEPTED)),
                     REVIEW_UNKNOWN);
    CHECKED(review_history(review_db(review), d.item, count_rows, &rows, &error));
    assert_int_equal(rows, 3);
    CHECKED(review_count(review_db(review), "amina", &counts, &error));
    assert_int_equal(counts.by_verdict[REVIEW_CORRECTED], 1);
    assert_near(counts.seconds, 2.5, 1e-9);
    review_close(review);
}

static vl_status take_row_text(const review_row *row, void *to, vl_error *error) {
    (void)error;
    snprintf(to, 64, "%s", row->decision.text);
    return VL_OK;
}

static void corrected_texts_are_composed(void **state) {
    char text[64];
    vl_error error = {0};
    (void)state;
    vl_review *review = opened(0);
    review_decision d = decision_of(32, 1, REVIEW_CORRECTED);
    d.text = "cafe\xCC\x81";
    assert_int_equal(decide(review, "amina", d), REVIEW_STORED);
    assert_int_equal(decide(review, "amina", d), REVIEW_KNOWN);
    CHECKED(review_verdicts(review_db(review), d.item, "amina", take_row_text, text, &error));
    assert_string_equal(text, "caf\xC3\xA9");
    review_close(review);
}

static void what_has_no_meaning_is_refused(void **state) {
    struct {
        const char *says;
        review_decision d;
    } cases[8];
    size_t n = 0;
    (void)state;
    vl_review *review = opened(0);
    cases[n].d = decision_of(16, 0, REVIEW_ACCEPTED), cases[n++].says = "revision";
    cases[n].d = decision_of(16, 1, REVIEW_CORRECTED), cases[n++].says = "correction";
    cases[n].d = decision_of(16, 1, REVIEW_CORRECTED), cases[n].d.text = "",
    cases[n++].says = "corrected text";
    cases[n].d = decision_of(16, 1, REVIEW_ACCEPTED), cases[n].d.text = "x",
    cases[n++].says = "only a correction";
    cases[n].d = decision_of(16, 1, REVIEW_REJECTED), cases[n].d.reason = "",
    cases[n++].says = "rejection";
    cases[n].d = decision_of(16, 1, REVIEW_REJECTED), cases[n].d.reason = "mood",
    cases[n++].says = "reason";
    cases[n].d = decision_of(16, 1, REVIEW_CORRECTED), cases[n].d.has_box = true,
    cases[n].d.box = (vl_box){190, 0, 11, 10}, cases[n++].says = "200";
    cases[n].d = decision_of(16, 1, REVIEW_ACCEPTED), cases[n].d.seconds = -1,
    cases[n++].says = "seconds";
    for (size_t i = 0; i < n; i++) {
        review_outcome outcome;
        int64_t latest;
        vl_error error = {0};
        assert_int_equal(review_decide(review, "amina", &cases[i].d, &outcome, &latest, &error),
                         VL_ERR_INPUT);
        assert_non_null(strstr(error.message, cases[i].says));
    }
    review_close(review);
}

static void tokens_are_kept_and_told_apart(void **state) {
    char a[REVIEW_TOKEN_SIZE], b[REVIEW_TOKEN_SIZE], again[REVIEW_TOKEN_SIZE],
        name[REVIEW_NAME_SIZE];
    vl_error error = {0};
    vl_db *db;
    (void)state;
    CHECKED(review_db_open(folder, &db, &error));
    CHECKED(review_token(db, "amina", a, &error));
    CHECKED(review_token(db, "jonas", b, &error));
    CHECKED(review_token(db, "amina", again, &error));
    assert_int_equal(strlen(a), 43);
    assert_string_equal(a, again);
    assert_string_not_equal(a, b);
    CHECKED(review_reviewer_of(db, b, name, &error));
    assert_string_equal(name, "jonas");
    assert_int_equal(review_reviewer_of(db, "", name, &error), VL_ERR_DENIED);
    assert_int_equal(review_token(db, "", a, &error), VL_ERR_USAGE);
    assert_int_equal(review_token(db, "a\nb", a, &error), VL_ERR_USAGE);
    int64_t port = 7;
    CHECKED(review_setting(db, "port", &port, &error));
    assert_int_equal(port, 7);
    CHECKED(review_set(db, "port", 4321, &error));
    CHECKED(review_set(db, "port", 4322, &error));
    CHECKED(review_setting(db, "port", &port, &error));
    assert_int_equal(port, 4322);
    vl_db_close(db);
}

/* ---- applied ------------------------------------------------------------------------------
 */

typedef struct seen {
    char text[160], review[16];
    vl_box region;
} seen;
typedef struct seen_items {
    seen items[BASES * 4];
    size_t count;
} seen_items;

static vl_status see(const vl_item *item, void *to, vl_error *error) {
    seen_items *all = to;
    (void)error;
    seen *one = &all->items[all->count++];
    snprintf(one->text, sizeof one->text, "%s", item->text);
    snprintf(one->review, sizeof one->review, "%s", item->review);
    one->region = item->region;
    return VL_OK;
}

static seen_items items_now(void) {
    seen_items all = {.count = 0};
    vl_dataset *dataset;
    vl_error error = {0};
    CHECKED(vl_dataset_open(folder, &dataset, &error));
    CHECKED(vl_dataset_items(dataset, see, &all, &error));
    vl_dataset_close(dataset);
    assert_int_equal(all.count, BASES * 4);
    return all;
}

static void verdicts_are_applied(void **state) {
    (void)state;
    seen_items all = items_now();
    assert_string_equal(all.items[0].review, "");
    vl_review *review = opened(0);
    decide(review, "amina", decision_of(16, 1, REVIEW_ACCEPTED));
    decide(review, "amina", decision_of(32, 1, REVIEW_REJECTED));
    decide(review, "jonas", decision_of(32, 1, REVIEW_ACCEPTED));
    review_decision d = decision_of(48, 1, REVIEW_CORRECTED);
    d.text = "Tangazo la dawa.";
    d.has_box = true;
    d.box = (vl_box){1, 2, 3, 4};
    decide(review, "amina", d);
    decide(review, "jonas", decision_of(48, 1, REVIEW_ACCEPTED));
    decide(review, "amina", decision_of(64, 1, REVIEW_SKIPPED));
    decide(review, "amina", decision_of(81, 1, REVIEW_REJECTED));
    decide(review, "amina", decision_of(96, 1, REVIEW_REJECTED));
    decide(review, "amina", decision_of(96, 2, REVIEW_UNDONE));
    review_close(review);
    all = items_now();
    static const struct {
        size_t at;
        const char *review, *text;
    } wanted[] = {
        {0, "accepted", "Tangazo la maji nambari 1."},
        {1, "", "It says: Tangazo la maji nambari 1."},
        {4, "rejected", "Tangazo la maji nambari 2."},
        {5, "rejected", NULL},
        {7, "rejected", "Swahili"},
        {8, "corrected", "Tangazo la dawa."},
        {9, "corrected", "It says: Tangazo la dawa."},
        {10, "rejected", "la maji"},
        {11, "", "Swahili"},
        {12, "", NULL},
        {16, "", NULL},
        {17, "rejected", NULL},
        {18, "", NULL},
        {20, "", NULL},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        assert_string_equal(all.items[wanted[i].at].review, wanted[i].review);
        if (wanted[i].text)
            assert_string_equal(all.items[wanted[i].at].text, wanted[i].text);
    }
    assert_int_equal(all.items[8].region.width, 3);
    assert_int_equal(all.items[0].region.width, 50);
}

/* Items that were given and are gone when the dataset is built anew are still decided on. */
static void a_rebuilt_dataset_keeps_reviews(void **state) {
    char ids[64][VL_ITEM_ID_SIZE];
    vl_buf line;
    vl_error error = {0};
    (void)state;
    vl_review *review = opened(0);
    assert_int_equal(next(review, "amina", NULL, 0, 64, ids), 4 * BASES);
    decide(review, "amina", decision_of(48, 1, REVIEW_ACCEPTED));
    review_close(review);
    vl_item kept = item_of(48, 0, VL_ITEM_TEXT, "Tangazo jipya.");
    vl_buf_init(&line, 1 << 16);
    CHECKED(vl_item_write(&kept, &line, &error));
    put_file("items-00000.jsonl", line.data, line.len);
    vl_buf_deinit(&line);
    review = opened(0);
    assert_int_equal(decide(review, "amina", decision_of(16, 1, REVIEW_ACCEPTED)),
                     REVIEW_STORED);
    assert_int_equal(decide(review, "jonas", decision_of(16, 1, REVIEW_ACCEPTED)),
                     REVIEW_UNKNOWN);
    assert_int_equal(next(review, "amina", NULL, 0, 64, ids), 0);
    review_close(review);
    seen_items all = {.count = 0};
    vl_dataset *dataset;
    CHECKED(vl_dataset_open(folder, &dataset, &error));
    CHECKED(vl_dataset_items(dataset, see, &all, &error));
    vl_dataset_close(dataset);
    assert_int_equal(all.count, 1);
    assert_string_equal(all.items[0].review, "accepted");
}

static void only_one_language_and_the_first_few(void **state) {
    review_options options = review_options_default();
    vl_review *review;
    char ids[64][VL_ITEM_ID_SIZE];
    vl_error error = {0};
    (void)state;
    options.language = "swa";
    options.limit = 5;
    CHECKED(review_open(folder, &options, &review, &error));
    assert_int_equal(review_size(review), 5);
    assert_int_equal(next(review, "amina", NULL, 0, 64, ids), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(strtoull(ids[i], NULL, 16) % 2, 1);
    /* What was decided before in another language is still taken. */
    assert_int_equal(decide(review, "amina", decision_of(16, 1, REVIEW_ACCEPTED)),
                     REVIEW_STORED);
    review_close(review);
    options.language = "xho";
    assert_int_equal(review_open(folder, &options, &review, &error), VL_ERR_USAGE);
}

/* A process that is killed loses nothing that it was told is stored. */
static void nothing_acknowledged_is_lost(void **state) {
    int pipes[2];
    size_t told = 0, rows = 0;
    char byte;
    review_counts counts;
    vl_error error = {0};
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (!child) {
        vl_review *review = opened(0);
        close(pipes[0]);
        for (int64_t revision = 1; revision < 100000; revision++)
            if (decide(review, "amina", decision_of(16, revision, REVIEW_ACCEPTED)) !=
                    REVIEW_STORED ||
                write(pipes[1], "", 1) != 1)
                _exit(1);
        _exit(2);
    }
    close(pipes[1]);
    while (told < 25 && read(pipes[0], &byte, 1) == 1)
        told++;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(pipes[0], &byte, 1) == 1)
        told++;
    close(pipes[0]);
    assert_true(told >= 25);
    vl_db *db;
    CHECKED(review_db_open(folder, &db, &error));
    CHECKED(review_history(db, "0000000000000010", count_rows, &rows, &error));
    assert_true(rows == told || rows == told + 1);
    CHECKED(review_count(db, NULL, &counts, &error));
    assert_int_equal(counts.by_verdict[REVIEW_ACCEPTED], 1);
    vl_db_close(db);
}

static void agreement_by_language(void **state) {
    vl_buf json;
    vl_error error = {0};
    (void)state;
    vl_review *review = opened(1);
    for (size_t b = 1; b <= BASES; b++)
        for (size_t i = 0; i < 2; i++) {
            review_verdict mine = b % 2 ? REVIEW_ACCEPTED : REVIEW_REJECTED;
            /* They disagree on one Arabic item. */
            review_verdict theirs = b == 1 && !i ? REVIEW_REJECTED : mine;
            decide(review, "amina", decision_of(16 * b + i, 1, mine));
            decide(review, "jonas", decision_of(16 * b + i, 1, theirs));
        }
    vl_buf_init(&json, 1 << 16);
    CHECKED(review_agreement(review_db(review), &json, &error));
    print_message("%s\n", json.data);
    assert_non_null(strstr(json.data, "\"swa\":{\"verdicts\":{\"alpha\":1,"));
    assert_non_null(strstr(json.data, "\"units\":16"));
    assert_non_null(strstr(json.data, "\"units\":8"));
    assert_non_null(strstr(json.data, "\"texts\":{\"alpha\":null"));
    assert_non_null(strstr(json.data, "\"estimate\":{\"items\":"));
    vl_buf_deinit(&json);
    review_close(review);
}

static void distances(void **state) {
    static const struct {
        const char *was, *is;
        double distance;
    } cases[] = {
        {"abcd", "abcd", 0}, {"abcd", "abxd", 0.25}, {"", "abcd", 1},     {"abcd", "", 1},
        {"", "", 0},         {"a  b", "a b", 0},     {"ab", "abcd", 0.5}, {"abcd", "ab", 0.5}};
    vl_error error = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double distance;
        CHECKED(review_distance(cases[i].was, cases[i].is, &distance, &error));
        assert_near(distance, cases[i].distance, 1e-9);
    }
}

/* ---- a text along lines -------------------------------------------------------------------
 */

enum { WORDS = 12 };
static size_t words_of(char *text, const char *words[WORDS]) {
    size_t count = 0;
    for (char *word; (word = strtok_r(text, " ", &text));)
        words[count++] = word;
    return count;
}

static void a_text_is_laid_along_lines(void **state) {
    static const struct {
        const char *read[3];        /* lines */
        const char *text, *line_of; /* a digit a word; NULL: it is another text */
    } cases[] = {
        {{"maji safi ya", "kunywa leo"}, "maji safi ya kunywa leo", "00011"},
        {{"rnaji saf1 ya", "kunyvva leo"}, "maji safi ya kunywa leo", "00011"},
        {{"maji ya", "kunywa leo"}, "maji safi ya kunywa leo", "00011"},
        {{"maji safi . ya", "~ kunywa", "leo"}, "maji safi ya kunywa leo", "00012"},
        {{"maji safi ya", "kunywa"}, "maji safi ya kunywa leo", "00011"},
        {{"maji", "safi"}, "elimu bure kwa wote", NULL},
        {{"", ""}, "maji", NULL},
        {{"maji"}, "", NULL},
    };
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const char *words[3 * WORDS], *text[WORDS];
        size_t lines[3 * WORDS], line_of[WORDS], count = 0;
        char read[3][64], truth[64];
        vl_arena *arena = vl_arena_new(1 << 20);
        for (size_t l = 0; l < 3 && cases[c].read[l]; l++) {
            snprintf(read[l], sizeof read[l], "%s", cases[c].read[l]);
            for (size_t n = words_of(read[l], words + count); n--;)
                lines[count++] = l;
        }
        snprintf(truth, sizeof truth, "%s", cases[c].text);
        size_t text_count = words_of(truth, text);
        bool laid = review_lay(words, lines, count, text, text_count, arena, line_of);
        assert_int_equal(laid, cases[c].line_of != NULL);
        for (size_t i = 0; laid && i < text_count; i++)
            assert_int_equal(line_of[i], cases[c].line_of[i] - '0');
        vl_arena_free(arena);
    }
}

#define OF_DATASET(test) cmocka_unit_test_setup_teardown(test, with_dataset, remove_dataset)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alpha_is_the_papers),
        cmocka_unit_test(alpha_at_its_ends),
        cmocka_unit_test(every_item_comes_once),
        cmocka_unit_test(the_unsure_come_first_in_all_languages),
        cmocka_unit_test(the_random_part_is_fair),
        cmocka_unit_test(distances),
        cmocka_unit_test(a_text_is_laid_along_lines),
        OF_DATASET(two_reviewers_share_only_the_overlap),
        OF_DATASET(what_is_decided_does_not_come_again),
        OF_DATASET(a_decision_is_stored_once),
        OF_DATASET(what_has_no_meaning_is_refused),
        OF_DATASET(corrected_texts_are_composed),
        OF_DATASET(tokens_are_kept_and_told_apart),
        OF_DATASET(verdicts_are_applied),
        OF_DATASET(a_rebuilt_dataset_keeps_reviews),
        OF_DATASET(only_one_language_and_the_first_few),
        OF_DATASET(nothing_acknowledged_is_lost),
        OF_DATASET(agreement_by_language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
