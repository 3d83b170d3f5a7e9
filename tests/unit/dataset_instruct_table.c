/* Questions about tables, and about what changed since an older state: every answer is what the
 * table says, and every false statement is false. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataset/instruct.h"
#include "dataset_tables.h"

#include <stdio.h>
#include <string.h>

static phrases *served;
static vl_arena *arena;

static int set_up(void **state) {
    vl_error error = {0};
    (void)state;
    arena = vl_arena_new((size_t)64 << 20);
    if (phrases_open(NULL, &served, &error))
        print_message("%s\n", error.message);
    return arena && served ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    phrases_free(served);
    vl_arena_free(arena);
    return 0;
}

static size_t make(const instruct_subject *subject, const instruct_options *options,
                   example **examples) {
    size_t count;
    vl_error error = {0};
    if (instruct_examples(served, subject, options, arena, examples, &count, &error))
        fail_msg("%s", error.message);
    return count;
}

static bool is_of(const example *e, const char *topic) {
    return !strncmp(e->phrase + 4, topic, strlen(topic));
}

typedef struct expected {
    const char *topic, *in, *answer; /* `in`: stands in the instruction; NULL: anything */
} expected;

typedef struct case_of {
    const char *language, *script, *rows, *older;
    expected expects[6];
    const char *never[3]; /* topics */
} case_of;

static const char plain_rows[] = "Place|2022|2023|Note\nKakuma|1,200|1,350|open\n"
                                 "Dadaab|2,400|2,100|closed\nKalobeyei|900|900|open";

static const case_of cases[] = {
    {"eng",
     "Latn",
     plain_rows,
     NULL,
     {{"question.rows", NULL, "3 rows"},
      {"question.cell", NULL, NULL},
      {"change.years", "“Kakuma”", "1,200 → 1,350"},
      {"change.years", "“Dadaab”", "2,400 → 2,100"},
      {"question.largest", "“2023”", "Dadaab"},
      {"question.smallest", "“2022”", "Kalobeyei"}},
     {"question.total", "change.value"}},
    {"eng",
     "Latn",
     "Place|People\nKakuma|1,200\nDadaab|2,400\nKalobeyei|900",
     NULL,
     {{"question.largest", "“People”", "Dadaab"},
      {"question.smallest", "“People”", "Kalobeyei"},
      {"question.rows", NULL, "3 rows"}},
     {"question.total", "change"}},
    {"fra",
     "Latn",
     "Lieu|Personnes\nKakuma|1\u202F200\nDadaab|2\u202F400\nTotal|3\u202F600",
     NULL,
     {{"question.total", "«\u00A0Personnes\u00A0»", "3\u202F600"},
      {"question.rows", NULL, "3 lignes"}},
     {"question.largest", "question.smallest"}},
    {"ara",
     "Arab",
     "المكان|٢٠٢٢|٢٠٢٣\nكاكوما|١٢٠٠|١٣٥٠\nداداب|٢٤٠٠|٢١٠٠\nكالوبيي|٩٠٠|٨٠٠",
     NULL,
     {{"question.rows", NULL, "٣ صفوف"}, {"change.years", "كاكوما", "١٢٠٠ ← ١٣٥٠"}},
     {"question.total"}},
    {"swa",
     "Latn",
     "Eneo|Watu\nKakuma|1,200\nDadaab|2,400",
     "Eneo|Watu\nKakuma|1,100\nDadaab|2,400",
     {{"change.value", "1,100", "1,200"}},
     {"question.largest"}}, /* of two rows */
    {"eng",                 /* another table, with the same heads */
     "Latn",
     "Place|People\nKakuma|1,200\nDadaab|2,400",
     "Place|People\nBidi Bidi|10\nAdjumani|11",
     {{"question.rows", NULL, "2 rows"}},
     {"change.value"}},
    {"eng", /* the same numbers, written otherwise */
     "Latn",
     "Place|People\nKakuma|1,200\nDadaab|2,400",
     "Place|People\nKakuma|1200\nDadaab|2 400",
     {{"question.rows", NULL, "2 rows"}},
     {"change.value"}},
};

