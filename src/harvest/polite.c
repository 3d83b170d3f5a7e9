/* polite.c — fetching as a guest (polite.h).
 *
 *   place              of a URL: its host, whose turn it is (turn.h), and its robots.txt
 *   guard              looks at an answer before a byte of it is given on (refusal.h)
 *   ask                one URL, as often as it takes
 *   site_*             robots.txt of each origin (robots.h)
 *   vl_polite_fetch    one URL after another, until it is no redirect */
#include "harvest/polite.h"

#include "harvest/refusal.h"
#include "harvest/robots.h"
#include "harvest/turn.h"

#include <ctype.h>
#include <curl/curl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char product[] = "vislang"; /* our token in robots.txt and X-Robots-Tag */
enum {
    AGENT_SIZE = 512,
    ORIGIN_SIZE = VL_TURN_HOST_SIZE + 32,
    REFUSAL_MAX = 64 << 10,
    HEADERS_MAX = 16 << 10,
    SITES_MAX = 512, /* whose robots.txt is kept */
    ROBOTS_HOPS = 5, /* redirects of robots.txt (RFC 9309, section 2.3.1.2) */
};
#define SECOND 1e9
#define ROBOTS_SECONDS (24 * 3600.0) /* section 2.4 */
#define ROBOTS_AGAIN_SECONDS 600.0   /* until one that could not be had is asked for again */

typedef struct place {
    char host[VL_TURN_HOST_SIZE], origin[ORIGIN_SIZE];
    char target[VL_FETCH_URL_SIZE]; /* path and query */
} place;

/* The robots.txt of an origin. */
typedef struct site {
    struct site *next; /* the last one used stands first */
    char origin[ORIGIN_SIZE];
    vl_robots *robots; /* NULL: never had */
    vl_error failure;  /* why not */
    int64_t until;     /* when it is asked for again */
    bool is_fetched;   /* at this moment */
    unsigned users;
} site;

/* A fetcher that nobody uses. */
typedef struct idle {
    struct idle *next;
    vl_fetcher *fetcher;
} idle;

struct vl_polite {
    vl_polite_options options;
    char agent[AGENT_SIZE];
    char *hosts, *ca;
    vl_turns *turns;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t had;   /* some robots.txt was */
    idle *fetchers;
    site *sites;
    size_t site_count;
    uint64_t seed;
    vl_polite_counts counts;
};

/* One request on its way. */
typedef struct run {
    vl_polite *polite;
    const vl_polite_request *request;
    vl_fetch_reply *reply;
    vl_buf *refusal;            /* beginning of a body outside 200 to 299 */
    const char *const *headers; /* NULL: at another origin than the first */
    place place;
    bool api;     /* still, as no redirect led elsewhere */
    double pause; /* seconds behind each request at this host */
    /* The guard. */
    char opening[VL_OPENING_SIZE];
    size_t opened;
    bool is_judged, was_given, sink_failed;
} run;

vl_polite_options vl_polite_options_default(void) {
    return (vl_polite_options){.rules = vl_fetch_rules_default(),
                               .contact = "",
                               .interval = 1,
                               .longest_delay = 60,
                               .longest_wait = 300,
                               .tries = 5,
                               .first_wait = 2};
}

/* ---- places ----------------------------------------------------------------------------- */

static bool copy_part(CURLU *url, CURLUPart part, unsigned flags, char *to, size_t size) {
    char *text = NULL;
    bool fits = !curl_url_get(url, part, &text, flags) && strlen(text) < size;
    if (fits)
        strcpy(to, text);
    curl_free(text);
    return fits;
}

