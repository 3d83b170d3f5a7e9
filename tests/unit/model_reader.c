/* A small reader of random weights: lines read the same in any company, decoding agrees with
 * its definition, files keep what was written, and what lies is refused. */
#include "model/reader_use.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char characters[] = " 123abc(אבגد)";

typedef struct small {
    vl_params *params;
    vl_reader_net *net;
    vl_reader_alphabet *alphabet;
    char path[256];
} small;

static vl_reader_config small_config(size_t symbols) {
    return (vl_reader_config){.stem = {16, 16, 32, 32},
                              .width = 64,
                              .blocks = 2,
                              .layers = 1,
                              .heads = 2,
                              .kernel = 5,
                              .expand = 2,
                              .squeeze = 100,
                              .symbols = (uint32_t)symbols};
}

static int setup(void **state) {
    small *s = calloc(1, sizeof *s);
    vl_error error;
    assert_int_equal(
        vl_reader_alphabet_new(characters, strlen(characters), &s->alphabet, &error), VL_OK);
    vl_reader_config config = small_config(vl_reader_alphabet_size(s->alphabet));
    s->params = vl_params_new();
    assert_int_equal(vl_reader_net_new(&config, s->params, &s->net, &error), VL_OK);
    assert_int_equal(vl_params_allocate(s->params, 3, &error), VL_OK);
    /* Untrained, it says every character everywhere: let it be sure of something. */
    const vl_param *last = vl_params_find(s->params, "symbols.weight");
    for (size_t i = 0; i < last->count; i++)
        vl_params_values(s->params)[last->offset + i] *= 12;
    snprintf(s->path, sizeof s->path, "%s/model_reader_%d.gguf", TEST_BINARY_DIR,
             (int)getpid());
    *state = s;
    return 0;
}

static int teardown(void **state) {
    small *s = *state;
    unlink(s->path);
    vl_reader_alphabet_free(s->alphabet);
    vl_reader_net_free(s->net);
    vl_params_free(s->params);
    free(s);
    return 0;
}

static vl_reader *write_and_open(small *s, vl_dtype dtype) {
    vl_error error = {0};
    vl_reader_facts facts = {"7", "none"};
    vl_reader *reader = NULL;
    if (vl_reader_write(s->path, s->net, s->params, s->alphabet, &facts, dtype, &error) ||
        vl_reader_open(s->path, &reader, &error))
        fail_msg("%s", error.message);
    return reader;
}

/* Strokes at random on paper. */
static vl_image *draw(uint32_t width, uint32_t height, uint32_t seed) {
    vl_image *image;
    assert_int_equal(vl_image_new(width, height, 1, &image, NULL), VL_OK);
    memset(image->pixels, 230, image->stride * height);
    for (uint32_t i = 0; i < width / 6; i++) {
        seed = seed * 1664525 + 1013904223;
        uint32_t x = seed / 7 % width, top = seed / 1000 % (height / 2);
        for (uint32_t y = top; y < top + height / 2; y++)
            image->pixels[y * image->stride + x] = 30;
    }
    return image;
}

/* ---- company -------------------------------------------------------------------------- */

static void test_company_does_not_matter(void **state) {
    small *s = *state;
    vl_reader *reader = write_and_open(s, VL_F32);
    vl_reader_session *session = vl_reader_session_new(reader);
    vl_arena *arena = vl_arena_new(64 << 20);
    enum { LINES = 9 };
    static const uint32_t widths[LINES] = {200, 1, 480, 33, 64, 700, 3, 121, 256};
    vl_image *images[LINES];
    vl_reader_line together[LINES], alone;
    vl_error error = {0};
    for (size_t i = 0; i < LINES; i++)
        images[i] = draw(widths[i], 40 + (uint32_t)i * 9, (uint32_t)i);
    if (vl_reader_read(session, (const vl_image *const *)images, LINES, NULL, arena, together,
                       &error))
        fail_msg("%s", error.message);
    size_t read = 0;
    for (size_t i = 0; i < LINES; i++) {
        const vl_image *one = images[i];
        assert_int_equal(vl_reader_read(session, &one, 1, NULL, arena, &alone, &error), VL_OK);
        assert_string_equal(alone.text, together[i].text);
        assert_true(isfinite(alone.log_probability) && alone.log_probability <= 1e-6);
        assert_true(fabs(alone.log_probability - together[i].log_probability) <
                    0.02 * (1 - alone.log_probability));
        read += alone.count;
    }
    assert_true(read > 50);
    for (size_t i = 0; i < LINES; i++)
        vl_image_free(images[i]);
    vl_arena_free(arena);
    vl_reader_session_free(session);
    vl_reader_free(reader);
}

