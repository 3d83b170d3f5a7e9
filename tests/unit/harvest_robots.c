/* robots.txt: the examples of RFC 9309, tables of rules, and files that are not well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harvest/robots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vl_robots *parse(const char *text, const char *agent) {
    vl_robots *robots;
    assert_int_equal(vl_robots_parse(text, strlen(text), agent, &robots, NULL), VL_OK);
    return robots;
}

typedef struct row {
    const char *text, *agent, *target;
    bool allowed;
} row;

static void check(const row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        vl_robots *robots = parse(rows[i].text, rows[i].agent);
        if (vl_robots_allow(robots, rows[i].target) != rows[i].allowed)
            fail_msg("row %zu: %s for %s", i, rows[i].target, rows[i].agent);
        vl_robots_free(robots);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

/* Section 5.1; section 2.2.1 for groups of one name and for none. */
static void test_groups(void **state) {
    static const char simple[] =
        "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\n"
        "User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\nAllow:/example/allowed.gif\n"
        "\n"
        "User-Agent: barbot\nUser-Agent: bazbot\nDisallow: /example/page.html\n\n"
        "User-Agent: quxbot\n\nEOF\n";
    static const char twice[] = "user-agent: ExampleBot\ndisallow: /foo\ndisallow: /bar\n\n"
                                "user-agent: other\ndisallow: /other\n\n"
                                "user-agent: ExampleBot\ndisallow: /baz\n";
    static const row rows[] = {
        {simple, "anybot", "/a/b.gif", false},
        {simple, "anybot", "/a/b.gift", true},
        {simple, "anybot", "/example/page.html", false},
        {simple, "anybot", "/publications/", true},
        {simple, "anybot", "/publications/a.gif", true}, /* 14 octets against 6 */
        {simple, "foobot", "/", false},
        {simple, "foobot", "/publications/", false},
        {simple, "foobot", "/example/page.html", true},
        {simple, "foobot", "/example/allowed.gif", true},
        {simple, "FooBot", "/example/denied.gif", false},
        {simple, "barbot", "/example/page.html", false},
        {simple, "bazbot", "/example/page.html", false},
        {simple, "bazbot", "/a.gif", true},
        {simple, "quxbot", "/example/page.html", true}, /* a group without rules */
        {twice, "ExampleBot", "/foo", false},
        {twice, "examplebot", "/bar/x", false},
        {twice, "ExampleBot", "/baz", false},
        {twice, "ExampleBot", "/other", true},
        {twice, "none", "/foo", true},
        {"disallow: /\nuser-agent: a\n", "a", "/x", true}, /* in no group */
        {"user-agent: ab\ndisallow: /\n", "a", "/x", true},
        {"user-agent: a/1.0 (x)\ndisallow: /\n", "a", "/x", false},
        {"user-agent: a\nsitemap: http://x/\ncrawl-delay: 3\nuser-agent: b\ndisallow: /\n", "a",
         "/x", false}, /* other records end no group, section 2.2.4 */
        {"user-agent: a\n\n# a note\n\nuser-agent: b\n\ndisallow: /\n", "a", "/x", false},
        {"user-agent: a\ndisallow:\nuser-agent: b\ndisallow: /\n", "a", "/x", true},
        {"", "a", "/x", true},
    };
    (void)state;
    CHECK(rows);
}

