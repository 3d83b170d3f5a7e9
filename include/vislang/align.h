/* align.h — one space for many languages: words and sentences found beside their counterparts
 * in other languages, without parallel text.
 *
 * Strings are UTF-8. Thread-safety: what is made or read here is read-only afterwards and may
 * be used from many threads. */
#ifndef VISLANG_ALIGN_H
#define VISLANG_ALIGN_H

#include <vislang/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- vectors of one language ---------------------------------------------------------- */

/* Words, each once, and a vector for each; with character n-grams also for words that are not
 * there (Bojanowski, Grave, Joulin and Mikolov 2017, "Enriching Word Vectors with Subword
 * Information"). Words are not empty, valid UTF-8, without control characters, without a space
 * at either end, and at most VL_EMBEDDINGS_MAX_WORD bytes. No number of a vector is a NaN or
 * beyond VL_EMBEDDINGS_MAX_NUMBER, so that products of vectors are finite. */
typedef struct vl_embeddings vl_embeddings;
#define VL_EMBEDDINGS_MAX_NUMBER 1e15F
enum {
    VL_EMBEDDINGS_MAX_DIM = 4096,
    VL_EMBEDDINGS_MAX_WORD = 1024,
};
/* Takes over `rows` [count][dim] (from malloc) when it returns VL_OK; copies the rest.
 * `frequencies` [count] may be NULL. VL_ERR_INPUT names the word that is none or is there
 * twice, or whose vector has a number that breaks the rule. */
vl_status vl_embeddings_new(const char *const *words, const uint64_t *frequencies, float *rows,
                            size_t count, uint32_t dim, vl_embeddings **embeddings,
                            vl_error *error);
void vl_embeddings_free(vl_embeddings *embeddings); /* NULL allowed */

size_t vl_embeddings_count(const vl_embeddings *embeddings);
uint32_t vl_embeddings_dim(const vl_embeddings *embeddings);
/* In the order they came in, which is that of falling frequency in the files we know.
 * `index` is below the count. */
const char *vl_embeddings_word(const vl_embeddings *embeddings, size_t index);
const float *vl_embeddings_row(const vl_embeddings *embeddings, size_t index); /* [dim] */
/* 0: not known. */
uint64_t vl_embeddings_frequency(const vl_embeddings *embeddings, size_t index);
/* SIZE_MAX: not there. */
size_t vl_embeddings_find(const vl_embeddings *embeddings, const char *word);
/* The vector of any word into `out` [dim]: its own, else the mean of its character n-grams as
 * fastText takes it. VL_ERR_MISSING: it is not there, and nothing is known of its n-grams. */
vl_status vl_embeddings_of(const vl_embeddings *embeddings, const char *word, float *out,
                           vl_error *error);

/* Reads the first `max_words` (0: all) of a file, by what it holds and not by its name, plain
 * or gzipped: .vec text (with its line of count and dimensions, or without as GloVe writes it)
 * and fastText's .bin, version 12, of skip-gram and CBOW (a classifier or a quantised file is
 * VL_ERR_UNSUPPORTED).
 * Words that break the rules above, and those that were there before, are left out; a number
 * that breaks the rule is VL_ERR_INPUT, as are a file that is cut short, one whose counts
 * are not those it announces, and one without words. */
vl_status vl_embeddings_read(const char *path, size_t max_words, vl_embeddings **embeddings,
                             vl_error *error);
/* .vec text, six significant digits; whole or not at all. */
vl_status vl_embeddings_write_vec(const vl_embeddings *embeddings, const char *path,
                                  vl_error *error);
/* fastText's .bin, version 12, with the n-grams where the vectors have some. A word of unknown
 * frequency is written as seen once; what was not read or trained here (the vectors that
 * fastText predicts with) as zeros. */
vl_status vl_embeddings_write_bin(const vl_embeddings *embeddings, const char *path,
                                  vl_error *error);

/* ==== mapping: two spaces into one ================================================ */

/* Word pairs of two languages, what is learned from or what was found. One thread writes, many
 * may read. */
