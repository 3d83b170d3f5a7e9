/* dataset.h — data to train on, made from what there is: lines of text rendered in the fonts of
 * the machine and degraded as scans and phone photos are; and lines cut out of real scans.
 *
 * A rendered line is a function of (options, index): the same whatever the process, the order
 * and the number of jobs, as long as the text folder and the installed fonts are the same.
 *
 * Thread-safety: a vl_synth is read-only once opened; a process paints with one thread at a
 * time, however many painters it has. */
#ifndef VISLANG_DATASET_H
#define VISLANG_DATASET_H

#include <vislang/media.h>
#include <vislang/ocr.h>
#include <vislang/text.h>

#include <stdatomic.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- scripts ------------------------------------------------------------------------ */

typedef enum vl_script {
    VL_SCRIPT_LATIN,
    VL_SCRIPT_ARABIC,
    VL_SCRIPT_ETHIOPIC,
    VL_SCRIPT_CYRILLIC,
    VL_SCRIPT_DEVANAGARI,
    VL_SCRIPT_BENGALI,
    VL_SCRIPT_BURMESE,
    VL_SCRIPT_KHMER,
    VL_SCRIPT_TAMIL,
    VL_SCRIPT_COUNT
} vl_script;
/* "latin", … */
const char *vl_script_name(vl_script script);
/* "latin,arabic=3,khmer=0.5": a script that is not named gets 0, one without a number its usual
 * weight. VL_ERR_USAGE names what is not a script. */
vl_status vl_script_weights_parse(const char *list, double weights[VL_SCRIPT_COUNT],
                                  vl_error *error);

/* ---- lines -------------------------------------------------------------------------- */

/* About one family in ten, by a hash of its name, is held out of training: at least one in each
 * script that has three. */
typedef enum vl_synth_fonts {
    VL_SYNTH_FONTS_TRAIN,
    VL_SYNTH_FONTS_HELD,
    VL_SYNTH_FONTS_ALL
} vl_synth_fonts;

typedef struct vl_synth_options {
    const char *text;     /* a folder of gzipped text: plain, or tables whose last column is */
    const char *alphabet; /* NULL: models/reader-alphabet.txt under vl_data_dir() */
    uint64_t seed;
    double weights[VL_SCRIPT_COUNT]; /* how often each script is drawn */
    vl_synth_fonts fonts;
    bool system_text; /* also word lists, catalogues and manual pages that Debian installed */
    bool clean;       /* nothing is degraded */
} vl_synth_options;
vl_synth_options vl_synth_options_default(void);

typedef struct vl_synth vl_synth;
/* VL_ERR_INPUT: no text in a script that is asked for; VL_ERR_MISSING: no font for one. */
vl_status vl_synth_open(const vl_synth_options *options, vl_synth **lines, vl_error *error);
void vl_synth_free(vl_synth *lines);

enum { VL_SYNTH_HEIGHT_MIN = 32, VL_SYNTH_HEIGHT_MAX = 64, VL_SYNTH_WIDTH_MAX = 1600 };
enum { VL_SYNTH_MAX_DEGRADATIONS = 24 };
typedef struct vl_synth_line {
    vl_image *image; /* 8-bit grey, VL_SYNTH_HEIGHT_MIN … _MAX high, at most _WIDTH_MAX wide */
    char *text;      /* NFC, logical order, one space between words */
    vl_script script; /* a line that begins in another script still has this one's direction */
    char language[VL_LANG_SIZE]; /* as its source says: ISO 639-1 or -3, "und" */
    char font[128];              /* family and style */
    const char *degradations[VL_SYNTH_MAX_DEGRADATIONS]; /* names, in order; static storage */
    size_t degradation_count;
} vl_synth_line;
void vl_synth_line_deinit(vl_synth_line *line);

/* Fonts opened. Keeps a pointer to `lines`. */
typedef struct vl_synth_painter vl_synth_painter;
vl_synth_painter *vl_synth_painter_new(const vl_synth *lines); /* NULL: no memory */
void vl_synth_painter_free(vl_synth_painter *painter);
/* Neighbouring indices share a font, as lines of a page do: eight from a multiple of eight. */
vl_status vl_synth_paint(vl_synth_painter *painter, uint64_t index, vl_synth_line *line,
                         vl_error *error);

