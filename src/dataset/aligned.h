/* aligned.h — texts that say the same in another language: by tables that a recipe names, or
 * found among the captions of another version. Nothing is translated here.
 *
 * A line is two columns apart by a tab, or an id and two columns; plain or gzipped. A text is
 * found when it is equal, but for case, white space and Unicode composition. Read-only once it
 * is open, so thread-safe. */
#ifndef VL_DATASET_ALIGNED_H
#define VL_DATASET_ALIGNED_H

#include "dataset/build_recipe.h"

#include <vislang/align.h>

enum { ALIGNED_HITS_MAX = 64 };
typedef struct aligned_hit {
    const char *language, *text;
    const char *origin; /* "aligned:captions.tsv" */
} aligned_hit;

typedef struct aligned aligned;
/* VL_ERR_INPUT: a line without two columns, or not UTF-8, with its place; VL_ERR_MISSING: no
 * such file. */
vl_status aligned_open(const build_recipe *recipe, aligned **out, vl_error *error);
void aligned_free(aligned *a); /* NULL allowed */
/* The counterparts of a text, into `hits` [ALIGNED_HITS_MAX], in the order of the recipe and
 * the lines; they live as long as `a`. Returns how many. */
size_t aligned_find(const aligned *a, const char *text, const char *language, vl_arena *arena,
                    aligned_hit *hits);

/* The texts of a document that could be the counterpart of one of another. */
typedef struct aligned_side {
    const char *const *texts;
    size_t count;
    const char *language; /* as vl_lang_code */
} aligned_side;
/* Which of `other` says what text `at` of `own` says: each is the other's best, with a
 * confidence (vl_bank_hit) of `least` both ways. *found SIZE_MAX: none is so sure. *confidence:
 * the lesser of the two. The same for the same texts and space, on any thread. */
vl_status aligned_guess(const vl_space *space, const aligned_side *own, size_t at,
                        const aligned_side *other, double least, size_t *found,
                        double *confidence, vl_error *error);

#endif
