/* coordinates_text.h — between the files that find coordinates: the text as they see it.
 *
 * A row of characters: digits of every script are 0–9, full-width letters and signs are ASCII,
 * every hyphen and minus is '-', degree signs are 0xB0, primes and quotation marks ' and ",
 * white space is ' ' or '\n', and what only steers direction is left out. `at` and `end` say
 * which bytes a character came from. */
#ifndef VL_DATASET_COORDINATES_TEXT_H
#define VL_DATASET_COORDINATES_TEXT_H

#include "dataset/coordinates.h"

enum { COORDINATES_DEGREE = 0xB0 };

typedef struct coordinates_text {
    vl_arena *arena;
    uint32_t *c; /* [count], then zeros that may be looked at, COORDINATES_MARGIN of them */
    uint32_t *folded; /* [count], the same without case */
    uint32_t *at, *end;
    size_t count;
    coordinate *found;
    size_t found_count, found_capacity;
    bool full; /* the arena */
} coordinates_text;
enum { COORDINATES_MARGIN = 64 };

static inline bool coordinates_is_digit(uint32_t c) {
    return c >= '0' && c <= '9';
}
static inline bool coordinates_is_capital(uint32_t c) {
    return c >= 'A' && c <= 'Z';
}
bool coordinates_is_letter(uint32_t c);                              /* or a mark on one */
bool coordinates_is_word(uint32_t c);                                /* letter, mark, digit */
size_t coordinates_skip_spaces(const coordinates_text *t, size_t i); /* not over line ends */
/* Whether the text has these characters of ASCII at `i`, whatever their case. */
bool coordinates_has(const coordinates_text *t, size_t i, const char *ascii);
void coordinates_add(coordinates_text *t, const coordinate *c);

/* A number in ordinary writing: up to seven figures, then maybe a sign and decimals. */
typedef struct coordinates_figure {
    size_t start, end; /* characters */
    double value;
    size_t whole;  /* figures before the sign */
    size_t places; /* behind it */
} coordinates_figure;
/* False: none begins at `i`, or it goes on as no number does ("1.2.3", "12.5.2021"). */
bool coordinates_read_figure(const coordinates_text *t, size_t i, coordinates_figure *figure);

/* ---- coordinates_codes.c: each adds what begins at `i`, and returns its end, or 0 -------- */

size_t coordinates_find_geo(coordinates_text *t, size_t i);
size_t coordinates_find_link(coordinates_text *t, size_t i);
size_t coordinates_find_mgrs(coordinates_text *t, size_t i, bool said); /* a word says grid */
size_t coordinates_find_utm(coordinates_text *t, size_t i, bool said);
size_t coordinates_find_plus(coordinates_text *t, size_t i);
size_t coordinates_find_words(coordinates_text *t, size_t i);

/* Degrees of latitude: a degree is 111,195 m (the earth's mean radius of 6,371.0 km). */
double coordinates_degrees(double metres);
/* Of an Open Location Code with so many digits. */
double coordinates_plus_step(size_t digits);

#endif