/* In f32 the numbers themselves agree. */
static void test_logits_alone_and_together(void **state) {
    small *s = *state;
    static const int32_t starts[] = {0, 7, 8, 8, 30, 32};
    float *pixels = calloc(32 * 4 * 48, sizeof *pixels);
    for (size_t i = 0; i < 32 * 4 * 48; i++)
        pixels[i] = (float)((i * 2654435761u) >> 8 & 255) / 255;
    vl_graph_options options = {.max_bytes = 256 << 20};
    vl_graph *graph = vl_graph_new(s->params, &options);
    vl_graph *single = vl_graph_new(s->params, &options);
    vl_var *all = vl_reader_look(s->net, graph, pixels, starts, 5, 0);
    assert_non_null(all);
    size_t symbols = all->dims[1];
    assert_int_equal(all->dims[0], 32);
    for (size_t b = 0; b < 5; b++) {
        int32_t own[2] = {0, starts[b + 1] - starts[b]};
        vl_graph_reset(single, 0);
        vl_var *alone = vl_reader_look(s->net, single, pixels + starts[b] * 4 * 48, own, 1, 0);
        for (size_t i = 0; own[1] && i < alone->count; i++) {
            double x = alone->value[i], y = all->value[(size_t)starts[b] * symbols + i];
            assert_true(isfinite(x) && fabs(x - y) < 1e-3);
        }
    }
    vl_graph_free(graph);
    vl_graph_free(single);
    free(pixels);
}

/* ---- 8-bit numbers ---------------------------------------------------------------------- */

/* Every product rounds its inputs to 1/254 of the largest of a row: through all layers that is
 * a few hundredths of what is said. Lines alone say the same bits as together. */
static void test_8_bits_say_the_same(void **state) {
    small *s = *state;
    enum { POSITIONS = 301, NUMBERS = POSITIONS * VL_READER_STRIDE * VL_READER_HEIGHT };
    static const int32_t starts[] = {0, 7, 8, 8, 280, POSITIONS};
    vl_reader *reader = write_and_open(s, VL_F32);
    if (!reader->matrix) /* this processor would not; it can */
        assert_int_equal(reader_round_weights(reader, NULL), VL_OK);
    float *pixels = calloc(NUMBERS, sizeof *pixels);
    for (uint32_t i = 0, seed = 1; i < NUMBERS; i++, seed = seed * 1664525 + 1013904223)
        pixels[i] = seed >> 28 ? 0 : (float)(seed >> 16 & 255) / 255;
    vl_graph_options options = {.max_bytes = 256 << 20};
    vl_graph *graph = vl_graph_new(reader->params, &options);
    vl_var *exact = vl_reader_look(reader->net, graph, pixels, starts, 5, 0);
    assert_non_null(exact);
    reader_memory memory = {0}, alone = {0};
    reader_choice all = {0}, some;
    size_t symbols = exact->dims[1];
    float *logits = reader_forward(reader, &all, &memory, pixels, starts, 5);
    double wrong = 0, said = 0;
    for (size_t i = 0; i < POSITIONS * symbols; i++) {
        assert_true(isfinite(logits[i]));
        wrong += pow((double)(logits[i] - exact->value[i]), 2);
        said += pow((double)exact->value[i], 2);
    }
    assert_true(sqrt(wrong / said) < 0.06);
    float prior[14] = {[0] = 1, [1] = 1, [5] = 0.5f, [9] = 1, [13] = 0.25f};
    assert_int_equal(reader_choice_make(reader, prior, &some, NULL), VL_OK);
    assert_int_equal(vl_reader_alphabet_size(some.alphabet), 4);
    assert_int_equal(vl_reader_alphabet_at(some.alphabet, 4),
                     vl_reader_alphabet_at(s->alphabet, 13));
    for (size_t b = 0; b < 5; b++) {
        int32_t own[2] = {0, starts[b + 1] - starts[b]};
        const float *from = pixels + starts[b] * VL_READER_STRIDE * VL_READER_HEIGHT;
        const float *want = logits + (size_t)starts[b] * symbols;
        float *got = reader_forward(reader, &some, &alone, from, own, 1);
        for (size_t t = 0; t < (size_t)own[1]; t++)
            for (size_t i = 0; i < 5; i++)
                assert_true(fabs((double)(got[t * 5 + i] - some.shift[i] -
                                          want[t * symbols + (size_t)some.from[i]])) < 1e-4);
    }
    reader_choice_free(&some);
    free(memory.bytes);
    free(alone.bytes);
    free(pixels);
    vl_graph_free(graph);
    vl_reader_free(reader);
}

