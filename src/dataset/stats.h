/* stats.h — what a dataset holds, counted while it is walked through (check.h), in memory that
 * does not grow with it: tables of names have a maximum past which names are counted together,
 * distinct documents and pictures are sorted on disk, and distinct words are exact up to a
 * bound and estimated past it. */
#ifndef VL_DATASET_STATS_H
#define VL_DATASET_STATS_H

#include "dataset/check.h"

/* ---- names and how often ----------------------------------------------------------------- */

enum { TALLY_MAX = 10000 };
typedef struct stats_tally_entry {
    char *name;
    uint64_t count;
} stats_tally_entry;
typedef struct stats_tally {
    stats_tally_entry *entries;
    size_t count, room;
    uint32_t *slots; /* 1 + index; [room * 2] */
    uint64_t others; /* of names past TALLY_MAX */
} stats_tally;
void stats_tally_deinit(stats_tally *t);
/* The index of the name (TALLY_MAX: of the others). False: no memory. */
bool stats_tally_add(stats_tally *t, const char *name, uint64_t count, size_t *index);
/* Most first, of equal ones by name. The slots are gone: nothing is added after. */
void stats_tally_sort(stats_tally *t);
uint64_t stats_tally_total(const stats_tally *t);

/* ---- distinct words ---------------------------------------------------------------------- */

/* HyperLogLog (Flajolet, Fusy, Gandouet and Meunier 2007) with 2^14 registers: a standard error
 * of 1.04 / sqrt(2^14) = 0.81 %. The estimate is the one of Ertl (New cardinality estimation
 * algorithms for HyperLogLog sketches, 2017, algorithm 6), which has no bias for small sets. */
enum { VOCABULARY_BITS = 14, VOCABULARY_REGISTERS = 1 << VOCABULARY_BITS };
#define VOCABULARY_ERROR 0.0081
enum { VOCABULARY_EXACT = 1 << 17, CURVE_MAX = 64 };
typedef struct curve_point {
    uint64_t tokens;
    double types;
} curve_point;
typedef struct vocabulary {
    uint64_t tokens;
    uint64_t *set; /* open addressing; 0 is free */
    size_t room, count;
    uint8_t *registers;           /* not NULL: estimated */
    curve_point curve[CURVE_MAX]; /* at 100, 200, 500, 1000, … tokens */
    size_t points;
} vocabulary;
void vocabulary_deinit(vocabulary *v);
/* `budget`: slots that all vocabularies together may still take. False: no memory. */
bool vocabulary_add(vocabulary *v, uint64_t hash, size_t *budget);
double vocabulary_types(const vocabulary *v);

/* ---- numbers ----------------------------------------------------------------------------- */

/* By powers of two: bin 0 is 0, bin i is 2^(i-1) … 2^i - 1. */
enum { LENGTH_BINS = 33 };
typedef struct lengths {
    uint64_t count, sum, least, most;
    uint64_t bins[LENGTH_BINS];
} lengths;
void lengths_add(lengths *l, uint64_t value);
double lengths_mean(const lengths *l);
/* "1", "2–3", "4–7", …; at most 31 bytes. */
void lengths_bin_name(size_t bin, char out[32]);
size_t lengths_last_bin(const lengths *l);

/* ---- all of it --------------------------------------------------------------------------- */

enum { STATS_LANGUAGES = 500, QUALITY_BINS = 20, QUALITIES = VL_QUALITY_PART_COUNT + 1 };
enum { SAMPLE_TEXT = 600, SAMPLES_MAX = 20 };
typedef struct sample {
    char *place, *text, *instruction, *picture, *url, *kind;
} sample;
typedef struct stats_language {
    char code[VL_LANG_SIZE];
    uint64_t rows;
    vocabulary words;
    lengths by_words, by_characters;
    sample samples[SAMPLES_MAX];
    uint64_t seen; /* rows that could be samples */
} stats_language;

struct vl_stats {
    vl_stats_options options;
    char *path;
    vl_check_layout layout;
    uint64_t rows, bases, unreadable;
    uint64_t splits[VL_SPLIT_COUNT + 1];
    stats_tally kinds, scripts, sources /* "source\tpublisher\tlicence" */, origins, phrases,
        picture_kinds, reviews;
    stats_language **languages; /* most rows first, once done */
    size_t language_count;
    size_t budget; /* of vocabularies */
    uint64_t documents, pictures;
    lengths rows_per_document, picture_sides, clusters;
    uint64_t removed; /* near-duplicates that are not there */
    bool has_quality;
    uint64_t quality[QUALITIES][QUALITY_BINS];
    double quality_sum[QUALITIES];
    uint64_t personal[VL_ITEM_PERSONAL], personal_rows;
};
/* "ocr", …, "score" */
const char *stats_quality_name(size_t i);

/* The parts of a source's name, in the arena. */
void stats_source_parts(const char *name, char parts[3][256]);

#endif
