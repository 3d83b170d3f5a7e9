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

/* Shares are drawn towards what is usual where there is little text. */
typedef enum readability_measure_kind {
    READABILITY_IMPOSSIBLE, /* characters that are none */
    READABILITY_MOJIBAKE,   /* bytes of UTF-8 read as Latin-1 or Windows-1252 */
    READABILITY_SYMBOLS,    /* characters that are neither letter, digit nor punctuation */
    READABILITY_DIGITS,     /* characters */
    READABILITY_MARKS,      /* characters that are punctuation */
    READABILITY_DEBRIS,     /* words of several scripts, with symbols or digits among letters,
                               with capitals after small letters */
    READABILITY_SINGLES,    /* words of one letter */
    READABILITY_ADDRESSES,  /* words that are addresses of the web or of e-mail */
    READABILITY_CAPITALS,   /* words in capitals, of those that have case */
    READABILITY_TITLES,     /* words with a first capital, of those that have case */
    READABILITY_ECHOES,     /* words that were among the 32 before */
    READABILITY_REPEATS,    /* pairs of words that were before */
    READABILITY_ENDLESS,    /* how many words stand between ends of sentences */
    READABILITY_SEPARATORS, /* commas, bars and bullets between words */
    READABILITY_LINES,      /* words in short lines that end as no sentence does */
    READABILITY_SHORT,      /* how much shorter words are than is usual */
    READABILITY_LONG,       /* … longer */
    READABILITY_SURPRISE,   /* nats a character in its language … */
    READABILITY_ORDER, /* … and what share of them its letters in another order have more */
    READABILITY_COUNT
} readability_measure_kind;
const char *readability_measure_name(readability_measure_kind kind); /* "impossible", … */

typedef struct readability {
    double measures[READABILITY_COUNT];
    size_t characters; /* but white space */
    size_t letters, words;
    bool has_model; /* SURPRISE and ORDER were measured */
    double score;   /* 0 debris … 1 text; 0 without a letter */
} readability;

/* `text` is NFC. `language` may be NULL. */
void readability_measure(const char *text, const vl_ngram_language *language, readability *out);
/* The model's coefficients, the offset last: with SURPRISE and ORDER or without (their
 * coefficients are then 0). [READABILITY_COUNT + 1] */
const double *readability_model(bool with_language);

#endif