static void check_case(const case_of *t, uint64_t seed, bool seen[6]) {
    small_table table, before;
    vl_parts parts = {.parts = &table.part, .part_count = 1};
    vl_parts older = {.parts = &before.part, .part_count = 1};
    table_fill(&table, t->rows, 1);
    table.part.caption = VL_PART_NONE;
    table.part.text = t->rows;
    if (t->older) {
        table_fill(&before, t->older, 1);
        before.part.caption = VL_PART_NONE;
        before.part.text = t->older;
    }
    instruct_subject subject = {.parts = &parts,
                                .text = t->rows,
                                .language = t->language,
                                .script = t->script,
                                .older = t->older ? &older : NULL,
                                .has_picture = true};
    instruct_options options = instruct_options_default();
    example *examples;
    options.most = 100;
    options.seed = seed;
    vl_arena_reset(arena);
    size_t count = make(&subject, &options, &examples);
    for (size_t i = 0; i < count; i++) {
        for (size_t n = 0; n < 3 && t->never[n]; n++)
            if (is_of(&examples[i], t->never[n]))
                fail_msg("%s: %s", t->language, examples[i].instruction);
        for (size_t e = 0; e < 6 && t->expects[e].topic; e++) {
            const expected *x = &t->expects[e];
            if (!is_of(&examples[i], x->topic) ||
                (x->in && !strstr(examples[i].instruction, x->in)))
                continue;
            if (x->answer)
                assert_string_equal(examples[i].text, x->answer);
            seen[e] = true;
        }
    }
}

static void answers_are_the_tables(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool seen[6] = {false};
        for (uint64_t seed = 0; seed < 20; seed++)
            check_case(&cases[i], seed, seen);
        for (size_t e = 0; e < 6 && cases[i].expects[e].topic; e++)
            if (!seen[e])
                fail_msg("%s: no %s", cases[i].language, cases[i].expects[e].topic);
    }
}

/* Every statement, held against the table by its quoted words. */
static void statements_are_true_or_false(void **state) {
    static const char *const names[] = {"Kakuma", "Dadaab", "Kalobeyei"}, *const heads[] = {
                                                                              "2022", "2023",
                                                                              "Note"};
    static const char *const values[3][3] = {
        {"1,200", "1,350", "open"}, {"2,400", "2,100", "closed"}, {"900", "900", "open"}};
    small_table table;
    size_t of[2] = {0};
    (void)state;
    table_fill(&table, plain_rows, 1);
    table.part.caption = VL_PART_NONE;
    vl_parts parts = {.parts = &table.part, .part_count = 1};
    for (uint64_t seed = 0; seed < 60; seed++) {
        char quoted[64];
        instruct_subject subject = {.parts = &parts,
                                    .text = plain_rows,
                                    .language = "eng",
                                    .script = "Latn",
                                    .has_picture = true};
        instruct_options options = instruct_options_default();
        example *examples;
        options.most = 100;
        options.seed = seed;
        vl_arena_reset(arena);
        size_t count = make(&subject, &options, &examples);
        for (size_t i = 0; i < count; i++) {
            size_t row = 3, column = 3;
            if (!is_of(&examples[i], "question.check"))
                continue;
            for (size_t n = 0; n < 3; n++) {
                snprintf(quoted, sizeof quoted, "“%s”", names[n]);
                row = strstr(examples[i].instruction, quoted) ? n : row;
                snprintf(quoted, sizeof quoted, "“%s”", heads[n]);
                column = strstr(examples[i].instruction, quoted) ? n : column;
            }
            assert_true(row < 3 && column < 3);
            snprintf(quoted, sizeof quoted, "“%s”", values[row][column]);
            bool truth = strstr(examples[i].instruction, quoted) != NULL;
            assert_string_equal(examples[i].text, truth ? "Yes" : "No");
            of[truth]++;
        }
    }
    assert_true(of[0] > 20 && of[1] > 20);
}

/* Over many tables, large and small, of numbers and of words that repeat, half of the
 * statements are true, as many as a dataset asks of each. */
static void answers_balance(void **state) {
    enum { TABLES = 200 };
    static const char *const words[] = {"open", "closed", "–", "open"};
    size_t yes = 0, all = 0;
    (void)state;
    for (unsigned t = 0; t < TABLES; t++) {
        char rows[1024];
        size_t used = (size_t)snprintf(rows, sizeof rows, "Place|People|State");
        for (unsigned r = 0; r < 2 + t % 5; r++)
            used += (size_t)snprintf(rows + used, sizeof rows - used, "\nCamp %u-%u|%u|%s", t,
                                     r, 100 + (r * r + t) % 7 * 10, words[(r + t) % 4]);
        small_table table;
        table_fill(&table, rows, 1);
        table.part.caption = VL_PART_NONE;
        vl_parts parts = {.parts = &table.part, .part_count = 1};
        instruct_subject subject = {.parts = &parts,
                                    .text = rows,
                                    .language = "eng",
                                    .script = "Latn",
                                    .has_picture = true};
        instruct_options options = instruct_options_default();
        example *examples;
        options.most = 6;
        vl_arena_reset(arena);
        size_t count = make(&subject, &options, &examples);
        for (size_t i = 0; i < count; i++) {
            all += is_of(&examples[i], "question.check");
            yes += is_of(&examples[i], "question.check") && !strcmp(examples[i].text, "Yes");
        }
    }
    print_message("%zu of %zu are true\n", yes, all);
    assert_true(all >= TABLES / 2);
    assert_in_range(100 * yes, 45 * all, 55 * all);
}

