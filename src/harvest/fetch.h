/* fetch.h — one document over HTTP, from the hosts that are allowed and from nowhere inside.
 *
 * Where a URL leads is decided where the connection is made: every address that is about to be
 * connected to is looked at, for the first request and for every redirect, so neither a name
 * that resolves to something private, nor one that resolves to another address the second time,
 * nor another way of writing an address gets through. No proxy is asked, no cookie kept, no
 * password sent.
 *
 * Thread-safety: a fetcher serves one thread at a time. */
#ifndef VL_HARVEST_FETCH_H
#define VL_HARVEST_FETCH_H

#include "base/address.h"

#include <stdatomic.h>

enum { VL_FETCH_URL_SIZE = 2048, VL_FETCH_HEADERS_MAX = 64 << 10 };

typedef struct vl_fetch_rules {
    /* "example.org, .example.org, *": that host; the hosts below it; any. "": none. */
    const char *hosts;
    vl_networks networks;   /* may be connected to although they are not public */
    const char *agent;      /* User-Agent */
    const char *ca;         /* file of certificates; NULL: the system's */
    double connect_seconds; /* 5 */
    double seconds;         /* for everything, redirects included; 30 */
    uint64_t max_bytes;     /* of a body, decoded; 64 MB */
    unsigned redirects;     /* 5 */
} vl_fetch_rules;
vl_fetch_rules vl_fetch_rules_default(void); /* `hosts` is "*" */

/* Takes a piece of the body; what it returns ends the fetch. */
typedef vl_status (*vl_fetch_sink)(void *to, const void *bytes, size_t count, vl_error *error);

typedef struct vl_fetch_request {
    const char *url;
    /* "Name: value", NULL at the end; or NULL. Another host that we are sent to gets none. */
    const char *const *headers;
    const char *body; /* sent by POST; NULL: GET. A redirect of it is refused. */
    size_t body_bytes;
    vl_fetch_sink sink; /* of an answer with a status from 200 to 299 */
    void *to;
    /* Takes the beginning of the body of an answer with any other status, as much as fits
     * below its maximum; NULL: nobody reads it. */
    vl_buf *refusal;
    bool stay;                 /* a redirect is an answer too; where it leads is reply->next */
    const atomic_bool *cancel; /* NULL: cannot be */
} vl_fetch_request;

typedef struct vl_fetch_reply {
    unsigned status;
    char url[VL_FETCH_URL_SIZE];  /* whose answer this is, after redirects */
    uint64_t bytes;               /* of the body, decoded */
    vl_buf headers;               /* "name: value\n" as they came, of the last answer */
    char next[VL_FETCH_URL_SIZE]; /* where a redirect leads that was not followed; "": none */
    bool next_is_elsewhere;       /* to another origin, which gets no headers of the request */
} vl_fetch_reply;
void vl_fetch_reply_init(vl_fetch_reply *reply);
void vl_fetch_reply_deinit(vl_fetch_reply *reply);
/* The first header of that name, in any case, into `value`; false: there is none that fits. */
bool vl_fetch_header(const vl_fetch_reply *reply, const char *name, char *value, size_t size);

typedef struct vl_fetcher vl_fetcher;
/* Strings of the rules stay the caller's. */
vl_status vl_fetcher_new(const vl_fetch_rules *rules, vl_fetcher **fetcher, vl_error *error);
void vl_fetcher_free(vl_fetcher *fetcher);
/* An answer of any status is one. VL_ERR_INPUT: the URL is none, or not of HTTP;
 * VL_ERR_DENIED: its host is not allowed, or its address is not public; VL_ERR_LIMIT: too
 * large, or too many redirects; VL_ERR_TIMEOUT; VL_ERR_CANCELLED; VL_ERR_MISSING: nothing was
 * reached, or it broke off. */
vl_status vl_fetch(vl_fetcher *fetcher, const vl_fetch_request *request, vl_fetch_reply *reply,
                   vl_error *error);

/* Whether `host` is in such a list; case does not matter, nor a dot at its end. */
bool vl_fetch_host_listed(const char *hosts, const char *host);

#endif
