/* check.h — how a dataset is gone through, ours or not: files become rows that look alike
 * (check_row), rows are looked at one by one, and what can only be said of many of them at once
 * (an id twice, an annotation of no picture, a document in two splits) goes to files that are
 * sorted in the end.
 *
 * One thread walks; pictures are decoded by a pool. Memory does not grow with the dataset but
 * for the table of columns, which has a maximum. `stats` walks the same way, without looking.
 */
#ifndef VL_DATASET_CHECK_H
#define VL_DATASET_CHECK_H

#include "dataset/duplicates.h"
#include "dataset/folder.h"
#include "dataset/json_scan.h"
#include "dataset/spill.h"

#include <cJSON.h>

/* ---- findings ---------------------------------------------------------------------------- */

typedef enum finding {
    /* of files and lines */
    FINDING_JSON,
    FINDING_JSON_DEEP,
    FINDING_KEY_TWICE,
    FINDING_UTF8,
    FINDING_LINE_LONG,
    FINDING_LINE_CUT,
    FINDING_BYTE_ORDER_MARK,
    FINDING_ROW_NO_OBJECT,
    FINDING_FILE_UNREADABLE,
    FINDING_ARCHIVE_BROKEN,
    FINDING_ARCHIVE_BOMB,
    FINDING_FILE_NOT_READ,
    FINDING_NOT_FINISHED,
    FINDING_NO_ROWS,
    FINDING_FORMAT,
    FINDING_ABOUT,
    FINDING_REVIEWS,
    /* of rows */
    FINDING_ITEM,
    FINDING_ID_MISSING,
    FINDING_ID_TWICE,
    FINDING_BASE_MISSING,
    FINDING_FILE_NAME_MISSING,
    FINDING_FILE_NAME_TWICE,
    FINDING_SCHEMA_DRIFT,
    FINDING_COLUMN_NEW,
    FINDING_COLUMN_MISSING,
    FINDING_COLUMNS_MANY,
    FINDING_TEXT_EMPTY,
    FINDING_CONTROL_CHARACTER,
    FINDING_LANGUAGE_UNKNOWN,
    FINDING_LANGUAGE_DIFFERS,
    FINDING_SCRIPT_DIFFERS,
    FINDING_BOX_OUTSIDE,
    FINDING_CONVERSATION,
    FINDING_IMAGE_TOKEN,
    FINDING_ANNOTATION_ORPHAN,
    FINDING_CATEGORY_MISSING,
    FINDING_QUESTION_UNANSWERED,
    FINDING_PROVENANCE_MISSING,
    FINDING_PROVENANCE_UNKNOWN,
    FINDING_PROVENANCE_DIFFERS,
    FINDING_DOCUMENT_TWICE,
    /* of tars */
    FINDING_KEY_RECURS,
    FINDING_MEMBERS_APART,
    FINDING_MEMBER_TWICE,
    FINDING_MEMBER_ODD,
    FINDING_SAMPLE_INCOMPLETE,
    /* of pictures */
    FINDING_PATH_OUTSIDE,
    FINDING_PICTURE_MISSING,
    FINDING_PICTURE_UNREADABLE,
    FINDING_PICTURE_LARGE,
    FINDING_PICTURE_SIZE,
    FINDING_PICTURE_HASH,
    FINDING_PICTURE_REMOTE,
    FINDING_PICTURE_UNUSED,
    FINDING_PICTURE_UNTOLD,
    /* of splits */
    FINDING_LEAK_DOCUMENT,
    FINDING_LEAK_PICTURE,
    FINDING_LEAK_NEAR_TEXT,
    FINDING_LEAK_NEAR_PICTURE,
    FINDING_UNCOMPARED,
    FINDING_COUNT
} finding;

typedef struct findings findings;
/* At most `limit` of each kind are kept: those that come first in the dataset. NULL: no memory.
 */
findings *findings_new(size_t limit);
void findings_free(findings *f); /* NULL allowed */
/* Thread-safe. `order`: where in the dataset, to sort by. Bytes that are no UTF-8 and control
 * characters of the message and the place are made visible. */