/* What a prior leaves out is not read, rounded or not; what it makes seldom is read less. */
static void test_prior_of_characters(void **state) {
    small *s = *state;
    vl_reader *reader = write_and_open(s, VL_F32);
    vl_reader_session *session = vl_reader_session_new(reader);
    vl_arena *arena = vl_arena_new(64 << 20);
    vl_image *image = draw(900, 48, 4);
    const vl_image *one = image;
    float prior[14] = {1}, nothing[14] = {1}, flat[14];
    vl_reader_how how = {.beams = 4, .alternatives = 3, .prior = prior};
    vl_reader_line before, line, after;
    vl_error error;
    for (const char *c = "2ba "; *c; c++)
        prior[vl_reader_alphabet_label(s->alphabet, (uint32_t)*c)] = 1;
    assert_int_equal(vl_reader_read(session, &one, 1, NULL, arena, &before, &error), VL_OK);
    for (int exact = 0; exact < 2; exact++) {
        vl_reader_session_exact(session, exact);
        assert_int_equal(vl_reader_read(session, &one, 1, &how, arena, &line, &error), VL_OK);
        assert_true(line.count > 10);
        for (size_t i = 0; i < line.count; i++) {
            const vl_reader_character *c = &line.characters[i];
            assert_true(c->character < 128 && strchr("2ba ", (int)c->character));
            for (size_t k = 0; k < c->other_count; k++)
                assert_true(c->others[k].character < 128 &&
                            strchr("2ba ", (int)c->others[k].character));
        }
    }
    vl_reader_session_exact(session, false);
    how.prior = nothing;
    assert_int_equal(vl_reader_read(session, &one, 1, &how, arena, &line, &error),
                     VL_ERR_USAGE);
    for (size_t i = 0; i < 14; i++)
        flat[i] = 0.5f;
    how = (vl_reader_how){.beams = 1, .alternatives = 3, .prior = flat};
    assert_int_equal(vl_reader_read(session, &one, 1, &how, arena, &after, &error), VL_OK);
    assert_string_equal(before.text, after.text);
    flat[vl_reader_alphabet_label(s->alphabet, before.characters[0].character)] = 1e-6f;
    assert_int_equal(vl_reader_read(session, &one, 1, &how, arena, &after, &error), VL_OK);
    assert_true(!after.count ||
                after.characters[0].character != before.characters[0].character ||
                after.characters[0].confidence < before.characters[0].confidence);
    assert_int_equal(vl_reader_read(session, &one, 1, NULL, arena, &after, &error), VL_OK);
    assert_string_equal(before.text, after.text);
    vl_image_free(image);
    vl_arena_free(arena);
    vl_reader_session_free(session);
    vl_reader_free(reader);
}

