/* phrase_pattern.h — patterns of MessageFormat as our files write them, checked and made into
 * those that ICU's C API takes.
 *
 * Ours are a part of ICU's syntax ("MessageFormat pattern" in ICU's user guide): text, {name},
 * {class, select, m {…} other {…}} and {count, plural, one {…} other {…}}. Apostrophes, which
 * quote in ICU's, are refused: a written language has ’. */
#ifndef VL_DATASET_PHRASE_PATTERN_H
#define VL_DATASET_PHRASE_PATTERN_H

#include "dataset/phrases.h"

/* Which arguments a pattern may have, and which it must have. */
typedef struct pattern_rules {
    uint32_t arguments; /* 1 << phrase_argument: all of them, and no others */
    bool noun;          /* may have a form of the noun, or its class … */
    bool needs_noun;    /* … and must have a form */
    bool count;         /* has the count of a plural, and nothing else */
} pattern_rules;
/* Parses `source`. What is wrong is said in `fault` [size]; false then. `pattern` is in the
 * arena. `categories`: the plural categories of the language. */
bool pattern_parse(const char *source, const phrase_language *language,
                   const pattern_rules *rules, const char *const *categories,
                   size_t category_count, vl_arena *arena, phrase_pattern *pattern, char *fault,
                   size_t size);

#endif
