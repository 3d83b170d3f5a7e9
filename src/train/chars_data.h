/* chars_data.h — the recipe of the character models, and the lines it names. */
#ifndef VL_TRAIN_CHARS_DATA_H
#define VL_TRAIN_CHARS_DATA_H

#include "text/ngram_model.h"
#include "train/tokenizer_data.h"

typedef struct chars_source {
    bpe_source source;
    bool held; /* the whole file is */
} chars_source;

typedef struct chars_language {
    char code[VL_LANG_SIZE];
    chars_source *sources;
    size_t source_count;
} chars_language;

typedef struct chars_recipe {
    vl_arena *arena;
    uint32_t order, line; /* line: characters after which a line is broken */
    size_t bytes_per_language, max_characters;
    chars_language *languages; /* sorted by code */
    size_t language_count;
} chars_recipe;
/* Free it whatever the status is. */
vl_status chars_recipe_load(const char *path, chars_recipe *recipe, vl_error *error);
void chars_recipe_free(chars_recipe *recipe);

/* Code points, each line ending with a '\n' that is none of the text's. */
typedef struct chars_text {
    uint32_t *points;
    size_t count, capacity, max;
} chars_text;
/* Appends the language's lines for training, or those that are held out: NFC, white space
 * squeezed, broken into printed lines. Past `max` code points nothing is added. */
vl_status chars_read(const chars_recipe *recipe, const chars_language *language,
                     const char *data_dir, bool held, chars_text *text, vl_error *error);
void chars_text_free(chars_text *text);

#endif
