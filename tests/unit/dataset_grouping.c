/* Which records must be in one split: tables of records, of what their items share, and groups.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dataset/grouping.h"

/* Items are letters, a record a word of them; clusters are words of items ("1" after it: by
 * picture). Groups: for each record the first record of its group. */
typedef struct example {
    const char *records, *clusters, *groups;
} example;

static const example examples[] = {
    {"abcd efgh", "", "01"},
    {"abcd efgh", "ae", "00"},          /* a quarter of each */
    {"abcde fghij", "af", "01"},        /* a fifth */
    {"abcde fghij", "af bg", "00"},     /* two fifths */
    {"abcdefgh i", "ai", "00"},         /* all of the smaller one */
    {"abcde fghij", "af1", "00"},       /* a picture that stays in both */
    {"abcde fghij", "aab", "01"},       /* within one record */
    {"abcd efgh ijkl", "ae fi", "000"}, /* a chain */
    {"abcd efgh ijkl", "ei", "011"},
    {"a b c d e f g h i", "abcdefghi", "012345678"}, /* what everybody has */
    {"a b c d e f g h", "abcdefgh", "00000000"},
    {"abcde fghij klmno", "afk bg", "002"},
};

static size_t record_of(const char *records, char item) {
    size_t number = 0;
    for (; *records && *records != item; records++)
        number += *records == ' ';
    return number;
}

static size_t item_of(const char *records, char item) {
    size_t number = 0;
    for (; *records && *records != item; records++)
        number += *records != ' ';
    return number;
}

static void add_items(grouping *g, const char *records) {
    vl_error error = {0};
    for (const char *at = records; *at; at++) {
        char name[16];
        snprintf(name, sizeof name, "record-%zu", record_of(records, *at));
        if (*at != ' ')
            assert_int_equal(grouping_add(g, name, &error), VL_OK);
    }
}

static void add_clusters(grouping *g, const example *e) {
    vl_error error = {0};
    for (const char *at = e->clusters; *at;) {
        size_t length = strcspn(at, " ");
        bool picture = at[length - 1] == '1';
        for (size_t i = 0; i < length - picture; i++)
            grouping_member(g, item_of(e->records, at[i]), picture);
        at += length;
        at += *at == ' ';
        assert_int_equal(grouping_end_cluster(g, &error), VL_OK);
    }
    assert_int_equal(grouping_finish(g, &error), VL_OK);
}

static void groups(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof examples / sizeof *examples; k++) {
        const example *e = &examples[k];
        grouping *g = NULL;
        vl_error error = {0};
        assert_int_equal(grouping_new(&g, &error), VL_OK);
        add_items(g, e->records);
        add_clusters(g, e);
        uint64_t first[16] = {0};
        size_t record = SIZE_MAX;
        for (const char *at = e->records; *at; at++) {
            if (*at == ' ' || record_of(e->records, *at) == record)
                continue;
            record = record_of(e->records, *at);
            first[record] = grouping_of(g, item_of(e->records, *at));
            assert_true(first[record] == first[e->groups[record] - '0']);
            for (size_t other = 0; other < record; other++)
                assert_int_equal(first[other] == first[record],
                                 e->groups[other] == e->groups[record]);
        }
        grouping_free(g);
    }
}

/* A group is named by its first record, so one that comes behind it changes nothing. */
static void names_stay(void **state) {
    (void)state;
    uint64_t names[2];
    for (size_t k = 0; k < 2; k++) {
        grouping *g = NULL;
        vl_error error = {0};
        assert_int_equal(grouping_new(&g, &error), VL_OK);
        add_items(g, k ? "ab cd ef" : "ab cd");
        add_clusters(g, &(example){k ? "ab cd ef" : "ab cd", k ? "ac be" : "ac", ""});
        names[k] = grouping_of(g, 2);
        grouping_free(g);
    }
    assert_true(names[0] == names[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(groups), cmocka_unit_test(names_stay)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
