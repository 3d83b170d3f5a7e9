/* export.h — what the layouts of exports share: groups of items, rows, files and pictures.
 *
 * An export is one pass over the items. A base item and its examples are one group, and a
 * layout writes one group after another into a folder beside the one that was asked for; the
 * card and the Croissant file are written from what was counted on the way. One thread. */
#ifndef VL_DATASET_EXPORT_H
#define VL_DATASET_EXPORT_H

#include "dataset/folder.h"

#include <cJSON.h>

/* ---- counting ------------------------------------------------------------------------------
 */

/* How often each name comes, for as many different names as there is room for; what comes after
 * that is counted under "others". */
enum { TALLY_NAMES = 1024 };
typedef struct tally {
    char *names[TALLY_NAMES];
    uint64_t counts[TALLY_NAMES];
    size_t count;
    uint64_t others;
} tally;
/* The index of the name, TALLY_NAMES for "others"; VL_ERR_MEMORY. `index` may be NULL. */
vl_status tally_add(tally *t, const char *name, size_t *index, vl_error *error);
/* Most frequent first, then by name; indices are others afterwards. */
void tally_sort(tally *t);
void tally_deinit(tally *t);

enum { EXPORT_BINS = 10 };
typedef struct export_counts {
    uint64_t kinds[VL_ITEM_KIND_COUNT][VL_SPLIT_COUNT];
    uint64_t bins[EXPORT_BINS];            /* of base items, by score */
    double quality[VL_QUALITY_PART_COUNT]; /* sums over base items */
    uint64_t bases, ocr;                   /* base items; … that were read off a picture */
    uint64_t personal[VL_ITEM_PERSONAL];   /* sums over base items */
    uint64_t reviewed, corrected;          /* items */
    uint64_t with_picture;                 /* items */
    tally languages, scripts, sources, licences, publishers, origins;
    char newest[11]; /* the last day on which a document was fetched; "" not known */
} export_counts;

/* ---- an export under way -------------------------------------------------------------------
 */

enum { EXPORT_PATH = FOLDER_PATH_SIZE };

/* A file that was written, for the Croissant file. */
typedef struct export_file {
    char *name; /* from the export's folder, "/" between */
    const char *type;
    uint64_t bytes;
    char sha256[VL_SHA256_HEX_SIZE];
    bool texts;     /* holds what has no picture */
    vl_split split; /* VL_SPLIT_COUNT: of all splits */
} export_file;

typedef struct export {
    const vl_export_options *options;
    vl_export_report *report;
    vl_dataset *dataset;
    const char *out;        /* the folder that is asked for */
    char work[EXPORT_PATH]; /* where it is written meanwhile */
    int lock;
    bool copied; /* pictures, that are not on disk for sure */
    export_counts counts;
    export_file *files;
    size_t file_count, file_room;
    vl_buf line; /* for what is being made */
    void *state; /* of the layout */
}
export;

/* A base item with those of its examples that are asked for, at least one of them all. */
typedef struct export_group {
    const vl_item *base;
    bool base_asked; /* false: it only comes along with its examples */
    const vl_item *examples;
    size_t count;
} export_group;

typedef struct export_layout {
    vl_status (*open)(export *e, vl_error *error);
    vl_status (*put)(export *e, const export_group *group, vl_error *error);
    /* Ends all files and registers them. */
    vl_status (*close)(export *e, vl_error *error);
    /* Frees the state, after close or instead of it. */
    void (*free)(export *e);
    /* Parts of the card: data files of the header (YAML), and how to load it (Markdown). */
    void (*data_files)(const export *e, vl_buf *out);
    const char *use;
    /* Record sets of the Croissant file. */
    void (*records)(const export *e, cJSON *list);
} export_layout;
extern const export_layout export_imagefolder, export_jsonl, export_webdataset, export_coco,
    export_llava;

/* ---- files: export_place.c -----------------------------------------------------------------
 */

/* VL_ERR_USAGE, VL_ERR_BUSY: see vl_dataset_export. */
vl_status export_begin(export *e, vl_error *error);
/* The folder appears under its name. */
vl_status export_finish(export *e, vl_error *error);
/* What is in work goes. */
void export_abandon(export *e);
vl_status export_path(const export *e, const char *name, char path[EXPORT_PATH],
                      vl_error *error);
