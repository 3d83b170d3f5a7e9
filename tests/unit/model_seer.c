/* A small seer of random weights: what decodes token by token agrees with the layers run whole,
 * files keep what was written, and what is asked wrongly is refused. */
#include "model/seer_use.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct small {
    vl_params *params;
    vl_seer_net *net;
    vl_bpe *bpe;
    char path[256];
} small;

static vl_seer_config small_config(void) {
    vl_seer_config c = {.picture = 64,
                        .widths = {32, 32, 64},
                        .blocks = {1, 1},
                        .kernel = 3,
                        .layers = 2,
                        .heads = 2,
                        .grid = 4,
                        .vocabulary = 8192,
                        .max_text = 40,
                        .text_layers = 2,
                        .mixed_layers = 2,
                        .text_heads = 2,
                        .vector = 64,
                        .head_count = 1};
    strcpy(c.label_heads[0].name, "scene");
    assert_true(vl_seer_head_add(&c.label_heads[0], "fire"));
    assert_true(vl_seer_head_add(&c.label_heads[0], "flood"));
    assert_true(vl_seer_head_add(&c.label_heads[0], "drought"));
    assert_false(vl_seer_head_add(&c.label_heads[0], "fire"));
    return c;
}

static int setup(void **state) {
    small *s = calloc(1, sizeof *s);
    vl_error error;
    vl_seer_config config = small_config();
    s->params = vl_params_new();
    assert_int_equal(vl_seer_net_new(&config, s->params, &s->net, &error), VL_OK);
    assert_int_equal(vl_params_allocate(s->params, 3, &error), VL_OK);
    assert_int_equal(vl_bpe_open(NULL, &s->bpe, &error), VL_OK);
    snprintf(s->path, sizeof s->path, "%s/model_seer_%d.gguf", TEST_BINARY_DIR, (int)getpid());
    *state = s;
    return 0;
}

static int teardown(void **state) {
    small *s = *state;
    unlink(s->path);
    vl_bpe_free(s->bpe);
    vl_seer_net_free(s->net);
    vl_params_free(s->params);
    free(s);
    return 0;
}

static vl_seer *write_and_open(small *s, vl_dtype dtype) {
    vl_error error;
    vl_seer_facts facts = vl_seer_facts_default();
    facts.trained[0][2] = false;
    vl_seer *seer = NULL;
    assert_int_equal(vl_seer_write(s->path, s->net, s->params, s->bpe, &facts, dtype, &error),
                     VL_OK);
    if (vl_seer_open(s->path, &seer, &error))
        fail_msg("%s", error.message);
    return seer;
}

static vl_image *picture(uint32_t seed) {
    vl_image *image;
    assert_int_equal(vl_image_new(80, 60, 3, &image, NULL), VL_OK);
    for (size_t y = 0; y < image->height; y++)
        for (size_t x = 0; x < image->width * 3; x++)
            image->pixels[y * image->stride + x] =
                (uint8_t)((x * 7 + y * 13 + seed * 31) % 251);
    return image;
}

static double distance(const float *a, const float *b, size_t n) {
    double difference = 0, length = 0;
    for (size_t i = 0; i < n; i++) {
        difference += (double)(a[i] - b[i]) * (a[i] - b[i]);
        length += (double)b[i] * b[i];
    }
    return sqrt(difference / (length + 1e-30));
}

/* Logits of the last token of `ids`, all layers run over the whole text at once. */
static void whole_logits(small *s, vl_seer_session *session, const int32_t *ids, size_t count,
                         float *logits) {
    vl_graph_options options = {.max_bytes = 1 << 28};
    vl_graph *graph = vl_graph_new(s->params, &options);
    int32_t starts[] = {0, (int32_t)count}, last = starts[1] - 1;
    vl_var *places = vl_nn_input(graph, session->place, 3, (size_t[]){1, session->places, 64});
    vl_var *text = vl_seer_read(s->net, graph, ids, starts, 1, (vl_seer_rates){0});
    vl_var *mixed =
        vl_seer_mix(s->net, graph, text, places, NULL, starts, 1, (vl_seer_rates){0});
    vl_var *out = vl_seer_words(s->net, graph, mixed, &last, 1);
    assert_non_null(out);
    memcpy(logits, out->value, 8192 * sizeof *logits);
    vl_graph_free(graph);
}

