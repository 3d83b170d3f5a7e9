/* robots.c — robots.txt (robots.h).
 *
 *   normal            paths in the one form in which they are compared (section 2.2.2)
 *   matches           a pattern with * and $ (section 2.2.3)
 *   take_line         a line into the group it stands in (section 2.2)
 *   vl_robots_allow   the longest rule */
#include "harvest/robots.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MEMORY_MAX = 32 << 20 }; /* half a megabyte of the shortest rules takes 4 MB */

typedef struct rule {
    struct rule *next;
    size_t octets;
    bool allows;
    char path[];
} rule;

/* What all groups of one name say together. */
typedef struct group {
    rule *rules;
    double delay;
} group;

struct vl_robots {
    vl_arena *arena;
    group ours, others; /* our token's, and that of `*` */
    bool named;         /* some group names our token */
    const char **sitemaps;
    size_t sitemap_count;
};

typedef struct reading {
    vl_robots *robots;
    const char *agent;
    bool in_ours, in_others;       /* whom the group that we are in names */
    bool has_rules;                /* it does, so the next user-agent line begins another */
    bool slows_ours, slows_others; /* whom a Crawl-delay here is for */
    bool has_delay;
    bool failed;
} reading;

/* ---- paths ------------------------------------------------------------------------------ */

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool is_unreserved(unsigned char c) {
    return (c < 0x80 && isalnum(c)) || (c && strchr("-._~", c));
}

static char *put_coded(char *to, unsigned char c) {
    static const char digits[] = "0123456789ABCDEF";
    *to++ = '%';
    *to++ = digits[c >> 4];
    *to++ = digits[c & 15];
    return to;
}

/* An octet of the path that was written as it is: what could not stand in a URL is coded, and
 * so are `*` and `$` where they are no signs of a pattern. */
static char *put_plain(char *to, unsigned char c, bool is_sign) {
    if (c <= ' ' || c >= 0x7f || ((c == '*' || c == '$') && !is_sign))
        return put_coded(to, c);
    *to++ = (char)c;
    return to;
}

/* Writes at most three times `bytes`, and a NUL. Behind the '?' a delimiter is the same coded
 * and plain, as in the RFC's example of http://foo.bar in a query; elsewhere "%2F" is no '/'.
 */
static size_t normal(const char *text, size_t bytes, bool is_pattern, char *out) {
    char *to = out;
    bool in_query = false;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        int high = c == '%' && i + 2 < bytes ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low < 0) {
            to = put_plain(to, c, is_pattern && (c == '*' || i + 1 == bytes));
            in_query = in_query || c == '?';
            continue;
        }
        c = (unsigned char)(high << 4 | low);
        i += 2;
        if (is_unreserved(c) || (in_query && c && strchr(":/?#[]@", c)))
            *to++ = (char)c;
        else
            to = put_coded(to, c);
    }
    *to = '\0';
    return (size_t)(to - out);
}

/* Goes back to the last `*` only: an earlier one could not do better. */
static bool matches(const char *pattern, const char *path) {
    const char *star = NULL, *from = NULL;
    for (;;) {
        if (*pattern == '*') {
            star = ++pattern;
            from = path;
        } else if (!*pattern || (*pattern == '$' && !pattern[1] && !*path)) {
            return true;
        } else if (*path && *pattern == *path) {
            pattern++;
            path++;
        } else if (star && *from) {
            pattern = star;
            path = ++from;
        } else {
            return false;
        }
    }
}

/* ---- lines ------------------------------------------------------------------------------ */

static void add_rule(reading *r, group *to, bool allows, const char *path, size_t bytes) {
    rule *made = vl_arena_alloc(r->robots->arena, sizeof *made + 3 * bytes + 1);
    if (!made) {
        r->failed = true;
        return;
    }
    made->octets = normal(path, bytes, true, made->path);
    made->allows = allows;
    made->next = to->rules;
    to->rules = made;
}

static void take_rule(reading *r, bool allows, const char *value, size_t bytes) {
    r->has_rules = true;
    if (!bytes)
        return;
    if (r->in_ours)
        add_rule(r, &r->robots->ours, allows, value, bytes);
    if (r->in_others)
        add_rule(r, &r->robots->others, allows, value, bytes);
}

static void take_agent(reading *r, const char *value, size_t bytes) {
    size_t token = 0;
    if (r->has_rules || r->has_delay)
        r->slows_ours = r->slows_others = r->has_delay = false;
    if (r->has_rules)
        r->in_ours = r->in_others = r->has_rules = false;
    while (token < bytes &&
           (isalpha((unsigned char)value[token]) || value[token] == '-' || value[token] == '_'))
        token++;
    if (token && token == strlen(r->agent) && !strncasecmp(value, r->agent, token))
        r->in_ours = r->slows_ours = r->robots->named = true;
    else if (bytes == 1 && *value == '*')
        r->in_others = r->slows_others = true;
}