/* ---- to files ----------------------------------------------------------------------- */

typedef struct vl_synth_report {
    uint64_t lines;
    uint64_t by_script[VL_SCRIPT_COUNT];
    double seconds;        /* wall, painting and writing; opening is not counted */
    size_t alphabet_count; /* entries of the alphabet */
    uint32_t *codes;       /* [alphabet_count]; freed by vl_synth_report_deinit */
    uint64_t *seen;        /* [alphabet_count]: how often each was written */
} vl_synth_report;
void vl_synth_report_deinit(vl_synth_report *report);

typedef void (*vl_synth_progress)(uint64_t done, uint64_t count, void *user);
typedef struct vl_synth_target {
    const char *out;  /* a file ending in .tar, or a folder for shards of 5,000 lines */
    uint64_t count;   /* painted */
    uint32_t longest; /* wider ones, at a height of 48 pixels, are left out; 0: none are */
    size_t jobs;
    vl_synth_progress progress; /* may be NULL */
    void *user;
} vl_synth_target;
enum { VL_SYNTH_SHARD = 5000, VL_SYNTH_HEIGHT = 48 };
/* Paints in `jobs` processes of its own (Pango, cairo and FreeType crash now and then on
 * threads of one), so it is to be called while the process has one thread. A worker that dies
 * is VL_ERR_INTERNAL. WebDataset: 000001.png beside 000001.json {"text", "script", "language",
 * "font", "degradations"}. Shards are lines-00000.tar, …; each appears whole or not at all, and
 * a folder that holds tars already is refused (VL_ERR_USAGE). */
vl_status vl_synth_write(const vl_synth *lines, const vl_synth_target *target,
                         vl_synth_report *report, vl_error *error);

/* Makes the alphabet of the text folder and of the fixed lists, at most 1,471 code points: one
 * a line, the space first. `count` may be NULL. */
vl_status vl_synth_make_alphabet(const char *text, const char *path, size_t *count,
                                 vl_error *error);

/* ---- lines of real scans -------------------------------------------------------------- */

typedef struct vl_scan_lines_options {
    const char *folder;   /* MANIFEST.tsv, X.gt.txt beside X.png: docs/eval.md */
    const char *out;      /* a file ending in .tar */
    vl_scan_half half;    /* only the adapt half may be trained on */
    const char *sets;     /* "a,b": only these; NULL: all */
    const char *alphabet; /* NULL: models/reader-alphabet.txt under vl_data_dir() */
    vl_media_limits limits;
    void (*progress)(size_t done, size_t items, void *user); /* may be NULL */
    void *user;
} vl_scan_lines_options;
vl_scan_lines_options vl_scan_lines_options_default(void); /* the adapt half */

typedef struct vl_scan_lines_set {
    char name[64];
    size_t items;
    size_t broken;        /* items without a picture or a transcript */
    size_t found;         /* lines: of a page those that Tesseract found */
    size_t unsure;        /* … of which it is not sure what the transcript has there */
    size_t other_letters; /* … with letters that the alphabet lacks */
    size_t of_other_half; /* … that are an item of the other half too */
    size_t unfit;         /* … too small, or too long for their height */
    size_t lines;         /* … that were written */
} vl_scan_lines_set;
typedef struct vl_scan_lines_report {
    uint64_t lines;
    uint64_t by_script[VL_SCRIPT_COUNT];
    vl_scan_lines_set *sets; /* in the manifest's order; freed by _deinit */
    size_t set_count;
} vl_scan_lines_report;
void vl_scan_lines_report_deinit(vl_scan_lines_report *report);
/* As vl_synth_write writes lines: NNNNNN.png beside NNNNNN.json {"text", "script", "language",
 * "source": "SET/ID", "document"}. Items that cannot be used are left out and logged.
 * VL_ERR_INPUT: no manifest, or not one line; VL_ERR_MISSING: Tesseract or one of its packs. */