/* ---- paragraphs ------------------------------------------------------------------------- */

enum { PARAGRAPHS_MAX = 6 };
static size_t fill_paragraphs(vl_part *parts, const char *const *texts) {
    size_t count = 0;
    for (; texts[count]; count++)
        parts[count] =
            (vl_part){.kind = VL_PART_PARAGRAPH, .text = texts[count], .caption = VL_PART_NONE};
    return count;
}

static void paragraphs_change(void **state) {
    static const struct {
        const char *now[PARAGRAPHS_MAX], *before[PARAGRAPHS_MAX];
        size_t subject;
        const char *topic, *in, *answer;
    } rows[] = {
        {{"First part.", "A new well was dug.", "Last part.", NULL},
         {"First part.", "Last part.", NULL},
         1,
         "change.added",
         "“First part.”",
         "A new well was dug."},
        {{"First part.", "Some 1,350 people came in May.", "Last part.", NULL},
         {"First part.", "Some 1,200 people came in May.", "Last part.", NULL},
         1,
         "change.text",
         "“Some 1,200 people came in May.”",
         "Some 1,350 people came in May."},
        {{"First part.", "Last part.", NULL},
         {"First part.", "The road is closed.", "Last part.", NULL},
         0,
         "change.removed",
         "“First part. The road is closed.”",
         "The road is closed."},
        /* nothing certain: another text between, a neighbour twice, the same text */
        {{"First part.", "Water came.", "Last part.", NULL},
         {"First part.", "Quite different: roads, schools.", "Last part.", NULL},
         1,
         NULL,
         NULL,
         NULL},
        {{"First part.", "A new well.", "Last part.", NULL},
         {"First part.", "Last part.", "First part.", NULL},
         1,
         NULL,
         NULL,
         NULL},
        {{"First part.", "A well.", "Last part.", NULL},
         {"First part.", "A well.", "Last part.", NULL},
         1,
         NULL,
         NULL,
         NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_part now[PARAGRAPHS_MAX], before[PARAGRAPHS_MAX];
        vl_parts parts = {.parts = now, .part_count = fill_paragraphs(now, rows[i].now)};
        vl_parts older = {.parts = before,
                          .part_count = fill_paragraphs(before, rows[i].before)};
        instruct_subject subject = {.parts = &parts,
                                    .part = rows[i].subject,
                                    .text = now[rows[i].subject].text,
                                    .language = "eng",
                                    .script = "Latn",
                                    .older = &older,
                                    .has_picture = true};
        instruct_options options = instruct_options_default();
        example *examples;
        options.kinds = 1u << VL_ITEM_CHANGE;
        size_t count = make(&subject, &options, &examples);
        assert_int_equal(count, rows[i].topic ? 1 : 0);
        if (!count)
            continue;
        assert_true(is_of(examples, rows[i].topic));
        assert_string_equal(examples->text, rows[i].answer);
        assert_non_null(strstr(examples->instruction, rows[i].in));
    }
}

/* A passage of several paragraphs, as text alone: what changed is found in the text below. */
static void passages_of_several(void **state) {
    static const char *const now_texts[] = {"First part of it.", "A new well was dug.",
                                            "Last part of it.", NULL};
    static const char *const old_texts[] = {"First part of it.", "Last part of it.", NULL};
    static const char passage[] = "First part of it.\nA new well was dug.\nLast part of it.";
    vl_part now[PARAGRAPHS_MAX], before[PARAGRAPHS_MAX];
    vl_parts parts = {.parts = now, .part_count = fill_paragraphs(now, now_texts)};
    vl_parts older = {.parts = before, .part_count = fill_paragraphs(before, old_texts)};
    instruct_subject subject = {.parts = &parts,
                                .end = 3,
                                .text = passage,
                                .language = "eng",
                                .script = "Latn",
                                .older = &older};
    instruct_options options = instruct_options_default();
    example *examples;
    (void)state;
    options.kinds = 1u << VL_ITEM_CHANGE;
    assert_int_equal(make(&subject, &options, &examples), 1);
    assert_true(is_of(examples, "change.added"));
    assert_string_equal(examples->text, "A new well was dug.");
    assert_non_null(strstr(examples->instruction, passage));
}

/* Gaps of a long passage are those of its lines and sentences. */
static void gaps_in_passages(void **state) {
    vl_part part = {.kind = VL_PART_PARAGRAPH, .caption = VL_PART_NONE};
    vl_parts parts = {.parts = &part, .part_count = 1};
    char text[2048];
    size_t used = 0;
    for (int i = 0; i < 12; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%sSome %d people of the village came to the well today.",
                                 i ? " " : "", 100 + i);
    part.text = text;
    instruct_subject subject = {.parts = &parts,
                                .text = text,
                                .language = "eng",
                                .script = "Latn",
                                .has_picture = true};
    instruct_options options = instruct_options_default();
    example *examples;
    (void)state;
    options.kinds = 1u << VL_ITEM_QUESTION;
    size_t count = make(&subject, &options, &examples);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(strstr(examples[i].instruction,
                               "“Some ____ people of the village came to the well today.”"));
        assert_int_equal(strlen(examples[i].text), 3);
    }
}

