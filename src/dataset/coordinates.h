/* coordinates.h — places on the earth written in a text: where they stand, how exactly they are
 * known, and the same said less exactly.
 *
 * Read are decimal degrees and degrees with minutes and seconds (in the digits of every script,
 * with signs, hemispheres as letters or words, or labels such as "Latitude:"), geo: URIs (RFC
 * 5870), links to maps, grid references (MGRS, UTM; NGA.STND.0037), Open Location Codes ("plus
 * codes", specification of 2019) and words of what3words as ///a.b.c. What they have in common
 * with ordinary figures ("3.25, 12.75") is no coordinate unless something says so; see
 * coordinates_find.
 *
 * Outside text. Ownership: everything lies in the caller's arena. Pure functions. */
#ifndef VL_DATASET_COORDINATES_H
#define VL_DATASET_COORDINATES_H

#include <vislang/base.h>

typedef enum coordinate_form {
    COORDINATE_DECIMAL,     /* 9.0301, 38.7469 */
    COORDINATE_SEXAGESIMAL, /* 9° 1′ 48″ N, 38° 44′ 49″ E */
    COORDINATE_GEO,         /* geo:9.0301,38.7469 */
    COORDINATE_LINK,        /* to a map */
    COORDINATE_MGRS,        /* 37PDK 72214 98230 */
    COORDINATE_UTM,         /* UTM 37N 472214 998230 */
    COORDINATE_PLUS,        /* 6GXQ2PJW+2Q */
    COORDINATE_WORDS,       /* ///a.b.c; also short links, which say a place and no number */
    COORDINATE_FORM_COUNT
} coordinate_form;
const char *coordinate_form_name(coordinate_form form); /* "decimal", … */

/* A number that can be said with fewer places. */
typedef struct coordinate_number {
    size_t start, end; /* bytes of the text; without its sign */
    double value;      /* degrees, or metres of UTM; never negative */
    double step;       /* what one of its last place is, in its own unit */
    bool parted;       /* into minutes, maybe seconds */
} coordinate_number;

enum { COORDINATE_NUMBERS = 4 };
typedef struct coordinate {
    size_t start, end; /* bytes: all of it, hemispheres too, labels not */
    coordinate_form form;
    double step; /* degrees: what its last place stands for; of two numbers the finer */
    coordinate_number numbers[COORDINATE_NUMBERS];
    size_t number_count; /* 0: of MGRS, plus codes and words */
} coordinate;

/* Those in `text` (UTF-8), in order and not overlapping.
 *
 * A pair of plain decimal numbers is one when it may be a latitude and a longitude and
 * - both have four places or more, with a comma or semicolon between them, or five with a space
 *   or another sign, and it is no piece of a longer row of numbers, or
 * - a word before it says so ("GPS", "coordonnées", "إحداثيات") and both have two or more.
 * Pairs around 0° 0′, where there is only sea, need that word: they are shares and odds.
 * VL_ERR_LIMIT: a text over 16 MB; VL_ERR_MEMORY. */
vl_status coordinates_find(vl_arena *arena, const char *text, coordinate **found, size_t *count,
                           vl_error *error);

typedef enum coordinate_axis {
    COORDINATE_NONE,
    COORDINATE_LATITUDE,
    COORDINATE_LONGITUDE,
    COORDINATE_BOTH,   /* "GPS", "Coordinates" */
    COORDINATE_METRES, /* "Easting", "UTM Y" */
} coordinate_axis;
/* What `text`, the head of a column or the label of a field, says that stands under or beside
 * it. */
coordinate_axis coordinates_label(vl_arena *arena, const char *text);
/* The same as coordinates_find of what stands in such a field: also a number alone, and pairs
 * however few places they have. */
vl_status coordinates_find_in_field(vl_arena *arena, const char *text, coordinate_axis axis,
                                    coordinate **found, size_t *count, vl_error *error);

enum { COORDINATE_DECIMALS_MAX = 9 };
/* 10^-decimals. */
double coordinate_step(int decimals);
/* Appends the coordinate as it stands in `text`, rounded so that what is written is no finer
 * than 10^-decimals degrees; sexagesimal ones become decimal degrees, squares of MGRS larger, a
 * degree being 111.2 km. False: nothing was appended, for it cannot be said so (words, codes
 * that lean on the name of a town, a grid finer than can be dropped). One that is as coarse
 * already is appended as it is. */
bool coordinate_reduce(const coordinate *c, const char *text, int decimals, vl_buf *out);

#endif