vl_status vl_scan_lines_write(const vl_scan_lines_options *options,
                              vl_scan_lines_report *report, vl_error *error);

/* ---- fonts -------------------------------------------------------------------------- */

typedef struct vl_synth_font {
    const char *family, *style, *file;
    bool held;
    bool scripts[VL_SCRIPT_COUNT];
} vl_synth_font;
typedef void (*vl_synth_font_fn)(const vl_synth_font *font, void *user);
/* The fonts of the machine that serve a script or more, by family and style. */
vl_status vl_synth_fonts_list(vl_synth_font_fn give, void *user, vl_error *error);

/* ---- documents and their parts ---------------------------------------------------------- */

typedef enum vl_part_kind {
    VL_PART_HEADING,
    VL_PART_PARAGRAPH,
    VL_PART_LIST,
    VL_PART_TABLE,
    VL_PART_FIGURE, /* a picture of a kind that nothing tells */
    VL_PART_CHART,
    VL_PART_MAP,
    VL_PART_PHOTOGRAPH,
    VL_PART_CAPTION,
    VL_PART_RUNNING, /* running heads and feet, page numbers: on the page, and no text of it */
    VL_PART_KIND_COUNT
} vl_part_kind;
const char *vl_part_kind_name(vl_part_kind kind); /* "heading", … */
bool vl_part_is_picture(vl_part_kind kind);       /* figure, chart, map, photograph */

typedef struct vl_part_cell {
    uint32_t row, column, row_span, column_span; /* its first; spans are at least 1 */
    bool heading;
    const char *text;
} vl_part_cell;

/* A word as it stands on a page: "inter-" at a line's end where the text has "international".
 */
typedef struct vl_part_word {
    vl_box box; /* as vl_part.box */
    const char *text;
} vl_part_word;

#define VL_PART_NONE SIZE_MAX
typedef struct vl_part {
    vl_part_kind kind;
    uint32_t page; /* from 0; 0 where a document has no pages */
    bool has_box;
    vl_box box;          /* pixels of the page's picture: vl_parts_page */
    uint32_t level;      /* of a heading, 1 … 6; else 0 */
    const char *text;    /* NFC. List: an item a line; table: a row a line, cells apart by tabs;
                            picture: what its maker says that it shows, or "" */
    vl_part_cell *cells; /* of a table, row by row */
    size_t cell_count, row_count, column_count;
    vl_part_word *words; /* of a page, in reading order; NULL: not known */
    size_t word_count;
    char language[VL_LANG_SIZE]; /* "und": not known */
    double certainty;            /* of the language, 0 … 1; 0 where only `declared` says it */
    char declared[VL_LANG_SIZE]; /* what the document says, as vl_lang_code; "" nothing */
    char script[5];              /* ISO 15924 */
    bool ocr;                    /* read off the picture; else the text was in the document */
    double confidence;           /* of the reading; 1 for text that was in the document */
    size_t caption;    /* table, picture: the part that is its caption, or VL_PART_NONE */
    const char *label; /* "Figure 3" as its caption has it; NULL: none */
    size_t *mentions;  /* table, picture: parts that speak of it by its label, in order */
    size_t mention_count;
    size_t goes_on;     /* the part on the next page that this one goes on in; 0: none */
    bool continues;     /* it goes on with a part of the page before */
    const char *source; /* picture: its address as the document has it, or its name in the
                           document's archive; NULL: cut out of the page */
} vl_part;

typedef struct vl_parts_page {
    uint32_t width, height; /* pixels of its picture; 0: there is none */
    double dpi;
    bool ocr;           /* its text was read off the picture … */
    const char *reason; /* … because of this; or what was wrong with it; NULL: nothing */
    double rubbish;     /* 0 … 1: how sure it is that its embedded text is none */
} vl_parts_page;

typedef struct vl_parts {
    const char *format; /* "html", "docx", "odt", "text", "pdf", "jpeg", …; static */
    const char *title;  /* "": none */
    char declared[VL_LANG_SIZE];
    vl_parts_page *pages; /* at least one */
    size_t page_count;
    vl_part *parts; /* in reading order */
    size_t part_count;
    struct vl_parts_source *from; /* for vl_parts_picture */
} vl_parts;