static bool read_parts(CURLU *url, place *p) {
    char scheme[16], port[16], path[VL_FETCH_URL_SIZE], query[VL_FETCH_URL_SIZE];
    if (!copy_part(url, CURLUPART_SCHEME, 0, scheme, sizeof scheme) ||
        !copy_part(url, CURLUPART_HOST, 0, p->host, sizeof p->host) ||
        !copy_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof port) ||
        !copy_part(url, CURLUPART_PATH, 0, path, sizeof path))
        return false;
    size_t bytes = strlen(p->host);
    for (size_t i = 0; i < bytes; i++)
        p->host[i] = (char)tolower((unsigned char)p->host[i]);
    if (bytes && p->host[bytes - 1] == '.')
        p->host[bytes - 1] = '\0';
    bool asks = copy_part(url, CURLUPART_QUERY, 0, query, sizeof query);
    return snprintf(p->origin, sizeof p->origin, "%s://%s:%s", scheme, p->host, port) <
               (int)sizeof p->origin &&
           snprintf(p->target, sizeof p->target, "%s%s%s", path, asks ? "?" : "",
                    asks ? query : "") < (int)sizeof p->target;
}

static vl_status find_place(const char *text, place *p, vl_error *error) {
    CURLU *url = curl_url();
    if (!url)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a URL");
    vl_status status = VL_OK;
    if (strlen(text) >= VL_FETCH_URL_SIZE || curl_url_set(url, CURLUPART_URL, text, 0) ||
        !read_parts(url, p))
        status = vl_fail(error, VL_ERR_INPUT, "it is no http or https URL");
    curl_url_cleanup(url);
    return status;
}

/* ---- fetchers --------------------------------------------------------------------------- */

static vl_status take_fetcher(vl_polite *p, idle **taken, vl_error *error) {
    vl_status status = VL_OK;
    pthread_mutex_lock(&p->lock);
    idle *one = p->fetchers;
    if (one)
        p->fetchers = one->next;
    pthread_mutex_unlock(&p->lock);
    if (!one) {
        one = calloc(1, sizeof *one);
        status = one ? vl_fetcher_new(&p->options.rules, &one->fetcher, error)
                     : vl_fail(error, VL_ERR_MEMORY, "no memory for a fetcher");
    }
    if (status) {
        free(one);
        return status;
    }
    *taken = one;
    return VL_OK;
}

/* Back, and what came of it into the counts. */
static void give_fetcher(vl_polite *p, idle *one, uint64_t bytes) {
    pthread_mutex_lock(&p->lock);
    one->next = p->fetchers;
    p->fetchers = one;
    p->counts.requests++;
    p->counts.bytes += bytes;
    pthread_mutex_unlock(&p->lock);
}

static void count_up(vl_polite *p, uint64_t *count) {
    pthread_mutex_lock(&p->lock);
    ++*count;
    pthread_mutex_unlock(&p->lock);
}

/* ---- the guard -------------------------------------------------------------------------- */

static vl_status refuse_page(const char *body, size_t bytes, vl_error *error) {
    char words[VL_WORDS_SIZE];
    vl_first_words(body, bytes, words);
    return vl_fail(error, VL_ERR_DENIED,
                   "blocked: a page for people came in place of an answer%s%s%s",
                   *words ? " (\"" : "", words, *words ? "\")" : "");
}

/* Of an answer whose body begins with `opening`. */
static vl_status judge(run *r, vl_error *error) {
    r->is_judged = true;
    if (vl_is_challenge(r->reply, false, NULL, 0) ||
        (r->api && vl_opens_as_page(r->opening, r->opened)))
        return refuse_page(r->opening, r->opened, error);
    const char *tag = r->request->ignore_tags ? NULL : vl_robots_tag(r->reply, product, r->api);
    if (tag)
        return vl_fail(error, VL_ERR_DENIED, "its X-Robots-Tag says %s", tag);
    return VL_OK;
}

static vl_status pass_on(run *r, const void *bytes, size_t count, vl_error *error) {
    if (!count || !r->request->sink)
        return VL_OK;
    r->was_given = true;
    vl_status status = r->request->sink(r->request->to, bytes, count, error);
    r->sink_failed = status != VL_OK;
    return status;
}

static vl_status judge_and_open(run *r, vl_error *error) {
    vl_status status = judge(r, error);
    return status ? status : pass_on(r, r->opening, r->opened, error);
}