typedef struct vl_lexicon vl_lexicon;
typedef struct vl_lexicon_pair {
    const char *source, *target; /* UTF-8, living as long as the lexicon */
    double confidence;           /* 0 … 1; 1 where nobody said */
    bool mutual;                 /* each is the other's nearest; false where nobody said */
} vl_lexicon_pair;
vl_status vl_lexicon_new(vl_lexicon **lexicon, vl_error *error);
void vl_lexicon_free(vl_lexicon *lexicon); /* NULL allowed */
/* Copies both words. VL_ERR_LIMIT: over VL_LEXICON_MAX pairs. */
vl_status vl_lexicon_add(vl_lexicon *lexicon, const vl_lexicon_pair *pair, vl_error *error);
/* A table, plain or gzipped: source word, target word, more columns that are not looked at,
 * apart by tabs (lines without a tab: by the first space). Empty lines and lines that begin
 * with # are left out. Bytes that are no UTF-8, a line with one column, or over 64 KB:
 * VL_ERR_INPUT with the line. */
vl_status vl_lexicon_read(const char *path, vl_lexicon **lexicon, vl_error *error);
/* The same from memory. */
vl_status vl_lexicon_parse(const char *text, size_t bytes, vl_lexicon **lexicon,
                           vl_error *error);
size_t vl_lexicon_count(const vl_lexicon *lexicon);
const vl_lexicon_pair *vl_lexicon_pair_at(const vl_lexicon *lexicon, size_t i);
enum { VL_LEXICON_MAX = 1 << 22 };

/* ---- vectors trained ------------------------------------------------------------------- */

/* Skip-gram with character n-grams and negative samples, as fastText trains it (Bojanowski et
 * al. 2017; Mikolov, Sutskever, Chen, Corrado and Dean 2013, "Distributed Representations of
 * Words and Phrases and their Compositionality"). With one thread the same text, options and
 * seed give the same vectors on the same processor; with more, threads write into the same
 * vectors without locks and runs differ a little. */
typedef enum vl_embed_tokens {
    VL_EMBED_WORDS,  /* words as the rest of align/ sees them: folded, without punctuation */
    VL_EMBED_SPACES, /* what stands between white space, as it is */
} vl_embed_tokens;
typedef struct vl_embed_progress {
    bool training;  /* else the text is being counted */
    double done;    /* 0 to 1 of the training */
    uint64_t bytes; /* of text, until now */
    uint64_t words; /* read, or trained on, until now */
    double rate;    /* of learning, now */
} vl_embed_progress;
typedef struct vl_embed_options {
    vl_embed_tokens tokens;
    uint32_t dim;                 /* up to VL_EMBEDDINGS_MAX_DIM */
    uint32_t epochs;              /* how often each word is looked at, 1 to 1,000 */
    uint32_t min_count;           /* words that come less often are left out, 1 and up */
    uint32_t minn, maxn, buckets; /* n-grams of characters; none where maxn or buckets is 0 */
    uint32_t window;              /* words to each side, at most; 1 to 100 */
    uint32_t negative;            /* samples for each word, 1 to 100 */
    double rate;                  /* of learning, at the beginning; it falls to 0 */
    double sample; /* words more frequent than this are skipped now and then; 0: never */
    size_t threads;
    uint64_t seed;
    void (*progress)(const vl_embed_progress *progress, void *user); /* NULL: none; called by
                                                                        the calling thread */
    void *user;
} vl_embed_options;
/* fastText's: 100 dimensions, 5 epochs, at least 5 times, n-grams of 3 to 6 in 2,000,000
 * buckets, 5 words to each side, 5 samples, rate 0.05, sample 1e-4; one thread, seed 1. */
vl_embed_options vl_embed_options_default(void);
typedef struct vl_embed_report {
    uint64_t bytes, lines, damaged; /* damaged: places that were no UTF-8 */
    uint64_t words;                 /* of the text */
    uint64_t kept;                  /* of those, in the vocabulary and in a line with others */
    size_t vocabulary, ngrams;      /* n-grams: buckets in use */
    double loss;                    /* of the last epoch, for each sample */
    double count_seconds, train_seconds;
} vl_embed_report;
/* From plain text, UTF-8, a sentence or so a line; files are read gzipped or not, "-" is
 * standard input. The text is read once and kept as numbers in a file without a name in
 * $TMPDIR (/var/tmp), 4 bytes a word. Memory is bounded by the vocabulary: at most some 4
 * million words while counting, the rarest dropped first. `report` may be NULL.
 * VL_ERR_USAGE: an option has no meaning; VL_ERR_INPUT: no text, or no words often enough;
 * VL_ERR_CANCELLED: stopped. */