void findings_add(findings *f, finding kind, uint64_t order, const char *place,
                  const char *format, ...) VL_PRINTF(5, 6);
vl_status findings_report(const findings *f, vl_check_report *report, vl_error *error);

/* ---- rows -------------------------------------------------------------------------------- */

typedef struct check_text {
    const char *column; /* where it stands, "text" */
    const char *text;
    const char *language, *script; /* as the row says; "": it does not */
    bool is_own; /* words of the data, and not an instruction that many rows share */
} check_text;
typedef struct check_box {
    const char *column;
    double x, y, width, height;
} check_box;
enum { CHECK_NO_SPLIT = VL_SPLIT_COUNT };

/* Everything lives in the walk's arena, until the next row. Strings are never NULL; "" is
 * nothing. */
typedef struct check_row {
    const char *place; /* "train/metadata.jsonl:12" */
    unsigned split;    /* a vl_split, or CHECK_NO_SPLIT */
    const char *id, *kind, *language, *script;
    const char *document, *source, *publisher, *licence, *url, *title, *origin, *phrase;
    const char *picture, *picture_kind; /* as the row names it */
    double width, height;               /* of the picture, as the row says; 0: it does not */
    check_text *texts;
    size_t text_count, text_room;
    check_box *boxes;
    size_t box_count, box_room;
    const vl_item *item; /* ours; else NULL */
} check_row;

/* ---- the walk ---------------------------------------------------------------------------- */

typedef struct check check;
typedef struct check_index check_index;
typedef struct check_schema check_schema;
typedef struct check_pictures check_pictures;
typedef vl_status (*check_row_fn)(check *c, const check_row *row, void *to, vl_error *error);

struct check {
    const vl_check_options *options;
    char root[FOLDER_PATH_SIZE]; /* the folder: of a single file the one that it stands in */
    char only[FOLDER_PATH_SIZE]; /* that file, from the root; "": all */
    vl_check_layout layout;
    bool looks; /* else rows are given and nothing is said of them */
    check_row_fn give;
    void *to;
    findings *findings;
    check_index *index;
    check_schema *schema;
    check_pictures *pictures;
    vl_duplicates *texts; /* of rows with a split; NULL: none yet */
    vl_arena *arena;      /* of a row */
    vl_arena *scratch;    /* for vl_duplicates */
    spill *places;        /* of the texts in it */
    uint64_t rows, texts_compared, texts_left_out, unreadable;
    cJSON *about; /* of a dataset of ours, while it is looked at; NULL: none */
    uint64_t documents, by_split[VL_SPLIT_COUNT], by_kind[VL_ITEM_KIND_COUNT]; /* likewise */
    size_t files;                                                              /* read so far */
    uint64_t row_bytes; /* of the line that the row is */
    vl_buf languages;   /* codes that were asked about, each between spaces */
    char place[FOLDER_PATH_SIZE + 32];
};

/* dataset.json is read into `about`, held to what was counted in the end, and freed by
 * check_deinit; reviews.db can be read. */
void check_about_begin(check *c);
void check_about_end(check *c);
vl_status check_reviews(check *c, vl_error *error);
/* Finds what the layout is, and gives all rows. */
vl_status check_walk(check *c, const char *path, vl_error *error);
void check_deinit(check *c);
/* What is in all layouts' rows: looked at, counted, given. `root` may be NULL. */
vl_status check_row_done(check *c, check_row *row, const cJSON *root, vl_error *error);

/* Of members of clusters, whose ids have their split in the lowest two bits: whether it is the
 * first of its cluster in another split than the cluster's own first. */
bool check_is_new_split(const vl_duplicates_member *member, uint64_t *cluster, unsigned *said);
/* "file:line" in the walk's place, until the next. */
const char *check_place(check *c, const char *file, uint64_t line);
/* "file:key[index]", in the row's arena; NULL: no memory. */
const char *check_piece_place(check *c, const char *file, const json_piece *piece);
/* Names what is found at the row that is looked at. */
#define check_found(c, kind, place, ...)                                                       \
    ((c)->looks ? findings_add((c)->findings, (kind), (c)->rows, (place), __VA_ARGS__)         \
                : (void)0)