/* Light on dark, at another size, or in colour: the same pixels for the network. */
static void test_preparing(void **state) {
    (void)state;
    vl_arena *arena = vl_arena_new(16 << 20);
    vl_image *dark = draw(203, 48, 5), *light = vl_image_copy(dark), *wide, *blank;
    vl_reader_pixels a, b;
    vl_error error = {0};
    for (size_t i = 0; i < light->stride * light->height; i++)
        light->pixels[i] = (uint8_t)(255 - light->pixels[i]);
    assert_int_equal(vl_reader_prepare(dark, 100, arena, &a, &error), VL_OK);
    assert_int_equal(vl_reader_prepare(light, 100, arena, &b, &error), VL_OK);
    assert_int_equal(a.width, 204);
    assert_int_equal(a.positions, 51);
    for (size_t i = 0; i < a.width * 48; i++)
        assert_true(fabs((double)(a.columns[i] - b.columns[i])) < 1e-5);
    for (size_t i = 203 * 48; i < 204 * 48; i++)
        assert_true(a.columns[i] == 0);
    assert_int_equal(vl_image_new(406, 96, 3, &blank, NULL), VL_OK);
    memset(blank->pixels, 200, blank->stride * blank->height);
    assert_int_equal(vl_reader_prepare(blank, 100, arena, &b, &error), VL_OK);
    assert_int_equal(b.width, 204);
    assert_true(fabs(b.scale - 2) < 1e-9);
    for (size_t i = 0; i < b.width * 48; i++)
        assert_true(fabs((double)b.columns[i]) < 1e-4); /* paper without ink is no noise */
    assert_int_equal(vl_reader_prepare(dark, 80, arena, &b, &error), VL_OK);
    assert_int_equal(b.width, 164); /* 203 × 0.8 = 162.4, filled up */
    assert_true(fabs(b.scale - 203.0 / 162) < 1e-9);
    assert_int_equal(vl_image_new(20000, 2, 1, &wide, NULL), VL_OK);
    assert_int_equal(vl_reader_prepare(wide, 100, arena, &b, &error), VL_ERR_LIMIT);
    vl_image_free(dark);
    vl_image_free(light);
    vl_image_free(blank);
    vl_image_free(wide);
    vl_arena_free(arena);
}

/* ---- decoding against its definition ---------------------------------------------------- */

enum { STEPS = 5, SYMBOLS = 4, MOST = 1024 /* SYMBOLS to the power of STEPS */ };

typedef struct labelling {
    int32_t labels[STEPS];
    size_t count;
    double p;
} labelling;

/* Every labelling with the sum over its paths. */
static size_t enumerate(const float *p, labelling *all) {
    size_t count = 0;
    for (size_t number = 0; number < MOST; number++) {
        labelling l = {.p = 1};
        size_t rest = number, before = 0;
        for (size_t t = 0; t < STEPS; t++, rest /= SYMBOLS) {
            size_t at = rest % SYMBOLS;
            l.p *= (double)p[t * SYMBOLS + at];
            if (at && at != before)
                l.labels[l.count++] = (int32_t)at;
            before = at;
        }
        size_t i = 0;
        while (i < count && (all[i].count != l.count ||
                             memcmp(all[i].labels, l.labels, sizeof l.labels) != 0))
            i++;
        if (i == count)
            all[count++] = l;
        else
            all[i].p += l.p;
    }
    return count;
}

static void draw_columns(uint32_t *seed, double sharpness, float *p) {
    for (size_t t = 0; t < STEPS; t++) {
        double sum = 0, row[SYMBOLS];
        for (size_t v = 0; v < SYMBOLS; v++) {
            *seed = *seed * 1664525 + 1013904223;
            sum += row[v] = exp(sharpness * (double)(*seed >> 8) / 16777216);
        }
        for (size_t v = 0; v < SYMBOLS; v++)
            p[t * SYMBOLS + v] = (float)(row[v] / sum);
    }
}