vl_status vl_embed_train(const vl_embed_options *options, const char *const *paths,
                         size_t path_count, vl_embeddings **embeddings, vl_embed_report *report,
                         vl_error *error);

/* ---- retrieval ------------------------------------------------------------------- */

/* Rows of one space, all of length 1 or 0 (a row of zeros: nothing is known). */
typedef struct vl_rows {
    const float *data; /* [count][dim], not owned */
    size_t count, dim;
} vl_rows;

typedef enum vl_retrieval {
    VL_RETRIEVAL_NEAREST, /* the largest cosine */
    VL_RETRIEVAL_CSLS,    /* cross-domain similarity local scaling (Conneau et al. 2018, eq. 7):
                           * 2 cos(x,y) − r(x) − r(y), r the mean cosine to the k nearest of the
                           * other side; it takes from words that are near to everything */
} vl_retrieval;

typedef struct vl_retrieval_options {
    vl_retrieval by; /* CSLS */
    size_t k;        /* of CSLS: 10 */
    size_t top;      /* how many to find of each: 1 */
    size_t threads;  /* 0: one a processor */
} vl_retrieval_options;
vl_retrieval_options vl_retrieval_options_default(void);
/* Of each row of `source` its `top` best rows of `target`: index and score [source][top], best
 * first, UINT32_MAX and −infinity where there are fewer. The products are made block by block,
 * so beyond the rows and the answer it needs (1 MB + 8 k bytes a target row) a thread. Finite
 * numbers are the caller's promise. The same on any number of threads. VL_ERR_INPUT: other
 * dimensions; VL_ERR_CANCELLED: see vl_stop_watch. */
vl_status vl_rows_retrieve(const vl_rows *source, const vl_rows *target,
                           const vl_retrieval_options *options, uint32_t *index, float *score,
                           vl_error *error);

/* ---- maps ------------------------------------------------------------------------ */

/* What a map was begun from; each one has more to go on than the one before. */
typedef enum vl_rung {
    VL_RUNG_NONE,       /* nothing: distributions of similarities (Artetxe et al. 2018, 3.2) */
    VL_RUNG_IDENTICAL,  /* words and numerals that are written alike */
    VL_RUNG_COGNATES,   /* those, and names and loans that sound alike */
    VL_RUNG_DICTIONARY, /* those, and a seed dictionary */
    VL_RUNG_COUNT,
    VL_RUNG_AUTO = VL_RUNG_COUNT, /* all that the words support; the one that finds most of the
                                   * held-out seeds is kept, by the criterion where there are
                                   * too few. VL_RUNG_NONE is tried where there are no seeds, or
                                   * five million running words on either side */
} vl_rung;
const char *vl_rung_name(vl_rung rung); /* "none", "identical", "cognates", "dictionary" */

typedef struct vl_map_options {
    vl_rung rung;                 /* VL_RUNG_AUTO */
    const vl_lexicon *dictionary; /* NULL: none. VL_RUNG_DICTIONARY needs one */
    size_t max_words;             /* so many of the most frequent are learned on: 4000 */
    size_t k;                     /* of CSLS: 10 */
    bool keep_target;             /* the target stays where it is, so that others can join it;
                                   * false: both move and are weighed (Artetxe et al. 2018, 3.4) */
    bool refine;                  /* self-learning after the seeds, where it helps: true */
    bool rcsls;     /* then RCSLS (Joulin et al. 2018) instead of weights: false */
    size_t threads; /* 0: one a processor */
    uint64_t seed;  /* the same gives the same map */
} vl_map_options;
vl_map_options vl_map_options_default(void);

typedef struct vl_rung_report {
    bool tried;
    size_t seeds;         /* pairs it began from */
    size_t iterations;    /* of self-learning */
    double criterion;     /* mean CSLS of mutual nearest neighbours among the frequent words
                           * (after Conneau et al. 2018, 2.3); it also rises when a map only
                           * confirms itself */
    size_t held_out;      /* seeds that were kept away from the map for a test, 0: too few */
    double held_out_at10; /* share of them whose counterpart is among the ten best */
} vl_rung_report;
typedef struct vl_map_report {
    vl_rung rung;                        /* which one the map stands on */
    vl_rung_report rungs[VL_RUNG_COUNT]; /* of every one that was tried */
    double chance_criterion;             /* of a map from seeds drawn by chance */
    double chance_at10;                  /* ten in as many words as there are */
    bool better_than_chance;             /* false: do not use the map */
} vl_map_report;

