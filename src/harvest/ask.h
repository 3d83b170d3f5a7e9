/* ask.h — what is asked for (vl_harvest_query), on its way into a source's own words: lists,
 * times, kinds of files, URLs, and pages that go by when things were changed.
 *
 * Ownership: what lies in an arena does so as long as that. Thread-safety: all functions. */
#ifndef VL_HARVEST_ASK_H
#define VL_HARVEST_ASK_H

#include "harvest/source.h"

/* ---- lists and times -------------------------------------------------------------------- */

/* The next item at *list, without white space around it and not NUL-terminated, *list after it;
 * NULL: there is none. */
const char *vl_ask_next(const char **list, size_t *length);
/* The items of a comma list without white space around them, empty ones left out; in the arena,
 * NULL at the end. `count` may be NULL. NULL: arena full. */
char **vl_ask_list(vl_arena *arena, const char *list, size_t *count);
/* Whether a comma list has `item`, in any case. */
bool vl_ask_listed(const char *list, const char *item);
/* Whether an empty list, or one that has this language by any of its codes ("sw", "swa"). */
bool vl_ask_language(const char *list, const char *language);

/* A date, or a time of RFC 3339 (also without zone, which is UTC, and with a space for the T),
 * as one in UTC, in whole seconds: "2025-01-31T00:00:00Z"; a date's last second when `end`.
 * False: it is none from the year 1000 to 9999. */
#define VL_ASK_TIME_SIZE 24
bool vl_ask_time(const char *text, bool end, char out[VL_ASK_TIME_SIZE]);
/* VL_ERR_USAGE: since or until is no date, or they are the wrong way round. */
vl_status vl_ask_check_times(const vl_harvest_query *query, vl_error *error);

/* What a source cannot be asked for: VL_ERR_USAGE names what was asked all the same. */
enum {
    VL_ASK_LANGUAGES = 1,
    VL_ASK_COUNTRIES = 2,
    VL_ASK_THEMES = 4,
    VL_ASK_WORDS = 8,
    VL_ASK_TIMES = 16,
};
vl_status vl_ask_refuse(const char *source, const vl_harvest_query *query, unsigned what,
                        vl_error *error);

/* ---- kinds of files --------------------------------------------------------------------- */

/* "pdf", "html", "docx", "odt", "text", "data" or "picture", as of vl_harvest_query.formats, by
 * a media type ("application/pdf; q=1"), a name or URL ("a.PDF?x=1") or a source's short name
 * ("XLSX", "Shapefile"); any may be NULL. "": none of these. Static storage. */
const char *vl_ask_kind(const char *type, const char *name);
/* Whether files of a kind are asked for, and whether any kind is ("") or only some. */
bool vl_ask_wants(const vl_harvest_query *query, const char *kind);

/* ---- addresses -------------------------------------------------------------------------- */

/* Percent-coded (RFC 3986, section 2.3: all but unreserved characters). */
void vl_ask_put_escaped(vl_buf *out, const char *text);
/* A base address of the settings without a slash at its end. */
void vl_ask_put_base(vl_buf *out, const vl_config *config, const char *setting);

/* Records of a page: as many as are asked for in all, but from `least` (some are left out) to
 * `most`. */
size_t vl_ask_page_size(const vl_harvest_query *query, size_t least, size_t most);

/* ---- pages that go by time -------------------------------------------------------------- */

/* Offsets alone lose records when others are changed while pages are fetched: each of those
 * moves to the other end of what is sorted by change, and all behind it a place forward. So a
 * page begins at the time at which the page before ended (which gives a few records again), and
 * an offset counts only within one second. A killed harvest goes on from there, whatever
 * happened meanwhile.
 *
 * All of it is gone through from the oldest change on, so that what is changed meanwhile comes
 * at the end; with a limit from the newest on, which are those that somebody means. */
typedef struct vl_ask_place {
    char from[VL_ASK_TIME_SIZE], to[VL_ASK_TIME_SIZE]; /* both inclusive; "": open */
    bool newest_first;
    uint64_t offset; /* of the records between */
} vl_ask_place;
/* What is between since and until of the query, which were checked, from where the cursor says
 * ("": all of it). VL_ERR_INPUT: it is no cursor. */
vl_status vl_ask_place_read(const char *cursor, const vl_harvest_query *query,
                            vl_ask_place *place, vl_error *error);
/* After a page of `count` records, sorted by change, the last at `last` (NULL: not known). */
void vl_ask_place_advance(vl_ask_place *place, const char *last, uint64_t count);
void vl_ask_place_write(const vl_ask_place *place, vl_buf *cursor);

#endif
