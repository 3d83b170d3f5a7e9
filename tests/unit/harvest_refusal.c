/* What answers say besides their bodies: tables of headers and pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harvest/refusal.h"

#include <string.h>

static void make_reply(vl_fetch_reply *reply, const char *headers, unsigned status) {
    vl_fetch_reply_init(reply);
    vl_buf_puts(&reply->headers, headers);
    reply->status = status;
}

static void test_retry_after(void **state) {
    enum { NOW = 1445412480 }; /* Wed, 21 Oct 2015 07:28:00 GMT */
    static const struct {
        const char *headers;
        double seconds;
    } rows[] = {
        {"Retry-After: 120\n", 120},
        {"retry-after: 0\n", 0},
        {"Retry-After: Wed, 21 Oct 2015 07:30:00 GMT\n", 120},
        {"Retry-After: Wednesday, 21-Oct-15 07:30:00 GMT\n", 120}, /* RFC 9110, section 5.6.7 */
        {"Retry-After: Wed Oct 21 07:30:00 2015\n", 120},
        {"Retry-After: Wed, 21 Oct 2015 07:20:00 GMT\n", 0},
        {"Date: Tue, 20 Oct 2015 07:28:00 GMT\nRetry-After: Tue, 20 Oct 2015 07:28:05 GMT\n",
         5}, /* by the host's own clock */
        {"Retry-After: -5\n", -1},
        {"Retry-After: soon\n", -1},
        {"Retry-After:\n", -1},
        {"Retry-Afterwards: 5\n", -1},
        {"Retry-After: 999999999999999999999\n", 1e21},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_fetch_reply reply;
        make_reply(&reply, rows[i].headers, 503);
        double seconds = vl_retry_after(&reply, NOW);
        if (seconds != rows[i].seconds && !(seconds > 1e20 && rows[i].seconds > 1e20))
            fail_msg("%s: %g", rows[i].headers, seconds);
        vl_fetch_reply_deinit(&reply);
    }
}

static void test_tags(void **state) {
    static const struct {
        const char *headers;
        bool api;
        const char *tag;
    } rows[] = {
        {"X-Robots-Tag: noai\n", false, "noai"},
        {"x-robots-tag:NOINDEX\n", false, "noindex"},
        {"X-Robots-Tag: nofollow, noimageai\n", false, "noimageai"},
        {"X-Robots-Tag: nofollow , noimageindex\n", false, "noimageindex"},
        {"X-Robots-Tag: none\n", false, "none"},
        {"X-Robots-Tag: nofollow\nX-Robots-Tag: noai\n", false, "noai"},
        {"X-Robots-Tag: all, nofollow, noarchive\n", false, NULL},
        {"X-Robots-Tag: googlebot: noindex, noai\n", false, NULL},
        {"X-Robots-Tag: googlebot: noindex, vislang: noai\n", false, "noai"},
        {"X-Robots-Tag: VisLang: noindex\n", false, "noindex"},
        {"X-Robots-Tag: *: noindex\n", false, "noindex"},
        {"X-Robots-Tag: unavailable_after: 25 Jun 2010 15:00:00 PST, noai\n", false, "noai"},
        {"X-Robots-Tag: max-snippet: 5, noindex\n", false, "noindex"},
        {"X-Robots-Tag: noindexing, xnoai\n", false, NULL},
        {"X-Robots-Tag:\n", false, NULL},
        {"X-Robots-Tag: ,,:,\n", false, NULL},
        {"X-Other: noai\n", false, NULL},
        {"X-Robots-Tag: noindex\n", true, NULL},
        {"X-Robots-Tag: noindex, noai\n", true, "noai"},
        {"", false, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_fetch_reply reply;
        make_reply(&reply, rows[i].headers, 200);
        const char *tag = vl_robots_tag(&reply, "vislang", rows[i].api);
        if (!tag != !rows[i].tag || (tag && strcmp(tag, rows[i].tag)))
            fail_msg("row %zu: %s", i, tag ? tag : "none");
        vl_fetch_reply_deinit(&reply);
    }
}

static void test_challenges(void **state) {
#define PAGE "<html><head><title>Wait</title></head><script>prove()</script></html>"
    static const struct {
        const char *headers;
        unsigned status;
        bool api;
        const char *body;
        bool is_one;
    } rows[] = {
        {"Content-Type: text/html\n", 404, true, PAGE, true}, /* sources.md: the UNHCR portal */
        {"Content-Type: text/html; charset=utf-8\n", 403, true, "x<SCRIPT>", true},
        {"Content-Type: application/json\n", 404, true, PAGE, true},
        {"Content-Type: text/html\n", 404, true, "<html>Not Found</html>", false},
        {"Content-Type: application/json\n", 404, true, "{\"a\":\"<script>\"}", false},
        {"Content-Type: text/html\n", 503, true, PAGE, false},  /* another try may help */
        {"Content-Type: text/html\n", 404, false, PAGE, false}, /* a site's own page */
        {"cf-mitigated: challenge\n", 403, false, PAGE, true},
        {"X-Amzn-Waf-Action: captcha\n", 405, false, "", true},
        {"x-amzn-waf-action: challenge\n", 202, false, "", true},
        {"cf-mitigated: no\n", 403, false, "", false},
        {"", 404, true, "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_fetch_reply reply;
        make_reply(&reply, rows[i].headers, rows[i].status);
        if (vl_is_challenge(&reply, rows[i].api, rows[i].body, strlen(rows[i].body)) !=
            rows[i].is_one)
            fail_msg("row %zu", i);
        vl_fetch_reply_deinit(&reply);
    }
}

static void test_words(void **state) {
    static const struct {
        const char *body, *words;
        bool is_page;
    } rows[] = {
        {"  Missing  appname\nparameter ", "Missing appname parameter", false},
        {"\xef\xbb\xbf\r\n<!DOCTYPE HTML><html><title>Not\n <b>here</b></title>x", "Not here",
         true},
        {"<HTML lang=en><h1>Bad</h1><p>gateway", "Bad gateway", true},
        {"<html><title>cut", "cut", true},
        {"{\"a\":\"<b>\"}", "{\"a\":\"<b>\"}", false},
        {"<htm", "<htm", false},
        {"", "", false},
        {"caf\xc3", "caf", false},
        {"a\x01\x02z", "a z", false},
    };
    char words[VL_WORDS_SIZE], many[1000];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_first_words(rows[i].body, strlen(rows[i].body), words);
        assert_string_equal(words, rows[i].words);
        assert_int_equal(vl_opens_as_page(rows[i].body, strlen(rows[i].body)), rows[i].is_page);
    }
    memset(many, 'x', sizeof many);
    vl_first_words(many, sizeof many, words);
    assert_in_range(strlen(words), VL_WORDS_SIZE / 2, VL_WORDS_SIZE - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_challenges),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
