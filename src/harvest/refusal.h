/* refusal.h — what an answer says besides its body: later, not for programs like this one, or
 * not for programs at all.
 *
 * Pure functions. */
#ifndef VL_HARVEST_REFUSAL_H
#define VL_HARVEST_REFUSAL_H

#include "harvest/fetch.h"

enum { VL_OPENING_SIZE = 512, VL_WORDS_SIZE = 200 };

/* Retry-After (RFC 9110, section 10.2.3), seconds from now on: a number, or a date, which is
 * compared with the answer's own Date, or `now` (seconds since 1970) where there is none.
 * Negative: it does not say. */
double vl_retry_after(const vl_fetch_reply *reply, int64_t now);

/* The directive of X-Robots-Tag that keeps `agent` from using this: noai, noimageai, noindex,
 * noimageindex, none; NULL: it may. A line that names another program first is for that one.
 * For an interface (`api`) the two about search engines say nothing. */
const char *vl_robots_tag(const vl_fetch_reply *reply, const char *agent, bool api);

/* The same of one list of directives, as in <meta name=robots>. */
const char *vl_robots_directive(const char *list, size_t bytes, const char *agent, bool api);

/* Whether a body begins as a page of HTML does, whatever its Content-Type. */
bool vl_opens_as_page(const char *body, size_t bytes);

/* Whether the answer is a page to prove that one is no program: the headers by which Cloudflare
 * (cf-mitigated) and AWS WAF (x-amzn-waf-action) say so; from an interface, a page with a
 * program in it (`<script`) and a status of 401, 403, 404 or 405. `body` is what there is of
 * one outside 200 to 299. */
bool vl_is_challenge(const vl_fetch_reply *reply, bool api, const char *body, size_t bytes);

/* What a body says, for a message: its first words, of a page those of its title. */
void vl_first_words(const char *body, size_t bytes, char out[VL_WORDS_SIZE]);

#endif