/* … and that is so because it cannot be read as a row. */
#define check_lost(c, kind, place, ...)                                                        \
    (check_found((c), (kind), (place), __VA_ARGS__), (void)(c)->unreadable++)

/* ---- files (check_files.c) --------------------------------------------------------------- */

/* Paths of files below the root, from it, sorted; what is hidden and links to folders are left
 * out. Freed by check_names_deinit. */
typedef struct check_names {
    char **names;
    size_t count, room;
} check_names;
void check_names_deinit(check_names *names);
/* Each of them as it comes. */
typedef vl_status (*check_file_fn)(const char *path, void *to, vl_error *error);
vl_status check_each_file(const check *c, const char *endings, check_file_fn give, void *to,
                          vl_error *error);
#define CHECK_PICTURES ".jpg|.jpeg|.png|.webp|.tif|.tiff"
/* Those that end in one of `endings` ("a|b"), at most CHECK_FILES_MAX (VL_ERR_LIMIT), down to
 * CHECK_FOLDERS_DEEP folders. */
enum { CHECK_FILES_MAX = 1 << 20, CHECK_FOLDERS_DEEP = 8 };
vl_status check_files(const check *c, const char *endings, check_names *names, vl_error *error);
bool check_ends_in(const char *name, const char *endings);
/* The split that a path's words name ("train", "val", "dev", …). */
unsigned check_split_of_path(const char *path);
unsigned check_split_of_name(const char *name);
/* Whether a path from the root stays in it: not absolute, no "..", no drive. */
bool check_is_inside(const char *path);
/* Without "./" and doubled slashes. */
void check_clean_path(char *path);
/* The first of `bases` (folders from the root, "" the root) where `name` is a file, else the
 * first: its path from the root. False: it leads out, which is found. */
bool check_resolve(check *c, const check_row *row, const char *const *bases, size_t count,
                   const char *name, char path[FOLDER_PATH_SIZE]);
/* A row's picture, wherever `bases` have it: noted to be decoded, and compared with its name
 * when `once`. An address on the web is found and left. */
vl_status check_row_picture(check *c, check_row *row, const char *const *bases, size_t count,
                            const char *name, vl_error *error);
/* All pictures on the disk: those that no row named are found. */
vl_status check_unused_pictures(check *c, vl_error *error);
/* Opens a regular file below the root; a link that leads out of it is VL_ERR_DENIED. */
vl_status check_open(const check *c, const char *path, int *fd, uint64_t *size,
                     vl_error *error);

/* Lines of a text file, packed by gzip or not, without their end; findings for what is no line.
 * `number` from 1. */
typedef vl_status (*check_line_fn)(check *c, const char *file, uint64_t number,
                                   const char *line, size_t bytes, void *to, vl_error *error);
vl_status check_lines(check *c, const char *file, check_line_fn give, void *to,
                      vl_error *error);
/* The pieces of a JSON file (json_scan.h). */
typedef vl_status (*check_piece_fn)(check *c, const char *file, const json_piece *piece,
                                    void *to, vl_error *error);
vl_status check_json_file(check *c, const char *file, check_piece_fn give, void *to,
                          vl_error *error);
/* Parses a row, with findings for what is wrong; NULL: it cannot be read. cJSON_Delete. */
cJSON *check_parse(check *c, const char *place, const char *text, size_t bytes);

/* ---- layouts ----------------------------------------------------------------------------- */

vl_status check_walk_ours(check *c, vl_error *error);        /* check_ours.c */
vl_status check_walk_imagefolder(check *c, vl_error *error); /* check_lines.c */
vl_status check_walk_jsonl(check *c, vl_error *error);       /* check_lines.c */
vl_status check_walk_webdataset(check *c, vl_error *error);  /* check_tar.c */
vl_status check_walk_coco(check *c, vl_error *error);        /* check_coco.c */
vl_status check_walk_vqa(check *c, vl_error *error);         /* check_coco.c */
vl_status check_walk_llava(check *c, vl_error *error);       /* check_llava.c */
/* A conversation: a row of that layout, from a file of JSON or of lines. */
vl_status check_conversation(check *c, const char *file, const cJSON *root, check_row *row,
                             vl_error *error);