static const labelling *find(const labelling *all, size_t count, const int32_t *labels,
                             size_t length) {
    for (size_t i = 0; i < count; i++)
        if (all[i].count == length &&
            memcmp(all[i].labels, labels, length * sizeof *labels) == 0)
            return &all[i];
    return NULL;
}

/* Letters like to follow the one before them in the alphabet. */
static double likes_order(void *user, const uint32_t *before, size_t count, uint32_t c) {
    (void)user;
    return count && before[count - 1] + 1 == c ? -0.2 : -1.5;
}

static double language_score(const small *s, const labelling *l, bool backwards) {
    double sum = 0;
    uint32_t before = 0;
    for (size_t i = 0; i < l->count; i++) {
        uint32_t c = vl_reader_alphabet_at(s->alphabet,
                                           (size_t)l->labels[backwards ? l->count - 1 - i : i]);
        sum += 0.8 * likes_order(NULL, &before, i ? 1 : 0, c) + 0.3;
        before = c;
    }
    return sum;
}

static void test_beams_find_the_likeliest(void **state) {
    small *s = *state;
    static labelling all[MOST];
    uint32_t seed = 11;
    vl_reader_language language = {
        .next = likes_order, .context = 3, .weight = 0.8, .bonus = 0.3};
    for (size_t round = 0; round < 60; round++) {
        float p[STEPS * SYMBOLS];
        draw_columns(&seed, 1 + (double)(round % 6), p);
        size_t count = enumerate(p, all), length;
        reader_columns columns = {p, STEPS, SYMBOLS};
        reader_search how = {.beams = 64,
                             .alphabet = s->alphabet,
                             .language = round % 2 ? &language : NULL,
                             .backwards = round % 4 > 1};
        double best = -INFINITY, score;
        for (size_t i = 0; i < count; i++) {
            double total = log(all[i].p);
            if (how.language)
                total += language_score(s, &all[i], how.backwards);
            best = fmax(best, total);
        }
        int32_t labels[STEPS];
        assert_int_equal(reader_search_labels(&columns, &how, labels, &length, &score, NULL),
                         VL_OK);
        const labelling *found = find(all, count, labels, length);
        assert_non_null(found);
        double own =
            log(found->p) + (how.language ? language_score(s, found, how.backwards) : 0);
        if (fabs(score - best) > 1e-5 || fabs(own - best) > 1e-5)
            fail_msg("round %zu: found %g (truly %g), the best is %g", round, score, own, best);
    }
}

/* The path that is the best at each position, and a search of few beams that is not worse. */
static void test_best_path(void **state) {
    small *s = *state;
    static const float p[6 * 3] = {.1f, .8f, .1f, .2f, .7f, .1f, .9f, .05f, .05f,
                                   .1f, .6f, .3f, .1f, .2f, .7f, .8f, .1f,  .1f};
    static labelling all[MOST];
    reader_columns columns = {p, 6, 3};
    int32_t labels[6];
    assert_int_equal(reader_best_path(&columns, labels), 3); /* 1 1 – 1 2 – */
    assert_true(labels[0] == 1 && labels[1] == 1 && labels[2] == 2);
    uint32_t seed = 3;
    for (size_t round = 0; round < 40; round++) {
        float q[STEPS * SYMBOLS];
        draw_columns(&seed, 5, q);
        size_t count = enumerate(q, all), length;
        reader_columns drawn = {q, STEPS, SYMBOLS};
        length = reader_best_path(&drawn, labels);
        double greedy = find(all, count, labels, length)->p;
        reader_search how = {.beams = 16, .alphabet = s->alphabet};
        assert_int_equal(reader_search_labels(&drawn, &how, labels, &length, NULL, NULL),
                         VL_OK);
        assert_true(find(all, count, labels, length)->p >= greedy * (1 - 1e-6));
    }
}

