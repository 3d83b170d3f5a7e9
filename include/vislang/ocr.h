/* ocr.h — a page picture in, text with structure, boxes and confidences out.
 *
 * Ownership: a page and everything in it live in the arena given to vl_ocr_read. Boxes are
 * in pixels of the upright page (after `rotation` and `skew` were undone — `width` and
 * `height` are that picture's). Confidences are 0 … 1. Text is NFC in logical order.
 * Thread-safety: one vl_ocr per thread (it keeps warm engine handles). */
#ifndef VISLANG_OCR_H
#define VISLANG_OCR_H

#include <vislang/media.h>
#include <vislang/text.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vl_box {
    int32_t x, y, width, height;
} vl_box;

/* What an engine read where a word stands. */
typedef struct vl_word_said {
    const char *engine, *text; /* "": nothing */
    double weight;             /* exponent of its vote */
    double probability;        /* that it is right, by its own calibrated confidence */
} vl_word_said;

typedef struct vl_word_vote {
    double posterior;
    const vl_word_said *said; /* one for each engine that had a vote on the line */
    size_t count;
} vl_word_vote;

typedef struct vl_word {
    const char *text;
    vl_box box;
    double confidence;        /* after a vote its posterior, docs/consensus.md */
    const vl_word_vote *vote; /* NULL: not asked for (options.explain), or nobody voted */
} vl_word;

typedef struct vl_line {
    vl_box box;
    double confidence;                /* mean over characters */
    int32_t baseline_y0, baseline_y1; /* y of the baseline at the left and right edge of box */
    double x_height;                  /* pixels, 0: not known */
    bool rtl;
    vl_word *words; /* in reading (logical) order */
    size_t word_count;
} vl_line;

typedef enum vl_block_kind {
    VL_BLOCK_PARAGRAPH,
    VL_BLOCK_TITLE,
    VL_BLOCK_TABLE,  /* lines are its rows; cells below */
    VL_BLOCK_FIGURE, /* picture region; lines are its caption, outside of the box */
} vl_block_kind;

typedef struct vl_cell {
    size_t row, column; /* its first */
    vl_box box;
    const char *text;
    size_t row_span, column_span; /* how many it covers, at least 1 */
} vl_cell;

typedef struct vl_block {
    vl_block_kind kind;
    vl_box box;
    double confidence;
    vl_line *lines; /* in reading order */
    size_t line_count;
    vl_cell *cells; /* VL_BLOCK_TABLE only, row by row */
    size_t cell_count, row_count, column_count;
} vl_block;

/* What votes on a page are recorded under (docs/consensus.md). NULL: not known. */
typedef struct vl_page_key {
    const char *script, *language, *degradation, *source;
} vl_page_key;

/* Why a page has no text, or not to be trusted: nothing here reads its script. */
typedef struct vl_unread {
    char script[5];      /* ISO 15924; "Zzzz": it was not recognised */
    double probability;  /* of the script, 0 for "Zzzz" */
    vl_status status;    /* VL_ERR_MISSING: something can be installed; VL_ERR_UNSUPPORTED */
    const char *message; /* for people: which script it is and what would add it */
} vl_unread;

typedef struct vl_page {
    uint32_t width, height;
    double dpi;        /* 0: not known */
    int rotation;      /* degrees clockwise that made it upright: 0, 90, 180, 270 */
    double skew;       /* degrees clockwise that were undone on top of that */
    double confidence; /* mean word confidence weighted by length, 0 when no word */
    char script[5];    /* ISO 15924 */
    vl_lang_guess languages[5];
    size_t language_count;
    const char *engine;      /* "tesseract 5.3.0 (swa)" */
    const vl_unread *unread; /* NULL: its script is read here */
    double milliseconds;
    vl_block *blocks; /* in reading order */
    size_t block_count;
    const vl_page_key *key; /* NULL: not asked for (options.explain), or nobody voted */
    bool redacted;          /* options.redact */
    size_t redactions;      /* how much was found */
} vl_page;

/* ---- engines -------------------------------------------------------------------------- */

/* The engines that a configuration names, in its order, and what became of their calls. Any
 * number of threads and of vl_ocr may share one; it must outlive them. */
typedef struct vl_ocr_engines vl_ocr_engines;
enum { VL_OCR_ENGINE_NAME = 32, VL_OCR_ENGINE_ADDRESS = 256, VL_OCR_ENGINES_MAX = 16 };
/* `list`: "tesseract,ocrad" (docs/ocr.md); NULL: tesseract. Starts nothing. VL_ERR_USAGE: an
 * unknown name, with the nearest one. */