/* ---- rows out of JSON (check_columns.c) -------------------------------------------------- */

/* A row with what its columns say by their names, and those of its "source". */
vl_status check_columns(check *c, const cJSON *root, check_row *row, vl_error *error);
/* All of that but texts, boxes and sizes. */
void check_origin(check *c, const cJSON *root, check_row *row);
void check_row_init(check_row *row, const char *place, unsigned split);
/* One that is the same as the first, or the one before it, is left out. VL_ERR_MEMORY. */
vl_status check_add_text(check *c, check_row *row, const check_text *text, vl_error *error);
vl_status check_add_box(check *c, check_row *row, const check_box *box, vl_error *error);
/* [x, y, width, height]; false: it is no box. */
bool check_read_box(const cJSON *value, check_box *box);
/* A string, or a number as text in the arena; "": there is none. */
const char *check_string(check *c, const cJSON *object, const char *key);
double check_number(const cJSON *object, const char *key);

/* ---- what is said of a text (check_text.c) ----------------------------------------------- */

void check_look_at_text(check *c, const check_row *row, const check_text *text);

/* ---- columns that change (check_schema.c) ------------------------------------------------ */

check_schema *check_schema_new(void);
void check_schema_free(check_schema *s);
/* As `datasets` infers types: null goes with all; a column of one type stays of it; all files
 * have the same columns. */
void check_schema_row(check *c, const char *place, const cJSON *root);
/* After the last row; and before files whose columns are others. */
void check_schema_end(check *c);
void check_schema_begin(check *c);

/* ---- many rows at once (check_index.c) --------------------------------------------------- */

typedef enum check_relation {
    RELATION_ID,              /* each once */
    RELATION_FILE_NAME,       /* each once */
    RELATION_KEY,             /* of samples: each in one shard */
    RELATION_MEMBERS,         /* of samples in a shard: each once */
    RELATION_DOCUMENT,        /* documents.jsonl, and items that are of them */
    RELATION_BASE,            /* base items and their examples */
    RELATION_IMAGE,           /* COCO's images, and annotations of them */
    RELATION_CATEGORY,        /* … and their categories */
    RELATION_QUESTION,        /* VQA's questions and their annotations */
    RELATION_QUESTION_IMAGE,  /* images of COCO's files, and questions of a split about them */
    RELATION_FILE,            /* pictures on the disk, and rows that name them */
    RELATION_METADATA,        /* the same, where each must be named */
    RELATION_DOCUMENT_SPLITS, /* each in one split */
    RELATION_PICTURE_SPLITS,  /* each in one split */
    RELATION_COUNT
} check_relation;
enum { TAG_DEFINES = 0, TAG_REFERS = 1, TAG_REFERS_WITH_BOX = 2 }; /* else a split */
typedef struct check_statement {
    const char *key, *shown; /* `shown`: in messages; NULL: the key */
    unsigned tag;
    const char *place;
    uint64_t order;
    double right, bottom; /* of the picture, or of a box in it */
    uint32_t says;        /* hash of what else is said; 0: nothing is compared */
} check_statement;
/* `values` one after the other; never 0. */
uint32_t check_says(const char *const *values, size_t count);
check_index *check_index_new(const char *folder);
void check_index_free(check_index *index);
/* Thread-safe. */
vl_status check_index_add(check_index *index, check_relation relation, const check_statement *s,
                          vl_error *error);
vl_status check_index_finish(check_index *index, findings *findings, vl_error *error);

/* ---- pictures (check_pictures.c) --------------------------------------------------------- */

check_pictures *check_pictures_new(check *c, vl_error *error);
void check_pictures_free(check_pictures *p);
/* A row's picture, a path from the root: opened and decoded once for all its rows, in the end.
 */
vl_status check_picture_named(check *c, const check_row *row, const char *path,
                              vl_error *error);
/* A picture whose bytes are here (copied): decoded by the pool. */
vl_status check_picture_given(check *c, const check_row *row, const void *bytes, size_t count,
                              vl_error *error);
vl_status check_pictures_finish(check *c, vl_error *error);
uint64_t check_pictures_count(const check_pictures *p);

#endif