/* Sets *ocr, which stays the caller's. */
typedef vl_status (*vl_parts_ocr_fn)(void *user, vl_ocr **ocr, vl_error *error);
typedef struct vl_parts_options {
    const char *type; /* media type it came with, with its charset; NULL: not known. What the
                         bytes look like counts more */
    const vl_langid *langid;  /* NULL: languages are only those that are declared */
    const vl_ngram *ngram;    /* tells rubbish from text in a PDF; or NULL */
    vl_ocr *ocr;              /* reads pages that have no text; NULL: those have no parts */
    vl_parts_ocr_fn open_ocr; /* instead: asked for it once, when a page needs it; or NULL */
    void *user;               /* open_ocr's */
    vl_media_limits limits;   /* of pages and pictures */
    size_t max_bytes;         /* of the document; default 64 MB */
    size_t max_parts;         /* default 200,000; cells of tables count too */
} vl_parts_options;
vl_parts_options vl_parts_options_default(void);

/* The parts of a document: HTML (the main content, without menus, banners and footers); DOCX
 * and ODT; plain text; PDF and pictures of pages, whose boxes are in pixels at limits.pdf_dpi.
 * Everything is in `arena`, and `bytes` must outlive it. `options->ocr`
 * belongs to this thread while it runs. Nothing is fetched, and no entity but
 * HTML's own is resolved. VL_ERR_UNSUPPORTED: a format that is not read; VL_ERR_INPUT: broken;
 * VL_ERR_LIMIT: too large or too deep; VL_ERR_MEMORY: `arena` is full. */
vl_status vl_parts_read(const void *bytes, size_t count, const vl_parts_options *options,
                        vl_arena *arena, vl_parts **parts, vl_error *error);
/* The text of a part with what it goes on in on later pages, words that a page's end parts
 * joined. In `arena`; NULL: it is full. Boxes are those of each part alone. */
const char *vl_parts_whole_text(const vl_parts *parts, size_t index, vl_arena *arena);
/* The picture of part `index` (caller frees): one that the document holds, or what is within
 * the part's box of its page, also of a table. `limits` (NULL: the usual) are those of
 * decoding; a page is drawn at the resolution that it was read at. The last page drawn is kept
 * in the document's arena, so that what is cut out of one page draws it once; hence one thread
 * at a time. VL_ERR_USAGE: it has none; VL_ERR_MISSING: it stands elsewhere, at the address in
 * `source`; VL_ERR_INPUT: it is broken; VL_ERR_LIMIT. */
vl_status vl_parts_picture(const vl_parts *parts, size_t index, const vl_media_limits *limits,
                           vl_image **image, vl_error *error);
/* The picture of a whole page, which boxes refer to: vl_parts_page's width and height. As
 * above.
 */
vl_status vl_parts_page_picture(const vl_parts *parts, uint32_t page,
                                const vl_media_limits *limits, vl_image **image,
                                vl_error *error);

/* ---- datasets ------------------------------------------------------------------------------
 */

/* A dataset is a folder (docs/dataset.md): dataset.json, which is written last, so that a
 * folder without it is not finished; documents.jsonl, where each came from; items-00000.jsonl,
 * …, the items in their order; pictures/ab/abcdef….png by the SHA-256 of the file.
 *
 * Items are base items, a picture with the text that belongs to it or a passage, and examples:
 * instructions with their responses, made of the base item that they follow. */
typedef enum vl_item_kind {
    VL_ITEM_PAIR,     /* base: a picture and its text */
    VL_ITEM_TEXT,     /* base: a passage; its picture, if any, is the page that it stands on */
    VL_ITEM_DESCRIBE, /* what does the picture show? */
    VL_ITEM_QUESTION, /* answered by the caption, by a table or by a chart's text */
    VL_ITEM_READ,     /* what is written in this region? */
    VL_ITEM_LANGUAGE, /* which language is it? */
    VL_ITEM_CHANGE,   /* what changed between two states? */
    VL_ITEM_CRISIS,   /* which crisis is it about? */
    VL_ITEM_KIND_COUNT
} vl_item_kind;
const char *vl_item_kind_name(vl_item_kind kind); /* "pair", … */
bool vl_item_is_base(vl_item_kind kind);

