/* space.h — the file of a space, and how a word is looked up in it.
 *
 * The hub is a vocabulary of units (stems of the hub's language), each with a vector; a word of
 * any language is coded by up to ALIGN_CODE_MAX units with weights that add up to at most 1:
 * how sure its meaning is. Its vector is that sum of the units' vectors. A word that is not
 * there takes the codes of up to three words that are spelled most alike (character n-grams).
 *
 * File, little endian:
 *   space_header; `card_bytes` of JSON: what it was made from and how good each language is
 *   per unit: float scale, int8 [dim] (row = scale × int8)
 *   the units' names, NUL-terminated; per unit uint8 frequency (below)
 *   per language: space_language; the words by their bytes, NUL-terminated; per word
 *   uint16 unit [ALIGN_CODE_MAX], uint8 weight [ALIGN_CODE_MAX] (of 255; 0: no more) and uint8
 *   frequency: 8 × −log2(share of the language's tokens), 255: not seen. */
#ifndef VL_ALIGN_SPACE_H
#define VL_ALIGN_SPACE_H

#include <vislang/align.h>

enum {
    ALIGN_CODE_MAX = 4,
    ALIGN_SPACE_VERSION = 1,
    ALIGN_SPACE_LANGUAGES = 128,
    ALIGN_SPACE_UNITS = 65535,
    ALIGN_SPACE_WORDS = 1 << 20, /* of a language */
    ALIGN_SPACE_DIM = 1024,
    ALIGN_LANGUAGE_SIZE = 16,
    ALIGN_CARD_MAX = 1 << 20,
};

typedef struct space_header {
    char magic[8]; /* "VLSPACE" */
    uint32_t version, languages, units, dim, card_bytes, unit_names_bytes;
    char hub[ALIGN_LANGUAGE_SIZE];
} space_header;

typedef struct space_language {
    char code[ALIGN_LANGUAGE_SIZE];
    uint32_t words, names_bytes;
} space_language;

typedef struct space_code {
    uint16_t unit[ALIGN_CODE_MAX];
    uint8_t weight[ALIGN_CODE_MAX];
} space_code;

/* A word's meaning as it is looked up: more units than a code has, for a word that is not
 * there.
 */
enum { ALIGN_MEANING_MAX = 3 * ALIGN_CODE_MAX };
typedef struct align_meaning {
    uint32_t unit;
    float weight;
} align_meaning;

typedef struct space_words space_words; /* of one language */
/* NULL: the space has not got it. `language` is any name of text/languages. */
const space_words *align_space_words(const vl_space *space, const char *language);
bool align_space_is_hub(const vl_space *space, const char *language);
size_t align_space_units(const vl_space *space);
/* The units of a folded word, heaviest first, into `out` [ALIGN_MEANING_MAX]; 0: not known.
 * Thread-safe; the first word that is not there makes the index of n-grams. */
size_t align_space_meaning(const space_words *words, const char *word, align_meaning *out);
/* Words of the list, by their bytes. */
size_t align_space_word_count(const space_words *words);
const char *align_space_word(const space_words *words, size_t i);
size_t align_space_word_meaning(const space_words *words, size_t i, align_meaning *out);
uint8_t align_space_word_frequency(const space_words *words, size_t i); /* as it is stored */

/* ---- writing ------------------------------------------------------------------------- */

typedef struct space_unit {
    const char *name;
    uint8_t frequency;
} space_unit;
typedef struct space_draft_code {
    uint32_t unit[ALIGN_CODE_MAX];
    uint8_t weight[ALIGN_CODE_MAX]; /* of 255, heaviest first; 0: no more */
} space_draft_code;
typedef struct space_word {
    const char *word;
    space_draft_code code;
    uint8_t frequency;
} space_word;
typedef struct space_draft_language {
    char code[ALIGN_LANGUAGE_SIZE];
    space_word *words; /* by their bytes, each once */
    size_t count;
} space_draft_language;
typedef struct space_draft {
    char hub[ALIGN_LANGUAGE_SIZE];
    const char *card;
    const space_unit *units;
    const float *rows; /* [unit_count][dim] */
    size_t unit_count, dim;
    const space_draft_language *languages;
    size_t language_count;
} space_draft;
/* Whole or not at all. VL_ERR_LIMIT: more of something than the limits above. */
vl_status align_space_write(const space_draft *draft, const char *path, vl_error *error);
/* 8 × −log2(count / all), and back to a share. */
uint8_t align_frequency_code(uint64_t count, uint64_t all);
double align_frequency_share(uint8_t code);

#endif
