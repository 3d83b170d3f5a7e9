/* recipe.h — what `vislang train --recipe` reads: the whole of a training run as YAML. */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

#include <vislang/model.h>

enum {
    RECIPE_MAX_SOURCES = 16,
    RECIPE_PATH = 512,
    RECIPE_NAME = 32,
    RECIPE_MAX_TEXT = 512 /* tokens of a text */
};

/* What a picture is asked for; a source gives each task it serves a weight. */
typedef enum task {
    TASK_CAPTION,
    TASK_CONTRAST,
    TASK_ASK,
    TASK_STATEMENT,
    TASK_LABELS,
    TASK_COUNT
} task;

/* Whom a recipe trains. */
typedef enum recipe_model { RECIPE_SEER, RECIPE_READER } recipe_model;
const char *recipe_model_name(recipe_model model); /* as recipes write it */

/* What is said of pictures is seer's, of lines reader's. */
typedef struct recipe_source {
    char name[RECIPE_NAME];
    char path[RECIPE_PATH]; /* relative to --data */
    int64_t batch;          /* pictures a step */
    int64_t picture;        /* side they are trained at */
    int64_t captions;       /* captions drawn a picture, the first in the first language */
    int64_t questions, statements;
    double typical; /* captions drawn as those of the most consensus: count · u^typical */
    char balance[RECIPE_NAME]; /* labels drawn by the root of their counts (order.h); "" none */
    bool derived;              /* also what was derived from captions by templates */
    bool flip;     /* mirror half of the pictures (never those whose text says left or right) */
    double crop;   /* least share of the picture's area a random crop keeps; 1: none */
    double colour; /* strength of brightness, contrast and saturation changes */
    double erase;  /* share of pictures that lose a rectangle */
    double weights[TASK_COUNT];
    double distort; /* lines: strength of scale, shift, shear, contrast, blur, noise; 0: none */
} recipe_source;

typedef struct recipe {
    recipe_model model;
    int64_t seed;
    char tokenizer[RECIPE_PATH]; /* seer */
    char alphabet[RECIPE_PATH]; /* reader: a text that holds its characters, relative to --data;
                                   "": those of the training texts */
    char init[RECIPE_PATH];     /* a checkpoint or model to begin from; "" none */
    vl_seer_config architecture;
    vl_reader_config reader; /* its symbols are the alphabet's */
    int64_t max_width;       /* reader: pixels of a line 48 high; longer ones are squeezed */
    recipe_source sources[RECIPE_MAX_SOURCES];
    size_t source_count;
    recipe_source held[RECIPE_MAX_SOURCES]; /* scored as training goes on */
    size_t held_count;
    int64_t steps, warmup, lanes, micro_batch, log_every, evaluate_every, patience;
    double rate, final_rate, decay, beta1, beta2, clip, smoothing, dropout, drop_path;
    double word_dropout; /* share of a text's tokens hidden from the decoder */
    double ema, checkpoint_minutes, max_broken;
    bool bf16;
    char quantize[16]; /* train for weights of this format ("q2_0"); "" none */
} recipe;

/* Defaults, then the file. VL_ERR_USAGE names an unknown key and the nearest known one, a value
 * out of range and its range. */
vl_status recipe_read(const char *path, recipe *recipe, vl_error *error);

#endif