/* Shares of a place, from the definition: p(labels with another, or none) over their sum. */
static void test_places(void **state) {
    (void)state;
    static labelling all[MOST];
    uint32_t seed = 5;
    for (size_t round = 0; round < 60; round++) {
        float p[STEPS * SYMBOLS];
        draw_columns(&seed, 1 + (double)(round % 5), p);
        size_t count = enumerate(p, all);
        reader_columns columns = {p, STEPS, SYMBOLS};
        const labelling *l = &all[round * 7 % count];
        reader_place places[STEPS];
        double log_p;
        assert_int_equal(
            reader_find_places(&columns, l->labels, l->count, 8, places, &log_p, NULL), VL_OK);
        assert_true(fabs(log_p - log(l->p)) < 1e-5);
        for (size_t i = 0; i < l->count; i++) {
            double sum = 0, share[SYMBOLS] = {0};
            for (int32_t c = 0; c < SYMBOLS; c++) {
                labelling other = *l;
                other.labels[i] = c;
                if (!c) {
                    memmove(other.labels + i, other.labels + i + 1,
                            (l->count - i - 1) * sizeof *other.labels);
                    other.count--;
                }
                const labelling *found = find(all, count, other.labels, other.count);
                /* the same letter twice in a row is a labelling of its own */
                share[c] = found ? found->p : 0;
                sum += share[c];
            }
            assert_true(fabs(places[i].share - share[l->labels[i]] / sum) < 1e-5);
            double told = places[i].share;
            for (size_t k = 0; k < places[i].other_count; k++) {
                const reader_other *o = &places[i].other[k];
                if (fabs(o->share - share[o->label] / sum) > 1e-5)
                    fail_msg("round %zu, place %zu, label %d: %g, not %g", round, i, o->label,
                             o->share, share[o->label] / sum);
                assert_true(!k || o->share <= places[i].other[k - 1].share);
                told += o->share;
            }
            assert_true(told <= 1 + 1e-9 && told > 0.5);
            assert_true(places[i].first <= places[i].last + 1e-9);
        }
    }
}

static void test_places_of_what_cannot_be(void **state) {
    (void)state;
    static const float p[2 * 2] = {.5f, .5f, .5f, .5f};
    reader_columns columns = {p, 2, 2}, none = {p, 0, 2};
    static const int32_t twice[] = {1, 1}; /* needs a blank between */
    reader_place places[2];
    double log_p = 0;
    assert_int_equal(reader_find_places(&columns, twice, 2, 3, places, &log_p, NULL), VL_OK);
    assert_true(log_p == -INFINITY && places[0].share == 0);
    assert_int_equal(reader_find_places(&none, twice, 0, 3, places, &log_p, NULL), VL_OK);
    assert_true(log_p == 0);
}

/* ---- what is told of a line -------------------------------------------------------------- */