vl_status vl_ocr_engines_new(const char *list, vl_ocr_engines **engines, vl_error *error);
void vl_ocr_engines_free(vl_ocr_engines *engines);
/* The names of the engines that come with this version, services left out. At most `max` of
 * them into `names`; returns how many. */
size_t vl_ocr_engines_known(const char **names, size_t max);
typedef struct vl_ocr_engine_health {
    char name[VL_OCR_ENGINE_NAME];
    char version[32];                   /* "" not known */
    bool available;                     /* it is there and does not rest after failing */
    uint64_t calls, failures, timeouts; /* timeouts are failures too */
    double seconds;                     /* of all calls */
    double mean_ms;                     /* of the calls that did not fail; 0: none */
    uint64_t votes, votes_won; /* lines voted on by several that it read; and read as they came
                                  out */
    char last_error[256];      /* "" none */
} vl_ocr_engine_health;
/* At most `max` of them into `health`; returns how many. */
size_t vl_ocr_engines_health(vl_ocr_engines *engines, vl_ocr_engine_health *health, size_t max);

/* ---- the engines' track record --------------------------------------------------------- */

/* How often each engine was right, and what was learned of that by reading (docs/consensus.md).
 * Any number of threads and of vl_ocr may share one; it must outlive them. Only the functions
 * here wait for its database; reading never does. */
struct vl_db;
typedef struct vl_ocr_record vl_ocr_record;
/* Whether the setting ocr_record says `store` or `none`. VL_ERR_USAGE: neither; of a file's
 * name it says how such a file is taken over. */
vl_status vl_ocr_record_setting(const vl_config *config, bool *kept, vl_error *error);
/* The one in a database whose schema is the newest (vl_db_migrate), which stays the caller's
 * and must outlive it. NULL: in memory. VL_ERR_INPUT: the rows there are damaged, and stay so.
 */
vl_status vl_ocr_record_open(struct vl_db *db, vl_ocr_record **record, vl_error *error);
/* Writes what was learned and is not written yet; the log says when that fails. NULL allowed.
 */
void vl_ocr_record_close(vl_ocr_record *record);
/* To be called now and then, by any thread that may wait for the database; most calls return at
 * once. Looks every second whether others wrote (one row is read), and writes every ten seconds
 * what was learned. While the database is away nothing is lost, and the log says so once. */
void vl_ocr_record_tend(vl_ocr_record *record);
bool vl_ocr_record_is_due(vl_ocr_record *record); /* the next call does something */
/* As a table for people, as JSON, forgotten for `engine` (NULL: for all of them; `removed`, may
 * be NULL: how many rows), or replaced by such JSON. VL_ERR_INPUT: what is wrong with the JSON.
 */
vl_status vl_ocr_record_show(vl_ocr_record *record, vl_buf *table, vl_error *error);
vl_status vl_ocr_record_export(vl_ocr_record *record, vl_buf *json, vl_error *error);
vl_status vl_ocr_record_reset(vl_ocr_record *record, const char *engine, size_t *removed,
                              vl_error *error);
/* For those who reset it in the database themselves (vl_weights_reset, in a transaction with
 * other things): before that, what was learned so far is written; after it, memory follows. */
vl_status vl_ocr_record_flush(vl_ocr_record *record, vl_error *error);
void vl_ocr_record_forget(vl_ocr_record *record, const char *engine);
vl_status vl_ocr_record_import(vl_ocr_record *record, const void *json, size_t bytes,
                               vl_error *error);
/* Learns from lines that a person has corrected: `json` is a document as the JSON writer makes
 * it with options.explain, in which lines have a member "corrected", the text that stands there
 * (docs/formats.md). `report` receives {"lines", "engines": [{"engine", "accuracy_before",
 * "accuracy", "characters"}]}: over everything an engine read. It is in the database when this
 * returns VL_OK. VL_ERR_INPUT: what is wrong with the document; VL_ERR_LIMIT: too much at once;
 * what the database says. Nothing is learned then (in memory, part of it may be). */
vl_status vl_ocr_record_correct(vl_ocr_record *record, const void *json, size_t bytes,
                                vl_buf *report, vl_error *error);

