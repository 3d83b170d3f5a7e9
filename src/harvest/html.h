/* html.h — what a page of HTML says of itself, and the documents that it links to.
 *
 * Outside bytes, read by libxml2's HTML parser without network.
 *
 * Ownership: everything lies in the arena. Thread-safety: all functions. */
#ifndef VL_HARVEST_HTML_H
#define VL_HARVEST_HTML_H

#include "harvest/feed.h"

enum { VL_HTML_BYTES = 4 << 20, VL_HTML_LINKS = 64 };

/* Absent strings are NULL. URLs are absolute, of HTTP, without fragment. */
typedef struct vl_html {
    const char *title;
    const char *language;    /* <html lang>, its primary subtag: "sw" */
    const char *licence;     /* <link rel=license>, <a rel=license> */
    const char *robots;      /* <meta name=robots> or our name, all of them with commas */
    vl_feed_link *documents; /* <a href> to PDF, DOCX, ODT, each once */
    size_t document_count;
    vl_feed_link *feeds; /* <link rel=alternate> to RSS or Atom, <link rel=sitemap> */
    size_t feed_count;
} vl_html;

/* UTF-8 of a body, behind a byte order mark when it was written otherwise: by its own mark, by
 * the charset of `type` (its Content-Type; may be NULL) or by that of a <meta> among the first
 * 1,024 bytes (HTML Standard, section 13.2.3.2), else it is UTF-8 already. VL_ERR_INPUT: it is
 * not what it says. */
vl_status vl_html_to_utf8(const char *bytes, size_t count, const char *type, vl_arena *arena,
                          const char **text, size_t *text_bytes, vl_error *error);
/* `url`: whose answer it is. Any text is a page. VL_ERR_LIMIT: over VL_HTML_BYTES. */
vl_status vl_html_read(const char *text, size_t bytes, const char *url, const char *agent,
                       vl_arena *arena, vl_html *html, vl_error *error);

/* ---- pictures -----------------------------------------------------------------------------
 */

enum { VL_HTML_PICTURES = 128, VL_HTML_ADDRESSES = 24 };

/* A picture of what a page is about, of its sizes the one that is best to have. */
typedef struct vl_html_picture {
    const char *url;              /* absolute, of HTTP */
    const char *const *addresses; /* as they stand in the page, for any of its sizes */
    size_t address_count;         /* 1 … VL_HTML_ADDRESSES */
} vl_html_picture;
/* Those of JPEG, PNG, WebP and TIFF, as far as their names say, in order; the same url once.
 * Left out is what stands in navigation, headers and footers, forms, notices and other such
 * parts (by element, role, or a word of class or id), what is smaller than 48 pixels or says
 * that it is for looks, icons and trackers; and all of a page that wants its pictures left
 * alone (`robots`: noimageindex, noimageai and the like, for `agent`). Errors are
 * vl_html_read's. */
vl_status vl_html_pictures(const char *text, size_t bytes, const char *url, const char *agent,
                           vl_arena *arena, vl_html_picture **pictures, size_t *count,
                           vl_error *error);

#endif
