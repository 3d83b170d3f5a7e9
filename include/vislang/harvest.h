/* harvest.h — from a source to a collection: what was published, with where it came from.
 *
 * A collection is a folder (docs/harvest.md): each content once, by its SHA-256, and a database
 * of the records that sources gave, of their files, and of where each content came from. It may
 * be copied and moved as a folder while nobody writes to it, and read while somebody does.
 *
 * Ownership: strings of options stay the caller's. Thread-safety: a collection may be used by
 * several threads; one process at a time harvests a source into it. */
#ifndef VISLANG_HARVEST_H
#define VISLANG_HARVEST_H

#include <vislang/base.h>

#include <stdatomic.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- reading a collection ---------------------------------------------------------------- */

typedef struct vl_collection vl_collection;
/* `make`: the folder and its database, when they are not there; else VL_ERR_INPUT.
 * VL_ERR_INPUT too: it is of a newer program. */
vl_status vl_collection_open(const char *folder, bool make, vl_collection **collection,
                             vl_error *error);
void vl_collection_close(vl_collection *collection); /* NULL allowed */
/* The file that holds a content: "FOLDER/objects/ab/abcdef…". */
vl_status vl_collection_path(const vl_collection *collection, const char *sha256, char *path,
                             size_t size, vl_error *error);

/* One content, as it came from one place. Strings are "" when nothing is known. */
typedef struct vl_holding {
    int64_t id; /* counts up; a content that a file has once more keeps the one it had */
    const char *source, *key;                   /* whose record, and its key there */
    const char *title, *page_url;               /* of the record */
    const char *language;                       /* of the file, else of the record; as given */
    const char *published, *changed;            /* RFC 3339 */
    const char *licence, *terms, *publisher;    /* as they were when it was fetched */
    const char *countries, *themes, *disasters; /* comma lists */
    const char *name, *url, *final_url;         /* of the file; after redirects */
    const char *type;                           /* by the first bytes of the content */
    const char *type_said;                      /* by the server, or else by the source */
    const char *etag, *last_modified, *headers; /* headers: "name: value\n" */
    const char *fetched;                        /* RFC 3339 */
    const char *raw;                            /* the source's own object, JSON */
    const char *sha256;
    uint64_t bytes;
    unsigned status; /* of HTTP; 0: it did not come by HTTP */
    bool current;    /* false: the file has another content since */
    bool shown;      /* a picture that a page of the record shows, and no document of its own */
} vl_holding;
typedef vl_status (*vl_holding_fn)(const vl_holding *holding, void *to, vl_error *error);
typedef struct vl_holding_query {
    int64_t after;       /* ids above it: where an earlier reading came to; 0: from the first */
    const char *sources; /* comma lists; NULL or "": any */
    const char *formats; /* "pdf,html,docx,odt,text,picture,data" */
    bool with_old;       /* contents that were replaced, too */
    /* By source, then key (as bytes), then id: what a record has comes together. Else by id. */
    bool by_record;
    const char *after_source, *after_key; /* by record: those behind it; NULL: from the first */
    uint64_t records;                     /* by record: of at most so many; 0: of all */
} vl_holding_query;
/* All that is asked for, in memory that does not grow with it. No transaction is open while
 * `give` runs, so it may take its time; what is harvested meanwhile may come too. */
vl_status vl_collection_holdings(vl_collection *collection, const vl_holding_query *query,
                                 vl_holding_fn give, void *to, vl_error *error);
/* The picture that an HTML page shows: `page` is the page's vl_holding.id, `address` is as it
 * stands in the page (of any of the picture's sizes) or absolute. In a folder or archive it is
 * the file that a relative address leads to, within it. VL_ERR_MISSING: it was not asked for,
 * could not be had, or is none. */
vl_status vl_collection_find_picture(vl_collection *collection, int64_t page,
                                     const char *address, char sha256[VL_SHA256_HEX_SIZE],
                                     vl_error *error);
