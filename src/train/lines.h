/* lines.h — pictures of text lines as a step of `reader` takes them: behind each other, with
 * the labels that they are to be read as. */
#ifndef TRAIN_LINES_H
#define TRAIN_LINES_H

#include "train/recipe.h"
#include "train/samples.h"

/* All in the arena of their piece. */
typedef struct line_set {
    size_t count;
    size_t sequences; /* count, and one of paper where positions are filled up */
    float *columns;   /* [4·positions,48] */
    int32_t *starts;  /* [sequences + 1], in positions */
    int32_t *labels;
    size_t *label_starts; /* [count + 1] */
    const char **script;  /* [count]: ISO 15924, as the sample says or its letters show */
    vl_reader_pixels *line;
    int32_t **label; /* [count] of the lines one by one, until they are joined */
    size_t *label_count;
} line_set;

line_set *lines_new(vl_arena *arena, size_t count); /* NULL: no memory */
typedef struct lines_how {
    const recipe *recipe;
    const vl_reader_alphabet *alphabet;
    double distort;
    uint64_t *random;
} lines_how;
/* Line `index`. Characters that the alphabet lacks are not asked for. */
vl_status lines_set(line_set *lines, size_t index, const vl_image *image, const sample *sample,
                    const lines_how *how, vl_arena *arena, vl_error *error);
/* Once all are set: puts them behind each other. */
vl_status lines_join(line_set *lines, vl_arena *arena, vl_error *error);

#endif
