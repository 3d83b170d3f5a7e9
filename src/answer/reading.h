/* reading.h — what was read, as tokens that know where they stand; facts and answers work on
 * these.
 *
 * A token is one word as read, beside it the same word ready to compare: lower case, digits of
 * every script as ASCII, punctuation around it taken off. Everything lives in the answer's
 * arena. */
#ifndef VISLANG_ANSWER_READING_H
#define VISLANG_ANSWER_READING_H

#include <vislang/answer.h>

typedef struct token {
    const char *text;  /* as read */
    const char *plain; /* to compare; "" when the word is nothing but punctuation */
    const char *ascii; /* as read, digits as ASCII, nothing taken off */
    vl_box box;
    double confidence;
} token;

typedef struct text_line {
    const char *text;
    token *tokens;
    size_t count;
    vl_box box;
    uint32_t page;
    size_t block; /* running number over the document */
    vl_block_kind kind;
    double confidence;
} text_line;

typedef struct place_names place_names;   /* places.c */
typedef struct picture_view picture_view; /* picture.h */

typedef struct reading {
    vl_arena *arena;
    text_line *lines;
    size_t line_count;
    vl_page **pages;
    size_t page_count;
    const place_names *places;
    picture_view *view; /* the model that has looked at the photograph; NULL: a page, or none */
    vl_fact *facts;
    size_t fact_count, fact_capacity;
    bool full; /* the arena ended */
} reading;

/* Lower case, ASCII digits, punctuation around it taken off. NULL: arena full. */
char *plain_word(vl_arena *arena, const char *text);
char *ascii_digits(vl_arena *arena, const char *text);
void reading_make(reading *r, vl_page **pages, size_t page_count, vl_arena *arena);

/* A line's words [first, first + count), as read, apart by spaces. */
const char *line_slice(reading *r, const text_line *line, size_t first, size_t count);
vl_box line_slice_box(const text_line *line, size_t first, size_t count);
double line_slice_confidence(const text_line *line, size_t first, size_t count);
/* Adds a fact about those words; `certainty` is how sure the pattern is. */
vl_fact *add_fact(reading *r, vl_fact_kind kind, const text_line *line, size_t first,
                  size_t count, const char *value, double certainty);

/* True when `word` is in the NULL-terminated list. */
bool is_one_of(const char *word, const char *const *list);

/* The finders, each over all lines. */
void find_titles(reading *r);
void find_dates(reading *r);
void find_contacts(reading *r); /* phones, e-mail, web addresses, times */
void find_amounts(reading *r);
void find_fields(reading *r);
void find_places(reading *r);

place_names *place_names_new(vl_error *error);
void place_names_free(place_names *names);

/* Number at the start of `text` ("1,200.50", "38"): its value and how many bytes it takes; 0
 * bytes when there is none. */
double parse_number(const char *text, size_t *bytes);

typedef struct kind_guess {
    const char *name;
    double confidence;
} kind_guess;
kind_guess guess_document_kind(const reading *r, const vl_picture_look *look);

/* Words for one thing in the languages served, shared by finders and questions (cues.c). */
extern const char *const cue_date[],
    *const cue_phone[], *const cue_place[], *const cue_amount[], *const cue_name[],
                                                                     *const cue_time[];

/* Answering (respond.c). */
void say(reading *r, vl_answer *answer, double confidence, const char *text);
void add_evidence(reading *r, vl_answer *answer, uint32_t page, vl_box box, const char *text,
                  double confidence);
void describe(reading *r, vl_answer *answer);
void respond(reading *r, const char *instruction, vl_answer *answer);

#endif
