/* site.c — the source `site`: any web site, by what it publishes for programs: site maps
 * (sitemaps.org), RSS, Atom. For each page a record with the page and the documents that it
 * links to.
 *
 * Where a harvest is lies in its cursor: the number of the next root and how many there are,
 * and the documents that we stand in, outermost first, each with the number of its next entry.
 * A call reads one such document, so an index that names itself, or one within another without
 * end, costs one request.
 *
 *   walk_…        cursors
 *   find_roots    the addresses of the setting; of a home page, what it and robots.txt name
 *   give_page     a record
 *   vl_source_site */
#include "harvest/ask.h"
#include "harvest/html.h"
#include "harvest/refusal.h"
#include "harvest/source.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    DEPTH_MAX = 4, /* a site map in an index in an index; sitemaps.org has one index */
    ROOTS_MAX = 64,
    PAGES_AT_ONCE = 200,       /* of one call, when each must read the list anew */
    PAGES_WITH_KEPT = 20,      /* when it is at hand: less is lost by a kill */
    FEED_MEMORY = 192 << 20,   /* of a list */
    MEMORY_AT_ONCE = 64 << 20, /* of what one call holds; one page more may stand above it */
    ROBOTS_LINES_MAX = 1 << 20,
    HTTP_TIME_SIZE = 64,
};
static const char product[] = "vislang";

typedef struct stand {
    size_t next; /* entry */
    const char *url;
    /* Of a feed in pages: how many came before, and the one that we were at when that was a
     * power of two. Who comes by it again goes round in a circle (Brent 1980). */
    size_t turns;
    const char *mark;
} stand;

typedef struct walk {
    const vl_source_call *call;
    size_t root, roots; /* the next one; of how many, once they are known */
    stand stack[DEPTH_MAX];
    size_t depth;
} walk;

/* ---- where we are ------------------------------------------------------------------------ */

/* A word at *at, which goes on behind it and one `after`; NULL: there is none. */
static const char *word(const char **at, char after, vl_arena *arena) {
    size_t bytes = strcspn(*at, " \n");
    const char *kept = bytes ? vl_arena_strndup(arena, *at, bytes) : NULL;
    *at += bytes;
    *at += **at == after && after;
    return kept;
}

static bool number(const char **at, size_t *value) {
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    *value = strtoull(*at, &end, 10);
    *at = end;
    return true;
}

/* "ENTRY URL" or "ENTRY URL TURNS MARK". */
static bool stand_read(const char **at, stand *s, vl_arena *arena) {
    if (!number(at, &s->next) || *(*at)++ != ' ' || !(s->url = word(at, ' ', arena)))
        return false;
    return !**at || **at == '\n' ||
           (number(at, &s->turns) && *(*at)++ == ' ' && (s->mark = word(at, '\0', arena)));
}

/* Lines: "ROOT/ROOTS", then each document that we stand in. */
static vl_status walk_read(walk *w, const char *cursor, vl_error *error) {
    const char *at = cursor;
    bool sound = !*at || (number(&at, &w->root) && *at++ == '/' && number(&at, &w->roots));
    while (sound && *at) {
        sound = *at++ == '\n' && w->depth < DEPTH_MAX &&
                stand_read(&at, &w->stack[w->depth], w->call->arena);
        w->depth += sound;
    }
    return sound ? VL_OK
                 : vl_fail(error, VL_ERR_INPUT, "'%.60s' is no place to go on from", cursor);
}

static void walk_write(const walk *w, vl_buf *next) {
    if (!w->depth && w->root >= w->roots)
        return;
    vl_buf_printf(next, "%zu/%zu", w->root, w->roots);
    for (size_t i = 0; i < w->depth; i++) {
        const stand *s = &w->stack[i];
        vl_buf_printf(next, "\n%zu %s", s->next, s->url);
        if (s->mark)
            vl_buf_printf(next, " %zu %s", s->turns, s->mark);
    }
}

static bool walk_is_in(const walk *w, const char *url) {
    for (size_t i = 0; i < w->depth; i++)
        if (!strcmp(w->stack[i].url, url))
            return true;
    return false;
}

static void leave_out(const char *url, const char *why) {
    vl_log(VL_LOG_WARN, "left out of a harvest", VL_F_STR("url", url), VL_F_STR("why", why));
}

