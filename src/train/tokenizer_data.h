/* tokenizer_data.h — the recipe of a tokenizer, and the text it names. */
#ifndef VL_TRAIN_TOKENIZER_DATA_H
#define VL_TRAIN_TOKENIZER_DATA_H

#include <vislang/train.h>

typedef enum bpe_format {
    BPE_TEXT,       /* plain or gzipped text, a line a text */
    BPE_TSV,        /* the same, one tab-separated column of it */
    BPE_CAPTIONS,   /* JSON lines: {"captions": {"en": ["…"], "ar": […]}} */
    BPE_QUESTIONS,  /* JSON lines: {"qa": [{"question": "…", "answer": ["…"]}]} */
    BPE_STATEMENTS, /* JSON lines: {"split": "train", "statements": [{"statement": "…"}]} */
    BPE_FORMATS
} bpe_format;
extern const char *const bpe_format_names[BPE_FORMATS];

enum { BPE_MAX_LANGUAGES = 16 };
typedef struct bpe_source {
    const char *path;
    bpe_format format;
    const char *languages[BPE_MAX_LANGUAGES]; /* of captions those to take, else one */
    size_t language_count;
    double weight;
    unsigned column;   /* of BPE_TSV, from 1 */
    const char *split; /* NULL: every line of BPE_STATEMENTS */
} bpe_source;

typedef struct bpe_recipe {
    vl_arena *arena; /* of all that is below */
    uint32_t vocabulary;
    const char **specials;
    size_t special_count;
    bpe_source *sources, *held; /* held: only ever scored on */
    size_t source_count, held_count;
} bpe_recipe;
/* An error names the recipe's line. Free it whatever the status is. */
vl_status bpe_recipe_load(const char *path, bpe_recipe *recipe, vl_error *error);
void bpe_recipe_free(bpe_recipe *recipe);

/* Called for every text, which lives only as long as the call. */
typedef vl_status (*bpe_text_fn)(const char *language, const char *text, void *user,
                                 vl_error *error);
/* BPE_TEXT and BPE_TSV: the lines that are held out (one in ten, by a hash of the line) or the
 * others; the rest is all given, whatever `which` says. */
typedef enum bpe_lines { BPE_LINES_TRAIN, BPE_LINES_HELD, BPE_LINES_ALL } bpe_lines;
vl_status bpe_source_read(const bpe_source *source, const char *data_dir, bpe_lines which,
                          bpe_text_fn give, void *user, vl_error *error);

#endif