static vl_status guard(void *to, const void *bytes, size_t count, vl_error *error) {
    run *r = to;
    const char *from = bytes;
    if (r->is_judged)
        return pass_on(r, from, count, error);
    size_t take = sizeof r->opening - r->opened;
    take = take < count ? take : count;
    memcpy(r->opening + r->opened, from, take);
    r->opened += take;
    if (r->opened < sizeof r->opening)
        return VL_OK;
    vl_status status = judge_and_open(r, error);
    return status ? status : pass_on(r, from + take, count - take, error);
}

/* What is left to do when an answer is whole. */
static vl_status guard_end(run *r, vl_error *error) {
    unsigned http = r->reply->status;
    if (http >= 200 && http < 300)
        return r->is_judged ? VL_OK : judge_and_open(r, error);
    const char *body = r->refusal->data ? r->refusal->data : "";
    return vl_is_challenge(r->reply, r->api, body, r->refusal->len)
               ? refuse_page(body, r->refusal->len, error)
               : VL_OK;
}

/* ---- one URL ---------------------------------------------------------------------------- */

/* Statuses that another try may change (RFC 9110, sections 15.5.9 and 15.6; RFC 6585). */
static bool is_passing(unsigned http) {
    return http == 408 || http == 429 || (http >= 500 && http != 501 && http != 505);
}

static vl_status try_once(run *r, vl_error *error) {
    vl_polite *p = r->polite;
    idle *one;
    vl_fetch_request request = {.url = r->reply->url,
                                .headers = r->headers,
                                .body = r->request->body,
                                .body_bytes = r->request->body_bytes,
                                .sink = guard,
                                .to = r,
                                .refusal = r->refusal,
                                .stay = true,
                                .cancel = p->options.cancel};
    char url[VL_FETCH_URL_SIZE];
    strcpy(url, r->reply->url); /* the reply begins anew */
    request.url = url;
    r->opened = 0;
    r->is_judged = r->was_given = r->sink_failed = false;
    vl_status status = take_fetcher(p, &one, error);
    if (status)
        return status;
    status = vl_fetch(one->fetcher, &request, r->reply, error);
    give_fetcher(p, one, r->reply->bytes);
    return status ? status : guard_end(r, error);
}

static bool may_pass(const run *r, vl_status status) {
    return status ? !r->sink_failed && (status == VL_ERR_MISSING || status == VL_ERR_TIMEOUT)
                  : is_passing(r->reply->status);
}

/* Seconds before the try after the `n`th: what the host says, else twice as long each time and
 * drawn, so that those who failed together do not come back together. */
static double silence_after(run *r, vl_status status, unsigned n) {
    vl_polite *p = r->polite;
    double asked = status ? -1 : vl_retry_after(r->reply, (int64_t)time(NULL));
    if (asked >= 0)
        return asked;
    pthread_mutex_lock(&p->lock);
    double drawn = 0.5 + vl_random_uniform(&p->seed) / 2;
    pthread_mutex_unlock(&p->lock);
    return fmin(ldexp(p->options.first_wait, (int)n - 1) * drawn, p->options.longest_wait);
}

static vl_status fail_for_good(const run *r, vl_status status, double silence, unsigned n,
                               vl_error *error) {
    if (status)
        return n > 1 ? vl_error_prefix(error, "after %u tries", n) : status;
    if (silence > r->polite->options.longest_wait)
        return vl_fail(error, VL_ERR_BUSY, "its host answers %u and wants us back in %.0f s",
                       r->reply->status, ceil(silence));
    return vl_fail(error, r->reply->status == 429 ? VL_ERR_BUSY : VL_ERR_MISSING,
                   "its host answers %u%s", r->reply->status,
                   n > 1 ? ", however often it is asked" : "");
}

