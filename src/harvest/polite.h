/* polite.h — fetching as a guest: robots.txt (RFC 9309), one request at a time to a host and no
 * faster than it likes, Retry-After, exponential back-off, conditional requests, and an honest
 * name with somebody to write to.
 *
 * What a host asked of us is remembered while the process lives; what was fetched is not.
 *
 * Thread-safety: all functions, from any thread; requests to one host wait for each other. */
#ifndef VL_HARVEST_POLITE_H
#define VL_HARVEST_POLITE_H

#include "harvest/fetch.h"

/* Whose time goes by. */
typedef struct vl_polite_clock {
    int64_t (*now)(void *user);                    /* nanoseconds; never goes back */
    void (*wait)(void *user, int64_t nanoseconds); /* about as long; from any thread */
    void *user;
} vl_polite_clock;

typedef struct vl_polite_options {
    vl_fetch_rules rules; /* `agent` is made of `contact` */
    const char *contact;  /* a URL or mail address, for the User-Agent; "": none */
    double interval;      /* seconds from one request's end to the next's start, per host; 1 */
    double longest_delay; /* a Crawl-delay over it counts as it, seconds; 60 */
    double longest_wait;  /* for Retry-After and back-off; more is VL_ERR_BUSY; 300 */
    unsigned tries;       /* of a request that fails for a while (429, 5xx, broken off); 5 */
    double first_wait; /* before the second try; doubles, and is drawn from its upper half; 2 */
    const atomic_bool *cancel;    /* NULL: cannot be; a thread that is asked to stop
                                     (vl_stop_watch) does, wherever it waits */
    const vl_polite_clock *clock; /* NULL: this machine's */
} vl_polite_options;
vl_polite_options vl_polite_options_default(void);

typedef struct vl_polite vl_polite;
/* Strings of the options are copied. */
vl_status vl_polite_new(const vl_polite_options *options, vl_polite **polite, vl_error *error);
void vl_polite_free(vl_polite *polite);

typedef struct vl_polite_request {
    const char *url;
    const char *const *headers; /* as vl_fetch_request */
    const char *body;
    size_t body_bytes;
    const char *etag, *modified; /* of what is here already; NULL: nothing is */
    double interval;             /* seconds that the source itself asks for between two; 0 */
    /* An interface that is offered to programs. robots.txt is not asked, as long as no redirect
     * leads to another host; a noindex is about search engines, and no refusal; an answer that
     * is a web page is none ("blocked"). */
    bool api;
    /* X-Robots-Tag (noai, noindex, noimageai, noimageindex, none) is not obeyed: for what only
     * leads to documents, as a site map does. */
    bool ignore_tags;
    vl_fetch_sink sink; /* asks for nothing else here: its host would wait for itself */
    /* Called before a try that follows one that gave bytes to `sink`: throw them away. NULL:
     * no such try is made. */
    void (*again)(void *to);
    void *to;
} vl_polite_request;

/* As vl_fetch; answers that are errors for good (404, 410, 401, …) are answers, 304 too. Every
 * redirect is a request of its own: robots.txt of its host is asked, and its turn waited for.
 * VL_ERR_DENIED also: robots.txt or X-Robots-Tag says no, or a page to prove that one is no
 * program came instead ("blocked"); it is never worked around. VL_ERR_BUSY: the host wants us
 * to wait longer than longest_wait, with how long, or it says 429 after all tries.
 * VL_ERR_MISSING, VL_ERR_TIMEOUT: not reached after all tries, and so it is when robots.txt
 * cannot be had, which forbids everything (RFC 9309, section 2.3.1.4). What is sent by POST is
 * tried again too: it is a question. */
vl_status vl_polite_fetch(vl_polite *polite, const vl_polite_request *request,
                          vl_fetch_reply *reply, vl_error *error);

/* The same for a document that is kept in memory, of at most `out->max` bytes. An answer that
 * is not 200 to 299 is an error here: VL_ERR_INPUT, VL_ERR_DENIED for 401 and 403, with the
 * first words of what the host says. */
vl_status vl_polite_get(vl_polite *polite, const vl_polite_request *request, vl_buf *out,
                        vl_error *error);

/* The site maps that robots.txt of this URL's host names, a line each: "URL\n". */
vl_status vl_polite_sitemaps(vl_polite *polite, const char *url, vl_buf *lines,
                             vl_error *error);

/* Requests made, tries that failed, seconds waited, bytes: for the end of a harvest. */
typedef struct vl_polite_counts {
    uint64_t requests, retries, refused, bytes;
    double waited;
} vl_polite_counts;
vl_polite_counts vl_polite_count(vl_polite *polite);

#endif