static void walk_into(walk *w, const char *url) {
    if (walk_is_in(w, url))
        leave_out(url, "it is listed within itself");
    else if (w->depth == DEPTH_MAX)
        leave_out(url, "it lies deeper than site maps go");
    else
        w->stack[w->depth++] = (stand){.url = url};
}

/* ---- asking ------------------------------------------------------------------------------ */

/* What nobody else will answer better. */
static bool is_ours(vl_status status) {
    return status == VL_ERR_BUSY || status == VL_ERR_CANCELLED || status == VL_ERR_MEMORY ||
           status == VL_ERR_INTERNAL;
}

static bool is_passing(vl_status status) {
    return is_ours(status) || status == VL_ERR_MISSING || status == VL_ERR_TIMEOUT;
}

static vl_status get_list(const vl_source_call *call, const char *url, vl_buf *body,
                          vl_error *error) {
    vl_polite_request request = {.url = url, .ignore_tags = true};
    vl_buf_init(body, VL_FEED_BYTES + 1);
    vl_status status = vl_polite_get(call->net, &request, body, error);
    return status ? vl_error_prefix(error, "%s", url) : VL_OK;
}

static bool host_of(const char *url, char host[VL_FETCH_URL_SIZE]) {
    CURLU *parts = curl_url();
    char *text = NULL;
    bool found = parts && !curl_url_set(parts, CURLUPART_URL, url, 0) &&
                 !curl_url_get(parts, CURLUPART_HOST, &text, 0) &&
                 strlen(text) < VL_FETCH_URL_SIZE;
    if (found)
        strcpy(host, !strncasecmp(text, "www.", 4) ? text + 4 : text);
    curl_free(text);
    curl_url_cleanup(parts);
    return found;
}

/* Whether documents there may be named: those of the addresses, or any. */
static bool may_name(const vl_source_call *call, const char *url) {
    char host[VL_FETCH_URL_SIZE], other[VL_FETCH_URL_SIZE];
    bool same = vl_config_bool(call->config, "harvest_site_any_host");
    char **sites =
        vl_ask_list(call->arena, vl_config_string(call->config, "harvest_site_url"), NULL);
    bool read = host_of(url, host);
    for (size_t i = 0; read && !same && sites && sites[i]; i++)
        same = host_of(sites[i], other) && !strcasecmp(host, other);
    return same;
}

/* ---- roots ------------------------------------------------------------------------------- */

typedef struct roots {
    const char *urls[ROOTS_MAX];
    size_t count;
} roots;

static void add_root(roots *r, const char *url) {
    for (size_t i = 0; url && i < r->count; i++)
        if (!strcmp(r->urls[i], url))
            return;
    if (url && r->count < ROOTS_MAX)
        r->urls[r->count++] = url;
}

/* Site maps that robots.txt names; sitemaps.org, "Specifying the Sitemap location". */
static vl_status add_named(const vl_source_call *call, const char *url, roots *r,
                           vl_error *error) {
    vl_buf lines;
    vl_buf_init(&lines, ROBOTS_LINES_MAX);
    vl_status status = vl_polite_sitemaps(call->net, url, &lines, error);
    for (char *line = lines.data, *end; !status && line && (end = strchr(line, '\n'));
         line = end + 1) {
        *end = '\0';
        add_root(r, vl_feed_resolve(call->arena, url, line));
    }
    vl_buf_deinit(&lines);
    return status;
}

/* Of a home page: what robots.txt names and what it does itself, else /sitemap.xml. */
static vl_status add_of_page(const vl_source_call *call, const char *url, const vl_buf *body,
                             roots *r, vl_error *error) {
    vl_html html;
    size_t before = r->count;
    vl_status status = add_named(call, url, r, error);
    if (!status)
        status = vl_html_read(body->data ? body->data : "", body->len, url, product,
                              call->arena, &html, error);
    if (status)
        return status;
    for (size_t i = 0; i < html.feed_count; i++)
        if (may_name(call, html.feeds[i].url))
            add_root(r, html.feeds[i].url);
    if (r->count == before)
        add_root(r, vl_feed_resolve(call->arena, url, "/sitemap.xml"));
    return VL_OK;
}

/* A page may be XML too: XHTML. */
static bool is_list(const vl_buf *body) {
    enum { OPENING = 1024 };
    size_t bytes = body->len < OPENING ? body->len : OPENING;
    return bytes && vl_feed_looks_like(body->data, body->len) &&
           !memmem(body->data, bytes, "<html", 5);
}

