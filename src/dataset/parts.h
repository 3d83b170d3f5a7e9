/* parts.h — what the readers of HTML, PDF, DOCX and ODT share: parts are added one after the
 * other, and at the end captions, labels, mentions and languages are found out.
 *
 * A reader adds text as it stands; the builder makes it NFC with single spaces, and leaves out
 * what is empty. Everything lives in the caller's arena. After the first failure every call
 * returns it. One thread at a time. */
#ifndef VL_DATASET_PARTS_H
#define VL_DATASET_PARTS_H

#include <vislang/dataset.h>

struct vl_parts_source {
    const void *bytes;
    size_t count;
    vl_parts_options options;
    vl_arena *arena;
    bool package;             /* pictures are parts of the document's archive */
    bool pages;               /* pictures are cut out of page pictures */
    struct parts_turn *turns; /* [page_count]: what was done to each page picture */
    vl_image drawn;           /* the page drawn last; no pixels: none */
    uint32_t drawn_page;
    uint8_t *drawn_pixels; /* [drawn_room]: its pixels, in the arena */
    size_t drawn_room;
};
struct parts_turn {
    int rotation; /* degrees clockwise */
    bool deskewed;
};

typedef struct parts_builder {
    vl_arena *arena;
    const vl_parts_options *options;
    vl_parts *out;
    size_t capacity;
    size_t cells; /* of all tables */
    vl_status status;
    vl_error *error; /* never NULL */
} parts_builder;

/* A part as its kind begins with: page 0, no box, language not known, embedded, no caption. */
vl_part parts_blank(vl_part_kind kind);
/* Adds a copy; `index` (may be NULL) receives its place, VL_PART_NONE where it was left out for
 * having neither text nor cells nor picture. */
vl_status parts_add(parts_builder *b, const vl_part *part, size_t *index);
/* White space squeezed, but not line ends where `lines`. NULL: the arena is full, and that is
 * the builder's status. */
const char *parts_text(parts_builder *b, const char *text, bool lines);

/* Whether a line that ends with `before` [bytes] and one that begins with `after` are joined
 * without a space: both are in a script that has none between words. */
bool parts_join_closely(const char *before, size_t bytes, const char *after);

/* Sets `out` to the language of a tag of BCP 47 ("sw-KE" is "swa"); leaves it where that is
 * none. */
void parts_declare(char out[VL_LANG_SIZE], const char *tag);

/* ---- tables ------------------------------------------------------------------------------ */

enum { PARTS_COLUMNS_MAX = 1000, PARTS_ROWS_MAX = 65534 };
/* The cells of one table, placed as HTML's table model does (HTML, 4.9.12): a cell takes the
 * next free column of its row, and those that it spans in the rows below. */
typedef struct parts_table {
    parts_builder *builder;
    vl_part_cell *cells;
    size_t count, capacity;
    uint32_t row, column, columns;    /* the next cell's place; the widest row yet */
    uint32_t busy[PARTS_COLUMNS_MAX]; /* rows that a column is still spanned for */
} parts_table;
/* NULL: the arena is full. */
parts_table *parts_table_new(parts_builder *b);
void parts_table_row_end(parts_table *table);
/* Spans beyond what is possible are cut. A cell past the last column is left out. */
vl_status parts_table_cell(parts_table *table, uint32_t row_span, uint32_t column_span,
                           bool heading, const char *text);
/* A cell at its place, no earlier than the last. */
vl_status parts_table_cell_at(parts_table *table, vl_part_cell cell);
/* Sets the cells and the text of `part`; false: there are none. */
bool parts_table_finish(parts_table *table, vl_part *part);

/* ---- the end ----------------------------------------------------------------------------- */

/* Of a document of pages: running heads, feet and page numbers become parts of that kind,
 * behind the others of their page, and paragraphs are linked with what they go on in. */
vl_status parts_heads(parts_builder *b);
/* The language, its certainty and the script of every part. */
vl_status parts_languages(parts_builder *b);
/* Finds languages, labels and mentions; a caption that no reader set is looked for beside its
 * picture or table. Returns the builder's status. */
vl_status parts_finish(parts_builder *b);

/* ---- formats ----------------------------------------------------------------------------- */

typedef vl_status (*parts_reader)(parts_builder *b, const void *bytes, size_t count);
vl_status parts_html_read(parts_builder *b, const void *bytes, size_t count);
vl_status parts_docx_read(parts_builder *b, const void *bytes, size_t count);
vl_status parts_odt_read(parts_builder *b, const void *bytes, size_t count);
vl_status parts_plain_read(parts_builder *b, const void *bytes, size_t count);
/* PDF, and pictures of pages. */
vl_status parts_pages_read(parts_builder *b, const void *bytes, size_t count);
vl_status parts_pages_picture(const vl_parts *parts, size_t index,
                              const vl_media_limits *limits, vl_image **image, vl_error *error);
vl_status parts_pages_whole(const vl_parts *parts, uint32_t page, const vl_media_limits *limits,
                            vl_image **image, vl_error *error);

#endif
