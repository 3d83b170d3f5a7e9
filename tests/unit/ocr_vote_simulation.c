/* A simulated experiment: the texts of samples/ through noisy channels of different quality,
 * with mistakes that channels share, and what votes make of them. Seeded, so the same each
 * time.
 *
 * Channels: "good", "fair", "poor", and three of one family, "weak/1" … "weak/3", half of whose
 * mistakes are the family's. A place may be hard for all, and then most misread it alike. A
 * mistake takes a cluster of the same text, loses one, or adds one. Engines are as sure as real
 * ones: surer when right, too sure when wrong, each in its own way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ocr/record.h"

enum { VOICES = 6, MAX_LINES = 4000, ROUNDS = 4, MAX_FIT = 200000 };

typedef struct channel {
    const char *name;
    double own, family; /* rates of mistakes: its own, and its family's */
    double sureness;    /* exponent on its confidence: under 1 is too sure */
} channel;

static const channel channels[VOICES] = {
    {"good", 0.05, 0, 1},        {"fair", 0.09, 0, 0.5},      {"poor", 0.16, 0, 2},
    {"weak/1", 0.10, 0.11, 0.6}, {"weak/2", 0.12, 0.11, 0.6}, {"weak/3", 0.14, 0.11, 0.6},
};
static const double hard = 0.02; /* share of places that most misread, and alike */

static vl_arena *arena;  /* of the texts */
static vl_arena *little; /* of one line */
static const char *lines[MAX_LINES];
static const vl_ngram_language *languages[MAX_LINES]; /* of each line */
static vl_ngram *ngram;
static size_t line_count;
static uint64_t seed = 77;

static double chance(void) {
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (double)((seed * UINT64_C(2685821657736338717)) >> 11) * 0x1p-53;
}

/* "notice-swh-upside-down.gt.txt": swh. */
static const vl_ngram_language *language_of(const char *file) {
    char code[4] = "";
    const char *dash = strchr(file, '-');
    snprintf(code, sizeof code, "%s", dash ? dash + 1 : "");
    return vl_ngram_find(ngram, code);
}

static int is_text(const struct dirent *entry) {
    return strstr(entry->d_name, ".gt.txt") != NULL;
}

static int read_samples(void **state) {
    char path[1024];
    struct dirent **entries;
    (void)state;
    arena = vl_arena_new(64 << 20);
    little = vl_arena_new(256 << 20);
    if (vl_ngram_open(NULL, &ngram, NULL))
        return -1;
    int count = scandir(TEST_SOURCE_DIR "/samples", &entries, is_text, alphasort);
    for (int i = 0; i < count; i++) {
        vl_buf text;
        snprintf(path, sizeof path, "%s/samples/%s", TEST_SOURCE_DIR, entries[i]->d_name);
        vl_buf_init(&text, 1 << 20);
        if (!vl_file_read(path, 1 << 20, &text, NULL))
            for (char *save, *line = strtok_r(text.data, "\n", &save); line;
                 line = strtok_r(NULL, "\n", &save))
                if (strlen(line) > 8 && line_count < MAX_LINES) {
                    languages[line_count] = language_of(entries[i]->d_name);
                    lines[line_count++] = vl_text_squeeze(arena, line);
                }
        vl_buf_deinit(&text);
        free(entries[i]);
    }
    free(entries);
    return arena && little && line_count > 100 ? 0 : -1;
}

static int free_samples(void **state) {
    (void)state;
    vl_arena_free(arena);
    vl_arena_free(little);
    vl_ngram_free(ngram);
    return 0;
}

/* ---- channels -----------------------------------------------------------------------------
 */

/* What happens at each place, before each channel makes its own of it. */
typedef struct place {
    bool is_hard, family_errs;
    size_t hard_reads, family_reads; /* a cluster of the same line */
} place;

typedef struct reading {
    vl_vote_cluster *clusters;
    bool *right;
    size_t count;
} reading;