/* The same for every page of a harvest, as long as the site is. */
static vl_status find_roots(const vl_source_call *call, roots *r, vl_error *error) {
    vl_status status = VL_OK;
    char **sites =
        vl_ask_list(call->arena, vl_config_string(call->config, "harvest_site_url"), NULL);
    *r = (roots){.count = 0};
    for (size_t i = 0; !status && sites && sites[i]; i++) {
        vl_buf body;
        const char *url = vl_feed_resolve(call->arena, sites[i], sites[i]);
        status =
            url ? get_list(call, url, &body, error)
                : vl_fail(error, VL_ERR_USAGE, "'%.100s' is no http or https URL", sites[i]);
        if (!url)
            break;
        if (!status && is_list(&body))
            add_root(r, url);
        else if (!status)
            status = add_of_page(call, url, &body, r, error);
        vl_buf_deinit(&body);
    }
    return status;
}

static vl_status next_root(walk *w, vl_error *error) {
    roots r;
    vl_status status = find_roots(w->call, &r, error);
    if (status)
        return status;
    w->roots = r.count;
    if (w->root < r.count)
        walk_into(w, r.urls[w->root++]);
    return VL_OK;
}

/* ---- pages ------------------------------------------------------------------------------- */

static const char *first(const char *a, const char *b) {
    return a ? a : b;
}

static const char *changed_of(const vl_feed_item *item) {
    return first(item->changed, item->published);
}

/* A page that is asked for and may turn out to be none. */
typedef struct visit {
    vl_buf body;
    vl_fetch_reply reply;
    bool is_page; /* by its Content-Type */
} visit;

static bool says_page(const vl_fetch_reply *reply) {
    char type[128];
    return !vl_fetch_header(reply, "Content-Type", type, sizeof type) ||
           !strncasecmp(type, "text/html", 9) || !strncasecmp(type, "application/xhtml", 17);
}

static vl_status take_page(void *to, const void *bytes, size_t count, vl_error *error) {
    visit *v = to;
    v->is_page = says_page(&v->reply);
    if (!v->is_page)
        return vl_fail(error, VL_ERR_UNSUPPORTED, "it is no page");
    vl_buf_append(&v->body, bytes, count);
    return v->body.failed
               ? vl_fail(error, VL_ERR_LIMIT, "it is larger than %d bytes", VL_HTML_BYTES)
               : VL_OK;
}

static void drop_page(void *to) {
    visit *v = to;
    vl_buf_clear(&v->body);
}

/* A record in the making. */
typedef struct entry {
    const vl_source_call *call;
    const vl_feed *feed;
    const vl_feed_item *item;
    vl_html html;
    vl_record record;
    vl_record_file *files;
    char version[VL_SHA256_HEX_SIZE];
    const char *modified; /* Last-Modified */
    bool unwanted;        /* the page says so, or it is not newer */
} entry;

static void add_file(entry *e, vl_record_file file) {
    e->files[e->record.file_count++] = file;
}

static bool is_wanted(const entry *e, const char *type, const char *url) {
    const char *kind = vl_ask_kind(type, url);
    return *kind && vl_ask_wants(e->call->query, kind) && may_name(e->call, url);
}

static void add_links(entry *e, const vl_feed_link *links, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (is_wanted(e, links[i].type, links[i].url))
            add_file(e, (vl_record_file){.url = links[i].url,
                                         .type = links[i].type,
                                         .bytes = links[i].bytes});
}

/* What the page says of itself. One in no encoding that we know is kept, and says nothing. */
static vl_status read_page(entry *e, const visit *v, const char *type, vl_error *error) {
    const char *text;
    size_t bytes;
    const char *body = v->body.data ? v->body.data : "";
    vl_arena *arena = e->call->arena;
    vl_status status = vl_html_to_utf8(body, v->body.len, type, arena, &text, &bytes, error);
    if (!status)
        status = vl_html_read(text, bytes, v->reply.url, product, arena, &e->html, error);
    if (is_ours(status))
        return status;
    const char *robots = e->html.robots;
    const char *refusal =
        robots ? vl_robots_directive(robots, strlen(robots), product, false) : NULL;
    e->unwanted = refusal != NULL;
    if (refusal)
        leave_out(e->item->url, refusal);
    return VL_OK;
}

