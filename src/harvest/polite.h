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

typedef struct vl_polite_options {
    vl_fetch_rules rules; /* `agent` is made of `contact` */
    const char *contact;  /* a URL or mail address, for the User-Agent; "": none */
    double interval;      /* seconds from one request's end to the next's start, per host; 1 */
    double longest_delay; /* a Crawl-delay over it counts as it, seconds; 60 */
    double longest_wait;  /* for Retry-After and back-off; more is VL_ERR_BUSY; 300 */
    unsigned tries;       /* of a request that fails for a while (429, 5xx, broken off); 5 */
    double first_wait; /* before the second try; doubles, and is drawn from its upper half; 2 */
    const atomic_bool *cancel; /* NULL: cannot be */
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
    bool api;         /* an interface that is offered to programs: robots.txt is not asked. */
    bool ignore_tags; /* X-Robots-Tag (noai, noindex, noimageai, noimageindex) is not obeyed */
    vl_fetch_sink sink;
    /* Called before a try that follows one that gave bytes to `sink`: throw them away. NULL:
     * no such try is made. */
    void (*again)(void *to);
    void *to;
} vl_polite_request;

/* As vl_fetch; answers that are errors for good (404, 410, 401, …) are answers, 304 too.
 * VL_ERR_DENIED also: robots.txt or X-Robots-Tag says no, or a page to prove that one is no
 * program came instead ("blocked"); it is never worked around. VL_ERR_BUSY: the host wants us
 * to wait longer than longest_wait, with how long. VL_ERR_MISSING: not reached after all tries.
 */
vl_status vl_polite_fetch(vl_polite *polite, const vl_polite_request *request,
                          vl_fetch_reply *reply, vl_error *error);

/* The same for a document that is kept in memory, of at most `out->max` bytes. An answer that
 * is not 200 to 299 is an error here: VL_ERR_INPUT, VL_ERR_DENIED for 401 and 403, with the
 * first words of what the host says. */
vl_status vl_polite_get(vl_polite *polite, const vl_polite_request *request, vl_buf *out,
                        vl_error *error);

/* Requests made, tries that failed, seconds waited, bytes: for the end of a harvest. */
typedef struct vl_polite_counts {
    uint64_t requests, retries, refused, bytes;
    double waited;
} vl_polite_counts;
vl_polite_counts vl_polite_count(vl_polite *polite);

#endif