/* reply->url, until there is an answer that another try would not change. */
static vl_status ask(run *r, vl_error *error) {
    vl_polite *p = r->polite;
    for (unsigned n = 1;; n++) {
        vl_status status = vl_turn_take(p->turns, r->place.host, r->pause, error);
        if (status)
            return status;
        status = try_once(r, error);
        bool passing = may_pass(r, status);
        bool last = n >= p->options.tries || (r->was_given && !r->request->again);
        double silence = passing ? silence_after(r, status, n) : 0;
        bool asked = passing && !status && vl_retry_after(r->reply, 0) >= 0;
        vl_turn_give(p->turns, r->place.host, r->pause, last && !asked ? 0 : silence);
        if (!passing)
            return status;
        count_up(p, &p->counts.retries);
        if (last || silence > p->options.longest_wait)
            return fail_for_good(r, status, silence, n, error);
        if (r->was_given)
            r->request->again(r->request->to);
    }
}

static bool is_same_host(const place *a, const place *b) {
    return !strcmp(a->host, b->host);
}

/* On to where the answer sends us. */
static vl_status hop(run *r, vl_error *error) {
    place from = r->place;
    if (r->reply->next_is_elsewhere)
        r->headers = NULL;
    memcpy(r->reply->url, r->reply->next, sizeof r->reply->url);
    vl_status status = find_place(r->reply->url, &r->place, error);
    r->api = r->api && !status && is_same_host(&from, &r->place);
    return status;
}

static vl_status begin(run *r, vl_error *error) {
    const char *url = r->request->url;
    if (strlen(url) >= sizeof r->reply->url)
        return vl_fail(error, VL_ERR_INPUT, "the URL is longer than %d bytes",
                       VL_FETCH_URL_SIZE - 1);
    strcpy(r->reply->url, url);
    r->api = r->request->api;
    r->pause = fmax(r->polite->options.interval, r->request->interval);
    return find_place(url, &r->place, error);
}

/* ---- robots.txt ------------------------------------------------------------------------- */

static vl_status keep_robots(void *to, const void *bytes, size_t count, vl_error *error) {
    vl_buf *text = to;
    size_t room = text->max - text->len;
    vl_buf_append(text, bytes, count < room ? count : room);
    return count < room ? vl_buf_status(text, "a robots.txt", error)
                        : vl_fail(error, VL_ERR_LIMIT, "that much is enough");
}

static void forget_robots(void *to) {
    vl_buf_clear(to);
}

/* Its answer, over five redirects and to any host (section 2.3.1.2). `found`: one of 200 to
 * 299, or the beginning of one that is too long to be read. */
static vl_status ask_robots(run *r, const vl_buf *text, bool *found, vl_error *error) {
    *found = false;
    vl_status status = begin(r, error);
    for (int hops = 0; !status && hops <= ROBOTS_HOPS; hops++) {
        status = ask(r, error);
        if (text->len >= text->max)
            status = VL_OK, *found = true;
        else if (!status)
            *found = r->reply->status >= 200 && r->reply->status < 300;
        if (status || *found || !*r->reply->next)
            return status;
        status = hop(r, error);
    }
    return status; /* a sixth redirect: there is none */
}

static vl_status fetch_robots(vl_polite *p, const char *origin, vl_robots **robots,
                              vl_error *error) {
    char url[ORIGIN_SIZE + 16];
    bool found;
    vl_buf text, refusal;
    vl_fetch_reply reply;
    snprintf(url, sizeof url, "%s/robots.txt", origin);
    vl_buf_init(&text, VL_ROBOTS_BYTES + 1);
    vl_buf_init(&refusal, REFUSAL_MAX);
    vl_fetch_reply_init(&reply);
    vl_polite_request request = {.url = url,
                                 .ignore_tags = true,
                                 .sink = keep_robots,
                                 .again = forget_robots,
                                 .to = &text};
    run r = {.polite = p, .request = &request, .reply = &reply, .refusal = &refusal};
    vl_status status = ask_robots(&r, &text, &found, error);
    if (!status && !found && reply.status >= 500)
        status = vl_fail(error, VL_ERR_MISSING, "its host answers %u", reply.status);
    if (!status)
        status = vl_robots_parse(found ? text.data : "", found ? text.len : 0, product, robots,
                                 error);
    else if (status != VL_ERR_CANCELLED)
        vl_error_prefix(error, "robots.txt cannot be had, which forbids everything");
    vl_fetch_reply_deinit(&reply);
    vl_buf_deinit(&refusal);
    vl_buf_deinit(&text);
    return status;
}