typedef struct vl_ocr_options {
    const char *languages;   /* "eng+fra": Tesseract packs to use; NULL: detect */
    bool detect_orientation; /* default true */
    bool fast_photo;         /* default true: a photograph with no text is given up on early */
    double max_seconds;      /* per page; default 60 */
    const char *engines;     /* "tesseract,ocrad": docs/ocr.md; NULL: tesseract */
    vl_ocr_engines *shared;  /* instead of `engines`: calls are counted there; or NULL */
    double max_engine_seconds; /* a call to an engine in another process; default 30 */
    double threshold;          /* posterior of every word that settles a line; default 0.9 */
    bool explain;              /* keep in every word what each engine said */
    bool redact;               /* take personal data out (docs/privacy.md) */
    bool steady; /* nothing is learned from votes: a page reads the same whatever was read
                    before it */
    vl_ocr_record *record; /* NULL: each vl_ocr has its own, in memory */
    const char *source;    /* where the pages come from, a key of it ("fax"); NULL: unknown */
    const char *preprocessing; /* "auto", "none" or a clean-up: docs/ocr.md; NULL: auto */
    const char *tessdata;      /* NULL: $TESSDATA_PREFIX, then the distribution's directory */
    const vl_langid *langid;   /* NULL: the bundled model, opened by vl_ocr_new */
} vl_ocr_options;
vl_ocr_options vl_ocr_options_default(void);

/* VL_ERR_USAGE: `name` is neither auto, none nor a clean-up; says the nearest name. */
vl_status vl_ocr_preprocessing_check(const char *name, vl_error *error);

typedef struct vl_ocr vl_ocr;
/* VL_ERR_MISSING when Tesseract's language packs are not there (they also serve to find out
 * turn and script), or not one of the engines is: says the apt line. */
vl_status vl_ocr_new(const vl_ocr_options *options, vl_ocr **ocr, vl_error *error);
void vl_ocr_free(vl_ocr *ocr);
/* options.explain for the pages that come. */
void vl_ocr_explain(vl_ocr *ocr, bool explain);
/* options.redact for the pages that come: names, telephone numbers and so on (vl_personal_find)
 * become "[name]", "[phone]", … in words and cells, and are black in `upright`. */
void vl_ocr_redact(vl_ocr *ocr, bool redact);
/* options.source for the pages that come. VL_ERR_INPUT: longer than 63 bytes, or with control
 * characters. */
vl_status vl_ocr_source(vl_ocr *ocr, const char *source, vl_error *error);
/* Reads one page. Of several engines that read its languages, the first that finds lines reads
 * it, lines that it is not sure of go to the next ones by cost, and their votes decide
 * (docs/consensus.md); one that fails is left out.
 * `languages` overrides options' for this page (NULL: as options).
 * `upright` (may be NULL) receives the upright page picture the boxes refer to (caller frees).
 * A page without text is VL_OK with no blocks, and one in a script that nothing here reads is
 * VL_OK with `unread`, without the letters of other scripts that an engine makes of it.
 * VL_ERR_TIMEOUT, VL_ERR_MISSING, VL_ERR_MEMORY, VL_ERR_UNSUPPORTED (no engine of those named
 * reads the languages), VL_ERR_CANCELLED (vl_stop_watch). */
vl_status vl_ocr_read(vl_ocr *ocr, const vl_image *image, const char *languages,
                      vl_arena *arena, vl_page **page, vl_image **upright, vl_error *error);
/* Packs that are installed ("eng", "Latin" (Debian keeps script packs beside language packs),
 * …), sorted; in the arena. */
vl_status vl_ocr_packs(const vl_ocr_options *options, vl_arena *arena, const char ***packs,
                       size_t *count, vl_error *error);
const char *vl_ocr_engine_version(void); /* "5.3.0" */

/* The page's text: blocks apart by an empty line, lines by a newline. NULL: arena full. */
char *vl_page_text(vl_arena *arena, const vl_page *page);
char *vl_block_text(vl_arena *arena, const vl_block *block);
char *vl_line_text(vl_arena *arena, const vl_line *line);
size_t vl_page_word_count(const vl_page *page);

/* ---- writers -------------------------------------------------------------------- */

typedef enum vl_ocr_format {
    VL_OCR_TEXT,     /* .txt: pages apart by a form feed */
    VL_OCR_JSON,     /* .json: docs/formats.md */
    VL_OCR_HOCR,     /* .hocr: hOCR 1.2 */
    VL_OCR_ALTO,     /* .alto.xml: ALTO 4 */
    VL_OCR_MARKDOWN, /* .md */
    VL_OCR_PDF,      /* .pdf: the picture with an invisible, selectable text layer under it */
    VL_OCR_PNG,      /* .page.png: the picture of the one page */
    VL_OCR_FORMAT_COUNT,
} vl_ocr_format;
const char *vl_ocr_format_name(vl_ocr_format format);      /* "text", "json", … */
const char *vl_ocr_format_extension(vl_ocr_format format); /* ".txt", … */
vl_status vl_ocr_format_parse(const char *name, vl_ocr_format *format, vl_error *error);

/* Writes page by page, so that a long document never stands in memory whole. `source` is the
 * picture's file name as written into the output. */