/* A map of two languages' vectors into one space. Read-only once made, thread-safe. */
typedef struct vl_map vl_map;
typedef enum vl_side { VL_SOURCE, VL_TARGET } vl_side;
/* VL_ERR_INPUT: other dimensions, numbers that are not finite, under two words, or no seed of
 * the rung asked for is in both. A map that is no better than chance is VL_OK, and the report
 * says so. No parallel text is used. */
vl_status vl_map_learn(const vl_embeddings *source, const vl_embeddings *target,
                       const vl_map_options *options, vl_map **map, vl_map_report *report,
                       vl_error *error);
void vl_map_free(vl_map *map); /* NULL allowed */
size_t vl_map_dim(const vl_map *map);
/* `count` rows as they lie in their own space to unit rows of the common one (zeros where
 * nothing is left); `out` may be `in`. */
vl_status vl_map_apply(const vl_map *map, vl_side side, const float *in, size_t count,
                       float *out, vl_error *error);
/* A whole space, with its words and frequencies. */
vl_status vl_map_embeddings(const vl_map *map, vl_side side, const vl_embeddings *in,
                            vl_embeddings **out, vl_error *error);

/* ---- many languages into one hub -------------------------------------------------- */

/* The hub's language gives the frame, centred, with directions weighed by how well all others
 * agree on them; each language that joins brings
 * seeds to every language that is there already, so that a Pashto word that looks like a
 * Persian one counts once Persian is in. One thread at a time. */
typedef struct vl_hub vl_hub;
vl_status vl_hub_new(const char *language, const vl_embeddings *embeddings, vl_hub **hub,
                     vl_error *error);
void vl_hub_free(vl_hub *hub); /* NULL allowed */
/* A dictionary between a language that is in the hub (source) and the one that joins (target).
 */
typedef struct vl_hub_dictionary {
    const char *with;
    const vl_lexicon *pairs;
} vl_hub_dictionary;
/* `embeddings` must outlive the hub. `options`' dictionary is that from the hub's own language;
 * `dictionaries` [count] may be NULL. With keep_target nothing is weighed. A language that is
 * no better than chance is not taken in (report->better_than_chance false, VL_OK).
 * VL_ERR_INPUT: it is there already. */
vl_status vl_hub_add(vl_hub *hub, const char *language, const vl_embeddings *embeddings,
                     const vl_map_options *options, const vl_hub_dictionary *dictionaries,
                     size_t count, vl_map_report *report, vl_error *error);
/* The space of a language in the hub's coordinates; VL_ERR_MISSING: it is not in it. The caller
 * frees it. */
vl_status vl_hub_embeddings(const vl_hub *hub, const char *language, vl_embeddings **out,
                            vl_error *error);
/* The map of a language (VL_SOURCE side); NULL: not in it, living as long as the hub. */
const vl_map *vl_hub_map(const vl_hub *hub, const char *language);

/* ---- dictionaries from a common space ---------------------------------------------- */

typedef struct vl_induce_options {
    size_t max_words;               /* so many of the most frequent of each side: 50000 */
    vl_retrieval_options retrieval; /* top: translations a word */
    double min_confidence;          /* 0 */
} vl_induce_options;
vl_induce_options vl_induce_options_default(void);
/* A bilingual dictionary of two languages that share a space, in the order of the source words,
 * best translation first. Confidence: docs/align.md. */
vl_status vl_lexicon_induce(const vl_embeddings *source, const vl_embeddings *target,
                            const vl_induce_options *options, vl_lexicon **lexicon,
                            vl_error *error);

typedef struct vl_lexicon_scores {
    size_t headwords; /* different source words of the gold dictionary */
    size_t asked;    /* of them, those in the source space with a translation in the target's */
    double coverage; /* asked / headwords */
    double p1, p5;   /* of those asked: a right one first, among the first five */
    double
        identical; /* of those asked: the word itself is a right translation (the baseline) */
} vl_lexicon_scores;
/* Bilingual dictionary induction as it is usually scored (Conneau et al. 2018, 3.1): each
 * headword against all words of the target space. VL_ERR_INPUT: none can be asked. */