static void site_free(site *s) {
    vl_robots_free(s->robots);
    free(s);
}

/* The one that was not used for longest, if nobody uses it. */
static void forget_site(vl_polite *p) {
    site **last = NULL;
    for (site **at = &p->sites; *at; at = &(*at)->next)
        if (!(*at)->users)
            last = at;
    if (!last)
        return;
    site *s = *last;
    *last = s->next;
    site_free(s);
    p->site_count--;
}

static site *get_site(vl_polite *p, const char *origin) {
    site **at = &p->sites, *s;
    while (*at && strcmp((*at)->origin, origin))
        at = &(*at)->next;
    if ((s = *at)) {
        *at = s->next;
    } else {
        if (p->site_count >= SITES_MAX)
            forget_site(p);
        if (!(s = calloc(1, sizeof *s)))
            return NULL;
        strcpy(s->origin, origin);
        s->until = INT64_MIN;
        p->site_count++;
    }
    s->next = p->sites;
    p->sites = s;
    return s;
}

/* Into the site what was fetched. An older robots.txt goes on when there is no newer one. */
static void renew(vl_polite *p, site *s, vl_status status, vl_robots *robots,
                  const vl_error *failure) {
    bool lasting = status == VL_ERR_MISSING || status == VL_ERR_TIMEOUT ||
                   status == VL_ERR_DENIED || status == VL_ERR_INPUT;
    double seconds = !status ? ROBOTS_SECONDS : lasting ? ROBOTS_AGAIN_SECONDS : 0;
    if (!status) {
        vl_robots_free(s->robots);
        s->robots = robots;
    } else {
        s->failure = *failure;
    }
    s->until = vl_turns_now(p->turns) + (int64_t)(seconds * SECOND);
}

/* Called with the lock, which is open while somebody is asked. */
static vl_status make_fresh(vl_polite *p, site *s, vl_error *error) {
    vl_status status = VL_OK;
    while (!status && s->is_fetched) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&p->had, &p->lock, &until);
        status = vl_turns_check(p->turns, error);
    }
    if (status || vl_turns_now(p->turns) < s->until)
        return status;
    vl_robots *robots = NULL;
    vl_error failure = {0};
    s->is_fetched = true;
    pthread_mutex_unlock(&p->lock);
    status = fetch_robots(p, s->origin, &robots, &failure);
    pthread_mutex_lock(&p->lock);
    s->is_fetched = false;
    renew(p, s, status, robots, &failure);
    pthread_cond_broadcast(&p->had);
    if (status == VL_ERR_CANCELLED || status == VL_ERR_MEMORY) {
        if (error)
            *error = failure;
        return status;
    }
    return VL_OK;
}

typedef void (*site_fn)(const vl_robots *robots, void *to);

/* Calls `see` with the robots.txt of an origin. */
static vl_status with_robots(vl_polite *p, const char *origin, site_fn see, void *to,
                             vl_error *error) {
    vl_status status = VL_OK;
    pthread_mutex_lock(&p->lock);
    site *s = get_site(p, origin);
    if (s) {
        s->users++;
        status = make_fresh(p, s, error);
        s->users--;
        if (!status && s->robots)
            see(s->robots, to);
        else if (!status) {
            status = s->failure.status;
            if (error)
                *error = s->failure;
        }
    } else {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a site");
    }
    pthread_mutex_unlock(&p->lock);
    return status;
}

typedef struct verdict {
    const char *target;
    bool allowed;
    double delay;
} verdict;

static void ask_verdict(const vl_robots *robots, void *to) {
    verdict *v = to;
    v->allowed = vl_robots_allow(robots, v->target);
    v->delay = vl_robots_delay(robots);
}