typedef enum vl_split {
    VL_SPLIT_TRAIN,
    VL_SPLIT_VALIDATION,
    VL_SPLIT_TEST,
    VL_SPLIT_COUNT
} vl_split;
const char *vl_split_name(vl_split split); /* "train", … */

/* Named parts of an item's quality, 0 … 1 each. An example has those of its base item. */
typedef enum vl_quality_part {
    VL_QUALITY_OCR,         /* confidence of the reading; 1: the text was in the document */
    VL_QUALITY_ALIGNMENT,   /* how well picture and text belong together; 1 without a picture */
    VL_QUALITY_LANGUAGE,    /* certainty of the language */
    VL_QUALITY_LENGTH,      /* neither a scrap nor a flood */
    VL_QUALITY_DUPLICATES,  /* 1 / how many near-duplicates there were, itself included */
    VL_QUALITY_READABILITY, /* words and sentences, not debris */
    VL_QUALITY_PART_COUNT
} vl_quality_part;
const char *vl_quality_part_name(vl_quality_part part); /* "ocr", … */

/* Personal data that was replaced in an item's text: as vl_personal_kind, then coordinates. */
enum { VL_ITEM_COORDINATES = VL_PERSONAL_KIND_COUNT, VL_ITEM_PERSONAL };
const char *vl_item_personal_name(size_t kind); /* "name", …, "coordinates" */

enum { VL_ITEM_ID_SIZE = 17 }; /* 16 hexadecimal digits */
typedef struct vl_item {
    char id[VL_ITEM_ID_SIZE];   /* the same whenever the same is built of the same document */
    char base[VL_ITEM_ID_SIZE]; /* example: its base item; else "" */
    vl_item_kind kind;
    vl_split split;
    /* Strings are never NULL; "" is nothing. */
    const char *picture;      /* "pictures/ab/abcdef….png", from the dataset's folder */
    uint32_t width, height;   /* of the picture */
    const char *picture_kind; /* "page", or vl_part_kind_name */
    bool has_phash;
    uint64_t phash;
    const char *instruction;
    const char *text; /* base: caption or passage; example: the response */
    char instruction_language[VL_LANG_SIZE];
    char language[VL_LANG_SIZE]; /* of the text */
    char script[5];
    /* Where the words of `text` are from: "document"; "aligned:NAME", the counterpart in
     * another language that NAME (a table of the recipe, or the document's version in it) has;
     * "template", words of ours around what the document says; "label", a label alone. */
    const char *origin;
    const char *phrase; /* example: which template, "eng.describe.picture.natural.2" */
    bool has_region;
    vl_box region; /* of the picture that the instruction speaks of, its pixels */
    struct {
        const char *document; /* SHA-256 of the content */
        const char *record;   /* "SOURCE/KEY" of the collection */
        const char *url, *title, *licence, *publisher, *published, *fetched;
        uint32_t page;      /* from 0 */
        uint32_t part;      /* of vl_parts: the picture, or the first part of the passage */
        uint32_t text_part; /* the part that `text` is from */
        bool has_box;
        vl_box box; /* of the part, pixels of the page at `dpi` */
        double dpi;
        bool ocr;
    } source;
    double quality[VL_QUALITY_PART_COUNT];
    double score; /* of all parts together, by the quality model */
    uint32_t personal[VL_ITEM_PERSONAL];
    const char *review; /* "", "accepted", "corrected" or "rejected" */
} vl_item;

/* One line of JSON, with its line end. VL_ERR_MEMORY. */
vl_status vl_item_write(const vl_item *item, vl_buf *out, vl_error *error);
/* Strings are in the arena. VL_ERR_INPUT says which key is wrong. */
vl_status vl_item_read(const char *json, size_t bytes, vl_arena *arena, vl_item *item,
                       vl_error *error);