static void test_lines_are_told(void **state) {
    small *s = *state;
    vl_reader *reader = write_and_open(s, VL_Q8_0);
    vl_reader_session *session = vl_reader_session_new(reader);
    vl_arena *arena = vl_arena_new(64 << 20);
    vl_image *image = draw(900, 96, 9);
    const vl_image *one = image;
    vl_error error = {0};
    assert_string_equal(vl_reader_format(reader), "q8_0");
    assert_string_equal(vl_reader_version(reader), "7");
    for (uint32_t beams = 1; beams < 9; beams += 7) {
        vl_reader_how how = {.beams = beams, .alternatives = 4};
        vl_reader_line line;
        if (vl_reader_read(session, &one, 1, &how, arena, &line, &error))
            fail_msg("%s", error.message);
        assert_true(line.count > 10 && line.confidence > 0 && line.confidence <= 1);
        size_t bytes = strlen(line.text);
        assert_int_equal(vl_utf8_valid_prefix(line.text, bytes), bytes);
        for (size_t i = 0; i < line.count; i++) {
            const vl_reader_character *c = &line.characters[i];
            assert_int_not_equal(vl_reader_alphabet_label(s->alphabet, c->character), 0);
            assert_true(c->left >= 0 && c->left <= c->right && c->right <= 900);
            double sum = c->confidence;
            for (size_t k = 0; k < c->other_count; k++)
                sum += c->others[k].probability;
            assert_true(c->other_count == 4 && sum <= 1 + 1e-6);
        }
    }
    /* A language that cannot bear characters leaves few of them. */
    vl_reader_language mute = {.next = likes_order, .context = 2, .weight = 40};
    vl_reader_how with = {.beams = 8, .language = &mute}, without = {.beams = 8};
    vl_reader_line few, many;
    assert_int_equal(vl_reader_read(session, &one, 1, &without, arena, &many, &error), VL_OK);
    assert_int_equal(vl_reader_read(session, &one, 1, &with, arena, &few, &error), VL_OK);
    assert_true(few.count < many.count && few.log_probability < many.log_probability);
    vl_reader_how wrong[] = {{.beams = 0},
                             {.beams = 65},
                             {.beams = 1, .alternatives = 9},
                             {.beams = 1, .language = &mute}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vl_reader_line line;
        assert_int_equal(vl_reader_read(session, &one, 1, &wrong[i], arena, &line, &error),
                         VL_ERR_USAGE);
    }
    vl_arena *small_arena = vl_arena_new(64);
    vl_reader_line line;
    assert_int_equal(vl_reader_read(session, &one, 1, NULL, small_arena, &line, &error),
                     VL_ERR_LIMIT);
    vl_arena_free(small_arena);
    vl_image_free(image);
    vl_arena_free(arena);
    vl_reader_session_free(session);
    vl_reader_free(reader);
}

/* ---- alphabets and targets --------------------------------------------------------------- */

static void test_alphabet(void **state) {
    small *s = *state;
    vl_reader_alphabet *a = s->alphabet;
    vl_error error;
    assert_int_equal(vl_reader_alphabet_size(a), 13);
    assert_int_equal(vl_reader_alphabet_at(a, 1), ' ');
    assert_int_equal(vl_reader_alphabet_at(a, 0), 0);
    assert_int_equal(vl_reader_alphabet_at(a, 14), 0);
    for (size_t i = 1; i <= 13; i++)
        assert_int_equal(vl_reader_alphabet_label(a, vl_reader_alphabet_at(a, i)), i);
    assert_int_equal(vl_reader_alphabet_label(a, 'z'), 0);
    vl_reader_alphabet *other;
    static const char odd[] = "b\xE2\x80\x8F\x01\n b\xC2\xAD";
    assert_int_equal(vl_reader_alphabet_new(odd, sizeof odd - 1, &other, &error), VL_OK);
    assert_int_equal(vl_reader_alphabet_size(other), 2);
    vl_reader_alphabet_free(other);
    assert_int_equal(vl_reader_alphabet_new("a\xFF", 2, &other, &error), VL_ERR_INPUT);
}

static void test_targets(void **state) {
    small *s = *state;
    vl_arena *arena = vl_arena_new(1 << 20);
    int32_t *labels;
    size_t count, unknown;
    static const uint32_t visual[] = {0x5D2, '(', 0x5D1, ')', ' ', '1', '2', ' ', 0x5D0};
    assert_int_equal(vl_reader_targets(s->alphabet, " אה 12  \xE2\x80\x8F(ב)ג", arena, &labels,
                                       &count, &unknown, NULL),
                     VL_OK);
    assert_int_equal(unknown, 1);
    assert_int_equal(count, sizeof visual / sizeof *visual);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(vl_reader_alphabet_at(s->alphabet, (size_t)labels[i]), visual[i]);
    vl_arena_free(arena);
}

/* ---- files --------------------------------------------------------------------------- */