static void test_decoding_agrees_with_layers(void **state) {
    small *s = *state;
    static float want[8192];
    const struct {
        vl_dtype dtype;
        double bound;
    } cases[] = {/* what the picture says goes through bf16 where the processor has it */
                 {VL_F32, 3e-3},
                 {VL_F16, 5e-3},
                 {VL_Q8_0, 5e-2},
                 {VL_Q4_0, 0.3}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        vl_seer *seer = write_and_open(s, cases[c].dtype);
        vl_seer_session *session = vl_seer_session_new(seer);
        vl_image *image = picture(1);
        assert_int_equal(vl_seer_session_look(session, image, NULL), VL_OK);
        int32_t ids[12];
        for (size_t i = 0; i < 12; i++)
            ids[i] = (int32_t)(i * 631 % 8000);
        for (size_t t = 0; t < 12; t++)
            seer_decode(session, &ids[t], 1, t, true);
        whole_logits(s, session, ids, 12, want);
        double off = distance(session->logits, want, 8192);
        if (off > cases[c].bound)
            fail_msg("%s: %g off", vl_dtype_name(cases[c].dtype), off);
        vl_image_free(image);
        vl_seer_session_free(session);
        vl_seer_free(seer);
    }
}

static void test_beams_do_not_mix(void **state) {
    small *s = *state;
    vl_seer *seer = write_and_open(s, VL_F32);
    vl_seer_session *session = vl_seer_session_new(seer);
    vl_image *image = picture(2);
    vl_seer_session_look(session, image, NULL);
    const int32_t a[] = {5, 300, 400, 500}, b[] = {5, 301, 401, 501};
    static float alone[2][8192];
    for (size_t t = 0; t < 4; t++)
        seer_decode(session, &a[t], 1, t, true);
    memcpy(alone[0], session->logits, sizeof alone[0]);
    for (size_t t = 0; t < 4; t++)
        seer_decode(session, &b[t], 1, t, true);
    memcpy(alone[1], session->logits, sizeof alone[1]);
    assert_int_equal(seer_session_reserve(session, 2, NULL), VL_OK);
    seer_decode(session, &a[0], 1, 0, true);
    seer_decode_copy(session, 0, 1, 1);
    for (size_t t = 1; t < 4; t++)
        seer_decode(session, (int32_t[]){b[t], a[t]}, 2, t, true);
    assert_true(distance(session->logits, alone[1], 8192) < 1e-4);
    assert_true(distance(session->logits + 8192, alone[0], 8192) < 1e-4);
    vl_image_free(image);
    vl_seer_session_free(session);
    vl_seer_free(seer);
}

/* A session has the room its widest search asked for, and a search finds the same in more. */
static void test_beams_grow(void **state) {
    small *s = *state;
    vl_seer *seer = write_and_open(s, VL_Q8_0);
    vl_image *image = picture(4);
    vl_arena *arena = vl_arena_new(1 << 20);
    vl_seer_session *grown = vl_seer_session_new(seer);
    static const uint32_t widths[] = {1, 4, 2, 16, 99, 3};
    static const size_t room[] = {1, 4, 4, 16, 16, 16};
    assert_int_equal(grown->beams, 1);
    vl_seer_session_look(grown, image, NULL);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        vl_seer_session *fresh = vl_seer_session_new(seer);
        vl_seer_writing how = vl_seer_writing_default();
        vl_seer_text one, other;
        how.beams = widths[i];
        vl_seer_session_look(fresh, image, NULL);
        assert_int_equal(vl_seer_caption(grown, "en", &how, arena, &one, NULL), VL_OK);
        assert_int_equal(vl_seer_caption(fresh, "en", &how, arena, &other, NULL), VL_OK);
        assert_string_equal(one.text, other.text);
        assert_true(one.confidence == other.confidence);
        assert_int_equal(grown->beams, room[i]);
        vl_seer_session_free(fresh);
    }
    vl_image_free(image);
    vl_arena_free(arena);
    vl_seer_session_free(grown);
    vl_seer_free(seer);
}

static void test_text_vector_agrees_with_layers(void **state) {
    small *s = *state;
    vl_seer *seer = write_and_open(s, VL_F32);
    vl_seer_session *session = vl_seer_session_new(seer);
    float got[64];
    assert_int_equal(vl_seer_text_embedding(session, "a dog runs", "en", got, NULL), VL_OK);
    int32_t ids[16] = {vl_bpe_special(s->bpe, "<caption>"), vl_bpe_special(s->bpe, "<en>")};
    size_t count;
    vl_bpe_encode(s->bpe, "a dog runs", 10, ids + 2, 12, &count, NULL);
    ids[2 + count] = vl_bpe_special(s->bpe, "<eos>");
    vl_graph_options options = {.max_bytes = 1 << 28};
    vl_graph *graph = vl_graph_new(s->params, &options);
    int32_t starts[] = {0, (int32_t)count + 3}, last = starts[1] - 1;
    vl_var *text = vl_seer_read(s->net, graph, ids, starts, 1, (vl_seer_rates){0});
    vl_var *want = vl_seer_text_vector(s->net, graph, text, &last, 1);
    assert_true(distance(got, want->value, 64) < 1e-4);
    assert_true(fabs((double)vl_kernels_get()->dot(got, got, 64) - 1) < 1e-4);
    assert_int_equal(vl_seer_text_embedding(session, "", NULL, got, NULL), VL_ERR_USAGE);
    vl_graph_free(graph);
    vl_seer_session_free(session);
    vl_seer_free(seer);
}