/* Whether robots.txt lets us, and how long a pause it wants. */
static vl_status ask_leave(run *r, vl_error *error) {
    const vl_polite_options *options = &r->polite->options;
    r->pause = fmax(options->interval, r->request->interval);
    if (r->api)
        return VL_OK;
    verdict v = {.target = r->place.target};
    vl_status status = with_robots(r->polite, r->place.origin, ask_verdict, &v, error);
    if (status)
        return status;
    r->pause = fmax(r->pause, fmin(v.delay, options->longest_delay));
    return v.allowed ? VL_OK
                     : vl_fail(error, VL_ERR_DENIED, "robots.txt of %s does not allow it",
                               r->place.host);
}

static void list_sitemaps(const vl_robots *robots, void *to) {
    const char *url;
    for (size_t i = 0; (url = vl_robots_sitemap(robots, i)); i++)
        vl_buf_printf(to, "%s\n", url);
}

vl_status vl_polite_sitemaps(vl_polite *p, const char *url, vl_buf *lines, vl_error *error) {
    place at;
    vl_status status = find_place(url, &at, error);
    if (!status)
        status = with_robots(p, at.origin, list_sitemaps, lines, error);
    return status ? status : vl_buf_status(lines, "site maps", error);
}

/* ---- requests --------------------------------------------------------------------------- */

typedef struct header_lines {
    vl_buf text;
    const char **lines;
} header_lines;

static void free_lines(header_lines *h) {
    vl_buf_deinit(&h->text);
    free(h->lines);
}

/* The request's own, and those that ask for what is newer than what is here. */
static vl_status make_lines(const vl_polite_request *request, header_lines *h,
                            vl_error *error) {
    size_t count = 0;
    vl_buf_init(&h->text, HEADERS_MAX);
    while (request->headers && request->headers[count])
        count++;
    h->lines = calloc(count + 3, sizeof *h->lines);
    if (!h->lines)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for headers");
    for (size_t i = 0; i < count; i++)
        h->lines[i] = request->headers[i];
    if (request->etag)
        vl_buf_printf(&h->text, "If-None-Match: %s", request->etag);
    vl_buf_append(&h->text, "", 1);
    size_t second = h->text.len;
    if (request->modified)
        vl_buf_printf(&h->text, "If-Modified-Since: %s", request->modified);
    if (h->text.failed || strpbrk(h->text.data, "\r\n") ||
        strpbrk(h->text.data + second, "\r\n"))
        return vl_fail(error, VL_ERR_INPUT, "its ETag or Last-Modified is no header");
    if (request->etag)
        h->lines[count++] = h->text.data;
    if (request->modified)
        h->lines[count] = h->text.data + second;
    return VL_OK;
}

static vl_status fetch(run *r, vl_error *error) {
    vl_status status = begin(r, error);
    for (unsigned hops = 0; !status; hops++) {
        status = ask_leave(r, error);
        if (!status)
            status = ask(r, error);
        if (status || !*r->reply->next)
            break;
        if (hops == r->polite->options.rules.redirects)
            return vl_fail(error, VL_ERR_LIMIT, "it is redirected more than %u times", hops);
        status = hop(r, error);
    }
    if (status == VL_ERR_DENIED)
        count_up(r->polite, &r->polite->counts.refused);
    return status;
}

static vl_status fetch_keeping(vl_polite *p, const vl_polite_request *request,
                               vl_fetch_reply *reply, vl_buf *refusal, vl_error *error) {
    header_lines h = {.lines = NULL};
    vl_error local;
    run r = {.polite = p, .request = request, .reply = reply, .refusal = refusal};
    error = error ? error : &local;
    vl_status status = make_lines(request, &h, error);
    r.headers = h.lines;
    if (!status)
        status = fetch(&r, error);
    free_lines(&h);
    return status;
}

vl_status vl_polite_fetch(vl_polite *p, const vl_polite_request *request, vl_fetch_reply *reply,
                          vl_error *error) {
    vl_buf refusal;
    vl_buf_init(&refusal, REFUSAL_MAX);
    vl_status status = fetch_keeping(p, request, reply, &refusal, error);
    vl_buf_deinit(&refusal);
    return status;
}