/* A finished dataset, to be read. Thread-safe. */
typedef struct vl_dataset vl_dataset;
/* VL_ERR_INPUT: the folder is no dataset, or one that is not finished. */
vl_status vl_dataset_open(const char *folder, vl_dataset **dataset, vl_error *error);
void vl_dataset_close(vl_dataset *dataset); /* NULL allowed */
const char *vl_dataset_folder(const vl_dataset *dataset);
/* dataset.json, as it is there; lives as long as the dataset. */
const char *vl_dataset_about(const vl_dataset *dataset);
/* The item is there until `give` returns. */
typedef vl_status (*vl_item_fn)(const vl_item *item, void *to, vl_error *error);
/* All items in their order, base items before their examples, in memory that does not grow; as
 * reviewers left them when the dataset was opened (docs/dataset.md, Review): corrected, and
 * with `review` saying what they said. Rejected ones come too. */
vl_status vl_dataset_items(vl_dataset *dataset, vl_item_fn give, void *to, vl_error *error);
/* The lines of documents.jsonl; `json` ends where its line does. */
typedef vl_status (*vl_line_fn)(const char *json, size_t bytes, void *to, vl_error *error);
vl_status vl_dataset_documents(vl_dataset *dataset, vl_line_fn give, void *to, vl_error *error);

/* ---- exports -------------------------------------------------------------------------------
 */

/* A dataset in a layout that other programs load (docs/dataset.md, "Export"), with a README.md
 * (a dataset card of the Hugging Face hub) and a croissant.json (Croissant 1.0) beside. The
 * same bytes for the same dataset and options. */
typedef enum vl_export_format {
    VL_EXPORT_IMAGEFOLDER,
    VL_EXPORT_JSONL,
    VL_EXPORT_WEBDATASET,
    VL_EXPORT_COCO,
    VL_EXPORT_LLAVA,
    VL_EXPORT_FORMAT_COUNT
} vl_export_format;
const char *vl_export_format_name(vl_export_format format); /* "imagefolder", … */

typedef struct vl_export_options {
    const char *dataset; /* folder of a finished dataset */
    const char *out;     /* a folder that is not there yet, or is empty */
    vl_export_format format;
    /* Comma lists of names, NULL: all. An item is exported if it is in each of them; an example
     * brings its base item along where a layout has one row for both. */
    const char *splits;    /* "train,test" */
    const char *kinds;     /* "pair,question" */
    const char *languages; /* of the text: "sw,amh" (ISO 639-1 or -3) */
    double min_score;      /* 0: all */
    uint64_t shard_bytes;  /* a tar shard ends before it grows larger; one item may be larger */
    uint64_t shard_items;  /* … or has so many samples */
    void (*progress)(uint64_t items, void *user); /* seen so far; may be NULL */
    void *user;
} vl_export_options;
vl_export_options vl_export_options_default(void); /* shards of 1 GB and 10,000 samples */

typedef struct vl_export_report {
    uint64_t items;                /* that were exported, base items and examples */
    uint64_t rows[VL_SPLIT_COUNT]; /* rows, samples, images or conversations with a picture … */
    uint64_t text_rows;            /* … and without, where the layout keeps those apart */
    uint64_t pictures;             /* picture files, or members of tars */
    uint64_t rejected;             /* by a reviewer, and so left out */
    uint64_t not_asked;            /* left out by the options */
    uint64_t no_place;             /* left out since the layout has no place for them */
    uint64_t files, bytes;         /* but pictures that are files of their own */
} vl_export_report;
/* The folder appears whole: it is written beside, as ".NAME.vislang-export", which the next
 * export to the same place clears away when a process was killed. Memory does not grow with the
 * dataset. Pictures are hard links to the dataset's where the file system can, else copies.
 * VL_ERR_USAGE: the folder holds something, or an option is wrong; VL_ERR_INPUT: the dataset is
 * broken, or nothing in it is asked for; VL_ERR_BUSY: another process exports to that folder;
 * VL_ERR_IO: the disk is full, … */
