/* chunk_inside.h — what the files of a chunk's work share: a worker, and the documents of the
 * record it is at. Private to chunk*.c. */
#ifndef VL_DATASET_CHUNK_INSIDE_H
#define VL_DATASET_CHUNK_INSIDE_H

#include "dataset/aligned.h"
#include "dataset/chunk.h"
#include "dataset/instruct.h"
#include "dataset/pairs.h"
#include "dataset/phrases.h"
#include "dataset/privacy.h"

#include <cJSON.h>

struct chunk_kit {
    const build_recipe *recipe;
    const vl_build_options *options;
    vl_langid *langid;
    vl_ngram *ngram;
    vl_seer *seer; /* NULL: the recipe does without */
    phrases *phrases;
    aligned *aligned;
    vl_space *space; /* NULL: captions are not paired by what they say */
    quality_model quality;
    privacy_options privacy;
    vl_ocr_options reading;
};

/* Documents of one record that are open at the same time. */
enum { CHUNK_OPEN_MAX = 32 };
static const size_t CHUNK_OPEN_BYTES = (size_t)256 << 20;
/* A picture of which more had to be covered shows too little. */
#define CHUNK_COVERED_MOST 0.5
typedef struct opened {
    const vl_build_document *from;
    vl_arena *arena;
    vl_buf bytes;
    vl_parts *parts; /* NULL: it could not be read */
    privacy_found *found;
    cJSON *provenance;
    char language[VL_LANG_SIZE]; /* of most of its text */
    char problem[256];
} opened;

/* A picture as it was put into the dataset. */
typedef struct stored {
    char path[96]; /* "pictures/ab/….png"; "": none */
    uint32_t width, height;
    double scale;     /* its pixels for one of the page's or the picture's */
    const char *kind; /* "photograph", … */
    bool has_phash;
    uint64_t phash;
} stored;

struct chunk_worker {
    const chunk_kit *kit;
    vl_arena *arena; /* of the plan's records */
    vl_ocr *ocr;     /* NULL: not needed yet */
    opened documents[CHUNK_OPEN_MAX];
    size_t open;
    const plan_record *record;
    privacy_tally *tally;
    vl_file_writer *out;
    vl_buf line;
    chunk_counts *counts;
    /* of the document in work */
    opened *now;
    stored *pictures; /* [part_count] */
    stored *pages;    /* [page_count] */
    bool *paired;     /* [part_count] */
    vl_image *image;  /* of the part that was asked for last */
};

/* ---- chunk_open.c: documents ------------------------------------------------------------- */

/* Reads a document and takes it apart, without its personal data. What is wrong with it is in
 * `problem`; an error is not of the document. */
vl_status chunk_open(chunk_worker *w, const vl_build_document *from, opened *to,
                     vl_error *error);
void chunk_close(opened *document);
/* A member of the provenance; "": it has none. */
const char *chunk_provenance(const opened *document, const char *name);
/* The picture of a part, with personal data covered. *image NULL: it is not to be had. */
vl_status chunk_part_image(chunk_worker *w, const opened *document, size_t part,
                           vl_image **image, vl_error *error);

/* ---- chunk_picture.c: pictures ----------------------------------------------------------- */

/* Scales and encodes a picture and puts it where chunks keep pictures. */
vl_status chunk_store(chunk_worker *w, const vl_image *image, const char *kind, stored *to,
                      vl_error *error);
/* The picture of a page, with personal data covered; stored once. */
vl_status chunk_page(chunk_worker *w, uint32_t page, const stored **to, vl_error *error);

/* ---- chunk_items.c: items ---------------------------------------------------------------- */

/* The items of `w->now`, written. */
vl_status chunk_items(chunk_worker *w, vl_error *error);

#endif