vl_status vl_lexicon_score(const vl_embeddings *source, const vl_embeddings *target,
                           const vl_lexicon *gold, const vl_retrieval_options *options,
                           vl_lexicon_scores *scores, vl_error *error);
/* ==== the space: many languages in one hub ========================================== */

/* Words of many languages by what they mean in one language, the hub: a word is up to four
 * words of the hub (stems) with weights, and its vector is that sum of their vectors. Learned
 * from text of each language and lists of words; no pair of sentences was seen. Read-only after
 * opening. */
typedef struct vl_space vl_space;
#define VL_SPACE_MAX_BYTES ((size_t)1 << 30)
/* `path` NULL: the bundled one (models/align.bin). VL_ERR_MISSING: no such file; VL_ERR_INPUT:
 * it is none, or damaged. */
vl_status vl_space_open(const char *path, vl_space **space, vl_error *error);
void vl_space_free(vl_space *space); /* NULL allowed */
size_t vl_space_count(const vl_space *space);
/* As vl_lang_code writes it; `i` below the count. */
const char *vl_space_language(const vl_space *space, size_t i);
/* Languages may be asked for by any of their names that text.h knows. */
bool vl_space_has(const vl_space *space, const char *language);
/* JSON: what the space was made from and how good each language was found to be. */
const char *vl_space_card(const vl_space *space);
/* The words of a language with their vectors. VL_ERR_MISSING: the space has not got it. */
vl_status vl_space_vectors(const vl_space *space, const char *language, vl_embeddings **vectors,
                           vl_error *error);
typedef struct vl_gloss {
    const char *word; /* a stem of the hub; lives as long as the space */
    float weight;     /* all of a word's add up to how sure its meaning is, 1 at most */
} vl_gloss;
/* What a folded word means, heaviest first; a word that is not there means what those mean
 * that are spelled most alike. How many, `max` at most; 0: not known. */
size_t vl_space_gloss(const vl_space *space, const char *language, const char *word,
                      vl_gloss *out, size_t max);

/* A dictionary of two of its languages: for the words of `source` by falling frequency the
 * `top` (at most 100) words of `target` whose meanings are most alike. Confidence: the cosine
 * of the meanings times how sure both are. VL_ERR_MISSING: a language is not there. */
vl_status vl_space_lexicon(const vl_space *space, const char *source, const char *target,
                           size_t top, double min_confidence, vl_lexicon **lexicon,
                           vl_error *error);

/* What a space is made from: of each language L, vectors/L.bin (vl_embed_train) and
 * lexicons/L.tsv, lines "hub word TAB word TAB weight". Words that a list has mean what it
 * says; the others what words mean that are spelled or used like them, that a relative spells
 * the same, or that lie beside them once their vectors are mapped to the hub's. */
enum { VL_SPACE_RELATIVES = 8 };
typedef struct vl_space_relative {
    const char *language, *relative; /* lexicons/relative.tsv helps `language` */
} vl_space_relative;
typedef struct vl_space_plan {
    const char *hub;
    const char *vectors, *lexicons; /* folders */
    const char *const *languages;   /* without the hub's */
    size_t language_count;
    const vl_space_relative *relatives;
    size_t relative_count;
    size_t hub_words,
        words; /* how many to keep, of the hub and of each other: 30,000; 12,000 */
    void (*progress)(const char *language, void *user); /* NULL: none */
    void *user;
} vl_space_plan;
vl_space_plan vl_space_plan_default(void);
/* Whole or not at all. VL_ERR_INPUT: a file is not there, or damaged; VL_ERR_UNSUPPORTED: there
 * is no stemmer for the hub's language; VL_ERR_USAGE: a language twice. The same files give the
 * same bytes on the same machine. */
vl_status vl_space_build(const vl_space_plan *plan, const char *out, vl_error *error);

/* ---- banks: sentences to be found by sentences of other languages ------------------------ */

/* A sentence is two sparse rows: what its words mean (units of the hub, each weighing
 * √count · log(1 + sentences / sentences with it)) and what they look like (numbers, and words
 * in Latin letters whole, in 4-grams, and by their consonants: names and loans). A score is
 * (cos of meanings + 2.5 · cos of looks) / 3.5. */
