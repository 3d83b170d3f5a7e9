/* flow.h — what the readers of DOCX and ODT share: text gathers run by run into paragraphs,
 * paragraphs into items of lists and cells of tables, and what stands within something else
 * (a picture in a cell, a text box, a note) waits until that is through.
 *
 * After the builder's first failure every call does nothing. */
#ifndef VL_DATASET_FLOW_H
#define VL_DATASET_FLOW_H

#include "dataset/parts.h"
#include "dataset/styles.h"

enum { FLOW_LANGUAGES = 8, FLOW_TEXT_MAX = 64 << 20 };

/* Text and the languages that its runs say they are in. */
typedef struct flow_text {
    vl_buf text;
    struct flow_spoken {
        char language[VL_LANG_SIZE];
        size_t bytes;
    } spoken[FLOW_LANGUAGES];
    size_t spoken_count;
} flow_text;
void flow_text_init(flow_text *t);
void flow_text_deinit(flow_text *t);
/* White space is a space. `language` "": not said. */
void flow_text_put(flow_text *t, const char *text, const char *language);
void flow_text_break(flow_text *t);   /* a line ends */
void flow_text_unbreak(flow_text *t); /* all lines become one */
/* Sets `out` to the language of most of it; leaves it where none was said. */
void flow_text_language(const flow_text *t, char out[VL_LANG_SIZE]);

typedef struct flow {
    parts_builder *b;
    flow_text items; /* of the list that is being read */
    long list;       /* which it is; 0 none */
    flow_text *cell; /* of the table that is being read; NULL: none is */
    size_t held;     /* parts wait */
    vl_part *waiting;
    size_t waiting_count, waiting_capacity;
} flow;
void flow_init(flow *f, parts_builder *b);
void flow_deinit(flow *f);

/* A paragraph, heading or caption; `t` is emptied. In a cell it is a line of it. */
void flow_paragraph(flow *f, vl_part_kind kind, uint32_t level, flow_text *t);
/* A paragraph of the list `list`, not 0; `item`: it begins one, else it goes on. */
void flow_item(flow *f, long list, bool item, flow_text *t);
/* A list that is being read ends. */
void flow_list_end(flow *f);
/* A picture. `text`: what its maker says that it shows. */
void flow_picture(flow *f, vl_part_kind kind, const char *source, const char *text);
/* A note to what is being read: it waits. */
void flow_note(flow *f, const char *text, const char *language);
/* What is added in between waits for what is around it, a paragraph or a table. */
void flow_hold(flow *f);
void flow_release(flow *f);
/* All that still waits. */
void flow_end(flow *f);

typedef struct flow_table {
    parts_table *table;
    flow_text cell;
    flow_text all;                   /* languages of all cells; no text */
    size_t above[PARTS_COLUMNS_MAX]; /* the cell that each column's last one is in, plus 1 */
    size_t row_start;                /* the row's first cell */
} flow_table;
/* Not within a cell: tables in tables are lines of their cell. NULL: the arena is full. */
flow_table *flow_table_begin(flow *f);
void flow_table_end(flow *f, flow_table *t);
void flow_cell_begin(flow *f, flow_table *t);
/* The cell, `times` beside each other. */
void flow_cell_end(flow *f, flow_table *t, vl_part_cell at, uint32_t times);
void flow_cell_drop(flow *f, flow_table *t); /* instead */
bool flow_cell_is_empty(const flow_table *t);
/* The cell above goes on into `row`; false: there is none. */
bool flow_cell_merge(flow_table *t, uint32_t row, uint32_t column);
/* The last row is there `times` more, from `row` on; returns how many were added: none of an
 * empty one. */
uint32_t flow_row_repeat(flow *f, flow_table *t, uint32_t row, uint32_t times);

#endif
