/* Numbers, dates and countries that captions name, in several languages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataset/caption_facts.h"

#include <stdio.h>
#include <string.h>

static phrases *served;

static int set_up(void **state) {
    vl_error error = {0};
    (void)state;
    if (phrases_open(NULL, &served, &error))
        print_message("%s\n", error.message);
    return served ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    phrases_free(served);
    return 0;
}

/* What was found, with '|' between. */
static const char *list(const char *text, const span *found, size_t count) {
    static char out[256];
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%.*s", i ? "|" : "",
                                 (int)(found[i].end - found[i].start), text + found[i].start);
    return out;
}

static void numbers(void **state) {
    static const char *const rows[][2] = {
        {"12,500 people and 34% of 7 camps.", "12,500|34%|7"},
        {"COVID-19 in 3rd week of 2022-2023", ""},
        {"نزح ١٢٬٥٠٠ شخص", "١٢٬٥٠٠"},
        {"५०० परिवार", "५००"},
        {"Figure 3.1a, 5–10 people, 12/05", ""},
        {"costs 1.5 million.", "1.5"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        span found[8];
        size_t count = caption_numbers(rows[i][0], found, 8);
        assert_string_equal(list(rows[i][0], found, count), rows[i][1]);
    }
}

static void dates(void **state) {
    static const char *const rows[][3] = {
        {"eng", "Families in Kakuma, 14 March 2026.", "14 March 2026"},
        {"eng", "On May 3, 2024 the river rose.", "May 3, 2024"},
        {"eng", "The rains may come 3 days late.", ""},
        {"eng", "Needs in March 2023 and in 2024", "March 2023|2024"},
        {"eng", "As of 2026-03-14", "2026-03-14"},
        {"eng", "In 2022-2023, 1,999 people and 2000.5 tons", ""},
        {"eng", "Data of 14 Sep 2023", "14 Sep 2023"},
        {"fra", "Inondations du 3 août 2024 au Tchad", "3 août 2024"},
        {"spa", "Foto del 9 de mayo de 2026", "9 de mayo de 2026"},
        {"swa", "Picha ya tarehe 14 Machi 2026", "14 Machi 2026"},
        {"ara", "صورة في ١٤ مارس ٢٠٢٦", "١٤ مارس ٢٠٢٦"},
        {"amh", "መስከረም 12 2018 የተነሳ", "መስከረም 12 2018"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        span found[8];
        const phrase_language *l = phrases_find(served, rows[i][0]);
        assert_non_null(l);
        size_t count = caption_dates(l, rows[i][1], found, 8);
        assert_string_equal(list(rows[i][1], found, count), rows[i][2]);
    }
}

static void countries(void **state) {
    static const char *const rows[][3] = {
        {"eng", "A school in Kenya.", "Kenya"},
        {"eng", "Kenya: a school in northern Kenya", "Kenya"},
        {"eng", "Refugees from South Sudan wait.", "South Sudan"},
        {"eng", "From Sudan to South Sudan", ""},
        {"eng", "Along the Niger River", ""},
        {"eng", "In the Gulf of Mexico", ""},
        {"eng", "New Mexico is dry", ""},
        {"eng", "Michael Jordan speaks", ""},
        {"eng", "Kenyan and Ugandan farmers", ""},
        {"eng", "Farmers of Uganda meet Kenyans", ""},
        {"fra", "Une école au Kenya, près du fleuve", "Kenya"},
        {"swa", "Shule nchini Tanzania.", "Tanzania"},
        {"ara", "مدرسة في كينيا", "كينيا"},
        {"ara", "لاجئون من كينيا والصومال", ""},
        {"eng", "A school.", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        span found;
        bool any = caption_country(phrases_find(served, rows[i][0]), rows[i][1], &found);
        const char *got = list(rows[i][1], &found, any);
        if (strcmp(got, rows[i][2]) != 0)
            fail_msg("'%s': '%s'", rows[i][1], got);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(dates),
        cmocka_unit_test(countries),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
