/* robots.h — what a site asks of programs that visit it: the Robots Exclusion Protocol
 * (RFC 9309), for one product token.
 *
 * Read to the letter of the RFC: groups that name our token are one group, whatever stands
 * between them; `*` is for those that no group names; of the rules that match, the one with
 * most octets counts, and of two as long "allow"; records that the RFC does not know end no
 * group. Beyond it: a Crawl-delay counts for those that were named since the last one or the
 * last rule, and of several the longest.
 *
 * Pure functions; an object is read by any number of threads. */
#ifndef VL_HARVEST_ROBOTS_H
#define VL_HARVEST_ROBOTS_H

#include <vislang/base.h>

enum {
    VL_ROBOTS_BYTES = 500 << 10, /* that are read of a file (section 2.5) */
    VL_ROBOTS_SITEMAPS = 1000,   /* lines that are kept */
};

typedef struct vl_robots vl_robots;
/* `agent` is a product token: letters, '-' and '_'. No text is wrong; VL_ERR_MEMORY. */
vl_status vl_robots_parse(const char *text, size_t bytes, const char *agent, vl_robots **robots,
                          vl_error *error);
void vl_robots_free(vl_robots *robots); /* NULL allowed */
/* Whether `target`, "/path?query" as it stands in the URL, may be fetched (section 2.2.2). */
bool vl_robots_allow(const vl_robots *robots, const char *target);
double vl_robots_delay(const vl_robots *robots); /* seconds; 0: none is asked for */
/* Sitemap lines (sitemaps.org) in their order, of any group; NULL: there are no more. */
const char *vl_robots_sitemap(const vl_robots *robots, size_t index);

#endif
