/* harvest_robots.c — robots.txt of any bytes, and paths of any bytes asked of it: the first
 * line is the path. What it says of a path does not depend on how the path is coded. */
#include "harvest/robots.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_BYTES = 2048 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void code_letters(const char *path, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        if ((c >= 'a' && c <= 'z') || c >= 0x80) {
            *out++ = '%';
            *out++ = digits[c >> 4];
            *out++ = digits[c & 15];
        } else {
            *out++ = (char)c;
        }
    }
    *out = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char path[PATH_MAX_BYTES + 1], coded[3 * PATH_MAX_BYTES + 1];
    const uint8_t *feed = memchr(data, '\n', size);
    size_t bytes = feed ? (size_t)(feed - data) : 0;
    if (!feed || bytes > PATH_MAX_BYTES)
        return 0;
    memcpy(path, data, bytes);
    path[bytes] = '\0';
    vl_robots *robots;
    if (vl_robots_parse((const char *)feed + 1, size - bytes - 1, "vislang", &robots, NULL))
        abort();
    bool allowed = vl_robots_allow(robots, path);
    code_letters(path, coded);
    if (!strchr(path, '%') && vl_robots_allow(robots, coded) != allowed)
        abort();
    if (!vl_robots_allow(robots, "/robots.txt") || !(vl_robots_delay(robots) >= 0))
        abort();
    for (size_t i = 0; vl_robots_sitemap(robots, i); i++)
        if (!*vl_robots_sitemap(robots, i))
            abort();
    vl_robots_free(robots);
    return 0;
}