/* What there is, by source, language and type, and what failed and why, as a JSON object. */
vl_status vl_collection_status(vl_collection *collection, vl_buf *json, vl_error *error);

/* ---- harvesting -------------------------------------------------------------------------- */

/* What is asked of a source. Lists are comma lists; "" or NULL leaves it open. */
typedef struct vl_harvest_query {
    const char *languages;     /* ISO 639-1 or -3: "sw,fra" */
    const char *countries;     /* ISO 3166-1 alpha-3: "ken,ssd" */
    const char *themes;        /* as the source calls them: "Health,Water Sanitation Hygiene" */
    const char *formats;       /* "pdf,html,docx,odt,text,data,picture" */
    const char *words;         /* to search for */
    const char *since, *until; /* dates, "2025-01-31", or times of RFC 3339; both inclusive */
    uint64_t limit;            /* records; 0: all. The caller counts; a hint for page sizes. */
} vl_harvest_query;

enum { VL_HARVEST_REASONS = 16 };
typedef struct vl_harvest_report {
    char source[32];
    bool resumed;  /* went on with a run that had been broken off: its counts are in these */
    bool complete; /* all that the source had for the query was seen */
    char since[VL_RFC3339_SIZE]; /* records that changed before were not asked for; "" all */
    uint64_t pages;
    uint64_t records_new, records_changed, records_same;
    uint64_t files_fetched;   /* that gave a content which this file did not have */
    uint64_t files_unchanged; /* asked for and the same as before (304, or the same bytes) */
    uint64_t files_failed, files_left; /* left: not of the formats asked for */
    uint64_t files_waiting;            /* not asked for yet: the run was stopped */
    uint64_t bytes;                    /* of contents that were fetched */
    uint64_t requests;                 /* of this process, as the next two */
    double waited, seconds;
    struct {
        char reason[32];   /* "http 404", "denied", "timeout", … */
        char example[256]; /* what was said of one of them */
        uint64_t files;
    } reasons[VL_HARVEST_REASONS]; /* of failed files, the commonest first */
    size_t reason_count;
} vl_harvest_report;
void vl_harvest_report_json(const vl_harvest_report *report, vl_buf *out);
void vl_harvest_report_text(const vl_harvest_report *report, vl_buf *out);

typedef struct vl_harvest_options {
    const char *source;
    vl_harvest_query query;
    const vl_config *config;   /* harvest_…, of which the sources read their own */
    unsigned hosts;            /* fetched from at the same time, one request each: 4 */
    unsigned attempts;         /* runs that try a file which fails: 4 */
    uint64_t min_free;         /* bytes of the disk that stay free: 256 MB */
    const atomic_bool *cancel; /* NULL: cannot be */
    /* Called after each page and file, one call at a time, from any thread. */
    void (*progress)(const vl_harvest_report *report, void *user);
    void *user;
} vl_harvest_options;
vl_harvest_options vl_harvest_options_default(void);
/* Everything of the query that is new or changed since the last complete run of the same query.
 * Whenever it ends, however it ends, what the report says was kept is kept, and the next run
 * goes on from there. Files that cannot be had are no error; the report counts them.
 *
 * VL_ERR_USAGE: no such source, or it cannot answer that; VL_ERR_BUSY: the source is being
 * harvested into this collection, or its quota is used up; VL_ERR_DENIED: it does not let us
 * in; VL_ERR_INPUT: it answers nonsense; VL_ERR_IO: the disk is full; VL_ERR_CANCELLED. */
vl_status vl_harvest_run(vl_collection *collection, const vl_harvest_options *options,
                         vl_harvest_report *report, vl_error *error);
/* Every source: name, title, and what it has and needs. */
typedef void (*vl_harvest_source_fn)(const char *name, const char *title, const char *summary,
                                     void *to);
void vl_harvest_sources(vl_harvest_source_fn give, void *to);

#ifdef __cplusplus
}
#endif
#endif