static vl_status keep_body(void *to, const void *bytes, size_t count, vl_error *error) {
    vl_buf *out = to;
    if (count > out->max - out->len)
        return vl_fail(error, VL_ERR_LIMIT, "it is larger than %zu bytes", out->max);
    vl_buf_append(out, bytes, count);
    return vl_buf_status(out, "a document", error);
}

static vl_status fail_status(unsigned http, const vl_buf *refusal, vl_error *error) {
    char words[VL_WORDS_SIZE];
    vl_first_words(refusal->data ? refusal->data : "", refusal->len, words);
    return vl_fail(error, http == 401 || http == 403 ? VL_ERR_DENIED : VL_ERR_INPUT,
                   "its host answers %u%s%s", http, *words ? ": " : "", words);
}

vl_status vl_polite_get(vl_polite *p, const vl_polite_request *request, vl_buf *out,
                        vl_error *error) {
    vl_buf refusal;
    vl_fetch_reply reply;
    vl_polite_request kept = *request;
    kept.sink = keep_body;
    kept.again = forget_robots;
    kept.to = out;
    vl_buf_init(&refusal, REFUSAL_MAX);
    vl_fetch_reply_init(&reply);
    vl_status status = fetch_keeping(p, &kept, &reply, &refusal, error);
    if (!status && (reply.status < 200 || reply.status >= 300))
        status = fail_status(reply.status, &refusal, error);
    vl_fetch_reply_deinit(&reply);
    vl_buf_deinit(&refusal);
    return status;
}

vl_polite_counts vl_polite_count(vl_polite *p) {
    pthread_mutex_lock(&p->lock);
    vl_polite_counts counts = p->counts;
    pthread_mutex_unlock(&p->lock);
    counts.waited = vl_turns_waited(p->turns);
    return counts;
}

/* ---- making and freeing ----------------------------------------------------------------- */

/* It stands in a header, in brackets: RFC 9110, section 10.1.5. */
static bool is_contact(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f ||
            strchr("()\\", *text))
            return false;
    return true;
}

static vl_status make_agent(vl_polite *p, const char *contact, vl_error *error) {
    if (!is_contact(contact) || strlen(contact) > AGENT_SIZE / 2)
        return vl_fail(error, VL_ERR_USAGE,
                       "the contact '%.100s' is no URL or mail address to be written to",
                       contact);
    snprintf(p->agent, sizeof p->agent, "%s/%s%s%s%s", product, VL_VERSION,
             *contact ? " (+" : "", contact, *contact ? ")" : "");
    return VL_OK;
}

vl_status vl_polite_new(const vl_polite_options *options, vl_polite **polite, vl_error *error) {
    vl_polite *p = calloc(1, sizeof *p);
    if (!p)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for requests");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->had, NULL);
    vl_random_bytes(&p->seed, sizeof p->seed);
    p->options = *options;
    p->hosts = strdup(options->rules.hosts);
    p->ca = options->rules.ca ? strdup(options->rules.ca) : NULL;
    vl_status status = VL_OK;
    if (!p->hosts || (options->rules.ca && !p->ca))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for requests");
    if (!status)
        status = make_agent(p, options->contact ? options->contact : "", error);
    if (!status)
        status = vl_turns_new(options, &p->turns, error);
    p->options.rules.hosts = p->hosts;
    p->options.rules.ca = p->ca;
    p->options.rules.agent = p->agent;
    p->options.contact = NULL;
    if (status) {
        vl_polite_free(p);
        return status;
    }
    *polite = p;
    return VL_OK;
}

void vl_polite_free(vl_polite *p) {
    if (!p)
        return;
    while (p->fetchers) {
        idle *next = p->fetchers->next;
        vl_fetcher_free(p->fetchers->fetcher);
        free(p->fetchers);
        p->fetchers = next;
    }
    while (p->sites) {
        site *next = p->sites->next;
        site_free(p->sites);
        p->sites = next;
    }
    vl_turns_free(p->turns);
    pthread_cond_destroy(&p->had);
    pthread_mutex_destroy(&p->lock);
    free(p->hosts);
    free(p->ca);
    free(p);
}