static void put(reading *r, const char *text, bool right, const channel *c) {
    double u = chance();
    double confidence = right ? 1 - 0.45 * u * u : 0.15 + 0.75 * u;
    if (!strcmp(text, " ") && (!r->count || !strcmp(r->clusters[r->count - 1].text, " ")))
        return;
    r->clusters[r->count] =
        (vl_vote_cluster){.text = text, .confidence = pow(confidence, c->sureness)};
    r->right[r->count++] = right;
}

static reading corrupt(const channel *c, const vl_vote_cluster *truth, size_t count,
                       const place *places) {
    reading r = {vl_arena_array(little, 2 * count + 2, sizeof *r.clusters),
                 vl_arena_array(little, 2 * count + 2, sizeof *r.right), 0};
    for (size_t i = 0; i < count; i++) {
        const char *text = truth[i].text;
        double kind = chance();
        bool own = chance() < c->own;
        if (places[i].is_hard && chance() < 0.7)
            put(&r, truth[places[i].hard_reads].text, false, c);
        else if (places[i].family_errs && strchr(c->name, '/') && chance() < 0.9)
            put(&r, truth[places[i].family_reads].text, false, c);
        else if (!own)
            put(&r, text, true, c);
        else if (kind < 0.7)
            put(&r, truth[(size_t)(chance() * (double)count)].text, false, c);
        else if (kind < 0.85) {
            put(&r, text, true, c);
            put(&r, truth[(size_t)(chance() * (double)count)].text, false, c);
        }
    }
    if (r.count && !strcmp(r.clusters[r.count - 1].text, " "))
        r.count--;
    return r;
}

/* Readings of one line by all channels, in the small arena. */
static void read_line(const char *line, reading readings[VOICES]) {
    const vl_vote_cluster *truth;
    size_t count;
    assert_int_equal(vl_vote_clusters_of(little, line, 1, &truth, &count, NULL), VL_OK);
    place *places = vl_arena_array(little, count, sizeof *places);
    for (size_t i = 0; i < count; i++)
        places[i] = (place){.is_hard = chance() < hard,
                            .family_errs = chance() < channels[3].family,
                            .hard_reads = (size_t)(chance() * (double)count),
                            .family_reads = (size_t)(chance() * (double)count)};
    for (size_t v = 0; v < VOICES; v++)
        readings[v] = corrupt(&channels[v], truth, count, places);
}

static void voices_of(const reading readings[VOICES], vl_vote_voice voices[VOICES]) {
    for (size_t v = 0; v < VOICES; v++)
        voices[v] = (vl_vote_voice){.name = channels[v].name,
                                    .calibration = vl_calibration_none(),
                                    .clusters = readings[v].clusters,
                                    .count = readings[v].count};
}

static vl_vote_result *vote(const vl_vote_voice *voices, const vl_vote_options *o) {
    vl_vote_result *result;
    assert_int_equal(vl_vote(little, voices, VOICES, o, &result, NULL), VL_OK);
    return result;
}

/* Engines that say nothing of how sure they are: each cluster as sure as its voice is good. */
static void make_flat(vl_vote_voice *voice) {
    vl_vote_cluster *same = vl_arena_array(little, voice->count + 1, sizeof *same);
    if (voice->count)
        memcpy(same, voice->clusters, voice->count * sizeof *same);
    for (size_t i = 0; i < voice->count; i++)
        same[i].confidence = voice->accuracy;
    voice->clusters = same;
    voice->calibration = vl_calibration_none();
}

/* Equal votes: everybody as sure, as good and as independent as everybody. */
static vl_vote_result *plain_vote(const reading readings[VOICES]) {
    static const char *const names[VOICES] = {"a", "b", "c", "d", "e", "f"};
    vl_vote_voice *voices = vl_arena_array(little, VOICES, sizeof *voices);
    vl_vote_options o = vl_vote_options_default();
    voices_of(readings, voices);
    for (size_t v = 0; v < VOICES; v++) {
        voices[v].name = names[v];
        voices[v].accuracy = 0.8;
        make_flat(&voices[v]);
    }
    return vote(voices, &o);
}

