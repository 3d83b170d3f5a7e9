/* privacy.h — personal data out of the parts of a document, and out of its pictures
 * (docs/privacy.md).
 *
 * What vl_personal_find and coordinates_find find in a text, a caption, a table cell, a title;
 * in tables also what stands under a head or beside a cell that is a label.
 *
 * Ownership: new texts are in the caller's arena. Thread-safety: a document and a tally belong
 * to one thread at a time. */
#ifndef VL_DATASET_PRIVACY_H
#define VL_DATASET_PRIVACY_H

#include "dataset/coordinates.h"

#include <vislang/dataset.h>

typedef enum privacy_action {
    PRIVACY_REPLACE, /* "[phone]" in its place */
    PRIVACY_REMOVE,  /* the sentence or the cell that holds it goes */
    PRIVACY_KEEP,    /* counted, and left as it is; coordinates too */
    PRIVACY_ACTION_COUNT
} privacy_action;
const char *privacy_action_name(privacy_action action); /* "replace", … */

typedef struct privacy_options {
    privacy_action action;
    /* Of degrees, that stay of coordinates: 0 … COORDINATE_DECIMALS_MAX. They are rounded, by
     * either action; -1: none stay, they are personal data like the rest. */
    int coordinate_decimals;
} privacy_options;
privacy_options privacy_options_default(void); /* replace, 1: about 11 km */

/* Of one part: how many finds of each kind, as vl_item.personal counts them. Coordinates that
 * are as coarse as allowed are none. */
typedef struct privacy_found {
    uint32_t counts[VL_ITEM_PERSONAL];
    bool changed; /* its text is another one now */
} privacy_found;

/* ---- the report -------------------------------------------------------------------------- */

/* What was found in how many languages, and what was done. Zeroed, it is empty. */
typedef struct privacy_tally privacy_tally;
privacy_tally *privacy_tally_new(void); /* NULL: no memory */
void privacy_tally_free(privacy_tally *tally);
/* The same in whatever order tallies are added. VL_ERR_MEMORY. */
vl_status privacy_tally_add(privacy_tally *to, const privacy_tally *from, vl_error *error);
/* {"finds": N, "kinds": {"phone": {"replace": 3, "rules": {"e164": 3}, "languages": {"swa": 3},
 * "examples": ["+999 999 999 999"]}, …}}: keys in order. Examples have every letter and every
 * figure replaced. */
void privacy_tally_json(const privacy_tally *tally, vl_buf *out);
/* Adds what privacy_tally_json wrote. VL_ERR_INPUT: it is none. */
vl_status privacy_tally_read(privacy_tally *tally, const char *json, size_t bytes,
                             vl_error *error);

/* ---- cleaning ---------------------------------------------------------------------------- */

/* Changes the texts of all parts and the title. (*found)[i] is of part i; what was found in the
 * title is in none, but in the tally. A part may have no text left ("", cells ""): it stays, so
 * that numbers of parts are what they were. `tally` may be NULL. VL_ERR_MEMORY. */
vl_status privacy_clean_parts(vl_parts *parts, const privacy_options *options,
                              privacy_tally *tally, vl_arena *arena, privacy_found **found,
                              vl_error *error);
/* One text, of a part or of anything else; *out is `text` itself where nothing was found.
 * `found` is added to. */
vl_status privacy_clean_text(const char *text, const char *language,
                             const privacy_options *options, privacy_tally *tally,
                             vl_arena *arena, const char **out, privacy_found *found,
                             vl_error *error);
/* Paints over the words that parts lost, in a picture that is `cut` out of `page` (all of it: a
 * box of the page's size), whatever its scale; over the whole box of a part whose words are not
 * known. Text that stands in a figure is no part's and was not looked at. Returns how much of
 * the picture was painted, 0 … 1: of a table of names little may be left to see. */
double privacy_cover(const vl_parts *parts, const privacy_found *found, uint32_t page,
                     vl_box cut, vl_image *image);

#endif