/* What a search asks of a text as it ends is what a search of pictures asks of it later. */
static void test_likeness_of_a_text_being_written(void **state) {
    small *s = *state;
    vl_seer *seer = write_and_open(s, VL_Q8_0);
    vl_seer_session *session = vl_seer_session_new(seer);
    vl_image *image = picture(3);
    static const char *const texts[] = {"a dog runs", "it burns ."};
    enum { TEXTS = 2, MAX = 32 };
    int32_t ids[TEXTS][MAX];
    size_t count[TEXTS];
    float like[TEXTS], vector[64], seen[64];
    assert_int_equal(vl_seer_session_look(session, image, NULL), VL_OK);
    assert_int_equal(seer_session_reserve(session, 2, NULL), VL_OK);
    vl_seer_picture_embedding(session, seen);
    for (size_t i = 0; i < TEXTS; i++)
        assert_int_equal(
            vl_bpe_encode(s->bpe, texts[i], strlen(texts[i]), ids[i], MAX, &count[i], NULL),
            VL_OK);
    size_t both = count[0] < count[1] ? count[0] : count[1], at = 0;
    int32_t prompt[] = {vl_bpe_special(s->bpe, "<caption>"), vl_bpe_special(s->bpe, "<en>")};
    for (size_t i = 0; i < 2; i++)
        seer_decode(session, (int32_t[]){prompt[i], prompt[i]}, 2, at++, true);
    for (size_t i = 0; i < both; i++)
        seer_decode(session, (int32_t[]){ids[0][i], ids[1][i]}, 2, at++, true);
    seer_decode_likeness(session, 2, at, like);
    for (size_t i = 0; i < TEXTS; i++) {
        vl_buf text;
        vl_buf_init(&text, 1024);
        assert_int_equal(vl_bpe_decode(s->bpe, ids[i], both, &text, NULL), VL_OK);
        assert_int_equal(vl_seer_text_embedding(session, text.data, "en", vector, NULL), VL_OK);
        assert_true(fabs((double)vl_kernels_get()->dot(vector, seen, 64) - (double)like[i]) <
                    1e-5);
        vl_buf_deinit(&text);
    }
    assert_true(fabsf(like[0] - like[1]) > 1e-6f);
    vl_image_free(image);
    vl_seer_session_free(session);
    vl_seer_free(seer);
}

static void test_texts(void **state) {
    small *s = *state;
    vl_seer *seer = write_and_open(s, VL_Q8_0);
    vl_seer_session *session = vl_seer_session_new(seer);
    vl_arena *arena = vl_arena_new(1 << 20);
    vl_image *image = picture(3);
    vl_seer_writing how = vl_seer_writing_default();
    vl_seer_text first, second;
    vl_error error;
    double probability;
    assert_int_equal(vl_seer_caption(session, "en", &how, arena, &first, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "no picture"));
    assert_int_equal(vl_seer_judge(session, "x", &probability, &error), VL_ERR_USAGE);
    vl_seer_session_look(session, image, NULL);
    for (how.beams = 0; how.beams <= 4; how.beams++) {
        assert_int_equal(vl_seer_caption(session, "en", &how, arena, &first, &error), VL_OK);
        assert_int_equal(vl_seer_caption(session, "en", &how, arena, &second, &error), VL_OK);
        assert_string_equal(first.text, second.text);
        assert_true(first.confidence >= 0 && first.confidence <= 1);
        assert_true(first.tokens <= how.max_tokens);
        assert_int_equal(strlen(first.text),
                         vl_utf8_valid_prefix(first.text, strlen(first.text)));
    }
    assert_int_equal(vl_seer_caption(session, "sw", &how, arena, &first, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "en"));
    how.beams = 2;
    assert_int_equal(vl_seer_ask(session, "what is it?", &how, arena, &first, &error), VL_OK);
    assert_int_equal(vl_seer_ask(session, "", &how, arena, &first, &error), VL_ERR_USAGE);
    char *many = calloc(1, 4001);
    memset(many, 'q', 4000);
    assert_int_equal(vl_seer_ask(session, many, &how, arena, &first, &error), VL_ERR_LIMIT);
    free(many);
    assert_int_equal(vl_seer_judge(session, "It burns.", &probability, &error), VL_OK);
    assert_true(probability > 0 && probability < 1);
    vl_image_free(image);
    vl_arena_free(arena);
    vl_seer_session_free(session);
    vl_seer_free(seer);
}

