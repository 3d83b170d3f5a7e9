/* instruct_make.h — what could be asked of a subject, before it is chosen and put into words.
 *
 * Each maker below adds what it finds. Making is cheap: only what is chosen is filled. */
#ifndef VL_DATASET_INSTRUCT_MAKE_H
#define VL_DATASET_INSTRUCT_MAKE_H

#include "dataset/instruct.h"

typedef enum reply {
    REPLY_TEXT, /* `text`, in `language` */
    REPLY_YES,
    REPLY_NO,
    REPLY_ROWS,     /* `count`, in words where the style is natural */
    REPLY_LANGUAGE, /* the name of the language `text` … */
    REPLY_SCRIPT,
    REPLY_CRISIS, /* … in the language that it is asked in */
} reply;

typedef struct candidate {
    phrase_topic topic;
    phrase_values values;
    reply reply;
    const char *text, *language, *origin;
    size_t count;
    UChar32 zero; /* REPLY_ROWS: the digit 0 that the document writes, for its own language */
    const char *ask_in;    /* NULL: the language of the subject … */
    bool neutral;          /* … or any target language */
    const char *answer_in; /* the language that PHRASE_DESCRIBE_IN asks for; else NULL */
} candidate;

enum { CANDIDATES_MAX = 128 };
typedef struct candidates {
    const instruct_subject *subject;
    const instruct_options *options;
    const phrases *phrases;
    const phrase_language *language; /* of the subject; NULL: it is not served */
    phrase_noun noun;
    vl_arena *arena;
    uint64_t random;
    candidate items[CANDIDATES_MAX];
    size_t count;
    bool no_memory;
} candidates;

/* A candidate as most are: a text of the document, asked in its language. */
candidate candidate_of(const candidates *c, phrase_topic topic, const char *text);
/* Leaves it out where its kind is not wanted or there are too many. */
void candidates_add(candidates *c, const candidate *item);
/* Printing into the arena. NULL: longer than a kilobyte, or the arena is full (`no_memory`). */
const char *candidates_print(candidates *c, const char *format, ...) VL_PRINTF(2, 3);

/* The part that the subject is; NULL: none. */
const vl_part *subject_part(const instruct_subject *subject);

void make_of_picture(candidates *c); /* describe, title, words */
void make_of_text(candidates *c);    /* read, language, script, crisis */
void make_of_caption(candidates *c); /* dates, countries, gaps */
void make_of_table(candidates *c);   /* cells, extremes, totals, years */
void make_of_changes(candidates *c); /* an older state of the document */

struct grid;
/* The subject's table or, of an older state, another, as rows and columns; false: it is none.
 */
bool candidates_grid(candidates *c, const vl_part *table, struct grid *out);
/* Whether two cells certainly say different things. */
bool cells_differ(const char *a, const char *b);

#endif
