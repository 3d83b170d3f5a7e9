/* source.h — what a source of documents is to us: pages of records, one adapter file each.
 *
 * An adapter speaks one API. It turns a page of the source's answer into records and says where
 * the next page begins; it keeps nothing. Whoever calls it (harvest.c) keeps what it gave,
 * fetches the files, and begins again at the last page that was kept whole, so a record may be
 * given twice.
 *
 * Ownership: everything an adapter gives may lie in call->arena, which is emptied after each
 * page. Thread-safety: a call belongs to one thread. */
#ifndef VL_HARVEST_SOURCE_H
#define VL_HARVEST_SOURCE_H

#include "harvest/polite.h"

#include <vislang/harvest.h> /* vl_harvest_query: what is asked for */

/* A file that belongs to a record. */
typedef struct vl_record_file vl_record_file;
struct vl_record_file {
    const char *url;      /* NULL: `body` is all of it, or what `pour` gives */
    const char *type;     /* media type as the source has it; NULL: as the server will say */
    const char *name;     /* file name or description; NULL: none */
    const char *language; /* ISO 639 when it is not the record's; NULL */
    const char *version;  /* hash, revision or time as the source has it; NULL: none. The same:
                             the file is not fetched again. */
    const char *body;     /* of a text that came with the record (UTF-8); NULL */
    size_t body_bytes;
    uint64_t bytes; /* as the source says; 0: not said */
    /* Gives the content of a file that is here and in no memory, while the record is given;
     * not called when the content is kept already. NULL: there is a url or a body. */
    vl_status (*pour)(const vl_record_file *file, vl_fetch_sink sink, void *to,
                      vl_error *error);
    void *of; /* pour's */
    /* How `url` answered the adapter, while the record is given: with a status of 200 to 299
     * `body` is what came, as it came, and kept as though it had been fetched by the caller;
     * another one is what became of the file. NULL: the caller fetches it. */
    const vl_fetch_reply *answer;
};

/* One thing that a source published: a report, a data set, a notice. Absent strings are NULL.
 */
typedef struct vl_record {
    const char *key; /* of this record in its source, for good: never NULL */
    const char *title, *url;
    const char *language;  /* ISO 639-1 or -3, the first of them */
    const char *published; /* RFC 3339 */
    const char *changed;   /* RFC 3339; what `since` of the next harvest goes by */
    const char *licence;   /* SPDX name, URL or the source's words */
    const char *terms;     /* disclaimer that the licence comes with */
    const char *publisher;
    const char *countries, *themes, *disasters; /* comma lists; GLIDE numbers where there are */
    const char *raw;                            /* the source's own object, as JSON */
    const vl_record_file *files;
    size_t file_count;
} vl_record;
typedef vl_status (*vl_record_fn)(const vl_record *record, void *to, vl_error *error);

typedef struct vl_source_call {
    const vl_harvest_query *query;
    const vl_config *config; /* the settings harvest_<source>_url, _token, … */
    vl_polite *net;
    vl_arena *arena;
    vl_record_fn give;
    void *to;
    /* What a source likes to have at hand for the next page (an open file); all of one run get
     * the same one, NULL at first. It may be gone at any page: the cursor alone says where to
     * go on. */
    void **kept;
} vl_source_call;

typedef struct vl_source {
    const char *name;    /* "reliefweb": of the command line, of settings and of kept records */
    const char *title;   /* "ReliefWeb reports (OCHA)" */
    const char *summary; /* what there is, and what it needs: for the help */
    /* Whether all is set that it needs, and whether it can answer this query. VL_ERR_MISSING or
     * VL_ERR_USAGE says what to do. Nothing is fetched; there may be no arena. */
    vl_status (*check)(const vl_source_call *call, vl_error *error);
    /* Gives the records of one page. `cursor` is "" for the first page, else what a call before
     * left in `next`; `next` stays empty when there are no more. A record that makes no sense
     * is logged and left out; an answer that makes none is VL_ERR_INPUT. VL_ERR_BUSY: the
     * source's quota is used up, with when to come back; VL_ERR_DENIED: it does not let us in.
     */
    vl_status (*page)(const vl_source_call *call, const char *cursor, vl_buf *next,
                      vl_error *error);
    void (*forget)(void *kept); /* frees what it kept; NULL: it keeps nothing */
    /* Each run goes through all of it: `since` is only what the user asks for. Files have a
     * version, by which those that are here already are known. */
    bool whole;
    bool local; /* what it names is on this machine, and nothing is fetched for it */
} vl_source;

/* All of them, NULL at the end. */
extern const vl_source *const vl_sources[];
/* VL_ERR_USAGE names the nearest one. */
vl_status vl_source_find(const char *name, const vl_source **source, vl_error *error);

extern const vl_source vl_source_reliefweb, vl_source_unhcr, vl_source_unhcr_portal,
    vl_source_hdx, vl_source_hapi, vl_source_who, vl_source_unicef, vl_source_wfp,
    vl_source_site, vl_source_dir;

#endif
