/* Tests of the pictures that a page of HTML is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harvest/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE "https://example.org/news/1.html"
#define TEXT "<p>Some words of an article that is about something, and a few more of them.</p>"

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new(256 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* "url (address, address)" of each, by " | ", without the host. */
static const char *pictures(const char *html) {
    vl_html_picture *list;
    size_t count;
    vl_buf out;
    vl_error error;
    assert_int_equal(
        vl_html_pictures(html, strlen(html), PAGE, "vislang", arena, &list, &count, &error),
        VL_OK);
    vl_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        bool here = !strncmp(list[i].url, "https://example.org", 19);
        vl_buf_printf(&out, "%s%s (", i ? " | " : "", list[i].url + (here ? 19 : 0));
        for (size_t a = 0; a < list[i].address_count; a++)
            vl_buf_printf(&out, "%s%s", a ? ", " : "", list[i].addresses[a]);
        vl_buf_puts(&out, ")");
    }
    const char *all = vl_arena_strdup(arena, out.data ? out.data : "");
    vl_buf_deinit(&out);
    return all;
}

typedef struct row {
    const char *html, *expected;
} row;

static void check(const row *rows, size_t count) {
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const char *got = pictures(rows[i].html);
        if (strcmp(got, rows[i].expected)) {
            print_error("%s\n  expected %s\n  found    %s\n", rows[i].html, rows[i].expected,
                        got);
            wrong++;
        }
        vl_arena_reset(arena);
    }
    assert_int_equal(wrong, 0);
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void test_sizes(void **state) {
    static const row rows[] = {
        {"", ""},
        {TEXT "<img src='a.jpg'>", "/news/a.jpg (a.jpg)"},
        {TEXT "<img src=' /a b.png#top '>", "/a%20b.png (/a b.png#top)"},
        {"<base href='/files/'>" TEXT "<img src=a.jpg>", "/files/a.jpg (a.jpg)"},
        {TEXT "<img src=s.jpg srcset='m.jpg 800w, l.jpg 1600w, xl.jpg 4000w'>",
         "/news/l.jpg (s.jpg, m.jpg, l.jpg, xl.jpg)"},
        {TEXT "<img src=s.jpg srcset='s.jpg, l.jpg 2x'>", "/news/l.jpg (s.jpg, l.jpg)"},
        {TEXT "<img srcset='xl.jpg 4000w,xxl.jpg 8000w'>", "/news/xl.jpg (xl.jpg, xxl.jpg)"},
        {TEXT "<img src='data:image/gif;base64,AA' data-src=late.jpg>",
         "/news/late.jpg (late.jpg)"},
        {TEXT "<img src=grey.png data-src=late.jpg>", "/news/late.jpg (late.jpg, grey.png)"},
        {TEXT "<picture><source type='image/avif' srcset='a.avif 900w'>"
              "<source type='image/webp' srcset='a.webp 900w'><img src=a.jpg></picture>",
         "/news/a.webp (a.jpg, a.webp)"},
        {TEXT "<a href='/full/a.jpg'><img src=thumb.jpg width=300></a>",
         "/full/a.jpg (thumb.jpg, /full/a.jpg)"},
        {TEXT "<a href='/more.html'><img src=thumb.jpg></a>", "/news/thumb.jpg (thumb.jpg)"},
        {TEXT "<img src=a.jpg><img src='./a.jpg'><img src=b.jpg>",
         "/news/a.jpg (a.jpg) | /news/b.jpg (b.jpg)"},
        {TEXT "<img src='//cdn.example.net/a.jpg?w=9&amp;h=8'>",
         "https://cdn.example.net/a.jpg?w=9&h=8 (//cdn.example.net/a.jpg?w=9&h=8)"},
        {TEXT "<img src='ftp://example.org/a.jpg'><img src='javascript:x'><img>", ""},
        {TEXT "<figure><img src=map.png><figcaption>Map 1</figcaption></figure>",
         "/news/map.png (map.png)"},
    };
    (void)state;
    CHECK(rows);
}

static void test_left_out(void **state) {
    static const row rows[] = {
        {TEXT "<img src=a.svg><img src=b.GIF?x=1><img src=c.ico>", ""},
        {TEXT "<img src=a.jpg width=20 height=20><img src=b.jpg height=47>", ""},
        {TEXT "<img src=a.jpg width=100%><img src=b.jpg width=48>",
         "/news/a.jpg (a.jpg) | /news/b.jpg (b.jpg)"},
        {TEXT "<img src=a.jpg role=presentation><img src=b.jpg class='site-logo'>"
              "<img src=/i/logo.png><img src=t/pixel.png><img src=c.jpg style='display:none'>",
         ""},
        {"<nav><img src=a.jpg></nav><footer><img src=b.jpg></footer><aside><img src=c.jpg>"
         "</aside><header><img src=d.jpg></header>" TEXT "<img src=e.jpg>",
         "/news/e.jpg (e.jpg)"},
        {"<article><header><img src=d.jpg></header>" TEXT "</article>", "/news/d.jpg (d.jpg)"},
        {"<div class='main-menu'><img src=a.jpg></div><div id=cookie-notice>x<img src=b.jpg>"
         "</div><div role=banner><img src=c.jpg></div>" TEXT "<img src=d.jpg>",
         "/news/d.jpg (d.jpg)"},
        {"<div class='social page'>" TEXT "<img src=a.jpg></div>", "/news/a.jpg (a.jpg)"},
        {"<img src=a.jpg><main>" TEXT "<img src=b.jpg></main><div><img src=c.jpg></div>",
         "/news/b.jpg (b.jpg)"},
        {"<article>short<img src=a.jpg></article>" TEXT TEXT "<img src=b.jpg>",
         "/news/a.jpg (a.jpg) | /news/b.jpg (b.jpg)"},
        {"<noscript><img src=a.jpg></noscript><template><img src=b.jpg></template>" TEXT, ""},
        {"<meta name=robots content='index, noimageindex'>" TEXT "<img src=a.jpg>", ""},
        {"<meta name=Robots content='noimageai'>" TEXT "<img src=a.jpg>", ""},
        {"<meta name=googlebot content='noimageindex'>" TEXT "<img src=a.jpg>",
         "/news/a.jpg (a.jpg)"},
    };
    (void)state;
    CHECK(rows);
}

/* Elements as deep and as many as four megabytes hold: in time, and without a call a level. */
static void test_deep_and_many(void **state) {
    static const char *const pieces[] = {"<div class=menu>x", "<img src=a.jpg>",
                                         "<img srcset='a 1w,b 2w,c 3w,d 4w'>", "<b><i><u>",
                                         "<picture><source srcset=a><img src=b>"};
    char *page = malloc(VL_HTML_BYTES + 1);
    (void)state;
    assert_non_null(page);
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        size_t used = 0, bytes = strlen(pieces[p]), count;
        vl_html_picture *list;
        for (; used + bytes <= VL_HTML_BYTES; used += bytes)
            memcpy(page + used, pieces[p], bytes);
        assert_int_equal(
            vl_html_pictures(page, used, PAGE, "vislang", arena, &list, &count, NULL), VL_OK);
        assert_true(count <= VL_HTML_PICTURES);
        vl_arena_reset(arena);
    }
    vl_html_picture *list;
    size_t count;
    assert_int_equal(
        vl_html_pictures(page, VL_HTML_BYTES + 1, PAGE, "vislang", arena, &list, &count, NULL),
        VL_ERR_LIMIT);
    free(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes),
                                       cmocka_unit_test(test_left_out),
                                       cmocka_unit_test(test_deep_and_many)};
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