/* ---- labels, and other languages -------------------------------------------------------- */

static void crises_are_named(void **state) {
    static const char *const rows[][3] = {{"flood", "eng", "Flood"},
                                          {"Flash Flood", "fra", "Crue soudaine"},
                                          {"EP-2024-000123-COD", "swa", "Mlipuko wa ugonjwa"},
                                          {"DR", "ara", "جفاف"},
                                          {"Technological Disaster", "eng", NULL},
                                          {"", "eng", NULL}};
    vl_part part = {.kind = VL_PART_PHOTOGRAPH, .text = "", .caption = VL_PART_NONE};
    vl_parts parts = {.parts = &part, .part_count = 1};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        instruct_subject subject = {.parts = &parts,
                                    .text = "x",
                                    .language = rows[i][1],
                                    .script = "Latn",
                                    .crisis = rows[i][0],
                                    .has_picture = true};
        instruct_options options = instruct_options_default();
        example *examples;
        options.kinds = 1u << VL_ITEM_CRISIS;
        size_t count = make(&subject, &options, &examples);
        assert_int_equal(count, rows[i][2] ? 1 : 0);
        if (!count)
            continue;
        assert_string_equal(examples->text, rows[i][2]);
        assert_string_equal(examples->origin, "label");
        assert_int_equal(examples->kind, VL_ITEM_CRISIS);
    }
}

/* A language without phrases is asked about in target languages; without a picture the text
 * stands below; what runs the other way is isolated. */
static void other_languages_ask(void **state) {
    static const char wolof[] = "Nit ñi ngi xaar ndox ci dëkk bi ndax taw bi yàgg na.";
    static const char *const targets[] = {"ara"};
    vl_part part = {
        .kind = VL_PART_PARAGRAPH, .text = wolof, .caption = VL_PART_NONE, .certainty = 1};
    vl_parts parts = {.parts = &part, .part_count = 1};
    instruct_subject subject = {
        .parts = &parts, .text = wolof, .language = "wol", .script = "Latn"};
    instruct_options options = instruct_options_default();
    example *examples;
    (void)state;
    options.target_languages = targets;
    options.target_count = 1;
    size_t count = make(&subject, &options, &examples);
    assert_int_equal(count, 2); /* language and script */
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(examples[i].instruction_language, "ara");
        assert_string_equal(examples[i].language, "ara");
        assert_string_equal(examples[i].text,
                            is_of(&examples[i], "language.script") ? "اللاتينية" : "الولوفية");
        const char *below = strstr(examples[i].instruction, "\n\n");
        assert_non_null(below);
        assert_string_equal(below + 2, wolof);
    }
    small_table table;
    bool isolated = false;
    table_fill(&table, plain_rows, 1);
    table.part.caption = VL_PART_NONE;
    parts.parts = &table.part;
    subject = (instruct_subject){.parts = &parts,
                                 .text = plain_rows,
                                 .language = "wol",
                                 .script = "Latn",
                                 .has_picture = true};
    count = make(&subject, &options, &examples);
    for (size_t i = 0; i < count; i++)
        isolated |= strstr(examples[i].instruction, "\u2068Kakuma\u2069") ||
                    strstr(examples[i].instruction, "\u2068Dadaab\u2069") ||
                    strstr(examples[i].instruction, "\u2068Kalobeyei\u2069");
    assert_true(isolated);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_the_tables),
        cmocka_unit_test(statements_are_true_or_false),
        cmocka_unit_test(answers_balance),
        cmocka_unit_test(paragraphs_change),
        cmocka_unit_test(passages_of_several),
        cmocka_unit_test(gaps_in_passages),
        cmocka_unit_test(crises_are_named),
        cmocka_unit_test(other_languages_ask),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
