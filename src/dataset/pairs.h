/* pairs.h — which text belongs to which picture or table of a document, and how sure that is.
 *
 * For each picture the texts around it are weighed: its caption, the description that its maker
 * gave it, paragraphs that speak of it by its label, the heading above, the paragraphs beside
 * it. Each has evidence with names, 0 … 1 each, 0.5 where nothing is known; the score is the
 * probability that they belong together, by a logistic model of the evidence that was fitted to
 * labelled pages (docs/dataset.md, tools/fit_pairs.c), and by the likeness of picture and text
 * in `seer`, calibrated on right and shuffled captions. The best text is the pair's.
 *
 * What is there for looks makes no pair: logos, icons, bullets, spacers and trackers by their
 * names, tiny and drawn-out pictures, and pictures without detail. A picture that a document
 * shows several times makes as many pairs; finding those is for duplicates.h.
 *
 * Thread-safe, as far as the caller's function for pictures is. */
#ifndef VL_DATASET_PAIRS_H
#define VL_DATASET_PAIRS_H

#include <vislang/dataset.h>
#include <vislang/model.h>

typedef enum pair_evidence {
    PAIR_LABEL,      /* the text begins with the label that the picture has, or of its kind */
    PAIR_PLACE,      /* how near it stands: on the page, or in the order of the document */
    PAIR_MENTION,    /* the picture's label is spoken of */
    PAIR_TYPOGRAPHY, /* it is set and worded as captions are: length, no file name, no debris */
    PAIR_LANGUAGE,   /* it is in the document's language */
    PAIR_PICTURE,    /* what seer sees fits it */
    PAIR_EVIDENCE_COUNT
} pair_evidence;
const char *pair_evidence_name(pair_evidence evidence); /* "label", … */

/* Where a text stands. */
typedef enum pair_origin {
    PAIR_CAPTION,
    PAIR_DESCRIPTION, /* the picture's own text: what its maker says that it shows */
    PAIR_SPEAKER,     /* a paragraph that mentions it */
    PAIR_HEADING,     /* the heading above */
    PAIR_BESIDE,      /* a paragraph before or after */
    PAIR_CELLS,       /* the table's own rows */
    PAIR_ORIGIN_COUNT
} pair_origin;
const char *pair_origin_name(pair_origin origin); /* "caption", … */

typedef struct pair {
    size_t picture;     /* part: a picture, or a table with a box */
    size_t text_part;   /* the part that `text` is of; `picture` itself for its own text */
    pair_origin origin; /* where that stands */
    const char *text;   /* what belongs to it; language and script are those of text_part */
    size_t *texts;      /* parts that may ground a question: text_part where it is another than
                           the picture, its caption, then its mentions; each once */
    size_t text_count;
    double score; /* 0 … 1, calibrated: how sure it is that text and picture belong together */
    double evidence[PAIR_EVIDENCE_COUNT];
    uint32_t width, height; /* of the picture; 0 where it was not to be had */
    bool has_phash;
    uint64_t phash;
} pair;

/* The picture of a part: it stays until the next call, or until pairs_find returns. *image NULL
 * with VL_OK: it is not to be had, and the part makes no pair. An error ends pairs_find. */
typedef vl_status (*pairs_picture)(void *user, size_t part, const vl_image **image,
                                   vl_error *error);

typedef struct pairs_options {
    pairs_picture picture; /* NULL: pictures are judged by their boxes and names alone, and no
                              pair has a hash */
    void *user;
    const vl_seer *seer; /* NULL: without the evidence of what pictures show */
} pairs_options;

/* All pairs of a document, in the order of their pictures, in the arena; every picture makes at
 * most one. A picture is asked for once, and only where there is a text that may be its.
 * VL_ERR_MEMORY: the arena is full. */
vl_status pairs_find(const vl_parts *parts, const pairs_options *options, vl_arena *arena,
                     pair **pairs, size_t *count, vl_error *error);

/* What a picture shows, as seer sees it. */
typedef struct pair_sight {
    vl_seer_session *session; /* NULL: it was not looked at */
    const float *vector;      /* [size], of unit length; NULL: seer has nothing to say of it, as
                                 of pages, maps and charts */
    float *text;              /* [size]: room for the vector of a text */
    size_t size;
} pair_sight;
/* Every text that is weighed for the part `picture`, best first, of equal ones in the order
 * of pair_origin and the document: what pairs_find chooses from. */
typedef struct pair_candidate {
    size_t text_part;
    pair_origin origin;
    const char *text;
    bool captioned; /* the picture has a caption, and this is another text */
    double evidence[PAIR_EVIDENCE_COUNT];
    double score;
} pair_candidate;
vl_status pairs_candidates(const vl_parts *parts, size_t picture, const pair_sight *sight,
                           vl_arena *arena, pair_candidate **candidates, size_t *count,
                           vl_error *error);
/* Whether a picture is there for looks, by its name, its description and its box. */
bool pairs_is_decoration(const vl_part *part);
/* Whether a picture of that size is too small or too drawn out to show anything. */
bool pairs_is_scrap(uint32_t width, uint32_t height);

#endif
