/* collection.h — what the engine writes into a collection (vislang/harvest.h reads it).
 *
 * The database is a file of the collection and not the service's: a collection is copied and
 * moved as a folder, has no users and no jobs, and keeps two provenances of one content where
 * the service's table of documents keeps one. It has steps of its own (collection.c).
 *
 * Tables: records; files, which belong to records and wait, are kept, failed or left; shown,
 * which pictures a page shows (files of the page's record) by the addresses in it; documents,
 * the contents that a file had, each with its provenance; harvests, a source and a query; runs
 * of them, with the cursor of the next page.
 *
 * Thread-safety: all functions, from any thread. Errors are db.h's. */
#ifndef VL_HARVEST_COLLECTION_H
#define VL_HARVEST_COLLECTION_H

#include "harvest/html.h"
#include "harvest/objects.h"
#include "harvest/source.h"
#include "store/db.h"

const char *vl_collection_folder(const vl_collection *collection);

/* ---- runs -------------------------------------------------------------------------------- */

typedef struct vl_run_wish {
    const char *source;
    const char *query; /* what tells one harvest from another, in one way of writing it */
    const char *since; /* as asked for; "": since the newest record of the last run */
    bool whole;        /* vl_source.whole: there is no since but that */
    unsigned attempts;
} vl_run_wish;
typedef struct vl_run {
    int64_t id, harvest;
    int64_t newest_ms; /* `changed` of a record, at most; 0 none */
    uint64_t given;    /* records that the source gave, as --limit counts */
    bool paged;        /* the source has no more pages */
    vl_buf cursor;
    vl_harvest_report report; /* of all processes that worked on it */
} vl_run;
/* The run that was broken off, or a new one; files of the source that failed wait again when
 * one is begun. The caller deinits the cursor. */
vl_status vl_run_begin(vl_collection *collection, const vl_run_wish *wish, vl_run *run,
                       vl_error *error);
typedef enum vl_run_state {
    VL_RUN_COMPLETE, /* all pages were seen; the next run asks for what is newer */
    VL_RUN_LIMITED,  /* not all of them; the next run begins with the first */
    VL_RUN_BROKEN,   /* its cursor leads nowhere; the same */
} vl_run_state;
/* A run that is not ended is gone on with. */
vl_status vl_run_end(vl_collection *collection, vl_run *run, vl_run_state state,
                     vl_error *error);
/* Files that wait, and why others failed, into run->report. */
vl_status vl_run_look(vl_collection *collection, vl_run *run, vl_error *error);

/* ---- what became of a file --------------------------------------------------------------- */

typedef enum vl_outcome_kind {
    VL_OUTCOME_NONE, /* of a record's file: it waits, or is kept as it is */
    VL_OUTCOME_FETCHED,
    VL_OUTCOME_UNCHANGED,
    VL_OUTCOME_FAILED,
    VL_OUTCOME_LEFT, /* its content is of no format that was asked for */
} vl_outcome_kind;
typedef struct vl_outcome {
    vl_outcome_kind kind;
    vl_object_kept content;                                        /* FETCHED */
    const char *final_url, *type_said, *etag, *modified, *headers; /* may be NULL */
    unsigned status;                                               /* of HTTP; 0 */
    char reason[32];                                               /* FAILED */
    char message[256];
} vl_outcome;
/* "denied", "http 404", …: how failures are counted. */
void vl_outcome_fail(vl_outcome *outcome, const vl_error *error, unsigned http);

/* ---- pages ------------------------------------------------------------------------------- */

/* A record as it is kept, with what became of files that came with it. */
typedef struct vl_kept_record {
    vl_record record;
    vl_outcome *outcomes; /* record.file_count */
} vl_kept_record;
/* The record's and its files' strings, not the bodies. NULL: the arena is full. */
vl_status vl_kept_record_copy(vl_arena *arena, const vl_record *record, vl_kept_record *copy,
                              vl_error *error);
typedef struct vl_page {
    const vl_kept_record *records;
    size_t count;
    const char *next; /* cursor; "" there are no more */
    bool limited;     /* not all of the page's records are in it, and more are not wanted */
    const char *formats;
} vl_page;
/* All of it and the cursor, or nothing. */
vl_status vl_run_keep_page(vl_collection *collection, vl_run *run, const vl_page *page,
                           vl_error *error);
/* Whether a file that brings its content with it is kept in that version. */
vl_status vl_file_is_kept(vl_collection *collection, const char *source, const char *key,
                          const vl_record_file *file, size_t number, bool *kept,
                          vl_error *error);

/* ---- the queue --------------------------------------------------------------------------- */

enum { VL_HOST_SIZE = 256 };
/* "HTTPS://Example.org:8080/a" → "example.org". */
void vl_host_of(const char *url, char host[VL_HOST_SIZE]);
/* The first host after `after` (NULL: the very first) that files wait for; "" none. */
vl_status vl_queue_host(vl_collection *collection, const char *source, const char *after,
                        char host[VL_HOST_SIZE], vl_error *error);
typedef struct vl_waiting {
    int64_t id;
    int64_t harvest; /* that it waits for: another one may have been broken off */
    bool is_shown;   /* by a page: a picture, or of no use */
    char url[VL_FETCH_URL_SIZE];
    char etag[512], modified[128]; /* of the content that is here; "" none */
} vl_waiting;
/* At most `most` files that wait for that host, the longest waiting first. */
vl_status vl_queue_take(vl_collection *collection, const char *source, const char *host,
                        vl_waiting *files, size_t most, size_t *count, vl_error *error);
/* Kept with its counts in one transaction; `run->report` is the caller's to lock. */
vl_status vl_file_done(vl_collection *collection, vl_run *run, int64_t file,
                       const vl_outcome *outcome, vl_error *error);

/* ---- pictures of pages: collection_pictures.c ---------------------------------------------
 */

/* A page of HTML that is kept and whose pictures were not looked for. */
typedef struct vl_unread {
    int64_t id; /* of the file */
    char sha256[VL_SHA256_HEX_SIZE];
    char type[256];              /* as the server says */
    char url[VL_FETCH_URL_SIZE]; /* that its addresses are relative to; "" it has none */
} vl_unread;
/* At most `most` of those that were seen in the run. */
vl_status vl_pages_unread(vl_collection *collection, const vl_run *run, vl_unread *pages,
                          size_t most, size_t *count, vl_error *error);
/* The pictures become files of the page's record that wait, and the page is read; all of it
 * or nothing. What the page does not show any more is asked for no longer. */
vl_status vl_page_read(vl_collection *collection, const vl_run *run, int64_t page,
                       const vl_html_picture *pictures, size_t count, vl_error *error);

#endif