/* The page as it came, with how it came. */
static vl_status use_page(entry *e, const visit *v, vl_error *error) {
    char type[256];
    bool said = vl_fetch_header(&v->reply, "Content-Type", type, sizeof type);
    const char *body = v->body.data ? v->body.data : "";
    vl_status status = read_page(e, v, said ? type : NULL, error);
    if (status)
        return status;
    vl_sha256_hex(body, v->body.len, e->version);
    if (vl_ask_wants(e->call->query, "html"))
        add_file(e,
                 (vl_record_file){.url = e->item->url,
                                  .type = said ? vl_arena_strdup(e->call->arena, type) : NULL,
                                  .version = e->version,
                                  .body = body,
                                  .body_bytes = v->body.len,
                                  .answer = &v->reply});
    return VL_OK;
}

/* A time of HTTP (RFC 9110, section 5.6.7) and of RFC 3339, either way; "" where there is none.
 */
static void http_time(const char *since, char out[HTTP_TIME_SIZE]) {
    char limit[VL_ASK_TIME_SIZE];
    struct tm parts = {0};
    *out = '\0';
    if (!since || !vl_ask_time(since, false, limit) ||
        !strptime(limit, "%Y-%m-%dT%H:%M:%SZ", &parts))
        return;
    time_t at = timegm(&parts);
    strftime(out, HTTP_TIME_SIZE, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &parts));
}

static const char *last_modified(const entry *e, const visit *v) {
    char text[HTTP_TIME_SIZE], out[VL_ASK_TIME_SIZE];
    struct tm parts;
    time_t at = vl_fetch_header(&v->reply, "Last-Modified", text, sizeof text)
                    ? curl_getdate(text, NULL)
                    : -1;
    return at > 0 && gmtime_r(&at, &parts) && parts.tm_year <= 8099 &&
                   strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &parts)
               ? vl_arena_strdup(e->call->arena, out)
               : NULL;
}

/* The page as it is now; where the list says no date, only if it is newer than what is asked
 * for. What cannot be read here is left to the caller to fetch, who notes
 * what becomes of it. */
static vl_status visit_page(entry *e, visit *v, vl_error *error) {
    char since[HTTP_TIME_SIZE];
    http_time(changed_of(e->item) ? NULL : e->call->query->since, since);
    vl_polite_request request = {.url = e->item->url,
                                 .modified = *since ? since : NULL,
                                 .sink = take_page,
                                 .again = drop_page,
                                 .to = v};
    vl_status status = vl_polite_fetch(e->call->net, &request, &v->reply, error);
    if (!status && v->reply.status == 304 && *since) {
        e->unwanted = true;
        return VL_OK;
    }
    if (!status && v->reply.status == 200) {
        e->modified = last_modified(e, v);
        status = use_page(e, v, error);
    } else if (!status) {
        add_file(e, (vl_record_file){.url = e->item->url, .answer = &v->reply});
    }
    if (!status || is_ours(status))
        return status;
    add_file(e, (vl_record_file){.url = e->item->url, .version = e->item->changed});
    return VL_OK;
}

static void put(cJSON *to, const char *name, const char *text) {
    if (text)
        cJSON_AddStringToObject(to, name, text);
}

/* What the site said of the page. */
static const char *raw_of(const entry *e, const char *list) {
    static const char *const kinds[] = {"sitemapindex", "urlset", "rss", "atom"};
    cJSON *raw = cJSON_CreateObject();
    put(raw, "list", list);
    put(raw, "kind", kinds[e->feed->kind]);
    put(raw, "url", e->item->url);
    put(raw, "title", e->item->title);
    put(raw, "language", e->item->language);
    put(raw, "published", e->item->published);
    put(raw, "changed", e->item->changed);
    put(raw, "licence", e->item->licence);
    char *text = cJSON_PrintUnformatted(raw);
    const char *kept = text ? vl_arena_strdup(e->call->arena, text) : NULL;
    cJSON_free(text);
    cJSON_Delete(raw);
    return kept;
}

static void fill(entry *e, const char *raw) {
    const vl_feed *feed = e->feed;
    const vl_feed_item *item = e->item;
    vl_record *r = &e->record;
    r->key = r->url = item->url;
    r->title = first(item->title, e->html.title);
    r->language = first(item->language, first(e->html.language, feed->language));
    r->published = item->published;
    r->changed = first(changed_of(item), e->modified);
    r->licence = first(item->licence, first(e->html.licence, feed->licence));
    r->publisher = feed->title;
    r->raw = raw;
    r->files = e->files;
}