/* ---- the experiment -----------------------------------------------------------------------
 */

typedef struct score {
    uint64_t edits, length;
} score;

static void add_score(score *to, const char *text, const char *truth) {
    vl_edit_count count;
    assert_int_equal(vl_text_cer(text, truth, &count, NULL), VL_OK);
    to->edits += count.edits;
    to->length += count.length;
}

static double rate(const score *s) {
    return (double)s->edits / (double)s->length;
}

static const char *text_of(const reading *r) {
    vl_buf text;
    vl_buf_init(&text, 1 << 20);
    for (size_t i = 0; i < r->count; i++)
        vl_buf_puts(&text, r->clusters[i].text);
    char *copy = vl_arena_strdup(little, text.len ? text.data : "");
    vl_buf_deinit(&text);
    return copy;
}

/* Calibrations with labels, as they come from a development set; the record without any. */
static void prepare(vl_record *record) {
    static float confidence[VOICES][MAX_FIT];
    static bool right[VOICES][MAX_FIT];
    size_t counts[VOICES] = {0};
    vl_vote_options o = vl_vote_options_default();
    for (int round = 0; round < ROUNDS / 2; round++)
        for (size_t i = 0; i < line_count; i++) {
            reading readings[VOICES];
            vl_vote_voice voices[VOICES];
            read_line(lines[i], readings);
            voices_of(readings, voices);
            for (size_t v = 0; v < VOICES; v++)
                voices[v].accuracy = vl_record_accuracy(
                    record, &(vl_record_key){.voice = channels[v].name}, NULL);
            vl_record_learn(record, vote(voices, &o), &(vl_record_key){0}, NULL);
            for (size_t v = 0; v < VOICES; v++)
                for (size_t c = 0; c < readings[v].count && counts[v] < MAX_FIT; c++) {
                    confidence[v][counts[v]] = (float)readings[v].clusters[c].confidence;
                    right[v][counts[v]++] = readings[v].right[c];
                }
            vl_arena_reset(little);
        }
    for (size_t v = 0; v < VOICES; v++) {
        vl_vote_calibration c;
        assert_int_equal(vl_calibration_fit(confidence[v], right[v], counts[v], &c, NULL),
                         VL_OK);
        assert_int_equal(vl_record_calibrate(record, channels[v].name, &c, NULL), VL_OK);
    }
}

/* Of each word whether it is one of the line's, in a place near its own. */
static bool is_in(const char *word, const char *line) {
    size_t bytes = strlen(word);
    for (const char *at = strstr(line, word); at; at = strstr(at + 1, word))
        if ((at == line || at[-1] == ' ') && (at[bytes] == ' ' || !at[bytes]))
            return true;
    return false;
}

