/* words.h — what lines say: pieces of the text folder, of the system's own word lists and
 * catalogues, of fields, and lines around characters that are rare.
 *
 * Read-only once opened. */
#ifndef VL_DATASET_WORDS_H
#define VL_DATASET_WORDS_H

#include "dataset/alphabet.h"
#include "dataset/corpus.h"
#include "dataset/fields.h"

typedef struct word_source {
    char language[VL_LANG_SIZE];
    vl_script script;
    corpus_lines lines;
    bool single; /* a line is one word, not running text */
    bool system; /* not of the text folder */
    double weight;
} word_source;

enum { WORDS_MAX_SOURCES = 8192, WORDS_MAX_PLACES = 24 };
typedef struct words {
    vl_arena *arena;
    const alphabet *alphabet;
    field_names names;
    word_source *sources;
    size_t source_count;
    struct {
        size_t *sources; /* indices */
        double *weights;
        size_t source_count;
        uint16_t *rare; /* indices into the alphabet */
        size_t rare_count;
    } of[VL_SCRIPT_COUNT];
    struct word_places { /* some lines that hold a character, by index of the alphabet */
        struct {
            uint32_t source, line;
        } at[WORDS_MAX_PLACES];
        uint32_t count; /* of all lines that hold it */
        bool wanted;    /* it is rare */
    } * places;
} words;

/* Scripts of no weight are left out. VL_ERR_INPUT: no text in one that has some. `a` must
 * outlive it. */
vl_status words_open(const char *folder, bool system_text, const alphabet *a,
                     const double weights[VL_SCRIPT_COUNT], words *w, vl_error *error);
void words_deinit(words *w);

typedef enum word_kind { WORDS_TEXT, WORDS_FIELD, WORDS_RARE } word_kind;
/* A line of one word to about 90 characters, clean (alphabet.h), in the arena; NULL when this
 * draw came to nothing: draw again. */
char *words_draw(const words *w, vl_script script, word_kind kind, dice *d, vl_arena *arena,
                 char language[VL_LANG_SIZE]);

#endif