static void test_labels_without_data_are_never_said(void **state) {
    small *s = *state;
    vl_seer *seer = write_and_open(s, VL_F32);
    vl_seer_session *session = vl_seer_session_new(seer);
    vl_seer_guess guesses[8];
    vl_image *image = picture(4);
    assert_int_equal(vl_seer_labels(session, "scene", guesses, 8), 0);
    vl_seer_session_look(session, image, NULL);
    assert_int_equal(vl_seer_labels(session, "scene", guesses, 8), 2);
    assert_true(guesses[0].probability >= guesses[1].probability);
    assert_true(fabs(guesses[0].probability + guesses[1].probability - 1) < 1e-6);
    for (size_t i = 0; i < 2; i++)
        assert_string_not_equal(guesses[i].label, "drought");
    assert_int_equal(vl_seer_labels(session, "weather", guesses, 8), 0);
    vl_image_free(image);
    vl_seer_session_free(session);
    vl_seer_free(seer);
}

static void test_unpacking_gives_what_was_written(void **state) {
    small *s = *state;
    vl_seer *seer = write_and_open(s, VL_F32);
    vl_seer_net *net;
    vl_params *params;
    assert_int_equal(vl_seer_unpack(seer, &net, &params, NULL), VL_OK);
    assert_int_equal(vl_params_total(params), vl_params_total(s->params));
    assert_memory_equal(vl_params_values(params), vl_params_values(s->params),
                        vl_params_total(params) * sizeof(float));
    vl_seer_net_free(net);
    vl_params_free(params);
    vl_seer_free(seer);
}

static void test_other_files_are_refused(void **state) {
    small *s = *state;
    vl_seer *seer;
    vl_error error;
    assert_int_equal(vl_seer_open("/nowhere/seer.gguf", &seer, &error), VL_ERR_MISSING);
    const struct {
        const char *architecture;
        uint32_t format;
        vl_status status;
        const char *says;
    } cases[] = {{"llama", 1, VL_ERR_UNSUPPORTED, "architecture 'llama'"},
                 {"vislang-seer", 2, VL_ERR_UNSUPPORTED, "format 2"},
                 {"vislang-seer", 1, VL_ERR_INPUT, "seer.picture"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_gguf_writer *writer = vl_gguf_writer_new();
        vl_gguf_set_string(writer, "general.architecture", cases[i].architecture);
        vl_gguf_set_u32(writer, "seer.format", cases[i].format);
        assert_int_equal(vl_gguf_write(writer, s->path, &error), VL_OK);
        vl_gguf_writer_free(writer);
        assert_int_equal(vl_seer_open(s->path, &seer, &error), cases[i].status);
        assert_null(seer);
        if (!strstr(error.message, cases[i].says))
            fail_msg("'%s' does not say '%s'", error.message, cases[i].says);
    }
}

static void test_configurations_that_cannot_be(void **state) {
    (void)state;
    vl_error error;
    vl_seer_config good = small_config(), c;
    assert_int_equal(vl_seer_config_check(&good, &error), VL_OK);
    c = good, c.widths[1] = 33;
    assert_int_equal(vl_seer_config_check(&c, &error), VL_ERR_INPUT);
    c = good, c.picture = 65;
    assert_int_equal(vl_seer_config_check(&c, &error), VL_ERR_INPUT);
    c = good, c.heads = 5;
    assert_int_equal(vl_seer_config_check(&c, &error), VL_ERR_INPUT);
    c = good, c.kernel = 4;
    assert_int_equal(vl_seer_config_check(&c, &error), VL_ERR_INPUT);
    c = good, c.layers = 1000;
    assert_int_equal(vl_seer_config_check(&c, &error), VL_ERR_INPUT);
    c = good, c.label_heads[0].labels = 1;
    assert_int_equal(vl_seer_config_check(&c, &error), VL_ERR_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_decoding_agrees_with_layers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beams_do_not_mix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beams_grow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text_vector_agrees_with_layers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_likeness_of_a_text_being_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_labels_without_data_are_never_said, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_unpacking_gives_what_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_files_are_refused, setup, teardown),
        cmocka_unit_test(test_configurations_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
