/* harvest_feed.c — site maps, RSS and Atom of any bytes: what is read are addresses of HTTP,
 * whole UTF-8 and real times, within the limits. */
#include "harvest/ask.h"
#include "harvest/feed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text) {
    if (text && (!*text || strlen(text) >= VL_FEED_TEXT_SIZE ||
                 vl_utf8_valid_prefix(text, strlen(text)) != strlen(text)))
        abort();
}

static void check_url(const char *url) {
    check_text(url);
    if (url && (strncmp(url, "http", 4) || strchr(url, '#') || strpbrk(url, " \n")))
        abort();
}

static void check_time(const char *time) {
    char again[VL_ASK_TIME_SIZE];
    if (time && (!vl_ask_time(time, false, again) || strcmp(time, again)))
        abort();
}

static void check_item(const vl_feed_item *item) {
    if (!item->url || item->file_count > VL_FEED_LINKS)
        abort();
    check_url(item->url);
    check_text(item->title);
    check_text(item->language);
    check_text(item->licence);
    check_time(item->published);
    check_time(item->changed);
    for (size_t i = 0; i < item->file_count; i++) {
        check_url(item->files[i].url);
        check_text(item->files[i].type);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_feed feed;
    vl_arena *arena = vl_arena_new(16 << 20);
    if (arena && !vl_feed_read((const char *)data, size, "https://example.org/maps/a.xml",
                               arena, &feed, NULL)) {
        if (feed.count > VL_FEED_ITEMS)
            abort();
        for (size_t i = 0; i < feed.count; i++)
            check_item(&feed.items[i]);
        check_text(feed.title);
        check_url(feed.next);
    }
    vl_arena_free(arena);
    return 0;
}
