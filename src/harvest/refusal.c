/* refusal.c — what an answer says besides its body (refusal.h). */
#include "harvest/refusal.h"

#include <ctype.h>
#include <curl/curl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { VALUE_SIZE = 256 };

/* ---- later ------------------------------------------------------------------------------ */

static bool is_number(const char *text) {
    return *text && strspn(text, "0123456789") == strlen(text);
}

double vl_retry_after(const vl_fetch_reply *reply, int64_t now) {
    char value[VALUE_SIZE], date[VALUE_SIZE];
    if (!vl_fetch_header(reply, "Retry-After", value, sizeof value))
        return -1;
    if (is_number(value))
        return strtod(value, NULL);
    time_t then = curl_getdate(value, NULL);
    if (then < 0)
        return -1;
    time_t at =
        vl_fetch_header(reply, "Date", date, sizeof date) ? curl_getdate(date, NULL) : -1;
    return fmax(0, (double)then - (double)(at < 0 ? (time_t)now : at));
}

/* ---- not for programs like this one ------------------------------------------------------ */

static bool is_word(const char *text, size_t bytes, const char *word) {
    return bytes == strlen(word) && !strncasecmp(text, word, bytes);
}

static const char *refusing(const char *text, size_t bytes, bool api) {
    static const char *const directives[] = {"noai", "noimageai", "noindex", "noimageindex",
                                             "none"};
    for (size_t i = 0; i < (api ? 2 : sizeof directives / sizeof *directives); i++)
        if (is_word(text, bytes, directives[i]))
            return directives[i];
    return NULL;
}

/* Of a program, and not "unavailable_after", "max-snippet" or the hours of a time, which stand
 * before a colon too. */
static bool is_agent(const char *text, size_t bytes) {
    if (is_word(text, bytes, "unavailable_after") ||
        (bytes > 4 && !strncasecmp(text, "max-", 4)))
        return false;
    for (size_t i = 0; i < bytes; i++)
        if (!isalpha((unsigned char)text[i]) && !strchr("-_*", text[i]))
            return false;
    return bytes > 0;
}

/* One line: "noindex, noai" or "program: noindex, noai". */
const char *vl_robots_directive(const char *line, size_t bytes, const char *agent, bool api) {
    bool for_us = true;
    for (size_t at = 0; at < bytes;) {
        size_t start = at;
        while (at < bytes && line[at] != ',' && line[at] != ':')
            at++;
        const char *text = line + start;
        size_t length = at - start;
        while (length && isspace((unsigned char)*text))
            text++, length--;
        while (length && isspace((unsigned char)text[length - 1]))
            length--;
        bool is_name = at < bytes && line[at] == ':' && is_agent(text, length);
        const char *tag = is_name || !for_us ? NULL : refusing(text, length, api);
        if (tag)
            return tag;
        if (is_name)
            for_us = is_word(text, length, agent) || is_word(text, length, "*");
        at++;
    }
    return NULL;
}

const char *vl_robots_tag(const vl_fetch_reply *reply, const char *agent, bool api) {
    static const char name[] = "x-robots-tag:";
    const char *found = NULL;
    for (const char *line = reply->headers.data; !found && line && *line;) {
        size_t all = strcspn(line, "\n");
        if (all >= sizeof name - 1 && !strncasecmp(line, name, sizeof name - 1))
            found = vl_robots_directive(line + sizeof name - 1, all - (sizeof name - 1), agent,
                                        api);
        line += all + (line[all] == '\n');
    }
    return found;
}

/* ---- not for programs ------------------------------------------------------------------- */

bool vl_opens_as_page(const char *body, size_t bytes) {
    static const char *const openings[] = {"<!doctype html", "<html"};
    size_t at = bytes >= 3 && !memcmp(body, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (at < bytes && isspace((unsigned char)body[at]))
        at++;
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
        if (bytes - at >= strlen(openings[i]) &&
            !strncasecmp(body + at, openings[i], strlen(openings[i])))
            return true;
    return false;
}

/* `needle` in lower case. */
static const char *find(const char *text, size_t bytes, const char *needle) {
    size_t length = strlen(needle);
    for (size_t i = 0; i + length <= bytes; i++)
        if (!strncasecmp(text + i, needle, length))
            return text + i;
    return NULL;
}

static bool header_is(const vl_fetch_reply *reply, const char *name, const char *value) {
    char is[VALUE_SIZE];
    return vl_fetch_header(reply, name, is, sizeof is) && !strcasecmp(is, value);
}

static bool is_page(const vl_fetch_reply *reply, const char *body, size_t bytes) {
    char type[VALUE_SIZE] = "";
    vl_fetch_header(reply, "Content-Type", type, sizeof type);
    return !strncasecmp(type, "text/html", 9) || vl_opens_as_page(body, bytes);
}

bool vl_is_challenge(const vl_fetch_reply *reply, bool api, const char *body, size_t bytes) {
    unsigned status = reply->status;
    if (header_is(reply, "cf-mitigated", "challenge") ||
        header_is(reply, "x-amzn-waf-action", "challenge") ||
        header_is(reply, "x-amzn-waf-action", "captcha"))
        return true;
    return api && (status == 401 || (status >= 403 && status <= 405)) && bytes &&
           is_page(reply, body, bytes) && find(body, bytes, "<script");
}

/* ---- words ------------------------------------------------------------------------------ */

static void narrow_to_title(const char **body, size_t *bytes) {
    const char *end = *body + *bytes, *title = find(*body, *bytes, "<title");
    title = title ? memchr(title, '>', (size_t)(end - title)) : NULL;
    const char *close = title ? find(title, (size_t)(end - title), "</title") : NULL;
    if (!close)
        return;
    *body = title + 1;
    *bytes = (size_t)(close - *body);
}

void vl_first_words(const char *body, size_t bytes, char out[VL_WORDS_SIZE]) {
    size_t used = 0;
    bool in_tag = false, space = false, page;
    if ((page = vl_opens_as_page(body, bytes)))
        narrow_to_title(&body, &bytes);
    for (size_t i = 0; i < bytes && used + 2 < VL_WORDS_SIZE; i++) {
        unsigned char c = (unsigned char)body[i];
        in_tag = page && (c == '<' || (in_tag && c != '>'));
        if (in_tag || c <= ' ' || c == 0x7f || (page && c == '>')) {
            space = used > 0;
            continue;
        }
        if (space)
            out[used++] = ' ';
        out[used++] = (char)c;
        space = false;
    }
    out[vl_utf8_valid_prefix(out, used)] = '\0';
}
