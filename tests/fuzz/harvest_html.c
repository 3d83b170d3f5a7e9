/* harvest_html.c — pages of any bytes: the first line is their Content-Type. What becomes of
 * them is whole UTF-8, and addresses of HTTP. */
#include "harvest/html.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_links(const vl_feed_link *links, size_t count) {
    if (count > VL_HTML_LINKS)
        abort();
    for (size_t i = 0; i < count; i++)
        if (strncmp(links[i].url, "http", 4) || strpbrk(links[i].url, "# \n"))
            abort();
}

static void check_text(const char *text) {
    if (text && vl_utf8_valid_prefix(text, strlen(text)) != strlen(text))
        abort();
}

static void check_pictures(const char *text, size_t length, vl_arena *arena) {
    vl_html_picture *pictures;
    size_t count;
    if (vl_html_pictures(text, length, "https://example.org/a/", "vislang", arena, &pictures,
                         &count, NULL))
        return;
    if (count > VL_HTML_PICTURES)
        abort();
    for (size_t i = 0; i < count; i++) {
        if (strncmp(pictures[i].url, "http", 4) || strpbrk(pictures[i].url, "# \n") ||
            !pictures[i].address_count || pictures[i].address_count > VL_HTML_ADDRESSES)
            abort();
        for (size_t a = 0; a < pictures[i].address_count; a++)
            check_text(pictures[i].addresses[a]);
    }
}

static void check_page(const char *bytes, size_t count, const char *type, vl_arena *arena) {
    const char *text;
    size_t length;
    vl_html html;
    if (vl_html_to_utf8(bytes, count, type, arena, &text, &length, NULL))
        return;
    if (vl_utf8_valid_prefix(text, length) != length)
        abort();
    if (vl_html_read(text, length, "https://example.org/a/", "vislang", arena, &html, NULL))
        return;
    check_text(html.title);
    check_text(html.language);
    check_text(html.licence);
    check_links(html.documents, html.document_count);
    check_links(html.feeds, html.feed_count);
    check_pictures(text, length, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char type[128];
    const uint8_t *feed = memchr(data, '\n', size);
    size_t length = feed ? (size_t)(feed - data) : 0;
    vl_arena *arena = vl_arena_new(64 << 20);
    if (arena && feed && length < sizeof type) {
        memcpy(type, data, length);
        type[length] = '\0';
        check_page((const char *)feed + 1, size - length - 1, type, arena);
    }
    vl_arena_free(arena);
    return 0;
}
