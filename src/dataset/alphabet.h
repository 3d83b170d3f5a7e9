/* alphabet.h — the characters that a reader can write, and text in them.
 *
 * A file of an alphabet is UTF-8, one code point a line, the space first. Code points are those
 * of NFC in logical order; combining marks stand for themselves. Read-only once made. */
#ifndef VL_DATASET_ALPHABET_H
#define VL_DATASET_ALPHABET_H

#include "dataset/script.h"

/* With the blank of CTC an even 23 × 64. */
enum { ALPHABET_MAX = 1471 };

typedef struct alphabet {
    uint32_t codes[ALPHABET_MAX];    /* ascending, so the space is first */
    vl_script scripts[ALPHABET_MAX]; /* VL_SCRIPT_COUNT: of all of them */
    size_t count;
    uint16_t places[0x10000]; /* of a code point one more than its index, or 0 */
} alphabet;
/* The fixed lists of all scripts, then the letters and marks that the text folder holds in two
 * files or more, most frequent first, until ALPHABET_MAX. */
vl_status alphabet_build(const char *text_folder, alphabet *a, vl_error *error);
/* VL_ERR_INPUT with the line that is no single code point, or out of order. */
vl_status alphabet_read(const char *path, alphabet *a, vl_error *error);
vl_status alphabet_write(const alphabet *a, const char *path, vl_error *error);
/* Where a code point stands, or -1. */
int alphabet_find(const alphabet *a, uint32_t code);
/* Raw text as a reader should write it: HTML entities read, NFC, one space between words,
 * without what cannot be seen (soft hyphens, tatweel, direction marks, joiners where nothing
 * joins). NULL when a character is not in the alphabet, or the arena is full. */
char *alphabet_clean(const alphabet *a, vl_arena *arena, const char *text);

#endif