typedef struct vl_bank vl_bank;
enum { VL_BANK_MAX = 1 << 20, VL_BANK_NEAREST = 4 };
/* The sentences are not kept; any bytes will do. A language that the space has not got: looks
 * alone. The space has to live as long. 100,000 sentences of news (13 MB) take 130 MB, 250 MB
 * once they have been searched, and 370 MB while that is made ready. VL_ERR_LIMIT: over
 * VL_BANK_MAX, or over 2^28 features of words; VL_ERR_CANCELLED. */
vl_status vl_bank_new(const vl_space *space, const char *language, const char *const *sentences,
                      size_t count, vl_bank **bank, vl_error *error);
void vl_bank_free(vl_bank *bank); /* NULL allowed */
size_t vl_bank_count(const vl_bank *bank);
/* All of `a` with all of `b`: scores [count of a][count of b], 0 … 1 but for rounding, and the
 * same whichever is first. VL_ERR_USAGE: they are not of one space; VL_ERR_CANCELLED. */
vl_status vl_bank_scores(const vl_bank *a, const vl_bank *b, float *scores, vl_error *error);
/* Scores into margins, in place: each divided by the mean of what its row's and its column's
 * nearest VL_BANK_NEAREST score, all where there are fewer (Artetxe and Schwenk 2019,
 * "Margin-based Parallel Corpus Mining", eq. 2, ratio). */
vl_status vl_bank_margins(float *scores, size_t rows, size_t columns, vl_error *error);
/* Self-learning from two banks that partly say the same: pairs that are each other's best by
 * margin give words that go together (Dice), with which the banks are compared anew, `rounds`
 * times. Neither the order of sentences nor any known pair is looked at. Both banks' searches
 * are made anew. Not while another thread uses either. VL_ERR_LIMIT: over VL_BANK_LEARN_MAX
 * scores. */
#define VL_BANK_LEARN_MAX ((size_t)1 << 27)
vl_status vl_bank_learn(vl_bank *a, vl_bank *b, unsigned rounds, vl_error *error);

typedef struct vl_bank_hit {
    size_t sentence;
    float score;
    float margin;     /* score / mean of the best VL_BANK_NEAREST of this search */
    float confidence; /* how probably it says the same: fitted, docs/align.md */
} vl_bank_hit;
/* The best `k` of the bank for one sentence, best first; *count of them, none when nothing is
 * alike. Thread-safe; the first search makes an index. */
vl_status vl_bank_search(const vl_bank *bank, const char *language, const char *sentence,
                         size_t k, vl_bank_hit *hits, size_t *count, vl_error *error);

/* ---- measuring ------------------------------------------------------------------------ */

/* How well a space does what it is for, on files that say what is right (docs/align.md,
 * "Measuring"), beside what needs no vectors. */
typedef enum vl_align_task {
    VL_ALIGN_RETRIEVAL, /* paths: a table of pairs, or two files line by line */
    VL_ALIGN_LEXICON,   /* a table of words and their translations */
    VL_ALIGN_DOCUMENT,  /* two texts, the beads that are right, and beads that others found */
} vl_align_task;
vl_status vl_align_task_of(const char *name, vl_align_task *task, vl_error *error);
typedef struct vl_align_evaluation {
    vl_align_task task;
    const char *src, *tgt; /* languages: of the space, or labels for two files of vectors */
    const char *const *paths;
    size_t path_count;
    const char *space;                     /* NULL: the bundled one, or the two below */
    const char *src_vectors, *tgt_vectors; /* two languages that lie in one space; or NULL */
    size_t vocabulary;                     /* only the first so many words of either; 0: all */
    size_t limit;                          /* only the first so many pairs; 0: all */
    bool strict;         /* a line that is no pair is an error, and not left out and counted */
    const char *details; /* retrieval: a file for what came first for each pair, or NULL */
} vl_align_evaluation;
/* The report as JSON, the same on every run. When it fails the buffer may hold a report that
 * says so ("error", "message"): VL_ERR_MISSING, with "missing" and "languages", when the space
 * does not have a language. */
vl_status vl_align_evaluate(const vl_align_evaluation *how, vl_buf *json, vl_error *error);