vl_status vl_dataset_export(const vl_export_options *options, vl_export_report *report,
                            vl_error *error);
/* ---- building a dataset ---------------------------------------------------------------- */

/* One content of a record, as a collection holds it. */
typedef struct vl_build_document {
    int64_t id;         /* in its collection */
    const char *record; /* "SOURCE/KEY": what was published as one */
    const char *file;   /* which file of the record: a later content of it has the same */
    const char *sha256, *path; /* of the content */
    const char *type;          /* media type; "": not known */
    const char *language;      /* as the source says; "" */
    const char *disaster;      /* GLIDE numbers, or what the source says; "" */
    const char *provenance; /* a JSON object: url, title, licence, publisher, published, … */
    bool current;           /* false: the record has another content in its place now */
} vl_build_document;
typedef vl_status (*vl_build_document_fn)(const vl_build_document *document, void *to,
                                          vl_error *error);

/* What a recipe takes of the collections that it names. */
typedef struct vl_build_query {
    const char *collection;
    const char *sources, *formats; /* comma lists; "": any */
    const char *since, *until;     /* of publication; "": open */
} vl_build_query;

enum { VL_BUILD_REASONS = 24 };
typedef struct vl_build_reason {
    char reason[160];
    uint64_t documents;
} vl_build_reason;
typedef struct vl_build_report {
    bool was_finished;                   /* there was nothing to do */
    uint64_t records, documents, unread; /* unread: documents that could not be */
    uint64_t chunks, chunks_done;
    uint64_t made, kept;       /* items, examples included */
    uint64_t duplicates, poor; /* base items that were left out */
    uint64_t by_split[VL_SPLIT_COUNT], by_kind[VL_ITEM_KIND_COUNT];
    uint64_t pages, pages_ocr;
    double seconds;
    vl_build_reason reasons[VL_BUILD_REASONS]; /* why documents were not read, by number */
    size_t reason_count;
} vl_build_report;

typedef struct vl_build_options {
    const char *recipe;   /* YAML file (docs/dataset.md) */
    const char *folder;   /* of the dataset; made, or gone on with */
    size_t jobs;          /* threads; 0: one a processor */
    size_t memory;        /* bytes for finding duplicates: 256 MB */
    const char *queue;    /* URL of a database whose queue is shared; "": this process alone */
    double lease_seconds; /* until what a killed process was at is given to others; 60 */
    const char *tessdata; /* NULL: the distribution's */
    const char *ocr_engines; /* where the recipe names none; "": Tesseract alone */
    /* Gives the documents of a collection, those of one record after each other. */
    vl_status (*documents)(const vl_build_query *query, vl_build_document_fn give, void *to,
                           void *user, vl_error *error);
    /* The file of a picture that `document` shows at `url`; "": the collection has none. Called
     * by several threads. NULL: there are none. */
    vl_status (*picture)(const vl_build_document *document, const char *collection,
                         const char *url, char *path, size_t size, void *user, vl_error *error);
    /* Now and then, one call at a time, from any thread; may be NULL. */
    void (*progress)(const vl_build_report *report, void *user);
    void *user;
    const atomic_bool *cancel; /* NULL: cannot be */
} vl_build_options;
vl_build_options vl_build_options_default(void);
/* A dataset from a recipe: every document taken apart, personal data out, pictures paired with
 * their text, examples made, each a function of its record and the recipe alone; then what is
 * nearly the same, or not good enough, is left out, and the rest split (docs/dataset.md). The
 * same recipe and documents give the same bytes, whatever the number of jobs and processes, and
 * however often it was stopped; what was done is not done again.
 *
 * VL_ERR_USAGE: the recipe, or a folder that holds something else or was begun by another
 * recipe; VL_ERR_BUSY: another process builds there; VL_ERR_IO: the disk is full;
 * VL_ERR_CANCELLED. Documents that cannot be read are no error: they are counted, and
 * documents.jsonl says why. */
vl_status vl_dataset_build(const vl_build_options *options, vl_build_report *report,
                           vl_error *error);