typedef struct vl_ocr_writer vl_ocr_writer;
typedef vl_status (*vl_sink)(void *user, const void *bytes, size_t count, vl_error *error);
vl_status vl_ocr_writer_new(vl_ocr_format format, const char *source, vl_sink sink, void *user,
                            vl_ocr_writer **writer, vl_error *error);
/* Instead of text, every figure as PREFIX-PAGE-NUMBER.png, cut out of the page's picture. */
vl_status vl_ocr_figures_writer_new(const char *prefix, vl_ocr_writer **writer,
                                    vl_error *error);
/* Markdown and JSON name the files that a figures writer with this prefix keeps. */
void vl_ocr_writer_link_figures(vl_ocr_writer *writer, const char *prefix);
/* `picture` is the upright page picture; needed for VL_OCR_PDF and VL_OCR_PNG, ignored by the
 * others. */
vl_status vl_ocr_writer_page(vl_ocr_writer *writer, const vl_page *page,
                             const vl_image *picture, vl_error *error);
/* A page that could not be read: keeps its number in the output, with the reason. */
vl_status vl_ocr_writer_bad_page(vl_ocr_writer *writer, const vl_error *reason,
                                 vl_error *error);
vl_status vl_ocr_writer_finish(vl_ocr_writer *writer, vl_error *error);
void vl_ocr_writer_free(vl_ocr_writer *writer);
/* A sink that appends to a vl_buf (`user`). */
vl_status vl_sink_buf(void *user, const void *bytes, size_t count, vl_error *error);

/* The whole line of `vislang ocr`: every page of `document` read and given to every writer
 * (several formats from one reading). A page that cannot be read becomes a bad page and the
 * rest goes on. Writers are not finished here. Fails only when a writer fails or no page
 * could be read. */
typedef struct vl_ocr_summary {
    uint32_t pages, bad_pages;
    uint64_t words;
    double confidence;  /* mean over words */
    vl_error first_bad; /* status VL_OK when none */
    uint32_t unread_pages;
    vl_error first_unread; /* the message of vl_page.unread; status VL_OK when none */
} vl_ocr_summary;
vl_status vl_ocr_document(vl_ocr *ocr, vl_document *document, const char *languages,
                          vl_ocr_writer *const *writers, size_t writer_count,
                          vl_ocr_summary *summary, vl_error *error);

/* ---- scores on real scans --------------------------------------------------------- */

/* Reads the scans of a folder (MANIFEST.tsv, X.gt.txt beside X.png: docs/eval.md) with each
 * engine alone, and with several also by vote ("consensus"), and appends the scores to `json`,
 * an object of "sets", "scripts": {NAME: {ENGINE: score}}, "all": {ENGINE: score}, "broken":
 * [{"set", "id", "why"}], "failed": [{"engine", "set", "id", "why"}]. A score is
 * {"cer","cer_low","cer_high","wer","wer_low","wer_high","n","failed","seconds"}: edits over
 * the length of the transcripts together, with 95 % intervals over resampled items (Efron and
 * Tibshirani 1993, ch. 13: percentiles of 1,000 resamples, seeded), and seconds an item. A
 * broken item is left out for every engine; one that an engine failed on counts as if it had
 * read nothing; one whose script an engine does not read is not put to it. */
typedef enum vl_scan_half {
    VL_SCANS_ALL,
    VL_SCANS_ADAPT, /* the half that weights may be learned from */
    VL_SCANS_SCORE, /* the half that figures are made on */
} vl_scan_half;
typedef struct vl_ocr_evaluation {
    const char *folder;
    const char *const *engines;
    size_t engine_count;
    vl_scan_half half;
    const char *sets;    /* "a,b": only these; NULL: all */
    size_t limit;        /* at most so many items of each set; 0: all */
    bool detect;         /* find languages out, instead of taking the manifest's */
    size_t jobs;         /* scans read at the same time; 0: one */
    const char *details; /* a file for what was read of each item, a line of JSON each; NULL */
    vl_ocr_options ocr;
    vl_media_limits limits;
    void (*progress)(size_t done, size_t items, void *user); /* one thread at a time; or NULL */
    void *user;
} vl_ocr_evaluation;
/* VL_ERR_INPUT: no manifest, no such set, or not one item that can be scored. */
vl_status vl_ocr_evaluate(const vl_ocr_evaluation *how, vl_buf *json, vl_error *error);

struct cJSON;
/* The page as the documented JSON object (caller deletes). NULL: no memory. */
struct cJSON *vl_page_to_json(const vl_page *page);

#ifdef __cplusplus
}
#endif
#endif