/* Opens a file of the export. */
vl_status export_open(export *e, const char *name, vl_file_writer **file, vl_error *error);
/* A file that is whole; its size and hash are found here. */
vl_status export_register(export *e, const char *name, const char *type, vl_split split,
                          bool texts, vl_error *error);
/* The item's picture, by its path in the dataset, as `name` of the export. `again`: it may be
 * there already. */
vl_status export_place(export *e, const vl_item *item, const char *name, bool again,
                       vl_error *error);
/* The item's picture in the dataset, which is one and no link to elsewhere. */
vl_status export_picture_open(const export *e, const vl_item *item, int *fd, vl_error *error);
/* "train/ab/abcdef0123456789.png" */
void export_picture_name(const vl_item *base, char name[64]);
/* ".png" */
const char *export_extension(const vl_item *item);

/* ---- JSON: export_rows.c -------------------------------------------------------------------
 */

/* Rows of one file, and of all files of an export, have the same keys with values of the same
 * type, which readers find out by looking: no null, no list that may be empty, numbers with a
 * fraction always with a point, and no string that Arrow takes for a time. */
void export_put_text(vl_buf *out, const char *text);
void export_put_real(vl_buf *out, double value); /* 0.0: infinite */

typedef enum export_type {
    EXPORT_TEXT,
    EXPORT_COUNT,
    EXPORT_REAL,
    EXPORT_TRUTH,
    EXPORT_BOX,     /* [x, y, width, height]; all 0: none */
    EXPORT_QUALITY, /* {"ocr": …}, one number each */
    EXPORT_PERSONAL /* likewise */
} export_type;
typedef struct export_column {
    const char *name;
    export_type type;
    const char *what; /* for people */
    bool own;         /* of an example, too: what it does not have from its base item */
    bool base;        /* of a row that stands for a base item */
} export_column;
extern const export_column export_columns[];
extern const size_t export_column_count;
/* `"key": value, …` of an item, without braces. `base`: those of a base item's row; `own`: of
 * an example in it; else all. `picture`: where its picture is in the export. */
typedef enum export_which { EXPORT_ALL, EXPORT_BASE, EXPORT_OWN } export_which;
void export_put_columns(vl_buf *out, const vl_item *item, const char *picture,
                        export_which which);
/* "example_count": 2, "examples": [{…}, …]; without any, one whose strings are empty. */
void export_put_examples(vl_buf *out, const export_group *group);
/* " [0.12, 0.40, 0.55, 0.62]": a region as parts of the picture's sides, left, top, right and
 * bottom; nothing where the item has none. */
void export_put_region(vl_buf *out, const vl_item *item, const vl_item *base);

/* Writes what is in e->line, and clears it. */
vl_status export_flush(export *e, vl_file_writer *file, vl_error *error);

/* ---- card, Croissant -----------------------------------------------------------------------
 */

vl_status export_write_card(export *e, const export_layout *layout, vl_error *error);
vl_status export_write_croissant(export *e, const export_layout *layout, vl_error *error);
/* The file set of the members of shards that are JSON. */
#define CROISSANT_JSON "samples-json"
/* A new record set, and a field in it; `from`: the file it is read from, `by` "column" or
 * "jsonPath" of which it is the value. Returns what can be added to; NULL: no memory. */
cJSON *croissant_set(cJSON *list, const char *name, const char *what);
cJSON *croissant_field(cJSON *set, const char *of, const char *name, const char *type,
                       const char *what, const char *from, const char *by, const char *value);
/* What is made of the value that was read: "jsonPath" or "regex" of it; `repeated`: it is a
 * list, and of each of its values. */
void croissant_change(cJSON *field, const char *by, const char *value, bool repeated);
/* Record sets of rows of JSON Lines, one for each file; `columns`: which are in it. */
void croissant_rows(const export *e, cJSON *list, export_which which);
/* The set of picture files, and their record set. */
void croissant_pictures(const export *e, cJSON *list);
/* An identifier of the hub for a licence in words; NULL: none that is surely the same. */
const char *card_licence(const char *licence);
/* What dataset.json has under a key, or "". */
const char *card_about(const cJSON *about, const char *key);
const char *card_name(const cJSON *about); /* for people */

#endif