void vl_build_report_json(const vl_build_report *report, vl_buf *out);
/* ---- looking at datasets, ours or not ------------------------------------------------------
 */

/* docs/dataset.md says what each is. */
typedef enum vl_check_layout {
    VL_LAYOUT_AUTO,
    VL_LAYOUT_DATASET, /* the folder above */
    VL_LAYOUT_IMAGEFOLDER,
    VL_LAYOUT_JSONL,
    VL_LAYOUT_WEBDATASET,
    VL_LAYOUT_COCO,
    VL_LAYOUT_VQA,
    VL_LAYOUT_LLAVA,
    VL_LAYOUT_COUNT
} vl_check_layout;
const char *vl_layout_name(vl_check_layout layout); /* "auto", "dataset", … */
/* VL_ERR_USAGE names the layouts. */
vl_status vl_layout_parse(const char *name, vl_check_layout *layout, vl_error *error);

typedef struct vl_check_options {
    vl_check_layout layout;
    size_t limit; /* findings of each kind that are listed: 10 */
    size_t jobs;  /* threads that decode pictures; 0: as many as processors */
    vl_media_limits limits;
    const vl_langid *langid; /* NULL: nobody asks whether a text is in the language it says */
    const char *folder;      /* of temporary files; "": $TMPDIR, else /var/tmp */
} vl_check_options;
vl_check_options vl_check_options_default(void);

typedef struct vl_check_count {
    const char *kind;  /* "picture_missing", …; static */
    const char *means; /* a sentence; static */
    bool is_error;     /* else a warning */
    uint64_t count;
} vl_check_count;
typedef struct vl_check_finding {
    const char *kind; /* static */
    bool is_error;
    char *place; /* "train/metadata.jsonl:12", "shard-0.tar:000017.json" */
    char *message;
} vl_check_finding;
typedef struct vl_check_report {
    vl_check_layout layout;  /* as found */
    uint64_t rows, pictures; /* that were looked at */
    uint64_t errors, warnings;
    vl_check_count *counts; /* errors first; those that are not 0 */
    size_t count_count;
    vl_check_finding *findings; /* in that order of kinds, then of the dataset */
    size_t finding_count;
} vl_check_report;
/* What is wrong with the dataset is in the report; the status says only whether it could be
 * gone through: VL_ERR_INPUT: there is nothing that looks like a dataset; VL_ERR_IO;
 * VL_ERR_LIMIT: over a million files that are no pictures. Nothing is fetched, and nothing
 * outside of the folder is read. */
vl_status vl_dataset_check(const char *path, const vl_check_options *options,
                           vl_check_report *report, vl_error *error);
void vl_check_report_deinit(vl_check_report *report);
/* For people, and as JSON. */
void vl_check_report_text(const vl_check_report *report, vl_buf *out);
vl_status vl_check_report_json(const vl_check_report *report, vl_buf *out, vl_error *error);

typedef struct vl_stats_options {
    vl_check_layout layout;
    size_t samples;     /* rows of each language that the HTML report shows: 3 */
    const char *folder; /* of temporary files; "": $TMPDIR, else /var/tmp */
} vl_stats_options;
vl_stats_options vl_stats_options_default(void);
/* What a dataset holds. Read-only once made. */
typedef struct vl_stats vl_stats;
/* Memory does not grow with the dataset. Errors as vl_dataset_check; rows that cannot be read
 * are left out, and counted. */
vl_status vl_dataset_stats(const char *path, const vl_stats_options *options, vl_stats **stats,
                           vl_error *error);
void vl_stats_free(vl_stats *stats); /* NULL allowed */
vl_status vl_stats_text(const vl_stats *stats, vl_buf *out, vl_error *error);
vl_status vl_stats_json(const vl_stats *stats, vl_buf *out, vl_error *error);
/* One page with everything in it. Links to pictures begin with `pictures`: the dataset's folder
 * as seen from where the page will lie ("" beside it). */
vl_status vl_stats_html(const vl_stats *stats, const char *pictures, vl_buf *out,
                        vl_error *error);

#ifdef __cplusplus
}
#endif
#endif