/* Section 2.2.2 and its tables, 2.2.3, 5.2. */
static void test_rules(void **state) {
#define RULES(text) "user-agent: *\n" text
    static const char longest[] =
        RULES("Allow: /example/page/\nDisallow: /example/page/disallowed.gif\n");
    static const char query[] = RULES("disallow: /foo/bar?baz=http://foo.bar\n");
    static const char coded_query[] = RULES("disallow: /foo/bar?baz=http%3A%2F%2Ffoo.bar\n");
    static const char letter[] = RULES("disallow: /foo/bar/ツ\n");
    static const char coded_letter[] = RULES("disallow: /foo/bar/%E3%83%84\n");
    static const char baz[] = RULES("disallow: /foo/bar/%62%61%7A\n");
    static const row rows[] = {
        {longest, "a", "/example/page/disallowed.gif", false},
        {longest, "a", "/example/page/other.gif", true},
        {query, "a", "/foo/bar?baz=http://foo.bar", false},
        {query, "a", "/foo/bar?baz=http%3A%2F%2Ffoo.bar", false},
        {coded_query, "a", "/foo/bar?baz=http://foo.bar", false},
        {coded_query, "a", "/foo/bar?baz=quz", true},
        {letter, "a", "/foo/bar/ツ", false},
        {letter, "a", "/foo/bar/%e3%83%84", false},
        {coded_letter, "a", "/foo/bar/ツ", false},
        {baz, "a", "/foo/bar/baz", false},
        {RULES("disallow: /foo/bar/baz\n"), "a", "/foo/bar/%62%61%7A", false},
        {RULES("disallow: /path/file-with-a-%2A.html\n"), "a", "/path/file-with-a-*.html",
         false},
        {RULES("disallow: /path/file-with-a-%2A.html\n"), "a", "/path/file-with-a-x.html",
         true},
        {RULES("disallow: /path/foo-%24\n"), "a", "/path/foo-$", false},
        {RULES("disallow: /path/foo-%24\n"), "a", "/path/foo-", true},
        {RULES("disallow: /a%2Fb\n"), "a", "/a/b", true}, /* a reserved octet stays coded */
        {RULES("disallow: /a/b\n"), "a", "/a%2fb", true},
        {RULES("disallow: /Fish\n"), "a", "/fish", true},
        {RULES("disallow: /fish\n"), "a", "/fish.asp", false},
        {RULES("disallow: /fish\n"), "a", "/catfish", true},
        {RULES("disallow: /fish*\n"), "a", "/fishheads/yummy", false},
        {RULES("disallow: /*.php$\n"), "a", "/folder/file.php", false},
        {RULES("disallow: /*.php$\n"), "a", "/file.php?x", true},
        {RULES("disallow: /*.php$\n"), "a", "/a.php.php", false},
        {RULES("disallow: /a*b*c$\n"), "a", "/a-b-b-c-c", false},
        {RULES("disallow: /a*b*c$\n"), "a", "/a-c-c-b", true},
        {RULES("disallow: /a$b\n"), "a", "/a$bc", false},
        {RULES("disallow: /***x\n"), "a", "/yyx", false},
        {RULES("disallow: /*?print=\n"), "a", "/a?print=1", false},
        {RULES("disallow: /*/print\n"), "a", "/a?b=/print", false},
        {RULES("disallow: /x\nallow: /x\n"), "a", "/x", true}, /* as long: allow */
        {RULES("allow: /x\ndisallow: /x\n"), "a", "/x", true},
        {RULES("allow: /p\ndisallow: /\n"), "a", "/page", true},
        {RULES("allow: /folder\ndisallow: /folder\n"), "a", "/folder/page", true},
        {RULES("allow: /page\ndisallow: /*.htm\n"), "a", "/page.htm", false},
        {RULES("allow: /$\ndisallow: /\n"), "a", "/", true},
        {RULES("allow: /$\ndisallow: /\n"), "a", "/page.htm", false},
        {RULES("disallow: /\n"), "a", "/robots.txt", true},
        {RULES("disallow: /\n"), "a", "/robots.txt?x", false},
        {RULES("disallow: fish\n"), "a", "/fish", true}, /* no path begins so */
        {RULES("disallow: /a # b\n"), "a", "/a", false},
        {RULES("disallow: /a#b\n"), "a", "/a", false},
        {RULES("disallow: /%zz\n"), "a", "/%zz", false},
        {RULES("disallow: /x%\n"), "a", "/x%", false},
    };
    (void)state;
    CHECK(rows);
}

