/* review_teach.h — what reviewers said of text that OCR read teaches the engines' record
 * (docs/consensus.md) who reads how well.
 *
 * An item does not say which engine read what, so its region of the page is read again, every
 * line by every engine, and the reviewed text is laid along the lines that are found. Texts
 * that were accepted teach as those that were corrected do: from corrections alone the record
 * would learn that engines always err. Each verdict teaches once. */
#ifndef VL_DATASET_REVIEW_TEACH_H
#define VL_DATASET_REVIEW_TEACH_H

#include "dataset/review.h"

typedef struct review_lesson {
    size_t items, lines; /* that taught */
    size_t known;        /* items: they had taught before */
    size_t unfit;        /* items: what was read there is another text, or none */
    size_t broken;       /* items: no picture, or one that cannot be read */
} review_lesson;

/* Of base passages, and of examples that say what is written in a region, with a text that was
 * read off the page. `ocr` needs two engines or more (VL_ERR_USAGE). Reading errors of single
 * items are counted; those of the record end it, and what was taught so far stays. */
vl_status review_teach(vl_review *review, const vl_ocr_options *ocr, vl_ocr_record *record,
                       review_lesson *lesson, vl_error *error);

/* The words of `text` along lines of words: `line_of[i]` is the line of word i of the text, in
 * order. `words` [word_count] are those that were read, `lines` their lines, rising. False: too
 * many, or too far from each other to be the same text (more than half would have to change).
 * In the arena; NULL words never occur. VL_ERR_MEMORY is false too. */
bool review_lay(const char *const *words, const size_t *lines, size_t word_count,
                const char *const *text, size_t text_count, vl_arena *arena, size_t *line_of);

#endif