/* The page's own address may be that of a document. */
static vl_status fill_files(entry *e, visit *v, vl_error *error) {
    const char *url = e->item->url, *kind = vl_ask_kind(NULL, url);
    vl_status status = VL_OK;
    e->files =
        vl_arena_array(e->call->arena, 1 + VL_FEED_LINKS + VL_HTML_LINKS, sizeof *e->files);
    if (!e->files)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a record");
    if (!*kind || !strcmp(kind, "html"))
        status = visit_page(e, v, error);
    else if (vl_ask_wants(e->call->query, kind))
        add_file(e, (vl_record_file){.url = url, .version = e->item->changed});
    add_links(e, e->item->files, e->item->file_count);
    add_links(e, e->html.documents, e->html.document_count);
    return status;
}

static bool is_language_asked(const vl_source_call *call, const char *language) {
    return !language || vl_ask_language(call->query->languages, language);
}

/* Whether something changed then is asked for; what has no date may be new. */
static bool is_time_asked(const vl_harvest_query *query, const char *changed) {
    char limit[VL_ASK_TIME_SIZE];
    if (!changed)
        return true;
    if (query->since && vl_ask_time(query->since, false, limit) && strcmp(changed, limit) < 0)
        return false;
    return !(query->until && vl_ask_time(query->until, true, limit) &&
             strcmp(changed, limit) > 0);
}

static vl_status give_page(const vl_source_call *call, const vl_feed *feed,
                           const vl_feed_item *item, const char *list, vl_error *error) {
    entry e = {.call = call, .feed = feed, .item = item};
    visit v;
    vl_buf_init(&v.body, VL_HTML_BYTES);
    vl_fetch_reply_init(&v.reply);
    vl_status status = fill_files(&e, &v, error);
    if (!status) {
        fill(&e, raw_of(&e, list));
        if (!e.unwanted && e.record.file_count &&
            is_time_asked(call->query, e.record.changed) &&
            is_language_asked(call, e.record.language))
            status = call->give(&e.record, call->to, error);
    }
    vl_fetch_reply_deinit(&v.reply);
    vl_buf_deinit(&v.body);
    return status;
}

/* ---- lists ------------------------------------------------------------------------------- */

/* On to the next page of a feed, if it is one. */
static void follow(walk *w, const vl_feed *feed) {
    stand from = w->stack[--w->depth];
    if (!feed->next || !feed->count || !may_name(w->call, feed->next))
        return;
    if (!strcmp(feed->next, from.url) || (from.mark && !strcmp(feed->next, from.mark))) {
        leave_out(feed->next, "it was there before");
        return;
    }
    size_t turns = from.turns + 1, depth = w->depth;
    walk_into(w, feed->next);
    if (w->depth > depth) {
        w->stack[depth].turns = turns;
        w->stack[depth].mark = turns & (turns - 1) ? from.mark : from.url;
    }
}

static vl_status give_pages(walk *w, const vl_feed *feed, vl_error *error) {
    const vl_source_call *call = w->call;
    stand *at = &w->stack[w->depth - 1];
    vl_status status = VL_OK;
    const int most = call->kept ? PAGES_WITH_KEPT : PAGES_AT_ONCE;
    for (int given = 0; !status && at->next < feed->count && given < most &&
                        (!given || vl_arena_used(call->arena) < MEMORY_AT_ONCE);
         at->next++) {
        const vl_feed_item *item = &feed->items[at->next];
        if (!is_time_asked(call->query, changed_of(item)) || !may_name(call, item->url) ||
            !is_language_asked(call, item->language))
            continue;
        status = give_page(call, feed, item, at->url, error);
        given++;
    }
    if (status || at->next < feed->count)
        return status;
    follow(w, feed);
    return VL_OK;
}

/* A site map that is older than what is asked for has nothing new in it. */
static void enter_next(walk *w, const vl_feed *feed) {
    stand *at = &w->stack[w->depth - 1];
    const char *since = w->call->query->since;
    char limit[VL_ASK_TIME_SIZE];
    bool limited = since && vl_ask_time(since, false, limit);
    while (at->next < feed->count) {
        const vl_feed_item *item = &feed->items[at->next++];
        if (limited && item->changed && strcmp(item->changed, limit) < 0)
            continue;
        size_t depth = w->depth;
        walk_into(w, item->url);
        if (w->depth > depth)
            return;
    }
    w->depth--;
}

