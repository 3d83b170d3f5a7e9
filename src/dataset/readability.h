/* readability.h — whether a text is words and sentences, in any script, or debris: what OCR
 * makes of a stain, letters of a font without a map, wrongly decoded bytes, menus, lists of
 * keywords and of numbers.
 *
 * One pass over the first 16 KB gives measures with names; a logistic model of them, fitted to
 * real text against the same text spoiled (tools/fit_readability.c; docs/dataset.md has how
 * well it tells them apart), gives the score. There are two models: with how much the text
 * surprises a character model of its language (vl_ngram), and without one. Thread-safe. */
#ifndef VL_DATASET_READABILITY_H
#define VL_DATASET_READABILITY_H

#include <vislang/text.h>

/* Shares are drawn towards what is usual where there is little text; what is usual in clean
 * text of any language is left out, so that such text measures 0. */
typedef enum readability_measure_kind {
    READABILITY_IMPOSSIBLE, /* characters that are none */
    READABILITY_MOJIBAKE,   /* bytes of UTF-8 read as Latin-1 or Windows-1252 */
    READABILITY_SYMBOLS,    /* characters that are neither letter, digit nor punctuation */
    READABILITY_DIGITS,     /* characters */
    READABILITY_MARKS,      /* characters that are punctuation */
    READABILITY_DEBRIS,     /* words of several scripts, with symbols or digits among letters,
                               with capitals after small letters */
    READABILITY_SINGLES,    /* words of one letter */
    READABILITY_CAPITALS,   /* words in capitals, of those that have case */
    READABILITY_TITLES,     /* words with a first capital, of those that have case */
    READABILITY_ECHOES,     /* words that were among the 32 before */
    READABILITY_REPEATS,    /* pairs of words that were before; where words are not parted,
                               six letters in a row */
    READABILITY_ENDLESS,    /* how many words stand between ends of sentences */
    READABILITY_SEPARATORS, /* commas, bars and bullets between words */
    READABILITY_LINES,      /* words in short lines that end as no sentence does */
    READABILITY_LONG,       /* how much longer words are than is usual */
    READABILITY_ORDER,      /* 0 or less: what share its own letters in another order surprise a
                               model of its language more, less than usual */
    READABILITY_COUNT
} readability_measure_kind;
const char *readability_measure_name(readability_measure_kind kind); /* "impossible", … */

typedef struct readability {
    double measures[READABILITY_COUNT];
    size_t characters; /* but white space */
    size_t letters, words;
    bool has_model; /* ORDER was measured */
    double order;   /* … as it is, before what is usual is left out */
    double score;   /* 0 debris … 1 text; 0 without a letter */
    double plain;   /* the same without ORDER, for a language that is not certain */
} readability;

/* A language whose character model is known to tell its text from debris. */
typedef struct readability_language {
    const vl_ngram_language *model;
    double usual; /* ORDER of clean text is above it */
} readability_language;
/* False: there is no model of it, or none that was measured on text that it was not made of.
 * `ngram` may be NULL. `code`: ISO 639-3. */
bool readability_language_of(const vl_ngram *ngram, const char *code,
                             readability_language *language);

/* `text` is NFC. `language` may be NULL. */
void readability_measure(const char *text, const readability_language *language,
                         readability *out);
/* The model's coefficients, the offset last: with ORDER, or without (its coefficient is
 * then 0). [READABILITY_COUNT + 1] */
const double *readability_model(bool with_language);

#endif
