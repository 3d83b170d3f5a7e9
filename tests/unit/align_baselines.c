/* Tests of documents set side by side by shared words, and by a translation word for word: what
 * they find is known, and every sentence is in one bead, in order, whatever the documents are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align/bleu_path.h"
#include "align/gloss.h"
#include "align/identical.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vl_arena *arena;
static vl_error error;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new(1 << 30);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* Sentences apart by "|". */
static vl_sentences document_of(const char *text) {
    const char **texts = vl_arena_array(arena, strlen(text) + 1, sizeof *texts);
    char *copy = vl_arena_strdup(arena, text), *next = NULL;
    size_t count = 0;
    for (char *one = copy; *copy && one; one = next) {
        next = strchr(one, '|');
        if (next)
            *next++ = '\0';
        texts[count++] = one;
    }
    return (vl_sentences){.texts = texts, .count = count};
}

/* "1-1 2-1 0-1" */
static void spell(const align_step *path, size_t steps, char *out, size_t size) {
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < steps; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%u-%u", i ? " " : "",
                                 path[i].a_count, path[i].b_count);
}

static void check_whole(const align_step *path, size_t steps, size_t a, size_t b) {
    size_t i = 0, j = 0;
    for (size_t k = 0; k < steps; k++) {
        assert_int_equal(path[k].a_from, i);
        assert_int_equal(path[k].b_from, j);
        assert_true(path[k].a_count + path[k].b_count > 0);
        i += path[k].a_count;
        j += path[k].b_count;
    }
    assert_int_equal(i, a);
    assert_int_equal(j, b);
}

static const struct {
    const char *a, *b, *identical, *bleu;
} small[] = {
    {"", "", "", ""},
    {"one", "", "1-0", "1-0"},
    {"", "un|deux", "0-1 0-1", "0-1 0-1"},
    {"in 1990|in 1991|in 1992", "1990 a|1991 b|1992 c", "1-1 1-1 1-1", "1-1 1-1 1-1"},
    {"in 1990 and 2000|then 1992", "1990 a|2000 b|1992 c", "1-2 1-1", "1-2 1-1"},
    {"it is 1990|so 2000 too|then 1992", "1990 a 2000|1992 c", "2-1 1-1",
     "1-1 1-0 1-1"}, /* half of the words are found either way */
    {"1990 is here|that is 1993", "1990 ici|1991 et 1992 et 1994|1993 bien", "1-1 0-1 1-1",
     "1-1 0-1 1-1"},
};

static void test_small(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        vl_sentences a = document_of(small[i].a), b = document_of(small[i].b);
        align_step *path;
        size_t steps;
        char text[128];
        assert_int_equal(align_identical_path(arena, &a, &b, &path, &steps, &error), VL_OK);
        spell(path, steps, text, sizeof text);
        assert_string_equal(text, small[i].identical);
        check_whole(path, steps, a.count, b.count);
        assert_int_equal(align_bleu_path(arena, a.texts, &a, &b, &path, &steps, &error), VL_OK);
        spell(path, steps, text, sizeof text);
        assert_string_equal(text, small[i].bleu);
        check_whole(path, steps, a.count, b.count);
        vl_arena_reset(arena);
    }
}

/* What is odd has no known answer, but all of it is there. */
static void test_odd(void **state) {
    static const char *const documents[] = {
        "||||",
        "same|same|same|same|same|same",
        "…|!!!|?|",
        "a b c d e f g h i j k l m n",
        "\xFF\xFE|\x80 1990",
        "x|y|1990 same",
    };
    enum { COUNT = sizeof documents / sizeof *documents };
    (void)state;
    for (size_t i = 0; i < COUNT * COUNT; i++) {
        vl_sentences a = document_of(documents[i / COUNT]),
                     b = document_of(documents[i % COUNT]);
        align_step *path;
        size_t steps;
        assert_int_equal(align_identical_path(arena, &a, &b, &path, &steps, &error), VL_OK);
        check_whole(path, steps, a.count, b.count);
        assert_int_equal(align_bleu_path(arena, a.texts, &a, &b, &path, &steps, &error), VL_OK);
        check_whole(path, steps, a.count, b.count);
        vl_arena_reset(arena);
    }
}

/* Longer than what is looked at whole: sentence i is i on the other side, but every tenth
 * has nothing in common with any and may join its neighbour. */
static void test_long(void **state) {
    enum { COUNT = 2500 };
    const char *texts[2][COUNT];
    align_step *path;
    (void)state;
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < COUNT; i++)
            texts[side][i] =
                i % 10 ? vl_arena_printf(arena, "%s word %zu%zu", side ? "y" : "x", i, i)
                       : vl_arena_printf(arena, "%s", side ? "yyy" : "xxx");
    vl_sentences a = {.texts = texts[0], .count = COUNT},
                 b = {.texts = texts[1], .count = COUNT};
    for (size_t method = 0; method < 2; method++) {
        size_t steps, right = 0;
        assert_int_equal(method ? align_bleu_path(arena, a.texts, &a, &b, &path, &steps, &error)
                                : align_identical_path(arena, &a, &b, &path, &steps, &error),
                         VL_OK);
        check_whole(path, steps, COUNT, COUNT);
        for (size_t k = 0; k < steps; k++)
            for (size_t n = path[k].a_from; n < (size_t)path[k].a_from + path[k].a_count; n++)
                right += n >= path[k].b_from && n < (size_t)path[k].b_from + path[k].b_count;
        assert_true(right >= COUNT - COUNT / 10);
    }
    vl_arena_reset(arena);
}

static vl_embeddings *embeddings_of(const char *const *words, size_t count, const float *rows) {
    vl_embeddings *embeddings = NULL;
    float *copy = malloc(count * 2 * sizeof *copy);
    memcpy(copy, rows, count * 2 * sizeof *copy);
    assert_int_equal(vl_embeddings_new(words, NULL, copy, count, 2, &embeddings, &error),
                     VL_OK);
    return embeddings;
}

static void test_gloss(void **state) {
    static const char *const src[] = {"water", "fire"}, *const tgt[] = {"moto", "maji"};
    static const float near[] = {1, 0.1F, 0.1F, 1}, far[] = {0, 2, 2, 0};
    static const char *const texts[] = {"Fire, fire and WATER!", "", "…"};
    vl_embeddings *from = embeddings_of(src, 2, near), *to = embeddings_of(tgt, 2, far);
    const char *const *glosses;
    (void)state;
    assert_int_equal(align_gloss(arena, from, to, texts, 3, &glosses, &error), VL_OK);
    assert_string_equal(glosses[0], "moto moto and maji ");
    assert_string_equal(glosses[1], "");
    assert_string_equal(glosses[2], "");
    vl_embeddings_free(from);
    vl_embeddings_free(to);
    vl_arena_reset(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_odd),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_gloss),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