/* The list that was read last, between two pages. */
typedef struct kept_list {
    vl_arena *arena;
    const char *url;
    vl_feed feed;
} kept_list;

static void forget_list(void *kept) {
    kept_list *list = kept;
    vl_arena_free(list->arena); /* it lies there itself */
}

static kept_list *new_list(const char *url) {
    vl_arena *arena = vl_arena_new(FEED_MEMORY);
    kept_list *list = arena ? vl_arena_alloc(arena, sizeof *list) : NULL;
    if (list) {
        list->arena = arena;
        list->url = vl_arena_strdup(arena, url);
    }
    if (list && list->url)
        return list;
    vl_arena_free(arena);
    return NULL;
}

static vl_status fetch_list(walk *w, const char *url, vl_arena *arena, vl_feed *feed,
                            vl_error *error) {
    vl_buf body;
    vl_status status = get_list(w->call, url, &body, error);
    if (!status &&
        (status = vl_feed_read(body.data ? body.data : "", body.len, url, arena, feed, error)))
        vl_error_prefix(error, "%s", url);
    vl_buf_deinit(&body);
    if (!status && feed->dropped)
        vl_log(VL_LOG_WARN, "entries of a list of pages name none, or are too many",
               VL_F_STR("url", url), VL_F_INT("count", (int64_t)feed->dropped));
    return status;
}

static vl_status read_list(walk *w, const char *url, vl_feed *feed, vl_error *error) {
    void **kept = w->call->kept;
    kept_list *list = kept ? *kept : NULL;
    if (!kept)
        return fetch_list(w, url, w->call->arena, feed, error);
    if (list && !strcmp(list->url, url)) {
        *feed = list->feed;
        return VL_OK;
    }
    if (list)
        forget_list(list);
    *kept = NULL;
    if (!(list = new_list(url)))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a list of pages");
    vl_status status = fetch_list(w, url, list->arena, &list->feed, error);
    if (status) {
        forget_list(list);
        return status;
    }
    *kept = list;
    *feed = list->feed;
    return VL_OK;
}

/* One document of the walk. One of several that makes no sense is left out; one that cannot be
 * had for now ends the harvest, which goes on there the next time. */
static vl_status step(walk *w, vl_error *error) {
    vl_feed feed;
    const char *url = w->stack[w->depth - 1].url;
    vl_status status = read_list(w, url, &feed, error);
    if (!status && feed.kind == VL_FEED_INDEX)
        enter_next(w, &feed);
    else if (!status)
        status = give_pages(w, &feed, error);
    else if (!is_passing(status) && (w->depth > 1 || w->roots > 1)) {
        leave_out(url, error->message);
        w->depth--;
        status = VL_OK;
    }
    return status;
}

/* ---- the source -------------------------------------------------------------------------- */

static vl_status site_check(const vl_source_call *call, vl_error *error) {
    char **sites =
        call->arena
            ? vl_ask_list(call->arena, vl_config_string(call->config, "harvest_site_url"), NULL)
            : NULL;
    if (!*vl_config_string(call->config, "harvest_site_url") || (sites && !*sites))
        return vl_fail(error, VL_ERR_USAGE,
                       "say which site: --set harvest_site_url=https://example.org/");
    vl_status status = vl_ask_refuse("sites", call->query,
                                     VL_ASK_COUNTRIES | VL_ASK_THEMES | VL_ASK_WORDS, error);
    return status ? status : vl_ask_check_times(call->query, error);
}

static vl_status site_page(const vl_source_call *call, const char *cursor, vl_buf *next,
                           vl_error *error) {
    walk w = {.call = call};
    vl_error local;
    error = error ? error : &local;
    vl_status status = walk_read(&w, cursor, error);
    if (!status && !w.depth)
        status = next_root(&w, error);
    if (!status && w.depth)
        status = step(&w, error);
    if (!status)
        walk_write(&w, next);
    return status;
}

const vl_source vl_source_site = {
    .name = "site",
    .title = "a web site (site maps, RSS, Atom)",
    .summary = "pages of any site and the PDF, DOCX and ODT that they link to; needs "
               "harvest_site_url: its address, or that of a site map or feed",
    .check = site_check,
    .page = site_page,
    .forget = forget_list,
};