static void test_lines(void **state) {
    static const row rows[] = {
        {"\xef\xbb\xbfuser-agent: *\ndisallow: /\n", "a", "/x", false},
        {"user-agent: *\rdisallow: /x\rdisallow: /y", "a", "/y", false},
        {"user-agent: *\r\ndisallow: /x\r\n", "a", "/x", false},
        {" \tUSER-AGENT\t:\t*  # all\n\tDisALLOW :/x\n", "a", "/x", false},
        {"user-agent *\ndisallow /\n", "a", "/x", true}, /* no colon, no record */
        {"user-agents: *\ndisallow: /\n", "a", "/x", true},
        {"user-agent: *\nnoise\n: x\nfoo: bar\ndisallow: /x\n", "a", "/x", false},
        {"user-agent: *\ndisallow: /\x01\x7f\n", "a", "/%01%7F", false},
        {"<!DOCTYPE html><html>user-agent: *</html>", "a", "/", true},
    };
    (void)state;
    CHECK(rows);
}

static void test_size(void **state) {
    enum { BYTES = VL_ROBOTS_BYTES + 4096 };
    static const char head[] = "user-agent: *\ndisallow: /first\n";
    vl_robots *robots;
    (void)state;
    char *text = malloc(BYTES);
    assert_non_null(text);
    memset(text, '#', BYTES);
    memcpy(text, head, strlen(head));
    memcpy(text + VL_ROBOTS_BYTES - 20, "\ndisallow: /secret/of/mine\n", 27);
    memcpy(text + BYTES - 20, "\ndisallow: /last\n", 17);
    assert_int_equal(vl_robots_parse(text, BYTES, "a", &robots, NULL), VL_OK);
    assert_false(vl_robots_allow(robots, "/first"));
    assert_true(vl_robots_allow(robots, "/last"));
    assert_true(vl_robots_allow(robots, "/secrets")); /* not by half of a line */
    vl_robots_free(robots);
    for (size_t i = 0; i + 9 <= VL_ROBOTS_BYTES; i += 9) /* as many rules as there can be */
        memcpy(text + i, "allow: /\n", 9);
    memcpy(text, "user-agent:*#\ndisallow: /a\n", 27);
    assert_int_equal(vl_robots_parse(text, VL_ROBOTS_BYTES, "a", &robots, NULL), VL_OK);
    assert_false(vl_robots_allow(robots, "/a"));
    vl_robots_free(robots);
    free(text);
}

static void test_others(void **state) {
    static const struct {
        const char *text, *agent;
        double delay;
    } rows[] = {
        {"user-agent: *\ncrawl-delay: 10\n", "a", 10},
        {"user-agent: *\ncrawl-delay: 0.5\n", "a", 0.5},
        {"user-agent: *\ncrawl-delay: 5\ncrawl-delay: 2\n", "a", 5},
        {"user-agent: *\ncrawl-delay: 10\nuser-agent: a\ndisallow: /x\n", "a", 0},
        {"user-agent: a\ncrawl-delay: 3\n\nuser-agent: *\ncrawl-delay: 10\n", "A", 3},
        {"crawl-delay: 10\n", "a", 0},
        {"user-agent: *\ncrawl-delay: -3\n", "a", 0},
        {"user-agent: *\ncrawl-delay: inf\n", "a", 0},
        {"user-agent: *\ncrawl-delay: ten\n", "a", 0},
        {"user-agent: *\ncrawl-delay: 1 2\n", "a", 0},
        {"user-agent: *\ncrawl-delay:\n", "a", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_robots *robots = parse(rows[i].text, rows[i].agent);
        if (vl_robots_delay(robots) != rows[i].delay)
            fail_msg("row %zu: %g", i, vl_robots_delay(robots));
        assert_null(vl_robots_sitemap(robots, 0));
        vl_robots_free(robots);
    }
    vl_robots *robots = parse("Sitemap: https://x.org/a.xml\nuser-agent: b\ndisallow: /\n"
                              "SITEMAP:https://x.org/b.xml # more\nsitemap:\n",
                              "a");
    assert_string_equal(vl_robots_sitemap(robots, 0), "https://x.org/a.xml");
    assert_string_equal(vl_robots_sitemap(robots, 1), "https://x.org/b.xml");
    assert_null(vl_robots_sitemap(robots, 2));
    vl_robots_free(robots);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups), cmocka_unit_test(test_rules),
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_size),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
