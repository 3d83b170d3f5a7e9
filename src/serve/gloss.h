/* gloss.h — what the words of a sentence mean, one by one, in another language.
 *
 * Meanings are units of the space's hub (English words); in any other target language they are
 * the words whose own meanings are nearest to that (the sum over units of both weights). What a
 * target language's words mean is turned round when it is first asked for.
 *
 * Thread-safety: all functions. */
#ifndef VISLANG_SERVE_GLOSS_H
#define VISLANG_SERVE_GLOSS_H

#include <vislang/align.h>
#include <vislang/text.h>

#include <stdatomic.h>

enum { VL_GLOSS_MEANINGS = 3 };
#define VL_GLOSS_HUB "eng"

typedef struct vl_gloss_word {
    size_t from, to;  /* bytes in the sentence */
    bool known;       /* a number is, and means itself */
    float confidence; /* of the first meaning, 0 … 1 */
    bool is_number;
    struct {
        const char *word; /* living as long as the glosses, or the arena */
        float weight;
    } meanings[VL_GLOSS_MEANINGS]; /* the likeliest first */
    size_t count;
    char language[VL_LANG_SIZE]; /* of the meanings: the target, or the hub */
} vl_gloss_word;

typedef struct vl_glosses vl_glosses;
vl_glosses *vl_glosses_new(const vl_space *space); /* NULL: no memory */
void vl_glosses_free(vl_glosses *glosses);         /* NULL allowed */
/* Makes what target languages need, which is some tenths of a second each, until it is asked to
 * stop (`stop` true). */
void vl_glosses_warm(vl_glosses *glosses, const atomic_bool *stop);
/* The words of `sentence`, in the arena. Languages as vl_lang_code. VL_ERR_MEMORY. */
vl_status vl_glosses_make(vl_glosses *glosses, const char *source, const char *target,
                          const char *sentence, vl_arena *arena, vl_gloss_word **words,
                          size_t *count, vl_error *error);

#endif