static void test_files_that_lie(void **state) {
    small *s = *state;
    vl_error error = {0};
    vl_reader *reader = write_and_open(s, VL_F16);
    vl_reader_free(reader);
    vl_buf bytes;
    vl_buf_init(&bytes, 16 << 20);
    assert_int_equal(vl_file_read(s->path, 16 << 20, &bytes, &error), VL_OK);
    char *copy = aligned_alloc(64, (bytes.len + 63) / 64 * 64);
    static const struct {
        const char *key;
        size_t past; /* bytes after the key's last: type (4), then the value */
        char value;
        vl_status status;
    } rows[] = {
        {"reader.width", 4, 33, VL_ERR_INPUT},
        {"reader.width", 4, 96, VL_ERR_INPUT},
        {"reader.heads", 4, 7, VL_ERR_INPUT},
        {"reader.kernel", 4, 4, VL_ERR_INPUT},
        {"reader.blocks", 4, 3, VL_ERR_INPUT},
        {"reader.stem.2", 4, 64, VL_ERR_INPUT},
        {"reader.format", 4, 2, VL_ERR_UNSUPPORTED},
        {"vislang-reader", (size_t)-1, 'x', VL_ERR_UNSUPPORTED},
        {"reader.alphabet", 16, 'z', VL_ERR_INPUT}, /* not in rising order any more */
        {"reader.alphabet", 16, 7, VL_ERR_INPUT},   /* a control character */
        {"reader.alphabeu", 0, 0, VL_ERR_INPUT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memcpy(copy, bytes.data, bytes.len);
        bool renamed = !strcmp(rows[i].key, "reader.alphabeu");
        const char *key = renamed ? "reader.alphabet" : rows[i].key;
        char *at = memmem(copy, bytes.len, key, strlen(key));
        assert_non_null(at);
        if (renamed)
            at[14] = 'u';
        else
            at[strlen(key) + rows[i].past] = rows[i].value;
        vl_status status = vl_reader_parse(copy, bytes.len, &reader, &error);
        if (status != rows[i].status)
            fail_msg("%zu: %s: %s", i, vl_status_name(status), error.message);
        assert_null(reader);
    }
    for (size_t cut = 0; cut + 64 < bytes.len; cut += bytes.len / 37) {
        memcpy(copy, bytes.data, bytes.len);
        assert_int_not_equal(vl_reader_parse(copy, cut, &reader, &error), VL_OK);
    }
    assert_int_equal(vl_reader_open("/nowhere/reader.gguf", &reader, &error), VL_ERR_MISSING);
    free(copy);
    vl_buf_deinit(&bytes);
}

static void test_configurations(void **state) {
    (void)state;
    vl_error error;
    vl_reader_config good = vl_reader_config_default();
    good.symbols = 100;
    assert_int_equal(vl_reader_config_check(&good, &error), VL_OK);
    vl_params *params = vl_params_new();
    vl_reader_net *net;
    assert_int_equal(vl_reader_net_new(&good, params, &net, &error), VL_OK);
    size_t total = vl_params_total(params);
    assert_true(total > 4000000 && total < 4500000);
    vl_reader_net_free(net);
    vl_params_free(params);
    for (size_t i = 0; i < 9; i++) {
        vl_reader_config bad = good;
        *(uint32_t *[]){&bad.stem[1], &bad.width,  &bad.blocks,  &bad.kernel, &bad.layers,
                        &bad.heads,   &bad.expand, &bad.symbols, &bad.squeeze}[i] =
            (uint32_t[]){17, 48, 25, 8, 25, 3, 0, 0, 101}[i];
        assert_int_equal(vl_reader_config_check(&bad, &error), VL_ERR_INPUT);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_company_does_not_matter),
        cmocka_unit_test(test_logits_alone_and_together),
        cmocka_unit_test(test_8_bits_say_the_same),
        cmocka_unit_test(test_prior_of_characters),
        cmocka_unit_test(test_preparing),
        cmocka_unit_test(test_beams_find_the_likeliest),
        cmocka_unit_test(test_best_path),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_places_of_what_cannot_be),
        cmocka_unit_test(test_lines_are_told),
        cmocka_unit_test(test_alphabet),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_files_that_lie),
        cmocka_unit_test(test_configurations),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