static void test_weighted_vote(void **state) {
    enum { MAX_WORDS = 60000 };
    static float sure[MAX_WORDS];
    static bool right[MAX_WORDS];
    vl_vote_options o = vl_vote_options_default();
    score alone[VOICES] = {{0}}, plain = {0}, record_only = {0}, weighted = {0},
          settled_by = {0};
    size_t words = 0, settled = 0, votes = 0;
    vl_record *record;
    (void)state;
    assert_int_equal(vl_record_open(NULL, NULL, &record, NULL), VL_OK);
    prepare(record);
    for (int round = 0; round < ROUNDS / 2; round++)
        for (size_t i = 0; i < line_count; i++) {
            reading readings[VOICES];
            vl_vote_voice voices[VOICES];
            read_line(lines[i], readings);
            voices_of(readings, voices);
            for (size_t v = 0; v < VOICES; v++) {
                voices[v].accuracy = vl_record_accuracy(
                    record, &(vl_record_key){.voice = channels[v].name}, NULL);
                voices[v].calibration = vl_record_calibration(record, channels[v].name);
                add_score(&alone[v], text_of(&readings[v]), lines[i]);
            }
            add_score(&plain, plain_vote(readings)->text, lines[i]);
            add_score(&weighted, vote(voices, &o)->text, lines[i]);
            assert_non_null(languages[i]);
            vl_vote_language language = vl_vote_language_of(languages[i]);
            vl_vote_options with = o;
            with.language = &language;
            vl_vote_result *r = vote(voices, &with);
            add_score(&settled_by, r->text, lines[i]);
            for (size_t w = 0; w < r->word_count && words < MAX_WORDS; w++) {
                sure[words] = (float)r->words[w].confidence;
                right[words++] = is_in(r->words[w].text, lines[i]);
            }
            for (size_t v = 0; v < VOICES; v++)
                make_flat(&voices[v]);
            add_score(&record_only, vote(voices, &o)->text, lines[i]);
            settled += vl_vote_settled(r, 0.9, NULL);
            votes++;
            vl_arena_reset(little);
        }
    double ece, best = 1;
    assert_int_equal(vl_score_calibration(sure, right, words, &ece, NULL), VL_OK);
    for (size_t v = 0; v < VOICES; v++) {
        print_message("%-8s %6.2f%% CER\n", channels[v].name, 100 * rate(&alone[v]));
        best = fmin(best, rate(&alone[v]));
    }
    print_message(
        "plain    %6.2f%%\nrecord   %6.2f%%\nweighted %6.2f%%\nlanguage %6.2f%%  (%zu "
        "words, calibration error %.3f, %zu of %zu lines settled at 0.9)\n",
        100 * rate(&plain), 100 * rate(&record_only), 100 * rate(&weighted),
        100 * rate(&settled_by), words, ece, settled, votes);
    assert_true(rate(&settled_by) < rate(&weighted));
    assert_true(rate(&weighted) < 0.8 * best);
    assert_true(rate(&weighted) < 0.8 * rate(&plain));
    assert_true(rate(&record_only) < best && rate(&record_only) < rate(&plain));
    assert_true(ece < 0.1);
    vl_record_free(record);
}

/* Without labels, from nothing: the order of the channels that the truth has. */
static void test_record_finds_the_order(void **state) {
    vl_record *record;
    vl_vote_options o = vl_vote_options_default();
    (void)state;
    assert_int_equal(vl_record_open(NULL, NULL, &record, NULL), VL_OK);
    double truth[VOICES] = {0}, clusters[VOICES] = {0};
    for (int round = 0; round < ROUNDS / 2; round++)
        for (size_t i = 0; i < line_count; i++) {
            reading readings[VOICES];
            vl_vote_voice voices[VOICES];
            read_line(lines[i], readings);
            voices_of(readings, voices);
            for (size_t v = 0; v < VOICES; v++) {
                voices[v].accuracy = vl_record_accuracy(
                    record, &(vl_record_key){.voice = channels[v].name}, NULL);
                for (size_t c = 0; c < readings[v].count; c++)
                    truth[v] += readings[v].right[c];
                clusters[v] += (double)readings[v].count;
            }
            vl_record_learn(record, vote(voices, &o), &(vl_record_key){0}, NULL);
            vl_arena_reset(little);
        }
    double before = 1;
    for (size_t v = 0; v < VOICES; v++) {
        double learned =
            vl_record_accuracy(record, &(vl_record_key){.voice = channels[v].name}, NULL);
        print_message("%-8s right %.3f, learned %.3f\n", channels[v].name,
                      truth[v] / clusters[v], learned);
        assert_true(learned < before);
        assert_true(fabs(learned - truth[v] / clusters[v]) < 0.06);
        before = learned;
    }
    vl_record_free(record);
}

/* ---- two families, and the character model ------------------------------------------------
 */

typedef struct pair_score {
    double right[2], clusters[2];
} pair_score;

