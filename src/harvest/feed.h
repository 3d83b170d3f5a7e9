/* feed.h — lists of pages that sites publish in XML: site maps and their indexes (sitemaps.org
 * 0.9, with xhtml:link for other languages), RSS 2.0, Atom 1.0 (RFC 4287).
 *
 * Outside bytes: nothing is fetched for them, a document type is refused, entities are not
 * expanded, texts and counts have limits.
 *
 * Ownership: everything lies in the arena. Thread-safety: all functions. */
#ifndef VL_HARVEST_FEED_H
#define VL_HARVEST_FEED_H

#include <vislang/base.h>

enum {
    VL_FEED_BYTES = 50 << 20, /* of a site map, unpacked (sitemaps.org) */
    VL_FEED_ITEMS = 50000,    /* of a site map (the same); what is over is left out */
    VL_FEED_LINKS = 8,        /* of one item; the same */
    VL_FEED_TEXT_SIZE =
        2048, /* of a title or licence, which is cut; an address may not be longer */
};

typedef enum vl_feed_kind {
    VL_FEED_INDEX, /* of site maps: items are those */
    VL_FEED_MAP,
    VL_FEED_RSS,
    VL_FEED_ATOM,
} vl_feed_kind;

typedef struct vl_feed_link {
    const char *url, *type; /* type may be NULL */
    uint64_t bytes;         /* 0: not said */
} vl_feed_link;

/* Absent strings are NULL. URLs are absolute, of HTTP, without fragment. */
typedef struct vl_feed_item {
    const char *url; /* never NULL */
    const char *title;
    const char *language;            /* primary subtag of hreflang, xml:lang: "sw" */
    const char *published, *changed; /* RFC 3339, UTC */
    const char *licence;
    vl_feed_link *files; /* enclosures */
    size_t file_count;
} vl_feed_item;

typedef struct vl_feed {
    vl_feed_kind kind;
    const char *title, *language, *licence; /* of all items that say nothing else */
    const char *next;                       /* the following page of a feed (RFC 5005) */
    vl_feed_item *items;
    size_t count;
    size_t dropped; /* items that were too many or named no page */
} vl_feed;

/* Whether bytes could be one: they begin as XML does, or as gzip. */
bool vl_feed_looks_like(const char *bytes, size_t count);
/* `url`: whose answer it is. VL_ERR_INPUT: no well-formed XML; VL_ERR_UNSUPPORTED: something
 * else in XML; VL_ERR_LIMIT: over VL_FEED_BYTES; VL_ERR_MEMORY: the arena is full. */
vl_status vl_feed_read(const char *bytes, size_t count, const char *url, vl_arena *arena,
                       vl_feed *feed, vl_error *error);

/* ---- what the readers of XML and HTML share -----------------------------------------------
 */

void vl_xml_begin(void); /* before the first use of libxml2, any number of times */
/* `reference` as it stands in a document at `base`, absolute and without fragment, if it is of
 * HTTP; NULL: it is not, or the arena is full. */
const char *vl_feed_resolve(vl_arena *arena, const char *base, const char *reference);
/* "sw" of " sw-KE"; NULL: it is none, or x-default. */
const char *vl_feed_language(vl_arena *arena, const char *tag);

#endif