/* ==== sentences and words ========================================================= */

/* Vectors of sentences that need no training and no language: hashed character n-grams of
 * their words in Latin letters (ICU's Any-Latin), weighted by how rare they are among these
 * sentences. Give the sentences of both languages at once, so that they are weighted alike.
 * `rows` [count][width]: unit rows; zeros for a sentence without letters or numbers. */
vl_status vl_lexical_encode(const char *const *sentences, size_t count, uint32_t width,
                            float *rows, vl_error *error);

/* Vectors of sentences from those of their words: the mean weighted by a / (a + p(word)), a =
 * 0.001, less its part along the first common component (Arora, Liang and Ma 2017, "A Simple
 * but Tough-to-Beat Baseline for Sentence Embeddings", algorithm 1), the component being that
 * of these sentences where there are at least 20 of them. p is a word's frequency, or by its
 * rank where that is not known. `rows` [count][dim]: unit rows; zeros where no word is known.
 */
vl_status vl_sif_encode(const vl_embeddings *embeddings, const char *const *sentences,
                        size_t count, float *rows, vl_error *error);

/* A document as its sentences, in order. */
typedef struct vl_sentences {
    const char *const *texts; /* [count] UTF-8; what is none counts as U+FFFD */
    size_t count;
    const float *rows; /* [count][width] unit rows (zeros: nothing known) in a space that both
                          documents share; NULL: there is none */
    const vl_space *space; /* what both documents' words mean; NULL: not known */
    const char *language;  /* in that space */
} vl_sentences;
enum { VL_SENTENCES_MAX = 100000 };

/* Sentences that say the same, or one that has no counterpart (then one count is 0). */
typedef struct vl_bead {
    size_t source, target; /* the first of each */
    size_t source_count, target_count;
    double score;      /* log-likelihood of the bead against chance, a sentence */
    double confidence; /* 0 … 1: how often beads like this one are right */
} vl_bead;

typedef enum vl_alignment_method {
    VL_ALIGNMENT_ALL,     /* words, lengths, and vectors where there are some */
    VL_ALIGNMENT_VECTORS, /* vectors alone: Vecalign (Thompson and Koehn 2019) */
    VL_ALIGNMENT_LENGTHS, /* lengths alone: Gale and Church (1993) */
} vl_alignment_method;
typedef struct vl_alignment_options {
    vl_alignment_method method;
    uint32_t width; /* of rows; 0: none */
} vl_alignment_options;
vl_alignment_options vl_alignment_options_default(void);

/* Two documents side by side, in time and memory that grow with their length: a rough way by
 * vectors (those given, and vl_lexical_encode's), refined in passes that learn from the
 * documents themselves how long a translation is and which words translate each other. Neither
 * needs a dictionary or parallel text. Read-only once made. */
typedef struct vl_alignment vl_alignment;
/* VL_ERR_INPUT: rows that are not finite; VL_ERR_LIMIT: over VL_SENTENCES_MAX sentences;
 * VL_ERR_USAGE: VL_ALIGNMENT_VECTORS without rows. A side without sentences is no error. */
vl_status vl_alignment_new(const vl_sentences *source, const vl_sentences *target,
                           const vl_alignment_options *options, vl_alignment **alignment,
                           vl_error *error);
/* Of sentences that stand in pairs already (as many on either side): every bead is 1–1, and
 * only words are learned. */
vl_status vl_alignment_of_pairs(const vl_sentences *source, const vl_sentences *target,
                                vl_alignment **alignment, vl_error *error);
void vl_alignment_free(vl_alignment *alignment); /* NULL allowed */
/* In the order of the documents; every sentence is in one. */
const vl_bead *vl_alignment_beads(const vl_alignment *alignment, size_t *count);

/* Words that translate each other in two texts that do. */
typedef struct vl_word_link {
    size_t source_from, source_to, target_from, target_to; /* bytes */
    double confidence;                                     /* 0 … 1 */
} vl_word_link;
/* By what the alignment learned and where words stand; in the arena, in the source's order.
 * Thread-safe. */
vl_status vl_alignment_words(const vl_alignment *alignment, vl_arena *arena, const char *source,
                             const char *target, vl_word_link **links, size_t *count,
                             vl_error *error);

#ifdef __cplusplus
}
#endif
#endif