/* One pass over the texts, learned from without labels. */
static void learn_pair(vl_record *record, const channel *pair, pair_score *seen) {
    for (size_t i = 0; i < line_count; i++) {
        const vl_vote_cluster *truth;
        size_t count;
        vl_vote_result *result;
        vl_vote_voice voices[2];
        vl_vote_language language = vl_vote_language_of(languages[i]);
        vl_vote_options o = vl_vote_options_default();
        assert_int_equal(vl_vote_clusters_of(little, lines[i], 1, &truth, &count, NULL), VL_OK);
        place *places = vl_arena_array(little, count, sizeof *places);
        for (size_t k = 0; k < count; k++)
            places[k] = (place){.is_hard = chance() < hard,
                                .hard_reads = (size_t)(chance() * (double)count)};
        for (size_t v = 0; v < 2; v++) {
            reading r = corrupt(&pair[v], truth, count, places);
            vl_record_key key = {.voice = pair[v].name};
            voices[v] = (vl_vote_voice){.name = pair[v].name,
                                        .calibration = vl_calibration_none(),
                                        .accuracy = vl_record_accuracy(record, &key, NULL),
                                        .clusters = r.clusters,
                                        .count = r.count};
            for (size_t c = 0; c < r.count; c++)
                seen->right[v] += r.right[c];
            seen->clusters[v] += (double)r.count;
        }
        o.language = &language;
        assert_int_equal(vl_vote(little, voices, 2, &o, &result, NULL), VL_OK);
        double *witness = vl_vote_witness(little, result, &language);
        assert_non_null(witness);
        assert_int_equal(
            vl_record_learn_two(record, result, witness, &(vl_record_key){0}, NULL), VL_OK);
        vl_arena_reset(little);
    }
}

/* Two families: each finds its place, wherever the record began, whatever a bad one says of
 * itself, and stays there. */
static void test_two_families(void **state) {
    static const struct {
        channel pair[2];
        double begin[2]; /* counts of a record that is wrong, out of 400 */
    } rows[] = {
        {{{"good", 0.05, 0, 1}, {"poor", 0.16, 0, 2}}, {0, 0}},
        {{{"poor", 0.16, 0, 2}, {"good", 0.05, 0, 1}}, {0, 0}},
        {{{"good", 0.05, 0, 1}, {"poor", 0.16, 0, 2}}, {260, 390}},
        {{{"fair", 0.09, 0, 0.5}, {"bad", 0.40, 0, 0.2}}, {0, 0}},
        {{{"alike", 0.09, 0, 1}, {"same", 0.09, 0, 1}}, {0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_record *record;
        double at[2][2];
        assert_int_equal(vl_record_open(NULL, NULL, &record, NULL), VL_OK);
        for (size_t v = 0; v < 2 && rows[i].begin[v] > 0; v++)
            vl_record_add(record, &(vl_record_key){.voice = rows[i].pair[v].name},
                          rows[i].begin[v], 400 - rows[i].begin[v], NULL);
        pair_score seen = {{0}, {0}};
        for (int round = 0; round < 4; round++) {
            learn_pair(record, rows[i].pair, &seen);
            for (size_t v = 0; v < 2; v++)
                at[round / 2][v] = vl_record_accuracy(
                    record, &(vl_record_key){.voice = rows[i].pair[v].name}, NULL);
        }
        double apart = 0, learned = 0;
        for (size_t v = 0; v < 2; v++) {
            double right = seen.right[v] / seen.clusters[v];
            print_message("%-8s right %.3f, learned %.3f, then %.3f\n", rows[i].pair[v].name,
                          right, at[0][v], at[1][v]);
            assert_true(fabs(at[1][v] - right) < 0.05);
            assert_true(fabs(at[1][v] - at[0][v]) < 0.02);
            apart += v ? -right : right;
            learned += v ? -at[1][v] : at[1][v];
        }
        assert_true(fabs(apart) < 0.03 ? fabs(learned) < 0.03 : apart * learned > 0);
        vl_record_free(record);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_families),
        cmocka_unit_test(test_weighted_vote),
        cmocka_unit_test(test_record_finds_the_order),
    };
    return cmocka_run_group_tests(tests, read_samples, free_samples);
}
