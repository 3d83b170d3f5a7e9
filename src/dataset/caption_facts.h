/* caption_facts.h — numbers, dates and countries that stand in a caption, as it writes them.
 *
 * Names of months and countries are CLDR's, in the caption's own language. What could be taken
 * in two ways is not found: "COVID-19" holds no number, "Niger River" no country. Thread-safe.
 */
#ifndef VL_DATASET_CAPTION_FACTS_H
#define VL_DATASET_CAPTION_FACTS_H

#include "dataset/phrases.h"

typedef struct span {
    size_t start, end; /* bytes of the text */
} span;

/* Numbers that stand alone, with their percent sign. Returns how many, at most `most`. */
size_t caption_numbers(const char *text, span *found, size_t most);
/* "14 March 2026", "May 2024", "March 3", "2026-03-14", "2023". */
size_t caption_dates(const phrase_language *language, const char *text, span *found,
                     size_t most);
/* The one country that the text names, perhaps more than once. False: none, several, or one
 * that may be something else. */
bool caption_country(const phrase_language *language, const char *text, span *found);

/* Names of months of the Gregorian and, where that is in use, the Ethiopian calendar, and of
 * countries, in the language; for phrases_read. VL_ERR_MEMORY. */
vl_status caption_names_read(phrase_language *language, vl_arena *arena, vl_error *error);

#endif