static void take_delay(reading *r, const char *value, size_t bytes) {
    char text[32], *end;
    r->has_delay = true;
    if (!bytes || bytes >= sizeof text)
        return;
    memcpy(text, value, bytes);
    text[bytes] = '\0';
    double seconds = strtod(text, &end);
    if (end == text || *end || !isfinite(seconds))
        return;
    if (r->slows_ours)
        r->robots->ours.delay = fmax(r->robots->ours.delay, seconds);
    if (r->slows_others)
        r->robots->others.delay = fmax(r->robots->others.delay, seconds);
}

static void take_sitemap(reading *r, const char *value, size_t bytes) {
    vl_robots *robots = r->robots;
    if (!bytes || memchr(value, '\0', bytes) || robots->sitemap_count == VL_ROBOTS_SITEMAPS)
        return;
    if (!robots->sitemaps)
        robots->sitemaps =
            vl_arena_array(robots->arena, VL_ROBOTS_SITEMAPS, sizeof *robots->sitemaps);
    const char *kept = vl_arena_strndup(robots->arena, value, bytes);
    if (robots->sitemaps && kept)
        robots->sitemaps[robots->sitemap_count++] = kept;
    else
        r->failed = true;
}

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

static void trim(const char **text, size_t *bytes) {
    while (*bytes && is_space(**text))
        ++*text, --*bytes;
    while (*bytes && is_space((*text)[*bytes - 1]))
        --*bytes;
}

static bool is_key(const char *key, size_t bytes, const char *name) {
    return bytes == strlen(name) && !strncasecmp(key, name, bytes);
}

static void take_line(reading *r, const char *line, size_t bytes) {
    const char *comment = memchr(line, '#', bytes);
    bytes = comment ? (size_t)(comment - line) : bytes;
    const char *colon = memchr(line, ':', bytes);
    if (!colon)
        return;
    const char *key = line, *value = colon + 1;
    size_t key_bytes = (size_t)(colon - line), value_bytes = bytes - key_bytes - 1;
    trim(&key, &key_bytes);
    trim(&value, &value_bytes);
    if (is_key(key, key_bytes, "user-agent"))
        take_agent(r, value, value_bytes);
    else if (is_key(key, key_bytes, "allow") || is_key(key, key_bytes, "disallow"))
        take_rule(r, key_bytes == strlen("allow"), value, value_bytes);
    else if (is_key(key, key_bytes, "crawl-delay"))
        take_delay(r, value, value_bytes);
    else if (is_key(key, key_bytes, "sitemap"))
        take_sitemap(r, value, value_bytes);
}

vl_status vl_robots_parse(const char *text, size_t bytes, const char *agent, vl_robots **robots,
                          vl_error *error) {
    vl_arena *arena = vl_arena_new(MEMORY_MAX);
    vl_robots *made = arena ? vl_arena_alloc(arena, sizeof *made) : NULL;
    reading r = {.robots = made, .agent = agent};
    if (made)
        made->arena = arena;
    if (bytes > VL_ROBOTS_BYTES) /* and no half line, which could say more than the whole one */
        for (bytes = VL_ROBOTS_BYTES; bytes && text[bytes - 1] != '\n';)
            bytes--;
    size_t at = bytes >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (made && at < bytes && !r.failed) {
        size_t length = 0;
        while (at + length < bytes && text[at + length] != '\n' && text[at + length] != '\r')
            length++;
        take_line(&r, text + at, length);
        at += length + 1;
    }
    if (!made || r.failed) {
        vl_arena_free(arena);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a robots.txt");
    }
    *robots = made;
    return VL_OK;
}

void vl_robots_free(vl_robots *robots) {
    if (robots)
        vl_arena_free(robots->arena);
}

/* ---- what it says ----------------------------------------------------------------------- */

static const group *group_of(const vl_robots *robots) {
    return robots->named ? &robots->ours : &robots->others;
}

bool vl_robots_allow(const vl_robots *robots, const char *target) {
    size_t bytes = strcspn(target, "#");
    const rule *best = NULL;
    char *path = malloc(3 * bytes + 1);
    if (!path)
        return false; /* rather too little than against somebody's wish */
    normal(target, bytes, false, path);
    for (const rule *at = group_of(robots)->rules; at; at = at->next)
        if ((!best || at->octets > best->octets ||
             (at->octets == best->octets && at->allows)) &&
            matches(at->path, path))
            best = at;
    bool allowed = !best || best->allows || !strcmp(path, "/robots.txt");
    free(path);
    return allowed;
}

double vl_robots_delay(const vl_robots *robots) {
    return group_of(robots)->delay;
}

const char *vl_robots_sitemap(const vl_robots *robots, size_t index) {
    return index < robots->sitemap_count ? robots->sitemaps[index] : NULL;
}
